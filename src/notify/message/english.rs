//! The sentences in English.

use super::class::Class;
use super::group::{Group, Members};
use super::language::{MailWords, Phrases, RenewalParts};
use crate::model::alert::{Event, Level};
use crate::model::words::BalanceType;

pub(super) struct English;

impl Phrases for English {
    fn title(&self, counts: &[String]) -> String {
        format!("Balance alert: {}", counts.join(", "))
    }

    fn class(&self, class: Class) -> &'static str {
        class.as_str()
    }

    fn kind(&self, kind: BalanceType) -> &'static str {
        kind.as_str()
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

    fn low(&self, kind: &str, balance: &str, threshold: &str, level: Level) -> String {
        let which = if level == Level::Critical { "" } else { "warning " };
        format!("{kind} {balance} is below the {which}threshold {threshold}")
    }

    fn recovered(&self, kind: &str, balance: &str, threshold: &str) -> String {
        format!("{kind} {balance} is back at or above the threshold {threshold}")
    }

    fn lowered(&self, kind: &str, balance: &str, threshold: &str, before: &str) -> String {
        format!("{kind} {balance} is not below the threshold any more, which is now {threshold} instead of {before}")
    }

    fn incomparable(&self, kind: &str, balance: &str, threshold: &str, before: Option<&str>, is_named: bool) -> String {
        let why = match (before, is_named) {
            (None, _) => "the alert named no currency, which may be another one".to_owned(),
            (Some(before), true) => format!("the alert was in {before}, and amounts are not converted"),
            (Some(before), false) => format!("the alert was in {before}, and no currency is named now"),
        };
        format!("{kind} {balance} is not below the threshold {threshold}, but {why}")
    }

    fn unlimited(&self, kind: &str) -> String {
        format!("{kind} has no limit any more")
    }

    fn failing(&self, runs: u32, why: &str) -> String {
        let times = if runs == 1 { "once".to_owned() } else { format!("in {runs} runs in a row") };
        format!("could not be read {times}: {why}")
    }

    fn readable(&self, balance: Option<(&str, &str)>) -> String {
        match balance {
            Some((kind, balance)) => format!("can be read again: {kind} {balance}"),
            None => "can be read again".to_owned(),
        }
    }

    fn renewal(&self, renewal: &RenewalParts) -> String {
        let RenewalParts { event, next, days, cycle, amount, is_unsure } = renewal;
        let cycle = cycle.as_str();
        let amount = if amount.is_empty() { String::new() } else { format!(", {amount}") };
        match (event, days) {
            (Event::Resolved, _) => format!("was due on {next}, {} ({cycle}{amount})", self.undelivered(*is_unsure)),
            (Event::Raised, 0) => format!("renews today, {next} ({cycle}{amount})"),
            (Event::Raised, 1) => format!("renews tomorrow, {next} ({cycle}{amount})"),
            (Event::Raised, days) => format!("renews in {days} days, on {next} ({cycle}{amount})"),
        }
    }

    fn mail(&self) -> &'static MailWords {
        &MailWords {
            mail: "mail ",
            from: " from ",
            comma: ", ",
            service: "service: ",
            amount: "amount: ",
            keywords: "words: ",
        }
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
