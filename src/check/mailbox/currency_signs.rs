//! What a sign that several countries share, such as `$`, stands for in a mail.

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
static DOLLAR_CODES: Finder = Finder::anywhere(&OTHER_CODES);
static POUNDS: Finder = Finder::anywhere(&OTHER_POUNDS);
static POUND_CODES: Finder = Finder::anywhere(&OTHER_POUND_CODES);
static NAMES: Finder = Finder::anywhere(&OTHER_NAMES);
static TAIWAN: Finder = Finder::anywhere(&OF_TAIWAN);
static HONG_KONG: Finder = Finder::anywhere(&OF_HONG_KONG);
static MACAU: Finder = Finder::anywhere(&OF_MACAU);
static INDIA: Finder = Finder::anywhere(&OF_INDIA);

/// What a sign that several countries share stands for in this mail.
pub(super) struct Customs {
    is_of_taiwan: bool,
    is_of_hong_kong: bool,
    is_of_australia: bool,
    is_of_india: bool,
    /// It is written in traditional characters, where 元 and `$` may be of Hong Kong or Taiwan.
    is_traditional: bool,
    is_simplified: bool,
    is_japanese: bool,
    /// It speaks of another country's dollars, or pounds.
    has_other_dollars: bool,
    has_other_pounds: bool,
    /// Currencies that it names apart from any number, as in `Currency: EUR`.
    named: Vec<Currency>,
    has_other_names: bool,
}

impl Customs {
    /// Of a text, and the same in small letters and simplified Chinese.
    pub(super) fn of(text: &str, low: &str) -> Customs {
        let lower = text.to_lowercase();
        // `J$5`, and the amount beside it.
        let has_letters = text
            .match_indices('$')
            .any(|(at, _)| text[..at].ends_with(|c: char| c.is_ascii_alphabetic()) && !text[..at].ends_with("US"));
        let has_one_of = |those: &str| text.contains(|c| c >= '\u{3041}' && those.contains(c));
        let of_hong_kong = HONG_KONG.is_in(low) || has_one_of("嘅咗唔喺嗰哋佢冇畀嚟啲");
        let (of_taiwan, of_macau) = (TAIWAN.is_in(low), MACAU.is_in(low));
        Customs {
            is_of_taiwan: of_taiwan && !of_hong_kong && !of_macau,
            is_of_hong_kong: of_hong_kong && !of_macau && !low.contains("台币") && !low.contains("nt$"),
            is_of_australia: ["pty ltd", "bpay", " abn ", " bsb "].iter().any(|word| low.contains(word)),
            is_of_india: INDIA.is_in(low),
            is_traditional: has_one_of("餘額帳單幣繳應費請儲續臺"),
            is_simplified: has_one_of("额账单币缴应费请储续们为这时间现订务"),
            is_japanese: text.contains(|c: char| ('\u{3041}'..='\u{30FF}').contains(&c) && c != '・')
                || ["円", "残高"].iter().any(|word| text.contains(word)),
            has_other_dollars: has_letters || DOLLARS.is_in(&lower) || DOLLAR_CODES.is_in(text),
            has_other_pounds: POUNDS.is_in(&lower) || POUND_CODES.is_in(text),
            named: named(text),
            has_other_names: NAMES.is_in(&lower),
        }
    }

    /// Whether a sentence in Latin letters names other dollars than those of the United States.
    pub(super) fn names_other_dollars(&self, sentence: &str) -> bool {
        let lower = sentence.to_lowercase();
        let is_latin = !sentence.contains(|c: char| c >= '\u{2E80}');
        self.has_other_dollars && is_latin && DOLLARS.is_in(&lower)
    }

    /// The one currency that it names apart from any number.
    pub(super) fn only_named(&self) -> Option<Currency> {
        match self.named.as_slice() {
            [currency] => Some(*currency),
            _ => None,
        }
    }

    /// The code of a currency as this mail names it; none if it may be another one. A sentence in Latin letters is nobody's but
    /// an English writer's, wherever the rest of the mail is from.
    pub(super) fn code(&self, currency: &Currency, sentence: &str) -> Option<&'static str> {
        let is_latin = !sentence.contains(|c: char| c >= '\u{2E80}');
        if let Some(code) = currency.code() {
            return (code != "GBP" || !self.has_other_pounds).then_some(code);
        }
        let code = match currency.label() {
            "$" if self.is_of_australia && is_latin => Some("AUD"),
            "$" if (!self.is_traditional || is_latin) && !self.has_other_dollars => Some("USD"),
            "$" if self.is_of_hong_kong && self.is_traditional => Some("HKD"),
            "元" if !self.is_traditional && !self.is_japanese => Some("CNY"),
            "元" if self.is_traditional && self.is_of_taiwan => Some("TWD"),
            "元" if self.is_traditional && self.is_of_hong_kong => Some("HKD"),
            label if label.starts_with("Rs") && self.is_of_india => Some("INR"),
            "¥ (CNY or JPY)" if self.is_japanese && !self.is_simplified => Some("JPY"),
            "¥ (CNY or JPY)" if self.is_simplified && !self.is_japanese => Some("CNY"),
            _ => None,
        }?;
        // A mail that names another currency contradicts what its sign stands for most often.
        (!self.has_other_names && self.named.iter().all(|name| name.may_be(code))).then_some(code)
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
