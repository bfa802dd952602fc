//! `init`: from nothing to the first alert, in both languages, and all that it refuses to do.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::support::{Finished, Program, Reply, Server, all_text};

const KEY: &str = "sk-0f3c9a7b5d1e8642c0ffee77";

/// An account with 5 CNY, which wants this key.
fn deepseek() -> Server {
    Server::start(|request| match request.header("authorization") {
        Some(header) if header == format!("Bearer {KEY}") => {
            Reply::ok(r#"{"is_available":true,"balance_infos":[{"currency":"CNY","total_balance":"5.00"}]}"#)
        }
        _ => Reply::status(401, "{}"),
    })
}

/// `init` with these arguments, without a terminal, where the key stands in the environment.
fn init<const N: usize>(arguments: [&str; N]) -> Program {
    Program::new(["init"]).args(arguments).env("DEEPSEEK_API_KEY", KEY)
}

fn text(program: &Program, name: &str) -> String {
    std::fs::read_to_string(program.path(name)).unwrap_or_default()
}

fn mode(program: &Program, name: &str) -> u32 {
    std::fs::metadata(program.path(name)).unwrap().permissions().mode() & 0o777
}

/// The command that the output names as the next one, run where nothing but the files is left.
fn next(program: &Program, done: &Finished) -> Program {
    let line = done.stdout.lines().last().unwrap();
    let command = line.split_once("balance-alert ").unwrap_or_else(|| panic!("no next command: {done}")).1;
    let words: Vec<&str> = command.split(' ').collect();
    words[1..].iter().fold(program.without_variables().instead([words[0]]), |program, word| program.args([*word]))
}

#[test]
fn from_a_key_in_the_environment_to_the_first_alert() {
    for (locale, language, kind, answer, said) in [
        ("en_US.UTF-8", "en", "slack", "ok", "Balance alert: 1 low"),
        ("zh_CN.UTF-8", "zh", "feishu", r#"{"code":0}"#, "余额告警"),
    ] {
        let (service, robot) = (deepseek(), Server::start(move |_| Reply::ok(answer)));
        let program = init(["--yes", "--provider", "deepseek", "--base-url", &service.url(), "--threshold", "100"]);
        let address = format!("{}/hook/7f3a9c1e5b2d", robot.url());
        let program = program.args(["--channel", kind]).env("WEBHOOK_URL", &address).env("LANG", locale);
        let done = program.clone().run().expect(0);
        assert_eq!((mode(&program, ".env"), done.stderr.as_str()), (0o600, ""), "{done}");
        let config = text(&program, "config.yaml");
        assert!(config.starts_with("# yaml-language-server: $schema=config.schema.json\n"), "{config}");
        assert!(config.contains(&format!("language: {language}")) && !config.contains(KEY), "{config}");
        assert!(!done.stdout.contains(KEY) && !done.stdout.contains("7f3a9c1e5b2d"), "{done}");
        // From here on the keys stand in `.env` alone.
        let file = ["--config", "config.yaml"];
        program.without_variables().instead(["validate"]).args(file).run().expect(0);
        next(&program, &done).run().expect(2);
        assert_eq!(robot.hits(), 0, "a dry run sends nothing");
        let done = program.without_variables().instead(["check"]).args(file).run().expect(2);
        let message = all_text(&robot.only_request().json());
        assert!(message.contains(said) && message.contains("DeepSeek"), "{language}: {message}: {done}");
        // The second time nothing is written.
        let before = (text(&program, "config.yaml"), text(&program, ".env"));
        let done = program.clone().run().expect(64);
        assert!(done.stderr.contains("`config.yaml` is there already"), "{done}");
        assert_eq!((text(&program, "config.yaml"), text(&program, ".env")), before);
    }
}

#[test]
fn all_keys_are_found_and_a_file_that_is_there_only_grows() {
    let program = init(["--yes"])
        .file(".env", "MOONSHOT_API_KEY='k-0f3c9a7b5d1e8642'\n# mine")
        .env("FAL_KEY", "a:b0f3c9a7b5d1e8642");
    let program =
        program.env("OPENAI_ADMIN_KEY", "sk-admin-0f3c9a7b5d1e8642").env("TWILIO_ACCOUNT_SID", "AC0f3c9a7b5d1e");
    let done = program.clone().run().expect(0);
    let config = text(&program, "config.yaml");
    let providers: Vec<&str> = config.lines().filter_map(|line| line.trim().strip_prefix("provider: ")).collect();
    assert_eq!(providers, ["deepseek", "fal", "moonshot"], "{config}");
    assert!(config.contains("type: \"console\""), "{config}");
    assert!(done.stdout.contains("OPENAI_ADMIN_KEY: not taken") && !done.stdout.contains("TWILIO"), "{done}");
    let want =
        format!("MOONSHOT_API_KEY='k-0f3c9a7b5d1e8642'\n# mine\nDEEPSEEK_API_KEY={KEY}\nFAL_KEY=a:b0f3c9a7b5d1e8642\n");
    assert_eq!(text(&program, ".env"), want);
    assert!(done.stdout.contains("chmod 600 .env"), "others can read the file that was there: {done}");
    program.without_variables().instead(["validate", "--config", "config.yaml"]).run().expect(0);
}

/// Whatever is wrong, nothing is written, and what was there stays as it was.
#[test]
fn what_cannot_be_in_order_is_not_written() {
    for (program, code, said) in [
        (init([]), 64, "there is no terminal to ask at"),
        (Program::new(["init", "--yes"]), 64, "no key of a service is found"),
        (init(["--yes", "--provider", "deepsek"]), 64, "there is no such service\n hint: did you mean `deepseek`?"),
        (init(["--yes", "--provider", "moonshot"]), 64, "set MOONSHOT_API_KEY in the environment"),
        (init(["--yes", "--provider", "openai-costs"]), 64, "needs more than a key"),
        (init(["--yes", "--provider", "litellm"]), 64, "needs more than a key"),
        (init(["--yes", "--provider", "openai-balance"]), 64, "cannot be read: "),
        (init(["--yes", "--threshold", "ten"]), 64, "`--threshold` is a number"),
        (
            init(["--yes", "--channel", "console"]).env("WEBHOOK_URL", "https://hooks.example.com/x"),
            64,
            "the console has no address",
        ),
        (init(["--yes", "--channel", "slack"]), 64, "there is no address for the channel"),
        (
            init(["--yes", "--channel", "telegram"]).env("WEBHOOK_URL", "https://hooks.example.com/x"),
            78,
            "nothing is written",
        ),
        (init(["--yes"]).env("WEBHOOK_URL", "no address"), 78, "nothing is written"),
        (init(["--yes", "--provider", "deepseek", "--base-url", "nowhere"]), 78, "nothing is written"),
        (init(["--yes"]).env("DEEPSEEK_API_KEY", "two words of a key\tand a tab"), 78, "nothing is written"),
        (init(["--yes"]).file(".env", "A='never closed\n"), 64, "`.env` cannot be read to its end"),
        (init(["--yes", "--config", "none/config.yaml"]), 74, "its folder does not exist"),
        (init(["--from", "old.json"]), 78, "cannot be read: no such file"),
        (init(["--from", "old.json"]).file("old.json", "[]"), 78, "not a mapping"),
        (init(["--from", "old.json"]).file("old.json", r#"{"projects":[{"name":"A"}]}"#), 78, "`provider` is missing"),
    ] {
        let before = text(&program, ".env");
        let done = program.clone().run().expect(code);
        assert!(done.stderr.contains(said), "{said}: {done}");
        assert_eq!((text(&program, ".env"), program.path("config.yaml").exists()), (before, false), "{done}");
        assert!(!done.stderr.contains("two words") && !done.stderr.contains(KEY), "{done}");
    }
}

#[test]
fn an_old_config_is_written_anew_and_every_key_has_a_fate() {
    let (service, robot) = (deepseek(), Server::start(|_| Reply::ok(r#"{"code":0}"#)));
    let old = format!(
        r#"{{"settings": {{"max_concurrent_checks": 5, "check_interval": 60}},
            "webhook": {{"url": "{}/hook/7f3a9c1e5b2d", "type": "feishu", "source": "old"}},
            "projects": [{{"name": "Old one", "provider": "deepseek", "api_key": "{KEY}", "threshold": 100,
                "project": "Team", "base_url": "{}"}}],
            "subscriptions": [], "email": []}}"#,
        robot.url(),
        service.url()
    );
    for (language, fates) in [
        ("en", ["left out: nothing reads it", "is now owner_project", "is in .env now, as DEEPSEEK_API_KEY", "kept"]),
        ("zh", ["去掉", "改为 owner_project", "移入 .env，变量 DEEPSEEK_API_KEY", "保留"]),
    ] {
        let program = Program::new(["init", "--from", "old.json", "--language", language]).file("old.json", &old);
        let done = program.clone().run().expect(0);
        let keys = ["settings.check_interval", "projects[].project", "projects[].api_key", "projects[].threshold"];
        for (key, fate) in keys.iter().zip(fates) {
            let line = done.stdout.lines().find(|line| line.trim_start().starts_with(key));
            assert!(line.is_some_and(|line| line.contains(fate)), "{key}: {fate}: {done}");
        }
        let config = text(&program, "config.yaml");
        assert!(
            !config.contains(KEY) && !config.contains("7f3a9c1e5b2d") && !done.stdout.contains(KEY),
            "{config}{done}"
        );
        assert_eq!((text(&program, "old.json"), mode(&program, ".env")), (old.clone(), 0o600));
        next(&program, &done).run().expect(0);
        program.instead(["check", "--config", "config.yaml"]).run().expect(2);
    }
    assert_eq!(robot.hits(), 2);
    assert!(all_text(&robot.requests()[0].json()).contains("Old one (Team)"));
}

/// A person at a terminal, who answers each question when it is there.
#[test]
fn at_a_terminal_it_asks_and_shows_no_secret() {
    let folder = Program::new(["init"]);
    let mut child = Command::new("script")
        .args(["-qec", &format!("{} init", env!("CARGO_BIN_EXE_balance-alert")), "/dev/null"])
        .current_dir(folder.path(""))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = String::new();
    for (question, answer) in [
        ("by their ids", "deepseek\r"),
        ("DeepSeek key", &*format!("{KEY}x\u{7f}\r")),
        ("is below [10]", "2.5\r"),
        ("alerts go to", "https://hooks.slack.com/services/T0/B0/7f3a9c1e5b2d\r"),
    ] {
        let mut byte = [0];
        while !(shown.contains(question) && shown.ends_with(": ")) {
            assert_eq!(screen.read(&mut byte).unwrap(), 1, "{question}: {shown}");
            shown.push(char::from(byte[0]));
        }
        keyboard.write_all(answer.as_bytes()).unwrap();
    }
    screen.read_to_string(&mut shown).unwrap();
    assert!(child.wait().unwrap().success(), "{shown}");
    assert!(shown.contains("Next: balance-alert check --dry-run --config config.yaml"), "{shown}");
    assert!(!shown.contains(KEY) && !shown.contains("7f3a9c1e5b2d"), "{shown}");
    assert!(text(&folder, "config.yaml").contains("threshold: 2.5 "), "{shown}");
    assert!(text(&folder, ".env").starts_with(&format!("DEEPSEEK_API_KEY={KEY}\nWEBHOOK_URL=")), "{shown}");
    folder.instead(["validate", "--config", "config.yaml"]).run().expect(0);
}
