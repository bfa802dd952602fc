//! How many bytes of memory values take, as far as an evaluation is charged for them.

use std::rc::Rc;

use super::{Fields, List, Object, Text, Value};

/// Bytes of memory of one item of a list.
pub(in crate::page) const ITEM: usize = size_of::<Value>();
/// Bytes that the counters of a shared value take, and that the allocator adds to what it gives out.
const SHARED: usize = 32;
/// Bytes of a list beside its items.
pub(super) const LIST: usize = size_of::<List>() + SHARED;
/// Bytes of a text beside its letters.
pub(super) const TEXT: usize = size_of::<Text>() + SHARED;
/// Bytes of an object beside its fields.
pub(super) const OBJECT: usize = size_of::<Object>() + SHARED;
/// Bytes of the smallest index of fields, with the entries that are kept free in it.
const INDEX: usize = 128;
/// Bytes of what a null knows.
pub(super) const MISSING: usize = 128;
/// Bytes of a field beside the letters of its key: the entry, its place in the index, what is kept free, and the key itself.
const FIELD: usize = (size_of::<Rc<str>>() + ITEM + size_of::<usize>()) * 3 / 2 + SHARED;

/// Bytes of memory of a field.
pub(in crate::page) fn bytes_of_field(key: &str) -> usize {
    FIELD + key.len()
}

/// Bytes of memory of fields.
pub(super) fn bytes_of(fields: &Fields) -> usize {
    let index = if fields.is_empty() { 0 } else { INDEX };
    fields.keys().map(|key| bytes_of_field(key)).sum::<usize>() + index
}
