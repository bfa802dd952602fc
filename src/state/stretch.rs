//! What a balance did between two readings of which the ones between are no longer kept.

use rust_decimal::Decimal;

/// The way of a balance from the first to the last of some readings. Two that follow each other can be joined, in any order of joining,
/// and the sums stay exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) first: Decimal,
    pub(crate) last: Decimal,
    /// The sum of the falls between them, at least zero.
    pub(crate) fell: Decimal,
    /// The sum of the rises between them, at least zero.
    pub(crate) rose: Decimal,
}

impl Stretch {
    /// One reading, or what is kept of several: the last one, and what [`Stretch::merged`] has written beside it.
    pub(crate) fn kept(balance: Decimal, merged: Option<&str>) -> Option<Stretch> {
        let Some(merged) = merged else {
            return Some(Stretch { first: balance, last: balance, fell: Decimal::ZERO, rose: Decimal::ZERO });
        };
        let mut numbers = merged.split(' ').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Stretch { first: next()?, fell: next()?, rose: next()?, last: balance })
    }

    /// Both, one after the other; none if a sum is no decimal any more.
    pub(crate) fn join(self, next: Stretch) -> Option<Stretch> {
        let step = sum(next.first, -self.last)?;
        let (fell, rose) = (sum(self.fell, next.fell)?, sum(self.rose, next.rose)?);
        Some(Stretch {
            first: self.first,
            last: next.last,
            fell: sum(fell, (-step).max(Decimal::ZERO))?,
            rose: sum(rose, step.max(Decimal::ZERO))?,
        })
    }

    /// What is kept beside the last balance.
    pub(super) fn merged(&self) -> String {
        let [first, fell, rose] = [self.first, self.fell, self.rose].map(|number| number.normalize().to_string());
        format!("{first} {fell} {rose}")
    }
}

/// One copy of the code for all sums.
#[inline(never)]
fn sum(one: Decimal, other: Decimal) -> Option<Decimal> {
    one.checked_add(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(balances: &[i64]) -> Stretch {
        let all = balances.iter().filter_map(|balance| Stretch::kept(Decimal::new(*balance, 2), None));
        all.reduce(|one, other| one.join(other).unwrap()).unwrap()
    }

    #[test]
    fn sums_do_not_depend_on_what_was_merged_first() {
        let balances = [1000, 990, 995, 0, -300, 2_000_000, 1_999_999, 7, 7, 8];
        let want = whole(&balances);
        assert_eq!(want.last - want.first, want.rose - want.fell);
        for first in 1..balances.len() {
            for second in first + 1..balances.len() {
                let parts = [&balances[..first], &balances[first..second], &balances[second..]].map(whole);
                let kept = parts.map(|part| Stretch::kept(part.last, Some(&part.merged())).unwrap());
                assert_eq!(kept, parts, "what is written is what is read");
                let [one, two, three] = kept;
                assert_eq!(one.join(two).unwrap().join(three), Some(want), "{first} {second}");
                assert_eq!(one.join(two.join(three).unwrap()), Some(want), "{first} {second}");
            }
        }
    }

    #[test]
    fn what_cannot_be_understood_is_none() {
        for merged in ["", "1", "1 2", "1 2 x", "a b c"] {
            assert_eq!(Stretch::kept(Decimal::ONE, Some(merged)), None, "{merged}");
        }
        let far = Stretch::kept(Decimal::MAX, None).unwrap();
        assert_eq!(far.join(Stretch::kept(Decimal::MIN, None).unwrap()), None);
    }
}
