//! `balance-alert alerts`: alerts that were sent, are pending, or have expired.

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use super::memory::{Answer, answer, failed, find, leave};
use crate::cli::{Since, StoreArgs, parse_since};
use crate::model::alert::{Event, Level, Topic};
use crate::model::amount;
use crate::model::failure::Reason;
use crate::model::text::{self, ShortNames};
use crate::process::clock::{Clock, iso};
use crate::process::exit::Exit;
use crate::process::{Process, watchdog};
use crate::report::{ListOutput, amount_cell, columns};
use crate::state::queries::{Message, MessageState, SendingStatus};

/// Flags of `alerts`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Only since then: an age (7d, 15m, 1h30m) or a date in UTC (2026-11-01)
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = parse_since)]
    pub since: Since,
    /// The format of the answer
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
}

/// `balance-alert alerts`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    answer(process, watchdog::LONGEST, || ask(flags, process.clock))
}

fn ask(args: &Flags, clock: Clock) -> Answer {
    let (mut store, format, place) = find(&args.store, clock)?.store()?;
    let messages = store.messages(args.since.before(clock.now())).map_err(failed(format, &place))?;
    leave(store);
    Ok((render(&messages, args.since, args.output), Exit::Ok))
}

/// A message for programs.
#[derive(Serialize)]
pub(super) struct Alert<'a> {
    project: &'a str,
    owner_project: Option<&'a str>,
    provider: &'a str,
    topic: Topic,
    event: Event,
    level: Level,
    status: MessageState,
    balance: Option<Box<RawValue>>,
    threshold: Option<Box<RawValue>>,
    currency: Option<&'a str>,
    told_currency: Option<&'a str>,
    reason: Option<Reason>,
    dedup_key: &'a str,
    decided_at: String,
    done_at: Option<String>,
    deliveries: Vec<Delivery<'a>>,
}

#[derive(Serialize)]
struct Delivery<'a> {
    channel: &'a str,
    status: SendingStatus,
    at: String,
    run_id: &'a str,
    attempts: i64,
    error: Option<&'a str>,
}

fn render(messages: &[Message], since: Since, output: ListOutput) -> String {
    match output {
        ListOutput::Json => json(messages),
        ListOutput::Table => table(messages, since),
    }
}

/// Messages for programs.
pub(super) fn entries(messages: &[Message]) -> Vec<Alert<'_>> {
    messages
        .iter()
        .map(|message| {
            let alert = &message.alert;
            Alert {
                project: &alert.project,
                owner_project: alert.owner_project.as_deref(),
                provider: &alert.provider,
                topic: alert.topic(),
                event: alert.event,
                level: alert.level,
                status: message.state,
                balance: alert.balance().map(amount::to_json),
                threshold: alert.threshold().map(amount::to_json),
                currency: alert.currency(),
                told_currency: alert.told_currency(),
                reason: alert.trouble().map(|trouble| trouble.reason),
                dedup_key: &alert.dedup_key,
                decided_at: iso(message.created_at),
                done_at: message.done_at.map(iso),
                deliveries: message
                    .deliveries
                    .iter()
                    .map(|sending| Delivery {
                        channel: &sending.channel,
                        status: sending.status,
                        at: iso(sending.at),
                        run_id: &sending.run_id,
                        attempts: sending.attempts,
                        error: sending.detail.as_deref(),
                    })
                    .collect(),
            }
        })
        .collect()
}

fn json(messages: &[Message]) -> String {
    let alerts = entries(messages);
    #[derive(Serialize)]
    struct Root<'a> {
        schema_version: u32,
        alerts: Vec<Alert<'a>>,
    }
    // Strings, numbers and lists only: this cannot fail.
    serde_json::to_string(&Root { schema_version: 1, alerts }).unwrap_or_default() + "\n"
}

fn table(messages: &[Message], since: Since) -> String {
    if messages.is_empty() {
        return format!("no alerts since {since}\n");
    }
    let names = ShortNames::new(messages.iter().map(|message| message.alert.project.as_str()), text::NAME_CHARS);
    let rows = messages
        .iter()
        .map(|message| {
            let alert = &message.alert;
            let channels: Vec<String> = message
                .deliveries
                .iter()
                .map(|sending| {
                    let why = sending.detail.as_deref().map(|why| format!(": {}", text::one_line(why, 80)));
                    let (channel, why) = (sending.channel.as_str(), why.unwrap_or_default());
                    match sending.status {
                        SendingStatus::Sent => format!("{channel} {}", sending.at.strftime("%H:%M UTC")),
                        SendingStatus::Unknown => format!("perhaps {channel}{why}"),
                        SendingStatus::Pending => format!("{channel} not yet"),
                        SendingStatus::Failed | SendingStatus::Withdrawn => format!("not {channel}{why}"),
                    }
                })
                .collect();
            vec![
                message.created_at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
                message.state.as_str().to_owned(),
                names.get(&alert.project).to_owned(),
                alert.cause.facts().in_a_few_words(alert.event, alert.level),
                amount_cell(alert.balance(), alert.threshold(), alert.currency()),
                amount_cell(alert.threshold(), alert.balance(), None),
                channels.join("; "),
            ]
        })
        .collect();
    columns(&["DECIDED", "STATE", "PROJECT", "ALERT", "BALANCE", "THRESHOLD", "DELIVERED TO"], rows, &[4, 5])
}
