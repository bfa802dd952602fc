//! `balance-alert mail`: what the program would say of mails that lie in files. No server is asked, and nothing is remembered.

mod files;
mod opinion;
mod shown;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use self::files::Listed;
use self::opinion::{Opinion, Outlook, Reader};
use super::open::{Opened, begin, complain_all, open, print};
use crate::check::mailbox::config::Mailbox;
use crate::cli::{ConfigArg, Talk};
use crate::config::{Asked, Config, Needs, Reach};
use crate::model::text;
use crate::plan;
use crate::process::Process;
use crate::process::clock::Clock;
use crate::process::exit::Exit;
use crate::process::logging::{self, Format};
use crate::report::ListOutput;

/// The longest time for all files together.
const LONGEST: Duration = Duration::from_secs(60);

/// Flags of `mail`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What is done with the mails.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Action {
    /// Show for each mail whether it would be an alert, and why: exit 0 if all files could be read, 3 if not
    Try(TrialFlags),
}

/// Flags of `mail try`.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct TrialFlags {
    /// A mail as it was sent, headers and all (an .eml file)
    #[arg(value_name = "FILE", required_unless_present = "maildir")]
    pub files: Vec<PathBuf>,
    /// Also all mails in a Maildir
    #[arg(long, value_name = "DIR")]
    pub maildir: Option<PathBuf>,
    /// The format of the report
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
    /// The mailbox of the config whose settings count [default: the only one, if a config is named]
    #[arg(long, value_name = "NAME")]
    pub mailbox: Option<String>,
    /// Where the config is; none is needed.
    #[command(flatten)]
    pub config: ConfigArg,
    /// Verbosity and colour.
    #[command(flatten)]
    pub talk: Talk,
}

pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    let Action::Try(flags) = &flags.action;
    process.watchdog.expect("the reading of the config", Exit::Config);
    let (reader, format) = match reader(flags, process.clock) {
        Ok(reader) => reader,
        Err(exit) => return exit,
    };
    process.watchdog.allow(LONGEST * 2);
    process.watchdog.expect("the reading of the mails", Exit::Unknown);
    let listed = match files::list(&flags.files, flags.maildir.as_deref()) {
        Ok(listed) => listed,
        Err(why) => {
            logging::complain(format, &why);
            return Exit::Usage;
        }
    };
    let until = Instant::now() + LONGEST;
    let opinions: Vec<Opinion> = listed
        .into_iter()
        .map(|Listed { name, path }| {
            let outlook = files::read(&path, until).and_then(|raw| reader.read(&raw));
            Opinion { file: name, outlook }
        })
        .collect();
    let has_failed = opinions.iter().any(|opinion: &Opinion| opinion.outlook.is_err());
    let text = match flags.output {
        ListOutput::Table => shown::table(&opinions),
        ListOutput::Json => shown::json(&opinions),
    };
    print(&text, process, if has_failed { Exit::Unknown } else { Exit::Ok })
}

/// What reads the mails: as the program does without settings, or as a mailbox of a config.
fn reader(flags: &TrialFlags, clock: Clock) -> Result<(Reader, Format), Exit> {
    if flags.config.config.is_none() && flags.mailbox.is_none() {
        let (format, ..) = begin(&flags.config, &flags.talk);
        return Ok((Reader::default(), format));
    }
    let Opened { format, loaded, .. } = open(&flags.config, &flags.talk, clock, Needs::Channels, Asked::Nobody)?;
    let Some(config) = loaded.config else {
        complain_all(format, &loaded.problems);
        return Err(Exit::Config);
    };
    for problem in loaded.problems.iter().filter(|problem| problem.reach == Reach::Line) {
        log::warn!("{problem}");
    }
    let mailbox = mailbox(&config, flags.mailbox.as_deref(), format)?;
    let vendors = plan::vendors(&config.projects);
    let accounts = config.projects.into_iter().filter_map(|project| {
        let account = project.account.ok().filter(|account| account.letters().is_some())?;
        Some((project.name, account))
    });
    let redactor = Arc::clone(&config.redactor);
    Ok((Reader { accounts: accounts.collect(), mailbox: Some(mailbox), vendors, redactor, ..Reader::default() }, format))
}

/// The mailbox of a name, or the only one.
fn mailbox(config: &Config, name: Option<&str>, format: Format) -> Result<Mailbox, Exit> {
    let names = || config.mailboxes.iter().map(|mailbox| mailbox.name.as_str());
    let (message, hint) = match (name, config.mailboxes.as_slice()) {
        (_, []) => ("the config has no mailbox".to_owned(), "without `--config` the program's defaults count".to_owned()),
        (None, [only]) => return Ok(only.clone()),
        (None, _) => ("the config has several mailboxes".to_owned(), format!("name one with `--mailbox`: {}", text::list(names()))),
        (Some(name), all) => match all.iter().find(|mailbox| mailbox.name == name) {
            Some(mailbox) => return Ok(mailbox.clone()),
            None => {
                let hint = match text::nearest(name, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the mailboxes of the config: {}", text::list(names())),
                };
                (format!("no mailbox is named `{name}`"), hint)
            }
        },
    };
    logging::complain(format, &format!("{message}\n hint: {hint}"));
    Err(Exit::Usage)
}

/// What is said of one file.
type Said = Result<Outlook, String>;
