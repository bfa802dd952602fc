//! What regular expressions find in texts, within bounds of size and time.

use std::ops::Range;
use std::rc::Rc;

use jaq_core::{Cv, ValR, ValT};

use crate::page::value::{Error, How, Name, Value, literal};
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
    if text.len() > LONGEST_MATCHED {
        return Err(Error::str("a text is too long for a pattern"));
    }
    meter::spend(50 + pattern.len());
    let written: Rc<str> = literal(pattern).into();
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
    let group_names: Vec<Option<&str>> = pattern.capture_names().collect();
    let name = |range: Range<usize>, how| Name { range, written: Rc::clone(&written), how };
    let mut parts: Vec<ValR<Value>> = Vec::new();
    // What stands between two matches is beside both.
    let mut last = 0..0;
    let part = |before: Range<usize>, after: Range<usize>| {
        let range = before.end..after.start;
        cv.1.found(range, &[name(before, How::LeftOut), name(after, How::LeftOut)])
    };
    let (mut counted, mut characters) = (0, 0);
    for captures in pattern.captures_iter(text) {
        meter::look_at_clock();
        let Some(whole) = captures.get(0) else { continue };
        if skips_empty && whole.is_empty() {
            continue;
        }
        if between {
            parts.push(Ok(part(last, whole.range())));
            last = whole.range();
        }
        if found {
            // What stands before the match is counted once, and not for each match again.
            characters += text[counted..whole.start()].chars().count();
            counted = whole.start();
            let names: Vec<Name> = captures
                .iter()
                .skip(1)
                .flatten()
                .map(|other| name(other.range(), How::Taken))
                .chain([name(whole.range(), How::Matched)])
                .collect();
            let groups = captures.iter().zip(&group_names).filter_map(|(group, name)| Some((group?, name)));
            let groups = groups.map(|(group, name)| {
                let own = |name: &str| Value::own(name.to_owned());
                let is_behind = |name: &&Name| name.how == How::Matched || name.range.start >= group.end();
                let beside: Vec<Name> = names.iter().filter(is_behind).cloned().collect();
                let fields = [
                    (own("offset"), Value::of_text(characters + text[counted..group.start()].chars().count())),
                    (own("length"), Value::of_text(group.as_str().chars().count())),
                    (own("string"), cv.1.found(group.range(), &beside)),
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
        parts.push(Ok(part(last, text.len()..text.len())));
    }
    parts.into_iter().collect()
}
