//! `doctor`: a line for each thing, and what to do.

use serde_json::{Value, json};

use crate::support::{Program, Reply, Server, config, fine, free_port, uniapi, uniapi_body};

/// A service with 500 of 10, whose clock is so many seconds ahead of ours.
fn service(ahead: u64) -> Server {
    Server::start(move |_| {
        let at = std::time::SystemTime::now() + std::time::Duration::from_secs(ahead);
        Reply::ok(uniapi_body("500")).header("date", &httpdate::fmt_http_date(at))
    })
}

/// `doctor` for a config that has run once.
fn doctor(config: &Value) -> Program {
    let program = Program::check(config);
    program.clone().run();
    let path = program.path("config.yaml").display().to_string();
    program.instead(["doctor", "--config", &path, "--output", "json"])
}

/// The state of each thing, by its first word.
fn states(program: &Program, code: i32) -> std::collections::BTreeMap<String, (String, String)> {
    let done = program.clone().run().expect(code);
    let object: Value = serde_json::from_str(&done.stdout).unwrap_or_else(|why| panic!("{why}: {done}"));
    assert_eq!(object["exit_code"], code, "{done}");
    let lines = object["lines"].as_array().unwrap().iter().map(|line| {
        let of = |key: &str| line[key].as_str().unwrap().to_owned();
        let is_well = ["ok", "skipped"].contains(&line["state"].as_str().unwrap());
        assert!(is_well || !of("hint").is_empty(), "what to do is said: {done}");
        (of("what"), (of("state"), of("found")))
    });
    lines.collect()
}

fn with(mut config: Value, key: &str, value: Value) -> Value {
    config[key] = value;
    config
}

#[test]
fn each_thing_has_its_line_and_the_worst_decides_the_code() {
    let healthy = service(0);
    let told = |config| with(config, "webhook", json!({"type": "console"}));
    let good = told(config(vec![fine("A"), uniapi("B", &healthy.url())]));
    let program = doctor(&good);
    let hits = healthy.hits();
    let lines = states(&program, 0);
    for what in ["config", "variables", "time zone", "channel console", "memory", "schedule"] {
        assert_eq!(lines[what].0, "ok", "{what}: {lines:?}");
    }
    assert_eq!((lines["network, clock"].0.as_str(), healthy.hits()), ("skipped", hits), "{lines:?}");
    let lines = states(&program.clone().args(["--network"]), 0);
    assert_eq!((lines["clock"].0.as_str(), healthy.hits()), ("ok", hits + 1), "{lines:?}");
    assert!(lines.keys().any(|what| what.starts_with("host 127.0.0.1")), "{lines:?}");
    let asked = healthy.requests().pop().unwrap();
    assert_eq!((asked.path(), asked.header("authorization")), ("/", None), "nothing is sent that proves who asks");
    // The table says the same.
    let table =
        program.instead(["doctor", "--config", &program.path("config.yaml").display().to_string()]).run().expect(0);
    assert!(table.stdout.starts_with(" STATE") && table.stdout.contains("add --network"), "{table}");
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let closed = uniapi("C", &nobody);
    let wrong = service(3600);
    for (config, network, code, what, state, found) in [
        (config(vec![fine("A")]), false, 1, "channels", "warning", "nobody is told"),
        (told(config(vec![fine("A"), closed])), true, 3, "host 127.0.0.1", "bad", "connect: "),
        (told(config(vec![uniapi("D", &wrong.url())])), true, 3, "clock", "bad", "behind that of"),
        (
            with(good.clone(), "webhook", json!({"type": "custom", "url": nobody})),
            true,
            3,
            "host 127.0.0.1",
            "bad",
            "connect: ",
        ),
        (with(good.clone(), "state", json!("none")), false, 1, "memory", "warning", "nothing is remembered"),
        (
            told(config(vec![json!({"name": "E", "provider": "deepseek", "api_key": "${NO_SUCH}", "threshold": 1})])),
            false,
            3,
            "variables",
            "bad",
            "`NO_SUCH`",
        ),
        (
            with(good.clone(), "webhook", json!({"type": "slack", "url": "${NO_HOOK}"})),
            false,
            3,
            "channel slack",
            "bad",
            "NO_HOOK",
        ),
    ] {
        let program = doctor(&config);
        let lines = states(&if network { program.args(["--network"]) } else { program }, code);
        let hit = lines.iter().any(|(name, (is, says))| name.starts_with(what) && is == state && says.contains(found));
        assert!(hit, "{what} {state} {found}: {lines:?}");
    }
    let absent = Program::new(["doctor", "--config", "nowhere.yaml", "--output", "json"]);
    assert_eq!(states(&absent, 78)["config"].0, "bad");
    let wrong = absent.file("nowhere.yaml", "projects: [{ names: A }]");
    assert!(states(&wrong, 78)["config"].1.contains("nowhere.yaml:1:"));
}
