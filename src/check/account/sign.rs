//! Request signing, as pure functions of the request, the pair, the clock and a nonce.
//!
//! Sources: Volcengine's signature V4 (docs 6369/67269) and Alibaba Cloud's "request syntax and signature method V3".

use std::collections::BTreeMap;

use jiff::Timestamp;
use percent_encoding::utf8_percent_encode;

use crate::model::text::UNRESERVED;
use crate::wire::hash::{hex, hmac_sha256, sha256};

/// What is signed.
pub(super) struct Unsigned<'a> {
    pub method: &'static str,
    pub host: String,
    pub path: &'a str,
    pub query: &'a [(String, String)],
    pub body: &'a str,
}

/// An access key.
pub(super) struct Pair<'a> {
    pub id: &'a str,
    pub secret: &'a str,
}

/// The query as both services canonicalise it: sorted, RFC 3986 encoded.
pub(super) fn canonical_query(query: &[(String, String)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    let mut pairs: Vec<(String, String)> = query.iter().map(|(k, v)| (encode(k), encode(v))).collect();
    pairs.sort();
    pairs.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("&")
}

/// The canonical request and the names of its signed headers.
fn canonical(request: &Unsigned, signed: &BTreeMap<String, String>) -> (String, String) {
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let names = signed.keys().map(String::as_str).collect::<Vec<_>>().join(";");
    let text = format!(
        "{}\n{}\n{}\n{lines}\n{names}\n{}",
        request.method,
        request.path,
        canonical_query(request.query),
        sha256(request.body)
    );
    (text, names)
}

/// Volcengine `HMAC-SHA256`: the headers to add.
pub(super) fn volc(
    request: &Unsigned,
    pair: &Pair,
    region: &str,
    service: &str,
    now: Timestamp,
) -> BTreeMap<String, String> {
    let at = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let date = &at[..8];
    let mut headers = BTreeMap::from([
        ("content-type".to_owned(), "application/json".to_owned()),
        ("host".to_owned(), request.host.clone()),
        ("x-content-sha256".to_owned(), sha256(request.body)),
        ("x-date".to_owned(), at.clone()),
    ]);
    let (canonical, names) = canonical(request, &headers);
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

/// Alibaba Cloud `ACS3-HMAC-SHA256`: the headers to add to `headers`, which hold the action and its version.
pub(super) fn acs3(
    request: &Unsigned,
    pair: &Pair,
    headers: &BTreeMap<String, String>,
    nonce: &str,
    now: Timestamp,
) -> BTreeMap<String, String> {
    let mut signed: BTreeMap<String, String> =
        headers.iter().filter(|(name, _)| name.starts_with("x-acs-")).map(|(k, v)| (k.clone(), v.clone())).collect();
    signed.insert("host".to_owned(), request.host.clone());
    signed.insert("x-acs-date".to_owned(), now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    signed.insert("x-acs-signature-nonce".to_owned(), nonce.to_owned());
    signed.insert("x-acs-content-sha256".to_owned(), sha256(request.body));
    let (canonical, names) = canonical(request, &signed);
    let to_sign = format!("ACS3-HMAC-SHA256\n{}", sha256(&canonical));
    let signature = hex(&hmac_sha256(pair.secret.as_bytes(), to_sign.as_bytes()));
    let authorization = format!("ACS3-HMAC-SHA256 Credential={},SignedHeaders={names},Signature={signature}", pair.id);
    signed.insert("authorization".to_owned(), authorization);
    signed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn volc_gives_the_signatures_of_the_official_sdk() {
        for (body, want) in [
            ("", "6a51ffbd7c59c8512f74418ce1413b3073e98935284f9df23627c8ae659c51eb"),
            ("{\"Limit\":1}", "d9e714eb64900095dd9fd482ed4a29b0199fc08171ccfdd806943a2137a3c5b7"),
        ] {
            let query = query(&[("Version", "2022-01-01"), ("Action", "QueryBalanceAcct")]);
            let request =
                Unsigned { method: "GET", host: "open.volcengineapi.com".into(), path: "/", query: &query, body };
            let pair = Pair { id: "AKLTtest-access-key", secret: "test-secret-key" };
            let headers = volc(&request, &pair, "cn-shanghai", "billing", at("2024-05-17T08:30:45Z"));
            assert_eq!(
                headers["authorization"],
                format!(
                    "HMAC-SHA256 Credential=AKLTtest-access-key/20240517/cn-shanghai/billing/request, \
                     SignedHeaders=content-type;host;x-content-sha256;x-date, Signature={want}"
                )
            );
        }
    }

    #[test]
    fn acs3_gives_the_published_and_the_official_sdks_signatures() {
        let balance = [("x-acs-action", "QueryAccountBalance"), ("x-acs-version", "2017-12-14")];
        let run = [("x-acs-action", "RunInstances"), ("x-acs-version", "2014-05-26")];
        let image =
            query(&[("RegionId", "cn-shanghai"), ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd")]);
        let ours =
            ("LTAI5tTestAccessKey", "testAccessKeySecret", "f81d4fae7dec11d0a76500a0c91e6bf6", "2024-05-17T08:30:45Z");
        let theirs =
            ("YourAccessKeyId", "YourAccessKeySecret", "3156853299f313e23d1673dc12e1703d", "2023-10-26T10:22:32Z");
        for (method, host, query, headers, (id, secret, nonce, time), want) in [
            (
                "POST",
                "ecs.cn-shanghai.aliyuncs.com",
                &image[..],
                run,
                theirs,
                "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
            ),
            (
                "POST",
                "business.aliyuncs.com",
                &[],
                balance,
                ours,
                "95acfd60efba567e97de348ab01ba44c4b59abc8c52cc66a579643ab46fa8bc9",
            ),
            (
                "GET",
                "business.aliyuncs.com",
                &[],
                balance,
                ours,
                "21ec671862b9676520bc0e4e01da838d1799dd8dcd4e117f1f9d63bfb46a9f87",
            ),
        ] {
            let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let request = Unsigned { method, host: host.into(), path: "/", query, body: "" };
            let signed = acs3(&request, &Pair { id, secret }, &headers, nonce, at(time));
            assert!(signed["authorization"].ends_with(&format!(",Signature={want}")), "{}", signed["authorization"]);
        }
    }

    #[test]
    fn encoding_is_rfc_3986() {
        let query = query(&[("k", "a b+c*d~e/f=g&h%i中")]);
        assert_eq!(canonical_query(&query), "k=a%20b%2Bc%2Ad~e%2Ff%3Dg%26h%25i%E4%B8%AD");
    }
}
