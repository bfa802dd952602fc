//! Makes the weights: a linear support vector machine, by dual coordinate descent (Hsieh and others, 2008), in a fixed order.

use std::collections::HashMap;
use std::io::Write;

use balance_alert::internals::engine::{BUCKET_BITS, KINDS, Kind, SCALES, SIZE_OF_SIGN, features, input, number};
use balance_alert::internals::mail;

use crate::corpus::{self, Labelled};

/// How much a mail on the wrong side costs.
const COST: f32 = 4.0;
/// At most so many signs are kept.
const MOST_SIGNS: usize = 45_000;
/// How much a sign counts that the mails of one side have oftener: the logarithm of how much oftener, to this power (Wang and Manning,
/// 2012).
const ONE_SIDED: f32 = 0.3;
/// A sign counts if so many hands have written it: names of vendors and of people tell nothing, and whoever writes two mails in one
/// name, of which one means trouble, makes them tell the contrary of what they should.
const FEWEST_HANDS: u32 = 2;
/// How often all mails are gone through, at most.
const ROUNDS: usize = 200;

/// What a mail has: signs by their number, with their values.
type Row = Vec<(u32, f32)>;

struct Table {
    names: Vec<String>,
    /// The number of each sign, as the engine has it.
    numbers: Vec<u64>,
    rows: Vec<Row>,
    sides: Vec<f32>,
    hands: Vec<u8>,
    counts: Vec<f32>,
}

/// The file of weights that is learnt from these mails, and the same for people, a sign a line.
pub(crate) fn weights(mails: &[Labelled], out: &mut impl Write) -> (Vec<u8>, String) {
    let table = table(mails);
    let every: Vec<usize> = (0..mails.len()).collect();
    // How sure a sum is shows where a hand is judged by what the others wrote.
    let mut hands: Vec<u8> = table.hands.clone();
    hands.sort_unstable();
    hands.dedup();
    let mut scores = vec![0.0; mails.len()];
    for hand in hands {
        let (own, rest): (Vec<usize>, Vec<usize>) = every.iter().partition(|at| table.hands[**at] == hand);
        let weights = learn(&table, &rest);
        for at in own {
            scores[at] = score(&weights, &table.rows[at]);
        }
    }
    tell(mails, &scores, out);
    let whole: Vec<usize> = every.iter().copied().filter(|at| mails[*at].counts == 1.0).collect();
    let of_whole = |all: &[f32]| whole.iter().map(|at| all[*at]).collect::<Vec<f32>>();
    // Where the sum is nothing the strength is a half: what the fit would add differs from set to set, and costs more than it gains.
    let (slope, _) = logistic(&of_whole(&scores), &of_whole(&table.sides));
    let weights = learn(&table, &every);
    let mut signs: Vec<(u64, i16, &str)> = Vec::new();
    for ((name, number), weight) in table.names.iter().zip(&table.numbers).zip(&weights) {
        let hundredths = (weight * 100.0).round() as i16;
        if hundredths != 0 {
            signs.push((*number, hundredths, name));
        }
    }
    signs.sort_unstable();
    let mut lines: Vec<String> = signs.iter().map(|(_, weight, name)| format!("{name}\t{weight}\n")).collect();
    lines.sort_unstable();
    (packed(&signs, slope, 0.0), lines.concat())
}

/// Says how many whole mails of each language are judged right when all of their hand are left out.
fn tell(mails: &[Labelled], scores: &[f32], out: &mut impl Write) {
    let languages = ["en", "zh-Hans", "zh-Hant"];
    for language in languages.into_iter().chain(["others"]) {
        let is_of = |one: &Labelled| match language {
            "others" => !languages.contains(&one.language.as_str()),
            _ => one.language == language,
        };
        let own = mails.iter().zip(scores).filter(|(one, _)| one.counts == 1.0 && is_of(one));
        let count = |is_trouble: bool, is_noticed: bool| {
            own.clone().filter(|(one, score)| one.is_trouble == is_trouble && (**score > 0.0) == is_noticed).count()
        };
        let (both, missed, wrong) = (count(true, true), count(true, false), count(false, true));
        let share = |of: usize| both as f64 / (both + of).max(1) as f64;
        let (recall, precision) = (share(missed), share(wrong));
        writeln!(
            out,
            "{language}: recall {recall:.3}, precision {precision:.3} by other hands: {missed} missed, {wrong} wrong"
        )
        .expect("standard output");
    }
}

/// The weights as `src/check/mailbox/engine/weights.rs` reads them.
fn packed(signs: &[(u64, i16, &str)], slope: f32, shift: f32) -> Vec<u8> {
    let mut file = corpus::checksum().to_vec();
    file.extend([slope, shift].iter().flat_map(|number| number.to_le_bytes()));
    for bucket in 0..=1_u64 << BUCKET_BITS {
        let begins = signs.partition_point(|(number, ..)| number >> (u64::BITS - BUCKET_BITS) < bucket);
        file.extend(u16::try_from(begins).expect("fewer signs").to_le_bytes());
    }
    file.extend(signs.iter().flat_map(|(number, ..)| (*number as u32).to_le_bytes()));
    file.extend(signs.iter().flat_map(|(_, weight, _)| weight.to_le_bytes()));
    file
}

/// All signs of all mails.
fn table(mails: &[Labelled]) -> Table {
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut table = Table {
        names: Vec::new(),
        numbers: Vec::new(),
        rows: Vec::new(),
        sides: Vec::new(),
        hands: Vec::new(),
        counts: Vec::new(),
    };
    for one in mails {
        let mail = mail::read(&one.raw);
        let mut counts = [0.0_f32; KINDS];
        let mut found: HashMap<u32, (Kind, f32)> = HashMap::new();
        features(&input(&mail), |kind, mark, words, count| {
            counts[kind as usize] += count * count;
            let texts: Vec<&str> = words.iter().map(|word| word.text).collect();
            let name = format!("{}{}", mark.text(), texts.join(" "));
            let number = *numbers.entry(name).or_insert_with_key(|name| {
                table.names.push(name.clone());
                table.numbers.push(number(mark, words));
                table.names.len() as u32 - 1
            });
            let entry = found.entry(number).or_insert((kind, 0.0));
            entry.1 = entry.1.max(count);
        });
        let value = |(number, (kind, count)): (u32, (Kind, f32))| {
            let kind = kind as usize;
            (number, count * SCALES[kind] / counts[kind].sqrt().max(1.0) / SIZE_OF_SIGN)
        };
        let mut row: Row = found.into_iter().map(value).collect();
        row.sort_unstable_by_key(|(number, _)| *number);
        table.rows.push(row);
        table.hands.push(one.hand);
        table.counts.push(one.counts);
        table.sides.push(if one.is_trouble { 1.0 } else { -1.0 });
    }
    table
}

fn score(weights: &[f32], row: &Row) -> f32 {
    row.iter().map(|(sign, value)| weights[*sign as usize] * value).sum()
}

/// Weights for some of the mails: of all signs first, then of those that tell most.
fn learn(table: &Table, mails: &[usize]) -> Vec<f32> {
    let mut in_mails = vec![0_u32; table.names.len()];
    let mut hands = vec![0_u32; table.names.len()];
    for at in mails {
        for (sign, _) in &table.rows[*at] {
            in_mails[*sign as usize] += 1;
            hands[*sign as usize] |= 1 << (table.hands[*at] - b'a');
        }
    }
    // What is rare tells more than what is everywhere.
    let count = mails.len() as f32;
    let rare = |(in_mails, hands): (&u32, &u32)| match hands.count_ones() < FEWEST_HANDS {
        true => 0.0,
        false => ((1.0 + count) / (1.0 + *in_mails as f32)).ln() + 1.0,
    };
    let one_sided = one_sided(table, mails);
    let mut rarity: Vec<f32> =
        in_mails.iter().zip(&hands).map(rare).zip(&one_sided).map(|(rare, side)| rare * side).collect();
    let first = descend(table, mails, &rarity);
    let mut order: Vec<usize> = (0..first.len()).filter(|sign| first[*sign] != 0.0).collect();
    let tells = |sign: usize| first[sign].abs() * rarity[sign] * (in_mails[sign] as f32).sqrt();
    order.sort_by(|one, other| {
        tells(*other).total_cmp(&tells(*one)).then_with(|| table.names[*one].cmp(&table.names[*other]))
    });
    for sign in order.into_iter().skip(MOST_SIGNS) {
        rarity[sign] = 0.0;
    }
    let mut weights = descend(table, mails, &rarity);
    weights.iter_mut().zip(&rarity).for_each(|(weight, rarity)| *weight *= rarity);
    weights
}

/// How much each sign counts by how much oftener one side has it.
fn one_sided(table: &Table, mails: &[usize]) -> Vec<f32> {
    let mut sides = [(); 2].map(|()| vec![1.0_f32; table.names.len()]);
    let mut sums = [2.0_f32; 2];
    for at in mails {
        let side = usize::from(table.sides[*at] > 0.0);
        sums[side] += table.counts[*at];
        table.rows[*at].iter().for_each(|(sign, _)| sides[side][*sign as usize] += table.counts[*at]);
    }
    let oftener = |(harmless, trouble): (&f32, &f32)| ((trouble / sums[1]) / (harmless / sums[0])).ln().abs();
    sides[0].iter().zip(&sides[1]).map(|both| oftener(both).powf(ONE_SIDED)).collect()
}

/// Goes down to the smallest squared hinge loss.
fn descend(table: &Table, mails: &[usize], rarity: &[f32]) -> Vec<f32> {
    let rows: Vec<Row> = mails
        .iter()
        .map(|at| {
            table.rows[*at]
                .iter()
                .map(|(sign, value)| (*sign, value * rarity[*sign as usize]))
                .filter(|(_, value)| *value != 0.0)
                .collect()
        })
        .collect();
    let slacks: Vec<f32> = mails.iter().map(|at| 0.5 / (COST * table.counts[*at])).collect();
    let size = |(row, slack): (&Row, &f32)| row.iter().map(|(_, value)| value * value).sum::<f32>() + slack;
    let sizes: Vec<f32> = rows.iter().zip(&slacks).map(size).collect();
    let mut weights = vec![0.0_f32; rarity.len()];
    let mut shares = vec![0.0_f32; rows.len()];
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut random = fastrand::Rng::with_seed(14);
    for _ in 0..ROUNDS {
        random.shuffle(&mut order);
        let mut largest = 0.0_f32;
        for at in &order {
            let side = table.sides[mails[*at]];
            let slope = side * score(&weights, &rows[*at]) - 1.0 + shares[*at] * slacks[*at];
            let pull = if shares[*at] == 0.0 { slope.min(0.0) } else { slope };
            largest = largest.max(pull.abs());
            let share = (shares[*at] - slope / sizes[*at]).max(0.0);
            let change = (share - shares[*at]) * side;
            shares[*at] = share;
            if change != 0.0 {
                rows[*at].iter().for_each(|(sign, value)| weights[*sign as usize] += change * value);
            }
        }
        if largest < 0.01 {
            break;
        }
    }
    weights
}

/// The line whose logistic function tells best on which side scores are (Platt, 1999), by Newton's method.
fn logistic(scores: &[f32], sides: &[f32]) -> (f32, f32) {
    let (mut slope, mut shift) = (1.0_f64, 0.0_f64);
    for _ in 0..50 {
        let (mut g1, mut g0, mut h11, mut h10, mut h00) = (0.0, 0.0, 1e-9, 0.0, 1e-9);
        for (score, side) in scores.iter().zip(sides) {
            let (score, want) = (f64::from(*score), if *side > 0.0 { 1.0 } else { 0.0 });
            let got = 1.0 / (1.0 + (-(slope * score + shift)).exp());
            let weight = got * (1.0 - got);
            g1 += (got - want) * score;
            g0 += got - want;
            h11 += weight * score * score;
            h10 += weight * score;
            h00 += weight;
        }
        let whole = h11 * h00 - h10 * h10;
        slope -= (g1 * h00 - g0 * h10) / whole;
        shift -= (g0 * h11 - g1 * h10) / whole;
    }
    (slope as f32, shift as f32)
}
