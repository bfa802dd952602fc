//! Answers that are not what was asked for: compressed ones, web pages, redirects, the wrong protocol, asking to wait, a clock
//! that is wrong. What is said of each is true, and names the host.

use crate::support::{
    Finished, Program, Reply, Server, account, config, free_port, low, pki, project, uniapi, uniapi_body,
};
use flate2::Compression;
use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};
use serde_json::{Value, json};
use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn all(mut from: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    all(GzEncoder::new(bytes, Compression::default()))
}

/// The account `A` and a channel, both at one server.
fn both(base: &str) -> Value {
    let mut config = config(vec![uniapi("A", base), low("Low")]);
    config["webhook"] = json!({"type": "feishu", "url": format!("{base}/hook/LeakHookToken?key=LeakHookKey")});
    config
}

/// Reason, message and hint of the account and of the delivery.
#[track_caller]
fn said(run: &Finished) -> [String; 2] {
    let report = run.report();
    [&project(&report, "A")["error"], &run.delivery()["error"]].map(|error| {
        assert!(!error.is_null(), "both fail: {run}");
        let word = |name: &str| error[name].as_str().unwrap_or_default();
        format!("{} {} ({})", word("reason"), word("message"), word("hint"))
    })
}

fn host(server: &Server) -> String {
    server.url().split_once("://").unwrap().1.to_owned()
}

// ---- compression -------------------------------------------------------------------------

#[test]
fn a_compressed_answer_is_read() {
    let body = uniapi_body("250.5");
    let (zlib, bare) = (
        all(ZlibEncoder::new(body.as_bytes(), Compression::default())),
        all(DeflateEncoder::new(body.as_bytes(), Compression::default())),
    );
    let cases = [
        ("gzip", "gzip", gzip(body.as_bytes())),
        ("capitals", "GZIP", gzip(body.as_bytes())),
        ("no-label", "identity", gzip(body.as_bytes())),
        ("wrong-label", "gzip", body.clone().into_bytes()),
        ("twice", "gzip, gzip", gzip(&gzip(body.as_bytes()))),
        ("zlib", "deflate", zlib),
        ("bare", "deflate", bare),
    ];
    let replies = cases.clone();
    let server = Server::start(move |request| {
        let (_, label, body) = replies.iter().find(|(case, ..)| *case == request.case()).unwrap();
        Reply::bytes(body.clone()).header("Content-Encoding", label)
    });
    let accounts = cases.iter().map(|(case, ..)| uniapi(case, &format!("{}/{case}", server.url()))).collect();
    let run = Program::check_json(&config(accounts)).run().expect(0);
    for (case, ..) in &cases {
        assert_eq!(project(&run.report(), case)["balance"], 250.5, "{case}: {run}");
    }
    let asked = server.requests();
    assert!(
        asked.iter().all(|request| request.header("accept-encoding") == Some("gzip")),
        "what can be read is asked for"
    );
}

#[test]
fn a_compressed_answer_of_a_channel_is_read_too() {
    let hook = Server::start(|_| Reply::bytes(gzip(br#"{"code":0}"#)).header("Content-Encoding", "gzip"));
    let mut config = config(vec![low("Low")]);
    config["webhook"] = json!({"type": "feishu", "url": hook.url()});
    let run = Program::check_json(&config).run().expect(2);
    assert_eq!(run.delivery()["status"], "sent", "{run}");
}

#[test]
fn what_cannot_be_decompressed_is_named() {
    let whole = gzip(uniapi_body("250.5").as_bytes());
    let cases = [
        ("br", "br", vec![0x8B, 0x05, 0x80, 0xFF], "compressed with `br`"),
        ("zstd", "zstd", vec![0x28, 0xB5, 0x2F, 0xFD, 0], "compressed with `zstd`"),
        ("cut", "gzip", whole[..whole.len() - 9].to_vec(), "the compressed answer is damaged"),
        ("bomb", "gzip", gzip(&vec![b' '; 64 << 20]), "larger than 1 MiB"),
    ];
    let replies = cases.clone();
    let server = Server::start(move |request| {
        let (_, label, body, _) = replies.iter().find(|(case, ..)| *case == request.case()).unwrap();
        Reply::bytes(body.clone()).header("Content-Encoding", label)
    });
    let accounts = cases.iter().map(|(case, ..)| uniapi(case, &format!("{}/{case}", server.url()))).collect();
    let run = Program::check_json(&config(accounts)).run().expect(3);
    for (case, .., says) in &cases {
        assert_eq!(run.reason(case), "protocol");
        let report = run.report();
        let message = project(&report, case)["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(says) && !message.contains("JSON"), "{case}: {message}");
    }
}

// ---- pages for people --------------------------------------------------------------------

#[test]
fn a_web_page_in_front_of_the_service_is_no_fault_of_the_key() {
    let page = |status: u16, title: &str| {
        Reply::status(status, format!("<!DOCTYPE html>\n<html><head><title>{title}</title></head></html>"))
            .header("Content-Type", "text/html; charset=UTF-8")
    };
    let server = Server::start(move |request| match request.case() {
        "challenge" => page(403, "Just a moment...").header("Server", "cloudflare").header("CF-RAY", "1-FRA"),
        "firewall" => page(403, "Request blocked"),
        "code" => Reply::status(403, "error code: 1020").header("Server", "cloudflare"),
        "down" => page(503, "503 Service Unavailable"),
        "portal" => page(511, "Log in to WiFi"),
        "login" => page(200, "Sign in"),
        "key" => Reply::status(403, r#"{"error":{"message":"no permission"}}"#),
        _ => page(401, "401"),
    });
    let cases = [
        ("challenge", "http_status", "a web page answers instead of the service (HTTP 403): Just a moment..."),
        ("firewall", "http_status", "a web page answers instead of the service (HTTP 403): Request blocked"),
        ("code", "http_status", "a web page answers instead of the service (HTTP 403): error code: 1020"),
        ("down", "http_status", "a web page answers instead of the service (HTTP 503): 503 Service Unavailable"),
        ("portal", "http_status", "a web page answers instead of the service (HTTP 511): Log in to WiFi"),
        ("login", "decode", "the answer is a web page, not JSON"),
        ("key", "auth", "the credential may not read this (HTTP 403)"),
        ("unauthorized", "auth", "the credential was refused (HTTP 401)"),
    ];
    let accounts = cases.iter().map(|(case, ..)| uniapi(case, &format!("{}/{case}", server.url()))).collect();
    let mut config = config(accounts);
    config["settings"]["max_retries"] = json!(1);
    let run = Program::check_json(&config).run().expect(3);
    let report = run.report();
    for (case, reason, says) in cases {
        assert_eq!(run.reason(case), reason, "{case}: {run}");
        let message = project(&report, case)["error"]["message"].as_str().unwrap();
        assert!(message.contains(says), "{case}: {message}");
        assert_eq!(server.hits_of(case), if case == "down" { 2 } else { 1 }, "{case}");
    }
    let hint = project(&report, "challenge")["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("Cloudflare"), "{hint}");
}

// ---- redirects, and the wrong protocol ---------------------------------------------------

#[test]
fn a_redirect_that_is_not_followed_names_its_host() {
    for (target, says) in [
        ("https://login.example/LeakPath?next=LeakQuery", "to `https://login.example`, which is not followed"),
        ("http://other.example:81/LeakPath", "to `other.example:81`, which is not followed"),
        ("//other.example/LeakPath#LeakQuery", "to `other.example`, which is not followed"),
        ("http://LeakUser:LeakPassword@other.example/", "to `other.example`, which is not followed"),
    ] {
        let server = Server::start(move |_| Reply::redirect(302, target));
        let mut config = both(&server.url());
        config["settings"]["max_retries"] = json!(2);
        let run = Program::check_json(&config).run().expect(75);
        for who in said(&run) {
            let want = format!("http_status {}: the answer is a redirect {says} (HTTP 302) ()", host(&server));
            assert_eq!(who, want, "{target}");
        }
        assert_eq!(server.hits(), 2, "nobody is asked twice");
        assert!(!run.stdout.contains("Leak") && !run.stderr.contains("Leak"), "{run}");
    }
    let server = Server::start(|_| Reply::redirect(302, "/again"));
    let run = Program::check_json(&config(vec![uniapi("A", &server.url())])).run().expect(3);
    let message = project(&run.report(), "A")["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("to its own host once more, after 5 that were followed"), "{message}");
}

#[test]
fn the_wrong_protocol_is_said() {
    // TLS to a port that does not speak it.
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://{}", plain.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in plain.incoming().flatten() {
            let mut hello = [0; 1024];
            let _ = stream.read(&mut hello);
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let run = Program::check_json(&both(&base)).run().expect(75);
    for who in said(&run) {
        assert!(who.starts_with("tls ") && who.contains("the port does not speak TLS"), "{who}");
    }
    // Plain HTTP to a port that speaks TLS, and says so.
    for words in ["The plain HTTP request was sent to HTTPS port", "Client sent an HTTP request to an HTTPS server."] {
        let server = Server::start(move |_| Reply::status(400, format!("<html><title>400 {words}</title></html>")));
        let run = Program::check_json(&both(&server.url())).run().expect(75);
        for who in said(&run) {
            assert!(
                who.starts_with("protocol ") && who.contains("the port speaks TLS") && who.contains("`https://`"),
                "{who}"
            );
        }
    }
    // Or that answers with an alert, or with something else altogether.
    let server = Server::start(|_| Reply::raw([0x15, 3, 1, 0, 2, 2, 0x46]));
    let run = Program::check_json(&both(&server.url())).run().expect(75);
    for who in said(&run) {
        assert!(who.contains("if the port speaks TLS, write `https://`"), "{who}");
    }
}

// ---- repeats -----------------------------------------------------------------------------

#[test]
fn what_may_pass_is_repeated_and_a_suspension_is_not() {
    let cases = [
        ("408", 408, "{}", "http_status", 2),
        ("425", 425, "{}", "http_status", 2),
        ("511", 511, "{}", "http_status", 1),
        ("421", 421, "{}", "http_status", 1),
        ("limited", 429, r#"{"error":{"message":"too fast","type":"rate_limit_reached_error"}}"#, "rate_limited", 2),
        (
            "suspended",
            429,
            r#"{"error":{"message":"Your account is suspended","type":"exceeded_current_quota_error"}}"#,
            "api",
            1,
        ),
    ];
    let server = Server::start(move |request| {
        let (_, status, body, ..) = cases.iter().find(|(case, ..)| *case == request.case()).unwrap();
        Reply::status(*status, *body)
    });
    let accounts =
        cases.iter().map(|(case, ..)| account(case, "moonshot", &format!("{}/{case}", server.url()))).collect();
    let mut config = config(accounts);
    config["settings"]["max_retries"] = json!(1);
    let run = Program::check_json(&config).run().expect(3);
    for (case, .., reason, hits) in cases {
        assert_eq!(run.reason(case), reason, "{case}: {run}");
        assert_eq!(server.hits_of(case), hits, "{case}");
    }
    let report = run.report();
    let message = project(&report, "suspended")["error"]["message"].as_str().unwrap();
    assert!(message.ends_with("the request was refused (HTTP 429): Your account is suspended"), "{message}");
}

#[test]
fn a_page_of_the_users_own_says_whether_a_repeat_can_help() {
    let server = Server::start(|request| match request.case() {
        "blocked" => Reply::status(429, r#"{"blocked":true}"#),
        "busy" => Reply::status(400, r#"{"busy":true}"#),
        _ => Reply::ok(r#"{"busy":true}"#),
    });
    let mut accounts = Vec::new();
    for case in ["blocked", "busy", "busy-with-200"] {
        accounts.push(account(case, "own", &format!("{}/{case}", server.url())));
    }
    let mut config = config(accounts);
    config["settings"]["max_retries"] = json!(1);
    config["providers"] = json!([{
        "id": "own", "title": "Own", "kind": "balance", "request": {"url": "https://own.example/balance"},
        "error": "if .blocked then {message: \"blocked\", reason: \"auth\", retry: false} elif .busy then {message: \"busy\", retry: true} else null end",
        "balance": ".balance",
    }]);
    let run = Program::check_json(&config).run().expect(3);
    for (case, reason, hits) in [("blocked", "auth", 1), ("busy", "http_status", 2), ("busy-with-200", "api", 2)] {
        assert_eq!(run.reason(case), reason, "{case}: {run}");
        assert_eq!(server.hits_of(case), hits, "{case}");
    }
}

#[test]
fn whoever_asks_for_no_pause_gets_one_all_the_same() {
    for value in ["0", "0.0", "Thu, 01 Jan 1970 00:00:00 GMT"] {
        let server = Server::start(move |_| Reply::status(429, "{}").header("Retry-After", value));
        let mut config = config(vec![uniapi("A", &server.url())]);
        config["settings"]["max_retries"] = json!(3);
        Program::check_json(&config).run().expect(3);
        let requests = server.requests();
        assert_eq!(requests.len(), 4, "{value}");
        // The least of the usual pauses: half of 400, 800 and 1600 ms.
        for (pair, least) in requests.windows(2).zip([200, 400, 800]) {
            let pause = pair[1].at - pair[0].at;
            assert!(pause >= Duration::from_millis(least), "{value}: {pause:?}");
        }
    }
}

#[test]
fn a_date_to_come_back_at_is_meant_by_the_clock_that_wrote_it() {
    // The service is an hour behind; by this machine's clock the time has long come.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - 3600;
    let date = |seconds: u64| httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    let (today, again) = (date(now), date(now + 2));
    let limited = Reply::status(429, "{}").header("Date", &today).header("Retry-After", &again);
    let server = Server::sequence(vec![limited, Reply::ok(uniapi_body("250.5"))]);
    let mut config = config(vec![uniapi("A", &server.url())]);
    config["settings"]["max_retries"] = json!(1);
    Program::check_json(&config).run().expect(0);
    let requests = server.requests();
    let waited = requests[1].at - requests[0].at;
    assert!(waited >= Duration::from_secs(2), "waited {waited:?}");
}

// ---- clocks ------------------------------------------------------------------------------

#[test]
fn a_refusal_that_the_clock_may_explain_points_at_it() {
    let date = |behind: u64| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(now - behind))
    };
    let volc = |code: &str| json!({"ResponseMetadata": {"Error": {"Code": code, "Message": "refused"}}}).to_string();
    let aliyun =
        |code: &str| json!({"Code": code, "Message": "Specified time stamp or date value is expired."}).to_string();
    let cases = [
        ("volc-skewed", "volc", 403, volc("SignatureDoesNotMatch"), Some(8000), Some("2 h ahead of")),
        ("volc-right", "volc", 403, volc("SignatureDoesNotMatch"), Some(0), None),
        ("volc-said", "volc", 400, volc("InvalidTimestamp"), None, Some("check this machine's clock")),
        ("volc-200", "volc", 200, volc("RequestExpired"), None, Some("check this machine's clock")),
        ("aliyun-said", "aliyun", 400, aliyun("InvalidTimeStamp.Expired"), Some(5000), Some("ahead of the service's")),
        ("plain", "uniapi", 401, r#"{"message":"Invalid key"}"#.to_owned(), Some(5000), None),
        (
            "plain-said",
            "uniapi",
            401,
            r#"{"message":"Timestamp expired"}"#.to_owned(),
            None,
            Some("check this machine's clock"),
        ),
    ];
    let replies = cases.clone();
    let server = Server::start(move |request| {
        let (.., status, body, behind, _) = replies.iter().find(|(case, ..)| *case == request.case()).unwrap();
        let reply = Reply::status(*status, body.clone());
        match behind {
            Some(behind) => reply.header("Date", &date(*behind)),
            None => reply,
        }
    });
    let accounts =
        cases.iter().map(|(case, page, ..)| account(case, page, &format!("{}/{case}", server.url()))).collect();
    let run = Program::check_json(&config(accounts)).run().expect(3);
    let report = run.report();
    for (case, .., want) in &cases {
        let hint = project(&report, case)["error"]["hint"].as_str().unwrap_or_default();
        match want {
            Some(want) => assert!(hint.contains("clock") && hint.contains(want), "{case}: {hint}"),
            None => assert!(!hint.contains("clock"), "{case}: {hint}"),
        }
    }
}

#[test]
fn a_receiver_that_refuses_a_token_by_its_time_is_told_of_with_the_clock() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(7300));
    let hook = Server::start(move |_| Reply::status(401, "{}").header("Date", &date));
    let mut config = config(vec![low("Low")]);
    let secret = "0123456789abcdef0123456789abcdef";
    config["webhook"] = json!({"type": "custom", "url": hook.url(), "auth": {"jwt": {"secret": secret}}});
    let run = Program::check_json(&config).run().expect(75);
    let hint = run.delivery()["error"]["hint"].as_str().unwrap_or_default().to_owned();
    assert_eq!(hint, "this machine's clock is 2 h behind the service's", "{run}");
}

// ---- authorities -------------------------------------------------------------------------

#[test]
fn authorities_that_cannot_be_used_are_named_once() {
    let server = Server::start_tls(pki::good(), |_| Reply::ok(uniapi_body("250.5")));
    let accounts = (0..5).map(|n| uniapi(&format!("A{n}"), &server.url())).collect();
    let config = config(accounts);
    for (file, content, says) in [
        ("none.pem", None, "cannot be read: no such file"),
        ("empty.pem", Some(""), "holds no certificate in PEM form"),
        ("words.pem", Some("not a certificate"), "holds no certificate in PEM form"),
        ("cut.pem", Some("-----BEGIN CERTIFICATE-----\nMIIB"), "holds a certificate that cannot be read"),
    ] {
        let mut program = Program::check_json(&config);
        if let Some(content) = content {
            program = program.file(file, content);
        }
        let path = program.path(file).display().to_string();
        let program = program.env("SSL_CERT_FILE", &path);
        let want =
            format!("the file `{path}` that SSL_CERT_FILE names {says}: no authority beside the system's is trusted");
        let run = program.clone().run().expect(3);
        assert_eq!(run.stderr.matches(&want).count(), 1, "{run}");
        let validated = program.instead(["validate", "--config", "config.yaml"]).run().expect(0);
        assert_eq!(validated.stderr.matches(&want).count(), 1, "{validated}");
    }
    // A file that never ends is not waited for, and is no worse than one that is missing.
    let run = Program::check_json(&config).env("SSL_CERT_FILE", "/dev/zero").run().expect(3);
    assert_eq!(run.reason("A0"), "tls", "{run}");
    assert!(run.stderr.contains("that SSL_CERT_FILE names cannot be read: it is no ordinary file"), "{run}");
    // What is meant as nothing, and what is right, is not worth a word.
    let run = Program::check_json(&config).env("SSL_CERT_FILE", "/dev/null").run().expect(3);
    assert!(!run.stderr.contains("SSL_CERT_FILE names"), "{run}");
    assert_eq!(Program::check_json(&config).trusting().run().expect(0).stderr, "");
}

// ---- hosts -------------------------------------------------------------------------------

#[test]
fn failures_name_the_host_and_never_path_or_query_wherever_they_are_shown() {
    let dead = format!("127.0.0.1:{}", free_port());
    let hook = Server::start(|_| Reply::ok("{}"));
    let refusing = Server::start(|_| Reply::status(500, r#"{"message":"no"}"#));
    let base = |host: &str| format!("http://{host}/LeakPath");
    let mut config = config(vec![
        account("closed", "wxrank", &base(&dead)),
        account("refusing", "wxrank", &base(&host(&refusing))),
        account("unknown", "wxrank", "http://no-such-host.invalid/LeakPath"),
    ]);
    config["settings"]["failure_alert_after"] = json!(1);
    config["webhooks"] = json!([
        {"type": "custom", "name": "heard", "url": format!("{}/LeakHook", hook.url())},
        {"type": "custom", "name": "closed-hook", "url": format!("{}?key=LeakQuery", base(&dead))},
        {"type": "custom", "name": "refusing-hook", "url": base(&host(&refusing))},
    ]);
    let refusing = host(&refusing);
    let hosts = [&dead, &refusing, "no-such-host.invalid"];
    for program in [
        Program::check(&config),
        Program::check_json(&config),
        Program::check(&config).args(["--output", "markdown"]),
        Program::check(&config).env("LOG_FORMAT", "json").env("LOG_LEVEL", "debug"),
    ] {
        let run = program.args(["--state", "none"]).run();
        assert!(!run.stdout.contains("Leak") && !run.stderr.contains("Leak"), "{run}");
        for host in hosts {
            // Markdown takes the life out of some characters.
            let shown = run.stdout.replace("&#58;", ":").replace('\\', "");
            assert!(shown.contains(&format!("{host}: ")), "{host} in the report: {run}");
        }
        for host in &hosts[..2] {
            let log = run.stderr.lines().find(|line| line.contains("not delivered") && line.contains(*host));
            assert!(log.is_some(), "{host} in the log: {run}");
        }
    }
    let told = hook.requests()[0].json();
    for (at, host) in hosts.iter().enumerate() {
        let message = told["Resources"][at]["Message"].as_str().unwrap();
        assert!(message.contains(&format!("{host}: ")), "{host} in the alert: {message}");
        assert!(!message.contains("Leak"), "{message}");
    }
}
