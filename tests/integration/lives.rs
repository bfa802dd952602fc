//! Random lives of the real program on real stores: balances that move, channels that die, silences, runs that are killed. No alert
//! reaches nobody, none reaches a channel that must not hear it, and none is lost.
//!
//! Thousands of such lives without a store are in `src/decide/tests/lives.rs`; here are a few, with all that lies between a decision and
//! a receiver. `LIVES=20 cargo test --test integration -- lives::` makes more of them, and `SEED=7` begins with that one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use crate::support::world::{Kind, World, on_both};
use crate::support::{Reply, Server};
use serde_json::{Value, json};

on_both! {
    no_life_loses_an_alert_or_tells_it_to_who_must_not_hear_it
}

/// Runs of a life while things go wrong.
const RUNS: usize = 18;

/// The places at which runs are killed.
const DEATHS: [&str; 5] = ["before-claim", "in-claim", "after-claim", "after-send", "in-mark"];

/// What a channel does with a message.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Takes,
    Refuses,
    /// It takes the message and does not say so.
    Hangs,
}

/// Something that a channel was sent.
#[derive(Clone, Debug)]
struct Heard {
    mood: Mood,
    project: String,
    is_over: bool,
    level: String,
    key: String,
    text: String,
}

/// The receivers, each with a path of its own.
struct Receivers {
    server: Server,
    moods: Arc<Mutex<BTreeMap<String, Mood>>>,
}

impl Receivers {
    fn new() -> Receivers {
        let moods: Arc<Mutex<BTreeMap<String, Mood>>> = Arc::default();
        let known = Arc::clone(&moods);
        let server = Server::start(move |request| match mood(&known.lock().unwrap(), request.path()) {
            Mood::Takes => Reply::ok(""),
            Mood::Refuses => Reply::status(400, ""),
            Mood::Hangs => Reply::close(),
        });
        Receivers { server, moods }
    }

    fn all(&self, mood: impl FnMut(&'static str) -> Mood) {
        let mut mood = mood;
        let moods = CHANNELS.iter().map(|name| (format!("/{name}"), mood(name)));
        *self.moods.lock().unwrap() = moods.collect();
    }

    /// What each channel has been sent since the last time.
    fn heard(&self, seen: &mut usize) -> Vec<(String, Heard)> {
        let moods = self.moods.lock().unwrap();
        let requests = self.server.requests();
        let new = requests.iter().skip(*seen).flat_map(|request| {
            let (channel, mood) = (request.path().trim_start_matches('/').to_owned(), mood(&moods, request.path()));
            let resources = request.json()["Resources"].as_array().unwrap().clone();
            resources.into_iter().map(move |one| {
                let word = |key: &str| one[key].as_str().unwrap().to_owned();
                let is_over = word("Event") == "resolved";
                let (project, level, key, text) =
                    (word("ProjectName"), word("Level"), word("DedupKey"), word("Message"));
                (channel.clone(), Heard { mood, project, is_over, level, key, text })
            })
        });
        let new = new.collect();
        *seen = requests.len();
        new
    }
}

fn mood(moods: &BTreeMap<String, Mood>, path: &str) -> Mood {
    moods.get(path).copied().unwrap_or(Mood::Takes)
}

const CHANNELS: [&str; 3] = ["pager", "team", "rest"];

/// Whether a channel is to hear that an account is in a state, said in another way than the config says it.
fn is_for(channel: &str, project: &str, level: &str) -> bool {
    match channel {
        "pager" => project == "A" && level == "critical",
        "team" => project == "A",
        _ => project == "B",
    }
}

fn world(kind: Kind, receivers: &Receivers) -> World {
    let mut world = World::new(kind, &[("A", 500), ("B", 500)]);
    let url = receivers.server.url();
    let webhook = |name: &str, more: Value| {
        let mut webhook = json!({"name": name, "type": "custom", "url": format!("{url}/{name}")});
        webhook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        webhook
    };
    world.configure(|config| {
        config.as_object_mut().unwrap().remove("webhook");
        let matched = json!({"owner_project": "core"});
        config["webhooks"] = json!([
            webhook("pager", json!({"match": matched, "min_level": "critical", "continue": true})),
            webhook("team", json!({"match": matched})),
            webhook("rest", json!({})),
        ]);
        config["projects"][0]["owner_project"] = json!("core");
        for account in [0, 1] {
            config["projects"][account]["warning_threshold"] = json!(20);
        }
    });
    world
}

/// The level of a balance.
fn level_of(balance: i64) -> Option<&'static str> {
    match balance {
        ..10 => Some("critical"),
        10..20 => Some("warning"),
        _ => None,
    }
}

/// One life, and its history for who must find out what went wrong.
struct Life {
    world: World,
    receivers: Receivers,
    seen: usize,
    balances: BTreeMap<&'static str, i64>,
    /// Seconds that have passed.
    now: i64,
    /// Until when the account is silenced.
    silenced: BTreeMap<&'static str, i64>,
    /// What each channel was sent, in order.
    ears: BTreeMap<String, Vec<Heard>>,
    /// The keys that a channel has taken for certain, from a run that lived to write it down.
    taken: BTreeSet<(String, String)>,
    history: Vec<String>,
}

impl Life {
    fn new(kind: Kind) -> Life {
        let receivers = Receivers::new();
        let world = world(kind, &receivers);
        Life {
            world,
            receivers,
            seen: 0,
            balances: BTreeMap::from([("A", 500), ("B", 500)]),
            now: 0,
            silenced: BTreeMap::new(),
            ears: BTreeMap::new(),
            taken: BTreeSet::new(),
            history: Vec::new(),
        }
    }

    fn set(&mut self, name: &'static str, balance: i64) {
        self.balances.insert(name, balance);
        self.world.balance(name, json!(balance));
    }

    fn pass(&mut self, seconds: i64) {
        self.now += seconds;
        self.world.pass(seconds);
    }

    /// One run that may be killed, and what must hold of what it said.
    fn run(&mut self, death: Option<&str>) {
        let mut program = self.world.program.clone();
        if let Some(place) = death {
            program = program.env("BALANCE_ALERT_FAULT", &format!("kill:{place}"));
        }
        let is_killed = program.run().code() == 137;
        let heard = self.receivers.heard(&mut self.seen);
        let said: Vec<String> = heard.iter().map(|(to, heard)| format!("{to}: {heard:?}")).collect();
        self.history.push(format!(
            "{} s: {:?}, {:?} silenced, {death:?} (killed: {is_killed}), {:?}: {said:#?}",
            self.now,
            self.balances,
            self.silenced,
            self.receivers.moods.lock().unwrap()
        ));
        let what = self.history.join("\n");
        for (channel, heard) in heard {
            let ear = self.ears.entry(channel.clone()).or_default();
            if heard.is_over {
                let may_know = ear
                    .iter()
                    .any(|before| before.project == heard.project && !before.is_over && before.mood != Mood::Refuses);
                assert!(may_know || heard.text.contains("delivered"), "{channel} hears of an end only; {what}");
                assert!(
                    is_for(&channel, &heard.project, "critical"),
                    "{channel} hears the end of what goes to others; {what}"
                );
            } else {
                assert!(
                    is_for(&channel, &heard.project, &heard.level),
                    "{channel} hears of what goes to others; {what}"
                );
                let until = self.silenced.get(heard.project.as_str()).copied().unwrap_or(i64::MIN / 2);
                // The clock goes on while runs last.
                assert!(self.now + 120 > until, "{channel} hears of what is silenced; {what}");
            }
            assert!(!self.taken.contains(&(channel.clone(), heard.key.clone())), "{channel} is told twice; {what}");
            if heard.mood == Mood::Takes && !is_killed {
                self.taken.insert((channel, heard.key.clone()));
            }
            ear.push(heard);
        }
    }

    /// When all is quiet, everybody knows what there is to know.
    fn settle(&mut self) {
        self.receivers.all(|_| Mood::Takes);
        self.world.ask(["unsilence", "--all"]);
        self.silenced.clear();
        for _ in 0..6 {
            self.pass(90_001);
            self.run(None);
        }
        let what = self.history.join("\n");
        for channel in CHANNELS {
            for (project, balance) in &self.balances {
                let mut ear = self.ears.get(channel).into_iter().flatten();
                let last = ear.rfind(|heard| heard.project == *project && heard.mood == Mood::Takes);
                match level_of(*balance) {
                    Some(level) if is_for(channel, project, level) => {
                        let knows = last.is_some_and(|heard| !heard.is_over && heard.level == level);
                        assert!(knows, "{channel} does not know of {project}; {what}");
                    }
                    None => assert!(
                        last.is_none_or(|heard| heard.is_over),
                        "{channel} believes that {project} is low; {what}"
                    ),
                    // It may have heard of what was worse.
                    Some(_) => {}
                }
            }
        }
    }
}

fn live(kind: Kind, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut life = Life::new(kind);
    life.history.push(format!("seed {seed}"));
    life.run(None);
    for _ in 0..RUNS {
        for name in ["A", "B"] {
            if random.bool() {
                life.set(name, *random.choice(&[500, 15, 12, 5, 1]).unwrap());
            }
        }
        life.receivers.all(|_| match random.u8(..10) {
            0..=5 => Mood::Takes,
            6..=7 => Mood::Refuses,
            _ => Mood::Hangs,
        });
        match random.u8(..10) {
            0 | 1 => {
                let name = *random.choice(&["A", "B"]).unwrap();
                life.world.ask(["silence", name, "--for", "2h"]).expect(0);
                let until = life.silenced.get(name).copied().unwrap_or(0).max(life.now + 7200);
                life.silenced.insert(name, until);
            }
            2 => {
                life.world.ask(["unsilence", "--all"]);
                life.silenced.clear();
            }
            _ => {}
        }
        let death = (random.u8(..4) == 0).then(|| *random.choice(&DEATHS).unwrap());
        life.run(death);
        let pause = *random.choice(&[0, 613, 5003, 40_009]).unwrap();
        life.pass(pause);
    }
    life.settle();
    for name in ["A", "B"] {
        life.set(name, 500);
    }
    life.settle();
    let pending = life.world.count("SELECT count(*) FROM alerts WHERE state = 'pending'");
    assert_eq!(pending, 0, "{}", life.history.join("\n"));
}

fn no_life_loses_an_alert_or_tells_it_to_who_must_not_hear_it(kind: Kind) {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let seed = number("SEED").unwrap_or_else(|| fastrand::u64(..));
    for round in 0..number("LIVES").unwrap_or(2) {
        live(kind, seed.wrapping_add(round));
    }
}
