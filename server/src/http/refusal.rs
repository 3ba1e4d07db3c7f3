//! Refusals: every one a status, a code and a sentence in the shape of a GraphQL error.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use serde_json::json;

use super::media::Media;
use crate::auth::AuthError;
use crate::error::Error;
use crate::graphql::error::INTERNAL;

/// What a client may tell refusals apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The request is not of the right form.
    BadUserInput,
    /// Nobody is signed in, or with something wrong.
    Unauthenticated,
    /// The viewer may not do this.
    Forbidden,
    /// There is no such path.
    NotFound,
    /// The request may have been made by another site in the viewer's name.
    CsrfBlocked,
    /// The method is not for this path, or not for this operation.
    MethodNotAllowed,
    /// No answer in a form the client takes.
    NotAcceptable,
    /// The body is in a form the server does not take.
    UnsupportedMediaType,
    /// The body is too long.
    PayloadTooLarge,
    /// The URL is too long.
    UriTooLong,
    /// The headers are too long.
    HeadersTooLarge,
    /// The document cannot be parsed.
    GraphqlParseFailed,
    /// The document or its variables do not fit the schema.
    GraphqlValidationFailed,
    /// The document is nested too deep.
    QueryTooDeep,
    /// The document asks for too much.
    QueryTooCostly,
    /// Too many requests.
    Throttled,
    /// It took too long.
    Timeout,
    /// Not at this moment.
    ServiceUnavailable,
    /// A fault of ours.
    Internal,
}

impl Code {
    /// The code as clients see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::CsrfBlocked => "CSRF_BLOCKED",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            Self::UriTooLong => "URI_TOO_LONG",
            Self::HeadersTooLarge => "HEADERS_TOO_LARGE",
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::QueryTooDeep => "QUERY_TOO_DEEP",
            Self::QueryTooCostly => "QUERY_TOO_COSTLY",
            Self::Throttled => "THROTTLED",
            Self::Timeout => "TIMEOUT",
            Self::ServiceUnavailable => "SERVICE_UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::BadUserInput
            | Self::GraphqlParseFailed
            | Self::GraphqlValidationFailed
            | Self::QueryTooDeep
            | Self::QueryTooCostly => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::CsrfBlocked => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Throttled => StatusCode::TOO_MANY_REQUESTS,
            Self::Timeout | Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A request that is not carried out.
#[derive(Debug)]
pub struct Refusal {
    code: Code,
    message: Cow<'static, str>,
    field: Option<&'static str>,
    header: Option<(HeaderName, &'static str)>,
    wait: Option<Duration>,
    cause: Option<Box<Error>>,
}

/// The result of what a request goes through.
pub type Outcome<T> = std::result::Result<T, Refusal>;

impl Refusal {
    /// Refuses with a code and a sentence that says what would be right.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), field: None, header: None, wait: None, cause: None }
    }

    /// Refuses for a fault of ours, which only the log tells.
    pub fn internal(cause: Error) -> Self {
        Self { cause: Some(Box::new(cause)), ..Self::new(Code::Internal, INTERNAL) }
    }

    /// Refuses those who are not signed in.
    pub fn unauthenticated(message: &'static str, challenge: &'static str) -> Self {
        Self::new(Code::Unauthenticated, message).with_header(header::WWW_AUTHENTICATE, challenge)
    }

    /// Refuses a method, naming those that are right.
    pub fn method(message: &'static str, allow: &'static str) -> Self {
        Self::new(Code::MethodNotAllowed, message).with_header(header::ALLOW, allow)
    }

    /// Refuses until some time has passed.
    pub fn throttled(wait: Duration, message: impl Into<Cow<'static, str>>) -> Self {
        Self { wait: Some(wait), ..Self::new(Code::Throttled, message) }
    }

    /// Says how long to wait before trying again.
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { wait: Some(wait), ..self }
    }

    /// The code clients see.
    #[cfg(test)]
    pub fn code(&self) -> Code {
        self.code
    }

    fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    /// Makes the answer, and logs a fault of ours.
    pub fn answer(self, media: Media, request_id: &str) -> HttpResponse {
        if let Some(cause) = &self.cause {
            tracing::error!(request.id = request_id, error = %cause, "a request failed");
        }
        let mut extensions = json!({ "code": self.code.as_str(), "requestId": request_id });
        if let Some(field) = self.field {
            extensions["field"] = field.into();
        }
        let mut answer = HttpResponse::build(self.code.status());
        if let Some(wait) = self.wait {
            let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
            extensions["retryAfterMs"] = millis.into();
            answer.insert_header((header::RETRY_AFTER, millis.div_ceil(1000)));
        }
        if let Some(header) = self.header {
            answer.insert_header(header);
        }
        let body = json!({ "errors": [{ "message": self.message, "extensions": extensions }] });
        answer.content_type(media.content_type()).body(body.to_string())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::internal(error)
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        let message = error.to_string();
        match error {
            AuthError::WrongCredentials => Self::new(Code::Unauthenticated, message),
            AuthError::WrongSetupToken | AuthError::AlreadySetUp => Self::new(Code::Forbidden, message),
            AuthError::Throttled(wait) => Self::throttled(wait, message),
            AuthError::Busy => {
                Self::new(Code::ServiceUnavailable, message).retry_after(Duration::from_secs(5))
            }
            AuthError::Invalid { field, reason } => {
                Self { field: Some(field), ..Self::new(Code::BadUserInput, reason) }
            }
            AuthError::Internal(cause) => Self::internal(cause),
        }
    }
}
