//! How strongly something speaks for what is said of it.

use serde::{Deserialize, Serialize};

/// From 0, nothing speaks for it, to 1, no doubt is left; in hundredths, so that what is shown is what is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strength(u8);

impl Strength {
    /// Nothing speaks for it.
    pub const NONE: Strength = Strength(0);
    /// No doubt is left.
    pub const FULL: Strength = Strength(100);

    /// So many hundredths; at most 100 of them.
    pub const fn of_hundredths(hundredths: u8) -> Strength {
        if hundredths > 100 { Strength::FULL } else { Strength(hundredths) }
    }

    /// The nearest strength to a number. What is below 0 or no number is 0, and what is above 1 is 1.
    pub fn of(number: f64) -> Strength {
        Strength((number.clamp(0.0, 1.0) * 100.0).round() as u8)
    }

    /// As a number from 0 to 1.
    pub fn number(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl std::fmt::Display for Strength {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{:.2}", self.number())
    }
}

impl Serialize for Strength {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.number())
    }
}

impl<'de> Deserialize<'de> for Strength {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Strength, D::Error> {
        f64::deserialize(deserializer).map(Strength::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_strength_and_every_strength_its_number() {
        for (number, want) in [
            (0.0, 0),
            (0.494, 49),
            (0.495, 50),
            (0.994, 99),
            (1.0, 100),
            (-3.0, 0),
            (7.0, 100),
            (f64::INFINITY, 100),
            (f64::NEG_INFINITY, 0),
            (f64::NAN, 0),
        ] {
            assert_eq!(Strength::of(number), Strength::of_hundredths(want), "{number}");
        }
        for hundredths in 0..=100 {
            let strength = Strength::of_hundredths(hundredths);
            let text = serde_json::to_string(&strength).unwrap();
            assert_eq!(serde_json::from_str::<Strength>(&text).unwrap(), strength, "{text}");
            assert_eq!(strength.to_string().parse::<f64>().unwrap(), strength.number());
        }
    }
}
