//! Expected refusals with a code a client can act on.

use crate::error::Error;

/// What sort of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A value is missing.
    Required,
    /// There is no such object in this organization.
    NotFound,
    /// The name or ID is in use.
    Taken,
    /// Other objects depend on it.
    InUse,
    /// There is too much of it.
    LimitExceeded,
    /// A credential is needed.
    SecretRequired,
    /// Ingestion is switched off for the organization.
    IngestionDisabled,
    /// An idempotency key was used for another request.
    IdempotencyKeyParameterMismatch,
}

/// A refusal: its code, the input field it is about, and the sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What sort of refusal it is.
    pub code: Code,
    /// The path of the value in the input, dots between levels; empty for the whole input.
    pub field: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl Refusal {
    fn error(code: Code, field: &str, reason: impl Into<String>) -> Error {
        Error::Refused(Self { code, field: field.to_owned(), reason: reason.into() })
    }
}

/// A value is missing.
pub fn required(field: &str) -> Error {
    Refusal::error(Code::Required, field, "a value is needed here")
}

/// A value is missing, with what it would say.
pub fn missing(field: &str, reason: impl Into<String>) -> Error {
    Refusal::error(Code::Required, field, reason)
}

/// The object a field names does not exist in this organization.
pub fn not_found(field: &str, noun: &str) -> Error {
    Refusal::error(Code::NotFound, field, format!("there is no such {noun}"))
}

/// A name or ID is in use.
pub fn taken(field: &str, reason: impl Into<String>) -> Error {
    Refusal::error(Code::Taken, field, reason)
}

/// Other objects depend on it.
pub fn in_use(reason: impl Into<String>) -> Error {
    Refusal::error(Code::InUse, "", reason)
}

/// There is too much of something.
pub fn limit(field: &str, reason: impl Into<String>) -> Error {
    Refusal::error(Code::LimitExceeded, field, reason)
}

/// A credential must be given again.
pub fn secret_required(field: &str) -> Error {
    let reason = "the stored secret would go to another place, or there with less protection; give it again, so that it is not sent \
                  unseen";
    Refusal::error(Code::SecretRequired, field, reason)
}

/// Ingestion is switched off.
pub fn ingestion_disabled() -> Error {
    Refusal::error(Code::IngestionDisabled, "", "ingestion is switched off for this organization")
}

/// An idempotency key was used for another request.
pub fn key_mismatch() -> Error {
    Refusal::error(
        Code::IdempotencyKeyParameterMismatch,
        "idempotencyKey",
        "this key was used for another request; use a new one",
    )
}
