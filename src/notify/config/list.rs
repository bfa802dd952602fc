//! The channels of a config: which entries there are, and what tells them apart.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Channel, ChannelPages, OwnFields, RawWebhook, URL};
use crate::yaml::path::{NodePath, item, key, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::shape::shown_name;

/// The first entry with each name, and whether the name was given to it.
type Names = BTreeMap<String, (NodePath, bool)>;

impl ConfigReader<'_> {
    /// The channels, and where each of them stands.
    pub(crate) fn channels(
        &mut self,
        one: Option<RawWebhook>,
        many: Option<Vec<Option<RawWebhook>>>,
        mut own: OwnFields,
        pages: &mut ChannelPages,
    ) -> (Vec<Channel>, Vec<NodePath>) {
        let (mut channels, mut is_named, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let mut names = Names::new();
        for (path, webhook) in self.webhooks(one, many) {
            let named = webhook.name.is_some();
            let own = own.remove(&path).unwrap_or_default();
            let channel = self.channel(&path, webhook, own, pages);
            self.name_once(&channel.name, named, &path, &mut names);
            places.push(path);
            channels.push(channel);
            is_named.push(named);
        }
        for (channel, path) in channels.iter_mut().zip(&places) {
            // Another entry with its name may have been found since.
            if let (Ok(_), Some(why)) = (&channel.url, self.fault(path)) {
                channel.url = Err(why);
            }
        }
        identify(&mut channels, &is_named);
        (channels, places)
    }

    /// The entries as they are written, with the variables that stand for fields.
    fn webhooks(
        &mut self,
        one: Option<RawWebhook>,
        many: Option<Vec<Option<RawWebhook>>>,
    ) -> Vec<(NodePath, RawWebhook)> {
        let mut raw = Vec::new();
        let is_unset = self.is_flagged(&[key("webhook")]);
        let has_overlay = self.environment.overlay(URL.name).is_some();
        // The variables are about the one `webhook`; a list has its own references.
        if one.is_some() || is_unset || (has_overlay && many.is_none()) {
            let path = vec![key("webhook")];
            let webhook = self.overlaid_webhook(&path, one.unwrap_or_default());
            raw.push((path, webhook));
        }
        for (index, webhook) in many.unwrap_or_default().into_iter().enumerate() {
            let path = item("webhooks", index);
            match webhook {
                Some(webhook) => raw.push((path, webhook)),
                None => self.missing_entry(&path),
            }
        }
        raw
    }

    fn overlaid_webhook(&mut self, path: &NodePath, mut webhook: RawWebhook) -> RawWebhook {
        let overlaid = [RawWebhook::url, RawWebhook::kind, RawWebhook::source].map(|field| field.variable);
        let [url, kind, source] = overlaid.map(|variable| self.environment.overlay(variable?.name).map(str::to_owned));
        if let Some(url) = url {
            webhook.url = Some(url);
            webhook.url_file = None;
            self.drop_command(path, "url");
            self.outside.insert(under(path, "url"));
        }
        if let Some(kind) = kind {
            webhook.kind = Some(kind);
            self.outside.insert(under(path, "type"));
        }
        webhook.source = source.or(webhook.source);
        webhook
    }

    /// Reports a name that two channels have, unless neither was given it.
    fn name_once(&mut self, name: &str, named: bool, path: &NodePath, names: &mut Names) {
        match names.get_mut(name) {
            Some((first, _)) if named => {
                let message = format!("there is already a webhook named{}", shown_name(name));
                self.same_name([first, path], &["name"], message, None);
            }
            Some((first, is_given @ true)) => {
                *is_given = false;
                let message = "a webhook without a name has this name, which is its type";
                let hint = "give one of them another name: what each has been told is remembered by it".to_owned();
                self.same_name([path, first], &["name"], message.to_owned(), Some(hint));
            }
            Some(_) => {}
            None => drop(names.insert(name.to_owned(), (path.clone(), named))),
        }
    }
}

/// Gives the channels without a name, where their type alone does not tell them apart, an id that their address goes into. An
/// address may change under a name, or under the only channel of a type: that is the same channel.
fn identify(channels: &mut [Channel], is_named: &[bool]) {
    let names: Vec<String> = channels.iter().map(|channel| channel.name.clone()).collect();
    for (at, named) in is_named.iter().enumerate() {
        if *named || names.iter().filter(|name| **name == names[at]).count() == 1 {
            continue;
        }
        let hash: String =
            Sha256::digest(channels[at].place()).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let id = format!("{}:{hash}", names[at]);
        // One address twice is two channels: each of them gets every message.
        let twins = channels[..at].iter().filter(|other| other.id.starts_with(&id)).count();
        channels[at].id = if twins == 0 { id } else { format!("{id}:{}", twins + 1) };
    }
}
