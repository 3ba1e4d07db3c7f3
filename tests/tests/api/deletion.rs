//! Streams and sources that are deleted: out of sight at once, with all they stored, and gone bit by bit.

use anyhow::Result;
use entity::{measurement, series, source, stream, sync_run, unmatched_group, waiting_row};
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::world::{World, text};

/// All lists that show a stream or what it stored, and what is counted of it.
const ALL: &str = "{ streams { totalCount nodes { id } } sources { nodes { name streams { totalCount } } }
    seriesList { nodes { id } } syncRuns { nodes { id } } rejectedRows { nodes { id } } ignoreRules { nodes { id } }
    unmatchedGroups { nodes { id rows(first: 1) { nodes { id } } } }
    overview { streams { id } openGroups waitingReadings rejectedRows rowsToday liveRuns { id }
        checklist { step done } } accounts { nodes { series { totalCount } } } }";

impl World {
    /// A stream that has measured, left rows waiting, rejected one and ignored one.
    async fn full(&self, name: &str) -> Result<String> {
        self.forget_warehouse().await?;
        self.usage(&[(1, "acme", "seats", "1"), (2, "nobody", "seats", "2"), (3, "acme", "seats", "x")])
            .await?;
        self.usage(&[(4, "rust", "seats", "4"), (5, "acme", "seats", "5")]).await?;
        let stream = self.stream(json!({ "name": name })).await?;
        let rule = json!({ "streamId": stream, "externalAccount": "rust", "reason": "a test" });
        self.act("ignoreRuleCreate", "", rule).await?;
        self.sync_well(&stream).await?;
        Ok(stream)
    }

    /// The IDs of all that `ALL` shows.
    async fn ids(&self) -> Result<Vec<String>> {
        fn collect(value: &Value, ids: &mut Vec<String>) {
            match value {
                Value::Object(fields) => {
                    ids.extend(fields.get("id").and_then(Value::as_str).map(str::to_owned));
                    fields.values().for_each(|value| collect(value, ids));
                }
                Value::Array(values) => values.iter().for_each(|value| collect(value, ids)),
                _ => {}
            }
        }
        let mut ids = Vec::new();
        collect(&self.ask(ALL, json!({})).await?, &mut ids);
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    async fn stored(&self) -> Result<[u64; 7]> {
        let db = self.site.app.db.orm();
        Ok([
            source::Entity::find().count(db).await?,
            stream::Entity::find().count(db).await?,
            sync_run::Entity::find().count(db).await?,
            series::Entity::find().count(db).await?,
            measurement::Entity::find().count(db).await?,
            unmatched_group::Entity::find().count(db).await?,
            waiting_row::Entity::find().count(db).await?,
        ])
    }
}

#[tokio::test]
async fn a_deleted_stream_is_nowhere_at_once_and_its_name_is_free() -> Result<()> {
    for mut world in World::both().await? {
        world.identify(&world.account("Acme").await?, "acme").await?;
        let stream = world.full("Usage").await?;
        let ids = world.ids().await?;
        assert!(ids.len() >= 9, "the stream, series, run, groups, rows and rule are shown: {ids:?}");
        let before = world.stored().await?;
        world.rest().await;
        world.act("streamDelete", "", json!({ "id": stream })).await?;
        assert_eq!(world.stored().await?, before, "nothing is discarded yet");
        assert_eq!(world.ids().await?, Vec::<String>::new(), "and nothing is seen");
        let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
        let found = world.ask(nodes, json!({ "ids": ids })).await?["nodes"].take();
        assert_eq!(found, json!(vec![Value::Null; ids.len()]), "nor found by its ID");
        let seen = world.ask(ALL, json!({})).await?;
        let (overview, account) = (&seen["overview"], &seen["accounts"]["nodes"][0]);
        assert_eq!(account["series"]["totalCount"], 0);
        assert_eq!(seen["sources"]["nodes"][0]["streams"]["totalCount"], 0);
        for count in ["openGroups", "waitingReadings", "rejectedRows", "rowsToday"] {
            assert!([json!(0), json!("0")].contains(&overview[count]), "{count}: {overview}");
        }
        for (mutation, input) in [
            ("streamDelete", json!({ "id": stream })),
            ("streamResume", json!({ "id": stream })),
            ("syncRunStart", json!({ "streamId": stream })),
            ("rejectedRowRetry", json!({ "streamId": stream })),
            ("cursorReset", json!({ "streamId": stream, "reason": "a test" })),
        ] {
            assert_eq!(world.refused(mutation, input).await?.0, "NOT_FOUND", "{mutation}");
        }
        let source =
            text(&world.ask("{ sources { nodes { id } } }", json!({})).await?["sources"]["nodes"][0]["id"]);
        let again =
            world.act("streamCreate", "stream { id }", world.stream_input(&source, json!({}))).await?;
        let settings = "{ externalIdSettings { nodes { id } } }";
        let setting = world.ask(settings, json!({})).await?["externalIdSettings"]["nodes"][0]["id"].take();
        world.act("externalIdSettingDelete", "", json!({ "id": setting })).await?;
        world.work();
        world.settle().await?;
        assert_eq!(world.stored().await?, [1, 1, 0, 0, 0, 0, 0], "only the new stream is left");
        assert_eq!(world.ids().await?, [text(&again["stream"]["id"])]);
    }
    Ok(())
}

#[tokio::test]
async fn a_deleted_source_takes_its_streams_and_its_secrets_with_it() -> Result<()> {
    for mut world in World::both().await? {
        world.identify(&world.account("Acme").await?, "acme").await?;
        world.full("One").await?;
        let query = "{ sources { nodes { id } } }";
        let source = world.ask(query, json!({})).await?["sources"]["nodes"][0]["id"].take();
        let pair = world.key_pair(&text(&source)).await?;
        world.rest().await;
        world.act("sourceDelete", "", json!({ "id": source })).await?;
        let all = json!({ "ids": [source, pair] });
        let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
        assert_eq!(world.ask(nodes, all).await?["nodes"], json!([null, null]));
        assert_eq!(world.ids().await?, Vec::<String>::new());
        let left = source::Entity::find().all(world.site.app.db.orm()).await?;
        assert!(left.iter().all(|source| source.sealed_credential.is_none()), "its secret is gone already");
        world.source("Source of One").await?;
        world.work();
        world.settle().await?;
        assert_eq!(world.stored().await?, [1, 0, 0, 0, 0, 0, 0]);
        // One without streams goes at once.
        world.rest().await;
        let source = world.ask(query, json!({})).await?["sources"]["nodes"][0]["id"].take();
        world.act("sourceDelete", "", json!({ "id": source })).await?;
        assert_eq!(world.stored().await?[0], 0);
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_whose_discarding_was_lost_is_discarded_all_the_same() -> Result<()> {
    for mut world in World::both().await? {
        let stream = world.full("Usage").await?;
        world.rest().await;
        world.act("streamDelete", "", json!({ "id": stream })).await?;
        world.site.app.db.orm().execute_unprepared("DELETE FROM job WHERE queue = 'discard'").await?;
        world.work();
        // The scheduler looks for what should not be as soon as it starts.
        let db = world.site.app.db.orm().clone();
        tests::stage::until("the stream is gone", 60, || async {
            Ok(stream::Entity::find().count(&db).await? == 0)
        })
        .await?;
        world.settle().await?;
        assert_eq!(world.stored().await?, [1, 0, 0, 0, 0, 0, 0]);
    }
    Ok(())
}
