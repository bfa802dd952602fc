//! What an entry of the config says of who hears of it.

use std::collections::BTreeMap;

/// What an entry says of who hears of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Addressing {
    /// Its labels, which webhooks can match and messages carry.
    pub labels: BTreeMap<String, String>,
    /// The names of the webhooks that hear of it; none if their own rules decide that.
    pub notify: Option<Vec<String>>,
}
