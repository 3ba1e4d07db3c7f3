//! PostgreSQL's binary `numeric` as canonical decimal text.
//!
//! Source: `numeric_send` in `src/backend/utils/adt/numeric.c`: digit groups, weight, sign, scale, then groups of four
//! decimal digits.

use crate::{ConnectorError, ErrorKind, Result};

/// Appends the number in canonical form; or gives the word for a value that is no number, with `out` unchanged.
///
/// # Errors
/// `Protocol` when the field is not a numeric.
pub fn push(field: &[u8], out: &mut String) -> Result<Option<&'static str>> {
    let garbled =
        || ConnectorError::new(ErrorKind::Protocol, "the server sent a number that is not a numeric");
    let Some((head, digits)) = field.split_first_chunk::<8>() else { return Err(garbled()) };
    let groups = usize::from(u16::from_be_bytes([head[0], head[1]]));
    let weight = i32::from(i16::from_be_bytes([head[2], head[3]]));
    let sign = u16::from_be_bytes([head[4], head[5]]);
    match sign {
        0x0000 | 0x4000 => {}
        0xC000 => return Ok(Some("NaN")),
        0xD000 => return Ok(Some("Infinity")),
        0xF000 => return Ok(Some("-Infinity")),
        _ => return Err(garbled()),
    }
    if digits.len() != groups * 2 {
        return Err(garbled());
    }
    let group = |index: i32| -> u16 {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        if at < groups { u16::from_be_bytes([digits[at * 2], digits[at * 2 + 1]]) } else { 0 }
    };
    let Some(last) = (0..groups as i32).rev().find(|index| group(*index) != 0) else {
        out.push('0');
        return Ok(None);
    };
    if sign == 0x4000 {
        out.push('-');
    }
    let mut leading = true;
    for index in 0..=weight.max(-1) {
        push_group(group(index), leading, out);
        leading = leading && group(index) == 0;
    }
    if leading {
        out.push('0');
    }
    if last > weight {
        out.push('.');
        for index in weight + 1..=last {
            push_group(group(index), false, out);
        }
        out.truncate(out.trim_end_matches('0').len());
    }
    Ok(None)
}

/// Appends four digits; leading zeros are left out at the start of a number.
fn push_group(value: u16, leading: bool, out: &mut String) {
    let digits = [value / 1000, value / 100 % 10, value / 10 % 10, value % 10];
    let skip = if leading { digits.iter().take_while(|digit| **digit == 0).count() } else { 0 };
    out.extend(digits[skip..].iter().map(|digit| char::from(b'0' + *digit as u8)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(groups: &[u16], weight: i16, sign: u16) -> (String, Option<&'static str>) {
        let mut field = Vec::new();
        field.extend_from_slice(&(groups.len() as u16).to_be_bytes());
        field.extend_from_slice(&weight.to_be_bytes());
        field.extend_from_slice(&sign.to_be_bytes());
        field.extend_from_slice(&0_u16.to_be_bytes());
        groups.iter().for_each(|group| field.extend_from_slice(&group.to_be_bytes()));
        let mut out = String::new();
        let word = push(&field, &mut out).expect("a numeric");
        (out, word)
    }

    #[test]
    fn numbers_are_canonical() {
        for (groups, weight, sign, wanted) in [
            (&[][..], 0, 0, "0"),
            (&[1], 0, 0, "1"),
            (&[1, 2345, 6780], 1, 0x4000, "-12345.678"),
            (&[1], 1, 0, "10000"),
            (&[1], -2, 0, "0.00000001"),
            (&[1, 0, 0, 5000], 2, 0, "100000000.5"),
            (&[1200], -1, 0, "0.12"),
        ] {
            assert_eq!(text(groups, weight, sign).0, wanted);
        }
        assert_eq!(text(&[], 0, 0xC000), (String::new(), Some("NaN")));
    }
}
