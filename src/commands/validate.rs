//! `balance-alert validate`: every mistake of a config, and what a run would do.

pub(super) mod routes;

use clap::{Args, ValueEnum};
use secrecy::ExposeSecret;
use serde_json::json;

use self::routes::Question;
use super::open::{Opened, complain_all, noted, open, print};
use crate::check::look::Work;
use crate::cli::{CheckArgs, ConfigArg, Talk};
use crate::config::{self, Asked, Needs, Reach};
use crate::decide::found::Subjects;
use crate::model::schedule::Schedule;
use crate::model::text::{self, ShortNames};
use crate::plan::{Plan, PlanError, RunConfig};
use crate::process::exit::Exit;
use crate::notify::config::Channel;
use crate::process::logging::Complaint;
use crate::process::{Process, logging};
use crate::report::{amount_cell, annotations, columns};
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
    /// Look at the structure alone, as a gate for a change of the config: variables that are not set and files of secrets that are missing
    /// are no problem
    #[arg(long, conflicts_with = "run_commands")]
    pub without_secrets: bool,
    /// The format of what is shown
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Form,
    /// How much is said.
    #[command(flatten)]
    pub talk: Talk,
}

/// The formats of what is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// For people
    #[default]
    Table,
    /// For programs, problems included
    Json,
    /// Problems and warnings as annotations for GitHub Actions
    Github,
}

pub(super) fn run(args: &Flags, process: &Process) -> Exit {
    process.watchdog.expect("the reading of the config", Exit::Config);
    let asked = match args.without_secrets {
        true => Asked::Structure,
        false if args.run_commands => Asked::All(config::Settings::default().run_timeout),
        false => Asked::Nobody,
    };
    let opened = match open(&args.config, &args.talk, process.clock, Needs::Checks, asked) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    complain(&opened, args.output);
    let Opened { format, source, environment, loaded, .. } = opened;
    let Some(config) = loaded.config else {
        return Exit::Config;
    };
    let exit = if loaded.problems.is_empty() { Exit::Ok } else { Exit::Config };
    let mut warnings: Vec<String> = config.warnings.iter().chain(&config.advice).cloned().collect();
    let clients = (!args.without_secrets).then(|| Clients::new(&environment.surroundings(), process.clock));
    if let Some(clients) = &clients {
        clients.secrets().for_each(|secret| config.redactor.learn(secret.expose_secret()));
        warnings.extend(clients.problems());
    }
    if let Some(question) = &args.route {
        warnings.iter().for_each(|warning| log::warn!("{warning}"));
        return match routes::answer(&config, question, args.output == Form::Json) {
            Ok(answer) => print(&answer, process, exit),
            Err((message, hint)) => {
                logging::complain(format, &format!("{message}\n hint: {hint}"));
                Exit::Usage
            }
        };
    }
    let routes = match args.output {
        Form::Json => Routes::Json(routes::json(&config)),
        Form::Table | Form::Github => Routes::Table(routes::table(&config)),
    };
    let plan = Plan::new(config, &CheckArgs::default(), Schedule::default());
    warnings.extend(clients.iter().flat_map(|clients| plan.iter().flat_map(|plan| plan.insecure(clients))));
    if args.output != Form::Github {
        warnings.iter().for_each(|warning| log::warn!("{warning}"));
    }
    let plan = match plan {
        Ok(plan) => plan,
        Err(PlanError::Usage { message, .. } | PlanError::Nothing(message)) => {
            logging::complain(format, &message);
            return Exit::Config;
        }
    };
    let text = match (args.output, &routes) {
        (Form::Github, _) => {
            let warned: Vec<Complaint> = warnings.iter().map(|warning| placed(warning, &source.name())).collect();
            annotations("error", &logging::complaints()) + &annotations("warning", &warned)
        }
        (_, Routes::Json(routes)) => {
            let mut object = as_json(&plan, routes, args.without_secrets);
            object["status"] = json!(if exit == Exit::Ok { "ok" } else { "error" });
            object["exit_code"] = json!(exit.code());
            object["problems"] = json!(logging::complaints());
            object["warnings"] = json!(warnings);
            format!("{object:#}\n")
        }
        _ if args.without_secrets => structure(&plan, &source.name(), loaded.problems.is_empty()),
        (_, Routes::Table(routes)) => describe(&plan, routes),
    };
    print(&text, process, exit)
}

/// Says what is wrong with the config, and how much of it that concerns. Annotations are said on standard output alone: a CI service reads
/// both streams.
fn complain(opened: &Opened, output: Form) {
    let Opened { format, source, loaded, .. } = opened;
    if output == Form::Github {
        loaded.problems.iter().for_each(|problem| logging::note(noted(problem)));
        return;
    }
    complain_all(*format, &loaded.problems);
    let fatal = loaded.problems.iter().filter(|problem| problem.reach == Reach::Whole).count();
    if !loaded.problems.is_empty() {
        let all = text::plural(loaded.problems.len(), "problem");
        let rest = if fatal == 0 { "; the other entries would run" } else { "" };
        let more = if loaded.problems.len() == config::MOST_PROBLEMS { ", and perhaps more" } else { "" };
        logging::say_error(*format, &format!("{}: {all}{more}{rest}", source.name()));
    }
}

/// A warning with the place that stands at its beginning, if one does.
fn placed(warning: &str, file: &str) -> Complaint {
    let parts = warning.strip_prefix(file).and_then(|rest| {
        let mut parts = rest.strip_prefix(':')?.splitn(3, ':');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.trim_start().to_owned()))
    });
    let (place, message) = match parts {
        Some((line, column, message)) => ((Some(line), Some(column)), message),
        None => ((None, None), warning.to_owned()),
    };
    Complaint { file: Some(file.to_owned()), line: place.0, column: place.1, message }
}

/// What was looked at, where nothing was that a secret brings in.
fn structure(plan: &Plan, file: &str, is_sound: bool) -> String {
    let subjects = &plan.subjects;
    let checks = subjects.accounts.len() + subjects.mailboxes.len() + subjects.subscriptions.len();
    let counts = [text::plural(checks, "check"), text::plural(plan.config.channels.len(), "channel")].join(", ");
    let sound = if is_sound { "the structure is right" } else { "the structure is wrong" };
    format!("{file}: {sound} ({counts}); variables and secrets were not looked at\n")
}

/// Who hears of what, in either format.
enum Routes {
    Table(String),
    Json(serde_json::Value),
}

/// What a run would do, for programs.
fn as_json(plan: &Plan, routes: &serde_json::Value, is_structure: bool) -> serde_json::Value {
    let Plan { work, subjects, config } = plan;
    // Without secrets every channel that needs one has a fault.
    let fault = |channel: &Channel| channel.fault().filter(|_| !is_structure).map(str::to_owned);
    let channels = config.channels.iter().map(|channel| {
        json!({ "name": channel.name, "id": channel.id, "type": channel.kind, "fault": fault(channel) })
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
