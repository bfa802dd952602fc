//! What a server says, made safe for the parser of the protocol's crate before that sees a byte of it.
//!
//! That parser is recursive, reads a response from its beginning again after each line of a literal, takes no character
//! outside ASCII, and stops the visit at words that it does not expect. So the nesting, the number and the size of what comes
//! are bounded here; a literal is kept aside, and a mark stands in its place; in human-readable text there is nothing left
//! that could be taken for anything else. The numbers that a search has found are read here, because the parser takes seconds
//! for megabytes of them, in which nothing can stop it. No input makes this read a line differently from the parser: where the two could
//! disagree, the parser fails, and with it the visit.

use std::io;

/// The deepest nesting of lists in a response; what is asked for here has two levels, and each costs the parser some 16 KiB of
/// stack in a build without optimization.
pub(crate) const MOST_NESTED: usize = 8;
/// Responses to one command, the mails not counted that it asks for.
pub(crate) const MOST_RESPONSES: usize = 10_000;
/// Literals in the answer to one command.
pub(crate) const MOST_LITERALS: usize = 1_000;
/// Most of the server's own words that is kept, in bytes.
const MOST_WORDS: usize = 1_000;
/// Begins the mark that stands for a literal. A server that says it of itself betrays nobody but its own mails.
const MARK: u8 = 0x01;

/// Reads what a server says, line by line.
#[derive(Debug)]
pub struct Answers {
    /// What the parser may see, and how much of it has been taken.
    ready: Vec<u8>,
    taken: usize,
    /// The line that is being read, as the server wrote it.
    line: Vec<u8>,
    /// The response that is not complete, because a literal is to come or has come.
    response: Vec<u8>,
    /// The literal that is being read, and how long it will be.
    literal: Option<(Vec<u8>, usize)>,
    depth: usize,
    responses: usize,
    literals: Vec<Vec<u8>>,
    /// What the searches of the answer have found.
    found: Vec<u32>,
    /// The largest literal that is taken.
    most: usize,
    /// The last line, as the server wrote it, and the last one that ended a command.
    words: Vec<u8>,
    tagged: Vec<u8>,
    /// The first line of all.
    greeting: Option<Vec<u8>>,
}

impl Answers {
    /// Takes no literal that is larger than this.
    pub fn new(most: usize) -> Answers {
        Answers {
            ready: Vec::new(),
            taken: 0,
            line: Vec::new(),
            response: Vec::new(),
            literal: None,
            depth: 0,
            responses: 0,
            literals: Vec::new(),
            found: Vec::new(),
            most,
            words: Vec::new(),
            tagged: Vec::new(),
            greeting: None,
        }
    }

    /// Another command is sent: what came before counts no more.
    pub fn begin(&mut self) {
        self.responses = 0;
        self.literals = Vec::new();
        self.found = Vec::new();
        self.words.clear();
        self.tagged.clear();
    }

    /// Takes what the server has sent.
    ///
    /// # Errors
    /// It is nested too deeply, or more than allowed.
    pub fn feed(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if let Some((literal, length)) = &mut self.literal {
                let count = bytes.len().min(*length - literal.len());
                literal.extend_from_slice(&bytes[..count]);
                bytes = &bytes[count..];
                self.end_literal();
                continue;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end..];
            if self.line.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                self.end_line(&line)?;
            }
        }
        Ok(())
    }

    /// Gives what the parser may see.
    pub fn take(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.ready.len() - self.taken);
        buffer[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        if self.taken == self.ready.len() {
            self.ready.clear();
            self.taken = 0;
        }
        count
    }

    /// The bytes that a string of a response stands for: those of a literal, else its own.
    pub fn contents(&mut self, string: &[u8]) -> Vec<u8> {
        let number = string.strip_prefix(&[MARK]).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        match number.and_then(|number: usize| self.literals.get_mut(number)) {
            Some(literal) => std::mem::take(literal),
            None => string.to_vec(),
        }
    }

    /// The numbers that the searches of the answer have found, in their order.
    pub fn found(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.found)
    }

    /// The last line that the server wrote, or has begun to write; at most its beginning.
    pub fn words(&self) -> &[u8] {
        let begun = self.line.iter().any(|byte| !byte.is_ascii_whitespace());
        let words = if begun { &self.line } else { &self.words };
        &words[..words.len().min(MOST_WORDS)]
    }

    /// The last line that ended a command; at most its beginning. Others may have come after it.
    pub fn tagged(&self) -> &[u8] {
        &self.tagged
    }

    /// The first line that the server wrote; at most its beginning.
    pub fn greeting(&self) -> &[u8] {
        self.greeting.as_deref().unwrap_or(self.words())
    }

    fn end_line(&mut self, line: &[u8]) -> io::Result<()> {
        let is_first = self.response.is_empty();
        if is_first {
            self.depth = 0;
            self.responses += 1;
            if self.responses > MOST_RESPONSES {
                return Err(too_much("the server sends more responses than allowed"));
            }
        }
        if line.iter().any(|byte| !byte.is_ascii_whitespace()) {
            self.words = line[..line.len().min(MOST_WORDS)].to_vec();
        }
        self.greeting.get_or_insert_with(|| line[..line.len().min(MOST_WORDS)].to_vec());
        if is_first && is_text(line) {
            if !line.starts_with(b"*") && !line.starts_with(b"+") {
                self.tagged.clone_from(&self.words);
            }
            self.ready.extend(plain(line));
            return Ok(());
        }
        if is_first && let Some(found) = found(line) {
            self.found.extend(found);
            self.ready.extend(NOTHING_FOUND);
            return Ok(());
        }
        let is_quoted = self.nest(line)?;
        match announced(line).filter(|_| !is_quoted) {
            Some((length, start)) => {
                if length > self.most as u64 || self.literals.len() >= MOST_LITERALS {
                    return Err(too_much("the server sends a literal that is larger than allowed"));
                }
                self.response.extend(line[..start].iter().map(|byte| seven_bits(*byte)));
                self.literal = Some((Vec::new(), length as usize));
                self.end_literal();
            }
            None => {
                self.ready.append(&mut self.response);
                self.ready.extend(line.iter().map(|byte| seven_bits(*byte)));
            }
        }
        Ok(())
    }

    /// Puts a mark in the place of a literal that is complete.
    fn end_literal(&mut self) {
        let Some((literal, _)) = self.literal.take_if(|(literal, length)| literal.len() == *length) else {
            return;
        };
        self.response.push(b'"');
        // What a quoted string can hold stands for itself.
        if literal.len() <= 100 && literal.iter().all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(byte)) {
            self.response.extend_from_slice(&literal);
        } else {
            self.response.push(MARK);
            self.response.extend_from_slice(self.literals.len().to_string().as_bytes());
        }
        self.response.push(b'"');
        self.literals.push(literal);
    }

    /// Counts the open lists; parentheses in quoted strings are none. Says whether the line ends inside such a string, which
    /// no string may.
    fn nest(&mut self, line: &[u8]) -> io::Result<bool> {
        let (mut is_quoted, mut is_escaped) = (false, false);
        for byte in line {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_quoted => is_escaped = true,
                b'"' => is_quoted = !is_quoted,
                b'(' if !is_quoted => self.depth += 1,
                b')' if !is_quoted => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            if self.depth > MOST_NESTED {
                return Err(too_much("the server's answer is nested too deeply"));
            }
        }
        Ok(is_quoted)
    }
}

/// The answer to a search that has found nothing.
const NOTHING_FOUND: &[u8] = b"* SEARCH\r\n";

/// The numbers in the answer to a search; none if it is another line, or one that only the parser can judge.
fn found(line: &[u8]) -> Option<Vec<u32>> {
    let line = line.strip_suffix(b"\r\n")?;
    let (start, numbers) = line.split_at_checked(NOTHING_FOUND.len() - 2)?;
    if !start.eq_ignore_ascii_case(&NOTHING_FOUND[..start.len()]) {
        return None;
    }
    let mut found = Vec::new();
    // Some servers end the line with a blank.
    let numbers = numbers.strip_suffix(b" ").unwrap_or(numbers);
    for number in numbers.strip_prefix(b" ").into_iter().flat_map(|numbers| numbers.split(|byte| *byte == b' ')) {
        let is_number = !number.is_empty() && number.iter().all(u8::is_ascii_digit);
        found.push(std::str::from_utf8(number).ok().filter(|_| is_number)?.parse().ok()?);
    }
    (found.is_empty() == numbers.is_empty()).then_some(found)
}

fn too_much(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, what)
}

/// Whether a response is text for people: a status response, or a continuation request (`+`). Data has other words in this
/// place.
fn is_text(line: &[u8]) -> bool {
    let second = line.iter().position(|byte| *byte == b' ').map_or(&[][..], |at| &line[at + 1..]);
    line.starts_with(b"+") || STATUSES.iter().any(|status| starts_with(second, status))
}

const STATUSES: [&[u8]; 5] = [b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"];

fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Text for people as the parser takes it: in ASCII, and without what announces a literal. A warning, or a farewell that an answer
/// follows, is no reason to give up that answer, as the parser does.
fn plain(line: &[u8]) -> Vec<u8> {
    let mut line: Vec<u8> = line.iter().map(|byte| if *byte == b'{' { b'(' } else { seven_bits(*byte) }).collect();
    if let Some(status) = line.strip_prefix(b"* ").and_then(|rest| STATUSES.iter().find(|word| starts_with(rest, word)))
    {
        line.splice(2..2 + status.len(), *b"OK");
    }
    line
}

fn seven_bits(byte: u8) -> u8 {
    if byte.is_ascii() && byte != 0 { byte } else { b'?' }
}

/// The length of the literal that a line announces, and where it does so.
fn announced(line: &[u8]) -> Option<(u64, usize)> {
    let start = line.iter().rposition(|byte| *byte == b'{')?;
    let digits = line[start + 1..].strip_suffix(b"}\r\n")?;
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let length = std::str::from_utf8(digits).ok()?.parse().unwrap_or(u64::MAX);
    is_number.then_some((length, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1000;

    fn read(answers: &mut Answers, bytes: &[u8]) -> io::Result<String> {
        answers.feed(bytes)?;
        let (mut seen, mut buffer) = (Vec::new(), [0; 7]);
        while let count @ 1.. = answers.take(&mut buffer) {
            seen.extend_from_slice(&buffer[..count]);
        }
        Ok(String::from_utf8(seen).unwrap())
    }

    /// The same whether it comes at once, byte by byte or in halves.
    fn filtered(bytes: &[u8]) -> io::Result<String> {
        let whole = read(&mut Answers::new(MOST), bytes);
        for size in [1, 2, 3, bytes.len().div_ceil(2)] {
            let mut answers = Answers::new(MOST);
            let pieces: io::Result<String> = bytes.chunks(size).map(|piece| read(&mut answers, piece)).collect();
            assert_eq!(pieces.ok(), whole.as_ref().ok().cloned(), "{}", String::from_utf8_lossy(bytes));
        }
        whole
    }

    #[test]
    fn the_numbers_that_a_search_finds_are_read_without_the_parser() {
        let whole: String = (1..=600_000).map(|n| format!(" {n}")).collect();
        for (said, seen, want) in [
            ("* SEARCH\r\n", "* SEARCH\r\n", &[][..]),
            ("* SEARCH \r\n", "* SEARCH\r\n", &[]),
            ("* search 7\r\n", "* SEARCH\r\n", &[7]),
            ("* SEARCH 7 4294967295 7 \r\n* SEARCH 8\r\n", "* SEARCH\r\n* SEARCH\r\n", &[7, 4_294_967_295, 7, 8]),
            // Only the parser can say what these are.
            ("* SEARCH 4294967296\r\n", "* SEARCH 4294967296\r\n", &[]),
            ("* SEARCH 1  2\r\n", "* SEARCH 1  2\r\n", &[]),
            ("* SEARCH 1 x\r\n", "* SEARCH 1 x\r\n", &[]),
            ("* SEARCH 1 (MODSEQ 2)\r\n", "* SEARCH 1 (MODSEQ 2)\r\n", &[]),
            ("* SEARCH +1\r\n", "* SEARCH +1\r\n", &[]),
            ("* SEARCHED 1\r\n", "* SEARCHED 1\r\n", &[]),
            ("* SEARCH1\r\n", "* SEARCH1\r\n", &[]),
        ] {
            let mut answers = Answers::new(MOST);
            assert_eq!(read(&mut answers, said.as_bytes()).unwrap(), seen, "{said}");
            assert_eq!(answers.found(), want, "{said}");
        }
        let mut answers = Answers::new(MOST);
        assert_eq!(read(&mut answers, format!("* SEARCH{whole}\r\n").as_bytes()).unwrap(), "* SEARCH\r\n");
        answers.begin();
        assert!(answers.found().is_empty(), "they are those of one answer");
    }

    #[test]
    fn the_parser_sees_neither_literals_nor_anything_else_that_it_cannot_take() {
        for (said, seen) in [
            ("* SEARCH 1 2 \r\n", "* SEARCH\r\n"),
            (
                "* 1 FETCH (UID 9 BODY[]<0> {6}\r\na)\r\n(b FLAGS ())\r\n",
                "* 1 FETCH (UID 9 BODY[]<0> \"\u{1}0\" FLAGS ())\r\n",
            ),
            ("* 1 FETCH (X {0}\r\n Y {3}\r\nx y Z {2}\r\n\r\n)\r\n", "* 1 FETCH (X \"\" Y \"x y\" Z \"\u{1}2\")\r\n"),
            ("* LIST () \"/\" {3}\r\na\"b\r\n", "* LIST () \"/\" \"\u{1}0\"\r\n"),
            // No literal: in quotes, without a number, with another end.
            ("* ID (\"a\" \"{3}\r\nb\")\r\n", "* ID (\"a\" \"{3}\r\nb\")\r\n"),
            ("* X {}\r\n* X {3}\n* X {+3}\r\n* X {3} \r\n", "* X {}\r\n* X {3}\n* X {+3}\r\n* X {3} \r\n"),
            // Text announces none.
            ("* OK [ALERT] see {3}\r\na1 no {2}\r\n+ {1}\r\n", "* OK [ALERT] see (3}\r\na1 no (2}\r\n+ (1}\r\n"),
            ("* OK [BADCHARSET ({4}\r\n* 1 X", "* OK [BADCHARSET ((4}\r\n"),
            // What is not ASCII.
            ("a1 NO 密码错误\r\n", "a1 NO ????????????\r\n"),
            ("* FLAGS (账)\r\n", "* FLAGS (???)\r\n"),
            ("* X \0\r\n", "* X ?\r\n"),
            // A warning on the way.
            (
                "* NO [ALERT] 95% full\r\n* bad x\r\n* BYE\r\n* PREAUTH x\r\na1 BAD x\r\n",
                "* OK [ALERT] 95% full\r\n* OK x\r\n* OK\r\n* OK x\r\na1 BAD x\r\n",
            ),
            ("* NOTHING\r\n", "* OKTHING\r\n"),
            ("\r\n", "\r\n"),
        ] {
            assert_eq!(filtered(said.as_bytes()).unwrap(), seen, "{said}");
        }
    }

    #[test]
    fn what_is_nested_too_deeply_never_reaches_the_parser() {
        let open = |count: usize| "(".repeat(count);
        let fits = format!("* 1 FETCH {}\r\n", open(MOST_NESTED));
        assert_eq!(filtered(fits.as_bytes()).unwrap(), fits);
        let one_more = open(MOST_NESTED + 1);
        let half = MOST_NESTED / 2 + 1;
        for deep in [
            format!("* 1 FETCH (BODYSTRUCTURE {}\r\n", open(500)),
            format!("* 1 FETCH {one_more}\r\n"),
            format!("* 1 FETCH {}\n", open(100_000)),
            // Quoted strings and literals do not hide it.
            format!("* 1 FETCH (\"(\" {}\r\n", open(MOST_NESTED)),
            format!("* 1 FETCH (\"\\\"\" \"\\\\\" {}\r\n", open(MOST_NESTED)),
            format!("* 1 FETCH {}\"never closed\r\n", one_more),
            format!("* 1 FETCH (\"never closed\r\n* 2 FETCH {one_more}\r\n"),
            format!("* 1 FETCH {} {{2}}\r\n)) {}\r\n", open(half), open(half)),
            format!("* 1 FETCH (X {{1}}\r\n\" {}\r\n", open(MOST_NESTED)),
            // What looks like a literal and is none.
            format!("* OK see {{200}}\r\n* 1 FETCH {one_more}\r\n"),
            format!("a1 OK see {{200}}\r\n* 1 FETCH {one_more}\r\n"),
            format!("+ {{200}}\r\n* 1 FETCH {one_more}\r\n"),
        ] {
            assert!(filtered(deep.as_bytes()).is_err(), "{deep}");
        }
        for flat in [
            format!("* 1 FETCH (X \"{}\")\r\n", open(500)),
            format!("* 1 FETCH (X {{500}}\r\n{})\r\n", open(500)),
            format!("* OK {}\r\n", open(500)),
            "* 1 FETCH (())\r\n".repeat(500),
            format!("* 1 FETCH ({})\r\n", "()".repeat(500)),
        ] {
            assert!(filtered(flat.as_bytes()).is_ok(), "{flat}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused_before_it_is_there() {
        for much in [
            format!("* X {{{}}}\r\n", MOST + 1),
            "* X {4294967295}\r\n".to_owned(),
            "* X {99999999999999999999999}\r\n".to_owned(),
            "* 1 EXISTS\r\n".repeat(MOST_RESPONSES + 1),
            format!("* X {}\r\n", "{0}\r\n".repeat(MOST_LITERALS + 1)),
        ] {
            let mut answers = Answers::new(MOST);
            assert!(answers.feed(much.as_bytes()).is_err(), "{}", &much[..20]);
        }
        // Each command begins to count anew.
        let mut answers = Answers::new(MOST);
        for _ in 0..3 {
            answers.begin();
            answers.feed("* 1 EXISTS\r\n".repeat(MOST_RESPONSES).as_bytes()).unwrap();
        }
    }

    #[test]
    fn a_mark_stands_for_its_literal_once() {
        let mut answers = Answers::new(MOST);
        let seen = read(&mut answers, b"* 1 FETCH (X {4}\r\n\r\n() Y {3}\r\nabc)\r\n").unwrap();
        assert_eq!(seen, "* 1 FETCH (X \"\u{1}0\" Y \"abc\")\r\n");
        assert_eq!(answers.contents(b"\x010"), b"\r\n()");
        assert_eq!(answers.contents(b"\x010"), b"");
        for other in [b"abc".as_slice(), b"\x017", b"\x01", b"\x01x", b"0", b""] {
            assert_eq!(answers.contents(other), other);
        }
    }

    #[test]
    fn the_servers_words_are_kept_as_they_were() {
        let mut answers = Answers::new(MOST);
        answers.feed("* OK x\r\na2 NO 密码错误\r\n \r\n".as_bytes()).unwrap();
        assert_eq!(answers.words(), "a2 NO 密码错误\r\n".as_bytes());
        answers.feed(b"* BYE").unwrap();
        assert_eq!(answers.words(), b"* BYE");
        assert_eq!(answers.tagged(), "a2 NO 密码错误\r\n".as_bytes());
        answers.feed(&[b'x'; 5000]).unwrap();
        assert_eq!(answers.words().len(), MOST_WORDS);
        answers.feed(b"\r\n").unwrap();
        assert_eq!(answers.words().len(), MOST_WORDS);
        answers.begin();
        assert_eq!(answers.words(), b"");
        assert_eq!(answers.greeting(), b"* OK x\r\n");
    }
}
