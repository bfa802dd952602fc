//! Which service a webhook's address belongs to, what a custom receiver's answer says, and what is said of channels that are
//! missing or cannot work.

use crate::support::{Program, Reply, Server, config, fine, low};
use serde_json::{Value, json};

fn validate(webhook: Value) -> crate::support::Finished {
    let mut config = config(vec![low("A")]);
    config["webhook"] = webhook;
    let program = Program::new(["validate", "--config", "config.yaml"]);
    program.file("config.yaml", &config.to_string()).run()
}

#[test]
fn the_address_of_a_known_service_decides_the_type() {
    for (url, kind) in [
        ("https://open.feishu.cn/open-apis/bot/v2/hook/x-y-z", "feishu"),
        ("https://open.larksuite.com/open-apis/bot/v2/hook/x-y-z", "feishu"),
        ("https://OAPI.dingtalk.com/robot/send?access_token=x", "dingtalk"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=x", "wecom"),
        ("https://hooks.slack.com/services/T/B/x", "slack"),
        ("https://discord.com/api/webhooks/1/x", "discord"),
        ("https://discordapp.com/api/v10/webhooks/1/x", "discord"),
        ("https://chat.googleapis.com/v1/spaces/x/messages?key=k", "google_chat"),
        ("https://alerts.example/feishu", "custom"),
        ("https://open.feishu.cn.example/hook", "custom"),
    ] {
        let run = validate(json!({"url": url})).expect(0);
        assert!(run.stdout.contains(&format!("alerts go to {kind} at ")), "{url}: {run}");
        let mut config = config(vec![low("A")]);
        config["settings"]["language"] = json!("en");
        let program = Program::check_json(&config).args(["--dry-run"]).env("WEBHOOK_URL", url);
        assert_eq!(program.run().expect(2).delivery()["channel"], kind, "{url} in the variable");
    }
}

#[test]
fn a_type_that_contradicts_the_address_is_an_error() {
    for (url, kind, owner) in [
        ("https://open.feishu.cn/open-apis/bot/v2/hook/x", "custom", "feishu"),
        ("https://open.feishu.cn/open-apis/bot/v2/hook/x", "wecom", "feishu"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=x", "dingtalk", "wecom"),
        ("https://oapi.dingtalk.com/robot/send?access_token=x", "custom", "dingtalk"),
        ("https://hooks.slack.com/services/T/B/x", "custom", "slack"),
    ] {
        let run = validate(json!({"type": kind, "url": url})).expect(78);
        let said =
            format!("`type` is `{kind}`, but an address at `{}` belongs to `{owner}`", url.split('/').nth(2).unwrap());
        assert!(run.stderr.contains(&said) && run.stderr.contains(&format!("write `type: {owner}`")), "{run}");
    }
    // A gateway of one's own may speak for a service.
    validate(json!({"type": "feishu", "url": "https://gateway.example/feishu"})).expect(0);
}

#[test]
fn a_chat_that_would_not_show_the_message_is_warned_of() {
    for (url, name) in [
        ("https://acme.webhook.office.com/webhookb2/x", "Microsoft Teams"),
        ("https://api.telegram.org/bot1:x/sendMessage", "Telegram"),
    ] {
        let run = validate(json!({"url": url})).expect(0);
        assert!(run.stderr.contains(&format!("belongs to {name}")), "{run}");
    }
    // A workflow of Slack takes any JSON.
    let run = validate(json!({"url": "https://hooks.slack.com/triggers/T/1/x"})).expect(0);
    assert!(!run.stderr.contains("belongs to Slack"), "{run}");
}

#[test]
fn a_refusal_with_status_200_is_no_delivery_unless_accept_takes_it() {
    for (body, accept, code) in [
        (r#"{"success":false,"message":"no such room"}"#, None, 75),
        (r#"{"success":false,"message":"no such room"}"#, Some(".message != null"), 2),
        ("<!doctype html><title>Log in</title>", None, 75),
        (r#"{"state":"queued"}"#, None, 2),
        (r#"{"state":"dropped"}"#, Some(r#".state == "queued""#), 75),
    ] {
        let hook = Server::start(move |_| Reply::ok(body));
        let mut config = config(vec![low("A")]);
        config["webhook"] = json!({"url": hook.url()});
        if let Some(accept) = accept {
            config["webhook"]["accept"] = json!(accept);
        }
        let program = Program::check_json(&config);
        let run = program.clone().run().expect(code);
        assert_eq!(hook.hits(), 1, "a refusal is definitive: {run}");
        program.run().expect(code);
        assert_eq!(hook.hits(), if code == 75 { 2 } else { 1 }, "what was refused is still owed");
    }
}

#[test]
fn nobody_to_tell_is_said_whatever_the_level_of_the_log() {
    for (account, code, is_said) in [(low("A"), 2, true), (fine("A"), 0, false), (crate::support::broken("A"), 3, true)]
    {
        for variables in
            [[("LOG_LEVEL", "error"), ("LOG_FORMAT", "text")], [("LOG_LEVEL", "error"), ("LOG_FORMAT", "json")]]
        {
            let mut program = Program::check(&config(vec![account.clone()])).args(["--quiet"]);
            for (name, value) in variables {
                program = program.env(name, value);
            }
            let run = program.run().expect(code);
            assert_eq!(run.stderr.contains("nobody is told of it"), is_said, "{run}");
        }
    }
    let mut console = config(vec![low("A")]);
    console["webhook"] = json!({"type": "console"});
    assert!(!Program::check(&console).run().expect(2).stderr.contains("nobody is told"));
}

#[test]
fn a_channel_that_cannot_work_is_said_before_it_is_needed() {
    let mut config = config(vec![fine("A")]);
    config["webhooks"] = json!([{"name": "team", "url": "${NO_SUCH_HOOK}"}, {"name": "console", "type": "console"}]);
    let program = Program::check(&config);
    for _ in 0..2 {
        let run = program.clone().run().expect(0);
        assert!(
            run.stderr.contains("no alert can be sent through `team`") && run.stderr.contains("NO_SUCH_HOOK"),
            "{run}"
        );
    }
    let path = program.path("config.yaml").display().to_string();
    let health = program.instead(["health", "--config", &path]).run().expect(3);
    assert!(health.stdout.contains("cannot send through team"), "{health}");
    program.clone().env("NO_SUCH_HOOK", "http://127.0.0.1:9/").run().expect(0);
    program.instead(["health", "--config", &path]).run().expect(0);
}
