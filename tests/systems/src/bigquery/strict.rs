//! What Google refuses and the emulators take: fields it does not know, values of the wrong kind, what must not be
//! left to defaults.
//!
//! Source: `QueryRequest` and `GetQueryResultsRequest` in googleapis' `google/cloud/bigquery/v2/job.proto`.

use std::collections::BTreeMap;

use serde_json::Value;

/// The fields of `jobs.query` that may be sent.
const QUERY: [&str; 19] = [
    "query",
    "maxResults",
    "defaultDataset",
    "timeoutMs",
    "dryRun",
    "useQueryCache",
    "useLegacySql",
    "parameterMode",
    "queryParameters",
    "location",
    "formatOptions",
    "connectionProperties",
    "labels",
    "maximumBytesBilled",
    "requestId",
    "createSession",
    "jobTimeoutMs",
    "jobCreationMode",
    "continuous",
];
/// The parameters of `jobs.getQueryResults`.
const RESULTS: [&str; 6] =
    ["startIndex", "pageToken", "maxResults", "timeoutMs", "location", "formatOptions.useInt64Timestamp"];
/// The types a parameter may have here.
const TYPES: [&str; 10] =
    ["INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64", "BOOL", "STRING", "BYTES", "DATE", "DATETIME", "TIME"];

/// What is wrong with the body of `jobs.query`, as Google would see it.
pub fn query(body: &Value) -> Result<(), String> {
    let fields = body.as_object().ok_or("Invalid JSON payload received.")?;
    if let Some(name) = fields.keys().find(|name| !QUERY.contains(&name.as_str())) {
        return Err(format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field."));
    }
    let text = |name: &str| body.get(name).map(|value| value.as_str().ok_or(format!("{name} is no text")));
    let sql = text("query").ok_or("Required parameter is missing: query")??;
    let wrong = |what: &str| Err(format!("Invalid value at '{what}'"));
    if body.get("useLegacySql") != Some(&Value::Bool(false)) {
        return Err("Legacy SQL is not spoken here: set useLegacySql to false".to_owned());
    }
    if body["formatOptions"]["useInt64Timestamp"] != true {
        return wrong("formatOptions.useInt64Timestamp");
    }
    // Whole numbers of 64 bits are texts in Google's JSON, those of 32 bits are numbers.
    for name in ["maximumBytesBilled", "jobTimeoutMs"] {
        if text(name).transpose()?.is_some_and(|digits| digits.parse::<u64>().is_err()) {
            return wrong(name);
        }
    }
    for name in ["maxResults", "timeoutMs"] {
        if body
            .get(name)
            .is_some_and(|value| value.as_u64().is_none_or(|number| number > u64::from(u32::MAX)))
        {
            return wrong(name);
        }
    }
    if let Some(id) = text("requestId").transpose()?
        && (id.is_empty() || id.len() > 36 || !id.bytes().all(|byte| (33..127).contains(&byte)))
    {
        return wrong("requestId");
    }
    labels(&body["labels"])?;
    parameters(body, sql)
}

fn labels(labels: &Value) -> Result<(), String> {
    let good = |text: &str| {
        text.chars().count() <= 63
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
    };
    for (name, value) in labels.as_object().into_iter().flatten() {
        let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if !first || !good(name) || !value.as_str().is_some_and(good) {
            return Err(format!("Label \"{name}\" is invalid"));
        }
    }
    Ok(())
}

fn parameters(body: &Value, sql: &str) -> Result<(), String> {
    let parameters = body["queryParameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() && body["parameterMode"] != "NAMED" {
        return Err("Invalid value at 'parameterMode'".to_owned());
    }
    for parameter in parameters {
        let name = parameter["name"].as_str().ok_or("a parameter has no name")?;
        let kind = parameter["parameterType"]["type"].as_str().unwrap_or_default();
        if !TYPES.contains(&kind) && kind != "TIMESTAMP" {
            return Err(format!("Invalid type of parameter {name}"));
        }
        if !parameter["parameterValue"]["value"].is_string() {
            return Err(format!("Invalid value of parameter {name}: all are texts"));
        }
        if !sql.contains(&format!("@{name}")) {
            return Err(format!("Parameter {name} is not used"));
        }
    }
    Ok(())
}

/// What is wrong with the parameters of `jobs.getQueryResults`.
pub fn results(query: &BTreeMap<String, String>) -> Result<(), String> {
    if let Some(name) = query.keys().find(|name| !RESULTS.contains(&name.as_str())) {
        return Err(format!(
            "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter."
        ));
    }
    if query.contains_key("startIndex") && query.contains_key("pageToken") {
        return Err("Only one of startIndex and pageToken may be given".to_owned());
    }
    if query.get("formatOptions.useInt64Timestamp").map(String::as_str) != Some("true") {
        return Err("Invalid value at 'formatOptions.useInt64Timestamp'".to_owned());
    }
    Ok(())
}
