//! Keeps secrets out of every text that leaves the program.
//!
//! There are two gates. What services, servers and mails say passes [`Redactor::clean`] or [`Redactor::mask`] where it comes
//! in: it is read in all the ways that a secret can be echoed, down to keys of a few letters. Every text that goes out (report,
//! log, alert, metrics, files) passes [`shield`]: it is a plain search for secrets that could be nothing else, so a name or a
//! number of the user's own is never torn apart by a key such as `test`.

mod alone;
mod escapes;
mod failure;
mod host;
mod ids;
mod layers;
mod lists;
mod looks;
mod markup;
mod runs;
mod scattered;
mod search;
mod spelt;
mod tokens;

pub(crate) use self::failure::Settler;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use percent_encoding::percent_decode_str;
use regex_lite::Regex;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use self::layers::Layer;
use self::search::{Deep, Pieces};
use crate::model::text;
use crate::process::echo;

/// Longest of a peer's words that is kept, in characters.
const MOST_WORDS: usize = 300;
/// Longest message, in characters.
const MOST_MESSAGE: usize = 1000;
/// Of a peer's words so many characters are looked at, and so many bytes: no more can be shown, and each is read in many ways.
const MOST_LOOKED_AT: usize = 1280;
const MOST_BYTES: usize = 1536;
/// What all readings of a text may come to, in bytes. A text that has more of them was made to hide something.
const MOST_READ: usize = 512 << 10;
/// How many encodings are taken off one after the other.
const DEEPEST: u32 = 4;
pub(crate) const MASK: &str = "***";
/// Stands for what looks like a token.
const GAP: &str = "...";

/// A JSON Web Token, or the beginning of one: they are made by others, so nobody could learn them before.
static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\beyJ[A-Za-z0-9_-]{9,}(\.[A-Za-z0-9_-]*)*").ok());

/// Who logs in at an address, up to the `@`. Of such an address only the host is needed to know where something fails.
static LOGIN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"://[^/?\#\s@"'`<>]*(?:[^\s@"'`<>]*:[^\s@"'`<>]*)?@"#).ok());

/// The secrets that every text of this process must be free of, once they are known.
static KNOWN: RwLock<Option<Arc<Redactor>>> = RwLock::new(None);

/// From now on no text with one of these secrets leaves this process.
pub(crate) fn guard(redactor: &Arc<Redactor>) {
    *KNOWN.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(redactor));
}

/// A text on its way out, without secrets. Everything that is printed, logged, written or sent passes here.
pub(crate) fn shield(text: &str) -> Cow<'_, str> {
    match &*KNOWN.read().unwrap_or_else(PoisonError::into_inner) {
        Some(redactor) => redactor.shield(text),
        None => shapes(Cow::Borrowed(text)),
    }
}

/// A text without what is a credential by its form alone, whoever's it is: tokens that others made, logins in addresses.
fn shapes(text: Cow<'_, str>) -> Cow<'_, str> {
    let text = match TOKEN.as_ref().filter(|_| text.contains("eyJ")) {
        Some(token) => Cow::Owned(token.replace_all(&text, MASK).into_owned()),
        None => text,
    };
    // Names, ids and labels are the user's own, and a key may have got into one of them.
    let text = match text {
        Cow::Borrowed(text) => echo::without_known_keys(text, MASK),
        Cow::Owned(text) => Cow::Owned(echo::without_known_keys(&text, MASK).into_owned()),
    };
    // The hints of this program show a login as `<user>:<password>`, which is none.
    match LOGIN.as_ref().filter(|_| text.contains("://") && text.contains('@')) {
        Some(form) => Cow::Owned(form.replace_all(&text, format!("://{MASK}@")).into_owned()),
        None => text,
    }
}

/// Knows the secrets of this run and removes them from text. It may learn more at any time.
#[derive(Default)]
pub struct Redactor(Mutex<Secrets>);

#[derive(Default)]
struct Secrets {
    known: Vec<Known>,
    /// Finds them as they stand.
    plain: Finder<Pieces>,
    /// Finds them in any form. It is made when there is a text from outside.
    deep: Finder<Deep>,
    /// Hosts that were looked at: how many secrets were known then, and whether the name holds one.
    hosts: HashMap<String, (usize, bool)>,
}

/// What finds the first so many of the known secrets.
#[derive(Default)]
struct Finder<F> {
    count: usize,
    made: Arc<F>,
}

impl<F: Clone> Finder<F> {
    /// What finds all that is known so far; `add` adds those that are new.
    fn of(&mut self, known: &[Known], add: impl FnOnce(&mut F, &[Known])) -> Arc<F> {
        let new = &known[self.count..];
        if !new.is_empty() {
            add(Arc::make_mut(&mut self.made), new);
            self.count = known.len();
        }
        Arc::clone(&self.made)
    }
}

/// What is to stay inside.
struct Known {
    secret: SecretString,
    /// It may be no secret at all, so nothing but a peer's words is searched for it.
    is_suspect: bool,
}

impl Known {
    fn strength(&self) -> Strength {
        if self.is_suspect { Strength::Word } else { Strength::of(self.secret.expose_secret()) }
    }
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
        if length >= 16 {
            return Strength::Strong;
        }
        let letters = secret.chars().filter(|c| c.is_alphabetic()).count();
        let digits = secret.chars().filter(char::is_ascii_digit).count();
        let marks = secret.chars().filter(|c| matches!(c, '-' | '_' | '.' | ' ' | ',')).count();
        // `OpenRouter` is a name, `LeakFileSecret` is not.
        let humps = secret.chars().zip(secret.chars().skip(1)).filter(|(a, b)| a.is_lowercase() && b.is_uppercase());
        let is_plain = letters + digits + marks == length;
        match () {
            () if length < 4 => Strength::Word,
            () if is_plain && digits == 0 && (length < 8 || humps.count() < 2) => Strength::Word,
            () if length < 8 || (is_plain && letters == 0) => Strength::Weak,
            () => Strength::Strong,
        }
    }
}

/// The parts of an address that let its holder in.
fn tokens(url: &Url) -> Vec<String> {
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut tokens: Vec<String> = url.password().map(plain).into_iter().collect();
    // Some services take a key for the name of a user, with no password or with any.
    tokens.extend(Some(plain(url.username())).filter(|user| is_suspicious(user) || echo::looks_secret(user)));
    for (name, value) in url.query_pairs() {
        if speaks_of_secret(&name) || is_suspicious(&value) {
            tokens.push(value.into_owned());
        }
    }
    // The host is named wherever something fails, so it is no secret.
    let segments = url.path_segments().into_iter().flatten();
    tokens.extend(segments.map(plain).filter(|part| is_suspicious(part)));
    tokens
}

/// Whether the name of a parameter, header or option says that its value lets somebody in.
pub(crate) fn speaks_of_secret(name: &str) -> bool {
    const PARTS: [&str; 14] = [
        "key", "token", "secret", "sign", "sig", "auth", "pass", "pwd", "cred", "cookie", "session", "jwt", "ticket",
        "bearer",
    ];
    let name = name.to_lowercase();
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    PARTS.iter().any(|part| name.contains(part))
        || words.any(|word| ["sid", "ak", "sk", "pw", "pin", "otp"].contains(&word))
}

/// Whether an address is itself a credential.
pub(crate) fn is_credential(url: &Url) -> bool {
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

/// What a text is the base64 or hexadecimal form of, if that is a printable text of some length. Other bytes are a key by
/// themselves, which nobody repeats decoded.
fn decoded(text: &str) -> impl Iterator<Item = String> {
    let plain = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let readings = [STANDARD_NO_PAD.decode(plain).ok(), hex_decoded(text)];
    let texts = readings.into_iter().flatten().filter_map(|bytes| String::from_utf8(bytes).ok());
    texts.filter(|text| text.chars().count() >= 8 && !text.chars().any(char::is_control))
}

fn hex_decoded(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some((char::from(*high).to_digit(16)? << 4 | char::from(*low).to_digit(16)?) as u8),
        _ => None,
    });
    pairs.collect()
}

impl Redactor {
    fn lock(&self) -> MutexGuard<'_, Secrets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns a secret, and what it is the base64 or hexadecimal form of.
    pub fn learn(&self, secret: &str) {
        self.add(secret, false);
        self.learn_decoded(secret);
    }

    /// Learns the text that another one encodes, and the password if it is `user:password`.
    fn learn_decoded(&self, encoded: &str) {
        for text in decoded(encoded.trim()) {
            if let Some((_, password)) = text.split_once(':') {
                self.learn(password);
            }
            self.learn(&text);
        }
    }

    /// Learns what may be a secret, as what came from a variable. If it looks like something else as well, only the words of
    /// peers are searched for it.
    pub fn suspect(&self, value: &str) {
        if Strength::of(value.trim()) != Strength::Word {
            self.add(value, !is_suspicious(value));
        }
        self.learn_decoded(value);
    }

    fn add(&self, secret: &str, is_suspect: bool) {
        let secret = secret.trim();
        if !secret.is_empty() && !is_bare_address(secret) {
            let known = Known { secret: secret.into(), is_suspect };
            self.lock().known.push(known);
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
        self.without(text, text.len(), Origin::Entry)
    }

    /// The words of a peer made fit for a message: secrets masked, on one line, of bounded length.
    pub fn clean(&self, said: &str) -> String {
        let mut seen = String::new();
        let mut is_gap = false;
        let mut count = 0;
        for c in said.chars().filter(|c| !text::is_invisible(*c)) {
            // The first of several blanks stands for all; a line's end may be one inside a secret that was wrapped.
            if !(c.is_whitespace() && is_gap) {
                seen.push(c);
                count += 1;
            }
            is_gap = c.is_whitespace();
            if count >= MOST_LOOKED_AT || seen.len() >= MOST_BYTES {
                break;
            }
        }
        let is_cut = count >= MOST_LOOKED_AT || seen.len() >= MOST_BYTES;
        // Where there was more, the end is not kept, so that no half of a secret stands there.
        let kept = if is_cut { seen.len() / 4 * 3 } else { seen.len() };
        text::one_line(&self.without(&seen, kept, Origin::Peer), MOST_WORDS)
    }

    /// A message of this program made fit to be shown. Its own words stay, even where a key is one of them.
    pub fn polish(&self, message: &str) -> String {
        text::one_line(&self.without(message, message.len(), Origin::Program), MOST_MESSAGE)
    }

    /// A text on its way out, without secrets that could be nothing else.
    pub fn shield<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut found = Vec::new();
        self.plain().find(text.as_bytes(), |range| found.push(range));
        let found = found.into_iter().map(|range| (range, MASK)).collect::<Vec<_>>();
        shapes(if found.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(cover(text, text.len(), found)) })
    }

    /// What finds all that is known so far, as it stands.
    fn plain(&self) -> Arc<Pieces> {
        let Secrets { known, plain, .. } = &mut *self.lock();
        plain.of(known, |pieces, new| {
            let strong = new.iter().filter(|known| known.strength() == Strength::Strong);
            strong.for_each(|known| pieces.add_plain(known.secret.expose_secret()));
        })
    }

    /// What finds all that is known so far, in any form.
    fn deep(&self) -> Arc<Deep> {
        let Secrets { known, deep, .. } = &mut *self.lock();
        deep.of(known, |deep, new| deep.add(new.iter().map(|known| (known.secret.expose_secret(), known.strength()))))
    }

    fn without(&self, text: &str, kept: usize, origin: Origin) -> String {
        // Most failures carry no words of a peer, and nothing need be read in all ways for that.
        if text.is_empty() {
            return String::new();
        }
        let deep = self.deep();
        let mut reading =
            Reading { deep: &deep, is_foreign: origin != Origin::Program, left: MOST_READ, found: Vec::new() };
        let layers = Layer::seen_in(text);
        let is_read = deep.is_empty()
            || layers.iter().all(|layer| reading.explore(layer, DEEPEST) && reading.explore_rare(layer));
        if !is_read {
            return MASK.to_owned();
        }
        if origin != Origin::Program {
            // Beside the text itself only what is escaped in it: pieces that are encoded apart are not put together.
            let unescaped = layers.iter().flat_map(Layer::unescaped);
            layers.iter().cloned().chain(unescaped).for_each(|layer| deep.scattered(&layer, &mut reading.found));
        }
        let mut found: Vec<(Range<usize>, &str)> = reading.found.into_iter().map(|range| (range, MASK)).collect();
        let made = TOKEN.iter().filter(|_| text.contains("eyJ")).flat_map(|token| token.find_iter(text));
        found.extend(made.map(|made| (made.range(), MASK)));
        if origin == Origin::Peer {
            found.extend(tokens::find(text, layers).into_iter().map(|range| (range, GAP)));
        }
        cover(text, kept, found)
    }
}

/// Whose words a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A service's or a server's own, of which only what reads like a sentence is shown.
    Peer,
    /// What came from outside and is no sentence.
    Entry,
    /// This program's, in which the words of others may stand.
    Program,
}

/// One text that is read in all ways.
struct Reading<'s> {
    deep: &'s Deep,
    is_foreign: bool,
    left: usize,
    found: Vec<Range<usize>>,
}

impl Reading<'_> {
    /// Searches a reading.
    fn search(&mut self, layer: &Layer) {
        self.deep.strong(&layer.squeezed(), &mut self.found);
        self.deep.weak(layer, self.is_foreign, &mut self.found);
        if self.is_foreign {
            self.deep.runs(layer, &mut self.found);
            self.deep.grouped(layer, &mut self.found);
        }
    }

    /// Searches a reading, and all that can be made of it. False if that is too much.
    fn explore(&mut self, layer: &Layer, depth: u32) -> bool {
        if !self.look_at(layer) {
            return false;
        }
        self.search(&layer.clone().reversed());
        if depth == 0 || layer.bytes.len() < 2 {
            return true;
        }
        let unescaped = layer.unescaped();
        // The first one has all escapes taken off.
        unescaped.iter().all(|layer| self.explore(layer, depth - 1))
            && (depth < DEEPEST || unescaped.first().is_none_or(|layer| self.explore_rare(layer)))
            && (0..4).all(|skipped| self.explore(&layer.base64(skipped), (depth - 1).min(2)))
            && (0..2).all(|skipped| self.explore(&layer.hexadecimal(skipped), (depth - 1).min(2)))
            && (!layer.is_guess
                || depth != 2
                || (self.explore(&layer.base32(0), 0) && self.explore(&layer.numbers(10), 0)))
    }

    /// Searches what is seldom met, in the text itself and in what was escaped in it. False if that is too much.
    fn explore_rare(&mut self, layer: &Layer) -> bool {
        if !self.is_foreign {
            // This program quotes others in its messages, but does not encode what it quotes.
            return self.explore(&layer.base32(0), 0) && self.explore(&layer.numbers(10), 0);
        }
        self.search(&layer.clone().rotated());
        self.explore(&layer.base32(0), 1)
            && self.explore(&layer.numbers(10), 0)
            && (1..8).all(|skipped| self.look_at(&layer.base32(skipped)))
            && (0..4).all(|skipped| self.look_at(&layer.divided_base64(skipped)))
            && [8, 16].iter().all(|radix| self.look_at(&layer.numbers(*radix)))
            && (!layer.has_bits() || self.look_at(&layer.numbers(2)))
    }

    /// Searches a reading as it stands. False if that is too much.
    fn look_at(&mut self, layer: &Layer) -> bool {
        let left = self.left.checked_sub(layer.bytes.len());
        if left.is_some() {
            self.search(layer);
        }
        self.left = left.unwrap_or_default();
        left.is_some()
    }
}

/// The text with these ranges covered, and nothing after so many bytes of it. Of ranges that overlap one [`MASK`] is left, or a
/// [`GAP`] if nothing in them is known; gaps with hardly anything between them are one.
fn cover(text: &str, kept: usize, mut found: Vec<(Range<usize>, &str)>) -> String {
    found.sort_unstable_by_key(|(range, _)| range.start);
    let mut covered: Vec<(Range<usize>, &str)> = Vec::new();
    for (range, sign) in found.into_iter().filter(|(range, _)| range.start < kept && !range.is_empty()) {
        // Escapes and characters are covered as a whole.
        let range = text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end);
        match covered.last_mut().filter(|(last, before)| belongs(text, last, before, &range, sign)) {
            Some((last, before)) => {
                last.end = last.end.max(range.end);
                *before = if *before == MASK { MASK } else { sign };
            }
            None => covered.push((range, sign)),
        }
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, sign) in covered {
        out.push_str(&text[at..range.start]);
        out.push_str(sign);
        at = range.end;
    }
    out.push_str(text.get(at..text.floor_char_boundary(kept)).unwrap_or_default());
    out
}

/// Whether a range belongs to the one before it.
fn belongs(text: &str, last: &Range<usize>, before: &str, range: &Range<usize>, sign: &str) -> bool {
    if range.start <= last.end {
        return true;
    }
    let between = &text[last.end..range.start];
    let are_gaps = before == GAP && sign == GAP;
    are_gaps && between.len() <= 3 && !between.contains(char::is_alphanumeric)
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;
