//! Streams: how a table is read, what is wrong with that, and what would come of it.

use anyhow::Result;
use entity::{JobStatus, job};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use tests::worker::arrange;

use crate::world::{World, text};

#[tokio::test]
async fn a_stream_is_added_changed_paused_and_deleted() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(1, "a-1", "seats", "1")]).await?;
        let id = world.stream(json!({ "schedule": { "interval": { "minutes": 5 } } })).await?;
        let query =
            "query($id: ID!) { stream(id: $id) { name shape destination freshness enabled version nextDueAt
            mapping { account metric value } cursor { column kind zone lookback nullCursor } rowKey
            schedule { kind minutes description } checkpoint { watermark } lastRun { number } } }";
        let seen = world.ask(query, json!({ "id": id })).await?["stream"].take();
        assert_eq!((text(&seen["shape"]), text(&seen["freshness"])), ("LONG".into(), "NEVER".into()));
        assert!(seen["nextDueAt"].is_string() && seen["schedule"]["description"].is_string(), "{seen}");
        let input =
            json!({ "id": id, "name": "Seats", "schedule": { "manual": true }, "expectedVersion": 1 });
        let changed = world.act("streamUpdate", "stream { name version nextDueAt }", input.clone()).await?;
        assert_eq!(changed["stream"], json!({ "name": "Seats", "version": 2, "nextDueAt": null }));
        assert_eq!(
            world.refused("streamUpdate", input).await?,
            ("STALE_OBJECT".into(), "expectedVersion".into())
        );
        let fields = "stream { enabled freshness pausedReason }";
        let paused = world.act("streamPause", fields, json!({ "id": id, "reason": "moving" })).await?;
        assert_eq!(
            paused["stream"],
            json!({ "enabled": false, "freshness": "PAUSED", "pausedReason": "moving" })
        );
        assert_eq!(world.refused("syncRunStart", json!({ "streamId": id })).await?.0, "CONFLICT");
        world.act("streamResume", "", json!({ "id": id })).await?;
        world.sync_well(&id).await?;
        world.act("streamDelete", "deletedStreamId", json!({ "id": id })).await?;
        assert!(world.ask(query, json!({ "id": id })).await?["stream"].is_null());
    }
    Ok(())
}

#[tokio::test]
async fn deleting_takes_waiting_runs_along_and_is_refused_while_one_is_at_work() -> Result<()> {
    let live = async |world: &World| -> Result<usize> {
        let found = world.ask("{ syncRuns { nodes { status } } }", json!({})).await?;
        let runs = found["syncRuns"]["nodes"].as_array().cloned().unwrap_or_default();
        Ok(runs.iter().filter(|run| run["status"] == "QUEUED" || run["status"] == "RUNNING").count())
    };
    for mut world in World::both().await? {
        world.usage(&[(1, "a-1", "seats", "1")]).await?;
        let kept = world.stream(json!({ "name": "Kept" })).await?;
        let (one, two) =
            (world.stream(json!({ "name": "One" })).await?, world.stream(json!({ "name": "Two" })).await?);
        world.sync_well(&one).await?;
        world.rest().await;
        for id in [&kept, &one, &two] {
            world.act("syncRunStart", "", json!({ "streamId": id })).await?;
        }
        let range =
            json!({ "streamId": one, "since": "2025-12-01 00:00:00", "until": "2025-12-01 00:00:05" });
        world.act("backfillStart", "", range).await?;
        assert_eq!(live(&world).await?, 4);

        let at_work =
            "UPDATE sync_run SET status = 'running', lease_until = 9000000000000000 WHERE kind = 'backfill'";
        arrange(&world.site.app.db, at_work).await?;
        assert_eq!(world.refused("streamDelete", json!({ "id": one })).await?.0, "CONFLICT");
        assert_eq!(live(&world).await?, 4, "what is refused cancels nothing");
        arrange(&world.site.app.db, "UPDATE sync_run SET status = 'queued' WHERE kind = 'backfill'").await?;
        world.act("streamDelete", "", json!({ "id": one })).await?;
        assert_eq!(live(&world).await?, 2);

        let source = "query($id: ID!) { stream(id: $id) { source { id } } }";
        let source = world.ask(source, json!({ "id": two })).await?["stream"]["source"]["id"].take();
        world.act("sourceDelete", "", json!({ "id": source })).await?;
        assert_eq!(live(&world).await?, 1);
        let told = world.ask("{ auditEvents(first: 2) { nodes { action detail } } }", json!({})).await?;
        for (event, (action, runs)) in told["auditEvents"]["nodes"]
            .as_array()
            .into_iter()
            .flatten()
            .zip([("source.delete", 1), ("stream.delete", 2)])
        {
            assert_eq!(
                (text(&event["action"]), event["detail"]["cancelledRuns"].as_array().map(Vec::len)),
                (action.into(), Some(runs))
            );
        }

        // The workers find no job of a run that is gone, and the stream that was left alone runs.
        world.work();
        world.settle().await?;
        let run = world
            .ask("query($id: ID!) { stream(id: $id) { lastRun { status } } }", json!({ "id": kept }))
            .await?;
        assert_eq!(run["stream"]["lastRun"]["status"], "SUCCEEDED");
        let dead = job::Entity::find().filter(job::Column::Status.eq(JobStatus::Dead));
        assert_eq!(dead.count(world.site.app.db.orm()).await?, 0);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_a_stream_is_said_at_its_field() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(1, "a-1", "seats", "1")]).await?;
        let source = world.source("Warehouse").await?;
        let mapping = |change: Value| {
            let mut mapping = world.stream_input("", json!({}))["mapping"].clone();
            for (name, value) in change.as_object().into_iter().flatten() {
                mapping[name] = value.clone();
            }
            json!({ "mapping": mapping })
        };
        for (other, code, field) in [
            (json!({ "name": " " }), "REQUIRED", "name"),
            (json!({ "table": { "name": "usages" } }), "INVALID", "table"),
            (mapping(json!({ "account": "customer" })), "INVALID", "mapping.account"),
            (mapping(json!({ "value": null })), "INVALID", "mapping.value"),
            (mapping(json!({ "zone": null })), "INVALID", "mapping.zone"),
            (mapping(json!({ "zone": "Mars/Base" })), "INVALID", "mapping.zone"),
            (mapping(json!({ "metrics": ["value"] })), "INVALID", "mapping.metrics"),
            (json!({ "cursor": { "column": "metric", "kind": "INT" } }), "INVALID", "cursor.column"),
            (json!({ "cursor": { "column": "gone", "kind": "INT" } }), "INVALID", "cursor.column"),
            (
                json!({ "cursor": { "column": "id", "kind": "NAIVE", "zone": "UTC" } }),
                "INVALID",
                "cursor.kind",
            ),
            (
                json!({ "cursor": { "column": "id", "kind": "INT", "lookback": "-1" } }),
                "INVALID",
                "cursor.lookback",
            ),
            (json!({ "rowKey": [] }), "REQUIRED", "rowKey"),
            (json!({ "rowKey": ["id", "nope"] }), "INVALID", "rowKey.1"),
            (json!({ "schedule": { "interval": { "minutes": 7 } } }), "INVALID", "schedule.interval.minutes"),
            (
                json!({ "schedule": { "cron": { "expression": "every day" } } }),
                "INVALID",
                "schedule.cron.expression",
            ),
            (json!({ "schedule": { "daily": { "time": "25:00" } } }), "INVALID", "schedule.daily.time"),
        ] {
            let told = world.refused("streamCreate", world.stream_input(&source, other.clone())).await?;
            assert_eq!(told, (code.to_owned(), field.to_owned()), "{other}");
        }
        assert_eq!(world.ask("{ streams { totalCount } }", json!({})).await?["streams"]["totalCount"], 0);
    }
    Ok(())
}

#[tokio::test]
async fn a_preview_shows_rows_raw_parsed_matched_and_where_they_go() -> Result<()> {
    let query = "query($input: StreamPreviewInput!) { streamPreview(input: $input) {
        rows { rowKey cursor raw rejection { reason column raw message }
            readings { externalAccount externalMetric value measuredAt outcome reason account { name } input { name }
                explanation { outcome steps { space normalized } } } }
        counts { rows mapped rejected readings matched unmatched ignored nullCells }
        problem { kind } userErrors { code field } } }";
    for world in World::both().await? {
        let rows = [
            (1, " A-1 ", "seats", "0012.50"),
            (2, "b-2", "seats", "3"),
            (3, "A-1", "calls", "x"),
            (4, "A-1", "calls", "4"),
        ];
        world.usage(&rows).await?;
        let acme = world.account("Acme").await?;
        world.identify(&acme, "A-1").await?;
        let seats = world.metric("seats").await?;
        let (_, inputs) = world.opportunity(&acme, "Renewal", &["Seats"]).await?;
        let link = json!({ "accountId": acme, "metricId": seats, "inputId": inputs[0] });
        world.act("metricLinkCreate", "", link).await?;
        let source = world.source("Warehouse").await?;
        let mut draft = world.stream_input(
            &source,
            json!({ "destination": "INPUTS", "externalIdSettingId": world.setting("IDs").await? }),
        );
        for name in ["name", "schedule"] {
            draft.as_object_mut().and_then(|draft| draft.remove(name));
        }
        let seen = world.ask(query, json!({ "input": { "draft": draft } })).await?["streamPreview"].take();
        assert_eq!(seen["userErrors"], json!([]), "{seen}");
        assert_eq!(
            seen["counts"],
            json!({ "rows": 4, "mapped": 3, "rejected": 1, "readings": 3, "matched": 1,
            "unmatched": 2, "ignored": 0, "nullCells": 0 }),
            "{seen}"
        );
        let by_key = |key: &str| {
            let rows = seen["rows"].as_array().cloned().unwrap_or_default();
            rows.into_iter().find(|row| row["rowKey"] == key).unwrap_or_default()
        };
        let one = by_key("1");
        assert_eq!(
            (text(&one["raw"]["account_id"]), text(&one["raw"]["value"])),
            (" A-1 ".into(), "0012.50".into())
        );
        let reading = &one["readings"][0];
        assert_eq!(
            (text(&reading["externalAccount"]), text(&reading["value"])),
            ("A-1".into(), "12.5".into())
        );
        assert_eq!(
            (text(&reading["outcome"]), text(&reading["account"]["name"]), text(&reading["input"]["name"])),
            ("MATCHED".into(), "Acme".into(), "Seats".into())
        );
        let two = &by_key("2")["readings"][0];
        assert_eq!(
            (text(&two["reason"]), text(&two["explanation"]["outcome"])),
            ("ACCOUNT_UNKNOWN".into(), "UNKNOWN".into())
        );
        let three = &by_key("3")["rejection"];
        assert_eq!(
            (text(&three["reason"]), text(&three["column"]), text(&three["raw"])),
            ("VALUE_NOT_NUMERIC".into(), "value".into(), "x".into())
        );
        assert_eq!(by_key("4")["readings"][0]["reason"], "METRIC_UNLINKED");
        let nothing = "{ metrics { totalCount } seriesList { totalCount } unmatchedGroups { totalCount } streams { totalCount } }";
        let after = world.ask(nothing, json!({})).await?;
        assert_eq!(after["seriesList"]["totalCount"], 0, "a preview stores nothing: {after}");
        assert_eq!(after["unmatchedGroups"]["totalCount"], 0);
        draft["mapping"]["value"] = json!("nope");
        let wrong = world.ask(query, json!({ "input": { "draft": draft } })).await?["streamPreview"].take();
        assert_eq!(wrong["userErrors"][0]["code"], "INVALID", "{wrong}");
    }
    Ok(())
}

#[tokio::test]
async fn the_next_times_of_a_schedule_are_told_in_its_zone() -> Result<()> {
    let query = "query($schedule: StreamScheduleInput!) { scheduleNextTimes(schedule: $schedule, count: 2) }";
    for world in World::both().await? {
        let daily = json!({ "daily": { "time": "02:30", "zone": "Europe/Berlin" } });
        let told = world.ask(query, json!({ "schedule": daily })).await?;
        assert_eq!(
            told["scheduleNextTimes"],
            json!(["2026-01-01T01:30:00.000000Z", "2026-01-02T01:30:00.000000Z"])
        );
        let cron = json!({ "cron": { "expression": "*/5 * * * *" } });
        let told = world.ask(query, json!({ "schedule": cron })).await?;
        assert_eq!(
            told["scheduleNextTimes"],
            json!(["2026-01-01T00:05:00.000000Z", "2026-01-01T00:10:00.000000Z"])
        );
    }
    Ok(())
}
