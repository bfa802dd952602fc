//! `balance-alert providers`: search, one service described, one account tried, and a page checked.

use crate::support::{Program, Reply, Server};
use serde_json::Value;

const PAGE: &str = r#"id: acme
title: Acme
kind: balance
currency: USD
request:
  url: https://api.acme.example/v1/users/{options.team}/wallet
  query: { full: "1" }
  headers: { Authorization: "Bearer {api_key}" }
options:
  team: { description: the number of the team }
error: 'if .ok == false then .why else null end'
balance: .wallet.left
total: .wallet.total
"#;

const BODY: &str = r#"{"ok": true, "wallet": {"left": 74321.75, "total": "98,765.40"}, "owner": "Jane Doe",
    "mail": "jane@corp.example", "id": 4711081599, "jane@corp.example": 5}"#;

fn tried<const N: usize>(server: &Server, more: [&str; N]) -> Program {
    let program = Program::new(["providers", "try", "acme", "--page", "page.yaml", "--option", "team=4711081599"]);
    program.args(["--base-url", &server.url()]).args(more).file("page.yaml", PAGE)
}

#[test]
fn a_word_finds_services_and_one_is_described() {
    let found = Program::new(["providers", "--search", "zhipu"]).run().expect(0);
    assert!(found.stdout.contains("zhipu-balance") && found.stdout.lines().count() < 10, "{found}");
    let json = Program::new(["providers", "--search", "openrouter", "-o", "json"]).run().expect(0);
    let json: Vec<Value> = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json[0]["id"], "openrouter");
    let none = Program::new(["providers", "--search", "qzjxqzjx"]).run().expect(0);
    assert!(none.stderr.contains("docs/own-provider.md") && !none.stderr.contains("qzjx"), "{none}");
    let one = Program::new(["providers", "openrouter"]).run().expect(0);
    for part in ["provider: openrouter", "${OPENROUTER_API_KEY}", "Credential: a key", "Documentation: https://"] {
        assert!(one.stdout.contains(part), "{part}: {one}");
    }
    let absent = Program::new(["providers", "together"]).run().expect(0);
    assert!(absent.stdout.contains("cannot be read") && absent.stdout.contains("Instead: "), "{absent}");
    let unknown = Program::new(["providers", "openrooter"]).run().expect(64);
    assert!(unknown.stderr.contains("did you mean `openrouter`?"), "{unknown}");
}

#[test]
fn an_unknown_provider_of_a_config_names_what_may_be_meant_and_how_to_write_a_page() {
    for (provider, parts) in [
        ("deepsek", vec!["did you mean `deepseek`?"]),
        ("openai", vec!["`openai-costs`", "no API tells the balance of `openai-balance`", "docs/own-provider.md"]),
        ("acme-cloud-of-mine", vec!["docs/own-provider.md"]),
    ] {
        let config = format!("projects: [{{ name: A, provider: {provider}, threshold: 1, api_key: k-0123456789 }}]");
        let run = Program::new(["validate", "--config", "config.yaml"]).file("config.yaml", &config).run().expect(78);
        for part in parts {
            assert!(run.stderr.contains(part), "{provider}, {part}: {run}");
        }
    }
}

#[test]
fn the_entry_of_every_described_service_is_a_config() {
    let list = Program::new(["providers", "-o", "json"]).run().expect(0);
    let list: Vec<Value> = serde_json::from_str(&list.stdout).unwrap();
    let read = list.iter().filter(|page| page["meter"] == "api").map(|page| page["id"].as_str().unwrap());
    // A few of each form of a credential.
    for id in read
        .filter(|id| ["openrouter", "aliyun", "twilio", "newapi-token", "openai-costs", "exec", "file"].contains(id))
    {
        let shown = Program::new(["providers", id]).run().expect(0);
        let entry = shown.stdout.split_once("An entry for the config:\n\n").unwrap().1.replace(": ...", ": x");
        let mut program = Program::new(["validate", "--config", "config.yaml"]).file("config.yaml", &entry);
        for name in entry.split("${").skip(1).map(|rest| rest.split_once('}').unwrap().0.to_owned()) {
            program = program.env(&name, "0123456789ab:cdef0123456789");
        }
        program.run().expect(0);
    }
}

#[test]
fn a_trial_shows_what_was_asked_and_the_shape_of_what_came_back() {
    let server = Server::start(|_| Reply::ok(BODY));
    let run = tried(&server, []).env("ACME_API_KEY", "qzjx-SECRET-KEY-4711").run().expect(0);
    let request = server.only_request();
    assert_eq!(request.header("authorization"), Some("Bearer qzjx-SECRET-KEY-4711"));
    for part in [
        "asked: GET http://127.0.0.1:",
        "/v1/users/…/wallet?full=…",
        "headers: authorization",
        "came back: HTTP 200",
        ".wallet.left: number",
        ".wallet.total: number as text",
        ".owner: text",
        ".key: number",
        "balance: .wallet.left",
        "total: .wallet.total",
    ] {
        assert!(run.stdout.contains(part), "{part}: {run}");
    }
    assert!(run.stdout.contains("74321.75") || run.stdout.contains("74,321.75"), "what was read is shown: {run}");
    for private in ["qzjx", "Jane", "corp.example", "4711081599"] {
        assert!(!run.stdout.contains(private) && !run.stderr.contains(private), "{private}: {run}");
    }
    let shown = tried(&server, ["--show-body", "--key-env", "-"]).stdin("qzjx-SECRET-KEY-4711\n").run().expect(0);
    assert!(shown.stdout.contains("Jane Doe") && !shown.stdout.contains("qzjx"), "{shown}");
}

#[test]
fn a_trial_writes_an_example_that_the_page_reads() {
    let server = Server::start(|_| Reply::ok(BODY));
    let run = tried(&server, ["--fixture", "--key-env", "KEY"]).env("KEY", "qzjx-SECRET-KEY-4711").run().expect(0);
    let example = run.stdout.split_once("examples:\n").unwrap().1;
    for private in ["qzjx", "Jane", "corp.example", "4711081599", "74321.75", "98,765.40"] {
        assert!(!example.contains(private), "{private}: {example}");
    }
    let page = format!("{PAGE}examples:\n{example}");
    let lint = Program::new(["providers", "lint", "page.yaml"]).file("page.yaml", &page).run().expect(0);
    assert!(lint.stdout.contains("1 page without a mistake, 1 example as expected"), "{lint}\n{example}");
}

#[test]
fn a_trial_that_reads_nothing_says_why() {
    let refused = Server::start(|_| Reply::status(401, r#"{"ok": false, "why": "no such key"}"#));
    let run = tried(&refused, []).env("ACME_API_KEY", "qzjx-SECRET-KEY-4711").run().expect(3);
    assert!(run.stdout.contains("read: nothing (auth)") && run.stdout.contains("came back: HTTP 401"), "{run}");
    let unset = tried(&refused, []).run().expect(64);
    assert!(unset.stderr.contains("`ACME_API_KEY` is not set"), "{unset}");
    let absent = Program::new(["providers", "try", "together"]).run().expect(78);
    assert!(absent.stderr.contains("cannot be read"), "{absent}");
    Program::new(["providers", "try", "no-such-service"]).run().expect(64);
    let lacks = Program::new(["providers", "try", "acme", "--page", "page.yaml"]).file("page.yaml", PAGE);
    let lacks = lacks.env("ACME_API_KEY", "qzjx-SECRET-KEY-4711").run().expect(78);
    assert!(lacks.stderr.contains("needs the option `team`"), "{lacks}");
}

#[test]
fn a_page_is_checked_with_all_of_its_mistakes_at_once() {
    let page = r#"id: Acme
title: Acme
kind: balance
currency: USD
unit: points
colour: red
request:
  url: ftp://api.acme.example/v1/{options.nothing}
  headers: { "bad name": x }
rate_limit: often
min_interval: soon
error: .a |
balance: .b |
total: .c |
unlimited: .d |
"#;
    let run = Program::new(["providers", "lint", "page.yaml"]).file("page.yaml", page).run().expect(78);
    for part in [
        "page.yaml:1:",
        "`id` must be made of",
        "page.yaml:5:",
        "set only one of `currency` and `unit`",
        "page.yaml:6:1: colour: unknown field `colour`",
        "`url` ",
        "`{options.nothing}` is not a declared option",
        "is not the name of a header",
        "`rate_limit` ",
        "`min_interval` is no span",
        "page.yaml:12:",
        "page.yaml:13:",
        "page.yaml:14:",
        "page.yaml:15:",
    ] {
        assert!(run.stderr.contains(part), "{part}: {run}");
    }
    let lacking = "id: acme\ntitle: Acme\nkind: balance\nscale: 0\n";
    let run = Program::new(["providers", "lint", "-"]).stdin(lacking).run().expect(78);
    for part in ["`request` is missing", "`balance` is missing", "`scale` must be more than 0"] {
        assert!(run.stderr.contains(part), "{part}: {run}");
    }
    let wrong =
        format!("{PAGE}examples: [{{ name: ok, options: {{ team: x }}, body: '{{}}', expect: {{ balance: '5' }} }}]\n");
    for text in [wrong.clone(), format!("- {}", wrong.trim_end().replace('\n', "\n  ")), in_config(&wrong)] {
        let run = Program::new(["providers", "lint", "page.yaml"]).file("page.yaml", &text).run().expect(78);
        assert!(run.stderr.contains("example `ok` gives") && run.stderr.contains("1 problem"), "{text}: {run}");
    }
    let bare = Program::new(["providers", "lint", "page.yaml"]).file("page.yaml", PAGE).run().expect(0);
    assert!(bare.stderr.contains("it has no examples"), "{bare}");
}

fn in_config(page: &str) -> String {
    format!("providers:\n  - {}\nprojects: []\n", page.trim_end().replace('\n', "\n    "))
}
