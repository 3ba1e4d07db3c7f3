//! What can go wrong outside, told for people and for the scheduler.

use std::time::Duration;

/// The closed list of what can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The configuration is wrong or not allowed.
    Config,
    /// The system refused the credential.
    Auth,
    /// The credential may not do this.
    Permission,
    /// A database, schema, table or column does not exist, or may not be seen.
    NotFound,
    /// The table is not what it was, or cannot be read as asked.
    Schema,
    /// The system asks us to slow down.
    RateLimited,
    /// The statement took longer than allowed.
    Timeout,
    /// The system cannot be reached or broke off.
    Unavailable,
    /// The system answered something this code does not understand.
    Protocol,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// A person must act first.
    Never,
    /// Later, by the caller's own backoff or after the time the system named.
    Later(Option<Duration>),
}

/// A failure of an outside system. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConnectorError {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    detail: Option<String>,
    after: Option<Duration>,
    incomplete: bool,
}

impl ConnectorError {
    /// Makes an error; the message is lower case, without a final stop, and names the object.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, detail: None, after: None, incomplete: false }
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the system's own words, with secrets already removed.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds the wait the system asked for.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.after = Some(wait);
        self
    }

    /// Notes that rows may be missing between those this read handed over already.
    #[must_use]
    pub fn incomplete(mut self) -> Self {
        self.incomplete = true;
        self
    }

    /// Tells whether rows may be missing between those the read handed over before it failed. Whoever keeps rows must
    /// then read again from where that read began, not from the last row.
    pub fn rows_may_be_missing(&self) -> bool {
        self.incomplete
    }

    /// Which sort of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What went wrong, as a sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn action(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The system's own words.
    pub fn system_text(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Whether trying again can help. The only place that decides.
    pub fn retry(&self) -> Retry {
        match self.kind {
            ErrorKind::RateLimited | ErrorKind::Timeout | ErrorKind::Unavailable => Retry::Later(self.after),
            ErrorKind::Config
            | ErrorKind::Auth
            | ErrorKind::Permission
            | ErrorKind::NotFound
            | ErrorKind::Schema
            | ErrorKind::Protocol => Retry::Never,
        }
    }
}
