//! The config file of the Python service, written anew: today's names, no secret in it, and what became of each key.
//!
//! What a key is, the schema says: a key that it does not know is read by nothing, and one with a twin that ends in `_file` is a secret.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use serde_yaml::{Mapping, Value};

use super::schema_text;
use crate::model::text;
use crate::yaml::document::Document;

/// The old names of keys, each with its place and today's name.
const RENAMED: [(&str, &str, &str); 2] =
    [("projects[]", "project", "owner_project"), ("subscriptions[]", "project", "owner_project")];

/// Words that some readers of YAML take for something else than a text.
const WORDS_OF_YAML: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// What became of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It stands as it stood.
    Kept,
    /// It has another name now, perhaps with another value.
    Renamed(&'static str),
    /// Its value stands in this variable.
    Moved(String),
    /// Nothing reads it; perhaps this one was meant.
    Dropped(Option<String>),
}

/// A config that was written anew.
pub(crate) struct Migrated {
    /// Its text.
    pub text: String,
    /// The variables that hold what was a secret in it.
    pub variables: Vec<(String, String)>,
    /// The keys, without the numbers of list items, with what became of them.
    pub fates: Vec<(String, Fate)>,
}

/// Writes a config anew. `usual` is the variable in which people keep the key of a provider; `is_taken` says which cannot be used.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn migrate(
    text: &str,
    usual: &dyn Fn(&str) -> Option<String>,
    is_taken: &dyn Fn(&str) -> bool,
) -> Result<Migrated, String> {
    let mut document = Document::parse(text).map_err(|error| error.message)?;
    // The document has no comments, which keys that begin with `_` are.
    let root: Value = serde_yaml::from_str(text).unwrap_or_else(|_| std::mem::take(&mut document.root));
    if !root.is_mapping() {
        return Err("it is not a mapping of `key: value`".to_owned());
    }
    let schema: Json = serde_json::from_str(&schema_text()).unwrap_or_default();
    let mut migration = Migration {
        schema: &schema,
        usual,
        is_taken,
        variables: Vec::new(),
        fates: Vec::new(),
        names: BTreeSet::new(),
    };
    let root = migration.node(root, &[&schema], "", "");
    let mut text = String::new();
    block(&root, 0, &mut text);
    Ok(Migrated { text, variables: migration.variables, fates: migration.fates })
}

struct Migration<'a> {
    schema: &'a Json,
    usual: &'a dyn Fn(&str) -> Option<String>,
    is_taken: &'a dyn Fn(&str) -> bool,
    variables: Vec<(String, String)>,
    fates: Vec<(String, Fate)>,
    names: BTreeSet<String>,
}

impl<'a> Migration<'a> {
    /// A node and all below it. `place` is the way to it, and `name` what the entry is called that it belongs to.
    fn node(&mut self, node: Value, schemas: &[&'a Json], place: &str, name: &str) -> Value {
        match node {
            Value::Mapping(fields) => {
                let own = ["name", "provider"].into_iter().find_map(|key| fields.get(key)?.as_str().map(str::to_owned));
                let provider = fields.get("provider").and_then(Value::as_str).map(str::to_owned);
                let known = self.properties(schemas);
                let mut made = Mapping::new();
                for (key, value) in fields {
                    let Some(key) = key.as_str() else { continue };
                    let name = own.as_deref().unwrap_or(name);
                    self.field((key, value), (place, name, provider.as_deref()), known.as_ref(), &mut made);
                }
                Value::Mapping(made)
            }
            Value::Sequence(items) => {
                let item: Vec<&Json> = self.choices(schemas).iter().filter_map(|schema| schema.get("items")).collect();
                let place = format!("{place}[]");
                Value::Sequence(items.into_iter().map(|value| self.node(value, &item, &place, name)).collect())
            }
            other => other,
        }
    }

    fn field(
        &mut self,
        (key, value): (&str, Value),
        (place, name, provider): (&str, &str, Option<&str>),
        known: Option<&BTreeMap<&'a str, &'a Json>>,
        made: &mut Mapping,
    ) {
        let at = if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
        let renamed = RENAMED.iter().find(|(list, old, _)| *list == place && *old == key);
        if let Some((.., new)) = renamed {
            self.fates.push((at, Fate::Renamed(new)));
            made.insert((*new).into(), value);
            return;
        }
        if let ("email" | "email[]", "use_ssl", Some(is_on)) = (place, key, value.as_bool()) {
            self.fates.push((at, Fate::Renamed("security")));
            made.insert("security".into(), if is_on { "tls" } else { "none" }.into());
            return;
        }
        let schema = known.and_then(|known| known.get(key).copied());
        match (known, schema) {
            (Some(known), None) if !key.starts_with('_') => {
                let near = text::nearest(key, known.keys().copied()).map(str::to_owned);
                self.fates.push((at, Fate::Dropped(near)));
                return;
            }
            _ => {}
        }
        let is_secret = known.is_some_and(|known| known.contains_key(format!("{key}_file").as_str()));
        let literal = value.as_str().filter(|text| is_secret && !text.trim().is_empty() && !text.contains("${"));
        if let Some(literal) = literal {
            let usual = provider.filter(|_| key == "api_key").and_then(self.usual);
            let variable = self.variable(usual, place, name, key);
            self.variables.push((variable.clone(), literal.replace("$$", "$")));
            made.insert(key.into(), format!("${{{variable}}}").into());
            self.fates.push((at, Fate::Moved(variable)));
            return;
        }
        let is_leaf =
            !value.is_mapping() && !value.as_sequence().is_some_and(|items| items.iter().any(Value::is_mapping));
        if is_leaf {
            self.fates.push((at.clone(), Fate::Kept));
        }
        let below: Vec<&Json> = schema.into_iter().collect();
        let value = if key.starts_with('_') { value } else { self.node(value, &below, &at, name) };
        made.insert(key.into(), value);
    }

    /// A variable for a secret that no other one has.
    fn variable(&mut self, usual: Option<String>, place: &str, name: &str, key: &str) -> String {
        let list = place.split(['[', '.']).next().unwrap_or_default();
        let words = if list == "projects" { format!("{name}_{key}") } else { format!("{list}_{key}") };
        let usual = usual.unwrap_or_else(|| {
            let letters = words.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
            let name: String = letters.collect();
            let name = name.trim_matches('_');
            if name.starts_with(|c: char| c.is_ascii_digit()) { format!("KEY_{name}") } else { name.to_owned() }
        });
        let numbered = (2..).map(|number: u32| format!("{usual}_{number}"));
        let mut all = std::iter::once(usual.clone()).chain(numbered);
        let free = all.find(|name| !self.names.contains(name) && !(self.is_taken)(name)).unwrap_or(usual);
        self.names.insert(free.clone());
        free
    }

    /// All that a node can be by the schema, without references.
    fn choices(&self, schemas: &[&'a Json]) -> Vec<&'a Json> {
        let mut all = Vec::new();
        for schema in schemas {
            let schema = match schema.get("$ref").and_then(Json::as_str) {
                Some(name) => self.schema.pointer(name.trim_start_matches('#')).unwrap_or(schema),
                None => schema,
            };
            all.push(schema);
            for choice in ["anyOf", "allOf", "oneOf"] {
                let choices: Vec<&Json> = schema.get(choice).and_then(Json::as_array).into_iter().flatten().collect();
                all.extend(self.choices(&choices));
            }
        }
        all
    }

    /// The keys that a mapping may have; none if it may have any.
    fn properties(&self, schemas: &[&'a Json]) -> Option<BTreeMap<&'a str, &'a Json>> {
        let choices = self.choices(schemas);
        if choices
            .iter()
            .any(|schema| schema.get("additionalProperties").is_some_and(|more| *more != Json::Bool(false)))
        {
            return None;
        }
        let known = choices.iter().filter_map(|schema| schema.get("properties")?.as_object()).flatten();
        let known: BTreeMap<&str, &Json> = known.map(|(key, schema)| (key.as_str(), schema)).collect();
        (!known.is_empty()).then_some(known)
    }
}

/// A node as a block of YAML.
fn block(node: &Value, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match node {
        Value::Mapping(fields) => {
            for (key, value) in fields {
                out.push_str(&format!("{indent}{}:", scalar(key)));
                after(value, depth + 1, out);
            }
        }
        Value::Sequence(items) => {
            for item in items {
                let mut text = String::new();
                match is_block(item) {
                    true => block(item, depth + 1, &mut text),
                    false => text.push_str(&format!("{indent}  {}\n", scalar(item))),
                }
                // The dash stands where the first line of the item has blanks.
                out.push_str(&format!("{indent}- {}", text.get(indent.len() + 2..).unwrap_or_default()));
            }
        }
        other => out.push_str(&scalar(other)),
    }
}

/// What stands behind a key.
fn after(value: &Value, depth: usize, out: &mut String) {
    if is_block(value) {
        out.push('\n');
        block(value, depth, out);
    } else {
        out.push_str(&format!(" {}\n", scalar(value)));
    }
}

fn is_block(value: &Value) -> bool {
    value.as_mapping().is_some_and(|fields| !fields.is_empty())
        || value.as_sequence().is_some_and(|items| !items.is_empty())
}

/// A value on one line: plain words stand as they are, and other texts in quotes, in which JSON and YAML agree.
fn scalar(value: &Value) -> String {
    let is_plain = |text: &str| {
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let is_word = text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && text.chars().all(is_letter);
        is_word && !WORDS_OF_YAML.contains(&text)
    };
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::String(text) => Json::from(text.as_str()).to_string(),
        Value::Mapping(_) => "{}".to_owned(),
        Value::Sequence(_) => "[]".to_owned(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = r#"{
      "_comment": "of the Python service",
      "settings": { "max_concurrent_checks": 10, "run_every": 5 },
      "webhook": { "url": "https://open.feishu.cn/open-apis/bot/v2/hook/0f3c", "type": "feishu" },
      "projects": [
        { "name": "A: 1", "provider": "openrouter", "api_key": "k-a$$b", "threshold": 1.5, "project": "Team \"x\"" },
        { "name": "B", "provider": "openrouter", "api_key": "k-b", "threshold": "20", "treshold_old": 1 },
        { "name": "C", "provider": "openrouter", "api_key": "${KEY_C}", "threshold": 3, "enabled": true }
      ],
      "email": [{ "host": "imap.example.com", "username": "u", "password": "p-1", "use_ssl": true }],
      "subscriptions": []
    }"#;

    #[test]
    fn an_old_config_has_todays_names_and_no_secret_and_each_key_a_fate() {
        let usual = |provider: &str| (provider == "openrouter").then(|| "OPENROUTER_API_KEY".to_owned());
        let done = migrate(OLD, &usual, &|name| name == "EMAIL_PASSWORD").unwrap();
        let want = r#"_comment: "of the Python service"
settings:
  max_concurrent_checks: 10
webhook:
  url: "${WEBHOOK_URL}"
  type: feishu
projects:
  - name: "A: 1"
    provider: openrouter
    api_key: "${OPENROUTER_API_KEY}"
    threshold: 1.5
    owner_project: "Team \"x\""
  - name: "B"
    provider: openrouter
    api_key: "${OPENROUTER_API_KEY_2}"
    threshold: "20"
  - name: "C"
    provider: openrouter
    api_key: "${KEY_C}"
    threshold: 3
    enabled: true
email:
  - host: "imap.example.com"
    username: u
    password: "${EMAIL_PASSWORD_2}"
    security: tls
subscriptions: []
"#;
        assert_eq!(done.text, want);
        let variables = [
            ("WEBHOOK_URL", "https://open.feishu.cn/open-apis/bot/v2/hook/0f3c"),
            ("OPENROUTER_API_KEY", "k-a$b"),
            ("OPENROUTER_API_KEY_2", "k-b"),
            ("EMAIL_PASSWORD_2", "p-1"),
        ];
        assert_eq!(done.variables, variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let fate =
            |key: &str| done.fates.iter().filter(|(at, _)| at == key).map(|(_, fate)| fate.clone()).collect::<Vec<_>>();
        assert_eq!(fate("settings.run_every"), [Fate::Dropped(None)]);
        assert!(matches!(&fate("projects[].treshold_old")[..], [Fate::Dropped(_)]));
        assert_eq!(fate("projects[].project"), [Fate::Renamed("owner_project")]);
        assert_eq!(fate("email[].use_ssl"), [Fate::Renamed("security")]);
        assert_eq!(fate("webhook.url"), [Fate::Moved("WEBHOOK_URL".to_owned())]);
        assert_eq!(fate("projects[].threshold"), [Fate::Kept, Fate::Kept, Fate::Kept]);
        assert_eq!(fate("_comment"), [Fate::Kept]);
        // What is new is not changed again.
        let again = migrate(&done.text, &usual, &|_| false).unwrap();
        assert_eq!((again.text, again.variables), (done.text, Vec::new()));
        for text in ["[]", "{", "1", ""] {
            assert!(migrate(text, &usual, &|_| false).is_err(), "{text}");
        }
    }
}
