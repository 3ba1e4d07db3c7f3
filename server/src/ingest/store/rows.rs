//! Many rows into one table at once: binary COPY on PostgreSQL (arrays for a few), prepared multi-row statements on SQLite.

use std::fmt::Write;
use std::ops::Range;

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{CopyBuffer, Store, arrays, copy};
use crate::db::Backend;
use crate::error::Result;

/// Rows per SQLite statement: a few fixed sizes, so that a few prepared statements serve every count. Larger ones are
/// hardly faster, and each takes megabytes in every connection. SQLite binds at most 32 766 values in a statement.
const CHUNKS: [usize; 4] = [256, 64, 8, 1];

/// Rows on their way into one table. Plain inserts: a row that exists already is an error.
pub struct Insert {
    table: &'static str,
    columns: &'static [&'static str],
    fields: Fields,
    rows: usize,
}

enum Fields {
    Postgres(CopyBuffer),
    Sqlite { values: Vec<Field>, text: String },
}

enum Field {
    Null,
    Int(i64),
    Text(Range<usize>),
    Uuid(Uuid),
}

impl Insert {
    /// Starts with no row.
    pub fn new(backend: Backend, table: &'static str, columns: &'static [&'static str]) -> Self {
        let fields = match backend {
            Backend::Postgres => Fields::Postgres(CopyBuffer::new()),
            Backend::Sqlite => Fields::Sqlite { values: Vec::new(), text: String::new() },
        };
        Self { table, columns, fields, rows: 0 }
    }

    /// Starts a row; as many fields as there are columns must follow.
    pub fn row(&mut self) {
        self.rows += 1;
        if let Fields::Postgres(copy) = &mut self.fields {
            copy.row(self.columns.len() as i16);
        }
    }

    /// Appends an integer or null.
    pub fn int(&mut self, value: impl Into<Option<i64>>) {
        match (&mut self.fields, value.into()) {
            (Fields::Postgres(copy), Some(value)) => copy.int(value),
            (Fields::Postgres(copy), None) => copy.null(copy::Field::Int),
            (Fields::Sqlite { values, .. }, Some(value)) => values.push(Field::Int(value)),
            (Fields::Sqlite { values, .. }, None) => values.push(Field::Null),
        }
    }

    /// Appends a text or null.
    pub fn text<'a>(&mut self, value: impl Into<Option<&'a str>>) {
        match (&mut self.fields, value.into()) {
            (Fields::Postgres(copy), Some(value)) => copy.text(value),
            (Fields::Postgres(copy), None) => copy.null(copy::Field::Text),
            (fields, value) => fields.sqlite_text(value),
        }
    }

    /// Appends a canonical decimal or null.
    pub fn decimal<'a>(&mut self, value: impl Into<Option<&'a str>>) {
        match (&mut self.fields, value.into()) {
            (Fields::Postgres(copy), Some(value)) => copy.decimal(value),
            (Fields::Postgres(copy), None) => copy.null(copy::Field::Decimal),
            (fields, value) => fields.sqlite_text(value),
        }
    }

    /// Appends an ID or null.
    pub fn uuid(&mut self, value: impl Into<Option<Uuid>>) {
        match (&mut self.fields, value.into()) {
            (Fields::Postgres(copy), Some(value)) => copy.uuid(value),
            (Fields::Postgres(copy), None) => copy.null(copy::Field::Uuid),
            (Fields::Sqlite { values, .. }, Some(value)) => values.push(Field::Uuid(value)),
            (Fields::Sqlite { values, .. }, None) => values.push(Field::Null),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Writes the rows and forgets them, keeping the memory.
    ///
    /// # Errors
    /// When the database refuses; the transaction is then of no more use.
    pub async fn write(&mut self, store: &mut Store) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        match (&mut self.fields, store) {
            (Fields::Postgres(copy), Store::Postgres(transaction)) if rows <= arrays::MOST_ROWS => {
                arrays::insert(transaction, self.table, self.columns, (copy, rows)).await?;
                copy.clear();
            }
            (Fields::Postgres(copy), Store::Postgres(transaction)) => {
                let sql =
                    format!("COPY {} ({}) FROM STDIN (FORMAT binary)", self.table, self.columns.join(", "));
                let mut sink = transaction.copy_in_raw(&sql).await?;
                sink.send(copy.finish()).await?;
                sink.finish().await?;
                copy.clear();
            }
            (Fields::Sqlite { values, text }, Store::Sqlite(transaction)) => {
                let width = self.columns.len();
                let mut done = 0;
                while done < rows {
                    let fits = |size: &&usize| **size <= rows - done;
                    let size = *CHUNKS.iter().find(fits).unwrap_or(&1);
                    let sql = insert_sql(self.table, self.columns, size);
                    let mut query = sqlx::query(AssertSqlSafe(sql));
                    for value in &values[done * width..(done + size) * width] {
                        query = match value {
                            Field::Null => query.bind(None::<i64>),
                            Field::Int(value) => query.bind(*value),
                            Field::Text(range) => query.bind(text[range.clone()].to_owned()),
                            Field::Uuid(id) => query.bind(*id),
                        };
                    }
                    query.execute(&mut **transaction).await?;
                    done += size;
                }
                values.clear();
                text.clear();
            }
            _ => {
                return Err(crate::error::Error::internal(
                    "write rows",
                    "they were made for another database",
                ));
            }
        }
        Ok(())
    }
}

impl Fields {
    fn sqlite_text(&mut self, value: Option<&str>) {
        if let Self::Sqlite { values, text } = self {
            values.push(value.map_or(Field::Null, |value| {
                let start = text.len();
                text.push_str(value);
                Field::Text(start..text.len())
            }));
        }
    }
}

fn insert_sql(table: &str, columns: &[&str], rows: usize) -> String {
    let mut sql = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
    let row = format!("({})", vec!["?"; columns.len()].join(","));
    for index in 0..rows {
        let comma = if index > 0 { "," } else { "" };
        write!(sql, "{comma}{row}").expect("writing to a String cannot fail");
    }
    sql
}
