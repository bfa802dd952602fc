//! The credential of a project: one key, a pair in one text, or several parts with names.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use crate::check::account::page::Page;
use crate::check::account::page::credential::{CredentialFormat, Secrets};
use crate::process::quote_input;
use crate::yaml::credential::Use;
use crate::yaml::path::{Part, Step, under};
use crate::yaml::problem::Reach;
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Text};
use crate::yaml::shape::suggestion;

/// The parts of a credential as they are written.
pub(super) type RawParts = BTreeMap<String, Lenient<Text>>;

impl ConfigReader<'_> {
    /// Whether the credential has the form that the provider needs, and what it is.
    pub(super) fn credential(
        &mut self,
        path: &[Step],
        page: &Page,
        key: Option<SecretString>,
        parts: Option<RawParts>,
    ) -> Secrets {
        if page.credential.format == CredentialFormat::Parts {
            if key.is_some() {
                let message = format!("provider `{}` takes `credentials` instead of an `api_key`", page.id);
                self.problem(&under(path, "api_key"), Part::Key(0), message, page.credential.note.clone());
            }
            return Secrets::of_parts(self.parts(path, page, parts.unwrap_or_default()));
        }
        if parts.is_some() {
            let message = format!("provider `{}` takes no `credentials`", page.id);
            self.problem(&under(path, "credentials"), Part::Key(0), message, None);
        }
        self.key(path, page, key.as_ref());
        Secrets::of_key(key.unwrap_or_default())
    }

    /// The parts of a credential. `NAME_file` names a file that holds the part `NAME`.
    fn parts(&mut self, path: &[Step], page: &Page, raw: RawParts) -> BTreeMap<String, SecretString> {
        let at = under(path, "credentials");
        let is_skipped = self.is_unusable(path) || self.is_flagged(&at);
        let mut texts: BTreeMap<String, String> = raw.into_iter().map(|(name, value)| (name, value.0.0)).collect();
        let mut secrets = BTreeMap::new();
        for (name, what) in &page.credential.parts {
            let (value, file) = (texts.remove(name), texts.remove(&format!("{name}_file")));
            let is_given = value.is_some() || file.is_some() || self.has_command(&at, name);
            let place = under(&at, name);
            match self.secret(&at, name, value, file.as_deref()) {
                Some(secret) if secret.expose_secret().is_empty() => {
                    let message = format!("`{name}` of `credentials` is empty");
                    self.break_entry(path, message.clone());
                    self.push(&place, Part::Value, message, Some(what.clone()), Reach::Entry);
                }
                Some(secret) => {
                    self.vet(&at, name, secret.expose_secret(), Use::Password);
                    secrets.insert(name.clone(), secret);
                }
                None if is_given || is_skipped => {}
                None => {
                    let message = format!("`credentials` lacks `{name}`, which provider `{}` needs", page.id);
                    self.problem(path, Part::Value, message, Some(what.clone()));
                }
            }
        }
        let known: Vec<&str> = page.credential.parts.keys().map(String::as_str).collect();
        for name in texts.keys() {
            let message = match quote_input::among(name, &known) {
                Some(name) => format!("provider `{}` has no part `{name}` in its `credentials`", page.id),
                None => format!("provider `{}` has no such part in its `credentials`", page.id),
            };
            self.problem(&under(&at, name), Part::Key(0), message, suggestion(name, &known, "parts"));
        }
        secrets
    }

    /// Whether the credential has the form that the provider needs.
    fn key(&mut self, path: &[Step], page: &Page, credential: Option<&SecretString>) {
        let at = under(path, "api_key");
        if self.is_unusable(path) || self.is_flagged(&at) {
            return;
        }
        let note = || page.credential.note.clone();
        match (page.credential.format, credential.map(|secret| secret.expose_secret())) {
            (CredentialFormat::None, None) | (CredentialFormat::Parts, _) => {}
            (CredentialFormat::None, Some(_)) => {
                let field = self.written_as(path, "api_key");
                let message = format!("provider `{}` takes no `{field}`", page.id);
                self.problem(&under(path, &field), Part::Key(0), message, None);
            }
            (_, None) => {
                let message = format!("`api_key` is missing; provider `{}` needs one", page.id);
                self.problem(path, Part::Value, message, note());
            }
            (_, Some("")) => {
                self.break_entry(path, "`api_key` is empty");
                self.push(&at, Part::Value, "`api_key` is empty".to_owned(), note(), Reach::Entry);
            }
            (CredentialFormat::Pair, Some(pair)) => match pair.split_once(':') {
                Some((id, secret)) if !id.trim().is_empty() && !secret.trim().is_empty() => {
                    self.redactor.learn(secret.trim());
                    self.vet(path, "api_key", pair, Use::Key { after: &[] });
                }
                _ => {
                    // What is odd about it may be why it is no pair.
                    self.vet(path, "api_key", pair, Use::Key { after: &[] });
                    if self.is_unusable(path) {
                        return;
                    }
                    let field = self.written_as(path, "api_key");
                    let message = format!("`{field}` must be `AccessKeyId:Secret`");
                    self.break_entry(path, message.clone());
                    self.push(&under(path, &field), Part::Value, message, note(), Reach::Entry);
                }
            },
            (CredentialFormat::Key, Some(key)) => {
                let headers = page.requests().flat_map(|request| request.headers.values());
                let after: Vec<String> =
                    headers.filter_map(|text| Some(text.split_once("{api_key}")?.0.to_owned())).collect();
                self.vet(path, "api_key", key, Use::Key { after: &after });
                if let Some(doubt) = page.credential.doubt(key) {
                    self.advise(
                        &at,
                        &format!("`api_key`: {doubt}"),
                        page.credential.note.as_deref().unwrap_or_default(),
                    );
                }
            }
        }
    }
}
