//! `balance-alert validate`: every mistake of a config, and what a run would do.

pub(super) mod routes;

use clap::Args;
use secrecy::ExposeSecret;
use serde_json::json;

use self::routes::Question;
use super::open::{Opened, complain_all, open, print};
use crate::check::look::Work;
use crate::cli::{CheckArgs, ConfigArg, Talk};
use crate::config::{self, Asked, Needs, Reach};
use crate::decide::found::Subjects;
use crate::model::schedule::Schedule;
use crate::model::text::{self, ShortNames};
use crate::plan::{Plan, PlanError, RunConfig};
use crate::process::exit::Exit;
use crate::process::{Process, logging};
use crate::report::{ListOutput, amount_cell, columns};
use crate::state;
use crate::state::location::Place;
use crate::wire::http::Clients;

/// Flags of `validate`.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Flags {
    /// Where the config is.
    #[command(flatten)]
    pub config: ConfigArg,
    /// Only say who hears of the alerts of one entry, and why: project=NAME, perhaps with ,topic=low and ,level=critical
    #[arg(long, value_name = "project=NAME,...", value_parser = Question::parse)]
    pub route: Option<Question>,
    /// Also run the commands that tell secrets (`api_key_command` and the like); without it they are only looked at
    #[arg(long)]
    pub run_commands: bool,
    /// The format of what is shown
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
    /// How much is said.
    #[command(flatten)]
    pub talk: Talk,
}

pub(super) fn run(args: &Flags, process: &Process) -> Exit {
    process.watchdog.expect("the reading of the config", Exit::Config);
    let asked = if args.run_commands { Asked::All(config::Settings::default().run_timeout) } else { Asked::Nobody };
    let Opened { format, source, environment, loaded, .. } = match open(&args.config, &args.talk, process.clock, Needs::Checks, asked) {
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
    let clients = Clients::new(&environment.surroundings(), process.clock);
    clients.secrets().for_each(|secret| config.redactor.learn(secret.expose_secret()));
    for warning in config.warnings.iter().chain(&config.advice).cloned().chain(clients.problems()) {
        log::warn!("{warning}");
    }
    let is_json = args.output == ListOutput::Json;
    if let Some(question) = &args.route {
        let exit = if loaded.problems.is_empty() { Exit::Ok } else { Exit::Config };
        return match routes::answer(&config, question, is_json) {
            Ok(answer) => print(&answer, process, exit),
            Err((message, hint)) => {
                logging::complain(format, &format!("{message}\n hint: {hint}"));
                Exit::Usage
            }
        };
    }
    let routes = if is_json { Routes::Json(routes::json(&config)) } else { Routes::Table(routes::table(&config)) };
    let plan = Plan::new(config, &CheckArgs::default(), Schedule::default());
    for warning in plan.iter().flat_map(|plan| plan.insecure(&clients)) {
        log::warn!("{warning}");
    }
    match plan {
        Ok(plan) => {
            let exit = if loaded.problems.is_empty() { Exit::Ok } else { Exit::Config };
            let text = match &routes {
                Routes::Table(routes) => describe(&plan, routes),
                Routes::Json(routes) => format!("{:#}\n", as_json(&plan, routes)),
            };
            print(&text, process, exit)
        }
        Err(PlanError::Usage { message, .. } | PlanError::Nothing(message)) => {
            logging::complain(format, &message);
            Exit::Config
        }
    }
}

/// Who hears of what, in either format.
enum Routes {
    Table(String),
    Json(serde_json::Value),
}

/// What a run would do, for programs.
fn as_json(plan: &Plan, routes: &serde_json::Value) -> serde_json::Value {
    let Plan { work, subjects, config } = plan;
    let channels = config.channels.iter().map(|channel| {
        json!({ "name": channel.name, "id": channel.id, "type": channel.kind, "fault": channel.fault() })
    });
    json!({
        "accounts": subjects.accounts.len(), "mailboxes": subjects.mailboxes.len(),
        "subscriptions": subjects.subscriptions.len(), "workers": work.workers,
        "run_timeout_seconds": config.settings.run_timeout.as_secs_f64(),
        "channels": channels.collect::<serde_json::Value>(), "routes": routes,
    })
}

/// What a run would do, for people.
fn describe(plan: &Plan, routes: &str) -> String {
    let Plan { work, subjects, config } = plan;
    let accounts = subjects.accounts.iter().map(|subject| subject.name.as_str());
    let mailboxes = work.mailboxes.iter().map(|mailbox| mailbox.name.as_str());
    let subscriptions = subjects.subscriptions.iter().map(|subscription| subscription.name.as_str());
    let names = ShortNames::new(accounts.chain(mailboxes).chain(subscriptions), text::NAME_CHARS);
    let tables = [
        accounts_table(plan, &names),
        mailboxes_table(work, &names),
        subscriptions_table(subjects, &names),
        routes.to_owned(),
    ];
    // A table of accounts begins the text; the others stand apart from what is before them.
    let mut out = String::new();
    for (at, table) in tables.into_iter().enumerate().filter(|(_, table)| !table.is_empty()) {
        if at > 0 {
            out.push('\n');
        }
        out.push_str(&table);
    }
    let checks = subjects.accounts.len() + subjects.subscriptions.len() + subjects.mailboxes.len();
    out.push_str(&format!(
        "\n{} on {}, at most {} s; {}; {}\n",
        text::plural(checks, "check"),
        text::plural(work.workers, "worker"),
        text::seconds(config.settings.run_timeout),
        who_hears(config),
        what_is_remembered(config),
    ));
    out
}

fn accounts_table(plan: &Plan, names: &ShortNames) -> String {
    if plan.work.accounts.is_empty() {
        return String::new();
    }
    let rows = plan.subjects.accounts.iter().zip(&plan.work.accounts).map(|(subject, check)| {
        let target = match &check.account {
            Ok(account) => account.target.show(),
            Err(failure) => format!("cannot be read: {}", failure.describe()),
        };
        vec![
            names.get(&subject.name).to_owned(),
            subject.provider.clone(),
            amount_cell(subject.threshold, subject.warning_threshold, None),
            amount_cell(subject.warning_threshold, subject.threshold, None),
            target,
        ]
    });
    columns(&["PROJECT", "PROVIDER", "THRESHOLD", "WARNING", "ADDRESS"], rows.collect(), &[2, 3])
}

fn mailboxes_table(work: &Work, names: &ShortNames) -> String {
    if work.mailboxes.is_empty() {
        return String::new();
    }
    let rows = work.mailboxes.iter().map(|mailbox| {
        let address = &mailbox.address;
        let place = match &mailbox.login {
            Err(why) => format!("cannot be read: {why}"),
            Ok(_) => format!("{}:{} {}", address.host, address.port, address.folder),
        };
        vec![names.get(&mailbox.name).to_owned(), text::one_line(&place, 100)]
    });
    columns(&["MAILBOX", "ADDRESS"], rows.collect(), &[])
}

fn subscriptions_table(subjects: &Subjects, names: &ShortNames) -> String {
    if subjects.subscriptions.is_empty() {
        return String::new();
    }
    let rows = subjects.subscriptions.iter().map(|subscription| {
        let name = names.get(&subscription.name).to_owned();
        match &subscription.schedule {
            Ok(schedule) => {
                let days = text::plural(schedule.alert_days_before as usize, "day");
                let cycle = schedule.cycle.cadence().to_string();
                vec![name, cycle, schedule.renewal_day.clone(), format!("{days} before")]
            }
            Err(why) => vec![name, "-".to_owned(), "-".to_owned(), format!("cannot be told: {why}")],
        }
    });
    columns(&["SUBSCRIPTION", "CYCLE", "DAY", "REMINDER"], rows.collect(), &[2])
}

fn who_hears(config: &RunConfig) -> String {
    let channels = config.channels.iter().map(|channel| {
        let host = channel.address().and_then(|url| url.host_str()).map(|host| format!(" at {host}"));
        let state = channel.fault().map(|why| format!(" (cannot be used: {why})"));
        format!("{}{}{}", channel.name, host.unwrap_or_default(), state.unwrap_or_default())
    });
    let channels: Vec<String> = channels.collect();
    if channels.is_empty() {
        "no webhook: the report and the exit code are the alert".to_owned()
    } else {
        format!("alerts go to {}", channels.join(", "))
    }
}

fn what_is_remembered(config: &RunConfig) -> String {
    match &config.state.place {
        Ok(Place::Nowhere) => "nothing is remembered, so every run sends every alert".to_owned(),
        Ok(place) => format!("remembered in {}", state::name(place)),
        Err(why) => format!("nothing is remembered: {why}"),
    }
}
