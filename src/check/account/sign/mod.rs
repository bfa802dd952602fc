//! Request signing, as pure functions of the request, the access key, the clock and a nonce: one file for each scheme.

use std::collections::BTreeMap;

use jiff::Timestamp;
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};

use crate::model::text::UNRESERVED;
use crate::wire::hash::sha256;

/// Declares the schemes: what a page calls each of them, and the file whose `sign` gives the headers to add.
macro_rules! schemes {
    (@options) => { &[] };
    (@options $options:expr) => { &$options };
    ($($(#[doc = $what:literal])+ $name:ident = $file:ident $(, $options:expr)?;)+) => {
        $(mod $file;)+

        /// The signing schemes that are code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case")]
        pub(crate) enum SignScheme {
            $($(#[doc = $what])+ $name,)+
        }

        impl SignScheme {
            /// What to add to a request.
            pub(super) fn sign(self, request: &Unsigned) -> Signed {
                match self {
                    $(SignScheme::$name => $file::sign(request).into(),)+
                }
            }

            /// The options of a page that stand in what is signed.
            pub(super) fn options(self) -> &'static [&'static str] {
                match self {
                    $(SignScheme::$name => schemes!(@options $($options)?),)+
                }
            }
        }
    };
}

schemes! {
    /// Volcengine `HMAC-SHA256`; `options.region` and `options.service` are its scope.
    VolcHmacSha256 = volc, ["region", "service"];
    /// Alibaba Cloud `ACS3-HMAC-SHA256`; `Action` and `Version` stand in the page's headers.
    AliyunAcs3 = aliyun;
    /// Tencent Cloud `TC3-HMAC-SHA256`; `options.service` is its scope, `X-TC-Action` and `X-TC-Version` stand in the page's headers.
    TencentTc3 = tencent, ["service"];
    /// Huawei Cloud `SDK-HMAC-SHA256`.
    HuaweiSdkHmac = huawei;
    /// Amazon's `AWS4-HMAC-SHA256` (Signature Version 4); `options.region` and `options.service` are its scope. All headers of the page
    /// are signed, so that of a temporary key the page has the token as `X-Amz-Security-Token`.
    AwsV4 = aws, ["region", "service"];
    /// OVHcloud `$1$`; the page has `X-Ovh-Application` and `X-Ovh-Consumer`, and may have an `X-Ovh-Timestamp` that it took from the
    /// service. A request without a consumer is not signed.
    OvhV1 = ovh;
    /// Baidu AI Cloud `bce-auth-v1`.
    BceAuthV1 = baidu;
    /// Qiniu's signature of whole requests (`Authorization: Qiniu`); headers of the page that begin with `X-Qiniu-` are signed too.
    Qiniu = qiniu;
    /// Qiniu's older signature of the address and of a form (`Authorization: QBox`).
    Qbox = qbox;
    /// UCloud's SHA-1 of all parameters of the query, to which `Signature` is added; the page has `PublicKey` among them.
    UcloudSha1 = ucloud;
    /// JD Cloud `JDCLOUD2-HMAC-SHA256`; `options.region` and `options.service` are its scope. All headers of the page are signed.
    Jdcloud2 = jdcloud, ["region", "service"];
}

impl SignScheme {
    /// The parts of a credential that it signs with.
    pub(super) fn parts(self) -> &'static [&'static str] {
        match self {
            // The page sends its other parts as they are.
            SignScheme::OvhV1 | SignScheme::UcloudSha1 => &["secret"],
            _ => &["id", "secret"],
        }
    }
}

/// What a signature adds to a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Signed {
    /// Headers, with lower-case names.
    pub headers: BTreeMap<String, String>,
    /// Parameters of the query.
    pub query: Vec<(String, String)>,
}

impl From<BTreeMap<String, String>> for Signed {
    fn from(headers: BTreeMap<String, String>) -> Signed {
        Signed { headers, query: Vec::new() }
    }
}

/// A request that is to be signed.
pub(super) struct Unsigned<'a> {
    pub method: &'static str,
    pub host: String,
    /// The whole address, as it is asked.
    pub url: &'a str,
    pub path: &'a str,
    pub query: &'a [(String, String)],
    pub body: &'a str,
    /// The headers of the page, with lower-case names.
    pub headers: &'a BTreeMap<String, String>,
    /// The options of the account, defaults included.
    pub options: &'a BTreeMap<String, String>,
    pub pair: Pair<'a>,
    /// A text that no other request has.
    pub nonce: String,
    pub now: Timestamp,
}

impl Unsigned<'_> {
    /// An option of the account; empty if it has none of this name.
    fn option(&self, name: &str) -> &str {
        self.options.get(name).map_or("", String::as_str)
    }

    /// A header of the page; none if it has none of this name, or an empty one.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

/// An access key.
pub(super) struct Pair<'a> {
    pub id: &'a str,
    pub secret: &'a str,
}

/// The query as the services canonicalise it: sorted, RFC 3986 encoded.
pub(super) fn canonical_query(query: &[(String, String)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    let mut pairs: Vec<(String, String)> = query.iter().map(|(k, v)| (encode(k), encode(v))).collect();
    pairs.sort();
    pairs.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("&")
}

/// The canonical request for a path and the names of its signed headers.
fn canonical(request: &Unsigned, path: &str, signed: &BTreeMap<String, String>) -> (String, String) {
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let names = signed.keys().map(String::as_str).collect::<Vec<_>>().join(";");
    let text = format!(
        "{}\n{}\n{}\n{lines}\n{names}\n{}",
        request.method,
        path,
        canonical_query(request.query),
        sha256(request.body)
    );
    (text, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_is_rfc_3986() {
        let query = [("k".to_owned(), "a b+c*d~e/f=g&h%i中".to_owned())];
        assert_eq!(canonical_query(&query), "k=a%20b%2Bc%2Ad~e%2Ff%3Dg%26h%25i%E4%B8%AD");
    }
}
