//! Secrets nobody can guess, and the hashes they are kept as.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::{Error, Result};

/// Fills an array from the system's random source.
///
/// # Errors
/// When the system has no randomness to give.
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal("ask the system for randomness", error))?;
    Ok(bytes)
}

/// Makes a secret of 256 random bits as 43 letters, digits, `-` and `_`.
///
/// # Errors
/// When the system has no randomness to give.
pub fn secret() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<32>()?))
}

/// The SHA-256 of a secret, in hex. Enough for secrets of 256 random bits; passwords need argon2.
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Compares two texts in a time that does not depend on where they differ.
pub fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_hash_to_64_digits() {
        let (one, two) = (secret().expect("randomness"), secret().expect("randomness"));
        assert_eq!(one.len(), 43);
        assert_ne!(one, two);
        assert_eq!(hash(&one).len(), 64);
        assert!(same(&hash(&one), &hash(&one)) && !same(&hash(&one), &hash(&two)) && !same("a", "ab"));
    }
}
