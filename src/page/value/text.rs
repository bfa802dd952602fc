//! Texts: who wrote them, and which parts of them are one text of the answer.

use std::cell::Cell;
use std::rc::Rc;

use super::sizes::TEXT;
use super::standing::has_other_numbers;
use super::{Origin, Part, Text};
use crate::model::amount;
use crate::page::memory::Held;
use crate::page::meter;

/// Characters of the page's own text that a message keeps.
pub(super) const SHOWN: usize = 200;

/// What is said of a piece of a number that is used as if it was the number.
pub(super) const CUT_NUMBER: &str = "it is cut out of a longer number";

/// What is said of a number that was put together from the codes of characters.
pub(super) const OF_CHARACTERS: &str = "it is put together from characters, which may have left out a part of a number";

/// What is said of a number that was found in the JSON text of a list or an object.
pub(super) const ONE_OF_SEVERAL: &str = "it is cut out of the text of a list or an object, in which only its place says what \
                                         it is; name the field instead";

/// What is said of units and nanos with a point between them.
pub(super) const MIXED_NUMBER: &str = "it is put together from two values of the answer, of which the second may have lost \
                                       zeros; calculate instead, for example `(.units | tonumber) + .nanos / 1e9`";

impl Part {
    const NONE: Part = Part { bytes: 0, source: 0, is_cut: false };

    /// All of a new text of the answer.
    fn whole(text: &str) -> Part {
        thread_local! {
            static SOURCES: Cell<u32> = const { Cell::new(0) };
        }
        let source = SOURCES.get().wrapping_add(1);
        SOURCES.set(source);
        Part { source, ..Part::NONE }.of_length(text)
    }

    pub(super) fn of_length(self, text: &str) -> Part {
        Part { bytes: u32::try_from(text.len()).unwrap_or(u32::MAX), ..self }
    }

    /// Whether both were cut from the same text, of which they may be put together again.
    fn is_beside(&self, other: &Part) -> bool {
        self.is_cut && other.is_cut && self.source == other.source
    }
}

impl Text {
    pub(super) fn shown(&self) -> &str {
        match &self.origin {
            Origin::Page => &self.text,
            // The code of a currency is no secret, and a page has to name those that there are.
            Origin::Answer | Origin::Option if is_currency(&self.text) => &self.text,
            Origin::Answer | Origin::Option => "…",
            Origin::Both(shown) => shown,
        }
    }

    /// The text itself.
    pub(in crate::page) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether its author is not only the page's.
    pub(in crate::page) fn is_foreign(&self) -> bool {
        !matches!(self.origin, Origin::Page)
    }

    pub(super) fn new(text: String, origin: Origin) -> Text {
        let part = if matches!(origin, Origin::Page) { Part::NONE } else { Part::whole(&text) };
        let held = Held::of(TEXT + text.capacity());
        let digits = (part.bytes > 0 && text.contains(|c: char| c.is_ascii_digit())).then_some(part.source);
        Text {
            text,
            origin,
            head: part,
            tail: part,
            cut: None,
            cuts_code: false,
            root: None,
            is_joined: false,
            digits,
            is_mixed: false,
            is_of_several: false,
            held,
        }
    }

    /// Whether two numbers of the answer would become one if the other text was joined to this one, also where more stands
    /// before the one or behind the other.
    pub(super) fn would_join(&self, other: &Text) -> bool {
        let is_amount = |part: &str| amount::read(part).is_ok();
        let (tail, head) = (self.tail.bytes as usize, other.head.bytes as usize);
        is_amount(&self.text[self.text.len() - tail..]) && is_amount(&other.text[..head])
    }

    /// Whether what would be joined was cut from one text, as `gsub(",";"")` cuts `1,234` and puts it together again.
    pub(super) fn is_put_together(&self, other: &Text) -> bool {
        self.tail.is_beside(&other.head)
    }

    /// Whether it is a number, or the point of one.
    pub(super) fn is_of_number(&self) -> bool {
        matches!(self.text.as_str(), "." | ",") || is_number(&self.text)
    }

    /// Whether the numbers in it stand so in the text that its pieces were cut out of.
    pub(super) fn stands_in_root(&self) -> bool {
        self.root.as_ref().is_none_or(|root| {
            meter::spend_bytes(64 + 8 * (self.text.len() + root.text.len()));
            !has_other_numbers(&self.text, &root.text, &|_| false)
        })
    }

    /// Pieces of one text that are put together again are looked at as a whole, when they are used as a number; a piece of a
    /// number to which the page's author adds remains one.
    fn join(&mut self, other: &Text) {
        self.cuts_code |= other.cuts_code;
        self.is_joined |= other.is_joined;
        if self.text.is_empty() || other.text.is_empty() {
            self.cut = if self.text.is_empty() { other.cut } else { self.cut };
            self.root = self.root.take().or_else(|| other.root.clone());
            return;
        }
        match (&self.root, &other.root) {
            (Some(one), Some(another)) if Rc::ptr_eq(one, another) => {
                let is_of_characters = |cut: &&'static str| *cut == OF_CHARACTERS;
                self.cut = self.cut.or(other.cut).filter(is_of_characters);
                self.is_joined = true;
            }
            (None, Some(_)) if !self.is_foreign() => {
                self.cut = other.cut;
                self.root = other.root.clone();
            }
            (Some(_), None) if !other.is_foreign() => {}
            _ => {
                self.cut = self.cut.or(other.cut);
                self.root = None;
            }
        }
    }

    pub(super) fn append(&mut self, other: &Text) {
        self.join(other);
        self.is_of_several |= other.is_of_several;
        let is_of_number = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '.' | ',' | '\'');
        let touch = self.text.ends_with(is_of_number) && other.text.starts_with(is_of_number);
        let are_two = self.digits.zip(other.digits).is_some_and(|(one, another)| one != another);
        self.is_mixed |= other.is_mixed || (touch && are_two);
        self.digits = other.digits.or(self.digits);
        if self.text.is_empty() {
            self.head = other.head;
        }
        if !other.text.is_empty() {
            self.tail = other.tail;
        }
        self.origin = match (&self.origin, &other.origin) {
            (Origin::Page, Origin::Page) => Origin::Page,
            (Origin::Answer, Origin::Answer) if !is_currency(&self.text) && !is_currency(&other.text) => Origin::Answer,
            _ => {
                let mut shown = self.shown().to_owned();
                let known = if matches!(self.origin, Origin::Both(_)) { shown.len() } else { 0 };
                if shown.len() < SHOWN * 4 && !(shown.ends_with('…') && other.shown() == "…") {
                    shown.extend(other.shown().chars().take(SHOWN));
                }
                self.held.grow(shown.len() - known);
                Origin::Both(shown)
            }
        };
        // A text grows by doubling.
        self.held.grow(2 * other.text.len());
        self.text.push_str(&other.text);
    }
}

/// Whether a text that was made of another one is another number than that, and not only written with other separators: `12` of
/// `12.50`, `12.5` of `12.5k`. None unless both are numbers.
pub(super) fn is_less_than_number(part: &str, whole: &str) -> Option<bool> {
    if part.len().max(whole.len()) > amount::LONGEST || !is_number(part) {
        return None;
    }
    let (value, all) = (amount::read(part).ok()?.value, amount::read(whole).ok()?.value);
    let is_turned = value.is_sign_negative() != all.is_sign_negative();
    Some(value != all && (is_turned || has_other_numbers(part, whole, &|_| false)))
}

/// Whether a text is the code of a currency that people pay with.
fn is_currency(text: &str) -> bool {
    const CODES: &str = "AED ARS AUD BGN BRL BTC CAD CHF CLP CNY COP CZK DKK EGP ETH EUR GBP HKD HUF IDR ILS INR JPY KES \
                         KRW KZT MXN MYR NGN NOK NZD PEN PHP PKR PLN RMB RON RUB SAR SEK SGD THB TRY TWD UAH USD USDC \
                         USDT VND ZAR";
    (3..=4).contains(&text.len()) && CODES.split_ascii_whitespace().any(|code| code == text)
}

/// Whether a text is a number, whoever wrote it.
pub(super) fn is_number(text: &str) -> bool {
    if text.len() > amount::LONGEST || !text.contains(|c: char| c.is_numeric()) {
        return false;
    }
    meter::spend(1 + text.len() / 16);
    amount::read(text).is_ok()
}

/// Whether a text is a number, or is read as one by JSON.
pub(super) fn may_be_number(text: &str) -> bool {
    is_number(text) || (text.len() <= amount::LONGEST && text.trim().parse::<f64>().is_ok())
}
