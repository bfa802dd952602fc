//! Volcengine's signature V4. Source: docs 6369/67269.

use std::collections::BTreeMap;

use super::{Unsigned, canonical};
use crate::wire::hash::{hex, hmac_sha256, sha256};

/// Volcengine `HMAC-SHA256`: the headers to add.
pub(super) fn sign(request: &Unsigned) -> BTreeMap<String, String> {
    let (pair, region, service) = (&request.pair, request.option("region"), request.option("service"));
    let at = request.now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let date = &at[..8];
    let mut headers = BTreeMap::from([
        ("content-type".to_owned(), "application/json".to_owned()),
        ("host".to_owned(), request.host.clone()),
        ("x-content-sha256".to_owned(), sha256(request.body)),
        ("x-date".to_owned(), at.clone()),
    ]);
    let (canonical, names) = canonical(request, request.path, &headers);
    let scope = format!("{date}/{region}/{service}/request");
    let to_sign = format!("HMAC-SHA256\n{at}\n{scope}\n{}", sha256(&canonical));
    let key = [date, region, service, "request"]
        .iter()
        .fold(pair.secret.as_bytes().to_vec(), |key, part| hmac_sha256(&key, part.as_bytes()));
    let signature = hex(&hmac_sha256(&key, to_sign.as_bytes()));
    let authorization =
        format!("HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", pair.id);
    headers.insert("authorization".to_owned(), authorization);
    headers
}

#[cfg(test)]
mod tests {
    use super::super::Pair;
    use super::*;

    #[test]
    fn volc_gives_the_signatures_of_the_official_sdk() {
        for (body, want) in [
            ("", "6a51ffbd7c59c8512f74418ce1413b3073e98935284f9df23627c8ae659c51eb"),
            ("{\"Limit\":1}", "d9e714eb64900095dd9fd482ed4a29b0199fc08171ccfdd806943a2137a3c5b7"),
        ] {
            let query = [("Version", "2022-01-01"), ("Action", "QueryBalanceAcct")];
            let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let options = [("region", "cn-shanghai"), ("service", "billing")];
            let options = options.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            let headers = sign(&Unsigned {
                method: "GET",
                host: "open.volcengineapi.com".into(),
                url: "",
                path: "/",
                query: &query,
                body,
                headers: &BTreeMap::new(),
                options: &options,
                pair: Pair { id: "AKLTtest-access-key", secret: "test-secret-key" },
                nonce: String::new(),
                now: "2024-05-17T08:30:45Z".parse().unwrap(),
            });
            assert_eq!(
                headers["authorization"],
                format!(
                    "HMAC-SHA256 Credential=AKLTtest-access-key/20240517/cn-shanghai/billing/request, \
                     SignedHeaders=content-type;host;x-content-sha256;x-date, Signature={want}"
                )
            );
        }
    }
}
