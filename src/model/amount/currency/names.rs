//! The names of currencies, as data: codes, signs and words, and how amounts in them are written.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::Currency;

/// Three letters that are no code of a currency: they are a part of one, or say how many of it are meant, so that an amount
/// beside them is not what it seems.
pub(in crate::model::amount) const NO_CODES: [&str; 33] = [
    "USC", "XXX", "XTS", "TBD", "TBA", "NIL", "DBT", "GBX", "ZAC", "ILA", "ILX", "KWF", "USX", "EUX", "CTS", "CNT",
    "FEN", "SEN", "ORE", "SAT", "WEI", "MIO", "MIL", "MLN", "MIA", "MRD", "MLD", "BIO", "BIL", "BLN", "TSD", "THS",
    "PCT",
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
pub(super) const RUPEES: &[&str] = &["INR", "PKR", "LKR", "NPR", "BDT", "MUR"];

const DOLLAR: Currency = several("$", DOLLARS);
const CENT: Currency = several("cents", CENTS);
const RUPEE: Currency = several("Rs (INR, PKR, LKR or NPR)", RUPEES);
const YEN_OR_YUAN: Currency = several("¥ (CNY or JPY)", &["CNY", "JPY"]);
/// 元 stands behind amounts where Chinese is written; other currencies have words of their own (美元, 欧元).
pub(super) const YUAN: Currency = several("元", &["CNY", "TWD", "HKD", "MOP"]);
/// 圆 is the old form of 元, and of 円.
const ROUND: Currency = several("元", &["CNY", "TWD", "HKD", "MOP", "JPY"]);
/// Currencies whose amounts may end with 元 as well, where a word before them says which it is.
pub(super) const NAMED_BESIDE_YUAN: [&str; 8] = ["USD", "AUD", "CAD", "SGD", "NZD", "EUR", "JPY", "KRW"];
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
const KES: Currency = one(&["KES"]);
const MXN: Currency = one(&["MXN"]);
const GHS: Currency = one(&["GHS"]);
const CHF: Currency = one(&["CHF"]);
const FCFA: Currency = several("FCFA (XAF or XOF)", &["XAF", "XOF"]);
const CREDITS: Currency = one(&["credits"]);
const POINTS: Currency = one(&["points"]);
const TOKENS: Currency = one(&["tokens"]);

/// Currencies whose amounts are commonly written as 1.234,56.
pub(super) const DOT_GROUPS: [&str; 16] =
    ["EUR", "BRL", "ARS", "CLP", "COP", "IDR", "VND", "TRY", "DKK", "ISK", "RSD", "RON", "UYU", "PYG", "CRC", "BGN"];
/// Those of them with which nobody pays a part of one, and that share no sign with others.
pub(super) const NO_DECIMALS: [&str; 4] = ["IDR", "ISK", "PYG", "VND"];
/// Others with a decimal comma.
pub(super) const DECIMAL_COMMA: [&str; 16] =
    ["BAM", "DZD", "GEL", "MAD", "MKD", "RUB", "UAH", "BYN", "KZT", "PLN", "CZK", "NOK", "SEK", "HUF", "CHF", "ALL"];

/// Currencies whose amounts are written with a decimal point wherever they are used, or nearly so. Of any other one it has to
/// be expected that a comma is its decimal sign.
pub(super) const DECIMAL_POINT: [&str; 72] = [
    "AED", "AUD", "BBD", "BDT", "BHD", "BMD", "BSD", "BTN", "BWP", "BZD", "CAD", "CNH", "CNY", "DOP", "EGP", "ETB",
    "FJD", "FKP", "GBP", "GHS", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL", "ILS", "INR", "JMD", "JOD", "JPY", "KES",
    "KPW", "KRW", "KWD", "KYD", "LKR", "LRD", "MMK", "MNT", "MOP", "MUR", "MVR", "MWK", "MXN", "MYR", "NGN", "NIO",
    "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "QAR", "SAR", "SBD", "SGD", "SHP", "SLE", "SVC", "THB",
    "TTD", "TWD", "TZS", "UGX", "USD", "WST", "XCD", "ZMW",
];

/// Signs, most of them with the letters that say which country's; the longest one that fits counts.
pub(in crate::model::amount) const SIGNS: [(&str, Currency); 78] = [
    // "Moneda nacional", as Mexicans write it behind their dollars.
    ("M.N.", MXN),
    ("$", DOLLAR),
    ("US dollar", USD),
    ("US dollars", USD),
    ("U.S. dollars", USD),
    ("U$S", USD),
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
    ("đ", one(&["VND"])),
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
    ("GH₵", GHS),
    ("GH¢", GHS),
    ("S/", one(&["PEN"])),
    ("S/.", one(&["PEN"])),
    ("B/.", one(&["PAB"])),
    ("Fr.", CHF),
    ("SFr.", CHF),
    ("Dhs.", one(&["AED"])),
    ("Bs.", one(&["BOB"])),
    ("F CFA", FCFA),
    ("so'm", one(&["UZS"])),
    ("грн.", one(&["UAH"])),
    ("лв.", one(&["BGN"])),
    ("din.", one(&["RSD"])),
    ("ден.", one(&["MKD"])),
    ("د.إ", one(&["AED"])),
    ("ر.س", one(&["SAR"])),
    ("د.ك", one(&["KWD"])),
    ("ש\"ח", one(&["ILS"])),
];

/// Words of scripts without blanks between words; the longest one that fits counts.
pub(in crate::model::amount) const CJK: [(&str, Currency); 68] = [
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
const SPELT: [(&str, Currency); 49] = [
    ("KSh", KES),
    ("Ksh", KES),
    ("KSH", KES),
    ("KShs", KES),
    ("Kshs", KES),
    ("TSh", one(&["TZS"])),
    ("Tsh", one(&["TZS"])),
    ("USh", one(&["UGX"])),
    ("Ush", one(&["UGX"])),
    ("R", one(&["ZAR"])),
    ("TL", one(&["TRY"])),
    ("บาท", THB),
    ("Php", one(&["PHP"])),
    ("PhP", one(&["PHP"])),
    ("FCFA", FCFA),
    ("CFA", FCFA),
    ("Fr", CHF),
    ("SFr", CHF),
    ("KD", one(&["KWD"])),
    ("SR", one(&["SAR"])),
    ("Br", several("Br (BYN or ETB)", &["BYN", "ETB"])),
    ("Dhs", one(&["AED"])),
    ("Dh", one(&["AED"])),
    ("NIS", one(&["ILS"])),
    ("Rf", one(&["MVR"])),
    ("Bs", one(&["BOB"])),
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
    ("тенге", one(&["KZT"])),
    ("сом", one(&["KGS"])),
    ("сум", one(&["UZS"])),
    ("ден", one(&["MKD"])),
    ("гривен", one(&["UAH"])),
    ("tenge", one(&["KZT"])),
    ("MEX", MXN),
];

/// Those of them that may end with a full stop.
pub(in crate::model::amount) const ABBREVIATIONS: [&str; 12] =
    ["kr", "Kr", "Rs", "Rp", "Tk", "руб", "р", "KSh", "Ksh", "Kshs", "TSh", "USh"];

/// Words in any case.
const WORDS: [(&str, Currency); 25] = [
    ("rmb", CNY),
    ("yuan", CNY),
    ("yen", JPY),
    ("dollar", DOLLAR),
    ("dollars", DOLLAR),
    ("euro", EUR),
    ("euros", EUR),
    ("rupees", RUPEE),
    ("pounds", several("pounds (GBP or EGP)", &["GBP", "EGP", "LBP", "SDG"])),
    ("pesos", several("pesos", &["MXN", "ARS", "CLP", "COP", "PHP", "UYU", "DOP", "CUP"])),
    ("dirhams", several("dirhams (AED or MAD)", &["AED", "MAD"])),
    ("dinars", several("dinars", &["KWD", "RSD", "BHD", "JOD", "DZD", "TND", "IQD", "LYD"])),
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
pub(super) static ISO: [&str; 156] = [
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

/// Codes of ISO 4217 that were given up, and of units that people seldom pay with.
pub(super) const FORMER: [&str; 50] = [
    "ATS", "BEF", "BOV", "BYR", "CHE", "CHW", "CLF", "COU", "CUC", "CYP", "DEM", "EEK", "ESP", "FIM", "FRF", "GGP",
    "GHC", "GRD", "HRK", "IEP", "IMP", "ITL", "JEP", "LTL", "LUF", "LVL", "MRO", "MTL", "MXV", "NLG", "PTE", "ROL",
    "RUR", "SIT", "SKK", "SLL", "STD", "TRL", "UYI", "VED", "VEF", "XAG", "XAU", "XDR", "XPD", "XPT", "XSU", "ZMK",
    "ZWD", "ZWL",
];

/// Codes that are words too: they count in capitals only.
pub(crate) const WORDLIKE: [&str; 14] =
    ["ALL", "BAM", "BOB", "COP", "CUP", "GEL", "MAD", "MOP", "PAB", "PEN", "RON", "SOS", "TOP", "TRY"];

/// An upper bound of the length of these words, in bytes.
const LONGEST_NAME: usize = 16;

/// The currency that a word of letters names, whole.
pub(in crate::model::amount) fn of_letters(word: &str) -> Option<Currency> {
    // Most words name none: their length says so, or one look.
    if word.len() > LONGEST_NAME {
        return None;
    }
    static NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let names = SPELT.iter().chain(&WORDS).map(|(name, _)| *name).chain(COINS).chain(ISO);
        names.map(str::to_ascii_lowercase).collect()
    });
    if !NAMES.contains(&word.to_ascii_lowercase()) {
        return None;
    }
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
pub(in crate::model::amount) const MINOR: [(&str, &str, Currency); 4] =
    [("分", "0.01", YUAN), ("角", "0.1", YUAN), ("毛", "0.1", CNY), ("¢", "0.01", CENT)];

/// The hundredth of a currency, in letters.
pub(in crate::model::amount) fn minor_of_letters(word: &str) -> Option<Currency> {
    match word {
        "cent" | "cents" | "Cent" | "Cents" | "CENTS" => Some(CENT),
        "pence" => Some(GBP),
        _ => None,
    }
}
