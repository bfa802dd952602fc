//! Reading an account from a mail instead of asking a service.

use super::balance_mails::Letters;
use super::page::Wanted;
use super::{Account, Target};
use crate::check::Reading;
use crate::check::mailbox::mail::Mail;
use crate::model::failure::{Failure, Reason};
use crate::page::expression::Variables;

impl Account {
    /// Which mails tell its balance; none if it is asked otherwise.
    pub(crate) fn letters(&self) -> Option<&Letters> {
        match &self.target {
            Target::Mails(letters) => Some(letters),
            Target::Http { .. } | Target::File(_) | Target::Command(_) => None,
        }
    }

    /// What names the way in which the balance is read of mails.
    pub(crate) fn reads_mails_as(&self) -> String {
        self.letters().map(|letters| letters.fingerprint(self.currency.as_deref())).unwrap_or_default()
    }

    /// The balance that a mail tells.
    ///
    /// # Errors
    /// It tells none that is clear.
    pub(crate) fn read_mail(&self, mail: &Mail) -> Result<Reading, Failure> {
        let letters = self.letters().ok_or_else(|| Failure::new(Reason::Internal, "it is not read from mails"))?;
        let body = letters.told(mail)?.to_string();
        let variables = Variables::new(self.currency.as_deref(), &self.options);
        self.only_answer(body.as_bytes(), &Wanted { variables, budget: None })
    }
}
