//! Keeps secrets out of every text that leaves the program.
//!
//! There are two gates. What services, servers and mails say passes [`Redactor::clean`] or [`Redactor::mask`] where it comes
//! in: it is read in all the ways that a secret can be echoed, down to keys of a few letters. Every text that goes out (report,
//! log, alert, metrics, files) passes [`shield`]: it is a plain search for secrets that could be nothing else, so a name or a
//! number of the user's own is never torn apart by a key such as `test`.

mod layers;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use percent_encoding::{percent_decode_str, utf8_percent_encode};
use regex_lite::Regex;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use self::layers::Layer;
use crate::text;

/// Longest of a peer's words that is kept, in characters.
const MOST_WORDS: usize = 300;
/// Longest message, in characters.
const MOST_MESSAGE: usize = 1000;
/// Of a peer's words so many bytes are looked at.
const MOST_LOOKED_AT: usize = 4096;
/// Of what was looked at only this much is kept where there was more, so that no half of a secret stands at the end.
const MOST_KEPT: usize = 3072;
/// What all readings of a text may come to, in bytes. A text that has more of them was made to hide something.
const MOST_READ: usize = 2 << 20;
/// How many encodings are taken off one after the other.
const DEEPEST: u32 = 4;
/// Of a strong secret a piece of this length is searched for, and the rest compared: that takes less memory and time. In the
/// words of a peer, who may have cut what it echoes, a longer part is masked as well as the whole.
const PIECE: usize = 12;
const MASK: &str = "***";

/// A JSON Web Token, or the beginning of one: they are made by others, so nobody could learn them before.
static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\beyJ[A-Za-z0-9_-]{9,}(\.[A-Za-z0-9_-]*)*").ok());

/// The secrets that every text of this process must be free of, once they are known.
static KNOWN: RwLock<Option<Arc<Redactor>>> = RwLock::new(None);

/// From now on no text with one of these secrets leaves this process.
pub fn guard(redactor: &Arc<Redactor>) {
    *KNOWN.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(redactor));
}

/// A text on its way out, without secrets. Everything that is printed, logged, written or sent passes here.
pub fn shield(text: &str) -> Cow<'_, str> {
    match &*KNOWN.read().unwrap_or_else(PoisonError::into_inner) {
        Some(redactor) => redactor.shield(text),
        None => Cow::Borrowed(text),
    }
}

/// Knows the secrets of this run and removes them from text. It may learn more at any time.
#[derive(Default)]
pub struct Redactor(Mutex<Secrets>);

#[derive(Default)]
struct Secrets {
    known: Vec<Known>,
    /// What searches for the first of them, and for how many.
    most: Option<(usize, Arc<Search>)>,
    /// What searches for the rest, and up to which.
    rest: Option<(usize, Arc<Search>)>,
}

/// What is to stay inside.
struct Known {
    secret: SecretString,
    /// It may be no secret at all, so nothing but a peer's words is searched for it.
    is_suspect: bool,
}

/// How sure it is that a text which equals a secret is that secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strength {
    /// It can be nothing else.
    Strong,
    /// It may be a number or a short name as well.
    Weak,
    /// It may be an ordinary word.
    Word,
}

impl Strength {
    fn of(secret: &str) -> Strength {
        let length = secret.chars().count();
        let letters = secret.chars().filter(|c| c.is_alphabetic()).count();
        let digits = secret.chars().filter(char::is_ascii_digit).count();
        let marks = secret.chars().filter(|c| matches!(c, '-' | '_' | '.' | ' ' | ',')).count();
        // `OpenRouter` is a name, `LeakFileSecret` is not.
        let humps = secret.chars().zip(secret.chars().skip(1)).filter(|(a, b)| a.is_lowercase() && b.is_uppercase());
        let is_plain = letters + digits + marks == length;
        match () {
            () if length < 4 => Strength::Word,
            () if length >= 16 => Strength::Strong,
            () if is_plain && digits == 0 && (length < 8 || humps.count() < 2) => Strength::Word,
            () if length < 8 || (is_plain && letters == 0) => Strength::Weak,
            () => Strength::Strong,
        }
    }
}

/// The parts of an address that let its holder in.
fn tokens(url: &Url) -> Vec<String> {
    const NAMES: [&str; 7] = ["key", "token", "secret", "sign", "sig", "auth", "pass"];
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut tokens: Vec<String> = url.password().map(plain).into_iter().collect();
    for (name, value) in url.query_pairs() {
        let name = name.to_lowercase();
        if NAMES.iter().any(|known| name.contains(known)) || is_suspicious(&value) {
            tokens.push(value.into_owned());
        }
    }
    // The host is named wherever something fails, so it is no secret.
    let segments = url.path_segments().into_iter().flatten();
    tokens.extend(segments.map(plain).filter(|part| is_suspicious(part)));
    tokens
}

/// Whether an address is itself a credential.
pub fn is_credential(url: &Url) -> bool {
    !tokens(url).is_empty()
}

/// Whether a text is the address of a host and nothing more: hosts are named wherever something fails.
fn is_bare_address(text: &str) -> bool {
    let url = Some(text).filter(|text| text.starts_with("http")).and_then(|text| Url::parse(text).ok());
    url.is_some_and(|url| {
        url.path() == "/" && url.query().is_none() && url.password().is_none() && url.username().is_empty()
    })
}

/// Whether a text looks as if it were made by a machine: long, and of letters, capitals and digits in turns. `my-project-123456`
/// does not.
fn is_suspicious(text: &str) -> bool {
    let pairs = || text.bytes().zip(text.bytes().skip(1));
    let humps = pairs().filter(|(a, b)| a.is_ascii_lowercase() && b.is_ascii_uppercase()).count();
    let turns = pairs().filter(|(a, b)| {
        (a.is_ascii_digit() && b.is_ascii_alphabetic()) || (a.is_ascii_alphabetic() && b.is_ascii_digit())
    });
    text.len() >= 16 && (humps >= 3 || turns.count() >= 3)
}

impl Redactor {
    /// Learns a secret.
    pub fn learn(&self, secret: &str) {
        self.add(secret, false);
    }

    /// Learns what may be a secret, as what came from a variable. If it looks like something else as well, only the words of
    /// peers are searched for it.
    pub fn suspect(&self, value: &str) {
        if Strength::of(value.trim()) != Strength::Word {
            self.add(value, !is_suspicious(value));
        }
    }

    fn add(&self, secret: &str, is_suspect: bool) {
        let secret = secret.trim();
        if !secret.is_empty() && !is_bare_address(secret) {
            let known = Known { secret: secret.into(), is_suspect };
            self.0.lock().unwrap_or_else(PoisonError::into_inner).known.push(known);
        }
    }

    /// Learns the parts of an address that let its holder in: a password, and what looks like a token in path or query. Longer
    /// parts of the path that do not look like one may be one all the same.
    pub fn learn_address(&self, url: &Url) {
        tokens(url).iter().for_each(|token| self.learn(token));
        let segments = url.path_segments().into_iter().flatten().filter(|segment| segment.len() >= 8);
        segments.for_each(|segment| self.suspect(&percent_decode_str(segment).decode_utf8_lossy()));
        url.query_pairs().filter(|(_, value)| value.len() >= 8).for_each(|(_, value)| self.suspect(&value));
    }

    /// Learns an address that is itself a credential, as that of a robot: as a whole, and the end of its path.
    pub fn learn_secret_address(&self, url: &Url) {
        self.learn_address(url);
        self.learn(url.as_str());
        if let Some(last) = url.path_segments().into_iter().flatten().rfind(|segment| segment.len() >= 8) {
            self.learn(&percent_decode_str(last).decode_utf8_lossy());
        }
        url.query_pairs().filter(|(_, value)| value.len() >= 8).for_each(|(_, value)| self.learn(&value));
    }

    /// Learns the address of a database, and the password in it, also if it names several hosts and so is no web address.
    pub fn learn_database(&self, address: &str) {
        self.learn(address);
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        if let Some((login, _)) = rest.rsplit_once('@')
            && let Some((_, password)) = login.split_once(':')
        {
            self.learn(password);
            self.learn(&percent_decode_str(password).decode_utf8_lossy());
        }
        if let Ok(url) = Url::parse(address) {
            self.learn_address(&url);
        }
    }

    /// The text without any known secret, in whatever form it is there. For texts from outside: an ordinary word that is
    /// also a key is masked too, where it stands alone.
    pub fn mask(&self, text: &str) -> String {
        self.without(text, text.len(), true)
    }

    /// The words of a peer made fit for a message: secrets masked, on one line, of bounded length.
    pub fn clean(&self, said: &str) -> String {
        let mut seen = String::new();
        let mut is_gap = false;
        for c in said.chars().filter(|c| !text::is_invisible(*c)) {
            // The first of several blanks stands for all; a line's end may be one inside a secret that was wrapped.
            if !(c.is_whitespace() && is_gap) {
                seen.push(c);
            }
            is_gap = c.is_whitespace();
            if seen.len() >= MOST_LOOKED_AT {
                break;
            }
        }
        let kept = if seen.len() >= MOST_LOOKED_AT { MOST_KEPT } else { seen.len() };
        text::one_line(&self.without(&seen, kept, true), MOST_WORDS)
    }

    /// A message of this program made fit to be shown. Its own words stay, even where a key is one of them.
    pub fn polish(&self, message: &str) -> String {
        text::one_line(&self.without(message, message.len(), false), MOST_MESSAGE)
    }

    /// A text on its way out, without secrets that could be nothing else.
    pub fn shield<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut found = Vec::new();
        for search in self.searches() {
            search.plain(text.as_bytes(), &mut found);
        }
        let masked = if found.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(cover(text, text.len(), found)) };
        match TOKEN.as_ref().filter(|_| masked.contains("eyJ")) {
            Some(token) => Cow::Owned(token.replace_all(&masked, MASK).into_owned()),
            None => masked,
        }
    }

    /// What searches for all that is known. What was learnt since the search was made is few, and searched for apart.
    fn searches(&self) -> Vec<Arc<Search>> {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = secrets.known.len();
        let made = secrets.most.as_ref().map_or(0, |(made, _)| *made);
        if secrets.most.is_none() || count > 2 * made + 16 {
            secrets.most = Some((count, Arc::new(Search::new(&secrets.known))));
            secrets.rest = None;
        } else if count > made && secrets.rest.as_ref().is_none_or(|(up_to, _)| *up_to < count) {
            secrets.rest = Some((count, Arc::new(Search::new(&secrets.known[made..]))));
        }
        let searches = secrets.most.iter().chain(&secrets.rest);
        searches.map(|(_, search)| Arc::clone(search)).filter(|search| !search.is_empty()).collect()
    }

    fn without(&self, text: &str, kept: usize, is_foreign: bool) -> String {
        let searches = self.searches();
        let mut reading = Reading { searches: &searches, is_foreign, left: MOST_READ, found: Vec::new() };
        let is_read = searches.is_empty() || reading.explore(&Layer::of(text), DEEPEST);
        if !is_read {
            return MASK.to_owned();
        }
        let masked = cover(text, kept, reading.found);
        match TOKEN.as_ref().filter(|_| masked.contains("eyJ")) {
            Some(token) => token.replace_all(&masked, MASK).into_owned(),
            None => masked,
        }
    }
}

/// One text that is read in all ways.
struct Reading<'s> {
    searches: &'s [Arc<Search>],
    is_foreign: bool,
    left: usize,
    found: Vec<Range<usize>>,
}

impl Reading<'_> {
    /// Searches a reading, and all that can be made of it. False if that is too much.
    fn explore(&mut self, layer: &Layer, depth: u32) -> bool {
        let Some(left) = self.left.checked_sub(layer.bytes.len()) else {
            return false;
        };
        self.left = left;
        let squeezed = layer.squeezed();
        for search in self.searches {
            search.strong(&squeezed, self.is_foreign, &mut self.found);
            search.weak(layer, self.is_foreign, &mut self.found);
        }
        if depth == 0 || layer.bytes.len() < 2 {
            return true;
        }
        layer.unescaped().iter().all(|layer| self.explore(layer, depth - 1))
            && (0..4).all(|skipped| self.explore(&layer.base64(skipped), (depth - 1).min(2)))
            && (0..2).all(|skipped| self.explore(&layer.hexadecimal(skipped), (depth - 1).min(2)))
    }
}

/// The text with these ranges covered, and nothing after so many bytes of it.
fn cover(text: &str, kept: usize, mut found: Vec<Range<usize>>) -> String {
    found.sort_unstable_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for range in found.into_iter().filter(|range| range.start < kept) {
        // Escapes and characters are covered as a whole.
        let start = text.floor_char_boundary(range.start);
        let end = text.ceil_char_boundary(range.end);
        if start > at || out.is_empty() {
            out.push_str(&text[at..start.max(at)]);
            out.push_str(MASK);
        }
        at = at.max(end);
    }
    out.push_str(text.get(at..text.floor_char_boundary(kept)).unwrap_or_default());
    out
}

/// Finds some secrets.
struct Search {
    strong: Pieces,
    /// Forms of strong secrets that this program itself makes when it writes them.
    plain: Pieces,
    weak: Option<AhoCorasick>,
    weak_secrets: Vec<(String, Strength)>,
}

/// Texts that are found by their ends, and where a part is enough also by their beginnings.
#[derive(Default)]
struct Pieces {
    texts: Vec<Vec<u8>>,
    ends: Places,
    starts: Places,
}

/// Pieces of texts, and for each the texts that have it.
#[derive(Default)]
struct Places {
    machine: Option<AhoCorasick>,
    owners: Vec<Vec<usize>>,
}

fn machine<'p>(patterns: impl IntoIterator<Item = &'p [u8]>) -> Option<AhoCorasick> {
    let patterns: Vec<&[u8]> = patterns.into_iter().collect();
    if patterns.is_empty() {
        return None;
    }
    AhoCorasickBuilder::new().ascii_case_insensitive(true).build(patterns).ok()
}

impl Places {
    fn new(texts: &[Vec<u8>], piece: impl Fn(&[u8]) -> &[u8]) -> Places {
        let mut owners: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        texts.iter().enumerate().for_each(|(at, text)| owners.entry(piece(text)).or_default().push(at));
        Places { machine: machine(owners.keys().copied()), owners: owners.into_values().collect() }
    }
}

/// How many bytes two texts have in common, from the sides that are given.
fn common<'b>(a: impl Iterator<Item = &'b u8>, b: impl Iterator<Item = &'b u8>) -> usize {
    a.zip(b).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
}

impl Pieces {
    fn new(texts: BTreeSet<Vec<u8>>, with_starts: bool) -> Pieces {
        let texts: Vec<Vec<u8>> = texts.into_iter().collect();
        let ends = Places::new(&texts, |text| &text[text.len().saturating_sub(PIECE)..]);
        let starts =
            if with_starts { Places::new(&texts, |text| &text[..text.len().min(PIECE)]) } else { Places::default() };
        Pieces { texts, ends, starts }
    }

    /// The places of all texts, those inside others included. `with_parts`: also what is left of a text that was cut.
    fn find(&self, within: &[u8], with_parts: bool, mut tell: impl FnMut(Range<usize>)) {
        let counts = |length: usize, text: &[u8]| {
            length == text.len() || (with_parts && length >= PIECE && length * 3 >= text.len())
        };
        for (places, is_end) in [(&self.ends, true), (&self.starts, false)] {
            if !is_end && !with_parts {
                continue;
            }
            let Some(machine) = &places.machine else { continue };
            for found in machine.find_overlapping_iter(within) {
                for text in places.owners[found.pattern().as_usize()].iter().map(|at| &self.texts[*at]) {
                    let range = if is_end {
                        let length = common(within[..found.end()].iter().rev(), text.iter().rev());
                        found.end() - length..found.end()
                    } else {
                        found.start()..found.start() + common(within[found.start()..].iter(), text.iter())
                    };
                    if counts(range.len(), text) {
                        tell(range);
                    }
                }
            }
        }
    }
}

impl Search {
    fn new(secrets: &[Known]) -> Search {
        let (mut strong, mut plain, mut weak) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        for Known { secret, is_suspect } in secrets {
            let secret = secret.expose_secret();
            let strength = if *is_suspect { Strength::Word } else { Strength::of(secret) };
            if strength != Strength::Strong {
                let form = String::from_utf8_lossy(&Layer::of(secret).bytes).to_ascii_lowercase();
                // Who is both is the surer one.
                let known = weak.entry(form).or_insert(strength);
                *known = if strength == Strength::Weak { strength } else { *known };
                continue;
            }
            // A secret may itself hold what looks like an escape, which is taken off with those around it.
            let mut layers = vec![Layer::of(secret)];
            for _ in 0..DEEPEST {
                strong.extend(layers.iter().map(|form| form.squeezed().bytes.to_ascii_lowercase()));
                layers = layers.iter().flat_map(Layer::unescaped).collect();
            }
            if secret.contains(' ') {
                strong.insert(secret.replace(' ', "+").to_ascii_lowercase().into_bytes());
            }
            let json = serde_json::to_string(secret).unwrap_or_default();
            let percent = utf8_percent_encode(secret, text::UNRESERVED).to_string();
            for form in [secret, json.trim_matches('"'), &percent] {
                plain.insert(form.to_ascii_lowercase().into_bytes());
            }
        }
        strong.retain(|form: &Vec<u8>| form.len() > 3);
        weak.remove("");
        let weak_secrets: Vec<(String, Strength)> = weak.into_iter().collect();
        Search {
            strong: Pieces::new(strong, true),
            plain: Pieces::new(plain, false),
            weak: machine(weak_secrets.iter().map(|(secret, _)| secret.as_bytes())),
            weak_secrets,
        }
    }

    fn is_empty(&self) -> bool {
        self.plain.texts.is_empty() && self.weak.is_none()
    }

    fn plain(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        self.plain.find(text, false, |range| found.push(range));
    }

    fn strong(&self, layer: &Layer, is_foreign: bool, found: &mut Vec<Range<usize>>) {
        self.strong.find(&layer.bytes, is_foreign, |range| found.push(layer.source(range.start, range.end)));
    }

    fn weak(&self, layer: &Layer, is_foreign: bool, found: &mut Vec<Range<usize>>) {
        let Some(machine) = &self.weak else { return };
        for one in machine.find_overlapping_iter(&layer.bytes) {
            let (secret, strength) = &self.weak_secrets[one.pattern().as_usize()];
            let before = one.start().checked_sub(1).map(|at| layer.bytes[at]);
            let after = layer.bytes.get(one.end()).copied();
            let is_alone = |beside: Option<u8>| match beside {
                None => true,
                // Nearly every letter or two can be decoded from something.
                Some(byte) if layer.is_guess && secret.len() < 4 => byte == b':' || byte == 0xFF,
                Some(byte) => !byte.is_ascii_alphanumeric(),
            };
            let is_whole = is_alone(before) && is_alone(after);
            let counts = match strength {
                Strength::Word => is_foreign && is_whole,
                _ => is_whole || (is_foreign && secret.len() >= 6),
            };
            if counts {
                found.push(layer.source(one.start(), one.end()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

    fn knowing(secrets: &[&str]) -> Redactor {
        let redactor = Redactor::default();
        secrets.iter().for_each(|secret| redactor.learn(secret));
        redactor
    }

    fn between(secret: &str, what: &str) -> String {
        secret.chars().map(|c| format!("{c}{what}")).collect()
    }

    fn each(secret: &str, form: impl Fn(u32) -> String) -> String {
        secret.chars().map(|c| form(c as u32)).collect()
    }

    fn hex(bytes: &[u8], separator: &str) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(separator)
    }

    fn percent(text: &str) -> String {
        utf8_percent_encode(text, text::UNRESERVED).to_string()
    }

    fn json(text: &str) -> String {
        serde_json::to_string(text).unwrap().trim_matches('"').to_owned()
    }

    /// All ways in which a peer may send a secret back.
    fn echoes(secret: &str) -> Vec<(String, String)> {
        let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let mut echoes: Vec<(String, String)> = Vec::new();
        let mut add = |what: &str, text: String| echoes.push((what.to_owned(), text));
        add("as it is", secret.to_owned());
        add("in capitals", secret.to_uppercase());
        add("in small letters", secret.to_lowercase());
        for (what, mark) in [
            ("zero-width space", "\u{200B}"),
            ("soft hyphen", "\u{AD}"),
            ("bidirectional", "\u{202E}"),
            ("isolate", "\u{2066}"),
            ("word joiner", "\u{2060}"),
            ("byte order mark", "\u{FEFF}"),
            ("combining acute", "\u{301}"),
            ("grapheme joiner", "\u{34F}"),
            ("variation selector", "\u{FE0F}"),
            ("tag", "\u{E0041}"),
            ("filler", "\u{3164}"),
            ("control", "\u{1}"),
            ("NUL", "\0"),
        ] {
            add(what, between(secret, mark));
            add(&format!("{what} once"), format!("{}{mark}{}", &secret[..3], &secret[3..]));
            add(&format!("{what} in base64"), STANDARD.encode(between(secret, mark)));
            add(&format!("{what} in JSON"), json(&between(secret, mark)));
        }
        for (what, entity) in
            [("named", "&shy;"), ("decimal", "&#8203;"), ("hexadecimal", "&#x200b;"), ("open", "&#8203")]
        {
            // An open reference would swallow digits that follow.
            let text = between(secret, entity);
            if what != "open" || !secret.chars().any(|c| c.is_ascii_digit()) {
                add(&format!("{what} zero-width entities"), text);
            }
        }
        add(
            "full width",
            each(secret, |c| char::from_u32(if (0x21..0x7F).contains(&c) { c + 0xFEE0 } else { c }).unwrap().into()),
        );
        add("accented", secret.replace('a', "á").replace('e', "é").replace('n', "ñ"));
        add("percent", percent(secret));
        add("percent in small letters", percent(secret).to_lowercase());
        add("percent, twice", percent(&percent(secret)));
        add("percent, all of it", each(secret, |c| format!("%{c:02X}")));
        add("percent, all of it, twice", percent(&each(secret, |c| format!("%{c:02X}"))));
        add("JSON", json(secret));
        add("JSON, twice", json(&json(secret)));
        add("JSON, three times", json(&json(&json(secret))));
        add("JSON, code points", each(secret, |c| format!("\\u{c:04x}")));
        add("JSON, code points, twice", json(&each(secret, |c| format!("\\u{c:04X}"))));
        add("JSON, escaped slashes", json(secret).replace('/', "\\/"));
        add("C escapes", each(secret, |c| format!("\\x{c:02x}")));
        add("rust escapes", each(secret, |c| format!("\\u{{{c:x}}}")));
        add("HTML, named", html.clone());
        add("HTML, twice", html.replace('&', "&amp;"));
        add("HTML, decimal", each(secret, |c| format!("&#{c};")));
        add("HTML, decimal with zeros", each(secret, |c| format!("&#{c:07};")));
        add("HTML, hexadecimal", each(secret, |c| format!("&#x{c:x};")));
        add("HTML, hexadecimal in capitals", each(secret, |c| format!("&#X{c:X};")));
        add("HTML in JSON", json(&html));
        add("JSON in HTML", json(secret).replace('&', "&amp;").replace('"', "&#34;"));
        add("percent in JSON in HTML", json(&percent(secret)).replace('%', "&percnt;"));
        for (name, engine) in [
            ("standard", &STANDARD),
            ("bare", &STANDARD_NO_PAD),
            ("for addresses", &URL_SAFE),
            ("bare for addresses", &URL_SAFE_NO_PAD),
        ] {
            for before in ["", "u", "us", "user:", "user.name:", "a:b"] {
                for after in ["", "\n", ":x", "tail"] {
                    let pair = engine.encode(format!("{before}{secret}{after}"));
                    add(&format!("base64, {name}, {before}?{after}"), format!("Basic {pair}"));
                }
            }
            let long = engine.encode(format!("{} {secret} and more of it", "x".repeat(50)));
            let wrapped = |ending: &str| {
                long.as_bytes()
                    .chunks(19)
                    .map(|line| String::from_utf8_lossy(line).into_owned())
                    .collect::<Vec<_>>()
                    .join(ending)
            };
            add(&format!("base64, {name}, wrapped"), wrapped("\r\n"));
            add(&format!("base64, {name}, folded"), wrapped("\n    "));
            add(&format!("base64, {name}, wrapped in JSON"), json(&wrapped("\n")));
            add(&format!("base64, {name}, percent"), percent(&engine.encode(secret)));
            add(&format!("base64, {name}, twice"), engine.encode(engine.encode(format!("k={secret}"))));
            add(&format!("base64, {name}, of JSON"), engine.encode(format!("{{\"key\":\"{}\"}}", json(secret))));
            add(&format!("base64, {name}, of percent"), engine.encode(format!("key={}", percent(secret))));
        }
        add("hexadecimal", hex(secret.as_bytes(), ""));
        add("hexadecimal in capitals", hex(secret.as_bytes(), "").to_uppercase());
        add("hexadecimal, odd", format!("0{}", hex(secret.as_bytes(), "")));
        add("hexadecimal with 0x", format!("0x{}", hex(secret.as_bytes(), "")));
        add("hexadecimal with colons", hex(secret.as_bytes(), ":"));
        add("hexadecimal with blanks", hex(secret.as_bytes(), " "));
        add("hexadecimal of base64", hex(STANDARD.encode(secret).as_bytes(), ""));
        add("base64 of hexadecimal", STANDARD.encode(hex(secret.as_bytes(), "")));
        echoes
    }

    /// Whether a reader who knows how could find the secret in a text.
    fn is_in(secret: &str, text: &str) -> bool {
        let squeezed = |text: &str| {
            let kept = text.chars().filter(|c| !c.is_whitespace() && !c.is_control() && !text::is_invisible(*c));
            kept.collect::<String>().to_lowercase()
        };
        let text = squeezed(text);
        let forms = [
            secret.to_owned(),
            percent(secret),
            json(secret),
            each(secret, |c| format!("%{c:02x}")),
            each(secret, |c| format!("&#{c};")),
            each(secret, |c| format!("&#x{c:x};")),
            each(secret, |c| format!("\\u{c:04x}")),
            STANDARD_NO_PAD.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
            hex(secret.as_bytes(), ""),
        ];
        forms.iter().any(|form| text.contains(&squeezed(form)))
    }

    #[test]
    fn every_form_of_a_secret_is_masked() {
        for secret in [
            "sk-a/b+c=\"d&e<f>g",
            "Passw0rd!",
            "e1ef79ab40c7cafe12",
            "9876543210",
            "1234567",
            "a%41b\\u0041&amp;c",
            "hunter2x",
        ] {
            let redactor = knowing(&[secret]);
            for (what, echo) in echoes(secret) {
                let text = format!("the key \"{echo}\" is bad");
                let clean = redactor.clean(&text);
                assert!(clean.contains(MASK), "{secret}, {what}: {text:?} gives {clean:?}");
                assert!(!is_in(secret, &clean), "{secret}, {what}: {text:?} gives {clean:?}");
                assert!(clean.starts_with("the key \"") && clean.ends_with("\" is bad"), "{secret}, {what}: {clean:?}");
            }
        }
    }

    #[test]
    fn a_secret_that_is_wrapped_is_masked() {
        let secret = "sk-0123456789abcdefghijklmnop";
        let redactor = knowing(&[secret]);
        for ending in ["\n", "\r\n", "\n   ", " ", "\t", "\u{A0}", "<br>".get(..0).unwrap()] {
            let echo = format!("bad key: {}{ending}{}, sorry", &secret[..11], &secret[11..]);
            assert_eq!(redactor.clean(&echo), "bad key: ***, sorry", "{ending:?}");
        }
    }

    #[test]
    fn short_keys_and_words_are_masked_where_they_stand_alone() {
        for (secret, said, want) in [
            ("abc", "bad key abc", "bad key ***"),
            ("abc", "key=abc&x=1", "key=***&x=1"),
            ("abc", "ABC, “abc”", "***, “***”"),
            ("abc", "密钥abc无效", "密钥***无效"),
            ("abc", "a\u{200B}b\u{AD}c!", "***!"),
            ("abc", "abcdef fabc", "abcdef fabc"),
            ("abc", "Basic dTphYmM= or YWJj", "Basic dT***= or ***"),
            ("k", "key k is bad", "key *** is bad"),
            ("17", "no. 17 of 170", "no. *** of 170"),
            ("test", "the latest test failed", "the latest *** failed"),
            ("test", "key_test: test-key", "key_***: ***-key"),
            ("test", "Basic dXNlcjp0ZXN0", "Basic dXNlcj***"),
            ("密钥", "坏的 密钥!", "坏的 ***!"),
        ] {
            assert_eq!(knowing(&[secret]).clean(said), want, "{secret}");
        }
    }

    #[test]
    fn words_of_this_program_and_of_the_user_stay() {
        let keys = [
            "test",
            "refused",
            "credential",
            "HTTP",
            "the",
            "1",
            "none",
            "OpenRouter",
            "balance-alert",
            "EMPTY",
            "us-east",
        ];
        let redactor = knowing(&keys);
        let own =
            "the credential was refused (HTTP 401), none of the test keys of OpenRouter, balance-alert: EMPTY us-east";
        assert_eq!(redactor.polish(own), own);
        assert_eq!(redactor.shield(own), own);
        // Numbers could be amounts, so they stay in reports; in a message they are hardly one.
        let redactor = knowing(&["1234567", "9876543210", "4417"]);
        let report = "balance 1234567, threshold 9876543210, 4417 checks";
        assert_eq!(redactor.shield(report), report);
        assert_eq!(redactor.polish("key 1234567 of 4417 in 12345678"), "key *** of *** in 12345678");
    }

    #[test]
    fn what_can_be_nothing_else_never_leaves() {
        let redactor = knowing(&["sk-Live/0123\"x", "short1"]);
        for text in
            ["name: sk-Live/0123\"x!", "sk-live/0123\"X", r#"{"name":"sk-Live/0123\"x"}"#, "?k=sk-Live%2F0123%22x"]
        {
            let shielded = redactor.shield(text);
            assert!(shielded.contains(MASK) && !shielded.to_lowercase().contains("0123"), "{text}: {shielded}");
        }
        assert!(matches!(redactor.shield("nothing to hide: short1"), Cow::Borrowed(_)));
        // A JSON text stays one.
        let json: serde_json::Value = serde_json::from_str(&redactor.shield(r#"["sk-Live/0123\"x", 1]"#)).unwrap();
        assert_eq!(json, serde_json::json!(["***", 1]));
    }

    #[test]
    fn strength_is_what_else_a_text_could_be() {
        use Strength::{Strong, Weak, Word};
        for (secret, want) in [
            ("abc", Word),
            ("test", Word),
            ("OpenRouter", Word),
            ("not-needed", Word),
            ("密钥", Word),
            ("1234", Weak),
            ("9876543210", Weak),
            ("10,000.00", Weak),
            ("a1b2", Weak),
            ("p@ss", Weak),
            ("LeakFileSecret", Strong),
            ("hunter2x", Strong),
            ("sk-12345", Strong),
            ("P@ssword", Strong),
            ("1234567890123456", Strong),
            ("correct horse battery", Strong),
        ] {
            assert_eq!(Strength::of(secret), want, "{secret}");
        }
    }

    #[test]
    fn what_lets_in_is_learnt_from_an_address() {
        for (address, want) in [
            (
                "https://open.feishu.cn/open-apis/bot/v2/hook/550e8400-e29b-41d4-a716-446655440000",
                vec!["550e8400-e29b-41d4-a716-446655440000"],
            ),
            ("https://hooks.slack.com/services/T0/B0/aB3dE5fG7hI9jK1lM3nO5pQ7", vec!["aB3dE5fG7hI9jK1lM3nO5pQ7"]),
            ("https://h/robot/send?access_token=abc&other=1", vec!["abc"]),
            ("https://user:p%40ss@h/", vec!["p@ss"]),
            ("https://h/v1/projects/my-project-123456/billing-accounts", vec![]),
            ("https://gw-7f8b9c6d5-a1b2c3d4.example/openai-v1", vec![]),
        ] {
            assert_eq!(tokens(&Url::parse(address).unwrap()), want, "{address}");
        }
        for address in [
            "postgres://u:p%40ssw0rd1@h/d",
            "postgres://u:p%40ssw0rd1@h1:1,h2:2/d",
            "postgres://h/d?password=p%40ssw0rd1",
        ] {
            let redactor = Redactor::default();
            redactor.learn_database(address);
            assert_eq!(redactor.clean("FATAL: p@ssw0rd1 p%40ssw0rd1"), "FATAL: *** ***", "{address}");
        }
    }

    #[test]
    fn the_address_of_a_host_is_no_secret() {
        let redactor = knowing(&["http://127.0.0.1:8080", "https://hooks.example/", "https://hooks.example/in/x"]);
        let own = "goes to `http://127.0.0.1:8080`, https://hooks.example/";
        assert_eq!(redactor.shield(own), own);
        assert_eq!(redactor.shield("https://hooks.example/in/x"), "***");
    }

    #[test]
    fn what_is_only_suspected_hides_nothing_but_what_others_say() {
        let redactor = Redactor::default();
        redactor.suspect("us-east-1");
        redactor.suspect("option-value-aB3dE5fG7hI9");
        redactor.suspect("production");
        let own = "ec2.us-east-1.example: the connection was refused in production";
        assert_eq!(redactor.polish(own), own);
        assert_eq!(redactor.clean("us-east-1 production"), "*** production");
        assert_eq!(redactor.polish("option-value-aB3dE5fG7hI9"), "***");
    }

    #[test]
    fn a_token_that_nobody_has_learnt_is_masked() {
        let redactor = Redactor::default();
        let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl-_";
        assert_eq!(redactor.clean(&format!("(\"Bearer {token}\")")), "(\"Bearer ***\")");
        assert_eq!(redactor.clean(&between(token, "\u{200B}")), "***");
        assert_eq!(redactor.clean(&token[..50]), "***", "cut off by whoever echoes it");
        assert_eq!(redactor.clean("greyJoyJoyJoyJoy and eyJoy stay"), "greyJoyJoyJoyJoy and eyJoy stay");
    }

    #[test]
    fn a_secret_inside_a_longer_one_does_not_leave_a_rest() {
        let redactor = knowing(&["secret-1", "secret-1-longer", "longer-still-9"]);
        assert_eq!(redactor.clean("x secret-1-longer y"), "x *** y");
        assert_eq!(redactor.clean("x secret-1-longer-still-9 y"), "x *** y", "two that overlap");
    }

    #[test]
    fn a_secret_that_was_cut_is_masked() {
        let redactor = knowing(&["sk-or-v1-0123456789abcdefghij", "sk-or-v1-9876543210abcdefgxyz"]);
        for (said, want) in [
            ("bad key sk-or-v1-0123456789ab", "bad key ***"),
            ("bad key sk-or-v1-0123456789...", "bad key ***..."),
            ("bad key ...56789abcdefghij", "bad key ...***"),
            ("keys begin with sk-or-v1-", "keys begin with sk-or-v1-"),
            ("sk-or-v1-0*****ghij", "sk-or-v1-0*****ghij"),
        ] {
            assert_eq!(redactor.clean(said), want);
        }
    }

    #[test]
    fn what_is_learnt_later_is_masked_too() {
        let redactor = knowing(&["first-secret-1"]);
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 1..100 {
            let secret = format!("{:016x}", random.u64(..));
            assert_eq!(redactor.clean(&secret), secret);
            redactor.learn(&secret);
            assert_eq!(redactor.clean(&format!("{secret}. first-secret-1")), "***. ***");
        }
    }

    #[test]
    fn long_words_are_cut_without_leaving_half_a_secret_and_in_little_time() {
        let secret = format!("sk-{}", "0123456789abcdef".repeat(4));
        let redactor = knowing(&[&secret]);
        let start = std::time::Instant::now();
        for filler in [" ", "\u{200B}", "\n", "x", "%20", "\\n", "YWFh", "61", "&#32;", &secret, "%25", "\\\\"] {
            for shift in 0..3 {
                let said = format!("{}{}{secret}", " ".repeat(shift), filler.repeat(40_000 / filler.len()));
                for end in [said.len(), said.len() - 9] {
                    let clean = redactor.clean(&said[..said.floor_char_boundary(end)]);
                    assert!(!clean.contains("0123456789abcdef"), "{filler:?} gives {clean:?}");
                }
            }
        }
        let nested = (0..12).fold(secret.clone(), |text, _| STANDARD.encode(text));
        assert!(!redactor.clean(&nested).contains(&secret));
        assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
    }
}
