//! Opening the file for one call, and what its errors mean.
//!
//! Each call opens the file anew: it costs less than a millisecond, and an owner who replaces the file by renaming is
//! read as it is now. The file is opened read-only and never created; it is not taken for immutable, since its owner
//! writes to it meanwhile.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use super::config::Config;
use crate::guard::Policy;
use crate::{ConnectorError, ErrorKind, Result, TableRef};

/// How long a statement waits for a writer's lock.
const BUSY: Duration = Duration::from_secs(5);
/// Between so many steps of its machine SQLite asks whether to go on.
const STEPS: i32 = 10_000;

/// What opens the file.
#[derive(Debug)]
pub struct Client {
    path: PathBuf,
    policy: Policy,
}

/// The file, open for one call. Dropping it interrupts the statement that runs.
pub struct Session {
    /// The connection.
    pub connection: SqliteConnection,
    dropped: Arc<AtomicBool>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Relaxed);
    }
}

impl Client {
    /// Keeps what is needed to open the file.
    pub fn new(config: Config, policy: Policy) -> Self {
        Self { path: PathBuf::from(config.path), policy }
    }

    /// How long a statement may take.
    pub fn timeout(&self) -> Duration {
        self.policy.statement_timeout
    }

    /// The error for a statement that took longer.
    pub fn late(&self) -> ConnectorError {
        let message = format!("SQLite took longer than {} seconds", self.timeout().as_secs());
        ConnectorError::new(ErrorKind::Timeout, message)
            .hint("an index on the cursor column, or on cursor and row key, lets pages be found quickly")
    }

    /// Waits for the answer to a statement no longer than allowed.
    ///
    /// # Errors
    /// `Timeout`, or what the statement ended in.
    pub async fn timed<T>(&self, answer: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::time::timeout(self.timeout(), answer).await.unwrap_or_else(|_| Err(self.late()))
    }

    /// Opens the file.
    ///
    /// # Errors
    /// `Config` when it may not be a source or is no SQLite database, `NotFound` when there is none.
    pub async fn open(&self) -> Result<Session> {
        let path = self.policy.file(&self.path)?;
        if !path.is_file() {
            let message = format!("{} is not a file", path.display());
            return Err(ConnectorError::new(ErrorKind::Config, message));
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .read_only(true)
            .create_if_missing(false)
            .busy_timeout(BUSY)
            .pragma("query_only", "ON")
            .pragma("trusted_schema", "OFF");
        let mut connection = SqliteConnection::connect_with(&options).await.map_err(explain)?;
        let dropped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&dropped);
        connection
            .lock_handle()
            .await
            .map_err(explain)?
            .set_progress_handler(STEPS, move || !stop.load(Ordering::Relaxed));
        let mut session = Session { connection, dropped };
        // The first statement to read the file: it also finds what is no database.
        let encoding: String = sqlx::query_scalar("PRAGMA encoding")
            .fetch_one(&mut session.connection)
            .await
            .map_err(explain)?;
        if encoding != "UTF-8" {
            return Err(ConnectorError::new(
                ErrorKind::Config,
                "the file keeps its text as UTF-16, which is not read",
            )
            .hint("make a copy with PRAGMA encoding = 'UTF-8', for example by .dump and .read"));
        }
        Ok(session)
    }
}

/// Says what a failure means. SQLite's result codes decide: <https://sqlite.org/rescode.html>.
pub fn explain(error: sqlx::Error) -> ConnectorError {
    let text = error.to_string();
    let Some(code) = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .and_then(|code| code.parse::<i32>().ok())
    else {
        let (kind, message) = match error {
            sqlx::Error::Io(_) => (ErrorKind::Unavailable, "the file cannot be read"),
            sqlx::Error::WorkerCrashed => (ErrorKind::Unavailable, "the reader of the file stopped"),
            _ => (ErrorKind::Protocol, "the file was read in a way that is not understood"),
        };
        return ConnectorError::new(kind, message).detail(text);
    };
    let (kind, message, hint) = match code & 0xff {
        3 | 23 => {
            (ErrorKind::Permission, "the file may not be read", "let the user Weir runs as read the file")
        }
        5 | 6 => (
            ErrorKind::Unavailable,
            "the file is locked by its writer",
            "shorter transactions of the writer help, and so does journal_mode = WAL",
        ),
        7 => (ErrorKind::Unavailable, "there is not enough memory to read the file", "try again later"),
        8 | 14 => (
            ErrorKind::Permission,
            "the file cannot be opened for reading",
            "let the user Weir runs as read the file, and for a file in WAL mode also write to its folder",
        ),
        9 => (ErrorKind::Timeout, "the statement was interrupted", "try again"),
        10 => (ErrorKind::Unavailable, "the disk failed to read the file", "look at the machine's own log"),
        11 => (ErrorKind::Schema, "the file is damaged", "run PRAGMA integrity_check on it"),
        26 => (
            ErrorKind::Config,
            "the file is not a SQLite database",
            "check the path; encrypted files are not read",
        ),
        1 | 17 | 20 | 25 => (
            ErrorKind::Schema,
            "the table cannot be read as asked",
            "check that its definition still works, above all a view's",
        ),
        _ => {
            return ConnectorError::new(ErrorKind::Protocol, "SQLite answered with an unknown code")
                .detail(text);
        }
    };
    ConnectorError::new(kind, message).hint(hint).detail(text)
}

/// Says what a failure at a table means, naming the table.
pub fn explain_at(table: &TableRef) -> impl Fn(sqlx::Error) -> ConnectorError {
    move |error| {
        let error = explain(error);
        if error.kind() != ErrorKind::Schema {
            return error;
        }
        let told =
            ConnectorError::new(ErrorKind::Schema, format!("{table} cannot be read: {}", error.message()))
                .detail(error.system_text().unwrap_or_default());
        error.action().map_or(told.clone(), |hint| told.hint(hint))
    }
}
