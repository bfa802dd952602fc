//! Which renewal of a subscription something is about.

/// Which renewal a mark is about ([`Alert::mark`](crate::model::alert::Alert::mark)).
pub(super) fn cycle(mark: &str) -> &str {
    mark.split('/').next().unwrap_or_default()
}
