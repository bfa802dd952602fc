//! How a config says that somebody logs in to a mailbox.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::model::text;
use crate::yaml::address::web_address;
use crate::yaml::credential::Use;
use crate::yaml::field::fields;
use crate::yaml::path::{Part, Step, under};
use crate::yaml::reader::ConfigReader;

/// What a token of Microsoft's must be for.
const MICROSOFT_SCOPE: &str = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access";

/// The tenant of Microsoft's that everybody belongs to.
const TENANT: &str = "common";

/// How to log in to a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum MailAuth {
    /// User and password
    #[default]
    Password,
    /// A token by XOAUTH2
    Xoauth2,
}

fields! {
    /// Where the tokens of a mailbox come from.
    pub(crate) struct RawOauth2 {
        /// google, microsoft, or custom with a `token_url`.
        provider: OauthProvider, default = "custom";
        /// The client.
        client_id: String, required = true;
        /// Its secret, if it has one.
        client_secret: String;
        /// A file that holds the secret.
        client_secret_file: String;
        /// The refresh token.
        refresh_token: String;
        /// A file that holds the refresh token.
        refresh_token_file: String;
        /// The tenant, for microsoft.
        tenant: String, default = TENANT;
        /// The address of the token endpoint.
        token_url: String;
    }
}

/// Who gives tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum OauthProvider {
    /// Google
    Google,
    /// Microsoft
    Microsoft,
    /// Somebody else
    #[default]
    Custom,
}

/// How to log in to a mailbox.
#[derive(Clone)]
pub(crate) enum MailLogin {
    /// With a password.
    Password(SecretString),
    /// With a token that is fetched first.
    Oauth2(Oauth2),
}

/// Where tokens come from (RFC 6749 section 6).
#[derive(Clone)]
pub(crate) struct Oauth2 {
    /// The token endpoint.
    pub token_url: Url,
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<SecretString>,
    pub refresh_token: SecretString,
    /// What the token is for, where the endpoint wants to hear it.
    pub scope: Option<&'static str>,
}

impl ConfigReader<'_> {
    /// The login with a password, which must be there.
    pub(super) fn password(&mut self, path: &[Step], password: Option<SecretString>) -> Option<MailLogin> {
        if password.is_none() && !self.is_unusable(path) && !self.is_flagged(&under(path, "password")) {
            let hint = Some("set `password`, `password_file`, or `auth: xoauth2`".to_owned());
            self.problem(path, Part::Value, "`password` is missing", hint);
        }
        if let Some(password) = &password {
            self.vet(path, "password", password.expose_secret(), Use::Password);
        }
        password.map(MailLogin::Password)
    }

    /// Where tokens come from.
    pub(super) fn oauth2(&mut self, path: &[Step], raw: RawOauth2) -> Option<Oauth2> {
        let client_secret = self.secret(path, "client_secret", raw.client_secret, raw.client_secret_file.as_deref());
        let refresh_token = self.secret(path, "refresh_token", raw.refresh_token, raw.refresh_token_file.as_deref());
        for (field, secret) in [("client_secret", &client_secret), ("refresh_token", &refresh_token)] {
            if let Some(secret) = secret {
                self.vet(path, field, secret.expose_secret(), Use::Key { after: &[] });
            }
        }
        let provider = raw.provider.unwrap_or_default();
        let (url, scope) = match provider {
            OauthProvider::Google => ("https://oauth2.googleapis.com/token".to_owned(), None),
            OauthProvider::Microsoft => {
                let tenant = raw.tenant.as_deref().unwrap_or(TENANT);
                let tenant = percent_encoding::utf8_percent_encode(tenant, text::UNRESERVED);
                (format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"), Some(MICROSOFT_SCOPE))
            }
            OauthProvider::Custom => (String::new(), None),
        };
        let url = raw.token_url.unwrap_or(url);
        for (field, there) in [
            ("client_id", raw.client_id.is_some()),
            ("refresh_token", refresh_token.is_some()),
            ("token_url", !url.is_empty()),
        ] {
            if !there && !self.is_unusable(path) && !self.is_flagged(&under(path, field)) {
                self.problem(path, Part::Value, format!("`oauth2.{field}` is missing"), None);
            }
        }
        let token_url: Option<Url> =
            (!url.is_empty()).then(|| web_address(url.trim())).and_then(|parsed| match parsed {
                Ok(url) => {
                    self.redactor.learn_address(&url);
                    Some(url)
                }
                Err(why) => {
                    self.problem(&under(path, "token_url"), Part::Value, format!("`token_url` {why}"), None);
                    None
                }
            });
        Some(Oauth2 {
            token_url: token_url?,
            client_id: raw.client_id?,
            client_secret,
            refresh_token: refresh_token?,
            scope,
        })
    }
}
