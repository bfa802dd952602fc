//! Accounts that never were: how they consume, how they are read, and when they are empty.

use balance_alert::internals::forecast::Point;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

/// What an account consumes in an hour, before its kind and chance make something of it.
const BASE: f64 = 10.0;
/// How far ahead an account is followed, in days.
const AHEAD: usize = 60;
/// Hours for which the account that jumps has had its new pace.
const SINCE_JUMP: usize = 30;

/// How an account consumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Steady,
    Weekday,
    Batch,
    Bursty,
    Posting,
    Growth,
    Jump,
    Expiry,
    Nightly,
    Shrinking,
    Pause,
    Counter,
}

impl Kind {
    pub(crate) const ALL: [Kind; 12] = [
        Kind::Steady,
        Kind::Weekday,
        Kind::Batch,
        Kind::Bursty,
        Kind::Posting,
        Kind::Growth,
        Kind::Jump,
        Kind::Expiry,
        Kind::Nightly,
        Kind::Shrinking,
        Kind::Pause,
        Kind::Counter,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Steady => "steady",
            Kind::Weekday => "weekday",
            Kind::Batch => "batch",
            Kind::Bursty => "bursty",
            Kind::Posting => "posting",
            Kind::Growth => "growth",
            Kind::Jump => "jump",
            Kind::Expiry => "expiry",
            Kind::Nightly => "nightly",
            Kind::Shrinking => "shrinking",
            Kind::Pause => "pause",
            Kind::Counter => "counter",
        }
    }

    /// For people, with the base as 1.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Kind::Steady => "the same in every hour",
            Kind::Weekday => "1.35 on weekdays and 0.12 at weekends, 1.6 of that by day and 0.4 by night",
            Kind::Batch => "what two days consume at 03:00 on three nights of the week, 0.14 otherwise",
            Kind::Bursty => "0.3, and in 2 % of the hours a burst that is 40 on average, exponentially distributed",
            Kind::Posting => "the sum of a day is booked at 02:00",
            Kind::Growth => "each day 6 % of the base more",
            Kind::Jump => "fourfold for the last 30 hours and from now on",
            Kind::Expiry => "the same in every hour, and 400 hours' worth lapses once, three to four days ago",
            Kind::Nightly => "0.3, and the rest of the day's sum at 03:00 of each night",
            Kind::Shrinking => "from 1.5 each day 5 % of the base less, down to 0.4",
            Kind::Pause => "the same in every hour, but for two days of the last week, which consumed nothing",
            Kind::Counter => "as on weekdays, and the service tells a counter of what was used",
        }
    }

    /// Whether the past says enough of the future for a date.
    pub(crate) fn is_regular(self) -> bool {
        !matches!(self, Kind::Bursty | Kind::Jump | Kind::Expiry)
    }
}

/// What stands in the way of a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// Three top-ups in each week of the history.
    TopUps,
    /// Each reading fails with a chance of 5 %, and for 36 hours of the history nothing was read.
    Gaps,
}

/// How accounts are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Hours between two readings.
    pub(crate) every: usize,
    /// Days before the moment from which the account is forecast.
    pub(crate) history: usize,
    pub(crate) trouble: Trouble,
}

/// An account: its readings, and when it is empty.
pub(crate) struct Account {
    /// Oldest first, to the end of the account.
    pub(crate) points: Vec<Point>,
    /// The moment of the forecast, which is the time of a reading.
    pub(crate) now: Timestamp,
    /// Days from that moment until it is empty.
    pub(crate) truth: f64,
}

/// How an account consumes, hour by hour, from the beginning of its history.
pub(crate) struct Life {
    hours: Vec<f64>,
    reading: Reading,
    /// 0 is Monday, 00:00.
    first_hour_of_week: usize,
    has_counter: bool,
}

impl Life {
    pub(crate) fn new(kind: Kind, reading: Reading, rng: &mut Rng) -> Life {
        let first_hour_of_week = rng.usize(0..168);
        let now = reading.history * 24;
        let mut nights = [0, 1, 2, 3, 4, 5, 6];
        rng.shuffle(&mut nights);
        let lapse = now - rng.usize(72..96);
        let pause = now - 24 * rng.usize(3..6);
        let mut unbooked = 0.0;
        let mut hours = Vec::new();
        for hour in 0..now + AHEAD * 24 {
            let of_week = (first_hour_of_week + hour) % 168;
            let (of_day, weekday, day) = (of_week % 24, of_week / 24, hour as f64 / 24.0);
            let base = BASE * (1.0 + 0.25 * normal(rng)).max(0.0);
            let by_week = if weekday < 5 { 1.35 } else { 0.12 } * if (8..20).contains(&of_day) { 1.6 } else { 0.4 };
            unbooked += base;
            let large = |share: f64, rng: &mut Rng| share * 24.0 * BASE * (1.0 + 0.08 * normal(rng)).max(0.0);
            hours.push(match kind {
                Kind::Steady => base,
                Kind::Weekday | Kind::Counter => base * by_week,
                Kind::Batch if of_day == 3 && nights[..3].contains(&weekday) => large(2.0, rng),
                Kind::Batch => 0.14 * base,
                Kind::Bursty if rng.f64() < 0.02 => 0.3 * base - 40.0 * BASE * (1.0 - rng.f64()).ln(),
                Kind::Bursty => 0.3 * base,
                Kind::Posting if of_day == 2 => std::mem::take(&mut unbooked),
                Kind::Posting => 0.0,
                Kind::Growth => base * (1.0 + 0.06 * day),
                Kind::Jump if hour + SINCE_JUMP >= now => 4.0 * base,
                Kind::Expiry if hour == lapse => base + 400.0 * BASE,
                Kind::Jump | Kind::Expiry => base,
                Kind::Nightly if of_day == 3 => 0.3 * base + large(0.7, rng),
                Kind::Nightly => 0.3 * base,
                Kind::Shrinking => base * (1.5 - 0.05 * day).max(0.4),
                Kind::Pause if (pause..pause + 48).contains(&hour) => 0.0,
                Kind::Pause => base,
            });
        }
        Life { hours, reading, first_hour_of_week, has_counter: kind == Kind::Counter }
    }

    /// What is consumed until so many hours after the beginning.
    fn consumed(&self, until: f64) -> f64 {
        let whole = (until.max(0.0) as usize).min(self.hours.len() - 1);
        self.hours[..whole].iter().sum::<f64>() + self.hours[whole] * (until - whole as f64).clamp(0.0, 1.0)
    }

    /// The balance with which the account lasts so many days from the moment of the forecast.
    pub(crate) fn balance_for(&self, days: f64) -> f64 {
        let now = (self.reading.history * 24) as f64;
        self.consumed(now + days * 24.0) - self.consumed(now)
    }

    /// The account with so much left at the moment of the forecast, in a unit that chance chooses.
    pub(crate) fn account(&self, balance: f64, rng: &mut Rng) -> Account {
        let now = self.reading.history * 24;
        let mut sums = vec![0.0];
        for hour in &self.hours {
            sums.push(sums[sums.len() - 1] + hour);
        }
        let sum = |at: f64| {
            let whole = (at as usize).min(self.hours.len() - 1);
            sums[whole] + self.hours[whole] * (at - whole as f64)
        };
        let at_end = sum(now as f64) + balance;
        let last = sums.iter().position(|sum| *sum >= at_end).unwrap_or(self.hours.len());
        let end = last as f64 - (sums[last] - at_end).max(0.0) / self.hours[last - 1].max(1e-9);
        let top_ups = self.top_ups(rng);
        let outage = now as f64 - 36.0 - rng.f64() * (now as f64 - 60.0);
        let unit = [0.001, 0.01, 1.0, 7.3, 1000.0, 1e6][rng.usize(0..6)];
        // 2026-03-02 was a Monday.
        let monday: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
        let time = |hours: f64| {
            let hours = hours + self.first_hour_of_week as f64;
            monday + SignedDuration::from_millis((hours * 3_600_000.0) as i64)
        };
        let first = now % self.reading.every;
        let mut points = Vec::new();
        for hour in (first..self.hours.len()).step_by(self.reading.every) {
            // A job begins up to two minutes late.
            let at = if hour == now { hour as f64 } else { hour as f64 + rng.f64() / 30.0 };
            if at > end {
                break;
            }
            let is_lost = rng.f64() < 0.05 || (outage..outage + 36.0).contains(&at);
            if self.reading.trouble == Trouble::Gaps && is_lost && hour != now {
                continue;
            }
            let later: f64 = top_ups.iter().filter(|(time, _)| *time > at).map(|(_, amount)| amount).sum();
            let usage = self.has_counter.then(|| decimal(sum(at) * unit));
            points.push(Point { at: time(at), balance: decimal((at_end - sum(at) - later) * unit), usage });
        }
        Account { points, now: time(now as f64), truth: (end - now as f64) / 24.0 }
    }

    /// The hours and the amounts of the top-ups of the history.
    fn top_ups(&self, rng: &mut Rng) -> Vec<(f64, f64)> {
        let weeks = if self.reading.trouble == Trouble::TopUps { self.reading.history / 7 } else { 0 };
        let mut all = Vec::new();
        for week in 0..weeks {
            let first = self.reading.history * 24 - (week + 1) * 168;
            all.extend((0..3).map(|_| (first as f64 + rng.f64() * 168.0, rng.f64() * 1200.0 + 600.0)));
        }
        all
    }
}

/// As a service writes it: two decimals, six below a unit.
fn decimal(amount: f64) -> Decimal {
    let text = if amount.abs() < 100.0 { format!("{amount:.6}") } else { format!("{amount:.2}") };
    text.parse().unwrap()
}

/// Of mean 0 and deviation 1.
fn normal(rng: &mut Rng) -> f64 {
    (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos()
}
