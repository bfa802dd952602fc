//! The one transaction in which a run decides.

use std::time::Duration;

use super::damaged_rows::Odd;
use super::database::{Database, Value, insert, transaction};
use super::edited_checks::adopt;
use super::outbox::{close, deferred, pending};
use super::remembered::memory;
use super::rows::shard_text;
use super::samples::samples;
use super::sums::add;
use super::told::changes;
use super::{Run, RunFindings, StoreError, answers, payments, readings};
use crate::decide::Decision;
use crate::decide::memory::Memory;
use crate::process::fault;

/// Decides, and writes what was found and decided, in one transaction: of two runs at once, the second one sees what the
/// first one is going to tell. Gives the number of the run.
pub(super) fn claim(
    database: &mut dyn Database,
    run: &Run,
    findings: &RunFindings,
    decide: &dyn Fn(&Memory) -> Decision,
    wait: Duration,
) -> Result<(i64, Decision), StoreError> {
    transaction(database, wait, |database| {
        let mut odd = Odd::default();
        let schedule = run.schedule();
        let mut known = memory(database, &schedule, &mut odd)?;
        if adopt(database, run.shard, &findings.found, &known)? {
            odd = Odd::default();
            known = memory(database, &schedule, &mut odd)?;
        }
        if !odd.is_empty() {
            odd.set_aside(database)?;
        }
        let mut decision = decide(&known);
        let number = begin_run(database, run, findings.found.total())?;
        samples(database, number, &findings.found)?;
        payments::keep(database, &findings.found)?;
        changes(database, &decision.changes, run)?;
        pending(database, number, run, &decision.alerts)?;
        deferred(database, run, &decision.deferred)?;
        deferred(database, run, &decision.alerts)?;
        let keys = decision.changes.withdrawn.iter().map(|(key, _)| key.as_str().into()).collect::<Vec<_>>();
        close(database, &keys, run.started_at)?;
        readings::readings(database, findings)?;
        decision.changed_answers = answers::answers(database, findings, run.clock.now())?;
        readings::circuits(database, findings)?;
        readings::cursors(database, findings)?;
        readings::mails(database, findings)?;
        if let Some((group, tally)) = &findings.metrics {
            add(database, group, tally)?;
        }
        if !decision.alerts.is_empty() {
            database.hold(number)?;
        }
        fault::point("in-claim");
        Ok((number, decision))
    })
}

/// The row of a run. Its number is its start, moved on where another run has it.
fn begin_run(database: &mut dyn Database, run: &Run, checks: usize) -> Result<i64, StoreError> {
    let mut number = run.started_at.as_microsecond();
    while !database.query("SELECT run FROM runs WHERE run = $1", &[number.into()])?.is_empty() {
        number += 1;
    }
    let checks = i64::try_from(checks).unwrap_or(i64::MAX);
    let row: Vec<Value> = vec![
        number.into(),
        run.id.as_str().into(),
        checks.into(),
        i64::from(run.is_partial).into(),
        run.claims_until.as_millisecond().into(),
        shard_text(run.shard).into(),
        run.unusable_channels.join(", ").into(),
        run.schedule_name.as_str().into(),
    ];
    insert(
        database,
        "runs",
        &["run", "id", "checks", "is_partial", "ends_by", "shard", "unusable_channels", "schedule"],
        &[row],
        "",
    )?;
    Ok(number)
}
