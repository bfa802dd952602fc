//! The head of an answer, and what it tells: how long to wait, where a redirect leads, whose page it is, by how much the clocks
//! differ.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use percent_encoding::percent_decode_str;
use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, SERVER};
use url::Url;

use super::address::host;
use super::proxy::Proxy;
use crate::model::failure::{ANOTHER_HOST, Failure, Reason};
use crate::model::text;
use crate::process::clock;

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
    /// answer.
    ///
    /// # Errors
    /// It is the proxy's: it wants a login, and has passed nothing on.
    pub(super) fn of(
        status: u16,
        headers: &HeaderMap,
        url: &Url,
        proxy: Option<&Proxy>,
        follows: usize,
    ) -> Result<Response, Failure> {
        let word = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        // A tunnel shows nothing to the proxy that it leads through.
        let proxy = proxy.filter(|_| url.scheme() == "http");
        if let (407, Some(proxy)) = (status, proxy) {
            return Err(proxy.refusal(Some(status)));
        }
        let now = SystemTime::from(clock::now());
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
        })
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
mod tests {
    use super::*;
    use crate::process::redact::Redactor;
    use crate::wire::http::MOST_REDIRECTS;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::now();
        let parse = |text: &str| parse_retry_after(text, now);
        assert_eq!(parse(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(parse("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        let soon = now + Duration::from_secs(3600);
        let parsed = parse(&httpdate::fmt_http_date(soon)).unwrap();
        assert!(parsed > Duration::from_secs(3000) && parsed <= Duration::from_secs(3600));
        assert_eq!(parse("99999999999999999999"), Some(Duration::MAX));
        for bad in ["", "-1", "soon", "NaN", "inf", "1e3", "1.2.3"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
        answer_after(MOST_REDIRECTS, status, headers, body)
    }

    #[test]
    fn a_header_that_comes_twice_keeps_all_its_different_values() {
        for (headers, want) in [
            (vec![("x-balance", "5")], "5"),
            (vec![("x-balance", "5"), ("x-balance", "5")], "5"),
            (vec![("x-balance", "5"), ("x-balance", "50"), ("x-balance", "5")], "5\n50"),
        ] {
            assert_eq!(answer(200, &headers, "").headers["x-balance"], want, "{headers:?}");
        }
    }

    fn answer_after(follows: usize, status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let url = Url::parse("http://api.example:8080/v1?key=Secret").unwrap();
        let response = Response::of(status, &HeaderMap::from_iter(headers), &url, None, follows).unwrap();
        Response { body: body.into(), ..response }
    }

    #[test]
    fn a_retry_date_is_meant_by_the_clock_of_its_writer() {
        let at = |seconds: u64| httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        for (date, again, want) in [(1_000_000, 1_000_007, 7), (4_000_000_000, 4_000_000_007, 7), (1000, 900, 0)] {
            let response = answer(429, &[("date", &at(date)), ("retry-after", &at(again))], "");
            assert_eq!(response.retry_after, Some(Duration::from_secs(want)));
        }
    }

    #[test]
    fn of_a_redirect_that_was_followed_nothing_new_is_said() {
        let url = |text: &str| Url::parse(text).unwrap();
        let asked = url("https://api.example/v2/balance?user=joe");
        let last = url("https://api.example/v2/hook/sesame?user=joe&pass=open%20door");
        let response = Response { followed: followed(&asked, &last), ..Response::default() };
        let said = "no /v2/hook/sesame, not sesame or open door; no balance of joe";
        let failure = response.without_followed(Failure::new(Reason::Auth, "x").saying(said));
        assert_eq!(failure.said(), Some("no ***, not *** or ***; no balance of joe"));
        assert_eq!(followed(&asked, &asked), Vec::<String>::new());
    }

    #[test]
    fn a_redirect_names_its_host_and_nothing_more() {
        for (location, want) in [
            ("https://other.example/login?token=Secret", "to `https://other.example`, which is not followed"),
            ("http://other.example:81/Secret", "to `other.example:81`, which is not followed"),
            ("https://api.example:8080/", "to `https://api.example:8080`, which is not followed"),
            ("//other.example/x", "to `other.example`, which is not followed"),
            ("http://user:Secret@other.example/", "to `other.example`, which is not followed"),
            ("/again", "to its own host once more, after 5 that were followed"),
            ("mailto:Secret", "without an address"),
            ("http://", "without an address"),
        ] {
            let failure = answer(302, &[("location", location)], "").fault().unwrap().settle(&Redactor::default());
            assert_eq!(failure.message, format!("the answer is a redirect {want} (HTTP 302)"), "{location}");
            assert_eq!((failure.reason, failure.retry), (Reason::HttpStatus, crate::model::failure::Retry::Never));
        }
        let unfollowed = answer_after(0, 307, &[("location", "/again")], "").fault().unwrap().message;
        assert_eq!(unfollowed, "the answer is a redirect to its own host, which is not followed (HTTP 307)");
        assert!(answer(301, &[], "").fault().unwrap().message.contains("without an address"));
    }

    #[test]
    fn a_redirect_to_a_host_that_holds_a_piece_of_a_secret_does_not_name_it() {
        let redactor = Redactor::default();
        redactor.learn("Zk7Qw92LmXv4Tb8NrP1sYd6HgC3jFa5E");
        for label in ["zk7qw92lmxv4", "x.lmxv.4tb8.nrp1", "ljvtoulxhezey3kyoy2fiyry"] {
            for to in [format!("http://{label}.evil.example/"), format!("https://{label}.api.example/")] {
                let failure = answer(302, &[("location", &to)], "").fault().unwrap().settle(&redactor);
                assert_eq!(
                    failure.message, "the answer is a redirect to another host, which is not followed (HTTP 302)",
                    "{to}"
                );
            }
        }
    }

    #[test]
    fn a_web_page_is_not_the_service() {
        let page = "\u{FEFF} <!DOCTYPE html><html><head><title>Just a moment...</title></head></html>";
        for (status, headers, body, reason, passes) in [
            (403, &[("server", "cloudflare")][..], page, Some(Reason::HttpStatus), false),
            (403, &[], "<html>no title</html>", Some(Reason::HttpStatus), false),
            (403, &[("cf-ray", "x")], "error code: 1020", Some(Reason::HttpStatus), false),
            (403, &[], "error code: 1020", None, false),
            (503, &[], page, Some(Reason::HttpStatus), true),
            (502, &[], "<HTML><TITLE>502 Bad Gateway", Some(Reason::HttpStatus), true),
            (511, &[], page, Some(Reason::HttpStatus), false),
            (403, &[], "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", None, false),
            (403, &[], r#"{"message": "<html>"}"#, None, false),
            (503, &[], "", None, false),
            (401, &[], page, None, false),
            (404, &[], page, None, false),
            (200, &[], page, None, false),
        ] {
            let fault = answer(status, headers, body).fault();
            assert_eq!(fault.as_ref().map(|fault| fault.reason), reason, "{status} {body}");
            assert_eq!(
                fault.is_some_and(|fault| fault.retry != crate::model::failure::Retry::Never),
                passes,
                "{status} {body}"
            );
        }
        let failure = answer(403, &[("server", "cloudflare")], page).fault().unwrap();
        assert_eq!(failure.said(), Some("Just a moment..."));
        assert!(failure.hint.unwrap().contains("Cloudflare"));
    }

    #[test]
    fn a_web_page_is_known_by_its_beginning_or_by_its_type() {
        for (kind, body, is_page) in [
            ("", "\u{FEFF} <!DOCTYPE html><html>", true),
            ("", "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"x\">", true),
            ("", "<!-- a --><!-- b -->\n<HTML lang=en>", true),
            ("", "<head>", true),
            ("", "<body class=x>", true),
            ("", "<meta charset=utf-8>", true),
            ("", "<form action=/login>", true),
            ("", "<script>x</script>", true),
            ("Text/HTML; charset=utf-8", "<div>Sign in</div>", true),
            ("text/html", "ok", false),
            ("text/html", r#"{"ok": true}"#, false),
            ("application/xml", "<?xml version=\"1.0\"?><response>ok</response>", false),
            ("", "<header><code>0</code></header>", false),
            ("", "ok", false),
            ("", "", false),
        ] {
            let headers = [("content-type", kind)];
            let headers = if kind.is_empty() { &headers[..0] } else { &headers[..] };
            assert_eq!(answer(200, headers, body).is_web_page(), is_page, "{kind} {body}");
        }
    }

    #[test]
    fn plain_http_on_a_tls_port_is_said() {
        for body in [
            "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>",
            "Client sent an HTTP request to an HTTPS server.\n",
            "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
            "Bad Request\nThis combination of host and port requires TLS.\r\n",
        ] {
            let failure = answer(400, &[], body).fault().unwrap();
            assert_eq!(failure.hint.as_deref(), Some("write `https://`"), "{body}");
        }
        assert!(answer(400, &[], r#"{"error": "bad request"}"#).fault().is_none());
    }

    #[test]
    fn a_clock_that_is_wrong_is_named_where_it_may_be_the_cause() {
        let date = |ahead: i64| {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
            httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs((now - ahead) as u64))
        };
        let refusal = |reason, said: &str| Failure::new(reason, "refused").saying(said);
        for (ahead, failure, is_signed, want) in [
            (Some(1410), refusal(Reason::Auth, "SignatureDoesNotMatch"), true, Some("23 min ahead of")),
            (Some(-1410), refusal(Reason::Auth, "SignatureDoesNotMatch"), true, Some("23 min behind")),
            (Some(1), refusal(Reason::Auth, "SignatureDoesNotMatch"), true, None),
            (None, refusal(Reason::Auth, "SignatureDoesNotMatch"), true, None),
            (Some(1410), refusal(Reason::Auth, "Invalid API key"), false, None),
            (Some(1410), refusal(Reason::Api, "no such account"), true, None),
            (
                Some(-7500),
                refusal(Reason::Api, "InvalidTimeStamp.Expired: Specified time stamp"),
                false,
                Some("2 h behind"),
            ),
            (None, refusal(Reason::Api, "InvalidTimestamp: x"), false, Some("check this machine's clock")),
            (None, refusal(Reason::HttpStatus, "RequestExpired"), false, Some("check this machine's clock")),
            (None, refusal(Reason::Auth, "RequestTimeTooSkewed"), false, Some("check this machine's clock")),
            (None, refusal(Reason::Auth, "Timestamp expired"), false, Some("check this machine's clock")),
            (None, refusal(Reason::Auth, "AuthFailure.SignatureExpire"), false, Some("check this machine's clock")),
            (Some(2), refusal(Reason::Auth, "Timestamp expired"), false, None),
            (None, refusal(Reason::Decode, "timestamp expired"), false, None),
        ] {
            let headers = ahead.map(date);
            let headers: Vec<(&str, &str)> = headers.iter().map(|date| ("date", date.as_str())).collect();
            let text = failure.describe();
            let hint = answer(403, &headers, "").by_the_clock(failure, is_signed).hint;
            let is_right = match want {
                Some(want) => hint.as_ref().is_some_and(|hint| hint.contains(want)),
                None => hint.is_none(),
            };
            assert!(is_right, "{ahead:?} {text}: {hint:?}");
        }
    }
}
