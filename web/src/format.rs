//! Numbers and times as people read them. Decimals stay text: no digit passes through a float.

use js_sys::Date;
use wasm_bindgen::JsValue;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Groups the whole part of a number in threes: `1234567.89` becomes `1,234,567.89`.
pub fn decimal(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("\u{2212}", rest));
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut grouped = String::with_capacity(text.len() + whole.len() / 3 + 2);
    grouped.push_str(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(fraction) = fraction {
        grouped.push('.');
        grouped.push_str(fraction);
    }
    grouped
}

/// Groups a count in threes.
pub fn count(number: impl Into<i64>) -> String {
    decimal(&number.into().to_string())
}

/// Says a number with its noun in the right form: `1 row`, `2,400 rows`.
pub fn counted(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A number for drawing only, where the nearest pixel is exact enough.
pub fn drawn(text: &str) -> f64 {
    text.parse().unwrap_or(0.0)
}

/// Shortens an axis label: `1500000` becomes `1.5M`.
pub fn short(number: f64) -> String {
    let (scaled, unit) = match number.abs() {
        size if size >= 1e12 => return format!("{number:.1e}"),
        size if size >= 1e9 => (number / 1e9, "B"),
        size if size >= 1e6 => (number / 1e6, "M"),
        size if size >= 1e4 => (number / 1e3, "k"),
        _ => (number, ""),
    };
    let text = if scaled.abs() >= 100.0 || scaled.fract() == 0.0 {
        format!("{scaled:.0}")
    } else {
        format!("{scaled:.1}")
    };
    text + unit
}

/// Milliseconds since the epoch of an RFC 3339 time, or nothing when it cannot be read.
pub fn instant(text: &str) -> Option<f64> {
    let time = Date::parse(text);
    (!time.is_nan()).then_some(time)
}

/// The present, in milliseconds since the epoch.
pub fn now() -> f64 {
    Date::now()
}

/// A time as the API takes it.
pub fn rfc3339(time: f64) -> String {
    Date::new(&JsValue::from_f64(time)).to_iso_string().into()
}

/// A time in the viewer's zone, to the minute: `2026-11-21 14:03`.
pub fn minute(time: f64) -> String {
    let date = Date::new(&JsValue::from_f64(time));
    format!("{} {:02}:{:02}", day_of(&date), date.get_hours(), date.get_minutes())
}

/// A time in the viewer's zone with its offset, to the second: `2026-11-21 14:03:27 +01:00`.
pub fn exact(time: f64) -> String {
    let date = Date::new(&JsValue::from_f64(time));
    let offset = -date.get_timezone_offset() as i64;
    let sign = if offset < 0 { '\u{2212}' } else { '+' };
    let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
    format!("{}:{:02} {sign}{hours:02}:{minutes:02}", minute(time), date.get_seconds())
}

/// A day in the viewer's zone: `2026-11-21`.
pub fn day(time: f64) -> String {
    day_of(&Date::new(&JsValue::from_f64(time)))
}

fn day_of(date: &Date) -> String {
    format!("{:04}-{:02}-{:02}", date.get_full_year(), date.get_month() + 1, date.get_date())
}

/// How far a time lies from now, in words: `just now`, `4 min ago`, `in 2 h`.
pub fn relative(time: f64, now: f64) -> String {
    let seconds = ((now - time) / 1000.0).round() as i64;
    let size = span(seconds.abs());
    match seconds {
        -9..=9 => "just now".to_owned(),
        ..=-10 => format!("in {size}"),
        _ => format!("{size} ago"),
    }
}

/// When something is to happen, in words: `in 4 min`, and `due now` once its time has come.
pub fn due(time: f64, now: f64) -> String {
    if time - now < 10_000.0 { "due now".to_owned() } else { relative(time, now) }
}

/// A length of time in its largest unit: `42 s`, `7 min`, `3 h`, `12 d`.
pub fn span(seconds: i64) -> String {
    match seconds {
        ..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        _ => format!("{} d", seconds / DAY),
    }
}

/// A length of time with two units, for durations of runs: `850 ms`, `4.2 s`, `3 min 12 s`, `1 h 5 min`.
pub fn duration(milliseconds: f64) -> String {
    let seconds = (milliseconds / 1000.0) as i64;
    match seconds {
        ..1 => format!("{} ms", milliseconds.max(0.0).round() as i64),
        1..10 => format!("{:.1} s", milliseconds / 1000.0),
        10..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min {} s", seconds / MINUTE, seconds % MINUTE),
        _ => format!("{} h {} min", seconds / HOUR, seconds % HOUR / MINUTE),
    }
}

/// Bytes in binary units: `12.4 MiB`.
pub fn bytes(number: i64) -> String {
    let mut size = number as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            return if unit == "B" { format!("{number} B") } else { format!("{size:.1} {unit}") };
        }
        size /= 1024.0;
    }
    format!("{size:.1} TiB")
}

/// A word of the API as people write it: `ACCOUNT_UNKNOWN` becomes `Account unknown`.
pub fn word(name: &str) -> String {
    let lower = name.to_lowercase().replace('_', " ");
    let mut letters = lower.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
