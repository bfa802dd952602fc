//! Baidu AI Cloud's signature. Source: "Authentication" of the API reference with its example, and the official SDK for Python.

use std::collections::BTreeMap;

use percent_encoding::utf8_percent_encode;

use super::{Unsigned, canonical_query};
use crate::model::text::UNRESERVED;
use crate::wire::hash::{hex, hmac_sha256};

/// How long a signature is good for, in seconds.
const VALID: u32 = 1800;
/// The headers of a page that are signed, beside those that begin with `x-bce-`.
const SIGNED: [&str; 3] = ["content-length", "content-md5", "content-type"];

/// `bce-auth-v1`: the headers to add.
pub(super) fn sign(request: &Unsigned) -> BTreeMap<String, String> {
    let at = request.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let is_signed = |name: &str| SIGNED.contains(&name) || name.starts_with("x-bce-");
    let mut headers: BTreeMap<String, String> =
        request.headers.iter().filter(|(name, _)| is_signed(name)).map(|(k, v)| (k.clone(), v.clone())).collect();
    headers.insert("host".to_owned(), request.host.clone());
    headers.insert("x-bce-date".to_owned(), at.clone());
    let encode = |text: &str| utf8_percent_encode(text.trim(), UNRESERVED).to_string();
    // No line feed stands behind the last one.
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}:{}", encode(value))).collect();
    let names = headers.keys().map(String::as_str).collect::<Vec<_>>().join(";");
    let canonical =
        format!("{}\n{}\n{}\n{}", request.method, request.path, canonical_query(request.query), lines.join("\n"));
    let prefix = format!("bce-auth-v1/{}/{at}/{VALID}", request.pair.id);
    // The key is the text of the digits, not the bytes that they stand for.
    let key = hex(&hmac_sha256(request.pair.secret.as_bytes(), prefix.as_bytes()));
    let signature = hex(&hmac_sha256(key.as_bytes(), canonical.as_bytes()));
    headers.insert("authorization".to_owned(), format!("{prefix}/{names}/{signature}"));
    headers
}

#[cfg(test)]
mod tests {
    use super::super::Pair;
    use super::*;

    #[test]
    fn bce_auth_gives_the_published_and_the_official_sdks_signatures() {
        let object = [("content-length", "8"), ("content-md5", "NFzcPqhviddjRNnSOGo4rw=="), ("content-type", "text/plain")];
        let part = [("partNumber", "9"), ("uploadId", "a44cc9bab11cbd156984767aad637851")];
        let part = part.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for (method, host, path, query, headers, time, names, want) in [
            (
                "PUT",
                "bj.bcebos.com",
                "/v1/test/myfolder/readme.txt",
                &part[..],
                &object[..],
                "2015-04-27T08:23:49Z",
                "content-length;content-md5;content-type;host;x-bce-date",
                "d74a04362e6a848f5b39b15421cb449427f419c95a480fd6b8cf9fc783e2999e",
            ),
            (
                "POST",
                "billing.baidubce.com",
                "/v1/finance/cash/balance",
                &[],
                &[],
                "2024-05-17T08:30:45Z",
                "host;x-bce-date",
                "4fa732bcb17cdea2d880c7293b4404494bd518f800c6ff31dde378afad83557b",
            ),
        ] {
            let (id, secret) = ("a".repeat(32), "b".repeat(32));
            let signed = sign(&Unsigned {
                method,
                host: host.into(),
                url: "",
                path,
                query,
                body: "",
                headers: &headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
                options: &BTreeMap::new(),
                pair: Pair { id: &id, secret: &secret },
                nonce: String::new(),
                now: time.parse().unwrap(),
            });
            assert_eq!(signed["authorization"], format!("bce-auth-v1/{id}/{time}/1800/{names}/{want}"));
        }
    }
}
