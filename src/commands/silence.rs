//! `balance-alert silence`: for a while, nobody is told of what is like this.

use std::time::Duration;

use clap::Args;

use super::said::SaidFlags;
use super::memory::{Answer, answer, failed, find_to_write, leave};
use crate::cli::StoreArgs;
use crate::decide::route::{Asked, Misfit, Patterns, misfit};
use crate::model::text::{self, parse_length};
use crate::process::clock::{self, Clock};
use crate::process::exit::Exit;
use crate::process::logging::{self, Format};
use crate::process::{Process, watchdog};

/// The longest silence.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Flags of `silence`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// The name of the account, the mailbox or the subscription; `*` stands for any characters
    #[arg(value_name = "NAME", required_unless_present = "matching")]
    pub name: Option<String>,
    /// What is silenced, with the keys and words of a webhook's `match`: topic=low,renewal or labels.env=!prod (repeatable: all must fit)
    #[arg(long = "match", value_name = "KEY=WORD,...", value_parser = parse_match)]
    pub(super) matching: Vec<(Asked, Vec<String>)>,
    /// For how long (3d, 12h, 1h30m)
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    pub time: Duration,
    /// Who says it, and why.
    #[command(flatten)]
    said: SaidFlags,
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
}

fn parse_time(text: &str) -> Result<Duration, String> {
    match parse_length(text) {
        Ok(time) if time > LONGEST => Err("must be at most 366 days".to_owned()),
        result => result,
    }
}

/// Reads `topic=low,renewal`.
fn parse_match(text: &str) -> Result<(Asked, Vec<String>), String> {
    let keys = "the keys are owner_project, project, provider, topic, level and labels.NAME";
    let (key, words) = text.split_once('=').ok_or_else(|| format!("it is written as `topic=low`; {keys}"))?;
    let asked = Asked::parse(key).ok_or_else(|| format!("there is no key `{}`; {keys}", text::one_line(key, 40)))?;
    let words: Vec<String> = words.split(',').map(str::to_owned).collect();
    for word in &words {
        match misfit(&asked, word) {
            None => {}
            Some(Misfit::Empty) => return Err(format!("`{key}` has an empty word")),
            Some(Misfit::Unknown { known, .. }) => return Err(format!("`{key}` must be one of {}", text::list(known))),
        }
    }
    Ok((asked, words))
}

/// `balance-alert silence`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    answer(process, watchdog::LONGEST, || ask(flags, process.clock))
}

/// What is silenced; words of one key are taken together.
fn asked(flags: &Flags, format: Format) -> Result<Vec<(Asked, Patterns)>, Exit> {
    let mut asked: Vec<(Asked, Vec<String>)> = Vec::new();
    if let Some(name) = &flags.name {
        if name.is_empty() || name.starts_with('!') {
            logging::complain(format, "a name begins with no `!`\n hint: `--match 'project=!NAME'` is for all others");
            return Err(Exit::Usage);
        }
        asked.push((Asked::Name, vec![name.clone()]));
    }
    for (key, words) in &flags.matching {
        match asked.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => known.extend(words.iter().cloned()),
            None => asked.push((key.clone(), words.clone())),
        }
    }
    let patterns = |(key, words): (Asked, Vec<String>)| (key, Patterns::new(words.iter().map(String::as_str)));
    Ok(asked.into_iter().map(patterns).collect())
}

fn ask(flags: &Flags, clock: Clock) -> Answer {
    let (mut store, format, place) = find_to_write(&flags.store, clock)?.store()?;
    let asked = asked(flags, format)?;
    let at = clock.now();
    let until = clock::after(at, flags.time);
    let known = store.status(jiff::Timestamp::MIN).map_err(failed(format, &place))?;
    let number = store.silence(asked, flags.said.said(at), until).map_err(failed(format, &place))?;
    leave(store);
    let mut out = format!("silenced until {} as number {number}\n", until.strftime("%Y-%m-%d %H:%M UTC"));
    if let Some(name) = flags.name.as_deref().filter(|name| !name.contains('*'))
        && !known.iter().any(|known| known.name == name)
    {
        let near = text::nearest(name, known.iter().map(|known| known.name.as_str()));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        out.push_str(&format!("no run has looked at `{}` yet{near}\n", text::one_line(name, 60)));
    }
    Ok((out, Exit::Ok))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_silenced_is_read_with_the_words_of_routes() {
        let word = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        for (text, want) in [
            ("topic=low", Some((Asked::Topic, word(&["low"])))),
            ("topic=!low,!mail", Some((Asked::Topic, word(&["!low", "!mail"])))),
            ("owner_project=core*", Some((Asked::Owner, word(&["core*"])))),
            ("labels.env=prod", Some((Asked::Label("env".to_owned()), word(&["prod"])))),
            ("project=a=b", Some((Asked::Name, word(&["a=b"])))),
            ("topic=lwo", None),
            ("level=info", None),
            ("labels.=x", None),
            ("owner=x", None),
            ("topic=", None),
            ("topic=low,", None),
            ("low", None),
        ] {
            assert_eq!(parse_match(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn a_silence_has_an_end() {
        for (text, want) in [("3d", Some(259_200)), ("1h30m", Some(5400)), ("366d", Some(31_622_400))] {
            assert_eq!(parse_time(text).ok().map(|time| time.as_secs()), want, "{text}");
        }
        for text in ["", "0s", "367d", "3", "d", "-1h", "2026-11-01"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}
