//! Several amounts that are one, or of which one is the sum.

use rust_decimal::Decimal;

use super::candidate::Candidate;
use super::cues::Sense;

/// Most parts of a sum.
const MOST_PARTS: usize = 24;

/// The one amount that all of them are; none if they differ, or one of them is not clear.
pub(super) fn one<'a>(all: &[&'a Candidate], sense: Sense) -> Option<&'a Candidate> {
    let first = *all.first()?;
    let is_like = |other: &&Candidate| {
        other.amount.is_some()
            && other.is_clear(sense)
            && other.value() == first.value()
            && is_one_currency(first, other)
    };
    if !all.iter().all(is_like) {
        return None;
    }
    let has_currency = |other: &&&Candidate| other.amount.as_ref().is_some_and(|amount| amount.currency.is_some());
    all.iter().find(has_currency).copied().or(Some(first))
}

fn is_one_currency(one: &Candidate, other: &Candidate) -> bool {
    let currency = |candidate: &Candidate| candidate.amount.as_ref().and_then(|amount| amount.currency);
    currency(one) == currency(other) || currency(one).is_none() || currency(other).is_none()
}

/// Of several, the ones that say that they are a sum, or that are the sum of amounts that stand in a row.
pub(super) fn totals<'a>(all: &[&'a Candidate], candidates: &[Candidate]) -> Vec<&'a Candidate> {
    let said: Vec<&Candidate> = all.iter().filter(|candidate| candidate.score(Sense::Total) >= 1.5).copied().collect();
    if !said.is_empty() {
        return said;
    }
    let Some(most) = all.iter().filter_map(|candidate| candidate.value()).max() else {
        return Vec::new();
    };
    let values: Vec<Decimal> =
        candidates.iter().filter(|other| other.is_money()).filter_map(Candidate::value).collect();
    if !has_sum(&values, most) {
        return Vec::new();
    }
    all.iter().filter(|candidate| candidate.value() == Some(most)).copied().collect()
}

/// Whether a sum is that of at least two amounts that follow each other.
fn has_sum(values: &[Decimal], sum: Decimal) -> bool {
    (0..values.len()).any(|first| {
        let mut total = Decimal::ZERO;
        let parts = values[first..].iter().take(MOST_PARTS).enumerate();
        parts
            .map_while(|(at, value)| {
                total = total.checked_add(*value).filter(|total| *total <= sum && *value < sum)?;
                Some(at > 0 && total == sum)
            })
            .any(|is_sum| is_sum)
    })
}

/// Whether an amount is the sum of others.
pub(super) fn is_sum(candidates: &[Candidate], chosen: &Candidate) -> bool {
    let values: Vec<Decimal> =
        candidates.iter().filter(|other| other.is_money()).filter_map(Candidate::value).collect();
    chosen.value().is_some_and(|sum| has_sum(&values, sum))
}

/// Whether no other of them is larger.
pub(super) fn is_most(all: &[&Candidate], chosen: &Candidate) -> bool {
    all.iter().all(|other| other.value() <= chosen.value())
}

/// With those that say that they are a sum, and nothing else.
pub(super) fn with_sums<'a>(candidates: &'a [Candidate], all: &[&'a Candidate]) -> Vec<&'a Candidate> {
    let is_sum = |candidate: &&Candidate| {
        candidate.is_money() && candidate.sense().is_none() && candidate.score(Sense::Total) >= 3.0
    };
    all.iter().copied().chain(candidates.iter().filter(is_sum)).collect()
}
