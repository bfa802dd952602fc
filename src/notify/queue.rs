//! The order in which the messages of one channel are sent, and what the failure of one means for the others.
//!
//! What was never sent comes first, repeats come after it, and a message that was refused for what it may hold is told in parts
//! after that, so that one bad alert holds back no other one. The alerts that are known to be refused come last.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::model::failure::{Failure, Reason, Retry};

/// The most messages of one run that tell parts of a message that was refused.
const MOST_SEARCHES: usize = 40;

/// The most alerts of refused messages that are sent alone, in one run, as long as the channel takes nothing at all.
const MOST_VAIN: usize = 3;

/// In so many runs a message is sent as a whole; if it was not taken then, it may be for one of its alerts.
const WHOLE: u32 = 2;

/// Of so many runs that have something new to tell, one begins with what was sent in vain.
const ONE_IN: u8 = 8;

/// The messages of a channel that are still to be sent.
pub(super) struct Queue {
    /// What was not sent in this run yet.
    waiting: VecDeque<Piece>,
    /// What is sent again, and not before when.
    repeats: Vec<(Instant, Piece)>,
    /// What belongs to messages that were refused; the last one comes first.
    refused: Vec<Refused>,
    /// The rest of the messages that begin with a part.
    rest: Vec<Range<usize>>,
    /// What earlier runs know to be refused.
    suspects: VecDeque<Piece>,
    /// When each alert was sent something before; none if never.
    tried: Vec<Option<Timestamp>>,
    /// Nothing is sent before.
    not_before: Option<Instant>,
    has_begun: bool,
    has_taken: bool,
    /// Failures in a row that may be the channel's.
    strikes: usize,
    /// The message of the last one of these.
    last: Option<Range<usize>>,
    /// Refused parts in a row while a refused message is told in parts.
    in_a_row: usize,
    searches: usize,
    /// Alerts that were sent alone to find out whether the channel takes anything, and refused.
    vain: usize,
    max_retries: u32,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) alerts: Range<usize>,
    /// Attempts that were made.
    pub(super) attempts: u32,
    pub(super) kind: Kind,
}

/// Why a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// As one of the messages that the alerts were split into; its number, counted from 0.
    Part(usize),
    /// As a part of a message that was refused.
    Half { is_first: bool },
    /// To find out whether the channel takes anything.
    Probe,
    /// Though earlier runs know that it is refused.
    Suspect,
}

/// Alerts of a message that was refused in this run, or not taken in earlier ones.
#[derive(Debug)]
struct Refused {
    alerts: Range<usize>,
    is_first: bool,
    /// Whether it is known that not all of them are taken together.
    is_bad: bool,
}

/// What became of a message.
pub(super) struct Outcome<'a> {
    /// Why it was not taken.
    pub(super) failure: Option<&'a Failure>,
    /// Whether it went out, and whether it was taken is not known.
    pub(super) is_lost: bool,
    /// After what time another attempt may help, in this run.
    pub(super) wait: Option<Duration>,
}

/// Whom a failure concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The message alone: the service, or the page of the channel, refuses it for what it holds.
    Message,
    /// The message or the channel.
    Either,
    /// The channel, as far as one message can tell.
    Doubtful,
    Channel,
}

impl Reach {
    fn of(failure: &Failure) -> Reach {
        match failure.reason {
            Reason::Api | Reason::Config => Reach::Message,
            Reason::HttpStatus if failure.retry == Retry::Never => Reach::Message,
            Reason::RateLimited | Reason::CircuitOpen | Reason::Cancelled => Reach::Channel,
            // A 403, a 500 or a web page may be about what one message holds, as well as about the credential or the service.
            Reason::HttpStatus | Reason::Auth | Reason::Decode => Reach::Either,
            _ => Reach::Doubtful,
        }
    }
}

/// Whether a refusal is certainly about the message; none if it is not about the message at all.
pub(super) fn blames_message(failure: &Failure) -> Option<bool> {
    match Reach::of(failure) {
        Reach::Message => Some(true),
        Reach::Either => Some(false),
        Reach::Doubtful | Reach::Channel => None,
    }
}

impl Queue {
    /// These messages, in their order; then these alerts, one by one. `past` says of each alert when it was sent something before,
    /// and in how many runs in vain.
    pub(super) fn new(
        parts: Vec<Range<usize>>,
        suspects: Range<usize>,
        past: Vec<Option<(Timestamp, u32)>>,
        max_retries: u32,
    ) -> Queue {
        let piece = |(number, alerts)| Piece { alerts, attempts: 0, kind: Kind::Part(number) };
        let mut queue = Queue {
            waiting: parts.into_iter().enumerate().map(piece).collect(),
            repeats: Vec::new(),
            refused: Vec::new(),
            rest: Vec::new(),
            suspects: suspects.map(|at| Piece { alerts: at..at + 1, attempts: 0, kind: Kind::Suspect }).collect(),
            tried: past.iter().map(|past| past.map(|(at, _)| at)).collect(),
            not_before: None,
            has_begun: false,
            has_taken: false,
            strikes: 0,
            last: None,
            in_a_row: 0,
            searches: 0,
            vain: 0,
            max_retries,
        };
        let vain: Vec<u32> = past.into_iter().map(|past| past.map_or(0, |(_, vain)| vain)).collect();
        queue.begin_with_parts(&vain);
        queue
    }

    /// Lets each message begin with those of its alerts that were not tried for the longest time, and with the fewer of them the
    /// oftener they were sent in vain: after [`WHOLE`] runs with half of a message, then with a quarter, and at last with one. The
    /// rest comes when that is through.
    ///
    /// A run may have a single turn, because of a limit or because the service blocks whoever asks twice. What holds a bad alert would
    /// be refused in each run, and nothing remembers which one it is. So of `n` alerts each is sent alone within
    /// `n * (log2(n) + WHOLE + 1)` such runs: in `n` of them each has its turn, and `log2(n) + WHOLE` turns make a message of one.
    fn begin_with_parts(&mut self, vain: &[u32]) {
        let tried = |at: &usize| self.tried.get(*at).copied().flatten();
        let vain = |at: usize| vain.get(at).copied().unwrap_or_default();
        let mut pieces: Vec<(usize, Piece)> = std::mem::take(&mut self.waiting)
            .into_iter()
            .filter_map(|piece| Some((piece.alerts.clone().min_by_key(tried)?, piece)))
            .collect();
        // What is new comes first. If there were something new in each run, what is old would never come.
        let is_new = pieces.first().is_some_and(|(first, _)| tried(first).is_none());
        if is_new && fastrand::u8(..ONE_IN) == 0 {
            let old = pieces
                .iter()
                .enumerate()
                .flat_map(|(at, (_, piece))| piece.alerts.clone().map(move |alert| (at, alert)));
            let old = old
                .filter(|(_, alert)| tried(alert).is_some() && vain(*alert) > WHOLE)
                .min_by_key(|(_, alert)| tried(alert));
            if let Some((at, alert)) = old {
                let (_, piece) = pieces.remove(at);
                pieces.insert(0, (alert, piece));
            }
        }
        let level = |at: usize| vain(at).saturating_sub(WHOLE);
        for (first, piece) in pieces {
            let all = piece.alerts.clone();
            let most = all.len().checked_shr(level(first)).unwrap_or_default().max(1);
            let is_like = |at: &usize| level(*at) == level(first);
            let after = (first..all.end).take_while(is_like).count().min(most);
            let before = (all.start..first).rev().take_while(is_like).count().min(most - after);
            let part = first - before..first + after;
            // The rest of the first message is to come first of these, and the last one of a list is taken first.
            let rest = [all.start..part.start, part.end..all.end].into_iter().filter(|rest| !rest.is_empty());
            self.rest.splice(0..0, rest.rev());
            self.waiting.push_back(Piece { alerts: part, ..piece });
        }
    }

    /// The next message, and the time before which it is not sent.
    pub(super) fn next(&mut self) -> Option<(Piece, Option<Instant>)> {
        let not_before = self.not_before.take();
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        // What was refused before is told in parts at once: if all such messages came first, a limit could leave no turn for parts.
        if !is_first
            && self.waiting.front().is_none_or(|piece| self.was_tried(piece))
            && let Some(piece) = self.search()
        {
            return Some((piece, not_before));
        }
        if let Some(piece) = self.waiting.pop_front() {
            return Some((piece, not_before));
        }
        let first = (0..self.repeats.len()).min_by_key(|at| self.repeats[*at].0);
        if let Some((at, piece)) = first.map(|first| self.repeats.remove(first)) {
            return Some((piece, not_before.max(Some(at))));
        }
        Some((self.suspects.pop_front()?, not_before))
    }

    /// Whether an earlier run sent all of these alerts.
    fn was_tried(&self, piece: &Piece) -> bool {
        piece.alerts.clone().all(|at| self.tried.get(at).is_some_and(Option::is_some))
    }

    /// The next part of a message that was refused.
    fn search(&mut self) -> Option<Piece> {
        if self.searches >= MOST_SEARCHES || !self.has_taken && self.vain >= MOST_VAIN {
            self.refused.clear();
        }
        let piece = loop {
            let Refused { alerts, is_first, is_bad } = self.refused.pop()?;
            if !self.has_taken {
                break self.probe(alerts, is_bad);
            }
            if !is_bad || alerts.len() == 1 {
                break Piece { alerts, attempts: 0, kind: Kind::Half { is_first } };
            }
            let middle = alerts.start + alerts.len() / 2;
            self.refused.push(Refused { alerts: middle..alerts.end, is_first: false, is_bad: false });
            self.refused.push(Refused { alerts: alerts.start..middle, is_first: true, is_bad: false });
        };
        self.searches += 1;
        Some(piece)
    }

    /// One of these alerts alone: the one that was not tried for the longest time, or any one, as a rule can go round in a circle.
    /// `was_refused` says whether they were refused together in this run.
    fn probe(&mut self, alerts: Range<usize>, was_refused: bool) -> Piece {
        let start = alerts.start;
        let tried = |at: &usize| self.tried.get(*at).copied().flatten();
        let first = alerts.clone().min_by_key(tried).unwrap_or(start);
        let any = tried(&first).is_some() && fastrand::bool();
        let at = if any { fastrand::usize(alerts.clone()) } else { first };
        let rest = [alerts.start..at, at + 1..alerts.end];
        let rest: Vec<Range<usize>> = rest.into_iter().filter(|rest| !rest.is_empty()).collect();
        // If the one that is sent is taken, it was one of the others that was refused.
        let is_bad = was_refused && rest.len() == 1;
        self.refused.extend(rest.into_iter().map(|alerts| Refused { alerts, is_first: false, is_bad }));
        Piece { alerts: at..at + 1, attempts: 0, kind: Kind::Probe }
    }

    /// Draws the consequences of what became of a message.
    ///
    /// After a failure that may be the channel's, other messages are tried: one at once, and after that as many as there would
    /// be repeats of one message. Nothing more is sent if all of them fail likewise.
    pub(super) fn heed(&mut self, piece: Piece, outcome: &Outcome) {
        let Some(failure) = outcome.failure else {
            return self.take(&piece);
        };
        let reach = Reach::of(failure);
        if matches!(piece.kind, Kind::Half { .. }) && self.has_taken {
            return self.heed_half(piece, reach, outcome);
        }
        // What may be refused for what it holds was repeated in an earlier run.
        let is_refused_again = reach == Reach::Either && piece.alerts.len() > 1 && self.was_tried(&piece);
        let again = outcome.wait.filter(|_| !is_refused_again).map(|wait| Instant::now() + wait);
        match reach {
            Reach::Message | Reach::Either => self.open_rest(),
            // It says nothing of what a part holds, so the rest would meet the same.
            Reach::Doubtful | Reach::Channel if again.is_none() => self.rest.clear(),
            Reach::Doubtful | Reach::Channel => {}
        }
        match reach {
            Reach::Message => self.strikes = 0,
            Reach::Channel if again.is_none() || self.strikes >= self.max_retries as usize => return self.stop(),
            Reach::Channel | Reach::Either | Reach::Doubtful => self.strikes += 1,
        }
        if reach == Reach::Channel {
            self.not_before = again;
        }
        if piece.kind == Kind::Probe && reach == Reach::Message {
            self.vain += 1;
        }
        let is_open = self.is_open(&piece, again);
        match again {
            Some(at) => self.repeats.push((at, piece)),
            None if piece.alerts.len() > 1 && !outcome.is_lost && blames_message(failure).is_some() => {
                self.refused.push(Refused { alerts: piece.alerts, is_first: false, is_bad: true });
            }
            None => {}
        }
        if !is_open {
            self.stop();
        } else if self.strikes == 1 {
            self.shuffle();
        }
    }

    /// Whether the failures in a row that may be the channel's leave anything to try.
    fn is_open(&mut self, piece: &Piece, again: Option<Instant>) -> bool {
        let is_same = self.last.replace(piece.alerts.clone()).is_some_and(|last| last == piece.alerts);
        match self.strikes {
            0 | 1 => true,
            strikes if strikes >= self.max_retries as usize + 2 => false,
            _ => {
                self.not_before = self.not_before.max(again);
                again.is_some() || is_same
            }
        }
    }

    /// The channel has taken a message.
    fn take(&mut self, piece: &Piece) {
        self.has_taken = true;
        (self.strikes, self.in_a_row, self.last) = (0, 0, None);
        self.open_rest();
        // Of two halves of what was refused, it is the other one that was.
        if let (Kind::Half { is_first: true }, Some(other)) = (piece.kind, self.refused.last_mut()) {
            other.is_bad = true;
        }
    }

    /// What is left of messages that begin with a part is told as the parts of a refused one are.
    fn open_rest(&mut self) {
        let rest = std::mem::take(&mut self.rest).into_iter();
        self.refused.extend(rest.map(|alerts| Refused { alerts, is_first: false, is_bad: false }));
    }

    /// Part of a refused message is refused, on a channel that takes others.
    fn heed_half(&mut self, piece: Piece, reach: Reach, outcome: &Outcome) {
        self.in_a_row += 1;
        let most = self.tried.len().max(2).ilog2() as usize + 3;
        match reach {
            Reach::Doubtful | Reach::Channel => return self.stop(),
            _ if outcome.is_lost || reach == Reach::Either && self.in_a_row > most => return self.stop(),
            _ => {}
        }
        if piece.alerts.len() > 1 {
            self.refused.push(Refused { alerts: piece.alerts, is_first: false, is_bad: true });
        }
    }

    /// Puts any one of the messages that are equally due first: if it were always the same one, two bad messages could hold back
    /// all others in every run, where runs are not remembered.
    fn shuffle(&mut self) {
        let due = |piece: &Piece| self.tried.get(piece.alerts.start).copied().flatten();
        let first = self.waiting.front().map(due);
        let equal = self.waiting.iter().take_while(|piece| Some(due(piece)) == first).count();
        if equal > 0 {
            self.waiting.swap(0, fastrand::usize(..equal));
        }
    }

    /// Sends nothing more.
    fn stop(&mut self) {
        self.waiting.clear();
        self.repeats.clear();
        self.rest.clear();
        self.refused.clear();
        self.suspects.clear();
    }
}

#[cfg(test)]
mod tests;
