//! JSON bodies, read strictly: what is not JSON to the letter is no answer, and numbers keep their digits.

use std::rc::Rc;

use hifijson::SliceLexer;
use hifijson::num::LexWrite as _;
use hifijson::str::LexAlloc as _;
use hifijson::token::{Expect, Lex};
use indexmap::IndexMap;

use super::memory::Held;
use super::meter;
use super::number::Number;
use super::value::{ITEM, Value, ValuePath};
use crate::model::amount;

/// Deepest nesting of a body. The parser recurses, and an answer must not be able to overflow a stack.
pub(crate) const DEEPEST: usize = 128;

/// Lists and objects that know their own place; of the others it is known that they are somewhere. An answer of a megabyte
/// may hold a third of a million of them.
const MOST_PLACES: usize = 20_000;

/// Between two looks at the clock so many values are read.
const CLOCK_VALUES: usize = 1024;

/// Parses one JSON value as an answer, in which lists and objects know their place.
///
/// # Errors
/// What is wrong, without quoting the body.
pub(crate) fn answer(body: &[u8]) -> Result<Value, String> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    // A service that does not write UTF-8 still writes its numbers and keys in ASCII.
    match parse(&String::from_utf8_lossy(body), Some(ValuePath::root()))? {
        Value::Null(_) => Ok(Value::null_of_answer("is null")),
        value => Ok(value),
    }
}

/// Parses one JSON value that an expression found in a text. What came from the answer is one more answer: a null in it is
/// unknown, and its entries have no order.
///
/// # Errors
/// What is wrong, without quoting the text.
pub(super) fn text(text: &str, is_of_answer: bool) -> Result<Value, String> {
    match parse(text, is_of_answer.then(|| ValuePath::named("fromjson")))? {
        Value::Null(_) if is_of_answer => Ok(Value::null_of_answer("holds a text that `fromjson` reads as null")),
        value => Ok(value),
    }
}

fn parse(body: &str, place: Option<Rc<ValuePath>>) -> Result<Value, String> {
    if amount::has_endless_number(body.as_bytes()) {
        return Err("it holds a number of more than 100 digits".to_owned());
    }
    let mut lexer = SliceLexer::new(body.as_bytes());
    let mut places = Places { left: MOST_PLACES, somewhere: ValuePath::root().key("…"), twice: None, read: 0 };
    let parsed = lexer.exactly_one(Lex::ws_peek, |next, lexer| value(next, lexer, DEEPEST, place, &mut places));
    let parsed = parsed.map_err(|error| match error {
        hifijson::Error::Depth => format!("it is nested deeper than {DEEPEST} levels"),
        error => format!("byte offset {}: {error}", body.len() - lexer.as_slice().len()),
    })?;
    match places.twice {
        Some(key) => Err(format!("the key `{key}` stands twice in one object, with different values")),
        None => Ok(parsed),
    }
}

/// Gives lists and objects their places, as long as there are some.
struct Places {
    left: usize,
    somewhere: Rc<ValuePath>,
    /// The first key that stands twice in one object with different values: nobody knows which of them is meant.
    twice: Option<Rc<ValuePath>>,
    /// How many values were read.
    read: usize,
}

impl Places {
    /// Notes a key that was there before, if it had another value. Each value is compared with two others at most.
    fn note(&mut self, object: Option<&Rc<ValuePath>>, key: &str, old: &Value, new: &Value) {
        if self.twice.is_none() && old != new {
            self.twice = Some(object.map_or_else(ValuePath::root, Rc::clone).key(key));
        }
    }

    /// Counts a value, and looks at the clock now and then.
    fn count(&mut self) {
        self.read += 1;
        if self.read.is_multiple_of(CLOCK_VALUES) {
            meter::look_at_clock();
        }
    }

    /// The place of what begins with `next`; only what holds others has one.
    fn of(
        &mut self,
        next: u8,
        outer: Option<&Rc<ValuePath>>,
        place: impl FnOnce(&Rc<ValuePath>) -> Rc<ValuePath>,
    ) -> Option<Rc<ValuePath>> {
        let outer = outer.filter(|_| matches!(next, b'[' | b'{'))?;
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Some(place(outer))
            }
            None => Some(Rc::clone(&self.somewhere)),
        }
    }
}

fn value(
    next: u8,
    lexer: &mut SliceLexer,
    depth: usize,
    place: Option<Rc<ValuePath>>,
    places: &mut Places,
) -> Result<Value, hifijson::Error> {
    places.count();
    let below = || depth.checked_sub(1).ok_or(hifijson::Error::Depth);
    Ok(match next {
        b'a'..=b'z' => lexer.null_or_bool().ok_or(Expect::Value)?.map_or(Value::NULL, Value::Bool),
        b'0'..=b'9' | b'-' => Value::Number(Number::from_json(lexer.num_string().validated()?.0)),
        b'"' => Value::answer(lexer.discarded().str_string()?.into_owned()),
        b'[' => {
            let (below, mut items) = (below()?, Vec::new());
            // While the list grows, its capacity (doubling) is charged; afterwards its real size.
            let mut growing = Held::default();
            lexer.discarded().seq(b']', Lex::ws_peek, |next, lexer| {
                let inside = places.of(next, place.as_ref(), |outer| outer.index(items.len()));
                growing.grow(2 * ITEM);
                items.push(value(next, lexer, below, inside, places)?);
                Ok::<_, hifijson::Error>(())
            })?;
            drop(growing);
            items.shrink_to_fit();
            Value::list(items, place)
        }
        b'{' => {
            let (below, mut fields) = (below()?, IndexMap::<Rc<str>, Value>::new());
            lexer.discarded().seq(b'}', Lex::ws_peek, |next, lexer| {
                lexer.expect(|_| Some(next), b'"').ok_or(Expect::String)?;
                let key = lexer.str_string()?;
                lexer.expect(Lex::ws_peek, b':').ok_or(Expect::Colon)?;
                let next = lexer.ws_peek().ok_or(Expect::Value)?;
                let inside = places.of(next, place.as_ref(), |outer| outer.key(&key));
                let value = value(next, lexer, below, inside, places)?;
                if let Some(old) = fields.insert((*key).into(), value) {
                    places.note(place.as_ref(), &key, &old, &fields[&*key]);
                }
                Ok::<_, hifijson::Error>(())
            })?;
            Value::object(fields, place)
        }
        _ => Err(Expect::Value)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_is_json() {
        for good in [
            "{}",
            " [1, -2.5e+3, \"a\\u00e9\\n\", true, false, null]\r\n",
            "0",
            "-0.0",
            "\"\"",
            "\u{FEFF}{}",
            r#"{"a":{"b":[{}]}}"#,
        ] {
            assert!(answer(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{} {}",
            "{}x",
            "<html>",
            "nul",
            "True",
            "NaN",
            "Infinity",
            "-Infinity",
            "nan",
            "+1",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "0x1F",
            "1_000",
            "[1 2]",
            "{1:2}",
            "{'a':1}",
            "b\"x\"",
            "# c\n1",
            "[1]# c",
            "{\"a\" 1}",
            "\"\\x41\"",
            "\"\\ud800\"",
            "\"a\nb\"",
            "[+1]",
            "[01]",
            "[NaN]",
        ] {
            assert!(answer(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(answer(b"{\"a\": \"\xCA\xA3\", \"b\": 1}").is_ok(), "a text in another encoding spoils only itself");
    }

    #[test]
    fn a_key_that_stands_twice_with_different_values_is_named() {
        for (body, want) in [
            (r#"{"a":"5","a":"7"}"#, Some("`.a`")),
            (r#"{"d":[{"Available":1,"b":0,"Available":2}]}"#, Some("`.d[0].Available`")),
            (r#"{"a":{"b":1},"a":{"b":2}}"#, Some("`.a`")),
            (r#"{"bob@example.com":1,"bob@example.com":2}"#, Some("`.[\"…\"]`")),
            (r#"{"a":null,"a":0}"#, Some("`.a`")),
            (r#"{"a":"5","a":"5"}"#, None),
            (r#"{"a":{"b":1,"c":[1.0]},"a":{"c":[1],"b":1}}"#, None),
            (r#"[{"a":1},{"a":2}]"#, None),
        ] {
            let want = want.map(|key| format!("the key {key} stands twice in one object, with different values"));
            assert_eq!(answer(body.as_bytes()).err(), want, "{body}");
        }
        assert!(text(r#"{"a":1,"a":2}"#, false).is_err());
        // It takes a moment, however often a key stands there and however large its values are.
        let value = format!("[{}0]", "0,".repeat(1000));
        let many = format!("{{{}\"a\":{value}}}", format!("\"a\":{value},").repeat(500));
        let begin = std::time::Instant::now();
        assert!(answer(many.as_bytes()).is_ok());
        assert!(begin.elapsed() < std::time::Duration::from_secs(20), "{:?}", begin.elapsed());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(answer(nested(DEEPEST).as_bytes()).is_ok());
        let deep = answer(nested(DEEPEST + 1).as_bytes()).unwrap_err();
        assert_eq!(deep, "it is nested deeper than 128 levels");
        assert!(answer("[".repeat(1_000_000).as_bytes()).is_err());
        assert!(answer("{\"a\":".repeat(100_000).as_bytes()).is_err());
        assert!(answer(format!("[\"{}\", \"\\\"[[\"]", "[".repeat(1000)).as_bytes()).is_ok());
    }
}
