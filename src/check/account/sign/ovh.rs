//! OVHcloud's signature of requests with an application. Source: "First steps with the API", and the official libraries for Python
//! (January 2025) and Go (August 2025), whose tests hold the vectors.

use std::collections::BTreeMap;

use super::Unsigned;
use crate::wire::hash::{hex, sha1};

const CONSUMER: &str = "x-ovh-consumer";
const TIME: &str = "x-ovh-timestamp";

/// `$1$`: the headers to add. A request without a consumer is one that everybody may make, as for the service's time: it stays as it
/// is, since a clock that is wrong would spoil the signature.
pub(super) fn sign(request: &Unsigned) -> BTreeMap<String, String> {
    let Some(consumer) = request.header(CONSUMER) else {
        return BTreeMap::new();
    };
    let at = request.header(TIME).map_or_else(|| request.now.as_second().to_string(), str::to_owned);
    let signed = [request.pair.secret, consumer, request.method, request.url, request.body, &at].join("+");
    let signature = format!("$1${}", hex(&sha1(signed.as_bytes())));
    BTreeMap::from([(TIME.to_owned(), at), ("x-ovh-signature".to_owned(), signature)])
}

#[cfg(test)]
mod tests {
    use super::super::Pair;
    use super::*;

    /// The application of the official tests, which was revoked.
    const SECRET: &str = "9ufkBmLaTQ9nz5yMUlg79taH0GNnzDjk";
    const KEY: &str = "5mBuy6SUQcRw2ZUxg0cG68BoDKpED4KY";

    fn signed(secret: &str, consumer: &str, method: &'static str, url: &str, body: &str, time: Option<&str>) -> BTreeMap<String, String> {
        let mut headers = BTreeMap::new();
        headers.extend(Some(consumer).filter(|it| !it.is_empty()).map(|it| (CONSUMER.to_owned(), it.to_owned())));
        headers.extend(time.map(|time| (TIME.to_owned(), time.to_owned())));
        sign(&Unsigned {
            method,
            host: "eu.api.ovh.com".into(),
            url,
            path: "",
            query: &[],
            body,
            headers: &headers,
            options: &BTreeMap::new(),
            pair: Pair { id: "", secret },
            nonce: String::new(),
            now: "2016-03-03T15:27:55Z".parse().unwrap(),
        })
    }

    #[test]
    fn ovh_gives_the_signatures_of_the_official_libraries() {
        let body = "{\"a\":\"b\",\"c\":\"d\"}";
        for (method, url, body, want) in [
            ("GET", "https://eu.api.ovh.com/1.0/auth", "", "e9556054b6309771395efa467c22e627407461ad"),
            ("POST", "https://eu.api.ovh.com/1.0/auth", body, "ec2fb5c7a81f64723c77d2e5b609ae6f58a84fc1"),
            ("GET", "https://eu.api.ovh.com/1.0/call", "", "7f2db49253edfc41891023fcd1a54cf61db05fbb"),
            ("GET", "https://eu.api.ovh.com/v1/call", "", "e6e7906d385eb28adcbfbe6b66c1528a42d741ad"),
        ] {
            let headers = signed(SECRET, KEY, method, url, body, None);
            assert_eq!(headers["x-ovh-timestamp"], "1457018875");
            assert_eq!(headers["x-ovh-signature"], format!("$1${want}"), "{method} {url}");
        }
    }

    #[test]
    fn the_time_of_the_service_counts_and_nothing_is_signed_without_a_consumer() {
        let url = "https://eu.api.ovh.com/v1/me/credit/balance";
        let headers = signed("EXAMPLE_APP_SECRET", "EXAMPLE_CONSUMER_KEY", "GET", url, "", Some("1715934645"));
        assert_eq!(headers["x-ovh-signature"], "$1$b89259686cb3bf56f2dcfc3d13ee328e2261a40e");
        assert_eq!(signed(SECRET, "", "GET", "https://eu.api.ovh.com/v1/auth/time", "", None), BTreeMap::new());
    }
}
