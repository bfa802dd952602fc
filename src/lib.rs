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
pub mod notify;
pub mod plan;
pub mod recall;
pub mod redact;
pub mod report;
pub mod retry;
pub mod state;
pub mod text;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anstream::AutoStream;
use clap::CommandFactory;
use jiff::Timestamp;

use crate::check::circuit::Breaker;
use crate::check::job::{Readings, Shared, job};
use crate::cli::{CheckArgs, Cli, Color, Command, ConfigArg, Output, StoreArgs, ValidateArgs};
use crate::config::{Environment, Loaded, Problem, Reach, Source};
use crate::decide::Decision;
use crate::exit::Exit;
use crate::http::Clients;
use crate::logging::Format;
use crate::plan::{Plan, PlanError};
use crate::report::Report;
use crate::report::progress::Progress;
use crate::state::session::{Kept, Session};
use crate::state::{Decider, Learnt, Run};

/// After the run's deadline, alerts still have this long: the process ends within 2 s of it.
const GRACE: Duration = Duration::from_millis(1500);

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
    let deadline = start + plan.run_timeout;
    let clients = Arc::new(Clients::default());
    let run_id = run_id(started_at);
    log::debug!(run_id:? = run_id.as_str(), checks = plan.checks.len(), workers = plan.workers; "run planned");

    let mut session = Session::begin(&plan.state, args.dry_run, &clients, state_wait(deadline));
    let snapshot = session.snapshot(plan.keep_readings, state_wait(deadline));
    let mut plan = plan;
    let checks = std::mem::take(&mut plan.checks);
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
    let mut progress = Progress::new(jobs.len(), format == Format::Text && !args.quiet);
    let outcomes = check::pool::run(jobs, plan.workers, deadline, |done| progress.done(done));
    drop(progress);
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(why) => {
            logging::complain(format, &why);
            return Exit::Internal;
        }
    };
    let verdicts = decide::judge(subjects.into_iter().zip(outcomes).collect());
    let learnt = Arc::new(Learnt { verdicts, readings: shared.readings.learnt(), circuits: shared.breaker.changes() });
    let run = Run {
        id: run_id,
        started_at,
        claims_until: Timestamp::now() + deadline.saturating_duration_since(Instant::now()) + CLAIM_MARGIN,
        is_partial: plan.is_partial,
    };
    let decider: Decider = {
        let (learnt, rules, run_id) = (Arc::clone(&learnt), plan.rules.clone(), run.id.clone());
        Arc::new(move |memory| decide::decide(&learnt.verdicts, memory, &rules, started_at, &run_id))
    };
    fault::point("before-claim");
    let Decision { alerts, held, .. } = session.decide(&run, &learnt, &decider, state_wait(deadline));
    fault::point("after-claim");
    let deliveries = notify::notify(&plan, &alerts, &run.id, &clients, deadline + GRACE, args.dry_run, format);
    fault::point("after-send");
    let mut report = Report {
        run_id: run.id.clone(),
        started_at,
        duration_seconds: 0.0,
        verdicts: learnt.verdicts.clone(),
        alerts,
        held,
        channels: plan.channels.iter().map(|channel| channel.name.clone()).collect(),
        deliveries,
        memory: Kept::Off,
    };
    session.finish(&run, report.marks(), state_wait(deadline + GRACE));
    fault::point("after-mark");
    report.memory = session.end(state_wait(deadline + GRACE));
    report.duration_seconds = start.elapsed().as_secs_f64();
    let exit = Exit::of(&report, args.fail_on);
    let shown = if args.output == Output::Nagios { exit.for_nagios() } else { exit };
    let printed = print(&report.render(args.output, shown, args.quiet));
    log::info!(
        run_id:? = report.run_id.as_str(), status:? = report.status(), exit_code = shown.code(),
        duration_seconds = report.duration_seconds, projects_checked = report.verdicts.len(); "run finished"
    );
    if printed == Exit::Ok || exit != Exit::Ok { exit } else { printed }
}

/// The time that the store may take now: never long, never most of what is left, and a little even when that is nothing.
fn state_wait(deadline: Instant) -> Duration {
    let left = deadline.saturating_duration_since(Instant::now());
    (left / 4).clamp(LEAST_STATE_WAIT, state::LONGEST_WAIT)
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
