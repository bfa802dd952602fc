//! The real program against local HTTP and HTTPS servers, as one binary: it links once and shares its servers' code.
//!
//! Most tests see what a user sees. A few use the library: tables that documents must agree with, and readers of mails and pages.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests may wait, and read YAML as it is")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has failed")]

mod access;
mod alertmanager;
mod amounts;
mod answers;
mod backtest;
mod catalogue;
mod causes;
mod channel_trials;
mod channel_types;
mod channels;
mod cloud_signatures;
mod config_mistakes;
mod conformance;
mod credits;
mod databases;
mod delivery;
mod digests;
mod docs;
mod doctor;
mod drift;
mod echoes;
mod email_channel;
mod environment;
mod exec_accounts;
mod exec_channel;
mod fairness;
mod faults;
mod files;
mod foresight;
mod gates;
mod hangs;
mod healthchecks;
mod house;
mod html_report;
mod init;
mod insecure;
mod limits;
mod lives;
mod mail_accounts;
mod mail_trials;
mod mailbox_bounds;
mod mailboxes;
mod mails;
mod memory;
mod metrics;
mod pages;
mod platform;
mod process;
mod provider_commands;
mod providers;
mod proxies;
mod quickstart;
mod refusals;
mod renewals;
mod report;
mod routes;
mod schedules;
mod secret_commands;
mod shards;
mod signals;
mod silences;
mod spikes;
mod subscriptions;
mod support;
mod topups;
mod transport;
mod why;
