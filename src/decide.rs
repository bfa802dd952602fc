//! Is that bad? Pure: outcomes and thresholds in, verdicts and alerts out. No clock, no I/O.

use rust_decimal::Decimal;
use serde::Serialize;

use crate::check::{Amount, Outcome};
use crate::config::BalanceType;
use crate::failure::Failure;
use crate::plan::Subject;

/// The state of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Below its threshold.
    Low,
    /// Could not be read: neither good nor low.
    Failed,
    /// Below its warning threshold.
    Warning,
    /// At or above all thresholds.
    Ok,
    /// Without a limit.
    Unlimited,
}

impl Status {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Low => "low",
            Status::Failed => "failed",
            Status::Warning => "warning",
            Status::Ok => "ok",
            Status::Unlimited => "unlimited",
        }
    }
}

/// What was found of one account.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What it is about.
    pub subject: Subject,
    /// The state.
    pub status: Status,
    /// The balance, if one was read and it has a limit.
    pub balance: Option<Decimal>,
    /// The currency, as the service or the config says.
    pub currency: Option<String>,
    /// Balance over threshold, where that can be said.
    pub ratio: Option<Decimal>,
    /// Why there is no reading.
    pub failure: Option<Failure>,
    /// Attempts made.
    pub attempts: u32,
    /// Seconds taken.
    pub duration_seconds: f64,
}

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Soon.
    Warning,
    /// Now.
    Critical,
}

/// One account that somebody must know of.
#[derive(Clone, Debug)]
pub struct Alert {
    /// The project's name.
    pub project: String,
    /// Who it belongs to.
    pub owner_project: Option<String>,
    /// The provider's id.
    pub provider: String,
    /// What is counted.
    pub kind: BalanceType,
    /// How urgent it is.
    pub level: Level,
    /// What is left.
    pub balance: Decimal,
    /// The threshold it is below.
    pub threshold: Decimal,
    /// The currency.
    pub currency: Option<String>,
}

/// Judges every outcome by its subject's thresholds; alerts come worst first, then in the order of the plan.
pub fn decide(found: Vec<(Subject, Outcome)>) -> (Vec<Verdict>, Vec<Alert>) {
    let verdicts: Vec<Verdict> = found.into_iter().map(|(subject, outcome)| judge(subject, outcome)).collect();
    let mut alerts: Vec<Alert> = verdicts.iter().filter_map(alert).collect();
    alerts.sort_by_key(|alert| std::cmp::Reverse(alert.level));
    (verdicts, alerts)
}

fn judge(subject: Subject, outcome: Outcome) -> Verdict {
    let (status, balance, currency, failure) = match outcome.result {
        Err(failure) => (Status::Failed, None, None, Some(failure)),
        Ok(reading) => match reading.amount {
            Amount::Unlimited => (Status::Unlimited, None, reading.currency, None),
            Amount::Of(balance) => {
                let below = |threshold: Option<Decimal>| threshold.is_some_and(|threshold| balance < threshold);
                let status = if below(subject.threshold) {
                    Status::Low
                } else if below(subject.warning_threshold) {
                    Status::Warning
                } else {
                    Status::Ok
                };
                (status, Some(balance), reading.currency, None)
            }
        },
    };
    let ratio = balance.zip(subject.threshold).and_then(|(balance, threshold)| balance.checked_div(threshold));
    Verdict {
        currency: currency.or_else(|| subject.currency.clone()),
        ratio: ratio.map(|ratio| ratio.round_dp(4).normalize()),
        subject,
        status,
        balance,
        failure,
        attempts: outcome.attempts,
        duration_seconds: outcome.duration.as_secs_f64(),
    }
}

fn alert(verdict: &Verdict) -> Option<Alert> {
    let (level, threshold) = match verdict.status {
        Status::Low => (Level::Critical, verdict.subject.threshold?),
        Status::Warning => (Level::Warning, verdict.subject.warning_threshold?),
        Status::Failed | Status::Ok | Status::Unlimited => return None,
    };
    Some(Alert {
        project: verdict.subject.name.clone(),
        owner_project: verdict.subject.owner_project.clone(),
        provider: verdict.subject.provider.clone(),
        kind: verdict.subject.kind,
        level,
        balance: verdict.balance?,
        threshold,
        currency: verdict.currency.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Reading;
    use crate::failure::Reason;
    use std::time::Duration;

    fn subject(threshold: &str, warning: Option<&str>) -> Subject {
        Subject {
            name: "P".into(),
            owner_project: None,
            provider: "file".into(),
            kind: BalanceType::Balance,
            threshold: Some(threshold.parse().unwrap()),
            warning_threshold: warning.map(|w| w.parse().unwrap()),
            currency: Some("USD".into()),
        }
    }

    fn outcome(amount: Amount) -> Outcome {
        Outcome { result: Ok(Reading { amount, currency: None }), attempts: 1, duration: Duration::ZERO }
    }

    #[test]
    fn thresholds_are_exact_and_strict() {
        for (balance, threshold, warning, want, ratio) in [
            ("100", "100", None, Status::Ok, Some("1")),
            ("99.99", "100", None, Status::Low, Some("0.9999")),
            ("0.2", "0.2", None, Status::Ok, Some("1")),
            ("74.75", "100", Some("150"), Status::Low, Some("0.7475")),
            ("149.999", "100", Some("150"), Status::Warning, Some("1.5")),
            ("150", "100", Some("150"), Status::Ok, Some("1.5")),
            ("0", "0", None, Status::Ok, None),
            ("-0.01", "0", None, Status::Low, None),
            ("-5", "10", None, Status::Low, Some("-0.5")),
        ] {
            let outcome = outcome(Amount::Of(balance.parse().unwrap()));
            let (verdicts, alerts) = decide(vec![(subject(threshold, warning), outcome)]);
            assert_eq!(verdicts[0].status, want, "{balance} against {threshold}");
            assert_eq!(verdicts[0].ratio.map(|r| r.to_string()).as_deref(), ratio);
            assert_eq!(alerts.len(), usize::from(matches!(want, Status::Low | Status::Warning)));
        }
    }

    #[test]
    fn unknown_is_never_low_and_unlimited_never_alerts() {
        let failed =
            Outcome { result: Err(Failure::new(Reason::Timeout, "x")), attempts: 3, duration: Duration::from_secs(1) };
        let (verdicts, alerts) =
            decide(vec![(subject("10", None), failed), (subject("10", Some("20")), outcome(Amount::Unlimited))]);
        assert_eq!(verdicts[0].status, Status::Failed);
        assert_eq!(verdicts[0].balance, None);
        assert_eq!(verdicts[1].status, Status::Unlimited);
        assert!(alerts.is_empty());
    }

    #[test]
    fn the_worst_alert_comes_first() {
        let found = [("15", "w"), ("5", "c")].map(|(balance, name)| {
            let subject = Subject { name: name.into(), ..subject("10", Some("20")) };
            (subject, outcome(Amount::Of(balance.parse().unwrap())))
        });
        let (_, alerts) = decide(found.into());
        assert_eq!(alerts.iter().map(|a| a.project.as_str()).collect::<Vec<_>>(), ["c", "w"]);
    }
}
