//! The way through the parts of a mail, and the words of those that are read.

use std::borrow::Cow;

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::decode::{base64, decode_bytes, quoted};
use super::headers::{Headers, MOST_PARAMETERS, decode_header, header, line, split};
use super::seen::{Seen, add, unquoted};
use super::{DEEPEST, MOST_PARTS, MOST_TEXT};
use crate::check::mailbox::{html, quotes};

/// What people write: other kinds of text are files.
const WRITTEN: [&str; 5] = ["plain", "html", "enriched", "richtext", "markdown"];

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
    fn decode<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        match self.encoding.as_str() {
            "base64" => base64(body).into(),
            "quoted-printable" => quoted(body, false).into(),
            _ => body.into(),
        }
    }
}

/// The words of a mail's parts, as far as they have been found.
#[derive(Default)]
pub(super) struct Words {
    /// All words.
    pub(super) all: String,
    /// Those that are not quoted.
    pub(super) own: String,
    /// Those of them that a reader sees.
    pub(super) seen: Seen,
    pub(super) parts: usize,
    /// The mail that is read says that it forwards what it quotes.
    pub(super) is_forwarded: bool,
}

impl Words {
    /// Adds the words of a part and of those in it: what the sender has written, and the mails that are forwarded in it, but no
    /// files. Wherever a part stands, the same counts as a file: what is said to be one, and what is not written text.
    pub(super) fn part(&mut self, headers: &Headers, body: &[u8], depth: usize, is_digest: bool) {
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
                    let all = html::text(&text);
                    self.push(&all, &unquoted(&all, self.is_forwarded));
                    self.seen.push_html(text, self.is_forwarded);
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
    pub(super) fn push_plain(&mut self, text: &str) {
        let own = unquoted(text, self.is_forwarded);
        self.push(text, &own);
        self.seen.push_written(&own);
    }

    /// Adds words, as far as there is room: all of them, and those that are not quoted.
    fn push(&mut self, all: &str, own: &str) {
        add(&mut self.all, all);
        add(&mut self.own, own);
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
