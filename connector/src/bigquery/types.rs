//! BigQuery's types, as schemas tell them, and how their cells are read.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::Type;

/// A field of a schema on the wire. Types have two names each: `INTEGER` and `INT64`, `RECORD` and `STRUCT`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Field {
    /// The name; in results it may be empty or there twice.
    pub name: String,
    /// The type's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// `NULLABLE`, `REQUIRED` or `REPEATED`.
    pub mode: String,
    /// The fields of a record.
    pub fields: Vec<Field>,
    precision: Value,
    scale: Value,
    collation: String,
    timestamp_precision: Value,
    range_element_type: Option<Box<Field>>,
}

impl Field {
    /// A field of a plain type.
    pub fn plain(name: &str, kind: &str) -> Self {
        Self { name: name.to_owned(), kind: kind.to_owned(), ..Self::default() }
    }
}

/// How a cell looks on the wire, apart from being repeated.
#[derive(Clone, Debug, PartialEq)]
pub enum Wire {
    /// Digits of 64 bits.
    Int,
    /// A float, `NaN` and the infinities by name.
    Float,
    /// Decimal digits of `NUMERIC`.
    Numeric,
    /// Decimal digits of `BIGNUMERIC`.
    BigNumeric,
    /// `true` or `false`.
    Bool,
    /// Any text.
    Text,
    /// Base64.
    Bytes,
    /// `2026-02-28`.
    Date,
    /// `10:00:00.123456`.
    Time,
    /// `2026-02-28T10:00:00.123456`.
    DateTime,
    /// Microseconds since 1970.
    Timestamp,
    /// An instant finer than microseconds, which is read as text.
    Picos,
    /// A JSON document.
    Json,
    /// Records.
    Record(Arc<[Native]>),
    /// Whatever else, as text: geographies, intervals, ranges, and what is new.
    Other,
}

/// A column's or a nested field's type.
#[derive(Clone, Debug, PartialEq)]
pub struct Native {
    /// The exact name.
    pub name: String,
    /// The type's name for people.
    pub shown: String,
    /// How a cell looks.
    pub wire: Wire,
    /// Whether there are many in a cell.
    pub repeated: bool,
    /// Whether a null may occur.
    pub nullable: bool,
    /// Whether the column compares by a collation of its own rather than by its letters.
    pub collated: bool,
}

impl Native {
    /// Understands a field. A type that is not known is read as text.
    pub fn of(field: &Field) -> Self {
        let wire = match field.kind.to_ascii_uppercase().as_str() {
            "INTEGER" | "INT64" => Wire::Int,
            "FLOAT" | "FLOAT64" => Wire::Float,
            "NUMERIC" | "DECIMAL" => Wire::Numeric,
            "BIGNUMERIC" | "BIGDECIMAL" => Wire::BigNumeric,
            "BOOLEAN" | "BOOL" => Wire::Bool,
            "STRING" => Wire::Text,
            "BYTES" => Wire::Bytes,
            "DATE" => Wire::Date,
            "TIME" => Wire::Time,
            "DATETIME" => Wire::DateTime,
            "TIMESTAMP" if digits(&field.timestamp_precision).is_some_and(|digits| digits > 6) => Wire::Picos,
            "TIMESTAMP" => Wire::Timestamp,
            "JSON" => Wire::Json,
            "RECORD" | "STRUCT" => Wire::Record(field.fields.iter().map(Self::of).collect()),
            _ => Wire::Other,
        };
        let repeated = field.mode.eq_ignore_ascii_case("REPEATED");
        Self {
            name: field.name.clone(),
            shown: shown(field, &wire, repeated),
            wire,
            repeated,
            nullable: !field.mode.eq_ignore_ascii_case("REQUIRED") && !repeated,
            collated: !field.collation.is_empty(),
        }
    }

    /// Our type of the column's cells.
    pub fn kind(&self) -> Type {
        if self.repeated {
            return Type::Json;
        }
        match self.wire {
            Wire::Int => Type::Int,
            Wire::Float => Type::Float,
            Wire::Numeric | Wire::BigNumeric => Type::Decimal,
            Wire::Bool => Type::Bool,
            Wire::Text => Type::Text,
            Wire::Date => Type::Date,
            Wire::DateTime => Type::Naive,
            Wire::Timestamp => Type::Zoned,
            Wire::Json | Wire::Record(_) => Type::Json,
            Wire::Bytes | Wire::Time | Wire::Picos | Wire::Other => Type::Other,
        }
    }

    /// The name under which a value of this type is bound; nothing for types that order nothing or cannot be bound.
    pub fn parameter(&self) -> Option<&'static str> {
        if self.repeated {
            return None;
        }
        Some(match self.wire {
            Wire::Int => "INT64",
            Wire::Numeric => "NUMERIC",
            Wire::BigNumeric => "BIGNUMERIC",
            Wire::Bool => "BOOL",
            Wire::Text => "STRING",
            Wire::Bytes => "BYTES",
            Wire::Date => "DATE",
            Wire::Time => "TIME",
            Wire::DateTime => "DATETIME",
            Wire::Timestamp => "TIMESTAMP",
            // NaN has no place in an order; the rest has none, or no parameters.
            Wire::Float | Wire::Picos | Wire::Json | Wire::Record(_) | Wire::Other => return None,
        })
    }

    /// Tells whether a column of a result is still what this one was when its table was described.
    pub fn fits(&self, came: &Self) -> bool {
        let text = |wire: &Wire| matches!(wire, Wire::Text | Wire::Other | Wire::Picos);
        let same = match (&self.wire, &came.wire) {
            (Wire::Record(ours), Wire::Record(theirs)) => {
                ours.len() == theirs.len() && ours.iter().zip(theirs.iter()).all(|(a, b)| a.fits(b))
            }
            (ours, theirs) => ours == theirs || (text(ours) && text(theirs) && *ours != Wire::Text),
        };
        same && self.repeated == came.repeated
    }
}

/// A number that may be written as text, as int64 is in Google's JSON.
fn digits(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn shown(field: &Field, wire: &Wire, repeated: bool) -> String {
    let bare = match wire {
        Wire::Int => "INT64".to_owned(),
        Wire::Float => "FLOAT64".to_owned(),
        Wire::Bool => "BOOL".to_owned(),
        Wire::Picos => "TIMESTAMP(12)".to_owned(),
        Wire::Record(fields) => {
            let inner: Vec<String> =
                fields.iter().map(|field| format!("{} {}", field.name, field.shown)).collect();
            format!("STRUCT<{}>", inner.join(", "))
        }
        _ => match (&field.range_element_type, digits(&field.precision), digits(&field.scale)) {
            (Some(element), _, _) => format!("RANGE<{}>", element.kind),
            (_, Some(precision), Some(scale)) => format!("{}({precision}, {scale})", field.kind),
            (_, Some(precision), None) => format!("{}({precision})", field.kind),
            _ => field.kind.clone(),
        },
    };
    if repeated { format!("ARRAY<{bare}>") } else { bare }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn native(field: serde_json::Value) -> Native {
        Native::of(&serde_json::from_value(field).expect("a field"))
    }

    #[test]
    fn both_names_of_a_type_are_understood() {
        for (field, shown, kind) in [
            (json!({"name": "a", "type": "INTEGER"}), "INT64", Type::Int),
            (json!({"name": "a", "type": "INT64", "mode": "REQUIRED"}), "INT64", Type::Int),
            (json!({"name": "a", "type": "FLOAT"}), "FLOAT64", Type::Float),
            (json!({"name": "a", "type": "BOOL"}), "BOOL", Type::Bool),
            (json!({"type": "NUMERIC", "precision": "10", "scale": "2"}), "NUMERIC(10, 2)", Type::Decimal),
            (json!({"type": "BIGNUMERIC", "precision": 40}), "BIGNUMERIC(40)", Type::Decimal),
            (json!({"type": "TIMESTAMP"}), "TIMESTAMP", Type::Zoned),
            (json!({"type": "TIMESTAMP", "timestampPrecision": "12"}), "TIMESTAMP(12)", Type::Other),
            (json!({"type": "DATETIME"}), "DATETIME", Type::Naive),
            (json!({"type": "RANGE", "rangeElementType": {"type": "DATE"}}), "RANGE<DATE>", Type::Other),
            (json!({"type": "INTERVAL"}), "INTERVAL", Type::Other),
            (json!({"type": "SOMETHING_NEW"}), "SOMETHING_NEW", Type::Other),
            (json!({"type": "STRING", "mode": "REPEATED"}), "ARRAY<STRING>", Type::Json),
            (
                json!({"type": "RECORD", "mode": "REPEATED", "fields": [{"name": "n", "type": "INTEGER"}]}),
                "ARRAY<STRUCT<n INT64>>",
                Type::Json,
            ),
        ] {
            let native = native(field.clone());
            assert_eq!((native.shown.as_str(), native.kind()), (shown, kind), "{field}");
        }
        assert!(!native(json!({"type": "INT64", "mode": "REQUIRED"})).nullable);
        assert!(native(json!({"type": "INT64"})).nullable);
        assert!(native(json!({"type": "STRING", "collation": "und:ci"})).collated);
    }

    #[test]
    fn pitfall_34_a_column_that_became_another_does_not_fit() {
        let int = native(json!({"type": "INTEGER"}));
        assert!(int.fits(&native(json!({"type": "INT64", "mode": "REQUIRED"}))));
        assert!(!int.fits(&native(json!({"type": "INT64", "mode": "REPEATED"}))));
        assert!(!int.fits(&native(json!({"type": "STRING"}))));
        let record = |kind: &str| native(json!({"type": "RECORD", "fields": [{"name": "n", "type": kind}]}));
        assert!(record("INT64").fits(&record("INTEGER")));
        assert!(!record("INT64").fits(&record("STRING")));
    }
}
