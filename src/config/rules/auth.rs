//! The rules of `auth`, the same for webhooks and for the Pushgateway.

use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use secrecy::{ExposeSecret, SecretString};

use super::{Builder, under};
use crate::config::credential::Use;
use crate::config::document::{Part, Step};
use crate::config::problem::Reach;
use crate::config::raw::{RawAuth, RawBasic, RawHeader, RawJwt};
use crate::process::echo;
use crate::wire::auth::{self, Jwt, Login};

/// The variable that stands for `jwt.secret`.
const SECRET: &str = "JWT_SECRET_KEY";
/// The variable that stands for `jwt.expires_hours`.
const EXPIRES: &str = "JWT_ACCESS_TOKEN_EXPIRES_HOURS";
/// A key is no shorter than the hash (RFC 7518 section 3.2).
const SHORTEST_KEY: usize = 32;
/// How long a token is good for, in hours.
const STANDARD_HOURS: Decimal = Decimal::from_parts(24, 0, 0, false, 0);
/// A year.
const MOST_HOURS: Decimal = Decimal::from_parts(8760, 0, 0, false, 0);
/// Headers that make a request what it is.
const TAKEN: [&str; 14] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    auth::SIGNATURE,
    auth::TIMESTAMP,
];

impl Builder<'_> {
    pub(super) fn auth(&mut self, path: &[Step], raw: RawAuth, broken: &mut Option<String>) -> Option<Login> {
        let RawAuth { basic, bearer, bearer_file, jwt, header } = raw;
        let has_bearer = bearer.is_some() || bearer_file.is_some();
        let is_unset = ["basic", "bearer", "bearer_file", "jwt", "header"]
            .iter()
            .any(|field| self.is_flagged(&under(path, field)));
        match usize::from(basic.is_some())
            + usize::from(has_bearer)
            + usize::from(jwt.is_some())
            + usize::from(header.is_some())
        {
            1 => {}
            0 if is_unset => return None,
            0 => {
                let hint = Some("set `basic`, `bearer`, `bearer_file`, `jwt` or `header`".to_owned());
                self.problem(path, Part::Value, "`auth` says no way", hint);
                return None;
            }
            _ => {
                self.problem(path, Part::Value, "the ways of `auth` exclude each other", None);
                return None;
            }
        }
        let login = match (basic, jwt, header) {
            (Some(basic), ..) => self.basic(&under(path, "basic"), basic, broken),
            (_, Some(jwt), _) => self.jwt(&under(path, "jwt"), jwt, broken),
            (.., Some(header)) => self.header(&under(path, "header"), header, broken),
            _ => self.bearer(path, "bearer", bearer, bearer_file.as_deref(), broken),
        };
        login.filter(|login| self.is_sound(path, login.secret(), broken))
    }

    /// A token that follows the word `Bearer`.
    pub(super) fn bearer(
        &mut self,
        path: &[Step],
        field: &str,
        token: Option<String>,
        file: Option<&str>,
        broken: &mut Option<String>,
    ) -> Option<Login> {
        let token = self.secret(path, field, token, file, broken)?;
        let after = ["Bearer ".to_owned()];
        self.vet(path, field, token.expose_secret(), Use::Key { after: &after }, broken);
        Some(Login::Bearer(token))
    }

    pub(super) fn basic(&mut self, path: &[Step], raw: RawBasic, broken: &mut Option<String>) -> Option<Login> {
        let password = self.secret(path, "password", raw.password, raw.password_file.as_deref(), broken);
        self.required(path, "username", raw.username.is_some());
        if broken.is_none() {
            self.required(path, "password", password.is_some());
        }
        let (user, password) = raw.username.zip(password)?;
        if user.contains(':') || user.chars().any(char::is_control) {
            let message =
                "`username` must not hold a colon, which ends it in basic authentication, or control characters";
            self.problem(&under(path, "username"), Part::Value, message, None);
        }
        self.vet(path, "password", password.expose_secret(), Use::Password, broken);
        self.redactor.learn(&auth::basic(&user, password.expose_secret()));
        // Some services take a key for the name of the user.
        if echo::looks_secret(&user) {
            self.redactor.learn(&user);
        } else {
            self.redactor.suspect(&user);
        }
        Some(Login::Basic(user, password))
    }

    fn jwt(&mut self, path: &[Step], raw: RawJwt, broken: &mut Option<String>) -> Option<Login> {
        let has_own = raw.secret.is_some() || raw.secret_file.is_some() || self.is_flagged(&under(path, "secret"));
        let secret = match self.environment.overlay(SECRET).filter(|_| !has_own) {
            Some(secret) => {
                self.redactor.learn(secret);
                Some(SecretString::from(secret))
            }
            None => self.secret(path, "secret", raw.secret, raw.secret_file.as_deref(), broken),
        };
        let expires = self.expires(path, raw.expires_hours.map(|n| n.0));
        let Some(secret) = secret else {
            if broken.is_none() && !has_own {
                let hint = Some(format!("set it, `secret_file` or the variable {SECRET}"));
                self.problem(path, Part::Value, "`secret` is missing", hint);
            }
            return None;
        };
        if has_own {
            self.vet(path, "secret", secret.expose_secret(), Use::Password, broken);
        }
        if secret.expose_secret().len() < SHORTEST_KEY {
            let name = if has_own { "the `secret` of a `jwt`" } else { SECRET };
            self.warnings.push(format!("{name} is shorter than {SHORTEST_KEY} bytes, so tokens can be guessed"));
        }
        Some(Login::Jwt(Jwt { secret, expires, issuer: raw.issuer, audience: raw.audience }))
    }

    fn expires(&mut self, path: &[Step], hours: Option<Decimal>) -> Duration {
        let (place, name) = match hours {
            Some(_) => (under(path, "expires_hours"), "expires_hours"),
            None => (Vec::new(), EXPIRES),
        };
        let hours = if hours.is_some() { hours } else { self.overlay(EXPIRES, None) };
        let hours = hours.unwrap_or(STANDARD_HOURS);
        let seconds = (hours * Decimal::from(3600)).to_u64().filter(|_| hours <= MOST_HOURS);
        seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs).unwrap_or_else(|| {
            let message = format!("`{name}` must be above 0 and at most {MOST_HOURS} hours{}", echo::but_is(hours));
            self.problem(&place, Part::Value, message, None);
            Duration::ZERO
        })
    }

    fn header(&mut self, path: &[Step], raw: RawHeader, broken: &mut Option<String>) -> Option<Login> {
        let value = self.secret(path, "value", raw.value, raw.value_file.as_deref(), broken);
        self.required(path, "name", raw.name.is_some());
        if broken.is_none() {
            self.required(path, "value", value.is_some());
        }
        let (name, value) = raw.name.zip(value)?;
        self.vet(path, "value", value.expose_secret(), Use::Password, broken);
        let name = name.trim().to_owned();
        let at = under(path, "name");
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            self.problem(&at, Part::Value, "`name` is not the name of a header", None);
        } else if TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(&name)) {
            self.problem(&at, Part::Value, format!("the header `{name}` is set by this program"), None);
        }
        Some(Login::Header(name, value))
    }

    /// Whether a secret can travel in a header: one line of visible characters.
    pub(super) fn is_sound(&mut self, path: &[Step], secret: &SecretString, broken: &mut Option<String>) -> bool {
        let message = match secret.expose_secret() {
            "" => "a password or token is empty",
            secret if secret.chars().any(char::is_control) => {
                "a password or token holds a control character; it is one line"
            }
            _ => return true,
        };
        *broken = broken.take().or(Some(message.to_owned()));
        self.push(path, Part::Value, message.to_owned(), None, Reach::Entry);
        false
    }
}
