//! Which error type to use where.
//!
//! - [`StartError`]: the process cannot start; printed once, for the operator.
//! - [`Error`]: everything the domain, the engine and the jobs return. `Invalid`, `NotFound`, `Conflict` and
//!   `Forbidden` are answers for the caller; `Internal` is a fault of ours, shown only in the log.
//! - `connector::ConnectorError`: what an outside system did. It stays itself until the boundary that shows it.

use std::fmt;

/// Why the process cannot start.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

impl StartError {
    /// Makes an error from a sentence that names what is wrong and what to do.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// The result of domain and engine functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing in this organization.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A value given is not acceptable.
    #[error("{field}: {reason}")]
    Invalid {
        /// The path of the value in the input, dots between levels.
        field: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// An expected refusal with a code of its own.
    #[error("{}", .0.reason)]
    Refused(crate::domain::refusal::Refusal),
    /// The change collides with what is stored.
    #[error("{0}")]
    Conflict(String),
    /// The object was changed by someone else since it was read.
    #[error("{0} was changed in the meantime; load it again")]
    Stale(&'static str),
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// An outside system refused or failed.
    #[error(transparent)]
    Connector(#[from] connector::ConnectorError),
    /// The lease of a run or job was lost to another worker; what was being done is undone.
    #[error("the lease was lost to another worker")]
    LeaseLost,
    /// A fault of ours. Never shown to callers.
    #[error("internal: {0}")]
    Internal(String),
}

impl Error {
    /// Refuses a value.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }

    /// Reports a fault of ours with what was being attempted.
    pub fn internal(attempt: &str, cause: impl fmt::Display) -> Self {
        Self::Internal(format!("{attempt}: {cause}"))
    }

    /// Tells whether the same attempt may succeed later without anyone acting.
    pub fn transient(&self) -> bool {
        match self {
            Self::Connector(error) => matches!(error.retry(), connector::Retry::Later(_)),
            Self::Internal(_) => true,
            _ => false,
        }
    }
}

impl From<sea_orm::DbErr> for Error {
    fn from(error: sea_orm::DbErr) -> Self {
        match error.sql_err() {
            Some(sea_orm::SqlErr::UniqueConstraintViolation(_)) => {
                Self::Conflict("something with the same name or ID exists already".to_owned())
            }
            Some(sea_orm::SqlErr::ForeignKeyConstraintViolation(_)) => {
                Self::Conflict("it refers to something that does not exist, or is still in use".to_owned())
            }
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Internal(error.to_string())
    }
}
