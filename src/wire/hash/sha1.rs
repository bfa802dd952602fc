//! SHA-1 (RFC 3174) and its HMAC, which some services still sign requests with.
//!
//! It is written here because nothing else in the program needs it, and a crate for forty lines would be one more to watch.

/// The bytes of a block.
const BLOCK: usize = 64;

/// The digest of some bytes.
pub(crate) fn sha1(message: &[u8]) -> [u8; 20] {
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(BLOCK), 0);
    // Where the length has no room behind the message, it stands in a block of its own.
    if padded.len() - message.len() < 9 {
        padded.resize(padded.len() + BLOCK, 0);
    }
    let end = padded.len() - 8;
    padded[end..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(BLOCK) {
        absorb(&mut state, block);
    }
    let mut digest = [0; 20];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

fn absorb(state: &mut [u32; 5], block: &[u8]) {
    let mut words = [0_u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    for at in 16..words.len() {
        words[at] = (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (round, word) in words.into_iter().enumerate() {
        let (mixed, constant) = match round {
            0..20 => (b & c | !b & d, 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => (b & c | b & d | c & d, 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let next = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e).wrapping_add(constant).wrapping_add(word);
        (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
    }
    for (sum, part) in state.iter_mut().zip([a, b, c, d, e]) {
        *sum = sum.wrapping_add(part);
    }
}

/// HMAC-SHA1 (RFC 2104).
pub(crate) fn hmac_sha1(key: &[u8], message: &[u8]) -> [u8; 20] {
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        block[..20].copy_from_slice(&sha1(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8, rest: &[u8]| {
        let start = block.iter().map(|byte| byte ^ pad);
        sha1(&start.chain(rest.iter().copied()).collect::<Vec<u8>>())
    };
    padded(0x5c, &padded(0x36, message))
}

#[cfg(test)]
mod tests {
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::sign::Signer;

    use super::*;
    use crate::wire::hash::hex;

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
                assert_eq!(hmac_sha1(key, message).as_slice(), theirs, "a key of {} bytes", key.len());
            }
        }
    }
}
