//! What a project says of a command: which program tells its balance, and how what it prints is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::RawProject;
use crate::check::account::from_command::{PROVIDER, is_of_command};
use crate::check::account::page::Page;
use crate::process::command::Program;
use crate::yaml::path::{Part, Step, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Text};

/// The option of the page that holds the expression.
const BALANCE: &str = "balance";

/// What a project says of a command, as it is written.
pub(super) struct RawCommand {
    command: Option<Vec<Lenient<Text>>>,
    balance: Option<String>,
    unit: Option<String>,
}

impl RawCommand {
    pub(super) fn of(raw: &mut RawProject) -> RawCommand {
        RawCommand { command: raw.command.take(), balance: raw.balance.take(), unit: raw.unit.take() }
    }
}

/// A command that tells a balance.
pub(super) struct Told {
    /// The program and its arguments.
    pub command: Arc<Program>,
    /// The page, counted in the unit of the project.
    pub page: Arc<Page>,
}

impl ConfigReader<'_> {
    /// The command that tells the balance of a project; none if it is asked otherwise, or if a problem says why. The expression
    /// becomes an option, as the page has it.
    pub(super) fn told_by_command(
        &mut self,
        path: &[Step],
        raw: RawCommand,
        page: &Arc<Page>,
        currency: Option<&str>,
        options: &mut BTreeMap<String, Lenient<Text>>,
    ) -> Option<Told> {
        if !is_of_command(page) {
            let written =
                [("command", raw.command.is_some()), (BALANCE, raw.balance.is_some()), ("unit", raw.unit.is_some())];
            for (name, _) in written.into_iter().filter(|(_, is_there)| *is_there) {
                let message = format!("`{name}` is for accounts of `provider: {PROVIDER}`");
                self.problem(&under(path, name), Part::Key(0), message, None);
            }
            return None;
        }
        if let Some(balance) = raw.balance {
            let expression = self.as_written(&under(path, BALANCE), Text(balance));
            if options.insert(BALANCE.to_owned(), Lenient(Text(expression))).is_some() {
                let message = format!("`{BALANCE}` stands both in the project and in its `options`");
                self.problem(&under(path, BALANCE), Part::Key(0), message, None);
            }
        }
        let unit = raw.unit.filter(|unit| !unit.trim().is_empty());
        if unit.is_some() && currency.is_some() {
            let message = "set only one of `currency` and `unit`";
            self.problem(&under(path, "unit"), Part::Key(0), message, None);
        }
        let page = if unit.is_some() { Arc::new(Page { unit, ..(**page).clone() }) } else { Arc::clone(page) };
        let at = under(path, "command");
        // What a variable brought may be a secret, although everybody on the machine can read it there.
        self.suspect_filled(&at);
        let Some(written) = raw.command else {
            if !self.is_unusable(path) && !self.is_flagged(&at) {
                let hint = "it is a list: the program and its arguments, as `[aws, freetier, get-account-plan-state]`";
                self.problem(path, Part::Value, "`command` is missing", Some(hint.to_owned()));
            }
            return None;
        };
        let command = Arc::new(self.program(&at, "command", written));
        Some(Told { command, page })
    }
}
