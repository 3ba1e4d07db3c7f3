//! One statement as the SQL API takes it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use uuid::Uuid;

use super::config::Config;
use crate::{ConnectorError, ErrorKind, Result};

/// The longest query tag Snowflake takes, in characters.
const TAG: usize = 2_000;

/// A statement and the texts bound to its question marks, in order. A text that is to be of another type is cast by
/// the statement itself, so that every digit counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// The values.
    pub values: Vec<String>,
}

impl Statement {
    /// A statement without values.
    pub fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), values: Vec::new() }
    }
}

/// What a statement runs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// Nothing but the user: the user's own default role.
    User,
    /// The role and the warehouse of the connection.
    Whole,
}

/// A statement on its way: sent again with the same ID, it is run once.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Its ID.
    pub id: Uuid,
    /// The request's body.
    pub body: Bytes,
}

#[derive(Serialize)]
struct Body<'a> {
    statement: &'a str,
    timeout: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warehouse: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    bindings: BTreeMap<String, Binding<'a>>,
    parameters: Parameters<'a>,
}

#[derive(Serialize)]
struct Binding<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    value: &'a str,
}

/// Only these of the session's parameters are sent; the service takes a short list.
#[derive(Serialize)]
struct Parameters<'a> {
    timezone: &'static str,
    query_tag: &'a str,
    /// Whatever is set for the user or the account: 0 cuts no result.
    rows_per_resultset: u8,
}

impl Submission {
    /// Prepares a statement: times in UTC, a limit in seconds, and a tag by which the account's log knows who asked.
    ///
    /// # Errors
    /// `Config` when it cannot be written as JSON.
    pub fn new(
        statement: &Statement,
        config: &Config,
        session: Session,
        seconds: u64,
        tag: &str,
    ) -> Result<Self> {
        let tag = tag.char_indices().nth(TAG).map_or(tag, |(end, _)| &tag[..end]);
        let whole = |name| Some(name).filter(|_| session == Session::Whole);
        let values = statement.values.iter().enumerate();
        let body = Body {
            statement: &statement.sql,
            timeout: seconds,
            database: config.database.as_deref().and_then(whole),
            schema: config.schema.as_deref().and_then(whole),
            warehouse: whole(config.warehouse.as_str()),
            role: whole(config.role.as_str()),
            bindings: values
                .map(|(index, value)| ((index + 1).to_string(), Binding { kind: "TEXT", value }))
                .collect(),
            parameters: Parameters { timezone: "UTC", query_tag: tag, rows_per_resultset: 0 },
        };
        let body = serde_json::to_vec(&body).map_err(|error| {
            ConnectorError::new(ErrorKind::Config, "the statement cannot be sent").detail(error.to_string())
        })?;
        Ok(Self { id: Uuid::now_v7(), body: body.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snowflake::config::tests::right;

    #[test]
    fn a_statement_is_sent_with_what_it_runs_in() {
        let config: Config = serde_json::from_value(right()).expect("a configuration");
        let statement = Statement { sql: "SELECT ?".to_owned(), values: vec!["\"1\"".to_owned()] };
        let body = |session| {
            let made = Submission::new(&statement, &config, session, 60, "Weir/o/s").expect("a body");
            serde_json::from_slice::<serde_json::Value>(&made.body).expect("JSON")
        };
        let parameters =
            serde_json::json!({"timezone": "UTC", "query_tag": "Weir/o/s", "rows_per_resultset": 0});
        let bindings = serde_json::json!({"1": {"type": "TEXT", "value": "\"1\""}});
        let bare = serde_json::json!({
            "statement": "SELECT ?", "timeout": 60, "bindings": bindings, "parameters": parameters,
        });
        assert_eq!(body(Session::User), bare);
        let mut whole = bare;
        whole["role"] = "SYNC_ROLE".into();
        whole["warehouse"] = "SYNC_WH".into();
        assert_eq!(body(Session::Whole), whole);
    }
}
