//! jq expressions over JSON bodies (the `jaq` crates), with what comes out reduced to what a page needs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use jaq_core::load::parse::Def;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars};

use super::meter::{self, Bounds, Order};
use super::stop::mebibytes;
use super::value::{Missing, Place};
use super::{Jq, Number, Stop, Terms, Value, memory};
use crate::model::text;

/// Most values of an `error` expression that are told.
const MOST_VALUES: usize = 3;
/// Most fields of an object that are looked at.
const MOST_FIELDS: usize = 100;

/// A parsed body.
pub struct Json(Value);

/// What `$currency` and `$options` are in an expression.
pub struct Variables {
    currency: Option<String>,
    options: BTreeMap<String, String>,
}

/// What an expression gives.
#[derive(Clone, Debug)]
pub enum Shape {
    /// null
    Null,
    /// null, because the answer has nothing there: what was looked for where.
    Missing(String),
    /// true or false
    Bool(bool),
    /// A number that is a decimal.
    Number(String),
    /// A number that is none.
    Float(f64),
    /// A number that has more digits than a decimal holds.
    Long,
    /// A string.
    Text(String),
    /// A list.
    Array,
    /// An object; of those inside it, only that they are objects.
    Object(BTreeMap<String, Shape>),
}

/// Why an expression gives nothing, without a value of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What happened.
    pub message: String,
    /// What to write instead, where that is known.
    pub hint: Option<&'static str>,
    /// Whether it was stopped, so that another try would take as long.
    pub is_stopped: bool,
}

/// A compiled expression; cheap to run, about a tenth of a millisecond to compile.
pub struct Expression {
    filter: jaq_core::Filter<Jq>,
    /// Whether it was stopped before. It has less time from then on, so that a page which always takes too long does so once.
    was_stopped: AtomicBool,
}

impl Variables {
    /// The variables for one account.
    pub fn new(currency: Option<&str>, options: &BTreeMap<String, String>) -> Variables {
        Variables { currency: currency.map(str::to_owned), options: options.clone() }
    }

    /// The currency the project asks for.
    pub fn currency(&self) -> Option<&str> {
        self.currency.as_deref()
    }

    /// What the options of the project are set to.
    pub fn options(&self) -> impl Iterator<Item = &str> {
        self.options.values().map(String::as_str)
    }

    fn values(&self) -> [Value; 2] {
        let unset = || Value::nothing("`$currency` is null; the project has no `currency`");
        let currency = self.currency.clone().map_or_else(unset, Value::from);
        let options = self.options.iter().map(|(name, value)| (name.as_str().into(), Value::option(value.clone())));
        [currency, Value::object(options.collect(), Some(Place::named("$options")))]
    }
}

impl Trouble {
    fn new(message: impl Into<String>) -> Trouble {
        Trouble { message: message.into(), hint: None, is_stopped: false }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Self {
        Trouble { is_stopped: stop.is_bound(), ..Trouble::new(stop.to_string()) }
    }
}

/// Why code does not compile.
enum Wrong {
    /// It is no jq.
    Code(String),
    /// Names in it, or in the definitions it uses, are not known.
    Unknown(Vec<String>),
}

impl Expression {
    /// Compiles jq code that may use `$currency` and `$options`.
    ///
    /// # Errors
    /// What is wrong, in one line.
    pub fn compile(code: &str) -> Result<Expression, String> {
        super::syntax::with_tree(code, |_| Self::build(code)).flatten()
    }

    fn build(code: &str) -> Result<Expression, String> {
        // To compile all that jq defines in jq takes many times as long as the expression, so only what is asked for:
        // the compiler says what is missing, and a definition may need others.
        let mut wanted: BTreeSet<&str> = BTreeSet::new();
        let mut defs = Vec::new();
        loop {
            match Self::compile_with(code, &defs) {
                Ok(expression) => return Ok(expression),
                Err(Wrong::Code(why)) => return Err(why),
                Err(Wrong::Unknown(names)) => {
                    let known = wanted.len();
                    let all = super::definitions();
                    wanted.extend(all.iter().map(|def| def.name).filter(|name| names.iter().any(|n| n == name)));
                    if wanted.len() == known {
                        let names: BTreeSet<String> = names.iter().map(|name| text::one_line(name, 30)).collect();
                        let words: Vec<String> = names.iter().map(|name| format!("`{name}` is not known")).collect();
                        return Err(words.join("; "));
                    }
                    // In their order, as each knows only those before it.
                    defs = all.iter().filter(|def| wanted.contains(def.name)).cloned().collect();
                }
            }
        }
    }

    fn compile_with(code: &str, defs: &[Def<&'static str>]) -> Result<Expression, Wrong> {
        let arena = Arena::default();
        // It has been parsed before, with better messages.
        let modules = Loader::new(defs.iter().cloned())
            .load(&arena, File { code, path: () })
            .map_err(|_| Wrong::Code("it cannot be parsed".to_owned()))?;
        Compiler::default()
            .with_funs(super::filters())
            .with_global_vars(["$currency", "$options"])
            .compile(modules)
            .map(|filter| Expression { filter, was_stopped: AtomicBool::new(false) })
            .map_err(|errors| {
                let unknown = errors.into_iter().flat_map(|(_, errors)| errors);
                Wrong::Unknown(unknown.map(|(name, _)| name.to_owned()).collect())
            })
    }

    /// The value for a body, or none if the expression is empty.
    ///
    /// # Errors
    /// Why there is none: the expression's own error, or several values.
    pub fn run(&self, body: &Json, variables: &Variables) -> Result<Option<Shape>, Trouble> {
        self.single(&self.bounds(), Order::Given, body, variables).map(|(value, _)| value.as_ref().map(shape))
    }

    /// As [`Expression::run`], for a balance: none of several entries may be chosen by where it happens to stand. Where the
    /// expression went through several entries of the answer, it must give the same if they stand in another order. What it
    /// takes from a list of the answer itself by an index was chosen by the page's author.
    ///
    /// # Errors
    /// As [`Expression::run`], and where the order decides.
    pub fn run_in_any_order(&self, body: &Json, variables: &Variables) -> Result<Option<Shape>, Trouble> {
        let bounds = self.bounds();
        let (value, met_several) = self.single(&bounds, Order::Given, body, variables)?;
        if let Some(given) = value.as_ref().filter(|value| met_several && !matches!(value, Value::Null(_))) {
            for order in [Order::Backwards, Order::FromTheMiddle] {
                let agrees = match self.single(&bounds, order, body, variables) {
                    Ok((other, _)) => other.is_some_and(|other| given.agrees(&other)),
                    Err(trouble) if trouble.is_stopped => return Err(trouble),
                    Err(_) => false,
                };
                if !agrees {
                    let hint = "choose it by a key, for example with `select(.currency == \"USD\")`, or take the sum";
                    let why =
                        "the expression takes one of several values, and only their order in the answer says which";
                    return Err(Trouble { hint: Some(hint), ..Trouble::new(why) });
                }
            }
        }
        Ok(value.as_ref().map(shape))
    }

    /// The one value of a body whose entries are met in an order, and whether several were.
    fn single(
        &self,
        bounds: &Bounds,
        order: Order,
        body: &Json,
        variables: &Variables,
    ) -> Result<(Option<Value>, bool), Trouble> {
        self.evaluate(bounds, order, body, variables, |values| {
            let Some(first) = values.next().transpose()? else {
                return Ok((None, false));
            };
            match values.next().transpose()? {
                None => Ok((Some(first), meter::has_met_several())),
                Some(second) => {
                    let hint = match (&first, &second) {
                        (Value::Number(_), Value::Number(_)) => "choose one, or take the sum: `[...] | add`",
                        (Value::Text(_), Value::Text(_)) => {
                            "choose one, or take the sum: `[...] | map(tonumber) | add`"
                        }
                        _ => "choose one",
                    };
                    Err(Trouble { hint: Some(hint), ..Trouble::new("the expression gives several values") })
                }
            }
        })
    }

    /// What an `error` expression says is wrong: nothing, one thing or several. A list counts as what is in it, and what
    /// is empty, zero, null or false is no error.
    ///
    /// # Errors
    /// The expression's own error.
    pub fn errors(&self, body: &Json, variables: &Variables) -> Result<Vec<Shape>, Trouble> {
        self.evaluate(&self.bounds(), Order::Given, body, variables, |values| {
            let mut errors = Vec::new();
            for value in values {
                let value = value?;
                let items = value.items().unwrap_or(std::slice::from_ref(&value));
                errors.extend(items.iter().filter(|item| is_error(item)).take(MOST_VALUES - errors.len()).map(error));
                if errors.len() == MOST_VALUES {
                    break;
                }
            }
            Ok(errors)
        })
    }

    /// Evaluates within the bounds of one evaluation. After an error nothing more is asked for: it may go on for ever.
    fn evaluate<T>(
        &self,
        bounds: &Bounds,
        order: Order,
        body: &Json,
        variables: &Variables,
        take: impl FnOnce(&mut dyn Iterator<Item = Result<Value, Trouble>>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let evaluate = || {
            let ctx = Ctx::<Jq>::new(Terms(&self.filter.lut), Vars::new(variables.values()));
            let mut values = self.filter.id.run((ctx, body.0.clone())).map(|value| {
                // The only other exceptions are those of control flow, which end inside the expression.
                let error = |exception: jaq_core::Exn<'_, Value>| match exception.get_err() {
                    Ok(error) => Trouble::new(error.into_val().raised()),
                    Err(_) => Trouble::new("the expression ends without a value"),
                };
                value.map_err(error)
            });
            take(&mut values)
        };
        meter::metered(bounds, order, evaluate).map_err(|stop| self.stopped(stop, bounds)).flatten()
    }

    /// What the next evaluations may cost.
    fn bounds(&self) -> Bounds {
        if self.was_stopped.load(Ordering::Relaxed) { Bounds::short() } else { Bounds::new() }
    }

    /// What is said when it was stopped.
    fn stopped(&self, stop: Stop, bounds: &Bounds) -> Trouble {
        // What begins again with more memory has not failed.
        if stop.is_bound() && !memory::has_outgrown() {
            self.was_stopped.store(true, Ordering::Relaxed);
        }
        let mut trouble = Trouble::from(stop);
        if bounds.are_short() && trouble.is_stopped {
            trouble.message.push_str("; it had a tenth of the usual time, as it was stopped before in this run");
        }
        trouble
    }
}

impl Json {
    /// The words in which services usually say what is wrong.
    pub fn error_message(&self) -> Option<String> {
        super::words::said(&self.0)
    }

    /// The same, if the answer is clearly a refusal.
    pub fn refusal(&self) -> Option<String> {
        super::words::refusal(&self.0)
    }
}

/// Parses one JSON value.
///
/// # Errors
/// What is wrong, without quoting the body.
pub fn parse_json(body: &[u8]) -> Result<Json, String> {
    let parsed = meter::metered(&Bounds::new(), Order::Given, || super::json::answer(body));
    parsed.map_err(unread).flatten().map(Json)
}

/// Why a body was not read to its end.
fn unread(stop: Stop) -> String {
    match stop {
        Stop::Time(most) => format!("to read it takes longer than {} seconds", text::seconds(most)),
        Stop::Memory(most) => format!("its values take more than {} of memory", mebibytes(most)),
        other => other.to_string(),
    }
}

/// Whether what an `error` expression gives stands for an error.
fn is_error(value: &Value) -> bool {
    match value {
        Value::Null(_) => false,
        Value::Bool(value) => *value,
        Value::Number(number) => *number != Number::from(0),
        // A code may come as text.
        Value::Text(_) => value.as_text().is_some_and(|text| !matches!(text.trim(), "" | "0")),
        Value::List(_) => value.items().is_some_and(|items| !items.is_empty()),
        Value::Object(_) => value.fields().is_some_and(|mut fields| fields.next().is_some()),
    }
}

/// An error as the page or the service words it.
fn error(value: &Value) -> Shape {
    let mut shape = shape(value);
    if let Shape::Object(fields) = &mut shape
        && !matches!(fields.get("message"), Some(Shape::Text(_) | Shape::Number(_)))
        && let Some(words) = super::words::said(value)
    {
        fields.insert("message".to_owned(), Shape::Text(words));
    }
    shape
}

fn shape(value: &Value) -> Shape {
    let flat = |value: &Value| match value {
        Value::Null(missing) => match missing.as_deref().and_then(Missing::of_answer) {
            Some(missing) => Shape::Missing(missing.tell()),
            None => Shape::Null,
        },
        Value::Bool(value) => Shape::Bool(*value),
        // No decimal is as large, though one of fewer digits would be: whoever reads amounts says so.
        Value::Number(Number::Float(value) | Number::Long(value)) if (7.9e28..1e30).contains(&value.abs()) => {
            Shape::Number("1e99".to_owned())
        }
        Value::Number(Number::Float(value)) => Shape::Float(*value),
        Value::Number(Number::Long(_)) => Shape::Long,
        Value::Number(number) => Shape::Number(number.to_string()),
        Value::Text(_) => Shape::Text(value.as_text().unwrap_or_default().to_owned()),
        Value::List(_) => Shape::Array,
        Value::Object(_) => Shape::Object(BTreeMap::new()),
    };
    match value.fields() {
        Some(fields) => {
            Shape::Object(fields.take(MOST_FIELDS).map(|(key, value)| (key.to_owned(), flat(value))).collect())
        }
        None => flat(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn run(code: &str, body: &str) -> Result<Option<Shape>, Trouble> {
        let options = BTreeMap::from([("site".to_owned(), "ai".to_owned())]);
        let variables = Variables::new(Some("USD"), &options);
        let body = parse_json(body.as_bytes()).map_err(Trouble::new)?;
        Expression::compile(code).map_err(Trouble::new)?.run(&body, &variables)
    }

    fn message(code: &str, body: &str) -> String {
        run(code, body).map_or_else(|trouble| trouble.message, |shape| format!("it gives {shape:?}"))
    }

    #[test]
    fn values_keep_their_digits() {
        for (code, body, want) in [
            (".a", r#"{"a":123456789012345678.10}"#, r#"Some(Number("123456789012345678.10"))"#),
            (".a|tonumber", r#"{"a":"12.50"}"#, r#"Some(Number("12.50"))"#),
            (".a-.b", r#"{"a":100000000000000000000.05,"b":99999999999999999999.99}"#, r#"Some(Number("0.06"))"#),
            (".a", r#"{"a":99999999999999999999999999999}"#, r#"Some(Number("1e99"))"#),
            (".a", r#"{"a":1e400}"#, "Some(Float(inf))"),
            (".a", r#"{"a":99.99999999999999999999999999}"#, r#"Some(Number("99.99999999999999999999999999"))"#),
            (".a", r#"{"a":9999999999999999999999999999}"#, r#"Some(Number("9999999999999999999999999999"))"#),
            (".a", r#"{"a":1000000000000000000000000.5}"#, r#"Some(Number("1000000000000000000000000.5"))"#),
            (".a", r#"{"a":1e-28}"#, r#"Some(Number("0.0000000000000000000000000001"))"#),
            (
                ".a|tonumber",
                r#"{"a":"1234567890123456789012345678"}"#,
                r#"Some(Number("1234567890123456789012345678"))"#,
            ),
            (".a", r#"{"a":0.12345678901234567890123456789}"#, "Some(Long)"),
            (
                ".a|tostring|tonumber",
                r#"{"a":12345678901234567890.123456789}"#,
                r#"Some(Number("12345678901234567890.123456789"))"#,
            ),
            (".a/100", r#"{"a":12345}"#, r#"Some(Number("123.45"))"#),
            ("[.a[]|tonumber]|add", r#"{"a":["0.1","0.2"]}"#, r#"Some(Number("0.3"))"#),
            ("null", "{}", "Some(Null)"),
            ("empty", "{}", "None"),
            ("$currency + $options.site", "{}", r#"Some(Text("USDai"))"#),
            ("{amount: .a}", r#"{"a":[1]}"#, r#"Some(Object({"amount": Array}))"#),
        ] {
            assert_eq!(format!("{:?}", run(code, body).unwrap()), want, "{code}");
        }
    }

    /// The number or text that comes out, else all of it.
    fn literal(code: &str, body: &str) -> String {
        match run(code, body) {
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
            ("1234567890123456789012345 + 0.123", "1234567890123456789012345.123"),
            ("123456789012345678901.5 - 0.0000001", "123456789012345678901.4999999"),
            ("12345678901234 * 12345678901234", "152415787532374345526722756"),
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
            assert_eq!(literal(code, body), want, "{code}");
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
            assert_eq!(literal(code, "{}"), want, "{code}");
        }
        assert!(literal("nan + 1.5", "{}").contains("NaN"));
        for code in [
            "1e300 - 1e300",
            "(2 | sqrt) - 1.41421356237309505",
            "{} - 1.5",
            "\"a\" | floor",
            "1234567890123456789012345678 + 0.123",
            "0.12345678901234567890123456789 * 1",
            "0.12345678901234567890123456789 | floor",
            "\"0.12345678901234567890123456789\" | tonumber",
            "0.12345678901234567890123456789 | tostring | tonumber",
            "12345678901234567890 | pow(.; 1)",
            "12345678901234567890 | sqrt",
        ] {
            assert!(literal(code, "{}").starts_with("Err"), "{code}: {}", literal(code, "{}"));
        }
    }

    #[test]
    fn no_definition_hides_a_native_filter() {
        // Else an expression would mean something else without the definitions than with them.
        let natives: Vec<(&str, usize)> =
            crate::page::filters().map(|(name, arguments, _)| (name, arguments.len())).collect();
        for def in crate::page::definitions() {
            assert!(!natives.contains(&(def.name, def.args.len())), "{}/{}", def.name, def.args.len());
        }
        for (index, name) in natives.iter().enumerate() {
            assert!(!natives[..index].contains(name), "{name:?} stands twice");
        }
    }

    #[test]
    fn what_ends_the_process_or_reads_its_surroundings_is_not_known() {
        for code in [
            "halt",
            "halt(0)",
            "halt_error",
            "halt_error(0)",
            "if .error then halt else .b end",
            "env",
            "env.PATH",
            "$ENV",
            "$ENV.PATH",
            "input",
            "inputs",
            "input_line_number",
            "input_filename",
            "debug",
            "debug(.)",
            "stderr",
            "$__prog_args",
            "$__loc__",
            "now",
            "localtime",
            "strflocaltime(\"%Y\")",
            "debug_empty",
            "stderr_empty",
            "get_search_list",
            "modulemeta",
            "getpath(halt)",
            "try halt catch .",
            "[limit(1; input)]",
            "def f: halt; 1",
        ] {
            let why = Expression::compile(code).err().unwrap_or_else(|| panic!("{code} compiles"));
            assert!(why.ends_with("is not known"), "{code}: {why}");
        }
    }

    #[test]
    fn what_jq_has_is_there() {
        let body = r#"{"a":[3,1,2],"t":"Ab,c","o":{"x":1,"y":null},"n":"1.50"}"#;
        for (code, want) in [
            (".a|sort", "[1,2,3]"),
            (".a|sort_by(-.)", "[3,2,1]"),
            (".a|map(. * 2)|add", "12"),
            (".a|min, max", "1 3"),
            (".a|unique|reverse", "[3,2,1]"),
            (".a|group_by(. > 1)", "[[1],[3,2]]"),
            (".a|first, last, nth(1)", "3 2 1"),
            (".a|index(1), length", "1 3"),
            (".a|any(. > 2), all(. > 2)", "true false"),
            (".a|contains([1]), inside([1,2,3,4])", "true true"),
            ("[.a[]|select(. > 1)]", "[3,2]"),
            ("[.a[1:][]]", "[1,2]"),
            ("[limit(2; .a[])], [first(range(10;0;-3))]", "[3,1] [10]"),
            ("reduce .a[] as $x (0; . + $x)", "6"),
            ("[foreach .a[] as $x (0; . + $x; [$x, .])]", "[[3,3],[1,4],[2,6]]"),
            (".t|ascii_downcase, ascii_upcase, length, utf8bytelength", "\"ab,c\" \"AB,C\" 4 4"),
            (".t|split(\",\"), (split(\",\")|join(\"-\"))", "[\"Ab\",\"c\"] \"Ab-c\""),
            (".t|test(\"B\"), test(\"B\";\"i\")", "false true"),
            (".t|capture(\"(?<l>[a-z]+),(?<r>.)\")", "{\"l\":\"b\",\"r\":\"c\"}"),
            (".t|[match(\"[a-z]\";\"g\").offset]", "[1,3]"),
            (".t|gsub(\",\";\"\"), sub(\"[a-z]\";\"x\"), [scan(\".\")]", "\"Abc\" \"Ax,c\" [\"A\",\"b\",\",\",\"c\"]"),
            (".t|ltrimstr(\"A\"), rtrimstr(\"c\"), startswith(\"A\"), .[1:2]", "\"b,c\" \"Ab,\" true \"b\""),
            (".t|explode, (explode|implode)", "[65,98,44,99] \"Ab,c\""),
            (
                ".t|@base64, (@base64|@base64d), @uri, @html, @json",
                "\"QWIsYw==\" \"Ab,c\" \"Ab%2Cc\" \"Ab,c\" \"\\\"Ab,c\\\"\"",
            ),
            ("@uri \"x=\\(.t)\"", "\"x=Ab%2Cc\""),
            (
                ".o|keys, to_entries, has(\"x\"), has(\"z\"), del(.x)",
                "[\"x\",\"y\"] [{\"key\":\"x\",\"value\":1},{\"key\":\"y\",\"value\":null}] true false {\"y\":null}",
            ),
            (".o|with_entries(.value |= tostring), map_values(1)", "{\"x\":\"1\",\"y\":\"null\"} {\"x\":1,\"y\":1}"),
            (
                ".o|[paths], getpath([\"x\"]), [.[]|type], pick(.x)",
                "[[\"x\"],[\"y\"]] 1 [\"number\",\"null\"] {\"x\":1}",
            ),
            (".o + {z:2} | .x += 1 | .z -= 1", "{\"x\":2,\"y\":null,\"z\":1}"),
            ("{a:{b:1}} * {a:{c:2}}", "{\"a\":{\"b\":1,\"c\":2}}"),
            ("[.. | numbers]", "[3,1,2,1]"),
            ("walk(if type == \"number\" then . + 1 else . end) | .a", "[4,2,3]"),
            ("[.a[] as $x | $x * 10]", "[30,10,20]"),
            (". as {a: [$x, $y], $n} | [$x, $y, $n]", "[3,1,\"1.50\"]"),
            ("label $out | .a[] | if . == 1 then break $out else . end", "3"),
            ("[while(. != null; null)|type]", "[\"object\"]"),
            ("1 | until(. > 100; . * 2)", "128"),
            ("[recurse(if . == {} then empty else {} end)] | length", "2"),
            ("try error(\"x\") catch .", "\"x\""),
            ("try (.t | tonumber) catch \"no\"", "\"no\""),
            (".missing? // .n", "\"1.50\""),
            ("(\"{\\\"b\\\": [1.10]}\" | fromjson).b[0], (.o|tojson)", "1.10 \"{\\\"x\\\":1,\\\"y\\\":null}\""),
            ("1.5|floor, ceil, round, trunc", "1 2 2 1"),
            ("-1.5|abs, floor, round", "1.5 -2 -2"),
            ("[9|sqrt, pow(.;2), pow(10; -2)]|tojson", "\"[3,81,0.01]\""),
            ("7 % 3, 7.5 % 2", "1 1.5"),
            ("nan|isnan, tojson", "true \"null\""),
            ("infinite|isinfinite, tostring", "true \"null\""),
            ("[1,[2,[3]]]|flatten, flatten(1)", "[1,2,3] [1,2,[3]]"),
            ("[[1,2],[3,4]]|transpose, combinations", "[[1,3],[2,4]] [1,3] [1,4] [2,3] [2,4]"),
            ("[\"true\", false]|map(toboolean)", "[true,false]"),
            ("[\" x \"[]?], (\" x \"|trim, ltrim, rtrim)", "[] \"x\" \"x \" \" x\""),
            ("\"x\" * 3, \"x\" * 0", "\"xxx\" null"),
            ("[1,2,3] - [2]", "[1,3]"),
            ("[1,2,1]|indices(1), .[[1]]", "[0,2] [0,2]"),
            ("{} | .a.b.c = 1", "{\"a\":{\"b\":{\"c\":1}}}"),
            (".a|toarray, (1|toarray)", "[3,1,2] [1]"),
            ("\"axa\"|trimstr(\"a\")", "\"x\""),
            ("2|IN(1,2), IN(3)", "true false"),
            ("IN(1,2;3)", "false"),
            ("[{k:\"a\"}]|INDEX(.k)", "{\"a\":{\"k\":\"a\"}}"),
            ("65|ascii", "\"A\""),
            ("[1,\"a\\\"b\",null,true]|@csv", r#""1,\"a\"\"b\",,true""#),
            ("[1,\"a\\tb\",null,true]|@tsv", r#""1\ta\\tb\t\ttrue""#),
            ("{a:{b:1}}|[leaf_paths]", "[[\"a\",\"b\"]]"),
            ("reduce (\"EUR\",\"USD\",\"EUR\") as $c ({}; .[$c] += 1)", "{\"EUR\":2,\"USD\":1}"),
        ] {
            // All values in one, as JSON.
            let all = format!("[{code}] | map(tojson) | join(\" \")");
            match run(&all, body) {
                Ok(Some(Shape::Text(got))) => assert_eq!(got, want, "{code}"),
                other => panic!("{code}: {other:?}"),
            }
        }
    }

    #[test]
    fn numbers_in_texts_are_read_strictly() {
        for (text, want) in [
            ("10,000.00", Some("10000.00")),
            ("1,234.50", Some("1234.50")),
            ("1 234.50", Some("1234.50")),
            ("12.50", Some("12.50")),
            ("-0.01", Some("-0.01")),
            (" 7 ", Some("7")),
            ("+7", Some("7")),
            ("1e5", Some("100000")),
            ("1.5E-2", Some("0.015")),
            ("5abc", None),
            ("0x1F", None),
            ("", None),
            (" ", None),
            ("-", None),
            (".", None),
            ("1,23,456", None),
            ("12,50", None),
            ("1.2.3", None),
            ("1-2", None),
            ("--1", None),
            ("5 USD", None),
            ("$5", None),
            ("1.2万", None),
            ("1.5k", None),
            ("NaN", None),
            ("nan", None),
            ("Infinity", None),
            ("null", None),
            ("true", None),
            ("[1]", None),
            ("1 2", None),
            ("1_000", None),
            ("１２", None),
            ("2026-11-25", None),
            ("12:30", None),
        ] {
            let body = serde_json::json!({ "a": text }).to_string();
            let got = match run(".a | tonumber", &body) {
                Ok(Some(Shape::Number(number))) => Some(number),
                Ok(other) => panic!("{text:?}: {other:?}"),
                Err(_) => None,
            };
            let number = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
            assert_eq!(got.as_deref().map(number), want.map(number), "{text:?}");
        }
        for text in ["5abc", "1,234.50", "", "NaN", "+1", "01", "{\"a\":1,}", "1 2", "0x1F", "b\"x\"", "# c\n1"] {
            let body = serde_json::json!({ "a": text }).to_string();
            assert!(run(".a | fromjson", &body).is_err(), "{text:?}");
        }
    }

    #[test]
    fn several_values_are_told() {
        for (code, hint) in [
            (".w[].n", "choose one, or take the sum: `[...] | add`"),
            (".w[].t", "choose one, or take the sum: `[...] | map(tonumber) | add`"),
            (".w[]", "choose one"),
            (".w[0].n, null", "choose one"),
            ("repeat(1)", "choose one, or take the sum: `[...] | add`"),
        ] {
            let trouble = run(code, r#"{"w":[{"n":1,"t":"1"},{"n":2,"t":"2"}]}"#).unwrap_err();
            assert_eq!(trouble.message, "the expression gives several values", "{code}");
            assert_eq!(trouble.hint, Some(hint), "{code}");
        }
        assert_eq!(message(".a, error(\"x\")", "{}"), "x");
    }

    #[test]
    fn errors_name_types_keys_and_places_and_never_values() {
        let body = r#"{"data":{"id":"id-SECRET","quota":{"left":"SECRET","SECRET 1234567":1},"username":"SECRET","n":777777,"list":["SECRET"],"none":null},"token":"SECRET"}"#;
        for (code, want) in [
            (".data / 100", "cannot calculate an object (`.data`) / a number"),
            (".data.username / 100", "cannot calculate a text / a number"),
            (".data.quota - 1", "cannot calculate an object (`.data.quota`) - a number"),
            (". * 2", "cannot calculate an object (the answer) * a number"),
            (".data.n.x", "cannot index a number with \"x\""),
            (".data.username.x", "cannot index a text with \"x\""),
            (".data.list.x", "cannot index a list (`.data.list`) with \"x\""),
            (".data.n[]", "cannot use a number as list or object"),
            (".data.n | keys", "cannot use a number as list or object"),
            (".data.username | tonumber", "a text cannot be read as a number: it holds no number"),
            (".data.quota | tonumber", "cannot use an object (`.data.quota`) as number"),
            (
                ".data.quotaa | tonumber",
                "cannot use null (`.data.quotaa` is null; `.data` has `id`, `quota`, `username`, `n`, `list`, `none`) as number",
            ),
            (
                ".data.quotaa - 1",
                "cannot calculate null (`.data.quotaa` is null; `.data` has `id`, `quota`, `username`, `n`, `list`, `none`) - a number",
            ),
            (".data.n + .data.none", "cannot calculate a number + null (`.data.none` is null)"),
            ("[.data.n, .data.none] | add", "cannot calculate a number + null (`.data.none` is null)"),
            (".data.username | fromjson", "a text is not JSON: byte offset 0: value expected"),
            (".data.username | test(.)", "it gives Some(Bool(true))"),
            (".data.n | test(\"x\")", "cannot use a number as text"),
            (".data.quota | length as $n | $n | sort", "cannot use a number as array"),
            ("-.data.username", "cannot use a text as number"),
            (".data | {(.n | tostring | tonumber): 1}", "cannot use a number as key"),
            ("error", "the expression raises an error"),
            ("error(.token)", "the expression raises an error"),
            ("error(.data)", "the expression raises an error"),
            ("error(null)", "the expression raises an error"),
            ("error(\"no wallet\")", "no wallet"),
            ("error(\"no wallet of \\(.token) here\")", "no wallet of … here"),
            ("error(\"n is \" + (.data.n | tostring))", "n is …"),
            ("error(\"one of \\([\"CNY\", .token, \"USD\"] | join(\", \"))\")", "one of CNY, …, USD"),
            ("error({message: \"no wallet\"})", "no wallet"),
            ("error({message: .token})", "the expression raises an error"),
            ("try error(.token) catch error(\"x \" + .)", "x …"),
            ("try (.data / 100) catch error(.)", "cannot calculate an object (`.data`) / a number"),
            ("error(.token[0:3] + \"!\")", "…!"),
            ("error(.token | ascii_downcase)", "the expression raises an error"),
            ("error(.data.quota | keys[0])", "the expression raises an error"),
            ("error(.data | tojson)", "the expression raises an error"),
            ("error(.token | @base64)", "the expression raises an error"),
            ("error(.token / \"E\" | join(\"-\"))", "…-…-…"),
            ("path(1)", "invalid path expression with input an object (the answer)"),
            ("range(.token)", "cannot use a text as number"),
            (".data.n |= error(.)", "the expression raises an error"),
            ("ltrimstr(1)", "cannot use an object (the answer) as string"),
            (".data.list | implode", "a list is not one of characters"),
            ("break $x", "`$x` is not known"),
            ("label $x | break $x", "it gives None"),
        ] {
            let got = message(code, body);
            assert_eq!(got, want, "{code}");
            assert!(!got.contains("SECRET") && !got.contains("777"), "{code}: {got}");
        }
    }

    #[test]
    fn a_null_says_where_it_was_looked_for() {
        let body =
            r#"{"data":{"id":1,"quota":2,"username":"x","gone":null,"list":[{"a":1},{"b":2}],"empty":{}},"ok":true}"#;
        for (code, want) in [
            (".data.quotaa", "`.data.quotaa` is null; `.data` has `id`, `quota`, `username`, `gone`, `list`, `empty`"),
            (".dat.quota", "`.dat` is null; the answer has `data`, `ok`"),
            (".dat.quota.left[0]", "`.dat` is null; the answer has `data`, `ok`"),
            (".data.gone", "`.data.gone` is null"),
            (".data.gone.x", "`.data.gone` is null"),
            (".data.empty.x", "`.data.empty.x` is null; `.data.empty` is an empty object"),
            (".data.list[2]", "`.data.list[2]` is null; `.data.list` has 2 entries"),
            (".data.list[1].a", "`.data.list[1].a` is null; `.data.list[1]` has `b`"),
            (".data.list | last | .a", "`.data.list[1].a` is null; `.data.list[1]` has `b`"),
            (".data | .x // .y", "`.data.y` is null; `.data` has `id`, `quota`, `username`, `gone`, `list`, `empty`"),
            (".[\"用户 余额\"]", "`.[\"用户 余额\"]` is null; the answer has `data`, `ok`"),
            (".data as $d | $d.x", "`.data.x` is null; `.data` has `id`, `quota`, `username`, `gone`, `list`, `empty`"),
        ] {
            match run(code, body).unwrap() {
                Some(Shape::Missing(got)) => assert_eq!(got, want, "{code}"),
                other => panic!("{code}: {other:?}"),
            }
        }
        // Keys that look like data are counted and not shown, and there is an end to them.
        let keys: Vec<String> = (0..20).map(|n| format!("\"{}\":1", char::from(b'a' + n))).collect();
        for (body, want) in [
            (
                r#"{"bob@example.com":1,"2026-11-25T00:00":2,"sk 1":3,"a":4}"#.to_owned(),
                "`.x` is null; the answer has `a` and 3 more",
            ),
            (r#"{"bob@example.com":1}"#.to_owned(), "`.x` is null; the answer has 1 other key"),
            (
                r#"{"AKIAIOSFODNNEXAMPLE":1,"org-acme":1,"jane_doe":1,"qwertyuiopasdfghjklzxcvbnm":1,"张伟":1,"total_usage":1}"#
                    .to_owned(),
                "`.x` is null; the answer has `total_usage` and 5 more",
            ),
            (
                format!("{{{}}}", keys.join(",")),
                "`.x` is null; the answer has `a`, `b`, `c`, `d`, `e`, `f`, `g`, `h` and 12 more",
            ),
            (format!("{{\"{}\":1}}", "k".repeat(33)), "`.x` is null; the answer has 1 other key"),
        ] {
            match run(".x", &body).unwrap() {
                Some(Shape::Missing(got)) => assert_eq!(got, want, "{body}"),
                other => panic!("{body}: {other:?}"),
            }
        }
        // Of the last of very many it is known that it is missing, but not where.
        let many = format!("[{}{{}}]", "{},".repeat(30_000));
        match (run(".[7].x", &many).unwrap(), run("last.x", &many).unwrap()) {
            (Some(Shape::Missing(first)), Some(Shape::Missing(last))) => {
                assert_eq!(first, "`.[7].x` is null; `.[7]` is an empty object");
                assert_eq!(last, "`.[\"…\"].x` is null; `.[\"…\"]` is an empty object");
            }
            other => panic!("{other:?}"),
        }
        assert!(run("last.x + 1", &many).is_err());
        assert!(matches!(run("null", body).unwrap(), Some(Shape::Null)));
        assert!(matches!(run("{a: 1} | .b", body).unwrap(), Some(Shape::Null)));
    }

    #[test]
    fn a_null_of_the_answer_is_not_updated_to_a_number() {
        let body = r#"{"total":null,"used":5,"bonus":7,"gone":{"a":null},"w":[1,null,3]}"#;
        for code in [
            ".total += .bonus | .total",
            ".total |= . + 5 | .total",
            ".used += .total | .used",
            ".nope += 1 | .nope",
            ".nope.deep += 1 | .nope.deep",
            ".gone.a += 1 | .gone.a",
            ".w[1] += 1 | .w[1]",
            ".w[] += 1 | .w[1]",
            "map_values(. + 1)",
            ".used = 1 | .total + 5",
            "del(.used) | .total + 5",
            ".w[0] = 1 | .w[1] + 5",
            "del(.w[0]) | .w[0] + 5",
            ".w + [4] | .[1] + 5",
            ". + {x: 1} | .total + 5",
        ] {
            let why = message(code, body);
            assert!(why.starts_with("cannot calculate ") && why.contains("null"), "{code}: {why}");
        }
        for (code, want) in [
            (".used += .bonus | .used", "12"),
            (".total = 5 | .total", "5"),
            (".total //= 5 | .total", "5"),
            (".nope.deep = 5 | .nope.deep", "5"),
            ("reduce .w[] as $n ({}; .[\"k\"] += 1) | .k", "3"),
            ("{} | .a.b += 1 | .a.b", "1"),
            ("null | .a += 1 | .a", "1"),
        ] {
            assert_eq!(literal(code, body), want, "{code}");
        }
    }

    #[test]
    fn what_an_object_of_the_answer_lacks_stays_missing_when_it_is_changed() {
        let body = r#"{"data":{"quota":5,"used":1,"none":null},"w":[{"key":"USD","value":5}]}"#;
        let changed = "`.data.quotaa` is null; `.data`, as the expression changed it, has ";
        for (code, has) in [
            (".data | .quota = 1 | .quotaa", "`quota`, `used`, `none`"),
            (".data | del(.used) | .quotaa", "`quota`, `none`"),
            (".data | .quota += 1 | .quotaa", "`quota`, `used`, `none`"),
            (".data | with_entries(select(.value != null)) | .quotaa", "`quota`, `used`"),
            (".data | with_entries(empty) | .quotaa", ""),
            (".data | map_values(. // 0) | .quotaa", "`quota`, `used`, `none`"),
            (".data + {} | .quotaa", "`quota`, `used`, `none`"),
            ("{} + .data | .quotaa", "`quota`, `used`, `none`"),
            (".data * {} | .quotaa", "`quota`, `used`, `none`"),
            ("{} * .data | .quotaa", "`quota`, `used`, `none`"),
            ("{a: {used: 2}} * {a: .data} | .a.quotaa", "`used`, `quota`, `none`"),
            (".data | pick(.quota) | .quotaa", "`quota`"),
            (".data | walk(.) | .quotaa", "`quota`, `used`, `none`"),
        ] {
            match run(code, body).unwrap() {
                Some(Shape::Missing(why)) => {
                    let is_right =
                        why == format!("{changed}{has}") || (has.is_empty() && why.contains("an empty object"));
                    assert!(is_right, "{code}: {why}");
                }
                other => panic!("{code}: {other:?}"),
            }
            let sum = message(&format!("{code} + 5"), body);
            assert!(sum.starts_with("cannot calculate null (`.data.quotaa` is null"), "{code}: {sum}");
        }
        for code in [
            ".w | from_entries | .EUR + 5",
            ".w | map(select(.key == \"EUR\")) | .[0].value + 5",
            ".data | to_entries | map(select(.key == \"x\")) | first.value + 5",
            "([.w[] | select(.key == \"EUR\") | .value] | max) + 5",
            ".data + {x: 1} | .none + 5",
        ] {
            let why = message(code, body);
            assert!(why.starts_with("cannot calculate null ("), "{code}: {why}");
        }
        for (code, want) in [
            (".data + {none: null} | .none", "Ok(Some(Null))"),
            ("{a: 1} | .b", "Ok(Some(Null))"),
            ("reduce .w[] as $x ({}; .[$x.key] += $x.value) | .USD", "5"),
            ("reduce .w[] as $x ({}; . + {($x.key): (.[$x.key] + $x.value)}) | .USD", "5"),
            (".w | from_entries | .USD", "5"),
        ] {
            assert_eq!(literal(code, body), want, "{code}");
        }
    }

    #[test]
    fn what_is_parsed_from_a_text_of_the_answer_is_guarded_as_the_answer_is() {
        let body = r#"{"d":"{\"bonus\":5,\"q\":null,\"w\":[{\"v\":9},{\"v\":7}]}","o":{"q":null,"n":5},"nil":"null"}"#;
        for (code, want) in [
            (".d | fromjson | .cash + .bonus", "`fromjson.cash` is null; `fromjson` has `bonus`, `q`, `w`"),
            (".d | fromjson | .q + 5", "`fromjson.q` is null"),
            (".d | fromjson | .w[0].x + 5", "`fromjson.w[0].x` is null"),
            (
                ".d | fromjson | if .q < 5 then 7 else 8 end",
                "null cannot be ordered among numbers: `fromjson.q` is null",
            ),
            (".d | @base64 | @base64d | fromjson | .q + 5", "`fromjson.q` is null"),
            (".o | tojson | fromjson | .q + 5", "`fromjson.q` is null"),
            (".o | @json | fromjson | .q + 5", "`fromjson.q` is null"),
            (".o | tostring | fromjson | .q + 5", "`fromjson.q` is null"),
            ("\"\\(.o)\" | fromjson | .q + 5", "`fromjson.q` is null"),
            ("(.nil | fromjson) + 5", "reads as null"),
        ] {
            let why = message(code, body);
            assert!(why.contains(want) && !why.starts_with("it gives"), "{code}: {why}");
        }
        assert!(message(". + 5", "null").starts_with("cannot calculate null"));
        for code in [".d | fromjson | first(.w[].v)", ".d | fromjson | .w | map(.v) | .[0]"] {
            let body = parse_json(body.as_bytes()).unwrap();
            let variables = Variables::new(None, &BTreeMap::new());
            let trouble = Expression::compile(code).unwrap().run_in_any_order(&body, &variables).unwrap_err();
            assert!(trouble.message.contains("one of several values"), "{code}: {trouble}");
        }
        assert_eq!(literal("\"{\\\"a\\\":null}\" | fromjson | .a + 5", "{}"), "5");
        assert_eq!(literal(".d | fromjson | .bonus + ([.w[].v] | add)", body), "21");
    }

    #[test]
    fn a_null_is_zero_only_where_the_expression_wrote_it() {
        let body = r#"{"w":[{"c":"USD","v":"3"}],"el":[],"n":5,"l":[1],"t":"ab","s":"5","zero":0}"#;
        for code in [
            ".w | map({(.c): (.v | tonumber)}) | add | .EUR + 5",
            "reduce .w[] as $x ({}; .[$x.c] = ($x.v | tonumber)) | .EUR + 5",
            "reduce .w[] as $x ({}; .[$x.c] = ($x.v | tonumber)) | .EUR += 5 | .EUR",
            "reduce .el[] as $x ({}; .[$x.c] += $x.v) | .EUR + 5",
            "(.w | INDEX(.c)) | .EUR + 5",
            "reduce .w[] as $x (null; .[$x.c] = ($x.v | tonumber)) | .EUR + 5",
            "reduce .w[] as $x ({}; .[$x.c] = ($x.v | tonumber)) | map_values(.) | .EUR + 5",
            "reduce .w[] as $x ({}; .[$x.c] = ($x.v | tonumber)) | .[$options.site] + 5",
            "(.el | add) + .n",
            "add(.el[]) + .n",
            "([] | add) + .n",
            "([.w[] | select(.c == \"EUR\") | .v] | add) + .n",
            ".n + (.el | add)",
            "(.l | index(9)) + 5",
            "(.l | rindex(9)) + 5",
            "(.nope | indices(1)) + 5",
            "(.t | capture(\"(?<x>z)?(?<y>a)\").x) + 5",
            "$options.zz + 5",
            "{a: 1} | .b + 5",
            "(.t * .zero) + 5",
            ".s + .nope",
            "null + (.el | add) + 5",
        ] {
            let why = message(code, body);
            assert!(why.starts_with("cannot calculate ") && why.contains("null ("), "{code}: {why}");
        }
        assert!(
            Expression::compile("$currency + 5")
                .unwrap()
                .run(&parse_json(b"{}").unwrap(), &Variables::new(None, &BTreeMap::new()))
                .is_err()
        );
        let min = message("(.el | max) + 1", body);
        assert!(min.contains("`.el` is an empty list, which has no least or largest item"), "{min}");
        assert!(message(".el[-1] + 1", body).contains("`.el[-1]` is null"));
        for (code, want) in [
            ("reduce .l[] as $x (null; . + $x)", "1"),
            ("[null, 5] | add", "5"),
            (".w | group_by(.c) | map({(.[0].c): (map(.v | tonumber) | add)}) | add | .USD + 5", "8"),
            ("reduce .w[] as $x ({}; .all += 1 | .[$x.c] += ($x.v | tonumber)) | .USD", "3"),
            ("(.el | add) // 7", "7"),
            ("if (.t | index(\"z\")) == null then 1 else 2 end", "1"),
            ("if (.t | index(\"z\")) > 3 then 1 else 2 end", "2"),
            ("[[1], [2]] | add | length", "2"),
            ("[{a: 1}, {b: 2}] | add | .b", "2"),
            ("[\"a\", \"b\"] | add", "\"ab\""),
            ("[\"a\", null, \"b\"] | add", "\"ab\""),
            ("add(.w[].v | tonumber)", "3"),
        ] {
            assert_eq!(literal(code, body), want, "{code}");
        }
    }

    #[test]
    fn what_is_cut_from_one_text_may_be_put_together_again() {
        let body = r#"{"s":"1,234.50","d":"2026-11-25","id":"12-34-56","two":"10,20","w":[{"d":"2026-11-25"},{"d":"2026-11-24"}]}"#;
        for (code, want) in [
            (".s | gsub(\",\"; \"\") | tonumber", "1234.50"),
            (".s | sub(\",\"; \"\") | tonumber", "1234.50"),
            (".s | gsub(\"[^0-9.]\"; \"\") | tonumber", "1234.50"),
            (".s | split(\",\") | join(\"\") | tonumber", "1234.50"),
            (".s | (. / \",\") | .[0] + .[1] | tonumber", "1234.50"),
            (".d | gsub(\"-\"; \"\")", "\"20261125\""),
            (".id | gsub(\"-\"; \"\")", "\"123456\""),
            (".w | max_by(.d | gsub(\"-\"; \"\")) | .d", "\"2026-11-25\""),
            ("error(.id | gsub(\"-\"; \"\")) // 1", "Err"),
        ] {
            let got = literal(code, body);
            assert!(
                got == want || (want == "Err" && got.starts_with("Err") && !got.contains("joined")),
                "{code}: {got}"
            );
        }
        for code in [".two | split(\",\") | add", ".id + .id", "(.two | split(\",\")[0]) + .s[0:1]"] {
            assert!(message(code, body).contains("would be joined") || code == ".id + .id", "{code}");
        }
    }

    #[test]
    fn evaluations_in_several_orders_share_the_bounds_of_one() {
        let body = parse_json(br#"{"a":[1,2]}"#).unwrap();
        let variables = Variables::new(None, &BTreeMap::new());
        for (count, fits) in [(5000, true), (25_000, false)] {
            let code = format!(".a | map(. + reduce range({count}) as $x (0; . + 1)) | add");
            let expression = Expression::compile(&code).unwrap();
            assert!(expression.run(&body, &variables).is_ok(), "{code}");
            let in_any_order = expression.run_in_any_order(&body, &variables).map_err(|trouble| trouble.to_string());
            let told = "the expression was stopped because it takes too many steps";
            assert!(if fits { in_any_order.is_ok() } else { in_any_order.is_err_and(|why| why == told) }, "{code}");
        }
    }

    #[test]
    fn one_of_several_is_never_chosen_by_the_order_of_the_answer() {
        let body = r#"{"texts":["5","10","9"],"w":[{"c":"USD","n":5,"s":"5"},{"c":"CNY","n":7,"s":"17"},{"c":"EUR","n":9,"s":"9"}],
            "one":{"USD":5},"o":{"USD":5,"CNY":7,"EUR":9},"same":{"a":5,"b":5},
            "days":{"2026-11-25":5,"2026-11-24":7}}"#;
        let options = BTreeMap::new();
        let choose = |code: &str| {
            let body = parse_json(body.as_bytes()).unwrap();
            Expression::compile(code).unwrap().run_in_any_order(&body, &Variables::new(Some("USD"), &options))
        };
        let why = "the expression takes one of several values, and only their order in the answer says which";
        for code in [
            ".texts | unique | map(.) | last",
            "first(.texts | unique[])",
            "last(.texts | unique[])",
            "nth(1; .texts | unique[])",
            ".texts | unique | .[] |= . | [.[]] | .[0]",
            "[] + (.texts | unique) | map(.) | .[0]",
            "reduce (.texts | unique[]) as $x (null; $x)",
            "reduce .w[] as $x (null; . // $x.n)",
            "last(foreach .w[] as $x (0; $x.n))",
            "[limit(1; .w[] | .n)] | add",
            "label $out | .w[] | .n, break $out",
            "first(.w[] | select(.n > 5) | .n)",
            ".w | map(select(.n > 5)) | .[0].n",
            ".w | map(select(.n > 5)) | last.n",
            "[.w[].n] | .[0]",
            "[.w[].n] | .[1]",
            "[.w[].n] | .[1:] | add",
            ".w | map(.n) | . as [$first] | $first",
            "[.. | .n? | numbers] | first",
            ".w | group_by(.c) | map(map(.n) | add) | .[0]",
            ".w | group_by(.c) | .[0][0].n",
            ".w | unique_by(.c) | last.n",
            ".w | sort_by(.c) | map(.n) | .[0]",
            ".w | map(.c) | sort | .[0]",
            ".w | sort_by(0) | .[0].n",
            ".w | min_by(0) | .n",
            "{amount: (.w | map(.n) | add), currency: (.w | map(.c) | unique | first)}",
            ".o | to_entries | first.value",
            ".o | to_entries | map(.value) | last",
            ".o | keys_unsorted[0] as $k | .[$k]",
            ".o | keys[0] as $k | .[$k]",
            "[.o[]] | .[0]",
            "first(.o[])",
            ".o as $o | [$o | paths] | .[0] as $p | $o | getpath($p)",
            ".o | with_entries(.value += 1) | to_entries | .[0].value",
        ] {
            let got = choose(code).map_or_else(|trouble| trouble.message, |shape| format!("it gives {shape:?}"));
            assert_eq!(got, why, "{code}");
        }
        for (code, want) in [
            (".w | map(select(.c == \"USD\"))[0].n", "5"),
            (".w | map(select(.c == $currency)) | first.n", "5"),
            ("first(.w[] | select(.c == \"EUR\") | .n)", "9"),
            (".w[0].n", "5"),
            (".w | last.n", "9"),
            (".w[1:] | map(.n) | add", "16"),
            ("[.w[].n] | add", "21"),
            ("[.w[].n / 7] | add", "3"),
            ("[.w[].n] | min", "5"),
            ("[.w[].n] | max", "9"),
            ("[.w[].n] | sort | .[0]", "5"),
            ("[.w[].n] | sort | map(.) | .[0]", "5"),
            (".w | max_by(.n) | .n", "9"),
            ("[.w[].n] | length", "3"),
            ("reduce .w[] as $x (0; . + $x.n)", "21"),
            (".w | map({key: .c, value: .n}) | from_entries | .CNY", "7"),
            (".w | group_by(.c) | map(select(.[0].c == \"USD\")) | .[0][0].n", "5"),
            (".texts | unique | map(tonumber) | max", "10"),
            ("[.texts | unique[] | tonumber] | add", "24"),
            (".one | to_entries | first.value", "5"),
            (".o | to_entries | map(select(.key == \"USD\")) | .[0].value", "5"),
            (".o | to_entries | map(.value) | add", "21"),
            (".o | [.[]] | max", "9"),
            (".same | [.[]] | .[0]", "5"),
            (".days | keys | last as $day | $day", "\"2026-11-25\""),
            (".days | .[keys[-1]]", "5"),
            ("[.w[] | {c, n}] | sort_by(.n) | last.n", "9"),
            ("any(.w[]; .n > 8) | if . then 1 else 2 end", "1"),
        ] {
            let got = match choose(code) {
                Ok(Some(Shape::Number(number))) => number,
                Ok(Some(Shape::Text(text))) => format!("{text:?}"),
                other => format!("{other:?}"),
            };
            assert_eq!(got, want, "{code}");
        }
    }

    #[test]
    fn numbers_that_are_texts_are_not_joined() {
        for (code, body) in [
            (".a + .b", r#"{"a":"1","b":"2"}"#),
            ("[.w[].n] | add", r#"{"w":[{"n":"10"},{"n":"20"}]}"#),
            ("add(.w[].n)", r#"{"w":[{"n":"1.50"},{"n":"2"}]}"#),
            ("reduce .w[].n as $n (null; . + $n)", r#"{"w":[{"n":"1.50"},{"n":"2"}]}"#),
            ("[.a, .b] | join(\"\")", r#"{"a":"1","b":"2"}"#),
            (".a + \"\" + .b", r#"{"a":"1","b":"2"}"#),
            ("map(tostring) | join(\"\")", "[1, 2]"),
            ("reduce (.a, .b) as $x (\"\"; . + $x)", r#"{"a":"1","b":"2"}"#),
            ("\"\\(.a)\\(.b)\"", r#"{"a":1,"b":2}"#),
            (".a + \".\" + .b + .c", r#"{"a":"1","b":"2","c":"3"}"#),
        ] {
            let why = message(code, body);
            assert_eq!(
                why, "two numbers that are texts would be joined, not added; `tonumber` makes numbers of them",
                "{code}"
            );
        }
        let nanos = run(".u + \".\" + .n", r#"{"u":"1","n":"50"}"#).unwrap();
        assert_eq!(format!("{nanos:?}"), r#"Some(Text("1.50"))"#);
    }

    #[test]
    fn numbers_that_are_texts_are_not_repeated() {
        for code in [".a * 2", "2 * .a", ".a *= 2 | .a", "(.a + \"\") * 2", ".a * 0", "(.n | tostring) * 2"] {
            let why = message(code, r#"{"a":"5","n":5}"#);
            let want = "a number that is a text would be repeated, not multiplied; `tonumber` makes a number of it";
            assert_eq!(why, want, "{code}");
        }
        assert_eq!(literal(".a * 2", r#"{"a":"ab"}"#), "\"abab\"");
    }

    #[test]
    fn numbers_that_are_texts_are_not_ordered() {
        let body = r#"{"texts":["5","10","9"],"a":"9","b":10,"objects":[{"n":"9","id":"9"},{"n":"10","id":"10"}],
            "dates":["2026-11-25","2026-11-24"],"times":["1700000001","1700000000"],"codes":["USD","CNY"],
            "nulls":[null,5],"long":[0.12345678901234567890123456789,0.12345678901234567890123456788]}"#;
        let order = "a text that is a number would be ordered as text, in which \"9\" comes after \"10\"; `tonumber` \
                     makes a number of it";
        let null = "null cannot be ordered among numbers: `.nulls[0]` is null";
        let kinds = "a text of the answer cannot be ordered among numbers; `tonumber` makes a number of one";
        for (code, want) in [
            (".texts | max", order),
            (".texts | min", order),
            (".texts | sort", order),
            (".objects | max_by(.n)", order),
            (".objects | sort_by(.n)", order),
            ("[.texts] + [[\"7\"]] | max", order),
            ("if .a < 10 then .a else 999 end", order),
            ("10 > .a", order),
            (".b >= \"9\"", order),
            (".texts | unique | last", order),
            (".texts | unique | .[-1]", order),
            (".texts | unique | .[1:]", order),
            (".texts | unique | reverse | .[0]", order),
            (".texts | unique | first", order),
            (".texts | unique | nth(1)", order),
            (".objects | unique_by(.n) | last.n", order),
            (".objects | group_by(.n) | last | .[0].n", order),
            ("{\"9\":1,\"10\":2} | keys | last", order),
            (".a < \"10\"", order),
            ("try (.texts | max) catch 0", order),
            ("[.a, .b] | max", order),
            (".nulls | max", null),
            (".nulls | sort", null),
            (".nulls | sort_by(.)", null),
            ("[.nulls[0], .b] | min", null),
            ("[.nulls[] | select(. > 1)] | length", null),
            ("if .nulls[0] > 0 then .b else 0 end", null),
            ("if .b >= .nulls[0] then .b else 0 end", null),
            ("try (.nulls | max) catch 0", null),
            ("[.nulls[0], true, .b] | sort", null),
            ("[[.nulls[0]], [.b]] | max", null),
            ("if .nulls[0] < \"2026\" then 1 else 2 end", "null cannot be ordered among texts: `.nulls[0]` is null"),
            ("if .codes[0] > 5 then 1 else 2 end", kinds),
            ("[.codes[], .b] | max", kinds),
            ("[.codes[0], .b] | sort", kinds),
            (".long | max", "numbers that have more than 28 digits cannot be ordered"),
        ] {
            assert_eq!(message(code, body), want, "{code}");
            assert!(run(code, body).is_err_and(|trouble| !trouble.is_stopped), "{code}");
        }
        for (code, want) in [
            (".dates | max", "\"2026-11-25\""),
            (".times | min", "\"1700000000\""),
            (".codes | sort | tojson", "\"[\\\"CNY\\\",\\\"USD\\\"]\""),
            (".objects | group_by(.id) | length", "2"),
            (".texts + .texts | unique | length", "3"),
            (".times | unique | last", "\"1700000001\""),
            (".codes | unique | first", "\"CNY\""),
            (".objects | group_by(.id) | map(.[0].n | tonumber) | add", "19"),
            (".objects | unique_by(.id) | map(.n | tonumber) | max", "10"),
            (".objects | group_by(.id) | max_by(.[0].n | tonumber) | .[0].id", "\"10\""),
            (".texts | map(tonumber) | max", "10"),
            ("{\"9\":1,\"10\":2} | keys | length", "2"),
            ("[null, 5] | max", "5"),
            ("reduce .b as $n (null; if $n > . then $n else . end)", "10"),
            ("if .nulls[0] == null or .nulls[0] > 5 then 1 else 2 end", "1"),
            (
                "[.nulls[], .codes[], .b] | map(type) | tojson",
                r#""[\"null\",\"number\",\"string\",\"string\",\"number\"]""#,
            ),
            ("[.nulls[], .codes[], .b] | unique | length", "5"),
            ("[.nulls[] | numbers, (strings, arrays | 1)] | length", "1"),
            ("[.a] | max", "\"9\""),
            ("@sh \"\\(.b)\"", "\"10\""),
        ] {
            assert_eq!(literal(code, body), want, "{code}");
        }
    }

    /// Expressions that never end, or make more than there is room for.
    const RUNAWAYS: [&str; 52] = [
        "[range(1e9)]",
        "[range(infinite)]",
        "last(range(1e18))",
        "repeat(empty)",
        "[repeat(1)]",
        "last(repeat(1))",
        "until(false; .)",
        "[while(true; .)]",
        "[recurse(.)]",
        "[recurse(., .)]",
        "[limit(1e9; repeat(1))]",
        "first(repeat(.) | select(false))",
        "isempty(repeat(1) | select(false))",
        "reduce range(60) as $i (\"a\"; . + .)",
        "reduce range(60) as $i ([1]; . + .)",
        "reduce range(1e9) as $i (0; . + 1)",
        "[foreach range(1e9) as $i (0; . + $i)]",
        "\"x\" * 1e9",
        "\"x\" * 1e18",
        "1e9 * \"x\"",
        "reduce range(60) as $i (\"a\"; . * 10)",
        "\"a\" | until(false; @base64)",
        "\"a\" | until(false; @json)",
        "\"a\" | until(false; tojson)",
        "[range(1000)] | [.[] + .[] | . as $x | [range(1000)][]]",
        "[[range(100000)] | combinations(3)]",
        "[[range(1000)], [range(1000)], [range(1000)]] | [combinations]",
        "reduce range(1000000) as $i (0; [.])",
        "reduce range(1000000) as $i (0; {a: .})",
        "reduce range(1000000) as $i ({}; {a: .} * {b: .})",
        "reduce range(100) as $i (0; [., .]) | tojson",
        "reduce range(100) as $i (0; [., .]) | . == (. | tojson)",
        "reduce range(100) as $i (0; [., .]) | [.. ] | length",
        "reduce range(100) as $i (0; {a: ., b: .}) | @json",
        "reduce range(100) as $i (0; [., .]) | flatten",
        "reduce range(100) as $i (0; [., .]) as $x | reduce range(100) as $i (0; [., .]) | . == $x",
        "reduce range(100) as $i (0; [., .]) as $x | reduce range(100) as $i (0; [., .]) | . < $x",
        "reduce range(100) as $i (0; [., .]) as $x | reduce range(100) as $i (0; [., .]) | contains($x)",
        "null | path(repeat(.a) | select(false))",
        "null | first(path(recurse(.a)) | select(length > 1000000))",
        "null | [limit(1000000; path(recurse(.a)))] | length",
        "{a: 1} | [paths(repeat(true) | select(false))]",
        "null | .[range(1e9) | tostring] = 1",
        "\"a\" * 60000 | [limit(1e6; repeat(test(\"(a*)*b\")))]",
        "\"a\" * 60000 | [limit(1e6; repeat(gsub(\"a\"; \"b\")))]",
        "[range(1000)] | until(false; . + . | .[1000:])",
        "[range(200000)] as $x | [range(100000) | $x + [.]]",
        "[range(2000)] | until(false; sort_by([range(1000)]))",
        "\"bab\" | [splits(repeat(\"a\"))]",
        "def a: ., .; def b: a | a; def c: b | b; def d: c | c; def e: d | d; def f: e | e; [f]",
        "def a(g): g | g; def b(g): a(a(g)); def c(g): b(b(g)); def d(g): c(c(g)); def e(g): d(d(g)); def f(g): e(e(g)); f(f(.))",
        "def a(g): [g, g]; def b(g): a(a(g)); def c(g): b(b(g)); def d(g): c(c(g)); def e(g): d(d(g)); e(e(.))",
    ];

    #[test]
    fn a_runaway_is_stopped_within_its_bounds() {
        for code in RUNAWAYS {
            let begin = Instant::now();
            // A small stack, as a worker has it.
            let worker = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
            let trouble = worker.spawn(|| run(code, "{}").map(|shape| format!("{shape:?}"))).unwrap().join().unwrap();
            let trouble = trouble.expect_err(code);
            assert!(trouble.is_stopped, "{code}: {}", trouble.message);
            // The tests' build is many times slower than the real one.
            assert!(begin.elapsed() < Duration::from_secs(30), "{code} took {:?}", begin.elapsed());
        }
    }

    #[test]
    fn one_step_on_long_texts_takes_no_longer_than_they_are() {
        let long = "a".repeat(900_000);
        let body = format!(r#"{{"a": "{long}", "b": "{long}b", "s": "{}"}}"#, "a".repeat(65_000));
        for (code, want) in [
            ("(.a + .a) | indices(\"a\" * 900000) | length", "takes too many steps"),
            ("(\"a\" * 60000 * 30) | indices(\"a\" * 900000) | length", "takes too many steps"),
            ("(.b + .b) | index(\"a\" * 900000 + \"b\")", "Number(\"0\")"),
            ("(.a + .a) | rindex(\"a\" * 900000 + \"b\")", "Null"),
            (".b as $b | .a | contains($b[1:])", "Bool(false)"),
            (".a as $a | [limit(100; repeat(1)) | {($a): 1}] | length", "takes too many steps"),
            (".a as $a | {($a): 1} | [limit(100; repeat(.)) | has($a)] | length", "takes too many steps"),
            (".a as $a | {($a): 1} | [limit(100; repeat(.)) | .[$a]] | add", "takes too many steps"),
            ("[(.a, .a) | tonumber?] | length", "takes too many steps"),
            ("[.s | match(\"a{1,500}a{1,400}b\"; \"g\")] | length", "a pattern is too large for a text of this length"),
            (".s | test(\"a{1,500}a{1,400}b\")", "a pattern is too large for a text of this length"),
            ("[.s | match(\"()()()()a\"; \"g\")] | length", "takes too many steps"),
            ("\"aaab\" | test(\"^a{1,500}a{1,400}b$\")", "Bool(true)"),
            (".s | test(\"^[0-9]+\\\\.[0-9]+ (USD|EUR)$\")", "Bool(false)"),
        ] {
            let begin = Instant::now();
            let got = message(code, &body);
            assert!(got.contains(want), "{code}: {}", text::one_line(&got, 200));
            assert!(begin.elapsed() < Duration::from_secs(8), "{code} took {:?}", begin.elapsed());
        }
    }

    #[test]
    fn a_part_of_a_text_is_found_wherever_it_begins() {
        for (code, want) in [
            ("\"aaaa\" | indices(\"aa\")", "[0,1,2]"),
            ("\"abababa\" | indices(\"aba\")", "[0,2,4]"),
            ("\"äöäöä\" | indices(\"äöä\")", "[0,2]"),
            ("\"x余额余额y\" | indices(\"余额\")", "[1,3]"),
            ("\"aabaaab\" | indices(\"aaab\")", "[3]"),
            ("\"ab\" | indices(\"abc\")", "[]"),
            ("\"ab\" | indices(\"ab\")", "[0]"),
            ("\"ab\" | indices(\"\")", "[]"),
            ("\"\" | indices(\"a\")", "[]"),
            ("\"ä1 ö22\" | [match(\"([0-9])([0-9])?\"; \"g\") | .offset, .captures[].offset]", "[1,1,4,4,5]"),
        ] {
            let got = message(&format!("{code} | tojson"), "{}");
            assert!(got.contains(&format!("Text(\"{want}\")")), "{code}: {got}");
        }
    }

    #[test]
    fn a_large_answer_is_read_within_the_bounds() {
        let entries: Vec<String> =
            (0..1200).map(|n| format!(r#"{{"id":"id-{n}","kind":"paid","left":"1.50","currency":"USD"}}"#)).collect();
        let body = format!(r#"{{"data":{{"grants":[{}]}}}}"#, entries.join(","));
        // A tenth of an answer's size, as the tests' budget is a tenth.
        let code = "[.data.grants[] | select(.kind == \"paid\" and .currency == \"USD\") | .left | tonumber] | add";
        assert_eq!(format!("{:?}", run(code, &body).unwrap()), r#"Some(Number("1800"))"#);
    }

    #[test]
    fn a_defect_of_an_expression_is_found_when_it_is_compiled() {
        for (code, want) in [
            (".a |", "syntax error at its end"),
            ("foo", "`foo` is not known"),
            ("foo + bar + foo", "`bar` is not known; `foo` is not known"),
            ("$x", "`$x` is not known"),
            ("foo::bar", "`foo` is not known"),
            ("map(.; .)", "`map` is not known"),
            ("def f: f; f", "`f` calls itself, which is not supported"),
        ] {
            assert_eq!(Expression::compile(code).err().as_deref(), Some(want), "{code}");
        }
    }
}
