//! Text that came from outside, made harmless: one line, bounded, without invisible characters.

use std::collections::{HashMap, HashSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use sha2::{Digest, Sha256};
use unicode_width::UnicodeWidthChar;

/// What RFC 3986 section 2.3 leaves unencoded: letters, digits and `-._~`.
pub(crate) const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `text` on one line of at most `limit` characters: control characters and runs of white space become
/// one space, zero-width and bidirectional controls disappear, a cut is marked with `…`.
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    let mut gap = false;
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        if c.is_whitespace() || c.is_control() {
            gap = !out.is_empty();
            continue;
        }
        let needed = 1 + usize::from(gap);
        if count + needed > limit {
            while count >= limit && out.pop().is_some() {
                count -= 1;
            }
            out.push('…');
            return out;
        }
        if gap {
            out.push(' ');
        }
        out.push(c);
        count += needed;
        gap = false;
    }
    out
}

/// As many whole lines of a text as fit into `limit` bytes: what is cut within a line could be read as something else.
pub(crate) fn whole_lines(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let head = &text[..text.floor_char_boundary(limit)];
    &head[..head.rfind('\n').map_or(0, |at| at + 1)]
}

/// `name` on one line of at most `limit` characters. A longer one loses its middle, because names that belong together
/// mostly differ at their ends: `prod-eu…-billing-2`.
pub(crate) fn short_name(name: &str, limit: usize) -> String {
    let whole = one_line(name, usize::MAX);
    let length = whole.chars().count();
    if length <= limit {
        return whole;
    }
    let kept = limit.saturating_sub(1);
    let tail = kept / 2;
    let head: String = whole.chars().take(kept - tail).collect();
    let tail: String = whole.chars().skip(length - tail).collect();
    format!("{}…{}", head.trim_end(), tail.trim_start())
}

/// Longest name of an account, mailbox or subscription in a table, in characters.
pub(crate) const NAME_CHARS: usize = 60;
/// Longest name of an owner in a table, in characters.
pub(crate) const OWNER_CHARS: usize = 40;

/// The short forms of the names that stand in one table or message. Two different names never get the same one: where
/// cutting or cleaning would make them equal, the first digits of a hash of the whole name tell them apart.
#[derive(Default)]
pub(crate) struct ShortNames {
    /// The names whose short form is another text.
    changed: HashMap<String, String>,
}

impl ShortNames {
    /// Short forms of at most `limit` characters.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>, limit: usize) -> ShortNames {
        ShortNames::cleaned(names, limit, str::to_owned)
    }

    /// The same, where `clean` first takes out what cannot stand in a name there.
    pub(crate) fn cleaned<'a>(
        names: impl IntoIterator<Item = &'a str>,
        limit: usize,
        clean: fn(&str) -> String,
    ) -> ShortNames {
        let names: HashSet<&str> = names.into_iter().collect();
        let short = names.iter().map(|name| (*name, short_name(&clean(name), limit)));
        let (kept, cut): (Vec<(&str, String)>, Vec<_>) = short.partition(|(name, short)| name == short);
        if cut.is_empty() {
            return ShortNames::default();
        }
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for (_, short) in kept.iter().chain(&cut) {
            *uses.entry(short).or_default() += 1;
        }
        let marked = |name: &str| {
            let digest: String = Sha256::digest(name).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            format!("{}~{digest}", short_name(&clean(name), limit.saturating_sub(digest.len() + 1)))
        };
        let changed = cut.iter().map(|(name, short)| {
            let is_unique = uses.get(short.as_str()) == Some(&1);
            ((*name).to_owned(), if is_unique { short.clone() } else { marked(name) })
        });
        ShortNames { changed: changed.collect() }
    }

    /// The short form of one of the names.
    pub(crate) fn get<'a>(&'a self, name: &'a str) -> &'a str {
        self.changed.get(name).map_or(name, String::as_str)
    }
}

/// Characters that change what a reader sees without being seen (zero-width, bidirectional controls, soft hyphen, fillers,
/// byte-order mark, tag characters).
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a text names a host: as a whole, not as a part of another word.
pub(crate) fn names(text: &str, host: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '.' || c == ':');
    text.match_indices(host).any(|(at, _)| {
        let mut after = text[at + host.len()..].chars();
        let next = after.next();
        // A stop or a colon that ends the clause is not a part of the name.
        let goes_on = match next {
            Some('.' | ':') => after.next().is_some_and(char::is_alphanumeric),
            next => is_part(next),
        };
        !goes_on && !is_part(text[..at].chars().next_back())
    })
}

/// The candidate that `word` most probably meant, if one is near enough.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let lower = candidate.to_lowercase();
            let near = strsim::jaro_winkler(&wanted, &lower);
            // A forgotten or added separator is the commonest slip: `api-key`, `apikey`.
            let bare = |s: &str| s.replace(['-', '_', ' '], "");
            if bare(&wanted) == bare(&lower) { (1.0, candidate) } else { (near, candidate) }
        })
        .filter(|(near, _)| *near > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// A text in lines of at most so many columns: parted at blanks, and within a word only where it does not fit by itself.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    let columns = |text: &str| text.chars().filter_map(UnicodeWidthChar::width).sum::<usize>();
    for word in text.split_whitespace() {
        let blank = usize::from(used > 0);
        let length = columns(word);
        // Chinese has no blanks, so a long run goes on where it stands.
        if used > 0 && used + blank + length > width && length <= width / 2 {
            lines.push(String::new());
            used = 0;
        } else if blank > 0 && used < width {
            lines.last_mut().into_iter().for_each(|line| line.push(' '));
            used += 1;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or_default();
            if used + wide > width {
                lines.push(String::new());
                used = 0;
            }
            lines.last_mut().into_iter().for_each(|line| line.push(c));
            used += wide;
        }
    }
    lines
}

/// `items` as back-ticked words, joined by commas.
pub(crate) fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    items.into_iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ")
}

/// `1 check`, `2 checks`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A duration in seconds with no more digits than it needs: `15`, `0.5`.
pub(crate) fn seconds(duration: std::time::Duration) -> String {
    let rounded = (duration.as_secs_f64() * 1000.0).round() / 1000.0;
    format!("{rounded}")
}

/// An I/O error in words, without the number.
pub(crate) fn io_error(error: &std::io::Error) -> String {
    // What this program itself says of a file.
    if error.get_ref().is_some() {
        return error.to_string();
    }
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        std::io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        std::io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        std::io::ErrorKind::FileTooLarge => "it would be larger than this process may write (`ulimit -f`)".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => {
            let text = error.to_string();
            match text.find(" (os error") {
                Some(at) => text[..at].to_lowercase(),
                None => text,
            }
        }
    }
}

/// The text of a file as editors write it: UTF-8, with a byte order mark or without.
///
/// # Errors
/// What it is instead, in words that go on after "it is".
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, String> {
    let bytes = without_mark(bytes)?;
    String::from_utf8(bytes).map_err(|error| format!("not UTF-8 text (byte {})", error.utf8_error().valid_up_to()))
}

/// The same, with U+FFFD for what is no UTF-8.
///
/// # Errors
/// What it is instead, if it is another encoding as a whole.
pub(crate) fn decode_lossy(bytes: Vec<u8>) -> Result<String, String> {
    let bytes = without_mark(bytes)?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Takes the byte order mark of UTF-8 away and refuses UTF-16 and UTF-32, with their marks or without: in those every second
/// byte of ASCII text is zero.
fn without_mark(mut bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let name = match bytes.as_slice() {
        [0xEF, 0xBB, 0xBF, ..] => {
            bytes.drain(..3);
            return Ok(bytes);
        }
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => "UTF-32",
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "UTF-16",
        [0, first, 0, second, ..] | [first, 0, second, 0, ..] if *first != 0 && *second != 0 => "UTF-16",
        _ => return Ok(bytes),
    };
    Err(format!("{name} text and not UTF-8"))
}

/// A span of time for people, in its largest fitting unit: `45 s`, `4 min`, `3 h`, `12 d`.
pub(crate) fn span(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// What a text is that is no length of time.
pub(crate) const NO_LENGTH: &str = "not a time such as 7d, 15m or 1h30m";

/// `7d`, `15m`, `1h30m`: whole numbers with s, m, h, d or w.
pub(crate) fn parse_length(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || NO_LENGTH.to_owned();
    let mut rest = text;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let mut unit = rest[digits..].chars();
        let seconds = match unit.next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some('w') => 604_800,
            _ => return Err(wrong()),
        };
        rest = unit.as_str();
        total = count.checked_mul(seconds).and_then(|n| total.checked_add(n)).ok_or_else(wrong)?;
    }
    // No store keeps anything for longer than 100 years.
    match total {
        0 => Err(if text.is_empty() { wrong() } else { "must be more than nothing".to_owned() }),
        1..=3_153_600_000 => Ok(std::time::Duration::from_secs(total)),
        _ => Err("must be at most 100 years".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn one_line_collapses_strips_and_cuts() {
        for (input, limit, want) in [
            ("a\r\n\tb  c", 10, "a b c"),
            ("  a  ", 10, "a"),
            ("a\u{202E}b\u{200B}c", 10, "abc"),
            ("abcdef", 6, "abcdef"),
            ("abcdefg", 6, "abcde…"),
            ("余额不足提醒", 4, "余额不…"),
            ("\u{1b}[31mred", 20, "[31mred"),
            ("ab cd", 3, "ab…"),
            ("", 3, ""),
        ] {
            assert_eq!(one_line(input, limit), want, "{input:?}");
        }
    }

    #[test]
    fn files_are_utf_8_with_a_mark_or_without() {
        for (bytes, want) in [
            (&b"a"[..], Ok("a")),
            (b"", Ok("")),
            (b"\xEF\xBB\xBFa", Ok("a")),
            (b"\xEF\xBB\xBF", Ok("")),
            (b"a\0\0\0b", Ok("a\0\0\0b")),
            (b"ab\xFF", Err("not UTF-8 text (byte 2)")),
            (b"\xFF\xFEa\0", Err("UTF-16 text and not UTF-8")),
            (b"\xFE\xFF\0a", Err("UTF-16 text and not UTF-8")),
            (b"a\0b\0", Err("UTF-16 text and not UTF-8")),
            (b"\0a\0b", Err("UTF-16 text and not UTF-8")),
            (b"\xFF\xFE\0\0a\0\0\0", Err("UTF-32 text and not UTF-8")),
        ] {
            let want = want.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(decode(bytes.to_vec()), want, "{bytes:?}");
        }
        assert_eq!(decode_lossy(b"ab\xFFc".to_vec()).unwrap(), "ab\u{FFFD}c");
    }

    #[test]
    fn names_lose_their_middle() {
        for (name, limit, want) in [
            ("short", 10, "short"),
            ("exactly-10", 10, "exactly-10"),
            ("production-eu-billing-1", 11, "produ…ing-1"),
            ("production-eu-billing-2", 11, "produ…ing-2"),
            ("a   b\nc", 5, "a b c"),
            ("余额不足的项目名称一", 5, "余额…称一"),
            ("abcdef", 1, "…"),
        ] {
            assert_eq!(short_name(name, limit), want, "{name:?}");
            assert!(short_name(name, limit).chars().count() <= limit);
        }
    }

    #[test]
    fn two_names_never_become_one() {
        let long = |head: char, middle: &str, tail: &str| format!("{}{middle}{tail}", head.to_string().repeat(40));
        let names = [
            long('a', "1", &"z".repeat(40)),
            long('a', "2", &"z".repeat(40)),
            long('a', "", "-eu-1"),
            long('a', "", "-eu-2"),
            "plain".to_owned(),
            "pl\u{200B}ain".to_owned(),
            "two words".to_owned(),
            "two  words".to_owned(),
            short_name(&long('b', "1", &"z".repeat(40)), 20),
            long('b', "1", &"z".repeat(40)),
        ];
        for limit in [20, 40, 60] {
            let short = ShortNames::new(names.iter().map(String::as_str), limit);
            let shown: HashSet<&str> = names.iter().map(|name| short.get(name)).collect();
            assert_eq!(shown.len(), names.len(), "{limit}: {shown:?}");
            assert!(shown.iter().all(|name| name.chars().count() <= limit), "{limit}: {shown:?}");
        }
        let short = ShortNames::cleaned(["a=b", "a_b"], 20, |name| name.replace('=', "_"));
        assert_ne!(short.get("a=b"), short.get("a_b"));
        let short = ShortNames::new(["a", "a", "b"], 20);
        assert!(short.changed.is_empty(), "ordinary names cost nothing");
    }

    #[test]
    fn nearest_finds_the_slip_and_nothing_else() {
        let fields = ["threshold", "api_key", "provider", "type"];
        assert_eq!(nearest("treshold", fields), Some("threshold"));
        assert_eq!(nearest("api-key", fields), Some("api_key"));
        assert_eq!(nearest("ApiKey", fields), Some("api_key"));
        assert_eq!(nearest("zzz", fields), None);
    }

    #[test]
    fn lines_fit_a_terminal_whatever_they_hold() {
        let chinese = "【阿里云】尊敬的用户：您的账户余额不足，请及时充值，以免影响您的业务。".repeat(3);
        let mixed =
            format!("Your balance is low {chinese} and so on https://billing.example.com/{} end", "x".repeat(200));
        for text in ["", "a", "a b c", chinese.as_str(), mixed.as_str(), &"word ".repeat(100), &"é".repeat(300)] {
            for width in [2, 10, 68] {
                let lines = wrapped(text, width);
                assert!(lines.iter().all(|line| line.trim_end().width() <= width), "{lines:#?}");
                let joined: String = lines.concat().split_whitespace().collect();
                assert_eq!(joined, text.split_whitespace().collect::<String>(), "nothing is lost");
            }
        }
        assert_eq!(wrapped("Your balance is low", 12), ["Your balance", "is low"]);
    }
}
