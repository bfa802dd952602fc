//! The filters that an expression may use: a list of what is allowed, so that no version of the library can add one that
//! ends the process, reads its environment, its clock or its input, or writes to its streams.

mod lists;
mod numbers;
mod patterns;
mod texts;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use base64::Engine;
use jaq_core::box_iter::box_once;
use jaq_core::load::parse::Def;
use jaq_core::native::{Filter, Fun, bome, run, unary, v};
use jaq_core::{Bind, Cv, RunPtr};
use percent_encoding::{percent_decode_str, utf8_percent_encode};
use rust_decimal::Decimal;

use self::lists::{by_key, extreme, from_entries, grouped, keys, ordered, sorted, sum, values};
use self::numbers::{float, from_json, is_nan, power, range, rounded, to_number};
use self::patterns::matched;
use self::texts::{ENDS_OF_PARAMETER, byte_length, decode_base64, explode, implode, of_text, trimmed};
use super::value::{Error, Value};
use super::{Jq, meter, syntax};
use crate::model::text;

/// What is taken from the library's core: the name and how many arguments.
const CORE: [(&str, usize); 7] =
    [("error_empty", 0), ("keys_unsorted", 0), ("key_values", 0), ("first", 1), ("last", 1), ("limit", 2), ("skip", 2)];

/// What is taken from its standard library.
const STANDARD: [(&str, usize); 6] =
    [("reverse", 0), ("startswith", 1), ("endswith", 1), ("trim", 0), ("ltrim", 0), ("rtrim", 0)];

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
def sub(re; f; flags): reduce split_matches(re; flags)[] as $x (""; . + ($x | if isarray then capture_of_match | f end));
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
        ("explode", v(0), |cv| bome(explode(cv.1))),
        ("utf8bytelength", v(0), |cv| bome(byte_length(cv.1))),
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
                Some(text) => {
                    Ok(cv.1.decoded(percent_decode_str(text).decode_utf8_lossy().into_owned(), ENDS_OF_PARAMETER))
                }
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
