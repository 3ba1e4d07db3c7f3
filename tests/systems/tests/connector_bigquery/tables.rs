//! Datasets, tables and views, by the names BigQuery takes.

use anyhow::{Result, ensure};
use connector::{CursorKind, ErrorKind, Position, ReadRequest, TableRef, Watermark, kinds};
use serde_json::json;
use systems::bigquery::Seen;
use systems::bigquery::place::PROJECT;

use crate::scene::{Scene, policy};

#[tokio::test]
async fn tables_and_views_are_listed_by_name_page_by_page() -> Result<()> {
    let scene = Scene::with_rows(3).await?;
    for name in ["zebra", "apple", "Mixed Case", "日本", "a-b"] {
        scene.place.create(name, json!({"schema": {"fields": [{"name": "id", "type": "INT64"}]}})).await?;
    }
    let sql = format!("SELECT `id` FROM {}", scene.place.table("events"));
    scene.place.create("seen", json!({"view": {"query": sql, "useLegacySql": false}})).await?;
    // The list comes in two parts.
    scene.place.gate.change(
        1,
        |seen| seen.path.ends_with("/tables") && !seen.query.contains_key("pageToken"),
        |answer| {
            answer["tables"].as_array_mut().expect("tables").truncate(2);
            answer["nextPageToken"] = json!("2");
        },
    );
    let found = scene.connector.discover().await?;
    let names: Vec<&str> = found.iter().map(|table| table.table.name.as_str()).collect();
    ensure!(names == ["Mixed Case", "a-b", "apple", "events", "seen", "zebra", "日本"], "{names:?}");
    let views: Vec<&str> =
        found.iter().filter(|table| table.view).map(|table| table.table.name.as_str()).collect();
    ensure!(views == ["seen"], "{views:?}");
    Ok(())
}

#[tokio::test]
async fn without_a_dataset_all_are_listed() -> Result<()> {
    let scene = Scene::with_rows(3).await?;
    let key = scene.place.gate.key_file().into();
    let connector = kinds::open("bigquery", &json!({"project": PROJECT}), Some(key), &policy(&scene.place)?)?;
    let found = connector.discover().await?;
    ensure!(found.iter().any(|table| table.table == scene.table("events")), "{found:?}");
    let bare = TableRef { catalog: None, schema: None, name: "events".to_owned() };
    let error = connector.describe(&bare).await.expect_err("it is in no dataset");
    ensure!(error.kind() == ErrorKind::Config && error.message().contains("dataset"), "{error:?}");
    ensure!(
        scene.connector.describe(&bare).await?.columns.len() == 3,
        "the connection's own dataset is meant"
    );
    Ok(())
}

#[tokio::test]
async fn the_project_that_pays_may_be_another_than_the_one_read() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    let key = scene.place.gate.key_file().into();
    let config = json!({"project": "weir-pays", "dataProject": PROJECT, "dataset": scene.place.dataset});
    let connector = kinds::open("bigquery", &config, Some(key), &policy(&scene.place)?)?;
    let scene = Scene { connector, ..scene };
    let table = TableRef { catalog: None, ..scene.table("events") };
    ensure!(scene.read(ReadRequest { table, ..scene.request() }).await?.len() == 30);
    let seen = scene.place.gate.seen();
    let paid = seen.iter().filter(|seen| seen.statement());
    ensure!(paid.clone().count() == 1 && paid.clone().all(|seen| seen.path == "/projects/weir-pays/queries"));
    ensure!(seen.iter().any(|seen| seen.path.starts_with("/projects/weir-data/datasets/")), "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn pitfall_20_odd_names_are_kept_and_quoted() -> Result<()> {
    let scene = Scene::empty().await?;
    for (place, name) in ["Mixed Case", "日本", "select", "a-b", "it's", "_1"].into_iter().enumerate() {
        let table = if name == "it's" { "its".to_owned() } else { name.to_owned() };
        let fields = json!([{"name": name, "type": "INT64"}, {"name": "id", "type": "INT64"}]);
        scene.place.create(&table, json!({"schema": {"fields": fields}})).await?;
        let sql = format!("INSERT INTO {} (`{name}`, `id`) VALUES (2, 1), (1, 0)", scene.place.table(&table));
        scene.place.run(&sql, &[]).await?;
        let request = scene.reading(&table, &["id", name], (name, CursorKind::Int), &["id"]);
        ensure!(scene.read(request.clone()).await? == [0, 1], "{place}: {name}");
        let watermark = Watermark::parse(CursorKind::Int, "2").expect("a watermark");
        let from = Some(Position { watermark, key: vec!["1".to_owned()] });
        ensure!(scene.read(ReadRequest { from, ..request }).await? == [1], "{name}");
        let names = [name.to_owned()];
        ensure!(scene.connector.preview(&scene.table(&table), &names, 5).await?.rows() == 2, "{name}");
        ensure!(scene.connector.check(Some(&scene.table(&table)), Some(name)).await.passed(), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn views_are_read_previewed_and_checked() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    let sql = format!("SELECT `at`, `id`, `label` FROM {} WHERE `id` < 5", scene.place.table("events"));
    scene.place.create("seen", json!({"view": {"query": sql, "useLegacySql": false}})).await?;
    let request = scene.reading("seen", &["at", "id"], ("at", CursorKind::Int), &["id"]);
    ensure!(scene.read(request).await? == [0, 1, 2, 3, 4]);
    ensure!(scene.connector.preview(&scene.table("seen"), &["id".to_owned()], 3).await?.rows() == 3);
    let check = scene.connector.check(Some(&scene.table("seen")), Some("at")).await;
    ensure!(check.passed(), "{check:?}");
    ensure!(scene.connector.describe(&scene.table("seen")).await?.view);
    Ok(())
}

#[tokio::test]
async fn a_preview_of_a_table_costs_nothing() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    let batch =
        scene.connector.preview(&scene.table("events"), &["label".to_owned(), "at".to_owned()], 4).await?;
    ensure!(batch.rows() == 4 && batch.columns[0].name() == "label");
    ensure!(scene.place.gate.count(Seen::statement) == 0);
    Ok(())
}
