//! A real system to read from, and what the tests may do to it behind the connector's back.

use std::sync::Arc;

use anyhow::Result;
use connector::{Connector, TableRef};

use crate::table::{Holds, Made, Value};

/// One system of one kind, with a place of its own for one test.
pub trait System: Sized {
    /// The finest digits of a second that an instant can have.
    const SUBSECOND_DIGITS: usize;
    /// Whether a naive time can be told from an instant.
    const NAIVE: bool;

    /// Makes the place.
    async fn start() -> Result<Self>;

    /// A connector with the rights of a careful customer: it may read, and nothing else.
    fn connector(&self) -> Result<Arc<dyn Connector>>;

    /// The secret the connector was opened with, when there is one: it must never be seen.
    fn secret(&self) -> Option<&str>;

    /// Makes an empty table with these columns.
    async fn create(&self, name: &str, columns: &[Made]) -> Result<TableRef>;

    /// Inserts rows with a value for each column, in one transaction where there are transactions.
    async fn insert(&self, table: &TableRef, rows: &[Vec<Value>]) -> Result<()>;

    /// Inserts that many rows into a table (`id` integer, `label` text): IDs from 0, labels of some 200 bytes.
    async fn grow(&self, table: &TableRef, rows: usize) -> Result<()>;

    /// Drops a column.
    async fn drop_column(&self, table: &TableRef, name: &str) -> Result<()>;

    /// Whether the system has a type for such columns.
    fn has(&self, holds: Holds) -> bool;
}

/// A table `name` with the columns and rows given.
pub async fn filled<S: System>(
    system: &S,
    name: &str,
    columns: &[Made],
    rows: &[Vec<Value>],
) -> Result<TableRef> {
    let table = system.create(name, columns).await?;
    if !rows.is_empty() {
        system.insert(&table, rows).await?;
    }
    Ok(table)
}
