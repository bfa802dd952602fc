//! A check whose options, address or provider were edited is another check to the store, because another account may be
//! behind it. What people were told of the old one must end all the same: the check that now has its name takes its open
//! conditions over, so that it says that it works again, or does not say twice that it does not.

use std::collections::{BTreeSet, HashMap};

use super::StoreError;
use super::database::Database;
use super::rows::previous_run;
use crate::decide::Found;
use crate::decide::memory::Memory;
use crate::model::alert::Topic;
use crate::model::identity::Identity;
use crate::model::shard::Shard;

/// What keeps two checks of one name apart: an account, a subscription and a mailbox may share it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Class {
    Account,
    Subscription,
    Mailbox,
}

impl Class {
    /// The class of a check by the unit that the store has for it.
    fn of(unit: &str) -> Class {
        match unit {
            "subscription" => Class::Subscription,
            "mailbox" => Class::Mailbox,
            _ => Class::Account,
        }
    }
}

/// Hands the open conditions of checks that are gone to those that have their names now. True if there were any, so that
/// the memory must be read again.
///
/// # Errors
/// Why the store cannot be read or written.
pub(super) fn adopt(
    database: &mut dyn Database,
    shard: Option<Shard>,
    found: &Found,
    memory: &Memory,
) -> Result<bool, StoreError> {
    let present: HashMap<Identity, (Class, &str)> =
        checks(found).map(|(class, name, id)| (id, (class, name))).collect();
    let mut gone: HashMap<Identity, Vec<Topic>> = HashMap::new();
    for (identity, topic) in
        memory.conditions.keys().filter(|(id, topic)| *topic != Topic::Mail && !present.contains_key(id))
    {
        gone.entry(*identity).or_default().push(*topic);
    }
    if gone.is_empty() {
        return Ok(false);
    }
    let heirs: HashMap<(Class, &str), Identity> = checks(found).map(|(class, name, id)| ((class, name), id)).collect();
    let mut has_changed = false;
    for (old, topics) in gone {
        let rows = database.query("SELECT name, unit FROM checks WHERE check_id = $1", &[old.0.into()])?;
        let name = rows.first().and_then(|row| row.optional_text(0).zip(row.optional_text(1)));
        let Some(heir) = name.and_then(|(name, unit)| heirs.get(&(Class::of(unit), name)).copied()) else {
            continue;
        };
        if !is_same_config(database, shard, old, heir, &present)? {
            continue;
        }
        for topic in topics {
            match memory.conditions.get(&(heir, topic)) {
                Some(own) if own.course.over_at.is_none() => continue,
                // What is over is remembered for a while.
                Some(_) => {
                    for table in ["courses", "told"] {
                        let sql = format!("DELETE FROM {table} WHERE check_id = $1 AND topic = $2");
                        database.execute(&sql, &[heir.0.into(), topic.as_str().into()])?;
                    }
                }
                None => {}
            }
            for table in ["courses", "told", "alerts"] {
                let only = if table == "alerts" { " AND state = 'pending'" } else { "" };
                let sql = format!("UPDATE {table} SET check_id = $1 WHERE check_id = $2 AND topic = $3{only}");
                database.execute(&sql, &[heir.0.into(), old.0.into(), topic.as_str().into()])?;
            }
            has_changed = true;
        }
        database.execute("DELETE FROM failures WHERE check_id = $1", &[old.0.into()])?;
    }
    Ok(has_changed)
}

fn checks(found: &Found) -> impl Iterator<Item = (Class, &str, Identity)> {
    let accounts = found.accounts.iter().map(|one| (Class::Account, one.subject.name.as_str(), one.subject.identity));
    let subscriptions =
        found.subscriptions.iter().map(|one| (Class::Subscription, one.subscription.name.as_str(), one.identity));
    let mailboxes = found.mailboxes.iter().map(|one| (Class::Mailbox, one.name.as_str(), one.identity));
    accounts.chain(subscriptions).chain(mailboxes)
}

/// Whether the old check was one of this config, and not of another one that keeps its runs in the same store: the run before
/// this one had it, beside others of this run; or that run had checks of the same names, and the new one was never seen.
fn is_same_config(
    database: &mut dyn Database,
    shard: Option<Shard>,
    old: Identity,
    heir: Identity,
    present: &HashMap<Identity, (Class, &str)>,
) -> Result<bool, StoreError> {
    let Some(run) = previous_run(database, shard)? else {
        return Ok(false);
    };
    let sql =
        "SELECT s.check_id, c.name, c.unit FROM samples s JOIN checks c ON c.check_id = s.check_id WHERE s.run = $1";
    let mut had = HashMap::new();
    for row in database.query(sql, &[run.into()])? {
        had.insert(Identity(row.int(0)?), (Class::of(row.text(2)?), row.text(1)?.to_owned()));
    }
    if !had.contains_key(&old) || had.contains_key(&heir) {
        return Ok(false);
    }
    if had.keys().any(|identity| present.contains_key(identity)) {
        return Ok(true);
    }
    let before: BTreeSet<(Class, &str)> = had.values().map(|(class, name)| (*class, name.as_str())).collect();
    let sql = "SELECT check_id FROM checks WHERE check_id = $1";
    Ok(before == present.values().copied().collect() && database.query(sql, &[heir.0.into()])?.is_empty())
}
