//! The kinds of entries that a config has.

use crate::yaml::entry::{Form, Kind};

/// Every kind of entry. This list alone decides whether something in a config is an entry.
pub(crate) const KINDS: [Kind; 11] = [
    Kind { key: "projects", form: Form::List, name: "name", is_page: false },
    Kind { key: "subscriptions", form: Form::List, name: "name", is_page: false },
    Kind { key: "email", form: Form::Either, name: "name", is_page: false },
    Kind { key: "email_settings", form: Form::About, name: "name", is_page: false },
    Kind { key: "webhooks", form: Form::List, name: "name", is_page: false },
    Kind { key: "webhook", form: Form::One, name: "name", is_page: false },
    Kind { key: "providers", form: Form::List, name: "id", is_page: true },
    Kind { key: "channels", form: Form::List, name: "id", is_page: true },
    Kind { key: "metrics", form: Form::Parts, name: "namespace", is_page: false },
    Kind { key: "healthchecks", form: Form::One, name: "kind", is_page: false },
    Kind { key: "state", form: Form::One, name: "path", is_page: false },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::entry::entry_of;
    use crate::yaml::path::Step;

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
            (vec![key("providers"), index(0)], Some(2)),
            (vec![key("channels"), index(0)], Some(2)),
            (vec![key("providers")], None),
            (vec![key("email"), index(0), key("oauth2"), key("client_id")], Some(2)),
            (vec![key("email"), key("password")], Some(1)),
            (vec![key("email")], None),
            (vec![key("webhook"), key("url")], Some(1)),
            (vec![key("webhook")], Some(1)),
            (vec![key("metrics"), key("pushgateway"), key("url")], Some(2)),
            (vec![key("metrics"), key("textfile")], Some(2)),
            (vec![key("metrics"), key("namespace")], Some(1)),
            (vec![key("healthchecks"), key("url")], Some(1)),
            (vec![key("state")], Some(1)),
            (vec![key("settings"), key("language")], None),
            (vec![key("email_settings"), key("days")], Some(1)),
            (vec![], None),
        ] {
            assert_eq!(entry_of(&KINDS, &path).map(<[Step]>::len), want, "{path:?}");
        }
    }

    #[test]
    fn every_top_level_field_that_holds_entries_is_a_kind() {
        let schema = crate::config::published_schema();
        let lists: Vec<&String> = schema["properties"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| !["$schema", "include", "settings"].contains(&name.as_str()))
            .map(|(name, _)| name)
            .collect();
        let mut kinds: Vec<&str> = KINDS.iter().map(|kind| kind.key).collect();
        kinds.sort_unstable();
        assert_eq!(lists, kinds, "a new list of the config is a kind of entry, or it is named here");
    }
}
