//! Reading a call: which it is, its query string and its headers.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use actix_web::http::Method;

use super::refusal::Refusal;
use crate::snowflake::fault::Call;
use crate::snowflake::journal::Request;

/// What the path means, and the handle in it. Refused when the method is another.
pub fn route(
    method: &Method,
    path: &str,
    partition: Option<&str>,
) -> (Call, Option<String>, Result<(), Refusal>) {
    let unknown = || Err(Refusal::new(404, "390404", "Resource not found."));
    let Some(rest) = path.strip_prefix("/api/v2/statements") else { return (Call::Other, None, unknown()) };
    let only = |wanted: Method| {
        let text = format!("The request method {method} is not supported here.");
        if *method == wanted { Ok(()) } else { Err(Refusal::new(405, "391904", text)) }
    };
    let parts: Vec<&str> = rest.split('/').collect();
    match parts.as_slice() {
        [""] | ["", ""] => (Call::Submit, None, only(Method::POST)),
        ["", handle] => {
            let call = if partition.is_none_or(|it| it == "0") { Call::Poll } else { Call::Partition };
            (call, Some((*handle).to_owned()), only(Method::GET))
        }
        ["", handle, "cancel"] => (Call::Cancel, Some((*handle).to_owned()), only(Method::POST)),
        _ => (Call::Other, None, unknown()),
    }
}

/// The query string, decoded.
pub fn query(request: &HttpRequest) -> BTreeMap<String, String> {
    actix_web::web::Query::<BTreeMap<String, String>>::from_query(request.query_string())
        .map(actix_web::web::Query::into_inner)
        .unwrap_or_default()
}

/// The headers by name, without the token.
pub fn headers(request: &HttpRequest) -> BTreeMap<String, String> {
    let shown = request.headers().iter().filter(|(name, _)| *name != "authorization");
    shown
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

/// Refuses headers and query parameters that are missing, wrong or unknown.
pub fn checked(request: &Request, method: &Method, body: &[u8]) -> Result<(), Refusal> {
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    // Whether the service itself asks for it is not documented; gateways in front of services do. The number is ours.
    let framed = ["content-length", "transfer-encoding"].iter().any(|name| header(name).is_some());
    if *method == Method::POST && !framed {
        return Err(Refusal::new(411, "391900", "The header Content-Length is required."));
    }
    if header("user-agent").is_none_or(|it| it.trim().is_empty()) {
        return Err(Refusal::bad("The header User-Agent is required."));
    }
    // The number is the one people report.
    let accepts =
        |it: &str| ["application/json", "*/*"].contains(&it.split(';').next().unwrap_or_default().trim());
    if !header("accept").is_some_and(|it| it.split(',').any(accepts)) {
        let text = format!("Unsupported Accept header {} is specified.", header("accept").unwrap_or("null"));
        return Err(Refusal::new(400, "391902", text));
    }
    let json = header("content-type")
        .is_some_and(|it| it.split(';').next().is_some_and(|it| it.trim() == "application/json"));
    if !json && (!body.is_empty() || request.call == Call::Submit) {
        let text = format!(
            "Unsupported Content-Type header {} is specified.",
            header("content-type").unwrap_or("null")
        );
        return Err(Refusal::new(415, "391903", text));
    }
    let known: &[&str] = match request.call {
        Call::Submit => &["requestId", "async", "nullable", "retry"],
        Call::Poll | Call::Partition => &["requestId", "partition"],
        Call::Cancel | Call::Other => &["requestId"],
    };
    for (name, value) in &request.query {
        let fine = match name.as_str() {
            _ if !known.contains(&name.as_str()) => false,
            "requestId" => uuid::Uuid::parse_str(value).is_ok() && value.len() == 36,
            "partition" => value.parse::<usize>().is_ok(),
            _ => value == "true" || value == "false",
        };
        if !fine {
            return Err(Refusal::bad(format!("Invalid query parameter {name}={value}.")));
        }
    }
    if request.query.get("retry").is_some_and(|it| it == "true") && request.request_id.is_none() {
        return Err(Refusal::bad("retry needs the requestId of the request that is sent again."));
    }
    Ok(())
}
