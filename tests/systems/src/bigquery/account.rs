//! A service account, as Google sees it: what it signs is checked, and what it is given wears off.
//!
//! Source: "Using OAuth 2.0 for Server to Server Applications".

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey, LineEnding};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What every assertion must ask for.
const SCOPE: &str = "https://www.googleapis.com/auth/bigquery";
/// Whom every assertion must be for.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What an assertion says; nothing else may be in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Who asks.
    pub iss: String,
    /// For what.
    pub scope: String,
    /// Whom.
    pub aud: String,
    /// Since when it holds, in seconds since 1970.
    pub iat: u64,
    /// Until when.
    pub exp: u64,
}

/// An account with one key.
pub struct Account {
    /// Its e-mail address.
    pub email: String,
    /// Its key's ID.
    pub key_id: String,
    private: String,
    public: DecodingKey,
    tokens: Mutex<Tokens>,
}

#[derive(Default)]
struct Tokens {
    good: HashSet<String>,
    signed: Vec<Signed>,
}

/// What an assertion was signed as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Algorithm, type and key, as the header names them.
    pub header: Value,
    /// What it says.
    pub claims: Claims,
}

impl Account {
    /// An account with that private key, as PEM.
    pub fn new(private: &str) -> Result<Self> {
        let key = RsaPrivateKey::from_pkcs8_pem(private).context("the account's key is no RSA key")?;
        let public = key.to_public_key().to_public_key_pem(LineEnding::LF)?;
        Ok(Self {
            email: "weir@weir-data.iam.gserviceaccount.com".to_owned(),
            key_id: "0123456789abcdef".to_owned(),
            private: private.to_owned(),
            public: DecodingKey::from_rsa_pem(public.as_bytes())?,
            tokens: Mutex::default(),
        })
    }

    /// The key file as Google gives it out, with its token endpoint at an address.
    pub fn key_file(&self, token_uri: &str) -> Value {
        json!({
            "type": "service_account",
            "project_id": "weir-data",
            "private_key_id": self.key_id,
            "private_key": self.private,
            "client_email": self.email,
            "client_id": "100000000000000000001",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        })
    }

    /// Exchanges a form for a token, or says what Google says.
    pub fn token(&self, form: &str) -> std::result::Result<Value, Value> {
        let denied =
            |error: anyhow::Error| json!({"error": "invalid_grant", "error_description": error.to_string()});
        let signed = self.verified(form).map_err(denied)?;
        let token = format!("ya29.{}", uuid::Uuid::now_v7().simple());
        let mut tokens = self.lock();
        tokens.good.insert(token.clone());
        tokens.signed.push(signed);
        Ok(json!({"access_token": token, "expires_in": 3_599, "token_type": "Bearer"}))
    }

    fn verified(&self, form: &str) -> Result<Signed> {
        let body: BTreeMap<String, String> =
            reqwest::Url::parse(&format!("form:?{form}"))?.query_pairs().into_owned().collect();
        ensure!(body.keys().eq(["assertion", "grant_type"]), "the form has other fields");
        ensure!(body["grant_type"] == GRANT, "unsupported grant type");
        let header = jsonwebtoken::decode_header(&body["assertion"]).context("Invalid JWT")?;
        ensure!(header.alg == Algorithm::RS256 && header.typ.as_deref() == Some("JWT"), "Invalid JWT header");
        ensure!(header.kid.as_deref() == Some(&self.key_id), "Invalid JWT Signature.");
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[&self.email]);
        let claims: Claims = jsonwebtoken::decode(&body["assertion"], &self.public, &rules)
            .context("Invalid JWT Signature.")?
            .claims;
        ensure!(claims.scope == SCOPE, "invalid scope");
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let fresh = claims.iat.abs_diff(now) <= 60 && claims.exp > now && claims.exp <= claims.iat + 3_600;
        if !fresh {
            bail!(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe"
            );
        }
        Ok(Signed { header: json!({"alg": "RS256", "typ": header.typ, "kid": header.kid}), claims })
    }

    /// Tells whether a request may pass.
    pub fn knows(&self, authorization: Option<&str>) -> bool {
        let token = authorization.and_then(|it| it.strip_prefix("Bearer "));
        token.is_some_and(|token| self.lock().good.contains(token))
    }

    /// From now on no token given so far is good.
    pub fn expire(&self) {
        self.lock().good.clear();
    }

    /// What was signed so far.
    pub fn signed(&self) -> Vec<Signed> {
        self.lock().signed.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().expect("no holder of the lock panics")
    }
}
