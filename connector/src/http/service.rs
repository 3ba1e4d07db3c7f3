//! One JSON service over HTTP: a client that is made on first use, requests that are sent again when that is safe,
//! and answers of bounded size.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{self, HeaderMap};
use reqwest::{RequestBuilder, Response, StatusCode, Url};

use super::answer::Answer;
use super::{explain, pinned};
use crate::guard::Policy;
use crate::{ConnectorError, ErrorKind, Result, Retry, patience};

/// How often one request is sent at most, the first time included.
const ATTEMPTS: u32 = 5;
/// The wait after the first failure; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait that an answer may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(86_400);
/// A longer wait is left to the scheduler, which need not hold a worker for it.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// A service at one address.
pub(crate) struct Service {
    base: Url,
    policy: Policy,
    /// The longest the service may send nothing.
    silence: Duration,
    http: Mutex<Option<reqwest::Client>>,
}

impl Service {
    /// Prepares a service; it is connected to on first use.
    pub fn new(base: Url, policy: Policy, silence: Duration) -> Self {
        Self { base, policy, silence, http: Mutex::new(None) }
    }

    /// Where the service is.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The service's host, for messages.
    pub fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// Resolves the host and tells the address requests go to.
    ///
    /// # Errors
    /// What the guard refuses.
    pub async fn resolve(&self) -> Result<String> {
        let port = self.base.port_or_known_default().unwrap_or_default();
        let addresses = self.policy.resolve(self.host(), port).await?;
        Ok(addresses.first().map_or_else(String::new, |address| address.ip().to_string()))
    }

    /// The client for this service's host and no other.
    ///
    /// # Errors
    /// What the guard refuses.
    pub async fn http(&self) -> Result<reqwest::Client> {
        if let Some(http) = self.lock().clone() {
            return Ok(http);
        }
        let made = pinned(&self.policy, &self.base, self.silence).await?;
        *self.lock() = Some(made.clone());
        Ok(made)
    }

    /// Sends a request once and gives the answer whole, whatever its status.
    ///
    /// # Errors
    /// `Unavailable` when no whole answer came; `Protocol` when it is larger than `most` bytes once decompressed.
    pub async fn send(&self, request: RequestBuilder, most: usize) -> Result<Answer> {
        let response = self.start(request).await?;
        Answer::read(response, self.host(), most).await
    }

    /// Sends a request once and gives the answer as soon as its head is there.
    ///
    /// # Errors
    /// `Unavailable` when none came.
    pub async fn start(&self, request: RequestBuilder) -> Result<Response> {
        request.send().await.map_err(|error| {
            // The name may point elsewhere by now.
            *self.lock() = None;
            explain(error, self.host())
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<reqwest::Client>> {
        self.http.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tries until it succeeds, fails for good, or is not worth holding a worker for: on errors that may pass, after a
/// growing wait or the one the service asked for, as far as whoever waits has [patience](crate::patience). `attempt` is
/// told how often it was called before.
///
/// # Errors
/// The last error.
pub(crate) async fn patiently<T, F>(mut attempt: impl FnMut(u32) -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut wait = FIRST_WAIT;
    for tried in 0.. {
        let error = match attempt(tried).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let pause = match error.retry() {
            Retry::Later(asked) if error.kind() != ErrorKind::Timeout => asked.unwrap_or(wait),
            _ => return Err(error),
        };
        if tried + 1 >= ATTEMPTS || pause > LONGEST_WAIT {
            return Err(error);
        }
        // Up to a half more, so that many streams do not come back at once.
        let pause = pause.mul_f64(1.0 + jitter() / 2.0);
        if patience::left().is_some_and(|left| pause >= left) {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        wait *= 2;
    }
    unreachable!("the loop ends by itself only after 2³² attempts")
}

/// Something between 0 and 1.
fn jitter() -> f64 {
    let random = uuid::Uuid::now_v7().as_u128() & 0xffff;
    f64::from(random as u32) / f64::from(0xffff)
}

/// The error for an answer whose status alone tells what it is: what stands in front of a service says no more.
pub(crate) fn refused(host: &str, status: StatusCode, headers: &HeaderMap, said: &str) -> ConnectorError {
    let message = format!("{host:?} answered with HTTP status {}", status.as_u16());
    let kind = match status.as_u16() {
        401 => ErrorKind::Auth,
        403 => ErrorKind::Permission,
        404 => ErrorKind::NotFound,
        408 | 500.. => ErrorKind::Unavailable,
        429 => ErrorKind::RateLimited,
        _ => ErrorKind::Protocol,
    };
    let error = ConnectorError::new(kind, message);
    let error = if said.trim().is_empty() { error } else { error.detail(said.trim()) };
    match retry_after(headers) {
        Some(wait) if matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable) => error.after(wait),
        _ => error,
    }
}

/// The wait an answer asks for, in whole seconds (RFC 9110 10.2.3; the form with a date is not used by any service here).
/// A day at most: whatever stands in front of a service must not stop a stream for good.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_ask_for_a_day_at_most() {
        for (asked, wait) in [
            ("0", Some(0)),
            (" 3600 ", Some(3_600)),
            ("31536000", Some(86_400)),
            ("9300000000000", Some(86_400)),
            ("18446744073709551615", Some(86_400)),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
            ("-1", None),
        ] {
            let value = header::HeaderValue::from_static(asked);
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, value)]);
            assert_eq!(retry_after(&headers), wait.map(Duration::from_secs), "{asked}");
        }
    }
}

/// The error for an answer that is a page for people, with a status of success: what stands in front of a service shows
/// it.
pub(crate) fn web_page(response: &Response) -> Option<ConnectorError> {
    let kind = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    kind.starts_with("text/html").then(|| {
        let host = response.url().host_str().unwrap_or_default();
        let message = format!("{host:?} answered with a web page instead of data");
        ConnectorError::new(ErrorKind::Unavailable, message)
            .hint("a proxy or a maintenance page may stand in front of it; check the host name")
    })
}
