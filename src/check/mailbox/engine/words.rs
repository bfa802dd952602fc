//! Words and signs by numbers, so that no text is put together to look for one.

/// A word with the number that stands for it.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    /// As it is written.
    pub text: &'a str,
    number: u64,
}

impl<'a> Word<'a> {
    pub(super) fn new(text: &'a str) -> Word<'a> {
        Word { text, number: number_of_text(text) }
    }

    /// Whether it is one of the words that have these numbers.
    pub(super) fn is_one_of(&self, numbers: &[u64]) -> bool {
        numbers.contains(&self.number)
    }
}

/// What parts a sign from others that have the same words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Words in a row.
    Row,
    /// Words in a row of the subject.
    SubjectRow,
    /// A family.
    Family,
    /// A family in the subject.
    SubjectFamily,
    /// Two families in one sentence.
    Pair,
    /// Three families in one sentence.
    Three,
    /// A word before a family.
    Before,
    /// A word behind a family.
    Behind,
    /// How the mail was sent.
    Sent,
}

/// How many marks there are.
const MARKS: usize = 9;
/// All marks, in their order.
const ALL: [Mark; MARKS] = [
    Mark::Row,
    Mark::SubjectRow,
    Mark::Family,
    Mark::SubjectFamily,
    Mark::Pair,
    Mark::Three,
    Mark::Before,
    Mark::Behind,
    Mark::Sent,
];
/// Their numbers.
const NUMBERS: [u64; MARKS] = {
    let mut numbers = [0; MARKS];
    let mut at = 0;
    while at < MARKS {
        numbers[at] = number_of_text(ALL[at].text());
        at += 1;
    }
    numbers
};

impl Mark {
    /// As the list of weights for people has it.
    pub const fn text(self) -> &'static str {
        match self {
            Mark::Row => "w:",
            Mark::SubjectRow => "s:",
            Mark::Family => "f:",
            Mark::SubjectFamily => "sf:",
            Mark::Pair => "p:",
            Mark::Three => "t:",
            Mark::Before => "l:",
            Mark::Behind => "r:",
            Mark::Sent => "h:",
        }
    }
}

/// The number of a text, by FNV-1a.
pub(super) const fn number_of_text(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

/// The number of a sign: of its mark and its words.
pub fn number(mark: Mark, words: &[Word]) -> u64 {
    let mut hash = NUMBERS[mark as usize];
    for word in words {
        hash = (hash.rotate_left(5) ^ word.number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_has_a_number_of_its_own() {
        for (at, mark) in ALL.into_iter().enumerate() {
            assert_eq!(mark as usize, at, "{mark:?}");
            assert!(!NUMBERS[..at].contains(&NUMBERS[at]), "{mark:?}");
        }
    }
}
