//! A schedule of runs that has fallen silent, or runs again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::facts::{Facts, Figure, OutsideText};
use super::{Event, Level};

/// Runs of another schedule, or of another shard, that do not come any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Silent {
    /// When the last one began.
    pub last: Timestamp,
    /// Seconds between two runs while all was well, at the most; none if that cannot be said any more.
    pub usual: Option<u64>,
}

impl Facts for Silent {
    fn in_a_few_words(&self, event: Event, _: Level) -> String {
        match event {
            Event::Raised => format!("has not run since {}", self.last.strftime("%Y-%m-%d %H:%M UTC")),
            Event::Resolved => "runs again".to_owned(),
        }
    }

    fn figure(&self) -> Figure<'_> {
        Figure::Word(self.last.strftime("%Y-%m-%d %H:%M UTC").to_string())
    }

    fn outside_texts(&mut self) -> Vec<OutsideText<'_>> {
        Vec::new()
    }
}
