//! What was decided and why, for whoever asks why something is told or not. `record` keeps it while the run decides.

mod record;

use jiff::Timestamp;

use super::action_table::{Act, Known, Now};
use super::memory::{Course, Told};
use crate::model::alert::{Alert, Event, Level, Topic};
use crate::model::identity::Identity;
use crate::model::words::words;

words! {
    /// What is the case.
    pub(crate) enum State {
        /// Something is wrong.
        Wrong = "wrong",
        /// Nothing is wrong.
        Well = "well",
        /// Nothing is wrong, but not by the margin, or not for the time, that counts as over.
        NearlyWell = "nearly_well",
        /// It is not well, but not yet bad enough to be told.
        NotYet = "not_yet",
        /// Nobody can say.
        Unknown = "unknown",
    }
}

/// What is known of one topic of one check, and what follows for each channel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Explained {
    /// The check and the topic.
    pub(crate) key: (Identity, Topic),
    pub(crate) state: State,
    /// What would be told of it; none where nothing need be.
    pub(crate) alert: Option<Alert>,
    /// Its course; none if no run remembers anything of it.
    pub(crate) course: Option<Course>,
    /// What follows, for each channel that hears of it or has heard of it.
    pub(crate) rulings: Vec<Ruling>,
}

/// What follows for one channel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ruling {
    /// The id of the channel.
    pub(crate) channel: String,
    /// The row of the table; none for a mail, and while another run is sending.
    pub(crate) row: Option<(Now, Known)>,
    pub(crate) act: Act,
    /// What the channel was told last.
    pub(crate) told: Option<Told>,
    /// What it is owed.
    pub(crate) owed: Option<Debt>,
    /// What keeps it from being told, and what would change that.
    pub(crate) limits: Limits,
}

/// A message that a channel is owed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Debt {
    pub(crate) event: Event,
    pub(crate) level: Level,
    /// When it was made.
    pub(crate) at: Timestamp,
    /// When it was sent last; none if it never was.
    pub(crate) tried_at: Option<Timestamp>,
    pub(crate) is_claimed: bool,
    /// In how many runs the channel refused it and took others.
    pub(crate) refusals: u32,
}

/// From when on something is told that is not told now, and what mutes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Limits {
    /// When it is told again if nothing changes.
    pub(crate) reminder: Option<Timestamp>,
    /// What is owed rests until then, because it was sent in vain before.
    pub(crate) rests_until: Option<Timestamp>,
    /// The channel takes no such messages before.
    pub(crate) away_until: Option<Timestamp>,
    /// The channel hears of what has lasted until then.
    pub(crate) early_until: Option<Timestamp>,
    /// The number of the silence or the acknowledgement.
    pub(crate) muted_by: Option<i64>,
}
