//! The body of a submission, read strictly.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::refusal::Refusal;
use crate::snowflake::journal::Bound;
use crate::snowflake::sql::error::SqlError;
use crate::snowflake::sql::session::Session;
use crate::snowflake::sql::zone;

/// The longest timeout: a week.
const TIMEOUT_MOST: i64 = 604_800;
/// The longest query tag.
const TAG_MOST: usize = 2_000;

/// What is submitted. Fields that are not documented are refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// The statement.
    pub statement: String,
    /// Seconds; 0 for the most.
    pub timeout: Option<i64>,
    /// Session's database.
    pub database: Option<String>,
    /// Session's schema.
    pub schema: Option<String>,
    /// Session's warehouse.
    pub warehouse: Option<String>,
    /// Session's role.
    pub role: Option<String>,
    /// Bound values by number, from "1".
    #[serde(default)]
    pub bindings: BTreeMap<String, Binding>,
    /// Session parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, Json>,
}

/// One bound value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Always a string, or null.
    #[serde(deserialize_with = "given")]
    pub value: Option<String>,
}

/// A value that may be null and may not be left out.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(from)
}

impl Body {
    /// Reads a body.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let body: Self = serde_json::from_slice(bytes)
            .map_err(|error| Refusal::bad(format!("Invalid request body: {error}")))?;
        if body.timeout.is_some_and(|it| !(0..=TIMEOUT_MOST).contains(&it)) {
            return Err(Refusal::bad("The timeout is between 0 and 604800 seconds."));
        }
        Ok(body)
    }

    /// The bound values in order.
    pub fn bound(&self) -> Result<BTreeMap<usize, Bound>, Refusal> {
        let mut found = BTreeMap::new();
        for (name, Binding { kind, value }) in &self.bindings {
            let number =
                name.parse::<usize>().ok().filter(|number| number.to_string() == *name && *number > 0);
            let number = number.ok_or_else(|| Refusal::bad(format!("Binding \"{name}\" is no number.")))?;
            found.insert(number, Bound { kind: kind.clone(), value: value.clone() });
        }
        if found.keys().copied().ne(1..=found.len()) {
            return Err(Refusal::bad("Bindings are numbered from 1 without gaps."));
        }
        Ok(found)
    }

    /// Sets the session's parameters.
    pub fn parameters(&self, session: &mut Session) -> Result<(), Refusal> {
        const FORMATS: [&str; 6] = [
            "date_output_format",
            "time_output_format",
            "timestamp_output_format",
            "timestamp_ltz_output_format",
            "timestamp_ntz_output_format",
            "timestamp_tz_output_format",
        ];
        for (name, value) in &self.parameters {
            let wrong = || Refusal::bad(format!("Invalid value {value} for parameter {name}."));
            // Parameters may be in any case; numbers and truth values may be texts.
            let lower = name.to_lowercase();
            let text = match value {
                Json::String(text) => text.clone(),
                Json::Number(number) => number.to_string(),
                Json::Bool(truth) => truth.to_string(),
                _ => return Err(wrong()),
            };
            match lower.as_str() {
                "timezone" => {
                    session.zone =
                        zone::find(&text).map_err(|SqlError { message, .. }| Refusal::bad(message))?
                }
                "query_tag" if text.chars().count() <= TAG_MOST => {}
                "binary_output_format" if text == "HEX" => {}
                "multi_statement_count" if text == "1" => {}
                "use_cached_result" if text.parse::<bool>().is_ok() => {}
                "rows_per_resultset" => session.rows_per_resultset = text.parse().map_err(|_bad| wrong())?,
                // Megabytes, from 16 to 160.
                "client_result_chunk_size"
                    if text.parse::<u32>().is_ok_and(|it| (16..=160).contains(&it)) => {}
                format if FORMATS.contains(&format) => {
                    session.formats.insert(format.to_uppercase(), text);
                }
                "query_tag"
                | "binary_output_format"
                | "multi_statement_count"
                | "use_cached_result"
                | "client_result_chunk_size" => return Err(wrong()),
                _ => return Err(Refusal::bad(format!("Parameter {name} is not supported by the SQL API."))),
            }
        }
        Ok(())
    }
}
