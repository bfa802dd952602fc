//! Every page of the catalogue through the real program: it reads its own example, takes no fault for a balance, and never lets its
//! credential out. What pages do with wrong answers without a network is tested beside the catalogue.

use crate::support::crypto::{base64, hex};
use crate::support::{Program, Reply, Server, config, project};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

/// The secret of every account here.
const SECRET: &str = "q8Wz4Lr1Tn6Yb3Kd7f3a9c1e5b2dXv0P";

/// An answer of an example: its status, its headers and its body.
type Answer = (u16, BTreeMap<String, String>, String);

/// A page of the catalogue with its example `ok`.
struct Page {
    id: String,
    page: Value,
    ok: Value,
}

impl Page {
    /// All pages that are asked over HTTP.
    fn all() -> Vec<Page> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check/account/catalog");
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let texts = files.iter().map(|path| std::fs::read_to_string(path).unwrap());
        let texts = texts.filter(|text| {
            !text.contains("\nmeter: none") && !text.contains("\n  file: ") && !text.contains("request: { file: ")
        });
        texts.map(|text| Page::of(serde_yaml::from_str(&text).unwrap())).collect()
    }

    fn of(page: Value) -> Page {
        let examples = page["examples"].as_array().unwrap();
        let ok = examples.iter().find(|example| example["name"] == "ok").unwrap().clone();
        Page { id: page["id"].as_str().unwrap().to_owned(), page, ok }
    }

    /// The answers of its example, in their order.
    fn answers(&self) -> Vec<Answer> {
        let one = |answer: &Value| {
            let status = answer["status"].as_u64().map_or(200, |status| u16::try_from(status).unwrap());
            let headers = serde_json::from_value(answer["headers"].clone()).unwrap_or_default();
            (status, headers, answer["body"].as_str().unwrap_or_default().to_owned())
        };
        match self.ok["answers"].as_array() {
            Some(answers) => answers.iter().map(one).collect(),
            None => vec![one(&self.ok)],
        }
    }

    /// An account of it that is asked at a server, under its id.
    fn account(&self, server: &Server) -> Value {
        let base = format!("{}/{}", server.url(), self.id);
        let mut account = json!({"name": self.id, "provider": self.id, "threshold": 0, "base_url": base});
        for field in ["options", "currency", "budget"] {
            if !self.ok[field].is_null() {
                account[field] = self.ok[field].clone();
            }
        }
        let credential = &self.page["credential"];
        match credential["format"].as_str() {
            Some("none") => {}
            Some("pair") => account["api_key"] = json!(format!("AKID7f3a9c1e5b2d:{SECRET}")),
            Some("parts") => {
                let names = credential["parts"].as_object().unwrap().keys();
                account["credentials"] = names.map(|name| (name.clone(), json!(SECRET))).collect();
            }
            _ => account["api_key"] = json!(SECRET),
        }
        account
    }
}

fn reply((status, headers, body): &Answer) -> Reply {
    headers.iter().fold(Reply::status(*status, body.clone()), |reply, (name, value)| reply.header(name, value))
}

/// A server that gives each page the answers of its example, and from the `after`th on what `then` gives.
fn server(after: usize, then: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Server {
    let answers: BTreeMap<String, Vec<Answer>> =
        Page::all().iter().map(|page| (page.id.clone(), page.answers())).collect();
    let asked: Mutex<BTreeMap<String, usize>> = Mutex::default();
    Server::start(move |request| {
        let id = request.case();
        let mut asked = asked.lock().unwrap();
        let count = asked.entry(id.to_owned()).or_default();
        *count += 1;
        match answers[id].get(*count - 1) {
            Some(answer) if *count <= after => reply(answer),
            _ => then(id),
        }
    })
}

fn config_of(pages: &[Page], server: &Server) -> Value {
    config(pages.iter().map(|page| page.account(server)).collect())
}

#[test]
fn every_page_reads_its_own_example_over_http() {
    let pages = Page::all();
    let server = server(usize::MAX, |_| Reply::status(500, ""));
    let run = Program::check_json(&config_of(&pages, &server)).run();
    let report = run.report();
    for page in &pages {
        let id = &page.id;
        let account = project(&report, id);
        let want = page.ok["expect"]["balance"].as_str().unwrap();
        match want.parse::<f64>() {
            Ok(want) => assert_eq!(account["balance"], want, "{id}: {account}"),
            Err(_) => assert_eq!(account["status"], "unlimited", "{id}: {account}"),
        }
        if let Some(currency) = page.ok["expect"]["currency"].as_str() {
            assert_eq!(account["currency"].as_str().unwrap_or_default(), currency, "{id}");
        }
        let requests: Vec<_> = server.requests().into_iter().filter(|request| request.case() == id).collect();
        assert_eq!(requests.len(), page.answers().len(), "{id}");
        for request in &requests {
            let headers: String = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
            let all = format!("{}\n{headers}{}", request.target, request.text());
            for left in ["{api_key", "{credential.", "{options.", "{bind.", "{month", "{today", "{now", "{uuid", "%7B"]
            {
                assert!(!all.contains(left), "{id}: {left} is not filled in: {all}");
            }
        }
    }
}

/// A fault, how the server makes it, and the reasons that it may be told as.
type Fault = (&'static str, fn() -> Reply, &'static [&'static str]);

const FAULTS: [Fault; 14] = [
    ("closed", Reply::close, &["connect"]),
    ("truncated", || Reply::truncated("{\"balance\":5"), &["connect", "protocol"]),
    ("no http", || Reply::raw("hello\r\n\r\n"), &["protocol", "connect"]),
    ("empty", || Reply::ok(""), &["decode"]),
    ("a web page", || Reply::html("<!doctype html><title>Login</title>"), &["decode"]),
    ("half of JSON", || Reply::ok("{\"data\":{\"balance\":5"), &["decode"]),
    ("no gzip", || Reply::bytes(*b"\x1f\x8b\x08 no gzip").header("Content-Encoding", "gzip"), &["protocol", "decode"]),
    ("a redirect elsewhere", || Reply::redirect(302, "http://localhost:1/elsewhere"), &["http_status"]),
    ("a wrong key", || Reply::status(401, "<html>"), &["auth"]),
    ("not found", || Reply::status(404, "<html>"), &["http_status"]),
    ("throttled", || Reply::status(429, "<html>").header("Retry-After", "600"), &["rate_limited"]),
    ("a fault of its own", || Reply::status(500, "<html>"), &["http_status"]),
    ("unavailable", || Reply::status(503, ""), &["http_status"]),
    ("no answer", Reply::hang, &["timeout"]),
];

#[test]
fn no_fault_of_the_transport_is_a_balance() {
    let pages = Page::all();
    for (what, fault, reasons) in FAULTS {
        let server = Server::start(move |_| fault());
        let mut config = config_of(&pages, &server);
        config["settings"]["request_timeout_seconds"] = json!(if what == "no answer" { 1 } else { 10 });
        let run = Program::check_json(&config).run().expect(3);
        let report = run.report();
        for page in &pages {
            let account = project(&report, &page.id);
            let reason = account["error"]["reason"].as_str().unwrap_or_default();
            assert!(reasons.contains(&reason), "{} after `{what}`: {account}", page.id);
            assert_eq!(account["balance"], Value::Null, "{} after `{what}`", page.id);
        }
    }
}

/// The forms in which a service sends a secret back.
fn echoes(secret: &str) -> Vec<String> {
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let pair = base64(format!("AKID7f3a9c1e5b2d:{secret}").as_bytes());
    vec![secret.to_owned(), secret.to_uppercase(), percent, base64(secret.as_bytes()), hex(secret.as_bytes()), pair]
}

/// The tokens in the answers of a page's example, each with the answer that it stands in.
fn tokens(page: &Page) -> Vec<(usize, String)> {
    let mut tokens = Vec::new();
    for (at, (_, _, body)) in page.answers().iter().enumerate() {
        let Ok(Value::Object(fields)) = serde_json::from_str(body) else { continue };
        let words = fields.iter().filter(|(name, _)| name.contains("token") && *name != "token_type");
        tokens.extend(words.filter_map(|(_, value)| Some((at, value.as_str()?.to_owned()))));
    }
    tokens
}

#[test]
fn no_page_lets_its_credential_out() {
    let pages = Page::all();
    let longest = pages.iter().map(|page| page.answers().len()).max().unwrap();
    // What a step has bound and later requests prove themselves with is as secret.
    let tokens: BTreeMap<String, Vec<(usize, String)>> =
        pages.iter().map(|page| (page.id.clone(), tokens(page))).collect();
    for after in 0..longest {
        for status in [200, 400, 401] {
            let known: BTreeMap<String, String> = tokens
                .iter()
                .map(|(id, tokens)| {
                    (
                        id.clone(),
                        tokens.iter().filter(|(at, _)| *at < after).map(|(_, token)| token.clone() + " ").collect(),
                    )
                })
                .collect();
            let words: Vec<String> =
                known.values().flat_map(|tokens| tokens.split_whitespace()).map(str::to_owned).collect();
            let body = move |id: &str| {
                let said = echoes(SECRET).join(" ") + " " + &known[id];
                json!({"error": {"message": said, "code": said}, "message": said, "msg": said, "code": said,
                "errors": [{"message": said}], "data": said, "balance": said, "status": said})
                .to_string()
            };
            for output in ["table", "json"] {
                // A server counts what it was asked, and a run knows only the tokens that it was given itself.
                let body = body.clone();
                let server = server(after, move |id| Reply::status(status, body(id)));
                let program = Program::check(&config_of(&pages, &server)).env("LOG_LEVEL", "debug");
                let run = program.args(["--output", output]).run();
                let all = format!("{}{}", run.stdout, run.stderr);
                let lower = all.to_lowercase();
                let found = echoes(SECRET).into_iter().find(|form| lower.contains(&form.to_lowercase()));
                assert!(found.is_none(), "{found:?} in {output} after {after} answers and HTTP {status}: {run}");
                let token = words.iter().find(|token| all.contains(token.as_str()));
                assert!(token.is_none(), "{token:?} in {output} after {after} answers and HTTP {status}: {run}");
            }
        }
    }
}

/// A page of a user's own over a server's answers, and an account that is read by it.
fn own(server: &Server, page: Value, account: Value) -> Value {
    let mut all = json!({"id": "acme", "title": "Acme", "kind": "balance", "balance": ".balance",
        "request": {"url": format!("{}/v1/me", server.url()), "headers": {"X-Key": "{api_key}"}}});
    all.as_object_mut().unwrap().extend(page.as_object().unwrap().clone());
    let mut one = json!({"name": "A", "provider": "acme", "api_key": "key-of-acme", "threshold": 10});
    one.as_object_mut().unwrap().extend(account.as_object().unwrap().clone());
    let mut config = config(vec![one]);
    config["providers"] = json!([all]);
    config
}

#[test]
fn a_page_that_costs_something_to_read_is_not_asked_again_within_its_interval() {
    let server = Server::start(|_| Reply::ok(r#"{"balance":50,"total":200}"#));
    let page = json!({"read_cost": "1 credit", "min_interval": "6h", "total": ".total"});
    let program = Program::check_json(&own(&server, page, json!({"threshold": "20%"}))).args(["--state", "state.db"]);
    for (is_cached, hits) in [(false, 1), (true, 1)] {
        let run = program.clone().run().expect(0);
        let report = run.report();
        let account = project(&report, "A");
        assert_eq!((account["balance"].as_f64(), account["threshold"].as_f64()), (Some(50.0), Some(40.0)), "{run}");
        assert_eq!(account["cached"], is_cached, "{run}");
        assert_eq!(server.hits(), hits);
    }
    program.args(["--no-cache"]).run().expect(0);
    assert_eq!(server.hits(), 2, "whoever says so may pay");
}

#[test]
fn a_share_of_a_total_that_is_not_known_is_a_failure() {
    for (body, said) in [
        (r#"{"balance":50}"#, "does not tell"),
        (r#"{"balance":50,"total":null}"#, "does not tell"),
        (r#"{"balance":50,"total":"unlimited"}"#, "does not tell"),
        (r#"{"balance":50,"total":0}"#, "not above zero"),
        (r#"{"balance":0,"total":0}"#, "not above zero"),
        (r#"{"balance":-5,"total":"0.00"}"#, "not above zero"),
        (r#"{"balance":50,"total":-100}"#, "not above zero"),
    ] {
        let server = Server::start(move |_| Reply::ok(body));
        for thresholds in [json!({"threshold": "20%"}), json!({"threshold": 10, "warning_threshold": "20%"})] {
            let run = Program::check_json(&own(&server, json!({"total": ".total"}), thresholds)).run().expect(3);
            let report = run.report();
            let account = project(&report, "A");
            assert_eq!(
                (&account["status"], &account["error"]["reason"]),
                (&json!("failed"), &json!("decode")),
                "{run}"
            );
            assert!(account["error"]["message"].as_str().unwrap().contains(said), "{body}: {run}");
        }
    }
}

#[test]
fn a_total_that_an_option_tells_makes_a_share_work() {
    let server = Server::start(|_| Reply::ok(r#"{"balance":50,"plan":{"points":200},"quota":1000}"#));
    let page = json!({"total": "{options.total}", "options": {"total": {"description": "where the total stands"}}});
    let mut config = own(&server, page, json!({"threshold": "20%", "options": {"total": ".plan.points"}}));
    // The same page, and another total.
    let mut other = config["projects"][0].clone();
    (other["name"], other["options"]["total"]) = (json!("B"), json!(".quota"));
    let told = json!({"balance": 50, "plan": {"points": 200}});
    let file = json!({"name": "C", "provider": "file", "threshold": "20%",
        "options": {"path": "told.json", "total": ".plan.points"}});
    let exec = json!({"name": "D", "provider": "exec", "command": ["printf", told.to_string()], "threshold": "30%",
        "options": {"total": ".plan.points"}});
    let unknown = json!({"name": "E", "provider": "file", "threshold": "20%", "options": {"path": "told.json"}});
    config["projects"].as_array_mut().unwrap().extend([other, file, exec, unknown]);
    let program = Program::check_json(&config);
    std::fs::write(program.path("told.json"), told.to_string()).unwrap();
    let run = program.run();
    let report = run.report();
    for (name, status, threshold) in [
        ("A", "ok", Some(40.0)),
        ("B", "low", Some(200.0)),
        ("C", "ok", Some(40.0)),
        ("D", "low", Some(60.0)),
        ("E", "failed", None),
    ] {
        let account = project(&report, name);
        assert_eq!((&account["status"], account["threshold"].as_f64()), (&json!(status), threshold), "{name}: {run}");
    }
    assert!(project(&report, "E")["error"]["message"].as_str().unwrap().contains("does not tell"), "{run}");
}

#[test]
fn answers_in_other_forms_are_read() {
    let quota = |status: u16| Reply::status(status, "{\"error\":\"no parameters\"}").header("X-Left", "1,250");
    let bodies: [(&str, Value, Reply, f64); 5] = [
        (
            "text",
            json!({"answer": "text", "balance": "capture(\"^ACCESS_BALANCE:(?<n>[0-9.]+)$\").n"}),
            Reply::ok("ACCESS_BALANCE:12.50\n"),
            12.5,
        ),
        ("xml", json!({"answer": "xml", "balance": ".a.b[\"@left\"]"}), Reply::ok("<a><b left='13.50'/></a>"), 13.5),
        ("a header", json!({"answer": "none", "balance": "$headers[\"x-left\"]"}), quota(200), 1250.0),
        ("a header of a refusal", json!({"statuses": [400], "balance": "$headers[\"x-left\"]"}), quota(400), 1250.0),
        (
            "a refusal",
            json!({"statuses": [400], "balance": "if $status == 400 then .left else null end"}),
            Reply::status(400, "{\"left\":77}"),
            77.0,
        ),
    ];
    for (what, page, reply, want) in bodies {
        let server = Server::start(move |_| reply.clone());
        let mut request = json!({"url": format!("{}/v1/me", server.url()), "headers": {"X-Key": "{api_key}"}});
        for field in ["answer", "statuses"] {
            if !page[field].is_null() {
                request[field] = page[field].clone();
            }
        }
        // A unit, so that the comma of `1,250` is in no doubt.
        let page = json!({"request": request, "balance": page["balance"], "unit": "credits"});
        let run = Program::check_json(&own(&server, page, json!({}))).run().expect(0);
        assert_eq!(project(&run.report(), "A")["balance"], want, "{what}: {run}");
    }
}

#[test]
fn steps_bind_and_add_and_stop_at_their_bound() {
    let steps = |url: &str, most: u16| {
        json!({"balance": "$bind.sum", "request": null, "steps": [
            {"name": "team", "request": {"url": format!("{url}/team"), "headers": {"X-Key": "{api_key}"}}, "bind": {"team": ".id"}},
            {"name": "left", "request": {"url": format!("{url}/teams/{{bind.team}}/left"), "query": {"size": "2"}},
             "sum": {"sum": ".left"}, "pages": {"next": ".next // null", "query": "cursor", "most": most}},
        ]})
    };
    for (most, id, want) in
        [(3, "t 1", Ok(60.0)), (2, "t 1", Err("more than 2 pages")), (3, "..", Err("cannot stand in an address"))]
    {
        let server = Server::start(move |request| match (request.path(), request.query("cursor").as_deref()) {
            ("/team", _) => Reply::ok(json!({"id": id}).to_string()),
            (_, None) => Reply::ok(r#"{"left":10,"next":"b&c"}"#),
            (_, Some("b&c")) => Reply::ok(r#"{"left":"20","next":3}"#),
            (_, Some("3")) => Reply::ok(r#"{"left":30,"next":null}"#),
            _ => Reply::status(500, ""),
        });
        let run = Program::check_json(&own(&server, steps(&server.url(), most), json!({}))).run();
        let report = run.report();
        let account = project(&report, "A");
        match want {
            Ok(want) => {
                assert_eq!(account["balance"], want, "{run}");
                let targets: Vec<String> = server.requests().into_iter().map(|request| request.target).collect();
                let left = "/teams/t%201/left?";
                let want = [
                    "/team".to_owned(),
                    format!("{left}size=2"),
                    format!("{left}cursor=b%26c&size=2"),
                    format!("{left}cursor=3&size=2"),
                ];
                assert_eq!(targets, want);
            }
            Err(words) => assert!(account["error"]["message"].as_str().unwrap().contains(words), "{run}"),
        }
    }
}

#[test]
fn a_sum_with_a_page_that_cannot_be_read_is_not_known() {
    let server = Server::start(|request| match request.query("cursor").as_deref() {
        None => Reply::ok(r#"{"left":10,"next":2}"#),
        _ => Reply::ok(r#"{"left":null,"next":null}"#),
    });
    let step = json!({"name": "left", "request": {"url": format!("{}/left", server.url())}, "sum": {"sum": ".left"},
        "pages": {"next": ".next // null", "query": "cursor"}});
    let page = json!({"balance": "$bind.sum", "request": null, "steps": [step]});
    let run = Program::check_json(&own(&server, page, json!({}))).run().expect(3);
    assert_eq!(run.reason("A"), "decode", "{run}");
}

#[test]
fn what_a_page_waits_for_is_bounded() {
    let server = Server::start(|_| Reply::ok(r#"{"left":1,"next":true}"#).after(Duration::from_millis(20)));
    let step = json!({"name": "left", "request": {"url": format!("{}/left", server.url())}, "sum": {"sum": ".left"},
        "pages": {"next": ".next", "query": "cursor"}});
    let page = json!({"balance": "$bind.sum", "request": null, "steps": [step]});
    let run = Program::check_json(&own(&server, page, json!({}))).run().expect(3);
    assert!(run.stdout.contains("the same page again"), "{run}");
    assert_eq!(server.hits(), 2);
}

#[test]
fn what_was_spent_is_taken_off_the_budget() {
    for (spent, code, left) in [(40, 0, 60.0), (95, 2, 5.0), (120, 2, -20.0)] {
        let server = Server::start(move |_| Reply::ok(json!({"spent": spent}).to_string()));
        let page = json!({"kind": "spend", "balance": null, "spend": ".spent"});
        let run =
            Program::check_json(&own(&server, page, json!({"budget": 100, "threshold": "10%"}))).run().expect(code);
        assert_eq!(project(&run.report(), "A")["balance"], left, "{run}");
    }
}

#[test]
fn a_key_of_the_wrong_kind_is_noticed_and_tried_all_the_same() {
    let server = Server::start(|_| Reply::status(401, "{}"));
    let page =
        json!({"credential": {"prefixes": ["adm-"], "mistaken": {"prj-": "this looks like the key of a project"}}});
    for (key, hint) in [("prj-7f3a9c1e5b2d", "the key of a project"), ("7f3a9c1e5b2d8f6a", "begins with `adm-`")] {
        let run = Program::check_json(&own(&server, page.clone(), json!({"api_key": key}))).run().expect(3);
        let report = run.report();
        let said = project(&report, "A")["error"]["hint"].as_str().unwrap_or_default().to_owned();
        assert!(said.contains(hint), "{said}: {run}");
    }
    assert_eq!(server.hits(), 2);
}
