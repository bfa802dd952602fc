//! The headers of a mail or of a part of one, and the words in their values.

use super::decode::{base64, decode_bytes, quoted};
use crate::model::charset::encoding;

/// Most of a header that is read, in bytes.
pub(super) const MOST_HEADER: usize = 64 * 1024;
/// Most of a header that says what a part is, in bytes.
pub(super) const MOST_PARAMETERS: usize = 4 * 1024;
/// The longest encoded word, in bytes.
const MOST_WORD: usize = 4 * 1024;

/// Name and value of each header, in their order.
pub(super) type Headers<'a> = Vec<(&'a str, &'a [u8])>;

/// The last header of this name.
pub(super) fn header<'a>(headers: &Headers<'a>, name: &str) -> Option<&'a [u8]> {
    headers.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

/// The beginning of a header's value, with the end that the library wants.
pub(super) fn line(value: &[u8]) -> Vec<u8> {
    [&value[..value.len().min(MOST_PARAMETERS)], b"\n"].concat()
}

/// The headers, and what follows the first empty line.
pub(super) fn split(raw: &[u8]) -> (Headers<'_>, &[u8]) {
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
pub(super) fn decode_header(value: &[u8]) -> String {
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
    let decoded = if decoded.contains(['\r', '\n']) { decoded.replace(['\r', '\n'], "") } else { decoded };
    decoded.trim().to_owned()
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

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = needle.first()?;
    let mut from = 0;
    loop {
        let at = from + haystack[from..].iter().position(|byte| byte == first)?;
        if haystack[at..].starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
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
}
