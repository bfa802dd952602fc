//! Runs of digits: how far a number goes, and where its decimals may begin.

use super::surroundings::{is_blank, is_glue};

/// How long the number is that a text begins with.
pub(super) fn run_length(text: &str) -> usize {
    let start = usize::from(text.starts_with('.'));
    let digits = |from: usize| text[from..].find(|c: char| !c.is_numeric()).map_or(text.len(), |length| from + length);
    let (mut group, mut end) = (start, digits(start));
    loop {
        let mut rest = text[end..].chars();
        let Some(next) = rest.next() else { return end };
        let from = if is_glue(next) && rest.as_str().starts_with(char::is_numeric) {
            end + next.len_utf8()
        } else if let Some(from) = blanks(&text[end..]).map(|length| end + length)
            && text[group..end].chars().count() <= 3
            && text[from..digits(from)].chars().count() == 3
        {
            from
        } else {
            return end;
        };
        (group, end) = (from, digits(from));
    }
}

/// The number that a text begins with.
pub(super) fn run_behind(text: &str) -> &str {
    &text[..run_length(text)]
}

/// The number that a text ends with.
pub(super) fn run_before(text: &str) -> &str {
    let mut start = text.len();
    let mut rest = text.char_indices().rev().peekable();
    while let Some((at, c)) = rest.next() {
        let is_part = c.is_numeric() || (is_glue(c) && rest.peek().is_some_and(|(_, c)| c.is_numeric()));
        if !is_part {
            break;
        }
        start = at;
    }
    &text[start..]
}

/// Whether a run of digits may be one number.
pub(super) fn is_one_number(run: &str) -> bool {
    !readings(run).is_empty()
}

/// How long the blanks are that may part thousands: one of the usual ones, or up to three others.
fn blanks(text: &str) -> Option<usize> {
    let length = text.len() - text.trim_start_matches(is_blank).len();
    let count = text[..length].chars().count();
    let may_part = count == 1 || ((2..=3).contains(&count) && !text[..length].contains(' '));
    may_part.then_some(length)
}

/// Where the decimals of a run of digits may begin, counted from the end. A separator before three digits may part thousands.
pub(super) fn readings(run: &str) -> Vec<usize> {
    let separators: Vec<(usize, char)> = run.char_indices().filter(|(_, c)| !c.is_numeric()).collect();
    let decimals = |at: usize, c: char| run[at + c.len_utf8()..].chars().count();
    let groups: Vec<&str> = run.split(|c: char| !c.is_numeric()).filter(|group| !group.is_empty()).collect();
    let are_groups = |groups: &[&str]| {
        groups.split_first().is_some_and(|(lead, rest)| {
            let is_last = |at: usize| at + 1 == rest.len();
            let is_group = |(at, group): (usize, &&str)| group.len() == 3 || (group.len() == 2 && !is_last(at));
            (1..=3).contains(&lead.len()) && !lead.starts_with('0') && rest.iter().enumerate().all(is_group)
        })
    };
    match separators.as_slice() {
        [] => vec![0],
        [(at, c)] => {
            let decimal = (!is_blank(*c)).then(|| decimals(*at, *c));
            decimal.into_iter().chain((groups.len() == 2 && are_groups(&groups)).then_some(0)).collect()
        }
        [.., (_, before), (_, c)] if before == c && are_groups(&groups) => vec![0],
        [.., (_, before), (at, c)] if before != c && are_groups(&groups[..groups.len() - 1]) => vec![decimals(*at, *c)],
        _ => Vec::new(),
    }
}
