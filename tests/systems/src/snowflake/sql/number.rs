//! Exact decimals as `NUMBER` has them: up to 38 digits, and of them up to 37 behind the point.

use std::cmp::Ordering;
use std::fmt;

/// `digits` divided by 10 to the power of `scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// All digits as an integer.
    pub digits: i128,
    /// How many of them are behind the point, 0 to 37.
    pub scale: u8,
}

/// 10 to the power of `exponent`, up to 38.
pub fn power(exponent: u8) -> i128 {
    10_i128.pow(u32::from(exponent.min(38)))
}

impl Number {
    /// A whole number.
    pub fn whole(digits: impl Into<i128>) -> Self {
        Self { digits: digits.into(), scale: 0 }
    }

    /// Reads a decimal with at most 38 digits, perhaps with an exponent; none when it is no such decimal. Digits
    /// behind the 37th of the fraction are rounded away.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.as_bytes().first()? {
            b'-' => (true, &mantissa[1..]),
            b'+' => (false, &mantissa[1..]),
            _ => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if !whole.bytes().chain(fraction.bytes()).all(|it| it.is_ascii_digit()) {
            return None;
        }
        let mut digits = format!("{whole}{fraction}");
        let mut point = i32::try_from(whole.len()).ok()? + exponent;
        let zeros = digits.len() - digits.trim_start_matches('0').len();
        digits.drain(..zeros);
        point -= i32::try_from(zeros).ok()?;
        let kept = digits.trim_end_matches('0').len();
        let mut scale = i32::try_from(digits.len()).ok()? - point;
        // Zeros at the end are worth keeping only as far as the text had them and they fit.
        while scale > 37 && digits.len() > kept || scale > 0 && digits.len() > 38 && digits.len() > kept {
            digits.pop();
            scale -= 1;
        }
        if digits.is_empty() {
            return Some(Self { digits: 0, scale: 0 });
        }
        let mut round_up = false;
        while scale > 37 {
            round_up = digits.pop().is_some_and(|it| it >= '5');
            scale -= 1;
        }
        while scale < 0 {
            digits.push('0');
            scale += 1;
            if digits.len() > 39 {
                return None;
            }
        }
        let mut value: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        value += i128::from(round_up);
        if value >= power(38) {
            return None;
        }
        Some(Self { digits: if negative { -value } else { value }, scale: u8::try_from(scale).ok()? })
    }

    /// The same with another scale: rounded half away from zero; none when it has more than 38 digits then.
    pub fn rescale(self, scale: u8) -> Option<Self> {
        let digits = match scale.checked_sub(self.scale) {
            Some(more) => self.digits.checked_mul(power(more))?,
            None => {
                let unit = power(self.scale - scale);
                let (quotient, rest) = (self.digits / unit, self.digits % unit);
                quotient + if rest.abs() * 2 >= unit { rest.signum() } else { 0 }
            }
        };
        (digits.abs() < power(38)).then_some(Self { digits, scale })
    }

    /// Whether it fits `NUMBER(precision, scale)`, and as what.
    pub fn fit(self, precision: u8, scale: u8) -> Option<Self> {
        self.rescale(scale).filter(|it| it.digits.abs() < power(precision))
    }

    /// The sum, with the finer scale of both.
    pub fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let digits = self.rescale(scale)?.digits.checked_add(other.rescale(scale)?.digits)?;
        (digits.abs() < power(38)).then_some(Self { digits, scale })
    }

    /// The product.
    pub fn times(self, other: Self) -> Option<Self> {
        let digits = self.digits.checked_mul(other.digits)?;
        let product = Self { digits, scale: self.scale + other.scale };
        if product.scale > 37 { product.rescale(37) } else { Some(product) }
    }

    /// The quotient and the rest of a division of integers; none for a division by zero or of fractions.
    pub fn divide(self, other: Self) -> Option<(Self, Self)> {
        let scale = self.scale.max(other.scale);
        let (left, right) = (self.rescale(scale)?.digits, other.rescale(scale)?.digits);
        let whole = left.checked_div(right)?;
        Some((Self::whole(whole), Self { digits: left - whole * right, scale }))
    }

    /// The nearest float.
    pub fn float(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The nearest number to a float, as far as 38 digits go.
    pub fn from_float(value: f64) -> Option<Self> {
        Self::parse(&format!("{value:e}"))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = |it: &Self| {
            let unit = power(it.scale);
            let (whole, rest) = (it.digits.div_euclid(unit), it.digits.rem_euclid(unit));
            (whole, rest, it.scale)
        };
        let ((whole, rest, scale), (other_whole, other_rest, other_scale)) = (parts(self), parts(other));
        let fine = scale.max(other_scale);
        // Both rests are below 10^scale, and no scale is above 37: neither product can overflow.
        whole
            .cmp(&other_whole)
            .then_with(|| (rest * power(fine - scale)).cmp(&(other_rest * power(fine - other_scale))))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.digits);
        }
        let (unit, width) = (power(self.scale).unsigned_abs(), usize::from(self.scale));
        let (whole, rest) = (self.digits.unsigned_abs() / unit, self.digits.unsigned_abs() % unit);
        let sign = if self.digits < 0 { "-" } else { "" };
        write!(f, "{sign}{whole}.{rest:0width$}")
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    fn number(text: &str) -> Number {
        Number::parse(text).expect(text)
    }

    #[test]
    fn every_digit_is_kept() {
        for text in [
            "0",
            "12.34",
            "-0.0000000000000000000000000000000000001",
            "9.9999999999999999999999999999999999999",
        ] {
            assert_eq!(number(text).to_string(), text);
        }
        assert_eq!(number("1e3").to_string(), "1000");
        assert_eq!(number("1.5e-2").to_string(), "0.015");
        assert_eq!(number("99999999999999999999999999999999999999").to_string().len(), 38);
        assert_eq!(Number::parse("100000000000000000000000000000000000000"), None);
        assert_eq!(
            Number::parse("5e-324").map(|it| it.to_string()).as_deref(),
            Some("0.0000000000000000000000000000000000000")
        );
        for text in ["", ".", "1x", "--1", "1e", "NaN"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        assert_eq!(number("2.5").rescale(0), Some(number("3")));
        assert_eq!(number("-2.5").rescale(0), Some(number("-3")));
        assert_eq!(number("2.4999").rescale(0), Some(number("2")));
        assert_eq!(number("12345").fit(3, 0), None);
    }

    #[test]
    fn comparing_needs_no_common_scale() {
        assert!(
            number("99999999999999999999999999999999999999")
                > number("1.0000000000000000000000000000000000000")
        );
        assert!(number("-1.5") < number("-1.4999999999999999999999999999999999999"));
        assert_eq!(number("1.50").cmp(&number("1.5")), std::cmp::Ordering::Equal);
    }
}
