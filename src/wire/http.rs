//! The HTTP clients, and what they share: proxies, trust store, body cap, the wording of what went wrong.
//!
//! `reqwest` reads providers; `ureq` sends alerts, so that a wedged read pool can never hold one back. One attempt
//! each, no loop: `retry` owns that.

#![allow(
    clippy::disallowed_types,
    reason = "this is where clients are built, with our time-outs, proxies and trust store"
)]

mod body;
mod proxy;
mod readers;
mod sender;
mod trust;

use std::error::Error as _;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use percent_encoding::percent_decode_str;
pub(crate) use reqwest::Method;
use reqwest::blocking::Client;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, DATE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER, SERVER};
use secrecy::{ExposeSecret, SecretString};
use ureq::SendBody;
use url::{Host, Url};

use self::proxy::Proxies;
pub(crate) use self::proxy::Proxy;
use self::readers::{Built, Readers};
use self::trust::TrustStore;
use crate::model::failure::{Failure, Reason};
use crate::model::text;
use crate::process::surroundings::Surroundings;
use crate::process::{clock, limits};
use crate::wire::auth::Pair;
use crate::wire::lookup;

/// Redirects followed within one origin.
const MOST_REDIRECTS: usize = 5;
/// How long the end of reading may take.
const MOST_FOR_END: Duration = Duration::from_millis(500);
const USER_AGENT: &str = concat!("balance-alert/", env!("CARGO_PKG_VERSION"));
/// Clocks that differ by less than this agree: a `Date` has whole seconds, and takes its time to travel.
const SKEW: u64 = 30;
/// How answers may be compressed. What else a server might use, nobody asked for.
const ACCEPTED: &str = "gzip";
/// The hint for an authority that nobody knows.
const PRIVATE_AUTHORITY: &str = "for a private authority set SSL_CERT_FILE";

/// A request to a provider.
pub(crate) struct Request {
    /// GET or POST.
    pub method: Method,
    /// The full address.
    pub url: Url,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<String>,
}

/// An answer, whatever its status.
#[derive(Debug, Default)]
pub(crate) struct Response {
    /// The HTTP status.
    pub status: u16,
    /// What the server asks to wait.
    pub retry_after: Option<Duration>,
    /// At most 1 MiB, decompressed.
    pub body: Vec<u8>,
    /// Where a redirect that was not followed leads, for people.
    redirect: Option<String>,
    /// Of the address that redirects led to: what the address that was asked does not have. It may let somebody in.
    followed: Vec<String>,
    /// By how many seconds this machine's clock is ahead of the peer's.
    ahead: Option<i64>,
    /// Whether Cloudflare answers, for itself or for a service behind it.
    is_cloudflare: bool,
    /// The proxy that could have written this answer: it sees what travels in the clear.
    proxy: Option<String>,
}

/// A message to a service.
pub(crate) struct Outgoing<'a> {
    /// `POST` or `PUT`.
    pub method: Method,
    /// Where to.
    pub url: &'a Url,
    /// What `body` is.
    pub content_type: &'static str,
    /// The headers that prove who sends it, and that it is unchanged.
    pub proof: Vec<Pair>,
    /// What.
    pub body: &'a str,
    /// Set once the body is on its way: from then on the message may arrive, whatever answer comes or does not come.
    pub is_out: &'a AtomicBool,
}

/// A body that tells when all of it was handed over to the connection. What comes before (the name, the connection, TLS, the
/// head of the request) has succeeded by then.
struct Watched<'a> {
    rest: &'a [u8],
    is_out: &'a AtomicBool,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.rest.read(buffer)?;
        if self.rest.is_empty() {
            self.is_out.store(true, Ordering::SeqCst);
        }
        Ok(count)
    }
}

/// The clients of a run: those that read and the one that sends. Nothing is opened until it is used.
#[derive(Default)]
pub(crate) struct Clients {
    proxies: Arc<Proxies>,
    trust: TrustStore,
    readers: Readers,
    sender: OnceLock<ureq::Agent>,
    /// Idle connections that a reading client keeps to one host; none for as many as there are.
    idle: Option<usize>,
}

impl Clients {
    /// The clients of a process with these proxies and authorities.
    pub(crate) fn new(surroundings: &Surroundings) -> Clients {
        Clients {
            proxies: Arc::new(Proxies::new(surroundings)),
            trust: TrustStore::new(surroundings),
            ..Clients::default()
        }
    }

    /// The same, of which the reading one keeps so many idle connections to one host.
    #[must_use]
    pub(crate) fn keeping(mut self, idle: usize) -> Clients {
        self.idle = Some(idle);
        self
    }

    /// What of the variables cannot be used, for the user.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.proxies.problems().into_iter().chain(self.trust.problems()).collect()
    }

    /// The passwords of the proxies.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        self.proxies.secrets()
    }

    /// The proxy that an address is asked through, if there is one.
    pub(crate) fn proxy(&self, url: &Url) -> Option<&Proxy> {
        self.proxies.of(url).ok().flatten()
    }

    /// Builds a client that reads; `has_others` says whether there are some already.
    fn build_reader(&self, has_others: bool) -> Built {
        let connector = match self.trusting() {
            Ok(connector) => connector,
            Err(failure) => return Built::Broken(failure),
        };
        if has_others && !limits::has_room_for_runtimes() {
            return Built::Impossible;
        }
        if !limits::has_room_for_runtime() {
            log::info!("reading and sending share one HTTP client: this process may open few files");
            return Built::Impossible;
        }
        let proxies = Arc::clone(&self.proxies);
        let built = Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED))]))
            .use_preconfigured_tls(connector)
            .redirect(reqwest::redirect::Policy::custom(same_origin))
            .proxy(reqwest::Proxy::custom(move |url| proxies.of(url).ok().flatten()?.address()))
            .referer(false)
            .timeout(None)
            .pool_max_idle_per_host(self.idle.unwrap_or(usize::MAX))
            .dns_resolver(Arc::new(lookup::ForReading))
            .build();
        built.map_or_else(
            |error| {
                log::info!("there is no HTTP client more for reading: {}", describe_chain(&error));
                Built::Impossible
            },
            Built::Client,
        )
    }

    /// Gives back what reading holds: its threads and its idle connections. What still hangs in a request keeps them until that
    /// is over.
    pub(crate) fn end_reading(&self) {
        self.readers.end();
    }

    /// The TLS connector, or that the files which the environment names cannot be used.
    fn trusting(&self) -> Result<native_tls::TlsConnector, Failure> {
        self.trust.connector().map_err(|why| Failure::new(Reason::Config, format!("no TLS: {why}")))
    }

    /// The run's one TLS connector, for what speaks no HTTP.
    ///
    /// # Errors
    /// Why the trust store cannot be used.
    pub(crate) fn tls(&self) -> Result<native_tls::TlsConnector, String> {
        self.trust.connector()
    }

    /// One attempt to read.
    ///
    /// # Errors
    /// What kept an answer from coming; an answer with any status is no error here.
    pub(crate) fn read(&self, request: &Request, timeout: Duration) -> Result<Response, Failure> {
        let host = host(&request.url);
        let proxy = self.proxies.of(&request.url).map_err(|failure| failure.at(host.clone()))?;
        let lease = self.readers.lease(&host, |has_others| self.build_reader(has_others))?;
        let Some((lease, client)) = lease.as_ref().and_then(|lease| Some((lease, lease.client()?))) else {
            return self.read_without_thread(request, timeout);
        };
        let result = read_with(client, request, timeout, proxy);
        if result.as_ref().is_err_and(|failure| failure.reason == Reason::Timeout) {
            lease.give_up();
        }
        result.map_err(|failure| failure.at(host))
    }

    /// One attempt to read with the client that needs no thread of its own. It follows no redirect.
    fn read_without_thread(&self, request: &Request, timeout: Duration) -> Result<Response, Failure> {
        let mut builder = ureq::http::Request::builder().method(request.method.as_str()).uri(request.url.as_str());
        // The descriptor of a connection that is kept may be the one that sending needs.
        builder = builder.header("connection", "close");
        if !request.headers.contains_key(ACCEPT_ENCODING) {
            builder = builder.header("accept-encoding", ACCEPTED);
        }
        for (name, value) in &request.headers {
            builder = builder.header(name.as_str(), value.as_bytes());
        }
        match &request.body {
            Some(body) => self.run(&request.url, builder.body(body.as_str()), timeout, None),
            None => self.run(&request.url, builder.body(()), timeout, None),
        }
    }

    /// One attempt to send.
    ///
    /// # Errors
    /// What kept an answer from coming; an answer with any status is no error here.
    pub(crate) fn send(&self, message: &Outgoing, timeout: Duration) -> Result<Response, Failure> {
        let mut request = ureq::http::Request::builder()
            .method(message.method.as_str())
            .uri(message.url.as_str())
            .header("content-type", message.content_type)
            .header("content-length", message.body.len());
        for (name, value) in &message.proof {
            request = request.header(name.as_str(), value.expose_secret());
        }
        let mut body = Watched { rest: message.body.as_bytes(), is_out: message.is_out };
        self.run(message.url, request.body(SendBody::from_reader(&mut body)), timeout, Some(message.is_out))
    }

    /// One request of the sending client; `is_out` says whether it may have reached the peer.
    fn run<B: ureq::AsSendBody>(
        &self,
        url: &Url,
        request: Result<ureq::http::Request<B>, ureq::http::Error>,
        timeout: Duration,
        is_out: Option<&AtomicBool>,
    ) -> Result<Response, Failure> {
        let start = Instant::now();
        let about = |failure: Failure| failure.at(host(url));
        let proxy = self.proxies.of(url).map_err(about)?;
        if url.scheme() == "https" {
            self.trusting()?;
        }
        let agent = self.sender.get_or_init(|| sender::agent(Arc::clone(&self.proxies), self.trust.clone()));
        // Methods, addresses and headers were checked when the config was read; the text of the error may hold them.
        let request = request
            .map_err(|_| Failure::new(Reason::Config, "the request cannot be made of this address and login"))?;
        let request = agent.configure_request(request).timeout_global(Some(timeout)).build();
        let mut answer = agent.run(request).map_err(|error| about(sender::failure(&error, timeout, url, proxy)))?;
        let response = Response::of(answer.status().as_u16(), answer.headers(), url, proxy, 0).map_err(|refusal| {
            if let Some(is_out) = is_out {
                // The proxy took it, and passed nothing on.
                is_out.store(false, Ordering::SeqCst);
            }
            about(refusal)
        })?;
        let encoding = labels(answer.headers());
        let body = body::read(&mut answer.body_mut().as_reader(), start, timeout);
        let body = match body.and_then(|body| body::decompressed(body, &encoding)) {
            // The status alone is a refusal, whatever words were to follow.
            Err(_) if !(200..300).contains(&response.status) => Vec::new(),
            body => body.map_err(about)?,
        };
        Ok(Response { body, ..response })
    }
}

/// One attempt to read with a client.
fn read_with(
    client: &Client,
    request: &Request,
    timeout: Duration,
    proxy: Option<&Proxy>,
) -> Result<Response, Failure> {
    let start = Instant::now();
    let mut builder =
        client.request(request.method.clone(), request.url.clone()).headers(request.headers.clone()).timeout(timeout);
    if let Some(body) = &request.body {
        builder = builder.body(body.clone());
    }
    let mut answer = builder.send().map_err(|error| read_failure(error, timeout, &request.url, proxy))?;
    let response = Response::of(answer.status().as_u16(), answer.headers(), answer.url(), proxy, MOST_REDIRECTS)?;
    let encoding = labels(answer.headers());
    let body = body::read(&mut answer, start, timeout)?;
    let followed = followed(&request.url, answer.url());
    Ok(Response { body: body::decompressed(body, &encoding)?, followed, ..response })
}

/// The host of an address, with the port where it is not the scheme's own: for people, and for the `Host` header.
pub(crate) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether an address is this machine: what is sent there never travels.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => {
            let address = std::net::IpAddr::V6(address).to_canonical();
            address.is_loopback() || address.is_unspecified()
        }
        None => false,
    }
}

/// Follows a redirect only to the same scheme, host and port: a credential must not travel elsewhere.
fn same_origin(attempt: reqwest::redirect::Attempt) -> reqwest::redirect::Action {
    let here = attempt.previous().last().map(Url::origin);
    if here.as_ref() == Some(&attempt.url().origin()) && attempt.previous().len() <= MOST_REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

fn labels(headers: &HeaderMap) -> String {
    let labels = headers.get_all(CONTENT_ENCODING).into_iter().filter_map(|label| label.to_str().ok());
    labels.collect::<Vec<_>>().join(",")
}

impl Response {
    /// What the head of an answer says. `follows` is how many redirects to its own host the client has followed before one is its
    /// answer.
    ///
    /// # Errors
    /// It is the proxy's: it wants a login, and has passed nothing on.
    fn of(
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

    /// A failure without the path and the query of the address that redirects led to: of it only the host is shown.
    pub(crate) fn without_followed(&self, failure: Failure) -> Failure {
        failure.hiding(self.followed.iter().map(String::as_str))
    }

    /// What is wrong with an answer that does not come from the service that was asked, or not to this question: a redirect,
    /// a port that speaks TLS, a web page in front of the service.
    pub(crate) fn fault(&self) -> Option<Failure> {
        let status = self.status;
        if let Some(target) = &self.redirect {
            let message = format!("the answer is a redirect {target} (HTTP {status})");
            return Some(Failure::new(Reason::HttpStatus, message));
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
fn target(from: &Url, location: Option<&str>, follows: usize) -> String {
    let Some(to) = location.and_then(|location| from.join(location).ok()).filter(|to| to.host_str().is_some()) else {
        return "without an address".to_owned();
    };
    match (to.origin() == from.origin(), to.scheme() == from.scheme()) {
        (true, _) if follows == 0 => "to its own host, which is not followed".to_owned(),
        (true, _) => format!("to its own host once more, after {follows} that were followed"),
        (false, true) => format!("to `{}`, which is not followed", host(&to)),
        (false, false) => format!("to `{}://{}`, which is not followed", to.scheme(), host(&to)),
    }
}

/// What is new in the address that redirects led to: its path with and without its query, and the parts of both. Short parts
/// are words such as `v2`.
fn followed(asked: &Url, last: &Url) -> Vec<String> {
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

/// The failure of a request that took too long.
pub(crate) fn timed_out(timeout: Duration) -> Failure {
    Failure::transient(Reason::Timeout, format!("timed out after {} s", crate::model::text::seconds(timeout)))
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

/// An error with its causes, in one text.
fn describe_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

fn read_failure(error: reqwest::Error, timeout: Duration, url: &Url, proxy: Option<&Proxy>) -> Failure {
    // The address may hold the key.
    let error = error.without_url();
    if error.is_timeout() {
        return late(timeout, proxy);
    }
    if error.is_builder() {
        return Failure::new(Reason::Config, format!("the request cannot be made: {}", describe_chain(&error)));
    }
    let mut cause = error.source();
    let mut io_kind = None;
    while let Some(current) = cause {
        if let Some(error) = current.downcast_ref::<io::Error>() {
            if limits::is_short_of_files(error) {
                return limits::out_of_files();
            }
            io_kind = Some(error.kind());
        }
        cause = current.source();
    }
    let chain = describe_chain(&error);
    let failure = transport_failure(&chain, io_kind);
    match proxy {
        // A failed tunnel, or for plain HTTP the connection itself: nobody but the proxy was asked yet.
        Some(proxy) if chain.contains("tunnel error") || (error.is_connect() && url.scheme() == "http") => {
            if chain.contains("proxy authorization required") {
                proxy.refusal(Some(407))
            } else if chain.contains("unsuccessful") {
                proxy.refusal(None)
            } else {
                proxy.failure(failure)
            }
        }
        _ => failure.about_scheme(url),
    }
}

/// The failure of a request that took too long, through a proxy or not.
fn late(timeout: Duration, proxy: Option<&Proxy>) -> Failure {
    let mut failure = timed_out(timeout);
    if let Some(proxy) = proxy {
        failure.message = format!("{}, through the proxy {}", failure.message, proxy.name());
    }
    failure
}

impl Failure {
    /// With a word on TLS, where plain HTTP was spoken to a port that is mostly used with it, or to a peer that speaks
    /// something else.
    fn about_scheme(self, url: &Url) -> Failure {
        let is_likely = match self.reason {
            Reason::Protocol => true,
            Reason::Connect => self.message == CLOSED && url.port().is_some_and(|port| port % 1000 == 443),
            _ => false,
        };
        if url.scheme() == "http" && is_likely {
            self.with_hint("if the port speaks TLS, write `https://`")
        } else {
            self
        }
    }
}

/// The peer has hung up without a word.
const CLOSED: &str = "the connection was closed early";

fn not_found() -> Failure {
    Failure::transient(Reason::Dns, "the host name could not be resolved")
}

/// Sorts what two libraries say of the same faults.
fn transport_failure(text: &str, kind: Option<io::ErrorKind>) -> Failure {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["dns error", "failed to lookup", "name or service not known", "name resolution", "no address associated"])
    {
        return not_found();
    }
    if has(&["certificate", "ssl routines", "tls", "ssl"]) && !has(&["unexpected eof"]) {
        if has(&["wrong version number", "packet length too long", "record layer failure", "http request"]) {
            return Failure::new(Reason::Tls, "the port does not speak TLS");
        }
        let what = match () {
            () if has(&["has expired"]) => "its certificate has expired",
            () if has(&["not yet valid"]) => "its certificate is not valid yet",
            () if has(&["hostname mismatch", "host name mismatch", "ip address mismatch"]) => {
                "its certificate is for another host"
            }
            () if has(&["self-signed", "self signed", "unable to get local issuer"]) => {
                "its certificate comes from an authority that is not trusted"
            }
            () => "the TLS handshake failed",
        };
        let failure = Failure::new(Reason::Tls, format!("no trusted connection: {what}"));
        return match () {
            () if what.contains("authority") => failure.with_hint(PRIVATE_AUTHORITY),
            () if what.contains("not valid yet") => failure.with_hint("check this machine's clock"),
            () => failure,
        };
    }
    let message = match kind {
        Some(io::ErrorKind::ConnectionRefused) => "the connection was refused",
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => "the connection was reset",
        Some(io::ErrorKind::UnexpectedEof) => CLOSED,
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => "the host cannot be reached",
        _ if has(&[
            "connection closed",
            "disconnected",
            "incomplete",
            "unexpected eof",
            "before message completed",
        ]) =>
        {
            CLOSED
        }
        _ if has(&["refused"]) => "the connection was refused",
        _ if has(&["proxy", "tunnel"]) => "the proxy did not connect",
        _ if has(&["parse", "invalid", "http", "header"]) => {
            return Failure::new(Reason::Protocol, "the peer does not speak HTTP");
        }
        _ => "the connection failed",
    };
    Failure::transient(Reason::Connect, message)
}

/// The failure of a TLS handshake.
pub(crate) fn tls_failure(error: &native_tls::Error) -> Failure {
    transport_failure(&format!("certificate: {}", describe_chain(error)), None)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let failure = answer(302, &[("location", location)], "").fault().unwrap();
            assert_eq!(failure.message, format!("the answer is a redirect {want} (HTTP 302)"), "{location}");
            assert_eq!((failure.reason, failure.retry), (Reason::HttpStatus, crate::model::failure::Retry::Never));
        }
        let unfollowed = answer_after(0, 307, &[("location", "/again")], "").fault().unwrap().message;
        assert_eq!(unfollowed, "the answer is a redirect to its own host, which is not followed (HTTP 307)");
        assert!(answer(301, &[], "").fault().unwrap().message.contains("without an address"));
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

    #[test]
    fn what_never_travels_is_this_machine() {
        for (url, want) in [
            ("http://localhost:8080/x", true),
            ("http://LOCALHOST.", true),
            ("http://a.localhost", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:80", true),
            ("http://[::ffff:127.0.0.1]", true),
            ("http://0.0.0.0", true),
            ("http://localhost.example", false),
            ("http://notlocalhost", false),
            ("http://10.0.0.1", false),
            ("http://[fe80::1]", false),
            ("http://pushgateway", false),
            ("http://127.0.0.1.example", false),
        ] {
            assert_eq!(is_this_machine(&Url::parse(url).unwrap()), want, "{url}");
        }
    }

    #[test]
    fn faults_are_sorted_whichever_library_words_them() {
        for (text, kind, want) in [
            (
                "error sending request: client error (Connect): dns error: failed to lookup address information",
                None,
                Reason::Dns,
            ),
            (
                "client error (Connect): tcp connect error: Connection refused",
                Some(io::ErrorKind::ConnectionRefused),
                Reason::Connect,
            ),
            (
                "certificate: error:0A000086:SSL routines:certificate verify failed: certificate has expired",
                None,
                Reason::Tls,
            ),
            ("client error (SendRequest): invalid HTTP version parsed", None, Reason::Protocol),
            ("client error (SendRequest): connection closed before message completed", None, Reason::Connect),
            ("tls: unexpected EOF during handshake", Some(io::ErrorKind::UnexpectedEof), Reason::Connect),
            ("certificate: error:0A00010B:SSL routines:ssl3_get_record:wrong version number", None, Reason::Tls),
        ] {
            assert_eq!(transport_failure(text, kind).reason, want, "{text}");
        }
    }
}
