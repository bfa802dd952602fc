//! Credentials that go to another machine in the clear: a warning until `allow_insecure` says that it is meant, never a refusal.

use crate::support::proxy::Proxy;
use crate::support::{Program, Reply, Server, config, free_port, uniapi, uniapi_body};
use serde_json::{Value, json};

const GATEWAY: &str = "http://gateway.proxy.test:8080";

/// The warnings about what travels in the clear, of `validate`; the same ones must come from `check`.
#[track_caller]
fn warnings(config: &Value) -> Vec<String> {
    let program = Program::check_json(config).args(["--timeout", "1", "--dry-run"]);
    let of = |stderr: &str| -> Vec<String> {
        let lines = stderr.lines().filter(|line| line.contains("everybody on the way can read it"));
        lines.map(str::to_owned).collect()
    };
    let validated = program.instead(["validate", "--config", "config.yaml"]).run().expect(0);
    let checked = program.env("HTTP_PROXY", "").run();
    assert_eq!(of(&validated.stderr), of(&checked.stderr), "{validated}{checked}");
    of(&validated.stderr)
}

/// Every entry that can send a credential, each at its own host.
fn everything(host: impl Fn(&str) -> String) -> Value {
    let mut config = config(vec![uniapi("Account", &host("account"))]);
    config["webhooks"] = json!([
        {"name": "robot", "type": "feishu", "url": format!("{}/hook/LeakHookToken", host("robot"))},
        {"name": "with-login", "type": "custom", "url": host("login"), "auth": {"bearer": "LeakBearer"}},
        {"name": "with-token", "type": "custom", "url": format!("{}/in?token=LeakToken", host("token"))},
    ]);
    config["metrics"] = json!({"pushgateway": {"url": host("push"), "username": "u", "password": "LeakPassword"}});
    config["email"] = json!([{"name": "Mail", "host": "imap.example", "username": "u", "auth": "xoauth2",
        "oauth2": {"client_id": "c", "refresh_token": "LeakRefresh", "token_url": format!("{}/token", host("oauth"))}}]);
    config
}

fn allowed(mut config: Value) -> Value {
    config["projects"][0]["allow_insecure"] = json!(true);
    config["metrics"]["pushgateway"]["allow_insecure"] = json!("true");
    config["email"][0]["allow_insecure"] = json!(true);
    config["webhooks"].as_array_mut().unwrap().iter_mut().for_each(|hook| hook["allow_insecure"] = json!(true));
    config
}

#[test]
fn each_credential_that_travels_in_the_clear_is_warned_of_until_it_is_meant() {
    let config = everything(|name| format!("http://{name}.invalid"));
    let found = warnings(&config);
    for (what, host) in [
        ("the key of `Account`", "account"),
        ("the credential of the webhook `robot`", "robot"),
        ("the credential of the webhook `with-login`", "login"),
        ("the credential of the webhook `with-token`", "token"),
        ("the credential of `pushgateway`", "push"),
        ("the refresh token of `Mail`", "oauth"),
    ] {
        let want = format!("{what} goes to `http://{host}.invalid`, where");
        assert_eq!(found.iter().filter(|line| line.contains(&want)).count(), 1, "{want}: {found:#?}");
    }
    assert_eq!(found.len(), 6, "{found:#?}");
    assert!(!found.iter().any(|line| line.contains("Leak")), "{found:#?}");
    assert_eq!(warnings(&allowed(config)), [""; 0], "it is meant");
    assert_eq!(warnings(&everything(|name| format!("https://{name}.invalid"))), [""; 0], "TLS");
    let port = free_port();
    for near in ["127.0.0.1", "127.8.8.8", "localhost", "a.localhost", "[::1]", "[::ffff:127.0.0.1]"] {
        assert_eq!(warnings(&everything(|_| format!("http://{near}:{port}"))), [""; 0], "{near} is this machine");
    }
    for far in ["10.0.0.1", "gateway", "gateway.default.svc.cluster.local", "localhost.invalid", "[fd00::1]"] {
        assert!(!warnings(&everything(|_| format!("http://{far}:{port}"))).is_empty(), "{far} is another machine");
    }
}

#[test]
fn what_carries_no_credential_is_no_reason_to_warn() {
    let mut config = config(vec![crate::support::fine("File")]);
    config["webhooks"] = json!([
        {"name": "printed", "type": "console"},
    ]);
    config["metrics"] = json!({"pushgateway": {"url": "http://pushgateway.invalid:9091"}});
    config["providers"] = json!([{"id": "open", "title": "Open", "kind": "balance", "credential": {"format": "none"},
        "request": {"url": "http://open.invalid/balance"}, "balance": ".balance"}]);
    config["projects"].as_array_mut().unwrap().push(json!({"name": "Open", "provider": "open", "threshold": 1}));
    assert_eq!(warnings(&config), [""; 0]);
}

#[test]
fn whoever_reads_the_address_of_a_webhook_can_post_to_it() {
    let mut config = config(vec![crate::support::fine("File")]);
    config["webhooks"] = json!([
        {"name": "plain", "type": "custom", "url": "http://receiver.invalid/hook/abc"},
        {"name": "signed", "type": "custom", "url": "http://receiver.invalid/in", "secret": "never sent itself"},
    ]);
    let found = warnings(&config);
    let want = "the credential of the webhook `plain`, `signed` goes to `http://receiver.invalid`";
    assert!(found.len() == 1 && found[0].contains(want), "{found:#?}");
}

#[test]
fn the_password_of_a_database_is_a_credential_too() {
    let with = |url: &str, allow: bool| {
        let mut config = config(vec![crate::support::fine("File")]);
        config["state"] = json!({"url": url, "allow_insecure": allow});
        warnings(&config)
    };
    let open = "postgres://u:LeakWord@db.invalid/d?sslmode=disable";
    let found = with(open, false);
    let want = "the password of the database goes to `db.invalid:5432`, where";
    assert!(found.len() == 1 && found[0].contains(want) && found[0].contains("under `state`"), "{found:#?}");
    assert!(!found[0].contains("Leak"), "{found:#?}");
    let port = free_port();
    for (url, allow) in [
        (open, true),
        ("postgres://u:LeakWord@db.invalid/d", false),
        ("postgres://u@db.invalid/d?sslmode=disable", false),
        (&format!("postgres://u:LeakWord@127.0.0.1:{port}/d?sslmode=disable"), false),
    ] {
        assert_eq!(with(url, allow), [""; 0], "{url}");
    }
}

#[test]
fn many_accounts_of_one_gateway_are_one_warning_that_names_some() {
    let accounts = (0..200).map(|n| uniapi(&format!("A{n}"), GATEWAY)).collect();
    let found = warnings(&config(accounts));
    assert_eq!(found.len(), 1, "{found:#?}");
    let want = format!("the key of `A0`, `A1`, `A2` and 197 more goes to `{GATEWAY}`");
    assert!(found[0].contains(&want), "{found:#?}");
}

#[test]
fn a_page_of_the_users_own_is_looked_at_as_well() {
    let mut config = config(vec![]);
    config["providers"] = json!([{"id": "own", "title": "Own", "kind": "balance",
        "request": {"url": "http://own.invalid/balance", "headers": {"X-Key": "{api_key}"}}, "balance": ".balance"}]);
    config["projects"] = json!([{"name": "Own", "provider": "own", "api_key": "LeakKey", "threshold": 1}]);
    let found = warnings(&config);
    assert!(found.len() == 1 && found[0].contains("the key of `Own` goes to `http://own.invalid`"), "{found:#?}");
}

#[test]
fn it_is_a_warning_and_never_a_refusal() {
    let server = Server::start(|_| Reply::ok(uniapi_body("250.5")));
    let proxy = Proxy::to(server.port());
    let program = Program::check_json(&config(vec![uniapi("A", GATEWAY)])).env("HTTP_PROXY", &proxy.url());
    let run = program.run().expect(0);
    assert_eq!(run.stderr.matches("everybody on the way can read it").count(), 1, "{run}");
    assert_eq!(proxy.targets().len(), 1);
    // What would stay on this machine does not, where a proxy elsewhere is between.
    let mut near = config(vec![uniapi("A", "http://127.0.0.1:9")]);
    near["settings"]["max_retries"] = json!(0);
    let program = Program::new(["validate", "--config", "config.yaml"]).file("config.yaml", &near.to_string());
    let validated = program.env("HTTP_PROXY", "http://proxy.invalid:3128").run().expect(0);
    assert!(validated.stderr.contains("the key of `A` goes to `http://127.0.0.1:9`"), "{validated}");
}

#[test]
fn mailboxes_go_on_refusing() {
    let mut config = config(vec![]);
    config["email"] = json!([{"host": "imap.example", "username": "u", "password": "p", "security": "none"}]);
    let run = Program::check_json(&config).run().expect(78);
    assert!(run.stderr.contains("a password would travel in the clear, so this link is refused"), "{run}");
}
