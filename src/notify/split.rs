//! Where a message that is too long for its channel is split.

use std::ops::Range;

use super::channel;
use super::config::Channel;
use super::message::Message;

/// The ranges of alerts that fit one message each, in their order.
pub(super) fn parts(channel: &Channel, message: &Message) -> Vec<Range<usize>> {
    let total = message.alerts.len();
    let mut parts = Vec::new();
    let mut start = 0;
    while start < total {
        let fits = |end: &usize| channel::fits(channel, message, start..*end);
        let mut end = start + 1;
        // Doubling, then closing in: a message is rendered a logarithmic number of times.
        let mut step = 1;
        while end < total && fits(&(end + step).min(total)) {
            end = (end + step).min(total);
            step *= 2;
        }
        while step > 1 {
            step /= 2;
            if end + step <= total && fits(&(end + step)) {
                end += step;
            }
        }
        parts.push(start..end);
        start = end;
    }
    parts
}
