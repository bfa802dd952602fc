//! What every page of the catalogue must hold: its own examples, of every kind that applies to it, and what it must make of answers
//! that are wrong in every place.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::check::account::config::pages::problems;
use crate::check::account::page::ask::Form;
use crate::check::account::page::credential::CredentialFormat;
use crate::check::account::page::example::{Example, ExampleAnswer};
use crate::check::{Amount, Reading};
use crate::model::failure::{Failure, Reason, Retry};
use crate::page::expression::parse_json;

/// Stands where an answer must not be quoted.
const PRIVATE: &str = "qzjxPRIVATE";

/// The texts of all pages, with their examples.
fn texts() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check/account/catalog");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// Looks at every page that can be read, with its examples, and names at the end all for which `look` has panicked.
fn each(look: impl Fn(Page)) {
    let mut bad = Vec::new();
    for (id, text) in texts().into_iter().filter(|(_, text)| !text.contains("\nmeter: none")) {
        let one = || look(serde_yaml::from_str(&text).unwrap_or_else(|why| panic!("{id}: {why}")));
        if catch_unwind(AssertUnwindSafe(one)).is_err() {
            bad.push(id);
        }
    }
    assert!(bad.is_empty(), "of these pages something is wrong, as told above: {bad:?}");
}

/// An example of this name.
fn example<'a>(page: &'a Page, name: &str) -> &'a Example {
    let found = page.examples.iter().find(|example| example.name == name);
    found.unwrap_or_else(|| panic!("{}: there is no example `{name}`", page.id))
}

fn result_of(page: &Page, example: &Example) -> Result<Reading, Failure> {
    page.result_of(example).unwrap_or_else(|why| panic!("{}: {why}", page.id))
}

/// An example with another body in one of its answers. Later answers may not be asked for any more.
fn with_body(example: &Example, at: usize, status: u16, body: &str) -> Example {
    let mut answers = example.all_answers();
    answers.truncate(at + 1);
    answers[at] = ExampleAnswer { status, body: body.to_owned(), ..answers[at].clone() };
    Example { answers, ..example.clone() }
}

/// What comes of an example with another body. That it asks for more answers than there are is no failure, and no reading.
fn outcome(page: &Page, example: &Example, at: usize, status: u16, body: &str) -> Option<Result<Reading, Failure>> {
    let mut changed = with_body(example, at, status, body);
    if let Ok(result) = page.result_of(&changed) {
        return Some(result);
    }
    changed.answers.extend(example.all_answers().into_iter().skip(at + 1));
    page.result_of(&changed).ok()
}

#[test]
fn the_catalogue_does_not_shrink() {
    let readable = ENTRIES.iter().filter(|entry| entry.is_readable).count();
    assert!(readable >= 130, "{readable} services can be read");
    assert!(ENTRIES.len() - readable >= 25, "{} services say why they cannot", ENTRIES.len() - readable);
}

#[test]
fn every_page_parses_and_its_examples_hold() {
    each(|page| {
        let wrong = page.examples.iter().filter_map(|example| page.try_example(example).err());
        let wrong: Vec<String> = wrong.map(|why| format!("{}: {why}", page.id)).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let problems = problems::of(&page, Instant::now() + Duration::from_secs(60));
        assert!(problems.is_empty(), "{}: {problems:?}", page.id);
        let Some(Listed::Page(listed)) = find(&page.id) else { panic!("{} is not found", page.id) };
        let whole = Page { examples: Vec::new(), ..page };
        assert_eq!(format!("{listed:?}"), format!("{whole:?}"), "only the examples may be missing");
    });
    for (id, text) in texts() {
        let known = match find(&id) {
            Some(Listed::Page(page)) => page.id,
            Some(Listed::Absent(absent)) => {
                assert!(!absent.why.is_empty() && !absent.instead.is_empty() && absent.checked.is_some(), "{id}");
                absent.id
            }
            None => panic!("{id} cannot be read: {:?}", serde_yaml::from_str::<Page>(&text).err()),
        };
        assert_eq!(known, id, "a page has the name of its file");
    }
}

/// What `init` finds under a name belongs to one service, and can stand in a config.
#[test]
fn the_usual_names_of_keys_are_variables_of_one_service_each() {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    each(|page| {
        let is_pair = page.credential.format == CredentialFormat::Pair;
        for names in page.credential.variables(&page.id) {
            let parts: Vec<&str> = names.split(':').collect();
            assert!(parts.len() == 1 || parts.len() == 2 && is_pair, "{names}");
            for name in parts {
                let is_name = name.starts_with(|c: char| c.is_ascii_uppercase())
                    && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
                assert!(is_name, "{name}");
            }
        }
    });
    for listed in catalog() {
        let Listed::Page(page) = listed else { continue };
        for names in page.credential.variables(&page.id) {
            let other = owners.insert(names.clone(), page.id.clone());
            assert_eq!(other, None, "{names} belongs to {} as well", page.id);
        }
    }
}

#[test]
fn every_page_has_examples_of_every_kind() {
    each(|page| {
        let id = &page.id;
        assert!(page.checked.is_some(), "{id}: `checked` is missing");
        assert!(page.docs.is_some() || page.file().is_some(), "{id}: `docs` is missing");
        let amount = |name: &str| match result_of(&page, example(&page, name)).map(|reading| reading.amount) {
            Ok(Amount::Of(amount)) => amount,
            other => panic!("{id}: `{name}` gives {other:?}"),
        };
        assert!(amount("ok") > amount("low"), "{id}: `ok` is not more than `low`");
        let failure = |name: &str| match result_of(&page, example(&page, name)) {
            Err(failure) => failure,
            Ok(reading) => panic!("{id}: `{name}` gives {reading:?}"),
        };
        failure("garbage");
        if page.credential.format != CredentialFormat::None {
            failure("wrong key");
        }
        if page.error.is_some() || page.steps.iter().any(|step| step.error.is_some()) {
            failure("error in 200");
            let answers = example(&page, "error in 200").all_answers();
            assert!(
                answers.iter().all(|answer| (200..300).contains(&answer.status)),
                "{id}: its `error in 200` is none"
            );
        }
        let said = [Some(page.measured().1), page.unlimited.as_deref()];
        if page.unlimited.is_some() || said.into_iter().flatten().any(|code| code.contains("unlimited")) {
            let reading = result_of(&page, example(&page, "no limit")).unwrap();
            assert_eq!(reading.amount, Amount::Unlimited, "{id}");
        }
    });
}

#[test]
fn no_page_reads_an_answer_that_holds_nothing() {
    each(|page| {
        if page.file().is_some() {
            return;
        }
        let page = &page;
        let ok = example(page, "ok");
        for at in 0..ok.all_answers().len() {
            let request = page.requests().nth(at.min(page.requests().count() - 1)).unwrap();
            for body in
                ["", "{}", "[]", "null", "<html>login</html>", "\"x\"", "0", "{\"data\":null}", "\u{FFFD}", "<a/>"]
            {
                let result = outcome(page, ok, at, 200, body);
                let is_refused = result.as_ref().is_some_and(Result::is_err);
                assert!(is_refused || request.answer == Form::None, "{} reads {body:?} as {result:?}", page.id);
            }
            for (status, reason) in [
                (400, Reason::HttpStatus),
                (401, Reason::Auth),
                (403, Reason::Auth),
                (404, Reason::HttpStatus),
                (408, Reason::HttpStatus),
                (410, Reason::HttpStatus),
                (422, Reason::HttpStatus),
                (429, Reason::RateLimited),
                (500, Reason::HttpStatus),
                (502, Reason::HttpStatus),
                (503, Reason::HttpStatus),
                (504, Reason::HttpStatus),
            ] {
                if request.accepts(status) {
                    continue;
                }
                for body in ["<html>", "", "{}", "[]", "null", "x"] {
                    let failure = outcome(page, ok, at, status, body).unwrap().unwrap_err();
                    let is_page_s_own = body == "{}" && failure.reason != reason;
                    assert!(failure.reason == reason || is_page_s_own, "{} {status} {body}: {failure:?}", page.id);
                    if failure.reason == reason {
                        let can_help = matches!(status, 408 | 429 | 500..);
                        assert_eq!(failure.retry == Retry::Soon, can_help, "{} {status} {body}", page.id);
                    }
                }
            }
        }
    });
}

#[test]
fn no_page_reads_a_zero_beside_an_error_and_no_good_answer_holds_one() {
    let extras = [
        json!({"error": "invalid api key"}),
        json!({"error": {"code": 401, "message": "invalid key"}}),
        json!({"success": false, "message": "account suspended"}),
        json!({"code": 401, "msg": "unauthorized"}),
    ];
    each(|page| {
        let options = page.options_with_defaults(&BTreeMap::new());
        let reader = page.reader(&options).unwrap();
        let mut wrong = Vec::new();
        for example in &page.examples {
            if result_of(&page, example).is_err() {
                continue;
            }
            let answers = example.all_answers();
            for (at, answer) in answers.iter().enumerate().filter(|(_, answer)| answer.status < 300) {
                let Ok(body) = parse_json(answer.body.as_bytes()) else { continue };
                if body.is_denied(&|field| reader.judges(field)) {
                    wrong.push(format!("answer {at} of `{}` says that something is wrong", example.name));
                }
                let Ok(Value::Object(good)) = serde_json::from_str(&answer.body) else { continue };
                // What is read of an earlier answer is not the balance.
                if at + 1 < answers.len() {
                    continue;
                }
                for extra in extras.iter().filter_map(Value::as_object) {
                    if extra.keys().any(|field| good.contains_key(field) || reader.judges(field)) {
                        continue;
                    }
                    let mut body = Value::Object(good.clone());
                    set_to_zero(&mut body);
                    body.as_object_mut().unwrap().extend(extra.clone());
                    if let Some(Ok(Reading { amount: Amount::Of(amount), .. })) =
                        outcome(&page, example, at, answer.status, &body.to_string())
                        && amount.is_zero()
                        && example.budget.is_none()
                    {
                        wrong.push(format!("`{}` is read as zero beside {extra:?}", example.name));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}: {wrong:?}", page.id);
    });
}

/// Makes all numbers of a value zero, those in texts too.
fn set_to_zero(value: &mut Value) {
    match value {
        Value::Number(_) => *value = json!(0),
        Value::String(text) if text.parse::<f64>().is_ok() => *value = json!("0"),
        Value::Array(items) => items.iter_mut().for_each(set_to_zero),
        Value::Object(fields) => fields.values_mut().for_each(set_to_zero),
        _ => {}
    }
}

/// Every place in a JSON value, as a pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| places(item, &format!("{at}/{i}"), found)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            places(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found)
        }),
        _ => {}
    }
}

/// A body with another value at a place, written in the form of the original.
fn replaced(body: &Value, place: &str, with: &Value) -> Value {
    let mut body = body.clone();
    if let Some(at) = body.pointer_mut(place) {
        *at = with.clone();
    }
    body
}

#[test]
fn a_body_of_a_wrong_type_in_any_place_gives_no_other_balance() {
    let wrong = ["null", "true", "{}", "[]", "\"qzjxPRIVATE\"", "{\"qzjxPRIVATE\":1}", "[[\"qzjxPRIVATE\"]]"];
    let wrong = wrong.map(|text| serde_json::from_str::<Value>(text).unwrap());
    each(|page| {
        for name in ["ok", "low"] {
            let example = example(&page, name);
            let right = result_of(&page, example).unwrap();
            for (at, answer) in example.all_answers().iter().enumerate() {
                // Texts and XML have no types.
                let Ok(body) = serde_json::from_str::<Value>(&answer.body) else { continue };
                let mut found = Vec::new();
                places(&body, "", &mut found);
                for place in &found {
                    // A list without items is no wrong type where a list stands.
                    let is_list = body.pointer(place).is_some_and(Value::is_array);
                    for with in wrong.iter().filter(|with| !is_list || **with != Value::Array(Vec::new())) {
                        let body = replaced(&body, place, with);
                        let result = outcome(&page, example, at, answer.status, &body.to_string());
                        let what = format!("{} `{name}` with {with} at {place}", page.id);
                        // Null or true may mean that there is no limit; nothing else of a wrong type does.
                        judge(&page, &right, result, with.is_null() || with.is_boolean(), &what);
                    }
                }
            }
        }
    });
}

/// That a wrong type is refused, or was in a place that does not matter.
#[track_caller]
fn judge(page: &Page, right: &Reading, result: Option<Result<Reading, Failure>>, may_be_unlimited: bool, what: &str) {
    match result {
        // It asks for an answer that the example does not have.
        None => {}
        Some(Ok(reading)) => {
            let is_unlimited = reading.amount == Amount::Unlimited && page.unlimited.is_some() && may_be_unlimited;
            assert!(reading.amount == right.amount || is_unlimited, "{what}: {reading:?} instead of {right:?}");
            let is_same = reading.currency == right.currency;
            // That an answer names no currency may be so.
            assert!(is_same || reading.currency.is_none() || reading.currency == page.currency, "{what}: {reading:?}");
        }
        Some(Err(failure)) => {
            let own = [Some(failure.message), failure.hint].into_iter().flatten().collect::<String>();
            assert!(!own.contains(PRIVATE), "{what}: {own}");
        }
    }
}
