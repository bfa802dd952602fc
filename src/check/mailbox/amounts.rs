//! The amount that a mail names, read by the program's one reader of amounts ([`crate::model::amount`]).
//!
//! A mail speaks of several: what is left, what is owed, and the threshold that somebody set. Of what is left the mail is most
//! likely about, then of what is owed, then of the only amount there is. Thresholds, offers and prices by the month are none of them.
//! Where two amounts are as likely, or one can be read in two ways, none is told.

use rust_decimal::Decimal;

use crate::model::amount::{self, Currency, Word};

/// Most numbers of a mail that are looked at.
const MOST_NUMBERS: usize = 1000;
/// So far before a number its currency may begin, and so far its label, in bytes.
const MOST_BEFORE: usize = 24;
const MOST_CONTEXT: usize = 160;
/// Most words that belong to a number behind it.
const MOST_AFTER: usize = 4;

/// An amount, with its currency where one is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// How much.
    pub value: Decimal,
    /// In what, as an ISO 4217 code.
    pub currency: Option<&'static str>,
}

/// What an amount is, by the words around it; the most telling last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// A threshold, an offer, a price.
    Beside,
    /// Nothing says what it is.
    Plain,
    /// What is owed.
    Due,
    /// What is left.
    Balance,
}

/// Words before what is left.
const BALANCE: [&str; 24] = [
    "余额",
    "餘額",
    "残高",
    "额度",
    "額度",
    "剩余",
    "剩餘",
    "结余",
    "結餘",
    "还剩",
    "還剩",
    "仅剩",
    "僅剩",
    "balance",
    "available",
    "remaining",
    "credit left",
    "guthaben",
    "kontostand",
    "saldo",
    "solde",
    "баланс",
    "bakiye",
    "saldosu",
];
/// Words before what is owed.
const DUE: [&str; 30] = [
    "金额",
    "金額",
    "欠费",
    "欠費",
    "应付",
    "應付",
    "应缴",
    "應繳",
    "待支付",
    "待缴",
    "待繳",
    "账单",
    "帳單",
    "請求額",
    "amount",
    "total",
    "due",
    "owe",
    "owed",
    "owing",
    "invoice",
    "charge",
    "charged",
    "payment",
    "betrag",
    "montant",
    "importe",
    "сумма",
    "tutar",
    "outstanding",
];
/// Words before a threshold, an offer, or what somebody is to pay in.
const BESIDE_BEFORE: [&str; 76] = [
    "不足",
    "低于",
    "低於",
    "少于",
    "少於",
    "小于",
    "小於",
    "不到",
    "未达",
    "未達",
    "超过",
    "超過",
    "高于",
    "高於",
    "大于",
    "阈值",
    "閾值",
    "閥值",
    "门槛",
    "預警",
    "预警",
    "警戒",
    "提醒值",
    "告警值",
    "下限",
    "上限",
    "限额",
    "限額",
    "设置的",
    "設定的",
    "最低",
    "最少",
    "至少",
    "充值",
    "儲值",
    "满",
    "滿",
    "送",
    "赠",
    "贈",
    "优惠",
    "優惠",
    "以上",
    "未満",
    "下回",
    "below",
    "under",
    "less than",
    "lower than",
    "fewer than",
    "above",
    "more than",
    "over",
    "exceeds",
    "exceeded",
    "reaches",
    "threshold",
    "limit",
    "minimum",
    "at least",
    "up to",
    "top up",
    "top-up",
    "save",
    "get",
    "when",
    "out of",
    "used",
    "spent",
    "last payment",
    "previous",
    "已用",
    "已使用",
    "消费",
    "消耗",
    "上次",
];
/// Words behind one.
const BESIDE_AFTER: [&str; 18] = [
    "以下",
    "以上",
    "以内",
    "以內",
    "的预警",
    "的預警",
    "起",
    "threshold",
    "limit",
    "minimum",
    "or less",
    "free",
    "bonus",
    "off",
    "budget",
    "plan",
    "quota",
    "套餐",
];
/// Words behind what is left.
const BALANCE_AFTER: [&str; 5] = ["remaining", "left", "available", "restant", "restants"];
/// Words between two amounts of one kind.
const AND: [&str; 12] = ["和", "与", "與", "及", "以及", "或", "、", "and", "or", "&", "+", "~"];

/// The amount that a text is about, if that is clear.
pub fn amount(text: &str) -> Option<Amount> {
    let text = fold(text);
    let customs = Customs::of(&text);
    let mut found: Vec<(Role, Option<Amount>)> = Vec::new();
    let (mut from, mut taken, mut role) = (0, 0, Role::Plain);
    for _ in 0..MOST_NUMBERS {
        let Some(start) = amount::number_start(&text, from) else {
            break;
        };
        let number = Number::at(&text, start, taken);
        let context = context(&text[taken..number.before_at]);
        let is_one_clause = taken > 0 && context.len() == number.before_at - taken;
        role = match number.role(context) {
            _ if AND.contains(&context.trim()) => role,
            // `$80 of $100`, `80% of your $100`
            _ if taken > 0 && is_one_clause && begins_with(context, &["of"]).is_some() => Role::Beside,
            Role::Plain if is_one_clause && role == Role::Beside => Role::Beside,
            role => role,
        };
        if role != Role::Beside {
            found.extend(number.value(context, role, &customs).map(|value| (role, value)));
        }
        from = number.after_at;
        // `$5 left, ...`: the word belongs to this number and to no later one; of a percentage is what a share is taken of.
        let behind = number.behind();
        taken = from + begins_with(behind, &BALANCE_AFTER).or_else(|| begins_with(behind, &["%"])).unwrap_or_default();
    }
    let most = found.iter().map(|(role, _)| *role).max()?;
    let mut likely = found.into_iter().filter(|(role, _)| *role == most).map(|(_, value)| value);
    let mut all = likely.next()??;
    for other in likely {
        let other = other?;
        let is_same = other.value == all.value
            && (all.currency == other.currency || all.currency.is_none() || other.currency.is_none());
        if !is_same {
            return None;
        }
        all.currency = all.currency.or(other.currency);
    }
    Some(all)
}

/// As amounts are folded, white space brought together as well. A comma of full width parts clauses, never thousands, except
/// between digits of its own width.
fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let is_wide_digit = |c: Option<char>| c.is_some_and(|c| ('０'..='９').contains(&c));
    let mut chars = text.chars().peekable();
    let mut last = None;
    while let Some(c) = chars.next() {
        let c = match c {
            '，' if !(is_wide_digit(last) && is_wide_digit(chars.peek().copied())) => ';',
            '\n' | '\r' => '\n',
            '\u{A0}' | '\u{2009}' | '\u{202F}' => '\u{A0}',
            c if c.is_whitespace() || c.is_control() => ' ',
            c => c,
        };
        let is_run = matches!((last, c), (Some(' '), ' ') | (Some('\n'), ' ' | '\n'));
        if !is_run {
            out.push(c);
        }
        last = Some(c);
    }
    amount::fold(&out)
}

/// What a sign that several countries share stands for in this mail.
struct Customs {
    /// It is written in traditional characters, where 元 and `$` may be of Hong Kong or Taiwan.
    is_traditional: bool,
    has_kana: bool,
    has_han: bool,
    /// It speaks of another country's dollars.
    has_other_dollars: bool,
}

impl Customs {
    fn of(text: &str) -> Customs {
        let other = ["HKD", "HK$", "TWD", "NT$", "CAD", "CA$", "AUD", "AU$", "NZD", "SGD", "MXN", "ARS", "CLP", "COP"];
        Customs {
            is_traditional: text.contains(|c| "餘額帳單幣繳應費請儲續臺".contains(c)),
            has_kana: text.contains(|c: char| ('\u{3041}'..='\u{30FF}').contains(&c) && c != '・')
                || text.contains('円'),
            has_han: text.contains(|c: char| ('\u{4E00}'..='\u{9FFF}').contains(&c)),
            has_other_dollars: other.iter().any(|name| text.contains(name)),
        }
    }

    fn code(&self, currency: &Currency) -> Option<&'static str> {
        if let Some(code) = currency.code() {
            return Some(code);
        }
        match currency.label() {
            "$" if !self.is_traditional && !self.has_other_dollars => Some("USD"),
            "元" if !self.is_traditional => Some("CNY"),
            "¥ (CNY or JPY)" if self.has_kana => Some("JPY"),
            "¥ (CNY or JPY)" if self.has_han => Some("CNY"),
            _ => None,
        }
    }
}

/// A number with the words that belong to it.
struct Number<'a> {
    text: &'a str,
    /// Where the words before it, the number, the words behind it begin, and where these end.
    before_at: usize,
    start: usize,
    end: usize,
    after_at: usize,
    before: Vec<Word>,
    after: Vec<Word>,
}

impl<'a> Number<'a> {
    /// The number at a place. What stands before `taken` belongs to another one.
    fn at(text: &'a str, start: usize, taken: usize) -> Number<'a> {
        let end = number_end(text, start);
        let (before, before_at) = words_before(text, taken.max(start.saturating_sub(MOST_BEFORE)), start);
        let (after, after_at) = words_after(text, end);
        Number { text, before_at, start, end, after_at, before, after }
    }

    fn digits(&self) -> &'a str {
        &self.text[self.start..self.end]
    }

    fn behind(&self) -> &'a str {
        &self.text[self.after_at..]
    }

    /// What the words around it say.
    fn role(&self, context: &str) -> Role {
        if begins_with(self.behind(), &BESIDE_AFTER).is_some() {
            return Role::Beside;
        }
        let context = context.to_lowercase();
        if let Some(role) = label_at_end(&context) {
            return role;
        }
        if last(&context, &BESIDE_BEFORE).is_some() {
            return Role::Beside;
        }
        let (balance, due) = (last(&context, &BALANCE), last(&context, &DUE));
        match (balance, due) {
            (None, None) if begins_with(self.behind(), &BALANCE_AFTER).is_some() => Role::Balance,
            (None, None) => Role::Plain,
            (balance, due) if due > balance => Role::Due,
            _ => Role::Balance,
        }
    }

    /// Nothing if it is no amount at all; none if it can be read in two ways.
    #[allow(clippy::option_option, reason = "the two nones are different answers")]
    fn value(&self, context: &str, role: Role, customs: &Customs) -> Option<Option<Amount>> {
        let is_money = |word: &Word| match word {
            Word::Currency(currency) => !["credits", "points", "tokens"].contains(&currency.label()),
            Word::Part(..) => role > Role::Plain,
            _ => false,
        };
        let has_currency = self.before.iter().chain(&self.after).any(is_money);
        let previous = self.text[..self.before_at].chars().next_back();
        let next = self.behind().chars().next();
        // A part of a word, an address, a date, a price by the month.
        if self.before.is_empty() && previous.is_some_and(|c| c.is_ascii_alphanumeric() || "#@_/".contains(c))
            || next.is_some_and(|c| "/%@_".contains(c))
        {
            return None;
        }
        let is_glued = next.is_some_and(|c| c.is_ascii_alphanumeric());
        if !has_currency {
            let follows = self.behind().trim_start_matches([' ', '\u{A0}']).chars().next();
            let is_last = follows.is_none_or(|c| "\n.,;:!?)|。、".contains(c));
            let is_labelled = label_at_end(&context.to_lowercase()).is_some();
            if !is_labelled || is_glued || !is_last {
                return None;
            }
        }
        if is_glued
            || self.is_range()
            || self.is_in_parentheses()
            || !self.is_signed_clearly()
            || !self.is_apart(context)
        {
            return Some(None);
        }
        let money = amount::assemble(&self.before, self.digits(), &self.after, None).ok();
        Some(money.map(|money| Amount {
            value: money.value.normalize(),
            currency: money.currency.filter(|_| has_currency).and_then(|currency| customs.code(&currency)),
        }))
    }

    /// `5-10`, `5~10`, `5至10`.
    fn is_range(&self) -> bool {
        let mut behind = self.behind().trim_start_matches(' ').chars();
        behind.next().is_some_and(|c| "-~–—至到".contains(c))
            && behind.as_str().trim_start_matches(' ').starts_with(|c: char| c.is_ascii_digit())
            || self.text[..self.before_at].trim_end().ends_with(['~', '–', '—', '至', '到'])
    }

    /// `Balance: ($12.50)` may be a debt.
    fn is_in_parentheses(&self) -> bool {
        let before = self.text[..self.before_at].trim_end_matches(' ');
        let Some(before) = before.strip_suffix('(') else {
            return false;
        };
        before.trim_end_matches(' ').ends_with([':', '=']) && self.behind().starts_with(')')
    }

    /// A dash before it is a minus, and none that parts words or numbers.
    fn is_signed_clearly(&self) -> bool {
        let words = &self.text[self.before_at..self.start];
        let Some((at, sign)) = words.char_indices().find(|(_, c)| matches!(c, '-' | '\u{2212}' | '+')) else {
            return true;
        };
        let at = self.before_at + at;
        let previous = self.text[..at].chars().next_back();
        let next = self.text[at + sign.len_utf8()..].chars().next();
        let begins = previous.is_none_or(|c| c.is_whitespace() || ":=(为為是$¥€£".contains(c));
        begins && !next.is_some_and(char::is_whitespace)
    }

    /// Blanks part thousands only where no other number can stand before it: `on 25 100 USD`.
    fn is_apart(&self, context: &str) -> bool {
        if !self.digits().contains(' ') {
            return true;
        }
        let context = context.trim_end();
        context.is_empty()
            || context.ends_with([':', '='])
            || self.before.iter().any(|word| matches!(word, Word::Currency(_)))
            || label_at_end(&context.to_lowercase()).is_some()
    }
}

/// As the reader's, except that a blank belongs to a number only before a group of exactly three digits.
fn number_end(text: &str, start: usize) -> usize {
    let end = amount::number_end(text, start);
    let number = &text[start..end];
    let Some(mut blank) = number.find(' ') else {
        return end;
    };
    if !(1..=3).contains(&blank) {
        return start + blank;
    }
    loop {
        let group = &number[blank + 1..];
        let length = group.find(|c: char| !c.is_ascii_digit()).unwrap_or(group.len());
        if length != 3 {
            return start + blank;
        }
        let after = blank + 1 + length;
        match number[after..].chars().next() {
            Some(' ') => blank = after,
            None => return end,
            // The decimals; a blank behind them belongs to another number.
            Some(_) => return start + number[after..].find(' ').map_or(number.len(), |at| after + at),
        }
    }
}

/// The words that end at a number, as many as there are, and where they begin.
fn words_before(text: &str, from: usize, end: usize) -> (Vec<Word>, usize) {
    let from = text.ceil_char_boundary(from);
    let mut previous = text[..from].chars().next_back();
    for (at, c) in text[from..end].char_indices() {
        let is_inside = is_latin(c) && previous.is_some_and(is_latin);
        let is_begin = !is_inside && !c.is_whitespace();
        previous = Some(c);
        let words = if is_begin { amount::words(&text[from + at..end]) } else { None };
        if let Some(words) = words.filter(|words| !words.is_empty()) {
            return (words, from + at);
        }
    }
    (Vec::new(), end)
}

/// The words that begin behind a number, at most one blank between them, and where they end.
fn words_after(text: &str, start: usize) -> (Vec<Word>, usize) {
    let (mut words, mut end) = (Vec::new(), start);
    while words.len() < MOST_AFTER {
        let rest = &text[end..];
        let blank = rest.chars().next().filter(|c| matches!(c, ' ' | '\u{A0}')).map_or(0, char::len_utf8);
        let Some((word, length)) = amount::word(&rest[blank..]) else {
            break;
        };
        let behind = &rest[blank + length..];
        // `5 $10` are two numbers, and a minute is no hundredth.
        let is_next = blank > 0 && behind.starts_with(|c: char| c.is_ascii_digit());
        if matches!(word, Word::Sign { .. }) || is_next || behind.starts_with(['钟', '鐘']) {
            break;
        }
        words.push(word);
        end += blank + length;
    }
    (words, end)
}

/// What stands before a number in its clause.
fn context(before: &str) -> &str {
    let before = &before[before.ceil_char_boundary(before.len().saturating_sub(MOST_CONTEXT))..];
    let mut next: Option<char> = None;
    for (at, c) in before.char_indices().rev() {
        let is_end = match c {
            ';' | '。' | '!' | '?' | '|' | '…' => true,
            '\n' => !before[..at].trim_end().ends_with([':', '=']),
            '.' => next.is_none_or(char::is_whitespace),
            ',' => !next.is_some_and(|c| c.is_ascii_digit()),
            _ => false,
        };
        if is_end {
            return &before[at + c.len_utf8()..];
        }
        next = Some(c);
    }
    before
}

/// A label that the number follows at once, or behind a colon; not one that speaks of a threshold.
fn label_at_end(context: &str) -> Option<Role> {
    let bare = context.trim_end_matches([' ', '\u{A0}', '\n', '(']);
    let has_colon = bare.ends_with([':', '=']);
    let bare = bare.trim_end_matches([':', '=', ' ']);
    let bare = bare.trim_end_matches(['为', '為', '是', 'は', '约', '約', '仅', '僅', '共', ' ']);
    let of = |words: &[&'static str], role: Role| {
        let word = words.iter().find(|word| {
            bare.ends_with(*word) && (has_cjk(word) || has_colon) && is_word(bare, bare.len() - word.len(), bare.len())
        })?;
        // The run of words that it ends: in Latin script back to the punctuation.
        let head = &bare[..bare.len() - word.len()];
        let parts = |c: char| ":;(（【】)）".contains(c) || (has_cjk(word) && c.is_whitespace());
        let run = head.rfind(parts).map_or(bare, |at| &bare[at..]);
        last(run, &BESIDE_BEFORE).is_none().then_some(role)
    };
    of(&BALANCE, Role::Balance).or_else(|| of(&DUE, Role::Due))
}

/// The length of what a text begins with, if it is one of some words.
fn begins_with(text: &str, words: &[&str]) -> Option<usize> {
    let bare = text.trim_start_matches([' ', '\u{A0}']);
    let blanks = text.len() - bare.len();
    let start = bare[..bare.floor_char_boundary(24)].to_lowercase();
    let word = words.iter().find(|word| start.starts_with(**word) && is_word(&start, 0, word.len()))?;
    Some(blanks + word.len())
}

/// Where the last of some words stands.
fn last(text: &str, words: &[&str]) -> Option<usize> {
    words
        .iter()
        .filter_map(|word| text.rmatch_indices(word).find(|(at, _)| is_word(text, *at, at + word.len())))
        .map(|(at, _)| at)
        .max()
}

/// Whether a match does not begin or end inside a Latin word.
fn is_word(text: &str, start: usize, end: usize) -> bool {
    let splits = |at: usize| {
        text[..at].chars().next_back().is_some_and(is_latin) && text[at..].chars().next().is_some_and(is_latin)
    };
    !splits(start) && !splits(end)
}

fn has_cjk(word: &str) -> bool {
    word.chars().any(|c| c >= '\u{2E80}')
}

fn is_latin(c: char) -> bool {
    c.is_alphanumeric() && c < '\u{2E80}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for (text, want, currency) in [
            ("余额：100.50 元", Some("100.5"), Some("CNY")),
            ("当前金额: 200.00", Some("200"), None),
            ("当前余额 CNY 1000.00", Some("1000"), Some("CNY")),
            ("余额：1,234.56 元", Some("1234.56"), Some("CNY")),
            ("余额：　 66.60 元", Some("66.6"), Some("CNY")),
            ("余额：１２．５０元", Some("12.5"), Some("CNY")),
            ("余额为 -12.00 元", Some("-12"), Some("CNY")),
            ("余额仅剩 3 万元", Some("30000"), Some("CNY")),
            ("余额：,,, 元", None, None),
            ("请及时充值", None, None),
            ("您的可用额度为1.43元，已不足您设置的预警值5.00元", Some("1.43"), Some("CNY")),
            ("Your balance is $4.20", Some("4.2"), Some("USD")),
            ("Amount due: US$ 1,000", Some("1000"), Some("USD")),
            ("HK$20 left", Some("20"), Some("HKD")),
            ("12.50 EUR", Some("12.5"), Some("EUR")),
            ("余额：￥88.88", Some("88.88"), Some("CNY")),
            ("余额：99999999999999999999999999999999999 元", None, None),
            ("call 400-123-456", None, None),
        ] {
            let got = amount(text);
            assert_eq!(got.as_ref().map(|amount| amount.value.to_string()).as_deref(), want, "{text}");
            assert_eq!(got.and_then(|amount| amount.currency), currency, "{text}");
        }
    }

    /// `tests/amounts/mails.tsv` says how it is to be read.
    #[test]
    fn mails_name_one_amount_or_none_is_told() {
        let table = include_str!("../../../tests/amounts/mails.tsv");
        let mut wrong = Vec::new();
        let mut rows = 0;
        for row in table.lines().filter(|line| !line.starts_with('#')) {
            let [value, currency, text] = row.splitn(3, '\t').collect::<Vec<_>>().try_into().unwrap();
            let got = amount(&text.replace("\\n", "\n"));
            let shown = got.as_ref().map(|got| (got.value.to_string(), got.currency.unwrap_or("-")));
            let wanted = (value.trim_end_matches('?').to_owned(), currency);
            let is_right = match &shown {
                None => value == "-" || value.ends_with('?'),
                Some(shown) => *shown == wanted,
            };
            if !is_right {
                wrong.push(format!("{text}: wanted {value} {currency}, got {shown:?}"));
            }
            rows += 1;
        }
        assert!(rows >= 120, "{rows}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn hostile_text_comes_to_an_end() {
        let most = 256 * 1024;
        for piece in
            ["9", "9 ", "9,", "1 234 ", "$", "(", "-", "元", "US", "余额", "余额 1元 ", "9万", "HK$ 1 ", ".", "\u{a0}1"]
        {
            amount(&piece.repeat(most / piece.len()));
        }
    }

    #[test]
    fn nothing_in_a_mail_can_break_the_reader() {
        let pieces = [
            "1",
            "23",
            "456",
            "1,234.56",
            ",",
            ".",
            "'",
            "’",
            " ",
            "\u{a0}",
            "\u{202f}",
            "\n",
            "$",
            "US$",
            "€",
            "元",
            "万",
            "千",
            "分",
            "kr",
            "USD",
            "k",
            "M",
            "CR",
            "-",
            "−",
            "(",
            ")",
            "JPY",
            "余额",
            "：",
            "，",
            "不足",
            "balance",
            "below",
            "of",
            "%",
            "/",
            "９",
            "．",
            "İ",
            "ß",
            "é",
            "\u{200b}",
            "💰",
            "和",
            "remaining",
            "日",
        ];
        let mut random = fastrand::Rng::with_seed(12);
        for _ in 0..20_000 {
            let text: String = (0..random.usize(1..14)).map(|_| pieces[random.usize(..pieces.len())]).collect();
            amount(&text);
            let _ = crate::model::amount::read(&text);
        }
    }
}
