//! What tries a channel: an alert that is not true, for all channels that are tried.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::channel::sample;
use crate::decide::Telling;
use crate::model::words::words;
use crate::notify::config::Channel;
use crate::notify::message::Provider;

words! { flag
    /// What a message that tries a channel tells of.
    #[derive(Default)]
    pub(crate) enum Sample {
        /// A balance below its threshold
        #[default]
        Low = "low",
        /// An account that cannot be read
        Failing = "failing",
        /// A subscription that renews soon
        Renewal = "renewal",
        /// A mail about a bill
        Mail = "mail",
        /// A balance that will not last
        Runway = "runway",
        /// A day that consumes far more than is usual
        Spike = "spike",
        /// A credit that will lapse before it is used up
        Expiry = "expiry",
        /// An account that was topped up
        TopUp = "topup",
        /// Another schedule that has not run for longer than it used to
        Silent = "silent",
        /// A part of a digest
        Digest = "digest",
        /// A balance that is above its threshold again: the end of what `low` tells
        Recovered = "recovered",
    }
}

impl Sample {
    /// The alert, for all of these channels, as if the run had found it at this time on this day.
    pub(crate) fn telling(self, channels: &[Channel], run_id: &str, at: Timestamp, today: Date) -> Vec<Telling> {
        let to = channels.iter().map(|channel| channel.id.clone()).collect();
        sample::found(self.as_str(), run_id, at, today)
            .map(|alert| Telling { alert, to, later: Vec::new(), is_owed: false, earlier: BTreeMap::new() })
            .into_iter()
            .collect()
    }
}

/// What is known of the providers that samples are about, by their ids.
pub(crate) fn providers() -> BTreeMap<String, Provider> {
    sample::providers()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_a_sample() {
        for sample in Sample::ALL {
            assert!(sample::alert(sample.as_str()).is_some(), "{sample:?}");
        }
    }
}
