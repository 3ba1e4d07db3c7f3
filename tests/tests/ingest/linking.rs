//! Rows that wait, and what frees them: late binding, exactly once.

use anyhow::Result;
use entity::{Destination, IgnoreRuleId, ignore_rule};
use sea_orm::{ActiveModelTrait, Set};
use tests::stand::{Shape, Stand};

use crate::{row, table};

#[tokio::test]
async fn pitfall_26_unmatched_rows_wait_with_a_reason_and_come_in_when_the_account_appears() -> Result<()> {
    for stand in Stand::both().await? {
        let table = table();
        let stream = stand.stream(&table, Shape::default()).await?;
        for id in 0..5 {
            table.push(row(id, "acme", "seats", &id.to_string(), id as i64, -10));
        }
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.readings, run.unmatched, run.written), (5, 5, 0));
        assert_eq!(stand.waiting().await?[0], "unmatched 0/ account_unknown");
        stand.groups_add_up().await?;
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let tally = stand.replay().await?;
        assert_eq!((tally.readings, tally.written), (5, 5));
        assert_eq!(stand.replay().await?.readings, 0, "once");
        assert!(stand.waiting().await?.is_empty());
        stand.groups_add_up().await?;
        assert_eq!(stand.measurements().await?.len(), 5);
        assert_eq!(stand.sync(stream, &table).await?.unchanged, 5);
    }
    Ok(())
}

#[tokio::test]
async fn a_row_delivered_twice_waits_once_however_often_it_is_read() -> Result<()> {
    for stand in Stand::both().await? {
        let table = table();
        let stream = stand.stream(&table, Shape { lookback: 600_000_000, ..Shape::default() }).await?;
        for _ in 0..2 {
            table.push(row(1, "acme", "seats", "1", 0, -10));
        }
        for _ in 0..3 {
            stand.changed().await?;
            let run = stand.sync(stream, &table).await?;
            assert_eq!((run.rows_repeated, run.unmatched), (1, 1));
            assert_eq!(stand.waiting().await?, ["unmatched 1/ account_unknown"]);
            stand.groups_add_up().await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_row_delivered_twice_across_the_edge_of_a_batch_goes_on_waiting() -> Result<()> {
    for mut stand in Stand::both().await? {
        crate::cursor::set_batch(&mut stand, 2);
        let table = table();
        let stream = stand.stream(&table, Shape::default()).await?;
        for id in [1, 2, 2, 2, 2, 3] {
            table.push(row(id, "acme", "seats", "1", id as i64, -10 + id as i64));
        }
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.batches, run.rows_repeated, run.unmatched), (3, 3, 3));
        let waiting = [1, 2, 3].map(|id| format!("unmatched {id}/ account_unknown"));
        assert_eq!(stand.waiting().await?, waiting, "the twin of the next batch takes nothing away");
        stand.groups_add_up().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_row_that_shares_the_key_of_the_last_of_a_batch_takes_nothing_from_it() -> Result<()> {
    for mut stand in Stand::both().await? {
        crate::cursor::set_batch(&mut stand, 2);
        let table = table();
        let stream = stand.stream(&table, Shape::default()).await?;
        for (id, value) in [(1, "1"), (2, "1"), (2, "2"), (3, "1")] {
            table.push(row(id, "acme", "seats", value, id as i64, -10 + id as i64));
        }
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.batches, run.rows_rejected, run.unmatched), (2, 1, 3));
        let unmatched = "SELECT COUNT(*) FROM waiting_row WHERE kind = 'unmatched'";
        assert_eq!(stand.count(unmatched).await?, 3);
        assert_eq!(stand.count("SELECT COUNT(*) FROM waiting_row WHERE reason = 'key_not_unique'").await?, 1);
        stand.groups_add_up().await?;

        // Alone, the refused row would be as good as the one that waits, and take its place.
        let scope = server::domain::matching_change::Scope::Rejected { stream, rows: Vec::new() };
        let stop = tokio_util::sync::CancellationToken::new();
        server::ingest::replay::waiting(&stand.app, stand.organization, &scope, &stop).await?;
        assert_eq!(stand.count(unmatched).await?, 3);
        assert_eq!(stand.count("SELECT COUNT(*) FROM waiting_row WHERE reason = 'key_not_unique'").await?, 1);
    }
    Ok(())
}

#[tokio::test]
async fn reasons_follow_what_is_missing_now() -> Result<()> {
    for stand in Stand::both().await? {
        let table = table();
        let stream =
            stand.stream(&table, Shape { destination: Destination::Inputs, ..Shape::default() }).await?;
        table.push(row(1, "acme", "seats", "1", 0, -10));
        stand.sync(stream, &table).await?;
        assert_eq!(stand.waiting().await?, ["unmatched 1/ account_unknown"]);
        let (one, two) = (stand.account("Acme").await?, stand.account("Acme twice").await?);
        stand.identify(one, "acme").await?;
        stand.replay().await?;
        assert_eq!(stand.waiting().await?, ["unmatched 1/ metric_unlinked"]);
        stand.groups_add_up().await?;
        server_second_id(&stand, two).await?;
        stand.sync(stream, &table).await?;
        assert_eq!(
            stand.waiting().await?,
            ["unmatched 1/ account_ambiguous"],
            "two accounts are never a guess"
        );
        stand.groups_add_up().await?;
        stand.forget("acme ").await?;
        stand.link(one, "seats").await?;
        assert_eq!(stand.replay().await?.written, 1);
        assert!(stand.waiting().await?.is_empty());
        stand.groups_add_up().await?;
    }
    Ok(())
}

/// Another account's ID that is the same after normalizing: stored raw values differ by a blank.
async fn server_second_id(stand: &Stand, account: entity::AccountId) -> Result<()> {
    entity::external_id::ActiveModel {
        organization_id: Set(stand.organization),
        id: Set(entity::ExternalIdId::new()),
        account_id: Set(account),
        space: Set("account_id".to_owned()),
        value: Set("acme ".to_owned()),
        normalized: Set("acme".to_owned()),
        created_at: Set(0),
        ..Default::default()
    }
    .insert(stand.app.db.orm())
    .await?;
    stand.changed().await
}

#[tokio::test]
async fn unlinking_and_linking_again_ends_as_if_it_had_always_been_so() -> Result<()> {
    for stand in Stand::both().await? {
        let (acme, other) = (stand.account("Acme").await?, stand.account("Other").await?);
        stand.identify(acme, "acme").await?;
        let table = table();
        let stream = stand.stream(&table, Shape::default()).await?;
        table.push(row(1, "acme", "seats", "1", 0, -100));
        stand.sync(stream, &table).await?;
        stand.forget("acme").await?;
        table.push(row(2, "acme", "seats", "2", 60, -50));
        stand.sync(stream, &table).await?;
        assert_eq!(stand.measurements().await?.len(), 1);
        stand.identify(other, "acme").await?;
        stand.replay().await?;
        let wanted = ["seats/acme/Other@0=1", "seats/acme/Other@60000000=2"];
        assert_eq!(stand.measurements().await?, wanted, "all of the ID's measurements are the new account's");
        assert!(stand.waiting().await?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn an_unmatched_row_that_changes_waits_once_and_leaves_when_it_matches() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table();
        let stream = stand.stream(&table, Shape::default()).await?;
        table.push(row(1, "nobody", "seats", "1", 0, -100));
        stand.sync(stream, &table).await?;
        table.change(|rows| rows[0] = row(1, "nobody", "seats", "2", 0, -90));
        stand.sync(stream, &table).await?;
        assert_eq!(stand.waiting().await?.len(), 1);
        stand.groups_add_up().await?;
        table.change(|rows| rows[0] = row(1, "acme", "seats", "3", 0, -80));
        let run = stand.sync(stream, &table).await?;
        assert_eq!(run.written, 1);
        assert!(stand.waiting().await?.is_empty(), "its earlier version waits no more");
        stand.groups_add_up().await?;
    }
    Ok(())
}

#[tokio::test]
async fn ignored_rows_are_counted_kept_and_come_back_when_the_rule_ends() -> Result<()> {
    for stand in Stand::both().await? {
        let table = table();
        let stream = stand.stream(&table, Shape { lookback: 600_000_000, ..Shape::default() }).await?;
        ignore_rule::ActiveModel {
            organization_id: Set(stand.organization),
            id: Set(IgnoreRuleId::new()),
            external_account: Set(Some("sandbox".to_owned())),
            reason: Set("a test account".to_owned()),
            expires_at: Set(Some(tests::stand::START + 1_000_000)),
            created_at: Set(0),
            ..Default::default()
        }
        .insert(stand.app.db.orm())
        .await?;
        stand.changed().await?;
        table.push(row(1, "sandbox", "seats", "1", 0, -100));
        table.push(row(2, "other", "seats", "1", 0, -100));
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.ignored, run.unmatched), (1, 1));
        let ignored = "SELECT COUNT(*) FROM unmatched_group WHERE status = 'ignored'";
        assert_eq!(stand.count(ignored).await?, 1);
        stand.app.clock.advance(2_000_000);
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.ignored, run.unmatched), (0, 2), "the rule has ended");
        assert_eq!(stand.count(ignored).await?, 0);
        let sandbox = stand.account("Sandbox").await?;
        stand.identify(sandbox, "sandbox").await?;
        assert_eq!(stand.replay().await?.written, 1);
    }
    Ok(())
}
