//! How a request proves who sends it and that nobody changed it: the `Authorization` header, JSON Web Tokens, and the
//! signature over a body.
//!
//! Not here: the robots' own signatures (`notify/channel`), and those of providers (`check/account/sign`).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{self, Signer};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::model::failure::{Failure, Reason};
use crate::wire::hash::hmac_sha256;

/// Carries the signature over a body: `sha256=` and 64 hexadecimal digits.
pub(crate) const SIGNATURE: &str = "X-Balance-Alert-Signature";
/// Carries the time of the signature, in seconds since 1970; part of what is signed.
pub(crate) const TIMESTAMP: &str = "X-Balance-Alert-Timestamp";

/// How a request proves who sends it.
#[derive(Clone, Debug)]
pub(crate) enum Login {
    /// User and password (RFC 7617).
    Basic(String, SecretString),
    /// A bearer token (RFC 6750).
    Bearer(SecretString),
    /// A bearer token that is made for each request (RFC 7519).
    Jwt(Jwt),
    /// A header of the receiver's own, with its value.
    Header(String, SecretString),
}

/// What makes a JSON Web Token, signed with HS256 (RFC 7518 section 3.2).
#[derive(Clone, Debug)]
pub(crate) struct Jwt {
    /// What both sides know.
    pub secret: SecretString,
    /// How long a token is good for, from when it is made.
    pub expires: Duration,
    /// Who makes it.
    pub issuer: Option<String>,
    /// Whom it is for.
    pub audience: Option<String>,
}

/// The registered claims of RFC 7519 section 4.1; times are seconds since 1970.
#[derive(Serialize)]
struct Claims<'a> {
    sub: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    iat: i64,
    exp: i64,
    /// Names this token, so that a receiver can refuse a second use.
    jti: String,
}

/// A header of a request: its name and its value.
pub(crate) type Pair = (String, SecretString);

impl Login {
    /// The header that proves it.
    ///
    /// # Errors
    /// `internal`, if no token can be made.
    fn header(&self, now: Timestamp) -> Result<Pair, Failure> {
        let authorization = |scheme: &str, what: &str| ("Authorization".to_owned(), format!("{scheme} {what}").into());
        Ok(match self {
            Login::Basic(user, password) => authorization("Basic", &basic(user, password.expose_secret())),
            Login::Bearer(token) => authorization("Bearer", token.expose_secret()),
            Login::Jwt(jwt) => authorization("Bearer", &jwt.token(now)?),
            Login::Header(name, value) => (name.clone(), value.clone()),
        })
    }

    /// The secret in it.
    pub(crate) fn secret(&self) -> &SecretString {
        match self {
            Login::Basic(_, secret) | Login::Bearer(secret) | Login::Header(_, secret) => secret,
            Login::Jwt(jwt) => &jwt.secret,
        }
    }
}

/// All headers that prove who sends a body, and that nobody changed it. A token is made `now`: a receiver refuses one of the
/// future. The body is `signed_at` a time that no earlier signature has, which may lie a few seconds ahead.
///
/// # Errors
/// `internal`, if no token can be made.
pub(crate) fn proof(
    login: Option<&Login>,
    secret: Option<&SecretString>,
    body: &str,
    now: Timestamp,
    signed_at: Timestamp,
) -> Result<Vec<Pair>, Failure> {
    let login = login.map(|login| login.header(now)).transpose()?;
    Ok(login.into_iter().chain(secret.into_iter().flat_map(|secret| sign(secret, body, signed_at))).collect())
}

/// User and password as they travel (RFC 7617); a secret like the password itself.
pub(crate) fn basic(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

impl Jwt {
    /// A token that is good from now on.
    ///
    /// # Errors
    /// `internal`, if it cannot be made.
    fn token(&self, now: Timestamp) -> Result<String, Failure> {
        // It may be there from an earlier token; there is only this one.
        let _ = HMAC_ONLY.install_default();
        let iat = now.as_second();
        let claims = Claims {
            sub: "balance-alert",
            iss: self.issuer.as_deref(),
            aud: self.audience.as_deref(),
            iat,
            exp: iat.saturating_add(i64::try_from(self.expires.as_secs()).unwrap_or(i64::MAX)),
            jti: format!("{:032x}", fastrand::u128(..)),
        };
        let key = EncodingKey::from_secret(self.secret.expose_secret().as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
            .map_err(|error| Failure::new(Reason::Internal, format!("no token could be made: {error}")))
    }
}

/// HS256 by the HMAC that is here anyway, and nothing else.
static HMAC_ONLY: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hs256(key.as_bytes().to_vec().into()))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(secrecy::SecretSlice<u8>);

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(hmac_sha256(self.0.expose_secret(), message).to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

/// The headers that let a receiver see that a body is ours, unchanged and not sent a second time: HMAC-SHA256, keyed with
/// the secret, over the time, a full stop and the raw body.
fn sign(secret: &SecretString, body: &str, now: Timestamp) -> [Pair; 2] {
    let time = now.as_second().to_string();
    let mac = hmac_sha256(secret.expose_secret().as_bytes(), format!("{time}.{body}").as_bytes());
    let digits: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    [(TIMESTAMP.to_owned(), time.into()), (SIGNATURE.to_owned(), format!("sha256={digits}").into())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_token_holds_its_claims_and_a_signature_that_another_implementation_accepts() {
        let secret = "0123456789abcdef0123456789abcdef";
        let jwt = Jwt {
            secret: secret.into(),
            expires: Duration::from_secs(86_400),
            issuer: Some("balance-alert".into()),
            audience: None,
        };
        let token = jwt.token(at(1_800_000_000)).unwrap();
        let (signed, mac) = token.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let json = |part: &str| -> serde_json::Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(json(header), serde_json::json!({"typ": "JWT", "alg": "HS256"}));
        let claims = json(claims);
        assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(1_800_000_000), Some(1_800_086_400)));
        assert_eq!((claims["iss"].as_str(), claims.get("aud")), (Some("balance-alert"), None));
        let key = openssl::pkey::PKey::hmac(secret.as_bytes()).unwrap();
        let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &key).unwrap();
        let want = signer.sign_oneshot_to_vec(signed.as_bytes()).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(mac).unwrap(), want);
        assert_ne!(token, jwt.token(at(1_800_000_000)).unwrap(), "no two tokens are the same");
    }

    #[test]
    fn a_signature_is_over_the_time_and_the_body() {
        let value = |body: &str, second: i64| {
            let [(_, time), (name, value)] = sign(&"secret".into(), body, at(second));
            assert_eq!((time.expose_secret(), name.as_str()), (second.to_string().as_str(), SIGNATURE));
            value.expose_secret().to_owned()
        };
        // printf '1800000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        let want = "sha256=440dfbb83aabca24d9e5027629cfd81cb45254690f8d410bb28f1cc17c990dbc";
        assert_eq!(value(r#"{"a":1}"#, 1_800_000_000), want);
        assert_ne!(value(r#"{"a":2}"#, 1_800_000_000), want);
        assert_ne!(value(r#"{"a":1}"#, 1_800_000_001), want);
    }
}
