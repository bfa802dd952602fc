//! Alerts about credits that lapse before they are used up.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::alert_builder::{AlertBuilder, account};
use super::decision::Decision;
use super::forecast::credits::{Credit, Lapse, lapses};
use super::per_channel::{Observed, Settler};
use super::verdict::Verdict;
use crate::model::alert::{Alert, Cause, Event, Expiry, Lapsing, Level, Topic};
use crate::model::amount;
use crate::model::identity::Identity;
use crate::model::text;

/// A rate is no more exact than this part of a credit, so that less of it is not said to lapse.
const LEAST_PART: f64 = 0.05;
/// The longest name of a credit that is told, in characters.
const LONGEST_NAME: usize = 40;
/// The digits of what lapses that are told.
const DIGITS: u32 = 6;

impl Settler<'_> {
    /// Decides what is told of the credits of an account. Each of them is told once, whatever becomes of it: whether it is used up
    /// in time after all is seen from day to day, and somebody who was told has decided already what to do with it.
    pub(super) fn settle_expiry(&self, verdict: &Verdict, builder: &AlertBuilder, decision: &mut Decision) {
        let observed = self.expiry(verdict, builder);
        self.settle(observed, (builder.identity, Topic::Expiry), &builder.about(), decision);
    }

    fn expiry(&self, verdict: &Verdict, builder: &AlertBuilder) -> Observed {
        let (now, timezone) = (self.cooldown.now, &self.rules.timezone);
        let days = verdict.subject.forecasting.map_or(0, |forecasting| forecasting.expiry_days);
        let alert = |credits| {
            let (account, usual_per_day) = (account(verdict), usual_per_day(verdict));
            let cause = Cause::Expiry(Expiry { account, usual_per_day, credits, heard: Vec::new() });
            builder.alert(Event::Raised, Level::Warning, cause)
        };
        if verdict.failure.is_some() {
            return Observed::Unknown(alert(Vec::new()));
        }
        let ahead = ahead(verdict, now);
        if days == 0 || ahead.is_empty() {
            return Observed::Void;
        }
        match lapsing(verdict, &ahead, days, (now, timezone)) {
            None => Observed::Unknown(alert(Vec::new())),
            Some(credits) if credits.is_empty() => self.used_in_time(builder.identity, alert(Vec::new())),
            Some(credits) => Observed::Wrong(alert(credits)),
        }
    }

    /// What is the case where all credits are used up in time as it looks now. What was told of them is kept until their dates, so
    /// that it is not told twice, and what is owed is still sent.
    fn used_in_time(&self, identity: Identity, alert: Alert) -> Observed {
        match self.memory.conditions.get(&(identity, Topic::Expiry)) {
            None => Observed::Void,
            Some(known) if known.channels.values().any(|heard| heard.owed.is_some()) => Observed::Shaky(alert),
            Some(_) => Observed::Nearly(alert),
        }
    }
}

/// What is usually consumed of an account on a day; none if that is not known.
pub(crate) fn usual_per_day(verdict: &Verdict) -> Option<Decimal> {
    verdict.foresight.as_ref()?.forecast.usual_per_day()
}

/// The credits whose date lies ahead, with their names. Those that are called the same and lapse at the same time are one.
pub(crate) fn ahead(verdict: &Verdict, now: Timestamp) -> Vec<(Option<String>, Credit)> {
    let mut credits: BTreeMap<(Timestamp, Option<String>), Decimal> = BTreeMap::new();
    for credit in &verdict.beside.expires {
        let dated = credit.date.filter(|date| *date > now);
        let amount = credit.amount.filter(|amount| *amount > Decimal::ZERO);
        if let (Some(date), Some(amount)) = (dated, amount) {
            let name = credit.credit.as_deref().map(|name| text::one_line(name, LONGEST_NAME));
            let sum = credits.entry((date, name.filter(|name| !name.is_empty()))).or_default();
            *sum = sum.checked_add(amount).unwrap_or(*sum);
        }
    }
    let credit = |((expires_at, name), remaining)| (name, Credit { remaining, expires_at });
    credits.into_iter().map(credit).collect()
}

/// The credits that will lapse with something in them, however far ahead, with dates in UTC; none if nobody knows what is usually
/// consumed.
pub(crate) fn unused(verdict: &Verdict, now: Timestamp) -> Option<Vec<Lapsing>> {
    match ahead(verdict, now) {
        ahead if ahead.is_empty() => Some(Vec::new()),
        ahead => lapsing(verdict, &ahead, u32::MAX, (now, &TimeZone::UTC)),
    }
}

/// Those of these credits that lapse within so many days with something left in them, or take the account below its threshold. None
/// if nobody knows what is usually consumed.
pub(crate) fn lapsing(
    verdict: &Verdict,
    ahead: &[(Option<String>, Credit)],
    days: u32,
    (now, timezone): (Timestamp, &TimeZone),
) -> Option<Vec<Lapsing>> {
    let (balance, usual) = (verdict.balance?, usual_per_day(verdict)?);
    let threshold = verdict.subject.threshold.max(verdict.subject.warning_threshold);
    let credits: Vec<Credit> = ahead.iter().map(|(_, credit)| *credit).collect();
    let limit = SignedDuration::from_hours(24 * i64::from(days));
    let matters = |lapse: &Lapse| {
        let part = amount::from_float(LEAST_PART).unwrap_or_default().checked_mul(lapse.credit.remaining);
        let unused = amount::from_float(lapse.unused).unwrap_or(lapse.credit.remaining);
        let is_soon = lapse.credit.expires_at.duration_since(now) <= limit;
        is_soon && (lapse.falls_below || part.is_none_or(|part| unused >= part))
    };
    let told = |lapse: Lapse| {
        let Lapse { credit, place, unused, falls_below } = lapse;
        let unused = amount::from_float(unused).unwrap_or(credit.remaining);
        Lapsing {
            name: ahead.get(place).and_then(|(name, _)| name.clone()),
            remaining: credit.remaining,
            unused: unused.round_sf(DIGITS).unwrap_or(unused).min(credit.remaining).normalize(),
            date: credit.expires_at.to_zoned(timezone.clone()).date(),
            days: u32::try_from(credit.expires_at.duration_since(now).as_hours() / 24).unwrap_or_default(),
            falls_below: threshold.filter(|_| falls_below),
        }
    };
    Some(lapses(&credits, balance, threshold, usual, now).into_iter().filter(matters).map(told).collect())
}
