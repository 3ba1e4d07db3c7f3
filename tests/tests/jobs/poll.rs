//! What a poll that finds nothing costs, from the moment its stream is due until its run has ended: every statement that
//! the warehouse and our own database are sent.

use std::sync::Arc;

use anyhow::{Result, ensure};
use entity::{RunStatus, sync_run};
use sea_orm::{EntityTrait, QueryOrder};
use server::clock::Clock;
use server::db::Db;
use server::jobs::{self, Reader};
use tests::meter::Meter;
use tests::postgres::Database;
use tests::stage::until;
use tests::stand::{START, Stand, StreamSpec};
use tests::wire::Wire;
use tests::worker::arrange;
use tokio_util::sync::CancellationToken;

/// The first reads the rows, the second notes that they are the same again.
pub const NEWS: i64 = 2;
/// Polls that find nothing.
pub const POLLS: i64 = 3;
/// What they send to the warehouse: one of these reads the table.
const THERE: [&str; 4] =
    ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "WITH made AS", "COPY /* weir ", "COMMIT"];
/// And to our own database: to start the run, to take it, to know what it is about, to end it.
const HERE: [&str; 12] = [
    "BEGIN",
    "SELECT s.organization_id",
    "SELECT stream_id FROM sync_run",
    "INSERT INTO counter",
    "INSERT INTO sync_run",
    "INSERT INTO job",
    "WITH moved",
    "COMMIT",
    "WITH due",
    "UPDATE sync_run SET status = 'running'",
    "SELECT s.\"organization_id\" AS stream_organization_id",
    "WITH first AS (UPDATE sync_run SET balanced",
];

/// A warehouse with a table of some rows.
async fn warehouse() -> Result<Database> {
    let warehouse = Database::empty().await?;
    warehouse
        .run(
            "CREATE TABLE quiet AS SELECT n AS id, 'acct-' || n % 7 AS account, 'metric-1' AS metric, \
               n::numeric AS value, timestamptz '2025-01-01 00:00+00' + n * interval '1 day' AS measured_at, \
               timestamptz '2025-06-01 00:00+00' + n * interval '1 second' AS updated_at \
               FROM generate_series(1::bigint, 100) AS n; \
             ALTER TABLE quiet ALTER updated_at SET NOT NULL, ALTER id SET NOT NULL; \
             CREATE INDEX quiet_updated ON quiet (updated_at, id)",
        )
        .await?;
    Ok(warehouse)
}

/// A stand whose clock stands still and whose leases need no renewal, so that nothing happens by itself but the
/// stream's runs.
async fn stand(weir: &str, warehouse: &str) -> Result<Stand> {
    let mut stand = Stand::on(weir, warehouse).await?;
    stand.app.clock = Clock::fixed(START);
    let mut config = (*stand.app.config).clone();
    config.workers.lease_seconds = 3_600;
    stand.app.config = Arc::new(config);
    stand.stream_of(&StreamSpec::quiet()).await?;
    Ok(stand)
}

/// Makes the stream due and waits until its run, the one of this number, has ended and its job with it.
pub async fn poll(db: &Db, number: i64) -> Result<()> {
    arrange(db, "UPDATE stream SET next_due_at = 1").await?;
    until("the poll has ended", 60, async || {
        let jobs = entity::job::Entity::find().all(db.orm()).await?;
        let done = jobs.iter().filter(|job| job.queue == "sync" && job.status == entity::JobStatus::Done);
        Ok(i64::try_from(done.count())? == number)
    })
    .await?;
    let run = sync_run::Entity::find().order_by_desc(sync_run::Column::Number).one(db.orm()).await?;
    let told = run.map(|run| (run.number, run.status, run.rows_read == run.rows_repeated, run.written));
    ensure!(number <= NEWS || told == Some((number, RunStatus::Succeeded, true, 0)), "{told:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_finds_nothing_sends_few_statements() -> Result<()> {
    let (warehouse, ours) = (warehouse().await?, Database::empty().await?);
    let (there, here) = (Wire::to(&warehouse).await?, Wire::to(&ours).await?);
    let stand = stand(&here.url(&ours), &there.url(&warehouse)).await?;
    let stop = CancellationToken::new();
    let workers = jobs::start(&stand.app, Arc::new(Reader), &stop);
    let aside = Db::connect(&ours.url().into(), 1).await?;
    for number in 1..=NEWS + POLLS {
        there.take();
        here.take();
        poll(&aside, number).await?;
        let (there, mut here) = (there.take(), here.take());
        here.retain(|sql| !idle(sql));
        if number > NEWS {
            same(&there, &THERE)?;
            same(&here, &HERE)?;
        }
    }
    // Rows without a cursor are in no order: they are asked for apart, where there may be some.
    warehouse.run("ALTER TABLE quiet ALTER updated_at DROP NOT NULL").await?;
    there.take();
    poll(&aside, NEWS + POLLS + 1).await?;
    let [begin, catalog, copy, commit] = THERE;
    same(&there.take(), &[begin, catalog, copy, copy, commit])?;
    stop.cancel();
    workers.finished().await;
    Ok(())
}

/// Checks that these statements were sent, by their first words, and no other.
fn same(sent: &[String], wanted: &[&str]) -> Result<()> {
    let differ = sent.iter().zip(wanted).any(|(sent, wanted)| !sent.starts_with(wanted));
    ensure!(!differ && sent.len() == wanted.len(), "{} statements: {sent:#?}", sent.len());
    Ok(())
}

/// Whether workers send it that have nothing to do, too.
fn idle(sql: &str) -> bool {
    sql.starts_with("SELECT 1 AS due") || sql.starts_with("INSERT INTO worker")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_finds_nothing_writes_few_rows_in_few_transactions_on_sqlite() -> Result<()> {
    let (warehouse, folder) = (warehouse().await?, tempfile::tempdir()?);
    let url = format!("sqlite:{}", folder.path().join("weir.db").display());
    let stand = stand(&url, &warehouse.url()).await?;
    let meter = Meter::on(&stand.app.db).await?;
    let stop = CancellationToken::new();
    let workers = jobs::start(&stand.app, Arc::new(Reader), &stop);
    let aside = Db::connect(&url.into(), 1).await?;
    for number in 1..=NEWS + POLLS {
        meter.take();
        poll(&aside, number).await?;
        let mut written = meter.take();
        written.retain(|changes| !changes.contains_key("worker"));
        let told: Vec<Vec<(&str, u64)>> = written
            .iter()
            .map(|changes| changes.iter().map(|(table, rows)| (table.as_str(), *rows)).collect())
            .collect();
        if number > NEWS {
            let started = vec![("counter", 1), ("job", 1), ("stream", 1), ("sync_run", 1)];
            let taken = [vec![("job", 1)], vec![("sync_run", 1)]];
            let ended = vec![("job", 1), ("stream", 1), ("sync_run", 1)];
            assert_eq!(told, [started, taken[0].clone(), taken[1].clone(), ended]);
        }
    }
    stop.cancel();
    workers.finished().await;
    Ok(())
}
