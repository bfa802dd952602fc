//! What holds for every config, whatever its fields are.

use serde_json::{Value, json};

use super::load::build;
use super::sections::SECTIONS;
use super::settings::RawSettings;
use super::source::Source;
use super::{Asked, Loaded, Needs};
use crate::check::account::config::RawProject;
use crate::check::mailbox::config::{MailAuth, OauthProvider, RawMailbox, RawOauth2};
use crate::check::subscription::config::RawSubscription;
use crate::notify::config::RawWebhook;
use crate::process::clock::Clock;
use crate::process::environment::Environment;
use crate::publish::config::RawMetrics;
use crate::wire::config::{JwtAlgorithm, RawJwt};

fn load(text: &str, variables: &[(&str, &str)]) -> Loaded {
    let folder = std::path::PathBuf::from("/nonexistent/balance-alert/config.yaml");
    let source = Source::File { path: folder, variable: None };
    let variables: Vec<(&str, &str)> = variables.iter().copied().chain([("HOME", "/nonexistent")]).collect();
    build(&source, text, &Environment::of(&variables), Clock::default().now(), Needs::Checks, Asked::Nobody).0
}

/// All that a user is told.
fn said(loaded: &Loaded) -> String {
    let mut text: String = loaded.problems.iter().map(|problem| format!("{problem}\n")).collect();
    text.extend(loaded.config.iter().flat_map(|config| &config.warnings).map(|warning| format!("{warning}\n")));
    text
}

/// Every field of the config that the schema knows, as the way to it through mappings and the first item of lists.
fn fields() -> Vec<Vec<String>> {
    fn visit(schema: &Value, node: &Value, path: &[String], found: &mut Vec<Vec<String>>) {
        let node = match node["$ref"].as_str() {
            Some(name) => schema.pointer(&name[1..]).unwrap(),
            None => node,
        };
        for choice in ["anyOf", "allOf", "oneOf"] {
            node[choice].as_array().into_iter().flatten().for_each(|node| visit(schema, node, path, found));
        }
        if node["items"].is_object() {
            visit(schema, &node["items"], &[path, &["0".to_owned()]].concat(), found);
        }
        for (name, field) in node["properties"].as_object().into_iter().flatten() {
            let path = [path, std::slice::from_ref(name)].concat();
            found.push(path.clone());
            visit(schema, field, &path, found);
        }
        if node["additionalProperties"].is_object() {
            let path = [path, &["any".to_owned()]].concat();
            found.push(path.clone());
            visit(schema, &node["additionalProperties"], &path, found);
        }
    }
    let schema = super::published_schema();
    let mut found = Vec::new();
    visit(&schema, &schema, &[], &mut found);
    found.sort();
    found.dedup();
    found
}

/// Puts a value at a place of a config that is otherwise in order.
fn with(path: &[String], value: &Value) -> Value {
    let mut config = json!({
        "projects": [{"name": "A", "provider": "openrouter", "api_key": "k-1", "threshold": 1}],
        "subscriptions": [{"name": "S", "cycle_type": "monthly", "renewal_day": 1}],
        "email": [{"host": "imap.example.com", "username": "u@example.com", "password": "p"}],
        "webhooks": [{"type": "custom", "url": "https://hooks.example.com/x"}],
        "providers": [{"id": "own", "title": "Own", "kind": "balance", "request": {"url": "https://own.example/"}, "balance": ".b"}],
    });
    let mut node = &mut config;
    for step in path {
        node = match step.parse::<usize>() {
            Ok(index) => {
                if !node.is_array() {
                    *node = json!([]);
                }
                let items = node.as_array_mut().unwrap();
                if items.is_empty() {
                    items.push(json!({}));
                }
                &mut items[index]
            }
            Err(_) => {
                if !node.is_object() {
                    *node = json!({});
                }
                node.as_object_mut().unwrap().entry(step).or_insert(json!({}))
            }
        };
    }
    *node = value.clone();
    config
}

#[test]
fn no_message_repeats_a_secret_wherever_it_stands() {
    const KEY: &str = "sk-proj-9f8e7d6c5b4a39281706";
    const DIGITS: u64 = 9_876_543_210;
    let fields = fields();
    assert!(fields.len() > 120, "{}", fields.len());
    let forms = [
        json!(KEY),
        json!(format!("https://user:{KEY}@example.com/{KEY}?{KEY}")),
        json!(format!("${{{KEY}")),
        json!("${SECRET}"),
        json!([KEY]),
        json!({ KEY: { KEY: [KEY] } }),
        json!([{ KEY: DIGITS }]),
        json!(DIGITS),
        json!(-0.5 - DIGITS as f64),
    ];
    let mut messages = 0;
    let mut check = |path: &[String], value: &Value| {
        let loaded = load(&with(path, value).to_string(), &[("SECRET", KEY)]);
        let said = said(&loaded);
        assert!(!said.contains(KEY) && !said.contains(&DIGITS.to_string()), "{path:?}: {value}\n{said}");
        messages += loaded.problems.len();
    };
    for path in &fields {
        forms.iter().for_each(|value| check(path, value));
        // Under a name that is no field, and as such a name.
        let (_, parent) = path.split_last().unwrap();
        check(&[parent, &["apikey".to_owned()]].concat(), &json!(KEY));
        check(&[parent, &[KEY.to_owned()]].concat(), &json!(DIGITS));
    }
    assert!(messages > 1500, "{messages}");
}

#[test]
fn what_stands_where_yaml_itself_is_wrong_is_not_repeated() {
    let secret = "sk-proj-9f8e7d6c5b4a39281706";
    for text in [
        "a: @SECRET",
        "a: %SECRET",
        "a: \"SECRET",
        "a: 'SECRET",
        "a: \"\\SECRET\"",
        "a: !SECRET x",
        "a: !SECRET!x y",
        "a: *SECRET",
        "a: &SECRET *SECRET",
        "? [SECRET]\n: x",
        "SECRET",
        "- SECRET",
        "SECRET: x\nSECRET: y",
        "a: {SECRET: 1, SECRET: 2}",
        "a: SECRET: x",
        "\tSECRET: x",
        "<<: SECRET",
        "<<: [SECRET]",
        "%SECRET\n---\na: x",
        "a: x\n---\nSECRET: x",
    ] {
        let loaded = load(&text.replace("SECRET", secret), &[]);
        assert!(!loaded.problems.is_empty(), "{text}");
        assert!(!said(&loaded).contains(secret), "{text}: {}", said(&loaded));
    }
}

/// The entries of a kind, each with what it cannot do without.
const ENTRIES: [(&str, &str); 5] = [
    ("projects", "name: A, provider: openrouter, api_key: k-1, threshold: 1"),
    ("subscriptions", "name: A, cycle_type: monthly, renewal_day: 1"),
    ("email", "name: A, host: imap.example.com, username: u, password: p"),
    ("webhooks", "name: A, type: custom, url: 'https://hooks.example.com/x'"),
    ("providers", "id: own, title: Own, kind: balance, request: { url: 'https://own.example/' }, balance: .b"),
];

#[test]
fn what_comes_from_outside_breaks_its_entry_alone() {
    let nothing: &[(&str, &str)] = &[];
    for (list, sound) in ENTRIES {
        for field in sound.split(", ").filter_map(|field| field.split_once(": ")).map(|(name, _)| name) {
            let field = if field == "request: { url" { "request" } else { field };
            let others = sound.split(", ").filter(|other| !other.starts_with(field)).collect::<Vec<_>>().join(", ");
            for (value, variables, is_broken) in [
                ("${NOT_SET}", nothing, true),
                // It is no number, no word that is known, no address.
                ("${ODD}", &[("ODD", "¿")], !["name", "title", "username", "password", "api_key"].contains(&field)),
            ] {
                let rest = "projects: [{ name: Z, provider: file, threshold: 1, options: { path: x } }]\n";
                let rest = if list == "projects" { "" } else { rest };
                let more = "{ name: Z, provider: file, threshold: 1, options: { path: x } }, ";
                let more = if list == "projects" { more } else { "" };
                let text = format!("{rest}{list}: [{more}{{ {field}: \"{value}\", {others} }}]\n");
                let loaded = load(&text, variables);
                let said = said(&loaded);
                let config = loaded.config.unwrap_or_else(|| panic!("{text}{said}"));
                let project = config.projects.iter().find(|project| project.name == "Z").unwrap();
                assert!(project.account.is_ok(), "{text}{said}");
                assert_eq!(loaded.problems.is_empty(), !is_broken, "{text}{said}");
                // Nothing vanishes: what is broken is there and says so.
                let broken = config.projects.iter().filter(|project| project.account.is_err()).count()
                    + config.subscriptions.iter().filter(|subscription| subscription.schedule.is_err()).count()
                    + config.mailboxes.iter().filter(|mailbox| mailbox.login.is_err()).count()
                    + config.channels.iter().filter(|channel| channel.url.is_err()).count();
                let is_page = list == "providers";
                assert_eq!(broken, usize::from(is_broken && !is_page), "{text}{said}");
            }
        }
    }
}

#[test]
fn what_comes_from_outside_into_email_settings_breaks_the_mailboxes_alone() {
    let project = "projects: [{ name: Z, provider: file, threshold: 1, options: { path: x } }]\n";
    let mailbox = "email: { host: h, username: u, password: secret }\n";
    for (settings, variables) in [
        ("extra_alert_keywords: [\"${NOPE}\"]", &[][..]),
        ("alert_keywords: [\"a\", \"${NOPE}\"]", &[]),
        ("max_emails: \"${ODD}\"", &[("ODD", "x")]),
        ("days: \"${ODD}\"", &[("ODD", "x")]),
        ("days: \"${ODD}\"", &[("ODD", "31")]),
        ("days: \"${NOPE}\"", &[]),
        ("days: 2", &[("MAX_EMAILS_TO_SCAN", "many")]),
        ("days: 2", &[("MAX_EMAILS_TO_SCAN", "0")]),
    ] {
        for mailbox in ["", mailbox] {
            let text = format!("settings: {{ language: zh }}\n{project}{mailbox}email_settings: {{ {settings} }}\n");
            let loaded = load(&text, variables);
            let said = said(&loaded);
            assert_eq!(loaded.problems.len(), 1, "{text}{said}");
            let config = loaded.config.unwrap_or_else(|| panic!("{text}{said}"));
            assert!(config.projects[0].account.is_ok(), "{text}{said}");
            assert!(config.mailboxes.iter().all(|mailbox| mailbox.login.is_err()), "{text}{said}");
            assert_eq!(config.settings.language, crate::model::words::Language::Zh, "{text}{said}");
        }
        let written = format!("{project}{mailbox}email_settings: {{ days: 31 }}\n");
        assert!(load(&written, &[]).config.is_none(), "what stands in the file concerns all of it");
    }
}

#[test]
fn a_name_from_outside_that_another_entry_has_breaks_its_entry_alone() {
    let project = "projects: [{ name: Z, provider: file, threshold: 1, options: { path: x } }]\n";
    for (list, entry) in [
        ("webhooks", "type: console, name: #"),
        ("email", "host: h, username: u, password: secret, name: #"),
        ("email", "host: h, username: #, password: secret"),
        ("subscriptions", "cycle_type: monthly, renewal_day: 1, amount: 1, currency: USD, name: #"),
        ("projects", "provider: file, threshold: 1, options: { path: x }, name: #"),
    ] {
        for names in [["same", "\"${MAIN}\""], ["\"${MAIN}\"", "same"]] {
            let [first, second] = names.map(|name| entry.replace('#', name));
            let rest = if list == "projects" { "" } else { project };
            let text = format!("{rest}{list}: [{{ {first} }}, {{ {second} }}]\n");
            let loaded = load(&text, &[("MAIN", "same")]);
            let said = said(&loaded);
            let config = loaded.config.unwrap_or_else(|| panic!("{text}{said}"));
            let broken: Vec<bool> = match list {
                "webhooks" => config.channels.iter().map(|channel| channel.url.is_err()).collect(),
                "email" => config.mailboxes.iter().map(|mailbox| mailbox.login.is_err()).collect(),
                "subscriptions" => config.subscriptions.iter().map(|each| each.schedule.is_err()).collect(),
                _ => config.projects.iter().map(|project| project.account.is_err()).collect(),
            };
            assert_eq!(broken, names.map(|name| name != "same"), "{text}{said}");
        }
        let text = format!("{list}: [{{ {entry} }}, {{ {entry} }}]\n").replace('#', "same");
        assert!(load(&text, &[]).config.is_none(), "{text}");
    }
}

#[test]
fn a_text_that_looks_like_a_number_is_as_it_is_written() {
    for (written, want) in [("1.50", "1.50"), ("1.0", "1.0"), ("5.", "5."), ("+5", "+5"), ("010", "010"), ("7", "7")] {
        let text = format!(
            "projects: [{{ name: A, provider: file, threshold: {written}, options: {{ path: {written} }} }}]\n\
             metrics: {{ pushgateway: {{ url: 'http://127.0.0.1:9091', grouping: {{ release: {written} }} }} }}\n"
        );
        let text = if written == "010" { text.replace("threshold: 010", "threshold: 10") } else { text };
        let loaded = load(&text, &[]);
        let config = loaded.config.unwrap_or_else(|| panic!("{text}"));
        assert_eq!(config.projects[0].options["path"], want, "{written}");
        assert_eq!(config.metrics.gateway.as_ref().unwrap().grouping["release"], want, "{written}");
    }
}

#[test]
fn a_list_of_words_is_bounded() {
    let words = |count: usize| (0..count).map(|at| format!("w{at}")).collect::<Vec<_>>().join(", ");
    let mailbox = "host: h, username: u, password: secret";
    for field in ["alert_keywords", "extra_alert_keywords", "ignore_senders"] {
        let list = |count: usize| format!("{field}: [{}]", words(count));
        let own = |count: usize| format!("email: {{ {mailbox}, {} }}\n", list(count));
        let shared = |count: usize| format!("email: {{ {mailbox} }}\nemail_settings: {{ {} }}\n", list(count));
        assert_eq!(said(&load(&own(1000), &[])), "", "{field}");
        let texts = [own(25_000), shared(50_000)];
        for text in texts.iter().take(if field == "ignore_senders" { 1 } else { 2 }) {
            let begin = std::time::Instant::now();
            let said = said(&load(text, &[]));
            assert!(said.contains(&format!("`{field}` has ")) && said.contains("1000 are allowed"), "{said}");
            assert!(begin.elapsed() < std::time::Duration::from_secs(10), "{field} took {:?}", begin.elapsed());
        }
    }
}

#[test]
fn an_account_of_a_page_that_is_broken_from_outside_says_so() {
    let text = "providers: [{ id: own, title: Own, kind: balance, request: { url: '${NOT_SET}' }, balance: .b }]\n\
                projects: [{ name: A, provider: own, api_key: k-1, threshold: 1 }, { name: Z, provider: file, threshold: 1, options: { path: x } }]\n";
    let loaded = load(text, &[]);
    let config = loaded.config.unwrap();
    let broken: Vec<_> =
        config.projects.iter().map(|project| project.account.as_ref().err().map(String::as_str)).collect();
    let why = "the page of its provider cannot be used: the variable `NOT_SET` is not set";
    assert_eq!(broken, [Some(why), None]);
    assert_eq!(config.projects[0].page.id, "own");
}

#[test]
fn what_names_an_account_does_not_depend_on_whether_its_page_can_be_used() {
    let options = |balance: &str, path: &str| {
        let text = format!(
            "providers: [{{ id: own, title: Own, kind: balance, options: {{ a: {{ description: A }}, b: {{ description: B, default: d }} }}, request: {{ url: 'https://own.example/{path}' }}, balance: '{balance}' }}]\n\
             projects: [{{ name: A, provider: own, api_key: k-1, threshold: 1, options: {{ a: x }} }}]\n"
        );
        let config = load(&text, &[]).config.unwrap();
        let project = &config.projects[0];
        (project.account.is_err(), project.page.id.clone(), project.options.clone())
    };
    let (is_broken, id, known) = options(".b", "");
    assert!(!is_broken);
    for (balance, path) in [(".b | nope", ""), (".b", "${NOT_SET}")] {
        assert_eq!(options(balance, path), (true, id.clone(), known.clone()), "{balance} {path}");
    }
}

#[test]
fn an_entry_that_is_switched_off_needs_nothing_but_its_shape() {
    let rest = "{ name: Z, provider: file, threshold: 1, options: { path: x } }";
    for (list, sound) in ENTRIES.into_iter().filter(|(list, _)| ["projects", "subscriptions", "email"].contains(list)) {
        for (off, problems) in [
            ("name: A".to_owned(), 0),
            (sound.replace("name: A", "name: '${NOT_SET}'"), 0),
            (sound.replace(": 1", ": '${NOT_SET}'").replace("password: p", "password: '${NOT_SET}'"), 0),
            ("name: A, threshold: -1".replace("threshold", if list == "projects" { "threshold" } else { "name" }), 0),
            ("unknown: 1".to_owned(), 1),
            ("name: [A]".to_owned(), 1),
            ("name: '${'".to_owned(), 1),
            ("name: A, name: B".to_owned(), 1),
        ] {
            let more = if list == "projects" { format!("{rest}, ") } else { String::new() };
            let before = if list == "projects" { String::new() } else { format!("projects: [{rest}]\n") };
            let off = off.replace("name: A, name: -1", "name: '-1'");
            let text = format!("{before}{list}: [{more}{{ enabled: false, {off} }}]\n");
            let loaded = load(&text, &[]);
            let said = said(&loaded);
            assert_eq!(loaded.problems.len(), problems, "{text}{said}");
            let config = loaded.config.unwrap_or_else(|| panic!("{text}{said}"));
            assert_eq!(
                (config.projects.len(), config.subscriptions.len(), config.mailboxes.len()),
                (1, 0, 0),
                "{text}"
            );
        }
    }
}

#[test]
fn a_key_that_stands_where_a_currency_belongs_is_shown_nowhere() {
    let key = "sk-live-9f8e7d6c5b4a39281706f5e4d3c2b1a0";
    for text in [
        format!("projects: [{{ name: A, provider: file, threshold: 1, options: {{ path: x }}, currency: {key} }}]"),
        format!(
            "projects: [{{ name: A, provider: file, threshold: 1, options: {{ path: x }} }}]\n\
             subscriptions: [{{ name: S, cycle_type: monthly, renewal_day: 1, alert_days_before: 3, amount: 1, currency: {key} }}]"
        ),
    ] {
        let loaded = load(&text, &[]);
        let said = said(&loaded);
        let config = loaded.config.unwrap_or_else(|| panic!("{text}{said}"));
        assert_eq!(config.redactor.mask(&format!("5 {key}")), "5 ***", "{text}");
        assert_eq!(config.redactor.mask("5 USD"), "5 USD");
    }
}

/// The processor time of this thread, as other tests run beside this one.
fn effort(text: &str) -> f64 {
    let now = || {
        let at = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
        at.tv_sec() as f64 + at.tv_nsec() as f64 / 1e9
    };
    let begin = now();
    drop(load(text, &[]));
    now() - begin
}

#[test]
fn twice_the_config_takes_no_more_than_twice_the_time() {
    let lists: [(&str, &str); 6] = [
        ("settings:\n", "  language: en\n"),
        ("settings:\n", "  field#: en\n"),
        ("projects:\n", "  - { name: A, provider: file, threshold: 1, options: { path: x } }\n"),
        ("projects:\n", "  - { name: A#, provider: uniapi, api_key: \"${UNSET_#}\", threshold: x }\n"),
        ("email:\n", "  - { name: A#, host: h, username: u, password: p, alert_keywords: [\"${UNSET_#}\"] }\n"),
        ("email: { host: h, username: u, password: p, alert_keywords: [\n", "  \"${UNSET_#}\", 1,\n"),
    ];
    let text = |head: &str, item: &str, count: usize| {
        let items: String = (0..count).map(|at| item.replace('#', &at.to_string())).collect();
        let foot = if head.contains('[') { "]}\n" } else { "" };
        format!("{head}{items}{foot}")
    };
    for (head, item) in lists {
        // The second is as long as the first eight times, and may take twice as long as that.
        let [small, large] = [200, 1600].map(|count| effort(&text(head, item, count)));
        assert!(large < 16.0 * small, "{head}{item}{small} s, {large} s");
    }
}

#[test]
fn a_number_out_of_its_range_is_a_mistake_at_its_place() {
    let mut checked = 0;
    for section in &SECTIONS {
        // The keys of logins are told for every place where a login may stand.
        let place = if let Some(rest) = section.place.strip_prefix("auth") {
            format!("webhook.auth{rest}")
        } else {
            section.place.to_owned()
        };
        let place = place.replace("webhook", "webhooks[]");
        let steps = place.split('.').flat_map(|step| match step.strip_suffix("[]") {
            Some(list) => vec![list.to_owned(), "0".to_owned()],
            None => vec![step.to_owned()],
        });
        let steps: Vec<String> = steps.collect();
        for field in section.fields {
            let Some(number) = field.number else { continue };
            let path = [&steps[..], &[field.name.to_owned()]].concat();
            let (_, _, most) = number.range();
            // A number with more than is allowed, and one that is below all.
            for wrong in [json!(u64::from(most) + 1), json!(-1)] {
                // More workers than are allowed are no mistake: the run goes on with fewer.
                if field.name == RawSettings::max_concurrent_checks.name && wrong != json!(-1) {
                    continue;
                }
                let said = said(&load(&with(&path, &wrong).to_string(), &[]));
                let want = format!("`{}` must be {number}", field.name);
                assert!(said.contains(&want), "{path:?} {wrong}: {said}");
                assert!(said.contains("config.yaml:1:"), "{said}");
                checked += 1;
            }
        }
    }
    assert!(checked > 30, "{checked}");
}

#[test]
fn a_documented_word_is_what_counts_where_nothing_is_written() {
    let (security, language) = (RawMailbox::security.default.unwrap(), RawSettings::language.default.unwrap());
    let (timezone, source) = (RawSettings::timezone.default.unwrap(), RawWebhook::source.default.unwrap());
    let bare = load(&with(&["settings".to_owned()], &json!({})).to_string(), &[]).config.unwrap();
    assert_eq!(bare.settings.language.as_str(), language);
    assert_eq!(bare.settings.timezone.iana_name(), Some(timezone));
    assert_eq!(bare.channels[0].source, source);
    assert_eq!(bare.channels[0].send_resolved.to_string(), RawWebhook::send_resolved.default.unwrap());
    assert_eq!(format!("{:?}", bare.mailboxes[0].address.security).to_lowercase(), security);
    assert_eq!(bare.mailboxes[0].address.folder, RawMailbox::folder.default.unwrap());
    assert_eq!(bare.metrics.prefix, format!("{}_", RawMetrics::namespace.default.unwrap()));
    for (word, fallback) in [
        (RawMailbox::auth.default, format!("{:?}", MailAuth::default())),
        (RawOauth2::provider.default, format!("{:?}", OauthProvider::default())),
        (RawJwt::algorithm.default, format!("{:?}", JwtAlgorithm::default())),
    ] {
        assert_eq!(word.map(str::to_lowercase), Some(fallback.to_lowercase()));
    }
    for enabled in [RawProject::enabled, RawSubscription::enabled, RawMailbox::enabled] {
        assert_eq!(enabled.default, Some("true"));
    }
    assert_eq!((bare.projects.len(), bare.subscriptions.len(), bare.mailboxes.len()), (1, 1, 1), "all are enabled");
}

/// What is told of the structure of a config alone is what is told of it without any variable, except of what is missing outside.
#[test]
fn the_structure_of_a_config_has_the_same_mistakes_without_what_comes_from_outside() {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/config/bad"));
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let source = Source::File { path: path.clone(), variable: None };
        let told = |environment: &Environment, asked| -> Vec<String> {
            let loaded = build(&source, &text, environment, Clock::default().now(), Needs::Checks, asked).0;
            loaded.problems.iter().map(ToString::to_string).collect()
        };
        let all = told(&Environment::of(&[("HOME", "/nonexistent")]), Asked::Nobody);
        let of_structure = told(&Environment::withheld(), Asked::Structure);
        let is_outside = |said: &&String| {
            let is_of_file =
                said.contains("_file`") && (said.contains(" cannot be read: ") || said.contains(" holds a "));
            said.contains("which is not set") || is_of_file
        };
        let want: Vec<&String> = all.iter().filter(|said| !is_outside(said)).collect();
        assert_eq!(of_structure.iter().collect::<Vec<_>>(), want, "{}", path.display());
        count += usize::from(want.len() < all.len());
    }
    assert!(count >= 2, "{count} configs need something from outside");
}
