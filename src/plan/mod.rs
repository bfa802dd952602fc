//! What this run will do: which checks, on how many workers, for how long. No network.

mod insecure;

pub(crate) use self::insecure::insecure_channels;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::check::account::Account;
use crate::check::account::config::Project;
use crate::check::account::page::Kind;
use crate::check::look::{NamedAccount, Work};
use crate::check::mailbox::config::{EmailSettings, Mailbox};
use crate::check::mailbox::vendor::Vendors;
use crate::check::subscription::config::Subscription;
use crate::cli::{CheckArgs, Only};
use crate::config::{Config, Settings, cap_workers};
use crate::decide::found::{MailboxSubject, Subjects};
use crate::decide::{Listener, Rules, Subject};
use crate::model::failure::{Failure, Reason};
use crate::model::identity::Identity;
use crate::model::schedule::Schedule;
use crate::model::shard::Shard;
use crate::model::text;
use crate::model::words::BalanceType;
use crate::notify::Provider;
use crate::notify::config::Channel;
use crate::process::redact::Redactor;
use crate::publish::config::Metrics;
use crate::publish::healthchecks::config::Healthchecks;
use crate::state::config::State;
use crate::wire::limit::Limit;

/// The label that keeps the metrics of shards apart.
const SHARD_LABEL: &str = "shard";

/// Everything a run is going to do.
pub(crate) struct Plan {
    /// The checks, which looking consumes.
    pub work: Work,
    /// What the checks are about, in their order.
    pub subjects: Subjects,
    /// What the other steps read, to the end of the run.
    pub config: RunConfig,
}

/// The part of the config that is read to the end of a run, with the flags applied.
pub(crate) struct RunConfig {
    /// Where alerts go.
    pub channels: Vec<Channel>,
    /// What messages say of the providers of the accounts, by their ids.
    pub providers: Arc<BTreeMap<String, Provider>>,
    /// How the run behaves.
    pub settings: Settings,
    /// Knows every secret.
    pub redactor: Arc<Redactor>,
    /// Warnings about what works, but not as it was asked for.
    pub warnings: Vec<String>,
    /// Where runs keep what they remember.
    pub state: State,
    /// When alerts are sent and repeated, and in which time zone days begin.
    pub rules: Rules,
    /// How old the readings may be that the run begins with: longer than the settings say, if a page wants longer times between two
    /// questions.
    pub recall_readings: Option<Duration>,
    /// Which part of all checks this is, if several runs share them.
    pub shard: Option<Shard>,
    /// Whether flags leave checks out.
    pub is_partial: bool,
    /// What Prometheus sees.
    pub metrics: Metrics,
    /// What hears that the run happens.
    pub healthchecks: Option<Healthchecks>,
    /// A hash of the config's text.
    pub config_fingerprint: String,
}

impl Plan {
    /// The plan for a config, the flags of `check`, and the part of all checks that is wanted.
    ///
    /// # Errors
    /// What is wrong with the selection: a usage error, except that nothing is left to do.
    pub(crate) fn new(config: Config, args: &CheckArgs, schedule: Schedule) -> Result<Plan, PlanError> {
        let shard = schedule.shard;
        let Config { rate_limits, channels, projects, subscriptions, mailboxes, .. } = config;
        let settings = with_flags(config.settings, args);
        let vendors = if mailboxes.is_empty() { Vendors::default() } else { vendors(&projects) };
        let all_mailboxes = mailboxes.clone();
        let selected = Selected::of(projects, mailboxes, subscriptions, args)?;
        let metrics = sharded(config.metrics, shard)?;
        let mut state = config.state;
        if let Some(flag) = &args.state {
            state.place = Ok(crate::config::chosen_place(flag).map_err(usage)?);
        }
        let Selected { projects, mailboxes, subscriptions, left_out } = selected.only_of(shard);
        let providers = Arc::new(providers(&projects, &config.redactor));
        let (wanted, warning) = cap_workers(settings.max_concurrent_checks);
        let crowded = crowded(&projects, &rate_limits, settings.run_timeout);
        let intervals = projects.iter().filter_map(|(project, _)| project.account.as_ref().ok()?.min_interval());
        let recall_readings = settings.keep_readings().max(intervals.max().filter(|_| !args.no_cache));
        let for_accounts = for_accounts(&projects, &mailboxes, &all_mailboxes);
        let mailbox_subjects = mailboxes.iter().map(MailboxSubject::of).collect();
        let (subjects, accounts): (Vec<Subject>, Vec<NamedAccount>) =
            projects.into_iter().map(|(project, identity)| check(project, identity, &all_mailboxes)).unzip();
        Ok(Plan {
            work: Work {
                workers: wanted.min(accounts.len() + mailboxes.len() + for_accounts.len()),
                accounts,
                mailboxes,
                for_accounts,
                vendors,
                email: EmailSettings { days: args.email_days.unwrap_or(config.email.days), ..config.email },
                max_retries: settings.max_retries,
                circuit: settings.circuit,
                rate_limits,
            },
            subjects: Subjects { accounts: subjects, mailboxes: mailbox_subjects, subscriptions },
            config: RunConfig {
                redactor: config.redactor,
                warnings: config.warnings.into_iter().chain(warning).chain(crowded).collect(),
                state,
                rules: Rules {
                    alerting: settings.alerting.clone(),
                    listeners: channels.iter().map(listener).collect(),
                    timezone: settings.timezone.clone(),
                    schedule,
                    left_out,
                },
                settings,
                channels,
                recall_readings,
                providers,
                shard,
                is_partial: !args.projects.is_empty() || args.only.is_some(),
                metrics,
                healthchecks: config.healthchecks,
                config_fingerprint: config.fingerprint,
            },
        })
    }
}

/// What messages say of the providers of the projects, by their ids. A page of the user's own may hold a secret.
fn providers(projects: &[(Project, Identity)], redactor: &Redactor) -> BTreeMap<String, Provider> {
    let mut providers = BTreeMap::new();
    for (Project { page, .. }, _) in projects {
        if !providers.contains_key(&page.id) {
            let top_up = page.top_up.as_deref().filter(|link| matches!(redactor.shield(link), Cow::Borrowed(_)));
            providers.insert(page.id.clone(), Provider::new(&page.title, top_up));
        }
    }
    providers
}

/// The settings of a run: what a flag says goes before what the config says.
fn with_flags(settings: Settings, args: &CheckArgs) -> Settings {
    Settings {
        run_timeout: args.timeout.unwrap_or(settings.run_timeout),
        max_concurrent_checks: args.concurrency.unwrap_or(settings.max_concurrent_checks),
        response_cache_ttl: if args.no_cache { Duration::ZERO } else { settings.response_cache_ttl },
        ..settings
    }
}

/// The checks that a run is about.
struct Selected {
    projects: Vec<(Project, Identity)>,
    mailboxes: Vec<Mailbox>,
    subscriptions: Vec<Subscription>,
    /// The accounts and mailboxes of the config that are left out.
    left_out: HashSet<Identity>,
}

impl Selected {
    /// The checks that the flags do not leave out.
    fn of(
        projects: Vec<Project>,
        mut mailboxes: Vec<Mailbox>,
        mut subscriptions: Vec<Subscription>,
        args: &CheckArgs,
    ) -> Result<Selected, PlanError> {
        let mut left_out: HashSet<Identity> = HashSet::new();
        if !args.projects.is_empty() || args.only.is_some() {
            left_out.extend(projects.iter().map(identity).chain(mailboxes.iter().map(Mailbox::identity)));
        }
        let projects = select(projects, args)?;
        let is_wanted = |kind: Only| args.projects.is_empty() && args.only.is_none_or(|only| only == kind);
        if !is_wanted(Only::Mailboxes) {
            mailboxes.clear();
        }
        if !is_wanted(Only::Subscriptions) {
            subscriptions.clear();
        }
        if projects.is_empty() && subscriptions.is_empty() && mailboxes.is_empty() {
            let what = args.only.map_or("projects", Only::as_str);
            return Err(PlanError::Nothing(format!("there is nothing to do: the config has no {what} to check")));
        }
        let projects = projects.into_iter().map(|project| {
            let identity = identity(&project);
            (project, identity)
        });
        let projects: Vec<(Project, Identity)> = projects.collect();
        let chosen = projects.iter().map(|(_, identity)| *identity).chain(mailboxes.iter().map(Mailbox::identity));
        let chosen: HashSet<Identity> = chosen.collect();
        left_out.retain(|identity| !chosen.contains(identity));
        Ok(Selected { projects, mailboxes, subscriptions, left_out })
    }

    /// The checks of one shard.
    fn only_of(mut self, shard: Option<Shard>) -> Selected {
        if let Some(shard) = shard {
            let left_out = &mut self.left_out;
            let mut is_ours = |identity: Identity| {
                let is_ours = shard.has(identity);
                if !is_ours {
                    left_out.insert(identity);
                }
                is_ours
            };
            self.projects.retain(|(_, identity)| is_ours(*identity));
            self.mailboxes.retain(|mailbox| is_ours(mailbox.identity()));
            self.subscriptions.retain(|subscription| shard.has(subscription.identity()));
        }
        self
    }
}

/// The mailboxes that accounts of this run need and that it does not watch.
fn for_accounts(projects: &[(Project, Identity)], watched: &[Mailbox], all: &[Mailbox]) -> Vec<Mailbox> {
    let needs = |project: &Project, mailbox: &Mailbox| {
        project.account.as_ref().ok().and_then(Account::letters).is_some_and(|own| own.mailbox == mailbox.name)
    };
    let is_watched = |mailbox: &Mailbox| watched.iter().any(|other| other.name == mailbox.name);
    let is_needed = |mailbox: &&Mailbox| projects.iter().any(|(project, _)| needs(project, mailbox));
    all.iter().filter(|mailbox| !is_watched(mailbox)).filter(is_needed).cloned().collect()
}

/// The accounts of a config by the senders of their mails. Those that the run leaves out count as well: a mail is about one of them all
/// the same.
pub(crate) fn vendors(projects: &[Project]) -> Vendors {
    let mut vendors = Vendors::default();
    for project in projects {
        // Who is asked at an address of one's own is another one than the vendor of the page.
        let hosts = match &project.base_url {
            Some(base) => base.host_str().map(str::to_owned).into_iter().collect(),
            None => project.page.vendor_hosts(),
        };
        let hosts = hosts.iter().map(String::as_str);
        vendors.add(&project.name, project.account.as_ref().ok(), &project.mail_from, hosts);
    }
    vendors
}

/// The metrics of a shard, which has a group of its own in a Pushgateway.
fn sharded(mut metrics: Metrics, shard: Option<Shard>) -> Result<Metrics, PlanError> {
    let Some(shard) = shard else { return Ok(metrics) };
    if metrics.textfile.is_some() {
        let message = "`--shard` does not go with `metrics.textfile`: shards would write over each other's".to_owned();
        let hint = Some("push to a Pushgateway, where each shard has a group of its own".to_owned());
        return Err(PlanError::Usage { message, hint });
    }
    if let Some(gateway) = &mut metrics.gateway {
        gateway.grouping.insert(SHARD_LABEL.to_owned(), shard.index().to_string());
    }
    Ok(metrics)
}

/// A warning for each provider whose rate limit leaves no time for all of its accounts.
fn crowded(
    projects: &[(Project, Identity)],
    rate_limits: &BTreeMap<String, Limit>,
    run_timeout: Duration,
) -> Vec<String> {
    let mut accounts: BTreeMap<&str, usize> = BTreeMap::new();
    for (project, _) in projects {
        *accounts.entry(&project.page.id).or_default() += 1;
    }
    let warning = |(provider, limit): (&String, &Limit)| {
        let accounts = accounts.get(provider.as_str()).copied().unwrap_or_default();
        let most = limit.most_within(run_timeout);
        (accounts > most).then(|| {
            let seconds = text::seconds(run_timeout);
            format!("{accounts} accounts of `{provider}` at {limit} do not fit into a run of {seconds} s: some cannot be read")
        })
    };
    rate_limits.iter().filter_map(warning).collect()
}

fn listener(channel: &Channel) -> Listener {
    Listener {
        id: channel.id.clone(),
        name: channel.name.clone(),
        route: channel.route.clone(),
        active: channel.active.clone(),
        wants_over: channel.send_resolved,
        forgets: channel.forgets(),
        counts_events: channel.is_event_service(),
    }
}

fn usage(message: String) -> PlanError {
    PlanError::Usage { message, hint: None }
}

/// Why there is no plan.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PlanError {
    /// The flags name something that is not there.
    Usage { message: String, hint: Option<String> },
    /// The flags leave nothing to check.
    Nothing(String),
}

/// The projects that the flags do not leave out.
fn select(mut projects: Vec<Project>, args: &CheckArgs) -> Result<Vec<Project>, PlanError> {
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
    projects.retain(|project| args.projects.is_empty() || args.projects.contains(&project.name));
    Ok(projects)
}

/// What the check of a project is about, and how its account is read.
fn check(project: Project, identity: Identity, mailboxes: &[Mailbox]) -> (Subject, NamedAccount) {
    let page = &project.page;
    let account = project.account;
    let subject = Subject {
        identity,
        name: project.name.clone(),
        provider: page.id.clone(),
        is_remote: page.file().is_none(),
        host: account.as_ref().ok().and_then(|account| host(account, mailboxes)),
        kind: project.kind.unwrap_or(match page.kind {
            Kind::Balance | Kind::Spend => BalanceType::Balance,
            Kind::Credits | Kind::Quota => BalanceType::Credits,
        }),
        threshold: project.threshold.and_then(|threshold| threshold.amount(None)),
        warning_threshold: project.warning_threshold.and_then(|threshold| threshold.amount(None)),
        written: [project.threshold, project.warning_threshold],
        forecasting: Some(project.forecasting).filter(|_| page.kind != Kind::Quota),
        currency: project.currency.clone().or_else(|| page.counted_in().map(str::to_owned)),
        owner_project: project.owner_project,
        addressing: project.addressing,
    };
    let account = account.map_err(|why| Failure::new(Reason::Config, why));
    (subject, NamedAccount { identity, name: project.name, account })
}

/// The host that tells a balance: the one that is asked, or that of the mailbox.
fn host(account: &Account, mailboxes: &[Mailbox]) -> Option<String> {
    match account.letters() {
        Some(letters) => {
            mailboxes.iter().find(|mailbox| mailbox.name == letters.mailbox).map(|mailbox| mailbox.address.host.clone())
        }
        None => account.target.host(),
    }
}

/// What names the account: the provider, where it is asked, and the options as they are written.
fn identity(project: &Project) -> Identity {
    let base = project.base_url.as_ref().map(ToString::to_string).unwrap_or_default();
    let options = project.options.iter().map(|(name, value)| format!("{name}={value}"));
    let source = project.account.as_ref().ok().and_then(|account| account.target.source());
    let account: Vec<String> = [project.page.id.clone(), base].into_iter().chain(options).chain(source).collect();
    Identity::of("project", &project.name, &account.iter().map(String::as_str).collect::<Vec<_>>())
}
