//! How urgent a row is, and its colour.

use anstyle::{AnsiColor, Style};

use crate::decide::Status;

/// How urgent a row is, for its colour or sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Something must be done now.
    Bad,
    /// The state is not known.
    Unknown,
    /// Something must be done soon.
    Soon,
    /// All is well.
    Good,
}

impl From<Status> for Tone {
    fn from(status: Status) -> Tone {
        match status {
            Status::Low => Tone::Bad,
            Status::Failed => Tone::Unknown,
            Status::Warning => Tone::Soon,
            Status::Ok | Status::Unlimited => Tone::Good,
        }
    }
}

/// The colour of a row's first cell at a terminal.
pub(super) fn colour(tone: Tone) -> Style {
    let style = Style::new();
    match tone {
        Tone::Bad => style.fg_color(Some(AnsiColor::Red.into())).bold(),
        Tone::Unknown => style.fg_color(Some(AnsiColor::Magenta.into())),
        Tone::Soon => style.fg_color(Some(AnsiColor::Yellow.into())),
        Tone::Good => style.fg_color(Some(AnsiColor::Green.into())),
    }
}
