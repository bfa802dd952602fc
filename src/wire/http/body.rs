//! Bodies: read up to the cap, and decompressed up to the cap.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::failure::{TOO_MANY_BYTES, describe_chain, timed_out};
use crate::model::failure::{Failure, Reason};

/// Largest body that is read, in bytes, as it travels and as it is.
const LARGEST: u64 = 1024 * 1024;
/// Most pieces of a body. Each takes a turn of the client's thread, so a body of as many bytes in chunks of one costs minutes.
const MOST_PIECES: usize = 16 * 1024;
/// What a gzip stream begins with; no text does.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Reads at most the cap, and not longer than the whole request may take.
pub(super) fn read(from: &mut impl Read, start: Instant, timeout: Duration) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    // Answers are small, and each worker's stack holds one of these for good.
    let mut chunk = [0; 4 * 1024];
    for _ in 0..MOST_PIECES {
        if start.elapsed() >= timeout {
            return Err(timed_out(timeout));
        }
        match from.read(&mut chunk) {
            Ok(0) => return Ok(body),
            Ok(n) if body.len() as u64 + n as u64 > LARGEST => return Err(too_large()),
            Ok(n) => body.extend_from_slice(&chunk[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                let chain = describe_chain(&error);
                let is_timeout =
                    error.kind() == io::ErrorKind::TimedOut || chain.contains("timed out") || chain.contains("timeout");
                return Err(match () {
                    () if is_timeout => timed_out(timeout),
                    () if chain.contains(TOO_MANY_BYTES) => Failure::new(Reason::Protocol, TOO_MANY_BYTES),
                    () => Failure::transient(Reason::Connect, "the connection broke off inside the answer"),
                });
            }
        }
    }
    Err(Failure::new(Reason::Protocol, "the answer comes in more than 16384 pieces"))
}

fn too_large() -> Failure {
    Failure::new(Reason::Protocol, "the answer is larger than 1 MiB")
}

/// The body without its compression. What is labelled wrongly, or not at all, is known by how it begins.
///
/// # Errors
/// It is damaged, or too large, or compressed in a way that nobody asked for.
pub(super) fn decompressed(mut body: Vec<u8>, labels: &str) -> Result<Vec<u8>, Failure> {
    let damaged = || Failure::new(Reason::Protocol, "the compressed answer is damaged");
    let labels = labels.to_ascii_lowercase();
    for label in labels.split(',').map(str::trim).rev().take(3) {
        let whole = body.as_slice();
        let unpacked = match label {
            _ if whole.is_empty() => break,
            "gzip" | "x-gzip" if whole.starts_with(&GZIP) => {
                Some(inflated(MultiGzDecoder::new(whole))?.ok_or_else(damaged)?)
            }
            // What the label means is a zlib stream, and what some servers send is the bare one.
            "deflate" => match inflated(ZlibDecoder::new(whole))? {
                None => inflated(DeflateDecoder::new(whole))?,
                unpacked => unpacked,
            },
            "br" | "zstd" | "compress" | "x-compress" if !is_text(whole) => {
                let message = format!("the answer is compressed with `{label}`, which was not asked for");
                return Err(Failure::new(Reason::Protocol, message));
            }
            _ => None,
        };
        if label == "deflate" && unpacked.is_none() && !is_text(whole) {
            return Err(damaged());
        }
        body = unpacked.unwrap_or(body);
    }
    if body.starts_with(&GZIP) {
        body = inflated(MultiGzDecoder::new(body.as_slice()))?.ok_or_else(damaged)?;
    }
    Ok(in_utf8(body))
}

/// UTF-16 as UTF-8. That it is UTF-16 is shown by the mark that it begins with, or by the zero beside its first character.
fn in_utf8(body: Vec<u8>) -> Vec<u8> {
    let is_big = match body.first_chunk() {
        Some([0xFF, 0xFE] | [1..=0x7F, 0]) => false,
        Some([0xFE, 0xFF] | [0, 1..=0x7F]) => true,
        _ => return body,
    };
    let (units, rest) = body.as_chunks::<2>();
    let units = units.iter().map(|unit| if is_big { u16::from_be_bytes(*unit) } else { u16::from_le_bytes(*unit) });
    match char::decode_utf16(units).collect::<Result<String, _>>() {
        Ok(text) if rest.is_empty() => text.into_bytes(),
        _ => body,
    }
}

/// Whether a body that is labelled as compressed is not.
fn is_text(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| !text.contains('\0'))
}

/// What comes out of a stream; none if it is damaged.
///
/// # Errors
/// It is larger than the cap.
fn inflated(from: impl Read) -> Result<Option<Vec<u8>>, Failure> {
    let mut body = Vec::new();
    let is_whole = from.take(LARGEST + 1).read_to_end(&mut body).is_ok();
    if body.len() as u64 > LARGEST {
        return Err(too_large());
    }
    Ok(is_whole.then_some(body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};

    fn all(mut from: impl Read) -> Vec<u8> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        all(GzEncoder::new(text, Compression::default()))
    }

    #[test]
    fn a_compressed_answer_is_read_however_it_is_labelled() {
        let text = br#"{"balance": 1}"#;
        let zlib = all(ZlibEncoder::new(&text[..], Compression::default()));
        let bare = all(DeflateEncoder::new(&text[..], Compression::default()));
        for (body, labels) in [
            (text.to_vec(), ""),
            (text.to_vec(), "identity"),
            (text.to_vec(), "utf-8"),
            (text.to_vec(), "gzip"),
            (text.to_vec(), "deflate"),
            (text.to_vec(), "br"),
            (gzip(text), "gzip"),
            (gzip(text), "X-GZIP"),
            (gzip(text), ""),
            (gzip(text), "identity"),
            (gzip(&gzip(text)), "gzip, gzip"),
            (gzip(&gzip(text)), "gzip"),
            ([gzip(&text[..5]), gzip(&text[5..])].concat(), "gzip"),
            (zlib.clone(), "deflate"),
            (bare, "deflate"),
            (gzip(&zlib), "deflate, gzip"),
        ] {
            assert_eq!(decompressed(body, labels).unwrap(), text, "{labels}");
        }
        assert_eq!(decompressed(Vec::new(), "gzip").unwrap(), b"");
    }

    #[test]
    fn utf16_becomes_utf8_and_all_else_stays_as_it_is() {
        let text = "{\"ok\":false,\"说\":\"😀\"}";
        let bytes = |text: &str, big: bool| -> Vec<u8> {
            text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let marked = format!("\u{FEFF}{text}");
        for big in [true, false] {
            assert_eq!(decompressed(bytes(text, big), "").unwrap(), text.as_bytes());
            assert_eq!(decompressed(bytes(&marked, big), "").unwrap(), marked.as_bytes());
        }
        assert_eq!(decompressed(gzip(&bytes(text, true)), "gzip").unwrap(), text.as_bytes());
        for other in [
            text.as_bytes(),
            marked.as_bytes(),
            &[0xFF, 0xFE, 0x7B],
            &[0xFF, 0xFE, 0, 0xD8],
            &[b'{', 0, b'x'],
            b"\0",
            b"",
        ] {
            assert_eq!(decompressed(other.to_vec(), "").unwrap(), other);
        }
    }

    #[test]
    fn what_cannot_be_decompressed_is_named_and_a_bomb_stays_small() {
        let whole = gzip(br#"{"balance": 1}"#);
        let bomb = gzip(&vec![b' '; 64 << 20]);
        assert!(bomb.len() < 100_000);
        for (body, labels, want) in [
            (whole[..whole.len() - 9].to_vec(), "gzip", "damaged"),
            ([&GZIP[..], b"nonsense"].concat(), "gzip", "damaged"),
            (bomb.clone(), "gzip", "larger than 1 MiB"),
            (gzip(&bomb), "gzip, gzip", "larger than 1 MiB"),
            (vec![0x8B, 0x05, 0x80, 0xFF], "br", "`br`"),
            (vec![0x28, 0xB5, 0x2F, 0xFD, 0], "zstd", "`zstd`"),
        ] {
            let failure = decompressed(body, labels).unwrap_err();
            assert_eq!(failure.reason, Reason::Protocol);
            assert!(failure.message.contains(want), "{labels}: {}", failure.message);
        }
    }

    #[test]
    fn a_body_in_tiny_pieces_is_read_up_to_a_number_of_them() {
        struct Bytes(usize);
        impl Read for Bytes {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let left = self.0.min(1);
                self.0 -= left;
                buffer[..left].fill(b' ');
                Ok(left)
            }
        }
        let read = |size| read(&mut Bytes(size), Instant::now(), Duration::from_secs(60));
        assert_eq!(read(16_000).unwrap().len(), 16_000);
        assert_eq!(read(1 << 20).unwrap_err().reason, Reason::Protocol);
    }
}
