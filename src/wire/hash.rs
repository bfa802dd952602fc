//! Digests and signatures of bytes.

use hmac::digest::block_api::EagerHash;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// HMAC-SHA256.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::<Sha256>(key, message)
}

/// HMAC-SHA1 (RFC 2104), which some services still sign requests with.
pub(crate) fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::<Sha1>(key, message)
}

fn hmac<D: EagerHash>(key: &[u8], message: &[u8]) -> Vec<u8>
where
    Hmac<D>: KeyInit + Mac,
{
    // HMAC takes keys of every length, so this cannot fail.
    let mut mac = <Hmac<D> as KeyInit>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// SHA-1 (RFC 3174).
pub(crate) fn sha1(message: &[u8]) -> [u8; 20] {
    Sha1::digest(message).into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::sign::Signer;

    use super::*;

    #[test]
    fn sha1_is_that_of_the_standards_and_of_openssl_for_every_length() {
        // RFC 3174, and case 2 of RFC 2202.
        assert_eq!(hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        let signed = hmac_sha1(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex(&signed), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        let mut random = fastrand::Rng::with_seed(7);
        for length in 0..200 {
            let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(length).collect();
            assert_eq!(sha1(&bytes), openssl::sha::sha1(&bytes), "{length} bytes");
            // HMAC takes a key of any length, but OpenSSL none that is empty.
            let (key, message) = bytes.split_at(length / 2);
            if !key.is_empty() {
                let pkey = PKey::hmac(key).unwrap();
                let mut signer = Signer::new(MessageDigest::sha1(), &pkey).unwrap();
                let theirs = signer.sign_oneshot_to_vec(message).unwrap();
                assert_eq!(hmac_sha1(key, message), theirs, "a key of {} bytes", key.len());
            }
        }
    }
}
