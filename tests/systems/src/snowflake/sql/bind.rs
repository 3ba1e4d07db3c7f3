//! Bound values: the types and spellings that are documented, and no other.

use super::cast::hex;
use super::error::{Outcome, SqlError};
use super::moment::DAY;
use super::number::Number;
use super::value::Value;

/// Reads a binding.
pub fn bound(kind: &str, value: Option<&str>) -> Outcome<Value> {
    const KINDS: [&str; 10] = [
        "FIXED",
        "REAL",
        "TEXT",
        "BINARY",
        "BOOLEAN",
        "DATE",
        "TIME",
        "TIMESTAMP_NTZ",
        "TIMESTAMP_LTZ",
        "TIMESTAMP_TZ",
    ];
    if !KINDS.contains(&kind) {
        return Err(SqlError::invalid("Bind type", kind));
    }
    let Some(text) = value else { return Ok(Value::Null) };
    let bad = || match kind {
        "FIXED" | "REAL" => SqlError::invalid("Numeric", text),
        "BOOLEAN" => SqlError::invalid("Boolean", text),
        "BINARY" => SqlError::invalid("Binary", text),
        "DATE" => SqlError::invalid("Date", text),
        "TIME" => SqlError::invalid("Time", text),
        _ => SqlError::invalid("Timestamp", text),
    };
    let whole = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
        plain.then(|| text.parse::<i128>().ok()).flatten().ok_or_else(bad)
    };
    Ok(match kind {
        // Documented for integers only.
        "FIXED" => Value::Number(Number::whole(whole(text)?).fit(38, 0).ok_or_else(bad)?),
        "REAL" => Value::Float(text.parse().map_err(|_bad| bad())?),
        "TEXT" => Value::text(text),
        "BINARY" => Value::Binary(hex(text).ok_or_else(bad)?),
        "BOOLEAN" => Value::Bool(text.parse().map_err(|_bad| bad())?),
        "DATE" => {
            // Milliseconds of a day's beginning.
            let nanos = whole(text)? * 1_000_000;
            if nanos % DAY != 0 {
                return Err(bad());
            }
            Value::Date(i32::try_from(nanos / DAY).map_err(|_far| bad())?)
        }
        "TIME" => Value::Time(
            i64::try_from(whole(text)?).ok().filter(|it| (0..DAY as i64).contains(it)).ok_or_else(bad)?,
        ),
        "TIMESTAMP_NTZ" => Value::Ntz(whole(text)?),
        "TIMESTAMP_LTZ" => Value::Ltz(whole(text)?),
        _ => {
            let (nanos, offset) = text.split_once(' ').ok_or_else(bad)?;
            let offset = offset.parse::<i16>().ok().filter(|it| (0..=2_880).contains(it)).ok_or_else(bad)?;
            Value::Tz(whole(nanos)?, offset - 1_440)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::bound;
    use crate::snowflake::sql::value::Value;

    #[test]
    fn the_documented_spellings_are_read() {
        for (kind, text, value) in [
            ("FIXED", "-123", Value::int(-123)),
            ("REAL", "1.5", Value::Float(1.5)),
            ("TEXT", "", Value::text("")),
            ("BINARY", "00ff", Value::Binary([0, 255].into())),
            ("BOOLEAN", "true", Value::Bool(true)),
            ("DATE", "1611792000000", Value::Date(18_655)),
            ("TIME", "86399999999999", Value::Time(86_399_999_999_999)),
            ("TIMESTAMP_NTZ", "1611871777123456789", Value::Ntz(1_611_871_777_123_456_789)),
            ("TIMESTAMP_TZ", "1611871777123456789 960", Value::Tz(1_611_871_777_123_456_789, -480)),
        ] {
            assert_eq!(bound(kind, Some(text)), Ok(value), "{kind}");
            assert_eq!(bound(kind, None), Ok(Value::Null));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for (kind, text) in [
            ("FIXED", "12.34"),
            ("FIXED", "+1"),
            ("FIXED", "999999999999999999999999999999999999999"),
            ("REAL", "one"),
            ("BOOLEAN", "1"),
            ("BINARY", "0"),
            ("DATE", "2021-01-28"),
            ("DATE", "1611792000001"),
            ("TIME", "86400000000000"),
            ("TIMESTAMP_NTZ", "2021-01-28 00:00:00"),
            ("TIMESTAMP_NTZ", "1611871777.123456789"),
            ("TIMESTAMP_TZ", "1611871777123456789"),
            ("NUMBER", "1"),
            ("VARCHAR", "x"),
        ] {
            assert_eq!(
                bound(kind, Some(text)).map_err(|error| error.code),
                Err("100037".to_owned()),
                "{kind} {text}"
            );
        }
    }
}
