//! One text that is read in all the ways in which a secret can stand in it.

use std::ops::Range;

use super::decodings::Layer;
use super::outgoing::TOKEN;
use super::scattered_pieces::Piece;
use super::search::Deep;
use super::{DEEPEST, GAP, MASK, MOST_BYTES, MOST_LOOKED_AT, MOST_READ, tokens};
use crate::model::text;

/// So much of the words of a peer as is looked at.
pub(super) fn looked_at(said: &str) -> (String, usize) {
    let mut seen = String::new();
    let mut is_gap = false;
    let mut count = 0;
    for c in said.chars().filter(|c| !text::is_invisible(*c)) {
        // Several blanks count as one. A line break may stand inside a secret that was wrapped.
        if !(c.is_whitespace() && is_gap) {
            seen.push(c);
            count += 1;
        }
        is_gap = c.is_whitespace();
        if count >= MOST_LOOKED_AT || seen.len() >= MOST_BYTES {
            break;
        }
    }
    let is_cut = count >= MOST_LOOKED_AT || seen.len() >= MOST_BYTES;
    // Where there was more, the end is not kept, so that no half of a secret stands there.
    let kept = if is_cut { seen.len() / 4 * 3 } else { seen.len() };
    (seen, kept)
}

/// A text, and whose words it is.
#[derive(Clone, Copy)]
pub(super) struct Said<'t> {
    pub(super) text: &'t str,
    /// The number of bytes of it that are shown.
    pub(super) kept: usize,
    pub(super) origin: Origin,
}

/// What was found in a text.
pub(super) struct Read {
    /// What is covered, and with which sign.
    pub(super) found: Vec<(Range<usize>, &'static str)>,
    /// Pieces of secrets, which are covered if they tell too much.
    pub(super) pieces: Vec<Piece>,
}

impl<'t> Said<'t> {
    pub(super) fn whole(text: &'t str, origin: Origin) -> Self {
        Said { text, kept: text.len(), origin }
    }

    pub(super) fn of_peer((text, kept): &'t (String, usize)) -> Self {
        Said { text, kept: *kept, origin: Origin::Peer }
    }

    /// What is found in it; none if there is too much to read.
    pub(super) fn read(self, deep: &Deep) -> Option<Read> {
        let Said { text, origin, .. } = self;
        let mut reading = Reading { deep, is_foreign: origin != Origin::Program, left: MOST_READ, found: Vec::new() };
        let layers = if text.is_empty() { Vec::new() } else { Layer::seen_in(text) };
        let is_read = deep.is_empty()
            || origin == Origin::Host
            || layers.iter().all(|layer| reading.explore(layer, DEEPEST) && reading.explore_rare(layer));
        if !is_read {
            return None;
        }
        let mut pieces = Vec::new();
        if origin != Origin::Program {
            // Beside the text itself only what is escaped in it: pieces that are encoded apart are not put together.
            let unescaped = layers.iter().flat_map(Layer::unescaped);
            layers.iter().cloned().chain(unescaped).for_each(|layer| pieces.extend(deep.pieces(&layer)));
        }
        let mut found: Vec<(Range<usize>, &'static str)> =
            reading.found.into_iter().map(|range| (range, MASK)).collect();
        let made = TOKEN.iter().filter(|_| text.contains("eyJ")).flat_map(|token| token.find_iter(text));
        found.extend(made.map(|made| (made.range(), MASK)));
        if origin == Origin::Peer {
            found.extend(tokens::find(text, layers).into_iter().map(|range| (range, GAP)));
        }
        Some(Read { found, pieces })
    }
}

/// Whose words a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A service's or a server's own, of which only what reads like a sentence is shown.
    Peer,
    /// What came from outside and is no sentence.
    Entry,
    /// The name of a host that [`Redactor::is_telling_host`](super::Redactor::is_telling_host) has read: only pieces are looked for.
    Host,
    /// This program's, in which the words of others may stand.
    Program,
}

/// One text that is read in all ways.
struct Reading<'s> {
    deep: &'s Deep,
    is_foreign: bool,
    left: usize,
    found: Vec<Range<usize>>,
}

impl Reading<'_> {
    /// Searches a reading.
    fn search(&mut self, layer: &Layer) {
        self.deep.strong(&layer.squeezed(), &mut self.found);
        self.deep.weak(layer, self.is_foreign, &mut self.found);
        if self.is_foreign {
            self.deep.runs(layer, &mut self.found);
            self.deep.grouped(layer, &mut self.found);
        }
    }

    /// Searches a reading, and all that can be made of it. False if that is too much.
    fn explore(&mut self, layer: &Layer, depth: u32) -> bool {
        if !self.look_at(layer) {
            return false;
        }
        self.search(&layer.clone().reversed());
        if depth == 0 || layer.bytes.len() < 2 {
            return true;
        }
        let unescaped = layer.unescaped();
        // The first one has all escapes taken off.
        unescaped.iter().all(|layer| self.explore(layer, depth - 1))
            && (depth < DEEPEST || unescaped.first().is_none_or(|layer| self.explore_rare(layer)))
            && (0..4).all(|skipped| self.explore(&layer.base64(skipped), (depth - 1).min(2)))
            && (0..2).all(|skipped| self.explore(&layer.hexadecimal(skipped), (depth - 1).min(2)))
            && (!layer.is_guess
                || depth != 2
                || (self.explore(&layer.base32(0), 0) && self.explore(&layer.numbers(10), 0)))
    }

    /// Searches what is seldom met, in the text itself and in what was escaped in it. False if that is too much.
    fn explore_rare(&mut self, layer: &Layer) -> bool {
        if !self.is_foreign {
            // This program quotes others in its messages, but does not encode what it quotes.
            return self.explore(&layer.base32(0), 0) && self.explore(&layer.numbers(10), 0);
        }
        self.search(&layer.clone().rotated());
        self.explore(&layer.base32(0), 1)
            && self.explore(&layer.numbers(10), 0)
            && (1..8).all(|skipped| self.look_at(&layer.base32(skipped)))
            && (0..4).all(|skipped| self.look_at(&layer.divided_base64(skipped)))
            && [8, 16].iter().all(|radix| self.look_at(&layer.numbers(*radix)))
            && (!layer.has_bits() || self.look_at(&layer.numbers(2)))
    }

    /// Searches a reading as it stands. False if that is too much.
    fn look_at(&mut self, layer: &Layer) -> bool {
        let left = self.left.checked_sub(layer.bytes.len());
        if left.is_some() {
            self.search(layer);
        }
        self.left = left.unwrap_or_default();
        left.is_some()
    }
}
