//! How external IDs are made comparable: one pure function per normalizer, each telling what it did.

use entity::Normalizer;

/// An external ID made comparable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalized {
    /// The comparable form; none when the text cannot be an ID of this sort.
    pub value: Option<String>,
    /// What was done or found wrong, in words; none when nothing was.
    pub note: Option<&'static str>,
}

impl Normalized {
    fn same(text: &str) -> Self {
        Self { value: Some(text.to_owned()), note: None }
    }

    fn changed(value: String, note: &'static str) -> Self {
        Self { value: Some(value), note: Some(note) }
    }

    fn refused(note: &'static str) -> Self {
        Self { value: None, note: Some(note) }
    }
}

/// Makes an external ID comparable.
pub fn normalize(normalizer: Normalizer, raw: &str) -> Normalized {
    let text = raw.trim();
    if text.is_empty() {
        return Normalized::refused("is blank");
    }
    let made = match normalizer {
        Normalizer::Exact => Normalized::same(text),
        Normalizer::Lowercase => lowercase(text),
        Normalizer::Numeric => numeric(text),
        Normalizer::Salesforce => salesforce(text),
    };
    match made {
        Normalized { value: Some(value), note: None } if value != raw => {
            Normalized::changed(value, "trimmed blanks")
        }
        made => made,
    }
}

/// One spelling for texts that are one ID in whatever space they are looked up: without the blanks around it, the
/// fraction of zeros of a whole number, and the suffix of a Salesforce ID of 18 characters.
///
/// Series are told apart by it, so that neither a rule of matching nor who has which ID decides which measurement a row
/// is. Leading zeros and capitals make a difference: in some spaces they are other IDs.
pub fn spelling(raw: &str) -> &str {
    let text = raw.trim();
    if let Some((whole, fraction)) = text.split_once('.')
        && !whole.is_empty()
        && !fraction.is_empty()
        && whole.bytes().all(|digit| digit.is_ascii_digit())
        && fraction.bytes().all(|digit| digit == b'0')
    {
        return whole;
    }
    // Only capitals that are as the suffix tells: others would have to be restored, and then it is no part of the text.
    let long = text.len() == 18 && text.bytes().all(|c| c.is_ascii_alphanumeric());
    match long.then(|| text.split_at(15)) {
        Some((short, check)) if suffix(short) == check.to_ascii_uppercase() => short,
        _ => text,
    }
}

fn lowercase(text: &str) -> Normalized {
    let lower = text.to_lowercase();
    if lower == text { Normalized::same(text) } else { Normalized::changed(lower, "made lower case") }
}

/// Whole numbers without leading zeros or a fraction of zeros, which spreadsheets and floats add.
fn numeric(text: &str) -> Normalized {
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0') => {
            whole
        }
        Some(_) => return Normalized::refused("is not a whole number"),
        None => text,
    };
    if whole.is_empty() || !whole.bytes().all(|digit| digit.is_ascii_digit()) {
        return Normalized::refused("is not a whole number");
    }
    let short = whole.trim_start_matches('0');
    let short = if short.is_empty() { "0" } else { short };
    if short == text {
        Normalized::same(text)
    } else {
        Normalized::changed(short.to_owned(), "dropped leading zeros or a fraction of zeros")
    }
}

/// The letters that stand for the capitals of five characters.
const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// One form for the 15 characters, whose case counts, and the 18 characters that carry the case in a suffix.
fn salesforce(text: &str) -> Normalized {
    if !text.bytes().all(|c| c.is_ascii_alphanumeric()) {
        return Normalized::refused("is no Salesforce ID: it has characters other than letters and digits");
    }
    match text.len() {
        15 => Normalized::changed(format!("{text}{}", suffix(text)), "added the suffix of 18 characters"),
        18 => {
            let (short, check) = text.split_at(15);
            let check = check.to_ascii_uppercase();
            if suffix(short) == check {
                let value = format!("{short}{check}");
                return if value == text {
                    Normalized::same(text)
                } else {
                    Normalized::changed(value, "put the suffix in capitals")
                };
            }
            let one_case = short == short.to_ascii_lowercase() || short == short.to_ascii_uppercase();
            match restore(short, &check) {
                Some(value) if one_case => {
                    Normalized::changed(format!("{value}{check}"), "restored the case from the suffix")
                }
                _ => {
                    Normalized::refused("is no Salesforce ID: its last three characters do not fit the rest")
                }
            }
        }
        _ => Normalized::refused("is no Salesforce ID: it has neither 15 nor 18 characters"),
    }
}

fn suffix(short: &str) -> String {
    let letter = |five: &[u8]| {
        let bits = five.iter().enumerate().filter(|(_, c)| c.is_ascii_uppercase());
        let index = bits.fold(0_usize, |bits, (place, _)| bits | 1 << place);
        char::from(SUFFIX[index])
    };
    short.as_bytes().chunks(5).map(letter).collect()
}

/// The 15 characters in the case their suffix tells; none when the suffix marks something that has no case.
fn restore(short: &str, check: &str) -> Option<String> {
    let mut restored = String::with_capacity(15);
    for (five, check) in short.as_bytes().chunks(5).zip(check.bytes()) {
        let bits = SUFFIX.iter().position(|letter| *letter == check)?;
        for (place, c) in five.iter().enumerate() {
            let capital = bits & 1 << place != 0;
            if capital && !c.is_ascii_alphabetic() {
                return None;
            }
            let c = if capital { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
            restored.push(char::from(c));
        }
    }
    Some(restored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(normalizer: Normalizer, raw: &str) -> Option<String> {
        normalize(normalizer, raw).value
    }

    #[test]
    fn pitfall_25_salesforce_15_and_18_characters_are_one_id() {
        let long = Some("001A0000006Vm9rIAC".to_owned());
        for raw in ["001A0000006Vm9r", "001A0000006Vm9rIAC", " 001A0000006Vm9rIAC ", "001A0000006Vm9riac"] {
            assert_eq!(value(Normalizer::Salesforce, raw), long, "{raw}");
        }
        for one_case in ["001a0000006vm9riac", "001A0000006VM9RIAC"] {
            assert_eq!(value(Normalizer::Salesforce, one_case), long, "{one_case}");
        }
        for wrong in ["001A0000006Vm9rIAB", "001a0000006Vm9rIAC", "001A0000006Vm9", "001A0000006Vm9-", ""] {
            assert_eq!(value(Normalizer::Salesforce, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn pitfall_25_numbers_lose_what_floats_and_spreadsheets_add() {
        for raw in ["42", "42.0", "0042", " 42.000 "] {
            assert_eq!(value(Normalizer::Numeric, raw), Some("42".to_owned()), "{raw}");
        }
        assert_eq!(value(Normalizer::Numeric, "000"), Some("0".to_owned()));
        for wrong in ["4.2", "4e2", "-1", "42.", ".0", "x"] {
            assert_eq!(value(Normalizer::Numeric, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn case_counts_unless_the_space_says_otherwise() {
        assert_eq!(value(Normalizer::Exact, " aB "), Some("aB".to_owned()));
        assert_eq!(value(Normalizer::Lowercase, "aB"), Some("ab".to_owned()));
        assert_eq!(normalize(Normalizer::Exact, " aB").note, Some("trimmed blanks"));
        assert_eq!(normalize(Normalizer::Exact, "aB").note, None);
    }

    #[test]
    fn one_id_has_one_spelling_whatever_the_space() {
        for (raw, one) in [
            (" acme ", "acme"),
            ("7.00", "7"),
            ("001D000000IRFmaIAH", "001D000000IRFma"),
            ("001D000000IRFmaiah", "001D000000IRFma"),
            ("001D000000IRFma", "001D000000IRFma"),
        ] {
            assert_eq!(spelling(raw), one);
        }
        // Other IDs in some space, or no IDs of that sort.
        for text in
            ["007", "A-1", "a-1", "7.5", "1.", ".0", "1.2.0", "001D000000IRFmaIAB", "001d000000irfmaiah"]
        {
            assert_eq!(spelling(text), text);
        }
    }

    #[test]
    fn what_has_one_spelling_is_one_id_by_each_rule_that_knows_both() {
        for (one, other) in [("7.0", "7"), ("001D000000IRFmaIAH", "001D000000IRFma"), (" a", "a")] {
            assert_eq!(spelling(one), spelling(other));
            for rule in [Normalizer::Numeric, Normalizer::Salesforce] {
                let (one, other) = (normalize(rule, one).value, normalize(rule, other).value);
                assert_eq!(one, other);
            }
        }
    }
}
