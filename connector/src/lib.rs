//! Reads other people's tables: one trait, one folder per kind of system.
//!
//! The promise every connector keeps, whatever the system behind it:
//! a read returns every row whose cursor lies in the closed interval asked for, in (cursor, row key) order, each cell
//! exactly as the system holds it, or ends in an error. It never ends early without one, so a caller may store what it
//! got and move its watermark to the last row seen. A cell that cannot be represented is handed over as
//! [`Cell::Unreadable`] with its raw text; one bad cell never ends a read.
//!
//! This crate knows nothing of Weir's own tables.

pub mod batch;
pub mod bigquery;
pub mod cell;
pub mod check;
pub mod clickhouse;
pub mod cost;
pub mod cursor;
pub mod databricks;
pub mod decimal;
pub mod error;
pub mod guard;
mod http;
mod key;
pub mod kinds;
pub mod memory;
mod order;
pub mod patience;
pub mod postgres;
pub mod read;
pub mod setup;
pub mod slice;
pub mod snowflake;
pub mod sqlite;
pub mod table;
mod wall;

use async_trait::async_trait;

pub use batch::{Batch, Column, Data, Strings};
pub use cell::{Cell, Moment};
pub use check::{Check, Rest, Step};
pub use cost::{Cost, Spent};
pub use cursor::{Cursor, CursorKind, Position, Watermark};
pub use error::{ConnectorError, ErrorKind, Retry};
pub use read::{BatchStream, NullCursors, ReadRequest, RunTag};
pub use slice::{Held, Slice, SliceRequest};
pub use table::{ColumnInfo, Table, TableRef, Type};

/// The result of every connector call.
pub type Result<T> = std::result::Result<T, ConnectorError>;

/// One opened source: everything Weir may ask of the system behind it. Reads only, never writes.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Tries the connection in named steps, the table's steps included when one is given. A failed step ends the list.
    async fn check(&self, table: Option<&TableRef>, cursor: Option<&str>) -> Check;

    /// Lists the tables and views the credential may see, without their columns, ordered by name.
    async fn discover(&self) -> Result<Vec<Table>>;

    /// Describes one table with its columns.
    ///
    /// # Errors
    /// `NotFound` when the table does not exist or may not be seen.
    async fn describe(&self, table: &TableRef) -> Result<Table>;

    /// Reads up to `limit` rows of the named columns, in no promised order.
    async fn preview(&self, table: &TableRef, columns: &[String], limit: u32) -> Result<Batch>;

    /// Tells the greatest cursor of a table; `None` when no row has one that can be read.
    async fn newest(&self, table: &TableRef, cursor: &Cursor) -> Result<Option<Watermark>>;

    /// Tells the system's own clock, in UTC.
    async fn clock(&self) -> Result<Moment>;

    /// Tells how many bytes a read would look at, or bill, without doing it; `None` where the system does not tell.
    ///
    /// # Errors
    /// What the read itself would be refused for.
    async fn estimate(&self, _request: &ReadRequest) -> Result<Option<u64>> {
        Ok(None)
    }

    /// Tells in a sentence how a table could be read for less by this cursor; `None` where nothing is to be said.
    ///
    /// # Errors
    /// When the system's catalog cannot be asked.
    async fn advice(&self, _table: &TableRef, _cursor: &str) -> Result<Option<String>> {
        Ok(None)
    }

    /// Tells what the table holds in each slice of the cursor. A kind that does not ask its system to add up reads the
    /// cursor and the values, and adds them up here.
    ///
    /// # Errors
    /// What the system refused; what the read of the same rows would be refused for.
    async fn slices(&self, request: SliceRequest) -> Result<Vec<Slice>> {
        slice::of_read(&request, self.read(request.as_read())).await
    }

    /// Reads rows as the request says. Dropping the stream cancels the statement behind it.
    fn read(&self, request: ReadRequest) -> BatchStream;
}
