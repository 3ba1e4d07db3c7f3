//! Why rows of a stream may be missing: what is found at its table, in its runs and in what its account IDs look like.

use anyhow::Result;
use serde_json::{Value, json};

use crate::world::{World, text};

const LOOK: &str =
    "query($id: ID!) { streamDiagnosis(id: $id) { findings { severity message action } watermark
    newestCursor nullCursors readings unmatched sampledIds idShapes { shape count }
    idSpaces { space normalizer tried known } problem { kind message } } }";

impl World {
    async fn diagnose(&self, stream: &str) -> Result<Value> {
        Ok(self.ask(LOOK, json!({ "id": stream })).await?["streamDiagnosis"].take())
    }

    /// Adds rows to the table `usage`, whose cursors may be NULL: ID, account ID, and the text of the cursor.
    async fn add(&self, rows: &[(i64, &str, &str)]) -> Result<()> {
        self.warehouse(
            "CREATE TABLE IF NOT EXISTS usage (id INTEGER PRIMARY KEY, account_id TEXT, metric TEXT, value TEXT, \
             measured_at TEXT, updated_at DATETIME)",
        )
        .await?;
        for (id, account, updated) in rows {
            self.warehouse(&format!(
                "INSERT INTO usage VALUES ({id}, '{account}', 'seats', '1', '2025-12-01 00:00:00', {updated})"
            ))
            .await?;
        }
        Ok(())
    }
}

/// The finding that says this, with its severity.
fn finding<'a>(told: &'a Value, words: &str) -> Option<(&'a str, &'a Value)> {
    let found = told["findings"].as_array().into_iter().flatten();
    let mut found = found.filter(|finding| text(&finding["message"]).contains(words));
    found.next().and_then(|finding| Some((finding["severity"].as_str()?, finding)))
}

#[tokio::test]
async fn ids_of_another_crm_are_told_with_match_rates_and_mended_by_the_setting() -> Result<()> {
    for world in World::both().await? {
        let ids: Vec<String> = (0..8).map(|number| format!("88123450{number}")).collect();
        let rows: Vec<(i64, &str, String)> = ids
            .iter()
            .zip(1..)
            .map(|(account, id)| (id, account.as_str(), format!("'2025-12-01 00:00:0{id}'")))
            .collect();
        let rows: Vec<(i64, &str, &str)> =
            rows.iter().map(|(id, account, updated)| (*id, *account, updated.as_str())).collect();
        world.add(&rows).await?;
        for id in &ids[..6] {
            let account = world.account(&format!("Account {id}")).await?;
            let input = json!({ "accountId": account, "space": "hubspot", "value": id });
            world.act("externalIdCreate", "", input).await?;
        }
        let setting = json!({ "name": "CRM", "spaces": ["salesforce"] });
        let setting = world.act("externalIdSettingCreate", "externalIdSetting { id }", setting).await?;
        let setting = text(&setting["externalIdSetting"]["id"]);
        let source = world.source("Warehouse").await?;
        let input = world.stream_input(&source, json!({ "externalIdSettingId": setting }));
        let stream = text(&world.act("streamCreate", "stream { id }", input).await?["stream"]["id"]);

        let told = world.diagnose(&stream).await?;
        assert_eq!((&told["watermark"], &told["problem"]), (&Value::Null, &Value::Null), "{told}");
        assert_eq!(finding(&told, "nothing has been read yet").map(|it| it.0), Some("NOTICE"), "{told}");

        world.sync_well(&stream).await?;
        let told = world.diagnose(&stream).await?;
        assert_eq!(
            (&told["sampledIds"], &told["idShapes"]),
            (&json!(8), &json!([{ "shape": "NUMBER", "count": 8 }]))
        );
        let best = json!({ "space": "hubspot", "normalizer": "NUMERIC", "tried": false, "known": 6 });
        assert_eq!(told["idSpaces"][0], best, "{told}");
        let first = &told["findings"][0];
        assert_eq!(
            (text(&first["severity"]), text(&first["message"])),
            (
                "PROBLEM".into(),
                "the account IDs look like numbers, like HubSpot's IDs; the setting tries \"salesforce\", which knows \
                 0 %, while \"hubspot\" knows 75 % of them"
                    .into()
            ),
            "{told}"
        );
        assert!(text(&first["action"]).contains("try \"hubspot\""), "{first}");
        assert_eq!((&told["readings"], &told["unmatched"]), (&json!("8"), &json!("8")));
        assert_eq!(finding(&told, "100 % wait").map(|it| it.0), Some("PROBLEM"), "{told}");
        assert_eq!(finding(&told, "has been read").map(|it| it.0), Some("FINE"), "{told}");

        // Doing as it says takes the rows in, and the finding is gone.
        let input = json!({ "id": setting, "spaces": ["hubspot"] });
        world.act("externalIdSettingUpdate", "", input).await?;
        world.settle().await?;
        assert_eq!(world.measured(&stream).await?.len(), 6, "two accounts are not known");
        let told = world.diagnose(&stream).await?;
        assert!(finding(&told, "look like numbers; ").is_none(), "{told}");
        assert_eq!(told["idSpaces"][0]["tried"], true);
        assert_eq!(finding(&told, "75 % of the account IDs").map(|it| it.0), Some("NOTICE"), "{told}");
    }
    Ok(())
}

#[tokio::test]
async fn rows_without_a_cursor_above_the_watermark_and_ahead_of_time_are_told() -> Result<()> {
    for world in World::both().await? {
        world
            .add(&[
                (1, "a-1", "'2025-12-01 00:00:01'"),
                (2, "a-1", "NULL"),
                (3, "a-1", "NULL"),
                (4, "a-1", "'2025-12-01 00:00:04'"),
            ])
            .await?;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let stream = world.stream(json!({})).await?;
        world.sync_well(&stream).await?;
        let told = world.diagnose(&stream).await?;
        assert_eq!(told["nullCursors"], "2");
        let (severity, nulls) = finding(&told, "2 rows have no value in the cursor column \"updated_at\"")
            .unwrap_or_else(|| panic!("{told}"));
        assert!(severity == "PROBLEM" && text(&nulls["message"]).contains("rejected"), "{nulls}");
        assert_eq!(finding(&told, "2 rows are kept as rejected").map(|it| it.0), Some("NOTICE"), "{told}");
        assert_eq!(
            (&told["watermark"], &told["newestCursor"]),
            (&json!("2025-12-01 00:00:04"), &told["watermark"])
        );
        assert_eq!(finding(&told, "100 % of the account IDs").map(|it| it.0), Some("FINE"), "{told}");

        world.add(&[(5, "a-1", "'2025-12-01 00:00:09'")]).await?;
        let told = world.diagnose(&stream).await?;
        let behind =
            "goes up to 2025-12-01 00:00:09; read is what goes up to 2025-12-01 00:00:04: 1 row is above it";
        assert_eq!(finding(&told, behind).map(|it| it.0), Some("NOTICE"), "{told}");
        world.sync_well(&stream).await?;
        let told = world.diagnose(&stream).await?;
        assert!(finding(&told, "goes up to").is_none(), "{told}");

        world.add(&[(6, "a-1", "'2099-01-01 00:00:00'")]).await?;
        let told = world.diagnose(&stream).await?;
        assert_eq!(
            finding(&told, "later than the source's own clock").map(|it| it.0),
            Some("PROBLEM"),
            "{told}"
        );

        // What the source does is told, with what is known here; of the table nothing is guessed.
        world.warehouse("ALTER TABLE usage RENAME TO away").await?;
        let told = world.diagnose(&stream).await?;
        assert_eq!(told["problem"]["kind"], "NOT_FOUND", "{told}");
        assert_eq!(told["findings"].as_array().map(Vec::len), Some(2), "{told}");
        assert!(finding(&told, "2 rows are kept as rejected").is_some(), "{told}");
        assert!(finding(&told, "2 rows have no value in the cursor column").is_some(), "{told}");
        // Another organization's stream is not there.
        let theirs = world.ask_as(&world.theirs.token, LOOK, json!({ "id": stream })).await?;
        assert!(theirs["streamDiagnosis"].is_null());
    }
    Ok(())
}

#[tokio::test]
async fn ids_are_told_apart_by_their_looks() -> Result<()> {
    for world in World::both().await? {
        world
            .add(&[
                (1, "0015g00000Ab3dE", "'2025-12-01 00:00:01'"),
                (2, "0015g00000Ab3dEAAR", "'2025-12-01 00:00:01'"),
                (3, "ops@acme.example", "'2025-12-01 00:00:01'"),
                (4, "it@acme.example", "'2025-12-01 00:00:01'"),
                (5, "acme.example", "'2025-12-01 00:00:01'"),
                (6, "0190c3a4-7b1e-7c52-8f0e-2b1f7c6d5e4f", "'2025-12-01 00:00:01'"),
                (7, "4711", "'2025-12-01 00:00:01'"),
                (8, "acme inc.", "'2025-12-01 00:00:01'"),
            ])
            .await?;
        let account = world.account("Acme").await?;
        let input = json!({ "accountId": account, "space": "salesforce", "value": "0015g00000Ab3dEAAR" });
        world.act("externalIdCreate", "", input).await?;
        let stream = world.stream(json!({})).await?;
        let told = world.diagnose(&stream).await?;
        let count = |shape: &str| {
            let shapes = told["idShapes"].as_array().into_iter().flatten();
            shapes.filter(|it| it["shape"] == shape).filter_map(|it| it["count"].as_i64()).sum::<i64>()
        };
        assert_eq!(
            ["EMAIL", "SALESFORCE_15", "SALESFORCE_18", "DOMAIN", "UUID", "NUMBER", "OTHER"].map(count),
            [2, 1, 1, 1, 1, 1, 1],
            "{told}"
        );
        // 15 and 18 characters are one ID: the space knows both.
        let known = told["idSpaces"].as_array().into_iter().flatten();
        let known: Vec<&Value> = known.filter(|it| it["space"] == "salesforce").collect();
        assert_eq!(known[0]["known"], 2, "{told}");
    }
    Ok(())
}
