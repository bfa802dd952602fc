//! Bytes to text: charsets, base64 and quoted-printable, as careless senders write them.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::GB18030;

use crate::model::charset::encoding;

/// White space after the `=` at a line's end that is put up with.
const MOST_BLANKS: usize = 100;
/// Base64 as careless senders write it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The named charset; GB 2312 and its relatives are all read as the newest of them. Without a name, or one that cannot be true:
/// UTF-8 if it is that, else GB 18030.
pub(in super::super) fn decode_bytes(bytes: &[u8], charset: Option<&str>) -> String {
    let named = charset.and_then(encoding);
    if let Some(encoding) = named {
        let (text, _, has_errors) = encoding.decode(bytes);
        if !has_errors {
            return text.into_owned();
        }
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Cut off inside its last character is still UTF-8.
        Err(error) if error.error_len().is_none() => String::from_utf8_lossy(bytes).into_owned(),
        Err(_) => named.unwrap_or(GB18030).decode(bytes).0.into_owned(),
    }
}

/// Base64, whatever stands in between. Padding ends a piece, as where a sender has put several together.
pub(super) fn base64(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for piece in text.split(|byte| *byte == b'=') {
        let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let mut piece: Vec<u8> = piece.iter().copied().filter(is_digit).collect();
        if piece.len() % 4 == 1 {
            // Six bits are no byte.
            piece.pop();
        }
        bytes.extend(BASE64.decode(piece).unwrap_or_default());
    }
    bytes
}

/// Quoted-printable, or its form in encoded words, in which `_` is a space. What is not well-formed stands for itself.
pub(super) fn quoted(content: &[u8], is_word: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len());
    let mut at = 0;
    while at < content.len() {
        let hex = |at: usize| content.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        if content[at] == b'=' {
            if let Some((high, low)) = hex(at + 1).zip(hex(at + 2)) {
                bytes.push((high * 16 + low) as u8);
                at += 3;
                continue;
            }
            // A line that goes on in the next one; blanks may have come after the sign.
            let blanks = content[at + 1..]
                .iter()
                .take(MOST_BLANKS)
                .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
                .count();
            if content.get(at + 1 + blanks) == Some(&b'\n') {
                at += blanks + 2;
                continue;
            }
        }
        match content[at] {
            b'_' if is_word => bytes.push(b' '),
            b'\r' | b'\n' if is_word => {}
            byte => bytes.push(byte),
        }
        at += 1;
    }
    bytes
}
