//! The text of a mail brought into an order in which words can be told to belong together: lines that only the width of a page
//! has broken are joined, cells of a table are parted by tabs, and sentences are known.

use std::ops::Range;
use std::sync::OnceLock;

use crate::model::amount;

/// Lines of text that are at least so wide may have been broken for their width, in columns.
const WIDE: usize = 56;
/// Narrower ones go on where the next line begins with a small letter.
const NARROW: usize = 24;
/// So much of a sentence before an amount, and behind it, is looked at, in bytes.
pub(super) const MOST_AROUND: usize = 400;
/// Abbreviations that end with a full stop and end no sentence, in lower case.
const ABBREVIATIONS: [&str; 32] = [
    "rs", "re", "no", "nr", "nos", "inv", "dt", "min", "max", "ca", "incl", "inkl", "excl", "zzgl", "bzw", "st", "mr",
    "mrs", "ms", "dr", "approx", "ref", "tel", "avg", "est", "acct", "art", "núm", "vgl", "ggf", "ex", "rp",
];

/// Characters of traditional Chinese in the order of their simplified ones: words are written once, in simplified Chinese.
const TRADITIONAL: &str = include_str!("traditional.txt");

/// The characters among which those of the table are.
const FIRST_HAN: u16 = 0x4E00;
const LAST_HAN: u16 = 0x9FFF;

/// A text with what its words and sentences are.
pub(super) struct Sheet {
    /// As it is read.
    pub(super) text: String,
    /// In small letters and simplified Chinese, with every character at the same place.
    pub(super) low: String,
    /// Where sentences and rows of tables are, in their order.
    pub(super) sentences: Vec<Sentence>,
}

/// A sentence, or a row of a table.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    pub(super) range: Range<usize>,
}

impl Sheet {
    pub(super) fn new(subject: &str, text: &str) -> Sheet {
        let mut all = fold(arrange(subject));
        all.push_str("\n\n");
        all.push_str(&fold(joined(&arrange(text))));
        let low = low(&all);
        let sentences = sentences(&all);
        Sheet { text: all, low, sentences }
    }

    /// The words around a place, as far as its sentence goes and no more than [`MOST_AROUND`].
    pub(super) fn around(&self, sentence: usize, place: &Range<usize>) -> &str {
        let Some(sentence) = self.sentences.get(sentence) else {
            return "";
        };
        let start = sentence.range.start.max(place.start.saturating_sub(MOST_AROUND));
        let end = sentence.range.end.min(place.end + MOST_AROUND);
        &self.text[self.text.ceil_char_boundary(start)..self.text.floor_char_boundary(end)]
    }

    /// The sentence that holds a place.
    pub(super) fn sentence_at(&self, at: usize) -> usize {
        self.sentences.partition_point(|sentence| sentence.range.start <= at).saturating_sub(1)
    }
}

/// White space that says one thing each: a tab ends a cell, a new line a line, two of them a block.
fn arrange(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_single = matches!(c, ' ' | '\n') && chars.peek().is_some_and(|next| !is_gap(*next));
        if is_single || !is_gap(c) {
            out.push(c);
            continue;
        }
        let mut gap = vec![c];
        while let Some(c) = chars.next_if(|c| is_gap(*c)) {
            gap.push(c);
        }
        out.push_str(&arranged(&gap, out.chars().next_back()));
    }
    // Marks of bold type, and dots that lead from a label to its amount.
    if out.contains("**") {
        out = out.replace("**", "");
    }
    if out.contains("....") {
        out = ["........", ".....", "...."].iter().fold(out, |out, dots| out.replace(dots, "\t"));
    }
    out
}

fn is_gap(c: char) -> bool {
    (c.is_whitespace() || c.is_control()) && !matches!(c, '\u{A0}' | '\u{2009}' | '\u{202F}')
}

fn arranged(gap: &[char], previous: Option<char>) -> String {
    let lines = gap.iter().filter(|c| **c == '\n').count();
    let tabs = gap.iter().filter(|c| **c == '\t').count();
    match lines {
        0 if tabs > 0 => "\t".repeat((tabs / 2).max(1)),
        0 => {
            let is_column = gap.len() > 1 && !previous.is_none_or(|c| ".!?。:：,，;；".contains(c));
            if is_column { "\t" } else { " " }.to_owned()
        }
        _ => {
            let last = gap.iter().rposition(|c| *c == '\n').unwrap_or_default();
            let leading = gap[last..].iter().filter(|c| **c == '\t').count() / 2;
            format!("{}{}", if lines == 1 { "\n" } else { "\n\n" }, "\t".repeat(leading))
        }
    }
}

/// Lines that were broken for the width of a page are one again.
fn joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        let Some(next) = lines.peek() else {
            break;
        };
        out.push(if goes_on(line, next) { ' ' } else { '\n' });
    }
    out
}

/// No sentence ends with these words.
const OPEN_ENDS: [&str; 12] =
    [" is", " are", " was", " of", " your", " the", " a", " by", " and", " is only", " is now", " is just"];

fn goes_on(line: &str, next: &str) -> bool {
    if line.is_empty() || next.is_empty() || line.contains('\t') || next.contains('\t') {
        return false;
    }
    let width: usize = line.chars().map(|c| if c >= '\u{2E80}' { 2 } else { 1 }).sum();
    let ends = line.ends_with(['.', '!', '?', ':', '。', '！', '？', '：', ';', '；', '-', '=', '_', '*']);
    let first = next.chars().next().unwrap_or(' ');
    let is_item = !(first.is_alphanumeric() || "$€£¥￥(（\"“「'&".contains(first));
    let is_numbered = next
        .split_once(['.', ')', '、'])
        .is_some_and(|(number, _)| (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()));
    let is_small = first.is_lowercase();
    let is_open = OPEN_ENDS.iter().any(|word| line.ends_with(word));
    let may_go_on = width >= WIDE || (width >= NARROW && is_small) || is_open || line.ends_with(['，', ',']);
    !ends && !is_item && !is_numbered && may_go_on
}

/// As amounts are folded. A comma of full width parts clauses, never thousands, except between digits of its own width.
fn fold(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let is_wide_digit = |c: Option<char>| c.is_some_and(|c| ('０'..='９').contains(&c));
    let mut chars = text.chars().peekable();
    let mut last = None;
    while let Some(c) = chars.next() {
        out.push(match c {
            '，' if !(is_wide_digit(last) && is_wide_digit(chars.peek().copied())) => ';',
            '\u{2009}' | '\u{202F}' => '\u{A0}',
            '’' => '\'',
            c => c,
        });
        last = Some(c);
    }
    amount::fold(&out)
}

/// The text in small letters and simplified Chinese, with all its characters where they were.
pub(super) fn low(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars()
        .map(|c| {
            if c.is_ascii() {
                return c.to_ascii_lowercase();
            }
            if c >= '\u{2E80}' {
                return simplified(c);
            }
            let mut small = c.to_lowercase();
            match (small.next(), small.next()) {
                (Some(small), None) if small.len_utf8() == c.len_utf8() => small,
                _ => c,
            }
        })
        .collect()
}

/// A character of traditional Chinese as it is written in simplified Chinese.
fn simplified(c: char) -> char {
    /// The simplified character of each from the first on; zero where it is the same.
    static TABLE: OnceLock<Vec<u16>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let mut table = vec![0; usize::from(LAST_HAN - FIRST_HAN) + 1];
        for pair in TRADITIONAL.split_whitespace() {
            let mut chars = pair.chars().map(|c| u16::try_from(u32::from(c)));
            let (Some(Ok(one)), Some(Ok(other))) = (chars.next(), chars.next()) else {
                continue;
            };
            if let Some(place) = one.checked_sub(FIRST_HAN).and_then(|at| table.get_mut(usize::from(at))) {
                *place = other;
            }
        }
        table
    });
    let place = u32::from(c).checked_sub(u32::from(FIRST_HAN)).and_then(|at| table.get(at as usize));
    place.filter(|other| **other != 0).and_then(|other| char::from_u32(u32::from(*other))).unwrap_or(c)
}

fn sentences(text: &str) -> Vec<Sentence> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut add = |range: Range<usize>| {
        if !text[range.clone()].trim().is_empty() {
            found.push(Sentence { range });
        }
    };
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        let is_end = match c {
            '\n' | '。' | '!' | '?' | '…' => true,
            '.' => next.is_none_or(char::is_whitespace) && !is_abbreviation(&text[start..at]),
            _ => false,
        };
        if is_end {
            add(start..if c == '\n' { at } else { at + c.len_utf8() });
            start = at + c.len_utf8();
        }
    }
    add(start..text.len());
    found
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let is_number = !word.is_empty() && word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_list = is_number && before.trim() == word;
    ABBREVIATIONS.contains(&word.to_lowercase().as_str()) || is_list
}
