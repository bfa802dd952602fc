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

/// The page that a text holds alone, as the files of the catalogue do.
pub(crate) fn of_text(text: &str) -> Option<Page> {
    serde_yaml::from_str(text).ok()
}

/// The ids of the services whose accounts can be read, in their order.
pub(crate) fn ids() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().filter(|entry| entry.is_readable).map(|entry| entry.id)
}

/// All of it, in the order of the ids.
pub(crate) fn catalog() -> impl Iterator<Item = Listed> {
    ENTRIES.iter().filter_map(Entry::read)
}

/// What can be told of a page without reading it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brief {
    /// Its id.
    pub id: &'static str,
    /// The name of the service.
    pub title: &'static str,
    /// Whether its account can be read.
    pub is_readable: bool,
    text: &'static str,
}

impl Brief {
    /// The hosts that it names: those that are asked, and those of its links.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &'static str> {
        self.text
            .split("://")
            .skip(1)
            .map(|rest| rest.split(['/', '"', '\'', '\n', ' ', '?']).next().unwrap_or_default())
    }
}

/// All pages in short, in the order of their ids.
pub(crate) fn briefs() -> impl Iterator<Item = Brief> {
    ENTRIES.iter().map(|entry| {
        let title = entry.text.lines().find_map(|line| line.strip_prefix("title: ")).unwrap_or(entry.id);
        let title = title.trim().trim_matches(['"', '\'']);
        Brief { id: entry.id, title, is_readable: entry.is_readable, text: entry.text }
    })
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
