//! Who hears of what, as `validate` shows it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::config::{Config, shown_alert};
use crate::decide::route::{Why, route};
use crate::model::alert::{Level, Topic};
use crate::model::text::{self, ShortNames};
use crate::notify::config::Channel;
use crate::report::columns;

/// The width of the column of channels.
const CHANNELS_WIDTH: usize = 22;
/// The width of the column of entries: with the others and the gaps between them, a line has at most 80 columns.
const ENTRIES_WIDTH: usize = 36;
/// The longest name in the table, in characters.
const NAME_CHARS: usize = 20;

/// One alert that the config can raise, and the channels that hear of it.
struct Routed<'a> {
    name: &'a str,
    provider: &'a str,
    topic: Topic,
    level: Level,
    reasons: Vec<Why>,
}

fn routed(config: &Config) -> Vec<Routed<'_>> {
    let routes = config.routes();
    let mut routed = Vec::new();
    for one in config.watched() {
        for (topic, level) in one.alerts {
            let reasons = route(&routes, &one.about, topic, level);
            routed.push(Routed { name: one.about.name, provider: one.about.provider, topic, level, reasons });
        }
    }
    routed
}

/// The names of the channels that take an alert.
fn takers<'a>(config: &'a Config, reasons: &[Why]) -> Vec<&'a str> {
    let channels = config.channels.iter().zip(reasons).filter(|(_, why)| why.takes());
    channels.map(|(channel, _)| channel.name.as_str()).collect()
}

/// Who hears of what, in as few lines as there are ways; empty if every channel hears of everything.
pub(super) fn table(config: &Config) -> String {
    if config.channels.is_empty() || !config.is_routed() {
        return String::new();
    }
    let routed = routed(config);
    let channels = ShortNames::new(config.channels.iter().map(|channel| channel.name.as_str()), NAME_CHARS);
    let entries = ShortNames::new(routed.iter().map(|one| one.name), NAME_CHARS);
    let mut ways: BTreeMap<(Topic, Level, Vec<&str>), Vec<&str>> = BTreeMap::new();
    for one in &routed {
        let takers = takers(config, &one.reasons).into_iter().map(|name| channels.get(name)).collect();
        ways.entry((one.topic, one.level, takers)).or_default().push(entries.get(one.name));
    }
    let rows = ways.into_iter().map(|((topic, level, takers), entries)| {
        let alert = format!("{} {}", topic.as_str(), level.as_str());
        vec![alert, fitted(&takers, CHANNELS_WIDTH), fitted(&entries, ENTRIES_WIDTH)]
    });
    columns(&["ALERT", "GOES TO", "OF"], rows.collect(), &[])
}

/// As many names as fit a width, and how many more there are. One is always named.
fn fitted(names: &[&str], width: usize) -> String {
    let said = |count: usize| {
        let more = names.len() - count;
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", names[..count].join(", "))
    };
    let fits = (1..=names.len()).rev().map(said).find(|text| text.width() <= width);
    fits.unwrap_or_else(|| said(names.len().min(1)))
}

/// The same for programs, with a reason for each channel.
pub(super) fn json(config: &Config) -> Value {
    routed(config).iter().map(|one| as_json(config, one)).collect()
}

fn as_json(config: &Config, one: &Routed) -> Value {
    let channels = config.channels.iter().zip(&one.reasons).map(|(channel, why)| {
        json!({ "channel": channel.name, "takes": why.takes(), "why": reason(config, why, channel) })
    });
    json!({
        "project": one.name, "provider": one.provider, "topic": one.topic.as_str(), "level": one.level.as_str(),
        "goes_to": takers(config, &one.reasons), "channels": channels.collect::<Value>(),
    })
}

/// Why a channel takes an alert or does not.
pub(in crate::commands) fn reason(config: &Config, why: &Why, channel: &Channel) -> String {
    let after = channel.route.after.filter(|_| why.takes());
    let after = after.map(|after| format!(", after {}", text::span(after))).unwrap_or_default();
    let why = match why {
        Why::Named => "named under `notify`".to_owned(),
        Why::Matches => "its `match` fits".to_owned(),
        Why::Rest => "no `match` has taken it".to_owned(),
        Why::Lasts => "hears of all that lasts".to_owned(),
        Why::Rescue => "nobody else would hear of it".to_owned(),
        Why::NotNamed => "not named under `notify`".to_owned(),
        Why::Other(asked) => format!("`{}` of its `match` does not fit", asked.shown()),
        Why::Unreadable => "its `match` cannot be read".to_owned(),
        Why::Below => "takes nothing below critical".to_owned(),
        Why::Taken(by) => {
            let name = config.channels.get(*by).map(|channel| text::short_name(&channel.name, NAME_CHARS));
            format!("`{}` has taken it", name.unwrap_or_default())
        }
    };
    why + &after
}

/// What is asked of the routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    project: String,
    topic: Option<Topic>,
    level: Option<Level>,
}

impl Question {
    /// Reads `project=X,topic=low,level=critical`; a comma may stand in the name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Question, String> {
        let mut parts: Vec<(&str, String)> = Vec::new();
        for piece in text.split(',') {
            match (piece.split_once('='), parts.last_mut()) {
                (Some((key @ ("project" | "topic" | "level"), value)), _) => parts.push((key, value.to_owned())),
                (_, Some((_, value))) => {
                    value.push(',');
                    value.push_str(piece);
                }
                _ => return Err("it is written as `project=NAME,topic=low,level=critical`".to_owned()),
            }
        }
        let value = |name: &str| {
            let mut found = parts.iter().filter(|(key, _)| *key == name).map(|(_, value)| value.as_str());
            let first = found.next();
            match found.next() {
                Some(_) => Err(format!("`{name}` stands in it twice")),
                None => Ok(first),
            }
        };
        let project = value("project")?.filter(|name| !name.is_empty());
        let project = project.ok_or("it names no `project`, which is the name of an entry")?.to_owned();
        let word = |name: &str, known: Vec<&str>| format!("`{name}` must be one of {}", text::list(known));
        let topic = value("topic")?.map(|topic| {
            let all = || Topic::ALL.iter().map(|topic| topic.as_str()).collect();
            Topic::parse(topic).ok_or_else(|| word("topic", all()))
        });
        let level = value("level")?.map(|level| match Level::parse(level) {
            Some(level @ (Level::Warning | Level::Critical)) => Ok(level),
            _ => Err(word("level", vec!["warning", "critical"])),
        });
        Ok(Question { project, topic: topic.transpose()?, level: level.transpose()? })
    }
}

/// The answer to a question: for each alert that is meant, which channels hear of it and why, for people or for programs.
///
/// # Errors
/// There is no such entry, or it raises no such alert; with what to do.
pub(super) fn answer(config: &Config, question: &Question, is_json: bool) -> Result<String, (String, String)> {
    let all = routed(config);
    let of_entry: Vec<&Routed> = all.iter().filter(|one| one.name == question.project).collect();
    if of_entry.is_empty() {
        let names: Vec<&str> = config.watched().map(|one| one.about.name).collect();
        let hint = match text::nearest(&question.project, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", text::list(names.into_iter().take(20))),
        };
        return Err((format!("no enabled entry is named `{}`", question.project), hint));
    }
    let is_meant = |one: &&&Routed| {
        question.topic.is_none_or(|topic| topic == one.topic) && question.level.is_none_or(|level| level == one.level)
    };
    let meant: Vec<&&Routed> = of_entry.iter().filter(is_meant).collect();
    if meant.is_empty() {
        let known: Vec<String> = of_entry.iter().map(|one| shown_alert((one.topic, one.level))).collect();
        return Err((format!("`{}` raises no such alert", question.project), format!("it raises {}", known.join(", "))));
    }
    if is_json {
        return Ok(format!("{:#}\n", meant.iter().map(|one| as_json(config, one)).collect::<Value>()));
    }
    let names = ShortNames::new(config.channels.iter().map(|channel| channel.name.as_str()), NAME_CHARS);
    let shown = meant.iter().map(|one| {
        let rows = config.channels.iter().zip(&one.reasons).map(|(channel, why)| {
            let takes = if why.takes() { "yes" } else { "no" };
            vec![names.get(&channel.name).to_owned(), takes.to_owned(), reason(config, why, channel)]
        });
        let table = columns(&["CHANNEL", "HEARS", "WHY"], rows.collect(), &[]);
        format!("{}: {}\n{table}", text::one_line(one.name, 60), shown_alert((one.topic, one.level)))
    });
    Ok(shown.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_an_entry_and_perhaps_what_of_it() {
        let question = |project: &str, topic, level| Question { project: project.to_owned(), topic, level };
        for (text, want) in [
            ("project=A", Some(question("A", None, None))),
            ("project=A,topic=low", Some(question("A", Some(Topic::Low), None))),
            ("topic=mail,project=A,level=warning", Some(question("A", Some(Topic::Mail), Some(Level::Warning)))),
            ("project=A, B=2,level=critical", Some(question("A, B=2", None, Some(Level::Critical)))),
            ("A", None),
            ("project=", None),
            ("topic=low", None),
            ("project=A,topic=lwo", None),
            ("project=A,level=info", None),
            ("project=A,project=B", None),
        ] {
            assert_eq!(Question::parse(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn as_many_names_stand_in_a_cell_as_fit() {
        for (names, want) in [
            (&["alpha", "beta"][..], "alpha, beta"),
            (&["alpha", "beta", "gamma", "delta"], "alpha and 3 more"),
            (&["a-name-that-is-longer-than-the-cell", "b"], "a-name-that-is-longer-than-the-cell and 1 more"),
            (&[], ""),
        ] {
            assert_eq!(fitted(names, 20), want);
        }
    }
}
