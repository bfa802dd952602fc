//! The outline of answers: which keys they have and of which types, as a tree without values.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::check::account::page::ask::Form;
use crate::check::account::page::shape::shown_key;
use crate::page::xml;

/// Most places that are told apart, so that no answer takes much memory.
const MOST_PLACES: usize = 400;
/// Stands for all keys of an object that are data themselves.
pub(super) const ANY: &str = "*";

/// The types of a value, one bit for each.
pub(super) const BOOL: u8 = 1;
pub(super) const NUMBER: u8 = 2;
pub(super) const TEXT: u8 = 4;
pub(super) const LIST: u8 = 8;
pub(super) const OBJECT: u8 = 16;

/// What stands in one place of several answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// The types of what was there; null and what is empty have none.
    pub kinds: u8,
    /// How often something was there.
    pub times: u32,
    /// How often it was an object that is not empty.
    pub objects: u32,
    pub items: Option<Box<Place>>,
    pub fields: BTreeMap<String, Place>,
}

/// What the answers of a service look like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    /// For each step of the page.
    pub(super) steps: BTreeMap<usize, Place>,
    /// Whether there were more places than are told apart.
    pub(super) is_cut: bool,
    places: usize,
}

impl Outline {
    /// Adds an answer to a step of a page. One that cannot be parsed adds nothing.
    pub(crate) fn add(&mut self, step: usize, form: Form, body: &[u8]) {
        let (of_xml, is_xml) = match form {
            Form::Json => (None, false),
            Form::Xml => match std::str::from_utf8(body).ok().and_then(|text| xml::to_json(text).ok()) {
                Some(json) => (Some(json), true),
                None => return,
            },
            // One text has no places, and an answer of which only the headers are read may look as it likes.
            Form::Text | Form::None => return,
        };
        let body = of_xml.as_ref().map_or(body, |json| json.as_bytes());
        let mut answer = Outline { places: self.places, ..Outline::default() };
        let mut root = Place::default();
        let fill = Fill { place: &mut root, outline: &mut answer, is_xml };
        if fill.deserialize(&mut serde_json::Deserializer::from_slice(body)).is_ok() {
            (self.is_cut, self.places) = (self.is_cut || answer.is_cut, answer.places);
            self.steps.entry(step).or_default().merge(root);
        }
    }

    /// Adds what other answers look like.
    pub(crate) fn merge(&mut self, other: Outline) {
        self.is_cut |= other.is_cut;
        for (step, place) in other.steps {
            self.steps.entry(step).or_default().merge(place);
        }
    }

    /// Whether no answer was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl Place {
    pub(super) fn merge(&mut self, other: Place) {
        self.kinds |= other.kinds;
        self.times += other.times;
        self.objects += other.objects;
        if let Some(items) = other.items {
            self.items.get_or_insert_default().merge(*items);
        }
        for (key, place) in other.fields {
            self.fields.entry(key).or_default().merge(place);
        }
    }
}

/// Whether a key is data: an id, a date, an address, a currency, the name of a model.
fn is_data(key: &str) -> bool {
    let is_currency = key.len() == 3 && key.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_name = key.bytes().any(|byte| byte.is_ascii_digit()) && key.contains(['-', '.', '/', ':']);
    is_currency || is_name || shown_key(key) != key
}

/// Fills a place with a value.
struct Fill<'a> {
    place: &'a mut Place,
    outline: &'a mut Outline,
    /// In XML one element is an object or a text and several are a list, so that neither lists nor types say anything.
    is_xml: bool,
}

impl Fill<'_> {
    fn has(self, kind: u8) {
        self.place.kinds |= if self.is_xml { 0 } else { kind };
    }
}

impl<'de> DeserializeSeed<'de> for Fill<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.place.times += 1;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        // Many services write false where there is nothing.
        if value {
            self.has(BOOL);
        }
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.has(NUMBER);
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.has(NUMBER);
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.has(NUMBER);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        if !value.is_empty() {
            self.has(TEXT);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Fill { place, outline, is_xml } = self;
        if is_xml {
            while items.next_element_seed(Fill { place: &mut *place, outline: &mut *outline, is_xml })?.is_some() {}
            return Ok(());
        }
        let mut all = Place::default();
        while items.next_element_seed(Fill { place: &mut all, outline: &mut *outline, is_xml })?.is_some() {}
        if all.times > 0 {
            place.kinds |= LIST;
            place.items.get_or_insert_default().merge(all);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Fill { place, outline, is_xml } = self;
        let mut own: BTreeMap<String, Place> = BTreeMap::new();
        while let Some(key) = fields.next_key::<String>()? {
            let key = if is_data(&key) { ANY.to_owned() } else { key };
            if !own.contains_key(&key) && !place.fields.contains_key(&key) {
                if outline.places >= MOST_PLACES {
                    outline.is_cut = true;
                    fields.next_value::<IgnoredAny>()?;
                    continue;
                }
                outline.places += 1;
            }
            let field = own.entry(key).or_default();
            fields.next_value_seed(Fill { place: field, outline: &mut *outline, is_xml })?;
            // However many keys are data, or stand there twice: it is one place.
            field.times = 1;
        }
        if !own.is_empty() {
            place.kinds |= if is_xml { 0 } else { OBJECT };
            place.objects += 1;
            place.merge(Place { fields: own, ..Place::default() });
        }
        Ok(())
    }
}
