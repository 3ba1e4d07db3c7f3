//! The only file that sends requests: GraphQL and the sign-in routes, with one kind of failure.

use cynic::{GraphQlResponse, Operation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestCredentials, RequestInit, Response};

/// Why a request gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server could not be reached.
    Offline,
    /// Nobody is signed in, or no longer.
    SignedOut,
    /// The viewer may not do this.
    Forbidden,
    /// The server asks to slow down.
    Throttled,
    /// The server refused, with its code, its words and the number to quote.
    Refused { code: String, message: String, request_id: Option<String> },
}

impl Failure {
    /// Says what happened, for a person.
    pub fn message(&self) -> String {
        match self {
            Self::Offline => {
                "Weir cannot be reached. Check the connection; nothing you entered is lost.".to_owned()
            }
            Self::SignedOut => "Your session has ended. Sign in again.".to_owned(),
            Self::Forbidden => "Your role does not allow this. Ask an owner or admin.".to_owned(),
            Self::Throttled => "Too many attempts. Wait a moment, then try again.".to_owned(),
            Self::Refused { message, .. } => sentence(message),
        }
    }

    /// Whether the question itself is wrong, which it is for an address that names nothing.
    pub fn is_wrong_question(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "BAD_USER_INPUT")
    }

    /// Whether the page of a list that was asked for cannot be found any more.
    pub fn is_lost_page(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "INVALID_CURSOR")
    }

    /// The number by which the server's log knows the request.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Refused { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }
}

/// Writes a message of the API, which is lower case without a stop, as a sentence.
pub fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let mut text: String =
        letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect();
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

/// What is known of the sign-in before anything is asked by GraphQL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Session {
    /// Whether somebody is signed in.
    pub signed_in: bool,
    /// Whether the first account is still to be made.
    pub setup_required: bool,
}

/// What signs a person in.
#[derive(Serialize)]
pub struct Credentials {
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// What changes a password.
#[derive(Serialize)]
pub struct NewPassword {
    /// The password so far.
    pub current: String,
    /// The password to be.
    pub new: String,
}

/// What makes the first account.
#[derive(Serialize)]
pub struct Setup {
    /// The token the server printed.
    pub token: String,
    /// The person's address.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// The password to be.
    pub password: String,
    /// The organization's name.
    pub organization: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    code: Option<String>,
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<cynic::GraphQlError<Extensions>>,
}

/// Runs a GraphQL operation and gives its data.
pub async fn ask<T, V>(operation: Operation<T, V>) -> Result<T, Failure>
where
    T: DeserializeOwned + 'static,
    V: Serialize,
{
    let (status, body) = send("POST", "/graphql", Some(&operation)).await?;
    match serde_json::from_str::<GraphQlResponse<T, Extensions>>(&body) {
        Ok(GraphQlResponse { errors: Some(errors), .. }) if !errors.is_empty() => {
            Err(refused(status, errors))
        }
        Ok(GraphQlResponse { data: Some(data), .. }) => Ok(data),
        Ok(_) => Err(unreadable(status, "the answer holds no data")),
        Err(error) => Err(unreadable(status, &error.to_string())),
    }
}

/// Asks whether somebody is signed in.
pub async fn session() -> Result<Session, Failure> {
    let (status, body) = send::<()>("GET", "/auth/session", None).await?;
    match status {
        200 => serde_json::from_str(&body).map_err(|error| unreadable(status, &error.to_string())),
        401 => Ok(serde_json::from_str(&body).unwrap_or_default()),
        _ => Err(explain(status, &body)),
    }
}

/// Signs in; the session is a cookie no script can read.
pub async fn sign_in(credentials: &Credentials) -> Result<(), Failure> {
    expect_ok(send("POST", "/auth/sign-in", Some(credentials)).await?)
}

/// Signs out.
pub async fn sign_out() -> Result<(), Failure> {
    expect_ok(send("POST", "/auth/sign-out", Some(&serde_json::Map::new())).await?)
}

/// Makes the first account and signs it in.
pub async fn set_up(setup: &Setup) -> Result<(), Failure> {
    expect_ok(send("POST", "/auth/setup", Some(setup)).await?)
}

/// Changes the password of whoever is signed in; their other sessions end.
pub async fn change_password(change: &NewPassword) -> Result<(), Failure> {
    expect_ok(send("POST", "/auth/password", Some(change)).await?)
}

fn expect_ok((status, body): (u16, String)) -> Result<(), Failure> {
    if (200..300).contains(&status) { Ok(()) } else { Err(explain(status, &body)) }
}

fn explain(status: u16, body: &str) -> Failure {
    match serde_json::from_str::<Refusal>(body) {
        Ok(refusal) if !refusal.errors.is_empty() => refused(status, refusal.errors),
        _ => unreadable(status, "the server gave no reason"),
    }
}

fn refused(status: u16, errors: Vec<cynic::GraphQlError<Extensions>>) -> Failure {
    let Some(error) = errors.into_iter().next() else {
        return unreadable(status, "the server gave no reason");
    };
    let code =
        error.extensions.as_ref().and_then(|extensions| extensions.code.as_deref()).unwrap_or_default();
    match code {
        "UNAUTHENTICATED" => Failure::SignedOut,
        "FORBIDDEN" => Failure::Forbidden,
        "THROTTLED" => Failure::Throttled,
        code => Failure::Refused {
            code: code.to_owned(),
            message: error.message,
            request_id: error.extensions.and_then(|extensions| extensions.request_id),
        },
    }
}

fn unreadable(status: u16, reason: &str) -> Failure {
    match status {
        401 => Failure::SignedOut,
        403 => Failure::Forbidden,
        429 => Failure::Throttled,
        _ => Failure::Refused {
            code: String::new(),
            message: format!("the server answered with status {status}: {reason}"),
            request_id: None,
        },
    }
}

async fn send<B: Serialize>(method: &str, path: &str, body: Option<&B>) -> Result<(u16, String), Failure> {
    let request = RequestInit::new();
    request.set_method(method);
    request.set_credentials(RequestCredentials::SameOrigin);
    let headers = Headers::new().map_err(offline)?;
    headers.set("accept", "application/json").map_err(offline)?;
    if let Some(body) = body {
        headers.set("content-type", "application/json").map_err(offline)?;
        let text = serde_json::to_string(body).expect("requests hold only strings, numbers and lists");
        request.set_body(&JsValue::from_str(&text));
    }
    request.set_headers(&headers);
    let response = JsFuture::from(leptos::prelude::window().fetch_with_str_and_init(path, &request))
        .await
        .map_err(offline)?
        .unchecked_into::<Response>();
    let text = JsFuture::from(response.text().map_err(offline)?).await.map_err(offline)?;
    Ok((response.status(), text.as_string().unwrap_or_default()))
}

fn offline(_: JsValue) -> Failure {
    Failure::Offline
}
