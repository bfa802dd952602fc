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
use super::path::{NodePath, Part, Position, Step};
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
    /// The documents that its lists go on with.
    others: Vec<Other>,
}

/// A document that the lists of another one go on with.
#[derive(Debug)]
struct Other {
    /// Its file.
    file: String,
    document: Document,
    /// Its lists, with the index of the first of its items in the whole list, that behind the last, and whether it has the one item alone, and no
    /// list.
    lists: Vec<(&'static str, usize, usize, bool)>,
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
        Ok(Document { root, duplicates, numbers, text, searched: Cell::new(0), others: Vec::new() })
    }

    /// Takes in what is known of another document, of which these lists were added to the tree.
    pub(crate) fn go_on_with(
        &mut self,
        file: String,
        mut document: Document,
        lists: Vec<(&'static str, usize, usize, bool)>,
    ) {
        let whole = |path: &NodePath| -> Option<NodePath> {
            let (Step::Key(list), rest) = path.split_first()? else { return None };
            let (_, from, _, is_alone) = lists.iter().find(|(name, ..)| name == list)?;
            let (index, rest) = match rest.split_first() {
                _ if *is_alone => (*from, rest),
                Some((Step::Index(index), rest)) => (from + index, rest),
                _ => return None,
            };
            Some([&[Step::Key(list.clone()), Step::Index(index)], rest].concat())
        };
        let duplicates = std::mem::take(&mut document.duplicates).into_iter();
        self.duplicates.extend(duplicates.filter_map(|duplicate| {
            let path = whole(&duplicate.path).filter(|_| duplicate.path.len() > 1)?;
            Some(Duplicate { path, ..duplicate })
        }));
        let numbers = std::mem::take(&mut document.numbers);
        self.numbers.refused.extend(numbers.refused.into_iter().filter_map(|(path, why)| Some((whole(&path)?, why))));
        self.numbers.written.extend(numbers.written.into_iter().filter_map(|(path, text)| Some((whole(&path)?, text))));
        self.others.push(Other { file, document, lists });
    }

    /// The other document that a node stands in, and the way to it there.
    fn other(&self, path: &[Step]) -> Option<(&Other, NodePath)> {
        let [Step::Key(list), Step::Index(index), rest @ ..] = path else { return None };
        self.others.iter().find_map(|other| {
            let here = |(name, from, to, _): &&(&str, usize, usize, bool)| name == list && (*from..*to).contains(index);
            let (_, from, _, is_alone) = other.lists.iter().find(here)?;
            let mut own = vec![Step::Key(list.clone())];
            own.extend((!is_alone).then(|| Step::Index(index - from)));
            own.extend_from_slice(rest);
            Some((other, own))
        })
    }

    /// Whether its lists go on in other documents.
    pub(crate) fn has_others(&self) -> bool {
        !self.others.is_empty()
    }

    /// The file that a node stands in, unless that is the document's own, and the way to it there.
    pub(crate) fn origin(&self, path: &[Step]) -> (Option<&str>, NodePath) {
        match self.other(path) {
            Some((other, own)) => (Some(&other.file), own),
            None => (None, path.to_vec()),
        }
    }

    /// Where the node stands; of a node that is not there, its nearest ancestor. None if finding out would take too long.
    pub(crate) fn locate(&self, path: &[Step], part: Part) -> Option<Position> {
        if let Some((other, own)) = self.other(path) {
            return other.document.locate(&own, part);
        }
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
        if let Some((other, own)) = self.other(path) {
            return other.document.is_folded(&own);
        }
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
