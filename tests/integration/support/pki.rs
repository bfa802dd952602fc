//! A private certificate authority, made anew for every test process, and the good and bad
//! server identities that hang from it.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

struct Authority {
    certificate: X509,
    key: PKey<Private>,
}

static TRUSTED: LazyLock<Authority> = LazyLock::new(|| authority("Trusted test CA"));
static STRANGER: LazyLock<Authority> = LazyLock::new(|| authority("Test CA that nobody trusts"));

/// The certificate to give a child in `SSL_CERT_FILE`.
pub(crate) fn ca_pem() -> String {
    String::from_utf8(TRUSTED.certificate.to_pem().unwrap()).unwrap()
}

/// Valid for `127.0.0.1`, `localhost` and every `*.proxy.test`.
pub(crate) fn good() -> SslAcceptor {
    let names = ["127.0.0.1", "localhost", "*.proxy.test"];
    leaf(&TRUSTED, &names, -DAY, DAY)
}

/// Right names and authority, but its time is over.
pub(crate) fn expired() -> SslAcceptor {
    leaf(&TRUSTED, &["127.0.0.1", "localhost"], -3 * DAY, -DAY)
}

/// Valid, but for somebody else.
pub(crate) fn wrong_host() -> SslAcceptor {
    leaf(&TRUSTED, &["somebody-else.test"], -DAY, DAY)
}

/// Right names, signed by an authority that the child does not know.
pub(crate) fn unknown_authority() -> SslAcceptor {
    leaf(&STRANGER, &["127.0.0.1", "localhost"], -DAY, DAY)
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn time(offset: i64) -> Asn1Time {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    Asn1Time::from_unix(now + offset).unwrap()
}

fn builder(name: &str, key: &PKey<Private>, from: i64, until: i64) -> X509Builder {
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(127, MsbOption::MAYBE_ZERO, false).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject.build()).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&time(from)).unwrap();
    builder.set_not_after(&time(until)).unwrap();
    builder
}

fn authority(name: &str) -> Authority {
    let key = new_key();
    let mut builder = builder(name, &key, -10 * DAY, 10 * DAY);
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    builder.set_issuer_name(&subject.build()).unwrap();
    let constraints = BasicConstraints::new().critical().ca().build().unwrap();
    builder.append_extension(constraints).unwrap();
    let usage = KeyUsage::new().critical().key_cert_sign().crl_sign().build().unwrap();
    builder.append_extension(usage).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    Authority { certificate: builder.build(), key }
}

/// Certificate and key of a good leaf as PEM, for servers that read files.
pub(crate) fn good_pem() -> (Vec<u8>, Vec<u8>) {
    pem(&identity(&TRUSTED, &["127.0.0.1", "localhost"], -DAY, DAY))
}

/// The same, for somebody else.
pub(crate) fn wrong_host_pem() -> (Vec<u8>, Vec<u8>) {
    pem(&identity(&TRUSTED, &["somebody-else.test"], -DAY, DAY))
}

fn pem((certificate, key): &(X509, PKey<Private>)) -> (Vec<u8>, Vec<u8>) {
    (certificate.to_pem().unwrap(), key.private_key_to_pem_pkcs8().unwrap())
}

fn identity(issuer: &Authority, names: &[&str], from: i64, until: i64) -> (X509, PKey<Private>) {
    let key = new_key();
    let mut builder = builder("test leaf", &key, from, until);
    builder.set_issuer_name(issuer.certificate.subject_name()).unwrap();
    let mut alternatives = SubjectAlternativeName::new();
    for name in names {
        match name.parse::<std::net::IpAddr>() {
            Ok(_) => alternatives.ip(name),
            Err(_) => alternatives.dns(name),
        };
    }
    let context = builder.x509v3_context(Some(&issuer.certificate), None);
    let alternatives = alternatives.build(&context).unwrap();
    builder.append_extension(alternatives).unwrap();
    let usage = ExtendedKeyUsage::new().server_auth().build().unwrap();
    builder.append_extension(usage).unwrap();
    builder.sign(&issuer.key, MessageDigest::sha256()).unwrap();
    (builder.build(), key)
}

fn leaf(issuer: &Authority, names: &[&str], from: i64, until: i64) -> SslAcceptor {
    let (certificate, key) = identity(issuer, names, from, until);
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    acceptor.set_certificate(&certificate).unwrap();
    acceptor.check_private_key().unwrap();
    acceptor.build()
}
