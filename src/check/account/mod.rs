//! Reading one account: the page's request, signed if it must be, and the page's reading of the answer.

pub(crate) mod balance_mails;
mod builtin_pages;
mod client;
pub(crate) mod config;
pub(crate) mod drift;
mod from_command;
mod from_mail;
pub(crate) mod page;
mod request;
mod search;
mod sign;
mod target;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rust_decimal::Decimal;
use url::Url;

pub(crate) use self::builtin_pages::{Listed, catalog, find, ids, of_text};
use self::client::Leave;
pub(crate) use self::client::ProviderClient;
use self::page::ask::Form;
use self::page::credential::Secrets;
use self::page::fill::{self, Filling};
use self::page::{Answer, Page, Progress, Reader, Verdict, Wanted, time};
pub(crate) use self::search::{advice, search};
pub(crate) use self::target::Target;
use crate::check::Reading;
use crate::model::failure::{Failure, Reason};
use crate::model::text;
use crate::page::expression::Variables;
use crate::page::variables::Bound;
use crate::process::file::Bounds;
use crate::process::{self, redact};
use crate::wire::hash::hmac_sha256;
use crate::wire::http::{self, Request};
use crate::wire::limit::Limiter;

/// The shortest time that a request is given.
const SHORTEST: Duration = Duration::from_millis(1);
/// All steps and pages of an account together may take as long as so many time-outs of one request.
const MOST_TIMEOUTS: u32 = 4;
/// The most that a file or a command may say of an account, in bytes.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// Everything that one attempt to read an account needs.
#[derive(Clone)]
pub(crate) struct Account {
    /// The provider's page.
    pub page: Arc<Page>,
    /// Its compiled expressions.
    pub reader: Arc<Reader>,
    /// The credential; empty if none is needed.
    pub secrets: Secrets,
    /// The options, defaults included.
    pub options: BTreeMap<String, String>,
    /// The wanted currency.
    pub currency: Option<String>,
    /// How much may be spent, for a page that tells what was.
    pub budget: Option<Decimal>,
    /// Where to ask.
    pub target: Target,
    /// Whether the credential may travel unencrypted.
    pub allow_insecure: bool,
    /// Longest time for one request.
    pub timeout: Duration,
}

/// The result of an attempt: a reading, or a wait for the rate limit.
pub(crate) enum Attempt {
    /// The balance.
    Read(Box<Reading>),
    /// The provider's limit allows its next request not before this time.
    Waits(Instant, Box<Underway>),
}

impl Attempt {
    fn read(reading: Reading) -> Attempt {
        Attempt::Read(Box::new(reading))
    }
}

/// How far an attempt has come.
pub(crate) struct Underway {
    progress: Progress,
    /// A reading that a second question has to confirm.
    confirming: Option<Reading>,
    /// The time that its answers took.
    spent: Duration,
    begun: Instant,
    /// The longest time that it may take from its beginning.
    longest: Duration,
    /// Whether nothing was asked yet.
    is_first: bool,
}

impl Underway {
    fn new(longest: Duration) -> Underway {
        Underway {
            progress: Progress::default(),
            confirming: None,
            spent: Duration::ZERO,
            begun: Instant::now(),
            longest,
            is_first: true,
        }
    }

    /// Why its next request is not made, if the provider's limit allows it only at that time.
    pub(crate) fn refusal(&self, at: Instant, limiter: &Limiter) -> Option<Failure> {
        (at >= self.end()).then(|| crowded(Some(limiter)))
    }

    fn end(&self) -> Instant {
        self.begun + self.longest
    }

    fn rest(&self) -> Duration {
        self.end().saturating_duration_since(Instant::now())
    }

    fn is_over(&self) -> bool {
        !self.is_first && self.rest().is_zero()
    }
}

impl Account {
    /// One attempt to read the balance. Where the provider's limit makes its next request wait, it says until when, and goes on from
    /// `underway` when it is called again: meanwhile the worker is free for others.
    ///
    /// # Errors
    /// Why there is no reading, and whether another attempt could help.
    pub(crate) fn read(
        &self,
        client: &mut ProviderClient,
        now: Timestamp,
        left: Duration,
        underway: Option<Underway>,
    ) -> Result<Attempt, Failure> {
        let variables = Variables::new(self.currency.as_deref(), &self.options).at(now.as_second());
        let wanted = Wanted { variables, budget: self.budget };
        let result = match &self.target {
            Target::File(path) => self.read_from_file(path, &wanted, self.timeout.min(left)).map(Attempt::read),
            Target::Command(command) => {
                let until = client.deadline.or_at(Instant::now() + self.timeout.min(left));
                self.read_from_command(command, &wanted, &until).map(Attempt::read)
            }
            Target::Http { .. } => {
                let underway =
                    underway.unwrap_or_else(|| Underway::new(self.longest(client.deadline.left()).min(left)));
                self.ask(client, &wanted, now, left, underway)
            }
            Target::Mails(_) => Err(Failure::new(Reason::Internal, "mails are read by the scan of their mailbox")),
        };
        result.map_err(|failure| self.hinted(failure))
    }

    fn read_from_file(&self, path: &Path, wanted: &Wanted, patience: Duration) -> Result<Reading, Failure> {
        self.only_answer(&read_file(path, patience)?, wanted)
    }

    /// The balance in an answer that nobody is asked for over HTTP, and after which nothing more can be asked.
    fn only_answer(&self, body: &[u8], wanted: &Wanted) -> Result<Reading, Failure> {
        let answer = Answer { status: 200, headers: &BTreeMap::new(), body };
        match self.page.interpret(&self.reader, &Progress::default(), &answer, wanted)? {
            Verdict::Read(reading) | Verdict::Unconfirmed(reading) => Ok(reading),
            Verdict::Next(_) => Err(Failure::new(Reason::Config, "only an address can be one of several steps")),
        }
    }

    /// Asks the steps of the page one after the other. No request may take longer than the account's time-out, and all of them
    /// together no longer than what is `left` and, from the second request on, no longer than [`Account::longest`].
    fn ask(
        &self,
        client: &mut ProviderClient,
        wanted: &Wanted,
        now: Timestamp,
        left: Duration,
        mut underway: Underway,
    ) -> Result<Attempt, Failure> {
        loop {
            if underway.is_over() {
                return Err(too_long(underway.longest));
            }
            if let Leave::At(at) = client.leave() {
                return if at < underway.end() {
                    Ok(Attempt::Waits(at, Box::new(underway)))
                } else {
                    Err(crowded(client.limiter))
                };
            }
            let time = if underway.is_first { left } else { underway.rest().min(left) };
            if let Some(reading) = underway.confirming.take() {
                let patience = self.timeout.saturating_sub(underway.spent).min(time).max(SHORTEST);
                return self.confirmed(client, wanted, now, patience).map(|()| Attempt::read(reading));
            }
            let progress = &underway.progress;
            let name = self.page.steps.get(progress.step).filter(|_| self.page.steps.len() > 1).map(|step| &step.name);
            let request = self.step_request(progress, now)?;
            let patience = self.timeout.min(time).max(SHORTEST);
            let mut outline = client.outline.take();
            let verdict = client.ask(&request, patience, &mut underway.spent, |response| {
                let answer = Answer { status: response.status, headers: &response.headers, body: &response.body };
                let verdict = self.page.interpret(&self.reader, progress, &answer, wanted)?;
                if let Some((outline, form)) = outline.as_mut().zip(self.form(progress.step)) {
                    outline.add(progress.step, form, &response.body);
                }
                Ok(verdict)
            });
            client.outline = outline;
            let verdict = verdict.map_err(|failure| match name {
                // Not the request took too long, but all of them together.
                _ if !underway.is_first && failure.reason == Reason::Timeout && underway.is_over() => {
                    too_long(underway.longest)
                }
                Some(name) => Failure { message: format!("step `{name}`: {}", failure.message), ..failure },
                None => failure,
            });
            match verdict? {
                Verdict::Read(reading) => return Ok(Attempt::read(reading)),
                Verdict::Unconfirmed(reading) => underway.confirming = Some(reading),
                Verdict::Next(next) => {
                    self.learn(client, &next);
                    underway.progress = next;
                }
            }
            underway.is_first = false;
        }
    }

    /// The longest time that all steps and pages together may take, if so much is left of the run. Meanwhile they hold a worker
    /// that other accounts may wait for, so it is never more than half of what is left.
    fn longest(&self, left: Duration) -> Duration {
        (self.timeout * MOST_TIMEOUTS).max(left / 3).min(left / 2)
    }

    /// The request that comes next.
    fn step_request(&self, progress: &Progress, now: Timestamp) -> Result<Request, Failure> {
        let Some(spec) = self.page.requests().nth(progress.step) else {
            return Err(Failure::new(Reason::Internal, "there is no such step"));
        };
        let filling = self.filling(&progress.bound, now);
        let paging = self.page.steps.get(progress.step).and_then(|step| step.pages.as_ref());
        let page = paging.zip(progress.page.as_ref()).map(|(paging, page)| (paging.query.as_str(), page.as_str()));
        self.request(spec, None, page, &filling)
    }

    /// What the body of the answer to a step is.
    fn form(&self, step: usize) -> Option<Form> {
        self.page.requests().nth(step).map(|request| request.answer)
    }

    /// Asks the page's second question, with the headers of the first one.
    fn confirmed(
        &self,
        client: &mut ProviderClient,
        wanted: &Wanted,
        now: Timestamp,
        patience: Duration,
    ) -> Result<(), Failure> {
        let (Some(confirm), Some(spec)) = (&self.page.confirm, self.page.requests().last()) else {
            return Ok(());
        };
        let nothing = BTreeMap::new();
        let request = self.request(spec, Some(&confirm.url), None, &self.filling(&nothing, now))?;
        let mut spent = Duration::ZERO;
        client.ask(&request, patience, &mut spent, |response| {
            let answer = Answer { status: response.status, headers: &response.headers, body: &response.body };
            self.page.confirm(&self.reader, &answer, wanted)
        })
    }

    /// How long a reading is used before the service is asked again, as the page wants it.
    pub(crate) fn min_interval(&self) -> Option<Duration> {
        self.page.min_interval.as_deref().and_then(time::span)
    }

    /// The addresses that are asked, without what is known only when they are; none for a file.
    pub(crate) fn origins(&self) -> Vec<Url> {
        let Target::Http { origin, base } = &self.target else {
            return Vec::new();
        };
        if base.is_some() {
            return vec![origin.clone()];
        }
        let option = |name: &str| Some(self.options.get(name.strip_prefix("options.")?)?.into());
        let addresses = self.page.addresses().map(|(_, template)| fill::with(template, option, str::to_owned));
        addresses.filter_map(|text| Url::parse(&text).ok()).collect()
    }

    /// A name of what answers look alike, which stays the same across runs: the page, the host, and a keyed hash of all that is asked
    /// beside the credential. Options that may hold anything name an account and not another kind of answer. None for what is
    /// not asked over HTTP.
    pub(crate) fn source(&self, key: &str) -> Option<String> {
        let Target::Http { origin, base } = &self.target else {
            return None;
        };
        let is_choice = |name: &str| self.page.options.get(name).is_some_and(|spec| !spec.values.is_empty());
        let options = self.options.iter().filter(|(name, _)| is_choice(name));
        let options: Vec<String> = options.map(|(name, value)| format!("{name}={value}")).collect();
        let asked = format!("{:?}{:?}", self.page.request, self.page.steps);
        let base = base.as_ref().map(Url::as_str).unwrap_or_default();
        let host = http::host(origin);
        let parts = [self.page.id.as_str(), &asked, &options.join("\0"), &host, base];
        let hash = hmac_sha256(key.as_bytes(), parts.join("\0\0").as_bytes());
        let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Some(format!("{} {host} {hash}", self.page.id))
    }

    fn filling<'a>(&'a self, bound: &'a BTreeMap<String, Bound>, now: Timestamp) -> Filling<'a> {
        Filling { secrets: &self.secrets, options: &self.options, bound, now }
    }

    /// Tells the redactor what a step has bound that lets its holder in.
    fn learn(&self, client: &ProviderClient, progress: &Progress) {
        let secrets = progress.bound.iter().filter(|(name, _)| redact::speaks_of_secret(name));
        secrets.for_each(|(_, value)| client.redactor.learn(value.as_str()));
    }

    /// A refusal of the credential, with what the page knows of keys of the wrong kind.
    fn hinted(&self, failure: Failure) -> Failure {
        let is_open = failure.reason == Reason::Auth && failure.hint.is_none();
        match self.page.credential.doubt(self.secrets.key()).filter(|_| is_open) {
            Some(doubt) => failure.with_hint(doubt),
            None => failure,
        }
    }

    /// A name of what is asked that stays the same across runs: the provider, the host, and a keyed hash of the credential and of
    /// all else that changes the answer. None for a file, which can be read again just as quickly.
    pub(crate) fn fingerprint(&self, key: &str) -> Option<String> {
        let Target::Http { origin, base } = &self.target else {
            return None;
        };
        let options: Vec<String> = self.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let currency = self.currency.as_deref().unwrap_or_default();
        let budget = self.budget.map(|budget| budget.to_string()).unwrap_or_default();
        // The page as well: a user's own may be corrected between two runs.
        let page = format!("{:?}", self.page);
        let base = base.as_ref().map(Url::as_str).unwrap_or_default();
        let asked = [&self.secrets.whole(), currency, &budget, &options.join("\0"), &page, origin.as_str(), base];
        let hash = hmac_sha256(key.as_bytes(), asked.join("\0\0").as_bytes());
        let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        // Where it is asked is a part of what is hashed: the path of a gateway may hold a token.
        Some(format!("{} {} {hash}", self.page.id, http::host(origin)))
    }
}

/// That the provider's limit allows the next step of an account only when its time is over.
fn crowded(limiter: Option<&Limiter>) -> Failure {
    const OF_STEPS: &str = "the time of all its steps together";
    let none = || Failure::new(Reason::RateLimited, format!("not asked: {OF_STEPS} is over"));
    limiter.map_or_else(none, |limiter| limiter.refusal_before(OF_STEPS))
}

/// That the steps of an account have taken all of its time. Its host has answered, so neither a repeat helps nor is the host to
/// be left alone.
fn too_long(longest: Duration) -> Failure {
    let message = format!("its steps took too long: all of them together have {} s", text::seconds(longest));
    Failure::new(Reason::Timeout, message)
}

fn read_file(path: &Path, patience: Duration) -> Result<Vec<u8>, Failure> {
    let bounds = Bounds { most: LARGEST_ANSWER, patience };
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
