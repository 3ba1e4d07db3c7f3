//! Exact decimals of any warehouse, kept as canonical text.
//!
//! Canonical means: no exponent, no leading `+`, no needless zeros, `0` for zero. Equal numbers are equal text.

mod numeric;
mod stored;

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// An exact decimal number.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Decimal(Box<str>);

/// Why text is not a decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// It is not written as a number.
    Malformed,
    /// It is NaN or infinite.
    NotFinite,
    /// It would need more than [`Decimal::MAX_DIGITS`] digits.
    TooLong,
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("not a decimal number"),
            Self::NotFinite => f.write_str("not a finite number"),
            Self::TooLong => write!(f, "a number of more than {} digits", Decimal::MAX_DIGITS),
        }
    }
}

impl std::error::Error for DecimalError {}

impl Decimal {
    /// The most digits a number may have: enough for every 64-bit float, and a bound on what `1e999999` costs.
    pub const MAX_DIGITS: usize = 400;

    /// Makes the number zero.
    pub fn zero() -> Self {
        Self("0".into())
    }

    /// Takes a float as its shortest exact spelling; NaN and infinities are refused.
    pub fn from_f64(number: f64) -> Result<Self, DecimalError> {
        if number.is_finite() { number.to_string().parse() } else { Err(DecimalError::NotFinite) }
    }

    /// Gives the nearest float, for drawing only.
    pub fn to_f64(&self) -> f64 {
        self.0.parse().expect("canonical text is float syntax")
    }

    /// Gives the canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether the number is below zero.
    pub fn negative(&self) -> bool {
        self.0.starts_with('-')
    }

    /// Builds the number `±0.digits × 10^point`; `digits` are ASCII and may have zeros on both ends.
    fn from_digits(negative: bool, digits: &[u8], point: i64) -> Result<Self, DecimalError> {
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        let digits = &digits[leading..];
        let trailing = digits.iter().rev().take_while(|digit| **digit == b'0').count();
        let digits =
            std::str::from_utf8(&digits[..digits.len() - trailing]).map_err(|_| DecimalError::Malformed)?;
        if digits.is_empty() {
            return Ok(Self::zero());
        }
        let limit = Self::MAX_DIGITS as i64;
        let point = point.saturating_sub(leading as i64);
        let count = digits.len() as i64;
        let whole = point.max(1);
        let fraction = count.saturating_sub(point).max(0);
        if whole > limit || fraction > limit || whole + fraction > limit {
            return Err(DecimalError::TooLong);
        }
        let mut text = String::with_capacity((whole + fraction) as usize + 2);
        if negative {
            text.push('-');
        }
        if point <= 0 {
            text.push_str("0.");
            text.extend(std::iter::repeat_n('0', point.unsigned_abs() as usize));
            text.push_str(digits);
        } else if point >= count {
            text.push_str(digits);
            text.extend(std::iter::repeat_n('0', (point - count) as usize));
        } else {
            let (whole, fraction) = digits.split_at(point as usize);
            text.push_str(whole);
            text.push('.');
            text.push_str(fraction);
        }
        Ok(Self(text.into_boxed_str()))
    }

    /// Splits into sign, whole digits, and fraction digits.
    fn parts(&self) -> (bool, &str, &str) {
        let text = self.0.strip_prefix('-');
        let (whole, fraction) =
            text.unwrap_or(&self.0).split_once('.').unwrap_or((text.unwrap_or(&self.0), ""));
        (text.is_some(), whole, fraction)
    }
}

/// Tells whether text is canonical already, which is the common case.
fn canonical(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(w, f)| (w, Some(f)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= Decimal::MAX_DIGITS
        && digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(|part| digits(part) && !part.ends_with('0'))
        && text != "-0"
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if canonical(text) {
            return Ok(Self(text.into()));
        }
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if ["nan", "inf", "infinity"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
            return Err(DecimalError::NotFinite);
        }
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(DecimalError::Malformed);
        }
        Self::from_digits(negative, &digits, exponent.saturating_add(whole.len() as i64))
    }
}

/// Reads an exponent; one beyond all bounds is taken as the bound, which is too long anyway.
fn parse_exponent(text: &str) -> Result<i64, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::Malformed);
    }
    let size = digits.parse::<i64>().unwrap_or(i64::MAX).min(1 << 40);
    Ok(if text.starts_with('-') { -size } else { size })
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let (negative, whole, fraction) = self.parts();
        let (other_negative, other_whole, other_fraction) = other.parts();
        let size = || {
            whole
                .len()
                .cmp(&other_whole.len())
                .then_with(|| whole.cmp(other_whole))
                .then_with(|| fraction.cmp(other_fraction))
        };
        match (negative, other_negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => size(),
            (true, true) => size().reverse(),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({})", self.0)
    }
}

impl TryFrom<String> for Decimal {
    type Error = DecimalError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if canonical(&text) { Ok(Self(text.into_boxed_str())) } else { text.parse() }
    }
}

impl From<Decimal> for String {
    fn from(number: Decimal) -> Self {
        number.0.into()
    }
}

/// Whole numbers print canonically.
macro_rules! from_whole {
    ($($whole:ty),*) => {$(
        impl From<$whole> for Decimal {
            fn from(number: $whole) -> Self {
                Self(number.to_string().into_boxed_str())
            }
        }
    )*};
}

from_whole!(i32, i64, i128, u32, u64, u128);

#[cfg(test)]
mod tests;
