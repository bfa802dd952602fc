//! Where a message that is too long for its channel is split.

use std::ops::Range;

/// The ranges of the first `total` alerts that fit one message each, in their order. What comes after the first `most` messages is
/// left out.
///
/// Of what does not fit, nothing longer with the same beginning may fit. A single alert has a message of its own in any case.
pub(super) fn parts(total: usize, most: usize, fit: impl Fn(Range<usize>) -> bool) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    // Alerts resemble each other, so most messages hold as many as the one before, and two looks are enough for them.
    let mut count = 1;
    while start < total && parts.len() < most {
        count = largest(total - start, count, |count| fit(start..start + count));
        parts.push(start..start + count);
        start += count;
    }
    parts
}

/// The largest number from 1 to `most` that fits. It is looked for from `guess` on, up or down, in steps that double until it is
/// between two of them, and then by halves.
fn largest(most: usize, guess: usize, fit: impl Fn(usize) -> bool) -> usize {
    let guess = guess.clamp(1, most);
    let is_up = guess == 1 || fit(guess);
    // What fits, and what does not.
    let (mut low, mut high) = if is_up { (guess, most + 1) } else { (1, guess) };
    let mut step = 1;
    while high - low > 1 {
        let next = match is_up {
            true if high > most => (low + step).min(most),
            false if low == 1 && high - low > step => high - step,
            _ => low + (high - low) / 2,
        };
        match fit(next) {
            true => low = next,
            false => high = next,
        }
        step *= 2;
    }
    low
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn each_message_holds_as_many_as_fit() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..500 {
            let sizes: Vec<usize> = (0..random.usize(0..60)).map(|_| random.usize(1..40)).collect();
            let room = random.usize(1..300);
            let fit = |part: Range<usize>| sizes[part].iter().sum::<usize>() <= room;
            let parts = parts(sizes.len(), usize::MAX, fit);
            let mut end = 0;
            for part in &parts {
                assert_eq!(part.start, end);
                assert!(part.len() == 1 || fit(part.clone()), "{part:?} of {sizes:?} in {room}");
                end = part.end;
                assert!(end == sizes.len() || !fit(part.start..end + 1), "{part:?} of {sizes:?} in {room}");
            }
            assert_eq!(end, sizes.len());
        }
    }

    #[test]
    fn what_comes_after_the_most_messages_is_left_out() {
        let parts = |most| parts(10, most, |part: Range<usize>| part.len() <= 4);
        assert_eq!(parts(usize::MAX), [0..4, 4..8, 8..10]);
        assert_eq!(parts(2), [0..4, 4..8]);
    }

    #[test]
    fn alerts_that_are_alike_are_looked_at_about_twice() {
        let looked_at = Cell::new(0);
        let fit = |part: Range<usize>| {
            looked_at.set(looked_at.get() + part.len());
            part.len() <= 25
        };
        assert_eq!(parts(2000, usize::MAX, fit).len(), 80);
        assert!(looked_at.get() <= 3 * 2000, "{}", looked_at.get());
    }
}
