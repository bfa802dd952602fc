//! `balance-alert notify`: sends one marked message through the channels of a config, or shows what it would be. The memory of runs is
//! neither read nor written.

use std::sync::Arc;

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use secrecy::ExposeSecret;

use super::open::{Opened, complain_all, open, print};
use crate::cli::{ConfigArg, Talk};
use crate::config::{Asked, Config, Needs, Reach};
use crate::model::text;
use crate::notify::config::{Channel, EMAIL, EXEC};
use crate::notify::trial::{self, Sample};
use crate::notify::{self, Delivery, DeliveryStatus, Dispatch};
use crate::plan::insecure_channels;
use crate::process::clock::Clock;
use crate::process::environment::Environment;
use crate::process::exit::Exit;
use crate::process::interrupt::Deadline;
use crate::process::logging::{self, Format};
use crate::process::redact::Redactor;
use crate::process::{Process, file};
use crate::wire::context::Context;
use crate::wire::http::Clients;

/// Flags of `notify`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What is done with the message.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Action {
    /// Send one message that is marked as a test through each channel: exit 0 if all took it, 75 if not
    Test(TrialFlags),
    /// Print the body of that message and send nothing
    Render(TrialFlags),
}

/// Flags of both.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct TrialFlags {
    /// Where the config is; it needs nothing to check.
    #[command(flatten)]
    pub config: ConfigArg,
    /// Only this channel, by its name or its type where it has none (repeatable)
    #[arg(long = "channel", value_name = "NAME")]
    pub channels: Vec<String>,
    /// What the message tells of
    #[arg(long = "as", value_enum, default_value_t, value_name = "WHAT")]
    pub sample: Sample,
    /// Verbosity and colour.
    #[command(flatten)]
    pub talk: Talk,
}

pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    let (flags, is_sent) = match &flags.action {
        Action::Test(flags) => (flags, true),
        Action::Render(flags) => (flags, false),
    };
    process.watchdog.expect("the reading of the config", Exit::Config);
    let (config, environment, format) = match read(flags, process.clock) {
        Ok(read) => read,
        Err(exit) => return exit,
    };
    let time = config.settings.run_timeout;
    process.watchdog.allow(time);
    file::allow(time);
    process.watchdog.expect("the sending of the test", Exit::Undelivered);
    let who = ("test", config.channels.as_slice(), &config.redactor, &config.settings.timezone);
    let context = context(who, &environment, process.clock, format);
    let deliveries = tell(&config, &context, flags.sample, is_sent);
    let has_failed = |delivery: &Delivery| !matches!(delivery.status, DeliveryStatus::Sent | DeliveryStatus::DryRun);
    let exit = match deliveries.iter().any(has_failed) {
        false => Exit::Ok,
        true if is_sent => Exit::Undelivered,
        true => Exit::Config,
    };
    let shown = deliveries.iter().map(|delivery| if is_sent { sent(delivery, &config) } else { rendered(delivery) });
    print(&shown.collect::<Vec<_>>().join("\n"), process, exit)
}

/// Reads the config, and leaves the channels in it that are tried; what is wrong is printed.
fn read(flags: &TrialFlags, clock: Clock) -> Result<(Config, Environment, Format), Exit> {
    let Opened { format, environment, loaded, .. } = open(&flags.config, &flags.talk, clock, Needs::Channels, Asked::Below(&["webhook", "webhooks"]))?;
    let Some(mut config) = loaded.config else {
        complain_all(format, &loaded.problems);
        return Err(Exit::Config);
    };
    for problem in loaded.problems.iter().filter(|problem| problem.reach == Reach::Line) {
        log::warn!("{problem}");
    }
    for warning in &config.warnings {
        log::warn!("{warning}");
    }
    if config.channels.is_empty() {
        let hint = "`balance-alert channels` lists the channels that there are";
        logging::complain(format, &format!("there is no channel to try: the config has no `webhook`\n hint: {hint}"));
        return Err(Exit::Config);
    }
    let is_meant = |channel: &Channel, name: &String| channel.name == *name || channel.id == *name;
    for name in &flags.channels {
        if !config.channels.iter().any(|channel| is_meant(channel, name)) {
            let names: Vec<&str> = config.channels.iter().map(|channel| channel.id.as_str()).collect();
            let hint = match text::nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the channels of the config: {}", text::list(names)),
            };
            logging::complain(format, &format!("no channel is named `{name}`\n hint: {hint}"));
            return Err(Exit::Usage);
        }
    }
    config.channels.retain(|channel| {
        flags.channels.is_empty() || flags.channels.iter().any(|name| is_meant(channel, name))
    });
    Ok((config, environment, format))
}

/// What sends, named so that a receiver sees that it is no run.
pub(super) fn context(
    (name, channels, redactor, timezone): (&str, &[Channel], &Arc<Redactor>, &TimeZone),
    environment: &Environment,
    clock: Clock,
    format: Format,
) -> Context {
    let clients = Clients::new(&environment.surroundings(), clock);
    clients.secrets().for_each(|secret| redactor.learn(secret.expose_secret()));
    for warning in clients.problems().into_iter().chain(insecure_channels(channels, &clients)) {
        log::warn!("{warning}");
    }
    let started_at = clock.now();
    Context {
        run_id: format!("{name}-{}", started_at.strftime("%Y%m%dT%H%M%S%.3fZ")),
        clock,
        started_at,
        today: started_at.to_zoned(timezone.clone()).date(),
        clients: Arc::new(clients),
        redactor: Arc::clone(redactor),
        format,
    }
}

/// Sends or renders the message, on the way that alerts take.
fn tell(config: &Config, context: &Context, sample: Sample, is_sent: bool) -> Vec<Delivery> {
    let tellings = sample.telling(&config.channels, &context.run_id, context.started_at, context.today);
    let dispatch = Dispatch {
        context,
        channels: &config.channels,
        language: config.settings.language,
        providers: &Arc::new(trial::providers()),
        max_retries: config.settings.max_retries,
        timeout: config.settings.request_timeout,
        deadline: &Deadline::within(config.settings.run_timeout),
        is_dry_run: !is_sent,
        is_trial: true,
        keep: None,
    };
    notify::notify(&dispatch, &tellings)
}

/// The channel, what was sent, and what came back.
fn sent(delivery: &Delivery, config: &Config) -> String {
    let address = config.channels.iter().find(|channel| channel.id == delivery.id).and_then(Channel::address);
    let host = address.and_then(|url| url.host_str()).map(|host| format!(" at {host}")).unwrap_or_default();
    let mut out = format!("{}{host}\n", delivery.id);
    if let Some(last) = delivery.exchanges.last() {
        match &last.place {
            Some((method, host)) => out.push_str(&format!("sent: {method} to {host}\n")),
            None if delivery.kind == EXEC => out.push_str("sent: to the command, on its standard input\n"),
            None if delivery.kind == EMAIL => out.push_str("sent: a mail, here before it is encoded\n"),
            None => out.push_str("sent: to standard error\n"),
        }
        out.push_str(&body(&last.body));
    }
    let status = delivery.exchanges.last().and_then(|last| last.status);
    let status = status.map(|status| format!("HTTP {status}, ")).unwrap_or_default();
    let time = delivery.calls.iter().map(|call| call.duration).sum();
    let effort = format!("{} in {} s", text::plural(delivery.attempts as usize, "attempt"), text::seconds(time));
    out + &match &delivery.failure {
        None => format!("came back: {status}taken, {effort}\n"),
        Some(failure) if delivery.exchanges.is_empty() => format!("nothing was sent: {}\n", failure.describe()),
        Some(failure) => {
            let reason = failure.reason.as_str();
            let verdict = if delivery.unknown.is_empty() { "not taken" } else { "not known whether it was taken" };
            format!("came back: {status}{verdict} ({reason}), {effort}: {}\n", failure.describe())
        }
    }
}

/// The channel and the body of its message.
fn rendered(delivery: &Delivery) -> String {
    let why = |delivery: &Delivery| delivery.failure.as_ref().map(|failure| format!("{}\n", failure.describe()));
    let bodies = delivery.payloads.iter().map(|payload| body(payload));
    let bodies = bodies.chain(why(delivery).map(|why| format!("there is nothing to send: {why}")));
    format!("{}\n{}", delivery.id, bodies.collect::<String>())
}

/// A body as people read it: JSON is laid out.
fn body(text: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) => format!("{json:#}\n"),
        Err(_) => format!("{text}\n"),
    }
}
