//! What names a check across runs.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Names one check across runs: a hash of what it is about, never of a value that drifts.
///
/// 63 bits, so that every store can hold it as a key; two of 10 000 checks meet with a chance of 1 in 10^11.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Identity(pub i64);

impl Identity {
    /// The identity of a check: what kind, its name, and what says which account it is, without the credential. So a key that
    /// is rotated leaves it, and two configs that share a store do not take each other's accounts for their own.
    pub(crate) fn of(category: &str, name: &str, account: &[&str]) -> Identity {
        let digest = Sha256::digest(format!("{category}\0{name}\0{}", account.join("\0")));
        let bytes = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        Identity((bytes >> 1) as i64)
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
