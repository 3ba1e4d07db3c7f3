//! The scheduler: finds the streams that are due and starts their runs, and their comparisons with their tables.
//!
//! Every process runs one, and none is special. When a stream is due is a column of its row; moving it on and starting
//! the run are one transaction under the row's lock, so a due time makes one run however many processes look, and a
//! process that dies in between has done nothing. Times missed while nothing ran make one run, not many.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use entity::{OrganizationId, RunKind, RunTrigger, SourceState, StreamId, SyncRunId};
use futures::FutureExt;
use sea_orm::{ConnectionTrait, FromQueryResult};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::work::words;
use crate::app::App;
use crate::clock::{Micros, SECOND};
use crate::domain::schedule::Schedule;
use crate::domain::sync_run::{self, NewRun, Request};
use crate::domain::{discard, ignore_rule, job as queue, reconcile};
use crate::error::{Error, Result};
use crate::sql::Sql;

/// Most streams started in one transaction.
const STREAMS: i64 = 500;

/// How late a start is worth a line in the log.
const LATE: Micros = 60 * SECOND;

/// How often to look for what should not be: streams without a due time, runs without a job.
const WATCH: Micros = 10 * SECOND;

/// Looks for due streams until `stop` fires.
pub(super) async fn run(app: App, stop: CancellationToken) {
    let poll = Duration::from_millis(app.config.workers.poll_milliseconds);
    let mut watched = 0;
    while !stop.is_cancelled() {
        let look = async {
            while start_due(&app).await?.due == STREAMS.unsigned_abs() {}
            let now = app.clock.now();
            if (now - watched).abs() >= WATCH {
                watched = now;
                watch(&app).await?;
            }
            Ok::<_, Error>(())
        };
        match AssertUnwindSafe(look).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "the scheduler could not look for due streams; trying again"),
            Err(panic) => error!(panic = words(panic.as_ref()), "the scheduler panicked and goes on"),
        }
        tokio::select! {
            () = tokio::time::sleep(poll) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// What one look at the schedule did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Streams whose time had come.
    pub due: u64,
    /// Runs started; the other streams had a live run, or may not run.
    pub started: u64,
}

#[derive(Clone, Debug, FromQueryResult)]
struct Due {
    organization_id: OrganizationId,
    id: StreamId,
    name: String,
    next_due_at: Micros,
    schedule: String,
    paused_reason: Option<String>,
    ingestion_enabled: bool,
    state: SourceState,
}

impl Due {
    fn may_run(&self) -> bool {
        self.ingestion_enabled && self.state == SourceState::Active && self.paused_reason.is_none()
    }
}

/// Starts the runs of the streams that are due, at most some hundreds.
///
/// # Errors
/// What the database says; nothing was started then.
pub async fn start_due(app: &App) -> Result<Tick> {
    let now = app.clock.now();
    let due = "SELECT 1 AS due FROM stream WHERE enabled AND next_due_at <= ";
    if !Sql::new(app.db.orm(), due).bind(now).text(" LIMIT 1").any(app.db.orm()).await? {
        return Ok(Tick::default());
    }
    let tx = app.db.begin().await?;
    let due = lock_due(&tx, now).await?;
    let live = live(&tx, &due).await?;
    let wanted = due.iter().filter(|stream| stream.may_run() && !live.contains(&stream.id));
    let runs = start(&tx, now, wanted).await?;
    move_on(&tx, now, &due, &runs).await?;
    tx.commit().await?;
    if !runs.is_empty() {
        app.jobs.wake();
    }
    if let Some(stream) = due.first().filter(|stream| now - stream.next_due_at > LATE) {
        let (late, name) = ((now - stream.next_due_at) / SECOND, &stream.name);
        warn!(streams = due.len(), stream = name, late, "streams start late: seconds of the latest");
    }
    Ok(Tick { due: due.len() as u64, started: runs.len() as u64 })
}

async fn lock_due(db: &impl ConnectionTrait, now: Micros) -> Result<Vec<Due>> {
    let columns = "s.organization_id, s.id, s.name, s.next_due_at, s.schedule, s.paused_reason, o.ingestion_enabled, \
                   c.state";
    Ok(Sql::new(
        db,
        &format!("SELECT {columns} FROM stream s JOIN organization o ON o.id = s.organization_id"),
    )
    .text(" JOIN source c ON c.organization_id = s.organization_id AND c.id = s.source_id")
    .text(" WHERE s.enabled AND s.next_due_at <= ")
    .bind(now)
    .text(" ORDER BY s.next_due_at LIMIT ")
    .bind(STREAMS)
    .postgres(" FOR UPDATE OF s SKIP LOCKED")
    .all(db)
    .await?)
}

#[derive(FromQueryResult)]
struct Live {
    stream_id: StreamId,
}

/// The streams whose sync is queued or running: they need no second one.
async fn live(db: &impl ConnectionTrait, due: &[Due]) -> Result<HashSet<StreamId>> {
    if due.is_empty() {
        return Ok(HashSet::new());
    }
    let live: Vec<Live> =
        Sql::new(db, "SELECT stream_id FROM sync_run WHERE status IN ('queued', 'running')")
            .text(" AND kind = 'sync' AND (organization_id, stream_id) IN (VALUES ")
            .each(due, |sql, stream| {
                sql.text("(").bind(stream.organization_id).text(", ").bind(stream.id).text(")")
            })
            .text(")")
            .all(db)
            .await?;
    Ok(live.into_iter().map(|run| run.stream_id).collect())
}

/// Makes the runs and their jobs.
async fn start(
    db: &impl ConnectionTrait,
    now: Micros,
    wanted: impl Iterator<Item = &Due>,
) -> Result<HashMap<StreamId, SyncRunId>> {
    let mut streams = BTreeMap::<OrganizationId, Vec<StreamId>>::new();
    for stream in wanted {
        streams.entry(stream.organization_id).or_default().push(stream.id);
    }
    if streams.is_empty() {
        return Ok(HashMap::new());
    }
    let counts: Vec<_> = streams.iter().map(|(id, streams)| (*id, streams.len() as i64)).collect();
    let mut runs = Vec::new();
    for numbers in sync_run::allocate(db, &counts).await? {
        let organization = numbers.organization_id;
        let streams = streams.remove(&organization).unwrap_or_default();
        for (before_last, stream) in streams.into_iter().rev().enumerate() {
            let number = numbers.value - before_last as i64;
            let request = Request::sync(organization, stream, RunTrigger::Schedule);
            runs.push(NewRun { id: SyncRunId::new(), number, request });
        }
    }
    let inserted: HashSet<_> = sync_run::insert(db, now, &runs).await?.into_iter().collect();
    runs.retain(|run| inserted.contains(&run.id));
    let job = |run: &NewRun| sync_run::job(RunKind::Sync, run.request.organization, run.id);
    queue::enqueue(db, now, &runs.iter().map(job).collect::<Vec<_>>()).await?;
    Ok(runs.into_iter().map(|run| (run.request.stream, run.id)).collect())
}

/// Moves each stream to its next due time, compared with the one it was found at.
async fn move_on(
    db: &impl ConnectionTrait,
    now: Micros,
    due: &[Due],
    runs: &HashMap<StreamId, SyncRunId>,
) -> Result<()> {
    if due.is_empty() {
        return Ok(());
    }
    Sql::new(db, "WITH moved (organization_id, id, due, next, run) AS (VALUES ")
        .each(due, |sql, stream| {
            sql.text("(")
                .bind(stream.organization_id)
                .text(", ")
                .bind(stream.id)
                .text(", ")
                .bind(stream.next_due_at)
                .text(", ")
                .bind(next(stream, now))
                .text(", ")
                .bind(runs.get(&stream.id).copied())
                .text(")")
        })
        .text(") UPDATE stream SET next_due_at = moved.next, last_run_id = coalesce(moved.run, stream.last_run_id)")
        .text(" FROM moved WHERE stream.organization_id = moved.organization_id AND stream.id = moved.id")
        .text(" AND stream.next_due_at = moved.due")
        .run(db)
        .await?;
    Ok(())
}

fn next(stream: &Due, now: Micros) -> Option<Micros> {
    let next = Schedule::parse(&stream.schedule).and_then(|it| it.next_after(now, Some(stream.id)));
    next.unwrap_or_else(|error| {
        error!(stream.id = %stream.id, %error, "a stream's schedule cannot be read; it runs only when asked");
        None
    })
}

/// Finds what should not be, mends it, and says so.
async fn watch(app: &App) -> Result<()> {
    super::arrange(app).await?;
    app.sources.close_idle(app.clock.now());
    if ignore_rule::any_expired(app.db.orm(), app.clock.now()).await? {
        let work = app.db.begin().await?;
        let rules = ignore_rule::end_expired(&work, app.clock.now()).await?;
        work.commit().await?;
        info!(rules, "ignore rules have ended");
    }
    let pushed = sync_run::push_missing(app.db.orm(), app.clock.now()).await?;
    if pushed > 0 {
        warn!(runs = pushed, "runs had no job and were given one");
        app.jobs.wake();
    }
    let deleted = discard::push_missing(app.db.orm(), app.clock.now()).await?;
    if deleted > 0 {
        warn!(streams = deleted, "deleted streams had no job and were given one");
        app.jobs.wake();
    }
    if reconcile::any_due(app.db.orm(), app.clock.now()).await? {
        let work = app.db.begin().await?;
        let started = reconcile::start_due(&work, app.clock.now()).await?;
        work.commit().await?;
        if started > 0 {
            app.jobs.wake();
        }
    }
    let compared = reconcile::push_missing(app.db.orm(), app.clock.now()).await?;
    if compared > 0 {
        warn!(reconciles = compared, "comparisons had no job and were given one");
        app.jobs.wake();
    }
    let mended = give_due_times(app).await?;
    if mended > 0 {
        info!(streams = mended, "streams had a schedule and no due time and were given one");
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct Undated {
    organization_id: OrganizationId,
    id: StreamId,
    schedule: String,
}

/// Gives streams that have a schedule but no due time the next one.
async fn give_due_times(app: &App) -> Result<u64> {
    let (db, now) = (app.db.orm(), app.clock.now());
    let undated: Vec<Undated> =
        Sql::new(db, "SELECT organization_id, id, schedule FROM stream WHERE enabled")
            .text(r#" AND next_due_at IS NULL AND schedule NOT LIKE '%"manual"%' LIMIT "#)
            .bind(STREAMS)
            .all(db)
            .await?;
    let mut mended = 0;
    for stream in undated {
        let next = Schedule::parse(&stream.schedule).and_then(|it| it.next_after(now, Some(stream.id)));
        if let Ok(Some(next)) = next {
            mended += Sql::new(db, "UPDATE stream SET next_due_at = ")
                .bind(next)
                .text(" WHERE organization_id = ")
                .bind(stream.organization_id)
                .text(" AND id = ")
                .bind(stream.id)
                .text(" AND next_due_at IS NULL")
                .run(db)
                .await?;
        }
    }
    Ok(mended)
}
