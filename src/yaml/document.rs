//! YAML text as a tree, and where in the text each node stands.
//!
//! Not here: what the nodes mean. `serde_yaml` reports positions only for its own errors, so a node's position is
//! found by reading the text once more down to that node and failing there: errors are rare, and no second
//! YAML parser can disagree with the first.
//!
//! What reading costs is bounded three times: by a look at the bytes before the parser sees them, as it holds everything in
//! memory; while the tree is made, in which an alias takes as much room as what it stands for; and by how much text is read
//! again for positions.

#![allow(clippy::disallowed_types, reason = "this is where text becomes a tree with places")]

use std::cell::Cell;

use serde::de::DeserializeSeed;
use serde_yaml::Value;

use super::key::{A_WORD, NO_WORD, TAGGED};
use super::locate::Locate;
use super::numbers::{self, Numbers};
use super::path::{Part, Position, Step};
use super::size::{TOO_DEEP, TOO_MANY, weigh};
use super::surrogates;
use super::tree::{self, Duplicate, NO_MAPPING, TOO_LONG};

/// Most bytes that are read again to find positions; one position is always found.
const MOST_SEARCHED: usize = 8 * 1024 * 1024;

const OTHER_TAG: &str = "the tag does not fit its value (`!!int` before a text, for example); leave the tag out";

/// A parsed text.
#[derive(Debug)]
pub(crate) struct Document {
    text: String,
    /// Bytes that were read again to find positions.
    searched: Cell<usize>,
    /// The tree, without comment keys (those that begin with `_`).
    pub root: Value,
    /// Keys that stand twice; the tree keeps the first.
    pub duplicates: Vec<Duplicate>,
    /// What is known of numbers that are not written as the program would write them.
    pub numbers: Numbers,
}

/// Text that is no YAML.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub position: Option<Position>,
    pub message: String,
}

impl Document {
    /// Parses one YAML document; JSON is YAML.
    pub(crate) fn parse(text: &str) -> Result<Document, SyntaxError> {
        weigh(text.as_bytes()).map_err(|(at, why)| SyntaxError { position: Some(at), message: why.to_owned() })?;
        let text = surrogates::join(text);
        let (root, duplicates) = tree::build(&text).map_err(|error| SyntaxError::from(&error))?;
        let numbers = numbers::look(&text, &root);
        Ok(Document { root, duplicates, numbers, text, searched: Cell::new(0) })
    }

    /// Where the node stands; of a node that is not there, its nearest ancestor. None if finding out would take too long.
    pub(crate) fn locate(&self, path: &[Step], part: Part) -> Option<Position> {
        if self.searched.get() > 0 && self.searched.get() + self.text.len() > MOST_SEARCHED {
            return None;
        }
        self.searched.set(self.searched.get() + self.text.len());
        let seed = Locate { rest: path, part };
        let error = seed.deserialize(serde_yaml::Deserializer::from_str(&self.text)).err()?;
        position(&error)
    }

    /// Whether a text is written with `>`, so that its lines are one.
    pub(crate) fn is_folded(&self, path: &[Step]) -> bool {
        let line = |(line, column): Position| self.text.lines().nth(line - 1)?.chars().nth(column - 1);
        self.locate(path, Part::Value).and_then(line) == Some('>')
    }
}
impl From<&serde_yaml::Error> for SyntaxError {
    fn from(error: &serde_yaml::Error) -> Self {
        let text = error.to_string();
        // The library puts the path before what this program says, and a key in it may be a secret.
        let own =
            [TOO_MANY, TOO_DEEP, TOO_LONG, TAGGED, NO_MAPPING, NO_WORD].into_iter().find(|own| text.contains(own));
        let own = own.or_else(|| text.contains(A_WORD).then_some(NO_WORD));
        // A value that does not fit its tag may be a secret, and the library quotes it.
        let is_quoting = text.contains("invalid value: ") || text.contains("invalid type: ");
        let own = own.or_else(|| is_quoting.then_some(OTHER_TAG));
        // The position is data here, so the library's own "at line 1 column 2" would say it twice.
        let message = match text.find(" at line ") {
            _ if own.is_some() => own.unwrap_or_default().to_owned(),
            Some(at) => text[..at].to_owned(),
            None if text.contains("more than one document") => "more than one YAML document in one file".to_owned(),
            None if text.contains("repetition limit") => "its aliases (`*name`) stand for too much".to_owned(),
            None => text,
        };
        SyntaxError { position: position(error), message }
    }
}

fn position(error: &serde_yaml::Error) -> Option<Position> {
    error.location().map(|at| (at.line(), at.column()))
}

#[cfg(test)]
mod tests;
