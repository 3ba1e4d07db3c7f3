//! Values, exact in every type.

use std::sync::Arc;

use super::number::Number;
use super::types::Type;

/// One value of a row. Times are counted in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// A decimal.
    Number(Number),
    /// A float.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// Bytes.
    Binary(Arc<[u8]>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Since midnight.
    Time(i64),
    /// Wall clock since 1970-01-01 00:00.
    Ntz(i128),
    /// Since 1970 in UTC, shown in the session's zone.
    Ltz(i128),
    /// Since 1970 in UTC, and minutes east of UTC.
    Tz(i128, i16),
    /// A document, as JSON text that has been checked: `VARIANT`, `OBJECT` or `ARRAY`.
    Json(Arc<str>),
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// A whole number.
    pub fn int(number: impl Into<i128>) -> Self {
        Self::Number(Number::whole(number))
    }

    /// A text, or NULL.
    pub fn maybe(text: Option<impl Into<Arc<str>>>) -> Self {
        text.map_or(Self::Null, Self::text)
    }

    /// Whether it is SQL NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The type it has when it is bound.
    pub fn kind(&self) -> Type {
        match self {
            Self::Null | Self::Text(_) => Type::TEXT,
            Self::Bool(_) => Type::Boolean,
            Self::Number(number) => Type::Number(38, number.scale),
            Self::Float(_) => Type::Float,
            Self::Binary(_) => Type::Binary(8_388_608),
            Self::Date(_) => Type::Date,
            Self::Time(_) => Type::Time(9),
            Self::Ntz(_) => Type::Ntz(9),
            Self::Ltz(_) => Type::Ltz(9),
            Self::Tz(..) => Type::Tz(9),
            Self::Json(_) => Type::Variant,
        }
    }

    /// Its text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}
