//! `balance-alert silences`: what is silenced and acknowledged now.

use clap::Args;
use serde::Serialize;

use super::memory::{Answer, answer, failed, find, leave};
use crate::cli::StoreArgs;
use crate::decide::memory::Mute;
use crate::process::clock::Clock;
use crate::process::exit::Exit;
use crate::process::{Process, watchdog};
use crate::report::ListOutput;
use crate::report::mutes::{MuteEntry, entries, table};

/// Flags of `silences`.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Flags {
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The format of the answer
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
}

/// `balance-alert silences`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    answer(process, watchdog::LONGEST, || ask(flags, process.clock))
}

fn ask(flags: &Flags, clock: Clock) -> Answer {
    let (mut store, format, place) = find(&flags.store, clock)?.store()?;
    let mutes = store.mutes().map_err(failed(format, &place))?;
    leave(store);
    Ok((render(&mutes, flags.output), Exit::Ok))
}

fn render(mutes: &[Mute], output: ListOutput) -> String {
    #[derive(Serialize)]
    struct Root<'a> {
        schema_version: u32,
        mutes: Vec<MuteEntry<'a>>,
    }
    match output {
        ListOutput::Table if mutes.is_empty() => "nothing is silenced or acknowledged\n".to_owned(),
        ListOutput::Table => table(mutes),
        // Strings, numbers and lists only: this cannot fail.
        ListOutput::Json => {
            let root = Root { schema_version: 1, mutes: entries(mutes) };
            serde_json::to_string(&root).unwrap_or_default() + "\n"
        }
    }
}
