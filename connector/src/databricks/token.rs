//! Tokens: a personal one as it is, or those a service principal gets for its secret, kept until shortly before they end.
//!
//! Source: "Authorize service principal access to Databricks with OAuth" (client credentials, scope `all-apis`).

use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::config::SignIn;
use super::failure;
use crate::http::{self, Service};
use crate::{ConnectorError, ErrorKind, Result, wall};

/// A new token is asked for this long before the old one ends.
const BEFORE_END: Duration = Duration::from_secs(5 * 60);
/// A token is believed to live no longer than this, in seconds.
const LONGEST: u64 = 86_400;
/// The most bytes of the token endpoint's answer.
const ANSWER: usize = 64 * 1024;

/// Where tokens come from.
pub struct Tokens {
    sign_in: SignIn,
    secret: Option<SecretString>,
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    token: SecretString,
    until: Instant,
}

/// What the token endpoint gives.
#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Tokens {
    /// Prepares; nothing is sent before a token is needed.
    pub fn new(sign_in: SignIn, secret: Option<SecretString>) -> Self {
        Self { sign_in, secret, kept: Mutex::new(None) }
    }

    /// A token for the next request.
    ///
    /// # Errors
    /// `Config` without a usable credential, `Auth` when the workspace refuses it.
    pub async fn token(&self, service: &Service) -> Result<SecretString> {
        let missing =
            |what: &str| ConnectorError::new(ErrorKind::Config, format!("the credential is missing: {what}"));
        let client_id = match &self.sign_in {
            SignIn::Oauth { client_id } => client_id,
            SignIn::Token => {
                let token = self.secret.as_ref().ok_or_else(|| missing("give a personal access token"))?;
                return carried(token.expose_secret()).map(|()| token.clone());
            }
        };
        let secret =
            self.secret.as_ref().ok_or_else(|| missing("give the service principal's OAuth secret"))?;
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| wall::moment() < kept.until) {
            return Ok(kept.token.clone());
        }
        let granted = http::patiently(|_| ask(service, client_id, secret)).await?;
        carried(granted.access_token.expose_secret())?;
        let lives = Duration::from_secs(granted.expires_in.unwrap_or(3_600).min(LONGEST));
        // Of a token that lives shorter than that, half its life.
        let until = wall::moment() + lives.checked_sub(BEFORE_END).unwrap_or(lives / 2).max(lives / 2);
        *kept = Some(Kept { token: granted.access_token.clone(), until });
        Ok(granted.access_token)
    }

    /// Forgets a token that was refused; tells whether there may be another.
    pub async fn refused(&self, token: &SecretString) -> bool {
        let mut kept = self.kept.lock().await;
        if kept.as_ref().is_some_and(|kept| kept.token.expose_secret() == token.expose_secret()) {
            *kept = None;
        }
        matches!(self.sign_in, SignIn::Oauth { .. })
    }

    /// The system's words without the secret.
    pub fn clean(&self, words: &str) -> String {
        match &self.secret {
            Some(secret) if secret.expose_secret().len() > 3 => words.replace(secret.expose_secret(), "…"),
            _ => words.to_owned(),
        }
    }
}

async fn ask(service: &Service, client_id: &str, secret: &SecretString) -> Result<Granted> {
    let url: Url = service.base().join("oidc/v1/token").map_err(|_| failure::address())?;
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let request = service.http().await?.post(url).basic_auth(client_id, Some(secret.expose_secret()));
    let request = request.header(CONTENT_TYPE, form).body("grant_type=client_credentials&scope=all-apis");
    let answer = service.send(request, ANSWER).await?;
    match answer.status {
        StatusCode::OK => answer.json(),
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let message =
                format!("{:?} does not accept the service principal's OAuth secret", service.host());
            Err(ConnectorError::new(ErrorKind::Auth, message)
                .detail(answer.words().replace(secret.expose_secret(), "…"))
                .hint("check application ID and secret, that the secret has not ended, and that the service principal was added to this workspace"))
        }
        _ => Err(failure::api(&answer, service.host(), "sign in")),
    }
}

/// A token goes into a header.
fn carried(token: &str) -> Result<()> {
    if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(ConnectorError::new(ErrorKind::Config, "the token has characters no token has")
        .hint("paste it again"))
}
