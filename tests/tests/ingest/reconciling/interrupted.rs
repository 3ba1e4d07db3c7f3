//! Broken off anywhere, done by two, or left by a run that did not succeed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use connector::memory::MemoryTable;
use entity::{RunStatus, sync_run};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use server::domain::reconcile;
use server::domain::sync_run as runs;
use server::error::Error;
use server::fault::Faults;
use server::ingest::reconcile::{Next, advance};
use tests::stand::Stand;

use super::{A_DAY, HOUR, ask, backfills, carry_on, carry_out, counts, find, night, slices, source, synced};
use crate::row;

#[tokio::test]
async fn broken_off_anywhere_and_taken_up_again_it_ends_the_same() -> Result<()> {
    let late = |table: &MemoryTable| {
        table.push(row(77, "acme", "seats", "7", 7_000, -2 * A_DAY + 5 * HOUR));
        table.push(row(78, "acme", "seats", "8", 7_060, -4 * A_DAY + 5 * HOUR));
    };
    for place in
        ["reconcile.summed", "reconcile.compared", "reconcile.started", "batch.stored", "reconcile.ended"]
    {
        for mut stand in Stand::both().await? {
            let (table, stream) = synced(&stand).await?;
            late(&table);
            let of = ask(&stand, stream).await?;
            let armed = Arc::new(AtomicBool::new(true));
            let trigger = armed.clone();
            stand.app.faults = Faults::when(move |at| at == place && trigger.swap(false, Ordering::SeqCst));
            let mut broken = 0;
            // What was in memory is gone each time: only what is stored goes on.
            while let Some(found) =
                reconcile::find_live(stand.app.db.orm(), stand.organization, of.id).await?
            {
                match carry_on(&stand.app, &source(&table), found).await {
                    Ok(()) => break,
                    Err(Error::Internal(_)) => broken += 1,
                    Err(other) => return Err(other.into()),
                }
                stand.app.clock.advance(2_000_000);
                let left = sync_run::Entity::find()
                    .filter(sync_run::Column::Status.eq(RunStatus::Running))
                    .all(stand.app.db.orm())
                    .await?;
                for run in left {
                    // As the next worker would find it.
                    let back = sync_run::ActiveModel { status: Set(RunStatus::Queued), ..run.into() };
                    back.update(stand.app.db.orm()).await?;
                }
                ensure!(broken < 3, "{place}: it does not end");
            }
            assert_eq!(broken, 1, "{place} was passed");
            assert_eq!(counts(&find(&stand, &of).await?), (5, 2, 0, 2), "{place}");
            assert_eq!(backfills(&stand, stream).await?.len(), 2, "{place}");
            assert_eq!(stand.measurements().await?.len(), 12, "{place}");
            assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 0, 0, 0), "{place}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn of_two_workers_the_one_that_lost_it_changes_nothing() -> Result<()> {
    for stand in Stand::both().await? {
        let (table, stream) = synced(&stand).await?;
        table.push(row(77, "acme", "seats", "7", 7_000, -2 * A_DAY + 5 * HOUR));
        let (first, second) = (stand.process().await?, stand.process().await?);
        let mut one = ask(&stand, stream).await?;
        let mut other = ask(&stand, stream).await?;
        assert_eq!(one.id, other.id, "a second request joins the first");
        let table = source(&table);
        assert!(matches!(advance(&first, &table, &mut one).await?, Next::Wait(_)));
        let refused = advance(&second, &table, &mut other).await;
        assert!(matches!(refused, Err(Error::LeaseLost)), "{refused:?}");
        carry_out(&first, &table, stream).await?;
        let taken_up = reconcile::find_live(second.db.orm(), stand.organization, one.id).await?;
        let mut heir = taken_up.context("it goes on")?;
        assert_eq!(advance(&second, &table, &mut heir).await?, Next::Done);
        let late = advance(&first, &table, &mut one).await;
        assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
        assert_eq!(counts(&find(&stand, &one).await?), (5, 1, 0, 1));
        assert_eq!(backfills(&stand, stream).await?.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_run_that_does_not_succeed_leaves_its_slices_unexplained() -> Result<()> {
    let stand = Stand::sqlite().await?;
    let (table, stream) = synced(&stand).await?;
    table.push(row(77, "acme", "seats", "7", 7_000, -2 * A_DAY + 5 * HOUR));
    let mut of = ask(&stand, stream).await?;
    assert!(matches!(advance(&stand.app, &source(&table), &mut of).await?, Next::Wait(_)));
    let run = backfills(&stand, stream).await?[0].clone();
    runs::cancel(stand.app.db.orm(), stand.app.clock.now(), stand.organization, run.id).await?;
    assert_eq!(advance(&stand.app, &source(&table), &mut of).await?, Next::Done);
    let of = find(&stand, &of).await?;
    assert!(of.error_message.as_deref().is_some_and(|words| words.contains("did not succeed")), "{of:?}");
    assert_eq!(slices(&stand, &of).await?[0].rest, None);
    assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 1, 0, 1), "the next night heals");
    Ok(())
}
