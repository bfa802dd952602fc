//! The nouns that every room speaks of.

pub(crate) mod addressing;
pub(crate) mod alert;
pub(crate) mod amount;
pub(crate) mod cadence;
pub(crate) mod charset;
pub(crate) mod failure;
pub(crate) mod forecasting;
pub(crate) mod identity;
pub(crate) mod schedule;
pub(crate) mod shard;
pub(crate) mod strength;
pub(crate) mod text;
pub(crate) mod threshold;
pub(crate) mod words;
