//! Streams whose table or cursor becomes another: by a person, who must say how to go on, or by itself.

use anyhow::Result;
use serde_json::{Value, json};

use crate::world::{World, text};

const LOOK: &str = "query($id: ID!) { stream(id: $id) { pausedReason newColumns cursor { column }
    checkpoint { watermark } } }";

impl World {
    async fn look(&self, stream: &str) -> Result<Value> {
        Ok(self.ask(LOOK, json!({ "id": stream })).await?["stream"].take())
    }

    /// Three rows with two times and a number to order them by, read by a stream to the end.
    async fn read_by_one_of_three(&self, name: &str) -> Result<String> {
        self.forget_warehouse().await?;
        self.usage(&[(1, "acme", "seats", "1"), (2, "acme", "seats", "2"), (3, "acme", "seats", "3")])
            .await?;
        self.warehouse(
            "ALTER TABLE usage ADD COLUMN changed DATETIME; UPDATE usage SET changed = updated_at",
        )
        .await?;
        let stream = self.stream(json!({ "name": name })).await?;
        self.sync_well(&stream).await?;
        Ok(stream)
    }
}

#[tokio::test]
async fn pitfall_13_another_cursor_must_say_where_reading_goes_on() -> Result<()> {
    let changed = json!({ "column": "changed", "kind": "NAIVE", "zone": "UTC", "lookback": "0" });
    let number = json!({ "column": "id", "kind": "INT", "lookback": "0" });
    for world in World::both().await? {
        let stream = world.read_by_one_of_three("Refused").await?;
        let before = world.look(&stream).await?;
        for (other, code) in [
            (json!({ "cursor": changed }), "REQUIRED"),
            (json!({ "cursor": number }), "REQUIRED"),
            (json!({ "cursor": number, "cursorStart": "KEEP" }), "INVALID"),
            (json!({ "cursorStart": "BEGINNING" }), "INVALID"),
        ] {
            let mut input = json!({ "id": stream });
            for (name, value) in other.as_object().into_iter().flatten() {
                input[name] = value.clone();
            }
            assert_eq!(
                world.refused("streamUpdate", input).await?,
                (code.into(), "cursorStart".into()),
                "{other}"
            );
        }
        assert_eq!(world.look(&stream).await?, before);
        for (start, cursor, watermark, rows) in [
            ("KEEP", &changed, before["checkpoint"]["watermark"].clone(), "1"),
            ("BEGINNING", &changed, Value::Null, "3"),
            ("BEGINNING", &number, Value::Null, "3"),
            ("MAXIMUM", &changed, before["checkpoint"]["watermark"].clone(), "1"),
            ("MAXIMUM", &number, json!("3"), "1"),
        ] {
            let stream = world.read_by_one_of_three(&format!("{start} {}", cursor["column"])).await?;
            let input = json!({ "id": stream, "cursor": cursor, "cursorStart": start });
            world.act("streamUpdate", "", input).await?;
            let seen = world.look(&stream).await?;
            assert_eq!(seen["cursor"]["column"], cursor["column"]);
            assert_eq!(seen["checkpoint"]["watermark"], watermark, "{start} {cursor}");
            let run = world.sync_well(&stream).await?;
            assert_eq!(run["tally"]["rowsRead"], rows, "{start} {cursor}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_34_a_column_of_another_type_pauses_the_stream_until_someone_looks() -> Result<()> {
    let columns = "id INTEGER PRIMARY KEY, account_id TEXT, metric TEXT, value TEXT, measured_at TEXT, \
        updated_at DATETIME NOT NULL";
    for world in World::both().await? {
        world.usage(&[(1, "7", "seats", "1")]).await?;
        world.identify(&world.account("Acme").await?, "7").await?;
        let stream = world.stream(json!({})).await?;
        world.sync_well(&stream).await?;
        for (before, after, name) in [
            ("account_id TEXT", "account_id INTEGER", "account_id"),
            ("value TEXT", "value REAL", "value"),
            ("measured_at TEXT", "measured_at DATETIME", "measured_at"),
        ] {
            let retyped = columns.replace(before, after);
            world
                .warehouse(&format!(
                    "DROP TABLE usage; CREATE TABLE usage ({retyped}); INSERT INTO usage VALUES \
                     (1, '7', 'seats', '1', '2025-12-01 01:00:00', '2025-12-01 00:00:01')"
                ))
                .await?;
            let run = world.sync(&stream).await?;
            let message = text(&run["error"]["message"]);
            assert!(
                run["status"] == "FAILED" && message.contains(name) && message.contains("is now"),
                "{run}"
            );
            assert_eq!(world.look(&stream).await?["pausedReason"], json!(message));
            assert_eq!(world.sync(&stream).await?["status"], "FAILED", "it stays so");
            // Whoever saves the mapping has seen the new type.
            world.remap(&stream, json!({})).await?;
            assert_eq!(world.look(&stream).await?["pausedReason"], Value::Null);
            world.sync_well(&stream).await?;
            world.warehouse(&format!("DROP TABLE usage; CREATE TABLE usage ({columns})")).await?;
            world.usage(&[(1, "7", "seats", "1")]).await?;
            world.remap(&stream, json!({})).await?;
            world.sync_well(&stream).await?;
        }
        assert_eq!(world.measured(&stream).await?, ["7 seats 1"]);
    }
    Ok(())
}

#[tokio::test]
async fn new_columns_are_noted_until_the_mapping_is_saved_again() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(1, "acme", "seats", "1")]).await?;
        let stream = world.stream(json!({})).await?;
        world.sync_well(&stream).await?;
        world.warehouse("ALTER TABLE usage ADD COLUMN region TEXT").await?;
        world.site.app.clock.advance(2 * 3_600_000_000);
        world.sync_well(&stream).await?;
        assert_eq!(world.look(&stream).await?["newColumns"], json!([]), "a poll without news does not look");
        world.warehouse("UPDATE usage SET value = '2', updated_at = '2025-12-02 00:00:00'").await?;
        world.sync_well(&stream).await?;
        assert_eq!(world.look(&stream).await?["newColumns"], json!(["region"]));
        world.remap(&stream, json!({})).await?;
        assert_eq!(world.look(&stream).await?["newColumns"], json!([]));
    }
    Ok(())
}
