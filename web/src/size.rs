//! Sizes as people type them: `10 GiB`, `500 MB`, `20971520`.

/// The units, each with its bytes; those that people mean by them where they write no `i` included.
const UNITS: [(&str, i64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// Writes bytes so that reading gives the same again, in the largest unit that divides them.
pub fn write(bytes: i64) -> String {
    let whole = UNITS.iter().find(|(_, size)| bytes >= *size && bytes % size == 0);
    whole.map_or_else(|| bytes.to_string(), |(unit, size)| format!("{} {unit}", bytes / size))
}

/// Reads a size; nothing when it is none.
pub fn read(text: &str) -> Option<i64> {
    let text = text.trim();
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()).trim_end();
    let unit = text[number.len()..].trim();
    let size =
        if unit.is_empty() { 1 } else { UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1 };
    let number: f64 = number.replace(',', "").parse().ok()?;
    let bytes = number * size as f64;
    // Beyond 2^53 a float skips whole numbers; no statement is let bill eight petabytes.
    (bytes.fract() == 0.0 || size > 1)
        .then_some(bytes.round())
        .filter(|bytes| (0.0..9e15).contains(bytes))
        .map(|bytes| bytes as i64)
}
