//! One run of `check`: looks, judges, tells, remembers, publishes and reports, and when each of these must be over.
//!
//! Not here: what each step does. This is their order, and the time they share.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::alert::Identity;
use crate::check::circuit::{Breaker, HostState};
use crate::check::job::{Readings, Shared, job};
use crate::check::mailbox::scan::{Scanned, Terms};
use crate::check::mailbox::session::Cursor;
use crate::check::pool::{Job, Lost, Turn};
use crate::check::{CachedReading, Outcome};
use crate::cli::{CheckArgs, Output};
use crate::config::{Loaded, Mailbox, Place};
use crate::decide::{Decision, Found, MailboxVerdict, SubscriptionVerdict};
use crate::exit::Exit;
use crate::failure::{Failure, Reason};
use crate::http::Clients;
use crate::interrupt::{Deadline, Interrupt};
use crate::limit::Limiter;
use crate::logging::Format;
use crate::metrics::{Part, Published, Sums, Tally};
use crate::plan::{Plan, PlanError};
use crate::report::Report;
use crate::report::progress::Progress;
use crate::state::session::{Kept, Session};
use crate::state::{Decider, Learnt, MetricMarks, Present, Run, Snapshot};
use crate::{check, complain_all, decide, fault, logging, metrics, notify, open, print, retry, text};

/// Of the run's time this much at the most is kept for the store.
const STATE_SHARE: Duration = Duration::from_secs(2);
/// A claim on an alert ends so long after the run's time at the latest, should nothing tell that the run is gone.
const CLAIM_MARGIN: Duration = Duration::from_secs(30);

/// How long after a signal a run may still print its report.
const LAST_WORDS: Duration = Duration::from_millis(9500);

/// The steps of a run that take time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The store is opened and read.
    Recall,
    /// The checks are made.
    Look,
    /// What was found and decided is written down.
    Claim,
    /// Alerts are sent.
    Tell,
    /// What became of them is written down.
    Mark,
    /// Metrics are pushed.
    Publish,
    /// What is still open is closed.
    Close,
}

impl Step {
    /// When a step must be over, by the end of the run's time; and how long after a signal, so that all is over within 10 s of
    /// it. The process ends within 2 s of the run's time.
    fn end(self, start: Instant, timeout: Duration) -> (Instant, Duration) {
        let (deadline, millis) = (start + timeout, Duration::from_millis);
        match self {
            // A store that hangs takes a quarter of the run's time at the most.
            Step::Recall => (start + timeout / 4, millis(500)),
            // What the checks leave is the store's, so that what they found can be remembered.
            Step::Look => (deadline - (timeout / 20).min(STATE_SHARE), millis(1000)),
            Step::Claim => (deadline + millis(500), millis(2500)),
            Step::Tell => (deadline + millis(1200), millis(6000)),
            Step::Mark => (deadline + millis(1500), millis(7000)),
            Step::Publish => (deadline + millis(200), millis(8000)),
            Step::Close => (deadline + millis(1500), millis(8500)),
        }
    }
}

/// When, how and under which name a run takes place.
struct Context<'a> {
    args: &'a CheckArgs,
    format: Format,
    start: Instant,
    timeout: Duration,
    started_at: Timestamp,
    run_id: String,
    interrupt: Interrupt,
    clients: Arc<Clients>,
}

impl Context<'_> {
    /// When a step must be over.
    fn until(&self, step: Step) -> Deadline {
        let (at, grace) = step.end(self.start, self.timeout);
        Deadline::new(at, grace, &self.interrupt)
    }

    /// Whether a report in this form is wanted.
    fn wants(&self, output: Output) -> bool {
        self.args.output == output || self.args.reports.iter().any(|report| report.output == output)
    }
}

/// `balance-alert check`.
pub(crate) fn check(args: &CheckArgs) -> Exit {
    let start = Instant::now();
    let started_at = Timestamp::now();
    let (format, config) = match open(&args.config, args.talk.verbose) {
        Ok((format, _, Loaded { config: Some(config), .. })) => (format, config),
        Ok((format, _, loaded)) => {
            complain_all(format, &loaded.problems);
            return Exit::Config;
        }
        Err(exit) => return exit,
    };
    let plan = match Plan::new(&config, args) {
        Ok(plan) => plan,
        Err(PlanError::Usage { message, hint }) => {
            let hint = hint.map(|hint| format!("\n hint: {hint}")).unwrap_or_default();
            logging::complain(format, &format!("{message}{hint}"));
            return Exit::Usage;
        }
        Err(PlanError::Nothing(message)) => {
            logging::complain(format, &message);
            return Exit::Config;
        }
    };
    // The plan has what a run needs of it.
    drop(config);
    // From here on a signal ends the run in order; before, there is nothing to put in order.
    let interrupt = Interrupt::watch().unwrap_or_else(|error| {
        log::warn!("signals end this run at once: {}", text::io_error(&error));
        Interrupt::default()
    });
    fault::point("run-panic");
    for warning in &plan.warnings {
        log::warn!("{warning}");
    }
    for channel in &plan.channels {
        if let Some(why) = &channel.broken {
            log::warn!("no alert can be sent through `{}`: {why}", channel.name);
        }
    }
    let run_id = run_id(started_at);
    log::debug!(run_id:? = run_id.as_str(), checks = plan.checks.len(), workers = plan.workers; "run planned");
    let (timeout, clients) = (plan.run_timeout, Arc::new(Clients::default()));
    let context = Context { args, format, start, timeout, started_at, run_id, interrupt, clients };
    match carry_out(plan, &context) {
        Ok(report) => {
            if report.channels.is_empty() && (report.has_low() || report.has_failed() || report.has_warning()) {
                let what = "something is wrong and nobody is told of it, because the config has no `webhook`";
                let hint = "add one, or `webhook: { type: console }` if the report and the exit code are enough";
                logging::caution(format, &format!("{what}\n hint: {hint}"));
            }
            context.interrupt.end_at_once(LAST_WORDS);
            finish(&report, args)
        }
        Err(why) => {
            logging::complain(format, &why);
            Exit::Internal
        }
    }
}

/// Looks, judges, tells, remembers and publishes.
///
/// # Errors
/// Why nothing could be looked at.
fn carry_out(mut plan: Plan, context: &Context) -> Result<Report, String> {
    let args = context.args;
    let recall = context.until(Step::Recall);
    let mut session = Session::begin(&plan.state, args.dry_run, &context.clients, &recall);
    let snapshot = session.snapshot(plan.keep_readings, &recall);
    let lag_seconds = lag(&plan, context, || session.previous_start(plan.shard, &recall));

    let seen = look(&mut plan, context, snapshot)?;
    let wants_metrics = plan.metrics.gateway.is_some() || plan.metrics.textfile.is_some();
    let wants_metrics = wants_metrics || context.wants(Output::Prometheus);
    let group = metrics::ledger(&plan.metrics, plan.shard);
    let checked = wants_metrics.then(|| metrics::of_checks(&seen.found, plan.keep_readings.is_some()));
    let learnt = Arc::new(Learnt {
        found: seen.found,
        readings: seen.readings,
        circuits: seen.circuits,
        metrics: checked.clone().map(|tally| (group.clone(), tally)),
    });
    // What a signal has cut off stands for the whole as little as what flags have left out.
    let is_partial = plan.is_partial || learnt.found.is_cut();
    let unusable = plan.channels.iter().filter(|channel| channel.broken.is_some());
    let run = Run {
        id: context.run_id.clone(),
        started_at: context.started_at,
        claims_until: Timestamp::now() + context.until(Step::Close).left() + CLAIM_MARGIN,
        is_partial: plan.is_partial,
        shard: plan.shard,
        unusable_channels: unusable.map(|channel| channel.name.clone()).collect(),
    };

    let decider: Decider = {
        let (learnt, rules, run) = (Arc::clone(&learnt), plan.rules.clone(), run.clone());
        Arc::new(move |memory| decide::decide(&learnt.found, memory, &rules, run.started_at, &run.id))
    };
    fault::point("before-claim");
    let Decision { alerts, held, .. } = session.decide(&run, &learnt, &decider, &context.until(Step::Claim));
    fault::point("after-claim");
    let tell = context.until(Step::Tell);
    let deliveries = notify::notify(&plan, &alerts, &run.id, &context.clients, &tell, args.dry_run, context.format);
    fault::point("after-send");

    drop(decider);
    // Nobody else needs it any more, unless the store still hangs.
    let found = Arc::try_unwrap(learnt).map_or_else(|learnt| learnt.found.clone(), |learnt| learnt.found);
    let mut report = Report {
        run_id: run.id.clone(),
        started_at: run.started_at,
        duration_seconds: context.start.elapsed().as_secs_f64(),
        interrupted: context.interrupt.exit(),
        verdicts: found.accounts,
        subscriptions: found.subscriptions,
        mailboxes: found.mailboxes,
        alerts,
        held,
        channels: plan.channels.iter().map(|channel| channel.name.clone()).collect(),
        deliveries,
        memory: Kept::Off,
        circuits: seen.open_circuits,
        lag_seconds,
        metrics: Published::Off,
        strict_metrics: args.strict_metrics,
        exposition: String::new(),
    };
    let ended = metrics::of_run(&plan.channels, &report.deliveries, context.start.elapsed());
    let is_success = matches!(report.job_exit(), Exit::Ok | Exit::Warning | Exit::Critical);
    let succeeded_at = (is_success && !is_partial).then(Timestamp::now);
    let mut marks = report.marks();
    marks.metrics = wants_metrics.then(|| MetricMarks {
        group: group.clone(),
        tally: ended.clone(),
        config: plan.config_fingerprint.clone(),
        succeeded_at,
        present: (!is_partial).then(|| present(&plan, &report)),
    });
    session.finish(&run, marks, &context.until(Step::Mark));
    fault::point("after-mark");

    if wants_metrics {
        let this_run = || {
            let mut tally = checked.unwrap_or_default();
            tally.add(&ended);
            tally
        };
        publish(&plan, context, &mut session, &mut report, &Aim { group, is_partial, succeeded_at }, this_run);
    }
    report.memory = session.end(&context.until(Step::Close));
    report.interrupted = context.interrupt.exit();
    report.duration_seconds = context.start.elapsed().as_secs_f64();
    Ok(report)
}

/// What was seen of the world.
struct Seen {
    found: Found,
    readings: Vec<(String, CachedReading)>,
    circuits: Vec<(String, HostState)>,
    open_circuits: BTreeMap<String, bool>,
}

/// What came of one job.
enum Looked {
    Account(Outcome),
    Mailbox(Scanned),
}

/// Makes the checks, all at once as far as there are workers.
///
/// # Errors
/// Why nothing could be looked at.
fn look(plan: &mut Plan, context: &Context, snapshot: Snapshot) -> Result<Seen, String> {
    let checks = std::mem::take(&mut plan.checks);
    let hosts: BTreeSet<(String, String)> = checks
        .iter()
        .filter_map(|check| Some((check.subject.provider.clone(), check.account.as_ref().ok()?.target.host()?)))
        .collect();
    let limits = std::mem::take(&mut plan.rate_limits);
    let shared = Arc::new(Shared {
        clients: Arc::clone(&context.clients),
        redactor: Arc::clone(&plan.redactor),
        policy: retry::Policy { max_retries: plan.max_retries, deadline: context.until(Step::Look) },
        breaker: Arc::new(Breaker::new(plan.circuit, snapshot.circuits)),
        limiters: limits.into_iter().map(|(provider, limit)| (provider, Limiter::new(limit))).collect(),
        readings: Readings {
            account_key: snapshot.account_key,
            ttl: plan.keep_readings.unwrap_or_default(),
            known: snapshot.readings,
            ..Readings::default()
        },
    });
    let (subjects, jobs): (Vec<_>, Vec<_>) = checks
        .into_iter()
        .map(|check| (check.subject.clone(), job(check.subject.name, check.account, &shared, Looked::Account)))
        .unzip();
    let today = context.started_at.to_zoned(plan.timezone.clone()).date();
    let mailboxes = std::mem::take(&mut plan.mailboxes);
    let of = |mailbox: &Mailbox| (mailbox.identity(), mailbox.name.clone(), mailbox.address.host.clone());
    let names: Vec<(Identity, String, String)> = mailboxes.iter().map(of).collect();
    let terms = Arc::new(Terms { today, settings: plan.email, policy: shared.policy.clone() });
    let scans = mailboxes.into_iter().map(|mailbox| mailbox_job(mailbox, &snapshot.cursors, &terms, &shared));
    // Mailboxes take longest, so they begin first.
    let jobs: Vec<Job<Looked>> = scans.chain(jobs).collect();
    let mut progress = Progress::new(jobs.len(), context.format == Format::Text && !context.args.quiet);
    let deadline = &shared.policy.deadline;
    let looked = check::pool::run(jobs, plan.workers, deadline, |done| progress.done(done))?;
    drop(progress);

    let mut looked = looked.into_iter();
    let mailboxes = names.into_iter().zip(looked.by_ref()).map(|((identity, name, host), looked)| {
        let scanned = match looked {
            Ok(Looked::Mailbox(scanned)) => scanned,
            Ok(Looked::Account(_)) => Scanned::lost(Lost::never()),
            Err(lost) => Scanned::lost(lost),
        };
        MailboxVerdict { identity, name, host, scanned }
    });
    let mailboxes: Vec<MailboxVerdict> = mailboxes.collect();
    let outcomes = looked.map(|looked| match looked {
        Ok(Looked::Account(outcome)) => outcome,
        Ok(Looked::Mailbox(_)) => Outcome::lost(Lost::never()),
        Err(lost) => Outcome::lost(lost),
    });
    let verdicts = decide::judge(subjects.into_iter().zip(outcomes));
    let subscriptions = std::mem::take(&mut plan.subscriptions).into_iter().filter_map(|subscription| {
        let (before, paid) = (subscription.alert_days_before, subscription.last_renewed);
        let renewal = check::subscription::look(subscription.cycle, before, paid, today)?;
        Some(SubscriptionVerdict { identity: subscription.identity(), subscription, renewal })
    });
    Ok(Seen {
        found: Found { accounts: verdicts, subscriptions: subscriptions.collect(), mailboxes, today },
        readings: shared.readings.learnt(),
        circuits: shared.breaker.changes(),
        open_circuits: open_circuits(&hosts, &shared.breaker),
    })
}

fn mailbox_job(
    mailbox: Mailbox,
    cursors: &HashMap<Identity, Cursor>,
    terms: &Arc<Terms>,
    shared: &Arc<Shared>,
) -> Job<Looked> {
    let (shared, terms) = (Arc::clone(shared), Arc::clone(terms));
    let cursor = cursors.get(&mailbox.identity()).copied();
    Box::new(move || {
        fault::point(&format!("check-panic:{}", mailbox.name));
        let mut scanned = check::mailbox::scan::scan(&mailbox, cursor, &terms, &shared.clients, &shared.redactor);
        scanned.result = check::pool::or_cancelled(scanned.result, &terms.policy.deadline);
        Turn::Done(Looked::Mailbox(scanned))
    })
}

/// For each provider that is asked over the network, whether one of its hosts is left alone now.
fn open_circuits(hosts: &BTreeSet<(String, String)>, breaker: &Breaker) -> BTreeMap<String, bool> {
    let mut circuits = BTreeMap::new();
    for (provider, host) in hosts {
        *circuits.entry(provider.clone()).or_default() |= breaker.is_open(host, Timestamp::now());
    }
    circuits
}

/// What the config holds, as far as labels of the sums name it.
fn present(plan: &Plan, report: &Report) -> Present {
    Present {
        projects: report
            .verdicts
            .iter()
            .map(|v| (v.subject.name.clone(), v.subject.provider.clone()))
            .chain(report.mailboxes.iter().map(|v| (v.name.clone(), "imap".to_owned())))
            .collect(),
        webhook_types: plan.channels.iter().map(|channel| channel.kind.as_str()).collect(),
    }
}

/// What the metrics of a run stand for.
struct Aim {
    group: String,
    is_partial: bool,
    succeeded_at: Option<Timestamp>,
}

/// Pushes, writes and shows the metrics: with the sums of all runs, or with this run's alone where there is no memory.
fn publish(
    plan: &Plan,
    context: &Context,
    session: &mut Session,
    report: &mut Report,
    aim: &Aim,
    this_run: impl FnOnce() -> Tally,
) {
    let accounts = report.verdicts.iter().map(|verdict| verdict.subject.identity);
    let checks = accounts
        .chain(report.subscriptions.iter().map(|verdict| verdict.identity))
        .chain(report.mailboxes.iter().map(|verdict| verdict.identity))
        .chain(report.alerts.iter().map(|alert| alert.identity));
    let checks: Arc<HashSet<Identity>> = Arc::new(checks.collect());
    let alone = || {
        let pending = report.alerts.iter().enumerate().filter(|(at, _)| !report.is_taken(*at)).count();
        Sums { tally: this_run(), last_success: aim.succeeded_at, pending: pending as u64 }
    };
    let (part, shown, sums) = match session.sums(&aim.group, &checks, &context.until(Step::Publish)) {
        Some(sums) if aim.is_partial => (Part::Sums, Part::Whole, sums),
        Some(sums) => (Part::Whole, Part::Whole, sums),
        // Without memory on purpose, a run's own numbers are all there is.
        None if matches!(plan.state.place, Ok(Place::Nowhere)) => {
            (if aim.is_partial { Part::Nothing } else { Part::Whole }, Part::Whole, alone())
        }
        None => (if aim.is_partial { Part::Nothing } else { Part::Gauges }, Part::Gauges, alone()),
    };
    if !context.args.dry_run {
        report.metrics = push(plan, context, metrics::render(report, &sums, part, &plan.metrics.prefix), part);
    }
    if context.wants(Output::Prometheus) {
        report.exposition = metrics::render(report, &sums, shown, &plan.metrics.prefix);
    }
}

/// Publishes on a thread of its own, which a signal need not wait for.
fn push(plan: &Plan, context: &Context, text: String, part: Part) -> Published {
    let (sender, receiver) = mpsc::channel();
    let (settings, clients, redactor) =
        (plan.metrics.clone(), Arc::clone(&context.clients), Arc::clone(&plan.redactor));
    let until = context.until(Step::Publish);
    let work = move || {
        // Nobody listens any more after the deadline.
        let _ = sender.send(metrics::publish(&settings, &text, part, &clients, &redactor, until.left()));
    };
    if let Err(error) = std::thread::Builder::new().name("metrics".to_owned()).spawn(work) {
        return Published::Failed(Failure::new(Reason::Internal, format!("no thread could be started: {error}")));
    }
    let late = || Failure::new(Reason::Timeout, "the metrics were not delivered when the run's time was over");
    context.until(Step::Close).receive(&receiver).unwrap_or_else(|_| Published::Failed(late()))
}

/// How late the run began, in seconds: against the time that a flag, a Job's name or the run before tells.
fn lag(plan: &Plan, context: &Context, previous: impl FnOnce() -> Option<Timestamp>) -> Option<f64> {
    let started_at = context.started_at;
    let scheduled = context.args.scheduled_at.or_else(|| {
        let name = std::env::var("BALANCE_ALERT_JOB_NAME").ok()?;
        let minutes: i64 = name.rsplit_once('-')?.1.parse().ok()?;
        // A Job that was made by hand may end in any number.
        let at = Timestamp::from_second(minutes.checked_mul(60)?).ok()?;
        (-1..24 * 7).contains(&started_at.duration_since(at).as_hours()).then_some(at)
    });
    let scheduled = scheduled.or_else(|| {
        let interval = plan.refresh_interval?;
        previous()?.checked_add(interval).ok()
    });
    scheduled.map(|at| started_at.duration_since(at).as_secs_f64())
}

/// Writes the report where it is wanted, prints it, and gives the status.
fn finish(report: &Report, args: &CheckArgs) -> Exit {
    let mut exit = Exit::of(report, args.fail_on);
    let shown = |exit: Exit| if args.output == Output::Nagios { exit.for_nagios() } else { exit };
    for file in &args.reports {
        let text = report.render(file.output, shown(exit), false);
        // In place: what is named may be no ordinary file, as `/dev/termination-log`. Without colours, which are a terminal's.
        if let Err(error) = std::fs::write(&file.path, anstream::adapter::strip_str(&text).to_string()) {
            let why = text::io_error(&error);
            log::error!("the report cannot be written to `{}`: {why}", file.path.display());
            exit = if exit == Exit::Ok { Exit::Internal } else { exit };
        }
    }
    let printed = print(&report.render(args.output, shown(exit), args.quiet));
    log::info!(
        run_id:? = report.run_id.as_str(), status:? = report.status(), exit_code = shown(exit).code(),
        duration_seconds = report.duration_seconds, projects_checked = report.verdicts.len(); "run finished"
    );
    if exit == Exit::Ok { printed } else { exit }
}

/// The id of a run: the one that the scheduler gives, so that its repeat has the same, else the time and a few random digits.
fn run_id(started_at: Timestamp) -> String {
    let is_id = |id: &String| (1..=100).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_graphic());
    match std::env::var("BALANCE_ALERT_RUN_ID").ok().filter(|id| !id.is_empty()) {
        Some(id) if is_id(&id) => return id,
        Some(_) => log::warn!("`BALANCE_ALERT_RUN_ID` is not used: an id is 1 to 100 visible ASCII characters"),
        None => {}
    }
    format!("{}-{:06x}", started_at.strftime("%Y%m%dT%H%M%SZ"), fastrand::u32(..0x0100_0000))
}
