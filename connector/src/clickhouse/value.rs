//! One RowBinary value into its column.
//!
//! Sources: "RowBinary" in ClickHouse's documentation of formats; lengths are LEB128, numbers little-endian.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::decode::garbled;
use super::numeric;
use super::types::{Native, Wire};
use crate::{Column, Data, Moment, Result};

/// What a value took.
pub struct Taken {
    /// Bytes of the input.
    pub used: usize,
    /// Bytes that follow and belong to a cell that was cut.
    pub skip: usize,
}

/// Reads a LEB128 length and moves the input past it; nothing when it is not all here.
pub fn length(input: &mut &[u8]) -> Option<usize> {
    let mut value = 0_usize;
    for (index, byte) in input.iter().enumerate().take(9) {
        value |= usize::from(byte & 0x7f) << (index * 7);
        if byte & 0x80 == 0 {
            *input = &input[index + 1..];
            return Some(value);
        }
    }
    None
}

/// Appends the value the input begins with; nothing when it is not all here.
///
/// # Errors
/// `Protocol` when the bytes are no value of that type.
pub fn push(column: &mut Column, native: &Native, input: &[u8], most: usize) -> Result<Option<Taken>> {
    let mut rest = input;
    if native.nullable {
        let Some((flag, after)) = rest.split_first() else { return Ok(None) };
        match flag {
            0 => rest = after,
            1 => {
                column.push_null();
                return Ok(Some(Taken { used: 1, skip: 0 }));
            }
            _ => return Err(garbled()),
        }
    }
    let head = input.len() - rest.len();
    let size = match &native.wire {
        Wire::String => return string(column, rest, head, most),
        Wire::Int(bytes) | Wire::UInt(bytes) | Wire::Decimal(bytes, _) | Wire::Enum(bytes, _) => *bytes,
        Wire::Bool => 1,
        Wire::Float2 | Wire::Date => 2,
        Wire::Float4 | Wire::Date32 | Wire::DateTime | Wire::Ipv4 => 4,
        Wire::Float8 | Wire::DateTime64(_) => 8,
        Wire::Uuid | Wire::Ipv6 => 16,
        Wire::FixedString(bytes) => *bytes,
        Wire::Nothing => return Err(garbled()),
    };
    let Some(value) = rest.get(..size) else { return Ok(None) };
    let whole = Some(Taken { used: head + size, skip: 0 });
    match (column.values(), &native.wire) {
        (Data::Int(values), Wire::Int(_)) => values.push(sign_extended(value) as i64),
        (Data::Wide(values), Wire::Int(_)) => values.push(sign_extended(value)),
        (Data::Int(values), Wire::UInt(_)) => values.push(small(value) as i64),
        (Data::Wide(values), Wire::UInt(_)) => values.push(i128::from(small(value))),
        (Data::Decimal(values), Wire::Int(_)) => decimal(values, numeric::signed(value), 0),
        (Data::Decimal(values), Wire::UInt(_)) => decimal(values, (false, numeric::unsigned(value)), 0),
        (Data::Decimal(values), Wire::Decimal(_, scale)) => decimal(values, numeric::signed(value), *scale),
        (Data::Float(values), Wire::Float8) => values.push(f64::from_le_bytes(fixed(value)?)),
        (Data::Float(values), Wire::Float4) => values.push(widened(f32::from_le_bytes(fixed(value)?))),
        (Data::Float(values), Wire::Float2) => {
            let bits = u32::from(u16::from_le_bytes(fixed(value)?)) << 16;
            values.push(f64::from(f32::from_bits(bits)));
        }
        (Data::Bool(values), Wire::Bool) => values.push(value != [0]),
        (Data::Date(values), Wire::Date) => values.push(i32::from(u16::from_le_bytes(fixed(value)?))),
        (Data::Date(values), Wire::Date32) => values.push(i32::from_le_bytes(fixed(value)?)),
        (Data::Zoned(values), Wire::DateTime) => {
            values.push(Moment { seconds: i64::from(u32::from_le_bytes(fixed(value)?)), nanos: 0 });
        }
        (Data::Zoned(values), Wire::DateTime64(digits)) => {
            let (ticks, unit) = (i64::from_le_bytes(fixed(value)?), 10_i64.pow(*digits));
            let nanos = ticks.rem_euclid(unit) * 10_i64.pow(9 - *digits);
            values.push(Moment { seconds: ticks.div_euclid(unit), nanos: nanos as u32 });
        }
        (Data::Text(values), Wire::Uuid) => {
            let (high, low) = value.split_at(8);
            let id =
                uuid::Uuid::from_u64_pair(u64::from_le_bytes(fixed(high)?), u64::from_le_bytes(fixed(low)?));
            values.push(id.hyphenated().encode_lower(&mut [0; 36]));
        }
        (Data::Text(values), Wire::Ipv4) => {
            let address = Ipv4Addr::from_bits(u32::from_le_bytes(fixed(value)?));
            write!(values.buffer(), "{address}").map_err(|_| garbled())?;
            values.close();
        }
        (Data::Text(values), Wire::Ipv6) => {
            let address = Ipv6Addr::from(fixed::<16>(value)?);
            write!(values.buffer(), "{address}").map_err(|_| garbled())?;
            values.close();
        }
        (Data::Text(values), Wire::Enum(_, names)) => {
            let number = sign_extended(value) as i16;
            match names.binary_search_by_key(&number, |(number, _)| *number) {
                Ok(index) => values.push(&names[index].1),
                Err(_) => {
                    column.push_unreadable(number.to_string());
                    return Ok(whole);
                }
            }
        }
        (Data::Text(_), Wire::FixedString(_)) => {
            let kept = value.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            text(column, &value[..kept.min(most)], kept > most);
            return Ok(whole);
        }
        _ => return Err(garbled()),
    }
    column.pushed();
    Ok(whole)
}

fn string(column: &mut Column, mut rest: &[u8], head: usize, most: usize) -> Result<Option<Taken>> {
    let before = rest.len();
    let Some(size) = length(&mut rest) else {
        return if before >= 9 { Err(garbled()) } else { Ok(None) };
    };
    let head = head + before - rest.len();
    let kept = size.min(most);
    let Some(value) = rest.get(..kept) else { return Ok(None) };
    text(column, value, kept < size);
    Ok(Some(Taken { used: head + kept, skip: size - kept }))
}

/// Appends a text; one that was cut or is no UTF-8 is unreadable, and bytes that are no text show as `\xff`.
fn text(column: &mut Column, bytes: &[u8], cut: bool) {
    if let (Ok(text), false) = (std::str::from_utf8(bytes), cut)
        && let Data::Text(values) | Data::Json(values) = column.values()
    {
        values.push(text);
        return column.pushed();
    }
    let mut raw = String::with_capacity(bytes.len());
    let mut chunks = bytes.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        raw.push_str(chunk.valid());
        if cut && chunks.peek().is_none() && chunk.invalid().len() < 4 {
            break; // most likely a letter that the cut went through
        }
        for byte in chunk.invalid() {
            write!(raw, "\\x{byte:02x}").expect("writing to a String cannot fail");
        }
    }
    column.push_unreadable(raw);
}

fn decimal(values: &mut crate::Strings, (negative, limbs): (bool, [u64; 4]), scale: usize) {
    numeric::push(negative, limbs, scale, values.buffer());
    values.close();
}

/// The shortest text of the float read back as a double, not the digits its widening would invent.
fn widened(value: f32) -> f64 {
    let exact = f64::from(value);
    if !value.is_finite() || (value.fract() == 0.0 && value.abs() < 16_777_216.0) {
        return exact;
    }
    value.to_string().parse().unwrap_or(exact)
}

fn sign_extended(bytes: &[u8]) -> i128 {
    match bytes {
        [a] => i128::from(*a as i8),
        [a, b] => i128::from(i16::from_le_bytes([*a, *b])),
        [a, b, c, d] => i128::from(i32::from_le_bytes([*a, *b, *c, *d])),
        _ if bytes.len() == 8 => i128::from(small(bytes) as i64),
        _ => {
            let mut all = [0; 16];
            all[..bytes.len().min(16)].copy_from_slice(&bytes[..bytes.len().min(16)]);
            i128::from_le_bytes(all)
        }
    }
}

fn small(bytes: &[u8]) -> u64 {
    let mut all = [0; 8];
    all[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(all)
}

fn fixed<const N: usize>(value: &[u8]) -> Result<[u8; N]> {
    value.try_into().map_err(|_| garbled())
}
