//! The names of currencies as people and services write them: codes, signs, words. What a sign stands for is a list where
//! several currencies share it.

mod names;

pub(crate) use self::names::WORDLIKE;
pub(super) use self::names::{ABBREVIATIONS, CJK, MINOR, SIGNS, minor_of_letters, of_letters};
use self::names::{DECIMAL_COMMA, DECIMAL_POINT, DOT_GROUPS, ISO, NAMED_BESIDE_YUAN, NO_CODES, RUPEES, YUAN};

/// Longest name of a currency that an answer may bring, in bytes.
const LONGEST: usize = 24;

/// A currency, or another unit of account, as a text names it.
#[derive(Clone, Copy, Debug, Eq)]
pub(crate) struct Currency {
    label: &'static str,
    codes: &'static [&'static str],
    /// Whether a word of Chinese or Japanese names it: 元 may stand beside such a word.
    is_cjk: bool,
}

impl PartialEq for Currency {
    fn eq(&self, other: &Currency) -> bool {
        // How it is named makes no other currency of it.
        self.label == other.label && self.codes == other.codes
    }
}

/// The currencies without a smaller unit.
const WHOLE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
/// Those whose smaller unit is a thousandth.
const THOUSANDTHS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// How many decimals a currency has, however it is named: two, unless it is known to have others.
pub(super) fn decimals(currency: Option<&str>) -> u32 {
    let named = currency.map(str::trim).unwrap_or_default();
    let code = super::text::currency(named).and_then(|currency| currency.code()).unwrap_or(named);
    let is_in = |codes: &str| codes.split(' ').any(|known| known.eq_ignore_ascii_case(code));
    match () {
        () if is_in(WHOLE) => 0,
        () if is_in(THOUSANDTHS) => 3,
        () => 2,
    }
}

impl Currency {
    /// Its code, if the name stands for one currency alone.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self.codes {
            [code] => Some(code),
            _ => None,
        }
    }

    /// What it is called in messages: the code, or the sign and what it may stand for.
    pub(crate) fn label(&self) -> &'static str {
        self.label
    }

    /// The code that it stands for most often.
    pub(super) fn usual(&self) -> Option<&'static str> {
        self.codes.first().copied()
    }

    /// Whether a word, as it stands in a config or an answer, may mean the same currency.
    pub(crate) fn may_be(&self, word: &str) -> bool {
        let word = word.trim();
        self.codes.iter().any(|code| is_spelt_alike(code, word))
            || super::text::currency(word).is_some_and(|other| self.meet(&other).is_some())
    }

    /// The same currency, as a word of [`CJK`] names it.
    pub(super) fn in_cjk(self) -> Currency {
        Currency { is_cjk: true, ..self }
    }

    /// What names beside one number say together. In `美金 20 元` the 元 says nothing of its own; behind a sign or a code it
    /// does, as in `€5元`.
    ///
    /// # Errors
    /// They contradict each other.
    pub(super) fn of_text(names: &[Currency]) -> Result<Option<Currency>, &'static str> {
        let is_yuan = |name: &Currency| name.label == YUAN.label;
        let is_foreign = |name: &Currency| {
            name.is_cjk && !is_yuan(name) && name.codes.iter().any(|code| NAMED_BESIDE_YUAN.contains(code))
        };
        let has_foreign = names.iter().any(is_foreign);
        let telling: Vec<Currency> = names.iter().filter(|name| !has_foreign || !is_yuan(name)).copied().collect();
        match telling.as_slice() {
            [] => Ok(None),
            telling => Currency::common(telling).map(Some).ok_or("it names two currencies"),
        }
    }

    /// What all of several names say together; none if no currency can be meant by all of them, though by each two.
    pub(crate) fn common(names: &[Currency]) -> Option<Currency> {
        let narrowest = names.iter().min_by_key(|name| name.codes.len())?;
        let mut shared = narrowest.codes.iter().filter(|code| names.iter().all(|name| name.codes.contains(code)));
        match (shared.next()?, shared.next()) {
            (code, None) if narrowest.codes.len() > 1 => {
                Some(Currency { label: code, codes: std::slice::from_ref(code), is_cjk: false })
            }
            _ => Some(*narrowest),
        }
    }

    /// What two names say together, for example `$` and `CAD`; none if they contradict each other.
    pub(crate) fn meet(&self, other: &Currency) -> Option<Currency> {
        let shares = self.codes.iter().any(|code| other.codes.contains(code));
        shares.then_some(if other.codes.len() < self.codes.len() { *other } else { *self })
    }

    /// Whether amounts in it are commonly written with a decimal comma, whichever currency it stands for.
    pub(super) fn has_decimal_comma(&self) -> bool {
        self.codes.iter().all(|code| is_written_with_comma(code))
    }

    /// Whether amounts in it are commonly written with full stops between thousands, whichever currency it stands for.
    pub(super) fn has_dot_groups(&self) -> bool {
        self.codes.iter().all(|code| DOT_GROUPS.contains(code))
    }

    /// Whether a full stop before three digits may part thousands: in any of the currencies that it stands for.
    pub(super) fn may_have_dot_groups(&self) -> bool {
        self.codes.iter().any(|code| !is_written_with_point(code))
    }

    /// Whether a comma before three digits may be a decimal sign. With dollars and cents it is not, though some countries
    /// write theirs so: with three decimals nobody does.
    pub(super) fn may_have_decimal_comma(&self) -> bool {
        self.usual().is_some_and(|code| !is_written_with_point(code))
    }

    /// Whether amounts in it are commonly grouped as 12,34,567.
    pub(super) fn has_indian_groups(&self) -> bool {
        self.usual().is_some_and(|code| RUPEES.contains(&code))
    }
}

fn is_written_with_comma(code: &str) -> bool {
    DOT_GROUPS.contains(&code) || DECIMAL_COMMA.contains(&code)
}

/// Whether amounts in it are known to be written with a decimal point. What is no money of a country is, as English has it.
fn is_written_with_point(code: &str) -> bool {
    DECIMAL_POINT.contains(&code) || !ISO.contains(&code)
}

/// Whether two words for currencies, as they stand in configs, pages and answers, may mean the same: `RMB` and `CNY` do.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    is_spelt_alike(one, other) || super::text::currency(one).is_some_and(|currency| currency.may_be(other))
}

/// Whether two words for currencies certainly mean the same. A sign that several currencies share is only like itself.
pub(crate) fn is_certainly_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    let named = || super::text::currency(one).zip(super::text::currency(other));
    is_spelt_alike(one, other) || named().is_some_and(|(one, other)| one == other)
}

/// The currency that a word says: where several share it, the one of the others that it may mean and that stands for one.
pub(crate) fn settled<'a>(said: &'a str, others: impl IntoIterator<Item = &'a str>) -> &'a str {
    let is_shared = |word: &str| super::text::currency(word).is_some_and(|named| named.code().is_none());
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
    word.len() <= LONGEST && (is_code(word) || super::text::currency(word).is_some())
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
