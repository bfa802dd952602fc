//! The page of `report --html`: out of a real store, of either kind, and in a real browser.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::world::{Kind, World, on_both};
use crate::support::{Finished, browser};

on_both! {
    the_page_shows_what_runs_have_seen
}

/// 2026-11-02 00:00 UTC.
const START: i64 = 1_793_577_600;
const A: &str = "A</script><script>alert(1)</script>";
const B: &str = "B \"quoted\" & 'single' {{style}}";
/// A key in which HTML would replace what it understands.
const KEY: &str = "k9<&>\"q8Wz4Lr1Tn6Yb3Kd7f3a";

/// Two accounts with two days of readings, one of which failed for eleven hours, and the other was topped up; an alert; a silence.
fn world(kind: Kind) -> World {
    let mut world = World::new(kind, &[(A, 5), (B, 900)]);
    world.configure(|config| {
        let mut keyed = crate::support::uniapi("C", "http://127.0.0.1:9");
        keyed["api_key"] = json!(KEY);
        config["projects"].as_array_mut().unwrap().push(keyed);
        config["subscriptions"] =
            json!([{"name": "Sub <b>bold</b>", "cycle_type": "monthly", "renewal_day": 5, "amount": 7}]);
    });
    at_start(&world, &["check"]);
    let reason = format!("moved <i>, the key was {KEY}");
    at_start(&world, &["silence", B, "--for", "2h", "--by", "me@here", "--reason", &reason]).expect(0);
    let [a, b] = ["A", "B"].map(|name| world.count(&format!("SELECT check_id FROM checks WHERE name LIKE '{name}%'")));
    let (mut runs, mut samples) = (Vec::new(), Vec::new());
    for hour in 1..=48 {
        let (run, at) = ((START - 3600 * hour) * 1_000_000, (START - 3600 * hour) * 1000);
        runs.push(format!("({run}, 'r{hour}', {at} + 2500, 0, 2, {at} + 60000, 0, '', '', '')"));
        let (status, balance) = match hour {
            10..=20 => ("failed", "NULL".to_owned()),
            _ => ("ok", format!("'{}'", 100 + 2 * hour)),
        };
        samples.push(format!("({run}, {a}, '{status}', NULL, {balance}, '10', NULL)"));
        let balance = if hour < 24 { 900 + hour } else { 300 + hour };
        samples.push(format!("({run}, {b}, 'ok', NULL, '{balance}', '10', NULL)"));
    }
    world.sql(&format!(
        "INSERT INTO runs (run, id, finished_at, exit_code, checks, ends_by, is_partial, shard, unusable_channels, schedule) \
         VALUES {}; INSERT INTO samples (run, check_id, status, reason, balance, threshold, currency) VALUES {}",
        runs.join(", "),
        samples.join(", ")
    ));
    world
}

fn at_start(world: &World, args: &[&str]) -> Finished {
    let config = world.program.path("config.yaml").display().to_string();
    let program = args.iter().fold(world.program.instead::<0>([]), |program, arg| program.args([arg]));
    program.args(["--config", &config]).env("BALANCE_ALERT_CLOCK", &START.to_string()).run()
}

fn the_page_shows_what_runs_have_seen(kind: Kind) {
    let world = world(kind);
    let page = at_start(&world, &["report", "--html", "-"]).expect(0).stdout;
    let card = |name: &str| {
        page.split("<section class=\"card\"").skip(1).find(|card| card.contains(&format!(">{name}"))).unwrap()
    };
    let path = |card: &str, class: &str| {
        let path = card.split_once(&format!("class=\"{class}\" d=\"")).map(|(_, rest)| rest.split_once('"').unwrap().0);
        path.unwrap_or_default().matches('M').count()
    };
    let (a, b) = (card("A&lt;/script&gt;"), card("B &quot;quoted&quot; &amp; &#39;single&#39; {{style}}"));
    assert_eq!((path(a, "past"), path(a, "topup")), (2, 0), "a gap: {a}");
    assert_eq!((path(b, "past"), path(b, "topup")), (1, 1), "a top-up: {b}");
    assert!(b.contains("top-ups: 1; the last: 2026-11-01 +599<"), "{b}");
    for want in [
        "since 2026-10-03",
        "is below the threshold 10",
        "custom: sent",
        "moved &lt;i&gt;, the key was ***",
        "me@here",
        "Sub &lt;b&gt;bold&lt;/b&gt; · 7<",
        "<caption>October 2027</caption>",
        "2.50 s",
    ] {
        assert!(page.contains(want), "{want}");
    }
    for never in ["<script>alert", "k9<", "k9&lt;", "q8Wz4Lr1Tn6Yb3Kd7f3a", "<b>bold"] {
        assert!(!page.contains(never), "{never}");
    }
    let short = at_start(&world, &["report", "--html", "-", "--since", "5h"]).expect(0).stdout;
    assert!(short.contains("5 to 110 since 2026-11-01"), "{short}");
}

#[test]
fn the_file_is_whole_and_has_the_permissions_that_it_had() {
    let mut world = world(Kind::Sqlite);
    let path = |name: &str| world.program.path(name);
    let mode = |name: &str| std::fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
    let said = at_start(&world, &["report", "--html", "page.html"]).expect(0).stdout;
    assert!(said.starts_with("wrote `page.html`: 3 accounts, "), "{said}");
    let page = std::fs::read_to_string(path("page.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{page}");
    std::fs::set_permissions(path("page.html"), PermissionsExt::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink("page.html", path("link.html")).unwrap();
    at_start(&world, &["report", "--html", "link.html"]).expect(0);
    assert_eq!(mode("page.html"), 0o600);
    assert!(path("link.html").is_symlink());
    std::fs::write(path("file"), "kept").unwrap();
    for (file, want) in [
        ("none/of/page.html", "cannot be written to `none/of/page.html`: there is no folder `none`"),
        ("file/page.html", "cannot be written to `file/page.html`: not a directory"),
        (".", "cannot be written to `.`: it is a directory"),
        ("/dev/full", "cannot be written to `/dev/full`: it is no regular file"),
    ] {
        let run = at_start(&world, &["report", "--html", file]).expect(74);
        assert!(run.stderr.contains(want), "{run}");
    }
    let left = std::fs::read_dir(path(""))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "tmp"));
    assert_eq!(left.count(), 0, "nothing is left over");
    world.configure(|config| config["settings"]["language"] = json!("zh"));
    let page = at_start(&world, &["report", "--html", "-"]).expect(0).stdout;
    for want in ["<html lang=\"zh-CN\">", "余额报告", "低于告警阈值", "已送达", "每月", "2026 年 11 月"]
    {
        assert!(page.contains(want), "{want}");
    }
    at_start(&world, &["report"]).expect(64);
}

/// What a person does on a phone: sort twice, then find. Where each step leads is sent to the page around it.
const PROBE: &str = "<script>
const rows = () => [...document.querySelectorAll('#accounts tbody tr')].filter(row => !row.hidden).map(row => row.id).join(' ');
const cards = () => [...document.querySelectorAll('.card')].filter(card => !card.hidden).map(card => card.id).join(' ');
const head = document.querySelectorAll('#accounts thead th')[2], seen = {};
seen.wide = document.documentElement.scrollWidth > innerWidth;
seen.sorts = [];
for (let time = 0; time < 2; time++) { head.querySelector('[role=button]').click(); seen.sorts.push(head.getAttribute('aria-sort') + ' ' + rows()); }
const text = document.getElementById('text');
text.value = 'QUOTED'; text.dispatchEvent(new Event('input'));
seen.found = [rows(), cards(), document.getElementById('count').textContent];
text.value = ''; text.dispatchEvent(new Event('input'));
const status = document.getElementById('status');
status.value = 'low'; status.dispatchEvent(new Event('change'));
seen.low = rows();
parent.postMessage(JSON.stringify(seen), '*');
</script>";

#[test]
fn a_browser_shows_the_page_and_it_asks_for_nothing() {
    const NAME: &str = "a page in a browser";
    let world = world(Kind::Sqlite);
    at_start(&world, &["report", "--html", "page.html"]).expect(0);
    let folder = world.program.path("");
    let Some(seen) = browser::load(NAME, &folder, "page.html") else { return };
    assert_eq!((seen.console, seen.asked), (Vec::<String>::new(), Vec::new()));
    assert!(seen.page.contains("aria-sort=\"none\""), "its script has run: {}", seen.page);
    assert!(!seen.page.contains("role=\"search\" hidden"), "{}", seen.page);
    let page = std::fs::read_to_string(world.program.path("page.html")).unwrap();
    // What the browser would say if something were wrong: the policy holds back a foreign script and picture, and without the policy
    // the page would ask.
    let foreign = "<script>alert(1)</script><img src=\"http://elsewhere.invalid/x.png\">";
    let spoilt = page.replace("<main>", &format!("<main>{foreign}"));
    std::fs::write(world.program.path("spoilt.html"), &spoilt).unwrap();
    let seen = browser::load(NAME, &folder, "spoilt.html").unwrap();
    assert!(seen.console.len() >= 2 && seen.asked.is_empty(), "{:?} {:?}", seen.console, seen.asked);
    let open = spoilt.replace("<script>alert(1)</script>", "").replace("default-src 'none'", "default-src *");
    let open = open.replace("img-src data:", "img-src *").replace("</body>", &format!("{PROBE}</body>"));
    let (before, rest) = open.split_once("script-src '").unwrap();
    let open = format!("{before}script-src 'unsafe-inline'{}", rest.split_once('\'').unwrap().1);
    std::fs::write(world.program.path("open.html"), open).unwrap();
    let around = "<!DOCTYPE html><html><body><iframe src=\"open.html\" width=\"400\" height=\"800\"></iframe>\
                  <script>onmessage = event => document.body.textContent = event.data;</script></body></html>";
    std::fs::write(world.program.path("around.html"), around).unwrap();
    let seen = browser::load(NAME, &folder, "around.html").unwrap();
    assert!(seen.asked.iter().any(|asked| asked.contains("elsewhere.invalid")), "{:?}", seen.asked);
    let text = seen.page.split_once("<body>").unwrap().1.split_once("</body>").unwrap().0;
    let did: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {}", seen.page));
    // The first row is A, which is low; the second C, which cannot be read; the third B.
    let want = json!({
        "wide": false,
        "sorts": ["ascending r0 r2 r1", "descending r2 r0 r1"],
        "found": ["r2", "c2", "1 / 3"],
        "low": "r0",
    });
    assert_eq!(did, want, "{:?}", seen.console);
}
