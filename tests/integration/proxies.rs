//! Proxies: one reading of the variables for accounts and for alerts, and a proxy's own failure is the proxy's.

use crate::support::proxy::Proxy;
use crate::support::{Finished, Program, Reply, Server, config, free_port, low, pki, project, uniapi, uniapi_body};
use serde_json::{Value, json};

/// An account and a channel, at hosts that exist only behind a proxy, or at this machine.
fn both(account: &str, hook: &str) -> Value {
    let mut config = config(vec![uniapi("A", account), low("Low")]);
    config["webhook"] = json!({"type": "custom", "url": format!("{hook}/in")});
    config
}

fn answers() -> Server {
    Server::start(|request| if request.method == "POST" { Reply::ok("{}") } else { Reply::ok(uniapi_body("250.5")) })
}

#[track_caller]
fn expect_through(run: &Finished) {
    let report = run.report();
    assert_eq!(project(&report, "A")["status"], "ok", "{run}");
    assert_eq!(run.delivery()["status"], "sent", "{run}");
}

#[test]
fn plain_http_goes_through_http_proxy_with_its_login() {
    let server = answers();
    let proxy = Proxy::guarded(server.port(), "us er", "p@ss:w%rd");
    let config = both("http://api.proxy.test:8080", "http://hook.proxy.test");
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let program = Program::check_json(&config).args(["--state", "none"]);
        let run = program.env(name, &proxy.url_of("us%20er:p%40ss%3Aw%25rd")).run().expect(2);
        expect_through(&run);
        assert!(!run.stderr.contains("p@ss") && !run.stderr.contains("p%40ss"), "{run}");
    }
    let mut targets = proxy.targets();
    targets.sort_unstable();
    targets.dedup();
    assert_eq!(targets, ["http://api.proxy.test:8080/v1/billing/usage?unit=usd", "http://hook.proxy.test/in"]);
    let hosts: Vec<String> = server.requests().iter().map(|request| request.header("host").unwrap().into()).collect();
    assert!(hosts.iter().all(|host| host == "api.proxy.test:8080" || host == "hook.proxy.test"), "{hosts:?}");
    assert!(server.requests().iter().all(|request| request.header("proxy-authorization").is_none()));
}

#[test]
fn tls_goes_through_a_tunnel_with_its_login() {
    let reply = |request: &crate::support::Request| match request.method.as_str() {
        "POST" => Reply::ok("{}"),
        _ => Reply::ok(uniapi_body("250.5")),
    };
    let server = Server::start_tls(pki::good(), reply);
    let proxy = Proxy::guarded(server.port(), "user", "p@ss");
    let config = both("https://api.proxy.test", "https://hook.proxy.test:8443");
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let program = Program::check_json(&config).trusting().args(["--state", "none"]);
        expect_through(&program.env(name, &proxy.url_of("user:p%40ss")).run().expect(2));
    }
    assert_eq!(proxy.targets().iter().filter(|target| *target == "api.proxy.test:443").count(), 3);
    assert_eq!(proxy.targets().iter().filter(|target| *target == "hook.proxy.test:8443").count(), 3);
    assert!(proxy.logins().iter().all(Option::is_some));
    assert!(server.requests().iter().all(|request| request.header("proxy-authorization").is_none()));
}

#[test]
fn who_needs_no_proxy_is_asked_directly_by_both() {
    let server = answers();
    let dead = format!("http://127.0.0.1:{}", free_port());
    let port = server.port();
    for (host, variable, no_proxy) in [
        ("127.0.0.1", "HTTPS_PROXY", ""),
        ("127.0.0.1", "HTTP_PROXY", "*"),
        ("127.0.0.1", "ALL_PROXY", "127.0.0.1"),
        ("127.0.0.1", "HTTP_PROXY", "127.0.0.0/8"),
        ("127.0.0.1", "HTTP_PROXY", "10.0.0.0/8, 127.0.0.0/8"),
        ("127.0.0.1", "HTTP_PROXY", "other.example 127.0.0.1"),
        ("127.0.0.1", "HTTP_PROXY", &format!("127.0.0.1:{port}")),
        ("localhost", "HTTP_PROXY", "localhost"),
        ("localhost", "HTTP_PROXY", ".localhost"),
        ("localhost", "HTTP_PROXY", "LOCALHOST."),
        ("localhost", "HTTP_PROXY", &format!("localhost:{port}")),
    ] {
        let base = format!("http://{host}:{port}");
        let program = Program::check_json(&both(&base, &base)).env(variable, &dead).env("NO_PROXY", no_proxy);
        let run = program.run();
        assert_eq!(run.code(), 2, "{variable} {no_proxy:?}: {run}");
        expect_through(&run);
    }
    // And what looks like an exception but is none goes to the proxy, for both.
    for no_proxy in ["127.0.0.1:1", "0.0.1", "128.0.0.0/8", "localhost"] {
        let base = format!("http://127.0.0.1:{port}");
        let program = Program::check_json(&both(&base, &base)).env("HTTP_PROXY", &dead).env("NO_PROXY", no_proxy);
        let run = program.run().expect(75);
        assert_eq!((run.reason("A").as_str(), &run.delivery()["error"]["reason"]), ("connect", &json!("connect")));
    }
}

/// What the account and the delivery say.
fn said(run: &Finished) -> [String; 2] {
    let report = run.report();
    [&project(&report, "A")["error"], &run.delivery()["error"]].map(|error| {
        assert!(!error.is_null(), "both fail: {run}");
        format!("{} {}", error["reason"].as_str().unwrap(), error["message"].as_str().unwrap())
    })
}

#[test]
fn the_failure_of_a_proxy_is_said_to_be_the_proxys() {
    let server = answers();
    let guarded = Proxy::guarded(server.port(), "user", "right");
    let (forbidding, broken) = (Proxy::refusing(403), Proxy::refusing(502));
    let dead = format!("127.0.0.1:{}", free_port());
    for scheme in ["http", "https"] {
        let config = both(&format!("{scheme}://api.proxy.test"), &format!("{scheme}://hook.proxy.test"));
        let says = |proxy: &str| {
            let run = Program::check_json(&config).env("ALL_PROXY", proxy).run().expect(75);
            for text in [&run.stdout, &run.stderr] {
                assert!(!text.contains("LeakProxyPassword") && !text.contains("TGVha1Byb3h5UGFzc3dvcmQ"), "{run}");
            }
            said(&run)
        };
        for (who, hosts) in says(&guarded.url()).iter().zip(["api.proxy.test", "hook.proxy.test"]) {
            let want = format!("connect {hosts}: the proxy {} wants a login (HTTP 407)", guarded.name());
            assert_eq!(*who, want, "{scheme}");
        }
        for who in says(&guarded.url_of("user:LeakProxyPassword")) {
            assert!(who.contains(&format!("the proxy {} refuses the user or the password", guarded.name())), "{who}");
        }
        for who in says(&format!("http://{dead}")) {
            assert!(
                who.starts_with("connect ") && who.ends_with(&format!("the proxy {dead}: the connection was refused"))
            );
        }
        for who in says("http://no-such-proxy.invalid:3128") {
            assert!(
                who.starts_with("dns ") && who.contains("the proxy no-such-proxy.invalid:3128: the host name"),
                "{who}"
            );
        }
        for (proxy, status) in [(&forbidding, 403), (&broken, 502)] {
            for who in says(&proxy.url()) {
                // Of an answer in the clear only the proxy could say who wrote it.
                let name = if scheme == "https" || status == 502 { proxy.name() } else { format!("HTTP {status}") };
                assert!(who.contains(&name), "{scheme} {status}: {who}");
            }
        }
    }
    assert_eq!(server.hits(), 0);
}

#[test]
fn a_proxy_that_this_program_does_not_speak_to_is_refused_by_name() {
    let server = answers();
    for (value, what) in [
        ("socks5://u:LeakProxyPassword@127.0.0.1:1080", "SOCKS"),
        ("socks5h://127.0.0.1", "SOCKS"),
        ("socks4a://127.0.0.1", "SOCKS"),
        ("https://127.0.0.1:3129", "TLS"),
        ("gopher://127.0.0.1", "does not hold the address of a proxy"),
        ("u:LeakProxyPassword@", "does not hold the address of a proxy"),
    ] {
        let config = both(&server.url(), &server.url());
        let program = Program::check_json(&config).env("ALL_PROXY", value);
        let run = program.clone().run().expect(75);
        for who in said(&run) {
            assert!(who.starts_with("config ") && who.contains("`ALL_PROXY`") && who.contains(what), "{value}: {who}");
        }
        assert!(!run.stdout.contains("LeakProxy") && !run.stderr.contains("LeakProxy"), "{run}");
        assert_eq!(run.stderr.matches("nothing can be asked through it").count(), 1, "once: {run}");
        let validated = program.instead(["validate", "--config", "config.yaml"]).run().expect(0);
        assert!(validated.stderr.contains("`ALL_PROXY`") && validated.stderr.contains(what), "{validated}");
        // Who needs no proxy is not hurt.
        expect_through(&program.env("NO_PROXY", "127.0.0.1").run().expect(2));
    }
}

#[test]
fn a_header_of_a_web_request_chooses_no_proxy() {
    let server = answers();
    let dead = format!("http://127.0.0.1:{}", free_port());
    let program = Program::check_json(&both(&server.url(), &server.url()));
    expect_through(&program.env("HTTP_PROXY", &dead).env("REQUEST_METHOD", "GET").run().expect(2));
}
