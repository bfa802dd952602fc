//! How many of the mails in `tests/mails` are judged right, for each language and each set.
//!
//! `cargo bench --bench mails` prints the figures; `WRITE_DOCS=1` writes them into the documentation as well. `LEARN=1` makes the
//! weights of the engine anew before, from the half that may be tuned on: the same mails always give the same weights. Nothing
//! but figures is told of the half that is only measured.

#![allow(clippy::disallowed_methods, reason = "a benchmark may wait")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that panics has failed")]

mod corpus;
mod figures;
mod learn;

use std::io::Write;
use std::time::Instant;

use balance_alert::internals::{engine, mail};
use corpus::{Labelled, folder, mails, sentences};

fn main() {
    let mut out = std::io::stdout().lock();
    let tune = mails("tune");
    if std::env::var_os("LEARN").is_some() {
        let mut all = tune.clone();
        all.extend(sentences());
        let begun = Instant::now();
        let (weights, list) = learn::weights(&all, &mut out);
        std::fs::write(folder().join("../../src/check/mailbox/engine/weights.bin"), weights)
            .expect("the weights are written");
        std::fs::write(folder().join("../../target/weights.tsv"), list).expect("the list is written");
        writeln!(
            out,
            "learnt from {} mails in {:.1} s; build again to use it (target/weights.tsv is the list for people)",
            all.len(),
            begun.elapsed().as_secs_f32()
        )
        .expect("standard output");
        return;
    }
    let mut lines = String::new();
    let sets = [
        ("learnt from", tune.clone()),
        ("only measured", mails("measured")),
        ("by hands seen last", mails("fresh")),
        ("by a hand never seen", mails("third")),
    ];
    for (half, mails) in sets {
        if mails.is_empty() {
            continue;
        }
        for (language, figures) in figures::figures(&mails) {
            let (recall, precision) = (figures.recall(), figures.precision());
            lines += &format!(
                "| {half} | {language} | {} | {recall:.3} | {precision:.3} | {} of {} |\n",
                figures.mails, figures.told_right, figures.told
            );
        }
    }
    write!(out, "{lines}").expect("standard output");
    if std::env::var_os("WRITE_DOCS").is_some() {
        ["docs/mailboxes.md", "docs/zh/mailboxes.md"].iter().for_each(|page| write_into(page, &lines));
    }
    time(&tune, &mut out);
}

/// Says how long it takes to judge a mail.
fn time(mails: &[Labelled], out: &mut impl Write) {
    engine::weigh(&mail::read(b"Subject: first\r\n\r\nx\r\n"));
    let read: Vec<mail::Mail> = mails.iter().map(|labelled| mail::read(&labelled.raw)).collect();
    let begun = Instant::now();
    let rounds = 5;
    for _ in 0..rounds {
        for mail in &read {
            std::hint::black_box(engine::weigh(std::hint::black_box(mail)));
        }
    }
    let micros = begun.elapsed().as_secs_f64() * 1e6 / (rounds * read.len()) as f64;
    writeln!(out, "{micros:.0} microseconds a mail").expect("standard output");
}

/// Puts the figures into a page, between the marks for them.
fn write_into(page: &str, lines: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(&path).expect("a page");
    let (before, rest) = text.split_once("<!-- figures -->\n").expect("the mark before the figures");
    let (old, after) = rest.split_once("<!-- /figures -->").expect("the mark behind the figures");
    let head: String = old.lines().take(2).map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, format!("{before}<!-- figures -->\n{head}{lines}<!-- /figures -->{after}"))
        .expect("the page is written");
}
