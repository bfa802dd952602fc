//! Why messages of a channel were not taken, and which of these reasons the report gives.

use super::queue::{Kind, Piece};
use crate::model::failure::Failure;
use crate::model::text;

/// Why messages were not taken, in the order in which that was found.
#[derive(Default)]
pub(super) struct Troubles(Vec<(Piece, Failure)>);

impl Troubles {
    /// What became of a message, for the last time that it was sent.
    pub(super) fn note(&mut self, piece: &Piece, failure: Failure) {
        match self.0.iter_mut().find(|(known, _)| known.alerts == piece.alerts) {
            Some(known) => *known = (piece.clone(), failure),
            None => self.0.push((piece.clone(), failure)),
        }
    }

    /// The reason to give: of the first message that is still owed, or of the first alert that was refused alone, where a
    /// message was told in parts. `parts` is the number of messages that all the alerts were split into.
    pub(super) fn told(self, parts: usize, alerts: usize, is_owed: impl Fn(usize) -> bool) -> Option<Failure> {
        let was_searched = self.0.iter().any(|(piece, _)| matches!(piece.kind, Kind::Half { .. } | Kind::Probe));
        let owed = (0..alerts).filter(|at| is_owed(*at)).count();
        let mut open: Vec<(Piece, Failure)> =
            self.0.into_iter().filter(|(piece, _)| piece.alerts.clone().any(&is_owed)).collect();
        let alone = open.iter().position(|(piece, _)| was_searched && piece.alerts.len() == 1);
        if open.is_empty() {
            return None;
        }
        let (piece, mut failure) = open.swap_remove(alone.unwrap_or_default());
        let which = match piece.kind {
            Kind::Part(number) if parts > 1 => {
                Some(format!("message {} of {}", number + 1, text::plural(parts, "message")))
            }
            Kind::Part(_) => None,
            _ if alerts > 1 => Some(format!("{owed} of {}", text::plural(alerts, "alert"))),
            _ => None,
        };
        if let Some(which) = which {
            failure.message = format!("{which}: {}", failure.message);
        }
        Some(failure)
    }
}
