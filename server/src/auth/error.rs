//! Why somebody is not let in.

use std::time::Duration;

use crate::error::Error;

/// The result of signing in and of what belongs to it.
pub type AuthResult<T> = std::result::Result<T, AuthError>;

/// Why somebody is not let in. The same text for every cause that would tell a stranger who has an account.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The email or the password is wrong, the user is unknown, disabled or in no organization.
    #[error("the email or the password is wrong")]
    WrongCredentials,
    /// The set-up token is wrong, used or too old.
    #[error("the set-up token is wrong or has expired; restart the server for a new one")]
    WrongSetupToken,
    /// The first account exists.
    #[error("this server is set up already; sign in instead")]
    AlreadySetUp,
    /// Too many attempts.
    #[error("too many attempts; try again in {} s", .0.as_secs().max(1))]
    Throttled(Duration),
    /// Too many people sign in at this moment.
    #[error("the server is busy; try again in a moment")]
    Busy,
    /// A value given is not acceptable.
    #[error("{field}: {reason}")]
    Invalid {
        /// The name of the value.
        field: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// A fault of ours. Never shown to callers.
    #[error(transparent)]
    Internal(#[from] Error),
}

impl AuthError {
    /// Refuses a value.
    pub fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { field, reason: reason.into() }
    }
}

impl From<sea_orm::DbErr> for AuthError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Internal(Error::from(error))
    }
}
