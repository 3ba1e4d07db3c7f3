//! One cell, from the bytes between its quotes into its column.

use super::super::types::Native;
use super::super::{text, value};
use crate::Column;

/// Appends a cell's text as it stands between quotes.
pub fn take(column: &mut Column, native: &Native, raw: &[u8], escapes: bool, most: usize) {
    if raw.len() > most && !escapes || raw.len() > most.saturating_mul(6) {
        return text::cut(column, raw, most);
    }
    if escapes {
        let mut plain = String::with_capacity(raw.len());
        if !text::unescape(raw, &mut plain) {
            return column.push_unreadable(plain);
        }
        if plain.len() > most {
            return text::cut(column, raw, most);
        }
        return value::push(column, native, &plain);
    }
    match std::str::from_utf8(raw) {
        Ok(plain) => value::push(column, native, plain),
        Err(_) => column.push_unreadable(String::from_utf8_lossy(raw)),
    }
}
