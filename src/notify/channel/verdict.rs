//! What an answer says of a message, as the page's `verdict` tells it, or as the channel's own `accept` does.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::page::{Again, Page};
use super::prepared::Prepared;
use crate::model::failure::{Failure, Reason, Retry};
use crate::page::expression::{Expression, Shape, Variables, parse_json};
use crate::page::{evaluate, service_message};
use crate::process::quote_input;
use crate::wire::http::Response;

/// The most of an answer that an expression sees as text, in bytes.
const MOST_TEXT: usize = 64 * 1024;

/// The longest time that a page can ask to wait, in seconds: a day.
const LONGEST_WAIT: u64 = 86_400;

/// The longest name of a field, and the longest code, that is told, in characters.
const LONGEST_WORD: usize = 40;

/// An answer as an expression sees it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct AnswerDocument<'a> {
    /// The HTTP status.
    status: u16,
    /// The headers, by their names in small letters.
    headers: &'a BTreeMap<String, String>,
    /// The body as JSON; a list if it is several values one after the other, null if it is none.
    #[cfg_attr(test, schemars(with = "serde_json::Value"))]
    body: Option<Box<RawValue>>,
    /// The body as text, at most 64 KiB of it.
    text: &'a str,
}

/// Why a message was refused, and whether its reason and its repeat are what the page says, and not only what follows from the
/// failure.
struct Refusal {
    failure: Failure,
    has_reason: bool,
    has_repeat: bool,
}

/// Whether an answer says that the message was taken.
///
/// # Errors
/// Why it was not taken.
pub(crate) fn judge(prepared: &Prepared, accept: Option<&Expression>, response: &Response) -> Result<(), Failure> {
    if let Some(fault) = response.fault() {
        return Err(fault);
    }
    let status = response.status;
    let is_success = (200..300).contains(&status);
    let said = match accept {
        Some(accept) => accepted(accept, &response.body).map_err(Refusal::of),
        None => verdict(prepared, response),
    };
    match said {
        Ok(()) if is_success || prepared.page.also_taken.contains(&status) => Ok(()),
        Err(refusal) if is_success => Err(refusal.failure),
        said => Err(of_status(status, said.err(), &response.body)),
    }
}

/// The failure that a status stands for, with what the page knows of it.
fn of_status(status: u16, said: Option<Refusal>, body: &[u8]) -> Failure {
    let what = match status {
        429 => "too many messages",
        500..=599 => "the service has a fault of its own",
        _ => "the message was refused",
    };
    // A body that is no answer of the service says nothing of the status.
    let said = said.filter(|said| said.failure.reason != Reason::Decode);
    let own = said.as_ref().map(|said| Failure { hint: None, ..said.failure.clone() }.describe());
    let told = own.or_else(|| service_message::said_by(body)).or_else(|| service_message::plain(body));
    let failure = Failure::of_status(status, format!("{what} (HTTP {status})")).saying(told.unwrap_or_default());
    match said {
        Some(Refusal { failure: own, has_reason, has_repeat }) => Failure {
            reason: if has_reason { own.reason } else { failure.reason },
            retry: if has_repeat { own.retry } else { failure.retry },
            hint: own.hint,
            ..failure
        },
        None => failure,
    }
}

/// What the page says of an answer.
fn verdict(prepared: &Prepared, response: &Response) -> Result<(), Refusal> {
    let body = &response.body;
    let text = String::from_utf8_lossy(body);
    if response.is_web_page() {
        let page =
            Failure::new(Reason::Decode, "the answer is a web page, which does not say that the message was taken");
        let hint = "is this the address of the webhook itself, and not of a page or a login in front of it?";
        return Err(Refusal::of(page.with_hint(hint)));
    }
    let expression = prepared.verdict().map_err(|why| {
        Refusal::of(Failure::new(Reason::Config, "the page of the channel cannot be used").saying(why))
    })?;
    let answer = AnswerDocument {
        status: response.status,
        headers: &response.headers,
        body: json(without_mark(body)),
        text: &text[..text.floor_char_boundary(MOST_TEXT)],
    };
    let answer = serde_json::to_string(&answer).unwrap_or_default();
    let run = || {
        let answer = parse_json(answer.as_bytes())?;
        expression.run_in_all_orders(&answer, &Variables::new(None, &BTreeMap::new())).map_err(|why| why.to_string())
    };
    let said = evaluate(answer.as_bytes(), run).map_err(|stop| stop.to_string()).flatten();
    match said.map(refused) {
        Ok(None) if without_mark(body).trim_ascii().is_empty() && !prepared.takes_silence() => {
            let silent =
                Failure::new(Reason::Decode, "the answer is empty, so it does not say that the message was taken");
            let hint = "if the service takes messages without a word, an example of the page has to say so";
            Err(Refusal::of(silent.with_hint(hint)))
        }
        Ok(None) => Ok(()),
        Ok(Some(Some(Shape::Object(fields)))) => Err(refusal(&prepared.page, fields, body)),
        Ok(Some(_)) => Err(Refusal::of(unclear())),
        Err(why) => Err(Refusal::of(unclear().saying(why))),
    }
}

/// The first value that does not say that the message was taken. In whichever order the entries of an answer stand, it was taken
/// only if all of them say so.
fn refused(said: Vec<Option<Shape>>) -> Option<Option<Shape>> {
    said.into_iter().find(|said| !matches!(said, Some(Shape::Bool(true))))
}

fn unclear() -> Failure {
    Failure::new(Reason::Decode, "the answer does not say that the message was taken")
}

/// A refusal in the words of a page.
fn refusal(page: &Page, mut fields: BTreeMap<String, Shape>, body: &[u8]) -> Refusal {
    let mut text = |name: &str| match fields.remove(name) {
        Some(Shape::Text(text)) if !text.trim().is_empty() => Some(text),
        Some(Shape::Number(number)) => Some(number),
        _ => None,
    };
    if let Some(field) = text("lacks").filter(|field| is_word(field)) {
        let message = format!("the answer has no `{field}`, so it does not say that the message was taken");
        return Refusal::of(Failure::new(Reason::Decode, message));
    }
    let message = match (text("code").filter(|code| is_word(code)), text("by").filter(|field| is_word(field))) {
        (Some(code), _) => format!("the service refused the message (code {code})"),
        (None, Some(field)) => format!("the answer refuses the message by its `{field}`"),
        (None, None) => "the service refused the message".to_owned(),
    };
    let reason = text("reason").and_then(|word| Reason::parse(&word));
    let again = text("repeat").and_then(|word| Again::parse(&word));
    let wait = text("wait").and_then(|seconds| seconds.parse::<f64>().ok()).filter(|seconds| *seconds >= 0.0);
    let wait = wait.and_then(|seconds| Duration::try_from_secs_f64(seconds.min(LONGEST_WAIT as f64)).ok());
    let told = text("message").or_else(|| service_message::sentence_by(body)).unwrap_or_default();
    let mut failure = Failure::new(reason.unwrap_or(Reason::Api), message).saying(told);
    failure.retry = match (again, wait) {
        (Some(Again::ThisRun) | None, Some(wait)) => Retry::After(wait),
        (Some(Again::ThisRun), None) => Retry::Soon,
        (Some(Again::NextRun), _) => Retry::Later,
        (Some(Again::Never) | None, _) => Retry::Never,
    };
    failure = match text("hint") {
        Some(hint) if is_own(&page.verdict, &hint) => failure.with_hint(hint),
        hint => failure.advising(hint.unwrap_or_default()),
    };
    Refusal { failure, has_reason: reason.is_some(), has_repeat: again.is_some() || wait.is_some() }
}

/// Whether a hint stands in the page word for word. Any other one is made from the answer, and so as foreign as that is.
fn is_own(code: &str, hint: &str) -> bool {
    serde_json::to_string(hint).is_ok_and(|literal| code.contains(&literal))
}

/// Whether a text of an answer may be told as a code or as the name of a field.
fn is_word(text: &str) -> bool {
    text.chars().count() <= LONGEST_WORD
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
        && (text.parse::<i64>().is_ok() || !quote_input::looks_secret(text))
}

/// What the channel's own expression says of an answer.
fn accepted(accept: &Expression, body: &[u8]) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(body);
    let answer =
        serde_json::from_slice::<serde_json::Value>(without_mark(body)).unwrap_or_else(|_| text.into_owned().into());
    let answer = answer.to_string();
    let run = || {
        let answer = parse_json(answer.as_bytes())?;
        accept.run_in_all_orders(&answer, &Variables::new(None, &BTreeMap::new())).map_err(|why| why.to_string())
    };
    let said = evaluate(answer.as_bytes(), run).map_err(|stop| stop.to_string()).flatten();
    match said.map(refused) {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(Failure::new(Reason::Api, "the answer is not what `accept` asks for")),
        Err(why) => Err(Failure::new(Reason::Decode, "`accept` fails on the answer").saying(why)),
    }
}

/// The JSON of a body; several values one after the other (NDJSON) as a list.
fn json(body: &[u8]) -> Option<Box<RawValue>> {
    if let Ok(one) = serde_json::from_slice(body) {
        return Some(one);
    }
    let values = serde_json::Deserializer::from_slice(body).into_iter::<Box<RawValue>>();
    let values = values.collect::<Result<Vec<_>, _>>().ok().filter(|values| !values.is_empty())?;
    serde_json::value::to_raw_value(&values).ok()
}

/// A body without the byte order mark that some servers begin it with.
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

impl Refusal {
    fn of(failure: Failure) -> Refusal {
        Refusal { failure, has_reason: false, has_repeat: false }
    }
}
