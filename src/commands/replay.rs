//! `balance-alert replay`: what a run saw and decided, as far as the memory of runs still knows it.

use std::collections::HashMap;

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use super::alerts;
use super::memory::{Answer, answer, failed, find, leave};
use crate::cli::StoreArgs;
use crate::model::amount;
use crate::model::identity::Identity;
use crate::model::text::{self, ShortNames};
use crate::process::clock::{Clock, iso};
use crate::process::exit::Exit;
use crate::process::{Process, logging, watchdog};
use crate::report::{ListOutput, amount_cell, columns};
use crate::state::past_runs::{Check, Runs, Seen};
use crate::state::queries::{LastRun, Message};
use crate::state::{Store, StoreError};

/// The width of the answer for people, in columns.
const WIDTH: usize = 80;
/// The longest name in it, in characters.
const NAME_CHARS: usize = 24;
/// Runs that are named where there is none of this id.
const NAMED: usize = 5;
/// What stands in the place of a name.
const GONE: &str = "(no longer kept)";
/// What no run leaves.
const NEVER_KEPT: &str = "Not kept of any run: the config that it had, what services answered, mails, how long balances would \
                          have lasted, and what it did not tell because somebody knew it already or had silenced it. `why` says \
                          that of the last run, and `backtest` decides past runs again.";

/// Flags of `replay`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// The id of the run, as its report, its log and `health` name it
    #[arg(value_name = "RUN_ID")]
    pub run: String,
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The format of the answer
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
}

/// `balance-alert replay`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    answer(process, watchdog::LONGEST, || ask(flags, process.clock))
}

fn ask(flags: &Flags, clock: Clock) -> Answer {
    let (mut store, format, place) = find(&flags.store, clock)?.store()?;
    let runs = store.runs(Runs::Of(flags.run.clone())).map_err(failed(format, &place))?;
    if runs.is_empty() {
        let last = store.last_runs().map_err(failed(format, &place))?;
        let name = text::one_line(&flags.run, 100);
        let last = text::list(last.iter().take(NAMED).map(|run| run.id.as_str()));
        let why = format!("no run `{name}` is kept: it is too old, or it was never written down\n hint: the last runs are {last}");
        logging::complain(format, &why);
        return Err(Exit::Usage);
    }
    let replayed = Replayed::of(&mut store, runs).map_err(failed(format, &place))?;
    leave(store);
    let text = match flags.output {
        ListOutput::Table => replayed.text(),
        ListOutput::Json => replayed.json(),
    };
    Ok((text, Exit::Ok))
}

/// What is kept of the runs of one id: of one run, or of its shards.
struct Replayed {
    runs: Vec<(LastRun, Vec<Seen>)>,
    checks: HashMap<Identity, Check>,
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct RunEntry<'a> {
    run_id: &'a str,
    started_at: String,
    ended_at: Option<String>,
    exit_code: Option<i64>,
    shard: Option<String>,
    is_partial: bool,
    unusable_channels: &'a str,
    /// The checks that it made.
    checks: i64,
    /// What is kept of them.
    seen: Vec<SeenEntry<'a>>,
}

#[derive(Serialize)]
struct SeenEntry<'a> {
    name: Option<&'a str>,
    provider: Option<&'a str>,
    status: &'a str,
    reason: Option<&'a str>,
    balance: Option<Box<RawValue>>,
    threshold: Option<Box<RawValue>>,
    currency: Option<&'a str>,
}

#[derive(Serialize)]
struct Root<'a> {
    schema_version: u32,
    runs: Vec<RunEntry<'a>>,
    /// What this run decided, and what of earlier runs it sent.
    alerts: Vec<alerts::Alert<'a>>,
    not_kept: Vec<String>,
}

impl Replayed {
    fn of(store: &mut Store, runs: Vec<LastRun>) -> Result<Replayed, StoreError> {
        let checks = store.checks()?.into_iter().map(|check| (check.identity, check)).collect();
        let mut messages: Vec<Message> = Vec::new();
        for run in &runs {
            for message in store.messages_of(run.clone())? {
                let key = &message.alert.dedup_key;
                if !messages.iter().any(|known| known.alert.dedup_key == *key) {
                    messages.push(message);
                }
            }
        }
        messages.reverse();
        let seen = |run: LastRun| Ok((store.seen((run.started_at, run.started_at), None)?, run));
        let seen = runs.into_iter().map(seen).collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Replayed { runs: seen.into_iter().map(|(seen, run)| (run, seen)).collect(), checks, messages })
    }

    fn is_own(&self, message: &Message) -> bool {
        let created = message.created_at.as_millisecond();
        self.runs.iter().any(|(run, _)| run.started_at.as_millisecond() == created)
    }

    /// What a sample is counted in: what it says, or else what its check was counted in last.
    fn currency<'a>(&'a self, seen: &'a Seen) -> Option<&'a str> {
        let of_check = || self.checks.get(&seen.check).and_then(|check| check.currency.as_deref());
        seen.currency.as_deref().or_else(of_check).filter(|currency| !currency.is_empty())
    }

    /// What cannot be said, in sentences.
    fn not_kept(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let made: i64 = self.runs.iter().map(|(run, _)| run.checks).sum();
        let kept = self.runs.iter().map(|(_, seen)| seen.len()).sum::<usize>() as i64;
        if kept < made {
            notes.push(format!(
                "Of {made} checks {kept} are kept: of older runs the last one of an hour or of a day is enough, and a check that a \
                 signal ended has left nothing."
            ));
        }
        if self.runs.iter().any(|(run, _)| run.end.is_none()) {
            notes.push("The run has written down no end: it was killed, or is under way.".to_owned());
        }
        let ids: Vec<&str> = self.runs.iter().map(|(run, _)| run.id.as_str()).collect();
        let is_later = |message: &Message| {
            self.is_own(message) && message.deliveries.iter().any(|sending| !ids.contains(&sending.run_id.as_str()))
        };
        if self.messages.iter().any(is_later) {
            notes.push("A delivery that a later run has tried again is kept with what became of that.".to_owned());
        }
        notes.push(NEVER_KEPT.to_owned());
        notes
    }

    fn json(&self) -> String {
        let seen = |seen: &'_ Seen| {
            let check = self.checks.get(&seen.check);
            (check.map(|check| check.name.as_str()), check.map(|check| check.provider.as_str()))
        };
        let runs = self.runs.iter().map(|(run, all)| RunEntry {
            run_id: &run.id,
            started_at: iso(run.started_at),
            ended_at: run.end.map(|(at, _)| iso(at)),
            exit_code: run.end.map(|(_, code)| code),
            shard: run.shard.map(|shard| shard.to_string()),
            is_partial: run.is_partial,
            unusable_channels: &run.unusable_channels,
            checks: run.checks,
            seen: all
                .iter()
                .map(|one| {
                    let (name, provider) = seen(one);
                    SeenEntry {
                        name,
                        provider,
                        status: &one.status,
                        reason: one.reason.as_deref(),
                        balance: one.balance.map(amount::to_json),
                        threshold: one.threshold.map(amount::to_json),
                        currency: self.currency(one),
                    }
                })
                .collect(),
        });
        let root = Root { schema_version: 1, runs: runs.collect(), alerts: alerts::entries(&self.messages), not_kept: self.not_kept() };
        // Strings, numbers and lists only: this cannot fail.
        serde_json::to_string(&root).unwrap_or_default() + "\n"
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for (run, seen) in &self.runs {
            for line in text::wrapped(&began(run), WIDTH) {
                out += &format!("{line}\n");
            }
            if !seen.is_empty() {
                out += &self.saw(seen);
            }
            out += "\n";
        }
        out += &self.decided();
        for note in self.not_kept() {
            out += &format!("\n{}", text::wrapped(&note, WIDTH).join("\n"));
        }
        out + "\n"
    }

    fn saw(&self, seen: &[Seen]) -> String {
        let name = |one: &Seen| self.checks.get(&one.check).map_or(GONE, |check| check.name.as_str());
        let names = ShortNames::new(seen.iter().map(name), NAME_CHARS);
        let mut seen: Vec<&Seen> = seen.iter().collect();
        seen.sort_by_key(|one| name(one));
        let rows = seen.into_iter().map(|one| {
            let found = one.reason.as_ref().map_or_else(|| one.status.clone(), |why| format!("{}: {why}", one.status));
            vec![
                names.get(name(one)).to_owned(),
                found,
                amount_cell(one.balance, one.threshold, self.currency(one)),
                amount_cell(one.threshold, one.balance, None),
            ]
        });
        columns(&["PROJECT", "FOUND", "BALANCE", "THRESHOLD"], rows.collect(), &[2, 3])
    }

    fn decided(&self) -> String {
        if self.messages.is_empty() {
            return "It told nobody anything.\n".to_owned();
        }
        let mut out = String::new();
        for message in &self.messages {
            let alert = &message.alert;
            let words = alert.cause.facts().in_a_few_words(alert.event, alert.level);
            let whose = match self.is_own(message) {
                true => "decided".to_owned(),
                false => format!("repeated, decided {}", message.created_at.strftime("%Y-%m-%d %H:%M UTC")),
            };
            let channels = message.deliveries.iter().map(|sending| {
                let why = sending.detail.as_deref().map(|why| format!(" ({})", text::one_line(why, 80)));
                let (channel, status) = (&sending.channel, sending.status.as_str());
                format!("{channel} {status} {}{}", sending.at.strftime("%H:%M:%S"), why.unwrap_or_default())
            });
            let to = channels.collect::<Vec<_>>().join(", ");
            let line = format!("{}: {words} ({}), {whose}: {to}", text::one_line(&alert.project, 60), alert.level.as_str());
            out += &format!("{}\n", text::wrapped(line.trim_end_matches([':', ' ']), WIDTH).join("\n    "));
        }
        out
    }
}

/// When it was and how it went.
fn began(run: &LastRun) -> String {
    let at = run.started_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let end = run.end.map_or_else(String::new, |(ended, code)| {
        let exit = Exit::ALL.into_iter().find(|exit| i64::from(exit.code()) == code);
        let meaning = exit.map_or("unknown code", Exit::meaning);
        format!(", ended {} with exit code {code} ({meaning})", ended.strftime("%H:%M:%S"))
    });
    let shard = run.shard.map(|shard| format!(", shard {shard}")).unwrap_or_default();
    let part = if run.is_partial { ", flags left checks out" } else { "" };
    let unusable = match run.unusable_channels.as_str() {
        "" => String::new(),
        names => format!(", could not send through {names}"),
    };
    let checks = text::plural(usize::try_from(run.checks).unwrap_or_default(), "check");
    format!("{}: began {at}{end}; {checks}{shard}{part}{unusable}", run.id)
}
