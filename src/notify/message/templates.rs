//! What the sentences of a digest are made of.

use crate::model::alert::List;

/// The templates of one language. A word in braces stands for what is told.
pub(super) struct DigestWords {
    /// A day, a week, a month.
    pub(super) titles: [&'static str; 3],
    /// Several periods.
    pub(super) several: &'static str,
    /// The headings of lists, in the order of [`List::ALL`].
    pub(super) lists: [&'static str; List::ALL.len()],
    /// The heading of the sum of one account, and of several.
    pub(super) sums: [&'static str; 2],
    pub(super) sum: &'static str,
    /// How many more were not read.
    pub(super) unread: &'static str,
    /// The rows of lists, in the order of [`List::ALL`].
    pub(super) rows: [&'static str; List::ALL.len()],
    /// A renewal that is overdue, and one of today.
    pub(super) renewals: [&'static str; 2],
    /// What cannot be read, nobody knows since when.
    pub(super) never_read: &'static str,
    /// What a list comes to.
    pub(super) total: &'static str,
    /// How many more rows there are.
    pub(super) more: &'static str,
}
