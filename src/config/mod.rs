//! What the user wrote: text in, a [`Config`] out, and every problem with its place.
//!
//! After [`load`] nothing validates again. Not here: which of it a run does (`plan`).

mod document;
mod environment;
mod problem;
mod raw;
mod rules;
#[cfg(test)]
mod schema;
mod source;
mod store;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use secrecy::SecretString;
use url::Url;

use crate::alert::Identity;
use crate::auth::Login;
use crate::check::mailbox::keywords::Keywords;
use crate::check::mailbox::session::Address;
use crate::check::provider::expression::Expression;
use crate::check::provider::page::{Page, Reader};
use crate::check::subscription::Cycle;
use crate::limit::Limit;
use crate::redact::Redactor;

pub use environment::Environment;
pub use problem::{Problem, Reach};
pub use raw::{BalanceType, ChannelKind, Language};
pub use source::Source;
pub use store::{STATE_VARIABLE, chosen_place};

/// Most problems that are listed; a file with more is hardly a config.
pub const MOST_PROBLEMS: usize = 200;
/// Most workers, whatever the config says.
pub const MOST_WORKERS: usize = 50;

/// A config that is sound as a whole; single entries may still be unusable and say so.
pub struct Config {
    settings: Settings,
    rate_limits: BTreeMap<String, Limit>,
    channels: Vec<Channel>,
    projects: Vec<Project>,
    subscriptions: Vec<Subscription>,
    mailboxes: Vec<Mailbox>,
    email: EmailSettings,
    state: State,
    metrics: Metrics,
    fingerprint: String,
    folder: PathBuf,
    redactor: Arc<Redactor>,
    warnings: Vec<String>,
}

/// What came of reading a config.
pub struct Loaded {
    /// The config, unless a problem concerns all of it.
    pub config: Option<Config>,
    /// Every problem, in the order of the file.
    pub problems: Vec<Problem>,
}

/// How a run behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Checks at the same time, 1 to 50.
    pub max_concurrent_checks: usize,
    /// Longest time for one request.
    pub request_timeout: Duration,
    /// Longest time for the whole run.
    pub run_timeout: Duration,
    /// Repeats after a first attempt, 0 to 10.
    pub max_retries: u32,
    /// Language of alerts.
    pub language: Language,
    /// When and how alerts are repeated.
    pub alerting: Alerting,
    /// How old a reading may be to be used again; zero for never.
    pub response_cache_ttl: Duration,
    /// When a host is left alone.
    pub circuit: Circuit,
    /// The time between two runs, if that is known.
    pub refresh_interval: Option<Duration>,
    /// The time zone of dates.
    pub timezone: TimeZone,
}

/// A mailbox to watch.
#[derive(Clone)]
pub struct Mailbox {
    /// The unique name.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// How to log in; none only if the entry is broken.
    pub login: Option<MailLogin>,
    /// The words that make a mail an alert.
    pub keywords: Arc<Keywords>,
    /// Senders whose mails are no alerts, in lower case.
    pub ignore_senders: Vec<String>,
    /// Longest wait for the server.
    pub timeout: Duration,
    /// Why it cannot be read.
    pub broken: Option<String>,
}

impl Mailbox {
    /// Names it across runs: its name and where it is.
    pub fn identity(&self) -> Identity {
        let address = &self.address;
        Identity::of("mailbox", &self.name, &[&address.host, &address.username, &address.folder])
    }
}

/// How to log in to a mailbox.
#[derive(Clone)]
pub enum MailLogin {
    /// With a password.
    Password(SecretString),
    /// With a token that is fetched first.
    Oauth2(Oauth2),
}

/// Where tokens come from (RFC 6749 section 6).
#[derive(Clone)]
pub struct Oauth2 {
    /// The token endpoint.
    pub token_url: Url,
    /// The client.
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<SecretString>,
    /// The refresh token.
    pub refresh_token: SecretString,
    /// What the token is for, where the endpoint wants to hear it.
    pub scope: Option<&'static str>,
}

/// How mailboxes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmailSettings {
    /// How many days back a first look goes.
    pub days: u32,
    /// Most mails of a mailbox and run.
    pub max_emails: usize,
}

impl Default for EmailSettings {
    fn default() -> Self {
        EmailSettings { days: 1, max_emails: 1000 }
    }
}

/// What renews on a date.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The unique name.
    pub name: String,
    /// How often, and on which day.
    pub cycle: Cycle,
    /// The day as it is written in the config.
    pub renewal_day: String,
    /// Days before the renewal from which on it is due.
    pub alert_days_before: u32,
    /// When it was last paid.
    pub last_renewed: Option<Date>,
    /// What a renewal costs.
    pub amount: Option<Decimal>,
    /// In what.
    pub currency: Option<String>,
    /// Who it belongs to.
    pub owner_project: Option<String>,
}

impl Subscription {
    /// Names it across runs.
    pub fn identity(&self) -> Identity {
        Identity::of("subscription", &self.name, &[])
    }
}

/// What Prometheus sees of a run.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// What goes before every name: empty, or ending in an underscore.
    pub prefix: String,
    /// A Pushgateway.
    pub gateway: Option<Gateway>,
    /// A file for the textfile collector of node_exporter.
    pub textfile: Option<PathBuf>,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics { prefix: "balance_alert_".to_owned(), gateway: None, textfile: None }
    }
}

/// A Pushgateway, and the group that a run replaces there.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its address; none only if it is broken.
    pub url: Option<Url>,
    /// The job of the group.
    pub job: String,
    /// More labels of the group.
    pub grouping: BTreeMap<String, String>,
    /// Who pushes.
    pub login: Option<Login>,
    /// What the body is signed with.
    pub secret: Option<SecretString>,
    /// Longest time for the push.
    pub timeout: Duration,
    /// Why nothing can be pushed.
    pub broken: Option<String>,
}

/// When an alert is sent, repeated and taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerting {
    /// An alert is repeated after this time.
    pub cooldown: Duration,
    /// Or when the balance is this many percent below the value last told; above 0 to 100.
    pub realert_drop_percent: Decimal,
    /// A balance has recovered this many percent above its threshold.
    pub recovery_margin_percent: Decimal,
    /// Failed runs in a row that raise an alert; 0 for never.
    pub failure_alert_after: u32,
}

impl Default for Alerting {
    fn default() -> Self {
        Alerting {
            cooldown: Duration::from_secs(86_400),
            realert_drop_percent: Decimal::from(50),
            recovery_margin_percent: Decimal::ZERO,
            failure_alert_after: 3,
        }
    }
}

/// When a host that fails is left alone, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// Transient failures in a row that open the circuit; 0 for never.
    pub failures: u32,
    /// How long it stays open.
    pub open_for: Duration,
}

impl Default for Circuit {
    fn default() -> Self {
        Circuit { failures: 3, open_for: Duration::from_secs(60) }
    }
}

/// Where runs keep what they remember, and for how long.
#[derive(Clone, Debug)]
pub struct State {
    /// The place, or why it cannot be used.
    pub place: Result<Place, String>,
    /// How long samples and sent alerts are kept.
    pub retention: Duration,
}

/// A place for what runs remember.
#[derive(Clone, Debug)]
pub enum Place {
    /// Nowhere, as was asked for.
    Nowhere,
    /// A file.
    File(PathBuf),
    /// A PostgreSQL database; its address holds a password.
    Postgres(SecretString),
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_concurrent_checks: 20,
            request_timeout: Duration::from_secs(15),
            run_timeout: Duration::from_secs(120),
            max_retries: 3,
            language: Language::En,
            alerting: Alerting::default(),
            response_cache_ttl: Duration::ZERO,
            circuit: Circuit::default(),
            refresh_interval: None,
            timezone: TimeZone::UTC,
        }
    }
}

/// A channel that alerts go to.
#[derive(Clone)]
pub struct Channel {
    /// The name in reports.
    pub name: String,
    /// The service.
    pub kind: ChannelKind,
    /// The address; none for the console, or if the channel is broken.
    pub url: Option<Url>,
    /// The signing secret.
    pub secret: Option<SecretString>,
    /// Who sends.
    pub login: Option<Login>,
    /// How many messages it takes.
    pub limit: Option<Limit>,
    /// The sender named in messages.
    pub source: String,
    /// For a custom channel: what in an answer says that the message was taken.
    pub accept: Option<Arc<Expression>>,
    /// Whether it hears that an alert is over.
    pub send_resolved: bool,
    /// Why nothing can be sent through it.
    pub broken: Option<String>,
}

impl Channel {
    /// What a body is signed with; the robots of chat services have signatures of their own.
    pub fn body_secret(&self) -> Option<&SecretString> {
        self.secret.as_ref().filter(|_| self.kind == ChannelKind::Custom)
    }
}

/// An account to watch.
#[derive(Clone)]
pub struct Project {
    /// The unique name.
    pub name: String,
    /// The provider's page.
    pub page: Arc<Page>,
    /// The page's compiled expressions; none only if the entry is broken.
    pub reader: Option<Arc<Reader>>,
    /// The credential, if the provider needs one.
    pub credential: Option<SecretString>,
    /// Below it the balance is critical; none only if the entry is broken.
    pub threshold: Option<Decimal>,
    /// Below it the balance is a warning.
    pub warning_threshold: Option<Decimal>,
    /// What is counted, if the project says it.
    pub kind: Option<BalanceType>,
    /// Who the account belongs to.
    pub owner_project: Option<String>,
    /// The wanted currency.
    pub currency: Option<String>,
    /// Replaces scheme, host and path prefix of the provider's address.
    pub base_url: Option<Url>,
    /// Longest time for one request.
    pub timeout: Duration,
    /// The options, with the page's defaults.
    pub options: BTreeMap<String, String>,
    /// Why it cannot be checked.
    pub broken: Option<String>,
}

impl Config {
    /// How a run behaves.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How often providers may be asked, by their ids.
    pub fn rate_limits(&self) -> &BTreeMap<String, Limit> {
        &self.rate_limits
    }

    /// Where alerts go.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The enabled projects, in the order of the file.
    pub fn projects(&self) -> &[Project] {
        &self.projects
    }

    /// The enabled subscriptions, in the order of the file.
    pub fn subscriptions(&self) -> &[Subscription] {
        &self.subscriptions
    }

    /// The enabled mailboxes, in the order of the file.
    pub fn mailboxes(&self) -> &[Mailbox] {
        &self.mailboxes
    }

    /// How mailboxes are read.
    pub fn email(&self) -> EmailSettings {
        self.email
    }

    /// Where runs keep what they remember.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// A hash of the text, to see that it has changed.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// What Prometheus sees of a run.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The folder that relative paths start from.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Knows every secret of the config.
    pub fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }

    /// What works, but not as written.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Reads and checks a config.
pub fn load(source: &Source, environment: &Environment) -> Loaded {
    match source.read() {
        Ok(text) => rules::build(source, &text, environment),
        Err(problem) => Loaded { config: None, problems: vec![*problem] },
    }
}

/// The number of workers that is allowed, with a warning where it is not the one asked for.
pub(crate) fn cap_workers(wanted: usize) -> (usize, Option<String>) {
    if wanted <= MOST_WORKERS {
        return (wanted, None);
    }
    let warning =
        format!("{wanted} concurrent checks are asked for, {MOST_WORKERS} are allowed: going on with {MOST_WORKERS}");
    (MOST_WORKERS, Some(warning))
}

/// The JSON Schema of the config file, as text.
pub const SCHEMA: &str = include_str!("../../examples/config.schema.json");
