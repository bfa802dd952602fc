//! A check whose options, address or provider change gets a new identity, because another account may be behind it. The new
//! check takes over the open conditions of the old one under the same name, so that a recovery is told, and nothing is told
//! twice.

use std::collections::{BTreeSet, HashMap};

use super::StoreError;
use super::database::Database;
use super::rows::previous_run;
use crate::decide::Found;
use crate::decide::memory::Memory;
use crate::model::alert::Topic;
use crate::model::identity::Identity;
use crate::model::shard::Shard;

/// The class of a check. It keeps two checks of one name apart, as an account, a subscription and a mailbox may share a name.
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
    // In a run over some of the checks nearly all open conditions are those of others, so their names are asked for at once.
    let sql =
        "SELECT check_id, name, unit FROM checks WHERE check_id IN (SELECT check_id FROM courses WHERE topic <> $1)";
    let mut pairs = Vec::new();
    for row in database.query(sql, &[Topic::Mail.as_str().into()])? {
        let (old, name, unit) = (row.optional_int(0).map(Identity), row.optional_text(1), row.optional_text(2));
        let topics = old.and_then(|old| gone.remove(&old));
        let heir = name.zip(unit).and_then(|(name, unit)| heirs.get(&(Class::of(unit), name)).copied());
        pairs.extend(old.zip(heir).zip(topics).map(|((old, heir), topics)| (old, heir, topics)));
    }
    if pairs.is_empty() {
        return Ok(false);
    }
    let before = Before::read(database, shard)?;
    let mut has_changed = false;
    for (old, heir, topics) in pairs {
        if !before.is_same_config(database, old, heir, &present)? {
            continue;
        }
        for topic in topics {
            match memory.conditions.get(&(heir, topic)) {
                Some(own) if own.course.over_at.is_none() => continue,
                // A condition that is over is remembered for a while.
                Some(_) => {
                    for table in ["courses", "told", "mutes"] {
                        let sql = format!("DELETE FROM {table} WHERE check_id = $1 AND topic = $2");
                        database.execute(&sql, &[heir.0.into(), topic.as_str().into()])?;
                    }
                }
                None => {}
            }
            for table in ["courses", "told", "alerts", "mutes"] {
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

/// The checks of the run before this one.
struct Before(HashMap<Identity, (Class, String)>);

impl Before {
    fn read(database: &mut dyn Database, shard: Option<Shard>) -> Result<Before, StoreError> {
        let mut had = HashMap::new();
        if let Some(run) = previous_run(database, shard)? {
            let sql = "SELECT s.check_id, c.name, c.unit FROM samples s JOIN checks c ON c.check_id = s.check_id \
                       WHERE s.run = $1";
            for row in database.query(sql, &[run.into()])? {
                // A row that cannot be understood is left out, and the others count.
                if let (Some(id), Some(name), Some(unit)) =
                    (row.optional_int(0), row.optional_text(1), row.optional_text(2))
                {
                    had.insert(Identity(id), (Class::of(unit), name.to_owned()));
                }
            }
        }
        Ok(Before(had))
    }

    /// Whether the old check was one of this config, and not of another one that keeps its runs in the same store: the run
    /// before had it, beside others of this run; or that run had checks of the same names, and the new one was never seen.
    fn is_same_config(
        &self,
        database: &mut dyn Database,
        old: Identity,
        heir: Identity,
        present: &HashMap<Identity, (Class, &str)>,
    ) -> Result<bool, StoreError> {
        let Before(had) = self;
        if !had.contains_key(&old) || had.contains_key(&heir) {
            return Ok(false);
        }
        if had.keys().any(|identity| present.contains_key(identity)) {
            return Ok(true);
        }
        let names: BTreeSet<(Class, &str)> = had.values().map(|(class, name)| (*class, name.as_str())).collect();
        let sql = "SELECT check_id FROM checks WHERE check_id = $1";
        Ok(names == present.values().copied().collect() && database.query(sql, &[heir.0.into()])?.is_empty())
    }
}
