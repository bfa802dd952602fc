//! The pages that come with the program: every file of `catalog/`, listed by `build.rs`.
//!
//! A run reads only the pages that its config uses, so that a start does not pay for the others.

use url::Url;

use super::page::Page;

/// The ids of the pages with their texts, in the order of their files' names, without their examples: only tests need those. A
/// test proves that each file has the name of its page.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/channels.rs"));

/// The ids of the pages that come with the program.
pub(crate) fn ids() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(id, _)| *id)
}

/// The page with an id, without its examples.
pub(crate) fn page(id: &str) -> Option<Page> {
    let (_, text) = PAGES.iter().find(|(known, _)| *known == id)?;
    serde_yaml::from_str(text).ok()
}

/// Every page, without its examples, for those who list or describe them.
pub(crate) fn pages() -> impl Iterator<Item = Page> {
    ids().filter_map(page)
}

/// The page with an id as it is written.
#[cfg(test)]
pub(crate) fn whole(id: &str) -> Page {
    serde_yaml::from_str(&written(id)).unwrap_or_else(|error| panic!("{id}: {error}"))
}

/// The file of a page.
#[cfg(test)]
fn written(id: &str) -> String {
    let path = format!("{}/src/notify/channel/catalog/{id}.yaml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The page that an address belongs to.
pub(crate) fn owner(address: &Url) -> Option<Page> {
    let host = address.host_str()?;
    // Most texts do not even hold the host, or a domain that it is under.
    let domain = host.rsplitn(3, '.').take(2).collect::<Vec<_>>();
    let domain = domain.iter().rev().copied().collect::<Vec<_>>().join(".");
    let named = PAGES.iter().filter(|(_, text)| text.contains(&domain));
    named.filter_map(|(id, _)| page(id)).find(|page| page.addresses.iter().any(|known| is_at(address, host, known)))
}

/// Whether an address is one of a known place: a host (`*.` stands for what is under a domain) with the beginning of a path.
fn is_at(address: &Url, host: &str, known: &str) -> bool {
    let (place, path) = known.split_at(known.find('/').unwrap_or(known.len()));
    let is_there = match place.strip_prefix("*.") {
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => host == place,
    };
    is_there && address.path().starts_with(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_the_name_of_its_page_and_its_examples_last() {
        for (id, _) in PAGES {
            let whole = whole(id);
            assert_eq!(whole.id, *id);
            let bare = Page { examples: super::super::page::Examples::default(), ..whole };
            assert_eq!(format!("{:?}", page(id).unwrap()), format!("{bare:?}"), "only the examples may be missing");
            assert!(written(id).contains("\nexamples:\n"), "{id} has no examples");
        }
    }

    #[test]
    fn an_address_belongs_to_the_page_that_names_it() {
        for (address, known, want) in [
            ("https://hooks.slack.com/services/x", "hooks.slack.com/services/", true),
            ("https://hooks.slack.com/triggers/x", "hooks.slack.com/services/", false),
            ("https://a.webhook.office.com/x", "*.webhook.office.com", true),
            ("https://webhook.office.com.example/x", "*.webhook.office.com", false),
            ("https://open.feishu.cn.example/x", "open.feishu.cn", false),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(is_at(&url, url.host_str().unwrap(), known), want, "{address} at {known}");
        }
    }
}
