//! `balance-alert health`: whether the last run is recent and worked, as one line and an exit code for probes and monitoring.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::memory::{Answer, answer, find, leave};
use crate::cli::{Since, StoreArgs, parse_since};
use crate::model::shard::Shard;
use crate::model::text;
use crate::process::Process;
use crate::process::clock::Clock;
use crate::process::exit::Exit;
use crate::state::{ChannelState, StoreFault};
use crate::state::queries::LastRun;

/// Longest time of a command that a probe may start again and again.
const PROBE: Duration = Duration::from_secs(60);

/// Flags of `health`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The last run must have ended within this time (7d, 15m, 1h30m), or since a date in UTC (2026-11-01)
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = parse_since)]
    pub max_age: Since,
}

/// `balance-alert health`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    answer(process, PROBE, || ask(flags, process.clock))
}

fn ask(args: &Flags, clock: Clock) -> Answer {
    let found = find(&args.store, clock)?;
    let place = found.place;
    let verdict = match found.store {
        Ok(mut store) => match store.last_runs() {
            Ok(runs) => {
                let channels = store.channel_states().unwrap_or_default();
                leave(store);
                let now = clock.now();
                let (line, exit) = judge(&runs, args.max_age, now);
                (line.replace('\n', &format!("{}\n", refusing(&channels, now))), exit)
            }
            Err(error) => unreadable(&place, &error.message),
        },
        Err((StoreFault::Absent, why)) => nothing(&place, &why),
        Err((_, why)) => unreadable(&place, &why),
    };
    Ok(verdict)
}

/// The channels that refuse what they are to take. A run that could not tell has failed, so this is no verdict of its own.
fn refusing(channels: &[ChannelState], now: Timestamp) -> String {
    let refusing = channels.iter().filter_map(|state| {
        let since = ago(state.refusing_since?, now);
        let owed = text::plural(state.owed, "message");
        Some(format!("; {} has taken nothing since {since} ({owed} owed)", text::one_line(&state.channel, 40)))
    });
    refusing.collect()
}

/// `runs` are the last ones, newest first. Where shards share the checks, every one of the newest run's siblings must be well.
fn judge(runs: &[LastRun], max_age: Since, now: Timestamp) -> (String, Exit) {
    // A partial run, as somebody starts by hand for one account, says nothing about how many shards there are.
    let newest = runs.iter().find(|run| !run.is_partial).or(runs.first()).and_then(|run| run.shard);
    let shards: Vec<Option<Shard>> = match newest {
        None => vec![None],
        Some(newest) => newest.siblings().map(Some).collect(),
    };
    let verdicts: Vec<(String, Exit)> = shards
        .into_iter()
        .map(|shard| judge_shard(runs.iter().filter(|run| run.shard == shard), shard, max_age, now))
        .collect();
    let bad = verdicts.iter().filter(|(_, exit)| *exit != Exit::Ok).count();
    let total = verdicts.len();
    // Stale outweighs failed, as for one.
    let worst = |(_, exit): &(String, Exit)| match exit {
        Exit::Ok => 0,
        Exit::Unknown => 1,
        _ => 2,
    };
    // `max_by_key` gives the last of equal elements; reversed, that is the first shard.
    match verdicts.into_iter().rev().max_by_key(worst) {
        Some((line, exit)) if bad > 1 => {
            (line.replace('\n', &format!("; {bad} of {total} shards are not well\n")), exit)
        }
        Some(verdict) => verdict,
        None => ("stale: no run is recorded yet\n".to_owned(), Exit::Critical),
    }
}

fn judge_shard<'a>(
    runs: impl Iterator<Item = &'a LastRun> + Clone,
    shard: Option<Shard>,
    max_age: Since,
    now: Timestamp,
) -> (String, Exit) {
    let of = shard.map(|shard| format!(" of shard {shard}")).unwrap_or_default();
    if runs.clone().next().is_none() {
        return (format!("stale: no run{of} is recorded yet\n"), Exit::Critical);
    }
    let is_under_way = |run: &&LastRun| run.end.is_none() && now < run.ends_by;
    let Some(last) = runs.clone().find(|run| !is_under_way(run)) else {
        return (format!("ok: the first run{of} is under way\n"), Exit::Ok);
    };
    let ended = last.end.map_or(last.started_at, |(at, _)| at);
    let age = ago(ended, now);
    let checks = text::plural(usize::try_from(last.checks).unwrap_or(0), "check");
    let name = format!("the last run{of} ({}, {checks})", last.id);
    if ended < max_age.before(now) {
        let line = format!("stale: {name} ended {age}, which is before {max_age}\n");
        return (line, Exit::Critical);
    }
    let Some((_, code)) = last.end else {
        return (format!("failed: {name} began {age} and was ended before it was through\n"), Exit::Unknown);
    };
    // A run that found something bad has done its job; a run that could not look or tell has failed.
    let exit = Exit::ALL.into_iter().find(|exit| i64::from(exit.code()) == code);
    match exit {
        Some(Exit::Ok | Exit::Warning | Exit::Critical) if !last.unusable_channels.is_empty() => {
            let line = format!("failed: {name} ended {age}, but cannot send through {}\n", last.unusable_channels);
            (line, Exit::Unknown)
        }
        Some(Exit::Ok | Exit::Warning | Exit::Critical) => {
            (format!("ok: {name} ended {age} with exit code {code}\n"), Exit::Ok)
        }
        exit => {
            let meaning = exit.map_or("unknown code", Exit::meaning);
            (format!("failed: {name} ended {age} with exit code {code}: {meaning}\n"), Exit::Unknown)
        }
    }
}

/// The line of a store that is not there yet.
fn nothing(place: &str, why: &str) -> (String, Exit) {
    (format!("stale: no run is recorded at {place}: {why}\n"), Exit::Critical)
}

/// The line of a store that cannot be asked.
fn unreadable(place: &str, why: &str) -> (String, Exit) {
    let why = why.replace('\n', ";");
    (format!("failed: the memory of runs at {place} cannot be read: {why}\n"), Exit::Unknown)
}

/// `4 min ago`.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    match now.duration_since(at).unsigned_abs() {
        _ if at > now => "in the future".to_owned(),
        age => format!("{} ago", text::span(age)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn run(started: i64, end: Option<(i64, i64)>) -> LastRun {
        let end = end.map(|(second, code)| (at(second), code));
        LastRun {
            id: "r".into(),
            started_at: at(started),
            end,
            checks: 3,
            ends_by: at(started + 600),
            shard: None,
            is_partial: false,
            unusable_channels: String::new(),
        }
    }

    #[test]
    fn recent_and_working_is_well_and_nothing_else() {
        let quarter = Since::Ago(Duration::from_secs(900));
        for (runs, want, word) in [
            (vec![], 2, "stale: no run"),
            (vec![run(-10, Some((-5, 0)))], 0, "ok: the last run (r, 3 checks) ended 5 s ago with exit code 0"),
            (vec![run(-10, Some((-5, 1)))], 0, "ok"),
            (vec![run(-10, Some((-5, 2)))], 0, "ok"),
            (
                vec![run(-10, Some((-5, 3)))],
                3,
                "failed: the last run (r, 3 checks) ended 5 s ago with exit code 3: unknown",
            ),
            (vec![run(-10, Some((-5, 75)))], 3, "failed"),
            (vec![run(-10, Some((-5, 99)))], 3, "failed"),
            (vec![run(-1000, Some((-901, 0)))], 2, "stale"),
            (vec![run(-1000, Some((-900, 0)))], 0, "ok"),
            (vec![run(-1000, Some((-901, 75)))], 2, "stale"),
            (vec![run(-5, None)], 0, "ok: the first run is under way"),
            (
                vec![run(-5, None), run(-6, None), run(-310, Some((-300, 0)))],
                0,
                "ok: the last run (r, 3 checks) ended 5 min ago",
            ),
            (vec![run(-5, None), run(-310, Some((-300, 0)))], 0, "ok"),
            (vec![run(-5, None), run(-310, Some((-300, 75)))], 3, "failed"),
            (
                vec![run(-700, None), run(-1310, Some((-1300, 0)))],
                3,
                "failed: the last run (r, 3 checks) began 11 min ago",
            ),
        ] {
            let (line, exit) = judge(&runs, quarter, at(0));
            assert_eq!(i32::from(exit.code()), want, "{runs:?}: {line}");
            assert!(line.starts_with(word), "{runs:?}: {line}");
            assert_eq!(line.matches('\n').count(), 1);
        }
        let unusable = LastRun { unusable_channels: "team".into(), ..run(-10, Some((-5, 0))) };
        let (line, exit) = judge(&[unusable], quarter, at(0));
        assert_eq!((exit, line.contains("cannot send through team")), (Exit::Unknown, true), "{line}");
        let since = Since::At(at(-100));
        assert_eq!(judge(&[run(-200, Some((-99, 0)))], since, at(0)).1, Exit::Ok);
        assert_eq!(judge(&[run(-200, Some((-101, 0)))], since, at(0)).1, Exit::Critical);
    }

    #[test]
    fn every_shard_must_be_well_and_those_of_another_number_do_not_count() {
        let quarter = Since::Ago(Duration::from_secs(900));
        let of = |shard: &str, run: LastRun| LastRun { shard: Some(shard.parse().unwrap()), ..run };
        let good = |shard: &str| of(shard, run(-10, Some((-5, 0))));
        for (runs, want, word) in [
            (vec![good("0/2"), good("1/2")], 0, "ok: the last run of shard 0/2"),
            (vec![good("0/2")], 2, "stale: no run of shard 1/2 is recorded"),
            (vec![good("0/2"), of("1/2", run(-2000, Some((-1000, 0))))], 2, "stale: the last run of shard 1/2"),
            (vec![good("1/2"), of("0/2", run(-10, Some((-5, 143))))], 3, "failed: the last run of shard 0/2"),
            (vec![good("0/2"), good("1/2"), of("2/3", run(-2000, Some((-1000, 0))))], 0, "ok"),
            (vec![good("0/3")], 2, "stale: no run of shard 1/3 is recorded yet; 2 of 3 shards are not well"),
            (vec![good("0/2"), good("1/2"), run(-2000, Some((-1000, 75)))], 0, "ok"),
            (vec![run(-10, Some((-5, 0))), of("0/2", run(-2000, Some((-1000, 0))))], 0, "ok: the last run (r"),
        ] {
            let (line, exit) = judge(&runs, quarter, at(0));
            assert_eq!(i32::from(exit.code()), want, "{runs:?}: {line}");
            assert!(line.starts_with(word), "{runs:?}: {line}");
            assert_eq!(line.matches('\n').count(), 1);
        }
    }
}
