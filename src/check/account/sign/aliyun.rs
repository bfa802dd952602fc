//! Alibaba Cloud's signature. Source: "request syntax and signature method V3".

use std::collections::BTreeMap;

use super::{Unsigned, canonical};
use crate::wire::hash::{hex, hmac_sha256, sha256};

/// Alibaba Cloud `ACS3-HMAC-SHA256`: the headers to add to those of the page, which hold the action and its version.
pub(super) fn sign(request: &Unsigned) -> BTreeMap<String, String> {
    let pair = &request.pair;
    let mut signed: BTreeMap<String, String> =
        request.headers.iter().filter(|(name, _)| name.starts_with("x-acs-")).map(|(k, v)| (k.clone(), v.clone())).collect();
    signed.insert("host".to_owned(), request.host.clone());
    signed.insert("x-acs-date".to_owned(), request.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    signed.insert("x-acs-signature-nonce".to_owned(), request.nonce.clone());
    signed.insert("x-acs-content-sha256".to_owned(), sha256(request.body));
    let (canonical, names) = canonical(request, request.path, &signed);
    let to_sign = format!("ACS3-HMAC-SHA256\n{}", sha256(&canonical));
    let signature = hex(&hmac_sha256(pair.secret.as_bytes(), to_sign.as_bytes()));
    let authorization = format!("ACS3-HMAC-SHA256 Credential={},SignedHeaders={names},Signature={signature}", pair.id);
    signed.insert("authorization".to_owned(), authorization);
    signed
}

#[cfg(test)]
mod tests {
    use super::super::Pair;
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
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
            let signed = sign(&Unsigned {
                method,
                host: host.into(),
                url: "",
                path: "/",
                query,
                body: "",
                headers: &headers,
                options: &BTreeMap::new(),
                pair: Pair { id, secret },
                nonce: nonce.to_owned(),
                now: time.parse().unwrap(),
            });
            assert!(signed["authorization"].ends_with(&format!(",Signature={want}")), "{}", signed["authorization"]);
        }
    }
}
