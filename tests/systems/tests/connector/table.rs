//! Tables as the tests think of them, before a system writes them in its own words.

use std::fmt;

/// What a column holds; each system has its own type for it, or does not have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Integers of 64 bits.
    Int,
    /// Integers of 128 bits.
    Wide,
    /// Exact decimals with that many digits, and of them after the point.
    Decimal(u8, u8),
    /// Binary floats of 64 bits.
    Float,
    /// Truth values.
    Bool,
    /// Texts.
    Text,
    /// Days.
    Date,
    /// Wall-clock times, as fine as the system can.
    Naive,
    /// Instants, as fine as the system can.
    Zoned,
    /// JSON documents.
    Json,
    /// Times of day.
    Clock,
}

/// One value to insert.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// An integer, a decimal or a float, as a literal.
    Number(String),
    /// A truth value.
    Bool(bool),
    /// A text, a day, a time or a JSON document, as it stands between quotes.
    Text(String),
}

impl Value {
    /// A number from its digits.
    pub fn number(digits: impl fmt::Display) -> Self {
        Self::Number(digits.to_string())
    }

    /// A text, or anything written like one.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// One column to make.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its exact name.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// Whether nulls may occur.
    pub nullable: bool,
    /// Whether it is part of the primary key.
    pub key: bool,
}

/// A column that may hold nulls.
pub fn column(name: &'static str, holds: Holds) -> Made {
    Made { name, holds, nullable: true, key: false }
}

/// A column of the primary key.
pub fn key(name: &'static str, holds: Holds) -> Made {
    Made { name, holds, nullable: false, key: true }
}
