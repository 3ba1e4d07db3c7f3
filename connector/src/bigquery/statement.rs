//! One statement, the values bound to it, and what else BigQuery is told of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::config::Config;
use crate::RunTag;

/// How long the first answer may take, in milliseconds. Short, because a statement can only be cancelled once its
/// job is known.
const FIRST_WAIT: u64 = 3_000;
/// The longest a label may be, in characters.
const LABEL: usize = 63;

/// A value of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name, without `@`.
    pub name: String,
    /// The type's name.
    pub kind: &'static str,
    /// The value's text.
    pub value: String,
}

/// One statement with the values bound to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// The values.
    pub parameters: Vec<Parameter>,
    /// Where the tables it reads are, as far as known.
    pub location: Option<String>,
}

impl Statement {
    /// A statement without values that reads no table.
    pub fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), ..Self::default() }
    }

    /// The body of `jobs.query`, but for the request ID.
    pub fn body(&self, config: &Config, tag: &RunTag, rows: usize, patience: Duration) -> Value {
        let mut body = json!({
            "query": self.sql,
            "useLegacySql": false,
            "useQueryCache": true,
            "formatOptions": {"useInt64Timestamp": true},
            "timeoutMs": FIRST_WAIT,
            "jobTimeoutMs": patience.as_millis().to_string(),
            "maxResults": rows,
            "labels": labels(tag),
        });
        if !self.parameters.is_empty() {
            let parameters: Vec<Value> = self.parameters.iter().map(Parameter::body).collect();
            body["parameterMode"] = json!("NAMED");
            body["queryParameters"] = json!(parameters);
        }
        if let Some(location) = self.location.as_ref().or(config.location.as_ref()) {
            body["location"] = json!(location);
        }
        if let Some(most) = config.maximum_bytes_billed {
            body["maximumBytesBilled"] = json!(most.to_string());
        }
        body
    }
}

impl Parameter {
    fn body(&self) -> Value {
        json!({"name": self.name, "parameterType": {"type": self.kind}, "parameterValue": {"value": self.value}})
    }
}

/// Who reads, for the project's own log of jobs and its bill.
fn labels(tag: &RunTag) -> Value {
    let mut labels = json!({"app": "weir"});
    for (name, value) in [("organization", &tag.organization), ("stream", &tag.stream)] {
        if !value.is_empty() {
            labels[name] = json!(label(value));
        }
    }
    labels
}

/// A text as a label's value: lower-case letters, digits, `_` and `-`.
fn label(text: &str) -> String {
    let letter = |letter: char| match letter {
        'a'..='z' | '0'..='9' | '_' | '-' => letter,
        'A'..='Z' => letter.to_ascii_lowercase(),
        _ => '_',
    };
    text.chars().take(LABEL).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: Value) -> Config {
        serde_json::from_value(json).expect("a configuration")
    }

    #[test]
    fn a_statement_says_all_that_must_not_be_left_to_defaults() {
        let statement = Statement {
            sql: "SELECT 1".to_owned(),
            parameters: vec![Parameter { name: "from".to_owned(), kind: "INT64", value: "42".to_owned() }],
            location: Some("EU".to_owned()),
        };
        let tag = RunTag { organization: "ORG/1".to_owned(), stream: "é".repeat(70) };
        let config = config(json!({"project": "acme-1", "location": "US", "maximumBytesBilled": 20_000_000}));
        let body = statement.body(&config, &tag, 500, Duration::from_secs(60));
        assert_eq!(
            body,
            json!({
                "query": "SELECT 1", "useLegacySql": false, "useQueryCache": true, "timeoutMs": 3_000,
                "jobTimeoutMs": "60000", "maxResults": 500, "formatOptions": {"useInt64Timestamp": true},
                "labels": {"app": "weir", "organization": "org_1", "stream": "_".repeat(63)},
                "parameterMode": "NAMED", "location": "EU", "maximumBytesBilled": "20000000",
                "queryParameters": [{
                    "name": "from", "parameterType": {"type": "INT64"}, "parameterValue": {"value": "42"},
                }],
            })
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let body = Statement::new("SELECT 1").body(
            &config(json!({"project": "acme-1"})),
            &RunTag::default(),
            1,
            Duration::from_secs(1),
        );
        for name in ["parameterMode", "queryParameters", "location", "maximumBytesBilled"] {
            assert!(body.get(name).is_none(), "{name}");
        }
        assert_eq!(body["labels"], json!({"app": "weir"}));
    }
}
