//! `balance-alert providers`: the services that can be read, and those of which it is known that they cannot.

mod described;
mod lint;
mod trial;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::open::print;
use crate::check::account::page::Page;
use crate::check::account::page::absent::Absent;
use crate::check::account::page::credential::CredentialFormat;
use crate::check::account::{Listed, advice, catalog, find, ids, search};
use crate::model::text;
use crate::process::logging::{self, Format};
use crate::process::Process;
use crate::process::exit::Exit;
use crate::report::{ListOutput, columns};

/// Flags of `providers`.
#[derive(Clone, Debug, Default, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Flags {
    /// What to do instead of listing them.
    #[command(subcommand)]
    pub action: Option<Action>,
    /// Describe this service, with an entry for the config
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// List only what a word may mean: a part of an id, of the name of a service or of its address
    #[arg(long, value_name = "WORD", conflicts_with = "name")]
    pub search: Option<String>,
    /// The format of the list or of the description
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
}

/// What is done instead of listing.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Action {
    /// Read one account, and show what was asked, what came back and what was read of it
    Try(trial::TrialFlags),
    /// Check a page of your own: list all of its mistakes, and run its examples
    Lint(lint::LintFlags),
}

pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    match &flags.action {
        Some(Action::Try(flags)) => return trial::run(flags, process),
        Some(Action::Lint(flags)) => return lint::run(flags, process),
        None => {}
    }
    let text = match (&flags.name, &flags.search) {
        (Some(name), _) => match find(name) {
            Some(listed) => described::describe(&listed, flags.output),
            None => return unknown(name),
        },
        (None, Some(word)) => {
            let found: Vec<Listed> = search(word).iter().filter_map(|brief| find(brief.id)).collect();
            if found.is_empty() && flags.output == ListOutput::Table {
                logging::complain(Format::Text, &format!("nothing is found\n hint: {}", advice(word, None)));
            }
            list(found.into_iter(), flags.output)
        }
        (None, None) => list(catalog(), flags.output),
    };
    print(&text, process, Exit::Ok)
}

/// Says that there is no such service, and what may be meant.
fn unknown(name: &str) -> Exit {
    let ids: Vec<&str> = ids().collect();
    let hint = advice(name, text::nearest(name, ids.iter().copied()));
    logging::complain(Format::Text, &format!("there is no such service\n hint: {hint}"));
    Exit::Usage
}

fn list(listed: impl Iterator<Item = Listed>, output: ListOutput) -> String {
    match output {
        ListOutput::Json => format!("{:#}\n", listed.map(|listed| as_json(&listed)).collect::<Value>()),
        ListOutput::Table => {
            let rows = listed.map(|listed| match listed {
                Listed::Page(page) => page_row(&page),
                Listed::Absent(absent) => absent_row(&absent),
            });
            columns(&["ID", "TITLE", "COUNTED IN", "CREDENTIAL", "OPTIONS", "ADDRESS"], rows.collect(), &[])
        }
    }
}

fn as_json(listed: &Listed) -> Value {
    match listed {
        Listed::Page(page) => page_json(page),
        Listed::Absent(absent) => absent_json(absent),
    }
}

fn page_json(page: &Page) -> Value {
    json!({
        "id": page.id, "title": page.title, "group": page.group, "meter": "api", "kind": page.kind,
        "currency": page.currency, "unit": page.unit, "docs": page.docs, "top_up": page.top_up, "checked": page.checked,
        "url": page.addresses().next().map(|(_, url)| url), "credential": page.credential, "options": page.options,
        "self_hosted": page.self_hosted, "read_cost": page.read_cost, "min_interval": page.min_interval,
    })
}

fn absent_json(absent: &Absent) -> Value {
    json!({
        "id": absent.id, "title": absent.title, "group": absent.group, "meter": absent.meter, "since": absent.since,
        "why": absent.why, "instead": absent.instead, "docs": absent.docs, "top_up": absent.top_up, "checked": absent.checked,
    })
}

fn page_row(page: &Page) -> Vec<String> {
    let credential = match page.credential.format {
        CredentialFormat::Key => "key".to_owned(),
        CredentialFormat::Pair => "AccessKeyId:Secret".to_owned(),
        CredentialFormat::Parts => page.credential.parts.keys().cloned().collect::<Vec<_>>().join(" + "),
        CredentialFormat::None => "none".to_owned(),
    };
    let options = page.options.keys().cloned().collect::<Vec<_>>().join(", ");
    let unit = page.counted_in().unwrap_or("-").to_owned();
    let address = page.addresses().next().map(|(_, url)| url).or_else(|| page.file()).unwrap_or_default();
    vec![page.id.clone(), page.title.clone(), unit, credential, options, address.to_owned()]
}

fn absent_row(absent: &Absent) -> Vec<String> {
    let nothing = || "-".to_owned();
    let why = format!("no API: {}", absent.instead);
    vec![absent.id.clone(), absent.title.clone(), nothing(), nothing(), String::new(), why]
}
