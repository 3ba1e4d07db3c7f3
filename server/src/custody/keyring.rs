//! The keys that protect credentials at rest: one seals, all open.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use entity::Hidden;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::sealed::{NONCE, Owner, Sealed};
use crate::error::Error;

/// Names a key without telling anything about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(Box<str>);

impl KeyId {
    /// Takes 1 to 32 lower-case letters and digits.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        ((1..=32).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.into()))
    }

    /// Gives the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a secret was not sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// The key that sealed the secret is not in the ring.
    #[error("the key {0} is not in the key ring")]
    MissingKey(KeyId),
    /// The stored text is not a sealed secret.
    #[error("the stored text is not a sealed secret")]
    Malformed,
    /// The secret was sealed for another owner, by another key of the same name, or was changed.
    #[error("the sealed secret belongs elsewhere or was changed")]
    Refused,
    /// The ring itself cannot be read.
    #[error("the key ring cannot be read: {0}")]
    Ring(String),
    /// The operating system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Random(String),
}

impl From<KeyringError> for Error {
    fn from(error: KeyringError) -> Self {
        Self::internal("a secret cannot be used", error)
    }
}

type Key = Zeroizing<[u8; 32]>;

/// The keys at hand. `Debug` shows their IDs.
pub struct Keyring {
    primary: KeyId,
    keys: BTreeMap<KeyId, Key>,
}

impl Keyring {
    /// Makes a ring of one fresh key.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, KeyringError> {
        let (primary, key) = fresh()?;
        Ok(Self { primary: primary.clone(), keys: BTreeMap::from([(primary, key)]) })
    }

    /// Reads a ring: words `ID:BASE64`, the sealing key first; `#` begins a comment. The text is never repeated.
    ///
    /// # Errors
    /// When a word is no key, two keys share an ID, or there is no key.
    pub fn parse(text: &SecretString) -> Result<Self, KeyringError> {
        let mut primary = None;
        let mut keys = BTreeMap::new();
        let lines = text.expose_secret().lines().map(|line| line.split('#').next().unwrap_or_default());
        for (place, word) in lines.flat_map(str::split_whitespace).enumerate() {
            let number = place + 1;
            let refuse = |reason: &str| KeyringError::Ring(format!("key {number} {reason}"));
            let (id, secret) = word.split_once(':').ok_or_else(|| refuse("is not of the form ID:BASE64"))?;
            let id = KeyId::parse(id)
                .ok_or_else(|| refuse("needs an ID of 1 to 32 lower-case letters and digits"))?;
            let mut key = Key::default();
            let length = STANDARD.decode_slice(secret, key.as_mut_slice());
            if length != Ok(key.len()) {
                return Err(refuse("is not 32 bytes in base64"));
            }
            if keys.insert(id.clone(), key).is_some() {
                return Err(refuse("has the ID of another"));
            }
            primary.get_or_insert(id);
        }
        let primary = primary.ok_or_else(|| KeyringError::Ring("it holds no key".to_owned()))?;
        Ok(Self { primary, keys })
    }

    /// Writes the ring as [`Keyring::parse`] reads it, one key a line.
    pub fn text(&self) -> SecretString {
        let mut text = Zeroizing::new(String::with_capacity(self.keys.len() * 96));
        let older = self.keys.iter().filter(|(id, _)| **id != self.primary);
        for (id, key) in self.keys.get_key_value(&self.primary).into_iter().chain(older) {
            let encoded = Zeroizing::new(STANDARD.encode(key.as_slice()));
            for part in [id.as_str(), ":", &encoded, "\n"] {
                text.push_str(part);
            }
        }
        SecretString::from(text.as_str())
    }

    /// The same ring with a fresh sealing key; the older keys still open.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn rotated(&self) -> Result<Self, KeyringError> {
        let (primary, key) = fresh()?;
        let mut keys = self.keys.clone();
        keys.insert(primary.clone(), key);
        Ok(Self { primary, keys })
    }

    /// The ring without its older keys; only right when [`super::reseal`] has left nothing sealed by them.
    #[must_use]
    pub fn without_older_keys(&self) -> Self {
        let mut keys = self.keys.clone();
        keys.retain(|id, _| *id == self.primary);
        Self { primary: self.primary.clone(), keys }
    }

    /// The key that seals.
    pub fn primary(&self) -> &KeyId {
        &self.primary
    }

    /// All keys, in order of their IDs.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.keys.keys()
    }

    /// Tells whether a key is at hand.
    pub fn holds(&self, id: &KeyId) -> bool {
        self.keys.contains_key(id)
    }

    fn cipher(&self, id: &KeyId) -> Result<XChaCha20Poly1305, KeyringError> {
        let key = self.keys.get(id).ok_or_else(|| KeyringError::MissingKey(id.clone()))?;
        XChaCha20Poly1305::new_from_slice(key.as_slice()).map_err(|_| KeyringError::Malformed)
    }

    /// Hashes parts of a text for one purpose, by each key of the ring, the sealing one first (HMAC-SHA-256). Without the
    /// ring nobody can try out what the text was.
    pub fn hashes(&self, purpose: &str, parts: &[&str]) -> Vec<String> {
        let older = self.keys.iter().filter(|(id, _)| **id != self.primary);
        let keys = self.keys.get_key_value(&self.primary).into_iter().chain(older);
        let hash = |(_, key): (&KeyId, &Key)| {
            let mut hash =
                <Hmac<Sha256> as Mac>::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length");
            for part in std::iter::once(&purpose).chain(parts) {
                hash.update(&(part.len() as u64).to_be_bytes());
                hash.update(part.as_bytes());
            }
            hex::encode(hash.finalize().into_bytes())
        };
        keys.map(hash).collect()
    }

    /// Seals a secret for its owner.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal(&self, owner: &Owner, secret: &SecretString) -> Result<Hidden, KeyringError> {
        let nonce: [u8; NONCE] = random()?;
        let associated = owner.associated(&self.primary);
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: &associated };
        let ciphertext = self
            .cipher(&self.primary)?
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| KeyringError::Refused)?;
        let bytes = [nonce.as_slice(), &ciphertext].concat();
        Ok(Sealed { key: self.primary.clone(), bytes }.text())
    }

    /// Opens a secret for its owner.
    ///
    /// # Errors
    /// When the key is missing, or the text was sealed for another owner or changed.
    pub fn open(&self, owner: &Owner, sealed: &Hidden) -> Result<SecretString, KeyringError> {
        let Sealed { key, bytes } = Sealed::parse(sealed)?;
        let cipher = self.cipher(&key)?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE>().ok_or(KeyringError::Malformed)?;
        let associated = owner.associated(&key);
        let payload = Payload { msg: ciphertext, aad: &associated };
        let clear = cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| KeyringError::Refused)?;
        let clear = Zeroizing::new(clear);
        std::str::from_utf8(&clear).map(SecretString::from).map_err(|_| KeyringError::Malformed)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("primary", &self.primary).field("keys", &self.keys.keys()).finish()
    }
}

fn random<const N: usize>() -> Result<[u8; N], KeyringError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| KeyringError::Random(error.to_string()))?;
    Ok(bytes)
}

fn fresh() -> Result<(KeyId, Key), KeyringError> {
    let id = hex::encode(random::<4>()?);
    let mut key = Key::default();
    getrandom::fill(key.as_mut_slice()).map_err(|error| KeyringError::Random(error.to_string()))?;
    Ok((KeyId(id.into()), key))
}

#[cfg(test)]
mod tests;
