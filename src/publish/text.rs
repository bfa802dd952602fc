//! Makes metric families of the findings and the sums, and writes them in Prometheus' text format (version 0.0.4).

use std::collections::BTreeMap;

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{Encoder, TextEncoder};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::check::subscription::Standing;
use crate::decide::Status;
use crate::decide::expiry;
use crate::decide::memory::MuteKind;
use crate::decide::spike::told;
use crate::metrics::family::{self, Family, Kind};
use crate::metrics::{Sum, Sums};
use crate::report::Findings;

/// The media type of the text format.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Which of its families a run publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All families. They replace what was published before.
    Whole,
    /// The gauges alone. The sums are not known in this run, and are left out so that a counter never goes back.
    Gauges,
    /// The sums alone. A partial run says nothing about the state of the checks that it left out.
    Sums,
    /// No family.
    Nothing,
}

impl Part {
    /// Which families are published, and which a report shows. `has_sums`: the sums could be read. `is_alone`: there is no
    /// memory on purpose (`state: none`), so that the run's own numbers are all there is.
    pub(crate) fn of(has_sums: bool, is_alone: bool, is_partial: bool) -> (Part, Part) {
        match (has_sums, is_alone, is_partial) {
            (true, _, true) => (Part::Sums, Part::Whole),
            (true, _, false) | (false, true, false) => (Part::Whole, Part::Whole),
            (false, true, true) => (Part::Nothing, Part::Whole),
            (false, false, true) => (Part::Nothing, Part::Gauges),
            (false, false, false) => (Part::Gauges, Part::Gauges),
        }
    }

    /// Whether all families are published, so that they replace everything from before.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Part::Whole | Part::Gauges)
    }
}

/// Values by family and labels, in the order of the families.
#[derive(Default)]
struct Values(BTreeMap<&'static str, Vec<Metric>>);

/// The families of a run as text, each name after `prefix`; `seconds` is how long the run took until now.
pub(crate) fn render(findings: &Findings, seconds: f64, sums: &Sums, part: Part, prefix: &str) -> String {
    let mut values = Values::default();
    if matches!(part, Part::Whole | Part::Gauges) {
        gauges(findings, seconds, sums, &mut values);
    }
    if matches!(part, Part::Whole | Part::Sums) {
        for ((name, labels), sum) in &sums.tally.0 {
            if let Some(family) = family::ALL.iter().find(|family| family.name == *name) {
                values.sum(family, labels, sum);
            }
        }
    }
    let mut families = Vec::new();
    for family in family::ALL {
        let Some(metrics) = values.0.remove(family.name) else {
            continue;
        };
        let mut one = MetricFamily::default();
        one.set_name(format!("{prefix}{}", family.name));
        one.set_help(family.help.to_owned());
        one.set_field_type(match family.kind {
            Kind::Gauge => MetricType::GAUGE,
            Kind::Counter => MetricType::COUNTER,
            Kind::Histogram(_) => MetricType::HISTOGRAM,
        });
        one.set_metric(metrics);
        families.push(one);
    }
    let mut text = Vec::new();
    // No family here is empty or without a name, and writing to memory cannot fail.
    let _ = TextEncoder::new().encode(&families, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

impl Values {
    fn push(&mut self, family: &'static Family, labels: &[&str], fill: impl FnOnce(&mut Metric)) {
        let pairs = family.labels.iter().zip(labels).map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        });
        let mut metric = Metric::from_label(pairs.collect());
        fill(&mut metric);
        self.0.entry(family.name).or_default().push(metric);
    }

    fn gauge(&mut self, family: &'static Family, labels: &[&str], value: f64) {
        self.push(family, labels, |metric| {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        });
    }

    fn decimal(&mut self, family: &'static Family, labels: &[&str], value: Option<Decimal>) {
        if let Some(value) = value.and_then(|value| value.to_f64()) {
            self.gauge(family, labels, value);
        }
    }

    fn sum(&mut self, family: &'static Family, labels: &[String], sum: &Sum) {
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        self.push(family, &labels, |metric| match family.kind {
            Kind::Histogram(bounds) => {
                let mut histogram = Histogram::default();
                histogram.set_sample_count(sum.count);
                histogram.set_sample_sum(sum.micros as f64 / 1e6);
                let buckets = bounds.iter().zip(&sum.buckets).map(|(bound, count)| {
                    let mut bucket = Bucket::default();
                    bucket.set_upper_bound(*bound);
                    bucket.set_cumulative_count(*count);
                    bucket
                });
                histogram.set_bucket(buckets.collect());
                metric.set_histogram(histogram);
            }
            Kind::Counter | Kind::Gauge => {
                let mut counter = Counter::default();
                counter.set_value(sum.count as f64);
                metric.set_counter(counter);
            }
        });
    }
}

fn gauges(findings: &Findings, seconds: f64, sums: &Sums, values: &mut Values) {
    let started = findings.started_at.as_second() as f64;
    values.gauge(&family::ACTIVE, &[], findings.verdicts.len() as f64);
    for verdict in &findings.verdicts {
        let subject = &verdict.subject;
        let labels = [subject.name.as_str(), subject.provider.as_str(), subject.kind.as_str()];
        let [name, provider, kind] = labels;
        let owner = subject.owner_project.as_deref().unwrap_or_default();
        // The word that a service uses for its currency becomes a label only if it looks like a code.
        let is_code = |code: &&str| code.len() <= 8 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let currency = subject.currency.as_deref().or(verdict.currency.as_deref().filter(is_code)).unwrap_or_default();
        values.gauge(&family::INFO, &[name, provider, kind, owner, currency], 1.0);
        values.decimal(&family::THRESHOLD, &labels, subject.threshold);
        // An account that was not read has no balance, not even an old one.
        values.decimal(&family::BALANCE, &labels, verdict.balance);
        values.decimal(&family::RATIO, &labels, verdict.ratio);
        let beside = &verdict.beside;
        values.decimal(&family::TOTAL, &labels, beside.total);
        values.decimal(&family::USAGE, &labels, beside.usage);
        values.decimal(&family::FROZEN, &labels, beside.frozen);
        let next = beside.next_to_expire(findings.started_at).map(|(at, _)| at);
        for (family, at) in [(&family::RESETS, beside.resets_at), (&family::EXPIRES, next)] {
            at.into_iter().for_each(|at| values.gauge(family, &labels, at.as_second() as f64));
        }
        if next.is_some()
            && let Some(lapses) = expiry::unused(verdict, findings.started_at)
        {
            let unused = lapses.iter().try_fold(Decimal::ZERO, |sum, lapse| sum.checked_add(lapse.unused));
            values.decimal(&family::UNUSED, &labels, unused);
        }
        let day = verdict.foresight.as_ref().and_then(|foresight| foresight.today.day());
        values.decimal(&family::LAST_DAY, &labels, day.and_then(|day| told(day.per_day)));
        if let Some(forecast) = verdict.foresight.as_ref().map(|foresight| &foresight.forecast) {
            values.decimal(&family::BURN, &labels, forecast.burn_per_day);
            if let Some(lasts) = forecast.lasts() {
                values.gauge(&family::RUNWAY, &labels, lasts.days);
                values.gauge(&family::DEPLETION, &labels, lasts.until.as_millisecond() as f64 / 1000.0);
            }
        }
        match verdict.status {
            Status::Ok | Status::Unlimited => values.gauge(&family::STATUS, &labels, 1.0),
            Status::Low | Status::Warning => values.gauge(&family::STATUS, &labels, 0.0),
            Status::Failed => {}
        }
    }
    if !findings.verdicts.is_empty() {
        values.gauge(
            &family::CHECK_SUCCESS,
            &["balance"],
            f64::from(u8::from(findings.verdicts.iter().all(|verdict| verdict.failure.is_none()))),
        );
        values.gauge(&family::LAST_CHECK, &["balance"], started);
    }
    for verdict in &findings.subscriptions {
        // As with accounts, a value that is not known is left out.
        let (Ok(renewal), Some(cycle)) = (&verdict.renewal, verdict.subscription.cadence()) else {
            continue;
        };
        let cycle = cycle.to_string();
        let labels = [verdict.subscription.name.as_str(), cycle.as_str()];
        if let Some((_, days)) = renewal.ahead() {
            values.gauge(&family::SUBSCRIPTION_DAYS, &labels, days as f64);
            values.decimal(&family::SUBSCRIPTION_AMOUNT, &labels, verdict.price());
        }
        let is_fine = !matches!(renewal.standing, Standing::Due | Standing::Overdue);
        values.gauge(&family::SUBSCRIPTION_STATUS, &labels, f64::from(u8::from(is_fine)));
    }
    if !findings.subscriptions.is_empty() {
        let is_fine = findings.subscriptions.iter().all(|verdict| verdict.renewal.is_ok());
        values.gauge(&family::CHECK_SUCCESS, &["subscription"], f64::from(u8::from(is_fine)));
        values.gauge(&family::LAST_CHECK, &["subscription"], started);
    }
    if !findings.mailboxes.is_empty() {
        let is_fine = findings.mailboxes.iter().all(|verdict| verdict.scanned.failure().is_none());
        values.gauge(&family::CHECK_SUCCESS, &["email"], f64::from(u8::from(is_fine)));
        values.gauge(&family::LAST_CHECK, &["email"], started);
    }
    for (provider, is_open) in &findings.circuits {
        values.gauge(&family::CIRCUIT, &[provider], f64::from(u8::from(*is_open)));
    }
    if let Some(lag) = findings.lag_seconds {
        values.gauge(&family::LAG, &[], lag);
    }
    values.gauge(&family::LAST_RUN, &[], (started + seconds).round());
    if let Some(at) = sums.last_success {
        values.gauge(&family::LAST_SUCCESS, &[], at.as_second() as f64);
    }
    values.gauge(&family::PENDING, &[], sums.pending as f64);
    for kind in MuteKind::ALL {
        let of_kind = findings
            .muted
            .iter()
            .filter(|muted| findings.mutes.iter().any(|mute| mute.number == muted.by && mute.kind() == kind));
        values.gauge(&family::MUTED, &[kind.as_str()], of_kind.count() as f64);
    }
    for mute in &findings.mutes {
        let end = mute.until.map_or(f64::INFINITY, |until| until.as_second() as f64);
        values.gauge(&family::MUTE_END, &[&mute.number.to_string(), mute.kind().as_str(), &mute.who], end);
    }
    values.gauge(&family::BUILD, &[env!("CARGO_PKG_VERSION"), crate::process::REVISION], 1.0);
}
