//! The shapes of BigQuery's answers, rows apart. Whole numbers of 64 bits come as texts.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::types::Field;

/// The answer to a statement, or one page of its result.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Reply {
    /// Whether there is a result.
    pub job_complete: bool,
    /// The job behind it.
    pub job_reference: Option<JobReference>,
    /// The result's columns.
    pub schema: Schema,
    /// How many rows the whole result has.
    #[serde(deserialize_with = "number")]
    pub total_rows: Option<u64>,
    /// There when more rows follow.
    pub page_token: Option<String>,
    /// What the statement looks at.
    #[serde(deserialize_with = "number")]
    pub total_bytes_processed: Option<u64>,
    /// When it began, in milliseconds since 1970.
    #[serde(deserialize_with = "number")]
    pub start_time: Option<u64>,
    /// When it ended.
    #[serde(deserialize_with = "number")]
    pub end_time: Option<u64>,
    /// Warnings; failures, when there is no result.
    pub errors: Vec<Problem>,
    /// Whether the answer has rows, which are read apart.
    rows: Option<IgnoredAny>,
}

/// Which job it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JobReference {
    /// Its ID within project and location.
    pub job_id: String,
    /// Where it runs.
    pub location: Option<String>,
}

/// Columns.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Schema {
    /// The columns in order.
    pub fields: Vec<Field>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// The code that decides.
    pub reason: String,
    /// Words for people.
    pub message: String,
}

/// The body of an answer that is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// What it says.
    pub error: FailureBody,
}

/// What an error says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FailureBody {
    /// Words for people.
    pub message: String,
    /// What is wrong, the most telling first.
    pub errors: Vec<Problem>,
    /// The name of Google's general status code.
    pub status: String,
}

/// Reads a number that may be written as a text.
pub fn number<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(input)?;
    Ok(value.as_u64().or_else(|| value.as_str()?.parse().ok()))
}
