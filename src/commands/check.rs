//! One run of `check`: looks, judges, tells, remembers, publishes and reports, and when each of these must be over.
//!
//! Not here: what each step does. This is their order, and the time they share.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::open::{Opened, complain_all, open, print};
use crate::check::circuit::{Breaker, HostState};
use crate::check::job::{Readings, Shared, job};
use crate::check::mailbox::config::Mailbox;
use crate::check::mailbox::resolve::Resolver;
use crate::check::mailbox::scan::{Scanned, Scanner, Terms};
use crate::check::pool::{Job, Lost, Traits};
use crate::check::subscription::Schedule;
use crate::check::{self, CachedReading, Outcome};
use crate::cli::CheckArgs;
use crate::config::{self, Reach};
use crate::decide::{self, Decision, Found, MailboxVerdict, SubscriptionVerdict};
use crate::metrics::{self, Sums, Tally};
use crate::model::failure::{Failure, Reason};
use crate::model::identity::Identity;
use crate::model::text;
use crate::notify::{self, Dispatch};
use crate::plan::{Check, Plan, PlanError};
use crate::process::environment::Environment;
use crate::process::exit::Exit;
use crate::process::interrupt::{Deadline, Interrupt};
use crate::process::logging::{self, Format};
use crate::process::{Process, aside, clock, fault, file, limits, redact};
use crate::publish::{self, Part};
use crate::report::progress::Progress;
use crate::report::{Output, Published, Report};
use crate::state::config::Place;
use crate::state::session::{Kept, Session};
use crate::state::{Decider, Learnt, MailMarker, MetricMarks, Present, Run, Snapshot};
use crate::wire::http::Clients;
use crate::wire::limit::Limiter;
use crate::wire::retry;

/// Of the run's time this much at the most is kept for the store and for telling.
const LAST_SHARE: Duration = Duration::from_secs(5);
/// A claim on an alert ends so long after the run's time at the latest, should nothing tell that the run is gone.
const CLAIM_MARGIN: Duration = Duration::from_secs(30);
/// Report files that take no longer are written before standard output.
const PATIENCE: Duration = Duration::from_secs(1);

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
            // A store that hangs takes a quarter of the run's time at the most, but of a short run a second or a half.
            Step::Recall => (start + (timeout / 4).max(millis(1000).min(timeout / 2)), millis(500)),
            // What the checks leave is for the store and for telling, so that what they found is remembered and heard.
            Step::Look => (deadline - (timeout / 8).min(LAST_SHARE), millis(1000)),
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
    process: &'a Process,
    format: Format,
    environment: Environment,
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
        let deadline = Deadline::new(at, grace, &self.interrupt);
        match step {
            // A store that hangs leaves as much time for telling as it has taken.
            Step::Claim => {
                let (now, end) = (Instant::now(), Step::Tell.end(self.start, self.timeout).0);
                deadline.or_at(now + end.saturating_duration_since(now) / 2)
            }
            _ => deadline,
        }
    }

    /// Whether a report in this form is wanted.
    fn wants(&self, output: Output) -> bool {
        self.args.output == output || self.args.reports.iter().any(|report| report.output == output)
    }
}

/// `balance-alert check`.
pub(super) fn run(args: &CheckArgs, process: &Process) -> Exit {
    let started_at = clock::now();
    let watchdog = &process.watchdog;
    // As long as the config is not read, nobody knows better.
    let time = args.timeout.unwrap_or(config::Settings::default().run_timeout);
    watchdog.allow(time);
    file::allow(time);
    watchdog.expect("the reading of the config", shown(args, Exit::Config));
    let Opened { format, environment, loaded, .. } = match open(&args.config, &args.talk) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let Some(config) = loaded.config else {
        complain_all(format, &loaded.problems);
        return Exit::Config;
    };
    for problem in loaded.problems.iter().filter(|problem| problem.reach == Reach::Line) {
        log::warn!("{problem}");
    }
    let shard = match args.shard(&environment) {
        Ok(shard) => shard,
        Err(why) => {
            logging::complain(format, &why);
            return Exit::Usage;
        }
    };
    let plan = match Plan::new(&config, args, shard) {
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
    watchdog.allow(plan.run_timeout);
    watchdog.expect("the run", shown(args, Exit::Internal));
    // From here on a signal ends the run in order; before, there is nothing to put in order.
    let interrupt = Interrupt::watch().unwrap_or_else(|error| {
        log::warn!("signals end this run at once: {}", text::io_error(&error));
        Interrupt::default()
    });
    watchdog.heed(&interrupt);
    fault::point("run-panic");
    for warning in &plan.warnings {
        log::warn!("{warning}");
    }
    for channel in &plan.channels {
        if let Some(why) = &channel.broken {
            log::warn!("no alert can be sent through `{}`: {why}", channel.name);
        }
    }
    let run_id = run_id(&environment, started_at);
    log::debug!(run_id:? = run_id.as_str(), checks = plan.checks.len(), workers = plan.workers; "run planned");
    let (start, timeout) = (watchdog.started(), plan.run_timeout);
    if let Some(why) = limits::shortage() {
        logging::complain(format, &why);
        return Exit::Internal;
    }
    let room = limits::room(plan.workers, hosts(&plan).len());
    if room.reads < plan.workers {
        let what = "little address space or few open files are allowed";
        log::info!("{what}: {} checks at the same time instead of {}", room.reads, plan.workers);
    }
    let clients = Clients::new(&environment.surroundings()).keeping(room.idle);
    clients.secrets().for_each(|secret| plan.redactor.learn(secret.expose_secret()));
    for warning in clients.problems().into_iter().chain(plan.insecure(&clients)) {
        log::warn!("{warning}");
    }
    let clients = Arc::new(clients);
    let plan = Plan { workers: room.reads, ..plan };
    let context =
        Context { args, process, format, environment, start, timeout, started_at, run_id, interrupt, clients };
    let report = carry_out(plan, &context);
    if report.channels.is_empty() && (report.has_low() || report.has_failed() || report.has_warning()) {
        let what = "something is wrong and nobody is told of it, because the config has no `webhook`";
        let hint = "add one, or `webhook: { type: console }` if the report and the exit code are enough";
        logging::caution(format, &format!("{what}\n hint: {hint}"));
    }
    context.interrupt.end_at_once();
    finish(&report, args, process)
}

/// Looks, judges, tells, remembers and publishes.
fn carry_out(mut plan: Plan, context: &Context) -> Report {
    let args = context.args;
    let recall = context.until(Step::Recall);
    let mut session = Session::begin(&plan.state, args.dry_run, &context.clients, &plan.redactor, &recall);
    let snapshot = session.snapshot(plan.keep_readings, plan.shard, &recall);
    let lag_seconds = lag(&plan, context, || session.previous_start(plan.shard, &recall));

    let seen = look(&mut plan, context, snapshot, session.marker());
    let wants_metrics = plan.metrics.gateway.is_some() || plan.metrics.textfile.is_some();
    let wants_metrics = wants_metrics || context.wants(Output::Prometheus);
    let group = redact::shield(&publish::ledger(&plan.metrics, plan.shard)).into_owned();
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
        claims_until: clock::after(clock::now(), context.until(Step::Close).left() + CLAIM_MARGIN),
        is_partial: plan.is_partial,
        shard: plan.shard,
        unusable_channels: unusable.map(|channel| channel.name.clone()).collect(),
    };

    let decider: Decider = {
        let (learnt, rules, run) = (Arc::clone(&learnt), plan.rules.clone(), run.clone());
        Arc::new(move |memory| decide::decide(&learnt.found, memory, &rules, run.started_at, &run.id))
    };
    fault::point("before-claim");
    let Decision { alerts, held, waiting, .. } = session.decide(&run, &learnt, &decider, &context.until(Step::Claim));
    fault::point("after-claim");
    // What reading needed is there for telling.
    context.clients.end_reading();
    context.process.reserve.release();
    let tell = context.until(Step::Tell);
    let deliveries = notify::notify(
        &Dispatch {
            channels: &plan.channels,
            language: plan.language,
            redactor: &plan.redactor,
            max_retries: plan.max_retries,
            timeout: plan.request_timeout,
            run_id: &run.id,
            clients: &context.clients,
            deadline: &tell,
            is_dry_run: args.dry_run,
            format: context.format,
        },
        &alerts,
    );
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
        alerts: alerts.into_iter().map(|telling| telling.alert).collect(),
        held,
        waiting,
        channels: plan.channels.iter().map(|channel| (channel.id.clone(), channel.name.clone())).collect(),
        deliveries,
        memory: Kept::Off,
        circuits: seen.open_circuits,
        lag_seconds,
        metrics: Published::Off,
        strict_metrics: args.strict_metrics,
        exposition: String::new(),
    };
    // From here on it is known how the run ends, whatever hangs after this.
    context.process.watchdog.expect("the writing down of the run", shown(args, unwritten(report.exit(args.fail_on))));
    let ended = notify::tally(&plan.channels, &report.deliveries, context.start.elapsed());
    let is_success = matches!(report.job_exit(), Exit::Ok | Exit::Warning | Exit::Critical);
    let succeeded_at = (is_success && !is_partial).then(clock::now);
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
    report
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
fn look(plan: &mut Plan, context: &Context, snapshot: Snapshot, marker: Option<MailMarker>) -> Seen {
    let hosts = hosts(plan);
    let checks = std::mem::take(&mut plan.checks);
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
    let hosts_of_checks: Vec<Option<String>> =
        checks.iter().map(|check| check.account.as_ref().ok()?.target.host()).collect();
    // Accounts of one page and the same options share its compiled expressions.
    let page = |check: &Check| check.account.as_ref().map_or(0, |account| Arc::as_ptr(&account.reader).addr());
    let pages: Vec<usize> = checks.iter().map(page).collect();
    let (subjects, jobs): (Vec<_>, Vec<_>) = checks
        .into_iter()
        .map(|check| (check.subject.clone(), job(check.subject.name, check.account, &shared, Looked::Account)))
        .unzip();
    let today = context.started_at.to_zoned(plan.timezone.clone()).date();
    let mailboxes = std::mem::take(&mut plan.mailboxes);
    let of = |mailbox: &Mailbox| (mailbox.identity(), mailbox.name.clone(), mailbox.address.host.clone());
    let names: Vec<(Identity, String, String)> = mailboxes.iter().map(of).collect();
    let terms = Arc::new(Terms {
        today,
        settings: plan.email,
        policy: shared.policy.clone(),
        resolver: Resolver::default(),
        marker: Arc::new(move |mailbox, mark| marker.iter().for_each(|marker| marker.mark(mailbox, mark))),
        clients: Arc::clone(&shared.clients),
        redactor: Arc::clone(&shared.redactor),
    });
    let scans = mailboxes.into_iter().map(|mailbox| {
        let identity = mailbox.identity();
        let (cursor, mark) = (snapshot.cursors.get(&identity).copied(), snapshot.marks.get(&identity).copied());
        mailbox_job(Scanner::new(mailbox, cursor, mark, Arc::clone(&terms)))
    });
    // Mailboxes take longest, so they begin first.
    let jobs: Vec<Job<Looked>> = scans.chain(jobs).collect();
    let mut progress = Progress::new(jobs.len(), context.format == Format::Text && !context.args.quiet);
    let deadline = &shared.policy.deadline;
    let traits = Traits {
        slow: names.len(),
        hosts: names.iter().map(|_| None).chain(hosts_of_checks.iter().cloned()).collect(),
        pages: names.iter().map(|_| 0).chain(pages).collect(),
        has_answered: |looked| matches!(looked, Looked::Account(outcome) if outcome.has_answered()),
    };
    let looked = check::pool::run(jobs, &traits, plan.workers, deadline, |done| progress.done(done));
    drop(progress);

    let mut looked = looked.into_iter();
    let mailboxes = names.into_iter().zip(looked.by_ref()).map(|((identity, name, host), looked)| {
        let scanned = match looked {
            Ok(Looked::Mailbox(scanned)) => scanned,
            Ok(Looked::Account(_)) => Scanned::lost(Lost::never()),
            Err(lost) => Scanned::lost(lost),
        };
        let result = scanned.result.map_err(|failure| failure.settle(&shared.redactor));
        MailboxVerdict { identity, name, host, scanned: Scanned { result, ..scanned } }
    });
    let mailboxes: Vec<MailboxVerdict> = mailboxes.collect();
    let outcomes = looked.map(|looked| match looked {
        Ok(Looked::Account(outcome)) => outcome,
        Ok(Looked::Mailbox(_)) => Outcome::lost(Lost::never()),
        Err(lost) => Outcome::lost(lost),
    });
    // Here all that comes from outside enters the run; what was lost on the way was never looked through.
    let redactor = &shared.redactor;
    let outcomes = outcomes.zip(hosts_of_checks).map(|(outcome, host)| {
        // Who was not asked is not to blame.
        let is_asked = outcome.attempts > 0;
        let about = |failure: Failure| match host {
            Some(host) if is_asked && !failure.is_cancelled() => failure.at(host),
            _ => failure,
        };
        Outcome { result: outcome.result.map_err(|failure| about(failure).settle(redactor)), ..outcome }
    });
    let verdicts = decide::judge(subjects.into_iter().zip(outcomes));
    let subscriptions = std::mem::take(&mut plan.subscriptions).into_iter().filter_map(|subscription| {
        let renewal = match &subscription.schedule {
            Ok(Schedule { cycle, alert_days_before, last_renewed, .. }) => {
                Ok(check::subscription::look(*cycle, *alert_days_before, *last_renewed, today)?)
            }
            Err(why) => Err(Failure::new(Reason::Config, why.clone())),
        };
        Some(SubscriptionVerdict { identity: subscription.identity(), subscription, renewal })
    });
    Seen {
        found: Found { accounts: verdicts, subscriptions: subscriptions.collect(), mailboxes, today },
        readings: shared.readings.learnt(),
        circuits: shared.breaker.changes(),
        open_circuits: open_circuits(&hosts, &shared.breaker),
    }
}

fn mailbox_job(mut scanner: Scanner) -> Job<Looked> {
    Box::new(move |most| {
        fault::point(&format!("check-panic:{}", scanner.name()));
        scanner.turn(most).map(Looked::Mailbox)
    })
}

/// Providers that are asked over the network, with the hosts that are asked.
fn hosts(plan: &Plan) -> BTreeSet<(String, String)> {
    let asked = plan.checks.iter();
    let asked =
        asked.filter_map(|check| Some((check.subject.provider.clone(), check.account.as_ref().ok()?.target.host()?)));
    asked.collect()
}

/// For each provider that is asked over the network, whether one of its hosts is left alone now.
fn open_circuits(hosts: &BTreeSet<(String, String)>, breaker: &Breaker) -> BTreeMap<String, bool> {
    let mut circuits = BTreeMap::new();
    for (provider, host) in hosts {
        *circuits.entry(provider.clone()).or_default() |= breaker.is_open(host, clock::now());
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
            .chain(report.subscriptions.iter().map(|v| (v.subscription.name.clone(), "subscription".to_owned())))
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
        let pending = (0..report.alerts.len()).filter(|at| report.owed(*at).next().is_some()).count();
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
        report.metrics = push(plan, context, publish::render(report, &sums, part, &plan.metrics.prefix), part);
    }
    if context.wants(Output::Prometheus) {
        report.exposition = publish::render(report, &sums, shown, &plan.metrics.prefix);
    }
}

/// Publishes on a thread of its own, if there is one: a signal need not wait for it.
fn push(plan: &Plan, context: &Context, text: String, part: Part) -> Published {
    let (sender, receiver) = mpsc::channel();
    let (settings, clients, redactor) =
        (plan.metrics.clone(), Arc::clone(&context.clients), Arc::clone(&plan.redactor));
    let until = context.until(Step::Publish);
    let work = move || {
        // Nobody listens any more after the deadline.
        let _ = sender.send(publish::publish(&settings, &text, part, &clients, &redactor, until.left()));
    };
    if let Err(work) = aside::start("metrics", work) {
        work();
    }
    let late = || Failure::new(Reason::Timeout, "the metrics were not delivered when the run's time was over");
    context.until(Step::Close).receive(&receiver).unwrap_or_else(|_| Published::Failed(late()))
}

/// How late the run began, in seconds: against the time that a flag, a Job's name or the run before tells.
fn lag(plan: &Plan, context: &Context, previous: impl FnOnce() -> Option<Timestamp>) -> Option<f64> {
    let started_at = context.started_at;
    let scheduled = context.args.scheduled_at.or_else(|| {
        let name = context.environment.overlay("BALANCE_ALERT_JOB_NAME")?;
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

/// The status as the scheduler sees it.
fn shown(args: &CheckArgs, exit: Exit) -> Exit {
    if args.output == Output::Nagios { exit.for_nagios() } else { exit }
}

/// The status of a run whose report is not taken.
fn unwritten(exit: Exit) -> Exit {
    if exit == Exit::Ok { Exit::Unwritten } else { exit }
}

/// Writes the report where it is wanted, prints it, and gives the status.
fn finish(report: &Report, args: &CheckArgs, process: &Process) -> Exit {
    let mut exit = report.exit(args.fail_on);
    let watchdog = &process.watchdog;
    let (shown, unwritten) = (|exit: Exit| shown(args, exit), unwritten(exit));
    watchdog.expect("the writing of the report", shown(unwritten));
    let (sender, written) = mpsc::channel();
    // Each on a thread of its own: one that hangs holds no other one back.
    for file in &args.reports {
        let text = report.render(file.output, shown(exit), false);
        let (path, sender, left) = (file.path.clone(), sender.clone(), watchdog.left());
        let work = move || {
            // Without colours, which are a terminal's.
            let text = anstream::adapter::strip_str(&text).to_string();
            // Nobody listens any more when the time is over.
            let _ = sender.send((path.clone(), file::write(&path, redact::shield(&text).as_bytes(), left)));
        };
        if let Err(work) = aside::start("report", work) {
            work();
        }
    }
    drop(sender);
    let mut open: BTreeSet<_> = args.reports.iter().map(|file| file.path.clone()).collect();
    let mut wait_for = |time: Duration, exit: &mut Exit| {
        let until = Deadline::within(time);
        while let Ok((path, result)) = until.receive(&written) {
            open.remove(&path);
            if let Err(error) = result {
                log::error!("the report cannot be written to `{}`: {}", path.display(), text::io_error(&error));
                *exit = unwritten;
            }
        }
        open.clone()
    };
    wait_for(PATIENCE.min(watchdog.left()), &mut exit);
    let printed = print(&report.render(args.output, shown(exit), args.quiet), process, exit);
    for path in wait_for(watchdog.left(), &mut exit) {
        log::error!("the report cannot be written to `{}`: it did not take it in time", path.display());
        exit = unwritten;
    }
    log::info!(
        run_id:? = report.run_id.as_str(), status:? = report.status(), exit_code = shown(exit).code(),
        duration_seconds = report.duration_seconds, projects_checked = report.verdicts.len(); "run finished"
    );
    if exit == Exit::Ok { printed } else { exit }
}

/// The id of a run: the one that the scheduler gives, so that its repeat has the same, else the time and a few random digits.
fn run_id(environment: &Environment, started_at: Timestamp) -> String {
    let is_id = |id: &str| (1..=100).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_graphic());
    match environment.get("BALANCE_ALERT_RUN_ID").filter(|id| !id.is_empty()) {
        Some(id) if is_id(id) => return id.to_owned(),
        Some(_) => log::warn!("`BALANCE_ALERT_RUN_ID` is not used: an id is 1 to 100 visible ASCII characters"),
        None => {}
    }
    format!("{}-{:06x}", started_at.strftime("%Y%m%dT%H%M%SZ"), fastrand::u32(..0x0100_0000))
}
