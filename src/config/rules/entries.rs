//! What the entries of a config are, and the one rule for all of them.
//!
//! - A mistake that stands in the file itself concerns all of it: it is seen when the config is written, and ends the run.
//! - What comes from outside (a variable, a file with a secret) can change at any time: where that is wrong, the entry fails,
//!   and no other.
//! - An entry that is switched off needs nothing. Its text must still have the shape of an entry, which `validate` says and a
//!   run does not mind.

use serde_yaml::Value;

use crate::config::document::{NodePath, Step};

/// One kind of entry.
pub(super) struct Kind {
    /// Where entries of this kind stand in the config.
    pub key: &'static str,
    /// Whether they stand in a list or alone.
    pub form: Form,
    /// The field that names one.
    pub name: &'static str,
}

/// How many entries there are under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A list of them.
    List,
    /// One.
    One,
    /// A list, or one without a list around it.
    Either,
    /// One whose parts fail alone.
    Parts,
    /// One that is about entries of another kind, which fail with it.
    About,
}

/// Every kind of entry. Whatever asks "is this an entry" asks this list.
pub(super) const KINDS: [Kind; 9] = [
    Kind { key: "projects", form: Form::List, name: "name" },
    Kind { key: "subscriptions", form: Form::List, name: "name" },
    Kind { key: "email", form: Form::Either, name: "name" },
    Kind { key: "email_settings", form: Form::About, name: "name" },
    Kind { key: "webhooks", form: Form::List, name: "name" },
    Kind { key: "webhook", form: Form::One, name: "name" },
    Kind { key: "providers", form: Form::List, name: "id" },
    Kind { key: "metrics", form: Form::Parts, name: "namespace" },
    Kind { key: "state", form: Form::One, name: "path" },
];

/// The entry that a node belongs to; none for what concerns all.
///
/// An item of a list is no entry as a whole: what is not even a mapping has no name to be reported under.
pub(super) fn entry_of(path: &[Step]) -> Option<&[Step]> {
    let Some(Step::Key(key)) = path.first() else {
        return None;
    };
    let kind = KINDS.iter().find(|kind| kind.key == key)?;
    match (kind.form, path) {
        (Form::List | Form::Either, [_, Step::Index(_), _, ..]) => Some(&path[..2]),
        (Form::Either, [_, Step::Key(_), ..]) | (Form::One | Form::About, _) => Some(&path[..1]),
        (Form::Parts, [_, Step::Key(part), ..]) if part != kind.name => Some(&path[..2]),
        (Form::Parts, _) => Some(&path[..1]),
        _ => None,
    }
}

/// Calls `visit` with each entry of a tree, its place and its kind.
pub(super) fn for_each(tree: &Value, mut visit: impl FnMut(NodePath, &Value, &Kind)) {
    for kind in &KINDS {
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
pub(super) fn is_off(entry: &Value) -> bool {
    match entry.get("enabled") {
        Some(Value::Bool(enabled)) => !enabled,
        Some(Value::String(text)) => text.trim() == "false",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_of_a_node() {
        let index = Step::Index;
        let key = |name: &str| Step::Key(name.to_owned());
        for (path, want) in [
            (vec![key("projects"), index(1), key("api_key")], Some(2)),
            (vec![key("projects"), index(1)], None),
            (vec![key("projects")], None),
            (vec![key("subscriptions"), index(0), key("name")], Some(2)),
            (vec![key("providers"), index(0), key("request"), key("url")], Some(2)),
            (vec![key("email"), index(0), key("oauth2"), key("client_id")], Some(2)),
            (vec![key("email"), key("password")], Some(1)),
            (vec![key("email")], None),
            (vec![key("webhook"), key("url")], Some(1)),
            (vec![key("webhook")], Some(1)),
            (vec![key("metrics"), key("pushgateway"), key("url")], Some(2)),
            (vec![key("metrics"), key("textfile")], Some(2)),
            (vec![key("metrics"), key("namespace")], Some(1)),
            (vec![key("state")], Some(1)),
            (vec![key("settings"), key("language")], None),
            (vec![key("email_settings"), key("days")], Some(1)),
            (vec![], None),
        ] {
            assert_eq!(entry_of(&path).map(<[Step]>::len), want, "{path:?}");
        }
    }

    #[test]
    fn every_top_level_field_that_holds_entries_is_a_kind() {
        let schema: serde_json::Value = serde_json::from_str(crate::config::SCHEMA).unwrap();
        let lists: Vec<&String> = schema["properties"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| !["$schema", "settings"].contains(&name.as_str()))
            .map(|(name, _)| name)
            .collect();
        let mut kinds: Vec<&str> = KINDS.iter().map(|kind| kind.key).collect();
        kinds.sort_unstable();
        assert_eq!(lists, kinds, "a new list of the config is a kind of entry, or it is named here");
    }
}
