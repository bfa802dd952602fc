//! The mails and what they are.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

/// A mail, or a few sentences as one, with what it is.
#[derive(Clone)]
pub(crate) struct Labelled {
    /// The letter of who wrote it.
    pub(crate) hand: u8,
    /// How much it counts beside a whole mail.
    pub(crate) counts: f32,
    pub(crate) language: String,
    pub(crate) is_trouble: bool,
    /// The amount that an alert should tell, with its currency; `-` for none.
    pub(crate) amount: String,
    pub(crate) currency: String,
    pub(crate) raw: Vec<u8>,
}

/// The hand of each file of a few sentences each, and how much they count beside a whole mail. More makes it worse: they are easier than real mails,
/// and what consists of one plain sentence has so few signs that each of them gets a large weight.
const FILES_OF_SENTENCES: [(&str, u8, f32); 3] =
    [("sentences.tsv", b'z', 0.5), ("short.tsv", b'y', 0.1), ("plain.tsv", b'x', 0.15)];

/// Where the mails are.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/mails")
}

/// The mails of one half.
pub(crate) fn mails(half: &str) -> Vec<Labelled> {
    let folder = folder().join(half);
    let labels = std::fs::read_to_string(folder.join("labels.tsv")).expect("the labels");
    labels
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [name, language, label, amount, currency, ..] = fields[..] else { panic!("a line of labels: {line}") };
            Labelled {
                hand: name.as_bytes()[0],
                counts: 1.0,
                language: language.to_owned(),
                is_trouble: label == "trouble",
                amount: amount.to_owned(),
                currency: currency.to_owned(),
                raw: std::fs::read(folder.join(format!("{name}.eml"))).expect("a mail"),
            }
        })
        .collect()
}

/// The short mails that were written to be learnt from: language, label, subject and text, with tabs between. The plain ones have no
/// subject.
pub(crate) fn sentences() -> Vec<Labelled> {
    FILES_OF_SENTENCES.into_iter().flat_map(|(file, hand, counts)| sentences_of(file, hand, counts)).collect()
}

fn sentences_of(file: &str, hand: u8, counts: f32) -> Vec<Labelled> {
    let lines = std::fs::read_to_string(folder().join(file)).expect("the sentences");
    lines
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let (language, label, subject, text) = match fields[..] {
                [language, label, subject, text] => (language, label, subject, text),
                [language, label, text] => (language, label, "", text),
                _ => panic!("a line of sentences: {line}"),
            };
            let text = text.replace(" / ", "\r\n");
            Labelled {
                hand,
                counts,
                language: language.to_owned(),
                is_trouble: label == "trouble",
                amount: "-".to_owned(),
                currency: "-".to_owned(),
                raw: format!("Subject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n")
                    .into_bytes(),
            }
        })
        .collect()
}

/// A hash of all that the weights are learnt from: they name it, so that a test sees when they are old.
pub(crate) fn checksum() -> [u8; 8] {
    let engine = folder().join("../../src/check/mailbox/engine");
    let mut files: Vec<PathBuf> = FILES_OF_SENTENCES.iter().map(|(file, ..)| folder().join(file)).collect();
    files.extend([engine.join("families.txt"), engine.join("simplified.txt")]);
    let mut tuned: Vec<PathBuf> = std::fs::read_dir(folder().join("tune"))
        .expect("the mails")
        .map(|entry| entry.expect("a mail").path())
        .collect();
    tuned.sort_unstable();
    files.extend(tuned);
    let mut digest = Sha256::new();
    for file in files {
        digest.update(std::fs::read(file).expect("a file"));
    }
    let mut first = [0; 8];
    first.copy_from_slice(&digest.finalize()[..8]);
    first
}
