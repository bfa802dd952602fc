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
mod rest;
mod stacked;
mod sums;
mod weigh;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use rust_decimal::Decimal;

use self::candidate::{Candidate, Kind, Listed};
use self::layout::Sheet;
use self::number::{Manner, Number};
use super::currency_signs::Customs;
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
    /// It is known what it is in: a currency, or what is no money, such as messages. An alert tells no other one.
    pub is_of_known_unit: bool,
}

/// The amount that a mail about trouble is about, if that is clear.
pub(super) fn shown(subject: &str, text: &str) -> Option<ShownAmount> {
    if amount::is_turned(subject) || amount::is_turned(text) {
        return None;
    }
    let sheet = Sheet::new(&ended_conditions(subject), &ended_conditions(text));
    let mut candidates = candidates(&sheet);
    if candidates.iter().all(|candidate| candidate.amount.is_none()) {
        return None;
    }
    let matches = cues::find(&sheet.low);
    weigh::weigh(&sheet, &matches, &mut candidates);
    let (at, role) = decide::decide(&sheet, &matches, &candidates)?;
    let candidate = &candidates[at];
    let sentence = &sheet.sentences[candidate.sentence];
    let mut amount = candidate.amount.clone()?;
    if role == Role::Owed && candidate.score(cues::Sense::Left) > candidate.score(cues::Sense::Owed) {
        amount.value = amount.value.abs();
    }
    let is_of_known_unit = amount.currency.is_some() || candidate.kind == Kind::Count;
    Some(ShownAmount {
        amount,
        role,
        is_of_known_unit,
        words: text::one_line(&sheet.text[sentence.range.clone()], MOST_WORDS),
    })
}

/// The currency that a sign in an amount stands for, if several share it and the words of the mail tell which one it is.
pub(super) fn currency_of_sign(text: &str, said: &str) -> Option<&'static str> {
    let currency = amount::read(said).ok()?.currency.filter(|currency| currency.code().is_none())?;
    let text = amount::fold(text);
    Customs::of(&text, &layout::low(&text)).code(&currency, said)
}

/// Ends the statement that something is too low where a blank and another statement follow: in `余额不足 余额：5元` the first words do not
/// say that 5 is the least.
fn ended_conditions(text: &str) -> Cow<'_, str> {
    const CONDITION: &str = "不足";
    const NEXT: [&str; 10] = ["余额", "餘額", "剩余", "剩餘", "当前", "當前", "目前", "现有", "現有", "可用"];
    let is_followed = |end: &usize| {
        let rest = &text[*end..];
        rest.starts_with([' ', '\t', '\u{A0}', '\u{3000}'])
            && NEXT.iter().any(|next| rest.trim_start().starts_with(next))
    };
    let mut whole = String::new();
    let mut from = 0;
    for end in text.match_indices(CONDITION).map(|(at, _)| at + CONDITION.len()).filter(is_followed) {
        whole.push_str(&text[from..end]);
        whole.push('。');
        from = end;
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    whole.push_str(&text[from..]);
    Cow::Owned(whole)
}

fn candidates(sheet: &Sheet) -> Vec<Candidate<'_>> {
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
            // `Credit now 5.02` is money.
            None if !number.has_cents() && cues::has_unit(label(&sheet.low[..number.before_at])) => Kind::Count,
            None if is_left_of_package(sheet, label(&sheet.low[..number.before_at])) => Kind::Count,
            None if is_left_over(&sheet.low[number.after_at..]) => Kind::Count,
            None => Kind::Bare,
        };
        let words = Words::new(text, taken, number.before_at, number.after_at);
        let follows = found.last().is_some_and(|last| last.kind != Kind::Bare && last.range.end == from);
        let is_listed = words.is_listed(number.has_currency(), follows);
        let last_kind = found.last().filter(|last| last.range.end == from).map(|last| last.kind);
        let last = found.last_mut().filter(|last| last.range.end == from);
        let is_after_amount = last.as_ref().is_some_and(|last| last.kind == Kind::Money);
        // Of `May 6 – $5` the two belong together no more than of `May 6, $5`.
        let may_belong = last.is_some() && (is_after_amount || !number.has_currency_before());
        let is_in_range = may_belong && phrases::is_range(&sheet.low[from..number.before_at]);
        if let Some(last) = last.filter(|last| is_in_range || (is_listed && may_belong && last.kind == Kind::Bare)) {
            last.amount = None;
        }
        let is_of_another = is_whole_of_part(
            &text[..number.before_at],
            &text[taken.min(number.before_at)..number.before_at],
            last_kind,
            kind,
        );
        let range = number.range();
        from = number.after_at;
        taken = from + words.taken_behind();
        if number.is_part() {
            continue;
        }
        let (is_of_another_wallet, is_of_other_money) =
            if kind == Kind::Money { words.is_of_another_wallet() } else { (false, false) };
        let sentence = sheet.sentence_at(range.start);
        let is_formed = number.is_formed() || is_whole_cell(text, &range);
        // A number without decimals, a currency, a unit or a cell of its own may be a day or a count of anything.
        let may_be_told = kind != Kind::Bare || is_formed;
        let is_known = may_be_told && !is_in_range && !number.is_foreign() && !words.is_alone_in_parentheses();
        let around = sheet.around(sentence, &range);
        let before = &text[..number.before_at];
        found.push(Candidate {
            amount: if is_known { number.value(&manner, &customs, around) } else { None },
            kind,
            sentence,
            senses: BTreeMap::new(),
            labels: Vec::new(),
            is_in_column: false,
            is_reason: false,
            may_be_negative: whole.is_overdrawn && !number.is_negative(),
            listed: match (is_listed && may_belong && kind != Kind::Count, is_after_amount) {
                (false, _) => Listed::No,
                (true, true) => Listed::Like,
                (true, false) => Listed::Unclear,
            },
            is_of_another_wallet,
            is_of_other_money,
            is_refused: false,
            is_whole_of_part: is_of_another,
            is_paid: kind == Kind::Money && words.is_paid(),
            has_noun: kind == Kind::Bare && phrases::has_noun(label(&sheet.low[..number.before_at])),
            has_separators: number.is_formed(),
            is_formed,
            words,
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

/// Whether an amount is what another one is a part of, as the $100 of `$5 of $100 left` and of `Left (of $100): $5`.
fn is_whole_of_part(before: &str, between: &str, last: Option<Kind>, kind: Kind) -> bool {
    const OF: [&str; 12] =
        ["of", "out of", "of the", "of your", "of a total of", "von", "de", "sur", "di", "van", "из", "/"];
    let is_behind_part = match last {
        Some(Kind::Money) => kind == Kind::Money,
        Some(Kind::Count | Kind::Bare) => kind == Kind::Count,
        None => false,
    };
    let before = before.trim_end().to_ascii_lowercase();
    (is_behind_part && OF.contains(&between.trim().to_lowercase().as_str()))
        || before.ends_with("(of")
        || before.ends_with("(out of")
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

#[cfg(test)]
mod tests;
