//! The tree of a text: comment keys are left out, duplicate keys are noted, merge keys are resolved, and the size of it all is
//! bounded while it is made.

#![allow(clippy::disallowed_types, reason = "this is where text becomes a tree with places")]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Mapping, Number, Value};

use super::key::{Key, TAGGED};
use super::path::{NodePath, Step};
use super::problem::MOST_PROBLEMS;
use super::size::{MOST_DEPTH, MOST_VALUES, TOO_DEEP, TOO_MANY};

/// Most bytes of text in a tree, in which each alias is replaced by what it stands for.
const MOST_TEXT: usize = 64 * 1024 * 1024;

pub(super) const TOO_LONG: &str = "its aliases (`*name`) make more than 64 MiB of it";
pub(super) const NO_MAPPING: &str = "a merge key (`<<`) must name a mapping, or a list of mappings";

/// A key that stands twice in one mapping.
#[derive(Debug)]
pub(crate) struct Duplicate {
    pub path: NodePath,
    pub occurrence: usize,
}

/// Reads a text that is small enough to be parsed.
pub(super) fn build(text: &str) -> Result<(Value, Vec<Duplicate>), serde_yaml::Error> {
    let notes = Notes::default();
    let root = Tree { notes: &notes, depth: 0 }.deserialize(serde_yaml::Deserializer::from_str(text))?;
    Ok((root, notes.duplicates.into_inner()))
}

/// What is noted while the tree is built.
#[derive(Default)]
struct Notes {
    path: RefCell<NodePath>,
    duplicates: RefCell<Vec<Duplicate>>,
    values: Cell<usize>,
    text: Cell<usize>,
}
/// Builds the tree, drops comment keys and notes duplicate ones.
#[derive(Clone, Copy)]
struct Tree<'a> {
    notes: &'a Notes,
    depth: usize,
}

impl Tree<'_> {
    /// Counts a value and so many bytes of text.
    fn count<E: de::Error>(&self, text: usize) -> Result<(), E> {
        let Notes { values, text: sum, .. } = self.notes;
        values.set(values.get() + 1);
        sum.set(sum.get().saturating_add(text));
        match () {
            () if values.get() > MOST_VALUES => Err(E::custom(TOO_MANY)),
            () if sum.get() > MOST_TEXT => Err(E::custom(TOO_LONG)),
            () => Ok(()),
        }
    }

    /// The same for what stands in this value.
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        self.count(0)?;
        if self.depth == MOST_DEPTH { Err(E::custom(TOO_DEEP)) } else { Ok(Tree { depth: self.depth + 1, ..self }) }
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        self.count(0).map(|()| Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        self.count(0).map(|()| Value::Number(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        self.count(0).map(|()| Value::Number(value.into()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        self.count(0).map(|()| Value::String(value.to_string()))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        self.count(0).map(|()| Value::String(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        self.count(0).map(|()| Value::Number(Number::from(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        self.count(value.len()).map(|()| Value::String(value.to_owned()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        self.count(0).map(|()| Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let path = &self.notes.path;
        let mut items = Vec::new();
        loop {
            path.borrow_mut().push(Step::Index(items.len()));
            let item = access.next_element_seed(deeper)?;
            path.borrow_mut().pop();
            match item {
                Some(item) => items.push(item),
                None => return Ok(Value::Sequence(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let path = &self.notes.path;
        let mut map = Mapping::new();
        let mut repeated: HashMap<String, usize> = HashMap::new();
        while let Some(key) = access.next_key_seed(Key)? {
            if key.starts_with('_') {
                access.next_value::<IgnoredAny>()?;
                continue;
            }
            self.count(key.len())?;
            path.borrow_mut().push(Step::Key(key.clone()));
            if map.contains_key(key.as_str()) {
                access.next_value::<IgnoredAny>()?;
                let occurrence = repeated.entry(key).or_insert(0);
                *occurrence += 1;
                let mut duplicates = self.notes.duplicates.borrow_mut();
                // One more than can be listed, so that somebody can say that there are more.
                if duplicates.len() <= MOST_PROBLEMS {
                    duplicates.push(Duplicate { path: path.borrow().clone(), occurrence: *occurrence });
                }
            } else {
                let value = access.next_value_seed(deeper)?;
                map.insert(Value::String(key), value);
            }
            path.borrow_mut().pop();
        }
        if let Some(sources) = map.remove("<<") {
            merge(&mut map, sources)?;
        }
        // Thousands of entries with five fields in room for eight would be the peak of a run's memory.
        map.shrink_to_fit();
        Ok(Value::Mapping(map))
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(de::Error::custom(TAGGED))
    }
}

/// Adds what a merge key (`<<`) names: one mapping or several, of which the first counts. What stands in the mapping itself
/// counts before all of them. They were built before this one, so their own merge keys are gone already.
fn merge<E: de::Error>(map: &mut Mapping, sources: Value) -> Result<(), E> {
    let sources = match sources {
        Value::Sequence(sources) => sources,
        source => vec![source],
    };
    for source in sources {
        let Value::Mapping(source) = source else {
            return Err(E::custom(NO_MAPPING));
        };
        for (key, value) in source {
            map.entry(key).or_insert(value);
        }
    }
    Ok(())
}
