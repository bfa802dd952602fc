//! What a trial shows: requests without what proves them, answers without their values, and what was read of them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::check::account::Account;
use crate::check::account::page::example::Example;
use crate::check::account::page::fixture::Came;
use crate::check::account::page::shape::{self, Keys};
use crate::check::{Amount, Reading};
use crate::model::amount;
use crate::model::failure::Failure;
use crate::process::redact::Redactor;
use crate::report::columns;
use crate::wire::http::{self, Request, Response};
use crate::yaml::scalar::Lenient;

/// Most of a body that is shown, in bytes.
const MOST_SHOWN: usize = 64 * 1024;

/// A request, as far as it may be shown, and what came of it.
pub(super) struct Exchange {
    asked: String,
    sent: Vec<String>,
    came: Option<(Came, String)>,
}

impl Exchange {
    pub(super) fn of(request: &Request, response: Option<&Response>) -> Exchange {
        let url = &request.url;
        let query: Vec<String> = url.query_pairs().map(|(name, _)| format!("{}=…", shape::shown_key(&name))).collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let asked = format!("{} {}://{}{}{query}", request.method, url.scheme(), http::host(url), shape::of_path(url.path()));
        let headers: Vec<&str> = request.headers.keys().map(|name| name.as_str()).collect();
        let mut sent = Vec::new();
        sent.extend((!headers.is_empty()).then(|| format!("headers: {}", headers.join(", "))));
        sent.extend(request.body.as_ref().map(|body| format!("body: {} bytes", body.len())));
        let came = response.map(|response| {
            let kind = response.headers.get("content-type").cloned().unwrap_or_default();
            (Came { status: response.status, body: response.body.clone() }, kind)
        });
        Exchange { asked, sent, came }
    }
}

/// What was asked and what came back.
pub(super) fn exchanges(exchanges: &[Exchange], keys: &Keys, redactor: &Redactor, shows_bodies: bool) -> String {
    let mut out = String::new();
    for exchange in exchanges {
        out.push_str(&format!("asked: {}\n", redactor.mask(&exchange.asked)));
        exchange.sent.iter().for_each(|line| out.push_str(&format!("  {line}\n")));
        let Some((came, kind)) = &exchange.came else {
            out.push_str("came back: nothing\n");
            continue;
        };
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let kind = if kind.is_empty() { String::new() } else { format!(", {}", redactor.clean(kind)) };
        out.push_str(&format!("came back: HTTP {}{kind}, {} bytes\n", came.status, came.body.len()));
        match shape::of_json(&came.body, keys) {
            Some(places) => {
                let places = places.into_iter().map(|(place, kind)| (redactor.mask(&place), kind));
                places.for_each(|(place, kind)| out.push_str(&format!("  {place}: {kind}\n")));
            }
            None => out.push_str("  no JSON\n"),
        }
        if shows_bodies {
            let shown = &came.body[..came.body.len().min(MOST_SHOWN)];
            out.push_str(&format!("body:\n{}\n", redactor.mask(&String::from_utf8_lossy(shown))));
        }
    }
    if exchanges.is_empty() {
        out.push_str("asked: nobody\n");
    }
    out
}

/// What was read, and by which expression.
pub(super) fn read(account: &Account, result: &Result<Reading, Failure>, redactor: &Redactor) -> String {
    let reading = match result {
        Ok(reading) => reading,
        Err(failure) => {
            let hint = failure.hint.as_ref().map(|hint| format!(" hint: {hint}\n")).unwrap_or_default();
            return format!("read: nothing ({})\n  {}\n{hint}", failure.reason.as_str(), failure.message);
        }
    };
    let page = &account.page;
    let currency = reading.currency.as_deref();
    let balance = match reading.amount {
        Amount::Of(value) => amount::show(value, currency),
        Amount::Unlimited => "unlimited".to_owned(),
    };
    let (field, _) = page.measured();
    let of_balance = match (&page.unlimited, reading.amount) {
        (Some(code), Amount::Unlimited) => ("unlimited", code.clone()),
        _ => (field, page.measured_for(&account.options)),
    };
    let beside = &reading.beside;
    let number = |value: Option<_>| value.map(|value| amount::show(value, currency));
    let expires = beside.expires.iter().map(|credit| {
        let date = credit.date.map_or("never".to_owned(), |date| date.to_string());
        format!("{} {date}", number(credit.amount).unwrap_or_else(|| "-".to_owned()))
    });
    let expires: Vec<String> = expires.collect();
    let rows = [
        ("balance", Some(balance), of_balance.0, Some(of_balance.1)),
        ("total", number(beside.total), "total", page.total.clone()),
        ("usage", number(beside.usage), "usage", page.usage.clone()),
        ("frozen", number(beside.frozen), "frozen", page.frozen.clone()),
        ("resets_at", beside.resets_at.map(|at| at.to_string()), "resets_at", page.resets_at.clone()),
        ("expires", (!expires.is_empty()).then(|| expires.join(", ")), "expires", page.expires.clone()),
    ];
    let rows = rows.into_iter().filter_map(|(name, value, field, code)| {
        let code = redactor.mask(&code?.split_whitespace().collect::<Vec<_>>().join(" "));
        Some(vec![name.to_owned(), value.unwrap_or_else(|| "not known".to_owned()), format!("{field}: {code}")])
    });
    format!("read:\n{}", columns(&["WHAT", "VALUE", "BY"], rows.collect(), &[]))
}

/// An example for the page, or why there is none.
pub(super) fn fixture(account: &Account, exchanges: &[Exchange], now: Timestamp) -> String {
    let came = exchanges.iter().filter_map(|exchange| exchange.came.as_ref());
    let came: Vec<Came> =
        came.map(|(came, _)| Came { status: came.status, body: came.body.clone() }).collect();
    if came.is_empty() {
        return "example: none, because nothing came back\n".to_owned();
    }
    // What an option may be set to is known of the page; anything else may name somebody.
    let options = account.options.iter().filter_map(|(name, value)| {
        let spec = account.page.options.get(name)?;
        let is_default = spec.default.as_ref() == Some(value);
        let value = if spec.values.contains(value) { value.clone() } else { "x".to_owned() };
        (!is_default).then(|| (name.clone(), value))
    });
    let given = Example {
        name: "ok".to_owned(),
        currency: account.currency.clone(),
        budget: account.budget.map(Lenient),
        now: Some(now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        options: options.collect::<BTreeMap<_, _>>(),
        ..Example::default()
    };
    match account.page.fixture(&came, &given) {
        Ok(example) => format!("example, with other numbers; look at it before you give it away:\nexamples:\n{example}"),
        Err(why) => format!("example: none, because {why}\n"),
    }
}
