//! The names of currencies as people and services write them: codes, signs, words. What a sign stands for is a list where
//! several currencies share it.

/// Longest name of a currency that an answer may bring, in bytes.
const LONGEST: usize = 24;

/// A currency, or another unit of account, as a text names it.
#[derive(Clone, Copy, Debug, Eq)]
pub(crate) struct Currency {
    label: &'static str,
    codes: &'static [&'static str],
    /// Whether a word of Chinese or Japanese names it: 元 may stand beside such a word.
    is_cjk: bool,
}

impl PartialEq for Currency {
    fn eq(&self, other: &Currency) -> bool {
        // How it is named makes no other currency of it.
        self.label == other.label && self.codes == other.codes
    }
}

/// The currencies without a smaller unit.
const WHOLE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
/// Those whose smaller unit is a thousandth.
const THOUSANDTHS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// How many decimals a currency has, however it is named: two, unless it is known to have others.
pub(super) fn decimals(currency: Option<&str>) -> u32 {
    let named = currency.map(str::trim).unwrap_or_default();
    let code = super::text::currency(named).and_then(|currency| currency.code()).unwrap_or(named);
    let is_in = |codes: &str| codes.split(' ').any(|known| known.eq_ignore_ascii_case(code));
    match () {
        () if is_in(WHOLE) => 0,
        () if is_in(THOUSANDTHS) => 3,
        () => 2,
    }
}

impl Currency {
    /// Its code, if the name stands for one currency alone.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self.codes {
            [code] => Some(code),
            _ => None,
        }
    }

    /// What it is called in messages: the code, or the sign and what it may stand for.
    pub(crate) fn label(&self) -> &'static str {
        self.label
    }

    /// The code that it stands for most often.
    pub(super) fn usual(&self) -> Option<&'static str> {
        self.codes.first().copied()
    }

    /// Whether a word, as it stands in a config or an answer, may mean the same currency.
    pub(crate) fn may_be(&self, word: &str) -> bool {
        let word = word.trim();
        self.codes.iter().any(|code| is_spelt_alike(code, word))
            || super::text::currency(word).is_some_and(|other| self.meet(&other).is_some())
    }

    /// The same currency, as a word of [`CJK`] names it.
    pub(super) fn in_cjk(self) -> Currency {
        Currency { is_cjk: true, ..self }
    }

    /// What names beside one number say together. In `美金 20 元` the 元 says nothing of its own; behind a sign or a code it
    /// does, as in `€5元`.
    ///
    /// # Errors
    /// They contradict each other.
    pub(super) fn of_text(names: &[Currency]) -> Result<Option<Currency>, &'static str> {
        let is_yuan = |name: &Currency| name.label == YUAN.label;
        let is_foreign = |name: &Currency| {
            name.is_cjk && !is_yuan(name) && name.codes.iter().any(|code| NAMED_BESIDE_YUAN.contains(code))
        };
        let has_foreign = names.iter().any(is_foreign);
        let telling: Vec<Currency> = names.iter().filter(|name| !has_foreign || !is_yuan(name)).copied().collect();
        match telling.as_slice() {
            [] => Ok(None),
            telling => Currency::common(telling).map(Some).ok_or("it names two currencies"),
        }
    }

    /// What all of several names say together; none if no currency can be meant by all of them, though by each two.
    pub(crate) fn common(names: &[Currency]) -> Option<Currency> {
        let narrowest = names.iter().min_by_key(|name| name.codes.len())?;
        let mut shared = narrowest.codes.iter().filter(|code| names.iter().all(|name| name.codes.contains(code)));
        match (shared.next()?, shared.next()) {
            (code, None) if narrowest.codes.len() > 1 => {
                Some(Currency { label: code, codes: std::slice::from_ref(code), is_cjk: false })
            }
            _ => Some(*narrowest),
        }
    }

    /// What two names say together, for example `$` and `CAD`; none if they contradict each other.
    pub(crate) fn meet(&self, other: &Currency) -> Option<Currency> {
        let shares = self.codes.iter().any(|code| other.codes.contains(code));
        shares.then_some(if other.codes.len() < self.codes.len() { *other } else { *self })
    }

    /// Whether amounts in it are commonly written with a decimal comma, whichever currency it stands for.
    pub(super) fn has_decimal_comma(&self) -> bool {
        self.codes.iter().all(|code| is_written_with_comma(code))
    }

    /// Whether amounts in it are commonly written with full stops between thousands, whichever currency it stands for.
    pub(super) fn has_dot_groups(&self) -> bool {
        self.codes.iter().all(|code| DOT_GROUPS.contains(code))
    }

    /// Whether a full stop before three digits may part thousands: in any of the currencies that it stands for.
    pub(super) fn may_have_dot_groups(&self) -> bool {
        self.codes.iter().any(|code| !is_written_with_point(code))
    }

    /// Whether a comma before three digits may be a decimal sign. With dollars and cents it is not, though some countries
    /// write theirs so: with three decimals nobody does.
    pub(super) fn may_have_decimal_comma(&self) -> bool {
        self.usual().is_some_and(|code| !is_written_with_point(code))
    }

    /// Whether amounts in it are commonly grouped as 12,34,567.
    pub(super) fn has_indian_groups(&self) -> bool {
        self.usual().is_some_and(|code| RUPEES.contains(&code))
    }
}

fn is_written_with_comma(code: &str) -> bool {
    DOT_GROUPS.contains(&code) || DECIMAL_COMMA.contains(&code)
}

/// Whether amounts in it are known to be written with a decimal point. What is no money of a country is, as English has it.
fn is_written_with_point(code: &str) -> bool {
    DECIMAL_POINT.contains(&code) || !ISO.contains(&code)
}

/// Whether two words for currencies, as they stand in configs, pages and answers, may mean the same: `RMB` and `CNY` do.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    is_spelt_alike(one, other) || super::text::currency(one).is_some_and(|currency| currency.may_be(other))
}

/// Whether two words for currencies certainly mean the same. A sign that several currencies share is only like itself.
pub(crate) fn is_certainly_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    let named = || super::text::currency(one).zip(super::text::currency(other));
    is_spelt_alike(one, other) || named().is_some_and(|(one, other)| one == other)
}

/// The currency that a word says: where several share it, the one of the others that it may mean and that stands for one.
pub(crate) fn settled<'a>(said: &'a str, others: impl IntoIterator<Item = &'a str>) -> &'a str {
    let is_shared = |word: &str| super::text::currency(word).is_some_and(|named| named.code().is_none());
    if !is_shared(said) {
        return said;
    }
    others.into_iter().find(|other| !is_shared(other) && is_same(said, other)).unwrap_or(said)
}

/// Whether a word of an answer can be a currency or another unit of account: a known name or sign, or three letters as codes
/// have them. Anything else may be private.
pub(crate) fn is_unit(word: &str) -> bool {
    let is_code = |word: &str| {
        has_letters_of_code(word)
            && !has_mixed_case(word)
            && !NO_CODES.iter().any(|scaled| scaled.eq_ignore_ascii_case(word))
    };
    word.len() <= LONGEST && (is_code(word) || super::text::currency(word).is_some())
}

/// Whether two words are the same letters, in capitals or not. `GBp` is a hundredth of a GBP, so a code that mixes both is
/// only like itself.
pub(crate) fn is_spelt_alike(one: &str, other: &str) -> bool {
    one == other || (one.eq_ignore_ascii_case(other) && !has_mixed_case(one) && !has_mixed_case(other))
}

fn has_letters_of_code(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Whether three letters are a code in capitals and small letters: `GBp`, `ZAc`.
fn has_mixed_case(word: &str) -> bool {
    let has = |case: fn(&u8) -> bool| word.as_bytes().iter().any(case);
    has_letters_of_code(word) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

/// Three letters that are no code of a currency: they are a part of one, or say how many of it are meant, so that an amount
/// beside them is not what it seems.
const NO_CODES: [&str; 26] = [
    "GBX", "ZAC", "ILA", "ILX", "KWF", "USX", "EUX", "CTS", "CNT", "FEN", "SEN", "ORE", "SAT", "WEI", "MIO", "MIL",
    "MLN", "MIA", "MRD", "MLD", "BIO", "BIL", "BLN", "TSD", "THS", "PCT",
];

const fn one(code: &'static [&'static str; 1]) -> Currency {
    Currency { label: code[0], codes: code, is_cjk: false }
}

const fn several(label: &'static str, codes: &'static [&'static str]) -> Currency {
    Currency { label, codes, is_cjk: false }
}

const DOLLARS: &[&str] = &[
    "USD", "CAD", "AUD", "HKD", "TWD", "SGD", "NZD", "MXN", "ARS", "CLP", "COP", "UYU", "JMD", "TTD", "BSD", "BBD",
    "BZD", "BMD", "BND", "FJD", "GYD", "KYD", "LRD", "NAD", "SRD", "XCD", "MOP", "DOP", "BRL",
];
const CENTS: &[&str] = &["USD", "EUR", "CAD", "AUD", "HKD", "TWD", "SGD", "NZD", "ZAR", "MYR"];
const RUPEES: &[&str] = &["INR", "PKR", "LKR", "NPR", "BDT", "MUR"];

const DOLLAR: Currency = several("$", DOLLARS);
const CENT: Currency = several("cents", CENTS);
const RUPEE: Currency = several("Rs (INR, PKR, LKR or NPR)", RUPEES);
const YEN_OR_YUAN: Currency = several("¥ (CNY or JPY)", &["CNY", "JPY"]);
/// 元 stands behind amounts where Chinese is written; other currencies have words of their own (美元, 欧元).
const YUAN: Currency = several("元", &["CNY", "TWD", "HKD", "MOP"]);
/// 圆 is the old form of 元, and of 円.
const ROUND: Currency = several("元", &["CNY", "TWD", "HKD", "MOP", "JPY"]);
/// Currencies whose amounts may end with 元 as well, where a word before them says which it is.
const NAMED_BESIDE_YUAN: [&str; 8] = ["USD", "AUD", "CAD", "SGD", "NZD", "EUR", "JPY", "KRW"];
const KRONA: Currency = several("kr (SEK, NOK, DKK or ISK)", &["SEK", "NOK", "DKK", "ISK"]);

const CNY: Currency = one(&["CNY"]);
const JPY: Currency = one(&["JPY"]);
const USD: Currency = one(&["USD"]);
const HKD: Currency = one(&["HKD"]);
const TWD: Currency = one(&["TWD"]);
const CAD: Currency = one(&["CAD"]);
const AUD: Currency = one(&["AUD"]);
const SGD: Currency = one(&["SGD"]);
const NZD: Currency = one(&["NZD"]);
const EUR: Currency = one(&["EUR"]);
const GBP: Currency = one(&["GBP"]);
const RUB: Currency = one(&["RUB"]);
const KRW: Currency = one(&["KRW"]);
const THB: Currency = one(&["THB"]);
const MXN: Currency = one(&["MXN"]);
const CREDITS: Currency = one(&["credits"]);
const POINTS: Currency = one(&["points"]);
const TOKENS: Currency = one(&["tokens"]);

/// Currencies whose amounts are commonly written as 1.234,56.
const DOT_GROUPS: [&str; 16] =
    ["EUR", "BRL", "ARS", "CLP", "COP", "IDR", "VND", "TRY", "DKK", "ISK", "RSD", "RON", "UYU", "PYG", "CRC", "BGN"];
/// Others with a decimal comma.
const DECIMAL_COMMA: [&str; 11] = ["RUB", "UAH", "BYN", "KZT", "PLN", "CZK", "NOK", "SEK", "HUF", "CHF", "ALL"];

/// Currencies whose amounts are written with a decimal point wherever they are used, or nearly so. Of any other one it has to
/// be expected that a comma is its decimal sign.
const DECIMAL_POINT: [&str; 72] = [
    "AED", "AUD", "BBD", "BDT", "BHD", "BMD", "BSD", "BTN", "BWP", "BZD", "CAD", "CNH", "CNY", "DOP", "EGP", "ETB",
    "FJD", "FKP", "GBP", "GHS", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL", "ILS", "INR", "JMD", "JOD", "JPY", "KES",
    "KPW", "KRW", "KWD", "KYD", "LKR", "LRD", "MMK", "MNT", "MOP", "MUR", "MVR", "MWK", "MXN", "MYR", "NGN", "NIO",
    "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "QAR", "SAR", "SBD", "SGD", "SHP", "SLE", "SVC", "THB",
    "TTD", "TWD", "TZS", "UGX", "USD", "WST", "XCD", "ZMW",
];

/// Signs, most of them with the letters that say which country's; the longest one that fits counts.
pub(super) const SIGNS: [(&str, Currency); 53] = [
    ("$", DOLLAR),
    ("US$", USD),
    ("$US", USD),
    ("HK$", HKD),
    ("NT$", TWD),
    ("TW$", TWD),
    ("CA$", CAD),
    ("C$", CAD),
    ("$CA", CAD),
    ("AU$", AUD),
    ("A$", AUD),
    ("$AU", AUD),
    ("SG$", SGD),
    ("S$", SGD),
    ("NZ$", NZD),
    ("R$", one(&["BRL"])),
    ("MX$", MXN),
    ("MEX$", MXN),
    ("AR$", one(&["ARS"])),
    ("CL$", one(&["CLP"])),
    ("COL$", one(&["COP"])),
    ("MOP$", one(&["MOP"])),
    ("¥", YEN_OR_YUAN),
    ("CN¥", CNY),
    ("RMB¥", CNY),
    ("JP¥", JPY),
    ("€", EUR),
    ("£", GBP),
    ("₹", one(&["INR"])),
    ("₨", RUPEE),
    ("₽", RUB),
    ("₩", KRW),
    ("₺", one(&["TRY"])),
    ("฿", THB),
    ("₫", one(&["VND"])),
    ("₴", one(&["UAH"])),
    ("₦", one(&["NGN"])),
    ("₱", one(&["PHP"])),
    ("₪", one(&["ILS"])),
    ("₡", one(&["CRC"])),
    ("₵", one(&["GHS"])),
    ("₸", one(&["KZT"])),
    ("₮", one(&["MNT"])),
    ("₼", one(&["AZN"])),
    ("₾", one(&["GEL"])),
    ("₲", one(&["PYG"])),
    ("₭", one(&["LAK"])),
    ("៛", one(&["KHR"])),
    ("৳", one(&["BDT"])),
    ("₿", one(&["BTC"])),
    ("Ξ", one(&["ETH"])),
    ("Kč", one(&["CZK"])),
    ("zł", one(&["PLN"])),
];

/// Words of scripts without blanks between words; the longest one that fits counts.
pub(super) const CJK: [(&str, Currency); 68] = [
    ("元", YUAN),
    ("圆", ROUND),
    ("圓", ROUND),
    ("块", CNY),
    ("块钱", CNY),
    ("人民币", CNY),
    ("人民幣", CNY),
    ("人民币元", CNY),
    ("円", JPY),
    ("日元", JPY),
    ("日圆", JPY),
    ("日圓", JPY),
    ("日币", JPY),
    ("日幣", JPY),
    ("日本円", JPY),
    ("港元", HKD),
    ("港币", HKD),
    ("港幣", HKD),
    ("港纸", HKD),
    ("新台币", TWD),
    ("新臺币", TWD),
    ("新台幣", TWD),
    ("新臺幣", TWD),
    ("台币", TWD),
    ("台幣", TWD),
    ("臺幣", TWD),
    ("美元", USD),
    ("美金", USD),
    ("美刀", USD),
    ("刀", USD),
    ("美圆", USD),
    ("美圓", USD),
    ("米ドル", USD),
    ("欧元", EUR),
    ("歐元", EUR),
    ("ユーロ", EUR),
    ("英镑", GBP),
    ("英鎊", GBP),
    ("韩元", KRW),
    ("韓元", KRW),
    ("韩币", KRW),
    ("원", KRW),
    ("新加坡元", SGD),
    ("新加坡币", SGD),
    ("坡币", SGD),
    ("澳元", AUD),
    ("澳币", AUD),
    ("澳幣", AUD),
    ("加元", CAD),
    ("加币", CAD),
    ("新西兰元", NZD),
    ("纽元", NZD),
    ("紐元", NZD),
    ("澳门币", one(&["MOP"])),
    ("澳門幣", one(&["MOP"])),
    ("葡币", one(&["MOP"])),
    ("葡幣", one(&["MOP"])),
    ("澳门元", one(&["MOP"])),
    ("澳門元", one(&["MOP"])),
    ("卢布", RUB),
    ("盧布", RUB),
    ("泰铢", THB),
    ("泰銖", THB),
    ("瑞士法郎", one(&["CHF"])),
    ("瑞郎", one(&["CHF"])),
    ("越南盾", one(&["VND"])),
    ("积分", POINTS),
    ("積分", POINTS),
];

/// Words of other scripts, spelt exactly so.
const SPELT: [(&str, Currency); 17] = [
    ("kr", KRONA),
    ("Kr", KRONA),
    ("zl", one(&["PLN"])),
    ("Ft", one(&["HUF"])),
    ("lei", one(&["RON"])),
    ("Rs", RUPEE),
    ("Rp", one(&["IDR"])),
    ("RM", one(&["MYR"])),
    ("Tk", one(&["BDT"])),
    ("руб", RUB),
    ("рублей", RUB),
    ("рубля", RUB),
    ("р", RUB),
    ("грн", one(&["UAH"])),
    ("лв", one(&["BGN"])),
    ("тг", one(&["KZT"])),
    ("MEX", MXN),
];

/// Those of them that may end with a full stop.
pub(super) const ABBREVIATIONS: [&str; 7] = ["kr", "Kr", "Rs", "Rp", "Tk", "руб", "р"];

/// Words in any case.
const WORDS: [(&str, Currency); 21] = [
    ("rmb", CNY),
    ("yuan", CNY),
    ("yen", JPY),
    ("dollar", DOLLAR),
    ("dollars", DOLLAR),
    ("euro", EUR),
    ("euros", EUR),
    ("rupees", RUPEE),
    ("roubles", RUB),
    ("rubles", RUB),
    ("usdt", one(&["USDT"])),
    ("usdc", one(&["USDC"])),
    ("btc", one(&["BTC"])),
    ("eth", one(&["ETH"])),
    ("credit", CREDITS),
    ("credits", CREDITS),
    ("point", POINTS),
    ("points", POINTS),
    ("pts", POINTS),
    ("token", TOKENS),
    ("tokens", TOKENS),
];

/// Coins by their tickers, in capitals only.
static COINS: [&str; 25] = [
    "BNB", "SOL", "XRP", "ADA", "DOGE", "TRX", "TON", "LTC", "BCH", "DOT", "AVAX", "MATIC", "POL", "SHIB", "DAI",
    "BUSD", "TUSD", "FDUSD", "ETC", "XMR", "XLM", "ATOM", "FIL", "NANO", "XNO",
];

/// ISO 4217, without precious metals, funds and test codes.
static ISO: [&str; 156] = [
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF",
    "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP", "CNH", "CNY", "COP",
    "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL",
    "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK",
    "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD",
    "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN",
    "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON",
    "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC",
    "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS",
    "VES", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
];

/// Codes that are words too: they count in capitals only.
pub(crate) const WORDLIKE: [&str; 14] =
    ["ALL", "BAM", "BOB", "COP", "CUP", "GEL", "MAD", "MOP", "PAB", "PEN", "RON", "SOS", "TOP", "TRY"];

/// The currency that a word of letters names, whole.
pub(super) fn of_letters(word: &str) -> Option<Currency> {
    let known = |list: &[(&str, Currency)], same: fn(&str, &str) -> bool| {
        list.iter().find(|(name, _)| same(name, word)).map(|(_, currency)| *currency)
    };
    let code = |list: &'static [&'static str]| {
        let code = list.iter().find(|code| code.eq_ignore_ascii_case(word))?;
        Some(Currency { label: code, codes: std::slice::from_ref(code), is_cjk: false })
    };
    let is_upper = word.bytes().all(|b| b.is_ascii_uppercase());
    let is_lower = word.bytes().all(|b| b.is_ascii_lowercase());
    known(&SPELT, |name, word| name == word)
        .or_else(|| known(&WORDS, str::eq_ignore_ascii_case))
        .or_else(|| code(&COINS).filter(|_| is_upper))
        .or_else(|| code(&ISO).filter(|found| is_upper || (is_lower && !WORDLIKE.contains(&found.label))))
}

/// Parts of a currency: the sign, how large a part, and of what.
pub(super) const MINOR: [(&str, &str, Currency); 4] =
    [("分", "0.01", YUAN), ("角", "0.1", YUAN), ("毛", "0.1", CNY), ("¢", "0.01", CENT)];

/// The hundredth of a currency, in letters.
pub(super) fn minor_of_letters(word: &str) -> Option<Currency> {
    match word {
        "cent" | "cents" | "Cent" | "Cents" | "CENTS" => Some(CENT),
        "pence" => Some(GBP),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_calls_a_currency_is_one() {
        for word in [
            "USD",
            "usd",
            "XAU",
            "RMB",
            "$",
            "US$",
            "¥",
            "€",
            "人民币",
            "元",
            "credits",
            "Points",
            "USDT",
            "DOGE",
            "yuan",
        ] {
            assert!(is_unit(word), "{word}");
        }
        for word in [
            "GBp",
            "ZAc",
            "ILa",
            "GBX",
            "ila",
            "Mio",
            "mil",
            "cts",
            "fen",
            "k",
            "cents",
            "",
            "jane@priv.example",
            "4915112345678",
            "+49 151 1234",
            "sk_live_Abc",
            "EUR\nUSD",
            "EUR USD",
            "<script>",
            "jane",
            "张伟",
            "12",
            "U1D",
            "USD 5",
        ] {
            assert!(!is_unit(word), "{word}");
        }
    }

    #[test]
    fn several_names_are_one_currency_only_if_all_can_mean_it() {
        for (names, want) in [
            (&["$", "cents", "EUR"][..], None),
            (&["¥", "元", "JPY"], None),
            (&["$", "元", "¥"], None),
            (&["$", "HKD", "元"], Some("HKD")),
            (&["¥", "元"], Some("CNY")),
            (&["$", "$"], Some("$")),
            (&["EUR", "cents"], Some("EUR")),
        ] {
            let named = |name: &&str| super::super::text::currency(name).or_else(|| minor_of_letters(name)).unwrap();
            let all: Vec<Currency> = names.iter().map(named).collect();
            assert_eq!(Currency::common(&all).map(|currency| currency.label()), want, "{names:?}");
        }
    }

    #[test]
    fn two_words_for_one_currency_are_the_same() {
        for (one, other, want) in [
            ("USD", "usd", true),
            ("RMB", "CNY", true),
            ("人民币", "cny", true),
            ("元", "CNY", true),
            ("$", "USD", true),
            ("$", "HKD", true),
            ("credits", "Credits", true),
            ("GBp", "GBP", false),
            ("GBp", "gbp", false),
            ("GBp", "£", false),
            ("GBp", "GBp", true),
            ("gold coins", "gold coins", true),
            ("USD", "EUR", false),
            ("RMB", "USD", false),
            ("USD", "USDT", false),
            ("元", "HKD", true),
            ("元", "USD", false),
            ("元", "EUR", false),
            ("元", "JPY", false),
            ("元", "KRW", false),
            ("圆", "JPY", true),
            ("圆", "USD", false),
            ("US$", "HKD", false),
            ("credits", "USD", false),
            ("gold coins", "USD", false),
        ] {
            assert_eq!(is_same(one, other), want, "{one} {other}");
            assert_eq!(is_same(other, one), want, "{other} {one}");
        }
    }

    #[test]
    fn a_sign_of_several_currencies_is_certainly_only_itself() {
        for (one, other, want) in [
            ("USD", "usd", true),
            ("RMB", "CNY", true),
            ("$", "$", true),
            ("$", "dollars", true),
            ("$", "USD", false),
            ("¥", "CNY", false),
            ("元", "CNY", false),
            ("¥", "元", false),
            ("kr", "SEK", false),
            ("gold coins", "gold coins", true),
            ("USD", "EUR", false),
        ] {
            assert_eq!(is_certainly_same(one, other), want, "{one} {other}");
            assert_eq!(is_certainly_same(other, one), want, "{other} {one}");
        }
        assert_eq!(settled("$", ["CAD"]), "CAD");
        assert_eq!(settled("$", ["EUR", "USD"]), "USD");
        assert_eq!(settled("$", []), "$");
        assert_eq!(settled("USD", ["CAD"]), "USD");
    }
}
