//! Names of folders as IMAP writes them: modified UTF-7 (RFC 3501 section 5.1.3).

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// The names under which a server may know a folder, in the order in which they are tried. What the user wrote is plain
/// Unicode, unless it is well-formed modified UTF-7 already: then it is tried as it stands first, and encoded after that.
pub(super) fn names(folder: &str) -> Vec<String> {
    let encoded = encode(folder);
    if folder != encoded && is_encoded(folder) { vec![folder.to_owned(), encoded] } else { vec![encoded] }
}

/// The folder in modified UTF-7: what is not printable ASCII stands between `&` and `-`, as UTF-16 in base64; `&` is `&-`.
fn encode(folder: &str) -> String {
    let is_plain = |c: char| matches!(c, ' '..='~');
    let mut out = String::with_capacity(folder.len());
    let mut rest = folder;
    while let Some(first) = rest.chars().next() {
        let run = rest.find(|c| is_plain(c) != is_plain(first)).unwrap_or(rest.len());
        if is_plain(first) {
            out.push_str(&rest[..run].replace('&', "&-"));
        } else {
            let bytes: Vec<u8> = rest[..run].encode_utf16().flat_map(u16::to_be_bytes).collect();
            out.push('&');
            out.push_str(&BASE64.encode(bytes));
            out.push('-');
        }
        rest = &rest[run..];
    }
    out
}

/// Whether a name is modified UTF-7 and more than plain ASCII: each `&` begins a run that can be decoded.
fn is_encoded(folder: &str) -> bool {
    let mut runs = folder.split('&').skip(1).map(|rest| rest.split_once('-').map(|(run, _)| run)).peekable();
    folder.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && runs.peek().is_some()
        && runs.all(|run| run.is_some_and(|run| run.is_empty() || is_run(run)))
}

/// Whether this is the base64 of UTF-16 of characters that could not stand for themselves.
fn is_run(run: &str) -> bool {
    let Ok(bytes) = BASE64.decode(run) else {
        return false;
    };
    let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    bytes.len().is_multiple_of(2) && char::decode_utf16(units).all(|c| c.is_ok_and(|c| !matches!(c, ' '..='~')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_written_as_imap_writes_it() {
        for (folder, wanted) in [
            ("INBOX", vec!["INBOX"]),
            ("[Gmail]/All Mail", vec!["[Gmail]/All Mail"]),
            ("账单", vec!["&jSZTVQ-"]),
            ("收件箱/账单", vec!["&ZTZO9nux-/&jSZTVQ-"]),
            // The example of RFC 3501.
            ("~peter/mail/台北/日本語", vec!["~peter/mail/&U,BTFw-/&ZeVnLIqe-"]),
            ("Entwürfe", vec!["Entw&APw-rfe"]),
            ("💰 bills", vec!["&2D3csA- bills"]),
            ("a\tb\u{7f}", vec!["a&AAk-b&AH8-"]),
            ("R&D", vec!["R&-D"]),
            ("R&D-Bills", vec!["R&-D-Bills"]),
            ("AT&T - bills", vec!["AT&-T - bills"]),
            ("a&", vec!["a&-"]),
            ("账单 & Co", vec!["&jSZTVQ- &- Co"]),
            // Written as the server writes it; should that be the name itself, the second one is right.
            ("&jSZTVQ-", vec!["&jSZTVQ-", "&-jSZTVQ-"]),
            ("R&-D", vec!["R&-D", "R&--D"]),
            ("Entw&APw-rfe", vec!["Entw&APw-rfe", "Entw&-APw-rfe"]),
            // No modified UTF-7: plain letters in it, half a character, another alphabet, no end.
            ("&AGE-", vec!["&-AGE-"]),
            ("&2D0-", vec!["&-2D0-"]),
            ("&U/BTFw-", vec!["&-U/BTFw-"]),
            ("&jSZTVQ", vec!["&-jSZTVQ"]),
            ("&jSZTVQ-账", vec!["&-jSZTVQ-&jSY-"]),
        ] {
            assert_eq!(names(folder), wanted, "{folder}");
        }
    }
}
