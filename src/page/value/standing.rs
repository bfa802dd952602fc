//! Numbers as they stand in the text that they were cut out of, and whether what was cut out is all of one.

use std::ops::Range;

use rust_decimal::Decimal;

use super::beside::{Known, Why, beside};
use super::digits::{readings, run_length};
use super::made::How;
use crate::model::amount::{self, Doubt, Word};
use crate::page::{denial, meter};

/// What was cut out of one text of the answer, as a part of a text that is used as a number.
pub(super) struct Piece<'t> {
    /// The text of the answer.
    pub(super) root: &'t str,
    /// The parts of it, in the order in which they were put together.
    pub(super) parts: Vec<Range<usize>>,
    /// The text that is used as a number, and where the parts stand in it.
    pub(super) text: &'t str,
    pub(super) place: Range<usize>,
    /// Whether a sign before them is not of the same text.
    pub(super) has_own_sign: bool,
}

impl Piece<'_> {
    /// Why what was cut out is not the number that stands there; none if it is.
    pub(super) fn why_none(&self, known: &[Known]) -> Option<Why> {
        self.checked(known).err()
    }

    fn checked(&self, known: &[Known]) -> Result<(), Why> {
        if self.parts.windows(2).any(|two| two[0].end > two[1].start) {
            return Err(Why::Cut);
        }
        let digits = |text: &str| text.chars().filter(|c| c.is_numeric()).collect::<String>();
        let taken: String = self.parts.iter().map(|part| digits(&self.root[part.clone()])).collect();
        let range = self.range().ok_or(Why::Cut)?;
        let standing = &self.root[range.clone()];
        let written = &self.text[self.place.clone()];
        if digits(standing) == taken && digits(written) == taken && is_date(standing) {
            return Err(Why::Date);
        }
        // `Balance '000: 12.50`.
        if standing.len() > 2 && standing.bytes().all(|byte| byte == b'0') {
            return Err(Why::Unknown);
        }
        let is_one = run_length(standing) == standing.len();
        if !is_one || digits(standing) != taken || digits(written) != taken {
            return Err(Why::Cut);
        }
        // A full stop that stood elsewhere, or that the page has put there, is no decimal sign before all digits.
        let letter = self.root[..range.start].chars().next_back().is_some_and(|c| c.is_alphabetic() || c == '/');
        if self.text[..self.place.start].ends_with(['.', ',']) || (standing.starts_with('.') && letter) {
            return Err(Why::Cut);
        }
        let (here, there) = (readings(trimmed(written)), readings(standing));
        if !standing.chars().all(char::is_numeric) && !here.iter().any(|reading| there.contains(reading)) {
            return Err(Why::Cut);
        }
        let exchanged = Doubt::of_exchange(standing, trimmed(written));
        // Zeros at the end of decimals say nothing.
        let zeros = self.root[range.end..].len() - self.root[range.end..].trim_start_matches('0').len();
        let has_decimals = written.contains('.') && standing.contains(['.', ',']);
        let end = range.end + if has_decimals { zeros } else { 0 };
        let beside = beside(self.root, &(range.start..end), known)?;
        let changed = if beside.has_dash { Why::Dash } else { Why::Changed };
        let has_currency = beside.before.iter().chain(&beside.behind).any(|word| matches!(word, Word::Currency(_)));
        let is_looked_for = |known: &Known| known.how == How::Matched && known.written.contains(char::is_alphabetic);
        if !has_currency && !known.iter().any(is_looked_for) && denial::is_refusal(self.root) {
            return Err(Why::Failure);
        }
        let there = factor(&beside.before, &beside.behind).ok_or(changed)?;
        let here = self.own_factor();
        if beside.has_minus_behind {
            // The page's author has put the minus before the number.
            if !(self.has_own_sign && there == Decimal::ONE && here == -there) {
                return Err(changed);
            }
        } else if !self.is_as_it_stands(here, there, beside.is_in_parentheses) {
            return Err(changed);
        }
        beside.currencies.into_iter().for_each(|currency| meter::note_doubt(Doubt::Beside(currency)));
        let is_money = |word: &Word| matches!(word, Word::Currency(currency) if currency.is_money());
        if beside.is_counted && !beside.before.iter().chain(&beside.behind).any(is_money) {
            meter::note_doubt(Doubt::Counted);
        }
        exchanged.into_iter().for_each(meter::note_doubt);
        Ok(())
    }

    /// Whether the words beside the number are those that stand there, or its author has made a minus of them.
    fn is_as_it_stands(&self, here: Decimal, there: Decimal, is_in_parentheses: bool) -> bool {
        let is_negated = self.has_own_sign && there.is_sign_positive() && here == -there;
        (here == there && !is_in_parentheses) || is_negated
    }

    /// Where the number stands in the text of the answer.
    fn range(&self) -> Option<Range<usize>> {
        let is_digit = |c: char| c.is_numeric();
        let first = self.parts.iter().find(|part| self.root[(*part).clone()].contains(is_digit))?;
        let last = self.parts.iter().rfind(|part| self.root[(*part).clone()].contains(is_digit))?;
        let start = first.start + self.root[first.clone()].find(is_digit)?;
        let end = last.start + self.root[last.clone()].rfind(is_digit)?;
        let point = usize::from(self.root[first.start..start].ends_with('.'));
        Some(start - point..end + self.root[end..].chars().next()?.len_utf8())
    }

    /// What the words that are used together with the number make of it, and the zeros that the page's author has put behind it.
    fn own_factor(&self) -> Decimal {
        let text = self.text;
        let start = self.place.start + text[self.place.clone()].find(char::is_numeric).unwrap_or(0);
        let end = self.place.start + text[self.place.clone()].rfind(char::is_numeric).map_or(0, |at| at + 1);
        let end = text.ceil_char_boundary(end);
        let zeros = text[end..].len() - text[end..].trim_start_matches('0').len();
        let is_whole = !text[start..end].contains(['.', ',']) && zeros > 0;
        let words = |part: &str| amount::words(part).unwrap_or_default();
        let own = factor(&words(text[..start].trim_end_matches('.')), &words(&text[end + zeros..]));
        let own = own.unwrap_or(Decimal::ONE);
        let ten = |zeros: usize| u32::try_from(zeros).ok().and_then(|zeros| 10_i64.checked_pow(zeros));
        if is_whole { ten(zeros).and_then(|ten| own.checked_mul(Decimal::from(ten))).unwrap_or_default() } else { own }
    }
}

/// Whether a text is a date or the number of an account, in three groups or more between which the same sign stands.
fn is_date(text: &str) -> bool {
    let Some(sign) = text.chars().find(|c| matches!(c, '-' | '/' | ':' | '_')) else { return false };
    let groups: Vec<&str> = text.split(sign).collect();
    groups.len() >= 3 && groups.iter().all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A run of digits without what else was cut out around it.
pub(super) fn trimmed(text: &str) -> &str {
    let text = text.trim_matches(|c: char| !c.is_numeric() && c != '.');
    text.trim_end_matches('.')
}

/// What the words beside a number make of it; none if they contradict each other.
fn factor(before: &[Word], behind: &[Word]) -> Option<Decimal> {
    amount::assemble(before, "1", behind, None).ok().map(|money| money.value)
}
