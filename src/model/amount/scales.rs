//! Words and signs that make another number of the one before them, and that the reader of amounts does not multiply: it refuses
//! them, and no number may be cut off before one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::text::word;
use super::{Word, fold};

/// Words for thousands, millions and more, and for parts of a currency, in small letters; with `*` all that begin so.
const WORDS: &str = "\
    b bn bln bil bill* bio c ct cts crore* cr centi* centavo* céntimo* cent* d deka* dozen* eurocent* fen fils g giga* gwei grand \
    grosz* h halala* hundert hundred* jiao jt juta kilo* kopeck* kopeke* kopiyka* kurus* kuruş lac lacs lakh* m mega* mia miles micro* mila \
    mil mio mill* mili* milhã* milhar* milhõ* migliai* milia* miljard* miljoen* miljon* milj milyar* milyon* mld mlj mln mlrd mn mrd nano* ngàn nghìn \
    p paisa* paise* penc* penni* penny pfennig* ribu rb rappen s sat sats satoshi* sen sene stotin* t tausend teur tn tril* tsd tys tysi* \
    tyś* usc tūkst* thousand* trillion* triệu tỷ wei mijn bin öre øre oere hal* коп копе* млн млрд миллион* миллиард* милли* тыс тысяч* \
    мільйон* мільярд* тисяч* हज़ार हजार लाख करोड़ करोड ألف مليون مليار พัน หมื่น แสน ล้าน";

/// The beginnings of words that only look so.
const OTHERS: [&str; 8] = ["billed", "billing", "billable", "halt", "half", "hallo", "central", "millis"];

/// The same in scripts that put no blanks between words.
const SIGNS: &str = "十拾百佰千仟万萬亿億兆京厘釐毫銭錢십백천만억조전";

/// Letters before a currency that scale it: `kUSD`, `mBTC`.
const PREFIXES: [char; 8] = ['k', 'K', 'm', 'M', 'G', 'µ', 'u', 'n'];

/// Whether a sign scales the number before it.
pub(crate) fn is_scale_sign(c: char) -> bool {
    SIGNS.contains(c)
}

/// Whether a word scales the number before it, or is a part of a currency.
pub(crate) fn is_scale_word(text: &str) -> bool {
    /// The words by their first characters: most words of a text begin as none of them does, or as few.
    static BY_FIRST: LazyLock<BTreeMap<char, Vec<&str>>> = LazyLock::new(|| {
        let mut all: BTreeMap<char, Vec<&str>> = BTreeMap::new();
        for word in WORDS.split_ascii_whitespace() {
            all.entry(word.chars().next().unwrap_or_default()).or_default().push(word);
        }
        all
    });
    let low = fold(text).to_lowercase();
    let fits = |known: &&str| match known.strip_suffix('*') {
        Some(stem) => low.starts_with(stem),
        None => low == *known,
    };
    let alike = low.chars().next().and_then(|first| BY_FIRST.get(&first));
    let is_known =
        || alike.is_some_and(|words| words.iter().any(fits)) && !OTHERS.iter().any(|other| low.starts_with(other));
    let is_prefixed = || {
        let rest = text
            .strip_prefix(PREFIXES)
            .filter(|rest| rest.len() >= 3 && rest.bytes().all(|byte| byte.is_ascii_uppercase()));
        rest.and_then(word).is_some_and(|(found, _)| matches!(found, Word::Currency(_)))
    };
    is_known() || is_prefixed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_scale_and_of_parts_are_known_and_others_are_not() {
        for word in [
            "Mio",
            "Mrd",
            "billion",
            "bn",
            "B",
            "lakh",
            "lakhs",
            "crore",
            "thousand",
            "Tausend",
            "k€c",
            "kUSD",
            "mBTC",
            "MUSD",
            "centimes",
            "centavos",
            "p",
            "m",
            "млн",
            "тыс",
            "миллионов",
            "milhões",
            "juta",
            "millones",
        ] {
            assert_eq!(is_scale_word(word), word != "k€c", "{word}");
        }
        for word in [
            "left",
            "remaining",
            "requests",
            "kWh",
            "credits",
            "expired",
            "of",
            "and",
            "USD",
            "SMS",
            "messages",
            "billed",
            "days",
            "half",
        ] {
            assert!(!is_scale_word(word), "{word}");
        }
        assert!(is_scale_sign('兆') && is_scale_sign('만') && !is_scale_sign('条'));
    }
}
