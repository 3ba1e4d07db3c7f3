//! Column types: how they are written, and how the API describes them.

use std::fmt;

use serde_json::{Value as Json, json};

use super::error::{Outcome, SqlError};

/// The longest text a column holds when nothing is said, in characters.
pub const TEXT_DEFAULT: u64 = 16_777_216;
/// The longest text a column can hold.
pub const TEXT_MOST: u64 = 134_217_728;

/// A type of Snowflake's. Numbers in brackets are digits of the second's fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `NUMBER(precision, scale)`.
    Number(u8, u8),
    /// `DECFLOAT`: up to 38 digits with an exponent.
    Decfloat,
    /// `FLOAT`, 64 bits.
    Float,
    /// `VARCHAR(length)`.
    Text(u64),
    /// `BINARY(length)`.
    Binary(u64),
    /// `BOOLEAN`.
    Boolean,
    /// `DATE`.
    Date,
    /// `TIME`.
    Time(u8),
    /// `TIMESTAMP_NTZ`: a wall clock's.
    Ntz(u8),
    /// `TIMESTAMP_LTZ`: an instant, shown in the session's zone.
    Ltz(u8),
    /// `TIMESTAMP_TZ`: an instant with an offset of its own.
    Tz(u8),
    /// `VARIANT`.
    Variant,
    /// `OBJECT`.
    Object,
    /// `ARRAY`.
    Array,
}

/// A column of a table or of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Exact name.
    pub name: String,
    /// Type.
    pub kind: Type,
    /// Whether it may hold NULL.
    pub nullable: bool,
    /// Whether it is part of the primary key.
    pub key: bool,
    /// What is said about it.
    pub comment: Option<String>,
}

impl Column {
    /// A column that may hold NULL.
    pub fn new(name: impl Into<String>, kind: Type) -> Self {
        Self { name: name.into(), kind, nullable: true, key: false, comment: None }
    }
}

impl Type {
    /// Any text.
    pub const TEXT: Self = Self::Text(TEXT_DEFAULT);

    /// Reads a type as SQL writes it, such as `NUMBER(38, 9)` or `TIMESTAMP(9) WITH TIME ZONE`.
    pub fn parse(text: &str) -> Outcome<Self> {
        let unknown = || {
            SqlError::new(
                "002040",
                "42601",
                format!("SQL compilation error:\nUnsupported data type '{text}'."),
            )
        };
        let upper = text.trim().to_uppercase();
        let (head, rest) = upper.split_once('(').unwrap_or((&upper, ""));
        let (inside, after) = rest.split_once(')').unwrap_or(("", ""));
        let numbers: Option<Vec<u64>> =
            inside.split(',').map(str::trim).filter(|it| !it.is_empty()).map(|it| it.parse().ok()).collect();
        let numbers = numbers.ok_or_else(unknown)?;
        let name = format!("{} {}", head.trim(), after.trim());
        let at = |index: usize, default: u64| numbers.get(index).copied().unwrap_or(default);
        let most = |count: usize| if numbers.len() > count { Err(unknown()) } else { Ok(()) };
        let fraction =
            || most(1).and_then(|()| u8::try_from(at(0, 9)).ok().filter(|it| *it <= 9).ok_or_else(unknown));
        let length = |default: u64, limit: u64| {
            most(1)?;
            Some(at(0, default)).filter(|it| (1..=limit).contains(it)).ok_or_else(unknown)
        };
        Ok(match name.trim() {
            "NUMBER" | "NUMERIC" | "DECIMAL" | "DEC" => {
                most(2)?;
                let (precision, scale) = (at(0, 38), at(1, 0));
                if !(1..=38).contains(&precision) || scale > precision || scale > 37 {
                    return Err(unknown());
                }
                Self::Number(precision as u8, scale as u8)
            }
            "INT" | "INTEGER" | "BIGINT" | "SMALLINT" | "TINYINT" | "BYTEINT" => {
                most(0)?;
                Self::Number(38, 0)
            }
            "DECFLOAT" => match (most(1)?, at(0, 38)) {
                ((), 38) => Self::Decfloat,
                _ => return Err(unknown()),
            },
            "FLOAT" | "FLOAT4" | "FLOAT8" | "DOUBLE" | "DOUBLE PRECISION" | "REAL" => {
                most(0)?;
                Self::Float
            }
            "VARCHAR" | "STRING" | "TEXT" | "NVARCHAR" | "CHARACTER VARYING" | "CHAR VARYING" => {
                Self::Text(length(TEXT_DEFAULT, TEXT_MOST)?)
            }
            "CHAR" | "CHARACTER" | "NCHAR" => Self::Text(length(1, TEXT_MOST)?),
            "BINARY" | "VARBINARY" => Self::Binary(length(8_388_608, 67_108_864)?),
            "BOOLEAN" | "BOOL" => Self::Boolean,
            "DATE" => Self::Date,
            "TIME" => Self::Time(fraction()?),
            "TIMESTAMP" | "TIMESTAMP_NTZ" | "TIMESTAMPNTZ" | "DATETIME" | "TIMESTAMP WITHOUT TIME ZONE" => {
                Self::Ntz(fraction()?)
            }
            "TIMESTAMP_LTZ" | "TIMESTAMPLTZ" | "TIMESTAMP WITH LOCAL TIME ZONE" => Self::Ltz(fraction()?),
            "TIMESTAMP_TZ" | "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" => Self::Tz(fraction()?),
            "VARIANT" => Self::Variant,
            "OBJECT" => Self::Object,
            "ARRAY" => Self::Array,
            _ => return Err(unknown()),
        })
    }

    /// Its name as `INFORMATION_SCHEMA.COLUMNS.DATA_TYPE` prints it, without numbers.
    pub fn family(self) -> &'static str {
        match self {
            Self::Number(..) => "NUMBER",
            Self::Decfloat => "DECFLOAT",
            Self::Float => "FLOAT",
            Self::Text(_) => "TEXT",
            Self::Binary(_) => "BINARY",
            Self::Boolean => "BOOLEAN",
            Self::Date => "DATE",
            Self::Time(_) => "TIME",
            Self::Ntz(_) => "TIMESTAMP_NTZ",
            Self::Ltz(_) => "TIMESTAMP_LTZ",
            Self::Tz(_) => "TIMESTAMP_TZ",
            Self::Variant => "VARIANT",
            Self::Object => "OBJECT",
            Self::Array => "ARRAY",
        }
    }

    /// Its name in `rowType`, in lower case.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Number(..) => "fixed",
            Self::Decfloat => "decfloat",
            Self::Float => "real",
            Self::Text(_) => "text",
            Self::Binary(_) => "binary",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Time(_) => "time",
            Self::Ntz(_) => "timestamp_ntz",
            Self::Ltz(_) => "timestamp_ltz",
            Self::Tz(_) => "timestamp_tz",
            Self::Variant => "variant",
            Self::Object => "object",
            Self::Array => "array",
        }
    }

    /// Precision, scale, length and length in bytes as `rowType` has them.
    fn measures(self) -> (Option<u8>, Option<u8>, Option<u64>, Option<u64>) {
        match self {
            Self::Number(precision, scale) => (Some(precision), Some(scale), None, None),
            Self::Time(scale) | Self::Ntz(scale) | Self::Ltz(scale) | Self::Tz(scale) => {
                (Some(0), Some(scale), None, None)
            }
            // A character takes up to four bytes; no value takes more than the longest text.
            Self::Text(length) => (None, None, Some(length), Some((length * 4).min(TEXT_MOST.max(length)))),
            Self::Binary(length) => (None, None, Some(length), Some(length)),
            _ => (None, None, None, None),
        }
    }

    /// The object `data_type` of `SHOW COLUMNS`.
    pub fn shown(self, nullable: bool) -> Json {
        let (precision, scale, length, bytes) = self.measures();
        let mut shown = json!({"type": self.wire().to_uppercase(), "nullable": nullable});
        for (name, value) in [("precision", precision), ("scale", scale)] {
            if let Some(value) = value {
                shown[name] = value.into();
            }
        }
        if let (Some(length), Some(bytes)) = (length, bytes) {
            shown["length"] = length.into();
            shown["byteLength"] = bytes.into();
            shown["fixed"] = false.into();
        }
        shown
    }
}

impl fmt::Display for Type {
    /// As `DESCRIBE TABLE` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(precision, scale) => write!(f, "NUMBER({precision},{scale})"),
            Self::Text(length) => write!(f, "VARCHAR({length})"),
            Self::Binary(length) => write!(f, "BINARY({length})"),
            Self::Decfloat => f.write_str("DECFLOAT(38)"),
            Self::Time(scale) | Self::Ntz(scale) | Self::Ltz(scale) | Self::Tz(scale) => {
                write!(f, "{}({scale})", self.family())
            }
            _ => f.write_str(self.family()),
        }
    }
}

impl Column {
    /// One element of `rowType`.
    pub fn row_type(&self, table: [&str; 3], upper_case: bool) -> Json {
        let (precision, scale, length, bytes) = self.kind.measures();
        let wire = self.kind.wire();
        let [database, schema, table] = table;
        json!({
            "name": self.name, "database": database, "schema": schema, "table": table,
            "nullable": self.nullable, "byteLength": bytes, "length": length,
            "type": if upper_case { wire.to_uppercase() } else { wire.to_owned() },
            "scale": scale, "precision": precision, "collation": null,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Type;

    #[test]
    fn types_are_read_with_their_other_names() {
        for (text, shown) in [
            ("number", "NUMBER(38,0)"),
            ("DECIMAL(12, 2)", "NUMBER(12,2)"),
            ("BIGINT", "NUMBER(38,0)"),
            ("VARCHAR", "VARCHAR(16777216)"),
            ("TIMESTAMP(3)", "TIMESTAMP_NTZ(3)"),
            ("TIMESTAMP(6) WITH TIME ZONE", "TIMESTAMP_TZ(6)"),
            ("TIMESTAMPTZ", "TIMESTAMP_TZ(9)"),
            ("double precision", "FLOAT"),
            ("decfloat", "DECFLOAT(38)"),
        ] {
            assert_eq!(Type::parse(text).map(|it| it.to_string()).as_deref(), Ok(shown), "{text}");
        }
        for text in ["NUMBER(39,0)", "NUMBER(38,38)", "TIMESTAMP_NTZ(10)", "UUID", "INT(3)", "NUMBER(x)"] {
            assert!(Type::parse(text).is_err(), "{text}");
        }
    }
}
