//! What a source signs in with, as one sealed JSON text whose fields are the kind's own.

use entity::{Hidden, OrganizationId, SourceId};
use secrecy::SecretString;
use serde::Serialize;
use zeroize::Zeroizing;

use super::keyring::{Keyring, KeyringError};
use super::sealed::Owner;

/// Room for any credential, so that writing it leaves no copies behind.
const ROOM: usize = 16 * 1024;

/// Seals a source's credential.
///
/// # Errors
/// When it cannot be written as JSON or the system gives no random bytes.
pub fn seal(
    ring: &Keyring,
    organization: OrganizationId,
    source: SourceId,
    credential: &impl Serialize,
) -> Result<Hidden, KeyringError> {
    let mut text = Zeroizing::new(Vec::with_capacity(ROOM));
    serde_json::to_writer(&mut *text, credential).map_err(|_| KeyringError::Malformed)?;
    let text = std::str::from_utf8(&text).map_err(|_| KeyringError::Malformed)?;
    ring.seal(&Owner::credential(organization, source), &SecretString::from(text))
}

/// Opens a source's credential as the JSON text a connector takes.
///
/// # Errors
/// When the key is missing, or the text was sealed for another source or changed.
pub fn open(
    ring: &Keyring,
    organization: OrganizationId,
    source: SourceId,
    sealed: &Hidden,
) -> Result<SecretString, KeyringError> {
    ring.open(&Owner::credential(organization, source), sealed)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_credential_opens_for_its_source_only() {
        let ring = Keyring::generate().unwrap();
        let (organization, source) = (OrganizationId::new(), SourceId::new());
        let credential = json!({ "password": "s3cret \"quoted\" \u{e9}" });
        let sealed = seal(&ring, organization, source, &credential).unwrap();
        let opened = open(&ring, organization, source, &sealed).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(opened.expose_secret()).unwrap(), credential);
        assert!(open(&ring, organization, SourceId::new(), &sealed).is_err());
        assert!(open(&ring, OrganizationId::new(), source, &sealed).is_err());
    }
}
