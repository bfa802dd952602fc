//! The sentences in English.

use super::class::Class;
use super::digest;
use super::group::{Group, Members};
use super::language::Phrases;
use super::parts::{
    ExpiryParts, FailingParts, LapsingParts, LowParts, MailWords, Parts, RenewalParts, RunwayParts, SilentParts,
    SpikeParts, TopUpParts, Turn,
};
use super::templates::DigestWords;
use crate::model::alert::{Cause, Event, Level, Topic};
use crate::model::cadence::Cadence;
use crate::model::text;

pub(super) struct English;

/// The words between the parts of a mail.
const MAIL: MailWords = MailWords {
    mail: "mail ",
    from: " from ",
    comma: ", ",
    account: "account: ",
    service: "service: ",
    amount: "amount: ",
    keywords: "signs: ",
};

/// The templates of digests.
static DIGEST: DigestWords = DigestWords {
    titles: [
        "Daily balance digest, {first}",
        "Weekly balance digest, {first} to {last}",
        "Monthly balance digest, {first} to {last}",
    ],
    several: "Balance digests",
    lists: [
        "First to run dry",
        "Consumed most",
        "Changed most",
        "Renewals of the next 30 days",
        "Lapses within 30 days",
        "Cannot be read",
        "All accounts",
        "Accounts without a currency",
    ],
    sums: ["{currency}, 1 account", "{currency}, {count} accounts"],
    sum: "opened at {opening}, topped up {topped_up}, consumed {consumed}, closed at {closing}",
    unread: "; {count} more could not be read then",
    rows: [
        "{name}: {amount} lasts until about {date} ({days} d)",
        "{name}: {amount}",
        "{name}: {amount} a day instead of {before}",
        "{name}: {date} ({days} d), {amount}",
        "{name}: {amount} on {date}",
        "{name}: {word}, since {date}",
        "no balance was read in this time",
        "",
    ],
    renewals: ["{name}: overdue since {date}, {amount}", "{name}: today, {amount}"],
    never_read: "{name}: {word}",
    total: "in all: {amount}",
    more: "{count} more",
};

impl Phrases for English {
    fn title(&self, counts: &[String]) -> String {
        format!("Balance alert: {}", counts.join(", "))
    }

    fn numbered(&self, title: &str, number: usize, count: usize) -> String {
        format!("{title} ({number}/{count})")
    }

    fn test(&self, text: &str) -> String {
        format!("TEST: {text}")
    }

    fn class(&self, class: Class) -> &'static str {
        match class {
            Class::Raised(Topic::Low) => "low",
            Class::Warning => "warning",
            Class::Raised(Topic::Failing) => "failing",
            Class::Raised(Topic::Renewal) => "renewing",
            Class::Raised(Topic::Mail) => "by mail",
            Class::Raised(Topic::Runway) => "running out",
            Class::Raised(Topic::Spike) => "consuming fast",
            Class::Raised(Topic::Expiry) => "lapsing",
            Class::Raised(Topic::TopUp) => "topped up",
            Class::Raised(Topic::Silent) => "silent",
            Class::Raised(Topic::Digest) => "in the digest",
            Class::Overdue => "overdue",
            Class::Ending => "ending",
            Class::Recovered => "recovered",
        }
    }

    fn owned(&self, name: &str, owner: &str) -> String {
        format!("{name} ({owner})")
    }

    fn about(&self, name: &str, what: &str) -> String {
        format!("{name}: {what}")
    }

    fn footer(&self, source: &str, run: &str, key: &str) -> String {
        format!("source: {source} · run {run} · key {key}")
    }

    fn cause(&self, cause: &Cause, parts: &Parts) -> String {
        match cause {
            Cause::Low(low) => self.low(&parts.low(low)),
            Cause::Failing(failing) => self.failing(&parts.failing(failing)),
            Cause::Renewal(renewal) => self.renewal(&parts.renewal(renewal)),
            Cause::Mail(mail) => parts.mail(mail, &MAIL),
            Cause::Runway(runway) => self.runway(&parts.runway(runway)),
            Cause::Spike(spike) => self.spike(&parts.spike(spike)),
            Cause::Expiry(expiry) => self.expiry(&parts.expiry(expiry)),
            Cause::TopUp(topup) => self.topup(&parts.topup(topup)),
            Cause::Silent(silent) => self.silent(&parts.silent(silent)),
            Cause::Digest(digest) => digest::text(self, &digest.part, parts.neutral),
        }
    }

    fn digest(&self) -> &'static DigestWords {
        &DIGEST
    }

    fn since(&self, since: &str) -> String {
        format!(" (since {since})")
    }

    fn unconfirmed(&self, at: &str) -> String {
        format!(" (as of {at}; it cannot be read now)")
    }

    fn undelivered(&self, is_unsure: bool) -> &'static str {
        match is_unsure {
            true => "which may not have been delivered then",
            false => "which could not be delivered then",
        }
    }

    fn was_low(&self, at: &str, balance: &str, threshold: &str, undelivered: &str) -> String {
        format!("; at {at} it was {balance}, below {threshold}, {undelivered}")
    }

    fn was_failing(&self, at: &str, why: &str, undelivered: &str) -> String {
        format!("; at {at} it could not ({why}), {undelivered}")
    }

    fn group(&self, group: &Group) -> String {
        let count = group.count;
        let what = match group.members {
            Members::Accounts => "accounts",
            Members::Mailboxes => "mailboxes",
            Members::Both => "checks",
        };
        let of = group.host.as_ref().map(|host| format!(" of {host}")).unwrap_or_default();
        let names = group.names.join(", ");
        let names = if group.more > 0 { format!("{names} and {} more", group.more) } else { names };
        if group.event == Event::Resolved {
            return format!("{count} {what}{of} can be read again ({names})");
        }
        let times = match group.runs {
            None => String::new(),
            Some(1) => " once".to_owned(),
            Some(runs) => format!(" in {runs} runs in a row"),
        };
        format!("{count} {what}{of} could not be read{times}: {} ({names})", group.why)
    }

    fn told_in(&self, currency: Option<&str>) -> String {
        currency.map_or_else(|| " (told without a currency)".to_owned(), |currency| format!(" (told in {currency})"))
    }

    fn missed(&self, what: &str, at: &str, is_unsure: bool) -> String {
        let perhaps = if is_unsure { "perhaps " } else { "" };
        format!(" ({what} at {at}, {perhaps}not delivered then)")
    }
}

impl English {
    fn low(&self, parts: &LowParts) -> String {
        let LowParts { kind, balance, threshold, turn } = parts;
        let kind = kind.as_str();
        match turn {
            Turn::Below(level) => {
                let which = if *level == Level::Critical { "" } else { "warning " };
                format!("{kind} {balance} is below the {which}threshold {threshold}")
            }
            Turn::Recovered => format!("{kind} {balance} is back at or above the threshold {threshold}"),
            Turn::Lowered { before } => format!(
                "{kind} {balance} is not below the threshold any more, which is now {threshold} instead of {before}"
            ),
            Turn::Incomparable { before, is_named } => {
                let why = match (before, is_named) {
                    (None, _) => "the alert named no currency, which may be another one".to_owned(),
                    (Some(before), true) => format!("the alert was in {before}, and amounts are not converted"),
                    (Some(before), false) => format!("the alert was in {before}, and no currency is named now"),
                };
                format!("{kind} {balance} is not below the threshold {threshold}, but {why}")
            }
            Turn::Unlimited => format!("{kind} has no limit any more"),
        }
    }

    fn runway(&self, parts: &RunwayParts) -> String {
        let RunwayParts { event, kind, balance, lasts, burn } = parts;
        let kind = kind.as_str();
        let Some(lasts) = lasts else {
            return match event {
                Event::Raised => format!("{kind} {balance} will not last"),
                Event::Resolved => format!("{kind} {balance} lasts again"),
            };
        };
        let day = lasts.until.strftime("%A, %-d %b");
        let range = match lasts.most {
            Some(most) if most == lasts.least => format!("in {most} days"),
            Some(most) => format!("in {} to {most} days", lasts.least),
            None => format!("in {} days or more", lasts.least),
        };
        let burn = if burn.is_empty() { String::new() } else { format!(", at {burn} a day") };
        match event {
            Event::Raised => format!("{kind} {balance} lasts until about {day} ({range}){burn}"),
            Event::Resolved => format!("{kind} {balance} lasts longer again, until about {day} ({range}){burn}"),
        }
    }

    fn spike(&self, parts: &SpikeParts) -> String {
        let SpikeParts { event, kind, balance, per_day, usual, times } = parts;
        let kind = kind.as_str();
        let left = if balance.is_empty() { String::new() } else { format!("; {kind} {balance}") };
        match (event, per_day, times) {
            (Event::Raised, Some(per_day), Some(times)) => {
                format!("consumed {per_day} a day in the last 24 hours, {times} times the usual {usual}{left}")
            }
            (Event::Raised, Some(per_day), None) => {
                format!("consumed {per_day} a day in the last 24 hours, after days without consumption{left}")
            }
            (Event::Raised, None, _) => format!("consumes far more than usual{left}"),
            (Event::Resolved, Some(per_day), _) => format!("consumes as usual again, {per_day} a day{left}"),
            (Event::Resolved, None, _) => format!("is no longer known to consume far more than usual{left}"),
        }
    }

    fn topup(&self, parts: &TopUpParts) -> String {
        let TopUpParts { kind, balance, amount, since, at } = parts;
        let by = if amount.is_empty() { String::new() } else { format!(" by {amount}") };
        let left = if balance.is_empty() { String::new() } else { format!("; {} {balance}", kind.as_str()) };
        format!("was topped up{by} between {since} and {at}{left}")
    }

    fn expiry(&self, parts: &ExpiryParts) -> String {
        let ExpiryParts { kind, balance, usual, credits } = parts;
        let credit = |credit: &LapsingParts| {
            let LapsingParts { name, remaining, unused, date, days, falls_below } = credit;
            let name = if name.is_empty() { String::new() } else { format!(" {name}") };
            let when = match days {
                0 => "within a day".to_owned(),
                1 => "in a day".to_owned(),
                days => format!("in {days} days"),
            };
            let unused = if unused == remaining { "all of it".to_owned() } else { unused.clone() };
            let below = if falls_below.is_empty() {
                String::new()
            } else {
                format!(", and takes the account below the threshold {falls_below}")
            };
            format!("the credit{name} of {remaining} lapses on {date} ({when}) with {unused} unused{below}")
        };
        let all: Vec<String> = credits.iter().map(credit).collect();
        let usual = if usual.is_empty() { String::new() } else { format!("; {usual} a day are usual") };
        match all.as_slice() {
            [] => "a credit lapses before it is used up".to_owned(),
            all => format!("{}{usual}, {} {balance}", all.join("; "), kind.as_str()),
        }
    }

    fn silent(&self, parts: &SilentParts) -> String {
        let SilentParts { event, last, usual } = parts;
        match (event, usual) {
            (Event::Resolved, _) => "runs again".to_owned(),
            (Event::Raised, None) => format!("has not run since {last}"),
            (Event::Raised, Some(usual)) => format!("has not run since {last}; it ran every {usual} or more often"),
        }
    }

    fn failing(&self, parts: &FailingParts) -> String {
        match parts {
            FailingParts::Failing { runs: 1, why } => format!("could not be read once: {why}"),
            FailingParts::Failing { runs, why } => format!("could not be read in {runs} runs in a row: {why}"),
            FailingParts::Readable(Some((kind, balance))) => format!("can be read again: {} {balance}", kind.as_str()),
            FailingParts::Readable(None) => "can be read again".to_owned(),
        }
    }

    fn renewal(&self, renewal: &RenewalParts) -> String {
        let RenewalParts { event, next, days, cycle, amount, is_unsure } = renewal;
        let (verb, was) = match cycle {
            Cadence::Once => ("ends", "ended"),
            _ => ("renews", "was due"),
        };
        let amount = if amount.is_empty() { String::new() } else { format!(", {amount}") };
        match (event, days) {
            (Event::Raised, i64::MIN..0) => {
                let days = text::plural(usize::try_from(days.unsigned_abs()).unwrap_or(usize::MAX), "day");
                format!("is overdue: it was not renewed on {next}, {days} ago ({cycle}{amount})")
            }
            (Event::Resolved, _) => format!("{was} on {next}, {} ({cycle}{amount})", self.undelivered(*is_unsure)),
            (Event::Raised, 0) => format!("{verb} today, {next} ({cycle}{amount})"),
            (Event::Raised, 1) => format!("{verb} tomorrow, {next} ({cycle}{amount})"),
            (Event::Raised, days) => format!("{verb} in {days} days, on {next} ({cycle}{amount})"),
        }
    }
}
