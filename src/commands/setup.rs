//! What `validate` and `providers` show: the plan of a run, and the services that can be read.

use rust_decimal::Decimal;

use crate::check::account::catalog;
use crate::check::account::page::CredentialFormat;
use crate::config::Config;
use crate::model::amount;
use crate::model::text::{self, ShortNames};
use crate::plan::Plan;
use crate::report::{ListOutput, columns};
use crate::state;
use crate::state::config::Place;

/// What a run would do, for people.
pub(super) fn describe(config: &Config, plan: &Plan) -> String {
    let accounts = plan.checks.iter().map(|check| check.subject.name.as_str());
    let mailboxes = plan.mailboxes.iter().map(|mailbox| mailbox.name.as_str());
    let subscriptions = plan.subscriptions.iter().map(|subscription| subscription.name.as_str());
    let names = ShortNames::new(accounts.chain(mailboxes).chain(subscriptions), text::NAME_CHARS);
    let rows = plan.checks.iter().map(|check| {
        let subject = &check.subject;
        let threshold = |threshold: Option<Decimal>, other: Option<Decimal>| {
            threshold.map_or_else(|| "-".to_owned(), |threshold| amount::show_beside(threshold, other, None))
        };
        let target = match &check.account {
            Ok(account) => account.target.show(),
            Err(failure) => format!("cannot be read: {}", failure.describe()),
        };
        vec![
            names.get(&subject.name).to_owned(),
            subject.provider.clone(),
            threshold(subject.threshold, subject.warning_threshold),
            threshold(subject.warning_threshold, subject.threshold),
            target,
        ]
    });
    let mut out = String::new();
    if !plan.checks.is_empty() {
        let headings = ["PROJECT", "PROVIDER", "THRESHOLD", "WARNING", "ADDRESS"];
        out.push_str(&columns(&headings, rows.collect(), &[2, 3]));
    }
    if !plan.mailboxes.is_empty() {
        let rows = plan.mailboxes.iter().map(|mailbox| {
            let address = &mailbox.address;
            let place = match &mailbox.login {
                Err(why) => format!("cannot be read: {why}"),
                Ok(_) => format!("{}:{} {}", address.host, address.port, address.folder),
            };
            vec![names.get(&mailbox.name).to_owned(), text::one_line(&place, 100)]
        });
        out.push('\n');
        out.push_str(&columns(&["MAILBOX", "ADDRESS"], rows.collect(), &[]));
    }
    if !plan.subscriptions.is_empty() {
        let rows = plan.subscriptions.iter().map(|subscription| {
            let name = names.get(&subscription.name).to_owned();
            match &subscription.schedule {
                Ok(schedule) => {
                    let days = text::plural(schedule.alert_days_before as usize, "day");
                    let cycle = schedule.cycle.as_str().to_owned();
                    vec![name, cycle, schedule.renewal_day.clone(), format!("{days} before")]
                }
                Err(why) => vec![name, "-".to_owned(), "-".to_owned(), format!("cannot be told: {why}")],
            }
        });
        out.push('\n');
        out.push_str(&columns(&["SUBSCRIPTION", "CYCLE", "DAY", "REMINDER"], rows.collect(), &[2]));
    }
    out.push('\n');
    let channels: Vec<String> = config
        .channels()
        .iter()
        .map(|channel| {
            let host = channel.address().and_then(|url| url.host_str()).map(|host| format!(" at {host}"));
            let state = channel.fault().map(|why| format!(" (cannot be used: {why})"));
            format!("{}{}{}", channel.name, host.unwrap_or_default(), state.unwrap_or_default())
        })
        .collect();
    let to = if channels.is_empty() {
        "no webhook: the report and the exit code are the alert".to_owned()
    } else {
        format!("alerts go to {}", channels.join(", "))
    };
    let memory = match &plan.state.place {
        Ok(Place::Nowhere) => "nothing is remembered, so every run sends every alert".to_owned(),
        Ok(place) => format!("remembered in {}", state::name(place)),
        Err(why) => format!("nothing is remembered: {why}"),
    };
    out.push_str(&format!(
        "{} on {}, at most {} s; {to}; {memory}\n",
        text::plural(plan.checks.len() + plan.subscriptions.len() + plan.mailboxes.len(), "check"),
        text::plural(plan.workers, "worker"),
        text::seconds(plan.run_timeout),
    ));
    out
}

/// The services that can be read.
pub(super) fn providers(output: ListOutput) -> String {
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
