//! The -1 that services fill in where they know no number.

/// A JSON text with zeros for each -1 in it, be it a number or a text; none if there is no such one.
pub(in crate::page) fn without_unknown(json: &str) -> Option<String> {
    let (mut out, mut has_found) = (String::with_capacity(json.len()), false);
    let mut rest = json;
    while let Some(start) = rest.find(['"', '-']) {
        out.push_str(&rest[..start]);
        let is_text = rest[start..].starts_with('"');
        let length = if is_text { text_length(&rest[start..]) } else { number_length(&rest[start..]) };
        let (token, behind) = rest[start..].split_at(length);
        let inside = token.trim_matches('"');
        let is_key = is_text && behind.trim_start().starts_with(':');
        let is_unknown = !is_key && inside.parse() == Ok(-1.0);
        has_found |= is_unknown;
        out.push_str(match (is_unknown, is_text) {
            (false, _) => token,
            (true, true) => "\"0\"",
            (true, false) => "0",
        });
        rest = behind;
    }
    out.push_str(rest);
    has_found.then_some(out)
}

/// How long the text is that begins with a quote.
fn text_length(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |end| end + 2)
}

/// How long the number is that begins with a minus.
fn number_length(text: &str) -> usize {
    let is_part = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    text.bytes().position(|byte| !is_part(byte)).unwrap_or(text.len()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_minus_one_as_a_whole_is_replaced() {
        for (json, want) in [
            (r#"{"a":-1}"#, Some(r#"{"a":0}"#)),
            (r#"{"a":-1.00,"b":[-1,1]}"#, Some(r#"{"a":0,"b":[0,1]}"#)),
            (r#"{"a":"-1","b":"-1.0"}"#, Some(r#"{"a":"0","b":"0"}"#)),
            (r#"{"a":-1e0}"#, Some(r#"{"a":0}"#)),
            (r#"{"a":-10,"b":"x-1","c":"\"-1\"","-1":2,"d":-0.1,"e":"-1 "}"#, None),
            (r#"{"\\":"-1"}"#, Some(r#"{"\\":"0"}"#)),
            (r#""a-1\""#, None),
            ("-", None),
            ("", None),
        ] {
            assert_eq!(without_unknown(json).as_deref(), want, "{json}");
        }
    }
}
