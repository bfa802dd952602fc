//! What a plain text says of itself: lines of `name: value`, the parameters of a form, a table of one line below its names.

use serde_json::{Map, Value as Json};

use super::names::WRONG;
use super::sentences::{is_against, is_nothing, names_balance};
use super::{denies, is_word};
use crate::page::{json, meter, names};

/// A longer text is a document, of which only the words are looked at.
const LONGEST: usize = 4096;
/// Longest name of a field, in characters.
const LONGEST_NAME: usize = 40;

/// Whether a text, which is all of an answer, says that something is wrong.
pub(super) fn is_denied(text: &str, is_judged: &dyn Fn(&str) -> bool, depth: usize) -> bool {
    if !text.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    if text.len() > LONGEST {
        return is_failure(text);
    }
    let is_expired = |part: &str| part.split(|c: char| !c.is_alphanumeric()).any(|word| is_word(word, &["expired"]));
    says_wrong(text, is_judged, depth) || parts(text).iter().any(|part| is_expired(part))
}

/// The same for a text that may have other things to say than whether it went well.
fn says_wrong(text: &str, is_judged: &dyn Fn(&str) -> bool, depth: usize) -> bool {
    let pairs = pairs(text).0;
    let names_failure = pairs.keys().any(|name| is_against(name) && !is_judged(name)) && !names_balance(text);
    let tables = [Some(pairs), table(text), cells(text)];
    names_failure
        || parts(text).iter().any(|part| is_failure(part) || is_against(part))
        || tables.into_iter().flatten().any(|fields| {
            let fields = Json::Object(fields).to_string();
            json::answer(fields.as_bytes()).is_ok_and(|fields| denies(&fields, is_judged, depth))
        })
}

/// What of a text has no name that says what it means. In a table each cell has one.
fn parts(text: &str) -> Vec<&str> {
    if rows(text).is_some() { Vec::new() } else { pairs(text).1 }
}

/// Whether a text is only the message of a failure, in which no number can be a balance.
pub(in crate::page) fn is_refusal(text: &str) -> bool {
    meter::spend(text.len().min(LONGEST) / 4);
    text.len() <= LONGEST
        && text.contains(|c: char| c.is_ascii_digit())
        && !names_balance(text)
        && says_wrong(text, &|_| false, 2)
}

/// Whether a part of a text names a failure. `false` alone says nothing, and credit may have expired.
fn is_failure(part: &str) -> bool {
    let mut words = part.split(|c: char| !c.is_alphanumeric());
    words.any(|word| !is_word(word, &["false", "expired"]) && is_word(word, &WRONG))
}

/// What stands as `name=value` or `name: value`, and all other parts.
fn pairs(text: &str) -> (Map<String, Json>, Vec<&str>) {
    let (mut fields, mut rest) = (Map::new(), Vec::new());
    for part in text.split(['\n', '\r', '&', ';', '|', ',']) {
        let is_row = part.matches('=').count() > 1;
        let parts: Vec<&str> = if is_row { part.split_whitespace().collect() } else { vec![part] };
        for part in parts {
            match pair(part) {
                Some((name, value)) => {
                    if !is_nothing(value) && is_against(value) {
                        rest.push(value);
                    }
                    // Of two with one name the one that says something counts.
                    if fields
                        .get(name)
                        .is_none_or(|known| known.as_str().is_some_and(is_nothing) || known == &Json::from(0))
                    {
                        fields.insert(name.to_owned(), as_json(value));
                    }
                }
                None => rest.push(part),
            }
        }
    }
    (fields, rest)
}

fn pair(part: &str) -> Option<(&str, &str)> {
    let (name, value) = part.split_once(['=', ':', '：'])?;
    let name = bare(name);
    let is_name = name.starts_with(char::is_alphabetic)
        && name.chars().count() <= LONGEST_NAME
        && !name.contains(['.', '!', '?', '。', '！'])
        && !name.contains(char::is_numeric);
    is_name.then(|| (name, bare(value)))
}

/// A whole number as one, so that it may count something, and else a text.
fn as_json(value: &str) -> Json {
    value.parse::<i64>().map_or_else(|_| Json::from(value), Json::from)
}

/// A cell without its quotes.
fn bare(cell: &str) -> &str {
    cell.trim().trim_matches(['"', '\'']).trim()
}

/// The lines of a text as cells, if there are two or more of them and all have as many.
fn rows(text: &str) -> Option<Vec<Vec<&str>>> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let sign = [',', ';', '\t', '|'].into_iter().find(|sign| lines.first().is_some_and(|line| line.contains(*sign)))?;
    let rows: Vec<Vec<&str>> = lines.iter().map(|line| line.split(sign).map(bare).collect()).collect();
    (rows.len() > 1 && rows.iter().all(|row| row.len() == rows[0].len())).then_some(rows)
}

/// The one line of a table below the line of its names. Of several lines each says something of itself.
fn table(text: &str) -> Option<Map<String, Json>> {
    match rows(text)?.as_slice() {
        [names, cells] => {
            Some(names.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), as_json(cell))).collect())
        }
        _ => None,
    }
}

/// Lines of a name and a value, unless the first line holds the names of a table.
fn cells(text: &str) -> Option<Map<String, Json>> {
    let rows = rows(text).filter(|rows| rows[0].len() == 2)?;
    let is_name = |cell: &str| {
        let mut words = cell.split([' ', '_', '-']);
        words.all(|word| names::is_word(&word.to_lowercase()))
    };
    let has_names = is_name(rows[0][0]) && is_name(rows[0][1]) && !is_word(rows[0][1], &WRONG);
    (!has_names).then(|| rows.iter().map(|row| (row[0].to_owned(), as_json(row[1]))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_only_a_refusal_holds_no_balance() {
        for text in [
            "ERROR 401",
            "Too many requests, wait 60",
            "FAIL|2",
            "ERR|12",
            "Key expired 30",
            "error,invalid key\ncode,401\n",
            "code,message\n401,invalid key",
            "status,code\nerror,401",
            "code=401&msg=unauthorized",
            "errno=5&errmsg=bad key",
            "错误码:1001",
            "Service unavailable, 5",
        ] {
            assert!(is_refusal(text), "{text}");
        }
        for text in [
            "12.50",
            "OK 12.50",
            "date,balance\n2026-12-01,12.50",
            "Balance: 12.50\nlast error: none",
            "errors=0&left=5",
            "error,total\n,12.50",
            "success=true;value=5",
            "12.50 USD",
        ] {
            assert!(!is_refusal(text), "{text}");
        }
    }
}
