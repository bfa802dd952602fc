//! What surrounds the process and decides how it reaches the network: proxies and trusted authorities.
//!
//! Libraries would read these from the process environment on their own, each in its own way and without `.env`. Here they are
//! values, made once by `Environment::surroundings` and handed to the clients.

use std::path::PathBuf;

/// Proxies and trusted authorities, as the variables say; none is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// `HTTPS_PROXY`: the proxy for https addresses. It may hold a password.
    pub https_proxy: Option<String>,
    /// `HTTP_PROXY`: the proxy for http addresses.
    pub http_proxy: Option<String>,
    /// `ALL_PROXY`: the proxy for addresses that have none of their own.
    pub all_proxy: Option<String>,
    /// `NO_PROXY`: the hosts that are asked directly.
    pub no_proxy: Option<String>,
    /// `SSL_CERT_FILE`: a file of certificate authorities to trust as well.
    pub ssl_cert_file: Option<PathBuf>,
    /// `SSL_CERT_DIR`: a directory of certificate authorities to trust as well.
    pub ssl_cert_dir: Option<PathBuf>,
    /// Those of the two that stand in `.env`: OpenSSL reads the others on its own, and of these it does not hear.
    pub more_authorities: Vec<PathBuf>,
    /// `OPENSSL_CONF`, if OpenSSL does not hear of it, because it names something that never ends.
    pub openssl_conf: Option<PathBuf>,
}
