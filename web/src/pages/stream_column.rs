//! The columns of a table that a stream may read.

use crate::schema;
use crate::vocabulary::CursorKind;

/// A column of the table.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct SourceColumn {
    /// Its name.
    pub name: String,
    /// Its type in the source's words.
    pub native_type: String,
    /// What Weir reads it as.
    #[cynic(rename = "type")]
    pub column_type: ColumnType,
    /// What sort of cursor it can be.
    pub cursor_kind: Option<CursorKind>,
    /// Whether it is part of the table's key.
    pub key: bool,
}

/// What Weir reads a column as.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// An exact decimal.
    Decimal,
    /// A binary float.
    Float,
    /// Text.
    Text,
    /// A calendar day.
    Date,
    /// A date and time without a zone.
    Naive,
    /// An instant.
    Zoned,
    /// A JSON document.
    Json,
    /// Anything else, read as text.
    Other,
}

impl ColumnType {
    /// Whether it can hold values; exact decimals often come as text.
    pub fn countable(self) -> bool {
        matches!(self, Self::Int | Self::Decimal | Self::Float | Self::Text | Self::Other)
    }

    /// Whether it is read as text, in which JSON may be kept too.
    pub fn wordy(self) -> bool {
        matches!(self, Self::Text | Self::Other)
    }

    /// Whether it can hold a time.
    pub fn time(self) -> bool {
        matches!(self, Self::Date | Self::Naive | Self::Zoned | Self::Text)
    }
}
