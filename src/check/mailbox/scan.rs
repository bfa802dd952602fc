//! One mailbox as the pool runs it: a token if it takes one, a visit, and which of the mails are alerts.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use super::session::{Bounds, Cursor, Proof, visit};
use super::{finding, mail::Mail};
use crate::alert::Identity;
use crate::check::pool::Lost;
use crate::config::{EmailSettings, MailLogin, Mailbox, Oauth2};
use crate::failure::{Failure, Reason};
use crate::http::{Clients, Method, Request};
use crate::redact::Redactor;
use crate::retry;

/// Longest time for one mailbox.
const LONGEST: Duration = Duration::from_secs(60);

/// A mail that is an alert.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Names the mail in whichever mailbox it lies.
    pub identity: Identity,
    /// The subject.
    pub subject: String,
    /// The sender.
    pub sender: String,
    /// When it was sent, or else received.
    pub date: Option<Timestamp>,
    /// The service that its subject names.
    pub service: Option<String>,
    /// The amount that it names.
    pub amount: Option<Decimal>,
    /// In what.
    pub currency: Option<&'static str>,
    /// The words that made it an alert.
    pub keywords: Vec<String>,
}

/// What was found in a mailbox.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// Mails that were read.
    pub scanned: usize,
    /// Mails that were left out, because there were more than allowed.
    pub skipped: usize,
    /// The alerts among them, each once.
    pub findings: Vec<Finding>,
    /// How far it was read.
    pub cursor: Cursor,
}

/// What came of a mailbox, all attempts taken together.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// What was found, or why nothing was.
    pub result: Result<Scan, Failure>,
    /// Attempts made.
    pub attempts: u32,
    /// Time taken.
    pub duration: Duration,
}

impl Scanned {
    /// A scan that the pool has lost.
    pub fn lost(lost: Lost) -> Scanned {
        Scanned { result: Err(lost.failure), attempts: u32::from(lost.is_started), duration: lost.duration }
    }
}

/// What all mailboxes of a run share.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The day of the run.
    pub today: Date,
    /// How far back and how much.
    pub settings: EmailSettings,
    /// How often and how long to try.
    pub policy: retry::Policy,
}

/// Scans a mailbox.
pub fn scan(
    mailbox: &Mailbox,
    cursor: Option<Cursor>,
    terms: &Terms,
    clients: &Clients,
    redactor: &Redactor,
) -> Scanned {
    let begin = Instant::now();
    let policy = retry::Policy { deadline: terms.policy.deadline.or_at(begin + LONGEST), ..terms.policy };
    let (result, attempts) = match (&mailbox.broken, &mailbox.login) {
        (None, Some(login)) => retry::run(&policy, redactor, |left| {
            let proof = match login {
                MailLogin::Password(password) => Proof::Password(password.clone()),
                MailLogin::Oauth2(oauth2) => Proof::Token(token(oauth2, clients, mailbox.timeout.min(left))?),
            };
            let bounds = Bounds {
                today: terms.today,
                days: terms.settings.days,
                most: terms.settings.max_emails,
                timeout: mailbox.timeout,
                deadline: Instant::now() + left,
            };
            visit(
                &mailbox.address,
                &proof,
                || clients.tls(),
                cursor,
                &bounds,
                |mail, received| look(mailbox, &mail, received),
            )
        }),
        (why, _) => (Err(Failure::new(Reason::Config, why.clone().unwrap_or_default())), 0),
    };
    let result = result.map(|visit| {
        let mut findings: Vec<Finding> = Vec::new();
        for found in visit.found {
            if !findings.iter().any(|other| other.identity == found.identity) {
                findings.push(found);
            }
        }
        Scan { scanned: visit.read, skipped: visit.skipped, findings, cursor: visit.cursor }
    });
    Scanned { result, attempts, duration: begin.elapsed() }
}

fn look(mailbox: &Mailbox, mail: &Mail, received: Option<Timestamp>) -> Option<Finding> {
    let sender = mail.sender.to_lowercase();
    if mailbox.ignore_senders.iter().any(|ignored| sender.contains(ignored.as_str())) {
        return None;
    }
    let text = format!("{}\n{}", mail.subject, mail.text);
    let keywords = mailbox.keywords.find(&text);
    if keywords.is_empty() {
        return None;
    }
    let amount = finding::amount(&text);
    Some(Finding {
        identity: Identity::of("mail", &mail.id, &[]),
        subject: mail.subject.clone(),
        sender: mail.sender.clone(),
        date: mail.date.or(received),
        service: finding::service(&mail.subject),
        amount: amount.as_ref().map(|amount| amount.value),
        currency: amount.and_then(|amount| amount.currency),
        keywords,
    })
}

/// A new access token for a refresh token (RFC 6749 section 6).
fn token(oauth2: &Oauth2, clients: &Clients, timeout: Duration) -> Result<SecretString, Failure> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token")
        .append_pair("client_id", &oauth2.client_id)
        .append_pair("refresh_token", oauth2.refresh_token.expose_secret());
    if let Some(secret) = &oauth2.client_secret {
        form.append_pair("client_secret", secret.expose_secret());
    }
    if let Some(scope) = oauth2.scope {
        form.append_pair("scope", scope);
    }
    let mut headers = reqwest::header::HeaderMap::new();
    let kind = reqwest::header::HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(reqwest::header::CONTENT_TYPE, kind);
    let request = Request { method: Method::POST, url: oauth2.token_url.clone(), headers, body: Some(form.finish()) };
    let response = clients.read(&request, timeout)?;
    let answer: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let word = |name: &str| answer.get(name).and_then(serde_json::Value::as_str);
    match (response.status, word("access_token")) {
        (200, Some(token)) => Ok(SecretString::from(token)),
        (status @ 400..=499, _) if status != 429 => {
            let words = word("error_description").or(word("error")).unwrap_or("no reason given");
            Err(Failure::new(Reason::Auth, format!("no token: {}", crate::text::one_line(words, 200))))
        }
        (200..=299, None) => Err(Failure::new(Reason::Decode, "no token: the answer holds none")),
        (status, _) => {
            Err(Failure::of_status(status, format!("no token (HTTP {status})")).heeding(response.retry_after))
        }
    }
}
