//! Names and other short texts people type: trimmed, bounded, without control characters.

use crate::domain::refusal;
use crate::error::{Error, Result};

/// The longest name or ID, in characters.
pub const NAME_MOST: usize = 200;
/// The longest note, in characters.
pub const NOTE_MOST: usize = 2_000;

fn bounded(field: &str, text: &str, most: usize) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > most {
        return Err(Error::invalid(field, format!("must be at most {most} characters long")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(Error::invalid(field, "must not hold control characters"));
    }
    Ok(text.to_owned())
}

/// Takes a name.
///
/// # Errors
/// When it is empty, too long, or not plain text on one line.
pub fn name(field: &str, text: &str) -> Result<String> {
    let text = bounded(field, text, NAME_MOST)?;
    if text.is_empty() {
        return Err(refusal::required(field));
    }
    if text.contains(['\n', '\t']) {
        return Err(Error::invalid(field, "must be on one line"));
    }
    Ok(text)
}

/// Takes a short text that may be left out; an empty one counts as left out.
///
/// # Errors
/// When it is too long, or not plain text on one line.
pub fn optional(field: &str, text: Option<String>) -> Result<Option<String>> {
    match text {
        Some(text) if !text.trim().is_empty() => name(field, &text).map(Some),
        _ => Ok(None),
    }
}

/// Takes a note of several lines that may be left out.
///
/// # Errors
/// When it is too long.
pub fn note(field: &str, text: Option<String>) -> Result<Option<String>> {
    match text {
        Some(text) if !text.trim().is_empty() => bounded(field, &text, NOTE_MOST).map(Some),
        _ => Ok(None),
    }
}

/// Takes a reason that must be given.
///
/// # Errors
/// When it is empty or too long.
pub fn reason(field: &str, text: &str) -> Result<String> {
    note(field, Some(text.to_owned()))?.ok_or_else(|| refusal::required(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_bounded() {
        assert_eq!(name("name", "  Acme ").expect("a name"), "Acme");
        assert!(name("name", " ").is_err());
        assert!(name("name", &"x".repeat(201)).is_err());
        assert!(name("name", "a\nb").is_err());
        assert!(name("name", "a\u{0}b").is_err());
        assert_eq!(optional("unit", Some(" ".to_owned())).expect("nothing"), None);
    }
}
