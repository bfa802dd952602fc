//! `balance-alert providers try`: reads one account, and shows what was asked, what came back and what was read of it.

mod shown;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use self::shown::Exchange;
use super::unknown;
use crate::check::Reading;
use crate::check::account::page::Page;
use crate::check::account::page::shape::Keys;
use crate::check::account::page::credential::CredentialFormat;
use crate::check::account::{Account, Attempt, Listed, ProviderClient, find, of_text};
use crate::cli::Talk;
use crate::commands::open::{print, speak};
use crate::config::{self, Config, Source};
use crate::model::failure::{Failure, Reason};
use crate::model::text;
use crate::process::environment::Environment;
use crate::process::exit::Exit;
use crate::process::file::{self, Bounds};
use crate::process::interrupt::Deadline;
use crate::process::logging::{self, Format};
use crate::process::{Process, redact};
use crate::wire::http::Clients;

/// A credential, or a page, that comes out of a pipe or a file.
const BOUNDS: Bounds = Bounds { most: 1024 * 1024, patience: Duration::from_secs(30) };
/// Longest time for all requests together.
const LONGEST: Duration = Duration::from_secs(60);

/// Flags of `providers try`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TrialFlags {
    /// The service, as `balance-alert providers` lists it, or the id of the page in --page
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The variable that holds the credential, or - to read it from standard input [default: NAME_API_KEY; parts: NAME_PART]
    #[arg(long, value_name = "VAR|-")]
    pub key_env: Option<String>,
    /// An option of the page (repeatable)
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = pair)]
    pub options: Vec<(String, String)>,
    /// Another address instead of the service's own
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// The currency that is wanted, where an account has several
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
    /// How much may be spent, for a page that tells what was
    #[arg(long, value_name = "AMOUNT")]
    pub budget: Option<String>,
    /// A page of your own: a file that holds it alone
    #[arg(long, value_name = "FILE")]
    pub page: Option<PathBuf>,
    /// Also show the answers as they came, without the credential; they may be private
    #[arg(long)]
    pub show_body: bool,
    /// Also write an example for a page, with other numbers and without texts that may name somebody
    #[arg(long)]
    pub fixture: bool,
    /// Verbosity and colour.
    #[command(flatten)]
    pub talk: Talk,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(super) fn run(flags: &TrialFlags, process: &Process) -> Exit {
    let (format, environment) = speak(&flags.talk);
    let (page, text) = match page(flags) {
        Ok(Some(found)) => found,
        Ok(None) => return unknown(&flags.name),
        Err(why) => return complain(format, &why, Exit::Config),
    };
    let entry = match entry(flags, &page, &environment) {
        Ok(entry) => entry,
        Err(why) => return complain(format, &why, Exit::Usage),
    };
    let now = process.clock.now();
    let (account, config) = match account(&entry, text.as_deref(), (&environment, now), format) {
        Ok(both) => both,
        Err(exit) => return exit,
    };
    let clients = Clients::new(&environment.surroundings(), process.clock);
    clients.secrets().for_each(|secret| config.redactor.learn(secret.expose_secret()));
    clients.problems().iter().for_each(|problem| log::warn!("{problem}"));
    process.watchdog.allow(LONGEST * 2);
    let exchanges = RefCell::new(Vec::new());
    let result = read(&account, &clients, &config, now, &exchanges);
    let exchanges = exchanges.into_inner();
    let keys = Keys::of(&account.page, &account.options);
    let mut parts = vec![shown::exchanges(&exchanges, &keys, &config.redactor, flags.show_body)];
    parts.push(shown::read(&account, &result, &config.redactor));
    if flags.fixture {
        parts.push(shown::fixture(&account, &exchanges, now));
    }
    let exit = if result.is_ok() { Exit::Ok } else { Exit::Unknown };
    print(&parts.join("\n"), process, exit)
}

fn complain(format: Format, why: &str, exit: Exit) -> Exit {
    logging::complain(format, why);
    exit
}

/// The page that is tried, with its text if it is not of the catalogue; none if there is no such service.
fn page(flags: &TrialFlags) -> Result<Option<(Page, Option<String>)>, String> {
    if let Some(path) = &flags.page {
        let text = own_text(path)?;
        let page = of_text(&text).ok_or("the page cannot be read: `balance-alert providers lint` says why")?;
        return if page.id == flags.name { Ok(Some((page, Some(text)))) } else { Ok(None) };
    }
    match find(&flags.name) {
        Some(Listed::Page(page)) => Ok(Some((*page, None))),
        Some(Listed::Absent(absent)) => {
            Err(format!("the balance of `{}` cannot be read: {}\n hint: {}", absent.id, absent.why, absent.instead))
        }
        None => Ok(None),
    }
}

fn own_text(path: &Path) -> Result<String, String> {
    let bytes = file::read_alone(path, BOUNDS).map_err(|error| text::io_error(&error));
    let decoded = bytes.and_then(|bytes| text::decode(bytes).map_err(|why| format!("it is {why}")));
    decoded.map_err(|why| format!("the page cannot be read: {why}"))
}

/// The entry that a config would hold for the account.
fn entry(flags: &TrialFlags, page: &Page, environment: &Environment) -> Result<Value, String> {
    // What is filled in here is no reference to a variable.
    let literal = |text: &str| Value::from(text.replace('$', "$$"));
    let mut entry = Map::new();
    let mut set = |name: &str, value: Value| drop(entry.insert(name.to_owned(), value));
    set("name", "trial".into());
    set("provider", literal(&flags.name));
    set("threshold", 0.into());
    let own = |part: &str| format!("{}_{part}", page.id).replace('-', "_").to_uppercase();
    let variable = |name: &str| {
        let value = environment.overlay(name).map(str::to_owned);
        value.ok_or_else(|| format!("the variable `{name}` is not set\n hint: `--key-env` names another one, or `-`"))
    };
    match page.credential.format {
        CredentialFormat::None => {}
        CredentialFormat::Parts => {
            let parts = page.credential.parts.keys().map(|part| Ok((part.clone(), literal(&variable(&own(part))?))));
            set("credentials", Value::Object(parts.collect::<Result<Map<String, Value>, String>>()?));
        }
        CredentialFormat::Key | CredentialFormat::Pair => {
            let key = match flags.key_env.as_deref() {
                Some("-" | "stdin") => key_from_stdin()?,
                Some(name) => variable(name)?,
                None => variable(&own("api_key"))?,
            };
            set("api_key", literal(&key));
        }
    }
    let fields = [("base_url", &flags.base_url), ("currency", &flags.currency), ("budget", &flags.budget)];
    for (name, value) in fields.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        set(name, literal(value));
    }
    // Whoever types an address sees where the credential goes.
    set("allow_insecure", true.into());
    if !flags.options.is_empty() {
        let options = flags.options.iter().map(|(name, value)| (name.clone(), literal(value)));
        set("options", Value::Object(options.collect()));
    }
    Ok(Value::Object(entry))
}

fn key_from_stdin() -> Result<String, String> {
    let bytes = file::read_stdin(BOUNDS).map_err(|error| text::io_error(&error));
    let decoded = bytes.and_then(|bytes| text::decode(bytes).map_err(|why| format!("it is {why}")));
    decoded.map(|key| key.trim().to_owned()).map_err(|why| format!("the credential cannot be read: {why}"))
}

/// The account as a config with this one entry has it; what is wrong is printed.
fn account(
    entry: &Value,
    page: Option<&str>,
    (environment, now): (&Environment, Timestamp),
    format: Format,
) -> Result<(Account, Config), Exit> {
    let mut text = format!("projects:\n  - {entry}\n");
    if let Some(page) = page {
        text.push_str("providers:\n  -\n");
        text.extend(page.lines().filter(|line| *line != "---").map(|line| format!("    {line}\n")));
    }
    let source = Source::File { path: PathBuf::from("trial"), variable: None };
    let loaded = config::read(&source, &text, environment, now);
    for problem in &loaded.problems {
        let hint = problem.hint.as_ref().map(|hint| format!("\n hint: {hint}")).unwrap_or_default();
        logging::complain(format, &format!("{}{hint}", problem.message));
    }
    let mut config = loaded.config.ok_or(Exit::Config)?;
    redact::guard(&config.redactor);
    config.warnings.iter().chain(&config.advice).for_each(|warning| log::warn!("{warning}"));
    match config.projects.pop().map(|project| project.account) {
        Some(Ok(account)) => Ok((account, config)),
        _ => Err(Exit::Config),
    }
}

/// One attempt, with all that is asked and answered.
fn read(
    account: &Account,
    clients: &Clients,
    config: &Config,
    now: Timestamp,
    exchanges: &RefCell<Vec<Exchange>>,
) -> Result<Reading, Failure> {
    let deadline = Deadline::within(LONGEST);
    let witness = |request: &_, response: Option<&_>| exchanges.borrow_mut().push(Exchange::of(request, response));
    let mut client = ProviderClient {
        clients,
        redactor: &config.redactor,
        limiter: None,
        deadline: &deadline,
        place: None,
        calls: Vec::new(),
        witness: Some(&witness),
        is_signed: account.page.sign.is_some(),
        outline: None,
    };
    match account.read(&mut client, now, LONGEST, None).map_err(|failure| failure.settle(&config.redactor))? {
        Attempt::Read(reading) => reading.without_secrets(&config.redactor),
        Attempt::Waits(..) => Err(Failure::new(Reason::RateLimited, "the provider's limit lets it wait")),
    }
}
