//! One run of one stream, from its bounds to its last row.

use std::sync::Arc;

use connector::{Batch, Connector, CursorKind, Position, Watermark};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::batch::{Intake, Lease, Next, progress};
use super::checkpoint::Checkpoint;
use super::plan::Plan;
use super::store::Store;
use super::tally::Tally;
use crate::app::App;
use crate::error::{Error, Result};

/// What a run reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Range {
    /// What is new since the checkpoint, which moves along.
    New,
    /// Rows between two cursors, both included, beside the live sync; the checkpoint stays.
    Between {
        /// The lower bound, or from the first row.
        since: Option<String>,
        /// The upper bound, or to the last row.
        until: Option<String>,
    },
}

/// How a run ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It read everything asked for.
    Done,
    /// Somebody asked it to stop; what was stored stays.
    Cancelled,
    /// This process is stopping; the run goes on elsewhere from where it stands.
    Stopped,
}

/// Reads a stream and takes in what it finds, batch by batch, until the end of the range, a cancellation, or `stop`.
///
/// # Errors
/// `Connector` for what the source did, `LeaseLost` when another worker has the run, `Invalid` when the stream cannot
/// be run as it is set up, `Internal` for faults of ours. Whatever was committed before stays and is not read again.
pub async fn run(
    app: &App,
    connector: Arc<dyn Connector>,
    lease: &Lease,
    stream: entity::StreamId,
    range: &Range,
    stop: &CancellationToken,
) -> Result<Outcome> {
    let plan = Plan::load(app, lease.organization, stream).await?;
    let table = connector.describe(&plan.table).await?;
    plan.check(&table)?;
    let (from, until) = bounds(app, &plan, lease, range).await?;
    let request = plan.request(&table, from, until, &app.config.sync);
    let cap = match plan.cursor.kind {
        CursorKind::Int => None,
        _ => plan.cursor_cap(connector.clock().await?.micros().unwrap_or_else(|| app.clock.now())),
    };
    let mut intake = Intake::new(plan, lease.clone(), *range == Range::New, cap);
    let mut batches = read_ahead(&connector, request);
    let mut taken = false;
    loop {
        let batch = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Outcome::Stopped),
            batch = batches.next() => batch,
        };
        let Some(batch) = batch else { break };
        let batch = batch?;
        if batch.rows() == 0 {
            continue;
        }
        taken = true;
        if intake.take(app, &batch).await?.1 == Next::Cancelled {
            return Ok(Outcome::Cancelled);
        }
    }
    if !taken {
        let mut store = Store::begin(&app.db).await?;
        let next = progress(&mut store, lease, &Tally::default(), None, app.clock.now()).await?;
        store.commit().await?;
        if next == Next::Cancelled {
            return Ok(Outcome::Cancelled);
        }
    }
    Ok(Outcome::Done)
}

/// The bounds of the read, and the watermark noted on the run.
///
/// A new run reads from the watermark less the lookback. A run taken up again goes on behind the last row it stored:
/// its lookback was read already.
async fn bounds(
    app: &App,
    plan: &Plan,
    lease: &Lease,
    range: &Range,
) -> Result<(Option<Position>, Option<Watermark>)> {
    let kind = plan.cursor.kind;
    let parse = |text: &String| {
        Watermark::parse(kind, text).ok_or_else(|| {
            Error::invalid("range", format!("{text:?} is no value of cursor column {:?}", plan.cursor.column))
        })
    };
    let mut store = Store::begin(&app.db).await?;
    let bounds = match range {
        Range::New => {
            let cursor = (plan.cursor.column.as_str(), kind);
            let checkpoint =
                Checkpoint::lock(&mut store, lease.organization, plan.route.stream, cursor, app.clock.now())
                    .await?;
            let from = match checkpoint.position {
                Some(position) if checkpoint.run == Some(lease.run) => Some(position),
                Some(position) => {
                    let sql = "UPDATE sync_run SET cursor_before = $3, cursor_after = $3 \
                        WHERE organization_id = $1 AND id = $2 AND cursor_before IS NULL";
                    let text = position.watermark.text.as_str();
                    store
                        .execute(sql, &[lease.organization.0.into(), lease.run.0.into(), text.into()])
                        .await?;
                    let lower = position.watermark.minus(plan.lookback).unwrap_or(position.watermark);
                    Some(Position { watermark: lower, key: Vec::new() })
                }
                None => None,
            };
            (from, None)
        }
        Range::Between { since, until } => {
            let since = since.as_ref().map(parse).transpose()?;
            let until = until.as_ref().map(parse).transpose()?;
            (since.map(|watermark| Position { watermark, key: Vec::new() }), until)
        }
    };
    store.commit().await?;
    Ok(bounds)
}

/// Batches read in a task of their own, one ahead of the one being written. Dropped, the read is cancelled.
struct ReadAhead {
    batches: mpsc::Receiver<connector::Result<Batch>>,
    _task: AbortOnDropHandle<()>,
}

impl ReadAhead {
    async fn next(&mut self) -> Option<connector::Result<Batch>> {
        self.batches.recv().await
    }
}

fn read_ahead(connector: &Arc<dyn Connector>, request: connector::ReadRequest) -> ReadAhead {
    let (sender, batches) = mpsc::channel(1);
    let mut stream = connector.read(request);
    let task = tokio::spawn(async move {
        while let Some(batch) = stream.next().await {
            let failed = batch.is_err();
            if sender.send(batch).await.is_err() || failed {
                break;
            }
        }
    });
    ReadAhead { batches, _task: AbortOnDropHandle::new(task) }
}
