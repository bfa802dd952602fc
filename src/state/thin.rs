//! Older samples are thinned: of each hour, and later of each day, the last one of a check is kept, with what its balance fell and
//! rose since the first one ([`Stretch`]). So the sums of a time stay exact, and the readings that forecasts are made of
//! (`hourly_readings`) stay the same.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::StoreError;
use super::database::{Database, Row, Value, for_keys, insert, transaction};
use super::hourly_readings::HOUR;
use super::prune::believed;
use super::rows::{fact, set_fact};
use super::stretch::Stretch;

const DAY: i64 = 24 * HOUR;

/// The stages: where it is kept how far they have come, the age from which on samples belong to them, and the part of the time of which
/// the last one is kept. `backtest` decides the last 30 days again, run by run. A forecast looks at readings of 180 days at the most, at
/// the last ones of six hours.
const STAGES: [(&str, i64, i64); 2] = [("thinned_to_hours", 32 * DAY, HOUR), ("thinned_to_days", 200 * DAY, DAY)];
/// Samples that one run looks at, at the most: twice as many as a run over 10 000 accounts writes.
const AT_ONCE: i64 = 20_000;
/// Parts of the time that one run looks at, at the most.
const MOST_PARTS: usize = 200;

/// Thins what has become old enough, as far as one run may.
pub(super) fn thin(database: &mut dyn Database, wait: Duration) -> Result<(), StoreError> {
    let now = database.now();
    let Some(now) = believed(database, now)?.map(Timestamp::as_microsecond) else { return Ok(()) };
    let oldest = database.query("SELECT min(run) FROM runs", &[])?.first().and_then(|row| row.optional_int(0));
    // Writers are not kept out for nothing.
    if oldest.is_none_or(|oldest| oldest > now - STAGES[0].1) {
        return Ok(());
    }
    transaction(database, wait, |database| {
        let mut left = AT_ONCE;
        for (name, age, length) in STAGES {
            left = Stage { name, before: now - age, length }.carry_on(database, left)?;
        }
        Ok(())
    })
}

struct Stage {
    /// The fact that says how far it has come: the begin of a part, and the last check that is done of it.
    name: &'static str,
    /// Parts that end before this are old enough, in microseconds.
    before: i64,
    length: i64,
}

/// A sample, as far as it matters here.
struct Sample {
    run: i64,
    /// The runs that it is compared with: those over the same part of the checks.
    lane: (String, i64),
    status: Value,
    balance: Option<Decimal>,
    currency: Option<String>,
    merged: Option<String>,
}

impl Stage {
    /// Gives how many samples the run may still look at.
    fn carry_on(&self, database: &mut dyn Database, mut left: i64) -> Result<i64, StoreError> {
        let known = fact(database, self.name)?;
        let (mut begin, mut check) = known.as_deref().and_then(place).unwrap_or((i64::MIN, i64::MIN));
        let before = (begin, check);
        for _ in 0..MOST_PARTS {
            let next = "SELECT min(run) FROM runs WHERE run >= $1";
            let Some(first) = database.query(next, &[begin.into()])?.first().and_then(|row| row.optional_int(0)) else {
                break;
            };
            let part = first.div_euclid(self.length) * self.length;
            if part > begin {
                (begin, check) = (part, i64::MIN);
            }
            if part.saturating_add(self.length) > self.before || left <= 0 {
                break;
            }
            let end = part + self.length;
            let runs = self.runs(database, (part, end))?;
            if runs.len() > 1 {
                let count = (left / runs.len() as i64).max(1);
                let last = last_check(database, check, count)?;
                left -= one_part(database, &runs, (part, end), (check, last))?;
                if last != i64::MAX {
                    check = last;
                    continue;
                }
            }
            (begin, check) = (end, i64::MIN);
        }
        if (begin, check) != before {
            set_fact(database, self.name, &format!("{begin} {check}"))?;
        }
        Ok(left)
    }

    fn runs(
        &self,
        database: &mut dyn Database,
        (part, end): (i64, i64),
    ) -> Result<HashMap<i64, (String, i64)>, StoreError> {
        let sql = "SELECT run, shard, is_partial FROM runs WHERE run >= $1 AND run < $2";
        let rows = database.query(sql, &[part.into(), end.into()])?;
        rows.iter().map(|row| Ok((row.int(0)?, (row.text(1)?.to_owned(), row.int(2)?)))).collect()
    }
}

fn place(fact: &str) -> Option<(i64, i64)> {
    let (begin, check) = fact.split_once(' ')?;
    Some((begin.parse().ok()?, check.parse().ok()?))
}

/// The last of so many checks after one; the last that there can be if there are no more.
fn last_check(database: &mut dyn Database, after: i64, count: i64) -> Result<i64, StoreError> {
    let sql = "SELECT check_id FROM checks WHERE check_id > $1 ORDER BY check_id LIMIT 1 OFFSET $2";
    let rows = database.query(sql, &[after.into(), (count - 1).into()])?;
    Ok(rows.first().and_then(|row| row.optional_int(0)).unwrap_or(i64::MAX))
}

/// Thins one part of the time, for some checks. Gives how many samples there were.
fn one_part(
    database: &mut dyn Database,
    runs: &HashMap<i64, (String, i64)>,
    (part, end): (i64, i64),
    (after, last): (i64, i64),
) -> Result<i64, StoreError> {
    // Over the runs, so that the checks of each are found by the key of the samples.
    let sql = "SELECT s.run, s.check_id, s.status, s.balance, s.currency, s.merged FROM runs r \
               JOIN samples s ON s.run = r.run AND s.check_id > $3 AND s.check_id <= $4 \
               WHERE r.run >= $1 AND r.run < $2 ORDER BY r.run";
    let rows = database.query(sql, &[part.into(), end.into(), after.into(), last.into()])?;
    let count = rows.len() as i64;
    let mut checks: BTreeMap<i64, Vec<Sample>> = BTreeMap::new();
    for row in &rows {
        // What cannot be understood stays as it is.
        if let Ok((check, sample)) = sample(row, runs) {
            checks.entry(check).or_default().push(sample);
        }
    }
    let (mut gone, mut merged) = (BTreeMap::<i64, Vec<Value>>::new(), Vec::<Vec<Value>>::new());
    for (check, samples) in checks {
        let (removed, kept) = thinned(&samples);
        for at in removed {
            gone.entry(samples[at].run).or_default().push(check.into());
        }
        for (at, stretch) in kept {
            let sample = &samples[at];
            merged.push(vec![sample.run.into(), check.into(), sample.status.clone(), stretch.merged().into()]);
        }
    }
    for (run, checks) in gone {
        for_keys(database, "DELETE FROM samples WHERE run = $1 AND check_id IN ({keys})", &[run.into()], &checks)?;
    }
    let rest = "ON CONFLICT (run, check_id) DO UPDATE SET merged = excluded.merged";
    insert(database, "samples", &["run", "check_id", "status", "merged"], &merged, rest)?;
    Ok(count)
}

fn sample(row: &Row, runs: &HashMap<i64, (String, i64)>) -> Result<(i64, Sample), StoreError> {
    let run = row.int(0)?;
    let lane = runs.get(&run).cloned().ok_or_else(|| StoreError::damaged("a run is missing in it"))?;
    let (status, text) = (row.text(2)?.into(), |column| row.optional_text(column).map(str::to_owned));
    let sample = Sample { run, lane, status, balance: row.decimal(3)?, currency: text(4), merged: text(5) };
    Ok((row.int(1)?, sample))
}

/// Which samples of a check are removed, and what is kept of them beside those that stay. They stand oldest first.
fn thinned(samples: &[Sample]) -> (Vec<usize>, Vec<(usize, Stretch)>) {
    let (mut removed, mut kept) = (Vec::new(), Vec::new());
    // What was removed since the last sample that stays, and the last one of that.
    let mut open: Option<(usize, Stretch)> = None;
    let own = |at: usize| Stretch::kept(samples[at].balance?, samples[at].merged.as_deref());
    for (at, sample) in samples.iter().enumerate() {
        if sample.balance.is_none() {
            // The last thing that is known of a check stays.
            if at + 1 < samples.len() {
                removed.push(at);
            }
            continue;
        }
        let joined = own(at).and_then(|own| open.map_or(Some(own), |(_, before)| before.join(own)));
        match (joined, open.take()) {
            (Some(joined), _) if !stays(samples, at) => {
                removed.push(at);
                open = Some((at, joined));
            }
            (Some(joined), Some(_)) => kept.push((at, joined)),
            // Sums that cannot be added stay where they are.
            (None, Some((last, before))) => {
                removed.retain(|removed| *removed != last);
                kept.extend((own(last) != Some(before)).then_some((last, before)));
            }
            (_, None) => {}
        }
    }
    (removed, kept)
}

/// Whether a sample with a balance stays: the last one of the check, and of those of its lane, and the last one in a currency.
fn stays(samples: &[Sample], at: usize) -> bool {
    let sample = &samples[at];
    let mut later = samples[at + 1..].iter().filter(|other| other.balance.is_some());
    let is_last_in_currency = later.clone().next().is_none_or(|next| next.currency != sample.currency);
    is_last_in_currency || !later.any(|other| other.lane == sample.lane)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples as `100 90 x 80 5EUR 4EUR 3p`: `x` could not be read, `p` was read by a run that left checks out.
    fn samples(text: &str) -> Vec<Sample> {
        let sample = |(at, word): (usize, &str)| {
            let (word, is_partial) = word.strip_suffix('p').map_or((word, 0), |word| (word, 1));
            let (amount, currency) = word.strip_suffix("EUR").map_or((word, "USD"), |amount| (amount, "EUR"));
            Sample {
                run: at as i64,
                lane: (String::new(), is_partial),
                status: "ok".into(),
                balance: amount.parse().ok(),
                currency: Some(currency.to_owned()),
                merged: None,
            }
        };
        text.split_whitespace().enumerate().map(sample).collect()
    }

    fn sums(samples: &[Sample]) -> BTreeMap<Option<String>, [Decimal; 2]> {
        let mut sums = BTreeMap::new();
        let known: Vec<(&Sample, Stretch)> = samples
            .iter()
            .filter_map(|sample| Some((sample, Stretch::kept(sample.balance?, sample.merged.as_deref())?)))
            .collect();
        let mut add = |currency: &Option<String>, stretch: Stretch| {
            let sum: &mut [Decimal; 2] = sums.entry(currency.clone()).or_default();
            *sum = [sum[0] + stretch.fell, sum[1] + stretch.rose];
        };
        for (sample, stretch) in &known {
            add(&sample.currency, *stretch);
        }
        for pair in known.windows(2).filter(|pair| pair[0].0.currency == pair[1].0.currency) {
            let (before, after) = (pair[0].1.last, pair[1].1.first);
            let step = |balance| Stretch::kept(balance, None).unwrap();
            add(&pair[0].0.currency, step(before).join(step(after)).unwrap());
        }
        sums
    }

    /// What is left, with the sums beside.
    fn left(mut samples: Vec<Sample>) -> Vec<Sample> {
        let (removed, kept) = thinned(&samples);
        for (at, stretch) in kept {
            samples[at].merged = Some(stretch.merged());
        }
        let mut at = 0;
        samples.retain(|_| {
            at += 1;
            !removed.contains(&(at - 1))
        });
        samples
    }

    #[test]
    fn the_last_one_stays_with_the_sums_of_the_others() {
        let far = "79228162514264337593543950335 -79228162514264337593543950335 5 4";
        for (text, want) in [
            ("", ""),
            ("5", "5"),
            ("100 90 95 80", "80[100 25 5]"),
            ("x x x", "x"),
            ("100 x 90 x", "90[100 10 0] x"),
            ("100 90 50p 80 40p", "80[100 50 30] 40p"),
            ("100 90 5EUR 4EUR 80", "90[100 10 0] 4EUR[5 1 0] 80"),
            (far, "79228162514264337593543950335 -79228162514264337593543950335 4[5 1 0]"),
        ] {
            let all = samples(text);
            let words: Vec<&str> = text.split_whitespace().collect();
            let shown = |sample: &Sample| {
                let merged = sample.merged.as_ref().map(|merged| format!("[{merged}]"));
                format!("{}{}", words[sample.run as usize], merged.unwrap_or_default())
            };
            let got: Vec<String> = left(all).iter().map(shown).collect();
            assert_eq!(got.join(" "), want, "{text}");
        }
    }

    #[test]
    fn sums_stay_exact_however_often_it_is_thinned() {
        for seed in 0..500 {
            let mut random = fastrand::Rng::with_seed(seed);
            let words: Vec<String> = (0..random.usize(1..60))
                .map(|_| match random.u8(..20) {
                    0 => "x".to_owned(),
                    1 => format!("{}EUR", random.i32(0..9)),
                    2 => format!("{}p", random.i32(-50..500)),
                    _ => format!("{}.{}", random.i32(-50..500), random.u8(..100)),
                })
                .collect();
            let all = samples(&words.join(" "));
            let want = sums(&all);
            // Hours first, then days.
            let mut hours: Vec<Sample> = Vec::new();
            let mut rest = all;
            while !rest.is_empty() {
                let others = rest.split_off(random.usize(1..=rest.len()).min(12));
                hours.extend(left(rest));
                rest = others;
            }
            let is_nothing = |sums: BTreeMap<Option<String>, [Decimal; 2]>| -> BTreeMap<_, _> {
                sums.into_iter().filter(|(_, sum)| *sum != [Decimal::ZERO; 2]).collect()
            };
            assert_eq!(is_nothing(sums(&hours)), is_nothing(want.clone()), "seed {seed}: {words:?}");
            let days = left(hours);
            assert_eq!(is_nothing(sums(&days)), is_nothing(want), "seed {seed}: {words:?}");
        }
    }
}
