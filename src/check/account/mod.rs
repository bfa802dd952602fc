//! Reading one account: the page's request, signed if it must be, and the page's reading of the answer.

mod catalogue;
mod client;
pub(crate) mod config;
pub(crate) mod page;
mod sign;
mod target;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub(crate) use self::catalogue::catalog;
pub(crate) use self::client::ProviderClient;
use self::page::{Method, Page, Reader, Verdict};
pub(crate) use self::target::Target;
use crate::check::Reading;
use crate::model::failure::{Failure, Reason};
use crate::model::text;
use crate::page::expression::Variables;
use crate::process;
use crate::process::file::Bounds;
use crate::wire::hash::hmac_sha256;
use crate::wire::http::{self, Request};

/// Largest file of an account, in bytes.
const LARGEST_FILE: usize = 1024 * 1024;

/// Everything that one attempt to read an account needs.
#[derive(Clone)]
pub(crate) struct Account {
    /// The provider's page.
    pub page: Arc<Page>,
    /// Its compiled expressions.
    pub reader: Arc<Reader>,
    /// The credential; empty if none is needed.
    pub credential: SecretString,
    /// The options, defaults included.
    pub options: BTreeMap<String, String>,
    /// The wanted currency.
    pub currency: Option<String>,
    /// Where to ask.
    pub target: Target,
    /// Whether the credential may travel unencrypted.
    pub allow_insecure: bool,
    /// Longest time for one request.
    pub timeout: Duration,
}

impl Account {
    /// One attempt to read the balance.
    ///
    /// # Errors
    /// Why there is no reading, and whether another attempt could help.
    pub(crate) fn read(&self, client: &mut ProviderClient, now: Timestamp, left: Duration) -> Result<Reading, Failure> {
        let variables = Variables::new(self.currency.as_deref(), &self.options);
        let timeout = self.timeout.min(left);
        let (url, confirm) = match &self.target {
            Target::File(path) => {
                let body = read_file(path, timeout)?;
                let (Verdict::Read(reading) | Verdict::Unconfirmed(reading)) =
                    self.page.interpret(&self.reader, 200, &body, &variables)?;
                return Ok(reading);
            }
            Target::Http { url, confirm } => (url, confirm),
        };
        let mut spent = Duration::ZERO;
        let verdict = client.ask(&self.request(url, now)?, timeout, &mut spent, |response| {
            self.page.interpret(&self.reader, response.status, &response.body, &variables)
        });
        let (reading, confirm) = match (verdict?, confirm) {
            (Verdict::Unconfirmed(reading), Some(confirm)) => (reading, confirm),
            (Verdict::Read(reading) | Verdict::Unconfirmed(reading), _) => return Ok(reading),
        };
        let left = timeout.saturating_sub(spent).max(Duration::from_millis(1));
        client.ask(&self.request(confirm, now)?, left, &mut spent, |response| {
            self.page.confirm(&self.reader, response.status, &response.body, &variables)
        })?;
        Ok(reading)
    }

    /// A name of what is asked that stays the same across runs: the provider, the host, and a keyed hash of the credential and of
    /// all else that changes the answer. None for a file, which can be read again just as quickly.
    pub(crate) fn fingerprint(&self, key: &str) -> Option<String> {
        let Target::Http { url, .. } = &self.target else {
            return None;
        };
        let options: Vec<String> = self.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let currency = self.currency.as_deref().unwrap_or_default();
        // The page as well: a user's own may be corrected between two runs.
        let page = format!("{:?}", self.page);
        let asked = [self.credential.expose_secret(), currency, &options.join("\0"), &page, url.as_str()].join("\0\0");
        let hash = hmac_sha256(key.as_bytes(), asked.as_bytes());
        let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        // Where it is asked is a part of what is hashed: the path of a gateway may hold a token.
        Some(format!("{} {} {hash}", self.page.id, http::host(url)))
    }

    /// The request, signed for this attempt.
    fn request(&self, url: &Url, now: Timestamp) -> Result<Request, Failure> {
        let spec = &self.page.request;
        let key = self.credential.expose_secret();
        let plain = |template: &str| self.page.fill(template, key, &self.options, str::to_owned);
        let mut url = url.clone();
        // The query of the address itself comes first, then the entries of `query`.
        let mut query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        query.extend(spec.query.iter().map(|(name, value)| (name.clone(), plain(value))));
        if !query.is_empty() && (!spec.query.is_empty() || self.page.sign.is_some()) {
            url.set_query(Some(&sign::canonical_query(&query)));
        }
        let body = spec.body.as_ref().map(|body| {
            // Placeholders stand inside JSON strings, so values are escaped.
            self.page.fill(body, key, &self.options, |value| {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            })
        });
        let mut headers: BTreeMap<String, String> =
            spec.headers.iter().map(|(name, value)| (name.to_lowercase(), plain(value))).collect();
        if body.is_some() {
            headers.entry("content-type".to_owned()).or_insert_with(|| "application/json".to_owned());
        }
        if let Some(scheme) = self.page.sign {
            let (id, secret) = key.split_once(':').unwrap_or_default();
            let signed = scheme.sign(&sign::Unsigned {
                method: if spec.method == Method::Post { "POST" } else { "GET" },
                host: http::host(&url),
                path: url.path(),
                query: &query,
                body: body.as_deref().unwrap_or_default(),
                headers: &headers,
                options: &self.options,
                pair: sign::Pair { id: id.trim(), secret: secret.trim() },
                nonce: format!("{:032x}", fastrand::u128(..)),
                now,
            });
            headers.extend(signed);
        }
        Ok(Request {
            method: if spec.method == Method::Post { reqwest::Method::POST } else { reqwest::Method::GET },
            url,
            headers: header_map(&headers)?,
            body,
        })
    }
}

fn header_map(headers: &BTreeMap<String, String>) -> Result<HeaderMap, Failure> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        // The text is not quoted: it may be a secret in the wrong place.
        let Ok(parsed) = HeaderName::try_from(name.as_str()) else {
            return Err(Failure::new(
                Reason::Config,
                "a header cannot be sent: its name has characters that no name may hold",
            ));
        };
        let Ok(mut value) = HeaderValue::try_from(value.as_str()) else {
            let message =
                format!("the header `{parsed}` cannot be sent: its value has characters that no header may hold");
            return Err(Failure::new(Reason::Config, message));
        };
        value.set_sensitive(true);
        map.insert(parsed, value);
    }
    Ok(map)
}

fn read_file(path: &std::path::Path, patience: Duration) -> Result<Vec<u8>, Failure> {
    let bounds = Bounds { most: LARGEST_FILE, patience };
    process::file::read_alone(path, bounds).map_err(|error| {
        let message = format!("`{}` cannot be read: {}", path.display(), text::io_error(&error));
        match error.kind() {
            std::io::ErrorKind::TimedOut => Failure::transient(Reason::Timeout, message),
            std::io::ErrorKind::FileTooLarge => Failure::new(Reason::Protocol, message),
            _ if process::limits::is_short_of_files(&error) => process::limits::out_of_files(),
            _ => Failure::new(Reason::Config, message),
        }
    })
}
