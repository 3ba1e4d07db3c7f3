//! What decides where rows go, changed in the middle of a run: the next batch goes by it.

use anyhow::Result;
use connector::memory::MemoryTable;
use entity::{Destination, ExternalIdSettingId, StreamId, external_id_setting, stream};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use server::ingest::{Lease, Outcome, Range};
use tests::stand::{Gate, Stand, balanced};

use crate::faults::undisturbed;
use crate::workers::{ask, claim, find, lease, scene, stored, work};

/// Runs a stream, changes something once two of its five batches are stored, and gives the lease of the run that ended.
async fn changed_in_the_middle(
    stand: &Stand,
    table: &MemoryTable,
    stream: StreamId,
    change: impl AsyncFnOnce() -> Result<()>,
) -> Result<Lease> {
    let run = claim(&stand.app, &ask(stand, stream).await?).await?;
    let source = Gate::closed(table);
    source.allow(2);
    let going = work(&stand.app, &source, stream, lease(&run), Range::New);
    stored(stand, &lease(&run), 2).await?;
    change().await?;
    source.lift();
    assert_eq!(going.await??, Outcome::Done);
    balanced(&find(stand, &lease(&run)).await?)?;
    Ok(lease(&run))
}

/// What an update of the stream does, as far as matching goes.
async fn update(
    stand: &Stand,
    stream: StreamId,
    column: stream::Column,
    value: sea_orm::Value,
) -> Result<()> {
    stream::Entity::update_many()
        .col_expr(column, Expr::value(value))
        .filter(stream::Column::Id.eq(stream))
        .exec(stand.app.db.orm())
        .await?;
    stand.changed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stream_that_gets_another_setting_is_matched_by_it_from_the_next_batch_on() -> Result<()> {
    let wanted = undisturbed(&mut Stand::sqlite().await?).await?;
    for mut stand in Stand::both().await? {
        let (table, stream) = scene(&mut stand).await?;
        let blind = ExternalIdSettingId::new();
        let now = stand.app.clock.now();
        external_id_setting::ActiveModel {
            organization_id: Set(stand.organization),
            id: Set(blind),
            name: Set("of another system".to_owned()),
            spaces: Set(r#"["salesforce"]"#.to_owned()),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
        }
        .insert(stand.app.db.orm())
        .await?;
        let model = stream::Entity::find().one(stand.app.db.orm()).await?;
        let right = model.and_then(|model| model.external_id_setting_id);
        let column = stream::Column::ExternalIdSettingId;
        update(&stand, stream, column, Some(blind.0).into()).await?;
        let run = changed_in_the_middle(&stand, &table, stream, async || {
            assert_eq!(stand.measurements().await?.len(), 0);
            update(&stand, stream, column, right.map(|id| id.0).into()).await
        })
        .await?;
        let run = find(&stand, &run).await?;
        assert!(run.written > 0 && run.unmatched > 0, "{run:?}");
        stand.replay().await?;
        assert_eq!((stand.measurements().await?, stand.waiting().await?), wanted);
        stand.groups_add_up().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stream_that_is_to_feed_inputs_asks_for_links_from_the_next_batch_on() -> Result<()> {
    for mut stand in Stand::both().await? {
        let (table, stream) = scene(&mut stand).await?;
        let run = changed_in_the_middle(&stand, &table, stream, async || {
            let inputs = Destination::Inputs.as_str().into();
            update(&stand, stream, stream::Column::Destination, inputs).await
        })
        .await?;
        let measured = find(&stand, &run).await?.written;
        assert!(measured > 0, "the first batches needed no link");
        let unlinked = "SELECT COUNT(*) FROM waiting_row w JOIN unmatched_group g ON g.id = w.group_id \
            WHERE g.reason = 'metric_unlinked'";
        assert!(stand.count(unlinked).await? > 0, "the others do");
        stand.groups_add_up().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn groups_are_ignored_and_come_back_while_a_run_adds_to_them() -> Result<()> {
    let state = "SELECT COUNT(*) FROM unmatched_group WHERE external_account = 'nobody' AND status =";
    for begins in [true, false] {
        for mut stand in Stand::both().await? {
            let (table, stream) = scene(&mut stand).await?;
            stand.ignore("nobody", !begins).await?;
            let run = changed_in_the_middle(&stand, &table, stream, async || {
                stand.ignore("nobody", begins).await?;
                // What the change of a rule does at once.
                let scope = server::domain::matching_change::Scope::Ignored;
                let stop = tokio_util::sync::CancellationToken::new();
                server::ingest::replay::waiting(&stand.app, stand.organization, &scope, &stop).await?;
                Ok(())
            })
            .await?;
            let run = find(&stand, &run).await?;
            assert!(run.ignored > 0 && run.unmatched > 0, "{run:?}");
            let wanted = if begins { "'ignored'" } else { "'open'" };
            assert_eq!(stand.count(&format!("{state} {wanted}")).await?, 1, "{wanted}");
            let dead = "SELECT COUNT(*) FROM unmatched_group g WHERE g.ignore_rule_id IS NOT NULL AND NOT EXISTS \
                (SELECT 1 FROM ignore_rule r WHERE r.id = g.ignore_rule_id)";
            assert_eq!(stand.count(dead).await?, 0);
            stand.groups_add_up().await?;
        }
    }
    Ok(())
}
