//! Which part of all checks a run is about, where several runs share them.

use std::fmt;
use std::str::FromStr;

use crate::model::identity::Identity;

/// Most shards.
const MOST: u32 = 10_000;

/// The I-th of N parts, counted from 0 like the index of a Kubernetes Job.
///
/// Every check is in exactly one of the N, and few move when N changes (rendezvous hashing).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// The part with this index, counted from 0.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub(crate) fn new(index: u32, count: u32) -> Result<Shard, String> {
        match count {
            0 => Err("there must be at least one shard".to_owned()),
            1..=MOST if index < count => Ok(Shard { index, count }),
            1..=MOST => Err(format!("shards count from 0, so the last one is {}/{count}", count - 1)),
            _ => Err(format!("there can be at most {MOST} shards")),
        }
    }

    /// The index, from 0.
    pub(crate) fn index(self) -> u32 {
        self.index
    }

    /// The number of parts.
    pub(crate) fn count(self) -> u32 {
        self.count
    }

    /// All parts of as many.
    pub(crate) fn siblings(self) -> impl Iterator<Item = Shard> {
        (0..self.count).map(move |index| Shard { index, ..self })
    }

    /// Whether a check belongs to this part: no other part scores higher for it.
    pub(crate) fn has(self, check: Identity) -> bool {
        let best = (0..self.count).max_by_key(|index| (score(check, *index), *index));
        best == Some(self.index)
    }
}

/// How much a part wants a check: any number that depends on both, the same on every machine and in every version.
fn score(check: Identity, index: u32) -> u64 {
    // The finalizer of SplitMix64 (Steele, Lea, Flood 2014), over the check's hash and the part's.
    let mix = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    mix(check.0.cast_unsigned() ^ mix(u64::from(index).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    /// # Errors
    /// What is wrong with it.
    fn from_str(text: &str) -> Result<Shard, String> {
        let number = |part: &str| part.trim().parse::<u32>().ok();
        let parts = text.split_once('/').and_then(|(index, count)| number(index).zip(number(count)));
        let (index, count) = parts.ok_or_else(|| "not a shard such as 0/4, nor `auto`".to_owned())?;
        Shard::new(index, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> Vec<Identity> {
        (0..1000).map(|n| Identity::of("project", &format!("account-{n}"), &["uniapi"])).collect()
    }

    fn home(check: Identity, count: u32) -> u32 {
        let homes: Vec<u32> = (0..count).filter(|index| Shard::new(*index, count).unwrap().has(check)).collect();
        assert_eq!(homes.len(), 1, "a check has one home: {check} {homes:?}");
        homes[0]
    }

    #[test]
    fn every_check_is_in_exactly_one_shard_and_they_are_about_as_large() {
        for count in [1, 2, 3, 4, 7, 16] {
            let mut sizes = vec![0_usize; count as usize];
            for check in checks() {
                sizes[home(check, count) as usize] += 1;
            }
            let fair = 1000 / count as usize;
            let spread = 5 * (fair as f64).sqrt() as usize;
            assert!(sizes.iter().all(|size| size.abs_diff(fair) <= spread), "{count}: {sizes:?}");
        }
    }

    #[test]
    fn a_further_shard_takes_its_own_part_and_moves_nothing_else() {
        for count in [1, 2, 4, 9] {
            let mut moved = 0;
            for check in checks() {
                let (before, after) = (home(check, count), home(check, count + 1));
                if before != after {
                    assert_eq!(after, count, "it moves to the new shard");
                    moved += 1;
                }
            }
            let fair = 1000 / (count as usize + 1);
            assert!(moved <= fair + 5 * (fair as f64).sqrt() as usize, "{count}: {moved}");
        }
    }

    #[test]
    fn shards_are_written_from_0() {
        for text in ["0/1", "3/4", " 2 / 7 "] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text.replace(' ', ""));
        }
        for (text, word) in [
            ("4/4", "the last one is 3/4"),
            ("0/0", "at least one"),
            ("0/10001", "at most 10000"),
            ("", "not a shard"),
            ("1", "not a shard"),
            ("-1/4", "not a shard"),
            ("a/b", "not a shard"),
            ("1/2/3", "not a shard"),
        ] {
            assert!(text.parse::<Shard>().unwrap_err().contains(word), "{text}");
        }
    }

    #[test]
    fn homes_never_change() {
        // Another version, or another machine, must not move a check.
        let homes: Vec<u32> = checks().into_iter().take(12).map(|check| home(check, 4)).collect();
        assert_eq!(homes, [2, 2, 2, 1, 1, 0, 0, 3, 1, 1, 0, 0]);
    }
}
