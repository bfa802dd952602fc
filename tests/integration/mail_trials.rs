//! `balance-alert mail try`: mails in files, without a server.

use crate::support::Program;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

const LOW: &str = "From: =?utf-8?B?6Zi/6YeM5LqR?= <noreply@aliyun.com>\r\nDate: Mon, 01 Sep 2025 10:00:00 +0800\r\nMessage-ID: <1@x>\r\n\
    Subject: 【阿里云】余额不足提醒：您的账户余额已不足，请及时充值，以免影响您正在使用的所有云服务的正常运行\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\r\n您的账户余额不足。余额：1,234.50 元\r\n";
const LUNCH: &str = "From: Friend <f@x.example>\r\nSubject: Lunch\r\n\r\nsee you\r\n";

fn program(args: &[&str]) -> Program {
    let program = Program::new(["mail", "try"]).file("low.eml", LOW).file("lunch.eml", LUNCH).file("empty.eml", "");
    let named = |arg: &&str| match arg.strip_prefix("./") {
        Some(name) => program.path(name).display().to_string(),
        None => (*arg).to_owned(),
    };
    let args: Vec<String> = args.iter().map(named).collect();
    args.iter().fold(program, |program, arg| program.args([arg]))
}

fn mails(program: Program, code: i32) -> Vec<Value> {
    let done = program.args(["--output", "json"]).run().expect(code);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    report["mails"].as_array().unwrap().clone()
}

#[test]
fn each_mail_has_a_verdict_with_its_reasons() {
    let all = mails(program(&["./low.eml", "./lunch.eml"]), 0);
    let low = &all[0];
    assert_eq!(
        (&low["verdict"], &low["amount"], &low["currency"], &low["amount_is"]),
        (&json!("trouble"), &json!(1234.5), &json!("CNY"), &json!("balance"))
    );
    assert_eq!((&low["date"], &low["sender"]), (&json!("2025-09-01T02:00:00Z"), &json!("阿里云 <noreply@aliyun.com>")));
    assert!(low["strength"].as_f64().unwrap() > 0.5 && !low["signs_for"].as_array().unwrap().is_empty(), "{low}");
    assert_eq!(
        (&all[1]["verdict"], &all[1]["amount"], &all[1]["error"]),
        (&json!("harmless"), &Value::Null, &Value::Null)
    );
}

#[test]
fn the_text_fits_a_terminal_and_a_bad_file_hides_no_other() {
    let done = program(&["./low.eml", "./gone.eml", "./empty.eml", "./lunch.eml"]).args(["/"]).run().expect(3);
    let paths_aside = |line: &&str| !line.contains('/');
    for line in done.stdout.lines().filter(paths_aside) {
        assert!(line.width() <= 80, "{line}");
    }
    for text in [
        "trouble     ",
        "harmless    ",
        "  amount    1,234.50 CNY (balance",
        "  why       no such file",
        "  why       it is no mail: it has neither a sender nor a subject nor a date",
        "  why       it is a folder",
        "5 mails: 1 trouble, 1 harmless, 3 not read\n",
    ] {
        assert!(done.stdout.contains(text), "{text}: {done}");
    }
    let all = mails(program(&["./gone.eml", "./low.eml"]), 3);
    assert_eq!((&all[0]["verdict"], &all[0]["error"]), (&json!("failed"), &json!("no such file")));
    assert_eq!(all[1]["verdict"], "trouble");
}

#[test]
fn a_maildir_is_read_and_nothing_else_is_one() {
    let program = Program::new(["mail", "try", "--maildir"]);
    let folder = program.path("box").display().to_string();
    let program = program
        .file("box/new/1.x", LOW)
        .file("box/cur/2.x:2,S", LUNCH)
        .file("box/cur/.hidden", LUNCH)
        .file("box/tmp/3", LUNCH);
    let all = mails(program.clone().args([&folder]), 0);
    assert_eq!(all.iter().map(|mail| mail["verdict"].as_str().unwrap()).collect::<Vec<_>>(), ["harmless", "trouble"]);
    let none = program.path("box/tmp").display().to_string();
    let refused = program.args([&none]).run().expect(64);
    assert!(refused.stderr.contains("is no Maildir"), "{refused}");
    assert!(Program::new(["mail", "try"]).run().expect(64).stderr.contains("required"));
}

#[test]
fn the_settings_of_a_mailbox_count_if_one_is_named() {
    let config = |mailboxes: Value| {
        json!({"webhook": {"type": "console"}, "email": mailboxes, "projects": [
            {"name": "Aliyun", "provider": "mail", "mailbox": "a", "from": "aliyun", "threshold": 5}
        ]})
        .to_string()
    };
    let mailbox = |name: &str, more: Value| {
        let mut mailbox = json!({"name": name, "host": "imap.example.com", "username": name, "password": "Leak-1"});
        mailbox.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        mailbox
    };
    let one = program(&["./low.eml", "./lunch.eml"])
        .file("config.yaml", &config(json!([mailbox("a", json!({"alert_keywords": ["lunch"]}))])));
    let path = one.path("config.yaml").display().to_string();
    let all = mails(one.args(["--config", &path]), 0);
    let verdicts: Vec<&Value> = all.iter().map(|mail| &mail["verdict"]).collect();
    assert_eq!(verdicts, ["harmless", "trouble"], "words alone decide");
    assert_eq!(
        (&all[0]["account"], &all[0]["balances"]),
        (&json!("Aliyun"), &json!([{"account": "Aliyun", "balance": "1,234.50 CNY", "error": null}]))
    );
    let two = json!([mailbox("a", json!({"ignore_senders": ["aliyun"]})), mailbox("b", json!({"min_strength": 1}))]);
    for (flags, code, want) in [
        (&["--mailbox", "a"][..], 0, "ignored"),
        (&["--mailbox", "b"], 0, "harmless"),
        (&["--mailbox", "c"], 64, "no mailbox is named `c`"),
        (&[], 64, "name one with `--mailbox`: `a`, `b`"),
    ] {
        let two = program(&["./low.eml"]).file("config.yaml", &config(two.clone()));
        let path = two.path("config.yaml").display().to_string();
        let done =
            flags.iter().fold(two.args(["--config", &path]), |program, flag| program.args([flag])).run().expect(code);
        assert!(done.stdout.contains(want) || done.stderr.contains(want), "{flags:?}: {done}");
    }
}
