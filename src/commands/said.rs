//! Who says something that the memory of runs keeps, and why.

use clap::Args;
use jiff::Timestamp;

use super::memory::person;
use crate::model::text;
use crate::state::Said;

/// The longest reason, in characters.
const REASON_CHARS: usize = 200;

/// Flags of what somebody says.
#[derive(Clone, Debug, Args)]
pub(super) struct SaidFlags {
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    /// Who [default: the user and the host of this process]
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
}

impl SaidFlags {
    /// What is said at this time.
    pub(super) fn said(&self, at: Timestamp) -> Said {
        Said { who: person(self.by.as_deref()), reason: text::one_line(&self.reason, REASON_CHARS), at }
    }
}
