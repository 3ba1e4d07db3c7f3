//! What external IDs look like, by their letters alone: a hint for people, never a ground for matching.

use entity::Normalizer;

use crate::domain::normalizer::normalize;

/// What an external ID looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdShape {
    /// A Salesforce ID of 15 characters.
    Salesforce15,
    /// A Salesforce ID of 18 characters, its checksum right.
    Salesforce18,
    /// A number, as HubSpot numbers its records.
    Number,
    /// A UUID.
    Uuid,
    /// An e-mail address.
    Email,
    /// A domain name.
    Domain,
    /// Blank.
    Blank,
    /// None of these.
    Other,
}

impl IdShape {
    /// Tells what an ID looks like.
    pub fn of(raw: &str) -> Self {
        let text = raw.trim();
        if text.is_empty() {
            Self::Blank
        } else if normalize(Normalizer::Numeric, text).value.is_some() {
            Self::Number
        } else if uuid::Uuid::try_parse(text).is_ok() {
            Self::Uuid
        } else if salesforce(text) {
            if text.len() == 18 { Self::Salesforce18 } else { Self::Salesforce15 }
        } else if let Some((name, host)) = text.split_once('@') {
            if !name.is_empty() && domain(host) { Self::Email } else { Self::Other }
        } else if domain(text) {
            Self::Domain
        } else {
            Self::Other
        }
    }

    /// Whether IDs that look like this can be compared by a rule without being refused, or taken for what they are not.
    pub fn suits(self, normalizer: Normalizer) -> bool {
        match normalizer {
            Normalizer::Exact | Normalizer::Lowercase => true,
            Normalizer::Numeric => self == Self::Number,
            Normalizer::Salesforce => matches!(self, Self::Salesforce15 | Self::Salesforce18),
        }
    }

    /// What people call such IDs, in the plural.
    pub fn words(self) -> &'static str {
        match self {
            Self::Salesforce15 => "Salesforce IDs of 15 characters",
            Self::Salesforce18 => "Salesforce IDs of 18 characters",
            Self::Number => "numbers, like HubSpot's IDs",
            Self::Uuid => "UUIDs",
            Self::Email => "e-mail addresses",
            Self::Domain => "domain names",
            Self::Blank => "blank",
            Self::Other => "of no shape known here",
        }
    }
}

/// Salesforce's own rule, and what all its record IDs share: a key prefix with a digit in front, three letters or digits
/// long. Without it any word of 15 letters would be one.
fn salesforce(text: &str) -> bool {
    normalize(Normalizer::Salesforce, text).value.is_some()
        && text.bytes().take(3).any(|byte| byte.is_ascii_digit())
}

fn domain(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').collect();
    let label = |label: &&str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    labels.len() >= 2
        && text.len() <= 253
        && labels.iter().all(label)
        && labels
            .last()
            .is_some_and(|last| last.len() >= 2 && last.bytes().all(|it| it.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shapes_of_ids_are_told_apart() {
        for (raw, wanted) in [
            ("0015g00000Ab3dE", IdShape::Salesforce15),
            ("0015g00000Ab3dEAAR", IdShape::Salesforce18),
            ("8812345678", IdShape::Number),
            ("8812345678.0", IdShape::Number),
            ("0190c3a4-7b1e-7c52-8f0e-2b1f7c6d5e4f", IdShape::Uuid),
            ("ops@acme.example", IdShape::Email),
            ("acme.example", IdShape::Domain),
            ("  ", IdShape::Blank),
            ("internationally", IdShape::Other),
            ("acme inc.", IdShape::Other),
            ("@acme.example", IdShape::Other),
        ] {
            assert_eq!(IdShape::of(raw), wanted, "{raw}");
        }
    }
}
