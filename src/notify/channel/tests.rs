//! What the channels of the first version say and how they judge answers: receivers rely on it.

mod conformance;
mod reference;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::decide::route::Route;
use crate::model::failure::{Reason, Retry};
use crate::model::words::Language;
use crate::page::expression::Expression;

/// A channel of a type, without an address.
fn channel(kind: &str) -> Channel {
    let page = builtin_pages::page(kind).map(prepared::Prepared::new);
    let values = page.as_ref().map(|page| values_of(page, &[]));
    Channel {
        id: "hook".to_owned(),
        name: "hook".to_owned(),
        kind: kind.to_owned(),
        page: page.map(Arc::new),
        values: values.unwrap_or_default(),
        command: None,
        email: None,
        url: Ok(None),
        login: None,
        limit: None,
        source: "balance-alert".to_owned(),
        body: None,
        headers: Vec::new(),
        accept: None,
        route: Route::default(),
        language: None,
        active: None,
        mentions: Vec::new(),
        send_resolved: true,
        allow_insecure: false,
    }
}

/// The values of a channel that sets these fields beside its address.
fn values_of(page: &prepared::Prepared, set: &[(&str, &str)]) -> values::Values {
    let set = set.iter().chain(&[("url", "https://service.example/hook")]);
    values::Values::new(&page.page.fields, set.map(|(name, value)| ((*name).to_owned(), (*value).into())).collect())
}

/// The same channel with messages of this form.
fn in_form(channel: Channel, form: &str) -> Channel {
    let values = channel.page.as_ref().map(|page| values_of(page, &[("format", form)]));
    Channel { values: values.unwrap_or_default(), ..channel }
}

fn judged(channel: &Channel, body: &str) -> Result<(), Failure> {
    judge(channel, &Response::with(200, BTreeMap::new(), body.as_bytes().to_vec()))
}

#[test]
fn only_a_present_and_right_code_is_success() {
    let [custom, dingtalk, feishu, wecom] = ["custom", "dingtalk", "feishu", "wecom"];
    use Retry::{Later, Never, Soon};
    let wait = |seconds| Retry::After(std::time::Duration::from_secs(seconds));
    for (kind, body, want) in [
        (feishu, r#"{"code":0,"msg":"success"}"#, None),
        (feishu, r#"{"code":"0"}"#, None),
        (feishu, r#"{"StatusCode":0,"StatusMessage":"success"}"#, None),
        (feishu, r#"{"code":19001,"StatusCode":0,"msg":"x"}"#, Some((Reason::Api, Never))),
        (feishu, r#"{"code":19021,"msg":"sign match fail"}"#, Some((Reason::Auth, Never))),
        (feishu, r#"{"code":11232,"msg":"frequency limited psm"}"#, Some((Reason::RateLimited, Later))),
        (feishu, r#"{"code":9499,"msg":"frequency limited psm"}"#, Some((Reason::RateLimited, Later))),
        (feishu, r#"{"code":99991400,"msg":"request trigger frequency limit"}"#, Some((Reason::RateLimited, Later))),
        (feishu, r#"{"code":9499,"msg":"Bad Request"}"#, Some((Reason::Api, Never))),
        (feishu, "{}", Some((Reason::Decode, Never))),
        (feishu, "<html>", Some((Reason::Decode, Never))),
        (feishu, "", Some((Reason::Decode, Never))),
        (feishu, "[]", Some((Reason::Decode, Never))),
        (feishu, r#"{"code":null}"#, Some((Reason::Decode, Never))),
        (dingtalk, r#"{"errcode":0,"errmsg":"ok"}"#, None),
        (dingtalk, r#"{"errcode":"0"}"#, None),
        (dingtalk, r#"{"errcode":310000,"errmsg":"sign not match"}"#, Some((Reason::Auth, Never))),
        (dingtalk, r#"{"errcode":310000,"errmsg":"keywords not in content"}"#, Some((Reason::Api, Never))),
        (dingtalk, r#"{"errcode":130101,"errmsg":"send too fast"}"#, Some((Reason::RateLimited, Later))),
        (dingtalk, r#"{"errcode":410100,"errmsg":"x"}"#, Some((Reason::RateLimited, Later))),
        (dingtalk, r#"{"errcode":90030,"errmsg":"x"}"#, Some((Reason::RateLimited, Later))),
        (dingtalk, r#"{"status":1111,"wait":5,"punish":"deny"}"#, Some((Reason::RateLimited, wait(5)))),
        (dingtalk, r#"{"errcode":130101,"status":1111,"wait":5,"punish":"deny"}"#, Some((Reason::RateLimited, Later))),
        (dingtalk, r#"{"errcode":-1,"errmsg":"busy"}"#, Some((Reason::Api, Soon))),
        (dingtalk, r#"{"errmsg":"ok"}"#, Some((Reason::Decode, Never))),
        (wecom, r#"{"errcode":0,"errmsg":"ok"}"#, None),
        (wecom, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#, Some((Reason::Auth, Never))),
        (wecom, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, Some((Reason::RateLimited, Later))),
        (wecom, r#"{"errcode":-1,"errmsg":"busy"}"#, Some((Reason::Api, Soon))),
        (wecom, "{}", Some((Reason::Decode, Never))),
        (wecom, r#"{"errcode":3,"error":{"message":"x"}}"#, Some((Reason::Api, Never))),
        (custom, "anything", None),
    ] {
        let got = judged(&channel(kind), body).err().map(|f| (f.reason, f.retry));
        assert_eq!(got, want, "{kind} {body}");
    }
}

#[test]
fn what_dingtalk_refuses_is_explained_in_whichever_language_it_says_so() {
    let solved = "解决方案:请确认;链接:请参考本接口对应文档获得具体要求，或者在https://open.dingtalk.com/document/  搜索相关文档;";
    for (words, reason, hint) in [
        ("sign not match, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]", Reason::Auth, "`secret`"),
        ("invalid timestamp, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]", Reason::Auth, "clock"),
        ("keywords not in content, more: [https://ding-doc.dingtalk.com/x]", Reason::Api, "keyword"),
        ("ip 1.2.3.4 not in whitelist, more: [https://ding-doc.dingtalk.com/x]", Reason::Api, "list"),
        ("错误描述:机器人发送签名不匹配;", Reason::Auth, "`secret`"),
        ("description:机器人发送签名不匹配;", Reason::Auth, "`secret`"),
        ("错误描述:机器人发送签名过期;", Reason::Auth, "clock"),
        ("错误描述:时间戳无效;", Reason::Auth, "clock"),
        ("错误描述:关键词不匹配;", Reason::Api, "keyword"),
        ("description:关键词不匹配;", Reason::Api, "keyword"),
        ("错误描述:IP地址 1.2.3.4 不在白名单;", Reason::Api, "list"),
        ("错误描述:来源ip不在白名单中;", Reason::Api, "list"),
    ] {
        let body = serde_json::json!({"errcode": 310_000, "errmsg": format!("{words}{solved}")}).to_string();
        let failure = judged(&channel("dingtalk"), &body).unwrap_err();
        assert_eq!((failure.reason, failure.retry), (reason, Retry::Never), "{words}");
        assert!(failure.hint.as_deref().is_some_and(|said| said.contains(hint)), "{words}: {failure:?}");
    }
}

#[test]
fn a_refusal_is_told_in_the_services_words() {
    for (kind, body, want) in [
        ("wecom", r#"{"errcode":93000,"errmsg":"invalid url"}"#, "(code 93000): invalid url"),
        ("wecom", r#"{"errcode":3,"error":{"message":"no such robot"}}"#, "(code 3): no such robot"),
        ("feishu", r#"{"code":3,"errors":[{"detail":"bad card"}]}"#, "(code 3): bad card"),
        ("dingtalk", r#"{"errcode":3}"#, "(code 3)"),
    ] {
        let told = Failure { hint: None, ..judged(&channel(kind), body).unwrap_err() }.describe();
        assert_eq!(told, format!("the service refused the message {want}"), "{body}");
    }
}

#[test]
fn an_answer_that_refuses_is_no_delivery() {
    let custom = channel("custom");
    for (body, field) in [
        ("", None),
        ("ok", None),
        ("OK, thank you", None),
        ("{}", None),
        ("[]", None),
        (r#"{"success":true}"#, None),
        (r#"{"ok":true,"error":null}"#, None),
        (r#"{"code":0}"#, None),
        (r#"{"code":200,"message":"queued"}"#, None),
        (r#"{"code":"0"}"#, None),
        (r#"{"code":"SUCCESS"}"#, None),
        (r#"{"errcode":0,"errmsg":"ok"}"#, None),
        (r#"{"error":""}"#, None),
        (r#"{"error":false,"errors":[]}"#, None),
        (r#"{"status":"accepted"}"#, None),
        (r#"{"status":202}"#, None),
        (r#"{"data":{"error":"of another thing"}}"#, None),
        (r#"{"success":false}"#, Some("success")),
        (r#"{"Success":"false"}"#, Some("Success")),
        (r#"{"ok":false,"description":"x"}"#, Some("ok")),
        (r#"{"errcode":93000,"errmsg":"invalid"}"#, Some("errcode")),
        (r#"{"errcode":"40001"}"#, Some("errcode")),
        (r#"{"code":19001,"msg":"param invalid"}"#, Some("code")),
        (r#"{"code":500}"#, Some("code")),
        (r#"{"code":"InvalidParam"}"#, Some("code")),
        (r#"{"errcode":"no such room"}"#, Some("errcode")),
        ("\u{FEFF}{\"ok\":false}", Some("ok")),
        ("\u{FEFF}{\"ok\":true}", None),
        (r#"{"code":"OK"}"#, None),
        (r#"{"code":"Success"}"#, None),
        (r#"{"code":"0"}"#, None),
        (r#"{"code":""}"#, None),
        (r#"{"code":-1}"#, Some("code")),
        (r#"{"StatusCode":1}"#, Some("StatusCode")),
        (r#"{"error":"no such hook"}"#, Some("error")),
        (r#"{"error":{"message":"no such hook"}}"#, Some("error")),
        (r#"{"errors":[{"message":"x"}]}"#, Some("errors")),
        (r#"{"status":"error"}"#, Some("status")),
        (r#"{"status":403}"#, Some("status")),
        // Several answers in one: a refusal among them counts.
        (r#"[{"ok":true},{"ok":false}]"#, Some("ok")),
        (r#"[{"ok":true},{"ok":true}]"#, None),
        (r#"[[{"errcode":1}]]"#, Some("errcode")),
        ("[]", None),
        ("{\"ok\":true}\n{\"ok\":false}\n", Some("ok")),
        ("{\"ok\":false}\r\n{\"ok\":true}\r\n", Some("ok")),
        (r#"{"ok":true} {"error":"no such hook"}"#, Some("error")),
        (r#"{"ok":true}{"ok":true}"#, None),
        ("\u{FEFF}{\"ok\":true}\n[{\"ok\":false}]", Some("ok")),
        (r#""queued""#, None),
        ("queued", None),
    ] {
        let failure = judged(&custom, body).err();
        assert_eq!(failure.is_some(), field.is_some(), "{body}");
        if let (Some(failure), Some(field)) = (failure, field) {
            assert_eq!(failure.reason, Reason::Api, "{body}");
            assert!(failure.message.contains(&format!("`{field}`")), "{body}: {}", failure.message);
        }
    }
    for page in [
        "<!DOCTYPE html><title>Log in</title>",
        "\u{FEFF}\n <HTML>",
        "<html lang=\"en\">{\"ok\":true}",
        "<!-- a --><form>",
    ] {
        assert_eq!(judged(&custom, page).unwrap_err().reason, Reason::Decode, "{page}");
    }
}

/// An answer of a megabyte is judged like any other. Builds for tests have a tenth of the steps, so it has a tenth of the keys.
#[test]
fn an_answer_with_many_keys_is_judged() {
    let channel = channel("custom");
    for (more, is_taken) in
        [("", true), (r#","Errors":["x"]"#, false), (r#","OK":false"#, false), (r#","ok":true"#, true)]
    {
        let keys: Vec<String> = (0..6000).map(|n| format!(r#""key-{n:05}":{n}"#)).collect();
        let said = judged(&channel, &format!("{{{}{more}}}", keys.join(",")));
        assert_eq!(said.is_ok(), is_taken, "{more}: {said:?}");
    }
}

#[test]
fn what_accept_says_counts_and_nothing_else() {
    for (code, body, want) in [
        (".code == 7", r#"{"code":7}"#, true),
        (".code == 7", r#"{"code":0}"#, false),
        ("true", "<html>", true),
        (r#". == "taken""#, "taken", true),
        (r#". == "taken""#, "lost", false),
        (".ok", "{}", false),
        (".ok", r#"{"ok":"yes"}"#, false),
        (".a.b", r#"{"a":"text"}"#, false),
        ("empty", "{}", false),
        ("true", "", true),
        (".a / {}", r#"{"a":"private-1"}"#, false),
    ] {
        let accept = Some(Arc::new(Expression::compile(code).unwrap()));
        let judged = judged(&Channel { accept, ..channel("custom") }, body);
        assert_eq!(judged.is_ok(), want, "{code} on {body}");
        let said = judged.err().map(|failure| failure.describe()).unwrap_or_default();
        assert!(!said.contains("private-1"), "the answer stays where it is: {said}");
    }
}

/// What every channel makes of every alert, alone and together, in both languages, and in short. Receivers rely on it, so it
/// does not change by accident; `UPDATE_FIXTURES=1` writes it anew.
#[test]
fn what_channels_say_stays_as_it_is() {
    let stored = include_str!("../../model/alert/stored.jsonl");
    let alerts: Vec<Alert> = stored.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut said = String::new();
    for (kind, form, name_then) in [
        ("feishu", "post", "Feishu"),
        ("dingtalk", "markdown", "Dingtalk"),
        ("wecom", "text", "Wecom"),
        ("custom", "", "Custom"),
        ("console", "", "Console"),
        ("feishu", "card", "Feishu card"),
        ("wecom", "markdown", "Wecom Markdown"),
    ] {
        let channel = if form.is_empty() { channel(kind) } else { in_form(channel(kind), form) };
        for (name, language) in [("en", Language::En), ("zh", Language::Zh)] {
            for is_short in [false, true] {
                let mut message = Message::new(&alerts, language, "run-1");
                if is_short {
                    message.shorten();
                }
                let alone = (0..alerts.len()).map(|at| at..at + 1);
                let parts: Vec<_> = match kind {
                    "custom" => alone.collect(),
                    _ if is_short => std::iter::once(0..alerts.len()).collect(),
                    _ => alone.chain(std::iter::once(0..alerts.len())).collect(),
                };
                for part in parts {
                    let post = post(&channel, &message, part.clone(), Timestamp::UNIX_EPOCH).unwrap();
                    let size = post.sizes.first().map_or(post.body.len(), |(size, _)| *size);
                    said.push_str(&format!("{name_then} {name} {is_short} {part:?} {}\n{}\n", size, post.body));
                }
            }
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/notify/channel/said.txt");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(path, &said).unwrap();
    }
    let known = std::fs::read_to_string(path).unwrap();
    for (said, known) in said.lines().zip(known.lines()) {
        assert_eq!(said, known);
    }
    assert_eq!(said.lines().count(), known.lines().count());
}

#[test]
fn a_message_is_taken_only_if_all_orders_of_an_answer_say_so() {
    let results = r#"{"results":[{"ok":true},{"ok":false},{"ok":true}]}"#;
    let good = r#"{"results":[{"ok":true},{"ok":true}]}"#;
    for (verdict, body, want) in [
        ("first(.results[] | .ok)", results, false),
        ("[.results[] | .ok][0]", results, false),
        ("[.results[] | .ok] | last", r#"{"results":[{"ok":false},{"ok":true},{"ok":true}]}"#, false),
        ("[.results[] | .ok] | .[-1]", r#"{"results":[{"ok":false},{"ok":true}]}"#, false),
        ("reduce .results[] as $one (null; . // $one.ok)", results, true),
        ("all(.results[]; .ok)", results, false),
        ("all(.results[]; .ok)", good, true),
        ("first(.results[] | .ok)", good, true),
        // What stands first in a list of the answer itself is the page's own choice.
        (".results[0].ok", results, true),
    ] {
        let accept = Some(Arc::new(Expression::compile(verdict).unwrap()));
        assert_eq!(judged(&Channel { accept, ..channel("custom") }, body).is_ok(), want, "accept: {verdict} on {body}");
        let mut page = builtin_pages::page("custom").unwrap();
        page.verdict = format!(".body | {verdict}");
        let own = Channel { page: Some(Arc::new(prepared::Prepared::new(page))), ..channel("custom") };
        assert_eq!(judged(&own, body).is_ok(), want, "verdict: {verdict} on {body}");
    }
}

#[test]
fn an_empty_answer_confirms_only_where_an_example_says_that_it_does() {
    let example = |body: &str, taken: bool| serde_json::json!({"name": "x", "body": body, "expect": {"taken": taken}});
    for (verdict, answers, body, want) in [
        ("true", vec![], "", false),
        ("true", vec![], " \r\n", false),
        ("true", vec![], "\u{feff}", false),
        (".status == 200", vec![], "", false),
        ("true", vec![example("ok", true)], "", false),
        ("true", vec![example("", false)], "", false),
        ("true", vec![example("", true)], "", true),
        ("true", vec![example("", true)], "\n", true),
        ("true", vec![], "ok", true),
    ] {
        let mut page = builtin_pages::page("custom").unwrap();
        page.verdict = verdict.to_owned();
        page.examples = serde_json::from_value(serde_json::json!({ "answers": answers.clone() })).unwrap();
        let own = Channel { page: Some(Arc::new(prepared::Prepared::own(page))), ..channel("custom") };
        assert_eq!(judged(&own, body).is_ok(), want, "{verdict} {answers:?} {body:?}");
    }
}
