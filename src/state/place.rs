//! Where runs keep what they remember.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// Where runs keep what they remember, and for how long.
#[derive(Clone, Debug)]
pub struct State {
    /// The place, or why it cannot be used.
    pub place: Result<Place, String>,
    /// How long samples and sent alerts are kept.
    pub retention: Duration,
    /// Whether the password of a database may travel in the clear.
    pub allow_insecure: bool,
}

/// A place for what runs remember.
#[derive(Clone, Debug)]
pub enum Place {
    /// Nowhere, as was asked for.
    Nowhere,
    /// A file.
    File(PathBuf),
    /// A PostgreSQL database; its address holds a password.
    Postgres(SecretString),
}
