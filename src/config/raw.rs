//! The shape of the config file, as serde and the JSON Schema see it. Nothing here is checked beyond its type.
//!
//! Every field is optional so that one mistake does not hide the next: `build` says what is missing.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use crate::check::account::page::Page;
use crate::model::words::{BalanceType, CycleType, Language};
use crate::notify::config::ChannelKind;

/// A config for balance-alert: what to watch, and whom to tell.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawConfig {
    /// Where the JSON Schema of this file is, for editors.
    #[serde(rename = "$schema")]
    #[allow(dead_code, reason = "read by editors, accepted here")]
    pub schema: Option<String>,
    /// How a run behaves.
    pub settings: Option<RawSettings>,
    /// One channel that alerts go to.
    pub webhook: Option<RawWebhook>,
    /// Several channels that alerts go to.
    pub webhooks: Option<Vec<Option<RawWebhook>>>,
    /// The accounts to watch.
    pub projects: Option<Vec<Option<RawProject>>>,
    /// Pages for services that the catalogue does not know.
    pub providers: Option<Vec<Option<Page>>>,
    /// What Prometheus sees of a run.
    pub metrics: Option<RawMetrics>,
    /// Where runs keep what they remember: `none`, or a file or a PostgreSQL database.
    pub state: Option<RawState>,
    /// What renews on a date.
    pub subscriptions: Option<Vec<Option<RawSubscription>>>,
    /// The mailboxes to watch: a list, or one alone.
    pub email: Option<RawMailboxes>,
    /// How mailboxes are read.
    pub email_settings: Option<RawEmailSettings>,
}

/// How a run behaves.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSettings {
    /// Checks at the same time: 1 to 50, default 20.
    #[cfg_attr(test, schemars(extend("default" = 20)))]
    pub max_concurrent_checks: Option<Lenient<i128>>,
    /// Longest time for one request, in seconds: above 0 to 600, default 15.
    #[cfg_attr(test, schemars(extend("default" = 15)))]
    pub request_timeout_seconds: Option<Lenient<Decimal>>,
    /// Longest time for the whole run, in seconds: above 0 to 86400, default 120.
    #[cfg_attr(test, schemars(extend("default" = 120)))]
    pub run_timeout_seconds: Option<Lenient<Decimal>>,
    /// Repeats after a first attempt that failed for a passing reason: 0 to 10, default 3.
    #[cfg_attr(test, schemars(extend("default" = 3)))]
    pub max_retries: Option<Lenient<i128>>,
    /// Language of alerts, default en.
    #[cfg_attr(test, schemars(extend("default" = "en")))]
    pub language: Option<Language>,
    /// An alert is repeated after this many seconds while its cause lasts: 0 to 31536000, default 86400. Whole days are calendar
    /// days of `timezone`.
    #[cfg_attr(test, schemars(extend("default" = 86400)))]
    pub alert_cooldown_seconds: Option<Lenient<Decimal>>,
    /// It is repeated sooner once the balance is this many percent below the value last told: above 0 to 100, default 50.
    #[cfg_attr(test, schemars(extend("default" = 50)))]
    pub realert_drop_percent: Option<Lenient<Decimal>>,
    /// A balance has recovered this many percent above its threshold: 0 to 1000, default 5.
    #[cfg_attr(test, schemars(extend("default" = 5)))]
    pub recovery_margin_percent: Option<Lenient<Decimal>>,
    /// A check that fails in this many runs in a row raises an alert: 0 (never) to 1000, default 3.
    #[cfg_attr(test, schemars(extend("default" = 3)))]
    pub failure_alert_after: Option<Lenient<i128>>,
    /// A reading that is not older than this many seconds is used again: 0 (never) to 86400, default 0.
    #[cfg_attr(test, schemars(extend("default" = 0)))]
    pub response_cache_ttl: Option<Lenient<Decimal>>,
    /// This many transient failures of one host in a row stop further questions to it: 0 (never) to 1000, default 3.
    #[cfg_attr(test, schemars(extend("default" = 3)))]
    pub circuit_breaker_failures: Option<Lenient<i128>>,
    /// For this many seconds: above 0 to 86400, default 60.
    #[cfg_attr(test, schemars(extend("default" = 60)))]
    pub circuit_breaker_seconds: Option<Lenient<Decimal>>,
    /// The time zone of the dates of subscriptions and mails, for example Asia/Shanghai; default the variable TZ, else UTC.
    pub timezone: Option<String>,
    /// How often providers may be asked, by their ids: `openrouter: 5/minute`, or none; default as their pages say.
    pub rate_limits: Option<BTreeMap<String, Lenient<Text>>>,
    /// The time between two runs, in seconds, for the lag metric: above 0 to 31536000.
    pub balance_refresh_interval_seconds: Option<Lenient<Decimal>>,
}

/// What renews on a date.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSubscription {
    /// The unique name in reports and alerts.
    #[cfg_attr(test, schemars(required))]
    pub name: Option<String>,
    /// How often it renews.
    #[cfg_attr(test, schemars(required))]
    pub cycle_type: Option<CycleType>,
    /// Weekly: 1 (Monday) to 7. Monthly: 1 to 31. Yearly: month and day as 315 or "03-15"; 1 to 31 renews on the anniversary of
    /// `last_renewed_date`.
    #[cfg_attr(test, schemars(required))]
    pub renewal_day: Option<Lenient<Text>>,
    /// Days before the renewal from which on it is due: 0 to 365, default 3.
    #[cfg_attr(test, schemars(extend("default" = 3)))]
    pub alert_days_before: Option<Lenient<i128>>,
    /// What a renewal costs.
    pub amount: Option<Lenient<Decimal>>,
    /// The currency of `amount`.
    pub currency: Option<String>,
    /// When it was last paid, as 2026-11-15; counts for the due date it is nearest to.
    pub last_renewed_date: Option<String>,
    /// Who it belongs to, for people.
    pub owner_project: Option<String>,
    /// The old name of `owner_project`.
    pub project: Option<String>,
    /// Whether it is watched; default true.
    pub enabled: Option<Lenient<bool>>,
}

/// The mailboxes to watch.
#[derive(Debug)]
pub(super) struct RawMailboxes(pub Vec<Option<RawMailbox>>);

impl<'de> Deserialize<'de> for RawMailboxes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MailboxesVisitor;

        impl<'de> Visitor<'de> for MailboxesVisitor {
            type Value = RawMailboxes;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list or a mapping")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<RawMailboxes, A::Error> {
                Deserialize::deserialize(de::value::SeqAccessDeserializer::new(list)).map(RawMailboxes)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<RawMailboxes, A::Error> {
                let one = RawMailbox::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(RawMailboxes(vec![Some(one)]))
            }
        }

        deserializer.deserialize_any(MailboxesVisitor)
    }
}

/// A mailbox to watch.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawMailbox {
    /// The unique name in reports and alerts; default is the user.
    pub name: Option<String>,
    /// The IMAP server.
    #[cfg_attr(test, schemars(required))]
    pub host: Option<String>,
    /// Its port; default 993 with TLS, else 143.
    pub port: Option<Lenient<i128>>,
    /// The user.
    #[cfg_attr(test, schemars(required))]
    pub username: Option<String>,
    /// The password, or the code that stands for it; best as `${VARIABLE}`.
    pub password: Option<String>,
    /// A file that holds the password.
    pub password_file: Option<String>,
    /// The old form of `security`: true is tls, false is none.
    pub use_ssl: Option<Lenient<bool>>,
    /// How the link is protected; default tls.
    pub security: Option<MailSecurity>,
    /// Lets a password travel over a link without TLS, and what fetches a token to an `http://` address.
    pub allow_insecure: Option<Lenient<bool>>,
    /// The folder; default INBOX.
    pub folder: Option<String>,
    /// How to log in; default password.
    pub auth: Option<MailAuth>,
    /// Where tokens come from, for `auth: xoauth2`.
    pub oauth2: Option<RawOauth2>,
    /// Words that make a mail an alert, instead of those of `email_settings`.
    pub alert_keywords: Option<Vec<String>>,
    /// Words in addition.
    pub extra_alert_keywords: Option<Vec<String>>,
    /// Senders whose mails are no alerts: addresses, or parts of them.
    pub ignore_senders: Option<Vec<String>>,
    /// Whether it is watched; default true.
    pub enabled: Option<Lenient<bool>>,
}

/// How the link to a mailbox is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum MailSecurity {
    /// TLS from the first byte
    Tls,
    /// TLS after a word in the clear
    Starttls,
    /// None
    None,
}

/// How to log in to a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum MailAuth {
    /// User and password
    #[default]
    Password,
    /// A token by XOAUTH2
    Xoauth2,
}

/// Where the tokens of a mailbox come from.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawOauth2 {
    /// google, microsoft, or custom with a `token_url`; default custom.
    pub provider: Option<OauthProvider>,
    /// The client.
    #[cfg_attr(test, schemars(required))]
    pub client_id: Option<String>,
    /// Its secret, if it has one.
    pub client_secret: Option<String>,
    /// A file that holds the secret.
    pub client_secret_file: Option<String>,
    /// The refresh token.
    pub refresh_token: Option<String>,
    /// A file that holds the refresh token.
    pub refresh_token_file: Option<String>,
    /// The tenant, for microsoft; default common.
    pub tenant: Option<String>,
    /// The address of the token endpoint.
    pub token_url: Option<String>,
}

/// Who gives tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum OauthProvider {
    /// Google
    Google,
    /// Microsoft
    Microsoft,
    /// Somebody else
    #[default]
    Custom,
}

/// How mailboxes are read.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawEmailSettings {
    /// How many days back a first look goes: 1 to 30, default 1.
    #[cfg_attr(test, schemars(extend("default" = 1)))]
    pub days: Option<Lenient<i128>>,
    /// Most mails that are read in a mailbox and run, the newest: 1 to 100000, default 1000.
    #[cfg_attr(test, schemars(extend("default" = 1000)))]
    pub max_emails: Option<Lenient<i128>>,
    /// Words that make a mail an alert, instead of the program's own.
    pub alert_keywords: Option<Vec<String>>,
    /// Words in addition.
    pub extra_alert_keywords: Option<Vec<String>>,
}

/// What Prometheus sees of a run.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawMetrics {
    /// Goes before every name, with an underscore; empty for bare names. Default balance_alert.
    #[cfg_attr(test, schemars(extend("default" = "balance_alert")))]
    pub namespace: Option<String>,
    /// A Pushgateway that every run is pushed to.
    pub pushgateway: Option<RawGateway>,
    /// A file for the textfile collector of node_exporter; its name ends in .prom.
    pub textfile: Option<String>,
}

/// A Pushgateway.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawGateway {
    /// Its address, without `/metrics/job/...`.
    pub url: Option<String>,
    /// The job of the group; default balance-alert.
    #[cfg_attr(test, schemars(extend("default" = "balance-alert")))]
    pub job: Option<String>,
    /// More labels of the group.
    pub grouping: Option<BTreeMap<String, Lenient<Text>>>,
    /// The user, for basic authentication.
    pub username: Option<String>,
    /// The password, for basic authentication.
    pub password: Option<String>,
    /// A file that holds the password.
    pub password_file: Option<String>,
    /// A bearer token.
    pub bearer_token: Option<String>,
    /// A file that holds the bearer token; read in every run.
    pub bearer_token_file: Option<String>,
    /// How a push proves who sends it, in any of the ways that webhooks know.
    pub auth: Option<RawAuth>,
    /// What the body is signed with, for a proxy that verifies it.
    pub secret: Option<String>,
    /// A file that holds that secret.
    pub secret_file: Option<String>,
    /// Says that user and password, or the token, may go to an `http://` address of another machine, where everybody on the way
    /// can read them; without it every run warns.
    pub allow_insecure: Option<Lenient<bool>>,
    /// Longest time for the push, in seconds: above 0 to 60, default 5.
    #[cfg_attr(test, schemars(extend("default" = 5)))]
    pub timeout_seconds: Option<Lenient<Decimal>>,
}

/// How a request proves who sends it: exactly one way.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawAuth {
    /// User and password.
    pub basic: Option<RawBasic>,
    /// A bearer token.
    pub bearer: Option<String>,
    /// A file that holds a bearer token; read in every run.
    pub bearer_file: Option<String>,
    /// A token that is made for each request.
    pub jwt: Option<RawJwt>,
    /// A header of the receiver's own.
    pub header: Option<RawHeader>,
}

/// User and password.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawBasic {
    /// The user.
    #[cfg_attr(test, schemars(required))]
    pub username: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// A file that holds the password.
    pub password_file: Option<String>,
}

/// A JSON Web Token that is made for each request.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawJwt {
    /// What both sides know, at least 32 bytes; default the variable JWT_SECRET_KEY.
    pub secret: Option<String>,
    /// A file that holds the secret.
    pub secret_file: Option<String>,
    /// How it is signed; only HS256.
    pub algorithm: Option<JwtAlgorithm>,
    /// How long it is good for, in hours: above 0 to 8760, default the variable JWT_ACCESS_TOKEN_EXPIRES_HOURS, else 24.
    #[cfg_attr(test, schemars(extend("default" = 24)))]
    pub expires_hours: Option<Lenient<Decimal>>,
    /// Who makes it.
    pub issuer: Option<String>,
    /// Whom it is for.
    pub audience: Option<String>,
}

/// How a token is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum JwtAlgorithm {
    /// HMAC with SHA-256
    #[default]
    #[serde(rename = "HS256")]
    Hs256,
}

/// A header of the receiver's own.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawHeader {
    /// Its name.
    #[cfg_attr(test, schemars(required))]
    pub name: Option<String>,
    /// Its value, a secret.
    pub value: Option<String>,
    /// A file that holds the value.
    pub value_file: Option<String>,
}

/// Where runs keep what they remember.
#[derive(Debug)]
pub(super) enum RawState {
    /// Nowhere.
    None,
    /// In a file or a database.
    Kept(RawStore),
}

/// Where runs keep what they remember, and for how long.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawStore {
    /// A file; default $XDG_STATE_HOME/balance-alert/state.db.
    pub path: Option<String>,
    /// A PostgreSQL database that several machines share: postgres://user:password@host/database.
    pub url: Option<String>,
    /// A file that holds the address of the database.
    pub url_file: Option<String>,
    /// Says that the password in `url` may go to another machine without TLS, by `sslmode=disable`; without it every run warns.
    pub allow_insecure: Option<Lenient<bool>>,
    /// How long samples and sent alerts are kept, in days: 1 to 36500, default 400.
    #[cfg_attr(test, schemars(extend("default" = 400)))]
    pub retention_days: Option<Lenient<i128>>,
}

impl<'de> Deserialize<'de> for RawState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StateVisitor;

        impl<'de> Visitor<'de> for StateVisitor {
            type Value = RawState;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("none or a mapping")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<RawState, E> {
                match value.trim() {
                    "none" => Ok(RawState::None),
                    _ => Err(E::invalid_value(de::Unexpected::Str(value), &self)),
                }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<RawState, A::Error> {
                RawStore::deserialize(de::value::MapAccessDeserializer::new(map)).map(RawState::Kept)
            }
        }

        deserializer.deserialize_any(StateVisitor)
    }
}

/// A channel that alerts go to.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawWebhook {
    /// The name in reports; default is the type.
    pub name: Option<String>,
    /// The address; itself a secret for most services.
    pub url: Option<String>,
    /// A file that holds the address.
    pub url_file: Option<String>,
    /// The service; by default what the address belongs to, else custom.
    #[serde(rename = "type")]
    pub kind: Option<ChannelKind>,
    /// The sender named in messages; default balance-alert.
    pub source: Option<String>,
    /// The signing secret of a Feishu or DingTalk robot; for type custom, what the body is signed with.
    pub secret: Option<String>,
    /// A file that holds the signing secret.
    pub secret_file: Option<String>,
    /// How a request proves who sends it.
    pub auth: Option<RawAuth>,
    /// How many messages it takes: `20/minute`, `5/second, 100/minute`, or none; by default as many as the service allows.
    pub rate_limit: Option<String>,
    /// For type custom: a jq expression over the answer, true if the message was taken. By default an answer is a refusal if it
    /// is a web page, or says so in a field as `success`, `ok`, `error`, `code` or `errcode`.
    pub accept: Option<String>,
    /// Whether it hears that an alert is over; default true.
    #[cfg_attr(test, schemars(extend("default" = true)))]
    pub send_resolved: Option<Lenient<bool>>,
    /// Says that what proves the sender may go to an `http://` address of another machine, where everybody on the way can read
    /// it; without it every run warns.
    pub allow_insecure: Option<Lenient<bool>>,
}

/// An account to watch.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawProject {
    /// The unique name in reports and alerts.
    #[cfg_attr(test, schemars(required))]
    pub name: Option<String>,
    /// The service: an id of `balance-alert providers`, or of a page under `providers`.
    #[cfg_attr(test, schemars(required))]
    pub provider: Option<String>,
    /// The credential, best as `${VARIABLE}`.
    pub api_key: Option<String>,
    /// A file that holds the credential.
    pub api_key_file: Option<String>,
    /// Below it the balance is critical.
    #[cfg_attr(test, schemars(required))]
    pub threshold: Option<Lenient<Decimal>>,
    /// Below it the balance is a warning; not under `threshold`.
    pub warning_threshold: Option<Lenient<Decimal>>,
    /// What is counted: balance or credits.
    #[serde(rename = "type")]
    pub kind: Option<BalanceType>,
    /// Who the account belongs to, for people.
    pub owner_project: Option<String>,
    /// The old name of `owner_project`.
    pub project: Option<String>,
    /// Whether it is checked; default true.
    pub enabled: Option<Lenient<bool>>,
    /// The currency that is wanted, where an account has several; else its label, if neither the page nor the answer says one.
    pub currency: Option<String>,
    /// Replaces scheme, host and path prefix of the service's address.
    pub base_url: Option<String>,
    /// Says that the key may go to an `http://` address of another machine, where everybody on the way can read it; without
    /// it every run warns.
    pub allow_insecure: Option<Lenient<bool>>,
    /// Longest time for one request, in seconds; default `settings.request_timeout_seconds`.
    pub timeout_seconds: Option<Lenient<Decimal>>,
    /// What the provider's page declares, for example a region.
    pub options: Option<BTreeMap<String, Lenient<Text>>>,
}

/// A number or flag that may also be written as text, because `${VARIABLE}` makes text of everything.
#[derive(Clone, Debug)]
pub(super) struct Lenient<T>(pub T);

/// Text that may also be written as a bare number or flag.
#[derive(Clone, Debug)]
pub(super) struct Text(pub String);

impl FromStr for Text {
    type Err = ();

    fn from_str(text: &str) -> Result<Text, ()> {
        Ok(Text(text.to_owned()))
    }
}

/// What a bare number must be.
pub(super) const PLAIN_NUMBER: &str = "a number of at most 15 digits, or one in quotes";

/// Whether a number has more digits than a float keeps: more than 15, without the zeros that only say how large it is.
pub(super) fn is_long(number: &str) -> bool {
    let digits = number.split(['e', 'E']).next().unwrap_or_default();
    let digits = digits.trim_start_matches(['-', '+', '0', '.']).trim_end_matches(['0', '.']);
    digits.bytes().filter(u8::is_ascii_digit).count() > 15
}

/// What a lenient value is called in messages.
pub(super) trait Scalar: FromStr {
    const EXPECTED: &'static str;

    /// The value of a text.
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Scalar for i128 {
    const EXPECTED: &'static str = "a whole number";
}

impl Scalar for Decimal {
    const EXPECTED: &'static str = "a number";

    /// Digits and at most one decimal point: what separators, currencies and units are meant to be is not guessed here.
    fn read(text: &str) -> Option<Decimal> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits.contains(|c| c != '.');
        if is_plain && text.len() <= crate::model::amount::LONGEST { text.parse().ok() } else { None }
    }
}

impl Scalar for bool {
    const EXPECTED: &'static str = "true or false";
}

impl Scalar for Text {
    const EXPECTED: &'static str = "text";
}

impl<'de, T: Scalar> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LenientVisitor(PhantomData))
    }
}

struct LenientVisitor<T>(PhantomData<T>);

impl<T: Scalar> LenientVisitor<T> {
    fn parse<E: de::Error>(text: &str, shown: de::Unexpected) -> Result<Lenient<T>, E> {
        T::read(text.trim()).map(Lenient).ok_or_else(|| E::invalid_value(shown, &T::EXPECTED))
    }
}

impl<T: Scalar> Visitor<'_> for LenientVisitor<T> {
    type Value = Lenient<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Self::parse(&value.to_string(), de::Unexpected::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Self::parse(&value.to_string(), de::Unexpected::Signed(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Self::parse(&value.to_string(), de::Unexpected::Unsigned(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        // The shortest text of a float is what the user wrote, up to 15 digits; what was longer and got shorter when it was
        // rounded, the document knows. NaN and infinities are no decimals and fail here.
        let text = value.to_string();
        if value.is_finite() && is_long(&text) {
            return Err(E::invalid_value(de::Unexpected::Float(value), &PLAIN_NUMBER));
        }
        Self::parse(&text, de::Unexpected::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        Self::parse(value, de::Unexpected::Str(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_the_config_is_plain_or_refused() {
        for (text, want) in [
            ("1000", Some("1000")),
            ("12.50", Some("12.5")),
            ("'12.50'", Some("12.50")),
            ("' 1000 '", Some("1000")),
            ("'+5'", Some("5")),
            ("'-5'", Some("-5")),
            ("1e3", Some("1000")),
            ("0.1", Some("0.1")),
            ("123456789012.345", Some("123456789012.345")),
            ("'123456789012345678.123456789'", Some("123456789012345678.123456789")),
            ("100000000000000000000", None),
            ("'100000000000000000000'", Some("100000000000000000000")),
            ("123456789012345678.10", None),
            ("123456789012345678901", None),
            ("0.12345678901234567", None),
            ("1,000", None),
            ("'1,000'", None),
            ("1_000", None),
            ("'1_000'", None),
            ("'1 000'", None),
            ("'12,50'", None),
            ("'1.234,56'", None),
            ("1.5k", None),
            ("'1.2万'", None),
            ("100 USD", None),
            ("$5", None),
            ("'5 CR'", None),
            ("'1e3'", None),
            ("'１００'", None),
            ("'.'", None),
            ("''", None),
            (".inf", None),
            (".nan", None),
            ("true", None),
        ] {
            let got = serde_yaml::from_str::<Lenient<Decimal>>(text).ok().map(|number| number.0.to_string());
            assert_eq!(got.as_deref(), want, "{text}");
        }
        let endless = format!("'{}'", "9".repeat(1 << 20));
        assert!(serde_yaml::from_str::<Lenient<Decimal>>(&endless).is_err());
    }
}
