//! Signatures of messages, as pure functions of the message, the secret and the clock: one file for each scheme.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

/// Declares the schemes: what a page calls each of them, and the file whose `sign` changes the request.
macro_rules! schemes {
    ($($(#[doc = $what:literal])+ $name:ident = $file:ident;)+) => {
        $(mod $file;)+

        /// The signatures that are code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema), schemars(rename = "ChannelSignature"))]
        #[serde(rename_all = "kebab-case")]
        pub(crate) enum SignScheme {
            /// Headers with the time, and with HMAC-SHA256 over the time and the body; as `docs/security.md` describes them.
            Body,
            $($(#[doc = $what])+ $name,)+
        }

        impl SignScheme {
            /// Signs a request for this moment. The headers of [`SignScheme::Body`] are made where the message is sent, because
            /// no two of them may have the same time.
            pub(super) fn sign(self, request: &mut Unsigned, secret: &str, now: Timestamp) {
                match self {
                    SignScheme::Body => {}
                    $(SignScheme::$name => $file::sign(request, secret, now),)+
                }
            }
        }
    };
}

schemes! {
    /// Feishu and Lark: the keys `timestamp` and `sign` in the body.
    Feishu = feishu;
    /// DingTalk: `timestamp` and `sign` in the query.
    Dingtalk = dingtalk;
}

/// A request that is to be signed.
pub(super) struct Unsigned<'a> {
    pub url: &'a mut Url,
    pub body: &'a mut String,
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
