//! One run of one stream, from its bounds to its last row.

use std::sync::Arc;

use connector::{Batch, Connector, Cost, Position, Watermark};
use tokio_util::sync::CancellationToken;

use super::batch::Intake;
use super::checkpoint::Checkpoint;
use super::columns;
use super::lease::{Lease, Next, Stretch, progress, progress_alone};
use super::opening::Opening;
use super::plan::Plan;
use super::read_ahead::read_ahead;
use super::store::Store;
use super::tally::Tally;
use crate::app::App;
use crate::clock::Micros;
use crate::db::Db;
use crate::domain::sync_run::Rest;
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
    let opening = Opening::read(app, lease.organization, stream).await?;
    let (outcome, rest) = follow(app, connector, lease, &opening, range, stop).await?;
    match outcome {
        Outcome::Done => note(&app.db, lease, rest, app.clock.now()).await,
        Outcome::Cancelled | Outcome::Stopped => Ok(outcome),
    }
}

/// The same for a stream that is opened. Whoever ends the run then notes the rest on it, in the same statement.
///
/// # Errors
/// As [`run`].
pub async fn follow(
    app: &App,
    connector: Arc<dyn Connector>,
    lease: &Lease,
    opening: &Opening,
    range: &Range,
    stop: &CancellationToken,
) -> Result<(Outcome, Rest)> {
    let cost = Cost::default();
    let ended = through(app, connector, lease, opening, range, stop, &cost).await;
    let spent = cost.take();
    match ended {
        Ok((Outcome::Done, rest)) => Ok((Outcome::Done, Rest { spent, ..rest })),
        ended => {
            // What a run cost that is broken off is worth a note, not a failure of its own.
            if !spent.nothing() {
                let tally = Tally { spent, ..Tally::default() };
                progress_alone(&app.db, lease, &tally, Stretch::default(), app.clock.now()).await.ok();
            }
            ended
        }
    }
}

async fn through(
    app: &App,
    connector: Arc<dyn Connector>,
    lease: &Lease,
    opening: &Opening,
    range: &Range,
    stop: &CancellationToken,
    cost: &Cost,
) -> Result<(Outcome, Rest)> {
    let start = bounds(opening, lease, range)?;
    let plan = &opening.plan;
    let stream = plan.route.stream;
    let begun = start.from.clone();
    let mut request = plan.request(start.from, start.until, &app.config.sync, cost.clone());
    request.batch_rows = request.batch_rows.min(app.db.backend().batch_most());
    let mut cap = Cap::new(app, plan);
    let mut batches = read_ahead(&connector, request);
    let mut window = Window { before: start.window, now: None, state: start.state, batches: 0 };
    let before = start.before;
    let mut intake =
        Intake::new(plan.clone(), lease.clone(), *range == Range::New, before.clone(), cost.clone());
    loop {
        let batch = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok((Outcome::Stopped, Rest::default())),
            batch = batches.next() => batch,
        };
        let Some(batch) = batch else { break };
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                if error.rows_may_be_missing() && *range == Range::New {
                    put_back(app, lease, plan, begun).await?;
                }
                return Err(error.into());
            }
        };
        if batch.rows() == 0 {
            continue;
        }
        let first = window.batches == 0;
        let fits = !first || plan.fits(&batch);
        if !fits {
            cost.charge(columns::look(app, &connector, plan)).await?;
        }
        if window.seen(&batch) && batches.next_is_end().await? {
            let rest = Rest {
                repeated: batch.rows() as u64,
                null_cursors: null_cursors(&intake, &batch),
                bytes: batch.bytes() as u64,
                before,
                ..Rest::default()
            };
            return Ok((Outcome::Done, rest));
        }
        if first && fits && columns::due(app, plan) {
            cost.charge(columns::look(app, &connector, plan)).await?;
        }
        intake.cap(cost.charge(cap.for_batch(app, &connector, &batch)).await?);
        if intake.take(app, &batch).await?.1 == Next::Cancelled {
            return Ok((Outcome::Cancelled, Rest::default()));
        }
    }
    match window.now.filter(|_| window.batches == 1 && !intake.waits_for_time()) {
        Some(window) => Ok((remember(app, lease, stream, window).await?, Rest::default())),
        None => Ok((Outcome::Done, Rest { before, ..Rest::default() })),
    }
}

/// Puts the checkpoint back to where this run's read began, if the lease still stands: rows may be missing among those
/// it was moved along.
async fn put_back(app: &App, lease: &Lease, plan: &Plan, to: Option<Position>) -> Result<()> {
    let now = app.clock.now();
    let mut store = Store::begin(&app.db).await?;
    let (cursor, stream) = ((plan.cursor.column.as_str(), plan.cursor.kind), plan.route.stream);
    let mut checkpoint = Checkpoint::lock(&mut store, lease.organization, stream, cursor, now).await?;
    checkpoint.put_back(&mut store, to, now).await?;
    progress(&mut store, lease, &Tally::default(), Stretch::default(), now).await?;
    store.commit().await
}

/// Notes the rest of a run on it, where it does not end yet.
async fn note(db: &Db, lease: &Lease, rest: Rest, now: Micros) -> Result<Outcome> {
    let Rest { repeated, null_cursors, bytes, before, spent } = rest;
    let tally = Tally {
        rows_read: repeated,
        rows_repeated: repeated,
        null_cursors,
        bytes_read: bytes,
        spent,
        ..Tally::default()
    };
    Ok(ended(progress_alone(db, lease, &tally, Stretch { before, after: None }, now).await?))
}

/// Notes what the only batch of a run held, so that the next run can tell it at a glance.
async fn remember(app: &App, lease: &Lease, stream: entity::StreamId, window: String) -> Result<Outcome> {
    let mut store = Store::begin(&app.db).await?;
    let sql = "UPDATE checkpoint SET window_hash = $3 WHERE organization_id = $1 AND stream_id = $2 AND run_id = $4";
    let binds = [lease.organization.0.into(), stream.0.into(), window.into(), lease.run.0.into()];
    store.execute(sql, &binds).await?;
    let next = progress(&mut store, lease, &Tally::default(), Stretch::default(), app.clock.now()).await?;
    store.commit().await?;
    Ok(ended(next))
}

fn ended(next: Next) -> Outcome {
    match next {
        Next::Cancelled => Outcome::Cancelled,
        Next::GoOn => Outcome::Done,
    }
}

/// Rows without a cursor are reported by every run, those that were read before too.
fn null_cursors(intake: &Intake, batch: &Batch) -> u64 {
    let column = batch.column(intake.cursor_column());
    column.map_or(0, |column| (0..batch.rows()).filter(|row| column.cell(*row).null()).count() as u64)
}

/// What the last lookback window held and what this one holds, when one batch holds it all.
struct Window {
    before: Option<String>,
    now: Option<String>,
    /// What besides the rows decides what becomes of them.
    state: String,
    batches: u32,
}

impl Window {
    /// Notes a batch and tells whether it is the first and the same as the whole window before.
    fn seen(&mut self, batch: &Batch) -> bool {
        self.batches += 1;
        if self.batches > 1 {
            return false;
        }
        self.now = Some(format!("{:016x}/{}", batch.fingerprint(), self.state));
        self.before.is_some() && self.before == self.now
    }
}

/// The highest believable cursor. The source's own clock is asked only when a row is ahead of ours.
struct Cap {
    ours: Option<i64>,
    theirs: Option<i64>,
    plan: Plan,
}

impl Cap {
    fn new(app: &App, plan: &Plan) -> Self {
        Self { ours: plan.cursor_cap(app.clock.now()), theirs: None, plan: plan.clone() }
    }

    async fn for_batch(
        &mut self,
        app: &App,
        connector: &Arc<dyn Connector>,
        batch: &Batch,
    ) -> Result<Option<i64>> {
        let (None, Some(ours)) = (self.theirs, self.ours) else { return Ok(self.theirs) };
        let column = batch.column(&self.plan.cursor.column);
        let newest = column.and_then(|column| connector::cursor::rank(&column.cell(batch.rows() - 1)));
        if newest.is_none_or(|newest| newest <= ours) {
            return Ok(Some(ours));
        }
        let now = connector.clock().await?.micros().unwrap_or_else(|| app.clock.now());
        self.theirs = self.plan.cursor_cap(now);
        Ok(self.theirs)
    }
}

/// Where a run begins.
#[derive(Default)]
struct Start {
    from: Option<Position>,
    until: Option<Watermark>,
    /// The watermark before the run, for people; none for a run taken up again.
    before: Option<String>,
    /// What the last window held.
    window: Option<String>,
    /// What besides the rows decides what becomes of them.
    state: String,
}

/// The bounds of the read.
///
/// A new run reads from the watermark less the lookback. A run taken up again goes on behind the last row it stored:
/// its lookback was read already.
fn bounds(opening: &Opening, lease: &Lease, range: &Range) -> Result<Start> {
    let plan = &opening.plan;
    let kind = plan.cursor.kind;
    if let Range::Between { since, until } = range {
        let parse = |text: &String| {
            Watermark::parse(kind, text).ok_or_else(|| {
                Error::invalid(
                    "range",
                    format!("{text:?} is no value of cursor column {:?}", plan.cursor.column),
                )
            })
        };
        let from = since.as_ref().map(parse).transpose()?;
        let from = from.map(|watermark| Position { watermark, key: Vec::new() });
        return Ok(Start { from, until: until.as_ref().map(parse).transpose()?, ..Start::default() });
    }
    let state = opening.state.clone();
    let Some(checkpoint) = opening.checkpoint.clone() else { return Ok(Start { state, ..Start::default() }) };
    let window = checkpoint.window;
    Ok(match checkpoint.position {
        Some(position) if checkpoint.run == Some(lease.run) => {
            Start { from: Some(position), window, state, ..Start::default() }
        }
        Some(position) => {
            let before = Some(position.watermark.text.clone());
            let watermark = position.watermark.minus(plan.lookback).unwrap_or(position.watermark);
            let from = Some(Position { watermark, key: Vec::new() });
            Start { from, before, window, state, until: None }
        }
        None => Start { window, state, ..Start::default() },
    })
}
