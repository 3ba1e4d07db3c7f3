//! What every request goes through: limits on its head, an ID, a line in the log, security headers.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};
use uuid::Uuid;

use super::State;
use super::media::Media;
use super::refusal::{Code, Refusal};

/// Most characters of a path with its query.
const URI_LENGTH: usize = 16 * 1024;
/// Most characters of all headers together.
const HEADERS_LENGTH: usize = 32 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const PERMISSIONS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";

/// The ID of the request, in every answer and log line about it.
#[derive(Clone, Debug)]
struct RequestId(String);

/// The ID of the request.
pub fn request_id(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

/// Wraps all routes.
///
/// # Errors
/// None of its own.
pub async fn pass(
    state: actix_web::web::Data<State>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = chosen_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let started = state.app.clock.now();
    let mut response = match head_refusal(&request) {
        Some(refusal) => request.into_response(refusal.answer(Media::Json, &id)),
        None => next.call(request).await?.map_into_boxed_body(),
    };
    let status = response.status();
    let duration_us = state.app.clock.now() - started;
    if status.is_server_error() {
        tracing::warn!(request.id = id, %method, path, status = status.as_u16(), duration_us, "answered");
    } else {
        tracing::debug!(request.id = id, %method, path, status = status.as_u16(), duration_us, "answered");
    }
    secure(response.headers_mut(), state.app.config.https());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}

/// The ID a caller or proxy gave the request if it is a plain one, otherwise a new one.
fn chosen_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (8..=64).contains(&id.len())
            && id.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_')
    };
    given.filter(plain).map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned)
}

fn head_refusal(request: &ServiceRequest) -> Option<Refusal> {
    if request.uri().to_string().len() > URI_LENGTH {
        return Some(Refusal::new(Code::UriTooLong, "the URL is too long; send the request by POST"));
    }
    let length: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    (length > HEADERS_LENGTH).then(|| Refusal::new(Code::HeadersTooLarge, "the headers are too long"))
}

fn secure(headers: &mut HeaderMap, https: bool) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if https {
        let value = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
