//! Words that the config, the store and reports share.

use serde::{Deserialize, Serialize};

/// What an account counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum BalanceType {
    /// Money
    Balance,
    /// Credits or points
    Credits,
}

impl BalanceType {
    /// The word used in the config and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            BalanceType::Balance => "balance",
            BalanceType::Credits => "credits",
        }
    }
}

/// The language of alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English
    #[default]
    En,
    /// 中文
    Zh,
}
