//! PostgreSQL's binary form of `numeric`, written from canonical decimal text.
//!
//! Source: `numeric_recv` in PostgreSQL's `src/backend/utils/adt/numeric.c`: four 16-bit numbers (digit groups, weight
//! of the first group, sign, digits after the point), then groups of four decimal digits.

/// Appends the length-prefixed field for a canonical decimal: no exponent, no needless zeros.
pub fn push(text: &str, out: &mut Vec<u8>) {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (0x4000_u16, rest.as_bytes()),
        None => (0, text.as_bytes()),
    };
    let point = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
    let whole = &digits[..point];
    let fraction = digits.get(point + 1..).unwrap_or_default();
    let start = out.len();
    out.extend_from_slice(&[0; 12]);
    let mut groups = 0_i16;
    let mut weight = whole.len().div_ceil(4) as i16 - 1;
    let mut leading = true;
    let mut trailing = 0;
    let mut group = |value: u16, out: &mut Vec<u8>| {
        if leading && value == 0 {
            weight -= 1;
            return;
        }
        leading = false;
        trailing = if value == 0 { trailing + 1 } else { 0 };
        groups += 1;
        out.extend_from_slice(&value.to_be_bytes());
    };
    let number = |part: &[u8]| part.iter().fold(0, |sum, byte| sum * 10 + u16::from(byte - b'0'));
    let first = whole.len() % 4;
    if first > 0 {
        group(number(&whole[..first]), out);
    }
    for part in whole[first..].chunks(4) {
        group(number(part), out);
    }
    for part in fraction.chunks(4) {
        group(number(part) * [1, 1000, 100, 10, 1][part.len()], out);
    }
    groups -= trailing;
    out.truncate(out.len() - trailing as usize * 2);
    if groups == 0 {
        weight = 0;
    }
    let length = (out.len() - start - 4) as i32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    out[start + 4..start + 6].copy_from_slice(&groups.to_be_bytes());
    out[start + 6..start + 8].copy_from_slice(&weight.to_be_bytes());
    out[start + 8..start + 10].copy_from_slice(&sign.to_be_bytes());
    out[start + 10..start + 12].copy_from_slice(&(fraction.len() as u16).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<i16> {
        let mut out = Vec::new();
        push(text, &mut out);
        let length = i32::from_be_bytes(out[..4].try_into().expect("four bytes")) as usize;
        assert_eq!(length, out.len() - 4);
        out[4..].chunks(2).map(|pair| i16::from_be_bytes(pair.try_into().expect("two bytes"))).collect()
    }

    #[test]
    fn groups_weight_sign_and_scale() {
        assert_eq!(fields("0"), [0, 0, 0, 0]);
        assert_eq!(fields("1"), [1, 0, 0, 0, 1]);
        assert_eq!(fields("-12345.678"), [3, 1, 0x4000, 3, 1, 2345, 6780]);
        assert_eq!(fields("10000"), [1, 1, 0, 0, 1]);
        assert_eq!(fields("0.00000001"), [1, -2, 0, 8, 1]);
        assert_eq!(fields("100000000.5"), [4, 2, 0, 1, 1, 0, 0, 5000]);
    }
}
