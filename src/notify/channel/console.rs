//! Text on standard error, for people at a terminal and for cron mail.

use jiff::Timestamp;

use super::{Post, Service};
use crate::model::alert::Alert;
use crate::model::failure::Failure;
use crate::notify::config::Channel;
use crate::notify::message::{Message, as_it_is};

pub(super) struct Console;

impl Service for Console {
    fn post(&self, channel: &Channel, message: &Message, alerts: &[Alert], _now: Timestamp) -> Post {
        let lines: String = alerts.iter().map(|alert| format!("  {}\n", message.line(alert, as_it_is))).collect();
        let body = format!("{}\n{lines}  {}", message.title(alerts), message.footer(&channel.source, alerts, as_it_is));
        Post { url: None, size: body.len(), body }
    }

    /// What could be written was taken.
    fn judge(&self, _channel: &Channel, _body: &[u8]) -> Result<(), Failure> {
        Ok(())
    }
}
