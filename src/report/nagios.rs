//! One status line with performance data, by the monitoring-plugins guidelines.

use rust_decimal::Decimal;

use super::{Overall, Report, View, outlook, sections};
use crate::decide::{Status, Verdict};
use crate::model::amount;
use crate::model::text::{self, ShortNames};

/// Most names in the status line; the counts cover the rest.
const MOST_NAMES: usize = 5;

pub(super) fn render(report: &Report, _: View) -> String {
    let findings = &report.findings;
    let is_unsure = findings.has_undelivered() || report.has_missing_metrics() || report.interrupted.is_some();
    let overall = if is_unsure { Overall::Unknown } else { findings.overall() };
    let names = ShortNames::new(findings.names(), text::NAME_CHARS);
    let mut parts = findings.troubles();
    if parts.is_empty() {
        parts.push("all ok".to_owned());
    }
    let mut line = format!("BALANCE {} - {} of {}", overall.as_str().to_uppercase(), parts.join(", "), findings.total());
    if findings.has_undelivered() {
        line.push_str(", an alert was not delivered");
    }
    if report.has_missing_metrics() {
        line.push_str(", the metrics were not delivered");
    }
    if let Some(exit) = report.interrupted {
        line.push_str(&format!(", {} before it was through", exit.meaning()));
    }
    let bad: Vec<String> = findings
        .worst_first()
        .into_iter()
        .filter(|verdict| matches!(verdict.status, Status::Low | Status::Failed | Status::Warning))
        .take(MOST_NAMES)
        .map(|verdict| describe(verdict, &names))
        .collect();
    if !bad.is_empty() {
        line.push_str(": ");
        line.push_str(&bad.join(", "));
    }
    let labels: Vec<String> = findings.verdicts.iter().map(label).collect();
    let clean = |label: &str| label.replace(['=', '\'', '|'], "_");
    let short = ShortNames::cleaned(labels.iter().map(String::as_str), text::NAME_CHARS, clean);
    let all = || findings.verdicts.iter().zip(labels.iter().map(|label| short.get(label)));
    let data = all().filter_map(|(verdict, label)| performance(verdict, label));
    let data: Vec<String> = data.chain(all().filter_map(|(verdict, label)| days(verdict, label))).collect();
    // A `|` in a name would begin the performance data.
    let line = line.replace('|', "/");
    if data.is_empty() { format!("{line}\n") } else { format!("{line} | {}\n", data.join(" ")) }
}

fn describe(verdict: &Verdict, names: &ShortNames) -> String {
    let name = names.get(&verdict.subject.name);
    match (&verdict.failure, verdict.balance) {
        (Some(failure), _) => format!("{name} {} failed", failure.reason.as_str()),
        (None, Some(balance)) => format!("{name} {}", shown(balance, verdict)),
        (None, None) => name.to_owned(),
    }
}

/// The label of an account's performance data: its name and currency.
fn label(verdict: &Verdict) -> String {
    let currency = verdict.currency.as_deref().map(|currency| format!(" {currency}")).unwrap_or_default();
    format!("{}{currency}", verdict.subject.name)
}

/// The balance with enough digits to see that it is below its threshold.
fn shown(balance: Decimal, verdict: &Verdict) -> String {
    amount::show_beside(balance, sections::limit(verdict), verdict.currency.as_deref())
}

/// `'label days'=value;warn`: how many days the balance lasts, where that is known, and below how many somebody is told.
fn days(verdict: &Verdict, label: &str) -> Option<String> {
    let days = outlook::tenths(verdict.foresight.as_ref()?.forecast.lasts()?.days)?;
    let limit = verdict.subject.forecasting.map(|forecasting| forecasting.alert_days).filter(|days| *days > 0);
    let limit = limit.map(|days| format!("{days}:")).unwrap_or_default();
    Some(format!("'{label} days'={days};{limit}"))
}

/// `'label'=value;warn;crit`; the ranges `N:` mean "alert below N".
fn performance(verdict: &Verdict, label: &str) -> Option<String> {
    if verdict.status == Status::Unlimited {
        return None;
    }
    let range = |threshold: Option<Decimal>| threshold.map(|t| format!("{}:", t.normalize())).unwrap_or_default();
    let value = verdict.balance.map_or_else(|| "U".to_owned(), |balance| balance.normalize().to_string());
    let (warn, crit) = (range(verdict.subject.warning_threshold), range(verdict.subject.threshold));
    Some(format!("'{label}'={value};{warn};{crit}"))
}
