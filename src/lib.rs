//! balance-alert tells you before an API account, a cloud account or a subscription runs dry.
//!
//! A run reads, top to bottom, as one sentence: *the user wrote something ([`config`]), we planned ([`plan`]), we
//! looked ([`check`]), we judged ([`decide`]), we told ([`notify`]), we remembered ([`state`]), we reported ([`report`]),
//! we left ([`exit`]).* Each step takes the value of the one before and nothing flows back:
//!
//! ```text
//! argv -- cli --+
//! file -- config+-> Config -> Plan -> Vec<Outcome> -> Vec<Verdict> -> Vec<Delivery> -> Report -> stdout, Exit
//!                               ^                       ^                 |
//!                               +------- Memory --------+---- marks <-----+
//! ```
//!
//! What people ask of the memory later is in [`recall`].

pub mod alert;
pub mod amount;
pub mod check;
pub mod cli;
pub mod config;
pub mod decide;
pub mod exit;
pub mod failure;
mod fault;
pub mod http;
pub mod logging;
pub mod metrics;
pub mod notify;
pub mod plan;
pub mod recall;
pub mod redact;
pub mod report;
pub mod retry;
pub mod state;
pub mod text;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anstream::AutoStream;
use clap::CommandFactory;
use jiff::Timestamp;

use crate::alert::Identity;
use crate::check::Outcome;
use crate::check::circuit::Breaker;
use crate::check::job::{Readings, Shared, job};
use crate::check::mailbox::scan::{Scanned, Terms};
use crate::check::mailbox::session::Cursor;
use crate::check::pool::{Job, Lost};
use crate::cli::{CheckArgs, Cli, Color, Command, ConfigArg, Output, StoreArgs, ValidateArgs};
use crate::config::{Environment, Loaded, Mailbox, Place, Problem, Reach, Source};
use crate::decide::{Decision, Found, MailboxVerdict, SubscriptionVerdict};
use crate::exit::Exit;
use crate::http::Clients;
use crate::logging::Format;
use crate::metrics::{Part, Published, Sums};
use crate::plan::{Plan, PlanError};
use crate::report::Report;
use crate::report::progress::Progress;
use crate::state::session::{Kept, Session};
use crate::state::{Decider, Learnt, MetricMarks, Present, Run};

/// After the run's deadline, alerts still have this long: the process ends within 2 s of it.
const GRACE: Duration = Duration::from_millis(1500);

/// Of the run's time this much at the most is kept for the store.
const STATE_SHARE: Duration = Duration::from_secs(2);
/// After the run's deadline, what was found can still be written for so long.
const CLAIM_GRACE: Duration = Duration::from_millis(500);
/// Of the time for alerts after the deadline, this much is kept for marking what became of them.
const MARK_SHARE: Duration = Duration::from_millis(300);
/// A push may take this much longer than the run.
const PUSH_GRACE: Duration = Duration::from_millis(200);
/// The least time that the store gets for one step, even when the run's time is over.
const LEAST_STATE_WAIT: Duration = Duration::from_millis(200);
/// A claim on an alert ends so long after the run's time at the latest, should nothing tell that the run is gone.
const CLAIM_MARGIN: Duration = Duration::from_secs(30);

/// Runs one command and gives the status to end with.
pub fn run(cli: Cli) -> Exit {
    match cli.command {
        Command::Check(args) => {
            set_colour(args.talk.color);
            let exit = check(&args);
            if args.output == Output::Nagios { nagios(exit) } else { exit }
        }
        Command::Validate(args) => {
            set_colour(args.talk.color);
            validate(&args)
        }
        Command::Providers(args) => print(&report::setup::providers(args.output)),
        Command::Status(args) => answer(&args.store, || recall::status(&args)),
        Command::History(args) => answer(&args.store, || recall::history(&args)),
        Command::Alerts(args) => answer(&args.store, || recall::alerts(&args)),
        Command::Health(args) => answer(&args.store, || recall::health(&args)),
        Command::Schema => print(&schema()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "balance-alert", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    }
}

/// The status for a Nagios-like scheduler. Where no run took place, its status line says so.
pub fn nagios(exit: Exit) -> Exit {
    if matches!(exit, Exit::Usage | Exit::Config | Exit::Internal) {
        print(&format!("BALANCE UNKNOWN - {}\n", exit.meaning()));
    }
    exit.for_nagios()
}

/// The JSON Schema of the config, as text.
pub fn schema() -> String {
    format!("{:#}\n", config::schema())
}

fn set_colour(color: Color) {
    let choice = match color {
        // The library's own rule per stream: a terminal, `NO_COLOR`, `CLICOLOR_FORCE`, `TERM`.
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::AlwaysAnsi,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Reads the config and starts logging; problems that stop everything are printed.
fn open(config: &ConfigArg, verbose: u8) -> Result<(Format, Source, Loaded), Exit> {
    // clap cannot say whether a flag or the variable gave the value; the same text in both comes to the same.
    let variable =
        std::env::var_os("CONFIG_PATH").filter(|path| config.config.as_ref().is_some_and(|c| c.as_os_str() == path));
    let source = Source::find(config.config.as_deref(), variable.map(|_| "CONFIG_PATH"));
    let environment = Environment::read(source.as_ref().ok().map(Source::folder).as_deref());
    let format = logging::init(&environment, verbose);
    let source = source.map_err(|problem| {
        logging::complain(format, &problem.to_string());
        Exit::Config
    })?;
    let loaded = config::load(&source, &environment);
    Ok((format, source, loaded))
}

fn complain_all(format: Format, problems: &[Problem]) {
    for problem in problems {
        logging::complain(format, &problem.to_string());
    }
}

fn check(args: &CheckArgs) -> Exit {
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
    fault::point("run-panic");
    for warning in &plan.warnings {
        log::warn!("{warning}");
    }
    let run_id = run_id(started_at);
    log::debug!(run_id:? = run_id.as_str(), checks = plan.checks.len(), workers = plan.workers; "run planned");
    let deadline = start + plan.run_timeout;
    let moment = Moment { start, started_at, run_id, deadline };
    match carry_out(plan, &moment, args, format) {
        Ok(report) => finish(&report, args),
        Err(why) => {
            logging::complain(format, &why);
            Exit::Internal
        }
    }
}

/// When and under which name a run takes place.
struct Moment {
    start: Instant,
    started_at: Timestamp,
    run_id: String,
    deadline: Instant,
}

/// Looks, judges, tells, remembers and publishes.
///
/// # Errors
/// Why nothing could be looked at.
fn carry_out(mut plan: Plan, moment: &Moment, args: &CheckArgs, format: Format) -> Result<Report, String> {
    let end = moment.deadline + GRACE;
    let clients = Arc::new(Clients::default());
    // A store that hangs takes a quarter of the run's time at the most.
    let early = moment.start + plan.run_timeout / 4;
    let mut session = Session::begin(&plan.state, args.dry_run, &clients, state_wait(early));
    let snapshot = session.snapshot(plan.keep_readings, state_wait(early));
    // What the checks leave of the run's time is the store's, so that what they found can be remembered.
    let deadline = moment.deadline - (plan.run_timeout / 20).min(STATE_SHARE);
    let wants_metrics = plan.metrics.gateway.is_some() || plan.metrics.textfile.is_some();
    let wants_metrics = wants_metrics || args.output == Output::Prometheus;
    let lag_seconds = lag(&plan, args, moment.started_at, || session.previous_start(state_wait(early)));

    let checks = std::mem::take(&mut plan.checks);
    let hosts: Vec<(String, Option<String>)> = checks
        .iter()
        .map(|check| {
            (check.subject.provider.clone(), check.account.as_ref().ok().and_then(|account| account.target.host()))
        })
        .collect();
    let shared = Arc::new(Shared {
        clients: Arc::clone(&clients),
        redactor: Arc::clone(&plan.redactor),
        policy: retry::Policy { max_retries: plan.max_retries, deadline },
        breaker: Breaker::new(plan.circuit, snapshot.circuits),
        readings: Readings {
            account_key: snapshot.account_key,
            ttl: plan.keep_readings.unwrap_or_default(),
            known: snapshot.readings,
            ..Readings::default()
        },
    });
    let (subjects, jobs): (Vec<_>, Vec<_>) = checks
        .into_iter()
        .map(|check| (check.subject.clone(), job(check.subject.name, check.account, &shared)))
        .unzip();
    let today = moment.started_at.to_zoned(plan.timezone.clone()).date();
    let mailboxes = std::mem::take(&mut plan.mailboxes);
    let names: Vec<(Identity, String)> =
        mailboxes.iter().map(|mailbox| (mailbox.identity(), mailbox.name.clone())).collect();
    let terms = Terms { today, settings: plan.email, policy: shared.policy };
    let scans = mailboxes.into_iter().map(|mailbox| mailbox_job(mailbox, &snapshot.cursors, terms, &shared));
    // Mailboxes take longest, so they begin first.
    let accounts = jobs.into_iter().map(|mut job| -> Job<Looked> { Box::new(move || job().map(Looked::Account)) });
    let jobs: Vec<Job<Looked>> = scans.chain(accounts).collect();
    let mut progress = Progress::new(jobs.len(), format == Format::Text && !args.quiet);
    let mut looked = check::pool::run(jobs, plan.workers, deadline, |done| progress.done(done))?;
    drop(progress);

    let outcomes = looked.split_off(names.len());
    let outcomes = outcomes.into_iter().map(|looked| match looked {
        Ok(Looked::Account(outcome)) => outcome,
        Ok(Looked::Mailbox(_)) => Outcome::lost(Lost::never()),
        Err(lost) => Outcome::lost(lost),
    });
    let verdicts = decide::judge(subjects.into_iter().zip(outcomes).collect());
    let mailboxes = names.into_iter().zip(looked).map(|((identity, name), looked)| {
        let scanned = match looked {
            Ok(Looked::Mailbox(scanned)) => scanned,
            Ok(Looked::Account(_)) => Scanned::lost(Lost::never()),
            Err(lost) => Scanned::lost(lost),
        };
        MailboxVerdict { identity, name, scanned }
    });
    let mailboxes: Vec<MailboxVerdict> = mailboxes.collect();
    let subscriptions = std::mem::take(&mut plan.subscriptions).into_iter().filter_map(|subscription| {
        let (before, paid) = (subscription.alert_days_before, subscription.last_renewed);
        let renewal = check::subscription::look(subscription.cycle, before, paid, today)?;
        let identity = Identity::of("subscription", &subscription.name, &[]);
        Some(SubscriptionVerdict { identity, subscription, renewal })
    });
    let found = Found { accounts: verdicts, subscriptions: subscriptions.collect(), mailboxes, today };
    let group = metrics::ledger(&plan.metrics);
    let checked = wants_metrics.then(|| metrics::of_checks(&found, plan.keep_readings.is_some()));
    let learnt = Arc::new(Learnt {
        found,
        readings: shared.readings.learnt(),
        circuits: shared.breaker.changes(),
        metrics: checked.clone().map(|tally| (group.clone(), tally)),
    });
    let run = Run {
        id: moment.run_id.clone(),
        started_at: moment.started_at,
        claims_until: Timestamp::now() + end.saturating_duration_since(Instant::now()) + CLAIM_MARGIN,
        is_partial: plan.is_partial,
    };
    let decider: Decider = {
        let (learnt, rules, run) = (Arc::clone(&learnt), plan.rules.clone(), run.clone());
        Arc::new(move |memory| decide::decide(&learnt.found, memory, &rules, run.started_at, &run.id))
    };
    fault::point("before-claim");
    let Decision { alerts, held, .. } =
        session.decide(&run, &learnt, &decider, state_wait(moment.deadline + CLAIM_GRACE));
    fault::point("after-claim");
    let deliveries = notify::notify(&plan, &alerts, &run.id, &clients, end - MARK_SHARE, args.dry_run, format);
    fault::point("after-send");

    let mut report = Report {
        run_id: run.id.clone(),
        started_at: run.started_at,
        duration_seconds: moment.start.elapsed().as_secs_f64(),
        verdicts: learnt.found.accounts.clone(),
        subscriptions: learnt.found.subscriptions.clone(),
        mailboxes: learnt.found.mailboxes.clone(),
        alerts,
        held,
        channels: plan.channels.iter().map(|channel| channel.name.clone()).collect(),
        deliveries,
        memory: Kept::Off,
        circuits: open_circuits(&hosts, &shared.breaker),
        lag_seconds,
        metrics: Published::Off,
        strict_metrics: args.strict_metrics,
        exposition: String::new(),
    };
    let ended = metrics::of_run(&plan.channels, &report.deliveries, moment.start.elapsed());
    let is_success = matches!(report.job_exit(), Exit::Ok | Exit::Warning | Exit::Critical);
    let succeeded_at = (is_success && !plan.is_partial).then(Timestamp::now);
    let mut marks = report.marks();
    marks.metrics = wants_metrics.then(|| MetricMarks {
        group: group.clone(),
        tally: ended.clone(),
        config: plan.config_fingerprint.clone(),
        succeeded_at,
        present: (!plan.is_partial).then(|| Present {
            projects: report
                .verdicts
                .iter()
                .map(|v| (v.subject.name.clone(), v.subject.provider.clone()))
                .chain(report.mailboxes.iter().map(|v| (v.name.clone(), "imap".to_owned())))
                .collect(),
            webhook_types: plan.channels.iter().map(|channel| channel.kind.as_str()).collect(),
        }),
    });
    session.finish(&run, marks, state_wait(end));
    fault::point("after-mark");

    if wants_metrics {
        let this_run = || {
            let mut tally = checked.unwrap_or_default();
            tally.add(&ended);
            let pending = report.alerts.iter().enumerate().filter(|(at, _)| !report.is_taken(*at)).count();
            Sums { tally, last_success: succeeded_at, pending: pending as u64 }
        };
        let accounts = report.verdicts.iter().map(|verdict| verdict.subject.identity);
        let checks = accounts
            .chain(report.subscriptions.iter().map(|verdict| verdict.identity))
            .chain(report.mailboxes.iter().map(|verdict| verdict.identity))
            .chain(report.alerts.iter().map(|alert| alert.identity));
        let checks: Arc<HashSet<Identity>> = Arc::new(checks.collect());
        let (part, shown, sums) = match session.sums(&group, &checks, state_wait(end)) {
            Some(sums) if plan.is_partial => (Part::Sums, Part::Whole, sums),
            Some(sums) => (Part::Whole, Part::Whole, sums),
            // Without memory on purpose, a run's own numbers are all there is.
            None if matches!(plan.state.place, Ok(Place::Nowhere)) => {
                (if plan.is_partial { Part::Nothing } else { Part::Whole }, Part::Whole, this_run())
            }
            None => (if plan.is_partial { Part::Nothing } else { Part::Gauges }, Part::Gauges, this_run()),
        };
        if !args.dry_run {
            let text = metrics::render(&report, &sums, part, &plan.metrics.prefix);
            let left = (moment.deadline + PUSH_GRACE).saturating_duration_since(Instant::now());
            report.metrics = metrics::publish(&plan.metrics, &text, part, &clients, &plan.redactor, left);
        }
        if args.output == Output::Prometheus {
            report.exposition = metrics::render(&report, &sums, shown, &plan.metrics.prefix);
        }
    }
    report.memory = session.end(state_wait(end));
    report.duration_seconds = moment.start.elapsed().as_secs_f64();
    Ok(report)
}

/// What came of one job.
enum Looked {
    Account(Outcome),
    Mailbox(Scanned),
}

fn mailbox_job(
    mailbox: Mailbox,
    cursors: &HashMap<Identity, Cursor>,
    terms: Terms,
    shared: &Arc<Shared>,
) -> Job<Looked> {
    let (shared, cursor) = (Arc::clone(shared), cursors.get(&mailbox.identity()).copied());
    Box::new(move || {
        fault::point(&format!("check-panic:{}", mailbox.name));
        let scanned = check::mailbox::scan::scan(&mailbox, cursor, &terms, &shared.clients, &shared.redactor);
        Some(Looked::Mailbox(scanned))
    })
}

/// For each provider that is asked over the network, whether one of its hosts is left alone now.
fn open_circuits(hosts: &[(String, Option<String>)], breaker: &Breaker) -> BTreeMap<String, bool> {
    let mut circuits = BTreeMap::new();
    for (provider, host) in hosts {
        if let Some(host) = host {
            *circuits.entry(provider.clone()).or_default() |= breaker.is_open(host, Timestamp::now());
        }
    }
    circuits
}

/// How late the run began, in seconds: against the time that a flag, a Job's name or the run before tells.
fn lag(
    plan: &Plan,
    args: &CheckArgs,
    started_at: Timestamp,
    previous: impl FnOnce() -> Option<Timestamp>,
) -> Option<f64> {
    let scheduled = args.scheduled_at.or_else(|| {
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

/// Prints the report and gives the status.
fn finish(report: &Report, args: &CheckArgs) -> Exit {
    let exit = Exit::of(report, args.fail_on);
    let shown = if args.output == Output::Nagios { exit.for_nagios() } else { exit };
    let printed = print(&report.render(args.output, shown, args.quiet));
    log::info!(
        run_id:? = report.run_id.as_str(), status:? = report.status(), exit_code = shown.code(),
        duration_seconds = report.duration_seconds, projects_checked = report.verdicts.len(); "run finished"
    );
    if printed == Exit::Ok || exit != Exit::Ok { exit } else { printed }
}

/// The time that the store may take before `until`: never long, and a little even when that is over.
fn state_wait(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now()).clamp(LEAST_STATE_WAIT, state::LONGEST_WAIT)
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

fn validate(args: &ValidateArgs) -> Exit {
    let (format, source, loaded) = match open(&args.config, args.talk.verbose) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    complain_all(format, &loaded.problems);
    let fatal = loaded.problems.iter().filter(|problem| problem.reach == Reach::Whole).count();
    if !loaded.problems.is_empty() {
        let all = text::plural(loaded.problems.len(), "problem");
        let rest = if fatal == 0 { "; the other entries would run" } else { "" };
        let more = if loaded.problems.len() == config::MOST_PROBLEMS { ", and perhaps more" } else { "" };
        logging::complain(format, &format!("{}: {all}{more}{rest}", source.name()));
    }
    let Some(config) = loaded.config else {
        return Exit::Config;
    };
    for warning in config.warnings() {
        log::warn!("{warning}");
    }
    let printed = match Plan::new(&config, &CheckArgs::default()) {
        Ok(plan) => print(&report::setup::describe(&config, &plan)),
        Err(PlanError::Usage { message, .. } | PlanError::Nothing(message)) => {
            logging::complain(format, &message);
            return Exit::Config;
        }
    };
    if loaded.problems.is_empty() { printed } else { Exit::Config }
}

/// Prints what the memory of runs answers.
fn answer(args: &StoreArgs, ask: impl FnOnce() -> recall::Answer) -> Exit {
    set_colour(args.talk.color);
    match ask() {
        Ok((text, exit)) => {
            let printed = print(&text);
            if printed == Exit::Ok { exit } else { printed }
        }
        Err(exit) => exit,
    }
}

/// Writes to standard output. A reader that has gone away (`| head`) is no error.
fn print(text: &str) -> Exit {
    let mut out = AutoStream::auto(io::stdout().lock());
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Exit::Ok,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(error) => {
            logging::say(&format!("error: the report cannot be written: {}", text::io_error(&error)));
            Exit::Internal
        }
    }
}
