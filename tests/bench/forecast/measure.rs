//! What comes out for the accounts of one kind that are read in one way.

use balance_alert::internals::forecast::watch::{Tell, Watch, step};
use balance_alert::internals::forecast::{Outlook, Point, forecast};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;

use crate::accounts::{Account, Kind, Life, Reading, Trouble};
use crate::rivals::RIVALS;

/// Accounts of each kind.
pub(crate) const MANY: usize = 500;
pub(crate) const FEW: usize = 20;
/// The days below which somebody is told, and how much more than the truth may be said of them.
pub(crate) const ALERT_DAYS: f64 = 7.0;
pub(crate) const TOO_MUCH: f64 = 1.5;
const WINDOW_DAYS: u32 = 7;

/// All ways of reading that are measured.
pub(crate) const READINGS: [Reading; 12] = {
    const fn reading(every: usize, history: usize, trouble: Trouble) -> Reading {
        Reading { every, history, trouble }
    }
    [
        reading(1, 7, Trouble::None),
        reading(6, 7, Trouble::None),
        reading(24, 7, Trouble::None),
        reading(1, 7, Trouble::TopUps),
        reading(6, 7, Trouble::TopUps),
        reading(24, 7, Trouble::TopUps),
        reading(1, 7, Trouble::Gaps),
        reading(6, 7, Trouble::Gaps),
        reading(24, 7, Trouble::Gaps),
        reading(1, 28, Trouble::None),
        reading(6, 28, Trouble::None),
        reading(24, 28, Trouble::None),
    ]
};

/// The ways of the short form.
pub(crate) const SHORT: [Reading; 2] = [READINGS[1], READINGS[5]];

/// What one formula said of many accounts: its forecasts over the truth.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// Predicted days over true days, of the accounts that it said something of.
    ratios: Vec<f64>,
    accounts: usize,
}

impl Said {
    fn add(&mut self, days: Option<f64>, truth: f64) {
        self.accounts += 1;
        self.ratios.extend(days.map(|days| days / truth));
    }

    /// The middle of the errors, as a share of the truth.
    pub(crate) fn error(&self) -> Option<f64> {
        let mut errors: Vec<f64> = self.ratios.iter().map(|ratio| (ratio - 1.0).abs()).collect();
        errors.sort_by(f64::total_cmp);
        errors.get(errors.len() / 2).copied()
    }

    /// The share of forecasts that were more than half too long.
    pub(crate) fn late(&self) -> Option<f64> {
        let late = self.ratios.iter().filter(|ratio| **ratio > TOO_MUCH).count();
        (!self.ratios.is_empty()).then(|| late as f64 / self.ratios.len() as f64)
    }

    /// The share of accounts of which it said something.
    pub(crate) fn said(&self) -> f64 {
        self.ratios.len() as f64 / self.accounts.max(1) as f64
    }
}

/// What came out for one kind and one way of reading.
#[derive(Clone, Debug)]
pub(crate) struct Result {
    pub(crate) kind: Kind,
    pub(crate) reading: Reading,
    pub(crate) usual: Said,
    pub(crate) fast: Said,
    /// In the order of `RIVALS`.
    pub(crate) rivals: Vec<Said>,
    /// Accounts whose range holds the truth.
    pub(crate) held: usize,
    /// Accounts with a range.
    pub(crate) ranges: usize,
    pub(crate) irregular: usize,
    /// Alerts with less than `ALERT_DAYS / TOO_MUCH` days left, or none at all.
    pub(crate) late_alerts: usize,
    /// Of these, accounts that ended without an alert.
    pub(crate) no_alerts: usize,
    /// Alerts with more than `ALERT_DAYS * TOO_MUCH` days left.
    pub(crate) early_alerts: usize,
    pub(crate) accounts: usize,
}

/// Everything, with the kinds side by side on all cores. Each has a generator of its own, so that the order changes nothing.
pub(crate) fn all(readings: &[Reading], accounts: usize, seed: u64) -> Vec<Result> {
    let cases: Vec<(Kind, Reading)> =
        readings.iter().flat_map(|reading| Kind::ALL.map(|kind| (kind, *reading))).collect();
    let measured = cases.par_iter().enumerate().map(|(number, (kind, reading))| {
        one(*kind, *reading, accounts, Rng::with_seed(seed.wrapping_mul(1000).wrapping_add(number as u64)))
    });
    measured.collect()
}

fn one(kind: Kind, reading: Reading, accounts: usize, mut rng: Rng) -> Result {
    let mut result = Result {
        kind,
        reading,
        usual: Said::default(),
        fast: Said::default(),
        rivals: vec![Said::default(); RIVALS.len()],
        held: 0,
        ranges: 0,
        irregular: 0,
        late_alerts: 0,
        no_alerts: 0,
        early_alerts: 0,
        accounts,
    };
    for _ in 0..accounts {
        let life = Life::new(kind, reading, &mut rng);
        result.forecast(&life.account(600.0 + 2400.0 * rng.f64(), &mut rng));
        let days = 5.0 + 15.0 * rng.f64();
        result.alert(&life.account(life.balance_for(days), &mut rng));
    }
    result
}

impl Result {
    /// One forecast, after the history.
    fn forecast(&mut self, account: &Account) {
        let known = until(&account.points, account.now);
        let said = forecast(known, WINDOW_DAYS, account.now).expect("there are readings");
        let lasts = said.lasts();
        self.usual.add(lasts.map(|lasts| lasts.days), account.truth);
        self.fast.add(lasts.map(|lasts| lasts.fast), account.truth);
        self.irregular += usize::from(matches!(said.outlook, Outlook::Irregular { .. }));
        if let Some(lasts) = lasts {
            self.ranges += 1;
            let is_held = lasts.least <= account.truth && lasts.most.is_none_or(|most| account.truth <= most);
            self.held += usize::from(is_held);
        }
        let week = account.now - SignedDuration::from_hours(7 * 24);
        let week = &known[known.partition_point(|point| point.at < week)..];
        for (rival, (_, formula)) in self.rivals.iter_mut().zip(RIVALS) {
            rival.add(formula(week), account.truth);
        }
    }

    /// A run for each reading, until somebody is told or the account is empty. What two runs before the moment say counts for it.
    fn alert(&mut self, account: &Account) {
        let first = until(&account.points, account.now).len().saturating_sub(3);
        let mut watch = Watch::Calm;
        let mut told = None;
        for count in first + 1..=account.points.len() {
            let at = account.points[count - 1].at;
            let said = forecast(&account.points[..count], WINDOW_DAYS, at).expect("there are readings");
            let (next, act) = step(watch, &said, ALERT_DAYS, at);
            watch = next;
            if act == Tell::Raise {
                told = Some(at.max(account.now));
                break;
            }
        }
        let left = told.map(|told| account.truth - told.duration_since(account.now).as_secs_f64() / 86_400.0);
        self.no_alerts += usize::from(left.is_none());
        self.late_alerts += usize::from(left.is_none_or(|left| left < ALERT_DAYS / TOO_MUCH));
        self.early_alerts += usize::from(left.is_some_and(|left| left > ALERT_DAYS * TOO_MUCH));
    }
}

fn until(points: &[Point], time: Timestamp) -> &[Point] {
    &points[..points.partition_point(|point| point.at <= time)]
}
