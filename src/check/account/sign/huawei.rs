//! Huawei Cloud's signature of requests with an access key. Source: the API Gateway's guide, and the official SDK.

use std::collections::BTreeMap;

use super::{Unsigned, canonical};
use crate::wire::hash::{hex, hmac_sha256, sha256};

/// Huawei Cloud `SDK-HMAC-SHA256`: the headers to add.
pub(super) fn sign(request: &Unsigned) -> BTreeMap<String, String> {
    let at = request.now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut headers =
        BTreeMap::from([("host".to_owned(), request.host.clone()), ("x-sdk-date".to_owned(), at.clone())]);
    let kind = request.headers.get("content-type").map(|kind| ("content-type".to_owned(), kind.clone()));
    headers.extend(kind);
    // What is signed ends with a slash, whatever is asked.
    let path = format!("{}/", request.path.trim_end_matches('/'));
    let (canonical, names) = canonical(request, &path, &headers);
    let to_sign = format!("SDK-HMAC-SHA256\n{at}\n{}", sha256(&canonical));
    let signature = hex(&hmac_sha256(request.pair.secret.as_bytes(), to_sign.as_bytes()));
    let authorization =
        format!("SDK-HMAC-SHA256 Access={}, SignedHeaders={names}, Signature={signature}", request.pair.id);
    headers.insert("authorization".to_owned(), authorization);
    headers
}

#[cfg(test)]
mod tests {
    use super::super::Pair;
    use super::*;

    #[test]
    fn sdk_hmac_gives_the_signatures_of_the_official_sdk() {
        for (kind, names, want) in [
            (
                Some("application/json"),
                "content-type;host;x-sdk-date",
                "a9696dfad6626b305b014d27526346e030e8bc946ed5baac11787a5214375aac",
            ),
            (None, "host;x-sdk-date", "7d74fe5d05146d6cbe884bdfc244e14d7a8c5758647839c8b2d3725e007304af"),
        ] {
            let headers = kind.map(|kind| ("content-type".to_owned(), kind.to_owned())).into_iter().collect();
            let signed = sign(&Unsigned {
                method: "GET",
                host: "bss.myhuaweicloud.com".into(),
                url: "",
                path: "/v2/accounts/customer-accounts/balances",
                query: &[],
                body: "",
                headers: &headers,
                options: &BTreeMap::new(),
                pair: Pair { id: "HWAKEXAMPLE", secret: "HwSecretExample" },
                nonce: String::new(),
                now: "2024-05-17T08:30:45Z".parse().unwrap(),
            });
            let want = format!("SDK-HMAC-SHA256 Access=HWAKEXAMPLE, SignedHeaders={names}, Signature={want}");
            assert_eq!(signed["authorization"], want);
            assert_eq!(signed["x-sdk-date"], "20240517T083045Z");
        }
    }
}
