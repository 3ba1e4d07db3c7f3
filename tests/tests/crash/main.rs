//! The real program, killed or stopped again and again while it loads 100,000 rows and more: the result is as if nothing
//! had happened.

mod holds;
mod install;
mod load;
mod oracle;
mod stops;
mod warehouse;
mod workers;

use anyhow::{Result, ensure};
use entity::{RunStatus, sync_run};
use tests::stand::balanced;

use install::Install;
use load::Load;
use oracle::{Oracle, Told};
use warehouse::Warehouse;

/// Kills of the first load, and of the sync of what changed afterwards.
const KILLS: [i32; 2] = [8, 2];

#[tokio::test(flavor = "multi_thread")]
async fn a_load_of_200_000_rows_survives_kills_on_sqlite() -> Result<()> {
    survives(Warehouse::sqlite().await?, Install::sqlite()?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_of_200_000_rows_survives_kills_on_postgres() -> Result<()> {
    survives(Warehouse::postgres().await?, Install::postgres().await?).await
}

async fn survives(warehouse: Warehouse, install: Install) -> Result<()> {
    // So long that no lease lapses by itself: each kill costs one attempt, and nothing else does.
    let install = install.with("WORKERS__LEASE_SECONDS", "60").with("WORKERS__POLL_MILLISECONDS", "100");
    let mut install = install.with("WORKERS__ATTEMPTS", "100");
    let mut load = Load::new(20_260_101, 200_000);
    warehouse.add(&load.rows).await?;
    install.set_up(&warehouse).await?;
    let mut oracle = Oracle::default();

    let first = install.sync(KILLS[0]).await?;
    let told = oracle.read(&load.rows);
    ended_well(&first, (KILLS[0] + 1, KILLS[0]), &told, 0)?;
    install.holds(&oracle).await?;
    install.wrote_once(&[&first]).await?;

    let changes = load.change();
    warehouse.replace(&changes).await?;
    let second = install.sync(KILLS[1]).await?;
    let (rows, window) = load.since(first.cursor_after.as_deref());
    let told = oracle.read(&rows);
    ended_well(&second, (KILLS[1] + 1, KILLS[1]), &told, window)?;
    install.holds(&oracle).await?;
    install.wrote_once(&[&first, &second]).await
}

/// Checks that a run succeeded in this attempt after so many breaks, and counted each row once, but for those that are
/// read again after a break: the last row stored, its twin if it has one, and the `window` before the mark.
fn ended_well(run: &sync_run::Model, (attempt, breaks): (i32, i32), told: &Told, window: i64) -> Result<()> {
    ensure!(run.status == RunStatus::Succeeded && run.balanced == Some(true), "the run ended as {run:?}");
    ensure!(run.attempt == attempt, "after {breaks} breaks the run has {} attempts", run.attempt);
    let again = run.rows_read - told.rows;
    let most = i64::from(breaks) * (window + 2);
    ensure!((0..=most).contains(&again), "read {} of {} rows", run.rows_read, told.rows);
    for (what, counted, told) in [
        ("repeated", run.rows_repeated, told.repeated),
        ("rejected", run.rows_rejected, told.rejected),
        ("null", run.null_cells, told.nulls),
        ("unmatched", run.unmatched, told.unmatched),
    ] {
        ensure!((told..=told + again).contains(&counted), "{counted} rows {what}, of {told}");
    }
    balanced(run)
}
