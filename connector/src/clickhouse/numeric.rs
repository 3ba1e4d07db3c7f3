//! Scaled integers of up to 256 bits as canonical decimal text.

/// Ten to the nineteenth: the largest power of ten in 64 bits.
const CHUNK: u64 = 10_000_000_000_000_000_000;

/// Appends `±magnitude / 10^scale` in canonical form; the magnitude is four 64-bit limbs, lowest first.
pub fn push(negative: bool, limbs: [u64; 4], scale: usize, out: &mut String) {
    let mut buffer = [b'0'; 96];
    let first = digits(limbs, &mut buffer);
    // At least one digit stands before the point.
    let first = first.min(buffer.len() - 1 - scale.min(buffer.len() - 1));
    let (whole, fraction) = buffer[first..].split_at(buffer.len() - first - scale);
    let kept = fraction.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    if negative {
        out.push('-');
    }
    out.extend(whole.iter().map(|digit| char::from(*digit)));
    if kept > 0 {
        out.push('.');
        out.extend(fraction[..kept].iter().map(|digit| char::from(*digit)));
    }
}

/// Writes the digits to the end of the buffer and tells where they begin; zero has none.
fn digits(mut limbs: [u64; 4], buffer: &mut [u8; 96]) -> usize {
    let mut at = buffer.len();
    loop {
        if limbs[1..] == [0; 3] {
            return write(limbs[0], at, buffer);
        }
        let mut rest = 0_u64;
        for limb in limbs.iter_mut().rev() {
            let wide = u128::from(rest) << 64 | u128::from(*limb);
            *limb = (wide / u128::from(CHUNK)) as u64;
            rest = (wide % u128::from(CHUNK)) as u64;
        }
        write(rest, at, buffer);
        // A chunk in the middle keeps its leading zeros: the buffer is filled with them.
        at -= 19;
    }
}

fn write(mut value: u64, mut at: usize, buffer: &mut [u8; 96]) -> usize {
    while value != 0 {
        at -= 1;
        buffer[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    at
}

/// The sign and magnitude of a little-endian two's complement number of up to 32 bytes.
pub fn signed(bytes: &[u8]) -> (bool, [u64; 4]) {
    let negative = bytes.last().is_some_and(|byte| *byte & 0x80 != 0);
    let mut limbs = filled(bytes, if negative { 0xff } else { 0 });
    if negative {
        let mut carry = true;
        for limb in &mut limbs {
            (*limb, carry) = (!*limb).overflowing_add(u64::from(carry));
        }
    }
    (negative, limbs)
}

/// The limbs of a little-endian number without a sign, of up to 32 bytes.
pub fn unsigned(bytes: &[u8]) -> [u64; 4] {
    filled(bytes, 0)
}

fn filled(bytes: &[u8], fill: u8) -> [u64; 4] {
    let mut all = [fill; 32];
    all[..bytes.len()].copy_from_slice(bytes);
    let mut limbs = [0; 4];
    for (limb, eight) in limbs.iter_mut().zip(all.as_chunks::<8>().0) {
        *limb = u64::from_le_bytes(*eight);
    }
    limbs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], scale: usize) -> String {
        let mut out = String::new();
        let (negative, limbs) = signed(bytes);
        push(negative, limbs, scale, &mut out);
        out
    }

    #[test]
    fn pitfall_14_numbers_of_every_width_are_exact() {
        for value in [0_i128, 1, -1, 10, -100, 123_456, i128::from(i64::MIN), i128::MAX, i128::MIN] {
            assert_eq!(text(&value.to_le_bytes(), 0), value.to_string());
            for scale in [1, 5, 38] {
                let plain = format!("{}{:0>39}", if value < 0 { "-" } else { "" }, value.unsigned_abs());
                let (whole, fraction) = plain.split_at(plain.len() - scale);
                let canonical = crate::decimal::canonicalize(&format!("{whole}.{fraction}"));
                assert_eq!(Some(text(&value.to_le_bytes(), scale)), canonical, "{value} / 10^{scale}");
            }
        }
        let mut largest = [0xff; 32];
        largest[31] = 0x7f;
        let digits = "57896044618658097711785492504343953926634992332820282019728792003956564819967";
        assert_eq!(text(&largest, 0), digits);
        let mut lowest = [0; 32];
        lowest[31] = 0x80;
        assert_eq!(
            text(&lowest, 0),
            "-57896044618658097711785492504343953926634992332820282019728792003956564819968"
        );
        let mut out = String::new();
        push(false, unsigned(&[0xff; 32]), 76, &mut out);
        assert_eq!(out, "11.5792089237316195423570985008687907853269984665640564039457584007913129639935");
        assert_eq!(text(&7_i32.to_le_bytes(), 76), format!("0.{}7", "0".repeat(75)));
    }
}
