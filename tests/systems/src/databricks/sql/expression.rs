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

/// A computation with integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `DIV`, which cuts towards zero.
    Divided,
    /// `%`, with the sign of what is divided.
    Rest,
    /// `-`
    Minus,
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
    /// A computation with integers.
    Arithmetic(Arithmetic, Box<Self>, Box<Self>),
    /// `CASE WHEN … THEN … ELSE … END`.
    Case(Box<Self>, Box<Self>, Box<Self>),
    /// `CAST(… AS DATE)` of a time: the day on the wall, for instants in the session's zone.
    Day(Box<Self>),
    /// `unix_date(…)`.
    UnixDate(Box<Self>),
    /// `CAST(… AS DECIMAL(…))` of an integer: its digits, and those behind the point.
    Exact(Box<Self>, u8, u8),
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
            Self::Arithmetic(how, a, b) => match (a.value(row), b.value(row)) {
                (Value::Int(a), Value::Int(b)) => {
                    let computed = match how {
                        Arithmetic::Divided => a.checked_div(b),
                        Arithmetic::Rest => a.checked_rem(b),
                        Arithmetic::Minus => a.checked_sub(b),
                    };
                    computed.map_or(Value::Null, Value::Int)
                }
                _ => Value::Null,
            },
            Self::Case(when, then, otherwise) => match when.value(row) {
                Value::Bool(true) => then.value(row),
                _ => otherwise.value(row),
            },
            Self::Day(inner) => match inner.value(row) {
                Value::Naive(micros) => Value::Date(micros.div_euclid(DAY) as i32),
                Value::Zoned(micros) => Value::Date((micros + SESSION * 1_000_000).div_euclid(DAY) as i32),
                _ => Value::Null,
            },
            Self::UnixDate(inner) => match inner.value(row) {
                Value::Date(days) => Value::Int(i64::from(days)),
                _ => Value::Null,
            },
            Self::Exact(inner, digits, scale) => match inner.value(row) {
                Value::Int(value) => {
                    let value = i128::from(value) * 10_i128.pow(u32::from(*scale));
                    let fits = value.abs() < 10_i128.pow(u32::from(*digits));
                    if fits { Value::Decimal(value, *scale) } else { Value::Null }
                }
                _ => Value::Null,
            },
        }
    }
}

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

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
