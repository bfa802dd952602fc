//! The families: every name, type, label and help text, once.

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A value of this moment.
    Gauge,
    /// A sum over all runs.
    Counter,
    /// A distribution over all runs, with these upper bounds in seconds.
    Histogram(&'static [f64]),
}

/// One family of metrics.
#[derive(Debug, PartialEq)]
pub struct Family {
    /// The name without its prefix.
    pub name: &'static str,
    /// The type of the family.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What its values mean, as `HELP` says it.
    pub help: &'static str,
}

/// Bounds for one request, which takes at most 15 s by default.
const REQUEST: Kind = Kind::Histogram(&[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0]);
/// Bounds for a mailbox and for a whole run, which takes at most 120 s by default.
const WHOLE: Kind = Kind::Histogram(&[0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0]);

macro_rules! families {
    ($($id:ident = $name:literal, $kind:expr, [$($label:literal),*], $help:literal;)+) => {
        $(#[doc = $help] pub static $id: Family = Family { name: $name, kind: $kind, labels: &[$($label),*], help: $help };)+
        /// Every family.
        pub static ALL: &[&Family] = &[$(&$id),+];
    };
}

families! {
    EXECUTION = "monitor_execution_time_seconds", WHOLE, [], "Time that runs took.";
    LATENCY = "provider_api_latency_seconds", REQUEST, ["provider", "status"], "Time that requests to providers took.";
    CALLS = "provider_api_calls_total", Kind::Counter, ["provider", "status"], "Requests to providers.";
    SCAN_DURATION = "email_scan_duration_seconds", WHOLE, ["mailbox"], "Time that scans of mailboxes took.";
    DELIVERY = "webhook_delivery_time_seconds", REQUEST, ["webhook_type", "status"], "Time that sending messages took.";
    CACHE_HITS = "cache_hits_total", Kind::Counter, ["cache_type"], "Readings of earlier runs that were used again.";
    CACHE_MISSES = "cache_misses_total", Kind::Counter, ["cache_type"], "Readings fetched because no fresh cached one existed.";
    CONFIG_RELOADS = "config_reload_total", Kind::Counter, [], "Runs that found another config than the run before.";
    ACTIVE = "active_projects_count", Kind::Gauge, [], "Projects that are enabled.";
    FAILED = "failed_checks_total", Kind::Counter, ["project", "provider", "error_type"], "Checks that could not be read.";
    CIRCUIT = "circuit_breaker_state", Kind::Gauge, ["provider"], "Whether requests to a host of the provider are suspended: 0 closed, 1 open.";
    LAG = "background_task_lag_seconds", Kind::Gauge, [], "Start of the run minus the time it was scheduled for.";
    BALANCE = "balance", Kind::Gauge, ["project", "provider", "type"], "What is left, in the account's own unit.";
    THRESHOLD = "threshold", Kind::Gauge, ["project", "provider", "type"], "The threshold below which the balance is critical.";
    RATIO = "ratio", Kind::Gauge, ["project", "provider", "type"], "Balance over threshold.";
    TOTAL = "total", Kind::Gauge, ["project", "provider", "type"], "What there is when nothing was used, where the service tells it.";
    USAGE = "usage", Kind::Gauge, ["project", "provider", "type"], "What was used, where the service tells it.";
    FROZEN = "frozen", Kind::Gauge, ["project", "provider", "type"], "What is there but cannot be used, where the service tells it.";
    RESETS = "resets_timestamp_seconds", Kind::Gauge, ["project", "provider", "type"], "When a quota refills, in seconds since 1970.";
    EXPIRES = "expires_timestamp_seconds", Kind::Gauge, ["project", "provider", "type"], "When the next credit expires, in seconds since 1970.";
    RUNWAY = "runway_days", Kind::Gauge, ["project", "provider", "type"], "Days that the balance lasts at the usual rate, where that can be said.";
    BURN = "burn_per_day", Kind::Gauge, ["project", "provider", "type"], "What is consumed on a usual day, in the account's own unit.";
    LAST_DAY = "last_day_consumed", Kind::Gauge, ["project", "provider", "type"], "What the last 24 hours consumed, scaled to a day, in the account's own unit.";
    UNUSED = "lapsing_unused", Kind::Gauge, ["project", "provider", "type"], "What of the credits that expire will not have been used at the usual rate.";
    DEPLETION = "depletion_timestamp_seconds", Kind::Gauge, ["project", "provider", "type"], "When the balance is used up at the usual rate, in seconds since 1970.";
    STATUS = "status", Kind::Gauge, ["project", "provider", "type"], "1 if the balance is at or above its thresholds, 0 if it is below one.";
    INFO = "project_info", Kind::Gauge, ["project", "provider", "type", "owner_project", "currency"], "Always 1; the owner and the currency or unit of a project are labels.";
    CHECK_SUCCESS = "check_success", Kind::Gauge, ["check_type"], "1 if every check of this type was read, else 0.";
    LAST_CHECK = "last_check_timestamp", Kind::Gauge, ["check_type"], "When checks of this type were last made, in seconds since 1970.";
    SUBSCRIPTION_DAYS = "subscription_days", Kind::Gauge, ["name", "cycle_type"], "Days until the next renewal; less than 0 if it is overdue.";
    SUBSCRIPTION_AMOUNT = "subscription_amount", Kind::Gauge, ["name", "cycle_type"], "What the next renewal costs, in the subscription's own currency.";
    SUBSCRIPTION_STATUS = "subscription_status", Kind::Gauge, ["name", "cycle_type"], "1 if nothing is due, 0 if a renewal is due or overdue.";
    SCANNED = "email_scan_total", Kind::Counter, ["mailbox"], "Mails that were scanned.";
    MAIL_ALERTS = "email_alerts_total", Kind::Counter, ["mailbox"], "Mails that raised an alert.";
    LAST_RUN = "last_run_timestamp_seconds", Kind::Gauge, [], "When the last run ended, in seconds since 1970.";
    LAST_SUCCESS = "last_success_timestamp_seconds", Kind::Gauge, [], "Time of the last fully successful run, in seconds since 1970.";
    PENDING = "alerts_pending", Kind::Gauge, [], "Alerts that are owed to a channel: not delivered, or not known to be.";
    MUTED = "alerts_muted", Kind::Gauge, ["kind"], "Alerts that are not told because they are silenced or acknowledged.";
    MUTE_END = "mute_end_timestamp_seconds", Kind::Gauge, ["number", "kind", "by"], "When a silence or an acknowledgement ends, in seconds since 1970; +Inf for an acknowledgement, which ends when it is over or worse.";
    BUILD = "build_info", Kind::Gauge, ["version", "revision"], "Always 1; version and commit are labels.";
}

/// Whether some family has a label of this name. The group of a Pushgateway must not have the same.
pub(crate) fn is_label(name: &str) -> bool {
    name == "le" || ALL.iter().any(|family| family.labels.contains(&name))
}

impl Family {
    /// The labels and bounds as text. Stored sums with another layout cannot be added to.
    pub fn layout(&self) -> String {
        let bounds: Vec<String> = self.bounds().iter().map(f64::to_string).collect();
        format!("{}|{}", self.labels.join(","), bounds.join(","))
    }

    /// The upper bounds of a histogram's buckets. The last bucket has none and is left out.
    pub fn bounds(&self) -> &'static [f64] {
        match self.kind {
            Kind::Histogram(bounds) => bounds,
            Kind::Gauge | Kind::Counter => &[],
        }
    }
}
