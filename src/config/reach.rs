//! Whether every alert that a config can raise reaches somebody, and whether its routes name what there is.

use std::collections::BTreeMap;

use super::Config;
use crate::check::account::page::Kind;
use crate::decide::route::{About, Asked, Matcher, Route, Why, is_like, reaches_somebody, route};
use crate::decide::{MailboxVerdict, SubscriptionVerdict};
use crate::model::addressing::Addressing;
use crate::model::alert::{Level, Topic};
use crate::model::schedule::Schedule;
use crate::process::quote_input;
use crate::yaml::path::{NodePath, Part, Step, key, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::shape::{shown_name, suggestion};

/// An entry that is watched, and the alerts that it can raise.
pub(crate) struct Watched<'a> {
    /// What its alerts are about.
    pub about: About<'a>,
    pub alerts: Vec<(Topic, Level)>,
    /// The list of the config that it stands in.
    list: &'static str,
    /// Whether it can be read at all; what is known of one that cannot may be incomplete.
    is_sound: bool,
}

impl Config {
    /// The channels with their routes, by their names.
    pub(crate) fn routes(&self) -> Vec<(&str, &Route)> {
        self.channels.iter().map(|channel| (channel.name.as_str(), &channel.route)).collect()
    }

    /// Whether not every channel hears of everything.
    pub(crate) fn is_routed(&self) -> bool {
        self.channels.iter().any(|channel| !channel.route.is_open())
            || self.watched().any(|one| one.about.addressing.notify.is_some())
    }

    /// Every entry that is watched.
    pub(crate) fn watched(&self) -> impl Iterator<Item = Watched<'_>> {
        let failing = (self.settings.alerting.failure_alert_after > 0).then_some((Topic::Failing, Level::Warning));
        let accounts = self.projects.iter().map(move |project| {
            let about = About {
                name: &project.name,
                owner: project.owner_project.as_deref(),
                provider: &project.page.id,
                addressing: &project.addressing,
            };
            // What is on without a word may go to nobody; what the config asks for must be heard.
            let forecasting = &project.forecasting;
            let is_forecast = project.page.kind != Kind::Quota;
            let runway = (is_forecast && forecasting.is_written && forecasting.alert_days > 0)
                .then_some((Topic::Runway, Level::Warning));
            let spike = (is_forecast && forecasting.is_spike_written && !forecasting.spike_ratio.is_zero())
                .then_some((Topic::Spike, Level::Warning));
            let expiry = (is_forecast && forecasting.is_expiry_written && forecasting.expiry_days > 0)
                .then_some((Topic::Expiry, Level::Warning));
            // It goes where warnings go.
            let topup = (is_forecast && forecasting.tell_topups).then_some((Topic::TopUp, Level::Warning));
            let warning = project.warning_threshold.map(|_| (Topic::Low, Level::Warning));
            let alerts = [Some((Topic::Low, Level::Critical)), warning, failing, runway, spike, expiry, topup]
                .into_iter()
                .flatten()
                .collect();
            Watched { about, alerts, list: "projects", is_sound: project.account.is_ok() }
        });
        let mailboxes = self.mailboxes.iter().map(move |mailbox| {
            let provider = MailboxVerdict::PROVIDER;
            let about = About { name: &mailbox.name, owner: None, provider, addressing: &mailbox.addressing };
            let alerts = [Some((Topic::Mail, Level::Warning)), failing].into_iter().flatten().collect();
            Watched { about, alerts, list: "email", is_sound: mailbox.login.is_ok() }
        });
        let subscriptions = self.subscriptions.iter().map(move |subscription| {
            let about = About {
                name: &subscription.name,
                owner: subscription.owner_project.as_deref(),
                provider: SubscriptionVerdict::PROVIDER,
                addressing: &subscription.addressing,
            };
            let alerts = match &subscription.schedule {
                Ok(schedule) => {
                    let before = (schedule.alert_days_before > 0).then_some((Topic::Renewal, Level::Warning));
                    before.into_iter().chain([(Topic::Renewal, Level::Critical)]).collect()
                }
                Err(_) => failing.into_iter().collect(),
            };
            Watched { about, alerts, list: "subscriptions", is_sound: subscription.schedule.is_ok() }
        });
        accounts.chain(mailboxes).chain(subscriptions)
    }
}

impl ConfigReader<'_> {
    /// Checks the routes of a config. `places` are those of its channels.
    pub(super) fn reach(&mut self, config: &Config, places: &[NodePath]) {
        if config.channels.is_empty() || !config.is_routed() {
            return;
        }
        let routes = config.routes();
        let entries = self.entries();
        let is_known = !routes.iter().any(|(_, route)| route.matcher == Some(Matcher::Unreadable));
        for one in config.watched() {
            let at = entries.get(&(one.list, one.about.name.to_owned())).cloned();
            let at = at.unwrap_or_else(|| vec![key(one.list)]);
            let is_named = self.names_webhooks(&at, &one, &routes);
            if is_known && is_named && one.is_sound {
                self.reaches(&at, &one, &routes);
            }
        }
        if is_known {
            self.useful(config, places, &routes);
        }
    }

    /// Where the entries stand, by their lists and names.
    fn entries(&self) -> BTreeMap<(&'static str, String), NodePath> {
        let lists = ["projects", "subscriptions", "email"];
        let named = self.names.iter().filter(|(path, _)| !self.is_disabled(path));
        let entries = named.filter_map(|(path, name)| {
            let list =
                lists.into_iter().find(|list| matches!(path.first(), Some(Step::Key(first)) if first == list))?;
            Some(((list, name.clone()), path.clone()))
        });
        entries.collect()
    }

    /// Whether the webhooks that an entry names are there.
    fn names_webhooks(&mut self, path: &[Step], one: &Watched, routes: &[(&str, &Route)]) -> bool {
        let names = one.about.addressing.notify.as_deref().unwrap_or_default();
        let known: Vec<&str> = routes.iter().map(|(name, _)| *name).collect();
        let mut are_known = true;
        for (index, name) in names.iter().enumerate().filter(|(_, name)| !known.contains(&name.as_str())) {
            are_known = false;
            let at = under(path, "notify");
            let item = [at.as_slice(), &[Step::Index(index)]].concat();
            // A word that stands alone is no list.
            let at = if self.document.locate(&item, Part::Value).is_some() { item } else { at };
            let message = match quote_input::among(name, &known) {
                Some(name) => format!("no webhook is named `{name}`"),
                None => "there is no webhook of this name".to_owned(),
            };
            self.problem(&at, Part::Value, message, suggestion(name, &known, "webhooks"));
        }
        are_known
    }

    /// Reports the alerts of an entry that nobody would hear of.
    fn reaches(&mut self, path: &[Step], one: &Watched, routes: &[(&str, &Route)]) {
        let lost = one.alerts.iter().filter(|(topic, level)| !reaches_somebody(routes, &one.about, *topic, *level));
        let lost: Vec<String> = lost.map(|alert| shown(*alert)).collect();
        if lost.is_empty() {
            return;
        }
        let lost = lost.join(", ");
        match one.about.addressing.notify {
            Some(_) => {
                let message = format!("nobody would hear of {lost}: what `notify` names takes nothing below critical");
                let hint = Some("name a webhook without `min_level: critical` as well".to_owned());
                self.problem(&under(path, "notify"), Part::Value, message, hint);
            }
            None => {
                let message = format!("nobody would hear of {lost}: no webhook takes it");
                let hint = Some("add a webhook without `match`, or one whose `match` fits".to_owned());
                self.problem(path, Part::Value, message, hint);
            }
        }
    }

    /// Advises of what is in a route for nothing: a word that fits nothing, and a webhook that nothing reaches.
    fn useful(&mut self, config: &Config, places: &[NodePath], routes: &[(&str, &Route)]) {
        let mut reasons: Vec<Vec<Why>> = vec![Vec::new(); routes.len()];
        let of_no_entry = Addressing::default();
        for one in config.watched().chain([schedules(&of_no_entry)]) {
            for (topic, level) in &one.alerts {
                for (at, why) in route(routes, &one.about, *topic, *level).into_iter().enumerate() {
                    reasons[at].push(why);
                }
            }
        }
        for (at, (channel, path)) in config.channels.iter().zip(places).enumerate() {
            let unfit = self.unfit(config, &channel.route, path);
            if unfit || is_for_digests(&channel.route) || reasons[at].is_empty() || reasons[at].iter().any(Why::takes) {
                continue;
            }
            let hint = match reasons[at].iter().any(|why| matches!(why, Why::Taken(_))) {
                true => "an earlier one has taken it; `continue: true` there lets it go on",
                false => "leave the webhook out, or let its `match` fit",
            };
            self.advise(path, "nothing that this config watches can reach this webhook", hint);
        }
    }

    /// Advises of words that fit no entry. Gives whether there are any.
    fn unfit(&mut self, config: &Config, route: &Route, path: &[Step]) -> bool {
        let Some(Matcher::Of(asked)) = &route.matcher else { return false };
        let mut has_unfit = false;
        for (asked, patterns) in asked {
            let at = match asked {
                // Words that are no topic or level were refused.
                Asked::Topic | Asked::Level => continue,
                Asked::Label(name) => under(&under(&under(path, "match"), "labels"), name),
                _ => under(&under(path, "match"), &asked.shown()),
            };
            let of_no_entry = Addressing::default();
            let fits = |pattern: &&str| {
                config
                    .watched()
                    .chain([schedules(&of_no_entry)])
                    .any(|one| asked.of(&one.about).is_some_and(|value| is_like(pattern, value)))
            };
            for word in patterns.words().filter(|word| !fits(word)) {
                has_unfit |= !patterns.is_refused(word);
                let message = format!(
                    "{} of `match` names{} that no entry has",
                    quote_input::key(&asked.shown()),
                    shown_name(word)
                );
                self.advise(&at, &message, "words are compared letter by letter; `*` stands for any characters");
            }
        }
        has_unfit
    }
}

/// The other schedules that share the memory, which no entry names: what no webhook takes of them goes to all.
fn schedules(addressing: &Addressing) -> Watched<'_> {
    let about = About { name: "", owner: None, provider: Schedule::PROVIDER, addressing };
    Watched { about, alerts: vec![(Topic::Silent, Level::Warning)], list: "", is_sound: true }
}

/// Whether a webhook asks for digests, which tell of all entries.
fn is_for_digests(route: &Route) -> bool {
    let Some(Matcher::Of(asked)) = &route.matcher else { return false };
    asked
        .iter()
        .any(|(asked, patterns)| *asked == Asked::Topic && patterns.words().any(|word| word == Topic::Digest.as_str()))
}

/// An alert for people: `low` (critical).
pub(crate) fn shown((topic, level): (Topic, Level)) -> String {
    format!("`{}` ({})", topic.as_str(), level.as_str())
}
