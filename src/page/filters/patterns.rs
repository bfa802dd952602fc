//! What regular expressions find in texts, within bounds of size and time.

use std::ops::Range;

use jaq_core::{Cv, ValR, ValT};

use crate::page::value::{Error, Piece, Value};
use crate::page::{Jq, meter};

/// Longest text that a pattern is tried on, in bytes: the time is that times the size of the pattern.
const LONGEST_MATCHED: usize = 64 * 1024;
/// Largest compiled pattern, in bytes.
const LARGEST_PATTERN: usize = 64 * 1024;
/// A compiled pattern with which nearly all make do, in bytes.
const SMALL_PATTERN: usize = 1024;
/// Bytes of a compiled pattern for one of its states, about.
const STATE: usize = 32;
/// Most states of a pattern times bytes of the text that it is tried on. To go through the text once takes as many steps at
/// the worst, a second or two, and nothing can interrupt it.
const MOST_MATCHING: usize = 16 * 1024 * 1024;

/// Compiles a pattern, and says how many states it has, at the most. The library does not tell, but it refuses what is larger
/// than a limit, so the limit grows until the pattern fits.
fn compiled(builder: &mut regex_lite::RegexBuilder) -> Result<(regex_lite::Regex, usize), Error> {
    let mut limit = SMALL_PATTERN;
    loop {
        match builder.size_limit(limit).build() {
            Ok(pattern) => return Ok((pattern, limit / STATE)),
            Err(_) if limit < LARGEST_PATTERN => limit *= 2,
            Err(why) => return Err(Error::str(format_args!("a pattern is wrong: {why}"))),
        }
    }
}

/// What a pattern finds in a text: the parts between the matches, the matches, or both, in their order.
pub(super) fn matched(mut cv: Cv<Jq>, between: bool, found: bool) -> ValR<Value> {
    let flags = cv.0.pop_var();
    let pattern = cv.0.pop_var();
    let Some(flags) = flags.as_text() else { return Err(Error::typ(flags, "text")) };
    let Some(pattern) = pattern.as_text() else { return Err(Error::typ(pattern, "text")) };
    let Some(text) = cv.1.as_text() else { return Err(Error::typ(cv.1, "text")) };
    let written = pattern;
    if text.len() > LONGEST_MATCHED {
        return Err(Error::str("a text is too long for a pattern"));
    }
    meter::spend(50 + pattern.len());
    let (mut all, mut skips_empty) = (false, false);
    let mut builder = regex_lite::RegexBuilder::new(pattern);
    for flag in flags.chars() {
        match flag {
            'g' => all = true,
            'n' => skips_empty = true,
            'i' => drop(builder.case_insensitive(true)),
            'x' => drop(builder.ignore_whitespace(true)),
            's' => drop(builder.dot_matches_new_line(true)),
            'm' => drop(builder.multi_line(true)),
            'p' => drop(builder.multi_line(true).dot_matches_new_line(true)),
            'l' => drop(builder.swap_greed(true)),
            _ => return Err(Error::str("a pattern has a flag that is not known")),
        }
    }
    let (pattern, size) = compiled(&mut builder)?;
    if size * text.len() > MOST_MATCHING {
        return Err(Error::str("a pattern is too large for a text of this length"));
    }
    meter::spend_bytes(size * text.len());
    let names: Vec<Option<&str>> = pattern.capture_names().collect();
    let part = |range: Range<usize>| cv.1.found(&Piece::beside(range, written));
    let mut parts: Vec<ValR<Value>> = Vec::new();
    let (mut end, mut counted, mut characters) = (0, 0, 0);
    for captures in pattern.captures_iter(text) {
        meter::look_at_clock();
        let Some(whole) = captures.get(0) else { continue };
        if skips_empty && whole.is_empty() {
            continue;
        }
        if between {
            parts.push(Ok(part(end..whole.start())));
            end = whole.end();
        }
        if found {
            // What stands before the match is counted once, and not for each match again.
            characters += text[counted..whole.start()].chars().count();
            counted = whole.start();
            let others: Vec<_> = captures.iter().skip(1).flatten().map(|other| other.range()).collect();
            let groups = captures.iter().zip(&names).filter_map(|(group, name)| Some((group?, name)));
            let groups = groups.map(|(group, name)| {
                let own = |name: &str| Value::own(name.to_owned());
                let found = Piece { range: group.range(), matched_from: Some(whole.start()), others: &others, written };
                let fields = [
                    (own("offset"), Value::from(characters + text[counted..group.start()].chars().count())),
                    (own("length"), Value::from(group.as_str().chars().count())),
                    (own("string"), cv.1.found(&found)),
                ];
                Value::from_map(fields.into_iter().chain(name.map(|name| (own("name"), own(name)))))
            });
            parts.push(groups.collect());
        }
        if !all {
            break;
        }
    }
    if between {
        parts.push(Ok(part(end..text.len())));
    }
    parts.into_iter().collect()
}
