//! One mail: who, what, when, and its text. A MIME library takes it apart; see the parent for what is done around it.

use encoding_rs::{Encoding, GB18030};
use jiff::Timestamp;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding as Transfer, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use sha2::{Digest, Sha256};

use super::html;
use crate::text;

/// Most of a mail's text that is looked at, in bytes.
const MOST_TEXT: usize = 256 * 1024;
/// Most parts, and the deepest nesting of forwarded mails.
const MOST_PARTS: usize = 100;
const DEEPEST: usize = 10;
/// Longest subject and sender, in characters.
const SUBJECT_CHARS: usize = 200;
const SENDER_CHARS: usize = 120;
/// Most of a header that is read, in bytes.
const MOST_HEADER: usize = 64 * 1024;

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
    let mut closed = raw.to_vec();
    close_parts(&mut closed);
    let headers = raw_headers(raw);
    let header = |name: &str| headers.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| *v);
    let subject = header("subject").map(decode_header).unwrap_or_default();
    let sender = header("from").map(decode_header).unwrap_or_default();
    let subject = text::one_line(&subject, SUBJECT_CHARS);
    let sender = text::one_line(&sender, SENDER_CHARS);
    let date_text = header("date").map(decode_header).unwrap_or_default();
    let mut words = String::new();
    let message = MessageParser::default().parse(&closed);
    match &message {
        Some(message) => collect(message, &closed, 0, &mut words),
        // No mail at all, but perhaps words.
        None => words.push_str(&decode_bytes(raw, None)),
    }
    if words.trim().is_empty() && message.as_ref().is_none_or(|message| message.parts.len() <= 1) {
        // Broken structure: what stands after the headers, as it stands.
        let start = find(raw, b"\r\n\r\n").or_else(|| find(raw, b"\n\n")).unwrap_or(raw.len());
        words = decode_bytes(&raw[start..], None);
    }
    let date =
        message.as_ref().and_then(Message::date).and_then(|date| Timestamp::from_second(date.to_timestamp()).ok());
    let id = header("message-id").map(|id| text::one_line(&String::from_utf8_lossy(id), 300)).filter(|id| id.len() > 2);
    let id = id.unwrap_or_else(|| {
        let digest = Sha256::digest(format!("{date_text}|{subject}|{sender}"));
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    });
    let end = words.floor_char_boundary(MOST_TEXT);
    words.truncate(end);
    Mail { id, subject, sender, date, text: words }
}

/// The words of a message's parts, forwarded mails included, attachments not.
fn collect(message: &Message, raw: &[u8], depth: usize, words: &mut String) {
    for part in message.parts.iter().take(MOST_PARTS) {
        if words.len() >= MOST_TEXT {
            return;
        }
        let is_attachment =
            part.content_disposition().is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("attachment"));
        match &part.body {
            PartType::Message(inner) if depth < DEEPEST => {
                let start = inner.parts.first().map_or(0, |root| root.offset_header as usize);
                let headers = raw_headers(inner.raw_message.get(start..).unwrap_or_default());
                if let Some((_, subject)) = headers.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case("subject"))
                {
                    push(words, &decode_header(subject));
                }
                collect(inner, &inner.raw_message, depth + 1, words);
            }
            PartType::Text(content) if !is_attachment => push(words, &repaired(part, content, raw)),
            PartType::Html(content) if !is_attachment => push(words, &html::text(&repaired(part, content, raw))),
            _ => {}
        }
    }
}

fn push(words: &mut String, more: &str) {
    let end = more.floor_char_boundary(MOST_TEXT.saturating_sub(words.len()));
    words.push_str(&more[..end]);
    words.push('\n');
}

/// The part as the library has decoded it; where that lost characters, decoded from its bytes once more.
fn repaired(part: &MessagePart, content: &str, raw: &[u8]) -> String {
    let charset = part.content_type().and_then(|kind| kind.attribute("charset"));
    // A label that cannot be true: what is called ASCII and is not is anything.
    let is_mislabelled = !content.is_ascii() && charset.is_none_or(|charset| encoding(charset).is_none());
    let is_lossy = content.contains('\u{fffd}');
    if !is_lossy && !is_mislabelled {
        return content.to_owned();
    }
    let body = raw.get(part.offset_body as usize..part.offset_end as usize).unwrap_or_default();
    let bytes = match part.encoding {
        Transfer::Base64 => base64_decode(body),
        Transfer::QuotedPrintable => quoted_printable_decode(body),
        Transfer::None => Some(body.to_vec()),
    };
    let losses = |text: &str| text.matches('\u{fffd}').count();
    let decoded = bytes.map(|bytes| decode_bytes(&bytes, charset));
    decoded.filter(|text| is_mislabelled || losses(text) < losses(content)).unwrap_or_else(|| content.to_owned())
}

/// The named charset; GB 2312 and its relatives are all read as the newest of them. Without a name, or one that cannot be true:
/// UTF-8 if it is that, else GB 18030.
fn decode_bytes(bytes: &[u8], charset: Option<&str>) -> String {
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

/// Name and unfolded value of every header before the first empty line.
fn raw_headers(raw: &[u8]) -> Vec<(&str, &[u8])> {
    let mut headers: Vec<(&str, &[u8])> = Vec::new();
    let mut at = 0;
    let mut current: Option<(usize, usize)> = None;
    let end = raw.len().min(MOST_HEADER * 4);
    while at < end {
        let line_end = raw[at..].iter().position(|byte| *byte == b'\n').map_or(raw.len(), |length| at + length + 1);
        let line = &raw[at..line_end];
        let is_continued = line.starts_with(b" ") || line.starts_with(b"\t");
        if !is_continued {
            headers.extend(current.take().and_then(|(start, stop)| split_header(&raw[start..stop])));
        }
        if line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return headers;
        }
        current = match current {
            Some((start, _)) => Some((start, line_end)),
            None => Some((at, line_end)),
        };
        at = line_end;
    }
    headers.extend(current.and_then(|(start, stop)| split_header(&raw[start..stop])));
    headers
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
    let mut marks = text.iter().enumerate().skip(2).filter(|(_, byte)| **byte == b'?').map(|(at, _)| at);
    let (first, second) = (marks.next()?, marks.next()?);
    let start = second + 1;
    // `?` may stand inside a Q word of careless senders; the end is `?=`.
    let length = find(&text[start..], b"?=")?;
    let content = &text[start..start + length];
    let charset = std::str::from_utf8(&text[2..first]).ok()?.split('*').next()?;
    if charset.len() > 40 || (encoding(charset).is_none() && !charset.eq_ignore_ascii_case("us-ascii")) {
        return None;
    }
    let bytes = match &text[first + 1..second] {
        b"B" | b"b" => {
            let mut clean: Vec<u8> = content.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            while clean.last() == Some(&b'=') {
                clean.pop();
            }
            while !clean.len().is_multiple_of(4) {
                clean.push(b'=');
            }
            base64_decode(&clean)?
        }
        b"Q" | b"q" => quoted_word(content),
        _ => return None,
    };
    Some((charset, bytes, start + length + 2))
}

/// The Q encoding of words: `_` is a space.
fn quoted_word(content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len());
    let mut at = 0;
    while at < content.len() {
        let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
        match (content[at], hex(content.get(at + 1)), hex(content.get(at + 2))) {
            (b'=', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                at += 3;
                continue;
            }
            (b'_', ..) => bytes.push(b' '),
            (byte, ..) if !matches!(byte, b'\r' | b'\n') => bytes.push(byte),
            _ => {}
        }
        at += 1;
    }
    bytes
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// Ends every part of a multipart mail, the innermost first: a mail that was cut off loses its last part otherwise.
fn close_parts(raw: &mut Vec<u8>) {
    let mut boundaries: Vec<Vec<u8>> = Vec::new();
    let mut at = 0;
    while let Some(found) = find_ignoring_case(&raw[at..], b"boundary=").filter(|_| boundaries.len() < MOST_PARTS) {
        let value = &raw[at + found + 9..];
        let boundary: Vec<u8> = match value.first() {
            Some(b'"') => value[1..].iter().copied().take_while(|byte| !matches!(byte, b'"' | b'\n')).collect(),
            _ => value.iter().copied().take_while(|byte| !byte.is_ascii_whitespace() && *byte != b';').collect(),
        };
        if !boundary.is_empty() && boundary.len() <= 200 && !boundaries.contains(&boundary) {
            boundaries.push(boundary);
        }
        at += found + 9;
    }
    for boundary in boundaries.into_iter().rev() {
        let end = [b"--".as_slice(), &boundary, b"--"].concat();
        if find(raw, &end).is_none() {
            raw.extend_from_slice(b"\r\n");
            raw.extend_from_slice(&end);
            raw.extend_from_slice(b"\r\n");
        }
    }
}

fn find_ignoring_case(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle))
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
