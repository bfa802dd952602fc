//! What every step of a run needs beside its own input.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::http::Clients;
use crate::process::clock::Clock;
use crate::process::logging::Format;
use crate::process::redact::Redactor;

/// One run: its name, its beginning, and how it reaches the outside.
#[derive(Clone)]
pub(crate) struct Context {
    /// The id of the run, in logs, messages and reports.
    pub run_id: String,
    /// The clock that the steps of the run ask.
    pub clock: Clock,
    /// When the run began.
    pub started_at: Timestamp,
    /// The day on which the run began, in the config's time zone.
    pub today: Date,
    /// The HTTP clients.
    pub clients: Arc<Clients>,
    /// Knows every secret of the config.
    pub redactor: Arc<Redactor>,
    /// The format of the log.
    pub format: Format,
}
