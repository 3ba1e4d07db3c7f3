//! Canonical decimal text: one spelling per number, of any size.

use bigdecimal::BigDecimal;

use crate::Cell;

/// Appends the canonical form of a number written as text (`-1.50e3`, `007`, `+2.`) to `out`.
///
/// Canonical: no exponent, no plus, no leading or trailing needless zeros, `0` for every zero. Returns `false`, with
/// `out` unchanged, when the text is not a finite decimal number or its exponent would need over 1 000 digits.
pub fn canonicalize_into(text: &str, out: &mut String) -> bool {
    let bytes = text.as_bytes();
    let (negative, bytes) = match bytes.first() {
        Some(b'-') => (true, &bytes[1..]),
        Some(b'+') => (false, &bytes[1..]),
        _ => (false, bytes),
    };
    let (digits, exponent) = match bytes.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => {
            let Some(exponent) =
                std::str::from_utf8(&bytes[at + 1..]).ok().and_then(|text| text.parse::<i64>().ok())
            else {
                return false;
            };
            (&bytes[..at], exponent)
        }
        None => (bytes, 0),
    };
    let point = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
    let whole = &digits[..point];
    let fraction = digits.get(point + 1..).unwrap_or_default();
    if whole.is_empty() && fraction.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return false;
    }
    let at = |index: usize| if index < whole.len() { whole[index] } else { fraction[index - whole.len()] };
    let total = whole.len() + fraction.len();
    let Some(first) = (0..total).find(|index| at(*index) != b'0') else {
        out.push('0');
        return true;
    };
    let last = (0..total).rev().find(|index| at(*index) != b'0').expect("a digit other than zero exists");
    // The point stands before digit `place` of the significant digits first..=last.
    // In 128 bits, as an exponent alone may fill 64.
    let place = whole.len() as i128 + i128::from(exponent) - first as i128;
    let significant = (last - first + 1) as i128;
    if place.abs() > 1_000 || significant > 4_000 {
        return false;
    }
    if negative {
        out.push('-');
    }
    if place <= 0 {
        out.push_str("0.");
        (0..-place).for_each(|_| out.push('0'));
    }
    for index in first..=last {
        if (index - first) as i128 == place && place > 0 {
            out.push('.');
        }
        out.push(at(index) as char);
    }
    (significant..place).for_each(|_| out.push('0'));
    true
}

/// The canonical form of a number written as text, or `None`; see [`canonicalize_into`].
pub fn canonicalize(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    canonicalize_into(text, &mut out).then_some(out)
}

/// Appends the shortest decimal text that reads back as the same float; `false` when it is not finite.
pub fn float_into(value: f64, out: &mut String) -> bool {
    value.is_finite() && canonicalize_into(&format!("{value:e}"), out)
}

/// An exact sum of decimals of any size.
#[derive(Clone, Debug, Default)]
pub struct Sum(BigDecimal);

impl Sum {
    /// Adds a number written as text; tells whether it is one.
    pub fn add(&mut self, text: &str) -> bool {
        let mut canonical = String::new();
        if !canonicalize_into(text.trim(), &mut canonical) {
            return false;
        }
        let Ok(value) = canonical.parse::<BigDecimal>() else { return false };
        self.0 += value;
        true
    }

    /// Adds a cell as it is taken for a value: floats with their shortest digits. What is no number adds nothing.
    pub(crate) fn add_cell(&mut self, cell: &Cell<'_>) {
        match cell {
            Cell::Int(value) => self.0 += BigDecimal::from(*value),
            Cell::Decimal(text) | Cell::Text(text) | Cell::Unreadable(text) => _ = self.add(text),
            Cell::Float(value) => {
                let mut text = String::new();
                if float_into(*value, &mut text) {
                    self.add(&text);
                }
            }
            _ => {}
        }
    }

    /// The sum less another.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0)
    }

    /// The sum in canonical digits.
    pub fn digits(&self) -> String {
        let mut text = String::new();
        let plain = self.0.to_plain_string();
        if !canonicalize_into(&plain, &mut text) {
            return plain;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pitfall_14_numbers_keep_every_digit() {
        for (text, canonical) in [
            ("0", "0"),
            ("-0.000", "0"),
            ("007.10", "7.1"),
            ("+.5", "0.5"),
            ("12.", "12"),
            ("1e3", "1000"),
            ("1.50E-3", "0.0015"),
            ("-123.4500e1", "-1234.5"),
            ("100", "100"),
            ("0e9223372036854775807", "0"),
            (
                "99999999999999999999999999999999999999.0000000000000000000000000000000000001",
                "99999999999999999999999999999999999999.0000000000000000000000000000000000001",
            ),
        ] {
            assert_eq!(canonicalize(text).as_deref(), Some(canonical), "{text}");
            assert_eq!(canonicalize(canonical).as_deref(), Some(canonical));
        }
        let huge = ["1e9223372036854775807", "12e9223372036854775806", "1e-9223372036854775808"];
        for text in ["", "-", ".", "NaN", "inf", "1e", "1e99999", "1,5", "0x1", "1 "].into_iter().chain(huge)
        {
            assert_eq!(canonicalize(text), None, "{text}");
        }
    }

    #[test]
    fn floats_are_written_shortest() {
        let write = |value| {
            let mut out = String::new();
            float_into(value, &mut out).then_some(out)
        };
        assert_eq!(write(0.1).as_deref(), Some("0.1"));
        assert_eq!(write(1e21).as_deref(), Some("1000000000000000000000"));
        assert_eq!(write(-0.0).as_deref(), Some("0"));
        assert_eq!(write(f64::NAN), None);
    }

    #[test]
    fn pitfall_14_sums_keep_every_digit() {
        let mut sum = Sum::default();
        for text in ["0.1", "0.2", "99999999999999999999999999999999999999", "-0.3", "1e3"] {
            assert!(sum.add(text), "{text}");
        }
        assert!(!sum.add("NaN"));
        assert_eq!(sum.digits(), "100000000000000000000000000000000000999");
        let mut other = Sum::default();
        other.add("0.0000000000000000000000000000000000001");
        assert_eq!(other.minus(&other).digits(), "0");
        assert_eq!(sum.minus(&sum.minus(&other)).digits(), "0.0000000000000000000000000000000000001");
    }
}
