//! Alerts with their deliveries, silences, mails, and the last runs.

use jiff::Timestamp;

use super::Page;
use super::chart::{Bar, bars};
use super::markup::{NAME_CHARS, Words, harmless, list, minute, money, small, stacked, state};
use crate::decide::memory::Mute;
use crate::model::alert::{Event, Level};
use crate::model::text;
use crate::notify::said;
use crate::state::queries::{LastRun, MailTold, Message, MessageState, Sending, SendingStatus};

/// The most alerts and mails that are shown: a page is looked at, and `alerts` lists all.
const MOST_ALERTS: usize = 1000;
const MOST_MAILS: usize = 300;
/// Longest texts, in characters.
const SENTENCE_CHARS: usize = 400;
const DETAIL_CHARS: usize = 120;

/// What says that some of a list are left out; nothing if none are.
fn left_out(count: usize, most: usize, words: Words) -> String {
    match count.saturating_sub(most) {
        0 => String::new(),
        more => {
            let more = words.with("{} older ones are not shown.|另有 {} 条更早的未显示。", &[&more.to_string()]);
            format!("<p class=\"faint\">{more}</p>")
        }
    }
}

/// The alerts.
pub(super) fn alerts(page: &Page, words: Words) -> String {
    let rows: String = page.messages.iter().take(MOST_ALERTS).map(|message| alert(message, words)).collect();
    let heads = [
        ("", words.pick("Decided|决定于")),
        ("", words.pick("State|状态")),
        ("", words.pick("Account|账户")),
        ("", words.pick("Alert|告警")),
        ("", words.pick("Deliveries|送达")),
    ];
    let caption = words.pick("Alerts and what became of them, the newest first|告警及其送达情况，最新的在前");
    list(caption, &heads, &rows, true) + &left_out(page.messages.len(), MOST_ALERTS, words)
}

fn alert(message: &Message, words: Words) -> String {
    let alert = &message.alert;
    let tone = match message.state {
        MessageState::Pending => "soon",
        MessageState::Unknown => "unknown",
        MessageState::Sent => "good",
        MessageState::Withdrawn => "off",
        MessageState::Expired => "bad",
    };
    let level = match (alert.event, alert.level) {
        (Event::Resolved, _) => "good",
        (_, Level::Critical) => "bad",
        (_, Level::Warning) => "soon",
        (_, Level::Info) => "off",
    };
    let owner = alert.owner_project.as_deref().map(|owner| harmless(owner, text::OWNER_CHARS)).unwrap_or_default();
    let deliveries: Vec<String> = message.deliveries.iter().map(|sending| delivery(sending, words)).collect();
    stacked(
        2,
        &[
            ("", format!("<span class=\"when\">{}</span>", minute(message.created_at))),
            ("", state(tone, &words.word(message.state.as_str()))),
            ("", harmless(&alert.project, NAME_CHARS) + &small(&owner)),
            ("", format!("<span class=\"{level}\">{}</span>", harmless(&said(alert, words.0), SENTENCE_CHARS))),
            ("", deliveries.join("<br>")),
        ],
    )
}

fn delivery(sending: &Sending, words: Words) -> String {
    let word = match sending.status {
        SendingStatus::Failed => words.word("refused"),
        status => words.word(status.as_str()),
    };
    let channel = harmless(&sending.channel, NAME_CHARS);
    let detail = sending.detail.as_deref().map(|detail| harmless(detail, DETAIL_CHARS)).unwrap_or_default();
    format!("{channel}: {word} <span class=\"when faint\">{}</span>{}", minute(sending.at), small(&detail))
}

/// Silences and acknowledgements.
pub(super) fn mutes(mutes: &[Mute], words: Words) -> String {
    let rows = mutes.iter().map(|mute| {
        let until = mute.until.map_or_else(|| words.pick("over or worse|结束或恶化").to_owned(), minute);
        let until_word = words.pick("until|直到");
        stacked(
            1,
            &[
                ("", words.word(mute.kind().as_str())),
                ("", harmless(&mute.shown(), 120)),
                (words.pick("by|由"), harmless(&mute.who, 40)),
                (until_word, format!("<span class=\"when\">{until}</span>")),
                ("", harmless(&mute.reason, DETAIL_CHARS)),
            ],
        )
    });
    let heads = [
        ("", words.pick("Kind|种类")),
        ("", words.pick("Of|对象")),
        ("", words.pick("By|由")),
        ("", words.pick("Until|直到")),
        ("", words.pick("Reason|原因")),
    ];
    let caption = words.pick("What nobody is told of now|目前不告知的内容");
    list(caption, &heads, &rows.collect::<String>(), true)
}

/// The mails that alerts have told of.
pub(super) fn mails(mails: &[MailTold], words: Words) -> String {
    let rows = mails.iter().take(MOST_MAILS).map(|told| {
        let mail = &told.mail;
        let signs: Vec<String> = mail.keywords.iter().take(5).map(|sign| harmless(sign, 40)).collect();
        let amount = mail.amount.map(|amount| money(amount, mail.currency.as_deref())).unwrap_or_default();
        let account = mail.account.as_deref().or(mail.service.as_deref()).unwrap_or_default();
        stacked(
            2,
            &[
                ("", format!("<span class=\"when\">{}</span>", minute(mail.date.unwrap_or(told.decided_at)))),
                ("", harmless(&told.mailbox, NAME_CHARS)),
                ("", harmless(&mail.subject, 160) + &small(&harmless(&mail.sender, 80))),
                ("", harmless(account, NAME_CHARS)),
                ("", amount),
                ("", small(&signs.join(", "))),
            ],
        )
    });
    let heads = [
        ("", words.pick("Date|日期")),
        ("", words.pick("Mailbox|邮箱")),
        ("", words.pick("Subject|主题")),
        ("", words.pick("Account|账户")),
        ("", words.pick("Amount|金额")),
        ("", words.pick("Signs|依据")),
    ];
    let caption = words.pick("Mails that speak of trouble, the newest first|有问题迹象的邮件，最新的在前");
    list(caption, &heads, &rows.collect::<String>(), true) + &left_out(mails.len(), MOST_MAILS, words)
}

/// How long a run took, in seconds, and how it ended: a word and its colour.
fn end(run: &LastRun, now: Timestamp) -> (Option<f64>, String, &'static str) {
    match run.end {
        Some((at, code)) => {
            let tone = match code {
                0 => "good",
                1 => "soon",
                3 => "unknown",
                _ => "bad",
            };
            (Some(at.duration_since(run.started_at).as_secs_f64().max(0.0)), format!("exit{code}"), tone)
        }
        None if run.ends_by > now => (None, "running".to_owned(), "off"),
        None => (None, "killed".to_owned(), "bad"),
    }
}

/// The last runs, with a picture of how long they took.
pub(super) fn runs(runs: &[LastRun], now: Timestamp, words: Words) -> String {
    let drawn: Vec<Bar> = runs
        .iter()
        .rev()
        .filter_map(|run| {
            let (seconds, _, tone) = end(run, now);
            Some(Bar { at: run.started_at, seconds: seconds?, tone })
        })
        .collect();
    let longest = drawn.iter().map(|bar| bar.seconds).fold(0.0, f64::max);
    let parts = [drawn.len().to_string(), format!("{longest:.2}")];
    let title = words.with(
        "How long the last {} runs took, at most {} s|最近 {} 次运行的时长，最长 {} 秒",
        &parts.each_ref().map(String::as_str),
    );
    let rows = runs.iter().map(|run| {
        let (seconds, word, tone) = end(run, now);
        let shard = run.shard.map(|shard| shard.to_string()).unwrap_or_default();
        let (value, shown) =
            seconds.map_or_else(Default::default, |seconds| (format!("{seconds:.3}"), format!("{seconds:.2} s")));
        format!(
            "<tr><th scope=\"row\" class=\"when\">{}{}</th><td>{}</td><td class=\"num\" data-v=\"{value}\">{shown}</td>\
             <td class=\"num wide\">{}</td></tr>\n",
            minute(run.started_at),
            small(&harmless(&shard, 40)),
            state(tone, &words.word(&word)),
            run.checks,
        )
    });
    let heads = [
        ("", words.pick("Began|开始于")),
        ("", words.pick("End|结果")),
        ("num", words.pick("Duration|时长")),
        ("num wide", words.pick("Checks|检查数")),
    ];
    let rows = list(
        words.pick("The last runs, the newest first|最近的运行，最新的在前"),
        &heads,
        &rows.collect::<String>(),
        false,
    );
    if rows.is_empty() { rows } else { bars(&drawn, &title) + &rows }
}
