//! jq expressions over JSON bodies (the `jaq` crates), with what comes out reduced to what a page needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jaq_core::load::parse::Def;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::{Num, Val};

/// Deepest nesting of a body. The parser recurses, and an answer must not be able to overflow a stack.
const DEEPEST: usize = 128;

/// Native filters that end the process, read its environment or talk to its streams: unknown words in an expression, and so is
/// what jq defines with them.
const OUTWARD: [&str; 6] = ["halt", "env", "input", "inputs", "debug_empty", "stderr_empty"];

/// A parsed body.
pub struct Json(Val);

/// What `$currency` and `$options` are in an expression.
pub struct Variables {
    currency: Option<String>,
    options: BTreeMap<String, String>,
}

/// The first value an expression gives.
#[derive(Clone, Debug)]
pub enum Shape {
    /// null
    Null,
    /// true or false
    Bool(bool),
    /// A number as the body wrote it.
    Number(String),
    /// A number that arithmetic made.
    Float(f64),
    /// A string.
    Text(String),
    /// A list.
    Array,
    /// An object.
    Object(BTreeMap<String, Shape>),
}

/// A compiled expression; cheap to run, about a tenth of a millisecond to compile.
pub struct Expression(jaq_core::Filter<data::JustLut<Val>>);

impl Variables {
    /// The variables for one account.
    pub fn new(currency: Option<&str>, options: &BTreeMap<String, String>) -> Variables {
        Variables { currency: currency.map(str::to_owned), options: options.clone() }
    }

    /// The currency the project asks for.
    pub fn currency(&self) -> Option<&str> {
        self.currency.as_deref()
    }
}

/// Why code does not compile.
enum Wrong {
    /// It is no jq.
    Code(String),
    /// Names in it, or in the definitions it uses, are not known.
    Unknown(Vec<String>),
}

/// What jq defines in jq.
fn definitions() -> &'static [Def<&'static str>] {
    static ALL: LazyLock<Vec<Def<&'static str>>> =
        LazyLock::new(|| jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).collect());
    &ALL
}

impl Expression {
    /// Compiles jq code that may use `$currency` and `$options`.
    ///
    /// # Errors
    /// What is wrong, in one line.
    pub fn compile(code: &str) -> Result<Expression, String> {
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
                    let all = definitions();
                    wanted.extend(all.iter().map(|def| def.name).filter(|name| names.iter().any(|n| n == name)));
                    if wanted.len() == known {
                        let words: Vec<_> = names.into_iter().map(|name| format!("`{name}` is not known")).collect();
                        return Err(words.join("; "));
                    }
                    // In their order, as each knows only those before it.
                    defs = all.iter().filter(|def| wanted.contains(def.name)).cloned().collect();
                }
            }
        }
    }

    fn compile_with(code: &str, defs: &[Def<&'static str>]) -> Result<Expression, Wrong> {
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let funs = funs.filter(|(name, ..)| !OUTWARD.contains(name));
        let arena = Arena::default();
        let modules = Loader::new(defs.iter().cloned()).load(&arena, File { code, path: () }).map_err(|errors| {
            Wrong::Code(errors.into_iter().map(|(_, error)| load_error(&error)).collect::<Vec<_>>().join("; "))
        })?;
        Compiler::default()
            .with_funs(funs)
            .with_global_vars(["$currency", "$options"])
            .compile(modules)
            .map(Expression)
            .map_err(|errors| {
                let unknown = errors.into_iter().flat_map(|(_, errors)| errors);
                Wrong::Unknown(unknown.map(|(name, _)| name.to_owned()).collect())
            })
    }

    /// The first value for a body, or none if the expression is empty.
    ///
    /// # Errors
    /// The expression's own error message.
    pub fn run(&self, body: &Json, variables: &Variables) -> Result<Option<Shape>, String> {
        let currency = variables.currency.clone().map_or(Val::Null, Val::from);
        let options = variables.options.iter().map(|(k, v)| (Val::from(k.clone()), Val::from(v.clone())));
        let ctx = Ctx::<data::JustLut<Val>>::new(&self.0.lut, Vars::new([currency, Val::obj(options.collect())]));
        // Only the first: after an error the stream may go on for ever.
        match self.0.id.run((ctx, body.0.clone())).map(unwrap_valr).next() {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(shape(&value))),
            Some(Err(error)) => Err(match error.into_val() {
                Val::TStr(text) => String::from_utf8_lossy(&text).into_owned(),
                other => other.to_string(),
            }),
        }
    }
}

impl Json {
    /// The words in which services usually say what is wrong.
    pub fn error_message(&self) -> Option<String> {
        let field = |value: &Val, name: &str| match value {
            Val::Obj(map) => map.get(&Val::from(name.to_owned())).cloned(),
            _ => None,
        };
        let text = |value: Option<Val>| match value {
            Some(Val::TStr(text)) if !text.is_empty() => Some(String::from_utf8_lossy(&text).into_owned()),
            _ => None,
        };
        let nested = field(&self.0, "error");
        text(nested.as_ref().and_then(|error| field(error, "message")))
            .or_else(|| text(nested))
            .or_else(|| ["message", "Message", "msg", "detail"].iter().find_map(|name| text(field(&self.0, name))))
    }
}

/// Parses one JSON value.
///
/// # Errors
/// What is wrong, without quoting the body.
pub fn parse_json(body: &[u8]) -> Result<Json, String> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if nesting(body) > DEEPEST {
        return Err(format!("it is nested deeper than {DEEPEST} levels"));
    }
    jaq_json::read::parse_single(body).map(Json).map_err(|error| error.to_string())
}

/// The deepest nesting of brackets outside strings.
fn nesting(body: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in body {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn shape(value: &Val) -> Shape {
    match value {
        Val::Null => Shape::Null,
        Val::Bool(value) => Shape::Bool(*value),
        Val::Num(Num::Float(value)) => Shape::Float(*value),
        Val::Num(number) => Shape::Number(number.to_string()),
        Val::TStr(text) | Val::BStr(text) => Shape::Text(String::from_utf8_lossy(text).into_owned()),
        Val::Arr(_) => Shape::Array,
        Val::Obj(map) => Shape::Object(
            map.iter()
                .filter_map(|(key, value)| match key {
                    Val::TStr(key) => Some((String::from_utf8_lossy(key).into_owned(), shape(value))),
                    _ => None,
                })
                .collect(),
        ),
    }
}

fn load_error(error: &jaq_core::load::Error<&str>) -> String {
    use jaq_core::load::Error;
    let at = |rest: &str| {
        let rest = crate::text::one_line(rest, 30);
        if rest.is_empty() { "at its end".to_owned() } else { format!("at `{rest}`") }
    };
    match error {
        Error::Lex(errors) => {
            errors.iter().map(|(_, rest)| format!("unexpected character {}", at(rest))).collect::<Vec<_>>().join("; ")
        }
        Error::Parse(errors) => {
            errors.iter().map(|(_, rest)| format!("syntax error {}", at(rest))).collect::<Vec<_>>().join("; ")
        }
        Error::Io(_) => "it includes another file, which is not supported".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(code: &str, body: &str) -> Result<Option<Shape>, String> {
        let options = BTreeMap::from([("site".to_owned(), "ai".to_owned())]);
        let variables = Variables::new(Some("USD"), &options);
        Expression::compile(code)?.run(&parse_json(body.as_bytes())?, &variables)
    }

    #[test]
    fn values_keep_their_digits() {
        for (code, body, want) in [
            (".a", r#"{"a":123456789012345678.10}"#, r#"Some(Number("123456789012345678.10"))"#),
            (".a|tonumber", r#"{"a":"12.50"}"#, r#"Some(Number("12.50"))"#),
            (".a", "{}", "Some(Null)"),
            ("empty", "{}", "None"),
            ("$currency + $options.site", "{}", r#"Some(Text("USDai"))"#),
            ("{amount: .a}", r#"{"a":[1]}"#, r#"Some(Object({"amount": Array}))"#),
        ] {
            assert_eq!(format!("{:?}", run(code, body).unwrap()), want, "{code}");
        }
    }

    #[test]
    fn no_definition_hides_a_native_filter() {
        // Else an expression would mean something else without the definitions than with them.
        let natives: Vec<(&str, usize)> = jaq_core::funs::<data::JustLut<Val>>()
            .chain(jaq_std::funs())
            .chain(jaq_json::funs())
            .map(|(name, arguments, _)| (name, arguments.len()))
            .collect();
        for def in definitions() {
            assert!(!natives.contains(&(def.name, def.args.len())), "{}/{}", def.name, def.args.len());
        }
    }

    #[test]
    fn what_reaches_out_of_an_expression_is_an_unknown_word() {
        for code in [
            "halt",
            "halt(0)",
            "halt_error",
            "halt_error(0)",
            "if .error then halt else .b end",
            "env",
            "env.HOME",
            "$ENV",
            "input",
            "[inputs]",
            "debug",
            "debug(.a)",
            "stderr",
        ] {
            let error = Expression::compile(code).err().unwrap_or_else(|| panic!("{code} compiles"));
            assert!(error.contains("is not known"), "{code}: {error}");
        }
    }

    #[test]
    fn errors_are_one_line_and_end() {
        assert_eq!(run("error(\"no wallet\")", "{}").unwrap_err(), "no wallet");
        assert!(run(".a.b", r#"{"a":"x"}"#).unwrap_err().contains("cannot index"));
        assert_eq!(run(".a |", "{}").unwrap_err(), "syntax error at its end");
        assert_eq!(run("foo", "{}").unwrap_err(), "`foo` is not known");
        assert!(Expression::compile("\"abc").is_err());
    }

    #[test]
    fn a_deep_body_is_refused_not_followed() {
        assert!(parse_json("[".repeat(1_000_000).as_bytes()).is_err());
        assert!(parse_json("{\"a\":".repeat(100_000).as_bytes()).is_err());
        let strings = format!("[\"{}\", \"\\\"[[\"]", "[".repeat(1000));
        assert!(parse_json(strings.as_bytes()).is_ok());
        assert!(parse_json("\u{FEFF}{}".as_bytes()).is_ok());
        for bad in ["", " ", "{} {}", "{", "<html>"] {
            assert!(parse_json(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
