//! What is remembered, as plain values: the snapshot that `decide` gets and the changes that it returns. No I/O.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::route::{Asked, Patterns};
use crate::model::alert::{Alert, Level, Topic};
use crate::model::failure::Reason;
use crate::model::identity::Identity;
use crate::model::schedule::Schedule;
use crate::model::words::words;

/// Stands for every channel that has no entry of its own. Stores of older versions did not know who had been told.
pub(crate) const ANY_CHANNEL: &str = "";

/// All that earlier runs have left for the decisions of this one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// Failed runs in a row, of the checks that failed last time.
    pub failures: HashMap<Identity, u32>,
    /// What is wrong, or was wrong a short while ago, as far as earlier runs know.
    pub conditions: HashMap<(Identity, Topic), Condition>,
    /// When the run before this one began, over the same checks. It tells how soon the next one can be expected.
    pub previous_run: Option<Timestamp>,
    /// What is not to be told for a while.
    pub mutes: Vec<Mute>,
    /// The schedules whose runs share the store, this one included if it has run before.
    pub schedules: Vec<PastRuns>,
}

/// The past runs of a schedule.
#[derive(Clone, Debug)]
pub(crate) struct PastRuns {
    pub schedule: Schedule,
    /// When the last one began.
    pub last: Timestamp,
    /// When they began, oldest first. Empty if the last one began a short while ago, or is of this run's own schedule.
    pub starts: Vec<Timestamp>,
}

/// What somebody wants not to be told for a while.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mute {
    /// Names it among those of a store.
    pub number: i64,
    /// What it is about.
    pub covers: Covers,
    /// Who made it, as `user@host`.
    pub who: String,
    /// Why, in the words of that person; may be empty.
    pub reason: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it ends; none if it ends with what it is about.
    pub until: Option<Timestamp>,
}

/// What is not told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Covers {
    /// A silence: everything that is like this. Each of these must fit.
    Matching(Vec<(Asked, Patterns)>),
    /// An acknowledgement: that one condition lasts, as long as it is no worse than what was known.
    Known {
        /// The condition.
        key: (Identity, Topic),
        /// The name of its check.
        name: String,
        /// What was known of it.
        told: Told,
    },
}

words! {
    /// The kinds of what is not told.
    pub(crate) enum MuteKind {
        /// For a time, everything that is like this.
        Silence = "silence",
        /// Until it is over or worse, one thing that somebody knows.
        Ack = "ack",
    }
}

impl Mute {
    /// Its kind.
    pub(crate) fn kind(&self) -> MuteKind {
        match self.covers {
            Covers::Matching(_) => MuteKind::Silence,
            Covers::Known { .. } => MuteKind::Ack,
        }
    }

    /// What it is about, as people write it: `project=Core topic=low,!failing`.
    pub(crate) fn shown(&self) -> String {
        match &self.covers {
            Covers::Matching(asked) => {
                let parts = asked.iter().map(|(asked, patterns)| {
                    let words: Vec<String> = patterns.written().collect();
                    format!("{}={}", asked.shown(), words.join(","))
                });
                parts.collect::<Vec<_>>().join(" ")
            }
            Covers::Known { key, name, .. } => format!("project={name} topic={}", key.1.as_str()),
        }
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_in_force(&self, now: Timestamp) -> bool {
        // One that begins later was made by a clock that was ahead. Clocks of two machines may differ a little.
        let has_begun = self.made_at.duration_since(now) <= SignedDuration::from_mins(5);
        has_begun && self.until.is_none_or(|until| now < until)
    }
}

/// Something that was found wrong: its course, and what each channel knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// Since when, and whether it is over.
    pub course: Course,
    /// What each channel has heard, by its id ([`ANY_CHANNEL`] included).
    pub channels: BTreeMap<String, Heard>,
}

/// The course of a condition, whoever was told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Course {
    /// When it began, for the last time.
    pub began: Timestamp,
    /// Messages that were made of it. Their keys are numbered by it, so it never goes back.
    pub messages: u32,
    /// How often it came back within a cool-down after it was over.
    pub flaps: u32,
    /// Since when all is well, while it is not yet counted as over because it has flapped.
    pub calm_since: Option<Timestamp>,
    /// When it was over. It is remembered for a cool-down, so that a return is noticed.
    pub over_at: Option<Timestamp>,
    /// When a run last found it silenced or acknowledged.
    pub muted_at: Option<Timestamp>,
}

impl Course {
    /// The course of what begins now.
    pub(crate) fn begun(began: Timestamp) -> Course {
        Course { began, messages: 0, flaps: 0, calm_since: None, over_at: None, muted_at: None }
    }
}

/// What one channel knows of a condition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    /// What it has taken last; none if it does not know that anything is wrong.
    pub told: Option<Told>,
    /// A message that it has not taken yet, as far as is known.
    pub owed: Option<Owed>,
}

/// What a channel was last told of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    /// When the channel took it.
    pub at: Timestamp,
    /// The time from which the reminders are counted: that of the last message that was no reminder.
    pub anchor: Timestamp,
    /// How urgent it was.
    pub level: Level,
    /// The balance that was told.
    pub balance: Option<Decimal>,
    /// The threshold that it was below.
    pub threshold: Option<Decimal>,
    /// What both are counted in; none if that is not known, as in old stores.
    pub currency: Option<String>,
    /// Which renewal was told on which day, or which cause a failing check shares with others ([`Alert::mark`]).
    pub mark: String,
}

impl Told {
    /// What a channel knows that has just taken a message.
    pub(crate) fn of(alert: &Alert, at: Timestamp) -> Told {
        let (level, balance, threshold) = (alert.level, alert.balance(), alert.threshold());
        let currency = alert.currency().map(str::to_owned);
        Told { at, anchor: at, level, balance, threshold, currency, mark: alert.mark() }
    }
}

/// A message that is owed to a channel.
#[derive(Clone, Debug)]
pub(crate) struct Owed {
    /// What it says.
    pub alert: Alert,
    /// Whether some other channel has taken this very message.
    pub is_heard: bool,
    /// Whether another run, still alive, is sending it.
    pub is_claimed: bool,
    /// Whether the channel may have it: it was sent and no answer came, or the run that was to send it has died.
    pub may_have_arrived: bool,
    /// How often it was sent without an answer that says what became of it.
    pub doubts: u32,
    /// In how many runs the channel refused it alone and took others, so that what it holds is to blame.
    pub refusals: u32,
    /// In how many runs it was sent to the channel.
    pub attempts: u32,
    /// Whether the channel was ever asked to take it.
    pub is_tried: bool,
    /// When it was sent last, or decided if it was not sent yet.
    pub tried_at: Timestamp,
}

impl Owed {
    /// How often it was sent in vain in a way that another try in each run would not change.
    pub(crate) fn in_vain(&self) -> u32 {
        self.doubts.max(self.refusals)
    }
}

/// What a run leaves for the next ones, to be written before anything is sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    /// Failed runs in a row with the last reason; 0 where a check works again.
    pub failures: Vec<(Identity, u32, Option<Reason>)>,
    /// The courses of conditions from now on; none if a condition is forgotten, with all that channels know of it.
    pub courses: Vec<((Identity, Topic), Option<Course>)>,
    /// What channels know of conditions from now on, without a message of this run; none if they know of nothing wrong.
    pub heard: Vec<((Identity, Topic), String, Option<Told>)>,
    /// Messages that are no longer to be sent, by their dedup keys, and to whom.
    pub withdrawn: Vec<(String, String)>,
    /// Messages that are owed to a channel from now on but not sent in this run.
    pub kept: Vec<(String, String)>,
    /// The numbers of the acknowledgements that are over.
    pub unmuted: Vec<i64>,
}

words! {
    /// What became of a message.
    pub(crate) enum Fate {
        /// The channel has it.
        Taken = "sent",
        /// The channel does not have it: it never arrived, or was refused.
        Refused = "failed",
        /// It went out, and no answer came.
        Unknown = "unknown",
    }
}
