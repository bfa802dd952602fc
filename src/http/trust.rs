//! Whom TLS trusts: one connector for reading and sending, and what is wrong with the files that the environment names.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use native_tls::{Certificate, TlsConnector};

use crate::text;

/// The variable that names a file of authorities.
const FILE: &str = "SSL_CERT_FILE";
/// The variable that names directories of authorities.
const FOLDERS: &str = "SSL_CERT_DIR";
/// A file of all authorities of the world has a quarter of a megabyte.
const LARGEST: u64 = 16 << 20;
/// Files up to this size are looked at as a whole, larger ones at their beginning: OpenSSL takes long to read them, and that
/// twice.
const SMALL: usize = 64 << 10;
/// What stands for no file at all.
const NOTHING: &str = "/dev/null";

/// Where the environment says that authorities are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Authorities {
    file: Option<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Authorities {
    /// Reads the variables; an empty one is not set.
    pub(super) fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Authorities {
        let value = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        Authorities {
            file: value(FILE).map(PathBuf::from),
            folders: std::env::split_paths(&value(FOLDERS).unwrap_or_default()).collect(),
        }
    }

    /// What is wrong with them, and what follows from it.
    pub(super) fn problems(&self) -> Vec<String> {
        let follows = "no authority beside the system's is trusted";
        let file = self.file.as_ref().and_then(|file| {
            let why = wrong_file(file)?;
            Some(format!("the file `{}` that {FILE} names {why}: {follows}", file.display()))
        });
        let folders = self.folders.iter().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
        let folders =
            folders.map(|folder| format!("{FOLDERS} names `{}`, which is no directory: {follows}", folder.display()));
        file.into_iter().chain(folders).collect()
    }
}

/// Why a file brings no authority; none if it brings one.
fn wrong_file(path: &Path) -> Option<String> {
    if path == Path::new(NOTHING) {
        return None;
    }
    let cannot = |error: std::io::Error| Some(format!("cannot be read: {}", text::io_error(&error)));
    match fs::metadata(path) {
        Err(error) => return cannot(error),
        Ok(found) if found.is_dir() => return Some("cannot be read: it is a directory".to_owned()),
        Ok(found) if !found.is_file() => return Some("cannot be read: it is no ordinary file".to_owned()),
        Ok(_) => {}
    }
    let mut content = Vec::new();
    if let Err(error) = File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut content)) {
        return cannot(error);
    }
    let content = String::from_utf8_lossy(&content);
    let mut blocks = content.match_indices("-----BEGIN ").filter_map(|(at, _)| {
        let block = &content[at..];
        let label = block["-----BEGIN ".len()..].split("-----").next()?;
        ["CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"].contains(&label).then_some(())?;
        let end = format!("-----END {label}-----");
        Some(block.find(&end).map_or(block, |length| &block[..length + end.len()]))
    });
    let Some(first) = blocks.next() else {
        return Some("holds no certificate in PEM form".to_owned());
    };
    let rest = blocks.take(if content.len() <= SMALL { usize::MAX } else { 0 });
    // Those that say what they are trusted for are in a form of OpenSSL's own.
    let mut plain = std::iter::once(first).chain(rest).filter(|block| !block.starts_with("-----BEGIN TRUSTED"));
    let is_damaged = plain.any(|block| Certificate::from_pem(block.as_bytes()).is_err());
    is_damaged.then(|| "holds a certificate that cannot be read".to_owned())
}

/// One TLS connector for reading and sending, built when the first client is: OpenSSL takes tens of milliseconds to read
/// the trust store, which `native-tls` makes it do for every connector, and `reqwest` wants one even for plain HTTP.
#[derive(Clone, Default)]
pub(super) struct TrustStore {
    authorities: Authorities,
    built: Arc<OnceLock<Result<TlsConnector, String>>>,
}

impl TrustStore {
    pub(super) fn new(authorities: Authorities) -> TrustStore {
        TrustStore { authorities, built: Arc::default() }
    }

    pub(super) fn connector(&self) -> Result<TlsConnector, String> {
        self.built.get_or_init(|| build(&self.authorities)).clone()
    }
}

fn build(authorities: &Authorities) -> Result<TlsConnector, String> {
    let inherited = std::env::var_os(FILE).map(PathBuf::from);
    // OpenSSL reads the file by itself, and would wait for ever for one that never ends.
    for file in inherited.iter().chain(&authorities.file).filter(|file| file.as_path() != Path::new(NOTHING)) {
        let never_ends = |kind: fs::FileType| kind.is_fifo() || kind.is_char_device() || kind.is_socket();
        if fs::metadata(file).is_ok_and(|found| never_ends(found.file_type())) {
            return Err(format!("the file `{}` that {FILE} names is no ordinary file", file.display()));
        }
    }
    let mut builder = TlsConnector::builder();
    // OpenSSL hears only of the real environment.
    if let Some(file) = authorities.file.as_ref().filter(|file| inherited.as_ref() != Some(*file)) {
        let content = fs::read(file).unwrap_or_default();
        for certificate in Certificate::stack_from_pem(&content).unwrap_or_default() {
            builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(file: &Path) -> Vec<String> {
        let file = file.display().to_string();
        Authorities::read(&|name| (name == FILE).then(|| file.clone())).problems()
    }

    #[test]
    fn a_file_that_brings_no_authority_is_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let key = openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
        let mut builder = openssl::x509::X509::builder().unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&openssl::asn1::Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&openssl::asn1::Asn1Time::days_from_now(1).unwrap()).unwrap();
        builder.sign(&key, openssl::hash::MessageDigest::sha256()).unwrap();
        let certificate = builder.build();
        let good = String::from_utf8(certificate.to_pem().unwrap()).unwrap();
        let broken = good.replace("\nMII", "\nMIX");
        let private = String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        for (content, want) in [
            (good.clone().into_bytes(), None),
            (good.replace('\n', "\r\n").into_bytes(), None),
            (format!("# notes\n{private}{good}").into_bytes(), None),
            (good.replace("CERTIFICATE", "TRUSTED CERTIFICATE").into_bytes(), None),
            (Vec::new(), Some("holds no certificate in PEM form")),
            (certificate.to_der().unwrap(), Some("holds no certificate in PEM form")),
            (private.into_bytes(), Some("holds no certificate in PEM form")),
            (b"not a certificate".to_vec(), Some("holds no certificate in PEM form")),
            (broken.clone().into_bytes(), Some("holds a certificate that cannot be read")),
            (good.as_bytes()[..200].to_vec(), Some("holds a certificate that cannot be read")),
            (format!("{good}{broken}").into_bytes(), Some("holds a certificate that cannot be read")),
        ] {
            let file = folder.path().join("ca.pem");
            fs::write(&file, content).unwrap();
            let found = problems(&file);
            assert_eq!(found.len(), usize::from(want.is_some()), "{found:?}");
            if let Some(want) = want {
                let file = file.display();
                let follows = "no authority beside the system's is trusted";
                assert_eq!(found[0], format!("the file `{file}` that SSL_CERT_FILE names {want}: {follows}"));
            }
        }
        assert!(problems(&folder.path().join("none"))[0].contains("cannot be read: no such file"));
        assert!(problems(folder.path())[0].contains("cannot be read: it is a directory"));
        assert!(problems(Path::new("/dev/zero"))[0].contains("no ordinary file"));
        assert_eq!(problems(Path::new(NOTHING)), [""; 0]);
        assert_eq!(Authorities::read(&|_| Some(String::new())).problems(), [""; 0]);
        let missing = format!("{}:/no/such", folder.path().display());
        let found = Authorities::read(&|name| (name == FOLDERS).then(|| missing.clone())).problems();
        assert!(found.len() == 1 && found[0].contains("`/no/such`"), "{found:?}");
    }
}
