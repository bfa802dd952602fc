//! Characters beyond U+FFFF as JSON writes them.

/// JSON writes characters beyond U+FFFF as two `\u` escapes, which YAML does not know: write them as YAML's `\U`.
pub(super) fn join(text: &str) -> String {
    if !text.trim_start_matches('\u{FEFF}').trim_start().starts_with(['{', '[']) {
        return text.to_owned();
    }
    let unit = |at: usize| -> Option<u16> {
        let hex = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok()
    };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        let escape = at + found;
        out.push_str(&text[at..escape]);
        let pair = unit(escape)
            .zip(unit(escape + 6))
            .and_then(|(high, low)| char::decode_utf16([high, low]).next()?.ok().filter(|c| *c > '\u{FFFF}'));
        if let Some(c) = pair {
            out.push_str(&format!("\\U{:08X}", c as u32));
            at = escape + 12;
        } else {
            // The escaped character goes along, so that `\\u` is not taken for an escape.
            let next = text[escape + 1..].chars().next().map_or(0, char::len_utf8);
            out.push_str(&text[escape..escape + 1 + next]);
            at = escape + 1 + next;
        }
    }
    out.push_str(&text[at..]);
    out
}
