//! Sending a statement until its first row comes.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::{Response, StatusCode};

use super::answer::Answer;
use super::client::Client;
use super::decode::{Decoder, Expected, Limits};
use super::exception::Exception;
use super::profile::{self, PROFILE};
use super::refusal::{self, Refusal};
use super::running::Running;
use super::statement::Statement;
use crate::{Batch, ConnectorError, Cost, ErrorKind, Result, http};

/// Most ways to send one statement: all settings, then without one after the other.
const ATTEMPTS: usize = 32;
/// How often a service of the Cloud is asked patiently before it counts as down rather than asleep: about two minutes.
const WAKING: usize = 12;

/// The server's code for a statement that was cancelled (`QUERY_WAS_CANCELLED`).
const STOPPED: u32 = 394;

/// For whom a statement is sent.
#[derive(Clone, Copy)]
pub struct Purpose<'a> {
    /// What the server's log says.
    pub tag: &'a str,
    /// Where it is counted.
    pub cost: &'a Cost,
}

/// Why a statement has no rows yet.
enum Failure {
    /// Nothing shows that the server is awake; sent again it may have.
    Waking(ConnectorError),
    /// Sent again it may have.
    Passing(ConnectorError),
    /// Sent again right away it would fail alike.
    Lasting(ConnectorError),
}

impl From<ConnectorError> for Failure {
    fn from(error: ConnectorError) -> Self {
        Self::Lasting(error)
    }
}

impl Client {
    /// Runs a statement with a small result.
    ///
    /// # Errors
    /// What the server or the way to it refused.
    pub async fn fetch(&self, statement: &Statement, cost: &Cost) -> Result<Batch> {
        self.fetch_as(statement, None, cost).await
    }

    /// Runs a statement with a small result of those columns.
    ///
    /// # Errors
    /// What the server or the way to it refused.
    pub async fn fetch_as(
        &self,
        statement: &Statement,
        expected: Option<Vec<Expected>>,
        cost: &Cost,
    ) -> Result<Batch> {
        let limits = Limits { rows: 1_000_000, bytes: 256 << 20, cell: 1 << 20 };
        let mut answer = self.stream(statement, expected, limits, Purpose { tag: "Weir", cost }).await?;
        let batch = answer.next().await?.unwrap_or_else(|| answer.empty());
        if answer.next().await?.is_some() {
            return Err(ConnectorError::new(
                ErrorKind::Protocol,
                "the answer is larger than can be taken at once",
            ));
        }
        Ok(batch)
    }

    /// Runs a statement and streams its rows. What may pass is waited for, as long as no row has come; the longest for
    /// a service of the Cloud that is waking up.
    ///
    /// # Errors
    /// What the server or the way to it refused before the first row.
    pub async fn stream(
        &self,
        statement: &Statement,
        expected: Option<Vec<Expected>>,
        limits: Limits,
        purpose: Purpose<'_>,
    ) -> Result<Answer> {
        let (expected, asleep) = (&expected, &AtomicBool::new(false));
        let mut left = if self.config().cloud() { WAKING } else { 1 };
        loop {
            left -= 1;
            let sent = http::patiently(|_| async move {
                let sent = self.send(statement, expected, limits, purpose).await;
                asleep.store(matches!(sent, Err(Failure::Waking(_))), Ordering::Relaxed);
                match sent {
                    Ok(answer) => Ok(Ok(answer)),
                    Err(Failure::Waking(error) | Failure::Passing(error)) => Err(error),
                    Err(Failure::Lasting(error)) => Ok(Err(error)),
                }
            });
            match sent.await {
                Err(error)
                    if left > 0
                        && asleep.load(Ordering::Relaxed)
                        && error.kind() == ErrorKind::Unavailable => {}
                Err(error) => return Err(error),
                Ok(done) => return done,
            }
        }
    }

    /// Sends a statement until it is taken or refused for another reason than its settings.
    async fn send(
        &self,
        statement: &Statement,
        expected: &Option<Vec<Expected>>,
        limits: Limits,
        purpose: Purpose<'_>,
    ) -> std::result::Result<Answer, Failure> {
        for _ in 0..ATTEMPTS {
            let refused = self.refused();
            let http = self.http().await?;
            let (request, mut running) = self.request(&http, statement, &refused, purpose)?;
            purpose.cost.add_statement();
            let response = match purpose.cost.timed(http.execute(request)).await {
                Ok(response) => response,
                Err(error) => {
                    self.forget_http();
                    if error.is_connect() {
                        running.over();
                    }
                    // A kept connection may have been closed at that very moment. A host that takes no connection, or
                    // says nothing for as long as a statement may take, is left to the scheduler.
                    let passing = !error.is_timeout() && !error.is_connect();
                    let error = http::explain(error, self.host());
                    return Err(if passing { Failure::Waking(error) } else { Failure::Lasting(error) });
                }
            };
            let code = text(&response, "x-clickhouse-exception-code").and_then(|code| code.parse().ok());
            if code.is_none() && response.status() == StatusCode::OK && !refusal::html(&response) {
                if refused.unsure() && purpose.tag != PROFILE {
                    self.check_profile(purpose.cost).await?;
                }
                return Ok(self.answer(response, expected.clone(), limits, purpose.cost, running)?);
            }
            // Whatever answers so, nothing runs behind it.
            running.over();
            let exception = match refusal::read(response, code, self.host()).await {
                Refusal::Server(exception) => exception,
                Refusal::Way(error) if self.config().cloud() && error.kind() == ErrorKind::Unavailable => {
                    let waking = self.waking().detail(error.message());
                    return Err(Failure::Waking(waking));
                }
                Refusal::Way(error) => return Err(Failure::Passing(error)),
            };
            if !self.learn(&refused, &exception) {
                return Err(self.told(exception));
            }
        }
        let message = "the server refuses too many settings";
        Err(Failure::Lasting(ConnectorError::new(ErrorKind::Protocol, message)))
    }

    /// The server's own error, without secrets. A statement that somebody stopped is not begun again at once.
    fn told(&self, mut exception: Exception) -> Failure {
        exception.text = self.credential().scrub(&exception.text);
        let error = exception.explain();
        match (exception.code, error.kind()) {
            (_, ErrorKind::Auth) => Failure::Lasting(self.credential().refused(error)),
            (STOPPED, _) => Failure::Lasting(error),
            _ => Failure::Passing(error),
        }
    }

    async fn check_profile(&self, cost: &Cost) -> Result<()> {
        if !self.truthful().load(Ordering::Relaxed) {
            profile::check(self, cost).await?;
            self.truthful().store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn answer(
        &self,
        response: Response,
        expected: Option<Vec<Expected>>,
        limits: Limits,
        cost: &Cost,
        running: Running,
    ) -> Result<Answer> {
        let tag = text(&response, "x-clickhouse-exception-tag");
        let decoder = Decoder::new(expected, limits, tag);
        Answer::new(response, self.host(), decoder, self.stall(), cost, running)
    }
}

fn text(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}
