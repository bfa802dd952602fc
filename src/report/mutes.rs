//! Silences and acknowledgements, as reports and lists show them.

use jiff::Timestamp;
use serde::Serialize;

use super::columns;
use crate::decide::memory::{Mute, MuteKind};
use crate::model::text;
use crate::process::clock::iso;

/// A silence or an acknowledgement, for programs.
#[derive(Serialize)]
pub(crate) struct MuteEntry<'a> {
    number: i64,
    kind: MuteKind,
    /// What it is about, as people write it.
    matches: String,
    by: &'a str,
    reason: &'a str,
    made_at: String,
    /// None if it ends with what it is about.
    until: Option<String>,
}

/// All of them, for programs.
pub(crate) fn entries<'a>(mutes: &'a [Mute]) -> Vec<MuteEntry<'a>> {
    let entry = |mute: &'a Mute| {
        let Mute { number, who, reason, made_at, until, .. } = mute;
        let (kind, matches) = (mute.kind(), mute.shown());
        MuteEntry { number: *number, kind, matches, by: who, reason, made_at: iso(*made_at), until: until.map(iso) }
    };
    mutes.iter().map(entry).collect()
}

/// All of them, for people.
pub(crate) fn table(mutes: &[Mute]) -> String {
    let rows = mutes.iter().map(|mute| {
        vec![
            mute.number.to_string(),
            mute.kind().as_str().to_owned(),
            text::one_line(&mute.shown(), 60),
            text::one_line(&mute.who, 40),
            end(mute.until),
            text::one_line(&mute.reason, 60),
        ]
    });
    columns(&["NUMBER", "KIND", "OF", "BY", "UNTIL", "REASON"], rows.collect(), &[0])
}

fn end(until: Option<Timestamp>) -> String {
    until.map_or_else(|| "over or worse".to_owned(), |until| until.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// Why something is not told, in a few words.
pub(crate) fn note(mute: &Mute) -> String {
    let what = match mute.kind() {
        MuteKind::Silence => "silenced",
        MuteKind::Ack => "acknowledged",
    };
    let who = text::one_line(&mute.who, 40);
    let reason = text::one_line(&mute.reason, 60);
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let until = match mute.until {
        Some(_) => format!(" until {}", end(mute.until)),
        None => " until it is over or worse".to_owned(),
    };
    format!("{what} by {who}{until}{reason}")
}
