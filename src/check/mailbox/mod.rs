//! Mailboxes: a visit (`session`), how the mails come (`fetch`), what the mails there say (`mail`), and which of it is an alert (`judge`, `engine`, `finding`).
//!
//! What comes from a server or in a mail is bounded before anything looks into it: by `stream` and `answer` what a server says, by
//! `mail` the way through a mail's parts. What libraries are measured not to do is here as well: encoded words that are split
//! inside a character, HTML that hides or merges words, parts that a partial fetch has cut off. Nothing a mail contains can panic,
//! hang or forge the alert that it causes; should one end the process all the same, `isolated` finds it in the next run.

pub(crate) mod account_mails;
mod amounts;
pub(crate) mod answer;
pub(crate) mod config;
mod currency_signs;
pub mod engine;
mod fetch;
pub mod finding;
mod folder;
pub(crate) mod html;
pub(crate) mod imap_session;
pub(crate) mod isolated;
pub mod judge;
pub mod keywords;
pub(crate) mod login;
pub mod mail;
mod mail_token;
mod phrases;
mod quotes;
pub(crate) mod resolve;
pub(crate) mod scan;
pub(crate) mod sender;
mod stream;
pub(crate) mod vendor;

pub(crate) use self::mail::MOST_OF_MAIL;
