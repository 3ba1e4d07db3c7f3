//! A few rows into a PostgreSQL table: one `INSERT` from arrays.
//!
//! COPY costs less per row, but its end is a message of its own, which waits for the acknowledgement of the data before
//! it: 40 ms on Linux, whatever the size. A statement with bound arrays goes out in one piece.
//!
//! Source: `array_recv` in PostgreSQL's `src/backend/utils/adt/arrayfuncs.c`: dimensions, whether there are nulls, the
//! element type, then per dimension its length and first index, then length-prefixed elements, which are in the same
//! form as the fields of a COPY.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::{AssertSqlSafe, Encode, PgConnection, Postgres, Type};

use super::copy::{CopyBuffer, Field};
use crate::error::{Error, Result};

/// Above so many rows COPY is faster, its wait included.
pub const MOST_ROWS: usize = 2_000;

/// An array in PostgreSQL's binary form.
struct Array {
    field: Field,
    bytes: Vec<u8>,
}

impl Array {
    fn new(field: Field, rows: usize) -> Self {
        let element = match field {
            Field::Int => 20_u32,
            Field::Text => 25,
            Field::Decimal => 1_700,
            Field::Uuid => 2_950,
        };
        let mut bytes = Vec::with_capacity(20 + rows * 16);
        for word in [1, 1, element, rows as u32, 1] {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        Self { field, bytes }
    }

    fn cast(&self) -> &'static str {
        match self.field {
            Field::Int => "int8[]",
            Field::Text => "text[]",
            Field::Decimal => "numeric[]",
            Field::Uuid => "uuid[]",
        }
    }
}

impl Type<Postgres> for Array {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Array {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> std::result::Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&self.bytes);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(match self.field {
            Field::Int => 1_016,
            Field::Text => 1_009,
            Field::Decimal => 1_231,
            Field::Uuid => 2_951,
        })))
    }

    fn size_hint(&self) -> usize {
        self.bytes.len()
    }
}

/// Writes the rows of a COPY with an `INSERT` instead.
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    connection: &mut PgConnection,
    table: &str,
    columns: &[&str],
    (copy, rows): (&CopyBuffer, usize),
) -> Result<()> {
    let mut arrays: Vec<Array> = copy.fields().iter().map(|field| Array::new(*field, rows)).collect();
    let width = arrays.len();
    for (index, value) in copy.values().enumerate() {
        arrays[index % width.max(1)].bytes.extend_from_slice(value);
    }
    if width != columns.len() {
        return Err(Error::internal("write rows", format!("{width} fields for {} columns", columns.len())));
    }
    let casts: Vec<String> =
        arrays.iter().enumerate().map(|(index, array)| format!("${}::{}", index + 1, array.cast())).collect();
    let (columns, casts) = (columns.join(", "), casts.join(", "));
    let sql = format!("INSERT INTO {table} ({columns}) SELECT * FROM unnest({casts})");
    let query = arrays.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, array| query.bind(array));
    query.execute(connection).await?;
    Ok(())
}
