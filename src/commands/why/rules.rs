//! What is the case of one topic, in the words of the rule that says so.

use rust_decimal::Decimal;

use super::shown::Shown;
use crate::decide::expiry;
use crate::decide::forecast::spike::{Spike, Today};
use crate::decide::{Explained, State, Status, SubscriptionStatus, Verdict};
use crate::model::alert::{Cause, Topic};
use crate::model::amount;
use crate::model::cadence::Cadence;
use crate::model::text;

impl Shown<'_> {
    /// The rule that holds, as sentences.
    pub(super) fn rule(&self, explained: &Explained) -> Vec<String> {
        let mut said = match explained.key.1 {
            Topic::Low => self.found.accounts.iter().map(|verdict| self.low(verdict, explained.state)).collect(),
            Topic::Failing => vec![self.failing(explained)],
            Topic::Renewal => self.found.subscriptions.iter().map(renewal).collect(),
            Topic::Runway => self.found.accounts.iter().map(runway).collect(),
            Topic::Spike => self.found.accounts.iter().map(spike).collect(),
            Topic::TopUp => self.found.accounts.iter().map(topup).collect(),
            Topic::Expiry => self.found.accounts.iter().flat_map(|verdict| self.expiry(verdict)).collect(),
            Topic::Mail => vec![mail(explained)],
            // They are about no entry of the config.
            Topic::Silent | Topic::Digest => Vec::new(),
        };
        if let Some(calm) = explained.course.and_then(|course| course.calm_since) {
            let calm = self.time(calm);
            said.push(format!("It has come back before, so it is over only when the calm since {calm} has lasted."));
        }
        said
    }

    fn low(&self, verdict: &Verdict, state: State) -> String {
        let currency = verdict.currency.as_deref();
        let (threshold, warning) = (verdict.subject.threshold, verdict.subject.warning_threshold);
        let highest = threshold.max(warning);
        let shown = |amount: Decimal| amount::show_beside(amount, verdict.balance, currency);
        let balance = verdict.balance.map(|balance| amount::show_beside(balance, highest, currency));
        let balance = balance.unwrap_or_default();
        match (verdict.status, threshold, warning) {
            (Status::Unlimited, ..) => "It has no limit, so it is never low.".to_owned(),
            (Status::Failed, ..) => "The last run could not read it, so nobody knows whether it is low.".to_owned(),
            (Status::Low, Some(threshold), _) => format!("{balance} is below the threshold of {}.", shown(threshold)),
            (Status::Warning, _, Some(warning)) => {
                format!("{balance} is below the warning threshold of {}.", shown(warning))
            }
            (_, None, None) => "It has no threshold, so it is never low.".to_owned(),
            _ => {
                let highest = highest.unwrap_or_default();
                let more = if state == State::NearlyWell { self.margin(highest, currency) } else { String::new() };
                format!("{balance} is not below the threshold of {}{more}.", shown(highest))
            }
        }
    }

    /// From where on a balance counts as recovered.
    fn margin(&self, highest: Decimal, currency: Option<&str>) -> String {
        let percent = self.rules.alerting.recovery_margin_percent;
        let enough = highest.checked_mul(Decimal::ONE + percent / Decimal::ONE_HUNDRED);
        match enough.filter(|_| !percent.is_zero()) {
            Some(enough) => {
                let enough = amount::show(enough, currency);
                format!(", but counts as recovered only from {enough} on (`recovery_margin_percent: {percent}`)")
            }
            None => String::new(),
        }
    }

    /// What becomes of each credit, and the rule.
    fn expiry(&self, verdict: &Verdict) -> Vec<String> {
        let Some(days) = verdict.subject.forecasting.map(|forecasting| forecasting.expiry_days) else {
            return vec!["It is a share that refills, so nobody is told which credits lapse.".to_owned()];
        };
        let limit = match days {
            0 => return vec!["Nobody is told which credits lapse (`expiry_days: 0`).".to_owned()],
            days => format!(
                "a credit that lapses within {} before it is used up is told once (`expiry_days: {days}`)",
                text::plural(days as usize, "day")
            ),
        };
        let ahead = expiry::ahead(verdict, self.now);
        if verdict.failure.is_some() {
            return vec!["The last run could not read it, so nobody knows which credits it has.".to_owned()];
        }
        if ahead.is_empty() {
            return vec![format!("It has no credit of a known amount that lapses; {limit}.")];
        }
        let usual = expiry::usual_per_day(verdict);
        let Some(all) = expiry::lapsing(verdict, &ahead, u32::MAX, (self.now, &self.rules.timezone)) else {
            return vec![format!("Too little is known of its past to say what is used of its credits; {limit}.")];
        };
        let currency = verdict.currency.as_deref();
        let shown = |amount: Decimal| amount::show(amount, currency);
        let usual = usual.map(|usual| format!("; {} a day are usual", shown(usual))).unwrap_or_default();
        let mut said: Vec<String> = all
            .iter()
            .map(|credit| {
                let name = credit.name.as_deref().map(|name| format!(" “{name}”")).unwrap_or_default();
                let below = credit.falls_below.map(|threshold| {
                    format!(", which takes the account below the threshold of {}", shown(threshold))
                });
                let (remaining, unused) = (shown(credit.remaining), shown(credit.unused));
                let (date, below) = (credit.date, below.unwrap_or_default());
                format!("The credit{name} of {remaining} lapses on {date} with {unused} unused{below}.")
            })
            .collect();
        if said.is_empty() {
            said.push("All of its credits will be used up before they lapse.".to_owned());
        }
        said.push(format!("For credits, {limit}{usual}."));
        said
    }

    fn failing(&self, explained: &Explained) -> String {
        let after = self.rules.alerting.failure_alert_after;
        let told = match after {
            0 => "that is never told (`failure_alert_after: 0`)".to_owned(),
            after => format!("that is told from {} in a row on (`failure_alert_after: {after}`)", text::plural(after as usize, "failed run")),
        };
        match explained.alert.as_ref().map(|alert| &alert.cause) {
            Some(Cause::Failing(failing)) => match &failing.trouble {
                Some(trouble) => {
                    let runs = text::plural(trouble.runs as usize, "run");
                    format!("It could not be read in the last {runs} ({}); {told}.", trouble.reason.as_str())
                }
                None => "The last run could read it.".to_owned(),
            },
            _ => "Nobody knows whether it can be read.".to_owned(),
        }
    }
}

fn runway(verdict: &Verdict) -> String {
    let Some(forecasting) = verdict.subject.forecasting else {
        return "It is a share that refills, so nobody is told how long it lasts.".to_owned();
    };
    let limit = match forecasting.alert_days {
        0 => "nobody is told how long it lasts (`alert_days: 0`)".to_owned(),
        days => format!("that is told from fewer than {} on (`alert_days: {days}`)", text::plural(days as usize, "day")),
    };
    let lasts = verdict.foresight.as_ref().and_then(|foresight| foresight.forecast.lasts());
    match (verdict.status, lasts) {
        (Status::Low | Status::Warning, _) => "Where the balance is low, that alone is told.".to_owned(),
        (Status::Failed, _) => "The last run could not read it, so nobody knows how long it lasts.".to_owned(),
        (Status::Unlimited, _) => "It has no limit, so it lasts.".to_owned(),
        (Status::Ok, None) => format!("What is known of its past gives no date; {limit}."),
        (Status::Ok, Some(lasts)) => {
            let days = text::plural(lasts.days.round() as usize, "day");
            let range = match lasts.most {
                Some(most) => format!("{:.0} to {:.0}", lasts.least.floor(), most.ceil()),
                None => format!("{:.0} or more", lasts.least.floor()),
            };
            format!("It lasts about {days} ({range}); {limit}.")
        }
    }
}

fn spike(verdict: &Verdict) -> String {
    let Some(forecasting) = verdict.subject.forecasting else {
        return "It is a share that refills, so nobody is told how fast it is used.".to_owned();
    };
    let currency = verdict.currency.as_deref();
    let (ratio, minimum) = (forecasting.spike_ratio, forecasting.spike_minimum);
    if ratio.is_zero() {
        return "Nobody is told how much a day consumes (`spike_ratio: 0`).".to_owned();
    }
    let limit = format!(
        "that is told from {ratio} times the usual on (`spike_ratio: {ratio}`), if it is at least {} (`spike_minimum: {minimum}`)",
        amount::show(minimum, currency)
    );
    let today = verdict.foresight.as_ref().map_or(Today::Unknown, |foresight| foresight.today);
    let shown = |rate: f64| amount::from_float(rate).map(|rate| amount::show(rate, currency)).unwrap_or_default();
    let said = |day: Spike| match day.usual_per_day {
        Some(usual) => format!("{} a day, and {} on a usual day", shown(day.per_day), shown(usual)),
        None => format!("{} a day, and nothing on the days before", shown(day.per_day)),
    };
    match (verdict.status, today) {
        (Status::Failed, _) => "The last run could not read it, so nobody knows what it consumes.".to_owned(),
        (Status::Unlimited, _) => "It has no limit, so nothing is consumed of it.".to_owned(),
        (_, Today::Unknown) => {
            format!("Too little is known of its last 24 hours, or of the days before them, to compare them; {limit}.")
        }
        (_, Today::Usual(day) | Today::Odd(day)) => format!("The last 24 hours consumed {}; {limit}.", said(day)),
        (_, Today::Between(day)) => format!(
            "The last 24 hours consumed {}; {limit}. It is nearly so much, or as much as at other times of the last weeks, so nothing begins and nothing ends.",
            said(day)
        ),
    }
}

/// The readings that explain the rest are thinned, so they do not say what the last run saw.
fn topup(verdict: &Verdict) -> String {
    match verdict.subject.forecasting {
        None => "It is a share that refills, so nobody is told of top-ups.".to_owned(),
        Some(forecasting) if forecasting.tell_topups => {
            "Each top-up that a run sees is told once (`tell_topups: true`).".to_owned()
        }
        Some(_) => "Nobody is told of top-ups (`tell_topups: false`).".to_owned(),
    }
}

fn renewal(verdict: &crate::decide::SubscriptionVerdict) -> String {
    match (&verdict.renewal, &verdict.subscription.schedule) {
        (Ok(renewal), Ok(schedule)) => {
            let days = text::plural(usize::try_from(renewal.days.unsigned_abs()).unwrap_or_default(), "day");
            let (paid, next) = (schedule.last_renewed, renewal.next);
            let said = match (verdict.status(), paid) {
                (SubscriptionStatus::Over, _) => return format!("It ended on {next}."),
                (SubscriptionStatus::Overdue, Some(paid)) => {
                    return format!(
                        "It was not renewed on {next}, {days} ago: it was last paid on {paid}; it is overdue until `last_renewed_date` \
                         is changed or `balance-alert paid` notes a payment."
                    );
                }
                (SubscriptionStatus::Renewed, Some(paid)) => format!(" and is paid since {paid}"),
                _ => String::new(),
            };
            let verb = if schedule.cycle.cadence() == Cadence::Once { "ends" } else { "renews" };
            let before = text::plural(schedule.alert_days_before as usize, "day");
            let from = format!("somebody is reminded from {before} before on");
            format!("It {verb} on {next}, in {days}{said}; {from}.")
        }
        (Err(failure), _) => format!("Nobody knows when it renews: {}.", failure.message),
        (_, Err(why)) => format!("Nobody knows when it renews: {why}."),
    }
}

fn mail(explained: &Explained) -> String {
    match explained.alert.as_ref().map(|alert| &alert.cause) {
        Some(Cause::Mail(mail)) => format!("A mail speaks of trouble: {}", text::one_line(&mail.subject, 80)),
        _ => "A mail speaks of trouble.".to_owned(),
    }
}
