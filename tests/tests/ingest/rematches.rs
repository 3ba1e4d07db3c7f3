//! Rematches and realignments of several organizations, done by two processes at once on PostgreSQL.

use std::sync::Arc;

use anyhow::Result;
use connector::memory::MemoryTable;
use entity::{JobStatus, StreamId, job};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use server::domain::matching_change::{self, Scope};
use server::jobs::{self, Reader};
use tests::stage::until;
use tests::stand::{Hold, Shape, Stand};
use tokio_util::sync::CancellationToken;

use crate::model::{Feed, Model};
use crate::{row, table};

/// Accounts of each organization, and rows of each account.
const ACCOUNTS: i128 = 8;
const ROWS: i128 = 40;

/// An organization whose rows wait, but for those of an ID that is on another account than it should be.
async fn scene(stand: &Stand) -> Result<(MemoryTable, StreamId)> {
    let table = table();
    for id in 0..ACCOUNTS * ROWS {
        let account = format!("a{}", id % ACCOUNTS);
        table.push(row(id, &account, "seats", &id.to_string(), (id / ACCOUNTS) as i64, -600 + id as i64));
    }
    let wrong = stand.account("wrong").await?;
    stand.identify(wrong, "a0").await?;
    let stream = stand.stream(&table, Shape::default()).await?;
    stand.sync(stream, &table).await?;
    Ok((table, stream))
}

/// Puts the IDs on their accounts, each with the rematch that the product asks for then. Tells how many there are.
async fn identify(stand: &Stand, model: &mut Model) -> Result<usize> {
    let now = stand.app.clock.now();
    let ask =
        async |scope| matching_change::announce(stand.app.db.orm(), stand.organization, scope, now).await;
    stand.forget("a0").await?;
    for number in 0..ACCOUNTS {
        let name = format!("a{number}");
        let account = stand.account(&name).await?;
        stand.identify(account, &name).await?;
        model.known.entry(name.clone()).or_default().identified = true;
        ask(Scope::ExternalAccounts { space: "account_id".to_owned(), normalized: vec![name] }).await?;
    }
    ask(Scope::Space { space: "account_id".to_owned() }).await?;
    ask(Scope::Everything).await?;
    Ok(ACCOUNTS as usize + 2)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_workers_do_each_rematch_once() -> Result<()> {
    let first = Stand::postgres().await?;
    let stands = [first.beside().await?, first.beside().await?, first];
    let (mut wanted, mut asked) = (Vec::new(), 0);
    for stand in &stands {
        let (table, _) = scene(stand).await?;
        let mut model = Model::default();
        asked += identify(stand, &mut model).await?;
        model.sync(Feed::Usage, &table, 0);
        wanted.extend(model.measurements());
    }
    wanted.sort();

    // Both stand in the middle of a rematch at the same time, of which there is one for each organization.
    let (stop, mut workers, mut holds) = (CancellationToken::new(), Vec::new(), Vec::new());
    for _ in 0..2 {
        let mut app = stands[0].process().await?;
        let (faults, hold) = Hold::at("replay.stored", 1);
        app.faults = faults;
        workers.push(jobs::start(&app, Arc::new(Reader), &stop));
        holds.push(hold);
    }
    for hold in &holds {
        hold.reached().await?;
    }
    let rematches = || job::Entity::find().filter(job::Column::Queue.eq(matching_change::QUEUE));
    let db = stands[0].app.db.orm();
    let live = rematches().filter(job::Column::Status.eq(JobStatus::Running)).all(db).await?;
    assert_eq!(live.len(), 2, "{live:?}");
    assert_ne!(live[0].lock_key, live[1].lock_key, "one organization has one at a time");
    drop(holds);
    until("all are done", 120, async || {
        let open = rematches().filter(job::Column::Status.ne(JobStatus::Done));
        Ok(open.all(db).await?.is_empty())
    })
    .await?;
    stop.cancel();
    for workers in workers {
        workers.finished().await;
    }
    let jobs = rematches().all(db).await?;
    assert_eq!(jobs.len(), asked);
    assert!(jobs.iter().all(|job| job.attempts == 1 && job.last_error.is_none()), "each once: {jobs:?}");
    assert_eq!(stands[0].measurements().await?, wanted);
    assert!(stands[0].waiting().await?.is_empty());
    assert_eq!(
        stands[0].count("SELECT COUNT(*) FROM measurement_revision").await?,
        0,
        "none was written twice"
    );
    stands[0].groups_add_up().await
}
