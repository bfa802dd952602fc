//! The store in a PostgreSQL database, for several machines or shards that share what they remember.
//!
//! Its tables stand in a schema of their own, `balance_alert`. Writers exclude each other by an advisory lock, and a run
//! that lives holds another; both end with the connection. A pooler must keep one session a client.
//!
//! A password goes to a peer that has proved by its certificate who it is, and otherwise only to this machine, or where the
//! address says `sslmode=disable`. What the server says in words is not repeated: it may hold anything.

use std::error::Error as _;
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use native_tls::TlsConnector;
use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls};
use postgres_native_tls::MakeTlsConnector;
use url::{Url, form_urlencoded};

use super::database::{Database, Row, Value};
use super::{Access, StoreError, StoreFault, schema};
use crate::process::clock::Clock;

/// The advisory locks of this program: this and the number of a run, which has 51 bits. Alone, the writers' lock.
const LOCKS: i64 = (PAIR as i64) << 48;
/// The first number of the locks of two numbers of 32 bits; it is 16961.
const PAIR: i32 = 0x4241;

/// One connection to a database.
pub(super) struct Postgres {
    client: Client,
    clock: Clock,
    /// The run of this process that others can see is alive.
    held: Option<i64>,
}

impl Postgres {
    /// Connects, and for writing brings the schema to the present version.
    ///
    /// # Errors
    /// Why the database cannot be used.
    pub(super) fn open(
        address: &str,
        access: Access,
        clock: Clock,
        wait: Duration,
        tls: impl FnOnce() -> Result<TlsConnector, String>,
    ) -> Result<Postgres, StoreError> {
        let mut config = configuration(address)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(wait);
        }
        config.application_name("balance-alert");
        config.notice_callback(|_| ());
        let client = if is_socket(&config) || config.get_ssl_mode() == SslMode::Disable {
            config.connect(NoTls)?
        } else {
            let connector = tls().map_err(|why| StoreError::new(StoreFault::Other, format!("no TLS: {why}")))?;
            config.connect(MakeTlsConnector::new(connector))?
        };
        let mut store = Postgres { client, clock, held: None };
        let wait = milliseconds(wait);
        store.client.batch_execute(&format!(
            "SET search_path TO balance_alert; SET lock_timeout = {wait}; SET idle_in_transaction_session_timeout = 60000"
        ))?;
        let version = store.version()?;
        match (schema::is_current(version)?, access) {
            (true, _) => {}
            (false, Access::Read) if version > 0 => return Err(StoreError::older()),
            (false, Access::Read) => {
                return Err(StoreError::new(StoreFault::Absent, "no run has written to it yet"));
            }
            (false, Access::Write) => schema::migrate(&mut store, Duration::from_millis(wait))?,
        }
        Ok(store)
    }
}

/// What `libpq` knows and the driver does not. Only these names are repeated: any other may be a part of a password.
const UNKNOWN: [&str; 11] = [
    "gssencmode",
    "krbsrvname",
    "passfile",
    "requiressl",
    "service",
    "sslcert",
    "sslcompression",
    "sslcrl",
    "sslkey",
    "sslpassword",
    "sslrootcert",
];

/// What an address says. Where a peer is not this machine, every `sslmode` but `disable` asks for a verified one.
///
/// No error quotes any of it: a password with a slash in it can end up in every part.
fn configuration(address: &str) -> Result<Config, StoreError> {
    let wrong = || {
        StoreError::new(StoreFault::Other, "its address cannot be used").with_hint(
            "it is postgres://<user>:<password>@host/database; in a password write / as %2F, ? as %3F, # as %23, @ as %40",
        )
    };
    let (place, query) = match Url::parse(address) {
        Ok(mut url) if !url.path().contains('@') => {
            let query = url.query().map(str::to_owned);
            url.set_query(None);
            (url.to_string(), query)
        }
        Ok(_) => return Err(wrong()),
        // Several hosts are no web address, but fine for the driver.
        Err(_) => match address.split_once('?') {
            Some((place, query)) => (place.to_owned(), Some(query.to_owned())),
            None => (address.to_owned(), None),
        },
    };
    if place.contains('#') || query.as_ref().is_some_and(|query| query.contains(['@', '#'])) {
        return Err(wrong());
    }
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let value = match (name.as_ref(), value.as_ref()) {
            ("sslmode", "verify-ca" | "verify-full") => "require",
            ("sslmode", "allow") => "prefer",
            ("sslmode", known @ ("disable" | "prefer" | "require")) => known,
            ("sslmode", _) => {
                return Err(StoreError::new(StoreFault::Other, "its address has an unknown `sslmode`")
                    .with_hint("known are disable, allow, prefer, require, verify-ca and verify-full"));
            }
            (name, _) if UNKNOWN.contains(&name) => {
                let error =
                    StoreError::new(StoreFault::Other, format!("its address has `{name}`, which is not known here"));
                return Err(match name {
                    "sslrootcert" => error.with_hint("set SSL_CERT_FILE to that file"),
                    _ => error,
                });
            }
            (_, value) => value,
        };
        pairs.append_pair(&name, value);
    }
    let pairs = pairs.finish();
    // A form's plus is a space, which the driver knows as %20 only.
    let text = if pairs.is_empty() { place } else { format!("{place}?{}", pairs.replace('+', "%20")) };
    let mut config: Config = text.parse().map_err(|_| wrong())?;
    if config.get_ssl_mode() == SslMode::Prefer && !is_near(&config) {
        config.ssl_mode(SslMode::Require);
    }
    Ok(config)
}

/// Whether every host is a socket of this machine.
fn is_socket(config: &Config) -> bool {
    config.get_hostaddrs().is_empty() && config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)))
}

/// Whether every host is this machine, so that what goes there is on no wire.
fn is_near(config: &Config) -> bool {
    let is_loopback = |address: &IpAddr| address.to_canonical().is_loopback();
    match config.get_hostaddrs() {
        [] => config.get_hosts().iter().all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|address| is_loopback(&address))
            }
        }),
        // The driver connects to these addresses, whatever the hosts are called.
        addresses => addresses.iter().all(is_loopback),
    }
}

/// What is wrong with an address, if nobody could connect by it.
pub(super) fn fault(address: &str) -> Option<StoreError> {
    configuration(address).err()
}

/// Whether a part of an address can be shown.
fn is_plain(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:[]".contains(&byte))
}

/// The first host and its port, for messages.
fn host(config: &Config) -> Option<String> {
    let hosts = config.get_hosts().iter().zip(config.get_ports().iter().map(Some).chain(std::iter::repeat(None)));
    hosts.into_iter().find_map(|(host, port)| match host {
        Host::Tcp(host) if is_plain(host) => {
            Some(format!("{host}{}", port.map(|port| format!(":{port}")).unwrap_or_default()))
        }
        _ => None,
    })
}

/// The database for messages: never the user or the password, also of an address that is not well-formed.
pub(super) fn name(address: &str) -> String {
    let Ok(config) = configuration(address) else {
        return "PostgreSQL".to_owned();
    };
    let host = host(&config).map(|host| format!(" at {host}"));
    let database = config.get_dbname().filter(|name| is_plain(name)).map(|name| format!(" database `{name}`"));
    format!("PostgreSQL{}{}", database.unwrap_or_default(), host.unwrap_or_default())
}

/// The machine that a password goes to without TLS, so that everybody on the way can read it.
pub(super) fn in_the_clear(address: &str) -> Option<String> {
    let config = configuration(address).ok()?;
    let is_open = config.get_ssl_mode() == SslMode::Disable && config.get_password().is_some() && !is_near(&config);
    is_open.then(|| host(&config).unwrap_or_else(|| "its server".to_owned()))
}

fn milliseconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).clamp(1, 3_600_000)
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl Database for Postgres {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn words(&self) -> &'static [(&'static str, &'static str)] {
        &[("{without_rowid}", "")]
    }

    fn begin(&mut self, wait: Duration) -> Result<(), StoreError> {
        let wait = milliseconds(wait);
        Ok(self
            .client
            .batch_execute(&format!("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = {wait}; SELECT pg_advisory_xact_lock({LOCKS})"))?)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        // After an error inside, the server answers COMMIT with a rollback; so the error was reported before.
        Ok(self.client.batch_execute("COMMIT")?)
    }

    fn rollback(&mut self) {
        let _ = self.client.batch_execute("ROLLBACK");
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<(), StoreError> {
        self.client.execute(sql, &parameters(values))?;
        Ok(())
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let rows = self.client.query(sql, &parameters(values))?;
        rows.iter()
            .map(|row| {
                let values = row.columns().iter().enumerate().map(|(index, column)| match *column.type_() {
                    Type::INT8 => Ok(row.try_get::<_, Option<i64>>(index).map_or(Value::Odd, Value::from)),
                    // In a database without an encoding a text need not be UTF-8.
                    Type::TEXT => Ok(row.try_get::<_, Option<String>>(index).map_or(Value::Odd, Value::from)),
                    _ => Err(StoreError::damaged("a column has a wrong type")),
                });
                values.collect::<Result<_, _>>().map(Row)
            })
            .collect()
    }

    fn version(&mut self) -> Result<i64, StoreError> {
        // From the catalogue's rows: `to_regclass` may still say what was so before this transaction waited for its lock.
        let sql = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                   WHERE n.nspname = 'balance_alert' AND c.relname = 'facts'";
        if self.query(sql, &[])?.is_empty() {
            return Ok(0);
        }
        let rows = self.query("SELECT value FROM facts WHERE name = 'schema_version'", &[])?;
        match rows.first() {
            Some(row) => row.text(0)?.parse().map_err(|_| StoreError::damaged("its version is no number")),
            None => Ok(0),
        }
    }

    fn set_version(&mut self, version: i64) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO facts (name, value) VALUES ('schema_version', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            &[version.to_string().into()],
        )
    }

    fn prepare_tables(&mut self) -> Result<(), StoreError> {
        // The schema is looked for first, because a user who may not make schemas can have been given one.
        let there = self.query("SELECT nspname::text FROM pg_namespace WHERE nspname = 'balance_alert'", &[])?;
        if there.is_empty() {
            self.execute("CREATE SCHEMA balance_alert", &[])?;
        }
        Ok(())
    }

    fn hold(&mut self, run: i64) -> Result<(), StoreError> {
        self.query("SELECT pg_try_advisory_lock($1)::int::int8", &[Value::Int(LOCKS | run)])?;
        self.held = Some(run);
        Ok(())
    }

    fn reserve(&mut self, what: &str, wait: Duration) -> Result<(), StoreError> {
        let wait = milliseconds(wait);
        self.client.batch_execute(&format!("SET lock_timeout = {wait}"))?;
        // A lock of two numbers of 32 bits never meets a lock of one number of 64 bits, as runs have.
        self.query(&format!("SELECT pg_advisory_lock({PAIR}, hashtext($1))::text"), &[what.into()]).map(drop)
    }

    fn release(&mut self) {
        if let Some(run) = self.held.take() {
            let _ = self.query("SELECT pg_advisory_unlock($1)::text", &[Value::Int(LOCKS | run)]);
        }
    }

    fn is_held(&mut self, run: i64) -> bool {
        // Until the end of the transaction, so that two runs do not both find it dead and take its work.
        let free = self.query("SELECT pg_try_advisory_xact_lock($1)::int::int8", &[Value::Int(LOCKS | run)]);
        free.ok().and_then(|rows| rows.first()?.optional_int(0)) == Some(0)
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Null | Value::Odd => Ok(IsNull::Yes),
            Value::Int(number) => number.to_sql(ty, out),
            // This is the one character that the server cannot keep.
            Value::Text(text) if text.contains('\0') => text.replace('\0', "\u{fffd}").to_sql(ty, out),
            Value::Text(text) => text.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::TEXT)
    }

    to_sql_checked!();
}

/// What the driver says, with what the system and TLS say. Not what the peer says.
fn said(error: &postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source().filter(|_| {
        ["error connecting to server", "error communicating with the server", "error performing TLS handshake"]
            .contains(&text.as_str())
            || text == "invalid configuration"
    });
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    text
}

impl From<postgres::Error> for StoreError {
    fn from(error: postgres::Error) -> StoreError {
        match error.code() {
            Some(code) => refused(code),
            None => unreachable(&said(&error)),
        }
    }
}

fn unreachable(said: &str) -> StoreError {
    let unreachable = |message| StoreError::new(StoreFault::Unreachable, message);
    if said.contains("does not support TLS") {
        return unreachable("it offers no TLS, so nothing was sent to it".to_owned()).with_hint(
            "`?sslmode=disable` in the address goes without; then whoever is in between can read the password and all else",
        );
    }
    let error = unreachable(format!("it cannot be reached: {said}"));
    if error.message.contains("certificate") {
        return error.with_hint(
            "for a private authority set SSL_CERT_FILE; `?sslmode=disable` in the address goes without TLS",
        );
    }
    error
}

/// What an error of the server means. Its own words may hold what this program sent, so its code stands for them.
fn refused(code: &SqlState) -> StoreError {
    let is_code = code.code().len() == 5 && code.code().bytes().all(|byte| byte.is_ascii_alphanumeric());
    let state = if is_code { format!("SQLSTATE {}", code.code()) } else { "no SQLSTATE".to_owned() };
    let error = |fault, what: &str| StoreError::new(fault, format!("{what} ({state})"));
    match *code {
        SqlState::LOCK_NOT_AVAILABLE | SqlState::QUERY_CANCELED | SqlState::T_R_DEADLOCK_DETECTED => {
            StoreError::new(StoreFault::Busy, "other runs kept it locked for too long")
        }
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            error(StoreFault::Unreachable, "it refuses the user")
        }
        SqlState::INVALID_CATALOG_NAME => error(StoreFault::Unreachable, "it has no database of this name"),
        SqlState::TOO_MANY_CONNECTIONS => error(StoreFault::Unreachable, "it has too many connections"),
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => {
            error(StoreFault::Unreachable, "it is shutting down or starting up")
        }
        SqlState::INSUFFICIENT_PRIVILEGE => {
            error(StoreFault::Unwritable, "it cannot be written: a privilege is missing").with_hint(
                "let the user create schemas, or make one: CREATE SCHEMA balance_alert AUTHORIZATION the_user",
            )
        }
        SqlState::DISK_FULL => error(StoreFault::Unwritable, "it cannot be written: no space is left on its device"),
        SqlState::READ_ONLY_SQL_TRANSACTION => error(StoreFault::Unwritable, "it cannot be written: it is read-only"),
        SqlState::OUT_OF_MEMORY => error(StoreFault::Unwritable, "it cannot be written: it is out of memory"),
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN => error(StoreFault::Other, "a table is missing in it")
            .with_hint("to begin anew: DROP SCHEMA balance_alert CASCADE"),
        _ => error(StoreFault::Other, "it reports an error"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_never_shows_its_password() {
        for (address, want) in [
            ("postgres://u:Secret@db.example:5433/app", "PostgreSQL database `app` at db.example:5433"),
            ("postgres://u:Secret@db.example/app?sslmode=verify-full", "PostgreSQL database `app` at db.example:5432"),
            ("postgres://u:Secret@h1:1,h2:2/app", "PostgreSQL database `app` at h1:1"),
            ("postgres://u:/Secret@h/app", "PostgreSQL"),
            ("postgres://u:12/Secret@h/app", "PostgreSQL"),
            ("postgres://u:12?Secret@h/app", "PostgreSQL"),
            ("postgres://u:12#Secret@h/app", "PostgreSQL"),
            ("postgres://u:Secret@h:99999/d", "PostgreSQL"),
        ] {
            assert_eq!(name(address), want, "{address}");
            if let Err(error) = configuration(address) {
                assert!(!format!("{error:?}").contains("Secret"), "{address}: {error:?}");
            }
        }
    }

    #[test]
    fn a_peer_that_is_not_this_machine_must_prove_who_it_is() {
        use SslMode::{Disable, Prefer, Require};
        for (address, want) in [
            ("postgres://u:p@db.example/d", Require),
            ("postgres://u:p@db.example/d?sslmode=prefer", Require),
            ("postgres://u:p@db.example/d?sslmode=allow", Require),
            ("postgres://u:p@db.example/d?sslmode=require", Require),
            ("postgres://u:p@db.example/d?sslmode=verify-ca", Require),
            ("postgres://u:p@db.example/d?sslmode=verify-full", Require),
            ("postgres://u:p@db.example/d?sslmode=disable", Disable),
            ("postgres://u:p@10.0.0.1/d", Require),
            ("postgres://u:p@127.1/d", Require),
            ("postgres://u:p@localhost.example/d", Require),
            ("postgres://u:p@h1:1,h2:2/d?sslmode=verify-full", Require),
            ("postgres://u:p@127.0.0.1:1,h2:2/d", Require),
            ("postgres://u:p@/d?hostaddr=10.0.0.1", Require),
            ("postgres://u:p@localhost/d?hostaddr=10.0.0.1", Require),
            ("postgres://u:p@%2Frun%2Fpostgresql,db.example/d", Require),
            ("postgres://u:p@localhost/d", Prefer),
            ("postgres://u:p@LOCALHOST/d?sslmode=allow", Prefer),
            ("postgres://u:p@127.0.0.53/d", Prefer),
            ("postgres://u:p@[::1]/d", Prefer),
            ("postgres://u:p@[::ffff:127.0.0.1]/d", Prefer),
            ("postgres://u:p@db.example/d?hostaddr=127.0.0.1", Prefer),
            ("postgres://u:p@localhost/d?sslmode=verify-full", Require),
            ("postgres://u:p@%2Frun%2Fpostgresql/d", Prefer),
            ("postgres:///d?host=/run/postgresql", Prefer),
        ] {
            let config = configuration(address).unwrap();
            assert_eq!(config.get_ssl_mode(), want, "{address}");
            assert_eq!(is_socket(&config), address.contains("/run/postgresql") || address.contains("%2Fpostgresql/"));
        }
    }

    #[test]
    fn what_an_address_asks_in_vain_is_named() {
        for (query, says) in [
            ("sslmode=no-verify", "unknown `sslmode`"),
            ("sslmode=", "unknown `sslmode`"),
            ("sslrootcert=/ca.pem", "`sslrootcert`, which is not known here"),
            ("sslcert=a&sslkey=b", "`sslcert`, which is not known here"),
            ("gssencmode=disable", "`gssencmode`, which is not known here"),
            ("Secret=1", "cannot be used"),
        ] {
            for host in ["h", "h1:1,h2:2"] {
                let error = configuration(&format!("postgres://u:Secret@{host}/d?{query}")).unwrap_err();
                assert!(error.message.contains(says), "{query}: {error:?}");
                assert!(!format!("{error:?}").contains("Secret"), "{query}: {error:?}");
            }
        }
    }

    #[test]
    fn a_code_that_is_none_is_not_repeated() {
        assert_eq!(refused(&SqlState::from_code("XX000")).message, "it reports an error (SQLSTATE XX000)");
        for code in ["", "hunter2", "a b c", "pass\n", "12\u{e9}4"] {
            assert_eq!(refused(&SqlState::from_code(code)).message, "it reports an error (no SQLSTATE)", "{code}");
        }
    }

    #[test]
    fn parameters_reach_the_driver_as_they_were_meant() {
        let config = configuration("postgres://h/d?options=-c%20statement_timeout%3D5000&password=a%20b%2Bc").unwrap();
        assert_eq!(config.get_options(), Some("-c statement_timeout=5000"));
        assert_eq!(config.get_password(), Some(b"a b+c".as_slice()));
    }
}
