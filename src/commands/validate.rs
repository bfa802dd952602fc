//! `balance-alert validate`: every mistake of a config, and what a run would do.

use clap::Args;
use rust_decimal::Decimal;
use secrecy::ExposeSecret;

use super::open::{Opened, complain_all, open, print};
use crate::cli::{CheckArgs, ConfigArg, Talk};
use crate::config::{self, Config, Reach};
use crate::model::amount;
use crate::model::text::{self, ShortNames};
use crate::plan::{Plan, PlanError};
use crate::process::exit::Exit;
use crate::process::{Process, logging};
use crate::report::columns;
use crate::state;
use crate::state::config::Place;
use crate::wire::http::Clients;

/// Flags of `validate`.
#[derive(Clone, Debug, Default, Args)]
pub struct Flags {
    /// Where the config is.
    #[command(flatten)]
    pub config: ConfigArg,
    /// How much is said.
    #[command(flatten)]
    pub talk: Talk,
}

pub(super) fn run(args: &Flags, process: &Process) -> Exit {
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
            print(&describe(&config, &plan), process, exit)
        }
        Err(PlanError::Usage { message, .. } | PlanError::Nothing(message)) => {
            logging::complain(format, &message);
            Exit::Config
        }
    }
}

/// What a run would do, for people.
fn describe(config: &Config, plan: &Plan) -> String {
    let accounts = plan.checks.iter().map(|check| check.subject.name.as_str());
    let mailboxes = plan.mailboxes.iter().map(|mailbox| mailbox.name.as_str());
    let subscriptions = plan.subscriptions.iter().map(|subscription| subscription.name.as_str());
    let names = ShortNames::new(accounts.chain(mailboxes).chain(subscriptions), text::NAME_CHARS);
    let rows = plan.checks.iter().map(|check| {
        let subject = &check.subject;
        let threshold = |threshold: Option<Decimal>, other: Option<Decimal>| {
            threshold.map_or_else(|| "-".to_owned(), |threshold| amount::show_beside(threshold, other, None))
        };
        let target = match &check.account {
            Ok(account) => account.target.show(),
            Err(failure) => format!("cannot be read: {}", failure.describe()),
        };
        vec![
            names.get(&subject.name).to_owned(),
            subject.provider.clone(),
            threshold(subject.threshold, subject.warning_threshold),
            threshold(subject.warning_threshold, subject.threshold),
            target,
        ]
    });
    let mut out = String::new();
    if !plan.checks.is_empty() {
        let headings = ["PROJECT", "PROVIDER", "THRESHOLD", "WARNING", "ADDRESS"];
        out.push_str(&columns(&headings, rows.collect(), &[2, 3]));
    }
    if !plan.mailboxes.is_empty() {
        let rows = plan.mailboxes.iter().map(|mailbox| {
            let address = &mailbox.address;
            let place = match &mailbox.broken {
                Some(why) => format!("cannot be read: {why}"),
                None => format!("{}:{} {}", address.host, address.port, address.folder),
            };
            vec![names.get(&mailbox.name).to_owned(), text::one_line(&place, 100)]
        });
        out.push('\n');
        out.push_str(&columns(&["MAILBOX", "ADDRESS"], rows.collect(), &[]));
    }
    if !plan.subscriptions.is_empty() {
        let rows = plan.subscriptions.iter().map(|subscription| {
            let name = names.get(&subscription.name).to_owned();
            match &subscription.schedule {
                Ok(schedule) => {
                    let days = text::plural(schedule.alert_days_before as usize, "day");
                    let cycle = schedule.cycle.as_str().to_owned();
                    vec![name, cycle, schedule.renewal_day.clone(), format!("{days} before")]
                }
                Err(why) => vec![name, "-".to_owned(), "-".to_owned(), format!("cannot be told: {why}")],
            }
        });
        out.push('\n');
        out.push_str(&columns(&["SUBSCRIPTION", "CYCLE", "DAY", "REMINDER"], rows.collect(), &[2]));
    }
    out.push('\n');
    let channels: Vec<String> = config
        .channels()
        .iter()
        .map(|channel| {
            let host = channel.url.as_ref().and_then(|url| url.host_str()).map(|host| format!(" at {host}"));
            let state = channel.broken.as_ref().map(|why| format!(" (cannot be used: {why})"));
            format!("{}{}{}", channel.name, host.unwrap_or_default(), state.unwrap_or_default())
        })
        .collect();
    let to = if channels.is_empty() {
        "no webhook: the report and the exit code are the alert".to_owned()
    } else {
        format!("alerts go to {}", channels.join(", "))
    };
    let memory = match &plan.state.place {
        Ok(Place::Nowhere) => "nothing is remembered, so every run sends every alert".to_owned(),
        Ok(place) => format!("remembered in {}", state::name(place)),
        Err(why) => format!("nothing is remembered: {why}"),
    };
    out.push_str(&format!(
        "{} on {}, at most {} s; {to}; {memory}\n",
        text::plural(plan.checks.len() + plan.subscriptions.len() + plan.mailboxes.len(), "check"),
        text::plural(plan.workers, "worker"),
        text::seconds(plan.run_timeout),
    ));
    out
}
