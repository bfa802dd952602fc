//! What an alert says, in words. How a service wants it encoded is the channel's business.

mod chinese;
mod class;
mod digest;
mod english;
mod group;
mod language;
mod neutral;
mod parts;
mod sentence;
mod templates;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use self::chinese::Chinese;
use self::class::{Class, mark};
use self::english::English;
use self::group::{Group, GroupKey};
use self::language::Phrases;
pub(super) use self::neutral::Neutral;
use self::parts::{Parts, moment};
use self::sentence::Sentence;
use crate::model::alert::{self, Alert, Cause, OutsideText, TOGETHER_FROM, Topic, Trouble};
use crate::model::cadence::Cadence;
use crate::model::failure::Failure;
use crate::model::text::{self, ShortNames};
use crate::model::words::Language;

pub(super) use self::group::by_cause;
pub(crate) use self::neutral::Markup;
pub(super) use self::neutral::as_it_is;

/// The longest name shown, in characters.
const NAME_CHARS: usize = 120;

/// The longest name shown in a short line, in characters.
const SHORT_NAME_CHARS: usize = 40;

/// The longest reason shown, in characters.
const TROUBLE_CHARS: usize = 200;

/// The longest currency shown, in characters.
const CURRENCY_CHARS: usize = 16;

/// Words of a mail that stand in a message with clipped texts.
const MOST_CLIPPED_WORDS: usize = 3;

/// A row of a table: what is wrong, and with whom if it is about one.
pub(super) struct Row {
    pub(super) mark: &'static str,
    pub(super) name: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) text: String,
}

/// What one line tells of.
enum Entry<'a> {
    /// Several alerts with one cause.
    Group(Vec<&'a Alert>),
    /// One alert.
    One(&'a Alert),
}

/// What the lines of a message tell of, in their order.
fn entries(alerts: &[Alert]) -> Vec<Entry<'_>> {
    let mut groups: HashMap<GroupKey, Vec<&Alert>> = HashMap::new();
    for alert in alerts {
        if let Some(key) = GroupKey::of(alert) {
            groups.entry(key).or_default().push(alert);
        }
    }
    groups.retain(|_, group| group.len() >= TOGETHER_FROM);
    let entry = |alert| match GroupKey::of(alert) {
        Some(key) => match groups.get(&key) {
            Some(group) if std::ptr::eq(group[0], alert) => Some(Entry::Group(group.clone())),
            Some(_) => None,
            None => Some(Entry::One(alert)),
        },
        None => Some(Entry::One(alert)),
    };
    alerts.iter().filter_map(entry).collect()
}

/// The alerts of one run, ready to be encoded.
pub(super) struct Message {
    /// The alerts, worst first.
    pub(super) alerts: Vec<Alert>,
    language: Language,
    run_id: String,
    is_short: bool,
    /// Whether it only tries a channel.
    is_test: bool,
    /// The names as they stand in short lines.
    short_names: ShortNames,
    /// What is known of providers, by their ids.
    providers: Arc<BTreeMap<String, Provider>>,
    numbering: Numbering,
}

/// The numbers of the messages that one was split into, as titles name them.
#[derive(Default)]
enum Numbering {
    /// It is one message.
    #[default]
    None,
    /// It is being split: a title that names no number yet leaves room for it.
    Open,
    /// By the key of the first alert of each: its number, and how many alerts it holds; and how many there are.
    Of(HashMap<String, (usize, usize)>, usize),
}

/// The number in a title that leaves room for one. Nobody reads so many messages.
const ROOM: usize = 9999;

/// What messages say of a provider.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    /// Its name for people.
    pub title: String,
    /// Where an account is topped up, as an address that is harmless in every markup.
    pub top_up: Option<String>,
}

impl Provider {
    /// `top_up` is what its page says of where an account is topped up.
    pub(crate) fn new(title: &str, top_up: Option<&str>) -> Provider {
        Provider { title: title.to_owned(), top_up: top_up.and_then(link) }
    }
}

/// An address in which nothing ends a link or formats, in any markup; none if it is none of the web.
fn link(address: &str) -> Option<String> {
    let url = url::Url::parse(address.trim()).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    let is_known = url.username().is_empty() && url.password().is_none();
    let live =
        |c: char| matches!(c, '(' | ')' | '[' | ']' | '|' | '*' | '`' | '~' | '\'' | '"' | '<' | '>' | '\\' | '@');
    let encoded = url.as_str().chars().fold(String::new(), |mut text, c| {
        match live(c) {
            true => text.push_str(&format!("%{:02X}", u32::from(c))),
            false => text.push(c),
        }
        text
    });
    Some(encoded).filter(|_| is_known)
}

impl Message {
    /// The message of one run. Names are brought to one bounded line here, once.
    pub(super) fn new(alerts: &[Alert], language: Language, run_id: &str) -> Message {
        let names = ShortNames::new(alerts.iter().map(|alert| alert.project.as_str()), NAME_CHARS);
        let owners = alerts.iter().filter_map(|alert| alert.owner_project.as_deref());
        let owners = ShortNames::new(owners, NAME_CHARS);
        let phrases = phrases_of(language);
        let project = |alert: &Alert| match &alert.cause {
            // Its name is what it is about, in the language of the message.
            Cause::Digest(digest) => text::one_line(&digest::heading(phrases, &digest.part), NAME_CHARS),
            _ => names.get(&alert.project).to_owned(),
        };
        let alerts: Vec<Alert> = alerts
            .iter()
            .map(|alert| Alert {
                project: project(alert),
                owner_project: alert.owner_project.as_deref().map(|owner| owners.get(owner).to_owned()),
                ..bounded(alert.clone())
            })
            .collect();
        let short_names = ShortNames::new(alerts.iter().map(|alert| alert.project.as_str()), SHORT_NAME_CHARS);
        Message {
            alerts,
            language,
            run_id: run_id.to_owned(),
            is_short: false,
            is_test: false,
            short_names,
            providers: Arc::default(),
            numbering: Numbering::None,
        }
    }

    /// From now on titles of parts leave room for their numbers.
    pub(super) fn split(&mut self) {
        self.numbering = Numbering::Open;
    }

    /// It is split into these parts, in this order.
    pub(super) fn number(&mut self, parts: &[Range<usize>]) {
        let keys = parts
            .iter()
            .enumerate()
            .filter_map(|(at, part)| Some((self.alerts.get(part.start)?.dedup_key.clone(), (at + 1, part.len()))));
        self.numbering = match parts.len() {
            0 | 1 => Numbering::None,
            count => Numbering::Of(keys.collect(), count),
        };
    }

    /// The number of a message about these alerts, and of how many.
    fn number_of(&self, alerts: &[Alert]) -> Option<(usize, usize)> {
        match &self.numbering {
            Numbering::None => None,
            Numbering::Open => (alerts.len() < self.alerts.len()).then_some((ROOM, ROOM)),
            Numbering::Of(numbers, count) => {
                let (number, length) = numbers.get(&alerts.first()?.dedup_key)?;
                // One that was refused is told in smaller parts, which have none.
                (*length == alerts.len()).then_some((*number, *count))
            }
        }
    }

    /// Sets the titles of the providers.
    pub(super) fn naming(self, providers: Arc<BTreeMap<String, Provider>>) -> Message {
        Message { providers, ..self }
    }

    /// The same, marked as a test in its title and in the name of each check: some services show only one of them.
    pub(super) fn marked_as_test(mut self) -> Message {
        self.is_test = true;
        let phrases = self.phrases();
        for alert in &mut self.alerts {
            alert.project = phrases.test(&alert.project);
        }
        self
    }

    /// The name of a provider for people, if it is known.
    pub(super) fn provider_title(&self, id: &str) -> Option<&str> {
        self.providers.get(id).map(|provider| provider.title.as_str())
    }

    /// Where the account of an alert about a low balance is topped up, if that is known.
    pub(super) fn top_up(&self, alert: &Alert) -> Option<&str> {
        let is_low = alert.topic() == Topic::Low;
        self.providers.get(&alert.provider).filter(|_| is_low)?.top_up.as_deref()
    }

    /// How urgent an alert is, at a glance.
    pub(super) fn mark(&self, alert: &Alert) -> &'static str {
        mark(alert)
    }

    fn phrases(&self) -> &'static dyn Phrases {
        phrases_of(self.language)
    }

    /// The heading: `Balance alert: 2 low, 1 warning`.
    pub(super) fn title(&self, alerts: &[Alert]) -> String {
        let counts: Vec<String> = Class::all()
            .map(|class| (alerts.iter().filter(|alert| Class::of(alert) == class).count(), class))
            .filter(|(count, _)| *count > 0)
            .map(|(count, class)| format!("{count} {}", self.phrases().class(class)))
            .collect();
        let title = digest::title(self.phrases(), alerts).unwrap_or_else(|| self.phrases().title(&counts));
        let title = match self.number_of(alerts) {
            Some((number, count)) => self.phrases().numbered(&title, number, count),
            None => title,
        };
        if self.is_test { self.phrases().test(&title) } else { title }
    }

    /// The heading, with the name of the one that it is about.
    pub(super) fn subject(&self, alerts: &[Alert]) -> String {
        match alerts {
            [one] => self.phrases().about(&self.title(alerts), &one.project),
            _ => self.title(alerts),
        }
    }

    /// From now on says the same in fewer words, for a channel that takes no more messages.
    pub(super) fn shorten(&mut self) {
        self.is_short = true;
    }

    /// The lines of a message: one an alert, one for several alerts with the same cause, and in short one for all that are
    /// in the same state.
    pub(super) fn lines(&self, alerts: &[Alert], neutral: Neutral) -> Vec<String> {
        let mut lines = Vec::new();
        let mut rest: Vec<&Alert> = Vec::new();
        for entry in entries(alerts) {
            match entry {
                Entry::Group(group) => lines.push(self.group(&group, neutral)),
                Entry::One(alert) if self.is_short && alert.topic() != Topic::Digest => rest.push(alert),
                Entry::One(alert) => lines.push(self.line(alert, neutral)),
            }
        }
        lines.extend(Class::all().filter_map(|class| self.short_line(class, &rest, neutral)));
        lines
    }

    /// One line for all alerts of a class.
    fn short_line(&self, class: Class, alerts: &[&Alert], neutral: Neutral) -> Option<String> {
        self.short(class, alerts, neutral).map(|(mark, text)| format!("{mark} {text}"))
    }

    fn short(&self, class: Class, alerts: &[&Alert], neutral: Neutral) -> Option<(&'static str, String)> {
        let of_class: Vec<&&Alert> = alerts.iter().filter(|alert| Class::of(alert) == class).collect();
        let first = of_class.first()?;
        let words: Vec<String> = of_class
            .iter()
            .map(|alert| self.words(alert, neutral).short(&neutral(self.short_names.get(&alert.project))))
            .collect();
        let text = format!("{} {}: {}", of_class.len(), self.phrases().class(class), words.join(", "));
        Some((mark(first), text))
    }

    /// The same as rows of a table.
    pub(super) fn rows(&self, alerts: &[Alert], neutral: Neutral) -> Vec<Row> {
        let mut rest: Vec<&Alert> = Vec::new();
        let mut rows = Vec::new();
        for entry in entries(alerts) {
            match entry {
                Entry::Group(group) => rows.push(Row {
                    mark: mark(group[0]),
                    name: None,
                    owner: None,
                    text: self.about_group(&group, neutral),
                }),
                Entry::One(alert) if self.is_short && alert.topic() != Topic::Digest => rest.push(alert),
                Entry::One(alert) => rows.push(Row {
                    mark: mark(alert),
                    name: Some(neutral(&alert.project)),
                    owner: alert.owner_project.as_deref().map(neutral),
                    text: self.words(alert, neutral).what(),
                }),
            }
        }
        rows.extend(Class::all().filter_map(|class| {
            let (mark, text) = self.short(class, &rest, neutral)?;
            Some(Row { mark, name: None, owner: None, text })
        }));
        rows
    }

    /// One line for several alerts with one cause: how many, where, why, and the names of some.
    fn group(&self, alerts: &[&Alert], neutral: Neutral) -> String {
        format!("{} {}", mark(alerts[0]), self.about_group(alerts, neutral))
    }

    pub(super) fn about_group(&self, alerts: &[&Alert], neutral: Neutral) -> String {
        let first = alerts[0];
        // The line names the host itself.
        let trouble = first.trouble().map(|trouble| Trouble {
            message: Failure::without_host(&trouble.message, first.host.as_deref().unwrap_or_default()).to_owned(),
            ..trouble.clone()
        });
        let why = Parts { alert: first, neutral }.trouble(trouble.as_ref());
        let name = |alert: &Alert| neutral(self.short_names.get(&alert.project));
        let group = Group::new(alerts, first.host.as_deref().map(neutral), why, name);
        let since = first.since.map(|since| self.phrases().since(&moment(since))).unwrap_or_default();
        format!("{}{since}", self.phrases().group(&group))
    }

    fn words<'a>(&self, alert: &'a Alert, neutral: Neutral) -> Sentence<'a> {
        Sentence { parts: Parts { alert, neutral }, phrases: self.phrases() }
    }

    /// One line for one alert, its mark first.
    pub(super) fn line(&self, alert: &Alert, neutral: Neutral) -> String {
        format!("{} {}", mark(alert), self.sentence(alert, neutral))
    }

    /// One sentence for one alert.
    pub(super) fn sentence(&self, alert: &Alert, neutral: Neutral) -> String {
        self.words(alert, neutral).full()
    }

    /// Who sends this, which run, and the key that a repeated message shares with the first one.
    pub(super) fn footer(&self, source: &str, alerts: &[Alert], neutral: Neutral) -> String {
        let source = neutral(&text::one_line(source, NAME_CHARS));
        self.phrases().footer(&source, &neutral(&self.run_id), &self.dedup_key(alerts))
    }

    /// The key of a message: the same for the same alerts, whichever run sends them.
    pub(super) fn dedup_key(&self, alerts: &[Alert]) -> String {
        let keys: Vec<&str> = alerts.iter().map(|alert| alert.dedup_key.as_str()).collect();
        Sha256::digest(keys.join("\n")).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The run that sends it.
    pub(super) fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The language of the text.
    pub(super) fn language(&self) -> Language {
        self.language
    }
}

/// What an alert says, without the name of its check, as a plain text. It comes from outside, and who shows it makes it harmless.
pub(crate) fn said(alert: &Alert, language: Language) -> String {
    let message = Message::new(std::slice::from_ref(alert), language, "");
    message.alerts.iter().map(|alert| message.words(alert, as_it_is).what()).collect()
}

/// How often a subscription renews, in words.
pub(crate) fn cadence(cadence: Cadence, language: Language) -> String {
    match language {
        Language::En => cadence.to_string(),
        Language::Zh => chinese::cadence(cadence),
    }
}

fn phrases_of(language: Language) -> &'static dyn Phrases {
    match language {
        Language::En => &English,
        Language::Zh => &Chinese,
    }
}

/// A digest as a message says it: its title, and of each part what it is about and a line for each row. Nothing in it is made
/// harmless.
pub(crate) fn digest_text(parts: &[alert::Digest], language: Language) -> (String, Vec<(String, Vec<String>)>) {
    let phrases = phrases_of(language);
    let title = parts.first().map(|first| digest::heading_of(phrases, first)).unwrap_or_default();
    let text = |one: &alert::Digest| (digest::heading(phrases, &one.part), digest::lines(phrases, &one.part, as_it_is));
    (title, parts.iter().map(text).collect())
}

/// An alert whose texts have at most so many characters each, for a service that takes very little.
pub(super) fn clipped(alert: &Alert, most: usize) -> Alert {
    let mut alert = bounded(alert.clone());
    alert.project = text::short_name(&alert.project, most);
    let clip = |text: &mut String| *text = text::one_line(text, most);
    alert.owner_project.iter_mut().for_each(clip);
    if let Cause::Mail(mail) = &mut alert.cause {
        let texts = [&mut mail.subject, &mut mail.sender].into_iter().chain(&mut mail.account).chain(&mut mail.service);
        texts.chain(&mut mail.keywords).for_each(clip);
        mail.keywords.truncate(MOST_CLIPPED_WORDS);
    }
    let missed = alert.missed.iter_mut().flat_map(|missed| missed.found.outside_texts());
    for text in alert.cause.facts_mut().outside_texts().into_iter().chain(missed) {
        match text {
            OutsideText::Currency(_) => {}
            OutsideText::Reason(reason) => clip(reason),
        }
    }
    alert
}

/// An alert whose currencies and reasons are one bounded line each: they come from services.
fn bounded(mut alert: Alert) -> Alert {
    let missed = alert.missed.iter_mut().flat_map(|missed| missed.found.outside_texts());
    for text in alert.cause.facts_mut().outside_texts().into_iter().chain(missed) {
        match text {
            OutsideText::Currency(currency) => *currency = text::one_line(currency, CURRENCY_CHARS),
            OutsideText::Reason(reason) => *reason = text::one_line(reason, TROUBLE_CHARS),
        }
    }
    alert
}

#[cfg(test)]
mod tests;
