//! Statements over ClickHouse's HTTP interface.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Request, Response, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};

use super::answer::Answer;
use super::config::Config;
use super::decode::{Decoder, Expected, Limits};
use super::exception::Exception;
use super::profile::{self, PROFILE};
use super::settings::Refused;
use super::statement::{Statement, escaped};
use crate::guard::Policy;
use crate::{Batch, ConnectorError, ErrorKind, Result, http};

/// The most bytes of an error that are read.
const ERROR_BYTES: usize = 64 * 1024;
/// The server's own limit comes first; beyond this much more silence it is gone.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most ways to send one statement: all settings, then without one after the other.
const ATTEMPTS: usize = 32;

/// Where the server is, who asks, and what has been learnt about it.
pub struct Client {
    config: Config,
    password: Option<SecretString>,
    policy: Policy,
    http: Mutex<Option<reqwest::Client>>,
    refused: Mutex<Refused>,
    /// Whether the user's profile is known not to cut results.
    truthful: AtomicBool,
}

impl Client {
    /// Prepares a client; it connects on first use.
    pub fn new(config: Config, password: Option<SecretString>, policy: Policy) -> Self {
        let (http, refused) = (Mutex::new(None), Mutex::new(Refused::default()));
        Self { config, password, policy, http, refused, truthful: AtomicBool::new(false) }
    }

    /// What was configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Resolves the host and tells where statements go.
    ///
    /// # Errors
    /// What the guard refuses.
    pub async fn connect(&self) -> Result<String> {
        let addresses = self.policy.resolve(&self.config.host, self.config.port).await?;
        self.http().await?;
        Ok(addresses.first().map_or_else(String::new, |address| address.ip().to_string()))
    }

    /// Runs a statement with a small result.
    ///
    /// # Errors
    /// What the server or the way to it refused.
    pub async fn fetch(&self, statement: &Statement) -> Result<Batch> {
        self.fetch_as(statement, None).await
    }

    /// Runs a statement with a small result of those columns.
    ///
    /// # Errors
    /// What the server or the way to it refused.
    pub async fn fetch_as(&self, statement: &Statement, expected: Option<Vec<Expected>>) -> Result<Batch> {
        let limits = Limits { rows: 1_000_000, bytes: 256 << 20, cell: 1 << 20 };
        let mut answer = self.stream(statement, expected, limits, "Weir").await?;
        let batch = answer.next().await?.unwrap_or_else(|| answer.empty());
        if answer.next().await?.is_some() {
            return Err(ConnectorError::new(
                ErrorKind::Protocol,
                "the answer is larger than can be taken at once",
            ));
        }
        Ok(batch)
    }

    /// Runs a statement and streams its rows.
    ///
    /// # Errors
    /// What the server or the way to it refused before the first row.
    pub async fn stream(
        &self,
        statement: &Statement,
        expected: Option<Vec<Expected>>,
        limits: Limits,
        tag: &str,
    ) -> Result<Answer> {
        let mut again = true;
        for _ in 0..ATTEMPTS {
            let refused = self.refused();
            let http = self.http().await?;
            let response = match http.execute(self.request(&http, statement, &refused, tag)?).await {
                Ok(response) => response,
                // A kept connection may have been closed at that very moment; one new attempt tells.
                Err(error) if again && !error.is_timeout() && !error.is_connect() => {
                    again = false;
                    continue;
                }
                Err(error) => {
                    // The name may point elsewhere by now.
                    *self.lock_http() = None;
                    return Err(http::explain(error, &self.config.host));
                }
            };
            let code = text(&response, "x-clickhouse-exception-code").and_then(|code| code.parse().ok());
            if code.is_none() && response.status() == StatusCode::OK {
                if refused.all() && tag != PROFILE {
                    self.check_profile().await?;
                }
                return self.answer(response, expected, limits);
            }
            let exception = self.failure(response, code).await?;
            if self.learn(&refused, &exception) {
                continue;
            }
            return Err(exception.explain());
        }
        Err(ConnectorError::new(ErrorKind::Protocol, "the server refuses too many settings"))
    }

    fn refused(&self) -> Refused {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Learns from an error; tells whether the statement should be sent again with fewer settings.
    fn learn(&self, sent: &Refused, exception: &Exception) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        // Another statement may have learnt the same meanwhile.
        *refused != *sent || refused.learn(exception)
    }

    async fn check_profile(&self) -> Result<()> {
        if !self.truthful.load(Ordering::Relaxed) {
            profile::check(self).await?;
            self.truthful.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn lock_http(&self) -> std::sync::MutexGuard<'_, Option<reqwest::Client>> {
        self.http.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn http(&self) -> Result<reqwest::Client> {
        if let Some(http) = self.lock_http().clone() {
            return Ok(http);
        }
        let made =
            http::pinned(&self.policy, &self.config.url()?, self.policy.statement_timeout + PATIENCE).await?;
        *self.lock_http() = Some(made.clone());
        Ok(made)
    }

    fn request(
        &self,
        http: &reqwest::Client,
        statement: &Statement,
        refused: &Refused,
        tag: &str,
    ) -> Result<Request> {
        let mut url = self.config.url()?;
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("database", &self.config.database);
            // Each attempt is a query of its own, so an earlier one that still runs is no obstacle.
            query.append_pair("query_id", &uuid::Uuid::now_v7().to_string());
            for (name, value) in refused.settings(tag, self.policy.statement_timeout) {
                query.append_pair(&name, &value);
            }
            for (name, value) in &statement.parameters {
                query.append_pair(&format!("param_{name}"), &escaped(value));
            }
        }
        let request = http.post(url).headers(self.credential()?);
        let request = request.body(format!("{} FORMAT RowBinaryWithNamesAndTypes", statement.sql));
        request.build().map_err(|error| http::explain(error, &self.config.host))
    }

    fn credential(&self) -> Result<HeaderMap> {
        let password = self.password.as_ref().map_or("", ExposeSecret::expose_secret);
        let mut headers = HeaderMap::new();
        let header = |value: &str| {
            let refuse = |_| {
                ConnectorError::new(ErrorKind::Config, "user or password has a character HTTP cannot carry")
            };
            let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(refuse)?;
            value.set_sensitive(true);
            Ok(value)
        };
        if [self.config.user.as_str(), password].iter().all(|text| plain(text)) {
            headers.insert("x-clickhouse-user", header(&self.config.user)?);
            headers.insert("x-clickhouse-key", header(password)?);
        } else {
            // Header values lose blanks at their ends.
            let pair =
                base64::engine::general_purpose::STANDARD.encode(format!("{}:{password}", self.config.user));
            headers.insert(header::AUTHORIZATION, header(&format!("Basic {pair}"))?);
        }
        Ok(headers)
    }

    async fn failure(&self, mut response: Response, code: Option<u32>) -> Result<Exception> {
        let status = response.status();
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            // Rows may come first: the end is what tells.
            body.extend_from_slice(&chunk);
            body.drain(..body.len().saturating_sub(ERROR_BYTES));
        }
        let mut exception =
            Exception::find(&body, text(&response, "x-clickhouse-exception-tag").as_deref(), code);
        let password = self.password.as_ref().map_or("", ExposeSecret::expose_secret);
        if password.len() > 3 {
            exception.text = exception.text.replace(password, "…");
        }
        if exception.code != 0 {
            return Ok(exception);
        }
        // No ClickHouse spoke, but whatever stands in front of it.
        let message =
            format!("the host {:?} answered with HTTP status {}", self.config.host, status.as_u16());
        Err(match status.as_u16() {
            429 => {
                let wait = response
                    .headers()
                    .get(header::RETRY_AFTER)
                    .and_then(|value| value.to_str().ok()?.parse().ok());
                let limited = ConnectorError::new(ErrorKind::RateLimited, message);
                wait.map_or(limited.clone(), |seconds| limited.after(Duration::from_secs(seconds)))
            }
            408 | 500.. => ConnectorError::new(ErrorKind::Unavailable, message).detail(exception.text),
            401 | 403 => ConnectorError::new(ErrorKind::Auth, message).detail(exception.text),
            _ => ConnectorError::new(ErrorKind::Protocol, message)
                .detail(exception.text)
                .hint("check that host, port and path are those of ClickHouse's HTTP interface"),
        })
    }

    fn answer(&self, response: Response, expected: Option<Vec<Expected>>, limits: Limits) -> Result<Answer> {
        let framed = [header::TRANSFER_ENCODING, header::CONTENT_LENGTH];
        let framed = framed.iter().any(|name| response.headers().contains_key(name));
        if !framed {
            let message = "the answer's end cannot be told from a broken connection";
            return Err(ConnectorError::new(ErrorKind::Protocol, message)
                .hint("let the proxy in front of ClickHouse speak HTTP/1.1 with chunked answers"));
        }
        let tag = text(&response, "x-clickhouse-exception-tag");
        Ok(Answer::new(response, &self.config.host, Decoder::new(expected, limits, tag)))
    }
}

fn text(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

/// Tells whether a header carries the text as it is.
fn plain(text: &str) -> bool {
    text.trim() == text && text.bytes().all(|byte| byte >= 0x20 && byte != 0x7f)
}
