//! balance-alert tells you before an API account, a cloud account or a subscription runs dry.
//!
//! A run reads as one sentence: *the user wrote something (`config`), we planned (`plan`), we looked (`check`), we judged
//! (`decide`), we told (`notify`), we remembered (`state`), we published (`publish`), we reported (`report`), we left
//! (`process::exit`).* Each step takes the value of the one before:
//!
//! ```text
//! argv -- cli --+
//! file -- config+-> Config -> Plan -> Vec<Outcome> -> Vec<Verdict> -> Vec<Delivery> -> Findings -> Report -> stdout, Exit
//!                               ^                       ^                 |
//!                               +------- Memory --------+---- marks <-----+
//! ```
//!
//! `commands` has one file for each subcommand; `commands/check.rs` is the sentence. Which room may use which is written in
//! `docs/architecture.md` and held by `tests/integration/house.rs`.

// Tests may wait, and write files as they are.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may wait"))]

// The flags, and one file for each subcommand.
mod cli;
mod commands;

// 1. What the user wrote.
mod config;

// 2. What this run will do.
mod plan;

// 3. What the world says.
mod check;

// 4. Is that bad, and who has not heard of it?
mod decide;

// 5. Who must know.
mod notify;

// 6. What we remember.
mod state;

// 7. The sums, and where they go.
mod metrics;
mod publish;

// 8. What the run says.
mod report;

// What the rooms above are built of: the language of pages, the wire, text with places, this process, the
// nouns.
mod model;
mod page;
mod process;
mod wire;
mod yaml;

// What the program's `main` needs; a user of the crate has no other door.
pub use cli::with_tip;
pub use commands::{Cli, close, on_trial, run};
pub use process::Process;
pub use process::exit::Exit;
pub use process::logging::{flush, last_words, note_usage};

/// What the tests and benchmarks of this repository look at. It may change at any time.
#[doc(hidden)]
pub mod internals {
    pub use crate::check::mailbox::answer::Answers;
    pub use crate::check::mailbox::config::EmailSettings;
    pub use crate::check::mailbox::imap_session::{Bounds, Cursor, Letter, Reader, Visit, visit};
    pub use crate::check::mailbox::login::{Address, Proof, Security};
    pub use crate::check::mailbox::mail::Mail;
    pub use crate::check::mailbox::{engine, finding, judge, keywords, mail};
    pub use crate::cli::variables;
    pub use crate::config::Settings;
    pub use crate::decide::forecast;
    pub use crate::metrics::family;
    pub use crate::model::failure::{Failure, Reason, Retry};
    pub use crate::model::strength::Strength;
    pub use crate::page::expression::{Expression, Variables, parse_json};
    pub use crate::process::redact::Redactor;
    pub use crate::report::Output;
}
