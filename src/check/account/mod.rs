//! Reading one account: the page's request, signed if it must be, and the page's reading of the answer.

pub mod config;
pub mod page;
mod sign;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use percent_encoding::utf8_percent_encode;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use self::page::{Method, Page, Reader, SignScheme, Verdict};
use crate::check::{Call, CallStatus, Reading};
use crate::model::failure::{Failure, Reason};
use crate::model::text;
use crate::page::expression::Variables;
use crate::process;
use crate::process::file::Bounds;
use crate::process::interrupt::Deadline;
use crate::wire::hash::hmac_sha256;
use crate::wire::http::{self, Clients, Request, Response};
use crate::wire::limit::{Limiter, Place};

/// The embedded pages, one file each.
const CATALOG: [&str; 10] = [
    include_str!("catalog/aliyun.yaml"),
    include_str!("catalog/deepseek.yaml"),
    include_str!("catalog/file.yaml"),
    include_str!("catalog/moonshot.yaml"),
    include_str!("catalog/openrouter.yaml"),
    include_str!("catalog/siliconflow.yaml"),
    include_str!("catalog/tikhub.yaml"),
    include_str!("catalog/uniapi.yaml"),
    include_str!("catalog/volc.yaml"),
    include_str!("catalog/wxrank.yaml"),
];

/// The pages that come with the program, by id, without their examples: those are for the tests, and reading them would
/// take as long as all the rest. A test proves that each page parses.
pub fn catalog() -> Vec<Page> {
    CATALOG.iter().filter_map(|text| parse_page(without_examples(text)).ok()).collect()
}

/// The examples stand last in a page.
fn without_examples(text: &str) -> &str {
    text.split_once("\nexamples:").map_or(text, |(rest, _)| rest)
}

fn parse_page(text: &str) -> Result<Page, serde_yaml::Error> {
    serde_yaml::from_str(text)
}

/// An account with everything that one attempt needs.
#[derive(Clone)]
pub struct Account {
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
    /// Whether the credential may travel in the clear.
    pub allow_insecure: bool,
    /// Longest time for one request.
    pub timeout: Duration,
}

/// Where a balance is read.
#[derive(Clone)]
pub enum Target {
    /// Over HTTP: the address without its query, and that of the second question.
    Http {
        /// The page's `request.url`, moved to the project's `base_url`.
        url: Url,
        /// The page's `confirm.url`, moved likewise.
        confirm: Option<Url>,
    },
    /// From a file.
    File(PathBuf),
}

impl Target {
    /// The target of a page for one project.
    ///
    /// # Errors
    /// Why the address cannot be used.
    pub fn of(
        page: &Page,
        options: &BTreeMap<String, String>,
        base: Option<&Url>,
        folder: &std::path::Path,
    ) -> Result<Target, String> {
        if let Some(file) = &page.request.file {
            return Ok(Target::File(folder.join(page.fill(file, "", options, str::to_owned))));
        }
        let address = |template: &str| -> Result<Url, String> {
            // The key goes to the query or a header, never into the address: a page with a place for it there is refused.
            let text =
                page.fill(template, "", options, |value| utf8_percent_encode(value, text::UNRESERVED).to_string());
            let url = Url::parse(&text).map_err(|error| format!("the provider's address is wrong: {error}"))?;
            Ok(base.map_or_else(|| url.clone(), |base| rebase(&url, base)))
        };
        let url = address(page.request.url.as_deref().unwrap_or_default())?;
        let confirm = page.confirm.as_ref().map(|confirm| address(&confirm.url)).transpose()?;
        Ok(Target::Http { url, confirm })
    }

    /// The host and port that is asked, the key of its circuit; none for a file.
    pub fn host(&self) -> Option<String> {
        match self {
            Target::Http { url, .. } => Some(http::host(url)),
            Target::File(_) => None,
        }
    }

    /// Where it is, for people: of an address only its origin, as a path and a login may hold a token.
    pub fn show(&self) -> String {
        match self {
            Target::Http { url, .. } => url.origin().ascii_serialization(),
            Target::File(path) => path.display().to_string(),
        }
    }
}

/// Moves an address to another base. Where the end of the base's path is the beginning of the address's, it stands once:
/// `http://h/gw/api/v1` and `/api/v1/credits` give `http://h/gw/api/v1/credits`.
fn rebase(url: &Url, base: &Url) -> Url {
    let segments = |url: &Url| -> Vec<String> {
        url.path_segments().into_iter().flatten().filter(|s| !s.is_empty()).map(str::to_owned).collect()
    };
    let (mut prefix, path) = (segments(base), segments(url));
    let shared =
        (1..=prefix.len().min(path.len())).rev().find(|n| prefix[prefix.len() - n..] == path[..*n]).unwrap_or(0);
    prefix.extend_from_slice(&path[shared..]);
    let mut moved = base.clone();
    moved.set_path(&format!("/{}", prefix.join("/")));
    moved.set_query(url.query());
    moved
}

/// Largest file of an account, in bytes.
const LARGEST_FILE: usize = 1024 * 1024;

/// What an account is asked through: the clients, and the rate that the provider is asked at.
pub struct Line<'a> {
    /// The clients.
    pub clients: &'a Clients,
    /// The provider's limit, if it has one.
    pub limiter: Option<&'a Limiter>,
    /// When nothing may be asked any more.
    pub deadline: &'a Deadline,
    /// A place of the limiter that is already taken, for the next request.
    pub place: Option<Place<'a>>,
    /// The requests, as they end.
    pub calls: Vec<Call>,
    /// Whether requests are signed, so that the clocks of both sides must agree.
    pub is_signed: bool,
}

impl Line<'_> {
    /// One request, and what its answer means. `spent` grows by the time that the answer took.
    fn ask<T>(
        &mut self,
        request: &Request,
        timeout: Duration,
        spent: &mut Duration,
        meaning: impl FnOnce(&Response) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut place = self.place.take();
        if let (Some(limiter), None) = (self.limiter, &place) {
            place = Some(limiter.wait(self.deadline)?);
        }
        place.iter_mut().for_each(Place::begin);
        let begin = Instant::now();
        let result = self.clients.read(request, timeout.min(self.deadline.left())).and_then(|response| {
            let meant = response.fault().map_or_else(|| meaning(&response), Err);
            meant.map_err(|failure| {
                let failure = response.through(response.by_the_clock(failure, self.is_signed));
                failure.heeding(response.retry_after)
            })
        });
        let proof = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let result = result.map_err(|failure| failure.at(http::host(&request.url)).hiding(proof));
        *spent += begin.elapsed();
        self.calls.push(Call { status: CallStatus::of(&result), duration: begin.elapsed() });
        result
    }
}

impl Account {
    /// One attempt to read the balance.
    ///
    /// # Errors
    /// Why there is no reading, and whether another attempt could help.
    pub fn read(&self, line: &mut Line, now: Timestamp, left: Duration) -> Result<Reading, Failure> {
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
        let verdict = line.ask(&self.request(url, now)?, timeout, &mut spent, |response| {
            self.page.interpret(&self.reader, response.status, &response.body, &variables)
        });
        let (reading, confirm) = match (verdict?, confirm) {
            (Verdict::Unconfirmed(reading), Some(confirm)) => (reading, confirm),
            (Verdict::Read(reading) | Verdict::Unconfirmed(reading), _) => return Ok(reading),
        };
        let left = timeout.saturating_sub(spent).max(Duration::from_millis(1));
        line.ask(&self.request(confirm, now)?, left, &mut spent, |response| {
            self.page.confirm(&self.reader, response.status, &response.body, &variables)
        })?;
        Ok(reading)
    }

    /// Names what is asked, across runs: provider, endpoint and a keyed hash of the credential and of what else changes the
    /// answer. None for a file, which is as quickly read again.
    pub fn fingerprint(&self, key: &str) -> Option<String> {
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
        // What the address itself asks stays, before what stands under `query`.
        let mut query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        query.extend(spec.query.iter().map(|(name, value)| (name.clone(), plain(value))));
        if !query.is_empty() && (!spec.query.is_empty() || self.page.sign.is_some()) {
            url.set_query(Some(&sign::canonical_query(&query)));
        }
        let body = spec.body.as_ref().map(|body| {
            // Filled inside JSON strings, so escaped like them.
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
            let request = sign::Unsigned {
                method: if spec.method == Method::Post { "POST" } else { "GET" },
                host: http::host(&url),
                path: url.path(),
                query: &query,
                body: body.as_deref().unwrap_or_default(),
            };
            let pair = sign::Pair { id: id.trim(), secret: secret.trim() };
            let option = |name: &str| self.options.get(name).map_or("", String::as_str);
            let signed = match scheme {
                SignScheme::VolcHmacSha256 => sign::volc(&request, &pair, option("region"), option("service"), now),
                SignScheme::AliyunAcs3 => {
                    let nonce = format!("{:032x}", fastrand::u128(..));
                    sign::acs3(&request, &pair, &headers, &nonce, now)
                }
            };
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
        // What is no name may be a value in the wrong place.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::failure::Retry;

    #[test]
    fn every_page_parses_and_its_examples_hold() {
        let mut examples = 0;
        for text in CATALOG {
            let page = parse_page(text).unwrap();
            assert!(page.examples.len() >= 2, "{} needs examples of a reading and of a failure", page.id);
            for example in &page.examples {
                if let Err(why) = page.try_example(example) {
                    panic!("{}: {why}", page.id);
                }
                examples += 1;
            }
            // What every page must make of answers that hold no balance.
            if page.id != "file" {
                let reader = page.reader(&page.options_with_defaults(&BTreeMap::new())).unwrap();
                let variables = Variables::new(None, &page.options_with_defaults(&BTreeMap::new()));
                for body in ["", "{}", "[]", "null", "<html>login</html>", "\"x\"", "0", "{\"data\":null}", "\u{FFFD}"]
                {
                    let result = page.interpret(&reader, 200, body.as_bytes(), &variables);
                    assert!(result.is_err(), "{} reads {body:?} as {result:?}", page.id);
                }
                for (status, reason) in
                    [(401, Reason::Auth), (403, Reason::Auth), (429, Reason::RateLimited), (503, Reason::HttpStatus)]
                {
                    let failure = page.interpret(&reader, status, b"<html>", &variables).unwrap_err();
                    assert_eq!(failure.reason, reason, "{} {status}", page.id);
                    assert_eq!(failure.retry == Retry::Soon, status == 429 || status == 503);
                }
            }
        }
        assert!(examples > 30, "{examples}");
        let whole = CATALOG.map(|text| Page { examples: Vec::new(), ..parse_page(text).unwrap() });
        assert_eq!(format!("{:?}", catalog()), format!("{whole:?}"), "only the examples may be missing");
    }

    #[test]
    fn a_base_replaces_scheme_host_and_prefix() {
        for (url, base, want) in [
            ("https://a.io/api/v1/credits", "http://127.0.0.1:9", "http://127.0.0.1:9/api/v1/credits"),
            ("https://a.io/api/v1/credits", "http://h/gw", "http://h/gw/api/v1/credits"),
            ("https://a.io/api/v1/credits", "http://h/gw/", "http://h/gw/api/v1/credits"),
            ("https://a.io/api/v1/credits", "http://h/gw/api/v1", "http://h/gw/api/v1/credits"),
            ("https://a.io/api/v1/credits", "http://h/api", "http://h/api/v1/credits"),
            ("https://a.io/", "http://h:8/p", "http://h:8/p"),
            ("https://a.io/", "http://h:8", "http://h:8/"),
        ] {
            assert_eq!(rebase(&Url::parse(url).unwrap(), &Url::parse(base).unwrap()).as_str(), want);
        }
    }
}
