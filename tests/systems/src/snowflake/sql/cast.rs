//! `CAST`: from any type to any other, as far as Snowflake goes.

use serde_json::Value as Document;

use super::encode::SECOND;
use super::error::{Outcome, SqlError};
use super::format;
use super::moment::{self, DAY};
use super::number::Number;
use super::session::Session;
use super::types::Type;
use super::value::Value;
use super::zone;

/// A value in another type; NULL stays NULL.
pub fn cast(value: &Value, to: Type, session: &Session) -> Outcome<Value> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    if let (Value::Json(text), false) = (value, matches!(to, Type::Variant | Type::Object | Type::Array)) {
        return from_document(text, to, session);
    }
    let refused = || {
        let what = format!(
            "SQL compilation error: error line 1 at position 7\ninvalid type [CAST({value:?} AS {to})] for parameter 'TO_{}'",
            to.family()
        );
        SqlError::new("001065", "22023", what)
    };
    Ok(match to {
        Type::Number(precision, scale) => {
            let number = match value {
                Value::Number(number) => *number,
                Value::Float(float) => Number::from_float(*float).ok_or_else(|| SqlError::range(float))?,
                Value::Bool(truth) => Number::whole(i128::from(*truth)),
                Value::Text(text) => Number::parse(text).ok_or_else(|| SqlError::number(text))?,
                _ => return Err(refused()),
            };
            Value::Number(number.fit(precision, scale).ok_or_else(|| SqlError::range(number))?)
        }
        Type::Decfloat => match value {
            Value::Number(_) | Value::Text(_) => {
                let text = format::text(value, None, session).unwrap_or_default();
                Value::text(decfloat(&text).ok_or_else(|| SqlError::number(&text))?)
            }
            _ => return Err(refused()),
        },
        Type::Float => Value::Float(match value {
            Value::Number(number) => number.float(),
            Value::Float(float) => *float,
            Value::Bool(truth) => f64::from(u8::from(*truth)),
            Value::Text(text) => float(text)?,
            _ => return Err(refused()),
        }),
        Type::Text(length) => {
            let text = format::text(value, None, session).unwrap_or_default();
            if text.chars().count() as u64 > length {
                let shown: String = text.chars().take(100).collect();
                let what = format!("String '{shown}' is too long and would be truncated");
                return Err(SqlError::new("100078", "22000", what));
            }
            Value::text(text)
        }
        Type::Binary(_) => match value {
            Value::Binary(_) => value.clone(),
            Value::Text(text) => Value::Binary(hex(text).ok_or_else(|| SqlError::invalid("Binary", text))?),
            _ => return Err(refused()),
        },
        Type::Boolean => match value {
            Value::Bool(_) => value.clone(),
            Value::Number(number) => Value::Bool(number.digits != 0),
            Value::Text(text) => Value::Bool(truth(text).ok_or_else(|| SqlError::invalid("Boolean", text))?),
            _ => return Err(refused()),
        },
        Type::Date | Type::Time(_) | Type::Ntz(_) | Type::Ltz(_) | Type::Tz(_) => {
            return time(value, to, session)?.ok_or_else(refused);
        }
        Type::Variant | Type::Object | Type::Array => {
            let document = document(value, session);
            let fits = match to {
                Type::Object => document.starts_with('{'),
                Type::Array => document.starts_with('['),
                _ => true,
            };
            if !fits {
                return Err(refused());
            }
            Value::Json(document.into())
        }
    })
}

fn from_document(text: &str, to: Type, session: &Session) -> Outcome<Value> {
    let plain = match serde_json::from_str::<Document>(text) {
        Ok(Document::Null) => return Ok(Value::Null),
        Ok(Document::String(text)) => Value::text(text),
        Ok(Document::Bool(truth)) => Value::Bool(truth),
        // The text, not the parsed float: no digit is lost.
        Ok(Document::Number(_)) => match Number::parse(text) {
            Some(number) => Value::Number(number),
            None => Value::Float(float(text)?),
        },
        _ if matches!(to, Type::Text(_)) => Value::text(text),
        _ => {
            let what = format!("Failed to cast variant value {text} to {}", to.family());
            return Err(SqlError::new("100071", "22000", what));
        }
    };
    cast(&plain, to, session)
}

/// A value as a document.
pub fn document(value: &Value, session: &Session) -> String {
    match value {
        Value::Json(text) => text.to_string(),
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::Float(_) => {
            format::text(value, None, session).unwrap_or_default()
        }
        _ => Document::String(format::text(value, None, session).unwrap_or_default()).to_string(),
    }
}

/// Checks a decimal with an exponent, of up to 38 digits; it is kept as it is written.
fn decfloat(text: &str) -> Option<String> {
    let upper = text.trim().to_uppercase();
    let (digits, exponent) = upper.split_once('E').unwrap_or((&upper, "0"));
    exponent.parse::<i16>().ok().filter(|exponent| exponent.unsigned_abs() < 16_384)?;
    let digits = digits.trim_start_matches(['-', '+']);
    let counted = digits.bytes().filter(u8::is_ascii_digit).count();
    let points = digits.bytes().filter(|byte| *byte == b'.').count();
    let plain = (1..=38).contains(&counted) && points <= 1 && counted + points == digits.len();
    plain.then_some(upper)
}

/// Reads a float, also `NaN`, `inf` and `-inf`.
pub fn float(text: &str) -> Outcome<f64> {
    text.trim().parse().map_err(|_bad| SqlError::number(text))
}

/// Reads a truth value by any of its names.
pub fn truth(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Reads bytes from hexadecimal digits.
pub fn hex(text: &str) -> Option<std::sync::Arc<[u8]>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// Cuts a count of nanoseconds to so many digits of a second.
pub fn cut(nanos: i128, digits: u8) -> i128 {
    let unit = 10_i128.pow(u32::from(9 - digits.min(9)));
    nanos.div_euclid(unit) * unit
}

fn time(value: &Value, to: Type, session: &Session) -> Outcome<Option<Value>> {
    let minutes = |offset: i16| i128::from(offset) * 60 * SECOND;
    let local = |utc: i128| utc + minutes(zone::offset_at(session.zone, utc));
    // The wall clock, and the instant with its offset where the value is one.
    let (wall, instant) = match (value, to) {
        (Value::Text(text), Type::Time(digits)) => {
            let nanos = moment::time(text).ok_or_else(|| SqlError::time("Time", text))?;
            return Ok(Some(Value::Time(cut(nanos.into(), digits) as i64)));
        }
        (Value::Time(nanos), Type::Time(digits)) => {
            return Ok(Some(Value::Time(cut((*nanos).into(), digits) as i64)));
        }
        (Value::Text(text), Type::Date) => {
            let days =
                moment::date(text).or_else(|| Some(moment::timestamp(text)?.wall.div_euclid(DAY) as i64));
            return Ok(Some(Value::Date(days.ok_or_else(|| SqlError::time("Date", text))? as i32)));
        }
        (Value::Text(text), _) => {
            let moment = moment::timestamp(text).ok_or_else(|| SqlError::time("Timestamp", text))?;
            (moment.wall, moment.offset.map(|offset| (moment.wall - minutes(offset), offset)))
        }
        (Value::Date(days), _) => (i128::from(*days) * DAY, None),
        (Value::Ntz(wall), _) => (*wall, None),
        (Value::Ltz(utc), _) => (local(*utc), Some((*utc, zone::offset_at(session.zone, *utc)))),
        (Value::Tz(utc, offset), _) => (utc + minutes(*offset), Some((*utc, *offset))),
        // Whole numbers are seconds since 1970, fractions too.
        (Value::Number(number), Type::Ntz(_) | Type::Ltz(_) | Type::Tz(_)) => {
            let nanos = number.rescale(9).ok_or_else(|| SqlError::range(number))?.digits;
            (nanos, Some((nanos, 0)))
        }
        _ => return Ok(None),
    };
    let (utc, offset) = instant.unwrap_or_else(|| {
        let utc = zone::instant(session.zone, wall);
        (utc, zone::offset_at(session.zone, utc))
    });
    Ok(Some(match to {
        Type::Date => Value::Date(wall.div_euclid(DAY) as i32),
        Type::Time(digits) => Value::Time(cut(wall.rem_euclid(DAY), digits) as i64),
        Type::Ntz(digits) => Value::Ntz(cut(wall, digits)),
        Type::Ltz(digits) => Value::Ltz(cut(utc, digits)),
        Type::Tz(digits) => Value::Tz(cut(utc, digits), offset),
        _ => return Ok(None),
    }))
}
