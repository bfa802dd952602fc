//! What is said of every kind of alert, in both languages.

use jiff::Timestamp;

use super::neutral::{literal, markdown};
use super::*;
use crate::model::alert::{Account, Cause, Change, Event, Failing, Level, Low, Mail, Missed, MissedCause};
use crate::model::failure::Reason;
use crate::model::identity::Identity;
use crate::model::words::BalanceType;

/// A low balance.
fn alert(project: &str, level: Level) -> Alert {
    let account =
        Account { kind: BalanceType::Credits, balance: Some("74.75".parse().unwrap()), currency: Some("USD".into()) };
    Alert {
        identity: Identity(1),
        event: Event::Raised,
        level,
        project: project.into(),
        owner_project: Some("AI platform".into()),
        provider: "openrouter".into(),
        labels: BTreeMap::new(),
        host: None,
        cause: Cause::Low(Low { account, threshold: Some("100".parse().unwrap()), change: None }),
        at: Timestamp::from_second(1_800_000_000).unwrap(),
        unconfirmed: false,
        missed: None,
        since: None,
        is_reminder: false,
        dedup_key: format!("low-{project}"),
    }
}

/// The same alert with this change of its account, threshold and story.
fn with(alert: &Alert, change: impl FnOnce(&mut Low)) -> Alert {
    let mut alert = alert.clone();
    if let Cause::Low(low) = &mut alert.cause {
        change(low);
    }
    alert
}

/// The same account, failing or working again.
fn unread(alert: &Alert, level: Level, trouble: Option<Trouble>) -> Alert {
    let mut account = alert.account().cloned();
    if let (Some(account), Some(_)) = (&mut account, &trouble) {
        account.balance = None;
    }
    Alert { level, cause: Cause::Failing(Failing { account, trouble, shared: None }), ..alert.clone() }
}

/// The same alert of a failing check with this change of its account.
fn with_account(alert: &Alert, change: impl FnOnce(&mut Account)) -> Alert {
    let mut alert = alert.clone();
    if let Cause::Failing(Failing { account: Some(account), .. }) = &mut alert.cause {
        change(account);
    }
    alert
}

fn missed(found: MissedCause) -> Option<Missed> {
    Some(Missed { at: Timestamp::from_second(1_800_000_000).unwrap(), is_unsure: false, found })
}

fn missed_low(currency: Option<&str>) -> Option<Missed> {
    let currency = currency.map(str::to_owned);
    missed(MissedCause::Low { balance: Some(5.into()), threshold: Some(10.into()), currency })
}

#[test]
fn the_rows_of_a_table_tell_what_the_lines_tell() {
    let trouble = |message: &str| Some(Trouble { reason: Reason::Connect, message: message.into(), runs: 3 });
    let mut alerts = vec![alert("One", Level::Critical), alert("Two", Level::Warning)];
    let failing = |name: &str, message: &str| unread(&alert(name, Level::Warning), Level::Warning, trouble(message));
    alerts.extend(["A", "B", "C"].map(|name| failing(name, "refused")));
    alerts.push(failing("Alone", "reset"));
    for language in [Language::En, Language::Zh] {
        for is_short in [false, true] {
            let mut message = Message::new(&alerts, language, "run");
            if is_short {
                message.shorten();
            }
            let (lines, rows) = (message.lines(&alerts, literal), message.rows(&alerts, literal));
            assert_eq!(lines.len(), rows.len());
            for (line, row) in lines.iter().zip(rows) {
                assert!(line.starts_with(row.mark) && line.ends_with(&row.text), "{line} / {}", row.text);
                for part in row.name.iter().chain(&row.owner) {
                    assert!(line.contains(part.as_str()), "{line} / {part}");
                }
            }
        }
    }
}

#[test]
fn both_languages_say_the_same() {
    let alerts = [alert("A", Level::Critical), alert("B", Level::Warning)];
    let en = Message::new(&alerts, Language::En, "r1");
    assert_eq!(en.title(&alerts), "Balance alert: 1 low, 1 warning");
    assert_eq!(
        en.line(&en.alerts[0], as_it_is),
        "🔴 A (AI platform): credits 74.75 USD is below the threshold 100.00 USD"
    );
    let zh = Message::new(&alerts, Language::Zh, "r1");
    assert_eq!(zh.title(&alerts), "余额告警：1 个不足，1 个预警");
    assert_eq!(zh.line(&zh.alerts[1], as_it_is), "🟡 B（AI platform）：点数 74.75 USD，低于预警阈值 100.00 USD");
}

#[test]
fn every_event_has_its_sentence() {
    let low = alert("A", Level::Critical);
    let trouble = Trouble { reason: Reason::Timeout, message: "timed out after 15 s".into(), runs: 3 };
    let failing = unread(&low, Level::Warning, Some(trouble.clone()));
    let resolved = Alert { event: Event::Resolved, level: Level::Info, ..low.clone() };
    let works = unread(&resolved, Level::Info, None);
    let at = low.at;
    let unsure = missed_low(None).map(|missed| Missed { is_unsure: true, ..missed });
    let unlimited = |low: &mut Low| low.account.balance = None;
    let works_unread = with_account(&works, |account| account.balance = None);
    let cases = [
        (
            Alert { since: Some(at), ..low.clone() },
            "🔴 A (AI platform): credits 74.75 USD is below the threshold 100.00 USD (since 2027-01-15 08:00 UTC)",
            "🔴 A（AI platform）：点数 74.75 USD，低于告警阈值 100.00 USD（自 2027-01-15 08:00 UTC 起）",
        ),
        (
            Alert { missed: unsure, ..resolved.clone() },
            "🟢 A (AI platform): credits 74.75 USD is back at or above the threshold 100.00 USD; at 2027-01-15 08:00 UTC it was 5.00 USD, below 10.00 USD, which may not have been delivered then",
            "🟢 A（AI platform）：点数已恢复到 74.75 USD，不低于阈值 100.00 USD；2027-01-15 08:00 UTC 曾为 5.00 USD，低于 10.00 USD，当时未能确认送达",
        ),
        (
            Alert { unconfirmed: true, ..low },
            "🔴 A (AI platform): credits 74.75 USD is below the threshold 100.00 USD (as of 2027-01-15 08:00 UTC; it cannot be read now)",
            "🔴 A（AI platform）：点数 74.75 USD，低于告警阈值 100.00 USD（2027-01-15 08:00 UTC 的数据，目前无法读取）",
        ),
        (
            failing,
            "⚪ A (AI platform): could not be read in 3 runs in a row: timeout: timed out after 15 s",
            "⚪ A（AI platform）：连续 3 次读取失败：timeout: timed out after 15 s",
        ),
        (
            resolved.clone(),
            "🟢 A (AI platform): credits 74.75 USD is back at or above the threshold 100.00 USD",
            "🟢 A（AI platform）：点数已恢复到 74.75 USD，不低于阈值 100.00 USD",
        ),
        (
            with(&resolved, |low| low.change = Some(Change::Threshold(200.into()))),
            "🟢 A (AI platform): credits 74.75 USD is not below the threshold any more, which is now 100.00 USD instead of 200.00 USD",
            "🟢 A（AI platform）：点数 74.75 USD，不再低于阈值：阈值已从 200.00 USD 下调到 100.00 USD",
        ),
        (
            with(&resolved, |low| low.change = Some(Change::Currency(Some("CNY".into())))),
            "🟢 A (AI platform): credits 74.75 USD is not below the threshold 100.00 USD, but the alert was in CNY, and amounts are not converted",
            "🟢 A（AI platform）：点数 74.75 USD，不低于阈值 100.00 USD；但此前的告警以 CNY 计，金额不作换算",
        ),
        (
            with(&resolved, |low| {
                low.change = Some(Change::Currency(Some("CNY".into())));
                low.account.currency = None;
            }),
            "🟢 A (AI platform): credits 74.75 is not below the threshold 100, but the alert was in CNY, and no currency is named now",
            "🟢 A（AI platform）：点数 74.75，不低于阈值 100；但此前的告警以 CNY 计，现在未注明币种",
        ),
        (
            with(&resolved, |low| low.change = Some(Change::Currency(None))),
            "🟢 A (AI platform): credits 74.75 USD is not below the threshold 100.00 USD, but the alert named no currency, which may be another one",
            "🟢 A（AI platform）：点数 74.75 USD，不低于阈值 100.00 USD；但此前的告警未注明币种，可能并非同一币种",
        ),
        (
            Alert { missed: missed_low(Some("CNY")), ..resolved.clone() },
            "🟢 A (AI platform): credits 74.75 USD is back at or above the threshold 100.00 USD; at 2027-01-15 08:00 UTC it was 5.00 CNY, below 10.00 CNY, which could not be delivered then",
            "🟢 A（AI platform）：点数已恢复到 74.75 USD，不低于阈值 100.00 USD；2027-01-15 08:00 UTC 曾为 5.00 CNY，低于 10.00 CNY，当时未能送达",
        ),
        (
            with(&resolved, unlimited),
            "🟢 A (AI platform): credits has no limit any more",
            "🟢 A（AI platform）：点数已不设上限",
        ),
        (
            Alert { missed: missed_low(None), ..resolved },
            "🟢 A (AI platform): credits 74.75 USD is back at or above the threshold 100.00 USD; at 2027-01-15 08:00 UTC it was 5.00 USD, below 10.00 USD, which could not be delivered then",
            "🟢 A（AI platform）：点数已恢复到 74.75 USD，不低于阈值 100.00 USD；2027-01-15 08:00 UTC 曾为 5.00 USD，低于 10.00 USD，当时未能送达",
        ),
        (
            works.clone(),
            "🟢 A (AI platform): can be read again: credits 74.75 USD",
            "🟢 A（AI platform）：已恢复读取：点数 74.75 USD",
        ),
        (
            Alert { missed: missed(MissedCause::Failing(trouble)), ..works_unread },
            "🟢 A (AI platform): can be read again; at 2027-01-15 08:00 UTC it could not (timeout: timed out after 15 s), which could not be delivered then",
            "🟢 A（AI platform）：已恢复读取；2027-01-15 08:00 UTC 曾读取失败（timeout: timed out after 15 s），当时未能送达",
        ),
    ];
    for (alert, en, zh) in cases {
        for (language, want) in [(Language::En, en), (Language::Zh, zh)] {
            let message = Message::new(std::slice::from_ref(&alert), language, "r");
            assert_eq!(message.line(&message.alerts[0], as_it_is), want);
        }
    }
}

#[test]
fn in_short_every_alert_is_still_named_and_nothing_in_a_name_is_live() {
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let low = alert("A @all", Level::Critical);
    let trouble = Trouble { reason: Reason::Timeout, message: "timed out".into(), runs: 3 };
    let failing = unread(&alert("D", Level::Warning), Level::Warning, Some(trouble));
    let resolved = Alert { event: Event::Resolved, level: Level::Info, ..alert("E", Level::Info) };
    let mail = Cause::Mail(Mail {
        subject: "due".into(),
        sender: "x".into(),
        date: Some(at),
        account: None,
        service: None,
        amount: None,
        currency: None,
        keywords: Vec::new(),
    });
    let mail = Alert { cause: mail, ..alert("F", Level::Warning) };
    let alerts = [low, alert("B", Level::Critical), alert("C", Level::Warning), failing, mail, resolved];
    for (language, want) in [
        (
            Language::En,
            "🔴 2 low: A ＠all 74.75 USD, B 74.75 USD\n🟡 1 warning: C 74.75 USD\n⚪ 1 failing: D timeout\n🟡 1 by mail: F “due”\n🟢 1 recovered: E 74.75 USD",
        ),
        (
            Language::Zh,
            "🔴 2 个不足: A ＠all 74.75 USD, B 74.75 USD\n🟡 1 个预警: C 74.75 USD\n⚪ 1 个读取失败: D timeout\n🟡 1 封邮件: F “due”\n🟢 1 个恢复: E 74.75 USD",
        ),
    ] {
        let mut message = Message::new(&alerts, language, "r");
        assert_eq!(message.lines(&message.alerts, literal).len(), alerts.len());
        message.shorten();
        assert_eq!(message.lines(&message.alerts, literal).join("\n"), want);
    }
}

fn failing(project: &str, host: &str, message: &str) -> Alert {
    let trouble = Trouble { reason: Reason::HttpStatus, message: message.into(), runs: 3 };
    let alert = Alert { host: Some(host.into()), ..alert(project, Level::Warning) };
    unread(&alert, Level::Warning, Some(trouble))
}

#[test]
fn many_accounts_with_one_cause_are_one_line() {
    let gateway = |name: &str| failing(name, "gw.example", "HTTP 503");
    let works = |name: &str| {
        let gateway = Alert { event: Event::Resolved, ..gateway(name) };
        unread(&gateway, Level::Info, None)
    };
    let mailbox = |name: &str| {
        let mut mailbox = failing(name, "imap.example", "refused");
        if let Cause::Failing(failing) = &mut mailbox.cause {
            failing.account = None;
        }
        mailbox
    };
    let since = Some(Timestamp::from_second(1_800_000_000).unwrap());
    let late = |name: &str| Alert { since, ..gateway(name) };
    let cases: [(Vec<Alert>, &str, &str); 7] = [
        (
            vec![late("A"), late("B"), late("C")],
            "⚪ 3 accounts of gw.example could not be read in 3 runs in a row: http_status: HTTP 503 (A, B, C) (since 2027-01-15 08:00 UTC)",
            "⚪ gw.example 的 3 个账户连续 3 次读取失败：http_status: HTTP 503（A、B、C）（自 2027-01-15 08:00 UTC 起）",
        ),
        (
            (1..=200).map(|n| gateway(&format!("A{n}"))).collect(),
            "⚪ 200 accounts of gw.example could not be read in 3 runs in a row: http_status: HTTP 503 (A1, A2, A3 and 197 more)",
            "⚪ gw.example 的 200 个账户连续 3 次读取失败：http_status: HTTP 503（A1、A2、A3 等）",
        ),
        (
            vec![gateway("A"), gateway("B"), gateway("C")],
            "⚪ 3 accounts of gw.example could not be read in 3 runs in a row: http_status: HTTP 503 (A, B, C)",
            "⚪ gw.example 的 3 个账户连续 3 次读取失败：http_status: HTTP 503（A、B、C）",
        ),
        (
            vec![gateway("A"), gateway("B")],
            "⚪ A (AI platform): could not be read in 3 runs in a row: http_status: HTTP 503\n⚪ B (AI platform): could not be read in 3 runs in a row: http_status: HTTP 503",
            "⚪ A（AI platform）：连续 3 次读取失败：http_status: HTTP 503\n⚪ B（AI platform）：连续 3 次读取失败：http_status: HTTP 503",
        ),
        (
            vec![works("A"), works("B"), works("C")],
            "🟢 3 accounts of gw.example can be read again (A, B, C)",
            "🟢 gw.example 的 3 个账户已恢复读取（A、B、C）",
        ),
        (
            vec![mailbox("A"), mailbox("B"), mailbox("C")],
            "⚪ 3 mailboxes of imap.example could not be read in 3 runs in a row: http_status: refused (A, B, C)",
            "⚪ imap.example 的 3 个邮箱连续 3 次读取失败：http_status: refused（A、B、C）",
        ),
        (
            // Several causes on one host, and one of them on another one.
            vec![gateway("A"), failing("B", "gw.example", "HTTP 500"), failing("C", "b.example", "HTTP 503")],
            "⚪ A (AI platform): could not be read in 3 runs in a row: http_status: HTTP 503\n⚪ B (AI platform): could not be read in 3 runs in a row: http_status: HTTP 500\n⚪ C (AI platform): could not be read in 3 runs in a row: http_status: HTTP 503",
            "⚪ A（AI platform）：连续 3 次读取失败：http_status: HTTP 503\n⚪ B（AI platform）：连续 3 次读取失败：http_status: HTTP 500\n⚪ C（AI platform）：连续 3 次读取失败：http_status: HTTP 503",
        ),
    ];
    for (alerts, en, zh) in cases {
        for (language, want) in [(Language::En, en), (Language::Zh, zh)] {
            let mut message = Message::new(&alerts, language, "r");
            assert_eq!(message.lines(&message.alerts, as_it_is).join("\n"), want);
            message.shorten();
            if want.contains("gw.example") {
                assert_eq!(message.lines(&message.alerts, as_it_is).join("\n"), want, "in short as well");
            }
        }
    }
}

#[test]
fn alerts_with_one_cause_stand_together_and_all_others_stay_in_order() {
    let alerts = [
        alert("L", Level::Critical),
        failing("A", "one", "x"),
        failing("B", "two", "x"),
        failing("C", "one", "x"),
        failing("D", "two", "x"),
        alert("Z", Level::Warning),
    ];
    let mut positions: Vec<usize> = (0..alerts.len()).collect();
    by_cause(|at| &alerts[at], &mut positions);
    assert_eq!(positions, [0, 1, 3, 2, 4, 5]);
}

#[test]
fn in_short_too_it_is_said_that_nobody_heard_the_beginning() {
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let over = Alert { event: Event::Resolved, level: Level::Info, ..alert("A", Level::Info) };
    let trouble = Trouble { reason: Reason::Timeout, message: "timed out".into(), runs: 3 };
    let works = unread(&over, Level::Info, None);
    for (alert, en, zh) in [
        (
            Alert { missed: missed_low(None), ..over.clone() },
            "🟢 1 recovered: A 74.75 USD (5.00 USD at 2027-01-15 08:00 UTC, not delivered then)",
            "🟢 1 个恢复: A 74.75 USD（2027-01-15 08:00 UTC 为 5.00 USD，当时未能送达）",
        ),
        (
            Alert { missed: missed(MissedCause::Failing(trouble)), ..works },
            "🟢 1 recovered: A 74.75 USD (timeout at 2027-01-15 08:00 UTC, not delivered then)",
            "🟢 1 个恢复: A 74.75 USD（2027-01-15 08:00 UTC 为 timeout，当时未能送达）",
        ),
    ] {
        for (language, want) in [(Language::En, en), (Language::Zh, zh)] {
            let mut message = Message::new(std::slice::from_ref(&alert), language, "r");
            message.shorten();
            assert_eq!(message.lines(&message.alerts, literal), [want]);
        }
    }
    let late = Alert { since: Some(at), ..alert("A", Level::Critical) };
    for (told, language, want) in [
        (Some("CNY"), Language::En, "🟢 1 recovered: A 74.75 USD (told in CNY)"),
        (Some("CNY"), Language::Zh, "🟢 1 个恢复: A 74.75 USD（此前以 CNY 告知）"),
        (None, Language::En, "🟢 1 recovered: A 74.75 USD (told without a currency)"),
        (None, Language::Zh, "🟢 1 个恢复: A 74.75 USD（此前告知时未注明币种）"),
    ] {
        let other = with(&over, |low| low.change = Some(Change::Currency(told.map(str::to_owned))));
        let mut message = Message::new(std::slice::from_ref(&other), language, "r");
        message.shorten();
        assert_eq!(message.lines(&message.alerts, literal), [want]);
    }
    for (language, want) in [
        (Language::En, "🔴 1 low: A 74.75 USD (since 2027-01-15 08:00 UTC)"),
        (Language::Zh, "🔴 1 个不足: A 74.75 USD（自 2027-01-15 08:00 UTC 起）"),
    ] {
        let mut message = Message::new(std::slice::from_ref(&late), language, "r");
        message.shorten();
        assert_eq!(message.lines(&message.alerts, literal), [want]);
    }
}

#[test]
fn names_that_differ_only_in_the_middle_or_at_the_end_stay_two() {
    let name = |middle: char, end: char| format!("{}{middle}{}{end}", "a".repeat(35), "b".repeat(34));
    let names = [name('1', 'x'), name('2', 'x'), name('1', 'y')];
    let alerts: Vec<Alert> = names.iter().map(|name| alert(name, Level::Critical)).collect();
    let mut message = Message::new(&alerts, Language::En, "r");
    message.shorten();
    let lines = message.lines(&message.alerts, literal);
    let shown: Vec<&str> = lines[0].split(": ").nth(1).unwrap().split(", ").collect();
    assert_eq!(shown.iter().collect::<std::collections::HashSet<_>>().len(), 3, "{lines:?}");
}

#[test]
fn the_key_is_that_of_the_alerts_and_not_of_the_run() {
    let alerts = [alert("A", Level::Critical), alert("B", Level::Warning)];
    let key = |run: &str, alerts: &[Alert]| Message::new(alerts, Language::En, run).dedup_key(alerts);
    assert_eq!(key("r1", &alerts), key("r2", &alerts));
    assert_ne!(key("r1", &alerts), key("r1", &alerts[..1]));
}

#[test]
fn names_cannot_mention_link_or_break_lines() {
    let evil = "x\n# [点击充值](http://evil) <at user_id=\"all\"></at> @all `c` **b** \u{202E}z";
    let message = Message::new(&[alert(evil, Level::Critical)], Language::En, "r");
    let line = message.line(&message.alerts[0], markdown);
    for bad in ["\n", "](", "<at", "@all", "`", "**", "://", "\u{202E}", "# "] {
        assert!(!line.contains(bad), "{bad:?} in {line}");
    }
    let line = message.line(&message.alerts[0], literal);
    for bad in ["\n", "<at", "@all", "://", "\u{202E}"] {
        assert!(!line.contains(bad), "{bad:?} in {line}");
    }
}
