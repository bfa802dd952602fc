//! `balance-alert why`: what the last run found of one entry, which rules hold for it, who has been told, and what would have to
//! change. The code that decides says why.

mod json;
mod rules;
mod sentences;
mod shown;
#[cfg(test)]
mod tests;

use clap::Args;
use jiff::Timestamp;

use self::shown::{ChannelFacts, Shown};
use super::as_found::{AsFound, read_last};
use super::memory::{Answer, answer, failed, leave, open_store};
use super::open::open_checks;
use crate::cli::{CheckArgs, StoreArgs};
use crate::config::Config;
use crate::decide::forecast::account::{Foresight, foresee};
use crate::decide::forecast::reads_from;
use crate::decide::found::{Subjects, found};
use crate::decide::memory::Memory;
use crate::decide::{Found, Subject, explain};
use crate::model::alert::Topic;
use crate::model::schedule::Schedule;
use crate::model::text;
use crate::notify::config::Channel;
use crate::plan::{Plan, PlanError, RunConfig};
use crate::process::clock::Clock;
use crate::process::exit::Exit;
use crate::process::logging;
use crate::process::{Process, watchdog};
use crate::report::ListOutput;
use crate::state::hourly_readings::Checks;
use crate::state::queries::{Known, LastRun};
use crate::state::{Access, Store, StoreError};

/// Flags of `why`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// The name of the account, the mailbox or the subscription
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The format of the answer
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
}

/// `balance-alert why`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    answer(process, watchdog::LONGEST, || ask(flags, process.clock))
}

fn ask(flags: &Flags, clock: Clock) -> Answer {
    let (format, environment, config) = open_checks(&flags.store, clock)?;
    let place = (config.state.clone(), &config.redactor);
    let found = open_store(&flags.store, (Access::Read, clock), (format, &environment), place)?;
    let (mut store, format, place) = found.store()?;
    let known = store.status(Timestamp::MIN).map_err(failed(format, &place))?;
    let last_run = store.last_runs().map_err(failed(format, &place))?.into_iter().next();
    let mut asked = Question::new(config, &flags.name, known, last_run).map_err(|(exit, why)| {
        logging::complain(format, &why);
        exit
    })?;
    let now = clock.now();
    asked.subjects.note(&store.payments().map_err(failed(format, &place))?);
    let (memory, found) = asked.recall(&mut store, now).map_err(failed(format, &place))?;
    leave(store);
    let mut explained = explain(&found, &memory, &asked.plan.rules, now);
    // That is about no entry.
    explained.retain(|explained| explained.key.1 != Topic::Silent);
    let shown = asked.shown(&found, &memory, now);
    let text = match flags.output {
        ListOutput::Table => shown.text(&explained),
        ListOutput::Json => json::render(&shown, &explained),
    };
    Ok((text, Exit::Ok))
}

/// What is asked: one entry of the config, and what the last run that looked at it left.
struct Question {
    /// The entry alone.
    subjects: Subjects,
    name: String,
    plan: RunConfig,
    /// Which channel takes which alerts of it, and why.
    routes: Vec<shown::Route>,
    /// What the last run left that looked at it; none if no run has.
    known: Option<Known>,
    last_run: Option<LastRun>,
}

impl Question {
    /// # Errors
    /// Why nothing can be said, and the status to end with.
    fn new(
        config: Config,
        name: &str,
        known: Vec<Known>,
        last_run: Option<LastRun>,
    ) -> Result<Question, (Exit, String)> {
        let routes = shown::routes(&config, name);
        let plan = Plan::new(config, &CheckArgs::default(), Schedule::default());
        let Plan { mut subjects, config: mut plan, .. } = plan.map_err(|error| match error {
            PlanError::Usage { message, .. } | PlanError::Nothing(message) => (Exit::Config, message),
        })?;
        let names = subjects.accounts.iter().map(|subject| &subject.name);
        let names = names.chain(subjects.mailboxes.iter().map(|mailbox| &mailbox.name));
        let names: Vec<String> = names.chain(subjects.subscriptions.iter().map(|one| &one.name)).cloned().collect();
        if !names.iter().any(|known| known == name) {
            return Err((Exit::Usage, absent(name, &names, &known)));
        }
        let accounts = subjects.accounts.iter().map(|subject| (&subject.name, subject.identity));
        let mailboxes = subjects.mailboxes.iter().map(|mailbox| (&mailbox.name, mailbox.identity));
        let others = accounts.chain(mailboxes).filter(|(known, _)| *known != name);
        plan.rules.left_out = others.map(|(_, identity)| identity).collect();
        subjects.accounts.retain(|subject| subject.name == name);
        subjects.mailboxes.retain(|mailbox| mailbox.name == name);
        subjects.subscriptions.retain(|subscription| subscription.name == name);
        // Where a name was read by another provider before, the newest counts.
        let known = known.into_iter().filter(|known| known.name == name).max_by_key(|known| known.checked_at);
        Ok(Question { subjects, name: name.to_owned(), plan, routes, known, last_run })
    }

    /// All that the answer is made of.
    fn shown<'a>(&'a self, found: &'a Found, memory: &'a Memory, now: Timestamp) -> Shown<'a> {
        let channels = self.plan.channels.iter();
        let unusable = self.last_run.as_ref().map(|run| run.unusable_channels.split(", ").collect::<Vec<_>>());
        let facts = |channel: &'a Channel| ChannelFacts {
            id: &channel.id,
            name: &channel.name,
            is_unusable: unusable.as_ref().is_some_and(|names| names.contains(&channel.name.as_str())),
        };
        let (name, known, rules) = (self.name.as_str(), self.known.as_ref(), &self.plan.rules);
        Shown { name, known, rules, channels: channels.map(facts).collect(), routes: &self.routes, found, memory, now }
    }

    /// What the store knows of it, as the last run found it.
    fn recall(&self, store: &mut Store, now: Timestamp) -> Result<(Memory, Found), StoreError> {
        let mut memory = store.memory()?;
        let today = now.to_zoned(self.plan.rules.timezone.clone()).date();
        let Some(known) = &self.known else {
            let subscriptions = self.subjects.subscriptions.clone();
            let subjects = Subjects { accounts: Vec::new(), mailboxes: Vec::new(), subscriptions };
            return Ok((memory, found(subjects, Vec::new(), Vec::new(), today)));
        };
        // The last run has counted itself, and what it found is judged once more.
        if let Some(failures) = memory.failures.get_mut(&known.check) {
            *failures = failures.saturating_sub(1);
        }
        let as_found = AsFound::last(known);
        let as_read = |subject: &Subject| read_last(subject, known);
        let (accounts, outcomes): (Vec<_>, Vec<_>) = self.subjects.accounts.iter().map(as_read).unzip();
        // Its mails are not read again; what is owed of them is in the memory.
        let scans = self.subjects.mailboxes.iter().map(|_| as_found.scan());
        let mailboxes = self.subjects.mailboxes.to_vec();
        let subscriptions = self.subjects.subscriptions.clone();
        let mut found = found(Subjects { accounts, mailboxes, subscriptions }, outcomes, scans.collect(), today);
        for verdict in &mut found.accounts {
            let Some(settings) = verdict.subject.forecasting.filter(|_| verdict.balance.is_some()) else { continue };
            let past = store.past(Checks::One(known.check), (reads_from(now, settings.window_days), now))?;
            let readings = past.get(&known.check).map(Vec::as_slice).unwrap_or_default();
            let foresight = foresee(readings, verdict.currency.as_deref(), settings, now);
            // Of several runs in an hour only one is read here, so what looks like a rise may be an older one.
            verdict.foresight = foresight.map(|foresight| Foresight { top_up: None, ..foresight });
        }
        Ok((memory, found))
    }
}

/// That the config names no such entry, and what to do.
fn absent(name: &str, names: &[String], known: &[Known]) -> String {
    let hint = match text::nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.iter().any(|known| known.name == name) => {
            "runs have looked at it, but it is switched off or has left the config; `balance-alert history` shows its past".to_owned()
        }
        None => format!("it has {}", text::list(names.iter().take(20).map(String::as_str))),
    };
    format!("the config has no enabled entry `{}`\n hint: {hint}", text::one_line(name, 60))
}
