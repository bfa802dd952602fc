//! balance-alert tells you before an API account, a cloud account or a subscription runs dry.
//!
//! A run reads as one sentence: *the user wrote something ([`config`]), we planned ([`plan`]), we looked ([`check`]), we judged
//! ([`decide`]), we told ([`notify`]), we remembered ([`state`]), we published ([`publish`]), we reported ([`report`]), we left
//! ([`process::exit`]).* Each step takes the value of the one before and nothing flows back:
//!
//! ```text
//! argv -- cli --+
//! file -- config+-> Config -> Plan -> Vec<Outcome> -> Vec<Verdict> -> Vec<Delivery> -> Report -> stdout, Exit
//!                               ^                       ^                 |
//!                               +------- Memory --------+---- marks <-----+
//! ```
//!
//! [`commands`] has one file for each subcommand; `commands/check.rs` is the sentence. Which room may use which is written in
//! `docs/architecture.md` and held by `tests/integration/house.rs`.

// Tests may wait, and write files as they are.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may wait"))]

// The flags, and one file for each subcommand.
pub mod cli;
pub mod commands;

// 1. What the user wrote.
pub mod config;

// 2. What this run will do.
pub mod plan;

// 3. What the world says.
pub mod check;

// 4. Is that bad, and who has not heard of it?
pub mod decide;

// 5. Who must know.
pub mod notify;

// 6. What we remember.
pub mod state;

// 7. The sums, and where they go.
pub mod metrics;
pub mod publish;

// 8. What the run says.
pub mod report;

// What the rooms above are built of: the language of pages, the wire, text with places, this process, the nouns.
pub mod model;
pub mod page;
pub mod process;
pub mod wire;
pub mod yaml;
