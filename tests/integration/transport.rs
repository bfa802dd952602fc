//! What the network can do to a run: every fault a server, a proxy, a certificate or a clock
//! can produce, seen from outside. The accounts are `uniapi` ones, the plainest there are.

use crate::support::proxy::Proxy;
use crate::support::{
    Finished, Gate, Program, Reply, Server, account, config, free_port, low, pki, project, uniapi, uniapi_body,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const MIB: usize = 1 << 20;

fn good() -> Reply {
    Reply::ok(uniapi_body("250.5"))
}

/// Checks one account `A` at `base` with so many retries allowed.
fn check_one(base: &str, retries: u32) -> Program {
    let mut config = config(vec![uniapi("A", base)]);
    config["settings"]["max_retries"] = json!(retries);
    Program::check_json(&config)
}

#[track_caller]
fn expect_failed(run: &Finished, reason: &str, attempts: u64) {
    assert_eq!(run.reason("A"), reason, "{run}");
    let report = run.report();
    assert_eq!(project(&report, "A")["attempts"], attempts, "{run}");
}

#[track_caller]
fn expect_read(run: &Finished, attempts: u64) {
    let report = run.report();
    let account = project(&report, "A");
    assert_eq!(account["status"], "ok", "{run}");
    assert_eq!(account["balance"], 250.5, "{run}");
    assert_eq!(account["attempts"], attempts, "{run}");
}

// ---- connections -------------------------------------------------------------------------

#[test]
fn a_good_answer_takes_one_request() {
    let server = Server::start(|_| good());
    let run = check_one(&server.url(), 3).run().expect(0);
    expect_read(&run, 1);
    assert_eq!(server.hits(), 1);
}

#[test]
fn a_refused_connection_is_retried_and_named() {
    let base = format!("http://127.0.0.1:{}", free_port());
    let run = check_one(&base, 1).run().expect(3);
    expect_failed(&run, "connect", 2);
}

#[test]
fn a_connection_that_closes_without_an_answer_is_retried() {
    let server = Server::start(|_| Reply::close());
    let run = check_one(&server.url(), 2).run().expect(3);
    expect_failed(&run, "connect", 3);
    assert_eq!(server.hits(), 3, "every attempt is one request");
}

#[test]
fn no_retries_means_one_attempt() {
    let server = Server::start(|_| Reply::close());
    let run = check_one(&server.url(), 0).run().expect(3);
    expect_failed(&run, "connect", 1);
    assert_eq!(server.hits(), 1);
}

#[test]
fn a_connection_that_closes_once_costs_one_retry() {
    let server = Server::sequence(vec![Reply::close(), good()]);
    let run = check_one(&server.url(), 3).run().expect(0);
    expect_read(&run, 2);
    assert_eq!(server.hits(), 2);
}

#[test]
fn half_a_body_is_no_reading() {
    let server = Server::start(|_| Reply::truncated(uniapi_body("250.5")));
    let run = check_one(&server.url(), 1).run().expect(3);
    expect_failed(&run, "connect", 2);
    assert_eq!(server.hits(), 2);
}

#[test]
fn half_an_answer_head_is_no_reading() {
    let server = Server::start(|_| Reply::raw("HTTP/1.1 200 OK\r\nContent-Le"));
    let run = check_one(&server.url(), 1).run().expect(3);
    expect_failed(&run, "connect", 2);
}

#[test]
fn a_name_that_does_not_resolve_is_a_dns_failure() {
    let run = check_one("http://no-such-host.invalid", 1).run().expect(3);
    expect_failed(&run, "dns", 2);
}

#[test]
fn bytes_that_are_not_http_are_a_protocol_failure() {
    let server = Server::start(|_| Reply::raw("SSH-2.0-OpenSSH_9.9\r\n\r\nnot a web server\r\n\r\n"));
    let run = check_one(&server.url(), 0).run().expect(3);
    expect_failed(&run, "protocol", 1);
}

// ---- time --------------------------------------------------------------------------------

fn impatient(base: &str) -> Value {
    let mut config = config(vec![uniapi("A", base)]);
    config["projects"][0]["timeout_seconds"] = json!(1);
    config
}

#[test]
fn a_server_that_never_answers_is_a_timeout() {
    let server = Server::start(|_| Reply::hang());
    let run = Program::check_json(&impatient(&server.url())).run().expect(3);
    expect_failed(&run, "timeout", 1);
    assert!(run.elapsed < Duration::from_secs(8), "{run}");
}

#[test]
fn a_timeout_is_retried() {
    let server = Server::sequence(vec![Reply::hang(), good()]);
    let mut config = impatient(&server.url());
    config["settings"]["max_retries"] = json!(1);
    let run = Program::check_json(&config).run().expect(0);
    expect_read(&run, 2);
}

#[test]
fn a_body_that_drips_past_the_timeout_is_a_timeout() {
    // Each piece comes in time, the whole does not: 20 pieces take 8 seconds of 1.
    let server = Server::start(|_| Reply::drip(uniapi_body("250.5"), 20, Duration::from_millis(400)));
    let run = Program::check_json(&impatient(&server.url())).run().expect(3);
    expect_failed(&run, "timeout", 1);
    assert!(run.elapsed < Duration::from_secs(6), "the drip does not extend the time: {run}");
}

#[test]
fn a_body_that_drips_in_time_is_read() {
    let server = Server::start(|_| Reply::drip(uniapi_body("250.5"), 10, Duration::from_millis(20)));
    let run = check_one(&server.url(), 0).run().expect(0);
    expect_read(&run, 1);
}

#[test]
fn the_settings_hold_the_request_timeout() {
    let server = Server::start(|_| Reply::hang());
    let mut config = config(vec![uniapi("A", &server.url())]);
    config["settings"]["request_timeout_seconds"] = json!(1);
    let run = Program::check_json(&config).run().expect(3);
    expect_failed(&run, "timeout", 1);
    assert!(run.elapsed < Duration::from_secs(8), "{run}");
}

#[test]
fn the_environment_overrides_the_request_timeout() {
    let server = Server::start(|_| Reply::hang());
    let config = config(vec![uniapi("A", &server.url())]);
    let run = Program::check_json(&config).env("REQUEST_TIMEOUT", "1").run().expect(3);
    expect_failed(&run, "timeout", 1);
    assert!(run.elapsed < Duration::from_secs(8), "{run}");
}

// ---- size --------------------------------------------------------------------------------

fn body_of(size: usize) -> String {
    let body = uniapi_body("250.5");
    let padding = " ".repeat(size - body.len());
    body + &padding
}

#[test]
fn a_body_of_one_mebibyte_is_read() {
    let server = Server::start(|_| Reply::ok(body_of(MIB)));
    let run = check_one(&server.url(), 0).run().expect(0);
    expect_read(&run, 1);
}

#[test]
fn a_byte_more_is_refused() {
    let server = Server::start(|_| Reply::ok(body_of(MIB + 1)));
    let run = check_one(&server.url(), 0).run().expect(3);
    expect_failed(&run, "protocol", 1);
}

#[test]
fn a_body_without_an_end_is_cut_off() {
    let server = Server::start(|_| Reply::endless());
    let run = check_one(&server.url(), 0).run().expect(3);
    expect_failed(&run, "protocol", 1);
    assert!(run.elapsed < Duration::from_secs(9), "not the timeout ends it: {run}");
}

// ---- statuses and retries ----------------------------------------------------------------

#[test]
fn only_statuses_that_can_change_are_retried() {
    let cases = [
        (400, "http_status", 1),
        (401, "auth", 1),
        (403, "auth", 1),
        (404, "http_status", 1),
        (410, "http_status", 1),
        (418, "http_status", 1),
        (429, "rate_limited", 2),
        (500, "http_status", 2),
        (502, "http_status", 2),
        (503, "http_status", 2),
        (504, "http_status", 2),
    ];
    let server = Server::start(|request| Reply::status(request.case().parse().unwrap(), r#"{"error":"scripted"}"#));
    let accounts = cases.iter().map(|(status, ..)| uniapi(&status.to_string(), &format!("{}/{status}", server.url())));
    let mut config = config(accounts.collect());
    config["settings"]["max_retries"] = json!(1);
    let run = Program::check_json(&config).run().expect(3);
    let report = run.report();
    for (status, reason, attempts) in cases {
        let name = status.to_string();
        assert_eq!(run.reason(&name), reason, "HTTP {status}");
        assert_eq!(project(&report, &name)["attempts"], attempts, "HTTP {status}");
        assert_eq!(server.hits_of(&name) as u64, attempts, "requests for HTTP {status}");
        if reason == "http_status" {
            let message = project(&report, &name)["error"]["message"].as_str().unwrap();
            assert!(message.contains(&name), "the message names the status: {message}");
        }
    }
}

#[test]
fn a_server_that_recovers_is_read() {
    let failure = Reply::status(503, "<html>down</html>");
    let server = Server::sequence(vec![failure.clone(), failure, good()]);
    let run = check_one(&server.url(), 3).run().expect(0);
    expect_read(&run, 3);
    assert_eq!(server.hits(), 3);
}

#[test]
fn retry_after_in_seconds_is_waited_for() {
    for status in [429, 503] {
        let limited = Reply::status(status, "{}").header("Retry-After", "2");
        let server = Server::sequence(vec![limited, good()]);
        let run = check_one(&server.url(), 3).run().expect(0);
        expect_read(&run, 2);
        let requests = server.requests();
        let waited = requests[1].at - requests[0].at;
        assert!(waited >= Duration::from_secs(2), "{status}: waited {waited:?}");
    }
}

#[test]
fn retry_after_as_a_date_is_waited_for() {
    // A date has whole seconds only: at least two of these three are left when it is sent.
    let server = Server::start({
        let first = std::sync::atomic::AtomicBool::new(true);
        move |_| {
            if !first.swap(false, std::sync::atomic::Ordering::SeqCst) {
                return good();
            }
            let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
            Reply::status(429, "{}").header("Retry-After", &date)
        }
    });
    let run = check_one(&server.url(), 3).run().expect(0);
    expect_read(&run, 2);
    let requests = server.requests();
    let waited = requests[1].at - requests[0].at;
    assert!(waited >= Duration::from_millis(1900), "waited {waited:?}");
}

#[test]
fn a_retry_after_past_the_deadline_ends_the_attempts_at_once() {
    for value in ["3600", "99999999999999999999", "Fri, 31 Dec 2100 23:59:59 GMT"] {
        let server = Server::start(move |_| Reply::status(429, "{}").header("Retry-After", value));
        let run = check_one(&server.url(), 3).run().expect(3);
        expect_failed(&run, "rate_limited", 1);
        assert_eq!(server.hits(), 1, "{value}");
        assert!(run.elapsed < Duration::from_secs(10), "{value}: {run}");
    }
}

#[test]
fn a_retry_after_that_makes_no_sense_is_no_obstacle() {
    for value in ["soon", "-5", "", "1e3", "Mon, 99 Foo 2026 99:99:99 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"] {
        let limited = Reply::status(429, "{}").header("Retry-After", value);
        let server = Server::sequence(vec![limited, good()]);
        let run = check_one(&server.url(), 1).run();
        assert_eq!(run.code(), 0, "Retry-After: {value}: {run}");
        expect_read(&run, 2);
    }
}

// ---- TLS ---------------------------------------------------------------------------------

#[test]
fn https_with_a_trusted_certificate_is_read() {
    let server = Server::start_tls(pki::good(), |_| good());
    let run = check_one(&server.url(), 0).trusting().run().expect(0);
    expect_read(&run, 1);
    let by_name = format!("https://localhost:{}", server.port());
    let run = check_one(&by_name, 0).trusting().run().expect(0);
    expect_read(&run, 1);
}

#[test]
fn a_bad_certificate_is_final_and_nothing_is_sent() {
    let cases = [
        ("expired", pki::expired()),
        ("for another host", pki::wrong_host()),
        ("of an unknown authority", pki::unknown_authority()),
    ];
    for (what, identity) in cases {
        let server = Server::start_tls(identity, |_| good());
        let run = check_one(&server.url(), 2).trusting().run();
        assert_eq!(run.code(), 3, "a certificate {what}: {run}");
        expect_failed(&run, "tls", 1);
        assert_eq!(server.hits(), 0, "a key went to a certificate {what}");
    }
}

#[test]
fn a_private_authority_is_not_trusted_by_itself() {
    let server = Server::start_tls(pki::good(), |_| good());
    let run = check_one(&server.url(), 2).run().expect(3);
    expect_failed(&run, "tls", 1);
    assert_eq!(server.hits(), 0);
}

/// The TLS library does not tell whether the peer has announced the end.
#[test]
fn a_number_at_an_end_over_https_that_nothing_announces_is_not_read() {
    let cases = [
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n123456.78", false),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n123456", false),
        ("HTTP/1.0 200 OK\r\n\r\n1,", false),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n123456.78\n", true),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n123456.78 USD", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456.78", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456.78\r\n0\r\n\r\n", true),
    ];
    for (answer, is_whole) in cases {
        let server = Server::start_tls(pki::good(), move |_| Reply::raw(answer));
        let mut config = config(vec![account("A", "text", &server.url())]);
        config["providers"] = json!([{"id": "text", "title": "Text", "kind": "balance", "currency": "USD",
            "request": {"url": "https://api.example/", "headers": {"X-Key": "{api_key}"}, "answer": "text"}, "balance": "."}]);
        let run = Program::check_json(&config).trusting().run();
        let account = &run.report()["projects"][0];
        match is_whole {
            true => assert_eq!(account["balance"], json!(123456.78), "{answer:?}: {run}"),
            false => {
                assert_eq!(account["error"]["reason"], "protocol", "{answer:?}: {run}");
                assert!(account["error"]["message"].as_str().unwrap().contains("says no length"), "{run}");
            }
        }
    }
    // In the clear the end of the connection is the end of the answer.
    let server =
        Server::start(|_| Reply::raw("HTTP/1.0 200 OK\r\n\r\n{\"success\":true,\"data\":{\"balance\":250.5}}"));
    expect_read(&check_one(&server.url(), 0).run().expect(0), 1);
}

#[test]
fn a_webhook_over_https_is_verified_as_well() {
    let cases = [
        ("good", pki::good(), true),
        ("expired", pki::expired(), false),
        ("for another host", pki::wrong_host(), false),
        ("of an unknown authority", pki::unknown_authority(), false),
    ];
    for (what, identity, trusted) in cases {
        let server = Server::start_tls(identity, |_| Reply::ok("{}"));
        let mut config = config(vec![low("Low")]);
        config["settings"]["max_retries"] = json!(2);
        config["webhook"] = json!({"type": "custom", "url": format!("{}/hook", server.url())});
        let run = Program::check_json(&config).trusting().run();
        assert_eq!(run.code(), if trusted { 2 } else { 75 }, "a certificate {what}: {run}");
        assert_eq!(server.hits(), usize::from(trusted), "a certificate {what}");
        let delivery = run.delivery();
        assert_eq!(delivery["attempts"], 1, "a certificate {what}: {delivery}");
        if !trusted {
            assert_eq!(delivery["error"]["reason"], "tls", "a certificate {what}: {delivery}");
        }
    }
}

// ---- proxies -----------------------------------------------------------------------------

#[test]
fn accounts_are_read_through_https_proxy() {
    let server = Server::start_tls(pki::good(), |_| good());
    let proxy = Proxy::to(server.port());
    let run = check_one("https://api.proxy.test", 0).trusting().env("HTTPS_PROXY", &proxy.url()).run().expect(0);
    expect_read(&run, 1);
    assert_eq!(proxy.targets(), ["api.proxy.test:443"]);
    assert_eq!(server.only_request().header("Host"), Some("api.proxy.test"));
}

#[test]
fn webhooks_are_sent_through_https_proxy() {
    let server = Server::start_tls(pki::good(), |_| Reply::ok("{}"));
    let proxy = Proxy::to(server.port());
    let mut config = config(vec![low("Low")]);
    config["webhook"] = json!({"type": "custom", "url": "https://hook.proxy.test/alert"});
    let run = Program::check_json(&config).trusting().env("HTTPS_PROXY", &proxy.url()).run().expect(2);
    assert_eq!(run.delivery()["status"], "sent", "{run}");
    assert_eq!(proxy.targets(), ["hook.proxy.test:443"]);
    assert_eq!(server.only_request().path(), "/alert");
}

#[test]
fn a_proxy_does_not_weaken_tls() {
    let server = Server::start_tls(pki::unknown_authority(), |_| good());
    let proxy = Proxy::to(server.port());
    let run = check_one("https://localhost", 0).trusting().env("HTTPS_PROXY", &proxy.url()).run().expect(3);
    expect_failed(&run, "tls", 1);
    assert_eq!(server.hits(), 0);
}

// ---- redirects ---------------------------------------------------------------------------

#[test]
fn a_redirect_on_the_same_origin_is_followed() {
    let server = Server::start(|request| match request.path() {
        "/v1/billing/usage" => Reply::redirect(302, "/moved?unit=usd"),
        _ => good(),
    });
    let run = check_one(&server.url(), 0).run().expect(0);
    expect_read(&run, 1);
    let requests = server.requests();
    assert_eq!(requests[1].target, "/moved?unit=usd");
    assert!(requests[1].header("Authorization").is_some(), "the key goes along");
}

#[test]
fn a_redirect_to_another_origin_is_never_followed() {
    for status in [301, 302, 303, 307, 308] {
        let other = Server::start(|_| good());
        let elsewhere = format!("{}/stolen", other.url());
        let server = Server::start(move |_| Reply::redirect(status, &elsewhere));
        let mut config = config(vec![uniapi("A", &server.url()), account("W", "wxrank", &server.url())]);
        config["settings"]["max_retries"] = json!(2);
        let run = Program::check_json(&config).run();
        assert_eq!(run.code(), 3, "HTTP {status}: {run}");
        expect_failed(&run, "http_status", 1);
        assert_eq!(run.reason("W"), "http_status", "HTTP {status}");
        assert_eq!(other.hits(), 0, "HTTP {status} went to another origin");
        assert_eq!(server.hits(), 2, "HTTP {status} is final");
    }
}

#[test]
fn a_redirect_to_another_scheme_or_name_is_another_origin() {
    let plain = Server::start(|_| good());
    let down = format!("{}/plain", plain.url());
    let secure = Server::start_tls(pki::good(), move |_| Reply::redirect(302, &down));
    let run = check_one(&secure.url(), 0).trusting().run().expect(3);
    expect_failed(&run, "http_status", 1);
    assert_eq!(plain.hits(), 0);

    // The same server under its other name.
    let server = Server::start(|request| {
        let port = request.header("Host").unwrap().rsplit(':').next().unwrap();
        Reply::redirect(302, &format!("http://localhost:{port}/again"))
    });
    let run = check_one(&server.url(), 0).run().expect(3);
    expect_failed(&run, "http_status", 1);
    assert_eq!(server.hits(), 1);
}

#[test]
fn a_circle_of_redirects_ends() {
    let server = Server::start(|_| Reply::redirect(302, "/again"));
    let run = check_one(&server.url(), 0).run().expect(3);
    expect_failed(&run, "http_status", 1);
    assert_eq!(server.hits(), 1 + 5, "five redirects are followed");
}

// ---- concurrency -------------------------------------------------------------------------

/// Checks `accounts` accounts and returns how many were asked at once. The first `expected`
/// requests are all held until the last of them is there; one too many would then show up
/// while they are being answered slowly.
fn parallel(accounts: usize, expected: usize, settings: Value, arg: Option<&str>) -> (usize, Finished) {
    let gate = Arc::new(Gate::new());
    let at_gate = Arc::clone(&gate);
    let server = Server::start(move |_| {
        at_gate.arrive();
        at_gate.wait_for(expected);
        good().after(Duration::from_millis(150))
    });
    let list = (0..accounts).map(|n| uniapi(&format!("A{n}"), &server.url()));
    let mut config = config(list.collect());
    for (key, value) in settings.as_object().unwrap() {
        config["settings"][key] = value.clone();
    }
    let mut program = Program::check_json(&config);
    if let Some(n) = arg {
        program = match n.strip_prefix("MAX_CONCURRENT_CHECKS=") {
            Some(n) => program.env("MAX_CONCURRENT_CHECKS", n),
            None => program.args(["--concurrency", n]),
        };
    }
    let run = program.run().expect(0);
    assert_eq!(server.hits(), accounts);
    (server.max_open(), run)
}

#[test]
fn twenty_accounts_are_read_at_once_by_default() {
    assert_eq!(parallel(45, 20, json!({}), None).0, 20);
}

#[test]
fn five_hundred_at_once_are_fifty_and_a_warning() {
    let (at_once, run) = parallel(110, 50, json!({"max_concurrent_checks": 500}), None);
    assert_eq!(at_once, 50);
    let warning = "500 concurrent checks are asked for, 50 are allowed";
    assert_eq!(run.stderr.matches(warning).count(), 1, "{run}");
}

#[test]
fn fifty_at_once_need_no_warning() {
    let (at_once, run) = parallel(60, 50, json!({"max_concurrent_checks": 50}), None);
    assert_eq!(at_once, 50);
    assert_eq!(run.stderr, "");
}

#[test]
fn the_flag_decides_how_many_run_at_once() {
    assert_eq!(parallel(9, 3, json!({"max_concurrent_checks": 30}), Some("3")).0, 3);
    let variable = Some("MAX_CONCURRENT_CHECKS=4");
    assert_eq!(parallel(9, 4, json!({"max_concurrent_checks": 30}), variable).0, 4);
}

#[test]
fn fewer_accounts_than_workers_all_run_at_once() {
    assert_eq!(parallel(4, 4, json!({}), None).0, 4);
}

#[test]
fn the_report_keeps_the_order_of_the_config() {
    let server = Server::start(|request| {
        let n: u64 = request.case().parse().unwrap();
        Reply::ok(uniapi_body(&format!("{}", 100 + n))).after(Duration::from_millis(40 * (8 - n)))
    });
    let list = (0..8).map(|n| uniapi(&format!("A{n}"), &format!("{}/{n}", server.url())));
    let run = Program::check_json(&config(list.collect())).run().expect(0);
    let report = run.report();
    let read: Vec<Value> =
        report["projects"].as_array().unwrap().iter().map(|one| json!([one["name"], one["balance"]])).collect();
    let want: Vec<Value> = (0..8).map(|n| json!([format!("A{n}"), 100 + n])).collect();
    assert_eq!(read, want, "each with its own reading");
}

// ---- the deadline of the run -------------------------------------------------------------

/// The contract: the process ends within two seconds of the deadline. One more for a busy machine.
fn assert_ended_in_time(run: &Finished, deadline: u64) {
    let limit = Duration::from_secs(deadline + 3);
    assert!(run.elapsed < limit, "the run ends within 2 s of its deadline: {run}");
}

fn half_hanging(server: &Server, hook: &Server) -> Value {
    let mut config = config(vec![uniapi("H1", &server.url()), low("Low"), uniapi("H2", &server.url())]);
    config["settings"]["max_retries"] = json!(3);
    config["webhook"] = json!({"type": "custom", "url": format!("{}/hook", hook.url())});
    config
}

fn assert_told_the_rest(run: &Finished, hook: &Server) {
    assert_eq!(run.reason("H1"), "timeout");
    assert_eq!(run.reason("H2"), "timeout");
    let report = run.report();
    assert_eq!(project(&report, "Low")["status"], "low");
    assert_eq!(run.delivery()["status"], "sent", "{run}");
    let alert = hook.only_request().json();
    assert_eq!(alert["Resources"][0]["ProjectName"], "Low", "{alert}");
}

#[test]
fn at_the_deadline_the_rest_is_still_told() {
    let server = Server::start(|_| Reply::hang());
    let hook = Server::start(|_| Reply::ok("{}"));
    let program = Program::check_json(&half_hanging(&server, &hook));
    let run = program.args(["--timeout", "2"]).run().expect(2);
    assert_ended_in_time(&run, 2);
    assert_told_the_rest(&run, &hook);
}

#[test]
fn the_deadline_can_stand_in_the_settings() {
    let server = Server::start(|_| Reply::hang());
    let hook = Server::start(|_| Reply::ok("{}"));
    let mut config = half_hanging(&server, &hook);
    config["settings"]["run_timeout_seconds"] = json!(2);
    let run = Program::check_json(&config).run().expect(2);
    assert_ended_in_time(&run, 2);
    assert_told_the_rest(&run, &hook);
}

#[test]
fn the_deadline_reaches_checks_that_have_not_begun() {
    let server = Server::start(|_| Reply::hang());
    let accounts = (0..4).map(|n| uniapi(&format!("A{n}"), &server.url()));
    let config = config(accounts.collect());
    let run = Program::check_json(&config).args(["--timeout", "1", "--concurrency", "1"]).run().expect(3);
    assert_ended_in_time(&run, 1);
    for n in 0..4 {
        assert_eq!(run.reason(&format!("A{n}")), "timeout");
    }
}

#[test]
fn the_deadline_ends_a_webhook_that_hangs() {
    let hook = Server::start(|_| Reply::hang());
    let mut config = config(vec![low("Low")]);
    config["settings"]["max_retries"] = json!(3);
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    let run = Program::check_json(&config).args(["--timeout", "2"]).run().expect(75);
    assert_ended_in_time(&run, 2);
    assert_eq!(run.delivery()["error"]["reason"], "timeout", "{run}");
}

#[test]
fn the_deadline_cuts_the_waits_between_attempts() {
    let server = Server::start(|_| Reply::status(500, "{}"));
    let run = check_one(&server.url(), 10).args(["--timeout", "2"]).run().expect(3);
    assert_ended_in_time(&run, 2);
    assert_eq!(run.reason("A"), "http_status", "what the server said, not that the time is over");
}

#[test]
fn the_deadline_ends_a_body_that_drips() {
    let server = Server::start(|_| Reply::drip(uniapi_body("1"), 40, Duration::from_millis(250)));
    let run = check_one(&server.url(), 0).args(["--timeout", "2"]).run().expect(3);
    assert_ended_in_time(&run, 2);
    expect_failed(&run, "timeout", 1);
}

// ---- panics ------------------------------------------------------------------------------

#[test]
fn a_panic_stays_in_its_check() {
    let server = Server::start(|_| good());
    let accounts = ["A", "B", "C"].map(|name| uniapi(name, &server.url()));
    let run =
        Program::check_json(&config(accounts.to_vec())).env("BALANCE_ALERT_FAULT", "check-panic:B").run().expect(3);
    assert_eq!(run.reason("B"), "internal");
    let report = run.report();
    for name in ["A", "C"] {
        assert_eq!(project(&report, name)["status"], "ok", "{run}");
    }
}

#[test]
fn a_panic_in_the_run_is_an_internal_error() {
    let run = Program::check_json(&config(vec![low("Low")])).env("BALANCE_ALERT_FAULT", "run-panic").run().expect(70);
    assert!(run.stderr.contains("internal"), "{run}");
}
