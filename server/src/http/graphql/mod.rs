//! `/graphql`: our own strict layer over HTTP. In the order a request meets them: method, accepted form, body's form,
//! who is asking and whether another site made them, their share of requests, size, parameters, document, limits,
//! operation; then it is executed within its time, on the main runtime.

mod document;
mod nulls;
mod outcome;
mod parameters;

use std::time::Duration;

use actix_web::http::{Method, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Variables};

use super::coding::{self, Coding};
use super::media::{self, Media};
use super::refusal::{Code, Outcome, Refusal};
use super::visitor::{self, Credential};
use super::{State, body, edge};
use crate::auth::{Viewer, api_token, session};
use crate::graphql::context::prepare;
use document::Document;
use parameters::Parameters;

/// A header no page can send to another site without being asked first.
const PREFLIGHT: &str = "apollo-require-preflight";

/// Answers a request to `/graphql`.
pub async fn handle(state: Data<State>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let id = edge::request_id(&request);
    let media = match form(&request) {
        Ok(media) => media,
        Err(refusal) => return refusal.answer(Media::Json, &id),
    };
    match execute(&state, &request, payload, media, &id).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.answer(media, &id),
    }
}

fn form(request: &HttpRequest) -> Outcome<Media> {
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return Err(Refusal::method("send GraphQL by POST", "GET, POST"));
    }
    media::accepted(request.headers())
}

async fn execute(
    state: &Data<State>,
    request: &HttpRequest,
    payload: Payload,
    media: Media,
    id: &str,
) -> Outcome<HttpResponse> {
    let post = request.method() == Method::POST;
    if post {
        media::sent_json(request.headers())?;
    }
    let viewer = viewer(state, request).await?;
    state.share.attempt(&share_of(&viewer)).map_err(|wait| Refusal::throttled(wait, "too many requests"))?;
    let parameters = if post {
        Parameters::from_body(&body::read(request, payload, state.app.config.http.body_limit).await?)?
    } else {
        Parameters::from_query(request.query_string())?
    };
    let document = match Document::parse(&parameters.query) {
        Ok(document) => document,
        Err(refusal) => return Ok(outcome::refused(refusal, media, id)),
    };
    let operation = document.operation(parameters.operation_name.as_deref());
    if !post && operation == Some(OperationType::Mutation) {
        return Err(Refusal::method("send mutations by POST", "POST"));
    }
    if let Err(refusal) =
        document.check_variables(parameters.operation_name.as_deref(), &parameters.variables)
    {
        return Ok(outcome::refused(refusal, media, id));
    }
    let text = parameters.query.clone();
    let mut query =
        Request::new(parameters.query).variables(Variables::from_json(parameters.variables.into()));
    query.operation_name = parameters.operation_name.clone();
    let mut query = prepare(query, &state.app, Some(viewer), id.to_owned());
    if !state.app.config.http.introspection {
        query = query.disable_introspection();
    }
    query.set_parsed_query(document.into_inner());
    let limit = Duration::from_secs(state.app.config.http.timeout_seconds.into());
    let schema = state.schema.clone();
    let work = async move { schema.execute(query).await };
    let mut response = match tokio::time::timeout(limit, state.run(work)).await {
        Ok(response) => response?,
        Err(_) => {
            let message = "the request took too long; ask for less at once";
            return Err(Refusal::new(Code::Timeout, message).retry_after(Duration::from_secs(1)));
        }
    };
    if !response.errors.is_empty() {
        nulls::settle(&mut response, &text, parameters.operation_name.as_deref());
    }
    let (status, body) = outcome::weigh(response, media, id);
    let mut answer = HttpResponse::build(status);
    answer.content_type(media.content_type()).insert_header((header::VARY, "Accept, Accept-Encoding"));
    if let Some(coding) = coding::wanted(request.headers(), &[Coding::Gzip])
        && let Some(small) = coding::gzip(&body, 4)
    {
        return Ok(answer.insert_header((header::CONTENT_ENCODING, coding.name())).body(small));
    }
    Ok(answer.body(body))
}

/// Finds out who is asking.
async fn viewer(state: &Data<State>, request: &HttpRequest) -> Outcome<Viewer> {
    let config = &state.app.config;
    let credential = visitor::credential(request, config)?;
    let signed = matches!(credential, Credential::Bearer(_));
    if !signed && request.method() == Method::GET && !request.headers().contains_key(PREFLIGHT) {
        let message =
            "a query by GET needs an Authorization or apollo-require-preflight header; or send it by POST";
        return Err(Refusal::new(Code::CsrfBlocked, message));
    }
    let app = state.app.clone();
    let found = match credential {
        Credential::Bearer(token) => {
            state.run(async move { api_token::find(app.db.orm(), &token, app.clock.now()).await }).await??
        }
        Credential::Cookie(token) => {
            visitor::same_site(request, config, false)?;
            let found = state.run(async move {
                session::find(app.db.orm(), &token, app.clock.now(), &app.config.session).await
            });
            found.await??.map(|signed_in| signed_in.viewer())
        }
        Credential::None => None,
    };
    found.ok_or_else(|| {
        if signed {
            let challenge = "Bearer error=\"invalid_token\"";
            return Refusal::unauthenticated("the API token is wrong, revoked or expired", challenge);
        }
        Refusal::unauthenticated("sign in first, or send an API token", "Bearer")
    })
}

fn share_of(viewer: &Viewer) -> String {
    viewer.actor_id().unwrap_or_default().simple().to_string()
}
