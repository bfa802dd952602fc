//! What a webhook sets of the fields of its page, and how it fills the placeholders of a request.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::page::{FieldKind, FieldSpec};
use crate::model::text::UNRESERVED;
use crate::wire::hash;

/// What stays as it is in an address. Tokens of Telegram have a colon, which some gateways do not decode.
const KEPT: &AsciiSet = &UNRESERVED.remove(b':');

/// The values of a channel's fields, `url` and `secret` included.
#[derive(Clone, Default)]
pub(crate) struct Values {
    texts: BTreeMap<String, SecretString>,
    public: BTreeMap<String, Value>,
}

/// What a placeholder may stand for beside the fields.
pub(crate) const OF_MESSAGE: [&str; 3] = ["key", "condition", "uuid"];

impl Values {
    /// The values of these fields: what is set, and the defaults for the rest. Nothing is set by an empty text.
    pub(crate) fn new(fields: &BTreeMap<String, FieldSpec>, set: BTreeMap<String, SecretString>) -> Values {
        let mut texts = set;
        texts.retain(|_, value| !value.expose_secret().is_empty());
        for (name, spec) in fields {
            if let Some(default) = spec.default.as_ref().filter(|_| !texts.contains_key(name)) {
                texts.insert(name.clone(), default.clone().into());
            }
        }
        let seen = fields.iter().filter(|(_, spec)| !spec.secret);
        let public = seen.map(|(name, spec)| {
            let value = texts.get(name).map(|text| typed(spec.kind, text.expose_secret()));
            (name.clone(), value.unwrap_or_default())
        });
        Values { public: public.collect(), texts }
    }

    /// The fields that are no secrets, as an expression sees them.
    pub(super) fn public(&self) -> &BTreeMap<String, Value> {
        &self.public
    }

    /// The values that are no secrets, as texts.
    pub(crate) fn public_texts(&self) -> impl Iterator<Item = String> {
        self.public.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| format!("{name}={value}"))
    }

    /// The signing secret.
    pub(crate) fn secret(&self) -> Option<&SecretString> {
        self.texts.get("secret")
    }

    /// The value of a field.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(ExposeSecret::expose_secret)
    }

    /// The key of a message as a UUID, for services that want one. It depends on the fields that are no secrets as well, because
    /// one message goes to several recipients of one account under different ones.
    pub(super) fn uuid(&self, key: &str) -> String {
        let public: Vec<String> = self.public_texts().collect();
        let digits = hash::sha256(&format!("{key}\n{}", public.join("\n")));
        // The form of a UUID that is made of a name.
        format!("{}-{}-5{}-a{}-{}", &digits[..8], &digits[8..12], &digits[12..15], &digits[15..18], &digits[18..30])
    }

    /// Fills the placeholders of a text; none if a field that it names is not set.
    pub(super) fn fill(&self, template: &str, own: &[(&str, &str)]) -> Option<String> {
        self.filled(template, own, |_, value| value.to_owned())
    }

    /// As [`Self::fill`], with `mask` in place of each secret, for output.
    pub(super) fn fill_masked(&self, template: &str, own: &[(&str, &str)], mask: &str) -> Option<String> {
        let mut masked = self.clone();
        for (_, value) in masked.texts.iter_mut().filter(|(name, _)| !self.public.contains_key(*name)) {
            *value = mask.into();
        }
        masked.fill(template, own)
    }

    /// Fills the placeholders of an address. An address at its beginning stays as it is; the rest is percent-encoded.
    pub(crate) fn address(&self, template: &str, own: &[(&str, &str)]) -> Option<String> {
        let has_path = template.split_once('}').is_some_and(|(_, rest)| rest.starts_with('/'));
        self.filled(template, own, |at, value| match at {
            0 => value.strip_suffix('/').filter(|_| has_path).unwrap_or(value).to_owned(),
            _ => utf8_percent_encode(value, KEPT).to_string(),
        })
    }

    fn filled(&self, template: &str, own: &[(&str, &str)], encode: impl Fn(usize, &str) -> String) -> Option<String> {
        let mut out = String::with_capacity(template.len());
        for piece in pieces(template) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Name(at, name) => {
                    let of_message = own.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
                    out.push_str(&encode(at, of_message.or_else(|| self.get(name))?));
                }
            }
        }
        Some(out)
    }
}

fn typed(kind: FieldKind, text: &str) -> Value {
    match kind {
        FieldKind::Number => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        FieldKind::Flag => (text == "true").into(),
        FieldKind::Text | FieldKind::Url | FieldKind::Address => text.into(),
        FieldKind::Addresses => text.lines().collect(),
    }
}

/// A part of a text with placeholders.
enum Piece<'a> {
    Text(&'a str),
    /// The name of a placeholder, and where it stands.
    Name(usize, &'a str),
}

/// The names of the placeholders of a text.
pub(crate) fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    pieces(template).into_iter().filter_map(|piece| match piece {
        Piece::Name(_, name) => Some(name),
        Piece::Text(_) => None,
    })
}

fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(open) = template[at..].find('{').map(|open| at + open) {
        let name = template[open + 1..].split_once('}').map(|(name, _)| name);
        let is_name = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        match name.filter(is_name) {
            Some(name) => {
                pieces.push(Piece::Text(&template[at..open]));
                pieces.push(Piece::Name(open, name));
                at = open + name.len() + 2;
            }
            None => {
                pieces.push(Piece::Text(&template[at..=open]));
                at = open + 1;
            }
        }
    }
    pieces.push(Piece::Text(&template[at..]));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(fields: &[(&str, &str)]) -> Values {
        let known: BTreeMap<String, FieldSpec> =
            serde_yaml::from_str("{url: {about: A., type: url}, to: {about: A.}, token: {about: A., secret: true}}")
                .unwrap();
        Values::new(&known, fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect())
    }

    #[test]
    fn an_address_loses_its_last_slash_only_where_a_path_follows() {
        for (url, template, want) in [
            ("https://a.example/x/", "{url}", "https://a.example/x/"),
            ("https://a.example/x/", "{url}/send", "https://a.example/x/send"),
            ("https://a.example/x/", "{url}/send/{to}", "https://a.example/x/send/a%2Fb"),
            ("https://a.example/x", "{url}/send/{to}", "https://a.example/x/send/a%2Fb"),
        ] {
            let values = values(&[("url", url), ("to", "a/b")]);
            assert_eq!(values.address(template, &[]).as_deref(), Some(want), "{url} in {template}");
        }
    }

    #[test]
    fn a_uuid_is_the_same_for_one_message_to_one_recipient_and_no_other() {
        let uuid = |to, token, key| values(&[("to", to), ("token", token)]).uuid(key);
        let first = uuid("a", "t", "k");
        assert_eq!(first, uuid("a", "another token", "k"));
        assert_ne!(first, uuid("b", "t", "k"));
        assert_ne!(first, uuid("a", "t", "l"));
        let lengths: Vec<usize> = first.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{first}");
        assert!(first.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()), "{first}");
    }
}
