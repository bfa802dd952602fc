//! Brings together what is and what each channel knows of it.
//!
//! The table is [`act`]: what is, what the channel was told, what it is owed, and what follows. The rest carries it out:
//! whom a message of an earlier run is owed to, when a condition began and whether it is over, which messages are the same.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::cooldown::Cooldown;
use super::{Decision, Held, Listener, Rules, Telling, Waiting};
use crate::check::subscription::Standing;
use crate::decide::memory::{ANY_CHANNEL, Condition, Course, Heard, Owed, Told};
use crate::model::alert::{Account, Alert, Cause, Change, Event, Level, Missed, MissedCause, Topic};
use crate::model::amount;
use crate::model::identity::Identity;

/// The check and what it is about.
type Key = (Identity, Topic);

/// A message that says that something is over is given up after so many attempts that were sent but never answered.
const MOST_DOUBTS: u32 = 5;

/// What this run knows of a condition.
pub(super) enum Now {
    /// It is there; this alert says so.
    Wrong(Alert),
    /// It is over; this alert says so.
    Right(Alert),
    /// All is well, but not by the margin that counts as recovered; the alert is for those who heard nothing yet.
    Nearly(Alert),
    /// It is not well, but not yet bad enough to be told.
    Shaky,
    /// Nothing can be said.
    Unknown,
    /// Nobody need be told any more.
    Void,
}

/// [`Now`] without its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Wrong,
    Right,
    Nearly,
    Unknown,
    Void,
}

/// What a channel knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Knows {
    /// Of nothing wrong.
    Nothing,
    /// What there is to know.
    Enough,
    /// What there is to know, but it was told so long ago that it is to be told again.
    Old,
    /// Less than what is: it got worse, or its threshold is another.
    Less,
}

/// What a channel is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owes {
    Nothing,
    /// That something is wrong.
    Raised,
    /// The same, and no channel at all has heard it.
    Unheard,
    /// That it is over.
    Over,
}

/// What is done for a channel. What it is owed is withdrawn, except by the acts that say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// Nothing. It is owed nothing.
    Rest,
    /// It is told, as something new to it.
    Raise,
    /// It is told again.
    Remind,
    /// It knows; nothing is sent.
    Hold,
    /// What it is owed is sent again, with what is true now.
    Repeat,
    /// The same, with how it was when it could not be told.
    RepeatMissed,
    /// The same, though this run cannot look.
    RepeatBlind,
    /// What it is owed stays owed until more is known.
    Wait,
    /// It is told that it is over.
    Recover,
    /// It is told that it is over, and what it was.
    Notice,
    /// It is over for this channel, without a word.
    Drop,
}

/// The table.
///
/// `wants_over`: the channel hears of recoveries. `has_missed`: what it is owed tells of something that nobody heard.
/// `is_doubtful`: what it is owed may have arrived.
fn act(is: Is, knows: Knows, owes: Owes, wants_over: bool, has_missed: bool, is_doubtful: bool) -> Act {
    match (is, knows, owes) {
        (Is::Wrong, Knows::Nothing, Owes::Nothing | Owes::Over) => Act::Raise,
        (Is::Wrong, Knows::Nothing, Owes::Raised | Owes::Unheard) => Act::Repeat,
        // It got better again, and no channel has heard how bad it was.
        (Is::Wrong, Knows::Enough, Owes::Unheard) => Act::RepeatMissed,
        (Is::Wrong, Knows::Enough, Owes::Nothing | Owes::Raised | Owes::Over) => Act::Hold,
        (Is::Wrong, Knows::Old | Knows::Less, Owes::Raised | Owes::Unheard) => Act::Repeat,
        (Is::Wrong, Knows::Old, Owes::Nothing | Owes::Over) => Act::Remind,
        (Is::Wrong, Knows::Less, Owes::Nothing | Owes::Over) => Act::Raise,

        (Is::Right | Is::Nearly, _, Owes::Over) if wants_over || has_missed => Act::Repeat,
        (Is::Right | Is::Nearly, _, Owes::Over) => Act::Drop,
        (Is::Right, _, Owes::Unheard) => Act::Notice,
        // Nobody hears that something is over of which he never heard; he may have heard of this.
        (Is::Right, Knows::Nothing, Owes::Raised) if wants_over && is_doubtful => Act::Notice,
        (Is::Right, Knows::Nothing, Owes::Nothing | Owes::Raised) => Act::Drop,
        (Is::Right, Knows::Enough | Knows::Old | Knows::Less, Owes::Nothing | Owes::Raised) if wants_over => {
            Act::Recover
        }
        (Is::Right, Knows::Enough | Knows::Old | Knows::Less, Owes::Nothing | Owes::Raised) => Act::Drop,

        // Bad news waits for what comes of it.
        (Is::Nearly, _, Owes::Unheard) => Act::Wait,
        (Is::Nearly, Knows::Nothing, Owes::Raised) if is_doubtful => Act::Wait,
        // A reminder is out of date, and what others have heard this channel hears if it is wrong again.
        (Is::Nearly, _, Owes::Raised | Owes::Nothing) => Act::Rest,

        (Is::Unknown, _, Owes::Nothing) => Act::Rest,
        (Is::Unknown, _, Owes::Over) if !wants_over && !has_missed => Act::Drop,
        (Is::Unknown, _, Owes::Raised | Owes::Unheard | Owes::Over) => Act::RepeatBlind,

        (Is::Void, ..) => Act::Drop,
    }
}

/// What deciding goes by in one run.
pub(super) struct Settler<'a> {
    pub(super) rules: &'a Rules,
    pub(super) cooldown: Cooldown<'a>,
    pub(super) run_id: &'a str,
}

/// A channel, and what it knows of one condition.
struct Mind<'a> {
    listener: &'a Listener,
    heard: Heard,
    /// Whether the store has this under the channel's own id.
    is_own: bool,
}

/// One condition while it is decided.
struct Matter {
    key: Key,
    /// Whether any channel has heard of it.
    is_heard: bool,
    course: Course,
    messages: Messages,
}

/// The messages that are made of one condition. What several channels are to be told alike is one message.
#[derive(Default)]
struct Messages(Vec<Said>);

/// One of them.
struct Said {
    telling: Telling,
    /// Whether it was made in this run.
    is_new: bool,
}

impl Condition {
    /// Whether any channel at all has heard of it.
    fn is_heard(&self) -> bool {
        self.channels
            .values()
            .any(|heard| heard.told.is_some() || heard.owed.as_ref().is_some_and(|owed| owed.is_heard))
    }
}

impl Settler<'_> {
    /// Decides what every channel is told of one condition.
    pub(super) fn settle(&self, now: Now, key: Key, known: Option<&Condition>, decision: &mut Decision) {
        self.settle_since(now, key, known, known.map(|known| known.course), decision);
    }

    /// The same; `stored` is the course that the store has.
    fn settle_since(
        &self,
        now: Now,
        key: Key,
        known: Option<&Condition>,
        stored: Option<Course>,
        decision: &mut Decision,
    ) {
        if known.is_none() && !matches!(now, Now::Wrong(_)) {
            return;
        }
        let is_heard = known.is_some_and(Condition::is_heard);
        let mut minds = self.minds(key, known, decision);
        // Who may have a message already keeps its key, if two are told different things under one.
        minds.sort_by_key(|mind| !mind.heard.owed.as_ref().is_some_and(|owed| owed.may_have_arrived));
        let (mut course, now) = self.follow(now, known, is_heard);
        if minds.iter().any(Mind::is_claimed) && known.is_some_and(|known| known.course.over_at.is_none()) {
            // What another run is saying just now may be that it began.
            course.over_at = None;
        }
        let mut matter = Matter { key, is_heard, course, messages: Messages::default() };
        let mut held = Held::of(key, Event::Raised);
        let mut is_open = false;
        for mind in minds {
            let channel = mind.listener.id.as_str();
            if let Some(owed) = mind.heard.owed.as_ref().filter(|owed| owed.is_claimed) {
                // Whatever has changed since, that run has the word; the next one sees what became of it.
                if !matches!(now, Now::Right(_)) || owed.alert.event == Event::Resolved {
                    let channels = vec![channel.to_owned()];
                    decision.held.push(Held { channels, ..Held::of(key, owed.alert.event) });
                }
                is_open = true;
                continue;
            }
            let act = self.carry_out(&now, &mind, &mut matter, decision);
            if act == Act::Hold {
                let next = mind.heard.told.as_ref().and_then(|told| self.cooldown.next(told));
                held.next = if held.channels.is_empty() { next } else { held.next.min(next) };
                held.channels.push(channel.to_owned());
            }
            is_open |= match act {
                Act::Drop => false,
                Act::Rest => mind.heard.told.is_some(),
                _ => true,
            };
        }
        if !held.channels.is_empty() {
            decision.held.push(held);
        }
        let Matter { course, messages, .. } = matter;
        decision.alerts.extend(messages.tellings());
        let is_past = match now {
            Now::Void => true,
            Now::Right(_) if key.1 == Topic::Renewal => true,
            // A return must be noticed for a while.
            _ => course.over_at.is_some_and(|over_at| self.cooldown.has_passed_since(over_at)),
        };
        let course = (is_open || !is_past).then_some(course);
        if course != stored {
            decision.changes.courses.push((key, course));
        }
    }

    /// What every channel knows. What is owed to a channel that is gone is withdrawn; if nobody has heard it, those who are
    /// there now inherit it.
    fn minds(&self, key: Key, known: Option<&Condition>, decision: &mut Decision) -> Vec<Mind<'_>> {
        let listeners = &self.rules.listeners;
        let Some(known) = known else {
            let new = |listener| Mind { listener, heard: Heard::default(), is_own: true };
            return listeners.iter().map(new).collect();
        };
        let ids: BTreeSet<&str> = listeners.iter().map(|listener| listener.id.as_str()).collect();
        let gone = known.channels.iter().filter(|(id, _)| !ids.contains(id.as_str()) && *id != ANY_CHANNEL);
        let orphans: Vec<(&String, &Owed)> =
            gone.filter_map(|(id, heard)| Some((id, heard.owed.as_ref().filter(|owed| !owed.is_claimed)?))).collect();
        let any = known.channels.get(ANY_CHANNEL);
        let inherited = match any {
            Some(any) => Some(any.clone()),
            None => orphans.first().filter(|_| !known.is_heard()).map(|(_, owed)| Heard {
                told: None,
                owed: Some(Owed { doubts: 0, may_have_arrived: false, ..(*owed).clone() }),
            }),
        };
        for (id, owed) in orphans {
            decision.changes.withdrawn.push((owed.alert.dedup_key.clone(), id.clone()));
            // Should it come back, it may have heard that all was over.
            if owed.alert.event == Event::Resolved && owed.may_have_arrived {
                decision.changes.heard.push((key, id.clone(), None));
            }
        }
        if let Some(any) = any.filter(|any| !any.owed.as_ref().is_some_and(|owed| owed.is_claimed)) {
            if let Some(owed) = &any.owed {
                decision.changes.withdrawn.push((owed.alert.dedup_key.clone(), ANY_CHANNEL.to_owned()));
            }
            decision.changes.heard.push((key, ANY_CHANNEL.to_owned(), None));
        }
        let mut minds = Vec::with_capacity(listeners.len());
        for listener in listeners {
            minds.push(match known.channels.get(&listener.id) {
                Some(heard) => Mind { listener, heard: heard.clone(), is_own: true },
                None => Mind { listener, heard: inherited.clone().unwrap_or_default(), is_own: inherited.is_none() },
            });
        }
        minds
    }

    /// Where a condition stands after this run. One that has flapped counts as over only when it has been right for a while.
    fn follow(&self, now: Now, known: Option<&Condition>, is_heard: bool) -> (Course, Now) {
        let at = self.cooldown.now;
        let Some(course) = known.map(|known| known.course) else {
            return (Course { began: at, messages: 0, flaps: 0, calm_since: None, over_at: None }, now);
        };
        match now {
            Now::Wrong(alert) => {
                let course = match course.over_at {
                    None => course,
                    Some(over_at) => {
                        let is_return = !self.cooldown.has_passed_since(over_at);
                        let flaps = if is_return { course.flaps.saturating_add(1) } else { 0 };
                        Course { began: at, flaps, over_at: None, ..course }
                    }
                };
                (Course { calm_since: None, ..course }, Now::Wrong(alert))
            }
            // Nobody knows of it, so nobody need wait.
            Now::Nearly(alert) | Now::Right(alert) if !is_heard => {
                let over_at = course.over_at.or(Some(at));
                (Course { calm_since: None, over_at, ..course }, Now::Right(alert))
            }
            Now::Right(alert) if course.over_at.is_none() => {
                let since = course.calm_since.unwrap_or(at);
                if at.duration_since(since) < self.cooldown.calm(course.flaps) {
                    (Course { calm_since: Some(since), ..course }, Now::Nearly(alert))
                } else {
                    (Course { calm_since: None, over_at: Some(at), ..course }, Now::Right(alert))
                }
            }
            Now::Shaky => (Course { calm_since: None, ..course }, Now::Unknown),
            now => (course, now),
        }
    }

    /// Looks into the table for one channel, and does what it says.
    fn carry_out(&self, now: &Now, mind: &Mind, matter: &mut Matter, decision: &mut Decision) -> Act {
        let key = matter.key;
        let (told, owed) = (mind.heard.told.as_ref(), mind.heard.owed.as_ref());
        let (is, wrong) = match now {
            Now::Wrong(alert) => (Is::Wrong, Some(alert)),
            Now::Right(_) => (Is::Right, None),
            Now::Nearly(_) => (Is::Nearly, None),
            // When it was seen last, all was well.
            Now::Unknown if matter.course.calm_since.is_some() => (Is::Nearly, None),
            Now::Unknown | Now::Shaky => (Is::Unknown, None),
            Now::Void => (Is::Void, None),
        };
        let wants_over = mind.listener.wants_over && key.1 != Topic::Renewal;
        let has_missed = owed.is_some_and(|owed| owed.alert.missed.is_some());
        let is_doubtful = owed.is_some_and(|owed| owed.may_have_arrived);
        let owes = self.owes(told, owed, wrong, matter.is_heard);
        // Who may have heard that it is over does not know that it is back.
        let told = told.filter(|_| !(is == Is::Wrong && is_doubtful && owes == Owes::Over));
        let knows = self.knows(told, wrong);
        let mut act = act(is, knows, owes, wants_over, has_missed, is_doubtful);
        let repeated = owed.filter(|_| matches!(act, Act::Repeat | Act::RepeatMissed | Act::RepeatBlind));
        let mut rests = act == Act::Wait;
        if let Some(owed) = repeated {
            if owed.alert.event == Event::Resolved && owed.doubts >= MOST_DOUBTS {
                act = Act::Drop;
            } else if !self.cooldown.may_repeat(owed.doubts, owed.tried_at) {
                decision.waiting.push(waiting(key, mind, owed));
                rests = true;
            }
        }
        let channel = mind.listener.id.as_str();
        let said = self.words(act, now, mind, matter).filter(|_| !rests);
        let said = said.map(|alert| self.say(alert, repeated, channel, matter));
        match owed {
            Some(owed) if rests && !mind.is_own => {
                decision.changes.kept.push((owed.alert.dedup_key.clone(), channel.to_owned()));
            }
            // Said under another key, or not at all.
            Some(owed) if !rests && mind.is_own && said.as_ref() != Some(&owed.alert.dedup_key) => {
                decision.changes.withdrawn.push((owed.alert.dedup_key.clone(), channel.to_owned()));
            }
            _ => {}
        }
        let heard = told.filter(|_| act != Act::Drop);
        let is_changed = if mind.is_own { heard.is_none() && mind.heard.told.is_some() } else { heard.is_some() };
        if is_changed {
            decision.changes.heard.push((key, channel.to_owned(), heard.cloned()));
        }
        act
    }

    fn knows(&self, told: Option<&Told>, wrong: Option<&Alert>) -> Knows {
        let (told, alert) = match (told, wrong) {
            (None, _) => return Knows::Nothing,
            (Some(_), None) => return Knows::Enough,
            (Some(told), Some(alert)) => (told, alert),
        };
        let is_less = if alert.topic() == Topic::Renewal {
            // Once a day is enough, whatever the cool-down.
            if told.mark == alert.mark() {
                return Knows::Enough;
            }
            alert.level > told.level
        } else {
            self.is_news(Content::told(told), alert)
        };
        match is_less {
            true => Knows::Less,
            false if self.cooldown.is_over(told) => Knows::Old,
            false => Knows::Enough,
        }
    }

    fn owes(&self, told: Option<&Told>, owed: Option<&Owed>, wrong: Option<&Alert>, is_heard: bool) -> Owes {
        let Some(owed) = owed else {
            return Owes::Nothing;
        };
        if owed.alert.event == Event::Resolved {
            return Owes::Over;
        }
        // What may have arrived is not changed under its key: more than that is another message.
        if owed.may_have_arrived && wrong.is_some_and(|alert| self.is_news(Content::of(&owed.alert), alert)) {
            return Owes::Nothing;
        }
        let is_unheard = match told {
            None => !is_heard,
            Some(told) => {
                owed.alert.topic() != Topic::Renewal && !owed.is_heard && self.is_news(Content::told(told), &owed.alert)
            }
        };
        if is_unheard { Owes::Unheard } else { Owes::Raised }
    }

    /// What an act says, still without a key.
    fn words(&self, act: Act, now: &Now, mind: &Mind, matter: &Matter) -> Option<Alert> {
        let owed = mind.heard.owed.as_ref();
        let is_renewal = matter.key.1 == Topic::Renewal;
        let is_new_here = mind.heard.told.is_none();
        // A renewal has its dates.
        let is_late = is_new_here && matter.course.began < self.cooldown.now && !is_renewal;
        let since = is_late.then_some(matter.course.began);
        let blank = |alert: &Alert| Alert { dedup_key: String::new(), ..alert.clone() };
        // That a renewal is over is said of the one that nobody heard of, not of the next one.
        let over = |alert: &Alert| match owed.map(|owed| &owed.alert).filter(|_| is_renewal) {
            Some(due) => Alert { event: Event::Resolved, level: Level::Info, ..blank(due) },
            None => blank(alert),
        };
        match (act, now) {
            (Act::Raise, Now::Wrong(alert)) => Some(Alert { since, ..blank(alert) }),
            (Act::Remind, Now::Wrong(alert)) => Some(Alert { is_reminder: true, ..blank(alert) }),
            (Act::Repeat, Now::Wrong(alert)) => {
                let is_reminder = !is_new_here && owed.is_some_and(|owed| owed.alert.is_reminder);
                Some(Alert { since, is_reminder, ..blank(alert) })
            }
            (Act::RepeatMissed, Now::Wrong(alert)) => Some(Alert { missed: owed.and_then(missed), ..blank(alert) }),
            (Act::Repeat, Now::Right(alert) | Now::Nearly(alert)) => {
                // Its text says what nobody heard; only the balance is newer.
                let missed = owed.and_then(|owed| owed.alert.missed.clone());
                let before = owed.map(|owed| Before::repeated(&owed.alert)).unwrap_or_default();
                Some(before.beside(Alert { missed, ..over(alert) }))
            }
            (Act::RepeatBlind, _) => owed.map(|owed| Alert { unconfirmed: true, ..blank(&owed.alert) }),
            (Act::Recover, Now::Right(alert)) => {
                let before = mind.heard.told.as_ref().map(Before::told).unwrap_or_default();
                Some(before.beside(blank(alert)))
            }
            (Act::Notice, Now::Right(alert)) => {
                let before = owed.map(|owed| Before::owed(&owed.alert)).unwrap_or_default();
                Some(before.beside(Alert { missed: owed.and_then(missed), ..over(alert) }))
            }
            _ => None,
        }
    }

    /// Adds a message for a channel, under the key of the one that it repeats or under a new one. Gives the key.
    ///
    /// A new key says what it is about, when that began, the how manieth message of it this is, and the run. So it is another
    /// one for a reminder and for the next time, even if all runs have the same id.
    fn say(&self, alert: Alert, repeated: Option<&Owed>, channel: &str, matter: &mut Matter) -> String {
        let repeated = repeated.map(|owed| owed.alert.dedup_key.as_str());
        let Matter { key: (identity, topic), course, messages, .. } = matter;
        let event = alert.event;
        messages.add(alert, repeated, channel, || {
            course.messages = course.messages.saturating_add(1);
            let over = if event == Event::Resolved { "-resolved" } else { "" };
            let began = course.began.strftime("%Y%m%dT%H%M%S%.3fZ");
            format!("{}{over}-{identity}-{began}-{}-{}", topic.as_str(), course.messages, self.run_id)
        })
    }

    /// A reminder is told once a cycle and day, and not more often than the cool-down allows. That it is over is no news,
    /// unless nobody heard that it was due.
    pub(super) fn settle_renewal(
        &self,
        alert: Alert,
        standing: Standing,
        today: Date,
        known: Option<&Condition>,
        decision: &mut Decision,
    ) {
        let key = (alert.identity, alert.topic());
        let Some(known) = known else {
            return match standing {
                Standing::Due => self.settle(Now::Wrong(alert), key, None, decision),
                Standing::Renewed | Standing::Ok => {}
            };
        };
        // The renewal that nobody heard of, if its day has passed.
        let owed = || known.channels.values().filter_map(|heard| heard.owed.as_ref());
        let passed = owed().find(|owed| owed.alert.renewal().is_some_and(|due| due.next < today));
        let (now, cycle) = match standing {
            Standing::Due => {
                let cycle = cycle(&alert.mark()).to_owned();
                (Now::Wrong(alert), cycle)
            }
            Standing::Ok if passed.is_some() => {
                let cycle = passed.map(|owed| cycle(&owed.alert.mark()).to_owned()).unwrap_or_default();
                (Now::Right(alert), cycle)
            }
            Standing::Renewed | Standing::Ok => (Now::Void, String::new()),
        };
        let stored = Some(known.course);
        let known = if matches!(now, Now::Void) { known.clone() } else { self.of_cycle(known, &cycle, decision) };
        self.settle_since(now, key, Some(&known), stored, decision);
    }

    /// What is known of one renewal of a subscription; what is owed of another one is withdrawn.
    fn of_cycle(&self, known: &Condition, wanted: &str, decision: &mut Decision) -> Condition {
        let mut known = known.clone();
        for (id, heard) in &mut known.channels {
            heard.told.take_if(|told| cycle(&told.mark) != wanted);
            let other = heard.owed.take_if(|owed| cycle(&owed.alert.mark()) != wanted && !owed.is_claimed);
            if let Some(other) = other {
                decision.changes.withdrawn.push((other.alert.dedup_key, id.clone()));
            }
        }
        if known.channels.values().all(|heard| heard.told.is_none() && heard.owed.is_none()) {
            known.course.began = self.cooldown.now;
        }
        known
    }

    /// A mail is told once. A channel that is added later does not hear of those that others have heard.
    pub(super) fn settle_mail(
        &self,
        alert: Option<Alert>,
        key: Key,
        known: Option<&Condition>,
        decision: &mut Decision,
    ) {
        let at = self.cooldown.now;
        let fresh = Course { began: at, messages: 0, flaps: 0, calm_since: None, over_at: None };
        let course = known.map_or(fresh, |known| known.course);
        let mut matter = Matter { key, is_heard: false, course, messages: Messages::default() };
        let mut held = Held::of(key, Event::Raised);
        for mind in self.minds(key, known, decision) {
            let channel = mind.listener.id.as_str();
            let owed = mind.heard.owed.as_ref();
            if let (false, Some(told)) = (mind.is_own, &mind.heard.told) {
                decision.changes.heard.push((key, channel.to_owned(), Some(told.clone())));
            }
            let said = match owed {
                Some(owed) if owed.is_claimed => None,
                Some(owed) if !self.cooldown.may_repeat(owed.doubts, owed.tried_at) => {
                    decision.waiting.push(waiting(key, &mind, owed));
                    if !mind.is_own {
                        decision.changes.kept.push((owed.alert.dedup_key.clone(), channel.to_owned()));
                    }
                    continue;
                }
                Some(owed) => Some(alert.as_ref().unwrap_or(&owed.alert)),
                None => alert.as_ref().filter(|_| known.is_none()),
            };
            match said {
                Some(alert) => {
                    let alert = Alert { dedup_key: String::new(), ..alert.clone() };
                    self.say(alert, owed, channel, &mut matter);
                }
                None => held.channels.push(channel.to_owned()),
            }
        }
        if !held.channels.is_empty() && alert.is_some() {
            decision.held.push(held);
        }
        decision.alerts.extend(matter.messages.tellings());
        if known.map(|known| known.course) != Some(matter.course) {
            decision.changes.courses.push((key, Some(matter.course)));
        }
    }

    /// Whether a message says more than what was said: more urgent, another threshold or currency, or much less left.
    fn is_news(&self, said: Content, alert: &Alert) -> bool {
        // Amounts in two currencies cannot be compared, so neither can it be said that nothing has changed.
        if alert.topic() == Topic::Low && is_other_currency(said.currency, alert.currency()) {
            return true;
        }
        let is_worse = alert.level > said.level;
        // A warning has another threshold than what is critical, so only the same level can be compared.
        let is_changed = alert.level == said.level && alert.threshold() != said.threshold;
        is_worse || is_changed || has_dropped(said.balance, alert.balance(), self.rules.alerting.realert_drop_percent)
    }
}

impl Held {
    fn of((identity, topic): Key, event: Event) -> Held {
        Held { identity, topic, event, next: None, channels: Vec::new() }
    }
}

impl Mind<'_> {
    fn is_claimed(&self) -> bool {
        self.heard.owed.as_ref().is_some_and(|owed| owed.is_claimed)
    }
}

impl Messages {
    /// Adds a message for a channel: under the key that it has already, or under a new one. Gives the key.
    fn add(&mut self, alert: Alert, key: Option<&str>, channel: &str, new_key: impl FnOnce() -> String) -> String {
        let is_same = |said: &Said| Alert { dedup_key: String::new(), ..said.telling.alert.clone() } == alert;
        let taken = key.and_then(|key| self.0.iter().position(|said| said.telling.alert.dedup_key == key));
        let (place, is_new) = match (key, taken) {
            (Some(_), None) => (None, false),
            (Some(_), Some(place)) if is_same(&self.0[place]) => (Some(place), false),
            // Two channels are owed one message, but are told different things now; or it is new to this channel. It must not
            // get the key of one that is repeated: that one it may have taken before.
            _ => (self.0.iter().position(|said| said.is_new && is_same(said)), true),
        };
        if let Some(place) = place {
            let telling = &mut self.0[place].telling;
            telling.to.push(channel.to_owned());
            return telling.alert.dedup_key.clone();
        }
        let dedup_key = key.filter(|_| !is_new).map_or_else(new_key, str::to_owned);
        let alert = Alert { dedup_key: dedup_key.clone(), ..alert };
        self.0.push(Said { telling: Telling { alert, to: vec![channel.to_owned()] }, is_new });
        dedup_key
    }

    fn tellings(self) -> impl Iterator<Item = Telling> {
        self.0.into_iter().map(|said| said.telling)
    }
}

fn waiting(key: Key, mind: &Mind, owed: &Owed) -> Waiting {
    Waiting {
        identity: key.0,
        topic: key.1,
        event: owed.alert.event,
        channel: mind.listener.id.clone(),
        next: Cooldown::repeat_at(owed.doubts, owed.tried_at),
    }
}

/// What a message says that could not be delivered.
fn missed(owed: &Owed) -> Option<Missed> {
    let Owed { alert, may_have_arrived, .. } = owed;
    let found = match &alert.cause {
        Cause::Low(low) => {
            let Account { balance, currency, .. } = low.account.clone();
            MissedCause::Low { balance, threshold: low.threshold, currency }
        }
        Cause::Failing(failing) => MissedCause::Failing(failing.trouble.clone()?),
        Cause::Renewal(_) => MissedCause::Renewal,
        Cause::Mail(_) => return None,
    };
    Some(Missed { at: alert.at, is_unsure: *may_have_arrived, found })
}

/// What was said of a low balance before it was no longer low.
#[derive(Default)]
struct Before<'a> {
    threshold: Option<Decimal>,
    /// The currency, if one was named; none if nothing was said.
    currency: Option<Option<&'a str>>,
}

impl<'a> Before<'a> {
    fn told(told: &'a Told) -> Before<'a> {
        Before { threshold: told.threshold, currency: Some(told.currency.as_deref()) }
    }

    fn owed(alert: &'a Alert) -> Before<'a> {
        Before { threshold: alert.threshold(), currency: Some(alert.currency()) }
    }

    /// What a message that is said again was about.
    fn repeated(alert: &'a Alert) -> Before<'a> {
        let Cause::Low(low) = &alert.cause else {
            return Before::default();
        };
        let currency = low.account.currency.as_deref();
        match &low.change {
            None => Before { threshold: None, currency: Some(currency) },
            Some(Change::Threshold(before)) => Before { threshold: Some(*before), currency: Some(currency) },
            Some(Change::Currency(before)) => Before { threshold: None, currency: Some(before.as_deref()) },
        }
    }

    /// The message that it is over, with what makes that another thing than a recovery: the threshold that was told, if the
    /// balance is still below that one, or else the currency that was told, if it is another one.
    fn beside(self, mut alert: Alert) -> Alert {
        if let Cause::Low(low) = &mut alert.cause
            && let Some((balance, threshold)) = low.account.balance.zip(low.threshold)
        {
            let now = low.account.currency.as_deref();
            // A currency that is not named may be another one than the one that is.
            let is_other = |told: Option<&str>| told.is_some() != now.is_some() || is_other_currency(told, now);
            let told = self.currency.filter(|told| is_other(*told));
            let lowered = self.threshold.filter(|told| threshold < *told && balance < *told);
            low.change = told.map(|told| Change::Currency(told.map(str::to_owned))).or(lowered.map(Change::Threshold));
        }
        alert
    }
}

/// Whether two amounts are counted in different currencies. One that is not known may be the same.
fn is_other_currency(one: Option<&str>, other: Option<&str>) -> bool {
    one.zip(other).is_some_and(|(one, other)| !amount::is_same(one, other))
}

/// Which renewal a mark is about.
fn cycle(mark: &str) -> &str {
    mark.split('/').next().unwrap_or_default()
}

/// What a message said, as far as another one can say more.
struct Content<'a> {
    level: Level,
    threshold: Option<Decimal>,
    balance: Option<Decimal>,
    currency: Option<&'a str>,
}

impl<'a> Content<'a> {
    fn told(told: &'a Told) -> Content<'a> {
        let currency = told.currency.as_deref();
        Content { level: told.level, threshold: told.threshold, balance: told.balance, currency }
    }

    fn of(alert: &'a Alert) -> Content<'a> {
        let currency = alert.currency();
        Content { level: alert.level, threshold: alert.threshold(), balance: alert.balance(), currency }
    }
}

/// Whether a balance is the given percentage below the one last told. Below zero the distance grows likewise.
pub(super) fn has_dropped(told: Option<Decimal>, now: Option<Decimal>, percent: Decimal) -> bool {
    let Some((told, now)) = told.zip(now) else {
        return false;
    };
    let part = told.abs().checked_mul(percent / Decimal::ONE_HUNDRED);
    now < told && part.and_then(|part| told.checked_sub(part)).is_some_and(|limit| now <= limit)
}
