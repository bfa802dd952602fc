//! Whether and where one value stands in another one, and how long it is.

use jaq_core::ValR;

use super::{Error, Value};
use crate::page::memory::Held;
use crate::page::meter;
use crate::page::number::Number;

impl Value {
    /// The indices at which `other` stands in this.
    pub(in crate::page) fn indices(&self, other: &Value) -> ValR<Value> {
        let is_of_text = matches!(self, Value::Text(_));
        let found: Vec<usize> = match (self, other) {
            (Value::Null(_), _) => return Ok(self.clone()),
            (Value::Text(text), Value::Text(part)) if part.text.is_empty() => {
                meter::spend_bytes(text.text.len());
                Vec::new()
            }
            (Value::Text(text), Value::Text(part)) => {
                meter::spend((text.text.len() + part.text.len()) / 16);
                occurrences(&text.text, &part.text)
            }
            (Value::List(list), Value::List(part)) if part.items.is_empty() => {
                meter::spend(list.items.len() / 64);
                Vec::new()
            }
            (Value::List(list), Value::List(part)) => {
                let windows = list.items.windows(part.items.len()).enumerate();
                windows.filter(|(_, window)| *window == &part.items[..]).map(|(index, _)| index).collect()
            }
            (Value::List(list), item) => {
                list.items.iter().enumerate().filter(|(_, each)| *each == item).map(|(index, _)| index).collect()
            }
            _ => return Err(Error::index(self.clone(), other.clone())),
        };
        Ok(found.into_iter().map(if is_of_text { Value::of_text } else { Value::from }).collect())
    }

    /// Whether `other` is contained in this, as jq means it.
    pub(in crate::page) fn contains(&self, other: &Value) -> bool {
        meter::spend(1);
        match (self, other) {
            (Value::Text(text), Value::Text(part)) => {
                meter::spend_bytes(text.text.len() + part.text.len());
                text.text.contains(&part.text)
            }
            (Value::List(list), Value::List(parts)) => {
                parts.items.iter().all(|part| list.items.iter().any(|item| item.contains(part)))
            }
            (Value::Object(object), Value::Object(parts)) => {
                parts.fields.iter().all(|(key, part)| object.fields.get(key).is_some_and(|value| value.contains(part)))
            }
            _ => self == other,
        }
    }

    /// Whether there is an entry under a key or index.
    pub(in crate::page) fn has(&self, key: &Value) -> ValR<Value> {
        match (self, key) {
            (Value::Object(object), Value::Text(key)) => {
                meter::spend_bytes(key.text.len());
                Ok(object.fields.contains_key(&*key.text).into())
            }
            (Value::List(list), Value::Number(index)) => {
                Ok(index.as_isize().is_some_and(|index| index >= 0 && index.unsigned_abs() < list.items.len()).into())
            }
            _ => Err(Error::index(self.clone(), key.clone())),
        }
    }

    /// How long it is, as jq means it.
    pub(in crate::page) fn length(self) -> ValR<Value> {
        Ok(match &self {
            // What the answer does not hold has an unknown length.
            Value::Null(Some(missing)) if missing.of_answer().is_some() => {
                return Err(self.type_error("something with a length"));
            }
            Value::Null(_) => Value::from(0_usize),
            Value::Bool(_) => return Err(self.type_error("something with a length")),
            Value::Number(number) if *number < Number::from(0) => Value::Number(-*number),
            Value::Number(_) => self,
            Value::Text(text) => {
                meter::spend_bytes(text.text.len());
                Value::of_text(text.text.chars().count())
            }
            Value::List(list) => Value::from(list.items.len()),
            Value::Object(object) => Value::from(object.fields.len()),
        })
    }
}

/// The characters of a text at which a part that is not empty begins, also where it overlaps itself. As Knuth, Morris and
/// Pratt do it, no byte is looked at again, however often the part repeats itself.
fn occurrences(text: &str, part: &str) -> Vec<usize> {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    if part.len() > text.len() {
        return Vec::new();
    }
    // How much of the part's beginning its first bytes end with again, for each number of them.
    let mut held = Held::of(4 * part.len());
    let mut repeats = vec![0_u32; part.len() + 1];
    let longer = |repeats: &[u32], mut fits: usize, byte: u8| {
        while fits > 0 && (fits == part.len() || part[fits] != byte) {
            fits = repeats[fits] as usize;
        }
        fits + usize::from(part[fits] == byte)
    };
    for end in 1..part.len() {
        let fits = longer(&repeats, repeats[end] as usize, part[end]);
        repeats[end + 1] = fits as u32;
    }
    let is_start = |byte: u8| byte & 0xC0 != 0x80;
    // The character at which what fits so far begins is the one that was counted so many bytes ago.
    let (mut found, mut fits, mut begins, mut character) = (Vec::new(), 0, 0, 0);
    for (at, byte) in text.iter().enumerate() {
        fits = longer(&repeats, fits, *byte);
        while begins < at + 1 - fits {
            character += usize::from(is_start(text[begins]));
            begins += 1;
        }
        if fits == part.len() {
            held.grow(16);
            found.push(character);
        }
    }
    found
}
