//! Workers in processes of their own, beside a server that has none, on one PostgreSQL database.

use anyhow::{Context, Result, ensure};
use entity::{RunStatus, sync_run, worker};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::json;
use server::db::Db;
use tests::demo::server::Server;
use tests::stage::until;

use crate::ended_well;
use crate::install::{Install, ended, find};
use crate::load::Load;
use crate::oracle::Oracle;
use crate::warehouse::Warehouse;

/// Seconds after which the run of a worker that died is taken up at the latest.
const TAKEN_UP: u64 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_carries_out_what_a_server_is_asked_for_and_what_a_killed_one_left() -> Result<()> {
    let (warehouse, mut install) = (Warehouse::postgres().await?, Install::postgres().await?);
    let mut load = Load::new(20_260_103, 100_000);
    warehouse.add(&load.rows).await?;
    install.set_up(&warehouse).await?;
    let db = install.db().await?;
    let mut apart = install.settings.clone();
    apart.more.push(("WORKERS__CONCURRENCY", "0".to_owned()));
    let server = Server::start(&apart).await?;
    let asked = install.order().await?;
    ensure!(asked["status"] == "QUEUED", "who should have begun it? {asked}");

    let first = Server::work(&install.settings, "first.log").await?;
    let run = last(&db).await?;
    let run = (run.organization_id, run.id);
    until("batches are stored", 60, async || Ok(find(&db, run).await?.batches >= 5))
        .await
        .with_context(|| first.said())?;
    let second = Server::work(&install.settings, "second.log").await?;
    let process = first.process()?;
    first.kill().await?;
    let left = find(&db, run).await?;
    ensure!(left.status == RunStatus::Running && left.attempt == 1, "the kill came too late: {left:?}");
    let owner = left.lease_owner.context("it died with the run in hand")?;
    let owner =
        worker::Entity::find_by_id(owner).one(db.orm()).await?.context("it could not say that it died")?;
    ensure!(owner.name.ends_with(&format!("/{process}")), "the wrong one was killed: {owner:?}");
    until("another worker has taken the run up", TAKEN_UP, async || Ok(find(&db, run).await?.attempt == 2))
        .await
        .with_context(|| second.said())?;
    let done = ended(&db, run).await.with_context(|| second.said())?;
    ensure!(install.told().await? == json!({ "id": asked["id"], "status": "SUCCEEDED" }));
    let mut oracle = Oracle::default();
    let told = oracle.read(&load.rows);
    ended_well(&done, (2, 1), &told, 0)?;
    install.holds(&oracle).await?;

    // And undisturbed, while it runs.
    let changes = load.change();
    warehouse.replace(&changes).await?;
    let asked = install.order().await?;
    let run = last(&db).await?;
    let again = ended(&db, (run.organization_id, run.id)).await.with_context(|| second.said())?;
    ensure!(install.told().await? == json!({ "id": asked["id"], "status": "SUCCEEDED" }));
    let (rows, window) = load.since(done.cursor_after.as_deref());
    let told = oracle.read(&rows);
    ended_well(&again, (1, 0), &told, window)?;
    install.holds(&oracle).await?;
    install.wrote_once(&[&done, &again]).await?;
    second.stop().await?;
    server.stop().await
}

/// The run that was asked for last.
async fn last(db: &Db) -> Result<sync_run::Model> {
    let newest = sync_run::Entity::find().order_by_desc(sync_run::Column::Number);
    newest.one(db.orm()).await?.context("a run was asked for")
}
