//! The names of currencies as people and services write them: codes, signs, words. What a sign stands for is a list where
//! several currencies share it. What two words say together is in `meeting`.

mod names;

pub(crate) use self::names::WORDLIKE;
pub(super) use self::names::{ABBREVIATIONS, CJK, MINOR, NO_CODES, SIGNS, minor_of_letters, of_letters};
use self::names::{
    DECIMAL_COMMA, DECIMAL_POINT, DOT_GROUPS, FORMER, ISO, NAMED_BESIDE_YUAN, NO_DECIMALS, RUPEES, YUAN,
};

/// A currency, or another unit of account, as a text names it.
#[derive(Clone, Copy, Debug, Eq)]
pub(crate) struct Currency {
    label: &'static str,
    pub(super) codes: &'static [&'static str],
    /// Whether a word of Chinese or Japanese names it: 元 may stand beside such a word.
    is_cjk: bool,
}

impl PartialEq for Currency {
    fn eq(&self, other: &Currency) -> bool {
        // How it is named makes no other currency of it.
        self.label == other.label && self.codes == other.codes
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

    /// Whether it is money, and no credits or points.
    pub(crate) fn is_money(&self) -> bool {
        !self.label.starts_with(|c: char| c.is_ascii_lowercase()) || self.codes.len() > 1
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

    /// Whether nobody pays with a part of it, and thousands are parted by full stops, whichever currency it stands for.
    pub(super) fn has_no_decimals(&self) -> bool {
        self.codes.iter().all(|code| NO_DECIMALS.contains(code))
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

/// Whether three letters were once the code of a currency, or are one of those that people seldom pay with.
pub(super) fn is_former(code: &str) -> bool {
    FORMER.iter().any(|known| known.eq_ignore_ascii_case(code))
}

fn is_written_with_comma(code: &str) -> bool {
    DOT_GROUPS.contains(&code) || DECIMAL_COMMA.contains(&code)
}

/// Whether amounts in it are known to be written with a decimal point. What is no money of a country is, as English has it.
fn is_written_with_point(code: &str) -> bool {
    DECIMAL_POINT.contains(&code) || !ISO.contains(&code)
}
