//! What the words around an amount say of it, and how much.

use std::ops::Range;

use super::super::html::CUT;
use super::super::phrases::{is_other, is_threshold};
use super::candidate::{Candidate, Kind, Listed};
use super::columns;
use super::cues::{self, Match, Reach, Sense, Side};
use super::layout::{MOST_AROUND, Sheet};
use super::stacked;

/// Words of columns that hold what is still owed.
const OPEN_COLUMNS: [&str; 12] =
    ["逾期", "未付", "未缴", "未收", "结欠", "欠", "past due", "overdue", "open", "outstanding", "unpaid", "offen"];
/// Words by which a mail says why a charge has failed: its balance is no news then.
const REASONS: [&str; 16] = [
    "原因",
    "reason:",
    "reason\t",
    "motif",
    "grund:",
    "不足以",
    "不够支付",
    "不够扣",
    "少于订单",
    "少于本次",
    "低于本次",
    "小于本次",
    "不足以支付",
    "不够本次",
    "低于订单",
    "不足本次",
];
/// So far from its amount a word may stand in one label, in bytes.
const LONGEST_LABEL: usize = 28;

/// Adds to each candidate what the words around it say.
pub(super) fn weigh(sheet: &Sheet, matches: &[Match], candidates: &mut [Candidate]) {
    let places: Vec<Range<usize>> =
        candidates.iter().filter(|other| other.kind == Kind::Money).map(|candidate| candidate.range.clone()).collect();
    for candidate in candidates.iter_mut() {
        let last = sheet.sentence_at(candidate.range.end.saturating_sub(1));
        let sentence = sheet.sentences[candidate.sentence].range.start..sheet.sentences[last].range.end;
        let window = candidate.range.start.saturating_sub(MOST_AROUND)..candidate.range.end + MOST_AROUND;
        let begin = sheet.low.ceil_char_boundary(sentence.start.max(window.start));
        let sentence = begin..sheet.low.floor_char_boundary(sentence.end.min(window.end));
        let begin = matches.partition_point(|found| found.start < sentence.start);
        let header = columns::header(sheet, candidate.sentence, &candidate.range);
        let near = matches[begin..].iter().take_while(|found| found.start < sentence.end);
        for found in near {
            if let Some((weight, is_label)) = weight(sheet, candidate, found, &places, header.is_some()) {
                add(candidate, found.cue.sense, weight);
                if is_label {
                    candidate.labels.push(found.cue.sense);
                }
            }
        }
        let stacked = if header.is_none() { stacked::label(sheet, &candidate.range) } else { None };
        if let Some(label) = &stacked {
            for found in inside(matches, label) {
                add(candidate, found.cue.sense, 3.0 + length_bonus(found));
                candidate.labels.push(found.cue.sense);
                candidate.is_labelled = true;
            }
        }
        if let Some(header) = header {
            candidate.is_in_column = true;
            for (place, weight) in [(&header.own, 3.0), (&header.label, 2.7)] {
                for found in inside(matches, place) {
                    add(candidate, found.cue.sense, weight + length_bonus(found));
                }
            }
            // Where a column says what is overdue, others say what it is made of.
            let says = |place: &Range<usize>| OPEN_COLUMNS.iter().any(|word| sheet.low[place.clone()].contains(word));
            if says(&header.row)
                && !says(&header.own)
                && let Some(owed) = candidate.senses.remove(&Sense::Owed)
            {
                add(candidate, Sense::Item, owed);
            }
        }
        candidate.is_reason = has(&sheet.low[sentence.clone()], &REASONS);
        candidate.join_plain();
        let taken = places.iter().map(|place| place.end).filter(|end| *end <= candidate.range.start).max().unwrap_or(0);
        candidate.is_refused = is_refused(sheet, candidate, matches, taken)
            || stacked.is_some_and(|label| candidate.kind != Kind::Count && is_other(&sheet.low[label]));
    }
    for at in 0..candidates.len() {
        if candidates[at].is_whole_of_part {
            part_from_whole(candidates, at);
        }
    }
    for at in 1..candidates.len() {
        if candidates[at].listed == Listed::Like && !candidates[at].is_in_column {
            candidates[at].senses = candidates[at - 1].senses.clone();
        }
    }
}

/// The words of a label, as far as they may stand before an amount.
fn inside<'a>(matches: &'a [Match], place: &Range<usize>) -> impl Iterator<Item = &'a Match> {
    let begin = matches.partition_point(|found| found.start < place.start);
    let near = matches[begin..].iter().take_while(|found| found.start < place.end);
    near.filter(|found| found.end <= place.end && found.cue.side != Side::After)
}

/// What words behind two amounts say of `$5 of $100 left`, they say of the first; the second is what there was.
fn part_from_whole(candidates: &mut [Candidate], at: usize) {
    let said = std::mem::take(&mut candidates[at].senses);
    add(&mut candidates[at], Sense::Limit, 5.0);
    if let Some(part) = at.checked_sub(1).map(|before| &mut candidates[before])
        && let Some(left) = said.get(&Sense::Left)
    {
        add(part, Sense::Left, *left);
    }
}

/// Whether the words of its label make what seems to be left something else: `minimum balance`.
fn is_refused(sheet: &Sheet, candidate: &Candidate, matches: &[Match], taken: usize) -> bool {
    let mut sentence = sheet.sentences[candidate.sentence].range.clone();
    let near = sheet.low.ceil_char_boundary(candidate.range.start.saturating_sub(MOST_AROUND));
    sentence.start = sentence.start.max(taken).max(near);
    let before = &sheet.low[sentence.start..candidate.range.start];
    let is_beside = |found: &&Match| {
        found.cue.sense == Sense::Left
            && found.cue.side == Side::Before
            && found.start >= sentence.start
            && found.end <= candidate.range.start
            && cues::is_joining(&sheet.low[found.end..candidate.range.start])
    };
    let begin = matches.partition_point(|found| found.start < sentence.start);
    let end = matches.partition_point(|found| found.start < candidate.range.start);
    let label = matches[begin..end].iter().filter(is_beside).map(|found| found.start).min();
    let head = &before[..label.map_or(before.len(), |label| label - sentence.start)];
    let run = head.rfind(|c: char| ":;()[]【】–—\t,".contains(c)).map_or(head, |at| &head[at..]);
    let link = label.map_or("", |label| &sheet.low[label..candidate.range.start]);
    let is_anybodys = link.trim_end().ends_with(" of")
        && !["your", "current", "account", "wallet", "prepaid", "there", "still", "have"]
            .iter()
            .any(|own| head.contains(own));
    (candidate.kind != Kind::Count && is_other(run)) || is_threshold(before) || is_anybodys
}

fn add(candidate: &mut Candidate, sense: Sense, weight: f64) {
    let old = candidate.senses.entry(sense).or_default();
    *old = old.max(weight);
}

/// How much a word says of an amount; none if it says nothing.
fn weight(
    sheet: &Sheet,
    candidate: &Candidate,
    found: &Match,
    places: &[Range<usize>],
    has_header: bool,
) -> Option<(f64, bool)> {
    let range = &candidate.range;
    let is_before = found.end <= range.start;
    let is_after = found.start >= range.end;
    let fits = match found.cue.side {
        Side::Before => is_before,
        Side::After => is_after,
        Side::Around => is_before || is_after,
    };
    if !fits {
        return None;
    }
    let between = if is_before { found.end..range.start } else { range.end..found.start };
    let text = &sheet.low[between.clone()];
    if text.contains(CUT) {
        return None;
    }
    let first = places.partition_point(|other| other.start < between.start);
    let others = places[first..].iter().take_while(|other| other.end <= between.end).count();
    let is_joined = if is_before {
        cues::is_joining(text) && !(has_header && text.contains('\t'))
    } else {
        text.trim_matches([' ', ')', ':', '\u{A0}', '\n']).is_empty()
    };
    let is_beside = others == 0 && is_joined;
    let bounds = || text.chars().filter(|c| ",;()、\t".contains(*c)).count() + text.matches(". ").count();
    let is_against = !matches!(found.cue.sense, Sense::Left | Sense::Owed | Sense::Charge);
    let is_adjacent = !text.contains(char::is_alphabetic);
    let near = length_bonus(found) + if is_adjacent { 0.5 } else { 0.0 };
    // `Remaining points for drafts: 5`.
    let is_in_label = is_before
        && candidate.is_labelled
        && others == 0
        && text.len() <= LONGEST_LABEL
        && bounds() == 0
        && !text.contains(|c: char| c.is_ascii_digit() || ":=".contains(c));
    let base = match (found.cue.reach, is_beside) {
        (_, true) if is_after && is_against => 4.0 + near,
        (_, true) => 3.0 + near,
        (Reach::Beside, false) if is_in_label && !is_against => 2.6,
        (Reach::Beside, false) => return None,
        (Reach::Clause, false) if others > 0 || bounds() > 0 => return None,
        (Reach::Clause, false) => {
            if is_against {
                2.0
            } else {
                1.8
            }
        }
        (Reach::Sentence, false) => match bounds() {
            0 => 1.5,
            1 => 1.3,
            _ => 1.1,
        },
    };
    Some((base * 0.5_f64.powi(i32::try_from(others).unwrap_or(9)), is_beside && is_before))
}

/// A longer word says more: `outstanding balance` is no balance.
fn length_bonus(found: &Match) -> f64 {
    let length = (found.end - found.start).min(30);
    f64::from(u32::try_from(length).unwrap_or_default()) / 20.0
}

/// Whether a text in small letters holds one of some words.
pub(super) fn has(low: &str, words: &[&str]) -> bool {
    words.iter().any(|word| low.contains(word))
}
