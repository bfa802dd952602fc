//! The push: one request that replaces a group, or the families in it. Source: pushgateway's `README.md`.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use url::Url;

use super::text::{CONTENT_TYPE, Part};
use crate::model::failure::{Failure, Reason};
use crate::publish::config::Gateway;
use crate::wire::auth::{self, Login};
use crate::wire::context::Context;
use crate::wire::http::{self, Method, Outgoing};

/// With less time left than this, the push is not tried.
const LEAST: Duration = Duration::from_millis(50);

/// The path of a group below the gateway's address. A value that could not stand in a path, or is empty, goes in base64.
pub(crate) fn group(gateway: &Gateway) -> String {
    let first = std::iter::once(("job", gateway.job.as_str()));
    let rest = gateway.grouping.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let parts = first.chain(rest).map(|(name, value)| {
        let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        match value {
            // An empty segment cannot stand in a path; the Pushgateway reads `=` as base64 of nothing.
            "" => format!("{name}@base64/="),
            _ if is_plain => format!("{name}/{value}"),
            _ => format!("{name}@base64/{}", URL_SAFE_NO_PAD.encode(value)),
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// # Errors
/// Why the gateway has not taken it, in its own words where it has any.
pub(super) fn push(
    gateway: &Gateway,
    body: &str,
    part: Part,
    context: &Context,
    left: Duration,
) -> Result<(), Failure> {
    let base = gateway.url.as_ref().map_err(|why| Failure::new(Reason::Config, why.clone()))?;
    if left < LEAST {
        return Err(Failure::new(Reason::Timeout, "the run's time was over before the push"));
    }
    let now = context.clock.now();
    let message = Outgoing {
        method: if part.is_whole() { Method::PUT } else { Method::POST },
        url: &address(base, &group(gateway))?,
        content_type: CONTENT_TYPE,
        proof: auth::proof(gateway.login.as_ref(), gateway.secret.as_ref(), body, now, now)?,
        body,
        // A push that arrives twice does no harm, so nobody needs to know whether it went out.
        is_out: &AtomicBool::new(false),
    };
    let response = context.clients.send(&message, gateway.timeout.min(left)).map_err(|failure| Failure {
        message: format!("the Pushgateway at {}: {}", http::host(base), failure.message),
        ..failure
    })?;
    if (200..300).contains(&response.status) {
        return Ok(());
    }
    let status = response.status;
    let failure = response.fault().unwrap_or_else(|| {
        Failure::of_status(status, format!("the Pushgateway refuses the metrics (HTTP {status})"))
            .saying(String::from_utf8_lossy(&response.body))
    });
    let is_signed = gateway.secret.is_some() || matches!(gateway.login, Some(Login::Jwt(_)));
    let failure = response.through(response.by_the_clock(failure, is_signed)).at(http::host(base));
    Err(failure.hiding(message.proof.iter().map(|(_, value)| value.expose_secret())))
}

fn address(base: &Url, group: &str) -> Result<Url, Failure> {
    let prefix = base.as_str().trim_end_matches('/');
    Url::parse(&format!("{prefix}/metrics/{group}"))
        .map_err(|_| Failure::new(Reason::Config, "the address of the Pushgateway cannot be used"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn any_value_has_a_path_of_its_own() {
        let of = |job: &str, labels: &[(&str, &str)]| {
            let grouping: BTreeMap<String, String> =
                labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            group(&Gateway {
                url: Err("it has no address".to_owned()),
                job: job.to_owned(),
                grouping,
                login: None,
                secret: None,
                allow_insecure: false,
                timeout: Duration::ZERO,
            })
        };
        for (job, labels, want) in [
            ("balance-alert", &[][..], "job/balance-alert"),
            ("a", &[("shard", "0"), ("instance", "x")], "job/a/instance/x/shard/0"),
            ("a/b", &[], "job@base64/YS9i"),
            ("a", &[("path", "/var/tmp")], "job/a/path@base64/L3Zhci90bXA"),
            ("a", &[("n", "")], "job/a/n@base64/="),
            ("a", &[("n", "..")], "job/a/n@base64/Li4"),
            ("余额", &[("n", "a b")], "job@base64/5L2Z6aKd/n@base64/YSBi"),
        ] {
            assert_eq!(of(job, labels), want);
        }
    }

    #[test]
    fn a_gateway_may_live_below_a_path() {
        let base = Url::parse("http://h:9091/prefix/").unwrap();
        assert_eq!(
            address(&base, "job/a/n@base64/=").unwrap().as_str(),
            "http://h:9091/prefix/metrics/job/a/n@base64/="
        );
    }
}
