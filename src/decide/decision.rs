//! What follows from the verdicts, and the rules that it depends on.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::active_times::ActiveTimes;
use super::explain::Explained;
use super::route::{About, Levels, Route, levels};
use crate::check::account::drift::ChangedAnswer;
use crate::decide::config::Alerting;
use crate::decide::memory::{Changes, Mute};
use crate::model::alert::{Alert, Event, Topic};
use crate::model::identity::Identity;
use crate::model::schedule::Schedule;
use crate::model::words::words;

/// The identity of a check, and what an alert about it is about.
pub(super) type Key = (Identity, Topic);

/// A message of this run, and who is to get it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Telling {
    /// What it says.
    pub alert: Alert,
    /// The ids of the channels that it goes to.
    pub to: Vec<String>,
    /// The ids of the channels that it is owed to from now on, and sent to in a later run.
    pub later: Vec<String>,
    /// Whether an earlier run made it, and some channel has not taken it yet as far as is known.
    pub is_owed: bool,
    /// By the ids of channels, what they were sent before of the same condition. A channel that was sent nothing is left out.
    pub earlier: BTreeMap<String, Earlier>,
}

/// What a channel was sent of a condition before this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Earlier {
    /// When it was sent something last, whatever became of that.
    pub tried_at: Timestamp,
    /// The number of runs in which the channel refused this message but took others.
    pub refusals: u32,
    /// The number of runs that sent it this message, which it has not taken, as far as is known.
    pub attempts: u32,
}

/// An alert that some channels do not get in this run although its cause lasts, because they know of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    /// The identity of the check.
    pub identity: Identity,
    /// What it is about.
    pub topic: Topic,
    /// Whether it begins or is over.
    pub event: Event,
    /// When it is told again if nothing changes; none while another run is telling it.
    pub next: Option<Timestamp>,
    /// The ids of these channels.
    pub channels: Vec<String>,
}

/// A message that is owed to a channel and rests in this run, because it may have arrived already, or is refused for what it holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Waiting {
    /// The identity of the check.
    pub identity: Identity,
    /// What it is about.
    pub topic: Topic,
    /// Whether it begins or is over.
    pub event: Event,
    /// The id of the channel.
    pub channel: String,
    /// From when on it is sent once more.
    pub next: Option<Timestamp>,
    /// Whether it certainly did not arrive: the channel refused it alone, and took others.
    pub is_refused: bool,
}

words! {
    /// Why a message is not sent yet.
    pub(crate) enum Pause {
        /// It is silenced.
        Silenced = "silenced",
        /// The channel hears of what has lasted for a while, and this has not yet.
        Early = "early",
        /// The channel takes nothing at this time of the day or the week.
        Away = "away",
    }
}

/// A message that is owed to a channel and comes when its time has come.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Postponed {
    /// The identity of the check.
    pub identity: Identity,
    /// What it is about.
    pub topic: Topic,
    /// Whether it begins or is over.
    pub event: Event,
    /// The id of the channel.
    pub channel: String,
    /// Why it is not sent.
    pub why: Pause,
    /// From when on it is sent.
    pub next: Option<Timestamp>,
}

/// Something that is wrong and is not told, because somebody wants that.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Muted {
    /// The identity of the check.
    pub identity: Identity,
    /// What it is about.
    pub topic: Topic,
    /// The number of what mutes it.
    pub by: i64,
}

/// What follows from the verdicts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Decision {
    /// What is to be told now, worst first, then in the order of the plan.
    pub alerts: Vec<Telling>,
    /// What is wrong, but was told before.
    pub held: Vec<Held>,
    /// What is owed, but not to be sent now.
    pub waiting: Vec<Waiting>,
    /// What is owed and comes when its time has come.
    pub postponed: Vec<Postponed>,
    /// Messages that are new and not sent to anybody in this run.
    pub deferred: Vec<Telling>,
    /// What is wrong, and silenced or acknowledged.
    pub muted: Vec<Muted>,
    /// All silences and acknowledgements that are in force.
    pub mutes: Vec<Mute>,
    /// The other schedules that have fallen silent.
    pub silent: Vec<SilentSchedule>,
    /// The services that answer otherwise than before, as the store finds when it writes the decision down.
    pub changed_answers: Vec<ChangedAnswer>,
    /// What the next runs must know.
    pub changes: Changes,
    /// Why all this is so, for each topic of each check; none unless somebody asks.
    pub explained: Option<Vec<Explained>>,
}

/// A schedule whose runs do not come any more.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SilentSchedule {
    /// What people know it by.
    pub name: String,
    /// When its last run began.
    pub last: Timestamp,
}

/// What deciding must know of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listener {
    /// The id that names the channel across runs.
    pub id: String,
    /// The name by which entries name it.
    pub name: String,
    /// Which alerts it takes.
    pub route: Route,
    /// When it takes messages; none for always.
    pub active: Option<ActiveTimes>,
    /// Whether it hears that something is over.
    pub wants_over: bool,
    /// Whether the service drops alerts that are not sent again (Alertmanager), so that open ones are sent in every run.
    pub forgets: bool,
    /// Whether the service counts events: what several checks have in common is one condition for it, with one end.
    pub counts_events: bool,
}

/// What the config says that decisions depend on.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// When alerts are repeated.
    pub alerting: Alerting,
    /// Who is to be told.
    pub listeners: Vec<Listener>,
    /// The time zone in which days are counted.
    pub timezone: TimeZone,
    /// What names the runs that this one is one of.
    pub schedule: Schedule,
    /// The checks of the config that this run leaves out: accounts and mailboxes.
    pub left_out: HashSet<Identity>,
}

impl Decision {
    /// The same for a run that cannot write down what it tells. It does not tell that something is over: the next runs would still
    /// take it for known that it is wrong, and say nothing if it comes back. What is wrong they tell again.
    pub(crate) fn of_unwritten(mut self) -> Decision {
        self.alerts.retain(|Telling { alert, .. }| alert.event == Event::Raised || alert.missed.is_some());
        self
    }
}

impl Rules {
    /// The levels at which each of the listeners takes an alert.
    pub(super) fn routed(&self, about: &About, topic: Topic) -> Vec<Levels> {
        let is_open = |listener: &Listener| listener.route.is_open();
        if about.addressing.notify.is_none() && self.listeners.iter().all(is_open) {
            return vec![Levels { warning: true, critical: true }; self.listeners.len()];
        }
        let channels: Vec<(&str, &Route)> =
            self.listeners.iter().map(|listener| (listener.name.as_str(), &listener.route)).collect();
        levels(&channels, about, topic)
    }
}

impl Held {
    /// An alert of a check that no channel is counted for yet.
    pub(super) fn new((identity, topic): (Identity, Topic), event: Event) -> Held {
        Held { identity, topic, event, next: None, channels: Vec::new() }
    }
}
