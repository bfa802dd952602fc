//! How requests prove who sends them: a receiver that verifies tokens and signatures by itself, with OpenSSL, and refuses
//! whatever is not right.

use crate::support::crypto::{hex, hmac_sha256};
use crate::support::{Finished, Program, Reply, Request, Server, config, fine, low};
use openssl::memcmp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

const JWT_SECRET: &str = "LeakJwtSecret-0123456789abcdefghij";
const BODY_SECRET: &str = "LeakBodySecret+/=";
/// How old a signature may be, in seconds.
const WINDOW: i64 = 300;

/// What a careful receiver knows and remembers.
struct Receiver {
    jwt_secret: &'static str,
    body_secret: &'static str,
    audience: &'static str,
    /// Its clock, against the real one, in seconds.
    ahead: AtomicI64,
    seen: Mutex<BTreeSet<String>>,
}

impl Receiver {
    fn new() -> Receiver {
        Receiver {
            jwt_secret: JWT_SECRET,
            body_secret: BODY_SECRET,
            audience: "receiver",
            ahead: AtomicI64::new(0),
            seen: Mutex::default(),
        }
    }

    fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        i64::try_from(now).unwrap() + self.ahead.load(Ordering::SeqCst)
    }

    /// # Errors
    /// What is not right.
    fn verify(&self, request: &Request) -> Result<(), &'static str> {
        let token =
            request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).ok_or("no token")?;
        let [head, claims, mac] = token.split('.').collect::<Vec<_>>()[..] else {
            return Err("no three parts");
        };
        let want = hmac_sha256(self.jwt_secret.as_bytes(), format!("{head}.{claims}").as_bytes());
        if !same(&base64url(mac), &want) {
            return Err("token: signature");
        }
        let json = |part: &str| serde_json::from_slice::<Value>(&base64url(part)).map_err(|_| "token: no JSON");
        let (head, claims) = (json(head)?, json(claims)?);
        if head != json!({"alg": "HS256", "typ": "JWT"}) {
            return Err("token: algorithm");
        }
        if claims["iss"] != "balance-alert" || claims["sub"] != "balance-alert" {
            return Err("token: issuer");
        }
        if claims["aud"] != self.audience {
            return Err("token: audience");
        }
        let now = self.now();
        let time = |name: &str| claims[name].as_i64().ok_or("token: times");
        // RFC 7519: on or after `exp` it is none.
        if now >= time("exp")? || time("iat")? > now + 1 {
            return Err("token: expired");
        }
        let stamp = request.header("x-balance-alert-timestamp").ok_or("no time")?;
        let signature = request.header("x-balance-alert-signature").ok_or("no signature")?;
        let signed = [stamp.as_bytes(), b".", &request.body].concat();
        let want = format!("sha256={}", hex(&hmac_sha256(self.body_secret.as_bytes(), &signed)));
        if !same(signature.as_bytes(), want.as_bytes()) {
            return Err("body: signature");
        }
        if (now - stamp.parse::<i64>().map_err(|_| "body: no time")?).abs() > WINDOW {
            return Err("body: too old");
        }
        let mut seen = self.seen.lock().unwrap();
        if !seen.insert(claims["jti"].as_str().ok_or("token: no id")?.to_owned()) {
            return Err("token: seen before");
        }
        if !seen.insert(signature.to_owned()) {
            return Err("body: seen before");
        }
        Ok(())
    }
}

/// Compares in a time that tells nothing.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && memcmp::eq(a, b)
}

/// Base64 for addresses, without padding (RFC 7515); nothing for what is none.
fn base64url(text: &str) -> Vec<u8> {
    let text: String = text
        .chars()
        .map(|c| {
            if c == '-' {
                '+'
            } else if c == '_' {
                '/'
            } else {
                c
            }
        })
        .collect();
    let padded = text.clone() + &"=".repeat((4 - text.len() % 4) % 4);
    openssl::base64::decode_block(&padded).unwrap_or_default()
}

/// A server that asks the receiver, and what the receiver said to each request.
struct Guard {
    server: Server,
    receiver: Arc<Receiver>,
    verdicts: Arc<Mutex<Vec<Result<(), &'static str>>>>,
}

impl Guard {
    fn new(receiver: Receiver) -> Guard {
        Guard::behind(receiver, |_| ())
    }

    /// Somebody in between changes what is sent.
    fn behind(receiver: Receiver, change: impl Fn(&mut Request) + Send + Sync + 'static) -> Guard {
        let (receiver, verdicts) = (Arc::new(receiver), Arc::new(Mutex::new(Vec::new())));
        let (inner, said) = (Arc::clone(&receiver), Arc::clone(&verdicts));
        let server = Server::start(move |request| {
            let mut request = request.clone();
            change(&mut request);
            let verdict = inner.verify(&request);
            said.lock().unwrap().push(verdict);
            match verdict {
                Ok(()) => Reply::status(202, ""),
                // It echoes what it should not.
                Err(why) => Reply::status(401, format!("{why} {:?}", request.headers)),
            }
        });
        Guard { server, receiver, verdicts }
    }

    fn verdicts(&self) -> Vec<Result<(), &'static str>> {
        std::mem::take(&mut self.verdicts.lock().unwrap())
    }
}

/// A login with tokens and signed bodies, for a webhook and for a gateway alike.
fn proofs(url: &str) -> Value {
    json!({"url": url, "secret": BODY_SECRET, "auth": {"jwt": {"secret": JWT_SECRET, "algorithm": "HS256",
        "expires_hours": 1, "issuer": "balance-alert", "audience": "receiver"}}})
}

fn hook(proof: &Value) -> Value {
    let mut config = config(vec![low("A")]);
    config["webhook"] = proof.clone();
    config["webhook"]["type"] = json!("custom");
    config
}

fn gateway(proof: &Value) -> Value {
    let mut config = config(vec![fine("A")]);
    config["metrics"] = json!({ "pushgateway": proof });
    config
}

/// What became of what had to be proved, at the webhook or at the gateway.
fn outcome(run: &Finished) -> Value {
    let report = run.report();
    let delivery = report["deliveries"].get(0).unwrap_or(&report["metrics"]);
    json!([delivery["status"], delivery["error"]["reason"]])
}

/// The very bytes of a request once more.
fn replay(server: &Server, request: &Request) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
    for (name, value) in request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("connection")) {
        bytes.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    bytes.extend(b"Connection: close\r\n\r\n");
    bytes.extend(&request.body);
    stream.write_all(&bytes).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn what_is_sent_is_accepted_and_a_replay_is_not() {
    for make in [hook, gateway] {
        let guard = Guard::new(Receiver::new());
        let program = Program::check_json(&make(&proofs(&guard.server.url()))).args(["--state", "none"]);
        let run = program.clone().run();
        assert_eq!((outcome(&run), guard.verdicts()), (json!(["sent", null]), vec![Ok(())]), "{run}");
        let request = guard.server.only_request();
        assert_eq!(replay(&guard.server, &request), "HTTP/1.1 401 Scripted");
        assert_eq!(guard.verdicts(), [Err("token: seen before")]);
        // Without the memory of tokens the signature is still known.
        let jti = |seen: &String| !seen.starts_with("sha256=");
        guard.receiver.seen.lock().unwrap().retain(|seen| !jti(seen));
        assert_eq!(guard.receiver.verify(&request), Err("body: seen before"));
        guard.receiver.seen.lock().unwrap().clear();
        guard.receiver.ahead.store(WINDOW + 5, Ordering::SeqCst);
        assert_eq!(guard.receiver.verify(&request), Err("body: too old"));
        guard.receiver.ahead.store(3600, Ordering::SeqCst);
        assert_eq!(guard.receiver.verify(&request), Err("token: expired"));
        guard.receiver.ahead.store(0, Ordering::SeqCst);
        // A changed body, another time, and a token of one's own.
        for change in [
            |request: &mut Request| request.body.push(b' '),
            |request: &mut Request| request.body[5] ^= 1,
            |request: &mut Request| {
                let stamp =
                    request.headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("x-balance-alert-timestamp"));
                stamp.unwrap().1 = "1800000000".into();
            },
        ] {
            let mut changed = request.clone();
            change(&mut changed);
            assert_eq!(guard.receiver.verify(&changed), Err("body: signature"));
        }
        // Another run is another token and another signature.
        let run = program.run();
        assert_eq!((outcome(&run), guard.verdicts()), (json!(["sent", null]), vec![Ok(())]), "{run}");
    }
}

#[test]
fn a_repeated_attempt_has_a_token_of_its_own() {
    // The receiver has seen the first attempt, and forgets nothing.
    let receiver = Receiver::new();
    let (tokens, replies) = (Mutex::new(Vec::new()), Mutex::new(0));
    let server = Server::start(move |request| {
        let mut count = replies.lock().unwrap();
        *count += 1;
        tokens.lock().unwrap().push(request.header("authorization").unwrap().to_owned());
        // What it did not take it need not remember, but the token stays used.
        receiver.seen.lock().unwrap().retain(|seen| !seen.starts_with("sha256="));
        match receiver.verify(request) {
            Ok(()) if *count < 3 => Reply::status(503, ""),
            Ok(()) => Reply::ok(""),
            Err(why) => Reply::status(401, why),
        }
    });
    let mut config = hook(&proofs(&server.url()));
    config["settings"]["max_retries"] = json!(3);
    let run = Program::check_json(&config).run().expect(2);
    assert_eq!((run.delivery()["attempts"].as_u64(), server.hits()), (Some(3), 3), "{run}");
}

/// Something that is not right, and what the receiver says of it.
struct Wrong {
    why: &'static str,
    receiver: fn() -> Receiver,
    /// What somebody in between does to the request.
    change: fn(&mut Request),
    /// What is different in the config.
    edit: fn(&mut Value),
}

/// Nothing is wrong.
const RIGHT: Wrong = Wrong { why: "", receiver: Receiver::new, change: |_| (), edit: |_| () };

const WRONGS: [Wrong; 8] = [
    Wrong { why: "token: signature", receiver: || Receiver { jwt_secret: "another one", ..Receiver::new() }, ..RIGHT },
    Wrong { why: "token: audience", receiver: || Receiver { audience: "somebody else", ..Receiver::new() }, ..RIGHT },
    Wrong { why: "body: signature", receiver: || Receiver { body_secret: "another one", ..Receiver::new() }, ..RIGHT },
    Wrong { why: "body: signature", change: |request| request.body.push(b'\n'), ..RIGHT },
    // The receiver's clock is two hours ahead of a token for one.
    Wrong { why: "token: expired", receiver: || Receiver { ahead: 7200.into(), ..Receiver::new() }, ..RIGHT },
    Wrong {
        why: "token: expired",
        receiver: || Receiver { ahead: 5.into(), ..Receiver::new() },
        edit: |proof| proof["auth"]["jwt"]["expires_hours"] = json!(0.001),
        ..RIGHT
    },
    Wrong {
        why: "token: issuer",
        edit: |proof| drop(proof["auth"]["jwt"].as_object_mut().unwrap().remove("issuer")),
        ..RIGHT
    },
    Wrong { why: "no signature", edit: |proof| drop(proof.as_object_mut().unwrap().remove("secret")), ..RIGHT },
];

#[test]
fn whoever_is_not_right_is_refused_and_the_run_says_auth() {
    for make in [hook, gateway] {
        for Wrong { why, receiver, change, edit } in &WRONGS {
            let guard = Guard::behind(receiver(), *change);
            let mut proof = proofs(&guard.server.url());
            edit(&mut proof);
            let mut config = make(&proof);
            // It is not asked again: nothing would change.
            config["settings"]["max_retries"] = json!(3);
            let program = Program::check_json(&config).args(["--strict-metrics"]).env("LOG_LEVEL", "trace");
            let run = program.run().expect(75);
            let first = if *why == "no signature" { "no time" } else { why };
            assert_eq!(guard.verdicts(), [Err(first)], "{run}");
            assert_eq!(outcome(&run), json!(["failed", "auth"]), "{why}: {run}");
            assert_no_secret(why, &run);
        }
    }
}

#[test]
fn every_form_arrives_exactly() {
    let server = Server::start(|_| Reply::status(202, ""));
    for (auth, header, want) in [
        (
            json!({"basic": {"username": "Aladdin", "password": "open sesame"}}),
            "authorization",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ),
        (
            json!({"basic": {"username": "u", "password_file": "secret.txt"}}),
            "authorization",
            "Basic dTpmcm9tIGEgZmlsZQ==",
        ),
        (json!({"basic": {"username": "用户", "password": "p:w"}}), "authorization", "Basic 55So5oi3OnA6dw=="),
        (json!({"bearer": "abc.def-ghi_jkl~+/="}), "authorization", "Bearer abc.def-ghi_jkl~+/="),
        (json!({"bearer": "${TOKEN}"}), "authorization", "Bearer from the environment"),
        (json!({"bearer_file": "secret.txt"}), "authorization", "Bearer from a file"),
        (json!({"header": {"name": "X-Api-Key", "value": "k e y"}}), "x-api-key", "k e y"),
        (json!({"header": {"name": "Authorization", "value": "Token abc"}}), "authorization", "Token abc"),
        (json!({"header": {"name": "X-Api-Key", "value": "schlüssel 钥匙"}}), "x-api-key", "schlüssel 钥匙"),
        (json!({"header": {"name": "x-own_1", "value_file": "secret.txt"}}), "x-own_1", "from a file"),
    ] {
        for make in [hook, gateway] {
            let before = server.hits();
            let proof = json!({"url": server.url(), "auth": auth});
            let run = Program::check_json(&make(&proof))
                .file("secret.txt", "from a file\n")
                .env("TOKEN", "from the environment")
                .run();
            assert_eq!(outcome(&run), json!(["sent", null]), "{auth}: {run}");
            let request = server.requests()[before].clone();
            let values: Vec<&str> = request
                .headers
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(header))
                .map(|(_, value)| value.as_str())
                .collect();
            assert_eq!(values, [want], "{auth}");
            assert_eq!(request.header("x-balance-alert-signature"), None, "nothing is signed without a secret");
        }
    }
}

/// The claims of the token in a request.
fn claims(request: &Request) -> Value {
    let token = request.header("authorization").unwrap();
    serde_json::from_slice(&base64url(token.split('.').nth(1).unwrap())).unwrap()
}

#[test]
fn variables_stand_for_what_the_config_leaves_out() {
    let server = Server::start(|_| Reply::ok(""));
    let other = "another-secret-0123456789abcdefghij";
    let sign = |request: &Request, secret: &str| {
        let token = request.header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
        let (signed, mac) = token.rsplit_once('.').unwrap();
        base64url(mac) == hmac_sha256(secret.as_bytes(), signed.as_bytes())
    };
    for (jwt, variables, secret, hours) in [
        (json!({}), vec![("JWT_SECRET_KEY", JWT_SECRET)], JWT_SECRET, 24.0),
        (json!({}), vec![("JWT_SECRET_KEY", JWT_SECRET), ("JWT_ACCESS_TOKEN_EXPIRES_HOURS", "0.5")], JWT_SECRET, 0.5),
        (json!({"secret": other}), vec![("JWT_SECRET_KEY", JWT_SECRET)], other, 24.0),
        (
            json!({"secret_file": "key"}),
            vec![("JWT_SECRET_KEY", JWT_SECRET)],
            "from-a-file-0123456789abcdefghijkl",
            24.0,
        ),
        (json!({"secret": other, "expires_hours": 2}), vec![("JWT_ACCESS_TOKEN_EXPIRES_HOURS", "0.5")], other, 2.0),
    ] {
        let before = server.hits();
        let mut program = Program::check_json(&hook(&json!({"url": server.url(), "auth": {"jwt": jwt}})));
        program = program.file("key", "from-a-file-0123456789abcdefghijkl\n");
        for (name, value) in variables {
            program = program.env(name, value);
        }
        program.run().expect(2);
        let request = server.requests()[before].clone();
        assert!(sign(&request, secret), "{jwt}");
        let claims = claims(&request);
        let seconds = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(seconds as f64, hours * 3600.0, "{jwt}");
        assert_eq!((claims.get("iss"), claims.get("aud")), (None, None), "what nobody set is not claimed");
    }
    // Nothing that could sign: the delivery fails by the config.
    let program = Program::check_json(&hook(&json!({"url": server.url(), "auth": {"jwt": {}}})));
    let run = program.clone().run().expect(78);
    assert!(run.stderr.contains("JWT_SECRET_KEY"), "{run}");
    let run = program.env("JWT_SECRET_KEY", JWT_SECRET).env("JWT_ACCESS_TOKEN_EXPIRES_HOURS", "soon").run().expect(78);
    assert!(run.stderr.contains("JWT_ACCESS_TOKEN_EXPIRES_HOURS"), "{run}");
}

/// All that must not be printed: what is in the config, and what is made of it.
const SECRETS: [&str; 8] = [
    JWT_SECRET,
    BODY_SECRET,
    "LeakBasicPassword",
    "TGVha1VzZXI6TGVha0Jhc2ljUGFzc3dvcmQ=",
    "LeakBearerToken+/=",
    "LeakHeaderValue",
    "LeakEnvironmentSecret-0123456789ab",
    "LeakFileSecret",
];

#[track_caller]
fn assert_no_secret(what: &str, run: &Finished) {
    for secret in SECRETS {
        for text in [&run.stdout, &run.stderr] {
            assert!(!text.contains(secret), "{what}: {secret}: {run}");
            let json = json!(secret).to_string();
            assert!(!text.contains(json.trim_matches('"')), "{what}: {secret}: {run}");
            let base64 = openssl::base64::encode_block(secret.as_bytes());
            assert!(!text.contains(&base64), "{what}: {secret} in base64: {run}");
        }
    }
}

/// All ways to log in.
fn logins() -> [Value; 6] {
    [
        json!({"basic": {"username": "LeakUser", "password": "LeakBasicPassword"}}),
        json!({"bearer": "LeakBearerToken+/="}),
        json!({"bearer_file": "secret.txt"}),
        json!({"header": {"name": "X-Api-Key", "value": "LeakHeaderValue"}}),
        json!({"jwt": {"secret": JWT_SECRET}}),
        json!({"jwt": {}}),
    ]
}

/// A config with a webhook for each way to log in.
fn with_every_login(url: &str) -> Value {
    let mut config = config(vec![low("A")]);
    let hook = |(n, auth): (usize, Value)| json!({"name": format!("hook-{n}"), "type": "custom", "url": format!("{url}/{n}"), "secret": BODY_SECRET, "auth": auth});
    config["webhooks"] = logins().into_iter().enumerate().map(hook).collect();
    config
}

/// A program that can log in in every way, and says all that it can say.
fn talkative(program: Program) -> Program {
    let program = program.file("secret.txt", "LeakFileSecret\n").env("LOG_LEVEL", "trace");
    program.env("JWT_SECRET_KEY", "LeakEnvironmentSecret-0123456789ab")
}

/// Lets every login meet a server that answers like this, at the webhooks and at the gateway; the runs end with this code.
fn no_secret_is_printed(answer: fn(&Request) -> Reply, code: i32) {
    let server = Server::start(answer);
    let all = with_every_login(&server.url());
    for (n, auth) in logins().iter().enumerate() {
        let mut config = all.clone();
        config["metrics"] = json!({"pushgateway": {"url": server.url(), "secret": BODY_SECRET, "auth": auth}});
        // One gateway at a time, and the webhooks need not come with each.
        if n > 0 {
            config["webhooks"].as_array_mut().unwrap().truncate(1);
        }
        for (program, code) in [
            (Program::check_json(&config).args(["--dry-run"]), 2),
            (Program::check_json(&config), code),
            (Program::check(&config).env("LOG_FORMAT", "json").args(["--output", "markdown"]), code),
        ] {
            let run = talkative(program).run().expect(code);
            assert_no_secret("a run", &run);
            // No token either, not even a part of it.
            assert!(!run.stdout.contains("eyJ") && !run.stderr.contains("eyJ"), "{run}");
        }
    }
    assert!(server.hits() > logins().len());
}

#[test]
fn no_secret_is_printed_when_a_request_is_taken() {
    no_secret_is_printed(|_| Reply::status(202, ""), 2);
}

#[test]
fn no_secret_is_printed_when_a_request_is_refused() {
    no_secret_is_printed(|request| Reply::status(401, format!("{:?} {BODY_SECRET} {JWT_SECRET}", request.headers)), 75);
}

#[test]
fn no_secret_is_printed_when_a_server_fails() {
    no_secret_is_printed(|request| Reply::status(500, format!("{:?}", request.headers)), 75);
}

#[test]
fn no_secret_is_printed_when_a_server_leads_elsewhere() {
    let elsewhere = |request: &Request| {
        let login = request.header("authorization").unwrap_or("LeakHeaderValue");
        Reply::redirect(302, &format!("http://elsewhere.test/{login}"))
    };
    no_secret_is_printed(elsewhere, 75);
}

#[test]
fn no_secret_is_printed_when_an_answer_is_none() {
    no_secret_is_printed(|request| Reply::raw(format!("{:?}\r\n\r\n", request.headers)), 75);
}

#[test]
fn no_secret_is_printed_by_validate() {
    let config = with_every_login("http://127.0.0.1:9").to_string();
    let program = Program::new(["validate", "--config", "config.yaml"]).file("config.yaml", &config);
    assert_no_secret("validate", &talkative(program).run().expect(0));
}

#[test]
fn no_secret_stands_in_the_list_of_processes() {
    let server = Server::start(|_| Reply::hang());
    let run = Program::check_json(&hook(&proofs(&server.url()))).start();
    server.wait_for_requests(1);
    let shown = run.command_line();
    assert!(shown.contains("check --config"), "{shown}");
    assert!(!shown.contains("Leak"), "{shown}");
    run.signal("KILL");
    run.finish();
}
