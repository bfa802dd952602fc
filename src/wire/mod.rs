//! How anything is asked or told over the network: clients, proxies, trust, repeats, rate limits and proofs of who asks.

pub(crate) mod auth;
pub(crate) mod config;
pub(crate) mod context;
pub(crate) mod hash;
pub(crate) mod http;
pub(crate) mod limit;
pub(crate) mod lookup;
pub(crate) mod retry;
pub(crate) mod socket;
