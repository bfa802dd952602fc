//! How it stands with each channel: what it took last, what it is owed, since when it refuses.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::StoreError;
use super::database::Database;
use super::outbox::OWED;
use super::rows::timestamp;
use crate::decide::memory::ANY_CHANNEL;

/// How it stands with one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChannelState {
    /// Its id.
    pub channel: String,
    /// When it last took a message; none if no message that it took is remembered.
    pub last_delivered: Option<Timestamp>,
    /// The number of messages that it is owed, those that wait for their time included.
    pub owed: usize,
    /// When the oldest message was decided that it was asked to take in vain; none if it has taken one since, or refused none.
    pub refusing_since: Option<Timestamp>,
}

/// Every channel that was told something, or is owed something, by its id.
pub(super) fn channel_states(database: &mut dyn Database) -> Result<Vec<ChannelState>, StoreError> {
    let mut states: BTreeMap<String, ChannelState> = BTreeMap::new();
    let state = |id: &str| ChannelState { channel: id.to_owned(), ..ChannelState::default() };
    let sql = "SELECT channel, max(at) FROM deliveries WHERE status = 'sent' GROUP BY channel";
    for row in database.query(sql, &[])? {
        let id = row.text(0)?;
        states.entry(id.to_owned()).or_insert_with(|| state(id)).last_delivered =
            row.optional_int(1).and_then(|at| timestamp(at).ok());
    }
    let sql = format!(
        "SELECT d.channel, d.at, d.attempts, a.created_at FROM deliveries d JOIN alerts a ON a.dedup_key = d.dedup_key \
         WHERE a.state = 'pending' AND d.status IN {OWED} ORDER BY a.created_at"
    );
    for row in database.query(&sql, &[])? {
        let id = row.text(0)?;
        let known = states.entry(id.to_owned()).or_insert_with(|| state(id));
        known.owed += 1;
        let tried = row.optional_int(1).filter(|_| row.optional_int(2).unwrap_or_default() > 0);
        let tried = tried.and_then(|at| timestamp(at).ok());
        if tried > known.last_delivered {
            let decided = row.optional_int(3).and_then(|at| timestamp(at).ok());
            known.refusing_since = known.refusing_since.or(decided);
        }
    }
    states.remove(ANY_CHANNEL);
    Ok(states.into_values().collect())
}
