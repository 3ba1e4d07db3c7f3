//! How alike two names look, for suggestions that a person judges. Nothing is ever matched by it.

/// Letters and digits in lower case, nothing else.
pub fn squashed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How alike two squashed texts are, from 0 to 100: by the pairs of neighboring letters they share.
pub fn likeness(one: &str, other: &str) -> u8 {
    if one.is_empty() || other.is_empty() {
        return 0;
    }
    if one == other {
        return 100;
    }
    let (first, second) = (pairs(one), pairs(other));
    let total = first.len() + second.len();
    if total == 0 {
        return 0;
    }
    let mut left = second;
    let shared = first.iter().filter(|pair| {
        let found = left.iter().position(|other| other == *pair);
        found.map(|place| left.swap_remove(place)).is_some()
    });
    let percent = 200 * shared.count() / total;
    // Only the same text is a full match.
    u8::try_from(percent.min(99)).unwrap_or(99)
}

fn pairs(text: &str) -> Vec<(char, char)> {
    let letters: Vec<char> = text.chars().collect();
    letters.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likeness_grows_with_what_is_shared() {
        let (acme, corp) = (squashed("Acme-Corp."), squashed("ACME corp"));
        assert_eq!(likeness(&acme, &corp), 100);
        let near = likeness("acmecorp", "acmecorporation");
        let far = likeness("acmecorp", "globex");
        assert!(near > 60 && near < 100, "{near}");
        assert!(far < 20, "{far}");
        assert_eq!(likeness("", "x"), 0);
        assert_eq!(likeness("x", "y"), 0);
    }
}
