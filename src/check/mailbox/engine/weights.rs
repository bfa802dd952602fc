//! The weights of signs, as the file that is learnt holds them: by the numbers of the signs and without their names, which a mail
//! that has a sign spells itself.

/// The weights: what they were learnt from (8 bytes), slope and shift (4 bytes each), where each bucket begins (2 bytes each, and
/// the end), the rest of the number of each sign in the order of their buckets (4 bytes each), and its weight in hundredths (2
/// bytes each). Little-endian, as `LEARN=1 cargo bench --bench mails` writes it.
const WEIGHTS: &[u8] = include_bytes!("weights.bin");

/// The upper bits of a sign's number are its bucket, the lower 32 its rest. Of signs that no mail that was learnt from has, one in
/// half a billion is taken for one that has a weight.
pub const BUCKET_BITS: u32 = 13;
/// Where the slope stands.
const SLOPE: usize = 8;
/// Where the buckets stand.
const OFFSETS: usize = 16;
/// Where the rests stand.
const RESTS: usize = OFFSETS + 2 * ((1 << BUCKET_BITS) + 1);

/// The weights of all signs.
pub(super) struct Weights {
    offsets: &'static [[u8; 2]],
    rests: &'static [[u8; 4]],
    values: &'static [[u8; 2]],
    /// What the sum is multiplied by and what is added, so that the logistic function of it is a probability.
    pub(super) slope: f32,
    pub(super) shift: f32,
}

impl Weights {
    pub(super) fn get() -> Weights {
        let count = (WEIGHTS.len() - RESTS) / 6;
        let (rests, values) = WEIGHTS[RESTS..].split_at(4 * count);
        let float = |at: usize| WEIGHTS[at..at + 4].as_chunks().0.first().map_or(0.0, |four| f32::from_le_bytes(*four));
        Weights {
            offsets: WEIGHTS[OFFSETS..RESTS].as_chunks().0,
            rests: rests.as_chunks().0,
            values: values.as_chunks().0,
            slope: float(SLOPE),
            shift: float(SLOPE + 4),
        }
    }

    /// How many signs have one.
    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    /// The place and the weight of the sign with this number, if it has one.
    pub(super) fn find(&self, number: u64) -> Option<(u32, f32)> {
        let bucket = (number >> (u64::BITS - BUCKET_BITS)) as usize;
        let from = usize::from(u16::from_le_bytes(self.offsets[bucket]));
        let until = usize::from(u16::from_le_bytes(self.offsets[bucket + 1]));
        let rest = number as u32;
        // Most signs of a mail have no weight, and are looked for in vain: a plain loop, which is not called for each step.
        for (at, own) in self.rests[from..until].iter().enumerate() {
            if u32::from_le_bytes(*own) == rest {
                let place = from + at;
                return Some((place as u32, f32::from(i16::from_le_bytes(self.values[place])) / 100.0));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weight_is_found_by_its_number() {
        let weights = Weights::get();
        assert!(weights.rests.len() > 10_000 && weights.rests.len() == weights.values.len());
        assert!(weights.slope > 0.0 && weights.shift.is_finite());
        let mut seen = 0;
        for bucket in 0..1_u64 << BUCKET_BITS {
            let [from, until] = [bucket, bucket + 1].map(|at| u16::from_le_bytes(weights.offsets[at as usize]));
            for at in from..until {
                let rest = u32::from_le_bytes(weights.rests[usize::from(at)]);
                let number = bucket << (u64::BITS - BUCKET_BITS) | u64::from(rest);
                assert_eq!(
                    weights.find(number).map(|(place, _)| place),
                    Some(u32::from(at)),
                    "two signs have one number"
                );
                seen += 1;
            }
        }
        assert_eq!(seen, weights.rests.len());
        assert_eq!(weights.find(0x1234_5678_9abc_def0), None);
    }
}
