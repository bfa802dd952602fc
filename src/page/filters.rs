//! The filters that an expression may use: a list of what is allowed, so that no version of the library can add one that
//! ends the process, reads its environment, its clock or its input, or writes to its streams.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use base64::Engine;
use jaq_core::box_iter::box_once;
use jaq_core::load::parse::Def;
use jaq_core::native::{Filter, Fun, bome, run, unary, v};
use jaq_core::{Bind, Cv, Exn, RunPtr, ValR, ValT};
use percent_encoding::{percent_decode_str, utf8_percent_encode};
use rust_decimal::Decimal;

use super::memory::Held;
use super::number::{self, Number};
use super::value::{Error, ITEM, Piece, Value, bytes_of_field};
use super::{Jq, json, meter, syntax};
use crate::model::amount::Doubt;
use crate::model::{amount, text};

/// What is taken from the library's core: the name and how many arguments.
const CORE: [(&str, usize); 7] =
    [("error_empty", 0), ("keys_unsorted", 0), ("key_values", 0), ("first", 1), ("last", 1), ("limit", 2), ("skip", 2)];

/// What is taken from its standard library.
const STANDARD: [(&str, usize); 8] = [
    ("utf8bytelength", 0),
    ("explode", 0),
    ("reverse", 0),
    ("startswith", 1),
    ("endswith", 1),
    ("trim", 0),
    ("ltrim", 0),
    ("rtrim", 0),
];

/// What is defined here in jq.
const OWN: &str = r#"
def toboolean: if . == true or . == false then . elif . == "true" then true elif . == "false" then false
    else error("it cannot be read as true or false") end;
def transpose: [range([.[] | length] | max // 0) as $i | [.[][$i]]];
def in(xs): . as $x | xs | has($x);
def inside(xs): . as $x | xs | contains($x);
def index($i): indices($i) | if . == null then . elif . == [] then nothing_ else .[0] end;
def rindex($i): indices($i) | if . == null then . elif . == [] then nothing_ else .[-1] end;
def IN(s): any(s == .; .);
def IN(xs; s): any(xs == s; .);
def INDEX(xs; f): reduce xs as $x ({}; .[$x | f | tostring] = $x);
def INDEX(f): INDEX(.[]; f);
def toarray: if isarray then . else [.] end;
def trimstr($s): ltrimstr($s) | rtrimstr($s);
def ascii: [.] | implode;
def leaf_paths: paths(scalars);
def with_entries(f): map_values(empty) + (to_entries | map(f) | from_entries);
def pick(f): reduce path_value(f) as [$path, $value] (if isobject then map_values(empty) else {} end;
    . * reduce ($path | reverse[]) as $p ($value; {($p): .}));
def isinfinite: . == infinite or . == -infinite;
def finites: select(isnumber and (isinfinite or isnan | not));
def sub(re; f; flags): . as $whole
    | reduce split_matches(re; flags)[] as $x (""; . + ($x | if isarray then capture_of_match | f end)) | cut_of_($whole; [$whole | re]);
def gsub(re; f; flags): sub(re; f; "g" + flags);
def sub(re; f): sub(re; f; "");
def gsub(re; f): sub(re; f; "g");
def @json: tojson;
def @csv: map(if isarray or isobject then error("a list or object cannot stand in a line of CSV")
    elif isstring then "\"" + (. / "\"" | join("\"\"")) + "\"" elif . == null then "" else tojson end) | join(",");
def @tsv: map(if isarray or isobject then error("a list or object cannot stand in a line of TSV")
    elif isstring then . / "\\" | join("\\\\") / "\t" | join("\\t") / "\n" | join("\\n") / "\r" | join("\\r")
    elif . == null then "" else tojson end) | join("\t");
"#;

/// Longest text that a pattern is tried on, in bytes: the time is that times the size of the pattern.
const LONGEST_MATCHED: usize = 64 * 1024;
/// Largest compiled pattern, in bytes.
const LARGEST_PATTERN: usize = 64 * 1024;
/// A compiled pattern with which nearly all make do, in bytes.
const SMALL_PATTERN: usize = 1024;
/// Bytes of a compiled pattern for one of its states, about.
const STATE: usize = 32;
/// Most states of a pattern times bytes of the text that it is tried on. To go through the text once takes as many steps at
/// the worst, a second or two, and nothing can interrupt it.
const MOST_MATCHING: usize = 16 * 1024 * 1024;

/// All filters that are not defined in jq.
pub(crate) fn filters() -> impl Iterator<Item = Fun<Jq>> {
    let allowed = |list: &'static [(&str, usize)]| move |fun: &Fun<Jq>| list.contains(&(fun.0, fun.1.len()));
    let core = jaq_core::funs::<Jq>().filter(allowed(&CORE));
    core.chain(jaq_std::base_funs::<Jq>().filter(allowed(&STANDARD))).chain(own().into_iter().map(run::<Jq>))
}

/// What jq defines in jq, as far as it needs only what is allowed.
pub(crate) fn definitions() -> &'static [Def<&'static str>] {
    static ALL: LazyLock<Vec<Def<&'static str>>> = LazyLock::new(|| {
        let natives: BTreeSet<(&str, usize)> = filters().map(|fun| (fun.0, fun.1.len())).collect();
        let own = jaq_core::load::parse(OWN, |parser| parser.defs()).unwrap_or_default();
        let own_names: BTreeSet<(&str, usize)> = own.iter().map(|def| (def.name, def.args.len())).collect();
        let mut known = natives.clone();
        let mut kept: Vec<Def<&'static str>> = Vec::new();
        for def in
            jaq_core::defs().chain(jaq_std::defs()).filter(|def| !own_names.contains(&(def.name, def.args.len())))
        {
            let name = (def.name, def.args.len());
            // A filter of ours stands for a definition; and what needs a filter that is not allowed is not known either.
            if !natives.contains(&name) && syntax::calls(&def).all(|call| call == name || known.contains(&call)) {
                known.insert(name);
                kept.push(def);
            }
        }
        kept.extend(own);
        kept
    });
    &ALL
}

/// A filter of texts.
fn of_text(value: Value, change: impl FnOnce(&str) -> String) -> ValR<Value> {
    match value.as_text() {
        Some(text) => {
            let changed = change(text);
            Ok(value.derived(changed))
        }
        None => Err(Error::typ(value, "text")),
    }
}

/// A filter of numbers that is exact on decimals.
fn rounded(value: Value, exact: fn(&Decimal) -> Decimal, float: fn(f64) -> f64) -> ValR<Value> {
    match value {
        Value::Number(number) if number.is_long() => Err(Error::str(number::LONG)),
        Value::Number(number) => Ok(Value::Number(number.round_with(exact, float))),
        other => Err(Error::typ(other, "number")),
    }
}

/// A filter of numbers that is not.
fn float(value: Value, change: impl FnOnce(f64) -> f64) -> ValR<Value> {
    match value {
        Value::Number(number) => Ok(Value::from(change(to_float(number)?))),
        other => Err(Error::typ(other, "number")),
    }
}

/// The number as such a filter takes it.
fn to_float(number: Number) -> Result<f64, Error> {
    number.to_float().ok_or_else(|| Error::str(number::LONG_FOR_FLOATS))
}

fn is_nan(value: Value) -> ValR<Value> {
    match value {
        Value::Number(number) => Ok(number.as_f64().is_nan().into()),
        other => Err(Error::typ(other, "number")),
    }
}

fn own() -> Box<[Filter<RunPtr<Jq>>]> {
    let f = || [Bind::Fun(())].into();
    Box::new([
        ("null", v(0), |_| bome(Ok(Value::NULL))),
        ("nothing_", v(0), |_| bome(Ok(Value::nothing("what `index` looks for is not there")))),
        ("add", f(), sum),
        ("range", v(3), |mut cv| {
            let by = cv.0.pop_var();
            let to = cv.0.pop_var();
            let from = cv.0.pop_var();
            range(from, to, by)
        }),
        ("path", f(), |cv| paths(cv, |path, _| path)),
        ("path_value", f(), |cv| paths(cv, |path, value| [path, value].into_iter().collect())),
        ("ascii_downcase", v(0), |cv| bome(of_text(cv.1, str::to_ascii_lowercase))),
        ("ascii_upcase", v(0), |cv| bome(of_text(cv.1, str::to_ascii_uppercase))),
        ("cut_of_", v(2), |mut cv| {
            let written = cv.0.pop_var();
            let whole = cv.0.pop_var();
            bome(Ok(cv.1.cut_of(&whole, &written)))
        }),
        ("ltrimstr", v(1), |cv| {
            let rest = |text: &str, start: &str| text.strip_prefix(start).map(|_| start.len()..text.len());
            unary(cv, move |text, start| trimmed(text, start, rest))
        }),
        ("rtrimstr", v(1), |cv| {
            let rest = |text: &str, end: &str| text.strip_suffix(end).map(|left| 0..left.len());
            unary(cv, move |text, end| trimmed(text, end, rest))
        }),
        ("length", v(0), |cv| bome(cv.1.length())),
        ("contains", v(1), |cv| unary(cv, |value, part| Ok(value.contains(&part).into()))),
        ("has", v(1), |cv| unary(cv, |value, key| value.has(&key))),
        ("indices", v(1), |cv| unary(cv, |value, part| value.indices(&part))),
        ("keys", v(0), |cv| bome(keys(cv.1))),
        ("sort", v(0), |cv| bome(sorted(cv.1))),
        ("from_entries", v(0), |cv| bome(from_entries(cv.1))),
        ("sort_by", f(), |cv| box_once(ordered(cv).map(values))),
        ("group_by", f(), |cv| box_once(grouped(cv, |group| group.iter().map(|(_, item, _)| item.clone()).collect()))),
        ("unique_by", f(), |cv| box_once(grouped(cv, |group| group[0].1.clone()))),
        // Of several that are equal the first is the least, and the last the largest.
        ("min_by", f(), |cv| extreme(cv, |keyed| keyed.into_iter().min_by(by_key))),
        ("max_by", f(), |cv| extreme(cv, |keyed| keyed.into_iter().max_by(by_key))),
        // The library asks for the kind of a value by its order, which refuses what has none.
        ("type", v(0), |cv| bome(Ok(Value::own(kind(&cv.1).to_owned())))),
        ("isboolean", v(0), |cv| is_kind(cv, "boolean")),
        ("isnumber", v(0), |cv| is_kind(cv, "number")),
        ("isstring", v(0), |cv| is_kind(cv, "string")),
        ("isarray", v(0), |cv| is_kind(cv, "array")),
        ("isobject", v(0), |cv| is_kind(cv, "object")),
        ("tojson", v(0), |cv| bome(Ok(cv.1.written()))),
        ("fromjson", v(0), |cv| bome(from_json(cv.1))),
        ("tonumber", v(0), |cv| bome(to_number(cv.1))),
        ("implode", v(0), |cv| bome(implode(cv.1))),
        ("floor", v(0), |cv| bome(rounded(cv.1, Decimal::floor, f64::floor))),
        ("ceil", v(0), |cv| bome(rounded(cv.1, Decimal::ceil, f64::ceil))),
        ("trunc", v(0), |cv| bome(rounded(cv.1, Decimal::trunc, f64::trunc))),
        ("round", v(0), |cv| {
            let exact = |number: &Decimal| {
                number.round_dp_with_strategy(0, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
            };
            bome(rounded(cv.1, exact, f64::round))
        }),
        ("abs", v(0), |cv| bome(rounded(cv.1, Decimal::abs, f64::abs))),
        ("fabs", v(0), |cv| bome(rounded(cv.1, Decimal::abs, f64::abs))),
        ("sqrt", v(0), |cv| bome(float(cv.1, f64::sqrt))),
        ("log", v(0), |cv| bome(float(cv.1, f64::ln))),
        ("log2", v(0), |cv| bome(float(cv.1, f64::log2))),
        ("log10", v(0), |cv| bome(float(cv.1, f64::log10))),
        ("exp", v(0), |cv| bome(float(cv.1, f64::exp))),
        ("exp2", v(0), |cv| bome(float(cv.1, f64::exp2))),
        ("exp10", v(0), |cv| bome(float(cv.1, |exponent| 10_f64.powf(exponent)))),
        ("pow", v(2), |mut cv| {
            let exponent = cv.0.pop_var();
            let base = cv.0.pop_var();
            bome(power(base, exponent))
        }),
        ("nan", v(0), |_| bome(Ok(Value::from(f64::NAN)))),
        ("infinite", v(0), |_| bome(Ok(Value::from(f64::INFINITY)))),
        ("isnan", v(0), |cv| bome(is_nan(cv.1))),
        ("escape_sh", v(0), |cv| bome(of_text(cv.1, |text| text.replace('\'', "'\\''")))),
        ("escape_html", v(0), |cv| {
            let escape = |text: &str| {
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                text.replace('\'', "&#39;").replace('"', "&quot;")
            };
            bome(of_text(cv.1, escape))
        }),
        ("encode_uri", v(0), |cv| bome(of_text(cv.1, |text| utf8_percent_encode(text, text::UNRESERVED).to_string()))),
        ("decode_uri", v(0), |cv| {
            bome(match cv.1.as_text() {
                Some(text) => Ok(cv.1.decoded(percent_decode_str(text).decode_utf8_lossy().into_owned())),
                None => Err(Error::typ(cv.1, "text")),
            })
        }),
        ("encode_base64", v(0), |cv| {
            bome(of_text(cv.1, |text| base64::engine::general_purpose::STANDARD.encode(text)))
        }),
        ("decode_base64", v(0), |cv| bome(decode_base64(cv.1))),
        ("matches", v(2), |cv| bome(matched(cv, false, true))),
        ("split_matches", v(2), |cv| bome(matched(cv, true, true))),
        ("split_", v(2), |cv| bome(matched(cv, true, false))),
    ])
}

/// The sum of what a filter gives. Of nothing it is null, which is not zero where it is calculated with.
fn sum(mut cv: Cv<Jq>) -> jaq_core::ValXs<Value> {
    let (filter, context) = cv.0.pop_fun();
    let sum = filter.run((context, cv.1.clone())).try_fold(None, |sum: Option<Value>, next| match sum {
        None => next.map(Some),
        Some(sum) => sum.add_next(next?).map(Some).map_err(Exn::from),
    });
    box_once(sum.map(|sum| sum.unwrap_or_else(|| cv.1.no_sum())))
}

/// The numbers from one to before another.
fn range<'a>(from: Value, to: Value, by: Value) -> jaq_core::ValXs<'a, Value> {
    let number = |value: Value| match value {
        Value::Number(number) => Ok(number),
        other => Err(Exn::from(Error::typ(other, "number"))),
    };
    let (from, to, by) = match (number(from), number(to), number(by)) {
        (Ok(from), Ok(to), Ok(by)) => (from, to, by),
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => return box_once(Err(error)),
    };
    let is_falling = by < Number::from(0);
    let mut next = from;
    Box::new(std::iter::from_fn(move || {
        meter::spend(1);
        let here = next;
        next = here.plus(by).unwrap_or(to);
        let is_within = if is_falling { here > to } else { here < to };
        is_within.then_some(Ok(Value::Number(here)))
    }))
}

/// What jq calls the kind of a value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null(_) => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::Text(_) => "string",
        Value::List(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_kind<'a>(cv: Cv<'a, Jq>, wanted: &str) -> jaq_core::ValXs<'a, Value> {
    bome(Ok((kind(&cv.1) == wanted).into()))
}

/// An object of a list of keys and values. What it lacks is missing, as in the object of which the list was made.
fn from_entries(value: Value) -> ValR<Value> {
    let (key, content) = (Value::own("key".to_owned()), Value::own("value".to_owned()));
    let (items, mut held) = items(value)?;
    let fields = items.into_iter().map(|entry| {
        meter::spend(4);
        let name = entry.clone().index(&key)?;
        let Some(text) = name.as_text() else { return Err(Error::typ(name, "key")) };
        meter::spend_text(text.len());
        held.grow(bytes_of_field(text));
        Ok((text.into(), entry.index(&content)?))
    });
    Ok(Value::changed(fields.collect::<Result<Vec<_>, Error>>()?, None))
}

/// An item with what it is ordered by, and what both hold.
type Keyed = (Vec<Value>, Value, Held);

/// Bytes of memory of an item with what it is ordered by: the entry, and the smallest list, as it grows.
const KEYED: usize = 2 * size_of::<Keyed>() + 4 * ITEM;

fn by_key(left: &Keyed, right: &Keyed) -> Ordering {
    left.0.cmp(&right.0)
}

/// The items, in their order.
fn values(keyed: Vec<Keyed>) -> Value {
    keyed.into_iter().map(|(_, item, _)| item).collect()
}

/// The items of a list, and what they hold beside it.
fn items(value: Value) -> Result<(Vec<Value>, Held), Error> {
    let held = Held::of(value.items().map_or(0, |items| items.len() * ITEM));
    Ok((value.met().ok_or_else(|| Error::typ(value, "array"))?, held))
}

/// The items of a list, each with what a filter gives for it.
fn keyed<'a>(mut cv: Cv<'a, Jq>) -> Result<Vec<Keyed>, Exn<'a, Value>> {
    let (filter, context) = cv.0.pop_fun();
    let (items, _held) = items(cv.1)?;
    let keyed = |item: Value| {
        let (mut held, mut key) = (Held::of(KEYED), Vec::new());
        for value in filter.run((context.clone(), item.clone())) {
            held.grow(2 * ITEM);
            key.push(value?);
        }
        Ok((key, item, held))
    };
    items.into_iter().map(keyed).collect()
}

/// Refuses what has no order among numbers, also where no two of them happen to be compared: a null of the answer is unknown,
/// and not less than all numbers, and a text of it is not more.
fn refuse_mixed<'v>(keys: impl Iterator<Item = &'v Value> + Clone) {
    let number = keys.clone().find(|key| matches!(key, Value::Number(_)));
    if let Some(number) = number {
        for key in keys.filter(|key| !matches!(key, Value::Number(_))) {
            let _ = number.cmp(key);
        }
    }
}

fn of_keys(keyed: &[Keyed]) -> impl Iterator<Item = &Value> + Clone {
    keyed.iter().flat_map(|(key, ..)| key)
}

fn ordered<'a>(cv: Cv<'a, Jq>) -> Result<Vec<Keyed>, Exn<'a, Value>> {
    let mut keyed = keyed(cv)?;
    refuse_mixed(of_keys(&keyed));
    meter::sorting(|| keyed.sort_by(by_key));
    Ok(keyed)
}

fn sorted(value: Value) -> ValR<Value> {
    let (mut items, _held) = items(value)?;
    refuse_mixed(items.iter());
    meter::sorting(|| items.sort());
    Ok(items.into_iter().collect())
}

/// The least or the largest item; what is missing if there is none.
fn extreme<'a>(cv: Cv<'a, Jq>, choose: fn(Vec<Keyed>) -> Option<Keyed>) -> jaq_core::ValXs<'a, Value> {
    let list = cv.1.clone();
    box_once(keyed(cv).map(|keyed| {
        refuse_mixed(of_keys(&keyed));
        meter::sorting(|| choose(keyed)).map_or_else(|| list.nothing_in(), |(_, item, _)| item)
    }))
}

/// Sorts what is only told apart, and says whether the order can be relied on.
fn sort_for_groups<T>(items: &mut [T], compare: fn(&T, &T) -> Ordering) -> bool {
    let ((), is_ordered) = meter::in_any_order(|| items.sort_by(compare));
    if is_ordered {
        meter::sorting(|| items.sort_by(compare));
    }
    is_ordered
}

/// What `make` makes of each group of items with the same key. The groups have no order that could be relied on where keys are
/// numbers that are texts.
fn grouped<'a>(cv: Cv<'a, Jq>, make: fn(&[Keyed]) -> Value) -> Result<Value, Exn<'a, Value>> {
    let mut keyed = keyed(cv)?;
    let ((), is_sound) = meter::in_any_order(|| refuse_mixed(of_keys(&keyed)));
    let is_ordered = sort_for_groups(&mut keyed, by_key) && is_sound;
    let groups: Value = keyed.chunk_by(|left, right| left.0 == right.0).map(make).collect();
    Ok(if is_ordered { groups } else { groups.unordered() })
}

fn keys(value: Value) -> ValR<Value> {
    let mut keys = value.key_values().map(|entry| Ok(entry?.0)).collect::<Result<Vec<Value>, Error>>()?;
    let is_ordered = sort_for_groups(&mut keys, Value::cmp);
    let keys: Value = keys.into_iter().collect();
    Ok(if is_ordered { keys } else { keys.unordered() })
}

/// The paths that a filter follows, as `make` puts each together with what stands there.
fn paths<'a>(mut cv: Cv<'a, Jq>, make: fn(Value, Value) -> Value) -> jaq_core::ValXs<'a, Value> {
    let (filter, context) = cv.0.pop_fun();
    let mut found = meter::in_path(|| filter.paths((context, (cv.1, Default::default()))));
    let next = move || meter::in_path(|| found.next());
    Box::new(std::iter::from_fn(next).map(move |found| {
        let (value, path) = found?;
        let mut steps: Vec<Value> = path.iter().cloned().collect();
        steps.reverse();
        Ok(make(steps.into_iter().collect(), value))
    }))
}

/// Refuses what only looks like a number, as a piece of one does.
fn refuse_no_number(value: &Value) -> Result<(), Error> {
    match value.no_number() {
        Some(why) => Err(Error::str(format_args!("a text cannot be read as a number: {why}"))),
        None => Ok(()),
    }
}

fn from_json(value: Value) -> ValR<Value> {
    let Some(text) = value.as_text() else {
        return Err(Error::typ(value, "text"));
    };
    meter::spend(text.len() / 4);
    refuse_no_number(&value)?;
    match json::text(text, value.is_foreign()) {
        // What was cut out of a number is that also as a text in a text.
        Ok(Value::Text(inner)) if value.is_foreign() => Ok(value.derived(inner.as_str().to_owned())),
        Ok(read) => Ok(read),
        Err(why) => Err(Error::str(format_args!("a text is not JSON: {why}"))),
    }
}

/// A number as jq reads it, and separators as the program reads them: `10,000.00`. Currencies and units are refused, as
/// they would be lost. What a separator means in the currency of the balance is looked at when that is known.
fn to_number(value: Value) -> ValR<Value> {
    let Some(text) = value.as_text() else {
        return match value {
            Value::Number(_) => Ok(value),
            other => Err(Error::typ(other, "number")),
        };
    };
    meter::spend(text.len() / 4);
    refuse_no_number(&value)?;
    if text.len() <= amount::LONGEST
        && let Some(doubt) = Doubt::of(text)
    {
        meter::note_doubt(doubt);
    }
    match json::text(text, false) {
        Ok(Value::Number(number)) if number.is_long() => return Err(Error::str(number::LONG)),
        Ok(number @ Value::Number(_)) => return Ok(number),
        _ => {}
    }
    if text
        .chars()
        .any(|c| !c.is_ascii_digit() && !c.is_whitespace() && !matches!(c, '.' | ',' | '+' | '-' | '\u{2212}'))
    {
        let why =
            if text.chars().any(|c| c.is_ascii_digit()) { "it holds more than a number" } else { "it holds no number" };
        return Err(Error::str(format_args!("a text cannot be read as a number: {why}")));
    }
    match amount::parse(text) {
        Ok(number) => Ok(Value::Number(Number::Decimal(number))),
        Err(why) => Err(Error::str(format_args!("a text cannot be read as a number: {why}"))),
    }
}

fn implode(value: Value) -> ValR<Value> {
    let characters = value.items().map(|items| {
        let character = |item: &Value| char::from_u32(u32::try_from(jaq_std::ValT::as_isize(item)?).ok()?);
        items.iter().map(character).collect::<Option<String>>()
    });
    match characters {
        Some(Some(text)) => Ok(Value::of_characters(text)),
        Some(None) => Err(Error::str("a list is not one of characters")),
        None => Err(Error::typ(value, "list of characters")),
    }
}

/// A text without what it begins or ends with, if it does.
fn trimmed(value: Value, by: Value, rest: fn(&str, &str) -> Option<std::ops::Range<usize>>) -> ValR<Value> {
    let (Some(text), Some(part)) = (value.as_text(), by.as_text()) else {
        let wrong = if value.as_text().is_none() { value } else { by };
        return Err(Error::typ(wrong, "string"));
    };
    Ok(match rest(text, part) {
        Some(range) => value.found(&Piece::beside(range, part)),
        None => value,
    })
}

fn power(base: Value, exponent: Value) -> ValR<Value> {
    match (&base, &exponent) {
        (Value::Number(base), Value::Number(exponent)) => {
            // Powers of ten scale a balance, so they are exact.
            let exact = base.as_isize().filter(|base| *base == 10).and(exponent.as_isize());
            if let Some(places) = exact.and_then(|n| i32::try_from(n).ok()).filter(|n| (-28..=28).contains(n)) {
                return Ok(Value::Number(Number::from_json(&format!("1e{places}"))));
            }
            Ok(Value::from(to_float(*base)?.powf(to_float(*exponent)?)))
        }
        (Value::Number(_), _) => Err(Error::typ(exponent, "number")),
        _ => Err(Error::typ(base, "number")),
    }
}

fn decode_base64(value: Value) -> ValR<Value> {
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let decoded = value.as_text().map(|text| GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(text));
    match decoded {
        Some(Ok(bytes)) => Ok(value.decoded(String::from_utf8_lossy(&bytes).into_owned())),
        Some(Err(_)) => Err(Error::str("a text is not base64")),
        None => Err(Error::typ(value, "text")),
    }
}

/// Compiles a pattern, and says how many states it has, at the most. The library does not tell, but it refuses what is larger
/// than a limit, so the limit grows until the pattern fits.
fn compiled(builder: &mut regex_lite::RegexBuilder) -> Result<(regex_lite::Regex, usize), Error> {
    let mut limit = SMALL_PATTERN;
    loop {
        match builder.size_limit(limit).build() {
            Ok(pattern) => return Ok((pattern, limit / STATE)),
            Err(_) if limit < LARGEST_PATTERN => limit *= 2,
            Err(why) => return Err(Error::str(format_args!("a pattern is wrong: {why}"))),
        }
    }
}

/// What a pattern finds in a text: the parts between the matches, the matches, or both, in their order.
fn matched(mut cv: Cv<Jq>, between: bool, found: bool) -> ValR<Value> {
    let flags = cv.0.pop_var();
    let pattern = cv.0.pop_var();
    let Some(flags) = flags.as_text() else { return Err(Error::typ(flags, "text")) };
    let Some(pattern) = pattern.as_text() else { return Err(Error::typ(pattern, "text")) };
    let Some(text) = cv.1.as_text() else { return Err(Error::typ(cv.1, "text")) };
    let written = pattern;
    if text.len() > LONGEST_MATCHED {
        return Err(Error::str("a text is too long for a pattern"));
    }
    meter::spend(50 + pattern.len());
    let (mut all, mut skips_empty) = (false, false);
    let mut builder = regex_lite::RegexBuilder::new(pattern);
    for flag in flags.chars() {
        match flag {
            'g' => all = true,
            'n' => skips_empty = true,
            'i' => drop(builder.case_insensitive(true)),
            'x' => drop(builder.ignore_whitespace(true)),
            's' => drop(builder.dot_matches_new_line(true)),
            'm' => drop(builder.multi_line(true)),
            'p' => drop(builder.multi_line(true).dot_matches_new_line(true)),
            'l' => drop(builder.swap_greed(true)),
            _ => return Err(Error::str("a pattern has a flag that is not known")),
        }
    }
    let (pattern, size) = compiled(&mut builder)?;
    if size * text.len() > MOST_MATCHING {
        return Err(Error::str("a pattern is too large for a text of this length"));
    }
    meter::spend_bytes(size * text.len());
    let names: Vec<Option<&str>> = pattern.capture_names().collect();
    let part = |range: std::ops::Range<usize>| cv.1.found(&Piece::beside(range, written));
    let mut parts: Vec<ValR<Value>> = Vec::new();
    let (mut end, mut counted, mut characters) = (0, 0, 0);
    for captures in pattern.captures_iter(text) {
        meter::look_at_clock();
        let Some(whole) = captures.get(0) else { continue };
        if skips_empty && whole.is_empty() {
            continue;
        }
        if between {
            parts.push(Ok(part(end..whole.start())));
            end = whole.end();
        }
        if found {
            // What stands before the match is counted once, and not for each match again.
            characters += text[counted..whole.start()].chars().count();
            counted = whole.start();
            let others: Vec<_> = captures.iter().skip(1).flatten().map(|other| other.range()).collect();
            let groups = captures.iter().zip(&names).filter_map(|(group, name)| Some((group?, name)));
            let groups = groups.map(|(group, name)| {
                let own = |name: &str| Value::own(name.to_owned());
                let found = Piece { range: group.range(), matched_from: Some(whole.start()), others: &others, written };
                let fields = [
                    (own("offset"), Value::from(characters + text[counted..group.start()].chars().count())),
                    (own("length"), Value::from(group.as_str().chars().count())),
                    (own("string"), cv.1.found(&found)),
                ];
                Value::from_map(fields.into_iter().chain(name.map(|name| (own("name"), own(name)))))
            });
            parts.push(groups.collect());
        }
        if !all {
            break;
        }
    }
    if between {
        parts.push(Ok(part(end..text.len())));
    }
    parts.into_iter().collect()
}
