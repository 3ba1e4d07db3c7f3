//! How a decimal meets the database: `NUMERIC` on PostgreSQL, text on SQLite.
//!
//! It is bound as text on both. Columns say `save_as = "decimal_text"`, which the schema makes a domain over
//! `NUMERIC` on PostgreSQL; on SQLite the `TEXT` in that name makes the cast keep the text as it is. Reading takes
//! the digits of PostgreSQL's binary form as they come. Raw SQL on PostgreSQL casts itself: `$1::numeric`.

use super::Decimal;
use super::numeric::read_binary;
use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr};
use sea_orm::sqlx::postgres::PgValueFormat;
use sea_orm::sqlx::{Row, TypeInfo, ValueRef};
use sea_orm::{ActiveValue, ColIdx, DbErr, IntoActiveValue, QueryResult, TryGetError, TryGetable, Value};

impl From<Decimal> for Value {
    fn from(number: Decimal) -> Self {
        Value::String(Some(number.into()))
    }
}

impl TryGetable for Decimal {
    fn try_get_by<I: ColIdx>(result: &QueryResult, index: I) -> Result<Self, TryGetError> {
        let Some(row) = result.try_as_pg_row() else {
            let text = String::try_get_by(result, index)?;
            return <Decimal as TryFrom<String>>::try_from(text).map_err(|error| unreadable(index, &error));
        };
        let cell =
            row.try_get_raw(index.as_sqlx_postgres_index()).map_err(|error| unreadable(index, &error))?;
        if cell.is_null() {
            return Err(TryGetError::Null(format!("{index:?}")));
        }
        let binary = cell.format() == PgValueFormat::Binary && cell.type_info().name() == "NUMERIC";
        if binary {
            let bytes = cell.as_bytes().map_err(|error| unreadable(index, &*error))?;
            read_binary(bytes).map_err(|error| unreadable(index, &error))
        } else {
            let text = cell.as_str().map_err(|error| unreadable(index, &*error))?;
            text.parse().map_err(|error: super::DecimalError| unreadable(index, &error))
        }
    }
}

fn unreadable(index: impl ColIdx, error: &(impl std::fmt::Display + ?Sized)) -> TryGetError {
    TryGetError::DbErr(DbErr::Type(format!("decimal column {index:?} cannot be read: {error}")))
}

impl ValueType for Decimal {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        match value {
            Value::String(Some(text)) => {
                <Decimal as TryFrom<String>>::try_from(text).map_err(|_| ValueTypeErr)
            }
            _ => Err(ValueTypeErr),
        }
    }

    fn type_name() -> String {
        "Decimal".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::Text
    }
}

impl Nullable for Decimal {
    fn null() -> Value {
        Value::String(None)
    }
}

impl IntoActiveValue<Decimal> for Decimal {
    fn into_active_value(self) -> ActiveValue<Decimal> {
        ActiveValue::Set(self)
    }
}
