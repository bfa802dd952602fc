//! The pages that come with the program: every file of `catalog/`, listed by `build.rs`.
//!
//! A page is found by its id and read only then: a config uses a few of them, and reading all would take longer than the rest
//! of a start.

use super::page::Page;
use super::page::absent::Absent;

/// A page as `build.rs` lists it.
struct Entry {
    /// The name of its file, which is its id.
    id: &'static str,
    /// Whether it is a service whose account can be read.
    is_readable: bool,
    /// Its text without its examples, which only tests need.
    text: &'static str,
}

/// The pages, in the order of their ids.
const ENTRIES: &[Entry] = include!(concat!(env!("OUT_DIR"), "/providers.rs"));

/// What the catalogue has under an id.
pub(crate) enum Listed {
    /// A service whose account can be read.
    Page(Box<Page>),
    /// A service without an API that tells a balance.
    Absent(Box<Absent>),
}

/// What the catalogue has under an id.
pub(crate) fn find(id: &str) -> Option<Listed> {
    let at = ENTRIES.binary_search_by(|entry| entry.id.cmp(id)).ok()?;
    ENTRIES.get(at)?.read()
}

/// The ids of the services whose accounts can be read, in their order.
pub(crate) fn ids() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().filter(|entry| entry.is_readable).map(|entry| entry.id)
}

/// All of it, in the order of the ids.
pub(crate) fn catalog() -> impl Iterator<Item = Listed> {
    ENTRIES.iter().filter_map(Entry::read)
}

impl Entry {
    /// A test proves that each page can be read.
    fn read(&self) -> Option<Listed> {
        if self.is_readable {
            serde_yaml::from_str(self.text).ok().map(Listed::Page)
        } else {
            serde_yaml::from_str(self.text).ok().map(Listed::Absent)
        }
    }
}

#[cfg(test)]
mod tests;
