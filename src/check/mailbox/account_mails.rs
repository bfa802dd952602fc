//! The accounts whose balance the mails of a mailbox tell: which mails are looked at for them, and what is known of the newest one.
//!
//! What was read is kept with the number up to which the folder was looked through for it. So a later run needs only the mails that
//! have come since, whoever else has read them meanwhile. Without that, or if the account is read in another way now, the mails of the
//! last `max_age` are looked at. A mail that matches and cannot be read hides the ones before it: what they tell is not true any more.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::imap_session::{Cursor, Letter, Others, Wants};
use super::mail::Mail;
use crate::check::account::Account;
use crate::check::{Outcome, Reading};
use crate::model::failure::{Failure, Reason};
use crate::model::identity::Identity;
use crate::model::text;
use crate::process::redact::Redactor;

/// Why it is not known which mail is the newest.
const LEFT_OUT: &str = "a newer mail may be among those that were left out, because more came than `max_emails`";
/// Seconds of a day.
const DAY: u64 = 86_400;

/// An account that the mails of a mailbox tell of.
pub(crate) struct Watch {
    /// The identity of the account's check.
    pub identity: Identity,
    /// How it is read.
    pub account: Account,
    /// What earlier runs have left.
    pub kept: Option<Kept>,
}

/// What is known of the mails of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// What names the way in which it was read.
    pub way: String,
    /// How far the folder was looked through for it.
    pub cursor: Cursor,
    /// The newest mail that matches; none if there is none.
    pub newest: Option<Newest>,
}

/// The newest mail of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Newest {
    /// When it was sent, and no later than it was received.
    pub at: Timestamp,
    /// What it tells.
    pub result: Result<Reading, Failure>,
}

impl Newest {
    /// Whether it only stands for mails that were left out. Whatever comes after these is newer.
    fn is_gap(&self) -> bool {
        self.result.as_ref().is_err_and(|failure| failure.message == LEFT_OUT)
    }
}

/// The balance that the newest mail tells, if it is not older than `max_age`, and when it was true.
///
/// # Errors
/// No mail tells a balance that may still be true.
pub(crate) fn reading(
    newest: Option<&Newest>,
    max_age: Duration,
    now: Timestamp,
) -> Result<(Reading, Timestamp), Failure> {
    let longest = text::span(max_age);
    let Some(Newest { at, result }) = newest else {
        let message = format!("no mail of the last {longest} matches");
        return Err(
            Failure::new(Reason::Decode, message).with_hint("see `from`, `subject` and `max_age` of the project")
        );
    };
    let age = now.duration_since(*at);
    if age > SignedDuration::try_from(max_age).unwrap_or(SignedDuration::MAX) {
        let day = at.strftime("%Y-%m-%d");
        let message =
            format!("the newest mail that matches is of {day}, and what is older than {longest} does not count");
        return Err(Failure::new(Reason::Decode, message).with_hint("see `max_age` of the project"));
    }
    result.clone().map(|reading| (reading, *at))
}

/// The accounts of a mailbox during one visit.
pub(super) struct Watches<'a> {
    all: Vec<Looking<'a>>,
    redactor: &'a Redactor,
    now: Timestamp,
}

/// One of them.
struct Looking<'a> {
    watch: &'a Watch,
    way: String,
    /// Mails with higher numbers are new to it; none if all that are not too old are.
    after: Option<u32>,
    found: Option<Newest>,
}

impl<'a> Watches<'a> {
    pub(super) fn new(watches: &'a [Watch], redactor: &'a Redactor, now: Timestamp) -> Watches<'a> {
        let looking =
            |watch: &'a Watch| Looking { watch, way: watch.account.reads_mails_as(), after: None, found: None };
        Watches { all: watches.iter().map(looking).collect(), redactor, now }
    }

    /// Which mails are looked at for them, in a folder with this mark.
    pub(super) fn wants(&mut self, validity: u32, is_only: bool) -> Wants {
        let mut wants = Wants { is_only, ..Wants::default() };
        for one in &mut self.all {
            let known = one.watch.kept.as_ref().filter(|kept| kept.way == one.way);
            let cursor = known.map(|kept| kept.cursor).filter(|cursor| cursor.validity == validity && validity != 0);
            one.after = cursor.map(|cursor| cursor.last);
            match one.after {
                Some(after) => wants.after = Some(wants.after.map_or(after, |least| least.min(after))),
                None => wants.days = wants.days.max(one.days()),
            }
        }
        wants
    }

    /// Looks at a mail for those that it is new to.
    pub(super) fn look(&mut self, mail: &Mail, letter: &Letter) {
        for one in &mut self.all {
            let is_new = one.after.is_none_or(|after| letter.uid > after);
            let is_one = || one.watch.account.letters().is_some_and(|letters| letters.has(mail));
            if !is_new || !is_one() {
                continue;
            }
            // Both can be wrong, and neither makes a mail newer than it is: the sender's clock, and a mail that was moved here.
            let at = [mail.date, letter.received].into_iter().flatten().min();
            let result = match at {
                Some(_) => {
                    let read = one.watch.account.read_mail(mail);
                    let read = read.and_then(|reading| reading.without_secrets(self.redactor));
                    read.map_err(|failure| failure.settle(self.redactor))
                }
                None => Err(Failure::new(Reason::Decode, "the newest mail that matches does not say when it was sent")),
            };
            let newest = Newest { at: at.map_or(self.now, |at| at.min(self.now)), result };
            // The others may have come in any order.
            if one.found.as_ref().is_none_or(|found| newest.at >= found.at) {
                one.found = Some(newest);
            }
        }
    }

    /// Whether mails that came before this time cannot be the newest of any of them.
    pub(super) fn has_enough(&self, came_before: Option<Timestamp>) -> bool {
        let is_newer = |found: &Newest| came_before.is_some_and(|oldest| found.at > oldest);
        self.all.iter().all(|one| one.found.as_ref().is_some_and(is_newer))
    }

    /// What is known of them when the folder with this mark was looked through.
    pub(super) fn finish(self, validity: u32, others: &Others) -> Vec<(Identity, Kept)> {
        let finish = |one: Looking| {
            let known = one.watch.kept.as_ref().filter(|kept| kept.way == one.way);
            let known = known.and_then(|kept| kept.newest.clone());
            let newest = match one.found {
                Some(found) => Some(known.filter(|known| known.at > found.at && !known.is_gap()).unwrap_or(found)),
                // Of mails that were left out nobody knows whether one of them is newer.
                None if others.skipped_to > one.after.unwrap_or_default() => {
                    Some(Newest { at: self.now, result: Err(Failure::new(Reason::Decode, LEFT_OUT)) })
                }
                None => known,
            };
            let last = others.last.max(one.after.unwrap_or_default());
            (one.watch.identity, Kept { way: one.way, cursor: Cursor { validity, last }, newest })
        };
        self.all.into_iter().map(finish).collect()
    }
}

impl Looking<'_> {
    /// How many days back its mails count.
    fn days(&self) -> Option<u32> {
        let max_age = self.watch.account.letters()?.max_age;
        u32::try_from(max_age.as_secs().div_ceil(DAY)).ok()
    }
}

/// What came of an account, by what came of the scan of its mailbox.
pub(crate) fn outcome(
    account: &Account,
    scanned: Result<(Option<&Kept>, Option<&Failure>), &Failure>,
    duration: Duration,
    now: Timestamp,
) -> Outcome {
    let max_age = account.letters().map(|letters| letters.max_age).unwrap_or_default();
    let read = match scanned {
        Err(failure) | Ok((None, Some(failure))) => Err(failure.clone()),
        Ok((None, None)) => Err(Failure::new(Reason::Internal, "its mailbox was not scanned for it")),
        Ok((Some(kept), _)) => reading(kept.newest.as_ref(), max_age, now),
    };
    let (result, as_of) = match read {
        Ok((reading, at)) => (Ok(reading), Some(at)),
        Err(failure) => (Err(failure), None),
    };
    Outcome { result, as_of, cached: false, attempts: 1, calls: Vec::new(), duration }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::check::Amount;

    /// Whatever the mail tells and whenever it was sent: what is older than `max_age` gives no number.
    #[test]
    fn a_mail_that_is_too_old_never_gives_a_number() {
        let mut random = fastrand::Rng::with_seed(14);
        let mut given = 0;
        for _ in 0..20_000 {
            let now = Timestamp::from_second(random.i64(0..4_000_000_000)).unwrap();
            let max_age = Duration::from_secs(random.u64(1..40_000_000));
            let age = match random.u8(0..4) {
                0 => max_age.as_secs() as i64,
                1 => max_age.as_secs() as i64 + 1,
                2 => random.i64(-100..100),
                _ => random.i64(0..80_000_000),
            };
            let Ok(at) = now.checked_sub(SignedDuration::from_secs(age)) else { continue };
            let number = Reading::new(Amount::Of(Decimal::from(random.u32(..))), None);
            let result = if random.bool() { Ok(number) } else { Err(Failure::new(Reason::Decode, "x")) };
            let newest = random.u8(..).ge(&10).then(|| Newest { at, result: result.clone() });
            let read = reading(newest.as_ref(), max_age, now);
            let is_young = age <= max_age.as_secs() as i64;
            assert_eq!(read.is_ok(), newest.is_some() && result.is_ok() && is_young, "{age} of {max_age:?}");
            given += usize::from(read.is_ok());
            if let Ok((told, of)) = read {
                assert_eq!((Ok(told), of), (result, at));
            }
        }
        assert!(given > 3000, "{given}");
    }
}
