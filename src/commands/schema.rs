//! `balance-alert schema`: the JSON Schema of the config.

use clap::Args;

use super::open::print;
use crate::config;
use crate::process::Process;
use crate::process::exit::Exit;

/// Flags of `schema`: none.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Flags {}

pub(super) fn run(_: &Flags, process: &Process) -> Exit {
    print(&config::schema_text(), process, Exit::Ok)
}
