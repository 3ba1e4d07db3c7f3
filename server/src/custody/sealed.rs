//! What a sealed secret looks like at rest, and what it is bound to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::{Hidden, KeyPairId, OrganizationId, SourceId};

use super::keyring::{KeyId, KeyringError};

/// The version of the text form and of what it is bound to.
const VERSION: &str = "v1";

/// The bytes of a nonce: long enough to be drawn at random.
pub(super) const NONCE: usize = 24;

/// Which secret of a source it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// What the source signs in with.
    Credential,
    /// The private half of one of its key pairs.
    PrivateKey(KeyPairId),
}

/// Whose secret it is. A sealed secret opens for the owner it was sealed for and for no other, so copying sealed text
/// from one row to another gives nothing away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    organization: OrganizationId,
    source: SourceId,
    field: Field,
}

impl Owner {
    /// The credential of a source.
    pub fn credential(organization: OrganizationId, source: SourceId) -> Self {
        Self { organization, source, field: Field::Credential }
    }

    /// The private half of a key pair of a source.
    pub fn private_key(organization: OrganizationId, source: SourceId, pair: KeyPairId) -> Self {
        Self { organization, source, field: Field::PrivateKey(pair) }
    }

    /// The associated data. Every part but the last has a fixed length or a terminator, so no two owners share it.
    pub(super) fn associated(&self, key: &KeyId) -> Vec<u8> {
        let mut data = Vec::with_capacity(112);
        for part in ["weir", VERSION, key.as_str()] {
            data.extend_from_slice(part.as_bytes());
            data.push(0);
        }
        data.extend_from_slice(self.organization.0.as_bytes());
        data.extend_from_slice(self.source.0.as_bytes());
        match self.field {
            Field::Credential => data.extend_from_slice(b"credential"),
            Field::PrivateKey(pair) => {
                data.extend_from_slice(b"private key");
                data.extend_from_slice(pair.0.as_bytes());
            }
        }
        data
    }
}

/// A sealed secret taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    /// The key that sealed it.
    pub key: KeyId,
    /// The nonce, then the ciphertext with its tag.
    pub bytes: Vec<u8>,
}

impl Sealed {
    /// Writes the text form: version, key ID, and the bytes in base64.
    pub fn text(&self) -> Hidden {
        format!("{}{}", prefix(&self.key), URL_SAFE_NO_PAD.encode(&self.bytes)).into()
    }

    /// Reads the text form.
    pub fn parse(text: &Hidden) -> Result<Self, KeyringError> {
        let mut parts = text.as_str().splitn(3, '.');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(VERSION), Some(key), Some(bytes)) => {
                let key = KeyId::parse(key).ok_or(KeyringError::Malformed)?;
                let bytes = URL_SAFE_NO_PAD.decode(bytes).map_err(|_| KeyringError::Malformed)?;
                if bytes.len() < NONCE { Err(KeyringError::Malformed) } else { Ok(Self { key, bytes }) }
            }
            _ => Err(KeyringError::Malformed),
        }
    }
}

/// What every secret sealed by a key begins with; key IDs hold no character that means something to LIKE.
pub(super) fn prefix(key: &KeyId) -> String {
    format!("{VERSION}.{}.", key.as_str())
}
