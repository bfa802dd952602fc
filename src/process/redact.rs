//! Keeps secrets out of every text that leaves the program.
//!
//! There are two gates. What services, servers and mails say passes [`Redactor::clean`] or [`Redactor::mask`] where it comes
//! in: it is read in all the ways that a secret can be echoed, down to keys of a few letters. Every text that goes out (report,
//! log, alert, metrics, files) passes [`shield`]: it is a plain search for secrets that could be nothing else, so a name or a
//! number of the user's own is never torn apart by a key such as `test`.

mod after_secret_word;
mod decodings;
mod escapes;
mod failure;
mod fragments;
mod host;
mod machine_made;
mod markup;
mod personal_ids;
mod scattered_pieces;
mod search;
mod secret_numbers;
mod spelt_addresses;
mod spread_tokens;
mod text_readings;
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

use self::scattered_pieces::{Piece, Shown};
use self::search::{Deep, Pieces};
use self::text_readings::{Origin, Read, Said, looked_at};
use crate::model::text;
use crate::process::quote_input;

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

/// The same for what a run reports, in whichever format: JSON and the text format of metrics stay what they are.
pub(crate) fn shield_report(text: &str) -> Cow<'_, str> {
    let is_data = text.starts_with(['{', '[']) || text.starts_with("# HELP ");
    match &*KNOWN.read().unwrap_or_else(PoisonError::into_inner) {
        Some(redactor) if is_data => redactor.shield_data(text),
        Some(redactor) => redactor.shield(text),
        None => shapes(Cow::Borrowed(text)),
    }
}

/// Whether a place of a text stands between double quotes.
fn is_quoted(text: &str, at: usize) -> bool {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for byte in text.as_bytes()[..at].iter() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ => {}
        }
    }
    is_quoted
}

/// A text without what is a credential by its form alone, whoever's it is: tokens that others made, logins in addresses.
fn shapes(text: Cow<'_, str>) -> Cow<'_, str> {
    let text = match TOKEN.as_ref().filter(|_| text.contains("eyJ")) {
        Some(token) => Cow::Owned(token.replace_all(&text, MASK).into_owned()),
        None => text,
    };
    // Names, ids and labels are the user's own, and a key may have got into one of them.
    let text = match text {
        Cow::Borrowed(text) => quote_input::without_known_keys(text, MASK),
        Cow::Owned(text) => Cow::Owned(quote_input::without_known_keys(&text, MASK).into_owned()),
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
    /// What others have shown of each secret in this run, in pieces that tell too little by themselves.
    shown: Shown,
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
        // A character of Chinese or Korean says as much as two letters.
        let wide = secret.chars().filter(|c| *c >= '\u{2E80}').count();
        if length + wide >= 16 {
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
    tokens.extend(Some(plain(url.username())).filter(|user| is_suspicious(user) || quote_input::looks_secret(user)));
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
        || words.any(|word| ["sid", "ak", "sk", "pw", "pin", "otp"].contains(&word) || PASSWORDS.contains(&word))
}

/// What a password or a key is called in other languages, as far as the words above are not in it, without accents.
const PASSWORDS: [&str; 20] = [
    "contrasena",
    "clave",
    "senha",
    "chave",
    "chiave",
    "parola",
    "kennwort",
    "geheimnis",
    "wachtwoord",
    "losenord",
    "adgangskode",
    "kodeord",
    "salasana",
    "heslo",
    "jelszo",
    "sifre",
    "sandi",
    "lozinka",
    "geslo",
    "parool",
];

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
        let [masked] = self.mask_all([text]);
        masked
    }

    /// The same for texts that are shown together, so that a secret in pieces over all of them is found as in one.
    pub(crate) fn mask_all<const N: usize>(&self, texts: [&str; N]) -> [String; N] {
        self.without(texts.map(|text| Said::whole(text, Origin::Entry)))
    }

    /// The words of a peer made fit for a message: secrets masked, on one line, of bounded length.
    pub fn clean(&self, said: &str) -> String {
        self.clean_failure(said, "", "").0
    }

    /// What a peer says in one failure, its advice, and the host that it leads to, made fit for a message. What is masked is
    /// judged by all of it, and by what has been shown in this run before: a secret may come in pieces. Of the host, whether
    /// it may be shown.
    pub(crate) fn clean_failure(&self, said: &str, advice: &str, host: &str) -> (String, String, bool) {
        let (said, advice) = (looked_at(said), looked_at(advice));
        let texts = [Said::of_peer(&said), Said::of_peer(&advice), Said::whole(host, Origin::Host)];
        let [said, advice, shown_host] = self.without(texts);
        (text::one_line(&said, MOST_WORDS), text::one_line(&advice, MOST_WORDS), shown_host == host)
    }

    /// A message of this program made fit to be shown. Its own words stay, even where a key is one of them.
    pub fn polish(&self, message: &str) -> String {
        let [polished] = self.without([Said::whole(message, Origin::Program)]);
        text::one_line(&polished, MOST_MESSAGE)
    }

    /// A text on its way out, without secrets that could be nothing else.
    pub fn shield<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.shielded(text, |_| true)
    }

    /// The same for data in which all text stands in double quotes (JSON, the text format of metrics). A number in it stays a
    /// number: no reading is a secret ([`Redactor::is_secret_number`]), and what reads the data would refuse all of it.
    pub fn shield_data<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let is_number = |piece: &str| piece.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        self.shielded(text, |range| !is_number(&text[range.clone()]) || is_quoted(text, range.start))
    }

    fn shielded<'t>(&self, text: &'t str, is_hidden: impl Fn(&Range<usize>) -> bool) -> Cow<'t, str> {
        let mut found = Vec::new();
        self.plain().find(text.as_bytes(), |range| found.push(range));
        found.retain(is_hidden);
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

    /// These texts without secrets. They belong together, so the pieces of secrets in all of them are judged together.
    fn without<const N: usize>(&self, texts: [Said; N]) -> [String; N] {
        // Most failures carry no words of a peer, and nothing need be read in all ways for that.
        if texts.iter().all(|said| said.text.is_empty()) {
            return texts.map(|_| String::new());
        }
        let deep = self.deep();
        let mut read = texts.map(|said| (said, said.read(&deep)));
        self.judge_pieces(&deep, &mut read);
        read.map(|(said, read)| match read {
            Some(read) => cover(said.text, said.kept, read.found),
            None => MASK.to_owned(),
        })
    }

    /// Covers the pieces of secrets that tell too much together. What peers have shown before in this run counts too.
    fn judge_pieces(&self, deep: &Deep, read: &mut [(Said, Option<Read>)]) {
        let mut pieces: Vec<(Piece, bool)> = Vec::new();
        let mut texts: Vec<usize> = Vec::new();
        for (index, (said, read)) in read.iter_mut().enumerate() {
            let Some(Read { found, pieces: own }) = read else { continue };
            texts.extend(std::iter::repeat_n(index, own.len()));
            pieces.extend(std::mem::take(own).into_iter().map(|piece| {
                let range = &piece.range;
                let is_inside =
                    |(other, _): &(Range<usize>, &str)| other.start <= range.start && range.end <= other.end;
                let is_covered = range.start >= said.kept || found.iter().any(is_inside);
                (piece, is_covered)
            }));
        }
        if pieces.is_empty() {
            return;
        }
        let is_shown = read.iter().any(|(said, _)| said.origin == Origin::Peer);
        let told: Vec<(usize, Range<usize>)> = {
            let mut secrets = self.lock();
            let mut nothing = Shown::new();
            let shown = if is_shown { &mut secrets.shown } else { &mut nothing };
            let told = deep.judge(&pieces, shown);
            told.into_iter().map(|at| (texts[at], pieces[at].0.range.clone())).collect()
        };
        for (index, range) in told {
            if let Some(read) = &mut read[index].1 {
                read.found.push((range, MASK));
            }
        }
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
mod service_texts;
#[cfg(test)]
mod tests;
