//! What a config says of how something is asked or told: who sends (`auth`), and how often (`rate_limit`).

use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::auth::{self, Jwt, Login};
use super::limit::Limit;
use crate::process::quote_input;
use crate::yaml::credential::Use;
use crate::yaml::field::{Field, Number, Variable, fields};
use crate::yaml::path::{Part, Step, last_key, under};
use crate::yaml::problem::Reach;
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::Lenient;

fields! {
    /// How a request proves who sends it: exactly one way.
    pub(crate) struct RawAuth {
        /// User and password.
        basic: RawBasic;
        /// A bearer token.
        bearer: String;
        /// A file that holds a bearer token; read in every run.
        bearer_file: String;
        /// A token that is made for each request.
        jwt: RawJwt;
        /// A header of the receiver's own.
        header: RawHeader;
    }
}

fields! {
    /// User and password.
    pub(crate) struct RawBasic {
        /// The user.
        username: String, required = true;
        /// The password.
        password: String;
        /// A file that holds the password.
        password_file: String;
    }
}

fields! {
    /// A JSON Web Token that is made for each request.
    pub(crate) struct RawJwt {
        /// The secret that both sides know; it should have at least 32 bytes.
        secret: String, variable = SECRET;
        /// A file that holds the secret.
        secret_file: String;
        /// How the token is signed.
        algorithm: JwtAlgorithm, default = "HS256";
        /// How long the token is good for, in hours.
        expires_hours: Lenient<Decimal>, number = HOURS, variable = EXPIRES;
        /// The issuer that the token names (`iss`).
        issuer: String;
        /// The audience that the token names (`aud`).
        audience: String;
    }
}

/// How a token is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum JwtAlgorithm {
    /// HMAC with SHA-256
    #[default]
    #[serde(rename = "HS256")]
    Hs256,
}

fields! {
    /// A header of the receiver's own.
    pub(crate) struct RawHeader {
        /// Its name.
        name: String, required = true;
        /// Its value, a secret.
        value: String;
        /// A file that holds the value.
        value_file: String;
    }
}

/// The variable that stands for `jwt.secret`, where the config has none.
const SECRET: Variable =
    Variable { name: "JWT_SECRET_KEY", note: "for every webhook and the Pushgateway, where the config has none" };
/// The variable that stands for `jwt.expires_hours`, likewise.
const EXPIRES: Variable = Variable { name: "JWT_ACCESS_TOKEN_EXPIRES_HOURS", note: "likewise" };
/// A key is no shorter than the hash (RFC 7518 section 3.2).
const SHORTEST_KEY: usize = 32;
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

/// How long a token is good for, in hours.
const HOURS: Number = Number::above_zero(8760).unit("hours").or(24);
/// The variable alone, without a place in the config.
const BARE_EXPIRES: Field = Field { variable: Some(EXPIRES), ..Field::of("", "") };

/// Whether a text can be the name of a header (a token of RFC 9110 section 5.6.2).
pub(crate) fn is_header_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

/// Whether a header is one of those that make a request what it is.
pub(crate) fn is_taken_header(name: &str) -> bool {
    TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(name))
}

impl ConfigReader<'_> {
    pub(crate) fn auth(&mut self, path: &[Step], raw: RawAuth) -> Option<Login> {
        let RawAuth { basic, bearer, bearer_file, jwt, header } = raw;
        let has_bearer = bearer.is_some() || bearer_file.is_some() || self.has_command(path, "bearer");
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
                self.problem(path, Part::Value, "`auth` is empty: choose one method", hint);
                return None;
            }
            _ => {
                self.problem(path, Part::Value, "`auth` has several methods: keep one", None);
                return None;
            }
        }
        let login = match (basic, jwt, header) {
            (Some(basic), ..) => self.basic(&under(path, "basic"), basic),
            (_, Some(jwt), _) => self.jwt(&under(path, "jwt"), jwt),
            (.., Some(header)) => self.header(&under(path, "header"), header),
            _ => self.bearer(path, "bearer", bearer, bearer_file.as_deref()),
        };
        login.filter(|login| self.is_sound(path, login.secret()))
    }

    /// A token that follows the word `Bearer`.
    pub(crate) fn bearer(
        &mut self,
        path: &[Step],
        field: &str,
        token: Option<String>,
        file: Option<&str>,
    ) -> Option<Login> {
        let token = self.secret(path, field, token, file)?;
        let after = ["Bearer ".to_owned()];
        self.vet(path, field, token.expose_secret(), Use::Key { after: &after });
        Some(Login::Bearer(token))
    }

    pub(crate) fn basic(&mut self, path: &[Step], raw: RawBasic) -> Option<Login> {
        let password = self.secret(path, "password", raw.password, raw.password_file.as_deref());
        self.required(path, "username", raw.username.is_some());
        if !self.is_unusable(path) {
            self.required(path, "password", password.is_some());
        }
        let (user, password) = raw.username.zip(password)?;
        if user.contains(':') || user.chars().any(char::is_control) {
            let message =
                "`username` must not hold a colon, which ends it in basic authentication, or control characters";
            self.problem(&under(path, "username"), Part::Value, message, None);
        }
        self.vet(path, "password", password.expose_secret(), Use::Header);
        self.redactor.learn(&auth::basic(&user, password.expose_secret()));
        // Some services take a key for the name of the user.
        if quote_input::looks_secret(&user) {
            self.redactor.learn(&user);
        } else {
            self.redactor.suspect(&user);
        }
        Some(Login::Basic(user, password))
    }

    fn jwt(&mut self, path: &[Step], raw: RawJwt) -> Option<Login> {
        let is_written = raw.secret.is_some() || raw.secret_file.is_some() || self.has_command(path, "secret");
        let has_own = is_written || self.is_flagged(&under(path, "secret"));
        let secret = match self.environment.overlay(SECRET.name).filter(|_| !has_own) {
            Some(secret) => {
                self.redactor.learn(secret);
                Some(SecretString::from(secret))
            }
            None => self.secret(path, "secret", raw.secret, raw.secret_file.as_deref()),
        };
        let expires = self.expires(path, raw.expires_hours.map(|n| n.0));
        let Some(secret) = secret else {
            if !self.is_unusable(path) && !has_own {
                let hint = Some(format!("set it, `secret_file` or the variable {}", SECRET.name));
                self.problem(path, Part::Value, "`secret` is missing", hint);
            }
            return None;
        };
        if has_own {
            self.vet(path, "secret", secret.expose_secret(), Use::Password);
        }
        if secret.expose_secret().len() < SHORTEST_KEY {
            let name = if has_own { "the `secret` of a `jwt`" } else { SECRET.name };
            self.warnings.push(format!("{name} is shorter than {SHORTEST_KEY} bytes, so tokens can be guessed"));
        }
        Some(Login::Jwt(Jwt { secret, expires, issuer: raw.issuer, audience: raw.audience }))
    }

    /// How long a token is good for: as the config says, else the variable, else the default.
    fn expires(&mut self, path: &[Step], hours: Option<Decimal>) -> Duration {
        let (place, name) = match hours {
            Some(_) => (under(path, RawJwt::expires_hours.name), RawJwt::expires_hours.name),
            None => (Vec::new(), EXPIRES.name),
        };
        let hours = match hours {
            Some(hours) => hours,
            None => self.overlaid(&[], &BARE_EXPIRES, None).unwrap_or(Decimal::from(HOURS.default())),
        };
        let seconds = (hours * Decimal::from(3600)).to_u64().filter(|_| HOURS.has(hours));
        seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs).unwrap_or_else(|| {
            self.problem(&place, Part::Value, format!("`{name}` must be {HOURS}{}", quote_input::but_is(hours)), None);
            Duration::ZERO
        })
    }

    fn header(&mut self, path: &[Step], raw: RawHeader) -> Option<Login> {
        let value = self.secret(path, "value", raw.value, raw.value_file.as_deref());
        self.required(path, "name", raw.name.is_some());
        if !self.is_unusable(path) {
            self.required(path, "value", value.is_some());
        }
        let (name, value) = raw.name.zip(value)?;
        self.vet(path, "value", value.expose_secret(), Use::Header);
        let name = name.trim().to_owned();
        let at = under(path, "name");
        if !is_header_name(&name) {
            self.problem(&at, Part::Value, "`name` is not the name of a header", None);
        } else if is_taken_header(&name) {
            self.problem(&at, Part::Value, format!("the header `{name}` is set by this program"), None);
        }
        Some(Login::Header(name, value))
    }

    /// Whether there is something to log in with.
    pub(crate) fn is_sound(&mut self, path: &[Step], secret: &SecretString) -> bool {
        if !secret.expose_secret().is_empty() {
            return !self.is_unusable(path);
        }
        let message = "a password or token is empty";
        self.break_entry(path, message);
        self.push(path, Part::Value, message.to_owned(), None, Reach::Entry);
        false
    }

    /// How often something may be done: none for as often as it likes.
    pub(crate) fn limit(&mut self, path: &[Step], text: &str) -> Option<Limit> {
        if text.trim() == "none" {
            return None;
        }
        match text.parse() {
            Ok(limit) => Some(limit),
            Err(why) => {
                self.problem(path, Part::Value, format!("{} {why}", quote_input::key(last_key(path))), None);
                None
            }
        }
    }
}
