//! Calls of the SQL API: statements submitted once whatever happens on the way, waited for, and cancelled when nobody
//! waits any longer.
//!
//! Sources: "Submitting a request to execute SQL statements" and "Handling responses" in Snowflake's documentation.

mod explain;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use secrecy::SecretString;
use tokio::sync::oneshot;

use super::config::Config;
use super::decode::{Expected, Limits};
use super::dialect::quote_user;
use super::head::{Envelope, garbled};
use super::refusal::{self, Circumstances, Refusal};
use super::rows::Rows;
use super::running::Running;
use super::sign_in::SignIn;
use super::statement::{Session, Statement, Submission};
use crate::guard::Policy;
use crate::http::{self, Answer, Service, Stall};
use crate::{Batch, ConnectorError, Cost, ErrorKind, Result, wall};

/// The kind's name in [`Policy::base_urls`].
pub const KIND: &str = "snowflake";
/// What Weir calls itself.
const AGENT: &str = concat!("Weir/", env!("CARGO_PKG_VERSION"));
/// The most bytes of an answer without rows.
const SMALL: usize = 1 << 20;
/// The server answers a statement that is still running after this.
const SYNCHRONOUS: Duration = Duration::from_secs(45);
/// Beyond that, or beyond a statement's own limit, it is gone after this much silence.
const PATIENCE: Duration = Duration::from_secs(30);
/// How large the results of small statements may be.
const WHOLE: Limits = Limits { rows: 1_000_000, bytes: 256 << 20, cell: 16 << 20 };

/// An account, and a user who asks.
pub struct Client {
    config: Config,
    service: Service,
    sign_in: SignIn,
    timeout: Duration,
    stall: Stall,
    ahead: Mutex<Option<i64>>,
}

/// A statement that is done: the answer with its first partition, which has only begun to arrive.
pub struct Done {
    /// The answer.
    pub response: Response,
    /// The statement's handle, where it was told before.
    pub handle: Option<String>,
}

enum Submitted {
    Done(Done),
    Running(Running),
}

/// What a call asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    /// That a statement be run.
    Statement,
    /// Whether it is done.
    Progress,
    /// Rows of a statement that is done.
    Rows,
}

impl Client {
    /// Prepares a client; it connects on first use.
    ///
    /// # Errors
    /// `Config` when the configuration or the credential cannot be used.
    pub fn new(config: Config, credential: Option<SecretString>, policy: &Policy) -> Result<Self> {
        let base = match policy.base_urls.get(KIND) {
            Some(base) => base.clone(),
            None => config.url()?,
        };
        let sign_in = SignIn::new(&config, credential)?;
        let timeout = policy.statement_timeout.max(Duration::from_secs(1));
        let service = Service::new(base, policy.clone(), timeout.min(SYNCHRONOUS) + PATIENCE.min(timeout));
        Ok(Self { config, service, sign_in, timeout, stall: Stall::of_rows(policy), ahead: Mutex::new(None) })
    }

    /// What was configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The account's host.
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

    /// How long a statement may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long an answer of rows may bring none.
    pub fn stall(&self) -> Stall {
        self.stall.clone()
    }

    /// Runs a statement with a small result.
    ///
    /// # Errors
    /// What Snowflake or the way to it refused.
    pub async fn fetch(self: &Arc<Self>, statement: &Statement) -> Result<Batch> {
        self.fetch_as(statement, Session::Whole, None).await
    }

    /// Runs a statement with a small result of those columns, at the cost of whoever asks.
    ///
    /// # Errors
    /// What Snowflake or the way to it refused.
    pub async fn fetch_as(
        self: &Arc<Self>,
        statement: &Statement,
        session: Session,
        expected: Option<Vec<Expected>>,
    ) -> Result<Batch> {
        let submission = self.prepare(statement, session, "Weir")?;
        let mut rows = self.rows(submission, expected, WHOLE, &Cost::current()).await?;
        let Some(batch) = rows.next().await? else { return Ok(rows.empty()) };
        if rows.next().await?.is_some() {
            return Err(garbled("the answer is larger than can be taken at once"));
        }
        Ok(batch)
    }

    /// Prepares a statement.
    ///
    /// # Errors
    /// `Config` when it cannot be sent.
    pub fn prepare(&self, statement: &Statement, session: Session, tag: &str) -> Result<Submission> {
        Submission::new(statement, &self.config, session, self.timeout.as_secs(), tag)
    }

    /// Runs a statement and streams its rows.
    ///
    /// # Errors
    /// What Snowflake or the way to it refused before the first row.
    pub async fn rows(
        self: &Arc<Self>,
        submission: Submission,
        expected: Option<Vec<Expected>>,
        limits: Limits,
        cost: &Cost,
    ) -> Result<Rows> {
        let start = wall::moment();
        cost.add_statement();
        let done = self.run(&submission, false).await;
        cost.add_time(start.elapsed());
        Ok(Rows::new(Arc::clone(self), submission, done?, expected, limits))
    }

    /// Submits a statement and waits until it is done. `again` says that it was submitted before.
    ///
    /// # Errors
    /// What Snowflake or the way to it refused.
    pub async fn run(self: &Arc<Self>, submission: &Submission, again: bool) -> Result<Done> {
        match http::patiently(|tried| self.submit(submission, again || tried > 0)).await? {
            Submitted::Done(done) => Ok(done),
            Submitted::Running(running) => running.wait().await,
        }
    }

    /// Submits once, in a task of its own: when nobody waits any longer, what is running must still be cancelled, and
    /// its handle is in the answer.
    async fn submit(self: &Arc<Self>, submission: &Submission, again: bool) -> Result<Submitted> {
        let (tell, told) = oneshot::channel();
        let (client, submission) = (Arc::clone(self), submission.clone());
        tokio::spawn(async move {
            let submitted = client.submitted(&submission, again).await;
            // An answer nobody hears is dropped, and with it the statement is cancelled.
            drop(tell.send(submitted));
        });
        let stopped = |_| Err(ConnectorError::new(ErrorKind::Unavailable, "the statement was given up"));
        told.await.unwrap_or_else(stopped)
    }

    async fn submitted(self: &Arc<Self>, submission: &Submission, again: bool) -> Result<Submitted> {
        let id = submission.id.to_string();
        let mut query = vec![("requestId", id.as_str()), ("async", "false")];
        if again {
            query.push(("retry", "true"));
        }
        let url = self.url("api/v2/statements", &query)?;
        let response = self.call(&Method::POST, &url, Some(submission)).await?;
        match response.status() {
            StatusCode::OK => Ok(Submitted::Done(Done { response, handle: None })),
            StatusCode::ACCEPTED => {
                let envelope: Envelope = Answer::read(response, self.host(), SMALL).await?.json()?;
                let handle = envelope.statement_handle.filter(|handle| valid(handle));
                let handle = handle.ok_or_else(|| garbled("a running statement has no handle"))?;
                Ok(Submitted::Running(Running::new(Arc::clone(self), handle)))
            }
            _ => Err(self.refused(response, About::Statement).await),
        }
    }

    /// Asks whether a statement is done; nothing while it is running.
    ///
    /// # Errors
    /// Why the statement failed, or what Snowflake or the way to it refused.
    pub async fn poll(&self, handle: &str) -> Result<Option<Response>> {
        http::patiently(async |_| {
            let url = self.url(&format!("api/v2/statements/{handle}"), &[])?;
            let response = self.call(&Method::GET, &url, None).await?;
            match response.status() {
                StatusCode::OK => Ok(Some(response)),
                StatusCode::ACCEPTED | StatusCode::TOO_MANY_REQUESTS => Ok(None),
                _ => Err(self.refused(response, About::Progress).await),
            }
        })
        .await
    }

    /// Asks for one partition of a result, the first being 0.
    ///
    /// # Errors
    /// What Snowflake or the way to it refused; `Unavailable` when the result is kept no longer.
    pub async fn partition(&self, handle: &str, number: usize) -> Result<Response> {
        let number = number.to_string();
        let asked = http::patiently(async |_| {
            let url = self.url(&format!("api/v2/statements/{handle}"), &[("partition", &number)])?;
            let response = self.call(&Method::GET, &url, None).await?;
            match response.status().as_u16() {
                200 => Ok(Ok(response)),
                // Asking again does not bring it back.
                404 | 410 | 422 => Ok(Err(self.refused(response, About::Rows).await)),
                _ => Err(self.refused(response, About::Rows).await),
            }
        });
        asked.await?
    }

    /// Cancels a statement. What comes of it does not matter to anybody.
    pub async fn cancel(&self, handle: &str) {
        let Ok(url) = self.url(&format!("api/v2/statements/{handle}/cancel"), &[]) else { return };
        if let Err(error) = self.call(&Method::POST, &url, None).await {
            tracing::debug!(%error, "a statement could not be cancelled");
        }
    }

    /// How many seconds Snowflake's clock was ahead of this machine's when it last answered.
    pub fn ahead(&self) -> Option<i64> {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request; one whose token is refused is sent once more with a new token.
    async fn call(&self, method: &Method, url: &Url, submission: Option<&Submission>) -> Result<Response> {
        let mut first = true;
        loop {
            let response = self.service.start(self.request(method, url, submission).await?).await?;
            *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) =
                http::clock_offset(response.headers());
            if response.status() != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
            let answer = Answer::read(response, self.host(), SMALL).await?;
            let renewed = self.sign_in.renew(self.ahead());
            if !(std::mem::take(&mut first) && renewed) {
                return Err(self.explain(&answer, About::Statement));
            }
        }
    }

    async fn request(
        &self,
        method: &Method,
        url: &Url,
        submission: Option<&Submission>,
    ) -> Result<RequestBuilder> {
        let http = self.service.http().await?;
        let request = http.request(method.clone(), url.clone()).headers(self.sign_in.headers()?);
        let request = request.header(USER_AGENT, AGENT).header(ACCEPT, "application/json");
        let request = request.header(CONTENT_TYPE, "application/json");
        Ok(match submission {
            Some(submission) => request.body(submission.body.clone()),
            // Without it neither length nor body is told, which gateways may refuse.
            None if *method == Method::POST => request.header(CONTENT_LENGTH, 0),
            None => request,
        })
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url> {
        let mut url = self.service.base().join(path).map_err(|_| garbled("a handle is no name"))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }
}

/// Whether a handle is one: it becomes part of an address.
pub fn valid(handle: &str) -> bool {
    !handle.is_empty() && handle.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
