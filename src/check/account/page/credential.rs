//! What an account proves itself with, as a page wants it and as a project has it.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// The shape of a credential.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Credential {
    /// One key, a pair, several parts, or nothing.
    #[serde(default)]
    pub format: CredentialFormat,
    /// Which kind of key is needed, for people.
    pub note: Option<String>,
    /// The page of the service on which it is made.
    pub create: Option<String>,
    /// The names of the variables that people keep it in, the most usual first, where these are not `ID_API_KEY`: `init` looks for them. A
    /// pair that is kept in two has both with a colon between them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// How a right one begins. It is a hint: a key that begins otherwise is tried all the same.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// How a key of the wrong kind begins, and what to say of it: `sk-proj-: this looks like the key of a project`.
    #[serde(default)]
    pub mistaken: BTreeMap<String, String>,
    /// For `format: parts`: the names of the parts, each with what it is.
    #[serde(default)]
    pub parts: BTreeMap<String, String>,
}

/// How a credential is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum CredentialFormat {
    /// One secret word: `{api_key}`.
    #[default]
    Key,
    /// `AccessKeyId:Secret`, split at the first colon: `{credential.id}` and `{credential.secret}`.
    Pair,
    /// Several secrets with names of their own, under `credentials` of the project: `{credential.NAME}`.
    Parts,
    /// None is needed.
    None,
}

impl Credential {
    /// The variables that people keep it in, the most usual first; a colon stands between those of a pair. `id` is that of the page.
    pub(crate) fn variables(&self, id: &str) -> Vec<String> {
        match self.env.is_empty() {
            true => vec![format!("{id}_api_key").replace('-', "_").to_uppercase()],
            false => self.env.clone(),
        }
    }

    /// What is noticed of a key that may be of the wrong kind, without any of it.
    pub(crate) fn doubt(&self, key: &str) -> Option<String> {
        if key.is_empty() {
            return None;
        }
        let mistaken = self.mistaken.iter().find(|(prefix, _)| key.starts_with(prefix.as_str()));
        if let Some((_, what)) = mistaken {
            return Some(what.clone());
        }
        let is_right = self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| key.starts_with(prefix.as_str()));
        (!is_right).then(|| {
            let shown: Vec<String> = self.prefixes.iter().map(|prefix| format!("`{prefix}`")).collect();
            format!("the right kind of key usually begins with {}, and this one does not", shown.join(" or "))
        })
    }
}

/// The credential of an account.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    key: SecretString,
    parts: BTreeMap<String, SecretString>,
}

impl Secrets {
    /// One secret.
    pub(crate) fn of_key(key: SecretString) -> Secrets {
        Secrets { key, parts: BTreeMap::new() }
    }

    /// Several secrets with names.
    pub(crate) fn of_parts(parts: BTreeMap<String, SecretString>) -> Secrets {
        Secrets { key: SecretString::default(), parts }
    }

    /// The key as a whole; empty if there is none.
    pub(crate) fn key(&self) -> &str {
        self.key.expose_secret()
    }

    /// A part by its name; `id` and `secret` of a pair.
    pub(crate) fn part(&self, name: &str) -> Option<&str> {
        if let Some(part) = self.parts.get(name) {
            return Some(part.expose_secret());
        }
        let (id, secret) = self.key().split_once(':')?;
        match name {
            "id" => Some(id.trim()),
            "secret" => Some(secret.trim()),
            _ => None,
        }
    }

    /// Whether there is nothing to prove oneself with.
    pub(crate) fn is_empty(&self) -> bool {
        self.key().is_empty() && self.parts.is_empty()
    }

    /// All of it in one text, for a hash.
    pub(crate) fn whole(&self) -> String {
        let parts = self.parts.iter().map(|(name, part)| format!("{name}={}", part.expose_secret()));
        std::iter::once(self.key().to_owned()).chain(parts).collect::<Vec<_>>().join("\0")
    }
}
