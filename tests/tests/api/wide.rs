//! A wide table through the API: what a preview says of it, and what a run makes of it.

use anyhow::Result;
use serde_json::json;

use crate::world::{World, text};

#[tokio::test]
async fn a_wide_table_is_previewed_read_and_its_cells_wait_one_by_one() -> Result<()> {
    for world in World::both().await? {
        world
            .warehouse(
                "CREATE TABLE weekly (id INTEGER PRIMARY KEY, customer TEXT, day TEXT, seats INTEGER, calls REAL, \
                 updated_at DATETIME NOT NULL); INSERT INTO weekly VALUES \
                 (1, 'a-1', '2025-12-01', 5, 1.5, '2025-12-01 00:00:01'), \
                 (2, 'a-1', '2025-12-02', 6, NULL, '2025-12-01 00:00:02'), \
                 (3, 'b-1', '2025-12-01', 7, 2.5, '2025-12-01 00:00:03'), \
                 (4, 'a-1', 'some day', 8, 3.5, '2025-12-01 00:00:04')",
            )
            .await?;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let wide = json!({
            "table": { "name": "weekly" },
            "shape": "WIDE",
            "mapping": { "account": "customer", "metrics": ["seats", "calls"], "measuredAt": "day", "zone": "UTC" },
        });
        let stream = world.stream(wide).await?;
        let query =
            "query($id: ID!) { streamPreview(input: { streamId: $id }) { counts { rows mapped rejected
            readings matched unmatched ignored nullCells } } }";
        let seen = world.ask(query, json!({ "id": stream })).await?["streamPreview"]["counts"].take();
        let run = world.sync_well(&stream).await?;
        let tally = &run["tally"];
        let count = |name: &str| text(&tally[name]);
        assert_eq!(
            (count("rowsRead"), count("rowsMapped"), count("rowsRejected")),
            ("4".into(), "3".into(), "1".into())
        );
        assert_eq!(
            [count("readings"), count("written"), count("unmatched"), count("nullCells")],
            ["5", "3", "2", "1"],
            "{tally}"
        );
        for (name, of) in [
            ("rows", "rowsRead"),
            ("mapped", "rowsMapped"),
            ("rejected", "rowsRejected"),
            ("readings", "readings"),
            ("matched", "written"),
            ("unmatched", "unmatched"),
            ("ignored", "ignored"),
            ("nullCells", "nullCells"),
        ] {
            assert_eq!(seen[name].to_string(), count(of), "{name}: {seen}");
        }
        assert_eq!(world.measured(&stream).await?, ["a-1 calls 1.5", "a-1 seats 5", "a-1 seats 6"]);
        let groups = "{ unmatchedGroups { nodes { externalAccount externalMetric waiting } } }";
        let groups = world.ask(groups, json!({})).await?["unmatchedGroups"]["nodes"].take();
        assert_eq!(groups.as_array().map(Vec::len), Some(2), "a group for each column: {groups}");
        world.identify(&world.account("Bolt").await?, "b-1").await?;
        world.settle().await?;
        assert_eq!(world.measured(&stream).await?.len(), 5);
        world
            .warehouse(
                "UPDATE weekly SET day = '2025-12-03', updated_at = '2025-12-01 00:00:05' WHERE id = 4",
            )
            .await?;
        let run = world.sync_well(&stream).await?;
        assert_eq!(
            (text(&run["tally"]["rowsRejected"]), text(&run["tally"]["written"])),
            ("0".into(), "2".into())
        );
    }
    Ok(())
}
