//! One run of `check`, in the order of its steps.
//!
//! Not here: what each step does, and when it must be over (`run`).

pub(super) mod foresight;
mod measure;
pub(super) mod output;
mod prepare;
mod run;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;

use self::measure::Measured;
use self::run::{Run, Step, unwritten};
use crate::check::job::Readings;
use crate::check::look::{Known, Work, look};
use crate::check::mailbox::scan::Marker;
pub(super) use crate::cli::CheckArgs as Flags;
use crate::decide::found::Subjects;
use crate::decide::memory::Fate;
use crate::decide::{self, Decision, Found, Telling};
use crate::model::identity::Identity;
use crate::notify::{self, Delivery, Dispatch, Keep, Settled};
use crate::process::exit::Exit;
use crate::process::{Process, clock, fault};
use crate::report::{Findings, Report};
use crate::state::session::Session;
use crate::state::{self, Decider, DeliveryKeeper, DeliveryRecord, RunFindings};

/// Fallback lease: if nobody can see that the claiming run is dead, its claim expires this long after its deadline.
const CLAIM_MARGIN: Duration = Duration::from_secs(30);

/// `balance-alert check`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    match prepare::prepare(flags, process) {
        Ok((checks, run)) => {
            let mut heartbeat = run.heartbeat();
            let report = carry_out(checks, &run);
            output::warn_if_nobody_is_told(&report, &run);
            run.interrupt.end_at_once();
            if let Some(heartbeat) = &mut heartbeat {
                heartbeat.end(report.exit(run.flags.fail_on));
            }
            let exit = output::finish(&report, &run);
            run.leave(heartbeat, exit);
            exit
        }
        Err(exit) => exit,
    }
}

/// Remembers, looks, judges, tells, writes down, publishes and reports.
fn carry_out((work, mut subjects): (Work, Subjects), run: &Run) -> Report {
    let (mut session, known, payments, lag_seconds) = remember(run);
    subjects.note(&payments);
    let answers_key = known.answers_key.clone();
    let mut progress = run.progress(work.jobs());
    let seen = look(work, known, &run.context, run.until(Step::Look), |done| progress.done(done));
    drop(progress);
    let mut found = decide::found::found(subjects, seen.accounts, seen.mailboxes, run.context.today);
    foresight::foresee(&mut found, run, &mut session);
    // A run cut short by a signal is partial, like one narrowed by `--project` or `--only`. The store writes down the latter
    // alone: it asks what a run was meant for.
    let is_partial = run.config.is_partial || found.is_cut();
    let metrics = measure::of_checks(run, &found);
    let learnt = RunFindings {
        found,
        readings: seen.readings,
        answers: seen.answers,
        answers_key,
        mails: seen.mails,
        circuits: seen.circuits,
        metrics: metrics.clone(),
    };
    let record = record(run);
    let (decision, found) = decide(learnt, &record, run, &mut session);
    output::warn_of_silence(&decision.silent);
    output::warn_of_changes(&decision.changed_answers);
    let keeper = session.keeper(&record, &decision.alerts);
    let deliveries = tell(&decision.alerts, run, keeper);
    let findings = Findings {
        run_id: run.context.run_id.clone(),
        started_at: run.context.started_at,
        verdicts: found.accounts,
        subscriptions: found.subscriptions,
        mailboxes: found.mailboxes,
        alerts: decision.alerts.into_iter().map(|telling| telling.alert).collect(),
        held: decision.held,
        waiting: decision.waiting,
        postponed: decision.postponed,
        muted: decision.muted,
        mutes: decision.mutes,
        changed_answers: decision.changed_answers,
        channels: run.config.channels.iter().map(|channel| (channel.id.clone(), channel.name.clone())).collect(),
        deliveries,
        circuits: seen.open_circuits,
        lag_seconds,
    };
    let interrupted = run.interrupt.exit();
    let measured = metrics.map(|metrics| Measured::new(metrics, run, &findings, is_partial, interrupted));
    write_down(&findings, measured.as_ref(), interrupted, (&record, run), &mut session);
    let (metrics, exposition) = measure::publish(measured, run, &findings, &mut session);
    Report {
        findings,
        memory: session.end(&run.until(Step::Close)),
        metrics,
        strict_metrics: run.flags.strict_metrics,
        exposition,
        interrupted: run.interrupt.exit(),
        duration_seconds: run.seconds(),
    }
}

/// Opens the store: what earlier runs have left for the checks, the payments that people have noted, and how late this run is, in seconds.
fn remember(run: &Run) -> (Session, Known, HashMap<Identity, Date>, Option<f64>) {
    let (config, context) = (&run.config, &run.context);
    let recall = run.until(Step::Recall);
    let mut session = Session::begin(&config.state, run.flags.dry_run, context, &recall);
    let snapshot = session.snapshot(config.recall_readings, &config.rules.schedule, &recall);
    let lag = run.lag(|| session.previous_start(config.shard, &recall));
    let known = Known {
        circuits: snapshot.circuits,
        readings: Readings {
            account_key: snapshot.account_key,
            ttl: config.settings.keep_readings().unwrap_or_default(),
            known: snapshot.readings,
            ..Readings::default()
        },
        answers_key: snapshot.answers_key,
        cursors: snapshot.cursors,
        marks: snapshot.marks,
        mails: snapshot.mails,
        marker: session
            .marker()
            .map(|marker| -> Marker { Arc::new(move |mailbox, mark| marker.mark(mailbox, mark)) }),
    };
    (session, known, snapshot.payments, lag)
}

/// The run as the store writes it down.
fn record(run: &Run) -> state::Run {
    let unusable = run.config.channels.iter().filter(|channel| channel.fault().is_some());
    state::Run {
        id: run.context.run_id.clone(),
        started_at: run.context.started_at,
        clock: run.context.clock,
        claims_until: clock::after(run.context.clock.now(), run.until(Step::Close).left() + CLAIM_MARGIN),
        is_partial: run.config.is_partial,
        shard: run.config.shard,
        unusable_channels: unusable.map(|channel| channel.name.clone()).collect(),
        schedule_name: run.config.rules.schedule.name.clone(),
    }
}

/// Decides what is to be told, within the store's own transaction, and gives what was found back.
fn decide(learnt: RunFindings, record: &state::Run, run: &Run, session: &mut Session) -> (Decision, Found) {
    let learnt = Arc::new(learnt);
    let decider: Decider = {
        let (learnt, rules, record) = (Arc::clone(&learnt), run.config.rules.clone(), record.clone());
        Arc::new(move |memory| decide::decide(&learnt.found, memory, &rules, record.started_at, &record.id))
    };
    fault::point("before-claim");
    let decision = session.decide(record, &learnt, &decider, &run.until(Step::Claim));
    fault::point("after-claim");
    drop(decider);
    // The thread of the store has dropped its share by now, unless the store still hangs.
    let found = Arc::try_unwrap(learnt).map_or_else(|learnt| learnt.found.clone(), |learnt| learnt.found);
    (decision, found)
}

/// Sends the alerts to their channels.
fn tell(alerts: &[Telling], run: &Run, keeper: Option<DeliveryKeeper>) -> Vec<Delivery> {
    let (config, context) = (&run.config, &run.context);
    // Telling gets the connections and the memory that reading needed.
    context.clients.end_reading();
    run.process.reserve.release();
    let keep = keeper.map(|keeper| -> Keep {
        Arc::new(move |settled, patience| keeper.keep(settled.into_iter().map(record_of), patience))
    });
    let dispatch = Dispatch {
        context,
        channels: &config.channels,
        language: config.settings.language,
        providers: &config.providers,
        max_retries: config.settings.max_retries,
        timeout: config.settings.request_timeout,
        deadline: &run.until(Step::Tell),
        is_dry_run: run.flags.dry_run,
        is_trial: false,
        keep,
    };
    let deliveries = notify::notify(&dispatch, alerts);
    fault::point("after-send");
    deliveries
}

/// What became of an alert, for the store.
fn record_of(settled: Settled) -> DeliveryRecord {
    let Settled { alert, channel, at, is_taken } = settled;
    let fate = if is_taken { Fate::Taken } else { Fate::Unknown };
    DeliveryRecord { alert, channel, fate, detail: None, tried_at: Some(at), is_poisoned: false }
}

/// Marks what became of the alerts, and how the run ends.
fn write_down(
    findings: &Findings,
    measured: Option<&Measured>,
    interrupted: Option<Exit>,
    (record, run): (&state::Run, &Run),
    session: &mut Session,
) {
    // From here on it is known how the run ends, whatever hangs after this.
    let exit = run.shown(unwritten(findings.exit(interrupted, run.flags.fail_on)));
    run.process.watchdog.expect("the writing down of the run", exit);
    let marks = findings.marks(interrupted, measured.map(|measured| measured.marks(&run.config, findings)));
    session.finish(record, marks, &run.until(Step::Mark));
    fault::point("after-mark");
}
