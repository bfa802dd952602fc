//! Alerts about mails: each is told once to each channel, whatever becomes of it.

use jiff::Timestamp;

use super::action_table::Act;
use super::alert_builder::AlertBuilder;
use super::decision::{Decision, Held, Key, Muted, Pause};
use super::explain::{Limits, Ruling};
use super::messages::Messages;
use super::per_channel::{Case, Settler};
use super::recipients::{Recipient, Routed, postponed, recipients, waiting};
use super::route::Levels;
use super::status::Status;
use super::verdict::{Found, MailboxVerdict};
use crate::check::mailbox::scan::Finding;
use crate::decide::memory::{Condition, Course, Mute, MuteKind};
use crate::model::alert::{Alert, Cause, Event, Level, Mail, Topic};
use crate::model::identity::Identity;

/// Signs that an alert names; the report has all of them.
const MOST_SIGNS: usize = 5;

/// How urgent every mail is.
const LEVEL: Level = Level::Warning;

impl Settler<'_> {
    /// A mail is told once, in whichever mailbox it lies. One that could not be told is told later, though it is not read again.
    pub(super) fn settle_mails(&self, found: &Found, decision: &mut Decision) {
        if !self.tells() {
            return;
        }
        let mut seen: Vec<Identity> = Vec::new();
        for verdict in &found.mailboxes {
            for finding in verdict.scanned.result.iter().flat_map(|scan| &scan.findings) {
                if !seen.contains(&finding.identity) {
                    seen.push(finding.identity);
                    let alert = alert(verdict, finding, self.cooldown.now);
                    let knowing = self.hear_that_it_is_low(found, finding);
                    let said = Said { alert: Some(alert), knowing: &knowing };
                    self.settle_mail(said, verdict, (finding.identity, Topic::Mail), decision);
                }
            }
        }
        let mailbox = |alert: &Alert| found.mailboxes.iter().position(|mailbox| mailbox.name == alert.project);
        let conditions = self.memory.conditions.iter();
        let mut late: Vec<(Timestamp, Key, usize)> = conditions
            .filter(|((identity, topic), _)| *topic == Topic::Mail && !seen.contains(identity))
            .filter_map(|(key, condition)| {
                let owed = condition.channels.values().find_map(|heard| heard.owed.as_ref())?;
                Some((owed.alert.at, *key, mailbox(&owed.alert)?))
            })
            .collect();
        late.sort();
        for (_, key, mailbox) in late {
            let said = Said { alert: None, knowing: &[] };
            self.settle_mail(said, &found.mailboxes[mailbox], key, decision);
        }
    }

    /// For each channel, whether it hears that an account is low whose balance a mail tells. A mail that its vendor sends early,
    /// while the balance is above the threshold of the config, is told as any other.
    fn hear_that_it_is_low(&self, found: &Found, finding: &Finding) -> Vec<bool> {
        let mut hear = vec![false; self.rules.listeners.len()];
        for verdict in found.accounts.iter().filter(|verdict| finding.balance_of.contains(&verdict.subject.name)) {
            let level = match verdict.status {
                Status::Low => Level::Critical,
                Status::Warning => Level::Warning,
                Status::Failed | Status::Ok | Status::Unlimited => continue,
            };
            let about = AlertBuilder::of_account(verdict, self.cooldown.now);
            let levels = self.rules.routed(&about.about(), Topic::Low);
            hear.iter_mut().zip(&levels).for_each(|(hears, levels)| *hears |= levels.at(level));
        }
        hear
    }

    /// A mail is told once. A channel that is added later does not hear of those that others have heard.
    fn settle_mail(&self, said: Said, mailbox: &MailboxVerdict, key: Key, decision: &mut Decision) {
        let Said { alert, knowing } = said;
        let known = self.memory.conditions.get(&key);
        let at = self.cooldown.now;
        let fresh = Course::begun(at);
        let course = known.map_or(fresh, |known| known.course);
        let mut held = Held::new(key, Event::Raised);
        let about = AlertBuilder::of_mailbox(mailbox, at).about();
        let mut levels = self.rules.routed(&about, Topic::Mail);
        let channels = levels.iter_mut().zip(&self.rules.listeners).zip(knowing);
        for ((levels, listener), _) in channels.filter(|((levels, _), knows)| **knows && levels.any()) {
            *levels = Levels::default();
            held.channels.push(listener.id.clone());
        }
        let routed = Routed { listeners: &self.rules.listeners, levels: &levels };
        let muting = self.muting(key, &about);
        let mute = muting.of_owed(LEVEL).filter(|mute| mute.kind() == MuteKind::Silence);
        let is_acknowledged = muting.acknowledged().next().is_some();
        if let Some(mute) = mute.filter(|_| alert.is_some()) {
            decision.muted.push(Muted { identity: key.0, topic: key.1, by: mute.number });
        }
        let mut case = Case { key, muting, heard: Levels::default(), course, messages: Messages::default() };
        decision.explain_mail(key, alert.as_ref().or(known.and_then(owed_to_anybody)), course);
        for recipient in recipients(routed, Some(LEVEL), key, known, decision) {
            if recipient.is_quiet && !recipient.is_claimed() {
                continue;
            }
            let channel = recipient.listener.id.as_str();
            let owed = recipient.heard.owed.as_ref();
            if let (false, Some(told)) = (recipient.is_own, &recipient.heard.told) {
                decision.changes.heard.push((key, channel.to_owned(), Some(told.clone())));
            }
            let keep = |decision: &mut Decision| {
                let owed = owed.filter(|_| !recipient.is_own);
                decision.changes.kept.extend(owed.map(|owed| (owed.alert.dedup_key.clone(), channel.to_owned())));
            };
            let said = match owed {
                Some(owed) if owed.is_claimed => None,
                Some(owed) if is_acknowledged => {
                    // Somebody knows of it, and it will not get worse.
                    if recipient.is_own {
                        decision.changes.withdrawn.push((owed.alert.dedup_key.clone(), channel.to_owned()));
                    }
                    None
                }
                Some(owed) if !self.cooldown.may_repeat(owed.in_vain(), owed.tried_at) => {
                    decision.waiting.push(waiting(key, &recipient, owed));
                    decision.rule(|| Ruling::new(&recipient, None, Act::Wait, Limits::of_rest(Some(owed), true)));
                    keep(decision);
                    continue;
                }
                Some(owed) => Some(alert.as_ref().unwrap_or(&owed.alert)),
                None => alert.as_ref().filter(|_| known.is_none()),
            };
            let Some(alert) = said else {
                decision.rule(|| Ruling::new(&recipient, None, Act::Hold, Limits::default()));
                held.channels.push(channel.to_owned());
                continue;
            };
            let pause = self.mail_pause(key, &recipient, (mute, case.course), decision);
            if pause.is_some() && owed.is_some() {
                keep(decision);
                continue;
            }
            let alert = Alert { dedup_key: String::new(), ..alert.clone() };
            self.say(alert, owed, (&recipient, pause.is_some()), &mut case);
        }
        if !held.channels.is_empty() && alert.is_some() {
            decision.held.push(held);
        }
        decision.alerts.extend(case.messages.tellings());
        if known.map(|known| known.course) != Some(case.course) {
            decision.changes.courses.push((key, Some(case.course)));
        }
    }

    /// Why a mail is told to a channel later, and from when on; none if it is told now.
    fn mail_pause(
        &self,
        key: Key,
        recipient: &Recipient,
        (mute, course): (Option<&Mute>, Course),
        decision: &mut Decision,
    ) -> Option<(Pause, Option<Timestamp>)> {
        let pause = mute.map(|mute| (Pause::Silenced, mute.until));
        let pause = pause.or(self.heard_from(recipient, course).map(|from| (Pause::Early, Some(from))));
        let pause = pause.or(self.away_until(recipient, LEVEL).map(|until| (Pause::Away, Some(until))));
        if let Some(pause) = pause {
            decision.postponed.push(postponed(key, recipient, Event::Raised, pause));
        }
        decision.rule(|| {
            let until = |why| pause.filter(|(of, _)| *of == why).and_then(|(_, until)| until);
            let (early_until, away_until) = (until(Pause::Early), until(Pause::Away));
            let limits =
                Limits { early_until, away_until, muted_by: mute.map(|mute| mute.number), ..Limits::default() };
            Ruling::new(recipient, None, if pause.is_some() { Act::Wait } else { Act::Repeat }, limits)
        });
        pause
    }
}

fn owed_to_anybody(known: &Condition) -> Option<&Alert> {
    known.channels.values().find_map(|heard| heard.owed.as_ref()).map(|owed| &owed.alert)
}

/// What there is to say of a mail.
struct Said<'a> {
    /// The alert about it, if it was read in this run.
    alert: Option<Alert>,
    /// For each channel whether it hears the same in another alert; nothing if none does.
    knowing: &'a [bool],
}

/// The alert about a mail.
fn alert(verdict: &MailboxVerdict, finding: &Finding, now: Timestamp) -> Alert {
    let cause = Cause::Mail(Mail {
        subject: finding.subject.clone(),
        sender: finding.sender.clone(),
        date: finding.date,
        account: finding.account.clone(),
        service: finding.service.clone(),
        amount: finding.amount,
        currency: finding.currency.map(str::to_owned),
        keywords: finding.signs_for.iter().take(MOST_SIGNS).cloned().collect(),
    });
    let alert = AlertBuilder::of_mailbox(verdict, now).alert(Event::Raised, LEVEL, cause);
    Alert { identity: finding.identity, ..alert }
}
