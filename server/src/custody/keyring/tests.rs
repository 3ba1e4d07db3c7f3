//! What the ring gives out, and to whom.

use entity::{Hidden, KeyPairId, OrganizationId, SourceId};
use secrecy::{ExposeSecret, SecretString};

use super::{Keyring, KeyringError};
use crate::custody::Owner;

const SECRET: &str = "correct horse battery staple";

fn secret() -> SecretString {
    SECRET.into()
}

#[test]
fn a_sealed_secret_opens_for_its_owner_only() {
    let ring = Keyring::generate().unwrap();
    let (organization, source, pair) = (OrganizationId::new(), SourceId::new(), KeyPairId::new());
    let owners = [
        Owner::credential(organization, source),
        Owner::credential(OrganizationId::new(), source),
        Owner::credential(organization, SourceId::new()),
        Owner::private_key(organization, source, pair),
        Owner::private_key(organization, source, KeyPairId::new()),
        Owner::private_key(organization, SourceId::new(), pair),
    ];
    for owner in &owners {
        let sealed = ring.seal(owner, &secret()).unwrap();
        assert!(!sealed.as_str().contains(SECRET));
        for other in &owners {
            match ring.open(other, &sealed) {
                Ok(opened) => assert!(owner == other && opened.expose_secret() == SECRET),
                Err(error) => assert!(owner != other && error == KeyringError::Refused),
            }
        }
    }
}

#[test]
fn changed_text_is_refused() {
    let ring = Keyring::generate().unwrap();
    let owner = Owner::credential(OrganizationId::new(), SourceId::new());
    let sealed = ring.seal(&owner, &secret()).unwrap();
    assert_ne!(ring.seal(&owner, &secret()).unwrap(), sealed, "a nonce was used twice");
    let text = sealed.as_str();
    let start = text.rfind('.').unwrap() + 1;
    for at in start..text.len() - 1 {
        let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
        let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        assert_eq!(ring.open(&owner, &Hidden::from(changed)).unwrap_err(), KeyringError::Refused);
    }
    let id = ring.primary().as_str();
    for text in [
        "",
        "v1",
        "v1..",
        &format!("v1.{id}."),
        &format!("v1.{id}.AAAA"),
        &format!("v2.{id}.{}", &text[start..]),
    ] {
        assert_eq!(ring.open(&owner, &Hidden::from(text)).unwrap_err(), KeyringError::Malformed, "{text}");
    }
}

#[test]
fn older_keys_open_and_missing_ones_are_named() {
    let first = Keyring::generate().unwrap();
    let owner = Owner::credential(OrganizationId::new(), SourceId::new());
    let sealed = first.seal(&owner, &secret()).unwrap();
    let second = first.rotated().unwrap();
    assert_ne!(first.primary(), second.primary());
    assert_eq!(second.open(&owner, &sealed).unwrap().expose_secret(), SECRET);
    let resealed = second.seal(&owner, &secret()).unwrap();
    assert!(resealed.as_str().starts_with(&format!("v1.{}.", second.primary())));
    assert_eq!(
        first.open(&owner, &resealed).unwrap_err(),
        KeyringError::MissingKey(second.primary().clone())
    );
    let third = second.without_older_keys();
    assert_eq!(third.open(&owner, &sealed).unwrap_err(), KeyringError::MissingKey(first.primary().clone()));
    assert_eq!(third.open(&owner, &resealed).unwrap().expose_secret(), SECRET);
}

#[test]
fn a_key_of_the_same_name_does_not_open() {
    let (one, two) = (Keyring::generate().unwrap(), Keyring::generate().unwrap());
    let swapped = two.text().expose_secret().replace(two.primary().as_str(), one.primary().as_str());
    let swapped = Keyring::parse(&swapped.into()).unwrap();
    let owner = Owner::credential(OrganizationId::new(), SourceId::new());
    let sealed = one.seal(&owner, &secret()).unwrap();
    assert_eq!(swapped.open(&owner, &sealed).unwrap_err(), KeyringError::Refused);
}

#[test]
fn the_text_form_keeps_the_ring() {
    let ring = Keyring::generate().unwrap().rotated().unwrap().rotated().unwrap();
    let text = ring.text();
    let again = Keyring::parse(&text).unwrap();
    assert_eq!(again.primary(), ring.primary());
    assert_eq!(again.text().expose_secret(), text.expose_secret());
    let one_line = format!("# note\n {}# end", text.expose_secret().replace('\n', " "));
    assert_eq!(Keyring::parse(&one_line.into()).unwrap().text().expose_secret(), text.expose_secret());
}

#[test]
fn a_bad_ring_is_refused_without_repeating_it() {
    let key = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0ISE=";
    for text in [
        "",
        "# nothing",
        key,
        &format!("UPPER:{key}"),
        &format!("a_b:{key}"),
        "a:c2VjcmV0",
        &format!("a:{key} a:{key}"),
    ] {
        let error = Keyring::parse(&text.to_owned().into()).unwrap_err().to_string();
        assert!(!error.contains("c2VjcmV0"), "{error}");
    }
    assert!(Keyring::parse(&format!("a:{key}").into()).is_ok());
}

#[test]
fn debug_tells_names_only() {
    let ring = Keyring::generate().unwrap();
    let text = ring.text();
    let key = text.expose_secret().trim().split_once(':').unwrap().1;
    let owner = Owner::credential(OrganizationId::new(), SourceId::new());
    let sealed = ring.seal(&owner, &secret()).unwrap();
    let shown = format!("{ring:?} {text:?} {sealed:?} {:?}", ring.open(&owner, &sealed));
    assert!(shown.contains(ring.primary().as_str()));
    assert!(!shown.contains(key) && !shown.contains(SECRET) && !shown.contains(sealed.as_str()));
}

#[test]
fn the_settings_read_the_text_form_as_it_is() {
    let text = Keyring::generate().unwrap().rotated().unwrap().text();
    let one_line = text.expose_secret().trim().replace('\n', " ");
    let value: figment::value::Value = one_line.parse().unwrap();
    assert_eq!(value.as_str(), Some(one_line.as_str()));
}

#[test]
fn a_hash_needs_the_ring_and_tells_parts_and_purposes_apart() {
    let ring = Keyring::generate().unwrap();
    let hash = ring.hashes("request", &["a", "bc"]);
    assert_eq!(hash, ring.hashes("request", &["a", "bc"]));
    for other in [
        ring.hashes("request", &["ab", "c"]),
        ring.hashes("other", &["a", "bc"]),
        Keyring::generate().unwrap().hashes("request", &["a", "bc"]),
    ] {
        assert_ne!(hash, other);
    }
    let rotated = ring.rotated().unwrap().hashes("request", &["a", "bc"]);
    assert_eq!((rotated.len(), &rotated[1]), (2, &hash[0]), "the older key's comes after");
}
