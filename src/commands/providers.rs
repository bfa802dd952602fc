//! `balance-alert providers`: the services that can be read.

use clap::Args;

use super::open::print;
use crate::check::account::catalog;
use crate::check::account::page::CredentialFormat;
use crate::process::Process;
use crate::process::exit::Exit;
use crate::report::{ListOutput, columns};

/// Flags of `providers`.
#[derive(Clone, Debug, Default, Args)]
pub struct Flags {
    /// The format of the list
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
}

pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    print(&list(flags.output), process, Exit::Ok)
}

fn list(output: ListOutput) -> String {
    let pages = catalog();
    match output {
        ListOutput::Json => {
            let pages: Vec<_> = pages
                .iter()
                .map(|page| {
                    serde_json::json!({
                        "id": page.id, "title": page.title, "kind": page.kind, "currency": page.currency,
                        "docs": page.docs, "url": page.request.url, "credential": page.credential, "options": page.options,
                    })
                })
                .collect();
            format!("{:#}\n", serde_json::Value::from(pages))
        }
        ListOutput::Table => {
            let rows = pages.iter().map(|page| {
                let credential = match page.credential.format {
                    CredentialFormat::Key => "key",
                    CredentialFormat::Pair => "AccessKeyId:Secret",
                    CredentialFormat::None => "none",
                };
                let options = page.options.keys().cloned().collect::<Vec<_>>().join(", ");
                let currency = page.currency.clone().unwrap_or_else(|| "-".to_owned());
                let address = page.request.url.clone().or_else(|| page.request.file.clone()).unwrap_or_default();
                vec![page.id.clone(), page.title.clone(), currency, credential.to_owned(), options, address]
            });
            columns(&["ID", "TITLE", "CURRENCY", "CREDENTIAL", "OPTIONS", "ADDRESS"], rows.collect(), &[])
        }
    }
}
