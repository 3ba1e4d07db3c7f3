//! The object store: signed addresses, and no other credential beside them.

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value as Json;

use super::{Shared, broken, fault, hear, query};
use crate::databricks::fault::{Call, Fault};
use crate::databricks::server::Known;

/// Answers a link.
pub async fn part(state: Shared, request: HttpRequest, path: web::Path<(String, usize)>) -> HttpResponse {
    let mut known = state.lock();
    let response = match fault(&mut known, Call::Link) {
        Some(response) => response,
        None => given(&mut known, &request, &path.into_inner()),
    };
    hear(&mut known, &request, Call::Link, &response, Json::Null);
    response
}

fn given(known: &mut Known, request: &HttpRequest, asked: &(String, usize)) -> HttpResponse {
    let refuse =
        |words: &str| HttpResponse::Forbidden().content_type("application/xml").body(words.to_owned());
    let headers = request.headers();
    if headers.contains_key(AUTHORIZATION) {
        return refuse(
            "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>",
        );
    }
    if !headers.contains_key("x-amz-server-side-encryption-customer-key") {
        return refuse("<Error><Code>AccessDenied</Code></Error>");
    }
    let signature = query(request).remove("X-Amz-Signature").unwrap_or_default();
    if known.links.get(&signature) != Some(asked) {
        return refuse("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>");
    }
    if known.take(|fault| (*fault == Fault::LinkEnds).then_some(())).is_some() {
        known.links.remove(&signature);
        return refuse("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>");
    }
    let rows = known.chunk_rows;
    let Some(Ok(outcome)) = known.statements.get(&asked.0).map(|one| &one.outcome) else {
        return HttpResponse::NotFound().finish();
    };
    let bytes = outcome.part(asked.1 * rows, rows);
    match known.take(|fault| if let Fault::LinkBreaks(after) = fault { Some(*after) } else { None }) {
        Some(after) => broken(bytes, after),
        None => HttpResponse::Ok().content_type("application/octet-stream").body(bytes),
    }
}
