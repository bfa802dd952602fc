//! The amount that a mail names, read by the program's one reader of amounts ([`crate::model::amount`]).
//!
//! A mail speaks of several: what is left, what is owed, and the threshold that somebody set. It is most likely about what is left,
//! else about what is owed; [`super::phrases`] says which of them an amount is. Thresholds, offers and prices by the month are
//! neither. Where two amounts are as likely, or one can be read in two ways, none is told.

use rust_decimal::Decimal;

use super::customs::{Customs, NO_MONEY};
use super::html::CUT;
use super::phrases::{BLANKS, Label, Manner, Role as Likely, Words, is_latin};
use crate::model::amount::{self, Word};

/// Most numbers of a mail that are looked at.
const MOST_NUMBERS: usize = 1000;
/// So far before a number its currency may begin, in bytes.
const MOST_BEFORE: usize = 24;
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

/// What an amount is to its mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What is left.
    Left,
    /// What is owed.
    Owed,
    /// A charge that failed.
    Charge,
}

impl Role {
    /// The word for it in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Left => "balance",
            Role::Owed => "debt",
            Role::Charge => "failed charge",
        }
    }
}

/// An amount that an alert shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownAmount {
    /// How much.
    pub amount: Amount,
    /// What it is.
    pub role: Role,
    /// The words that it stands in, on one line; empty if they are not known.
    pub words: String,
}

/// The amount that a mail about trouble is about, if that is clear.
pub(super) fn shown(subject: &str, text: &str) -> Option<ShownAmount> {
    let (role, amount) = likeliest(&format!("{subject}\n{text}"))?;
    let role = if role == Likely::Balance { Role::Left } else { Role::Owed };
    Some(ShownAmount { amount, role, words: String::new() })
}

/// The amount that a text is about, if that is clear.
pub fn amount(text: &str) -> Option<Amount> {
    likeliest(text).map(|(_, amount)| amount)
}

/// The same with what it is.
fn likeliest(text: &str) -> Option<(Likely, Amount)> {
    let text = fold(text);
    let (manner, customs) = (Manner::of(&text), Customs::of(&text));
    let mut found: Vec<(Likely, Option<Amount>)> = Vec::new();
    if manner.has_scale {
        return None;
    }
    let (mut from, mut taken, mut last, mut was_amount) = (0, 0, None, true);
    for _ in 0..MOST_NUMBERS {
        let Some(start) = amount::number_start(&text, from) else {
            break;
        };
        let number = Number::at(&text, start, taken);
        let words = Words::new(&text, taken, number.before_at, number.after_at);
        let is_listed = words.is_listed(number.has_currency());
        let label = if is_listed { last } else { words.label(&manner) };
        if let Some(label) = label {
            let value = number.value(&words, label, &manner, &customs);
            // Of `100 or 200 USD` the second is no clearer than the first.
            let value = if is_listed && !was_amount { Some(None) } else { value };
            was_amount = value.is_some();
            found.extend(value.map(|value| (label.role, value)));
        }
        if words.is_of_another_wallet() && number.has_currency() {
            found.push((Likely::Balance, None));
        }
        if words.is_paid() && number.has_currency() {
            found.push((Likely::Due, None));
        }
        last = label;
        from = number.after_at;
        taken = from + words.taken_behind();
    }
    let most = found.iter().map(|(role, _)| *role).max()?;
    only(found.into_iter().filter(|(role, _)| *role == most).map(|(_, value)| value)).map(|amount| (most, amount))
}

/// The amount that all of these are, if they are one and all are clear.
fn only(mut amounts: impl Iterator<Item = Option<Amount>>) -> Option<Amount> {
    let mut all = amounts.next()??;
    for other in amounts {
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
            // Cells of a table, and no separator of thousands.
            '\t' => '\t',
            '\u{A0}' | '\u{2009}' | '\u{202F}' => '\u{A0}',
            c if c.is_whitespace() || c.is_control() => ' ',
            c => c,
        };
        let is_run = matches!((last, c), (Some(' '), ' ') | (Some('\t'), ' ' | '\t') | (Some('\n'), ' ' | '\t' | '\n'));
        if !is_run {
            out.push(c);
        }
        last = Some(c);
    }
    amount::fold(&out)
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

    fn has_currency(&self) -> bool {
        self.before.iter().chain(&self.after).any(|word| matches!(word, Word::Currency(_) | Word::Part(..)))
    }

    fn behind(&self) -> &'a str {
        &self.text[self.after_at..]
    }

    /// Nothing if it is no amount at all; none if it can be read in two ways.
    #[allow(clippy::option_option, reason = "the two nones are different answers")]
    fn value(&self, words: &Words, label: Label, manner: &Manner, customs: &Customs) -> Option<Option<Amount>> {
        let mut around = self.before.iter().chain(&self.after);
        let is_unit = |word: &Word| matches!(word, Word::Currency(unit) if NO_MONEY.contains(&unit.label()));
        if around.any(is_unit) {
            return None;
        }
        let has_currency = self.has_currency();
        let next = self.behind().chars().next();
        // A part of an address, a date, a price by the month.
        if next.is_some_and(|c| "/%@_".contains(c)) {
            return None;
        }
        let is_clear = words.is_clear_behind(label) && self.is_whole();
        let is_known = has_currency || (label.is_strict && is_clear);
        if !is_known {
            // `2.5 GB` is no amount; `1万2千` is one that cannot be read.
            return if self.after.is_empty() { None } else { Some(None) };
        }
        if !is_clear
            || words.is_alone_in_parentheses()
            || !self.is_signed_clearly()
            || !self.is_apart(label)
            || !self.is_grouped_clearly(manner)
        {
            return Some(None);
        }
        let money = amount::assemble(&self.before, self.digits(), &self.after, None).ok();
        let is_debt = |value: Decimal| manner.is_overdrawn && label.role == Likely::Balance && value > Decimal::ZERO;
        let money = money.filter(|money| !is_debt(money.value));
        Some(money.map(|money| Amount {
            value: money.value.normalize(),
            currency: money.currency.filter(|_| has_currency).and_then(|currency| customs.code(&currency)),
        }))
    }

    /// Whether it is all of its number: `5:50`, `1,` with `234.50` in the next line, and `500分`, which are points as well, are not.
    fn is_whole(&self) -> bool {
        if self.text[self.end..].trim_start_matches(BLANKS).starts_with('分') {
            return false;
        }
        let behind = self.behind();
        let has_decimals = self.digits().rfind(['.', ',']).is_some_and(|at| self.digits().len() - at - 1 < 3);
        if !self.after.is_empty() || has_decimals {
            return true;
        }
        let rest = behind.trim_start_matches(['.', ',', '\'', ' ', '\u{A0}', '\n', '\t', CUT]);
        let gap = &behind[..behind.len() - rest.len()];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        // `$5` in one block and `.25` or `25` in the next one may be one amount, or two.
        let is_apart = !gap.contains(['.', ',', '\'', '\n', '\t', CUT]);
        gap.is_empty() || digits == 0 || (digits != 3 && is_apart)
    }

    /// Whether a separator before three digits can only part thousands: it is the decimal sign in other countries.
    fn is_grouped_clearly(&self, manner: &Manner) -> bool {
        let digits = self.digits();
        let mut separators = digits.match_indices(['.', ',']);
        let (Some((at, separator)), None) = (separators.next(), separators.next()) else {
            return true;
        };
        if digits.len() - at != 4 || digits.starts_with('0') || digits.contains([' ', '\'', '’']) {
            return true;
        }
        // English texts write `€1,234`; behind a number the euro is written by others.
        let before = &self.text[self.before_at..self.start];
        let is_english = before.contains('€') || before.contains("EUR");
        let has_decimal_comma = || amount::assemble(&self.before, "1,2", &self.after, None).is_ok();
        separator == "," && !manner.has_decimal_comma && (is_english || !has_decimal_comma())
    }

    /// A dash before it is a minus, and none that parts words or numbers. With a plus it may be what has been paid in.
    fn is_signed_clearly(&self) -> bool {
        let words = &self.text[self.before_at..self.start];
        let Some((at, sign)) = words.char_indices().find(|(_, c)| matches!(c, '-' | '\u{2212}' | '+')) else {
            return true;
        };
        let at = self.before_at + at;
        let previous = self.text[..at].chars().next_back();
        let next = self.text[at + sign.len_utf8()..].chars().next();
        let begins = previous.is_none_or(|c| c.is_whitespace() || ":=(为為是$¥€£".contains(c));
        begins && sign != '+' && !next.is_some_and(char::is_whitespace)
    }

    /// Blanks part thousands only where no other number can stand before it: `on 25 100 USD`.
    fn is_apart(&self, label: Label) -> bool {
        !self.digits().contains([' ', '\u{A0}'])
            || label.is_before
            || self.before.iter().any(|word| matches!(word, Word::Currency(_)))
            || self.text[..self.before_at].trim().is_empty()
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

#[cfg(test)]
mod tests {
    use super::super::{html, quotes};
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

    /// `tests/amounts/mail_wordings.tsv` says what is told.
    #[test]
    fn an_amount_is_told_only_where_the_words_around_it_are_known() {
        let table = include_str!("../../../tests/amounts/mail_wordings.tsv");
        let rows: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
        let wrong: Vec<String> = rows
            .iter()
            .filter_map(|row| {
                let [value, currency, text] = row.splitn(3, '\t').collect::<Vec<_>>().try_into().unwrap();
                let text = text.replace("\\n", "\n");
                let body = if text.starts_with('<') { html::shown(&text) } else { text.clone() };
                let body = quotes::without_quotes(&body);
                let got = amount(&format!("Low balance\n{body}"));
                let shown = got.map(|got| (got.value.to_string(), got.currency.unwrap_or("-")));
                let wanted = (value != "-").then(|| (value.to_owned(), currency));
                (shown != wanted).then(|| format!("{text}: wanted {wanted:?}, got {shown:?}"))
            })
            .collect();
        assert!(rows.len() > 200, "{}", rows.len());
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
