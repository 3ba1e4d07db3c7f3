//! How a statement proves who sends it. Schemes are never mixed: the server refuses that.

use base64::Engine as _;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::config::{Config, SignIn};
use crate::http::Tls;
use crate::{Cell, ConnectorError, ErrorKind, Moment, Result};

const USER: HeaderName = HeaderName::from_static("x-clickhouse-user");
const KEY: HeaderName = HeaderName::from_static("x-clickhouse-key");
const BY_CERTIFICATE: HeaderName = HeaderName::from_static("x-clickhouse-ssl-certificate-auth");

/// Who signs in and with what. Has no `Debug`: it holds the secret.
pub struct Credential {
    user: String,
    sign_in: SignIn,
    secret: SecretString,
}

impl Credential {
    /// Takes the secret, and gives it with the TLS it is for.
    ///
    /// # Errors
    /// `Config` when it is missing, or is no certificate where one is needed.
    pub fn new(config: &Config, secret: Option<SecretString>) -> Result<(Self, Tls)> {
        let tls = config.tls()?;
        let missing = |text: &str| ConnectorError::new(ErrorKind::Config, text);
        let (secret, tls) = match (config.sign_in, secret) {
            (SignIn::Password, secret) => (secret.unwrap_or_default(), tls),
            (SignIn::Token, Some(secret)) if !secret.expose_secret().trim().is_empty() => (secret, tls),
            (SignIn::Token, _) => return Err(missing("credential: give the token")),
            (SignIn::Certificate, Some(secret)) => {
                let tls = tls.proving(&secret)?;
                (secret, tls)
            }
            (SignIn::Certificate, None) => {
                return Err(missing("credential: give the client certificate and its private key as PEM"));
            }
        };
        Ok((Self { user: config.user.clone(), sign_in: config.sign_in, secret }, tls))
    }

    /// The headers of a statement.
    ///
    /// # Errors
    /// `Config` when HTTP cannot carry a letter of them.
    pub fn headers(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        let secret = self.secret.expose_secret();
        match self.sign_in {
            SignIn::Token => {
                headers.insert(header::AUTHORIZATION, value(&format!("Bearer {}", secret.trim()))?);
            }
            SignIn::Certificate => {
                headers.insert(USER, value(&self.user)?);
                headers.insert(BY_CERTIFICATE, HeaderValue::from_static("on"));
            }
            SignIn::Password if plain(&self.user) && plain(secret) => {
                headers.insert(USER, value(&self.user)?);
                headers.insert(KEY, value(secret)?);
            }
            SignIn::Password => {
                // Header values lose blanks at their ends.
                let pair = format!("{}:{secret}", self.user);
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                headers.insert(header::AUTHORIZATION, value(&format!("Basic {pair}"))?);
            }
        }
        Ok(headers)
    }

    /// A text of the server's without the secret.
    pub fn scrub(&self, text: &str) -> String {
        let secret = self.secret.expose_secret().trim();
        if secret.len() > 3 { text.replace(secret, "…") } else { text.to_owned() }
    }

    /// The error for a sign-in that was refused, in the words of how it was tried.
    pub fn refused(&self, error: ConnectorError) -> ConnectorError {
        let (message, hint) = match self.sign_in {
            SignIn::Password => return error,
            SignIn::Token => (
                "the server refused the token",
                "paste a token that is still valid; check that the service trusts who issued it, and that its access list lets Weir in",
            ),
            SignIn::Certificate => (
                "the server refused the client certificate",
                "the user must be IDENTIFIED WITH ssl_certificate for the common name or alternative name of this very certificate",
            ),
        };
        let told = ConnectorError::new(error.kind(), message).hint(hint);
        error.system_text().map_or(told.clone(), |text| told.detail(text))
    }

    /// When the token ends, as it says itself (RFC 7519 4.1.4), for people.
    pub fn ends(&self) -> Option<String> {
        if self.sign_in != SignIn::Token {
            return None;
        }
        let claims = self.secret.expose_secret().trim().split('.').nth(1)?;
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).ok()?;
        let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
        let seconds = claims.get("exp")?.as_f64()?;
        let ends = (0.0..4e11).contains(&seconds).then_some(Moment { seconds: seconds as i64, nanos: 0 })?;
        Some(Cell::Zoned(ends).to_string())
    }
}

fn value(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
        ConnectorError::new(ErrorKind::Config, "user or credential has a character HTTP cannot carry")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Tells whether a header carries the text as it is.
fn plain(text: &str) -> bool {
    text.trim() == text && text.bytes().all(|byte| byte >= 0x20 && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(sign_in: &str, secret: &str) -> Result<Credential> {
        let config = serde_json::json!({"host": "db", "user": "reader", "signIn": sign_in});
        let config: Config = serde_json::from_value(config).expect("a configuration");
        Ok(Credential::new(&config, Some(SecretString::from(secret)))?.0)
    }

    #[test]
    fn each_way_to_sign_in_has_its_own_headers() {
        let names = |sign_in, secret| -> Vec<String> {
            let headers = credential(sign_in, secret).and_then(|it| it.headers()).expect("headers");
            assert!(!format!("{headers:?}").contains("secret"), "{headers:?}");
            headers.keys().map(ToString::to_string).collect()
        };
        assert_eq!(names("password", "secret"), ["x-clickhouse-user", "x-clickhouse-key"]);
        assert_eq!(names("password", " secret"), ["authorization"]);
        assert_eq!(names("token", " a.secret.c\n"), ["authorization"]);
    }

    #[test]
    fn a_credential_of_the_wrong_sort_is_refused_without_being_shown() {
        for (sign_in, secret, wanted) in [
            ("token", "  ", "credential: give the token"),
            ("certificate", "hunter2", "credential: give the client certificate as PEM"),
            (
                "certificate",
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nhunter2",
                "credential: the private key has a passphrase",
            ),
        ] {
            let error = credential(sign_in, secret).err().expect("refused");
            assert!(error.message().starts_with(wanted), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn pitfall_39_the_end_of_a_token_is_read_from_it() {
        let token = |claims: &str| {
            let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
            credential("token", &format!("e30.{claims}.c2ln")).expect("a token").ends()
        };
        assert_eq!(token(r#"{"exp":1772272800}"#).as_deref(), Some("2026-02-28T10:00:00Z"));
        for other in ["{}", r#"{"exp":"soon"}"#, r#"{"exp":1e300}"#, "no JSON"] {
            assert_eq!(token(other), None, "{other}");
        }
        assert_eq!(credential("password", "a.b.c").expect("a password").ends(), None);
    }
}
