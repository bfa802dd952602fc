//! Authorities of TLS: where the system has a directory of them by hashed names, nobody reads the bundle of all.
//!
//! OpenSSL takes some 10 ms of CPU for a bundle, `native-tls` makes it read that twice, and `reqwest` wants a connector for plain HTTP as
//! well. Out of a directory it reads only the authority that signed a peer.

use std::collections::HashSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::{environment, file};

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

/// In bytes. A bundle of all authorities of the world has a quarter of a megabyte.
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
        FOLDERS.iter().any(|folder| bundles.iter().all(|bundle| has_all(Path::new(folder), bundle)))
    });
}

/// Whether a directory has every certificate of a bundle under a hashed name. Somebody may have written one into the bundle alone.
fn has_all(folder: &Path, bundle: &Path) -> bool {
    let Some(bundle) = text(bundle) else { return false };
    let mut wanted: HashSet<&[u8]> = certificates(&bundle).into_iter().collect();
    let is_any = !wanted.is_empty();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if wanted.is_empty() {
            break;
        }
        if is_hashed(entry.file_name().as_encoded_bytes())
            && let Some(file) = text(&entry.path())
        {
            certificates(&file).into_iter().for_each(|found| {
                wanted.remove(found);
            });
        }
    }
    is_any && wanted.is_empty()
}

/// Whether `openssl rehash` names files so: eight hexadecimal digits, a point, and a number.
fn is_hashed(name: &[u8]) -> bool {
    name.len() > 9
        && name[..8].iter().all(u8::is_ascii_hexdigit)
        && name[8] == b'.'
        && name[9..].iter().all(u8::is_ascii_digit)
}

/// An ordinary file that is not too large for this.
fn text(path: &Path) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let length = file::open_regular(path)?.take(MOST).read_to_end(&mut text).ok()?;
    u64::try_from(length).is_ok_and(|length| length < MOST).then_some(text)
}

/// The certificates of a text in PEM form, as they are written; one without an end goes to the end of the text.
fn certificates(text: &[u8]) -> Vec<&[u8]> {
    let (mut found, mut begun, mut at) = (Vec::new(), None, 0);
    for line in text.split_inclusive(|c| *c == b'\n') {
        if line.starts_with(b"-----BEGIN ") && line.windows(11).any(|word| word == b"CERTIFICATE") {
            begun = Some(at);
        } else if line.starts_with(b"-----END ") {
            found.extend(begun.take().map(|begun| &text[begun..at]));
        }
        at += line.len();
    }
    found.extend(begun.map(|begun| &text[begun..]));
    found
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn pem(body: &str) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn a_directory_is_as_good_as_a_bundle_if_it_has_all_of_it_by_hashed_names() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("002c0b4f.0", &pem("A"));
        write("002c0b4f.1", &pem("B"));
        write("a3896b44.12", &format!("# one more than the bundle has\n{}", pem("C")));
        for (name, body) in
            [("Root.pem", "D"), ("002c0b4g.0", "E"), ("002c0b4f", "F"), ("002c0b4f.", "G"), ("002c0b4f.0x", "H")]
        {
            write(name, &pem(body));
        }
        let bundle = folder.path().join("bundle.pem");
        for (text, want) in [
            (pem("A") + &pem("B"), true),
            (format!("# A\n{}\n# twice, with -----BEGIN CERTIFICATE----- in words\n{}", pem("A"), pem("A")), true),
            (pem("C"), true),
            (String::new(), false),
            (pem("A") + &pem("Z"), false),
            (pem("A") + &pem("D"), false),
            (pem("A") + &pem("B").replace("CERTIFICATE", "TRUSTED CERTIFICATE"), false),
            (pem("A") + "-----BEGIN CERTIFICATE-----\nB", false),
        ] {
            fs::write(&bundle, &text).unwrap();
            assert_eq!(has_all(folder.path(), &bundle), want, "{text}");
        }
        assert!(!has_all(&folder.path().join("none"), &bundle));
        fs::write(&bundle, pem("A")).unwrap();
        assert!(has_all(folder.path(), &bundle));
        fs::File::options().write(true).open(&bundle).unwrap().set_len(MOST).unwrap();
        assert!(!has_all(folder.path(), &bundle), "it is too large");
    }

    #[test]
    fn nothing_waits_for_what_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("002c0b4f.0");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(!has_all(folder.path(), &pipe));
        let bundle = folder.path().join("bundle.pem");
        fs::write(&bundle, pem("A")).unwrap();
        assert!(!has_all(folder.path(), &bundle));
        assert!(!has_all(folder.path(), Path::new("/dev/zero")));
    }
}
