//! `balance-alert status`: the last known state of every check.

mod renewals;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use self::renewals::RenewalEntry;
pub(super) use self::renewals::totals_of;
use super::health::ago;
use super::mails_told::{self, MailEntry, age_seconds};
use super::memory::{Answer, answer, failed, find, leave};
use crate::cli::StoreArgs;
use crate::decide::Status;
use crate::decide::forecast::account::{Foresight, foresee};
use crate::decide::forecast::reads_from;
use crate::decide::memory::Mute;
use crate::model::amount;
use crate::model::identity::Identity;
use crate::model::text::{self, ShortNames};
use crate::process::clock::{self, Clock, iso};
use crate::process::exit::Exit;
use crate::process::{Process, watchdog};
use crate::report::mutes::{self, MuteEntry};
use crate::report::{ListOutput, Outlook, Total, TotalEntry, amount_cell, columns, outlook_note, painted_columns};
use crate::state::hourly_readings::Checks;
use crate::state::queries::{Known, MailTold};
use crate::state::{ChannelState, KeptRenewal, Store, StoreError};
use crate::yaml::forecasting::USUAL;

/// Flags of `status`.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Flags {
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Include checks not seen for 7 days (for example removed from the config)
    #[arg(long)]
    pub all: bool,
    /// The format of the answer
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
}

/// Without `--all`, checks that no run has looked at for this long are left out: they have probably left the config.
pub(super) const FORGOTTEN: Duration = Duration::from_secs(7 * 86_400);

/// The most checks of which it is said how long their balances last: their past must be read.
const MOST_FORECASTS: usize = 500;

/// `balance-alert status`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    answer(process, watchdog::LONGEST, || ask(flags, process.clock))
}

fn ask(args: &Flags, clock: Clock) -> Answer {
    let (mut store, format, place) = find(&args.store, clock)?.store()?;
    let now = clock.now();
    let all = store.status(Timestamp::MIN).map_err(failed(format, &place))?;
    let mutes = store.mutes().map_err(failed(format, &place))?;
    let channels = store.channel_states().map_err(failed(format, &place))?;
    let newest = all.iter().map(|known| known.checked_at).max().unwrap_or(now);
    let mails = store.mails_told(clock::before(newest, FORGOTTEN)).map_err(failed(format, &place))?;
    let since = if args.all { Timestamp::MIN } else { clock::before(newest, FORGOTTEN) };
    let total = all.len();
    let shown: Vec<_> = all.into_iter().filter(|known| known.checked_at >= since).collect();
    let foresights = foresee_all(&mut store, &shown, now).map_err(failed(format, &place))?;
    let renewals = store.renewals().map_err(failed(format, &place))?;
    leave(store);
    let beside = Beside { mutes: &mutes, channels: &channels, mails: &mails, foresights: &foresights, renewals: &renewals };
    Ok((render((&shown, total - shown.len()), &beside, now, args.output), Exit::Ok))
}

/// How long the balances last that are read now; nothing if there are so many that the answer would take long.
fn foresee_all(
    store: &mut Store,
    shown: &[Known],
    now: Timestamp,
) -> Result<BTreeMap<Identity, Foresight>, StoreError> {
    let is_read = |known: &&Known| known.balance.is_some();
    if shown.len() > MOST_FORECASTS || !shown.iter().any(|known| is_read(&known)) {
        return Ok(BTreeMap::new());
    }
    let past = store.past(Checks::All, (reads_from(now, USUAL.window_days), now))?;
    let foresight = |known: &Known| {
        let readings = past.get(&known.check)?;
        Some((known.check, foresee(readings, known.currency.as_deref(), USUAL, now)?))
    };
    Ok(shown.iter().filter(is_read).filter_map(foresight).collect())
}

#[derive(Serialize)]
struct Project<'a> {
    name: &'a str,
    owner_project: Option<&'a str>,
    provider: &'a str,
    r#type: &'a str,
    currency: Option<&'a str>,
    status: &'a str,
    balance: Option<Box<RawValue>>,
    threshold: Option<Box<RawValue>>,
    reason: Option<&'a str>,
    checked_at: String,
    failed_runs: i64,
    last_balance: Option<Box<RawValue>>,
    last_currency: Option<&'a str>,
    last_read_at: Option<String>,
    as_of: Option<String>,
    age_seconds: Option<i64>,
    told_at: Option<String>,
    pending_alerts: usize,
    mails: Vec<MailEntry<'a>>,
    #[serde(flatten)]
    outlook: Outlook,
    /// What the last run found of a subscription.
    #[serde(flatten)]
    renewal: Option<RenewalEntry>,
}

/// What stands beside the checks.
struct Beside<'a> {
    mutes: &'a [Mute],
    channels: &'a [ChannelState],
    mails: &'a [MailTold],
    /// How long balances last.
    foresights: &'a BTreeMap<Identity, Foresight>,
    /// What the last runs found of subscriptions.
    renewals: &'a HashMap<Identity, KeptRenewal>,
}

#[derive(Serialize)]
struct ChannelEntry<'a> {
    channel: &'a str,
    last_delivered_at: Option<String>,
    owed: usize,
    refusing_since: Option<String>,
}

/// `left_out` is the number of checks that are not shown.
fn render((known, left_out): (&[Known], usize), beside: &Beside, now: Timestamp, output: ListOutput) -> String {
    match output {
        ListOutput::Json => json(known, beside, now),
        ListOutput::Table => {
            let mutes = if beside.mutes.is_empty() { String::new() } else { format!("\n{}", mutes::table(beside.mutes)) };
            let costs = renewals::totals_of(known, beside.renewals).iter().map(|total| total.line() + "\n").collect::<String>();
            table((known, left_out), beside, now) + &costs + &channels(beside.channels, now) + &mutes
        }
    }
}

/// The channels, for people; nothing as long as none is known.
fn channels(channels: &[ChannelState], now: Timestamp) -> String {
    if channels.is_empty() {
        return String::new();
    }
    let shown = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| ago(at, now));
    let rows = channels.iter().map(|state| {
        let ChannelState { channel, last_delivered, owed, refusing_since } = state;
        vec![channel.clone(), shown(*last_delivered), owed.to_string(), shown(*refusing_since)]
    });
    format!("\n{}", columns(&["CHANNEL", "DELIVERED", "OWED", "REFUSING SINCE"], rows.collect(), &[2]))
}

fn json(known: &[Known], beside: &Beside, now: Timestamp) -> String {
    let projects: Vec<Project> = known
        .iter()
        .map(|known| Project {
            name: &known.name,
            owner_project: known.owner_project.as_deref(),
            provider: &known.provider,
            r#type: &known.unit,
            currency: known.currency.as_deref(),
            status: &known.status,
            balance: known.balance.map(amount::to_json),
            threshold: known.threshold.map(amount::to_json),
            reason: known.reason.as_deref(),
            checked_at: iso(known.checked_at),
            failed_runs: known.failed_runs,
            last_balance: known.last_read.as_ref().map(|last| amount::to_json(last.balance)),
            last_currency: known.last_read.as_ref().and_then(|last| last.currency.as_deref()),
            last_read_at: known.last_read.as_ref().map(|last| iso(last.at)),
            as_of: known.as_of.map(iso),
            age_seconds: known.as_of.map(|at| age_seconds(at, now)),
            told_at: known.told_at.map(iso),
            pending_alerts: known.pending,
            mails: mails_told::entries(&known.name, beside.mails, now),
            outlook: beside.foresights.get(&known.check).map(Outlook::of).unwrap_or_default(),
            renewal: beside.renewals.get(&known.check).map(RenewalEntry::of),
        })
        .collect();
    #[derive(Serialize)]
    struct Root<'a> {
        schema_version: u32,
        projects: Vec<Project<'a>>,
        subscription_totals: Vec<TotalEntry>,
        channels: Vec<ChannelEntry<'a>>,
        mutes: Vec<MuteEntry<'a>>,
    }
    let channels = beside.channels.iter().map(|state| ChannelEntry {
        channel: &state.channel,
        last_delivered_at: state.last_delivered.map(iso),
        owed: state.owed,
        refusing_since: state.refusing_since.map(iso),
    });
    let (channels, mutes) = (channels.collect(), mutes::entries(beside.mutes));
    // Strings, numbers and lists only: this cannot fail.
    let subscription_totals = renewals::totals_of(known, beside.renewals).iter().map(Total::entry).collect();
    serde_json::to_string(&Root { schema_version: 1, projects, subscription_totals, channels, mutes }).unwrap_or_default() + "\n"
}

fn table((known, left_out): (&[Known], usize), beside: &Beside, now: Timestamp) -> String {
    let mut sorted: Vec<(Option<Status>, &Known)> =
        known.iter().map(|known| (Status::parse(&known.status), known)).collect();
    sorted.sort_by_key(|(status, known)| (status.map_or(u8::MAX, |status| status as u8), &known.name));
    let names = ShortNames::new(known.iter().map(|known| known.name.as_str()), text::NAME_CHARS);
    let owners = known.iter().filter_map(|known| known.owner_project.as_deref());
    let owners = ShortNames::new(owners, text::OWNER_CHARS);
    let rows: Vec<(Option<Status>, Vec<String>)> = sorted
        .iter()
        .map(|(status, known)| {
            let balance = match status {
                Some(Status::Unlimited) => "unlimited".to_owned(),
                _ => amount_cell(known.balance, known.threshold, known.currency.as_deref()),
            };
            let cells = vec![
                known.status.clone(),
                names.get(&known.name).to_owned(),
                known.provider.clone(),
                balance,
                amount_cell(known.threshold, known.balance, None),
                known.owner_project.as_deref().map(|owner| owners.get(owner).to_owned()).unwrap_or_default(),
                ago(known.checked_at, now),
                notes(known, beside, now).join("; "),
            ];
            (*status, cells)
        })
        .collect();
    let headings = ["STATUS", "PROJECT", "PROVIDER", "BALANCE", "THRESHOLD", "OWNER", "CHECKED", "NOTE"];
    let mut out = painted_columns(&headings, rows, &[3, 4]);
    if left_out > 0 {
        out.push_str(&format!("{} not looked at for a week; --all shows them\n", text::plural(left_out, "more check")));
    }
    out
}

fn notes(known: &Known, beside: &Beside, now: Timestamp) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(known.as_of.map(|at| format!("of a mail {}", ago(at, now))));
    if let Some(reason) = &known.reason {
        let runs = usize::try_from(known.failed_runs).unwrap_or_default();
        notes.push(format!("{reason}, {} in a row", text::plural(runs, "failed run")));
        if let Some(last) = &known.last_read {
            let balance = amount::show(last.balance, last.currency.as_deref());
            notes.push(format!("last read {}: {balance}", ago(last.at, now)));
        }
    }
    notes.extend(beside.renewals.get(&known.check).into_iter().flat_map(renewals::notes));
    notes.extend(beside.foresights.get(&known.check).and_then(outlook_note));
    if let Some(at) = known.told_at {
        notes.push(format!("told {}", ago(at, now)));
    }
    if known.pending > 0 {
        notes.push(format!("{} not delivered yet", text::plural(known.pending, "alert")));
    }
    notes.extend(mails_told::lines(&known.name, beside.mails, now));
    notes
}
