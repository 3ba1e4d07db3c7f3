//! Expressions over one row, with the types of what they give.

use std::cmp::Ordering;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::value::{SESSION, Value};

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `=`
    Equal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// An expression whose names and types have been checked.
#[derive(Clone, Debug)]
pub enum Expression {
    /// A column, by place.
    Column(usize),
    /// A constant or a parameter.
    Constant(Value),
    /// `unix_micros(…)` of an instant.
    Micros(Box<Self>),
    /// A naive time as an instant, through the session's zone.
    Zoned(Box<Self>),
    /// `CAST(… AS STRING)`.
    Text(Box<Self>),
    /// `to_json(…)`; whether fields that are null are kept.
    Json(Box<Self>, bool),
    /// `base64(…)`.
    Base64(Box<Self>),
    /// A comparison, and whether letters are folded.
    Compare(Compare, Box<Self>, Box<Self>, bool),
    /// `IS NULL`, or `IS NOT NULL`.
    Null(Box<Self>, bool),
    /// `AND`
    And(Box<Self>, Box<Self>),
    /// `OR`
    Or(Box<Self>, Box<Self>),
}

impl Expression {
    /// Its value over a row.
    pub fn value(&self, row: &[Value]) -> Value {
        match self {
            Self::Column(place) => row.get(*place).cloned().unwrap_or(Value::Null),
            Self::Constant(value) => value.clone(),
            Self::Micros(inner) => match inner.value(row) {
                Value::Zoned(micros) => Value::Int(micros),
                _ => Value::Null,
            },
            Self::Zoned(inner) => match inner.value(row) {
                Value::Naive(micros) => Value::Zoned(micros - SESSION * 1_000_000),
                other => other,
            },
            Self::Text(inner) => match inner.value(row) {
                Value::Null => Value::Null,
                value => Value::Text(value.string()),
            },
            Self::Json(inner, whole) => match inner.value(row) {
                Value::Json(text) if *whole => Value::Text(text),
                Value::Json(text) => Value::Text(without_nulls(&text)),
                _ => Value::Null,
            },
            Self::Base64(inner) => match inner.value(row) {
                Value::Binary(bytes) => Value::Text(STANDARD.encode(bytes)),
                _ => Value::Null,
            },
            Self::Compare(how, a, b, folded) => match (a.value(row), b.value(row)) {
                (Value::Null, _) | (_, Value::Null) => Value::Null,
                (a, b) => Value::Bool(holds(*how, a.order(&b, *folded))),
            },
            Self::Null(inner, wanted) => Value::Bool((inner.value(row) == Value::Null) == *wanted),
            Self::And(a, b) => match (a.value(row), b.value(row)) {
                (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
                (Value::Bool(true), Value::Bool(true)) => Value::Bool(true),
                _ => Value::Null,
            },
            Self::Or(a, b) => match (a.value(row), b.value(row)) {
                (Value::Bool(true), _) | (_, Value::Bool(true)) => Value::Bool(true),
                (Value::Bool(false), Value::Bool(false)) => Value::Bool(false),
                _ => Value::Null,
            },
        }
    }
}

fn holds(how: Compare, order: Ordering) -> bool {
    match how {
        Compare::Equal => order.is_eq(),
        Compare::Less => order.is_lt(),
        Compare::LessOrEqual => order.is_le(),
        Compare::Greater => order.is_gt(),
        Compare::GreaterOrEqual => order.is_ge(),
    }
}

/// A document without the fields that are null, as `to_json` writes it by default.
fn without_nulls(text: &str) -> String {
    fn strip(json: &mut Json) {
        match json {
            Json::Object(fields) => {
                fields.retain(|_, value| !value.is_null());
                fields.values_mut().for_each(strip);
            }
            Json::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let Ok(mut json) = serde_json::from_str(text) else { return text.to_owned() };
    strip(&mut json);
    json.to_string()
}
