//! `balance-alert validate`: every mistake of a config, and what a run would do.

use secrecy::ExposeSecret;

use super::open::{Opened, complain_all, open, print};
use super::setup;
use crate::cli::{CheckArgs, ValidateArgs};
use crate::config::{self, Reach};
use crate::model::text;
use crate::plan::{Plan, PlanError};
use crate::process::exit::Exit;
use crate::process::{Process, logging};
use crate::wire::http::Clients;

pub(super) fn run(args: &ValidateArgs, process: &Process) -> Exit {
    process.watchdog.expect("the reading of the config", Exit::Config);
    let Opened { format, source, environment, loaded } = match open(&args.config, &args.talk) {
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
    let clients = Clients::new(&environment.surroundings());
    clients.secrets().for_each(|secret| config.redactor().learn(secret.expose_secret()));
    for warning in config.warnings().iter().chain(config.advice()).cloned().chain(clients.problems()) {
        log::warn!("{warning}");
    }
    let plan = Plan::new(&config, &CheckArgs::default(), None);
    for warning in plan.iter().flat_map(|plan| plan.insecure(&clients)) {
        log::warn!("{warning}");
    }
    match plan {
        Ok(plan) => {
            let exit = if loaded.problems.is_empty() { Exit::Ok } else { Exit::Config };
            print(&setup::describe(&config, &plan), process, exit)
        }
        Err(PlanError::Usage { message, .. } | PlanError::Nothing(message)) => {
            logging::complain(format, &message);
            Exit::Config
        }
    }
}
