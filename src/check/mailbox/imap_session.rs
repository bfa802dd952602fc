//! A visit to a mailbox: connect, log in, open it read-only, and fetch what is new. One attempt; nothing is ever changed.
//!
//! The crate `imap` speaks the protocol. Its gaps are closed here, in `stream` and in `answer`: the greeting is checked,
//! queries are built from numbers only, answers and time are bounded, and the server's own words survive whatever their charset.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use imap::Session;
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use native_tls::TlsConnector;

use super::fetch::{self, Fetched, Supply};
use super::login::{Address, Door, Proof, failure};
use super::stream::{ANSWER, Limits, Stream};
use crate::model::failure::Failure;
use crate::process::clock;

/// Mails that a reader hears of at once, before the first of them is fetched.
pub(super) const ANNOUNCED: usize = 200;
/// What the numbers of all mails may take, in bytes: enough for 400 000 of them.
const NUMBERS: u64 = 4 * ANSWER;
/// How far a folder was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The server's mark; another one means that its numbers begin anew.
    pub validity: u32,
    /// The highest number that was read.
    pub last: u32,
}

/// How much is read.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The day of the run.
    pub today: Date,
    /// What time it is when the visit begins.
    pub now: Timestamp,
    /// Without a cursor: mails of so many days.
    pub days: u32,
    /// Most mails, the newest.
    pub most: usize,
    /// Longest wait for the server.
    pub timeout: Duration,
    /// When it must be over.
    pub deadline: Instant,
}

/// A mail as it came.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// Its number in the folder.
    pub uid: u32,
    /// When the server got it.
    pub received: Option<Timestamp>,
    /// Its bytes, not all of them if there are too many.
    pub raw: &'a [u8],
}

/// Which other mails of the folder a reader wants to see, beside those that the cursor of the visit leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Read only these mails, and do not go on from the cursor.
    pub is_only: bool,
    /// Those with a higher number than this one.
    pub after: Option<u32>,
    /// Those of so many days.
    pub days: Option<u32>,
}

/// Who reads the mails of a visit, one after the other: never are all of them in memory.
pub trait Reader {
    /// What is kept of a mail.
    type Kept;

    /// Which other mails it wants, of a folder with this mark. They come last, the newest of them first.
    fn wants(&mut self, _validity: u32) -> Wants {
        Wants::default()
    }

    /// Reads one of these.
    ///
    /// # Errors
    /// There is no time to read it.
    fn read_other(&mut self, _letter: Letter) -> Result<(), Failure> {
        Ok(())
    }

    /// Whether unread mails from before this time can be skipped.
    fn has_enough(&self, _came_before: Option<Timestamp>) -> bool {
        false
    }

    /// Called before these mails are read, of the folder with this UIDVALIDITY.
    fn announce(&mut self, validity: u32, numbers: &[u32]);

    /// Reads one, and says what is kept of it.
    ///
    /// # Errors
    /// There is no time to read it. It has not been read then, and is fetched again in another run.
    fn read(&mut self, letter: Letter) -> Result<Option<Self::Kept>, Failure>;

    /// Hears that the server does not deliver one, though it delivers others, and says what is kept of that.
    fn miss(&mut self, uid: u32, received: Option<Timestamp>, why: Failure) -> Option<Self::Kept>;
}

/// What was in a mailbox.
#[derive(Clone, Debug)]
pub struct Visit<T> {
    /// What was kept of the mails, oldest first.
    pub found: Vec<T>,
    /// Mails that were read, or that the server does not deliver.
    pub read: usize,
    /// Older ones that were left out, because there were more than allowed.
    pub skipped: usize,
    /// How far it was read.
    pub cursor: Cursor,
    /// Why the rest is left for the next run, and how many mails these are.
    pub rest: Option<(Failure, usize)>,
    /// What became of the other mails that the reader wanted.
    pub others: Others,
}

/// What became of the other mails that a reader wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// Why not all of them were read that matter.
    pub failure: Option<Failure>,
    /// The highest number of those that were left out, because there were more than allowed; 0 if none was.
    pub skipped_to: u32,
    /// The highest number that the visit knows of: whatever has a higher one has come since.
    pub last: u32,
}

/// One visit, at these addresses of the server.
///
/// # Errors
/// Why nothing could be read. Wrong credentials are definitive: servers lock accounts.
pub fn visit<R: Reader>(
    address: &Address,
    addresses: &[SocketAddr],
    proof: &Proof,
    connector: impl Fn() -> Result<TlsConnector, String>,
    cursor: Option<Cursor>,
    bounds: &Bounds,
    reader: &mut R,
) -> Result<Visit<R::Kept>, Failure> {
    let limits = Limits::new(bounds.timeout, bounds.deadline);
    let door = Door { address, addresses, proof, connector: &connector };
    let (session, folder) = door.enter(&limits)?;
    let validity = folder.uid_validity.unwrap_or_default();
    let mut supply = Supply::new(door, &limits, session, validity);
    let known = cursor.filter(|cursor| cursor.validity == validity && validity != 0);
    let wants = reader.wants(validity);
    let mut numbers = if wants.is_only { Vec::new() } else { search(supply.session()?, known, bounds, &limits)? };
    let cursor = Cursor { validity, last: known.map_or(0, |cursor| cursor.last) };
    let mut visit = Visit { found: Vec::new(), read: 0, skipped: 0, cursor, rest: None, others: Others::default() };
    visit.skipped = numbers.len().saturating_sub(bounds.most);
    numbers.drain(..visit.skipped);
    let oldest = known.is_none().then(|| {
        let days = Duration::from_secs(u64::from(bounds.days) * 86_400);
        clock::before(bounds.now, days)
    });
    if let Err(failure) = read_all(&mut supply, &numbers, oldest, reader, &mut visit) {
        let left = numbers.iter().filter(|uid| **uid > visit.cursor.last).count();
        // What was read counts, so that each run comes further.
        if left == numbers.len() {
            return Err(failure);
        }
        visit.others.failure = Some(failure.clone());
        visit.rest = Some((failure, left));
        return Ok(visit);
    }
    // A quiet mailbox has been read up to the number that the next mail gets.
    let next = folder.uid_next.unwrap_or_default().saturating_sub(1);
    visit.cursor.last = visit.cursor.last.max(next.min(numbers.last().copied().unwrap_or(next)));
    visit.others.last = next.max(numbers.last().copied().unwrap_or_default());
    // Whatever fails here, the mails before are read.
    visit.others.failure =
        read_others(&mut supply, &numbers, (wants, bounds, &limits), reader, &mut visit.others, validity).err();
    supply.close();
    Ok(visit)
}

/// Reads the other mails that the reader wants, the newest first, until older ones do not matter any more. `read` are the numbers of
/// those that it has seen already.
fn read_others<R: Reader>(
    supply: &mut Supply,
    read: &[u32],
    (wants, bounds, limits): (Wants, &Bounds, &Limits),
    reader: &mut R,
    others: &mut Others,
    validity: u32,
) -> Result<(), Failure> {
    let mut numbers: Vec<u32> = Vec::new();
    if let Some(after) = wants.after {
        numbers.extend(search(supply.session()?, Some(Cursor { validity, last: after }), bounds, limits)?);
    }
    if let Some(days) = wants.days {
        numbers.extend(search(supply.session()?, None, &Bounds { days, ..*bounds }, limits)?);
    }
    numbers.sort_unstable();
    numbers.dedup();
    others.last = others.last.max(numbers.last().copied().unwrap_or_default());
    numbers.retain(|uid| read.binary_search(uid).is_err());
    let skipped = numbers.len().saturating_sub(bounds.most);
    others.skipped_to = numbers.drain(..skipped).next_back().unwrap_or_default();
    for batch in numbers.rchunks(fetch::BATCH) {
        reader.announce(validity, batch);
        let mut arrived = supply.all(batch);
        let mut oldest: Option<Timestamp> = None;
        for uid in batch.iter().rev() {
            if let Some(mail) = supply.one(*uid, &mut arrived, &numbers)? {
                oldest = [oldest, mail.received].into_iter().flatten().min();
                if let Ok(raw) = mail.raw {
                    reader.read_other(Letter { uid: *uid, received: mail.received, raw: &raw })?;
                }
            }
        }
        if reader.has_enough(oldest) {
            break;
        }
    }
    Ok(())
}

/// Fetches the mails and has them read, in the order of their numbers.
fn read_all<R: Reader>(
    supply: &mut Supply,
    numbers: &[u32],
    oldest: Option<Timestamp>,
    reader: &mut R,
    visit: &mut Visit<R::Kept>,
) -> Result<(), Failure> {
    for announced in numbers.chunks(ANNOUNCED) {
        reader.announce(visit.cursor.validity, announced);
        for batch in announced.chunks(fetch::BATCH) {
            let mut arrived = supply.all(batch);
            for uid in batch {
                // The server counts days in a zone of its own; what is too old is left out by its time.
                let is_wanted = |mail: &Fetched| mail.received.zip(oldest).is_none_or(|(at, oldest)| at >= oldest);
                if let Some(mail) = supply.one(*uid, &mut arrived, numbers)?.filter(is_wanted) {
                    let kept = match mail.raw {
                        Ok(raw) => reader.read(Letter { uid: *uid, received: mail.received, raw: &raw })?,
                        Err(why) => reader.miss(*uid, mail.received, why),
                    };
                    visit.found.extend(kept);
                    visit.read += 1;
                }
                visit.cursor.last = visit.cursor.last.max(*uid);
            }
        }
    }
    Ok(())
}

/// The numbers of the mails to read, in ascending order.
fn search(
    session: &mut Session<Stream>,
    known: Option<Cursor>,
    bounds: &Bounds,
    limits: &Limits,
) -> Result<Vec<u32>, Failure> {
    limits.allow(NUMBERS);
    let query = match known {
        Some(cursor) => format!("UID {}:*", cursor.last.saturating_add(1)),
        None => {
            // A day more than wanted: the server counts days in a zone of its own.
            let since = bounds.today.checked_sub(Span::new().days(i64::from(bounds.days) + 1)).unwrap_or(bounds.today);
            format!("SINCE {}", since.strftime("%-d-%b-%Y"))
        }
    };
    // The crate is shown no numbers (`answer`).
    session.uid_search(query).map_err(|error| failure(&error, limits))?;
    // `n:*` holds the last mail even if its number is smaller.
    let mut numbers = limits.found();
    numbers.retain(|uid| known.is_none_or(|cursor| *uid > cursor.last));
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}
