//! What the days of a week consume, as shares of an even week.

use super::series::{DAY, Series};

/// Weeks that must be known.
const WEEKS: usize = 3;
/// The shares are used if they leave less than this part of the differences between the days of each week.
const BETTER: f64 = 0.6;
/// The last three days must have gone as the shares say, within this factor.
const WITHIN: f64 = 2.0;

/// The shares of seven days of 24 hours, counted back from the newest reading: the first is the day that ended there, the
/// last the day that begins a week before, which is what the next day will be like. Counting back needs no time zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shares([f64; 7]);

impl Shares {
    pub(super) const EVEN: Shares = Shares([1.0; 7]);

    /// The shares of the last three whole weeks; even ones where these are not known or do not repeat.
    pub(super) fn of(series: &Series) -> Shares {
        let has_weeks =
            series.intervals.first().is_some_and(|first| series.as_of - first.from >= WEEKS as i64 * 7 * DAY);
        has_weeks.then(|| learn(&series.days(WEEKS * 7))).flatten().unwrap_or(Shares::EVEN)
    }

    /// The mean share of the last so many days; 1 for an even week.
    pub(super) fn mean_of_last(&self, days: usize) -> f64 {
        self.0.iter().take(days).sum::<f64>() / days.min(7) as f64
    }

    /// The days after which nothing is left at this mean rate per day.
    pub(super) fn days(&self, balance: f64, per_day: f64) -> f64 {
        if balance <= 0.0 {
            return 0.0;
        }
        let mut weeks = (balance / (7.0 * per_day)).floor();
        let mut left = balance - weeks * 7.0 * per_day;
        if left >= 7.0 * per_day {
            weeks += 1.0;
            left -= 7.0 * per_day;
        }
        let mut days = weeks * 7.0;
        for share in self.0.iter().rev() {
            let day = share * per_day;
            if left < day {
                return days + left / day;
            }
            left -= day;
            days += 1.0;
        }
        days
    }
}

fn learn(days: &[Option<f64>]) -> Option<Shares> {
    let weeks: Vec<&[Option<f64>]> = days.chunks(7).collect();
    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
        (count > 0).then(|| sum / f64::from(count))
    };
    // Each week in shares of its own mean, so that growth is not taken for a weekday.
    let mut relative: Vec<Vec<Option<f64>>> = Vec::new();
    for week in &weeks {
        let mean = mean(&mut week.iter().flatten().copied()).filter(|mean| *mean > 0.0)?;
        relative.push(week.iter().map(|day| day.map(|day| day / mean)).collect());
    }
    let mut shares = [0.0; 7];
    for (place, share) in shares.iter_mut().enumerate() {
        let known: Vec<f64> = relative.iter().filter_map(|week| week[place]).collect();
        // Two of three weeks must know the day.
        if known.len() < WEEKS - 1 {
            return None;
        }
        *share = mean(&mut known.into_iter())?;
    }
    let all = shares.iter().sum::<f64>() / 7.0;
    shares.iter_mut().for_each(|share| *share /= all);
    let shares = Shares(shares);
    (repeats(&relative) && went_as_expected(&weeks, &shares)).then_some(shares)
}

/// Whether each week is told better by the other weeks than by an even one.
fn repeats(relative: &[Vec<Option<f64>>]) -> bool {
    let (mut left, mut even) = (0.0, 0.0);
    for (own, week) in relative.iter().enumerate() {
        for (place, day) in week.iter().enumerate() {
            let others = relative.iter().enumerate().filter(|(other, _)| *other != own);
            let others: Vec<f64> = others.filter_map(|(_, other)| other[place]).collect();
            let (Some(day), false) = (day, others.is_empty()) else { continue };
            left += (day - others.iter().sum::<f64>() / others.len() as f64).abs();
            even += (day - 1.0).abs();
        }
    }
    left < BETTER * even
}

fn went_as_expected(weeks: &[&[Option<f64>]], shares: &Shares) -> bool {
    let before: Vec<f64> = weeks[1..].iter().flat_map(|week| week.iter().flatten().copied()).collect();
    let known: Vec<(f64, f64)> = (0..3).filter_map(|place| Some((weeks[0][place]?, shares.0[place]))).collect();
    let expected = known.iter().map(|(_, share)| share).sum::<f64>() * before.iter().sum::<f64>() / before.len() as f64;
    let found: f64 = known.iter().map(|(day, _)| day).sum();
    expected > 0.0 && found <= WITHIN * expected && found >= expected / WITHIN
}
