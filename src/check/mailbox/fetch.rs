//! How the mails of a visit come: many with one command, and one alone where that command fails or leaves something out.
//!
//! A mail that the server does not deliver must not keep back the ones beside it. That it is this mail and not the server is
//! taken for granted only when the server has failed on it twice and delivers another one afterwards. A server that delivers
//! nothing is a failure of the visit, which costs no mail. A connection that broke on a mail is made anew.

use imap::Session;
use imap::types::Fetches;
use jiff::Timestamp;

use super::login::{Door, failure};
use super::mail::MOST_OF_MAIL;
use super::stream::{ANSWER, Limits, Stream};
use crate::model::failure::{Failure, Reason, Retry};

/// Mails that are fetched with one command.
pub(super) const BATCH: usize = 25;
/// Connections of one visit: servers lock out who comes too often.
const MOST_CONNECTIONS: usize = 10;
/// The part of the time left that a command may take, so that there is some to go on with when it fails.
const PART: u32 = 3;

/// A mail as the server gave it.
pub(super) struct Fetched {
    /// Its number in the folder.
    pub(super) uid: u32,
    /// When the server got it.
    pub(super) received: Option<Timestamp>,
    /// Its bytes, or why the server does not deliver them.
    pub(super) raw: Result<Vec<u8>, Failure>,
}

/// Which mails are fetched.
#[derive(Clone, Copy)]
enum Which<'a> {
    Numbers(&'a [u32]),
    /// The oldest of the folder.
    Oldest,
}

/// Fetches mails, on as many connections as that takes.
pub(super) struct Supply<'a> {
    door: Door<'a>,
    limits: Limits,
    session: Option<Session<Stream>>,
    validity: u32,
    connections: usize,
    /// Why there will be no further connection.
    end: Option<Failure>,
    /// A mail that this server has delivered.
    witness: Option<u32>,
}

impl<'a> Supply<'a> {
    /// Begins with the connection that there is, on which a folder with this mark is open.
    pub(super) fn new(door: Door<'a>, limits: &Limits, session: Session<Stream>, validity: u32) -> Supply<'a> {
        let limits = limits.clone();
        Supply { door, limits, session: Some(session), validity, connections: 1, end: None, witness: None }
    }

    /// Gives the connection, and opens a new one if the last one broke.
    pub(super) fn session(&mut self) -> Result<&mut Session<Stream>, Failure> {
        let session = match (self.session.take(), &self.end) {
            (Some(session), _) => session,
            (None, Some(failure)) => return Err(failure.clone()),
            (None, None) => self.connect().inspect_err(|failure| self.end = Some(failure.clone()))?,
        };
        Ok(self.session.insert(session))
    }

    /// All mails of a batch that the server gives at once, or nothing if it fails: then each is asked for alone.
    pub(super) fn all(&mut self, batch: &[u32]) -> Option<Vec<Fetched>> {
        self.fetch(Which::Numbers(batch), PART).ok()
    }

    /// One mail, of those that have arrived or else alone; none if it is not there any more. `numbers` are all that are wanted.
    ///
    /// # Errors
    /// The server delivers no other mail either.
    pub(super) fn one(
        &mut self,
        uid: u32,
        arrived: &mut Option<Vec<Fetched>>,
        numbers: &[u32],
    ) -> Result<Option<Fetched>, Failure> {
        if let Some(mails) = arrived {
            match mails.iter().position(|mail| mail.uid == uid).map(|at| mails.remove(at)) {
                Some(Fetched { raw: Err(_), .. }) => {}
                mail => return Ok(mail),
            }
        }
        let (received, why) = match self.fetch(Which::Numbers(&[uid]), PART) {
            Ok(mut mails) => match mails.pop() {
                Some(Fetched { received, raw: Err(why), .. }) => (received, why),
                mail => return Ok(mail),
            },
            Err(failure) => (None, failure),
        };
        self.deliver_another(uid, numbers, &why)?;
        Ok(Some(Fetched { uid, received, raw: Err(why) }))
    }

    /// Ends the last connection in peace.
    pub(super) fn close(mut self) {
        let _ = self.session.as_mut().map(Session::logout);
    }

    fn connect(&mut self) -> Result<Session<Stream>, Failure> {
        self.connections += 1;
        let (session, folder) = self.door.enter(&self.limits)?;
        if folder.uid_validity.unwrap_or_default() != self.validity {
            return Err(Failure::transient(Reason::Protocol, "the folder has got other numbers during the visit"));
        }
        Ok(session)
    }

    /// Called after the server failed on this mail. Checks that it delivers another one; if it does not, the mailbox has failed
    /// and not the mail.
    fn deliver_another(&mut self, uid: u32, numbers: &[u32], why: &Failure) -> Result<(), Failure> {
        let next = numbers.iter().find(|other| **other > uid).copied();
        let (others, oldest) = match self.witness {
            Some(witness) => ([Some(witness), None], None),
            None => ([numbers.last().copied(), next], Some(Which::Oldest)),
        };
        let mut failure = why.clone();
        let others = others.map(|other| other.filter(|other| *other != uid));
        for which in others.iter().flatten().map(std::slice::from_ref).map(Which::Numbers).chain(oldest) {
            match self.fetch(which, 1) {
                Ok(mails) if mails.iter().any(|mail| mail.uid != uid && mail.raw.is_ok()) => return Ok(()),
                Ok(_) => {}
                Err(fault) => failure = fault,
            }
        }
        // The server was asked several times, and locks out who logs in too often. That it takes no connection at all may pass.
        if self.end.is_none() {
            failure.retry = Retry::Later;
        }
        Err(failure)
    }

    /// Fetches mails within a part of the time that is left.
    fn fetch(&mut self, which: Which, part: u32) -> Result<Vec<Fetched>, Failure> {
        let limits = self.limits.clone();
        let error = match ask(self.session()?, which, part, &limits) {
            Ok(fetched) => {
                let mails = mails(&fetched, which, &limits);
                self.witness = mails.iter().rfind(|mail| mail.raw.is_ok()).map(|mail| mail.uid).or(self.witness);
                return Ok(mails);
            }
            Err(error) => error,
        };
        let failure = failure(&error, &limits);
        // Who says no can still be spoken to; after anything else nobody knows what comes next.
        if !matches!(error, imap::Error::No(_) | imap::Error::Bad(_)) {
            self.session = None;
            if self.connections >= MOST_CONNECTIONS {
                self.end = Some(failure.clone());
            }
        }
        Err(failure)
    }
}

fn ask(session: &mut Session<Stream>, which: Which, part: u32, limits: &Limits) -> imap::error::Result<Fetches> {
    let query = format!("(UID INTERNALDATE BODY.PEEK[]<0.{MOST_OF_MAIL}>)");
    let bytes = |count: usize| count as u64 * (MOST_OF_MAIL + 4096) + ANSWER;
    match which {
        Which::Numbers(numbers) => {
            limits.allow_part(bytes(numbers.len()), part);
            let list: Vec<String> = numbers.iter().map(u32::to_string).collect();
            session.uid_fetch(list.join(","), query)
        }
        Which::Oldest => {
            limits.allow_part(bytes(1), part);
            session.fetch("1", query)
        }
    }
}

/// The mails of an answer, each once, in the order of their numbers.
fn mails(fetched: &Fetches, which: Which, limits: &Limits) -> Vec<Fetched> {
    // Nobody asked for other mails, whose flags may come in between.
    let is_asked_for = |uid: &u32| match which {
        Which::Numbers(numbers) => numbers.contains(uid),
        Which::Oldest => true,
    };
    let mut mails: Vec<Fetched> = Vec::new();
    for one in fetched.iter() {
        let Some(uid) = one.uid.filter(is_asked_for) else {
            continue;
        };
        let received = one.internal_date().and_then(|at| Timestamp::from_second(at.timestamp()).ok());
        let mut raw = one.body().map(|body| limits.contents(body)).unwrap_or_default();
        raw.truncate(MOST_OF_MAIL as usize);
        // Every mail has a header.
        let nothing = || Failure::new(Reason::Protocol, "there is nothing in what it sends");
        let raw = if raw.is_empty() { Err(nothing()) } else { Ok(raw) };
        mails.push(Fetched { uid, received, raw });
    }
    // The flags of a mail may come apart from the mail.
    mails.sort_by_key(|mail| (mail.uid, mail.raw.is_err()));
    mails.dedup_by_key(|mail| mail.uid);
    mails
}
