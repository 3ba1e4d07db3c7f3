//! Databricks' types: what a cell of each will be, and how its column is selected so that nothing is lost on the way.
//!
//! Sources: "Data types" in Databricks' SQL reference; the JSON_ARRAY format of the Statement Execution API, which
//! sends times to the millisecond in the session's zone and leaves the form of bytes open.

use crate::Type;

/// How a value looks once it is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An integer of up to 64 bits.
    Int,
    /// A decimal of up to 38 digits.
    Decimal,
    /// A binary float, `NaN` and `Infinity` included.
    Float,
    /// `true` or `false`.
    Bool,
    /// Text.
    Text,
    /// A day.
    Date,
    /// An instant, selected as microseconds since 1970.
    Zoned,
    /// A time without a zone, selected as text.
    Naive,
    /// A document.
    Json,
    /// Anything else, as text.
    Other,
}

/// A column's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Native {
    /// The system's own name of it, in upper case outside of nested names.
    pub name: String,
    /// How its values look.
    pub form: Form,
    /// Whether nulls may occur.
    pub nullable: bool,
}

impl Native {
    /// Reads a type's text, such as `bigint`, `DECIMAL(38,2)` or `struct<a:int>`. An unknown one is kept as text.
    pub fn parse(text: &str, nullable: bool) -> Self {
        let text = text.trim();
        let end = text.find(['(', '<', ' ']).unwrap_or(text.len());
        let form = match text[..end].to_ascii_uppercase().as_str() {
            "TINYINT" | "BYTE" | "SMALLINT" | "SHORT" | "INT" | "INTEGER" | "BIGINT" | "LONG" => Form::Int,
            "DECIMAL" | "DEC" | "NUMERIC" => Form::Decimal,
            "FLOAT" | "REAL" | "DOUBLE" => Form::Float,
            "BOOLEAN" => Form::Bool,
            "STRING" | "CHAR" | "VARCHAR" => Form::Text,
            "DATE" => Form::Date,
            "TIMESTAMP" | "TIMESTAMP_LTZ" => Form::Zoned,
            "TIMESTAMP_NTZ" => Form::Naive,
            "ARRAY" | "MAP" | "STRUCT" | "VARIANT" => Form::Json,
            _ => Form::Other,
        };
        let name = if text.contains('<') { text.to_owned() } else { text.to_ascii_uppercase() };
        Self { name, form, nullable }
    }

    /// Our type for it.
    pub fn kind(&self) -> Type {
        match self.form {
            Form::Int => Type::Int,
            Form::Decimal => Type::Decimal,
            Form::Float => Type::Float,
            Form::Bool => Type::Bool,
            Form::Text => Type::Text,
            Form::Date => Type::Date,
            Form::Zoned => Type::Zoned,
            Form::Naive => Type::Naive,
            Form::Json => Type::Json,
            Form::Other => Type::Other,
        }
    }

    /// Whether its values are bytes.
    pub fn binary(&self) -> bool {
        self.name == "BINARY"
    }

    /// The expression that gives a value of this type exactly, whatever the session's time zone is.
    pub fn selected(&self, value: &str) -> String {
        match self.form {
            Form::Zoned => format!("unix_micros({value})"),
            Form::Naive => format!("CAST({value} AS STRING)"),
            Form::Json if self.name.eq_ignore_ascii_case("VARIANT") => format!("to_json({value})"),
            // Fields that are null are told from fields that are not there.
            Form::Json => format!("to_json({value}, map('ignoreNullFields', 'false'))"),
            Form::Other if self.binary() => format!("base64({value})"),
            _ => value.to_owned(),
        }
    }

    /// The expression that values of this type are ordered and compared by.
    pub fn ordered(&self, value: &str) -> String {
        match self.form {
            // Documents have no order of their own.
            Form::Json => self.selected(value),
            Form::Other if self.binary() => self.selected(value),
            // Under other collations different texts are equal.
            Form::Text if self.name.contains(" COLLATE ") => format!("{value} COLLATE UTF8_BINARY"),
            _ => value.to_owned(),
        }
    }

    /// Whether a result's column of that type can be what [`Native::selected`] gives.
    pub fn comes_as(&self, found: &Self) -> bool {
        match self.form {
            Form::Zoned => found.form == Form::Int,
            Form::Naive | Form::Json => found.form == Form::Text,
            Form::Other if self.binary() => found.form == Form::Text,
            form => form == found.form,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_however_they_are_written() {
        for (text, kind) in [
            ("bigint", Type::Int),
            ("LONG", Type::Int),
            ("TINYINT", Type::Int),
            ("decimal(38,10)", Type::Decimal),
            ("double", Type::Float),
            ("varchar(20)", Type::Text),
            ("STRING COLLATE UTF8_LCASE", Type::Text),
            ("timestamp", Type::Zoned),
            ("TIMESTAMP_NTZ", Type::Naive),
            ("struct<a:int,b:string>", Type::Json),
            ("ARRAY<TIMESTAMP>", Type::Json),
            ("MAP<STRING, INT>", Type::Json),
            ("VARIANT", Type::Json),
            ("INTERVAL DAY TO SECOND", Type::Other),
            ("BINARY", Type::Other),
            ("VOID", Type::Other),
            ("GEOMETRY(4326)", Type::Other),
            ("", Type::Other),
        ] {
            assert_eq!(Native::parse(text, true).kind(), kind, "{text}");
        }
    }

    #[test]
    fn pitfall_08_no_value_passes_through_the_sessions_zone() {
        let selected = |text: &str| Native::parse(text, true).selected("`c`");
        assert_eq!(selected("timestamp"), "unix_micros(`c`)");
        assert_eq!(selected("timestamp_ntz"), "CAST(`c` AS STRING)");
        assert_eq!(selected("date"), "`c`");
    }

    #[test]
    fn pitfall_21_null_fields_are_kept() {
        let selected = |text: &str| Native::parse(text, true).selected("`c`");
        assert_eq!(selected("STRUCT<a: INT>"), "to_json(`c`, map('ignoreNullFields', 'false'))");
        assert_eq!(selected("variant"), "to_json(`c`)");
    }

    #[test]
    fn texts_are_ordered_by_their_bytes() {
        let ordered = |text: &str| Native::parse(text, true).ordered("`c`");
        assert_eq!(ordered("string"), "`c`");
        assert_eq!(ordered("string collate UNICODE_CI"), "`c` COLLATE UTF8_BINARY");
        assert_eq!(ordered("binary"), "base64(`c`)");
        assert_eq!(ordered("timestamp"), "`c`");
    }
}
