//! The database: SQLite in one file, or PostgreSQL. The same tables, the same code, two write paths where speed asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use secrecy::{ExposeSecret, SecretString};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{PgPool, SqlitePool};

use crate::error::{Result, StartError};

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite in one file.
    Sqlite,
    /// PostgreSQL 15 or newer.
    Postgres,
}

impl Backend {
    /// The most rows to read from a source and write in one transaction: on SQLite everyone who writes waits for it.
    pub fn batch_most(self) -> usize {
        match self {
            Self::Sqlite => 1_200,
            Self::Postgres => usize::MAX,
        }
    }
}

/// The oldest PostgreSQL to run on, as its `server_version_num`.
const POSTGRES_LEAST: i32 = 150_000;

/// For how long an idle connection is trusted. Afterwards it is tried before use, which is one more round trip, so that
/// whoever comes first does not meet one that the server has closed.
const TRUSTED: Duration = Duration::from_secs(1);

/// How long to wait for a free connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open database.
#[derive(Clone, Debug)]
pub struct Db {
    orm: DatabaseConnection,
    backend: Backend,
    writer: Option<SqlitePool>,
    statements: Arc<AtomicU64>,
}

impl Db {
    /// Opens the database at `url`, making the SQLite file when missing. Does not migrate.
    ///
    /// # Errors
    /// When the URL is of no known kind, or the database cannot be reached or is too old; the URL's password is not
    /// repeated.
    pub async fn connect(url: &SecretString, connections: u32) -> std::result::Result<Self, StartError> {
        let text = url.expose_secret();
        let backend = match text.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Backend::Sqlite,
            Some("postgres" | "postgresql") => Backend::Postgres,
            _ => return Err(StartError::new("database.url must begin with sqlite: or postgres://")),
        };
        let mut options = ConnectOptions::new(text);
        options
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(PATIENCE)
            .test_before_acquire_if_idle_for(TRUSTED)
            .sqlx_logging(false)
            .map_sqlx_sqlite_opts(|options| {
                options
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                    .synchronous(sqlx::sqlite::SqliteSynchronous::Normal)
                    .busy_timeout(Duration::from_secs(10))
                    // Each connection has its own; the pages are in the system's cache besides.
                    .pragma("cache_size", "-4096")
                    .pragma("temp_store", "memory")
                    .pragma("journal_size_limit", "67108864")
            })
            .map_sqlx_postgres_opts(|options| {
                options.application_name("weir").options([("timezone", "UTC")])
            });
        let mut orm = Database::connect(options)
            .await
            .map_err(|error| StartError::new(format!("the database cannot be opened: {error}")))?;
        if backend == Backend::Postgres {
            let asked = sqlx::query_scalar("SELECT current_setting('server_version_num')::int4");
            let version = asked.fetch_one(orm.get_postgres_connection_pool()).await;
            recent(
                version.map_err(|error| StartError::new(format!("the database does not answer: {error}")))?,
            )?;
        }
        let statements = Arc::new(AtomicU64::new(0));
        let counted = statements.clone();
        orm.set_metric_callback(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let writer = (backend == Backend::Sqlite).then(|| {
            let options = orm.get_sqlite_connection_pool().connect_options();
            let one = SqlitePoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
            let one = one.test_before_acquire(false);
            one.connect_lazy_with((*options).clone())
        });
        Ok(Self { orm, backend, writer, statements })
    }

    /// The connection for entities.
    pub fn orm(&self) -> &DatabaseConnection {
        &self.orm
    }

    /// How many statements entities have sent so far: a request that sends more for more rows has a fault.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Which database it is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Begins a transaction that may write. On SQLite it takes the write lock at once: one that reads first and
    /// writes later fails with "database is locked" under load, whatever the busy timeout.
    ///
    /// # Errors
    /// When the database cannot be reached, or the lock is not free within the busy timeout.
    pub async fn begin(&self) -> Result<DatabaseTransaction> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        Ok(self.orm.begin_with_options(options).await?)
    }

    /// The PostgreSQL pool, for COPY; `None` on SQLite.
    pub fn postgres(&self) -> Option<&PgPool> {
        (self.backend == Backend::Postgres).then(|| self.orm.get_postgres_connection_pool())
    }

    /// The SQLite connection for large transactions, one for all of them; `None` on PostgreSQL. SQLite lets one write at
    /// a time anyway, and every connection that prepares the large statements keeps megabytes of them.
    pub fn sqlite_writer(&self) -> Option<&SqlitePool> {
        self.writer.as_ref()
    }

    /// Closes every connection. On SQLite, the last one brings what it wrote from the log into the file.
    ///
    /// # Errors
    /// When the database cannot be closed.
    pub async fn close(&self) -> Result<()> {
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
        Ok(self.orm.clone().close().await?)
    }

    /// The SQLite pool, for what only reads or is small; `None` on PostgreSQL.
    pub fn sqlite(&self) -> Option<&SqlitePool> {
        (self.backend == Backend::Sqlite).then(|| self.orm.get_sqlite_connection_pool())
    }
}

/// Judges a PostgreSQL by its `server_version_num`.
///
/// # Errors
/// When it is too old: which one it is, and which one is needed.
fn recent(version: i32) -> std::result::Result<(), StartError> {
    if version >= POSTGRES_LEAST {
        return Ok(());
    }
    // 140009 is 14.9; before 10, two numbers named a major version: 90624 is 9.6.24.
    let (major, rest) = (version / 10_000, version % 10_000);
    let found = if major >= 10 {
        format!("{major}.{rest}")
    } else {
        format!("{major}.{}.{}", rest / 100, rest % 100)
    };
    let least = POSTGRES_LEAST / 10_000;
    Err(StartError::new(format!(
        "the database is PostgreSQL {found}; Weir needs PostgreSQL {least} or newer"
    )))
}

#[cfg(test)]
mod tests {
    use super::recent;

    #[test]
    fn a_postgres_older_than_15_is_refused_by_name() {
        for version in [150_000, 150_013, 160_004, 180_000] {
            assert!(recent(version).is_ok(), "{version}");
        }
        for (version, found) in
            [(149_999, "14.9999"), (140_009, "14.9"), (100_023, "10.23"), (90_624, "9.6.24")]
        {
            let refused = recent(version).expect_err("too old").to_string();
            let wanted = format!("the database is PostgreSQL {found}; Weir needs PostgreSQL 15 or newer");
            assert_eq!(refused, wanted);
        }
    }
}
