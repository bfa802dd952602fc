//! `balance-alert digest`: tells what a day, a week or a month came to, once for each period, out of the memory of runs alone.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::as_found::{AsFound, read_last};
use super::memory::{failed, leave, open_store};
use super::notify::context;
use super::open::{Opened, complain_all, open, print};
use crate::cli::{CheckArgs, StoreArgs};
use crate::config::{Asked, Needs};
use crate::decide::digest::{Past, Period, abouts, begins, digest};
use crate::decide::forecast::account::{Reading, foresee};
use crate::decide::forecast::reads_from;
use crate::decide::found::{Subjects, found};
use crate::decide::route::{About, Why, route};
use crate::decide::{Found, Telling};
use crate::model::alert::{Alert, Cause, Event, Level, Span, Topic};
use crate::model::identity::Identity;
use crate::model::schedule::Schedule;
use crate::model::text;
use crate::notify::config::Channel;
use crate::notify::{self, Delivery, Dispatch};
use crate::plan::{Plan, PlanError, RunConfig};
use crate::process::exit::Exit;
use crate::process::interrupt::Deadline;
use crate::process::logging;
use crate::process::{Process, clock, file};
use crate::report::digest::{DigestOutput, render};
use crate::report::records;
use crate::state::hourly_readings::Checks;
use crate::state::{self, Access, DigestClaim, Store, StoreError};
use crate::wire::context::Context;

/// Flags of `digest`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// What it is about: the last one that is over, in the time zone of the config
    #[arg(long, value_enum, default_value_t, value_name = "PERIOD")]
    pub period: Span,
    /// Show the digest, send nothing and write nothing down
    #[arg(long, visible_alias = "print")]
    pub dry_run: bool,
    /// Send it though it was sent for this period before
    #[arg(long, conflicts_with = "dry_run")]
    pub again: bool,
    /// The format in which it is shown
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: DigestOutput,
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// How many accounts are asked for with one question to the store.
const AT_ONCE: usize = 200;
/// How long before the period before the balance is looked for that it began with.
const LEAD: Duration = Duration::from_secs(7 * 86_400);
/// A run that nobody can see to be dead may be sending for so much longer than its time.
const CLAIM_MARGIN: Duration = Duration::from_secs(30);

/// `balance-alert digest`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    process.watchdog.expect("the reading of the config", Exit::Config);
    match carry_out(flags, process) {
        Ok((text, exit)) => print(&text, process, exit),
        Err(exit) => exit,
    }
}

fn carry_out(flags: &Flags, process: &Process) -> Result<(String, Exit), Exit> {
    let asked = Asked::Below(&["state", "webhook", "webhooks"]);
    let StoreArgs { config, talk, .. } = &flags.store;
    let Opened { format, source, environment, loaded, .. } = open(config, talk, process.clock, Needs::Checks, asked)?;
    let Some(config) = loaded.config else {
        complain_all(format, &loaded.problems);
        return Err(Exit::Config);
    };
    let Plan { subjects, config, .. } =
        Plan::new(config, &CheckArgs::default(), Schedule::default()).map_err(|error| {
            let (PlanError::Usage { message, .. } | PlanError::Nothing(message)) = error;
            logging::complain(format, &message);
            Exit::Config
        })?;
    let time = config.settings.run_timeout;
    process.watchdog.allow(time);
    file::allow(time);
    process.watchdog.expect("the digest", Exit::Undelivered);
    let access = if flags.dry_run { Access::Read } else { Access::Write };
    let place = (config.state.clone(), &config.redactor);
    let opened = open_store(&flags.store, (access, process.clock), (format, &environment), place)?;
    let (mut store, format, place) = opened.store()?;
    let failed = failed(format, &place);
    let who = ("digest", config.channels.as_slice(), &config.redactor, &config.rules.timezone);
    let context = context(who, &environment, process.clock, format);
    let period = Period::last(flags.period, context.today);
    let recalled = Recalled::of(&mut store, subjects, (&config.rules.timezone, period), &context).map_err(&failed)?;
    if recalled.is_new {
        logging::complain(format, "no run has looked at anything yet\n hint: `balance-alert check` does");
        return Err(Exit::Unknown);
    }
    let past = Past {
        now: context.started_at,
        timezone: &config.rules.timezone,
        period,
        readings: &recalled.readings,
        unread_since: &recalled.unread_since,
    };
    let found = &recalled.found;
    let whole = digest(found, &past, &|_| true);
    let schedule = text::one_line(&source.short_name(), 200);
    let mut sent = Vec::new();
    if !flags.dry_run {
        let tellings = tellings(found, &past, &config, &schedule, &context);
        if tellings.is_empty() {
            log::warn!("nobody is told of the digest: no webhook takes it");
        } else {
            let deadline = Deadline::within(time);
            sent = tell(&mut store, tellings, (flags, &schedule), (&config, &context, period), &deadline)
                .map_err(&failed)?;
        }
    }
    leave(store);
    let is_owed = sent.iter().any(|delivery: &Delivery| delivery.owed() > 0);
    let text = render(&whole, &sent, flags.output, (config.settings.language, &config.rules.timezone));
    Ok((text, if is_owed { Exit::Undelivered } else { Exit::Ok }))
}

/// What the channels are to be told: each of the entries that are routed to it. A service that counts events hears of none, and neither
/// does a channel that hears of what has lasted.
fn tellings(found: &Found, past: &Past, config: &RunConfig, schedule: &str, context: &Context) -> Vec<Telling> {
    let hears = |channel: &&Channel| !channel.is_event_service() && channel.route.after.is_none();
    let channels: Vec<&Channel> = config.channels.iter().filter(hears).collect();
    let routes: Vec<_> = channels.iter().map(|channel| (channel.name.as_str(), &channel.route)).collect();
    let taken = |about: &About| route(&routes, about, Topic::Digest, Level::Warning).iter().map(Why::takes).collect();
    let takers: Vec<Vec<bool>> = abouts(found).iter().map(taken).collect();
    // Channels that hear of the same entries have one digest.
    let mut audiences: BTreeMap<Vec<bool>, Vec<String>> = BTreeMap::new();
    for (at, channel) in channels.iter().enumerate() {
        let wanted: Vec<bool> = takers.iter().map(|takers| takers[at]).collect();
        if wanted.contains(&true) {
            audiences.entry(wanted).or_default().push(channel.id.clone());
        }
    }
    let identity = identity(schedule);
    let mut tellings = Vec::new();
    for (number, (wanted, to)) in audiences.into_iter().enumerate() {
        for (part, told) in digest(found, past, &|at| wanted[at]).told().into_iter().enumerate() {
            let alert = Alert {
                identity,
                event: Event::Raised,
                level: Level::Info,
                project: "digest".to_owned(),
                owner_project: None,
                provider: "digest".to_owned(),
                labels: BTreeMap::new(),
                host: None,
                cause: Cause::Digest(told),
                at: context.started_at,
                unconfirmed: false,
                missed: None,
                since: None,
                is_reminder: false,
                dedup_key: format!("digest-{identity}-{number:02}-{part:02}-{}", context.run_id),
            };
            let (to, later, earlier) = (to.clone(), Vec::new(), BTreeMap::new());
            tellings.push(Telling { alert, to, later, is_owed: false, earlier });
        }
    }
    tellings
}

/// What names the digests of a config.
fn identity(schedule: &str) -> Identity {
    Identity::of("digest", schedule, &[])
}

/// Claims the digest, sends it with what is owed of earlier ones, and marks what became of it.
fn tell(
    store: &mut Store,
    tellings: Vec<Telling>,
    (flags, schedule): (&Flags, &str),
    (config, context, period): (&RunConfig, &Context, Period),
    deadline: &Deadline,
) -> Result<Vec<Delivery>, StoreError> {
    let run = state::Run {
        id: context.run_id.clone(),
        started_at: context.started_at,
        clock: context.clock,
        claims_until: clock::after(context.clock.now(), config.settings.run_timeout + CLAIM_MARGIN),
        is_partial: true,
        shard: None,
        unusable_channels: Vec::new(),
        schedule_name: schedule.to_owned(),
    };
    let claim = DigestClaim {
        identity: identity(schedule),
        span: period.span,
        first: period.first,
        is_again: flags.again,
        channels: config.channels.iter().map(|channel| channel.id.clone()).collect(),
        tellings,
    };
    let (tellings, was_told) = store.claim_digest(run.clone(), claim)?;
    if was_told && !flags.again {
        log::info!("the digest of the {} from {} on was sent before; `--again` sends it once more", period.span.as_str(), period.first);
    }
    let dispatch = Dispatch {
        context,
        channels: &config.channels,
        language: config.settings.language,
        providers: &config.providers,
        max_retries: config.settings.max_retries,
        timeout: config.settings.request_timeout,
        deadline,
        is_dry_run: false,
        is_trial: false,
        keep: None,
    };
    let sent = notify::notify(&dispatch, &tellings);
    let settled = records(&sent).into_iter();
    let settled = settled.filter_map(|record| Some((record.clone(), tellings.get(record.alert)?.alert.clone())));
    store.mark_digest(run, settled.collect())?;
    Ok(sent)
}

/// What the store knows of the entries of a config.
struct Recalled {
    found: Found,
    readings: BTreeMap<Identity, Vec<Reading>>,
    unread_since: HashMap<Identity, Timestamp>,
    /// Whether no run has looked at anything.
    is_new: bool,
}

impl Recalled {
    fn of(
        store: &mut Store,
        mut subjects: Subjects,
        (timezone, period): (&jiff::tz::TimeZone, Period),
        context: &Context,
    ) -> Result<Recalled, StoreError> {
        let (now, today) = (context.started_at, context.today);
        let all = store.status(Timestamp::MIN)?;
        subjects.note(&store.payments()?);
        let memory = store.memory()?;
        let known = |identity: Identity| all.iter().find(|known| known.check == identity);
        let mut unread_since = HashMap::new();
        for one in &all {
            let began = memory.conditions.get(&(one.check, Topic::Failing)).map(|condition| condition.course.began);
            let since = one.last_read.as_ref().map(|last| last.at).or(began);
            unread_since.extend(since.map(|since| (one.check, since)));
        }
        // What no run has looked at is neither read nor failing.
        subjects.accounts.retain(|subject| known(subject.identity).is_some());
        subjects.mailboxes.retain(|mailbox| known(mailbox.identity).is_some());
        let accounts = subjects.accounts.iter().filter_map(|one| Some(read_last(one, known(one.identity)?)));
        let (accounts, outcomes): (Vec<_>, Vec<_>) = accounts.unzip();
        let scans: Vec<_> = subjects.mailboxes.iter().filter_map(|one| known(one.identity).map(|known| AsFound::last(known).scan())).collect();
        let (mailboxes, subscriptions) = (subjects.mailboxes, subjects.subscriptions);
        let mut found = found(Subjects { accounts, mailboxes, subscriptions }, outcomes, scans, today);
        let readings = foresee_all(store, &mut found, clock::before(begins(period.before, timezone), LEAD), now)?;
        Ok(Recalled { found, readings, unread_since, is_new: all.is_empty() })
    }
}

/// Forecasts the accounts as the last runs have read them, and gives all that was read since a time.
fn foresee_all(
    store: &mut Store,
    found: &mut Found,
    since: Timestamp,
    now: Timestamp,
) -> Result<BTreeMap<Identity, Vec<Reading>>, StoreError> {
    let mut readings = BTreeMap::new();
    let mut wanted: Vec<_> = found.accounts.iter_mut().filter(|one| one.subject.forecasting.is_some()).collect();
    wanted.sort_by_key(|verdict| verdict.subject.identity);
    for some in wanted.chunks_mut(AT_ONCE) {
        let (Some(first), Some(last)) = (some.first(), some.last()) else { continue };
        let checks = Checks::Between(first.subject.identity, last.subject.identity);
        let window = some.iter().filter_map(|one| one.subject.forecasting).map(|one| one.window_days).max();
        let past = store.past(checks, (reads_from(now, window.unwrap_or_default()), now))?;
        for verdict in some {
            let (Some(settings), Some(_)) = (verdict.subject.forecasting, verdict.balance) else { continue };
            let own = past.get(&verdict.subject.identity).map(Vec::as_slice).unwrap_or_default();
            verdict.foresight = foresee(own, verdict.currency.as_deref(), settings, now);
        }
        readings.append(&mut store.hourly(checks, (since, now))?);
    }
    Ok(readings)
}
