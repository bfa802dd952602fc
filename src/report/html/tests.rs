use jiff::{SignedDuration, ToSpan};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::*;
use crate::check::subscription::Cycle;
use crate::check::subscription::config::{Schedule, Subscription};
use crate::check::subscription::look;
use crate::decide::forecast::account::{Foresight, Reading, foresee};
use crate::decide::memory::Covers;
use crate::decide::route::{Asked, Patterns};
use crate::model::addressing::Addressing;
use crate::model::alert::{Alert, Cause};
use crate::model::identity::Identity;
use crate::report::totals;
use crate::state::queries::{Known, LastRead, MessageState, Sending, SendingStatus};
use crate::state::sightings::Sighting;
use crate::yaml::forecasting::USUAL;

/// What would do harm in an element, in an attribute, in the script and in the template, if it were not made harmless.
const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)> onload='x' ]]{{style}}[[a|b]]-->&lt;";

fn now() -> Timestamp {
    "2026-12-01T12:00:00Z".parse().unwrap()
}

/// What a page is made of, with one word wherever a text comes from outside.
struct Filled {
    known: Vec<Known>,
    sightings: Vec<Vec<Sighting>>,
    messages: Vec<Message>,
    mutes: Vec<Mute>,
    mails: Vec<MailTold>,
    subscriptions: Vec<SubscriptionVerdict>,
    runs: Vec<LastRun>,
}

fn known(number: i64, word: &str) -> Known {
    Known {
        check: Identity(number),
        name: format!("{number} {word}"),
        provider: word.to_owned(),
        owner_project: Some(word.to_owned()),
        unit: word.to_owned(),
        currency: Some("USD".to_owned()),
        checked_at: now(),
        status: if number % 2 == 0 { "ok".to_owned() } else { word.to_owned() },
        balance: Some(Decimal::from(120)),
        as_of: Some(now()),
        threshold: Some(Decimal::from(100)),
        credits: Vec::new(),
        reason: Some(word.to_owned()),
        failed_runs: 0,
        last_read: None,
        told_at: None,
        pending: 0,
    }
}

/// Readings so many hours apart, up to now.
fn seen(step: i64, balances: impl IntoIterator<Item = Option<i64>>) -> Vec<Sighting> {
    let balances: Vec<Option<i64>> = balances.into_iter().collect();
    let count = balances.len() as i64;
    let sighting = |(place, balance): (usize, Option<i64>)| Sighting {
        at: now() - SignedDuration::from_hours(step * (count - 1 - place as i64)),
        balance: balance.map(Decimal::from),
        currency: Some("USD".to_owned()),
    };
    balances.into_iter().enumerate().map(sighting).collect()
}

fn foresight(sightings: &[Sighting]) -> Option<Foresight> {
    let reading =
        |seen: &Sighting| Some(Reading { at: seen.at, balance: seen.balance?, currency: seen.currency.clone() });
    // A forecast reads four weeks.
    let newest = &sightings[sightings.len().saturating_sub(120)..];
    foresee(&newest.iter().filter_map(reading).collect::<Vec<_>>(), None, USUAL, now())
}

fn message(line: &str, word: &str) -> Message {
    fn fill(value: &mut Value, word: &str) {
        const OUTSIDE: [&str; 11] = [
            "project",
            "owner_project",
            "provider",
            "host",
            "message",
            "subject",
            "sender",
            "account",
            "service",
            "name",
            "keywords",
        ];
        match value {
            Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| match value {
                Value::String(text) if OUTSIDE.contains(&key.as_str()) => *text = word.to_owned(),
                Value::Array(texts) if key == "keywords" => texts.iter_mut().for_each(|text| *text = json!(word)),
                value => fill(value, word),
            }),
            Value::Array(values) => values.iter_mut().for_each(|value| fill(value, word)),
            _ => {}
        }
    }
    let mut alert: Value = serde_json::from_str(line).unwrap();
    fill(&mut alert, word);
    let sending = |status| Sending {
        channel: word.to_owned(),
        status,
        detail: Some(word.to_owned()),
        at: now(),
        run_id: word.to_owned(),
        attempts: 1,
    };
    Message {
        alert: serde_json::from_value(alert).unwrap(),
        state: MessageState::Sent,
        created_at: now(),
        done_at: None,
        deliveries: SendingStatus::ALL.map(sending).into(),
    }
}

fn subscription(name: &str, cycle: Cycle, paid: Option<Date>) -> SubscriptionVerdict {
    let schedule = Schedule {
        cycle,
        follows_payment: false,
        renewal_day: name.to_owned(),
        alert_days_before: 3,
        last_renewed: paid,
    };
    let today = now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let subscription = Subscription {
        name: name.to_owned(),
        schedule: Ok(schedule),
        amount: Some(Decimal::from(10)),
        prices: Vec::new(),
        currency: Some(name.to_owned()),
        owner_project: Some(name.to_owned()),
        addressing: Addressing::default(),
    };
    let renewal = Ok(look(cycle, 3, paid, today).unwrap());
    SubscriptionVerdict { identity: Identity(9), subscription, renewal }
}

impl Filled {
    fn new(word: &str) -> Filled {
        let messages: Vec<Message> =
            include_str!("../../model/alert/stored.jsonl").lines().map(|line| message(line, word)).collect();
        let mail = |alert: &Alert| match &alert.cause {
            Cause::Mail(mail) => Some(MailTold { mailbox: word.to_owned(), decided_at: now(), mail: mail.clone() }),
            _ => None,
        };
        let covers = Covers::Matching(vec![(Asked::parse("project").unwrap(), Patterns::new([word]))]);
        let mute = Mute {
            number: 1,
            covers,
            who: word.to_owned(),
            reason: word.to_owned(),
            made_at: now(),
            until: Some(now() + SignedDuration::from_hours(1)),
        };
        let run = |end| LastRun {
            id: word.to_owned(),
            started_at: now(),
            end,
            checks: 2,
            ends_by: now(),
            shard: None,
            is_partial: false,
            unusable_channels: word.to_owned(),
        };
        let falling = || (0..60).rev().map(|ago| Some(120 + 10 * ago));
        Filled {
            known: vec![known(0, word), known(1, word)],
            sightings: vec![seen(6, falling()), seen(6, falling())],
            mails: messages.iter().filter_map(|message| mail(&message.alert)).collect(),
            messages,
            mutes: vec![mute],
            subscriptions: vec![subscription(word, Cycle::Monthly(5), None)],
            runs: vec![run(Some((now() + SignedDuration::from_secs(2), 0))), run(None), run(Some((now(), 77)))],
        }
    }

    fn page(&self, language: Language) -> String {
        let account =
            |(known, seen): (&'static Known, &Vec<Sighting>)| Account::new(known, seen, foresight(seen), false, now());
        // The page borrows what it shows, and a test ends soon.
        let known: &'static [Known] = self.known.clone().leak();
        let costs = self.subscriptions.iter().map(|one| (one.subscription.currency.as_deref(), Decimal::from(120)));
        Page {
            language,
            now: now(),
            since: now() - SignedDuration::from_hours(720),
            accounts: known.iter().zip(&self.sightings).map(account).collect(),
            messages: &self.messages,
            mutes: &self.mutes,
            mails: &self.mails,
            subscriptions: &self.subscriptions,
            totals: totals(costs),
            today: now().to_zoned(jiff::tz::TimeZone::UTC).date(),
            runs: &self.runs,
        }
        .render()
    }
}

/// The tags of a page with the names of their attributes, as a browser takes them apart.
fn tags(page: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let mut tag = String::new();
        let mut quote = None;
        let mut end = rest.len();
        for (at, c) in rest.char_indices() {
            match (quote, c) {
                (None, '>') => {
                    end = at + 1;
                    break;
                }
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), c) if open == c => quote = None,
                (None, c) => tag.push(c),
                _ => {}
            }
        }
        rest = &rest[end..];
        // What stands in these is no text of HTML.
        for raw in ["style", "script"] {
            if tag == raw {
                rest = &rest[rest.find(&format!("</{raw}>")).unwrap()..];
            }
        }
        tags.push(tag);
    }
    tags
}

#[test]
fn what_comes_from_outside_changes_no_tag_wherever_it_stands() {
    for language in Language::ALL {
        let (plain, hostile) = (Filled::new("plain").page(language), Filled::new(HOSTILE).page(language));
        assert_eq!(tags(&hostile), tags(&plain));
        assert!(hostile.matches("&lt;script&gt;alert(1)").count() > 50, "the word stands in the page");
        assert_eq!(hostile.matches(STYLE).count(), 1, "no placeholder of a text is filled");
        assert!(plain.matches("plain").count() > 60);
    }
}

#[test]
fn every_tag_is_closed_and_every_picture_has_a_title() {
    for language in Language::ALL {
        let page = Filled::new("plain").page(language);
        let mut open: Vec<String> = Vec::new();
        for tag in tags(&page) {
            let name = tag.trim_matches('/').split_whitespace().next().unwrap_or_default().to_owned();
            match () {
                () if tag.starts_with('/') => assert_eq!(open.pop().unwrap(), name, "{open:?}"),
                () if tag.ends_with('/') || ["meta", "link", "input", "br", "!DOCTYPE"].contains(&name.as_str()) => {}
                () => open.push(name),
            }
        }
        assert!(open.is_empty(), "{open:?}");
        let pictures = page.matches("<svg").count();
        let named = page.matches("role=\"img\"").count() + page.matches("aria-hidden=\"true\"").count();
        assert!(pictures >= 5 && pictures == named, "{pictures} {named}");
        assert_eq!(
            page.matches("role=\"img\"").count(),
            page.matches("<title>").count() - 1,
            "and one is that of the page"
        );
        for left in ["[[", "{{", "xlink", "://", "src=", "url("] {
            assert!(!page.contains(left), "{left}");
        }
        assert_eq!(page.contains('余'), language == Language::Zh);
        let table = page.split("<table").nth(1).unwrap();
        for want in ["<caption>", "scope=\"col\"", "scope=\"row\""] {
            assert!(table.contains(want), "{want}");
        }
    }
}

#[test]
fn the_policy_names_the_style_and_the_script_that_are_in_the_page() {
    let page = Filled::new("plain").page(Language::En);
    let between = |from: &str, to: &str| page.split_once(from).unwrap().1.split_once(to).unwrap().0;
    let policy = between("Content-Security-Policy\" content=\"", "\"");
    for (directive, text) in [("style", between("<style>", "</style>")), ("script", between("<script>", "</script>"))] {
        let want = format!("{directive}-src '{}';", hash(text));
        assert!(policy.contains(&want), "{want} {policy}");
    }
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!page.contains("style=\"") && !page.contains("onclick=\""), "the policy forbids both");
    assert_eq!(hash(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

/// The words of a row of the table of accounts, and of its chart.
fn shown(sightings: Vec<Sighting>) -> (String, String) {
    let mut filled = Filled::new("plain");
    (filled.known, filled.sightings) = (vec![known(0, "plain")], vec![sightings]);
    let page = filled.page(Language::En);
    let between = |from: &str, to: &str| {
        page.split_once(from).map(|(_, rest)| rest.split_once(to).unwrap().0.to_owned()).unwrap_or_default()
    };
    (between("<tr id=\"r0\"", "</tr>"), between("id=\"c0\"", "</section>"))
}

fn path<'a>(card: &'a str, class: &str) -> &'a str {
    let path = card.split_once(&format!("class=\"{class}\" d=\"")).map(|(_, rest)| rest.split_once('"').unwrap().0);
    path.unwrap_or_default()
}

#[test]
fn a_chart_has_its_gaps_its_top_ups_and_its_forecast() {
    let steady = || (0..60).rev().map(|ago| 200 + 10 * ago);
    let whole: Vec<Option<i64>> = steady().map(Some).collect();
    let failed: Vec<Option<i64>> =
        steady().enumerate().map(|(at, balance)| Some(balance).filter(|_| !(20..30).contains(&at))).collect();
    let mut missing = seen(6, whole.clone());
    missing.drain(20..30);
    let topped: Vec<Option<i64>> =
        steady().enumerate().map(|(at, balance)| Some(if at >= 30 { balance + 500 } else { balance })).collect();
    let alone: Vec<Option<i64>> =
        steady().enumerate().map(|(at, balance)| Some(balance).filter(|_| at == 0 || at > 9)).collect();
    for (name, sightings, lines, top_ups) in [
        ("whole", seen(6, whole.clone()), 1, 0),
        ("failed", seen(6, failed), 2, 0),
        ("missing", missing, 2, 0),
        ("topped up", seen(6, topped), 1, 1),
        ("one reading alone", seen(6, alone), 2, 0),
    ] {
        let (row, card) = shown(sightings);
        assert_eq!(path(&card, "past").matches('M').count(), lines, "{name}: {card}");
        assert_eq!(path(&card, "topup").matches('M').count(), top_ups, "{name}: {card}");
        assert_eq!(card.contains("top-ups: 1; the last: 2026-11-24 +490.00 USD"), top_ups == 1, "{name}: {card}");
        for want in ["cone", "usual", "limit"] {
            assert!(path(&card, want).starts_with('M'), "{name}: {want}: {card}");
            assert!(row.contains(&format!("class=\"{want}\"")), "{name}: {want}: {row}");
        }
        assert!(row.contains(" days<small><span class=\"when\">≈ 2026-12-"), "{row}");
        assert!(card.contains("consumes 40.00 USD a day") && card.contains("threshold 100.00 USD"), "{card}");
    }
    let (_, lonely) = shown(seen(6, alone_first(&whole)));
    assert!(path(&lonely, "past").contains("h0"), "a single reading is a spot: {lonely}");
    for (name, sightings) in
        [("none", Vec::new()), ("one", seen(6, [Some(5)])), ("nothing but failures", seen(6, [None, None]))]
    {
        let (row, card) = shown(sightings);
        assert!(card.is_empty() && !row.contains("<svg") && !row.contains("href"), "{name}: {row}");
    }
}

fn alone_first(whole: &[Option<i64>]) -> Vec<Option<i64>> {
    whole.iter().enumerate().map(|(at, balance)| balance.filter(|_| at == 0 || at > 9)).collect()
}

/// Amounts in two currencies are never one curve.
#[test]
fn a_curve_has_one_currency() {
    let mut sightings = seen(6, (0..40).map(|at| Some(1000 - at)));
    for seen in &mut sightings[..20] {
        (seen.balance, seen.currency) = (Some(Decimal::from(7_777_777)), Some("CNY".to_owned()));
    }
    let (_, card) = shown(sightings);
    assert!(!card.contains("7,777,777") && card.contains("961.00 USD to 980.00 USD since 2026-11-26"), "{card}");
}

/// However much there is, a page can be opened and sent: 300 accounts with a year of readings, some of which fail again and again,
/// and as many alerts and mails as there may be.
#[test]
fn a_year_of_three_hundred_accounts_is_less_than_three_megabytes() {
    let mut filled = Filled::new("A name of an account as people have them");
    let mut random = fastrand::Rng::with_seed(fastrand::u64(..));
    let seed = random.get_seed();
    (filled.known, filled.sightings) = (Vec::new(), Vec::new());
    for number in 0..300 {
        let (mut left, flaky) = (100_000, number % 7 == 0);
        let balances = (0..1200).map(|_| {
            left -= random.i64(0..2_000);
            left += if left < 0 { 100_000 } else { 0 };
            Some(left).filter(|_| !flaky || random.u8(..4) > 0)
        });
        let sightings = seen(7, balances.collect::<Vec<_>>());
        let mut known = known(number, "An owner of it");
        known.name = format!("An account with a name of its own, number {number}");
        known.balance = sightings.last().and_then(|seen| seen.balance);
        if known.balance.is_none() {
            let last = sightings.iter().rev().find_map(|seen| Some((seen.at, seen.balance?)));
            known.last_read = last.map(|(at, balance)| LastRead { at, balance, currency: None });
        }
        filled.known.push(known);
        filled.sightings.push(sightings);
    }
    let (messages, mails) = (filled.messages.clone(), filled.mails.clone());
    filled.messages = messages.iter().cycle().take(1100).cloned().collect();
    filled.mails = mails.iter().cycle().take(400).cloned().collect();
    filled.subscriptions =
        (0..50).map(|at| subscription(&format!("Subscription {at}"), Cycle::Weekly(1 + at % 7), None)).collect();
    // Its signs take more bytes than the letters of English.
    let page = filled.page(Language::Zh);
    assert!(page.len() < 3_000_000, "{} bytes, seed {seed}", page.len());
    assert_eq!(page.matches("class=\"card\"").count(), 300, "seed {seed}");
    let longest = page.split("class=\"past\" d=\"").skip(1).map(|rest| rest.find('"').unwrap()).max();
    assert!(longest.is_some_and(|longest| longest > 1000), "{longest:?}");
}

#[test]
fn the_calendar_has_every_renewal_of_twelve_months_on_its_day() {
    let day = |text: &str| text.parse::<Date>().unwrap();
    let months = |verdict: SubscriptionVerdict| {
        let mut filled = Filled::new("plain");
        filled.subscriptions = vec![verdict];
        let page = filled.page(Language::En);
        let month = |part: &str| {
            let title = part.split_once("<caption>").unwrap().1.split_once('<').unwrap().0.to_owned();
            let listed = part.split_once("<li><b>").map(|(_, rest)| rest.split_once("</b>").unwrap().0.to_owned());
            let marked: Vec<&str> = part.split("<td><b>").skip(1).map(|rest| rest.split_once('<').unwrap().0).collect();
            assert_eq!(listed.clone().unwrap_or_default(), marked.join(", "), "{part}");
            let days = part.matches("<td>").count() - part.matches("<td></td>").count();
            assert!((28..=31).contains(&days), "{part}");
            listed.map(|listed| format!("{title}: {listed}"))
        };
        let parts = page.split("<div class=\"month\">").skip(1);
        let parts: Vec<&str> = parts.map(|part| part.split_once("</div>").unwrap().0).collect();
        assert_eq!(parts.len(), 12);
        parts.into_iter().filter_map(month).collect::<Vec<_>>()
    };
    assert_eq!(
        months(subscription("a", Cycle::Weekly(4), None))[..2],
        ["December 2026: 3, 10, 17, 24, 31", "January 2027: 7, 14, 21, 28"]
    );
    let monthly = months(subscription("a", Cycle::Monthly(31), None));
    assert_eq!((monthly.len(), monthly[2].as_str()), (12, "February 2027: 28"));
    assert_eq!(months(subscription("a", Cycle::Yearly(3, 15), None)), ["March 2027: 15"]);
    assert_eq!(months(subscription("a", Cycle::Once(day("2027-01-31")), None)), ["January 2027: 31"]);
    assert_eq!(months(subscription("a", Cycle::Once(day("2026-01-31")), None)), Vec::<String>::new(), "it is over");
    let first = Date::new(2026, 12, 1).unwrap();
    assert_eq!(first.weekday().to_monday_zero_offset(), 1, "the first of the test is a Tuesday, so one cell is blank");
    assert_eq!(first.checked_add(12.months()).unwrap(), day("2027-12-01"));
}
