//! A statement that is running at Snowflake: waited for, and cancelled when it is waited for no longer.

use std::sync::Arc;
use std::time::Duration;

use super::client::{Client, Done};
use super::refusal;
use crate::{ConnectorError, ErrorKind, Result};

/// The wait before the first question whether it is done; it grows by half with each.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait between two questions.
const LONGEST: Duration = Duration::from_secs(5);
/// How much longer than its own limit a statement is waited for: it may have to wait for its warehouse.
const GRACE: Duration = Duration::from_secs(60);

/// A running statement. Dropping it cancels it.
pub struct Running {
    client: Arc<Client>,
    handle: String,
    over: bool,
}

impl Running {
    /// Takes a statement that was submitted.
    pub fn new(client: Arc<Client>, handle: String) -> Self {
        Self { client, handle, over: false }
    }

    /// Waits until it is done.
    ///
    /// # Errors
    /// Why it failed; `Timeout` when it took longer than allowed.
    pub async fn wait(mut self) -> Result<Done> {
        let limit = self.client.timeout() + GRACE;
        let Ok(outcome) = tokio::time::timeout(limit, self.polled()).await else {
            let message = "the statement did not end within its time, and was cancelled";
            return Err(
                ConnectorError::new(ErrorKind::Timeout, message).hint(refusal::slow(self.client.config()))
            );
        };
        // Where the connection failed, the statement may still be running.
        let lost = |error: &ConnectorError| {
            matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::RateLimited | ErrorKind::Auth)
        };
        self.over = outcome.as_ref().err().is_none_or(|error| !lost(error));
        outcome
    }

    async fn polled(&self) -> Result<Done> {
        let mut pause = FIRST;
        loop {
            tokio::time::sleep(pause).await;
            if let Some(response) = self.client.poll(&self.handle).await? {
                return Ok(Done { response, handle: Some(self.handle.clone()) });
            }
            pause = (pause * 3 / 2).min(LONGEST);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without a runtime the program is ending, and the statement has its own limit.
        if !self.over
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (client, handle) = (Arc::clone(&self.client), std::mem::take(&mut self.handle));
            runtime.spawn(async move { client.cancel(&handle).await });
        }
    }
}
