//! What names the runs that one scheduler starts again and again, where several share a store.

use std::fmt;

use super::identity::Identity;
use super::shard::Shard;

/// Runs of one config with the same selection, over the same part of its checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// The CronJob, or the config with the flags that leave checks out; empty in stores of older versions.
    pub name: String,
    /// Which part of all checks they are about.
    pub shard: Option<Shard>,
}

impl Schedule {
    /// What stands in the place of the provider in alerts about schedules.
    pub(crate) const PROVIDER: &str = "schedule";

    /// What its alerts are known by.
    pub(crate) fn identity(&self) -> Identity {
        Identity::of("schedule", &self.to_string(), &[])
    }
}

impl fmt::Display for Schedule {
    /// As one would write it on a command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shard {
            Some(shard) => write!(f, "{} --shard {shard}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
