//! What an outside system has: tables, their columns, and the logical types we give them.

use serde::{Deserialize, Serialize};

/// Where a table is, each part exactly as the system spells it, unquoted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TableRef {
    /// The database or catalog, where the system has one above the schema.
    #[serde(default)]
    pub catalog: Option<String>,
    /// The schema, or the database where that is the only level.
    #[serde(default)]
    pub schema: Option<String>,
    /// The table's or view's own name.
    pub name: String,
}

impl std::fmt::Display for TableRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in [&self.catalog, &self.schema].into_iter().flatten() {
            write!(f, "{part}.")?;
        }
        f.write_str(&self.name)
    }
}

/// A logical type: what a cell of the column will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// A truth value.
    Bool,
    /// An integer of up to 128 bits.
    Int,
    /// An exact decimal; also integers past 128 bits.
    Decimal,
    /// A binary float.
    Float,
    /// Text.
    Text,
    /// A calendar day.
    Date,
    /// A wall-clock time without a zone.
    Naive,
    /// An instant.
    Zoned,
    /// A JSON document.
    Json,
    /// Anything else, read as text.
    Other,
}

impl Type {
    /// Tells whether a cell of this type can be a measurement's value without being parsed from text.
    pub fn numeric(self) -> bool {
        matches!(self, Self::Int | Self::Decimal | Self::Float)
    }
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnInfo {
    /// The exact name.
    pub name: String,
    /// The system's own name of the type, for people.
    pub native: String,
    /// Our type.
    pub kind: Type,
    /// Whether a null may occur; `true` when unknown.
    pub nullable: bool,
    /// Whether the column is part of the declared primary or sorting key.
    pub key: bool,
}

/// One table or view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// Where it is.
    pub table: TableRef,
    /// Whether it is a view of any sort.
    pub view: bool,
    /// About how many rows there are, when the system tells cheaply.
    pub rows: Option<u64>,
    /// The columns in table order; empty in a listing.
    pub columns: Vec<ColumnInfo>,
}
