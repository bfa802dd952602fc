//! The answer for people.

use jiff::Timestamp;

use super::super::health::ago;
use super::super::validate::routes::reason;
use crate::config::Config;
use crate::decide::memory::Memory;
use crate::decide::route::route;
use crate::decide::{Explained, Found, Rules, State, Status};
use crate::model::alert::{Level, Topic};
use crate::model::amount;
use crate::model::text;
use crate::state::queries::Known;

/// The width that sentences are broken at, in columns.
const WIDTH: usize = 80;
/// The longest name of a channel, in characters.
const NAME_CHARS: usize = 30;

/// Whether a channel takes an alert of the entry.
pub(super) struct Route {
    topic: Topic,
    level: Level,
    /// The id of the channel, and its name.
    pub(super) channel: (String, String),
    takes: bool,
    why: String,
}

/// Which channels take which alerts of an entry, by its routes.
pub(super) fn routes(config: &Config, name: &str) -> Vec<Route> {
    let all = config.routes();
    let Some(watched) = config.watched().find(|one| one.about.name == name) else { return Vec::new() };
    let mut routes = Vec::new();
    for topic in Topic::ALL {
        for level in [Level::Warning, Level::Critical] {
            let reasons = route(&all, &watched.about, topic, level);
            for (channel, why) in config.channels.iter().zip(reasons) {
                let (takes, why) = (why.takes(), reason(config, &why, channel));
                routes.push(Route { topic, level, channel: (channel.id.clone(), channel.name.clone()), takes, why });
            }
        }
    }
    routes
}

/// All that an answer is made of.
pub(super) struct Shown<'a> {
    /// The name of the entry.
    pub(super) name: &'a str,
    /// What the last run left that looked at it; none if no run has.
    pub(super) known: Option<&'a Known>,
    pub(super) rules: &'a Rules,
    pub(super) channels: Vec<ChannelFacts<'a>>,
    pub(super) routes: &'a [Route],
    pub(super) found: &'a Found,
    pub(super) memory: &'a Memory,
    pub(super) now: Timestamp,
}

/// What the config says of a channel.
pub(super) struct ChannelFacts<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    /// Whether the last run could not use it as it was configured.
    pub(super) is_unusable: bool,
}

/// What one topic has to say.
pub(super) struct TopicSaid<'a> {
    pub(super) explained: &'a Explained,
    pub(super) rule: Vec<String>,
    pub(super) channels: Vec<ChannelSaid>,
}

/// What is said of one channel.
pub(super) struct ChannelSaid {
    pub(super) name: String,
    /// The word of what is done for it; none for one that the alert is not for.
    pub(super) act: Option<crate::decide::Act>,
    pub(super) because: Vec<String>,
    pub(super) next: String,
    pub(super) change: String,
}

impl Shown<'_> {
    /// A time for people, in the time zone of the config.
    pub(super) fn time(&self, at: Timestamp) -> String {
        at.to_zoned(self.rules.timezone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
    }

    /// The name of a channel; its id where the config no longer has it.
    pub(super) fn name(&self, id: &str) -> String {
        let channel = self.channels.iter().find(|channel| channel.id == id);
        text::short_name(channel.map_or(id, |channel| channel.name), NAME_CHARS)
    }

    /// Why a channel takes what is wrong now, or does not.
    pub(super) fn route(&self, explained: &Explained, id: &str) -> Option<&str> {
        let level = explained.alert.as_ref().map(|alert| alert.level).filter(|level| *level >= Level::Warning)?;
        let is_it = |route: &&Route| {
            route.topic == explained.key.1 && route.level == level && route.channel.0 == id
        };
        self.routes.iter().find(is_it).map(|route| route.why.as_str())
    }

    /// Whether a service forgets what it is not told again.
    pub(super) fn forgets(&self, id: &str) -> bool {
        self.rules.listeners.iter().any(|listener| listener.id == id && listener.forgets)
    }

    /// That the last run could not use a channel. Whether it can be used here says nothing: a run has other variables, and asks the
    /// commands that tell secrets.
    pub(super) fn fault(&self, id: &str) -> Option<String> {
        let channel = self.channels.iter().find(|channel| channel.id == id)?;
        let fault = "The last run could not use it as it is configured; `balance-alert validate` says why.";
        channel.is_unusable.then(|| fault.to_owned())
    }

    /// What there is to say of each topic.
    pub(super) fn topics<'e>(&self, explained: &'e [Explained]) -> Vec<TopicSaid<'e>> {
        let said = |explained: &'e Explained| {
            let mut channels: Vec<ChannelSaid> = explained.rulings.iter().map(|ruling| {
                let said = self.said(explained, ruling);
                let (because, next, change) = (said.because, said.next, said.change);
                ChannelSaid { name: self.name(&ruling.channel), act: Some(ruling.act), because, next, change }
            }).collect();
            if matches!(explained.state, State::Wrong | State::NotYet) {
                channels.extend(self.others(explained));
            }
            TopicSaid { explained, rule: self.rule(explained), channels }
        };
        explained.iter().map(said).collect()
    }

    /// The channels that what is wrong is not for.
    fn others(&self, explained: &Explained) -> Vec<ChannelSaid> {
        let is_ruled = |id: &str| explained.rulings.iter().any(|ruling| ruling.channel == id);
        // What is only good to know goes where warnings go.
        let level = explained.alert.as_ref().map_or(Level::Warning, |alert| alert.level.max(Level::Warning));
        let routes = self.routes.iter().filter(|route| route.topic == explained.key.1 && route.level == level);
        let others = routes.filter(|route| !route.takes && !is_ruled(&route.channel.0));
        let said = |route: &Route| ChannelSaid {
            name: text::short_name(&route.channel.1, NAME_CHARS),
            act: None,
            because: vec![format!("It is not for this channel: {}.", route.why)],
            next: "Nothing is sent.".to_owned(),
            change: String::new(),
        };
        others.map(said).collect()
    }

    /// What the last run found, in one line.
    pub(super) fn last(&self) -> String {
        let name = text::one_line(self.name, 60);
        let Some(known) = self.known else {
            return format!("{name}: no run has looked at it yet; `balance-alert check` does");
        };
        let (seen, age) = (self.time(known.checked_at), ago(known.checked_at, self.now));
        let what = match (Status::parse(&known.status), known.balance) {
            (Some(Status::Unlimited), _) => "unlimited".to_owned(),
            (Some(_), Some(balance)) => amount::show_beside(balance, known.threshold, known.currency.as_deref()),
            _ => known.status.clone(),
        };
        let provider = text::one_line(&known.provider, 40);
        format!("{name} ({provider}): {what} ({}), looked at {age}, on {seen}", known.status)
    }

    /// The answer for people.
    pub(super) fn text(&self, explained: &[Explained]) -> String {
        let mut out = indented(&self.last(), "");
        if self.channels.is_empty() {
            out.push_str("The config has no channel, so nobody is told of anything.\n");
        }
        for topic in self.topics(explained) {
            let since = topic.explained.course.filter(|_| topic.explained.state == State::Wrong);
            let since = since.map(|course| format!(" since {}", self.time(course.began))).unwrap_or_default();
            out.push_str(&format!("\n{}: {}{since}\n", topic.explained.key.1.as_str(), state(topic.explained.state)));
            out.push_str(&indented(&topic.rule.join(" "), "  "));
            for channel in topic.channels {
                out.push_str(&format!("  {}\n", channel.name));
                let sentences = channel.because.into_iter().chain([channel.next, channel.change]);
                let sentences: Vec<String> = sentences.filter(|sentence| !sentence.is_empty()).collect();
                out.push_str(&indented(&sentences.join(" "), "    "));
            }
        }
        out
    }
}

/// The state in words.
fn state(state: State) -> &'static str {
    match state {
        State::Wrong => "wrong",
        State::Well => "all is well",
        State::NearlyWell => "no longer wrong, but not over yet",
        State::NotYet => "not well, but not told yet",
        State::Unknown => "not known",
    }
}

/// A text in lines of at most [`WIDTH`] columns, indented.
fn indented(text: &str, indent: &str) -> String {
    text::wrapped(text, WIDTH - indent.len()).into_iter().map(|line| format!("{indent}{line}\n")).collect()
}
