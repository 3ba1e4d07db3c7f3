//! JSON texts, found and unescaped while their bytes arrive.

use crate::Column;

/// How far the end of a text has been looked for, so that a long one is not searched from its start with each piece.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scan {
    from: usize,
    escapes: bool,
}

impl Scan {
    /// The place of the quote that ends the text these bytes begin in; nothing when it is not here yet. Must be given
    /// the same bytes again with more behind them.
    pub fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(step) = bytes.get(self.from..)?.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
            let at = self.from + step;
            if bytes[at] == b'"' {
                return Some(at);
            }
            self.escapes = true;
            // The escaped byte may not be here yet.
            self.from = at;
            bytes.get(at + 1)?;
            self.from = at + 2;
        }
        self.from = bytes.len();
        None
    }

    /// Whether an escape was met.
    pub fn escapes(self) -> bool {
        self.escapes
    }

    /// Forgets the bytes searched so far, and tells how many they are.
    pub fn forget(&mut self) -> usize {
        std::mem::take(&mut self.from)
    }
}

/// Appends a text that stood between quotes; `false` when it has an escape or bytes that mean no letter, in whose
/// place there are then replacement characters.
pub fn unescape(raw: &[u8], out: &mut String) -> bool {
    let mut whole = true;
    let mut rest = raw;
    while !rest.is_empty() {
        let plain = rest.iter().position(|byte| *byte == b'\\').unwrap_or(rest.len());
        let (before, escape) = rest.split_at(plain);
        match std::str::from_utf8(before) {
            Ok(text) => out.push_str(text),
            Err(_) => {
                whole = false;
                out.push_str(&String::from_utf8_lossy(before));
            }
        }
        if escape.is_empty() {
            break;
        }
        let (letter, used) = letter(escape);
        whole &= letter.is_some();
        out.push(letter.unwrap_or('\u{fffd}'));
        rest = &escape[used..];
    }
    whole
}

/// The letter an escape stands for, and how many bytes it takes.
fn letter(escape: &[u8]) -> (Option<char>, usize) {
    let letter = match escape.get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(quoted @ (b'"' | b'\\' | b'/')) => char::from(*quoted),
        Some(b'u') => {
            let Some(first) = unit(escape) else { return (None, escape.len().min(2)) };
            if let Some(letter) = char::from_u32(first) {
                return (Some(letter), 6);
            }
            // Letters past 16 bits are written as two escapes.
            let pair = unit(&escape[6..]).and_then(|second| {
                let both = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
                char::decode_utf16(both).next()?.ok()
            });
            return (pair, if pair.is_some() { 12 } else { 6 });
        }
        _ => return (None, escape.len().min(2)),
    };
    (Some(letter), 2)
}

/// The number behind `\u`.
fn unit(escape: &[u8]) -> Option<u32> {
    let digits = escape.strip_prefix(b"\\u")?.get(..4)?;
    let all = digits.iter().all(u8::is_ascii_hexdigit);
    all.then(|| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())?
}

/// Appends the first `most` bytes of a text that stood between quotes, as unreadable.
pub fn cut(column: &mut Column, raw: &[u8], most: usize) {
    let mut plain = String::new();
    // Nothing longer than this can be kept; its end may be in the middle of a letter or an escape.
    unescape(&raw[..raw.len().min(most.saturating_mul(6))], &mut plain);
    let end = (0..=most.min(plain.len())).rev().find(|end| plain.is_char_boundary(*end)).unwrap_or(0);
    plain.truncate(end);
    column.push_unreadable(plain);
}

/// The place of the bracket that closes the array these bytes are inside of.
pub fn array_end(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at += 1 + Scan::default().end(&bytes[at + 1..])?,
            b'[' | b'{' => depth += 1,
            b']' if depth == 0 => return Some(at),
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_text_is_found_in_any_pieces() {
        let text = br#"a\"b\\\\" after"#;
        for end in 0..text.len() {
            let mut scan = Scan::default();
            let mut found = None;
            for size in (1..=end).chain([text.len()]) {
                found = scan.end(&text[..size]);
                if found.is_some() {
                    break;
                }
            }
            assert_eq!((found, scan.escapes()), (Some(8), true));
        }
        assert_eq!(array_end(br#"["]",[1]],["\"]"]] rest"#), Some(17));
        assert_eq!(array_end(br#"["]""#), None);
    }

    #[test]
    fn escapes_mean_their_letters() {
        let plain = |raw: &str| {
            let mut out = String::new();
            let whole = unescape(raw.as_bytes(), &mut out);
            (out, whole)
        };
        for (raw, wanted, whole) in [
            (r#"a\tb\nc\r\"\\\/\b\f"#, "a\tb\nc\r\"\\/\u{8}\u{c}", true),
            (r"\u00e9\u65e5\ud83e\udd80é", "é日🦀é", true),
            (r"\ud83e", "\u{fffd}", false),
            (r"\ud83ex", "\u{fffd}x", false),
            (r"\ud83e\u0041", "\u{fffd}A", false),
            (r"\x", "\u{fffd}", false),
            (r"\u12", "\u{fffd}12", false),
            (r"\u+123", "\u{fffd}+123", false),
            ("\\", "\u{fffd}", false),
        ] {
            assert_eq!(plain(raw), (wanted.to_owned(), whole), "{raw}");
        }
        let mut out = String::new();
        assert!(!unescape(b"a\xffb\\n", &mut out) && out == "a\u{fffd}b\n");
    }
}
