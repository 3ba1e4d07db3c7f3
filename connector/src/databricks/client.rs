//! Requests to one workspace: signed in, sent again when that is safe, and refused ones told apart.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::config::Config;
use super::failure;
use super::links::Links;
use super::token::Tokens;
use crate::guard::Policy;
use crate::http::{Answer, Service, patiently};
use crate::{ConnectorError, ErrorKind, Moment, Result};

/// The longest the workspace may send nothing. A statement's answer may be held back for [`super::run::WAIT`].
const SILENCE: std::time::Duration = std::time::Duration::from_secs(60);
/// A little more than an answer may be held back.
const HELD: std::time::Duration = std::time::Duration::from_secs(12);
/// The most bytes of a small answer.
pub const SMALL: usize = 16 << 20;
/// The most bytes of an answer that holds rows: 25 MiB of values, each of which may be escaped.
pub const ROWS: usize = 96 << 20;

/// One workspace as one user sees it.
pub struct Client {
    config: Config,
    warehouse: String,
    service: Service,
    tokens: Tokens,
    policy: Policy,
    links: Links,
}

/// One request, by its parts.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What it attempts, for messages: `list the catalogs`.
    pub doing: &'a str,
    /// The parts of the path, not escaped.
    pub path: &'a [&'a str],
    /// Names and values of the query, not escaped.
    pub query: &'a [(&'a str, &'a str)],
    /// What is posted; without it, it is a GET.
    pub body: Option<&'a Value>,
    /// The most bytes of its answer.
    pub most: usize,
}

impl Client {
    /// Prepares a client; it connects on first use.
    ///
    /// # Errors
    /// `Config`, naming the field that is wrong.
    pub fn new(config: Config, credential: Option<SecretString>, policy: &Policy) -> Result<Self> {
        let base = match policy.base_urls.get(super::NAME) {
            Some(url) => url.clone(),
            None => config.url()?,
        };
        // A request is held back for some seconds at most, and no statement runs longer than it may.
        let silence = SILENCE.min(HELD + policy.statement_timeout);
        Ok(Self {
            warehouse: config.warehouse_id()?.to_owned(),
            service: Service::new(base, policy.clone(), silence),
            tokens: Tokens::new(config.sign_in.clone(), credential),
            links: Links::new(policy.clone(), silence),
            policy: policy.clone(),
            config,
        })
    }

    /// What was configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The warehouse's ID.
    pub fn warehouse(&self) -> &str {
        &self.warehouse
    }

    /// What the operator allows.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Where large results are fetched from.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// The workspace's host, for messages.
    pub fn host(&self) -> &str {
        self.service.host()
    }

    /// Resolves the host and tells the address requests go to.
    ///
    /// # Errors
    /// What the guard refuses.
    pub async fn resolve(&self) -> Result<String> {
        self.service.resolve().await
    }

    /// Sends a request, again where that is safe, and gives its answer when it succeeded.
    ///
    /// # Errors
    /// What the workspace or the way to it refused.
    pub async fn call(&self, request: Request<'_>) -> Result<Answer> {
        patiently(|_| self.once(request)).await
    }

    async fn once(&self, request: Request<'_>) -> Result<Answer> {
        let mut again = true;
        loop {
            let token = self.tokens.token(&self.service).await?;
            let answer = self.send(request, &token).await?;
            if answer.status.is_success() {
                return Ok(answer);
            }
            // The token may have been revoked before its end.
            if again && failure::token_refused(&answer) && self.tokens.refused(&token).await {
                again = false;
                continue;
            }
            let error = failure::api(&answer, self.host(), request.doing);
            return Err(match error.system_text().map(|words| self.tokens.clean(words)) {
                Some(words) => error.detail(words),
                None => error,
            });
        }
    }

    async fn send(&self, request: Request<'_>, token: &SecretString) -> Result<Answer> {
        let mut url = self.service.base().clone();
        url.path_segments_mut().map_err(|()| failure::address())?.pop_if_empty().extend(request.path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(request.query);
        }
        let http = self.service.http().await?;
        let built = match request.body {
            Some(body) => http.post(url).json(body),
            None => http.get(url),
        };
        self.service.send(built.bearer_auth(token.expose_secret()), request.most).await
    }
}

/// The clock of whoever gave that answer, to the second.
///
/// # Errors
/// `Protocol` when it does not tell.
pub fn clock(answer: &Answer, host: &str) -> Result<Moment> {
    let told = answer.clock().map(|seconds| Moment { seconds, nanos: 0 });
    told.ok_or_else(|| ConnectorError::new(ErrorKind::Protocol, format!("{host:?} does not tell its clock")))
}
