//! The examples of a page, which are its tests.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::page::{Again, AnswerExample, MessageExample};
use super::prepared::Prepared;
use super::request::{Post, Sender};
use super::sample;
use super::values::Values;
use super::verdict;
use crate::model::alert::Alert;
use crate::model::failure::{Failure, Retry};
use crate::model::text;
use crate::notify::message::Message;
use crate::wire::http::Response;

/// The sender that messages of examples name.
pub(crate) const SOURCE: &str = "balance-alert";

/// What stands for the key of the message in the body of an example.
const KEY: &str = "{key}";

impl Prepared {
    /// Runs the page's examples: what came instead of what was expected, for each one that does not hold.
    pub(crate) fn failing_examples(&self) -> impl Iterator<Item = String> {
        let examples = &self.page.examples;
        let messages = examples.messages.iter().map(|example| self.try_message(example));
        messages.chain(examples.answers.iter().map(|example| self.try_answer(example))).filter_map(Result::err)
    }

    /// Runs one example of a message.
    ///
    /// # Errors
    /// What came instead of what was expected.
    fn try_message(&self, example: &MessageExample) -> Result<(), String> {
        let about = |why: String| format!("example `{}` {why}", example.name);
        let (post, key) = self.post_of(example).map_err(about)?;
        let found = post.url.as_ref().map(url::Url::as_str).unwrap_or_default();
        if let Some(url) = example.url.as_ref().filter(|url| *url != found) {
            return Err(about(format!("goes to `{found}`, but `{url}` is expected")));
        }
        for (name, value) in &example.headers {
            let found = post.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            let found = found.map(|(_, value)| value.expose_secret()).unwrap_or_default();
            if found != value {
                return Err(about(format!("has the header `{name}: {found}`, but `{value}` is expected")));
            }
        }
        // The key is a hash that nobody can know beforehand, and that no message of this program repeats.
        let body = post.body.replace(&key, KEY);
        let want = example.body.replace(&key, KEY);
        if !is_same(&body, &want) {
            let json = serde_json::from_str::<Value>(&want);
            let want = json.map_or_else(|_| text::one_line(&want, usize::MAX), |want| want.to_string());
            return Err(about(format!("gives the body {body}, but {want} is expected")));
        }
        match post.sizes.iter().find(|(size, most)| size > most) {
            Some((size, most)) => Err(about(format!("has {size} of what may be {most} at most"))),
            None => Ok(()),
        }
    }

    /// The request of one example, and the key of its message.
    ///
    /// # Errors
    /// There is no such sample, or the page cannot be used.
    pub(super) fn post_of(&self, example: &MessageExample) -> Result<(Post, String), String> {
        let alerts = example.alerts.iter().map(|name| {
            sample::alert(name).ok_or_else(|| {
                let known = sample::names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                format!("names the sample `{name}`; there are {known}")
            })
        });
        let alerts: Vec<Alert> = alerts.collect::<Result<_, _>>()?;
        let message = Message::new(&alerts, example.language, sample::RUN).naming(Arc::new(sample::providers()));
        let set = example.fields.iter().map(|(name, value)| (name.clone(), value.clone().into()));
        let values = Values::new(&self.page.fields, set.collect());
        let sender = Sender {
            prepared: self,
            values: &values,
            source: SOURCE,
            mentions: &example.mentions,
            body: None,
            headers: &[],
        };
        let now = Timestamp::from_second(sample::FOUND_AT).unwrap_or_default();
        let post = sender.post(&message, &message.alerts, now);
        let post = post.map_err(|failure| format!("fails: {}", failure.describe()))?;
        Ok((post, message.dedup_key(&message.alerts)))
    }

    /// Runs one example of an answer.
    ///
    /// # Errors
    /// What came instead of what was expected.
    fn try_answer(&self, example: &AnswerExample) -> Result<(), String> {
        let response = Response::with(example.status, example.headers.clone(), example.body.clone().into_bytes());
        let expect = &example.expect;
        let (is_same, got) = match verdict::judge(self, None, &response) {
            Ok(()) => (expect.taken, "taken".to_owned()),
            Err(failure) => {
                let again = again(&failure);
                let is_same = !expect.taken
                    && expect.reason.is_none_or(|reason| reason == failure.reason)
                    && expect.repeat.is_none_or(|repeat| repeat == again)
                    && expect.says.as_ref().is_none_or(|part| failure.describe().contains(part.as_str()));
                let (reason, again) = (failure.reason.as_str(), again.as_str());
                (is_same, format!("refused with reason {reason} and repeat {again}: {}", failure.describe()))
            }
        };
        if is_same { Ok(()) } else { Err(format!("example `{}` is {got}, but is expected otherwise", example.name)) }
    }
}

/// When a repeat could help, as pages say it.
pub(super) fn again(failure: &Failure) -> Again {
    match failure.retry {
        Retry::Never => Again::Never,
        Retry::Later => Again::NextRun,
        Retry::Soon | Retry::After(_) => Again::ThisRun,
    }
}

/// Whether two bodies are the same. JSON may be laid out differently, and its keys may have another order.
fn is_same(found: &str, wanted: &str) -> bool {
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    found == wanted
        || found == wanted.trim_end_matches('\n')
        || json(found).is_some_and(|found| json(wanted).is_some_and(|wanted| found == wanted))
}
