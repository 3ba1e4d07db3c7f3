//! Errors of the workspace and of its statements, told for people and for the scheduler.
//!
//! Sources: `apierr` and `service/sql` of Databricks' SDK for Go; "Error classes" and SQLSTATEs of Databricks.

use reqwest::StatusCode;
use serde::Deserialize;

use super::grants;
use crate::http::{self, Answer};
use crate::{ConnectorError, ErrorKind, Result, TableRef};

/// The most of the system's words that is kept.
const WORDS: usize = 1_000;

/// An error's code: most are names, those of the gateway are HTTP's numbers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Code {
    Name(String),
    Number(i64),
}

/// The body of a refused request.
#[derive(Debug, Deserialize)]
struct Said {
    error_code: Option<Code>,
    #[serde(default)]
    message: Option<String>,
}

/// Why a statement failed.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Failed {
    /// The code, such as `BAD_REQUEST`.
    #[serde(default)]
    pub error_code: Option<String>,
    /// The words, which begin with the error's class and end with its SQLSTATE.
    #[serde(default)]
    pub message: Option<String>,
    /// The SQLSTATE, where it is told apart.
    #[serde(skip)]
    pub sql_state: Option<String>,
}

/// What a statement is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The table it reads.
    pub table: Option<&'a TableRef>,
    /// Who reads, as grants name them.
    pub principal: &'a str,
}

/// The error for an address that cannot be built.
pub fn address() -> ConnectorError {
    ConnectorError::new(ErrorKind::Config, "host: requests cannot be sent there")
}

/// The kind a code's name stands for.
fn named(code: &str) -> Option<ErrorKind> {
    Some(match code {
        "UNAUTHENTICATED" => ErrorKind::Auth,
        "PERMISSION_DENIED" => ErrorKind::Permission,
        "RESOURCE_EXHAUSTED" | "REQUEST_LIMIT_EXCEEDED" => ErrorKind::RateLimited,
        "ABORTED"
        | "CANCELLED"
        | "DEADLINE_EXCEEDED"
        | "INTERNAL_ERROR"
        | "IO_ERROR"
        | "SERVICE_UNDER_MAINTENANCE"
        | "TEMPORARILY_UNAVAILABLE"
        | "UNKNOWN"
        | "WORKSPACE_TEMPORARILY_UNAVAILABLE" => ErrorKind::Unavailable,
        _ if code.ends_with("NOT_FOUND") || code.ends_with("_DOES_NOT_EXIST") => ErrorKind::NotFound,
        _ => return None,
    })
}

/// Whether a request was refused for its token. The gateway answers a bad one with status 403 and that number as the
/// code; who lacks a right is answered with a name.
pub fn token_refused(answer: &Answer) -> bool {
    match answer.status {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::FORBIDDEN => {
            matches!(answer.json(), Ok(Said { error_code: Some(Code::Number(401 | 403)), .. }))
        }
        _ => false,
    }
}

/// The error for a request that was refused; `doing` is what was attempted, such as `list the catalogs`.
pub fn api(answer: &Answer, host: &str, doing: &str) -> ConnectorError {
    let status = answer.status;
    if status.is_redirection() {
        let message = format!("{host:?} answered with HTTP status {}, a redirect", status.as_u16());
        return ConnectorError::new(ErrorKind::Protocol, message).hint(
            "network access to the workspace may be blocked; check its private link and its access lists",
        );
    }
    let Ok(said) = answer.json::<Said>() else {
        return http::refused(host, status, &answer.headers, &answer.words());
    };
    let words = said.message.as_deref().unwrap_or_default();
    let by_name = match &said.error_code {
        Some(Code::Name(code)) => named(code),
        // The gateway knows the token only: it has not looked at rights yet.
        Some(Code::Number(401 | 403)) => Some(ErrorKind::Auth),
        _ => None,
    };
    let kind = by_name.unwrap_or(match status {
        StatusCode::UNAUTHORIZED => ErrorKind::Auth,
        StatusCode::FORBIDDEN => ErrorKind::Permission,
        StatusCode::NOT_FOUND => ErrorKind::NotFound,
        StatusCode::REQUEST_TIMEOUT => ErrorKind::Unavailable,
        StatusCode::TOO_MANY_REQUESTS => ErrorKind::RateLimited,
        _ if status.as_u16() >= 499 => ErrorKind::Unavailable,
        _ => ErrorKind::Protocol,
    });
    let message = match kind {
        ErrorKind::Auth => format!("{host:?} does not accept the token"),
        ErrorKind::Permission => format!("{host:?} does not let this user {doing}"),
        ErrorKind::NotFound => format!("{host:?} finds nothing to {doing}"),
        ErrorKind::RateLimited => format!("{host:?} asks for fewer requests"),
        ErrorKind::Unavailable => format!("{host:?} cannot {doing} at the moment"),
        _ => format!("{host:?} refused to {doing}"),
    };
    let error = ConnectorError::new(kind, message);
    let error = if words.is_empty() { error } else { error.detail(cut(words)) };
    let error = match kind {
        ErrorKind::Auth => {
            error.hint("the token may have ended or been revoked; make a new one and replace it")
        }
        ErrorKind::Permission if words.contains("IP ACL") => {
            error.hint("add Weir's addresses to the IP access list of the workspace")
        }
        _ => error,
    };
    match http::retry_after(&answer.headers) {
        Some(wait) if matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable) => error.after(wait),
        _ => error,
    }
}

impl Failed {
    /// Whether the result was too large to be sent inline. The code says no more than `BAD_REQUEST`.
    pub fn too_large(&self) -> bool {
        let words = self.message.as_deref().unwrap_or_default().to_ascii_lowercase();
        words.contains("byte limit exceeded") || words.contains("disposition=external_links")
    }

    /// The error's class and SQLSTATE.
    fn class(&self) -> (&str, &str) {
        let words = self.message.as_deref().unwrap_or_default();
        let class =
            words.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or("", |(class, _)| class);
        let state = self.sql_state.as_deref().unwrap_or_else(|| {
            words.rsplit_once("SQLSTATE: ").map_or("", |(_, rest)| rest.get(..5).unwrap_or_default())
        });
        (class.split('.').next().unwrap_or_default(), state)
    }

    fn kind(&self) -> ErrorKind {
        let (class, state) = self.class();
        match (class, state) {
            ("INSUFFICIENT_PERMISSIONS" | "PERMISSION_DENIED" | "UNAUTHORIZED_ACCESS", _) | (_, "42501") => {
                ErrorKind::Permission
            }
            ("TABLE_OR_VIEW_NOT_FOUND" | "SCHEMA_NOT_FOUND" | "CATALOG_NOT_FOUND", _)
            | ("NO_SUCH_CATALOG_EXCEPTION" | "DELTA_TABLE_NOT_FOUND", _)
            | (_, "42P01" | "42704") => ErrorKind::NotFound,
            ("QUERY_EXECUTION_TIMEOUT_EXCEEDED", _) | (_, "57014" | "HYT00") => ErrorKind::Timeout,
            ("UNRESOLVED_COLUMN" | "DATATYPE_MISMATCH", _) | (_, "42703" | "42K09") => ErrorKind::Schema,
            // Data exceptions: of a view, as our own statements only select and compare.
            (_, state) if state.starts_with("22") => ErrorKind::Schema,
            _ => self.error_code.as_deref().and_then(named).unwrap_or(ErrorKind::Protocol),
        }
    }

    /// Tells it.
    pub fn explain(&self, subject: Subject<'_>) -> ConnectorError {
        let kind = self.kind();
        let words = self.message.as_deref().unwrap_or_default();
        let object =
            subject.table.map_or_else(|| "what was asked for".to_owned(), |table| format!("table {table}"));
        let (message, hint) = match kind {
            ErrorKind::Permission => {
                let grants = grants::missing(words, subject);
                (format!("the user may not read {object}"), Some(format!("an owner can run: {grants}")))
            }
            ErrorKind::NotFound => (
                subject.table.map_or_else(
                    || "the statement names something that is not there".to_owned(),
                    |table| format!("there is no table or view {table}"),
                ),
                Some(
                    "it may have been renamed or dropped, or the user may not see it; names are exact"
                        .to_owned(),
                ),
            ),
            ErrorKind::Schema => (
                format!("{object} can no longer be read as asked"),
                Some("it may have been changed; open the stream and choose its columns again".to_owned()),
            ),
            ErrorKind::RateLimited => (format!("the warehouse is too busy to read {object}"), None),
            ErrorKind::Timeout => (
                format!("the warehouse stopped reading {object}, as it took too long"),
                Some("raise STATEMENT_TIMEOUT of the warehouse, or read less at once".to_owned()),
            ),
            ErrorKind::Unavailable => (format!("the warehouse failed while it read {object}"), None),
            _ => (format!("the warehouse refused to read {object}"), None),
        };
        let error = ConnectorError::new(kind, message);
        let error = if words.is_empty() { error } else { error.detail(cut(words)) };
        hint.map_or(error.clone(), |hint| error.hint(hint))
    }
}

fn cut(words: &str) -> String {
    words.chars().take(WORDS).collect()
}

/// Turns a missing object of the REST interface into one with that message.
pub fn missing<T>(result: Result<T>, message: impl FnOnce() -> String, hint: &str) -> Result<T> {
    result.map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let told = ConnectorError::new(ErrorKind::NotFound, message()).hint(hint);
            error.system_text().map_or(told.clone(), |words| told.detail(words))
        }
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: &str, message: &str) -> Failed {
        Failed { error_code: Some(code.to_owned()), message: Some(message.to_owned()), sql_state: None }
    }

    #[test]
    fn a_statements_class_and_state_decide() {
        for (code, message, kind) in [
            (
                "BAD_REQUEST",
                "[TABLE_OR_VIEW_NOT_FOUND] The table or view `a` cannot be found. SQLSTATE: 42P01",
                ErrorKind::NotFound,
            ),
            (
                "BAD_REQUEST",
                "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column `x`. SQLSTATE: 42703",
                ErrorKind::Schema,
            ),
            (
                "BAD_REQUEST",
                "[INSUFFICIENT_PERMISSIONS] Insufficient privileges. SQLSTATE: 42501",
                ErrorKind::Permission,
            ),
            (
                "BAD_REQUEST",
                "[PARSE_SYNTAX_ERROR] Syntax error at or near 'x'. SQLSTATE: 42601",
                ErrorKind::Protocol,
            ),
            ("BAD_REQUEST", "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012", ErrorKind::Schema),
            ("RESOURCE_EXHAUSTED", "Too many", ErrorKind::RateLimited),
            ("SERVICE_UNDER_MAINTENANCE", "", ErrorKind::Unavailable),
            ("IO_ERROR", "disk", ErrorKind::Unavailable),
            ("NEW_CODE", "something", ErrorKind::Protocol),
        ] {
            let error = failed(code, message).explain(Subject { table: None, principal: "`p`" });
            assert_eq!(error.kind(), kind, "{message}");
        }
    }

    #[test]
    fn a_result_too_large_for_inline_is_told_from_other_bad_requests() {
        let words = "Inline byte limit exceeded. Statements executed with disposition=INLINE can have a result size of at most 26214400 bytes. Please execute the statement with disposition=EXTERNAL_LINKS if you want to download the full result.";
        assert!(failed("BAD_REQUEST", words).too_large());
        assert!(!failed("BAD_REQUEST", "[PARSE_SYNTAX_ERROR] x SQLSTATE: 42601").too_large());
    }
}
