//! The words that say what an amount is, as data: one file for each language, all read by one automaton.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use super::super::phrases::is_latin;
use super::layout;
use crate::model::amount;

const FILES: [&str; 7] = [
    include_str!("cues/en.txt"),
    include_str!("cues/zh.txt"),
    include_str!("cues/ja.txt"),
    include_str!("cues/de.txt"),
    include_str!("cues/fr.txt"),
    include_str!("cues/es.txt"),
    include_str!("cues/other.txt"),
];

/// Most that can stand between an amount and its label, in bytes.
const LONGEST_JOINT: usize = 120;
/// An upper bound of the length of masked words, in bytes.
const LONGEST_MASK: usize = 100;
/// Longest remark in parentheses between an amount and its label, in bytes.
const LONGEST_REMARK: usize = 40;

/// What the words around an amount make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Sense {
    /// What is left.
    Left,
    /// What is owed.
    Owed,
    /// A charge that failed.
    Charge,
    /// Nothing but that it is an amount.
    Plain,
    /// A line under which a warning comes.
    Threshold,
    /// What should be paid in.
    TopUp,
    Price,
    /// What comes on top of a debt.
    Fee,
    /// What has been spent, or is spent in a time.
    Usage,
    /// What may be spent, or was bought.
    Limit,
    /// What has been paid.
    Paid,
    /// A part of a sum.
    Item,
    /// A balance of an earlier time.
    Old,
    /// What is not due yet.
    Next,
    /// An amount that is only about right, or has a scale that is not known.
    Hedge,
    /// What is left of money of another kind.
    Other,
    /// Says that an amount is a sum of others. No sense of its own.
    Total,
    /// Says that a balance is the one of now. No sense of its own.
    Current,
    /// Says that an amount is what is left of a debt. No sense of its own.
    Rest,
    /// Words that say nothing, though others in them would: `if it is overdue`.
    Nothing,
}

/// All senses, by their words in the files.
const SENSES: [(&str, Sense); 20] = [
    ("left", Sense::Left),
    ("owed", Sense::Owed),
    ("charge", Sense::Charge),
    ("plain", Sense::Plain),
    ("threshold", Sense::Threshold),
    ("topup", Sense::TopUp),
    ("price", Sense::Price),
    ("fee", Sense::Fee),
    ("usage", Sense::Usage),
    ("limit", Sense::Limit),
    ("paid", Sense::Paid),
    ("item", Sense::Item),
    ("old", Sense::Old),
    ("next", Sense::Next),
    ("hedge", Sense::Hedge),
    ("other", Sense::Other),
    ("total", Sense::Total),
    ("current", Sense::Current),
    ("rest", Sense::Rest),
    ("nothing", Sense::Nothing),
];

/// How far from an amount a word may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    Beside,
    Clause,
    Sentence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
    Around,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Cue {
    pub(super) sense: Sense,
    pub(super) side: Side,
    pub(super) reach: Reach,
}

/// A place where words of the lists stand.
#[derive(Clone, Debug)]
pub(super) struct Match {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) cue: Cue,
}

struct Lists {
    automaton: Option<AhoCorasick>,
    /// For each pattern: its cues, and whether it may be the beginning of a longer word.
    cues: Vec<(Vec<Cue>, bool)>,
    /// Words that join, by the character that they end with.
    links: ByCharacter,
    /// Units, by the character that they begin with.
    units: ByCharacter,
    /// Units of more than one character.
    long_units: Option<AhoCorasick>,
}

/// Words by one of their characters, so that a text is compared with those alone that it may hold.
struct ByCharacter(Vec<(char, Vec<String>)>);

impl ByCharacter {
    fn new(words: Vec<String>, of: impl Fn(&str) -> Option<char>) -> ByCharacter {
        let mut all: BTreeMap<char, Vec<String>> = BTreeMap::new();
        for word in words {
            if let Some(c) = of(&word) {
                all.entry(c).or_default().push(word);
            }
        }
        ByCharacter(all.into_iter().collect())
    }

    /// The words of a character.
    fn of(&self, c: Option<char>) -> &[String] {
        let place = c.and_then(|c| self.0.binary_search_by_key(&c, |(own, _)| *own).ok());
        place.map_or(&[], |at| &self.0[at].1)
    }
}

fn lists() -> &'static Lists {
    static LISTS: OnceLock<Lists> = OnceLock::new();
    LISTS.get_or_init(|| {
        let mut places: HashMap<(String, bool), usize> = HashMap::new();
        let mut cues: Vec<(Vec<Cue>, bool)> = Vec::new();
        let mut words: Vec<String> = Vec::new();
        let (mut links, mut units) = (Vec::new(), Vec::new());
        for line in FILES.iter().flat_map(|file| file.lines()).filter(|line| !line.starts_with('#')) {
            let Some((head, phrases)) = line.split_once(':') else {
                continue;
            };
            let phrases = phrases.split('|').map(|phrase| layout::low(&amount::fold(phrase.trim())));
            let phrases = phrases.filter(|phrase| !phrase.is_empty());
            let Some(cue) = cue(head) else {
                if head == "unit" {
                    units.extend(phrases)
                } else {
                    links.extend(phrases)
                }
                continue;
            };
            for phrase in phrases {
                let may_go_on = phrase.ends_with('*');
                let phrase = phrase.trim_end_matches('*').to_owned();
                let at = *places.entry((phrase.clone(), may_go_on)).or_insert_with(|| {
                    words.push(phrase);
                    cues.push((Vec::new(), may_go_on));
                    cues.len() - 1
                });
                cues[at].0.push(cue);
            }
        }
        Lists {
            automaton: AhoCorasick::new(&words).ok(),
            cues,
            long_units: AhoCorasick::new(units.iter().filter(|unit| unit.chars().count() > 1)).ok(),
            links: ByCharacter::new(links, |link| link.chars().next_back()),
            units: ByCharacter::new(units, |unit| unit.chars().next()),
        }
    })
}

fn cue(head: &str) -> Option<Cue> {
    let mut words = head.split_whitespace();
    let sense = words.next()?;
    let (_, sense) = SENSES.iter().find(|(word, _)| *word == sense)?;
    let side = match words.next()? {
        "before" => Side::Before,
        "after" => Side::After,
        _ => Side::Around,
    };
    let reach = match words.next()? {
        "beside" => Reach::Beside,
        "clause" => Reach::Clause,
        _ => Reach::Sentence,
    };
    Some(Cue { sense: *sense, side, reach })
}

/// All words of the lists in a text in small letters, in the order of their places.
pub(super) fn find(low: &str) -> Vec<Match> {
    let lists = lists();
    let Some(automaton) = &lists.automaton else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for word in automaton.find_overlapping_iter(low) {
        let (cues, may_go_on) = &lists.cues[word.pattern().as_usize()];
        if is_word(low, word.start(), word.end(), *may_go_on) {
            found.extend(cues.iter().map(|cue| Match { start: word.start(), end: word.end(), cue: *cue }));
        }
    }
    found.sort_by_key(|found| found.start);
    let masks: Vec<(usize, usize)> =
        found.iter().filter(|found| found.cue.sense == Sense::Nothing).map(|found| (found.start, found.end)).collect();
    found.retain(|found| {
        let first = masks.partition_point(|mask| mask.0 + LONGEST_MASK <= found.start);
        let mut near = masks[first..].iter().take_while(|mask| mask.0 <= found.start);
        !near.any(|mask| found.end <= mask.1)
    });
    found
}

fn is_word(text: &str, start: usize, end: usize, may_go_on: bool) -> bool {
    let splits = |at: usize| {
        text[..at].chars().next_back().is_some_and(is_latin) && text[at..].chars().next().is_some_and(is_latin)
    };
    !splits(start) && (may_go_on || !splits(end))
}

/// Whether nothing but words that join stands in a text.
pub(super) fn is_joining(text: &str) -> bool {
    if text.len() > LONGEST_JOINT {
        return false;
    }
    let mut rest = text;
    // `Fee (waived this time): $5`.
    if let Some((before, remark)) =
        text.trim_end_matches([':', ' ', '\t']).strip_suffix(')').and_then(|text| text.rsplit_once('('))
        && remark.len() <= LONGEST_REMARK
        && !remark.contains(|c: char| c.is_ascii_digit())
    {
        rest = before;
    }
    for _ in 0..8 {
        rest = rest.trim_matches(|c: char| c.is_whitespace() || ":=()[]\"“”「」'*|-–—•·．【】".contains(c));
        if rest.is_empty() {
            return true;
        }
        let fitting =
            lists().links.of(rest.chars().next_back()).iter().filter(|link| {
                rest.ends_with(link.as_str()) && is_word(rest, rest.len() - link.len(), rest.len(), false)
            });
        match fitting.map(String::len).max() {
            Some(length) => rest = &rest[..rest.len() - length],
            None => return false,
        }
    }
    false
}

/// The length of the unit that a text in small letters begins with, blanks before it included.
pub(super) fn unit(text: &str) -> Option<usize> {
    let bare = text.trim_start_matches([' ', '\u{A0}']);
    // `3 个月` are months.
    let is_time = |unit: &str| unit == "个" && bare[unit.len()..].starts_with(['月', '工', '小', '星', '礼', '季']);
    let fits =
        |unit: &&String| bare.starts_with(unit.as_str()) && is_word(bare, 0, unit.len(), false) && !is_time(unit);
    let length = lists().units.of(bare.chars().next()).iter().filter(fits).map(String::len).max()?;
    Some(text.len() - bare.len() + length)
}

/// Whether a text in small letters names a unit. A single character of Chinese may be a part of any word.
pub(super) fn has_unit(text: &str) -> bool {
    let bare = text.trim_end_matches([' ', ':', '\t', '*', '=', '"', '(']);
    let last = bare.chars().next_back();
    if lists().units.of(last).iter().any(|unit| unit.chars().count() == 1 && bare.len() > unit.len()) {
        return true;
    }
    // Only a list that is too large for memory fails, and this one is short.
    let mut found = lists().long_units.iter().flat_map(|units| units.find_overlapping_iter(text));
    found.any(|unit| is_word(text, unit.start(), unit.end(), false))
}
