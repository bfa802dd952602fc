//! `balance-alert providers lint`: everything that is wrong with a page of the user's own, at once.

use std::path::PathBuf;

use clap::Args;

use crate::cli::Talk;
use crate::commands::open::{complain_all, print, speak};
use crate::config::{self, Source};
use crate::model::text;
use crate::process::Process;
use crate::process::exit::Exit;
use crate::process::logging;

/// Flags of `providers lint`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LintFlags {
    /// A file with a page, a list of pages, or a config with pages under `providers`; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Verbosity and colour.
    #[command(flatten)]
    pub talk: Talk,
}

pub(super) fn run(flags: &LintFlags, process: &Process) -> Exit {
    let (format, environment) = speak(&flags.talk);
    let source = match flags.file.to_str() {
        Some("-") => Source::Stdin,
        _ => Source::File { path: flags.file.clone(), variable: None },
    };
    let linted = config::lint(&source, &environment);
    complain_all(format, &linted.problems);
    linted.advice.iter().for_each(|advice| log::warn!("{advice}"));
    if !linted.problems.is_empty() {
        let all = text::plural(linted.problems.len(), "problem");
        logging::complain(format, &format!("{}: {all}", source.name()));
        return Exit::Config;
    }
    let (pages, examples) = (text::plural(linted.pages, "page"), text::plural(linted.examples, "example"));
    print(&format!("{pages} without a mistake, {examples} as expected\n"), process, Exit::Ok)
}
