//! An amount that a mail names, with what the words around it say.

use std::collections::BTreeMap;
use std::ops::Range;

use rust_decimal::Decimal;

use super::super::phrases::Words;
use super::Amount;
use super::cues::Sense;

/// A sense that is said by a label.
pub(super) const STRONG: f64 = 2.5;
/// Least that must speak for a sense.
const LEAST: f64 = 0.9;

/// An amount of a mail, with what the words around it say.
pub(super) struct Candidate<'a> {
    pub(super) range: Range<usize>,
    pub(super) amount: Option<Amount>,
    pub(super) kind: Kind,
    pub(super) sentence: usize,
    pub(super) senses: BTreeMap<Sense, f64>,
    /// The words around it, which may leave it in doubt. They are read for the few that may be shown: it takes time.
    pub(super) words: Words<'a>,
    /// The mail says that the account is overdrawn, and it has no minus, so that it may be one as what is left.
    pub(super) may_be_negative: bool,
    pub(super) listed: Listed,
    pub(super) is_of_another_wallet: bool,
    pub(super) is_of_other_money: bool,
    pub(super) is_paid: bool,
    /// A colon or the end of a cell parts it from its label.
    pub(super) is_labelled: bool,
    /// What the words right before it make of it.
    pub(super) labels: Vec<Sense>,
    /// The head of its column says what it is.
    pub(super) is_in_column: bool,
    /// It stands where the mail says why something failed.
    pub(super) is_reason: bool,
    /// The label is a word for a balance, so that it needs no currency.
    pub(super) has_noun: bool,
    /// It is written as amounts of money are, with decimals or separators.
    pub(super) is_formed: bool,
    /// It has decimals or separators.
    pub(super) has_separators: bool,
    /// Another amount is said to be a part of it: it is no balance and no debt itself.
    pub(super) is_whole_of_part: bool,
    /// Whether the words of its label make it another balance than the one that is left now.
    pub(super) is_refused: bool,
}

/// Whether only a word like "and" parts an amount from the number before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    No,
    /// From an amount: it is what that one is.
    Like,
    /// From a number that is none: it is no clearer than that.
    Unclear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A currency stands beside it.
    Money,
    /// So many messages, credits, pages.
    Count,
    /// A number alone.
    Bare,
}

impl Candidate<'_> {
    /// How much it is, if that is clear.
    pub(super) fn value(&self) -> Option<Decimal> {
        self.amount.as_ref().map(|amount| amount.value)
    }

    /// If the sentence names this amount plainly ("the amount of …"), what the sentence says (owed, charged) counts for it
    /// fully.
    pub(super) fn join_plain(&mut self) {
        if self.score(Sense::Plain) < STRONG || self.score(Sense::Next) > 0.0 {
            return;
        }
        for sense in [Sense::Owed, Sense::Charge] {
            if let Some(score) = self.senses.get_mut(&sense).filter(|score| **score >= LEAST) {
                *score = score.max(2.2);
            }
        }
    }

    /// Whether it may be what the mail is about.
    pub(super) fn is_open(&self) -> bool {
        self.sense()
            .is_none_or(|(sense, weight)| weight < STRONG && matches!(sense, Sense::Left | Sense::Owed | Sense::Charge))
    }

    pub(super) fn is_negative(&self) -> bool {
        self.amount.as_ref().is_some_and(|amount| amount.value.is_sign_negative())
    }

    pub(super) fn has_currency(&self) -> bool {
        self.kind == Kind::Money || self.amount.as_ref().is_some_and(|amount| amount.currency.is_some())
    }

    pub(super) fn is_money(&self) -> bool {
        self.kind == Kind::Money || (self.kind == Kind::Bare && self.is_formed)
    }

    /// Whether it may be shown as what it seems to be.
    pub(super) fn is_clear(&self, sense: Sense) -> bool {
        let is_labelled = self.is_labelled && self.labels.contains(&sense);
        let is_left = sense == Sense::Left && self.kind != Kind::Count;
        let is_refused = is_left && self.is_refused;
        let may_be_negative = is_left && self.may_be_negative;
        // What is only about right is not told, whatever else is said of it.
        !is_refused
            && self.score(Sense::Hedge) < STRONG
            && !may_be_negative
            && self.listed != Listed::Unclear
            && !self.words.is_doubtful(is_left, is_labelled)
    }

    pub(super) fn score(&self, sense: Sense) -> f64 {
        self.senses.get(&sense).copied().unwrap_or_default()
    }

    /// What it most likely is.
    pub(super) fn sense(&self) -> Option<(Sense, f64)> {
        let own = self
            .senses
            .iter()
            .filter(|(sense, _)| !matches!(sense, Sense::Total | Sense::Current | Sense::Rest | Sense::Plain));
        let best = own.max_by(|one, other| one.1.total_cmp(other.1).then(one.0.cmp(other.0)))?;
        (*best.1 >= LEAST).then_some((*best.0, *best.1))
    }
}
