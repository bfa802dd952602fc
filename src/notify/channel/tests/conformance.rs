//! What holds for every page of the catalogue, those included that are written tomorrow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use crate::model::alert::{Alert, Cause, SharedCause};
use crate::model::failure::{Reason, Retry};
use crate::model::identity::Identity;
use crate::model::words::Language;
use crate::notify::channel::page::{FieldKind, Page, Per, Unit};
use crate::notify::channel::prepared::Prepared;
use crate::notify::channel::request::{Post, Sender};
use crate::notify::channel::values::Values;
use crate::notify::channel::{Timestamp, builtin_pages, document, sample, verdict};
use crate::notify::config::problems;
use crate::notify::message::{Markup, Message};
use crate::wire::http::Response;

/// What stands in each field that is a secret.
const SECRET: &str = "secret0123456789";

/// Texts that try to format, to link and to mention, and those that are long in one unit and short in another.
const HOSTILE: [&str; 9] = [
    "<at user_id=\"all\">all</at><at id=all></at>",
    "<@all> <!channel> <users/all> <!everyone>",
    "@everyone @here @all @channel",
    "[Top up](https://evil.example/x)",
    "<https://evil.example|Top up>",
    "**b** _i_ ~s~ `c` ```x``` ||s|| # h > q",
    "<b>x</b><a href='https://evil.example'>y</a>&lt;&amp;",
    "{token} {url} {routing_key} \\(.fields) ${SECRET} %s %0A",
    "line\u{2028}break\u{0}\r\n\u{202e}x\u{200b}",
];

/// What no text of a body may hold in which a name stands that comes from outside.
const LIVE: [&str; 10] = [
    "<at ",
    "<@all>",
    "<!channel>",
    "<users/all>",
    "@everyone",
    "@all",
    "](https://evil",
    "<https://evil",
    "<b>x",
    "://evil",
];

/// Values for the fields of a page, and as many times again as a field has several to choose from.
fn choices(page: &Page) -> Vec<Values> {
    let chosen =
        page.fields.iter().flat_map(|(name, field)| field.values.iter().map(move |value| (name, field, value)));
    let chosen =
        chosen.filter(|(_, field, value)| field.default.as_ref() != Some(value)).map(|(name, _, value)| (name, value));
    let chosen = chosen.map(|(name, value)| Some((name.as_str(), value.as_str())));
    std::iter::once(None).chain(chosen).map(|chosen| values(page, chosen)).collect()
}

fn values(page: &Page, chosen: Option<(&str, &str)>) -> Values {
    let is_chosen = |name: &str| chosen.is_some_and(|(field, _)| field == name);
    let made = page.fields.iter().filter(|(name, field)| field.default.is_none() || is_chosen(name));
    let made = made.map(|(name, field)| {
        let value = match field.kind {
            _ if is_chosen(name) => chosen.map_or("", |(_, value)| value),
            FieldKind::Url => "https://service.example/hook",
            FieldKind::Number => "7",
            FieldKind::Flag => "true",
            FieldKind::Address | FieldKind::Addresses => "a@service.example",
            FieldKind::Text if field.secret => SECRET,
            FieldKind::Text => field.values.first().map_or("name", String::as_str),
        };
        (name.clone(), value.to_owned().into())
    });
    Values::new(&page.fields, made.collect())
}

/// Calls `look` with every page of the catalogue.
fn each(look: impl Fn(&str, &Prepared, &Sender)) {
    for id in builtin_pages::ids() {
        let prepared = Prepared::new(builtin_pages::whole(id));
        for values in &choices(&prepared.page) {
            let (prepared, source) = (&prepared, "the source");
            look(id, prepared, &Sender { prepared, values, source, mentions: &[], body: None, headers: &[] });
        }
    }
}

/// A message that knows where accounts are topped up.
fn message(alerts: &[Alert], language: Language, run: &str) -> Message {
    Message::new(alerts, language, run).naming(Arc::new(sample::providers()))
}

fn post(sender: &Sender, message: &Message, alerts: &[Alert]) -> Post {
    sender.post(message, alerts, Timestamp::UNIX_EPOCH).unwrap_or_else(|failure| panic!("{}", failure.describe()))
}

/// The samples, each with its texts replaced.
fn renamed(text: &str) -> Vec<Alert> {
    let samples = ["payable", "failing", "mail", "renewal", "runway", "spike", "expiry", "topup", "silent", "digest"]
        .into_iter()
        .filter_map(sample::alert);
    let renamed = samples.map(|alert| {
        let mut alert = Alert { project: text.to_owned(), owner_project: Some(text.to_owned()), ..alert };
        match &mut alert.cause {
            Cause::Failing(failing) => {
                failing.trouble.iter_mut().for_each(|trouble| text.clone_into(&mut trouble.message))
            }
            Cause::Mail(mail) => {
                text.clone_into(&mut mail.subject);
                text.clone_into(&mut mail.sender);
                mail.account = Some(text.to_owned());
                mail.service = Some(text.to_owned());
                mail.keywords = vec![text.to_owned()];
            }
            Cause::Low(low) => low.account.currency = Some(text.to_owned()),
            Cause::Renewal(renewal) => renewal.currency = Some(text.to_owned()),
            Cause::Runway(runway) => runway.account.currency = Some(text.to_owned()),
            Cause::Spike(spike) => spike.account.currency = Some(text.to_owned()),
            Cause::Expiry(expiry) => {
                expiry.account.currency = Some(text.to_owned());
                expiry.credits.iter_mut().for_each(|credit| credit.name = Some(text.to_owned()));
            }
            Cause::TopUp(topup) => topup.account.currency = Some(text.to_owned()),
            Cause::Digest(digest) => {
                if let crate::model::alert::Part::List(_, rows, _) = &mut digest.part {
                    for row in rows {
                        (row.name, row.currency) = (Some(text.to_owned()), Some(text.to_owned()));
                    }
                }
            }
            Cause::Silent(_) => {}
        }
        alert
    });
    renamed.collect()
}

fn judged(prepared: &Prepared, status: u16, body: &str) -> Result<(), crate::model::failure::Failure> {
    verdict::judge(prepared, None, &Response::with(status, BTreeMap::new(), body.as_bytes().to_vec()))
}

/// The texts of a body; those of a form and of plain text are one.
fn texts(body: &str) -> Vec<String> {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => found.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                found.push(key.clone());
                walk(value, found);
            }),
            _ => {}
        }
    }
    let mut found = Vec::new();
    match serde_json::from_str(body) {
        Ok(value) => walk(&value, &mut found),
        Err(_) => found.extend(url::form_urlencoded::parse(body.as_bytes()).map(|(_, value)| value.into_owned())),
    }
    found
}

#[test]
fn every_page_is_sound_and_its_examples_hold() {
    let mut wrong = Vec::new();
    for id in builtin_pages::ids() {
        let prepared = Prepared::new(builtin_pages::whole(id));
        if std::env::var_os("WRITE_EXAMPLES").is_some() {
            write_examples(id, &prepared);
            continue;
        }
        // Examples of their own are run below, all of them.
        let problems = problems(&prepared, Instant::now());
        wrong.extend(problems.into_iter().map(|(field, why)| format!("{id}: {field}: {why}")));
        wrong.extend(prepared.failing_examples().map(|why| format!("{id}: {why}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Writes what a page makes of its examples to where their bodies are `TODO`, so that its writer can look at it.
fn write_examples(id: &str, prepared: &Prepared) {
    let file = format!("{}/src/notify/channel/catalog/{id}.yaml", env!("CARGO_MANIFEST_DIR"));
    let mut text = std::fs::read_to_string(&file).unwrap();
    for example in prepared.page.examples.messages.iter().filter(|example| example.body.trim() == "TODO") {
        let (post, key) = prepared.post_of(example).unwrap_or_else(|why| panic!("{id}: {}: {why}", example.name));
        let body = serde_json::from_str::<serde_json::Value>(&post.body).map(|body| format!("{body:#}"));
        let body = body.unwrap_or(post.body).replace(&key, "{key}");
        let begin =
            text.find(&format!("- name: {}\n", example.name)).unwrap_or_else(|| panic!("{id}: {}", example.name));
        let at = begin + text[begin..].find("TODO").unwrap();
        let indent = " ".repeat(at - text[..at].rfind('\n').unwrap() - 1);
        text.replace_range(at..at + 4, &body.replace('\n', &format!("\n{indent}")));
    }
    std::fs::write(file, text).unwrap();
}

#[test]
fn every_page_says_what_its_users_need() {
    each(|id, prepared, _| {
        let page = &prepared.page;
        assert!(page.docs.as_ref().is_some_and(|docs| docs.starts_with("https://")), "{id} has no `docs`");
        assert!(page.open || !page.limits.is_empty(), "{id} has no `limits`");
        for (name, field) in &page.fields {
            assert!(field.about.ends_with('.'), "{id}: {name}: the sentence ends with a full stop");
        }
        let told: BTreeSet<&str> =
            page.examples.messages.iter().flat_map(|example| example.alerts.iter().map(String::as_str)).collect();
        let needed: &[&str] =
            if page.per == Per::Alert { &["low", "recovered", "failing"] } else { &["low", "recovered", "hostile"] };
        for name in needed {
            assert!(told.contains(name), "{id} has no example of a message about `{name}`");
        }
        if page.mention.is_some() {
            let named = page.examples.messages.iter().filter(|example| !example.mentions.is_empty());
            let of: BTreeSet<bool> = named
                .map(|example| {
                    assert!(example.mentions.iter().all(|who| prepared.can_mention(who) == Ok(true)), "{id}");
                    example.mentions.iter().any(|who| {
                        let who = who.trim_start_matches(['@', '&']);
                        example.alerts.iter().any(|alert| alert == "low") && example.body.contains(who)
                    })
                })
                .collect();
            assert_eq!(
                of.len(),
                2,
                "{id} needs an example that mentions, and one that does not as nothing is critical"
            );
            for nobody in ["", "a b", "<x>", "a\"b", "a&b;"] {
                assert_eq!(prepared.can_mention(nobody), Ok(false), "{id}: {nobody:?}");
            }
        }
        let answers = &page.examples.answers;
        assert!(answers.iter().any(|example| example.expect.taken), "{id} has no example of an answer that took it");
        assert!(answers.iter().any(|example| !example.expect.taken), "{id} has no example of a refusal");
    });
}

/// Whether an example says that the service takes a message without a word under this status.
fn is_taken_without_a_word(page: &Page, status: u16) -> bool {
    let mut answers = page.examples.answers.iter();
    answers.any(|example| example.expect.taken && example.status == status && example.body.is_empty())
}

#[test]
fn what_does_not_say_that_it_was_taken_was_not_taken() {
    each(|id, prepared, _| {
        for body in ["", "{}", "[]", "null", "0", "\"x\"", "{\"data\":null}", "\u{FFFD}", "x", "<html>ok</html>"] {
            for status in [200, 201, 202] {
                let is_page = body.starts_with('<');
                let is_silent = body.is_empty() && is_taken_without_a_word(&prepared.page, status);
                let is_free = prepared.page.open && !is_page || is_silent;
                let judged = judged(prepared, status, body);
                assert!(judged.is_err() != is_free, "{id}: {status} {body:?}: {judged:?}");
            }
        }
        for status in [204, 301, 302] {
            assert!(judged(prepared, status, "").is_err() || prepared.page.open || status == 204, "{id}: {status}");
        }
        for (status, may_pass) in
            [(400, false), (401, false), (403, false), (404, false), (413, false), (500, true), (503, true)]
        {
            for body in ["", "no", "<html>", "{}"] {
                let failure = judged(prepared, status, body).expect_err(id);
                let passes = failure.retry == Retry::Soon;
                assert!(passes == may_pass, "{id}: {status} {body:?}: {failure:?}");
            }
        }
        assert!(judged(prepared, 429, "").is_err(), "{id}: 429");
    });
}

#[test]
fn no_text_from_outside_is_live_and_no_secret_is_seen() {
    each(|id, prepared, sender| {
        for text in HOSTILE {
            let message = message(&renamed(text), Language::En, "run <@all> @everyone");
            let at_once = if prepared.page.per == Per::Alert { 1 } else { message.alerts.len() };
            for alerts in message.alerts.chunks(at_once) {
                let post = post(sender, &message, alerts);
                let added: Vec<&String> = prepared.page.request.add.keys().collect();
                let found = texts(&post.body);
                let is_data = prepared.page.markup == Markup::None;
                for live in LIVE.iter().filter(|_| !is_data) {
                    assert!(!found.iter().any(|text| text.contains(live)), "{id}: {live} in {}", post.body);
                }
                let secrets = found.iter().filter(|text| text.contains(SECRET)).count();
                assert!(secrets <= added.len(), "{id}: {}", post.body);
            }
        }
    });
}

#[test]
fn no_message_is_larger_than_the_service_takes_whatever_the_names() {
    each(|id, prepared, sender| {
        for (name, language) in [("余", Language::En), ("😀", Language::Zh), ("&", Language::En)] {
            // The longest that a name can be, and all of them different.
            let alert = |(at, alert): (usize, Alert)| Alert { project: format!("{at}{}", name.repeat(130)), ..alert };
            let alerts = renamed(&name.repeat(300)).into_iter().cycle().take(12).enumerate();
            let alerts: Vec<Alert> = alerts.map(alert).collect();
            let message = message(&alerts, language, "20261130T183159Z-3609c2");
            let mut start = 0;
            while start < message.alerts.len() {
                let fits = |end: &usize| *end == start + 1 || sender.fits(&message, &message.alerts[start..*end]);
                let end = (start + 1..=message.alerts.len()).take_while(fits).last().unwrap_or(start + 1);
                let post = post(sender, &message, &message.alerts[start..end]);
                assert!(post.is_within(), "{id}: {:?} {}", post.sizes, post.body);
                for (limit, (size, _)) in prepared.page.limits.iter().zip(&post.sizes) {
                    if limit.of.is_none() {
                        assert_eq!(*size, limit.unit.count(&post.body), "{id}");
                    }
                }
                start = end;
            }
        }
    });
}

#[test]
fn units_count_what_they_say() {
    for (text, bytes, characters, utf16) in [("a", 1, 1, 1), ("é", 2, 1, 1), ("余", 3, 1, 1), ("😀", 4, 1, 2)] {
        let counts = [Unit::Bytes, Unit::Characters, Unit::Utf16].map(|unit| unit.count(text));
        assert_eq!(counts, [bytes, characters, utf16], "{text}");
    }
}

#[test]
fn a_limit_holds_to_the_last_unit() {
    each(|id, prepared, sender| {
        let message = message(&renamed("余😀"), Language::Zh, "run");
        let alert = &message.alerts[..1];
        let sizes = post(sender, &message, alert).sizes;
        for (at, (size, _)) in sizes.iter().enumerate().filter(|(_, (size, _))| *size > 0) {
            for (most, fits) in [(*size, true), (size - 1, false)] {
                let mut page = prepared.page.clone();
                page.limits[at].most = most;
                let tight = Prepared::new(page);
                let sender = Sender { prepared: &tight, ..*sender };
                assert_eq!(sender.fits(&message, alert), fits, "{id}: limit {at} of {most}");
            }
        }
    });
}

#[test]
fn what_opens_an_event_closes_it() {
    each(|id, prepared, sender| {
        if prepared.page.per != Per::Alert {
            return;
        }
        for (open, close) in [("low", "recovered"), ("failing", "readable")] {
            let alerts = [open, close].map(|name| sample::alert(name).unwrap());
            let message = Message::new(&alerts, Language::En, "run");
            let condition = document::condition(&message.alerts[0]);
            assert_eq!(condition, document::condition(&message.alerts[1]));
            assert!(!sender.fits(&message, &message.alerts), "{id}: one alert is one message");
            for alert in message.alerts.chunks(1) {
                let post = post(sender, &message, alert);
                let url = post.url.as_ref().map(|url| url.as_str().replace("%2F", "/")).unwrap_or_default();
                let is_named =
                    url.contains(&condition) || texts(&post.body).iter().any(|text| text.contains(&condition));
                assert!(is_named, "{id}: {url} {}", post.body);
            }
        }
    });
}

/// Failing accounts of a host that have this cause in common, or the end of that.
fn failing(count: usize, sample: &str, shared: &SharedCause) -> Vec<Alert> {
    let alert = |at: usize| {
        let mut alert = sample::alert(sample).unwrap();
        (alert.identity, alert.project) = (Identity(at as i64), format!("Account {at}"));
        (alert.dedup_key, alert.host) = (format!("{sample}-{at}"), Some(shared.host.clone()));
        if let Cause::Failing(failing) = &mut alert.cause {
            failing.shared = Some(shared.clone());
        }
        alert
    };
    (0..count).map(alert).collect()
}

#[test]
fn checks_with_one_cause_are_one_event_with_one_end() {
    each(|id, prepared, sender| {
        if prepared.page.per != Per::Alert {
            return;
        }
        let shared = SharedCause::of_host("gw.example");
        let refused = SharedCause::of_refusal("gw.example", Reason::Auth, "no such key");
        let mut alerts = failing(40, "failing", &shared);
        alerts.extend(failing(1, "failing", &refused));
        alerts.extend(failing(2, "readable", &shared));
        let message = Message::new(&alerts, Language::En, "run");
        let all = |range: std::ops::Range<usize>| &message.alerts[range];
        assert!(sender.fits(&message, all(0..40)) && sender.fits(&message, all(41..43)), "{id}");
        assert!(!sender.fits(&message, all(38..41)), "{id}: another cause is another event");
        assert!(
            !sender.fits(&message, all(39..40).iter().chain(all(41..42)).cloned().collect::<Vec<_>>().as_slice()),
            "{id}"
        );
        let condition = document::condition(&message.alerts[0]);
        for range in [0..40, 0..1, 3..9, 41..43] {
            let post = post(sender, &message, all(range.clone()));
            let found = texts(&post.body);
            let url = post.url.as_ref().map(|url| url.as_str().replace("%2F", "/")).unwrap_or_default();
            let is_named = url.contains(&condition) || found.iter().any(|text| text.contains(&condition));
            assert!(is_named, "{id} {range:?}: {url} {}", post.body);
            if range == (0..40) {
                let is_counted = found.iter().any(|text| text.contains("40 accounts of "));
                assert!(is_counted, "{id}: {}", post.body);
            }
        }
    });
}
