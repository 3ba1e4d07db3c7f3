//! A server that is asked to stop while it loads: the batch in hand is stored, the run is given back, and the next start
//! goes on with it at once.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use entity::{JobStatus, RunStatus, checkpoint, job, sync_run};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use server::clock::Clock;
use server::db::{Backend, Db};
use tests::demo::server::Server;
use tests::stage::until;

use crate::ended_well;
use crate::holds::count;
use crate::install::{BATCH, Install, ask, ended, find};
use crate::load::Load;
use crate::oracle::Oracle;
use crate::warehouse::Warehouse;

/// How often it is stopped.
const STOPS: i32 = 3;
/// Seconds in which a server stores some batches, however busy the machine is. That it need not wait for the run, what
/// was given back says: nobody holds it, and its time has come.
const GOES_ON: u64 = 240;

#[tokio::test(flavor = "multi_thread")]
async fn a_load_goes_on_at_once_after_each_stop_on_sqlite() -> Result<()> {
    goes_on(Warehouse::sqlite().await?, Install::sqlite()?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_goes_on_at_once_after_each_stop_on_postgres() -> Result<()> {
    goes_on(Warehouse::postgres().await?, Install::postgres().await?).await
}

async fn goes_on(warehouse: Warehouse, install: Install) -> Result<()> {
    let mut install = install.with("WORKERS__LEASE_SECONDS", "60");
    let load = Load::new(20_260_102, 100_000);
    warehouse.add(&load.rows).await?;
    install.set_up(&warehouse).await?;
    let db = install.db().await?;
    let run = ask(&db).await?;
    for stop in 1..=STOPS {
        let stored = find(&db, run).await?.batches + 3;
        let server = Server::start(&install.settings).await?;
        until("the run goes on", GOES_ON, async || Ok(find(&db, run).await?.batches >= stored))
            .await
            .with_context(|| format!("before stop {stop}: {}", server.said()))?;
        let held = db.begin().await?;
        held.execute_unprepared("UPDATE checkpoint SET version = version").await?;
        let before = find(&db, run).await?;
        ensure!(before.status == RunStatus::Running, "stop {stop} comes too late: {before:?}");
        batch_waits(&db).await?;
        server.terminate().await?;
        server.says("stopping").await?;
        held.rollback().await?;
        server.stopped().await?;
        let left = find(&db, run).await?;
        ensure!(left.batches == before.batches + 1, "{} batches, then {left:?}", before.batches);
        given_back(&db, &left).await?;
    }
    let server = Server::start(&install.settings).await?;
    let ended = ended(&db, run).await.with_context(|| server.said())?;
    server.stop().await?;
    let mut oracle = Oracle::default();
    let told = oracle.read(&load.rows);
    // Being stopped costs no attempt.
    ended_well(&ended, (1, STOPS), &told, 0)?;
    install.holds(&oracle).await?;
    install.wrote_once(&[&ended]).await
}

/// Waits until the next batch has been read and waits for the lock that we hold.
async fn batch_waits(db: &Db) -> Result<()> {
    let waits = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    match db.backend() {
        Backend::Postgres => until("a batch waits", 120, async || Ok(count(db, waits).await? > 0)).await,
        // SQLite does not tell. It has nothing to do but to read the next batch, which takes milliseconds; and it waits
        // for the lock for ten seconds.
        Backend::Sqlite => {
            tokio::time::sleep(Duration::from_secs(4)).await;
            Ok(())
        }
    }
}

/// Checks that a run waits in the queue, held by nobody, whole batches of it stored and the checkpoint behind the last.
async fn given_back(db: &Db, run: &sync_run::Model) -> Result<()> {
    let held = (run.lease_owner, run.lease_until, run.attempt);
    ensure!(run.status == RunStatus::Queued && held == (None, None, 0), "the run is not given back: {run:?}");
    ensure!(run.rows_read == run.batches * i64::from(BATCH), "half a batch is stored: {run:?}");
    let mark = checkpoint::Entity::find_by_id((run.organization_id, run.stream_id)).one(db.orm()).await?;
    let mark = mark.context("there is a checkpoint")?;
    let of_run = mark.run_id == Some(run.id) && Some(&mark.watermark) == run.cursor_after.as_ref();
    ensure!(of_run, "the checkpoint {mark:?} is not that of {run:?}");
    let job = job::Entity::find().filter(job::Column::Queue.eq("sync")).one(db.orm()).await?;
    let job = job.context("the run has a job")?;
    let held = (job.lease_owner, job.lease_until, job.attempts);
    ensure!(job.status == JobStatus::Queued && held == (None, None, 0), "its job is not given back: {job:?}");
    ensure!(job.run_at <= Clock::system().now(), "its job is put off: {job:?}");
    ensure!(count(db, "SELECT COUNT(*) FROM worker").await? == 0, "a worker that has ended is still there");
    Ok(())
}
