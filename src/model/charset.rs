//! Charsets by the names that headers and documents give them.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The named charset; GB 2312 and its relatives are all read as the newest of them. None for a name that says nothing.
pub(crate) fn encoding(label: &str) -> Option<&'static Encoding> {
    // RFC 2231 allows a language after an asterisk.
    let label = label.split('*').next().unwrap_or_default().trim().to_ascii_lowercase();
    match label.as_str() {
        "gb2312" | "gbk" | "cp936" | "ms936" | "x-gbk" | "euc-cn" | "gb18030" => Some(GB18030),
        // A label that says nothing: what is 8-bit is not ASCII.
        "us-ascii" | "ascii" | "unknown-8bit" | "" => None,
        "cp932" | "ms932" => Some(encoding_rs::SHIFT_JIS),
        label => Encoding::for_label_no_replacement(label.as_bytes()),
    }
}

/// An answer as text, without a byte order mark: in the charset that the mark, the header `Content-Type` or the document says,
/// else in UTF-8; and whether all of it could be read. What could not becomes U+FFFD. `declared` is what the document says of itself.
pub(crate) fn decoded<'b>(body: &'b [u8], content_type: &str, declared: Option<&str>) -> (Cow<'b, str>, bool) {
    let (encoding, mark) = match Encoding::for_bom(body) {
        Some((encoding, mark)) => (encoding, mark),
        None => {
            let named = parameter(content_type).or(declared).and_then(encoding).unwrap_or(UTF_8);
            // Many servers call everything Latin 1, and nothing else is UTF-8 by chance. UTF-16 was made UTF-8 where it came in, if it
            // showed that it is; in any other the zeros beside its digits are left.
            let is_wide = named == UTF_16LE || named == UTF_16BE;
            let is_by_default =
                (named == WINDOWS_1252 || (is_wide && !body.contains(&0))) && std::str::from_utf8(body).is_ok();
            (if is_by_default { UTF_8 } else { named }, 0)
        }
    };
    let (text, has_errors) = encoding.decode_without_bom_handling(&body[mark..]);
    (text, !has_errors)
}

/// The charset of a `Content-Type`.
fn parameter(content_type: &str) -> Option<&str> {
    content_type.split([';', '\n']).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']))
    })
}

/// What an XML document says of its own charset, in its first line.
pub(crate) fn declared_in_xml(body: &[u8]) -> Option<&str> {
    const LONGEST: usize = 200;
    let start = body.trim_ascii_start();
    let end = start.iter().take(LONGEST).position(|byte| *byte == b'>')?;
    let line = std::str::from_utf8(&start[..end]).ok()?.strip_prefix("<?xml")?;
    let value = line.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_in_the_charset_that_it_says() {
        for (body, content_type, want) in [
            (&b"1\xa0234.50"[..], "text/plain; charset=iso-8859-1", "1\u{a0}234.50"),
            (b"\x96234.50", "text/plain; Charset=\"windows-1252\"", "\u{2013}234.50"),
            (b"\xd3\xe0\xb6\xee: 1\xa3\xac234.50", "text/plain;charset=gbk", "余额: 1，234.50"),
            (b"\x8ec\x8d\x82: \x81|234.50", "text/plain;charset=cp932", "残高: －234.50"),
            ("余额 5".as_bytes(), "text/plain; charset=iso-8859-1", "余额 5"),
            ("余额 5".as_bytes(), "text/plain; charset=nonsense", "余额 5"),
            (b"\xEF\xBB\xBF5", "text/plain; charset=gbk", "5"),
            (b"\xFF\xFE5\0", "text/plain", "5"),
            (b"5\0.\x005\0", "text/plain; charset=utf-16le", "5.5"),
            (b"\x005\x00.\x005", "text/plain; charset=UTF-16BE", "5.5"),
            (b"\x59\x4f5\0", "text/plain; charset=utf-16le", "\u{4f59}5"),
            // As it is handed on by the reader of bodies.
            (b"5.5", "text/plain; charset=utf-16le", "5.5"),
            ("余额 5".as_bytes(), "text/plain; charset=utf-16", "余额 5"),
            (b"1\xa0234.50", "text/plain", "1\u{fffd}234.50"),
            (b"1\xa0234.50", "", "1\u{fffd}234.50"),
        ] {
            assert_eq!(
                decoded(body, content_type, None),
                (want.into(), !want.contains('\u{fffd}')),
                "{content_type} {body:?}"
            );
        }
        let xml = b"<?xml version=\"1.0\" encoding='ISO-8859-1'?><r>\xe9t\xe9</r>";
        assert_eq!(declared_in_xml(xml), Some("ISO-8859-1"));
        assert!(decoded(xml, "text/xml", declared_in_xml(xml)).0.ends_with("<r>été</r>"));
        for xml in ["<r encoding=\"x\"/>", "<?xml version='1.0'?><r/>", "<?xml encoding?>", "", "<?xml"] {
            assert_eq!(declared_in_xml(xml.as_bytes()), None, "{xml}");
        }
    }
}
