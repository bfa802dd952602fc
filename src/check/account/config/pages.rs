//! The pages that accounts can name: those of the catalogue, and those under `providers`.

pub(in crate::check::account) mod problems;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_yaml::Value;
use url::Url;

use crate::check::account::page::absent::Absent;
use crate::check::account::page::ask::Confirm;
use crate::check::account::page::{Page, Reader};
use crate::check::account::{Listed, advice, find, ids};
use crate::page::{syntax, traps};
use crate::process::quote_input;
use crate::wire::limit::Limit;
use crate::yaml::path::{NodePath, Part, Step, item, key, under};
use crate::yaml::problem::Reach;
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Text};
use crate::yaml::shape::{near, shown_word};

/// The pages that accounts can name.
#[derive(Default)]
pub(crate) struct Pages {
    /// Those of the config, and those of the catalogue that were asked for, by id.
    known: BTreeMap<String, Arc<Page>>,
    /// Those that cannot be used, by id, with the reason.
    pub broken: BTreeMap<String, String>,
    /// Compiled pages, by id and by what is read with the options: one for all accounts for which that is the same.
    pub compiled: BTreeMap<(String, String), Arc<Reader>>,
}

/// What there is under an id.
pub(super) enum Found {
    Page(Arc<Page>),
    /// A service without an API that tells a balance.
    Absent(Box<Absent>),
    /// Neither.
    Nothing,
}

impl Pages {
    /// What there is under an id. A page of the catalogue is read when it is asked for.
    pub(super) fn find(&mut self, id: &str) -> Found {
        if let Some(page) = self.known.get(id) {
            return Found::Page(Arc::clone(page));
        }
        match find(id) {
            Some(Listed::Page(page)) => {
                let page = Arc::new(*page);
                self.known.insert(id.to_owned(), Arc::clone(&page));
                Found::Page(page)
            }
            Some(Listed::Absent(absent)) => Found::Absent(absent),
            None => Found::Nothing,
        }
    }

    /// Whether there is a page under an id, without reading it.
    fn knows(&self, id: &str) -> bool {
        self.known.contains_key(id) || ids().any(|known| known == id)
    }

    /// Whether this is the page under its id, and not one that stands for it.
    pub(super) fn is_itself(&self, page: &Arc<Page>) -> bool {
        self.known.get(&page.id).is_some_and(|known| Arc::ptr_eq(known, page))
    }

    /// Whether this is the page under its id, and can be used.
    pub(super) fn has(&self, page: &Arc<Page>) -> bool {
        self.is_itself(page) && !self.broken.contains_key(&page.id)
    }

    /// The ids of all pages.
    pub(super) fn ids(&self) -> Vec<&str> {
        let listed = ids().map(|id| -> &str { id });
        let all: BTreeSet<&str> = self.known.keys().map(String::as_str).chain(listed).collect();
        all.into_iter().collect()
    }

    /// A page for an account that cannot be read anyway.
    pub(super) fn stand_in(id: &str) -> Option<Arc<Page>> {
        match find("file") {
            Some(Listed::Page(page)) => Some(Arc::new(Page { id: id.to_owned(), ..*page })),
            _ => None,
        }
    }
}

/// Time for the examples of all pages; they are read in less than a millisecond each.
const EXAMPLES_TIME: Duration = Duration::from_secs(5);

impl ConfigReader<'_> {
    /// The catalogue and the user's own pages, by id. A mistake in one concerns the accounts that name it.
    pub(crate) fn pages(&mut self, raw: Vec<Option<Page>>) -> Pages {
        let mut pages = Pages::default();
        let end = Instant::now() + EXAMPLES_TIME;
        for (index, page) in raw.into_iter().enumerate() {
            let path = item("providers", index);
            match page {
                Some(page) => {
                    let id = page.id.clone();
                    self.own_page(&path, page, &mut pages, end);
                    if let Some(why) = self.fault(&path) {
                        pages.broken.insert(id, why);
                    }
                }
                None => {
                    self.missing_entry(&path);
                    // The page's own mistake is said; that there is no such provider would be another one.
                    // One without an id may be the one that a project names.
                    let id = self.names.get(&path).cloned().unwrap_or_default();
                    let why = self.fault(&path).unwrap_or_else(|| "it cannot be read".to_owned());
                    pages.broken.insert(id, why);
                }
            }
        }
        pages
    }

    /// Checks pages that stand at these places, and gives the number of their examples.
    pub(crate) fn lint_pages(&mut self, pages: Vec<(NodePath, Value)>) -> usize {
        let (mut known, mut examples) = (Pages::default(), 0);
        let end = Instant::now() + EXAMPLES_TIME;
        for (path, mut node) in pages {
            if node.get("meter").is_some() {
                // It says that a service cannot be read.
                let _: Option<Absent> = self.fit(&mut node, &path);
                continue;
            }
            match self.fit::<Page>(&mut node, &path) {
                Some(page) => {
                    examples += page.examples.len();
                    if page.examples.is_empty() {
                        self.advise(
                            &path,
                            "it has no examples",
                            "an answer and what it must give is the test of a page",
                        );
                    }
                    self.own_page(&path, page, &mut known, end);
                }
                None => self.missing_entry(&path),
            }
        }
        examples
    }

    /// Checks one page of the user's own.
    fn own_page(&mut self, path: &[Step], page: Page, pages: &mut Pages, end: Instant) {
        for part in ["request", "steps"] {
            self.learn_filled(&under(path, part));
        }
        self.learn_page(&page);
        if self.is_unusable(path) {
            // What is missing from it is missing from outside, so nothing else is said of it.
            pages.known.entry(page.id.clone()).or_insert_with(|| Arc::new(page));
            return;
        }
        let missing = problems::missing(&page);
        if !missing.is_empty() {
            for field in missing {
                self.required(path, field, false);
            }
        }
        for (field, message) in problems::of(&page, end) {
            self.push(&under(path, field), Part::Value, message, None, Reach::Entry);
        }
        self.page_traps(path, &page);
        let at = under(path, "id");
        if pages.known.contains_key(&page.id) {
            let message = format!("there is already a provider{}", shown_word(&page.id));
            self.problem(&at, Part::Value, message, Some("give the page another id".to_owned()));
            return;
        }
        if ids().any(|known| known == page.id) || find(&page.id).is_some() {
            self.replaces(&at, &page.id);
        }
        // What is no word is not suggested to others: it may be anything.
        if problems::is_word(&page.id) {
            pages.known.insert(page.id.clone(), Arc::new(page));
        }
    }

    /// Says that a page of the user's own stands in the place of one of the catalogue, which may have come with an upgrade.
    pub(crate) fn replaces(&mut self, id_at: &[Step], id: &str) {
        let message = format!("this page replaces{} of the catalogue", shown_word(id));
        self.advise(id_at, &message, "give the page another id if both are wanted");
    }

    /// Learns what variables brought into the request of a page: it may be a credential.
    pub(crate) fn learn_filled(&mut self, request: &[Step]) {
        let filled = self.interpolated.filled.range(request.to_vec()..);
        for (_, filled) in filled.take_while(|(at, _)| at.starts_with(request)) {
            match Url::parse(&filled.text).ok().filter(|url| url.host().is_some()) {
                Some(url) => self.redactor.learn_address(&url),
                // `Bearer ${TOKEN}`: the token by itself as well.
                None => std::iter::once(filled.text.as_str())
                    .chain(filled.text.split_whitespace().filter(|part| part.len() >= 8))
                    .for_each(|secret| self.redactor.learn(secret)),
            }
        }
    }

    /// How often each provider of a project is asked: as its page says, or as the settings say instead.
    pub(crate) fn limits(
        &mut self,
        set: Option<BTreeMap<String, Lenient<Text>>>,
        pages: &Pages,
    ) -> BTreeMap<String, Limit> {
        let own =
            pages.known.values().filter_map(|page| Some((page.id.clone(), page.rate_limit.as_ref()?.parse().ok()?)));
        let mut limits: BTreeMap<String, Limit> = own.collect();
        for (id, text) in set.unwrap_or_default() {
            let at = [key("settings"), key("rate_limits"), key(&id)];
            let is_broken = pages.broken.contains_key(&id) || pages.broken.contains_key("");
            if !pages.knows(&id) && !is_broken {
                let known = pages.ids();
                let message = no_provider(&id, &known);
                self.problem(&at, Part::Key(0), message, Some(meant(&id, &known)));
            }
            match self.limit(&at, &text.0.0) {
                Some(limit) => limits.insert(id, limit),
                None => limits.remove(&id),
            };
        }
        limits
    }

    /// What in a page is written otherwise than it is probably meant.
    fn page_traps(&mut self, path: &[Step], page: &Page) {
        let has_example = page.examples.iter().any(|example| example.expect.balance.is_some());
        let (measured, code) = page.measured();
        let has_test = page.error.is_some() || page.steps.iter().any(|step| step.error.is_some());
        for trap in traps::of_balance(code, has_test, has_example) {
            self.advise(&under(path, measured), trap.message, trap.hint);
        }
        for trap in page.error.iter().flat_map(|code| traps::of_error(code)) {
            self.advise(&under(path, "error"), trap.message, trap.hint);
        }
        let confirm = |field: fn(&Confirm) -> &String| page.confirm.as_ref().map(field);
        for (field, code) in [
            (&["balance"][..], page.balance.as_ref()),
            (&["spend"], page.spend.as_ref()),
            (&["error"], page.error.as_ref()),
            (&["confirm", "when"], confirm(|confirm| &confirm.when)),
            (&["confirm", "error"], confirm(|confirm| &confirm.error)),
        ] {
            let path = field.iter().fold(path.to_vec(), |path, field| under(&path, field));
            if code.is_some_and(|code| syntax::comment(code).is_some()) && self.document.is_folded(&path) {
                let message = "`>` makes one line of all lines, so `#` takes away all that follows it";
                self.advise(&path, message, "write `|` instead of `>`");
            }
        }
    }
}

/// What may be meant by the name of a provider that there is not.
pub(super) fn meant(id: &str, known: &[&str]) -> String {
    advice(id, near(id, known))
}

/// The error for an unknown provider.
pub(crate) fn no_provider(id: &str, known: &[&str]) -> String {
    match quote_input::among(id, known) {
        Some(id) => format!("there is no provider `{id}`"),
        None => "there is no such provider".to_owned(),
    }
}
