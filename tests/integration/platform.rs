//! What the files for Kubernetes, systemd, cron, CI and Nagios promise, held against the program: their configs are valid,
//! their command lines are understood, their limits fit each other. That the files are well formed is for `tests/platform.sh`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use balance_alert::Exit;
use serde::Deserialize;
use serde_yaml::Value;
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const OVERLAYS: &str = "examples/kubernetes/overlays";

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn documents(file: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(&read(file)).map(|document| Value::deserialize(document).unwrap()).collect()
}

fn cron_job(file: &str) -> Value {
    documents(file).into_iter().find(|document| document["kind"] == "CronJob").unwrap()
}

/// A value by its path, which must be there.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(value, |value, key| {
        let inner = key.parse::<usize>().map_or_else(|_| value.get(key), |index| value.get(index));
        inner.unwrap_or_else(|| panic!("no `{key}` of `{path}`"))
    })
}

fn number(value: &Value, path: &str) -> u64 {
    at(value, path).as_u64().unwrap()
}

fn words(value: &Value) -> Vec<&str> {
    value.as_sequence().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

/// Every config that is not an example of its own: the file, and the text.
fn configs() -> Vec<(&'static str, String)> {
    let manifest = documents("cronjob.yaml");
    let map = manifest.iter().find(|document| document["kind"] == "ConfigMap").unwrap();
    let mut configs = vec![("cronjob.yaml", at(map, "data").get("config.yaml").unwrap().as_str().unwrap().to_owned())];
    for file in [
        "examples/kubernetes/overlays/postgres/config.yaml",
        "examples/systemd/config.yaml",
        "examples/cron/config.yaml",
        "examples/ci/balances.yaml",
    ] {
        configs.push((file, read(file)));
    }
    configs
}

fn config(file: &str) -> Value {
    let (_, text) = configs().into_iter().find(|(name, _)| *name == file).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

fn program(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_balance-alert"));
    command.args(arguments).env_clear().envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn every_config_is_valid_with_its_secrets_in_place() {
    // The places where the files say that secrets are.
    let places = ["/etc/balance-alert-secret", "${CREDENTIALS_DIRECTORY}", "/etc/balance-alert"];
    for (file, text) in configs() {
        let dir = TempDir::new().unwrap();
        let mut secrets = 0;
        for word in text.split(|c: char| c.is_whitespace() || "\",".contains(c)) {
            let Some(name) = places.iter().find_map(|place| word.strip_prefix(place)?.strip_prefix('/')) else {
                continue;
            };
            let content = match name {
                "database-url" => "postgres://user:password@database/balance",
                "webhook-url" => "https://open.feishu.cn/open-apis/bot/v2/hook/test",
                _ => "a-key",
            };
            fs::write(dir.path().join(name), format!("{content}\n")).unwrap();
            secrets += 1;
        }
        assert!(secrets > 0 || file == "examples/ci/balances.yaml", "{file} has no secret as a file");
        let here = dir.path().to_str().unwrap();
        // systemd's own variable stays, so that reading it is tested too.
        let text = text.replace("/etc/balance-alert-secret/", &format!("{here}/"));
        let text = text.replace("/etc/balance-alert/", &format!("{here}/"));
        let path = dir.path().join("config.yaml");
        fs::write(&path, text).unwrap();
        let output = program(
            &["validate", "--config", path.to_str().unwrap()],
            &[("CREDENTIALS_DIRECTORY", here), ("STATE_DIRECTORY", here), ("OPENROUTER_API_KEY", "a-key")],
        );
        assert_eq!(output.status.code(), Some(0), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_base_is_the_manifest_and_the_rules_are_the_rules() {
    assert_eq!(read("cronjob.yaml"), read("examples/kubernetes/base/cronjob.yaml"), "copy the first one");
    let rule = &documents("examples/kubernetes/components/prometheus-rule/prometheus-rule.yaml")[0];
    assert_eq!(at(rule, "spec"), &documents("examples/monitoring/rules.yml")[0]);
}

#[test]
fn a_pod_that_cannot_be_helped_is_not_repeated() {
    let hopeless = [Exit::Usage, Exit::Internal, Exit::Config].map(|exit| u64::from(exit.code()));
    for file in ["cronjob.yaml", &format!("{OVERLAYS}/sharded/shards.yaml")] {
        let job = cron_job(file);
        let rules = at(&job, "spec.jobTemplate.spec.podFailurePolicy.rules").as_sequence().unwrap();
        assert_eq!(rules[0]["action"], "Ignore");
        assert_eq!(at(&rules[0], "onPodConditions.0.type"), "DisruptionTarget");
        let mut codes = Vec::new();
        for rule in &rules[1..] {
            assert!(["FailJob", "FailIndex"].contains(&rule["action"].as_str().unwrap()), "{file}");
            codes.extend(
                at(rule, "onExitCodes.values").as_sequence().unwrap().iter().map(|code| code.as_u64().unwrap()),
            );
        }
        codes.sort_unstable();
        assert_eq!(codes, hopeless, "{file}: all others, 3 and 75 among them, are repeated");
    }
}

#[test]
fn limits_of_time_fit_into_each_other() {
    let run_timeout = |file: &str| number(&config(file), "settings.run_timeout_seconds");
    let interval = 300;

    let job = cron_job("cronjob.yaml");
    assert_eq!(at(&job, "spec.schedule"), "*/5 * * * *");
    let spec = at(&job, "spec.jobTemplate.spec");
    let pod = at(spec, "template.spec");
    let deadline = number(spec, "activeDeadlineSeconds");
    let grace = number(pod, "terminationGracePeriodSeconds");
    assert!(grace > 10, "the program may take 10 s to end");
    assert!(deadline + grace <= interval, "over before the next run");
    assert!((10..interval).contains(&number(&job, "spec.startingDeadlineSeconds")));
    for file in ["cronjob.yaml", "examples/kubernetes/overlays/postgres/config.yaml"] {
        // Kubernetes waits 10 s before the first repeat, 20 s before the second one.
        let repeats = number(spec, "backoffLimit");
        let all = (repeats + 1) * run_timeout(file) + 10 * (2_u64.pow(u32::try_from(repeats).unwrap()) - 1);
        assert!(all < deadline, "{file}: {all} s of runs in {deadline} s");
        assert_eq!(number(&config(file), "settings.balance_refresh_interval_seconds"), interval);
    }

    let unit = read("examples/systemd/balance-alert.service");
    let seconds = |name: &str| -> u64 { line(&unit, name).parse().unwrap() };
    let run = run_timeout("examples/systemd/config.yaml");
    assert!((run + 10..interval).contains(&seconds("TimeoutStartSec=")), "over the run's own time, under the interval");
    assert!(seconds("TimeoutStopSec=") > 10);
    assert_eq!(line(&read("examples/systemd/balance-alert.timer"), "OnCalendar="), "*:0/5");

    assert!(run_timeout("examples/cron/config.yaml") < interval);
    assert!(read("examples/cron/balance-alert").lines().last().unwrap().starts_with("*/5 * * * * "));
}

/// What follows a prefix on a line of its own.
fn line<'a>(text: &'a str, prefix: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(prefix)).unwrap_or_else(|| panic!("no {prefix}"))
}

#[test]
fn shards_are_as_many_as_pods() {
    let job = cron_job(&format!("{OVERLAYS}/sharded/shards.yaml"));
    let spec = at(&job, "spec.jobTemplate.spec");
    let shards = number(spec, "completions");
    assert_eq!(number(spec, "parallelism"), shards, "a shard that waits for another one is late");
    assert_eq!(at(spec, "completionMode"), "Indexed");
    assert!(spec["backoffLimit"].is_null() && number(spec, "backoffLimitPerIndex") > 0);
    let container = at(spec, "template.spec.containers.0");
    let variables = at(container, "env").as_sequence().unwrap();
    let count = variables.iter().find(|variable| variable["name"] == "BALANCE_ALERT_SHARDS").unwrap();
    assert_eq!(count["value"], shards.to_string());
    assert!(words(at(container, "args")).ends_with(&["--shard", "auto"]));
    let postgres = config("examples/kubernetes/overlays/postgres/config.yaml");
    assert!(at(&postgres, "state").get("url_file").is_some(), "shards share their memory");
}

#[test]
fn every_command_line_is_understood() {
    let mut commands = Vec::new();
    for file in ["cronjob.yaml", &format!("{OVERLAYS}/sharded/shards.yaml")] {
        let job = cron_job(file);
        let args = at(&job, "spec.jobTemplate.spec.template.spec.containers.0.args");
        commands.push((file.to_owned(), words(args).join(" ")));
    }
    for file in [
        "examples/systemd/balance-alert.service",
        "examples/cron/balance-alert",
        "examples/nagios/balance-alert.cfg",
        "examples/ci/github.yml",
        "examples/ci/gitlab.yml",
        "README.md",
        "README.zh-CN.md",
    ] {
        // A folded line goes on where it is indented as far.
        let text = read(file).replace("none\n          --", "none --");
        let found: Vec<_> = text
            .lines()
            .filter_map(|line| Some(line.trim().rsplit_once("balance-alert check ")?.1))
            .map(|rest| (file.to_owned(), format!("check {}", rest.split(['>', '`', '|']).next().unwrap())))
            .collect();
        assert!(!found.is_empty(), "{file}");
        commands.extend(found);
    }
    for (file, command) in commands {
        // `--help` at the end is reached only if everything before it was understood.
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let output = program(&arguments, &[]);
        assert_eq!(output.status.code(), Some(0), "{file}: {command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_image_is_the_version() {
    let version = env!("CARGO_PKG_VERSION");
    assert!(read("Dockerfile").contains(&format!("\nARG VERSION={version}\n")));
    let image = format!("balance-alert:{version}");
    for file in ["Dockerfile", "cronjob.yaml", "examples/ci/github.yml"] {
        assert!(read(file).contains(&image), "{file} names another image than {image}");
    }
}

#[test]
fn the_heads_name_every_secret() {
    for (head, file) in [
        ("cronjob.yaml", "cronjob.yaml"),
        (
            "examples/kubernetes/overlays/postgres/kustomization.yaml",
            "examples/kubernetes/overlays/postgres/config.yaml",
        ),
    ] {
        let text = configs().into_iter().find(|(name, _)| *name == file).unwrap().1;
        let secrets: Vec<_> = text.split("/etc/balance-alert-secret/").skip(1).collect();
        assert!(secrets.len() >= 2);
        for secret in secrets {
            let name = secret.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap();
            assert!(read(head).contains(&format!("--from-literal={name}=")), "{head}: {name}");
        }
    }
}
