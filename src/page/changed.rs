//! An answer with other numbers in some places. Whether a balance was calculated from the numbers there is seen by calculating it
//! once more, whatever the expression does with them.

use rust_decimal::Decimal;

use super::denial::plain;
use super::value::Value;
use crate::model::amount;

/// Lists and objects within each other that are changed.
const DEEPEST: usize = 64;

/// Names of fields that say in which currency the amounts beside them are, in lower case and without `_`, `-` and `@`.
const NAMES: &str = "accountcurrency balancecurrency ccy cur curr currency currencycode currencyid currencyiso currencyisocode currencyname \
                     currencysymbol currencytype isocurrency isocurrencycode moneda unit units waehrung währung walletcurrency 币种 货币";
const LONGEST_NAME: usize = 24;
/// Fields of an object within a field that are looked at.
const MOST_FIELDS: usize = 8;
/// Names of fields that say on which side of an account an amount stands, or with which sign.
const SIDES: &str = "amountsign balancesign cdtdbtind crdr creditdebit creditdebitindicator dc dcindicator debitcredit debitcreditindicator drcr";
/// What they say of a debt.
const DEBTS: &str = "- d dbit debit dr minus negative";
const LONGEST_DEBT: usize = 10;
/// What counts dollars, by whatever name.
const DOLLARS: &str = "USD USDT USDC";

/// Which numbers are changed: all, or those in another currency than this one. Of a field that the page names the page decides
/// what it means.
pub(super) enum Which<'a> {
    All,
    NotIn(&'a str, &'a dyn Fn(&str) -> bool),
    /// Those beside which a field says that they are debts.
    Debts(&'a dyn Fn(&str) -> bool),
    /// Each zero and each -1: services fill them in where they know no number.
    FilledIn,
}

/// Whether a value is a number that services fill in where they know none.
pub(super) fn is_filled_in(value: &Value) -> bool {
    let is_one = |number: Decimal| number.is_zero() || number == Decimal::NEGATIVE_ONE;
    match value {
        Value::Number(number) => number.as_f64() == 0.0 || number.as_f64() == -1.0,
        // Few texts begin as one of them may.
        Value::Text(_) => value.as_text().is_some_and(|text| {
            text.trim_start().starts_with(['0', '-', '.'])
                && amount::read(text).is_ok_and(|amount| is_one(amount.value))
        }),
        _ => false,
    }
}

/// The JSON of a value with other numbers; none if none was changed.
pub(super) fn json(value: &Value, which: &Which) -> Option<String> {
    if matches!(which, Which::NotIn(known, _) if !is_money(known)) {
        return None;
    }
    let is_everywhere = matches!(which, Which::All | Which::FilledIn);
    if !is_everywhere && !which.is_anywhere_in(value) {
        return None;
    }
    let mut out = Out { json: String::new(), changed: 0 };
    out.write(value, is_everywhere, which, DEEPEST);
    (out.changed > 0).then_some(out.json)
}

struct Out {
    json: String,
    changed: usize,
}

impl Out {
    fn write(&mut self, value: &Value, is_changed: bool, which: &Which, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return self.json.push_str(&value.to_json()) };
        match value {
            Value::List(_) => {
                self.json.push('[');
                for (at, item) in value.items().unwrap_or_default().iter().enumerate() {
                    self.json.push_str(if at > 0 { "," } else { "" });
                    self.write(item, is_changed, which, depth);
                }
                self.json.push(']');
            }
            Value::Object(_) => {
                let is_changed = which.is_beside(value).unwrap_or(is_changed);
                self.json.push('{');
                for (at, (key, field)) in value.fields().into_iter().flatten().enumerate() {
                    self.json.push_str(if at > 0 { "," } else { "" });
                    self.json.push_str(&serde_json::Value::from(key).to_string());
                    self.json.push(':');
                    self.write(field, which.is_under(key).unwrap_or(is_changed), which, depth);
                }
                self.json.push('}');
            }
            _ if matches!(which, Which::FilledIn) && !is_filled_in(value) => self.json.push_str(&value.to_json()),
            Value::Number(_) if is_changed => self.changed(&value.to_json()),
            Value::Text(_) if is_changed && value.as_text().is_some_and(|text| amount::read(text).is_ok()) => {
                self.changed(&value.to_json());
            }
            _ => self.json.push_str(&value.to_json()),
        }
    }

    /// Puts a digit before those of a number, which is another one for each, so that equal numbers do not stay equal.
    fn changed(&mut self, json: &str) {
        let first = json.find(|c: char| c.is_ascii_digit()).unwrap_or(json.len());
        let (before, digits) = json.split_at(first);
        self.json.push_str(before.strip_suffix('.').unwrap_or(before));
        self.json.push_str(["1", "2", "3", "4", "5", "6", "7"][self.changed % 7]);
        self.json.push_str(if before.ends_with('.') { "." } else { "" });
        self.json.push_str(digits);
        self.changed += 1;
    }
}

impl Which<'_> {
    /// Whether anything would be changed. Of nearly all answers nothing is, and to look costs less than to write them.
    fn is_anywhere_in(&self, value: &Value) -> bool {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            open.extend(value.items().into_iter().flatten());
            let Some(fields) = value.fields() else { continue };
            if self.is_beside(value) == Some(true) {
                return true;
            }
            for (key, field) in fields {
                if self.is_under(key) == Some(true) {
                    return true;
                }
                open.push(field);
            }
        }
        false
    }

    /// Whether a field of an object says that the amounts beside it are in another currency; none if none says one.
    fn is_beside(&self, object: &Value) -> Option<bool> {
        if let Which::Debts(is_judged) = self {
            let is_debt = |(key, field): (&str, &Value)| {
                let is_word = |text: &str| text.len() <= LONGEST_DEBT && is_in(DEBTS, &text.trim().to_lowercase());
                let is_said = field.as_text().is_some_and(is_word);
                // An attribute of XML belongs to what stands beside it; a field of this name may be a signature.
                is_said && (is_in(SIDES, &plain(key)) || key == "@sign") && !is_judged(key)
            };
            return object.fields()?.any(is_debt).then_some(true);
        }
        let Which::NotIn(known, is_judged) = self else { return None };
        let said = object.fields()?.find_map(|(key, field)| {
            // Most keys begin as none of the names does.
            let may_be_name = |c: char| !c.is_ascii() || "@_abcimuw".contains(c.to_ascii_lowercase());
            let is_name = key.len() <= LONGEST_NAME && key.starts_with(may_be_name) && is_in(NAMES, &plain(key));
            (is_name && !is_judged(key)).then(|| word(field)).flatten()
        });
        said.map(|said| is_other(known, said))
    }

    /// The same of the key under which an amount stands: `{"EUR": 5}`, `{"balance_usd": 5}`.
    fn is_under(&self, key: &str) -> Option<bool> {
        let Which::NotIn(known, is_judged) = self else { return None };
        let is_code = (3..=4).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_code && is_money(key) && !is_judged(key) {
            return Some(is_other(known, key));
        }
        let is_known = |part: &[u8]| part.eq_ignore_ascii_case(known.as_bytes());
        key.as_bytes().windows(known.len().max(1)).any(is_known).then_some(false)
    }
}

/// The currency that a field says, also one level below it: `{"currency": {"code": "EUR"}}`.
fn word(field: &Value) -> Option<&str> {
    let is_said = |text: &&str| text.len() <= LONGEST_NAME && is_money(text.trim());
    let inside = || field.fields()?.take(MOST_FIELDS).filter_map(|(_, field)| field.as_text()).find(is_said);
    field.as_text().filter(is_said).or_else(inside)
}

fn is_in(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|known| known == word)
}

fn is_other(known: &str, said: &str) -> bool {
    if is_hundredth(said) || is_hundredth(known) {
        return known != said;
    }
    let is_dollar = |word: &str| DOLLARS.split(' ').any(|dollar| dollar.eq_ignore_ascii_case(word.trim()));
    let is_same = amount::is_same(known, said) || (is_dollar(known) && is_dollar(said));
    !is_same
}

/// Whether a code stands for a hundredth of a currency, as exchanges write it: pence are `GBp`, and pounds `GBP`.
fn is_hundredth(code: &str) -> bool {
    ["GBp", "GBX", "ZAc", "ZAX", "ILA"].contains(&code.trim())
}

/// Whether a word names money, and no credits or points.
fn is_money(word: &str) -> bool {
    is_hundredth(word)
        || amount::is_known_unit(word)
            && !["credit", "point", "pts", "token"].iter().any(|unit| word.to_lowercase().starts_with(unit))
}
