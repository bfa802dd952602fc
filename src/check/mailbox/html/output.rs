//! The text of a document while it is made: where numbers are cut, and what is hidden, struck out or quoted.

use super::CUT;
use super::paint::Canvas;
use super::style::Sheet;
use crate::check::mailbox::quotes::MARK;

/// The text as far as it is made.
#[derive(Default)]
pub(super) struct Out<'a> {
    pub(super) text: String,
    /// What stands last is a digit, separators and blanks aside.
    pub(super) is_behind_digit: bool,
    /// A tag stands behind that digit.
    pub(super) is_cut: bool,
    /// What comes now is struck out: the next number, or all to the end of an element.
    pub(super) is_next_struck: bool,
    pub(super) is_struck: bool,
    /// Hidden elements are left out.
    pub(super) is_shown_only: bool,
    pub(super) hidden: Option<Hidden>,
    /// So many quotations are open.
    pub(super) quotes: usize,
    /// Only the style sheets are looked for, and these are their texts.
    pub(super) is_for_sheets: bool,
    pub(super) sheets: Vec<&'a str>,
    /// What the sheets of the document hide.
    pub(super) sheet: Sheet,
    /// The colours of what is open.
    pub(super) canvas: Canvas,
    /// A digit was left out since text was seen.
    pub(super) has_unseen_digit: bool,
    /// So many elements are open in which lines are shown as they are written.
    pub(super) preformatted: usize,
}

/// A hidden element that is open.
pub(super) struct Hidden {
    pub(super) name: String,
    /// So many elements of its name are open, itself included.
    pub(super) depth: usize,
    pub(super) has_digit: bool,
}

impl Out<'_> {
    pub(super) fn push(&mut self, c: char) {
        if let Some(hidden) = &mut self.hidden {
            if c.is_numeric() && !hidden.has_digit {
                hidden.has_digit = true;
                self.text.push(CUT);
            }
            return;
        }
        if self.is_shown_only && !c.is_whitespace() && self.canvas.hides() {
            if c.is_numeric() && !self.has_unseen_digit {
                self.has_unseen_digit = true;
                self.text.push(CUT);
            }
            return;
        }
        self.has_unseen_digit &= c.is_whitespace();
        if c.is_numeric() {
            if self.is_struck || self.is_next_struck || (self.is_cut && self.is_behind_digit) {
                self.text.push(CUT);
            }
            (self.is_behind_digit, self.is_cut, self.is_next_struck) = (true, false, false);
        } else if !matches!(c, ' ' | '\u{A0}' | '\u{2009}' | '\u{202F}' | '.' | ',' | '\'' | '’') {
            self.is_behind_digit = false;
        }
        self.text.push(c);
        if c == '\n' && self.quotes > 0 {
            self.text.extend([MARK, ' ']);
        }
    }

    /// Adds text as it stands in the source, where the ends of lines and tabs are nothing but white space.
    pub(super) fn push_source(&mut self, text: &str) {
        let is_shown = self.preformatted > 0;
        let mut rest = text;
        loop {
            let letters = letters(rest);
            self.push_letters(&rest[..letters]);
            rest = &rest[letters..];
            let Some(c) = rest.chars().next() else {
                return;
            };
            self.push(if !is_shown && matches!(c, '\n' | '\r' | '\t') { ' ' } else { c });
            rest = &rest[c.len_utf8()..];
        }
    }

    /// Adds letters as one: most of a text are letters, and what is beside them is nothing to them.
    fn push_letters(&mut self, letters: &str) {
        let is_left_out = self.hidden.is_some() || (self.is_shown_only && self.canvas.hides());
        if !letters.is_empty() && !is_left_out {
            self.has_unseen_digit = false;
            self.is_behind_digit = false;
            self.text.push_str(letters);
        }
    }

    /// Heeds a tag inside a hidden element, which may be the one that ends it.
    pub(super) fn pass_hidden(&mut self, name: &str, is_end: bool) {
        let Some(hidden) = self.hidden.as_mut().filter(|hidden| hidden.name == name) else {
            return;
        };
        // A paragraph ends where the next one begins.
        hidden.depth = if is_end || name == "p" { hidden.depth - 1 } else { hidden.depth + 1 };
        if hidden.depth == 0 {
            self.hidden = None;
        }
    }

    pub(super) fn quote(&mut self, is_end: bool) {
        self.quotes = if is_end { self.quotes.saturating_sub(1) } else { self.quotes + 1 };
        self.push('\n');
    }
}

/// How long a text goes on with letters of English and characters of Chinese, of which none is a digit.
fn letters(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            byte if byte.is_ascii_alphabetic() => 1,
            // From U+5000 to U+9FFF.
            0xe5..=0xe9 => 3,
            _ => break,
        };
    }
    at
}
