//! One mail: who, what, when, and its text.
//!
//! The way through its parts is here, one level of nesting at a time and never deeper than [`DEEPEST`]: a MIME library goes as
//! deep as a mail says, and a mail can say a lot. The library reads the headers that say what a part is.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{Encoding, GB18030};
use jiff::Timestamp;
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use sha2::{Digest, Sha256};

use super::html;
use crate::model::text;
use crate::process::fault;

/// Most of a mail's text that is looked at, in bytes.
pub const MOST_TEXT: usize = 256 * 1024;
/// Most parts that are looked at, in all forwarded mails together.
pub const MOST_PARTS: usize = 100;
/// The deepest nesting: mails that are forwarded in one another, and lists of parts in one another.
pub const DEEPEST: usize = 20;
/// Longest subject and sender, in characters.
const SUBJECT_CHARS: usize = 200;
const SENDER_CHARS: usize = 120;
/// Most of a header that is read, in bytes.
const MOST_HEADER: usize = 64 * 1024;
/// Most of a header that says what a part is, and the longest encoded word; in bytes.
const MOST_PARAMETERS: usize = 4 * 1024;
const MOST_WORD: usize = 4 * 1024;
/// White space after the `=` at a line's end that is put up with.
const MOST_BLANKS: usize = 100;
/// What people write: other kinds of text are files.
const WRITTEN: [&str; 5] = ["plain", "html", "enriched", "richtext", "markdown"];
/// Base64 as careless senders write it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Names it wherever it lies: its Message-ID, else a hash of date, subject and sender.
    pub id: String,
    /// The subject, on one line.
    pub subject: String,
    /// The sender as it is written, on one line.
    pub sender: String,
    /// When it was sent, as its header says.
    pub date: Option<Timestamp>,
    /// The words of all its text parts, one after the other.
    pub text: String,
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
    let id = header("message-id").map(|id| text::one_line(&String::from_utf8_lossy(id), 300)).filter(|id| id.len() > 2);
    let id = id.unwrap_or_else(|| {
        let digest = Sha256::digest(format!("{date_text}|{subject}|{sender}"));
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    });
    fault::point(&format!("mail:{id}"));
    let date = header("date").and_then(|date| match MessageStream::new(&line(date)).parse_date() {
        HeaderValue::DateTime(date) => Timestamp::from_second(date.to_timestamp()).ok(),
        _ => None,
    });
    let mut words = Words::default();
    if headers.is_empty() && body.is_empty() {
        // No mail at all, but perhaps words.
        words.push(&decode_bytes(raw, None));
    } else {
        words.part(&headers, body, 0, false);
    }
    Mail { id, subject, sender, date, text: words.text }
}

/// Name and value of each header, in their order.
type Headers<'a> = Vec<(&'a str, &'a [u8])>;

/// The last header of this name.
fn header<'a>(headers: &Headers<'a>, name: &str) -> Option<&'a [u8]> {
    headers.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

/// The beginning of a header's value, with the end that the library wants.
fn line(value: &[u8]) -> Vec<u8> {
    [&value[..value.len().min(MOST_PARAMETERS)], b"\n"].concat()
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
    text: String,
    parts: usize,
}

impl Words {
    /// Adds the words of a part and of those in it: what the sender has written, and the mails that are forwarded in it, but no
    /// files. Wherever a part stands, the same counts as a file: what is said to be one, and what is not written text.
    fn part(&mut self, headers: &Headers, body: &[u8], depth: usize, is_digest: bool) {
        if self.parts >= MOST_PARTS || self.text.len() >= MOST_TEXT {
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
                _ => self.push(&decode_bytes(&kind.decode(body), kind.charset.as_deref())),
            },
            ("text", sub) if WRITTEN.contains(&sub) => {
                let text = decode_bytes(&kind.decode(body), kind.charset.as_deref());
                self.push(&if sub == "html" { html::text(&text) } else { text });
            }
            _ => {}
        }
    }

    fn forwarded(&mut self, raw: &[u8], depth: usize) {
        let (headers, body) = split(raw);
        if let Some(subject) = header(&headers, "subject") {
            self.push(&decode_header(subject));
        }
        self.part(&headers, body, depth, false);
    }

    /// Adds words, as far as there is room.
    fn push(&mut self, more: &str) {
        let end = more.floor_char_boundary(MOST_TEXT.saturating_sub(self.text.len() + 1));
        self.text.push_str(&more[..end]);
        self.text.push('\n');
    }
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

/// The named charset; GB 2312 and its relatives are all read as the newest of them. Without a name, or one that cannot be true:
/// UTF-8 if it is that, else GB 18030.
pub(super) fn decode_bytes(bytes: &[u8], charset: Option<&str>) -> String {
    let named = charset.and_then(encoding);
    if let Some(encoding) = named {
        let (text, _, has_errors) = encoding.decode(bytes);
        if !has_errors {
            return text.into_owned();
        }
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Cut off inside its last character is still UTF-8.
        Err(error) if error.error_len().is_none() => String::from_utf8_lossy(bytes).into_owned(),
        Err(_) => named.unwrap_or(GB18030).decode(bytes).0.into_owned(),
    }
}

fn encoding(label: &str) -> Option<&'static Encoding> {
    // RFC 2231 allows a language after an asterisk.
    let label = label.split('*').next().unwrap_or_default().trim().to_ascii_lowercase();
    match label.as_str() {
        "gb2312" | "gbk" | "cp936" | "ms936" | "x-gbk" | "euc-cn" | "gb18030" => Some(GB18030),
        // A label that says nothing: what is 8-bit is not ASCII.
        "us-ascii" | "ascii" | "unknown-8bit" | "" => None,
        label => Encoding::for_label_no_replacement(label.as_bytes()),
    }
}

/// The headers, and what follows the first empty line.
fn split(raw: &[u8]) -> (Headers<'_>, &[u8]) {
    let mut headers = Headers::new();
    let mut at = 0;
    // Where the header begins that may go on in the next line.
    let mut begun = None;
    while at < raw.len() {
        let next = raw[at..].iter().position(|byte| *byte == b'\n').map_or(raw.len(), |length| at + length + 1);
        let line = &raw[at..next];
        if !(line.starts_with(b" ") || line.starts_with(b"\t")) {
            headers.extend(begun.and_then(|start: usize| split_header(&raw[start..at])));
            begun = None;
        }
        if line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return (headers, &raw[next..]);
        }
        begun = begun.or(Some(at));
        at = next;
    }
    headers.extend(begun.and_then(|start| split_header(&raw[start..])));
    (headers, b"")
}

fn split_header(line: &[u8]) -> Option<(&str, &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = std::str::from_utf8(&line[..colon]).ok()?.trim();
    let value = &line[colon + 1..];
    Some((name, &value[..value.len().min(MOST_HEADER)]))
}

/// One piece of a header.
enum Piece<'a> {
    Plain(&'a [u8]),
    Word { charset: &'a str, bytes: Vec<u8> },
}

/// A header's value as people read it. Neighbouring encoded words of one charset are joined before they are decoded, because
/// senders split characters between them.
fn decode_header(value: &[u8]) -> String {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = value;
    while let Some(at) = find(rest, b"=?") {
        match encoded_word(&rest[at..]) {
            Some((charset, bytes, length)) => {
                let before = &rest[..at];
                let is_gap = before.iter().all(u8::is_ascii_whitespace);
                match pieces.last_mut() {
                    Some(Piece::Word { charset: last, bytes: joined })
                        if is_gap && last.eq_ignore_ascii_case(charset) =>
                    {
                        joined.extend(bytes);
                    }
                    last => {
                        // White space between two words is not shown.
                        if !(is_gap && matches!(last, Some(Piece::Word { .. }))) {
                            pieces.push(Piece::Plain(before));
                        }
                        pieces.push(Piece::Word { charset, bytes });
                    }
                }
                rest = &rest[at + length..];
            }
            None => {
                pieces.push(Piece::Plain(&rest[..at + 2]));
                rest = &rest[at + 2..];
            }
        }
    }
    pieces.push(Piece::Plain(rest));
    let decoded: String = pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Plain(bytes) => decode_bytes(bytes, None),
            Piece::Word { charset, bytes } => decode_bytes(&bytes, Some(charset)),
        })
        .collect();
    // Folding is a line break before white space.
    decoded.replace(['\r', '\n'], "").trim().to_owned()
}

/// `=?charset?B?...?=` at the beginning: its charset without a language, its bytes and its length. None if the charset is not
/// known: then it stays as it is written.
fn encoded_word(text: &[u8]) -> Option<(&str, Vec<u8>, usize)> {
    let mut marks = text.iter().enumerate().take(60).skip(2).filter(|(_, byte)| **byte == b'?').map(|(at, _)| at);
    let (first, second) = (marks.next()?, marks.next()?);
    let start = second + 1;
    let charset = std::str::from_utf8(&text[2..first]).ok()?.split('*').next()?;
    if charset.len() > 40 || (encoding(charset).is_none() && !charset.eq_ignore_ascii_case("us-ascii")) {
        return None;
    }
    let decode: fn(&[u8]) -> Vec<u8> = match &text[first + 1..second] {
        b"B" | b"b" => base64,
        b"Q" | b"q" => |content| quoted(content, true),
        _ => return None,
    };
    // `?` may stand inside a Q word of careless senders; the end is `?=`.
    let length = find(&text[start..text.len().min(start + MOST_WORD)], b"?=")?;
    Some((charset, decode(&text[start..start + length]), start + length + 2))
}

/// Base64, whatever stands in between. Padding ends a piece, as where a sender has put several together.
fn base64(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for piece in text.split(|byte| *byte == b'=') {
        let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let mut piece: Vec<u8> = piece.iter().copied().filter(is_digit).collect();
        if piece.len() % 4 == 1 {
            // Six bits are no byte.
            piece.pop();
        }
        bytes.extend(BASE64.decode(piece).unwrap_or_default());
    }
    bytes
}

/// Quoted-printable, or its form in encoded words, in which `_` is a space. What is not well-formed stands for itself.
fn quoted(content: &[u8], is_word: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len());
    let mut at = 0;
    while at < content.len() {
        let hex = |at: usize| content.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        if content[at] == b'=' {
            if let Some((high, low)) = hex(at + 1).zip(hex(at + 2)) {
                bytes.push((high * 16 + low) as u8);
                at += 3;
                continue;
            }
            // A line that goes on in the next one; blanks may have come after the sign.
            let blanks = content[at + 1..]
                .iter()
                .take(MOST_BLANKS)
                .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
                .count();
            if content.get(at + 1 + blanks) == Some(&b'\n') {
                at += blanks + 2;
                continue;
            }
        }
        match content[at] {
            b'_' if is_word => bytes.push(b' '),
            b'\r' | b'\n' if is_word => {}
            byte => bytes.push(byte),
        }
        at += 1;
    }
    bytes
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_they_are_written_in_the_wild() {
        for (value, want) in [
            ("=?utf-8?B?5L2Z6aKd5LiN6Laz5o+Q6YaS?=", "余额不足提醒"),
            ("=?gb2312?B?0+C27rK71+PM4dDR?=", "余额不足提醒"),
            ("=?GBK?B?0+C27rK71+PM4dDR?=", "余额不足提醒"),
            ("=?gb2312?B?6UbUxtPgtu6yu9fj?=", "镕云余额不足"),
            ("=?gb18030?B?gTnuOdPgtu6yu9fj?=", "㐀余额不足"),
            ("=?big5?B?vmzDQqSjqKy0o7/0?=", "餘額不足提醒"),
            ("=?iso-2022-jp?B?GyRCO0Q5YklUQi0kTiQqQ04kaSQ7GyhC?=", "残高不足のお知らせ"),
            ("=?utf-8?B?44CQ6Zi/6YeM5LqR44CR5L2Z6aKd5LiN6Laz5o+Q6YaS?=", "【阿里云】余额不足提醒"),
            ("=?gbk?B?suLK1LHqzOI=?=", "测试标题"),
            ("=?utf-8?Q?=E6=AC=A0=E8=B4=B9?=", "欠费"),
            ("=?utf-8?B?5L2Z6aKd5ZGK6K2m?= notice", "余额告警 notice"),
            ("=?x-unknown-9?B?zzzz?=", "=?x-unknown-9?B?zzzz?="),
            // Characters split between words.
            ("=?utf-8?B?5L2Z6Q==?= =?utf-8?B?op3kuI3otrPmj5DphpI=?=", "余额不足提醒"),
            ("=?gbk?B?0+C2?= =?gbk?B?7rK71+PM4dDR?=", "余额不足提醒"),
            ("=?utf-8?Q?=E4=BD=99=E9=A2?=\r\n =?UTF-8*zh?Q?=9D=E4=B8=8D=E8=B6=B3=E6=8F=90=E9=86=92?=", "余额不足提醒"),
            // Careless senders.
            ("=?utf-8?B?5L2Z6aKd?==?utf-8?B?5LiN6Laz?=", "余额不足"),
            ("=?utf-8?B?5L2Z6aKd5LiN6LazDQo?=", "余额不足"),
            ("=?utf-8?Q?a_b?c?=", "a b?c"),
            ("Re: =?utf-8?B?5L2Z6aKd?= x", "Re: 余额 x"),
            ("plain", "plain"),
            ("=?utf-8?B?", "=?utf-8?B?"),
            ("=?", "=?"),
            ("", ""),
        ] {
            assert_eq!(decode_header(value.as_bytes()), want, "{value}");
        }
        assert_eq!(decode_header(b"\xd3\xe0\xb6\xee\xb2\xbb\xd7\xe3"), "余额不足", "raw GBK");
        assert_eq!(decode_header("余额不足".as_bytes()), "余额不足", "raw UTF-8");
    }

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

    /// What is a file and what is not, wherever it stands.
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
    fn a_mail_is_known_by_its_id_or_by_what_it_says() {
        assert_eq!(mail("Subject: x", "y").id, "<1@x>");
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
