//! Text on standard error, for people at a terminal and for cron mail.

use crate::model::alert::Alert;
use crate::notify::message::{Message, as_it_is};

/// The text of a message.
pub(super) fn text(message: &Message, alerts: &[Alert], source: &str) -> String {
    let lines: String = alerts.iter().map(|alert| format!("  {}\n", message.line(alert, as_it_is))).collect();
    format!("{}\n{lines}  {}", message.title(alerts), message.footer(source, alerts, as_it_is))
}
