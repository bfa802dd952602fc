//! What is known of the commands that tell the secrets of a config.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use secrecy::SecretString;

use super::path::NodePath;
use super::scalar::{Lenient, Text};
use crate::process::command::Variables;

/// The words of a command.
pub(crate) type Words = Vec<String>;

/// What commands have told, or why they have not.
pub(crate) type Answers = BTreeMap<Words, Result<SecretString, String>>;

/// The commands of a config that tell secrets.
#[derive(Default)]
pub(crate) struct SecretCommands {
    /// Those that are written, by the fields whose values they tell, as far as nobody has asked for them.
    pub(super) written: BTreeMap<NodePath, Vec<Lenient<Text>>>,
    /// Those that are needed and have not been asked, with the fields.
    pub needed: BTreeSet<(NodePath, Words)>,
    /// What is known.
    pub answers: Answers,
    /// The variables that commands see beside those that every program needs.
    pub variables: Arc<Variables>,
}
