//! Types and values, and how the JSON_ARRAY format writes them.

use std::cmp::Ordering;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connector::{Cell, Moment, cursor};

/// The session's zone in seconds: not UTC, as in the workspace whose answers were recorded.
pub const SESSION: i64 = -7 * 3_600;

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `TINYINT` to `BIGINT`, by name.
    Int(&'static str),
    /// `DECIMAL(p,s)`.
    Decimal(u8, u8),
    /// `DOUBLE`.
    Double,
    /// `BOOLEAN`.
    Bool,
    /// `STRING`.
    Text,
    /// `STRING COLLATE UTF8_LCASE`: `a` and `A` are equal.
    Folded,
    /// `DATE`.
    Date,
    /// `TIMESTAMP`.
    Zoned,
    /// `TIMESTAMP_NTZ`.
    Naive,
    /// `BINARY`.
    Binary,
    /// A structured type, by its text.
    Struct(&'static str),
    /// `VARIANT`.
    Variant,
    /// `INTERVAL DAY TO SECOND`.
    Interval,
}

impl Type {
    /// Its text, as in `type_text`.
    pub fn text(&self) -> String {
        match self {
            Self::Int(name) => (*name).to_owned(),
            Self::Decimal(digits, scale) => format!("DECIMAL({digits},{scale})"),
            Self::Double => "DOUBLE".to_owned(),
            Self::Bool => "BOOLEAN".to_owned(),
            Self::Text => "STRING".to_owned(),
            Self::Folded => "STRING COLLATE UTF8_LCASE".to_owned(),
            Self::Date => "DATE".to_owned(),
            Self::Zoned => "TIMESTAMP".to_owned(),
            Self::Naive => "TIMESTAMP_NTZ".to_owned(),
            Self::Binary => "BINARY".to_owned(),
            Self::Struct(text) => (*text).to_owned(),
            Self::Variant => "VARIANT".to_owned(),
            Self::Interval => "INTERVAL DAY TO SECOND".to_owned(),
        }
    }

    /// Its name, as in `type_name`; none where recorded answers leave it out.
    pub fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Int("TINYINT") => "BYTE",
            Self::Int("SMALLINT") => "SHORT",
            Self::Int("INT") => "INT",
            Self::Int(_) => "LONG",
            Self::Decimal(..) => "DECIMAL",
            Self::Double => "DOUBLE",
            Self::Bool => "BOOLEAN",
            Self::Text | Self::Folded => "STRING",
            Self::Date => "DATE",
            Self::Zoned => "TIMESTAMP",
            Self::Naive => return None,
            Self::Binary => "BINARY",
            Self::Struct(text) if text.starts_with("ARRAY") => "ARRAY",
            Self::Struct(text) if text.starts_with("MAP") => "MAP",
            Self::Struct(_) => "STRUCT",
            Self::Variant => "VARIANT",
            Self::Interval => "INTERVAL",
        })
    }

    /// Whether values of both can be compared without a cast through the session's zone.
    pub fn compares(&self, other: &Self) -> bool {
        let family = |kind: &Self| match kind {
            Self::Int(_) | Self::Decimal(..) | Self::Double => 0,
            Self::Bool => 1,
            Self::Text | Self::Folded => 2,
            Self::Date => 3,
            Self::Zoned => 4,
            Self::Naive => 5,
            Self::Binary => 6,
            Self::Struct(_) | Self::Variant => 7,
            Self::Interval => 8,
        };
        family(self) == family(other)
    }

    /// Whether it has an order: documents do not.
    pub fn ordered(&self) -> bool {
        !matches!(self, Self::Struct(_) | Self::Variant)
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// An integer.
    Int(i64),
    /// A decimal: its digits, and how many of them stand after the point.
    Decimal(i128, u8),
    /// A float.
    Double(f64),
    /// A truth value.
    Bool(bool),
    /// Text, and intervals.
    Text(String),
    /// Days since 1970.
    Date(i32),
    /// Microseconds since 1970.
    Zoned(i64),
    /// The same on the wall's clock.
    Naive(i64),
    /// Bytes.
    Binary(Vec<u8>),
    /// A document, as JSON.
    Json(String),
}

impl Value {
    /// Reads a literal of that type; nothing when it is none. Times without an offset are meant in the session's zone.
    pub fn parse(kind: &Type, text: &str) -> Option<Self> {
        Some(match kind {
            Type::Int(_) => Self::Int(text.parse().ok()?),
            Type::Decimal(digits, scale) => Self::Decimal(decimal(text, *digits, *scale)?, *scale),
            Type::Double => Self::Double(text.parse().ok()?),
            Type::Bool => Self::Bool(text.parse().ok()?),
            Type::Text | Type::Folded | Type::Interval => Self::Text(text.to_owned()),
            Type::Date => Self::Date(cursor::parse_days(unsigned(text))?.try_into().ok()?),
            Type::Zoned => match text.strip_suffix('Z') {
                Some(text) => Self::Zoned(micros(text)?),
                None => Self::Zoned(micros(text)? - SESSION * 1_000_000),
            },
            Type::Naive => Self::Naive(micros(text)?),
            Type::Binary => Self::Binary(text.as_bytes().to_vec()),
            Type::Struct(_) | Type::Variant => {
                serde_json::from_str::<serde_json::Value>(text).ok()?;
                Self::Json(text.to_owned())
            }
        })
    }

    /// Its text in a result; none for NULL. Fractions of a second end at the millisecond.
    pub fn cell(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Zoned(micros) => {
                let local = micros + SESSION * 1_000_000;
                let moment = Moment::from_micros(local - local.rem_euclid(1_000));
                let text = Cell::Naive(moment).to_string().replace(' ', "T");
                format!("{text}-07:00")
            }
            Self::Naive(micros) => Cell::Naive(Moment::from_micros(micros - micros.rem_euclid(1_000)))
                .to_string()
                .replace(' ', "T"),
            Self::Binary(bytes) => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
            other => other.string(),
        })
    }

    /// What `CAST(… AS STRING)` gives of a value that is not NULL.
    pub fn string(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Int(value) => value.to_string(),
            Self::Decimal(digits, scale) => written(*digits, *scale),
            Self::Double(value) if value.is_nan() => "NaN".to_owned(),
            Self::Double(value) if value.is_infinite() => {
                if *value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
            }
            // As Java writes it.
            Self::Double(value) if (1e-3..1e7).contains(&value.abs()) => format!("{value:?}"),
            Self::Double(value) => format!("{value:E}"),
            Self::Bool(value) => value.to_string(),
            Self::Text(text) | Self::Json(text) => text.clone(),
            Self::Date(days) => Cell::Date(*days).to_string(),
            Self::Zoned(micros) => Cell::Naive(Moment::from_micros(micros + SESSION * 1_000_000)).to_string(),
            Self::Naive(micros) => Cell::Naive(Moment::from_micros(*micros)).to_string(),
            Self::Binary(bytes) => STANDARD.encode(bytes),
        }
    }

    /// The order of two values that can be compared, neither of which is NULL. NaN is greatest, and equal to itself.
    pub fn order(&self, other: &Self, folded: bool) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) if folded => a.to_lowercase().cmp(&b.to_lowercase()),
            (Self::Text(a), Self::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Int(a), Self::Int(b))
            | (Self::Zoned(a), Self::Zoned(b))
            | (Self::Naive(a), Self::Naive(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Binary(a), Self::Binary(b)) => a.cmp(b),
            (Self::Decimal(a, _), Self::Decimal(b, _)) => a.cmp(b),
            (Self::Double(a), Self::Double(b)) => a.total_cmp(b),
            _ => Ordering::Equal,
        }
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix('+').unwrap_or(text)
}

fn micros(text: &str) -> Option<i64> {
    let moment = cursor::parse_moment(unsigned(text))?;
    (moment.nanos % 1_000 == 0).then(|| moment.micros())?
}

/// The digits of a decimal literal at a scale; nothing when it does not fit.
fn decimal(text: &str, digits: u8, scale: u8) -> Option<i128> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > usize::from(scale) {
        return None;
    }
    let value: i128 = format!("{whole}{fraction:0<width$}", width = usize::from(scale)).parse().ok()?;
    let fits = value < 10_i128.checked_pow(digits.into())?;
    fits.then_some(if negative { -value } else { value })
}

fn written(value: i128, scale: u8) -> String {
    let (sign, scale) = (if value < 0 { "-" } else { "" }, usize::from(scale));
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
