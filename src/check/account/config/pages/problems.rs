//! What is wrong with a page, by field.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use url::Url;

use crate::check::account::page::ask::{RequestSpec, Step};
use crate::check::account::page::credential::CredentialFormat;
use crate::check::account::page::fill::{self, placeholders};
use crate::check::account::page::{Kind, Page, time};
use crate::model::text;
use crate::wire::config::is_header_name;
use crate::wire::limit::Limit;
use crate::yaml::address::web_address;

/// A mistake: the field of the page that it is in, and what it is.
type Found = (&'static str, String);

/// Most pages of a long answer.
const MOST_PAGES: u16 = 200;

/// Whether a text can be the id of a page.
pub(super) fn is_word(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// What a page lacks without which it is none.
pub(crate) fn missing(page: &Page) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if page.request.is_none() && page.steps.is_empty() {
        missing.push("request");
    }
    if page.balance.is_none() && page.spend.is_none() {
        missing.push(if page.kind == Kind::Spend { "spend" } else { "balance" });
    }
    missing
}

/// Everything that is wrong with what a page says. If all of it can be used, its examples are run until `end`.
pub(crate) fn of(page: &Page, end: Instant) -> Vec<Found> {
    let mut problems = Vec::new();
    if !is_word(&page.id) {
        problems.push(("id", "`id` must be made of lower-case letters, digits and `-`".to_owned()));
    }
    problems.extend(of_measure(page));
    problems.extend(of_requests(page));
    problems.extend(of_confirm(page));
    if let Some(Err(why)) = page.rate_limit.as_ref().map(|limit| limit.parse::<Limit>()) {
        problems.push(("rate_limit", format!("`rate_limit` {why}")));
    }
    problems.extend(of_placeholders(page));
    // The project brings what has no default; until then any expression stands for it.
    let options = page.options_with_defaults(&BTreeMap::new());
    let is_guess = |field: &str| page.read_by(field).is_some_and(|code| code.contains("{options."));
    let unset = page.options.keys().filter(|name| !options.contains_key(*name)).cloned();
    let mut probe = options.clone();
    probe.extend(unset.map(|name| (name, ".".to_owned())));
    let wrong = wrong_expressions(page, &probe);
    let is_usable = missing(page).is_empty() && wrong.iter().all(|(field, _)| is_guess(field));
    if !is_usable {
        problems.extend(wrong);
        return problems;
    }
    for example in &page.examples {
        if let Err(why) = page.try_example(example) {
            problems.push(("examples", why));
            if Instant::now() > end {
                break;
            }
        }
    }
    problems
}

/// The expressions that cannot be compiled. Each one that is wrong is taken out, so that the others are looked at as well.
fn wrong_expressions(page: &Page, options: &BTreeMap<String, String>) -> Vec<Found> {
    let mut page = page.clone();
    let mut wrong: Vec<Found> = Vec::new();
    if page.measured().1.is_empty() {
        page.balance = Some("null".to_owned());
    }
    while let Err((field, why)) = page.reader(options) {
        let is_new = wrong.iter().all(|(known, _)| *known != field);
        wrong.push((field, why));
        let nothing = || Some("null".to_owned());
        match field {
            "error" => page.error = None,
            "balance" => page.balance = nothing(),
            "spend" => page.spend = nothing(),
            "unlimited" => page.unlimited = None,
            "total" => page.total = None,
            "usage" => page.usage = None,
            "frozen" => page.frozen = None,
            "resets_at" => page.resets_at = None,
            "expires" => page.expires = None,
            "confirm" => page.confirm = None,
            "steps" => page.steps.truncate(0),
            _ => break,
        }
        if !is_new {
            break;
        }
    }
    wrong
}

/// What is measured, and in what.
fn of_measure(page: &Page) -> Vec<Found> {
    let mut problems = Vec::new();
    let wanted = if page.kind == Kind::Spend { "spend" } else { "balance" };
    match (&page.balance, &page.spend) {
        (Some(_), Some(_)) => problems.push(("spend", "set only one of `balance` and `spend`".to_owned())),
        (None, Some(_)) if wanted == "balance" => problems.push(("kind", "`spend` needs `kind: spend`".to_owned())),
        (Some(_), None) if wanted == "spend" => {
            problems.push(("kind", "`kind: spend` needs `spend` instead of `balance`".to_owned()));
        }
        _ => {}
    }
    if page.currency.is_some() && page.unit.is_some() {
        problems.push(("unit", "set only one of `currency` and `unit`".to_owned()));
    }
    if page.scale.as_ref().is_some_and(|scale| scale.0 <= rust_decimal::Decimal::ZERO) {
        problems.push(("scale", "`scale` must be more than 0; `inverted: true` turns the sign".to_owned()));
    }
    if page.min_interval.as_deref().is_some_and(|text| time::span(text).is_none()) {
        problems.push(("min_interval", "`min_interval` is no span of time such as `30m`, `6h` or `1d`".to_owned()));
    }
    let credential = &page.credential;
    if (credential.format == CredentialFormat::Parts) == credential.parts.is_empty() {
        problems.push(("credential", "`format: parts` and `parts` belong together".to_owned()));
    }
    problems.extend(of_signature(page));
    problems
}

/// What a signature needs and the page does not have: it would sign with an empty text.
fn of_signature(page: &Page) -> Vec<Found> {
    let Some(scheme) = page.sign else {
        return Vec::new();
    };
    let credential = &page.credential;
    let has_part = |part: &str| match credential.format {
        CredentialFormat::Pair => matches!(part, "id" | "secret"),
        CredentialFormat::Parts => credential.parts.contains_key(part),
        CredentialFormat::Key | CredentialFormat::None => false,
    };
    let parts = scheme.parts().iter().filter(|part| !has_part(part));
    let parts =
        parts.map(|part| ("sign", format!("requests are signed with `{part}`, which is no part of the credential")));
    let options = scheme.options().iter().filter(|option| !page.options.contains_key(**option));
    let options =
        options.map(|option| ("sign", format!("requests are signed for `{option}`, which is not a declared option")));
    parts.chain(options).collect()
}

/// What is wrong with what is asked.
fn of_requests(page: &Page) -> Vec<Found> {
    let mut problems = Vec::new();
    if page.request.is_some() && !page.steps.is_empty() {
        problems.push(("request", "set only one of `request` and `steps`".to_owned()));
    }
    let request = page.request.iter().map(|request| ("request", request));
    for (field, request) in request.chain(page.steps.iter().map(|step| ("steps", &step.request))) {
        problems.extend(of_request(page, request).into_iter().map(|why| (field, why)));
    }
    let (mut names, mut kept) = (BTreeSet::new(), BTreeSet::new());
    for (index, step) in page.steps.iter().enumerate() {
        // The value of the first step would be lost.
        let item = step.each.iter().map(|each| &each.name);
        let own: BTreeSet<&str> = step.bind.keys().chain(step.sum.keys()).chain(item).map(String::as_str).collect();
        for name in own.into_iter().filter(|name| !kept.insert(*name)) {
            problems.push(("steps", format!("two steps bind or add a value of the name `{name}`")));
        }
        if !names.insert(step.name.as_str()) {
            problems.push(("steps", "two steps have the same name".to_owned()));
        }
        problems.extend(of_step(step, index).into_iter().map(|why| ("steps", why)));
    }
    problems
}

fn of_request(page: &Page, request: &RequestSpec) -> Vec<String> {
    let mut problems = Vec::new();
    match (&request.url, &request.file) {
        (Some(url), None) => match probe(page, url) {
            Err(why) => problems.push(format!("`url` {why}")),
            Ok(address) => {
                let twice = address.query_pairs().find(|(name, _)| request.query.contains_key(&**name));
                if let Some((name, _)) = twice {
                    problems.push(format!("`{name}` stands both in `url` and in `query`"));
                }
            }
        },
        (None, Some(_)) if page.steps.is_empty() => {}
        (None, Some(_)) => problems.push("a `file` cannot be one of several steps".to_owned()),
        _ => problems.push("exactly one of `url` and `file` must be set".to_owned()),
    }
    if !request.headers.keys().all(|name| is_header_name(name)) {
        problems.push("a key of `headers` is not the name of a header".to_owned());
    }
    if request.body.is_some() && !request.form.is_empty() {
        problems.push("set only one of `body` and `form`".to_owned());
    }
    if request.basic.is_some() && request.headers.keys().any(|name| name.eq_ignore_ascii_case("authorization")) {
        problems.push("set only one of `basic` and the header `Authorization`".to_owned());
    }
    problems
}

fn of_step(step: &Step, index: usize) -> Vec<String> {
    let mut problems = Vec::new();
    let name = &step.name;
    if step.when.is_some() && index == 0 {
        problems.push(format!("the first step, `{name}`, has no answer before it that `when` could look at"));
    }
    if let Some(each) = &step.each {
        if index == 0 {
            problems.push(format!("the first step, `{name}`, has no answer before it that `each` could look at"));
        }
        if step.bind.contains_key(&each.name) || step.sum.contains_key(&each.name) {
            problems.push(format!("step `{name}` calls an item of `each` like what it binds or adds"));
        }
        if !(1..=MOST_PAGES).contains(&each.most) {
            problems.push(format!("`most` of `each` in step `{name}` must be 1 to {MOST_PAGES}"));
        }
        if step.sum.is_empty() {
            problems.push(format!("step `{name}` adds nothing up over `each`: only its `sum` is kept of all answers"));
        }
    }
    if step.bind.keys().any(|bound| step.sum.contains_key(bound)) {
        problems.push(format!("step `{name}` both binds and adds a value of one name"));
    }
    if step.pages.as_ref().is_some_and(|pages| !(1..=MOST_PAGES).contains(&pages.most)) {
        problems.push(format!("`most` of step `{name}` must be 1 to {MOST_PAGES}"));
    }
    problems
}

fn of_confirm(page: &Page) -> Option<Found> {
    let why = probe(page, &page.confirm.as_ref()?.url).err()?;
    Some(("confirm", format!("`url` {why}")))
}

/// The address as far as it can be known.
fn probe(page: &Page, url: &str) -> Result<Url, String> {
    let options = page.options_with_defaults(&BTreeMap::new());
    let option = |name: &str| Some(options.get(name.strip_prefix("options.")?)?.into());
    web_address(&fill::with(url, option, str::to_owned).replace(['{', '}'], "x"))
}

/// Placeholders that are not known, or that stand where they cannot be filled.
fn of_placeholders(page: &Page) -> Vec<Found> {
    let mut problems = BTreeSet::new();
    let now = jiff::Timestamp::UNIX_EPOCH;
    let mut bound: BTreeSet<&str> = BTreeSet::new();
    let requests = page.request.iter().map(|request| ("request", request, None));
    for (field, request, step) in requests.chain(page.steps.iter().map(|step| ("steps", &step.request, Some(step)))) {
        let is_known = |name: &str| match name.split_once('.') {
            Some(("options", option)) => page.options.contains_key(option),
            Some(("credential", part)) => match page.credential.format {
                CredentialFormat::Pair => matches!(part, "id" | "secret"),
                CredentialFormat::Parts => page.credential.parts.contains_key(part),
                CredentialFormat::Key | CredentialFormat::None => false,
            },
            Some(("bind", name)) => bound.contains(name) || step.and_then(Step::item) == Some(name),
            _ => name == "api_key" || name == "uuid" || time::placeholder(name, now).is_some(),
        };
        problems.extend(of_texts(request, &is_known).into_iter().map(|why| (field, why)));
        if let Some(file) = &request.file {
            let strange = placeholders(file).find(|name| !name.starts_with("options.") || !is_known(name));
            problems.extend(strange.map(|name| (field, format!("`{{{name}}}` is not a declared option"))));
        }
        if let Some(url) = &request.url {
            problems.extend(of_address(url, &is_known).into_iter().map(|why| (field, why)));
        }
        if let Some(step) = step {
            bound.extend(step.bind.keys().chain(step.sum.keys()).map(String::as_str));
        }
    }
    if let Some(confirm) = &page.confirm {
        let is_known = |name: &str| match name.strip_prefix("options.") {
            Some(option) => page.options.contains_key(option),
            None => name == "api_key" || name.starts_with("credential."),
        };
        problems.extend(of_address(&confirm.url, &is_known).into_iter().map(|why| ("confirm", why)));
    }
    problems.into_iter().collect()
}

fn of_address(url: &str, is_known: &dyn Fn(&str) -> bool) -> Vec<String> {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    let mut problems = Vec::new();
    for name in placeholders(&url[..end]).filter(|name| !name.starts_with("options.") && is_known(name)) {
        // The host is shown, stored and logged, and a credential must not be sent wherever an answer says.
        problems.push(format!("`{{{name}}}` cannot stand in the host of an address"));
    }
    let unknown = placeholders(url).filter(|name| !is_known(name));
    problems.extend(unknown.map(|name| match name.strip_prefix("bind.") {
        Some(_) => format!("`{{{name}}}` is bound by no earlier step"),
        None if name.starts_with("credential.") => format!("`{{{name}}}` is no part of the credential"),
        None => format!("`{{{name}}}` is not a declared option"),
    }));
    problems
}

fn of_texts(request: &RequestSpec, is_known: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut problems = Vec::new();
    for text in request.texts().chain(&request.body) {
        if text.contains("{{api_key}}") {
            problems.push("`{{api_key}}` has one brace too many: write `{api_key}`".to_owned());
        }
    }
    let unknown = |name: &str| match name.split_once('.') {
        Some(("bind", _)) => format!("`{{{name}}}` is bound by no earlier step"),
        Some(("credential", _)) => format!("`{{{name}}}` is no part of the credential"),
        _ => format!("`{{{name}}}` is neither `{{api_key}}` nor a declared option"),
    };
    let filled = request.texts().flat_map(|text| placeholders(text));
    problems.extend(filled.filter(|name| *name != "{api_key" && !is_known(name)).map(unknown));
    // Braces are common in a body, so only what looks like a slip of the pen is one.
    for name in request.body.iter().flat_map(|text| placeholders(text)) {
        let is_near = name != "api_key" && text::nearest(name, ["api_key"]).is_some();
        let is_meant = ["options.", "credential.", "bind."].iter().any(|start| name.starts_with(start));
        if is_near || (is_meant && !is_known(name)) {
            problems.push(unknown(name));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_signature_needs_a_credential_and_the_options_that_it_is_made_of() {
        let schemes = ["volc-hmac-sha256", "aliyun-acs3", "tencent-tc3", "huawei-sdk-hmac", "aws-v4", "ovh-v1"];
        for scheme in schemes.into_iter().chain(["bce-auth-v1", "qiniu", "qbox", "ucloud-sha1", "jdcloud2"]) {
            for (credential, options, is_wrong) in [
                (json!({}), json!(["region", "service"]), true),
                (json!({"format": "parts", "parts": {"id": "x"}}), json!(["region", "service"]), true),
                (json!({"format": "parts", "parts": {"id": "x", "secret": "y"}}), json!(["region", "service"]), false),
                (json!({"format": "pair"}), json!(["region", "service"]), false),
                (
                    json!({"format": "pair"}),
                    json!([]),
                    ["volc-hmac-sha256", "tencent-tc3", "aws-v4", "jdcloud2"].contains(&scheme),
                ),
            ] {
                let option =
                    |name: &Value| (name.as_str().unwrap().to_owned(), json!({"description": "x", "default": "y"}));
                let options: serde_json::Map<_, _> = options.as_array().unwrap().iter().map(option).collect();
                let page = json!({"id": "acme", "title": "Acme", "kind": "balance", "balance": ".v", "sign": scheme,
                    "request": {"url": "https://acme.example/v1"}, "credential": credential, "options": options});
                let page: Page = serde_json::from_value(page).unwrap();
                let problems = of(&page, Instant::now() + Duration::from_secs(10));
                assert_eq!(
                    problems.iter().any(|(field, _)| *field == "sign"),
                    is_wrong,
                    "{scheme} {credential}: {problems:?}"
                );
            }
        }
    }

    #[test]
    fn two_steps_keep_no_value_of_one_name() {
        let add = json!({"sum": {"s": ".v"}});
        let bind = json!({"bind": {"s": ".v"}});
        let other = json!({"bind": {"t": ".v"}});
        for (first, second, is_wrong) in
            [(&add, &add, true), (&bind, &bind, true), (&add, &bind, true), (&add, &other, false)]
        {
            let step = |name: &str, kept: &Value| {
                let mut step = json!({"name": name, "request": {"url": "https://acme.example/v1"}});
                step[kept.as_object().unwrap().keys().next().unwrap()] =
                    kept.as_object().unwrap().values().next().unwrap().clone();
                step
            };
            let steps = json!([step("a", first), step("b", second)]);
            let page = json!({"id": "acme", "title": "Acme", "kind": "balance", "balance": ".v", "steps": steps});
            let page: Page = serde_json::from_value(page).unwrap();
            let problems = of(&page, Instant::now() + Duration::from_secs(10));
            let want = "two steps bind or add a value of the name `s`";
            assert_eq!(problems.iter().any(|(_, why)| why == want), is_wrong, "{first} {second}: {problems:?}");
        }
    }
}
