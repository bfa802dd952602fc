//! What is left of a secret that a peer cut, masked in part or divided: any run of its letters and digits that is long enough
//! to tell something of it, wherever it lies in the secret. Runs that people write themselves stay as they are: words, hosts,
//! and the beginnings that all keys of a maker share (`sk-ant-api03-`).

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use super::decodings::letters_of_any_script;
use super::machine_made::{humps, is_drawn, is_spelt, is_spoken};

/// From so many letters and digits on, a run is known. Of a secret that has less than twice as many, half is enough.
const RUN: usize = 8;
/// But no run is shorter.
const SHORTEST: usize = 6;
/// Of one kind of character, a run has at least so many: others write eight digits or eight letters as well.
const ONE_KIND: usize = 10;
/// What reads as words has at least so many.
const WORDS: usize = 16;
/// A run that begins or ends in what is no secret has at least so many characters outside it.
const OUTSIDE: usize = 2;

/// Finds runs of secrets. The time does not depend on how many secrets there are, nor on how many of them have a run in common.
#[derive(Clone, Default)]
pub(super) struct Runs {
    /// All pieces of all secrets, in small letters, each of as many bytes as the shortest run of its secret has.
    pieces: HashSet<u64, BuildHasherDefault<Mix>>,
    /// For each number of bytes from the shortest on, whether there are pieces of it.
    has_length: [bool; RUN - SHORTEST + 1],
    /// The pieces of stretches of letters that a machine has drawn, in which no word can stand.
    drawn: HashSet<u64, BuildHasherDefault<Mix>>,
}

/// A hash of one number. Peers cannot choose what is put into the set, so nothing stronger is needed.
#[derive(Default)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(self.0 << 8 | u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ mixed >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The next window over a text: eight bytes, in small letters.
pub(super) fn moved(window: u64, byte: u8) -> u64 {
    window << 8 | u64::from(byte.to_ascii_lowercase())
}

/// The last so many bytes of a window.
pub(super) fn last(window: u64, length: usize) -> u64 {
    window & u64::MAX >> (64 - 8 * length)
}

impl Runs {
    /// Adds a strong secret.
    pub(super) fn add(&mut self, secret: &[u8]) {
        let public = public(secret);
        let letters = secret.iter().copied().zip(public).filter(|(byte, _)| byte.is_ascii_alphanumeric());
        self.add_letters(&letters.collect::<Vec<_>>());
    }

    /// Adds a strong secret that has letters of other scripts.
    pub(super) fn add_of_any_script(&mut self, secret: &[u8]) {
        let letters = secret.iter().zip(letters_of_any_script(secret)).filter(|(_, is_letter)| *is_letter);
        self.add_letters(&letters.map(|(byte, _)| (*byte, false)).collect::<Vec<_>>());
    }

    /// Whether nothing has been added.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Adds letters, and of each whether it belongs to what is no secret.
    fn add_letters(&mut self, letters: &[(u8, bool)]) {
        // For each letter, how many before it are no word's.
        let mut own = vec![0];
        own.extend(letters.iter().scan(0, |own, (_, is_public)| {
            *own += usize::from(!is_public);
            Some(*own)
        }));
        let count = own.len() - 1;
        let length = count.div_ceil(2).clamp(SHORTEST, RUN);
        // Of a secret that is made of words alone, the words are the secret.
        let least = if own[count] < length { 0 } else { OUTSIDE };
        self.has_length[length - SHORTEST] |= count >= length;
        self.pieces.reserve(count);
        let mut window = 0;
        for (end, (byte, _)) in (1..).zip(letters) {
            window = moved(window, *byte);
            if end >= length && own[end] - own[end - length] >= least {
                self.pieces.insert(last(window, length));
            }
        }
        let stretches = letters.split(|(byte, _)| !byte.is_ascii_alphabetic());
        for stretch in stretches.filter(|stretch| stretch.len() > RUN) {
            let stretch: Vec<u8> = stretch.iter().map(|(byte, _)| *byte).collect();
            if is_drawn(&stretch) {
                let hash = |piece: &[u8]| piece.iter().fold(0, |window, byte| moved(window, *byte));
                self.drawn.extend(stretch.windows(RUN).map(hash));
            }
        }
    }

    /// The runs in a text of letters and digits alone.
    pub(super) fn find(&self, within: &[u8], mut tell: impl FnMut(Range<usize>)) {
        let mut run = 0..0;
        let mut is_drawn = false;
        let mut window = 0;
        for (at, byte) in within.iter().enumerate() {
            window = moved(window, *byte);
            let end = at + 1;
            let Some(length) = self.known(window, end) else { continue };
            if end - length >= run.end {
                tell_if_telling(within, &run, is_drawn, &mut tell);
                (run.start, is_drawn) = (end - length, false);
            }
            run.end = end;
            is_drawn |= length == RUN && self.drawn.contains(&window);
        }
        tell_if_telling(within, &run, is_drawn, &mut tell);
    }

    /// The length of the longest piece that a window ends with.
    fn known(&self, window: u64, most: usize) -> Option<usize> {
        let lengths = (SHORTEST..=RUN).rev().filter(|length| self.has_length[length - SHORTEST] && *length <= most);
        lengths.into_iter().find(|length| self.pieces.contains(&last(window, *length)))
    }
}

fn tell_if_telling(within: &[u8], run: &Range<usize>, is_drawn: bool, tell: &mut impl FnMut(Range<usize>)) {
    if is_drawn || is_telling(&within[run.clone()]) {
        tell(run.clone());
    }
}

/// Whether a run of a secret is nothing that anybody writes: letters and digits in one, capitals in the midst of a word,
/// many digits, or letters that nobody can speak.
fn is_telling(run: &[u8]) -> bool {
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    match digits {
        0 => humps(run) >= 2 || run.len() >= WORDS || (run.len() >= ONE_KIND && !(is_spoken(run) && is_spelt(run))),
        _ if digits == run.len() => digits >= ONE_KIND,
        _ => true,
    }
}

/// For each byte of a secret, whether it belongs to what is no secret: to a host, or to a word. A word is of letters, with a
/// digit or two behind them as in `api03`, and stands alone.
pub(super) fn public(secret: &[u8]) -> Vec<bool> {
    let mut public = vec![false; secret.len()];
    let mut at = 0;
    for word in secret.split(|byte| !byte.is_ascii_alphanumeric()) {
        public[at..at + word.len()].fill(is_word(word));
        at += word.len() + 1;
    }
    hosts(secret).for_each(|host| public[host].fill(true));
    public
}

fn is_word(word: &[u8]) -> bool {
    let letters = word.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (letters, digits) = word.split_at(letters);
    let is_of_one_case =
        letters.iter().skip(1).all(u8::is_ascii_lowercase) || letters.iter().all(u8::is_ascii_uppercase);
    let is_short = letters.len() <= 4;
    letters.len() < WORDS
        && digits.len() <= 2
        && digits.iter().all(u8::is_ascii_digit)
        && is_of_one_case
        && (is_short || is_spoken(letters))
}

/// Where the addresses in a secret name their schemes and hosts.
fn hosts(secret: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let marks = secret.windows(3).enumerate().filter(|(_, mark)| mark == b"://").map(|(at, _)| at);
    marks.flat_map(|mark| {
        let start = mark + 3;
        let scheme = secret[..mark].iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let is_end = |byte: &u8| b"/?#\"' \n".contains(byte);
        let end = secret[start..].iter().position(is_end).map_or(secret.len(), |length| start + length);
        let login = secret[start..end].iter().rposition(|byte| *byte == b'@').map_or(0, |length| length + 1);
        [mark - scheme..mark, start + login..end]
    })
}
