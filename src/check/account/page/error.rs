//! Errors inside an answer, as the `error` expression of a page tells them.

use crate::model::failure::{Failure, Reason, Retry};
use crate::page::expression::{Expression, Json, Shape, Trouble, Variables};

/// The page's test for an error, and its code.
pub(super) struct ErrorTest {
    pub(super) expression: Expression,
    pub(super) code: String,
}

impl ErrorTest {
    /// Whether the test looks at a field of this name, so that the page says what it means: `.name`, or `["name"]`.
    pub(super) fn judges(&self, field: &str) -> bool {
        names_field(&self.code, field)
    }

    /// Whether a hint stands in the page word for word. Any other one is made from the answer, and so as foreign as that is.
    fn is_own(&self, hint: &str) -> bool {
        serde_json::to_string(hint).is_ok_and(|literal| self.code.contains(&literal))
    }
}

/// Whether an expression names a field.
pub(super) fn names_field(code: &str, field: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.match_indices(field).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + field.len()..]);
        before.ends_with('.') && !after.starts_with(is_name) || before.ends_with('"') && after.starts_with('"')
    })
}

/// An error inside an answer, as the page tells it.
pub(super) struct OwnError {
    pub(super) failure: Failure,
    /// Whether another attempt could help, if the page says so.
    pub(super) can_repeat_help: Option<bool>,
}

/// The failure of an expression.
pub(super) fn decode(what: &str, why: Trouble) -> Failure {
    // An expression may end with words of the answer.
    let failure = Failure::new(Reason::Decode, what).saying(why.to_string());
    match why.hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

/// The page's own test for an error inside the answer.
pub(super) fn page_error(error: &ErrorTest, body: &Json, variables: &Variables) -> Result<Option<OwnError>, Failure> {
    let errors =
        error.expression.errors(body, variables).map_err(|why| decode("the answer has not the expected shape", why))?;
    let mut told: Vec<ServiceError> = errors.into_iter().map(told).collect();
    if told.is_empty() {
        return Ok(None);
    }
    let reason = told.iter().find_map(|told| told.reason).unwrap_or(Reason::Api);
    let hint = told.iter_mut().find_map(|told| told.hint.take());
    let can_repeat_help = told.iter().find_map(|told| told.can_repeat_help);
    let words: Vec<String> = told.into_iter().filter_map(|told| told.words).collect();
    let words = if words.is_empty() { body.error_message() } else { Some(words.join("; ")) };
    let message = "the service reports an error";
    let mut failure = match reason {
        Reason::RateLimited => Failure::transient(reason, message),
        reason => Failure::new(reason, message),
    };
    failure = match hint {
        Some(hint) if error.is_own(&hint) => failure.with_hint(hint),
        hint => failure.advising(hint.unwrap_or_default()),
    };
    failure.retry = repeated(failure.retry, can_repeat_help);
    Ok(Some(OwnError { failure: failure.saying(words.unwrap_or_default()), can_repeat_help }))
}

/// Whether to repeat: the page's `retry` if it says one, else what the failure says.
pub(super) fn repeated(retry: Retry, can_help: Option<bool>) -> Retry {
    match (can_help, retry) {
        (Some(false), _) => Retry::Never,
        (Some(true), Retry::Never) => Retry::Soon,
        (_, retry) => retry,
    }
}

/// One error, as a page tells it.
#[derive(Default)]
struct ServiceError {
    words: Option<String>,
    reason: Option<Reason>,
    hint: Option<String>,
    can_repeat_help: Option<bool>,
}

fn told(error: Shape) -> ServiceError {
    match error {
        Shape::Object(mut fields) => {
            let mut text = |name: &str| match fields.remove(name) {
                Some(Shape::Text(text)) if !text.trim().is_empty() => Some(text),
                Some(Shape::Number(number)) => Some(number),
                _ => None,
            };
            let (words, hint) = (text("message"), text("hint"));
            let reason = text("reason").and_then(|word| serde_json::from_value(serde_json::Value::String(word)).ok());
            let can_repeat_help = match fields.remove("retry") {
                Some(Shape::Bool(can_help)) => Some(can_help),
                _ => None,
            };
            ServiceError { words, reason, hint, can_repeat_help }
        }
        Shape::Text(message) => ServiceError { words: Some(message), ..ServiceError::default() },
        // A code: the answer may have words for it.
        Shape::Null
        | Shape::Missing(_)
        | Shape::Bool(_)
        | Shape::Number(_)
        | Shape::Float(_)
        | Shape::Long
        | Shape::Array => ServiceError::default(),
    }
}
