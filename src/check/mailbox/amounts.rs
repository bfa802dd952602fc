//! The amount that a mail's alert shows.
//!
//! A mail speaks of several: what is left, what is owed, a charge that failed, and thresholds, prices, fees and proposed payments.
//! All of them are found with the place where they stand ([`layout`]), the words around each say what it is ([`cues`]), and of
//! those that are what the alert is about, the one that there is, is shown ([`decide`]). The program's one reader of amounts
//! ([`crate::model::amount`]) reads all of them. Where two amounts are as likely, or one can be read in two ways, none is told.

mod candidate;
mod columns;
mod cues;
mod decide;
mod layout;
mod number;
mod sums;
mod weigh;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use rust_decimal::Decimal;

use self::candidate::{Candidate, Kind, Listed};
use self::layout::Sheet;
use self::number::{Manner, Number};
use super::customs::Customs;
use super::phrases::{self, BLANKS, Words};
use crate::model::{amount, text};

/// Most numbers of a mail that are looked at.
const MOST_NUMBERS: usize = 1000;
/// So much of the words behind a number is searched for what it counts, in bytes.
const MOST_BEHIND: usize = 80;
/// Longest sentence that is shown as the place of an amount, in characters.
const MOST_WORDS: usize = 120;

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
    /// The sentence or the row of a table that it stands in, on one line.
    pub words: String,
}

/// The amount that a mail about trouble is about, if that is clear.
pub(super) fn shown(subject: &str, text: &str) -> Option<ShownAmount> {
    if amount::is_turned(subject) || amount::is_turned(text) {
        return None;
    }
    let text = ended_conditions(text);
    let sheet = Sheet::new(subject, &text);
    let mut candidates = candidates(&sheet);
    weigh::weigh(&sheet, &mut candidates);
    let (at, role) = decide::decide(&sheet, &candidates)?;
    let candidate = &candidates[at];
    let sentence = &sheet.sentences[candidate.sentence];
    let mut amount = candidate.amount.clone()?;
    if role == Role::Owed && candidate.score(cues::Sense::Left) > candidate.score(cues::Sense::Owed) {
        amount.value = amount.value.abs();
    }
    Some(ShownAmount { amount, role, words: text::one_line(&sheet.text[sentence.range.clone()], MOST_WORDS) })
}

/// Ends the statement `余额不足` where a blank and another statement follow: in `余额不足 余额：5元` the first words do not say that 5 is
/// the least.
fn ended_conditions(text: &str) -> Cow<'_, str> {
    const NEXT: [&str; 6] = ["余额", "餘額", "当前", "當前", "目前", "可用"];
    let mut ended = Cow::Borrowed(text);
    for condition in ["余额不足", "餘額不足"] {
        let is_followed = |rest: &str| {
            rest.starts_with([' ', '\u{A0}', '\u{3000}']) && NEXT.iter().any(|next| rest.trim_start().starts_with(next))
        };
        if ended.split(condition).skip(1).any(is_followed) {
            let mut parts = ended.split(condition);
            let mut whole = parts.next().unwrap_or_default().to_owned();
            for rest in parts {
                whole.push_str(condition);
                whole.push_str(if is_followed(rest) { "。" } else { "" });
                whole.push_str(rest);
            }
            ended = Cow::Owned(whole);
        }
    }
    ended
}

fn candidates(sheet: &Sheet) -> Vec<Candidate> {
    let text = &sheet.text;
    let (manner, customs) = (Manner::of(&sheet.low), Customs::of(text, &sheet.low));
    let whole = phrases::Manner::of(&sheet.low);
    let mut found: Vec<Candidate> = Vec::new();
    if whole.has_scale {
        return found;
    }
    let (mut from, mut taken) = (0, 0);
    for _ in 0..MOST_NUMBERS {
        let Some(start) = amount::number_start(text, from) else {
            break;
        };
        let mut number = Number::at(text, start, taken);
        let unit = if number.has_currency() { None } else { unit_behind(sheet, &number) };
        let kind = match unit {
            _ if number.has_currency() => Kind::Money,
            Some(length) => {
                number.after_at += length;
                Kind::Count
            }
            None if number.is_no_money() => Kind::Count,
            None if cues::has_unit(label(&sheet.low[..number.before_at])) => Kind::Count,
            None if is_left_of_package(sheet, label(&sheet.low[..number.before_at])) => Kind::Count,
            None if is_left_over(&sheet.low[number.after_at..]) => Kind::Count,
            None => Kind::Bare,
        };
        let words = Words::new(text, taken, number.before_at, number.after_at);
        let follows = found.last().is_some_and(|last| last.kind != Kind::Bare && last.range.end == from);
        let is_listed = words.is_listed(number.has_currency(), follows);
        let last = found.last_mut().filter(|last| last.range.end == from);
        let is_after_amount = last.as_ref().is_some_and(|last| last.kind == Kind::Money);
        // Of `May 6 – $5` the two belong together no more than of `May 6, $5`.
        let may_belong = last.is_some() && (is_after_amount || !number.has_currency_before());
        let is_in_range = may_belong && phrases::is_range(&sheet.low[from..number.before_at]);
        if let Some(last) = last.filter(|last| is_in_range || (is_listed && may_belong && last.kind == Kind::Bare)) {
            last.amount = None;
        }
        let range = number.range();
        from = number.after_at;
        taken = from + words.taken_behind();
        if number.is_part() {
            continue;
        }
        let (is_of_another_wallet, is_of_other_money) = words.is_of_another_wallet();
        let sentence = sheet.sentence_at(range.start);
        let is_known = !is_in_range && !number.is_foreign() && !words.is_alone_in_parentheses();
        let around = sheet.around(sentence, &range);
        let before = &text[..number.before_at];
        found.push(Candidate {
            amount: number.value(&manner, &customs, around).filter(|_| is_known),
            kind,
            sentence,
            senses: BTreeMap::new(),
            labels: Vec::new(),
            is_in_column: false,
            is_reason: false,
            doubt: [false, true].map(|is_labelled| {
                [false, true].map(|is_left| {
                    words.is_doubtful(is_left, is_labelled) || (is_left && whole.is_overdrawn && !number.is_negative())
                })
            }),
            listed: match (is_listed && may_belong && kind != Kind::Count, is_after_amount) {
                (false, _) => Listed::No,
                (true, true) => Listed::Like,
                (true, false) => Listed::Unclear,
            },
            is_of_another_wallet: kind == Kind::Money && is_of_another_wallet,
            is_of_other_money: kind == Kind::Money && is_of_other_money,
            is_refused: false,
            is_paid: kind == Kind::Money && words.is_paid(),
            has_noun: phrases::has_noun(label(&sheet.low[..number.before_at])),
            is_formed: number.is_formed() || is_whole_cell(text, &range),
            is_labelled: before.trim_end_matches(BLANKS).ends_with([':', '=']) || before.ends_with('\t'),
            range,
        });
    }
    if let Some(code) =
        only_code(&found).or_else(|| customs.only_named().and_then(|currency| customs.code(&currency, "")))
    {
        let bare = found.iter_mut().filter(|candidate| candidate.kind == Kind::Bare);
        bare.filter_map(|candidate| candidate.amount.as_mut()).for_each(|amount| amount.currency = Some(code));
    }
    found
}

/// The currency of all amounts beside which one stands, if it is one.
fn only_code(found: &[Candidate]) -> Option<&'static str> {
    let money = found.iter().filter(|candidate| candidate.kind == Kind::Money);
    let mut codes = money.map(|candidate| candidate.amount.as_ref().and_then(|amount| amount.currency));
    let first = codes.next()??;
    codes.all(|code| code == Some(first)).then_some(first)
}

/// Whether a number is all that stands in its cell, or behind the colon of its line.
fn is_whole_cell(text: &str, place: &Range<usize>) -> bool {
    let before = text[..place.start].trim_end_matches(' ');
    let behind = text[place.end..].trim_start_matches(' ');
    before.ends_with(['\t', ':']) && (behind.is_empty() || behind.starts_with(['\t', '\n']))
}

/// The length of the unit behind a number. Where the number is alone in its line, the unit may begin the next one.
fn unit_behind(sheet: &Sheet, number: &Number) -> Option<usize> {
    let behind = &sheet.low[number.after_at..];
    let is_alone = sheet.low[..number.before_at].ends_with('\n') && behind.starts_with('\n');
    let gap = if is_alone { behind.len() - behind.trim_start().len() } else { 0 };
    cues::unit(&behind[gap..]).map(|length| gap + length)
}

/// Whether words behind a number say that so many are left, of what is no time: `2 job ads left`.
fn is_left_over(behind: &str) -> bool {
    const LEFT: [&str; 9] =
        ["left", "remaining", "remain", "übrig", "restants", "restantes", "available", "restant", "left:"];
    const TIMES: [&str; 22] = [
        "day", "days", "hour", "hours", "h", "hrs", "week", "weeks", "month", "months", "attempt", "attempts",
        "minute", "seats", "tage", "stunden", "jours", "heures", "días", "horas", "times", "tries",
    ];
    let near = &behind[..behind.floor_char_boundary(MOST_BEHIND)];
    let line = near.split(['\n', ',', ';', '(', '\t']).next().unwrap_or_default();
    let mut words = line.split(' ').filter(|word| !word.is_empty()).take(4);
    let before = words.by_ref().map(|word| word.trim_end_matches(['.', '!', ':']));
    let words: Vec<&str> = before.collect();
    words
        .iter()
        .position(|word| LEFT.contains(word))
        .is_some_and(|at| !words[..at].iter().any(|word| TIMES.contains(word)))
}

/// Whether a label says that so much is left, and the mail of what.
fn is_left_of_package(sheet: &Sheet, label: &str) -> bool {
    const LEFT: [&str; 14] = [
        "remaining",
        "left",
        "available",
        "剩余",
        "余量",
        "剩余量",
        "可用",
        "剩余数量",
        "verbleibend",
        "restant",
        "restantes",
        "残り",
        "残数",
        "仍余",
    ];
    const OF: [&str; 16] = [
        "package",
        "bundle",
        "prepaid",
        "credits",
        "messages",
        "quota",
        "套餐",
        "资源包",
        "配额",
        "讯息",
        "信息包",
        "点数",
        "次数",
        "paket",
        "crédits",
        "クレジット",
    ];
    let label = label.trim_matches(|c: char| !c.is_alphanumeric());
    LEFT.contains(&label) && OF.iter().any(|word| sheet.low.contains(word))
}

/// The words right before a number, in its clause.
fn label(before: &str) -> &str {
    let before = &before[before.ceil_char_boundary(before.len().saturating_sub(MOST_BEHIND))..];
    let from = before.rfind(['\n', ',', ';', '(', '。']).map_or(0, |at| at + 1);
    let from = from.max(before.rfind(|c: char| c.is_ascii_digit()).map_or(0, |at| at + 1));
    before.get(from..).unwrap_or_default()
}

/// The amount that a text is about, its first line being the subject.
pub fn amount(text: &str) -> Option<Amount> {
    let (subject, body) = text.split_once('\n').unwrap_or((text, ""));
    shown(subject, body).map(|shown| shown.amount)
}

#[cfg(test)]
mod tests {
    use super::super::{html, mail, quotes};
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for (text, want, currency) in [
            ("余额：100.50 元", Some("100.5"), Some("CNY")),
            ("x\n余额不足 余额：5元", Some("5"), Some("CNY")),
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
    fn what_is_shown_says_what_it_is() {
        for (subject, body, want) in [
            (
                "Low balance",
                "Your balance of $3.20 is under $10. Add $50 or more.",
                Some(("3.2", Some("USD"), Role::Left)),
            ),
            (
                "Payment failed",
                "We could not charge $49.00 to your card. A fee of $5.00 may apply.",
                Some(("49", Some("USD"), Role::Charge)),
            ),
            (
                "Account 7",
                "Rack, May\t$980.00\nPower, May\t$241.59\nTotal outstanding\t$1,221.59\nReconnection fee: $80",
                Some(("1221.59", Some("USD"), Role::Owed)),
            ),
            (
                "Invoice 7",
                "May (HK$550) and April (HK$550) are both still unpaid, so HK$1,100 in all.",
                Some(("1100", Some("HKD"), Role::Owed)),
            ),
            // A table has the label and the value in one row, and the columns say what stands in them.
            (
                "對帳單",
                "發票\t金額\t已付\t結欠\nA-1\tNT$400\tNT$100\tNT$300\nA-2\tNT$200\tNT$0\tNT$200\n合計\t\t\tNT$500",
                Some(("500", Some("TWD"), Role::Owed)),
            ),
            (
                "余额提醒",
                "当前余额 12.30 元，低于预警值 100 元。建议充值 500 元以上。",
                Some(("12.3", Some("CNY"), Role::Left)),
            ),
            (
                "扣款结果",
                "金额\t￥199.00\n结果\t未成功\n原因\t账户余额（3.00 元）不足",
                Some(("199", Some("CNY"), Role::Charge)),
            ),
            ("短信包", "您的短信点数只剩 86 点，套餐 5000 点 300 元。", Some(("86", None, Role::Left))),
            ("欠费通知", "账户余额 -5,934.20 元，已欠费停机。", Some(("5934.2", Some("CNY"), Role::Owed))),
            // A price to renew at is no debt, a charge that will fail is none that has, and two debts are not clear.
            ("Your domain expires soon", "example.org\t2026-05-13\t$18.98 a year", None),
            ("域名到期提醒", "续费价：79 元/年，逾期将进入赎回期，赎回费 850 元。", None),
            ("Your card expires", "The card expires in May, so the charge of $96 on 9 June will fail.", None),
            ("Overdue", "$20.00 is overdue for May. $30.00 is overdue for June.", None),
        ] {
            let got = shown(subject, body);
            let got = got.map(|got| (got.amount.value.to_string(), got.amount.currency, got.role));
            let want = want.map(|(value, currency, role)| (value.to_owned(), currency, role));
            assert_eq!(got, want, "{subject}: {body}");
        }
    }

    /// What the half shows on which the words may be changed; the other half is measured by the bench.
    #[test]
    fn mails_that_may_be_tuned_on_show_what_they_are_about() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mails/tune");
        let labels = std::fs::read_to_string(format!("{folder}/labels.tsv")).unwrap();
        let (mut right, mut wrong) = (0, Vec::new());
        for label in labels.lines() {
            let fields: Vec<&str> = label.split('\t').collect();
            let [name, _, "trouble", value, currency, ..] = fields.as_slice() else {
                continue;
            };
            let mail = mail::read(&std::fs::read(format!("{folder}/{name}.eml")).unwrap());
            let Some(got) = shown(&mail.subject, &mail.shown) else {
                continue;
            };
            let is_value = value.parse().is_ok_and(|value: Decimal| value == got.amount.value);
            if is_value && got.amount.currency.unwrap_or("-") == *currency {
                right += 1;
            } else {
                wrong.push(format!("{name}: wanted {value} {currency}, got {got:?}"));
            }
        }
        assert!(right >= 160, "{right}");
        assert!(wrong.len() * 33 < right, "{}", wrong.join("\n"));
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
