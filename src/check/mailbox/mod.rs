//! Mailboxes: a visit (`session`), what the mails there say (`mail`), and which of it is an alert (`keywords`, `finding`).
//!
//! A MIME library takes mails apart; what it is measured not to do is here: encoded words that are split inside a
//! character, HTML that hides or merges words, parts that a partial fetch has cut off. Nothing a mail contains can panic,
//! hang or forge the alert that it causes.

pub mod finding;
pub mod html;
pub mod keywords;
pub mod mail;
pub mod scan;
pub mod session;
mod stream;
