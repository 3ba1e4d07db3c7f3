//! Named parameters: texts that are read as the type they are sent with.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::value::{Type, Value};
use crate::databricks::statement::Refusal;

/// The parameters of a statement by name.
pub type Parameters = BTreeMap<String, (Type, Value)>;

/// Reads the parameters of a request.
pub fn read(sent: Option<&Json>) -> Result<Parameters, Refusal> {
    let mut found = Parameters::new();
    let Some(sent) = sent else { return Ok(found) };
    let list = sent.as_array().ok_or_else(|| Refusal::field("parameters is no list"))?;
    for one in list {
        let fields = one.as_object().ok_or_else(|| Refusal::field("a parameter is no object"))?;
        if let Some(unknown) = fields.keys().find(|name| !matches!(name.as_str(), "name" | "value" | "type"))
        {
            return Err(Refusal::field(&format!("a parameter has no field {unknown}")));
        }
        let text = |name: &str| fields.get(name).and_then(Json::as_str);
        let name = text("name").ok_or_else(|| Refusal::field("a parameter has no name"))?;
        let kind = text("type").unwrap_or("STRING");
        let kind = named(kind).ok_or_else(|| Refusal::field(&format!("a parameter has the type {kind}")))?;
        let value = match fields.get("value") {
            None | Some(Json::Null) => Value::Null,
            Some(Json::String(text)) => Value::parse(&kind, text).ok_or_else(|| {
                Refusal::failed(
                    "CAST_INVALID_INPUT",
                    "22018",
                    &format!("The value '{text}' cannot be cast to {}", kind.text()),
                )
            })?,
            Some(_) => return Err(Refusal::field("the value of a parameter is no text")),
        };
        if found.insert(name.to_owned(), (kind, value)).is_some() {
            return Err(Refusal::field(&format!("the parameter {name} is named twice")));
        }
    }
    Ok(found)
}

/// The type of that name, as far as it can be bound.
fn named(text: &str) -> Option<Type> {
    if let Some(inside) = text.strip_prefix("DECIMAL(").and_then(|rest| rest.strip_suffix(')')) {
        let (digits, scale) = inside.split_once(',')?;
        let (digits, scale) = (digits.trim().parse().ok()?, scale.trim().parse().ok()?);
        return (digits <= 38 && scale <= digits).then_some(Type::Decimal(digits, scale));
    }
    Some(match text {
        "BIGINT" => Type::Int("BIGINT"),
        "INT" => Type::Int("INT"),
        "DECIMAL" => Type::Decimal(10, 0),
        "DOUBLE" => Type::Double,
        "BOOLEAN" => Type::Bool,
        "STRING" => Type::Text,
        "DATE" => Type::Date,
        "TIMESTAMP" => Type::Zoned,
        "TIMESTAMP_NTZ" => Type::Naive,
        _ => return None,
    })
}
