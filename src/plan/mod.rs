//! What this run will do: which checks, on how many workers, for how long. No network.

mod insecure;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::check::account::Account;
use crate::check::account::config::Project;
use crate::check::account::page::Kind;
use crate::check::circuit::Circuit;
use crate::check::mailbox::config::{EmailSettings, Mailbox};
use crate::check::subscription::config::Subscription;
use crate::cli::{CheckArgs, Only};
use crate::config::Config;
use crate::decide::{Listener, Rules, Subject};
use crate::model::failure::{Failure, Reason};
use crate::model::identity::Identity;
use crate::model::shard::Shard;
use crate::model::text;
use crate::model::words::{BalanceType, Language};
use crate::notify::config::Channel;
use crate::process::redact::Redactor;
use crate::publish::config::Metrics;
use crate::state::config::State;
use crate::wire::limit::Limit;

/// The label that keeps the metrics of shards apart.
const SHARD_LABEL: &str = "shard";

/// Everything a run is going to do.
pub struct Plan {
    /// The checks, in the order of the config.
    pub checks: Vec<Check>,
    /// The subscriptions, in the order of the config.
    pub subscriptions: Vec<Subscription>,
    /// The mailboxes, in the order of the config.
    pub mailboxes: Vec<Mailbox>,
    /// How mailboxes are read.
    pub email: EmailSettings,
    /// The time zone of dates.
    pub timezone: TimeZone,
    /// Where alerts go.
    pub channels: Vec<Channel>,
    /// Threads that check at the same time; at most the number of checks.
    pub workers: usize,
    /// Longest time for the whole run.
    pub run_timeout: Duration,
    /// Longest time for one request to a channel.
    pub request_timeout: Duration,
    /// Repeats after a first attempt.
    pub max_retries: u32,
    /// Language of alerts.
    pub language: Language,
    /// Knows every secret.
    pub redactor: Arc<Redactor>,
    /// What works, but not as asked.
    pub warnings: Vec<String>,
    /// Where runs keep what they remember.
    pub state: State,
    /// When alerts are sent and repeated.
    pub rules: Rules,
    /// How old a reading may be to be used again; none for never.
    pub keep_readings: Option<Duration>,
    /// When a host is left alone.
    pub circuit: Circuit,
    /// How often providers may be asked, by their ids.
    pub rate_limits: BTreeMap<String, Limit>,
    /// Which part of all checks this is, if several runs share them.
    pub shard: Option<Shard>,
    /// Whether flags leave checks out.
    pub is_partial: bool,
    /// What Prometheus sees.
    pub metrics: Metrics,
    /// The time between two runs, if that is known.
    pub refresh_interval: Option<Duration>,
    /// A hash of the config's text.
    pub config_fingerprint: String,
}

/// One check.
pub struct Check {
    /// What it is about.
    pub subject: Subject,
    /// How to read it, or why it cannot be read.
    pub account: Result<Account, Failure>,
}

impl Plan {
    /// The plan for a config, the flags of `check`, and the part of all checks that is wanted.
    ///
    /// # Errors
    /// What is wrong with the selection: a usage error, except that nothing is left to do.
    pub fn new(config: &Config, args: &CheckArgs, shard: Option<Shard>) -> Result<Plan, PlanError> {
        let selected = select(config, args)?;
        let is_wanted = |kind: Only| args.projects.is_empty() && args.only.is_none_or(|only| only == kind);
        let subscriptions = if is_wanted(Only::Subscriptions) { config.subscriptions() } else { &[] };
        let mailboxes = if is_wanted(Only::Mailboxes) { config.mailboxes() } else { &[] };
        if selected.is_empty() && subscriptions.is_empty() && mailboxes.is_empty() {
            let what = args.only.map_or("projects", Only::as_str);
            return Err(PlanError::Nothing(format!("there is nothing to do: the config has no {what} to check")));
        }
        if shard.is_some() && config.metrics().textfile.is_some() {
            let message =
                "`--shard` does not go with `metrics.textfile`: shards would write over each other's".to_owned();
            let hint = Some("push to a Pushgateway, where each shard has a group of its own".to_owned());
            return Err(PlanError::Usage { message, hint });
        }
        let is_ours = |check| shard.is_none_or(|shard: Shard| shard.has(check));
        let subscriptions: Vec<Subscription> =
            subscriptions.iter().filter(|subscription| is_ours(subscription.identity())).cloned().collect();
        let mailboxes: Vec<Mailbox> = mailboxes.iter().filter(|mailbox| is_ours(mailbox.identity())).cloned().collect();
        let checks = selected.into_iter().map(|project| (project, identity(project)));
        let checks: Vec<Check> = checks
            .filter(|(_, identity)| is_ours(*identity))
            .map(|(project, identity)| check(project, identity))
            .collect();
        let mut metrics = config.metrics().clone();
        if let (Some(shard), Some(gateway)) = (shard, &mut metrics.gateway) {
            gateway.grouping.insert(SHARD_LABEL.to_owned(), shard.index().to_string());
        }
        let settings = config.settings();
        let mut state = config.state().clone();
        if let Some(flag) = &args.state {
            state.place = Ok(crate::config::chosen_place(flag).map_err(usage)?);
        }
        let run_timeout = args.timeout.unwrap_or(settings.run_timeout);
        let mut accounts: BTreeMap<&str, usize> = BTreeMap::new();
        for check in &checks {
            *accounts.entry(&check.subject.provider).or_default() += 1;
        }
        let crowded = config.rate_limits().iter().filter_map(|(provider, limit)| {
            let accounts = accounts.get(provider.as_str()).copied().unwrap_or_default();
            let most = limit.most_within(run_timeout);
            (accounts > most).then(|| {
                let seconds = text::seconds(run_timeout);
                format!("{accounts} accounts of `{provider}` at {limit} do not fit into a run of {seconds} s: some cannot be read")
            })
        });
        let crowded: Vec<String> = crowded.collect();
        let (wanted, warning) = crate::config::cap_workers(args.concurrency.unwrap_or(settings.max_concurrent_checks));
        Ok(Plan {
            workers: wanted.min(checks.len() + mailboxes.len()),
            subscriptions,
            mailboxes,
            email: EmailSettings { days: args.email_days.unwrap_or(config.email().days), ..config.email() },
            timezone: settings.timezone.clone(),
            checks,
            channels: config.channels().to_vec(),
            run_timeout,
            request_timeout: settings.request_timeout,
            max_retries: settings.max_retries,
            language: settings.language,
            redactor: Arc::clone(config.redactor()),
            warnings: config.warnings().iter().cloned().chain(warning).chain(crowded).collect(),
            state,
            rules: Rules {
                alerting: settings.alerting.clone(),
                listeners: config.channels().iter().map(listener).collect(),
                timezone: settings.timezone.clone(),
            },
            keep_readings: (!args.no_cache && !settings.response_cache_ttl.is_zero())
                .then_some(settings.response_cache_ttl),
            circuit: settings.circuit,
            rate_limits: config.rate_limits().clone(),
            shard,
            metrics,
            refresh_interval: settings.refresh_interval,
            config_fingerprint: config.fingerprint().to_owned(),
            is_partial: !args.projects.is_empty() || args.only.is_some(),
        })
    }
}

fn listener(channel: &Channel) -> Listener {
    Listener { id: channel.id.clone(), wants_over: channel.send_resolved }
}

fn usage(message: String) -> PlanError {
    PlanError::Usage { message, hint: None }
}

/// Why there is no plan.
#[derive(Debug, PartialEq, Eq)]
pub enum PlanError {
    /// The flags name something that is not there.
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The selection is empty.
    Nothing(String),
}

fn select<'c>(config: &'c Config, args: &CheckArgs) -> Result<Vec<&'c Project>, PlanError> {
    let projects = config.projects();
    for name in &args.projects {
        if projects.iter().any(|project| project.name == *name) {
            continue;
        }
        let names: Vec<&str> = projects.iter().map(|project| project.name.as_str()).collect();
        let mut near: Vec<&str> = names
            .iter()
            .copied()
            .filter(|known| {
                text::nearest(name, [*known]).is_some() || known.to_lowercase().contains(&name.to_lowercase())
            })
            .collect();
        near.truncate(5);
        let hint = if near.is_empty() {
            format!("enabled projects: {}", text::list(names.into_iter().take(20)))
        } else {
            format!("did you mean {}?", near.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" or "))
        };
        return Err(PlanError::Usage { message: format!("no enabled project is named `{name}`"), hint: Some(hint) });
    }
    if args.only.is_some_and(|only| only != Only::Projects) {
        return Ok(Vec::new());
    }
    let wanted = |project: &&Project| args.projects.is_empty() || args.projects.contains(&project.name);
    Ok(projects.iter().filter(wanted).collect())
}

fn check(project: &Project, identity: Identity) -> Check {
    let page = &project.page;
    let account = project.account.clone();
    let subject = Subject {
        identity,
        name: project.name.clone(),
        owner_project: project.owner_project.clone(),
        provider: page.id.clone(),
        is_remote: page.request.file.is_none(),
        host: account.as_ref().ok().and_then(|account| account.target.host()),
        kind: project.kind.unwrap_or(match page.kind {
            Kind::Balance => BalanceType::Balance,
            Kind::Credits | Kind::Quota => BalanceType::Credits,
        }),
        threshold: project.threshold,
        warning_threshold: project.warning_threshold,
        currency: project.currency.clone().or_else(|| page.currency.clone()),
    };
    Check { subject, account: account.map_err(|why| Failure::new(Reason::Config, why)) }
}

/// What names the account: the provider, where it is asked, and the options as they are written.
fn identity(project: &Project) -> Identity {
    let base = project.base_url.as_ref().map(ToString::to_string).unwrap_or_default();
    let options = project.options.iter().map(|(name, value)| format!("{name}={value}"));
    let account: Vec<String> = [project.page.id.clone(), base].into_iter().chain(options).collect();
    Identity::of("project", &project.name, &account.iter().map(String::as_str).collect::<Vec<_>>())
}
