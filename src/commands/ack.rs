//! `balance-alert ack`: somebody knows of what is wrong, and nobody need be told again until it is over or gets worse.

use clap::Args;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;

use super::memory::{Answer, answer, failed, find_to_write, leave};
use super::said::SaidFlags;
use crate::cli::StoreArgs;
use crate::model::alert::Topic;
use crate::model::text;
use crate::process::clock::Clock;
use crate::process::exit::Exit;
use crate::process::logging;
use crate::process::{Process, watchdog};

/// Flags of `ack`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// The name of the account, the mailbox or the subscription
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Only this of what is wrong with it
    #[arg(long, value_name = "TOPIC", value_parser = PossibleValuesParser::new(Topic::ALL.map(Topic::as_str)).map(|word| topic(&word)))]
    pub(super) topic: Option<Topic>,
    /// Who says it, and why.
    #[command(flatten)]
    said: SaidFlags,
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// The topic of a word that is one.
fn topic(word: &str) -> Topic {
    Topic::parse(word).unwrap_or(Topic::Low)
}

/// `balance-alert ack`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    answer(process, watchdog::LONGEST, || ask(flags, process.clock))
}

fn ask(flags: &Flags, clock: Clock) -> Answer {
    let (mut store, format, place) = find_to_write(&flags.store, clock)?.store()?;
    let made = store.acknowledge(flags.name.clone(), flags.topic, flags.said.said(clock.now())).map_err(failed(format, &place))?;
    let known = store.status(jiff::Timestamp::MIN).map_err(failed(format, &place))?;
    leave(store);
    if made.is_empty() {
        let name = text::one_line(&flags.name, 60);
        let is_known = known.iter().any(|known| known.name == flags.name);
        let near = text::nearest(&flags.name, known.iter().map(|known| known.name.as_str()));
        let hint = match near {
            _ if is_known => "`balance-alert silence` is for what is not wrong yet".to_owned(),
            Some(near) => format!("did you mean `{near}`?"),
            None => "`balance-alert status` lists what runs have looked at".to_owned(),
        };
        logging::complain(format, &format!("nothing is known to be wrong with `{name}`\n hint: {hint}"));
        return Err(Exit::Usage);
    }
    let lines = made.iter().map(|mute| format!("acknowledged as number {}: {}\n", mute.number, mute.shown()));
    Ok((lines.collect(), Exit::Ok))
}
