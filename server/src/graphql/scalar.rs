//! Scalars that lose nothing: instants, days, exact decimals, big integers, and JSON as it is.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{SecondsFormat, TimeZone, Utc};

use crate::clock::Micros;

/// An instant in UTC to the microsecond, RFC 3339. Inputs must carry an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub Micros);

impl DateTime {
    /// Takes an optional time.
    pub fn some(at: Option<Micros>) -> Option<Self> {
        at.map(Self)
    }
}

/// An instant in UTC to the microsecond, RFC 3339. Inputs must carry an offset.
#[Scalar(specified_by_url = "https://datatracker.ietf.org/doc/html/rfc3339#section-5.6")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        chrono::DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.timestamp_micros()))
            .map_err(|_| InputValueError::custom("write a time as 2026-02-28T10:00:00Z, with its offset"))
    }

    fn to_value(&self) -> Value {
        let time = Utc.timestamp_micros(self.0).single().unwrap_or_default();
        Value::String(time.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

/// A calendar day, `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub chrono::NaiveDate);

/// A calendar day, `YYYY-MM-DD`.
#[Scalar(specified_by_url = "https://datatracker.ietf.org/doc/html/rfc3339#section-5.6")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                text.parse().map(Self).map_err(|_| InputValueError::custom("write a day as 2026-02-28"))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An exact decimal number as a string, never rounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal(pub entity::Decimal);

/// An exact decimal number as a string, never rounded.
#[Scalar(specified_by_url = "https://www.w3.org/TR/xmlschema-2/#decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text
                .parse()
                .map(Self)
                .map_err(|error| InputValueError::custom(format!("a decimal is needed here: {error}"))),
            _ => Err(InputValueError::custom("write a decimal as a string, so that nothing is rounded")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A whole number of any size, as a decimal string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BigInt(pub i64);

/// A whole number of any size, as a decimal string.
#[Scalar(specified_by_url = "https://www.w3.org/TR/xmlschema-2/#integer")]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        let number = match &value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_i64(),
            _ => return Err(InputValueError::expected_type(value)),
        };
        number.map(Self).ok_or_else(|| InputValueError::custom("a whole number is needed here"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Any JSON value. Used for rows as the source sent them.
#[derive(Clone, Debug, PartialEq)]
pub struct Json(pub serde_json::Value);

impl Json {
    /// Reads stored JSON text; text that is none is shown as a string.
    pub fn stored(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.to_owned())))
    }
}

/// Any JSON value. Used for rows as the source sent them.
#[Scalar(name = "JSON", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        value.into_json().map(Self).map_err(|_| InputValueError::custom("this is not JSON"))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_its_microseconds_and_needs_its_offset() {
        let parse = |text: &str| DateTime::parse(Value::String(text.to_owned()));
        let time = parse("2026-02-28T11:00:00.123456+01:00").expect("a time");
        assert_eq!(time.to_value(), Value::String("2026-02-28T10:00:00.123456Z".to_owned()));
        assert!(parse("2026-02-28T11:00:00").is_err());
    }

    #[test]
    fn a_decimal_is_a_string_and_keeps_every_digit() {
        let text = "12345678901234567890123456789012345678.1234567890123456789";
        let value = Decimal::parse(Value::String(text.to_owned())).expect("a decimal");
        assert_eq!(value.to_value(), Value::String(text.to_owned()));
        assert!(Decimal::parse(Value::Number(1.into())).is_err());
    }
}
