//! Short pieces of one secret that stand apart in a text: each alone tells little, but together they give half of the secret
//! away.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ops::Range;

use super::looks::humps;
use super::runs::{Mix, last, moved, public};

/// Letters and digits of the shortest piece that counts.
const PIECE: usize = 5;
/// In a piece so many of them belong to no word.
const OWN: usize = 2;
/// Of shorter secrets, half is found as one run. Longer ones do not stand in pieces in one message.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=128;

/// Finds pieces of secrets.
#[derive(Clone, Default)]
pub(super) struct Scattered {
    /// For each piece, in small letters, the last of the places that have it.
    last: HashMap<u64, usize, BuildHasherDefault<Mix>>,
    places: Vec<Place>,
    /// For each secret, how many letters and digits it has.
    lengths: Vec<usize>,
}

/// Where a piece stands in a secret.
#[derive(Clone)]
struct Place {
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
        let owner = self.lengths.len();
        self.lengths.push(letters.len());
        for (at, piece) in letters.windows(PIECE).enumerate() {
            if piece.iter().filter(|(_, is_public)| !is_public).count() >= OWN {
                let window = piece.iter().fold(0, |window, (byte, _)| moved(window, *byte));
                let before = self.last.insert(window, self.places.len());
                self.places.push(Place { owner, at, before });
            }
        }
    }

    /// The pieces in a text of letters and digits alone, if those of one secret make up half of it.
    pub(super) fn find(&self, within: &[u8], mut tell: impl FnMut(Range<usize>)) {
        let mut found: HashMap<usize, Vec<(usize, Range<usize>)>> = HashMap::new();
        let mut window = 0;
        for (end, byte) in (1..).zip(within) {
            window = moved(window, *byte);
            let mut place = if end < PIECE { None } else { self.last.get(&last(window, PIECE)).copied() };
            while let Some(Place { owner, at, before }) = place.and_then(|place| self.places.get(place)) {
                found.entry(*owner).or_default().push((*at, end - PIECE..end));
                place = *before;
            }
        }
        for (owner, pieces) in found {
            let runs = runs(&pieces);
            let telling = runs.into_iter().filter(|(_, run)| is_telling(&within[run.clone()]));
            let telling: Vec<(usize, Range<usize>)> = telling.collect();
            let mut is_shown = vec![false; self.lengths[owner]];
            telling.iter().for_each(|(at, run)| is_shown[*at..at + run.len()].fill(true));
            if is_shown.iter().filter(|is_shown| **is_shown).count() * 2 >= is_shown.len() {
                telling.into_iter().for_each(|(_, run)| tell(run));
            }
        }
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
