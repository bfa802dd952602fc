//! The keys that somebody has already, under their usual names.

use crate::check::account::page::credential::CredentialFormat;
use crate::check::account::page::{Kind, Page};
use crate::check::account::{Listed, catalog};
use crate::process::environment::Environment;

/// A service with the variables that its key is made of, a colon between those of a pair.
pub(super) struct Found {
    pub page: Page,
    pub variables: String,
}

/// The services whose keys are set under one of their usual names: those that need nothing but a key, and the others.
pub(super) fn keys(environment: &Environment) -> (Vec<Found>, Vec<Found>) {
    let pages = catalog().filter_map(|listed| match listed {
        Listed::Page(page) => Some(*page),
        Listed::Absent(_) => None,
    });
    let found = pages.filter_map(|page| Some(Found { variables: set_of(&page, environment)?, page }));
    found.partition(|found| needs_nothing_but_a_key(&found.page))
}

/// The variables that hold the key of a service, if they are set.
pub(super) fn set_of(page: &Page, environment: &Environment) -> Option<String> {
    let all_set = |names: &String| names.split(':').all(|name| environment.overlay(name).is_some());
    page.credential.variables(&page.id).into_iter().find(all_set)
}

/// Whether an account of this service needs nothing but a key in the config.
pub(super) fn needs_nothing_but_a_key(page: &Page) -> bool {
    !page.self_hosted
        && page.kind != Kind::Spend
        && matches!(page.credential.format, CredentialFormat::Key | CredentialFormat::Pair)
        && page.options.values().all(|option| option.default.is_some())
}
