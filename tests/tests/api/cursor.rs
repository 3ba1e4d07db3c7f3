//! Moving a checkpoint, and reading a range again beside it.

use anyhow::Result;
use serde_json::{Value, json};
use tests::worker::arrange;

use crate::world::{World, text};

const PREVIEW: &str = "query($id: ID!, $to: String) { cursorResetPreview(streamId: $id, watermark: $to) {
    checkpoint { watermark version } watermark rowsToRead exact effect problem { kind } userErrors { code field } } }";

async fn stream(world: &World, other: Value) -> Result<String> {
    let rows: Vec<(i64, &str, &str, &str)> = (1..=9).map(|id| (id, "a-1", "seats", "1")).collect();
    world.usage(&rows).await?;
    world.identify(&world.account("Acme").await?, "a-1").await?;
    world.stream(other).await
}

#[tokio::test]
async fn a_reset_reads_as_many_rows_as_its_preview_said() -> Result<()> {
    for world in World::both().await? {
        for (name, lookback) in [("Usage", "0"), ("Looking back", "2")] {
            let cursor =
                json!({ "column": "updated_at", "kind": "NAIVE", "zone": "UTC", "lookback": lookback });
            let other = json!({ "name": name, "cursor": cursor });
            let id = if name == "Usage" { stream(&world, other).await? } else { world.stream(other).await? };
            world.sync_well(&id).await?;
            for to in [json!("2025-12-01 00:00:06"), json!(null), json!("2025-12-31 00:00:00")] {
                let told =
                    world.ask(PREVIEW, json!({ "id": id, "to": to })).await?["cursorResetPreview"].take();
                assert_eq!((&told["exact"], &told["userErrors"]), (&json!(true), &json!([])), "{told}");
                let input = json!({ "streamId": id, "watermark": to, "reason": "a check",
                    "expectedVersion": told["checkpoint"]["version"] });
                world.act("cursorReset", "stream { checkpoint { watermark } }", input.clone()).await?;
                assert_eq!(world.refused("cursorReset", input).await?.0, "STALE_OBJECT", "it has moved");
                let run = world.sync_well(&id).await?;
                assert_eq!(run["tally"]["rowsRead"], told["rowsToRead"], "{name} to {to}: {told}");
                assert_eq!(run["tally"]["superseded"], "0");
                assert_eq!(world.measured(&id).await?.len(), 9, "nothing is lost, nothing is double");
                let back = json!({ "streamId": id, "watermark": null, "reason": "back" });
                world.act("cursorReset", "", back).await?;
                world.sync_well(&id).await?;
            }
        }
        let audit = "{ auditEvents(where: { action: \"cursor.reset\" }) { totalCount nodes { detail } } }";
        let seen = world.ask(audit, json!({})).await?["auditEvents"].take();
        assert!(seen["totalCount"] == 12 && seen["nodes"][0]["detail"]["reason"] == "back", "{seen}");
    }
    Ok(())
}

#[tokio::test]
async fn a_reset_is_refused_while_a_sync_is_live_and_when_it_makes_no_sense() -> Result<()> {
    for mut world in World::both().await? {
        let id = stream(&world, json!({})).await?;
        world.sync_well(&id).await?;
        world.rest().await;
        for (watermark, reason, code, field) in
            [(json!("yesterday"), "why", "INVALID", "watermark"), (json!(null), " ", "REQUIRED", "reason")]
        {
            let input = json!({ "streamId": id, "watermark": watermark, "reason": reason });
            assert_eq!(world.refused("cursorReset", input).await?, (code.to_owned(), field.to_owned()));
        }
        let told =
            world.ask(PREVIEW, json!({ "id": id, "to": "yesterday" })).await?["cursorResetPreview"].take();
        assert_eq!(told["userErrors"][0]["code"], "INVALID");
        world.act("syncRunStart", "", json!({ "streamId": id })).await?;
        arrange(&world.site.app.db, "UPDATE sync_run SET status = 'running' WHERE status = 'queued'").await?;
        let input = json!({ "streamId": id, "watermark": null, "reason": "why" });
        assert_eq!(world.refused("cursorReset", input).await?.0, "CONFLICT");
        world.warehouse("ALTER TABLE usage RENAME TO gone").await?;
        let told = world.ask(PREVIEW, json!({ "id": id })).await?["cursorResetPreview"].take();
        assert_eq!(text(&told["problem"]["kind"]), "NOT_FOUND", "{told}");
    }
    Ok(())
}

async fn status(world: &World, payload: &Value) -> Result<String> {
    Ok(text(&world.run(&text(&payload["syncRun"]["id"])).await?["status"]))
}

#[tokio::test]
async fn a_reset_cancels_the_sync_that_waits_and_leaves_backfills_alone() -> Result<()> {
    let audit = "{ auditEvents(where: { action: \"cursor.reset\" }) { nodes { detail } } }";
    for mut world in World::both().await? {
        let id = stream(&world, json!({})).await?;
        world.sync_well(&id).await?;
        world.rest().await;
        let waiting = world.act("syncRunStart", "syncRun { id number }", json!({ "streamId": id })).await?;
        let range = json!({ "streamId": id, "since": "2025-12-01 00:00:03", "until": "2025-12-01 00:00:05" });
        let backfill = world.act("backfillStart", "syncRun { id }", range).await?;
        // A reset that is refused leaves the run as it was.
        let wrong = json!({ "streamId": id, "watermark": null, "reason": "why", "expectedVersion": 99 });
        assert_eq!(world.refused("cursorReset", wrong).await?.0, "STALE_OBJECT");
        assert_eq!(status(&world, &waiting).await?, "QUEUED");
        world.act("cursorReset", "", json!({ "streamId": id, "watermark": null, "reason": "why" })).await?;
        assert_eq!(
            (status(&world, &waiting).await?, status(&world, &backfill).await?),
            ("CANCELLED".into(), "QUEUED".into())
        );
        let told = world.ask(audit, json!({})).await?["auditEvents"]["nodes"][0]["detail"].take();
        let number = text(&waiting["syncRun"]["number"]).parse::<i64>()?;
        assert_eq!(told["cancelledRuns"], json!([number]), "{told}");
        world.work();
        world.settle().await?;
        assert_eq!(
            (status(&world, &waiting).await?, status(&world, &backfill).await?),
            ("CANCELLED".into(), "SUCCEEDED".into()),
            "the job of the cancelled run does nothing"
        );
        let next = world.sync_well(&id).await?;
        assert_eq!(next["tally"]["rowsRead"], "9", "the next sync begins where the reset said: {next}");
    }
    Ok(())
}

#[tokio::test]
async fn a_backfill_reads_its_range_and_leaves_the_checkpoint() -> Result<()> {
    let checkpoint = "query($id: ID!) { stream(id: $id) { checkpoint { watermark version } } }";
    for world in World::both().await? {
        let id = stream(&world, json!({})).await?;
        world.sync_well(&id).await?;
        let before = world.ask(checkpoint, json!({ "id": id })).await?;
        world.warehouse("UPDATE usage SET value = '7' WHERE id IN (3, 4, 8)").await?;
        let input = json!({ "streamId": id, "since": "2025-12-01 00:00:03", "until": "2025-12-01 00:00:05" });
        let made = world.act("backfillStart", "syncRun { id }", input).await?;
        world.settle().await?;
        let run = world.run(&text(&made["syncRun"]["id"])).await?;
        assert_eq!(
            (text(&run["kind"]), text(&run["status"])),
            ("BACKFILL".into(), "SUCCEEDED".into()),
            "{run}"
        );
        assert_eq!(
            (text(&run["tally"]["rowsRead"]), text(&run["tally"]["written"])),
            ("3".into(), "2".into())
        );
        let after = world.ask(checkpoint, json!({ "id": id })).await?;
        assert_eq!(after["stream"]["checkpoint"]["watermark"], before["stream"]["checkpoint"]["watermark"]);
        let measured = world.measured(&id).await?;
        assert_eq!(measured.iter().filter(|line| line.ends_with(" 7")).count(), 2, "{measured:?}");
        for (since, until, field) in [
            ("2025-12-01 00:00:05", "2025-12-01 00:00:03", "until"),
            ("soon", "2025-12-01 00:00:03", "since"),
        ] {
            let input = json!({ "streamId": id, "since": since, "until": until });
            assert_eq!(world.refused("backfillStart", input).await?, ("INVALID".into(), field.into()));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_that_says_nothing_of_lookback_finds_rows_that_come_late() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(5_000, "a-1", "seats", "1")]).await?;
        world
            .warehouse(
                "CREATE TABLE daily (id INTEGER PRIMARY KEY, account_id TEXT, metric TEXT, value TEXT, \
                 measured_at TEXT, updated_at DATE NOT NULL); \
                 INSERT INTO daily VALUES (1, 'a-1', 'days', '1', '2025-12-01', '2025-12-10')",
            )
            .await?;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let cursor = |column: &str, kind: &str| {
            let zone = if kind == "INT" { json!(null) } else { json!("UTC") };
            json!({ "column": column, "kind": kind, "zone": zone })
        };
        let times = world.stream(json!({ "name": "Times", "cursor": cursor("updated_at", "NAIVE") })).await?;
        let numbers = world.stream(json!({ "name": "Numbers", "cursor": cursor("id", "INT") })).await?;
        let daily = json!({ "name": "daily" });
        let dates = json!({ "name": "Dates", "table": daily, "cursor": cursor("updated_at", "DATE") });
        let dates = world.stream(dates).await?;
        for stream in [&times, &numbers, &dates] {
            world.sync_well(stream).await?;
        }
        // Ten minutes, a thousand, a day: what is as late as that is found, what is later is not.
        world
            .usage(&[(4_400, "a-1", "late", "2"), (4_399, "a-1", "later", "3"), (4_000, "a-1", "late", "4")])
            .await?;
        world.usage(&[(3_999, "a-1", "later", "5")]).await?;
        world
            .warehouse(
                "INSERT INTO daily VALUES (2, 'a-1', 'late', '2', '2025-12-02', '2025-12-09'), \
                 (3, 'a-1', 'later', '3', '2025-12-03', '2025-12-08')",
            )
            .await?;
        for (stream, wanted) in [
            (&times, ["a-1 late 2", "a-1 seats 1"].as_slice()),
            (&numbers, &["a-1 late 2", "a-1 late 4", "a-1 later 3", "a-1 seats 1"]),
            (&dates, &["a-1 days 1", "a-1 late 2"]),
        ] {
            world.sync_well(stream).await?;
            assert_eq!(world.measured(stream).await?, wanted);
        }
    }
    Ok(())
}
