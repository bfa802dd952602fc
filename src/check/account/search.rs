//! Which services a word may mean: by their ids, their names, and the hosts that they are asked at.

use super::builtin_pages::{Brief, briefs};
use crate::model::text;

/// Most services of one kind that a hint names.
const MOST_NAMED: usize = 3;
/// Shortest word that is looked for within other words, in characters.
const SHORTEST_PART: usize = 3;

/// The services that a word may mean, the best first.
pub(crate) fn search(word: &str) -> Vec<Brief> {
    let wanted = folded(word);
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(u8, Brief)> = briefs().filter_map(|brief| Some((distance(&wanted, &brief)?, brief))).collect();
    if found.is_empty() {
        let near = text::nearest(word, briefs().flat_map(|brief| [brief.id, brief.title]));
        found = near
            .iter()
            .flat_map(|near| briefs().filter(|brief| [brief.id, brief.title].contains(near)))
            .map(|it| (0, it))
            .collect();
    }
    found.sort_by_key(|(distance, brief)| (*distance, brief.id));
    found.into_iter().map(|(_, brief)| brief).collect()
}

/// How far a service is from a word; none if it is not meant.
fn distance(wanted: &str, brief: &Brief) -> Option<u8> {
    let (id, title) = (folded(brief.id), folded(brief.title));
    let is_part = wanted.chars().count() >= SHORTEST_PART || !wanted.is_ascii();
    let rules = [
        id == wanted,
        title == wanted,
        id.starts_with(wanted),
        brief.title.split(|c: char| !c.is_alphanumeric()).any(|part| folded(part) == wanted),
        is_part && id.contains(wanted),
        is_part && title.contains(wanted),
        is_part && brief.hosts().any(|host| folded(host).contains(wanted)),
    ];
    rules.iter().position(|is_met| *is_met).map(|rule| rule as u8)
}

/// A word without what people write in different ways.
fn folded(word: &str) -> String {
    word.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// What to do about a word that is the id of no page: the services that are meant, those of them without an API, and how to write
/// a page. `near` is an id that is nearly the same. Nothing of the word itself is repeated: it may be a secret.
pub(crate) fn advice(word: &str, near: Option<&str>) -> String {
    let is_exact = near.is_some_and(|near| folded(near) == folded(word));
    let found = if is_exact { Vec::new() } else { search(word) };
    let (readable, absent): (Vec<&Brief>, Vec<&Brief>) = found.iter().partition(|brief| brief.is_readable);
    let mut meant: Vec<&str> = near.into_iter().collect();
    meant.extend(readable.iter().map(|brief| brief.id).filter(|id| Some(*id) != near));
    let mut parts = Vec::new();
    if !meant.is_empty() {
        let named: Vec<String> = meant.iter().take(MOST_NAMED).map(|id| format!("`{id}`")).collect();
        parts.push(format!("did you mean {}?", named.join(" or ")));
    }
    if !absent.is_empty() {
        let named = text::list(absent.iter().take(MOST_NAMED).map(|brief| brief.id));
        parts.push(format!("no API tells the balance of {named}: see `balance-alert providers`"));
    }
    // A slip of the pen is no missing service.
    if !is_exact && near.is_none_or(|near| found.iter().any(|brief| brief.id != near)) {
        parts.push("a service that is missing needs a page under `providers`: docs/own-provider.md".to_owned());
    }
    match parts.split_first() {
        Some((first, rest)) if first.ends_with('?') && !rest.is_empty() => format!("{first} {}", rest.join("; ")),
        _ => parts.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_finds_services_by_id_name_and_host() {
        for (word, want) in [
            ("openrouter", "openrouter"),
            ("OpenRouter", "openrouter"),
            ("open-router", "openrouter"),
            ("硅基流动", "siliconflow-cn"),
            ("zhipu", "zhipu-balance"),
            ("kimi", "kimi-code"),
            ("Africa's Talking", "africastalking"),
            ("openrooter", "openrouter"),
            ("scaleway.com", "scaleway"),
        ] {
            let found: Vec<&str> = search(word).iter().map(|brief| brief.id).collect();
            assert!(found.contains(&want), "{word}: {found:?}");
        }
        assert_eq!(search("openrouter")[0].id, "openrouter", "what is the same comes first");
        assert!(search("").is_empty() && search("--").is_empty() && search("qzjxqzjx").is_empty());
    }

    #[test]
    fn advice_names_what_may_be_meant_and_nothing_of_the_word() {
        for (word, near, parts) in [
            ("deepsek", Some("deepseek"), vec!["did you mean `deepseek`?"]),
            ("openai", None, vec!["did you mean `openai-costs`?", "`openai-balance`", "docs/own-provider.md"]),
            ("together-ai", None, vec!["no API tells the balance of `together`", "docs/own-provider.md"]),
            ("qzjxSECRET", None, vec!["docs/own-provider.md"]),
        ] {
            let said = advice(word, near);
            for part in parts {
                assert!(said.contains(part), "{word}: {said}");
            }
            assert!(!said.contains("qzjx"), "{said}");
        }
    }
}
