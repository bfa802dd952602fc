//! The head of an answer, and what it tells: how long to wait, where a redirect leads, whose page it is, by how much the clocks
//! differ.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, SERVER,
    TRANSFER_ENCODING,
};
use url::Url;

use super::address::host;
use super::proxy::Proxy;
use crate::model::failure::{ANOTHER_HOST, Failure, Reason};
use crate::model::text;

/// Clocks that differ by less than this agree: a `Date` has whole seconds, and takes its time to travel.
const SKEW: u64 = 30;

/// Headers of one answer that are looked at.
const MOST_HEADERS: usize = 100;

/// The most that is read of one header, in characters.
const MOST_OF_HEADER: usize = 1000;

/// An answer, whatever its status.
#[derive(Debug, Default)]
pub(crate) struct Response {
    /// The HTTP status.
    pub status: u16,
    /// What the server asks to wait.
    pub retry_after: Option<Duration>,
    /// The headers that are text, with names in small letters; of one that came several times all different values, with line
    /// breaks between them, which no header can hold itself.
    pub headers: BTreeMap<String, String>,
    /// At most 1 MiB, decompressed.
    pub body: Vec<u8>,
    /// Where a redirect that was not followed leads, for people.
    pub(super) redirect: Option<Redirect>,
    /// Of the address that redirects led to: what the address that was asked does not have. It may let somebody in.
    pub(super) followed: Vec<String>,
    /// By how many seconds this machine's clock is ahead of the peer's.
    pub(super) ahead: Option<i64>,
    /// Whether Cloudflare answers, for itself or for a service behind it.
    pub(super) is_cloudflare: bool,
    /// The proxy that could have written this answer: it sees what travels in the clear.
    pub(super) proxy: Option<String>,
    /// Whether nothing but the end of a TLS connection ends the body. The TLS library does not tell an end that the peer has
    /// announced from one that somebody else has made (RFC 9112, section 9.8).
    pub(super) is_open_ended: bool,
}

impl Response {
    /// By how many seconds this machine's clock is ahead of the peer's, if the peer tells the time.
    pub(crate) fn ahead(&self) -> Option<i64> {
        self.ahead
    }
}

/// A redirect that was not followed.
#[derive(Debug)]
pub(super) struct Redirect {
    /// Where it leads, for people, in which [`ANOTHER_HOST`] stands for a host that the peer chose.
    target: String,
    /// That host, or nothing.
    host: String,
}

fn texts(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| -> Option<(String, String)> {
        Some((name.as_str().to_owned(), value.to_str().ok()?.chars().take(MOST_OF_HEADER).collect()))
    };
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers.iter().take(MOST_HEADERS).filter_map(text) {
        let known = all.entry(name).or_insert_with(|| value.clone());
        if !known.split('\n').any(|one| one == value) {
            known.push('\n');
            known.push_str(&value);
        }
    }
    all
}

impl Response {
    /// What the head of an answer says. `follows` is how many redirects to its own host the client has followed before one is its
    /// answer, and `now` when it came.
    ///
    /// # Errors
    /// It is the proxy's: it wants a login, and has passed nothing on.
    pub(super) fn of(
        status: u16,
        headers: &HeaderMap,
        url: &Url,
        proxy: Option<&Proxy>,
        follows: usize,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let word = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        // A tunnel shows nothing to the proxy that it leads through.
        let proxy = proxy.filter(|_| url.scheme() == "http");
        if let (407, Some(proxy)) = (status, proxy) {
            return Err(proxy.refusal(Some(status)));
        }
        let now = SystemTime::from(now);
        let there = word(DATE).and_then(|date| httpdate::parse_http_date(date.trim()).ok());
        Ok(Response {
            status,
            // A date is meant by the clock that wrote it.
            retry_after: word(RETRY_AFTER).and_then(|text| parse_retry_after(text, there.unwrap_or(now))),
            headers: texts(headers),
            body: Vec::new(),
            redirect: (300..400).contains(&status).then(|| target(url, word(LOCATION), follows)),
            followed: Vec::new(),
            ahead: there.map(|there| match now.duration_since(there) {
                Ok(ahead) => ahead.as_secs() as i64,
                Err(behind) => -(behind.duration().as_secs() as i64),
            }),
            is_cloudflare: headers.contains_key("cf-ray") || word(SERVER).is_some_and(|server| server == "cloudflare"),
            proxy: proxy.map(|proxy| proxy.name().to_owned()),
            is_open_ended: url.scheme() == "https"
                && ![CONTENT_LENGTH, TRANSFER_ENCODING, CONTENT_ENCODING].iter().any(|name| headers.contains_key(name)),
        })
    }

    /// The answer, unless its end may be missing and with it digits of a number. What ends in a bracket, a quote or a letter is whole
    /// or cannot be read.
    ///
    /// # Errors
    /// Another attempt may bring all of it.
    pub(super) fn whole(self) -> Result<Response, Failure> {
        let is_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'\'' | b' ');
        if self.is_open_ended && self.body.last().is_some_and(is_number) {
            let message = "the answer ends with a number and says no length, so digits may be missing";
            return Err(Failure::transient(Reason::Protocol, message));
        }
        Ok(self)
    }

    /// An answer that no server gave, for the examples of pages.
    pub(crate) fn with(status: u16, headers: BTreeMap<String, String>, body: Vec<u8>) -> Response {
        Response { status, headers, body, ..Response::default() }
    }

    /// A failure without the path and the query of the address that redirects led to: of it only the host is shown.
    pub(crate) fn without_followed(&self, failure: Failure) -> Failure {
        failure.hiding(self.followed.iter().map(String::as_str))
    }

    /// What is wrong with an answer that does not come from the service that was asked, or not to this question: a redirect,
    /// a port that speaks TLS, a web page in front of the service.
    pub(crate) fn fault(&self) -> Option<Failure> {
        let status = self.status;
        if let Some(Redirect { target, host }) = &self.redirect {
            let message = format!("the answer is a redirect {target} (HTTP {status})");
            let failure = Failure::new(Reason::HttpStatus, message);
            return Some(if host.is_empty() { failure } else { failure.leading_to(host) });
        }
        if status == 400 && self.wants_tls() {
            let message = "the port speaks TLS, but the address begins with `http://`";
            return Some(Failure::new(Reason::Protocol, message).with_hint("write `https://`"));
        }
        if !matches!(status, 403 | 500..=599) {
            return None;
        }
        let title = self.page_title()?;
        let message = format!("a web page answers instead of the service (HTTP {status})");
        let failure = match Failure::of_status(status, message) {
            // Nobody has looked at the key.
            failure if failure.reason == Reason::Auth => Failure { reason: Reason::HttpStatus, ..failure },
            failure => failure,
        };
        let failure = self.through(failure.saying(title));
        Some(if self.is_cloudflare && status == 403 {
            failure.with_hint("Cloudflare stops this machine before the service sees the request")
        } else {
            failure
        })
    }

    /// Whether an answer says that plain HTTP was sent to a port that speaks TLS, in the words of nginx, Apache, Go or Tomcat.
    fn wants_tls(&self) -> bool {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(2048)]).to_lowercase();
        [
            "plain http request was sent to https port",
            "http request to an https server",
            "speaking plain http to an ssl-enabled server port",
            "combination of host and port requires tls",
        ]
        .iter()
        .any(|words| text.contains(words))
    }

    /// Whether the body is a page for people: it begins as one, or is marked as HTML and begins with any tag. Some services send
    /// a plain `ok` as HTML.
    pub(crate) fn is_web_page(&self) -> bool {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(8192)]).to_ascii_lowercase();
        let mut start = text.trim_start_matches('\u{FEFF}').trim_start();
        let is_marked = self.headers.get("content-type").is_some_and(|kind| {
            let kind = kind.to_ascii_lowercase();
            kind.starts_with("text/html") || kind.starts_with("application/xhtml")
        });
        if is_marked && start.starts_with('<') {
            return true;
        }
        // What may stand before the page itself.
        for (begin, end) in [("<?xml", "?>"), ("<!--", "-->")].into_iter().cycle().take(20) {
            if start.starts_with(begin) {
                start = start.split_once(end).map_or("", |(_, rest)| rest).trim_start();
            }
        }
        ["<!doctype html", "<html", "<head", "<body", "<title", "<meta", "<form", "<script", "<style", "<center"]
            .iter()
            .any(|tag| {
                let rest = start.strip_prefix(tag);
                rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_'))
            })
    }

    /// The title of a page for people, empty if it has none; nothing if the body is no such page.
    fn page_title(&self) -> Option<String> {
        let start = String::from_utf8_lossy(&self.body[..self.body.len().min(8192)]);
        let start = start.trim_start_matches('\u{FEFF}').trim_start();
        // What Cloudflare says to programs.
        if self.is_cloudflare && start.starts_with("error code: ") {
            return Some(start.lines().next().unwrap_or_default().to_owned());
        }
        let lower = start.to_ascii_lowercase();
        let is_page = ["<!doctype html", "<html", "<head", "<body", "<title"].iter().any(|tag| lower.contains(tag));
        if !start.starts_with('<') || !is_page {
            return None;
        }
        let title = lower.find("<title").and_then(|at| Some(at + lower[at..].find('>')? + 1));
        let title = title.and_then(|from| Some(&start[from..from + lower[from..].find('<')?]));
        Some(title.unwrap_or_default().to_owned())
    }

    /// A failure of the service, unless it is one of the proxy: from outside they look alike.
    pub(crate) fn through(&self, mut failure: Failure) -> Failure {
        if let Some(proxy) = self.proxy.as_ref().filter(|_| self.status >= 500) {
            failure.message = format!("{}, through the proxy {proxy}", failure.message);
        }
        failure
    }

    /// A refusal with a word on this machine's clock, if that may be the cause: the peer says so, or what it refuses is
    /// signed and the clocks differ.
    pub(crate) fn by_the_clock(&self, failure: Failure, is_signed: bool) -> Failure {
        let is_refusal = matches!(failure.reason, Reason::Auth | Reason::Api | Reason::HttpStatus) && self.status < 500;
        let is_said = is_refusal && speaks_of_time(&failure.describe());
        let skew = self.ahead.filter(|ahead| ahead.unsigned_abs() >= SKEW);
        match (skew, self.ahead) {
            (Some(ahead), _) if is_said || (is_signed && is_refusal && failure.reason == Reason::Auth) => {
                let by = text::span(Duration::from_secs(ahead.unsigned_abs()));
                let way = if ahead > 0 { "ahead of" } else { "behind" };
                failure.with_hint(format!("this machine's clock is {by} {way} the service's"))
            }
            (None, None) if is_said => failure.with_hint("check this machine's clock"),
            _ => failure,
        }
    }
}

/// Whether a refusal is about the time of the request, in the words of those who sign requests.
fn speaks_of_time(text: &str) -> bool {
    let bare: String = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    [
        "invalidtimestamp",
        "timestampisinvalid",
        "timestampexpired",
        "timestampisexpired",
        "timestamphasexpired",
        "timestampout",
        "timestampisout",
        "expiredtimestamp",
        "requestexpired",
        "requesthasexpired",
        "requesttimetooskewed",
        "timetooskewed",
        "clockskew",
        "signatureexpire",
        "signatureisexpired",
        "signaturehasexpired",
        "signaturenotyetcurrent",
    ]
    .iter()
    .any(|words| bare.contains(words))
}

/// Where a redirect leads: a host, never a path. The scheme stands before it if that is what differs.
fn target(from: &Url, location: Option<&str>, follows: usize) -> Redirect {
    let own = |target: String| Redirect { target, host: String::new() };
    let Some(to) = location.and_then(|location| from.join(location).ok()).filter(|to| to.host_str().is_some()) else {
        return own("without an address".to_owned());
    };
    let shown = match to.scheme() == from.scheme() {
        true => host(&to),
        false => format!("{}://{}", to.scheme(), host(&to)),
    };
    match to.origin() == from.origin() {
        true if follows == 0 => own("to its own host, which is not followed".to_owned()),
        true => own(format!("to its own host once more, after {follows} that were followed")),
        // Such a name tells nothing that is not in the one that was asked.
        false if is_within(from, &to) => own(format!("to `{shown}`, which is not followed")),
        false => Redirect { target: format!("to {ANOTHER_HOST}, which is not followed"), host: shown },
    }
}

/// Whether a redirect leads to the host that was asked, or to a domain that this is in.
fn is_within(from: &Url, to: &Url) -> bool {
    let (Some(from), Some(to)) = (from.host_str(), to.host_str()) else { return false };
    from.strip_suffix(to).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// What is new in the address that redirects led to: its path with and without its query, and the parts of both. Short parts
/// are words such as `v2`.
pub(super) fn followed(asked: &Url, last: &Url) -> Vec<String> {
    const SHORTEST: usize = 4;
    let plain = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let parts = |url: &Url| {
        let path = url.path().to_owned();
        let query = url.query().map(|query| format!("{path}?{query}"));
        let segments: Vec<String> = url.path_segments().into_iter().flatten().map(plain).collect();
        let values = url.query_pairs().map(|(_, value)| value.into_owned());
        query.into_iter().chain([path]).chain(segments).chain(values).collect::<Vec<_>>()
    };
    let known = parts(asked);
    parts(last).into_iter().filter(|part| part.len() >= SHORTEST && !known.contains(part)).collect()
}

/// `Retry-After` as seconds or as an HTTP date (RFC 9110 section 10.2.3). Fractions are accepted, as some services send them.
fn parse_retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        let seconds: f64 = text.parse().ok()?;
        return Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests;
