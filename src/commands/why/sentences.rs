//! Why one channel is told or not: what it knows, what it is owed, what follows from that, and what would have to change.

use rust_decimal::Decimal;

use super::shown::Shown;
use crate::decide::memory::{Mute, MuteKind, Told};
use crate::decide::{Act, Explained, Knows, Now, Owes, Ruling};
use crate::model::alert::{Event, Topic};
use crate::model::amount;
use crate::model::text;

/// What is said of one channel.
pub(super) struct Said {
    /// What it knows, what it is owed, and what is the case for it.
    pub(super) because: Vec<String>,
    /// What the next run does if it finds the same.
    pub(super) next: String,
    /// What would have to change for that to be otherwise; empty if nothing can be said.
    pub(super) change: String,
}

impl Shown<'_> {
    /// What is said of one channel.
    pub(super) fn said(&self, explained: &Explained, ruling: &Ruling) -> Said {
        let mut because = vec![self.knows(ruling)];
        because.extend(self.owed(ruling));
        because.extend(self.now(explained, ruling));
        because.extend(self.fault(&ruling.channel));
        let next = match ruling.row {
            None if ruling.owed.as_ref().is_some_and(|owed| owed.is_claimed) => {
                "Another run is sending it just now."
            }
            None if explained.key.1 == Topic::Mail && ruling.act == Act::Hold => "A mail is told once, so nothing is sent.",
            _ if ruling.owed.is_none() && ruling.act == Act::Drop => does(Act::Rest),
            _ => does(ruling.act),
        };
        Said { because, next: next.to_owned(), change: self.change(explained, ruling) }
    }

    fn knows(&self, ruling: &Ruling) -> String {
        let Some(told) = &ruling.told else {
            return "It has not been told.".to_owned();
        };
        let balance = told.balance.map(|balance| format!(", {}", amount::show(balance, told.currency.as_deref())));
        let balance = balance.unwrap_or_default();
        let knows = match ruling.row.map(|(_, known)| known.knows) {
            Some(Knows::Nothing) => ", but may believe that it is over",
            Some(Knows::Old) if self.forgets(&ruling.channel) => ", and would forget it",
            Some(Knows::Old) => ", which is so long ago that it is told again",
            Some(Knows::Less) => ", and that is no longer all: it is worse, or the threshold or the currency is another",
            Some(Knows::Enough) | None => "",
        };
        format!("It was told on {} ({}{balance}){knows}.", self.time(told.at), told.level.as_str())
    }

    fn owed(&self, ruling: &Ruling) -> Option<String> {
        let owed = ruling.owed.as_ref()?;
        let what = match owed.event {
            Event::Raised => "that something is wrong",
            Event::Resolved => "that it is over",
        };
        let fate = match (owed.tried_at, owed.refusals) {
            (_, 1..) => format!("the channel refused it in {}", text::plural(owed.refusals as usize, "run")),
            (Some(tried), _) => format!("it was last sent on {}", self.time(tried)),
            (None, _) => "it was not sent yet".to_owned(),
        };
        let so = match ruling.row.map(|(_, known)| known.owed) {
            Some(Owes::Doubtful) => ", and may have arrived",
            Some(Owes::Unheard) => ", and nobody has heard it",
            Some(Owes::Unwanted) => ", and it hears no more of ends (`send_resolved: false`)",
            _ => "",
        };
        Some(format!("It is owed the message of {} {what}; {fate}{so}.", self.time(owed.at)))
    }

    /// What is the case for this channel, beyond what is the case for all.
    fn now(&self, explained: &Explained, ruling: &Ruling) -> Option<String> {
        match ruling.row.map(|(now, _)| now) {
            Some(Now::Quiet) => Some(match self.route(explained, &ruling.channel) {
                Some(why) => format!("What is wrong now is not for it: {why}."),
                None => "What is wrong now is not for it.".to_owned(),
            }),
            Some(Now::Muted) | None => self.muted(ruling),
            Some(Now::Nearly) => Some("It is no longer wrong, but does not count as over yet.".to_owned()),
            Some(Now::Unknown) => Some("Nobody knows whether it is over.".to_owned()),
            Some(Now::Passed) => Some("The day of the renewal that it is about has passed.".to_owned()),
            Some(Now::Void) if explained.key.1 == Topic::Expiry => Some("Nothing need be told of credits.".to_owned()),
            Some(Now::Void) if explained.key.1 == Topic::TopUp => Some("Nothing need be told of top-ups.".to_owned()),
            Some(Now::Void) => Some("Nothing need be told of the renewal.".to_owned()),
            Some(Now::Right) => Some("It is over.".to_owned()),
            Some(Now::Wrong) => None,
        }
    }

    fn muted(&self, ruling: &Ruling) -> Option<String> {
        let of_mute = self.mute(ruling).map(|mute| {
            let what = match mute.kind() {
                MuteKind::Silence => "silenced",
                MuteKind::Ack => "acknowledged",
            };
            let who = text::one_line(&mute.who, 40);
            let reason = text::one_line(&mute.reason, 60);
            let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
            format!("It is {what} by {who} (number {}){reason}.", mute.number)
        });
        let early = ruling.limits.early_until.map(|until| {
            let from = self.time(until);
            format!("It hears only of what lasts (`after`), of this from {from} on.")
        });
        of_mute.or(early)
    }

    fn mute(&self, ruling: &Ruling) -> Option<&Mute> {
        let number = ruling.limits.muted_by?;
        self.memory.mutes.iter().find(|mute| mute.number == number)
    }

    /// What would have to change.
    fn change(&self, explained: &Explained, ruling: &Ruling) -> String {
        let limits = &ruling.limits;
        if let Some(until) = limits.rests_until {
            return format!("It is sent once more from {} on.", self.time(until));
        }
        if let Some(until) = limits.away_until {
            return format!("It takes such messages from {} on (`active`).", self.time(until));
        }
        let now = ruling.row.map(|(now, _)| now);
        match (ruling.act, now) {
            (Act::Hold, Some(Now::Wrong)) => self.again(explained, ruling),
            (_, Some(Now::Muted) | None) => match (self.mute(ruling), limits.early_until) {
                (Some(mute), _) => self.unmuted(mute),
                (None, Some(until)) => format!("It is told if it is still wrong on {}.", self.time(until)),
                (None, None) => String::new(),
            },
            (Act::Rest, Some(Now::Quiet)) => "It hears of this level if its route says so (`match`, `min_level`, `notify`).".to_owned(),
            (Act::Rest | Act::Wait, Some(Now::Unknown)) => "The next run that can read it decides.".to_owned(),
            (Act::Rest | Act::Wait, Some(Now::Nearly)) => "It is told that it is over when it counts as over.".to_owned(),
            (Act::Drop, Some(Now::Right)) if ruling.told.is_some() => {
                "It would be told that it is over with `send_resolved: true`.".to_owned()
            }
            _ => String::new(),
        }
    }

    /// When something that is known is told again.
    fn again(&self, explained: &Explained, ruling: &Ruling) -> String {
        let Some(told) = &ruling.told else { return String::new() };
        let reminder = ruling.limits.reminder.map(|next| format!("on {}", self.time(next)));
        let worse = match explained.key.1 {
            Topic::Low => Some(match self.drop(told) {
                Some(limit) => format!("at {limit} or less, or when its level, threshold or currency changes"),
                None => "when its level, threshold or currency changes".to_owned(),
            }),
            Topic::Renewal => None,
            Topic::TopUp => return "Another top-up is told; this one is not told again.".to_owned(),
            Topic::Expiry => return "Another credit that lapses is told; this one is not told again.".to_owned(),
            Topic::Failing | Topic::Mail | Topic::Runway | Topic::Spike | Topic::Silent | Topic::Digest => Some("when its level rises".to_owned()),
        };
        let when: Vec<String> = reminder.into_iter().chain(worse).collect();
        if when.is_empty() { String::new() } else { format!("It is told again {}.", when.join(", or at once ")) }
    }

    /// The balance at which a low balance that is known is told again.
    fn drop(&self, told: &Told) -> Option<String> {
        let percent = self.rules.alerting.realert_drop_percent;
        let balance = told.balance?;
        let part = balance.abs().checked_mul(percent)?.checked_div(Decimal::ONE_HUNDRED)?;
        Some(amount::show(balance.checked_sub(part)?, told.currency.as_deref()))
    }

    fn unmuted(&self, mute: &Mute) -> String {
        let number = mute.number;
        match mute.until {
            Some(until) => {
                let until = self.time(until);
                format!("It is told if it is still wrong on {until}, or after `balance-alert unsilence {number}`.")
            }
            None => format!("It is told when it gets worse, or after `balance-alert unsilence {number}`."),
        }
    }
}

/// What the next run does if it finds the same.
pub(super) fn does(act: Act) -> &'static str {
    match act {
        Act::Rest => "Nothing is sent.",
        Act::Raise => "The next run tells it.",
        Act::Remind => "The next run reminds it.",
        Act::Recall => "The next run says again what it knows, so that it does not forget.",
        Act::Hold => "It knows, so nothing is sent.",
        Act::Repeat => "The next run sends what is owed, with what is true then.",
        Act::RepeatMissed => "The next run tells it how bad it was when it could not be told.",
        Act::RepeatBlind => "The next run sends what is owed as it is.",
        Act::Wait => "What is owed waits.",
        Act::Recover => "The next run tells it that it is over.",
        Act::Notice => "The next run tells it that it is over, and what it was.",
        Act::Drop => "Nothing is sent, and what was owed is withdrawn.",
    }
}
