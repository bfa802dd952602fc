//! Text with places: what each feature's `config.rs` reads its part of the config with.
//!
//! A text becomes a tree whose nodes have positions ([`document`]), variables are filled in ([`interpolate`]), nodes become shapes
//! ([`shape`]) and values ([`scalar`], [`value`], [`secret`], [`address`]), and every problem is collected with its place
//! ([`reader`], [`problem`]). Not here: which keys there are and what they mean.

pub(crate) mod address;
pub(crate) mod addressing;
mod command;
pub(crate) mod credential;
pub(crate) mod document;
pub(crate) mod entry;
pub(crate) mod field;
pub(crate) mod forecasting;
mod interpolate;
mod key;
mod locate;
mod numbers;
pub(crate) mod path;
pub(crate) mod problem;
pub(crate) mod reader;
pub(crate) mod scalar;
pub(crate) mod secret;
pub(crate) mod secret_commands;
pub(crate) mod shape;
mod size;
mod surrogates;
pub(crate) mod texts;
mod tree;
pub(crate) mod value;
