//! What a source signs in with, as one sealed text that is the kind's own business.

use entity::{Hidden, OrganizationId, SourceId};
use secrecy::SecretString;

use super::keyring::{Keyring, KeyringError};
use super::sealed::Owner;

/// Seals a source's credential.
///
/// # Errors
/// When the system gives no random bytes.
pub fn seal(
    ring: &Keyring,
    organization: OrganizationId,
    source: SourceId,
    credential: &SecretString,
) -> Result<Hidden, KeyringError> {
    ring.seal(&Owner::credential(organization, source), credential)
}

/// Opens a source's credential as the text its connector takes.
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

    use super::*;

    #[test]
    fn a_credential_opens_for_its_source_only() {
        let ring = Keyring::generate().unwrap();
        let (organization, source) = (OrganizationId::new(), SourceId::new());
        let credential = SecretString::from("s3cret \"quoted\" \u{e9}");
        let sealed = seal(&ring, organization, source, &credential).unwrap();
        let opened = open(&ring, organization, source, &sealed).unwrap();
        assert_eq!(opened.expose_secret(), credential.expose_secret());
        assert!(open(&ring, organization, SourceId::new(), &sealed).is_err());
        assert!(open(&ring, OrganizationId::new(), source, &sealed).is_err());
    }
}
