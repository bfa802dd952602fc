//! What in the words of a service looks like a token instead of the words of a sentence. Nobody needs it to understand the
//! message, and it may be anybody's secret: that of another customer, or one in an encoding that is not read here.

use std::ops::Range;
use std::sync::LazyLock;

use super::decodings::Layer;
use super::escapes;
use super::machine_made::{is_odd, is_token, is_word, stretches};
use super::secret_parts::{PASSWORDS, speaks_of_secret};
use super::{after_secret_word, personal_ids, spelt_addresses, spread_tokens};
use crate::process::quote_input;

/// How many rounds of escapes are taken off to look at what stands behind them.
const ROUNDS: usize = 4;
/// So many letters and digits of an odd look in one run are a token, whatever divides them.
const ODD: usize = 12;
/// Escapes of letters that stand so near to each other, in bytes, spell a text.
const NEAR: usize = 12;
/// Of the name of a request so many characters are shown, and all of it if it has no more than [`WHOLE_ID`].
const SHORT_ID: usize = 8;
const WHOLE_ID: usize = 12;

/// The places of all tokens in a text, of which these are the readings as it stands.
pub(super) fn find(text: &str, mut layers: Vec<Layer>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for _ in 0..=ROUNDS {
        for layer in layers.iter().flat_map(|layer| [Some(layer.clone()), layer.unmarked()]).flatten() {
            look_at(&layer, |range| found.extend(source(&layer, text, range)));
        }
        layers = layers.iter().filter_map(|layer| layer.unescaped().into_iter().next()).collect();
    }
    found
}

/// A range of a reading in the text itself.
fn source(layer: &Layer, text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let range = (!range.is_empty()).then(|| layer.source(range.start, range.end))?;
    Some(text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end))
}

fn look_at(layer: &Layer, mut tell: impl FnMut(Range<usize>)) {
    let text = &layer.bytes[..];
    escaped(text).for_each(&mut tell);
    let segments = stretches(text, is_of_segment).map(|run| trimmed(text, run, b".~"));
    // One code of an error in hexadecimal digits is none, several are the numbers of a list.
    let is_single = || stretches(text, is_of_segment).filter(|run| is_error_code(&text[run.clone()])).count() == 1;
    let is_code = |run: &[u8]| is_error_code(run) && is_single();
    let is_token = |run: &Range<usize>| is_token_segment(&text[run.clone()]) && !is_code(&text[run.clone()]);
    for run in segments.filter(is_token) {
        tell(without_id(text, run));
    }
    stretches(text, is_of_base64).filter(|run| is_base64(&text[run.clone()])).for_each(&mut tell);
    let words = stretches(text, |byte| byte.is_ascii_graphic()).map(|run| trimmed(text, run, b"\"'`.,:;()[]{}"));
    words.filter(|run| is_soup(&text[run.clone()])).for_each(&mut tell);
    labelled(text).for_each(&mut tell);
    labelled_elsewhere(text).for_each(&mut tell);
    logins(text).for_each(&mut tell);
    spelt_addresses::find(text, &mut tell);
    spread_tokens::find(text, &mut tell);
    personal_ids::find(text, &mut tell);
}

/// `0x80070005`, with or without the full stop of the sentence.
fn is_error_code(run: &[u8]) -> bool {
    let run = run.strip_suffix(b".").unwrap_or(run);
    let digits = run.strip_prefix(b"0x").or(run.strip_prefix(b"0X"));
    digits.is_some_and(|digits| (4..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit))
}

/// A run without these signs at its ends.
fn trimmed(text: &[u8], run: Range<usize>, signs: &[u8]) -> Range<usize> {
    let end = run.start + without_end(&text[run.clone()], signs).len();
    let start = run.start + text[run.start..end].iter().take_while(|byte| signs.contains(byte)).count();
    start..end
}

/// A text without these signs at its end.
fn without_end<'t>(text: &'t [u8], signs: &[u8]) -> &'t [u8] {
    let last = text.iter().rposition(|byte| !signs.contains(byte));
    &text[..last.map_or(0, |last| last + 1)]
}

fn is_of_segment(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.~".contains(&byte)
}

fn is_of_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-+/=".contains(&byte)
}

/// The runs of letters and digits in a segment.
fn pieces(segment: &[u8]) -> impl Iterator<Item = &[u8]> {
    segment.split(|byte| !byte.is_ascii_alphanumeric()).filter(|piece| !piece.is_empty())
}

fn odd_length(segment: &[u8]) -> usize {
    pieces(segment).filter(|piece| is_odd(piece)).map(<[u8]>::len).sum()
}

/// Whether a run without slashes is a token: by one of its pieces, by all of them together, or by how it begins.
fn is_token_segment(segment: &[u8]) -> bool {
    if segment.is_empty() || is_host(segment) {
        return false;
    }
    let is_divided = || {
        let length = pieces(segment).next().map_or(0, <[u8]>::len);
        let count = pieces(segment).count();
        // `ABCD-EFGH-IJKL-MNOP`
        count >= 4
            && (4..=8).contains(&length)
            && pieces(segment).take(count - 1).all(|piece| piece.len() == length)
            && pieces(segment).filter(|piece| is_odd(piece)).count() * 2 >= count
    };
    pieces(segment).any(is_token) || odd_length(segment) >= ODD || is_divided() || begins_as_key(segment)
}

/// Whether a segment begins as the keys of a maker do and does not end there: `sk-ant-api03-` is no key.
fn begins_as_key(segment: &[u8]) -> bool {
    let rest = || pieces(segment).skip(1);
    std::str::from_utf8(segment).is_ok_and(quote_input::is_prefixed)
        && rest().map(<[u8]>::len).sum::<usize>() >= 6
        && rest().any(|piece| {
            let digits = piece.iter().filter(|byte| byte.is_ascii_digit()).count();
            // `xoxb-123-456-abc`
            is_odd(piece) || (digits > 0 && piece.len() >= 6) || (digits >= 3 && digits == piece.len())
        })
}

/// Whether a segment names a host, whose parts may have been made by a machine: `gw-7f8b9c6d5-a1b2.example`.
fn is_host(segment: &[u8]) -> bool {
    const LONGEST: usize = 20;
    let is_small = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(byte);
    let mut labels = segment.rsplit(|byte| *byte == b'.');
    let is_top = labels.next().is_some_and(|top| (2..=LONGEST).contains(&top.len()) && is_word(top));
    is_top
        && segment[0].is_ascii_lowercase()
        && segment.iter().all(is_small)
        && labels.clone().next().is_some()
        && labels.all(|label| (1..=LONGEST).contains(&label.len()))
}

/// Base64 with the signs that divide it, which a path has as well: `Kq8W/m3Zx+7Vn2/Bt5R=`.
fn is_base64(run: &[u8]) -> bool {
    let odd = odd_length(run);
    let has_signs = run.iter().any(|byte| b"+/=".contains(byte));
    let length: usize = pieces(run).map(<[u8]>::len).sum();
    // Beside a token no word of a path has capitals inside.
    let is_part = |piece: &[u8]| is_token(piece) || piece[1..].iter().any(u8::is_ascii_uppercase);
    let is_name = |piece: &[u8]| piece.len() >= 4 && piece.iter().all(u8::is_ascii_lowercase) && is_word(piece);
    has_signs
        && !pieces(run).any(is_name)
        && ((odd >= ODD && odd * 2 >= length) || (pieces(run).any(is_token) && pieces(run).all(is_part)))
}

/// Base85, uuencode and the like: a run full of signs that stand in no sentence, and with hardly a word or a number in it.
fn is_soup(run: &[u8]) -> bool {
    let signs: std::collections::BTreeSet<u8> =
        run.iter().copied().filter(|byte| b"!#$%&*+;<=>?@^`|~\\".contains(byte)).collect();
    let is_told = |piece: &&[u8]| piece.iter().all(u8::is_ascii_digit) || (piece.len() >= 4 && is_word(piece));
    let told: usize = pieces(run).filter(is_told).map(<[u8]>::len).sum();
    let letters = run.iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
    let is_address = run.windows(3).any(|mark| mark == b"://");
    run.len() >= ODD && signs.len() >= 3 && told * 2 < letters.max(1) && !is_address
}

/// Where letters and digits are escaped, which nobody does in a sentence.
fn escaped(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut groups: Vec<(Range<usize>, usize)> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let Some(escape) = escapes::escaped_letter(&text[at..]) else {
            at += 1;
            continue;
        };
        let here = at..at + escape.length;
        match groups.last_mut().filter(|(group, _)| here.start - group.end <= if escape.is_rare { NEAR } else { 0 }) {
            Some((group, count)) => (group.end, *count) = (here.end, *count + 1),
            None => groups.push((here.clone(), 1)),
        }
        at = here.end;
    }
    groups.into_iter().filter(|(_, count)| *count >= 2).map(|(group, _)| group)
}

/// Values whose name says that they let somebody in: `token=abc`, `api_key: 12ab`, `Bearer abc123`, `Set-Cookie: ...`.
fn labelled(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let names = stretches(text, |byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    names.filter_map(move |name| {
        let label = String::from_utf8_lossy(&text[name.clone()]).to_ascii_lowercase();
        let mark = Mark::after(&text[name.end..]);
        let dots = text[name.end + mark.length..].iter().take_while(|byte| **byte == b'.').count();
        let start = name.end + mark.length + dots;
        let is_scheme = ["bearer", "basic", "digest", "geniekey", "apikey", "negotiate", "token"].contains(&&*label);
        if label.ends_with("cookie") && mark.is_colon {
            let end = text[start..].iter().position(|byte| b"\"\n<".contains(byte));
            return Some(start..end.map_or(text.len(), |length| start + length));
        }
        if !(is_scheme || label == "login" || speaks_of_secret(&label)) || mark.length == 0 {
            return None;
        }
        // `the password is ...`
        let verb = verb(&text[start..]);
        let start = start + verb;
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`&,;<>()[]{}".contains(byte);
        let length = text[start..].iter().position(is_end).unwrap_or(text.len() - start);
        let value = without_end(&text[start..start + length], b".:!?\\");
        let is_password = ["pass", "pwd", "secret"].iter().any(|part| label.contains(part));
        let is_told = verb > 0 || mark.is_equals || (is_password && mark.has_quote);
        let is_secret = match () {
            () if value.is_empty() || [&b"null"[..], b"none", b"true", b"false", b"***"].contains(&value) => false,
            // `Digest username="..."`
            () if value.ends_with(b"=") && text.get(start + length) == Some(&b'"') => false,
            () if mark.is_equals && !mark.has_blank => true,
            // `missing key: balance`
            () if mark.is_colon && !is_password && after_secret_word::is_field(value) => false,
            // `"secret":"open"`
            () if mark.is_colon && text[..start].ends_with(b"\"") => true,
            // What is said of a password in other languages is not known here, so no plain word is one.
            () if PASSWORDS.contains(&&*label) => (mark.is_equals || mark.is_colon) && !is_sentence(value),
            () if (mark.is_equals || mark.is_colon) && after_secret_word::may_be_passphrase(value) => true,
            () if (is_told || mark.is_colon) && after_secret_word::may_be_credential(&text[start..], value) => true,
            () if mark.is_equals || mark.is_colon || is_scheme => !is_sentence(value),
            () => is_made(value),
        };
        is_secret.then(|| start..start + value.len())
    })
}

/// The length of a verb and the blanks around it, where a text begins with one.
fn verb(text: &[u8]) -> usize {
    let verb = [&b"is"[..], b"was", b"ist", b"lautet", b"est", b"es"]
        .into_iter()
        .rev()
        .find(|verb| text.starts_with(verb))
        .map_or(0, <[u8]>::len);
    let blanks = text[verb..].iter().take_while(|byte| b" \"'`:".contains(byte)).count();
    if verb > 0 && blanks > 0 && text[verb] == b' ' { verb + blanks } else { 0 }
}

/// The same for names in other scripts, which no blank divides from what stands around them: `密码：qwerty1`, `密钥 abc12345`.
fn labelled_elsewhere(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    const NAMES: [&str; 26] = [
        "密钥",
        "密鑰",
        "金鑰",
        "密码",
        "密碼",
        "口令",
        "令牌",
        "パスワード",
        "暗証番号",
        "비밀번호",
        "암호",
        "ключ",
        "пароль",
        "парола",
        "лозинка",
        "κωδικος",
        "كلمة المرور",
        "كلمة السر",
        "الرقم السري",
        "סיסמה",
        "סיסמא",
        "पासवर्ड",
        "รหัสผ่าน",
        "hasło",
        "mat khau",
        "kata sandi",
    ];
    const VERBS: [&str; 2] = ["是", "为"];
    const SHORTEST: usize = 6;
    // As a text is read here, characters are decomposed.
    static DECOMPOSED: LazyLock<Vec<(Vec<u8>, bool)>> =
        LazyLock::new(|| NAMES.map(|name| (Layer::of(name).bytes, name.starts_with(|c: char| c.is_ascii()))).into());
    let names =
        DECOMPOSED.iter().flat_map(|(name, is_latin)| ends_of(text, name).into_iter().map(move |end| (end, *is_latin)));
    names.filter_map(move |(end, is_latin)| {
        let verb = VERBS.into_iter().find(|verb| text[end..].starts_with(verb.as_bytes())).map_or(0, str::len);
        let start = end + verb;
        let mark = Mark::after(&text[start..]);
        let start = start + mark.length;
        // A word of a script that has blanks between words may be a part of it, but only with digits beside it.
        let is_letter = |byte: &u8| (0x80..0xE0).contains(byte);
        let is_part = |byte: &u8| is_letter(byte) || (byte.is_ascii_graphic() && !b"\"'`,;<>()[]{}".contains(byte));
        let length = text[start..].iter().take_while(|byte| is_part(byte)).count();
        let value = without_end(&text[start..start + length], b".:!?");
        let is_said = verb > 0 || mark.is_equals || mark.is_colon;
        let has_digit = value.iter().any(u8::is_ascii_digit);
        let is_foreign = value.iter().any(is_letter);
        if (is_foreign && !has_digit) || (is_latin && !is_foreign && is_sentence(value)) {
            return None;
        }
        let is_secret = if is_said { value.len() >= SHORTEST && !value.starts_with(b"...") } else { is_made(value) };
        is_secret.then(|| start..start + value.len())
    })
}

/// The places where a name ends.
fn ends_of(text: &[u8], name: &[u8]) -> Vec<usize> {
    text.windows(name.len()).enumerate().filter(|(_, piece)| *piece == name).map(|(at, _)| at + name.len()).collect()
}

/// What stands between a name and its value.
struct Mark {
    length: usize,
    is_equals: bool,
    is_colon: bool,
    has_blank: bool,
    has_quote: bool,
}

impl Mark {
    fn after(text: &[u8]) -> Mark {
        let length = text.iter().take(6).take_while(|byte| b" \"'`\\=:>[".contains(byte)).count();
        let mark = &text[..length];
        Mark {
            length,
            is_equals: mark.contains(&b'='),
            is_colon: mark.contains(&b':'),
            has_blank: mark.contains(&b' '),
            has_quote: mark.iter().any(|byte| b"\"'`".contains(byte)),
        }
    }
}

/// Whether a value is made of words and small numbers, as what is said of a key and not the key.
fn is_sentence(value: &[u8]) -> bool {
    let is_plain = |piece: &[u8]| {
        let digits = piece.iter().filter(|byte| byte.is_ascii_digit()).count();
        match digits {
            0 => !is_odd(piece),
            _ if digits == piece.len() => digits <= 3,
            // `v2`, and what keys of a maker begin with: `api03`.
            _ => piece.len() <= 3 || (piece.len() <= 5 && piece[..3].iter().all(u8::is_ascii_alphabetic)),
        }
    };
    let signs = value.iter().filter(|byte| b"!#$%^&*+=@~|".contains(byte)).count();
    !value.is_ascii() || (signs == 0 && pieces(value).all(is_plain))
}

/// Whether a value that only follows a name has both letters and digits and is no word with a number.
fn is_made(value: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| value.iter().any(is);
    value.len() >= 6 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) && !is_sentence(value)
}

/// Who logs in where: `user:password@` in an address, and addresses of mail.
fn logins(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let marks = text.iter().enumerate().filter(|(_, byte)| **byte == b'@').map(|(at, _)| at);
    marks.filter_map(move |at| {
        let before = before_login(text, at);
        let scheme = text[before..at].windows(3).rposition(|mark| mark == b"://");
        let start = scheme.map_or(before, |mark| before + mark + 3);
        let named = [&b"mailto:"[..], b"mail:", b"email:", b"e-mail:", b"from:", b"to:"];
        let named = named.into_iter().filter(|name| {
            text[start..at].len() > name.len() && text[start..start + name.len()].eq_ignore_ascii_case(name)
        });
        let start = start + named.map(<[u8]>::len).max().unwrap_or_default();
        let host = host_length(&text[at + 1..]);
        let name = &text[at + 1..at + 1 + host];
        let is_host = name.contains(&b'.') || name.eq_ignore_ascii_case(b"localhost");
        let is_mail = is_host && !text[start..at].contains(&b':');
        let end = match scheme {
            Some(_) => at,
            // A full stop at the end belongs to the sentence.
            None if is_mail => at + 1 + without_end(name, b".").len(),
            None => at,
        };
        let is_login = scheme.is_some() || is_mail || text[start..at].contains(&b':');
        (start < at && host > 0 && is_login).then_some(start..end)
    })
}

/// Where what stands before an `@` begins: after a blank or a sign that no name has. A name may stand in quotes, may be of another
/// script, and in an address a password may hold blanks.
fn before_login(text: &[u8], at: usize) -> usize {
    /// Longest name in quotes or in another script, and longest login with a blank in it, in bytes.
    const LONGEST: usize = 64;
    let from = at.saturating_sub(LONGEST);
    let quoted =
        text[..at].strip_suffix(b"\"").and_then(|rest| rest[from.min(rest.len())..].iter().rposition(|b| *b == b'"'));
    if let Some(quote) = quoted {
        return from + quote;
    }
    // Without a blank before it, a sentence of another script ends where the name in ASCII begins.
    let is_foreign = at > 0 && !text[at - 1].is_ascii();
    let is_end =
        |byte: &u8| byte.is_ascii_whitespace() || b"\"'`<>(),;[]{}".contains(byte) || (!is_foreign && !byte.is_ascii());
    let before = text[..at].iter().rposition(is_end).map_or(0, |end| end + 1);
    login_with_blank(text, from, before, at).unwrap_or(before)
}

/// Where an address begins whose password holds a blank: `postgres://bob:pass word@host`. A port is no password.
fn login_with_blank(text: &[u8], from: usize, before: usize, at: usize) -> Option<usize> {
    let mark = from + text[from..before].windows(3).rposition(|mark| mark == b"://")?;
    let login = &text[mark + 3..at];
    let colon = login.iter().position(|byte| *byte == b':')?;
    let is_user = login[..colon].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-%+".contains(byte));
    let port = login[colon + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_port = port > 0 && login.get(colon + 1 + port).is_none_or(|byte| b" /".contains(byte));
    (is_user && !is_port).then_some(mark)
}

/// The length of the host that a text begins with: of ASCII, of another script if it begins so, or an address in brackets.
fn host_length(text: &[u8]) -> usize {
    const LONGEST: usize = 60;
    if text.first() == Some(&b'[') {
        let is_of_address = |byte: &&u8| byte.is_ascii_hexdigit() || b"[.:".contains(byte);
        let length = text.iter().take(LONGEST).take_while(is_of_address).count();
        return if text.get(length) == Some(&b']') { length + 1 } else { 0 };
    }
    let is_foreign = text.first().is_some_and(|byte| !byte.is_ascii());
    let is_of_host =
        |byte: &&u8| byte.is_ascii_alphanumeric() || b".-".contains(byte) || (is_foreign && !byte.is_ascii());
    text.iter().take(if is_foreign { LONGEST } else { usize::MAX }).take_while(is_of_host).count()
}

/// A token without its beginning if that is the short form of a request's name, which its service can be asked about.
fn without_id(text: &[u8], run: Range<usize>) -> Range<usize> {
    const NAMES: [&str; 16] = [
        "request id",
        "request_id",
        "request-id",
        "requestid",
        "trace id",
        "trace_id",
        "trace-id",
        "traceid",
        "correlation id",
        "correlation_id",
        "correlation-id",
        "correlationid",
        "request",
        "log id",
        "ray id",
        "incident id",
    ];
    let before = &text[run.start.saturating_sub(24)..run.start];
    let before = String::from_utf8_lossy(before).to_ascii_lowercase();
    let label = before.trim_end_matches(|c: char| " :=\"'`([#".contains(c));
    let token = &text[run.clone()];
    if !(NAMES.iter().any(|name| label.ends_with(name)) || token.starts_with(b"req_") || token.starts_with(b"req-")) {
        return run;
    }
    let shown = if token.len() <= WHOLE_ID { token.len() } else { SHORT_ID };
    run.start + shown..run.end
}
