//! A real Dovecot on loopback: a user with a Maildir, IMAP with and without TLS on free ports.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;

use super::{PATIENCE, free_port, pki};

pub(crate) struct Dovecot {
    pub(crate) plain: u16,
    pub(crate) tls: u16,
    dir: TempDir,
    keeper: Child,
}

pub(crate) const USER: &str = "user@example.com";
pub(crate) const PASSWORD: &str = "p\"ss\\ wörd";

const KEEPER: &str = r#"trap '' INT HUP TERM; PATH=$PATH:/usr/sbin dovecot -F -c "$1" </dev/null >/dev/null 2>&1 & exec 2>/dev/null; cat >/dev/null; kill $!; wait"#;

impl Dovecot {
    pub(crate) fn start((certificate, key): (Vec<u8>, Vec<u8>)) -> Dovecot {
        let dir = TempDir::new().unwrap();
        let at = dir.path().display();
        let (plain, tls) = (free_port(), free_port());
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let me = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
        // Root must not own mails, and others can only be themselves.
        let owner = if is_root { "mail" } else { me.trim() };
        let internal = if is_root {
            String::new()
        } else {
            format!("default_internal_user = {owner}\ndefault_login_user = {owner}\n")
        };
        fs::write(dir.path().join("cert.pem"), certificate).unwrap();
        fs::write(dir.path().join("key.pem"), key).unwrap();
        fs::write(dir.path().join("users"), format!("{USER}:{{PLAIN}}{PASSWORD}\n")).unwrap();
        fs::create_dir(dir.path().join("mail")).unwrap();
        fs::write(
            dir.path().join("dovecot.conf"),
            format!(
                "base_dir = {at}/run\nstate_dir = {at}/run\nlog_path = {at}/log\nprotocols = imap\nlisten = 127.0.0.1\n\
                 ssl = yes\nssl_cert = <{at}/cert.pem\nssl_key = <{at}/key.pem\ndisable_plaintext_auth = no\n\
                 mail_location = maildir:{at}/mail/%u\nfirst_valid_uid = 1\nauth_mechanisms = plain login\n{internal}\
                 passdb {{\n driver = passwd-file\n args = username_format=%u {at}/users\n}}\n\
                 userdb {{\n driver = static\n args = uid={owner} gid={owner} home={at}/mail/%u\n}}\n\
                 service imap-login {{\n inet_listener imap {{\n port = {plain}\n }}\n inet_listener imaps {{\n port = {tls}\n ssl = yes\n }}\n chroot =\n}}\n"
            ),
        )
        .unwrap();
        fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        if is_root {
            Command::new("chown").args(["-R", owner]).arg(dir.path().join("mail")).status().unwrap();
        }
        let keeper = Command::new("bash")
            .args(["-c", KEEPER, "keeper"])
            .arg(dir.path().join("dovecot.conf"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let server = Dovecot { plain, tls, dir, keeper };
        let begin = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", plain)).is_err() {
            assert!(begin.elapsed() < PATIENCE, "Dovecot starts; tests/run.sh installs it");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        server
    }

    pub(crate) fn good() -> Dovecot {
        Dovecot::start(pki::good_pem())
    }

    fn maildir(&self) -> PathBuf {
        self.dir.path().join("mail").join(USER)
    }

    /// Puts a mail into the folder, as a delivery would.
    pub(crate) fn deliver(&self, name: &str, mail: &[u8]) {
        self.deliver_all([(name.to_owned(), mail.to_vec())]);
    }

    /// A mail that came a month ago.
    pub(crate) fn deliver_old(&self, name: &str, mail: &[u8]) {
        self.deliver(name, mail);
        let file = fs::File::open(self.maildir().join("new").join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(31 * 86_400)).unwrap();
    }

    pub(crate) fn deliver_all(&self, mails: impl IntoIterator<Item = (String, Vec<u8>)>) {
        let maildir = self.maildir();
        for folder in ["tmp", "cur", "new"] {
            fs::create_dir_all(maildir.join(folder)).unwrap();
        }
        for (name, mail) in mails {
            let (tmp, new) = (maildir.join("tmp").join(&name), maildir.join("new").join(&name));
            fs::write(&tmp, mail).unwrap();
            fs::rename(tmp, new).unwrap();
        }
        self.own();
    }

    /// Puts a mail into a folder of this name as IMAP writes it, in modified UTF-7.
    pub(crate) fn deliver_into(&self, folder: &str, mail: &[u8]) {
        let maildir = self.maildir().join(format!(".{folder}"));
        for part in ["tmp", "cur", "new"] {
            fs::create_dir_all(maildir.join(part)).unwrap();
        }
        fs::write(maildir.join("new").join("1.x"), mail).unwrap();
        self.own();
    }

    fn own(&self) {
        let _ = Command::new("chown").args(["-R", "mail"]).arg(self.dir.path().join("mail")).output();
    }

    /// Forgets the numbers of the mails, so that UIDVALIDITY changes.
    pub(crate) fn renumber(&self) {
        for entry in fs::read_dir(self.maildir()).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("dovecot") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        // The new mark is a time in seconds, which must be another one.
        fs::write(self.maildir().join("dovecot-uidlist"), "3 V1 N1 G0123456789abcdef0123456789abcdef\n").unwrap();
        self.own();
    }

    /// How often somebody has logged in.
    pub(crate) fn logins(&self) -> usize {
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap();
        log.lines().filter(|line| line.contains("imap-login: ") && line.contains("Login: ")).count()
    }

    /// Every mail with its flags: a read mail would lie in `cur` with an `S`.
    pub(crate) fn flags(&self) -> Vec<String> {
        let mut names: Vec<String> = ["cur", "new"]
            .iter()
            .flat_map(|folder| fs::read_dir(self.maildir().join(folder)).into_iter().flatten().flatten())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
