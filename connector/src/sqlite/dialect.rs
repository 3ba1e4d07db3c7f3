//! SQLite's names, types and statements.

use std::fmt::Write;

use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;

use super::decode::Stored;
use crate::{ConnectorError, ErrorKind, Result, Type};

/// Quotes a name exactly as it is.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A column of the table read, which every statement calls `t`. A bare quoted name would turn into a text when the
/// column is gone.
pub fn column(name: &str) -> String {
    format!("t.{}", quote(name))
}

/// What SQLite does to values stored in a column: <https://sqlite.org/datatype3.html#determination_of_column_affinity>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affinity {
    /// Texts that look like integers become integers.
    Integer,
    /// Numbers become texts.
    Text,
    /// Numbers become floats, and texts that look like numbers too.
    Real,
    /// Texts that look like numbers become numbers.
    Numeric,
    /// Nothing.
    None,
}

impl Affinity {
    /// The affinity of a declared type.
    pub fn of(declared: &str) -> Self {
        let has = |words: &[&str]| words.iter().any(|word| declared.to_ascii_uppercase().contains(word));
        if has(&["INT"]) {
            Self::Integer
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        } else if declared.is_empty() || has(&["BLOB"]) {
            Self::None
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Self::Real
        } else {
            Self::Numeric
        }
    }
}

/// The logical type of a declared one. For days and times [`sampled`] has the last word.
pub fn logical(declared: &str) -> Type {
    let upper = declared.to_ascii_uppercase();
    let bare = upper.split('(').next().unwrap_or_default().trim();
    let zone = bare.contains("TZ") || (upper.contains("TIME ZONE") && !upper.contains("WITHOUT TIME ZONE"));
    match bare {
        _ if ["REAL", "FLOA", "DOUB"].iter().any(|word| bare.contains(word)) => Type::Float,
        "POINT" | "INTERVAL" => Type::Other,
        _ if bare.contains("INT") => Type::Int,
        _ if ["CHAR", "CLOB", "TEXT"].iter().any(|word| bare.contains(word)) => Type::Text,
        "STRING" | "UUID" => Type::Text,
        "JSON" => Type::Json,
        _ if bare.starts_with("BOOL") => Type::Bool,
        _ if bare.starts_with("DATETIME") || bare.starts_with("TIMESTAMP") || upper.contains("TIME ZONE") => {
            if bare.starts_with("TIME ") || bare == "TIME" {
                Type::Other
            } else if zone {
                Type::Zoned
            } else {
                Type::Naive
            }
        }
        "DATE" => Type::Date,
        "NUM" | "NUMERIC" | "DEC" | "DECIMAL" | "NUMBER" | "MONEY" => Type::Decimal,
        _ => Type::Other,
    }
}

/// The logical type of a column declared to hold days or times, by what it really holds: SQLite has no such type, and
/// owners keep texts with and without a zone, days, or numbers in it.
pub fn sampled(declared: Type, sample: Stored<'_>) -> Type {
    match sample {
        Stored::Int(_) => Type::Int,
        Stored::Real(_) => Type::Float,
        Stored::Text(bytes) => {
            let Ok(text) = std::str::from_utf8(bytes) else { return declared };
            match super::layout::time(text) {
                Some((_, layout)) if layout.zoned() => Type::Zoned,
                Some(_) if declared != Type::Zoned => Type::Naive,
                None if super::layout::date(text).is_some() => Type::Date,
                _ => declared,
            }
        }
        Stored::Null | Stored::Blob(_) => declared,
    }
}

/// What to select for a column: the value, or its first bytes when it is longer than a cell may be, one more than
/// allowed so that the cut shows. `octet_length` tells a length without loading the value.
pub fn select_item(name: &str, cell_bytes: usize) -> String {
    let item = column(name);
    let more = cell_bytes.saturating_add(1).min(i32::MAX as usize);
    format!(
        "CASE typeof({item}) WHEN 'text' THEN CASE WHEN octet_length({item}) < {more} THEN {item} \
         ELSE CAST(substr(CAST({item} AS BLOB), 1, {more}) AS TEXT) END \
         WHEN 'blob' THEN substr({item}, 1, {more}) ELSE {item} END"
    )
}

/// A value to bind, of the storage class it has in the table.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// INTEGER.
    Int(i64),
    /// REAL.
    Real(f64),
    /// TEXT.
    Text(String),
    /// BLOB.
    Blob(Vec<u8>),
}

impl Value {
    /// Keeps a stored value of the named column.
    ///
    /// # Errors
    /// `Schema` when it is text that is not UTF-8, which cannot be bound.
    pub fn keep(column: &str, stored: Stored<'_>) -> Result<Self> {
        Ok(match stored {
            Stored::Null => Self::Null,
            Stored::Int(value) => Self::Int(value),
            Stored::Real(value) => Self::Real(value),
            Stored::Blob(bytes) => Self::Blob(bytes.to_vec()),
            Stored::Text(bytes) => Self::Text(
                std::str::from_utf8(bytes)
                    .map_err(|_| {
                        let message =
                            format!("column {column:?} orders the rows, but holds text that is not UTF-8");
                        ConnectorError::new(ErrorKind::Schema, message)
                            .hint("mend the text, or choose another column")
                    })?
                    .to_owned(),
            ),
        })
    }
}

/// Binds values in order.
pub fn bind<'q>(
    mut query: Query<'q, Sqlite, SqliteArguments>,
    values: &[Value],
) -> Query<'q, Sqlite, SqliteArguments> {
    for value in values {
        query = match value {
            Value::Null => query.bind(None::<i64>),
            Value::Int(value) => query.bind(*value),
            Value::Real(value) => query.bind(*value),
            Value::Text(text) => query.bind(text.clone()),
            Value::Blob(bytes) => query.bind(bytes.clone()),
        };
    }
    query
}

/// The condition that a row lies beyond a position, or at it unless `strict`, with the values it is bound to.
///
/// Nulls come first in SQLite's order. A comparison of row values lets an index be entered at the very position; it
/// is right for rows with nulls, but not for a position with one.
pub fn beyond(order: &[String], position: &[Value], strict: bool) -> (String, Vec<Value>) {
    let order = &order[..position.len()];
    let sign = if strict { ">" } else { ">=" };
    if !position.contains(&Value::Null) {
        let marks = vec!["?"; order.len()].join(", ");
        return (format!("({}) {sign} ({marks})", order.join(", ")), position.to_vec());
    }
    let mut condition = "(".to_owned();
    let mut values = Vec::new();
    if let (Some(item), Some(value)) =
        (order.first(), position.first().filter(|value| **value != Value::Null))
    {
        // Where an index can be entered.
        write!(condition, "{item} >= ? AND ").expect("writing to a String cannot fail");
        values.push(value.clone());
    }
    for (item, value) in order.iter().zip(position) {
        if *value == Value::Null {
            write!(condition, "({item} IS NOT NULL OR (").expect("writing to a String cannot fail");
        } else {
            write!(condition, "({item} > ? OR ({item} = ? AND ").expect("writing to a String cannot fail");
            values.extend([value.clone(), value.clone()]);
        }
    }
    condition.push(if strict { '0' } else { '1' });
    condition.push_str(&"))".repeat(order.len()));
    condition.push(')');
    (condition, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pitfall_20_names_are_quoted_exactly() {
        assert_eq!(quote("we\"ird name"), "\"we\"\"ird name\"");
        assert_eq!(column("order"), "t.\"order\"");
    }

    #[test]
    fn declared_types_become_logical_ones() {
        for (declared, affinity, kind) in [
            ("INTEGER", Affinity::Integer, Type::Int),
            ("unsigned big int", Affinity::Integer, Type::Int),
            ("DOUBLE PRECISION", Affinity::Real, Type::Float),
            ("FLOATING POINT", Affinity::Integer, Type::Float),
            ("VARCHAR(40)", Affinity::Text, Type::Text),
            ("STRING", Affinity::Numeric, Type::Text),
            ("NUMERIC(38,10)", Affinity::Numeric, Type::Decimal),
            ("NUM", Affinity::Numeric, Type::Decimal),
            ("BOOLEAN", Affinity::Numeric, Type::Bool),
            ("date", Affinity::Numeric, Type::Date),
            ("DATETIME", Affinity::Numeric, Type::Naive),
            ("TIMESTAMP(6)", Affinity::Numeric, Type::Naive),
            ("TIMESTAMP(6) WITHOUT TIME ZONE", Affinity::Numeric, Type::Naive),
            ("TIMESTAMP(6) WITH TIME ZONE", Affinity::Numeric, Type::Zoned),
            ("TIMESTAMPTZ", Affinity::Numeric, Type::Zoned),
            ("DATETIME_TZ", Affinity::Numeric, Type::Zoned),
            ("TIME", Affinity::Numeric, Type::Other),
            ("TIME WITH TIME ZONE", Affinity::Numeric, Type::Other),
            ("JSON", Affinity::Numeric, Type::Json),
            ("BLOB", Affinity::None, Type::Other),
            ("", Affinity::None, Type::Other),
        ] {
            assert_eq!(Affinity::of(declared), affinity, "{declared}");
            assert_eq!(logical(declared), kind, "{declared}");
        }
    }

    #[test]
    fn pitfall_10_a_sample_tells_what_a_time_column_holds() {
        for (declared, sample, kind) in [
            (Type::Naive, Stored::Text(b"2026-02-28 10:00:00"), Type::Naive),
            (Type::Naive, Stored::Text(b"2026-02-28T10:00:00Z"), Type::Zoned),
            (Type::Zoned, Stored::Text(b"2026-02-28 10:00:00"), Type::Zoned),
            (Type::Naive, Stored::Text(b"2026-02-28"), Type::Date),
            (Type::Naive, Stored::Int(1_772_000_000), Type::Int),
            (Type::Date, Stored::Real(2_460_000.5), Type::Float),
            (Type::Date, Stored::Text(b"soon"), Type::Date),
            (Type::Naive, Stored::Null, Type::Naive),
        ] {
            assert_eq!(sampled(declared, sample), kind);
        }
    }

    #[test]
    fn pitfall_02_positions_are_entered_exactly() {
        let order = ["t.c".to_owned(), "t.k".to_owned()];
        let (condition, values) = beyond(&order, &[Value::Int(5), Value::Text("a".to_owned())], true);
        assert_eq!(condition, "(t.c, t.k) > (?, ?)");
        assert_eq!(values.len(), 2);
        let (condition, values) = beyond(&order, &[Value::Int(5), Value::Null], false);
        assert_eq!(condition, "(t.c >= ? AND (t.c > ? OR (t.c = ? AND (t.k IS NOT NULL OR (1)))))");
        assert_eq!(values, [Value::Int(5), Value::Int(5), Value::Int(5)]);
    }
}
