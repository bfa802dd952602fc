//! Digests: which period was told last, and what is still owed of earlier ones.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::database::{Database, Value, insert, transaction};
use super::finish::keep;
use super::outbox::{OWED, close, pending};
use super::rows::{content, timestamp};
use super::told::changes;
use super::wait::Store;
use super::{DeliveryRecord, Run, StoreError};
use crate::decide::Telling;
use crate::decide::memory::Changes;
use crate::model::alert::{Alert, Span, Topic};
use crate::model::identity::Identity;

/// A digest that is about to be told.
#[derive(Clone, Debug)]
pub(crate) struct DigestClaim {
    /// What names the digests of this config.
    pub identity: Identity,
    pub span: Span,
    /// The first day of its period.
    pub first: Date,
    /// Whether it is told though it was told before.
    pub is_again: bool,
    /// The ids of the channels of the config: what is owed to others is given up.
    pub channels: Vec<String>,
    /// What is told.
    pub tellings: Vec<Telling>,
}

impl Store {
    /// Notes that a digest is told, and gives what is to be sent: what is owed of earlier ones, and this one unless it was told before;
    /// and whether it was.
    ///
    /// # Errors
    /// Why nothing was written; then nothing may be sent.
    pub(crate) fn claim_digest(&mut self, run: Run, digest: DigestClaim) -> Result<(Vec<Telling>, bool), StoreError> {
        self.change(move |database, wait| transaction(database, wait, |database| claim(database, &run, &digest)))
    }

    /// Marks what became of the messages of a digest.
    ///
    /// # Errors
    /// Why nothing was marked; then they are sent again.
    pub(crate) fn mark_digest(&mut self, run: Run, settled: Vec<(DeliveryRecord, Alert)>) -> Result<(), StoreError> {
        self.change(move |database, wait| {
            let result = keep(database, &run, &settled, wait);
            database.release();
            result
        })
    }
}

fn claim(database: &mut dyn Database, run: &Run, digest: &DigestClaim) -> Result<(Vec<Telling>, bool), StoreError> {
    let (schedule, span, first) = (run.schedule_name.as_str(), digest.span.as_str(), digest.first.to_string());
    let known = database
        .query("SELECT began_on FROM digests WHERE schedule = $1 AND span = $2", &[schedule.into(), span.into()])?;
    let was_told = known.first().and_then(|row| row.optional_text(0)) == Some(&first);
    let mut tellings = owed(database, run, digest)?;
    if !was_told || digest.is_again {
        tellings.extend(digest.tellings.iter().cloned());
        let row: Vec<Value> = vec![schedule.into(), span.into(), first.into()];
        let update = "ON CONFLICT (schedule, span) DO UPDATE SET began_on = excluded.began_on";
        insert(database, "digests", &["schedule", "span", "began_on"], &[row], update)?;
    }
    if !tellings.is_empty() {
        let number = run.started_at.as_microsecond();
        pending(database, number, run, &tellings)?;
        database.hold(number)?;
    }
    Ok((tellings, was_told))
}

/// What is owed of earlier digests, oldest first, but for what another run is sending. What is owed to channels that are gone is
/// given up.
fn owed(database: &mut dyn Database, run: &Run, digest: &DigestClaim) -> Result<Vec<Telling>, StoreError> {
    let sql = format!(
        "SELECT a.dedup_key, a.content, d.channel, a.claimed_by, a.claimed_until FROM alerts a \
         JOIN deliveries d ON d.dedup_key = a.dedup_key WHERE a.state = 'pending' AND a.topic = $1 AND a.check_id = $2 \
         AND d.status IN {OWED} ORDER BY a.created_at, a.dedup_key"
    );
    let rows = database.query(&sql, &[Topic::Digest.as_str().into(), digest.identity.0.into()])?;
    let mut tellings: BTreeMap<(Timestamp, String), Telling> = BTreeMap::new();
    let mut given_up = Changes::default();
    for row in rows {
        let until = row.optional_int(4).map(timestamp).transpose()?;
        let is_claimed = until.is_some_and(|until| database.now() < until);
        if is_claimed && row.optional_int(3).is_some_and(|number| database.is_held(number)) {
            continue;
        }
        let (key, channel) = (row.text(0)?.to_owned(), row.text(2)?.to_owned());
        // What cannot be understood is not sent; a run of `check` puts it aside.
        let Ok(alert) = content(row.text(1)?) else { continue };
        if !digest.channels.contains(&channel) {
            given_up.withdrawn.push((key, channel));
            continue;
        }
        let telling = Telling { alert, to: Vec::new(), later: Vec::new(), is_owed: true, earlier: BTreeMap::new() };
        tellings.entry((telling.alert.at, key)).or_insert(telling).to.push(channel);
    }
    changes(database, &given_up, run)?;
    let keys: Vec<Value> = given_up.withdrawn.iter().map(|(key, _)| key.as_str().into()).collect();
    close(database, &keys, run.started_at)?;
    Ok(tellings.into_values().collect())
}
