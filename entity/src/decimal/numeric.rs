//! PostgreSQL's binary `NUMERIC`: base-10000 digits, read without arithmetic.

use super::{Decimal, DecimalError};

const NEGATIVE: u16 = 0x4000;
const POSITIVE: u16 = 0x0000;

/// Reads the wire form: four big-endian words (count, weight, sign, scale), then the base-10000 digits.
pub(super) fn read_binary(bytes: &[u8]) -> Result<Decimal, DecimalError> {
    let words: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    let [count, weight, sign, _scale, groups @ ..] = words.as_slice() else {
        return Err(DecimalError::Malformed);
    };
    let negative = match *sign {
        POSITIVE => false,
        NEGATIVE => true,
        _ => return Err(DecimalError::NotFinite),
    };
    if groups.len() != usize::from(*count) || !bytes.len().is_multiple_of(2) {
        return Err(DecimalError::Malformed);
    }
    let mut digits = Vec::with_capacity(groups.len() * 4);
    for group in groups {
        if *group > 9999 {
            return Err(DecimalError::Malformed);
        }
        for divisor in [1000, 100, 10, 1] {
            digits.push(b'0' + u8::try_from(group / divisor % 10).unwrap_or(0));
        }
    }
    let weight = i64::from(weight.cast_signed());
    Decimal::from_digits(negative, &digits, (weight + 1) * 4)
}
