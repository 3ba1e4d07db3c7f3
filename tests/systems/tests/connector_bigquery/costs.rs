//! What reading costs: told before, kept low, added up, and bounded.

use anyhow::{Context, Result, ensure};
use connector::{
    Cost, Cursor, CursorKind, ErrorKind, Held, Position, ReadRequest, RunTag, SliceRequest, Watermark,
};
use serde_json::{Value, json};
use systems::bigquery::gate::REGION;
use systems::bigquery::{Act, Seen};

use crate::scene::{Scene, numbers};

fn trial(seen: &Seen) -> bool {
    seen.body["dryRun"] == true
}

#[tokio::test]
async fn an_estimate_is_a_trial_of_the_very_statement_and_runs_nothing() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    scene.place.gate.change(1, trial, |answer| answer["totalBytesProcessed"] = json!("123456789012"));
    ensure!(scene.connector.estimate(&scene.request()).await? == Some(123_456_789_012));
    ensure!(scene.place.gate.count(Seen::statement) == 0);
    let tried = scene.place.gate.seen().into_iter().find(trial).context("no trial")?;
    scene.read(scene.request()).await?;
    let ran = scene.place.gate.seen().into_iter().find(Seen::reading).context("no statement")?;
    ensure!(tried.body["query"] == ran.body["query"]);
    // What the read would be refused for, the estimate is.
    let mut wrong = scene.request();
    wrong.columns.push("gone".to_owned());
    let error = scene.connector.estimate(&wrong).await.err().context("there is no such column")?;
    ensure!(error.kind() == ErrorKind::Schema && error.message().contains("gone"), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn an_empty_poll_is_one_request() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    ensure!(scene.read(scene.request()).await? == numbers(30));
    scene.place.gate.forget();
    let watermark = Watermark::parse(CursorKind::Int, "1000").context("a watermark")?;
    let request = ReadRequest { from: Some(Position { watermark, key: Vec::new() }), ..scene.request() };
    ensure!(scene.read(request.clone()).await?.is_empty());
    let seen = scene.place.gate.seen();
    ensure!(seen.len() == 1 && seen[0].reading(), "{seen:?}");
    ensure!(request.cost.take().statements == 1);
    Ok(())
}

#[tokio::test]
async fn statements_bytes_and_time_are_added_up() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    scene.place.gate.change(1, Seen::reading, |answer| {
        answer["totalBytesProcessed"] = json!("10485760");
        answer["startTime"] = json!("1700000000000");
        answer["endTime"] = json!("1700000000250");
    });
    let request = scene.request();
    scene.read(request.clone()).await?;
    let spent = request.cost.take();
    ensure!((spent.statements, spent.bytes, spent.micros) == (1, 10_485_760, 250_000), "{spent:?}");
    Ok(())
}

#[tokio::test]
async fn every_statement_says_what_must_not_be_left_to_defaults() -> Result<()> {
    let mut scene = Scene::with_rows(30).await?;
    scene.connector = Scene::open(&scene.place, &json!({"maximumBytesBilled": 20_971_520}))?;
    scene.read(scene.request()).await?;
    let ran = scene.place.gate.seen().into_iter().find(Seen::reading).context("no statement")?;
    for (name, wanted) in [
        ("useLegacySql", json!(false)),
        ("location", json!(REGION)),
        ("maximumBytesBilled", json!("20971520")),
        ("jobTimeoutMs", json!("600000")),
        ("labels", json!({"app": "weir", "organization": "org-1", "stream": "stream_1"})),
    ] {
        ensure!(ran.body[name] == wanted, "{name}: {}", ran.body[name]);
    }
    let words = "Query exceeded limit for bytes billed: 20971520. 104857600 or higher required.";
    scene.place.gate.rule(1, Seen::reading, Act::Refuse(500, "bytesBilledLimitExceeded", words));
    let error = scene.outcome(scene.request()).await.error.context("it is too much")?;
    ensure!(error.kind() == ErrorKind::Config && error.message().contains("maximumBytesBilled"), "{error:?}");
    Ok(())
}

/// A table of a day column and an ID, cut by the day.
async fn cut(scene: &Scene, name: &str, required: bool) -> Result<()> {
    let fields: Value = json!([
        {"name": "day", "type": "DATE"},
        {"name": "id", "type": "INT64", "mode": "REQUIRED"},
    ]);
    let partitioning = json!({"type": "DAY", "field": "day"});
    let table = json!({
        "schema": {"fields": fields}, "timePartitioning": partitioning, "requirePartitionFilter": required,
    });
    scene.place.create(name, table).await?;
    let sql = format!(
        "INSERT INTO {} (`day`, `id`) VALUES (DATE '2026-01-01', 0), (DATE '2026-01-02', 1), (NULL, 2)",
        scene.place.table(name)
    );
    scene.place.run(&sql, &[]).await.map(drop)
}

#[tokio::test]
async fn a_table_that_wants_a_filter_gets_one_on_its_own_column() -> Result<()> {
    let scene = Scene::empty().await?;
    cut(&scene, "strict", true).await?;
    let by_day = scene.reading("strict", &["day", "id"], ("day", CursorKind::Date), &["id"]);
    ensure!(scene.read(by_day.clone()).await? == [0, 1]);
    let ran = scene.place.gate.seen().into_iter().find(Seen::reading).context("no statement")?;
    let sql = ran.body["query"].as_str().unwrap_or_default().to_owned();
    ensure!(sql.contains("`day` >= @least"), "{sql}");
    ensure!(scene.connector.newest(&by_day.table, &by_day.cursor).await?.is_some());
    let nulls = ReadRequest { nulls: connector::NullCursors::First, ..by_day };
    ensure!(scene.read(nulls).await? == [2, 0, 1]);
    Ok(())
}

#[tokio::test]
async fn a_cursor_that_is_not_what_the_table_is_cut_by_is_told() -> Result<()> {
    let scene = Scene::empty().await?;
    cut(&scene, "strict", true).await?;
    cut(&scene, "loose", false).await?;
    let by_id = |table: &str| scene.reading(table, &["id"], ("id", CursorKind::Int), &["id"]);
    let error = scene.outcome(by_id("strict")).await.error.context("it wants a filter")?;
    ensure!(error.kind() == ErrorKind::Config && error.message().contains("\"day\""), "{error:?}");
    ensure!(error.action().is_some_and(|hint| hint.contains("choose \"day\" as the cursor")), "{error:?}");
    ensure!(scene.place.gate.count(Seen::reading) == 0, "it was sent all the same");
    ensure!(!scene.connector.check(Some(&scene.table("strict")), Some("id")).await.passed());
    let advice =
        |check: connector::Check| check.steps.last().and_then(|step| step.note.clone()).unwrap_or_default();
    let told = advice(scene.connector.check(Some(&scene.table("loose")), Some("id")).await);
    ensure!(told.contains("partitioned by \"day\""), "{told}");
    let told = advice(scene.connector.check(Some(&scene.table("loose")), Some("day")).await);
    ensure!(!told.contains("partitioned"), "{told}");
    ensure!(scene.read(by_id("loose")).await? == [0, 1, 2]);
    Ok(())
}

#[tokio::test]
async fn slices_are_one_statement_whose_bytes_are_added_up() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    scene.place.gate.change(1, Seen::statement, |answer| answer["totalBytesProcessed"] = json!("777"));
    let mark = |text: &str| Watermark::parse(CursorKind::Int, text).context("a watermark");
    let asked = SliceRequest {
        table: scene.table("events"),
        cursor: Cursor { column: "at".to_owned(), kind: CursorKind::Int },
        values: vec!["id".to_owned()],
        from: mark("0")?,
        until: mark("1")?,
        tag: RunTag { organization: "organization-1".to_owned(), stream: "stream-1".to_owned() },
        cost: Cost::default(),
    };
    let found = scene.connector.slices(asked.clone()).await?;
    let [slice] = found.as_slice() else { anyhow::bail!("{found:?}") };
    ensure!(slice.values[0] == Held { filled: 20, sum: Some("190".to_owned()) }, "{slice:?}");
    let spent = asked.cost.take();
    ensure!((spent.statements, spent.bytes) == (1, 777), "{spent:?}");
    let seen = scene.place.gate.seen();
    let sent = seen.iter().find(|seen| seen.statement()).context("no statement")?;
    ensure!(sent.body["labels"]["stream"] == "stream-1", "{sent:?}");
    Ok(())
}
