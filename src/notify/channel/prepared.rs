//! A page with its expressions, each compiled when it is first needed: a run that sends nothing compiles none.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use url::Url;

use super::page::{Page, SizeLimit};
use super::values::{OF_MESSAGE, Values};
use crate::page;
use crate::page::expression::{Expression, Shape, Variables, parse_json};

/// A page that is ready to be used.
pub(crate) struct Prepared {
    pub page: Page,
    /// Whether an answer without a word can say that a message was taken.
    takes_silence: bool,
    body: OnceLock<Result<Expression, String>>,
    verdict: OnceLock<Result<Expression, String>>,
    limits: OnceLock<Result<Vec<Measure>, String>>,
}

/// A limit whose expression is compiled.
pub(super) struct Measure {
    pub(super) limit: SizeLimit,
    /// What is counted; none for the whole body.
    pub(super) of: Option<Expression>,
}

impl Prepared {
    /// A page that comes with the program, of which nothing is compiled yet. Its verdict knows when an empty answer confirms
    /// something: a test holds that against its examples, which it has lost here.
    pub(crate) fn new(page: Page) -> Prepared {
        Prepared { page, takes_silence: true, body: OnceLock::new(), verdict: OnceLock::new(), limits: OnceLock::new() }
    }

    /// A page of the user's own, of which nothing is compiled yet. An empty answer confirms a message only if one of its examples
    /// says that the service takes messages without a word.
    pub(crate) fn own(page: Page) -> Prepared {
        let mut answers = page.examples.answers.iter();
        let takes_silence = answers.any(|example| example.expect.taken && example.body.trim().is_empty());
        Prepared { takes_silence, ..Prepared::new(page) }
    }

    /// Whether an answer without a word can say that a message was taken.
    pub(super) fn takes_silence(&self) -> bool {
        self.takes_silence
    }

    /// The address of a channel's messages, as far as it is the same for all of them.
    pub(crate) fn address(&self, values: &Values) -> Option<Url> {
        let own = OF_MESSAGE.map(|name| (name, name));
        Url::parse(&values.address(&self.page.request.url, &own)?).ok()
    }

    /// What makes the body.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub(super) fn body(&self) -> Result<&Expression, String> {
        compiled(&self.body, "body", &self.page.body)
    }

    /// What judges an answer.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub(super) fn verdict(&self) -> Result<&Expression, String> {
        compiled(&self.verdict, "verdict", &self.page.verdict)
    }

    /// The limits.
    ///
    /// # Errors
    /// What is wrong with an expression.
    pub(super) fn limits(&self) -> Result<&[Measure], String> {
        let limits = self.limits.get_or_init(|| {
            let measure = |limit: &SizeLimit| {
                let of = limit.of.as_deref().map(|code| compile("limits", code)).transpose()?;
                Ok(Measure { limit: limit.clone(), of })
            };
            self.page.limits.iter().map(measure).collect()
        });
        limits.as_deref().map_err(Clone::clone)
    }

    /// Whether a text can stand for somebody who is mentioned.
    ///
    /// # Errors
    /// The page mentions nobody, or its expression is wrong or fails.
    pub(crate) fn can_mention(&self, text: &str) -> Result<bool, String> {
        let spec = self.page.mention.as_ref().ok_or("the page mentions nobody")?;
        let check = compile("mention", &spec.check)?;
        let body = serde_json::Value::from(text).to_string();
        let run = || {
            let said = check.run(&parse_json(body.as_bytes())?, &Variables::new(None, &BTreeMap::new()));
            said.map(|said| matches!(said, Some(Shape::Bool(true)))).map_err(|why| why.to_string())
        };
        page::evaluate(body.as_bytes(), run).map_err(|stop| stop.to_string()).flatten()
    }

    /// Compiles all of it.
    ///
    /// # Errors
    /// The field with the expression that is wrong, and what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        self.body().map_err(|why| ("body", why))?;
        self.verdict().map_err(|why| ("verdict", why))?;
        if let Some(spec) = &self.page.mention {
            compile("mention", &spec.check).map_err(|why| ("mention", why))?;
        }
        self.limits().map(|_| ()).map_err(|why| ("limits", why))
    }
}

fn compiled<'a>(
    place: &'a OnceLock<Result<Expression, String>>,
    field: &str,
    code: &str,
) -> Result<&'a Expression, String> {
    place.get_or_init(|| compile(field, code)).as_ref().map_err(Clone::clone)
}

fn compile(field: &str, code: &str) -> Result<Expression, String> {
    Expression::compile(code).map_err(|why| format!("the jq expression of `{field}` is wrong: {why}"))
}
