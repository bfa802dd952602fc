//! Whether an answer says that something is wrong, in fields whose names mean that wherever they stand.
//!
//! A balance of zero in such an answer is what the service fills in, and not what an account has. The guard is the same for each
//! kind of answer: `texts` reads the fields of one that is a plain text, and headers are fields as well.

mod names;
mod sentences;
mod texts;

use std::collections::BTreeMap;

use self::names::{CODES, COUNTS, ERRORS, FINE, NO_SUCCESS, RETURNS, STATUS, SUCCESS, SUCCESSFUL, WRAPPERS, WRONG};
use super::Value;
use super::service_message::has_sentence_against;
use crate::model::amount;

pub(super) use self::sentences::is_of_nothing_left;
pub(super) use self::texts::is_refusal;

/// Lists and objects within each other that are looked into.
const DEEPEST: usize = 8;
/// Lists and objects within each other that are looked into in a field for errors.
const DEEPEST_ERROR: usize = 8;
/// Fields of one object that are looked at.
const MOST_FIELDS: usize = 500;

/// Whether the answer says that something is wrong. Of what `is_judged` knows by its name, as it is spelt, somebody else decides
/// what it means.
pub(super) fn is_denied(answer: &Value, is_judged: &dyn Fn(&str) -> bool) -> bool {
    denies(answer, is_judged, DEEPEST)
}

/// Whether the headers of an answer say so: `X-Error`, `X-Acme-Error-Code`, `X-Status`.
pub(super) fn is_denied_by_headers(headers: &BTreeMap<String, String>, is_judged: &dyn Fn(&str) -> bool) -> bool {
    headers.iter().take(MOST_FIELDS).any(|(header, text)| {
        let name = header.strip_prefix("x-").unwrap_or(header);
        // Behind the name of a service only what is an error by its name is one: a cache has a status as well.
        let inner = name.split_once('-').map(|(_, rest)| plain(rest)).filter(|rest| ERRORS.contains(&rest.as_str()));
        let text = text.trim();
        let value = text.parse::<isize>().map_or_else(|_| Value::from(text.to_owned()), Value::from);
        let is_wrong = says(&plain(name), &value, false) || inner.is_some_and(|inner| says(&inner, &value, false));
        is_wrong && !is_judged(header)
    })
}

/// Whether a field says by its name and its value that something is wrong. Of a code it matters whether words are beside it that
/// do not say that all is well.
fn says(name: &str, field: &Value, has_words: bool) -> bool {
    let is = |names: &[&str]| names.contains(&name);
    is(&ERRORS) && is_wrong(name, field, DEEPEST_ERROR)
        || is(&SUCCESS) && is_denial(field)
        || is(&CODES) && (is_wrong_code(field, has_words) || is(&RETURNS) && is_wrong_return(field))
        || is(&STATUS) && is_wrong_status(field)
        || name == "flag" && has_words && is_denial(field)
        || matches!(name, "type" | "object")
            && field.as_text().is_some_and(|text| is_word(text, &["error", "exception"]))
        || sentences::is_name(name) && (sentences::is_against_in(field) || is_of_error(field))
}

/// Whether a list of messages holds one that calls itself an error: `[{"type": "error", "text": "..."}]`.
fn is_of_error(field: &Value) -> bool {
    let is_kind = |key: &str| matches!(plain(key).as_str(), "type" | "level" | "severity" | "kind" | "status");
    let is_error = |field: &Value| field.as_text().is_some_and(|text| is_word(text, &["error", "fatal", "critical"]));
    let entries = field.items().unwrap_or(std::slice::from_ref(field)).iter().take(MOST_FIELDS);
    entries.filter_map(Value::fields).flatten().any(|(key, field)| is_kind(key) && is_error(field))
}

/// Whether a number of errors stands among other counts, so that it says nothing of the answer itself.
fn is_statistic(fields: &[(&str, &Value)]) -> bool {
    const COUNTED: [&str; 10] =
        ["calls", "count", "failed", "messages", "requests", "runs", "sent", "successes", "total", "totalrequests"];
    fields.iter().any(|(key, field)| matches!(field, Value::Number(_)) && COUNTED.contains(&plain(key).as_str()))
}

fn denies(value: &Value, is_judged: &dyn Fn(&str) -> bool, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    if let Some(text) = value.as_text() {
        return texts::is_denied(text, is_judged, depth);
    }
    if let Some(items) = value.items() {
        return items.len() == 1 && denies(&items[0], is_judged, depth);
    }
    let Some(fields) = value.fields() else { return false };
    let fields: Vec<(&str, &Value)> = fields.take(MOST_FIELDS).collect();
    let (is_alone, is_statistic) = (fields.len() == 1, is_statistic(&fields));
    let has_words = has_sentence_against(value, &is_fine) || has_message(value);
    fields.into_iter().any(|(key, field)| {
        let name = plain(key);
        let is = |names: &[&str]| names.contains(&name.as_str());
        let is_inside = is_alone || is(&STATUS) || is(&WRAPPERS);
        let is_count = || matches!(name.as_str(), "errors" | "errorcount") && matches!(field, Value::Number(_));
        let counts_errors = is_count() && whole(field) != Some(0) && !is_statistic;
        (says(&name, field, has_words) || counts_errors) && !is_judged(key)
            || is_inside && denies(field, is_judged, depth)
    })
}

/// Whether an object holds a message, by whatever name, that does not say that all is well.
fn has_message(value: &Value) -> bool {
    let is_message = |key: &str| ["msg", "message"].iter().any(|end| plain(key).ends_with(end));
    let mut fields = value.fields().into_iter().flatten().take(MOST_FIELDS);
    fields.any(|(key, field)| {
        is_message(key) && field.as_text().is_some_and(|text| !text.trim().is_empty() && !is_fine(text))
    })
}

/// Whether an answer is an object without fields, or one whose fields hold only words for people, codes and flags of success.
pub(super) fn is_only_message(answer: &Value, is_named: &dyn Fn(&str) -> bool) -> bool {
    const OTHERS: [&str; 7] = ["id", "requestid", "timestamp", "time", "traceid", "path", "documentationurl"];
    let is_one = |(key, field): (&str, &Value)| {
        let name = plain(key);
        let is = |names: &[&str]| names.contains(&name.as_str());
        let is_telling =
            is(&ERRORS) || is(&SUCCESS) || is(&CODES) || is(&STATUS) || is(&OTHERS) || sentences::is_name(&name);
        is_telling && !is_named(key) && field.fields().is_none()
    };
    answer.fields().is_some_and(|mut fields| fields.all(is_one))
}

/// A name or a word without what its spellings differ in.
pub(super) fn plain(word: &str) -> String {
    let kept = word.chars().filter(|c| !c.is_whitespace() && !"_-@.!。！".contains(*c));
    kept.flat_map(char::to_lowercase).take(200).collect()
}

/// Whether a word or a sentence says that nothing is wrong.
fn is_fine(text: &str) -> bool {
    let word = plain(text);
    let is_no = NO_SUCCESS.iter().any(|no| word.contains(no));
    FINE.contains(&word.as_str())
        || !is_no && (SUCCESSFUL.iter().any(|yes| word.contains(yes)) || word.starts_with("ok"))
}

/// The whole number that a value is, or that stands in it as a text.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(_) => value.to_json().parse().ok(),
        _ => value.as_text()?.trim().parse().ok(),
    }
}

/// Whether a field for errors holds one.
fn is_wrong(name: &str, value: &Value, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match value {
        Value::Null(_) => false,
        Value::Bool(value) => *value,
        Value::Number(_) if COUNTS.contains(&name) => false,
        Value::Number(_) => whole(value).is_none_or(|code| code != 0 && !(200..300).contains(&code)),
        Value::Text(_) => match whole(value) {
            Some(code) => code != 0 && !(200..300).contains(&code),
            None => value.as_text().is_some_and(|text| !is_fine(text)),
        },
        Value::List(_) => value.items().is_some_and(|items| items.iter().any(|item| is_wrong(name, item, depth))),
        Value::Object(_) => {
            let fields: Vec<(String, &Value)> = value
                .fields()
                .into_iter()
                .flatten()
                .take(MOST_FIELDS)
                .map(|(key, field)| (plain(key), field))
                .collect();
            // `{"code": 0, "message": "ok", "id": "x"}`: where it has a code or words, the rest says nothing.
            let telling = |name: &str| [&ERRORS[..], &CODES, &STATUS, &["message", "msg"]].concat().contains(&name);
            let has_telling = fields.iter().any(|(name, _)| telling(name));
            fields.iter().any(|(name, field)| (!has_telling || telling(name)) && is_wrong(name, field, depth))
        }
    }
}

/// Whether a field for success says that there is none.
fn is_denial(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        _ => whole(value) == Some(0) || value.as_text().is_some_and(|text| is_word(text, &["false", "no", "n"])),
    }
}

fn is_word(text: &str, words: &[&str]) -> bool {
    words.contains(&plain(text).as_str())
}

/// Whether a code is one of an error: a status of HTTP or one that begins like it, or another one beside words that are none
/// of success.
fn is_wrong_code(value: &Value, has_words: bool) -> bool {
    match (whole(value), value.as_text()) {
        (Some(code), _) => match code {
            0 | 200..=299 | 20_000..=29_999 => false,
            400..=599 | 40_000..=59_999 | 400_000..=599_999 | ..0 => true,
            _ => has_words,
        },
        (None, Some(text)) if is_word(text, &WRONG) || sentences::is_against(text) => true,
        // `E1001`.
        (None, Some(text)) if is_numbered_error(&plain(text)) => true,
        (None, Some(text)) => has_words && !is_fine(text) && !amount::is_unit(text),
        (None, None) => false,
    }
}

fn is_numbered_error(code: &str) -> bool {
    let digits = code.trim_start_matches("err").trim_start_matches("or").trim_start_matches('e');
    digits.len() < code.len() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether what a call has returned is neither zero nor another number that means success in some service.
fn is_wrong_return(value: &Value) -> bool {
    whole(value).is_some_and(|code| !matches!(code, 0 | 1 | 200..=299 | 1_000 | 10_000 | 20_000..=29_999))
}

/// Whether a status is one of an error.
fn is_wrong_status(value: &Value) -> bool {
    match (value, whole(value)) {
        (Value::Bool(value), _) => !value,
        (_, Some(status)) => status < 0 || (400..600).contains(&status),
        _ => value.as_text().is_some_and(|text| is_word(text, &WRONG)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::answer;
    use super::*;

    fn denied(body: &str, judged: &[&str]) -> bool {
        is_denied(&answer(body.as_bytes()).unwrap(), &|name| judged.contains(&name))
    }

    #[test]
    fn every_way_to_say_that_something_is_wrong_is_known() {
        for body in [
            r#"{"b":0,"error":"invalid api key"}"#,
            r#"{"b":0,"error":{"code":401,"message":"invalid key"}}"#,
            r#"{"b":0,"error":{"reason":"expired"}}"#,
            r#"{"b":0,"error":true}"#,
            r#"{"b":0,"error":1}"#,
            r#"{"b":0,"errors":["invalid key"]}"#,
            r#"{"b":0,"Errors":[{"Code":"X","Message":"no"}]}"#,
            r#"{"b":0,"errorMessage":"no such key"}"#,
            r#"{"b":0,"err_msg":"no such key"}"#,
            r#"{"b":0,"errorId":1}"#,
            r#"{"b":0,"errcode":40001,"errmsg":"invalid credential"}"#,
            r#"{"b":0,"errno":"110"}"#,
            r#"{"b":0,"success":false,"message":"account suspended"}"#,
            r#"{"b":0,"success":"false"}"#,
            r#"{"b":0,"success":0}"#,
            r#"{"b":0,"ok":false}"#,
            r#"{"b":0,"is_success":false}"#,
            r#"{"b":0,"code":401,"msg":"unauthorized"}"#,
            r#"{"b":0,"code":"401"}"#,
            r#"{"b":0,"code":40100,"msg":"expired"}"#,
            r#"{"b":0,"code":-1}"#,
            r#"{"b":0,"code":1004,"message":"login fail"}"#,
            r#"{"b":0,"code":1,"message":"invalid api key"}"#,
            r#"{"b":0,"code":"1","msg":"签名错误"}"#,
            r#"{"b":0,"ret":-1,"message":"invalid"}"#,
            r#"{"b":0,"respCode":"96","respMsg":"system error"}"#,
            r#"{"b":0,"res_code":3,"res_msg":"no auth"}"#,
            r#"{"b":0,"sub_code":"isv.x","sub_msg":"bad"}"#,
            r#"{"b":0,"status":"PERMISSION_DENIED"}"#,
            r#"{"b":0,"status":"bad_request"}"#,
            r#"{"b":0,"Ack":"Failure"}"#,
            r#"{"b":0,"error_no":1}"#,
            r#"{"b":0,"error_list":[1]}"#,
            r#"{"b":0,"successFlag":"0"}"#,
            r#"{"b":0,"code":"InvalidApiKey"}"#,
            r#""ERROR\n0""#,
            r#""0: invalid api key""#,
            r#"{"data":{"b":0},"ret":1,"msg":"no such key"}"#,
            r#"{"b":0,"errors":[{"error":{"code":401,"message":"invalid key"}}]}"#,
            r#"{"data":{"b":0,"errors":[{"errors":[{"reason":"expired"}]}]}}"#,
            r#"{"response":{"data":{"b":0,"errors":[{"message":"denied"}]}}}"#,
            r#"{"b":0,"code":"AuthFailure","message":"no such key"}"#,
            r#"{"b":0,"code":"UNAUTHORIZED"}"#,
            r#"{"b":0,"code":100,"message":"Login unsuccessful"}"#,
            r#"{"b":0,"error":"true"}"#,
            r#"{"b":0,"statusCode":403}"#,
            r#"{"b":0,"status":403}"#,
            r#"{"b":0,"status":"error"}"#,
            r#"{"b":0,"status":"FAILED"}"#,
            r#"{"b":0,"status":false}"#,
            r#"{"b":0,"result":"fail"}"#,
            r#"{"data":{"b":0,"error":"invalid key"}}"#,
            r#"{"data":{"b":0},"base_resp":{"status_code":1004,"status_msg":"login fail"}}"#,
            r#"{"Response":{"b":0,"Error":{"Code":"AuthFailure","Message":"no"}}}"#,
            r#"{"b":0,"meta":{"code":401}}"#,
            r#"{"b":0,"status":{"error_code":1001,"error_message":"invalid key"}}"#,
            // The root of an XML answer.
            r#"{"account":{"balance":"0","success":"false"}}"#,
            r#"[{"b":0,"error":"invalid key"}]"#,
        ] {
            assert!(denied(body, &[]), "{body}");
        }
    }

    #[test]
    fn what_says_that_all_is_well_or_nothing_at_all_denies_nothing() {
        for body in [
            r#"{"b":0}"#,
            "0",
            "null",
            "[]",
            "\"error\"",
            r#"{"b":0,"error":null,"errors":[],"err":{},"fault":false,"message":"done"}"#,
            r#"{"b":0,"error":"","errorCode":"0","errno":0,"errmsg":"ok"}"#,
            r#"{"b":0,"error":{"code":0,"message":"","request_id":"x"}}"#,
            r#"{"b":0,"error":{"code":"0","message":"Success."}}"#,
            r#"{"b":0,"errors":3,"failed":2,"requests":10}"#,
            r#"{"b":0,"success":true,"message":"account suspended"}"#,
            r#"{"b":0,"code":0,"msg":"no records"}"#,
            r#"{"b":0,"code":1,"msg":"获取成功"}"#,
            r#"{"b":0,"code":200,"message":"balance"}"#,
            r#"{"b":0,"code":"00000","message":"balance"}"#,
            r#"{"b":0,"code":20000,"message":"balance"}"#,
            r#"{"b":0,"code":100,"message":"OK"}"#,
            r#"{"b":0,"code":100,"message":"The query succeeded"}"#,
            r#"{"b":0,"code":100,"message":"The account was found successfully."}"#,
            r#"{"b":0,"code":"USD","message":"US dollars"}"#,
            r#"{"b":0,"code":"basic"}"#,
            r#"{"b":0,"status":"active"}"#,
            r#"{"b":0,"status":"suspended"}"#,
            r#"{"b":0,"status":1,"message":"balance"}"#,
            r#"{"b":0,"result":[]}"#,
            r#"{"b":0,"data":{"code":"credit-pack","name":"error"}}"#,
            r#"{"b":0,"last_run":{"error":"a note of yesterday"}}"#,
            r#"{"b":0,"runs":[{"error":"x"},{"error":"y"}]}"#,
        ] {
            assert!(!denied(body, &[]), "{body}");
        }
        assert!(!denied(r#"{"b":0,"status":404,"error":"x"}"#, &["status", "error"]), "the page says what they mean");
        assert!(denied(r#"{"b":0,"status":404,"error":"x"}"#, &["status"]));
        let deep = format!("{}{{\"error\":\"x\"}}{}", "{\"data\":".repeat(100), "}".repeat(100));
        assert!(!denied(&deep, &[]));
    }
}
