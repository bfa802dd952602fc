//! Keeps, while a run decides, what led to what.

use super::{Debt, Explained, Limits, Ruling, State};
use crate::decide::action_table::{Act, Known, Now};
use crate::decide::cooldown::Cooldown;
use crate::decide::decision::{Decision, Key};
use crate::decide::memory::{Course, Owed};
use crate::decide::per_channel::Observed;
use crate::decide::recipients::Recipient;
use crate::model::alert::Alert;

impl Debt {
    pub(in crate::decide) fn of(owed: &Owed) -> Debt {
        Debt {
            event: owed.alert.event,
            level: owed.alert.level,
            at: owed.alert.at,
            tried_at: owed.is_tried.then_some(owed.tried_at),
            is_claimed: owed.is_claimed,
            refusals: owed.refusals,
        }
    }
}

impl Limits {
    /// What keeps a channel from being sent what it is owed, if that rests.
    pub(in crate::decide) fn of_rest(owed: Option<&Owed>, rests: bool) -> Limits {
        let next = owed.filter(|_| rests).and_then(|owed| Cooldown::repeat_at(owed.in_vain(), owed.tried_at));
        Limits { rests_until: next, ..Limits::default() }
    }
}

impl Ruling {
    pub(in crate::decide) fn new(recipient: &Recipient, row: Option<(Now, Known)>, act: Act, limits: Limits) -> Ruling {
        Ruling {
            channel: recipient.listener.id.clone(),
            row,
            act,
            told: recipient.heard.told.clone(),
            owed: recipient.heard.owed.as_ref().map(Debt::of),
            limits,
        }
    }
}

impl Observed {
    fn state(&self) -> State {
        match self {
            Observed::Wrong(_) => State::Wrong,
            Observed::Right(_) | Observed::Passed(_) | Observed::Void => State::Well,
            Observed::Nearly(_) => State::NearlyWell,
            Observed::Shaky(_) => State::NotYet,
            Observed::Unknown(_) => State::Unknown,
        }
    }

    fn alert(&self) -> Option<&Alert> {
        match self {
            Observed::Wrong(alert)
            | Observed::Right(alert)
            | Observed::Nearly(alert)
            | Observed::Shaky(alert)
            | Observed::Unknown(alert)
            | Observed::Passed(alert) => Some(alert),
            Observed::Void => None,
        }
    }
}

impl Decision {
    /// A decision that keeps why it is so.
    pub(in crate::decide) fn explained() -> Decision {
        Decision { explained: Some(Vec::new()), ..Decision::default() }
    }

    /// Keeps what is known of a condition, if somebody asks.
    pub(in crate::decide) fn explain(&mut self, key: Key, observed: &Observed, course: Option<Course>) {
        if let Some(explained) = &mut self.explained {
            let (state, alert) = (observed.state(), observed.alert().cloned());
            explained.push(Explained { key, state, alert, course, rulings: Vec::new() });
        }
    }

    /// The same for a mail.
    pub(in crate::decide) fn explain_mail(&mut self, key: Key, alert: Option<&Alert>, course: Course) {
        if let Some(explained) = &mut self.explained {
            let (alert, course) = (alert.cloned(), Some(course));
            explained.push(Explained { key, state: State::Wrong, alert, course, rulings: Vec::new() });
        }
    }

    /// Keeps what follows for one channel of the condition that is being decided, if somebody asks.
    pub(in crate::decide) fn rule(&mut self, ruling: impl FnOnce() -> Ruling) {
        if let Some(explained) = self.explained.as_mut().and_then(|all| all.last_mut()) {
            explained.rulings.push(ruling());
        }
    }
}
