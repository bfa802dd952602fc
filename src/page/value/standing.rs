//! The numbers of a text as they stand there, and whether those of a text that was made of it are the same.

use super::surroundings::{before, behind, folded, is_blank, is_glue, is_of_word};
use crate::model::amount;

/// A number as it stands in a text.
pub(super) struct Standing {
    /// Its digits and what separates them.
    run: String,
    is_negative: bool,
    is_in_parentheses: bool,
    /// The word behind it that makes another number of it.
    word: Option<String>,
}

/// The numbers of a text. The word of a text that its author names is no unit.
pub(super) fn numbers(text: &str, names: &dyn Fn(&str) -> bool) -> Vec<Standing> {
    let text = folded(text);
    let mut numbers = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(char::is_numeric).map(|found| at + found) {
        let is_bare_point =
            text[..start].ends_with('.') && !text[..start - 1].ends_with(|c: char| is_of_word(c) || c == '.');
        let end = run_end(&text, start);
        let begin = start - usize::from(is_bare_point && start > at);
        let (before, behind) = (before(&text[..begin]), behind(&text[end..]));
        numbers.push(Standing {
            run: text[begin..end].to_owned(),
            is_negative: before.is_negative || behind.is_negative,
            is_in_parentheses: before.opens.is_some() && behind.closes,
            word: behind.scale.or(behind.unknown.filter(|word| !names(word))),
        });
        at = end;
    }
    numbers
}

/// Where a number ends that begins with a digit.
fn run_end(text: &str, start: usize) -> usize {
    let digits = |from: usize| text[from..].find(|c: char| !c.is_numeric()).map_or(text.len(), |length| from + length);
    let (mut group, mut end) = (start, digits(start));
    loop {
        let mut rest = text[end..].chars();
        let Some(next) = rest.next() else { return end };
        let behind = rest.as_str();
        let from = if is_glue(next) && behind.starts_with(char::is_numeric) {
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

/// How long the blanks are that may part thousands: one of the usual ones, or up to three others.
pub(super) fn blanks(text: &str) -> Option<usize> {
    let length = text.len() - text.trim_start_matches(is_blank).len();
    let count = text[..length].chars().count();
    let may_part = count == 1 || ((2..=3).contains(&count) && !text[..length].contains(' '));
    may_part.then_some(length)
}

impl Standing {
    /// Whether it is the other number, written in another way.
    fn is_same(&self, other: &Standing) -> bool {
        self.is_negative == other.is_negative
            && self.is_in_parentheses == other.is_in_parentheses
            && self.word == other.word
            && digits(&self.run) == digits(&other.run)
            && (other.run.chars().all(char::is_numeric) || {
                let others = readings(&other.run);
                readings(&self.run).iter().any(|reading| others.contains(reading))
            })
    }
}

fn digits(run: &str) -> String {
    run.chars().filter(|c| c.is_numeric()).collect()
}

/// Where the decimals of a run of digits may begin, counted from the end. A separator before three digits may part thousands.
fn readings(run: &str) -> Vec<usize> {
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

/// Whether a text holds a number that does not stand in the one from which it was made: `12` of `12.50`, `1250` of `12.50`, `5` of
/// `-5`, `5` of `5k`, or two numbers that have become one.
pub(super) fn has_other_numbers(part: &str, whole: &str, names: &dyn Fn(&str) -> bool) -> bool {
    if !part.contains(char::is_numeric) {
        return false;
    }
    if amount::is_turned(whole) {
        return true;
    }
    let standing = numbers(whole, names);
    let dates = dates(whole);
    let stands = |number: &Standing| standing.iter().any(|other| number.is_same(other)) || dates.contains(&number.run);
    !numbers(part, names).iter().all(stands)
}

/// The digits of the dates and the numbers of accounts in a text: `20261130` of `2026-11-30`, `123456` of `12-34-56`. They are in
/// three groups or more, between which the same sign stands.
fn dates(text: &str) -> Vec<String> {
    const SIGNS: [char; 4] = ['-', '/', ':', '_'];
    let is_part = |c: char| c.is_ascii_digit() || SIGNS.contains(&c);
    let runs = text.split(|c: char| !is_part(c)).map(|run| run.trim_matches(SIGNS));
    let joined = runs.filter_map(|run| {
        let mark = run.chars().find(|c| SIGNS.contains(c))?;
        let groups: Vec<&str> = run.split(mark).collect();
        let is_group = |group: &&str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
        (groups.len() >= 3 && groups.iter().all(is_group)).then(|| groups.concat())
    });
    joined.collect()
}
