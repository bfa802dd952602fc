//! Amazon's Signature Version 4. Source: "Create a signed AWS API request", and the vectors that Amazon has published as its test suite
//! (read in November 2026 in a copy of the JavaScript SDK).

use std::collections::BTreeMap;

use percent_encoding::utf8_percent_encode;

use super::{Unsigned, canonical};
use crate::model::text::UNRESERVED;
use crate::wire::hash::{hex, hmac_sha256, sha256};

/// Headers that a proxy may change on the way.
const CHANGING: [&str; 4] = ["connection", "expect", "user-agent", "transfer-encoding"];

/// `AWS4-HMAC-SHA256`: the headers to add.
pub(super) fn sign(request: &Unsigned) -> BTreeMap<String, String> {
    let at = Stamp { word: "AWS4", request: "aws4_request", date: "x-amz-date" };
    at.sign(request, &path(request.path, request.option("service")), None)
}

/// The words of a scheme that is Amazon's apart from them.
pub(super) struct Stamp {
    /// What its name begins with, and the key.
    pub word: &'static str,
    /// The end of its scope.
    pub request: &'static str,
    /// The header of the time.
    pub date: &'static str,
}

impl Stamp {
    /// The headers to add to a request to a path. One `more` is signed like the page's own.
    pub(super) fn sign(
        &self,
        request: &Unsigned,
        path: &str,
        more: Option<(&str, &str)>,
    ) -> BTreeMap<String, String> {
        let (pair, region, service) = (&request.pair, request.option("region"), request.option("service"));
        let at = request.now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = &at[..8];
        let mut headers: BTreeMap<String, String> =
            request.headers.iter().filter(|(name, _)| !CHANGING.contains(&name.as_str())).map(owned).collect();
        headers.insert("host".to_owned(), request.host.clone());
        headers.insert(self.date.to_owned(), at.clone());
        headers.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let (canonical, names) = canonical(request, path, &headers);
        let scope = format!("{day}/{region}/{service}/{}", self.request);
        let to_sign = format!("{}-HMAC-SHA256\n{at}\n{scope}\n{}", self.word, sha256(&canonical));
        let key = [day, region, service, self.request]
            .iter()
            .fold(format!("{}{}", self.word, pair.secret).into_bytes(), |key, part| hmac_sha256(&key, part.as_bytes()));
        let signature = hex(&hmac_sha256(&key, to_sign.as_bytes()));
        let authorization = format!(
            "{}-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.word, pair.id
        );
        headers.insert("authorization".to_owned(), authorization);
        headers
    }
}

fn owned((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
}

/// The path as it is signed. Every service but S3 wants it encoded once more than it is asked.
fn path(path: &str, service: &str) -> String {
    if service == "s3" {
        return path.to_owned();
    }
    let parts = path.split('/').map(|part| utf8_percent_encode(part, UNRESERVED).to_string());
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::super::Pair;
    use super::*;

    #[test]
    fn aws4_gives_the_signatures_of_the_published_test_suite() {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let lines = ("my-header1", "value1,value2,value3");
        let query = [("Param2", "value2"), ("Param1", "value1")];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for (method, header, query, body, want) in [
            ("GET", None, &[][..], "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("GET", Some(lines), &[], "", "ba17b383a53190154eb5fa66a1b836cc297cc0a3d70a5d00705980573d8ff790"),
            ("GET", None, &query, "", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
            ("POST", Some(form), &[], "Param1=value1", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
        ] {
            let options = [("region", "us-east-1"), ("service", "service")];
            let headers = sign(&Unsigned {
                method,
                host: "example.amazonaws.com".into(),
                url: "",
                path: "/",
                query,
                body,
                headers: &header.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
                options: &options.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
                pair: Pair { id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
                nonce: String::new(),
                now: "2015-08-30T12:36:00Z".parse().unwrap(),
            });
            let own = header.map_or_else(String::new, |(name, _)| name.to_owned());
            let mut names = vec!["host", "x-amz-date"];
            names.extend(Some(own.as_str()).filter(|own| !own.is_empty()));
            names.sort_unstable();
            let want = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={}, \
                 Signature={want}",
                names.join(";")
            );
            assert_eq!(headers["authorization"], want);
        }
    }

    #[test]
    fn a_path_is_encoded_once_more_except_for_s3() {
        assert_eq!(path("/a%20b/c~d", "execute-api"), "/a%2520b/c~d");
        assert_eq!(path("/a%20b/c~d", "s3"), "/a%20b/c~d");
        assert_eq!(path("/", "ce"), "/");
    }
}
