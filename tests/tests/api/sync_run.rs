//! Sync runs: start, cancel, retry, and what a run says when the outside is not well.

use anyhow::Result;
use serde_json::{Value, json};
use tests::worker::arrange;

use crate::world::{World, text};

#[tokio::test]
async fn a_sync_reads_matches_and_writes_and_its_sums_balance() -> Result<()> {
    for world in World::both().await? {
        world
            .usage(&[
                (1, "a-1", "seats", "1"),
                (2, "a-1", "seats", "2"),
                (3, "b-1", "seats", "3"),
                (4, "a-1", "seats", "NaN"),
            ])
            .await?;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let stream = world.stream(json!({})).await?;
        let run = world.sync_well(&stream).await?;
        let tally = &run["tally"];
        assert_eq!([&tally["rowsRead"], &tally["rowsMapped"], &tally["rowsRejected"]], ["4", "3", "1"]);
        assert_eq!([&tally["readings"], &tally["written"], &tally["unmatched"]], ["3", "2", "1"]);
        assert_eq!((text(&run["trigger"]), &run["attempt"]), ("API".into(), &json!(1)));
        assert_eq!(world.measured(&stream).await?, ["a-1 seats 1", "a-1 seats 2"]);
        let again = world.sync_well(&stream).await?;
        assert_eq!(again["tally"]["written"], "0", "nothing twice: {again}");
        let query =
            "query($id: ID!) { stream(id: $id) { freshness lastSucceededAt unmatchedCount rejectedCount
            runs { totalCount nodes { number } } checkpoint { watermark } } }";
        let seen = world.ask(query, json!({ "id": stream })).await?["stream"].take();
        assert_eq!((text(&seen["unmatchedCount"]), text(&seen["rejectedCount"])), ("1".into(), "1".into()));
        assert_eq!(
            (&seen["runs"]["totalCount"], text(&seen["freshness"])),
            (&json!(2), "FRESH".into()),
            "{seen}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn one_run_of_a_stream_is_live_and_it_can_be_cancelled() -> Result<()> {
    for mut world in World::both().await? {
        world.usage(&[(1, "a-1", "seats", "1")]).await?;
        let stream = world.stream(json!({})).await?;
        world.rest().await;
        let start = json!({ "streamId": stream });
        let first =
            world.act("syncRunStart", "syncRun { id status }", start.clone()).await?["syncRun"].take();
        assert_eq!(first["status"], "QUEUED");
        let second = world.act("syncRunStart", "syncRun { id }", start.clone()).await?;
        assert_eq!(second["syncRun"]["id"], first["id"], "a second start joins the live run");
        assert_eq!(world.refused("syncRunRetry", json!({ "id": first["id"] })).await?.0, "CONFLICT");
        let cancel = json!({ "id": first["id"] });
        let gone = world.act("syncRunCancel", "syncRun { status finishedAt }", cancel.clone()).await?;
        assert_eq!(gone["syncRun"]["status"], "CANCELLED");
        assert!(gone["syncRun"]["finishedAt"].is_string());
        assert_eq!(world.refused("syncRunCancel", cancel.clone()).await?.0, "CONFLICT");
        let retried = world.act("syncRunRetry", "syncRun { id trigger }", cancel).await?["syncRun"].take();
        assert!(retried["id"] != first["id"] && retried["trigger"] == "RETRY", "{retried}");
        arrange(&world.site.app.db, "UPDATE sync_run SET status = 'running' WHERE status = 'queued'").await?;
        assert_eq!(world.refused("streamDelete", json!({ "id": stream })).await?.0, "CONFLICT");
        let live = "query($id: ID!) { stream(id: $id) { liveRun { id } } syncRuns(where: { status: [RUNNING, CANCELLED] }) { totalCount } }";
        let live = world.ask(live, json!({ "id": stream })).await?;
        assert_eq!(
            (&live["stream"]["liveRun"]["id"], &live["syncRuns"]["totalCount"]),
            (&retried["id"], &json!(2))
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_table_that_changed_fails_the_run_in_plain_words_and_the_next_good_run_heals() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(1, "a-1", "seats", "1")]).await?;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let stream = world.stream(json!({})).await?;
        world.sync_well(&stream).await?;
        let query =
            "query($id: ID!) { stream(id: $id) { freshness pausedReason source { problem { kind } } } }";
        for (breaks, mends, word) in [
            (
                "ALTER TABLE usage RENAME COLUMN value TO worth",
                "ALTER TABLE usage RENAME COLUMN worth TO value",
                "value",
            ),
            ("ALTER TABLE usage RENAME TO usage2", "ALTER TABLE usage2 RENAME TO usage", "usage"),
        ] {
            world.warehouse(breaks).await?;
            let run = world.sync(&stream).await?;
            assert_eq!((text(&run["status"]), &run["balanced"]), ("FAILED".into(), &json!(true)), "{run}");
            let error = &run["error"];
            assert!(text(&error["message"]).contains(word), "{error}");
            let seen = world.ask(query, json!({ "id": stream })).await?["stream"].take();
            assert!(seen["source"]["problem"].is_null(), "one table's trouble is not the source's: {seen}");
            // A table that is gone may come back by itself; another shape needs a person.
            let paused = seen["pausedReason"].as_str().map(|reason| reason.contains(word));
            let wanted = if paused == Some(true) { "PAUSED" } else { "LATE" };
            assert_eq!(
                (seen["freshness"].as_str(), paused.is_some()),
                (Some(wanted), word == "value"),
                "{seen}"
            );
            world.warehouse(mends).await?;
            world.sync_well(&stream).await?;
            let seen = world.ask(query, json!({ "id": stream })).await?["stream"].take();
            assert_eq!(
                (&seen["pausedReason"], &seen["freshness"]),
                (&Value::Null, &json!("FRESH")),
                "healed"
            );
            assert_eq!(world.measured(&stream).await?, ["a-1 seats 1"]);
        }
    }
    Ok(())
}

#[tokio::test]
async fn bad_rows_are_kept_with_their_reason_and_nothing_else_is_lost() -> Result<()> {
    let digits = format!("{}.{}", "9".repeat(30), "1".repeat(30));
    for world in World::both().await? {
        world
            .usage(&[
                (1, "a-1", "seats", &digits),
                (2, "a-1", "seats", "inf"),
                (3, "", "seats", "1"),
                (4, "a-1", "seats", &"7".repeat(500)),
                (5, "a-1", "seats", "5"),
            ])
            .await?;
        world
            .warehouse(
                "INSERT INTO usage VALUES (6, 'a-1', 'seats', '6', 'yesterday', '2025-12-01 00:00:06')",
            )
            .await?;
        world
            .warehouse(
                "INSERT INTO usage VALUES (7, 'a-1', 'seats', '7', '2025-12-01', '2099-01-01 00:00:00')",
            )
            .await?;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let stream = world.stream(json!({})).await?;
        let run = world.sync_well(&stream).await?;
        assert_eq!(
            (text(&run["tally"]["rowsRejected"]), text(&run["tally"]["written"])),
            ("5".into(), "2".into()),
            "{run}"
        );
        let query = "{ rejectedRows(first: 10) { nodes { rowKey kind row rejection { reason column raw message } } } }";
        let rows = world.ask(query, json!({})).await?["rejectedRows"]["nodes"].take();
        let mut reasons: Vec<String> = rows
            .as_array()
            .into_iter()
            .flatten()
            .map(|row| {
                assert!(row["rejection"]["message"].is_string() && row["row"]["metric"] == "seats", "{row}");
                format!(
                    "{} {} {}",
                    text(&row["rowKey"]),
                    text(&row["rejection"]["reason"]),
                    text(&row["rejection"]["column"])
                )
            })
            .collect();
        reasons.sort();
        assert_eq!(
            reasons,
            [
                "2 VALUE_NOT_FINITE value",
                "3 NULL_KEY account_id",
                "4 VALUE_TOO_LONG value",
                "6 TIME_UNREADABLE measured_at",
                "7 FUTURE_CURSOR updated_at"
            ]
        );
        let mut measured = world.measured(&stream).await?;
        measured.sort();
        assert_eq!(measured, ["a-1 seats 5".to_owned(), format!("a-1 seats {digits}")]);
        world.warehouse("DELETE FROM usage").await?;
        let empty = world.sync_well(&stream).await?;
        assert_eq!(empty["tally"]["rowsRead"], "0", "an empty table is no failure");
    }
    Ok(())
}

#[tokio::test]
async fn while_ingestion_is_off_nothing_is_read() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(1, "a-1", "seats", "1")]).await?;
        let stream = world.stream(json!({})).await?;
        let off = json!({ "ingestionEnabled": false });
        assert_eq!(world.refused("organizationUpdate", off).await?.0, "NOT_PERMITTED", "an owner's alone");
        arrange(&world.site.app.db, "UPDATE organization SET ingestion_enabled = false").await?;
        assert_eq!(
            world.refused("syncRunStart", json!({ "streamId": stream })).await?.0,
            "INGESTION_DISABLED"
        );
        arrange(&world.site.app.db, "UPDATE organization SET ingestion_enabled = true").await?;
        world.sync_well(&stream).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_without_an_id_setting_says_what_it_needs_and_runs_once_it_has_it() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(1, "a-1", "seats", "1")]).await?;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let input = world.stream_input(&world.source("Warehouse").await?, json!({ "name": "Bare" }));
        let stream = text(&world.act("streamCreate", "stream { id }", input).await?["stream"]["id"]);
        let run = world.sync(&stream).await?;
        assert_eq!((text(&run["status"]), &run["balanced"]), ("FAILED".into(), &json!(true)), "{run}");
        let message = text(&run["error"]["message"]);
        assert!(message.contains("Bare") && message.contains("external-ID setting"), "{message}");
        let setting = json!({ "id": stream, "externalIdSettingId": world.setting("IDs").await? });
        world.act("streamUpdate", "", setting).await?;
        world.sync_well(&stream).await?;
        assert_eq!(world.measured(&stream).await?, ["a-1 seats 1"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_cell_too_large_rejects_its_row_alone_and_its_beginning_is_kept() -> Result<()> {
    let worlds = World::both_with(|config| config.sync.cell_bytes = 8_192).await?;
    for world in worlds {
        let huge = format!("begin{}", "x".repeat(100_000));
        world
            .usage(&[
                (1, &huge, "seats", "1"),
                (2, "a-1", &"y".repeat(2_000), "2"),
                (3, "a-1", "seats", &format!("{huge}3")),
                (4, "a-1", "seats", "4"),
            ])
            .await?;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let stream = world.stream(json!({})).await?;
        let run = world.sync_well(&stream).await?;
        assert_eq!(
            (text(&run["tally"]["rowsRejected"]), text(&run["tally"]["written"])),
            ("3".into(), "1".into())
        );
        let query = "{ rejectedRows(first: 10) { nodes { rowKey row rejection { reason column raw } } } }";
        let rows = world.ask(query, json!({})).await?["rejectedRows"]["nodes"].take();
        let mut told = Vec::new();
        for row in rows.as_array().into_iter().flatten() {
            let (key, raw) = (text(&row["rowKey"]), text(&row["rejection"]["raw"]));
            let (reason, column) = (text(&row["rejection"]["reason"]), text(&row["rejection"]["column"]));
            assert!((500..=1_000).contains(&raw.len()), "{key}: {} bytes of it", raw.len());
            assert!(raw.starts_with("begin") || raw.starts_with("yyy"), "{key}");
            assert!(row["row"].to_string().len() < 20_000, "{key}: the cell was not cut");
            told.push(format!("{key} {reason} {column}"));
        }
        told.sort();
        assert_eq!(
            told,
            ["1 CELL_TOO_LARGE account_id", "2 CELL_TOO_LARGE metric", "3 VALUE_NOT_NUMERIC value"]
        );
        assert_eq!(world.measured(&stream).await?, ["a-1 seats 4"]);
        // What was kept of a cell is never taken for the cell: a retry reads the rows again, at their old cursors.
        world.warehouse("UPDATE usage SET account_id = 'a-1' WHERE id = 1").await?;
        world.act("rejectedRowRetry", "retried", json!({ "streamId": stream })).await?;
        world.settle().await?;
        assert_eq!(world.measured(&stream).await?, ["a-1 seats 1", "a-1 seats 4"]);
        let groups = world.ask("{ unmatchedGroups { nodes { externalAccount } } }", json!({})).await?;
        assert_eq!(groups["unmatchedGroups"]["nodes"], json!([]));
        let left = world.ask(query, json!({})).await?["rejectedRows"]["nodes"].take();
        let reason = |row: &Value| text(&row["rejection"]["reason"]);
        let mut left: Vec<_> = left.as_array().into_iter().flatten().map(reason).collect();
        left.sort();
        assert_eq!(left, ["CELL_TOO_LARGE", "VALUE_NOT_NUMERIC"]);
    }
    Ok(())
}
