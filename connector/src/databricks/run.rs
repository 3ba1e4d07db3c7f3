//! Running one statement: sent, waited for while its warehouse wakes up and works, and cancelled when nobody waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::oneshot;

use super::client::{self, Client, Request};
use super::failure::{Failed, Subject};
use super::reply::{Reply, Status};
use super::statement::{Disposition, Statement};
use crate::{ConnectorError, Cost, ErrorKind, Result, TableRef, wall};

/// How many seconds the answer to a new statement may be held back: at least 5 as the interface wants it, and short
/// enough for whatever drops idle connections on the way.
pub const WAIT: u64 = 10;
/// The pause before the first look at a running statement; it grows.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Who asks for a statement, and what it is about.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The table it reads, for messages.
    pub table: Option<&'a TableRef>,
    /// What the workspace's query history shows.
    pub tag: &'a str,
    /// Where its cost is added up.
    pub cost: &'a Cost,
}

/// How a statement ended.
pub enum Ended {
    /// With a result.
    Succeeded {
        /// The statement's ID.
        id: String,
        /// The last answer, with the result's first chunk.
        reply: Box<Reply>,
    },
    /// With a result too large to be sent inline.
    TooLarge,
}

/// Runs a statement to its end. Dropping the future cancels it.
///
/// # Errors
/// What the workspace, the warehouse or the way to them refused; `Timeout` when it takes longer than allowed.
pub async fn run(
    client: &Arc<Client>,
    statement: &Statement,
    disposition: Disposition,
    asked: Asked<'_>,
) -> Result<Ended> {
    let begun = wall::moment();
    asked.cost.add_statement();
    let ended = follow(client, statement, disposition, asked, begun).await;
    asked.cost.add_time(wall::moment() - begun);
    ended
}

async fn follow(
    client: &Arc<Client>,
    statement: &Statement,
    disposition: Disposition,
    asked: Asked<'_>,
    begun: Instant,
) -> Result<Ended> {
    let allowed = client.policy().statement_timeout;
    let (mut running, mut reply) = submit(client, statement, disposition, asked.tag).await?;
    let id = running.id.clone();
    let mut pause = FIRST_PAUSE;
    loop {
        match reply.status.state.as_str() {
            "SUCCEEDED" => {
                running.over = true;
                return Ok(Ended::Succeeded { id, reply });
            }
            "PENDING" | "RUNNING" => {}
            _ => {
                running.over = true;
                return ended_badly(client, reply.status, asked);
            }
        }
        if wall::moment() - begun >= allowed {
            return Err(late(&reply.status.state, allowed, asked));
        }
        tokio::time::sleep(pause.min(allowed.saturating_sub(wall::moment() - begun))).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        reply = Box::new(look(client, &id).await?);
    }
}

fn ended_badly(client: &Client, status: Status, asked: Asked<'_>) -> Result<Ended> {
    let state = status.state.as_str();
    let failed = Failed { sql_state: status.sql_state, ..status.error.unwrap_or_default() };
    if failed.too_large() {
        return Ok(Ended::TooLarge);
    }
    if state == "FAILED" {
        let principal = client.config().principal();
        return Err(failed.explain(Subject { table: asked.table, principal: &principal }));
    }
    let told = match state {
        "CANCELED" => "the statement was cancelled at the warehouse",
        "CLOSED" => "the workspace closed the statement before its result was read",
        other => {
            let message = format!("the statement is in a state this program does not know: {other:.40}");
            return Err(ConnectorError::new(ErrorKind::Protocol, message));
        }
    };
    let error = ConnectorError::new(ErrorKind::Unavailable, told);
    Err(error.hint("a person or the warehouse's STATEMENT_TIMEOUT may have stopped it"))
}

fn late(state: &str, allowed: Duration, asked: Asked<'_>) -> ConnectorError {
    let seconds = allowed.as_secs();
    if state == "PENDING" {
        let message = format!("the warehouse has not begun after {seconds} seconds: it is waking up or busy");
        return ConnectorError::new(ErrorKind::Timeout, message).hint(
            "a stopped warehouse that is not serverless needs some minutes; the next try finds it awake",
        );
    }
    let object =
        asked.table.map_or_else(|| "the statement".to_owned(), |table| format!("reading table {table}"));
    ConnectorError::new(ErrorKind::Timeout, format!("{object} took longer than {seconds} seconds"))
        .hint("read less at once, use a larger warehouse, or ask the operator to allow more time")
}

/// Sends a statement. It may begin although its answer is never seen, so the sending outlives whoever waits; and what
/// runs is handed over as such, so that it is cancelled wherever on the way it is dropped.
async fn submit(
    client: &Arc<Client>,
    statement: &Statement,
    disposition: Disposition,
    tag: &str,
) -> Result<(Running, Box<Reply>)> {
    let wait = client.policy().statement_timeout.as_secs().clamp(5, WAIT);
    let body = statement.body(client.warehouse(), disposition, wait, tag);
    let (give, take) = oneshot::channel();
    let sender = Arc::clone(client);
    tokio::spawn(async move {
        let request = Request {
            doing: "run a statement",
            path: &["api", "2.0", "sql", "statements"],
            query: &[],
            body: Some(&body),
            most: client::ROWS,
        };
        let reply = sender.call(request).await.and_then(|answer| answer.json::<Reply>());
        // What nobody takes is dropped here, or in the channel.
        drop(give.send(reply.and_then(|reply| Ok((Running::of(&sender, &reply)?, Box::new(reply))))));
    });
    let lost = |_| ConnectorError::new(ErrorKind::Unavailable, "the program is stopping");
    let reply = take.await.map_err(lost)?;
    reply.map_err(|error| match error.kind() {
        ErrorKind::Permission => error.hint("give the user CAN USE on the warehouse"),
        ErrorKind::NotFound => error.hint("the warehouse may have been deleted; choose another"),
        _ => error,
    })
}

async fn look(client: &Client, id: &str) -> Result<Reply> {
    let request = Request {
        doing: "tell how a statement stands",
        path: &["api", "2.0", "sql", "statements", id],
        query: &[],
        body: None,
        most: client::ROWS,
    };
    gone(client.call(request).await)?.json()
}

/// A statement that is no longer known can be run again.
pub fn gone<T>(result: Result<T>) -> Result<T> {
    result.map_err(|error| match error.kind() {
        ErrorKind::NotFound => ConnectorError::new(
            ErrorKind::Unavailable,
            "the workspace no longer has the statement or its result",
        ),
        _ => error,
    })
}

/// A statement that may be running: dropped before its end, it is cancelled.
struct Running {
    client: Arc<Client>,
    id: String,
    over: bool,
}

impl Running {
    fn of(client: &Arc<Client>, reply: &Reply) -> Result<Self> {
        let id = reply.statement_id.clone().ok_or_else(|| {
            ConnectorError::new(ErrorKind::Protocol, "the workspace gave a statement without its ID")
        })?;
        let over = !matches!(reply.status.state.as_str(), "PENDING" | "RUNNING");
        Ok(Self { client: Arc::clone(client), id, over })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.over {
            return;
        }
        let (client, id) = (Arc::clone(&self.client), std::mem::take(&mut self.id));
        runtime.spawn(async move {
            let request = Request {
                doing: "cancel a statement",
                path: &["api", "2.0", "sql", "statements", &id, "cancel"],
                query: &[],
                body: Some(&json!({})),
                most: client::SMALL,
            };
            if let Err(error) = client.call(request).await {
                tracing::warn!(statement.id = %id, %error, "a statement nobody waits for could not be cancelled");
            }
        });
    }
}
