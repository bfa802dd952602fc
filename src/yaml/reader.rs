//! Reads one config: collects the problems of its document, each at its place and with how far it reaches.
//!
//! Each feature reads its own part with this: its `config.rs` adds methods to [`ConfigReader`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::tz::TimeZone;
use serde_yaml::Value;

use super::document::Document;
use super::entry::{self, Kind};
use super::interpolate::{Interpolated, interpolate};
use super::path::{NodePath, Part, Step, last_key, show, under};
use super::problem::{MOST_PROBLEMS, Problem, Reach};
use super::scalar::{PLAIN_HINT, PLAIN_NUMBER, Text};
use super::secret_commands::SecretCommands;
use crate::process::environment::{DotenvFault, DotenvFaults, Environment};
use crate::process::quote_input;
use crate::process::redact::{self, Redactor};
use crate::process::time_zone::{Lookup, TimeZones};

/// Collects the problems of one document.
pub(crate) struct ConfigReader<'a> {
    file: String,
    /// The folder that relative paths start from.
    pub folder: PathBuf,
    pub document: &'a Document,
    pub environment: &'a Environment,
    pub zones: TimeZones,
    kinds: &'static [Kind],
    pub problems: Vec<Problem>,
    pub warnings: Vec<String>,
    /// What is no mistake, but probably not meant so: only `validate` tells it.
    pub advice: Vec<String>,
    /// Nodes that already have a message, or whose variable is not set. Later rules say nothing of them or of what is below, so
    /// that one mistake gives one message.
    pub flagged: BTreeSet<NodePath>,
    /// What variables brought in. Messages about the config do not quote it, because it may be a secret.
    pub interpolated: Interpolated,
    /// Fields whose value comes from a file or from a variable that stands for the field.
    pub outside: BTreeSet<NodePath>,
    /// Fields whose value is told by another one, which has their name and this ending: `_file` or `_command`.
    pub told_by: BTreeMap<NodePath, &'static str>,
    /// The commands that tell secrets.
    pub commands: SecretCommands,
    /// The secrets of the config, for the run.
    pub redactor: Redactor,
    /// Whether a problem concerns all of the config.
    pub fatal: bool,
    /// Entries that are switched off.
    disabled: BTreeSet<NodePath>,
    /// Entries with a mistake that concerns only them, each with the first one.
    broken: BTreeMap<NodePath, String>,
    /// Entries for which a variable, a file or a usable credential is missing, with the first reason.
    unusable: BTreeMap<NodePath, String>,
    /// The names of the entries in lists.
    pub names: BTreeMap<NodePath, String>,
}

impl<'a> ConfigReader<'a> {
    /// Looks through the tree of a document: fills in its variables, and reports what is wrong with the text itself.
    pub(crate) fn new(
        file: String,
        folder: PathBuf,
        document: &'a Document,
        tree: &mut Value,
        environment: &'a Environment,
        kinds: &'static [Kind],
        stands_for: &[NodePath],
    ) -> Self {
        let mut interpolated = interpolate(tree, environment);
        // A variable stands for these fields, so their own references are not needed.
        interpolated.unset.retain(|path, _| !stands_for.contains(path));
        let (mut names, mut disabled) = (BTreeMap::new(), BTreeSet::new());
        entry::for_each(kinds, tree, |path, entry, kind| {
            if entry::is_off(entry) {
                disabled.insert(path.clone());
            }
            if let (2, Some(name)) = (path.len(), entry.get(kind.name).and_then(Value::as_str)) {
                names.insert(path, name.to_owned());
            }
        });
        let mut reader = ConfigReader {
            file,
            folder,
            document,
            environment,
            zones: TimeZones::new(environment),
            kinds,
            problems: Vec::new(),
            warnings: Vec::new(),
            advice: Vec::new(),
            flagged: BTreeSet::new(),
            interpolated,
            outside: BTreeSet::new(),
            told_by: BTreeMap::new(),
            commands: SecretCommands::default(),
            redactor: Redactor::default(),
            fatal: false,
            disabled,
            broken: BTreeMap::new(),
            unusable: BTreeMap::new(),
            names,
        };
        reader.report_tree();
        reader.report_names();
        reader
    }

    /// The time zone of this name; none if there is none. Where its rules cannot be read it says so, and which others hold instead:
    /// that is a fault of this machine, and takes away no reading.
    pub(crate) fn zone(&mut self, name: &str, what: &str) -> Option<TimeZone> {
        match self.zones.find(name) {
            Lookup::Found(zone) => Some(zone),
            Lookup::Instead(zone, why) => {
                let shown = self.shown_zone(name).map(|name| format!(" `{name}`")).unwrap_or_default();
                self.warnings.push(format!("the time zone{shown} of {what}: {why}"));
                Some(zone)
            }
            Lookup::Unknown => None,
        }
    }

    /// The name of a time zone, if it is one or a slip for one.
    pub(crate) fn shown_zone<'n>(&self, name: &'n str) -> Option<&'n str> {
        quote_input::among(name, &self.zones.names().iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The entry that a node belongs to; none for what concerns all.
    pub(super) fn entry_of<'p>(&self, path: &'p [Step]) -> Option<&'p [Step]> {
        entry::entry_of(self.kinds, path)
    }

    /// A currency as it is written; none if it is empty. It stands beside every amount, and a key in its place must not.
    pub(crate) fn currency_word(&self, written: Option<String>) -> Option<String> {
        let word = written.filter(|word| !word.is_empty())?;
        if quote_input::looks_secret(&word) {
            self.redactor.learn(&word);
        }
        Some(word)
    }

    /// Records a problem at a node. It concerns the whole config, unless its value comes from outside, or its entry is switched
    /// off or is a page, which concerns only those who name it.
    pub(crate) fn problem(&mut self, path: &[Step], part: Part, message: impl Into<String>, hint: Option<String>) {
        self.push(path, part, message.into(), hint, Reach::Whole);
    }

    pub(crate) fn push(&mut self, path: &[Step], part: Part, message: String, hint: Option<String>, reach: Reach) {
        let entry = self.entry_of(path);
        let is_off = entry.is_some_and(|entry| self.disabled.contains(entry));
        let is_page = entry.is_some_and(|entry| entry::is_page(self.kinds, entry));
        let is_local = entry.is_some() && (is_off || is_page || self.is_from_outside(path));
        let reach = if is_local { Reach::Entry } else { reach };
        // A config with thousands of such entries must not take longer for what nobody reads.
        let is_known = |entry: &[Step]| is_off || self.unusable.contains_key(entry) || self.broken.contains_key(entry);
        if reach != Reach::Whole && self.problems.len() >= MOST_PROBLEMS && entry.is_none_or(is_known) {
            return;
        }
        // What variables brought in may be a secret, and some messages come from elsewhere, as those about jq do.
        let brought = self.brought_into(entry.unwrap_or(path));
        let message = quote_input::scrub(&brought.mask(&message));
        if let (Reach::Entry, Some(entry), false) = (reach, entry, is_off) {
            self.broken.entry(entry.to_vec()).or_insert_with(|| message.clone());
        }
        self.fatal |= reach == Reach::Whole;
        if self.problems.len() >= MOST_PROBLEMS {
            // Many small ones do not hide a large one.
            let small = self.problems.iter().rposition(|problem| problem.reach != Reach::Whole);
            match small.filter(|_| reach == Reach::Whole) {
                Some(small) => self.problems.remove(small),
                None => return,
            };
        }
        let problem = self.at(path, part, message, hint, reach);
        self.problems.push(problem);
    }

    /// Records what is probably not meant so.
    pub(crate) fn advise(&mut self, path: &[Step], message: &str, hint: &str) {
        if self.advice.len() < MOST_PROBLEMS {
            let problem = self.at(path, Part::Value, message.to_owned(), Some(hint.to_owned()), Reach::Entry);
            self.advice.push(problem.to_string());
        }
    }

    /// A problem with its place.
    fn at(&self, path: &[Step], part: Part, message: String, hint: Option<String>, reach: Reach) -> Problem {
        // The place is the entry; the field stands in the message.
        let brought = self.brought_into(self.entry_of(path).unwrap_or(path));
        let place = self.place(path, &brought);
        Problem {
            file: self.document.origin(path).0.unwrap_or(&self.file).to_owned(),
            position: self.document.locate(path, part),
            place,
            message,
            hint: hint.map(|hint| brought.mask(&hint)),
            reach,
        }
    }

    /// The entry of a node, for messages: `projects[3]` and its name.
    pub(crate) fn place(&self, path: &[Step], brought: &Redactor) -> Option<String> {
        let depth = path.len().min(if matches!(path.get(1), Some(Step::Index(_))) { 2 } else { 1 });
        let name = self.names.get(&path[..depth]).and_then(|name| quote_input::name(&brought.mask(name)));
        match path.first() {
            Some(Step::Key(first)) if quote_input::word(first).is_some() => {
                let place = show(&self.document.origin(&path[..depth]).1);
                Some(name.map_or_else(|| place.clone(), |name| format!("{place} `{name}`")))
            }
            _ => None,
        }
    }

    /// The entry of a node, for a message about another one: `projects[3]`, with its file where a config has several.
    pub(crate) fn entry_shown(&self, path: &[Step]) -> String {
        let (file, own) = self.document.origin(path);
        match self.document.has_others() {
            true => format!("{} of {}", show(&own), file.unwrap_or(&self.file)),
            false => show(&own),
        }
    }

    /// Whether nothing that is found any more could be listed.
    pub(crate) fn is_full(&self) -> bool {
        self.fatal && self.problems.len() >= MOST_PROBLEMS
    }

    /// Whether something was already said of this node or of one above it.
    pub(crate) fn is_flagged(&self, path: &[Step]) -> bool {
        (0..=path.len()).any(|length| self.flagged.contains(&path[..length]))
    }

    /// Whether something was already said of this node, of one above it or of one below it.
    pub(crate) fn is_flagged_below(&self, path: &[Step]) -> bool {
        let mut below = self.flagged.range(path.to_vec()..);
        self.is_flagged(path) || below.next().is_some_and(|at| at.starts_with(path))
    }

    /// Whether a variable or a file brought in what stands in a field.
    pub(crate) fn is_from_outside(&self, path: &[Step]) -> bool {
        self.outside.contains(path) || self.interpolated.filled.contains_key(path)
    }

    /// Knows what variables brought into a node and into those below, except into names, which a run speaks of as well.
    pub(crate) fn brought_into(&self, path: &[Step]) -> Redactor {
        let redactor = Redactor::default();
        let below = self.interpolated.filled.range(path.to_vec()..).take_while(|(at, _)| at.starts_with(path));
        for (_, filled) in below.filter(|(at, _)| !is_name(at)) {
            redactor.learn(&filled.text);
        }
        redactor
    }

    /// Makes the redactor suspect what variables brought into a node and into those below.
    pub(crate) fn suspect_filled(&self, at: &[Step]) {
        let below = self.interpolated.filled.range(at.to_vec()..).take_while(|(path, _)| path.starts_with(at));
        for (_, filled) in below {
            // A plain word may be a region or a team as well, unless the variable is called otherwise.
            if filled.variables.iter().any(|name| redact::speaks_of_secret(name)) {
                self.redactor.learn(&filled.text);
            } else {
                self.redactor.suspect(&filled.text);
            }
        }
    }

    /// Why an entry cannot be used, if that concerns only it.
    pub(crate) fn fault(&self, entry: &[Step]) -> Option<String> {
        self.unusable.get(entry).or_else(|| self.broken.get(entry)).cloned()
    }

    /// Says that an entry cannot be used, named by itself or by one of its nodes, because what it needs could not be brought in.
    /// The first reason counts.
    pub(crate) fn break_entry(&mut self, path: &[Step], why: impl Into<String>) {
        let entry = self.entry_of(path).unwrap_or(path);
        self.unusable.entry(entry.to_vec()).or_insert_with(|| why.into());
    }

    /// Whether an entry, named likewise, lacks what could not be brought in. That something is missing from it is no second
    /// mistake then.
    pub(crate) fn is_unusable(&self, path: &[Step]) -> bool {
        self.unusable.contains_key(self.entry_of(path).unwrap_or(path))
    }

    /// Whether an entry is switched off: then it needs nothing, and none of the rules is about it.
    pub(crate) fn is_disabled(&self, entry: &[Step]) -> bool {
        self.disabled.contains(entry)
    }

    /// Whom an entry belongs to, under either name of the field.
    pub(crate) fn owner(&mut self, path: &[Step], owner: Option<String>, old: Option<String>) -> Option<String> {
        if owner.is_some() && old.is_some() {
            let message = "`project` is the old name of `owner_project`; only one of them can be set";
            self.problem(&under(path, "project"), Part::Key(0), message, None);
            return None;
        }
        owner.or(old)
    }

    /// Says that two entries have one name. Where a variable brought one of the names, its entry fails and not the other.
    pub(crate) fn same_name(&mut self, entries: [&[Step]; 2], fields: &[&str], message: String, hint: Option<String>) {
        let names = entries.iter().rev().flat_map(|entry| fields.iter().map(|field| under(entry, field)));
        let brought = names.into_iter().find(|name| self.is_from_outside(name));
        let at = brought.unwrap_or_else(|| match fields {
            [field] => under(entries[1], field),
            _ => entries[1].to_vec(),
        });
        self.problem(&at, Part::Value, message, hint);
    }

    /// Says that an entry is empty, unless it is not there because of what is wrong in it, which was said.
    pub(crate) fn missing_entry(&mut self, path: &[Step]) {
        if !self.is_flagged_below(path) {
            self.problem(path, Part::Value, "the entry is empty", None);
        }
    }

    /// A field without which an entry says nothing.
    pub(crate) fn required(&mut self, path: &[Step], field: &str, is_there: bool) {
        if !is_there && !self.is_flagged(&under(path, field)) {
            self.problem(path, Part::Value, format!("`{field}` is missing"), None);
        }
    }

    /// A text as it is written: of a bare number such as `1.50`, the tree knows only the value.
    pub(crate) fn as_written(&self, path: &[Step], text: Text) -> String {
        self.document.numbers.written.get(path).cloned().unwrap_or(text.0)
    }

    /// Whether a node belongs to an entry.
    pub(super) fn is_in_entry(&self, path: &[Step]) -> bool {
        self.entry_of(path).is_some()
    }

    /// Problems of the text itself: duplicate keys, broken references, variables that are not set.
    fn report_tree(&mut self) {
        if let Some(faults) = self.environment.dotenv_faults() {
            self.problems.extend(dotenv_problems(faults));
        }
        for duplicate in &self.document.duplicates {
            if self.is_full() {
                break;
            }
            let first = self.document.locate(&duplicate.path, Part::Key(0));
            let hint = first.map(|(line, column)| format!("it stands first at {line}:{column}"));
            let message = match quote_input::word(last_key(&duplicate.path)) {
                Some(name) => format!("duplicate key `{name}`"),
                None => "duplicate key".to_owned(),
            };
            self.problem(&duplicate.path, Part::Key(duplicate.occurrence), message, hint);
        }
        for (path, must_be) in &self.document.numbers.refused {
            let message = format!("{} must be {must_be}", quote_input::key(last_key(path)));
            let hint = (*must_be == PLAIN_NUMBER).then(|| format!("{PLAIN_HINT}, or as text in quotes"));
            self.problem(path, Part::Value, message, hint);
            self.flagged.insert(path.clone());
        }
        for (path, why) in std::mem::take(&mut self.interpolated.malformed) {
            let message = format!("{}: {why}", quote_input::key(last_key(&path)));
            self.problem(&path, Part::Value, message, Some("write `$$` for a dollar sign".to_owned()));
            self.flagged.insert(path);
        }
        let unset = std::mem::take(&mut self.interpolated.unset);
        for (path, name) in &unset {
            if self.entry_of(path).is_some_and(|entry| self.is_disabled(entry)) {
                continue;
            }
            self.flagged.insert(path.clone());
            let shown = quote_input::name(name)
                .map_or_else(|| "a variable".to_owned(), |name| format!("the variable `{name}`"));
            let reach = match self.entry_of(path) {
                Some(entry) => {
                    let why = format!("{shown} is not set");
                    self.unusable.entry(entry.to_vec()).or_insert(why);
                    Reach::Entry
                }
                None => Reach::Whole,
            };
            if self.environment.is_withheld() {
                continue;
            }
            let field = quote_input::key(last_key(path));
            let (message, hint) = match self.environment.why_unset(name) {
                Some(why) => (format!("{field} needs {shown}, but {why}"), None),
                None => {
                    let hint =
                        quote_input::name(name).map(|name| format!("set it, or give a default: `${{{name}:-...}}`"));
                    (format!("{field} needs {shown}, which is not set"), hint)
                }
            };
            self.push(path, Part::Value, message, hint, reach);
        }
        self.interpolated.unset = unset;
    }

    /// Names stand in reports, alerts and metrics, so a key among them is hardly meant.
    fn report_names(&mut self) {
        let keys = self.names.iter().filter(|(_, name)| quote_input::is_known_key(name)).map(|(path, _)| show(path));
        let warnings = keys.map(|place| format!("{place}: its name looks like a key, and names stand in every report"));
        self.warnings.extend(warnings);
    }
}

/// Whether a node is the name of an entry. A run speaks of it in reports and alerts, so it is no secret.
fn is_name(path: &[Step]) -> bool {
    matches!(path, [Step::Key(_), Step::Index(_), Step::Key(field)] if field == "name" || field == "id")
}

/// What is wrong with the `.env` file.
fn dotenv_problems(faults: &DotenvFaults) -> Vec<Problem> {
    let problem = |position, message: String| Problem {
        file: faults.file.display().to_string(),
        position,
        place: None,
        message,
        hint: None,
        reach: Reach::Line,
    };
    match &faults.what {
        DotenvFault::Whole(why) => vec![problem(None, why.clone())],
        DotenvFault::Lines(lines) => lines
            .iter()
            .take(MOST_PROBLEMS / 2)
            .map(|line| problem(Some((line.number, 1)), format!("the line cannot be read: {}", line.why)))
            .collect(),
    }
}
