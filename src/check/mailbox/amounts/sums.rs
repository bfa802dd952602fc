//! Several amounts that are one, or of which one is the sum.

use rust_decimal::Decimal;

use super::candidate::{Candidate, STRONG};
use super::cues::Sense;

/// Most parts of a sum.
const MOST_PARTS: usize = 24;

/// The one amount that all of them are; none if they differ, or one of them is not clear.
pub(super) fn one<'a>(all: &[&'a Candidate<'a>], sense: Sense) -> Option<&'a Candidate<'a>> {
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
pub(super) fn totals<'a>(all: &[&'a Candidate<'a>], candidates: &[Candidate]) -> Vec<&'a Candidate<'a>> {
    let said: Vec<&Candidate> = all.iter().filter(|candidate| candidate.score(Sense::Total) >= 1.5).copied().collect();
    if !said.is_empty() {
        return said;
    }
    let Some(most) = all.iter().filter_map(|candidate| candidate.value()).max() else {
        return Vec::new();
    };
    if !has_sum(&parts(candidates), most, None) {
        return Vec::new();
    }
    all.iter().filter(|candidate| candidate.value() == Some(most)).copied().collect()
}

/// The amounts that may be parts of a sum, in their order; none for one that is paid, so that no sum of what is owed goes on
/// through it.
fn parts(candidates: &[Candidate]) -> Vec<Option<Decimal>> {
    let is_paid = |other: &Candidate| other.is_paid || other.sense().is_some_and(|(sense, _)| sense == Sense::Paid);
    let money = candidates.iter().filter(|other| other.is_money() && other.amount.is_some());
    money.map(|other| other.value().filter(|_| !is_paid(other))).collect()
}

/// Whether a sum is that of at least two amounts that follow each other, of which one is `part` if there is one.
fn has_sum(values: &[Option<Decimal>], sum: Decimal, part: Option<Decimal>) -> bool {
    (0..values.len()).any(|first| {
        let mut total = Decimal::ZERO;
        let mut has_part = part.is_none();
        let parts = values[first..].iter().take(MOST_PARTS).enumerate();
        parts
            .map_while(|(at, value)| {
                let value = (*value)?;
                has_part |= part == Some(value);
                total = total.checked_add(value).filter(|total| *total <= sum && value < sum)?;
                Some(at > 0 && total == sum && has_part)
            })
            .any(|is_sum| is_sum)
    })
}

/// The amount that says that it is a sum, and is that of unpaid ones before it of which a chosen one is a part.
pub(super) fn whole<'a>(candidates: &'a [Candidate<'a>], chosen: &Candidate) -> Option<&'a Candidate<'a>> {
    let part = chosen.value()?;
    candidates.iter().enumerate().find_map(|(at, other)| {
        let is_other = |(sense, _): (Sense, f64)| !matches!(sense, Sense::Owed | Sense::Charge | Sense::Left);
        let is_whole = other.is_money()
            && other.score(Sense::Total) >= STRONG
            && !other.sense().is_some_and(is_other)
            && other.value().is_some_and(|sum| sum > part && has_sum(&parts(&candidates[..at]), sum, Some(part)));
        is_whole.then_some(other)
    })
}

/// Whether an amount is the sum of others.
pub(super) fn is_sum(candidates: &[Candidate], chosen: &Candidate) -> bool {
    chosen.value().is_some_and(|sum| has_sum(&parts(candidates), sum, None))
}

/// Whether no other of them is larger.
pub(super) fn is_most(all: &[&Candidate], chosen: &Candidate) -> bool {
    all.iter().all(|other| other.value() <= chosen.value())
}

/// With those that say that they are a sum, and nothing else.
pub(super) fn with_sums<'a>(candidates: &'a [Candidate<'a>], all: &[&'a Candidate<'a>]) -> Vec<&'a Candidate<'a>> {
    let is_sum = |candidate: &&Candidate| {
        candidate.is_money() && candidate.sense().is_none() && candidate.score(Sense::Total) >= 3.0
    };
    all.iter().copied().chain(candidates.iter().filter(is_sum)).collect()
}
