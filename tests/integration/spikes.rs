//! Days that consume far more than is usual, through the real program: what is told and explained, on both kinds of stores.

use serde_json::{Value, json};

use crate::support::Finished;
use crate::support::world::{Kind, World, on_both};

on_both! {
    a_day_that_consumes_far_more_is_told_explained_and_taken_back
    a_spike_is_told_out_of_an_idle_account_and_once_it_can_be
}

/// 2026-11-02 00:00 UTC, a Monday.
const START: i64 = 1_793_577_600;
const HOUR: i64 = 3_600;

fn at(hour: i64) -> String {
    (START + hour * HOUR).to_string()
}

/// An account, and runs of it every six hours.
struct Account {
    world: World,
    hour: i64,
    balance: i64,
    seen: usize,
}

impl Account {
    fn new(kind: Kind) -> Account {
        Account { world: World::new(kind, &[("A", 10_000)]), hour: 0, balance: 10_000, seen: 0 }
    }

    /// Runs every six hours, each after so much was consumed. Gives what was told.
    fn consume(&mut self, falls: &[i64]) -> Vec<String> {
        for fall in falls {
            self.hour += 6;
            self.balance -= fall;
            self.run();
        }
        self.world.messages(&mut self.seen)
    }

    fn run(&self) -> Finished {
        self.world.balance("A", json!(self.balance));
        self.world.program.clone().env("BALANCE_ALERT_CLOCK", &at(self.hour)).run()
    }

    /// What `why` says of the topic: the state, then the rule.
    fn why(&self) -> String {
        let config = self.world.program.path("config.yaml").display().to_string();
        let asked = self.world.program.instead(["why", "A", "--output", "json", "--config", &config]);
        let answer = asked.env("BALANCE_ALERT_CLOCK", &at(self.hour)).run().expect(0).report();
        let topics = answer["topics"].as_array().unwrap();
        let topic = topics.iter().find(|topic| topic["topic"] == "spike").unwrap();
        let rule: Vec<&str> = topic["rule"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        format!("{} {}", topic["state"].as_str().unwrap(), rule.join(" "))
    }
}

fn a_day_that_consumes_far_more_is_told_explained_and_taken_back(kind: Kind) {
    let mut account = Account::new(kind);
    let none = Vec::<String>::new();
    assert_eq!(account.consume(&[6; 20]), none, "24 a day are usual");
    let why = account.why();
    assert!(
        why.starts_with("well The last 24 hours consumed 24 a day, and 24 on a usual day; that is told from 3 times"),
        "{why}"
    );
    assert_eq!(account.consume(&[30]), none, "48 are twice as much");
    assert_eq!(account.consume(&[100]), ["raised spike warning A"]);
    let why = account.why();
    assert!(why.starts_with("wrong The last 24 hours consumed 142 a day, and 24 on a usual day; "), "{why}");
    assert!(why.contains("(`spike_ratio: 3`), if it is at least 10 (`spike_minimum: 10`)"), "{why}");
    assert_eq!(account.consume(&[6, 6]), none, "it is known");
    let report = account.run().report();
    let one = &report["projects"][0];
    let want = (&json!(142), &json!(24), &json!(true));
    assert_eq!((&one["last_day_consumed"], &one["usual_day_consumed"], &one["is_spike"]), want, "{one}");
    let alert: &Value = &report["projects"][0]["alerts"][0];
    assert_eq!((&alert["topic"], &alert["status"]), (&json!("spike"), &json!("suppressed")), "{report}");
    assert_eq!(account.consume(&[6, 6, 6]), ["resolved spike info A"]);
    assert!(account.why().starts_with("well "), "{}", account.why());
}

fn a_spike_is_told_out_of_an_idle_account_and_once_it_can_be(kind: Kind) {
    let mut account = Account::new(kind);
    assert_eq!(account.consume(&[0; 20]), Vec::<String>::new());
    assert_eq!(account.consume(&[9]), Vec::<String>::new(), "that is too little to matter");
    account.world.channel(false);
    assert_eq!(account.consume(&[40, 0]), ["raised spike warning A"; 2], "nobody takes it");
    account.world.channel(true);
    assert_eq!(account.consume(&[0]), ["raised spike warning A"]);
    assert!(account.why().contains("49 a day, and nothing on the days before"), "{}", account.why());
    assert_eq!(account.consume(&[0, 0]), ["resolved spike info A"]);
}

/// What the settings and the project say of one account that consumes four times as much.
#[test]
fn a_config_says_what_is_a_spike() {
    for (settings, project, want) in [
        (json!({}), json!({}), true),
        (json!({"spike_ratio": 0}), json!({}), false),
        (json!({"spike_ratio": 5}), json!({}), false),
        (json!({"spike_ratio": 5}), json!({"spike_ratio": 3.5}), true),
        (json!({"spike_ratio": 3}), json!({"spike_ratio": 0}), false),
        (json!({"spike_minimum": 97}), json!({}), false),
        (json!({"spike_minimum": 97}), json!({"spike_minimum": 96}), true),
        (json!({"spike_minimum": 0.5}), json!({"window_days": 14}), true),
    ] {
        let mut account = Account::new(Kind::Sqlite);
        account.world.configure(|config| {
            config["settings"]["forecast"] = settings.clone();
            config["projects"][0]["forecast"] = project.clone();
        });
        let told = account.consume(&[[6; 20].as_slice(), &[78]].concat());
        assert_eq!(!told.is_empty(), want, "{settings} {project}: {told:?}");
    }
}

/// Who asks for it must hear of it, as of every alert; and a ratio of one would be every day.
#[test]
fn a_spike_that_nobody_would_hear_of_is_a_mistake() {
    let channel =
        json!({"type": "custom", "url": "http://127.0.0.1:9/", "match": {"topic": ["low", "failing", "runway"]}});
    for (forecast, want) in [
        (json!({"spike_ratio": 4}), "nobody would hear of `spike` (warning)"),
        (json!({"spike_ratio": 0}), ""),
        (json!({"alert_days": 3}), ""),
        (json!({"spike_ratio": 1}), "`spike_ratio` must be above 1"),
        (json!({"spike_ratio": 0.5}), "`spike_ratio` must be above 1"),
    ] {
        let mut world = World::new(Kind::Sqlite, &[("A", 100)]);
        world.configure(|config| {
            config["webhook"] = channel.clone();
            config["projects"][0]["forecast"] = forecast.clone();
        });
        let answer = world.ask(["validate"]);
        let said = format!("{}{}", answer.stdout, answer.stderr);
        assert!(if want.is_empty() { !said.contains("spike") } else { said.contains(want) }, "{forecast}: {answer}");
    }
}
