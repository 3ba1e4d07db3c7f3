//! Signing in as a service account: an assertion of our own making for a token that lasts an hour.
//!
//! Source: RFC 7523 as Google describes it in "Using OAuth 2.0 for Server to Server Applications".

use std::time::Duration;

use jsonwebtoken::{Algorithm, Header};
use reqwest::header;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::key::{Key, TOKEN_URL};
use crate::guard::Policy;
use crate::http::{self, Answer, Service};
use crate::{ConnectorError, ErrorKind, Result, wall};

/// What a token is good for: reading, and running statements.
const SCOPE: &str = "https://www.googleapis.com/auth/bigquery";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long an assertion holds, in seconds: the longest Google takes.
const LIFETIME: i64 = 3_600;
/// How long before its end a token is no longer used, in seconds.
const EARLY: i64 = 300;
/// The longest the endpoint may send nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// The most bytes of its answer.
const MOST: usize = 64 * 1024;

/// What an assertion says.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

/// A token and the second since 1970 from which on it is not used.
struct Token {
    secret: SecretString,
    until: i64,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    #[serde(default)]
    expires_in: i64,
}

#[derive(Default, Deserialize)]
struct Denied {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// One account and the token it has at the moment.
pub struct Session {
    key: Key,
    service: Service,
    token: Mutex<Option<Token>>,
}

impl Session {
    /// Prepares a session; it signs in on first use.
    pub fn new(key: Key, policy: Policy) -> Self {
        let service = Service::new(key.token_url.clone(), policy, SILENCE);
        Self { key, service, token: Mutex::new(None) }
    }

    /// The account's e-mail address.
    pub fn email(&self) -> &str {
        &self.key.email
    }

    /// Resolves the endpoint's host.
    ///
    /// # Errors
    /// What the guard refuses.
    pub async fn resolve(&self) -> Result<String> {
        self.service.resolve().await
    }

    /// A token that holds; the one in use unless it is `stale`, which the system has refused.
    ///
    /// # Errors
    /// `Auth` when Google refuses the account, or what kept it from answering.
    pub async fn token(&self, stale: Option<&SecretString>) -> Result<SecretString> {
        // Held while signing in, so that many streams sign in once.
        let mut kept = self.token.lock().await;
        let refused =
            |token: &Token| stale.is_some_and(|it| it.expose_secret() == token.secret.expose_secret());
        if let Some(token) = kept.as_ref().filter(|token| wall::seconds() < token.until && !refused(token)) {
            return Ok(token.secret.clone());
        }
        *kept = None;
        let token = http::patiently(|_| self.sign_in()).await?;
        let secret = token.secret.clone();
        *kept = Some(token);
        Ok(secret)
    }

    async fn sign_in(&self) -> Result<Token> {
        let signed = wall::seconds();
        let assertion = self.assertion(signed)?;
        let form = form(&[("grant_type", GRANT), ("assertion", assertion.expose_secret())]);
        let request = self.service.http().await?.post(self.service.base().clone());
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        let answer = self.service.send(request, MOST).await?;
        if !answer.status.is_success() {
            return Err(self.denied(&answer));
        }
        let granted: Granted = answer.json()?;
        Ok(Token { secret: granted.access_token, until: until(signed, granted.expires_in) })
    }

    /// The assertion made at that second since 1970.
    fn assertion(&self, at: i64) -> Result<SecretString> {
        let header = Header { kid: Some(self.key.id.clone()), ..Header::new(Algorithm::RS256) };
        let claims =
            Claims { iss: &self.key.email, scope: SCOPE, aud: TOKEN_URL, iat: at, exp: at + LIFETIME };
        let signed = jsonwebtoken::encode(&header, &claims, &self.key.signer).map_err(|_| {
            ConnectorError::new(ErrorKind::Config, "key: the field private_key cannot sign")
                .hint("paste the whole file as Google gave it out")
        })?;
        Ok(signed.into())
    }

    fn denied(&self, answer: &Answer) -> ConnectorError {
        let Ok(denied) = serde_json::from_slice::<Denied>(&answer.body) else {
            return http::refused(self.service.host(), answer.status, &answer.headers, &answer.words());
        };
        if answer.status.as_u16() == 429 || answer.status.is_server_error() || denied.error.is_empty() {
            let said = format!("{} {}", denied.error, denied.error_description);
            return http::refused(self.service.host(), answer.status, &answer.headers, &said);
        }
        let email = self.email();
        let ahead = answer.clock_offset().unwrap_or_default();
        let (message, hint) = if ahead.abs() > 60 {
            let message =
                format!("Google refused the sign-in of {email}, and its clock is {ahead} s ahead of ours");
            (message, "set the clock of Weir's machine; assertions hold only around the time they were made")
        } else if denied.error == "invalid_grant" {
            let hint =
                "its key may have been deleted or disabled, or the account may be gone; make a new key";
            (format!("Google refused the key of {email}"), hint)
        } else {
            (format!("Google refused the sign-in of {email}"), "see Google's own words")
        };
        let said = format!("{}: {}", denied.error, denied.error_description);
        ConnectorError::new(ErrorKind::Auth, message).hint(hint).detail(said)
    }
}

/// Pairs as the body of a form.
fn form(pairs: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        text.bytes()
            .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect()
    };
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    pairs.join("&")
}

/// Until when a token granted then is used, in seconds since 1970. None lasts longer than Google grants, whatever is said
/// of it.
fn until(signed: i64, expires_in: i64) -> i64 {
    let lasts = if expires_in <= 0 { LIFETIME } else { expires_in.min(LIFETIME) };
    signed + lasts - EARLY.min(lasts / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_used_until_shortly_before_its_end_and_an_hour_at_most() {
        for (told, used) in
            [(3_599, 3_299), (0, 3_300), (60, 30), (86_401, 3_300), (i64::MAX, 3_300), (-1, 3_300)]
        {
            assert_eq!(until(1_790_000_000, told), 1_790_000_000 + used, "{told}");
        }
    }
}
