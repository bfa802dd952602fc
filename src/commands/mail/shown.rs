//! What is said of mails, for people and for programs.

use serde::Serialize;
use serde_json::value::RawValue;

use super::opinion::{Opinion, Outlook, Verdict};
use crate::check::mailbox::finding::Role;
use crate::model::amount;
use crate::model::strength::Strength;
use crate::model::text;
use crate::process::clock::iso;

/// How wide the text may be, in columns of a terminal.
const WIDTH: usize = 80;
/// What is said of a mail that has too many words.
const CUT: &str = "it is so long that only its beginning was judged";
/// Where what is said of a mail begins.
const INDENT: usize = 12;

/// The mails one after the other, and how many of them are what.
pub(super) fn table(opinions: &[Opinion]) -> String {
    let mut out = String::new();
    for opinion in opinions {
        match &opinion.outlook {
            Err(why) => {
                line(&mut out, "not read", &opinion.file);
                line(&mut out, "  why", why);
            }
            Ok(outlook) => {
                line(&mut out, outlook.verdict.as_str(), &opinion.file);
                facts(&mut out, outlook);
            }
        }
        out.push('\n');
    }
    out + &closing(opinions)
}

fn facts(out: &mut String, outlook: &Outlook) {
    let judgement = &outlook.judgement;
    line(out, "  strength", &judgement.strength.to_string());
    if judgement.is_cut {
        line(out, "  note", CUT);
    }
    line(out, "  subject", &outlook.subject);
    line(out, "  from", &outlook.sender);
    if let Some(date) = outlook.date {
        line(out, "  date", &date.strftime("%Y-%m-%d %H:%M UTC").to_string());
    }
    for (label, text) in [("  service", &outlook.service), ("  account", &outlook.account)] {
        text.iter().for_each(|text| line(out, label, text));
    }
    let amount = outlook.amount.as_ref().map(|shown| {
        let words = if shown.words.is_empty() { String::new() } else { format!(", from “{}”", shown.words) };
        format!("{} ({}{words})", amount::show(shown.amount.value, shown.amount.currency), shown.role.as_str())
    });
    line(out, "  amount", amount.as_deref().unwrap_or("none that is clear"));
    for (label, signs) in [("  for", &judgement.signs_for), ("  against", &judgement.signs_against)] {
        line(out, label, if signs.is_empty() { "nothing".to_owned() } else { signs.join(", ") }.as_str());
    }
    for (name, told) in &outlook.readings {
        let told = match told {
            Ok(balance) => format!("{balance} for `{}`", text::one_line(name, 60)),
            Err(why) => format!("none for `{}`: {why}", text::one_line(name, 60)),
        };
        line(out, "  balance", &told);
    }
}

/// A label and what belongs to it, on as many lines as that takes.
fn line(out: &mut String, label: &str, text: &str) {
    for (at, part) in text::wrapped(text, WIDTH - INDENT).into_iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        out.push_str(format!("{label:INDENT$}{part}").trim_end());
        out.push('\n');
    }
}

fn closing(opinions: &[Opinion]) -> String {
    let count = |verdict: Verdict| opinions.iter().filter(|it| it.outlook.as_ref().is_ok_and(|o| o.verdict == verdict)).count();
    let failed = opinions.iter().filter(|opinion| opinion.outlook.is_err()).count();
    let counts = Verdict::ALL.map(|verdict| (count(verdict), verdict.as_str())).into_iter().chain([(failed, "not read")]);
    let counts: Vec<String> = counts.filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    format!("{}{counts}\n", text::plural(opinions.len(), "mail"))
}

#[derive(Serialize)]
struct Root<'a> {
    schema_version: u32,
    mails: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    verdict: &'static str,
    strength: Option<Strength>,
    signs_for: &'a [String],
    signs_against: &'a [String],
    subject: Option<&'a str>,
    sender: Option<&'a str>,
    date: Option<String>,
    service: Option<&'a str>,
    account: Option<&'a str>,
    amount: Option<Box<RawValue>>,
    currency: Option<&'static str>,
    amount_is: Option<&'static str>,
    amount_from: Option<&'a str>,
    balances: Vec<Balance<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    error: Option<&'a str>,
}

/// What the mail tells of an account that is read from it.
#[derive(Serialize)]
struct Balance<'a> {
    account: &'a str,
    balance: Option<&'a str>,
    error: Option<&'a str>,
}

pub(super) fn json(opinions: &[Opinion]) -> String {
    let root = Root { schema_version: 1, mails: opinions.iter().map(entry).collect() };
    // Strings, numbers and lists only: this cannot fail.
    serde_json::to_string_pretty(&root).unwrap_or_default() + "\n"
}

fn entry(opinion: &Opinion) -> Entry<'_> {
    let outlook = opinion.outlook.as_ref().ok();
    let judgement = outlook.map(|outlook| &outlook.judgement);
    let shown = outlook.and_then(|outlook| outlook.amount.as_ref());
    Entry {
        file: &opinion.file,
        verdict: outlook.map_or("failed", |outlook| outlook.verdict.as_str()),
        strength: judgement.map(|judgement| judgement.strength),
        signs_for: judgement.map_or(&[], |judgement| &judgement.signs_for),
        signs_against: judgement.map_or(&[], |judgement| &judgement.signs_against),
        subject: outlook.map(|outlook| outlook.subject.as_str()),
        sender: outlook.map(|outlook| outlook.sender.as_str()),
        date: outlook.and_then(|outlook| outlook.date.map(iso)),
        service: outlook.and_then(|outlook| outlook.service.as_deref()),
        account: outlook.and_then(|outlook| outlook.account.as_deref()),
        amount: shown.map(|shown| amount::to_json(shown.amount.value)),
        currency: shown.and_then(|shown| shown.amount.currency),
        amount_is: shown.map(|shown| Role::as_str(shown.role)),
        amount_from: shown.map(|shown| shown.words.as_str()).filter(|words| !words.is_empty()),
        balances: outlook.map(|outlook| outlook.readings.iter().map(told).collect()).unwrap_or_default(),
        note: judgement.filter(|judgement| judgement.is_cut).map(|_| CUT),
        error: opinion.outlook.as_ref().err().map(String::as_str),
    }
}

fn told((account, told): &(String, Result<String, String>)) -> Balance<'_> {
    Balance { account, balance: told.as_ref().ok().map(String::as_str), error: told.as_ref().err().map(String::as_str) }
}
