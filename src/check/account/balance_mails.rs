//! An account whose balance mails tell: which mails these are, and what one of them says.

use std::time::Duration;

use regex_lite::Regex;
use serde_json::{Value, json};

use crate::check::mailbox::finding::{self, Role};
use crate::check::mailbox::mail::Mail;
use crate::check::mailbox::sender;
use crate::model::failure::{Failure, Reason};
use crate::page;
use crate::wire::hash::sha256;

/// The provider whose accounts are read from mails.
pub(crate) const PROVIDER: &str = "mail";
/// What its page names as the file that is read.
pub(crate) const SOURCE: &str = "the newest mail";
/// The group of a pattern that is the balance, and the one that is its currency.
pub(crate) const BALANCE: &str = "balance";
pub(crate) const CURRENCY: &str = "currency";
/// Most places of a mail that a pattern is compared with.
const MOST_MATCHES: usize = 100;

/// Which mails tell a balance, and how.
#[derive(Clone, Debug)]
pub(crate) struct Letters {
    /// The mailbox that they come to, by its name.
    pub mailbox: String,
    /// The sender's address is one of these or holds it, in lower case; anybody's if there is none.
    pub from: Vec<String>,
    /// The subject holds one of these, in lower case; any if there is none.
    pub subject: Vec<String>,
    /// What the balance stands in; without one, the program's own reading of amounts finds it.
    pub pattern: Option<Regex>,
    /// How old the newest of them may be.
    pub max_age: Duration,
}

impl Letters {
    /// Whether a mail is one of them.
    pub(crate) fn has(&self, mail: &Mail) -> bool {
        let is_in = |text: &str, words: &[String]| {
            let text = text.to_lowercase();
            words.is_empty() || words.iter().any(|word| text.contains(word.as_str()))
        };
        // The name beside an address is whatever the sender likes.
        let is_from = |from: &String| mail.address.as_deref().is_some_and(|address| sender::is_address(address, from));
        (self.from.is_empty() || self.from.iter().any(is_from)) && is_in(&mail.subject, &self.subject)
    }

    /// Names what is read of which mails, so that nothing that was read otherwise is used again.
    pub(super) fn fingerprint(&self, currency: Option<&str>) -> String {
        let pattern = self.pattern.as_ref().map(Regex::as_str).unwrap_or_default();
        let read = [
            self.mailbox.as_str(),
            &self.from.join("\0"),
            &self.subject.join("\0"),
            pattern,
            currency.unwrap_or_default(),
        ];
        sha256(&read.join("\0\0")).chars().take(32).collect()
    }

    /// What a mail tells, as an object of texts.
    ///
    /// # Errors
    /// It tells none that is clear.
    pub(super) fn told(&self, mail: &Mail) -> Result<Value, Failure> {
        let Some(pattern) = &self.pattern else {
            let shown = finding::shown_amount(&mail.subject, &mail.shown()).filter(|shown| shown.role == Role::Left);
            let shown = shown.ok_or_else(|| {
                Failure::new(Reason::Decode, "the newest mail that matches names no balance that is clear").with_hint(
                    "`balance-alert mail try` shows what is read of a mail; `pattern` says where the balance stands",
                )
            })?;
            return Ok(json!({ BALANCE: shown.amount.value.to_string(), CURRENCY: shown.amount.currency }));
        };
        let text = format!("{}\n{}", mail.subject, mail.shown());
        let part =
            |found: &regex_lite::Captures, name: &str| found.name(name).map(|part| part.as_str().trim().to_owned());
        // Two equal numbers in different currencies are not the same balance.
        let beside = |found: &regex_lite::Captures| {
            found.name(BALANCE).and_then(|part| page::currency_beside(&text, part.range()))
        };
        let is_cut = |found: &regex_lite::Captures| {
            let range = |name: &str| found.name(name).map(|part| part.range());
            let (all, others) = (found.get(0).map_or(0..0, |all| all.range()), range(CURRENCY));
            range(BALANCE).is_some_and(|balance| {
                page::cuts_number(&text, balance, (pattern.as_str(), all.clone()), others.as_slice())
            })
        };
        if pattern.captures_iter(&text).take(MOST_MATCHES).any(|found| is_cut(&found)) {
            return Err(Failure::new(
                Reason::Decode,
                "`pattern` takes only a part of a number in the newest mail that matches",
            ));
        }
        let mut found = pattern
            .captures_iter(&text)
            .take(MOST_MATCHES)
            .map(|found| (part(&found, BALANCE), part(&found, CURRENCY), beside(&found)));
        let Some(first) = found.next() else {
            return Err(Failure::new(Reason::Decode, "`pattern` fits nothing in the newest mail that matches"));
        };
        if found.any(|other| other != first) {
            let message = "`pattern` fits several different texts in the newest mail that matches";
            return Err(Failure::new(Reason::Decode, message));
        }
        // Which country's 元 or `$` it is, only the words of the mail can say.
        let currency = first.1.or_else(|| {
            let said = first.0.as_deref()?;
            finding::currency_of_sign(&text, said).map(str::to_owned)
        });
        Ok(json!({ BALANCE: first.0, CURRENCY: currency }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::mailbox::mail;

    fn told(pattern: &str, body: &str) -> Option<String> {
        let raw = format!("Subject: Low balance\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n");
        told_of(pattern, raw.as_bytes())
    }

    fn told_of(pattern: &str, raw: &[u8]) -> Option<String> {
        let letters = Letters {
            mailbox: String::new(),
            from: Vec::new(),
            subject: Vec::new(),
            pattern: Some(Regex::new(pattern).unwrap()),
            max_age: Duration::from_secs(86_400),
        };
        let told = letters.told(&mail::read(raw)).ok()?;
        told[BALANCE].as_str().map(str::to_owned)
    }

    #[test]
    fn whose_a_mail_is_says_its_address_and_not_the_name_beside_it() {
        let is_taken = |called: &str, from: &str| {
            let letters = Letters {
                mailbox: String::new(),
                from: vec![called.to_owned()],
                subject: Vec::new(),
                pattern: None,
                max_age: Duration::from_secs(86_400),
            };
            letters.has(&mail::read(format!("From: {from}\r\nSubject: x\r\n\r\nx\r\n").as_bytes()))
        };
        let whole = "billing@vendor.example";
        for (called, from) in [
            (whole, "billing@vendor.example"),
            (whole, "Vendor Billing <Billing@Vendor.Example>"),
            ("@vendor.example", "billing@vendor.example"),
            ("vendor.example", "billing@mail.vendor.example"),
            ("billing@", "billing@vendor.example"),
            ("vendor", "billing@vendor.example"),
        ] {
            assert!(is_taken(called, from), "{called} {from}");
        }
        for (called, from) in [
            (whole, "\"billing@vendor.example\" <evil@attacker.com>"),
            (whole, "billing@vendor.example.attacker.com"),
            (whole, "xbilling@vendor.example"),
            (whole, "evil@attacker.com (billing@vendor.example)"),
            (whole, "=?utf-8?q?billing=40vendor=2Eexample?= <evil@attacker.com>"),
            (whole, "evil@attacker.com, billing@vendor.example"),
            (whole, "\"billing@vendor.example\"@attacker.com"),
            (whole, "evil@attacker.com\r\nFrom: billing@vendor.example"),
            (whole, "billing@vendor.example\r\nFrom: evil@attacker.com"),
            ("vendor.example", "billing@evilvendor.example"),
            ("vendor.example", "vendor.example <evil@attacker.com>"),
            ("@vendor.example", "evil@vendor.example.attacker.com"),
        ] {
            assert!(!is_taken(called, from), "{called} {from}");
        }
    }

    #[test]
    fn a_pattern_takes_no_part_of_what_stands_in_a_mail() {
        let pattern = "Balance: [^0-9]*(?P<balance>[0-9.,]+)";
        for body in [
            "Your Balance: -USD 12.50",
            "Balance: (12.50 USD)",
            "Balance: 12.50 USD-",
            "Balance: 12.50 -",
            "Balance: 12.50 Mio. USD",
            "Balance: 12.50 billion",
            "Balance: 12.50 USD million",
            "Balance: 12.50 USD DR",
            "Balance: 250 USD cents",
            "Balance: 1\u{2007}234.50",
            "Balance: 12元5角",
            "Balance: 12€50",
            "Balance: 12€ 50ct",
            "Balance: 12:50",
            "Balance: 12.50 USD\r\nBalance: 12.50 EUR",
        ] {
            assert_eq!(told(pattern, body), None, "{body}");
        }
        // A mail that is cut off at the bound of what is read of one, in the midst of the number.
        let most = 256 * 1024;
        for cut in 1..8 {
            let head = "Subject: Low balance\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n".len();
            let line = "\r\nBalance: 12345.50";
            let body = "lorem ".repeat(most / 6);
            let body = format!("{}{line} USD now. {}", &body[..most - head - line.len() + cut], "x".repeat(2000));
            let raw = format!("Subject: Low balance\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}");
            assert_eq!(told_of("Balance: (?P<balance>[0-9.]+)", &raw.as_bytes()[..most]), None, "{cut}");
        }
        let undecodable = b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBalance: 1\xff234.50\r\n";
        assert_eq!(told_of("(?P<balance>[0-9]+[.][0-9]+)", undecodable), None);
        let with_currency = "Balance: (?P<balance>[0-9.,]+) (?P<currency>[A-Z]+)";
        assert_eq!(told(with_currency, "Balance: 12.50 USD million"), None);
        for (pattern, body) in [
            (pattern, "Balance: 12.50 USD"),
            (pattern, "Balance: $12.50 thank you"),
            (pattern, "Balance: 12.50 USD - your team"),
            (pattern, "Balance: 12.50 USD\r\nBalance: 12.50 USD"),
            (with_currency, "Balance: 12.50 USD left"),
            (r"\((?P<balance>[0-9.]+)\)", "Balance (12.50)"),
        ] {
            assert_eq!(told(pattern, body).as_deref(), Some("12.50"), "{body}");
        }
    }
}
