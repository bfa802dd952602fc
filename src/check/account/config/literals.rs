//! Secrets that are written into a page or into options as they are. A service that repeats what it was sent must not bring
//! them into a report, so the redactor learns them here.

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;

use crate::check::account::page::Page;
use crate::process::quote_input;
use crate::process::redact::{self, Redactor};
use crate::wire::auth;
use crate::yaml::reader::ConfigReader;

/// Headers that everybody may read, in small letters.
const PUBLIC: [&str; 16] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "host",
    "origin",
    "pragma",
    "referer",
    "user-agent",
    "x-acs-action",
    "x-requested-with",
];
/// Shorter values of a header whose name says nothing stand in too many texts by chance.
const SHORTEST: usize = 4;

impl ConfigReader<'_> {
    /// Learns what is written into the request of a page as it is.
    pub(super) fn learn_page(&mut self, page: &Page) {
        for request in page.requests() {
            for (name, value) in &request.headers {
                learn_header(&self.redactor, name, value);
            }
            for (name, value) in request.query.iter().chain(&request.form) {
                learn_named(&self.redactor, name, value);
            }
            if let Some(basic) = &request.basic {
                learn_header(&self.redactor, "authorization", basic);
            }
            if let Some(body) = &request.body {
                learn_body(&self.redactor, body);
            }
        }
        for url in page.addresses().filter_map(|(_, text)| Url::parse(text).ok()) {
            learn_literal_address(&self.redactor, &url);
        }
        let defaults = page.options.iter().filter_map(|(name, spec)| Some((name, spec.default.as_ref()?)));
        self.learn_options(page, defaults.map(|(name, value)| (name.clone(), value.clone())).collect());
    }

    /// Learns the options of a page that may be secrets. Those of a file are its path and an expression, and go to nobody.
    pub(super) fn learn_options(&mut self, page: &Page, options: BTreeMap<String, String>) {
        for (name, value) in options {
            if redact::speaks_of_secret(&name) {
                self.redactor.learn(&value);
            } else if page.file().is_none() {
                self.redactor.suspect(&value);
            }
        }
    }
}

/// Learns what is written into an address as it is.
pub(crate) fn learn_literal_address(redactor: &Redactor, url: &Url) {
    learn_login(redactor, url);
    redactor.learn_address(url);
    let segments = url.path_segments().into_iter().flatten();
    let parts = segments.map(str::to_owned).chain(url.query_pairs().map(|(_, value)| value.into_owned()));
    parts.filter(|part| quote_input::looks_secret(part)).for_each(|part| redactor.learn(&part));
}

/// What stands before the host of an address is sent as a user and a password.
fn learn_login(redactor: &Redactor, url: &Url) {
    if let Some(password) = url.password() {
        let plain = percent_encoding::percent_decode_str(password).decode_utf8_lossy();
        redactor.learn(password);
        redactor.learn(&plain);
        redactor.learn(&auth::basic(url.username(), &plain));
    }
}

/// Learns what is written into a header. Headers that everybody may read hold secrets as well, if somebody put them there.
pub(crate) fn learn_header(redactor: &Redactor, name: &str, value: &str) {
    learn_runs(redactor, name);
    let name = name.to_ascii_lowercase();
    let is_secret = redact::speaks_of_secret(&name);
    if !is_secret && (PUBLIC.contains(&name.as_str()) || name.contains("version")) {
        learn_runs(redactor, value);
        let parameters = value.split(|c: char| c.is_whitespace() || "?&;,()".contains(c));
        let pairs = parameters.filter_map(|parameter| parameter.split_once('='));
        let pairs = pairs.filter(|(name, _)| redact::speaks_of_secret(name));
        pairs.for_each(|(name, value)| learn_named(redactor, name, value.trim_matches('"')));
        return;
    }
    for part in literals(value).filter(|part| is_secret || part.len() >= SHORTEST) {
        redactor.learn(part);
        // `Bearer token` and `sid=token; theme=dark`: the token by itself as well. The end of base64 is no value.
        let words = part.split([' ', ';', ',']).map(|word| match word.split_once('=') {
            Some((_, value)) if !value.trim_matches('=').is_empty() => value,
            _ => word,
        });
        words.filter(|word| word.len() >= 8).for_each(|word| redactor.learn(word));
    }
}

/// A value whose name says what it is. The name itself may be the secret.
pub(crate) fn learn_named(redactor: &Redactor, name: &str, value: &str) {
    learn_runs(redactor, name);
    for part in literals(value) {
        if redact::speaks_of_secret(name) || quote_input::looks_secret(part) {
            redactor.learn(part);
        } else if part.len() >= 8 {
            redactor.suspect(part);
        }
    }
}

/// Learns each run of a text that has the looks of a secret, wherever it stands.
fn learn_runs(redactor: &Redactor, text: &str) {
    let runs = text.split(|c: char| !(c.is_alphanumeric() || "-_.+/".contains(c)));
    for run in runs.filter(|run| quote_input::looks_secret(run)) {
        redactor.learn(run);
        run.split('/')
            .filter(|part| *part != run && quote_input::looks_secret(part))
            .for_each(|part| redactor.learn(part));
    }
}

/// Learns what is written into the body of a request: JSON, XML, a form, or words alone.
fn learn_body(redactor: &Redactor, body: &str) {
    learn_runs(redactor, body);
    match serde_json::from_str(body) {
        Ok(body) => learn_json(redactor, "", &body),
        Err(_) if body.trim_start().starts_with('<') => learn_xml(redactor, body),
        // Nothing names its parts, so each of them may be the secret.
        Err(_) if !body.contains(['=', ':', '{', '<', '"']) => {
            let words = body.split(|c: char| c.is_whitespace() || "|,;&'".contains(c));
            words.filter(|word| word.len() >= 8).for_each(|word| redactor.learn(word));
        }
        Err(_) => learn_text(redactor, body),
    }
}

fn learn_json(redactor: &Redactor, name: &str, value: &Value) {
    match value {
        Value::String(text) => learn_named(redactor, name, text),
        Value::Number(number) if redact::speaks_of_secret(name) => redactor.learn(&number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| learn_json(redactor, name, item)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| learn_json(redactor, name, value)),
        _ => {}
    }
}

/// Learns the texts of elements by the names of these, the values of attributes, and the values of XML-RPC, whose names stand
/// in an element before them.
fn learn_xml(redactor: &Redactor, body: &str) {
    let body = body.replace("<![CDATA[", "").replace("]]>", "");
    let mut named = String::new();
    for (tag, text) in body.split('<').filter_map(|part| part.split_once('>')) {
        let element = tag.split_whitespace().next().unwrap_or_default();
        if element.starts_with(['/', '?', '!']) {
            continue;
        }
        learn_text(redactor, tag);
        let text = text.trim();
        match element {
            "name" => text.clone_into(&mut named),
            "value" | "string" | "base64" | "int" | "i4" => learn_named(redactor, &named, text),
            _ => learn_named(redactor, element, text),
        }
    }
}

/// A body that is no JSON by itself: a form, or JSON with a placeholder outside of quotes.
fn learn_text(redactor: &Redactor, body: &str) {
    let is_mark = |c: char| c.is_whitespace() || "&=\"'{}[],:".contains(c);
    let words: Vec<&str> = body.split(is_mark).filter(|word| !word.is_empty()).collect();
    for pair in words.windows(2) {
        learn_named(redactor, pair[0], pair[1]);
    }
}

/// Learns the secrets that are written into a jq expression: what looks like one, and the texts whose name says that they let
/// somebody in, as in `{token: "..."}` and `.token == "..."`. Other texts are words to be sent or compared.
pub(crate) fn learn_expression(redactor: &Redactor, code: &str) {
    learn_runs(redactor, code);
    for (before, text) in quoted(code) {
        let before = before.trim_end_matches([' ', '\t', '\r', '\n', ':', '=', '!', '(', '+', '"', ')']);
        let name = before.rsplit(|c: char| !(c.is_alphanumeric() || "-_$".contains(c))).next().unwrap_or_default();
        if redact::speaks_of_secret(name) {
            redactor.learn(&text);
        }
        // A text of its own may be a header, a form, or JSON: `"Bearer " + ...`, `"a=1&password=..."`.
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || "&=\"'{}[],:;".contains(c)).collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2).filter(|pair| redact::speaks_of_secret(pair[0]) && pair[1].len() >= SHORTEST) {
            redactor.suspect(pair[1]);
        }
    }
}

/// The texts in quotes of a jq expression, each with what stands before it. What is filled into a text, as in `"a \(.b)"`, parts
/// it into two.
fn quoted(code: &str) -> Vec<(&str, String)> {
    let mut texts = Vec::new();
    let mut start = None;
    let mut text = String::new();
    let mut chars = code.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (start, c) {
            (None, '"') => start = Some(at),
            (None, _) => {}
            (Some(begin), '"') => {
                texts.push((&code[..begin], std::mem::take(&mut text)));
                start = None;
            }
            (Some(begin), '\\') => match chars.next() {
                Some((_, '(')) => {
                    texts.push((&code[..begin], std::mem::take(&mut text)));
                    // The end of what is filled in: brackets are counted, so that a call in it does not end it.
                    let mut depth = 1;
                    while let Some((_, c)) = chars.next_if(|_| depth > 0) {
                        depth += i32::from(c == '(') - i32::from(c == ')');
                    }
                }
                Some((_, c)) => text.push(c),
                None => {}
            },
            (Some(_), c) => text.push(c),
        }
    }
    texts.retain(|(_, text)| !text.is_empty());
    texts
}

fn is_placeholder(name: &str) -> bool {
    let kinds = ["options.", "credential.", "bind."];
    name == "api_key" || name == "uuid" || kinds.iter().any(|kind| name.starts_with(kind))
}

/// The parts of a text that no placeholder fills.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split('{').enumerate().map(|(at, part)| match part.split_once('}') {
        Some((name, rest)) if at > 0 && is_placeholder(name) => rest,
        _ => part,
    });
    parts.map(str::trim).filter(|part| {
        !part.is_empty()
            && !matches!(
                part.to_ascii_lowercase().as_str(),
                "bearer" | "basic" | "token" | "apikey" | "api-key" | "key"
            )
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[track_caller]
    fn expect_masked(what: &str, secret: &str, learn: impl Fn(&Redactor)) {
        let redactor = Redactor::default();
        learn(&redactor);
        let said = redactor.mask(&format!("bad: {secret} in password, key and name"));
        assert_eq!(said, "bad: *** in password, key and name", "{what}");
    }

    #[test]
    fn secrets_in_a_body_are_learnt_wherever_they_stand() {
        let word = "leakedbybody";
        for body in [
            "<a><password>S</password><key>other</key></a>",
            "<pwd>S</pwd>",
            "<token type='x'>S</token>",
            "<ns:apiKey><![CDATA[S]]></ns:apiKey>",
            "<login password=\"S\"/>",
            "<member><name>password</name><value><string>S</string></value></member>",
            "<member><name>password</name><value>S</value></member>",
            "S",
            "joe|S|1",
            "joe S",
            "password=S&a=1",
        ] {
            expect_masked(body, word, |redactor| learn_body(redactor, &body.replace('S', word)));
        }
        let made = "k3y9d8f7s6a5d4f3";
        for body in
            ["{\"S\": 1}", "<S>1</S>", "{\"a\": {\"b\": [\"x;S;y\"]}}", "<a>x S y</a>", "S=1", "a={api_key};b=[S]"]
        {
            expect_masked(body, made, |redactor| learn_body(redactor, &body.replace('S', made)));
        }
    }

    #[test]
    fn secrets_in_an_expression_are_learnt_and_its_words_are_not() {
        let word = "leakedbybody";
        for code in [
            "{token: \"S\", t: .text}",
            "{\"token\": \"S\"}",
            "{\"api key\":\"S\"} + {t: .text}",
            ".token == \"S\"",
            "{token: (\"S\" + .text)}",
            "{a: \"x \\(.a | tostring)\", password: \"S\"}",
        ] {
            expect_masked(code, word, |redactor| learn_expression(redactor, &code.replace('S', word)));
        }
        let made = "k3y9d8f7s6a5d4f3";
        for code in
            ["{a: \"S\"}", "\"a b S\"", "if .text == \"S\" then true else false end", "error(\"S\")", "S", "{a: \"S"]
        {
            expect_masked(code, made, |redactor| learn_expression(redactor, &code.replace('S', made)));
        }
        let redactor = Redactor::default();
        learn_expression(&redactor, ".status == \"delivered\" and .text == \"Balance alert\"");
        assert_eq!(redactor.mask("delivered: Balance alert"), "delivered: Balance alert");
    }

    #[test]
    fn what_a_literal_encodes_is_learnt() {
        let login = STANDARD.encode("joe:leakedbylogin");
        let digits: String = "joe:leakedbylogin".bytes().map(|byte| format!("{byte:02x}")).collect();
        for form in [login.as_str(), login.trim_end_matches('='), &digits] {
            expect_masked(form, "leakedbylogin", |redactor| redactor.learn(form));
            expect_masked(form, "leakedbylogin", |redactor| redactor.suspect(form));
            expect_masked(form, "leakedbylogin", |redactor| {
                learn_header(redactor, "Authorization", &format!("Basic {form}"));
            });
            expect_masked(form, "leakedbylogin", |redactor| learn_named(redactor, "q", form));
            expect_masked(form, "leakedbylogin", |redactor| learn_body(redactor, &format!("{{\"a\":\"{form}\"}}")));
        }
        expect_masked("a key", "LeakedText1", |redactor| redactor.learn(&STANDARD.encode("LeakedText1")));
    }

    #[test]
    fn names_and_headers_that_everybody_may_read_are_learnt_if_they_hold_a_secret() {
        let made = "k3y9d8f7s6a5d4f3";
        expect_masked("a name", made, |redactor| learn_named(redactor, made, "1"));
        expect_masked("a header's name", made, |redactor| learn_header(redactor, &format!("X-{made}"), "1"));
        for name in ["Referer", "Content-Type", "Origin", "Accept", "User-Agent", "X-Requested-With"] {
            expect_masked(name, made, |redactor| learn_header(redactor, name, &format!("https://a.example/x/{made}")));
            for value in ["https://a.example/?token=S", "a/1 (key=S; x)", "text/html; token=\"S\""] {
                let value = value.replace('S', "leakedword");
                expect_masked(name, "leakedword", |redactor| learn_header(redactor, name, &value));
            }
        }
        let redactor = Redactor::default();
        let browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36";
        for (name, value) in
            [("User-Agent", browser), ("Accept", "application/json;q=0.9"), ("Origin", "https://a.example")]
        {
            learn_header(&redactor, name, value);
            assert_eq!(redactor.mask(value), value);
        }
    }
}
