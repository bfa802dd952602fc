//! What is kept of each check in each run.

use rust_decimal::Decimal;

use super::StoreError;
use super::database::{Database, Value, insert};
use crate::decide::{Found, MailboxVerdict, SubscriptionVerdict};
use crate::model::failure::Failure;
use crate::model::identity::Identity;

/// How old `checks.last_run` may become before it is written again, in microseconds. Most runs need not touch the row of a check
/// then; its exact last run is found in `samples`.
pub(super) const RECORDED_EVERY: i64 = 86_400 * 1_000_000;

/// What is kept of one check in one run.
struct Sample<'a> {
    identity: Identity,
    name: &'a str,
    provider: &'a str,
    owner: Option<&'a str>,
    unit: &'a str,
    currency: Option<&'a str>,
    status: &'a str,
    reason: Option<&'static str>,
    balance: Option<Decimal>,
    threshold: Option<Decimal>,
    /// The credits that expire, as JSON; none if there are none, or if it was not read.
    credits: Option<String>,
}

impl<'a> Sample<'a> {
    /// The currency as it is kept: null if nothing was read, which is what samples of old stores have, and an empty text if
    /// what was read has none.
    fn kept_currency(&self) -> Option<&'a str> {
        self.balance.map(|_| self.currency.unwrap_or_default())
    }
}

/// Keeps what was found of each check, and the check itself.
pub(super) fn samples(database: &mut dyn Database, run: i64, found: &Found) -> Result<(), StoreError> {
    let samples: Vec<Sample> = accounts(found).chain(subscriptions(found)).chain(mailboxes(found)).collect();
    keep_checks(database, run, &samples)?;
    let rows: Vec<Vec<Value>> = samples
        .iter()
        .map(|sample| {
            vec![
                run.into(),
                sample.identity.0.into(),
                sample.status.into(),
                sample.reason.into(),
                sample.balance.into(),
                sample.threshold.into(),
                sample.kept_currency().into(),
            ]
        })
        .collect();
    let columns = ["run", "check_id", "status", "reason", "balance", "threshold", "currency"];
    insert(database, "samples", &columns, &rows, "")
}

/// Whether the check has a result: one that a signal has ended has none.
fn is_known(failure: Option<&Failure>) -> bool {
    !failure.is_some_and(Failure::is_cancelled)
}

fn accounts(found: &Found) -> impl Iterator<Item = Sample<'_>> {
    found.accounts.iter().filter(|verdict| is_known(verdict.failure.as_ref())).map(|verdict| Sample {
        identity: verdict.subject.identity,
        name: &verdict.subject.name,
        provider: &verdict.subject.provider,
        owner: verdict.subject.owner_project.as_deref(),
        unit: verdict.subject.kind.as_str(),
        currency: verdict.currency.as_deref(),
        status: verdict.status.as_str(),
        reason: verdict.failure.as_ref().map(|failure| failure.reason.as_str()),
        balance: verdict.balance,
        threshold: verdict.subject.threshold,
        credits: Some(&verdict.beside.expires)
            .filter(|credits| !credits.is_empty())
            .and_then(|credits| serde_json::to_string(credits).ok()),
    })
}

fn subscriptions(found: &Found) -> impl Iterator<Item = Sample<'_>> {
    found.subscriptions.iter().map(|verdict| Sample {
        identity: verdict.identity,
        name: &verdict.subscription.name,
        provider: SubscriptionVerdict::PROVIDER,
        owner: verdict.subscription.owner_project.as_deref(),
        unit: "subscription",
        currency: None,
        status: verdict.status().as_str(),
        reason: verdict.renewal.as_ref().err().map(|failure| failure.reason.as_str()),
        balance: None,
        threshold: None,
        credits: None,
    })
}

fn mailboxes(found: &Found) -> impl Iterator<Item = Sample<'_>> {
    let mailboxes = found.mailboxes.iter().filter(|verdict| is_known(verdict.scanned.result.as_ref().err()));
    mailboxes.map(|verdict| Sample {
        identity: verdict.identity,
        name: &verdict.name,
        provider: MailboxVerdict::PROVIDER,
        owner: None,
        unit: "mailbox",
        currency: None,
        status: verdict.status(|_| true).as_str(),
        reason: verdict.scanned.failure().map(|failure| failure.reason.as_str()),
        balance: None,
        threshold: None,
        credits: None,
    })
}

/// Keeps what checks are called and counted in. Most runs write nothing here.
fn keep_checks(database: &mut dyn Database, run: i64, samples: &[Sample]) -> Result<(), StoreError> {
    let checks: Vec<Vec<Value>> = samples
        .iter()
        .map(|sample| {
            vec![
                sample.identity.0.into(),
                sample.name.into(),
                sample.provider.into(),
                sample.owner.into(),
                sample.unit.into(),
                sample.kept_currency().or(sample.currency).into(),
                sample.credits.as_deref().into(),
                run.into(),
            ]
        })
        .collect();
    insert(
        database,
        "checks",
        &["check_id", "name", "provider", "owner", "unit", "currency", "credits", "last_run"],
        &checks,
        // A check that could not be read keeps the currency that it had.
        &format!(
            "ON CONFLICT (check_id) DO UPDATE SET owner = excluded.owner, unit = excluded.unit, \
             currency = coalesce(excluded.currency, checks.currency), credits = excluded.credits, last_run = excluded.last_run \
             WHERE checks.last_run < excluded.last_run - {RECORDED_EVERY} \
             OR checks.last_run > excluded.last_run + {RECORDED_EVERY} \
             OR checks.owner IS DISTINCT FROM excluded.owner OR checks.unit IS DISTINCT FROM excluded.unit \
             OR checks.currency IS DISTINCT FROM coalesce(excluded.currency, checks.currency) \
             OR checks.credits IS DISTINCT FROM excluded.credits"
        ),
    )
}
