//! Numbers by which a state, a tax office or a bank knows a person, by how they are written.

use std::ops::Range;

/// How they are written: `9` stands for a digit, `A` for a capital, and all else for itself.
const SHAPES: [&str; 19] = [
    // United States: social security.
    "999-99-9999",
    // Brazil: persons and companies.
    "999.999.999-99",
    "99.999.999/9999-99",
    // Canada: social insurance.
    "999-999-999",
    // United Kingdom: national insurance.
    "AA 99 99 99 A",
    "AA999999A",
    // Spain: citizens and residents.
    "99999999A",
    "99999999-A",
    "A9999999A",
    // France: social security.
    "9 99 99 99 999 999",
    "9 99 99 99 999 999 99",
    // India: tax.
    "AAAAA9999A",
    // Korea, the Nordic countries, Czechia and Slovakia.
    "999999-9999999",
    "999999-9999",
    "999999+9999",
    "999999/9999",
    // Cards in fours: nothing else is written so, whatever its last digit is.
    "9999.9999.9999.9999",
    "9999/9999/9999/9999",
    "9999_9999_9999_9999",
];
/// How one is written beside its name, and otherwise other numbers too.
const NAMED: [&str; 2] = ["999 99 9999", "999999999"];
/// These names, and how far before the number they stand, in bytes.
const NAMES: [&str; 7] = ["ssn", "social security", "tax id", "tin", "sin", "passport", "national id"];
const NEAR: usize = 24;

/// Tells the places of all such numbers.
pub(super) fn find(text: &[u8], mut tell: impl FnMut(Range<usize>)) {
    let begins = |at: usize| text[at].is_ascii_alphanumeric() && is_edge(text[..at].iter().rev());
    for start in (0..text.len()).filter(|at| begins(*at)) {
        let is_named = || {
            let before = String::from_utf8_lossy(&text[start.saturating_sub(NEAR)..start]).to_ascii_lowercase();
            let has_word = |name: &str| before.split(|c: char| !c.is_alphanumeric()).any(|word| word == name);
            NAMES.iter().any(|name| if name.len() > 3 { before.contains(name) } else { has_word(name) })
        };
        let shapes = SHAPES.iter().filter(|shape| has_shape(&text[start..], shape));
        let named = NAMED.iter().filter(|shape| has_shape(&text[start..], shape) && is_named());
        if let Some(length) = shapes.chain(named).map(|shape| shape.len()).max() {
            tell(start..start + length);
        }
    }
}

/// Whether a text begins with a shape and goes on with something else.
fn has_shape(text: &[u8], shape: &str) -> bool {
    let is_like = |(byte, sign): (&u8, u8)| match sign {
        b'9' => byte.is_ascii_digit(),
        b'A' => byte.is_ascii_uppercase(),
        sign => *byte == sign,
    };
    text.len() >= shape.len() && text.iter().zip(shape.bytes()).all(is_like) && is_edge(text[shape.len()..].iter())
}

/// Whether nothing that belongs to a number or a name stands next: no letter or digit, and none behind a sign that joins.
fn is_edge<'t>(mut next: impl Iterator<Item = &'t u8>) -> bool {
    match next.next() {
        None => true,
        Some(byte) if byte.is_ascii_alphanumeric() => false,
        Some(byte) if b"-._/+".contains(byte) => !next.next().is_some_and(u8::is_ascii_alphanumeric),
        Some(_) => true,
    }
}
