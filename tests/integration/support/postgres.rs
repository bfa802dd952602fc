//! A real PostgreSQL server, from Debian's package, on a free port of loopback; one for all tests, a database for each.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use postgres::{Client, NoTls};

/// The server, and the pipe whose end tells its keeper that the tests are over.
pub(crate) struct Postgres {
    port: u16,
    databases: AtomicUsize,
    _keeper: Child,
}

/// The password of the user `balance`; it must never be printed.
pub(crate) const PASSWORD: &str = "pg-Leak+secret";

/// Starts a server, waits until it answers, and stops it when the pipe to it ends: however this process ends.
const KEEPER: &str = r#"
set -eu
bin=$1 data=$(mktemp -d) port=$2
run() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
stop() { cd /; run "$bin/pg_ctl" --pgdata="$data/db" --mode=immediate --wait stop >/dev/null 2>&1 || true; rm -rf "$data"; }
trap stop EXIT
trap '' INT HUP TERM
[ "$(id -u)" != 0 ] || chown postgres "$data"
cd "$data"
run "$bin/initdb" --pgdata="$data/db" --username=postgres --auth=trust --no-sync --encoding=UTF8 --locale=C >/dev/null
echo "host all balance 127.0.0.1/32 scram-sha-256" >"$data/db/pg_hba.conf"
echo "host all postgres 127.0.0.1/32 trust" >>"$data/db/pg_hba.conf"
run "$bin/pg_ctl" --pgdata="$data/db" --wait --timeout=60 --log="$data/db/log" \
  --options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c autovacuum=off -c max_connections=200" start >/dev/null
echo ready
cat >/dev/null
"#;

impl Postgres {
    /// The server of this test binary.
    pub(crate) fn shared() -> &'static Postgres {
        static SERVER: OnceLock<Postgres> = OnceLock::new();
        SERVER.get_or_init(Postgres::start)
    }

    fn start() -> Postgres {
        let bin = newest_bin().expect("PostgreSQL is installed: tests/run.sh does it");
        let port = super::free_port();
        let mut keeper = Command::new("bash")
            .args(["-c", KEEPER, "keeper"])
            .arg(bin)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "PostgreSQL starts");
        let server = Postgres { port, databases: AtomicUsize::new(0), _keeper: keeper };
        server.admin("postgres").batch_execute(&format!("CREATE USER balance PASSWORD '{PASSWORD}'")).unwrap();
        server
    }

    /// A superuser's connection to a database.
    pub(crate) fn admin(&self, database: &str) -> Client {
        let address = format!("host=127.0.0.1 port={} user=postgres dbname={database}", self.port);
        Client::connect(&address, NoTls).unwrap()
    }

    /// A new and empty database, owned by the user; `more` goes on with the statement that makes it.
    pub(crate) fn database(&self, more: &str) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::SeqCst));
        self.admin("postgres").batch_execute(&format!("CREATE DATABASE {name} OWNER balance {more}")).unwrap();
        name
    }

    /// The address that the program is given.
    pub(crate) fn url(&self, database: &str) -> String {
        self.url_through(self.port, database)
    }

    /// The same for somebody who listens in between.
    pub(crate) fn url_through(&self, port: u16, database: &str) -> String {
        let password = PASSWORD.replace('+', "%2B");
        format!("postgres://balance:{password}@127.0.0.1:{port}/{database}?sslmode=disable")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

fn newest_bin() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let bins = versions.flatten().map(|entry| entry.path().join("bin"));
    bins.filter(|bin| bin.join("initdb").exists()).max_by_key(|bin| version(bin))
}

fn version(bin: &Path) -> u32 {
    bin.parent().and_then(|path| path.file_name()?.to_str()?.parse().ok()).unwrap_or_default()
}
