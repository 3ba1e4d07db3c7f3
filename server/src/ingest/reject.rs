//! Why a row cannot be mapped, and the row kept whole.

use std::fmt::Write;

use connector::{Batch, Cell};
use sha2::{Digest, Sha256};

/// The closed list of why a row is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A key, account or metric column is null or blank.
    NullKey,
    /// Two different rows have the same row key and cursor.
    KeyNotUnique,
    /// The cursor is null and the stream's policy is to reject.
    NullCursor,
    /// The cursor is too far ahead of the source's clock.
    FutureCursor,
    /// The value is not a number.
    ValueNotNumeric,
    /// The value is NaN or infinite.
    ValueNotFinite,
    /// The value has over four hundred digits.
    ValueTooLong,
    /// The measurement time cannot be read.
    TimeUnreadable,
    /// The measurement time is before year 1 or after year 9999.
    TimeOutOfRange,
    /// A cell is too large to keep.
    CellTooLarge,
    /// A cell cannot be decoded.
    Undecodable,
    /// A path leads into a cell that is no JSON document.
    NotJson,
    /// A path leads to an object or an array.
    NotScalar,
}

impl Reason {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NullKey => "null_key",
            Self::KeyNotUnique => "key_not_unique",
            Self::NullCursor => "null_cursor",
            Self::FutureCursor => "future_cursor",
            Self::ValueNotNumeric => "value_not_numeric",
            Self::ValueNotFinite => "value_not_finite",
            Self::ValueTooLong => "value_too_long",
            Self::TimeUnreadable => "time_unreadable",
            Self::TimeOutOfRange => "time_out_of_range",
            Self::CellTooLarge => "cell_too_large",
            Self::Undecodable => "undecodable",
            Self::NotJson => "not_json",
            Self::NotScalar => "not_scalar",
        }
    }
}

/// A row that cannot be mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Its place in the batch.
    pub row: u32,
    /// Why.
    pub reason: Reason,
    /// The column or path at fault, by its place.
    pub place: usize,
}

/// Appends a whole row as a JSON object of column to text or null.
///
/// All values are text, so that no reader rounds them and the same mapping can read them again.
pub fn row_json(batch: &Batch, row: usize, out: &mut String) {
    out.push('{');
    let mut text = String::new();
    for (index, column) in batch.columns.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_json_text(column.name(), out);
        out.push(':');
        match column.cell(row) {
            Cell::Null => out.push_str("null"),
            Cell::Text(value) | Cell::Decimal(value) | Cell::Json(value) | Cell::Unreadable(value) => {
                push_json_text(value, out);
            }
            other => {
                text.clear();
                write!(text, "{other}").expect("writing to a String cannot fail");
                push_json_text(&text, out);
            }
        }
    }
    out.push('}');
}

/// Appends a text as a JSON string. NUL, which PostgreSQL's text cannot hold, becomes U+FFFD.
pub fn push_json_text(text: &str, out: &mut String) {
    out.push('"');
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push_str(text);
    } else {
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\0' => out.push('\u{fffd}'),
                c if c < ' ' => write!(out, "\\u{:04x}", c as u32).expect("writing to a String cannot fail"),
                c => out.push(c),
            }
        }
    }
    out.push('"');
}

/// The key of a row that has no usable key of its own: a fingerprint of the whole row, so that reading it again
/// finds it again.
pub fn fingerprint(row: &str) -> String {
    format!("~{}", hex::encode(&Sha256::digest(row.as_bytes())[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector::{Column, Type};

    #[test]
    fn pitfall_21_null_json_null_and_the_word_null_stay_three() {
        let mut batch = Batch::default();
        for (name, kind, cell) in [
            ("a", Type::Json, Cell::Null),
            ("b", Type::Json, Cell::Json("null")),
            ("c", Type::Json, Cell::Json("\"null\"")),
            ("d", Type::Int, Cell::Int(7)),
            ("e\"", Type::Text, Cell::Text("x\u{1}\n")),
        ] {
            let mut column = Column::new(name, kind, false);
            column.push(cell);
            batch.columns.push(column);
        }
        let mut out = String::new();
        row_json(&batch, 0, &mut out);
        assert_eq!(out, r#"{"a":null,"b":"null","c":"\"null\"","d":"7","e\"":"x\u0001\n"}"#);
    }
}
