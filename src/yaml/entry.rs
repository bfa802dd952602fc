//! What the entries of a config are, and the one rule for all of them.
//!
//! - A mistake that stands in the file itself concerns all of it: it is seen when the config is written, and ends the run.
//! - A mistake in a page, wherever it comes from, concerns only the entries that name the page.
//! - What comes from outside (a variable, a file with a secret) can change at any time: where that is wrong, the entry fails,
//!   and no other.
//! - An entry that is switched off needs nothing. Its text must still have the shape of an entry, which `validate` says and a
//!   run does not mind.

use serde_yaml::Value;

use super::path::{NodePath, Step};

/// One kind of entry.
pub(crate) struct Kind {
    /// Where entries of this kind stand in the config.
    pub key: &'static str,
    /// Whether they stand in a list or alone.
    pub form: Form,
    /// The field that names one.
    pub name: &'static str,
    /// Whether it is a page that entries of another kind name.
    pub is_page: bool,
}

/// How many entries there are under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A list of them.
    List,
    One,
    /// A list, or one without a list around it.
    Either,
    /// One whose parts fail alone.
    Parts,
    /// One that is about entries of another kind, which fail with it.
    About,
}

/// The entry that a node belongs to; none for what concerns all.
///
/// An item of a list is no entry as a whole: what is not even a mapping has no name to be reported under. A page is one, because
/// what is wrong with it is reported under the entries that name it.
pub(crate) fn entry_of<'p>(kinds: &[Kind], path: &'p [Step]) -> Option<&'p [Step]> {
    let Some(Step::Key(key)) = path.first() else {
        return None;
    };
    let kind = kinds.iter().find(|kind| kind.key == key)?;
    match (kind.form, path) {
        (Form::List | Form::Either, [_, Step::Index(_), _, ..]) => Some(&path[..2]),
        (Form::List, [_, Step::Index(_)]) if kind.is_page => Some(path),
        (Form::Either, [_, Step::Key(_), ..]) | (Form::One | Form::About, _) => Some(&path[..1]),
        (Form::Parts, [_, Step::Key(part), ..]) if part != kind.name => Some(&path[..2]),
        (Form::Parts, _) => Some(&path[..1]),
        _ => None,
    }
}

/// Whether an entry is a page that other entries name.
pub(crate) fn is_page(kinds: &[Kind], entry: &[Step]) -> bool {
    let is_of = |kind: &Kind| matches!(entry.first(), Some(Step::Key(key)) if key == kind.key);
    kinds.iter().any(|kind| kind.is_page && is_of(kind))
}

/// Calls `visit` with each entry of a tree, its place and its kind.
pub(crate) fn for_each(kinds: &[Kind], tree: &Value, mut visit: impl FnMut(NodePath, &Value, &Kind)) {
    for kind in kinds {
        let root = || Step::Key(kind.key.to_owned());
        match (kind.form, tree.get(kind.key)) {
            (Form::List | Form::Either, Some(Value::Sequence(items))) => {
                for (index, item) in items.iter().enumerate() {
                    visit(vec![root(), Step::Index(index)], item, kind);
                }
            }
            (Form::One | Form::Either, Some(entry @ Value::Mapping(_))) => visit(vec![root()], entry, kind),
            _ => {}
        }
    }
}

/// Whether an entry says that it is switched off.
pub(crate) fn is_off(entry: &Value) -> bool {
    match entry.get("enabled") {
        Some(Value::Bool(enabled)) => !enabled,
        Some(Value::String(text)) => text.trim() == "false",
        _ => false,
    }
}
