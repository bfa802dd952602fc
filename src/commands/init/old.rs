//! `init --from`: the config of the Python service written anew.

use std::collections::BTreeMap;
use std::path::Path;

use super::written::{head, in_language};
use super::{Draft, Place, Refusal};
use crate::check::account::{Listed, find};
use crate::config::{self, Fate, Source, migrate};
use crate::process::Process;
use crate::process::exit::Exit;
use crate::report::columns;

/// What is written of an old config, and what became of each of its keys.
pub(super) fn draft(place: &Place, old: &Path, process: &Process) -> Result<Draft, Refusal> {
    let source = Source::File { path: old.to_owned(), variable: None };
    let text = source.read().map_err(|problem| Refusal(Exit::Config, Some(problem.to_string())))?;
    let usual = |provider: &str| match find(provider)? {
        // One key has one variable; a pair in one key is no pair of variables.
        Listed::Page(page) => page.credential.variables(provider).into_iter().find(|names| !names.contains(':')),
        Listed::Absent(_) => None,
    };
    let is_taken = |name: &str| place.environment.get(name).is_some();
    let done = migrate(&text, &usual, &is_taken)
        .map_err(|why| Refusal(Exit::Config, Some(format!("{}: {why}", source.name()))))?;
    let config = head(place.language) + &done.text;
    // Variables that the old config names may be set elsewhere.
    place.judge(config::structure(&place.source, &config, process.clock.now()))?;
    Ok(Draft { config, variables: done.variables, said: told(place, &done.fates) })
}

/// The table of the keys.
fn told(place: &Place, fates: &[(String, Fate)]) -> String {
    let say = |english, chinese| in_language(place.language, english, chinese);
    let mut counts: Vec<(&str, String, usize)> = Vec::new();
    let mut known: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for (key, fate) in fates {
        let what = match fate {
            Fate::Kept => say("kept", "保留").to_owned(),
            Fate::Renamed(name) => format!("{} {name}", say("is now", "改为")),
            Fate::Moved(variable) => format!("{} {variable}", say("is in .env now, as", "移入 .env，变量")),
            Fate::Dropped(None) => say("left out: nothing reads it", "去掉：没有用处").to_owned(),
            Fate::Dropped(Some(near)) => {
                format!("{} {near}?", say("left out: nothing reads it; was it meant as", "去掉：没有用处；是否想写"))
            }
        };
        let at = *known.entry((key, what.clone())).or_insert(counts.len());
        match counts.get_mut(at) {
            Some((.., count)) => *count += 1,
            None => counts.push((key, what, 1)),
        }
    }
    let rows = counts.into_iter().map(|(key, what, count)| vec![key.to_owned(), count.to_string(), what]);
    columns(&[say("KEY", "键"), say("TIMES", "次数"), say("NOW", "去向")], rows.collect(), &[1])
}
