//! Where the server is, who asks, and what has been learnt about it.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Request, Url, header};
use secrecy::SecretString;

use super::body;
use super::config::Config;
use super::exception::Exception;
use super::running::Running;
use super::send::Purpose;
use super::settings::Refused;
use super::sign_in::Credential;
use super::statement::{Statement, escaped};
use crate::guard::Policy;
use crate::http::{self, Stall, Tls};
use crate::{ConnectorError, ErrorKind, Result};

/// The server's own limit comes first; beyond this much more silence it is gone.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a check waits for a service of the Cloud: a person is watching.
const GLANCE: Duration = Duration::from_secs(5);

/// Where the server is, who asks, and what has been learnt about it.
pub struct Client {
    config: Config,
    credential: Credential,
    tls: Tls,
    url: Url,
    policy: Policy,
    http: Mutex<Option<reqwest::Client>>,
    refused: Mutex<Refused>,
    /// Whether the user's profile is known not to cut results.
    truthful: AtomicBool,
}

impl Client {
    /// Prepares a client; it connects on first use. Without a `base` the configured host is asked.
    ///
    /// # Errors
    /// `Config` when the configuration or the credential cannot be used.
    pub fn new(
        config: Config,
        secret: Option<SecretString>,
        policy: Policy,
        base: Option<Url>,
    ) -> Result<Self> {
        let (credential, tls) = Credential::new(&config, secret)?;
        let url = base.map_or_else(|| config.url(), Ok)?;
        let (http, refused) = (Mutex::new(None), Mutex::new(Refused::default()));
        Ok(Self { config, credential, tls, url, policy, http, refused, truthful: AtomicBool::new(false) })
    }

    /// What was configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Who signs in.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Where statements go, for messages.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Resolves the host and tells where statements go.
    ///
    /// # Errors
    /// What the guard refuses.
    pub async fn resolve(&self) -> Result<String> {
        let port = self.url.port_or_known_default().unwrap_or_default();
        let addresses = self.policy.resolve(self.host(), port).await?;
        self.http().await?;
        Ok(addresses.first().map_or_else(String::new, |address| address.ip().to_string()))
    }

    /// Sees whether anything answers at all, which needs no sign-in, and tells what it says.
    ///
    /// # Errors
    /// `Unavailable` when nothing does, or the service is asleep; being asked wakes it.
    pub async fn ping(&self) -> Result<String> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}ping", self.url.path()));
        let asking = self.http().await?.get(url).send();
        let answer = if self.config.cloud() {
            tokio::time::timeout(GLANCE, asking).await.map_err(|_| self.waking())?
        } else {
            asking.await
        };
        let status = answer.map_err(|error| http::explain(error, self.host()))?.status();
        match status.as_u16() {
            502..=504 if self.config.cloud() => Err(self.waking()),
            502..=504 => Err(http::refused(self.host(), status, &header::HeaderMap::new(), "")),
            // Whoever serves the interface under a path need not serve this.
            _ => Ok(if self.config.secure { "over TLS" } else { "without TLS" }.to_owned()),
        }
    }

    /// The error for a service of the Cloud that is asleep.
    pub fn waking(&self) -> ConnectorError {
        ConnectorError::new(ErrorKind::Unavailable, format!("the service {:?} is waking up", self.config.host)).hint(
            "a ClickHouse Cloud service that nobody asked for a while takes up to some minutes to start; try again in a minute",
        )
    }

    /// What the server has refused so far.
    pub fn refused(&self) -> Refused {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Learns from an error; tells whether the statement should be sent again with fewer settings.
    pub fn learn(&self, sent: &Refused, exception: &Exception) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        // Another statement may have learnt the same meanwhile.
        *refused != *sent || refused.learn(exception)
    }

    /// Resolves the name anew for the next statement: it may point elsewhere by now.
    pub fn forget_http(&self) {
        *self.lock_http() = None;
    }

    /// Whether the user's profile is known not to cut results.
    pub fn truthful(&self) -> &AtomicBool {
        &self.truthful
    }

    /// How long an answer of rows may bring none.
    pub fn stall(&self) -> Stall {
        Stall::of_rows(&self.policy)
    }

    fn lock_http(&self) -> std::sync::MutexGuard<'_, Option<reqwest::Client>> {
        self.http.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connections to the server.
    ///
    /// # Errors
    /// What the guard refuses.
    pub async fn http(&self) -> Result<reqwest::Client> {
        if let Some(http) = self.lock_http().clone() {
            return Ok(http);
        }
        let limit = self.policy.statement_timeout;
        let made = http::pinned_raw(&self.policy, &self.url, limit + PATIENCE.min(limit), &self.tls).await?;
        *self.lock_http() = Some(made.clone());
        Ok(made)
    }

    /// A statement as it is sent, and what stops it. Who reads stands also in a comment at its end: a user who may
    /// change no setting can send no `log_comment`.
    ///
    /// # Errors
    /// `Config` when HTTP cannot carry the credential.
    pub fn request(
        &self,
        http: &reqwest::Client,
        statement: &Statement,
        refused: &Refused,
        purpose: Purpose<'_>,
    ) -> Result<(Request, Running)> {
        // Each attempt is a query of its own, so an earlier one that still runs is no obstacle.
        let id = uuid::Uuid::now_v7();
        let mut url = self.url.clone();
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("database", &self.config.database);
            query.append_pair("query_id", &id.to_string());
            for (name, value) in refused.settings(purpose.tag, self.policy.statement_timeout) {
                query.append_pair(&name, &value);
            }
            for (name, value) in &statement.parameters {
                query.append_pair(&format!("param_{name}"), &escaped(value));
            }
        }
        let text = format!("{} FORMAT RowBinaryWithNamesAndTypes /* {} */", statement.sql, purpose.tag);
        let request = self.post(http, url, text)?;
        if refused.stops() {
            return Ok((request, Running::default()));
        }
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("database", &self.config.database);
        let text = format!("KILL QUERY WHERE query_id = '{id}' ASYNC /* {} */", purpose.tag);
        let stop = self.post(http, url, text)?;
        Ok((request, Running::stopped_by(http.clone(), stop, purpose.cost.clone())))
    }

    fn post(&self, http: &reqwest::Client, url: Url, text: String) -> Result<Request> {
        let request = http.post(url).headers(self.credential.headers()?);
        let request = request.header(header::ACCEPT_ENCODING, body::GZIP).body(text);
        request.build().map_err(|error| http::explain(error, self.host()))
    }
}
