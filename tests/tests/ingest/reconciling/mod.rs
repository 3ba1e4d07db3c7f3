//! What a stream took in, compared with its table: what is read again, what is left alone, and what it ends in, also
//! when it is broken off or two do it.

mod differences;
mod interrupted;
mod times;

use std::sync::Arc;

use anyhow::{Context, Result};
use connector::Connector;
use connector::memory::MemoryTable;
use entity::{
    RunKind, RunStatus, RunTrigger, StreamId, WorkerId, reconcile as stored, reconcile_slice, sync_run,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use server::app::App;
use server::domain::reconcile::{self, Reconcile};
use server::domain::sync_run::{self as runs, Claimed, End};
use server::error::{Error, Result as Done};
use server::ingest::reconcile::{Next, advance};
use server::ingest::{self, Lease, Range};
use tests::stand::{Shape, Stand, balanced};
use tokio_util::sync::CancellationToken;

use crate::{row, table};

pub const HOUR: i64 = 3_600;
pub const A_DAY: i64 = 24 * HOUR;

/// Two rows a day of the last five days, a second apart; all of one series.
pub fn filled() -> MemoryTable {
    let table = table();
    for id in 0..10_i128 {
        let updated = -A_DAY * (5 - id as i64 / 2) + HOUR + id as i64;
        table.push(row(id, "acme", "seats", &format!("{id}.5"), id as i64 * 60, updated));
    }
    table
}

pub async fn synced(stand: &Stand) -> Result<(MemoryTable, StreamId)> {
    let acme = stand.account("Acme").await?;
    stand.identify(acme, "acme").await?;
    let table = filled();
    let stream = stand.stream(&table, Shape::default()).await?;
    stand.sync(stream, &table).await?;
    Ok((table, stream))
}

pub async fn ask(stand: &Stand, stream: StreamId) -> Result<Reconcile> {
    let key = (stand.organization, stream);
    let (db, now) = (stand.app.db.orm(), stand.app.clock.now());
    Ok(reconcile::start(db, now, key, RunTrigger::Manual, None).await?.reconcile)
}

/// Goes on with a comparison to its end, and carries its runs out.
pub async fn carry_on(app: &App, source: &Arc<dyn Connector>, mut of: Reconcile) -> Done<()> {
    while advance(app, source, &mut of).await? != Next::Done {
        carry_out(app, source, of.stream_id).await?;
    }
    Ok(())
}

/// Carries out the backfill that waits, as a worker does.
pub async fn carry_out(app: &App, source: &Arc<dyn Connector>, stream: StreamId) -> Done<()> {
    let waiting = sync_run::Entity::find()
        .filter(sync_run::Column::StreamId.eq(stream))
        .filter(sync_run::Column::Kind.eq(RunKind::Backfill))
        .filter(sync_run::Column::Status.eq(RunStatus::Queued))
        .one(app.db.orm())
        .await?;
    let run = waiting.ok_or_else(|| Error::internal("carry out a run", "none waits"))?;
    let now = app.clock.now();
    let key = (run.organization_id, run.id);
    let Claimed::Ours(claim) = runs::claim(app.db.orm(), now, now + 1_000_000, key, WorkerId::new()).await?
    else {
        return Err(Error::internal("carry out a run", "it is not to be had"));
    };
    let lease = Lease {
        organization: claim.organization(),
        run: claim.id(),
        number: claim.run.number,
        fence: claim.fence(),
    };
    let range = Range::Between { since: run.since, until: run.until };
    ingest::run(app, source.clone(), &lease, stream, &range, &CancellationToken::new()).await?;
    runs::finish(&app.db, now, &claim, End::Succeeded).await?;
    Ok(())
}

pub async fn find(stand: &Stand, of: &Reconcile) -> Result<Reconcile> {
    let found = stored::Entity::find_by_id((of.organization_id, of.id)).one(stand.app.db.orm()).await?;
    found.context("the comparison exists")
}

pub async fn slices(stand: &Stand, of: &Reconcile) -> Result<Vec<reconcile_slice::Model>> {
    Ok(reconcile::slices(stand.app.db.orm(), of).await?)
}

/// One night: asks for a comparison and carries it out.
pub async fn night(stand: &Stand, stream: StreamId, source: &Arc<dyn Connector>) -> Result<Reconcile> {
    let of = ask(stand, stream).await?;
    carry_on(&stand.app, source, of.clone()).await?;
    find(stand, &of).await
}

pub fn source(table: &MemoryTable) -> Arc<dyn Connector> {
    Arc::new(table.clone())
}

/// The backfills of a stream, in order.
pub async fn backfills(stand: &Stand, stream: StreamId) -> Result<Vec<sync_run::Model>> {
    let found = sync_run::Entity::find()
        .filter(sync_run::Column::StreamId.eq(stream))
        .filter(sync_run::Column::Kind.eq(RunKind::Backfill))
        .order_by_asc(sync_run::Column::Number)
        .all(stand.app.db.orm())
        .await?;
    found.iter().try_for_each(balanced)?;
    Ok(found)
}

/// Slices compared, read again and left alone, and readings written.
pub fn counts(of: &Reconcile) -> (i64, i64, i64, i64) {
    (of.slices, of.differing, of.explained, of.written)
}
