//! What is remembered, as plain values: the snapshot that `decide` gets and the changes that it returns. No I/O.

use std::collections::HashMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::alert::{Alert, Identity, Level, Topic};
use crate::failure::Reason;

/// All that earlier runs left that matters to this one's decisions.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Failed runs in a row, of the checks that failed last time.
    pub failures: HashMap<Identity, u32>,
    /// What is wrong as far as earlier runs know.
    pub conditions: HashMap<(Identity, Topic), Condition>,
}

/// Something that was found wrong and is not known to be over.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    /// What a channel has taken last; none if nobody was told yet.
    pub told: Option<Told>,
    /// A message that no channel has taken yet.
    pub pending: Option<Pending>,
}

/// What was last told of a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// How urgent it was.
    pub level: Level,
    /// What was left.
    pub balance: Option<Decimal>,
    /// The threshold it was below.
    pub threshold: Option<Decimal>,
    /// Which renewal was told on which day ([`Alert::mark`]).
    pub mark: String,
}

/// A message that was decided and not delivered.
#[derive(Clone, Debug)]
pub struct Pending {
    /// What it says.
    pub alert: Alert,
    /// Whether another run, still alive, is sending it.
    pub claimed: bool,
}

/// What a run leaves for the next ones, to be written before anything is sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Failed runs in a row with the last reason; 0 where a check works again.
    pub failures: Vec<(Identity, u32, Option<Reason>)>,
    /// Messages that are no longer to be sent, by their dedup keys.
    pub withdrawn: Vec<String>,
    /// Conditions that are over without anybody to tell.
    pub over: Vec<(Identity, Topic)>,
}
