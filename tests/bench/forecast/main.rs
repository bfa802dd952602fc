//! How good forecasts are: accounts are made up, read for a while, forecast, and followed until they are empty.
//!
//! `cargo bench --bench forecast` takes some minutes and prints the tables; with `WRITE_DOCS=1` it writes `docs/forecast.md` and
//! `docs/forecast.svg`. `-- --short` takes seconds and writes nothing. Each run has another seed, which it prints;
//! `-- --seed 17` gives it again; `-- --accounts 2000` takes more of each kind than 500. A target that is missed is shown and fails nothing: the figures are to be true, not green.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads its variables and writes its page")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that panics has failed")]

mod accounts;
mod measure;
mod page;
mod picture;
mod rivals;

use std::io::Write;

fn main() {
    let flags: Vec<String> = std::env::args().skip(1).collect();
    let is_short = flags.iter().any(|flag| flag == "--short");
    let value = |name: &str| flags.iter().position(|flag| flag == name).and_then(|at| flags.get(at + 1));
    let number = |name: &str| value(name).map(|text| text.parse::<u64>().expect("a number"));
    let seed = number("--seed").unwrap_or_else(|| u64::from(fastrand::u32(..)));
    let mut out = std::io::stdout().lock();
    writeln!(out, "seed {seed}").expect("standard output");
    let (readings, usual) =
        if is_short { (&measure::SHORT[..], measure::FEW) } else { (&measure::READINGS[..], measure::MANY) };
    let accounts = number("--accounts").map_or(usual, |accounts| accounts as usize);
    let results = measure::all(readings, accounts, seed);
    let page = page::page(&results, accounts, seed);
    write!(out, "{page}").expect("standard output");
    if std::env::var_os("WRITE_DOCS").is_some() && !is_short {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
        std::fs::write(format!("{docs}/forecast.md"), page).expect("the page is written");
        std::fs::write(format!("{docs}/forecast.svg"), picture::draw(&results)).expect("the picture is written");
    }
}
