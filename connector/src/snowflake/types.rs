//! Snowflake's types, and what each is to us.

use crate::Type;

/// A type, nullability apart. Numbers are digits: of the whole and behind the point, or of a second's fraction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Native {
    /// `NUMBER(precision, scale)` and all integers.
    Fixed(u8, u8),
    /// `DECFLOAT`.
    Decfloat,
    /// `FLOAT`, 64 bits.
    Real,
    /// `VARCHAR`.
    Text,
    /// `BINARY`.
    Binary,
    /// `BOOLEAN`.
    Boolean,
    /// `DATE`.
    Date,
    /// `TIME`.
    Time(u8),
    /// `TIMESTAMP_NTZ`: a wall clock's.
    Ntz(u8),
    /// `TIMESTAMP_LTZ`: an instant.
    Ltz(u8),
    /// `TIMESTAMP_TZ`: an instant with an offset of its own.
    Tz(u8),
    /// `VARIANT`, `OBJECT`, `ARRAY` and `MAP`: arrives as JSON text.
    Json,
    /// `GEOGRAPHY` and `GEOMETRY`: selected as GeoJSON.
    Shape,
    /// `VECTOR`: selected as an array.
    Vector,
    /// Anything else: selected as text.
    Other,
}

impl Native {
    /// Reads a type as `DESCRIBE` writes it, such as `NUMBER(38,0)`.
    pub fn parse(text: &str) -> Self {
        let (head, inner) = text.split_once('(').unwrap_or((text, ""));
        let mut numbers = inner.trim_end_matches(')').split(',').map(|part| part.trim().parse().ok());
        let (first, second) = (numbers.next().flatten(), numbers.next().flatten());
        match head.trim().to_ascii_uppercase().as_str() {
            "TIME" | "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" | "TIMESTAMP_TZ" => Self::named(head, None, first),
            _ => Self::named(head, first, second),
        }
    }

    /// The type of a result's column, by the name and the digits its row type tells.
    pub fn named(name: &str, precision: Option<u8>, scale: Option<u8>) -> Self {
        let fraction = scale.unwrap_or(9).min(9);
        match name.trim().to_ascii_uppercase().as_str() {
            "FIXED" | "NUMBER" | "DECIMAL" | "NUMERIC" => {
                Self::Fixed(precision.unwrap_or(38).clamp(1, 38), scale.unwrap_or(0).min(37))
            }
            "DECFLOAT" => Self::Decfloat,
            "REAL" | "FLOAT" | "DOUBLE" => Self::Real,
            "TEXT" | "VARCHAR" | "CHAR" | "STRING" => Self::Text,
            "BINARY" => Self::Binary,
            "BOOLEAN" => Self::Boolean,
            "DATE" => Self::Date,
            "TIME" => Self::Time(fraction),
            "TIMESTAMP_NTZ" => Self::Ntz(fraction),
            "TIMESTAMP_LTZ" => Self::Ltz(fraction),
            "TIMESTAMP_TZ" => Self::Tz(fraction),
            "VARIANT" | "OBJECT" | "ARRAY" | "MAP" => Self::Json,
            "GEOGRAPHY" | "GEOMETRY" => Self::Shape,
            "VECTOR" => Self::Vector,
            _ => Self::Other,
        }
    }

    /// The logical type.
    pub fn kind(&self) -> Type {
        match self {
            Self::Fixed(_, 0) => Type::Int,
            Self::Fixed(..) | Self::Decfloat => Type::Decimal,
            Self::Real => Type::Float,
            Self::Text => Type::Text,
            Self::Boolean => Type::Bool,
            Self::Date => Type::Date,
            Self::Ntz(_) => Type::Naive,
            Self::Ltz(_) | Self::Tz(_) => Type::Zoned,
            Self::Json | Self::Shape | Self::Vector => Type::Json,
            Self::Binary | Self::Time(_) | Self::Other => Type::Other,
        }
    }

    /// Whether integers need more than 64 bits.
    pub fn wide(&self) -> bool {
        matches!(self, Self::Fixed(19.., 0))
    }

    /// Whether a column is selected by its name alone.
    pub fn plain(&self) -> bool {
        !matches!(self, Self::Shape | Self::Vector | Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_from_their_names() {
        for (text, native, kind) in [
            ("NUMBER(38,0)", Native::Fixed(38, 0), Type::Int),
            ("NUMBER(12,2)", Native::Fixed(12, 2), Type::Decimal),
            ("DECFLOAT(38)", Native::Decfloat, Type::Decimal),
            ("FLOAT", Native::Real, Type::Float),
            ("VARCHAR(16777216)", Native::Text, Type::Text),
            ("BINARY(8388608)", Native::Binary, Type::Other),
            ("TIME(3)", Native::Time(3), Type::Other),
            ("TIMESTAMP_NTZ(9)", Native::Ntz(9), Type::Naive),
            ("TIMESTAMP_LTZ(0)", Native::Ltz(0), Type::Zoned),
            ("TIMESTAMP_TZ(6)", Native::Tz(6), Type::Zoned),
            ("VARIANT", Native::Json, Type::Json),
            ("ARRAY(NUMBER(38,0))", Native::Json, Type::Json),
            ("MAP(VARCHAR(16777216), NUMBER(38,0))", Native::Json, Type::Json),
            ("GEOGRAPHY", Native::Shape, Type::Json),
            ("VECTOR(FLOAT, 256)", Native::Vector, Type::Json),
            ("FILE", Native::Other, Type::Other),
        ] {
            let found = Native::parse(text);
            assert_eq!((found.kind(), found), (kind, native), "{text}");
        }
        assert_eq!(Native::named("timestamp_tz", Some(0), Some(3)), Native::Tz(3));
        assert_eq!(Native::named("FIXED", Some(18), Some(0)), Native::Fixed(18, 0));
        assert!(Native::Fixed(19, 0).wide() && !Native::Fixed(18, 0).wide());
    }
}
