//! Where a message that is too long for its channel is split.

use std::ops::Range;

/// The ranges of the first `total` alerts that fit one message each, in their order.
pub(super) fn parts(total: usize, fit: impl Fn(Range<usize>) -> bool) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < total {
        let fits = |end: &usize| fit(start..*end);
        let mut end = start + 1;
        // Doubling, then closing in: a message is rendered a logarithmic number of times.
        let mut step = 1;
        while end < total && fits(&(end + step).min(total)) {
            end = (end + step).min(total);
            step *= 2;
        }
        while step > 1 {
            step /= 2;
            if end + step <= total && fits(&(end + step)) {
                end += step;
            }
        }
        parts.push(start..end);
        start = end;
    }
    parts
}
