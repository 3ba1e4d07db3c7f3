//! RSA private keys that sign tokens, and the fingerprint by which their public half is known.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _};
use rsa::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use rsa::traits::PublicKeyParts as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{ConnectorError, ErrorKind, Result};

/// The shortest key that is accepted anywhere, in bits.
const SHORTEST: usize = 2048;

/// A private key. `Debug` shows its fingerprint alone.
pub(crate) struct SigningKey {
    key: EncodingKey,
    fingerprint: String,
}

impl SigningKey {
    /// Reads a private key in PEM: PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`), not encrypted.
    ///
    /// # Errors
    /// `Config`, saying what was given instead and how to make a key of it.
    pub fn from_pem(pem: &str) -> Result<Self> {
        let wrong = |message: &str, hint: &str| {
            Err(ConnectorError::new(ErrorKind::Config, format!("credential: {message}")).hint(hint))
        };
        let pem = pem.trim();
        if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") {
            let hint = "take the passphrase off: openssl pkcs8 -in encrypted.p8 -out key.pem";
            return wrong("the private key is encrypted with a passphrase", hint);
        }
        if pem.contains("BEGIN PUBLIC KEY") {
            return wrong("this is the public half of a key pair", "give the private half");
        }
        let read = RsaPrivateKey::from_pkcs8_pem(pem).or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem));
        let (Ok(key), Some(fingerprint)) = (&read, read.as_ref().ok().and_then(fingerprint)) else {
            let hint = "give an RSA key that begins with -----BEGIN PRIVATE KEY-----, with all its lines";
            return wrong("this is no private key in PEM form", hint);
        };
        if key.n().bits() < SHORTEST {
            return wrong("the key is shorter than 2048 bits", "make a longer one: openssl genrsa 3072");
        }
        let Ok(der) = key.to_pkcs1_der() else {
            return wrong("the private key cannot be used", "make another one: openssl genrsa 3072");
        };
        Ok(Self { key: EncodingKey::from_rsa_der(der.as_bytes()), fingerprint })
    }

    /// `SHA256:` and the base64 of the digest of the public half in its DER form (SPKI), as Snowflake writes it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// A token with those claims: a JWT signed with RS256.
    ///
    /// # Errors
    /// `Config` when the key cannot sign.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String> {
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &self.key).map_err(|error| {
            ConnectorError::new(ErrorKind::Config, "the private key cannot sign").detail(error.to_string())
        })
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

fn fingerprint(key: &RsaPrivateKey) -> Option<String> {
    let der = key.to_public_key().to_public_key_der().ok()?;
    Some(format!("SHA256:{}", STANDARD.encode(Sha256::digest(der.as_bytes()))))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
    use rsa::rand_core::OsRng;

    use super::*;

    /// A key made for the tests, in PKCS#8.
    pub(crate) static PEM: LazyLock<String> = LazyLock::new(|| pem(2048));

    fn pem(bits: usize) -> String {
        let key = RsaPrivateKey::new(&mut OsRng, bits).expect("random bytes");
        key.to_pkcs8_pem(LineEnding::LF).expect("a key has a PEM form").to_string()
    }

    #[test]
    fn a_token_can_be_verified_with_the_public_half() {
        let key = SigningKey::from_pem(&format!("\n {}\r\n", PEM.replace('\n', "\r\n"))).expect("a key");
        let claims = serde_json::json!({"iss": "me", "exp": 4_000_000_000_u64});
        let token = key.sign(&claims).expect("a token");
        let public = RsaPrivateKey::from_pkcs8_pem(&PEM).expect("a key").to_public_key();
        let der = rsa::pkcs1::EncodeRsaPublicKey::to_pkcs1_der(&public).expect("a public key");
        let verify = jsonwebtoken::DecodingKey::from_rsa_der(der.as_bytes());
        let rules = jsonwebtoken::Validation::new(Algorithm::RS256);
        let read = jsonwebtoken::decode::<serde_json::Value>(&token, &verify, &rules).expect("a valid token");
        assert_eq!(read.claims, claims);
        assert_eq!(key.fingerprint().len(), "SHA256:".len() + 44);
        let shown = format!("{key:?}");
        assert!(shown.contains(key.fingerprint()) && !shown.contains("key:"), "{shown}");
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        for (text, wanted) in [
            ("hunter2", "no private key"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "no private key"),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----", "encrypted"),
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "public half"),
            (&pem(1024), "shorter than 2048"),
        ] {
            let error = SigningKey::from_pem(text).expect_err("no key");
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.message().starts_with("credential: "), "{error}");
            assert!(error.message().contains(wanted) && !format!("{error:?}").contains("hunter2"), "{error}");
        }
    }
}
