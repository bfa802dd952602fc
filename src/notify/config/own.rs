//! The keys of a webhook that belong to its type: `token`, `chat_id` and the like, each secret also as `..._file`.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use secrecy::{ExposeSecret, SecretString};
use serde_yaml::{Mapping, Value};
use url::Url;

use super::kind::a;
use super::pages::ChannelPages;
use crate::model::text;
use crate::notify::channel::builtin_pages;
use crate::notify::channel::page::{FieldKind, FieldSpec};
use crate::notify::channel::values::Values;
use crate::process::quote_input;
use crate::yaml::address::web_address;
use crate::yaml::credential::Use;
use crate::yaml::field::Fields;
use crate::yaml::path::{NodePath, Part, Step, item, key, last_key, under};
use crate::yaml::problem::Reach;
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Scalar, Text};

/// What webhooks set of the fields of their types, by the places of the webhooks.
pub(crate) type OwnFields = BTreeMap<NodePath, BTreeMap<String, String>>;

/// Whether a field is one of those that every webhook has, though a page says what it means.
pub(super) fn is_common(name: &str) -> bool {
    name == "url" || name == "secret"
}

impl ConfigReader<'_> {
    /// Takes the fields out of the tree that belong to the types of its webhooks. What is left has one shape for all types.
    pub(crate) fn own_fields(&mut self, tree: &mut Value, pages: &mut ChannelPages) -> OwnFields {
        let mut found = OwnFields::new();
        let overlaid = super::RawWebhook::kind.variable.and_then(|variable| self.environment.overlay(variable.name));
        let overlaid = overlaid.map(str::to_owned);
        if let Some(entry) = tree.get_mut("webhook") {
            self.own_fields_of(entry, vec![key("webhook")], overlaid.as_deref(), pages, &mut found);
        }
        let entries = tree.get_mut("webhooks").and_then(Value::as_sequence_mut);
        for (index, entry) in entries.into_iter().flatten().enumerate() {
            self.own_fields_of(entry, item("webhooks", index), None, pages, &mut found);
        }
        found
    }

    fn own_fields_of(
        &mut self,
        entry: &mut Value,
        path: NodePath,
        kind: Option<&str>,
        pages: &mut ChannelPages,
        found: &mut OwnFields,
    ) {
        let Some(entry) = entry.as_mapping_mut() else { return };
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::trim);
        let owner = || Some(builtin_pages::owner(&Url::parse(text("url")?).ok()?)?.id);
        let Some(kind) = kind.or(text("type")).map(str::to_owned).or_else(owner) else { return };
        if pages.fault(&kind).is_some() {
            // Which fields it has is not known if its page cannot be used.
            let is_common =
                |name: &Value| super::RawWebhook::FIELDS.iter().any(|field| Some(field.name) == name.as_str());
            for (_, value) in entry.iter().filter(|(name, _)| !is_common(name)) {
                value.as_str().into_iter().for_each(|text| self.redactor.suspect(text));
            }
            entry.retain(|name, _| is_common(name));
            return;
        }
        let Some(fields) = pages.fields(&kind) else { return };
        let mut own = BTreeMap::new();
        for (name, spec) in fields.iter().filter(|(name, _)| !is_common(name)) {
            for name in [name.clone(), format!("{name}_file")].iter().take(1 + usize::from(spec.secret)) {
                let Some(mut value) = entry.remove(name.as_str()) else { continue };
                let at = under(&path, name);
                if spec.kind == FieldKind::Addresses && value.is_sequence() {
                    let entries = self.fit::<Vec<String>>(&mut value, &at);
                    own.extend(entries.map(|entries| (name.clone(), entries.join("\n"))));
                } else if let Some(text) = self.fit::<Lenient<Text>>(&mut value, &at) {
                    own.insert(name.clone(), self.as_written(&at, text.0));
                }
            }
        }
        self.nearly_own(entry, &path, &fields);
        found.insert(path, own);
    }

    /// Reports keys that are hardly meant as anything but a field of the type. Any other unknown key is reported with those that
    /// every webhook has.
    fn nearly_own(&mut self, entry: &mut Mapping, path: &[Step], fields: &BTreeMap<String, FieldSpec>) {
        let own: Vec<&str> = fields.keys().map(String::as_str).filter(|name| !is_common(name)).collect();
        let is_common = |name: &str| super::RawWebhook::FIELDS.iter().any(|field| field.name == name);
        let names: Vec<String> = entry.keys().filter_map(Value::as_str).map(str::to_owned).collect();
        for name in names.iter().filter(|name| !is_common(name)) {
            let Some(near) = text::nearest(name, own.iter().copied()) else { continue };
            entry.remove(name.as_str());
            let message = match quote_input::among(name, &own) {
                Some(name) => format!("unknown field `{name}`"),
                None => "unknown field".to_owned(),
            };
            self.problem(&under(path, name), Part::Key(0), message, Some(format!("did you mean `{near}`?")));
            // The field that was meant is not missing as well.
            self.flagged.insert(under(path, near));
        }
    }

    /// The values of a channel's fields: those of its own, checked, beside those that every webhook has.
    pub(super) fn values(
        &mut self,
        path: &[Step],
        kind: &str,
        fields: &BTreeMap<String, FieldSpec>,
        mut set: BTreeMap<String, String>,
        mut values: BTreeMap<String, SecretString>,
    ) -> Values {
        for (name, spec) in fields.iter().filter(|(name, _)| !is_common(name)) {
            let at = under(path, name);
            let value = set.remove(name);
            let value = match spec.secret {
                true => self.own_secret(path, name, value, set.remove(&format!("{name}_file")).as_deref()),
                false => value.filter(|value| self.is_possible(&at, spec, value)).map(Into::into),
            };
            match value.filter(|value| !value.expose_secret().is_empty()) {
                Some(value) => drop(values.insert(name.clone(), value)),
                None => self.lacks(path, name, kind, spec),
            }
        }
        Values::new(fields, values)
    }

    /// Says that a field is not there, if the channel needs it and nothing else was said of that.
    fn lacks(&mut self, path: &[Step], name: &str, kind: &str, spec: &FieldSpec) {
        let is_needed = spec.required && spec.default.is_none();
        let is_said = self.is_flagged(&under(path, name)) || self.is_unusable(path) || self.fault(path).is_some();
        if is_needed && !is_said {
            let hint = Some(format!("{} channel needs it: {}", a(kind), spec.about));
            self.problem(path, Part::Value, format!("`{name}` is missing"), hint);
        }
    }

    fn own_secret(
        &mut self,
        path: &[Step],
        name: &str,
        value: Option<String>,
        file: Option<&str>,
    ) -> Option<SecretString> {
        let secret = self.secret(path, name, value, file)?;
        self.vet(path, name, secret.expose_secret(), Use::Password);
        if secret.expose_secret().is_empty() || self.is_flagged(&under(path, name)) {
            return None;
        }
        self.is_sound(&under(path, name), &secret).then_some(secret)
    }

    /// Whether a field may have a value.
    fn is_possible(&mut self, path: &[Step], spec: &FieldSpec, value: &str) -> bool {
        if self.is_flagged(path) || value.is_empty() {
            return false;
        }
        if !spec.values.is_empty() && !spec.values.iter().any(|known| known == value) {
            let known: Vec<&str> = spec.values.iter().map(String::as_str).collect();
            self.choice(path, "", value, &known);
            self.flagged.insert(path.to_vec());
            return false;
        }
        let name = quote_input::key(last_key(path));
        let wrong = match spec.kind {
            FieldKind::Text if value.chars().any(char::is_control) => Some("is one line".to_owned()),
            FieldKind::Text => None,
            FieldKind::Address => (!is_address(value)).then(|| "is no mail address".to_owned()),
            FieldKind::Addresses => {
                value.lines().position(|line| !is_address(line)).map(|at| match value.lines().count() {
                    1 => "is no mail address".to_owned(),
                    _ => format!("holds what is no mail address, as entry {}", at + 1),
                })
            }
            FieldKind::Number => match <Decimal as Scalar>::read(value) {
                Some(_) => None,
                None => Some("must be a number".to_owned()),
            },
            FieldKind::Flag if value == "true" || value == "false" => None,
            FieldKind::Flag => Some("must be true or false".to_owned()),
            FieldKind::Url => match web_address(value) {
                Ok(url) => {
                    self.redactor.learn_address(&url);
                    None
                }
                Err(why) => Some(why),
            },
        };
        if let Some(why) = &wrong {
            self.push(path, Part::Value, format!("{name} {why}"), None, Reach::Whole);
            // That it is missing as well is no second mistake.
            self.flagged.insert(path.to_vec());
        }
        wrong.is_none()
    }
}

/// Whether a text is a mail address, with a name before it or without.
fn is_address(text: &str) -> bool {
    !text.chars().any(char::is_control) && text.parse::<lettre::message::Mailbox>().is_ok()
}
