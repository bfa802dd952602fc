//! The order in which the messages of one channel are sent, and what the failure of one means for those after it.

use std::collections::VecDeque;
use std::ops::Range;

use crate::model::failure::{Failure, Reason, Retry};

/// The messages of a channel that are still to be sent.
pub(super) struct Queue {
    /// The number of each message, counted from 0, and its alerts.
    waiting: VecDeque<(usize, Range<usize>)>,
    is_probing: bool,
    /// Whether the channel has taken a message in this run.
    has_taken: bool,
}

/// Whom a failure concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The message alone: the service, or the page of the channel, refuses it for what it holds.
    Message,
    /// The channel, as far as one message can tell.
    Doubtful,
    /// The channel.
    Channel,
}

impl Reach {
    fn of(failure: &Failure, has_taken: bool) -> Reach {
        match failure.reason {
            Reason::Api | Reason::Config => Reach::Message,
            Reason::HttpStatus if failure.retry == Retry::Never => Reach::Message,
            // Where a message was taken, the credential is right, and this may be about what the message holds.
            Reason::Auth if has_taken => Reach::Doubtful,
            Reason::Auth | Reason::RateLimited | Reason::CircuitOpen | Reason::Cancelled => Reach::Channel,
            _ => Reach::Doubtful,
        }
    }
}

impl Queue {
    /// These messages, in their order.
    ///
    /// Where some of them were owed before this run, the first one is taken at random: if it were always the same one, and the
    /// channel refused that one in a way that stops it, those behind it would never be tried.
    pub(super) fn new(parts: Vec<Range<usize>>, are_owed: bool) -> Queue {
        let mut queue = Queue { waiting: parts.into_iter().enumerate().collect(), is_probing: false, has_taken: false };
        if are_owed {
            queue.rotate();
        }
        queue
    }

    /// Begins with any one of those that are waiting.
    fn rotate(&mut self) {
        if !self.waiting.is_empty() {
            self.waiting.rotate_left(fastrand::usize(..self.waiting.len()));
        }
    }

    /// The next message and its number, counted from 0.
    pub(super) fn next(&mut self) -> Option<(usize, Range<usize>)> {
        self.waiting.pop_front()
    }

    /// Whether the next message is sent to find out if the channel works at all. One attempt is enough for that.
    pub(super) fn is_probing(&self) -> bool {
        self.is_probing
    }

    /// Draws the consequences of what became of the last message.
    ///
    /// After a failure that may be the channel's, one more message is tried, and nothing more is sent if that fails likewise.
    /// It is taken at random: if it were always the same one, two bad messages could hold back all others in every run.
    pub(super) fn heed(&mut self, failure: Option<&Failure>) {
        self.has_taken |= failure.is_none();
        match failure.map_or(Reach::Message, |failure| Reach::of(failure, self.has_taken)) {
            Reach::Message => self.is_probing = false,
            Reach::Doubtful if !self.is_probing && !self.waiting.is_empty() => {
                self.is_probing = true;
                self.rotate();
            }
            Reach::Doubtful | Reach::Channel => self.waiting.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages out of five that are sent, if these fail.
    fn sent(fail: impl Fn(usize) -> Option<Failure>) -> Vec<usize> {
        sent_of(false, fail)
    }

    /// The same, if some of them were owed before.
    fn sent_of(are_owed: bool, fail: impl Fn(usize) -> Option<Failure>) -> Vec<usize> {
        let mut queue = Queue::new((0..5).map(|at| at..at + 1).collect(), are_owed);
        let mut sent = Vec::new();
        while let Some((number, _)) = queue.next() {
            sent.push(number);
            queue.heed(fail(number).as_ref());
        }
        sent
    }

    #[test]
    fn a_message_that_is_refused_for_what_it_holds_stops_no_other() {
        for failure in [
            Failure::of_status(400, "x"),
            Failure::of_status(404, "x"),
            Failure::of_status(413, "x"),
            Failure::of_status(422, "x"),
            Failure { retry: Retry::Never, ..Failure::of_status(503, "x") },
            Failure::new(Reason::Api, "x"),
            Failure::transient(Reason::Api, "x"),
            Failure::new(Reason::Config, "its `body` fails"),
        ] {
            let of = |poisoned: fn(usize) -> bool| sent(|number| poisoned(number).then(|| failure.clone()));
            assert_eq!(of(|number| number == 0), [0, 1, 2, 3, 4], "{failure:?}");
            assert_eq!(of(|_| true), [0, 1, 2, 3, 4], "{failure:?}");
        }
    }

    #[test]
    fn a_fault_of_the_channel_stops_the_rest_once_a_second_message_has_met_it() {
        for failure in [
            Failure::of_status(500, "x"),
            Failure::lasting(Reason::Timeout, "x"),
            Failure::transient(Reason::Connect, "x"),
            Failure::new(Reason::Decode, "x"),
        ] {
            assert_eq!(sent(|_| Some(failure.clone())).len(), 2, "{failure:?}");
            let mut one = sent(|number| (number == 1).then(|| failure.clone()));
            one.sort_unstable();
            assert_eq!(one, [0, 1, 2, 3, 4], "{failure:?}");
        }
        for failure in [401, 403, 429].map(|status| Failure::of_status(status, "x")) {
            assert_eq!(sent(|_| Some(failure.clone())), [0], "{failure:?}");
        }
        assert_eq!(sent(|_| Some(Failure::new(Reason::Cancelled, "x"))), [0]);
    }

    #[test]
    fn a_credential_that_was_right_for_one_message_is_not_wrong_for_another() {
        for status in [401, 403] {
            let refused = |of: fn(usize) -> bool| {
                let mut sent = sent(|number| of(number).then(|| Failure::of_status(status, "x")));
                sent.sort_unstable();
                sent
            };
            assert_eq!(refused(|number| number == 1), [0, 1, 2, 3, 4], "HTTP {status}");
            assert_eq!(refused(|number| number > 0).len(), 3, "HTTP {status}: it may have been withdrawn meanwhile");
        }
        assert_eq!(sent(|number| (number == 1).then(|| Failure::of_status(429, "x"))), [0, 1]);
    }

    #[test]
    fn no_message_is_held_back_for_ever_by_one_that_stops_the_channel() {
        let mut tried = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let sent = sent_of(true, |number| (number == 0).then(|| Failure::of_status(429, "x")));
            let stopped = sent.iter().position(|number| *number == 0);
            assert_eq!(stopped.map(|at| at + 1), Some(sent.len()), "{sent:?}");
            tried.extend(sent);
        }
        assert_eq!(tried.len(), 5, "{tried:?}");
        assert_eq!(sent_of(false, |_| None), [0, 1, 2, 3, 4], "what is new is sent in its order");
    }

    #[test]
    fn two_bad_messages_do_not_hold_back_the_others_in_every_run() {
        let bad = |number| (number < 2).then(|| Failure::lasting(Reason::Timeout, "x"));
        assert!((0..200).any(|_| sent(bad).len() == 5));
    }
}
