//! What a config would have told beside what was told: the table and the JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::cli::Since;
use crate::model::alert::{Alert, Event, Level, Topic};
use crate::model::amount;
use crate::model::identity::Identity;
use crate::model::text::{self, ShortNames};
use crate::process::clock::iso;
use crate::report::{amount_cell, columns};
use crate::state::queries::{LastRun, Message, SendingStatus};

/// The width of the answer for people, in columns.
const WIDTH: usize = 80;
/// The longest name in it, in characters.
const NAME_CHARS: usize = 18;
/// Alerts that it lists at the most.
const MOST_LINES: usize = 100;
/// The memory does not keep what these depend on: mails, the credits of earlier days, and the runs of other schedules as they were.
const NOT_TRIED: [Topic; 3] = [Topic::Mail, Topic::Expiry, Topic::Silent];

/// An alert, and the channels that it went to.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// The start of the run that told it.
    pub(super) at: Timestamp,
    /// The id of that run.
    pub(super) run: String,
    pub(super) alert: Alert,
    /// The ids of the channels.
    pub(super) to: Vec<String>,
}

/// An alert, with the channels that would have got it, and those that did.
pub(super) struct Line {
    pub(super) said: Said,
    pub(super) now: Vec<String>,
    pub(super) then: Vec<String>,
}

/// The answer.
pub(super) struct Backtest {
    /// From when until when the runs were.
    pub(super) times: (Timestamp, Timestamp),
    pub(super) runs: usize,
    /// Entries of the config that a run has looked at.
    pub(super) checks: usize,
    /// The names of those that none has.
    pub(super) unseen: Vec<String>,
    /// The names of the accounts whose threshold is a share of a total.
    pub(super) shares: Vec<String>,
    /// The one in which days are counted.
    pub(super) timezone: TimeZone,
    /// In the order of time.
    pub(super) lines: Vec<Line>,
}

/// What was told in this time of the entries that `knows` knows, run by run.
pub(super) fn told(
    messages: &[Message],
    runs: &[LastRun],
    knows: &dyn Fn(Identity, &str) -> bool,
    (since, until): (Timestamp, Timestamp),
) -> Vec<Said> {
    let started: BTreeMap<&str, Timestamp> = runs.iter().map(|run| (run.id.as_str(), run.started_at)).collect();
    let mut told: Vec<Said> = Vec::new();
    for Message { alert, deliveries, .. } in messages {
        if NOT_TRIED.contains(&alert.topic()) || !knows(alert.identity, &alert.project) {
            continue;
        }
        let mut by_run: BTreeMap<&str, (Timestamp, Vec<String>)> = BTreeMap::new();
        let taken = [SendingStatus::Sent, SendingStatus::Unknown];
        for sending in deliveries.iter().filter(|sending| taken.contains(&sending.status)) {
            let at = started.get(sending.run_id.as_str()).copied().unwrap_or(sending.at);
            by_run.entry(&sending.run_id).or_insert((at, Vec::new())).1.push(sending.channel.clone());
        }
        let in_time = by_run.into_iter().filter(|(_, (at, _))| (since..=until).contains(at));
        told.extend(in_time.map(|(run, (at, to))| Said { at, run: run.to_owned(), alert: alert.clone(), to }));
    }
    told
}

/// Both in the order of time; the same alert of the same run is one line.
pub(super) fn beside(said: Vec<Said>, told: Vec<Said>) -> Vec<Line> {
    let is_tried = |said: &Said| !NOT_TRIED.contains(&said.alert.topic());
    let line = |said: Said| Line { now: said.to.clone(), then: Vec::new(), said };
    let mut lines: Vec<Line> = said.into_iter().filter(is_tried).map(line).collect();
    let mut by_run: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        by_run.entry(line.said.run.clone()).or_default().push(at);
    }
    for said in told {
        let same = by_run.get(&said.run).into_iter().flatten().copied().find(|at| {
            let line = &lines[*at];
            line.then.is_empty() && is_same(&line.said.alert, &said.alert)
        });
        match same {
            Some(at) => lines[at].then = said.to,
            None => lines.push(Line { now: Vec::new(), then: said.to.clone(), said }),
        }
    }
    lines.sort_by_key(|line| line.said.at);
    lines
}

fn is_same(one: &Alert, other: &Alert) -> bool {
    let kind = |alert: &Alert| (alert.topic(), alert.event, alert.level, alert.project.clone());
    kind(one) == kind(other)
}

/// How much was told: with the config that is tried, or in fact.
#[derive(Serialize)]
struct Sum {
    alerts: usize,
    /// One for each alert and channel.
    messages: usize,
    messages_per_day: f64,
    busiest_day: Option<Busiest>,
}

#[derive(Serialize)]
struct Busiest {
    day: String,
    messages: usize,
}

/// What is said of one entry.
#[derive(Serialize)]
struct Project<'a> {
    name: &'a str,
    alerts: usize,
    told: usize,
    first_alert: Option<String>,
    first_told: Option<String>,
}

#[derive(Serialize)]
struct Entry<'a> {
    time: String,
    run_id: &'a str,
    project: &'a str,
    topic: Topic,
    event: Event,
    level: Level,
    balance: Option<Box<RawValue>>,
    threshold: Option<Box<RawValue>>,
    currency: Option<&'a str>,
    /// The channels that would get it with the config that is tried.
    channels: &'a [String],
    /// Those that got it.
    told: &'a [String],
}

#[derive(Serialize)]
struct Root<'a> {
    schema_version: u32,
    since: String,
    until: String,
    runs: usize,
    checks: usize,
    without_samples: &'a [String],
    with_config: Sum,
    told: Sum,
    projects: Vec<Project<'a>>,
    alerts: Vec<Entry<'a>>,
    not_tried: [Topic; 3],
}

type Channels = fn(&Line) -> &[String];

impl Backtest {
    fn sum(&self, channels: Channels) -> Sum {
        let lines = || self.lines.iter().filter(|line| !channels(line).is_empty());
        let mut days: BTreeMap<Date, usize> = BTreeMap::new();
        for line in lines() {
            let day = line.said.at.to_zoned(self.timezone.clone()).date();
            *days.entry(day).or_default() += channels(line).len();
        }
        let messages = days.values().sum::<usize>();
        // Less than a day is no time that could be compared.
        let span = (self.times.1.duration_since(self.times.0).as_secs_f64() / 86_400.0).max(1.0);
        let busiest = days.into_iter().rev().max_by_key(|(_, messages)| *messages);
        Sum {
            alerts: lines().count(),
            messages,
            messages_per_day: (messages as f64 / span * 100.0).round() / 100.0,
            busiest_day: busiest.map(|(day, messages)| Busiest { day: day.to_string(), messages }),
        }
    }

    fn projects(&self, shown: fn(Timestamp) -> String) -> Vec<Project<'_>> {
        let mut all: BTreeMap<&str, Project> = BTreeMap::new();
        for line in &self.lines {
            let name = line.said.alert.project.as_str();
            let nothing = Project { name, alerts: 0, told: 0, first_alert: None, first_told: None };
            let project = all.entry(name).or_insert(nothing);
            let raised = (line.said.alert.event == Event::Raised).then(|| shown(line.said.at));
            for (channels, count, first) in [
                (&line.now, &mut project.alerts, &mut project.first_alert),
                (&line.then, &mut project.told, &mut project.first_told),
            ] {
                if !channels.is_empty() {
                    *count += 1;
                    *first = first.take().or(raised.clone());
                }
            }
        }
        all.into_values().collect()
    }

    /// For programs.
    pub(super) fn json(&self) -> String {
        let alerts = self.lines.iter().map(Line::entry).collect();
        let root = Root {
            schema_version: 1,
            since: iso(self.times.0),
            until: iso(self.times.1),
            runs: self.runs,
            checks: self.checks,
            without_samples: &self.unseen,
            with_config: self.sum(|line| &line.now),
            told: self.sum(|line| &line.then),
            projects: self.projects(iso),
            alerts,
            not_tried: NOT_TRIED,
        };
        // Strings, numbers and lists only: this cannot fail.
        serde_json::to_string(&root).unwrap_or_default() + "\n"
    }

    /// For people.
    pub(super) fn table(&self, since: Since) -> String {
        if self.runs == 0 {
            return format!("no runs since {since}\n");
        }
        let what = [text::plural(self.runs, "run"), text::plural(self.checks, "check")].join(" of ");
        let mut out = format!("{what}, {} to {}\n", minute(self.times.0), minute(self.times.1));
        let (now, then) = (self.sum(|line| &line.now), self.sum(|line| &line.then));
        let row = |name: &str, value: fn(&Sum) -> String| vec![name.to_owned(), value(&now), value(&then)];
        let rows = vec![
            row("alerts", |sum| sum.alerts.to_string()),
            row("messages, one for each channel", |sum| sum.messages.to_string()),
            row("messages a day", |sum| format!("{:.2}", sum.messages_per_day)),
            row("most on one day", |sum| {
                sum.busiest_day.as_ref().map_or_else(|| "-".to_owned(), |day| format!("{} on {}", day.messages, day.day))
            }),
        ];
        out += &columns(&["", "WITH THIS CONFIG", "AS TOLD"], rows, &[1, 2]);
        let names = ShortNames::new(self.lines.iter().map(|line| line.said.alert.project.as_str()), NAME_CHARS);
        if !self.lines.is_empty() {
            out += &format!("\n{}\n{}", self.each(&names), self.list(&names));
        }
        for note in self.notes() {
            out += "\n";
            out += &text::wrapped(&note, WIDTH).join("\n");
        }
        out + "\n"
    }

    fn each(&self, names: &ShortNames) -> String {
        let time = |at: Option<String>| at.unwrap_or_else(|| "-".to_owned());
        let rows = self.projects(minute).into_iter().map(|one| {
            let counts = [one.alerts.to_string(), one.told.to_string()];
            let [alerts, told] = counts;
            vec![names.get(one.name).to_owned(), alerts, told, time(one.first_alert), time(one.first_told)]
        });
        columns(&["PROJECT", "ALERTS", "TOLD", "FIRST ALERT", "FIRST TOLD"], rows.collect(), &[1, 2])
    }

    fn list(&self, names: &ShortNames) -> String {
        let rows = self.lines.iter().take(MOST_LINES).map(|line| {
            let alert = &line.said.alert;
            let level = if alert.event == Event::Resolved { "over" } else { alert.level.as_str() };
            vec![
                line.sign().to_owned(),
                minute(line.said.at),
                names.get(&alert.project).to_owned(),
                format!("{} {level}", alert.topic().as_str()),
                amount_cell(alert.balance(), alert.threshold(), alert.currency()),
            ]
        });
        let mut list = columns(&["", "TIME (UTC)", "PROJECT", "ALERT", "BALANCE"], rows.collect(), &[4]);
        let more = self.lines.len().saturating_sub(MOST_LINES);
        if more > 0 {
            list += &format!(" and {more} more, which `--output json` lists\n");
        }
        list
    }

    /// What the answer cannot say.
    fn notes(&self) -> Vec<String> {
        let mut notes = vec![
            "= told and told with this config, + only with this config, - only told then.".to_owned(),
            "Every channel is taken to accept what it is sent. Mails, credits that lapse and schedules that have fallen silent are \
             not tried, because the memory does not keep what they depend on."
                .to_owned(),
        ];
        let some = |names: &[String]| text::list(names.iter().take(10).map(String::as_str));
        if !self.shares.is_empty() {
            notes.push(format!(
                "The total that the threshold is a share of is not kept: the amount of that time counts for {}.",
                some(&self.shares)
            ));
        }
        if !self.unseen.is_empty() {
            notes.push(format!("No run has looked at {}.", some(&self.unseen)));
        }
        notes
    }
}

impl Line {
    /// Whether it was told and would be told again.
    pub(super) fn sign(&self) -> &'static str {
        match (self.now.is_empty(), self.then.is_empty()) {
            (false, false) => "=",
            (false, true) => "+",
            (true, _) => "-",
        }
    }

    fn entry(&self) -> Entry<'_> {
        let alert = &self.said.alert;
        Entry {
            time: iso(self.said.at),
            run_id: &self.said.run,
            project: &alert.project,
            topic: alert.topic(),
            event: alert.event,
            level: alert.level,
            balance: alert.balance().map(amount::to_json),
            threshold: alert.threshold().map(amount::to_json),
            currency: alert.currency(),
            channels: &self.now,
            told: &self.then,
        }
    }
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}
