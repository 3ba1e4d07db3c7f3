//! RSA key pairs made here: the public half is shown, the private half never leaves.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::OsRng;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The length of the modulus.
const BITS: usize = 3072;

/// A fresh key pair. `Debug` does not show the private half.
#[derive(Debug)]
pub struct KeyPair {
    /// The public half: its DER form (SPKI) in base64, on one line and without headers.
    pub public_key: String,
    /// The public half's fingerprint, written as Snowflake shows it.
    pub fingerprint: String,
    /// The private half: PKCS#8, as PEM. Seal it at once.
    pub private_key: SecretString,
}

impl KeyPair {
    /// Makes a key pair; a second or so of work, off the async threads.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub async fn generate() -> Result<Self> {
        tokio::task::spawn_blocking(Self::make)
            .await
            .map_err(|error| Error::internal("a key pair cannot be made", error))?
    }

    fn make() -> Result<Self> {
        let failed = |error: &dyn std::fmt::Display| Error::internal("a key pair cannot be made", error);
        let private = RsaPrivateKey::new(&mut OsRng, BITS).map_err(|error| failed(&error))?;
        let der = private.to_public_key().to_public_key_der().map_err(|error| failed(&error))?;
        let pem = private.to_pkcs8_pem(LineEnding::LF).map_err(|error| failed(&error))?;
        Ok(Self {
            public_key: STANDARD.encode(der.as_bytes()),
            fingerprint: fingerprint(der.as_bytes()),
            private_key: SecretString::from(pem.as_str()),
        })
    }
}

/// The fingerprint of a public half in its DER form: `SHA256:` and the digest in base64.
pub fn fingerprint(der: &[u8]) -> String {
    format!("SHA256:{}", STANDARD.encode(Sha256::digest(der)))
}

/// The one-line public half with PEM headers and lines of 64, for systems that want them.
pub fn public_key_pem(one_line: &str) -> String {
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    let mut rest = one_line;
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    pem
}

#[cfg(test)]
mod tests {
    use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
    use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
    use rsa::signature::{SignatureEncoding, Signer, Verifier};
    use rsa::traits::PublicKeyParts;
    use rsa::{RsaPublicKey, pkcs8};
    use secrecy::ExposeSecret;

    use super::*;

    #[tokio::test]
    async fn both_halves_fit_and_the_private_one_is_not_shown() -> Result<()> {
        let pair = KeyPair::generate().await?;
        let private = RsaPrivateKey::from_pkcs8_pem(pair.private_key.expose_secret()).unwrap();
        let public = RsaPublicKey::from_public_key_pem(&public_key_pem(&pair.public_key)).unwrap();
        assert_eq!(public.n().bits(), BITS);
        let signature = SigningKey::<Sha256>::new(private).sign(b"hello").to_vec();
        let signature = Signature::try_from(signature.as_slice()).unwrap();
        VerifyingKey::<Sha256>::new(public).verify(b"hello", &signature).unwrap();

        assert!(!pair.public_key.contains(['\n', '-', ' ']));
        let der = STANDARD.decode(&pair.public_key).unwrap();
        assert_eq!(pair.fingerprint, fingerprint(&der));
        let shown = format!("{pair:?}");
        assert!(!shown.contains("PRIVATE") && shown.contains(&pair.fingerprint));
        for line in pair.private_key.expose_secret().lines().skip(1) {
            assert!(!shown.contains(line) || line.starts_with("-----"));
        }
        Ok(())
    }

    #[test]
    fn the_fingerprint_and_the_pem_are_those_openssl_makes() -> pkcs8::spki::Result<()> {
        let pem = include_str!("key_pair/public.pem");
        let one_line: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(public_key_pem(&one_line), pem);
        let der = RsaPublicKey::from_public_key_pem(pem)?.to_public_key_der()?;
        assert_eq!(fingerprint(der.as_bytes()), include_str!("key_pair/fingerprint.txt").trim());
        Ok(())
    }
}
