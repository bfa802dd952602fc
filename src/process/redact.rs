//! Keeps secrets out of every text that leaves the program.
//!
//! There are two gates. What services, servers and mails say passes [`Redactor::clean`] or [`Redactor::mask`] where it comes
//! in: it is read in all the ways that a secret can be echoed, down to keys of a few letters. Every text that goes out (report,
//! log, alert, metrics, files) passes [`shield`]: it is a plain search for secrets that could be nothing else, so a name or a
//! number of the user's own is never torn apart by a key such as `test`.

mod after_secret_word;
mod cover;
mod decodings;
mod escapes;
mod failure;
mod fragments;
mod host;
mod known;
mod machine_made;
mod markup;
mod outgoing;
mod personal_ids;
mod scattered_pieces;
mod search;
mod secret_numbers;
mod secret_parts;
mod spelt_addresses;
mod spread_tokens;
mod text_readings;
mod tokens;

pub(crate) use self::failure::Settler;
pub(crate) use self::outgoing::{guard, shield, shield_report};
pub(crate) use self::secret_parts::{is_credential, speaks_of_secret};

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;
use url::Url;

use self::cover::cover;
use self::known::{Finder, Known, Strength};
use self::outgoing::{is_quoted, shapes};
use self::scattered_pieces::{Piece, Shown};
use self::search::{Deep, Pieces};
use self::secret_parts::{decoded, is_bare_address, is_suspicious, tokens};
use self::text_readings::{Origin, Read, Said, looked_at};
use crate::model::text;

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

#[cfg(test)]
mod service_texts;
#[cfg(test)]
mod tests;
