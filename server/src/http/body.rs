//! Reading a request's body: not too long, not too slowly.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures::StreamExt;
use serde::de::DeserializeOwned;

use super::media;
use super::refusal::{Code, Outcome, Refusal};

/// How long a client may take to send a body.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the whole body.
///
/// # Errors
/// `PayloadTooLarge`, `Timeout`, or `BadUserInput` when the connection breaks.
pub async fn read(request: &HttpRequest, payload: Payload, limit: usize) -> Outcome<Bytes> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|text| text.parse::<u64>().ok()).is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let reading = collect(payload, limit);
    match tokio::time::timeout(PATIENCE, reading).await {
        Ok(body) => body,
        Err(_) => Err(Refusal::new(Code::Timeout, "the body did not arrive in time")),
    }
}

async fn collect(mut payload: Payload, limit: usize) -> Outcome<Bytes> {
    let mut body = BytesMut::new();
    while let Some(part) = payload.next().await {
        let part = part.map_err(|_| Refusal::new(Code::BadUserInput, "the body ended early"))?;
        if body.len() + part.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&part);
    }
    Ok(body.freeze())
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(Code::PayloadTooLarge, format!("the body is longer than {limit} bytes"))
}

/// Reads a body of JSON into a value.
///
/// # Errors
/// The refusals of [`read`], `UnsupportedMediaType`, or `BadUserInput` when it has the wrong form. The body is not
/// repeated: it may hold a password.
pub async fn json<T: DeserializeOwned>(request: &HttpRequest, payload: Payload, limit: usize) -> Outcome<T> {
    media::sent_json(request.headers())?;
    let body = read(request, payload, limit).await?;
    serde_json::from_slice(&body).map_err(|error| {
        let place = (error.line(), error.column());
        let kind = match error.classify() {
            serde_json::error::Category::Data => "has missing, unknown or mistyped values",
            _ => "is no JSON",
        };
        Refusal::new(Code::BadUserInput, format!("the body {kind} at line {}, column {}", place.0, place.1))
    })
}
