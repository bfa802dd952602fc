//! `balance-alert init`: a first config with one channel, and the file of its secrets beside it. It never overwrites anything.

mod asked;
mod found;
mod old;
mod written;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;

use self::asked::Ask;
use self::found::Found;
use self::written::{ADDRESS, Account, Channel, in_language};
use super::open::{complain_all, print, speak};
use crate::check::account::page::Page;
use crate::cli::Talk;
use crate::config::{self, Loaded, Source};
use crate::model::text;
use crate::model::words::Language;
use crate::process::environment::Environment;
use crate::process::exit::Exit;
use crate::process::logging::{self, Format};
use crate::process::{Process, dotenv, file, person, redact};

/// The threshold of an account that nobody has named one for.
const THRESHOLD: &str = "10";

/// Flags of `init`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// The config to write; its secrets go into `.env` beside it
    #[arg(long, short, value_name = "FILE", default_value = "config.yaml")]
    pub config: PathBuf,
    /// Ask nothing: take what is found, as where there is no terminal
    #[arg(long, short)]
    pub yes: bool,
    /// Watch this service, by its id (repeatable) [default: every service whose key is found under its usual name]
    #[arg(long = "provider", value_name = "ID")]
    pub providers: Vec<String>,
    /// A balance below this number is critical [default: 10]
    #[arg(long, value_name = "NUMBER")]
    pub threshold: Option<String>,
    /// Where the service is asked instead of its own address: a gateway, or what you have installed yourself
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// The type of the channel [default: that of the address in WEBHOOK_URL, else console]
    #[arg(long, value_name = "TYPE")]
    pub channel: Option<String>,
    /// The language of messages, and of what is written: en or zh [default: by LC_ALL and LANG]
    #[arg(long, value_name = "LANGUAGE", value_parser = parse_language)]
    pub language: Option<Language>,
    /// Write the config of the Python service anew instead, and say what becomes of each of its keys
    #[arg(long, value_name = "FILE", conflicts_with_all = ["providers", "threshold", "base_url", "channel"])]
    pub from: Option<PathBuf>,
    /// Verbosity and colour.
    #[command(flatten)]
    pub talk: Talk,
}

fn parse_language(text: &str) -> Result<Language, String> {
    Language::parse(text).ok_or_else(|| "it is en or zh".to_owned())
}

/// Why nothing is written, with the status to end with. What is wrong with a text that would be written has been said.
struct Refusal(Exit, Option<String>);

impl From<String> for Refusal {
    fn from(why: String) -> Refusal {
        Refusal(Exit::Usage, Some(why))
    }
}

/// What is to be written.
struct Draft {
    config: String,
    /// The variables that are not in `.env` yet.
    variables: Vec<(String, String)>,
    /// What is said of it, before what to do next.
    said: String,
}

/// Where it is written, and what is there already.
struct Place<'a> {
    flags: &'a Flags,
    source: Source,
    dotenv: PathBuf,
    environment: Environment,
    language: Language,
    format: Format,
}

pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    let (format, environment) = speak(&flags.talk);
    let source = Source::File { path: flags.config.clone(), variable: None };
    let folder = source.folder();
    let dotenv = if folder == Path::new(".") { PathBuf::from(".env") } else { folder.join(".env") };
    let environment = environment.with_dotenv(&folder);
    let language = flags.language.unwrap_or_else(|| spoken(&environment));
    let place = Place { flags, source, dotenv, environment, language, format };
    let draft = place.must_be_free().and_then(|()| match &flags.from {
        Some(old) => old::draft(&place, old, process),
        None => place.draft(process),
    });
    match draft.and_then(|draft| place.write(&draft).map(|()| draft)) {
        Ok(draft) => print(&(draft.said.clone() + &place.next(&draft)), process, Exit::Ok),
        Err(Refusal(exit, why)) => {
            why.iter().for_each(|why| logging::complain(format, why));
            exit
        }
    }
}

/// The language that the system speaks, if messages can be in it.
fn spoken(environment: &Environment) -> Language {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| environment.overlay(name));
    if locale.is_some_and(|locale| locale.starts_with("zh")) { Language::Zh } else { Language::En }
}

impl Place<'_> {
    /// Refuses to write where something stands already, or could not be read back.
    fn must_be_free(&self) -> Result<(), Refusal> {
        let config = &self.flags.config;
        if config.symlink_metadata().is_ok() {
            let name = self.source.name();
            let hint = "nothing is overwritten: name another file with `--config FILE`, or move this one away";
            return Err(format!("`{name}` is there already\n hint: {hint}").into());
        }
        match self.environment.dotenv_faults() {
            Some(_) => Err(format!("`{}` cannot be read to its end; mend it first", self.dotenv.display()).into()),
            None => Ok(()),
        }
    }

    /// A config for the keys that are there, or are told at the terminal.
    fn draft(&self, process: &Process) -> Result<Draft, Refusal> {
        let is_asked = !self.flags.yes && io::stdin().is_terminal();
        if !is_asked && !self.flags.yes {
            let hint = "add `--yes` to take what is found in the environment and in `.env`";
            return Err(format!("there is no terminal to ask at\n hint: {hint}").into());
        }
        let mut at_terminal = |question: &str, is_hidden: bool| person::ask(question, is_hidden);
        let mut nobody = |_: &str, _: bool| None;
        let ask: Ask = if is_asked { &mut at_terminal } else { &mut nobody };
        let (found, others) = found::keys(&self.environment);
        let pages = self.pages(found, is_asked, ask)?;
        let mut variables = Vec::new();
        let mut accounts = Vec::new();
        for page in pages {
            accounts.push(self.account(page, is_asked, ask, &mut variables)?);
        }
        let channel = self.channel(is_asked, ask, &mut variables)?;
        let config = written::config(self.language, &accounts, &channel);
        let mut said = self.summary(&accounts);
        for Found { page, variables } in others.iter().filter(|_| self.flags.providers.is_empty()) {
            let what = in_language(self.language, "not taken, as it needs more", "未采用，还需要更多设置");
            said.push_str(&format!("{variables}: {what}: balance-alert providers {}\n", page.id));
        }
        self.must_be_sound(&config, &variables, process)?;
        Ok(Draft { config, variables, said })
    }

    /// The services to watch.
    fn pages(&self, found: Vec<Found>, is_asked: bool, ask: Ask) -> Result<Vec<Page>, Refusal> {
        let named: Result<Vec<Page>, String> = self.flags.providers.iter().map(|id| asked::page(id)).collect();
        let named = named?;
        let pages = match (named.is_empty(), is_asked) {
            (false, _) => named,
            (true, true) => asked::services(self.language, found, ask).ok_or_else(unanswered)?,
            (true, false) => found.into_iter().map(|found| found.page).collect(),
        };
        if pages.is_empty() {
            let hint = "set the variable of a service, as OPENROUTER_API_KEY or DEEPSEEK_API_KEY, or name the service with `--provider ID`";
            return Err(format!("no key of a service is found under its usual name\n hint: {hint}").into());
        }
        if pages.len() > 1 && self.flags.base_url.is_some() {
            return Err("`--base-url` is for one service: name it with `--provider ID`".to_owned().into());
        }
        let more = pages.iter().find_map(|page| asked::needs_more(page, self.flags.base_url.is_some()));
        more.map_or(Ok(pages), |why| Err(why.into()))
    }

    fn account(
        &self,
        page: Page,
        is_asked: bool,
        ask: Ask,
        variables: &mut Vec<(String, String)>,
    ) -> Result<Account, Refusal> {
        let names = match found::set_of(&page, &self.environment) {
            Some(names) => names,
            None => {
                let usual = page.credential.variables(&page.id).swap_remove(0);
                if !is_asked {
                    let hint = format!("set {} in the environment or in `.env`", usual.replace(':', " and "));
                    return Err(format!("there is no key for `{}`\n hint: {hint}", page.id).into());
                }
                variables.extend(asked::key(self.language, &page, &usual, ask).ok_or_else(unanswered)?);
                usual
            }
        };
        names.split(':').for_each(|name| self.take(name, variables));
        let threshold = match &self.flags.threshold {
            Some(threshold) if !asked::is_threshold(threshold) => {
                return Err("`--threshold` is a number, as 10 or 2.5".to_owned().into());
            }
            Some(threshold) => threshold.clone(),
            None if is_asked => asked::threshold(self.language, &page, THRESHOLD, ask).ok_or_else(unanswered)?,
            None => THRESHOLD.to_owned(),
        };
        Ok(Account { page, variables: names, threshold, base_url: self.flags.base_url.clone() })
    }

    fn channel(&self, is_asked: bool, ask: Ask, variables: &mut Vec<(String, String)>) -> Result<Channel, Refusal> {
        let kind = self.flags.channel.clone();
        if kind.as_deref() == Some("console") {
            if self.environment.overlay(ADDRESS).is_some() {
                let hint = format!("leave `--channel` out, or unset {ADDRESS}");
                return Err(format!("the console has no address, and {ADDRESS} stands for one\n hint: {hint}").into());
            }
            return Ok(Channel { kind, has_address: false });
        }
        self.take(ADDRESS, variables);
        let mut has_address = self.environment.overlay(ADDRESS).is_some();
        if !has_address && is_asked {
            let address = asked::address(self.language, ask).ok_or_else(unanswered)?;
            has_address = !address.is_empty();
            variables.extend(has_address.then(|| (ADDRESS.to_owned(), address)));
        }
        match (kind, has_address) {
            (None, false) => Ok(Channel { kind: Some("console".to_owned()), has_address }),
            (Some(kind), false) => {
                let hint = format!("set {ADDRESS}; `balance-alert channels` lists the types and what each needs");
                Err(format!("there is no address for the channel of type `{}`\n hint: {hint}", text::one_line(&kind, 40)).into())
            }
            (kind, true) => Ok(Channel { kind, has_address }),
        }
    }

    /// Takes a variable of the process into `.env`, unless it stands there: whatever starts the next run may not have it.
    fn take(&self, name: &str, variables: &mut Vec<(String, String)>) {
        let is_known = self.environment.stands_in_file(name) || variables.iter().any(|(known, _)| known == name);
        if let Some(value) = self.environment.overlay(name).filter(|_| !is_known) {
            variables.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Refuses a draft that would not be a config without mistakes.
    fn must_be_sound(&self, text: &str, variables: &[(String, String)], process: &Process) -> Result<(), Refusal> {
        let environment = self.environment.clone().with_lines(&lines(variables));
        self.judge(config::read(&self.source, text, &environment, process.clock.now()))
    }

    fn judge(&self, loaded: Loaded) -> Result<(), Refusal> {
        if let Some(config) = &loaded.config {
            redact::guard(&config.redactor);
        }
        if loaded.problems.is_empty() {
            return Ok(());
        }
        complain_all(self.format, &loaded.problems);
        Err(Refusal(Exit::Config, Some("nothing is written, because it would not be in order".to_owned())))
    }

    /// Writes the secrets first: without them the config is of no use.
    fn write(&self, draft: &Draft) -> Result<(), Refusal> {
        let failed = |path: &Path, error: &io::Error| {
            let why = format!("`{}` cannot be written: {}", path.display(), text::io_error(error));
            Refusal(Exit::Unwritten, Some(why))
        };
        let time = std::time::Duration::from_secs(5);
        let lines = lines(&draft.variables);
        if !draft.variables.is_empty() {
            let added = match self.dotenv.exists() {
                true => {
                    let end = if self.environment.is_dotenv_open() { "\n" } else { "" };
                    file::append(&self.dotenv, format!("{end}{lines}").as_bytes(), time)
                }
                false => file::create(&self.dotenv, 0o600, lines.as_bytes(), time),
            };
            added.map_err(|error| failed(&self.dotenv, &error))?;
        }
        file::create(&self.flags.config, 0o644, draft.config.as_bytes(), time)
            .map_err(|error| failed(&self.flags.config, &error))
    }

    fn summary(&self, accounts: &[Account]) -> String {
        let names: Vec<&str> = accounts.iter().map(|account| account.page.title.as_str()).collect();
        let what = in_language(self.language, "watches", "监控");
        format!("{}: {what} {}\n", self.source.name(), names.join(", "))
    }

    /// What was written into `.env`, and what to do next.
    fn next(&self, draft: &Draft) -> String {
        let mut out = String::new();
        if !draft.variables.is_empty() {
            let names: Vec<&str> = draft.variables.iter().map(|(name, _)| name.as_str()).collect();
            out.push_str(&format!("{}: {}\n", self.dotenv.display(), names.join(", ")));
        }
        if file::is_open_to_others(&self.dotenv) {
            let what = in_language(self.language, "others can read it; run", "其他用户可读；请执行");
            out.push_str(&format!("{}: {what}: chmod 600 {0}\n", self.dotenv.display()));
        }
        let next = in_language(self.language, "Next", "下一步");
        let command = if self.flags.from.is_some() { "validate" } else { "check --dry-run" };
        out.push_str(&format!("{next}: balance-alert {command} --config {}\n", self.source.name()));
        out
    }
}

fn unanswered() -> Refusal {
    "there is no usable answer, so nothing is written".to_owned().into()
}

/// The lines of a `.env`.
fn lines(variables: &[(String, String)]) -> String {
    variables.iter().map(|(name, value)| dotenv::line(name, value)).collect()
}
