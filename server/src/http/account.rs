//! `/auth`: first set-up, signing in and out, the session, a new password. JSON in, JSON out; the session itself is a
//! cookie no script can read.

use actix_web::cookie::Cookie;
use actix_web::http::{Method, header};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::media::Media;
use super::refusal::{Code, Outcome, Refusal};
use super::visitor::{self, Credential};
use super::{State, body, edge};
use crate::auth::session::{self, SignedIn};
use crate::auth::{setup, sign_in};

/// Most bytes of a request here.
const BODY_LIMIT: usize = 8 * 1024;

/// What a browser may know about its session.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    signed_in: bool,
    setup_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Person>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<Organization>,
}

#[derive(Debug, Serialize)]
struct Person {
    name: String,
    email: String,
    role: &'static str,
}

#[derive(Debug, Serialize)]
struct Organization {
    name: String,
}

/// Adds the routes under `/auth`.
pub fn configure(scope: &mut ServiceConfig) {
    scope
        .route("/setup", web::route().to(set_up))
        .route("/sign-in", web::route().to(sign_in))
        .route("/sign-out", web::route().to(sign_out))
        .route("/password", web::route().to(password))
        .route("/session", web::route().to(session))
        .default_service(web::route().to(async |request: HttpRequest| super::no_such_path(&request)));
}

async fn set_up(state: Data<State>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let outcome = async {
        let first = sent(&state, &request, payload, true).await?;
        let (app, throttles, visitor) = parts(&state, &request);
        let token =
            state.run(async move { sign_in::set_up(&app, &throttles, visitor, first).await }).await??;
        begun(&state, token).await
    };
    answer(&request, outcome.await)
}

async fn sign_in(state: Data<State>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let outcome = async {
        let credentials = sent(&state, &request, payload, true).await?;
        let (app, throttles, visitor) = parts(&state, &request);
        let work = async move { sign_in::sign_in(&app, &throttles, visitor, credentials).await };
        begun(&state, state.run(work).await??).await
    };
    answer(&request, outcome.await)
}

async fn sign_out(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let outcome = async {
        posted(&state, &request, false)?;
        if let Credential::Cookie(token) = visitor::credential(&request, &state.app.config)? {
            let app = state.app.clone();
            state.run(async move { session::end(app.db.orm(), &token).await }).await??;
        }
        Ok((no_session(&state).await?, Some(visitor::no_cookie(&state.app.config))))
    };
    answer(&request, outcome.await)
}

async fn password(state: Data<State>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let outcome = async {
        let change = sent(&state, &request, payload, false).await?;
        let Some((signed_in, _)) = found(&state, &request).await? else {
            return Err(Refusal::unauthenticated("sign in first", "Bearer"));
        };
        let (app, throttles, visitor) = parts(&state, &request);
        let work =
            async move { sign_in::change_password(&app, &throttles, visitor, &signed_in, change).await };
        begun(&state, state.run(work).await??).await
    };
    answer(&request, outcome.await)
}

async fn session(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let outcome = async {
        if request.method() != Method::GET {
            return Err(Refusal::method("read the session by GET", "GET"));
        }
        match found(&state, &request).await? {
            Some((signed_in, _)) => Ok((described(&state, signed_in).await?, None)),
            None => Ok((no_session(&state).await?, None)),
        }
    };
    answer(&request, outcome.await)
}

fn parts(state: &State, request: &HttpRequest) -> (crate::app::App, sign_in::Throttles, sign_in::Visitor) {
    (state.app.clone(), state.throttles.clone(), visitor::visitor(request, &state.app.config))
}

fn posted(state: &State, request: &HttpRequest, unasked: bool) -> Outcome<()> {
    if request.method() != Method::POST {
        return Err(Refusal::method("send this by POST", "POST"));
    }
    visitor::same_site(request, &state.app.config, unasked)
}

async fn sent<T: DeserializeOwned>(
    state: &State,
    request: &HttpRequest,
    payload: Payload,
    unasked: bool,
) -> Outcome<T> {
    posted(state, request, unasked)?;
    body::json(request, payload, BODY_LIMIT).await
}

async fn found(state: &State, request: &HttpRequest) -> Outcome<Option<(SignedIn, SecretString)>> {
    let Credential::Cookie(token) = visitor::credential(request, &state.app.config)? else { return Ok(None) };
    let app = state.app.clone();
    let work = async move {
        let found = session::find(app.db.orm(), &token, app.clock.now(), &app.config.session).await?;
        Ok::<_, crate::error::Error>(found.map(|signed_in| (signed_in, token)))
    };
    Ok(state.run(work).await??)
}

/// What a browser with a new session gets: its cookie, and what the session is.
async fn begun(state: &State, token: SecretString) -> Outcome<(Session, Option<Cookie<'static>>)> {
    let cookie = visitor::session_cookie(&state.app.config, &token);
    let app = state.app.clone();
    let work = async move { session::find(app.db.orm(), &token, app.clock.now(), &app.config.session).await };
    let Some(signed_in) = state.run(work).await?? else {
        return Err(Refusal::new(
            Code::ServiceUnavailable,
            "the new session has ended already; sign in again",
        ));
    };
    Ok((described(state, signed_in).await?, Some(cookie)))
}

async fn described(state: &State, signed_in: SignedIn) -> Outcome<Session> {
    let app = state.app.clone();
    let id = signed_in.organization;
    let name = state.run(async move { session::organization_name(app.db.orm(), id).await }).await??;
    Ok(Session {
        signed_in: true,
        setup_required: false,
        user: Some(Person { name: signed_in.name, email: signed_in.email, role: signed_in.role.as_str() }),
        organization: Some(Organization { name }),
    })
}

async fn no_session(state: &State) -> Outcome<Session> {
    let app = state.app.clone();
    let setup_required = state.run(async move { setup::needed(app.db.orm()).await }).await??;
    Ok(Session { setup_required, ..Session::default() })
}

fn answer(request: &HttpRequest, outcome: Outcome<(Session, Option<Cookie<'static>>)>) -> HttpResponse {
    let (session, cookie) = match outcome {
        Ok(done) => done,
        Err(refusal) => return refusal.answer(Media::Json, &edge::request_id(request)),
    };
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::VARY, "Cookie"));
    if let Some(cookie) = cookie {
        answer.cookie(cookie);
    }
    answer.json(session)
}
