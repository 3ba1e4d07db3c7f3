//! Cells as `jsonv2` writes them: a JSON string each, or null.

use std::io::Write;

use super::number::Number;
use super::value::Value;

/// Nanoseconds in a second.
pub const SECOND: i128 = 1_000_000_000;

/// Appends one cell. `nullable` as in the query string: without it, NULL is the string `null`.
pub fn cell(out: &mut Vec<u8>, value: &Value, nullable: bool) {
    // Writing to a vector cannot fail.
    let _written = match value {
        Value::Null if nullable => return out.extend_from_slice(b"null"),
        Value::Null => return out.extend_from_slice(b"\"null\""),
        Value::Text(text) => return string(out, text),
        Value::Json(text) => return string(out, &pretty(text)),
        Value::Bool(true) => write!(out, "\"true\""),
        Value::Bool(false) => write!(out, "\"false\""),
        Value::Number(Number { digits, scale: 0 }) => write!(out, "\"{digits}\""),
        Value::Number(number) => write!(out, "\"{number}\""),
        Value::Float(value) => write!(out, "\"{}\"", float(*value)),
        Value::Binary(bytes) => {
            out.push(b'"');
            for byte in bytes.iter() {
                let _written = write!(out, "{byte:02X}");
            }
            out.push(b'"');
            return;
        }
        Value::Date(days) => write!(out, "\"{days}\""),
        Value::Time(nanos) => write!(out, "\"{}\"", seconds(i128::from(*nanos))),
        Value::Ntz(nanos) | Value::Ltz(nanos) => write!(out, "\"{}\"", seconds(*nanos)),
        Value::Tz(nanos, offset) => write!(out, "\"{} {}\"", seconds(*nanos), offset + 1440),
    };
}

/// Seconds with nine decimals; one sign for both halves, so -0.5 s is `-0.500000000`.
pub fn seconds(nanos: i128) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let (whole, rest) =
        (nanos.unsigned_abs() / SECOND.unsigned_abs(), nanos.unsigned_abs() % SECOND.unsigned_abs());
    format!("{sign}{whole}.{rest:09}")
}

/// The shortest text that reads back as the same float. How the service spells what is not finite is not documented.
pub fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if value != 0.0 && !(1e-5..1e15).contains(&value.abs()) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((mantissa, exponent)) if !exponent.starts_with('-') => format!("{mantissa}e+{exponent}"),
            _ => text,
        };
    }
    format!("{value}")
}

/// A JSON string.
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..=31 => &[],
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[from..at]);
        if escaped.is_empty() {
            let _written = write!(out, "\\u{byte:04x}");
        } else {
            out.extend_from_slice(escaped);
        }
        from = at + 1;
    }
    out.extend_from_slice(&text.as_bytes()[from..]);
    out.push(b'"');
}

/// A document as results show it: objects and arrays over several lines, two blanks a level.
pub fn pretty(json: &str) -> String {
    let (mut out, mut depth, mut quoted, mut escaped) =
        (String::with_capacity(json.len() + 16), 0_usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    let mut letters = json.chars().peekable();
    while let Some(letter) = letters.next() {
        if quoted {
            out.push(letter);
            quoted = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            continue;
        }
        match letter {
            '"' => {
                quoted = true;
                out.push(letter);
            }
            '{' | '[' => {
                out.push(letter);
                let close = if letter == '{' { '}' } else { ']' };
                while letters.next_if(|it| it.is_ascii_whitespace()).is_some() {}
                if letters.next_if_eq(&close).is_some() {
                    out.push(close);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            it if it.is_ascii_whitespace() => {}
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{cell, pretty};
    use crate::snowflake::sql::number::Number;
    use crate::snowflake::sql::value::Value;

    fn encoded(value: &Value) -> String {
        let mut out = Vec::new();
        cell(&mut out, value, true);
        String::from_utf8(out).expect("JSON is text")
    }

    #[test]
    fn cells_are_strings() {
        for (value, wanted) in [
            (Value::Null, "null"),
            (Value::Bool(true), r#""true""#),
            (Value::Number(Number { digits: 1234, scale: 2 }), r#""12.34""#),
            (Value::Number(Number { digits: -5, scale: 3 }), r#""-0.005""#),
            (Value::Float(1.5), r#""1.5""#),
            (Value::Float(1e300), r#""1e+300""#),
            (Value::Binary([0, 0xAB].into()), r#""00AB""#),
            (Value::Date(-1), r#""-1""#),
            (Value::Time(1_500_000_000), r#""1.500000000""#),
            (Value::Ntz(1_611_871_777_123_456_789), r#""1611871777.123456789""#),
            (Value::Ltz(-500_000_000), r#""-0.500000000""#),
            (Value::Ntz(-1_500_000_000), r#""-1.500000000""#),
            (Value::Tz(1_500_000_000, -480), r#""1.500000000 960""#),
            (Value::text("a\"\\\n\u{1}é"), r#""a\"\\\n\u0001é""#),
            (Value::Json("null".into()), r#""null""#),
        ] {
            assert_eq!(encoded(&value), wanted);
        }
    }

    #[test]
    fn documents_are_laid_out() {
        assert_eq!(
            pretty(r#"{"a":[1,{}],"b,":"x: \"{"}"#),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b,\": \"x: \\\"{\"\n}"
        );
        assert_eq!(pretty("null"), "null");
    }
}
