//! UCloud's signature of the parameters of a request. Source: docs.ucloud.cn/api/summary/signature with its examples, and the official
//! SDK for Go (July 2026), whose tests hold the vectors.

use super::{Signed, Unsigned};
use crate::wire::hash::{hex, sha1};

/// The SHA-1 of all parameters in the order of their names, and of the private key behind them.
pub(super) fn sign(request: &Unsigned) -> Signed {
    let mut query: Vec<&(String, String)> = request.query.iter().collect();
    query.sort();
    let mut text: String = query.into_iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
    text += request.pair.secret;
    let signature = ("Signature".to_owned(), hex(&sha1(text.as_bytes())));
    Signed { query: vec![signature], ..Signed::default() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Pair;
    use super::*;

    #[test]
    fn ucloud_gives_the_published_and_the_official_sdks_signatures() {
        let server: &[(&str, &str)] = &[
            ("Action", "CreateUHostInstance"),
            ("CPU", "2"),
            ("Region", "cn-bj2"),
            ("DiskSpace", "10"),
            ("LoginMode", "Password"),
            ("ChargeType", "Month"),
            ("ImageId", "f43736e1-65a5-4bea-ad2e-8a46e18883c2"),
            ("PublicKey", "ucloudsomeone@example.com1296235120854146120"),
            ("Memory", "2048"),
            ("Password", "VUNsb3VkLmNu"),
            ("Name", "Host01"),
            ("Quantity", "1"),
            ("Zone", "cn-bj2-04"),
        ];
        let list: &[(&str, &str)] = &[
            ("Action", "DescribeUHostInstance"),
            ("Region", "cn-bj2"),
            ("Limit", "10"),
            ("PublicKey", "someone@example.com1296235120854146120"),
        ];
        for (query, want) in
            [(server, "4f9ef5df2abab2c6fccd1e9515cb7e2df8c6bb65"), (list, "4201919d267504385deb93af19e0197870fed36b")]
        {
            let query: Vec<(String, String)> = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let signed = sign(&Unsigned {
                method: "GET",
                host: "api.ucloud.cn".into(),
                url: "",
                path: "/",
                query: &query,
                body: "",
                headers: &BTreeMap::new(),
                options: &BTreeMap::new(),
                pair: Pair { id: "", secret: "46f09bb9fab4f12dfc160dae12273d5332b5debe" },
                nonce: String::new(),
                now: "2026-11-30T12:00:00Z".parse().unwrap(),
            });
            assert_eq!(signed.query, [("Signature".to_owned(), want.to_owned())]);
        }
    }
}
