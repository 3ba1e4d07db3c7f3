//! What a stream would read is told before it is saved, what it may read is bounded, and a schedule that keeps a
//! warehouse awake is named.

use anyhow::Result;
use serde_json::{Value, json};
use systems::bigquery::place::PROJECT;
use systems::bigquery::{Emulator, Place, Seen};
use systems::databricks;

use crate::reconcile::ended;
use crate::world::{World, text};

const PREVIEW: &str = "query($draft: StreamDraftInput!) { streamPreview(input: { draft: $draft }) {
    counts { rows } cost { firstBytes pollBytes advice } problem { message action } userErrors { message } } }";

fn trial(seen: &Seen) -> bool {
    seen.body["dryRun"] == true
}

/// A table of usage, with more said of it.
async fn table(place: &Place, name: &str, more: Value) -> Result<()> {
    let fields = json!([
        {"name": "id", "type": "INT64", "mode": "REQUIRED"},
        {"name": "account_id", "type": "STRING"},
        {"name": "metric", "type": "STRING"},
        {"name": "value", "type": "INT64"},
        {"name": "measured_at", "type": "TIMESTAMP"},
    ]);
    let mut resource = json!({ "schema": { "fields": fields } });
    for (name, value) in more.as_object().into_iter().flatten() {
        resource[name] = value.clone();
    }
    place.create(name, resource).await?;
    add(place, name, 1, "2026-01-01").await
}

/// A row of usage, of midnight of a day.
async fn add(place: &Place, name: &str, id: u32, day: &str) -> Result<()> {
    let sql = format!(
        "INSERT INTO {} (`id`, `account_id`, `metric`, `value`, `measured_at`) VALUES \
         ({id}, 'a-1', 'seats', 3, TIMESTAMP '{day} 00:00:00+00')",
        place.table(name)
    );
    place.run(&sql, &[]).await.map(drop)
}

/// The input of a stream over the table `usage`, which runs when told to.
async fn manual(world: &World, source: &str, place: &Place) -> Result<Value> {
    let mut input = draft(source, place, "usage", json!({ "column": "measured_at", "kind": "ZONED" }));
    input["name"] = json!("Usage");
    input["schedule"] = json!({ "manual": true });
    input["externalIdSettingId"] = json!(world.setting("IDs").await?);
    Ok(input)
}

/// The limits of the statements that read a table.
fn limits(place: &Place) -> Vec<Value> {
    let read = place.gate.seen().into_iter().filter(Seen::reading);
    read.map(|seen| seen.body["maximumBytesBilled"].clone()).collect()
}

/// A world whose BigQuery is a place of its own, and a source in it that bills at most 50 MiB for a statement.
async fn at(place: &Place, world: &World) -> Result<String> {
    let bigquery = json!({
        "project": PROJECT, "dataset": place.dataset, "key": place.gate.key_file(), "maximumBytesBilled": "52428800",
    });
    let input = json!({ "name": "BigQuery", "config": { "bigquery": bigquery } });
    Ok(text(&world.act("sourceCreate", "source { id }", input).await?["source"]["id"]))
}

async fn worlds(kind: &'static str, url: String) -> Result<Vec<World>> {
    World::both_with(|config| {
        config.sources.networks = vec!["127.0.0.0/8".to_owned()];
        config.sources.base_urls.insert(kind.to_owned(), url.clone());
        // The emulators are slow on a busy machine.
        config.http.timeout_seconds = 120;
    })
    .await
}

/// A draft over a table, ordered by the time of its rows or by another column.
fn draft(source: &str, place: &Place, table: &str, cursor: Value) -> Value {
    json!({
        "sourceId": source,
        "table": { "catalog": PROJECT, "schema": place.dataset, "name": table },
        "shape": "LONG",
        "destination": "USAGE",
        "mapping": { "account": "account_id", "metric": "metric", "value": "value", "measuredAt": "measured_at" },
        "cursor": cursor,
        "rowKey": ["id"],
    })
}

#[tokio::test]
async fn a_preview_tells_what_a_run_would_read_and_how_it_would_read_less() -> Result<()> {
    let place = Place::empty(Emulator::Local).await?;
    let cut = json!({ "type": "DAY", "field": "measured_at" });
    table(&place, "cut", json!({ "timePartitioning": cut.clone() })).await?;
    table(&place, "whole", json!({})).await?;
    table(&place, "strict", json!({ "timePartitioning": cut, "requirePartitionFilter": true })).await?;
    for world in worlds("bigquery", place.gate.url()).await? {
        let source = at(&place, &world).await?;
        let preview = async |table: &str, cursor: Value| -> Result<Value> {
            let variables = json!({ "draft": draft(&source, &place, table, cursor) });
            Ok(world.ask(PREVIEW, variables).await?["streamPreview"].take())
        };
        let by_time = json!({ "column": "measured_at", "kind": "ZONED" });
        let by_id = json!({ "column": "id", "kind": "INT" });
        place.gate.forget();
        let bound = |seen: &Seen| trial(seen) && !seen.body["queryParameters"].is_null();
        place.gate.change(1, bound, |answer| answer["totalBytesProcessed"] = json!("1000000000"));
        place.gate.change(1, trial, |answer| answer["totalBytesProcessed"] = json!("4000000000"));
        let told = preview("cut", by_time.clone()).await?;
        let cost = json!({ "firstBytes": "4000000000", "pollBytes": "1000000000", "advice": null });
        assert_eq!((&told["cost"], &told["counts"]["rows"]), (&cost, &json!(1)), "{told}");
        assert_eq!(place.gate.count(Seen::statement), 0, "nothing that is billed was sent");
        assert!(
            place
                .gate
                .seen()
                .iter()
                .filter(|seen| trial(seen))
                .all(|seen| seen.body["maximumBytesBilled"].is_null()),
            "a trial tells also what is beyond the limit"
        );

        let told = preview("cut", by_id.clone()).await?;
        let advice = text(&told["cost"]["advice"]);
        assert!(advice.contains("partitioned by \"measured_at\""), "{told}");
        assert_eq!(told["cost"]["firstBytes"], told["cost"]["pollBytes"], "{told}");
        let told = preview("whole", by_time).await?;
        let advice = text(&told["cost"]["advice"]);
        assert!(advice.contains("neither partitioned nor clustered by \"measured_at\""), "{told}");
        let told = preview("strict", by_id).await?;
        assert!(text(&told["problem"]["action"]).contains("choose \"measured_at\" as the cursor"), "{told}");
    }
    Ok(())
}

#[tokio::test]
async fn the_limit_of_a_stream_holds_instead_of_the_sources() -> Result<()> {
    let place = Place::empty(Emulator::Local).await?;
    table(&place, "usage", json!({})).await?;
    for world in worlds("bigquery", place.gate.url()).await? {
        let source = at(&place, &world).await?;
        let mut input = manual(&world, &source, &place).await?;
        input["maximumBytesBilled"] = json!("1000");
        let field = "maximumBytesBilled";
        assert_eq!(world.refused("streamCreate", input.clone()).await?.1, field);
        input["maximumBytesBilled"] = json!("20971520");
        let made = world.act("streamCreate", "stream { id maximumBytesBilled }", input).await?;
        assert_eq!(made["stream"]["maximumBytesBilled"], "20971520");
        let stream = text(&made["stream"]["id"]);
        let billed = async || -> Result<Vec<Value>> {
            place.gate.forget();
            world.sync_well(&stream).await?;
            Ok(limits(&place))
        };
        assert_eq!(billed().await?, [json!("20971520")]);
        let none = json!({ "id": stream, "maximumBytesBilled": null });
        let changed = world.act("streamUpdate", "stream { maximumBytesBilled }", none).await?;
        assert!(changed["stream"]["maximumBytesBilled"].is_null());
        assert_eq!(billed().await?, [json!("52428800")]);
        let low = json!({ "id": stream, "maximumBytesBilled": "0" });
        assert_eq!(world.refused("streamUpdate", low).await?.1, field);

        // A file is read for nothing.
        world.usage(&[(1, "a-1", "seats", "1")]).await?;
        let file = world.stream(json!({ "name": "File" })).await?;
        let limit = json!({ "id": file, "maximumBytesBilled": "20971520" });
        assert_eq!(world.refused("streamUpdate", limit).await?.1, field);
    }
    Ok(())
}

#[tokio::test]
async fn whoever_reads_for_a_stream_keeps_to_its_limit() -> Result<()> {
    let place = Place::empty(Emulator::Local).await?;
    table(&place, "usage", json!({})).await?;
    for (round, world) in worlds("bigquery", place.gate.url()).await?.into_iter().enumerate() {
        let source = at(&place, &world).await?;
        let mut input = manual(&world, &source, &place).await?;
        input["maximumBytesBilled"] = json!("20971520");
        let stream = text(&world.act("streamCreate", "stream { id }", input).await?["stream"]["id"]);
        world.sync_well(&stream).await?;
        // One row of a day that was read, which no sync sees, and one that is still to come.
        let round = u32::try_from(round)?;
        let rows = 2 * round + 1;
        add(&place, "usage", 10 + round, "2025-12-31").await?;
        add(&place, "usage", 20 + round, &format!("2026-01-0{}", 2 + round)).await?;
        let all = |count: usize| vec![json!("20971520"); count];

        place.gate.forget();
        let query = "query($id: ID!) { streamDiagnosis(id: $id) { rowsAbove problem { message } } }";
        let told = world.ask(query, json!({ "id": stream })).await?["streamDiagnosis"].take();
        assert_eq!(told, json!({ "rowsAbove": "1", "problem": null }));
        // The greatest cursor, and the rows above the watermark.
        assert_eq!(limits(&place), all(2));

        place.gate.forget();
        let query = "query($id: ID!) { cursorResetPreview(streamId: $id) { rowsToRead exact } }";
        let told = world.ask(query, json!({ "id": stream })).await?["cursorResetPreview"].take();
        assert_eq!(told, json!({ "rowsToRead": (rows + 2).to_string(), "exact": true }));
        assert_eq!(limits(&place), all(1));

        place.gate.forget();
        world.act("reconcileStart", "reconcile { id }", json!({ "streamId": stream })).await?;
        let told = ended(&world, &stream, 1).await?;
        assert_eq!([&told["error"], &told["differingCount"]], [&Value::Null, &json!("1")], "{told}");
        // The comparison, and the day that differs.
        assert_eq!(limits(&place), all(2));
    }
    Ok(())
}

#[tokio::test]
async fn a_schedule_says_when_it_keeps_the_warehouse_awake() -> Result<()> {
    let workspace = databricks::Server::start().await?;
    for world in worlds("databricks", workspace.url()).await? {
        let databricks = json!({
            "host": "dbc-a1b2345c-d6e7.cloud.databricks.com", "warehouse": databricks::WAREHOUSE,
            "secret": databricks::TOKEN,
        });
        let input = json!({ "name": "Databricks", "config": { "databricks": databricks } });
        let source = text(&world.act("sourceCreate", "source { id }", input).await?["source"]["id"]);
        let query = "query($source: ID!, $minutes: Int!) {
            schedulePace(sourceId: $source, schedule: { interval: { minutes: $minutes } }) {
                runsPerDay restSeconds awakeSecondsPerDay warning } }";
        let pace = async |minutes: u32| -> Result<Value> {
            let variables = json!({ "source": source, "minutes": minutes });
            Ok(world.ask(query, variables).await?["schedulePace"].take())
        };
        let unknown =
            json!({ "runsPerDay": 288, "restSeconds": null, "awakeSecondsPerDay": null, "warning": null });
        assert_eq!(pace(5).await?, unknown, "nothing is known before the source is tested");
        world.act("sourceCheck", "check { ok }", json!({ "id": source })).await?;
        let often = pace(5).await?;
        assert_eq!((&often["restSeconds"], &often["awakeSecondsPerDay"]), (&json!(600), &json!(86_400)));
        let words = "it runs every 5 minutes, and the warehouse sleeps after 10 min without work: it never sleeps, 24 h a day";
        assert_eq!(often["warning"], words);
        let seldom = pace(60).await?;
        assert_eq!((&seldom["awakeSecondsPerDay"], &seldom["warning"]), (&json!(14_400), &Value::Null));
    }
    Ok(())
}
