//! Text on standard error, for people at a terminal and for cron mail.

use super::Post;
use crate::model::alert::Alert;
use crate::notify::config::Channel;
use crate::notify::message::{Message, as_it_is};

pub(super) fn post(channel: &Channel, message: &Message, alerts: &[Alert]) -> Post {
    let lines: String = alerts.iter().map(|alert| format!("  {}\n", message.line(alert, as_it_is))).collect();
    let body = format!("{}\n{lines}  {}", message.title(alerts), message.footer(&channel.source, alerts, as_it_is));
    Post { url: None, size: body.len(), body }
}
