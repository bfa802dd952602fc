//! The HTTP clients of a run, and one attempt with them.
//!
//! `reqwest` reads providers; `ureq` sends alerts, so that a wedged read pool can never hold one back. One attempt
//! each, no loop: `retry` owns that.

#![allow(
    clippy::disallowed_types,
    reason = "this is where clients are built, with our time-outs, proxies and trust store"
)]

mod address;
mod body;
mod failure;
mod proxy;
mod readers;
mod response;
mod sender;
mod trust;

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

pub(crate) use reqwest::Method;
use reqwest::blocking::Client;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use ureq::SendBody;
use url::Url;

pub(crate) use self::address::{host, is_this_machine};
use self::failure::{describe_chain, read_failure};
pub(crate) use self::failure::{not_found, timed_out, tls_failure};
use self::proxy::Proxies;
pub(crate) use self::proxy::Proxy;
use self::readers::{Built, Readers};
pub(crate) use self::response::Response;
use self::response::followed;
use self::trust::TrustStore;
use crate::model::failure::{Failure, Reason};
use crate::process::clock::Clock;
use crate::process::limits;
use crate::process::network_settings::Surroundings;
use crate::wire::auth::Pair;
use crate::wire::lookup;

/// Redirects followed within one origin.
const MOST_REDIRECTS: usize = 5;
/// How long the end of reading may take.
const MOST_FOR_END: Duration = Duration::from_millis(500);
const USER_AGENT: &str = concat!("balance-alert/", env!("CARGO_PKG_VERSION"));
/// How answers may be compressed. What else a server might use, nobody asked for.
const ACCEPTED: &str = "gzip";

/// A request to a provider.
pub(crate) struct Request {
    /// GET or POST.
    pub method: Method,
    /// The full address.
    pub url: Url,
    /// All headers.
    pub headers: HeaderMap,
    pub body: Option<String>,
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
    /// The body.
    pub body: &'a str,
    /// Set once the body is on its way: from then on the message may arrive, whatever answer comes or does not come. It is taken
    /// back when the peer is certain not to have taken the message.
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
    /// What time it is when an answer comes, whose dates are compared with that.
    clock: Clock,
}

impl Clients {
    /// The clients of a process with these proxies and authorities.
    pub(crate) fn new(surroundings: &Surroundings, clock: Clock) -> Clients {
        Clients {
            proxies: Arc::new(Proxies::new(surroundings)),
            trust: TrustStore::new(surroundings),
            clock,
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
        let connector = match self.trust.connector() {
            Ok(connector) => connector,
            Err(why) => return Built::Broken(no_tls(&why)),
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
        let whole = |response: Response| response.whole().map_err(|failure| failure.at(host(&request.url)));
        self.read_once(request, timeout).and_then(whole)
    }

    fn read_once(&self, request: &Request, timeout: Duration) -> Result<Response, Failure> {
        let host = host(&request.url);
        let proxy = self.proxies.of(&request.url).map_err(|failure| failure.at(host.clone()))?;
        let is_plain = request.url.scheme() != "https";
        // The library wants the trust store for a request without TLS too. Where that hangs or is broken, the other library reads.
        if is_plain && !self.trust.is_there_soon() {
            return self.read_without_thread(request, timeout);
        }
        // It is waited for here, and not where a client is lent, which others wait for.
        self.trust.ready().map_err(|why| no_tls(&why))?;
        let lease = self.readers.lease(&host, |has_others| self.build_reader(has_others))?;
        let Some((lease, client)) = lease.as_ref().and_then(|lease| Some((lease, lease.client()?))) else {
            return self.read_without_thread(request, timeout);
        };
        let result = read_with(client, request, timeout, proxy, self.clock);
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

    /// One attempt to ask an address for nothing but that it hears of it.
    ///
    /// # Errors
    /// What kept an answer from coming; an answer with any status is no error here.
    pub(crate) fn ping(&self, url: &Url, timeout: Duration) -> Result<Response, Failure> {
        let request = ureq::http::Request::builder().method("GET").uri(url.as_str()).body(());
        self.run(url, request, timeout, None)
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
            self.trust.ready().map_err(|why| no_tls(&why))?;
        }
        let agent = self.sender.get_or_init(|| sender::agent(Arc::clone(&self.proxies), self.trust.clone()));
        // Methods, addresses and headers were checked when the config was read; the text of the error may hold them.
        let request = request
            .map_err(|_| Failure::new(Reason::Config, "the request cannot be made of this address and login"))?;
        let request = agent.configure_request(request).timeout_global(Some(timeout)).build();
        // Whoever does not speak HTTP, and the proxy that refuses to pass it on, has not taken it; nor has who says so by a status.
        let was_refused = || is_out.iter().for_each(|is_out| is_out.store(false, Ordering::SeqCst));
        let mut answer = agent.run(request).map_err(|error| {
            if sender::is_no_http(&error) {
                was_refused();
            }
            about(sender::failure(&error, timeout, url, proxy))
        })?;
        if !answer.status().is_success() {
            was_refused();
        }
        let response =
            Response::of(answer.status().as_u16(), answer.headers(), url, proxy, 0, self.clock.now()).map_err(about)?;
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

/// That the files which the environment names cannot be used.
fn no_tls(why: &str) -> Failure {
    Failure::new(Reason::Config, format!("no TLS: {why}"))
}

/// One attempt to read with a client.
fn read_with(
    client: &Client,
    request: &Request,
    timeout: Duration,
    proxy: Option<&Proxy>,
    clock: Clock,
) -> Result<Response, Failure> {
    let start = Instant::now();
    let mut builder =
        client.request(request.method.clone(), request.url.clone()).headers(request.headers.clone()).timeout(timeout);
    if let Some(body) = &request.body {
        builder = builder.body(body.clone());
    }
    let mut answer = builder.send().map_err(|error| read_failure(error, timeout, &request.url, proxy))?;
    let response =
        Response::of(answer.status().as_u16(), answer.headers(), answer.url(), proxy, MOST_REDIRECTS, clock.now())?;
    let encoding = labels(answer.headers());
    let body = body::read(&mut answer, start, timeout)?;
    let followed = followed(&request.url, answer.url());
    Ok(Response { body: body::decompressed(body, &encoding)?, followed, ..response })
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
