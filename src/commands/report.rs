//! `balance-alert report`: writes a page out of the memory of runs and the config.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::memory::{Answer, answer, failed, leave, open_store};
use super::open::open_checks;
use super::status::{FORGOTTEN, totals_of};
use crate::cli::{CheckArgs, Since, StoreArgs, parse_since};
use crate::decide::SubscriptionVerdict;
use crate::decide::found::{Subjects, found};
use crate::decide::forecast::account::foresee;
use crate::decide::forecast::reads_from;
use crate::model::forecasting::Forecasting;
use crate::model::identity::Identity;
use crate::model::schedule::Schedule;
use crate::model::text;
use crate::plan::{Plan, PlanError};
use crate::process::clock::{Clock, before};
use crate::process::exit::Exit;
use crate::process::{Process, file, logging, redact, watchdog};
use crate::report::html::{Account, Page};
use crate::state::hourly_readings::Checks;
use crate::state::queries::Known;
use crate::state::Access;
use crate::yaml::forecasting::USUAL;

/// Flags of `report`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// Write one page of HTML into this file, which needs nothing else to be looked at; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub html: PathBuf,
    /// Show what was since then: an age (7d, 365d) or a date in UTC (2026-11-01)
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = parse_since)]
    pub since: Since,
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// `balance-alert report`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    answer(process, watchdog::LONGEST, || ask(flags, process.clock))
}

fn ask(flags: &Flags, clock: Clock) -> Answer {
    let (format, environment, config) = open_checks(&flags.store, clock)?;
    let (language, zone) = (config.settings.language, config.settings.timezone.clone());
    let place = (config.state.clone(), &config.redactor);
    let opened = open_store(&flags.store, (Access::Read, clock), (format, &environment), place)?;
    let plan = Plan::new(config, &CheckArgs::default(), Schedule::default()).map_err(|error| match error {
        PlanError::Usage { message, .. } | PlanError::Nothing(message) => {
            logging::complain(format, &message);
            Exit::Config
        }
    })?;
    let mut subjects = plan.subjects;
    let (mut store, format, place) = opened.store()?;
    let now = clock.now();
    let since = flags.since.before(now);
    let failed = failed(format, &place);
    let mut known = store.status(Timestamp::MIN).map_err(&failed)?;
    let newest = known.iter().map(|known| known.checked_at).max().unwrap_or(now);
    known.retain(|known| known.checked_at >= before(newest, FORGOTTEN));
    let renewals = store.renewals().map_err(&failed)?;
    let totals = totals_of(&known, &renewals);
    known.retain(|known| known.provider != SubscriptionVerdict::PROVIDER);
    let sightings = store.sightings(since).map_err(&failed)?;
    let rules = rules(&subjects);
    let window = rules.values().flatten().map(|rule| rule.window_days).max().unwrap_or(USUAL.window_days);
    let past = store.past(Checks::All, (reads_from(now, window), now)).map_err(&failed)?;
    let account = |known: &'_ Known| {
        // An account that has left the config is forecast as most are.
        let rule = rules.get(&known.check).copied().unwrap_or(Some(USUAL));
        let readings = past.get(&known.check).filter(|_| known.balance.is_some());
        let foresight = rule.zip(readings).and_then(|(rule, read)| foresee(read, known.currency.as_deref(), rule, now));
        (sightings.get(&known.check).map_or(&[][..], Vec::as_slice), foresight, rule.is_none())
    };
    let accounts = known.iter().map(|known| {
        let (sightings, foresight, refills) = account(known);
        Account::new(known, sightings, foresight, refills, now)
    });
    let today = now.to_zoned(zone).date();
    subjects.note(&store.payments().map_err(&failed)?);
    let subscriptions = found(subjects, Vec::new(), Vec::new(), today).subscriptions;
    let page = Page {
        language,
        now,
        since,
        accounts: accounts.collect(),
        messages: &store.messages(since).map_err(&failed)?,
        mutes: &store.mutes().map_err(&failed)?,
        mails: &store.mails_told(since).map_err(&failed)?,
        subscriptions: &subscriptions,
        totals,
        today,
        runs: &store.last_runs().map_err(&failed)?,
    };
    let text = page.render();
    let shown = page.accounts.len();
    leave(store);
    write(&flags.html, text, shown).map_err(|why| {
        logging::complain(format, &why);
        Exit::Unwritten
    })
}

/// How accounts are forecast; none for a quota that refills.
fn rules(subjects: &Subjects) -> HashMap<Identity, Option<Forecasting>> {
    subjects.accounts.iter().map(|subject| (subject.identity, subject.forecasting)).collect()
}

/// Writes the page where it is wanted, and gives what is printed.
fn write(path: &Path, page: String, accounts: usize) -> Result<(String, Exit), String> {
    if path == Path::new("-") {
        return Ok((page, Exit::Ok));
    }
    let page = redact::shield_report(&page);
    // Where a link leads is replaced, and the link stays.
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    file::replace(&real, page.as_bytes(), None).map_err(|error| {
        let folders = path.ancestors().skip(1).filter(|folder| *folder != Path::new(""));
        let missing = folders.take_while(|folder| !folder.exists()).last();
        let why = match missing {
            Some(folder) => format!("there is no folder `{}`", folder.display()),
            None => text::io_error(&error),
        };
        format!("the page cannot be written to `{}`: {why}", path.display())
    })?;
    let size = page.len().div_ceil(1024);
    Ok((format!("wrote `{}`: {}, {size} KiB\n", path.display(), text::plural(accounts, "account")), Exit::Ok))
}
