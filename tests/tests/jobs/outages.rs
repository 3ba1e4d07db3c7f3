//! Databases that are locked or gone for a while.

use std::time::Duration;

use anyhow::{Context, Result};
use entity::JobStatus;
use sea_orm::ConnectionTrait;
use server::db::Db;
use sqlx::{Connection, Executor, PgConnection};
use tests::stage::{Stage, until};
use tests::trace;
use tests::worker::Deed;

use crate::{Worker, add, all_are, job_of, jobs};

/// Longer than the ten seconds a connection waits for the lock.
const LOCKED: Duration = Duration::from_secs(12);

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_locked_for_longer_than_the_busy_timeout_is_survived() -> Result<()> {
    let stage = Stage::sqlite().await?;
    // It ends so late that its own write waits less than the ten seconds: only the worker's statements fail.
    add(&stage, &[job_of("in hand", Deed::Deaf(8_000))]).await?;
    let worker = Worker::with(&stage, Duration::from_secs(20), Duration::from_millis(100), 2);
    until("it has begun", 20, async || Ok(!trace::read(&stage.db).await?.is_empty())).await?;
    add(&stage, &[job_of("next", Deed::Work(0))]).await?;
    // The job in hand ends, and the next is looked for, while nobody else can write.
    let other = Db::connect(&stage.url.clone().into(), 1).await?;
    let lock = other.begin().await?;
    lock.execute_unprepared("UPDATE trace SET at = at").await?;
    tokio::time::sleep(LOCKED).await;
    lock.rollback().await?;
    until("both are done", 40, async || all_are(&stage, JobStatus::Done).await).await?;
    worker.finish().await?;
    assert!(jobs(&stage).await?.iter().all(|job| job.attempts == 1), "nothing ran twice");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_goes_away_and_comes_back_is_survived() -> Result<()> {
    let stage = Stage::postgres().await?;
    let database = stage.postgres.as_ref().context("a PostgreSQL database")?;
    add(&stage, &[job_of("in hand", Deed::Deaf(1_500))]).await?;
    let worker = Worker::with(&stage, Duration::from_secs(20), Duration::from_millis(100), 2);
    until("it has begun", 20, async || Ok(!trace::read(&stage.db).await?.is_empty())).await?;
    // Due while the server is away, however long it takes to send it away.
    let later = job_of("next", Deed::Work(0)).run_at(crate::now() + 3_000_000);
    add(&stage, &[later]).await?;
    // As in a restart: every connection breaks, and for a while none is let in.
    let mut admin = PgConnection::connect(&database.server.url("postgres")).await?;
    let name = &database.name;
    let mut run = async |statement: String| admin.execute(sqlx::AssertSqlSafe(statement)).await.map(drop);
    run(format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false")).await?;
    run(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")).await?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    run(format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true")).await?;
    until("both are done", 60, async || all_are(&stage, JobStatus::Done).await.or(Ok(false))).await?;
    worker.finish().await?;
    let attempts: Vec<_> = jobs(&stage).await?.iter().map(|job| job.attempts).collect();
    assert_eq!(attempts[1], 1, "nothing was lost and nothing given up");
    Ok(())
}
