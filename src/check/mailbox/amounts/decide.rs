//! Which of a mail's amounts its alert shows.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::phrases::Finder;
use super::Role;
use super::candidate::{Candidate, Kind, STRONG};
use super::cues::{Match, Reach, Sense};
use super::layout::Sheet;
use super::sums::{is_most, is_sum, one, totals, whole, with_sums};
use super::weigh::has;

/// By so much what speaks for one sense must outweigh what speaks for another one.
const MARGIN: f64 = 0.8;
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
static RENEWALS_FINDER: Finder = Finder::anywhere(&RENEWALS);
/// Words by which a sentence says that something is owed.
const DEBTS: [&str; 28] = [
    "vencid",
    "rückstand",
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
/// An order that renews something is a price, also while it is not paid.
const RENEWAL_ORDERS: [&str; 8] =
    ["renewal order", "renewal quote", "order to renew", "续约申请", "续费申请", "续费订单", "续期订单", "续约订单"];
/// What was used up is named by what it once was.
const USED_UP: [&str; 4] = ["been used up", "are used up", "is used up", "fully used"];
/// What is kept apart does not count for what runs dry.
const APART: [&str; 3] = ["is separate", "are separate", "kept separately"];
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
static CARDS_FINDER: Finder = Finder::anywhere(&CARDS);
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

/// Which amount is shown, by its place among all, and what it is.
pub(super) fn decide(sheet: &Sheet, matches: &[Match], candidates: &[Candidate]) -> Option<(usize, Role)> {
    let subject = sheet.low.split('\n').next().unwrap_or_default();
    let (chosen, role) = by_sense(sheet, subject, candidates).unwrap_or_else(|| by_mail(sheet, matches, candidates))?;
    let (owed, charge) = evidence(matches, 0..sheet.low.len());
    let words = &sheet.low[sheet.sentences[chosen.sentence].range.clone()];
    let is_renewal = RENEWALS_FINDER.is_in(subject);
    let is_price = match role {
        Role::Left => is_renewal && charge > 0 && !has(subject, &BALANCES),
        Role::Owed => (is_renewal && !has(words, &DEBTS)) || (owed + charge == 0 && RENEWALS_FINDER.is_in(&sheet.low)),
        Role::Charge => {
            let is_failed = chosen.score(Sense::Charge) >= STRONG;
            (!is_failed && owed + charge == 0 && RENEWALS_FINDER.is_in(&sheet.low))
                || (has(words, &FUTURE) && CARDS_FINDER.is_in(&sheet.low))
        }
    };
    let is_of_another = match role {
        Role::Left => has(words, &APART),
        Role::Owed => has(words, &RENEWAL_ORDERS),
        Role::Charge => false,
    } || (has(words, &USED_UP) && is_in_parentheses(sheet, chosen));
    if is_price || is_of_another {
        return None;
    }
    let at = candidates.iter().position(|candidate| candidate.range == chosen.range)?;
    // Nobody owes nothing, and no charge of nothing fails.
    if role != Role::Left && chosen.value().is_some_and(|value| value.is_zero()) {
        return None;
    }
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

/// The amounts of one sense, and how much speaks for it.
struct Group<'a> {
    strength: f64,
    sense: Sense,
    role: Role,
    all: Vec<&'a Candidate<'a>>,
}

/// The amounts that a mail may be about, by their sense, the likeliest first.
fn groups<'a>(candidates: &'a [Candidate<'a>]) -> Vec<Group<'a>> {
    // What a charge failed for is no news of the balance.
    let has_charge = candidates.iter().any(|other| {
        other.kind == Kind::Money
            && !other.is_reason
            && (other.score(Sense::Plain) >= STRONG || other.score(Sense::Charge) >= STRONG)
    });
    let money = |sense: Sense, kind: Kind| -> Vec<&'a Candidate<'a>> {
        let is_formed = |candidate: &Candidate| {
            candidate.kind == Kind::Bare
                && candidate.is_formed
                && (sense != Sense::Left || candidate.has_noun)
                && candidate.score(sense) >= 3.0
                && candidate.amount.as_ref().is_some_and(|amount| amount.currency.is_some())
        };
        let of = |candidate: &&Candidate| {
            (candidate.kind == kind || is_formed(candidate)) && candidate.sense().is_some_and(|(own, _)| own == sense)
        };
        let is_reason = |candidate: &&Candidate| sense == Sense::Left && candidate.is_reason && has_charge;
        candidates.iter().filter(of).filter(|candidate| !is_reason(candidate)).collect()
    };
    let roles = [(Sense::Left, Role::Left), (Sense::Owed, Role::Owed), (Sense::Charge, Role::Charge)];
    let group = |(sense, role)| {
        let all = money(sense, Kind::Money);
        let strength = all.iter().map(|candidate| candidate.score(sense)).fold(0.0, f64::max);
        Group { strength, sense, role, all }
    };
    let mut groups: Vec<Group> = roles.into_iter().map(group).filter(|group| group.strength > 0.0).collect();
    groups.sort_by(|one, other| other.strength.total_cmp(&one.strength));
    groups
}

/// The amount of the likeliest sense; nothing if no words say what any of them is, and none if it is not clear which one it is.
#[allow(clippy::option_option, reason = "the two nones are different answers")]
fn by_sense<'a>(
    sheet: &Sheet,
    subject: &str,
    candidates: &'a [Candidate<'a>],
) -> Option<Option<(&'a Candidate<'a>, Role)>> {
    let mut groups = groups(candidates);
    let has_debt = |group: &Group| {
        let in_sentence = |other: &&Candidate| has(&sheet.low[sheet.sentences[other.sentence].range.clone()], &DEBTS);
        group.sense == Sense::Owed && group.all.iter().any(in_sentence)
    };
    // Where a balance is called by its name and a debt or a charge as well, the mail's subject says what it is about.
    if let [first, second, ..] = groups.as_slice()
        && second.strength >= STRONG
        && [first, second].iter().any(|group| group.sense == Sense::Left)
    {
        let (left, other) = if first.sense == Sense::Left { (0, second) } else { (1, first) };
        let is_about_other = has_debt(other) && (left == 0 || !has(subject, &BALANCES));
        let is_about_left = !is_about_other && has(subject, &BALANCES);
        let is_close = first.strength - second.strength < MARGIN;
        match (is_about_other, is_about_left) {
            (true, _) => drop(groups.remove(left)),
            (_, true) => drop(groups.remove(1 - left)),
            _ if is_close => return Some(None),
            _ => {}
        }
    }
    if groups.first().is_none_or(|group| group.strength < STRONG)
        && let Some(counted) = counted(candidates)
    {
        return Some(Some(counted));
    }
    let group = groups.into_iter().next()?;
    let (sense, role) = (group.sense, group.role);
    let chosen = choose(sheet, candidates, &group);
    let Some(chosen) = chosen else {
        return Some(None);
    };
    let chosen = match whole(candidates, chosen).filter(|_| sense == Sense::Owed) {
        Some(whole) if !whole.is_clear(sense) => return Some(None),
        Some(whole) => whole,
        None => chosen,
    };
    let is_elsewhere = candidates.iter().any(|other| other.is_of_another_wallet && other.value() != chosen.value());
    let is_clear = match sense {
        Sense::Left => !is_elsewhere && !chosen.is_of_other_money,
        Sense::Owed => is_unpaid(candidates, chosen),
        _ => true,
    };
    Some(is_clear.then_some((chosen, role)))
}

/// The one amount of a sense.
fn choose<'a>(sheet: &Sheet, candidates: &'a [Candidate<'a>], group: &Group<'a>) -> Option<&'a Candidate<'a>> {
    let (sense, all) = (group.sense, &group.all);
    let strong: Vec<&Candidate> = all.iter().copied().filter(|candidate| candidate.score(sense) >= STRONG).collect();
    // What is said to be left of a debt is no part of a sum.
    let rest: Vec<&Candidate> =
        strong.iter().copied().filter(|candidate| candidate.score(Sense::Current) >= STRONG).collect();
    if sense == Sense::Owed
        && let Some(chosen) = one(&rest, sense)
    {
        return Some(chosen);
    }
    // A charge that is called one is no part of another one.
    if sense == Sense::Charge
        && let Some(chosen) = one(&strong, sense)
    {
        return Some(chosen);
    }
    let sums = || {
        let own = totals(all, candidates);
        if own.is_empty() { totals(&with_sums(candidates, all), candidates) } else { own }
    };
    // What stands in parentheses behind an amount is a part of it.
    let outside: Vec<&Candidate> =
        strong.iter().copied().filter(|candidate| !is_in_parentheses(sheet, candidate)).collect();
    match one(all, sense) {
        Some(chosen) if chosen.is_in_column && sense != Sense::Left => one(&sums(), sense).or(Some(chosen)),
        Some(chosen) => Some(chosen).filter(|chosen| {
            chosen.score(sense) >= STRONG
                || chosen.score(Sense::Total) >= STRONG
                || is_alone(candidates, chosen)
                || is_sum(candidates, chosen)
        }),
        None if sense == Sense::Left => one(&strong, sense),
        None => one(&sums(), sense).or_else(|| one(&outside, sense).filter(|chosen| is_most(all, chosen))),
    }
}

/// Whether an amount is what is left of a debt, or no part of it is paid.
fn is_unpaid(candidates: &[Candidate], chosen: &Candidate) -> bool {
    let is_near = |other: &Candidate| other.is_labelled || other.sentence.abs_diff(chosen.sentence) < 2;
    chosen.score(Sense::Rest) > 0.0 || !candidates.iter().any(|other| other.is_paid && is_near(other))
}

/// Whether no other amount of its sentence is in doubt, and none that is called an amount: words far from one may as well speak
/// of the other.
fn is_alone(candidates: &[Candidate], chosen: &Candidate) -> bool {
    let is_open = |other: &Candidate| {
        (other.kind == Kind::Money || (other.kind == Kind::Bare && other.has_separators))
            && other.is_open()
            && (other.sentence == chosen.sentence || other.score(Sense::Plain) >= STRONG)
    };
    candidates.iter().all(|other| !is_open(other) || other.value() == chosen.value())
}

/// Whether no other amount is in doubt: words far from an amount may as well speak of another one.
fn is_only(candidates: &[Candidate], chosen: &Candidate) -> bool {
    let is_open = |other: &Candidate| other.kind == Kind::Money && other.is_open();
    candidates.iter().all(|other| !is_open(other) || other.value() == chosen.value())
}

/// What is left of what is no money.
fn counted<'a>(candidates: &'a [Candidate<'a>]) -> Option<(&'a Candidate<'a>, Role)> {
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
fn by_mail<'a>(sheet: &Sheet, matches: &[Match], candidates: &'a [Candidate<'a>]) -> Option<(&'a Candidate<'a>, Role)> {
    let (owed, charge) = evidence(matches, 0..sheet.low.len());
    let role = if charge > owed { Role::Charge } else { Role::Owed };
    let sense = if charge > owed { Sense::Charge } else { Sense::Owed };
    let plain: Vec<&'a Candidate<'a>> = candidates.iter().filter(|candidate| candidate.sense().is_none()).collect();
    let of = |sense: Sense| -> Vec<&'a Candidate<'a>> {
        plain
            .iter()
            .filter(|candidate| {
                let is_amount = candidate.kind == Kind::Money || (sense == Sense::Total && candidate.is_money());
                is_amount && candidate.has_currency() && candidate.score(sense) >= 3.0
            })
            .copied()
            .collect()
    };
    let choose = |all: &[&'a Candidate<'a>]| {
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
    // The only amount of money, where the subject says that one is owed or could not be charged. Words in other sentences may
    // as well speak of something else.
    let money: Vec<&'a Candidate<'a>> = candidates.iter().filter(|candidate| candidate.kind == Kind::Money).collect();
    let subject = sheet.low.find('\n').unwrap_or(sheet.low.len());
    let (owed, charge) = evidence(matches, 0..subject);
    choose(&money).filter(|(chosen, _)| owed + charge > 0 && chosen.sense().is_none())
}

/// How often a part of a mail speaks of debts, and of charges that failed.
fn evidence(matches: &[Match], part: Range<usize>) -> (usize, usize) {
    let count = |sense: Sense| {
        let is_inside = |found: &Match| part.start <= found.start && found.end <= part.end;
        let is_it = |found: &&Match| found.cue.sense == sense && found.cue.reach == Reach::Sentence && is_inside(found);
        matches.iter().filter(is_it).map(|found| found.start).collect::<BTreeSet<usize>>().len()
    };
    (count(Sense::Owed), count(Sense::Charge))
}
