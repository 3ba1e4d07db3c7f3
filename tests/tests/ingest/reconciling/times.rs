//! When streams are compared by themselves, and how long it is known.

use anyhow::{Context, Result};
use entity::reconcile_setting;
use sea_orm::EntityTrait;
use server::app::App;
use server::auth::Viewer;
use server::clock::DAY;
use server::domain::change::Change;
use server::domain::discard;
use server::domain::reconcile::{self, SettingChange};
use server::error::{Error, Result as Done};
use tests::stand::Stand;
use tokio_util::sync::CancellationToken;

use super::{night, source, synced};

#[tokio::test]
async fn a_due_time_makes_one_comparison_however_many_look() -> Result<()> {
    for stand in Stand::both().await? {
        let (_, stream) = synced(&stand).await?;
        let viewer = Viewer::system(stand.organization);
        let set = async |wanted: SettingChange| {
            let tx = stand.app.db.begin().await?;
            let change = Change::new(&tx, &viewer, stand.app.clock.now());
            reconcile::set(&change, stream, wanted).await?;
            Done::Ok(tx.commit().await?)
        };
        let refused = set(SettingChange { zone: Some("Mars/Base".to_owned()), ..Default::default() }).await;
        assert!(matches!(&refused, Err(Error::Invalid { field, .. }) if field == "zone"), "{refused:?}");
        let refused = set(SettingChange { days: Some(0), ..Default::default() }).await;
        assert!(matches!(&refused, Err(Error::Invalid { field, .. }) if field == "days"), "{refused:?}");
        let time = Some("02:30".to_owned());
        set(SettingChange { enabled: Some(true), time, ..Default::default() }).await?;
        let due = async || {
            let found = reconcile_setting::Entity::find().one(stand.app.db.orm()).await?;
            anyhow::Ok(found.context("a setting")?.due_at)
        };
        let first = stand.app.clock.now() + 5 * DAY / 48;
        assert_eq!(due().await?, Some(first));
        let look = async |app: &App| {
            let tx = app.db.begin().await?;
            let started = reconcile::start_due(&tx, app.clock.now()).await?;
            tx.commit().await?;
            Done::Ok(started)
        };
        let other = stand.process().await?;
        assert_eq!((look(&stand.app).await?, look(&other).await?), (0, 0), "not yet");
        stand.app.clock.advance(first - stand.app.clock.now());
        let (one, two) = tokio::join!(look(&stand.app), look(&other));
        assert_eq!(one? + two?, 1);
        assert_eq!(due().await?, Some(first + DAY));
        assert_eq!(stand.count("SELECT COUNT(*) FROM job WHERE queue = 'reconcile'").await?, 1);
        assert_eq!(reconcile::push_missing(stand.app.db.orm(), stand.app.clock.now()).await?, 0);
        set(SettingChange { enabled: Some(false), ..Default::default() }).await?;
        assert_eq!(due().await?, None);
    }
    Ok(())
}

#[tokio::test]
async fn what_was_compared_goes_with_its_time_and_with_its_stream() -> Result<()> {
    for stand in Stand::both().await? {
        let (table, stream) = synced(&stand).await?;
        table.change(|rows| drop(rows.remove(3)));
        night(&stand, stream, &source(&table)).await?;
        // IDs tell the time of their making, which no test sets.
        stand.app.clock.advance(2_000 * DAY);
        let pruned = server::jobs::prune(&stand.app, &CancellationToken::new()).await?;
        assert_eq!(pruned.reconciles, 1);
        assert_eq!(stand.count("SELECT COUNT(*) FROM reconcile_slice").await?, 0);
        night(&stand, stream, &source(&table)).await?;
        stand.delete(stream).await?;
        while discard::some(&stand.app.db, stand.organization, stream).await? > 0 {}
        assert_eq!(stand.left_of(stream).await?, 0);
    }
    Ok(())
}
