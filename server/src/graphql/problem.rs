//! Why an outside system could not be read, as clients see it.

use std::future::Future;
use std::time::Duration;

use async_graphql::{Enum, SimpleObject};
use connector::{Check, ConnectorError, ErrorKind, patience};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How long a request waits for an outside system.
const PATIENCE: Duration = Duration::from_secs(8);

/// What sort of trouble an outside system gave. Runs write it in their own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
pub enum ConnectorProblemKind {
    /// The connection details are wrong.
    #[serde(alias = "config")]
    Config,
    /// The credential was refused.
    #[serde(alias = "auth")]
    Auth,
    /// The credential may not do this.
    #[serde(alias = "permission")]
    Permission,
    /// The database, table or column is not there, or not visible.
    #[serde(alias = "not_found")]
    NotFound,
    /// The table is not what it was, or cannot be read as asked.
    #[serde(alias = "schema")]
    Schema,
    /// The system asked to slow down.
    #[serde(alias = "rate_limited")]
    RateLimited,
    /// The statement took longer than allowed.
    #[serde(alias = "timeout")]
    Timeout,
    /// The system could not be reached or broke off.
    #[serde(alias = "unavailable")]
    Unavailable,
    /// The system answered something Weir does not understand.
    #[serde(alias = "protocol")]
    Protocol,
}

impl From<ErrorKind> for ConnectorProblemKind {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Config => Self::Config,
            ErrorKind::Auth => Self::Auth,
            ErrorKind::Permission => Self::Permission,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Schema => Self::Schema,
            ErrorKind::RateLimited => Self::RateLimited,
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::Unavailable => Self::Unavailable,
            ErrorKind::Protocol => Self::Protocol,
        }
    }
}

/// Why the outside system could not be read.
#[derive(Clone, Debug, SimpleObject, Serialize, Deserialize)]
pub struct ConnectorProblem {
    /// What sort of trouble it is.
    kind: ConnectorProblemKind,
    /// What happened, for a person.
    message: String,
    /// What to do about it.
    action: Option<String>,
    /// What the outside system said, with secrets removed.
    detail: Option<String>,
}

impl ConnectorProblem {
    /// Reads what a run wrote of its source; none when it is of an older form.
    pub fn stored(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl From<&ConnectorError> for ConnectorProblem {
    fn from(error: &ConnectorError) -> Self {
        Self {
            kind: error.kind().into(),
            message: error.message().to_owned(),
            action: error.action().map(str::to_owned),
            detail: error.system_text().map(str::to_owned),
        }
    }
}

/// Tries a connection step by step, but not longer than a request may take: the steps tell how far it came.
pub async fn stepwise(check: impl Future<Output = Check>) -> Check {
    patience::within(PATIENCE, check).await
}

/// Asks an outside system several things after one another, all of them together not longer than a request may take.
pub async fn altogether<T>(answers: impl Future<Output = T>) -> T {
    patience::within(PATIENCE, answers).await
}

/// Waits for an outside system, but not longer than a request may take.
///
/// # Errors
/// What the system did, or that it took too long.
pub async fn patiently<T>(answer: impl Future<Output = connector::Result<T>>) -> Result<T> {
    let patience = patience::left().map_or(PATIENCE, |left| left.min(PATIENCE));
    match tokio::time::timeout(patience, patience::within(patience, answer)).await {
        Ok(answer) => Ok(answer?),
        Err(_) => {
            let message = format!("the source did not answer within {} s", PATIENCE.as_secs());
            Err(ConnectorError::new(ErrorKind::Timeout, message)
                .hint("it may be waking up; try again in a moment")
                .into())
        }
    }
}

/// Sorts an answer into what was read, what the source did, and other errors.
///
/// # Errors
/// Everything but what the source did.
pub fn sorted<T>(answer: Result<T>) -> Result<std::result::Result<T, ConnectorProblem>> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(Error::Connector(error)) => Ok(Err(ConnectorProblem::from(&error))),
        Err(other) => Err(other),
    }
}
