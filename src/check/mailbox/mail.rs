//! One mail: who, what, when, and its text.
//!
//! The way through its parts (`parts`) is the program's own, one level of nesting at a time and never deeper than [`DEEPEST`]: a
//! MIME library goes as deep as a mail says, and a mail can say a lot. The library reads the headers that say what a part is.

mod decode;
mod headers;
mod parts;
mod seen;

use jiff::Timestamp;
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use sha2::{Digest, Sha256};

pub(super) use self::decode::decode_bytes;
use self::headers::{decode_header, header, line, split};
use self::parts::Words;
use self::seen::Seen;
use super::quotes;
use crate::model::text;
use crate::process::fault;

/// Most of one mail that is fetched, in bytes.
pub(crate) const MOST_OF_MAIL: u64 = 256 * 1024;
/// Most of a mail's text that is looked at, in bytes.
pub const MOST_TEXT: usize = 256 * 1024;
/// Most parts that are looked at, in all forwarded mails together.
pub const MOST_PARTS: usize = 100;
/// The deepest nesting: mails that are forwarded in one another, and lists of parts in one another.
pub const DEEPEST: usize = 20;
/// Longest subject and sender, in characters.
const SUBJECT_CHARS: usize = 200;
const SENDER_CHARS: usize = 120;

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Names it wherever it lies: its Message-ID and a hash of date, subject and sender. The Message-ID alone is no proof that two
    /// mails are the same: some senders write one and the same into all of theirs, and whoever knows one could have another mail
    /// left out by it.
    pub id: String,
    /// The subject, on one line.
    pub subject: String,
    /// The sender as it is written, on one line.
    pub sender: String,
    /// The sender's address alone, in lower case.
    pub address: Option<String>,
    /// When it was sent, as its header says.
    pub date: Option<Timestamp>,
    /// The words of all its text parts, one after the other, without the words of others that it quotes. A mail that is nothing
    /// but a quotation keeps it.
    pub text: String,
    seen: Seen,
    /// Its headers say that it went to many: how to unsubscribe, the name of a list, or that it is bulk.
    pub is_bulk: bool,
    /// Its headers say that a machine wrote it.
    pub is_automatic: bool,
}

impl Mail {
    /// As the text, but without what a reader does not see, and without any quotation: an amount is told only of this.
    pub fn shown(&self) -> String {
        self.seen.text()
    }
}

/// Reads a mail, whole or cut off at its end. Whatever it holds, this gives something.
pub fn read(raw: &[u8]) -> Mail {
    let (headers, body) = split(raw);
    let header = |name: &str| header(&headers, name);
    let subject = header("subject").map(decode_header).unwrap_or_default();
    let sender = header("from").map(decode_header).unwrap_or_default();
    let subject = text::one_line(&subject, SUBJECT_CHARS);
    let sender = text::one_line(&sender, SENDER_CHARS);
    let date_text = header("date").map(decode_header).unwrap_or_default();
    let own_id = header("message-id").map(|id| text::one_line(&String::from_utf8_lossy(id), 300));
    let digest = Sha256::digest(format!("{date_text}|{subject}|{sender}"));
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let own_id = own_id.filter(|id| id.len() > 2);
    fault::point(&format!("mail:{}", own_id.as_deref().unwrap_or(&digest)));
    let id = own_id.map_or_else(|| digest.clone(), |own_id| format!("{own_id} {digest}"));
    let date = header("date").and_then(|date| match MessageStream::new(&line(date)).parse_date() {
        HeaderValue::DateTime(date) => Timestamp::from_second(date.to_timestamp()).ok(),
        _ => None,
    });
    let mut words = Words { is_forwarded: quotes::is_forwarded(&subject), ..Words::default() };
    if headers.is_empty() && body.is_empty() {
        // No mail at all, but perhaps words.
        words.push_plain(&decode_bytes(raw, None));
    } else {
        words.part(&headers, body, 0, false);
    }
    let Words { all, own, mut seen, .. } = words;
    seen.is_cut = raw.len() as u64 >= MOST_OF_MAIL;
    let is_own = own.contains(char::is_alphanumeric) && !(own.len() < all.len() && quotes::only_point_at_it(&own));
    let text = if is_own { own } else { quotes::without_marks(&all) };
    let says = |name: &str, words: &[&str]| {
        header(name).is_some_and(|value| {
            let value = line(value).trim_ascii().to_ascii_lowercase();
            words.iter().any(|word| value.starts_with(word.as_bytes()))
        })
    };
    let is_bulk = header("list-unsubscribe").is_some()
        || header("list-id").is_some()
        || says("precedence", &["bulk", "list", "junk"]);
    let is_automatic = says("auto-submitted", &["auto-"]);
    // With two of them nobody knows which a server has checked.
    let senders = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("from")).count();
    let address = header("from").filter(|_| senders == 1).and_then(address);
    Mail { id, subject, sender, address, date, text, seen, is_bulk, is_automatic }
}

/// The address in a header that names one sender; none if it names several.
fn address(value: &[u8]) -> Option<String> {
    let value = line(value);
    let HeaderValue::Address(senders) = MessageStream::new(&value).parse_address() else {
        return None;
    };
    let mut senders = senders.iter();
    let sender = senders.next().filter(|_| senders.next().is_none())?;
    let address = sender.address()?.trim().to_lowercase();
    (address.contains('@') && address.len() <= SENDER_CHARS * 4).then_some(address)
}

#[cfg(test)]
mod tests;
