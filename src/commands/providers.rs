//! `balance-alert providers`: the services that can be read, and those of which it is known that they cannot.

use clap::Args;
use serde_json::{Value, json};

use super::open::print;
use crate::check::account::page::Page;
use crate::check::account::page::absent::Absent;
use crate::check::account::page::credential::CredentialFormat;
use crate::check::account::{Listed, catalog};
use crate::process::Process;
use crate::process::exit::Exit;
use crate::report::{ListOutput, columns};

/// Flags of `providers`.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Flags {
    /// The format of the list
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
}

pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    print(&list(flags.output), process, Exit::Ok)
}

fn list(output: ListOutput) -> String {
    match output {
        ListOutput::Json => {
            let pages = catalog().map(|listed| match listed {
                Listed::Page(page) => page_json(&page),
                Listed::Absent(absent) => absent_json(&absent),
            });
            format!("{:#}\n", pages.collect::<Value>())
        }
        ListOutput::Table => {
            let rows = catalog().map(|listed| match listed {
                Listed::Page(page) => page_row(&page),
                Listed::Absent(absent) => absent_row(&absent),
            });
            columns(&["ID", "TITLE", "COUNTED IN", "CREDENTIAL", "OPTIONS", "ADDRESS"], rows.collect(), &[])
        }
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
