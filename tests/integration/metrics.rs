//! What Prometheus sees, on the real Pushgateway and the real Prometheus.

use crate::support::daemon::{Daemon, prometheus, pushgateway};
use crate::support::world::{Kind, World};
use crate::support::{Program, Reply, Server, config, fine, low, uniapi, uniapi_body};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Series by name and labels, without the comments.
fn series(text: &str) -> BTreeMap<String, f64> {
    // A gateway has metrics of its own too.
    let lines = text.lines().filter(|line| line.starts_with("balance_alert_") || line.starts_with("push_"));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.into(), value.parse().unwrap()))
        .collect()
}

/// The sum of all series of a family, with these labels.
fn total(text: &str, family: &str, labels: &[&str]) -> f64 {
    let is_it = |name: &str| {
        name.split_once('{').map_or(name, |(name, _)| name) == family && labels.iter().all(|label| name.contains(label))
    };
    series(text).iter().filter(|(name, _)| is_it(name)).map(|(_, value)| value).sum()
}

/// A world whose accounts are asked over HTTP, and pushes to a gateway.
fn pushing(kind: Kind, gateway: &Daemon, provider: &Server) -> World {
    let mut world = World::new(kind, &[]);
    let accounts: Vec<Value> = ["good", "bad", "slow"]
        .iter()
        .map(|name| {
            let mut account = uniapi(name, &provider.url());
            account["api_key"] = json!(format!("key-of-{name}"));
            account
        })
        .collect();
    world.configure(|config| {
        config["projects"] = json!(accounts);
        config["projects"][2]["timeout_seconds"] = json!(0.2);
        config["settings"]["circuit_breaker_failures"] = json!(0);
        config["metrics"] = json!({"pushgateway": {"url": gateway.url("")}});
    });
    world
}

/// `good` answers, `bad` has a fault of its own, `slow` never answers in time.
fn provider() -> Server {
    Server::start(|request| match request.header("authorization").unwrap_or_default() {
        "Bearer key-of-good" => Reply::ok(uniapi_body("5")),
        "Bearer key-of-slow" => Reply::hang(),
        _ => Reply::status(500, ""),
    })
}

/// What the gateway has after a run of three accounts with one repeat, which began a while after its time.
fn pushed() -> (Daemon, Server, World) {
    let (gateway, provider) = (pushgateway(), provider());
    let mut world = pushing(Kind::Sqlite, &gateway, &provider);
    world.configure(|config| {
        config["settings"]["response_cache_ttl"] = json!(300);
        config["settings"]["max_retries"] = json!(1);
    });
    let run = world.program.clone().args(["--scheduled-at", "2026-11-01T00:00:00Z"]).run().expect(2);
    assert_eq!(run.report()["metrics"], json!({"status": "sent", "error": null}), "{run}");
    assert_eq!(run.stderr, "");
    (gateway, provider, world)
}

#[test]
fn all_families_arrive_with_the_right_types() {
    let (gateway, _provider, _world) = pushed();
    let text = gateway.get("/metrics");
    // Mailboxes and subscriptions have series once there are any, forecasts once there is a history, silences once somebody wants one, and so has what only some services tell beside a balance, which
    // `report` looks at.
    let beside = ["total", "usage", "frozen", "resets_timestamp_seconds", "expires_timestamp_seconds"];
    let elsewhere = [
        "email_",
        "subscription_",
        "last_success_",
        "runway_",
        "burn_",
        "last_day_",
        "depletion_",
        "lapsing_",
        "mute_end_",
    ];
    let is_later = |name: &str| beside.contains(&name) || elsewhere.iter().any(|prefix| name.starts_with(prefix));
    let families: Vec<_> = balance_alert::internals::family::ALL.iter().filter(|one| !is_later(one.name)).collect();
    assert!(families.len() >= 21, "{}", families.len());
    for family in families {
        let kind = match family.kind {
            balance_alert::internals::family::Kind::Gauge => "gauge",
            balance_alert::internals::family::Kind::Counter => "counter",
            balance_alert::internals::family::Kind::Histogram(_) => "histogram",
        };
        let line = format!("# TYPE balance_alert_{} {kind}\n", family.name);
        assert!(text.contains(&line), "{line}in\n{text}");
    }
}

#[test]
fn a_run_is_counted_and_measured() {
    let (gateway, _provider, _world) = pushed();
    let text = gateway.get("/metrics");
    let sum = |family: &str, labels: &[&str]| total(&text, &format!("balance_alert_{family}"), labels);
    // With one repeat, four requests came to nothing.
    for (status, calls) in [("success", 1.0), ("timeout", 2.0), ("error", 2.0)] {
        let status = format!("status=\"{status}\"");
        assert_eq!(sum("provider_api_calls_total", &["provider=\"uniapi\"", &status]), calls, "{status}");
        assert_eq!(sum("provider_api_latency_seconds_count", &["provider=\"uniapi\"", &status]), calls, "{status}");
        assert_eq!(sum("provider_api_latency_seconds_bucket", &["le=\"+Inf\"", &status]), calls, "{status}");
    }
    assert_eq!(sum("failed_checks_total", &["project=\"bad\"", "error_type=\"http_status\""]), 1.0);
    assert_eq!(sum("failed_checks_total", &["project=\"slow\"", "error_type=\"timeout\""]), 1.0);
    assert_eq!(sum("webhook_delivery_time_seconds_count", &["webhook_type=\"custom\"", "status=\"success\""]), 1.0);
    assert_eq!(sum("cache_misses_total", &["cache_type=\"response\""]), 3.0);
    assert_eq!(sum("balance", &["project=\"good\"", "type=\"balance\"", "job=\"balance-alert\""]), 5.0);
    assert_eq!(sum("status", &["project=\"good\""]), 0.0);
    assert_eq!(sum("check_success", &["check_type=\"balance\""]), 0.0);
    assert_eq!(sum("active_projects_count", &[]), 3.0);
    assert_eq!(sum("monitor_execution_time_seconds_count", &[]), 1.0);
    assert!(sum("background_task_lag_seconds", &[]) > 86_400.0);
    for absent in ["balance", "ratio", "status"] {
        let start = format!("balance_alert_{absent}{{");
        assert!(!text.lines().any(|line| line.starts_with(&start) && line.contains("project=\"bad\"")), "{absent}");
    }
    assert_eq!(sum("threshold", &["project=\"bad\""]), 10.0);
}

#[test]
fn the_next_run_is_added_to_the_one_before() {
    let (gateway, _provider, world) = pushed();
    world.run().expect(2);
    let text = gateway.get("/metrics");
    assert_eq!(total(&text, "balance_alert_cache_hits_total", &[]), 1.0);
    assert_eq!(total(&text, "balance_alert_monitor_execution_time_seconds_count", &[]), 2.0);
}

#[test]
fn the_last_success_is_told_once_a_run_has_done_all_of_its_job_and_from_then_on() {
    let (gateway, _provider, mut world) = pushed();
    let line = "# TYPE balance_alert_last_success_timestamp_seconds gauge\n";
    assert!(!gateway.get("/metrics").contains(line), "two accounts could not be read");
    let all = world.config["projects"].clone();
    for projects in [json!([all[0]]), all] {
        world.configure(|config| config["projects"] = projects);
        world.run().expect(2);
        let text = gateway.get("/metrics");
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn promtool_finds_nothing_but_the_one_name_that_was_wished_for() {
    let mut config = config(vec![fine("A"), low("\"quoted\" \\ 余额 \n{x=\"y\"}")]);
    config["webhook"] = json!({"type": "console"});
    let program = Program::check(&config).args(["--output", "prometheus"]);
    let text = program.clone().run().expect(2).stdout;
    let again = program.run().expect(2).stdout;
    for text in [text, again] {
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = promtool.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        // The name was given; `_count` is what promtool would keep for histograms.
        let complaint = "balance_alert_active_projects_count non-histogram and non-summary metrics should not have \"_count\" suffix\n";
        assert_eq!(String::from_utf8_lossy(&said), complaint);
        assert!(
            text.lines()
                .all(|line| line.starts_with('#') || line.split(' ').next_back().unwrap().parse::<f64>().is_ok())
        );
    }
}

/// Samples as if each text had been scraped every minute until the next one: `OpenMetrics` with times.
fn as_history(texts: &[(i64, String)], end: i64) -> String {
    let mut lines: BTreeMap<String, Vec<(i64, f64)>> = BTreeMap::new();
    for (index, (from, text)) in texts.iter().enumerate() {
        let until = texts.get(index + 1).map_or(end + 1, |(next, _)| *next);
        let series = series(text);
        for at in (*from..until).step_by(60) {
            for (name, value) in &series {
                lines.entry(name.clone()).or_default().push((at, *value));
            }
        }
    }
    let mut out = String::new();
    for (name, samples) in lines {
        samples.iter().for_each(|(at, value)| out.push_str(&format!("{name} {value} {at}\n")));
    }
    out + "# EOF\n"
}

fn ask(prometheus: &Daemon, query: &str, at: i64) -> Vec<(Value, f64)> {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let answer: Value =
        serde_json::from_str(&prometheus.get(&format!("/api/v1/query?query={query}&time={at}"))).unwrap();
    let result = answer["data"]["result"].as_array().cloned().unwrap_or_default();
    result.into_iter().map(|one| (one["metric"].clone(), one["value"][1].as_str().unwrap().parse().unwrap())).collect()
}

#[test]
fn three_runs_give_the_exact_increase_and_every_query_of_the_dashboard_has_data() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (gateway, provider) = (pushgateway(), provider());
        let mut world = pushing(kind, &gateway, &provider);
        // A run that does all of its job, and one that does not.
        let all = world.config["projects"].clone();
        for projects in [json!([all[0]]), all] {
            world.configure(|config| config["projects"] = projects);
            world.run().expect(2);
        }
        let end = 1_800_000_000 / 60 * 60;
        let mut texts = vec![(end - 3600, gateway.get("/metrics"))];
        let before = provider.hits();
        world.configure(|config| config["settings"]["max_retries"] = json!(2));
        world.program.clone().args(["--scheduled-at", "2026-11-01T00:00:00Z"]).run().expect(2);
        texts.push((end - 2400, gateway.get("/metrics")));
        world.configure(|config| config["settings"]["max_retries"] = json!(0));
        world.run().expect(2);
        texts.push((end - 1200, gateway.get("/metrics")));
        world.program.clone().args(["--project", "good"]).run().expect(2);
        texts.push((end - 600, gateway.get("/metrics")));
        let calls = provider.hits() - before;
        // Three accounts of which two are tried three times, three, and one.
        assert_eq!(calls, 7 + 3 + 1);

        let folder = tempfile::tempdir().unwrap();
        let prometheus = prometheus(folder.path(), &as_history(&texts, end));
        let increase = |query: &str| -> f64 { ask(&prometheus, query, end).iter().map(|(_, value)| value).sum() };
        let all = "increase(balance_alert_provider_api_calls_total[1h])";
        assert_eq!(increase(all), calls as f64, "{kind:?}: {:?}", ask(&prometheus, all, end));
        for (status, calls) in [("success", 3.0), ("timeout", 4.0), ("error", 4.0)] {
            let of = |family: &str| increase(&format!("increase({family}{{status=\"{status}\"}}[1h])"));
            assert_eq!(of("balance_alert_provider_api_calls_total"), calls, "{status}");
            assert_eq!(of("balance_alert_provider_api_latency_seconds_count"), calls, "{status}");
        }
        assert_eq!(increase("increase(balance_alert_monitor_execution_time_seconds_count[1h])"), 3.0);
        assert_eq!(increase("increase(balance_alert_config_reload_total[1h])"), 2.0);
        let quantile = "histogram_quantile(0.5, sum by (le) (increase(balance_alert_provider_api_latency_seconds_bucket{status=\"timeout\"}[1h])))";
        let median = increase(quantile);
        assert!((0.1..=0.5).contains(&median), "200 ms, by the bounds 0.1 and 0.25: {median}");

        if kind == Kind::Sqlite {
            // What is about days to come has data once there is a past.
            assert_panels_have_data(&prometheus, end, 25, |query| !is_of_forecast(query));
        }
    }
}

fn is_of_forecast(query: &str) -> bool {
    ["runway_days", "depletion_timestamp", "burn_per_day"].iter().any(|family| query.contains(family))
}

#[test]
fn the_dashboard_says_how_long_balances_last_worst_first() {
    let mut world = World::new(Kind::Sqlite, &[("lasts", 1), ("ends", 1)]);
    world.configure(|config| config["settings"]["forecast"] = json!({"alert_days": 0}));
    let start = 1_793_577_600;
    let at = |hour: i64| (start + hour * 3_600).to_string();
    for run in 0..16 {
        world.balance("lasts", json!(4_000 - 10 * run));
        world.balance("ends", json!(400 - 10 * run));
        world.program.clone().env("BALANCE_ALERT_CLOCK", &at(6 * run)).run();
    }
    let config = world.program.path("config.yaml").display().to_string();
    let exposition = world.program.instead(["check", "--output", "prometheus", "--config", &config]);
    let text = exposition.env("BALANCE_ALERT_CLOCK", &at(95)).run().stdout;
    let end = 1_800_000_000 / 60 * 60;
    let folder = tempfile::tempdir().unwrap();
    let prometheus = prometheus(folder.path(), &as_history(&[(end - 600, text)], end));
    assert_panels_have_data(&prometheus, end, 2, |query| is_of_forecast(query) && !query.contains("< 90"));
    let days = ask(&prometheus, "sort(min by (project) (balance_alert_runway_days))", end);
    let names: Vec<&str> = days.iter().filter_map(|(labels, _)| labels["project"].as_str()).collect();
    assert_eq!(names, ["ends", "lasts"], "{days:?}");
    let (short, long) = (days[0].1, days[1].1);
    assert!((5.0..8.0).contains(&short) && (90.0..110.0).contains(&long), "40 a day: {days:?}");
    assert_panels_have_data(&prometheus, end, 1, |query| query.contains("< 90"));
}

/// Asks those queries of the dashboard that are wanted, of which there must be at least so many.
#[track_caller]
fn assert_panels_have_data(prometheus: &Daemon, end: i64, least: usize, is_wanted: impl Fn(&str) -> bool) {
    let dashboard = std::fs::read_to_string(Path::new(ROOT).join("examples/monitoring/dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let mut queries = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().unwrap().replace("$project", ".*");
            if !is_wanted(&query) {
                continue;
            }
            // The one gauge that only a scheduled run has, while it was scraped.
            let at = if query.contains("lag_seconds") { end - 1800 } else { end };
            assert!(!ask(prometheus, &query, at).is_empty(), "{}: {query}", panel["title"]);
            queries += 1;
        }
    }
    assert!(queries >= least, "{queries}");
}

#[test]
fn the_rules_hold() {
    let folder = Path::new(ROOT).join("examples/monitoring");
    for arguments in [["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"]] {
        let output = Command::new("promtool").args(arguments).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn a_partial_run_leaves_the_other_series_alone_and_what_left_the_config_goes() {
    let (gateway, provider) = (pushgateway(), provider());
    let mut world = pushing(Kind::Sqlite, &gateway, &provider);
    world.configure(|config| config["metrics"]["textfile"] = json!("x.prom"));
    world.run().expect(2);
    let file = std::fs::read_to_string(world.program.path("x.prom")).unwrap();
    let before = gateway.get("/metrics");
    let run = world.program.clone().args(["--project", "bad"]).run().expect(3);
    assert_eq!(run.report()["metrics"]["status"], "sent");
    let after = gateway.get("/metrics");
    let gauges = ["balance", "threshold", "ratio", "status", "project_info", "active_projects_count", "check_success"];
    for gauge in gauges {
        let of = |text: &str| -> Vec<(String, f64)> {
            let start = format!("balance_alert_{gauge}{{");
            series(text).into_iter().filter(|(name, _)| name.starts_with(&start)).collect()
        };
        assert!(!of(&before).is_empty(), "{gauge}");
        assert_eq!(of(&before), of(&after), "{gauge}");
    }
    let calls = |text: &str| total(text, "balance_alert_provider_api_calls_total", &[]);
    assert_eq!(calls(&after), calls(&before) + 1.0);
    assert_eq!(std::fs::read_to_string(world.program.path("x.prom")).unwrap(), file, "the file stands for everything");
    world.configure(|config| {
        config["projects"].as_array_mut().unwrap().remove(1);
    });
    world.run().expect(2);
    let text = gateway.get("/metrics");
    assert!(!text.contains("\"bad\""), "{text}");
    // Without memory a partial run has nothing that could stand for all.
    let run = world.program.clone().args(["--project", "good", "--state", "none"]).run().expect(2);
    assert_eq!(run.report()["metrics"]["status"], "skipped");
    assert_eq!(series(&gateway.get("/metrics")), series(&text));
}

#[test]
fn any_value_can_name_a_group() {
    let gateway = pushgateway();
    for grouping in [
        json!({"path": "/var/lib/x"}),
        json!({"a": "with space", "b": "余额"}),
        json!({"empty": ""}),
        json!({"dots": "..", "percent": "100%", "plus": "a+b", "shard": 3}),
    ] {
        let mut config = config(vec![fine("A")]);
        config["metrics"] = json!({"pushgateway": {"url": gateway.url("/"), "job": "a/b c", "grouping": grouping}});
        let run = Program::check_json(&config).run().expect(0);
        assert_eq!(run.report()["metrics"]["status"], "sent", "{grouping}: {run}");
        let text = gateway.get("/metrics");
        let wanted: Vec<String> = grouping
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", value.as_str().map_or(value.to_string(), str::to_owned)))
            .collect();
        let line = text
            .lines()
            .filter(|line| line.starts_with("balance_alert_balance{") && line.contains("job=\"a/b c\""))
            // An empty label is no label in Prometheus.
            .find(|line| wanted.iter().all(|label| label.ends_with("=\"\"") || line.contains(label.as_str())));
        assert!(line.is_some(), "{wanted:?} in {text}");
    }
}

#[test]
fn a_gateway_that_fails_costs_a_warning_and_nothing_else() {
    let hook = Server::start(|_| Reply::ok(""));
    let refusing =
        Server::start(|_| Reply::status(400, "pushed metrics are invalid or inconsistent: the words\nof it"));
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let real = pushgateway();
    // Another group has the same name with another type.
    ureq::post(real.url("/metrics/job/other"))
        .send("# TYPE balance_alert_balance counter\nbalance_alert_balance 1\n")
        .unwrap();
    for (url, reason, says) in [
        (format!("http://127.0.0.1:{}", crate::support::free_port()), "connect", "the connection was refused"),
        (format!("http://{}", silent.local_addr().unwrap()), "timeout", "timed out after 0.5 s"),
        (refusing.url(), "http_status", "(HTTP 400): pushed metrics are invalid or inconsistent: the words of it"),
        (real.url(""), "http_status", "(HTTP 400): pushed metrics are invalid or inconsistent"),
        ("http://no-such-host.invalid:9091".to_owned(), "dns", "could not be resolved"),
    ] {
        let mut config = config(vec![low("A")]);
        config["webhook"] = json!({"type": "custom", "url": hook.url()});
        config["metrics"] = json!({"pushgateway": {"url": url, "timeout_seconds": 0.5}});
        let hits = hook.hits();
        let program = Program::check_json(&config);
        let run = program.clone().run().expect(2);
        assert_eq!(hook.hits(), hits + 1, "{url}");
        let report = run.report();
        assert_eq!(report["metrics"]["status"], "failed", "{url}: {run}");
        assert_eq!(report["metrics"]["error"]["reason"], reason, "{url}: {run}");
        assert_eq!(run.stderr.trim().lines().count(), 1, "{url}: {run}");
        assert!(run.stderr.contains(says), "{url}: {run}");
        let run = program.clone().args(["--strict-metrics"]).run().expect(75);
        assert_eq!(run.report()["exit_code"], 75);
        program.args(["--strict-metrics", "--fail-on", "never"]).run().expect(0);
    }
}

#[test]
fn the_push_comes_after_the_alerts_and_inside_the_deadline() {
    let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (first, second) = (order.clone(), order.clone());
    let hook = Server::start(move |_| {
        first.lock().unwrap().push("alert");
        Reply::ok("")
    });
    let gateway = Server::start(move |_| {
        second.lock().unwrap().push("push");
        Reply::hang()
    });
    let mut config = config(vec![low("A")]);
    config["settings"]["run_timeout_seconds"] = json!(1);
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    config["metrics"] = json!({"pushgateway": {"url": gateway.url(), "timeout_seconds": 60}});
    let run = Program::check_json(&config).run().expect(2);
    assert_eq!(*order.lock().unwrap(), ["alert", "push"]);
    assert_eq!(run.report()["metrics"]["error"]["reason"], "timeout");
    assert!(run.elapsed < std::time::Duration::from_secs(10), "{run}");
}

#[test]
fn the_push_proves_who_it_is_and_reads_its_token_anew() {
    let gateway = Server::start(|_| Reply::status(202, ""));
    let login = |more: Value| {
        let mut config = config(vec![fine("A")]);
        config["metrics"] = json!({"pushgateway": {"url": gateway.url(), "job": "j"}});
        config["metrics"]["pushgateway"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    let program = Program::check(&login(json!({"bearer_token_file": "token"}))).file("token", "first-token\n");
    program.clone().run().expect(0);
    program.clone().file("token", "second-token").run().expect(0);
    Program::check(&login(json!({"username": "u", "password": "p:w"}))).run().expect(0);
    let seen: Vec<String> =
        gateway.requests().iter().map(|request| request.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(seen, ["Bearer first-token", "Bearer second-token", "Basic dTpwOnc="]);
    let request = &gateway.requests()[0];
    assert_eq!(
        (request.path(), request.header("content-type")),
        ("/metrics/job/j", Some("text/plain; version=0.0.4; charset=utf-8"))
    );
    // A token that is not there keeps only the push from happening, and shows nowhere.
    std::fs::remove_file(program.path("token")).unwrap();
    let run = program.clone().args(["--output", "json"]).run().expect(0);
    assert_eq!(run.report()["metrics"]["error"]["reason"], "config");
    let refusing = Server::start(|request| Reply::status(401, request.header("authorization").unwrap()));
    let mut config = login(json!({"bearer_token": "LeakToken+/="}));
    config["metrics"]["pushgateway"]["url"] = json!(refusing.url());
    let run = Program::check_json(&config).args(["-vvv"]).run().expect(0);
    assert!(!run.stdout.contains("Leak") && !run.stderr.contains("Leak"), "{run}");
    assert_eq!(run.report()["metrics"]["error"]["reason"], "auth");
}

#[test]
fn a_gateway_that_echoes_shows_no_secret_whatever_its_length() {
    let echoing = Server::start(|request| Reply::status(400, request.header("authorization").unwrap()));
    let token = "LeakToken".repeat(100);
    for login in [json!({"bearer_token": token}), json!({"username": "bob", "password_file": "password"})] {
        let mut config = config(vec![fine("A")]);
        config["metrics"] = json!({"pushgateway": {"url": echoing.url()}});
        config["metrics"]["pushgateway"].as_object_mut().unwrap().extend(login.as_object().unwrap().clone());
        let run = Program::check_json(&config).file("password", "LeakPassword\n").args(["-vvv"]).run().expect(0);
        assert_eq!(run.report()["metrics"]["status"], "failed");
        // `Ym9iOkxlYWtQYXNzd29yZA==` is bob:LeakPassword.
        for secret in ["Leak", "Ym9iOkxl"] {
            assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{run}");
        }
    }
}

#[test]
fn only_a_run_that_did_all_of_its_job_is_a_success() {
    let mut config = config(vec![low("Low"), fine("Fine")]);
    let program = Program::check(&config).args(["--output", "prometheus"]);
    let success = |text: &str| series(text).contains_key("balance_alert_last_success_timestamp_seconds");
    assert!(success(&program.clone().run().expect(2).stdout), "what is found is no failure");
    config["projects"].as_array_mut().unwrap().push(crate::support::broken("Broken"));
    let program = Program::check(&config).args(["--output", "prometheus"]);
    let run = program.clone().run().expect(2);
    assert!(!success(&run.stdout), "a low balance hides no failure: {run}");
    let health = program.instead(["health", "--config", "config.yaml"]).run().expect(3);
    assert!(health.stdout.contains("could not be read"), "{health}");
}

#[test]
fn two_configs_in_one_store_have_sums_of_their_own() {
    let mut first = config(vec![crate::support::broken("A")]);
    first["metrics"] = json!({"textfile": "first.prom"});
    let mut second = config(vec![crate::support::broken("B")]);
    second["metrics"] = json!({"textfile": "second.prom"});
    let program = Program::check(&first).file("second.yaml", &second.to_string());
    let other = program.instead(["check", "--config", "second.yaml"]);
    for _ in 0..2 {
        program.clone().run().expect(3);
        other.clone().run().expect(3);
    }
    for (file, project) in [("first.prom", "A"), ("second.prom", "B")] {
        let text = std::fs::read_to_string(program.path(file)).unwrap();
        assert_eq!(
            total(&text, "balance_alert_failed_checks_total", &[&format!("project=\"{project}\"")]),
            2.0,
            "{text}"
        );
        assert_eq!(total(&text, "balance_alert_failed_checks_total", &[]), 2.0);
        assert_eq!(total(&text, "balance_alert_config_reload_total", &[]), 0.0);
        assert_eq!(total(&text, "balance_alert_monitor_execution_time_seconds_count", &[]), 2.0);
    }
}

/// As `docs/metrics.md` says it: a push replaces the group, so each config needs one of its own.
#[test]
fn two_configs_on_one_job_replace_each_other_unless_they_have_groups_of_their_own() {
    let gateway = pushgateway();
    let push = |name: &str, grouping: Value| {
        let mut config = config(vec![crate::support::broken(name)]);
        config["metrics"] = json!({"pushgateway": {"url": gateway.url(""), "grouping": grouping}});
        let run = Program::check_json(&config).run().expect(3);
        assert_eq!(run.report()["metrics"]["status"], "sent", "{run}");
    };
    let there = |name: &str| gateway.get("/metrics").contains(&format!("project=\"{name}\""));
    push("A", json!({}));
    push("B", json!({}));
    assert!(!there("A") && there("B"), "the second took the place of the first");
    push("C", json!({"config": "c"}));
    push("D", json!({"config": "d"}));
    assert!(there("B") && there("C") && there("D"));
}

#[test]
fn a_gateway_that_hangs_makes_nobody_forget() {
    let hanging = Server::start(|_| Reply::hang());
    let mut config = config(vec![low("A")]);
    config["metrics"] = json!({"pushgateway": {"url": hanging.url(), "timeout_seconds": 1}});
    config["settings"]["run_timeout_seconds"] = json!(3);
    let program = Program::check_json(&config);
    let running: Vec<_> = (0..4).map(|_| program.clone().start()).collect();
    for run in running {
        let report = run.finish().expect(2).report();
        assert_eq!(report["memory"]["status"], "kept");
        assert_eq!(report["metrics"]["status"], "failed");
    }
}

#[test]
fn pending_alerts_and_open_circuits_are_shown() {
    let provider = Server::start(|_| Reply::status(503, ""));
    let mut config = config(vec![low("A"), uniapi("B", &provider.url())]);
    config["settings"]["circuit_breaker_failures"] = json!(1);
    config["webhook"] = json!({"type": "custom", "url": format!("http://127.0.0.1:{}", crate::support::free_port())});
    let text = Program::check(&config).args(["--output", "prometheus"]).run().expect(75).stdout;
    assert_eq!(total(&text, "balance_alert_alerts_pending", &[]), 1.0);
    assert_eq!(total(&text, "balance_alert_circuit_breaker_state", &["provider=\"uniapi\""]), 1.0);
    assert_eq!(total(&text, "balance_alert_webhook_delivery_time_seconds_count", &["status=\"error\""]), 1.0);
    let all = text.lines().filter(|line| line.starts_with("balance_alert_webhook_delivery_time_seconds_count{"));
    assert_eq!(all.count(), 3, "known before their first event");
}

#[test]
fn what_a_service_calls_its_currency_is_no_label() {
    let mut account = low("A");
    account["options"]["balance"] = json!("{amount: .low, currency: \"your account is suspended\"}");
    let text = Program::check(&config(vec![account])).args(["--output", "prometheus"]).run().expect(2).stdout;
    assert!(!text.contains("suspended"), "{text}");
}

#[test]
fn missing_metrics_show_in_the_status_line() {
    let mut config = config(vec![fine("A")]);
    config["metrics"] = json!({"textfile": "no/such/x.prom"});
    let run = Program::check(&config).args(["--output", "nagios", "--strict-metrics"]).run().expect(3);
    assert!(run.stdout.starts_with("BALANCE UNKNOWN - all ok of 1, the metrics were not delivered"), "{run}");
    config["metrics"] = json!({"textfile": "x.prom"});
    let run = Program::check_json(&config).args(["--project", "A"]).run().expect(0);
    assert_eq!(run.report()["metrics"]["status"], "skipped");
}

#[test]
fn the_textfile_is_whole_readable_and_without_times() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let mut config = config(vec![fine("A"), low("B")]);
    config["metrics"] = json!({"textfile": "out/x.prom", "namespace": ""});
    let program = Program::check_json(&config).file("out/.keep", "");
    let path = program.path("out/x.prom");
    let run = program.clone().run().expect(2);
    assert_eq!(run.report()["metrics"]["status"], "sent");
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o644);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\nbalance{project=\"A\",provider=\"file\",type=\"balance\"} 500\n"), "bare names: {text}");
    program.clone().run().expect(2);
    assert_ne!(std::fs::metadata(&path).unwrap().ino(), metadata.ino(), "replaced, not written over");
    let names: Vec<_> = std::fs::read_dir(program.path("out")).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(names.len(), 2, "nothing is left beside it: {names:?}");
    // What cannot be written is a warning.
    config["metrics"]["textfile"] = json!("no/such/folder/x.prom");
    let run = Program::check_json(&config).run().expect(2);
    assert_eq!(run.report()["metrics"]["status"], "failed");
    assert!(run.stderr.contains("folder/x.prom` cannot be written: no such file"), "{run}");
    let run = Program::check_json(&config).args(["--dry-run"]).run().expect(2);
    assert_eq!(run.report()["metrics"]["status"], "off");
}

#[test]
fn a_store_that_fails_never_makes_the_sums_go_back() {
    let (gateway, provider) = (pushgateway(), provider());
    let mut world = pushing(Kind::Sqlite, &gateway, &provider);
    world.run().expect(2);
    world.run().expect(2);
    let calls = || total(&gateway.get("/metrics"), "balance_alert_provider_api_calls_total", &[]);
    assert_eq!(calls(), 6.0);
    // A store of a newer program cannot be used.
    let version = world.version();
    world.set_version(version + 1);
    let run = world.run().expect(2);
    assert_eq!(run.report()["metrics"]["status"], "sent");
    let text = gateway.get("/metrics");
    assert!(!text.contains("balance_alert_provider_api_calls_total"), "gone, rather than smaller: {text}");
    assert_eq!(total(&text, "balance_alert_balance", &[]), 5.0, "the state of now");
    // What is not read now does not look fresh, store or no store.
    world.configure(|config| config["projects"][0]["api_key"] = json!("key-of-bad"));
    world.run().expect(3);
    assert!(!gateway.get("/metrics").contains("balance_alert_balance{"));
    world.configure(|config| config["projects"][0]["api_key"] = json!("key-of-good"));
    world.set_version(version);
    world.run().expect(2);
    assert_eq!(calls(), 9.0);
    world.sql("UPDATE sums SET layout = 'another' WHERE family = 'provider_api_latency_seconds'");
    world.run().expect(2);
    assert_eq!(calls(), 12.0);
    let text = gateway.get("/metrics");
    assert_eq!(
        total(&text, "balance_alert_provider_api_latency_seconds_count", &[]),
        3.0,
        "another layout begins anew"
    );
    // Without memory on purpose the numbers are this run's.
    world.program.clone().args(["--state", "none"]).run().expect(2);
    assert_eq!(calls(), 3.0);
}

#[test]
fn runs_at_once_push_what_they_come_to_together() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (gateway, provider) = (pushgateway(), provider());
        let mut world = pushing(kind, &gateway, &provider);
        world.configure(|config| {
            config["projects"].as_array_mut().unwrap().truncate(2);
        });
        let running: Vec<_> = (0..6).map(|_| world.program.clone().start()).collect();
        for run in running {
            let run = run.finish().expect(2);
            assert_eq!(run.stderr, "", "{run}");
        }
        let text = gateway.get("/metrics");
        assert_eq!(total(&text, "balance_alert_provider_api_calls_total", &[]), 12.0, "{kind:?}");
        assert_eq!(total(&text, "balance_alert_monitor_execution_time_seconds_count", &[]), 6.0, "{kind:?}");
    }
}

#[test]
fn the_lag_is_told_by_the_flag_the_job_or_the_run_before() {
    let lag = |run: crate::support::Finished| -> Option<f64> {
        let text = run.stdout;
        series(&text).get("balance_alert_background_task_lag_seconds").copied()
    };
    let mut config = config(vec![fine("A")]);
    config["settings"]["balance_refresh_interval_seconds"] = json!(300);
    let program = Program::check(&config).args(["--output", "prometheus"]);
    assert_eq!(lag(program.clone().run()), None, "nothing is known before the first run");
    let second = lag(program.clone().run()).unwrap();
    assert!((-300.0..-270.0).contains(&second), "300 s early: {second}");
    let now = jiff::Timestamp::now().as_second();
    let job = |name: String| program.clone().env("BALANCE_ALERT_JOB_NAME", &name).run();
    let late = lag(job(format!("balance-alert-{}", now / 60 - 2))).unwrap();
    assert!((119.0..210.0).contains(&late), "{late}");
    for odd in ["balance-alert-1", "balance-alert", "x-99999999999999999999", "-"] {
        let other = lag(job(odd.to_owned())).unwrap();
        assert!((-300.0..-200.0).contains(&other), "{odd}: {other}");
    }
    let at = jiff::Timestamp::from_second(now - 50).unwrap().to_string();
    let flag = lag(program.clone().args(["--scheduled-at", &at]).run()).unwrap();
    assert!((50.0..90.0).contains(&flag), "{flag}");
    program.args(["--scheduled-at", "yesterday"]).run().expect(64);
}

#[test]
fn mistakes_in_metrics_are_explained() {
    for (metrics, says) in [
        (json!({"pushgateway": {}}), "`url` is missing"),
        (json!({"pushgateway": {"url": "ftp://h"}}), "`url` must begin with `http://` or `https://`"),
        (json!({"pushgateway": {"url": "http://"}}), "`url` is not a web address"),
        (json!({"pushgateway": {"url": "http://u:p@h"}}), "must not hold a user or password"),
        (json!({"pushgateway": {"url": "http://h/metrics/job/x"}}), "ends before `/metrics`"),
        (json!({"pushgateway": {"url": "http://h:9091/metrics"}}), "ends before `/metrics`"),
        (json!({"pushgateway": {"url": "/x"}}), "`url` is not a web address"),
        (json!({"pushgateway": {"url": "unix:/x"}}), "`url` is not a web address"),
        (json!({"pushgateway": {"url": "http://h", "username": "a:b", "password": "p"}}), "must not hold a colon"),
        (json!({"pushgateway": {"url": "http://h?x=1"}}), "must not have a query"),
        (json!({"pushgateway": {"url": "http://h", "job": ""}}), "`job` is empty"),
        (json!({"pushgateway": {"url": "http://h", "grouping": {"a-b": "x"}}}), "is not the name of a label"),
        (
            json!({"pushgateway": {"url": "http://h", "grouping": {"provider": "x"}}}),
            "is a label of the metrics themselves",
        ),
        (json!({"pushgateway": {"url": "http://h", "grouping": {"job": "x"}}}), "stands beside `grouping`"),
        (json!({"pushgateway": {"url": "http://h", "username": "u"}}), "`password` is missing"),
        (json!({"pushgateway": {"url": "http://h", "username": "u", "bearer_token": "t"}}), "set only one of"),
        (json!({"pushgateway": {"url": "http://h", "timeout_seconds": 61}}), "at most 60 seconds"),
        (json!({"namespace": "9x"}), "`namespace` cannot be `9x`"),
        (json!({"textfile": "x.txt"}), "must end in `.prom`"),
        (json!({"pushgatway": {}}), "did you mean `pushgateway`?"),
    ] {
        let mut config = config(vec![fine("A")]);
        config["metrics"] = metrics.clone();
        let run = Program::check(&config).run().expect(78);
        assert!(run.stderr.contains(says), "{metrics}: {run}");
    }
}

#[test]
fn a_mistake_in_a_variable_for_metrics_ends_no_run() {
    let program = Program::check(&config(vec![fine("A")])).env("PUSHGATEWAY_URL", "http://[");
    for run in [program.instead(["validate", "--config", "config.yaml"]).run().expect(78), program.run().expect(0)] {
        assert!(run.stderr.contains("`PUSHGATEWAY_URL` is not a web address"), "{run}");
    }
}

#[test]
fn a_word_alone_is_no_gateway_and_is_not_shown_because_it_may_be_a_secret() {
    let mut wrong = config(vec![fine("A")]);
    wrong["metrics"] = json!({"pushgateway": {"url": "leakedbygateway"}});
    let by_variable = Program::check(&config(vec![fine("A")])).env("PUSHGATEWAY_URL", "leakedbygateway");
    for (program, says, code) in
        [(Program::check(&wrong), "`url` is not a web address", 78), (by_variable, "`PUSHGATEWAY_URL` is not", 0)]
    {
        let run = program.run().expect(code);
        assert!(run.stderr.contains(says) && !run.stderr.contains("leakedby"), "{run}");
    }
}

#[test]
fn a_host_and_a_port_are_enough_of_a_gateway() {
    let gateway = pushgateway();
    let bare = gateway.url("").replace("http://", "");
    Program::check(&config(vec![fine("A")])).env("PUSHGATEWAY_URL", &bare).run().expect(0);
    assert!(gateway.get("/metrics").contains("balance_alert_balance{"));
}
