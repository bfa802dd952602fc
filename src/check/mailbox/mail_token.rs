//! A login by OAuth 2.0: the access token that a mailbox takes.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use crate::check::mailbox::config::Oauth2;
use crate::model::failure::{Failure, Reason};
use crate::process::redact::Redactor;
use crate::wire::http::{self, Clients, Method, Request};

/// A new access token for a refresh token (RFC 6749 section 6). Whatever of the answer lets somebody in is learnt.
///
/// # Errors
/// The service gives none.
pub(super) fn token(
    oauth2: &Oauth2,
    clients: &Clients,
    redactor: &Redactor,
    timeout: Duration,
) -> Result<SecretString, Failure> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token")
        .append_pair("client_id", &oauth2.client_id)
        .append_pair("refresh_token", oauth2.refresh_token.expose_secret());
    if let Some(secret) = &oauth2.client_secret {
        form.append_pair("client_secret", secret.expose_secret());
    }
    if let Some(scope) = oauth2.scope {
        form.append_pair("scope", scope);
    }
    let mut headers = reqwest::header::HeaderMap::new();
    let kind = reqwest::header::HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(reqwest::header::CONTENT_TYPE, kind);
    let request = Request { method: Method::POST, url: oauth2.token_url.clone(), headers, body: Some(form.finish()) };
    let response = clients.read(&request, timeout)?;
    let answer: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let word = |name: &str| answer.get(name).and_then(serde_json::Value::as_str);
    for name in ["access_token", "refresh_token", "id_token", "device_secret"] {
        word(name).into_iter().for_each(|token| redactor.learn(token));
    }
    let failure = match (response.fault(), response.status, word("access_token")) {
        (None, 200, Some(token)) => return Ok(SecretString::from(token)),
        (Some(fault), ..) => Failure { message: format!("no token: {}", fault.message), ..fault },
        (None, status @ 400..=499, _) if !matches!(status, 408 | 425 | 429) => Failure::new(Reason::Auth, "no token")
            .saying(word("error_description").or(word("error")).unwrap_or("no reason given")),
        (None, 200..=299, _) => Failure::new(Reason::Decode, "no token: the answer holds none"),
        (None, status, _) => Failure::of_status(status, format!("no token (HTTP {status})")),
    };
    let failure = response.through(response.by_the_clock(failure, false));
    Err(failure.heeding(response.retry_after).at(http::host(&oauth2.token_url)))
}
