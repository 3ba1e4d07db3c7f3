//! Tokens for service principals.

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, web::Bytes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::{Shared, answer, fault, hear, sent_as};
use crate::databricks::fault::Call;
use crate::databricks::server::{CLIENT, SECRET};

/// Answers `POST /oidc/v1/token`.
pub async fn give(state: Shared, request: HttpRequest, body: Bytes) -> HttpResponse {
    let mut known = state.lock();
    let refuse = |status, error: &str, words: &str| {
        answer(status, &json!({"error": error, "error_description": words}))
    };
    let pair = STANDARD.encode(format!("{CLIENT}:{SECRET}"));
    let signed_in = request
        .headers()
        .get(AUTHORIZATION)
        .is_some_and(|value| value.as_bytes() == format!("Basic {pair}").as_bytes());
    let response = if let Some(response) = fault(&mut known, Call::Token) {
        response
    } else if !sent_as(&request, "application/x-www-form-urlencoded") {
        refuse(400, "invalid_request", "the body is no form")
    } else if body.as_ref() != b"grant_type=client_credentials&scope=all-apis" {
        refuse(400, "invalid_request", "grant_type and scope are not those of this flow")
    } else if !signed_in {
        refuse(401, "invalid_client", "Client authentication failed")
    } else {
        known.given += 1;
        let token = format!("eyJ{:032}", known.given);
        known.tokens.insert(token.clone());
        answer(
            200,
            &json!({"access_token": token, "token_type": "Bearer", "expires_in": known.lives, "scope": "all-apis"}),
        )
    };
    hear(&mut known, &request, Call::Token, &response, Json::Null);
    response
}
