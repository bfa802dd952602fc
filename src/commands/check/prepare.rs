//! Everything before the first check: the config is read, the run planned, and the clients made.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::super::open::{Opened, complain_all, open_for_run};
use super::run::{Run, shown};
use crate::check::look::Work;
use crate::cli::CheckArgs;
use crate::config::{self, Asked, Needs, Reach, Source};
use crate::decide::found::Subjects;
use crate::model::schedule::Schedule;
use crate::model::text;
use crate::plan::{Plan, PlanError};
use crate::process::clock::Clock;
use crate::process::quote_input;
use crate::process::environment::Environment;
use crate::process::exit::Exit;
use crate::process::interrupt::Interrupt;
use crate::process::logging::{self, Format};
use crate::process::{Process, fault, file, limits, address_space};
use crate::wire::context::Context;
use crate::wire::http::Clients;

/// The longest name of a schedule, in characters.
const LONGEST_NAME: usize = 200;

/// The checks, what they are about, and the run that makes them.
///
/// # Errors
/// The status to end with, where there is no run.
pub(super) fn prepare<'a>(flags: &'a CheckArgs, process: &'a Process) -> Result<((Work, Subjects), Run<'a>), Exit> {
    let clock = process.clock;
    let started_at = clock.now();
    let watchdog = &process.watchdog;
    // Until the config is read, the default counts.
    let time = flags.timeout.unwrap_or(config::Settings::default().run_timeout);
    watchdog.allow(time);
    file::allow(time);
    watchdog.expect("the reading of the config", shown(flags, Exit::Config));
    let (plan, format, environment, interrupt) = plan(flags, clock, time)?;
    watchdog.allow(plan.config.settings.run_timeout);
    watchdog.expect("the run", shown(flags, Exit::Internal));
    // From here on a signal ends the run in order. Before this, nothing has begun that would have to be ended.
    let interrupt = interrupt.unwrap_or_else(Interrupt::watch_or_warn);
    watchdog.heed(&interrupt);
    fault::point("run-panic");
    warn(&plan);
    let run_id = run_id(&environment, started_at);
    let (checks, wanted) = (plan.work.accounts.len(), plan.work.workers);
    log::debug!(run_id:? = run_id.as_str(), checks = checks, workers = wanted; "run planned");
    if let Some(why) = address_space::shortage(address_space::SPACE_FOR_A_RUN) {
        logging::complain(format, &why);
        return Err(Exit::Internal);
    }
    let room = limits::room(wanted, plan.work.hosts().len());
    if room.reads < wanted {
        let what = "little address space or few open files are allowed";
        log::info!("{what}: {} checks at the same time instead of {wanted}", room.reads);
    }
    let clients = Clients::new(&environment.surroundings(), clock).keeping(room.idle);
    clients.secrets().for_each(|secret| plan.config.redactor.learn(secret.expose_secret()));
    for warning in clients.problems().into_iter().chain(plan.insecure(&clients)) {
        log::warn!("{warning}");
    }
    let context = Context {
        run_id,
        clock,
        started_at,
        today: started_at.to_zoned(plan.config.rules.timezone.clone()).date(),
        clients: Arc::new(clients),
        redactor: Arc::clone(&plan.config.redactor),
        format,
    };
    let Plan { work, subjects, config } = plan;
    let run = Run { flags, process, environment, start: watchdog.started(), interrupt, context, config };
    Ok(((Work { workers: room.reads, ..work }, subjects), run))
}

/// Reads the config and plans the run; what is wrong is printed.
fn plan(flags: &CheckArgs, clock: Clock, time: Duration) -> Result<(Plan, Format, Environment, Option<Interrupt>), Exit> {
    let Opened { format, source, environment, loaded, interrupt } =
        open_for_run(&flags.config, &flags.talk, clock, Needs::Checks, Asked::All(time))?;
    let Some(config) = loaded.config else {
        complain_all(format, &loaded.problems);
        return Err(Exit::Config);
    };
    for problem in loaded.problems.iter().filter(|problem| problem.reach == Reach::Line) {
        log::warn!("{problem}");
    }
    let shard = flags.shard(&environment).map_err(|why| {
        logging::complain(format, &why);
        Exit::Usage
    })?;
    let schedule = Schedule { name: schedule_name(flags, &environment, &source), shard };
    let plan = Plan::new(config, flags, schedule).map_err(|error| match error {
        PlanError::Usage { message, hint } => {
            let hint = hint.map(|hint| format!("\n hint: {hint}")).unwrap_or_default();
            logging::complain(format, &format!("{message}{hint}"));
            Exit::Usage
        }
        PlanError::Nothing(message) => {
            logging::complain(format, &message);
            Exit::Config
        }
    })?;
    Ok((plan, format, environment, interrupt))
}

/// What names the runs that this one is one of: the CronJob, or the config with the flags that leave checks out.
fn schedule_name(flags: &CheckArgs, environment: &Environment, source: &Source) -> String {
    let is_number = |end: &str| !end.is_empty() && end.bytes().all(|c| c.is_ascii_digit());
    let job = environment.overlay("BALANCE_ALERT_JOB_NAME").and_then(|job| job.rsplit_once('-'));
    let name = match job.filter(|(_, end)| is_number(end)) {
        Some((name, _)) => name.to_owned(),
        None => source.short_name(),
    };
    let projects = flags.projects.iter().map(|project| format!(" --project {project}"));
    let only = flags.only.map(|only| format!(" --only {}", only.as_str()));
    text::one_line(&(name + &projects.chain(only).collect::<String>()), LONGEST_NAME)
}

/// Logs what works, but not as it was asked for.
fn warn(plan: &Plan) {
    for warning in &plan.config.warnings {
        log::warn!("{warning}");
    }
    for channel in &plan.config.channels {
        if let Some(why) = channel.fault() {
            log::warn!("no alert can be sent through `{}`: {why}", channel.name);
        }
    }
}

/// The id of a run: the one that the scheduler gives, so that its repeat has the same, else the time and a few random digits.
fn run_id(environment: &Environment, started_at: Timestamp) -> String {
    let is_id = |id: &str| (1..=100).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_graphic());
    match environment.get("BALANCE_ALERT_RUN_ID").filter(|id| !id.is_empty()) {
        Some(id) if quote_input::is_key_for_id(id) => {
            log::warn!("`BALANCE_ALERT_RUN_ID` is not used: it looks like a key, and an id stands in every report");
        }
        Some(id) if is_id(id) => return id.to_owned(),
        Some(_) => log::warn!("`BALANCE_ALERT_RUN_ID` is not used: an id is 1 to 100 visible ASCII characters"),
        None => {}
    }
    format!("{}-{:06x}", started_at.strftime("%Y%m%dT%H%M%SZ"), fastrand::u32(..0x0100_0000))
}
