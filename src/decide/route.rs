//! To which channels an alert is routed. Pure: the routes of the config and what an alert is about in, the channels and the
//! reasons out.
//!
//! A channel with `match` takes what fits it, in the order of the config; the first one takes it alone, unless it lets it go on. What
//! none of them has taken goes to every channel without `match`. An entry that names its channels goes to those and no other. In
//! any case a channel takes nothing below its lowest level.

use std::time::Duration;

use crate::model::addressing::Addressing;
use crate::model::alert::{Level, Topic};

/// What an alert is about, as far as routes ask for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    /// The name of the account, mailbox or subscription.
    pub name: &'a str,
    /// Whom it belongs to.
    pub owner: Option<&'a str>,
    /// The id of the provider.
    pub provider: &'a str,
    /// What its entry says.
    pub addressing: &'a Addressing,
}

/// Which alerts a channel takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// What it takes; none if it takes what no other one has taken.
    pub matcher: Option<Matcher>,
    /// Whether what it has taken goes on to the later ones as if it had not.
    pub goes_on: bool,
    /// The lowest level that it takes.
    pub min_level: Level,
    /// How long something must have lasted before it takes it; none if it takes it at once. One that waits stands outside of the order:
    /// it takes what fits, or everything, whoever else has taken it.
    pub after: Option<Duration>,
}

impl Default for Route {
    fn default() -> Route {
        Route { matcher: None, goes_on: false, min_level: Level::Warning, after: None }
    }
}

impl Route {
    /// Whether nothing is said of what it takes.
    pub(crate) fn is_open(&self) -> bool {
        self.matcher.is_none() && self.min_level <= Level::Warning
    }
}

/// What an alert must be like to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Matcher {
    /// Each of these must fit; a word that stands for a missing value is none.
    Of(Vec<(Asked, Patterns)>),
    /// It cannot be read, so it takes nothing.
    Unreadable,
}

/// What a pattern is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Whom the entry belongs to.
    Owner,
    /// The name of the entry.
    Name,
    /// The id of the provider.
    Provider,
    /// What the alert is about.
    Topic,
    /// How urgent it is.
    Level,
    /// A label of the entry.
    Label(String),
}

impl Asked {
    /// What a name in the config stands for.
    pub(crate) fn parse(name: &str) -> Option<Asked> {
        let plain = [Asked::Owner, Asked::Name, Asked::Provider, Asked::Topic, Asked::Level];
        let label = name.strip_prefix("labels.").filter(|label| !label.is_empty());
        plain.into_iter().find(|asked| asked.shown() == name).or(label.map(|label| Asked::Label(label.to_owned())))
    }

    /// The words that it can be, if they are known.
    pub(crate) fn choices(&self) -> Option<Vec<&'static str>> {
        match self {
            Asked::Topic => Some(Topic::ALL.iter().map(|topic| topic.as_str()).collect()),
            Asked::Level => Some(vec![Level::Warning.as_str(), Level::Critical.as_str()]),
            _ => None,
        }
    }

    /// Its name in the config.
    pub(crate) fn shown(&self) -> String {
        match self {
            Asked::Owner => "owner_project".to_owned(),
            Asked::Name => "project".to_owned(),
            Asked::Provider => "provider".to_owned(),
            Asked::Topic => "topic".to_owned(),
            Asked::Level => "level".to_owned(),
            Asked::Label(name) => format!("labels.{name}"),
        }
    }

    /// What an entry has of it; none also if it is about the alert itself.
    pub(crate) fn of<'a>(&self, about: &About<'a>) -> Option<&'a str> {
        match self {
            Asked::Owner => about.owner,
            Asked::Name => Some(about.name),
            Asked::Provider => Some(about.provider),
            Asked::Label(name) => about.addressing.labels.get(name).map(String::as_str),
            Asked::Topic | Asked::Level => None,
        }
    }

    fn value<'a>(&self, about: &About<'a>, topic: Topic, level: Level) -> Option<&'a str> {
        match self {
            Asked::Topic => Some(topic.as_str()),
            Asked::Level => Some(level.as_str()),
            _ => self.of(about),
        }
    }
}

/// Words with `*` for any characters, and with `!` before those that must not fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Patterns {
    wanted: Vec<String>,
    refused: Vec<String>,
}

impl Patterns {
    /// The patterns of these words.
    pub(crate) fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Patterns {
        let mut patterns = Patterns::default();
        for word in words {
            match word.strip_prefix('!') {
                Some(word) => patterns.refused.push(word.to_owned()),
                None => patterns.wanted.push(word.to_owned()),
            }
        }
        patterns
    }

    /// The words as they are written.
    pub(crate) fn written(&self) -> impl Iterator<Item = String> {
        self.wanted.iter().cloned().chain(self.refused.iter().map(|word| format!("!{word}")))
    }

    /// The words, without what says that they are refused.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.wanted.iter().chain(&self.refused).map(String::as_str)
    }

    /// Whether a word must not fit.
    pub(crate) fn is_refused(&self, word: &str) -> bool {
        self.refused.iter().any(|refused| refused == word)
    }

    /// Whether a value fits: it fits one of the wanted ones, if there are any, and none of the refused ones. A value that is missing
    /// fits only where nothing is wanted.
    pub(crate) fn fit(&self, value: Option<&str>) -> bool {
        let is = |pattern: &String| value.is_some_and(|value| is_like(pattern, value));
        (self.wanted.is_empty() || self.wanted.iter().any(is)) && !self.refused.iter().any(is)
    }
}

/// Whether a text is like a pattern, in which `*` stands for any characters.
pub(crate) fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    // Without a `*` the pattern is the text.
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// What is wrong with a word of a `match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misfit<'a> {
    /// It holds nothing.
    Empty,
    /// It can fit none of the words that there are.
    Unknown {
        /// The pattern.
        pattern: &'a str,
        /// The words that there are.
        known: Vec<&'static str>,
    },
}

/// What is wrong with a word that something is compared with.
pub(crate) fn misfit<'a>(asked: &Asked, word: &'a str) -> Option<Misfit<'a>> {
    let pattern = word.strip_prefix('!').unwrap_or(word);
    if pattern.is_empty() {
        return Some(Misfit::Empty);
    }
    let known = asked.choices().filter(|known| !known.iter().any(|known| is_like(pattern, known)))?;
    Some(Misfit::Unknown { pattern, known })
}

/// Whether an alert is like this: each of these fits.
pub(crate) fn fits(asked: &[(Asked, Patterns)], about: &About, topic: Topic, level: Level) -> bool {
    first_misfit(asked, about, topic, level).is_none()
}

fn first_misfit<'a>(asked: &'a [(Asked, Patterns)], about: &About, topic: Topic, level: Level) -> Option<&'a Asked> {
    let misfit = asked.iter().find(|(asked, patterns)| !patterns.fit(asked.value(about, topic, level)));
    misfit.map(|(asked, _)| asked)
}

/// Why a channel takes an alert or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The entry names it under `notify`.
    Named,
    /// Its `match` fits.
    Matches,
    /// It has no `match`, and no other one has taken it.
    Rest,
    /// It has no `match`, and hears of what lasts, whoever has taken it.
    Lasts,
    /// Nobody would hear of it, so everybody does. A config is refused if that can be known beforehand.
    Rescue,
    /// The entry names other channels under `notify`.
    NotNamed,
    /// This in its `match` does not fit.
    Other(Asked),
    /// Its `match` cannot be read.
    Unreadable,
    /// The level is below its lowest one.
    Below,
    /// The one at this position has taken it, and lets nothing go on.
    Taken(usize),
}

impl Why {
    /// Whether the channel takes the alert.
    pub(crate) fn takes(&self) -> bool {
        matches!(self, Why::Named | Why::Matches | Why::Rest | Why::Lasts | Why::Rescue)
    }
}

/// For each channel, whether it takes an alert and why. Channels are given by their names and routes, in the order of the config.
pub(crate) fn route(channels: &[(&str, &Route)], about: &About, topic: Topic, level: Level) -> Vec<Why> {
    let mut reasons = reasons(channels, about, topic, level);
    if !reasons.iter().any(Why::takes) {
        reasons.fill(Why::Rescue);
    }
    reasons
}

/// Whether somebody takes an alert without being made to.
pub(crate) fn reaches_somebody(channels: &[(&str, &Route)], about: &About, topic: Topic, level: Level) -> bool {
    reasons(channels, about, topic, level).iter().any(Why::takes)
}

fn reasons(channels: &[(&str, &Route)], about: &About, topic: Topic, level: Level) -> Vec<Why> {
    if let Some(named) = &about.addressing.notify {
        let reason = |(name, route): &(&str, &Route)| match named.iter().any(|known| known == name) {
            true if level < route.min_level => Why::Below,
            true => Why::Named,
            false => Why::NotNamed,
        };
        return channels.iter().map(reason).collect();
    }
    let mut taken: Option<usize> = None;
    let mut reasons: Vec<Why> = Vec::with_capacity(channels.len());
    for (at, (_, route)) in channels.iter().enumerate() {
        let other = match &route.matcher {
            None => None,
            Some(Matcher::Unreadable) => Some(Why::Unreadable),
            Some(Matcher::Of(asked)) => first_misfit(asked, about, topic, level).cloned().map(Why::Other),
        };
        let is_match = route.matcher.is_some();
        reasons.push(match (other, taken) {
            (Some(other), _) => other,
            (None, _) if route.after.is_some() && level >= route.min_level => {
                if is_match {
                    Why::Matches
                } else {
                    Why::Lasts
                }
            }
            (None, Some(by)) if is_match => Why::Taken(by),
            (None, _) if level < route.min_level => Why::Below,
            (None, _) if is_match => {
                if !route.goes_on {
                    taken = Some(at);
                }
                Why::Matches
            }
            // Whether one that stands later takes it is not known yet.
            (None, _) => Why::Rest,
        });
    }
    if let Some(by) = taken {
        reasons.iter_mut().filter(|why| **why == Why::Rest).for_each(|why| *why = Why::Taken(by));
    }
    reasons
}

/// A set of levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Levels {
    /// Warnings.
    pub warning: bool,
    /// What is critical.
    pub critical: bool,
}

impl Levels {
    /// Whether it is true of this level.
    pub(crate) fn at(self, level: Level) -> bool {
        if level == Level::Critical { self.critical } else { self.warning }
    }

    /// Whether it is true of any level.
    pub(crate) fn any(self) -> bool {
        self.warning || self.critical
    }
}

/// For each channel, the levels at which it takes an alert.
pub(crate) fn levels(channels: &[(&str, &Route)], about: &About, topic: Topic) -> Vec<Levels> {
    let [warning, critical] = [Level::Warning, Level::Critical].map(|level| route(channels, about, topic, level));
    let pairs = warning.iter().zip(&critical);
    pairs.map(|(warning, critical)| Levels { warning: warning.takes(), critical: critical.takes() }).collect()
}
