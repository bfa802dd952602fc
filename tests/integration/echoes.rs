//! Peers that send secrets back, in every form, and secrets that stand where none belongs: nothing that leaves a run holds
//! one, and nothing that is none is torn apart.

use crate::support::crypto::{base64, hex};
use crate::support::http::Request;
use crate::support::{Finished, Program, Reply, Server, config, fine, low, project, uniapi};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

/// All that a run leaves behind: what it prints, writes, sends and keeps.
struct Left {
    run: Finished,
    texts: Vec<(&'static str, String)>,
}

/// Runs the same checks in every form of output, with every exit that there is.
fn everything(mut config: Value, prepare: impl Fn(Program) -> Program) -> Vec<Left> {
    let hook = Server::start(|_| Reply::ok("{}"));
    let push = Server::start(|_| Reply::status(202, ""));
    config["settings"]["failure_alert_after"] = json!(1);
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    config["metrics"] = json!({"pushgateway": {"url": push.url()}, "textfile": "metrics.prom"});
    let mut all = Vec::new();
    for (output, format) in [("table", "text"), ("json", "json"), ("prometheus", "text"), ("nagios", "json")] {
        let program = prepare(Program::check(&config)).args(["--output", output, "--state", "state.db", "--no-cache"]);
        let program = program.args(["--report", "markdown=report.md", "--report", "json=report.json", "-v"]);
        let program = program.env("LOG_FORMAT", format).env("LOG_LEVEL", "trace");
        let (asked, pushed) = (hook.hits(), push.hits());
        let run = program.clone().run();
        let read = |name: &str| String::from_utf8_lossy(&std::fs::read(program.path(name)).unwrap()).into_owned();
        let sent =
            |server: &Server, from: usize| server.requests()[from..].iter().map(Request::text).collect::<String>();
        let asks = |what: &str| {
            let answer = program.instead([what, "--state", "state.db", "--output", "json"]).run();
            answer.stdout + &answer.stderr
        };
        let texts = vec![
            ("standard output", run.stdout.clone()),
            ("standard error", run.stderr.clone()),
            ("the Markdown report", read("report.md")),
            ("the JSON report", read("report.json")),
            ("the textfile", read("metrics.prom")),
            ("the store", store(&program)),
            ("an alert", sent(&hook, asked)),
            ("the metrics", sent(&push, pushed)),
            ("`status`", asks("status")),
            ("`alerts`", asks("alerts")),
        ];
        for (what, text) in &texts {
            assert!(!text.is_empty(), "{what}: {run}");
        }
        all.push(Left { run, texts });
    }
    all
}

/// The store with all files beside it.
fn store(program: &Program) -> String {
    let files = std::fs::read_dir(program.path("")).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|file| file.file_name().unwrap().to_string_lossy().starts_with("state.db"));
    files.map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned()).collect()
}

impl Left {
    #[track_caller]
    fn expect_without(&self, what: &str, secret: &str) {
        for (place, text) in &self.texts {
            let seen: String = text.chars().filter(|c| !is_unseen(*c)).collect::<String>().to_lowercase();
            assert!(!seen.contains(&secret.to_lowercase()), "{what}: {secret:?} stands in {place}: {}", self.run);
        }
    }
}

fn is_unseen(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{300}'..='\u{36F}')
}

fn each(secret: &str, form: impl Fn(u32) -> String) -> String {
    secret.chars().map(|c| form(c as u32)).collect()
}

fn escaped(text: &str) -> String {
    json!(text).to_string().trim_matches('"').to_owned()
}

fn pieces(secret: &str, size: usize, separator: &str) -> String {
    secret.as_bytes().chunks(size).map(String::from_utf8_lossy).collect::<Vec<_>>().join(separator)
}

/// A form in which a peer sends a secret back.
type Echo = (&'static str, fn(&str) -> String);

const ECHOES: [Echo; 38] = [
    ("plain", str::to_owned),
    ("capitals", str::to_uppercase),
    ("zero-width", |s| each(s, |c| format!("{}\u{200B}", char::from_u32(c).unwrap()))),
    ("soft-hyphen", |s| each(s, |c| format!("{}\u{AD}", char::from_u32(c).unwrap()))),
    ("bidirectional", |s| each(s, |c| format!("{}\u{202E}", char::from_u32(c).unwrap()))),
    ("combining", |s| each(s, |c| format!("{}\u{301}", char::from_u32(c).unwrap()))),
    ("percent", |s| each(s, |c| format!("%{c:02X}"))),
    ("percent-twice", |s| each(s, |c| format!("%25{c:02x}"))),
    ("decimal", |s| each(s, |c| format!("&#{c};"))),
    ("hexadecimal-entities", |s| each(s, |c| format!("&#x{c:x};"))),
    ("named", |s| s.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")),
    ("json", escaped),
    ("json-twice", |s| escaped(&escaped(s))),
    ("code-points", |s| each(s, |c| format!("\\u{c:04x}"))),
    ("base64", |s| base64(s.as_bytes())),
    ("basic", |s| base64(format!("user:{s}").as_bytes())),
    ("base64-inside", |s| base64(format!("{{\"k\":\"{s}\",\"n\":1}}").as_bytes())),
    ("base64-for-addresses", |s| base64(s.as_bytes()).replace('+', "-").replace('/', "_").replace('=', "")),
    ("hexadecimal", |s| hex(s.as_bytes())),
    ("reversed", |s| s.chars().rev().collect()),
    ("octal", |s| each(s, |c| format!("\\{c:03o}"))),
    ("quoted-printable", |s| each(s, |c| format!("={c:02X}"))),
    ("bytes", |s| each(s, |c| format!("{c}, "))),
    ("bytes-hexadecimal", |s| each(s, |c| format!("0x{c:02x}, "))),
    ("inner", |s| format!("****{}****", &s[1..s.len() - 1])),
    ("dashes", |s| pieces(s, 4, "-")),
    ("tags", |s| pieces(s, 3, "<br>")),
    ("comments", |s| pieces(s, 2, "<!-- -->")),
    ("colours", |s| pieces(s, 2, "\u{1b}[31m")),
    ("colours-spelt", |s| pieces(s, 4, "\\e[31m")),
    ("quoted", |s| pieces(s, 8, "\n> ")),
    ("wrapped", |s| format!("{}\r\n    {}", &s[..9], &s[9..])),
    ("braces", |s| each(s, |c| format!("\\x{{{c:x}}}"))),
    ("rtf", |s| each(s, |c| format!("\\'{c:02x}"))),
    ("octal-bytes", |s| each(s, |c| format!("{c:o} "))),
    ("quoted-bytes", |s| each(s, |c| format!("'{c}',"))),
    ("character-sets", |s| pieces(s, 2, "\u{1b}(B")),
    ("tags-with-attributes", |s| pieces(s, 4, "<i data-x=\"a>b\">")),
];

fn key(case: &str) -> String {
    format!("sk-{case}/7<\"&+aB3dE5f")
}

/// A provider that shows what a service says.
fn talkative() -> Value {
    json!([{"id": "own", "title": "Own", "kind": "balance", "request": {"url": "https://own.example/balance",
        "headers": {"X-Key": "{api_key}"}}, "error": ".message", "balance": ".balance"}])
}

#[test]
fn no_form_of_a_key_that_comes_back_leaves_the_run() {
    let server = Server::start(|request| {
        let (case, form) = ECHOES.iter().find(|(case, _)| *case == request.case()).unwrap();
        Reply::status(401, json!({"message": format!("the key {} is bad", form(&key(case)))}).to_string())
    });
    let accounts = ECHOES.iter().map(|(case, _)| {
        json!({"name": case, "provider": "own", "api_key": key(case), "threshold": 1, "base_url": format!("{}/{case}", server.url())})
    });
    let mut config = config(accounts.collect());
    config["providers"] = talkative();
    for left in everything(config, |program| program) {
        for (case, form) in &ECHOES {
            left.expect_without(case, &key(case));
            let echo: String = form(&key(case)).chars().filter(|c| !is_unseen(*c)).collect();
            left.expect_without(case, &echo);
            left.expect_without(case, &key(case)[1..key(case).len() - 1]);
            left.expect_without(case, "aB3dE5f");
        }
        if left.run.stdout.starts_with('{') {
            for (case, _) in &ECHOES {
                let report = left.run.report();
                let message = project(&report, case)["error"]["message"].as_str().unwrap();
                assert!(
                    message.contains(": the key ") && message.contains("***") && message.ends_with(" is bad"),
                    "{case}: {message}"
                );
            }
        }
    }
}

#[test]
fn what_a_service_says_of_others_leaves_by_no_exit() {
    const SAID: [(&str, &str, &str); 8] = [
        ("bearer", "Authorization: Bearer Theirs1Abc9 was refused", "Bearer ... was refused"),
        ("token", "see https://x.example/reset?token=theirs&lang=en", "reset?token=...&lang=en"),
        // What stands before the host of an address is masked once more on its way out.
        ("login", "https://joe:theirs@db.example is down", "https://***@db.example is down"),
        ("mail", "user theirs.jones@corp.example is blocked", "user ... is blocked"),
        ("key", "did you mean sk-proj-Theirs7Rt9XvLm2Kc4?", "did you mean ...?"),
        ("name", "{\"secret\":\"theirs\"}", "{\"secret\":\"...\"}"),
        ("cookie", "Set-Cookie: sid=theirs; theme=dark", "Set-Cookie: ..."),
        ("path", "moved to /hook/theirs7f86d081884c7d659a2f/in", "moved to /hook/.../in"),
    ];
    let server = Server::start(|request| {
        let (_, said, _) = SAID.iter().find(|(case, ..)| *case == request.case()).unwrap();
        Reply::status(401, json!({"message": said}).to_string())
    });
    let accounts = SAID.iter().flat_map(|(case, ..)| {
        let account = |name: String, provider: &str| {
            json!({"name": name, "provider": provider, "api_key": "k-0123456789ab",
            "threshold": 1, "base_url": format!("{}/{case}", server.url())})
        };
        [account((*case).to_owned(), "own"), account(format!("{case} as advice"), "advising")]
    });
    let mut config = config(accounts.collect());
    let mut advising = talkative()[0].clone();
    advising["id"] = json!("advising");
    advising["error"] = json!("{message: \"no\", hint: .message}");
    config["providers"] = json!([talkative()[0], advising]);
    for left in everything(config, |program| program) {
        left.expect_without("what is theirs", "theirs");
        if left.run.stdout.starts_with('{') {
            let report = left.run.report();
            for (case, _, want) in SAID {
                let message = project(&report, case)["error"]["message"].as_str().unwrap();
                assert!(message.ends_with(want), "{case}: {message}");
                let hint = project(&report, &format!("{case} as advice"))["error"]["hint"].as_str().unwrap();
                assert!(hint.ends_with(want), "{case}: {hint}");
            }
        }
    }
}

#[test]
fn an_address_in_the_place_of_a_path_is_not_said() {
    let address = "https://user:LeakPass@files.example/LeakFolder/config.yaml?key=LeakKey";
    for program in [
        Program::new(["validate"]).env("CONFIG_PATH", address),
        Program::new(["validate", "--config", address]),
        Program::new(["check", "--config", address, "--output", "json"]),
    ] {
        let run = program.run();
        assert!(run.stderr.contains("https://files.example/..."), "{run}");
        assert!(!run.stderr.contains("Leak") && !run.stdout.contains("Leak"), "{run}");
    }
}

#[test]
fn a_key_in_the_place_of_a_path_or_a_word_is_not_said() {
    let key = "sk-proj-Zq7Rt9XvLm2Kc4PwYb8Ns6Hd";
    let own = config(vec![fine("Fine")]);
    for (program, code, want) in [
        (Program::new(["validate"]).env("CONFIG_PATH", key), 78, "it belongs in `api_key`"),
        (Program::new(["validate", "--config", key]), 78, "it belongs in `api_key`"),
        (Program::check(&own).env("SSL_CERT_FILE", key), 0, "`***` (it looks like a key) that SSL_CERT_FILE"),
        (Program::check(&own).env("SSL_CERT_DIR", &format!("/x/{key}")), 0, "`***` (it looks like a key)"),
        (
            Program::check(&own).env("BALANCE_ALERT_RUN_ID", key),
            0,
            "`BALANCE_ALERT_RUN_ID` is not used: it looks like a key",
        ),
        (Program::check(&own).env("LOG_LEVEL", "hunter2"), 0, "`LOG_LEVEL` holds another word"),
        (Program::check(&own).env("LOG_FORMAT", "abcdefghijklm"), 0, "`LOG_FORMAT` holds another word"),
    ] {
        let run = program.run().expect(code);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains(want), "{want}: {run}");
        assert!(!["Zq7Rt9", "hunter2", "abcdefghijklm"].iter().any(|secret| said.contains(secret)), "{want}: {run}");
    }
}

#[test]
fn a_key_that_is_short_or_a_word_is_masked_in_what_is_said_and_nowhere_else() {
    let server = Server::start(|request| {
        let key = request.header("x-key").unwrap();
        Reply::status(
            401,
            json!({"message": format!("bad key: {key}; Basic {}", base64(format!("u:{key}").as_bytes()))}).to_string(),
        )
    });
    let keys = ["k", "abc", "test", "1234567", "low", "failed", "refused", "own", "balance"];
    let accounts = keys.iter().map(|key| {
        json!({"name": format!("{key} 1234567 test"), "provider": "own", "api_key": key, "threshold": 1234567, "base_url": server.url()})
    });
    let mut config = config(accounts.chain([fine("fine")]).collect());
    config["providers"] = talkative();
    config["webhook"] = json!({"type": "console"});
    let run = Program::check_json(&config).run().expect(3);
    let report = run.report();
    for key in keys {
        let account = project(&report, &format!("{key} 1234567 test"));
        assert_eq!((&account["threshold"], &account["status"]), (&json!(1234567), &json!("failed")), "{run}");
        let message = account["error"]["message"].as_str().unwrap();
        let own = "the credential was refused (HTTP 401): ";
        let (_, said) = message.split_once(own).unwrap_or_else(|| panic!("{key}: {message}"));
        let (first, second) = said.split_once("; Basic ").unwrap();
        assert_eq!(first, "bad key: ***", "{key}: {message}");
        assert!(second.contains("***") || key == "k", "{key}: {message}");
    }
    let table = Program::check(&config).run().expect(3);
    for name in ["test 1234567 test", "1,234,567", "failed", "fine"] {
        assert!(table.stdout.contains(name), "{name}: {table}");
    }
}

#[test]
fn a_plain_word_is_a_secret_where_its_variable_is_called_one() {
    let server = Server::start(|_| Reply::status(403, json!({"message": "no gatito in frankfurt"}).to_string()));
    let mut own = talkative();
    own[0]["options"] = json!({"shop": {"description": "a shop"}, "region": {"description": "a region"}});
    own[0]["request"]["query"] = json!({"q": "{options.shop} {options.region}"});
    let mut config =
        config(vec![json!({"name": "A", "provider": "own", "api_key": "k3yA9bC1dE7fG5hI", "threshold": 1,
        "base_url": server.url(), "options": {"shop": "${SHOP_PASSWORD}", "region": "${REGION}"}})]);
    config["providers"] = own;
    let program = Program::check_json(&config).env("SHOP_PASSWORD", "gatito").env("REGION", "frankfurt");
    let run = program.run().expect(3);
    let report = run.report();
    let message = report["projects"][0]["error"]["message"].as_str().unwrap();
    assert!(message.ends_with("no *** in frankfurt"), "{message}");
}

#[test]
fn a_secret_in_the_wrong_field_leaves_by_no_exit() {
    let secret = "sk-Wrong/Field+0123456789";
    let server = Server::start(move |_| {
        // And a service that puts it where nobody looks for it.
        Reply::ok(json!({"balance": 0.5, "currency": secret}).to_string())
    });
    let mut own = talkative();
    own[0]["error"] = json!(".error");
    own[0]["balance"] = json!("{amount: .balance, currency: .currency}");
    let account = |name: &str| json!({"name": name, "provider": "own", "api_key": secret, "threshold": 1, "owner_project": secret, "base_url": server.url()});
    let mut config = config(vec![account(secret), account("plain"), low("Low")]);
    config["providers"] = own;
    for left in everything(config, |program| program) {
        assert!(left.run.stdout.contains("***"), "{}", left.run);
        left.expect_without("a name", secret);
        left.expect_without("a name in JSON", &secret.replace('/', "\\/"));
    }
}

#[test]
fn what_a_variable_brought_into_an_option_is_masked() {
    let server = Server::start(|request| Reply::status(401, json!({"message": request.query("token")}).to_string()));
    let mut own = talkative();
    own[0]["options"] = json!({"token": {"description": "a token"}, "region": {"description": "a region"}});
    own[0]["request"]["query"] = json!({"token": "{options.token} {options.region}"});
    let mut config =
        config(vec![json!({"name": "A", "provider": "own", "api_key": "k", "threshold": 1, "base_url": server.url(),
        "options": {"token": "${TOKEN}", "region": "${REGION}"}})]);
    config["providers"] = own;
    let prepare = |program: Program| program.env("TOKEN", "LeakOption12345").env("REGION", "production");
    for left in everything(config, prepare) {
        left.expect_without("an option", "LeakOption12345");
        if left.run.stdout.starts_with('{') {
            let report = left.run.report();
            let message = project(&report, "A")["error"]["message"].as_str().unwrap();
            assert!(message.ends_with(": *** production"), "a word is a word: {message}");
        }
    }
}

#[test]
fn what_is_written_into_a_page_or_an_option_as_it_is_is_masked() {
    const SECRETS: [&str; 14] = [
        "leakedbyheader",
        "leakedbycookie",
        "leakedbyxauth",
        "leakedbyapikey",
        "leakedbyocp",
        "leakedbyxsid",
        "leakedbyother",
        "leakedbyquery",
        "leakedbyaccess",
        "leakedbyurl",
        "LeakedPath1a2b3c4d5e",
        "leakedbybody",
        "leakedbyoption",
        "leakedbydefault",
    ];
    let server = Server::start(|request| {
        let is_usual = |name: &str| {
            ["host", "accept", "accept-encoding", "content-length", "content-type", "user-agent"].contains(&name)
        };
        let headers = request.headers.iter().filter(|(name, _)| !is_usual(&name.to_lowercase()));
        let headers: Vec<&str> = headers.map(|(_, value)| value.as_str()).collect();
        let said = format!("{} {} {}", request.target, headers.join(" "), request.text());
        Reply::status(401, json!({"message": said}).to_string())
    });
    // A message is bounded, so each of them has a page of its own.
    let page = |id: &str, request: Value| {
        let mut page = talkative()[0].clone();
        page["id"] = json!(id);
        page["request"] = request;
        page["options"] = json!({"token": {"description": "a token", "default": "leakedbydefault"}});
        page
    };
    let at = |target: &str| format!("{}{target}", server.url());
    let headers = [
        ("a", "X-Api-Key", "leakedbyheader"),
        ("b", "Cookie", "theme=dark; sid=leakedbycookie"),
        ("c", "X-Auth-Token", "leakedbyxauth"),
        ("d", "apikey", "leakedbyapikey"),
        ("e", "Ocp-Apim-Subscription-Key", "leakedbyocp"),
        ("f", "X-Sid", "leakedbyxsid"),
        ("g", "X-Tenant", "leakedbyother"),
    ];
    let mut pages: Vec<Value> =
        headers.iter().map(|(id, name, value)| page(id, json!({"url": at("/"), "headers": {*name: value}}))).collect();
    pages.extend([
        page("h", json!({"url": at("/"), "query": {"token": "leakedbyquery"}})),
        page("i", json!({"url": at("/"), "query": {"access_token": "leakedbyaccess"}})),
        page("j", json!({"url": at("/?app_key=leakedbyurl")})),
        page("k", json!({"url": at("/LeakedPath1a2b3c4d5e/balance")})),
        page("l", json!({"url": at("/"), "method": "POST", "body": "{\"password\":\"leakedbybody\"}"})),
        page("m", json!({"url": at("/"), "query": {"t": "{options.token}"}})),
        page("n", json!({"url": at("/"), "query": {"t": "{options.token}"}})),
    ]);
    let accounts = pages.iter().map(|page| {
        let mut account = json!({"name": page["id"], "provider": page["id"], "api_key": "k", "threshold": 1});
        if page["id"] == "m" {
            account["options"] = json!({"token": "leakedbyoption"});
        }
        account
    });
    let mut config = config(accounts.collect());
    config["providers"] = json!(pages);
    for left in everything(config, |program| program) {
        for secret in SECRETS {
            left.expect_without("a literal", secret);
        }
        if left.run.stdout.starts_with('{') {
            let report = left.run.report();
            for page in &pages {
                let message = &project(&report, page["id"].as_str().unwrap())["error"]["message"];
                assert!(message.as_str().unwrap().contains("***"), "{page}: {message}");
            }
        }
    }
}

#[test]
fn a_key_in_pieces_over_messages_hints_and_accounts_does_not_leave_the_run() {
    // What each account says: the message and the hint.
    const SAID: [(&str, &str); 5] = [
        ("begins Zq7Xv then many words and 9Lm2", "goes Tr4Bn then more of 8Wd5Y"),
        ("begins Zq7Xv9L", "goes m2Tr4Bn"),
        ("it is Zq7Xv9L", "so it is"),
        ("it is m2Tr4Bn", "so it is"),
        ("so it is", "it is 8Wd5Yc3"),
    ];
    let server = Server::start(|request| {
        let (message, hint) = SAID[request.case().parse::<usize>().unwrap()];
        Reply::ok(json!({"message": message, "hint": hint}).to_string())
    });
    let accounts = (0..SAID.len()).map(|n| {
        let url = format!("{}/{n}", server.url());
        json!({"name": format!("A{n}"), "provider": "own", "api_key": "Zq7Xv9Lm2Tr4Bn8Wd5Yc3", "threshold": 1, "base_url": url})
    });
    let mut config = config(accounts.collect());
    config["providers"] = talkative();
    config["providers"][0]["error"] = json!("{message: .message, hint: .hint}");
    for left in everything(config, |program| program) {
        for (what, text) in &left.texts {
            let shown = ["Zq7Xv", "9Lm2T", "m2Tr4", "Tr4Bn", "8Wd5Y"].iter().filter(|piece| text.contains(**piece));
            assert!(shown.count() < 3, "{what}: {text}");
        }
    }
}

#[test]
fn a_key_that_comes_back_as_a_number_fails_its_check_and_spoils_nothing() {
    let key = "4929123412341234";
    let server = Server::start(move |request| match request.case() {
        "minus" => Reply::ok(format!("{{\"balance\":-{key}}}")),
        "text" => Reply::ok(format!("{{\"balance\":\"{key}\"}}")),
        "point" => Reply::ok("{\"balance\":49291234.12341234}"),
        "total" => Reply::ok(format!("{{\"balance\":5,\"total\":{key}}}")),
        _ => Reply::ok("{\"balance\":50}"),
    });
    let cases = ["minus", "text", "point", "total", "healthy"];
    let accounts = cases.iter().map(|case| {
        json!({"name": case, "provider": "own", "api_key": key, "threshold": 1, "base_url": format!("{}/{case}", server.url())})
    });
    let mut config = config(accounts.collect());
    config["providers"] = talkative();
    config["providers"][0]["total"] = json!(".total");
    for left in everything(config, |program| program) {
        for form in [key, "4,929,123,412,341,234", "49291234.12341234", "49,291,234.12"] {
            left.expect_without("a number", form);
        }
        for (what, text) in &left.texts {
            assert!(!text.contains("-***") && !text.contains(":***"), "{what}: {text}");
        }
        if left.run.stdout.starts_with('{') {
            let report = left.run.report();
            for case in &cases[..4] {
                assert_eq!(project(&report, case)["error"]["reason"], "decode", "{case}");
            }
            assert_eq!(project(&report, "healthy")["balance"], 50);
        }
    }
}

#[test]
fn what_an_answer_calls_its_currency_is_shown_only_if_it_is_one() {
    let words = ["jane@priv.example", "+491511234567", "sk_live_Abc", "EUR\nUSD", "<script>", "leaked coins"];
    let server = Server::start(move |request| {
        let word = words[request.case().parse::<usize>().unwrap()];
        Reply::ok(json!({"balance": 50, "unit": word}).to_string())
    });
    let accounts = (0..words.len()).map(|n| {
        let url = format!("{}/{n}", server.url());
        json!({"name": format!("A{n}"), "provider": "own", "api_key": "k", "threshold": 1, "base_url": url})
    });
    let mut config = config(accounts.collect());
    config["providers"] = json!([{"id": "own", "title": "Own", "kind": "balance", "currency": "leaves",
        "request": {"url": "https://own.example/balance"}, "balance": "{amount: .balance, currency: .unit}"}]);
    for left in everything(config, |program| program) {
        for word in words {
            left.expect_without("a currency", &word.replace(['\n', ' '], ""));
        }
        if left.run.stdout.starts_with('{') {
            let report = left.run.report();
            for n in 0..words.len() {
                let error = &project(&report, &format!("A{n}"))["error"];
                assert_eq!(error["reason"], "decode", "{error}");
                assert!(error["message"].as_str().unwrap().contains("`currency`"), "{error}");
            }
        }
    }
}

#[test]
fn the_address_of_a_database_in_the_wrong_place_names_no_file_and_is_not_repeated() {
    for address in [
        "mysql://u:LeakWord@h.invalid/d",
        "POSTGRES://u:LeakWord@h.invalid/d",
        "u:LeakWord@h.invalid/d",
        "host=h.invalid user=u password=LeakWord",
    ] {
        let mut wrong = config(vec![fine("Fine")]);
        wrong["state"] = json!({"path": address});
        let in_config = Program::check_json(&wrong);
        let plain = Program::check_json(&config(vec![fine("Fine")]));
        let by_variable = plain.clone().env("BALANCE_ALERT_STATE", address);
        let by_flag = plain.clone().args(["--state", address]);
        for (program, what, code) in [
            (&in_config, "check", 0),
            (&in_config.clone().instead(["validate", "--config", "config.yaml"]), "validate", 78),
            (&in_config.clone().instead(["status", "--config", "config.yaml"]), "status", 78),
            (&by_variable, "check", 0),
            (&by_variable.clone().instead(["validate", "--config", "config.yaml"]), "validate", 78),
            (&by_variable.clone().instead(["health", "--config", "config.yaml"]), "health", 78),
            (&by_flag, "check", 64),
            (&plain.clone().instead(["status", "--state", address]), "status", 64),
            (&plain.clone().instead(["health", "--state", address]), "health", 64),
        ] {
            let run = program.clone().run().expect(code);
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(!said.contains("LeakWord") && said.contains("address"), "{address}: {what}: {run}");
            let files = std::fs::read_dir(program.path("")).unwrap().map(|file| file.unwrap().file_name());
            let names: Vec<String> = files.map(|name| name.to_string_lossy().into_owned()).collect();
            assert!(!names.iter().any(|name| name.contains("Leak") || name.ends_with(':')), "{address}: {names:?}");
        }
    }
}

#[test]
fn a_signature_that_was_made_for_the_request_is_masked() {
    let server = Server::start(|request| {
        let said = format!("bad: {}", request.header("authorization").unwrap());
        match request.case() {
            "volc" => Reply::status(
                403,
                json!({"ResponseMetadata": {"Error": {"Code": "SignatureDoesNotMatch", "Message": said}}}).to_string(),
            ),
            _ => Reply::status(403, json!({"Code": "SignatureDoesNotMatch", "Message": said}).to_string()),
        }
    });
    let accounts =
        ["volc", "aliyun"].map(|page| crate::support::account(page, page, &format!("{}/{page}", server.url())));
    for left in everything(config(accounts.to_vec()), |program| program) {
        for request in server.requests() {
            let signature = request.header("authorization").unwrap().rsplit_once('=').unwrap().1.to_owned();
            assert_eq!(signature.len(), 64);
            left.expect_without("a signature", &signature);
        }
    }
    // A receiver that sends back what an alert proved itself with.
    let hook = Server::start(|request| {
        let proofs = ["authorization", "x-balance-alert-signature"]
            .map(|name| request.header(name).unwrap_or_default().to_owned());
        Reply::ok(json!({"success": false, "message": proofs.join(" "), "sign": request.query("sign")}).to_string())
    });
    let mut config = config(vec![low("Low")]);
    config["webhook"] = json!({"type": "custom", "url": hook.url(), "secret": "body-secret",
        "auth": {"jwt": {"secret": "0123456789abcdef0123456789abcdef"}}});
    let run = Program::check_json(&config).run().expect(75);
    let request = hook.only_request();
    for header in ["authorization", "x-balance-alert-signature"] {
        let proof =
            request.header(header).unwrap().trim_start_matches("Bearer ").trim_start_matches("sha256=").to_owned();
        assert!(proof.len() >= 64 && !run.stdout.contains(&proof) && !run.stderr.contains(&proof), "{header}: {run}");
    }
    assert!(run.delivery()["error"]["message"].as_str().unwrap().contains("***"), "{run}");
}

/// An IMAP server that sends back whatever a login brings, in several forms.
fn echoing_mailbox() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut out = stream.try_clone().unwrap();
            let _ = out.write_all(b"* OK ready\r\n");
            let mut tag = String::new();
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let reply = match line.split_once(' ') {
                    Some((tag, "CAPABILITY")) => format!("* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n{tag} OK done\r\n"),
                    Some((of, rest)) if rest.starts_with("AUTHENTICATE") => {
                        tag = of.to_owned();
                        "+ \r\n".to_owned()
                    }
                    _ => {
                        let plain = String::from_utf8(openssl::base64::decode_block(&line).unwrap()).unwrap();
                        let token = plain.split("Bearer ").nth(1).unwrap().trim_matches('\u{1}').to_owned();
                        format!("{tag} NO [AUTHENTICATIONFAILED] {line} {token} {}\r\n", hex(token.as_bytes()))
                    }
                };
                if out.write_all(reply.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    port
}

#[test]
fn a_token_that_was_fetched_in_the_run_is_masked() {
    let endpoint = Server::start(|request| match request.case() {
        "good" => Reply::ok(
            r#"{"access_token":"ya29.LeakAccessToken-1","refresh_token":"LeakRotatedToken-2","expires_in":3600}"#,
        ),
        _ => Reply::status(400, json!({"error_description": format!("bad token: {}", request.text())}).to_string()),
    });
    let port = echoing_mailbox();
    let mailbox = |name: &str, case: &str| {
        json!({"name": name, "host": "127.0.0.1", "port": port, "security": "none", "username": "u", "auth": "xoauth2",
            "oauth2": {"client_id": "c", "client_secret": "LeakClientSecret-3", "refresh_token": "LeakRefreshToken/4",
                "token_url": format!("{}/{case}", endpoint.url())}})
    };
    let mut config = config(vec![low("Low")]);
    config["email"] = json!([mailbox("Good", "good"), mailbox("Bad", "bad")]);
    for left in everything(config, |program| program) {
        for secret in [
            "ya29.LeakAccessToken-1",
            "LeakRotatedToken-2",
            "LeakClientSecret-3",
            "LeakRefreshToken/4",
            "LeakRefreshToken%2F4",
        ] {
            left.expect_without("a token", secret);
            left.expect_without("a token", &hex(secret.as_bytes()));
            left.expect_without("a token", &base64(format!("user=u\u{1}auth=Bearer {secret}\u{1}\u{1}").as_bytes()));
        }
        if left.run.stdout.starts_with('{') {
            let messages: Vec<String> = left.run.report()["mailboxes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|mailbox| mailbox["error"]["message"].as_str().unwrap().to_owned())
                .collect();
            assert!(messages.iter().all(|message| message.contains("***")), "{messages:?}");
        }
    }
}

/// A database server that refuses everybody, and says what it was not even told: it knows the passwords.
fn echoing_database(passwords: &'static [&'static str]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut start = [0; 1024];
            // The question for TLS first: no.
            while stream.read(&mut start).is_ok_and(|n| n == 8 && start[4..8] == [4, 210, 22, 47]) {
                let _ = stream.write_all(b"N");
            }
            let said = format!("SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed: {}\0\0", passwords.join(" "));
            let length = u32::try_from(said.len() + 4).unwrap().to_be_bytes();
            let _ = stream.write_all(&[b"E", &length[..], said.as_bytes()].concat());
        }
    });
    port
}

#[test]
fn the_password_of_the_database_stays_inside_whatever_its_server_says() {
    for (password, said) in [
        ("LeakPassw0rd%2F1", &["LeakPassw0rd/1", "LeakPassw0rd%2F1", "TGVha1Bhc3N3MHJkLzE="][..]),
        ("postgres", &["postgres", "cG9zdGdyZXM="]),
        ("xyz", &["xyz"]),
    ] {
        let port = echoing_database(said);
        let address = format!("postgres://user:{password}@127.0.0.1:{port}/app?sslmode=disable");
        let mut config = config(vec![fine("Fine")]);
        config["state"] = json!({"url": address});
        let program = Program::check_json(&config);
        let run = program.clone().run().expect(0);
        let answer = program.instead(["status"]).env("BALANCE_ALERT_STATE", &address).run().expect(3);
        let health = program.instead(["health", "--config", "config.yaml"]).run().expect(3);
        for run in [&run, &answer, &health] {
            for said in said {
                assert!(!run.stdout.contains(said) && !run.stderr.contains(said), "{password}: {said}: {run}");
            }
            assert!(run.stderr.contains("28P01") || run.stdout.contains("28P01"), "{password}: {run}");
        }
        assert_eq!(run.report()["memory"]["status"], "failed", "{run}");
    }
}

#[test]
fn the_token_in_the_path_of_a_gateway_stays_inside() {
    let token = "aB3dE5fG7hI9jK1lM3nO5pQ7";
    let server =
        Server::start(|request| Reply::status(500, json!({"message": format!("at {}", request.target)}).to_string()));
    let mut own = talkative();
    own[0]["error"] = json!(".message");
    let mut config = config(vec![
        json!({"name": "A", "provider": "own", "api_key": "key-of-the-test", "threshold": 1, "base_url": format!("{}/{token}/v1", server.url())}),
        uniapi("Sound", &server.url()),
    ]);
    config["providers"] = own;
    config["settings"]["response_cache_ttl"] = json!(600);
    for left in everything(config, |program| program) {
        left.expect_without("the path", token);
    }
}
