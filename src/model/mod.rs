//! The nouns that every room speaks of.

pub mod alert;
pub mod amount;
pub mod failure;
pub mod identity;
pub mod shard;
pub mod text;
pub mod words;
