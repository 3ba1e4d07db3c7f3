//! Care of keys and credentials. Clear text exists only between opening a secret and handing it to a connector.

pub mod credential;
pub mod key_pair;
mod keyring;
mod resealing;
mod ring_file;
mod sealed;
mod start;

pub use key_pair::KeyPair;
pub use keyring::{KeyId, Keyring, KeyringError};
pub use resealing::{Resealed, reseal};
pub use ring_file::{load, save};
pub use sealed::{Field, Owner};
pub use start::{may_seal, start, verify};
