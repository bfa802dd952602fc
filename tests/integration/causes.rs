//! People are told causes: what many checks have in common is one line, and a host that is left alone is no cause.

use crate::support::{Program, Reply, Server, config, fine, low, uniapi};
use serde_json::{Value, json};

/// A config of `count` accounts behind one gateway that answers 503, and a robot that takes 2048 bytes a message.
fn gateway(count: usize, provider: &Server, robot: &Server) -> Value {
    let accounts = (0..count).map(|n| uniapi(&format!("account-{n}"), &provider.url())).collect();
    let mut config = config(accounts);
    config["settings"]["circuit_breaker_failures"] = json!(3);
    config["settings"]["failure_alert_after"] = json!(1);
    config["webhook"] = json!({"type": "wecom", "url": robot.url()});
    config
}

fn text(robot: &Server) -> String {
    robot.only_request().json()["text"]["content"].as_str().unwrap().to_owned()
}

#[test]
fn two_hundred_accounts_behind_a_dead_gateway_are_one_line_in_one_message() {
    for language in ["en", "zh"] {
        let provider = Server::start(|_| Reply::status(503, "{}"));
        let robot = Server::start(|_| Reply::ok(r#"{"errcode":0,"errmsg":"ok"}"#));
        let mut config = gateway(200, &provider, &robot);
        config["settings"]["language"] = json!(language);
        let run = Program::check_json(&config).run().expect(3);
        assert!(provider.hits() < 50, "most are spared: {}", provider.hits());
        let said = text(&robot);
        assert!(said.contains("HTTP 503") && !said.contains("circuit"), "the cause, not what followed from it: {said}");
        let host = provider.url().replace("http://", "");
        let line = match language {
            "en" => format!("200 accounts of {host} could not be read"),
            _ => format!("{host} 的 200 个账户"),
        };
        assert_eq!(said.matches(&line).count(), 1, "{said}");
        assert_eq!(said.lines().count(), 3, "{said}");
        let report = run.report();
        let reasons = report["projects"].as_array().unwrap().iter().map(|p| p["error"]["reason"].as_str().unwrap());
        assert!(reasons.filter(|reason| *reason == "circuit_open").count() > 100, "the report tells them apart: {run}");
    }
}

#[test]
fn the_cause_is_known_in_the_next_run_too() {
    let provider = Server::start(|_| Reply::status(503, "{}"));
    let robot = Server::start(|_| Reply::ok(r#"{"errcode":0,"errmsg":"ok"}"#));
    let mut config = gateway(5, &provider, &robot);
    config["settings"]["failure_alert_after"] = json!(2);
    config["settings"]["max_concurrent_checks"] = json!(1);
    let program = Program::check_json(&config);
    program.clone().run().expect(3);
    assert_eq!(provider.hits(), 3);
    program.run().expect(3);
    assert_eq!(provider.hits(), 3, "nobody is asked in the second run");
    let said = text(&robot);
    assert!(
        said.contains("5 accounts of ")
            && said.contains("in 2 runs in a row: http_status: ")
            && said.contains("HTTP 503"),
        "{said}"
    );
}

#[test]
fn checks_add_up_and_every_name_stays_its_own() {
    let long = |end: &str| format!("{}{end}", "production-europe-".repeat(4));
    let names = [long("1"), long("2"), long("3")];
    let mut config = config(names.iter().map(|name| low(name)).collect());
    config["projects"].as_array_mut().unwrap().push(fine("fine"));
    config["subscriptions"] = json!([
        {"name": "far", "cycle_type": "yearly", "renewal_day": far(), "amount": 1},
    ]);
    let run = Program::check_json(&config).run().expect(2);
    let summary = &run.report()["summary"];
    assert_eq!((&summary["total"], &summary["low"], &summary["ok"]), (&json!(5), &json!(3), &json!(2)), "{summary}");
    let sum: u64 = summary
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "total")
        .map(|(_, n)| n.as_u64().unwrap())
        .sum();
    assert_eq!(sum, 5, "{summary}");
    for output in ["table", "markdown", "nagios"] {
        let run = Program::check(&config).args(["--output", output]).run().expect(2);
        for end in ["-1", "-2", "-3"] {
            assert!(run.stdout.contains(&format!("europe{end}")), "{output}: {run}");
        }
        if output == "table" {
            assert!(run.stdout.contains("5 checks: 3 low, 2 ok, in "), "{run}");
        }
    }
}

/// A day of the year that is half a year away.
fn far() -> String {
    use jiff::ToSpan;
    (jiff::Zoned::now().date() + 180.days()).strftime("%m-%d").to_string()
}
