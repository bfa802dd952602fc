//! What is wrong with a config, in words a person can act on.

use std::fmt;

use super::path::Position;

/// Most problems that are listed; a file with more is hardly a config.
pub(crate) const MOST_PROBLEMS: usize = 200;

/// How far a problem reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Nothing can run: exit 78.
    Whole,
    /// Only this entry cannot be used; the others run.
    Entry,
    /// Only what needs the variable of this line of `.env` cannot be used.
    Line,
}

/// One problem of a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The file as the user named it.
    pub file: String,
    /// Line and column, from 1, where they are known.
    pub position: Option<Position>,
    /// Where in the config: `projects[3]` with the entry's name.
    pub place: Option<String>,
    /// What is wrong, in lower case without a full stop.
    pub message: String,
    /// What to do, where a rule knows it.
    pub hint: Option<String>,
    /// How far it reaches.
    pub reach: Reach,
}

impl fmt::Display for Problem {
    /// `config.yaml:12:7: projects[3]: unknown field ...`, the hint on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        if let Some(place) = &self.place {
            write!(f, ": {place}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n hint: {hint}")?;
        }
        Ok(())
    }
}
