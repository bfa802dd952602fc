//! The words in which a service says what is wrong, in every shape that is in use.
//!
//! What a service answers is private, but the message of its own refusal is what helps. It is kept on one line and
//! bounded here; secrets are masked by whoever stores it.

use super::value::Value;
use crate::model::text;

/// Characters of what a service says.
const LONGEST: usize = 240;
/// Lists and objects within each other that are looked into.
const DEEPEST: usize = 5;
/// Entries of a list that are told.
const MOST_ENTRIES: usize = 3;

/// Fields that hold the error, whatever it looks like.
const ERRORS: [&str; 6] = ["error", "errors", "Error", "Errors", "err", "fault"];
/// Fields that hold a sentence, or several, the most telling first.
const SENTENCES: [&str; 26] = [
    "error_description",
    "error_message",
    "errorMessage",
    "error_msg",
    "errorMsg",
    "err_msg",
    "errMsg",
    "errmsg",
    "ErrMsg",
    "ErrorMessage",
    "message",
    "Message",
    "msg",
    "Msg",
    "detail",
    "details",
    "Detail",
    "status_msg",
    "statusMessage",
    "StatusMessage",
    "status_message",
    "ret_msg",
    "retmsg",
    "return_msg",
    "resultMsg",
    "faultstring",
];
/// Fields that hold a sentence too, but in data may hold anything.
const LOOSE: [&str; 5] = ["reason", "title", "description", "info", "non_field_errors"];
/// Fields that hold all of the answer.
const WRAPPERS: [&str; 12] = [
    "Response",
    "response",
    "ResponseMetadata",
    "base_resp",
    "baseResp",
    "BaseResp",
    "result",
    "Result",
    "data",
    "body",
    "meta",
    "status",
];
/// Fields that hold a code, for where there are no words.
const CODES: [&str; 12] = [
    "code",
    "Code",
    "error_code",
    "errorCode",
    "err_code",
    "errcode",
    "errCode",
    "ErrCode",
    "errno",
    "ret_code",
    "status_code",
    "type",
];

/// What the answer says is wrong, if it says so in a shape that is known.
pub(crate) fn said(answer: &Value) -> Option<String> {
    find(answer, DEEPEST, true).or_else(|| code(answer, 3)).and_then(|words| line(&words))
}

/// Whether what stands in a field for errors, or what an `error` expression gives, is an error. What is empty, zero, null or
/// false is none.
pub(super) fn is_error(value: &Value) -> bool {
    match value {
        Value::Null(_) => false,
        Value::Bool(value) => *value,
        Value::Number(number) => *number != super::Number::from(0),
        // A code may come as text.
        Value::Text(_) => value.as_text().is_some_and(|text| !matches!(text.trim(), "" | "0")),
        Value::List(_) => value.items().is_some_and(|items| !items.is_empty()),
        Value::Object(_) => value.fields().is_some_and(|mut fields| fields.next().is_some()),
    }
}

/// What the answer says is wrong, if it clearly refuses: it holds an error, or says that it is no success.
pub(crate) fn refusal(answer: &Value) -> Option<String> {
    let holds = |name: &&str| answer.get(name).is_some_and(is_error);
    let denies = |name: &&str| matches!(answer.get(name), Some(Value::Bool(false)));
    let refuses = ERRORS.iter().any(holds) || ["success", "Success", "ok"].iter().any(denies);
    refuses.then(|| said(answer)).flatten()
}

/// Whether an object holds a sentence that is not fine.
pub(super) fn has_sentence_against(value: &Value, is_fine: &dyn Fn(&str) -> bool) -> bool {
    let sentences = SENTENCES.iter().filter_map(|name| value.get(name)?.as_text());
    sentences.into_iter().any(|text| !text.trim().is_empty() && !is_fine(text))
}

/// What a body says is wrong; none if it is not JSON.
pub(crate) fn said_by(body: &[u8]) -> Option<String> {
    super::json::answer(body).ok().as_ref().and_then(said)
}

/// The same, but nothing where there is only a code.
pub(crate) fn sentence_by(body: &[u8]) -> Option<String> {
    let answer = super::json::answer(body).ok()?;
    find(&answer, DEEPEST, true).and_then(|words| line(&words))
}

/// What the body of a refusal says that has no fields: a short plain text, a JSON text, or the `<Message>` of an XML answer.
/// A web page says nothing.
pub(crate) fn plain(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim_start_matches('\u{FEFF}').trim();
    let words = match text.bytes().next()? {
        b'"' => serde_json::from_str(text).ok()?,
        b'<' => xml_message(text)?.to_owned(),
        b'{' | b'[' => return None,
        _ => text.to_owned(),
    };
    let is_told = words.chars().count() <= LONGEST && words.contains(char::is_alphabetic) && !words.contains('<');
    let is_json_word = ["null", "true", "false"].contains(&text);
    line(&words).filter(|_| is_told && !is_json_word)
}

/// Words on one line, if there are any.
fn line(words: &str) -> Option<String> {
    Some(text::one_line(words, LONGEST)).filter(|words| !words.is_empty())
}

/// The text of the first element that holds the message of an XML answer.
fn xml_message(text: &str) -> Option<&str> {
    let start = text.get(..text.floor_char_boundary(200))?.to_ascii_lowercase();
    if start.contains("<html") || start.contains("<!doctype") {
        return None;
    }
    ["Message", "message"].into_iter().find_map(|name| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(words, _)| words)
    })
}

fn find(value: &Value, depth: usize, is_error: bool) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    if let Some(items) = value.items() {
        return several(items.iter().filter_map(|item| sentence(item, depth)));
    }
    drop(value.fields()?);
    let fields = |names: &'static [&str]| names.iter().filter_map(|name| value.get(name));
    // The words of an error that is an object or a list, then sentences, then an error that is only a word.
    fields(&ERRORS)
        .filter(|error| error.as_text().is_none())
        .find_map(|error| find(error, depth, true).or_else(|| by_field(error, depth)).or_else(|| code(error, 1)))
        .or_else(|| fields(&SENTENCES).find_map(|value| sentence(value, depth)))
        .or_else(|| fields(&LOOSE).filter(|_| is_error).find_map(|value| sentence(value, depth)))
        .or_else(|| fields(&ERRORS).find_map(|value| sentence(value, depth)))
        .or_else(|| {
            fields(&WRAPPERS).filter(|value| value.as_text().is_none()).find_map(|value| find(value, depth, false))
        })
}

/// A text, or the words in a list or object.
fn sentence(value: &Value, depth: usize) -> Option<String> {
    match value.as_text() {
        Some(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        None => find(value, depth, true).or_else(|| by_field(value, depth)),
    }
}

/// `{"email": ["is not valid"]}`: what is wrong with each field.
fn by_field(value: &Value, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let texts = |value: &Value| {
        value.items().and_then(|items| several(items.iter().filter_map(|item| item.as_text().map(str::to_owned))))
    };
    let each = value.fields()?.filter_map(|(key, value)| {
        let words = texts(value).or_else(|| find(value, depth, true))?;
        Some(format!("{key}: {words}"))
    });
    several(each)
}

fn several(words: impl Iterator<Item = String>) -> Option<String> {
    let words: Vec<String> = words.take(MOST_ENTRIES).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// `code 40001`, for an answer that has nothing else to say.
fn code(value: &Value, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let own = CODES.iter().filter_map(|name| value.get(name)).find_map(|code| match code {
        Value::Number(number) if *number != super::Number::from(0) => Some(format!("code {number}")),
        Value::Text(_) => {
            code.as_text().filter(|text| !text.trim().is_empty() && *text != "0").map(|text| format!("code {text}"))
        }
        _ => None,
    });
    own.or_else(|| {
        let nested = ERRORS.iter().chain(&WRAPPERS).filter_map(|name| value.get(name));
        nested.into_iter().find_map(|value| code(value, depth))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_in_use_is_found() {
        for (body, want) in [
            (r#"{"message":"no"}"#, "no"),
            (r#"{"msg":"no"}"#, "no"),
            (r#"{"Message":"no","Code":"X"}"#, "no"),
            (r#"{"errmsg":"no","errcode":3}"#, "no"),
            (r#"{"ErrMsg":"no"}"#, "no"),
            (r#"{"error_msg":"no"}"#, "no"),
            (r#"{"err_msg":"no"}"#, "no"),
            (r#"{"errorMessage":"no"}"#, "no"),
            (r#"{"error":"no"}"#, "no"),
            (r#"{"error":"invalid_grant","error_description":"the token has expired"}"#, "the token has expired"),
            (r#"{"error":"Unauthorized","message":"no such key","statusCode":401}"#, "no such key"),
            (r#"{"error":{"message":"no","code":3}}"#, "no"),
            (r#"{"error":{"message":"no"},"message":"outer"}"#, "no"),
            (r#"{"error":{"code":"rate_limit"}}"#, "code rate_limit"),
            (r#"{"error":{"type":"auth","msg":"no"}}"#, "no"),
            (r#"{"detail":"no"}"#, "no"),
            (r#"{"detail":[{"loc":["header","key"],"msg":"field required","type":"missing"}]}"#, "field required"),
            (r#"{"detail":{"message":"no"}}"#, "no"),
            (r#"{"errors":[{"message":"one"},{"message":"two"}]}"#, "one; two"),
            (r#"{"errors":["one","two","three","four"]}"#, "one; two; three"),
            (
                r#"{"errors":{"email":["is not valid","is taken"],"name":["is missing"]}}"#,
                "email: is not valid; is taken; name: is missing",
            ),
            (r#"{"errors":[{"title":"no","detail":"no such key"}]}"#, "no such key"),
            (r#"[{"message":"no"}]"#, "no"),
            (r#"{"reason":"no"}"#, "no"),
            (r#"{"title":"no","status":403}"#, "no"),
            (r#"{"data":{"message":"no"}}"#, "no"),
            (r#"{"result":{"error":{"message":"no"}}}"#, "no"),
            (r#"{"Response":{"Error":{"Code":"AuthFailure","Message":"no"},"RequestId":"x"}}"#, "no"),
            (r#"{"ResponseMetadata":{"Error":{"Code":"X","Message":"no"}}}"#, "no"),
            (r#"{"base_resp":{"status_code":1004,"status_msg":"no"}}"#, "no"),
            (r#"{"success":false,"info":"no"}"#, "no"),
            (r#"{"fault":{"faultstring":"no"}}"#, "no"),
            (r#"{"code":40001}"#, "code 40001"),
            (r#"{"code":"40001","data":null}"#, "code 40001"),
            (r#"{"error":{"code":40001}}"#, "code 40001"),
            (r#"{"message":"","msg":"no"}"#, "no"),
            (r#"{"message":"one\n\ttwo\u0007"}"#, "one two"),
        ] {
            assert_eq!(said_by(body.as_bytes()).as_deref(), Some(want), "{body}");
        }
        for body in [
            "",
            "<html>",
            "{}",
            "[]",
            "null",
            "0",
            "\"x\"",
            r#"{"code":0}"#,
            r#"{"error":null}"#,
            r#"{"balance":5,"email":"a@b.c"}"#,
        ] {
            assert_eq!(said_by(body.as_bytes()), None, "{body}");
        }
        let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(10_000));
        assert_eq!(said_by(long.as_bytes()).unwrap().chars().count(), LONGEST);
        let deep = format!(r#"{}{{"message":"no"}}{}"#, "[".repeat(100), "]".repeat(100));
        assert_eq!(said_by(deep.as_bytes()), None);
    }

    #[test]
    fn only_an_answer_that_holds_an_error_or_denies_success_is_a_refusal() {
        for (body, want) in [
            (r#"{"error":"no","balance":5}"#, Some("no")),
            (r#"{"errors":["no"]}"#, Some("no")),
            (r#"{"error":{"code":3}}"#, Some("code 3")),
            (r#"{"error":true,"message":"no"}"#, Some("no")),
            (r#"{"success":false,"msg":"no"}"#, Some("no")),
            (r#"{"error":"0","message":"done"}"#, None),
            (r#"{"error":0,"message":"done"}"#, None),
            (r#"{"error":" ","message":"done"}"#, None),
            (r#"{"error":null,"errors":[],"err":{},"fault":false,"message":"done"}"#, None),
            (r#"{"success":true,"message":"done"}"#, None),
            (r#"{"message":"done"}"#, None),
        ] {
            assert_eq!(refusal(&super::super::json::answer(body.as_bytes()).unwrap()).as_deref(), want, "{body}");
        }
    }

    #[test]
    fn a_body_without_fields_says_something_if_it_is_short_and_no_web_page() {
        for (body, want) in [
            ("Insufficient balance", Some("Insufficient balance")),
            ("\u{FEFF} no\r\ncredits \n", Some("no credits")),
            ("\"Insufficient \\\"balance\\\"\"", Some("Insufficient \"balance\"")),
            ("<?xml version=\"1.0\"?><Error><Code>X</Code><Message>no credits</Message></Error>", Some("no credits")),
            ("<error><message>no</message></error>", Some("no")),
            ("<error><message><b>no</b></message></error>", None),
            ("<!DOCTYPE html><html><title>no</title><Message>no</Message></html>", None),
            ("<html><message>no</message></html>", None),
            ("<error>no</error>", None),
            ("see <b>here</b>", None),
            ("{\"x\":1}", None),
            ("[\"x\"]", None),
            ("null", None),
            ("402", None),
            ("\"\"", None),
            ("", None),
        ] {
            assert_eq!(plain(body.as_bytes()).as_deref(), want, "{body}");
        }
        assert_eq!(plain("x ".repeat(200).as_bytes()), None, "a long text is no message");
        assert_eq!(plain(b"\xFFno"), None);
    }
}
