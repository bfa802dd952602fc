//! `balance-alert unsilence`: ends silences and acknowledgements.

use clap::Args;

use super::memory::{Answer, answer, failed, find_to_write, leave};
use crate::cli::StoreArgs;
use crate::decide::memory::{Covers, Mute};
use crate::decide::route::{Asked, Patterns};
use crate::process::clock::Clock;
use crate::process::exit::Exit;
use crate::process::logging;
use crate::process::{Process, watchdog};

/// Flags of `unsilence`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// The number of a silence or an acknowledgement, or the name that it was made with
    #[arg(value_name = "NUMBER|NAME", required_unless_present = "all")]
    pub which: Vec<String>,
    /// End all of them
    #[arg(long, conflicts_with = "which")]
    pub all: bool,
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// `balance-alert unsilence`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    answer(process, watchdog::LONGEST, || ask(flags, process.clock))
}

/// Whether a mute has this number, or was made with this name.
fn is_meant(mute: &Mute, which: &str) -> bool {
    let is_named = match &mute.covers {
        Covers::Matching(asked) => asked.contains(&(Asked::Name, Patterns::new([which]))),
        Covers::Known { name, .. } => name == which,
    };
    is_named || which.parse() == Ok(mute.number)
}

fn ask(flags: &Flags, clock: Clock) -> Answer {
    let (mut store, format, place) = find_to_write(&flags.store, clock)?.store()?;
    let (which, all) = (flags.which.clone(), flags.all);
    let ended = store
        .unmute(move |mute| all || which.iter().any(|which| is_meant(mute, which)))
        .map_err(failed(format, &place))?;
    leave(store);
    let missing = flags.which.iter().filter(|which| !ended.iter().any(|mute| is_meant(mute, which)));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    let out: String =
        ended.iter().map(|mute| format!("ended: {} {} {}\n", mute.kind().as_str(), mute.number, mute.shown())).collect();
    if missing.is_empty() {
        let out = if out.is_empty() { "nothing was silenced or acknowledged\n".to_owned() } else { out };
        return Ok((out, Exit::Ok));
    }
    for which in missing {
        let what = format!("`{which}` names no silence and no acknowledgement\n hint: `balance-alert silences` lists them");
        logging::complain(format, &what);
    }
    Ok((out, Exit::Usage))
}
