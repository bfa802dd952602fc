//! Qiniu's signature of whole requests. Source: developer.qiniu.com/kodo/1201, and the official SDK for Python (July 2026), whose
//! tests hold the vectors.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;

use super::{Unsigned, canonical_query};
use crate::wire::hash::hmac_sha1;

const PREFIX: &str = "x-qiniu-";

/// `Authorization: Qiniu`: the headers to add.
pub(super) fn sign(request: &Unsigned) -> BTreeMap<String, String> {
    let mut text = format!("{} {}\nHost: {}", request.method, target(request), request.host);
    let kind = request.header("content-type");
    if let Some(kind) = kind {
        text += &format!("\nContent-Type: {kind}");
    }
    for (name, value) in request.headers.iter().filter(|(name, _)| name.len() > PREFIX.len() && name.starts_with(PREFIX)) {
        text += &format!("\n{}: {}", capitalised(name), value.trim());
    }
    text += "\n\n";
    if kind.is_some_and(|kind| kind != "application/octet-stream") {
        text += request.body;
    }
    authorization("Qiniu", request, &text)
}

/// The path and the query.
pub(super) fn target(request: &Unsigned) -> String {
    match canonical_query(request.query) {
        query if query.is_empty() => request.path.to_owned(),
        query => format!("{}?{query}", request.path),
    }
}

pub(super) fn authorization(scheme: &str, request: &Unsigned, text: &str) -> BTreeMap<String, String> {
    let signature = URL_SAFE.encode(hmac_sha1(request.pair.secret.as_bytes(), text.as_bytes()));
    BTreeMap::from([("authorization".to_owned(), format!("{scheme} {}:{signature}", request.pair.id))])
}

/// A name with each of its words as it is usually written: `X-Qiniu-Date`.
fn capitalised(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::super::Pair;
    use super::*;

    #[test]
    fn qiniu_gives_the_signatures_of_the_official_sdk() {
        let form = "application/x-www-form-urlencoded";
        let own = [("x-qiniu-bbb", "BBB"), ("x-qiniu-aaa", "DDD"), ("x-qiniu-", "a"), ("x-qiniu", "b")];
        let callback = "name=sunflower.jpg&hash=Fn6qeQi4VDLQ347NiRm-RlQx_4O2&location=Shanghai&price=1500.00&uid=123";
        for (pair, host, path, own, body, want) in [
            (("ak", "sk"), "upload.qiniup.com", "/mkfile/sdf.jpg", &own[..], "name=test&language=go", "ak:fkRck5_LeyfwdkyyLk-hyNwGKac="),
            (
                ("abcdefghklmnopq", "1234567890"),
                "test.qiniu.com",
                "/callback",
                &own[..1],
                callback,
                "abcdefghklmnopq:ZqS7EZuAKrhZaEIxqNGxDJi41IQ=",
            ),
        ] {
            let headers = own.iter().copied().chain([("content-type", form)]);
            let signed = sign(&Unsigned {
                method: "GET",
                host: host.into(),
                url: "",
                path,
                query: &[],
                body,
                headers: &headers.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
                options: &BTreeMap::new(),
                pair: Pair { id: pair.0, secret: pair.1 },
                nonce: String::new(),
                now: "2026-11-30T12:00:00Z".parse().unwrap(),
            });
            assert_eq!(signed["authorization"], format!("Qiniu {want}"));
        }
    }
}
