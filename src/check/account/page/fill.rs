//! What a page says, with the options and the credential of a project filled in.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::credential::Secrets;
use super::time;
use crate::page::variables::Bound;

/// What the placeholders of a request stand for.
pub(crate) struct Filling<'a> {
    /// The credential.
    pub secrets: &'a Secrets,
    /// The options, defaults included.
    pub options: &'a BTreeMap<String, String>,
    /// What earlier steps have bound.
    pub bound: &'a BTreeMap<String, Bound>,
    /// The time of the request.
    pub now: Timestamp,
}

impl Filling<'_> {
    /// A text with its placeholders filled; `encode` is applied to what is filled in.
    pub(crate) fn text(&self, template: &str, encode: impl Fn(&str) -> String) -> String {
        with(template, |name| self.value(name), encode)
    }

    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        let borrowed = |value: Option<&'_ str>| value.map(|value| Cow::Owned(value.to_owned()));
        match name.split_once('.') {
            _ if name == "api_key" => Some(self.secrets.key().into()),
            _ if name == "uuid" => Some(uuid(fastrand::u128(..)).into()),
            Some(("credential", part)) => self.secrets.part(part).map(Cow::Borrowed),
            Some(("options", option)) => self.options.get(option).map(|value| value.as_str().into()),
            Some(("bind", bound)) => borrowed(self.bound.get(bound).map(Bound::as_str)),
            _ => time::placeholder(name, self.now).map(Cow::Owned),
        }
    }
}

/// A random UUID (version 4).
fn uuid(random: u128) -> String {
    let bits = (random & !(0xf << 76 | 0x3 << 62)) | 0x4 << 76 | 0x2 << 62;
    let digits = format!("{bits:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// A text with its placeholders filled; what `value` does not know stays as it is.
pub(crate) fn with<'v>(
    template: &str,
    value: impl Fn(&str) -> Option<Cow<'v, str>>,
    encode: impl Fn(&str) -> String,
) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let filled = rest.find('}').and_then(|end| Some((end, value(&rest[1..end])?)));
        match filled {
            Some((end, value)) => {
                out.push_str(&encode(&value));
                rest = &rest[end + 1..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// What stands between braces in a text.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        let secrets = Secrets::of_key("id:key".to_owned().into());
        let options = BTreeMap::from([("site".to_owned(), "ai".to_owned())]);
        let bound = BTreeMap::from([("team".to_owned(), Bound::Text("t-1".to_owned()))]);
        let now = "2026-11-30T18:36:05Z".parse().unwrap();
        let filling = Filling { secrets: &secrets, options: &options, bound: &bound, now };
        for (template, want) in [
            ("Bearer {api_key}", "Bearer id:key"),
            ("{credential.id}/{credential.secret}", "id/key"),
            ("{options.site}-{bind.team}", "ai-t-1"),
            ("{month:%Y-%m}", "2026-11"),
            ("{\"a\": {\"b\": \"{options.site}\"}}", "{\"a\": {\"b\": \"ai\"}}"),
            ("query { me { balance } }", "query { me { balance } }"),
            ("{options.other}{bind.other}{credential.other}", "{options.other}{bind.other}{credential.other}"),
        ] {
            assert_eq!(filling.text(template, str::to_owned), want, "{template}");
        }
        assert_eq!(uuid(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
