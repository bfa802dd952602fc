//! Authorities of TLS: where the system has a directory of them by hashed names, nobody reads the bundle of all.
//!
//! OpenSSL takes some 10 ms of CPU for a bundle, `native-tls` makes it read that twice, and `reqwest` wants a connector for plain HTTP as
//! well. Out of a directory it reads only the authority that signed a peer.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use super::environment;

/// The variable that names OpenSSL's bundle.
const BUNDLE: &str = "SSL_CERT_FILE";

/// Directories that `native-tls` gives to OpenSSL, by `openssl-probe` 0.2.2.
const FOLDERS: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/// Bundles that systems have, by `openssl-probe` 0.2.2, and OpenSSL's own file in the places where distributions build it.
const BUNDLES: [&str; 11] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
    "/opt/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/certs/cacert.pem",
    "/usr/lib/ssl/cert.pem",
    "/etc/pki/tls/cert.pem",
    "/usr/local/ssl/cert.pem",
];

/// A bundle of all authorities of the world has a quarter of a megabyte.
const MOST: u64 = 4 << 20;

/// Keeps OpenSSL from reading the system's bundle, where a directory has all of it and the environment names no other file.
pub(super) fn leave_the_bundle_alone() {
    environment::tell_libraries(BUNDLE, "/dev/null", |named| {
        // What is named may lie on a disk that hangs, and nobody watches the time yet: it is only compared.
        if named.is_some_and(|named| BUNDLES.iter().all(|bundle| named != *bundle)) {
            return false;
        }
        let mut bundles: Vec<_> = BUNDLES.iter().filter_map(|file| fs::canonicalize(file).ok()).collect();
        bundles.sort_unstable();
        bundles.dedup();
        let hashed: usize = FOLDERS.iter().filter_map(|folder| hashed_names(Path::new(folder))).max().unwrap_or(0);
        // Somebody may have written an authority of their own into a bundle alone.
        hashed > 0 && bundles.iter().all(|bundle| certificates(bundle).is_some_and(|most| most <= hashed))
    });
}

/// How many authorities a directory has by a hashed name (`openssl rehash`): eight hexadecimal digits, a point, and a number.
fn hashed_names(folder: &Path) -> Option<usize> {
    let is_hashed = |name: &[u8]| {
        name.len() > 9
            && name[..8].iter().all(u8::is_ascii_hexdigit)
            && name[8] == b'.'
            && name[9..].iter().all(u8::is_ascii_digit)
    };
    Some(fs::read_dir(folder).ok()?.flatten().filter(|entry| is_hashed(entry.file_name().as_encoded_bytes())).count())
}

/// How many certificates a file has in PEM form; none if it cannot be read.
fn certificates(bundle: &Path) -> Option<usize> {
    let file = File::open(bundle).ok().filter(|file| file.metadata().is_ok_and(|found| found.is_file()))?;
    let mut text = Vec::new();
    let length = file.take(MOST).read_to_end(&mut text).ok()?;
    let begins = |line: &&[u8]| line.starts_with(b"-----BEGIN ") && line.windows(11).any(|word| word == b"CERTIFICATE");
    (u64::try_from(length).is_ok_and(|length| length < MOST))
        .then(|| text.split(|c| *c == b'\n').filter(begins).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_as_good_as_a_bundle_if_it_has_as_many_by_their_hashes() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(hashed_names(folder.path()), Some(0));
        assert_eq!(hashed_names(&folder.path().join("none")), None);
        let names = [
            "002c0b4f.0",
            "002c0b4f.1",
            "a3896b44.12",
            "Root.pem",
            "002c0b4g.0",
            "002c0b4f",
            "002c0b4f.",
            "002c0b4f.0x",
        ];
        names.iter().for_each(|name| write(name, ""));
        assert_eq!(hashed_names(folder.path()), Some(3));
        let one = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
        for (text, want) in [
            (String::new(), 0),
            (one.repeat(3), 3),
            (format!("# Root\n{one}# another, with -----BEGIN CERTIFICATE----- in words\n{one}"), 2),
            (one.replace("CERTIFICATE", "TRUSTED CERTIFICATE").replace('\n', "\r\n"), 1),
            (one.replace("CERTIFICATE", "PRIVATE KEY"), 0),
        ] {
            write("bundle.pem", &text);
            assert_eq!(certificates(&folder.path().join("bundle.pem")), Some(want), "{text}");
        }
        assert_eq!(certificates(folder.path()), None);
        assert_eq!(certificates(Path::new("/dev/null")), None);
        let large = File::create(folder.path().join("large.pem")).unwrap();
        large.set_len(MOST).unwrap();
        assert_eq!(certificates(&folder.path().join("large.pem")), None);
    }
}
