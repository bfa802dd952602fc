//! jq expressions over JSON bodies (the `jaq` crates), with what comes out reduced to what a page needs.

mod body;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use jaq_core::load::parse::Def;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars};

use super::meter::{self, Bounds, Order};
use super::stop::mebibytes;
use super::value::{Missing, OF_DATE};
use super::variables;
pub use super::variables::Variables;
use super::{Jq, Number, Stop, Terms, Value, memory, service_message};
use crate::model::amount::Doubt;
use crate::model::text;

/// Most values of an `error` expression that are told.
const MOST_VALUES: usize = 3;
/// Most fields of an object that are looked at.
const MOST_FIELDS: usize = 100;

/// A parsed body.
pub struct Json(Value);

/// What an expression gives.
#[derive(Clone, Debug)]
pub enum Shape {
    /// null
    Null,
    /// null, because the answer has nothing there, or what cannot stand for what is there: what was looked for where, or why not.
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

/// What an expression gives for a balance.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The value, if there is one.
    pub value: Option<Shape>,
    /// What is in doubt of the texts that it was read from, until their currency is known.
    pub doubts: Vec<Doubt>,
    /// Whether a text in the answer which `fromjson` has read says that something is wrong.
    pub is_denied: bool,
}

/// What an evaluation has met.
#[derive(Default)]
struct Met {
    /// How many entries of one list or object it went through.
    entries: usize,
    /// How many steps it took.
    steps: u64,
    doubts: Vec<Doubt>,
    /// Why a text that looks like a number was not read as one.
    refused: Option<&'static str>,
    is_denied: bool,
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
    /// Compiles jq code that may use the variables of [`Variables`].
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
            .with_global_vars(variables::NAMES)
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

    /// The value for a body as JSON, with its keys in the order of the expression; none if the expression is empty.
    ///
    /// # Errors
    /// As [`Expression::run`].
    pub fn made(&self, body: &Json, variables: &Variables) -> Result<Option<String>, Trouble> {
        let bounds = self.bounds();
        let (value, _) = self.single(&bounds, Order::Given, body, variables)?;
        // To write a value counts as well.
        let write = || value.as_ref().map(Value::to_json);
        meter::metered(&bounds, Order::Given, write).map_err(|stop| self.stopped(stop, &bounds))
    }

    /// As [`Expression::run`], for a balance: none of several entries may be chosen by where it happens to stand. Where the
    /// expression went through several entries of the answer, it must give the same if they stand in another order. What it
    /// takes from a list of the answer itself by an index was chosen by the page's author.
    ///
    /// # Errors
    /// As [`Expression::run`], and where the order decides.
    pub(crate) fn run_in_any_order(&self, body: &Json, variables: &Variables) -> Result<Taken, Trouble> {
        let bounds = self.bounds();
        let (value, met) = self.single(&bounds, Order::Given, body, variables)?;
        if value.as_ref().is_some_and(Value::is_object_of_answer) {
            let hint = "name the fields, for example `.balance | {amount, currency}`";
            let why =
                "the expression gives an object of the answer, of which only the page can say what its fields mean";
            return Err(Trouble { hint: Some(hint), ..Trouble::new(why) });
        }
        if value.as_ref().is_some_and(Value::is_of_text) {
            let why = "the expression gives a number that only says something of the characters of a text";
            return Err(Trouble::new(why));
        }
        let date = value.as_ref().and_then(Value::no_number).filter(|why| *why == OF_DATE);
        if let Some(why) = met.refused.or(date) {
            let hint =
                "`?`, `try` and `//` around `tonumber` hide no number; choose what is read, for example with `select`";
            return Err(Trouble {
                hint: Some(hint),
                ..Trouble::new(format!("a text cannot be read as a number: {why}"))
            });
        }
        if let Some(given) = value.as_ref().filter(|value| met.entries > 1 && !matches!(value, Value::Null(_))) {
            for order in Order::others(met.entries, met.steps, bounds.left()) {
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
        Ok(Taken { value: value.as_ref().map(shape), doubts: met.doubts, is_denied: met.is_denied })
    }

    /// The value for a body in each of several orders in which its entries may stand, that of the body first. Where the expression
    /// did not go through several entries there is only that one. Where it fails in another order its value is none.
    ///
    /// # Errors
    /// As [`Expression::run`].
    pub(crate) fn run_in_all_orders(&self, body: &Json, variables: &Variables) -> Result<Vec<Option<Shape>>, Trouble> {
        let bounds = self.bounds();
        let (value, met) = self.single(&bounds, Order::Given, body, variables)?;
        let mut values = vec![value.as_ref().map(shape)];
        for order in Order::others(met.entries, met.steps, bounds.left()) {
            values.push(match self.single(&bounds, order, body, variables) {
                Ok((other, _)) => other.as_ref().map(shape),
                Err(trouble) if trouble.is_stopped => return Err(trouble),
                Err(_) => None,
            });
        }
        Ok(values)
    }

    /// The one value of a body whose entries are met in an order, and what was met on the way.
    fn single(
        &self,
        bounds: &Bounds,
        order: Order,
        body: &Json,
        variables: &Variables,
    ) -> Result<(Option<Value>, Met), Trouble> {
        let before = bounds.left();
        let (value, met) = self.evaluate(bounds, order, body, variables, |values| {
            let Some(first) = values.next().transpose()? else {
                return Ok((None, Met::default()));
            };
            match values.next().transpose()? {
                None => {
                    // What is in doubt of texts that are given as numbers is noted on the way.
                    first.fields().into_iter().flatten().map(|(_, field)| field).chain([&first]).for_each(|value| {
                        value.no_number();
                    });
                    let (entries, doubts, refused) = (meter::entries_met(), meter::doubts(), meter::refusal());
                    let is_denied = meter::has_met_denial();
                    Ok((Some(first), Met { entries, doubts, refused, is_denied, steps: 0 }))
                }
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
        })?;
        Ok((value, Met { steps: before.saturating_sub(bounds.left()), ..met }))
    }

    /// Every value for a body, at most `most` of them; a list counts as what is in it.
    ///
    /// # Errors
    /// The expression's own error, or that there are more.
    pub fn all(&self, body: &Json, variables: &Variables, most: usize) -> Result<Vec<Shape>, Trouble> {
        self.evaluate(&self.bounds(), Order::Given, body, variables, |values| {
            let mut all = Vec::new();
            for value in values {
                let value = value?;
                all.extend(value.items().unwrap_or(std::slice::from_ref(&value)).iter().map(shape));
                if all.len() > most {
                    return Err(Trouble::new(format!("the expression gives more than {most} values")));
                }
            }
            Ok(all)
        })
    }

    /// What an `error` expression says is wrong: nothing, one thing or several. A list counts as what is in it, and what
    /// is empty, zero, null or false is no error. An answer is right only if it is in whichever order its entries stand.
    ///
    /// # Errors
    /// The expression's own error.
    pub fn errors(&self, body: &Json, variables: &Variables) -> Result<Vec<Shape>, Trouble> {
        let bounds = self.bounds();
        let before = bounds.left();
        let (mut errors, entries) = self.errors_in(&bounds, Order::Given, body, variables)?;
        let used = before.saturating_sub(bounds.left());
        for order in Order::others(entries, used, bounds.left()) {
            if !errors.is_empty() {
                break;
            }
            errors = self.errors_in(&bounds, order, body, variables)?.0;
        }
        Ok(errors)
    }

    /// The errors of a body whose entries are met in an order, and how many entries were met.
    fn errors_in(
        &self,
        bounds: &Bounds,
        order: Order,
        body: &Json,
        variables: &Variables,
    ) -> Result<(Vec<Shape>, usize), Trouble> {
        self.evaluate(bounds, order, body, variables, |values| {
            let mut errors = Vec::new();
            for value in values {
                let value = value?;
                let items = value.items().unwrap_or(std::slice::from_ref(&value));
                errors.extend(
                    items
                        .iter()
                        .filter(|item| service_message::is_error(item))
                        .take(MOST_VALUES - errors.len())
                        .map(error),
                );
                if errors.len() == MOST_VALUES {
                    break;
                }
            }
            Ok((errors, meter::entries_met()))
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

impl From<Value> for Json {
    fn from(value: Value) -> Json {
        Json(value)
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
        Stop::Cpu => {
            "to read it takes more than its share of the CPU time that this process may take (`ulimit -t`)".to_owned()
        }
        Stop::Memory(most) => format!("its values take more than {} of memory", mebibytes(most)),
        other => other.to_string(),
    }
}

/// An error as the page or the service words it.
fn error(value: &Value) -> Shape {
    let mut shape = shape(value);
    if let Shape::Object(fields) = &mut shape
        && !matches!(fields.get("message"), Some(Shape::Text(_) | Shape::Number(_)))
        && let Some(words) = service_message::said(value)
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
        Value::Text(_) => match value.no_number() {
            Some(why) if why != OF_DATE => Shape::Missing(format!("of a text {why}")),
            _ => Shape::Text(value.as_amount().unwrap_or_default().to_owned()),
        },
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
mod tests;
