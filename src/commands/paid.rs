//! `balance-alert paid`: somebody has paid a subscription, and the memory of runs keeps that.

use clap::Args;
use jiff::civil::Date;

use super::memory::{Answer, answer, failed, leave, open_store};
use super::open::open_checks;
use crate::check::subscription::config::{Schedule, Subscription};
use crate::check::subscription::{Standing, look};
use crate::cli::StoreArgs;
use crate::model::text;
use crate::process::exit::Exit;
use crate::process::logging;
use crate::process::clock::Clock;
use crate::process::{Process, watchdog};
use crate::state::{Access, Noted};

/// Flags of `paid`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// The name of the subscription
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The day, as 2026-11-15 [default: today]
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub on: Option<Date>,
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Reads a day as configs have it.
fn day(text: &str) -> Result<Date, &'static str> {
    let day = text.parse().ok().filter(|_| text.len() == "2026-11-15".len());
    day.ok_or("it is not a date as 2026-11-15")
}

/// `balance-alert paid`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    answer(process, watchdog::LONGEST, || ask(flags, process.clock))
}

fn ask(flags: &Flags, clock: Clock) -> Answer {
    let (format, environment, config) = open_checks(&flags.store, clock)?;
    let refuse = |why: String| {
        logging::complain(format, &why);
        Exit::Usage
    };
    let name = text::one_line(&flags.name, 60);
    let Some(subscription) = config.subscriptions.iter().find(|one| one.name == flags.name) else {
        return Err(refuse(unknown(&flags.name, &config.subscriptions)));
    };
    let today = clock.now().to_zoned(config.settings.timezone.clone()).date();
    let on = flags.on.unwrap_or(today);
    if on > today {
        return Err(refuse(format!("{on} lies ahead: today is {today}\n hint: a payment is noted when it was made")));
    }
    let schedule = subscription.schedule.as_ref().ok();
    let before = |last: Date, what: &str| {
        refuse(format!("`{name}` was last paid on {last}{what}, after {on}\n hint: only a later payment can be noted"))
    };
    if let Some(last) = schedule.and_then(|schedule| schedule.last_renewed).filter(|last| *last > on) {
        return Err(before(last, " (`last_renewed_date`)"));
    }
    let place = (config.state.clone(), &config.redactor);
    let (mut store, format, place) =
        open_store(&flags.store, (Access::Write, clock), (format, &environment), place)?.store()?;
    let noted = store.note_payment(subscription.identity(), on, clock.now()).map_err(failed(format, &place))?;
    leave(store);
    let known = match noted {
        Noted::Before(last) => return Err(before(last, "")),
        Noted::Known => "it is noted already that ",
        Noted::New => "noted: ",
    };
    let next = schedule.map(|schedule| next(schedule, on, today)).unwrap_or_default();
    Ok((format!("{known}`{name}` was paid on {on}{next}\n"), Exit::Ok))
}

/// What follows from the payment.
fn next(schedule: &Schedule, on: Date, today: Date) -> String {
    let mut schedule = schedule.clone();
    schedule.note(on);
    let renewal = look(schedule.cycle, schedule.alert_days_before, schedule.last_renewed, today);
    let Some(renewal) = renewal else { return String::new() };
    match renewal.standing {
        Standing::Over => String::new(),
        Standing::Overdue => format!("; it is still overdue since {}", renewal.next),
        Standing::Renewed => format!(", for the renewal of {}", renewal.next),
        Standing::Due | Standing::Ok => format!("; it renews next on {}", renewal.next),
    }
}

/// That the config names no such subscription, and what may be meant.
fn unknown(name: &str, subscriptions: &[Subscription]) -> String {
    let names: Vec<&str> = subscriptions.iter().map(|one| one.name.as_str()).collect();
    let hint = match text::nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "it has no subscriptions".to_owned(),
        None => format!("it has {}", text::list(names.iter().take(20).copied())),
    };
    format!("the config has no enabled subscription `{}`\n hint: {hint}", text::one_line(name, 60))
}
