//! Which of a mail's amounts its alert shows.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rust_decimal::Decimal;

use super::super::html::CUT;
use super::super::phrases::{is_other, is_threshold};
use super::cues::{self, Match, Reach, Sense, Side};
use super::layout::{MOST_AROUND, Sheet};
use super::{Amount, Role, columns};

/// An amount of a mail, with what the words around it say.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) range: Range<usize>,
    pub(super) amount: Option<Amount>,
    pub(super) kind: Kind,
    pub(super) sentence: usize,
    pub(super) senses: BTreeMap<Sense, f64>,
    /// Whether the words around it leave it in doubt: where it stands in a sentence or behind a label, and each as what is owed
    /// or what is left.
    pub(super) doubt: [[bool; 2]; 2],
    pub(super) listed: Listed,
    pub(super) is_of_another_wallet: bool,
    pub(super) is_of_other_money: bool,
    pub(super) is_paid: bool,
    /// A colon or the end of a cell parts it from its label.
    pub(super) is_labelled: bool,
    /// What the words right before it make of it.
    pub(super) labels: Vec<Sense>,
    /// The head of its column says what it is.
    pub(super) is_in_column: bool,
    /// It stands where the mail says why something failed.
    pub(super) is_reason: bool,
    /// The label is a word for a balance, so that it needs no currency.
    pub(super) has_noun: bool,
    /// It is written as amounts of money are, with decimals or separators.
    pub(super) is_formed: bool,
    /// Whether the words of its label make it another balance than the one that is left now.
    pub(super) is_refused: bool,
}

/// Whether only a word like "and" parts an amount from the number before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    No,
    /// From an amount: it is what that one is.
    Like,
    /// From a number that is none: it is no clearer than that.
    Unclear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A currency stands beside it.
    Money,
    /// So many messages, credits, pages.
    Count,
    /// A number alone.
    Bare,
}

/// A sense that is said by a label.
const STRONG: f64 = 2.5;
/// Words by which a subject says that it is about what is left.
const BALANCES: [&str; 22] = [
    "balance", "credit", "fund", "wallet", "runway", "runtime", "余额", "馀额", "额度", "预存", "储值", "结余", "余款",
    "钱包", "点数", "残高", "残り", "guthaben", "solde", "saldo", "low", "余量",
];
/// Words of mails about what ends unless it is renewed: what they name is a price.
const RENEWALS: [&str; 20] = [
    "renew",
    "expire",
    "expiry",
    "expiring",
    "expiration",
    "续费",
    "续期",
    "续约",
    "续租",
    "续订",
    "到期",
    "期满",
    "赎回",
    "年审",
    "更新期限",
    "有効期限",
    "verläng",
    "läuft ab",
    "renouvel",
    "renovac",
];
/// Words by which a sentence says that something is owed.
const DEBTS: [&str; 26] = [
    "欠",
    "未付",
    "未缴",
    "未收",
    "逾期",
    "没收到",
    "没有收到",
    "没到账",
    "未到账",
    "尚未",
    "至今",
    "未见",
    "unpaid",
    "overdue",
    "outstanding",
    "past due",
    "owe",
    "not paid",
    "not been paid",
    "open",
    "offen",
    "überfällig",
    "impay",
    "pendiente",
    "未払",
    "未納",
];
/// Words of mails about a card that ends.
const CARDS: [&str; 14] = [
    "过期",
    "有效期",
    "到期",
    "卡片失效",
    "将失效",
    "有効期限",
    "expire",
    "expires",
    "expiring",
    "valid through",
    "valid until",
    "no longer valid",
    "caduc",
    "läuft ab",
];
/// Words by which a sentence speaks of what will be.
const FUTURE: [&str; 18] = [
    "将",
    "届时",
    "会在",
    "即将",
    "下次",
    "下一",
    "will ",
    "won't",
    "would ",
    "next ",
    "次回",
    "できなくなり",
    "sera ",
    "seront",
    "wird ",
    "werden ",
    "será",
    "podrá",
];
/// Words of columns that hold what is still owed.
const OPEN_COLUMNS: [&str; 12] =
    ["逾期", "未付", "未缴", "未收", "结欠", "欠", "past due", "overdue", "open", "outstanding", "unpaid", "offen"];
/// Words by which a mail says why a charge has failed: its balance is no news then.
const REASONS: [&str; 16] = [
    "原因",
    "reason:",
    "reason\t",
    "motif",
    "grund:",
    "不足以",
    "不够支付",
    "不够扣",
    "少于订单",
    "少于本次",
    "低于本次",
    "小于本次",
    "不足以支付",
    "不够本次",
    "低于订单",
    "不足本次",
];
/// So far from its amount a word may stand in one label, in bytes.
const LONGEST_LABEL: usize = 28;
/// Most parts of a sum.
const MOST_PARTS: usize = 24;
/// Least that must speak for a sense.
const LEAST: f64 = 0.9;

impl Candidate {
    /// What the sentence says of an amount, it says of the one that it calls so.
    fn join_plain(&mut self) {
        if self.score(Sense::Plain) < STRONG || self.score(Sense::Next) > 0.0 {
            return;
        }
        for sense in [Sense::Owed, Sense::Charge] {
            if let Some(score) = self.senses.get_mut(&sense).filter(|score| **score >= LEAST) {
                *score = score.max(2.2);
            }
        }
    }

    /// Whether it may be what the mail is about.
    fn is_open(&self) -> bool {
        self.sense()
            .is_none_or(|(sense, weight)| weight < STRONG && matches!(sense, Sense::Left | Sense::Owed | Sense::Charge))
    }

    fn is_negative(&self) -> bool {
        self.amount.as_ref().is_some_and(|amount| amount.value.is_sign_negative())
    }

    fn has_currency(&self) -> bool {
        self.kind == Kind::Money || self.amount.as_ref().is_some_and(|amount| amount.currency.is_some())
    }

    fn is_money(&self) -> bool {
        self.kind == Kind::Money || (self.kind == Kind::Bare && self.is_formed)
    }

    /// Whether it may be shown as what it seems to be.
    fn is_clear(&self, sense: Sense) -> bool {
        let is_labelled = self.is_labelled && self.labels.contains(&sense);
        let is_left = sense == Sense::Left && self.kind != Kind::Count;
        !(is_left && self.is_refused)
            && !self.doubt[usize::from(is_labelled)][usize::from(is_left)]
            && self.listed != Listed::Unclear
    }

    pub(super) fn score(&self, sense: Sense) -> f64 {
        self.senses.get(&sense).copied().unwrap_or_default()
    }

    /// What it most likely is.
    pub(super) fn sense(&self) -> Option<(Sense, f64)> {
        let own = self
            .senses
            .iter()
            .filter(|(sense, _)| !matches!(sense, Sense::Total | Sense::Current | Sense::Rest | Sense::Plain));
        let best = own.max_by(|one, other| one.1.total_cmp(other.1).then(one.0.cmp(other.0)))?;
        (*best.1 >= LEAST).then_some((*best.0, *best.1))
    }
}

/// Adds to each candidate what the words around it say.
pub(super) fn weigh(sheet: &Sheet, candidates: &mut [Candidate]) {
    let matches = cues::find(&sheet.low);
    let places: Vec<Range<usize>> =
        candidates.iter().filter(|other| other.kind == Kind::Money).map(|candidate| candidate.range.clone()).collect();
    for candidate in candidates.iter_mut() {
        let last = sheet.sentence_at(candidate.range.end.saturating_sub(1));
        let sentence = sheet.sentences[candidate.sentence].range.start..sheet.sentences[last].range.end;
        let window = candidate.range.start.saturating_sub(MOST_AROUND)..candidate.range.end + MOST_AROUND;
        let begin = sheet.low.ceil_char_boundary(sentence.start.max(window.start));
        let sentence = begin..sheet.low.floor_char_boundary(sentence.end.min(window.end));
        let begin = matches.partition_point(|found| found.start < sentence.start);
        let header = columns::header(sheet, candidate.sentence, &candidate.range);
        let near = matches[begin..].iter().take_while(|found| found.start < sentence.end);
        for found in near {
            if let Some((weight, is_label)) = weight(sheet, candidate, found, &places, header.is_some()) {
                add(candidate, found.cue.sense, weight);
                if is_label {
                    candidate.labels.push(found.cue.sense);
                }
            }
        }
        if let Some(header) = header {
            candidate.is_in_column = true;
            for (place, weight) in [(&header.own, 3.0), (&header.label, 2.7)] {
                let begin = matches.partition_point(|found| found.start < place.start);
                let inside = matches[begin..].iter().take_while(|found| found.start < place.end);
                for found in inside.filter(|found| found.end <= place.end && found.cue.side != Side::After) {
                    add(candidate, found.cue.sense, weight + length_bonus(found));
                }
            }
            // Where a column says what is overdue, others say what it is made of.
            let says = |place: &Range<usize>| OPEN_COLUMNS.iter().any(|word| sheet.low[place.clone()].contains(word));
            if says(&header.row)
                && !says(&header.own)
                && let Some(owed) = candidate.senses.remove(&Sense::Owed)
            {
                add(candidate, Sense::Item, owed);
            }
        }
        candidate.is_reason = has(&sheet.low[sentence.clone()], &REASONS);
        candidate.join_plain();
        let taken = places.iter().map(|place| place.end).filter(|end| *end <= candidate.range.start).max().unwrap_or(0);
        candidate.is_refused = is_refused(sheet, candidate, &matches, taken);
    }
    for at in 1..candidates.len() {
        if candidates[at].listed == Listed::Like && !candidates[at].is_in_column {
            candidates[at].senses = candidates[at - 1].senses.clone();
        }
    }
}

/// Whether the words of its label make what seems to be left something else: `minimum balance`.
fn is_refused(sheet: &Sheet, candidate: &Candidate, matches: &[Match], taken: usize) -> bool {
    let mut sentence = sheet.sentences[candidate.sentence].range.clone();
    let near = sheet.low.ceil_char_boundary(candidate.range.start.saturating_sub(MOST_AROUND));
    sentence.start = sentence.start.max(taken).max(near);
    let before = &sheet.low[sentence.start..candidate.range.start];
    let is_beside = |found: &&Match| {
        found.cue.sense == Sense::Left
            && found.cue.side == Side::Before
            && found.start >= sentence.start
            && found.end <= candidate.range.start
            && cues::is_joining(&sheet.low[found.end..candidate.range.start])
    };
    let begin = matches.partition_point(|found| found.start < sentence.start);
    let end = matches.partition_point(|found| found.start < candidate.range.start);
    let label = matches[begin..end].iter().filter(is_beside).map(|found| found.start).min();
    let head = &before[..label.map_or(before.len(), |label| label - sentence.start)];
    let run = head.rfind(|c: char| ":;()[]【】–—\t,".contains(c)).map_or(head, |at| &head[at..]);
    let link = label.map_or("", |label| &sheet.low[label..candidate.range.start]);
    let is_anybodys = link.trim_end().ends_with(" of")
        && !["your", "current", "account", "wallet", "prepaid", "there", "still", "have"]
            .iter()
            .any(|own| head.contains(own));
    (candidate.kind != Kind::Count && is_other(run)) || is_threshold(before) || is_anybodys
}

fn add(candidate: &mut Candidate, sense: Sense, weight: f64) {
    let old = candidate.senses.entry(sense).or_default();
    *old = old.max(weight);
}

/// How much a word says of an amount; none if it says nothing.
fn weight(
    sheet: &Sheet,
    candidate: &Candidate,
    found: &Match,
    places: &[Range<usize>],
    has_header: bool,
) -> Option<(f64, bool)> {
    let range = &candidate.range;
    let is_before = found.end <= range.start;
    let is_after = found.start >= range.end;
    let fits = match found.cue.side {
        Side::Before => is_before,
        Side::After => is_after,
        Side::Around => is_before || is_after,
    };
    if !fits {
        return None;
    }
    let between = if is_before { found.end..range.start } else { range.end..found.start };
    let text = &sheet.low[between.clone()];
    if text.contains(CUT) {
        return None;
    }
    let others = places.iter().filter(|other| other.start >= between.start && other.end <= between.end).count();
    let is_joined = if is_before {
        cues::is_joining(text) && !(has_header && text.contains('\t'))
    } else {
        text.trim_matches([' ', ')', ':', '\u{A0}', '\n']).is_empty()
    };
    let is_beside = others == 0 && is_joined;
    let bounds = text.chars().filter(|c| ",;()、\t".contains(*c)).count() + text.matches(". ").count();
    let is_against = !matches!(found.cue.sense, Sense::Left | Sense::Owed | Sense::Charge);
    let is_adjacent = !text.contains(char::is_alphabetic);
    let near = length_bonus(found) + if is_adjacent { 0.5 } else { 0.0 };
    // `Remaining points for drafts: 5`.
    let is_in_label = is_before
        && candidate.is_labelled
        && others == 0
        && bounds == 0
        && text.len() <= LONGEST_LABEL
        && !text.contains(|c: char| c.is_ascii_digit() || ":=".contains(c));
    let base = match (found.cue.reach, is_beside) {
        (_, true) if is_after && is_against => 4.0 + near,
        (_, true) => 3.0 + near,
        (Reach::Beside, false) if is_in_label && !is_against => 2.6,
        (Reach::Beside, false) => return None,
        (Reach::Clause, false) if bounds > 0 || others > 0 => return None,
        (Reach::Clause, false) => {
            if is_against {
                2.0
            } else {
                1.8
            }
        }
        (Reach::Sentence, false) => match bounds {
            0 => 1.5,
            1 => 1.3,
            _ => 1.1,
        },
    };
    Some((base * 0.5_f64.powi(i32::try_from(others).unwrap_or(9)), is_beside && is_before))
}

/// A longer word says more: `outstanding balance` is no balance.
fn length_bonus(found: &Match) -> f64 {
    let length = (found.end - found.start).min(30);
    f64::from(u32::try_from(length).unwrap_or_default()) / 20.0
}

/// The one amount that all of them are; none if they differ, or one of them is not clear.
fn one<'a>(all: &[&'a Candidate], sense: Sense) -> Option<&'a Candidate> {
    let value = |candidate: &Candidate| candidate.amount.as_ref().map(|amount| amount.value);
    let first = *all.first()?;
    let is_like = |other: &&Candidate| {
        other.amount.is_some() && other.is_clear(sense) && value(other) == value(first) && is_one_currency(first, other)
    };
    if !all.iter().all(|other| is_like(&other)) {
        return None;
    }
    let has_currency = |other: &&&Candidate| other.amount.as_ref().is_some_and(|amount| amount.currency.is_some());
    all.iter().find(has_currency).copied().or(Some(first))
}

fn is_one_currency(one: &Candidate, other: &Candidate) -> bool {
    let currency = |candidate: &Candidate| candidate.amount.as_ref().and_then(|amount| amount.currency);
    currency(one) == currency(other) || currency(one).is_none() || currency(other).is_none()
}

/// Of several, the ones that say that they are a sum, or that are the sum of amounts that stand in a row.
fn totals<'a>(all: &[&'a Candidate], candidates: &[Candidate]) -> Vec<&'a Candidate> {
    let said: Vec<&Candidate> = all.iter().filter(|candidate| candidate.score(Sense::Total) >= 1.5).copied().collect();
    if !said.is_empty() {
        return said;
    }
    let value = |candidate: &Candidate| candidate.amount.as_ref().map(|amount| amount.value);
    let Some(most) = all.iter().filter_map(|candidate| value(candidate)).max() else {
        return Vec::new();
    };
    let values: Vec<Decimal> = candidates.iter().filter(|other| other.is_money()).filter_map(value).collect();
    if !has_sum(&values, most) {
        return Vec::new();
    }
    all.iter().filter(|candidate| value(candidate) == Some(most)).copied().collect()
}

/// Whether a sum is that of at least two amounts that follow each other.
fn has_sum(values: &[Decimal], sum: Decimal) -> bool {
    (0..values.len()).any(|first| {
        let mut total = Decimal::ZERO;
        let parts = values[first..].iter().take(MOST_PARTS).enumerate();
        parts
            .map_while(|(at, value)| {
                total = total.checked_add(*value).filter(|total| *total <= sum && *value < sum)?;
                Some(at > 0 && total == sum)
            })
            .any(|is_sum| is_sum)
    })
}

/// Which amount is shown, by its place among all, and what it is.
pub(super) fn decide(sheet: &Sheet, candidates: &[Candidate]) -> Option<(usize, Role)> {
    let subject = sheet.low.split('\n').next().unwrap_or_default();
    let (chosen, role) = by_sense(sheet, subject, candidates).unwrap_or_else(|| by_mail(sheet, candidates))?;
    let (owed, charge) = evidence(&sheet.low);
    let words = &sheet.low[sheet.sentences[chosen.sentence].range.clone()];
    let is_renewal = has(subject, &RENEWALS);
    let is_price = match role {
        Role::Left => is_renewal && charge > 0 && !has(subject, &BALANCES),
        Role::Owed => (is_renewal && !has(words, &DEBTS)) || (owed + charge == 0 && has(&sheet.low, &RENEWALS)),
        Role::Charge => {
            let is_failed = chosen.score(Sense::Charge) >= STRONG;
            (!is_failed && owed + charge == 0 && has(&sheet.low, &RENEWALS))
                || (has(&sheet.low, &CARDS) && has(words, &FUTURE))
        }
    };
    if is_price {
        return None;
    }
    let at = candidates.iter().position(|candidate| candidate.range == chosen.range)?;
    // A mail that speaks of a debt says how large it is by a balance below zero.
    let is_negative = chosen.amount.as_ref().is_some_and(|amount| amount.value.is_sign_negative());
    let is_debt = role == Role::Left
        && is_negative
        && (owed > 0 || ["停机", "停服", "释放", "冻结"].iter().any(|word| sheet.low.contains(word)));
    Some((at, if is_debt { Role::Owed } else { role }))
}

/// Whether a parenthesis is open before an amount, in its sentence.
fn is_in_parentheses(sheet: &Sheet, candidate: &Candidate) -> bool {
    let before = &sheet.text[sheet.sentences[candidate.sentence].range.start..candidate.range.start];
    before.matches('(').count() > before.matches(')').count()
}

/// Whether a text in small letters holds one of some words.
fn has(low: &str, words: &[&str]) -> bool {
    words.iter().any(|word| low.contains(word))
}

fn by_sense<'a>(sheet: &Sheet, subject: &str, candidates: &'a [Candidate]) -> Option<Option<(&'a Candidate, Role)>> {
    // What a charge failed for is no news of the balance.
    let has_charge = candidates.iter().any(|other| {
        other.kind == Kind::Money
            && !other.is_reason
            && (other.score(Sense::Plain) >= STRONG || other.score(Sense::Charge) >= STRONG)
    });
    let money = |sense: Sense, kind: Kind| -> Vec<&Candidate> {
        let is_formed = |candidate: &Candidate| {
            candidate.kind == Kind::Bare
                && candidate.is_formed
                && sense != Sense::Left
                && candidate.score(sense) >= 3.0
                && candidate.amount.as_ref().is_some_and(|amount| amount.currency.is_some())
        };
        let of = |candidate: &&Candidate| {
            (candidate.kind == kind || is_formed(candidate)) && candidate.sense().is_some_and(|(own, _)| own == sense)
        };
        let is_reason = |candidate: &&Candidate| sense == Sense::Left && candidate.is_reason && has_charge;
        candidates.iter().filter(of).filter(|candidate| !is_reason(candidate)).collect()
    };
    let has_debt = |all: &[&Candidate]| {
        all.iter().any(|other| has(&sheet.low[sheet.sentences[other.sentence].range.clone()], &DEBTS))
    };
    let strength = |all: &[&Candidate], sense| all.iter().map(|candidate| candidate.score(sense)).fold(0.0, f64::max);
    let mut best: Vec<(f64, Sense, Role, Vec<&Candidate>)> =
        [(Sense::Left, Role::Left), (Sense::Owed, Role::Owed), (Sense::Charge, Role::Charge)]
            .into_iter()
            .map(|(sense, role)| {
                let all = money(sense, Kind::Money);
                (strength(&all, sense), sense, role, all)
            })
            .filter(|(strength, ..)| *strength > 0.0)
            .collect();
    best.sort_by(|one, other| other.0.total_cmp(&one.0));
    // What a mail calls its subject comes before what else it names.
    let is_left_first = best.first().is_some_and(|(_, sense, ..)| *sense == Sense::Left);
    if is_left_first
        && best.len() > 1
        && best[1].0 >= STRONG
        && (!has(subject, &BALANCES) || (best[1].1 == Sense::Owed && has_debt(&best[1].3)))
    {
        best.remove(0);
    }
    if best.first().is_none_or(|(strength, ..)| *strength < STRONG)
        && let Some(counted) = counted(candidates)
    {
        return Some(Some(counted));
    }
    let Some((_, sense, role, all)) = best.into_iter().next() else {
        return None;
    };
    let strong: Vec<&Candidate> = all.iter().copied().filter(|candidate| candidate.score(sense) >= STRONG).collect();
    // What is said to be left of a debt is no part of a sum.
    let rest: Vec<&Candidate> =
        strong.iter().copied().filter(|candidate| candidate.score(Sense::Current) >= STRONG).collect();
    if sense == Sense::Owed
        && let Some(chosen) = one(&rest, sense)
    {
        return Some(Some((chosen, role)));
    }
    let sums = || {
        let own = totals(&all, candidates);
        if own.is_empty() { totals(&with_sums(candidates, &all), candidates) } else { own }
    };
    // What stands in parentheses behind an amount is a part of it.
    let outside: Vec<&Candidate> =
        strong.iter().copied().filter(|candidate| !is_in_parentheses(sheet, candidate)).collect();
    let chosen = match one(&all, sense) {
        Some(chosen) if chosen.is_in_column && sense != Sense::Left => one(&sums(), sense).or(Some(chosen)),
        Some(chosen) => Some(chosen).filter(|chosen| {
            chosen.score(sense) >= STRONG
                || chosen.score(Sense::Total) >= STRONG
                || is_alone(candidates, chosen)
                || is_sum(candidates, chosen)
        }),
        None if sense == Sense::Left => one(&strong, sense),
        None => one(&sums(), sense).or_else(|| one(&outside, sense).filter(|chosen| is_most(&all, chosen))),
    };
    let Some(chosen) = chosen else {
        return Some(None);
    };
    let value = |candidate: &Candidate| candidate.amount.as_ref().map(|amount| amount.value);
    let is_elsewhere = candidates.iter().any(|other| other.is_of_another_wallet && value(other) != value(chosen));
    let is_clear = match sense {
        Sense::Left => !is_elsewhere && !chosen.is_of_other_money,
        Sense::Owed => is_unpaid(candidates, chosen),
        _ => true,
    };
    Some(is_clear.then_some((chosen, role)))
}

/// Whether an amount is what is left of a debt, or no part of it is paid.
fn is_unpaid(candidates: &[Candidate], chosen: &Candidate) -> bool {
    let is_near = |other: &Candidate| other.is_labelled || other.sentence.abs_diff(chosen.sentence) < 2;
    chosen.score(Sense::Rest) > 0.0 || !candidates.iter().any(|other| other.is_paid && is_near(other))
}

/// Whether an amount is the sum of others.
fn is_sum(candidates: &[Candidate], chosen: &Candidate) -> bool {
    let value = |candidate: &Candidate| candidate.amount.as_ref().map(|amount| amount.value);
    let values: Vec<Decimal> = candidates.iter().filter(|other| other.is_money()).filter_map(value).collect();
    value(chosen).is_some_and(|sum| has_sum(&values, sum))
}

/// Whether no other amount of its sentence is in doubt, and none that is called an amount: words far from one may as well speak
/// of the other.
fn is_alone(candidates: &[Candidate], chosen: &Candidate) -> bool {
    let value = |candidate: &Candidate| candidate.amount.as_ref().map(|amount| amount.value);
    let is_open = |other: &Candidate| {
        other.kind == Kind::Money
            && other.is_open()
            && (other.sentence == chosen.sentence || other.score(Sense::Plain) >= STRONG)
    };
    candidates.iter().all(|other| !is_open(other) || value(other) == value(chosen))
}

/// Whether no other amount is in doubt: words far from an amount may as well speak of another one.
fn is_only(candidates: &[Candidate], chosen: &Candidate) -> bool {
    let value = |candidate: &Candidate| candidate.amount.as_ref().map(|amount| amount.value);
    let is_open = |other: &Candidate| other.kind == Kind::Money && other.is_open();
    candidates.iter().all(|other| !is_open(other) || value(other) == value(chosen))
}

/// Whether no other of them is larger.
fn is_most(all: &[&Candidate], chosen: &Candidate) -> bool {
    let value = |candidate: &Candidate| candidate.amount.as_ref().map(|amount| amount.value);
    all.iter().all(|other| value(other) <= value(chosen))
}

/// With those that say that they are a sum, and nothing else.
fn with_sums<'a>(candidates: &'a [Candidate], all: &[&'a Candidate]) -> Vec<&'a Candidate> {
    let is_sum = |candidate: &&Candidate| {
        candidate.is_money() && candidate.sense().is_none() && candidate.score(Sense::Total) >= 3.0
    };
    all.iter().copied().chain(candidates.iter().filter(is_sum)).collect()
}

/// What is left of what is no money.
fn counted(candidates: &[Candidate]) -> Option<(&Candidate, Role)> {
    let is_left = |candidate: &&Candidate| {
        (candidate.kind == Kind::Count
            || (candidate.kind == Kind::Bare && candidate.has_noun && candidate.is_formed && !candidate.is_negative()))
            && candidate.score(Sense::Left) >= STRONG
            && candidate.sense().is_some_and(|(sense, _)| sense == Sense::Left)
    };
    let all: Vec<&Candidate> = candidates.iter().filter(is_left).collect();
    one(&all, Sense::Left).map(|chosen| (chosen, Role::Left))
}

/// Where the words around no amount say what it is, those of the mail as a whole may: an amount that says that it is the sum, or
/// nothing but that it is an amount, or the only one that is nothing else.
fn by_mail<'a>(sheet: &Sheet, candidates: &'a [Candidate]) -> Option<(&'a Candidate, Role)> {
    let (owed, charge) = evidence(&sheet.low);
    let role = if charge > owed { Role::Charge } else { Role::Owed };
    let sense = if charge > owed { Sense::Charge } else { Sense::Owed };
    let plain: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.sense().is_none()).collect();
    let of = |sense: Sense| -> Vec<&Candidate> {
        plain
            .iter()
            .filter(|candidate| candidate.is_money() && candidate.has_currency() && candidate.score(sense) >= 3.0)
            .copied()
            .collect()
    };
    let choose = |all: &[&'a Candidate]| {
        one(all, sense)
            .filter(|chosen| role == Role::Charge || is_unpaid(candidates, chosen))
            .map(|chosen| (chosen, role))
    };
    if let [only] = candidates
        && only.kind == Kind::Money
        && !sheet.text.replace(&sheet.text[only.range.clone()], "").contains(char::is_alphanumeric)
    {
        return choose(&[only]);
    }
    let total = of(Sense::Total);
    if !total.is_empty() {
        return choose(&total);
    }
    if owed + charge == 0 {
        return None;
    }
    let named = of(Sense::Plain);
    if !named.is_empty() {
        return choose(&named).filter(|(chosen, _)| is_only(candidates, chosen));
    }
    // Of several prices in one sentence only the first may be called one.
    let is_after_another = |candidate: &Candidate| {
        candidates.iter().any(|other| {
            other.kind == Kind::Money
                && other.sentence == candidate.sentence
                && other.range.end <= candidate.range.start
                && other.sense().is_some()
        })
    };
    let is_alone = |candidate: &&Candidate| candidate.kind == Kind::Money && !is_after_another(candidate);
    let all: Vec<&Candidate> = plain.iter().copied().filter(is_alone).collect();
    choose(&all).filter(|(chosen, _)| is_only(candidates, chosen)).filter(|(chosen, _)| {
        let first = sheet.sentences[chosen.sentence.saturating_sub(2)].range.start;
        let last = sheet.sentences[(chosen.sentence + 2).min(sheet.sentences.len() - 1)].range.end;
        let (owed, charge) = evidence(&sheet.low[first..last]);
        owed + charge > 0 || is_sum(candidates, chosen)
    })
}

/// How often a mail speaks of debts, and of charges that failed.
fn evidence(low: &str) -> (usize, usize) {
    let matches = cues::find(low);
    let count = |sense: Sense| {
        let is_it = |found: &&Match| found.cue.sense == sense && found.cue.reach == Reach::Sentence;
        matches.iter().filter(is_it).map(|found| found.start).collect::<BTreeSet<usize>>().len()
    };
    (count(Sense::Owed), count(Sense::Charge))
}
