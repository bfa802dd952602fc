//! The store in a PostgreSQL database, for several machines or shards that share what they remember.
//!
//! Its tables stand in a schema of their own, `balance_alert`. Writers exclude each other by an advisory lock, and a run
//! that lives holds another; both end with the connection. A pooler must keep one session a client.

use std::error::Error as _;
use std::time::Duration;

use native_tls::TlsConnector;
use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls};
use postgres_native_tls::MakeTlsConnector;
use url::Url;

use super::database::{Database, Row, Value};
use super::{Access, StoreError, StoreFault, schema};

/// The advisory locks of this program: this and the number of a run, which has 51 bits. Alone, the writers' lock.
const LOCKS: i64 = 0x4241 << 48;

/// One connection to a database.
pub(super) struct Postgres {
    client: Client,
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
        wait: Duration,
        tls: impl FnOnce() -> Result<TlsConnector, String>,
    ) -> Result<Postgres, StoreError> {
        let mut config = configuration(address)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(wait);
        }
        config.application_name("balance-alert");
        let is_local = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        let client = if is_local || config.get_ssl_mode() == SslMode::Disable {
            config.connect(NoTls)?
        } else {
            let connector = tls().map_err(|why| StoreError::new(StoreFault::Other, format!("no TLS: {why}")))?;
            config.connect(MakeTlsConnector::new(connector))?
        };
        let mut store = Postgres { client, held: None };
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

/// What an address says. The words of `libpq` that ask for a verified peer mean what is done here in any case.
///
/// No error quotes any of it: a password with a slash in it can end up in every part.
fn configuration(address: &str) -> Result<Config, StoreError> {
    let wrong = || {
        StoreError::new(StoreFault::Other, "its address cannot be used").with_hint(
            "it is postgres://user:password@host/database; in a password write / as %2F, ? as %3F, # as %23, @ as %40",
        )
    };
    // Several hosts are no web address, but fine for the driver.
    let Ok(mut url) = Url::parse(address) else {
        return address.parse().map_err(|_| wrong());
    };
    if url.path().contains('@') || url.query().is_some_and(|query| query.contains('@')) || url.fragment().is_some() {
        return Err(wrong());
    }
    if url.query().is_some() {
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| match (name.as_ref(), value.as_ref()) {
                ("sslmode", "verify-ca" | "verify-full") => ("sslmode".to_owned(), "require".to_owned()),
                ("sslmode", "allow") => ("sslmode".to_owned(), "prefer".to_owned()),
                _ => (name.into_owned(), value.into_owned()),
            })
            .collect();
        if pairs.iter().any(|(name, _)| name == "sslrootcert") {
            return Err(StoreError::new(StoreFault::Other, "its address has `sslrootcert`, which is not known here")
                .with_hint("set SSL_CERT_FILE to that file"));
        }
        url.query_pairs_mut().clear().extend_pairs(pairs);
        // A form's plus is a space, which the driver knows as %20 only.
        let query = url.query().map(|query| query.replace('+', "%20"));
        url.set_query(query.as_deref());
    }
    url.as_str().parse().map_err(|_| wrong())
}

/// The database for messages: never the user or the password, also of an address that is not well-formed.
pub(super) fn name(address: &str) -> String {
    let is_plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:[]".contains(&byte))
    };
    let Ok(config) = configuration(address) else {
        return "PostgreSQL".to_owned();
    };
    let hosts = config.get_hosts().iter().zip(config.get_ports().iter().map(Some).chain(std::iter::repeat(None)));
    let host = hosts.into_iter().find_map(|(host, port)| match host {
        Host::Tcp(host) if is_plain(host) => {
            Some(format!(" at {host}{}", port.map(|port| format!(":{port}")).unwrap_or_default()))
        }
        _ => None,
    });
    let database = config.get_dbname().filter(|name| is_plain(name)).map(|name| format!(" database `{name}`"));
    format!("PostgreSQL{}{}", database.unwrap_or_default(), host.unwrap_or_default())
}

fn milliseconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).clamp(1, 3_600_000)
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl Database for Postgres {
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
                    Type::INT8 => Ok(Value::from(row.try_get::<_, Option<i64>>(index)?)),
                    Type::TEXT => Ok(Value::from(row.try_get::<_, Option<String>>(index)?)),
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
        // Asked first: a user who may not make schemas can be given one.
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
        // Two numbers of 32 bits are another space than the one number of the runs.
        self.query("SELECT pg_advisory_lock(16961, hashtext($1))::text", &[what.into()]).map(drop)
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
            Value::Null => Ok(IsNull::Yes),
            Value::Int(number) => number.to_sql(ty, out),
            // The one character that the server cannot keep.
            Value::Text(text) if text.contains('\0') => text.replace('\0', "\u{fffd}").to_sql(ty, out),
            Value::Text(text) => text.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::TEXT)
    }

    to_sql_checked!();
}

/// An error with its causes; the server's words without the statement.
fn said(error: &postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return error.message().to_owned();
    }
    let mut text = error.to_string();
    let mut source = error.source();
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
        let message = said(&error);
        let Some(code) = error.code() else {
            let message = format!("it cannot be reached: {message}");
            let failure = StoreError::new(StoreFault::Unreachable, message);
            return if failure.message.contains("certificate") {
                failure.with_hint(
                    "for a private authority set SSL_CERT_FILE; `?sslmode=disable` in the address goes without TLS",
                )
            } else {
                failure
            };
        };
        match *code {
            SqlState::LOCK_NOT_AVAILABLE | SqlState::QUERY_CANCELED | SqlState::T_R_DEADLOCK_DETECTED => {
                StoreError::new(StoreFault::Busy, "other runs kept it locked for too long")
            }
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                StoreError::new(StoreFault::Unreachable, format!("it refuses the user: {message}"))
            }
            SqlState::INSUFFICIENT_PRIVILEGE => {
                StoreError::new(StoreFault::Unwritable, format!("it cannot be written: {message}")).with_hint(
                    "let the user create schemas, or make one: CREATE SCHEMA balance_alert AUTHORIZATION the_user",
                )
            }
            SqlState::DISK_FULL | SqlState::READ_ONLY_SQL_TRANSACTION | SqlState::OUT_OF_MEMORY => {
                StoreError::new(StoreFault::Unwritable, format!("it cannot be written: {message}"))
            }
            _ => StoreError::new(StoreFault::Other, format!("it reports an error: {message}")),
        }
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
    fn parameters_reach_the_driver_as_they_were_meant() {
        let config = configuration("postgres://h/d?options=-c%20statement_timeout%3D5000&password=a%20b%2Bc").unwrap();
        assert_eq!(config.get_options(), Some("-c statement_timeout=5000"));
        assert_eq!(config.get_password(), Some(b"a b+c".as_slice()));
    }
}
