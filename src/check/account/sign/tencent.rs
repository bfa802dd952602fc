//! Tencent Cloud's signature V3. Source: docs 213/30654, and the official SDK.

use std::collections::BTreeMap;

use super::{Unsigned, canonical};
use crate::wire::hash::{hex, hmac_sha256, sha256};

/// What an address is asked for if the page does not say it.
const JSON: &str = "application/json";

/// Tencent Cloud `TC3-HMAC-SHA256`: the headers to add.
pub(super) fn sign(request: &Unsigned) -> BTreeMap<String, String> {
    let (pair, service) = (&request.pair, request.option("service"));
    let (at, date) = (request.now.as_second().to_string(), request.now.strftime("%Y-%m-%d").to_string());
    let kind = request.headers.get("content-type").map_or(JSON, String::as_str);
    // Names and values are signed in small letters, and sent as they are.
    let signed = BTreeMap::from([
        ("content-type".to_owned(), kind.to_lowercase()),
        ("host".to_owned(), request.host.to_lowercase()),
    ]);
    let (canonical, names) = canonical(request, request.path, &signed);
    let scope = format!("{date}/{service}/tc3_request");
    let to_sign = format!("TC3-HMAC-SHA256\n{at}\n{scope}\n{}", sha256(&canonical));
    let key = [date.as_str(), service, "tc3_request"]
        .iter()
        .fold(format!("TC3{}", pair.secret).into_bytes(), |key, part| hmac_sha256(&key, part.as_bytes()));
    let signature = hex(&hmac_sha256(&key, to_sign.as_bytes()));
    let authorization =
        format!("TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", pair.id);
    BTreeMap::from([
        ("content-type".to_owned(), kind.to_owned()),
        ("host".to_owned(), request.host.clone()),
        ("x-tc-timestamp".to_owned(), at),
        ("authorization".to_owned(), authorization),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::Pair;
    use super::*;

    #[test]
    fn tc3_gives_the_signature_of_the_official_sdk() {
        let headers = sign(&Unsigned {
            method: "POST",
            host: "billing.tencentcloudapi.com".into(),
            url: "",
            path: "/",
            query: &[],
            body: "{}",
            headers: &BTreeMap::from([("content-type".to_owned(), JSON.to_owned())]),
            options: &BTreeMap::from([("service".to_owned(), "billing".to_owned())]),
            pair: Pair { id: "AKIDEXAMPLE", secret: "SECRETEXAMPLE" },
            nonce: String::new(),
            now: "2024-05-17T08:30:45Z".parse().unwrap(),
        });
        assert_eq!(headers["x-tc-timestamp"], "1715934645");
        assert_eq!(
            headers["authorization"],
            "TC3-HMAC-SHA256 Credential=AKIDEXAMPLE/2024-05-17/billing/tc3_request, SignedHeaders=content-type;host, \
             Signature=7edeed5ebc33a087af0beebc368785f70cd4367d34e56bc54b48c15dfbe1c3c1"
        );
    }
}
