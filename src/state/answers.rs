//! What the answers of services look like, from run to run, and which of them have changed.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::database::{Database, Value, insert};
use super::{RunFindings, StoreError};
use crate::check::account::drift::{ChangedAnswer, Known};

/// How many sources are asked for at once.
const AT_ONCE: usize = 400;
/// After this time what has not changed is written all the same, so that it is not taken for something old.
const RENEWED: SignedDuration = SignedDuration::from_hours(24);

/// Keeps what was seen of answers, and says which services have changed theirs. It is a part of the transaction in which a run
/// decides, so that of two runs at once only one says it.
pub(super) fn answers(
    database: &mut dyn Database,
    findings: &RunFindings,
    now: Timestamp,
) -> Result<Vec<ChangedAnswer>, StoreError> {
    let Some(secret) = findings.answers_key.as_deref().filter(|_| !findings.answers.is_empty()) else {
        return Ok(Vec::new());
    };
    let sources: Vec<&str> = findings.answers.iter().map(|answers| answers.source.as_str()).collect();
    let mut kept = kept(database, &sources)?;
    let oldest = now.checked_sub(RENEWED).unwrap_or(Timestamp::MIN).as_millisecond();
    let (mut changed, mut rows) = (Vec::new(), Vec::new());
    for answers in &findings.answers {
        let (text, seen_at) = kept.remove(&answers.source).unwrap_or_default();
        // What cannot be understood is learned anew.
        let mut known = Known::of_text(&text).unwrap_or_default();
        if known.learn(Known::of(&answers.outline, secret), secret) {
            changed.push(ChangedAnswer::of(&answers.source));
        }
        let places = known.to_text();
        // A time that is ahead comes from a clock that was wrong.
        if places != text || seen_at < oldest || seen_at > now.as_millisecond() {
            rows.push(vec![answers.source.as_str().into(), now.as_millisecond().into(), places.into()]);
        }
    }
    changed.dedup();
    insert(
        database,
        "answers",
        &["source", "seen_at", "places"],
        &rows,
        "ON CONFLICT (source) DO UPDATE SET seen_at = excluded.seen_at, places = excluded.places",
    )?;
    Ok(changed)
}

/// What is known of some sources, and when it was written.
fn kept(database: &mut dyn Database, sources: &[&str]) -> Result<HashMap<String, (String, i64)>, StoreError> {
    let mut kept = HashMap::new();
    for chunk in sources.chunks(AT_ONCE) {
        let places: Vec<String> = (1..=chunk.len()).map(|number| format!("${number}")).collect();
        let sql = format!("SELECT source, places, seen_at FROM answers WHERE source IN ({})", places.join(", "));
        let values: Vec<Value> = chunk.iter().map(|source| Value::from(*source)).collect();
        for row in database.query(&sql, &values)? {
            let text = row.optional_text(1).unwrap_or_default().to_owned();
            kept.insert(row.text(0)?.to_owned(), (text, row.optional_int(2).unwrap_or_default()));
        }
    }
    Ok(kept)
}
