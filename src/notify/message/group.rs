//! Several checks that fail for one reason are told in one line.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::model::alert::{Alert, Cause, Event};
use crate::model::failure::Reason;

/// The number of accounts that a line about several accounts names, where it does not name all.
const MOST_NAMED: usize = 3;

/// What several alerts have in common if one line can tell all of them.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct GroupKey<'a> {
    event: Event,
    host: Option<&'a str>,
    trouble: Option<(Reason, &'a str)>,
    since: Option<Timestamp>,
}

impl GroupKey<'_> {
    /// The key of an alert. An alert that is about one account alone, or that has more to say than its cause, has none.
    pub(super) fn of(alert: &Alert) -> Option<GroupKey<'_>> {
        let Cause::Failing(failing) = &alert.cause else {
            return None;
        };
        if alert.missed.is_some() || alert.unconfirmed {
            return None;
        }
        let host = alert.host.as_deref();
        let trouble = failing.trouble.as_ref().map(|trouble| (trouble.reason, trouble.message.as_str()));
        // Accounts that work again have a host in common, or nothing.
        (host.is_some() || trouble.is_some()).then_some(GroupKey {
            event: alert.event,
            host,
            trouble,
            since: alert.since,
        })
    }
}

/// Orders the positions of alerts so that those with one cause stand together, where the first of them stood.
pub(in crate::notify) fn by_cause<'a>(alert: impl Fn(usize) -> &'a Alert, positions: &mut [usize]) {
    let mut first: HashMap<GroupKey, usize> = HashMap::new();
    let places: HashMap<usize, usize> = positions
        .iter()
        .enumerate()
        .map(|(place, at)| {
            let place = GroupKey::of(alert(*at)).map_or(place, |key| *first.entry(key).or_insert(place));
            (*at, place)
        })
        .collect();
    positions.sort_by_key(|at| places.get(at).copied());
}

/// Several alerts with one cause, ready to be worded.
pub(super) struct Group {
    pub(super) event: Event,
    pub(super) count: usize,
    pub(super) members: Members,
    pub(super) host: Option<String>,
    /// Why they fail; empty if they work again.
    pub(super) why: String,
    /// Failed runs in a row, if that is the same for all.
    pub(super) runs: Option<u32>,
    /// The names that are told.
    pub(super) names: Vec<String>,
    /// How many more there are.
    pub(super) more: usize,
}

/// What the members of a group are.
#[derive(Clone, Copy)]
pub(super) enum Members {
    Accounts,
    Mailboxes,
    Both,
}

impl Group {
    /// The group of alerts that have one key. `name` gives the name of an alert, `host` and `why` are harmless already.
    pub(super) fn new(alerts: &[&Alert], host: Option<String>, why: String, name: impl Fn(&Alert) -> String) -> Group {
        let count = alerts.len();
        let named = if count <= MOST_NAMED + 2 { count } else { MOST_NAMED };
        let mailboxes = alerts.iter().filter(|alert| alert.account().is_none()).count();
        let runs = |alert: &Alert| alert.trouble().map(|trouble| trouble.runs);
        let first = runs(alerts[0]);
        Group {
            event: alerts[0].event,
            count,
            members: match mailboxes {
                0 => Members::Accounts,
                some if some == count => Members::Mailboxes,
                _ => Members::Both,
            },
            host,
            why,
            runs: first.filter(|_| alerts.iter().all(|alert| runs(alert) == first)),
            names: alerts.iter().take(named).map(|alert| name(alert)).collect(),
            more: count - named,
        }
    }
}
