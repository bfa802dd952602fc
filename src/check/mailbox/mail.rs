//! One mail: who, what, when, and its text.
//!
//! The way through its parts is here, one level of nesting at a time and never deeper than [`DEEPEST`]: a MIME library goes as
//! deep as a mail says, and a mail can say a lot. The library reads the headers that say what a part is.

mod decode;
mod headers;

use std::borrow::Cow;

use jiff::Timestamp;
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use sha2::{Digest, Sha256};

pub(super) use self::decode::decode_bytes;
use self::decode::{base64, quoted};
use self::headers::{Headers, MOST_PARAMETERS, decode_header, header, line, split};
use super::html::CUT;
use super::{html, quotes};
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
/// What people write: other kinds of text are files.
const WRITTEN: [&str; 5] = ["plain", "html", "enriched", "richtext", "markdown"];

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
    /// As the text, but without what a reader does not see, and without any quotation: an amount is told only of this.
    pub shown: String,
    /// Its headers say that it went to many: how to unsubscribe, the name of a list, or that it is bulk.
    pub is_bulk: bool,
    /// Its headers say that a machine wrote it.
    pub is_automatic: bool,
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
    let Words { all, own, shown, .. } = words;
    // A byte that could not be read may have stood within a number.
    let mut shown = shown.replace('\u{fffd}', CUT.encode_utf8(&mut [0; 4]));
    // What a mail is cut off at may be the midst of a number.
    if raw.len() as u64 >= MOST_OF_MAIL || shown.len() + 8 >= MOST_TEXT {
        shown.truncate(shown.trim_end_matches('\n').len());
        shown.push(CUT);
    }
    let text = if own.contains(char::is_alphanumeric) { own } else { quotes::without_marks(&all) };
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
    Mail { id, subject, sender, address, date, text, shown, is_bulk, is_automatic }
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

/// What a part is, as its headers say.
#[derive(Debug)]
struct Kind {
    /// Both in lower case; `text` and `plain` if nothing sensible is said.
    main: String,
    sub: String,
    charset: Option<String>,
    boundary: Option<String>,
    encoding: String,
    is_attachment: bool,
}

impl Kind {
    fn of(headers: &Headers, is_digest: bool) -> Kind {
        let (main, sub) = if is_digest { ("message", "rfc822") } else { ("text", "plain") };
        let mut kind = Kind {
            main: main.to_owned(),
            sub: sub.to_owned(),
            charset: None,
            boundary: None,
            encoding: String::new(),
            is_attachment: false,
        };
        if let Some(value) = header(headers, "content-type")
            && let HeaderValue::ContentType(said) = MessageStream::new(&line(value)).parse_content_type()
        {
            let attribute = |name: &str| said.attribute(name).filter(|value| !value.is_empty()).map(str::to_owned);
            kind.charset = attribute("charset");
            kind.boundary = attribute("boundary");
            // What is no type at all is plain text (RFC 2045 section 5.2).
            let word = |text: &str| {
                let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-+._".contains(c))).unwrap_or(text.len());
                text[..end].to_ascii_lowercase()
            };
            if let Some(sub) = said.subtype() {
                (kind.main, kind.sub) = (word(said.ctype()), word(sub));
            } else if said.ctype().eq_ignore_ascii_case("multipart") {
                kind.main = "multipart".to_owned();
            }
        }
        if let Some(value) = header(headers, "content-disposition")
            && let HeaderValue::ContentType(said) = MessageStream::new(&line(value)).parse_content_type()
        {
            // A word that is not known means a file (RFC 2183 section 2.8).
            kind.is_attachment = !said.ctype().is_empty() && !said.ctype().eq_ignore_ascii_case("inline");
        }
        let encoding =
            header(headers, "content-transfer-encoding").map(|value| &value[..value.len().min(MOST_PARAMETERS)]);
        let encoding = String::from_utf8_lossy(encoding.unwrap_or_default()).to_ascii_lowercase();
        let first =
            encoding.split(|c: char| c.is_whitespace() || matches!(c, ';' | '(' | '"')).find(|word| !word.is_empty());
        first.unwrap_or_default().clone_into(&mut kind.encoding);
        kind
    }

    /// The bytes that a body stands for.
    fn decode(&self, body: &[u8]) -> Vec<u8> {
        match self.encoding.as_str() {
            "base64" => base64(body),
            "quoted-printable" => quoted(body, false),
            _ => body.to_vec(),
        }
    }
}

/// The words of a mail's parts, as far as they have been found.
#[derive(Default)]
struct Words {
    /// All words.
    all: String,
    /// Those that are not quoted.
    own: String,
    /// Those of them that a reader sees.
    shown: String,
    parts: usize,
    /// The mail that is read says that it forwards what it quotes.
    is_forwarded: bool,
}

impl Words {
    /// Adds the words of a part and of those in it: what the sender has written, and the mails that are forwarded in it, but no
    /// files. Wherever a part stands, the same counts as a file: what is said to be one, and what is not written text.
    fn part(&mut self, headers: &Headers, body: &[u8], depth: usize, is_digest: bool) {
        if self.parts >= MOST_PARTS || self.all.len() >= MOST_TEXT {
            return;
        }
        self.parts += 1;
        let kind = Kind::of(headers, is_digest);
        match (kind.main.as_str(), kind.sub.as_str()) {
            // Mail programs call a forwarded mail an attachment, and mean that it is read.
            ("message", "rfc822" | "global") if depth < DEEPEST => self.forwarded(&kind.decode(body), depth + 1),
            _ if kind.is_attachment => {}
            ("multipart", sub) => match kind.boundary.as_deref().map(|boundary| sections(body, boundary.as_bytes())) {
                Some(sections) if !sections.is_empty() => {
                    // A report says in its first part what it is about; what follows are other people's words.
                    let count = if sub == "report" { 1 } else { MOST_PARTS };
                    for section in sections.into_iter().take(count).filter(|_| depth < DEEPEST) {
                        let (headers, body) = split(section);
                        self.part(&headers, body, depth + 1, sub == "digest");
                    }
                }
                // Broken structure: what stands there, as it stands.
                _ => self.push_plain(&decode_bytes(&kind.decode(body), kind.charset.as_deref())),
            },
            ("text", sub) if WRITTEN.contains(&sub) => {
                let text = decode_bytes(&kind.decode(body), kind.charset.as_deref());
                if sub == "html" {
                    let (all, shown) = (html::text(&text), html::shown(&text));
                    self.push(&all, &self.unquoted(&all), &self.unquoted(&shown));
                } else {
                    self.push_plain(&text);
                }
            }
            _ => {}
        }
    }

    fn forwarded(&mut self, raw: &[u8], depth: usize) {
        let (headers, body) = split(raw);
        let subject = header(&headers, "subject").map(decode_header);
        if let Some(subject) = &subject {
            self.push_plain(subject);
        }
        let is_forwarded = subject.is_some_and(|subject| quotes::is_forwarded(&subject));
        let outer = std::mem::replace(&mut self.is_forwarded, is_forwarded);
        self.part(&headers, body, depth, false);
        self.is_forwarded = outer;
    }

    /// Adds the words of a text that is shown as it stands.
    fn push_plain(&mut self, text: &str) {
        let own = self.unquoted(text);
        self.push(text, &own, &own);
    }

    /// A text without what it quotes of mails that are not forwarded.
    fn unquoted<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_forwarded { quotes::without_marks(text).into() } else { quotes::without_quotes(text) }
    }

    /// Adds words, as far as there is room: all of them, those that are not quoted, and those of these that a reader sees.
    fn push(&mut self, all: &str, own: &str, shown: &str) {
        add(&mut self.all, all);
        add(&mut self.own, own);
        add(&mut self.shown, shown);
    }
}

/// Adds a text to others, as far as there is room.
fn add(text: &mut String, more: &str) {
    let end = more.floor_char_boundary(MOST_TEXT.saturating_sub(text.len() + 1));
    text.push_str(&more[..end]);
    text.push('\n');
}

/// What stands between the lines of a boundary; the last part may be cut off. None if there is no such line.
fn sections<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut found: Vec<&[u8]> = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at < body.len() && found.len() < MOST_PARTS {
        let next = body[at..].iter().position(|byte| *byte == b'\n').map_or(body.len(), |length| at + length + 1);
        let rest = body[at..next].strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary));
        if let Some(rest) = rest.map(<[u8]>::trim_ascii_end).filter(|rest| matches!(*rest, b"" | b"--")) {
            found.extend(start.map(|start| &body[start..at]));
            if rest == b"--" {
                return found;
            }
            start = Some(next);
        }
        at = next;
    }
    found.extend(start.map(|start| &body[start..]));
    found
}

#[cfg(test)]
mod tests {
    use base64::Engine;

    use super::headers::MOST_HEADER;
    use super::*;

    fn mail(headers: &str, body: &str) -> Mail {
        read(format!("From: Billing <b@x.example>\r\nMessage-ID: <1@x>\r\n{headers}\r\n\r\n{body}").as_bytes())
    }

    fn words(mail: &Mail) -> String {
        mail.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn bodies_are_read_whatever_their_form() {
        let utf8 = "5oKo55qE6LSm5oi35L2Z6aKd5LiN6Laz77yM6K+35Y+K5pe25YWF5YC844CC5L2Z6aKd77yaMTIuNTDlhYM=";
        let gbk = "xPq1xNXLu6fT4LbusrvX46Osx+u8sMqxs+TWtaGj0+C27qO6ODguODjUqg==";
        for (headers, body, want) in [
            (
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64",
                utf8,
                "您的账户余额不足，请及时充值。余额：12.50元",
            ),
            (
                "Content-Type: text/plain; charset=gb2312\r\nContent-Transfer-Encoding: base64",
                gbk,
                "您的账户余额不足，请及时充值。余额：88.88元",
            ),
            (
                "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64",
                gbk,
                "您的账户余额不足，请及时充值。余额：88.88元",
            ),
            (
                "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: base64",
                gbk,
                "您的账户余额不足，请及时充值。余额：88.88元",
            ),
            (
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable",
                "=E4=BD=99=E9=A2=9D=EF=BC=9A12.50=E5=85=83",
                "余额：12.50元",
            ),
            (
                "Content-Type: text/html; charset=utf-8",
                "<p>余额<b>不足</b></p><td>100</td><td>200</td>",
                "余额不足 100 200",
            ),
            (
                "Content-Type: multipart/alternative; boundary=b",
                "--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n<i>ht</i>ml\r\n--b--\r\n",
                "plain html",
            ),
            // Attachments are not read, forwarded mails are.
            (
                "Content-Type: multipart/mixed; boundary=b",
                "--b\r\n\r\nx\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n欠费\r\n--b--\r\n",
                "x",
            ),
            (
                "Content-Type: multipart/mixed; boundary=b",
                "--b\r\n\r\nfyi\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n欠费\r\n--b--\r\n",
                "fyi inner 欠费",
            ),
            // Cut off by a partial fetch.
            (
                "Content-Type: multipart/mixed; boundary=\"b\"",
                "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n5L2Z6aKd5LiN6Laz",
                "余额不足",
            ),
            ("", "", ""),
            ("Content-Type: multipart/mixed", "no boundary 欠费", "no boundary 欠费"),
        ] {
            assert_eq!(words(&mail(headers, body)), want, "{headers}");
        }
    }

    /// Attachments are recognised at the top of a mail and inside its parts.
    #[test]
    fn files_are_not_read_wherever_they_stand() {
        let written = [
            "Content-Type: text/plain",
            "Content-Type: TEXT/HTML; charset=utf-8",
            "Content-Type: text/markdown",
            "Content-Type: text/plain charset=utf-8",
            "Content-Type: text/plain (a comment)",
            "Content-Type: text/plain\r\nContent-Disposition: inline; filename=body.txt",
            "Content-Type: text/plain; name=body.txt",
            "Content-Type: text/plain\r\nContent-Disposition:",
            // No types at all.
            "Content-Type: text",
            "Content-Type: html",
            "Content-Type:",
            "X-Other: 1",
        ];
        let files = [
            "Content-Type: text/xml",
            "Content-Type: text/csv; charset=utf-8",
            "Content-Type: text/calendar; method=REQUEST",
            "Content-Type: Text/RFC822-Headers",
            "Content-Type: text/x-vcard",
            "Content-Type: text/css",
            "Content-Type: text/tab-separated-values",
            "Content-Type: application/json",
            "Content-Type: application/xml",
            "Content-Type: application/pdf",
            "Content-Type: application/octet-stream",
            "Content-Type: image/svg+xml",
            "Content-Type: message/delivery-status",
            "Content-Type: message/feedback-report",
            "Content-Type: x-unknown/x-unknown",
            "Content-Type: text/plain\r\nContent-Disposition: attachment",
            "Content-Type: text/plain\r\nContent-Disposition: ATTACHMENT; filename=a.txt",
            "Content-Type: text/html\r\nContent-Disposition: attachment (a comment)",
            "Content-Disposition: attachment",
            "Content-Type: text/plain\r\nContent-Disposition: x-unknown",
            "Content-Type: multipart/mixed\r\nContent-Disposition: attachment",
        ];
        let cases = written.iter().map(|headers| (headers, true)).chain(files.iter().map(|headers| (headers, false)));
        for (headers, is_read) in cases {
            let alone = words(&mail(headers, "欠费"));
            assert_eq!(alone.contains("欠费"), is_read, "{headers}: {alone}");
            let part = format!("--b\r\n\r\nx\r\n--b\r\n{headers}\r\n\r\n欠费\r\n--b--\r\n");
            let in_list = words(&mail("Content-Type: multipart/mixed; boundary=b", &part));
            assert_eq!(in_list.contains("欠费"), is_read, "{headers}: {in_list}");
            let in_mail = words(&mail("Content-Type: message/rfc822", &format!("{headers}\r\n\r\n欠费")));
            assert_eq!(in_mail.contains("欠费"), is_read, "{headers}: {in_mail}");
            let whole = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{part}");
            let encoded = base64::engine::general_purpose::STANDARD.encode(whole);
            let in_base64 = words(&mail("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64", &encoded));
            assert_eq!(in_base64.contains("欠费"), is_read, "{headers}: {in_base64}");
        }
        for (headers, body, want) in [
            // An abuse report: only its first part speaks, not the mail that it is about.
            (
                "Content-Type: multipart/report; report-type=feedback-report; boundary=b",
                "--b\r\n\r\nabuse\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n--b\r\n\
                 Content-Type: text/rfc822-headers\r\n\r\nSubject: overdue\r\n--b--\r\n",
                "abuse",
            ),
            (
                "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
                "--b\r\n\r\nnot delivered\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nStatus: 5.1.1\r\n--b\r\n\
                 Content-Type: message/rfc822\r\n\r\nSubject: overdue\r\n\r\n欠费\r\n--b--\r\n",
                "not delivered",
            ),
            // A forwarded mail is read, whatever the mail program calls it.
            (
                "Content-Type: multipart/mixed; boundary=b",
                "--b\r\n\r\nfyi\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n\
                 Subject: inner\r\n\r\n欠费\r\n--b--\r\n",
                "fyi inner 欠费",
            ),
            ("Content-Type: multipart/digest; boundary=b", "--b\r\n\r\nSubject: one\r\n\r\n欠费\r\n--b--", "one 欠费"),
            // Two pieces of base64 in one, and quoted-printable that is none.
            ("Content-Transfer-Encoding: base64", "5L2Z6aKd\r\n5LiN6LazIQ==\r\nIQ==", "余额不足!!"),
            ("Content-Transfer-Encoding: quoted-printable", "a=3Db= \r\nc =zz =", "a=bc =zz ="),
            ("Content-Transfer-Encoding: Base64 (x)", "5qyg6LS5", "欠费"),
            // A list that no line begins, one that ends early, and what stands around it.
            ("Content-Type: multipart/mixed; boundary=b", "欠费", "欠费"),
            (
                "Content-Type: multipart/mixed; boundary=b",
                "before\n--b \n\none\n--bb\n--b--\nafter\n--b\n\ntwo",
                "one --bb",
            ),
        ] {
            assert_eq!(words(&mail(headers, body)), want, "{headers}");
        }
    }

    #[test]
    fn what_is_read_of_a_mail_is_bounded() {
        let part = |n: usize| format!("--b\r\n\r\nword{n}\r\n");
        let parts =
            mail("Content-Type: multipart/mixed; boundary=b", &(1..=2 * MOST_PARTS).map(part).collect::<String>());
        // The mail itself is the first.
        assert_eq!(words(&parts).split(' ').count(), MOST_PARTS - 1);
        let lists = |depth: usize| {
            let lists = (0..depth).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"));
            format!("{}\r\n欠费", lists.collect::<String>())
        };
        let forwarded = |depth: usize| format!("{}\r\n欠费", "Content-Type: message/rfc822\r\n\r\n".repeat(depth));
        let encoded = |depth: usize| {
            (0..depth).fold("\r\n欠费".to_owned(), |inner, _| {
                let inner = base64::engine::general_purpose::STANDARD.encode(inner);
                format!("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{inner}")
            })
        };
        let shapes: [&dyn Fn(usize) -> String; 3] = [&lists, &forwarded, &encoded];
        for nested in shapes {
            assert!(read(nested(DEEPEST).as_bytes()).text.contains("欠费"));
            assert!(!read(nested(DEEPEST + 1).as_bytes()).text.contains("欠费"));
        }
        let header = |length: usize| {
            let subject = format!("Subject: {}欠费", "a".repeat(length - 7));
            read(format!("Content-Type: message/rfc822\r\n\r\n{subject}\r\n\r\nx").as_bytes()).text
        };
        assert!(header(MOST_HEADER).contains("欠费") && !header(MOST_HEADER + 7).contains("欠费"));
        let kind = |length: usize| format!("Content-Type: text/plain; x=\"{}\"; charset=gbk", "a".repeat(length));
        let gbk = |headers: &str| read(&[headers.as_bytes(), b"\r\n\r\n\xc3\xa9"].concat()).text;
        assert_eq!(gbk(&kind(10)), "茅\n");
        // Without the charset it is valid UTF-8.
        assert_eq!(gbk(&kind(MOST_PARAMETERS)), "é\n");
        let long = "字".repeat(MOST_TEXT);
        assert!((MOST_TEXT - 10..=MOST_TEXT).contains(&mail("Subject: x", &long).text.len()));
        let both = format!("--b\r\n\r\n{long}\r\n").repeat(3);
        assert!(mail("Content-Type: multipart/mixed; boundary=b", &both).text.len() <= MOST_TEXT);
    }

    #[test]
    fn only_the_words_of_the_sender_are_read() {
        let html = "Content-Type: text/html; charset=utf-8";
        for (headers, body, text, shown) in [
            ("Subject: Re: x", "a\r\n> b\r\n", "a", "a"),
            ("Subject: Re: x", "a\r\n-----Original Message-----\r\nb", "a", "a"),
            // What somebody forwards is read, as the mail's subject says it or a line in it.
            ("Subject: Fwd: x", "a\r\n> b", "a b", "a b"),
            (
                "Subject: WG: x",
                "a\r\nVon: c\r\nGesendet: d\r\n\r\nb",
                "a Von: c Gesendet: d b",
                "a Von: c Gesendet: d b",
            ),
            // A mail that is nothing but a quotation may be forwarded, or not: it is noticed, and no amount is told.
            ("Subject: x", "> b\r\n> c", "b c", ""),
            ("Subject: x", "-----Original Message-----\r\nb", "-----Original Message----- b", ""),
            (html, "a<blockquote>b</blockquote>", "a", "a"),
            (html, "<blockquote>b</blockquote>", "b", ""),
            (html, "a<p hidden>b</p><p style='display:none'>c</p>", "a b c", "a"),
            ("Content-Type: message/rfc822", "Subject: Re: x\r\n\r\na\r\n> b", "Re: x a", "Re: x a"),
        ] {
            let mail = mail(headers, body);
            let bare = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!((bare(&mail.text).as_str(), bare(&mail.shown).as_str()), (text, shown), "{headers}: {body}");
        }
    }

    #[test]
    fn a_mail_is_known_by_its_id_or_by_what_it_says() {
        assert_eq!(mail("Subject: x", "y").id, mail("Subject: x", "another text").id);
        // One Message-ID does not make two mails one.
        for (other, what) in [
            ("From: Billing <b@x.example>\r\nMessage-ID: <1@x>\r\nSubject: z", "subject"),
            ("From: Other <o@x.example>\r\nMessage-ID: <1@x>\r\nSubject: x", "sender"),
            (
                "From: Billing <b@x.example>\r\nMessage-ID: <1@x>\r\nSubject: x\r\nDate: Mon, 1 Sep 2026 10:00:00 +0800",
                "date",
            ),
            ("From: Billing <b@x.example>\r\nMessage-ID: <2@x>\r\nSubject: x", "id"),
        ] {
            assert_ne!(mail("Subject: x", "y").id, read(format!("{other}\r\n\r\ny").as_bytes()).id, "{what}");
        }
        let without = |date: &str| read(format!("Date: {date}\r\nSubject: x\r\n\r\ny").as_bytes()).id;
        assert_eq!(without("Mon, 01 Sep 2026 10:00:00 +0800"), without("Mon, 01 Sep 2026 10:00:00 +0800"));
        assert_ne!(without("Mon, 01 Sep 2026 10:00:00 +0800"), without("Tue, 02 Sep 2026 10:00:00 +0800"));
        let dated = read(b"Date: Tue, 01 Sep 2026 10:00:00 +0800\r\n\r\n");
        assert_eq!(dated.date, Some("2026-09-01T02:00:00Z".parse().unwrap()));
    }

    #[test]
    fn nothing_a_mail_holds_can_harm() {
        let nested = (0..2000).map(|n| format!("--b{n}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n", n + 1));
        let nested = format!("Content-Type: multipart/mixed; boundary=b0\r\n\r\n{}", nested.collect::<String>());
        let forwarded = "Content-Type: message/rfc822\r\n\r\n".repeat(2000);
        for raw in [
            Vec::new(),
            b"\r\n".to_vec(),
            vec![0; 100_000],
            vec![0xff; 100_000],
            nested.into_bytes(),
            forwarded.into_bytes(),
            format!("Subject: {}\r\n\r\nx", "=?utf-8?B?".repeat(20_000)).into_bytes(),
            format!("Subject: {}\r\n\r\nx", "a".repeat(1_000_000)).into_bytes(),
            b"Subject: x\x1b[31m\x00\r\n y\r\n\r\n".to_vec(),
        ] {
            let mail = read(&raw);
            assert!(mail.text.len() <= MOST_TEXT);
            assert!(mail.subject.chars().count() <= SUBJECT_CHARS);
            assert!(!mail.subject.contains(['\n', '\u{1b}', '\0']));
        }
        // Cut anywhere, and turned anywhere.
        let whole = "Subject: =?gbk?B?0+C2?= =?gbk?B?7rK71+PM4dDR?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
                     Content-Type: text/html; charset=gbk\r\nContent-Transfer-Encoding: base64\r\n\r\nxPq1xNXLu6fT4Lbu\r\n--b--\r\n";
        let mut random = fastrand::Rng::with_seed(7);
        for end in 0..whole.len() {
            read(&whole.as_bytes()[..end]);
            let mut bytes = whole.as_bytes().to_vec();
            for _ in 0..3 {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
            read(&bytes);
        }
    }
}
