//! Results of several pages: whole and in order, or an error before the first row that is not certain.

use std::sync::{Arc, Mutex};

use anyhow::{Result, ensure};
use connector::{CursorKind, ErrorKind, ReadRequest};
use serde_json::{Value, json};
use systems::bigquery::{Act, Seen};

use crate::scene::{Outcome, Scene, numbers};

/// Three pages: the connector asks for 10,000 rows at once.
const ROWS: i64 = 25_000;

fn page(start: &'static str) -> impl Fn(&Seen) -> bool + Send + Sync + 'static {
    move |seen| seen.results() && seen.query.get("startIndex").is_some_and(|at| at == start)
}

#[tokio::test]
async fn each_page_begins_with_the_last_row_of_the_one_before() -> Result<()> {
    let scene = Scene::with_rows(ROWS as usize).await?;
    ensure!(scene.read(scene.request()).await? == numbers(ROWS));
    let seen = scene.place.gate.seen();
    let starts: Vec<&str> =
        seen.iter().filter(|seen| seen.results()).map(|seen| seen.query["startIndex"].as_str()).collect();
    ensure!(starts == ["9999", "19998"], "{starts:?}");
    ensure!(seen.iter().filter(|seen| seen.statement()).count() == 1);
    Ok(())
}

/// What came is a prefix without gap or repetition; from there the next read heals.
async fn healed(scene: &Scene, outcome: Outcome, wanted: ErrorKind) -> Result<()> {
    let error = outcome.error.ok_or_else(|| anyhow::anyhow!("nobody noticed"))?;
    ensure!(error.kind() == wanted, "{error:?}");
    let came = outcome.ids.len() as i64;
    ensure!(outcome.ids == numbers(came), "{came} rows with gaps or repetitions");
    ensure!(came < ROWS || error.message().contains("rows"), "{came} rows");
    let rest = scene.read(ReadRequest { from: outcome.stood, ..scene.request() }).await?;
    ensure!(rest.last() == Some(&(ROWS - 1)), "the next run does not reach the end");
    ensure!(rest.first().is_some_and(|first| *first <= came), "the next run leaves out rows");
    Ok(())
}

#[tokio::test]
async fn pitfall_17_a_repeated_page_is_found_before_any_of_its_rows() -> Result<()> {
    let scene = Scene::with_rows(ROWS as usize).await?;
    let kept = Arc::new(Mutex::new(Value::Null));
    let keep = kept.clone();
    scene
        .place
        .gate
        .change(1, page("9999"), move |answer| *keep.lock().expect("a lock") = answer["rows"].clone());
    let repeat = kept.clone();
    scene
        .place
        .gate
        .change(1, page("19998"), move |answer| answer["rows"] = repeat.lock().expect("a lock").clone());
    let outcome = scene.outcome(scene.request()).await;
    ensure!(outcome.ids.len() <= 20_000, "rows of the repeated page were handed over");
    healed(&scene, outcome, ErrorKind::Unavailable).await
}

#[tokio::test]
async fn pitfall_17_a_skipped_page_is_found_before_any_row_behind_it() -> Result<()> {
    let scene = Scene::with_rows(ROWS as usize).await?;
    scene.place.gate.change(1, page("9999"), |answer| {
        answer["rows"].as_array_mut().expect("rows").drain(..5_000);
    });
    let outcome = scene.outcome(scene.request()).await;
    ensure!(outcome.ids.len() <= 10_000, "rows behind the gap were handed over");
    healed(&scene, outcome, ErrorKind::Unavailable).await
}

#[tokio::test]
async fn a_total_that_lies_is_an_error() -> Result<()> {
    let scene = Scene::with_rows(ROWS as usize).await?;
    for total in ["30000", "12000"] {
        scene.place.gate.change(1, Seen::reading, move |answer| answer["totalRows"] = json!(total));
        healed(&scene, scene.outcome(scene.request()).await, ErrorKind::Unavailable).await?;
    }
    scene.place.gate.change(1, page("19998"), |answer| answer["totalRows"] = json!("24999"));
    healed(&scene, scene.outcome(scene.request()).await, ErrorKind::Unavailable).await
}

#[tokio::test]
async fn pitfall_18_a_result_that_ends_early_is_an_error() -> Result<()> {
    let scene = Scene::with_rows(ROWS as usize).await?;
    scene.place.gate.change(1, Seen::reading, |answer| answer["pageToken"] = Value::Null);
    healed(&scene, scene.outcome(scene.request()).await, ErrorKind::Unavailable).await?;
    scene.place.gate.change(1, page("9999"), |answer| answer["rows"] = json!([]));
    healed(&scene, scene.outcome(scene.request()).await, ErrorKind::Unavailable).await
}

#[tokio::test]
async fn a_page_shorter_than_asked_for_is_no_end() -> Result<()> {
    let scene = Scene::with_rows(ROWS as usize).await?;
    scene.place.gate.change(1, Seen::reading, |answer| {
        answer["rows"].as_array_mut().expect("rows").truncate(7);
    });
    scene.place.gate.change(1, page("6"), |answer| answer["rows"].as_array_mut().expect("rows").truncate(2));
    ensure!(scene.read(scene.request()).await? == numbers(ROWS));
    ensure!(scene.place.gate.count(page("7")) == 1);
    Ok(())
}

#[tokio::test]
async fn a_row_that_fills_a_page_does_not_stop_the_read() -> Result<()> {
    let scene = Scene::with_rows(ROWS as usize).await?;
    scene.place.gate.change(1, page("9999"), |answer| {
        answer["rows"].as_array_mut().expect("rows").truncate(1);
    });
    ensure!(scene.read(scene.request()).await? == numbers(ROWS));
    ensure!(scene.place.gate.count(page("10000")) == 1);
    Ok(())
}

#[tokio::test]
async fn a_result_that_is_gone_between_pages_is_continued_from_the_last_row() -> Result<()> {
    let scene = Scene::with_rows(ROWS as usize).await?;
    scene.place.gate.rule(1, page("19998"), Act::Refuse(404, "notFound", "Not found: Job weir-data:x"));
    let request = scene.request();
    ensure!(scene.read(request.clone()).await? == numbers(ROWS));
    let seen = scene.place.gate.seen();
    let last = seen.iter().rfind(|seen| seen.statement()).expect("a statement");
    let bound = |name: &str| {
        let parameters = last.body["queryParameters"].as_array().cloned().unwrap_or_default();
        parameters.iter().find(|it| it["name"] == name).map(|it| it["parameterValue"]["value"].clone())
    };
    ensure!(bound("from") == Some(json!("1999")) && bound("key0") == Some(json!("19998")), "{last:?}");
    ensure!(request.cost.take().statements == 2);
    Ok(())
}

#[tokio::test]
async fn a_result_that_is_gone_for_good_is_told() -> Result<()> {
    let scene = Scene::with_rows(ROWS as usize).await?;
    scene.place.gate.rule(9, Seen::results, Act::Refuse(404, "notFound", "Not found: Job weir-data:x"));
    // Each new statement brings its first page, so the read comes through all the same.
    ensure!(scene.read(scene.request()).await? == numbers(ROWS));
    ensure!(scene.place.gate.count(Seen::statement) == 3);
    // A key that cannot be compared gives no place to go on from.
    let fields = json!([{"name": "at", "type": "INT64"}, {"name": "id", "type": "FLOAT64"}]);
    scene.place.create("loose", json!({"schema": {"fields": fields}})).await?;
    let sql = format!(
        "INSERT INTO {} (`at`, `id`) SELECT 7, n FROM UNNEST(GENERATE_ARRAY(0, 14999)) n",
        scene.place.table("loose")
    );
    scene.place.run(&sql, &[]).await?;
    scene.place.gate.rule(1, Seen::results, Act::Refuse(404, "notFound", "Not found: Job weir-data:x"));
    let outcome =
        scene.outcome(scene.reading("loose", &["at", "id"], ("at", CursorKind::Int), &["id"])).await;
    let error = outcome.error.expect("it cannot go on");
    ensure!(error.kind() == ErrorKind::Unavailable && error.message().contains("row key"), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_result_too_large_to_be_ordered_is_read_in_parts() -> Result<()> {
    let scene = Scene::with_rows(ROWS as usize).await?;
    let large = |seen: &Seen| {
        seen.reading() && !seen.body["query"].as_str().is_some_and(|sql| sql.ends_with(" LIMIT 10000"))
    };
    scene.place.gate.rule(
        9,
        large,
        Act::Refuse(400, "resourcesExceeded", "Resources exceeded during query execution"),
    );
    ensure!(scene.read(scene.request()).await? == numbers(ROWS));
    ensure!(scene.place.gate.count(Seen::reading) == 6, "{}", scene.place.gate.count(Seen::reading));
    Ok(())
}
