//! Every channel through the real HTTP path: what is posted and how it is signed, which
//! answers count as delivered, and what a name from outside cannot do to a message.

use crate::support::crypto::{base64, hmac_sha256};
use crate::support::{
    Gate, Program, REASONS, Reply, Request, Server, account, all_text, config, fine, low, project, soon, uniapi_body,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The robots with each form of message that they can have.
const FORMS: [(&str, &str); 6] = [
    ("feishu", "card"),
    ("feishu", "post"),
    ("dingtalk", "card"),
    ("dingtalk", "markdown"),
    ("wecom", "text"),
    ("wecom", "markdown"),
];

/// The channels that post to a URL.
const POSTING: [&str; 4] = ["feishu", "dingtalk", "wecom", "custom"];

const FEISHU_OK: &str = r#"{"code":0,"msg":"success","data":{},"Extra":null,"StatusCode":0,"StatusMessage":"success"}"#;
const ERRCODE_OK: &str = r#"{"errcode":0,"errmsg":"ok"}"#;

/// The answer that every channel takes for a success.
fn accepted() -> Reply {
    Reply::ok(r#"{"code":0,"StatusCode":0,"errcode":0,"errmsg":"ok"}"#)
}

/// A config with one low account and one channel at `url`.
fn alerting(channel: &str, url: &str) -> Value {
    let mut config = config(vec![low("Acme"), fine("Fine")]);
    config["projects"][0]["owner_project"] = json!("Platform");
    config["webhook"] = json!({"type": channel, "url": url, "source": "the-source"});
    config
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

// ---- what is posted ----------------------------------------------------------------------

#[test]
fn every_channel_posts_json_that_says_what_is_low() {
    for channel in POSTING {
        let server = Server::start(|_| accepted());
        let url = format!("{}/hook?access_token=abc", server.url());
        let run = Program::check_json(&alerting(channel, &url)).run();
        assert_eq!(run.code(), 2, "{channel}: {run}");

        let request = server.only_request();
        assert_eq!(request.method, "POST", "{channel}");
        assert_eq!(request.path(), "/hook", "{channel}");
        assert_eq!(request.query("access_token").as_deref(), Some("abc"), "{channel}");
        let content_type = request.header("Content-Type").unwrap();
        assert!(content_type.starts_with("application/json"), "{channel}: {content_type}");
        let text = all_text(&request.json());
        for word in ["Acme", "Platform"] {
            assert!(text.contains(word), "{channel} names {word}: {text}");
        }
        assert!(!text.contains("Fine"), "{channel} is silent about the rest: {text}");
        if channel != "custom" {
            // As numbers in `custom`, as words elsewhere.
            let numbers = text.split(|c: char| !c.is_ascii_digit() && c != '.');
            let numbers: BTreeSet<_> =
                numbers.filter_map(|word| word.parse::<f64>().ok()).map(|n| n.to_string()).collect();
            assert!(numbers.contains("5") && numbers.contains("10"), "{channel} gives the numbers: {text}");
        }

        let delivery = run.delivery();
        assert_eq!(delivery["channel"], channel);
        assert_eq!(delivery["status"], "sent");
        assert_eq!(delivery["alerts"], 1);
        assert_eq!(delivery["attempts"], 1);
        assert_eq!(delivery["error"], Value::Null);
    }
}

#[test]
fn the_message_kinds_are_ones_that_the_services_know() {
    for (channel, form, field, kind, text) in [
        ("feishu", None, "msg_type", "interactive", "/card/elements"),
        ("feishu", Some("card"), "msg_type", "interactive", "/card/elements"),
        ("feishu", Some("post"), "msg_type", "post", "/content/post"),
        ("dingtalk", None, "msgtype", "markdown", "/markdown/text"),
        ("dingtalk", Some("markdown"), "msgtype", "markdown", "/markdown/text"),
        ("wecom", None, "msgtype", "text", "/text/content"),
        ("wecom", Some("text"), "msgtype", "text", "/text/content"),
        ("wecom", Some("markdown"), "msgtype", "markdown", "/markdown/content"),
    ] {
        let server = Server::start(|_| accepted());
        let mut config = alerting(channel, &server.url());
        if let Some(form) = form {
            config["webhook"]["format"] = json!(form);
        }
        Program::check(&config).run().expect(2);
        let body = server.only_request().json();
        assert_eq!(body[field], kind, "{channel}: {body}");
        let text = body.pointer(text).unwrap_or(&Value::Null);
        assert!(all_text(text).contains("Acme"), "the text stands where {channel} looks: {body}");
        if channel == "dingtalk" {
            assert!(body["markdown"]["title"].as_str().is_some_and(|title| !title.is_empty()), "{body}");
        }
    }
}

#[test]
fn where_an_account_can_be_topped_up_each_form_leads_there() {
    for (channel, form) in FORMS {
        for (language, label) in [("en", "Top up: "), ("zh", "充值：")] {
            let server = Server::start(|request| match request.path() {
                "/hook" => accepted(),
                _ => Reply::ok(r#"{"data":{"total_credits":100.5,"total_usage":25.75}}"#),
            });
            // Two accounts of one provider, which has one page.
            let account = |name: &str| {
                let mut account = account(name, "openrouter", &server.url());
                account["threshold"] = json!(100);
                account
            };
            let mut config = config(vec![account("One"), account("Two")]);
            config["settings"]["language"] = json!(language);
            config["webhook"] =
                json!({"type": channel, "format": form, "url": format!("{}/hook?access_token=t", server.url())});
            if channel != "wecom" {
                config["webhook"]["secret"] = json!("the-secret");
            }
            Program::check(&config).run().expect(2);
            let requests = server.requests();
            let request = requests.iter().find(|request| request.path() == "/hook").unwrap();
            let body = request.json();
            match channel {
                "feishu" => feishu_signature_is_right(&body, "the-secret"),
                "dingtalk" => dingtalk_signature_is_right(request, "the-secret"),
                _ => {}
            }
            let (button, link) = match (channel, form) {
                ("feishu", "card") => (&body["card"]["elements"][1]["actions"], "url"),
                ("dingtalk", "card") => (&body["actionCard"]["btns"], "actionURL"),
                _ => (&Value::Null, ""),
            };
            let page = "https://openrouter.ai/";
            if let Some(buttons) = button.as_array() {
                assert_eq!(buttons.len(), 1, "one page, one button: {body}");
                assert!(all_text(&buttons[0]).contains(&format!("{label}OpenRouter")), "{body}");
                assert!(buttons[0][link].as_str().is_some_and(|url| url.starts_with(page)), "{body}");
            }
            let text = all_text(&body);
            let is_plain = [("feishu", "post"), ("wecom", "text")].contains(&(channel, form));
            assert_eq!(text.matches(page).count(), usize::from(!is_plain), "{channel} {form}: {body}");
            if form == "markdown" {
                assert!(text.contains(&format!("{label}[OpenRouter]({page}")), "{channel}: {body}");
            }
            if (channel, form) == ("feishu", "card") {
                assert_eq!(body["card"]["header"]["template"], "red", "{body}");
            }
        }
    }
}

#[test]
fn a_form_that_cannot_mention_gives_way_to_one_that_can() {
    for (channel, form, who, kind, at) in [
        ("wecom", "markdown", "zhangsan", "markdown", "/markdown/content"),
        ("wecom", "markdown", "all", "text", "/text/mentioned_list"),
        ("wecom", "markdown", "13800138000", "text", "/text/mentioned_mobile_list"),
        ("dingtalk", "card", "all", "markdown", "/at/isAtAll"),
        ("dingtalk", "card", "user-1", "markdown", "/at/atUserIds"),
    ] {
        let server = Server::start(|request| match request.path() {
            "/hook" => accepted(),
            _ => Reply::ok(r#"{"data":{"total_credits":100.5,"total_usage":25.75}}"#),
        });
        let mut account = account("One", "openrouter", &server.url());
        account["threshold"] = json!(100);
        let mut config = config(vec![account]);
        let url = format!("{}/hook", server.url());
        config["webhook"] = json!({"type": channel, "format": form, "url": url, "mention": [who]});
        Program::check(&config).run().expect(2);
        let requests = server.requests();
        let body = requests.iter().find(|request| request.path() == "/hook").unwrap().json();
        assert_eq!(body["msgtype"], kind, "{channel} {who}: {body}");
        let said = body.pointer(at).unwrap_or(&Value::Null);
        assert!(*said == true || said.to_string().contains(who), "{channel} {who}: {body}");
    }
}

#[test]
fn custom_posts_exactly_the_documented_json() {
    let server = Server::start(|request| match request.path() {
        "/hook" => Reply::status(204, ""),
        _ => Reply::ok(r#"{"data":{"total_credits":100.5,"total_usage":25.75}}"#),
    });
    let mut openrouter = account("OpenRouter", "openrouter", &server.url());
    openrouter["threshold"] = json!(100);
    openrouter["type"] = json!("credits");
    openrouter["owner_project"] = json!("AI platform");
    let mut config = config(vec![openrouter]);
    config["webhook"] = json!({"type": "custom", "url": format!("{}/hook", server.url()), "source": "balance-alert"});
    Program::check(&config).run().expect(2);
    let requests = server.requests();
    let request = requests.iter().find(|request| request.path() == "/hook").unwrap();
    let mut body = request.json();
    // Named by the run and the check; a test of the memory shows what they are good for.
    for key in ["RunId", "DedupKey"] {
        assert!(body[key].take().as_str().is_some_and(|text| !text.is_empty()), "{key}");
    }
    assert!(body["Resources"][0]["DedupKey"].take().as_str().is_some_and(|key| key.starts_with("low-")));
    let message = body["Resources"][0]["Message"].take();
    assert!(message.as_str().is_some_and(|text| text.contains("OpenRouter") && text.contains("74.75")), "{message}");
    let mut expected = json!({
        "Type": "AlarmNotification", "RuleName": "OpenRouter balance alert", "Level": "critical", "Source": "balance-alert",
        "RunId": null, "DedupKey": null,
        "Resources": [{"ProjectName": "OpenRouter", "OwnerProject": "AI platform", "Provider": "openrouter",
            "BalanceType": "credits", "CurrentValue": 74.75, "Threshold": 100, "Unit": "USD", "Message": null,
            "Level": "critical", "Topic": "low", "Event": "raised", "Reason": null, "DedupKey": null}]});
    assert_eq!(body, expected);
    expected["Resources"][0]["Message"] = message;
    let text = request.text().replace(' ', "");
    assert!(text.contains(r#""Threshold":100,"#), "a plain number: {text}");
    assert!(text.contains(r#""CurrentValue":74.75"#), "{text}");
}

#[test]
fn custom_groups_and_has_its_own_words_for_it() {
    let server = Server::start(|_| Reply::status(202, ""));
    let mut config = alerting("custom", &server.url());
    config["projects"] = json!([low("A"), fine("B"), soon("C")]);
    let run = Program::check_json(&config).run().expect(2);
    let body = server.only_request().json();
    assert_eq!(body["RuleName"], "balance alert");
    assert_eq!(body["Level"], "critical", "the worst of them: {body}");
    assert_eq!(body["Source"], "the-source");
    let names = body["Resources"].as_array().unwrap().iter().map(|resource| resource["ProjectName"].as_str().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), BTreeSet::from(["A", "C"]));
    assert_eq!(body["Resources"][0]["OwnerProject"], Value::Null, "{body}");
    assert_eq!(run.delivery()["alerts"], 2);
}

#[test]
fn a_warning_is_told_as_a_warning() {
    let server = Server::start(|_| Reply::ok(""));
    let mut config = alerting("custom", &server.url());
    config["projects"] = json!([soon("Soon")]);
    Program::check(&config).run().expect(1);
    let body = server.only_request().json();
    assert_eq!(body["Level"], "warning");
    assert_eq!(body["Resources"][0]["Threshold"], 10, "the threshold that was crossed: {body}");
}

#[test]
fn the_environment_can_be_the_whole_webhook() {
    let server = Server::start(|_| Reply::ok(""));
    Program::check(&config(vec![low("Acme")]))
        .env("WEBHOOK_URL", &server.url())
        .env("WEBHOOK_TYPE", "custom")
        .env("WEBHOOK_SOURCE", "from-the-environment")
        .run()
        .expect(2);
    assert_eq!(server.only_request().json()["Source"], "from-the-environment");
}

#[test]
fn the_console_shows_the_alert_on_stderr() {
    let mut config = config(vec![low("Acme"), fine("Fine")]);
    config["webhook"] = json!({"type": "console"});
    let run = Program::check_json(&config).run().expect(2);
    assert!(run.stderr.contains("Acme"), "{run}");
    assert!(!run.stderr.contains("Fine"), "{run}");
    assert_eq!(run.delivery()["channel"], "console");
    assert_eq!(run.delivery()["status"], "sent");
}

#[test]
fn without_an_alert_nothing_is_posted() {
    let server = Server::start(|_| accepted());
    let mut config = alerting("custom", &server.url());
    config["projects"] = json!([fine("Fine")]);
    let run = Program::check_json(&config).run().expect(0);
    assert_eq!(server.hits(), 0);
    assert_eq!(run.report()["deliveries"], json!([]));
}

#[test]
fn without_a_webhook_the_exit_code_is_the_alert() {
    let run = Program::check_json(&config(vec![low("Acme")])).run().expect(2);
    assert_eq!(run.report()["deliveries"], json!([]));
}

#[test]
fn a_webhook_whose_variable_is_missing_is_a_failed_delivery() {
    for url in ["${NO_SUCH_HOOK}", "https://127.0.0.1:9/${NO_SUCH_HOOK}"] {
        let config = alerting("custom", url);
        let run = Program::check_json(&config).run().expect(75);
        let delivery = run.delivery();
        assert_eq!(delivery["status"], "failed");
        assert_eq!(delivery["error"]["reason"], "config");
        let message = delivery["error"]["message"].as_str().unwrap();
        assert!(message.contains("NO_SUCH_HOOK"), "{message}");

        let mut quiet = config;
        quiet["projects"] = json!([fine("Fine")]);
        Program::check_json(&quiet).run().expect(0);
    }
    // A missing secret would make every message a forgery: the same.
    let server = Server::start(|_| accepted());
    let mut config = alerting("feishu", &server.url());
    config["webhook"]["secret"] = json!("${NO_SUCH_SECRET}");
    let run = Program::check_json(&config).run().expect(75);
    assert_eq!(run.delivery()["error"]["reason"], "config");
    assert_eq!(server.hits(), 0);
}

#[test]
fn a_dry_run_shows_the_exact_payload_and_sends_nothing() {
    for channel in POSTING {
        let server = Server::start(|_| accepted());
        let config = alerting(channel, &server.url());
        let dry = Program::check_json(&config).env("BALANCE_ALERT_RUN_ID", "job-1").args(["--dry-run"]).run();
        assert_eq!(server.hits(), 0, "{channel}: {dry}");
        assert_eq!(dry.code(), 2, "{channel}: {dry}");
        let delivery = dry.delivery();
        assert_eq!(delivery["status"], "dry_run", "{channel}");
        assert_eq!(delivery["alerts"], 1, "{channel}");
        let payload = &delivery["payloads"][0];

        // The same but for the key, which names the moment at which the trouble began.
        Program::check_json(&config).env("BALANCE_ALERT_RUN_ID", "job-1").run().expect(2);
        assert_eq!(without_keys(payload), without_keys(&server.only_request().json()), "{channel}");

        let shown = Program::check(&config).args(["--dry-run"]).run().expect(2);
        assert!(shown.stdout.contains("would be sent\n{\""), "{channel}: the payload is shown: {shown}");
        assert_eq!(server.hits(), 1, "{channel}");
    }
}

/// A payload with `KEY` in the place of all keys.
fn without_keys(payload: &Value) -> String {
    let mut text = payload.to_string();
    for start in [r#""DedupKey":""#, "key "] {
        let parts: Vec<&str> = text.split(start).collect();
        let rest = parts[1..].iter().map(|part| {
            let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c))).unwrap_or(part.len());
            format!("{start}KEY{}", &part[end..])
        });
        text = std::iter::once(parts[0].to_owned()).chain(rest).collect();
    }
    text
}

// ---- signatures --------------------------------------------------------------------------

fn feishu_signature_is_right(body: &Value, secret: &str) {
    let timestamp = body["timestamp"].as_str().expect("a timestamp, as a string");
    let seconds: u64 = timestamp.parse().unwrap();
    assert!(seconds.abs_diff(now().as_secs()) < 60, "seconds: {timestamp}");
    let key = format!("{timestamp}\n{secret}");
    assert_eq!(body["sign"], base64(&hmac_sha256(key.as_bytes(), b"")), "{body}");
}

fn dingtalk_signature_is_right(request: &Request, secret: &str) {
    let timestamp = request.query("timestamp").expect("a timestamp in the query");
    let milliseconds: u128 = timestamp.parse().unwrap();
    assert!(milliseconds.abs_diff(now().as_millis()) < 60_000, "milliseconds: {timestamp}");
    let message = format!("{timestamp}\n{secret}");
    let sign = base64(&hmac_sha256(secret.as_bytes(), message.as_bytes()));
    assert_eq!(request.query("sign").as_deref(), Some(&*sign), "encoded once: {}", request.target);
    let raw = request.raw_query().split("sign=").nth(1).unwrap();
    assert!(!raw.contains('+') && !raw.contains('/'), "{raw}");
}

#[test]
fn the_verifiers_agree_with_the_known_vectors() {
    assert_eq!(base64(&hmac_sha256(b"1599360473\ndemo", b"")), "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=");
    assert_eq!(
        base64(&hmac_sha256(b"this is secret", b"1577262236757\nthis is secret")),
        "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="
    );
}

#[test]
fn feishu_and_dingtalk_are_signed() {
    for secret in ["SEC0123456789abcdef", "密钥 with blanks +/="] {
        let server = Server::start(|_| accepted());
        let mut config = alerting("feishu", &server.url());
        config["webhook"]["secret"] = json!(secret);
        Program::check(&config).run().expect(2);
        feishu_signature_is_right(&server.only_request().json(), secret);

        let server = Server::start(|_| accepted());
        let mut config = alerting("dingtalk", &format!("{}/robot/send?access_token=t", server.url()));
        config["webhook"]["secret"] = json!(secret);
        Program::check(&config).run().expect(2);
        let request = server.only_request();
        dingtalk_signature_is_right(&request, secret);
        assert_eq!(request.query("access_token").as_deref(), Some("t"));
    }
}

#[test]
fn a_secret_from_a_file_is_trimmed() {
    let server = Server::start(|_| accepted());
    let mut config = alerting("feishu", "");
    config["webhook"] = json!({"type": "feishu", "url_file": "hook", "secret_file": "secret"});
    Program::check(&config)
        .file("hook", &format!("{}/hook\n", server.url()))
        .file("secret", " from-a-file \r\n")
        .run()
        .expect(2);
    feishu_signature_is_right(&server.only_request().json(), "from-a-file");
}

#[test]
fn without_a_secret_nothing_is_signed() {
    let server = Server::start(|_| accepted());
    let mut config = alerting("feishu", &server.url());
    config["webhook"]["secret"] = json!("${UNSET:-}");
    Program::check(&config).run().expect(2);
    let body = server.only_request().json();
    assert!(body.get("sign").is_none() && body.get("timestamp").is_none(), "{body}");

    let server = Server::start(|_| accepted());
    Program::check(&alerting("dingtalk", &server.url())).run().expect(2);
    assert_eq!(server.only_request().query("sign"), None);
}

#[test]
fn every_attempt_is_signed_anew() {
    let limited = || Reply::status(429, "{}").header("Retry-After", "2");
    for channel in ["feishu", "dingtalk"] {
        let server = Server::sequence(vec![limited(), accepted()]);
        let mut config = alerting(channel, &server.url());
        config["webhook"]["secret"] = json!("the-secret");
        config["settings"]["max_retries"] = json!(2);
        let run = Program::check_json(&config).run().expect(2);
        assert_eq!(run.delivery()["attempts"], 2, "{channel}");
        let requests = server.requests();
        assert!(requests[1].at - requests[0].at >= Duration::from_secs(2), "{channel} waits");
        let mut stamps = BTreeSet::new();
        for request in &requests {
            if channel == "feishu" {
                feishu_signature_is_right(&request.json(), "the-secret");
                stamps.insert(request.json()["timestamp"].to_string());
            } else {
                dingtalk_signature_is_right(request, "the-secret");
                stamps.insert(request.query("timestamp").unwrap());
            }
        }
        assert_eq!(stamps.len(), 2, "{channel}: two seconds later the time is another one");
    }
}

// ---- which answers count as delivered ----------------------------------------------------

/// Posts one alert to every case as a channel of its own, and returns each one's outcome as
/// `(status, attempts)`, in order.
fn outcomes(channel: &str, replies: Vec<Reply>, retries: u32) -> (Vec<(String, u64)>, i32) {
    outcomes_within(channel, replies, retries, 10)
}

fn outcomes_within(channel: &str, replies: Vec<Reply>, retries: u32, seconds: u32) -> (Vec<(String, u64)>, i32) {
    let count = replies.len();
    let server = Server::start(move |request| replies[request.case().parse::<usize>().unwrap()].clone());
    let mut config = config(vec![low("Acme")]);
    config["settings"]["max_retries"] = json!(retries);
    config["settings"]["request_timeout_seconds"] = json!(seconds);
    let hooks = (0..count)
        .map(|n| json!({"type": channel, "name": format!("case {n}"), "url": format!("{}/{n}", server.url())}));
    config["webhooks"] = hooks.collect();
    let run = Program::check_json(&config).run();
    let report = run.report();
    let deliveries = report["deliveries"].as_array().unwrap();
    let outcome = |n: usize| {
        let name = format!("case {n}");
        let found = deliveries.iter().find(|delivery| delivery["channel"] == name);
        let delivery = found.unwrap_or_else(|| panic!("`{name}` is reported: {run}"));
        let attempts = delivery["attempts"].as_u64().unwrap();
        assert_eq!(server.hits_of(&n.to_string()) as u64, attempts, "{name}: {delivery}");
        if delivery["status"] != "sent" {
            let reason = delivery["error"]["reason"].as_str().unwrap();
            assert!(REASONS.contains(&reason), "{delivery}");
            assert!(!delivery["error"]["message"].as_str().unwrap().is_empty(), "{delivery}");
        } else {
            assert_eq!(delivery["error"], Value::Null);
        }
        (delivery["status"].as_str().unwrap().into(), attempts)
    };
    ((0..count).map(outcome).collect(), run.code())
}

#[track_caller]
fn expect_all(channel: &str, bodies: &[(u16, &str)], status: &str, code: i32) {
    let replies = bodies.iter().map(|(status, body)| Reply::status(*status, *body));
    let (outcomes, exit) = outcomes(channel, replies.collect(), 0);
    for ((status_code, body), (outcome, _)) in bodies.iter().zip(outcomes) {
        assert_eq!(outcome, status, "{channel} answers {status_code} {body}");
    }
    assert_eq!(exit, code, "{channel}");
}

#[test]
fn feishu_says_in_the_body_whether_it_took_the_message() {
    expect_all(
        "feishu",
        &[
            (200, FEISHU_OK),
            (200, r#"{"code":0}"#),
            (200, r#"{"code":"0","msg":"success"}"#),
            (200, r#"{"StatusCode":0,"StatusMessage":"success"}"#),
        ],
        "sent",
        2,
    );
    expect_all(
        "feishu",
        &[
            (200, r#"{"code":9499,"msg":"Bad Request","data":{}}"#),
            (200, r#"{"code":11232,"msg":"frequency limited psm[lark.oapi]appID[1500]"}"#),
            (200, r#"{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}"#),
            (200, r#"{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}"#),
            (200, r#"{"code":19022,"msg":"Ip Not Allowed"}"#),
            (200, r#"{"code":"19024","msg":"Key Words Not Found"}"#),
            (200, r#"{"code":19001,"StatusCode":0}"#),
            (200, r#"{"StatusCode":19001}"#),
            (400, r#"{"code":99991400,"msg":"request trigger frequency limit"}"#),
            (400, FEISHU_OK),
            (200, r#"{"errcode":0}"#),
            (200, r#"{"code":null}"#),
            (200, r#"{"code":false}"#),
            (200, r#"{"code":""}"#),
            (200, r#"{"code":[]}"#),
            (200, r#"{"code":0"#),
            (200, r#"{"msg":"success"}"#),
            (200, "{}"),
            (200, "null"),
            (200, "[]"),
            (200, "0"),
            (200, ""),
            (200, "ok"),
            (200, "<html>code: 0</html>"),
        ],
        "failed",
        75,
    );
}

#[test]
fn dingtalk_and_wecom_say_in_the_body_whether_they_took_the_message() {
    let bad: [(u16, &str); 23] = [
        (200, r#"{"errcode":310000,"errmsg":"keywords not in content"}"#),
        (200, r#"{"errcode":310000,"errmsg":"sign not match"}"#),
        (200, r#"{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}"#),
        (200, r#"{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"u"}"#),
        (200, r#"{"errcode":300005,"errmsg":"token is not exist"}"#),
        (200, r#"{"errcode":"460101","errmsg":"message too long, exceed 20000 bytes"}"#),
        (200, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#),
        (200, r#"{"errcode":40058,"errmsg":"markdown.content exceed max length 4096"}"#),
        (200, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#),
        (200, r#"{"errcode":-1,"errmsg":"system busy"}"#),
        (403, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#),
        (403, ERRCODE_OK),
        (200, r#"{"errmsg":"ok"}"#),
        (200, r#"{"errcode":null,"errmsg":"ok"}"#),
        (200, r#"{"errcode":false}"#),
        (200, r#"{"errcode":{}}"#),
        (200, r#"{"code":0}"#),
        (200, "{}"),
        (200, "[]"),
        (200, ""),
        (200, "ok"),
        (200, "<html>errcode: 0</html>"),
        (200, r#"{"errcode":0"#),
    ];
    for channel in ["dingtalk", "wecom"] {
        let good = [(200, ERRCODE_OK), (200, r#"{"errcode":"0","errmsg":"ok"}"#), (200, r#"{"errcode":0}"#)];
        expect_all(channel, &good, "sent", 2);
        expect_all(channel, &bad, "failed", 75);
    }
}

#[test]
fn a_custom_receiver_says_it_by_its_status_and_its_answer() {
    expect_all(
        "custom",
        &[(200, "{}"), (200, ""), (201, "made"), (202, ""), (204, ""), (200, r#"{"code":200,"error":null}"#)],
        "sent",
        2,
    );
    expect_all(
        "custom",
        &[
            (200, "<html>"),
            (200, "[{\"ok\":true},{\"ok\":false}]"),
            (200, "{\"ok\":true}\n{\"ok\":false}\n"),
            (200, r#"{"errcode":1}"#),
            (202, r#"{"ok":false}"#),
            (400, "{}"),
            (401, ""),
            (403, ""),
            (404, ""),
            (410, ""),
            (413, ""),
            (429, ""),
            (500, ""),
            (503, ""),
        ],
        "failed",
        75,
    );
}

#[test]
fn an_answer_that_is_no_text_is_a_failed_delivery_and_none_at_all_is_an_unknown_one() {
    for channel in POSTING {
        let says_it_in_the_body = channel != "custom";
        let cases = [
            (Reply::bytes(vec![0xff, 0xfe, 0x7b]), if says_it_in_the_body { "failed" } else { "sent" }),
            (
                Reply::bytes(
                    "\u{FEFF}<html>{\"ok\":true}".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
                ),
                "failed",
            ),
            (Reply::bytes("{\"ok\":false}".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>()), "failed"),
            (Reply::raw("garbage\r\n\r\n"), "failed"),
            // It may have been taken, and nothing says so.
            (Reply::endless(), "unknown"),
            (Reply::truncated(FEISHU_OK), "unknown"),
            (Reply::close(), "unknown"),
            (Reply::raw("HTTP/1.1 20"), "unknown"),
            (Reply::hang(), "unknown"),
            (accepted().after(Duration::from_secs(3)), "unknown"),
        ];
        // In no case is there a second message, however many repeats are allowed.
        let (outcomes, exit) = outcomes_within(channel, cases.iter().map(|(reply, _)| reply.clone()).collect(), 3, 1);
        let want: Vec<(String, u64)> = cases.iter().map(|(_, want)| ((*want).to_owned(), 1)).collect();
        assert_eq!(outcomes, want, "{channel}");
        assert_eq!(exit, 75, "{channel}");
    }
}

#[test]
fn a_refusal_stays_one_though_its_words_break_off() {
    // The promise of more than comes makes the body one that breaks off.
    let cut = |status: u16| {
        Reply::raw(format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"))
    };
    let (outcomes, _) = outcomes("custom", vec![cut(400), cut(503), cut(200)], 1);
    assert_eq!(outcomes, [("failed".into(), 1), ("failed".into(), 2), ("unknown".into(), 1)]);
}

#[test]
fn what_has_certainly_not_arrived_is_tried_again_within_the_run() {
    // Nobody listens, no such name, and a peer that speaks no TLS: the message never left.
    let silent = Server::start(|_| Reply::ok(""));
    for (url, attempts) in [
        // Another test may be given a port that is free now.
        ("http://127.0.0.1:9/hook".to_owned(), 2),
        ("http://no-such-host.invalid/hook".to_owned(), 2),
        (silent.url().replace("http://", "https://"), 1),
    ] {
        let mut config = alerting("custom", &url);
        config["settings"]["max_retries"] = json!(1);
        let run = Program::check_json(&config).run().expect(75);
        assert_eq!(
            (&run.delivery()["status"], &run.delivery()["attempts"]),
            (&json!("failed"), &json!(attempts)),
            "{url}"
        );
    }
    assert_eq!(silent.hits(), 0);
}

// ---- retries -----------------------------------------------------------------------------

#[test]
fn only_what_can_help_is_tried_again() {
    for channel in POSTING {
        let statuses =
            [(400, 1), (401, 1), (403, 1), (404, 1), (410, 1), (413, 1), (429, 2), (500, 2), (502, 2), (503, 2)];
        let replies = statuses.iter().map(|(status, _)| Reply::status(*status, ""));
        let (outcomes, exit) = outcomes(channel, replies.collect(), 1);
        for ((status, expected), (outcome, attempts)) in statuses.into_iter().zip(outcomes) {
            assert_eq!(outcome, "failed", "{channel}: HTTP {status}");
            assert_eq!(attempts, expected, "{channel}: HTTP {status}");
        }
        assert_eq!(exit, 75);
    }
}

#[test]
fn an_error_code_that_will_not_change_is_final() {
    for (channel, code) in
        [("feishu", r#"{"code":19001}"#), ("dingtalk", r#"{"errcode":310000}"#), ("wecom", r#"{"errcode":93000}"#)]
    {
        let (outcomes, _) = outcomes(channel, vec![Reply::ok(code)], 3);
        assert_eq!(outcomes, [("failed".to_string(), 1)], "{channel}");
    }
}

#[test]
fn a_robot_that_is_blocked_for_minutes_is_left_alone_until_the_next_run() {
    for (channel, status, blocked) in [
        ("dingtalk", 200, r#"{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}"#),
        ("dingtalk", 200, r#"{"errcode":410100,"errmsg":"throttled"}"#),
        ("wecom", 200, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#),
        ("wecom", 429, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#),
        ("feishu", 200, r#"{"code":11232,"msg":"frequency limited psm[lark.oapi]appID[1500]"}"#),
        ("feishu", 200, r#"{"code":9499,"msg":"frequency limited psm"}"#),
        ("feishu", 400, r#"{"code":99991400,"msg":"request trigger frequency limit"}"#),
    ] {
        let server = Server::sequence(vec![Reply::status(status, blocked), accepted()]);
        let mut config = alerting(channel, &server.url());
        config["settings"]["max_retries"] = json!(3);
        // Of several messages the others wait as well.
        config["projects"] = (0..60).map(|n| low(&format!("account-{n:03}-{}", "x".repeat(60)))).collect();
        config["webhook"]["rate_limit"] = json!("none");
        let program = Program::check_json(&config);
        let run = program.clone().run().expect(75);
        assert_eq!(server.hits(), 1, "{channel}: {run}");
        let delivery = run.delivery();
        assert_eq!(
            (&delivery["status"], &delivery["error"]["reason"]),
            (&json!("failed"), &json!("rate_limited")),
            "{run}"
        );
        let run = program.run().expect(2);
        assert_eq!(run.delivery()["status"], "sent", "{channel}: {run}");
    }
}

#[test]
fn a_service_that_is_busy_is_tried_again() {
    for (channel, busy) in
        [("dingtalk", r#"{"errcode":-1,"errmsg":"busy"}"#), ("wecom", r#"{"errcode":-1,"errmsg":"system busy"}"#)]
    {
        let server = Server::sequence(vec![Reply::ok(busy), accepted()]);
        let mut config = alerting(channel, &server.url());
        config["settings"]["max_retries"] = json!(2);
        let run = Program::check_json(&config).run();
        assert_eq!(run.code(), 2, "{channel}: {run}");
        assert_eq!(run.delivery()["attempts"], 2, "{channel}: {run}");
    }
}

#[test]
fn a_receiver_that_recovers_gets_the_alert() {
    for channel in POSTING {
        let server = Server::sequence(vec![Reply::status(500, ""), Reply::status(503, ""), accepted()]);
        let mut config = alerting(channel, &server.url());
        config["settings"]["max_retries"] = json!(3);
        let run = Program::check_json(&config).run();
        assert_eq!(run.code(), 2, "{channel}: {run}");
        assert_eq!(run.delivery()["status"], "sent", "{channel}");
        assert_eq!(run.delivery()["attempts"], 3, "{channel}");
    }
}

#[test]
fn a_receiver_that_hangs_may_have_taken_it_and_gets_it_once_more_in_the_next_run() {
    let server = Server::sequence(vec![Reply::hang(), accepted()]);
    let mut config = alerting("feishu", &server.url());
    config["settings"]["max_retries"] = json!(3);
    config["settings"]["request_timeout_seconds"] = json!(1);
    let program = Program::check_json(&config);
    let run = program.clone().run().expect(75);
    let delivery = run.delivery();
    assert_eq!(
        (&delivery["status"], &delivery["attempts"], &delivery["owed"]),
        (&json!("unknown"), &json!(1), &json!(1))
    );
    assert_eq!(delivery["error"]["reason"], "timeout", "{run}");
    let report = run.report();
    let alert = &project(&report, "Acme")["alerts"][0];
    assert_eq!((&alert["status"], &alert["owed_to"]), (&json!("unknown"), &json!(["feishu"])), "{run}");
    let run = program.run().expect(2);
    assert_eq!(run.delivery()["status"], "sent", "{run}");
    let key = |request: &Request| {
        let text = all_text(&request.json());
        text.rsplit_once("key ").unwrap().1.chars().take(16).collect::<String>()
    };
    let requests = server.requests();
    assert_eq!((requests.len(), key(&requests[0])), (2, key(&requests[1])));
}

#[test]
fn a_retry_after_past_the_deadline_ends_the_attempts_at_once() {
    let server = Server::start(|_| Reply::status(429, "").header("Retry-After", "86400"));
    let mut config = alerting("custom", &server.url());
    config["settings"]["max_retries"] = json!(3);
    let run = Program::check_json(&config).run().expect(75);
    assert_eq!(run.delivery()["attempts"], 1, "{run}");
    assert_eq!(run.delivery()["error"]["reason"], "rate_limited");
    assert!(run.elapsed < Duration::from_secs(10), "{run}");
}

#[test]
fn a_redirect_is_never_followed() {
    for channel in POSTING {
        for status in [301, 302, 303, 307, 308] {
            let other = Server::start(|_| accepted());
            let target = other.url();
            let server = Server::start(move |request| match request.path() {
                "/away" => Reply::redirect(status, &target),
                "/near" => Reply::redirect(status, "/taken"),
                _ => accepted(),
            });
            let mut config = config(vec![low("Acme")]);
            config["webhooks"] = json!([
                {"type": channel, "url": format!("{}/away", server.url()), "name": "away"},
                {"type": channel, "url": format!("{}/near", server.url()), "name": "near"},
            ]);
            let run = Program::check_json(&config).run();
            assert_eq!(run.code(), 75, "{channel}: HTTP {status}: {run}");
            assert_eq!(other.hits(), 0, "{channel}: HTTP {status}");
            assert_eq!(server.hits(), 2, "{channel}: HTTP {status}");
        }
    }
}

// ---- several channels --------------------------------------------------------------------

#[test]
fn a_channel_that_hangs_delays_no_other() {
    // The first one answers only after the second has been served: one after the other, the
    // second would wait for the first and the gate would never open.
    let gate = Arc::new(Gate::new());
    let open = Arc::new(AtomicBool::new(false));
    let server = Server::start({
        let (gate, open) = (Arc::clone(&gate), Arc::clone(&open));
        move |request| {
            if request.case() == "slow" {
                open.store(gate.wait_for(1), Ordering::SeqCst);
            } else {
                gate.arrive();
            }
            accepted()
        }
    });
    let mut config = config(vec![low("Acme")]);
    config["webhooks"] = json!([
        {"type": "feishu", "url": format!("{}/slow", server.url())},
        {"type": "wecom", "url": format!("{}/fast", server.url())},
    ]);
    let run = Program::check_json(&config).run().expect(2);
    assert!(open.load(Ordering::SeqCst), "the second is served while the first waits: {run}");
}

#[test]
fn one_channel_that_works_hides_no_other() {
    let server = Server::start(|request| match request.case() {
        "good" => accepted(),
        _ => Reply::status(500, ""),
    });
    let mut config = config(vec![low("Acme")]);
    config["webhooks"] = json!([
        {"type": "feishu", "name": "night shift", "url": format!("{}/bad", server.url())},
        {"type": "custom", "url": format!("{}/good", server.url())},
    ]);
    let run = Program::check_json(&config).run().expect(75);
    let report = run.report();
    assert_eq!(report["deliveries"][0]["channel"], "night shift");
    assert_eq!(report["deliveries"][0]["status"], "failed");
    assert_eq!(report["deliveries"][0]["owed"], 1);
    assert_eq!(report["deliveries"][1]["channel"], "custom");
    assert_eq!(report["deliveries"][1]["status"], "sent");
    assert_eq!(report["deliveries"][1]["owed"], 0);
    let alert = &project(&report, "Acme")["alerts"][0];
    assert_eq!((&alert["status"], &alert["owed_to"]), (&json!("sent"), &json!(["night shift"])));
}

// ---- splitting ---------------------------------------------------------------------------

/// The size that a service counts, and its limit.
fn measured(channel: &str, request: &Request) -> (usize, usize) {
    let body = request.json();
    match (channel, body["msgtype"].as_str()) {
        ("wecom", Some("text")) => (body["text"]["content"].as_str().unwrap().len(), 2048),
        ("wecom", Some("markdown")) => (body["markdown"]["content"].as_str().unwrap().len(), 4096),
        ("dingtalk", _) => (request.body.len(), 20_000),
        _ => (request.body.len(), 20 * 1024),
    }
}

#[test]
fn a_long_message_is_split_and_every_alert_is_told_once() {
    // Three and four bytes a character, so that a cut in the middle of one would show.
    let long = "余额告警🔔".repeat(9);
    let names: Vec<_> = (0..150).map(|n| format!("acct{n:03}x{long}")).collect();
    for (channel, form) in FORMS {
        let server = Server::start(|_| accepted());
        let mut config = alerting(channel, &server.url());
        config["webhook"]["format"] = json!(form);
        config["projects"] = names.iter().map(|name| low(name)).collect();
        config["webhook"]["secret"] = json!("the-secret");
        let run = Program::check_json(&config).run();
        assert_eq!(run.code(), 2, "{channel}: {run}");
        let requests = server.requests();
        assert!(requests.len() > 1, "{channel} is split");
        for request in &requests {
            let (size, limit) = measured(channel, request);
            assert!(size <= limit, "{channel}: {size} of {limit}");
            match channel {
                "feishu" => feishu_signature_is_right(&request.json(), "the-secret"),
                "dingtalk" => dingtalk_signature_is_right(request, "the-secret"),
                _ => {}
            }
        }
        let texts: Vec<_> = requests.iter().map(|request| all_text(&request.json())).collect();
        for (at, text) in texts.iter().enumerate() {
            let number = format!("low ({}/{})", at + 1, texts.len());
            assert!(
                text.contains(&number),
                "{channel} {form}: {number} in {}",
                text.lines().next().unwrap_or_default()
            );
        }
        for name in &names {
            let token = name.split_once('x').unwrap().0;
            let in_messages = texts.iter().filter(|text| text.contains(token)).count();
            assert_eq!(in_messages, 1, "{channel}: {token}");
        }
        let delivery = run.delivery();
        assert_eq!(delivery["alerts"], 150, "{channel}");
        assert_eq!(delivery["status"], "sent", "{channel}");
    }
}

#[test]
fn a_short_message_is_one_message() {
    for channel in POSTING {
        let server = Server::start(|_| accepted());
        let mut config = alerting(channel, &server.url());
        config["projects"] = (0..5).map(|n| low(&format!("acct{n}"))).collect();
        let run = Program::check_json(&config).run().expect(2);
        assert_eq!(server.hits(), 1, "{channel}");
        assert!(!server.only_request().text().contains("(1/1)"), "{channel}");
        assert_eq!(run.delivery()["alerts"], 5, "{channel}");
    }
}

#[test]
fn when_a_part_is_refused_the_delivery_has_failed() {
    let server = Server::sequence(vec![accepted(), Reply::ok(r#"{"errcode":93000,"errmsg":"no"}"#)]);
    let mut config = alerting("wecom", &server.url());
    let names = (0..150).map(|n| low(&format!("an-account-with-a-long-name-{n}-{}", "x".repeat(60))));
    config["projects"] = names.collect();
    let run = Program::check_json(&config).run().expect(75);
    assert_eq!(run.delivery()["status"], "failed", "{run}");
}

#[test]
fn a_size_bomb_of_a_name_still_fits() {
    for (channel, form) in FORMS {
        let server = Server::start(|_| accepted());
        let mut config = alerting(channel, &server.url());
        config["webhook"]["format"] = json!(form);
        config["projects"][0]["owner_project"] = json!("爆".repeat(30_000));
        Program::check(&config).run().expect(2);
        for request in server.requests() {
            let (size, limit) = measured(channel, &request);
            assert!(size <= limit, "{channel}: {size} of {limit}");
        }
        assert!(all_text(&server.requests()[0].json()).contains("Acme"), "{channel}");
    }
}

// ---- what a name cannot do ---------------------------------------------------------------

/// Mentions, links, layout, quotes, controls and characters that turn the direction of text.
const HOSTILE: &str = "Evil @all <at user_id=\"all\">所有人</at> <at id=all></at> <@all> [click](http://evil.test/x) \"quoted\" back\\slash\n# head\r\n> quote `code` **bold** | \u{202e}gnp\u{2066}\u{200b}\u{feff}\u{1b}[31m\u{7}";

fn has_invisible(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
            || (c.is_control() && c != '\n')
    })
}

/// Every object in a JSON value that has a `tag`.
fn tags(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| tags(item, into)),
        Value::Object(fields) => {
            into.extend(fields.get("tag").and_then(Value::as_str).map(String::from));
            fields.values().for_each(|item| tags(item, into));
        }
        _ => {}
    }
}

fn assert_harmless(channel: &str, body: &Value) {
    let text = all_text(body);
    assert!(text.contains("Evil"), "{channel}: the alert is still there: {text}");
    assert!(!has_invisible(&text), "{channel}: no invisible characters: {text:?}");
    assert!(
        !text.lines().any(|line| line.starts_with("# head") || line.starts_with("> quote")),
        "{channel}: one line stays one line: {text}"
    );
    let kind = body["msg_type"].as_str().or(body["msgtype"].as_str()).unwrap();
    if kind == "markdown" {
        assert!(!text.contains("](http"), "{channel}: no forged link: {text}");
        assert!(!text.contains("**bold**") && !text.contains("`code`"), "{channel}: no forged style: {text}");
    }
    match channel {
        "feishu" => {
            let mut found = Vec::new();
            tags(body, &mut found);
            // The `text` tag of a `post` and the `plain_text` of a card are literal. No other one may hold a text.
            let literal = ["text", "plain_text", "div", "note"];
            assert!(found.iter().all(|tag| literal.contains(&tag.as_str())), "{found:?}");
        }
        "dingtalk" => {
            let at = &body["at"];
            assert_ne!(at["isAtAll"], true, "{body}");
            for list in ["atMobiles", "atUserIds"] {
                assert!(at[list].as_array().is_none_or(Vec::is_empty), "{body}");
            }
        }
        _ => {
            assert!(!text.contains("<@"), "no mention: {text}");
            for list in ["mentioned_list", "mentioned_mobile_list"] {
                assert!(!body.to_string().contains(list), "{body}");
            }
        }
    }
}

#[test]
fn a_hostile_name_is_harmless_in_every_channel() {
    for language in ["en", "zh"] {
        for (channel, form) in FORMS {
            let server = Server::start(|_| accepted());
            let mut config = alerting(channel, &server.url());
            config["webhook"]["format"] = json!(form);
            config["settings"]["language"] = json!(language);
            config["projects"] = json!([low(HOSTILE), low("Plain")]);
            config["projects"][1]["owner_project"] = json!(HOSTILE);
            Program::check(&config).run().expect(2);
            assert_harmless(channel, &server.only_request().json());
        }
    }
}

#[test]
fn a_hostile_name_stays_a_string_in_custom() {
    let server = Server::start(|_| Reply::ok(""));
    let mut config = alerting("custom", &server.url());
    config["projects"] = json!([low(HOSTILE)]);
    Program::check(&config).run().expect(2);
    let body = server.only_request().json();
    assert!(body["Resources"][0]["ProjectName"].as_str().unwrap().contains("Evil"));
    assert_eq!(body.as_object().unwrap().len(), 7, "no new field: {body}");
}

#[test]
fn a_hostile_name_is_harmless_on_a_terminal() {
    let mut config = config(vec![low(HOSTILE), fine("Fine")]);
    config["webhook"] = json!({"type": "console"});
    let run = Program::check(&config).run().expect(2);
    for text in [&run.stdout, &run.stderr] {
        assert!(text.contains("Evil"), "{run}");
        assert!(!has_invisible(text), "{run}");
        assert!(!text.lines().any(|line| line.starts_with("# head")), "{run}");
    }
    for format in ["table", "nagios"] {
        let run = Program::check(&config).args(["--output", format]).run();
        assert!(!has_invisible(&run.stdout), "{format}: {run}");
    }
}

#[test]
fn a_currency_from_outside_is_harmless_too() {
    for channel in ["feishu", "dingtalk", "wecom"] {
        let server = Server::start(|request| {
            if request.method == "POST" && request.path() == "/hook" {
                return accepted();
            }
            let currency = json!(HOSTILE);
            Reply::ok(format!(
                r#"{{"Code":"200","Success":true,"Data":{{"AvailableAmount":"5","Currency":{currency}}}}}"#
            ))
        });
        let mut config = alerting(channel, &format!("{}/hook", server.url()));
        config["projects"] = json!([account("Evil", "aliyun", &server.url())]);
        let run = Program::check_json(&config).run();
        // To refuse such a currency is as good as to show it harmlessly.
        let requests = server.requests();
        match requests.iter().find(|request| request.path() == "/hook") {
            Some(request) => assert_harmless(channel, &request.json()),
            None => assert_eq!(project(&run.report(), "Evil")["status"], "failed", "{run}"),
        }
    }
}

// ---- languages ---------------------------------------------------------------------------

fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}

#[test]
fn the_language_decides_the_words() {
    for channel in POSTING {
        for (language, chinese) in [(None, false), (Some("en"), false), (Some("zh"), true)] {
            let server = Server::start(|_| accepted());
            let mut config = alerting(channel, &server.url());
            if let Some(language) = language {
                config["settings"]["language"] = json!(language);
            }
            Program::check(&config).run().expect(2);
            let body = server.only_request().json();
            let text = all_text(&body);
            assert_eq!(text.contains(is_chinese), chinese, "{channel} in {language:?}: {text}");
            assert!(text.contains("Acme"), "{channel} in {language:?}: {text}");
        }
    }
}

#[test]
fn an_amount_is_told_in_full() {
    let server = Server::start(|request| match request.method.as_str() {
        "POST" => accepted(),
        _ => Reply::ok(uniapi_body("\"1,234,567.891\"")),
    });
    let mut config = alerting("custom", &server.url());
    config["projects"] = json!([account("Big", "uniapi", &server.url())]);
    config["projects"][0]["threshold"] = json!(2_000_000);
    Program::check(&config).run().expect(2);
    let requests = server.requests();
    let alert = requests.iter().find(|request| request.method == "POST").unwrap().json();
    assert_eq!(alert["Resources"][0]["CurrentValue"], 1_234_567.891);
    assert_eq!(alert["Resources"][0]["Threshold"], 2_000_000);
}

#[test]
fn a_channel_that_refuses_for_good_is_not_asked_for_every_part() {
    let server = Server::start(|_| Reply::status(403, "{}"));
    let mut config = alerting("wecom", &server.url());
    config["projects"] = (0..150).map(|n| low(&format!("account-{n:03}"))).collect();
    let run = Program::check_json(&config).run().expect(75);
    // A second one shows that it is not about what the first one holds.
    assert_eq!(server.hits(), 2, "{run}");
    let message = run.delivery()["error"]["message"].as_str().unwrap().to_string();
    assert!(message.starts_with("message 1 of "), "{message}");
}

/// A page of the user's own for which each alert is a message.
fn page_of_single_alerts(url: &str) -> Value {
    let mut config = alerting("custom", url);
    config["channels"] = json!([{
        "id": "own", "title": "Own", "markup": "none", "per": "alert", "body": "{t: .text}", "verdict": "true",
        "fields": {"url": {"about": "The address.", "type": "url"}}, "request": {"url": "{url}"},
    }]);
    config["webhook"] = json!({"type": "own", "url": url});
    config["projects"] = (0..5).map(|n| low(&format!("account-{n}"))).collect();
    config
}

#[test]
fn one_poisoned_message_owes_only_itself() {
    let poisoned = |request: &Request| String::from_utf8_lossy(&request.body).contains("account-1");
    for status in [200, 400, 404, 413, 422] {
        let server = Server::start(move |request| match poisoned(request) {
            true => Reply::status(status, r#"{"ok": false}"#),
            false => accepted(),
        });
        let mut config = page_of_single_alerts(&server.url());
        config["channels"][0]["verdict"] = json!("if .body.ok == false then {repeat: \"never\"} else true end");
        let run = Program::check_json(&config).run().expect(75);
        assert_eq!(server.hits(), 5, "HTTP {status}: {run}");
        assert_eq!(run.delivery()["owed"], 1, "HTTP {status}: {run}");
    }
    for (field, code) in [
        ("body", json!("if .alerts[0].project == \"account-1\" then error(\"x\") else {t: .text} end")),
        (
            "limits",
            json!([{"most": 9000, "unit": "bytes", "of": "if .t | contains(\"account-1\") then {} else .t end"}]),
        ),
    ] {
        let server = Server::start(|_| accepted());
        let mut config = page_of_single_alerts(&server.url());
        config["channels"][0][field] = code;
        let run = Program::check_json(&config).run().expect(75);
        assert_eq!(server.hits(), 4, "{field}: {run}");
        assert_eq!(run.delivery()["owed"], 1, "{field}: {run}");
    }
}

#[test]
fn secrets_in_expressions_are_not_shown() {
    let (written, brought) = ("k3y9d8f7s6a5d4f3", "Bq8Rt61MnWc5Vp9K");
    let server = Server::start(|request| Reply::status(400, String::from_utf8_lossy(&request.body).into_owned()));
    let body = format!("{{token: \"{written}\", other: \"${{FOR_BODY}}\", t: .text}}");
    let mut custom = alerting("custom", &server.url());
    custom["webhook"]["body"] = json!(body);
    custom["webhook"]["accept"] = json!("error(\"${FOR_BODY}\")");
    let mut own = page_of_single_alerts(&server.url());
    own["channels"][0]["body"] = json!(body);
    for config in [custom, own] {
        for is_dry in [true, false] {
            let program = Program::check_json(&config).env("FOR_BODY", brought);
            let run = if is_dry { program.args(["--dry-run"]).run() } else { program.run() };
            for secret in [written, brought] {
                assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "dry run {is_dry}: {run}");
            }
        }
    }
}

// ---- every page of the catalogue -----------------------------------------------------------

/// The types of the pages that come with the program, each with the keys that a webhook of it needs to post to a server.
fn pages(url: &str) -> Vec<(String, Value)> {
    let schema: Value = serde_json::from_str(&Program::new(["schema"]).run().expect(0).stdout).unwrap();
    let types = schema.pointer("/definitions/RawWebhook/properties/type/anyOf/0/enum").unwrap().as_array().unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/notify/channel/catalog");
    let page = |id: &str| -> Value {
        serde_yaml::from_str(&std::fs::read_to_string(folder.join(format!("{id}.yaml"))).unwrap()).unwrap()
    };
    let ids = types.iter().filter_map(Value::as_str).filter(|id| !["console", "email", "exec"].contains(id));
    ids.map(|id| {
        let mut webhook = json!({"type": id, "name": id});
        for (name, field) in page(id)["fields"].as_object().unwrap() {
            // A host that is fixed can be replaced; what has another default stays.
            let is_address = name == "url" || name == "base_url" || field["type"] == "url";
            let is_needed = field["required"] != json!(false) && field["default"].is_null();
            if is_address {
                webhook[name] = json!(url);
            } else if is_needed {
                let first = field["values"][0].as_str().map(str::to_owned);
                webhook[name] = match field["type"].as_str() {
                    Some("number") => json!(7),
                    Some("flag") => json!(true),
                    _ => json!(first.unwrap_or_else(|| format!("{id}-{name}-s3cr3t-0123456789"))),
                };
            }
        }
        (id.to_owned(), webhook)
    })
    .collect()
}

/// A config with one low account and all pages at one server.
fn all_pages(url: &str) -> (Value, usize) {
    let pages = pages(url);
    let mut config = config(vec![low("Acme")]);
    config["webhooks"] = pages.iter().map(|(_, webhook)| webhook.clone()).collect();
    config["settings"]["max_retries"] = json!(0);
    (config, pages.len())
}

#[test]
fn every_page_takes_no_answer_for_a_success_that_does_not_say_so_and_repeats_no_secret() {
    for (status, body) in [(200, "<!doctype html><title>Log in</title>"), (500, "{}"), (403, "no"), (429, "{}")] {
        // The service repeats what it was sent.
        let server = Server::start(move |request| {
            let sent = format!("{body} {} {}", request.target, String::from_utf8_lossy(&request.body));
            Reply::status(status, if status == 200 { body.to_owned() } else { sent })
        });
        let (config, count) = all_pages(&server.url());
        let run = Program::check_json(&config).run().expect(75);
        let deliveries = run.report()["deliveries"].as_array().unwrap().clone();
        assert_eq!((deliveries.len(), server.hits()), (count, count), "{status}: {run}");
        for delivery in deliveries {
            assert_eq!(delivery["status"], "failed", "{status} {body}: {delivery}");
            assert!(!run.stdout.contains("-s3cr3t-") && !run.stderr.contains("-s3cr3t-"), "{run}");
        }
    }
}

#[test]
fn every_page_meets_a_receiver_that_breaks() {
    // A refused connection is a failure, and what went out without an answer is not known.
    for (reply, status) in [(None, "failed"), (Some(Reply::close()), "unknown")] {
        let server = Server::start(move |_| reply.clone().unwrap_or_else(|| Reply::ok("")));
        let url = if status == "failed" { "http://127.0.0.1:9".to_owned() } else { server.url() };
        let (config, count) = all_pages(&url);
        let run = Program::check_json(&config).run().expect(75);
        let deliveries = run.report()["deliveries"].as_array().unwrap().clone();
        assert_eq!(deliveries.len(), count);
        assert!(deliveries.iter().all(|delivery| delivery["status"] == status), "{status}: {run}");
    }
}
