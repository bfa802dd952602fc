//! Turns the mails of `tests/mail` over, and answers of IMAP servers, at random and for a while, and reads what comes of it: nothing
//! that comes from outside may panic, hang or end the process, however deep it goes. `FUZZ_SECONDS=600 cargo bench --bench fuzz`;
//! the default is 5 s. All is read on a stack that is a quarter of a worker's, so that depth shows soon.
//!
//! An input that fails is kept as `tests/mail/found-*.eml` or `.imap`. One that ends the process comes again with the same
//! `FUZZ_SEED`, which is said at the beginning. Then come bodies and expressions of pages, for a third of that time.

#![allow(clippy::disallowed_methods, reason = "a benchmark may wait")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that panics has failed")]

mod page;

use balance_alert::internals::{Answers, finding, keywords, mail};
use base64::Engine;
use fastrand::Rng;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A quarter of what a worker has.
const STACK: usize = 512 * 1024;
/// What no input may take, on a slow machine and without optimization.
const SLOW: Duration = Duration::from_secs(2);
/// What is fetched of a mail, and a little more.
const MOST: usize = 300 * 1024;
/// What is encoded once more: it takes time to make.
const MOST_ENCODED: usize = 100 * 1024;

/// Bytes that mean something to a parser of mails.
const PIECES: [&[u8]; 29] = [
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
    b"multipart/digest; boundary=BB",
    b"message/rfc822",
    b"message/global",
    b"text/html",
    b"charset=gb2312",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Disposition: attachment\r\n",
    b"quoted-printable",
    b"((((",
    b"\"\\\"",
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

/// Words that mean something to a parser of IMAP.
const WORDS: [&[u8]; 44] = [
    b"* ",
    b"a1 ",
    b"+ ",
    b"OK ",
    b"NO ",
    b"BAD ",
    b"BYE ",
    b"[ALERT] ",
    b"[BADCHARSET (",
    b"[CAPABILITY IMAP4rev1] ",
    b"CAPABILITY IMAP4rev1",
    b"SEARCH 1 2",
    b"1 FETCH (",
    b"UID 9 ",
    b"INTERNALDATE ",
    b"BODY[]<0> ",
    b"BODY[HEADER.FIELDS (",
    b"BODYSTRUCTURE ",
    b"BODY ",
    b"ENVELOPE ",
    b"FLAGS ",
    b"X-GM-LABELS ",
    b"LIST () ",
    b"STATUS x ",
    b"ID ",
    b"METADATA x ",
    b"ACL x ",
    b"VANISHED 1:2",
    b"QUOTA x ",
    b"(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1) ",
    b"(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 1 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ",
    b"NIL ",
    b"\"7BIT\" ",
    b"\"a\" ",
    b"\"",
    b"\\",
    b"(",
    b")",
    b" ",
    b"1 ",
    b"{3}",
    b"{0}\r\n",
    b"\r\n",
    b"\n",
];

fn main() {
    let seconds = variable("FUZZ_SECONDS").unwrap_or(5);
    let seed = variable("FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..));
    let mut out = std::io::stdout().lock();
    writeln!(out, "{seconds} s, FUZZ_SEED={seed}").expect("standard output");
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || fuzz(seconds, seed));
    let Tally { mails, answers, slowest, found } = thread.expect("a thread").join().expect("its end");
    writeln!(out, "{mails} mails and {answers} answers: {found} failed, the slowest took {} ms", slowest.as_millis())
        .expect("standard output");
    assert_eq!(found, 0, "see tests/mail/found-*");
    let seconds = Duration::from_secs(seconds) / 3;
    writeln!(out, "pages: an input that ends the process is left in {}", page::last_input().display())
        .and_then(|()| out.flush())
        .expect("standard output");
    let pages = page::fuzz(&mut Rng::with_seed(seed), Instant::now() + seconds);
    writeln!(
        out,
        "{} bodies and expressions in {} s, {} of them jq: {} failed, the slowest took {} ms",
        pages.count,
        seconds.as_secs(),
        pages.compiled,
        pages.failed,
        pages.slowest.as_millis()
    )
    .expect("standard output");
    assert_eq!(pages.failed, 0);
    assert!(pages.compiled > 0, "a run that compiles nothing proves nothing");
    std::fs::remove_file(page::last_input()).expect("the last input goes");
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[derive(Default)]
struct Tally {
    mails: u64,
    answers: u64,
    slowest: Duration,
    found: u64,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail")
}

fn fuzz(seconds: u64, seed: u64) -> Tally {
    let corpus: Vec<Vec<u8>> = std::fs::read_dir(folder())
        .expect("the corpus")
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "eml"))
        .map(|entry| std::fs::read(entry.path()).expect("a mail"))
        .collect();
    let words = keywords::Keywords::new(keywords::DEFAULT.map(str::to_owned));
    let mut random = Rng::with_seed(seed);
    let mut tally = Tally::default();
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        if random.u8(..4) == 0 {
            let input = answer(&mut random);
            tally.answers += 1;
            tally.check(seed, "imap", &input, || hear(&input));
        } else {
            let input = message(&corpus, &mut random);
            tally.mails += 1;
            tally.check(seed, "eml", &input, || {
                let mail = mail::read(&input);
                let text = format!("{}\n{}", mail.subject, mail.text);
                let _ = (
                    words.find(&text).len(),
                    finding::shown_amount(&mail.subject, &mail.text),
                    finding::service(&mail.subject),
                );
                assert!(mail.text.len() <= mail::MOST_TEXT, "{}", mail.text.len());
            });
        }
    }
    tally
}

impl Tally {
    fn check(&mut self, seed: u64, kind: &str, input: &[u8], read: impl FnOnce() + std::panic::UnwindSafe) {
        let begin = Instant::now();
        let outcome = std::panic::catch_unwind(read);
        let took = begin.elapsed();
        self.slowest = self.slowest.max(took);
        if outcome.is_err() || took > SLOW {
            self.found += 1;
            let name = format!("found-{seed}-{}.{kind}", self.mails + self.answers);
            std::fs::write(folder().join(name), input).expect("the input is kept");
        }
    }
}

/// A mail of the corpus, turned over, and perhaps deep inside others.
fn message(corpus: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut input = corpus[random.usize(..corpus.len())].clone();
    for _ in 0..random.usize(1..12) {
        mutate(&mut input, corpus, random);
    }
    if random.bool() {
        input = deep(input, random);
        for _ in 0..random.usize(..3) {
            mutate(&mut input, corpus, random);
        }
    }
    input.truncate(MOST);
    input
}

/// The mail inside as many others as it takes, each in its own way, or all in the same.
fn deep(mut inner: Vec<u8>, random: &mut Rng) -> Vec<u8> {
    let (same, is_mixed) = (random.u8(..6), random.bool());
    let most = if random.bool() { 60 } else { 6000 };
    let levels = random.usize(1..most);
    let mut outer: Vec<u8> = Vec::new();
    for level in 0..levels {
        let kind = ["message/rfc822", "message/global", "message(x)/rfc822", "Message/\r\n RFC822"][random.usize(..4)];
        let encode = |encoding: &str, body: &[u8]| {
            let head = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n");
            [head.as_bytes(), body].concat()
        };
        match if is_mixed { random.u8(..6) } else { same } {
            0 if inner.len() + outer.len() < MOST_ENCODED => {
                let body = base64::engine::general_purpose::STANDARD.encode([&*outer, &*inner].concat());
                (outer, inner) = (Vec::new(), encode("base64", body.as_bytes()));
            }
            1 if inner.len() + outer.len() < MOST_ENCODED => {
                let body = String::from_utf8_lossy(&[&*outer, &*inner].concat()).replace('=', "=3D");
                (outer, inner) = (Vec::new(), encode("quoted-printable", body.as_bytes()));
            }
            // From the outside in: what is inside does not grow with each level.
            2 => {
                outer.extend(format!("Content-Type: multipart/mixed; boundary=d{level}\r\n\r\n--d{level}\r\n").bytes())
            }
            3 => outer
                .extend(format!("Content-Type: multipart/digest; boundary=d{level}\r\n\r\n--d{level}\r\n\r\n").bytes()),
            4 => outer.extend(format!("To: {}\r\n", "(".repeat(random.usize(..2000))).bytes()),
            _ => outer.extend(format!("Content-Type: {kind}\r\n\r\n").bytes()),
        }
        if outer.len() + inner.len() > MOST {
            break;
        }
    }
    outer.extend(inner);
    outer
}

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Rng) {
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

/// What a server may say: words of the protocol in any order, some of them many times over, and lists in lists.
fn answer(random: &mut Rng) -> Vec<u8> {
    let mut input = Vec::new();
    if random.bool() {
        let before: [&[u8]; 4] = [b"", b"* OK x {9}\r\n", b"* 2 FETCH (X {3}\r\n\"()Y \"(\\\")\")\r\n", b"+ \"\r\n"];
        let start: [&[u8]; 3] =
            [b"* 1 FETCH (UID 9 BODYSTRUCTURE ", b"* 1 FETCH (BODY ", b"* 1 fetch (FLAGS () BODYSTRUCTURE "];
        let list: [&[u8]; 4] = [
            b"(",
            b"(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 1 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ",
            b"((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1) ",
            b"(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1 NIL NIL NIL NIL (",
        ];
        input.extend(before[random.usize(..before.len())]);
        input.extend(start[random.usize(..start.len())]);
        let most = if random.bool() { 40 } else { 5000 };
        input.extend(list[random.usize(..list.len())].repeat(random.usize(..most)));
    }
    for _ in 0..random.usize(1..60) {
        let word = WORDS[random.usize(..WORDS.len())];
        let count = match random.u8(..12) {
            0 => random.usize(..2000),
            1 => random.usize(..40),
            _ => 1,
        };
        input.extend(word.repeat(count));
        if random.u8(..30) == 0 {
            input.push(random.u8(..));
        }
    }
    input.extend(b"\r\n");
    input.truncate(MOST);
    input
}

/// Has the protocol's parser read what is left for it. What is a whole response to the one is a whole response to the other: it never
/// waits for more of it, and leaves nothing of it.
fn hear(said: &[u8]) {
    let mut answers = Answers::new(1000);
    let mut buffer = vec![0; said.len() + 1000];
    for byte in said {
        if answers.feed(&[*byte]).is_err() {
            return;
        }
        let count = answers.take(&mut buffer);
        if count == 0 {
            continue;
        }
        let response = &buffer[..count];
        let shown = || String::from_utf8_lossy(response).into_owned();
        match imap_proto::parser::parse_response(response) {
            Ok((rest, _)) => assert!(rest.is_empty(), "left: {}", shown()),
            Err(error) => assert!(!error.is_incomplete(), "waits for more: {}", shown()),
        }
    }
}
