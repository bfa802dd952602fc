//! How secrets are found in a text: strong ones by a piece of eight bytes, weak ones as a whole. In what others say, any run of
//! letters and digits of a strong one is enough ([`Runs`](super::fragments::Runs)). What is searched for can grow
//! at any time, and to begin costs next to nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use percent_encoding::utf8_percent_encode;

use super::DEEPEST;
use super::decodings::{EDGE, Layer};
use super::fragments::Runs;
use super::known::Strength;
use super::machine_made::{is_word, stretches};
use super::scattered_pieces::{Piece, Scattered, Shown};
use crate::model::text;

/// Bytes that a window has.
const WINDOW: usize = 8;

/// Texts that are found as a whole, by their ends. Capitals make no difference.
#[derive(Clone, Default)]
pub(super) struct Pieces {
    texts: Vec<Vec<u8>>,
    ends: Places,
    /// Those that have no window.
    short: Vec<usize>,
}

/// Windows, and for each the texts that have it.
#[derive(Clone)]
struct Places {
    /// For each window, the last text that has it.
    last: HashMap<u64, usize>,
    /// For each text, the one before it with the same window.
    before: HashMap<usize, usize>,
    /// Says of nearly every window that nobody has it, without a look into the map.
    filter: Box<[u64; 1024]>,
}

impl Default for Places {
    fn default() -> Self {
        Places { last: HashMap::new(), before: HashMap::new(), filter: Box::new([0; 1024]) }
    }
}

impl Places {
    fn bit(window: u64) -> (usize, u64) {
        let hash = window.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
        (hash as usize >> 6 & 1023, 1 << (hash & 63))
    }

    fn add(&mut self, piece: &[u8], owner: usize) {
        let window = piece.iter().fold(0, |window, byte| window << 8 | u64::from(byte.to_ascii_lowercase()));
        let (word, bit) = Places::bit(window);
        self.filter[word] |= bit;
        if let Some(before) = self.last.insert(window, owner) {
            self.before.insert(owner, before);
        }
    }

    /// Whether a text may have a window.
    fn may_have(&self, window: u64) -> bool {
        let (word, bit) = Places::bit(window);
        self.filter[word] & bit != 0
    }

    /// The texts that have a window.
    fn of(&self, window: u64) -> impl Iterator<Item = usize> {
        std::iter::successors(self.last.get(&window).copied(), |owner| self.before.get(owner).copied())
    }
}

impl Pieces {
    fn add(&mut self, text: Vec<u8>) {
        let at = self.texts.len();
        match text.len() {
            0 => return,
            1..WINDOW => self.short.push(at),
            length => self.ends.add(&text[length - WINDOW..], at),
        }
        self.texts.push(text);
    }

    /// The places of all texts, those inside others included.
    pub(super) fn find(&self, within: &[u8], mut tell: impl FnMut(Range<usize>)) {
        let mut window = 0;
        for (at, byte) in within.iter().enumerate() {
            window = window << 8 | u64::from(byte.to_ascii_lowercase());
            let read = &within[..=at];
            if read.len() < WINDOW || !self.ends.may_have(window) {
                continue;
            }
            for text in self.ends.of(window).map(|owner| &self.texts[owner]) {
                let start = read.len().checked_sub(text.len());
                if let Some(start) = start.filter(|start| read[*start..].eq_ignore_ascii_case(text)) {
                    tell(start..read.len());
                }
            }
        }
        for text in self.short.iter().map(|at| &self.texts[*at]) {
            let places = within.windows(text.len()).enumerate().filter(|(_, piece)| piece.eq_ignore_ascii_case(text));
            places.for_each(|(at, _)| tell(at..at + text.len()));
        }
    }

    /// Adds a strong secret in the forms that this program itself makes when it writes it.
    pub(super) fn add_plain(&mut self, secret: &str) {
        self.add(secret.into());
        if !secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)) {
            self.add(serde_json::to_string(secret).unwrap_or_default().trim_matches('"').into());
            self.add(utf8_percent_encode(secret, text::UNRESERVED).to_string().into());
        }
    }
}

/// Letters and digits of the shortest weak secret that is looked for in groups: those of shorter ones meet by chance. Letters
/// beside digits do so less.
const GROUPED: usize = 8;
const MIXED: usize = 6;

/// Letters of a secret of letters alone that is looked for in groups; of shorter ones the groups meet by chance.
const LETTERED: std::ops::RangeInclusive<usize> = GROUPED..=15;
/// Letters of one group, and bytes between two.
const GROUP: std::ops::RangeInclusive<usize> = 2..=5;
const GAP: usize = 3;

/// What is searched for in all readings of a text.
#[derive(Clone, Default)]
pub(super) struct Deep {
    strong: Pieces,
    /// Finds what is left of the strong ones.
    runs: Runs,
    /// The same for those that have letters of other scripts.
    runs_of_any_script: Runs,
    /// And what stands in short pieces.
    scattered: Scattered,
    weak: BTreeMap<String, Strength>,
    /// The letters and digits of the weak ones that are long enough to be known when they are written in groups.
    grouped: Pieces,
    /// Those of letters alone, which are known only as a whole: their groups may be words.
    lettered: BTreeSet<Vec<u8>>,
    /// Finds the weak ones.
    machine: Option<AhoCorasick>,
    /// For each pattern of the machine, its length and its strength.
    patterns: Vec<(usize, Strength)>,
}

impl Deep {
    pub(super) fn is_empty(&self) -> bool {
        self.strong.texts.is_empty() && self.weak.is_empty()
    }

    /// Adds secrets.
    pub(super) fn add<'s>(&mut self, secrets: impl Iterator<Item = (&'s str, Strength)>) {
        let before = self.weak.len();
        for (secret, strength) in secrets {
            if strength != Strength::Strong {
                let form = String::from_utf8_lossy(&Layer::of(secret).bytes).to_ascii_lowercase();
                let letters: Vec<u8> = form.bytes().filter(u8::is_ascii_alphanumeric).collect();
                let has = |is: fn(&u8) -> bool| letters.iter().any(is);
                let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
                if strength == Strength::Weak
                    && letters.len() >= if is_mixed { MIXED } else { GROUPED }
                    && self.weak.get(&form) != Some(&Strength::Weak)
                {
                    self.grouped.add(letters);
                } else if LETTERED.contains(&form.len()) && form.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                    self.lettered.insert(letters);
                }
                if !form.is_empty() {
                    // What is both is the surer one.
                    let known = self.weak.entry(form).or_insert(strength);
                    *known = if strength == Strength::Weak { strength } else { *known };
                }
                continue;
            }
            // A secret may itself hold what looks like an escape, which is taken off with those around it.
            let mut layers = vec![Layer::of(secret)];
            self.scattered.add(&layers[0].bytes);
            for _ in 0..DEEPEST {
                let forms = layers.iter().map(Layer::squeezed).filter(|form| form.bytes.len() > 3);
                forms.for_each(|form| self.strong.add(form.bytes));
                layers.iter().for_each(|layer| self.runs.add(&layer.bytes));
                let foreign = layers.iter().filter(|layer| !layer.bytes.is_ascii());
                foreign.for_each(|layer| self.runs_of_any_script.add_of_any_script(&layer.bytes));
                layers = layers.iter().flat_map(Layer::unescaped).collect();
            }
            if secret.contains(' ') {
                self.strong.add(secret.replace(' ', "+").into());
            }
        }
        self.patterns = self.weak.iter().map(|(secret, strength)| (secret.len(), *strength)).collect();
        if self.weak.len() > before {
            self.machine = AhoCorasickBuilder::new().ascii_case_insensitive(true).build(self.weak.keys()).ok();
        }
    }

    pub(super) fn strong(&self, layer: &Layer, found: &mut Vec<Range<usize>>) {
        self.strong.find(&layer.bytes, |range| found.push(layer.source(range.start, range.end)));
    }

    /// Any run of a strong secret, however it is divided.
    pub(super) fn runs(&self, layer: &Layer, found: &mut Vec<Range<usize>>) {
        let letters = layer.letters();
        let unmarked = layer.unmarked().map(|unmarked| unmarked.letters());
        let unmarked = unmarked.filter(|other| other.bytes.len() < letters.bytes.len());
        for letters in [Some(letters), unmarked].into_iter().flatten() {
            self.runs.find(&letters.bytes, |run| found.push(letters.source(run.start, run.end)));
        }
        if !self.runs_of_any_script.is_empty() && !layer.bytes.is_ascii() {
            let letters = layer.letters_of_any_script();
            self.runs_of_any_script.find(&letters.bytes, |run| found.push(letters.source(run.start, run.end)));
        }
    }

    /// A weak secret that is written in groups, as `1234-5678-9012` or `hjkz-xcvb-q`.
    pub(super) fn grouped(&self, layer: &Layer, found: &mut Vec<Range<usize>>) {
        if !self.lettered.is_empty() {
            self.lettered(&layer.bytes, |run| found.push(layer.source(run.start, run.end)));
        }
        if !self.grouped.texts.is_empty() {
            let letters = layer.letters();
            self.grouped.find(&letters.bytes, |run| found.push(letters.source(run.start, run.end)));
        }
    }

    /// A secret of letters alone in groups of one length, of which the last may be shorter. Two groups that read as words may be
    /// words: `sword fish`.
    fn lettered(&self, text: &[u8], mut tell: impl FnMut(Range<usize>)) {
        let runs: Vec<Range<usize>> = stretches(text, |byte| byte.is_ascii_alphanumeric()).collect();
        let gap = |at: usize| &text[runs[at - 1].end..runs[at].start];
        for (first, run) in runs.iter().enumerate().filter(|(_, run)| GROUP.contains(&run.len())) {
            let mut joined = text[run.clone()].to_ascii_lowercase();
            for (next, group) in runs.iter().enumerate().skip(first + 1) {
                let is_alike = gap(next).len() <= GAP && gap(next) == gap(first + 1) && group.len() <= run.len();
                if !is_alike || joined.len() + group.len() > *LETTERED.end() {
                    break;
                }
                joined.extend(text[group.clone()].to_ascii_lowercase());
                let are_words = || next == first + 1 && is_word(&text[run.clone()]) && is_word(&text[group.clone()]);
                if self.lettered.contains(&joined) && !are_words() {
                    tell(run.start..group.end);
                }
                if group.len() < run.len() {
                    break;
                }
            }
        }
    }

    /// Pieces of a strong secret that stand apart.
    pub(super) fn pieces(&self, layer: &Layer) -> Vec<Piece> {
        let letters = layer.letters();
        let mut pieces = self.scattered.find(&letters.bytes);
        pieces.iter_mut().for_each(|piece| piece.range = letters.source(piece.range.start, piece.range.end));
        pieces
    }

    /// Which of these pieces tell too much, as [`Scattered::judge`] says.
    pub(super) fn judge(&self, pieces: &[(Piece, bool)], shown: &mut Shown) -> Vec<usize> {
        self.scattered.judge(pieces, shown)
    }

    pub(super) fn weak(&self, layer: &Layer, is_foreign: bool, found: &mut Vec<Range<usize>>) {
        let Some(machine) = &self.machine else { return };
        for one in machine.find_overlapping_iter(&layer.bytes) {
            let (length, strength) = self.patterns[one.pattern().as_usize()];
            let before = one.start().checked_sub(1).map(|at| layer.bytes[at]);
            let after = layer.bytes.get(one.end()).copied();
            let is_alone = |beside: Option<u8>| match beside {
                None => true,
                // Nearly every letter or two can be decoded from something.
                Some(byte) if layer.is_guess && length < 4 => byte == b':' || byte == EDGE,
                Some(byte) => !byte.is_ascii_alphanumeric(),
            };
            let is_whole = is_alone(before) && is_alone(after);
            let counts = match strength {
                Strength::Word => is_foreign && is_whole,
                _ => is_whole || (is_foreign && length >= 6),
            };
            if counts {
                found.push(layer.source(one.start(), one.end()));
            }
        }
    }
}
