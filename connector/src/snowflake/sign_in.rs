//! Who asks: a token made with the private key, renewed every few minutes, or a programmatic access token as it is.
//!
//! Source: "Authenticating to the server" in the documentation of Snowflake's SQL API.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::config::{Config, Method};
use crate::key::SigningKey;
use crate::{ConnectorError, ErrorKind, Result, wall};

/// Tells Snowflake what sort of token it gets; without it OAuth is assumed.
const KIND: HeaderName = HeaderName::from_static("x-snowflake-authorization-token-type");
/// How long one token is used, in seconds: signing takes milliseconds, so requests shortly after another share one.
const FRESH: i64 = 180;
/// How long a token is valid, in seconds; Snowflake honours an hour at most.
const VALID: i64 = 900;
/// Differences of clocks up to this, in seconds, are the network's.
const SAME: i64 = 10;

/// A user and what proves it.
pub struct SignIn {
    proof: Proof,
    issued: Mutex<Option<Issued>>,
    /// How many seconds Snowflake's clock is ahead, as far as a refusal made it known.
    ahead: AtomicI64,
}

enum Proof {
    Key { key: Box<SigningKey>, account: String, user: String },
    Token { token: SecretString, header: HeaderValue },
}

struct Issued {
    header: HeaderValue,
    at: i64,
}

/// What a token says; times are in seconds since 1970.
#[derive(Debug, Serialize)]
struct Claims {
    iss: String,
    sub: String,
    iat: i64,
    exp: i64,
}

impl SignIn {
    /// Takes the credential.
    ///
    /// # Errors
    /// `Config` when it is not what the configuration says.
    pub fn new(config: &Config, credential: Option<SecretString>) -> Result<Self> {
        let refuse = |text: &str| ConnectorError::new(ErrorKind::Config, format!("credential: {text}"));
        let Some(secret) = credential.filter(|secret| !secret.expose_secret().trim().is_empty()) else {
            return Err(refuse("there is none; make a key pair, or give a programmatic access token"));
        };
        let pem = secret.expose_secret().contains("-----BEGIN");
        let proof = match config.sign_in {
            Method::Token if pem => {
                return Err(refuse("this is a key, not a programmatic access token")
                    .hint("set signIn to keyPair to sign in with a key"));
            }
            Method::Token => {
                let token = secret.expose_secret().trim();
                let text = format!("Bearer {token}");
                let header = HeaderValue::from_str(&text)
                    .ok()
                    .filter(|_| !token.contains(char::is_whitespace))
                    .ok_or_else(|| refuse("a programmatic access token is one line without blanks"))?;
                Proof::Token { token: token.to_owned().into(), header: sensitive(header) }
            }
            Method::KeyPair | Method::Password => Proof::Key {
                key: Box::new(SigningKey::from_pem(secret.expose_secret())?),
                account: config.account()?.issuer,
                user: config.user.to_uppercase(),
            },
        };
        Ok(Self { proof, issued: Mutex::new(None), ahead: AtomicI64::new(0) })
    }

    /// The headers that sign a request.
    ///
    /// # Errors
    /// `Config` when the key cannot sign.
    pub fn headers(&self) -> Result<HeaderMap> {
        let (kind, header) = match &self.proof {
            Proof::Token { header, .. } => ("PROGRAMMATIC_ACCESS_TOKEN", header.clone()),
            Proof::Key { key, account, user } => ("KEYPAIR_JWT", self.issue(key, account, user)?),
        };
        Ok(HeaderMap::from_iter([(AUTHORIZATION, header), (KIND, HeaderValue::from_static(kind))]))
    }

    /// Notes that the last token was refused, and how many seconds Snowflake's clock was ahead then; tells whether a
    /// new one may do better.
    pub fn renew(&self, ahead: Option<i64>) -> bool {
        *self.issued.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.ahead.store(ahead.filter(|ahead| ahead.abs() > SAME).unwrap_or(0), Ordering::Relaxed);
        matches!(self.proof, Proof::Key { .. })
    }

    /// The fingerprint of the key's public half; none when no key is used.
    pub fn fingerprint(&self) -> Option<&str> {
        match &self.proof {
            Proof::Key { key, .. } => Some(key.fingerprint()),
            Proof::Token { .. } => None,
        }
    }

    /// The text without the secret.
    pub fn clean(&self, text: &str) -> String {
        match &self.proof {
            Proof::Token { token, .. } => text.replace(token.expose_secret(), "…"),
            Proof::Key { .. } => text.to_owned(),
        }
    }

    fn issue(&self, key: &SigningKey, account: &str, user: &str) -> Result<HeaderValue> {
        let now = wall::seconds();
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(issued) = issued.as_ref().filter(|issued| (0..FRESH).contains(&(now - issued.at))) {
            return Ok(issued.header.clone());
        }
        let at = now + self.ahead.load(Ordering::Relaxed);
        let token = key.sign(&claims(account, user, key.fingerprint(), at))?;
        let header = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
            ConnectorError::new(ErrorKind::Config, "the token cannot be sent: account and user are not plain")
        })?;
        let header = sensitive(header);
        *issued = Some(Issued { header: header.clone(), at: now });
        Ok(header)
    }
}

/// The claims for a user of an account, both in upper case: all but the fingerprint is.
fn claims(account: &str, user: &str, fingerprint: &str, at: i64) -> Claims {
    let sub = format!("{account}.{user}");
    Claims { iss: format!("{sub}.{fingerprint}"), sub, iat: at, exp: at + VALID }
}

fn sensitive(mut header: HeaderValue) -> HeaderValue {
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::key::tests::PEM;
    use crate::snowflake::config::tests::right;

    fn sign_in(account: &str, method: &str, secret: &str) -> Result<SignIn> {
        let mut json = right();
        json["account"] = account.into();
        json["user"] = "sync_svc".into();
        json["signIn"] = method.into();
        let config: Config = serde_json::from_value(json).expect("a configuration");
        SignIn::new(&config, Some(secret.to_owned().into()))
    }

    fn payload(sign_in: &SignIn) -> serde_json::Value {
        let headers = sign_in.headers().expect("headers");
        let bearer = headers[AUTHORIZATION].to_str().expect("text").to_owned();
        let payload = bearer.split('.').nth(1).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("claims")
    }

    #[test]
    fn pitfall_19_the_issuer_has_neither_region_nor_cloud_nor_private_link() {
        for (account, name) in [
            ("myorg-my_acct", "MYORG-MY_ACCT"),
            ("xy12345.eu-central-1", "XY12345"),
            ("xy12345.west-europe.privatelink.snowflakecomputing.com", "XY12345"),
        ] {
            let sign_in = sign_in(account, "keyPair", &PEM).expect("a key");
            let claims = payload(&sign_in);
            let fingerprint = sign_in.fingerprint().expect("a key has one");
            assert_eq!(claims["sub"], format!("{name}.SYNC_SVC"));
            assert_eq!(claims["iss"], format!("{name}.SYNC_SVC.{fingerprint}"));
            let (issued, expires) = (claims["iat"].as_i64(), claims["exp"].as_i64());
            assert!(
                issued
                    .zip(expires)
                    .is_some_and(|(at, end)| at <= wall::seconds() && (60..3_600).contains(&(end - at)))
            );
        }
    }

    #[test]
    fn a_refused_token_is_made_anew_by_the_clock_of_the_refusal() {
        let sign_in = sign_in("myorg-acct", "keyPair", &PEM).expect("a key");
        let first = payload(&sign_in)["iat"].as_i64().expect("a time");
        assert!(sign_in.renew(Some(-300)));
        let second = payload(&sign_in)["iat"].as_i64().expect("a time");
        assert!((second - first + 300).abs() < 60, "{first} {second}");
        assert!(sign_in.renew(Some(3)));
        assert!((payload(&sign_in)["iat"].as_i64().expect("a time") - first).abs() < 60);
    }

    #[test]
    fn a_token_is_sent_as_it_is_and_never_shown() {
        let secret = "pat-hunter2";
        let sign_in = sign_in("myorg-acct", "token", &format!(" {secret}\n")).expect("a token");
        let headers = sign_in.headers().expect("headers");
        assert_eq!(headers[AUTHORIZATION].to_str().ok(), Some("Bearer pat-hunter2"));
        assert_eq!(headers[KIND], "PROGRAMMATIC_ACCESS_TOKEN");
        assert!(!format!("{headers:?}").contains(secret));
        assert!(!sign_in.renew(None));
        assert_eq!(sign_in.clean("token pat-hunter2 is bad"), "token … is bad");
    }

    #[test]
    fn a_credential_of_the_wrong_sort_is_refused() {
        for (method, secret, wanted) in [
            ("keyPair", "pat-hunter2", "no private key"),
            ("token", PEM.as_str(), "this is a key"),
            ("token", "two words", "without blanks"),
            ("token", " ", "there is none"),
        ] {
            let error = sign_in("myorg-acct", method, secret).err().expect("a wrong credential");
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.message().contains(wanted), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
