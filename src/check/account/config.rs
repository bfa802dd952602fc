//! What a config says of an account.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use secrecy::SecretString;
use url::Url;

use super::page::{Page, Reader};
use crate::model::words::BalanceType;

/// An account to watch.
#[derive(Clone)]
pub struct Project {
    /// The unique name.
    pub name: String,
    /// The provider's page.
    pub page: Arc<Page>,
    /// The page's compiled expressions; none only if the entry is broken.
    pub reader: Option<Arc<Reader>>,
    /// The credential, if the provider needs one.
    pub credential: Option<SecretString>,
    /// Below it the balance is critical; none only if the entry is broken.
    pub threshold: Option<Decimal>,
    /// Below it the balance is a warning.
    pub warning_threshold: Option<Decimal>,
    /// What is counted, if the project says it.
    pub kind: Option<BalanceType>,
    /// Who the account belongs to.
    pub owner_project: Option<String>,
    /// The wanted currency.
    pub currency: Option<String>,
    /// Replaces scheme, host and path prefix of the provider's address.
    pub base_url: Option<Url>,
    /// Whether the key may travel in the clear.
    pub allow_insecure: bool,
    /// Longest time for one request.
    pub timeout: Duration,
    /// The options, with the page's defaults.
    pub options: BTreeMap<String, String>,
    /// Why it cannot be checked.
    pub broken: Option<String>,
}
