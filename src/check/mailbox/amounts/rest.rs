//! What stands right behind an amount and may belong to it: a scale that no list of words for amounts knows, or its smaller part.
//!
//! `12,5 Mio. EUR` is not 12.50 EUR, and `12元5角` not 12 CNY. Where something like that follows, no amount is told.

use super::super::phrases::is_latin;
use crate::model::amount;

/// What parts words in one cell.
const BLANKS: [char; 2] = [' ', '\u{A0}'];

/// Words for scales that mean something else in an answer of a service: `5 l` are litres there, and `1.2k` is multiplied.
const ONLY_IN_MAILS: [&str; 4] = ["k", "l", "tis", "mm"];
/// Signs for the smaller parts of currencies.
const PART_SIGNS: [char; 5] = ['¢', '角', '分', '毛', '銭'];
/// Words between an amount and its smaller part.
const AND: [&str; 9] = ["and", "und", "et", "con", "y", "e", "i", "и", "&"];
/// Most digits of a smaller part.
const MOST_DIGITS: usize = 2;

/// Whether what stands behind a number, and behind the words that belong to it, may be a scale or a smaller part of it, or
/// the rest of a number that was broken on its way. `has_words` says that words stand between the two.
pub(super) fn goes_on(behind: &str, has_words: bool) -> bool {
    let Some(first) = behind.chars().next() else {
        return false;
    };
    // `1&nbsp;234` and `12=20` are what a program has made of something else.
    if "=&^~\\\u{FFFD}$€£¥₹".contains(first) || (has_words && first.is_ascii_digit()) {
        return true;
    }
    let bare = behind.trim_start_matches(BLANKS);
    let is_apart = bare.len() < behind.len();
    if is_fraction(bare) || is_range(behind, bare) {
        return true;
    }
    let word = first_word(bare);
    if is_scale(word) && (!is_apart || !is_another_use(word, &bare[word.len()..])) {
        return true;
    }
    is_part(bare, has_words)
}

/// Whether a part of one follows: `5 ½`, `5 1/2`.
fn is_fraction(bare: &str) -> bool {
    let is_sign = bare.starts_with(|c: char| c.is_numeric() && !c.is_ascii_digit());
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let above = digits(bare);
    let Some(below) = bare[above..].strip_prefix('/').filter(|_| (1..=2).contains(&above)) else {
        return is_sign;
    };
    let length = digits(below);
    let (above, below): (u32, u32) = (bare[..above].parse().unwrap_or(0), below[..length].parse().unwrap_or(0));
    is_sign || (above < below && [2, 3, 4, 5, 6, 8, 10, 16].contains(&below))
}

/// Whether another end of a range follows, or a minus as bookkeepers write it: `$5-6`, `$5 … $6`, `5.00-`.
fn is_range(behind: &str, bare: &str) -> bool {
    const DASHES: [char; 8] = ['-', '\u{2010}', '\u{2011}', '\u{2212}', '–', '—', '~', '～'];
    let is_amount = |text: &str| {
        let text = text.trim_start_matches(BLANKS);
        text.trim_start_matches(['$', '€', '£', '¥', '₹']).starts_with(|c: char| c.is_ascii_digit())
    };
    let is_dashed = behind.strip_prefix(DASHES).is_some_and(|next| !next.starts_with(char::is_alphabetic));
    let dots = bare.strip_prefix('…').or_else(|| bare.strip_prefix("..."));
    is_dashed || dots.is_some_and(is_amount)
}

/// Whether a word makes another number of the one before it, or is a smaller part of a currency.
fn is_scale(word: &str) -> bool {
    let is_sign = || word.chars().count() == 1 && word.contains(amount::is_scale_sign);
    !word.is_empty()
        && (amount::is_scale_word(word) || is_sign() || ONLY_IN_MAILS.contains(&word.to_lowercase().as_str()))
}

/// The word that a text begins with; of Chinese or Korean its first character.
fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !is_latin(c) || c.is_numeric()).unwrap_or(text.len());
    let first = text.chars().next().filter(|c| *c >= '\u{2E80}').map_or(0, char::len_utf8);
    &text[..end.max(first)]
}

/// Whether a single letter behind a blank is more likely something else than a scale: `5 t` are tons, and `e` is "and".
fn is_another_use(word: &str, rest: &str) -> bool {
    word.len() == 1 && rest.starts_with(BLANKS)
}

/// Whether a smaller part follows: `12元5角`, `12 euros et 50 centimes`, `£12 50p`, `12 Euro 50.`
fn is_part(bare: &str, has_words: bool) -> bool {
    let word = first_word(bare);
    let joined = AND.contains(&word.to_lowercase().as_str()) || bare.starts_with('&');
    let rest = if joined { bare[word.len().max(1)..].trim_start_matches(BLANKS) } else { bare };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    if digits == 0 || digits > MOST_DIGITS {
        return false;
    }
    let behind = rest[digits..].trim_start_matches(BLANKS);
    if is_scale(first_word(behind)) || behind.starts_with(PART_SIGNS) {
        return true;
    }
    // `12 Euro 50.`
    let ends = behind.is_empty() || behind.starts_with(['.', '!', '。', '\n', '\t', ';']);
    has_words
        && !joined
        && digits == 2
        && ends
        && !behind[behind.len().min(1)..].starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_smaller_parts_and_broken_numbers_go_on() {
        for (behind, has_words, want) in [
            ("", false, false),
            (" left.", true, false),
            (". 5 days are left", true, false),
            (" 10 days ago", true, false),
            (" and 20 days", true, false),
            (" Mio. EUR", false, true),
            ("L.", false, true),
            ("Cr.", false, true),
            (" milhões", false, true),
            (" juta.", false, true),
            ("m.", false, true),
            (" t of paper", false, false),
            ("만원", false, true),
            ("5角3分", true, true),
            ("50.", true, true),
            (" 50ct", true, true),
            (" and 50p", false, true),
            (" et 50 centimes", true, true),
            (" con 50 céntimos", true, true),
            (" 50 öre", true, true),
            (" 50.", true, true),
            ("\t50\n", true, false),
            ("&nbsp;234.50", false, true),
            ("=ZZ345.00", false, true),
            ("\u{FFFD}234.50", false, true),
            (" ½", false, true),
            ("½ of it", false, true),
            (" 1/2", false, true),
            (" 3/4 left", true, true),
            (" 12/31", false, false),
            (" 1/2026", false, false),
            ("-6", false, true),
            ("–€6", true, true),
            (" - 6 days", true, false),
            ("-", false, true),
            ("-\n", true, true),
            ("—please top up", true, false),
            (" … $6", false, true),
            ("... 6 USD", true, true),
            ("...", true, false),
        ] {
            assert_eq!(goes_on(behind, has_words), want, "{behind:?}");
        }
    }
}
