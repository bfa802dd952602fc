//! Steps that are asked once for each item of a list.

use std::collections::BTreeMap;

use super::reader::{EachReader, StepReader};
use super::{Progress, unread};
use crate::check::account::page::error::decode;
use crate::check::account::page::number::bound;
use crate::model::failure::{Failure, Reason};
use crate::page::expression::{Json, Variables};
use crate::page::variables::Bound;

/// Binds the first item of a list, and gives the others, of which the last one comes next.
///
/// # Errors
/// Why it is not known what to ask for: no list, none or too many items, or one that comes twice and would be added twice.
pub(super) fn begun(
    each: &EachReader,
    body: &Json,
    variables: &Variables,
    all: &mut BTreeMap<String, Bound>,
) -> Result<Vec<Bound>, Failure> {
    let most = usize::from(each.most);
    let items = each.items.all(body, variables, most);
    let items = items.map_err(|why| decode("it is not clear what to ask for", why))?;
    let mut rest: Vec<Bound> = Vec::new();
    for item in items.into_iter().rev() {
        let item = bound(Some(item)).map_err(|why| unread(&each.name, why))?;
        if rest.contains(&item) {
            return Err(unread(&each.name, "an item stands in the list twice".to_owned()));
        }
        rest.push(item);
    }
    let Some(first) = rest.pop() else {
        // A sum over nothing would be a balance of zero.
        return Err(Failure::new(Reason::Decode, format!("there is no item for `{}`, so nothing to add", each.name)));
    };
    all.insert(each.name.clone(), first);
    Ok(rest)
}

/// Goes on to the next item of a step, if there is one.
pub(super) fn goes_on(step: &StepReader, progress: &mut Progress) -> bool {
    let Some(each) = &step.each else {
        return false;
    };
    // The last one stands for none of the others, so nothing sees it afterwards.
    progress.bound.remove(&each.name);
    let Some(item) = progress.items.pop() else {
        return false;
    };
    progress.bound.insert(each.name.clone(), item);
    progress.pages = 0;
    true
}
