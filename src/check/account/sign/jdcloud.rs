//! JD Cloud's signature, which is Amazon's with other words and a nonce. Source: the official SDKs for Go (June 2026) and for C++, whose
//! tests hold the vector. The one for Python has a third version since March 2026 (`JDCLOUD3`), which the others do not have.

use std::collections::BTreeMap;

use super::Unsigned;
use super::aws::Stamp;

/// `JDCLOUD2-HMAC-SHA256`: the headers to add. What is signed is the path as it is asked.
pub(super) fn sign(request: &Unsigned) -> BTreeMap<String, String> {
    let at = Stamp { word: "JDCLOUD2", request: "jdcloud2_request", date: "x-jdcloud-date" };
    at.sign(request, request.path, Some(("x-jdcloud-nonce", &request.nonce)))
}

#[cfg(test)]
mod tests {
    use super::super::Pair;
    use super::*;

    #[test]
    fn jdcloud2_gives_the_signatures_of_the_official_sdk_and_of_an_independent_calculation() {
        let kind = ("content-type".to_owned(), "application/json".to_owned());
        let asset = "/v1/regions/cn-north-1/assets%3AdescribeAccountAmount";
        for (service, host, path, headers, names, want) in [
            (
                "vm",
                "vm.cn-north-1.jdcloud.net",
                "/",
                BTreeMap::new(),
                "host;x-jdcloud-date;x-jdcloud-nonce",
                "43a76892222031f847c00c56cac8d4d2dc179a4e75a37868d09a5300435f4054",
            ),
            (
                "asset",
                "asset.jdcloud-api.com",
                asset,
                BTreeMap::from([kind]),
                "content-type;host;x-jdcloud-date;x-jdcloud-nonce",
                "bdf49023b66378c2de631909954e6af2e5fd7b961ff5c6ab83f0f4f7e07d2353",
            ),
        ] {
            let options = [("region", "cn-north-1"), ("service", service)];
            let signed = sign(&Unsigned {
                method: "GET",
                host: host.into(),
                url: "",
                path,
                query: &[],
                body: "",
                headers: &headers,
                options: &options.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
                pair: Pair { id: "ak", secret: "sk" },
                nonce: "uuid".into(),
                now: "2009-02-13T23:31:30Z".parse().unwrap(),
            });
            let scope = format!("20090213/cn-north-1/{service}/jdcloud2_request");
            let want =
                format!("JDCLOUD2-HMAC-SHA256 Credential=ak/{scope}, SignedHeaders={names}, Signature={want}");
            assert_eq!(signed["authorization"], want);
            assert_eq!((&*signed["x-jdcloud-date"], &*signed["x-jdcloud-nonce"]), ("20090213T233130Z", "uuid"));
        }
    }
}
