//! Repeated cells and records as JSON documents.
//!
//! Numbers keep every digit; floats without a number (`NaN`, the infinities) become texts; instants are written as in
//! `2026-02-28T10:00:00.5Z`. A record is an object; fields without a name of their own are called `_f0`, `_f1`, ….

use std::collections::HashSet;
use std::fmt::Write;

use serde_json::Value;

use super::types::{Native, Wire};
use super::value;
use crate::{Cell, decimal};

/// Writes a cell that is an array or a record; `false` when it is not of its type, with part of it in `out`.
pub fn write(native: &Native, cell: &Value, out: &mut String) -> bool {
    if !native.repeated {
        return one(native, cell, out);
    }
    // A null array and an empty one are the same on the wire.
    let Value::Array(items) = cell else { return cell.is_null() && push(out, "[]") };
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        let Some(item) = item.get("v") else { return false };
        if !one(native, item, out) {
            return false;
        }
    }
    push(out, "]")
}

fn one(native: &Native, cell: &Value, out: &mut String) -> bool {
    match (&native.wire, cell) {
        (_, Value::Null) => push(out, "null"),
        (Wire::Record(fields), cell) => record(fields, cell, out),
        (_, Value::String(text)) => scalar(&native.wire, text, out),
        _ => false,
    }
}

fn record(fields: &[Native], cell: &Value, out: &mut String) -> bool {
    let Some(cells) = cell.get("f").and_then(Value::as_array).filter(|cells| cells.len() == fields.len())
    else {
        return false;
    };
    let mut names = HashSet::new();
    out.push('{');
    for (index, (field, cell)) in fields.iter().zip(cells).enumerate() {
        if index > 0 {
            out.push(',');
        }
        if field.name.is_empty() || !names.insert(field.name.as_str()) {
            quoted(&format!("_f{index}"), out);
        } else {
            quoted(&field.name, out);
        }
        out.push(':');
        let Some(cell) = cell.get("v") else { return false };
        if !write(field, cell, out) {
            return false;
        }
    }
    push(out, "}")
}

fn scalar(wire: &Wire, text: &str, out: &mut String) -> bool {
    match wire {
        Wire::Int | Wire::Numeric | Wire::BigNumeric => decimal::canonicalize_into(text, out),
        Wire::Float => match value::float(text) {
            Some(number) => decimal::float_into(number, out) || quoted(text, out),
            None => false,
        },
        Wire::Bool if matches!(text, "true" | "false") => push(out, text),
        Wire::Timestamp => match value::instant(text) {
            Some(moment) => write!(out, "\"{}\"", Cell::Zoned(moment)).is_ok(),
            None => false,
        },
        // Already JSON; checked, so that one broken document does not break the whole.
        Wire::Json => serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() && push(out, text),
        Wire::Bool | Wire::Record(_) => false,
        Wire::Text | Wire::Bytes | Wire::Date | Wire::Time | Wire::DateTime | Wire::Picos | Wire::Other => {
            quoted(text, out)
        }
    }
}

fn quoted(text: &str, out: &mut String) -> bool {
    write!(out, "{}", Value::from(text)).is_ok()
}

fn push(out: &mut String, text: &str) -> bool {
    out.push_str(text);
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(field: Value, cell: Value) -> Option<String> {
        let native = Native::of(&serde_json::from_value(field).expect("a field"));
        let mut out = String::new();
        write(&native, &cell, &mut out).then_some(out)
    }

    #[test]
    fn records_become_objects_and_keep_every_digit() {
        let field = json!({"name": "r", "type": "RECORD", "fields": [
            {"name": "i", "type": "INTEGER"}, {"name": "n", "type": "BIGNUMERIC"}, {"name": "f", "type": "FLOAT"},
            {"name": "t", "type": "TIMESTAMP"}, {"name": "j", "type": "JSON"}, {"name": "", "type": "STRING"},
            {"name": "i", "type": "BOOLEAN"}, {"name": "a", "type": "STRING", "mode": "REPEATED"},
            {"name": "d", "type": "DATE"},
        ]});
        let cell = json!({"f": [
            {"v": "9223372036854775807"}, {"v": "0.00000000000000000000000000000000000001"}, {"v": "NaN"},
            {"v": "1714557600123456"}, {"v": "{\"a\":null}"}, {"v": "it's \"so\""}, {"v": "true"},
            {"v": [{"v": "x"}, {"v": "y"}]}, {"v": null},
        ]});
        let wanted = "{\"i\":9223372036854775807,\"n\":0.00000000000000000000000000000000000001,\"f\":\"NaN\",\
            \"t\":\"2024-05-01T10:00:00.123456Z\",\"j\":{\"a\":null},\"_f5\":\"it's \\\"so\\\"\",\"_f6\":true,\
            \"a\":[\"x\",\"y\"],\"d\":null}";
        assert_eq!(written(field.clone(), cell).as_deref(), Some(wanted));
        assert_eq!(written(field, json!({"f": [{"v": "1"}]})), None, "a field is missing");
    }

    #[test]
    fn pitfall_21_empty_arrays_and_nulls_are_told_apart() {
        let array = json!({"type": "JSON", "mode": "REPEATED"});
        assert_eq!(written(array.clone(), json!([])).as_deref(), Some("[]"));
        assert_eq!(written(array.clone(), Value::Null).as_deref(), Some("[]"));
        assert_eq!(
            written(array.clone(), json!([{"v": "null"}, {"v": "\"null\""}])).as_deref(),
            Some("[null,\"null\"]")
        );
        assert_eq!(written(array, json!([{"v": "{broken"}])), None);
        let record = json!({"type": "RECORD", "fields": [{"name": "a", "type": "STRING"}]});
        assert_eq!(written(record, json!({"f": [{"v": null}]})).as_deref(), Some("{\"a\":null}"));
    }
}
