//! The questions about subscriptions that commands ask of a store, and the payments that they note.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::StoreError;
use super::damaged_rows::Odd;
use super::payments::{Kept, Noted, kept, note, payments};
use super::wait::Store;
use crate::model::identity::Identity;

impl Store {
    /// The last payment of each subscription that people have noted.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn payments(&mut self) -> Result<HashMap<Identity, Date>, StoreError> {
        self.ask(|database| payments(database, &mut Odd::default()))
    }

    /// Notes a payment.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub(crate) fn note_payment(&mut self, check: Identity, day: Date, now: Timestamp) -> Result<Noted, StoreError> {
        self.change(move |database, wait| note(database, check, day, now, wait))
    }

    /// What the last runs found of subscriptions.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn renewals(&mut self) -> Result<HashMap<Identity, Kept>, StoreError> {
        self.ask(kept)
    }
}
