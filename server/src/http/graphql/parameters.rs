//! The four parameters of a GraphQL request, from a body or a query string.

use serde_json::{Map, Value};

use crate::http::refusal::{Code, Outcome, Refusal};

/// What a request asks.
#[derive(Debug, PartialEq)]
pub struct Parameters {
    /// The document.
    pub query: String,
    /// Which of its operations.
    pub operation_name: Option<String>,
    /// The values of its variables.
    pub variables: Map<String, Value>,
}

impl Parameters {
    /// Reads a JSON body.
    ///
    /// # Errors
    /// `BadUserInput` saying which parameter is wrong.
    pub fn from_body(body: &[u8]) -> Outcome<Self> {
        let value: Value = serde_json::from_slice(body).map_err(|error| {
            refusal(format!("the body is no JSON: line {}, column {}", error.line(), error.column()))
        })?;
        match value {
            Value::Object(parameters) => Self::from_map(parameters),
            Value::Array(_) => Err(refusal("send one request at a time; batches are not taken")),
            _ => Err(refusal("the body is no JSON object")),
        }
    }

    /// Reads a query string; `variables` and `extensions` are JSON in it.
    ///
    /// # Errors
    /// `BadUserInput` saying which parameter is wrong.
    pub fn from_query(query: &str) -> Outcome<Self> {
        let pairs: Vec<(String, String)> = actix_web::web::Query::from_query(query)
            .map(actix_web::web::Query::into_inner)
            .map_err(|_| refusal("the query string cannot be read"))?;
        let mut parameters = Map::new();
        for (name, text) in pairs {
            let value = match name.as_str() {
                "variables" | "extensions" if text.is_empty() => Value::Null,
                "variables" | "extensions" => {
                    serde_json::from_str(&text).map_err(|_| refusal(format!("{name} is no JSON")))?
                }
                "operationName" if text.is_empty() => Value::Null,
                _ => Value::String(text),
            };
            if parameters.insert(name.clone(), value).is_some() {
                return Err(refusal(format!("{name} is given twice")));
            }
        }
        Self::from_map(parameters)
    }

    fn from_map(mut parameters: Map<String, Value>) -> Outcome<Self> {
        let query = match parameters.remove("query") {
            Some(Value::String(query)) => query,
            None | Some(Value::Null) => return Err(refusal("the parameter query is missing")),
            Some(_) => return Err(refusal("the parameter query is no string")),
        };
        let operation_name = match parameters.remove("operationName") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name),
            Some(_) => return Err(refusal("the parameter operationName is no string")),
        };
        let variables = object(&mut parameters, "variables")?;
        object(&mut parameters, "extensions")?;
        Ok(Self { query, operation_name, variables })
    }
}

fn object(parameters: &mut Map<String, Value>, name: &str) -> Outcome<Map<String, Value>> {
    match parameters.remove(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(values)) => Ok(values),
        Some(_) => Err(refusal(format!("the parameter {name} is no object"))),
    }
}

fn refusal(message: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(Code::BadUserInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_has_one_type() {
        for wrong in [
            "",
            "{",
            "1",
            "null",
            "[]",
            "[{\"query\":\"{a}\"}]",
            "{}",
            "{\"query\":1}",
            "{\"query\":null}",
            "{\"query\":\"{a}\",\"operationName\":1}",
            "{\"query\":\"{a}\",\"variables\":\"\"}",
            "{\"query\":\"{a}\",\"variables\":[]}",
            "{\"query\":\"{a}\",\"extensions\":false}",
        ] {
            assert!(Parameters::from_body(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let body = br#"{"query":"{a}","operationName":null,"variables":null,"extensions":null,"other":1}"#;
        let parameters = Parameters::from_body(body).expect("all null is fine");
        assert_eq!(
            parameters,
            Parameters { query: "{a}".to_owned(), operation_name: None, variables: Map::new() }
        );
    }

    #[test]
    fn a_query_string_holds_json_in_variables() {
        let text = "query=query%20B%20%7Ba%7D&operationName=B&variables=%7B%22x%22%3A1%7D&extensions=";
        let parameters = Parameters::from_query(text).expect("well-formed");
        assert_eq!(parameters.query, "query B {a}");
        assert_eq!(parameters.operation_name.as_deref(), Some("B"));
        assert_eq!(parameters.variables["x"], 1);
        for wrong in ["", "query=a&query=b", "query=a&variables=x", "query=a&variables=%5B%5D"] {
            assert!(Parameters::from_query(wrong).is_err(), "{wrong}");
        }
    }
}
