//! Routes: which channel takes what, against a second way to say the same, and what follows for what is told.

use super::*;
use crate::decide::route::{About, Asked, Matcher, Patterns, Why, is_like, reaches_somebody, route};

/// The same as [`is_like`], by trying every way.
fn is_like_by_trying(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|at| is_like_by_trying(rest, &text[at..])),
        Some((first, rest)) => text.split_first().is_some_and(|(c, text)| c == first && is_like_by_trying(rest, text)),
    }
}

#[test]
fn a_star_stands_for_any_characters() {
    for (pattern, text, want) in [
        ("*", "", true),
        ("*", "core", true),
        ("core", "core", true),
        ("core", "cores", false),
        ("core", "Core", false),
        ("core*", "core", true),
        ("*core", "score", true),
        ("c*e", "core", true),
        ("c*e", "ce", true),
        ("c*e", "c", false),
        ("a*a", "a", false),
        ("a**b", "axb", true),
        ("*充值*", "阿里云充值账户", true),
        ("", "", true),
        ("", "x", false),
    ] {
        assert_eq!(is_like(pattern, text), want, "{pattern} on {text}");
    }
    let mut random = fastrand::Rng::new();
    for _ in 0..20_000 {
        let mut any = |letters: &[char]| -> Vec<char> {
            (0..random.usize(..6)).map(|_| *random.choice(letters).unwrap()).collect()
        };
        let (pattern, text) = (any(&['a', 'b', '*']), any(&['a', 'b']));
        let [shown, of] = [&pattern, &text].map(|chars| chars.iter().collect::<String>());
        assert_eq!(is_like(&shown, &of), is_like_by_trying(&pattern, &text), "{shown} on {of}");
    }
}

#[test]
fn one_word_must_fit_and_none_that_is_refused() {
    for (words, value, want) in [
        (&["core"][..], Some("core"), true),
        (&["core"], Some("edge"), false),
        (&["core"], None, false),
        (&["core", "edge"], Some("edge"), true),
        (&["!core"], Some("edge"), true),
        (&["!core"], Some("core"), false),
        (&["!core"], None, true),
        (&["c*", "!core"], Some("core"), false),
        (&["c*", "!core"], Some("cups"), true),
        (&["!*"], Some("core"), false),
        (&["!*"], None, true),
        (&["*"], None, false),
    ] {
        assert_eq!(Patterns::new(words.iter().copied()).fit(value), want, "{words:?} on {value:?}");
    }
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const OWNERS: [&str; 3] = ["core", "edge", "core-db"];
const WORDS: [&str; 6] = ["core", "core*", "!core", "edge", "!e*", "*"];

/// What a channel takes, as a test says it.
#[derive(Clone, Debug)]
struct Said {
    asked: Vec<(Asked, Vec<&'static str>)>,
    has_match: bool,
    goes_on: bool,
    min_level: Level,
}

impl Said {
    fn any(random: &mut fastrand::Rng) -> Said {
        let mut asked = Vec::new();
        let mut some = |words: &[&'static str]| -> Vec<&'static str> {
            (0..random.usize(1..3)).map(|_| *random.choice(words).unwrap()).collect()
        };
        let kinds = [
            (Asked::Owner, some(&WORDS)),
            (Asked::Label("team".to_owned()), some(&WORDS)),
            (Asked::Topic, some(&["low", "failing", "!mail", "ren*"])),
            (Asked::Level, some(&["critical", "warning", "!critical"])),
            (Asked::Provider, some(&["file", "open*", "!file"])),
            (Asked::Name, some(&["P", "Q*", "!P"])),
        ];
        asked.extend(kinds.into_iter().filter(|_| random.u8(..3) == 0));
        let min_level = if random.u8(..4) == 0 { Level::Critical } else { Level::Warning };
        Said { has_match: !asked.is_empty(), asked, goes_on: random.u8(..3) == 0, min_level }
    }

    fn route(&self) -> Route {
        let asked = self.asked.iter().map(|(asked, words)| (asked.clone(), Patterns::new(words.iter().copied())));
        let matcher = self.has_match.then(|| Matcher::Of(asked.collect()));
        Route { matcher, goes_on: self.goes_on && self.has_match, min_level: self.min_level, after: None }
    }

    fn fits(&self, about: &About, topic: Topic, level: Level) -> bool {
        let is = |word: &str, value: Option<&str>| {
            value.is_some_and(|value| {
                is_like_by_trying(&word.chars().collect::<Vec<_>>(), &value.chars().collect::<Vec<_>>())
            })
        };
        self.asked.iter().all(|(asked, words)| {
            let value = match asked {
                Asked::Owner => about.owner,
                Asked::Name => Some(about.name),
                Asked::Provider => Some(about.provider),
                Asked::Topic => Some(topic.as_str()),
                Asked::Level => Some(level.as_str()),
                Asked::Label(name) => about.addressing.labels.get(name).map(String::as_str),
            };
            let (refused, wanted): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with('!'));
            (wanted.is_empty() || wanted.iter().any(|word| is(word, value)))
                && refused.iter().all(|word| !is(&word[1..], value))
        })
    }
}

/// Who takes an alert, said in another way.
fn takers<'a>(channels: &[(&'a str, Said)], about: &About, topic: Topic, level: Level) -> Vec<&'a str> {
    let is_high = |said: &Said| level >= said.min_level;
    let mut takers = Vec::new();
    if let Some(named) = &about.addressing.notify {
        let named = channels.iter().filter(|(name, said)| named.iter().any(|known| known == name) && is_high(said));
        takers.extend(named.map(|(name, _)| *name));
    } else {
        let matching =
            channels.iter().filter(|(_, said)| said.has_match && said.fits(about, topic, level) && is_high(said));
        let mut goes_on = true;
        for (name, said) in matching {
            takers.push(*name);
            goes_on = said.goes_on;
            if !goes_on {
                break;
            }
        }
        if goes_on {
            takers.extend(channels.iter().filter(|(_, said)| !said.has_match && is_high(said)).map(|(name, _)| *name));
        }
    }
    takers.sort_unstable();
    takers
}

#[test]
fn no_alert_reaches_nobody_and_none_reaches_who_must_not_hear_it() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    for round in 0..20_000 {
        let count = random.usize(1..=NAMES.len());
        let said: Vec<(&str, Said)> = NAMES[..count].iter().map(|name| (*name, Said::any(&mut random))).collect();
        let routes: Vec<(&str, Route)> = said.iter().map(|(name, said)| (*name, said.route())).collect();
        let channels: Vec<(&str, &Route)> = routes.iter().map(|(name, route)| (*name, route)).collect();
        let mut addressing = Addressing::default();
        if random.bool() {
            addressing.labels.insert("team".into(), (*random.choice(&OWNERS).unwrap()).into());
        }
        if random.u8(..4) == 0 {
            addressing.notify = Some(vec![(*random.choice(&NAMES).unwrap()).into(), "b".into()]);
        }
        let about = About {
            name: random.choice(&["P", "Q", "Queue"]).unwrap(),
            owner: Some(*random.choice(&OWNERS).unwrap()).filter(|_| random.bool()),
            provider: random.choice(&["file", "openrouter"]).unwrap(),
            addressing: &addressing,
        };
        let (topic, level) =
            (*random.choice(&Topic::ALL).unwrap(), *random.choice(&[Level::Warning, Level::Critical]).unwrap());
        let got = route(&channels, &about, topic, level);
        let mut found: Vec<&str> =
            NAMES.iter().zip(&got).filter(|(_, why)| why.takes()).map(|(name, _)| *name).collect();
        found.sort_unstable();
        let want = takers(&said, &about, topic, level);
        let what = || format!("seed {seed}, round {round}: {about:?} {topic:?} {level:?}\n{said:#?}\n{got:?}");
        assert_eq!(reaches_somebody(&channels, &about, topic, level), !want.is_empty(), "{}", what());
        assert!(!found.is_empty(), "it reaches nobody; {}", what());
        match want.is_empty() {
            true => assert!(got.iter().all(|why| *why == Why::Rescue), "{}", what()),
            false => assert_eq!(found, want, "{}", what()),
        }
    }
}

/// A life with these channels, each with its route.
fn routed(channels: &[(&str, Route)]) -> Life {
    let mut life = Life::new("100", Some("150"));
    life.rules.listeners =
        channels.iter().map(|(name, route)| Listener { route: route.clone(), ..listener(name) }).collect();
    life
}

fn from(level: Level) -> Route {
    Route { min_level: level, ..Route::default() }
}

fn of(asked: Asked, words: &[&str]) -> Route {
    let matcher = Matcher::Of(vec![(asked, Patterns::new(words.iter().copied()))]);
    Route { matcher: Some(matcher), ..Route::default() }
}

/// Second, balance, moods of the channels, what is said.
fn play(life: &mut Life, name: &str, scenes: &[(i64, &str, &str, &str)]) {
    for (second, balance, moods, want) in scenes {
        assert_eq!(life.moods(*second, balance, moods), *want, "{name}: {balance} at {second} s");
    }
}

#[test]
fn a_channel_for_what_is_critical_hears_that_and_its_end() {
    let mut life = routed(&[("A", Route::default()), ("B", from(Level::Critical))]);
    play(
        &mut life,
        "it gets worse, better, and well",
        &[
            (0, "120", "A B", "+warning@A"),
            (300, "120", "A B", "~A"),
            (600, "50", "A B", "+critical@A +critical(since)@B"),
            (900, "120", "A B", "~A"),
            // A reminder of the warning is for A alone.
            (DAY, "120", "A B", "+warning@A"),
            (2 * DAY, "500", "A B", "-low@AB"),
            (2 * DAY + 300, "500", "A B", ""),
        ],
    );
    let mut life = routed(&[("A", Route::default()), ("B", from(Level::Critical))]);
    play(
        &mut life,
        "it was never critical",
        &[(0, "120", "A B", "+warning@A"), (300, "500", "A B", "-low@A"), (600, "500", "A B", "")],
    );
    let mut life = routed(&[("A", of(Asked::Level, &["warning"])), ("B", Route::default())]);
    play(
        &mut life,
        "nobody who hears of what is critical had heard it",
        &[
            (0, "120", "A B", "+warning@A"),
            (300, "50", "A b", "!+critical(since)@B"),
            (600, "120", "A B", "~A"),
            (900, "500", "A B", "-low@A -low(late)@B"),
        ],
    );
}

#[test]
fn a_channel_that_forgets_is_told_again_what_it_heard_while_it_is_quiet() {
    let mut life = routed(&[("A", Route::default()), ("B", from(Level::Critical))]);
    life.rules.listeners[1].forgets = true;
    play(
        &mut life,
        "it gets better, but not well",
        &[
            (0, "50", "A B", "+critical@AB"),
            (300, "120", "A B", "+critical(since)(blind)@B ~A"),
            (600, "500", "A B", "-low@AB"),
        ],
    );
}

#[test]
fn who_hears_of_something_else_now_hears_the_end_of_what_it_knows_and_no_more() {
    let [to_a, to_b] = [&["A"], &["B"]].map(|names| Some(names.iter().map(|name| (*name).to_owned()).collect()));
    let mut life = Life::with("A B");
    life.subject.addressing.notify = to_a;
    play(&mut life, "it goes to A", &[(0, "50", "A B", "+critical@A"), (300, "50", "A B", "~A")]);
    life.subject.addressing.notify = to_b.clone();
    play(
        &mut life,
        "and then to B",
        &[
            (600, "50", "A B", "+critical(since)@B"),
            (DAY + 900, "50", "A B", "+critical@B"),
            (DAY + 1200, "500", "A B", "-low@AB"),
        ],
    );
    // What could not be told to A is told to B.
    let mut life = Life::with("A B");
    life.subject.addressing.notify = Some(vec!["A".into()]);
    play(&mut life, "A is down", &[(0, "50", "a b", "!+critical@A")]);
    life.subject.addressing.notify = to_b;
    play(&mut life, "and B hears it", &[(300, "500", "A B", "-low(late)@B"), (600, "500", "A B", "")]);
}

#[test]
fn topics_go_where_they_are_wanted() {
    let mut life = routed(&[("A", of(Asked::Topic, &["low"])), ("B", Route::default())]);
    life.rules.alerting.failure_alert_after = 1;
    play(
        &mut life,
        "low to A, and what cannot be read to B",
        &[
            (0, "50", "A B", "+critical@A"),
            (300, "x", "A B", "+failing@B"),
            (600, "50", "A B", "-failing@B ~A"),
            (900, "500", "A B", "-low@A"),
        ],
    );
}
