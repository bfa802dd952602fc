//! The table of what follows for one channel from what is and from what the channel knows. Each arm of [`act`] is a row; the
//! tests name every row and prove that there are no others.

use crate::model::words::words;

/// What this run knows of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Now {
    /// Something is wrong.
    Wrong,
    /// Something is wrong of which the channel is not to hear: it is of a level that goes to others, or all of it goes to others
    /// now. It hears of nothing new, but of the end, if it has heard of the beginning.
    Quiet,
    /// Something is wrong that the channel is not to hear of yet: it is silenced, or acknowledged, or has not lasted long enough. It
    /// hears of nothing new, but of the end, if it has heard of the beginning.
    Muted,
    /// Nothing is wrong any more.
    Right,
    /// All is well, but not by the margin, or not for the time, that counts as over.
    Nearly,
    /// This run cannot say whether something is wrong.
    Unknown,
    /// The day of a renewal has passed, and a message about it is still owed. Nobody hears that a renewal is over, unless nobody
    /// heard that it was due.
    Passed,
    /// A renewal is paid, or not due: nobody need be told any more.
    Void,
}

/// What one channel knows, and what it is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) knows: Knows,
    pub(crate) owed: Owes,
    /// Whether the channel hears that something is over.
    pub(crate) wants_over: bool,
}

/// What a channel knows, compared with what is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knows {
    /// It knows of nothing wrong.
    Nothing,
    /// It knows what there is to know.
    Enough,
    /// It knows what there is to know, but was told so long ago that it is to be told again.
    Old,
    /// It knows less than what is: the condition got worse, or its threshold is another.
    Less,
}

/// What a channel is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owes {
    Nothing,
    /// That something is wrong; the message has not arrived.
    Raised,
    /// That something is wrong; the message may have arrived.
    Doubtful,
    /// That something is wrong, and no channel at all has heard it.
    Unheard,
    /// That something is over.
    Over,
    /// That something is over, though the channel no longer hears of that, and nothing was missed.
    Unwanted,
}

words! {
    /// What is done for a channel. What it is owed is withdrawn, except by the acts that say otherwise.
    pub(crate) enum Act {
        /// Nothing is done, and it is owed nothing.
        Rest = "rest",
        /// It is told, as something new to it.
        Raise = "raise",
        /// It is told again.
        Remind = "remind",
        /// It is told again what it knows, because it would forget what is not known to be over.
        Recall = "recall",
        /// It knows; nothing is sent.
        Hold = "hold",
        /// What it is owed is sent again, with what is true now.
        Repeat = "repeat",
        /// What it is owed is sent again, with how it was when it could not be told.
        RepeatMissed = "repeat_missed",
        /// What it is owed is sent again, though this run cannot look.
        RepeatBlind = "repeat_blind",
        /// What it is owed stays owed until more is known.
        Wait = "wait",
        /// It is told that it is over.
        Recover = "recover",
        /// It is told that it is over, and what it was.
        Notice = "notice",
        /// It is over for this channel, and nothing is sent.
        Drop = "drop",
    }
}

/// What is done for one channel.
pub(crate) fn act(now: Now, known: Known) -> Act {
    use Knows::{Enough, Less, Old};
    use Owes::{Doubtful, Over, Raised, Unheard, Unwanted};
    match (now, known.knows, known.owed) {
        (Now::Wrong, Knows::Nothing, Owes::Nothing | Over | Unwanted) => Act::Raise,
        (Now::Wrong, Knows::Nothing, Raised | Doubtful | Unheard) => Act::Repeat,
        // It got better again, and no channel has heard how bad it was.
        (Now::Wrong, Enough, Unheard) => Act::RepeatMissed,
        (Now::Wrong, Enough, Owes::Nothing | Raised | Doubtful | Over | Unwanted) => Act::Hold,
        (Now::Wrong, Old | Less, Raised | Doubtful | Unheard) => Act::Repeat,
        (Now::Wrong, Old, Owes::Nothing | Over | Unwanted) => Act::Remind,
        (Now::Wrong, Less, Owes::Nothing | Over | Unwanted) => Act::Raise,

        // This channel was told that it is over. It is told again when the condition gets worse.
        (Now::Quiet, _, Over) => Act::RepeatBlind,
        // The channel has not heard of the end, and it goes on.
        (Now::Muted, Old, Over | Unwanted) => Act::Recall,
        (Now::Muted, Enough | Less, Over) => Act::Rest,
        // It began anew, and the channel hears of the end before that.
        (Now::Muted, Knows::Nothing, Over) => Act::RepeatBlind,
        (Now::Muted, Knows::Nothing | Enough | Less, Unwanted) => Act::Rest,
        (Now::Quiet | Now::Muted, _, Unheard) => Act::Wait,
        (Now::Quiet, Old, Unwanted) => Act::Recall,
        (Now::Quiet, Knows::Nothing | Enough | Less, Unwanted) => Act::Rest,

        (Now::Right | Now::Nearly | Now::Passed, _, Over) => Act::Repeat,
        (Now::Right | Now::Nearly | Now::Passed, _, Unwanted) => Act::Drop,
        (Now::Right | Now::Passed, _, Unheard) => Act::Notice,
        // A channel is not told that something is over of which it never heard, but this channel may have heard of it.
        (Now::Right, Knows::Nothing, Doubtful) if known.wants_over => Act::Notice,
        (Now::Right, Knows::Nothing, Owes::Nothing | Raised | Doubtful) => Act::Drop,
        (Now::Right, Enough | Old | Less, Owes::Nothing | Raised | Doubtful) if known.wants_over => Act::Recover,
        (Now::Right, Enough | Old | Less, Owes::Nothing | Raised | Doubtful) => Act::Drop,
        (Now::Passed, _, Owes::Nothing | Raised | Doubtful) => Act::Drop,

        // The message that something is wrong waits until it is known whether that is over.
        (Now::Nearly, _, Unheard) => Act::Wait,
        (Now::Nearly | Now::Quiet | Now::Muted, Knows::Nothing, Doubtful) => Act::Wait,
        // A reminder would be out of date; and news that others have heard reach this channel if something is wrong again.
        (Now::Nearly | Now::Quiet | Now::Muted, Old, Owes::Nothing | Raised | Doubtful) => Act::Recall,
        (Now::Nearly | Now::Quiet | Now::Muted, Enough | Less, Doubtful) => Act::Rest,
        (Now::Nearly | Now::Quiet | Now::Muted, Knows::Nothing | Enough | Less, Owes::Nothing | Raised) => Act::Rest,

        // Only a channel that forgets has old knowledge here.
        (Now::Unknown, Old, Owes::Nothing) => Act::Recall,
        (Now::Unknown, Knows::Nothing | Enough | Less, Owes::Nothing) => Act::Rest,
        (Now::Unknown, _, Unwanted) => Act::Drop,
        (Now::Unknown, _, Raised | Doubtful | Unheard | Over) => Act::RepeatBlind,

        (Now::Void, _, _) => Act::Drop,
    }
}

/// Every situation of a channel, with the name of the row that holds.
#[cfg(test)]
pub(crate) fn situations() -> Vec<(&'static str, Now, Known)> {
    tests::situations()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: [Now; 8] =
        [Now::Wrong, Now::Quiet, Now::Muted, Now::Right, Now::Nearly, Now::Unknown, Now::Passed, Now::Void];
    const KNOWS: [Knows; 4] = [Knows::Nothing, Knows::Enough, Knows::Old, Knows::Less];
    const OWED: [Owes; 6] = [Owes::Nothing, Owes::Raised, Owes::Doubtful, Owes::Unheard, Owes::Over, Owes::Unwanted];
    const ANY: [bool; 2] = [true, false];

    /// A row: its name, when it holds, and what follows.
    type Row = (&'static str, &'static [Now], &'static [Knows], &'static [Owes], &'static [bool], Act);

    const TOLD: &[Knows] = &[Knows::Enough, Knows::Old, Knows::Less];
    const NOT_OLD: &[Knows] = &[Knows::Nothing, Knows::Enough, Knows::Less];
    const BAD_NEWS: &[Owes] = &[Owes::Raised, Owes::Doubtful, Owes::Unheard];
    const NO_BAD_NEWS: &[Owes] = &[Owes::Nothing, Owes::Over, Owes::Unwanted];
    const NO_END: &[Owes] = &[Owes::Nothing, Owes::Raised, Owes::Doubtful];
    const ALL_BUT_UNHEARD: &[Owes] = &[Owes::Nothing, Owes::Raised, Owes::Doubtful, Owes::Over, Owes::Unwanted];

    const ROWS: &[Row] = &[
        ("new trouble is told", &[Now::Wrong], &[Knows::Nothing], NO_BAD_NEWS, &ANY, Act::Raise),
        ("trouble that was not taken is sent again", &[Now::Wrong], &[Knows::Nothing], BAD_NEWS, &ANY, Act::Repeat),
        (
            "worse trouble that nobody heard is told late",
            &[Now::Wrong],
            &[Knows::Enough],
            &[Owes::Unheard],
            &ANY,
            Act::RepeatMissed,
        ),
        ("known trouble is held", &[Now::Wrong], &[Knows::Enough], ALL_BUT_UNHEARD, &ANY, Act::Hold),
        (
            "a reminder or worse trouble that was not taken is sent again",
            &[Now::Wrong],
            &[Knows::Old, Knows::Less],
            BAD_NEWS,
            &ANY,
            Act::Repeat,
        ),
        ("old trouble is told again", &[Now::Wrong], &[Knows::Old], NO_BAD_NEWS, &ANY, Act::Remind),
        ("worse trouble is told at once", &[Now::Wrong], &[Knows::Less], NO_BAD_NEWS, &ANY, Act::Raise),
        (
            "an end that was not taken is sent again",
            &[Now::Right, Now::Nearly, Now::Passed],
            &KNOWS,
            &[Owes::Over],
            &ANY,
            Act::Repeat,
        ),
        (
            "an end that nobody wants to hear any more is dropped",
            &[Now::Right, Now::Nearly, Now::Passed],
            &KNOWS,
            &[Owes::Unwanted],
            &ANY,
            Act::Drop,
        ),
        (
            "an end of what nobody heard is told with what it was",
            &[Now::Right, Now::Passed],
            &KNOWS,
            &[Owes::Unheard],
            &ANY,
            Act::Notice,
        ),
        (
            "an end of what may have arrived is told with what it was",
            &[Now::Right],
            &[Knows::Nothing],
            &[Owes::Doubtful],
            &[true],
            Act::Notice,
        ),
        (
            "an end of what may have arrived is not told to those who want none",
            &[Now::Right],
            &[Knows::Nothing],
            &[Owes::Doubtful],
            &[false],
            Act::Drop,
        ),
        (
            "an end of what this channel never heard is not told",
            &[Now::Right],
            &[Knows::Nothing],
            &[Owes::Nothing, Owes::Raised],
            &ANY,
            Act::Drop,
        ),
        ("an end is told", &[Now::Right], TOLD, NO_END, &[true], Act::Recover),
        ("an end is not told to those who want none", &[Now::Right], TOLD, NO_END, &[false], Act::Drop),
        ("a renewal that somebody heard of ends without a word", &[Now::Passed], &KNOWS, NO_END, &ANY, Act::Drop),
        (
            "bad news that nobody heard waits for a certain end",
            &[Now::Nearly, Now::Quiet, Now::Muted],
            &KNOWS,
            &[Owes::Unheard],
            &ANY,
            Act::Wait,
        ),
        (
            "bad news that may have arrived waits for a certain end",
            &[Now::Nearly, Now::Quiet, Now::Muted],
            &[Knows::Nothing],
            &[Owes::Doubtful],
            &ANY,
            Act::Wait,
        ),
        (
            "a reminder that may have arrived is out of date",
            &[Now::Nearly, Now::Quiet, Now::Muted],
            &[Knows::Enough, Knows::Less],
            &[Owes::Doubtful],
            &ANY,
            Act::Rest,
        ),
        (
            "before a certain end nothing is told",
            &[Now::Nearly, Now::Quiet, Now::Muted],
            NOT_OLD,
            &[Owes::Nothing, Owes::Raised],
            &ANY,
            Act::Rest,
        ),
        (
            "before a certain end who forgets is told again",
            &[Now::Nearly, Now::Quiet, Now::Muted],
            &[Knows::Old],
            NO_END,
            &ANY,
            Act::Recall,
        ),
        (
            "an end is sent again, though others hear that it is back",
            &[Now::Quiet],
            &KNOWS,
            &[Owes::Over],
            &ANY,
            Act::RepeatBlind,
        ),
        (
            "what is silenced goes on, so its end is not told",
            &[Now::Muted],
            &[Knows::Enough, Knows::Less],
            &[Owes::Over],
            &ANY,
            Act::Rest,
        ),
        (
            "of what is silenced who forgets is told again",
            &[Now::Muted],
            &[Knows::Old],
            &[Owes::Over, Owes::Unwanted],
            &ANY,
            Act::Recall,
        ),
        (
            "an end is sent again, though what began since is silenced",
            &[Now::Muted],
            &[Knows::Nothing],
            &[Owes::Over],
            &ANY,
            Act::RepeatBlind,
        ),
        (
            "an end that nobody wants to hear is no reason to tell what is silenced",
            &[Now::Muted],
            NOT_OLD,
            &[Owes::Unwanted],
            &ANY,
            Act::Rest,
        ),
        ("an end that nobody wants to hear waits for none", &[Now::Quiet], NOT_OLD, &[Owes::Unwanted], &ANY, Act::Rest),
        ("and who forgets is told again", &[Now::Quiet], &[Knows::Old], &[Owes::Unwanted], &ANY, Act::Recall),
        ("of what cannot be read nothing new is told", &[Now::Unknown], NOT_OLD, &[Owes::Nothing], &ANY, Act::Rest),
        (
            "of what cannot be read who forgets is told again",
            &[Now::Unknown],
            &[Knows::Old],
            &[Owes::Nothing],
            &ANY,
            Act::Recall,
        ),
        ("an unwanted end is dropped, also blindly", &[Now::Unknown], &KNOWS, &[Owes::Unwanted], &ANY, Act::Drop),
        (
            "what is owed is sent, also blindly",
            &[Now::Unknown],
            &KNOWS,
            &[Owes::Raised, Owes::Doubtful, Owes::Unheard, Owes::Over],
            &ANY,
            Act::RepeatBlind,
        ),
        ("a renewal that is paid is forgotten", &[Now::Void], &KNOWS, &OWED, &ANY, Act::Drop),
    ];

    pub(super) fn situations() -> Vec<(&'static str, Now, Known)> {
        let mut all = Vec::new();
        for (name, nows, knowledge, owing, wants, _) in ROWS {
            for (now, knows) in nows.iter().flat_map(|now| knowledge.iter().map(move |knows| (*now, *knows))) {
                for (owed, wants_over) in owing.iter().flat_map(|owed| wants.iter().map(move |wants| (*owed, *wants))) {
                    all.push((*name, now, Known { knows, owed, wants_over }));
                }
            }
        }
        all
    }

    #[test]
    fn every_case_is_in_one_row_and_does_what_the_row_says() {
        for now in NOW {
            for knows in KNOWS {
                for owed in OWED {
                    for wants_over in ANY {
                        let rows: Vec<&Row> = ROWS
                            .iter()
                            .filter(|(_, nows, knowledge, owing, wants, _)| {
                                nows.contains(&now)
                                    && knowledge.contains(&knows)
                                    && owing.contains(&owed)
                                    && wants.contains(&wants_over)
                            })
                            .collect();
                        let known = Known { knows, owed, wants_over };
                        assert_eq!(rows.len(), 1, "{now:?}, {known:?}: {rows:?}");
                        let (name, .., want) = rows[0];
                        assert_eq!(act(now, known), *want, "{name}: {now:?}, {known:?}");
                    }
                }
            }
        }
    }
}
