//! Turns the mails of `tests/mail` over, at random and for a while, and reads what comes of it: nothing a mail holds may
//! panic or hang. `FUZZ_SECONDS=600 cargo bench --bench fuzz`; the default is 5 s.
//!
//! An input that fails is kept as `tests/mail/found-*.eml`.

use balance_alert::check::mailbox::{finding, keywords, mail};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes that mean something to a parser.
const PIECES: [&[u8]; 24] = [
    b"=?utf-8?B?",
    b"=?gbk?Q?",
    b"?=",
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b"--BB",
    b"--BB--",
    b"Content-Type: ",
    b"multipart/mixed; boundary=BB",
    b"message/rfc822",
    b"text/html",
    b"charset=gb2312",
    b"Content-Transfer-Encoding: base64\r\n",
    b"quoted-printable",
    b"<script>",
    b"</",
    b"<!--",
    b"&#x",
    b"\0",
    b"\xff\xfe",
    "余额不足".as_bytes(),
    b"99999999999999999999",
    b"Subject: ",
];

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail");
    let corpus: Vec<Vec<u8>> = std::fs::read_dir(&folder)
        .expect("the corpus")
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "eml"))
        .map(|entry| std::fs::read(entry.path()).expect("a mail"))
        .collect();
    let words = keywords::Keywords::new(keywords::DEFAULT.map(str::to_owned));
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut count, mut slowest, mut found) = (0_u64, Duration::ZERO, 0);
    while Instant::now() < end {
        let mut input = corpus[random.usize(..corpus.len())].clone();
        for _ in 0..random.usize(1..12) {
            mutate(&mut input, &corpus, &mut random);
        }
        input.truncate(300 * 1024);
        let begin = Instant::now();
        let outcome = std::panic::catch_unwind(|| {
            let mail = mail::read(&input);
            let text = format!("{}\n{}", mail.subject, mail.text);
            (words.find(&text).len(), finding::amount(&text), finding::service(&mail.subject))
        });
        let took = begin.elapsed();
        slowest = slowest.max(took);
        count += 1;
        if outcome.is_err() || took > Duration::from_secs(2) {
            found += 1;
            std::fs::write(folder.join(format!("found-{seed}-{count}.eml")), &input).expect("the input is kept");
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{count} mails in {seconds} s, seed {seed}: {found} failed, the slowest took {} ms",
        slowest.as_millis()
    )
    .expect("standard output");
    assert_eq!(found, 0, "see tests/mail/found-*.eml");
}

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut fastrand::Rng) {
    let at = random.usize(..=input.len());
    match random.u8(..7) {
        0 if at < input.len() => input[at] = random.u8(..),
        1 => input.truncate(at),
        2 => drop(input.splice(at..at, PIECES[random.usize(..PIECES.len())].iter().copied())),
        3 => {
            let until = (at + random.usize(..200)).min(input.len());
            input.drain(at..until);
        }
        4 => {
            // The same once more, many times over at times.
            let until = (at + random.usize(1..200)).min(input.len());
            let piece: Vec<u8> = input[at..until].repeat(random.usize(1..50));
            drop(input.splice(at..at, piece));
        }
        5 => {
            let other = &corpus[random.usize(..corpus.len())];
            let from = random.usize(..=other.len());
            drop(input.splice(at..at, other[from..].iter().copied()));
        }
        _ => drop(input.splice(at..at, (0..random.usize(1..20)).map(|_| random.u8(..)).collect::<Vec<_>>())),
    }
}
