//! A page whose expressions are compiled.

use std::collections::BTreeMap;

use crate::check::account::page::ask::Step;
use crate::check::account::page::beside::BesideReader;
use crate::check::account::page::error::{ErrorTest, names_field};
use crate::check::account::page::{Page, filled};
use crate::page::expression::Expression;

/// A page whose expressions are compiled for one set of options.
pub(crate) struct Reader {
    pub(super) steps: Vec<StepReader>,
    pub(super) measured: Expression,
    /// The code of what is measured, and that of all other expressions.
    pub(super) code: String,
    pub(super) others: String,
    pub(super) unlimited: Option<Expression>,
    pub(super) beside: BesideReader,
    pub(super) confirm: Option<(Expression, ErrorTest)>,
}

/// The expressions of one request.
#[derive(Default)]
pub(super) struct StepReader {
    pub(super) when: Option<Expression>,
    pub(super) each: Option<EachReader>,
    pub(super) error: Option<ErrorTest>,
    pub(super) bind: Vec<(String, Expression)>,
    pub(super) sum: Vec<(String, Expression)>,
    /// What asks for another page, and the most pages.
    pub(super) next: Option<(Expression, u16)>,
}

/// What a step is asked for.
pub(super) struct EachReader {
    pub(super) items: Expression,
    pub(super) name: String,
    pub(super) most: u16,
}

impl Reader {
    /// Whether a test for errors of the page looks at a field of this name.
    pub(crate) fn judges(&self, field: &str) -> bool {
        let tests = self.steps.iter().filter_map(|step| step.error.as_ref());
        tests.chain(self.confirm.iter().map(|(_, error)| error)).any(|error| error.judges(field))
    }

    /// Whether an expression of the page looks at a field of this name.
    pub(super) fn names(&self, field: &str) -> bool {
        names_field(&self.code, field) || names_field(&self.others, field) || self.judges(field)
    }
}

/// The page's field with an expression that is wrong, and what is wrong with it.
type Wrong = (&'static str, String);

impl Page {
    /// Compiles the page's expressions.
    ///
    /// # Errors
    /// The page's field with an expression that is wrong, and what is wrong with it.
    pub(crate) fn reader(&self, options: &BTreeMap<String, String>) -> Result<Reader, Wrong> {
        let optional = |field: &'static str, code: &Option<String>| {
            code.as_deref().map(|code| compile(field, &filled(code, options))).transpose()
        };
        let (field, _) = self.measured();
        let code = self.measured_for(options);
        let steps = || self.steps.iter();
        let of_steps = steps().flat_map(|step| step.bind.values().chain(step.sum.values()).chain(&step.when));
        let errors = steps().filter_map(|step| step.error.as_ref()).chain(&self.error);
        let others: Vec<&str> = of_steps.chain(&self.unlimited).chain(errors).map(String::as_str).collect();
        let others = others.join("\n");
        let steps = if self.steps.is_empty() {
            vec![StepReader { error: test("error", self.error.as_deref())?, ..StepReader::default() }]
        } else {
            self.steps.iter().map(|step| self.step_reader(step)).collect::<Result<Vec<_>, _>>()?
        };
        Ok(Reader {
            steps,
            measured: compile(field, &code)?,
            code,
            others,
            unlimited: optional("unlimited", &self.unlimited)?,
            beside: BesideReader {
                total: optional("total", &self.total)?,
                usage: optional("usage", &self.usage)?,
                frozen: optional("frozen", &self.frozen)?,
                resets_at: optional("resets_at", &self.resets_at)?,
                expires: optional("expires", &self.expires)?,
            },
            confirm: match &self.confirm {
                Some(confirm) => {
                    let when = compile("confirm.when", &confirm.when)?;
                    test("confirm.error", Some(&confirm.error))?.map(|error| (when, error))
                }
                None => None,
            },
        })
    }

    fn step_reader(&self, step: &Step) -> Result<StepReader, Wrong> {
        let named = |field: &'static str, codes: &BTreeMap<String, String>| {
            codes
                .iter()
                .map(|(name, code)| Ok((name.clone(), compile(field, code)?)))
                .collect::<Result<Vec<_>, Wrong>>()
        };
        let (error, field) = match &step.error {
            Some(own) => (Some(own.as_str()), "steps.error"),
            None => (self.error.as_deref(), "error"),
        };
        Ok(StepReader {
            when: step.when.as_deref().map(|code| compile("steps.when", code)).transpose()?,
            each: match &step.each {
                Some(each) => Some(EachReader {
                    items: compile("steps.each.in", &each.items)?,
                    name: each.name.clone(),
                    most: each.most,
                }),
                None => None,
            },
            error: test(field, error)?,
            bind: named("steps.bind", &step.bind)?,
            sum: named("steps.sum", &step.sum)?,
            next: match &step.pages {
                Some(pages) => Some((compile("steps.pages.next", &pages.next)?, pages.most)),
                None => None,
            },
        })
    }
}

fn compile(field: &'static str, code: &str) -> Result<Expression, Wrong> {
    let place = field.split('.').next().unwrap_or(field);
    Expression::compile(code).map_err(|why| (place, format!("the jq expression of `{field}` is wrong: {why}")))
}

fn test(field: &'static str, code: Option<&str>) -> Result<Option<ErrorTest>, Wrong> {
    let compiled = |code: &str| Ok(ErrorTest { expression: compile(field, code)?, code: code.to_owned() });
    code.map(compiled).transpose()
}
