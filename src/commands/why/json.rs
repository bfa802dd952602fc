//! The answer for programs.

use serde::Serialize;
use serde_json::value::RawValue;

use super::shown::{ChannelSaid, Shown, TopicSaid};
use crate::decide::{Explained, State};
use crate::model::alert::Topic;
use crate::model::amount;
use crate::process::clock::iso;

#[derive(Serialize)]
struct Root<'a> {
    schema_version: u32,
    name: &'a str,
    last: Option<Last<'a>>,
    topics: Vec<TopicEntry<'a>>,
}

#[derive(Serialize)]
struct Last<'a> {
    provider: &'a str,
    status: &'a str,
    balance: Option<Box<RawValue>>,
    threshold: Option<Box<RawValue>>,
    currency: Option<&'a str>,
    reason: Option<&'a str>,
    checked_at: String,
}

#[derive(Serialize)]
struct TopicEntry<'a> {
    topic: Topic,
    state: State,
    since: Option<String>,
    rule: &'a [String],
    channels: Vec<ChannelEntry<'a>>,
}

#[derive(Serialize)]
struct ChannelEntry<'a> {
    channel: &'a str,
    act: &'static str,
    because: &'a [String],
    next: &'a str,
    change: Option<&'a str>,
}

/// The answer for programs.
pub(super) fn render(shown: &Shown, explained: &[Explained]) -> String {
    let topics = shown.topics(explained);
    let last = shown.known.map(|known| Last {
        provider: &known.provider,
        status: &known.status,
        balance: known.balance.map(amount::to_json),
        threshold: known.threshold.map(amount::to_json),
        currency: known.currency.as_deref(),
        reason: known.reason.as_deref(),
        checked_at: iso(known.checked_at),
    });
    let topics = topics.iter().map(topic).collect();
    let root = Root { schema_version: 1, name: shown.name, last, topics };
    // Strings, numbers and lists only: this cannot fail.
    serde_json::to_string(&root).unwrap_or_default() + "\n"
}

fn topic<'a>(said: &'a TopicSaid) -> TopicEntry<'a> {
    let Explained { key, state, course, .. } = said.explained;
    let since = course.filter(|_| *state == State::Wrong).map(|course| iso(course.began));
    let channels = said.channels.iter().map(channel).collect();
    TopicEntry { topic: key.1, state: *state, since, rule: &said.rule, channels }
}

fn channel(said: &ChannelSaid) -> ChannelEntry<'_> {
    ChannelEntry {
        channel: &said.name,
        act: said.act.map_or("not_routed", |act| act.as_str()),
        because: &said.because,
        next: &said.next,
        change: Some(said.change.as_str()).filter(|change| !change.is_empty()),
    }
}
