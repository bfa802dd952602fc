//! Feishu / Lark custom robot. Source: open.feishu.cn, "Use bots in groups: custom bot".

use jiff::Timestamp;

use super::{Unsigned, base64};
use crate::wire::hash::hmac_sha256;

pub(super) fn sign(request: &mut Unsigned, secret: &str, now: Timestamp) {
    let timestamp = now.as_second();
    let signature = signature(timestamp, secret);
    // Neither of both holds a character that JSON would escape.
    if let Some(body) = request.body.strip_suffix('}') {
        *request.body = format!("{body},\"sign\":\"{signature}\",\"timestamp\":\"{timestamp}\"}}");
    }
}

/// HMAC-SHA256 of nothing, keyed with time and secret: the robot's own way round.
fn signature(timestamp: i64, secret: &str) -> String {
    base64(&hmac_sha256(format!("{timestamp}\n{secret}").as_bytes(), b""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_the_services_own() {
        for (timestamp, secret, want) in [
            (1_599_360_473, "demo", "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="),
            (1_784_090_000, "signing-secret", "KR/ra7TdEUIVmdbfeSXeM1FYoX2GTy1DP0EIudF7j+A="),
            (1_700_000_000, "密钥", "cyn+2wyXar1IIl3eihT1dIzSxsVv1BFWCgy6prBcWJM="),
            (1_700_000_000, "secret", "fiWS2+gh28DOydAv7hzONH/mDn9+b1Y4Y5ivXWXy8vA="),
        ] {
            assert_eq!(signature(timestamp, secret), want);
        }
    }
}
