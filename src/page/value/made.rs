//! What a text was made of: which parts of it are cut out of which text of the answer, and what their author has written to find
//! them.

use std::ops::Range;
use std::rc::Rc;

use super::Text;

/// A text that is put together from more pieces than this is no number.
const MOST_PIECES: usize = 256;
/// So many places that an author has named are kept, of which the last ones count.
const MOST_NAMED: usize = 16;

/// What a text was made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    pub(super) spans: Vec<Span>,
    pub(super) named: Vec<Named>,
}

/// A part of a text.
#[derive(Clone, Debug)]
pub(super) struct Span {
    /// How long it is, in bytes.
    pub(super) length: usize,
    /// The text of the answer that it is cut out of, and where it begins there; none if the page's author wrote it.
    pub(super) root: Option<(Rc<Text>, usize)>,
}

/// A place in a text of the answer of which the page's author knows what stands there.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) root: Rc<Text>,
    pub(super) range: Range<usize>,
    /// What the author wrote, in small letters.
    pub(super) written: Rc<str>,
    pub(super) how: How,
}

/// How an author has named what stands beside a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::page) enum How {
    /// The pattern that has found the piece runs over it.
    Matched,
    /// It is what was left out: it parts the pieces, or was taken away.
    LeftOut,
    /// It is taken out together with the piece.
    Taken,
}

/// What an author has named in a text: where, and in which words.
#[derive(Clone)]
pub(in crate::page) struct Name {
    pub(in crate::page) range: Range<usize>,
    pub(in crate::page) written: Rc<str>,
    pub(in crate::page) how: How,
}

impl Made {
    /// All of one text.
    pub(super) fn whole(text: &Rc<Text>) -> Made {
        match &text.made {
            Some(made) => Made::clone(made),
            None => {
                let root = text.is_foreign().then(|| (Rc::clone(text), 0));
                Made { spans: vec![Span { length: text.text.len(), root }], named: Vec::new() }
            }
        }
    }

    /// A part of a text, of which an author has named other parts.
    pub(super) fn cut(text: &Rc<Text>, range: &Range<usize>, names: &[Name]) -> Made {
        let all = Made::whole(text);
        let mut cut = Made { spans: all.within(range), named: all.named.clone() };
        for name in names {
            let places = all.within(&name.range).into_iter().filter_map(|span| {
                let (root, start) = span.root?;
                let range = start..start + span.length;
                Some(Named { root, range, written: Rc::clone(&name.written), how: name.how })
            });
            cut.named.extend(places.take(MOST_NAMED));
        }
        cut.forget();
        cut
    }

    /// The parts of a range.
    fn within(&self, range: &Range<usize>) -> Vec<Span> {
        let mut at = 0;
        let mut found = Vec::new();
        for span in &self.spans {
            let (from, to) = (range.start.max(at), range.end.min(at + span.length));
            if from < to {
                let root = span.root.as_ref().map(|(root, start)| (Rc::clone(root), start + from - at));
                found.push(Span { length: to - from, root });
            }
            at += span.length;
        }
        found
    }

    fn forget(&mut self) {
        let old = self.named.len().saturating_sub(MOST_NAMED);
        self.named.drain(..old);
    }

    /// Appends another one; false if there are too many pieces.
    pub(super) fn append(&mut self, other: Made) -> bool {
        for span in other.spans {
            let follows = |last: &Span| match (&last.root, &span.root) {
                (None, None) => true,
                (Some((one, at)), Some((other, start))) => Rc::ptr_eq(one, other) && at + last.length == *start,
                _ => false,
            };
            match self.spans.last_mut() {
                Some(last) if follows(last) => last.length += span.length,
                _ => self.spans.push(span),
            }
        }
        self.named.extend(other.named);
        self.forget();
        self.spans.len() <= MOST_PIECES
    }

    /// Bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        2 * (self.spans.len() * size_of::<Span>() + self.named.len() * size_of::<Named>())
    }
}

/// What of a pattern must stand for itself, in small letters: not what it only leaves out or what may be missing, nor what
/// groups it.
pub(in crate::page) fn literal(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let (mut groups, mut last, mut is_in_class) = (Vec::new(), 0, false);
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        let before = out.len();
        match c {
            '\\' => {
                out.extend(rest.next().filter(|c| !c.is_ascii_alphanumeric()));
                last = if is_in_class { last } else { before };
            }
            // In a class a dash between two characters is a range, and stands for none.
            '-' if is_in_class && !out[last..].is_empty() && rest.peek() != Some(&']') => {}
            ']' if is_in_class => is_in_class = false,
            c if is_in_class => out.push(c),
            '[' if rest.peek() == Some(&'^') => {
                last = before;
                while rest.next().is_some_and(|c| c != ']') {}
            }
            '[' => (is_in_class, last) = (true, before),
            '(' => {
                let mut is_taken = true;
                if rest.peek() == Some(&'?') {
                    // What the group is called, or its flags.
                    let is_named = rest.clone().nth(1).is_some_and(|c| matches!(c, 'P' | '<'));
                    let ends: &[char] = if is_named { &['>'] } else { &[':', ')'] };
                    while rest.next().is_some_and(|c| !ends.contains(&c)) {}
                    is_taken = is_named;
                }
                groups.push((before, is_taken));
            }
            ')' => {
                let (start, is_taken) = groups.pop().unwrap_or((before, false));
                last = start;
                // What a group takes out stands not beside it.
                if is_taken {
                    out.truncate(start);
                }
            }
            '?' | '*' => out.truncate(last),
            '{' => {
                let count: String = rest.by_ref().take_while(|c| *c != '}').collect();
                if count.starts_with('0') {
                    out.truncate(last);
                }
            }
            '+' | '^' | '$' | '.' => last = before,
            c => {
                out.push(c);
                last = before;
            }
        }
    }
    out.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_names_is_what_must_stand_there() {
        for (pattern, want) in [
            ("Balance: (?<v>[0-9.]+) USD", "balance:  usd"),
            ("Balance:\\D*(?P<v>\\d+)", "balance:"),
            ("Balance - (?<v>[0-9]+)", "balance - "),
            ("-?(?<v>[0-9]+)k?", ""),
            ("(?:debt )?(?<v>[0-9]+)", ""),
            ("(?:debt )+(?<v>\\d+)", "debt "),
            ("[^-]*(?<v>\\d+)", ""),
            ("\\((?<v>\\d+)\\)", "()"),
            ("[-\u{2013}] (?<v>\\d+)", "-\u{2013} "),
            ("\\w+ [-+]* x{0,2}y{2}", "  y"),
        ] {
            assert_eq!(literal(pattern), want, "{pattern}");
        }
    }
}
