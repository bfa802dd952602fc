//! The balance in what the `balance` expression of a page gives, and its currency.

use rust_decimal::Decimal;

use super::Page;
use super::error::decode;
use super::number::{doubt, number, without_side, without_unit};
use crate::check::{Amount, Reading};
use crate::model::amount::{self, Currency, Doubt, is_unlimited};
use crate::model::failure::{Failure, Reason};
use crate::page::expression::{Shape, Taken, Trouble, Variables};
use crate::process::quote_input;

/// How a page says what the separators of a number are.
const CERTAIN: &str = "where a full stop is always the decimal sign, take `fromjson`, after `gsub(\",\"; \"\")` if commas \
                       separate thousands";

/// What is said of a text that means one amount in one currency and another one in another.
const UNKNOWN_CURRENCY: &str =
    "it is text and its separator may be a decimal sign or part thousands, and its currency is not known";

/// How a page or a project says what is counted.
const UNITS: &str = "say what is counted: `currency` or `unit` of the page, or `currency` of the project";

/// A value of the answer, of whose numbers it is certain what their separators are in a currency.
///
/// # Errors
/// What is in doubt, without a value.
pub(super) fn certain(taken: Taken, known: Option<&str>) -> Result<Option<Shape>, String> {
    match known.and_then(|known| taken.doubts.iter().find_map(|doubt| doubt.in_currency(known))) {
        Some(why) => Err(format!("`tonumber` has read a text of which {why}")),
        None => Ok(taken.value),
    }
}

impl Page {
    /// The currency or unit that is known before the answer says one.
    pub(super) fn known_currency<'a>(&'a self, variables: &'a Variables) -> Option<&'a str> {
        variables.currency().or(self.counted_in())
    }

    /// An amount of the answer in the unit of the balance, with the sign that credit has here.
    pub(super) fn scaled(&self, sum: Decimal) -> Option<Decimal> {
        let sum = match &self.scale {
            Some(scale) => amount::exact::product(sum, scale.0)?,
            None => sum,
        };
        Some(self.turned(sum))
    }

    /// Credit with the sign that it has here.
    pub(super) fn turned(&self, credit: Decimal) -> Decimal {
        if self.inverted && !credit.is_zero() { -credit } else { credit }
    }

    /// Whether a word can be a currency. A unit of its own has to stand in the config, as an answer may hold anything.
    fn is_currency(&self, said: &str, variables: &Variables) -> bool {
        let is_own = |code: &str| code.contains(&format!("\"{said}\""));
        let configured = variables.currency().into_iter().chain(self.counted_in());
        let mut known = configured.clone().filter(|known| amount::is_spelt_alike(known, said));
        // Where the config or the page says what is counted, three letters that nobody knows are none: `USC` may be cents.
        amount::is_unit(said) && (configured.count() == 0 || amount::is_known_unit(said))
            || known.next().is_some()
            || is_own(self.measured().1)
            || variables.options().any(|option| option == said || is_own(option))
    }

    /// The reading that `balance` or `spend` gives. `earlier` is what is in doubt of the texts that steps have bound and added.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn reading(
        &self,
        taken: Result<Taken, Trouble>,
        variables: &Variables,
        earlier: &[Doubt],
    ) -> Result<Reading, Failure> {
        let Taken { value, mut doubts, .. } = taken.map_err(|why| decode("the balance could not be read", why))?;
        let decode = |message: String| Failure::new(Reason::Decode, message);
        let Some(value) = value else {
            let failure = decode("the answer holds no balance".to_owned());
            let asks = variables.currency().is_none() && self.measured().1.contains("$currency");
            let hint = "`$currency` is null as long as the project names no `currency`, also where the page does";
            return Err(if asks { failure.with_hint(hint) } else { failure });
        };
        let (parts, said) = parts(value).map_err(decode)?;
        let is_turned = self.inverted || self.spend.is_some();
        let parts = parts.checked(is_turned, self.scale.is_some()).map_err(decode)?;
        if said.as_ref().is_some_and(|said| !self.is_currency(said, variables)) {
            let message = "the `currency` that `balance` takes from the answer is neither a code of three letters nor a known unit";
            return Err(decode(message.to_owned()));
        }
        if matches!(&parts.amount, Shape::Text(text) if is_unlimited(text)) {
            if self.spend.is_some() {
                return Err(decode(
                    "what was spent is not known, as the answer has a word for \"no limit\" there".to_owned(),
                )
                .with_hint("that an account has no limit, a page says with `unlimited`"));
            }
            return Ok(Reading::new(Amount::Unlimited, said));
        }
        if let (Some(said), Some(wanted)) = (&said, variables.currency())
            && !amount::is_same(said, wanted)
        {
            return Err(another_currency(said, &configured(wanted)));
        }
        // What the amount's own text may name, and who says so.
        let expected = said
            .as_deref()
            .map(|said| (said, format!("the answer says {said}")))
            .or_else(|| variables.currency().map(|wanted| (wanted, configured(wanted))))
            .or_else(|| self.counted_in().map(|own| (own, format!("the page of `{}` says {own}", self.id))));
        let known = expected.as_ref().map(|(word, _)| *word);
        let direct = parts.doubts();
        let (sum, named) = parts.sum(expected.as_ref())?;
        // If the answer says nothing, the page does, and not the project.
        if let (None, None, Some(own), Some(wanted)) = (&said, &named, self.counted_in(), variables.currency())
            && !amount::is_same(own, wanted)
        {
            return Err(another_currency(own, &configured(wanted)));
        }
        let fixed = variables.currency().into_iter().chain(self.counted_in());
        let known = known.map(|known| amount::settled(known, fixed));
        let currency = known.or(named.and_then(|named| named.code())).map(str::to_owned);
        if currency.is_none() && !direct.is_empty() {
            let message = format!("the balance in the answer cannot be used: {UNKNOWN_CURRENCY}");
            return Err(decode(message).with_hint(UNITS));
        }
        // What a step has bound as a text, and `tonumber` reads here, is in doubt like what the step has read itself.
        let bound = variables.bound_texts().filter_map(Doubt::of).filter(|doubt| doubts.contains(doubt));
        let earlier: Vec<Doubt> = earlier.iter().copied().chain(bound).collect();
        doubts.retain(|doubt| !earlier.contains(doubt));
        refuse_doubts(&doubts, &earlier, currency.as_deref())?;
        let sum = self.scaled(sum).ok_or_else(|| decode("the balance has more than 28 digits".to_owned()))?;
        Ok(Reading::new(Amount::Of(sum), currency))
    }
}

/// Refuses texts whose separators may be read in two ways in this currency. What earlier steps have bound or added is not read in
/// any way as long as the currency is unknown.
fn refuse_doubts(own: &[Doubt], earlier: &[Doubt], currency: Option<&str>) -> Result<(), Failure> {
    let refusal = |message: String| Err(Failure::new(Reason::Decode, message).with_hint(CERTAIN));
    let what = "the balance in the answer cannot be used";
    // Where no currency is known these say nothing.
    let is_beside = |doubt: &&Doubt| matches!(doubt, Doubt::Beside(_) | Doubt::Counted | Doubt::Exchanged(..));
    let mut beside = own.iter().chain(earlier).filter(is_beside);
    let found = |currency: &str| beside.find_map(|doubt| Some((doubt, doubt.in_currency(currency)?)));
    if let Some((doubt, why)) = currency.and_then(found) {
        let hint = match doubt {
            Doubt::Counted => "choose another number, or write the word into the pattern",
            Doubt::Beside(_) => {
                "take the currency out as well, for example with `{amount, currency}`, or write it into the pattern"
            }
            _ => "leave the number as it stands in the answer: separators are read as the currency has them",
        };
        return Err(Failure::new(Reason::Decode, format!("{what}: {why}")).with_hint(hint));
    }
    let earlier: Vec<Doubt> = earlier.iter().filter(|doubt| !is_beside(doubt)).copied().collect();
    match currency {
        Some(currency) => match own.iter().chain(&earlier).find_map(|doubt| doubt.in_currency(currency)) {
            Some(why) if earlier.is_empty() => refusal(format!("{what}: `tonumber` has read a text of which {why}")),
            Some(why) => refusal(format!("{what}: `tonumber` or a `sum` has read a text of which {why}")),
            None => Ok(()),
        },
        None if earlier.is_empty() => Ok(()),
        None => refusal(format!(
            "{what}: a step has read a text as a number of which its separator may be a decimal sign or part thousands, and its \
             currency is not known"
        )),
    }
}

/// What a balance is put together from.
struct Parts {
    amount: Shape,
    minus: Option<Shape>,
    plus: Option<Shape>,
}

impl Parts {
    /// The same, if no part names a side of an account of which it is not clear what it means: none of them may where the sign
    /// is turned, and what is taken off may never. Where the page scales amounts, none may name its unit.
    fn checked(self, is_turned: bool, is_scaled: bool) -> Result<Parts, String> {
        let checked = |part: Shape, what: &str, may_have_side: bool| {
            let part = if may_have_side { Ok(part) } else { without_side(part) };
            let part = if is_scaled { part.and_then(without_unit) } else { part };
            part.map_err(|why| format!("{what} cannot be used: {why}"))
        };
        let minus = self.minus.map(|part| checked(part, "what is to be taken off the balance", false));
        let plus = self.plus.map(|part| checked(part, "what is to be added to the balance", !is_turned));
        Ok(Parts {
            amount: checked(self.amount, "the amount in the answer", !is_turned)?,
            minus: minus.transpose()?,
            plus: plus.transpose()?,
        })
    }

    /// What is in doubt of the texts among them until their currency is known.
    fn doubts(&self) -> Vec<Doubt> {
        [Some(&self.amount), self.minus.as_ref(), self.plus.as_ref()].into_iter().flatten().filter_map(doubt).collect()
    }

    /// The balance, and the currency that the texts of its parts name. `expected` is the currency that they may name, and who
    /// says so.
    fn sum(self, expected: Option<&(&str, String)>) -> Result<(Decimal, Option<Currency>), Failure> {
        let decode = |message: String| Failure::new(Reason::Decode, message);
        let known = expected.map(|(word, _)| *word);
        let mut sum = Decimal::ZERO;
        let mut names: Vec<Currency> = Vec::new();
        let mut named: Option<Currency> = None;
        let mut name = |currency: Currency| {
            if let Some((_, who)) = expected.filter(|(word, _)| !currency.may_be(word)) {
                return Err(another_currency(currency.label(), who));
            }
            names.push(currency);
            let together = Currency::common(&names).ok_or_else(|| {
                let (one, other) = (named.unwrap_or(names[0]).label(), currency.label());
                decode(format!("the balance is in {one}, but a part of it in {other}"))
            })?;
            named = Some(together);
            Ok(())
        };
        for (part, is_minus, what) in [
            (Some(self.amount), false, "the balance in the answer"),
            (self.minus, true, "what is to be taken off the balance"),
            (self.plus, false, "what is to be added to the balance"),
        ] {
            let Some(part) = part else {
                continue;
            };
            let (value, currency) =
                number(part, known).map_err(|why| decode(format!("{what} cannot be used: {why}")))?;
            currency.map_or(Ok(()), &mut name)?;
            let next = amount::exact::sum(sum, if is_minus { -value } else { value });
            sum = next.ok_or_else(|| decode("the balance has more than 28 digits".to_owned()))?;
        }
        Ok((sum, named))
    }
}

/// The parts of what `balance` gives, and the currency that it says.
fn parts(value: Shape) -> Result<(Parts, Option<String>), String> {
    let Shape::Object(mut fields) = value else {
        return Ok((Parts { amount: value, minus: None, plus: None }, None));
    };
    let currency = match fields.remove("currency") {
        Some(Shape::Text(currency)) if !currency.trim().is_empty() => Some(amount::fold(&currency).trim().to_owned()),
        Some(Shape::Null | Shape::Missing(_)) | None => None,
        Some(_) => return Err("the currency in the answer is no word".to_owned()),
    };
    let parts = Parts {
        amount: fields.remove("amount").unwrap_or(Shape::Null),
        minus: fields.remove("minus"),
        plus: fields.remove("plus"),
    };
    // A slip in a key must not leave a part of the balance out.
    if !fields.is_empty() {
        return Err("the balance is an object with other keys than `amount`, `minus`, `plus` and `currency`".to_owned());
    }
    Ok((parts, currency))
}

/// What the project wants, if that can be a currency or a unit. Anything else may be a secret in the wrong place.
fn configured(wanted: &str) -> String {
    if amount::is_unit(wanted) || quote_input::among(wanted, &[]).is_some() {
        format!("`currency: {wanted}` is configured")
    } else {
        "another `currency` is configured".to_owned()
    }
}

pub(super) fn another_currency(found: &str, who: &str) -> Failure {
    Failure::new(Reason::Config, format!("the balance is in {found}, but {who}"))
        .with_hint("amounts are never converted; set `currency` to what the service reports")
}
