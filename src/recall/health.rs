//! Whether the watch itself is awake: one line and a code, for exec probes and monitoring.

use jiff::Timestamp;

use crate::cli::Since;
use crate::exit::Exit;
use crate::state::views::LastRun;
use crate::text;

/// `runs` are the last ones, newest first.
pub(super) fn judge(runs: &[LastRun], max_age: Since, now: Timestamp) -> (String, Exit) {
    if runs.is_empty() {
        return ("stale: no run is recorded yet\n".to_owned(), Exit::Critical);
    }
    // Several may be under way: shards share a store.
    let is_under_way = |run: &&LastRun| run.end.is_none() && now < run.ends_by;
    let Some(last) = runs.iter().find(|run| !is_under_way(run)) else {
        return ("ok: the first run is under way\n".to_owned(), Exit::Ok);
    };
    let ended = last.end.map_or(last.started_at, |(at, _)| at);
    let age = ago(ended, now);
    let name =
        format!("the last run ({}, {})", last.id, text::plural(usize::try_from(last.checks).unwrap_or(0), "check"));
    if ended < max_age.before(now) {
        let line = format!("stale: {name} ended {age}, which is before {max_age}\n");
        return (line, Exit::Critical);
    }
    let Some((_, code)) = last.end else {
        return (format!("failed: {name} began {age} and was ended before it was through\n"), Exit::Unknown);
    };
    // What it found is the job; what it could not do is the failure.
    let exit = Exit::ALL.into_iter().find(|exit| i64::from(exit.code()) == code);
    match exit {
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
pub(super) fn nothing(place: &str, why: &str) -> (String, Exit) {
    (format!("stale: no run is recorded at {place}: {why}\n"), Exit::Critical)
}

/// The line of a store that cannot be asked.
pub(super) fn unreadable(place: &str, why: &str) -> (String, Exit) {
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
    use std::time::Duration;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn run(started: i64, end: Option<(i64, i64)>) -> LastRun {
        let end = end.map(|(second, code)| (at(second), code));
        LastRun { id: "r".into(), started_at: at(started), end, checks: 3, ends_by: at(started + 600) }
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
        let since = Since::At(at(-100));
        assert_eq!(judge(&[run(-200, Some((-99, 0)))], since, at(0)).1, Exit::Ok);
        assert_eq!(judge(&[run(-200, Some((-101, 0)))], since, at(0)).1, Exit::Critical);
    }
}
