//! One mailbox as the pool runs it: a token if it takes one, a visit, and which of the mails are alerts.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::account_mails::{Kept, Watch, Watches};
use super::imap_session::{Bounds, Cursor, Letter, Reader, Visit, Wants, visit};
use super::login::{Address, Proof};
use super::mail::Mail;
use super::mail_token::token;
use super::resolve::{Answer, Resolver};
use super::vendor::Vendors;
use super::{finding, isolated, mail};
use crate::check::mailbox::config::{EmailSettings, MailLogin, Mailbox};
use crate::check::pool::{self, Turn, Unfinished};
use crate::model::failure::{Failure, Reason, Retry};
use crate::model::identity::Identity;
use crate::model::strength::Strength;
use crate::process::clock::Clock;
use crate::process::redact::Redactor;
use crate::wire::http::Clients;
use crate::wire::retry;

/// Longest time for one mailbox, what it waits for a worker or between attempts not counted.
const LONGEST: Duration = Duration::from_secs(60);
/// Longest pause between two looks whether a name has been looked up.
const PAUSE: Duration = Duration::from_millis(100);

/// Why a mail is left out.
const DEADLY: &str = "an earlier run died of it";
const DEFECT: &str = "reading it failed by a defect of this program";

/// A mail that is an alert.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// Names the mail in whichever mailbox it lies.
    pub identity: Identity,
    pub subject: String,
    pub sender: String,
    /// When it was sent, or else received.
    pub date: Option<Timestamp>,
    /// The account that it is about, by its name, if it can only be one.
    pub account: Option<String>,
    /// The accounts that are read from mails whose balance it tells, and nothing else: whoever hears that one of them is low need not
    /// hear of the mail.
    pub balance_of: Vec<String>,
    /// The service that its subject names.
    pub service: Option<String>,
    /// The amount that it names.
    pub amount: Option<Decimal>,
    /// In what.
    pub currency: Option<&'static str>,
    /// How strongly it speaks of trouble; none for a mail that could not be read.
    pub strength: Option<Strength>,
    /// What speaks for trouble, the strongest first.
    pub signs_for: Vec<String>,
    /// What speaks against it, the strongest first.
    pub signs_against: Vec<String>,
}

/// What was found in a mailbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scan {
    /// Mails that were read, or that the server does not deliver.
    pub scanned: usize,
    /// Mails that were left out, because there were more than allowed.
    pub skipped: usize,
    /// The alerts among them, each once.
    pub findings: Vec<Finding>,
    /// How far it was read.
    pub cursor: Cursor,
    /// Why the rest is left for the next run, and how many mails these are.
    pub rest: Option<(Failure, usize)>,
    /// What is known of the accounts that its mails tell of; nothing unless all mails were read that matter.
    pub accounts: Vec<(Identity, Kept)>,
    /// Why that is not known.
    pub not_for_accounts: Option<Failure>,
}

/// Mails that are about to be read. A run that dies leaves this in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The server's mark of the folder.
    pub validity: u32,
    /// Their first number.
    pub first: u32,
    /// Their last number.
    pub last: u32,
    /// Whether this is one mail that has been told apart from the others: should the run die, it was this one.
    pub is_alone: bool,
}

/// Writes down, as far as there is a store, which mails of a mailbox are about to be read. Never takes long.
pub(crate) type Marker = Arc<dyn Fn(Identity, Mark) + Send + Sync>;

/// What came of a mailbox, all attempts taken together.
#[derive(Clone, Debug)]
pub(crate) struct Scanned {
    /// What was found, or why nothing was.
    pub result: Result<Scan, Failure>,
    /// Time taken.
    pub duration: Duration,
}

impl Scanned {
    /// A scan that the pool has lost.
    pub(crate) fn lost(lost: Unfinished) -> Scanned {
        Scanned { result: Err(lost.failure), duration: lost.duration }
    }

    /// Why the mailbox was not read, or not to its end.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        match &self.result {
            Ok(scan) => scan.rest.as_ref().map(|(failure, _)| failure),
            Err(failure) => Some(failure),
        }
    }
}

/// What all mailboxes of a run share.
#[derive(Clone)]
pub(crate) struct Terms {
    /// The day of the run.
    pub today: Date,
    /// The clock of the run.
    pub clock: Clock,
    /// The accounts that mails may be about.
    pub vendors: Vendors,
    /// How far back and how much.
    pub settings: EmailSettings,
    /// How often and how long to try.
    pub policy: retry::Policy,
    /// Looks up the servers' names.
    pub resolver: Resolver,
    /// Writes down what is about to be read.
    pub marker: Marker,
    /// For tokens, and for TLS.
    pub clients: Arc<Clients>,
    /// Knows every secret.
    pub redactor: Arc<Redactor>,
}

/// A mailbox that is being scanned, in turns: while its server's name is looked up, and between two attempts, others have the
/// worker.
pub(crate) struct Scanner {
    mailbox: Mailbox,
    cursor: Option<Cursor>,
    mark: Option<Mark>,
    watches: Vec<Watch>,
    is_for_accounts_only: bool,
    terms: Arc<Terms>,
    attempts: u32,
    begun: Option<Instant>,
    waiting_since: Option<Instant>,
    spent: Duration,
}

impl Scanner {
    /// Goes on from what earlier runs have left: how far they have read, and what they were reading when they died.
    pub(crate) fn new(mailbox: Mailbox, cursor: Option<Cursor>, mark: Option<Mark>, terms: Arc<Terms>) -> Scanner {
        let (begun, waiting_since, watches) = (None, None, Vec::new());
        let (is_for_accounts_only, attempts, spent) = (false, 0, Duration::ZERO);
        Scanner { mailbox, cursor, mark, watches, is_for_accounts_only, terms, attempts, begun, waiting_since, spent }
    }

    /// The same with accounts that its mails tell of; with `is_only`, nothing else is done, and the cursor stays where it is.
    pub(crate) fn watching(self, watches: Vec<Watch>, is_only: bool) -> Scanner {
        Scanner { watches, is_for_accounts_only: is_only, ..self }
    }

    /// The name of the mailbox.
    pub(crate) fn name(&self) -> &str {
        &self.mailbox.name
    }

    /// Scans, in so much time at the most, or says when to come again.
    pub(crate) fn turn(&mut self, most: Duration) -> Turn<Scanned> {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        let result = match self.mailbox.login.clone() {
            Ok(login) => match self.addresses() {
                Ok(None) => {
                    let waited = self.waiting_since.map(|since| since.elapsed()).unwrap_or_default();
                    let pause = (waited / 8).clamp(Duration::from_millis(1), PAUSE);
                    let why = "the host name was not resolved before the run's time was over";
                    let failure = Failure::transient(Reason::Dns, why).at(place(&self.mailbox.address));
                    return Turn::Later(Instant::now() + pause, failure);
                }
                Ok(Some(addresses)) => self.attempt(&login, &addresses, most),
                Err(failure) => Err(failure),
            },
            Err(why) => Err(Failure::new(Reason::Config, why)),
        };
        self.waiting_since = None;
        self.attempts += u32::from(self.mailbox.login.is_ok());
        let result = match result {
            Ok(scan) => Ok(scan),
            Err(failure) => {
                let mut failure = match self.mailbox.login {
                    Ok(_) => failure.at(place(&self.mailbox.address)),
                    Err(_) => failure,
                };
                if self.spent >= LONGEST {
                    failure.retry = Retry::Never;
                }
                match retry::after(&self.terms.policy, &self.terms.redactor, self.attempts, failure) {
                    retry::Next::GiveUp(failure) => Err(failure),
                    retry::Next::Wait(wait, failure) => {
                        return Turn::Again(Instant::now() + wait, failure, self.attempts);
                    }
                }
            }
        };
        let result = pool::or_cancelled(result, &self.terms.policy.deadline);
        Turn::Done(Scanned { result, duration: begun.elapsed() })
    }

    /// Where the server is, if that is known by now.
    fn addresses(&mut self) -> Result<Option<Vec<SocketAddr>>, Failure> {
        let address = &self.mailbox.address;
        let now = Instant::now();
        let since = self.waiting_since.unwrap_or(now);
        match self.terms.resolver.ask(&address.host, address.port, since) {
            Answer::Addresses(addresses) => Ok(Some(addresses)),
            Answer::None => Err(Failure::transient(Reason::Dns, "the host name could not be resolved")),
            Answer::NotYet => Ok(None),
            Answer::Asked if now - since < self.mailbox.timeout => {
                self.waiting_since = Some(since);
                Ok(None)
            }
            Answer::Asked => {
                self.terms.resolver.give_up(&address.host, address.port);
                let limit = crate::model::text::seconds(self.mailbox.timeout);
                Err(Failure::transient(Reason::Dns, format!("the host name could not be resolved within {limit} s")))
            }
        }
    }

    /// One attempt.
    fn attempt(&mut self, login: &MailLogin, addresses: &[SocketAddr], most: Duration) -> Result<Scan, Failure> {
        let begin = Instant::now();
        let left = self.terms.policy.time();
        let deadline = begin + time_for_attempt(self.spent, left.min(most));
        let result = self.visit(login, addresses, deadline);
        self.spent += begin.elapsed();
        result
    }

    fn visit(&self, login: &MailLogin, addresses: &[SocketAddr], deadline: Instant) -> Result<Scan, Failure> {
        let (mailbox, terms) = (&self.mailbox, &self.terms);
        let left = deadline.saturating_duration_since(Instant::now());
        let proof = match login {
            MailLogin::Password(password) => Proof::Password(password.clone()),
            MailLogin::Oauth2(oauth2) => {
                let time = mailbox.timeout.min(left);
                Proof::Token(token(oauth2, &terms.clients, &terms.redactor, time)?)
            }
        };
        let bounds = Bounds {
            today: terms.today,
            now: terms.clock.now(),
            days: terms.settings.days,
            most: terms.settings.max_emails,
            timeout: mailbox.timeout,
            deadline,
        };
        let watches = Watches::new(&self.watches, &terms.redactor, terms.clock.now());
        let is_only = self.is_for_accounts_only;
        let mut desk =
            Desk { mailbox, terms, watches, is_only, mark: self.mark, validity: 0, is_careful: false, deadline };
        let tls = || terms.clients.tls();
        let mut visit = visit(&mailbox.address, addresses, &proof, tls, self.cursor, &bounds, &mut desk)?;
        let mut findings: Vec<Finding> = Vec::new();
        for found in std::mem::take(&mut visit.found) {
            if !findings.iter().any(|other| other.identity == found.identity) {
                findings.push(found);
            }
        }
        let settled = |failure: Failure| failure.at(place(&mailbox.address)).settle(&terms.redactor);
        let accounts = match &visit.others.failure {
            None => desk.watches.finish(visit.cursor.validity, &visit.others),
            Some(_) => Vec::new(),
        };
        let not_for_accounts = visit.others.failure.take().map(settled);
        let rest = visit.rest.take().map(|(failure, left)| {
            let failure = settled(failure);
            log::warn!("`{}`: {left} mails are left for the next run: {}", mailbox.name, failure.message);
            (failure, left)
        });
        let Visit { read: scanned, skipped, cursor, .. } = visit;
        Ok(Scan { scanned, skipped, findings, cursor, rest, accounts, not_for_accounts })
    }
}

/// The server of a mailbox for messages, with its port where that is not a usual one.
fn place(address: &Address) -> String {
    match address.port {
        993 | 143 => address.host.clone(),
        port => format!("{}:{port}", address.host),
    }
}

/// The time of an attempt, by what earlier ones have spent and what the run has left. It ends a little before it would be given up,
/// so that what it has read by then is not lost.
fn time_for_attempt(spent: Duration, left: Duration) -> Duration {
    let left = left.min(LONGEST.saturating_sub(spent));
    left - (left / 10).min(Duration::from_secs(1))
}

/// Where the mails of one visit are read.
struct Desk<'a> {
    mailbox: &'a Mailbox,
    terms: &'a Terms,
    watches: Watches<'a>,
    /// Whether the mails are read for accounts alone.
    is_only: bool,
    /// What an earlier run was reading when it died.
    mark: Option<Mark>,
    validity: u32,
    /// Whether the mails that come now may be the ones that an earlier run died of.
    is_careful: bool,
    deadline: Instant,
}

impl Reader for Desk<'_> {
    type Kept = Finding;

    fn announce(&mut self, validity: u32, numbers: &[u32]) {
        let (first, last) = (numbers.first().copied().unwrap_or_default(), numbers.last().copied().unwrap_or_default());
        self.validity = validity;
        // The mark of the run that died stays until this one is over.
        self.is_careful =
            self.mark.is_some_and(|mark| mark.validity == validity && mark.first <= last && first <= mark.last);
        if !self.is_careful {
            self.mark(Mark { validity, first, last, is_alone: false });
        }
    }

    fn wants(&mut self, validity: u32) -> Wants {
        self.watches.wants(validity, self.is_only)
    }

    fn read(&mut self, letter: Letter) -> Result<Option<Finding>, Failure> {
        let read = match self.opened(&letter)? {
            Ok(mail) => catch_unwind(AssertUnwindSafe(|| {
                self.watches.look(&mail, &letter);
                self.look(&mail, &letter)
            })),
            Err(why) => return Ok(Some(self.unread(letter.uid, letter.received, why))),
        };
        Ok(read.unwrap_or_else(|_| Some(self.unread(letter.uid, letter.received, DEFECT))))
    }

    fn read_other(&mut self, letter: Letter) -> Result<(), Failure> {
        let read = self
            .opened(&letter)?
            .map(|mail| catch_unwind(AssertUnwindSafe(|| self.watches.look(&mail, &letter))).map_err(|_| DEFECT));
        if let Err(why) = read.and_then(|read| read) {
            log::warn!("`{}`: the mail with UID {} is left out: {why}", self.mailbox.name, letter.uid);
        }
        Ok(())
    }

    fn has_enough(&self, came_before: Option<Timestamp>) -> bool {
        self.watches.has_enough(came_before)
    }

    fn miss(&mut self, uid: u32, received: Option<Timestamp>, why: Failure) -> Option<Finding> {
        let why = why.settle(&self.terms.redactor).message;
        Some(self.unread(uid, received, &format!("the server does not deliver it: {why}")))
    }
}

impl Desk<'_> {
    fn mark(&self, mark: Mark) {
        (self.terms.marker)(self.mailbox.identity(), mark);
    }

    /// What a mail says, or why it is left out.
    fn opened(&mut self, letter: &Letter) -> Result<Result<Mail, &'static str>, Failure> {
        if self.is_careful {
            let alone = Mark { validity: self.validity, first: letter.uid, last: letter.uid, is_alone: true };
            if self.mark == Some(alone) {
                return Ok(Err(DEADLY));
            }
            match isolated::hold(letter.raw, self.deadline)? {
                isolated::Verdict::Harmless => {}
                isolated::Verdict::Harmful => return Ok(Err(DEADLY)),
                isolated::Verdict::None => self.mark(alone),
            }
        }
        Ok(catch_unwind(|| mail::read(letter.raw)).map_err(|_| DEFECT))
    }

    fn look(&self, mail: &Mail, letter: &Letter) -> Option<Finding> {
        let mailbox = self.mailbox;
        if !mailbox.looks_at(mail.address.as_deref()) {
            return None;
        }
        let judgement = mailbox.judge.judge(mail);
        if judgement.is_cut {
            log::warn!(
                "`{}`: the mail with UID {} is so long that only its beginning was judged",
                mailbox.name,
                letter.uid
            );
        }
        if !judgement.is_trouble {
            return None;
        }
        let shown = finding::shown_amount(&mail.subject, &mail.shown());
        let balance_of = self.terms.vendors.of_balance(mail, &mailbox.name, shown.as_ref());
        let amount = shown.filter(|shown| shown.is_of_known_unit).map(|shown| shown.amount);
        let redactor = &self.terms.redactor;
        Some(Finding {
            identity: Identity::of("mail", &mail.id, &[]),
            account: self.terms.vendors.account_of(mail).map(str::to_owned),
            balance_of,
            service: finding::service(&mail.subject).map(|service| redactor.polish(&service)),
            // A mail may name a key, but does not answer to one: words in it are words.
            subject: redactor.polish(&mail.subject),
            sender: redactor.polish(&mail.sender),
            date: mail.date.or(letter.received),
            amount: amount.as_ref().map(|amount| amount.value),
            currency: amount.and_then(|amount| amount.currency),
            strength: Some(judgement.strength),
            signs_for: judgement.signs_for,
            signs_against: judgement.signs_against,
        })
    }

    /// A mail that is left out is told like one that speaks of trouble: somebody should look at it.
    fn unread(&self, uid: u32, received: Option<Timestamp>, why: &str) -> Finding {
        let (mailbox, address) = (self.mailbox, &self.mailbox.address);
        log::warn!("`{}`: the mail with UID {uid} is left out: {why}", mailbox.name);
        let (uid, validity) = (uid.to_string(), self.validity.to_string());
        let place = [&address.host, &address.username, &address.folder, &validity, &uid].map(String::as_str);
        Finding {
            identity: Identity::of("unread mail", &mailbox.name, &place),
            subject: format!("a mail could not be read (UID {uid}): {why}"),
            sender: "unknown".to_owned(),
            date: received,
            account: None,
            balance_of: Vec::new(),
            service: None,
            amount: None,
            currency: None,
            strength: None,
            signs_for: Vec::new(),
            signs_against: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::MOST_FOR_AMOUNT;
    use super::*;

    #[test]
    fn a_mailbox_has_a_minute_in_all_and_ends_before_the_run_does() {
        let seconds = Duration::from_secs;
        for (spent, left, time) in [
            (0, 3600, seconds(59)),
            (45, 3600, seconds(14)),
            (60, 3600, seconds(0)),
            (90, 3600, seconds(0)),
            (0, 20, seconds(19)),
            (0, 5, Duration::from_millis(4500)),
            (58, 20, Duration::from_millis(1800)),
        ] {
            assert_eq!(time_for_attempt(seconds(spent), seconds(left)), time, "{spent} {left}");
        }
    }

    #[test]
    fn an_amount_is_looked_for_near_the_beginning() {
        let text = |before: usize| format!("{}余额：12.50 元", "字 ".repeat(before / 4));
        assert!(finding::shown_amount("", &text(MOST_FOR_AMOUNT - 100)).is_some());
        assert!(finding::shown_amount("", &text(MOST_FOR_AMOUNT + 100)).is_none());
    }
}
