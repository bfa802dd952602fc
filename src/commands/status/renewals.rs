//! What the last runs found of subscriptions.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::model::amount;
use crate::model::cadence::Cadence;
use crate::model::identity::Identity;
use crate::report::{Total, totals};
use crate::state::KeptRenewal;
use crate::state::queries::Known;

/// The same for programs.
#[derive(Serialize)]
pub(super) struct RenewalEntry {
    cycle_type: Cadence,
    next_renewal_date: Option<String>,
    last_renewed_date: Option<String>,
    amount: Option<Box<RawValue>>,
    amount_currency: Option<String>,
}

impl RenewalEntry {
    pub(super) fn of(kept: &KeptRenewal) -> RenewalEntry {
        RenewalEntry {
            cycle_type: kept.cadence,
            next_renewal_date: kept.next.map(|day| day.to_string()),
            last_renewed_date: kept.paid_on.max(kept.noted).map(|day| day.to_string()),
            amount: kept.amount.map(amount::to_json),
            amount_currency: kept.currency.clone(),
        }
    }
}

/// The same for people, in a few words.
pub(super) fn notes(kept: &KeptRenewal) -> Vec<String> {
    let verb = if kept.cadence == Cadence::Once { "ends".to_owned() } else { format!("{}, due", kept.cadence) };
    let cost = kept.amount.map(|amount| format!(", {}", amount::show(amount, kept.currency.as_deref())));
    let next = kept.next.map(|next| format!("{verb} {next}{}", cost.unwrap_or_default()));
    // What was noted after the last run is counted by the next one.
    let later = kept.noted.filter(|noted| kept.paid_on.is_none_or(|paid| paid < *noted));
    let paid = match later {
        Some(noted) => Some(format!("paid {noted}, which the next run counts")),
        None => kept.paid_on.map(|paid| format!("paid {paid}")),
    };
    next.into_iter().chain(paid).collect()
}

/// What the subscriptions among these checks come to, for each currency.
pub(in crate::commands) fn totals_of(known: &[Known], kept: &HashMap<Identity, KeptRenewal>) -> Vec<Total> {
    let shown = known.iter().filter_map(|known| kept.get(&known.check));
    totals(shown.filter_map(|kept| Some((kept.currency.as_deref(), kept.yearly?))))
}
