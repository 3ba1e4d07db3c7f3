//! Comparing a stream with its table: now and by itself, and what is told of it.

use anyhow::Result;
use serde_json::{Value, json};
use tests::stage::until;
use tests::worker::arrange;

use crate::world::{World, text};

const SEEN: &str = "query($id: ID!) { stream(id: $id) { reconcile { enabled at zone days nextDueAt }
    reconciles(first: 5) { totalCount nodes { trigger since until comparedAt sliceCount differingCount explainedCount
    written finishedAt error { message action } requestedBy { name } slices { first last readings
    gap { readings sum closed } rest { readings closed } run { kind trigger status } } } } } }";

/// What is told of a stream's comparisons.
async fn seen(world: &World, stream: &str) -> Result<Value> {
    Ok(world.ask(SEEN, json!({ "id": stream })).await?["stream"].take())
}

/// Waits until so many comparisons have ended. The clock stands still, so what waits for a time is told that it has come.
pub async fn ended(world: &World, stream: &str, count: usize) -> Result<Value> {
    until("the comparisons have ended", 120, async || {
        let now = "UPDATE job SET run_at = 0 WHERE status = 'queued' AND queue = 'reconcile'";
        arrange(&world.site.app.db, now).await?;
        let nodes = seen(world, stream).await?["reconciles"]["nodes"].take();
        let nodes = nodes.as_array().cloned().unwrap_or_default();
        Ok(nodes.iter().filter(|node| node["finishedAt"].is_string()).count() == count)
    })
    .await?;
    Ok(seen(world, stream).await?["reconciles"]["nodes"][0].take())
}

#[tokio::test]
async fn a_late_row_is_found_and_shown_and_the_second_time_nothing_differs() -> Result<()> {
    for world in World::both().await? {
        world
            .usage(&[(10, "a-1", "seats", "1.5"), (11, "b-1", "seats", "2"), (12, "a-1", "seats", "x")])
            .await?;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let stream = world.stream(json!({})).await?;
        world.sync_well(&stream).await?;
        world.usage(&[(5, "a-1", "seats", "0.25")]).await?;
        assert_eq!(world.sync_well(&stream).await?["tally"]["written"], "0", "no run sees it");
        let start = json!({ "streamId": stream });
        world.act("reconcileStart", "reconcile { id }", start.clone()).await?;
        let told = ended(&world, &stream, 1).await?;
        assert_eq!(text(&told["trigger"]), "API");
        assert_eq!(
            [&told["sliceCount"], &told["differingCount"], &told["explainedCount"], &told["written"]],
            ["1", "1", "0", "1"],
            "{told}"
        );
        assert_eq!((&told["error"], text(&told["until"])), (&Value::Null, "2025-12-01 00:00:12".into()));
        let slice = &told["slices"][0];
        assert_eq!(text(&slice["first"]), "2025-12-01 00:00:00");
        assert_eq!(slice["gap"], json!({ "readings": "1", "sum": "0.25", "closed": false }));
        assert_eq!(slice["rest"], json!({ "readings": "0", "closed": true }));
        let run = json!({ "kind": "BACKFILL", "trigger": "RECONCILE", "status": "SUCCEEDED" });
        assert_eq!(slice["run"], run, "{told}");
        assert_eq!(world.measured(&stream).await?, ["a-1 seats 0.25", "a-1 seats 1.5"]);
        world.act("reconcileStart", "reconcile { id }", start.clone()).await?;
        let told = ended(&world, &stream, 2).await?;
        assert_eq!([&told["differingCount"], &told["explainedCount"]], ["0", "0"], "{told}");
        // What stops it is told.
        world.warehouse("ALTER TABLE usage RENAME TO usage2").await?;
        world.act("reconcileStart", "reconcile { id }", start).await?;
        let told = ended(&world, &stream, 3).await?;
        assert!(text(&told["error"]["message"]).contains("usage"), "{told}");
        assert!(told["comparedAt"].is_null());
    }
    Ok(())
}

#[tokio::test]
async fn switched_on_a_stream_is_compared_at_its_time() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(10, "a-1", "seats", "1.5")]).await?;
        let stream = world.stream(json!({})).await?;
        world.sync_well(&stream).await?;
        let off = json!({ "enabled": false, "at": "03:00", "zone": "UTC", "days": 35, "nextDueAt": null });
        assert_eq!(seen(&world, &stream).await?["reconcile"], off);
        for (field, value) in [("zone", json!("Mars/Base")), ("at", json!("25:00")), ("days", json!(400))] {
            let mut input = json!({ "streamId": stream, "enabled": true });
            input[field] = value;
            let refused = world.refused("streamReconcileSet", input).await?;
            assert_eq!((refused.0.as_str(), refused.1.as_str()), ("INVALID", field));
        }
        let input =
            json!({ "streamId": stream, "enabled": true, "at": "04:30", "zone": "Europe/Berlin", "days": 7 });
        let set =
            world.act("streamReconcileSet", "stream { reconcile { enabled nextDueAt } }", input).await?;
        let set = &set["stream"]["reconcile"];
        assert!(set["enabled"] == true && text(&set["nextDueAt"]).contains("T03:30:00"), "{set}");
        assert_eq!(seen(&world, &stream).await?["reconciles"]["totalCount"], 0);
        world.site.app.clock.advance(86_400_000_000);
        let told = ended(&world, &stream, 1).await?;
        assert_eq!((text(&told["trigger"]), &told["requestedBy"]), ("SCHEDULE".into(), &Value::Null));
        assert_eq!([&told["sliceCount"], &told["differingCount"]], ["1", "0"], "{told}");
    }
    Ok(())
}
