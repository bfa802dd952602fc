//! Sums of counters and histograms, of one run or of all. No I/O.

use std::collections::BTreeMap;
use std::time::Duration;

use super::family::Family;

/// One series of a counter or histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// The number of events.
    pub count: u64,
    /// The sum of the observed values in microseconds, of a histogram only.
    pub micros: u64,
    /// The number of events at or below each bound, of a histogram only. The last bucket, which has no bound, is left out.
    pub buckets: Vec<u64>,
}

impl Sum {
    /// Adds another sum of the same layout.
    pub(crate) fn add(&mut self, other: &Sum) {
        self.count = self.count.saturating_add(other.count);
        self.micros = self.micros.saturating_add(other.micros);
        self.buckets.resize(self.buckets.len().max(other.buckets.len()), 0);
        for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket = bucket.saturating_add(*more);
        }
    }
}

/// Sums by the name of their family and the values of their labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally(pub BTreeMap<(&'static str, Vec<String>), Sum>);

impl Tally {
    fn series(&mut self, family: &'static Family, labels: &[&str]) -> &mut Sum {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let sum = self.0.entry((family.name, labels)).or_default();
        sum.buckets.resize(family.bounds().len(), 0);
        sum
    }

    /// Counts events. Counting 0 makes the series exist, so that Prometheus sees its first increase.
    pub(crate) fn count(&mut self, family: &'static Family, labels: &[&str], events: u64) {
        self.series(family, labels).count += events;
    }

    /// Adds an observation to a histogram.
    pub(crate) fn observe(&mut self, family: &'static Family, labels: &[&str], duration: Duration) {
        let seconds = duration.as_secs_f64();
        let sum = self.series(family, labels);
        sum.count += 1;
        sum.micros = sum.micros.saturating_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
        for (bucket, bound) in sum.buckets.iter_mut().zip(family.bounds()) {
            *bucket += u64::from(seconds <= *bound);
        }
    }

    /// Adds all of another tally.
    pub(crate) fn add(&mut self, other: &Tally) {
        for (series, sum) in &other.0 {
            self.0.entry(series.clone()).or_default().add(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::family;
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_sums_of_runs_are_sums() {
        let mut tally = Tally::default();
        for millis in [50, 100, 101, 2_000, 40_000] {
            tally.observe(&family::LATENCY, &["p", "success"], Duration::from_millis(millis));
        }
        let series = ("provider_api_latency_seconds", vec!["p".to_owned(), "success".to_owned()]);
        let sum = tally.0[&series].clone();
        assert_eq!((sum.count, sum.micros), (5, 42_251_000));
        assert_eq!(sum.buckets, [2, 3, 3, 3, 4, 4, 4, 4]);
        let mut twice = tally.clone();
        twice.add(&tally);
        assert_eq!(twice.0[&series].buckets, [4, 6, 6, 6, 8, 8, 8, 8]);
        assert_eq!(twice.0[&series].count, 10);
    }

    #[test]
    fn a_series_is_known_before_its_first_event() {
        let mut tally = Tally::default();
        tally.count(&family::CALLS, &["p", "error"], 0);
        assert_eq!(tally.0.len(), 1);
        tally.count(&family::CALLS, &["p", "error"], 2);
        assert_eq!(tally.0.values().next().unwrap().count, 2);
    }
}
