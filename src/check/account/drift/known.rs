//! What is kept of the answers of a service: hashed places, and how steady they are.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::outline::{ANY, LIST, OBJECT, Outline, Place};
use crate::wire::hash::hmac_sha256;

/// Most places that are kept of a service, the outer ones first.
const MOST_KEPT: usize = 150;
/// In how many runs a field was there each time, so that it is missed when it is gone.
const STEADY: u8 = 3;
/// Marks a field that was away at least once.
const OPTIONAL: u8 = u8::MAX;
/// How the text of a place that was cut begins, and that of one that is whole.
const CUT: char = 'c';
const WHOLE: char = 'w';
/// The digits of a place in the text.
const DIGITS: usize = 28;

/// The answers of a service as they are known: what stands where, in hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    places: BTreeMap<u32, Kept>,
    is_cut: bool,
}

/// One place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    /// The hash of the place that it is a part of; that of a step is a part of itself.
    parent: u32,
    /// The hash of its last key alone.
    key: u32,
    kinds: u8,
    /// In how many runs it was there whenever its parent was; [`OPTIONAL`] if it was not in one.
    runs: u8,
}

impl Known {
    /// What one run saw, with nothing known before.
    pub(crate) fn of(outline: &Outline, secret: &str) -> Known {
        let hash = |text: &str| hashed(secret, text);
        let mut known = Known { is_cut: outline.is_cut, ..Known::default() };
        let mut waiting: VecDeque<(String, Kept, Place)> = VecDeque::new();
        for (step, root) in &outline.steps {
            let (path, key) = (format!("{step}"), hash(""));
            let own = hash(&path);
            waiting.push_back((path, Kept { parent: own, key, kinds: root.kinds, runs: 1 }, root.clone()));
        }
        while let Some((path, kept, place)) = waiting.pop_front() {
            if known.places.len() >= MOST_KEPT {
                known.is_cut = true;
                break;
            }
            let own = hash(&path);
            known.places.insert(own, kept);
            for (key, is_steady, part) in parts(place) {
                let runs = if is_steady { 1 } else { OPTIONAL };
                let part_kept = Kept { parent: own, key: hash(&key), kinds: part.kinds, runs };
                waiting.push_back((format!("{path}\0{key}"), part_kept, part));
            }
        }
        known
    }

    /// Learns what another run saw, and says whether the service has changed its answer.
    pub(crate) fn learn(&mut self, now: Known, secret: &str) -> bool {
        if self.places.is_empty() {
            *self = now;
            return false;
        }
        let lost = self.lost(&now, hashed(secret, ANY));
        let has_other_type = now.places.iter().any(|(id, place)| {
            self.places.get(id).is_some_and(|before| before.kinds != 0 && place.kinds & !before.kinds != 0)
        });
        let has_changed = has_other_type || !lost.is_empty();
        self.is_cut |= now.is_cut;
        self.places.retain(|id, _| !lost.contains(id));
        // What is not there although its parent is, and what comes late, is there at times only.
        let parents: BTreeSet<u32> = now.places.values().map(|place| place.parent).collect();
        for (id, place) in &mut self.places {
            if !now.places.contains_key(id) && parents.contains(&place.parent) {
                place.runs = OPTIONAL;
            }
        }
        let known: BTreeSet<u32> = self.places.values().map(|place| place.parent).collect();
        for (id, mut place) in now.places {
            let is_full = self.places.len() >= MOST_KEPT;
            match self.places.get_mut(&id) {
                Some(before) => {
                    before.kinds |= place.kinds;
                    before.runs = match (before.runs, place.runs) {
                        (OPTIONAL, _) | (_, OPTIONAL) => OPTIONAL,
                        (runs, _) => runs.saturating_add(1).min(STEADY),
                    };
                }
                None if is_full => self.is_cut = true,
                None => {
                    if known.contains(&place.parent) && !has_changed {
                        place.runs = OPTIONAL;
                    }
                    self.places.insert(id, place);
                }
            }
        }
        has_changed
    }

    /// The steady fields that are gone while others have come beside them.
    fn lost(&self, now: &Known, any: u32) -> BTreeSet<u32> {
        // Of what was cut nobody knows whether it is gone.
        if self.is_cut || now.is_cut {
            return BTreeSet::new();
        }
        let parts = |known: &Known, other: &Known| {
            let mut parts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (id, place) in
                known.places.iter().filter(|(id, place)| **id != place.parent && !other.places.contains_key(id))
            {
                parts.entry(place.parent).or_default().push(*id);
            }
            parts
        };
        let has_any = |known: &Known, parent: u32| known.parts_of(parent).any(|place| place.key == any);
        let mut lost = BTreeSet::new();
        let (gone, come) = (parts(self, now), parts(now, self));
        for (parent, gone) in &gone {
            let is_map = has_any(self, *parent) || has_any(now, *parent);
            let Some(come) = come.get(parent).filter(|_| !is_map && now.places.contains_key(parent)) else {
                continue;
            };
            let steady = gone.iter().filter(|id| self.places[id].runs != OPTIONAL && self.places[id].runs >= STEADY);
            // The entry of a map whose keys look like words has another key, and the same fields. A map holds nothing else.
            let is_mixed = self.has_scalar(*parent) || now.has_scalar(*parent);
            let is_entry = |id: &&u32| {
                let keys = self.keys_in(**id);
                !is_mixed && !keys.is_empty() && come.iter().any(|other| now.keys_in(*other) == keys)
            };
            lost.extend(steady.filter(|id| !is_entry(id)));
        }
        lost
    }

    /// Whether something else than objects and lists stands in a place.
    fn has_scalar(&self, id: u32) -> bool {
        self.parts_of(id).any(|place| place.kinds & !(LIST | OBJECT) != 0)
    }

    /// What stands in a place.
    fn parts_of(&self, id: u32) -> impl Iterator<Item = &Kept> {
        self.places.iter().filter(move |(own, place)| place.parent == id && **own != id).map(|(_, place)| place)
    }

    /// The keys of what stands in a place.
    fn keys_in(&self, id: u32) -> BTreeSet<u32> {
        self.parts_of(id).map(|place| place.key).collect()
    }

    /// The text that is kept.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::with_capacity(1 + self.places.len() * DIGITS);
        text.push(if self.is_cut { CUT } else { WHOLE });
        for (id, Kept { parent, key, kinds, runs }) in &self.places {
            text.push_str(&format!("{id:08x}{parent:08x}{key:08x}{kinds:02x}{runs:02x}"));
        }
        text
    }

    /// What was kept; none if it is no such text.
    pub(crate) fn of_text(text: &str) -> Option<Known> {
        let is_cut = match text.chars().next()? {
            CUT => true,
            WHOLE => false,
            _ => return None,
        };
        let digits = &text.as_bytes()[1..];
        let mut known = Known { is_cut, ..Known::default() };
        for place in digits.chunks(DIGITS) {
            let place = std::str::from_utf8(place).ok().filter(|place| place.len() == DIGITS && place.is_ascii())?;
            let number = |from: usize, to: usize| u32::from_str_radix(&place[from..to], 16).ok();
            let byte = |from: usize| u8::try_from(number(from, from + 2)?).ok();
            let kept = Kept { parent: number(8, 16)?, key: number(16, 24)?, kinds: byte(24)?, runs: byte(26)? };
            known.places.insert(number(0, 8)?, kept);
        }
        Some(known)
    }
}

/// A few bits of a keyed hash: enough for the places of one answer.
fn hashed(secret: &str, text: &str) -> u32 {
    let hash = hmac_sha256(secret.as_bytes(), text.as_bytes());
    hash.iter().take(4).fold(0, |all, byte| all << 8 | u32::from(*byte))
}

/// The parts of a place: its key, whether it was there each time, and what it is. Entries of a map are one part.
fn parts(place: Place) -> Vec<(String, bool, Place)> {
    let objects = place.objects;
    let is_map = place.fields.len() > 1 && {
        let mut keys = place.fields.values().map(|field| field.fields.keys().collect::<Vec<_>>());
        let first = keys.next().unwrap_or_default();
        let are_objects = place.fields.values().all(|field| field.kinds & !(LIST | OBJECT) == 0);
        !first.is_empty() && are_objects && keys.all(|other| other == first)
    };
    let mut parts: Vec<(String, bool, Place)> = Vec::new();
    if is_map {
        let mut all = Place::default();
        place.fields.into_values().for_each(|field| all.merge(field));
        parts.push((ANY.to_owned(), false, all));
    } else {
        parts.extend(place.fields.into_iter().map(|(key, field)| {
            let is_steady = key != ANY && field.times >= objects;
            (key, is_steady, field)
        }));
    }
    // A list may be empty tomorrow.
    parts.extend(place.items.map(|items| ("[]".to_owned(), false, *items)));
    parts
}
