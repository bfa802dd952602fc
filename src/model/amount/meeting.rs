//! What the words for currencies in a config, a page and an answer say together: whether two mean the same, and how many
//! decimals a currency has, however it is named.

use super::currency::{Currency, NO_CODES, is_former};
use super::text;

/// Longest name of a currency that an answer may bring, in bytes.
const LONGEST: usize = 24;

/// The currencies without a smaller unit.
const WHOLE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
/// Those whose smaller unit is a thousandth.
const THOUSANDTHS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// How many decimals a currency has, however it is named: two, unless it is known to have others.
pub(super) fn decimals(currency: Option<&str>) -> u32 {
    let named = currency.map(str::trim).unwrap_or_default();
    let code = text::currency(named).and_then(|currency| currency.code()).unwrap_or(named);
    let is_in = |codes: &str| codes.split(' ').any(|known| known.eq_ignore_ascii_case(code));
    match () {
        () if is_in(WHOLE) => 0,
        () if is_in(THOUSANDTHS) => 3,
        () => 2,
    }
}

impl Currency {
    /// Whether it has no smaller unit.
    pub(super) fn is_whole(&self) -> bool {
        self.code().is_some_and(|code| WHOLE.split(' ').any(|known| known == code))
    }

    /// Whether a word, as it stands in a config or an answer, may mean the same currency.
    pub(crate) fn may_be(&self, word: &str) -> bool {
        let word = word.trim();
        self.codes.iter().any(|code| is_spelt_alike(code, word))
            || text::currency(word).is_some_and(|other| self.meet(&other).is_some())
    }
}

/// Whether two words for currencies, as they stand in configs, pages and answers, may mean the same: `RMB` and `CNY` do.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    is_spelt_alike(one, other) || text::currency(one).is_some_and(|currency| currency.may_be(other))
}

/// Whether two words for currencies certainly mean the same. A sign that several currencies share is only like itself.
pub(crate) fn is_certainly_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    let named = || text::currency(one).zip(text::currency(other));
    is_spelt_alike(one, other) || named().is_some_and(|(one, other)| one == other)
}

/// The currency that a word says: where several share it, the one of the others that it may mean and that stands for one.
pub(crate) fn settled<'a>(said: &'a str, others: impl IntoIterator<Item = &'a str>) -> &'a str {
    let is_shared = |word: &str| text::currency(word).is_some_and(|named| named.code().is_none());
    if !is_shared(said) {
        return said;
    }
    others.into_iter().find(|other| !is_shared(other) && is_same(said, other)).unwrap_or(said)
}

/// Whether a word of an answer can be a currency or another unit of account: a known name or sign, or three letters as codes
/// have them. Anything else may be private.
pub(crate) fn is_unit(word: &str) -> bool {
    let is_code = |word: &str| {
        has_letters_of_code(word)
            && !has_mixed_case(word)
            && !NO_CODES.iter().any(|scaled| scaled.eq_ignore_ascii_case(word))
    };
    word.len() <= LONGEST && (is_code(word) || text::currency(word).is_some())
}

/// Whether a word is one of those that are known to name a currency or a unit of account, and not only looks like one.
pub(crate) fn is_known_unit(word: &str) -> bool {
    word.len() <= LONGEST && (text::currency(word).is_some() || is_former(word))
}

/// Whether two words are the same letters, in capitals or not. `GBp` is a hundredth of a GBP, so a code that mixes both is
/// only like itself.
pub(crate) fn is_spelt_alike(one: &str, other: &str) -> bool {
    one == other || (one.eq_ignore_ascii_case(other) && !has_mixed_case(one) && !has_mixed_case(other))
}

fn has_letters_of_code(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Whether three letters are a code in capitals and small letters: `GBp`, `ZAc`.
fn has_mixed_case(word: &str) -> bool {
    let has = |case: fn(&u8) -> bool| word.as_bytes().iter().any(case);
    has_letters_of_code(word) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

#[cfg(test)]
mod tests;
