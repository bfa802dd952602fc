//! `balance-alert backtest`: what a config would have told of the past that the memory of runs keeps, beside what was told. The
//! code that decides is that of `check`; nothing is sent, and the memory is only read.

mod course;
mod readings;
mod shown;
#[cfg(test)]
mod tests;

use clap::Args;
use jiff::Timestamp;

use self::course::Course;
use self::shown::{Backtest, told};
use super::memory::{Answer, answer, failed, leave, open_store};
use super::open::open_checks;
use crate::cli::{CheckArgs, Since, StoreArgs, parse_since};
use crate::decide::Rules;
use crate::decide::forecast::reads_from;
use crate::decide::found::Subjects;
use crate::model::schedule::Schedule;
use crate::plan::{Plan, PlanError};
use crate::process::clock::Clock;
use crate::process::exit::Exit;
use crate::process::{Process, logging, watchdog};
use crate::report::ListOutput;
use crate::state::past_runs::Runs;
use crate::state::queries::LastRun;
use crate::state::{Access, Store, StoreError};

/// Samples that are read with one question.
const AT_ONCE: i64 = 20_000;
/// More samples than this take too long.
const MOST: i64 = 20_000_000;

/// Flags of `backtest`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// Where the config is that is tried, and the memory of runs.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Only this project (repeatable)
    #[arg(long = "project", value_name = "NAME")]
    pub projects: Vec<String>,
    /// From then on: an age (7d, 15m, 1h30m) or a date in UTC (2026-11-01)
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = parse_since)]
    pub since: Since,
    /// The format of the answer
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
}

/// `balance-alert backtest`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    answer(process, watchdog::LONGEST, || ask(flags, process.clock))
}

fn ask(flags: &Flags, clock: Clock) -> Answer {
    let (format, environment, config) = open_checks(&flags.store, clock)?;
    let place = (config.state.clone(), &config.redactor);
    let (mut store, format, place) =
        open_store(&flags.store, (Access::Read, clock), (format, &environment), place)?.store()?;
    let args = CheckArgs { projects: flags.projects.clone(), ..CheckArgs::default() };
    let Plan { subjects, config: plan, .. } = Plan::new(config, &args, Schedule::default()).map_err(|error| {
        let (exit, why) = match error {
            PlanError::Usage { message, hint: Some(hint) } => (Exit::Usage, format!("{message}\n hint: {hint}")),
            PlanError::Usage { message, hint: None } => (Exit::Usage, message),
            PlanError::Nothing(message) => (Exit::Config, message),
        };
        logging::complain(format, &why);
        exit
    })?;
    let now = clock.now();
    let times = (flags.since.before(now), now);
    let asked = Question { subjects, rules: plan.rules, times, are_some: !flags.projects.is_empty() };
    let found = asked.ask(&mut store).map_err(failed(format, &place))?;
    leave(store);
    let Ok(backtest) = found.map_err(|why| logging::complain(format, &why)) else { return Err(Exit::Usage) };
    let text = match flags.output {
        ListOutput::Table => backtest.table(flags.since),
        ListOutput::Json => backtest.json(),
    };
    Ok((text, Exit::Ok))
}

/// What is asked of the memory.
struct Question {
    subjects: Subjects,
    rules: Rules,
    times: (Timestamp, Timestamp),
    /// Whether flags leave checks out.
    are_some: bool,
}

impl Question {
    /// The answer, or why there would be too much to do.
    fn ask(self, store: &mut Store) -> Result<Result<Backtest, String>, StoreError> {
        let (since, now) = self.times;
        let windows = self.subjects.accounts.iter().filter_map(|subject| Some(subject.forecasting?.window_days));
        // What was told before then is decided as well, so that what lasts is known when the time begins.
        let lead = reads_from(since, windows.max().unwrap_or_default());
        let runs = store.runs(Runs::Between(lead, now))?;
        let checks = store.checks()?;
        let (mutes, payments) = (store.memory()?.mutes, store.payments()?);
        let mut course = Course::new((self.subjects, self.rules), &checks, (mutes, payments), since);
        let wanted = course.wanted().filter(|_| self.are_some);
        let of_run = |run: &LastRun| wanted.as_ref().map_or(run.checks, |wanted| run.checks.min(wanted.len() as i64));
        if runs.iter().map(of_run).sum::<i64>() > MOST {
            let why = format!("there are more than {MOST} samples to look at\n hint: ask for a shorter time with `--since`, or for some projects with `--project`");
            return Ok(Err(why));
        }
        let mut rest = runs.as_slice();
        while !rest.is_empty() {
            let mut samples = 0;
            let count = rest.iter().take_while(|run| {
                let is_room = samples < AT_ONCE;
                samples += of_run(run);
                is_room
            });
            let (some, others) = rest.split_at(count.count());
            rest = others;
            let (Some(first), Some(last)) = (some.first(), some.last()) else { break };
            let seen = store.seen((first.started_at, last.started_at), wanted.clone())?;
            let mut seen = seen.as_slice();
            for run in some {
                let until = seen.partition_point(|one| one.at <= run.started_at);
                course.run(run, &seen[..until]);
                seen = &seen[until..];
            }
        }
        let told = told(&store.messages(since)?, &runs, &|check, name| course.knows(check, name), self.times);
        let first = runs.iter().map(|run| run.started_at).find(|at| *at >= since);
        let count = runs.iter().filter(|run| run.started_at >= since).count();
        Ok(Ok(course.end(told, (first.unwrap_or(now), now), count)))
    }
}
