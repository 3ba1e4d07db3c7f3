//! Stopping a statement that nobody waits for any longer, where the server does not do so by itself: it looks whether
//! anybody is still there only when it is told to by a setting, and otherwise runs until it has rows to send.
//!
//! Source: "KILL QUERY" of ClickHouse's reference: users may stop statements of their own. Seen on 26.7.2.1: `readonly = 1`
//! does not stand against it, and it takes `SELECT(query_id, user, query) ON system.processes`.

use reqwest::{Client, Request};

use crate::Cost;

/// A statement at the server. Dropped before it is over, it is stopped by another one, if that takes one.
#[derive(Default)]
pub struct Running(Option<Stop>);

struct Stop {
    http: Client,
    request: Request,
    cost: Cost,
}

impl Running {
    /// A statement that this request stops, which counts, too.
    pub fn stopped_by(http: Client, request: Request, cost: Cost) -> Self {
        Self(Some(Stop { http, request, cost }))
    }

    /// The server has ended it.
    pub fn over(&mut self) {
        self.0 = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(Stop { http, request, cost }) = self.0.take() else { return };
        // Without a runtime the process ends, and with it the connection.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        cost.add_statement();
        runtime.spawn(async move {
            match http.execute(request).await {
                Ok(answer) if answer.status().is_success() => {}
                Ok(answer) => {
                    tracing::warn!(
                        status = %answer.status(),
                        "the server does not stop a statement nobody waits for; what helps is readonly = 2 in the \
                         user's profile, or SELECT(query_id, user, query) ON system.processes"
                    );
                }
                Err(error) => {
                    tracing::debug!(error = %error.without_url(), "a statement could not be stopped");
                }
            }
        });
    }
}
