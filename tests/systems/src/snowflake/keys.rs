//! Key pairs for the users of a run, made once, since making one takes long.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::RsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::OsRng;
use sha2::{Digest, Sha256};

use crate::run;

/// A private key and its public half.
#[derive(Clone)]
pub struct Pair {
    /// PKCS#8 in PEM.
    pub private_pem: String,
    /// What `ALTER USER ... SET RSA_PUBLIC_KEY` takes: SubjectPublicKeyInfo in base64, on one line.
    pub public: String,
    /// `SHA256:` and the base64 of the hash of the public key.
    pub fingerprint: String,
}

/// The fingerprint of a public key given as DER (SubjectPublicKeyInfo).
pub fn fingerprint(der: &[u8]) -> String {
    format!("SHA256:{}", STANDARD.encode(Sha256::digest(der)))
}

impl Pair {
    /// The key pair of that name, the same in all processes of a run.
    pub fn named(name: &str) -> Result<Self> {
        let _lock = run::lock("snowflake-keys")?;
        let file = run::folder()?.join(format!("snowflake-{name}.pem"));
        match fs::read_to_string(&file) {
            Ok(pem) => Self::from_pem(&pem),
            Err(_) => Self::make(&file),
        }
    }

    /// The pair of a private key in PEM (PKCS#8).
    pub fn from_pem(pem: &str) -> Result<Self> {
        let key = RsaPrivateKey::from_pkcs8_pem(pem).context("not a private key in PKCS#8")?;
        let der = key.to_public_key().to_public_key_der()?;
        let (public, fingerprint) = (STANDARD.encode(der.as_bytes()), fingerprint(der.as_bytes()));
        Ok(Self { private_pem: pem.to_owned(), public, fingerprint })
    }

    fn make(file: &Path) -> Result<Self> {
        let key = RsaPrivateKey::new(&mut OsRng, 2048)?;
        let pem = key.to_pkcs8_pem(LineEnding::LF)?;
        // Readers see the whole file or none.
        let partial = file.with_extension("partial");
        fs::write(&partial, pem.as_bytes())?;
        fs::rename(&partial, file)?;
        Self::from_pem(&pem)
    }
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pair").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}
