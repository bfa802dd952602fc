//! Brings together what is and what each channel knows of it: finds the row of the table for every channel, and carries out what
//! it says. Also here: when a condition began and whether it is over.

use jiff::Timestamp;
use std::time::Duration;

use super::action_table::{Act, Known, Knows, Now, Owes, act};
use super::causes::Causes;
use super::changes::Content;
use super::cooldown::Cooldown;
use super::decision::{Decision, Held, Key, Muted, Pause, Rules};
use super::explain::{Limits, Ruling};
use super::messages::Messages;
use super::mute::Muting;
use super::recipients::{Recipient, Routed, postponed, recipients, waiting};
use super::route::{About, Levels};
use crate::decide::memory::{Condition, Course, Memory, Owed, Told};
use crate::model::alert::{Alert, Cause, Event, Level, Renewal, Topic};

/// A message that says that something is over is given up after so many attempts that were sent but never answered.
const MOST_DOUBTS: u32 = 5;

/// How often somebody is reminded that a balance will not last, or a schedule is silent.
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// What this run knows of a condition, with the alert that says so.
pub(super) enum Observed {
    /// Something is wrong.
    Wrong(Alert),
    /// Nothing is wrong any more.
    Right(Alert),
    /// All is well, but not by the margin that counts as recovered; the alert is for those who heard nothing yet.
    Nearly(Alert),
    /// It is not well, but not yet bad enough to be told; the alert says what is known.
    Shaky(Alert),
    /// This run cannot say whether something is wrong; the alert says what is known.
    Unknown(Alert),
    /// The day of a renewal has passed that is still owed; the alert is about the next one.
    Passed(Alert),
    /// A renewal is paid, or not due.
    Void,
}

/// What the decisions of one run depend on.
pub(super) struct Settler<'a> {
    pub(super) rules: &'a Rules,
    pub(super) memory: &'a Memory,
    pub(super) cooldown: Cooldown<'a>,
    pub(super) run_id: &'a str,
    /// What several checks fail for.
    pub(super) causes: Causes,
}

/// One condition while it is decided.
pub(super) struct Case<'a> {
    pub(super) key: Key,
    /// What mutes it.
    pub(super) muting: Muting<'a>,
    /// The levels at which some channel has been told about this condition.
    pub(super) heard: Levels,
    pub(super) course: Course,
    pub(super) messages: Messages,
}

impl Settler<'_> {
    /// Whether there is anybody to tell. If not, nothing counts as told, and nothing is owed.
    pub(super) fn tells(&self) -> bool {
        !self.rules.listeners.is_empty()
    }

    /// Decides what every channel is told of one condition. `about` says who is to hear of it.
    pub(super) fn settle(&self, observed: Observed, key: Key, about: &About, decision: &mut Decision) {
        let known = self.memory.conditions.get(&key);
        self.settle_since(observed, (key, about), known, known.map(|known| known.course), decision);
    }

    /// Decides the same of a condition of which only `known` is to count; `stored` is its course in the store.
    pub(super) fn settle_since(
        &self,
        observed: Observed,
        (key, about): (Key, &About),
        known: Option<&Condition>,
        stored: Option<Course>,
        decision: &mut Decision,
    ) {
        let muting = self.muting(key, about);
        if known.is_none() && matches!(observed, Observed::Right(_) | Observed::Passed(_) | Observed::Void) {
            decision.changes.unmuted.extend(muting.acknowledged().map(|(number, _)| number));
        }
        if !self.tells() || known.is_none() && !matches!(observed, Observed::Wrong(_)) {
            decision.explain(key, &observed, known.map(|known| known.course));
            return;
        }
        let is_heard = known.is_some_and(Condition::is_heard);
        let levels = self.rules.routed(about, key.1);
        let routed = Routed { listeners: &self.rules.listeners, levels: &levels };
        let wrong = if let Observed::Wrong(alert) = &observed { Some(alert.level) } else { None };
        let mut recipients = recipients(routed, wrong, key, known, decision);
        let heard = |level| known.is_some_and(|known| routed.is_heard(known, level));
        let heard = Levels { warning: heard(Level::Warning), critical: heard(Level::Critical) };
        // If channels are told different things under one key, the one that may have the message already keeps the key.
        recipients.sort_by_key(|one| !one.heard.owed.as_ref().is_some_and(|owed| owed.may_have_arrived));
        let (mut course, observed) = self.follow(observed, known, is_heard);
        if recipients.iter().any(Recipient::is_claimed) && known.is_some_and(|known| known.course.over_at.is_none()) {
            // The message that another run is sending just now may say that it began.
            course.over_at = None;
        }
        decision.explain(key, &observed, Some(course));
        match &observed {
            Observed::Wrong(alert) => {
                decision.changes.unmuted.extend(muting.outdated(alert));
                if let Some(mute) = muting.of_alert(alert) {
                    course.muted_at = Some(self.cooldown.now);
                    decision.muted.push(Muted { identity: key.0, topic: key.1, by: mute.number });
                }
            }
            Observed::Right(_) | Observed::Passed(_) | Observed::Void => {
                decision.changes.unmuted.extend(muting.acknowledged().map(|(number, _)| number));
            }
            Observed::Nearly(_) | Observed::Shaky(_) | Observed::Unknown(_) => {}
        }
        let mut case = Case { key, muting, heard, course, messages: Messages::default() };
        let is_open = self.settle_each(&observed, &recipients, &mut case, decision);
        decision.alerts.extend(case.messages.tellings());
        let is_past = match observed {
            Observed::Void | Observed::Passed(_) => true,
            // It is remembered for a cool-down, so that a return is noticed.
            _ => case.course.over_at.is_some_and(|over_at| self.cooldown.has_passed_since(over_at)),
        };
        let course = (is_open || !is_past).then_some(case.course);
        if course != stored {
            decision.changes.courses.push((key, course));
        }
    }

    /// What mutes a condition.
    pub(super) fn muting<'c>(&'c self, key: Key, about: &'c About<'c>) -> Muting<'c> {
        let drop_percent = self.rules.alerting.realert_drop_percent;
        Muting::of(&self.memory.mutes, about, key, self.cooldown.now, drop_percent)
    }

    /// Decides for one channel after the other. Gives whether the condition stays open for any of them.
    fn settle_each(
        &self,
        observed: &Observed,
        recipients: &[Recipient],
        case: &mut Case,
        decision: &mut Decision,
    ) -> bool {
        let key = case.key;
        let mut held = Held::new(key, Event::Raised);
        let mut is_open = false;
        for recipient in recipients {
            let channel = recipient.listener.id.as_str();
            if let Some(owed) = recipient.heard.owed.as_ref().filter(|owed| owed.is_claimed) {
                // Another run is sending this message. Whatever has changed since, the next run sees what became of it. It is
                // reported as held, except where that run says that something is wrong which is over by now.
                let is_over = matches!(observed, Observed::Right(_) | Observed::Passed(_));
                if !is_over || owed.alert.event == Event::Resolved {
                    let channels = vec![channel.to_owned()];
                    decision.held.push(Held { channels, ..Held::new(key, owed.alert.event) });
                }
                decision.rule(|| Ruling::new(recipient, None, Act::Hold, Limits::default()));
                is_open = true;
                continue;
            }
            let act = self.carry_out(observed, recipient, case, decision);
            if act == Act::Hold {
                let next = recipient.heard.told.as_ref().and_then(|told| self.cooldown_of(key.1).next(told));
                held.next = if held.channels.is_empty() { next } else { held.next.min(next) };
                held.channels.push(channel.to_owned());
            }
            is_open |= match act {
                Act::Drop => false,
                Act::Rest => recipient.heard.told.is_some(),
                _ => true,
            };
        }
        if !held.channels.is_empty() {
            decision.held.push(held);
        }
        is_open
    }

    /// Where a condition stands after this run. One that has flapped counts as over only when it has been right for a while.
    fn follow(&self, observed: Observed, known: Option<&Condition>, is_heard: bool) -> (Course, Observed) {
        let at = self.cooldown.now;
        let Some(mut course) = known.map(|known| known.course) else {
            return (Course::begun(at), observed);
        };
        // What a clock wrote that was ahead would hold back the end until that day.
        if self.cooldown.is_ahead(course.began) {
            course.began = at;
        }
        course.calm_since = course.calm_since.filter(|since| !self.cooldown.is_ahead(*since));
        match observed {
            Observed::Wrong(alert) => {
                let course = match course.over_at {
                    None => course,
                    Some(over_at) => {
                        let is_return = !self.cooldown.has_passed_since(over_at);
                        let flaps = if is_return { course.flaps.saturating_add(1) } else { 0 };
                        Course { began: at, flaps, over_at: None, muted_at: None, ..course }
                    }
                };
                (Course { calm_since: None, ..course }, Observed::Wrong(alert))
            }
            // No channel was told, so there is no recovery to delay.
            Observed::Nearly(alert) | Observed::Right(alert) if !is_heard => {
                let over_at = course.over_at.or(Some(at));
                (Course { calm_since: None, over_at, ..course }, Observed::Right(alert))
            }
            Observed::Right(alert) if course.over_at.is_none() => {
                let since = course.calm_since.unwrap_or(at);
                if at.duration_since(since) < self.cooldown.calm(course.flaps) {
                    (Course { calm_since: Some(since), ..course }, Observed::Nearly(alert))
                } else {
                    (Course { calm_since: None, over_at: Some(at), ..course }, Observed::Right(alert))
                }
            }
            Observed::Passed(alert) => {
                let over_at = course.over_at.or(Some(at));
                (Course { calm_since: None, over_at, ..course }, Observed::Passed(alert))
            }
            Observed::Shaky(alert) => (Course { calm_since: None, ..course }, Observed::Unknown(alert)),
            other => (course, other),
        }
    }

    /// Whether a message that something is wrong is muted now.
    fn is_muted(&self, owed: &Owed, recipient: &Recipient, case: &Case) -> bool {
        let is_silent = || case.muting.of_owed(owed.alert.level).is_some() || self.is_early(recipient, case.course);
        owed.alert.event == Event::Raised && is_silent()
    }

    /// Whether a channel hears only of what lasts, and this has not lasted long enough since it began or was muted.
    fn is_early(&self, recipient: &Recipient, course: Course) -> bool {
        recipient.heard.told.is_none() && self.heard_from(recipient, course).is_some()
    }

    /// From when on a channel hears of something that began then, if that lies ahead.
    pub(super) fn heard_from(&self, recipient: &Recipient, course: Course) -> Option<Timestamp> {
        let after = recipient.listener.route.after?;
        let from = crate::process::clock::after(course.began.max(course.muted_at.unwrap_or(course.began)), after);
        (!self.cooldown.is_reached(from, after)).then_some(from)
    }

    /// From when on a channel takes a message that is about something of this level, if it does not now.
    pub(super) fn away_until(&self, recipient: &Recipient, level: Level) -> Option<Timestamp> {
        let (now, zone) = (self.cooldown.now, &self.rules.timezone);
        let active = recipient.listener.active.as_ref().filter(|active| !active.takes(level, now, zone))?;
        active.next(now, zone)
    }

    /// From when on a channel takes a message, if it does not now. An end is as urgent as what it ends. What a channel would forget is told
    /// again at any time.
    fn postponed_until(&self, recipient: &Recipient, alert: &Alert) -> Option<Timestamp> {
        if recipient.forgets && alert.is_reminder {
            return None;
        }
        let told = recipient.heard.told.as_ref().map(|told| told.level);
        let owed = recipient.heard.owed.as_ref().map(|owed| owed.alert.level);
        let level = if alert.event == Event::Raised {
            alert.level
        } else {
            alert.level.max(told.max(owed).unwrap_or(alert.level))
        };
        self.away_until(recipient, level)
    }

    /// The row of the table for one channel, and what follows.
    fn row(&self, observed: &Observed, recipient: &Recipient, case: &Case) -> (Act, (Now, Known)) {
        let (told, owed) = (recipient.heard.told.as_ref(), recipient.heard.owed.as_ref());
        let (now, wrong) = match observed {
            Observed::Wrong(_) if recipient.is_quiet => (Now::Quiet, None),
            Observed::Wrong(alert) if case.muting.of_alert(alert).is_some() => (Now::Muted, None),
            Observed::Wrong(_) if self.is_early(recipient, case.course) => (Now::Muted, None),
            Observed::Wrong(alert) => (Now::Wrong, Some(alert)),
            Observed::Right(_) => (Now::Right, None),
            Observed::Nearly(_) => (Now::Nearly, None),
            // When it was seen last, all was well.
            Observed::Unknown(_) if case.course.calm_since.is_some() => (Now::Nearly, None),
            Observed::Unknown(_) | Observed::Shaky(_)
                if owed.is_some_and(|owed| self.is_muted(owed, recipient, case)) =>
            {
                (Now::Muted, None)
            }
            Observed::Unknown(_) | Observed::Shaky(_) => (Now::Unknown, None),
            Observed::Passed(_) => (Now::Passed, None),
            Observed::Void => (Now::Void, None),
        };
        let wants_over = recipient.listener.wants_over && case.key.1 != Topic::Renewal;
        let owed = self.owes(told, owed, wrong, case.heard, wants_over);
        let told = told.filter(|_| !recipient.may_believe_over(now, owed));
        let knows = self.knows(told, wrong, recipient.forgets);
        let known = Known { knows, owed, wants_over };
        (act(now, known), (now, known))
    }

    /// Finds the row of the table for one channel, and does what it says.
    fn carry_out(&self, observed: &Observed, recipient: &Recipient, case: &mut Case, decision: &mut Decision) -> Act {
        let key = case.key;
        let (told, owed) = (recipient.heard.told.as_ref(), recipient.heard.owed.as_ref());
        let (mut act, row) = self.row(observed, recipient, case);
        let knows = row.1.knows;
        let repeated = owed.filter(|_| matches!(act, Act::Repeat | Act::RepeatMissed | Act::RepeatBlind));
        let mut rests = act == Act::Wait;
        if let Some(owed) = repeated {
            if owed.alert.event == Event::Resolved && owed.doubts >= MOST_DOUBTS {
                act = Act::Drop;
            } else if !self.cooldown.may_repeat(owed.in_vain(), owed.tried_at) {
                decision.waiting.push(waiting(key, recipient, owed));
                rests = true;
            }
        }
        let channel = recipient.listener.id.as_str();
        let said = self.words((act, knows), observed, recipient, case).filter(|_| !rests);
        let until = said.as_ref().and_then(|alert| self.postponed_until(recipient, alert));
        if let (Some(until), Some(alert)) = (until, &said) {
            decision.postponed.push(postponed(key, recipient, alert.event, (Pause::Away, Some(until))));
        }
        decision.rule(|| {
            let limits = Limits { away_until: until, ..Limits::of_rest(repeated, rests) };
            Ruling::new(recipient, Some(row), act, self.limits(observed, recipient, case, limits))
        });
        // What is owed already stays so, under its key, and is made anew when it is sent.
        rests |= until.is_some() && repeated.is_some();
        let said = said.filter(|_| !rests);
        let said = said.map(|alert| self.say(alert, repeated, (recipient, until.is_some()), case));
        match owed {
            Some(owed) if rests && !recipient.is_own => {
                decision.changes.kept.push((owed.alert.dedup_key.clone(), channel.to_owned()));
            }
            // The message goes out under another key, or not at all, so the one that was owed is withdrawn.
            Some(owed) if !rests && recipient.is_own && said.as_ref() != Some(&owed.alert.dedup_key) => {
                decision.changes.withdrawn.push((owed.alert.dedup_key.clone(), channel.to_owned()));
            }
            _ => {}
        }
        // As long as it is told that something was over, it is remembered that it has heard of it.
        let is_known = knows != Knows::Nothing || act == Act::RepeatBlind;
        let heard = told.filter(|_| act != Act::Drop && is_known);
        let is_changed =
            if recipient.is_own { heard.is_none() && recipient.heard.told.is_some() } else { heard.is_some() };
        if is_changed {
            decision.changes.heard.push((key, channel.to_owned(), heard.cloned()));
        }
        act
    }

    /// What keeps a channel from being told, and when it is told again.
    fn limits(&self, observed: &Observed, recipient: &Recipient, case: &Case, limits: Limits) -> Limits {
        let mute = match observed {
            Observed::Wrong(alert) => case.muting.of_alert(alert),
            _ => recipient.heard.owed.as_ref().and_then(|owed| case.muting.of_owed(owed.alert.level)),
        };
        let told = recipient.heard.told.as_ref();
        Limits {
            reminder: told.and_then(|told| self.cooldown_of(case.key.1).next(told)),
            early_until: self.heard_from(recipient, case.course).filter(|_| told.is_none()),
            muted_by: mute.map(|mute| mute.number),
            ..limits
        }
    }

    /// Compares what a channel was told with what is wrong now.
    fn knows(&self, told: Option<&Told>, wrong: Option<&Alert>, forgets: bool) -> Knows {
        let (told, alert) = match (told, wrong) {
            (None, _) => return Knows::Nothing,
            (Some(_), None) => return if forgets { Knows::Old } else { Knows::Enough },
            (Some(told), Some(alert)) => (told, alert),
        };
        let is_less = if let Cause::Expiry(expiry) = &alert.cause {
            // Each credit is told once.
            return match expiry.is_heard(&told.mark) {
                true if forgets => Knows::Old,
                true => Knows::Enough,
                false => Knows::Less,
            };
        } else if alert.topic() == Topic::TopUp {
            // The run that has seen it asks no more; another one is news.
            return if told.mark == alert.mark() { Knows::Enough } else { Knows::Less };
        } else if alert.topic() == Topic::Renewal {
            let is_overdue = alert.renewal().is_some_and(Renewal::is_overdue);
            let is_told = told.mark == alert.mark();
            // Once a day is enough, whatever the cool-down.
            if is_told && !is_overdue {
                return if forgets { Knows::Old } else { Knows::Enough };
            }
            // That it was not renewed is news, also to those who heard on its day that it is due.
            alert.level > told.level || is_overdue && !is_told
        } else {
            self.is_news(&Content::told(told), alert)
        };
        match is_less {
            true => Knows::Less,
            false if forgets || self.cooldown_of(alert.topic()).is_over(told) => Knows::Old,
            false => Knows::Enough,
        }
    }

    /// When something about this topic is told again. How long a balance lasts, how fast it falls, and that a schedule is
    /// silent, is told once a week at the most.
    fn cooldown_of(&self, topic: Topic) -> Cooldown<'_> {
        match topic {
            Topic::Runway | Topic::Spike | Topic::Silent => {
                Cooldown { length: self.cooldown.length.max(WEEK), ..self.cooldown }
            }
            _ => self.cooldown,
        }
    }

    /// What a channel is owed. `wrong` is what is wrong now.
    fn owes(
        &self,
        told: Option<&Told>,
        owed: Option<&Owed>,
        wrong: Option<&Alert>,
        heard: Levels,
        wants_over: bool,
    ) -> Owes {
        let Some(owed) = owed else {
            return Owes::Nothing;
        };
        if owed.alert.event == Event::Resolved {
            return if wants_over || owed.alert.missed.is_some() { Owes::Over } else { Owes::Unwanted };
        }
        // What may have arrived is not changed under its key: more than that is another message. So is what is refused for what it
        // holds, which would rest otherwise.
        if (owed.may_have_arrived || owed.refusals > 0)
            && wrong.is_some_and(|alert| self.is_news(&Content::of(&owed.alert), alert))
        {
            return Owes::Nothing;
        }
        let is_unheard = match told {
            None => !heard.at(owed.alert.level),
            Some(told) => {
                let is_news = || self.is_news(&Content::told(told), &owed.alert);
                !matches!(owed.alert.topic(), Topic::Renewal | Topic::Expiry | Topic::TopUp)
                    && !owed.is_heard
                    && is_news()
            }
        };
        match is_unheard {
            true => Owes::Unheard,
            false if owed.may_have_arrived => Owes::Doubtful,
            false => Owes::Raised,
        }
    }

    fn is_news(&self, said: &Content, alert: &Alert) -> bool {
        said.is_less_than(alert, self.rules.alerting.realert_drop_percent)
    }
}
