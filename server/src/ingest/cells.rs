//! Single cells as the parts of a reading.

use std::fmt::Write;

use connector::{Cell, Strings, decimal};

use super::dictionary::Dictionary;
use super::reject::Reason;

/// Tells whether a text holds a NUL character, which PostgreSQL cannot store.
pub fn holds_nul(cell: &Cell<'_>) -> bool {
    matches!(cell, Cell::Text(text) | Cell::Json(text) if text.as_bytes().contains(&0))
}

/// The dictionary number of an identifying text; `None` when it is null or blank. A cell that came cut at `cell_bytes`
/// is too large.
///
/// # Errors
/// Why the row must be rejected.
pub fn number(
    texts: &mut Dictionary,
    cell: &Cell<'_>,
    cell_bytes: usize,
    scratch: &mut String,
) -> Result<Option<u32>, Reason> {
    let text = match cell {
        Cell::Null => return Ok(None),
        Cell::Unreadable(raw) if raw.len() >= cell_bytes => return Err(Reason::CellTooLarge),
        Cell::Unreadable(_) => return Err(Reason::Undecodable),
        Cell::Text(text) | Cell::Decimal(text) | Cell::Json(text) => text.trim(),
        other => {
            scratch.clear();
            write!(scratch, "{other}").expect("writing to a String cannot fail");
            scratch.as_str()
        }
    };
    if text.is_empty() {
        return Ok(None);
    }
    // An index entry holds at most 2 700 bytes on PostgreSQL; no identifier comes near.
    if text.len() > 1_000 {
        return Err(Reason::CellTooLarge);
    }
    if text.as_bytes().contains(&0) {
        return Err(Reason::Undecodable);
    }
    Ok(Some(texts.number(text)))
}

/// Appends a value in canonical form and gives its place; `None` for a null.
///
/// # Errors
/// Why the row must be rejected.
pub fn push_value(cell: &Cell<'_>, values: &mut Strings) -> Result<Option<u32>, Reason> {
    let before = values.len() as u32;
    let out = values.buffer();
    let length = out.len();
    match cell {
        Cell::Null => return Ok(None),
        Cell::Int(value) => write!(out, "{value}").expect("writing to a String cannot fail"),
        Cell::Decimal(text) => out.push_str(text),
        Cell::Float(value) => {
            if !decimal::float_into(*value, out) {
                return Err(Reason::ValueNotFinite);
            }
        }
        Cell::Text(text) | Cell::Unreadable(text) => {
            let text = text.trim();
            if !decimal::canonicalize_into(text, out) {
                let word = text.trim_start_matches(['-', '+']).to_ascii_lowercase();
                let infinite = matches!(word.as_str(), "nan" | "inf" | "infinity");
                return Err(if infinite { Reason::ValueNotFinite } else { Reason::ValueNotNumeric });
            }
        }
        _ => return Err(Reason::ValueNotNumeric),
    }
    if out.len() - length > 400 {
        out.truncate(length);
        return Err(Reason::ValueTooLong);
    }
    values.close();
    Ok(Some(before))
}
