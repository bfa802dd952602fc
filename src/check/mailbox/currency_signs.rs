//! What a sign that several countries share, such as `$`, stands for in a mail.

use std::cell::OnceCell;

use super::phrases::{Finder, is_latin};
use crate::model::amount::{self, Currency, Word};

/// Units of account that are no money.
pub(super) const NO_MONEY: [&str; 3] = ["credits", "points", "tokens"];
/// Codes of dollars and pesos other than the dollar of the United States, in capitals.
const OTHER_CODES: [&str; 15] =
    ["HKD", "TWD", "CAD", "AUD", "NZD", "SGD", "MXN", "ARS", "CLP", "COP", "JMD", "TTD", "BSD", "BBD", "XCD"];
/// The beginnings of words for them and for their countries.
const OTHER_DOLLARS: [&str; 37] = [
    "canad",
    "austral",
    "hong kong",
    "hongkong",
    "singapor",
    "new zealand",
    "taiwan",
    "mexic",
    "jamaic",
    "trinidad",
    "barbad",
    "bahama",
    "bermud",
    "belize",
    "brunei",
    "fiji",
    "liberia",
    "namibia",
    "guyan",
    "surinam",
    "cayman",
    "caribbean",
    "zimbabw",
    "argentin",
    "chile",
    "colombi",
    "uruguay",
    "dominic",
    "brasil",
    "brazil",
    "peso",
    "港",
    "台币",
    "台幣",
    "加元",
    "澳元",
    "新加坡",
];
/// The beginnings of words for taxes and greetings of countries that have dollars of their own.
const OF_OTHER_DOLLARS: [&str; 6] = [" gst", "(gst", " hst", "kia ora", "interac", " ird "];
/// Words for pounds other than those of the United Kingdom.
const OTHER_POUNDS: [&str; 6] = ["egypt", "leban", "syria", "sudan", "gibraltar", "falkland"];
const OTHER_POUND_CODES: [&str; 6] = ["EGP", "LBP", "SYP", "SDG", "GIP", "FKP"];
/// The beginnings of words, in lower case, for currencies that none of the shared signs stands for.
const OTHER_NAMES: [&str; 12] = [
    "pounds", "sterling", "francs", "franken", "reais", "rupee", "rupien", "krone", "kronor", "zloty", "libras",
    "rubel",
];

/// Words, in simplified characters, that are written in Taiwan and not in Hong Kong, and the other way round.
const OF_TAIWAN: [&str; 34] = [
    "专案",
    "请款",
    "拨款",
    "敝司",
    "敝公司",
    "本社",
    "下周",
    "这周",
    "周五",
    "悠游",
    "台币",
    "nt$",
    "twd",
    "台湾",
    "超商",
    "统编",
    "统一编号",
    "汇款",
    "简讯",
    "网路",
    "软体",
    "资讯",
    "储值",
    "加值",
    "门号",
    "刷卡",
    "股份有限公司",
    "伺服器",
    "电信费",
    "贵社",
    "年1月",
    "民国",
    "帐号",
    "会计",
];
const OF_HONG_KONG: [&str; 12] =
    ["港币", "港元", "hk$", "hkd", "香港", "转数快", "八达通", "阁下", "电邮", "短讯", "月结单", "+852"];
const OF_MACAU: [&str; 3] = ["澳门", "mop", "葡币"];
/// Words of India, where `Rs` and ₨ are its rupees.
const OF_INDIA: [&str; 8] = ["gst", "inr", "₹", "india", "kindly do the needful", "tds", "neft", "/-"];

// One automaton for each list, made for the first mail.
static DOLLARS: Finder = Finder::anywhere(&OTHER_DOLLARS);
static DOLLAR_COUNTRIES: Finder = Finder::anywhere(&OF_OTHER_DOLLARS);
static DOLLAR_CODES: Finder = Finder::anywhere(&OTHER_CODES);
static POUNDS: Finder = Finder::anywhere(&OTHER_POUNDS);
static POUND_CODES: Finder = Finder::anywhere(&OTHER_POUND_CODES);
static NAMES: Finder = Finder::anywhere(&OTHER_NAMES);
static TAIWAN: Finder = Finder::anywhere(&OF_TAIWAN);
static HONG_KONG: Finder = Finder::anywhere(&OF_HONG_KONG);
static MACAU: Finder = Finder::anywhere(&OF_MACAU);
static INDIA: Finder = Finder::anywhere(&OF_INDIA);

/// Characters of Cantonese, of traditional and of simplified Chinese.
const CANTONESE: [char; 11] = ['嘅', '咗', '唔', '喺', '嗰', '哋', '佢', '冇', '畀', '嚟', '啲'];
const TRADITIONAL: [char; 12] = ['餘', '額', '帳', '單', '幣', '繳', '應', '費', '請', '儲', '續', '臺'];
const SIMPLIFIED: [char; 18] =
    ['额', '账', '单', '币', '缴', '应', '费', '请', '储', '续', '们', '为', '这', '时', '间', '现', '订', '务'];

/// What a sign that several countries share stands for in this mail. Most mails need little of this, and it is looked for when
/// it is asked for.
pub(super) struct Customs<'a> {
    text: &'a str,
    /// The same in small letters and simplified Chinese.
    low: &'a str,
    script: OnceCell<Script>,
    place: OnceCell<Place>,
    /// It speaks of another country's dollars.
    has_other_dollars: OnceCell<bool>,
    named: OnceCell<Vec<Currency>>,
    has_other_names: OnceCell<bool>,
}

/// What a mail is written in.
#[derive(Clone, Copy, Default)]
struct Script {
    /// Traditional characters, with which 元 and `$` may be of Hong Kong or Taiwan.
    is_traditional: bool,
    is_simplified: bool,
    is_japanese: bool,
    is_cantonese: bool,
}

impl Script {
    fn of(text: &str) -> Script {
        let mut script = Script::default();
        if text.is_ascii() {
            return script;
        }
        for c in text.chars().filter(|c| *c >= '\u{3041}') {
            script.is_traditional = script.is_traditional || TRADITIONAL.contains(&c);
            script.is_simplified = script.is_simplified || SIMPLIFIED.contains(&c);
            script.is_cantonese = script.is_cantonese || CANTONESE.contains(&c);
            script.is_japanese |= c <= '\u{30FF}' && c != '・';
        }
        script.is_japanese = script.is_japanese || ["円", "残高"].iter().any(|word| text.contains(word));
        script
    }
}

/// Where dollars and 元 of a mail in Chinese are from.
#[derive(Clone, Copy)]
struct Place {
    is_taiwan: bool,
    is_hong_kong: bool,
}

impl<'a> Customs<'a> {
    /// Of a text, and the same in small letters and simplified Chinese.
    pub(super) fn of(text: &'a str, low: &'a str) -> Customs<'a> {
        Customs {
            text,
            low,
            script: OnceCell::new(),
            place: OnceCell::new(),
            has_other_dollars: OnceCell::new(),
            named: OnceCell::new(),
            has_other_names: OnceCell::new(),
        }
    }

    fn script(&self) -> Script {
        *self.script.get_or_init(|| Script::of(self.text))
    }

    fn place(&self) -> Place {
        *self.place.get_or_init(|| {
            let of_hong_kong = HONG_KONG.is_in(self.low) || self.script().is_cantonese;
            let (of_taiwan, of_macau) = (TAIWAN.is_in(self.low), MACAU.is_in(self.low));
            let names_taiwan = || self.low.contains("台币") || self.low.contains("nt$");
            Place {
                is_taiwan: of_taiwan && !of_hong_kong && !of_macau,
                is_hong_kong: of_hong_kong && !of_macau && !names_taiwan(),
            }
        })
    }

    fn is_of_australia(&self) -> bool {
        ["pty ltd", "bpay", " abn ", " bsb "].iter().any(|word| self.low.contains(word))
    }

    /// Whether it speaks of another country's dollars.
    fn has_other_dollars(&self) -> bool {
        *self.has_other_dollars.get_or_init(|| {
            // `J$5`, and the amount beside it.
            let has_letters = self.text.match_indices('$').any(|(at, _)| {
                let before = &self.text[..at];
                before.ends_with(|c: char| c.is_ascii_alphabetic()) && !before.ends_with("US")
            });
            has_letters || DOLLARS.is_in(self.low) || DOLLAR_COUNTRIES.is_in(self.low) || DOLLAR_CODES.is_in(self.text)
        })
    }

    fn has_other_pounds(&self) -> bool {
        POUNDS.is_in(self.low) || POUND_CODES.is_in(self.text)
    }

    /// The currencies that it names apart from any number, as in `Currency: EUR`.
    fn named(&self) -> &[Currency] {
        self.named.get_or_init(|| named(self.text))
    }

    fn has_other_names(&self) -> bool {
        *self.has_other_names.get_or_init(|| NAMES.is_in(self.low))
    }

    /// Whether a sentence in Latin letters names other dollars than those of the United States.
    pub(super) fn names_other_dollars(&self, sentence: &str) -> bool {
        let lower = sentence.to_lowercase();
        let is_latin = !sentence.contains(|c: char| c >= '\u{2E80}');
        is_latin && DOLLARS.is_in(&lower)
    }

    /// The one currency that it names apart from any number.
    pub(super) fn only_named(&self) -> Option<Currency> {
        match self.named() {
            [currency] => Some(*currency),
            _ => None,
        }
    }

    /// The code of a currency as this mail names it; none if it may be another one. A sentence in Latin letters is nobody's but
    /// an English writer's, wherever the rest of the mail is from.
    pub(super) fn code(&self, currency: &Currency, sentence: &str) -> Option<&'static str> {
        let is_latin = !sentence.contains(|c: char| c >= '\u{2E80}');
        if let Some(code) = currency.code() {
            return (code != "GBP" || !self.has_other_pounds()).then_some(code);
        }
        let Script { is_traditional, is_simplified, is_japanese, .. } = self.script();
        let code = match currency.label() {
            "$" if is_latin && self.is_of_australia() => Some("AUD"),
            "$" if (!is_traditional || is_latin) && !self.has_other_dollars() => Some("USD"),
            "$" if is_traditional && self.place().is_hong_kong => Some("HKD"),
            "元" if !is_traditional && !is_japanese => Some("CNY"),
            "元" if is_traditional && self.place().is_taiwan => Some("TWD"),
            "元" if is_traditional && self.place().is_hong_kong => Some("HKD"),
            label if label.starts_with("Rs") && INDIA.is_in(self.low) => Some("INR"),
            "¥ (CNY or JPY)" if is_japanese && !is_simplified => Some("JPY"),
            "¥ (CNY or JPY)" if is_simplified && !is_japanese => Some("CNY"),
            _ => None,
        }?;
        // A mail that names another currency contradicts what its sign stands for most often.
        (self.named().iter().all(|name| name.may_be(code)) && !self.has_other_names()).then_some(code)
    }
}

/// The currencies that a text names apart from any number. Beside a number, a name is about that amount alone.
fn named(text: &str) -> Vec<Currency> {
    let mut named: Vec<Currency> = Vec::new();
    let mut previous = None;
    let mut next_at = 0;
    for (at, c) in text.char_indices() {
        let is_inside = is_latin(c) && previous.is_some_and(is_latin);
        previous = Some(c);
        if at < next_at || is_inside || c.is_whitespace() || c.is_numeric() || "-+\u{2212}(".contains(c) {
            continue;
        }
        let Some((Word::Currency(currency), length)) = amount::word(&text[at..]) else {
            continue;
        };
        next_at = at + length;
        let is_new = !named.contains(&currency) && !NO_MONEY.contains(&currency.label());
        if is_new && is_name(&text[..at], &text[at..next_at]) && !is_beside_number(&text[..at], &text[next_at..]) {
            named.push(currency);
        }
    }
    named
}

/// Whether a word that can name a currency does: `try` and `ALL` are words, too. Such a code names one only behind a colon or "in".
fn is_name(before: &str, word: &str) -> bool {
    let is_code = word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !is_code || ["yen", "rmb"].iter().any(|name| word.eq_ignore_ascii_case(name)) {
        return true;
    }
    let before = before.trim_end();
    let is_said = before.ends_with(':')
        || before.get(before.len().saturating_sub(3)..).is_some_and(|end| end.eq_ignore_ascii_case(" in"));
    word.bytes().all(|byte| byte.is_ascii_uppercase()) && (is_said || !amount::WORDLIKE.contains(&word))
}

fn is_beside_number(before: &str, behind: &str) -> bool {
    let is_gap = |c: char| c.is_whitespace() && c != '\n' || "()+-\u{2212}.,万千亿萬億".contains(c);
    let before = before.trim_end_matches(is_gap).chars().next_back();
    let behind = behind.trim_start_matches(is_gap).chars().next();
    // The sign and the code of one amount stand side by side: `US$ 5 USD`.
    let is_amount = |c: Option<char>| c.is_some_and(|c| c.is_numeric() || "$¥€£元".contains(c));
    is_amount(before) || is_amount(behind)
}
