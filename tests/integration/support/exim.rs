//! A real Exim on loopback: SMTP in the clear with STARTTLS, and under TLS from the first byte, on free ports. It takes letters from
//! whoever has logged in, or from anybody at the port that knows no TLS, and keeps them in a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Instant;
use tempfile::TempDir;

use super::daemon::keep;
use super::{PATIENCE, free_port, pki};

pub(crate) const USER: &str = "sender@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";
/// Nobody has this name at the server.
pub(crate) const NOBODY: &str = "nobody@example.com";

pub(crate) struct Exim {
    /// STARTTLS, and a login under it alone.
    pub(crate) submission: u16,
    /// TLS from the first byte, and a login.
    pub(crate) tls: u16,
    /// No TLS and no login.
    pub(crate) plain: u16,
    dir: TempDir,
    keeper: Child,
}

impl Exim {
    pub(crate) fn start() -> Exim {
        let dir = TempDir::new().unwrap();
        let [submission, tls, plain] = [(); 3].map(|()| free_port());
        let id = |what: &str| {
            let said = Command::new("id").arg(what).output().unwrap().stdout;
            String::from_utf8(said).unwrap().trim().to_owned()
        };
        // Exim as root becomes this user; as anybody else it stays what it is.
        let is_root = id("-u") == "0";
        let (user, group) = if is_root { ("mail".into(), "mail".into()) } else { (id("-un"), id("-gn")) };
        let (certificate, key) = pki::good_pem();
        for folder in ["spool", "log", "mail"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("cert.pem"), certificate).unwrap();
        fs::write(dir.path().join("key.pem"), key).unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        if is_root {
            Command::new("chown").args(["-R", "mail:mail"]).arg(dir.path()).status().unwrap();
        }
        // Exim trusts its own config to root or to the user that it runs as, who made it here.
        let config = dir.path().join("exim.conf");
        fs::write(&config, config_text(dir.path(), [submission, tls, plain], &user, &group)).unwrap();
        let exim = ["/usr/sbin/exim4", "exim4"].into_iter().find(|exim| Path::new(exim).exists()).unwrap_or("exim4");
        let keeper = keep(&[exim.into(), "-C".into(), config.display().to_string(), "-bdf".into()]);
        let server = Exim { submission, tls, plain, dir, keeper };
        let begin = Instant::now();
        for port in [submission, tls, plain] {
            while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
                assert!(begin.elapsed() < PATIENCE, "Exim starts; tests/run.sh installs it");
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        server
    }

    /// The letters that have arrived, once there are so many.
    pub(crate) fn letters(&self, count: usize) -> Vec<String> {
        let begin = Instant::now();
        loop {
            let text = fs::read(self.dir.path().join("mail/box")).unwrap_or_default();
            let text = String::from_utf8(text).unwrap();
            let letters: Vec<String> =
                text.split("\n==end==\n").filter(|letter| !letter.trim().is_empty()).map(str::to_owned).collect();
            if letters.len() >= count && text.ends_with("\n==end==\n") {
                return letters;
            }
            assert!(begin.elapsed() < PATIENCE, "{count} letters arrive: {text}\n{}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// What the server has written down.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log/mainlog")).unwrap_or_default()
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn config_text(dir: &Path, [submission, tls, plain]: [u16; 3], user: &str, group: &str) -> String {
    let at = dir.display();
    let login = |user: &str, password: &str| {
        format!("${{if and{{{{eq{{{user}}}{{{USER}}}}}{{eq{{{password}}}{{{PASSWORD}}}}}}}}}")
    };
    format!(
        "exim_user = {user}\nexim_group = {group}\nprimary_hostname = mail.test\nspool_directory = {at}/spool\n\
         log_file_path = {at}/log/%slog\npid_file_path = {at}/log/pid\nlocal_interfaces = 127.0.0.1\n\
         daemon_smtp_ports = {submission} : {tls} : {plain}\ntls_on_connect_ports = {tls}\n\
         tls_advertise_hosts = ${{if eq{{$received_port}}{{{plain}}}{{}}{{*}}}}\ntls_certificate = {at}/cert.pem\n\
         tls_privatekey = {at}/key.pem\ndomainlist local_domains = example.com\nqualify_domain = example.com\n\
         never_users =\nhost_lookup =\nkeep_environment =\nacl_smtp_rcpt = check_rcpt\n\
         begin acl\ncheck_rcpt:\n  accept condition = ${{if eq{{$received_port}}{{{plain}}}}}\n\
         \x20 deny !authenticated = *\n       message = login first\n\
         \x20 deny local_parts = nobody\n       message = no such user here\n  accept\n\
         begin routers\nall:\n  driver = accept\n  transport = keep\n\
         begin transports\nkeep:\n  driver = appendfile\n  file = {at}/mail/box\n  user = {user}\n\
         \x20 message_prefix = \"\"\n  message_suffix = \"\\n==end==\\n\"\n  envelope_to_add\n  return_path_add\n\
         begin authenticators\n\
         plain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n  server_condition = {}\n\
         \x20 server_set_id = $auth2\n  server_advertise_condition = ${{if def:tls_in_cipher}}\n\
         login:\n  driver = plaintext\n  public_name = LOGIN\n  server_prompts = <| Username: | Password:\n\
         \x20 server_condition = {}\n  server_set_id = $auth1\n  server_advertise_condition = ${{if def:tls_in_cipher}}\n",
        login("$auth2", "$auth3"),
        login("$auth1", "$auth2"),
    )
}
