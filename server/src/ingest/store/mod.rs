//! The engine's way to the database: one transaction per batch, the same statements on both databases, and a fast
//! path of its own for the hot rows on each.
//!
//! Statements are written once. `$1` binds a value on both databases; a set of rows is bound as one relation, written
//! `{rows}` in the statement: arrays unnested on PostgreSQL, a JSON text on SQLite.

mod arrays;
mod bind;
mod copy;
mod numeric;
mod record;
mod rows;

pub use bind::{Bind, Rows};
pub use copy::CopyBuffer;
pub use record::{Record, Value};
pub use rows::Insert;

use sqlx::{Postgres, Sqlite, Transaction};

use crate::db::{Backend, Db};
use crate::error::{Error, Result};

/// Every statement here finds a few rows of a large table for each of a set, and every reference is checked so: by an
/// index, row by row. A plan that reads the whole table is better only while the table is small, and plans are kept.
const BEGIN: &str = "BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
    SET LOCAL enable_mergejoin = off";

/// A transaction that may write. Dropping it undoes everything.
pub enum Store {
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
    /// On SQLite, holding the write lock.
    Sqlite(Transaction<'static, Sqlite>),
}

impl Store {
    /// Begins a transaction; on SQLite it takes the write lock at once.
    ///
    /// # Errors
    /// When the database cannot be reached or the lock is not free in time.
    pub async fn begin(db: &Db) -> Result<Self> {
        if let Some(pool) = db.postgres() {
            return Ok(Self::Postgres(pool.begin_with(BEGIN).await?));
        }
        let pool =
            db.sqlite_writer().ok_or_else(|| Error::internal("begin", "neither PostgreSQL nor SQLite"))?;
        Ok(Self::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?))
    }

    /// Begins a transaction that only reads, and so waits for no writer.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin_reading(db: &Db) -> Result<Self> {
        match db.sqlite() {
            Some(pool) => Ok(Self::Sqlite(pool.begin().await?)),
            None => Self::begin(db).await,
        }
    }

    /// Which database it is on.
    pub fn backend(&self) -> Backend {
        match self {
            Self::Postgres(_) => Backend::Postgres,
            Self::Sqlite(_) => Backend::Sqlite,
        }
    }

    /// Keeps everything.
    ///
    /// # Errors
    /// When the database refuses; then nothing is kept.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Postgres(transaction) => transaction.commit().await?,
            Self::Sqlite(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    /// Runs a statement and gives its rows.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn fetch(&mut self, sql: &str, binds: &[Bind]) -> Result<Vec<Record>> {
        match self {
            Self::Postgres(transaction) => {
                record::fetch_postgres(transaction, sql.to_owned(), binds, None).await
            }
            Self::Sqlite(transaction) => record::fetch_sqlite(transaction, sql.to_owned(), binds, None).await,
        }
    }

    /// Runs a statement over a set of rows and gives what it returns. Does nothing for an empty set.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn fetch_rows(&mut self, sql: &str, binds: &[Bind], rows: &Rows) -> Result<Vec<Record>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let sql = sql.replace("{rows}", &rows.relation(self.backend(), binds.len()));
        match self {
            Self::Postgres(transaction) => record::fetch_postgres(transaction, sql, binds, Some(rows)).await,
            Self::Sqlite(transaction) => record::fetch_sqlite(transaction, sql, binds, Some(rows)).await,
        }
    }

    /// Runs a statement and gives how many rows it touched.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn execute(&mut self, sql: &str, binds: &[Bind]) -> Result<u64> {
        match self {
            Self::Postgres(transaction) => {
                record::execute_postgres(transaction, sql.to_owned(), binds, None).await
            }
            Self::Sqlite(transaction) => {
                record::execute_sqlite(transaction, sql.to_owned(), binds, None).await
            }
        }
    }

    /// Runs a statement over a set of rows and gives how many rows it touched; 0 for an empty set.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn execute_rows(&mut self, sql: &str, binds: &[Bind], rows: &Rows) -> Result<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        let sql = sql.replace("{rows}", &rows.relation(self.backend(), binds.len()));
        match self {
            Self::Postgres(transaction) => {
                record::execute_postgres(transaction, sql, binds, Some(rows)).await
            }
            Self::Sqlite(transaction) => record::execute_sqlite(transaction, sql, binds, Some(rows)).await,
        }
    }

    /// A statement that finds, for each of `{rows}`, the records of a table on which a condition holds.
    ///
    /// Before PostgreSQL has statistics of a table, it takes what a stream has in it for one record and compares all of
    /// them with all rows; so there the order is fixed: for each row, the index. On SQLite a cross join says the same.
    pub fn lookup(&self, columns: &str, (table, alias): (&str, &str), condition: &str) -> String {
        match self {
            Self::Postgres(_) => format!(
                "SELECT {columns} FROM {{rows}} CROSS JOIN LATERAL \
                (SELECT * FROM {table} {alias} WHERE {condition} OFFSET 0) {alias}"
            ),
            Self::Sqlite(_) => {
                format!("SELECT {columns} FROM {{rows}} CROSS JOIN {table} {alias} WHERE {condition}")
            }
        }
    }

    /// A statement that finds, for each of `{rows}`, the one record with a unique key, given as columns in the order of
    /// its index, each with the value it is to have.
    ///
    /// Before PostgreSQL has statistics, every index that shares columns with the key looks as good as the key's own;
    /// going to the first record from the key on, in its order, leaves only that.
    pub fn seek(&self, columns: &str, (table, alias): (&str, &str), key: &[(&str, &str)]) -> String {
        let name = |(column, _): &(&str, &str)| format!("{alias}.{column}");
        let names = key.iter().map(name).collect::<Vec<_>>().join(", ");
        let values = key.iter().map(|(_, value)| *value).collect::<Vec<_>>().join(", ");
        let equal =
            key.iter().map(|pair| format!("{} = {}", name(pair), pair.1)).collect::<Vec<_>>().join(" AND ");
        match self {
            Self::Postgres(_) => format!(
                "SELECT {columns} FROM {{rows}} CROSS JOIN LATERAL (SELECT * FROM {table} {alias} \
                WHERE ({names}) >= ({values}) ORDER BY {names} LIMIT 1) {alias} WHERE {equal}"
            ),
            Self::Sqlite(_) => {
                format!("SELECT {columns} FROM {{rows}} CROSS JOIN {table} {alias} WHERE {equal}")
            }
        }
    }

    /// The clause that makes a read row stay as it is until the end of the transaction; SQLite needs none.
    pub fn share_lock(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "FOR SHARE",
            Self::Sqlite(_) => "",
        }
    }

    /// The clause that keeps other writers from a read row; SQLite needs none.
    pub fn update_lock(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "FOR NO KEY UPDATE",
            Self::Sqlite(_) => "",
        }
    }
}

/// Runs one statement by itself, in no transaction of ours, and gives its rows.
///
/// # Errors
/// When the database refuses.
pub async fn alone(db: &Db, sql: &str, binds: &[Bind]) -> Result<Vec<Record>> {
    if let Some(pool) = db.postgres() {
        return record::fetch_postgres(&mut *pool.acquire().await?, sql.to_owned(), binds, None).await;
    }
    let pool = db.sqlite().ok_or_else(|| Error::internal("ask", "neither PostgreSQL nor SQLite"))?;
    record::fetch_sqlite(&mut *pool.acquire().await?, sql.to_owned(), binds, None).await
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
