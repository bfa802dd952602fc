//! Mails: what they say, and which of it is an alert. Pure: bytes in, findings out.
//!
//! A MIME library takes mails apart; what it is measured not to do is here: encoded words that are split inside a
//! character, HTML that hides or merges words, parts that a partial fetch has cut off. Nothing a mail contains can panic,
//! hang or forge the alert that it causes. Not here: how a mail is fetched.

pub mod finding;
pub mod html;
pub mod keywords;
pub mod mail;
