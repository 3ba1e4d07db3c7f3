//! Answers that refuse, by the status they have.

use serde_json::{Value as Json, json};

/// A refusal that is no statement's: `{"code", "message"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Snowflake's code.
    pub code: String,
    /// Its message.
    pub message: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    /// 400: a malformed call. The documents give no numbers for these; this one is ours.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "391900", message)
    }

    /// 404: no such handle, or another user's. The number is ours.
    pub fn unknown(handle: &str) -> Self {
        Self::new(404, "391905", format!("Statement {handle} not found."))
    }

    /// The body.
    pub fn body(&self) -> Json {
        json!({"code": self.code, "message": self.message})
    }
}
