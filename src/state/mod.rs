//! What we remember from run to run: what was told, what is still to be told, samples, readings, circuits.
//!
//! [`Store`] owns one connection on a thread of its own and waits for it a bounded time only: a store that hangs, or is
//! damaged, or cannot be written never stops a check or an alert. `snapshot` reads what a run begins with, `claim` is
//! the transaction in which it decides, `finish` its end; the two places that a store can stand in are `sqlite` and `postgres`.
//! Not here: what follows from what is remembered (`decide`).
//!
//! **Delivery is at least once, for each channel.** A message is written as owed to its channels, in the transaction that
//! decides it, before it is sent; for each channel it is marked after that channel has taken it. A run that ends between the
//! two leaves it owed, and the next run sends it with the same key. So a message can come twice only if its run dies, or loses
//! its store, after the service took the message and before the mark (as long as the slowest channel takes, plus one
//! transaction), or if the service takes it and does not say so in time: then it comes again in a later run, not in this one.

mod acknowledge;
mod answers;
mod ask_payments;
mod channel_states;
mod claim;
pub(crate) mod config;
mod damaged_rows;
mod database;
mod digests;
mod edited_checks;
mod error;
mod finish;
pub(crate) mod hourly_readings;
pub(crate) mod location;
mod mark_mails;
mod mark_settled;
mod mutes;
mod outbox;
pub(crate) mod past_runs;
mod payments;
mod postgres;
mod prune;
pub(crate) mod queries;
mod readings;
mod records;
mod remembered;
mod rows;
mod samples;
mod schedules;
mod schema;
pub(crate) mod session;
pub(crate) mod sightings;
mod snapshot;
mod sqlite;
pub(crate) mod stretch;
mod sums;
mod thin;
mod told;
mod wait;
mod worker;

pub(crate) use self::channel_states::ChannelState;
pub(crate) use self::digests::DigestClaim;
pub(crate) use self::error::{StoreError, StoreFault};
pub(crate) use self::location::{fault, in_the_clear, name, shown};
pub(crate) use self::mark_mails::MailMarker;
pub(crate) use self::mark_settled::DeliveryKeeper;
pub(crate) use self::mutes::Said;
pub(crate) use self::payments::{Kept as KeptRenewal, Noted};
pub(crate) use self::records::{
    Access, ConfiguredNames, Decider, DeliveryRecord, Marks, MetricMarks, Run, RunFindings, Snapshot,
};
pub(crate) use self::wait::{LONGEST_WAIT, Store};
