//! Requests to BigQuery's REST interface, signed in.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode, Url, header};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::config::Config;
use super::refusal::{self, Refusal, Who};
use super::sign_in::Session;
use crate::guard::Policy;
use crate::http::{Answer, Service};
use crate::{ConnectorError, ErrorKind, Result};

/// Google's own address.
const BASE: &str = "https://bigquery.googleapis.com";
/// The path all methods are under.
const PREFIX: [&str; 2] = ["bigquery", "v2"];
/// The longest the service may send nothing; it holds requests back for as long as they ask, 20 s here.
const SILENCE: Duration = Duration::from_secs(80);
/// The most bytes of an answer: pages are cut at 10 MB by the service, counted in its own way.
const MOST: usize = 64 << 20;
/// Google compresses only for those who say so twice.
const AGENT: &str = "Weir (gzip)";

/// One request.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Arc<Value>>,
}

impl Call {
    /// Asks for what is at a path below the interface's own, part by part.
    pub fn get(path: &[&str]) -> Self {
        Self { method: Method::GET, path: owned(path), query: Vec::new(), body: None }
    }

    /// Sends a body to a path.
    pub fn post(path: &[&str], body: Option<Value>) -> Self {
        Self { method: Method::POST, path: owned(path), query: Vec::new(), body: body.map(Arc::new) }
    }

    /// Adds a parameter, unless there is no value.
    pub fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }
}

fn owned(path: &[&str]) -> Vec<String> {
    path.iter().map(|part| (*part).to_owned()).collect()
}

/// Where BigQuery is and who asks.
pub struct Client {
    config: Config,
    session: Session,
    service: Service,
    patience: Duration,
}

impl Client {
    /// Prepares a client; it connects on first use.
    ///
    /// # Errors
    /// `Config` when the address to use instead of Google's takes no path.
    pub fn new(config: Config, session: Session, base: Option<&Url>, policy: &Policy) -> Result<Self> {
        let refuse = || ConnectorError::new(ErrorKind::Config, "the address of BigQuery cannot be used");
        let mut url = base.cloned().map_or_else(|| Url::parse(BASE), Ok).map_err(|_| refuse())?;
        url.path_segments_mut().map_err(|()| refuse())?.pop_if_empty().extend(PREFIX);
        // A request is held back no longer than its statement may take.
        let silence = SILENCE.min(policy.statement_timeout * 2);
        let service = Service::new(url, policy.clone(), silence);
        Ok(Self { config, session, service, patience: policy.statement_timeout })
    }

    /// What was configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The account.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// How long a statement may take.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Resolves the hosts and tells the address requests go to.
    ///
    /// # Errors
    /// What the guard refuses.
    pub async fn resolve(&self) -> Result<String> {
        self.session.resolve().await?;
        self.service.resolve().await
    }

    /// Who is refused, for what to grant to whom.
    pub fn who(&self) -> Who<'_> {
        Who {
            email: self.session.email(),
            project: &self.config.project,
            data_project: self.config.data_project(),
            dataset: self.config.dataset.as_deref(),
        }
    }

    /// Asks until there is an answer or it is no use; for requests that change nothing.
    ///
    /// # Errors
    /// What the service or the way to it refused.
    pub async fn fetch<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        self.answer(call).await.map_err(|refusal| refusal.error)?.json()
    }

    /// The same, with the answer as it is.
    ///
    /// # Errors
    /// What the service or the way to it refused, by its reason.
    pub async fn answer(&self, call: &Call) -> std::result::Result<Answer, Refusal> {
        refusal::patiently(|_| self.once(call)).await
    }

    /// Asks once, or twice when the token is refused.
    ///
    /// # Errors
    /// What the service or the way to it refused.
    pub async fn once(&self, call: &Call) -> std::result::Result<Answer, Refusal> {
        let lost = Refusal::from;
        let mut stale = None;
        loop {
            let token = self.session.token(stale.as_ref()).await.map_err(lost)?;
            let mut request =
                self.service.http().await.map_err(lost)?.request(call.method.clone(), self.url(call));
            request = request.header(header::USER_AGENT, AGENT).bearer_auth(token.expose_secret());
            request = match &call.body {
                Some(body) => request.json(&**body),
                None if call.method == Method::POST => request.header(header::CONTENT_LENGTH, 0),
                None => request,
            };
            let answer = self.service.send(request, MOST).await.map_err(lost)?;
            if answer.status.is_success() {
                return Ok(answer);
            }
            if answer.status != StatusCode::UNAUTHORIZED {
                return Err(Refusal::of(&answer, self.service.host(), self.who()));
            }
            if stale.is_some() {
                let message = format!("BigQuery refused a fresh token of {}", self.session.email());
                let error = ConnectorError::new(ErrorKind::Auth, message)
                    .hint("the account may just have been disabled; see it in IAM & Admin, Service Accounts")
                    .detail(answer.words());
                return Err(lost(error));
            }
            stale = Some(token);
        }
    }

    fn url(&self, call: &Call) -> Url {
        let mut url = self.service.base().clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        url
    }
}
