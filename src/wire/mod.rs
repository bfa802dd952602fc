//! How anything is asked or told over the network: clients, proxies, trust, repeats, rate limits and proofs of who asks.

pub mod auth;
pub(crate) mod config;
pub mod context;
pub(crate) mod hash;
pub mod http;
pub mod limit;
pub mod lookup;
pub mod retry;
