//! How one run of ASCII letters and digits reads: as a word, a number, the name of a version, or as what a machine has made.

use std::ops::Range;

/// Fewer characters than this are no token by themselves.
const SHORTEST: usize = 8;
/// Letters of one case that nobody can speak are a token from so many on.
const UNSPOKEN: usize = 12;
/// Hexadecimal digits, letters among them, are a token from so many on, even if the letters read as words.
const LONG_HEX: usize = 12;
/// More digits in a row than this are no amount, no code and no date.
const MOST_DIGITS: usize = 9;
/// Digits that may stand beside words: a date has eight.
const MOST_BESIDE_WORDS: usize = 8;

/// The longest stretches of bytes of one kind.
pub(super) fn stretches(text: &[u8], is_part: impl Fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text.get(at..)?.iter().position(|byte| is_part(*byte))?;
        at = text[start..].iter().position(|byte| !is_part(*byte)).map_or(text.len(), |length| start + length);
        Some(start..at)
    })
}

/// Whether a run is one that a machine made: long, and neither a word, nor a number, nor both of them in order.
pub(super) fn is_token(run: &[u8]) -> bool {
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    match digits {
        _ if run.len() < SHORTEST => false,
        0 => !is_word(run) && (run.len() >= UNSPOKEN || parts(run).count() >= 4),
        _ if digits == run.len() => digits > MOST_DIGITS,
        _ if run.len() >= LONG_HEX && run.iter().all(u8::is_ascii_hexdigit) => true,
        _ => !is_marked_word(run) && !is_time(run) && is_mixed(run),
    }
}

/// Whether a run is no word and no number. Short ones are only odd if they stand in a row with others.
pub(super) fn is_odd(run: &[u8]) -> bool {
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = run.len() - digits;
    // `v3`, `72b` and `4o` are names of versions and sizes.
    let is_version = changes(run) == 1 && digits <= 4 && letters <= 2;
    match digits {
        0 => !is_word(run),
        _ if letters == 0 => false,
        _ => !is_version && !is_marked_word(run) && !is_time(run),
    }
}

/// Whether letters read as a word, or as several words with capitals between them: `InvalidAccessKeyId`.
pub(super) fn is_word(letters: &[u8]) -> bool {
    let count = parts(letters).count();
    let is_readable = |part: &[u8]| match part.iter().all(u8::is_ascii_uppercase) {
        true => part.len() <= if count > 1 { 5 } else { 3 } || reads(part),
        false => part.len() == 1 || reads(part),
    };
    !letters.is_empty()
        && letters.iter().all(u8::is_ascii_alphabetic)
        && letters.len() >= [1, 5].get(count - 1).copied().unwrap_or(3 * count)
        && parts(letters).all(is_readable)
}

/// Whether letters and digits stand in turns, as nobody writes them.
fn is_mixed(run: &[u8]) -> bool {
    let changes = changes(run);
    changes >= 3 || humps(run) >= 2 || (run.len() >= 10 && changes >= 2) || run.len() >= 16
}

/// How often a capital follows a small letter.
pub(super) fn humps(run: &[u8]) -> usize {
    run.windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).count()
}

/// How often letters follow digits, or digits letters.
fn changes(run: &[u8]) -> usize {
    run.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count()
}

/// Words with a few digits at them: `OAuth2Error`, `api03`, `SHA256withRSA`.
fn is_marked_word(run: &[u8]) -> bool {
    let words: Vec<&[u8]> = run.split(u8::is_ascii_digit).filter(|word| !word.is_empty()).collect();
    let digits = run.len() - words.iter().map(|word| word.len()).sum::<usize>();
    digits <= MOST_BESIDE_WORDS
        && words.len() <= 2
        && words.iter().any(|word| word.len() >= 3)
        && words.iter().all(|word| word.len() <= 2 || (is_word(word) && !is_long_caps(word)))
}

/// Letters of base32, which with a digit among them are no word even if they can be spoken.
fn is_long_caps(word: &[u8]) -> bool {
    word.len() >= SHORTEST && word.iter().all(u8::is_ascii_uppercase)
}

/// `20261130T171828Z`, or a span such as `1h30m15s`.
fn is_time(run: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let date = run.strip_suffix(b"Z").unwrap_or(run);
    if let [day @ .., b'T', _, _, _, _, _, _] = date {
        return day.len() == 8 && digits(day) && digits(&date[9..]);
    }
    let units = run.split(u8::is_ascii_digit).filter(|unit| !unit.is_empty());
    let is_unit = |unit: &[u8]| [&b"d"[..], b"h", b"m", b"s", b"ms", b"us", b"ns"].contains(&unit);
    run.first().is_some_and(u8::is_ascii_digit) && units.into_iter().all(is_unit)
}

/// The words in a run of letters: a capital begins one, and the last of several capitals too if small letters follow.
fn parts(letters: &[u8]) -> impl Iterator<Item = &[u8]> {
    let begins = |at: usize| {
        let is_upper = |at: usize| letters.get(at).is_some_and(u8::is_ascii_uppercase);
        let is_lower = |at: usize| letters.get(at).is_some_and(u8::is_ascii_lowercase);
        is_upper(at) && (is_lower(at - 1) || (is_upper(at - 1) && is_lower(at + 1)))
    };
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = letters.get(start..).filter(|rest| !rest.is_empty())?;
        let end = (start + 1..letters.len()).find(|at| begins(*at)).unwrap_or(letters.len());
        start = end;
        Some(&rest[..rest.len() - (letters.len() - end)])
    })
}

fn is_vowel(byte: &u8) -> bool {
    b"aeiouy".contains(&byte.to_ascii_lowercase())
}

fn vowels(letters: &[u8]) -> usize {
    letters.iter().filter(|byte| is_vowel(byte)).count()
}

/// Whether letters can be spoken, as those of a word can.
pub(super) fn is_spoken(letters: &[u8]) -> bool {
    let most = letters.split(is_vowel).map(<[u8]>::len).max().unwrap_or_default();
    most <= 4 && vowels(letters) * 5 >= letters.len()
}

/// Letters of a stretch of which it can be told that it was drawn at random.
const LEAST_DRAWN: usize = 14;
/// Which letters follow each letter of the alphabet in words of some European languages, more often than by chance.
const FOLLOWERS: [&str; 26] = [
    "abcdefghijklmnoprstuvwxyz",
    "abcdegijlmorstuy",
    "acdefghiklmoprstuvy",
    "abcdefghijlmnoprstuwy",
    "abcdefghijklmnopqrstuvwxyz",
    "acdefgilmoprstuy",
    "abceghilmnoprstu",
    "adeilmnorstuwy",
    "abcdefghijklmnoprstuvxyz",
    "acdeiopsu",
    "adehiklmnorstuy",
    "abcdefgiklmnoprstuvy",
    "abcdegiklmopstuy",
    "abcdefghijklmnoprstuvwyz",
    "abcdefghijklmnoprstuvwxyz",
    "acdefghilmnoprstuwy",
    "tu",
    "abcdefghiklmnoprstuvwy",
    "abcdefghiklmnopqrstuvwyz",
    "abcdefghiklmnoprstuwxyz",
    "abcdefgiklmnoprstvxz",
    "aceimos",
    "acehilnors",
    "acdeimpt",
    "acegilmnoprstu",
    "aehiouz",
];
/// So many pairs of letters that no word has are put up with: two words may meet, and a name may have one.
const MOST_UNUSUAL: usize = 1;

/// Whether letters follow each other as they do in words: many letters that were drawn at random can be spoken, but not these.
pub(super) fn is_spelt(letters: &[u8]) -> bool {
    // No word has ten letters of the first six.
    let is_hexadecimal = letters.iter().all(u8::is_ascii_hexdigit);
    unusual_pairs(letters) <= MOST_UNUSUAL && !is_hexadecimal
}

/// Whether a stretch of letters is so long, and so many pairs in it are no word's, that all of it was drawn at random.
pub(super) fn is_drawn(letters: &[u8]) -> bool {
    letters.len() >= LEAST_DRAWN && unusual_pairs(letters) * 5 >= letters.len()
}

/// Letters that follow each other as they do in no word.
fn unusual_pairs(letters: &[u8]) -> usize {
    let small = || letters.iter().map(u8::to_ascii_lowercase);
    let is_usual = |(one, next): (u8, u8)| {
        let row = usize::from(one.wrapping_sub(b'a'));
        FOLLOWERS.get(row).is_some_and(|followers| followers.as_bytes().contains(&next))
    };
    small().zip(small().skip(1)).filter(|pair| !is_usual(*pair)).count()
}

/// Whether letters of one word can be spoken. Short ones are taken for words with fewer vowels.
fn reads(letters: &[u8]) -> bool {
    let vowels = vowels(letters);
    match letters.len() {
        0..=3 => true,
        4..UNSPOKEN => vowels > 0 && vowels * 8 >= letters.len() && longest_cluster(letters) <= 5,
        _ => is_spoken(letters) || (vowels * 5 >= letters.len() && longest_cluster(letters) <= 4),
    }
}

/// The most consonants in a row, as they sound: `h` after another one and double ones do not count.
fn longest_cluster(letters: &[u8]) -> usize {
    let (mut longest, mut length, mut before) = (0, 0, 0);
    for letter in letters.iter().map(u8::to_ascii_lowercase) {
        length = match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' | b'y' => 0,
            b'h' if length > 0 => length,
            letter if letter == before => length,
            _ => length + 1,
        };
        longest = longest.max(length);
        before = letter;
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_and_versions_are_no_tokens() {
        for run in [
            "insufficient",
            "UNAUTHORIZED",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "OAuth2Error",
            "SHA256withRSA",
            "x86",
            "123456789",
            "20241022",
            "20261130T171828Z",
            "1h30m15s",
            "cl100k",
            "A22B",
            "strengths",
            "28P01",
            "Rechtsschutzversicherung",
            "HTTPSConnectionPool",
            "gpt4turbo",
            "greyJoyJoyJoyJoy",
            "3f2c1a9",
        ] {
            assert!(!is_token(run.as_bytes()), "{run}");
        }
        for run in [
            "Zq7Rt9XvLm",
            "9f86d081884c",
            "aBcDeFgHiJkL",
            "MNZSAZLOMRXXI2LT",
            "13812345678",
            "xkqzvwptnmbc",
            "dGhpcyBpcyBhIHNlY3JldA",
            "wJalrXUtnFEMI",
            "DE89370400440532013000",
            "5Kq8WmZxVn",
        ] {
            assert!(is_token(run.as_bytes()), "{run}");
        }
        for (run, want) in
            [("MNZS", true), ("c2st", true), ("dkxt", true), ("v3", false), ("72b", false), ("USD", false)]
        {
            assert_eq!(is_odd(run.as_bytes()), want, "{run}");
        }
    }
}
