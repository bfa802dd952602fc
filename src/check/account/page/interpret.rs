//! What the answers to a page's requests mean: a balance, a failure, or what to ask next.

mod denied;
mod each;
mod reader;

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use self::denied::{
    denied, filled_in, filled_in_number, in_other_currency, is_of_nothing, looks_at_nothing, of_nothing, undenied,
    unfounded,
};
pub(crate) use self::reader::Reader;
use self::reader::StepReader;
use super::Page;
use super::ask::{Form, PARTIAL};
use super::balance::{another_currency, certain};
use super::beside::is_true;
use super::error::{ErrorTest, OwnError, decode, page_error, repeated};
use super::number::{bound, doubt, in_known_currency, without_side, without_unit};
use crate::check::{Amount, Reading};
use crate::model::amount::{self, Doubt, exact};
use crate::model::charset;
use crate::model::failure::{Failure, Reason};
use crate::page::expression::{Expression, Json, Shape, Variables, parse_json};
use crate::page::variables::Bound;
use crate::page::{Stop, evaluate, service_message, xml};

/// An answer as it came.
pub(crate) struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The headers, with names in small letters.
    pub headers: &'a BTreeMap<String, String>,
    pub body: &'a [u8],
}

/// What a project wants of an answer.
pub(crate) struct Wanted {
    /// What expressions know.
    pub variables: Variables,
    /// How much may be spent, for a page that tells what was.
    pub budget: Option<Decimal>,
}

/// How far a page's requests have come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The step that is asked next.
    pub step: usize,
    /// What asks for its next page; none for the first one.
    pub page: Option<Bound>,
    /// What was bound and added so far.
    pub bound: BTreeMap<String, Bound>,
    /// What this step is still to be asked for; the last one comes next.
    items: Vec<Bound>,
    /// How many pages of this step were read.
    pages: u16,
    /// What was added over the pages of this step.
    sums: BTreeMap<String, Decimal>,
    /// The currency that the pages of this step say.
    said: Option<String>,
    /// What is in doubt of the texts that were bound and added, until the currency of the balance is known.
    doubts: Vec<Doubt>,
    /// The currency of the project or the page that texts have named which were added. The balance must be in it.
    named: Option<String>,
}

/// What follows from an answer: a reading, a failure, or the next request.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// A balance.
    Read(Reading),
    /// A balance that stands only if the page's second question says so.
    Unconfirmed(Reading),
    /// Something else is to be asked first.
    Next(Progress),
}

impl Page {
    /// Reads the answer to the step that `progress` has come to.
    ///
    /// # Errors
    /// The failure it is: by the page's own test first, then by status, then by what the body lacks.
    pub(crate) fn interpret(
        &self,
        reader: &Reader,
        progress: &Progress,
        answer: &Answer,
        wanted: &Wanted,
    ) -> Result<Verdict, Failure> {
        evaluated(answer.body, || self.meaning(reader, progress, answer, wanted))
    }

    fn meaning(
        &self,
        reader: &Reader,
        progress: &Progress,
        answer: &Answer,
        wanted: &Wanted,
    ) -> Result<Verdict, Failure> {
        let (Some(step), Some(request)) = (reader.steps.get(progress.step), self.requests().nth(progress.step)) else {
            return Err(Failure::new(Reason::Internal, "there is no such step"));
        };
        let variables = wanted.variables.answered(answer.status, answer.headers).binding(&progress.bound);
        let parsed = parsed(request.answer, answer);
        if !request.accepts(answer.status) {
            let own = parsed.as_ref().ok().and_then(|body| {
                let said = step.error.as_ref().and_then(|error| page_error(error, body, &variables).transpose());
                said.and_then(Result::ok)
            });
            return Err(self.status_failure(answer.status, own, parsed.ok().as_ref(), answer.body));
        }
        let body =
            parsed.map_err(|why| Failure::new(Reason::Decode, describe_body(request.answer, answer.body, &why)))?;
        if let Some(error) = &step.error
            && let Some(own) = page_error(error, &body, &variables)?
        {
            return Err(own.failure);
        }
        // Where a page reads a refusal as an answer, that it is one says nothing.
        let is_success = (200..300).contains(&answer.status);
        let undenied = |what: &str| if is_success { undenied(reader, &body, answer.headers, what) } else { Ok(()) };
        let before = progress;
        let (mut progress, has_next_page) = progressed(self, reader, before, &body, &variables, &undenied)?;
        if let Some(known) = self.known_currency(&variables).filter(|_| !progress.sums.is_empty())
            && let Some(other) = body.with_other_currencies(known, &|field| reader.names(field))
            && let Ok((other, _)) = progressed(self, reader, before, &other, &variables, &undenied)
            && other.sums != progress.sums
        {
            return Err(in_other_currency("a sum", known));
        }
        if has_next_page || each::goes_on(step, &mut progress) {
            return Ok(Verdict::Next(progress));
        }
        // None of several answers stands for the others.
        let nothing = step.each.as_ref().and_then(|_| parse_json(b"null").ok());
        let seen = nothing.as_ref().unwrap_or(&body);
        let variables = variables.binding(&progress.bound);
        if let Some(step) = following(reader, progress.step, seen, &variables)? {
            let Progress { mut bound, doubts, named, .. } = progress;
            let each = reader.steps[step].each.as_ref();
            let items = each.map(|each| each::begun(each, seen, &variables, &mut bound)).transpose()?;
            let items = items.unwrap_or_default();
            return Ok(Verdict::Next(Progress { step, bound, items, doubts, named, ..Progress::default() }));
        }
        let wanted = Wanted { variables: variables.clone(), ..*wanted };
        let (reading, is_denied_inside) = self.read(reader, seen, &wanted, &progress.doubts)?;
        let of_other = |other: &Json| Some(self.read(reader, other, &wanted, &progress.doubts).ok()?.0.amount);
        let is_calculated_from = |other: &Json| of_other(other).as_ref() != Some(&reading.amount);
        let has_pages = step.next.is_some();
        if let Some(failure) = unfounded(reader, seen, &reading, has_pages, &is_calculated_from) {
            return Err(failure);
        }
        if let Some(what) = filled_in(&reading.amount, self.scaled(Decimal::NEGATIVE_ONE)) {
            let is_empty = matches!(&reading.amount, Amount::Of(amount) if amount.is_zero());
            if !(is_empty && self.spend.is_none() && body.says_that_nothing_is_left()) {
                undenied(what)?;
                if is_denied_inside && !reader.others.contains("fromjson") {
                    return Err(denied(&body, what));
                }
            }
        } else if seen.may_be_filled_in()
            && let Err(failure) = undenied("a zero or a -1 that the balance was calculated from")
            && !body.says_that_nothing_is_left()
            && seen.with_others_for_filled_in().is_some_and(|other| is_calculated_from(&other))
        {
            return Err(failure);
        }
        let reading = if self.spend.is_some() { within_budget(reading, wanted.budget)? } else { reading };
        let other = reading.currency.as_ref().zip(progress.named.as_ref());
        if let Some((currency, named)) = other.filter(|(currency, named)| !amount::is_same(currency, named)) {
            return Err(another_currency(currency, &format!("what was added is in {named}")));
        }
        if let Some((when, _)) = &reader.confirm {
            let doubt = when
                .run(seen, &variables)
                .map_err(|why| decode("it is not clear whether the balance can be trusted", why))?;
            if !matches!(doubt, None | Some(Shape::Null | Shape::Missing(_) | Shape::Bool(false))) {
                return Ok(Verdict::Unconfirmed(reading));
            }
        }
        Ok(Verdict::Read(reading))
    }

    /// The reading in the last answer; what was spent, if that is what the page tells. `earlier` is what is in doubt of the answers before it.
    /// Beside it, whether it was taken out of a text that says that something is wrong.
    fn read(
        &self,
        reader: &Reader,
        body: &Json,
        wanted: &Wanted,
        earlier: &[Doubt],
    ) -> Result<(Reading, bool), Failure> {
        let variables = &wanted.variables;
        let unlimited = reader.unlimited.as_ref().map(|expression| {
            let said = expression.run_in_any_order(body, variables);
            let unclear = "it is not clear whether the account has a limit";
            let said = said.map_err(|why| decode(unclear, why))?;
            is_true(said.value).map_err(|why| Failure::new(Reason::Decode, format!("{unclear}: {why}")))
        });
        let is_unlimited = unlimited.transpose()?.unwrap_or_default();
        if is_unlimited && self.unlimited.as_ref().is_some_and(|code| looks_at_nothing(code, body)) {
            let message = "it is not clear whether the account has a limit: the answer holds nothing of what `unlimited` looks at";
            return Err(Failure::new(Reason::Decode, message).with_hint(
                "test something that every good answer has, or ask whether it is there: `has(\"limit\") | not`",
            ));
        }
        let mut is_denied = false;
        let mut reading = if is_unlimited {
            Reading::new(Amount::Unlimited, self.counted_in().map(str::to_owned))
        } else {
            let value = reader.measured.run_in_any_order(body, variables);
            is_denied = value.as_ref().is_ok_and(|taken| taken.is_denied);
            self.reading(value, variables, earlier).map_err(|mut failure| {
                // A page without a test for errors still meets them.
                if let Some(words) = body.refusal().filter(|_| failure.reason == Reason::Decode) {
                    failure.message = format!("{}; the service says", failure.message);
                    failure = failure.saying(words);
                }
                failure
            })?
        };
        reading.beside = self.beside(&reader.beside, body, variables, reading.currency.as_deref());
        Ok((reading, is_denied))
    }

    /// Whether the second answer lets the first stand.
    ///
    /// # Errors
    /// The failure it is: an answer that cannot be read confirms nothing.
    pub(crate) fn confirm(&self, reader: &Reader, answer: &Answer, wanted: &Wanted) -> Result<(), Failure> {
        match &reader.confirm {
            Some((_, error)) => evaluated(answer.body, || self.confirmation(error, answer, &wanted.variables)),
            None => Ok(()),
        }
    }

    fn confirmation(&self, error: &ErrorTest, answer: &Answer, variables: &Variables) -> Result<(), Failure> {
        let parsed = parse_json(answer.body);
        if !(200..300).contains(&answer.status) || answer.status == PARTIAL {
            return Err(self.status_failure(answer.status, None, parsed.ok().as_ref(), answer.body));
        }
        let body = parsed.map_err(|why| Failure::new(Reason::Decode, describe_body(Form::Json, answer.body, &why)))?;
        match page_error(error, &body, variables)? {
            Some(own) => Err(own.failure),
            None => Ok(()),
        }
    }

    /// The failure an HTTP status stands for, told in the service's own words where the body has some.
    fn status_failure(&self, status: u16, own: Option<OwnError>, answer: Option<&Json>, body: &[u8]) -> Failure {
        let can_repeat_help = own.as_ref().and_then(|own| own.can_repeat_help);
        let own = own.map(|own| own.failure);
        let what = match status {
            401 => "the credential was refused",
            403 => "the credential may not read this",
            404 | 410 => "the address is not there, or the service has retired it",
            429 if can_repeat_help != Some(false) => "too many requests",
            PARTIAL => "the answer is only a part of the whole",
            300..=399 => "the service answered with a redirect that was not followed",
            500..=599 => "the service has a fault of its own",
            _ => "the request was refused",
        };
        let said = match &own {
            Some(own) => own.said().map(str::to_owned),
            // What a success holds is the data, and no message.
            None if (200..300).contains(&status) => None,
            None => answer.and_then(Json::error_message).or_else(|| service_message::plain(body)),
        };
        let advice = own.as_ref().and_then(Failure::advice).map(str::to_owned);
        let message = format!("{what} (HTTP {status})");
        // A page knows its own codes better than the status does: a bad key may come as 404, throttling as 400.
        let own_reason = own.as_ref().map(|f| f.reason).filter(|reason| *reason != Reason::Api);
        let mut failure = match own_reason {
            Some(Reason::RateLimited) => Failure::transient(Reason::RateLimited, message),
            Some(reason) => Failure::new(reason, message),
            // The page says that it is something else than too many requests.
            None if status == 429 && can_repeat_help == Some(false) => Failure::new(Reason::Api, message),
            None => Failure::of_status(status, message),
        };
        failure.retry = repeated(failure.retry, can_repeat_help);
        failure = failure.saying(said.unwrap_or_default());
        failure.hint = own.and_then(|f| f.hint);
        if failure.hint.is_none() && advice.is_none() {
            failure.hint = self.hints.get(&status.to_string()).cloned();
        }
        failure.advising(advice.unwrap_or_default())
    }
}

/// What is left of a budget.
fn within_budget(reading: Reading, budget: Option<Decimal>) -> Result<Reading, Failure> {
    let Amount::Of(spent) = reading.amount else {
        return Ok(reading);
    };
    let Some(budget) = budget else {
        return Err(Failure::new(
            Reason::Config,
            "`budget` is missing: the service tells what was spent, and not what is left",
        ));
    };
    let rest = exact::sum(budget, -spent)
        .ok_or_else(|| Failure::new(Reason::Decode, "what is left of the budget has more than 28 digits"))?;
    let mut reading = Reading { amount: Amount::Of(rest), ..reading };
    reading.beside.total.get_or_insert(budget);
    reading.beside.usage.get_or_insert(spent);
    Ok(reading)
}

/// What a step has bound and added with one more answer, and whether there is another page of it.
fn progressed(
    page: &Page,
    reader: &Reader,
    progress: &Progress,
    body: &Json,
    variables: &Variables,
    undenied: &dyn Fn(&str) -> Result<(), Failure>,
) -> Result<(Progress, bool), Failure> {
    let step = &reader.steps[progress.step];
    let mut next = Progress { pages: progress.pages + 1, page: None, ..progress.clone() };
    let mut doubts: Vec<Doubt> = Vec::new();
    let mut value = |name: &str, expression: &Expression| {
        let taken = expression.run_in_any_order(body, variables);
        let taken = taken.map_err(|why| decode(&format!("`{name}` could not be read"), why))?;
        doubts.extend(&taken.doubts);
        certain(taken, page.known_currency(variables)).map_err(|why| unread(name, why))
    };
    for (name, expression) in &step.bind {
        let value = bound(value(name, expression)?).map_err(|why| unread(name, why))?;
        if let Some(filled) = value.as_str().parse().ok().and_then(filled_in_number) {
            undenied(&format!("{filled} for `{name}`"))?;
        }
        let before = next.bound.insert(name.clone(), value.clone());
        // Only this step binds it, so it is of another page or another item.
        if before.is_some_and(|before| before != value) {
            return Err(unread(name, "the answers to the step say different values".to_owned()));
        }
    }
    for (name, expression) in &step.sum {
        let value = value(name, expression)?.unwrap_or(Shape::Null);
        next.doubts.extend(doubt(&value));
        // Nobody knows yet whether the sum is to be taken off the balance.
        let value = without_side(value).map_err(|why| unread(name, why))?;
        let value = if page.scale.is_some() { without_unit(value) } else { Ok(value) };
        let value = value.map_err(|why| unread(name, why))?;
        let known = page.known_currency(variables);
        let (value, currency) = in_known_currency(value, known).map_err(|why| unread(name, why))?;
        if let Some(filled) = filled_in_number(value) {
            undenied(&format!("{filled} for a sum"))?;
        }
        let code = page.steps.get(progress.step).and_then(|step| step.sum.get(name));
        if value.is_zero() && code.is_some_and(|code| is_of_nothing(code, body)) {
            let other = body.with_other_numbers().map(|other| expression.run(&other, variables));
            if other.is_none_or(|other| matches!(other, Ok(Some(Shape::Number(number))) if number == "0")) {
                return Err(of_nothing("a zero for a sum"));
            }
        }
        next.named = currency.and(known).map(str::to_owned).or(next.named);
        let sum = next.sums.entry(name.clone()).or_default();
        *sum = exact::sum(*sum, value).ok_or_else(|| unread(name, "the sum has more than 28 digits".to_owned()))?;
        next.bound.insert(name.clone(), Bound::Number(sum.to_string()));
    }
    next.doubts.extend(doubts);
    next.doubts.dedup();
    if !step.sum.is_empty() {
        next.said = one_currency(reader, progress, &next, body, variables)?;
    }
    has_next_page(step, progress, &mut next, body, variables).map(|has_next| (next, has_next))
}

fn unread(name: &str, why: String) -> Failure {
    Failure::new(Reason::Decode, format!("`{name}` could not be read: {why}"))
}

/// The currency that all pages of a sum say, as far as they say one.
///
/// # Errors
/// The last page says another one than those before it.
fn one_currency(
    reader: &Reader,
    before: &Progress,
    now: &Progress,
    body: &Json,
    variables: &Variables,
) -> Result<Option<String>, Failure> {
    let other =
        || Failure::new(Reason::Decode, "the answers to the step are in different currencies, so there is no sum");
    let unit = |bound: &Bound| Some(bound.as_str().to_owned()).filter(|word| amount::is_unit(word));
    for (name, bound) in &now.bound {
        let pair = before.bound.get(name).and_then(unit).zip(unit(bound));
        if pair.is_some_and(|(one, another)| !amount::is_same(&one, &another)) {
            return Err(other());
        }
    }
    // What the balance would say of this page alone. Where it says nothing yet, only its last page does.
    let said = match reader.measured.run(body, &variables.binding(&now.bound)) {
        Ok(Some(Shape::Object(mut fields))) => match fields.remove("currency") {
            Some(Shape::Text(said)) if !said.trim().is_empty() => Some(said),
            _ => None,
        },
        _ => None,
    };
    match (&before.said, said) {
        (Some(one), Some(another)) if !amount::is_same(one, &another) => Err(other()),
        (one, another) => Ok(another.or_else(|| one.clone())),
    }
}

/// Whether there is another page of a step; what asks for it goes into `next`.
fn has_next_page(
    step: &StepReader,
    progress: &Progress,
    next: &mut Progress,
    body: &Json,
    variables: &Variables,
) -> Result<bool, Failure> {
    let Some((expression, most)) = &step.next else {
        return Ok(false);
    };
    let unclear = |what: &str| {
        Failure::new(Reason::Decode, format!("it is not clear whether there is another page: {what}"))
            .with_hint("where null means that there is none, a page says so with `// null`")
    };
    let told = expression.run(body, variables);
    match told.map_err(|why| decode("it is not clear whether there is another page", why))? {
        Some(Shape::Null | Shape::Bool(false)) => return Ok(false),
        Some(Shape::Text(text)) if text.is_empty() => return Ok(false),
        // That nothing stands there may mean the last page, or that the service calls it otherwise now.
        None => return Err(unclear("the expression gives no value")),
        Some(Shape::Missing(what)) => return Err(unclear(&what)),
        told => {
            let page = bound(told).map_err(|why| unread("pages.next", why))?;
            if Some(&page) == progress.page.as_ref() {
                return Err(Failure::new(Reason::Decode, "the service gives the same page again and again"));
            }
            next.page = Some(page);
        }
    }
    if next.pages >= *most {
        let message = format!("the answer has more than {most} pages, so the sum is not known");
        return Err(Failure::new(Reason::Decode, message));
    }
    Ok(true)
}

/// The next step that is to be asked; none if this was the last one.
fn following(reader: &Reader, step: usize, body: &Json, variables: &Variables) -> Result<Option<usize>, Failure> {
    for (index, next) in reader.steps.iter().enumerate().skip(step + 1) {
        let Some(when) = &next.when else {
            return Ok(Some(index));
        };
        let unclear = "it is not clear whether another request is needed";
        let said = when.run(body, variables).map_err(|why| decode(unclear, why))?;
        if is_true(said).map_err(|why| Failure::new(Reason::Decode, format!("{unclear}: {why}")))? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// A body as expressions see it.
fn parsed(form: Form, answer: &Answer) -> Result<Json, String> {
    let kind = answer.headers.get("content-type").map_or("", String::as_str);
    let text = |declared: Option<&str>| charset::decoded(answer.body, kind, declared);
    match form {
        Form::Json => parse_json(text(None).0.as_bytes()),
        Form::Xml => match text(charset::declared_in_xml(answer.body)) {
            (text, true) => parse_json(xml::to_json(&text)?.as_bytes()),
            (_, false) => Err("it is not in the charset that it says".to_owned()),
        },
        Form::None => parse_json(b"null"),
        Form::Text => {
            let (text, _) = text(None);
            let text = text.trim();
            if text.is_empty() || is_page(text) {
                return Err("it is no plain text".to_owned());
            }
            parse_json(serde_json::Value::from(text).to_string().as_bytes())
        }
    }
}

/// Whether a text is a web page, which stands where a proxy or a login is in the way.
fn is_page(text: &str) -> bool {
    let start: String = text.chars().take(200).collect::<String>().to_ascii_lowercase();
    start.starts_with('<') && ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| start.contains(tag))
}

/// Works on an answer within the memory that all evaluations share.
fn evaluated<T: Send>(body: &[u8], work: impl Fn() -> Result<T, Failure> + Sync) -> Result<T, Failure> {
    let crowded = |why: Stop| Failure::transient(Reason::Decode, "the answer was not read").saying(why.to_string());
    evaluate(body, work).map_err(crowded).flatten()
}

/// What a body that is not as it should be looks like, without quoting it: it may hold personal data.
fn describe_body(form: Form, body: &[u8], why: &str) -> String {
    let start = body.trim_ascii_start();
    let wanted = match form {
        Form::Json | Form::None => "JSON",
        Form::Text => "plain text",
        Form::Xml => "XML",
    };
    if start.is_empty() {
        "the answer is empty".to_owned()
    } else if start.starts_with(b"<") && form != Form::Xml || is_page(&String::from_utf8_lossy(start)) {
        format!("the answer is a web page, not {wanted} (a login or proxy page?)")
    } else {
        format!("the answer is not {wanted} ({why})")
    }
}

#[cfg(test)]
mod tests;
