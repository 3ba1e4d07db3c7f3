//! Why rows are rejected, in words.

use async_graphql::{Enum, SimpleObject};
use entity::waiting_row::Model;

use crate::ingest::preview::PreviewRejection;

/// Why a row was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum RejectionReason {
    /// A key, account or metric column is empty.
    NullKey,
    /// Two different rows have the same row key and cursor.
    KeyNotUnique,
    /// The cursor is empty.
    NullCursor,
    /// The cursor is too far ahead of the source's clock.
    FutureCursor,
    /// The value is not a number.
    ValueNotNumeric,
    /// The value is not finite.
    ValueNotFinite,
    /// The value has too many digits.
    ValueTooLong,
    /// The measurement time cannot be read.
    TimeUnreadable,
    /// The measurement time is out of range.
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

impl RejectionReason {
    const ALL: [(Self, &'static str, &'static str); 13] = [
        (Self::NullKey, "null_key", "a key, account or metric column is empty"),
        (Self::KeyNotUnique, "key_not_unique", "two different rows have the same row key and cursor"),
        (Self::NullCursor, "null_cursor", "the cursor is empty"),
        (Self::FutureCursor, "future_cursor", "the cursor is too far ahead of the source's clock"),
        (Self::ValueNotNumeric, "value_not_numeric", "the value is not a number"),
        (Self::ValueNotFinite, "value_not_finite", "the value is not finite"),
        (Self::ValueTooLong, "value_too_long", "the value has too many digits"),
        (Self::TimeUnreadable, "time_unreadable", "the measurement time cannot be read"),
        (Self::TimeOutOfRange, "time_out_of_range", "the measurement time is out of range"),
        (Self::CellTooLarge, "cell_too_large", "a cell is too large to keep"),
        (Self::Undecodable, "undecodable", "a cell cannot be decoded"),
        (Self::NotJson, "not_json", "the cell a path leads into is no JSON document"),
        (Self::NotScalar, "not_scalar", "the path leads to an object or an array, not to a single value"),
    ];

    /// The stored word.
    pub fn stored_word(self) -> &'static str {
        Self::ALL.iter().find(|(reason, ..)| *reason == self).map_or("undecodable", |(_, word, _)| word)
    }

    fn stored(word: &str) -> (Self, &'static str) {
        let found = Self::ALL.iter().find(|(_, stored, _)| *stored == word);
        found.map_or((Self::Undecodable, "the row cannot be read"), |(reason, _, text)| (*reason, text))
    }
}

/// Why a row could not be decoded.
#[derive(SimpleObject)]
pub struct Rejection {
    /// The reason.
    reason: RejectionReason,
    /// The column at fault.
    column: Option<String>,
    /// What the column held.
    raw: Option<String>,
    /// The reason in words.
    message: String,
}

impl Rejection {
    /// Why a stored row was rejected, if it was.
    pub fn of(row: &Model) -> Option<Self> {
        Some(Self::new(row.reason.as_deref()?, row.column_name.clone(), row.raw.clone()))
    }

    fn new(word: &str, column: Option<String>, raw: Option<String>) -> Self {
        let (reason, text) = RejectionReason::stored(word);
        let message = match &column {
            Some(column) => format!("{text} (column {column:?})"),
            None => text.to_owned(),
        };
        Self { reason, column, raw, message }
    }
}

impl From<PreviewRejection> for Rejection {
    fn from(rejection: PreviewRejection) -> Self {
        Self::new(rejection.reason, Some(rejection.column), Some(rejection.raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_its_word() {
        for (reason, word, _) in RejectionReason::ALL {
            assert_eq!(reason.stored_word(), word);
            assert_eq!(RejectionReason::stored(word).0, reason);
        }
    }
}
