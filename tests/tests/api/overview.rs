//! The overview: what is fresh, what waits, what is still to be set up.

use anyhow::Result;
use serde_json::{Value, json};

use crate::world::{World, text};

const QUERY: &str =
    "{ overview { streams { name freshness } rowsToday writtenToday openGroups waitingReadings
    rejectedRows unmatchedTrend { date count } liveRuns { number } checklist { step done } } }";

fn done(overview: &Value) -> Vec<String> {
    let steps = overview["checklist"].as_array().into_iter().flatten();
    steps.filter(|item| item["done"] == true).map(|item| text(&item["step"])).collect()
}

#[tokio::test]
async fn the_overview_counts_what_happened_and_what_waits() -> Result<()> {
    for mut world in World::both().await? {
        let empty = world.ask(QUERY, json!({})).await?["overview"].take();
        assert_eq!(done(&empty), Vec::<String>::new(), "{empty}");
        assert_eq!((text(&empty["rowsToday"]), &empty["openGroups"]), ("0".into(), &json!(0)));
        world
            .usage(&[
                (1, "a-1", "seats", "1"),
                (2, "b-1", "seats", "2"),
                (3, "b-1", "seats", "3"),
                (4, "a-1", "seats", "x"),
            ])
            .await?;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let stream = world.stream(json!({})).await?;
        world.sync_well(&stream).await?;
        world.rest().await;
        world.act("syncRunStart", "", json!({ "streamId": stream })).await?;
        let seen = world.ask(QUERY, json!({})).await?["overview"].take();
        assert_eq!(
            (text(&seen["rowsToday"]), text(&seen["writtenToday"])),
            ("4".into(), "1".into()),
            "{seen}"
        );
        assert_eq!(
            (&seen["openGroups"], text(&seen["waitingReadings"]), text(&seen["rejectedRows"])),
            (&json!(1), "2".into(), "1".into())
        );
        assert_eq!(
            (seen["liveRuns"].as_array().map(Vec::len), text(&seen["streams"][0]["freshness"])),
            (Some(1), "FRESH".into())
        );
        let steps = done(&seen);
        for step in [
            "ADD_ACCOUNTS",
            "CHOOSE_ID_SPACES",
            "ADD_SOURCE",
            "ADD_STREAM",
            "FIRST_SYNC",
            "FIRST_MEASUREMENT",
        ] {
            assert!(steps.iter().any(|done| done == step), "{step}: {steps:?}");
        }
        assert!(!steps.iter().any(|step| step == "FIRST_LINK"));
        let theirs = world.ask_as(&world.theirs.token, QUERY, json!({})).await?["overview"].take();
        assert_eq!(theirs, empty, "another organization sees nothing of it");
    }
    Ok(())
}

#[tokio::test]
async fn streams_that_need_attention_come_first_and_the_others_keep_their_places() -> Result<()> {
    let query = "{ overview { streams { name freshness } } }";
    for world in World::both().await? {
        world.usage(&[(1, "a-1", "seats", "1")]).await?;
        let mut ids = Vec::new();
        for name in ["Delta", "Beta", "Alpha", "Charlie", "Echo", "Foxtrot"] {
            ids.push(world.stream(json!({ "name": name })).await?);
        }
        world.act("streamPause", "", json!({ "id": ids[5], "reason": "moving" })).await?;
        // Whoever succeeded last, or first, or in the same moment: the lines stay.
        for order in [[0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]] {
            for place in order {
                world.site.app.clock.advance(1_000_000);
                world.sync_well(&ids[place]).await?;
            }
            let seen = world.ask(query, json!({})).await?["overview"]["streams"].take();
            let lines: Vec<String> = seen
                .as_array()
                .into_iter()
                .flatten()
                .map(|line| format!("{} {}", text(&line["name"]), text(&line["freshness"])))
                .collect();
            let wanted =
                ["Echo NEVER", "Alpha FRESH", "Beta FRESH", "Charlie FRESH", "Delta FRESH", "Foxtrot PAUSED"];
            assert_eq!(lines, wanted);
        }
    }
    Ok(())
}
