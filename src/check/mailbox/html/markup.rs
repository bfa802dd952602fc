//! How tags and characters are written in HTML: where a tag ends, what it says, and what a reference stands for.

/// The attributes of a tag, as far as a browser would take them for some: names in lower case, and values without quotes.
pub(super) fn attributes(tag: &str) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    let mut rest = tag.trim_start_matches('/').trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_ascii_whitespace() || "=/>".contains(c)).unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let Some(after) = rest.strip_prefix('=').map(str::trim_start) else {
            if name.is_empty() {
                return found;
            }
            found.push((name, ""));
            continue;
        };
        let quoted = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (from, end) = match quoted {
            Some(quote) => (1, after[1..].find(quote).map_or(after.len(), |at| at + 1)),
            None => (0, after.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(after.len())),
        };
        found.push((name, &after[from..end]));
        rest = after[end..].strip_prefix(['"', '\'']).unwrap_or(&after[end..]);
    }
}

/// What follows the tag's `>`, quotes heeded.
pub(super) fn tag_end(after: &str) -> Option<&str> {
    let mut quote = None;
    for (at, byte) in after.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(&after[at + 1..]),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    // A quote that is never closed: the next `>` ends the tag after all.
    after.find('>').map(|at| &after[at + 1..])
}

/// What follows `</name ...>`; nothing if it never ends.
pub(super) fn after_end_tag<'a>(body: &'a str, name: &str) -> &'a str {
    let mut rest = body;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        let is_it = rest.get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name));
        if is_it && !rest[name.len()..].starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return rest.find('>').map_or("", |end| &rest[end + 1..]);
        }
    }
    ""
}

/// The character that a reference stands for, as far as mails use them.
pub(super) fn reference(name: &str) -> Option<char> {
    match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            code.ok().and_then(char::from_u32)
        }
        None => match name {
            "nbsp" | "ensp" | "emsp" | "thinsp" => Some(' '),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "yen" => Some('¥'),
            "euro" => Some('€'),
            "pound" => Some('£'),
            "middot" => Some('·'),
            "hellip" => Some('…'),
            "mdash" => Some('—'),
            "ndash" => Some('–'),
            "shy" | "zwnj" | "zwj" => Some('\u{ad}'),
            _ => None,
        },
    }
}
