//! What a config says of accounts: its `projects`, and the values that are made of them.

mod command;
mod credential;
pub(crate) mod literals;
mod mails;
pub(crate) mod pages;
mod threshold;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use url::Url;

use self::command::RawCommand;
use self::credential::RawParts;
use self::mails::{MAX_AGE, RawMails, is_of_mails};
use self::pages::{Found, Pages, meant, no_provider};
pub(crate) use self::threshold::Written;
use super::from_command::is_of_command;
use super::page::credential::Secrets;
use super::page::{Page, Reader};
use super::{Account, Target};
use crate::check::mailbox::config::Mailbox;
use crate::model::addressing::Addressing;
use crate::model::amount;
use crate::model::forecasting::Forecasting;
use crate::model::threshold::Threshold;
use crate::model::words::BalanceType;
use crate::page::traps;
use crate::process::quote_input;
use crate::yaml::address::web_address;
use crate::yaml::addressing::RawLabels;
use crate::yaml::field::{Number, fields};
use crate::yaml::forecasting::RawForecast;
use crate::yaml::path::{Part, Step, item, key, show, under};
use crate::yaml::problem::Reach;
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Text};
use crate::yaml::shape::{shown_name, suggestion};
use crate::yaml::texts::RawTexts;

fields! {
    /// An account to watch.
    pub(crate) struct RawProject {
        /// The unique name in reports and alerts.
        name: String, required = true;
        /// The service: an id of `balance-alert providers`, or of a page under `providers`.
        provider: String, required = true;
        /// The credential, best as `${VARIABLE}`.
        api_key: String;
        /// A file that holds the credential.
        api_key_file: String;
        /// The parts of the credential, for a provider that needs several: `{ login: "${LOGIN}", password_file: /run/secrets/p }`.
        credentials: RawParts;
        /// A balance below this number is critical. `20%` is a share of the total, for providers that tell it.
        threshold: Lenient<Written>, required = true;
        /// A balance below this number is a warning; it must not be under `threshold`.
        warning_threshold: Lenient<Written>;
        /// How long the balance lasts, where it differs from `settings.forecast`.
        forecast: RawForecast;
        /// How much may be spent in the period that a provider of `kind: spend` counts; the balance is this less what was spent.
        budget: Lenient<Decimal>;
        /// What is counted: balance or credits.
        kind as "type": BalanceType, default = "as the page of the provider says";
        /// Who the account belongs to, for people.
        owner_project: String;
        /// The old name of `owner_project`.
        project: String;
        /// Whether the account is checked.
        enabled: Lenient<bool>, default = "true";
        /// The currency that is wanted, where an account has several; else its label, if neither the page nor the answer says one.
        currency: String;
        /// Replaces scheme, host and path prefix of the service's address.
        base_url: String;
        /// Says that the key may go to an `http://` address of another machine, where everybody on the way can read it; without
        /// it every run warns.
        allow_insecure: Lenient<bool>;
        /// Longest time for one request, in seconds.
        timeout_seconds: Lenient<Decimal>, number = Number::above_zero(600).unit("seconds"), default = "`settings.request_timeout_seconds`";
        /// The mailbox whose mails tell the balance, by its name; for `provider: mail`.
        mailbox: String;
        /// Whose mails tell the balance: addresses, or parts of them; for `provider: mail`.
        from: RawTexts;
        /// Texts of which the subjects of these mails hold one; for `provider: mail`.
        subject: RawTexts;
        /// A regular expression for what the balance stands in, with a group `balance` and perhaps a group `currency`; for
        /// `provider: mail`.
        pattern: String, default = "the program's own reading of amounts";
        /// How old the newest of these mails may be, as `12h` or `45d`; for `provider: mail`.
        max_age: String, default = MAX_AGE;
        /// The program and its arguments, which no shell reads; for `provider: exec`.
        command: Vec<Lenient<Text>>;
        /// A jq expression over what the program prints that gives the balance; for `provider: exec`.
        balance: String, default = "`.balance`";
        /// What is counted that is no money, for example `GPU hours`; for `provider: exec`.
        unit: String;
        /// Senders whose mails are about this account, beside those of the provider's own domain: addresses, or domains.
        mail_from: RawTexts;
        /// Labels, for `match` of webhooks and for messages: `{ team: core, stage: production }`.
        labels: RawLabels;
        /// The names of the webhooks that hear of it, instead of those whose `match` fits.
        notify: RawTexts;
        /// What the provider's page declares, for example a region.
        options: BTreeMap<String, Lenient<Text>>;
    }
}

/// An account to watch.
#[derive(Clone)]
pub(crate) struct Project {
    /// The unique name.
    pub name: String,
    /// The provider's page.
    pub page: Arc<Page>,
    /// Below it the balance is critical; none if that is not known, because what a variable holds is no number.
    pub threshold: Option<Threshold>,
    /// Below it the balance is a warning.
    pub warning_threshold: Option<Threshold>,
    /// What is counted, if the project says it.
    pub kind: Option<BalanceType>,
    /// Who the account belongs to.
    pub owner_project: Option<String>,
    /// Who hears of it.
    pub addressing: Addressing,
    /// The wanted currency.
    pub currency: Option<String>,
    /// How it is forecast.
    pub forecasting: Forecasting,
    /// Replaces scheme, host and path prefix of the provider's address.
    pub base_url: Option<Url>,
    /// The options, with the page's defaults.
    pub options: BTreeMap<String, String>,
    /// Senders whose mails are about it: addresses and domains, in lower case.
    pub mail_from: Vec<String>,
    /// What it is asked with, or why it cannot be checked.
    pub account: Result<Account, String>,
}

/// What `settings` say for all projects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usual {
    /// Longest time for one request.
    pub timeout: Duration,
    pub forecasting: Forecasting,
}

impl ConfigReader<'_> {
    pub(crate) fn projects(
        &mut self,
        raw: Vec<Option<RawProject>>,
        pages: &mut Pages,
        mailboxes: &[Mailbox],
        usual: Usual,
    ) -> Vec<Project> {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        let (mut projects, mut places) = (Vec::new(), Vec::new());
        for (index, project) in raw.into_iter().enumerate() {
            let path = item("projects", index);
            if self.is_disabled(&path) {
                continue;
            }
            let Some(project) = project else {
                self.missing_entry(&path);
                continue;
            };
            if let Some(name) = &project.name {
                if let Some(first) = names.get(name) {
                    let message = format!("there is already a project{}", shown_name(name));
                    let hint = Some(format!("{} has this name", self.entry_shown(&item("projects", *first))));
                    self.same_name([&item("projects", *first), &path], &["name"], message, hint);
                } else {
                    names.insert(name.clone(), index);
                }
            }
            if let Some(project) = self.project(&path, project, (pages, mailboxes), usual) {
                projects.push(project);
                places.push(path);
            }
        }
        for (project, path) in projects.iter_mut().zip(&places) {
            // Another entry with its name may have been found since.
            if let (Ok(_), Some(why)) = (&project.account, self.fault(path)) {
                project.account = Err(why);
            }
        }
        projects
    }

    fn project(
        &mut self,
        path: &[Step],
        mut raw: RawProject,
        (pages, mailboxes): (&mut Pages, &[Mailbox]),
        usual: Usual,
    ) -> Option<Project> {
        self.required(path, "name", raw.name.is_some());
        self.required(path, "provider", raw.provider.is_some());
        self.required(path, "threshold", raw.threshold.is_some());
        if raw.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            self.problem(&under(path, "name"), Part::Value, "`name` is empty", None);
        }
        let (mails, command) = (RawMails::of(&mut raw), RawCommand::of(&mut raw));
        let [threshold, warning_threshold] = self.thresholds(path, raw.threshold, raw.warning_threshold);
        let budget = self.not_negative(path, &RawProject::budget, raw.budget);
        let owner = self.owner(path, raw.owner_project, raw.project);
        let addressing = self.addressing(path, raw.labels, raw.notify);
        let timeout = self.time(path, &RawProject::timeout_seconds, raw.timeout_seconds).unwrap_or(usual.timeout);
        let forecasting = self.forecasting(path, raw.forecast, usual.forecasting);
        let base_url = raw.base_url.and_then(|text| self.base_url(path, &text));
        let key = self.secret(path, "api_key", raw.api_key, raw.api_key_file.as_deref());
        // Without its own name an entry that is broken from outside is still reported, under its place.
        let name = raw.name.or_else(|| self.is_unusable(path).then(|| show(path)))?;
        let page = self.page(path, raw.provider.as_deref(), pages)?;
        let letters = self.letters(path, mails, &page, mailboxes);
        let mail_from = self.mail_from(path, raw.mail_from);
        let currency = self.currency_word(raw.currency);
        let mut set = raw.options.unwrap_or_default();
        let command = self.told_by_command(path, command, &page, currency.as_deref(), &mut set);
        let set = self.written_options(path, &page, set);
        let (options, secrets) = if pages.has(&page) {
            let options = self.options(path, &page, set);
            self.currency(path, &page, currency.as_deref());
            self.needs(path, &page, budget.is_some(), base_url.is_some());
            (options, self.credential(path, &page, key, raw.credentials))
        } else {
            // What the page wants of a project is not known if the page cannot be used.
            raw.credentials.into_iter().flatten().for_each(|(_, part)| self.redactor.suspect(&part.0.0));
            // The options name the account, so that its history stays its own when the page is mended.
            let options = if pages.is_itself(&page) { page.options_with_defaults(&set) } else { set };
            (options, Secrets::of_key(key.unwrap_or_default()))
        };
        let own = match (letters, &command) {
            (Some(letters), _) => Some(Target::Mails(letters)),
            (None, command) => command.as_ref().map(|told| Target::Command(Arc::clone(&told.command))),
        };
        let reached = match (self.fault(path), own) {
            (Some(why), _) => Err(why),
            (None, Some(target)) => self.compiled(path, pages, &page, &options).map(|it| (it, target)),
            (None, None) if is_of_mails(&page) => Err("it cannot be read from mails as it is written".to_owned()),
            (None, None) if is_of_command(&page) => Err("it has no command that could tell the balance".to_owned()),
            (None, None) => self.reached(path, pages, &page, &options, base_url.as_ref()),
        };
        let page = command.map_or(page, |told| told.page);
        let account = reached.map(|(reader, target)| Account {
            page: Arc::clone(&page),
            reader,
            secrets,
            options: options.clone(),
            currency: currency.clone(),
            budget,
            target,
            allow_insecure: raw.allow_insecure.is_some_and(|allow| allow.0),
            timeout,
        });
        Some(Project {
            name,
            page,
            threshold,
            warning_threshold,
            kind: raw.kind,
            owner_project: owner,
            addressing,
            currency,
            forecasting,
            base_url,
            options,
            mail_from,
            account,
        })
    }

    /// The address that replaces scheme, host and path prefix of the service's; it must hold no query, fragment or login.
    fn base_url(&mut self, path: &[Step], text: &str) -> Option<Url> {
        let parsed = web_address(text.trim()).and_then(|url| {
            if url.query().is_some() || url.fragment().is_some() {
                Err("must not have a query or fragment".to_owned())
            } else if !url.username().is_empty() || url.password().is_some() {
                Err("must not hold a user name or password".to_owned())
            } else {
                Ok(url)
            }
        });
        match parsed {
            Ok(url) => {
                self.redactor.learn_address(&url);
                for segment in url.path_segments().into_iter().flatten().filter(|part| quote_input::looks_secret(part))
                {
                    self.redactor.learn(segment);
                }
                Some(url)
            }
            Err(why) => {
                self.problem(&under(path, "base_url"), Part::Value, format!("`base_url` {why}"), None);
                None
            }
        }
    }

    /// The options as they are written, of which the redactor learns what may be a secret.
    fn written_options(
        &mut self,
        path: &[Step],
        page: &Page,
        options: BTreeMap<String, Lenient<Text>>,
    ) -> BTreeMap<String, String> {
        // What a variable brought may be a credential.
        let place = under(path, "options");
        self.suspect_filled(&place);
        let options = options.into_iter().map(|(name, value)| {
            let value = self.as_written(&under(&place, &name), value.0);
            (name, value)
        });
        let set: BTreeMap<String, String> = options.collect();
        self.learn_options(page, set.clone());
        set
    }

    /// The compiled page of an account and where it is asked.
    fn reached(
        &mut self,
        path: &[Step],
        pages: &mut Pages,
        page: &Page,
        options: &BTreeMap<String, String>,
        base_url: Option<&Url>,
    ) -> Result<(Arc<Reader>, Target), String> {
        let reader = self.compiled(path, pages, page, options)?;
        let target = Target::of(page, options, base_url, &self.folder)
            .inspect_err(|why| self.problem(path, Part::Value, why.clone(), None))?;
        Ok((reader, target))
    }

    /// The provider's page, or one that stands for it because the account cannot be read anyway; none if a problem says why.
    fn page(&mut self, path: &[Step], provider: Option<&str>, pages: &mut Pages) -> Option<Arc<Page>> {
        let Some(provider) = provider else {
            return if self.is_unusable(path) { Pages::stand_in("unknown") } else { None };
        };
        let found = pages.find(provider);
        let nameless = pages.broken.get("").filter(|_| matches!(found, Found::Nothing));
        if let Some(why) = pages.broken.get(provider).or(nameless) {
            let why = format!("the page of its provider cannot be used: {why}");
            self.break_entry(path, why);
            // What names the account across runs is the same, whether its page can be used today or not.
            return if let Found::Page(page) = found { Some(page) } else { Pages::stand_in(provider) };
        }
        let at = under(path, "provider");
        match found {
            Found::Page(page) => return Some(page),
            Found::Absent(absent) => {
                let message = format!(
                    "the balance of `{provider}` ({}) cannot be read: {} (as of {})",
                    absent.title, absent.why, absent.since
                );
                self.problem(&at, Part::Value, message, Some(absent.instead.clone()));
            }
            Found::Nothing if !self.is_full() => {
                let known = pages.ids();
                self.problem(&at, Part::Value, no_provider(provider, &known), Some(meant(provider, &known)));
            }
            Found::Nothing => {}
        }
        // If a variable names a provider that there is not, only this account cannot be read.
        let why = self.fault(path)?;
        self.break_entry(path, why);
        Pages::stand_in("unknown")
    }

    /// What a page needs of a project beside its options and its credential.
    fn needs(&mut self, path: &[Step], page: &Page, has_budget: bool, has_base: bool) {
        match (page.spend.is_some(), has_budget) {
            (true, false) => {
                let message = format!("`budget` is missing; provider `{}` tells what was spent", page.id);
                let hint = "the balance is the budget less what was spent in the period".to_owned();
                self.problem(path, Part::Value, message, Some(hint));
            }
            (false, true) => {
                let message = format!("provider `{}` tells what is left, so a `budget` says nothing", page.id);
                self.problem(&under(path, "budget"), Part::Key(0), message, None);
            }
            _ => {}
        }
        if page.self_hosted && !has_base && !self.is_flagged(&under(path, "base_url")) {
            let message = format!("`base_url` is missing; provider `{}` runs where you have installed it", page.id);
            self.problem(path, Part::Value, message, Some("write the address of your installation".to_owned()));
        }
    }

    fn options(&mut self, path: &[Step], page: &Page, set: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let at = under(path, "options");
        let known: Vec<&str> = page.options.keys().map(String::as_str).collect();
        for (name, value) in &set {
            let Some(spec) = page.options.get(name) else {
                let hint = if known.is_empty() { None } else { suggestion(name, &known, "options") };
                let message = match quote_input::among(name, &known) {
                    Some(name) => format!("provider `{}` has no option `{name}`", page.id),
                    None => format!("provider `{}` has no such option", page.id),
                };
                self.problem(&under(&at, name), Part::Key(0), message, hint);
                continue;
            };
            if !spec.values.is_empty() && !spec.values.contains(value) {
                let values: Vec<&str> = spec.values.iter().map(String::as_str).collect();
                self.choice(&under(&at, name), "option ", value, &values);
            }
        }
        for (name, spec) in &page.options {
            let there = set.contains_key(name) || spec.default.is_some();
            if !there && !self.is_flagged(&under(&at, name)) && !self.is_flagged(&at) {
                let hint = Some(spec.description.clone());
                self.problem(path, Part::Value, format!("provider `{}` needs the option `{name}`", page.id), hint);
            }
        }
        page.options_with_defaults(&set)
    }

    /// Whether the currency that is wanted can be that of the balance: amounts are never converted, so it must not only be
    /// written beside them.
    fn currency(&mut self, path: &[Step], page: &Page, wanted: Option<&str>) {
        let Some((own, wanted)) = page.counted_in().zip(wanted) else {
            return;
        };
        // A page of the catalogue has a currency only if it reads no other one. What a page of one's own reads may be a text
        // that names its currency, so only the answer can tell.
        let is_own = || self.names.iter().any(|(at, id)| at.first() == Some(&key("providers")) && *id == page.id);
        if !amount::is_same(own, wanted) && !is_own() {
            let message = format!("the page `{}` reads {own}; leave `currency` out", page.id);
            self.problem(&under(path, "currency"), Part::Value, message, None);
        }
    }

    /// The page's expressions, compiled once for all accounts that share them.
    fn compiled(
        &mut self,
        path: &[Step],
        pages: &mut Pages,
        page: &Page,
        options: &BTreeMap<String, String>,
    ) -> Result<Arc<Reader>, String> {
        let key = (page.id.clone(), page.read_for(options));
        if let Some(reader) = pages.compiled.get(&key) {
            return Ok(Arc::clone(reader));
        }
        match page.reader(options) {
            Ok(reader) => {
                let reader = Arc::new(reader);
                let measured = page.measured_for(options);
                if measured != page.measured().1 {
                    // The project brought it. A missing limit is what `unlimited` is for in a file of one's own.
                    for trap in traps::of_balance(&measured, true, false) {
                        self.advise(&under(path, "options"), trap.message, trap.hint);
                    }
                }
                pages.compiled.insert(key, Arc::clone(&reader));
                Ok(reader)
            }
            Err((_, why)) => {
                self.push(&under(path, "options"), Part::Value, why.clone(), None, Reach::Entry);
                Err(why)
            }
        }
    }
}
