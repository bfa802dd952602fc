//! The real program against local HTTP and HTTPS servers, as one binary: it links once and
//! shares its servers' code. Nothing here looks into `src/`; the contract is what a user sees.

mod access;
mod causes;
mod channel_types;
mod channels;
mod config_mistakes;
mod faults;
mod limits;
mod mailboxes;
mod memory;
mod metrics;
mod platform;
mod providers;
mod quickstart;
mod report;
mod shards;
mod signals;
mod subscriptions;
mod support;
mod transport;
