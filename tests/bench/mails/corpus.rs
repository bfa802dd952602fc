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

/// How much a few sentences count beside a whole mail. More makes it worse: they are easier than real mails.
const OF_SENTENCES: f32 = 0.5;

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

/// The short mails that were written to be learnt from: language, label, subject and text, with tabs between.
pub(crate) fn sentences() -> Vec<Labelled> {
    let lines = std::fs::read_to_string(folder().join("sentences.tsv")).expect("the sentences");
    lines
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [language, label, subject, text] = fields[..] else { panic!("a line of sentences: {line}") };
            let text = text.replace(" / ", "\r\n");
            Labelled {
                hand: b'z',
                counts: OF_SENTENCES,
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
pub(crate) fn checksum() -> String {
    let engine = folder().join("../../src/check/mailbox/engine");
    let mut files = vec![folder().join("sentences.tsv"), engine.join("families.txt"), engine.join("simplified.txt")];
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
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
