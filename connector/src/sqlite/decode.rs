//! One stored value as a cell. SQLite keeps a storage class per value, whatever the column declares.

use std::fmt::Write;

use sqlx::sqlite::SqliteValueRef;
use sqlx::{Decode, Sqlite, TypeInfo, ValueRef};

use super::layout;
use crate::{Column, Data, Result, decimal};
use crate::{ConnectorError, ErrorKind};

/// A value exactly as it is stored, borrowed from its row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stored<'a> {
    /// NULL.
    Null,
    /// INTEGER.
    Int(i64),
    /// REAL.
    Real(f64),
    /// TEXT, which SQLite does not check to be UTF-8.
    Text(&'a [u8]),
    /// BLOB.
    Blob(&'a [u8]),
}

impl<'a> Stored<'a> {
    /// Takes a value out of a row.
    ///
    /// # Errors
    /// `Protocol` when it has no storage class SQLite knows.
    pub fn of(value: SqliteValueRef<'a>) -> Result<Self> {
        let garbled = |_| ConnectorError::new(ErrorKind::Protocol, "SQLite gave a value that cannot be read");
        if value.is_null() {
            return Ok(Self::Null);
        }
        let class = value.type_info();
        Ok(match class.name() {
            "INTEGER" => Self::Int(<i64 as Decode<Sqlite>>::decode(value).map_err(garbled)?),
            "REAL" => Self::Real(<f64 as Decode<Sqlite>>::decode(value).map_err(garbled)?),
            "TEXT" => Self::Text(<&[u8] as Decode<Sqlite>>::decode(value).map_err(garbled)?),
            "BLOB" => Self::Blob(<&[u8] as Decode<Sqlite>>::decode(value).map_err(garbled)?),
            other => {
                let message = format!("SQLite gave a value of the unknown storage class {other}");
                return Err(ConnectorError::new(ErrorKind::Protocol, message));
            }
        })
    }

    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Null => 1,
            Self::Int(_) | Self::Real(_) => 9,
            Self::Text(bytes) | Self::Blob(bytes) => bytes.len() + 5,
        }
    }
}

/// Appends a value to a column; one that cannot be read exactly as the column's type is kept as raw text.
pub fn push(column: &mut Column, value: Stored<'_>, cell_bytes: usize) {
    let done = match value {
        Stored::Null => return column.push_null(),
        Stored::Int(value) => int(column.values(), value),
        Stored::Real(value) => real(column.values(), value),
        Stored::Text(bytes) if bytes.len() > cell_bytes => {
            return column.push_unreadable(cut(&bytes[..cell_bytes]));
        }
        Stored::Text(bytes) => std::str::from_utf8(bytes).is_ok_and(|value| text(column.values(), value)),
        Stored::Blob(_) => false,
    };
    if done { column.pushed() } else { column.push_unreadable(raw(value, cell_bytes)) }
}

fn int(data: &mut Data, value: i64) -> bool {
    match data {
        Data::Int(values) => values.push(value),
        Data::Bool(values) if value == 0 || value == 1 => values.push(value == 1),
        // Past 53 bits a float no longer tells every integer.
        Data::Float(values) if value.unsigned_abs() <= 1 << 53 => values.push(value as f64),
        Data::Decimal(values) | Data::Text(values) | Data::Json(values) => {
            write!(values.buffer(), "{value}").expect("writing to a String cannot fail");
            values.close();
        }
        _ => return false,
    }
    true
}

fn real(data: &mut Data, value: f64) -> bool {
    match data {
        Data::Float(values) => values.push(value),
        Data::Decimal(values) | Data::Text(values) | Data::Json(values) => {
            if !decimal::float_into(value, values.buffer()) {
                return false;
            }
            values.close();
        }
        _ => return false,
    }
    true
}

fn text(data: &mut Data, value: &str) -> bool {
    match data {
        Data::Text(values) => values.push(value),
        Data::Decimal(values) => {
            if !decimal::canonicalize_into(value, values.buffer()) {
                return false;
            }
            values.close();
        }
        Data::Json(values) => {
            if serde_json::from_str::<serde::de::IgnoredAny>(value).is_err() {
                return false;
            }
            values.push(value);
        }
        Data::Bool(values) if value.eq_ignore_ascii_case("true") => values.push(true),
        Data::Bool(values) if value.eq_ignore_ascii_case("false") => values.push(false),
        Data::Date(values) => match layout::date(value).and_then(|days| i32::try_from(days).ok()) {
            Some(days) => values.push(days),
            None => return false,
        },
        Data::Naive(values) => match layout::time(value) {
            Some((moment, layout)) if !layout.zoned() => values.push(moment),
            _ => return false,
        },
        Data::Zoned(values) => match layout::time(value) {
            Some((moment, layout)) if layout.zoned() => values.push(moment),
            _ => return false,
        },
        _ => return false,
    }
    true
}

/// The value as people read it: blobs in hexadecimal digits, cut.
fn raw(value: Stored<'_>, cell_bytes: usize) -> String {
    match value {
        Stored::Null => String::new(),
        Stored::Int(value) => value.to_string(),
        Stored::Real(value) => {
            let mut text = String::new();
            if decimal::float_into(value, &mut text) { text } else { value.to_string() }
        }
        Stored::Text(bytes) => cut(bytes),
        Stored::Blob(bytes) => {
            let mut text = String::new();
            for byte in bytes.iter().take(cell_bytes / 2) {
                write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            }
            text
        }
    }
}

/// Bytes as text, without the half character a cut may have left at the end.
fn cut(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => {
            String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned()
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Type;

    fn cell(kind: Type, value: Stored<'_>) -> String {
        let mut column = Column::new("c", kind, false);
        push(&mut column, value, 40);
        assert_eq!(column.len(), 1);
        format!("{:?}", column.cell(0))
    }

    #[test]
    fn pitfall_14_a_value_is_read_exactly_or_kept_as_raw_text() {
        let text = |text: &'static str| Stored::Text(text.as_bytes());
        for (kind, value, wanted) in [
            (Type::Int, Stored::Int(i64::MAX), "Int(9223372036854775807)"),
            (Type::Int, Stored::Real(5.5), "Unreadable(\"5.5\")"),
            (Type::Int, text("five"), "Unreadable(\"five\")"),
            (Type::Float, Stored::Int(1 << 53), "Float(9007199254740992.0)"),
            (Type::Float, Stored::Int((1 << 53) + 1), "Unreadable(\"9007199254740993\")"),
            (Type::Float, Stored::Real(f64::INFINITY), "Float(inf)"),
            (Type::Decimal, Stored::Int(-7), "Decimal(\"-7\")"),
            (Type::Decimal, Stored::Real(0.1), "Decimal(\"0.1\")"),
            (Type::Decimal, Stored::Real(f64::INFINITY), "Unreadable(\"inf\")"),
            (Type::Decimal, text("12345678901234567890.10"), "Decimal(\"12345678901234567890.1\")"),
            (Type::Decimal, text("NaN"), "Unreadable(\"NaN\")"),
            (Type::Bool, Stored::Int(1), "Bool(true)"),
            (Type::Bool, text("FALSE"), "Bool(false)"),
            (Type::Bool, Stored::Int(2), "Unreadable(\"2\")"),
            (Type::Date, text("2026-02-28"), "Date(20512)"),
            (Type::Date, text("28.2.2026"), "Unreadable(\"28.2.2026\")"),
            (Type::Naive, text("2026-02-28 00:00:00Z"), "Unreadable(\"2026-02-28 00:00:00Z\")"),
            (Type::Zoned, text("2026-02-28 00:00:00"), "Unreadable(\"2026-02-28 00:00:00\")"),
            (Type::Text, Stored::Int(15), "Text(\"15\")"),
            (Type::Text, Stored::Blob(&[0xde, 0xad]), "Unreadable(\"dead\")"),
            (Type::Text, Stored::Text(b"a\xff"), "Unreadable(\"a\u{fffd}\")"),
            (Type::Text, Stored::Text(b""), "Text(\"\")"),
            (Type::Other, Stored::Real(1e21), "Text(\"1000000000000000000000\")"),
        ] {
            assert_eq!(cell(kind, value), wanted);
        }
    }

    #[test]
    fn pitfall_21_three_sorts_of_null() {
        assert_eq!(cell(Type::Json, Stored::Null), "Null");
        assert_eq!(cell(Type::Json, Stored::Text(b"null")), "Json(\"null\")");
        assert_eq!(cell(Type::Json, Stored::Text(b"\"null\"")), "Json(\"\\\"null\\\"\")");
        assert_eq!(cell(Type::Text, Stored::Text(b"null")), "Text(\"null\")");
        assert_eq!(cell(Type::Json, Stored::Text(b"{")), "Unreadable(\"{\")");
    }

    #[test]
    fn a_long_cell_is_cut_between_characters() {
        let long = "é".repeat(30);
        let mut column = Column::new("c", Type::Text, false);
        push(&mut column, Stored::Text(long.as_bytes()), 41);
        assert_eq!(column.cell(0).to_string(), "é".repeat(20));
        push(&mut column, Stored::Blob(&[1; 50]), 10);
        assert_eq!(column.cell(1).to_string(), "0101010101");
    }
}
