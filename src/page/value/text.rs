//! Texts: who wrote them, and which parts of them are one text of the answer.

use std::rc::Rc;

use super::beside::Why;
use super::made::Made;
use super::sizes::TEXT;
use super::{Origin, Text};
use crate::model::amount;
use crate::page::memory::Held;
use crate::page::meter;

/// Characters of the page's own text that a message keeps.
pub(super) const SHOWN: usize = 200;

/// What is said of a piece of a number that is used as if it was the number.
pub(super) const CUT_NUMBER: &str = "it is cut out of a longer number";

/// What is said of a number that was cut off from what belongs to it.
const CHANGED_NUMBER: &str = "it is cut out of a longer number, to which a sign, parentheses or a unit beside it belong; take that \
                              out together with it";

/// What is said of the digits of a date or of the number of an account, which are a text nevertheless.
pub(in crate::page) const OF_DATE: &str = "it is cut out of a longer number, such as a date";

/// What is said of a number behind a dash with blanks.
const BEHIND_DASH: &str = "it is cut out behind a dash, which may be a minus; where it only parts words, write it with the words \
                           before it, for example `capture(\"Balance - (?<v>[0-9.]+)\")`";

/// What is said of a number of which nobody knows what the words beside it mean.
const UNKNOWN_BESIDE: &str = "it is cut out beside a word or a sign that may make another number of it; write what stands there, for \
                              example `capture(\"Credit (?<v>[0-9.]+) left\")`";

/// What is said of a number in the message of a failure.
const OF_FAILURE: &str = "it is cut out of a text that says that something is wrong; where it is the balance nevertheless, write what \
                          stands there, for example `capture(\"Balance (?<v>[0-9.]+)\")`";

/// What is said of a number in a text that is written in a code.
pub(super) const OF_CODE: &str = "it is cut out of a text that is written in a code, such as base64 or `%2C`";

/// What is said of a number in a text that was cut before it was written in a code.
pub(super) const OF_PIECE: &str = "it is cut out of a text before that was written in a code, such as base64";

/// What is said of a text that is put together from very many pieces.
const OF_MANY: &str = "it is cut out of a text that is put together from too many pieces";

/// What is said of JSON that was made by changing a text.
pub(super) const CHANGED_JSON: &str =
    "a number in it is cut out of a longer one, or does not stand so in the text of the answer";

/// What is said of a number that was put together from the codes of characters.
pub(super) const OF_CHARACTERS: &str = "it is put together from characters, which may have left out a part of a number";

/// What is said of a number that was found in the JSON text of a list or an object.
pub(super) const ONE_OF_SEVERAL: &str = "it is cut out of the text of a list or an object, in which only its place says what \
                                         it is; name the field instead";

/// What is said of units and nanos with a point between them.
pub(super) const MIXED_NUMBER: &str = "it is put together from two values of the answer, of which the second may have lost \
                                       zeros; calculate instead, for example `(.units | tonumber) + .nanos / 1e9`";

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

    /// The text without the full stop or the comma at its end, if it was cut out of a sentence and took that with it.
    pub(in crate::page) fn without_stop(&self) -> &str {
        let last = self.made.as_ref().and_then(|made| made.spans.last());
        let Some((root, start)) = last.and_then(|span| span.root.as_ref()) else { return &self.text };
        let end = start + last.map_or(0, |span| span.length);
        let is_end = root.text[end..].chars().next().is_none_or(|c| c.is_whitespace() || "<\"'”’)".contains(c));
        match self.text.strip_suffix(['.', ',']) {
            Some(rest) if is_end && rest.ends_with(|c: char| c.is_ascii_digit()) => rest,
            _ => &self.text,
        }
    }

    /// Whether its author is not only the page's.
    pub(in crate::page) fn is_foreign(&self) -> bool {
        !matches!(self.origin, Origin::Page)
    }

    pub(super) fn new(text: String, origin: Origin) -> Text {
        let held = Held::of(TEXT + text.capacity());
        Text { text, origin, refusal: None, made: None, held }
    }

    /// The same, which was made of other texts.
    pub(super) fn made(text: String, origin: Origin, refusal: Option<&'static str>, made: Made) -> Text {
        let mut text = Text::new(text, origin);
        text.held.grow(made.bytes());
        text.refusal = refusal;
        text.made = Some(Box::new(made));
        text
    }

    /// What is one text of the answer at the beginning of this one, or at its end, and which it is, if it was cut.
    fn edge(&self, is_end: bool) -> (&str, Option<&Rc<Text>>) {
        let Some(made) = &self.made else {
            return (if self.is_foreign() { &self.text } else { "" }, None);
        };
        let span = if is_end { made.spans.last() } else { made.spans.first() };
        match span.and_then(|span| Some((span.length, &span.root.as_ref()?.0))) {
            Some((length, root)) if is_end => (&self.text[self.text.len() - length..], Some(root)),
            Some((length, root)) => (&self.text[..length], Some(root)),
            None => ("", None),
        }
    }

    /// Whether two numbers of the answer would become one if the other text was joined to this one, also where more stands
    /// before the one or behind the other.
    pub(super) fn would_join(&self, other: &Text) -> bool {
        let is_amount = |part: &str| amount::read(part).is_ok();
        is_amount(self.edge(true).0) && is_amount(other.edge(false).0)
    }

    /// Whether what would be joined was cut from one text, as `gsub(",";"")` cuts `1,234` and puts it together again.
    pub(super) fn is_put_together(&self, other: &Text) -> bool {
        let is_part =
            |(part, root): (&str, Option<&Rc<Text>>)| root.filter(|root| part.len() < root.text.len()).cloned();
        let (one, another) = (is_part(self.edge(true)), is_part(other.edge(false)));
        one.zip(another).is_some_and(|(one, another)| Rc::ptr_eq(&one, &another))
    }

    /// Whether it is a number, or the point of one.
    pub(super) fn is_of_number(&self) -> bool {
        matches!(self.text.as_str(), "." | ",") || is_number(&self.text)
    }

    /// Both, one behind the other.
    pub(super) fn joined(mut left: Rc<Text>, right: &Rc<Text>) -> Rc<Text> {
        if right.text.is_empty() {
            return left;
        }
        if left.text.is_empty() {
            return Rc::clone(right);
        }
        if left.is_foreign() || right.is_foreign() {
            let made = left.made.is_none().then(|| Box::new(Made::whole(&left)));
            let text = Rc::make_mut(&mut left);
            let mut made = made.or_else(|| text.made.take()).unwrap_or_default();
            let before = made.bytes();
            let is_kept = text.refusal != Some(OF_MANY) && made.append(Made::whole(right));
            text.held.grow(made.bytes().saturating_sub(before));
            text.refusal = if is_kept { text.refusal.or(right.refusal) } else { Some(OF_MANY) };
            text.made = is_kept.then_some(made);
        }
        Rc::make_mut(&mut left).append(right);
        left
    }

    fn append(&mut self, other: &Text) {
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

/// Whether a text may be read as an amount: it holds one number, before it only what belongs to one, and behind it a word.
pub(in crate::page) fn may_be_amount(text: &str) -> bool {
    if text.len() > amount::LONGEST || !text.contains(char::is_numeric) {
        return false;
    }
    meter::spend(1 + text.len() / 16);
    let text = amount::fold(text);
    let Some(start) = amount::number_start(&text, 0) else { return false };
    let end = amount::number_end(&text, start);
    let is_one = !text[end..].contains(char::is_numeric) && amount::words(&text[..start]).is_some();
    is_one || text.trim().parse::<f64>().is_ok()
}

/// What is said of a number that is none.
pub(super) fn reason(why: Why) -> &'static str {
    match why {
        Why::Cut => CUT_NUMBER,
        Why::Changed => CHANGED_NUMBER,
        Why::Date => OF_DATE,
        Why::Dash => BEHIND_DASH,
        Why::Unknown => UNKNOWN_BESIDE,
        Why::Failure => OF_FAILURE,
    }
}
