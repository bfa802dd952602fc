//! Short pieces of one secret that stand apart, in one text or in several: each alone tells little, but together they give half
//! of the secret away.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::ops::Range;

use super::fragments::{Mix, last, moved, public};
use super::machine_made::humps;

/// Letters and digits of the shortest piece that counts.
const PIECE: usize = 5;
/// In a piece so many of them belong to no word.
const OWN: usize = 2;
/// Letters and digits of the secrets that are looked for in pieces.
const LENGTHS: std::ops::RangeInclusive<usize> = 8..=2048;
/// What a secret may lose at the least before its pieces tell too much, in letters and digits.
const LEAST: usize = 6;

/// Finds pieces of secrets.
#[derive(Clone, Default)]
pub(super) struct Scattered {
    /// For each piece, in small letters, the last of the places that have it.
    last: HashMap<u64, usize, BuildHasherDefault<Mix>>,
    places: Vec<Occurrence>,
    /// For each secret, how many letters and digits it has.
    lengths: Vec<usize>,
    /// What was added, so that a key that many accounts share is one secret.
    known: HashSet<Box<[u8]>>,
}

/// A piece of a secret in a text.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    owner: usize,
    /// Where it stands in the secret, among its letters and digits, and how many it has of them.
    at: usize,
    length: usize,
    /// Where it stands in the text.
    pub(super) range: Range<usize>,
    /// Whether it is neither a word nor a number, which stay as they are.
    is_telling: bool,
}

/// Which letters and digits of each secret others have shown in this run. No more of one is ever kept than it has.
pub(super) type Shown = HashMap<usize, Vec<bool>>;

/// Where a piece stands in a secret.
#[derive(Clone)]
struct Occurrence {
    owner: usize,
    at: usize,
    /// The place before it with the same piece.
    before: Option<usize>,
}

impl Scattered {
    /// Adds a strong secret.
    pub(super) fn add(&mut self, secret: &[u8]) {
        let public = public(secret);
        let letters = secret.iter().zip(public).filter(|(byte, _)| byte.is_ascii_alphanumeric());
        let letters: Vec<(u8, bool)> = letters.map(|(byte, is_public)| (*byte, is_public)).collect();
        if !LENGTHS.contains(&letters.len()) {
            return;
        }
        let plain: Box<[u8]> = letters.iter().map(|(byte, _)| byte.to_ascii_lowercase()).collect();
        if !self.known.insert(plain) {
            return;
        }
        let owner = self.lengths.len();
        self.lengths.push(letters.len());
        for (at, piece) in letters.windows(PIECE).enumerate() {
            if piece.iter().filter(|(_, is_public)| !is_public).count() >= OWN {
                let window = piece.iter().fold(0, |window, (byte, _)| moved(window, *byte));
                let before = self.last.insert(window, self.places.len());
                self.places.push(Occurrence { owner, at, before });
            }
        }
    }

    /// The pieces in a text of letters and digits alone.
    pub(super) fn find(&self, within: &[u8]) -> Vec<Piece> {
        let mut found: HashMap<usize, Vec<(usize, Range<usize>)>> = HashMap::new();
        let mut window = 0;
        for (end, byte) in (1..).zip(within) {
            window = moved(window, *byte);
            let mut place = if end < PIECE { None } else { self.last.get(&last(window, PIECE)).copied() };
            while let Some(Occurrence { owner, at, before }) = place.and_then(|place| self.places.get(place)) {
                found.entry(*owner).or_default().push((*at, end - PIECE..end));
                place = *before;
            }
        }
        let piece = |owner: usize, at: usize, range: Range<usize>| {
            let is_telling = is_telling(&within[range.clone()]);
            Piece { owner, at, length: range.len(), range, is_telling }
        };
        let runs = |(owner, found): (usize, Vec<(usize, Range<usize>)>)| {
            runs(&found).into_iter().map(|(at, range)| piece(owner, at, range)).collect::<Vec<_>>()
        };
        found.into_iter().flat_map(runs).collect()
    }

    /// Which of the pieces that one failure tells give too much of a secret away, together and with what was shown
    /// before. Of each piece it is known whether something else covers it already. What stays to be seen is added to what was
    /// shown, so that the next failure is judged by it; to say the same again adds nothing.
    pub(super) fn judge(&self, pieces: &[(Piece, bool)], shown: &mut Shown) -> Vec<usize> {
        let mut owners: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, (piece, _)) in pieces.iter().enumerate() {
            owners.entry(piece.owner).or_default().push(index);
        }
        let mut told = Vec::new();
        for (owner, own) in owners {
            let length = self.lengths[owner];
            let before = shown.get(&owner).cloned().unwrap_or_else(|| vec![false; length]);
            let with = |all: bool| {
                let mut letters = before.clone();
                let counted = own.iter().map(|index| &pieces[*index]).filter(|(_, is_covered)| all || !is_covered);
                counted.for_each(|(piece, _)| letters[piece.at..piece.at + piece.length].fill(true));
                letters
            };
            let count = |letters: &[bool]| letters.iter().filter(|is_shown| **is_shown).count();
            let seen = with(false);
            if seen == before && count(&before) > 0 {
                continue;
            }
            let is_telling = |index: &usize| pieces[*index].0.is_telling;
            let is_too_much = count(&with(true)) >= length.div_ceil(2).max(LEAST);
            if is_too_much && own.iter().any(is_telling) {
                told.extend(own.into_iter().filter(is_telling));
            } else if seen != before {
                shown.insert(owner, seen);
            }
        }
        told
    }
}

/// Pieces that follow each other in the text and in the secret, put together.
fn runs(pieces: &[(usize, Range<usize>)]) -> Vec<(usize, Range<usize>)> {
    let mut runs: Vec<(usize, Range<usize>)> = Vec::new();
    for (at, piece) in pieces {
        let follows = |(start, run): &&mut (usize, Range<usize>)| {
            run.end + 1 == piece.end && *start + run.len() + 1 == at + piece.len()
        };
        match runs.iter_mut().find(follows) {
            Some((_, run)) => run.end = piece.end,
            None => runs.push((*at, piece.clone())),
        }
    }
    runs
}

/// Whether a piece is no word and no number: letters beside digits, or a capital after a small letter.
fn is_telling(run: &[u8]) -> bool {
    let has_digit = run.iter().any(u8::is_ascii_digit);
    let has_letter = run.iter().any(u8::is_ascii_alphabetic);
    (has_digit && has_letter) || humps(run) > 0
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use crate::model::failure::{Failure, Reason};

    fn knowing(secrets: &[&str]) -> Redactor {
        let redactor = Redactor::default();
        secrets.iter().for_each(|secret| redactor.learn(secret));
        redactor
    }

    /// What a failure tells of `said` and `advice`, in one line.
    fn told(redactor: &Redactor, said: &str, advice: &str) -> String {
        Failure::new(Reason::Api, "x").saying(said).advising(advice).settle(redactor).describe()
    }

    /// How many letters and digits of a secret stand in these texts, in pieces of five and more.
    fn letters_shown(secret: &str, texts: &[String]) -> usize {
        let secret: Vec<u8> = secret.bytes().filter(u8::is_ascii_alphanumeric).collect();
        let mut shown = vec![false; secret.len()];
        for (at, piece) in secret.windows(5).enumerate() {
            if texts.iter().any(|text| text.as_bytes().windows(5).any(|part| part.eq_ignore_ascii_case(piece))) {
                shown[at..at + 5].fill(true);
            }
        }
        shown.into_iter().filter(|shown| *shown).count()
    }

    #[test]
    fn a_secret_in_pieces_over_several_texts_is_judged_by_all_of_them() {
        for (secret, tellings) in [
            // The message and the advice of one failure.
            ("Zq7Xv9Lm2Tr4Bn8Wd5Yc3", vec![("begins Zq7Xv then many words and 9Lm2", "goes Tr4Bn then more of 8Wd5Y")]),
            ("Zq7Xv9Lm2Tr4Bn8Wd5Yc3", vec![("begins Zq7Xv9L", "goes m2Tr4Bn")]),
            ("Hx8rT2pLq9ZwMv4k", vec![("first Hx8rT2p", "then Lq9ZwMv")]),
            ("Hx8rT2pLq9Zw", vec![("first Hx8rT", "then Lq9Zw")]),
            ("Hx8rT2pLq9Zw", vec![("first Hx8rT then Lq9Zw", "")]),
            // Several failures of a run.
            ("Zq7Xv9Lm2Tr4Bn8Wd5Yc3", vec![("it is Zq7Xv9L", ""), ("it is m2Tr4Bn", ""), ("it is 8Wd5Yc3", "")]),
            ("Zq7Xv9Lm2Tr4Bn8Wd5Yc3", vec![("", "it is Zq7Xv9L"), ("it is m2Tr4Bn", ""), ("", "it is 8Wd5Yc3")]),
            ("Hx8rT2pLq9Zw", vec![("first Hx8rT", ""), ("then Lq9Zw", "")]),
        ] {
            let redactor = knowing(&[secret, secret]);
            let texts: Vec<String> = tellings.iter().map(|(said, advice)| told(&redactor, said, advice)).collect();
            assert!(letters_shown(secret, &texts) * 2 < secret.len(), "{secret}: {texts:?}");
        }
        // A long one, a piece in each of hundreds of failures, in any order.
        let mut random = fastrand::Rng::with_seed(7);
        let long: String =
            (0..300).map(|at| if at % 3 == 0 { random.digit(10) } else { random.alphabetic() }).collect();
        let redactor = knowing(&[&long]);
        let texts: Vec<String> =
            (0..294).map(|at| told(&redactor, &format!("it is {} here", &long[at..at + 6]), "")).collect();
        assert!(letters_shown(&long, &texts) * 2 < long.len(), "{}", letters_shown(&long, &texts));
    }

    #[test]
    fn what_is_said_again_is_shown_again_and_other_keys_are_not_touched() {
        let redactor = knowing(&["Zq7Xv9Lm2Tr4Bn8Wd5Yc3", "Hx8rT2pLq9ZwMv4k"]);
        let first = told(&redactor, "your key Zq7Xv is wrong", "");
        assert_eq!(first, "x: your key Zq7Xv is wrong");
        assert_eq!(told(&redactor, "the key Zq7Xv9Lm2Tr4Bn8Wd5Yc3 is wrong", ""), "x: the key *** is wrong");
        // Each time the same: nothing is added to what was shown.
        for _ in 0..500 {
            assert_eq!(told(&redactor, "your key Zq7Xv is wrong", ""), first);
        }
        assert_eq!(told(&redactor, "your key Hx8rT is wrong", ""), "x: your key Hx8rT is wrong");
        assert_eq!(told(&redactor, "9Lm2Tr4B is wrong", ""), "x: *** is wrong");
        assert_eq!(told(&redactor, "it is 9Lm2T here", ""), "x: it is 9Lm2T here");
        assert_eq!(told(&redactor, "it is 8Wd5Yc3 here", ""), "x: it is *** here");
    }
}
