//! What a reader sees of a mail. It is made when somebody asks for it: an amount is looked for in few of all mails.

use std::borrow::Cow;

use super::MOST_TEXT;
use crate::check::mailbox::html::{self, CUT};
use crate::check::mailbox::quotes;

/// The parts of a mail that a reader sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    parts: Vec<Part>,
    /// The mail is cut off at its end.
    pub(super) is_cut: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Words that are shown as they stand, without those that are quoted.
    Written(String),
    /// A document, and whether what it quotes is forwarded.
    Html { source: String, is_forwarded: bool },
}

impl Seen {
    pub(super) fn push_written(&mut self, own: &str) {
        self.parts.push(Part::Written(own.to_owned()));
    }

    pub(super) fn push_html(&mut self, source: String, is_forwarded: bool) {
        self.parts.push(Part::Html { source, is_forwarded });
    }

    /// The words, as far as there is room for them.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Written(own) => add(&mut text, own),
                Part::Html { source, is_forwarded } => add(&mut text, &unquoted(&html::shown(source), *is_forwarded)),
            }
        }
        // A byte that could not be read may have stood within a number.
        if text.contains('\u{fffd}') {
            text = text.replace('\u{fffd}', CUT.encode_utf8(&mut [0; 4]));
        }
        // What a mail is cut off at may be the midst of a number.
        if self.is_cut || text.len() + 8 >= MOST_TEXT {
            text.truncate(text.trim_end_matches('\n').len());
            text.push(CUT);
        }
        text
    }
}

/// A text without what it quotes of mails that are not forwarded.
pub(super) fn unquoted(text: &str, is_forwarded: bool) -> Cow<'_, str> {
    if is_forwarded { quotes::without_marks(text).into() } else { quotes::without_quotes(text) }
}

/// Adds a text to others, as far as there is room.
pub(super) fn add(text: &mut String, more: &str) {
    let end = more.floor_char_boundary(MOST_TEXT.saturating_sub(text.len() + 1));
    text.push_str(&more[..end]);
    text.push('\n');
}
