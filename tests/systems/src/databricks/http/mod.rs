//! The routes, who may take them, and what is written down of each call.

mod statements;
mod storage;
mod token;

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::catalog;
use super::fault::{Call, Fault};
use super::server::{Known, State, TOKEN, WAREHOUSE};
use super::statement::Heard;

/// The state as routes get it.
pub type Shared = web::Data<State>;

/// All routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(32 << 20))
        .route("/oidc/v1/token", web::post().to(token::give))
        .route("/api/2.0/sql/statements", web::post().to(statements::submit))
        .route("/api/2.0/sql/statements/{id}", web::get().to(statements::look))
        .route("/api/2.0/sql/statements/{id}/cancel", web::post().to(statements::cancel))
        .route("/api/2.0/sql/statements/{id}/result/chunks/{n}", web::get().to(statements::chunk))
        .route("/api/2.0/sql/warehouses/{id}", web::get().to(warehouse))
        .route("/api/2.1/unity-catalog/{list}", web::get().to(list))
        .route("/api/2.1/unity-catalog/tables/{name:.*}", web::get().to(table))
        .route("/results/{id}/{n}", web::get().to(storage::part));
}

/// An answer in the making: JSON with a status.
pub fn answer(status: u16, body: &Json) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or_default()).json(body)
}

/// A refusal as the API writes it.
pub fn refusal(status: u16, code: impl Into<Json>, message: &str) -> HttpResponse {
    answer(
        status,
        &json!({"error_code": code.into(), "message": message, "details": [
            {"@type": "type.googleapis.com/google.rpc.RequestInfo", "request_id": "b3a1"}
        ]}),
    )
}

/// Answers a call: by a fault, by refusing the token, or by `with`. Writes down what was heard.
pub fn call(
    state: &Shared,
    request: &HttpRequest,
    call: Call,
    body: &[u8],
    with: impl FnOnce(&mut Known, &Json) -> HttpResponse,
) -> HttpResponse {
    let mut known = state.lock();
    let json: Json = serde_json::from_slice(body).unwrap_or(Json::Null);
    let response = match fault(&mut known, call) {
        Some(response) => response,
        None => match stranger(&known, request) {
            Some(response) => response,
            None => with(&mut known, &json),
        },
    };
    hear(&mut known, request, call, &response, json);
    response
}

/// The answer of a fault that waits for this call.
pub fn fault(known: &mut Known, call: Call) -> Option<HttpResponse> {
    let waiting = |fault: &Fault| match fault {
        Fault::Status { on, status, body, retry_after } if *on == call => {
            Some((*status, body.clone(), *retry_after))
        }
        _ => None,
    };
    let (status, body, retry_after) = known.take(waiting)?;
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or_default());
    let kind = if body.starts_with('<') { "text/html" } else { "application/json" };
    response.insert_header((CONTENT_TYPE, kind));
    if let Some(seconds) = retry_after {
        response.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    Some(response.body(body))
}

/// Writes a call down.
pub fn hear(known: &mut Known, request: &HttpRequest, call: Call, response: &HttpResponse, body: Json) {
    let path = request.uri().to_string();
    known.heard.push(Heard { call, status: response.status().as_u16(), path, body });
}

/// The refusal of whoever has no good token.
fn stranger(known: &Known, request: &HttpRequest) -> Option<HttpResponse> {
    let Some(header) = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        let words = "Credential was not sent or was of an unsupported type for this API.";
        let mut response = refusal(401, 401, words);
        response.headers_mut().insert(WWW_AUTHENTICATE, "Bearer realm=\"DatabricksRealm\"".parse().ok()?);
        return Some(response);
    };
    match header.strip_prefix("Bearer ") {
        Some(token) if token == TOKEN || known.tokens.contains(token) => None,
        Some(token) if token.starts_with("eyJ") => {
            Some(refusal(401, "UNAUTHENTICATED", "The token has expired."))
        }
        Some(_) => Some(refusal(403, 403, "Invalid access token.")),
        None => {
            Some(refusal(401, 401, "Credential was not sent or was of an unsupported type for this API."))
        }
    }
}

/// The parts of a query string.
pub fn query(request: &HttpRequest) -> BTreeMap<String, String> {
    web::Query::<BTreeMap<String, String>>::from_query(request.query_string())
        .map(|it| it.into_inner())
        .unwrap_or_default()
}

async fn warehouse(state: Shared, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    call(&state, &request, Call::Warehouse, &[], |known, _| {
        if *id != WAREHOUSE {
            return refusal(404, "RESOURCE_DOES_NOT_EXIST", &format!("Could not find SQL warehouse {id}"));
        }
        answer(
            200,
            &json!({"id": WAREHOUSE, "name": "Weir", "state": known.warehouse, "cluster_size": "2X-Small",
                "warehouse_type": "PRO", "enable_serverless_compute": true, "auto_stop_mins": 10,
                "odbc_params": {"hostname": "127.0.0.1", "path": format!("/sql/1.0/warehouses/{WAREHOUSE}"), "port": 443}}),
        )
    })
}

async fn list(state: Shared, request: HttpRequest, list: web::Path<String>) -> HttpResponse {
    call(&state, &request, Call::Catalog, &[], |known, _| {
        told(catalog::list(&known.store, &list, &query(&request)))
    })
}

async fn table(state: Shared, request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    call(&state, &request, Call::Catalog, &[], |known, _| told(catalog::table(&known.store, &name)))
}

fn told(found: Result<Json, catalog::Refused>) -> HttpResponse {
    match found {
        Ok(body) => answer(200, &body),
        Err((status, code, message)) => refusal(status, code, &message),
    }
}

/// Whether a request has a body of that type.
pub fn sent_as(request: &HttpRequest, kind: &str) -> bool {
    let told = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    told.is_some_and(|told| told.split(';').next() == Some(kind))
}

/// A body that breaks off after so many bytes, and with it the connection.
pub fn broken(bytes: Bytes, after: usize) -> HttpResponse {
    let piece = bytes.slice(..after.min(bytes.len()));
    let stream = futures::stream::iter([Ok(piece), Err(std::io::Error::other("cut"))]);
    HttpResponse::Ok().content_type("application/json").streaming(stream)
}
