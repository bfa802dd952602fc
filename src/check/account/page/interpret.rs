//! What the answer to a page's request means: a balance, or a failure.

use std::collections::BTreeMap;

use super::Page;
use super::error::{ErrorTest, OwnError, decode, page_error, repeated};
use crate::check::Reading;
use crate::model::failure::{Failure, Reason};
use crate::page::expression::{Expression, Json, Shape, Variables, parse_json};
use crate::page::{Stop, evaluate, words};

/// A page whose expressions are compiled for one set of options.
pub(crate) struct Reader {
    error: Option<ErrorTest>,
    balance: Expression,
    confirm: Option<(Expression, ErrorTest)>,
}

/// What an HTTP status and body come to.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// A balance.
    Read(Reading),
    /// A balance that stands only if the page's second question says so.
    Unconfirmed(Reading),
}

impl Page {
    /// Compiles the page's expressions.
    ///
    /// # Errors
    /// The page's field with an expression that is wrong, and what is wrong with it.
    pub(crate) fn reader(&self, options: &BTreeMap<String, String>) -> Result<Reader, (&'static str, String)> {
        let compile = |field: &'static str, code: &str| {
            let place = field.split('.').next().unwrap_or(field);
            Expression::compile(code).map_err(|why| (place, format!("the jq expression of `{field}` is wrong: {why}")))
        };
        let test = |field: &'static str, code: &str| {
            compile(field, code).map(|expression| ErrorTest { expression, code: code.to_owned() })
        };
        Ok(Reader {
            error: self.error.as_deref().map(|code| test("error", code)).transpose()?,
            balance: compile("balance", &self.balance_for(options))?,
            confirm: match &self.confirm {
                Some(confirm) => {
                    Some((compile("confirm.when", &confirm.when)?, test("confirm.error", &confirm.error)?))
                }
                None => None,
            },
        })
    }

    /// Reads one answer.
    ///
    /// # Errors
    /// The failure it is: by the page's own test first, then by status, then by what the body lacks.
    pub(crate) fn interpret(
        &self,
        reader: &Reader,
        status: u16,
        body: &[u8],
        variables: &Variables,
    ) -> Result<Verdict, Failure> {
        evaluated(body, || self.meaning(reader, status, body, variables))
    }

    fn meaning(&self, reader: &Reader, status: u16, body: &[u8], variables: &Variables) -> Result<Verdict, Failure> {
        let parsed = parse_json(body);
        if !(200..300).contains(&status) {
            let own = parsed.as_ref().ok().and_then(|body| {
                let said = reader.error.as_ref().and_then(|error| page_error(error, body, variables).transpose());
                said.and_then(Result::ok)
            });
            return Err(self.status_failure(status, own, parsed.ok().as_ref(), body));
        }
        let body = parsed.map_err(|why| Failure::new(Reason::Decode, describe_body(body, &why)))?;
        if let Some(error) = &reader.error
            && let Some(own) = page_error(error, &body, variables)?
        {
            return Err(own.failure);
        }
        let reading =
            self.reading(reader.balance.run_in_any_order(&body, variables), variables).map_err(|mut failure| {
                // A page without a test for errors still meets them.
                if let Some(words) = body.refusal().filter(|_| failure.reason == Reason::Decode) {
                    failure.message = format!("{}; the service says", failure.message);
                    failure = failure.saying(words);
                }
                failure
            })?;
        if let Some((when, _)) = &reader.confirm {
            let doubt = when
                .run(&body, variables)
                .map_err(|why| decode("it is not clear whether the balance can be trusted", why))?;
            if !matches!(doubt, None | Some(Shape::Null | Shape::Missing(_) | Shape::Bool(false))) {
                return Ok(Verdict::Unconfirmed(reading));
            }
        }
        Ok(Verdict::Read(reading))
    }

    /// Whether the second answer lets the first stand.
    ///
    /// # Errors
    /// The failure it is: an answer that cannot be read confirms nothing.
    pub(crate) fn confirm(
        &self,
        reader: &Reader,
        status: u16,
        body: &[u8],
        variables: &Variables,
    ) -> Result<(), Failure> {
        match &reader.confirm {
            Some((_, error)) => evaluated(body, || self.confirmation(error, status, body, variables)),
            None => Ok(()),
        }
    }

    fn confirmation(&self, error: &ErrorTest, status: u16, body: &[u8], variables: &Variables) -> Result<(), Failure> {
        let parsed = parse_json(body);
        if !(200..300).contains(&status) {
            return Err(self.status_failure(status, None, parsed.ok().as_ref(), body));
        }
        let body = parsed.map_err(|why| Failure::new(Reason::Decode, describe_body(body, &why)))?;
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
            300..=399 => "the service answered with a redirect that was not followed",
            500..=599 => "the service has a fault of its own",
            _ => "the request was refused",
        };
        let said = match &own {
            Some(own) => own.said().map(str::to_owned),
            None => answer.and_then(Json::error_message).or_else(|| words::plain(body)),
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

/// Works on an answer within the memory that all evaluations share.
fn evaluated<T: Send>(body: &[u8], work: impl Fn() -> Result<T, Failure> + Sync) -> Result<T, Failure> {
    let crowded = |why: Stop| Failure::transient(Reason::Decode, "the answer was not read").saying(why.to_string());
    evaluate(body, work).map_err(crowded).flatten()
}

/// What a body that is no JSON looks like, without quoting it: it may hold personal data.
fn describe_body(body: &[u8], why: &str) -> String {
    let start = body.trim_ascii_start();
    if start.is_empty() {
        "the answer is empty".to_owned()
    } else if start.starts_with(b"<") {
        "the answer is a web page, not JSON (a login or proxy page?)".to_owned()
    } else {
        format!("the answer is not JSON ({why})")
    }
}
