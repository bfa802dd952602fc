//! What a config says under `settings`: how a run behaves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::check::circuit::Circuit;
use crate::decide::config::Alerting;
use crate::model::forecasting::Forecasting;
use crate::model::words::Language;
use crate::process::command::Variables;
use crate::yaml::field::{Number, Variable, fields};
use crate::yaml::forecasting::{RawForecast, USUAL};
use crate::yaml::path::{Part, Step, key, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Text};
use crate::yaml::texts::RawTexts;

/// Most workers, whatever the config says.
pub(super) const MOST_WORKERS: usize = 50;

const WORKERS: Number = Number::within(1, MOST_WORKERS as u32).or(20);
const REQUEST_TIMEOUT: Number = Number::above_zero(600).unit("seconds").or(15);
const RUN_TIMEOUT: Number = Number::above_zero(86_400).unit("seconds").or(120);
const RETRIES: Number = Number::within(0, 10).or(3);
const CACHE_TTL: Number = Number::within(0, 86_400).unit("seconds").or(0);

fields! {
    /// How a run behaves.
    pub(crate) struct RawSettings {
        /// How many checks run at the same time.
        max_concurrent_checks: Lenient<i128>, number = WORKERS, variable = Variable::of("MAX_CONCURRENT_CHECKS");
        /// Longest time for one request, in seconds.
        request_timeout_seconds: Lenient<Decimal>, number = REQUEST_TIMEOUT, variable = Variable::of("REQUEST_TIMEOUT");
        /// Longest time for the whole run, in seconds.
        run_timeout_seconds: Lenient<Decimal>, number = RUN_TIMEOUT;
        /// How often an attempt that failed for a passing reason is repeated.
        max_retries: Lenient<i128>, number = RETRIES;
        /// The language of alerts.
        language: Language, default = "en";
        /// An alert is repeated after this many seconds while its cause lasts. Whole days are calendar days of `timezone`.
        alert_cooldown_seconds: Lenient<Decimal>, number = Alerting::COOLDOWN, variable = Variable::of("ALERT_COOLDOWN_SECONDS");
        /// An alert is repeated sooner once the balance is this many percent below the value last told.
        realert_drop_percent: Lenient<Decimal>, number = Alerting::DROP;
        /// A balance has recovered when it is this many percent above its threshold.
        recovery_margin_percent: Lenient<Decimal>, number = Alerting::MARGIN;
        /// A check that fails in this many runs in a row raises an alert; 0 for never.
        failure_alert_after: Lenient<i128>, number = Alerting::FAILURES;
        /// How long balances last, and when that is an alert.
        forecast: RawForecast;
        /// A reading that is not older than this many seconds is used again; 0 for never.
        response_cache_ttl: Lenient<Decimal>, number = CACHE_TTL;
        /// After this many transient failures in a row a host is not asked for a while; 0 for never.
        circuit_breaker_failures: Lenient<i128>, number = Circuit::FAILURES;
        /// How long such a host is not asked, in seconds.
        circuit_breaker_seconds: Lenient<Decimal>, number = Circuit::OPEN_FOR;
        /// The time zone of the dates of subscriptions and mails, for example Asia/Shanghai.
        timezone: String, default = "UTC", variable = Variable { name: "TZ", note: "the time zone of dates, where the config names none" };
        /// How often providers may be asked, by their ids: `openrouter: 5/minute`, or none.
        rate_limits: BTreeMap<String, Lenient<Text>>, default = "as their pages say";
        /// The variables that commands of the config see beside `PATH`, `HOME` and the like, for example `OP_SERVICE_ACCOUNT_TOKEN`.
        command_variables: RawTexts;
        /// The time between two runs, in seconds, for the lag metric.
        balance_refresh_interval_seconds: Lenient<Decimal>, number = Number::above_zero(31_536_000).unit("seconds");
    }
}

/// How a run behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Checks at the same time, 1 to 50.
    pub max_concurrent_checks: usize,
    /// Longest time for one request.
    pub request_timeout: Duration,
    /// Longest time for the whole run.
    pub run_timeout: Duration,
    /// Repeats after a first attempt, 0 to 10.
    pub max_retries: u32,
    /// Language of alerts.
    pub language: Language,
    /// When and how alerts are repeated.
    pub alerting: Alerting,
    /// How old a reading may be to be used again; zero for never.
    pub response_cache_ttl: Duration,
    /// How accounts are forecast.
    pub forecasting: Forecasting,
    /// When a host is left alone.
    pub circuit: Circuit,
    /// The time between two runs, if that is known.
    pub refresh_interval: Option<Duration>,
    /// The time zone of dates.
    pub timezone: TimeZone,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_concurrent_checks: WORKERS.default() as usize,
            request_timeout: REQUEST_TIMEOUT.default_seconds(),
            run_timeout: RUN_TIMEOUT.default_seconds(),
            max_retries: RETRIES.default(),
            language: Language::default(),
            alerting: Alerting::default(),
            response_cache_ttl: CACHE_TTL.default_seconds(),
            forecasting: USUAL,
            circuit: Circuit::default(),
            refresh_interval: None,
            timezone: TimeZone::UTC,
        }
    }
}

impl Settings {
    /// How old a reading may be to be used again; none if readings are never used again.
    pub(crate) fn keep_readings(&self) -> Option<Duration> {
        Some(self.response_cache_ttl).filter(|ttl| !ttl.is_zero())
    }
}

impl ConfigReader<'_> {
    pub(super) fn settings(&mut self, raw: RawSettings) -> Settings {
        type Raw = RawSettings;
        let at = [key("settings")];
        let workers = self.overlaid(&at, &Raw::max_concurrent_checks, raw.max_concurrent_checks);
        // More workers than are allowed are no mistake: the run goes on with fewer.
        let (workers, warning) = match workers {
            Some(wanted) if wanted > MOST_WORKERS as i128 => cap_workers(wanted.min(u32::MAX.into()) as usize),
            _ => (self.whole_of(&at, &Raw::max_concurrent_checks, workers) as usize, None),
        };
        self.warnings.extend(warning);
        let alerting = Alerting {
            cooldown: self.seconds(&at, &Raw::alert_cooldown_seconds, raw.alert_cooldown_seconds),
            realert_drop_percent: self.decimal(&at, &Raw::realert_drop_percent, raw.realert_drop_percent),
            recovery_margin_percent: self.decimal(&at, &Raw::recovery_margin_percent, raw.recovery_margin_percent),
            failure_alert_after: self.whole(&at, &Raw::failure_alert_after, raw.failure_alert_after),
        };
        let interval = raw.balance_refresh_interval_seconds;
        self.command_variables(&under(&at, Raw::command_variables.name), raw.command_variables);
        Settings {
            max_concurrent_checks: workers,
            request_timeout: self.seconds(&at, &Raw::request_timeout_seconds, raw.request_timeout_seconds),
            run_timeout: self.seconds(&at, &Raw::run_timeout_seconds, raw.run_timeout_seconds),
            max_retries: self.whole(&at, &Raw::max_retries, raw.max_retries),
            language: raw.language.unwrap_or_default(),
            alerting,
            response_cache_ttl: self.seconds(&at, &Raw::response_cache_ttl, raw.response_cache_ttl),
            forecasting: self.forecasting(&at, raw.forecast, USUAL),
            circuit: Circuit {
                failures: self.whole(&at, &Raw::circuit_breaker_failures, raw.circuit_breaker_failures),
                open_for: self.seconds(&at, &Raw::circuit_breaker_seconds, raw.circuit_breaker_seconds),
            },
            refresh_interval: self.time(&at, &Raw::balance_refresh_interval_seconds, interval),
            timezone: self.timezone(&under(&at, Raw::timezone.name), raw.timezone),
        }
    }

    /// The variables that commands see, with their values. What is not set they do not see either.
    fn command_variables(&mut self, path: &[Step], names: Option<RawTexts>) {
        let mut variables = Variables::new();
        let names = names.map(|names| names.0).unwrap_or_default();
        if names.iter().any(|name| name.is_empty() || name.contains(['=', '\0', '$'])) {
            let hint = Some("write the name alone, as `OP_SERVICE_ACCOUNT_TOKEN`".to_owned());
            self.problem(path, Part::Value, "`command_variables` holds what is no name of a variable", hint);
            return;
        }
        for name in names {
            if let Some(value) = self.environment.get(&name) {
                self.redactor.suspect(value);
                variables.insert(name, value.into());
            }
        }
        self.commands.variables = Arc::new(variables);
    }

    /// The zone that the config names, else the variable `TZ`, else UTC.
    fn timezone(&mut self, path: &[Step], name: Option<String>) -> TimeZone {
        // `TZ` may begin with a colon, or spell out the rules of POSIX.
        let posix = |name: &str| TimeZone::posix(name).ok();
        if let Some(name) = name {
            let zone = name.trim_start_matches(':');
            return self.zone(zone, "`settings`").or_else(|| posix(zone)).unwrap_or_else(|| {
                let hint = Some("for example `Asia/Shanghai` or `UTC`".to_owned());
                let message = match self.shown_zone(&name) {
                    Some(name) => format!("there is no time zone `{name}`"),
                    None => "`timezone` names no time zone".to_owned(),
                };
                self.problem(path, Part::Value, message, hint);
                TimeZone::UTC
            });
        }
        let Some(name) = self.environment.overlay("TZ") else { return TimeZone::UTC };
        let zone = name.trim_start_matches(':');
        self.zone(zone, "the variable `TZ`").or_else(|| posix(zone)).unwrap_or_else(|| {
            let shown = self.shown_zone(name).map(|name| format!(" (`{name}`)")).unwrap_or_default();
            self.warnings.push(format!("the variable `TZ` names no time zone{shown}: going on with UTC"));
            TimeZone::UTC
        })
    }
}

/// The number of workers that is allowed, with a warning where it is not the one asked for.
pub(crate) fn cap_workers(wanted: usize) -> (usize, Option<String>) {
    if wanted <= MOST_WORKERS {
        return (wanted, None);
    }
    let warning =
        format!("{wanted} concurrent checks are asked for, {MOST_WORKERS} are allowed: going on with {MOST_WORKERS}");
    (MOST_WORKERS, Some(warning))
}
