//! What a run and its store hand each other.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::check::CachedReading;
use crate::check::account::drift::Answers;
use crate::check::circuit::HostState;
use crate::check::mailbox::account_mails::Kept;
use crate::check::mailbox::imap_session::Cursor;
use crate::check::mailbox::scan::Mark;
use crate::decide::memory::{Fate, Memory};
use crate::decide::{Decision, Found};
use crate::metrics::Tally;
use crate::model::alert::Alert;
use crate::model::identity::Identity;
use crate::model::schedule::Schedule;
use crate::model::shard::Shard;
use crate::process::clock::Clock;

/// The access mode of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// A run writes. The store is made if it does not exist.
    Write,
    /// A question or a dry run reads. Nothing is made or changed.
    Read,
}

/// What is known when a run begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// The circuits that are not closed, or not sure to be.
    pub circuits: HashMap<String, HostState>,
    /// Readings that are fresh enough, by hashed account.
    pub readings: HashMap<String, CachedReading>,
    /// The key of these hashes; none if readings are not kept.
    pub account_key: Option<String>,
    /// The same key for the hashes of answers; none if this run writes nothing.
    pub answers_key: Option<String>,
    /// How far mailboxes were read.
    pub cursors: HashMap<Identity, Cursor>,
    /// What other runs are reading there, or were reading when they died.
    pub marks: HashMap<Identity, Mark>,
    /// What is known of the accounts that mails tell of.
    pub mails: HashMap<Identity, Kept>,
    /// The last payment of each subscription that people have noted.
    pub payments: HashMap<Identity, Date>,
    /// All that decisions depend on, as long as nobody writes.
    pub memory: Memory,
}

/// The run that writes.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// What time it is for it.
    pub clock: Clock,
    /// Until when it may be sending.
    pub claims_until: Timestamp,
    /// Whether it leaves checks out.
    pub is_partial: bool,
    /// Which part of all checks it is about, if several runs share them.
    pub shard: Option<Shard>,
    /// The names of the channels that cannot be used as they are configured.
    pub unusable_channels: Vec<String>,
    /// What names the runs that this one is one of.
    pub schedule_name: String,
}

impl Run {
    /// The runs that this one is one of.
    pub(super) fn schedule(&self) -> Schedule {
        Schedule { name: self.schedule_name.clone(), shard: self.shard }
    }
}

/// What a run has found, for the transaction that decides.
#[derive(Debug, Default)]
pub(crate) struct RunFindings {
    pub found: Found,
    /// New readings, by hashed account.
    pub readings: Vec<(String, CachedReading)>,
    /// What the answers of services look like, and the key that their hashes are made with.
    pub answers: Vec<Answers>,
    pub answers_key: Option<String>,
    /// What is known of the accounts that mails tell of.
    pub mails: Vec<(Identity, Kept)>,
    /// What changed of the circuits.
    pub circuits: Vec<(String, HostState)>,
    /// What the checks add to the metrics of a group, if anybody wants metrics.
    pub metrics: Option<(String, Tally)>,
}

/// What became of a run's messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    pub alerts: Vec<Alert>,
    /// What became of each of them on each channel that it is for.
    pub deliveries: Vec<DeliveryRecord>,
    /// How the run ends, without `--fail-on`.
    pub exit_code: i64,
    /// What its end adds to the metrics, if anybody wants metrics.
    pub metrics: Option<MetricMarks>,
}

/// What the end of a run means for the metrics of a group.
#[derive(Clone, Debug)]
pub(crate) struct MetricMarks {
    pub group: String,
    /// What is added to the sums.
    pub tally: Tally,
    /// The config's hash; a new one counts as a reload.
    pub config: String,
    /// When the run ended, if it was fully successful.
    pub succeeded_at: Option<Timestamp>,
    /// For a run over all checks: the names that the config still has. The sums of all others are removed.
    pub present: Option<ConfiguredNames>,
}

/// The names in the config that labels of sums can hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConfiguredNames {
    /// Projects with their providers.
    pub projects: Vec<(String, String)>,
    /// The types of the channels.
    pub webhook_types: Vec<String>,
}

/// The fate of an alert on a channel.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryRecord {
    /// The alert, by its position.
    pub alert: usize,
    /// The channel's id.
    pub channel: String,
    /// What became of it.
    pub fate: Fate,
    /// Why it was not taken, or why that is not known.
    pub detail: Option<String>,
    /// When the channel was asked to take it; none if this run did not ask.
    pub tried_at: Option<Timestamp>,
    /// Whether the channel refused it alone, and took others.
    pub is_poisoned: bool,
}

/// The pure decision as a closure. It runs inside the transaction of the store, and once more if a damaged file is replaced.
pub(crate) type Decider = Arc<dyn Fn(&Memory) -> Decision + Send + Sync>;
