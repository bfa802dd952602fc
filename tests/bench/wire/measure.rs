//! What one finished process took. A fresh process of this program starts it, so that nothing but the child is
//! counted: the kernel's sums for children begin at zero there, and a child's peak begins at its parent's size.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// What a process took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// Wall time, from before the start until the end was seen.
    pub(crate) wall: Duration,
    /// User and system time.
    pub(crate) cpu: Duration,
    /// Largest memory, in KiB.
    pub(crate) peak: u64,
    /// The exit status.
    pub(crate) code: i32,
}

/// The inner half: runs the command and prints what it took.
pub(crate) fn inner(command: &[String]) -> String {
    let start = Instant::now();
    let status = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the program runs");
    let wall = start.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage of a child");
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    format!("{} {cpu} {} {}", wall.as_micros(), usage.max_rss(), status.code().unwrap_or(-1))
}

/// Runs a command in `folder` with no variables but these.
pub(crate) fn run(folder: &std::path::Path, variables: &[(&str, String)], command: &[&str]) -> Taken {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .arg("--measure")
        .args(command)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .envs(variables.iter().map(|(name, value)| (*name, value)))
        .stderr(Stdio::inherit())
        .output()
        .expect("the measuring half runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().map(|word| word.parse::<i64>().unwrap_or_default());
    let mut next = || numbers.next().unwrap_or_else(|| panic!("no measurement of {command:?}"));
    Taken {
        wall: Duration::from_micros(next().unsigned_abs()),
        cpu: Duration::from_micros(next().unsigned_abs()),
        peak: next().unsigned_abs(),
        code: i32::try_from(next()).unwrap_or(-1),
    }
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}
