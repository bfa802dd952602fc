//! How long balances last, out of what earlier runs have read and what this one has.

use std::time::Instant;

use jiff::Timestamp;

use super::run::{Run, Step};
use crate::decide::forecast::account::{Reading, foresee as forecast, is_behind};
use crate::decide::forecast::reads_from;
use crate::decide::{Found, Verdict};
use crate::state::hourly_readings::Checks;
use crate::state::session::Session;

/// How many accounts are forecast with one question to the store. A question cannot be taken back, and what is remembered must be
/// written soon after.
const AT_ONCE: usize = 500;
/// The part of the run's time that forecasts may take.
const SHARE: u32 = 10;

/// Forecasts the accounts, as far as there is time. An account without a forecast is judged by its threshold alone.
pub(super) fn foresee(found: &mut Found, run: &Run, session: &mut Session) {
    let (now, start) = (run.context.started_at, Instant::now());
    let most = run.config.settings.run_timeout / SHARE;
    let until = run.until(Step::Claim).or_at(start + most);
    let mut wanted: Vec<&mut Verdict> = found.accounts.iter_mut().filter(|verdict| is_wanted(verdict)).collect();
    wanted.sort_by_key(|verdict| verdict.subject.identity);
    let mut behind = 0_usize;
    for some in wanted.chunks_mut(AT_ONCE) {
        let (Some(first), Some(last)) = (some.first(), some.last()) else { continue };
        let checks = Checks::Between(first.subject.identity, last.subject.identity);
        if until.left().is_zero() {
            log::warn!("not all accounts have a forecast: there was no time to read their past");
            return;
        }
        let Some(mut past) = session.recent(checks, (since(some, now), now), &until) else { return };
        let is_early = |verdict: &&&mut Verdict| {
            past.get(&verdict.subject.identity).is_some_and(|readings| is_behind(readings, now))
        };
        behind += some.iter().filter(is_early).count();
        for verdict in some {
            let readings = past.remove(&verdict.subject.identity).unwrap_or_default();
            foresee_one(verdict, readings, now);
        }
    }
    if behind > 0 {
        log::warn!(
            "how long balances last is not known for {behind} of the accounts: the clock stands before what an earlier run has \
             read of them"
        );
    }
}

/// From when on readings of some accounts matter.
fn since(some: &[&mut Verdict], now: Timestamp) -> Timestamp {
    let windows = some.iter().filter_map(|verdict| Some(verdict.subject.forecasting?.window_days));
    reads_from(now, windows.max().unwrap_or_default())
}

/// Whether there is something to forecast.
pub(in super::super) fn is_wanted(verdict: &Verdict) -> bool {
    verdict.balance.is_some() && verdict.subject.forecasting.is_some()
}

/// Forecasts one account out of what earlier runs have read of it, oldest first, and what this one has.
pub(in super::super) fn foresee_one(verdict: &mut Verdict, mut readings: Vec<Reading>, now: Timestamp) {
    let Some((balance, settings)) = verdict.balance.zip(verdict.subject.forecasting) else { return };
    let currency = Some(verdict.currency.clone().unwrap_or_default());
    let at = verdict.as_of.unwrap_or(now);
    // A reading that is used again says nothing new.
    let is_new = readings.last().is_none_or(|newest| newest.at < at) && !verdict.cached;
    if is_new {
        readings.push(Reading { at, balance, currency });
    }
    verdict.foresight = forecast(&readings, verdict.currency.as_deref(), settings, now);
    // An earlier run has seen the rise of its own reading.
    if let Some(foresight) = verdict.foresight.as_mut().filter(|_| !is_new) {
        foresight.top_up = None;
    }
}
