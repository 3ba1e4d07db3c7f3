//! What a client may see of an error: refusals as data, the rest as a code, and nothing internal ever.

use std::sync::Arc;

use async_graphql::{Enum, ErrorExtensions, SimpleObject};
use connector::ConnectorError;

use crate::domain::refusal::Code;
use crate::error::Error;

/// The result of a resolver.
pub type Result<T> = std::result::Result<T, Fault>;

/// An error on its way to `errors`. It is no `Display`, so that `?` cannot turn any other error into an answer.
#[derive(Debug)]
pub struct Fault(Error);

impl<E: Into<Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl Fault {
    /// Refuses a request without a viewer.
    pub fn unauthenticated() -> async_graphql::Error {
        async_graphql::Error::new("sign in first, or send a token")
            .extend_with(|_, extensions| extensions.set("code", "UNAUTHENTICATED"))
    }

    /// Tells whether an error says that the viewer may not.
    pub fn forbidden(error: &async_graphql::Error) -> bool {
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
        code == Some(&async_graphql::Value::from("FORBIDDEN"))
    }

    /// Copies an error that several fields wait for.
    pub fn shared(error: &Arc<Error>) -> async_graphql::Error {
        let mut shown = show(error);
        if code_of(error) == "INTERNAL" {
            shown.source = Some(Arc::clone(error) as _);
        }
        shown
    }
}

fn code_of(error: &Error) -> &'static str {
    match error {
        Error::NotFound(_) => "NOT_FOUND",
        Error::Forbidden(_) => "FORBIDDEN",
        Error::Invalid { .. } | Error::Refused(_) => "BAD_USER_INPUT",
        Error::Conflict(_) | Error::Stale(_) => "CONFLICT",
        Error::Connector(_) => "SOURCE_FAILED",
        Error::LeaseLost | Error::Internal(_) => "INTERNAL",
    }
}

/// What a client reads when the fault is ours. The log has the rest under the same request ID.
pub const INTERNAL: &str = "something went wrong here; the request ID helps to find it in the log";

/// What an outside system did, and what to do about it, in one sentence.
pub fn advised(error: &ConnectorError) -> String {
    let action = error.action().map(|action| format!("; {action}")).unwrap_or_default();
    format!("{}{action}", error.message())
}

fn show(error: &Error) -> async_graphql::Error {
    let message = match error {
        Error::LeaseLost | Error::Internal(_) => INTERNAL.to_owned(),
        Error::Connector(error) => error.message().to_owned(),
        told => told.to_string(),
    };
    async_graphql::Error::new(message).extend_with(|_, extensions| extensions.set("code", code_of(error)))
}

impl From<Fault> for async_graphql::Error {
    /// An internal cause travels along unseen: the limits extension logs it, once, with the request ID.
    fn from(fault: Fault) -> Self {
        Fault::shared(&Arc::new(fault.0))
    }
}

/// What sort of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UserErrorCode {
    /// A value is missing.
    Required,
    /// A value is wrong.
    Invalid,
    /// There is no such object here.
    NotFound,
    /// The name or ID is in use.
    Taken,
    /// Other objects depend on it.
    InUse,
    /// It was changed in between; read it again.
    StaleObject,
    /// It does not fit the present state.
    Conflict,
    /// There is too much of it.
    LimitExceeded,
    /// The viewer may not grant or change this.
    NotPermitted,
    /// A credential is needed.
    SecretRequired,
    /// The outside system refused.
    SourceFailed,
    /// Ingestion is switched off for the organization.
    IngestionDisabled,
    /// The key was used for another request.
    IdempotencyKeyParameterMismatch,
}

/// A refusal the client can show or act on.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// What sort of refusal.
    pub code: UserErrorCode,
    /// The path into the input.
    pub field: Option<Vec<String>>,
    /// The refusal in words.
    pub message: String,
}

impl UserError {
    fn new(code: UserErrorCode, field: &str, message: impl Into<String>) -> Self {
        let path = field.split('.').filter(|part| !part.is_empty()).map(str::to_owned);
        let field: Vec<String> = std::iter::once("input".to_owned()).chain(path).collect();
        Self { code, field: (field.len() > 1).then_some(field), message: message.into() }
    }
}

/// What a mutation came to: its result, or why it was refused.
pub type Outcome<T> = std::result::Result<T, Vec<UserError>>;

/// Sorts the end of a mutation into a result, a refusal, or a fault.
pub fn outcome<T>(result: crate::error::Result<T>) -> Result<Outcome<T>> {
    let error = match result {
        Ok(value) => return Ok(Ok(value)),
        Err(error) => error,
    };
    use UserErrorCode as C;
    let refusal = match error {
        Error::Refused(refusal) => UserError::new(code(refusal.code), &refusal.field, refusal.reason),
        Error::Invalid { field, reason } => UserError::new(C::Invalid, &field, reason),
        Error::NotFound(noun) => UserError::new(C::NotFound, "", format!("there is no such {noun}")),
        Error::Stale(_) => UserError::new(C::StaleObject, "expectedVersion", error.to_string()),
        Error::Conflict(text) => UserError::new(C::Conflict, "", text),
        Error::Forbidden(text) => UserError::new(C::NotPermitted, "", text),
        Error::Connector(error) => UserError::new(C::SourceFailed, "", advised(&error)),
        Error::LeaseLost | Error::Internal(_) => return Err(Fault(error)),
    };
    Ok(Err(vec![refusal]))
}

fn code(code: Code) -> UserErrorCode {
    match code {
        Code::Required => UserErrorCode::Required,
        Code::NotFound => UserErrorCode::NotFound,
        Code::Taken => UserErrorCode::Taken,
        Code::InUse => UserErrorCode::InUse,
        Code::LimitExceeded => UserErrorCode::LimitExceeded,
        Code::SecretRequired => UserErrorCode::SecretRequired,
        Code::IngestionDisabled => UserErrorCode::IngestionDisabled,
        Code::IdempotencyKeyParameterMismatch => UserErrorCode::IdempotencyKeyParameterMismatch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_internal_leaks() {
        let shown = async_graphql::Error::from(Fault::from(Error::internal("reading", "table secrets")));
        assert_eq!(shown.message, INTERNAL);
        assert!(outcome::<()>(Err(Error::internal("reading", "table secrets"))).is_err());
    }

    #[test]
    fn a_refusal_names_its_field_from_the_input_on() {
        let refused = outcome::<()>(Err(Error::invalid("mapping.2.column", "no such column")));
        let errors = refused.expect("a refusal is data").expect_err("it was refused");
        let path = errors[0].field.clone().expect("a path");
        assert_eq!(path, ["input", "mapping", "2", "column"]);
        assert_eq!(errors[0].code, UserErrorCode::Invalid);
    }
}
