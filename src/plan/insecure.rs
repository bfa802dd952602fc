//! Warnings about credentials that go to another machine unencrypted, unless the config allows it.

use std::collections::BTreeMap;

use url::Url;

use super::Plan;
use crate::check::mailbox::config::MailLogin;
use crate::model::text;
use crate::notify::config::Channel;
use crate::process::redact;
use crate::state::in_the_clear;
use crate::wire::http::{self, Clients};

/// Most names in the warning about one host.
const MOST_NAMED: usize = 3;

impl Plan {
    /// A warning for each host that a credential goes to in the clear, unless all of them are allowed to.
    pub(crate) fn insecure(&self, clients: &Clients) -> Vec<String> {
        let travels = |url: &Url| travels(url, clients);
        let mut found = Found::default();
        for check in &self.work.accounts {
            let Some(account) = check.account.as_ref().ok().filter(|account| !account.allow_insecure) else { continue };
            let has_credential = |url: &Url| !account.secrets.is_empty() || redact::is_credential(url);
            for url in account.origins().iter().filter(|url| has_credential(url) && travels(url)) {
                found.add("the key of", url, &check.name);
            }
        }
        found.add_channels(&self.config.channels, clients);
        if let Some(gateway) = self.config.metrics.gateway.as_ref().filter(|gateway| !gateway.allow_insecure)
            && let Some(url) = gateway.url.as_ref().ok().filter(|url| travels(url))
            && (gateway.login.is_some() || redact::is_credential(url))
        {
            found.add("the credential of", url, "pushgateway");
        }
        if let Some(healthchecks) =
            self.config.healthchecks.as_ref().filter(|healthchecks| !healthchecks.allow_insecure)
            && let Some(url) = healthchecks.url.as_ref().ok().filter(|url| travels(url))
        {
            // Whoever knows the address can say that a run has happened.
            found.add("the address of", url, "healthchecks");
        }
        for mailbox in self.work.mailboxes.iter().filter(|mailbox| !mailbox.allow_insecure) {
            let Ok(MailLogin::Oauth2(oauth2)) = &mailbox.login else { continue };
            if travels(&oauth2.token_url) {
                found.add("the refresh token of", &oauth2.token_url, &mailbox.name);
            }
        }
        let state = &self.config.state;
        let database = state.place.as_ref().ok().filter(|_| !state.allow_insecure).and_then(in_the_clear);
        let database = database.map(|host| told("the password of the database", &host, "under `state`"));
        found.warnings().chain(database).collect()
    }
}

/// A warning for each host that the credential of a channel goes to in the clear.
pub(crate) fn insecure_channels(channels: &[Channel], clients: &Clients) -> Vec<String> {
    let mut found = Found::default();
    found.add_channels(channels, clients);
    found.warnings().collect()
}

/// Whether what is sent to an address can be read on the way.
fn travels(url: &Url, clients: &Clients) -> bool {
    let is_far =
        !http::is_this_machine(url) || clients.proxy(url).is_some_and(|proxy| !http::is_this_machine(proxy.place()));
    url.scheme() == "http" && is_far
}

/// What goes to a host in the clear, by what it is and by the host, with the names of those that it belongs to.
#[derive(Default)]
struct Found<'a>(BTreeMap<(&'static str, String), Vec<&'a str>>);

impl<'a> Found<'a> {
    fn add(&mut self, what: &'static str, url: &Url, name: &'a str) {
        let names = self.0.entry((what, http::host(url))).or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }

    fn add_channels(&mut self, channels: &'a [Channel], clients: &Clients) {
        for channel in channels.iter().filter(|channel| !channel.allow_insecure) {
            let Some(url) = channel.address().filter(|url| travels(url, clients)) else { continue };
            // Whoever knows the address can post to it, whether it looks like a secret or not.
            self.add("the credential of the webhook", url, &channel.name);
        }
    }

    fn warnings(self) -> impl Iterator<Item = String> {
        self.0.into_iter().map(|((what, host), names)| warning(what, &host, &names))
    }
}

fn warning(what: &str, host: &str, names: &[&str]) -> String {
    let shown = names.iter().take(MOST_NAMED).map(|name| format!("`{}`", text::one_line(name, 60)));
    let shown = shown.collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(MOST_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    told(&format!("{what} {shown}{more}"), &format!("http://{host}"), "beside it")
}

fn told(what: &str, place: &str, beside: &str) -> String {
    format!(
        "{what} goes to `{place}`, where everybody on the way can read it; \
         `allow_insecure: true` {beside} says that this is meant"
    )
}
