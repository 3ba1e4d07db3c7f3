//! Rows that come back, the same on both databases.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Column, Postgres, Row, Sqlite, TypeInfo, ValueRef};
use uuid::Uuid;

use super::bind::{Bind, Rows, Rows1};
use crate::error::{Error, Result};

/// One value that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Null.
    Null,
    /// An integer.
    Int(i64),
    /// A text; decimals are cast to text by the statement.
    Text(String),
    /// An ID.
    Uuid(Uuid),
    /// A truth value; SQLite gives 0 and 1 as integers.
    Bool(bool),
}

/// One row that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record(Vec<Value>);

impl Record {
    fn wrong(&self, index: usize, wanted: &str) -> Error {
        Error::internal("read a stored row", format!("column {index} is not {wanted}"))
    }

    /// The integer at `index`.
    ///
    /// # Errors
    /// When it is something else: a fault of ours.
    pub fn int(&self, index: usize) -> Result<i64> {
        self.maybe_int(index)?.ok_or_else(|| self.wrong(index, "an integer"))
    }

    /// The integer or null at `index`.
    ///
    /// # Errors
    /// When it is something else: a fault of ours.
    pub fn maybe_int(&self, index: usize) -> Result<Option<i64>> {
        match self.0.get(index) {
            Some(Value::Int(value)) => Ok(Some(*value)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.wrong(index, "an integer")),
        }
    }

    /// The text at `index`.
    ///
    /// # Errors
    /// When it is something else: a fault of ours.
    pub fn text(&self, index: usize) -> Result<&str> {
        self.maybe_text(index)?.ok_or_else(|| self.wrong(index, "a text"))
    }

    /// The text or null at `index`.
    ///
    /// # Errors
    /// When it is something else: a fault of ours.
    pub fn maybe_text(&self, index: usize) -> Result<Option<&str>> {
        match self.0.get(index) {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.wrong(index, "a text")),
        }
    }

    /// The ID at `index`.
    ///
    /// # Errors
    /// When it is something else: a fault of ours.
    pub fn uuid(&self, index: usize) -> Result<Uuid> {
        self.maybe_uuid(index)?.ok_or_else(|| self.wrong(index, "an ID"))
    }

    /// The ID or null at `index`.
    ///
    /// # Errors
    /// When it is something else: a fault of ours.
    pub fn maybe_uuid(&self, index: usize) -> Result<Option<Uuid>> {
        match self.0.get(index) {
            Some(Value::Uuid(id)) => Ok(Some(*id)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.wrong(index, "an ID")),
        }
    }

    /// The truth value at `index`.
    ///
    /// # Errors
    /// When it is something else: a fault of ours.
    pub fn bool(&self, index: usize) -> Result<bool> {
        match self.0.get(index) {
            Some(Value::Bool(value)) => Ok(*value),
            Some(Value::Int(value)) => Ok(*value != 0),
            _ => Err(self.wrong(index, "a truth value")),
        }
    }
}

type PgQuery<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;
type SqliteQuery<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

fn postgres_query<'q>(sql: String, binds: &[Bind], rows: Option<&Rows>) -> PgQuery<'q> {
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for bind in binds {
        query = match bind {
            Bind::Int(value) => query.bind(*value),
            Bind::Text(value) => query.bind(value.clone()),
            Bind::Uuid(value) => query.bind(*value),
            Bind::Bool(value) => query.bind(*value),
        };
    }
    for column in rows.into_iter().flat_map(Rows::columns) {
        query = match column {
            Rows1::Int(values) => query.bind(values.clone()),
            Rows1::Text(values) | Rows1::Decimal(values) => query.bind(values.clone()),
            Rows1::Uuid(values) => query.bind(values.clone()),
        };
    }
    query
}

fn sqlite_query<'q>(sql: String, binds: &[Bind], rows: Option<&Rows>) -> SqliteQuery<'q> {
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for bind in binds {
        query = match bind {
            Bind::Int(value) => query.bind(*value),
            Bind::Text(value) => query.bind(value.clone()),
            Bind::Uuid(value) => query.bind(*value),
            Bind::Bool(value) => query.bind(*value),
        };
    }
    match rows {
        Some(rows) => query.bind(rows.json()),
        None => query,
    }
}

fn postgres_record(row: &PgRow) -> Result<Record> {
    let value = |index: usize| -> Result<Value> {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Value::Null);
        }
        Ok(match row.column(index).type_info().name() {
            "INT8" => Value::Int(row.try_get::<i64, _>(index)?),
            "INT4" => Value::Int(i64::from(row.try_get::<i32, _>(index)?)),
            "BOOL" => Value::Bool(row.try_get(index)?),
            "UUID" => Value::Uuid(row.try_get(index)?),
            _ => Value::Text(row.try_get(index)?),
        })
    };
    (0..row.len()).map(value).collect::<Result<_>>().map(Record)
}

fn sqlite_record(row: &SqliteRow) -> Result<Record> {
    let value = |index: usize| -> Result<Value> {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Value::Null);
        }
        let kind = raw.type_info();
        Ok(match kind.name() {
            "INTEGER" | "BOOLEAN" => Value::Int(row.try_get_unchecked(index)?),
            "BLOB" => Value::Uuid(row.try_get_unchecked(index)?),
            _ => Value::Text(row.try_get_unchecked(index)?),
        })
    };
    (0..row.len()).map(value).collect::<Result<_>>().map(Record)
}

pub(super) async fn fetch_postgres(
    connection: &mut sqlx::PgConnection,
    sql: String,
    binds: &[Bind],
    rows: Option<&Rows>,
) -> Result<Vec<Record>> {
    let found = postgres_query(sql, binds, rows).fetch_all(connection).await?;
    found.iter().map(postgres_record).collect()
}

pub(super) async fn fetch_sqlite(
    connection: &mut sqlx::SqliteConnection,
    sql: String,
    binds: &[Bind],
    rows: Option<&Rows>,
) -> Result<Vec<Record>> {
    let found = sqlite_query(sql, binds, rows).fetch_all(connection).await?;
    found.iter().map(sqlite_record).collect()
}

pub(super) async fn execute_postgres(
    connection: &mut sqlx::PgConnection,
    sql: String,
    binds: &[Bind],
    rows: Option<&Rows>,
) -> Result<u64> {
    Ok(postgres_query(sql, binds, rows).execute(connection).await?.rows_affected())
}

pub(super) async fn execute_sqlite(
    connection: &mut sqlx::SqliteConnection,
    sql: String,
    binds: &[Bind],
    rows: Option<&Rows>,
) -> Result<u64> {
    Ok(sqlite_query(sql, binds, rows).execute(connection).await?.rows_affected())
}
