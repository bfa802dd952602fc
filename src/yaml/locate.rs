//! Finds the line and column of a node: it deserializes down to it and fails there, because the parser gives positions only for
//! errors.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::path::{Part, Step};

/// Reads down to a node and fails there, so that the error carries the node's position.
pub(super) struct Locate<'p> {
    pub rest: &'p [Step],
    pub part: Part,
}

const FOUND: &str = "here";

impl<'de> DeserializeSeed<'de> for Locate<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Locate<'_> {
    type Value = ();

    /// Scalars and anything unforeseen fall through to serde's own error, which carries the position as well.
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(FOUND)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        if let Some((Step::Index(index), rest)) = self.rest.split_first() {
            for _ in 0..*index {
                if access.next_element::<IgnoredAny>()?.is_none() {
                    break;
                }
            }
            access.next_element_seed(Locate { rest, part: self.part })?;
        }
        Err(de::Error::custom(FOUND))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        if let Some((Step::Key(wanted), rest)) = self.rest.split_first() {
            let mut occurrence = 0;
            let stop_at = match self.part {
                Part::Key(n) if rest.is_empty() => Some(n),
                _ => None,
            };
            let matches = |occurrence| FindKey { wanted, stop: stop_at == Some(occurrence) };
            while let Some(found) = access.next_key_seed(matches(occurrence))? {
                if found && stop_at.is_none() {
                    access.next_value_seed(Locate { rest, part: self.part })?;
                } else {
                    occurrence += usize::from(found);
                    access.next_value::<IgnoredAny>()?;
                }
            }
        }
        Err(de::Error::custom(FOUND))
    }
}

/// Says whether a key is the wanted one, or fails on it if the search ends there.
struct FindKey<'p> {
    wanted: &'p str,
    stop: bool,
}

impl<'de> DeserializeSeed<'de> for FindKey<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FindKey<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<bool, E> {
        let found = key == self.wanted;
        if found && self.stop { Err(E::custom(FOUND)) } else { Ok(found) }
    }
}
