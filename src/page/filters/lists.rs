//! Filters that sort, group or add up what lists and objects hold.

use std::cmp::Ordering;

use jaq_core::box_iter::box_once;
use jaq_core::{Cv, Exn, ValR, ValT};

use crate::page::memory::Held;
use crate::page::value::{Error, ITEM, Value, bytes_of_field};
use crate::page::{Jq, meter};

/// The sum of what a filter gives. Of nothing it is null, which is not zero where it is calculated with.
pub(super) fn sum(mut cv: Cv<Jq>) -> jaq_core::ValXs<Value> {
    let (filter, context) = cv.0.pop_fun();
    let sum = filter.run((context, cv.1.clone())).try_fold(None, |sum: Option<Value>, next| match sum {
        None => next.map(Some),
        Some(sum) => sum.add_next(next?).map(Some).map_err(Exn::from),
    });
    box_once(sum.map(|sum| sum.unwrap_or_else(|| cv.1.no_sum())))
}

/// An object of a list of keys and values. What it lacks is missing, as in the object of which the list was made.
pub(super) fn from_entries(value: Value) -> ValR<Value> {
    let (key, content) = (Value::own("key".to_owned()), Value::own("value".to_owned()));
    let (items, mut held) = items(value)?;
    let fields = items.into_iter().map(|entry| {
        meter::spend(4);
        let name = entry.clone().index(&key)?;
        let Some(text) = name.as_text() else { return Err(Error::typ(name, "key")) };
        meter::spend_text(text.len());
        held.grow(bytes_of_field(text));
        Ok((text.into(), entry.index(&content)?))
    });
    Ok(Value::changed(fields.collect::<Result<Vec<_>, Error>>()?, None))
}

/// An item with what it is ordered by, and what both hold.
type Keyed = (Vec<Value>, Value, Held);

/// Bytes of memory of an item with what it is ordered by: the entry, and the smallest list, as it grows.
const KEYED: usize = 2 * size_of::<Keyed>() + 4 * ITEM;

pub(super) fn by_key(left: &Keyed, right: &Keyed) -> Ordering {
    left.0.cmp(&right.0)
}

/// The items, in their order.
pub(super) fn values(keyed: Vec<Keyed>) -> Value {
    keyed.into_iter().map(|(_, item, _)| item).collect()
}

/// The items of a list, and what they hold beside it.
fn items(value: Value) -> Result<(Vec<Value>, Held), Error> {
    let held = Held::of(value.items().map_or(0, |items| items.len() * ITEM));
    Ok((value.met().ok_or_else(|| Error::typ(value, "array"))?, held))
}

/// The items of a list, each with what a filter gives for it.
fn keyed<'a>(mut cv: Cv<'a, Jq>) -> Result<Vec<Keyed>, Exn<'a, Value>> {
    let (filter, context) = cv.0.pop_fun();
    let (items, _held) = items(cv.1)?;
    let keyed = |item: Value| {
        let (mut held, mut key) = (Held::of(KEYED), Vec::new());
        for value in filter.run((context.clone(), item.clone())) {
            held.grow(2 * ITEM);
            key.push(value?);
        }
        Ok((key, item, held))
    };
    items.into_iter().map(keyed).collect()
}

/// Refuses what has no order among numbers, also where no two of them happen to be compared: a null of the answer is unknown,
/// and not less than all numbers, and a text of it is not more.
fn refuse_mixed<'v>(keys: impl Iterator<Item = &'v Value> + Clone) {
    let number = keys.clone().find(|key| matches!(key, Value::Number(_)));
    if let Some(number) = number {
        for key in keys.filter(|key| !matches!(key, Value::Number(_))) {
            let _ = number.cmp(key);
        }
    }
}

fn of_keys(keyed: &[Keyed]) -> impl Iterator<Item = &Value> + Clone {
    keyed.iter().flat_map(|(key, ..)| key)
}

pub(super) fn ordered<'a>(cv: Cv<'a, Jq>) -> Result<Vec<Keyed>, Exn<'a, Value>> {
    let mut keyed = keyed(cv)?;
    refuse_mixed(of_keys(&keyed));
    meter::sorting(|| keyed.sort_by(by_key));
    Ok(keyed)
}

pub(super) fn sorted(value: Value) -> ValR<Value> {
    let (mut items, _held) = items(value)?;
    refuse_mixed(items.iter());
    meter::sorting(|| items.sort());
    Ok(items.into_iter().collect())
}

/// The least or the largest item; what is missing if there is none.
pub(super) fn extreme<'a>(cv: Cv<'a, Jq>, choose: fn(Vec<Keyed>) -> Option<Keyed>) -> jaq_core::ValXs<'a, Value> {
    let list = cv.1.clone();
    box_once(keyed(cv).map(|keyed| {
        refuse_mixed(of_keys(&keyed));
        meter::sorting(|| choose(keyed)).map_or_else(|| list.nothing_in(), |(_, item, _)| item)
    }))
}

/// Sorts what is only told apart, and says whether the order can be relied on.
fn sort_for_groups<T>(items: &mut [T], compare: fn(&T, &T) -> Ordering) -> bool {
    let ((), is_ordered) = meter::in_any_order(|| items.sort_by(compare));
    if is_ordered {
        meter::sorting(|| items.sort_by(compare));
    }
    is_ordered
}

/// What `make` makes of each group of items with the same key. The groups have no order that could be relied on where keys are
/// numbers that are texts.
pub(super) fn grouped<'a>(cv: Cv<'a, Jq>, make: fn(&[Keyed]) -> Value) -> Result<Value, Exn<'a, Value>> {
    let mut keyed = keyed(cv)?;
    let ((), is_sound) = meter::in_any_order(|| refuse_mixed(of_keys(&keyed)));
    let is_ordered = sort_for_groups(&mut keyed, by_key) && is_sound;
    let groups: Value = keyed.chunk_by(|left, right| left.0 == right.0).map(make).collect();
    Ok(if is_ordered { groups } else { groups.unordered() })
}

pub(super) fn keys(value: Value) -> ValR<Value> {
    let mut keys = value.key_values().map(|entry| Ok(entry?.0)).collect::<Result<Vec<Value>, Error>>()?;
    let is_ordered = sort_for_groups(&mut keys, Value::cmp);
    let keys: Value = keys.into_iter().collect();
    Ok(if is_ordered { keys } else { keys.unordered() })
}
