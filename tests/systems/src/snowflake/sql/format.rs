//! Values as text, by Snowflake's format elements.

use std::fmt::Write;

use super::encode::{self, SECOND};
use super::moment::{DAY, civil};
use super::session::Session;
use super::value::Value;
use super::zone;

/// What an account prints by default: three digits of a second, not nine.
const DATE: &str = "YYYY-MM-DD";
const TIME: &str = "HH24:MI:SS";
const NAIVE: &str = "YYYY-MM-DD HH24:MI:SS.FF3";
const ZONED: &str = "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM";

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A value as `CAST(... AS VARCHAR)` or `TO_VARCHAR(value, format)` prints it; none for NULL.
pub fn text(value: &Value, format: Option<&str>, session: &Session) -> Option<String> {
    let set = |name: &str, default: &'static str| {
        format.or_else(|| session.formats.get(name).map(String::as_str)).unwrap_or(default).to_owned()
    };
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Float(value) => encode::float(*value),
        Value::Text(text) => text.to_string(),
        Value::Json(text) => {
            // A string in a document loses its quotes; null has none.
            match serde_json::from_str::<String>(text) {
                Ok(text) => text,
                Err(_) if &**text == "null" => return None,
                Err(_) => text.to_string(),
            }
        }
        Value::Binary(bytes) => bytes.iter().fold(String::new(), |mut out, byte| {
            let _written = write!(out, "{byte:02X}");
            out
        }),
        Value::Date(days) => moment(&set("DATE_OUTPUT_FORMAT", DATE), i128::from(*days) * DAY, None),
        Value::Time(nanos) => moment(&set("TIME_OUTPUT_FORMAT", TIME), i128::from(*nanos), None),
        Value::Ntz(wall) => moment(&set("TIMESTAMP_NTZ_OUTPUT_FORMAT", NAIVE), *wall, None),
        Value::Ltz(utc) => {
            let offset = zone::offset_at(session.zone, *utc);
            let wall = utc + i128::from(offset) * 60 * SECOND;
            moment(&set("TIMESTAMP_LTZ_OUTPUT_FORMAT", ZONED), wall, Some(offset))
        }
        Value::Tz(utc, offset) => {
            let wall = utc + i128::from(*offset) * 60 * SECOND;
            moment(&set("TIMESTAMP_TZ_OUTPUT_FORMAT", ZONED), wall, Some(*offset))
        }
    })
}

/// A wall clock by format elements. What is no element stands for itself; text in double quotes does too.
fn moment(format: &str, wall: i128, offset: Option<i16>) -> String {
    let (year, month, day) = civil(i64::try_from(wall.div_euclid(DAY)).unwrap_or_default());
    let nanos = wall.rem_euclid(DAY);
    let clock = nanos / SECOND;
    let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
    let fraction = format!("{:09}", nanos % SECOND);
    let offset = offset.unwrap_or(0);
    let sign = if offset < 0 { '-' } else { '+' };
    let elements: [(&str, String); 13] = [
        ("YYYY", format!("{year:04}")),
        ("HH24", format!("{hour:02}")),
        ("HH12", format!("{:02}", (hour + 11) % 12 + 1)),
        ("MON", MONTHS[usize::try_from(month - 1).unwrap_or_default()].to_owned()),
        ("TZH", format!("{sign}{:02}", offset.abs() / 60)),
        ("TZM", format!("{:02}", offset.abs() % 60)),
        ("YY", format!("{:02}", year % 100)),
        ("MM", format!("{month:02}")),
        ("DD", format!("{day:02}")),
        ("MI", format!("{minute:02}")),
        ("SS", format!("{second:02}")),
        ("AM", if hour < 12 { "AM" } else { "PM" }.to_owned()),
        ("PM", if hour < 12 { "AM" } else { "PM" }.to_owned()),
    ];
    let (mut out, mut rest) = (String::new(), format);
    'next: while !rest.is_empty() {
        if let Some((quoted, after)) = rest.strip_prefix('"').and_then(|it| it.split_once('"')) {
            out.push_str(quoted);
            rest = after;
            continue;
        }
        let upper: String = rest.chars().take(4).collect::<String>().to_uppercase();
        for (element, value) in &elements {
            if upper.starts_with(element) {
                out.push_str(value);
                rest = &rest[element.len()..];
                continue 'next;
            }
        }
        if upper.starts_with("FF") {
            let digit = rest.as_bytes().get(2).filter(|it| it.is_ascii_digit());
            let digits = digit.map_or(9, |it| usize::from(it - b'0').min(9));
            // No digits, no point either.
            if digits == 0 && out.ends_with('.') {
                out.pop();
            }
            out.push_str(&fraction[..digits]);
            rest = &rest[2 + usize::from(digit.is_some())..];
            continue;
        }
        let letter = rest.chars().next().unwrap_or_default();
        out.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Session, text};
    use crate::snowflake::sql::value::Value;

    #[test]
    fn default_formats_cut_digits_as_the_service_does() {
        let session = Session { zone: chrono_tz::Tz::UTC, ..Session::default() };
        let value = Value::Ntz(1_611_871_777_123_456_789);
        assert_eq!(text(&value, None, &session).as_deref(), Some("2021-01-28 22:09:37.123"));
        let nine = Some("YYYY-MM-DD\"T\"HH24:MI:SS.FF9");
        assert_eq!(text(&value, nine, &session).as_deref(), Some("2021-01-28T22:09:37.123456789"));
        let zoned = Value::Tz(1_611_871_777_123_456_789, -480);
        assert_eq!(text(&zoned, None, &session).as_deref(), Some("2021-01-28 14:09:37.123 -0800"));
        let pacific = Session::default();
        let local = Value::Ltz(1_611_871_777_000_000_000);
        assert_eq!(
            text(&local, Some("HH12:MI AM TZH:TZM FF0"), &pacific).as_deref(),
            Some("02:09 PM -08:00 ")
        );
        assert_eq!(text(&Value::Date(-1), None, &session).as_deref(), Some("1969-12-31"));
    }
}
