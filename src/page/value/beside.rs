//! What stands around a number in the text that it is cut out of. Only what is known to mean nothing for it is passed over, and what
//! the one reader of amounts knows is handed to it; at anything else the number is refused. `before` and `behind` walk away from it on either side.

mod before;
mod behind;
mod hidden;
mod label;

use std::ops::Range;

use super::made::How;
use super::plain::{self, Plain};
use super::surroundings::{Character, characters, is_minus, is_of_run, is_of_word, string, tag};
use crate::model::amount::{self, Currency, Word};
use crate::page::meter;

/// So many bytes on each side are looked at.
const NEAR: usize = 256;
/// So many characters of a label, and beyond where a clause ends, are looked at for a word of scale.
const FAR: usize = 80;

/// Why a number is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// More of it stands beside it.
    Cut,
    /// A sign or a unit beside it belongs to it.
    Changed,
    /// It is all digits of a date or of the number of an account: a text, and no amount.
    Date,
    /// A dash that may be a minus stands before it.
    Dash,
    /// Something of which nobody knows what it means.
    Unknown,
    /// It stands in a text that says that something has failed, such as `Too many requests, wait 60`.
    Failure,
}

/// A place of which the page's author has written what stands there.
pub(super) struct Known<'t> {
    pub(super) range: Range<usize>,
    pub(super) written: &'t str,
    pub(super) how: How,
}

/// The words before and behind a number that the reader of amounts knows.
pub(super) struct Beside {
    pub(super) before: Vec<Word>,
    pub(super) behind: Vec<Word>,
    /// Whether the sign before it is a dash with blanks, which may part words as well.
    pub(super) has_dash: bool,
    /// The currencies beside it that nobody has named.
    pub(super) currencies: Vec<Currency>,
    /// Whether it stands in parentheses, which may be a minus.
    pub(super) is_in_parentheses: bool,
    /// Whether a minus stands right behind it, and nothing else on that side.
    pub(super) has_minus_behind: bool,
    /// Whether a word behind it says that it counts something.
    pub(super) is_counted: bool,
}

/// One side of a number.
struct Side<'t> {
    characters: Vec<Character>,
    number: &'t str,
    known: &'t [Known<'t>],
    words: Vec<Word>,
    /// Whether a parenthesis opens before the number, or closes behind it, of which nobody has written it.
    is_in_parentheses: bool,
    has_dash: bool,
    has_minus_behind: bool,
    currencies: Vec<Currency>,
    is_counted: bool,
    /// Whether the end of a clause stands between, which the pattern has run over.
    has_crossed: bool,
}

/// What one step over the characters beside a number comes to.
enum Step {
    /// The number's own words have ended.
    End,
    /// So many characters mean nothing, or were taken as words.
    Over(usize),
}

/// What belongs to the number that stands in a range of a text.
///
/// # Errors
/// Why it is none.
pub(super) fn beside(text: &str, range: &Range<usize>, known: &[Known]) -> Result<Beside, Why> {
    meter::spend(64);
    let left = text.ceil_char_boundary(range.start.saturating_sub(NEAR))..range.start;
    let right = range.end..text.floor_char_boundary(range.end + NEAR);
    if amount::is_turned(&text[left.start..right.end]) {
        return Err(Why::Cut);
    }
    let side = |side: Range<usize>| Side {
        characters: characters(text, side),
        number: &text[range.clone()],
        known,
        words: Vec::new(),
        is_in_parentheses: false,
        has_dash: false,
        has_minus_behind: false,
        currencies: Vec::new(),
        is_counted: false,
        has_crossed: false,
    };
    let (mut before, mut behind) = (side(left), side(right));
    hidden::look(text, range, known)?;
    before.walk_back()?;
    if !hidden::is_attribute(text, range) {
        behind.walk_on()?;
    }
    let is_in_parentheses = before.is_in_parentheses && behind.is_in_parentheses;
    before.words.reverse();
    before.currencies.append(&mut behind.currencies);
    before.currencies.extend(label::currency_field(text, range, known));
    Ok(Beside {
        before: before.words,
        behind: behind.words,
        has_dash: before.has_dash,
        currencies: before.currencies,
        is_in_parentheses,
        has_minus_behind: behind.has_minus_behind,
        is_counted: behind.is_counted,
    })
}

impl Side<'_> {
    /// The way of naming, if an author has named what stands in so many characters; as far as they are a word, the end of it
    /// that is next to the number is enough.
    fn named(&self, part: &[Character]) -> Option<How> {
        let is_named = |known: &&Known| {
            let is_inside = |character: &&Character| {
                known.range.start <= character.range.start && character.range.end <= known.range.end
            };
            let inside: Vec<&Character> = part.iter().filter(is_inside).collect();
            // Of a word before the number its end is enough; one behind it is named as a whole.
            let is_end = part.last().is_some_and(|last| is_inside(&last)) && known.how != How::Taken;
            let is_enough = inside.len() == part.len() || (is_end && !inside.is_empty());
            let inside = string(inside).to_lowercase();
            let is_letter = inside.chars().count() == 1 && inside.chars().all(char::is_alphabetic);
            let is_written = || match is_letter {
                true => known.written.split(|c: char| !c.is_alphabetic()).any(|word| word == inside),
                false => known.written.contains(&inside),
            };
            is_enough && (known.how == How::Taken || is_written())
        };
        let ways = self.known.iter().filter(is_named).map(|known| known.how);
        ways.min_by_key(|how| *how == How::LeftOut)
    }

    /// What is seen next before a place, or right before it: tags are not seen.
    fn seen_before(&self, mut at: usize, skips_blanks: bool) -> Option<char> {
        while let Some(before) = at.checked_sub(1) {
            let c = self.characters[before].c;
            let start = self.characters[..at].iter().rposition(|character| character.c == '<');
            match start.filter(|start| c == '>' && tag(&self.characters[*start..at]).is_some()) {
                Some(start) => at = start,
                None if skips_blanks && c.is_whitespace() => at = before,
                None => return Some(c),
            }
        }
        None
    }

    /// What is seen next from a place on, or right there, and what is seen behind that.
    fn seen_from(&self, mut at: usize, skips_blanks: bool) -> (char, char) {
        let mut seen = [' '; 2];
        for place in &mut seen {
            while let Some(character) = self.characters.get(at) {
                match tag(&self.characters[at..]).filter(|_| character.c == '<') {
                    Some((length, _)) => at += length,
                    None if skips_blanks && character.c.is_whitespace() => at += 1,
                    None => break,
                }
            }
            *place = self.characters.get(at).map_or(' ', |character| character.c);
            at += 1;
        }
        (seen[0], seen[1])
    }

    /// Whether a minus of its own stands before the end of a line or a cell, and no rule of dashes.
    fn hangs_on_minus(&self, at: usize) -> bool {
        let is_seen = self.seen_before(at, true).is_some_and(is_minus);
        let dashes = self.characters[..at].iter().rev().skip_while(|character| !is_minus(character.c));
        is_seen && dashes.take_while(|character| is_minus(character.c)).count() == 1
    }

    /// Whether a pattern that looks for a word runs over a place without writing what stands there. What it crosses so is no end.
    fn is_run_over(&self, part: Range<usize>) -> bool {
        let part = &self.characters[part];
        let Some(place) = part.first().map(|character| &character.range) else { return false };
        let runs_over = |known: &Known| {
            known.how == How::Matched
                && known.range.start <= place.start
                && place.end <= known.range.end
                && known.written.contains(char::is_alphabetic)
        };
        self.known.iter().any(runs_over) && self.named(part).is_none()
    }

    /// Whether what stands at a place was only taken away.
    fn is_left_out(&self, at: usize) -> bool {
        self.named(&self.characters[at..=at]) == Some(How::LeftOut)
    }

    /// Whether a pattern that looks for a word runs over a place, written or not.
    fn is_matched(&self, at: usize) -> bool {
        let place = &self.characters[at].range;
        self.known.iter().any(|known| {
            let is_there = known.range.start <= place.start && place.end <= known.range.end;
            is_there && known.how == How::Matched && known.written.contains(char::is_alphabetic)
        })
    }

    /// Whether an author has written what stands at a place, with the word before it if there is one in what was written.
    fn is_written(&self, at: usize) -> bool {
        let before = &self.characters[..at];
        let is_of_any = |character: &Character| is_of_word(character.c) || is_of_run(character.c);
        let word_end = before.iter().rposition(is_of_any).map_or(0, |found| found + 1);
        let start = before[..word_end].iter().rposition(|character| !is_of_any(character)).map_or(0, |found| found + 1);
        let place = &self.characters[at].range;
        self.known.iter().any(|known| {
            let is_there = known.range.start <= place.start && place.end <= known.range.end;
            let has_words = known.how == How::Matched && known.written.contains(char::is_alphabetic);
            let first = if has_words { start.max(at.saturating_sub(FAR)) } else { at };
            let is_inside = |character: &&Character| character.range.start >= known.range.start;
            let part = string(self.characters[first..=at].iter().filter(is_inside)).to_lowercase();
            is_there && known.how != How::Taken && known.written.contains(&part)
        })
    }

    fn is_named(&self, at: usize) -> bool {
        self.named(&self.characters[at..=at]).is_some()
    }

    /// Whether an author has written a dash together with something beside it that is no dash.
    fn names_dash(&self, at: usize) -> bool {
        let place = &self.characters[at].range;
        self.known.iter().any(|known| {
            let is_there = known.range.start <= place.start && place.end <= known.range.end;
            let has_more = known.written.contains(|c: char| c.is_alphabetic() || c.is_whitespace());
            is_there && has_more && known.how != How::Taken && known.written.contains(is_minus)
        })
    }

    /// Whether an author has written all of a part, or takes it out as well: of `CA$` the `$` is not enough.
    fn is_written_whole(&self, part: &[Character]) -> bool {
        let text = string(part).to_lowercase();
        self.known.iter().any(|known| {
            let is_inside = |at: &Character| known.range.start <= at.range.start && at.range.end <= known.range.end;
            part.iter().all(is_inside) && (known.how == How::Taken || known.written.contains(&text))
        })
    }

    /// Takes a word that the reader of amounts knows. What is no money of a country is a word as well.
    fn take(&mut self, word: Word, part: Range<usize>) {
        if let Word::Currency(currency) = word
            && !currency.label().starts_with(|c: char| c.is_ascii_lowercase())
            && !self.is_written_whole(&self.characters[part])
        {
            self.currencies.push(currency);
        }
        self.words.push(word);
    }

    /// Takes a word that the reader of amounts knows, or passes over a plain one.
    fn word(&mut self, part: Range<usize>, is_next: bool, is_before: bool) -> Result<Step, Why> {
        let word = string(&self.characters[part.clone()]);
        let named = self.named(&self.characters[part.clone()]);
        if matches!(named, Some(How::Matched | How::Taken)) {
            return Ok(Step::End);
        }
        // Of what is counted the word stands right behind the number, and no money before it.
        let is_apart = |character: &Character| character.c.is_whitespace();
        let is_first = !is_before && self.characters[..part.start].iter().all(is_apart);
        self.is_counted |= is_first && plain::is_counted(&word.to_lowercase());
        if let Some(words) = amount::words(&word).filter(|words| !words.is_empty()) {
            words.into_iter().for_each(|word| self.take(word, part.clone()));
            return Ok(Step::Over(part.len()));
        }
        match plain::word(&word, is_before) {
            _ if named.is_some() => Ok(Step::End),
            // It stands between what the pattern looks for and the number, behind the end of a clause.
            _ if self.has_crossed && self.is_run_over(part.clone()) => Err(Why::Unknown),
            _ if is_next || amount::is_scale_word(&word) => Err(Why::Unknown),
            Some(Plain::End) if is_before => {
                let far = part.start.saturating_sub(FAR / 2);
                self.without_scale(&self.characters[far..part.start], false)
            }
            Some(Plain::End) => Ok(Step::End),
            Some(Plain::Nothing) => Ok(Step::Over(part.len())),
            None => Err(Why::Unknown),
        }
    }

    /// Whether no word of scale or of a debt, and no thousand in digits, stands in a part: `(in thousands)`, `('000)`. In a label
    /// each word counts, except one that is all of it.
    fn without_scale(&self, part: &[Character], is_label: bool) -> Result<Step, Why> {
        let words: Vec<&[Character]> =
            part.split(|character| !character.c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let is_part = is_label && matches!(part, [comma, blank, ..] if comma.c == ',' && blank.c == ' ');
        let least = if is_label && (words.len() > 1 || is_part) { 1 } else { 4 };
        let is_scale = |word: &[Character]| {
            let text = string(word);
            let side =
                || matches!(amount::word(&text), Some((Word::Side { is_debit: true }, length)) if length == text.len());
            let is_long = text.chars().count() >= least && !text.eq_ignore_ascii_case("grand");
            let is_other = is_label
                && (is_thousand(text.trim_matches(['x', 'X', 's']))
                    || matches!(text.as_str(), "分" | "角" | "毛")
                    || plain::is_failure(&text.to_lowercase()));
            let is_word =
                is_long && (amount::is_scale_word(&text) || matches!(amount::word(&text), Some((Word::Times(_), _))));
            // `balanceCents`.
            let hump = text.rfind(char::is_uppercase).filter(|at| *at > 0 && text.len() >= at + 4);
            let is_hump = is_label && hump.is_some_and(|at| amount::is_scale_word(&text[at..]));
            is_hump || is_other || is_word || plain::is_debt(&text.to_lowercase()) || has_scale_sign(&text) || side()
        };
        match words.into_iter().any(|word| is_scale(word) && self.named(word).is_none()) {
            true => Err(Why::Unknown),
            false => Ok(Step::End),
        }
    }

    /// Letters of a script that puts no blanks between words.
    fn run(&mut self, part: Range<usize>, is_before: bool) -> Result<Step, Why> {
        let run = string(&self.characters[part.clone()]);
        let edge = if is_before { part.end - 1 } else { part.start };
        let named = self.named(&self.characters[edge..=edge]).and(self.named(&self.characters[part.clone()]));
        if matches!(named, Some(How::Matched | How::Taken)) {
            return Ok(Step::End);
        }
        if !is_before && let Some((word, length)) = amount::word(&run) {
            let count = run[..length].chars().count();
            self.take(word, part.start..part.start + count);
            return Ok(Step::Over(count));
        }
        match plain::of_run(&run, is_before) {
            _ if named.is_some() => Ok(Step::End),
            _ if self.has_crossed && self.is_run_over(part.clone()) => Err(Why::Unknown),
            Some(length) => Ok(Step::Over(length)),
            None => Err(Why::Unknown),
        }
    }
}

/// Whether a run of digits is a thousand, or the zeros of one.
fn is_thousand(run: &str) -> bool {
    let zeros = run.strip_prefix('1').unwrap_or(run);
    zeros.len() >= 3 && zeros.bytes().all(|byte| byte == b'0')
}

/// Whether a character stands for one that could not be read, or for the rest of a text that was cut off.
fn is_unread(c: char) -> bool {
    matches!(c, '\u{fffc}' | '\u{fffd}')
}

/// Whether a run of letters holds a sign of scale and nothing else, or one before a currency: `千元`.
fn has_scale_sign(run: &str) -> bool {
    let is_before_currency = |(at, c): (usize, char)| {
        let behind = &run[at + c.len_utf8()..];
        amount::is_scale_sign(c) && matches!(amount::word(behind), Some((Word::Currency(_), _)))
    };
    !run.is_empty() && (run.chars().all(amount::is_scale_sign) || run.char_indices().any(is_before_currency))
}
