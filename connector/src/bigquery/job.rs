//! One statement as a job: sent once whatever happens on the way, waited for, and cancelled when nobody wants it.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::client::{Call, Client};
use super::refusal::{self, Refusal};
use super::statement::Statement;
use super::wire::{JobReference, Reply};
use crate::http::Answer;
use crate::{ConnectorError, Cost, ErrorKind, Result, RunTag, wall};

/// How long one request waits for a job to end, in milliseconds.
const WAIT: u64 = 20_000;
/// The service's own limit comes first; after this much more the job is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a statement is sent as a new job when BigQuery asks for that.
const JOBS: u32 = 3;
/// The pause between two questions whether a job has ended: it doubles up to the longest, for services that answer
/// at once instead of waiting.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// What a statement costs and for whom it is.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Who reads.
    pub tag: RunTag,
    /// The most rows of a page.
    pub rows: usize,
    /// Where the cost is added up.
    pub cost: Cost,
}

/// A page with what is said of the result.
pub struct Page {
    /// What is said.
    pub reply: Reply,
    /// The bytes, for the rows.
    pub body: BytesMut,
}

impl Page {
    fn of(answer: Answer) -> Result<Self> {
        Ok(Self { reply: answer.json()?, body: answer.body })
    }
}

/// A job that has ended well.
pub struct Job {
    reference: JobReference,
    rows: usize,
}

impl Job {
    /// Asks for the rows from `start` on.
    ///
    /// # Errors
    /// What was refused, by its reason.
    pub async fn page(&self, client: &Client, start: u64) -> std::result::Result<Page, Refusal> {
        let call = results(client, &self.reference, self.rows).with("startIndex", Some(start));
        Ok(Page::of(client.answer(&call).await?)?)
    }
}

/// Runs a statement to its end and gives its job with the first page.
///
/// Dropped before, the job is cancelled as soon as it is known.
///
/// # Errors
/// What was refused, by its reason.
pub async fn run(
    client: &Arc<Client>,
    statement: &Statement,
    order: &Order,
) -> std::result::Result<(Job, Page), Refusal> {
    let since = wall::moment();
    let mut sent = 0;
    let (reference, page) = loop {
        sent += 1;
        match attempt(client, statement, order).await {
            Err(refusal) if refusal.needs_new_job() && sent < JOBS => {
                tokio::time::sleep(Duration::from_secs(1) * sent).await;
            }
            outcome => break outcome?,
        }
    };
    order.cost.add_bytes(page.reply.total_bytes_processed.unwrap_or_default());
    order.cost.add_time(match (page.reply.start_time, page.reply.end_time) {
        (Some(start), Some(end)) if end >= start => Duration::from_millis(end - start),
        _ => since.elapsed(),
    });
    Ok((Job { reference, rows: order.rows }, page))
}

async fn attempt(
    client: &Arc<Client>,
    statement: &Statement,
    order: &Order,
) -> std::result::Result<(JobReference, Page), Refusal> {
    let mut body = statement.body(client.config(), &order.tag, order.rows, client.patience());
    if let Some(most) = order.cost.most_bytes() {
        body["maximumBytesBilled"] = json!(most.to_string());
    }
    body["requestId"] = json!(uuid::Uuid::now_v7().to_string());
    order.cost.add_statement();
    let (sender, receiver) = oneshot::channel();
    let location = statement.location.as_ref().or(client.config().location.as_ref());
    tokio::spawn(begin(Arc::clone(client), body, location.cloned(), sender));
    let gone = ConnectorError::new(ErrorKind::Unavailable, "the statement was given up");
    let Begun { mut running, reference, mut page } = receiver.await.unwrap_or_else(|_| Err(gone.into()))?;
    if !page.reply.job_complete {
        let ended = tokio::time::timeout(client.patience() + PATIENCE, wait(client, &reference, order.rows));
        page = ended.await.unwrap_or_else(|_| {
            let message = "the statement took longer than allowed and was cancelled";
            Err(ConnectorError::new(ErrorKind::Timeout, message)
                .hint("make the cursor the table's partition or clustering column, so that less is read")
                .into())
        })?;
    }
    running.job = None;
    // Some failures are told with status 200.
    match page.reply.errors.first().filter(|_| page.reply.schema.fields.is_empty()) {
        Some(problem) => Err(Refusal::told(problem, client.who())),
        None => Ok((reference, page)),
    }
}

/// A job that was begun, and the answer that tells of it.
struct Begun {
    running: Running,
    reference: JobReference,
    page: Page,
}

impl Begun {
    /// Takes a first answer; `location` is where the job runs when that does not say so.
    fn of(client: &Arc<Client>, page: Page, location: Option<String>) -> Result<Self> {
        let reference = page.reply.job_reference.clone();
        let mut reference = reference
            .ok_or_else(|| ConnectorError::new(ErrorKind::Protocol, "BigQuery's answer names no job"))?;
        reference.location = reference.location.take().or(location);
        let job = Some(reference.clone()).filter(|_| !page.reply.job_complete);
        Ok(Self { running: Running { client: Arc::clone(client), job }, reference, page })
    }
}

/// Sends a statement, again with the same request ID while that is safe. It runs as a task of its own: a request
/// that is given up may have begun a job all the same, and only its answer tells which. What was begun is cancelled
/// wherever on the way it is dropped.
async fn begin(
    client: Arc<Client>,
    body: Value,
    location: Option<String>,
    sender: oneshot::Sender<std::result::Result<Begun, Refusal>>,
) {
    let call = Call::post(&["projects", &client.config().project, "queries"], Some(body));
    let attempt = |_| async {
        if sender.is_closed() {
            let message = "the statement is no longer wanted";
            return Err(Refusal::from(ConnectorError::new(ErrorKind::Protocol, message)));
        }
        Ok(Page::of(client.once(&call).await?)?)
    };
    let outcome = refusal::patiently(attempt).await;
    let begun = outcome.and_then(|page| Ok(Begun::of(&client, page, location)?));
    // What nobody takes is dropped here, or in the channel.
    drop(sender.send(begun));
}

async fn wait(client: &Client, job: &JobReference, rows: usize) -> std::result::Result<Page, Refusal> {
    let call = results(client, job, rows).with("timeoutMs", Some(WAIT));
    let mut pause = PAUSES.0;
    loop {
        let page = Page::of(client.answer(&call).await?)?;
        if page.reply.job_complete {
            return Ok(page);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// What a statement would look at, in bytes, without running it.
///
/// # Errors
/// What was refused.
pub async fn estimate(client: &Client, statement: &Statement) -> Result<u64> {
    let mut body = statement.body(client.config(), &RunTag::default(), 1, client.patience());
    body["dryRun"] = json!(true);
    // What is asked is how much it would be, however much that is.
    if let Some(fields) = body.as_object_mut() {
        fields.remove("maximumBytesBilled");
    }
    let call = Call::post(&["projects", &client.config().project, "queries"], Some(body));
    let reply: Reply = client.fetch(&call).await?;
    if let Some(problem) = reply.errors.first().filter(|_| reply.schema.fields.is_empty()) {
        return Err(Refusal::told(problem, client.who()).error);
    }
    reply.total_bytes_processed.ok_or_else(|| {
        ConnectorError::new(ErrorKind::Protocol, "BigQuery did not say what the statement would read")
    })
}

/// Asks for a result; where the job runs must be said, or it is only found in the US and the EU.
fn results(client: &Client, job: &JobReference, rows: usize) -> Call {
    Call::get(&["projects", &client.config().project, "queries", &job.job_id])
        .with("location", job.location.as_ref())
        .with("maxResults", Some(rows))
        .with("formatOptions.useInt64Timestamp", Some(true))
}

/// Best effort: a job that is not cancelled ends by its own time limit.
async fn cancel(client: &Client, job: &JobReference) {
    let call = Call::post(&["projects", &client.config().project, "jobs", &job.job_id, "cancel"], None)
        .with("location", job.location.as_ref());
    if let Err(refusal) = client.answer(&call).await {
        tracing::warn!(job = job.job_id, error = %refusal.error, "a BigQuery job could not be cancelled");
    }
}

/// A job that runs; dropped, it is cancelled.
struct Running {
    client: Arc<Client>,
    job: Option<JobReference>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let (Some(job), Ok(runtime)) = (self.job.take(), Handle::try_current()) {
            let client = Arc::clone(&self.client);
            runtime.spawn(async move { cancel(&client, &job).await });
        }
    }
}
