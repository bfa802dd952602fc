//! Alerts about balances that will not last.

use jiff::tz::TimeZone;

use super::alert_builder::{AlertBuilder, account};
use super::decision::Decision;
use super::forecast::account::{Foresight, Standing};
use super::per_channel::{Observed, Settler};
use super::status::Status;
use super::verdict::Verdict;
use crate::model::alert::{Cause, Event, Lasting, Level, Runway, Topic};

impl Settler<'_> {
    /// Decides what is told of how long the balance of an account lasts.
    pub(super) fn settle_runway(&self, verdict: &Verdict, builder: &AlertBuilder, decision: &mut Decision) {
        let observed = runway(verdict, builder, &self.rules.timezone);
        self.settle(observed, (builder.identity, Topic::Runway), &builder.about(), decision);
    }
}

/// Whether a balance will not last. It is not said beside an alert about the balance itself.
fn runway(verdict: &Verdict, builder: &AlertBuilder, timezone: &TimeZone) -> Observed {
    let lasts = verdict.foresight.as_ref().and_then(|foresight| lasting(foresight, timezone));
    let alert = |event, level| builder.alert(event, level, Cause::Runway(Runway { account: account(verdict), lasts }));
    let is_wanted = verdict.subject.forecasting.is_some_and(|forecasting| forecasting.alert_days > 0);
    let standing = verdict.foresight.as_ref().map_or(Standing::Unknown, |foresight| foresight.standing);
    match (verdict.status, standing) {
        (Status::Unlimited, _) => Observed::Right(alert(Event::Resolved, Level::Info)),
        _ if !is_wanted => Observed::Right(alert(Event::Resolved, Level::Info)),
        (Status::Low | Status::Warning | Status::Failed, _) | (_, Standing::Unknown) => {
            Observed::Unknown(alert(Event::Raised, Level::Warning))
        }
        (Status::Ok, Standing::Short) => Observed::Wrong(alert(Event::Raised, Level::Warning)),
        (Status::Ok, Standing::Between) => Observed::Shaky(alert(Event::Raised, Level::Warning)),
        (Status::Ok, Standing::Lasts) => Observed::Right(alert(Event::Resolved, Level::Info)),
    }
}

/// How long a balance lasts, as people are told.
fn lasting(foresight: &Foresight, timezone: &TimeZone) -> Option<Lasting> {
    let lasts = foresight.forecast.lasts()?;
    Some(Lasting {
        days: lasts.days.round() as u32,
        least: lasts.least.floor() as u32,
        most: lasts.most.map(|most| most.ceil() as u32),
        until: lasts.until.to_zoned(timezone.clone()).date(),
        burn_per_day: foresight.forecast.burn_per_day,
    })
}
