//! What a config says of metrics.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::wire::auth::Login;

/// What Prometheus sees of a run.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// What goes before every name: empty, or ending in an underscore.
    pub prefix: String,
    /// A Pushgateway.
    pub gateway: Option<Gateway>,
    /// A file for the textfile collector of node_exporter, or why it cannot be written.
    pub textfile: Option<Result<PathBuf, String>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics { prefix: "balance_alert_".to_owned(), gateway: None, textfile: None }
    }
}

/// A Pushgateway, and the group that a run replaces there.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its address; none only if it is broken.
    pub url: Option<Url>,
    /// The job of the group.
    pub job: String,
    /// More labels of the group.
    pub grouping: BTreeMap<String, String>,
    /// Who pushes.
    pub login: Option<Login>,
    /// What the body is signed with.
    pub secret: Option<SecretString>,
    /// Whether what proves who pushes may travel in the clear.
    pub allow_insecure: bool,
    /// Longest time for the push.
    pub timeout: Duration,
    /// Why nothing can be pushed.
    pub broken: Option<String>,
}
