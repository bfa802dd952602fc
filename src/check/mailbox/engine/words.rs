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
}

/// The number of a text, by FNV-1a.
fn number_of_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The number of a sign: of its mark and its words.
pub fn number(mark: &str, words: &[Word]) -> u64 {
    let join = |hash: u64, word: &Word| (hash.rotate_left(5) ^ word.number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash = words.iter().fold(number_of_text(mark), join);
    hash ^ (hash >> 32)
}
