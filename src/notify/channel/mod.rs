//! The channels: pages of data, and three that are code: standard error, mail, and a command of the user's own.
//!
//! A page says how a message is encoded, how large it may be, and what answer means "taken". Each file here is one step of
//! that: `page` is its shape, `builtin_pages` finds it, `prepared` compiles it, `values` are the fields that a user has set,
//! `document` is what its expressions see, `request` makes the request, `sign` signs it, `verdict` judges the answer, and
//! `example` tests it by its own examples, which are about the alerts in `sample`. `coded` describes the three that are code:
//! `console`, `email`, `exec`.

pub(crate) mod builtin_pages;
pub(crate) mod coded;
mod console;
mod document;
pub(crate) mod email;
mod example;
pub(crate) mod exec;
pub(crate) mod page;
pub(crate) mod prepared;
mod request;
pub(crate) mod sample;
pub(crate) mod sign;
pub(crate) mod values;
mod verdict;

#[cfg(test)]
mod tests;

use std::ops::Range;

use jiff::Timestamp;

pub(super) use self::request::Post;
use self::request::Sender;
use super::message::Message;
use crate::model::alert::{Alert, Event};
use crate::model::failure::Failure;
use crate::notify::config::Channel;
use crate::wire::http::Response;

/// What makes the messages of a channel; none for one that is code.
fn sender(channel: &Channel) -> Option<Sender<'_>> {
    Some(Sender {
        prepared: channel.page.as_ref()?,
        values: &channel.values,
        source: &channel.source,
        mentions: &channel.mentions,
        body: channel.body.as_deref(),
        headers: &channel.headers,
    })
}

/// Encodes some of a message's alerts for a channel, signed for this moment.
///
/// # Errors
/// The page of the channel cannot be used.
pub(super) fn post(channel: &Channel, message: &Message, part: Range<usize>, now: Timestamp) -> Result<Post, Failure> {
    let alerts = &message.alerts[part];
    match sender(channel) {
        Some(sender) => sender.post(message, alerts, now),
        None if channel.command.is_some() => {
            Ok(Post::without_address(exec::body(message, alerts, &channel.source, now)))
        }
        None if channel.email.is_some() => {
            let letter = |email| email::shown(email, message, alerts, &channel.source);
            Ok(Post::without_address(channel.email.as_deref().map(letter).unwrap_or_default()))
        }
        None => Ok(Post::without_address(console::text(message, alerts, &channel.source))),
    }
}

/// Whether these alerts may stand in one message of the channel, and fit it.
pub(super) fn fits(channel: &Channel, message: &Message, part: Range<usize>) -> bool {
    let alerts = &message.alerts[part];
    match sender(channel) {
        Some(sender) => sender.fits(message, alerts),
        None => channel.email.is_none() || email::fits(alerts),
    }
}

/// The section of an alert on a channel; those of one section stand together.
pub(super) fn section(channel: &Channel, alert: &Alert) -> usize {
    sender(channel).map_or(0, |sender| sender.section(alert))
}

/// What an alert begins or ends for a channel that counts events, which stands together with others of the same; none for other
/// channels.
pub(super) fn event(channel: &Channel, alert: &Alert) -> Option<(Event, String)> {
    channel.is_event_service().then(|| (alert.event, document::condition(alert)))
}

/// Whether an answer stands for a taken message.
///
/// # Errors
/// Why the message was not taken.
pub(super) fn judge(channel: &Channel, response: &Response) -> Result<(), Failure> {
    match &channel.page {
        Some(page) => verdict::judge(page, channel.accept.as_deref(), response),
        None => Ok(()),
    }
}
