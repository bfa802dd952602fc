//! What `init` asks at a terminal.

use super::found::{Found, needs_nothing_but_a_key};
use super::written::in_language;
use crate::check::account::page::Page;
use crate::check::account::page::credential::CredentialFormat;
use crate::check::account::{Listed, advice, find, ids};
use crate::model::text;
use crate::model::words::Language;

/// Asks one question, perhaps without showing the answer; none at the end of all answers.
pub(super) type Ask<'a> = &'a mut dyn FnMut(&str, bool) -> Option<String>;

/// A question that has no usable answer is asked so often.
const TRIES: usize = 3;

/// The services to watch: those that were found, or the ones whose ids are answered. None if there is no answer.
pub(super) fn services(language: Language, found: Vec<Found>, ask: Ask) -> Option<Vec<Page>> {
    let names: Vec<&str> = found.iter().map(|found| found.page.id.as_str()).collect();
    let names = names.join(", ");
    let say = |english, chinese| in_language(language, english, chinese);
    let question = match names.is_empty() {
        true => say("Services to watch, by their ids, as openrouter, deepseek: ", "要监控的服务的 id，如 openrouter, deepseek：").to_owned(),
        false => format!("{} [{names}]: ", say("Services to watch, by their ids", "要监控的服务的 id")),
    };
    let mut question = question;
    for _ in 0..TRIES {
        let answer = ask(&question, false)?;
        if answer.trim().is_empty() && !found.is_empty() {
            return Some(found.into_iter().map(|found| found.page).collect());
        }
        let words = answer.split([',', ' ', '，', '、']).filter(|word| !word.is_empty());
        let pages: Result<Vec<Page>, String> = words.map(page).collect();
        question = match pages {
            Ok(pages) if !pages.is_empty() => return Some(pages),
            Ok(_) => continue,
            Err(why) => format!("{why}\n{}: ", say("Services to watch, by their ids", "要监控的服务的 id")),
        };
    }
    None
}

/// The page of a service that an account can be written for.
///
/// # Errors
/// Why there is none, with what to do.
pub(super) fn page(id: &str) -> Result<Page, String> {
    match find(id) {
        Some(Listed::Page(page)) => Ok(*page),
        Some(Listed::Absent(absent)) => Err(format!("the balance of {} cannot be read: {}", absent.title, absent.instead)),
        None => {
            let known: Vec<&str> = ids().collect();
            let hint = advice(id, text::nearest(id, known.iter().copied()));
            Err(format!("there is no such service\n hint: {hint}"))
        }
    }
}

/// Why an account of this service is not written, if it needs more than a key.
pub(super) fn needs_more(page: &Page, has_base_url: bool) -> Option<String> {
    let plain = Page { self_hosted: page.self_hosted && !has_base_url, ..page.clone() };
    let id = &page.id;
    (!needs_nothing_but_a_key(&plain)).then(|| {
        format!("an account of `{id}` needs more than a key\n hint: `balance-alert providers {id}` shows an entry for the config")
    })
}

/// The key of a service, split where it is a pair.
pub(super) fn key(language: Language, page: &Page, variables: &str, ask: Ask) -> Option<Vec<(String, String)>> {
    let form = if page.credential.format == CredentialFormat::Pair { " (AccessKeyId:Secret)" } else { "" };
    let note = in_language(language, "not shown", "不显示");
    let question = format!("{} {} ({variables}; {note}){form}: ", page.title, in_language(language, "key", "密钥"));
    for _ in 0..TRIES {
        let answer = ask(&question, true)?;
        let names: Vec<&str> = variables.split(':').collect();
        let parts: Vec<&str> = answer.trim().splitn(names.len(), ':').map(str::trim).collect();
        if parts.len() == names.len() && parts.iter().all(|part| !part.is_empty()) {
            return Some(names.into_iter().map(str::to_owned).zip(parts.into_iter().map(str::to_owned)).collect());
        }
    }
    None
}

/// Below which balance an alert comes.
pub(super) fn threshold(language: Language, page: &Page, usual: &str, ask: Ask) -> Option<String> {
    let unit = page.counted_in().map(|unit| format!(" ({unit})")).unwrap_or_default();
    let what = in_language(language, "alert when the balance is below", "余额低于多少时告警");
    let question = format!("{}{unit}: {what} [{usual}]: ", page.title);
    for _ in 0..TRIES {
        let answer = ask(&question, false)?;
        match answer.trim() {
            "" => return Some(usual.to_owned()),
            answer if is_threshold(answer) => return Some(answer.to_owned()),
            _ => {}
        }
    }
    None
}

/// Whether a text is a number, or a share of the total. What it may be is decided when the config is read.
pub(super) fn is_threshold(text: &str) -> bool {
    let number = text.strip_suffix('%').unwrap_or(text);
    number.starts_with(|c: char| c.is_ascii_digit()) && number.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// The address of the channel; empty for the console.
pub(super) fn address(language: Language, ask: Ask) -> Option<String> {
    let question = in_language(
        language,
        "Address of a robot or webhook that alerts go to (not shown; empty: only this terminal): ",
        "告警机器人或 webhook 的地址（不显示；留空则只在终端显示）：",
    );
    ask(question, true).map(|answer| answer.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers in their order; asks nothing after the last one.
    fn answers<'a>(list: &'a [&'a str], asked: &'a mut Vec<(String, bool)>) -> impl FnMut(&str, bool) -> Option<String> + 'a {
        let mut left = list.iter();
        move |question, is_hidden| {
            asked.push((question.to_owned(), is_hidden));
            left.next().map(|answer| (*answer).to_owned())
        }
    }

    #[test]
    fn a_question_takes_what_fits_and_is_asked_again_otherwise() {
        for (given, want) in [
            (&["deepseek"][..], Some(&["deepseek"][..])),
            (&["deepseek, moonshot，openrouter"], Some(&["deepseek", "moonshot", "openrouter"])),
            (&["", "no-such", "deepseek"], Some(&["deepseek"])),
            (&["no-such", "no-such", "no-such", "deepseek"], None),
            (&[], None),
        ] {
            let mut asked = Vec::new();
            let pages = services(Language::En, Vec::new(), &mut answers(given, &mut asked));
            let ids: Option<Vec<String>> = pages.map(|pages| pages.into_iter().map(|page| page.id).collect());
            assert_eq!(ids, want.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect()), "{given:?}: {asked:?}");
        }
        let (aliyun, deepseek) = (page("aliyun").unwrap(), page("deepseek").unwrap());
        for (page, variables, given, want) in [
            (&deepseek, "K", &["", "a:b"][..], Some(&[("K", "a:b")][..])),
            (&aliyun, "A:B", &["nothing", "a:", " a : b:c "], Some(&[("A", "a"), ("B", "b:c")])),
            (&aliyun, "A:B", &["x", "x", "x", "a:b"], None),
        ] {
            let mut asked = Vec::new();
            let key = key(Language::Zh, page, variables, &mut answers(given, &mut asked));
            let want = want.map(|want| want.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
            assert_eq!(key, want, "{given:?}");
            assert!(asked.iter().all(|(question, is_hidden)| *is_hidden && question.contains(variables)), "{asked:?}");
        }
        for (given, want) in [(&[""][..], Some("10")), (&["ten", "1e3", "2.5"], Some("2.5")), (&["20%"], Some("20%")), (&["-1", "x", "$"], None)] {
            let mut asked = Vec::new();
            let threshold = threshold(Language::En, &deepseek, "10", &mut answers(given, &mut asked));
            assert_eq!(threshold.as_deref(), want, "{given:?}");
        }
    }
}
