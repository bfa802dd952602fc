//! Brings a mail's text to one spelling and parts it into sentences and words.
//!
//! Upper case, full-width forms, traditional characters and invisible characters go; addresses and links go, because they
//! name somebody and say nothing; numbers become `#`, amounts of money `$`, one of nothing `$0` and one below zero `$-`. So one
//! weight serves for all ways to write the same.

use std::sync::OnceLock;

/// Pairs of a traditional character and the simplified one that stands for it.
const SIMPLIFIED: &str = include_str!("simplified.txt");

/// Most words of a mail that are looked at: what matters stands near the beginning.
const MOST_WORDS: usize = 12_000;
/// Most words of one sentence; what is longer is a list, and is parted.
const LONGEST: usize = 80;

/// Words and signs for currencies; beside a number they make it an amount of money.
const CURRENCIES: [&str; 27] = [
    "$", "€", "£", "¥", "us$", "nt$", "hk$", "s$", "a$", "c$", "元", "円", "圆", "usd", "eur", "gbp", "cny", "rmb",
    "twd", "hkd", "jpy", "chf", "sek", "sgd", "aud", "euro", "euros",
];

/// Where a sentence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MailPart {
    /// The subject.
    Subject,
    /// The text.
    Body,
}

/// A sentence in one spelling. Its words stand in `text` one behind the other, with a blank between two Latin ones.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    /// Where it stands.
    pub(super) place: MailPart,
    /// Its words.
    pub(super) text: String,
    /// Where each word begins and ends in `text`.
    pub(super) words: Vec<(u32, u32)>,
    /// The amounts and shares in it, by where they begin in `text`.
    pub(super) sizes: Vec<(u32, Size)>,
}

/// How large an amount of money or a share is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Nothing,
    Negative,
    /// Money, by the digits before its decimal sign.
    Ones,
    Tens,
    Hundreds,
    More,
    /// Of a hundred: less than 25, less than 75, and more.
    Few,
    Half,
    Most,
}

impl Sentence {
    /// The word with a number.
    pub(super) fn word(&self, at: usize) -> &str {
        let (start, end) = self.words[at];
        &self.text[start as usize..end as usize]
    }
}

/// The characters that may be in the table.
const FIRST_HAN: u32 = 0x3400;
const LAST_HAN: u32 = 0x9fff;

/// The character that stands for a character in one spelling.
fn plain(c: char) -> char {
    // The simplified character of each from the first on, and zero where it is the same: every character of a mail is looked up.
    static TABLE: OnceLock<Vec<u32>> = OnceLock::new();
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{3000}' => ' ',
        '\u{ffe5}' => '¥',
        '\u{2212}' => '-',
        '\u{3400}'..='\u{9fff}' => {
            let table = TABLE.get_or_init(|| {
                let mut chars = SIMPLIFIED.lines().filter(|line| !line.starts_with('#')).flat_map(str::chars);
                let mut table = vec![0; (LAST_HAN - FIRST_HAN + 1) as usize];
                while let (Some(from), Some(to)) = (chars.next(), chars.next()) {
                    let place = (from as u32).checked_sub(FIRST_HAN).and_then(|at| table.get_mut(at as usize));
                    if let Some(place) = place {
                        *place = to as u32;
                    }
                }
                table
            });
            match table.get((c as u32 - FIRST_HAN) as usize) {
                Some(to) if *to != 0 => char::from_u32(*to).unwrap_or(c),
                _ => c,
            }
        }
        c => c,
    }
}

/// A text in one spelling, with its punctuation.
pub(super) fn spell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let ascii = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
        out.push_str(&rest[..ascii]);
        rest = &rest[ascii..];
        let Some(c) = rest.chars().next() else {
            break;
        };
        match c {
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {}
            c => match plain(c) {
                c if c >= '\u{2e80}' => out.push(c),
                c => out.extend(c.to_lowercase()),
            },
        }
        rest = &rest[c.len_utf8()..];
    }
    out.make_ascii_lowercase();
    out
}

/// Whether a character is a word of its own.
pub(super) fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

fn is_letter(c: char) -> bool {
    c == '\'' || (c < '\u{2e80}' && c.is_alphabetic())
}

/// Whether no address and no link goes on through a character.
fn ends_link(c: char) -> bool {
    matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '"' | '，' | '。' | '、' | '；' | '：')
        || is_cjk(c)
        || c.is_whitespace()
}

/// The sentences of a text. Gives whether it was looked at to its end.
pub(super) fn sentences(text: &str, place: MailPart, into: &mut Vec<Sentence>) -> bool {
    let spelt = spell(text);
    let sentence = Sentence { place, text: String::new(), words: Vec::new(), sizes: Vec::new() };
    let mut maker = Maker { sentence, into, count: 0, digits: String::new() };
    let mut rest = spelt.as_str();
    let mut run = Run::default();
    let mut before = '\n';
    while let Some(c) = rest.chars().next() {
        if maker.count >= MOST_WORDS {
            maker.end();
            return false;
        }
        let mut length = c.len_utf8();
        if c == '\n' {
            let next = rest[1..].chars().next().unwrap_or('\n');
            // Lines are broken anywhere: one goes on behind a letter or a comma where the next begins with a letter.
            let goes_on = (before.is_ascii_lowercase() || before == ',') && next.is_ascii_lowercase();
            if !goes_on {
                maker.end();
            }
        } else if c.is_ascii_digit() {
            length = rest.find(|c: char| !(c.is_ascii_digit() || ".,:/-".contains(c))).unwrap_or(rest.len());
            let number = rest[..length].trim_end_matches(['.', ',', ':', '/', '-']);
            length = number.len();
            let is_nothing = number.chars().all(|c| matches!(c, '0' | '.' | ','));
            let is_negative = before == '-' || before == '(';
            maker.digits.clear();
            maker.digits.extend(digits(number));
            maker.number(is_nothing, is_negative);
        } else if is_letter(c) {
            length = rest.find(|c| !is_letter(c)).unwrap_or(rest.len());
            let at = spelt.len() - rest.len();
            if run.end <= at {
                run = Run::at(&spelt, at);
            }
            if run.is_link_from(&spelt, at) {
                length = run.end - at;
            } else {
                let has_sign = rest[length..].starts_with('$');
                length += usize::from(has_sign);
                maker.word(rest[..length].trim_matches('\''));
            }
        } else if is_cjk(c) || "$€£¥".contains(c) {
            maker.word(&rest[..length]);
        } else if c == '%' {
            maker.share();
        } else if "!?。;".contains(c) || (c == '.' && rest[1..].chars().next().is_none_or(|c| !c.is_alphanumeric())) {
            maker.end();
        }
        before = rest[..length].chars().next_back().unwrap_or(c);
        rest = &rest[length..];
    }
    maker.end();
    true
}

/// Characters through which an address or a link would go on: where they end, and where the last of each sort stands that makes them
/// one. A run is gone through once, however many words it has; each of them may be the beginning of a link.
#[derive(Default)]
struct Run {
    end: usize,
    at_sign: Option<usize>,
    slash: Option<usize>,
    scheme: Option<usize>,
    other_than_ascii: Option<usize>,
    dot: Option<usize>,
    /// The last dot behind which less than two characters stand before the next dot or the end.
    short: Option<usize>,
}

impl Run {
    /// The run that begins at a place, without the punctuation at its end.
    fn at(text: &str, start: usize) -> Run {
        let end = text[start..].find(ends_link).map_or(text.len(), |length| start + length);
        let until = start + text[start..end].trim_end_matches(['.', ',', ':', ';', '!', '?']).len();
        let bytes = &text.as_bytes()[..until];
        let mut run = Run { end, ..Run::default() };
        for (at, byte) in bytes.iter().enumerate().skip(start) {
            match byte {
                b'@' => run.at_sign = Some(at),
                b'/' => run.slash = Some(at),
                b':' if bytes[at..].starts_with(b"://") => run.scheme = Some(at),
                b'.' => {
                    if run.dot.is_some_and(|last| at - last < 3) {
                        run.short = run.dot;
                    }
                    run.dot = Some(at);
                }
                byte if !byte.is_ascii() => run.other_than_ascii = Some(at),
                _ => {}
            }
        }
        if run.dot.is_some_and(|last| until - last < 3) {
            run.short = run.dot;
        }
        run
    }

    /// Whether what begins at a place in it, with a letter, is an address or a link.
    fn is_link_from(&self, text: &str, start: usize) -> bool {
        let has = |last: Option<usize>| last.is_some_and(|last| last >= start);
        let has_dot = has(self.dot);
        let is_name = || {
            let is_short = text.as_bytes().get(start + 1) == Some(&b'.');
            !has(self.other_than_ascii) && !has(self.short) && !is_short
        };
        has(self.at_sign) || has(self.scheme) || has(self.slash) && has_dot || has_dot && is_name()
    }
}

/// The digits of a number before its decimal sign.
fn digits(number: &str) -> impl Iterator<Item = char> {
    let whole = match number.rfind(['.', ',']) {
        Some(at) if number.len() - at <= 3 => &number[..at],
        _ => number,
    };
    whole.chars().filter(char::is_ascii_digit).skip_while(|c| *c == '0').take(9)
}

/// Makes sentences out of words.
struct Maker<'a> {
    sentence: Sentence,
    into: &'a mut Vec<Sentence>,
    count: usize,
    /// The digits before the decimal sign of the number that was written last.
    digits: String,
}

impl Maker<'_> {
    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if self.last().starts_with('#') && CURRENCIES.contains(&word) {
            self.amount();
            return;
        }
        if self.sentence.words.len() >= LONGEST {
            self.end();
        }
        self.count += 1;
        let is_latin = |c: Option<char>| c.is_some_and(|c| !is_cjk(c));
        if is_latin(self.sentence.text.chars().next_back()) && is_latin(word.chars().next()) {
            self.sentence.text.push(' ');
        }
        let start = self.sentence.text.len();
        self.sentence.text.push_str(word);
        self.sentence.words.push((start as u32, self.sentence.text.len() as u32));
    }

    fn number(&mut self, is_nothing: bool, is_negative: bool) {
        let is_money = !self.sentence.words.is_empty() && CURRENCIES.contains(&self.last());
        if is_money {
            self.drop_last();
        }
        self.word(match (is_nothing, is_negative) {
            (true, _) => "#0",
            (_, true) => "#-",
            _ => "#",
        });
        if is_money {
            self.amount();
        }
    }

    /// Makes the number that was written last an amount of money.
    fn amount(&mut self) {
        let word = match self.last() {
            "#0" => "$0",
            "#-" => "$-",
            _ => "$",
        };
        self.drop_last();
        self.word(word);
        let size = match (word, self.digits.len()) {
            ("$0", _) => Size::Nothing,
            ("$-", _) => Size::Negative,
            (_, 0 | 1) => Size::Ones,
            (_, 2) => Size::Tens,
            (_, 3) => Size::Hundreds,
            _ => Size::More,
        };
        self.size(size);
    }

    /// Notes how large the word is that was written last.
    fn size(&mut self, size: Size) {
        if let Some((start, _)) = self.sentence.words.last() {
            self.sentence.sizes.retain(|(other, _)| other != start);
            self.sentence.sizes.push((*start, size));
        }
    }

    /// A percent sign.
    fn share(&mut self) {
        if self.last().starts_with('#') {
            self.size(match self.digits.parse::<u32>().unwrap_or(100) {
                0..25 => Size::Few,
                25..75 => Size::Half,
                _ => Size::Most,
            });
        }
        self.word("%");
    }

    fn last(&self) -> &str {
        self.sentence.words.len().checked_sub(1).map_or("", |last| self.sentence.word(last))
    }

    fn drop_last(&mut self) {
        if let Some((start, _)) = self.sentence.words.pop() {
            let kept = self.sentence.text[..start as usize].trim_end().len();
            self.sentence.text.truncate(kept);
            self.count -= 1;
        }
    }

    fn end(&mut self) {
        if !self.sentence.words.is_empty() {
            // The copy has no room to spare, and the room of the first serves for all.
            self.into.push(self.sentence.clone());
            self.sentence.text.clear();
            self.sentence.words.clear();
            self.sentence.sizes.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use nix::time::{ClockId, clock_gettime};

    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        sentences(text, MailPart::Body, &mut all);
        let of = |one: &Sentence| (0..one.words.len()).map(|at| one.word(at).to_owned()).collect::<Vec<_>>().join(" ");
        all.iter().map(of).collect()
    }

    #[test]
    fn there_is_one_spelling() {
        for (text, want) in [
            ("PAYMENT Failed.", &["payment failed"][..]),
            ("餘額不足", &["余 额 不 足"]),
            ("ＡＢＣ １２", &["abc #"]),
            ("it\u{2019}s over\u{200b}due", &["it's overdue"]),
            ("See https://x.example/a?b=1, or mail a@x.example: soon", &["see or mail soon"]),
            ("$12.50 left", &["$ left"]),
            ("余额：0.00 元", &["余 额 $0"]),
            ("balance -3.20 USD", &["balance $-"]),
            ("4 % of 2026-04-01", &["# % of #"]),
            ("One. Two! 三。四", &["one", "two", "三", "四"]),
            ("a line that is\nbroken goes on", &["a line that is broken goes on"]),
            ("A line\nAnother", &["a line another"]),
            ("A line\n12 more", &["a line", "# more"]),
            ("", &[]),
        ] {
            assert_eq!(words(text), want, "{text}");
        }
    }

    #[test]
    fn sizes_are_those_of_what_stands_there() {
        for (text, want) in [
            ("$0.00", Size::Nothing),
            ("-1.00 USD", Size::Negative),
            ("€3.10", Size::Ones),
            ("12,50 EUR", Size::Tens),
            ("¥312.00", Size::Hundreds),
            ("$1,204.11", Size::More),
            ("3%", Size::Few),
            ("50 %", Size::Half),
            ("96%", Size::Most),
        ] {
            let mut all = Vec::new();
            sentences(text, MailPart::Body, &mut all);
            assert_eq!(all[0].sizes, [(0, want)], "{text}");
        }
    }

    /// However a text is made, eight times of it takes about eight times as long.
    #[test]
    fn the_time_is_linear_in_the_length() {
        const PIECES: [&str; 30] = [
            "a_",
            "a-",
            "$B",
            "+AAA-",
            "A",
            "1a",
            "1-",
            "1,",
            "a.b.c.",
            "a;b;",
            "a/b",
            "a@",
            "a'",
            "a:",
            "a.",
            "a://",
            "é_",
            "é.",
            "0f9",
            "%a",
            "a\u{200b}",
            "a\n",
            "a\"",
            "余a_",
            "余",
            "a=",
            "\u{1f600}a",
            "a_1.",
            ".a",
            "#a",
        ];
        let now = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap());
        let time = |piece: &str, length: usize| {
            let text = piece.repeat(length / piece.len());
            let begun = now();
            sentences(&text, MailPart::Body, &mut Vec::new());
            now() - begun
        };
        for piece in PIECES {
            let (short, long) = (time(piece, 2_000), time(piece, 16_000));
            // Eight times the text: a time that grows with its square would be 64 times as long.
            let most = short.max(Duration::from_millis(1)) * 24;
            assert!(long < most, "{piece:?}: {short:?}, and for eight times as much {long:?}");
        }
    }

    /// Each word of a run is asked whether a link begins there; this is what it was asked before runs were gone through once.
    #[test]
    fn links_are_what_they_were() {
        let is_link = |run: &str| {
            let run = run.trim_end_matches(['.', ',', ':', ';', '!', '?']);
            run.contains("://")
                || run.contains('@')
                || run.contains('/') && run.contains('.')
                || run.split('.').count() > 1 && run.split('.').all(|part| part.len() > 1) && run.is_ascii()
        };
        const CHARACTERS: [char; 16] = ['a', 'b', 'é', '1', '@', '/', '/', ':', '.', '.', '.', '_', '-', ',', '?', ' '];
        let mut random = fastrand::Rng::with_seed(14);
        for _ in 0..20_000 {
            let count = random.usize(1..12);
            let text: String = (0..count).map(|_| CHARACTERS[random.usize(..CHARACTERS.len())]).collect();
            for (start, c) in text.char_indices().filter(|(_, c)| is_letter(*c)) {
                let run = Run::at(&text, start);
                for (at, _) in
                    text[..run.end].char_indices().skip_while(|(at, _)| *at < start).filter(|(_, c)| is_letter(*c))
                {
                    assert_eq!(run.is_link_from(&text, at), is_link(&text[at..run.end]), "{text:?} {c} {at}");
                }
            }
        }
    }

    #[test]
    fn a_long_text_is_read_once_and_not_to_its_end() {
        for text in
            ["余".repeat(100_000), "a ".repeat(100_000), "1 ".repeat(100_000), "$".repeat(100_000), "'".repeat(100_000)]
        {
            let mut all = Vec::new();
            sentences(&text, MailPart::Body, &mut all);
            assert!(all.iter().map(|one| one.words.len()).sum::<usize>() <= MOST_WORDS + LONGEST);
        }
    }
}
