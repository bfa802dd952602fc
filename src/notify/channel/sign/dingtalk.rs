//! DingTalk custom robot. Source: open.dingtalk.com, "Custom robot access".

use jiff::Timestamp;
use percent_encoding::utf8_percent_encode;

use super::{Unsigned, base64};
use crate::model::text::UNRESERVED;
use crate::wire::hash::hmac_sha256;

pub(super) fn sign(request: &mut Unsigned, secret: &str, now: Timestamp) {
    let timestamp = now.as_millisecond();
    let signature = signature(timestamp, secret);
    let old = request.url.query().map(|query| format!("{query}&")).unwrap_or_default();
    request.url.set_query(Some(&format!("{old}timestamp={timestamp}&sign={signature}")));
}

/// HMAC-SHA256 over time and secret, keyed with the secret; encoded for a query, once.
fn signature(timestamp: i64, secret: &str) -> String {
    let signature = base64(&hmac_sha256(secret.as_bytes(), format!("{timestamp}\n{secret}").as_bytes()));
    utf8_percent_encode(&signature, UNRESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_the_services_own() {
        for (timestamp, secret, want) in [
            (1_577_262_236_757, "this is secret", "hmPWwU%2B7lVdm3ZZz0r9tSfx0L4Q26jWOZr9%2BGs6EZQM%3D"),
            (1_577_262_236_757, "SECdemo", "sLRlUUvzoOXn5DR%2F%2Bo%2Bs6tOqX%2BbWe3JGaZ7JQ7844l8%3D"),
            (1_700_000_000_001, "SECtest", "r4CWp%2FDz%2BNg0sbTjH1vB0Fr%2BuQ2fn831mssaN6%2FC05I%3D"),
        ] {
            assert_eq!(signature(timestamp, secret), want);
        }
    }
}
