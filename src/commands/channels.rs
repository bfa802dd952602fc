//! `balance-alert channels`: the services that alerts can be sent to, and what a webhook of each type needs.

use std::collections::BTreeMap;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};

use super::open::print;
use crate::notify::channel::{builtin_pages, coded};
use crate::notify::channel::page::{FieldKind, FieldSpec, Page, Per, Repeat};
use crate::notify::config::{CODED, EXEC};
use crate::process::Process;
use crate::process::exit::Exit;
use crate::report::{ListOutput, columns};

/// An entry for a channel that is a command.
const COMMAND: &str = "  command: [\"/path/to/program\", \"--an-argument\"]  # The program and its arguments, without a shell.\n";

/// Flags of `channels`.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Flags {
    /// Describe this channel, with an entry for the config
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(ids()), hide_possible_values = true)]
    pub name: Option<String>,
    /// The format of the list or of the description
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
}

pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    let text = match &flags.name {
        Some(name) => describe(&Listed::of(name), flags.output),
        None => list(flags.output),
    };
    print(&text, process, Exit::Ok)
}

/// Every word that the `type` of a webhook may be, without the pages of a config.
fn ids() -> Vec<&'static str> {
    let mut ids: Vec<&str> = builtin_pages::ids().chain(CODED).collect();
    ids.sort_unstable();
    ids
}

/// A channel that is listed; one that is code has no page.
struct Listed {
    id: String,
    page: Option<Page>,
    /// The keys of one that is code.
    coded: BTreeMap<String, FieldSpec>,
}

impl Listed {
    fn of(id: &str) -> Listed {
        Listed { id: id.to_owned(), page: builtin_pages::page(id), coded: coded::fields(id) }
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn title(&self) -> &str {
        match &self.page {
            Some(page) => &page.title,
            None => coded::title(&self.id),
        }
    }

    /// The keys of the channel, those that a webhook needs first.
    fn fields(&self) -> Vec<(&str, &FieldSpec)> {
        let fields = self.page.iter().flat_map(|page| &page.fields).chain(&self.coded);
        let mut fields: Vec<(&str, &FieldSpec)> = fields.map(|(name, spec)| (name.as_str(), spec)).collect();
        fields.sort_by_key(|(_, spec)| !is_needed(spec));
        fields
    }

    /// The names of the keys that a webhook needs, or of those that it can do without.
    fn names(&self, needed: bool) -> String {
        let fields = self.fields().into_iter().filter(|(_, spec)| is_needed(spec) == needed);
        let command = (needed && self.id == EXEC).then_some("command");
        fields.map(|(name, _)| name).chain(command).collect::<Vec<_>>().join(", ")
    }

    fn messages(&self) -> &'static str {
        match self.page.as_ref().map(|page| page.per).unwrap_or_default() {
            Per::Message => "one for all alerts",
            Per::Alert => "one for each alert",
        }
    }
}

/// Whether a webhook cannot do without a key.
fn is_needed(spec: &FieldSpec) -> bool {
    spec.required && spec.default.is_none()
}

fn list(output: ListOutput) -> String {
    let all = ids().into_iter().map(Listed::of);
    match output {
        ListOutput::Json => format!("{:#}\n", all.map(|listed| as_json(&listed)).collect::<Value>()),
        ListOutput::Table => {
            let or_none = |text: String| if text.is_empty() { "-".to_owned() } else { text };
            let rows = all.map(|listed| {
                let (needs, options) = (or_none(listed.names(true)), or_none(listed.names(false)));
                vec![listed.id().to_owned(), listed.title().to_owned(), needs, options, listed.messages().to_owned()]
            });
            columns(&["ID", "TITLE", "NEEDS", "OPTIONS", "MESSAGES"], rows.collect(), &[])
        }
    }
}

fn as_json(listed: &Listed) -> Value {
    let page = listed.page.as_ref();
    let fields = listed.fields().into_iter().map(|(name, spec)| {
        json!({
            "name": name, "about": spec.about, "type": spec.kind.as_str(), "required": is_needed(spec),
            "secret": spec.secret, "default": spec.default, "values": spec.values,
        })
    });
    let limits = page.into_iter().flat_map(|page| &page.limits);
    let limits = limits.map(|limit| json!({ "most": limit.most, "unit": limit.unit.as_str(), "of": limit.of }));
    json!({
        "id": listed.id(), "title": listed.title(), "docs": page.and_then(|page| page.docs.as_ref()),
        "from_memory": page.and_then(|page| page.from_memory.as_ref()), "fields": fields.collect::<Value>(),
        "per": page.map(|page| page.per).unwrap_or_default().as_str(),
        "repeat": page.map(|page| page.repeat).unwrap_or_default().as_str(),
        "limits": limits.collect::<Value>(), "alerts": page.and_then(|page| page.alerts),
        "mention": page.and_then(|page| page.mention.as_ref()).map(|mention| &mention.about),
        "rate_limit": page.and_then(|page| page.rate_limit.as_ref()),
        "open": page.is_some_and(|page| page.open), "config": snippet(listed),
    })
}

/// What there is to know about one channel, for people.
fn describe(listed: &Listed, output: ListOutput) -> String {
    if output == ListOutput::Json {
        return format!("{:#}\n", as_json(listed));
    }
    let mut parts = vec![format!("{}: {}\n", listed.id(), listed.title())];
    if let Some(docs) = listed.page.as_ref().and_then(|page| page.docs.as_ref()) {
        parts[0].push_str(&format!("documentation: {docs}\n"));
    }
    if !listed.fields().is_empty() {
        let rows = listed.fields().into_iter().map(|(name, spec)| row(name, spec));
        parts.push(columns(&["KEY", "VALUE", "MEANING"], rows.collect(), &[]));
    }
    parts.push(facts(listed).into_iter().map(|fact| format!("{fact}\n")).collect());
    parts.push(format!("An entry for the config:\n\n{}", snippet(listed)));
    parts.push("`balance-alert notify test` then sends one message through it, marked as a test.\n".to_owned());
    parts.join("\n")
}

/// What a key takes, and what it means.
fn row(name: &str, spec: &FieldSpec) -> Vec<String> {
    let mut words = vec![match (spec.secret, spec.kind) {
        (true, _) => "secret".to_owned(),
        (false, FieldKind::Flag) => "true or false".to_owned(),
        (false, FieldKind::Addresses) => "address, or a list of them".to_owned(),
        (false, kind) => kind.as_str().to_owned(),
    }];
    words.extend((!spec.values.is_empty()).then(|| format!("one of {}", spec.values.join(", "))));
    words.extend((!is_needed(spec)).then(|| match &spec.default {
        Some(default) => format!("default {default}"),
        None => "optional".to_owned(),
    }));
    let file = if spec.secret { format!(" Or `{name}_file`, a file that holds it.") } else { String::new() };
    vec![name.to_owned(), words.join(", "), format!("{}{file}", spec.about)]
}

/// Whole sentences about the messages of a channel.
fn facts(listed: &Listed) -> Vec<String> {
    let mut facts = vec![format!("Messages: {}.", listed.messages())];
    let Some(page) = &listed.page else { return facts };
    facts.extend(page.limits.iter().map(|limit| {
        let what = limit.of.as_ref().map_or_else(|| "the whole body".to_owned(), |of| format!("`{of}` of the body"));
        format!("Size: at most {} {} of {what}; what is longer is split.", limit.most, limit.unit.as_str())
    }));
    facts.extend(page.mention.as_ref().map(|mention| {
        format!("Mentions, under `mention`, if something is critical: {}.", mention.about.trim_end_matches('.'))
    }));
    facts.extend(page.alerts.map(|most| format!("Alerts: at most {most} in one message.")));
    facts.extend(page.rate_limit.as_ref().map(|limit| format!("Rate: at most {limit}.")));
    if page.repeat == Repeat::EveryRun {
        facts.push("Repeats: what stands is told in every run, because the service forgets it.".to_owned());
    }
    if page.open {
        facts.push("A webhook of this type may bring its own `body`, `headers` and `accept`.".to_owned());
    }
    facts.extend(page.from_memory.as_ref().map(|what| format!("Not confirmed by a source: {what}.")));
    facts
}

/// An entry for a config: what is needed comes from variables, and what is optional is commented out.
fn snippet(listed: &Listed) -> String {
    let id = listed.id();
    let lines = listed.fields().into_iter().map(|(name, spec)| {
        let variable = format!("{id}_{name}").replace('-', "_").to_uppercase();
        let value = spec.default.clone().unwrap_or_else(|| format!("${{{variable}}}"));
        let mark = if is_needed(spec) { "" } else { "# " };
        format!("  {mark}{name}: {}  # {}\n", Value::from(value), spec.about)
    });
    let command = if id == EXEC { COMMAND } else { "" };
    format!("webhook:\n  type: {id}\n{command}{}", lines.collect::<String>())
}
