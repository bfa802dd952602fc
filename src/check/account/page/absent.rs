//! Services that have no API which tells a balance: a page says so, so that "not supported" is an answer.

use serde::{Deserialize, Serialize};

use super::{Checked, Group};

/// A service whose account cannot be read.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Absent {
    /// The word that `projects[].provider` would name.
    pub id: String,
    /// The name for people.
    pub title: String,
    /// Which part of the list of providers it stands in.
    #[serde(default)]
    pub group: Group,
    /// That there is none.
    pub meter: NoMeter,
    /// Since when that is known, as `2026-08`.
    pub since: String,
    /// Why it cannot be read.
    pub why: String,
    /// What can be done instead.
    pub instead: String,
    /// Where the service says what it has.
    pub docs: Option<String>,
    /// Where an account is topped up.
    pub top_up: Option<String>,
    /// When and by what that was checked.
    pub checked: Option<Checked>,
}

/// `none`, the only meter of a service that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NoMeter {
    /// There is no way to read it.
    None,
}
