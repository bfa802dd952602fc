//! A digest in words. The sentences of a language are templates, because all of them are lists of facts.

use rust_decimal::Decimal;

use super::language::Phrases;
use super::neutral::Neutral;
use super::templates::DigestWords;
use crate::model::alert::{Alert, Cause, Digest, List, Part, Row, Sum};
use crate::model::amount;

/// A template with its words.
fn filled(template: &str, words: &[(&str, &str)]) -> String {
    let mut pieces = template.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for (word, rest) in pieces.filter_map(|piece| piece.split_once('}')) {
        text.extend(words.iter().filter(|(known, _)| *known == word).map(|(_, value)| *value));
        text.push_str(rest);
    }
    // What is not known leaves its comma behind.
    text.trim_end_matches([' ', ',', '，']).to_owned()
}

/// The title of a message about these digests; none unless all of it is about digests.
pub(super) fn title(phrases: &dyn Phrases, alerts: &[Alert]) -> Option<String> {
    let mut told = alerts.iter().map(|alert| match &alert.cause {
        Cause::Digest(digest) => Some(digest),
        _ => None,
    });
    let first = told.next().flatten()?;
    let others: Vec<&Digest> = told.collect::<Option<_>>()?;
    let words = phrases.digest();
    let is_one = others.iter().all(|one| (one.span, one.first) == (first.span, first.first));
    Some(if is_one { heading_of(phrases, first) } else { words.several.to_owned() })
}

/// What a digest is about.
pub(super) fn heading_of(phrases: &dyn Phrases, digest: &Digest) -> String {
    let (first, last) = (digest.first.to_string(), digest.last.to_string());
    filled(phrases.digest().titles[digest.span as usize], &[("first", &first), ("last", &last)])
}

/// What a part is about.
pub(super) fn heading(phrases: &dyn Phrases, part: &Part) -> String {
    let words = phrases.digest();
    match part {
        Part::Sum(Sum { name: Some(name), .. }) => name.clone(),
        Part::Sum(sum) => {
            let (currency, count) = (sum.currency.as_deref().unwrap_or_default(), sum.accounts.to_string());
            filled(words.sums[usize::from(sum.accounts > 1)], &[("currency", currency), ("count", &count)])
        }
        Part::List(list, ..) => words.lists[*list as usize].to_owned(),
    }
}

/// What a part says, a line for each row.
pub(super) fn lines(phrases: &dyn Phrases, part: &Part, neutral: Neutral) -> Vec<String> {
    let words = phrases.digest();
    match part {
        Part::Sum(sum) => {
            let currency = sum.currency.as_deref().map(neutral);
            let shown = |amount: Option<Decimal>| {
                amount.map_or_else(|| "?".to_owned(), |amount| amount::show(amount, currency.as_deref()))
            };
            let text = filled(
                words.sum,
                &[
                    ("opening", &shown(sum.opening)),
                    ("topped_up", &shown(sum.topped_up)),
                    ("consumed", &shown(sum.consumed)),
                    ("closing", &shown(sum.closing)),
                ],
            );
            let unread = (sum.unread > 0).then(|| filled(words.unread, &[("count", &sum.unread.to_string())]));
            vec![text + &unread.unwrap_or_default()]
        }
        Part::List(List::Empty, ..) => vec![words.rows[List::Empty as usize].to_owned()],
        Part::List(list, rows, more) => {
            let (named, totals): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.name.is_some());
            let more = (*more > 0).then(|| filled(words.more, &[("count", &more.to_string())]));
            let named = named.into_iter().map(|one| row(words, *list, one, neutral));
            let totals: Vec<String> = totals.into_iter().map(|one| amount_of(one.amount, one, neutral)).collect();
            let total = (!totals.is_empty()).then(|| filled(words.total, &[("amount", &totals.join(" + "))]));
            named.chain(more).chain(total).collect()
        }
    }
}

fn amount_of(amount: Option<Decimal>, row: &Row, neutral: Neutral) -> String {
    let currency = row.currency.as_deref().map(neutral);
    amount.map(|amount| amount::show(amount, currency.as_deref())).unwrap_or_default()
}

fn row(words: &DigestWords, list: List, row: &Row, neutral: Neutral) -> String {
    let template = match (list, row.days, row.date) {
        (List::Renews, Some(..0), _) => words.renewals[0],
        (List::Renews, Some(0), _) => words.renewals[1],
        (List::Unread, _, None) => words.never_read,
        _ => words.rows[list as usize],
    };
    let mut name = row.name.as_deref().map(neutral).unwrap_or_default();
    let word = row.word.as_deref().map(neutral).unwrap_or_default();
    if list == List::Lapses && !word.is_empty() {
        name = format!("{name} “{word}”");
    }
    let date = row.date.map(|date| date.to_string()).unwrap_or_default();
    let days = row.days.map(|days| days.to_string()).unwrap_or_default();
    let amounts = [("amount", amount_of(row.amount, row, neutral)), ("before", amount_of(row.before, row, neutral))];
    let facts = amounts.into_iter().chain([("date", date), ("days", days), ("word", word), ("name", name)]);
    let facts: Vec<(&str, String)> = facts.collect();
    let facts: Vec<(&str, &str)> = facts.iter().map(|(word, value)| (*word, value.as_str())).collect();
    filled(template, &facts)
}

/// The lines of a part in one text.
pub(super) fn text(phrases: &dyn Phrases, part: &Part, neutral: Neutral) -> String {
    match lines(phrases, part, neutral).as_slice() {
        [one] => one.clone(),
        lines => lines.iter().map(|line| format!("\n  • {line}")).collect(),
    }
}

#[cfg(test)]
mod tests;
