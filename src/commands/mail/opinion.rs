//! What the program says of a mail, as a run would see it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::Timestamp;

use super::Said;
use crate::check::account::Account;
use crate::check::mailbox::config::Mailbox;
use crate::check::mailbox::finding::{self, ShownAmount};
use crate::check::mailbox::judge::{Judge, Judgement};
use crate::check::mailbox::mail::{self, Mail};
use crate::check::mailbox::vendor::Vendors;
use crate::check::{Amount, Reading};
use crate::model::amount;
use crate::model::words::words;
use crate::process::redact::Redactor;

words! {
    /// What becomes of a mail.
    pub(super) enum Verdict {
        /// It is an alert.
        Trouble = "trouble",
        /// It speaks of no trouble.
        Harmless = "harmless",
        /// Mails of its sender are not looked at.
        Ignored = "ignored",
    }
}

/// A file and what is said of the mail in it.
pub(super) struct Opinion {
    pub file: String,
    /// Or why it could not be read.
    pub outlook: Said,
}

/// What is said of a mail.
pub(super) struct Outlook {
    pub verdict: Verdict,
    pub judgement: Judgement,
    pub subject: String,
    pub sender: String,
    pub date: Option<Timestamp>,
    pub service: Option<String>,
    pub account: Option<String>,
    pub amount: Option<ShownAmount>,
    /// The accounts that are read from such mails, with what this one tells of each.
    pub readings: Vec<(String, Result<String, String>)>,
}

/// What reads mails.
#[derive(Default)]
pub(super) struct Reader {
    /// Whose settings count.
    pub mailbox: Option<Mailbox>,
    pub vendors: Vendors,
    /// The accounts that are read from mails.
    pub accounts: Vec<(String, Account)>,
    pub redactor: Arc<Redactor>,
    /// What judges where there is no mailbox.
    pub judge: Judge,
}

impl Reader {
    /// Reads a mail.
    ///
    /// # Errors
    /// It is none, or reading it failed.
    pub(super) fn read(&self, raw: &[u8]) -> Said {
        let read = catch_unwind(AssertUnwindSafe(|| {
            let mail = mail::read(raw);
            let is_mail = !mail.sender.is_empty() || !mail.subject.is_empty() || mail.date.is_some();
            is_mail.then(|| self.outlook(&mail))
        }));
        match read {
            Ok(outlook) => outlook.ok_or_else(|| "it is no mail: it has neither a sender nor a subject nor a date".to_owned()),
            Err(_) => Err("reading it failed by a defect of this program".to_owned()),
        }
    }

    fn outlook(&self, mail: &Mail) -> Outlook {
        let judge = self.mailbox.as_ref().map_or(&self.judge, |mailbox| &mailbox.judge);
        let judgement = judge.judge(mail);
        let verdict = match self.mailbox.as_ref().is_none_or(|mailbox| mailbox.looks_at(mail.address.as_deref())) {
            false => Verdict::Ignored,
            true if judgement.is_trouble => Verdict::Trouble,
            true => Verdict::Harmless,
        };
        let polish = |text: &str| self.redactor.polish(text);
        // No alert tells the amount of a mail that is none.
        let amount =
            judgement.is_trouble.then(|| finding::told_amount(mail)).flatten();
        Outlook {
            verdict,
            judgement,
            subject: polish(&mail.subject),
            sender: polish(&mail.sender),
            date: mail.date,
            service: finding::service(&mail.subject).map(|service| polish(&service)),
            account: self.vendors.account_of(mail).map(str::to_owned),
            amount: amount.map(|shown| ShownAmount { words: polish(&shown.words), ..shown }),
            readings: self.readings(mail),
        }
    }

    /// What the mail tells of the accounts that are read from it.
    fn readings(&self, mail: &Mail) -> Vec<(String, Result<String, String>)> {
        let is_here = |account: &Account| {
            let letters = account.letters().filter(|letters| letters.has(mail));
            let mailbox = self.mailbox.as_ref();
            letters.is_some_and(|letters| mailbox.is_none_or(|mailbox| mailbox.name == letters.mailbox))
        };
        let ours = self.accounts.iter().filter(|(_, account)| is_here(account));
        let told = ours.map(|(name, account)| {
            let told = account.read_mail(mail).map(|reading| shown(&reading));
            (name.clone(), told.map_err(|failure| failure.settle(&self.redactor).describe().to_owned()))
        });
        told.collect()
    }
}

fn shown(reading: &Reading) -> String {
    match reading.amount {
        Amount::Of(balance) => amount::show(balance, reading.currency.as_deref()),
        Amount::Unlimited => "unlimited".to_owned(),
    }
}
