//! Comparing values of any two types, after the conversion the service makes by itself.

use std::cmp::Ordering;

use super::cast::cast;
use super::error::{Outcome, SqlError};
use super::session::Session;
use super::types::Type;
use super::value::Value;
use super::zone;

/// The order of two values; none if either is NULL.
pub fn compare(left: &Value, right: &Value, session: &Session) -> Outcome<Option<Ordering>> {
    Ok(Some(match (left, right) {
        (Value::Null, _) | (_, Value::Null) => return Ok(None),
        (Value::Number(left), Value::Number(right)) => left.cmp(right),
        (Value::Float(left), Value::Float(right)) => order(*left, *right),
        (Value::Number(left), Value::Float(right)) => order(left.float(), *right),
        (Value::Float(left), Value::Number(right)) => order(*left, right.float()),
        // Code points, which is the order of UTF-8's bytes.
        (Value::Text(left), Value::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Binary(left), Value::Binary(right)) => left.cmp(right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::Time(left), Value::Time(right)) => left.cmp(right),
        (Value::Ntz(left), Value::Ntz(right)) => left.cmp(right),
        (Value::Ltz(left) | Value::Tz(left, _), Value::Ltz(right) | Value::Tz(right, _)) => left.cmp(right),
        // A naive time is taken in the session's zone when it meets an instant.
        (Value::Ntz(left), Value::Ltz(right) | Value::Tz(right, _)) => {
            zone::instant(session.zone, *left).cmp(right)
        }
        (Value::Ltz(left) | Value::Tz(left, _), Value::Ntz(right)) => {
            left.cmp(&zone::instant(session.zone, *right))
        }
        (Value::Date(_), Value::Ntz(_) | Value::Ltz(_) | Value::Tz(..)) => {
            return compare(&cast(left, Type::Ntz(9), session)?, right, session);
        }
        (Value::Ntz(_) | Value::Ltz(_) | Value::Tz(..), Value::Date(_)) => {
            return compare(left, &cast(right, Type::Ntz(9), session)?, session);
        }
        (Value::Json(left), Value::Json(right)) => left.cmp(right),
        (Value::Text(_) | Value::Json(_), other) => {
            return compare(&cast(left, like(other)?, session)?, right, session);
        }
        (other, Value::Text(_) | Value::Json(_)) => {
            return compare(left, &cast(right, like(other)?, session)?, session);
        }
        _ => return Err(mismatch(left, right)),
    }))
}

/// NaN is equal to itself and above everything, as in Snowflake.
fn order(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

/// The type a text is turned into to be compared with a value.
fn like(value: &Value) -> Outcome<Type> {
    Ok(match value {
        // As many digits on both sides of the point as texts usually have; more would be out of range.
        Value::Number(number) => Type::Number(38, number.scale.max(9)),
        Value::Float(_) => Type::Float,
        Value::Bool(_) => Type::Boolean,
        Value::Binary(_) => Type::Binary(8_388_608),
        Value::Date(_) => Type::Date,
        Value::Time(_) => Type::Time(9),
        Value::Ntz(_) => Type::Ntz(9),
        Value::Ltz(_) => Type::Ltz(9),
        Value::Tz(..) => Type::Tz(9),
        Value::Null | Value::Text(_) | Value::Json(_) => Type::TEXT,
    })
}

fn mismatch(left: &Value, right: &Value) -> SqlError {
    let what =
        format!("SQL compilation error:\nCan not convert parameter '{left:?}' to the type of '{right:?}'");
    SqlError::new("002016", "22000", what)
}
