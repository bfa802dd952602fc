//! The text of a `.env` file, read literally: no value is expanded, so a key may hold any `$`.
//!
//! Not here: which variables win, and who needs them (`environment`). The dialect, which `docs/variables.md` describes too:
//!
//! - One `NAME=value` a line, with blanks around the `=` if you like, and with `export` before it or without. Empty lines and
//!   lines that begin with `#` say nothing. Of two lines for one name the last counts.
//! - In single quotes everything is literal. In double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are escapes, and every
//!   other backslash is one. Both kinds of quotes may go over several lines.
//! - Without quotes everything is literal up to the end of the line, or to a `#` after a blank, which begins a comment.

use std::collections::BTreeMap;

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub variables: BTreeMap<String, String>,
    /// The lines that cannot be read, in their order. All others count.
    pub broken: Vec<BrokenLine>,
}

/// A line that cannot be read. What it holds may be a secret, so only the name of its variable is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrokenLine {
    /// From 1.
    pub number: usize,
    /// The variable it was to set, if that can be told.
    pub name: Option<String>,
    pub why: &'static str,
}

/// Reads the text, in which U+FFFD stands for what is no UTF-8. A line that is wrong costs its own variable and nothing else.
pub(super) fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut rest = text;
    let mut number = 1;
    while !rest.is_empty() {
        let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let used = match assignment(rest) {
            Ok(None) => line_end,
            Ok(Some(Assignment { name, value, used })) => {
                parsed.variables.insert(name, value);
                used
            }
            Err((name, why)) => {
                // The value above it is not what was meant last.
                if let Some(name) = &name {
                    parsed.variables.remove(name);
                }
                parsed.broken.push(BrokenLine { number, name, why });
                line_end
            }
        };
        number += rest[..used].matches('\n').count();
        rest = &rest[used..];
    }
    // A line that sets the variable after all mends a broken one above it.
    let Parsed { variables, broken } = &mut parsed;
    broken.retain(|line| line.name.as_ref().is_none_or(|name| !variables.contains_key(name)));
    parsed
}

/// A line that is read back as this value.
pub(crate) fn line(name: &str, value: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.:/+=@?&%,~".contains(c);
    let quoted = match value {
        value if value.chars().all(is_plain) => value.to_owned(),
        value if !value.contains(['\'', '\r']) => format!("'{value}'"),
        value => {
            let escaped = value.chars().map(|c| match c {
                '\n' => "\\n".to_owned(),
                '\r' => "\\r".to_owned(),
                '"' | '\\' | '$' => format!("\\{c}"),
                c => c.to_string(),
            });
            format!("\"{}\"", escaped.collect::<String>())
        }
    };
    format!("{name}={quoted}\n")
}

struct Assignment {
    name: String,
    value: String,
    /// Bytes up to the end of its last line.
    used: usize,
}

/// The assignment at the beginning of a text; none if its first line says nothing.
fn assignment(text: &str) -> Result<Option<Assignment>, (Option<String>, &'static str)> {
    let line = text.split('\n').next().unwrap_or_default();
    let trimmed = line.trim_start();
    if trimmed.trim_end().is_empty() || trimmed.starts_with('#') {
        return Ok(None);
    }
    let exported = trimmed.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
    let statement = exported.unwrap_or(trimmed).trim_start();
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let name_end = statement.find(|c| !is_name_char(c)).unwrap_or(statement.len());
    let (name, after) = statement.split_at(name_end);
    let Some(value) = after.trim_start_matches([' ', '\t']).strip_prefix('=') else {
        let why = if after.trim_start().starts_with(':') {
            "it has `:` where `=` belongs"
        } else if !statement.contains('=') {
            "it is not `NAME=value`"
        } else {
            "what stands before its `=` is not the name of a variable"
        };
        // A word that is followed by something else may be anything.
        let is_known = after.trim_start().starts_with(':') && is_name(name);
        return Err((is_known.then(|| name.to_owned()), why));
    };
    if !is_name(name) {
        return Err((None, "what stands before its `=` is not the name of a variable"));
    }
    // The value may go on after this line, so it is read from the text.
    let value_text = text[line.len() - value.len()..].trim_start_matches([' ', '\t']);
    let begin = text.len() - value_text.len();
    let named = |why| (Some(name.to_owned()), why);
    let (value, end) = match value_text.chars().next() {
        Some(quote @ ('\'' | '"')) => {
            let (value, end) = quoted(&value_text[1..], quote).ok_or_else(|| named("its quote is never closed"))?;
            let behind = value_text[1 + end..].split('\n').next().unwrap_or_default();
            let is_comment = behind.starts_with([' ', '\t']) && behind.trim_start().starts_with('#');
            if !behind.trim().is_empty() && !is_comment {
                return Err(named(if value.contains('\n') {
                    "its quote is closed on a later line with text behind it, so it is probably never closed"
                } else {
                    "text follows its closing quote"
                }));
            }
            (value, 1 + end)
        }
        _ => {
            let line = value_text.split('\n').next().unwrap_or_default();
            // A `#` at once is a part of the value, and one after the blanks behind `=` is not.
            let is_empty = value.starts_with([' ', '\t']) && line.starts_with('#');
            let comment = if is_empty { Some(0) } else { comment_start(line) };
            (line[..comment.unwrap_or(line.len())].trim_end().to_owned(), line.len())
        }
    };
    if value.contains('\0') {
        return Err(named("it holds a NUL character"));
    }
    if value.contains(char::REPLACEMENT_CHARACTER) {
        return Err(named("it is not UTF-8 text"));
    }
    let line_end = text[begin + end..].find('\n').map_or(text.len(), |at| begin + end + at + 1);
    Ok(Some(Assignment { name: name.to_owned(), value, used: line_end }))
}

/// Where a comment begins: at a `#` after a blank.
fn comment_start(line: &str) -> Option<usize> {
    line.match_indices('#').map(|(at, _)| at).find(|at| line[..*at].ends_with([' ', '\t']))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// The value up to its closing quote, and where the text behind that begins.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Some((value.replace("\r\n", "\n"), at + 1)),
            '\\' if quote == '"' => {
                let (_, escaped) = chars.next()?;
                match escaped {
                    'n' => value.push('\n'),
                    'r' => value.push('\r'),
                    't' => value.push('\t'),
                    '"' | '\\' | '$' => value.push(escaped),
                    other => value.extend(['\\', other]),
                }
            }
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_back_as_it_was_meant() {
        for value in [
            "sk-or-v1-0f3c",
            "a b",
            "a#b",
            "a #b",
            "#a",
            "it's",
            "\"a\"",
            "a\\n",
            "it's \"$a\" \\ `b`",
            "two\nlines",
            "cr\rx's\ny",
            " blanks ",
            "",
            "密码",
            "${HOME}",
            "$$",
            "https://h.example/x?a=b&c=%20#d",
            "a=b==",
            "\\",
            "'",
            "'\\'",
        ] {
            let text = format!("A=1\n{}B=2\n", line("K", value));
            let parsed = parse(&text);
            assert_eq!(parsed.variables.get("K").map(String::as_str), Some(value), "{text:?}: {parsed:?}");
            assert_eq!((parsed.variables["A"].as_str(), parsed.variables["B"].as_str()), ("1", "2"), "{text:?}");
            assert_eq!(parsed.broken, [], "{text:?}");
        }
    }

    #[test]
    fn values_are_literal() {
        for (line, want) in [
            // The dialects of dotenv crates expand these.
            ("K=sk-abc$def", "sk-abc$def"),
            ("K=${HOME}", "${HOME}"),
            ("K=\"a$b${c}\"", "a$b${c}"),
            ("K=a\\$b", "a\\$b"),
            ("K=$$", "$$"),
            ("K=`id`", "`id`"),
            ("K=$(id)", "$(id)"),
            // Quotes and escapes.
            ("K='a\\n$b \"c\" # d'", "a\\n$b \"c\" # d"),
            ("K=\"a\\n\\r\\t\\\"\\\\\\$\"", "a\n\r\t\"\\$"),
            ("K=\"a\\b\\'c\"", "a\\b\\'c"),
            ("K=''", ""),
            ("K=\"it's\"", "it's"),
            ("K=a\"b'c", "a\"b'c"),
            ("K=\\n", "\\n"),
            ("K='two\nlines'", "two\nlines"),
            ("K=\"two\r\nlines\"", "two\nlines"),
            // Blanks and comments.
            ("K=", ""),
            ("  K  =  a b  ", "a b"),
            ("export K=a", "a"),
            ("\texport\tK=a", "a"),
            ("K=a # b", "a"),
            ("K=a#b", "a#b"),
            ("K=#b", "#b"),
            ("K= # b", ""),
            ("K='a' # b", "a"),
            ("K=a\t# b", "a"),
            ("K=a #b #c", "a"),
            ("K=a=b==", "a=b=="),
            ("K=密码", "密码"),
            ("K=a\r", "a"),
            ("K='a'\r", "a"),
            ("K=1\nK=2", "2"),
            ("K='never\nK=2", "2"),
        ] {
            let parsed = parse(line);
            assert_eq!(parsed.variables.get("K").map(String::as_str), Some(want), "{line:?}: {parsed:?}");
            assert_eq!(parsed.broken, [], "{line:?}");
            // What stands around it changes nothing.
            let among = parse(&format!("# x\nA=1\n\n{line}\nB=2\n"));
            assert_eq!(among.variables.get("K").map(String::as_str), Some(want), "{line:?}: {among:?}");
            assert_eq!((among.variables["A"].as_str(), among.variables["B"].as_str()), ("1", "2"), "{line:?}");
        }
    }

    #[test]
    fn a_broken_line_costs_its_own_variable_and_has_its_number() {
        let not_closed = "its quote is never closed";
        let no_name = "what stands before its `=` is not the name of a variable";
        for (line, name, why) in [
            ("this is no assignment secret", None, "it is not `NAME=value`"),
            ("K", None, "it is not `NAME=value`"),
            ("export K", None, "it is not `NAME=value`"),
            ("=x", None, no_name),
            ("1K=x", None, no_name),
            ("K L=x", None, no_name),
            ("余额=x", None, no_name),
            ("K: x", Some("K"), "it has `:` where `=` belongs"),
            ("K='x", Some("K"), not_closed),
            ("K=\"x\\\"", Some("K"), not_closed),
            ("K='x'y", Some("K"), "text follows its closing quote"),
            ("K='x'#y", Some("K"), "text follows its closing quote"),
            ("K=a\0b", Some("K"), "it holds a NUL character"),
            ("K=a\u{FFFD}b", Some("K"), "it is not UTF-8 text"),
        ] {
            let parsed = parse(&format!("A=1\r\n# x\n\n{line}\nB=2\n"));
            let broken = BrokenLine { number: 4, name: name.map(str::to_owned), why };
            assert_eq!(parsed.broken, [broken], "{line:?}");
            let rest: Vec<_> = parsed.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(rest, [("A", "1"), ("B", "2")], "{line:?}");
        }
        // An apostrophe in a later line closes a quote that was left open by mistake.
        let parsed = parse("A='1\nB='2'\nC=3\n");
        assert_eq!(parsed.broken.iter().map(|line| line.number).collect::<Vec<_>>(), [1]);
        assert_eq!((parsed.variables["B"].as_str(), parsed.variables["C"].as_str()), ("2", "3"));
        // A line that repeats the name of a broken one replaces what stood above as well.
        assert_eq!(parse("K=1\nK='2\n").variables.get("K"), None);
    }
}
