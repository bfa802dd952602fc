//! Whom TLS trusts: one connector for reading and sending, and what is wrong with the files that the environment names.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use native_tls::{Certificate, TlsConnector};

use crate::model::text;
use crate::process::background;
use crate::process::file::{self, Bounds};
use crate::process::network_settings::Surroundings;
use crate::process::quote_input;

/// The variable that names a file of authorities.
const FILE: &str = "SSL_CERT_FILE";
/// The variable that names directories of authorities.
const FOLDERS: &str = "SSL_CERT_DIR";
/// A file of all authorities of the world has a quarter of a megabyte.
const AUTHORITIES: Bounds = Bounds { most: 16 << 20, patience: Duration::from_secs(5) };
/// Longest time for a look at what the environment names: a disk may hang.
const LOOK: Duration = Duration::from_secs(2);
/// Longest time for making the connector, which takes a tenth of a second where nothing hangs.
const MAKING: Duration = Duration::from_secs(3);
/// How long requests without TLS wait for it, all together.
const SOON: Duration = Duration::from_secs(1);
/// Files up to this size are looked at as a whole, larger ones at their beginning: OpenSSL takes long to read them, and that
/// twice.
const SMALL: usize = 64 << 10;
/// What stands for no file at all.
const NOTHING: &str = "/dev/null";

/// Where the environment says that authorities are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Authorities {
    file: Option<PathBuf>,
    folders: Vec<PathBuf>,
    /// The settings of OpenSSL, if they cannot be read.
    settings: Option<PathBuf>,
}

impl Authorities {
    fn new(surroundings: &Surroundings) -> Authorities {
        let folders =
            surroundings.ssl_cert_dir.iter().flat_map(|folders| folders.as_os_str().as_bytes().split(|b| *b == b':'));
        let folders = folders.map(|folder| PathBuf::from(OsStr::from_bytes(folder))).collect();
        let settings = surroundings.openssl_conf.clone();
        Authorities { file: surroundings.ssl_cert_file.clone(), folders, settings }
    }

    /// What is wrong with them, and what follows from it.
    fn problems(&self) -> Vec<String> {
        let follows = "no authority beside the system's is trusted";
        let hangs = || Some("does not answer".to_owned());
        let file = self.file.as_ref().and_then(|file| {
            let path = file.clone();
            let why = background::within("authorities", LOOK, move || wrong_file(&path)).unwrap_or_else(hangs)?;
            Some(format!("the file {} that {FILE} names {why}: {follows}", shown(file)))
        });
        let is_folder = |path: &Path| {
            let path = path.to_owned();
            background::within("authorities", LOOK, move || path.is_dir()).unwrap_or(false)
        };
        let folders = self.folders.iter().filter(|folder| !folder.as_os_str().is_empty() && !is_folder(folder));
        let folders =
            folders.map(|folder| format!("{FOLDERS} names {}, which is no directory: {follows}", shown(folder)));
        let settings = self.settings.iter();
        let settings = settings.map(|file| {
            format!("OPENSSL_CONF names {}, which is no ordinary file, or does not answer: it is not read", shown(file))
        });
        file.into_iter().chain(folders).chain(settings).collect()
    }
}

/// A path for a message, which does not repeat a key that was set in the place of one.
fn shown(path: &Path) -> String {
    let hint = if quote_input::is_key_for_path(&path.to_string_lossy()) { " (it looks like a key)" } else { "" };
    format!("`{}`{hint}", quote_input::file(path))
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
    let content = match file::read(path, AUTHORITIES) {
        Ok(content) => content,
        Err(error) => return cannot(error),
    };
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
    /// Those that only `.env` names: the library hears of the process's own variables alone.
    more: Vec<PathBuf>,
    making: Arc<Making>,
}

/// The connector while it is made, on a thread of its own: the trust store may hang.
#[derive(Default)]
struct Making {
    begun: OnceLock<Instant>,
    made: Mutex<Option<Result<TlsConnector, String>>>,
    changed: Condvar,
}

impl Making {
    fn lock(&self) -> MutexGuard<'_, Option<Result<TlsConnector, String>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TrustStore {
    pub(super) fn new(surroundings: &Surroundings) -> TrustStore {
        let more = surroundings.more_authorities.clone();
        TrustStore { authorities: Authorities::new(surroundings), more, making: Arc::default() }
    }

    /// The connector, which is made when somebody first asks for it.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn connector(&self) -> Result<TlsConnector, String> {
        self.within(MAKING, TlsConnector::clone)
    }

    /// Waits until there is a connector.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn ready(&self) -> Result<(), String> {
        self.within(MAKING, |_| ())
    }

    /// Whether there is a connector for a request that goes without TLS, and only needs one because the library wants it. All such
    /// requests together wait for a moment at the most.
    pub(super) fn is_there_soon(&self) -> bool {
        self.within(SOON, |_| ()).is_ok()
    }

    /// Uses the connector, so long after the beginning of its making at the latest.
    fn within<T>(&self, time: Duration, with: impl FnOnce(&TlsConnector) -> T) -> Result<T, String> {
        let mut is_first = false;
        let begun = *self.making.begun.get_or_init(|| {
            is_first = true;
            Instant::now()
        });
        if is_first {
            let store = self.clone();
            let make = move || {
                let made = store.build();
                *store.making.lock() = Some(made);
                store.making.changed.notify_all();
            };
            if let Err(make) = background::start("authorities", make) {
                make();
            }
        }
        let mut made = self.making.lock();
        while made.is_none() {
            let left = (begun + time).saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            made = self.making.changed.wait_timeout(made, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        match &*made {
            Some(made) => made.as_ref().map(with).map_err(String::clone),
            None => {
                Err("the authorities to trust, or the settings of OpenSSL, cannot be read: they do not answer"
                    .to_owned())
            }
        }
    }

    /// What is wrong with the files and folders that the environment names.
    pub(super) fn problems(&self) -> Vec<String> {
        self.authorities.problems()
    }

    /// Of files that never end OpenSSL has not heard (`process::environment`).
    #[allow(clippy::disallowed_methods, reason = "this is where the trust store is read, once")]
    fn build(&self) -> Result<TlsConnector, String> {
        let mut builder = TlsConnector::builder();
        for certificate in self.more.iter().flat_map(|place| certificates(place)) {
            builder.add_root_certificate(certificate);
        }
        builder.build().map_err(|error| error.to_string())
    }
}

/// The certificates in a file, or in the files of a folder.
fn certificates(place: &Path) -> Vec<Certificate> {
    let files = match fs::read_dir(place) {
        Ok(folder) => folder.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect(),
        Err(_) => vec![place.to_owned()],
    };
    let certificates = files.iter().filter(|file| file.is_file()).filter_map(|file| {
        let text = file::read(file, AUTHORITIES).ok()?;
        Certificate::stack_from_pem(&text).ok()
    });
    certificates.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(file: &Path) -> Vec<String> {
        let surroundings = Surroundings { ssl_cert_file: Some(file.to_owned()), ..Surroundings::default() };
        TrustStore::new(&surroundings).problems()
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
        assert_eq!(
            problems(Path::new("sk-proj-Zq7Rt9XvLm2Kc4PwYb8Ns6Hd"))[0].split(" that ").next(),
            Some("the file `***` (it looks like a key)")
        );
        assert_eq!(problems(Path::new(NOTHING)), [""; 0]);
        assert_eq!(TrustStore::default().problems(), [""; 0]);
        let absent = folder.path().join("absent");
        let missing = format!("{}:{}", folder.path().display(), absent.display());
        let surroundings = Surroundings { ssl_cert_dir: Some(missing.into()), ..Surroundings::default() };
        let found = TrustStore::new(&surroundings).problems();
        assert!(found.len() == 1 && found[0].contains(&format!("`{}`", absent.display())), "{found:?}");
    }
}
