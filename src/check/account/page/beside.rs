//! What an answer tells beside the balance: the total, what was used, what is frozen, what expires, when a quota refills.
//!
//! None of it can spoil a balance: what cannot be read is not known, and the log says why.

use rust_decimal::Decimal;

use super::Page;
use super::balance::certain;
use super::number::{in_currency, moment, plain, without_side, without_unit};
use crate::check::{Beside, Expiring};
use crate::model::amount;
use crate::model::text;
use crate::page::expression::{Expression, Json, Shape, Variables};

/// Most credits that are looked at.
const MOST_CREDITS: usize = 100;
/// Longest name of a credit, in characters.
const LONGEST_NAME: usize = 60;

/// The compiled expressions.
pub(super) struct BesideReader {
    pub(super) total: Option<Expression>,
    pub(super) usage: Option<Expression>,
    pub(super) frozen: Option<Expression>,
    pub(super) resets_at: Option<Expression>,
    pub(super) expires: Option<Expression>,
}

impl Page {
    /// What is read beside a balance. Amounts are scaled like it, and are in its `currency`.
    pub(super) fn beside(
        &self,
        reader: &BesideReader,
        body: &Json,
        variables: &Variables,
        currency: Option<&str>,
    ) -> Beside {
        let known = currency.or(self.known_currency(variables));
        let scaled = |value: Decimal| {
            let scale = self.scale.as_ref().map_or(Decimal::ONE, |scale| scale.0);
            amount::exact::product(value, scale).ok_or_else(|| "it has more than 28 digits".to_owned())
        };
        let unscaled = |shape: Shape| if self.scale.is_some() { without_unit(shape) } else { Ok(shape) };
        let read_credit = |shape: Shape| scaled(in_currency(unscaled(shape)?, known)?);
        // Of what was used or is frozen, and where the sign is turned, nobody knows what the side of an account means.
        let read = |shape: Shape| read_credit(without_side(shape)?);
        let value = |field: &str, expression: &Option<Expression>| {
            let expression = expression.as_ref()?;
            let taken = expression.run_in_any_order(body, variables).map_err(|trouble| trouble.message);
            let shape = taken.and_then(|taken| certain(taken, known));
            self.known_or_logged(field, shape.map(|shape| shape.filter(is_there)))?
        };
        let amount = |field: &str, expression: &Option<Expression>, has_side: bool| {
            let value = value(field, expression);
            let read = value.map(|shape| if has_side { read_credit(shape) } else { read(shape) });
            self.known_or_logged(field, read.transpose())?
        };
        let resets_at = value("resets_at", &reader.resets_at).map(moment).transpose();
        let expires = reader.expires.as_ref().map(|expression| {
            let credits = expression.all(body, variables, MOST_CREDITS).map_err(|trouble| trouble.message);
            credits.and_then(|credits| {
                let read = |credit| expiring(credit, &read);
                credits.into_iter().filter(is_there).map(read).collect::<Result<Vec<_>, _>>()
            })
        });
        Beside {
            // It is credit like the balance, and has its sign.
            total: amount("total", &reader.total, !self.inverted).map(|total| self.turned(total)),
            usage: amount("usage", &reader.usage, false),
            frozen: amount("frozen", &reader.frozen, false),
            resets_at: self.known_or_logged("resets_at", resets_at).flatten().flatten(),
            expires: self.known_or_logged("expires", expires.transpose()).flatten().unwrap_or_default(),
        }
    }

    fn known_or_logged<T>(&self, field: &str, read: Result<T, String>) -> Option<T> {
        read.inspect_err(|why| log::info!("the page of `{}` could not read `{field}`: {why}", self.id)).ok()
    }
}

fn is_there(shape: &Shape) -> bool {
    !matches!(shape, Shape::Null | Shape::Missing(_))
}

/// One credit that expires.
fn expiring(credit: Shape, amount: &dyn Fn(Shape) -> Result<Decimal, String>) -> Result<Expiring, String> {
    let Shape::Object(mut fields) = credit else {
        return Err("it is no `{credit, amount, date}`".to_owned());
    };
    let name = match fields.remove("credit") {
        Some(Shape::Text(name)) => Some(text::one_line(&name, LONGEST_NAME)),
        _ => None,
    };
    let amount = fields.remove("amount").filter(is_there).map(amount).transpose()?;
    let date = moment(fields.remove("date").unwrap_or(Shape::Null))?;
    Ok(Expiring { credit: name, amount, date })
}

/// Whether an expression says that something is so.
///
/// # Errors
/// That it says neither, without its value.
pub(super) fn is_true(shape: Option<Shape>) -> Result<bool, String> {
    match shape {
        Some(Shape::Bool(is_true)) => Ok(is_true),
        None | Some(Shape::Null | Shape::Missing(_)) => Ok(false),
        Some(Shape::Text(_)) => Err("it is a text, and neither true nor false".to_owned()),
        Some(other) => plain(other, None).map_or_else(Err, |_| Err("it is neither true nor false".to_owned())),
    }
}
