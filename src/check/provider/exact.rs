//! Arithmetic of jq expressions with decimals that stay decimals. The jq library calculates with binary floats as soon as a
//! number has a fraction, so that 100000.30 − 100000.10 is 0.19999999999709 there, and the difference of two numbers of 21 digits
//! is 0.
//!
//! Its own numbers stay as they are; the operators of an expression are replaced by filters of ours, whose names nobody else
//! can write.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::ops::Math;
use jaq_core::path::{Part, Path};
use jaq_core::{Cv, ValXs, data};
use jaq_json::{Error, Num, Val, ValR};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::amount;

/// The name of the definition that holds the expression itself.
pub(super) const MAIN: &str = "balance_alert_main";

/// Digits that a float carries for sure.
const FLOAT_DIGITS: usize = 15;

/// The expression as a definition with exact arithmetic; none if the code is no expression.
pub(super) fn main(code: &str) -> Option<Def<&str>> {
    let body = jaq_core::load::parse(code, |parser| parser.term())?;
    Some(Def { name: MAIN, args: Vec::new(), body: term(body) })
}

/// A definition with exact arithmetic.
pub(super) fn definition(def: Def<&str>) -> Def<&str> {
    Def { body: term(def.body), ..def }
}

fn name(operation: Math) -> &'static str {
    match operation {
        Math::Add => "!add",
        Math::Sub => "!sub",
        Math::Mul => "!mul",
        Math::Div => "!div",
        Math::Rem => "!rem",
    }
}

#[allow(clippy::boxed_local, reason = "terms are boxed where they come from and where they go")]
fn boxed(inner: Box<Term<&str>>) -> Box<Term<&str>> {
    Box::new(term(*inner))
}

/// The term with its operators replaced.
fn term(whole: Term<&str>) -> Term<&str> {
    match whole {
        Term::BinOp(left, BinaryOp::Math(operation), right) => {
            Term::Call(name(operation), vec![term(*left), term(*right)])
        }
        // `a += b` is `b as $x | a |= . + $x`.
        Term::BinOp(left, BinaryOp::UpdateMath(operation), right) => {
            let variable = "$!operand";
            let sum = Term::Call(name(operation), vec![Term::Id, Term::Var(variable)]);
            let update = Term::BinOp(boxed(left), BinaryOp::Update, Box::new(sum));
            Term::BinOp(boxed(right), BinaryOp::Pipe(Some(Pattern::Var(variable))), Box::new(update))
        }
        Term::BinOp(left, operation, right) => {
            let operation = match operation {
                BinaryOp::Pipe(found) => BinaryOp::Pipe(found.map(pattern)),
                other => other,
            };
            Term::BinOp(boxed(left), operation, boxed(right))
        }
        Term::Str(format, parts) => {
            let parts = parts.into_iter().map(|part| match part {
                StrPart::Term(inner) => StrPart::Term(term(inner)),
                other => other,
            });
            Term::Str(format, parts.collect())
        }
        Term::Arr(items) => Term::Arr(items.map(boxed)),
        Term::Obj(pairs) => Term::Obj(pairs.into_iter().map(|(key, value)| (term(key), value.map(term))).collect()),
        Term::Neg(inner) => Term::Neg(boxed(inner)),
        Term::Label(label, inner) => Term::Label(label, boxed(inner)),
        Term::Fold(kind, values, found, parts) => {
            Term::Fold(kind, boxed(values), pattern(found), parts.into_iter().map(term).collect())
        }
        Term::TryCatch(inner, catch) => Term::TryCatch(boxed(inner), catch.map(boxed)),
        Term::IfThenElse(branches, otherwise) => {
            let branches = branches.into_iter().map(|(condition, then)| (term(condition), term(then)));
            Term::IfThenElse(branches.collect(), otherwise.map(boxed))
        }
        Term::Def(defs, inner) => Term::Def(defs.into_iter().map(definition).collect(), boxed(inner)),
        Term::Call(called, arguments) => Term::Call(called, arguments.into_iter().map(term).collect()),
        Term::Path(inner, Path(parts)) => {
            let parts = parts.into_iter().map(|(part, optional)| {
                let part = match part {
                    Part::Index(index) => Part::Index(term(index)),
                    Part::Range(from, to) => Part::Range(from.map(term), to.map(term)),
                };
                (part, optional)
            });
            Term::Path(boxed(inner), Path(parts.collect()))
        }
        plain @ (Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_)) => plain,
    }
}

fn pattern(whole: Pattern<&str>) -> Pattern<&str> {
    match whole {
        Pattern::Var(name) => Pattern::Var(name),
        Pattern::Arr(items) => Pattern::Arr(items.into_iter().map(pattern).collect()),
        Pattern::Obj(pairs) => Pattern::Obj(pairs.into_iter().map(|(key, item)| (term(key), pattern(item))).collect()),
    }
}

type Data = data::JustLut<Val>;

/// The filters that operators become, and those that round; the library's filters of the same names must not be there.
pub(super) fn funs() -> impl Iterator<Item = Fun<Data>> {
    let operators: [(&'static str, jaq_core::RunPtr<Data>); 5] = [
        ("!add", |cv| operate(Math::Add, cv)),
        ("!sub", |cv| operate(Math::Sub, cv)),
        ("!mul", |cv| operate(Math::Mul, cv)),
        ("!div", |cv| operate(Math::Div, cv)),
        ("!rem", |cv| operate(Math::Rem, cv)),
    ];
    let rounders: [(&'static str, jaq_core::RunPtr<Data>); 5] = [
        ("floor", |cv| round(cv, |number| number.floor(), f64::floor)),
        ("ceil", |cv| round(cv, |number| number.ceil(), f64::ceil)),
        ("trunc", |cv| round(cv, |number| number.trunc(), f64::trunc)),
        ("round", |cv| {
            round(cv, |number| number.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero), f64::round)
        }),
        ("fabs", |cv| round(cv, |number| number.abs(), f64::abs)),
    ];
    let operators = operators.into_iter().map(|(name, work)| run::<Data>((name, v(2), work)));
    operators.chain(rounders.into_iter().map(|(name, work)| run::<Data>((name, v(0), work))))
}

/// Whether the library's own filter gives way to one of ours.
pub(super) fn replaces(name: &str) -> bool {
    ["floor", "ceil", "trunc", "round", "fabs"].contains(&name)
}

fn operate<'a>(operation: Math, mut cv: Cv<'a, Data>) -> ValXs<'a, Val> {
    let right = cv.0.pop_var();
    let left = cv.0.pop_var();
    bome(match (left, right) {
        // Whole numbers are exact there, and texts, lists and objects have operators too.
        (Val::Num(left), Val::Num(right)) if !(is_whole(&left) && is_whole(&right)) || operation == Math::Div => {
            calculate(operation, left, right)
        }
        (left, right) => operation.run(left, right),
    })
}

fn is_whole(number: &Num) -> bool {
    matches!(number, Num::Int(_) | Num::BigInt(_))
}

fn calculate(operation: Math, left: Num, right: Num) -> ValR {
    let exact = decimal(&left).zip(decimal(&right)).and_then(|(left, right)| match operation {
        Math::Add => left.checked_add(right),
        Math::Sub => left.checked_sub(right),
        Math::Mul => left.checked_mul(right),
        Math::Div => left.checked_div(right),
        Math::Rem => left.checked_rem(right),
    });
    if let Some(exact) = exact {
        return Ok(value(exact));
    }
    // Infinite numbers, very large ones, and what the functions of floats give.
    let largest = float(&left).abs().max(float(&right).abs());
    let result: ValR = operation.run(Val::Num(left), Val::Num(right));
    match &result {
        Ok(Val::Num(Num::Float(float)))
            if matches!(operation, Math::Add | Math::Sub) && largest.is_finite() && float.abs() < largest * 1e-6 =>
        {
            Err(Error::str("a difference cannot be calculated exactly; give its parts as `{amount, minus}`"))
        }
        _ => result,
    }
}

/// The number, if a decimal can hold it.
fn decimal(number: &Num) -> Option<Decimal> {
    let text = number.to_string();
    if let Num::Float(_) = number {
        let digits =
            text.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).skip_while(|byte| *byte == b'0');
        let digits: Vec<u8> = digits.collect();
        let zeros = digits.iter().rev().take_while(|byte| **byte == b'0').count();
        if digits.len() - zeros > FLOAT_DIGITS {
            return None;
        }
    }
    amount::from_json_number(&text).ok()
}

fn float(number: &Num) -> f64 {
    number.to_string().parse().unwrap_or(f64::NAN)
}

fn value(number: Decimal) -> Val {
    let whole = if number.is_integer() { Num::from_str_radix(&number.normalize().to_string(), 10) } else { None };
    Val::Num(whole.unwrap_or_else(|| Num::Dec(number.to_string().into())))
}

fn round<'a>(cv: Cv<'a, Data>, exact: fn(Decimal) -> Decimal, float: fn(f64) -> f64) -> ValXs<'a, Val> {
    bome(match cv.1 {
        Val::Num(number) => Ok(match (decimal(&number), number) {
            (Some(decimal), _) => value(exact(amount::without_rest(decimal))),
            (None, Num::Float(number)) => Val::Num(Num::Float(float(number))),
            // Too large for a decimal, and a whole number, or none that could be an amount.
            (None, number) if is_whole(&number) && number < Num::Int(0) && exact(-Decimal::ONE) > Decimal::ZERO => {
                Val::Num(-number)
            }
            (None, number) if is_whole(&number) => Val::Num(number),
            (None, number) => Val::Num(Num::Float(float(self::float(&number)))),
        }),
        _ => Err(Error::str("only a number can be rounded")),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::check::provider::expression::{Expression, Shape, Variables, parse_json};

    fn run(code: &str, body: &str) -> String {
        let variables = Variables::new(Some("USD"), &BTreeMap::from([("site".to_owned(), "ai".to_owned())]));
        let expression = Expression::compile(code).unwrap_or_else(|why| panic!("{code}: {why}"));
        match expression.run(&parse_json(body.as_bytes()).unwrap(), &variables) {
            Ok(Some(Shape::Number(literal))) => literal,
            Ok(Some(Shape::Text(text))) => format!("{text:?}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn decimals_stay_decimals() {
        let body = r#"{"total": 123456789012345678901.23, "used": 123456789012345678901.22, "a": 100000.30, "b": 100000.10,
            "wei": 1234567890123456789012, "text": "12.50", "list": [0.1, 0.2, 0.3], "int": 7, "big": 12345678901234567890123}"#;
        for (code, want) in [
            (".total - .used", "0.01"),
            (".a - .b", "0.20"),
            (".used - .total", "-0.01"),
            (".total + 0.77", "123456789012345678902"),
            (".wei / 1e18", "1234.567890123456789012"),
            (".wei / pow(10; 18)", "1234.567890123456789012"),
            (".list | add", "0.6"),
            (".list | add(.[])", "0.6"),
            ("[.list[] | . * 3] | add", "1.8"),
            ("reduce .list[] as $x (0; . + $x)", "0.6"),
            ("[foreach .list[] as $x (0; . + $x)] | last", "0.6"),
            (".a -= .b | .a", "0.20"),
            (".a |= . - 0.3 | .a", "100000"),
            (".list[1] += .list[0] | .list[1]", "0.3"),
            ("0.1 + 0.2", "0.3"),
            ("1 - 0.9", "0.1"),
            ("-(0.1 + 0.2)", "-0.3"),
            ("4.35 * 100", "435"),
            ("435 / 100", "4.35"),
            ("7 / 7", "1"),
            ("(1 / 3) * 60 | floor", "20"),
            ("5.5 % 2", "1.5"),
            ("7 % 4", "3"),
            (".big - 1", "12345678901234567890122"),
            ("123456789012345678901.5 | floor", "123456789012345678901"),
            ("-123456789012345678901.5 | fabs", "123456789012345678901.5"),
            ("2.5 | round", "3"),
            ("-2.5 | round", "-3"),
            ("2.1 | ceil", "3"),
            ("-2.9 | trunc", "-2"),
            ("def f($x): $x - 0.1; f(0.3)", "0.2"),
            ("if .a - .b > 0.1 then .a - .b else 0 end", "0.20"),
            ("try (.a - .b) catch 0", "0.20"),
            ("[.a - .b] | .[0]", "0.20"),
            ("{x: (.a - .b)} | .x", "0.20"),
            (". as {a: $a, b: $b} | $a - $b", "0.20"),
            (". as {(\"a\" + \"\"): $a} | $a - 0.3", "100000"),
            (".list[1 - 0.9 | ceil] ", "0.2"),
            ("label $out | (.a - .b), break $out | . + 0", "0.20"),
            ("\"\\(.a - .b)\"", "\"0.20\""),
            ("\"a\" + \"b\"", "\"ab\""),
            ("$currency + $options.site", "\"USDai\""),
            ("\"ab\" * 2", "\"abab\""),
            ("[1,2,3] - [2] | length", "2"),
            ("{} + {a: 1.5} | .a", "1.5"),
            ("null + 0.5", "0.5"),
            ("\"a,b\" / \",\" | .[1]", "\"b\""),
            (".total | tostring", "\"123456789012345678901.23\""),
        ] {
            assert_eq!(run(code, body), want, "{code}");
        }
    }

    #[test]
    fn what_no_decimal_can_hold_stays_a_float_or_is_refused() {
        for (code, want) in [
            ("1 / 0", "Ok(Some(Float(inf)))"),
            ("-1 / 0.0", "Ok(Some(Float(-inf)))"),
            ("infinite - 1.5", "Ok(Some(Float(inf)))"),
            ("1e300 * 10", "Ok(Some(Float(1e301)))"),
            ("1.5e40 | floor | . > 1e40", "Ok(Some(Bool(true)))"),
        ] {
            assert_eq!(run(code, "{}"), want, "{code}");
        }
        assert!(run("nan + 1.5", "{}").contains("NaN"));
        for code in ["1e300 - 1e300", "(2 | sqrt) - 1.41421356237309505", "{} - 1.5", "\"a\" | floor"] {
            assert!(run(code, "{}").starts_with("Err"), "{code}: {}", run(code, "{}"));
        }
    }

    #[test]
    fn nobody_else_can_name_the_filters_of_operators() {
        for code in ["!add(1; 2)", "$!operand", "balance_alert_main"] {
            assert!(Expression::compile(code).is_err(), "{code}");
        }
        assert_eq!(Expression::compile("foo + 1").err().unwrap(), "`foo` is not known");
    }
}
