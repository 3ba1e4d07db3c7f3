//! Cells of every type, exactly, and those no emulator holds as Google would send them.

use anyhow::{Result, ensure};
use connector::{CursorKind, Type};
use serde_json::{Value, json};
use systems::bigquery::Seen;

use crate::scene::Scene;

/// A table `v` of an ID and a column of a type, with one row of a value.
async fn one(scene: &Scene, kind: &Value, value: &str) -> Result<()> {
    let mut field = kind.clone();
    field["name"] = json!("v");
    let fields = json!([{"name": "id", "type": "INT64"}, field]);
    scene.place.create("v", json!({"schema": {"fields": fields}})).await?;
    let sql = format!("INSERT INTO {} (`id`, `v`) VALUES (1, {value})", scene.place.table("v"));
    scene.place.run(&sql, &[]).await.map(drop)
}

async fn cell(scene: &Scene) -> Result<String> {
    let request = scene.reading("v", &["id", "v"], ("id", CursorKind::Int), &["id"]);
    Ok(scene.cells(request).await?.remove(0).remove(1))
}

#[tokio::test]
async fn every_type_is_described_and_read() -> Result<()> {
    for (kind, value, shown, logical, cell_shown) in [
        (
            json!({"type": "BIGNUMERIC"}),
            "BIGNUMERIC '-12345678901234567890.000000000000000001'",
            "BIGNUMERIC",
            Type::Decimal,
            "Decimal(\"-12345678901234567890.000000000000000001\")",
        ),
        (json!({"type": "FLOAT64"}), "CAST('NaN' AS FLOAT64)", "FLOAT64", Type::Float, "Float(NaN)"),
        (json!({"type": "FLOAT64"}), "CAST('-inf' AS FLOAT64)", "FLOAT64", Type::Float, "Float(-inf)"),
        (json!({"type": "BYTES"}), "b'abc'", "BYTES", Type::Other, "Text(\"YWJj\")"),
        (json!({"type": "TIME"}), "TIME '10:00:00.5'", "TIME", Type::Other, "Text(\"10:00:00.500000\")"),
        (json!({"type": "INTERVAL"}), "INTERVAL 5 DAY", "INTERVAL", Type::Other, "Text(\"0-0 5 0:0:0\")"),
        (
            json!({"type": "GEOGRAPHY"}),
            "ST_GEOGPOINT(1, 2)",
            "GEOGRAPHY",
            Type::Other,
            "Text(\"POINT(1 2)\")",
        ),
        (
            json!({"type": "INT64", "mode": "REPEATED"}),
            "[1, 9223372036854775807]",
            "ARRAY<INT64>",
            Type::Json,
            "Json(\"[1,9223372036854775807]\")",
        ),
        (
            json!({"type": "RECORD", "fields": [
                {"name": "n", "type": "NUMERIC"}, {"name": "at", "type": "TIMESTAMP"},
                {"name": "tags", "type": "STRING", "mode": "REPEATED"},
            ]}),
            "STRUCT(NUMERIC '0.10' AS n, TIMESTAMP '2026-02-28 10:00:00.123456+00' AS at, ['a', 'b'] AS tags)",
            "STRUCT<n NUMERIC, at TIMESTAMP, tags ARRAY<STRING>>",
            Type::Json,
            "Json(\"{\\\"n\\\":0.1,\\\"at\\\":\\\"2026-02-28T10:00:00.123456Z\\\",\\\"tags\\\":[\\\"a\\\",\\\"b\\\"]}\")",
        ),
    ] {
        let scene = Scene::empty().await?;
        one(&scene, &kind, value).await?;
        let found = scene.connector.describe(&scene.table("v")).await?.columns.remove(1);
        ensure!((found.native.as_str(), found.kind) == (shown, logical), "{found:?}");
        let read = cell(&scene).await?;
        ensure!(read == cell_shown, "{kind}: {read}");
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_14_bignumerics_of_76_digits_keep_every_digit() -> Result<()> {
    let scene = Scene::empty().await?;
    one(&scene, &json!({"type": "BIGNUMERIC"}), "BIGNUMERIC '1'").await?;
    let digits =
        format!("-{}.{}", "57896044618658097711785492504343953926", "63499233282028201972879200395656481996");
    let text = digits.clone();
    // The emulators' own have 38 digits.
    scene.place.gate.change(1, Seen::reading, move |answer| answer["rows"][0]["f"][1]["v"] = json!(text));
    ensure!(cell(&scene).await? == format!("Decimal({digits:?})"));
    Ok(())
}

#[tokio::test]
async fn pitfall_15_instants_are_exact_however_they_are_written() -> Result<()> {
    let scene = Scene::empty().await?;
    one(&scene, &json!({"type": "TIMESTAMP"}), "TIMESTAMP '2026-02-28 10:00:00.123456+00'").await?;
    let wanted = "Zoned(Moment { seconds: 1772272800, nanos: 123456000 })";
    ensure!(cell(&scene).await? == wanted);
    for text in ["1.772272800123456E9", "1772272800.123456"] {
        scene.place.gate.change(1, Seen::reading, move |answer| answer["rows"][0]["f"][1]["v"] = json!(text));
        let found = cell(&scene).await?;
        ensure!(found == wanted, "{text}: {found}");
    }
    scene.place.gate.change(1, Seen::reading, |answer| answer["rows"][0]["f"][1]["v"] = json!("soon"));
    ensure!(cell(&scene).await? == "Unreadable(\"soon\")");
    Ok(())
}

#[tokio::test]
async fn pitfall_21_the_three_nulls_of_a_document_are_told_apart() -> Result<()> {
    for (value, wanted) in [
        ("NULL", "Null"),
        ("JSON 'null'", "Json(\"null\")"),
        ("JSON '\"null\"'", "Json(\"\\\"null\\\"\")"),
        ("JSON '{\"a\": null}'", "Json(\"{\\\"a\\\":null}\")"),
    ] {
        let scene = Scene::empty().await?;
        one(&scene, &json!({"type": "JSON"}), value).await?;
        let found = cell(&scene).await?;
        ensure!(found == wanted, "{value}: {found}");
    }
    Ok(())
}

#[tokio::test]
async fn types_that_are_not_known_are_read_as_text() -> Result<()> {
    let scene = Scene::empty().await?;
    one(&scene, &json!({"type": "STRING"}), "'[2026-01-01, UNBOUNDED)'").await?;
    // No emulator has a table with a range; this is how one would look.
    let range = json!({"name": "v", "type": "RANGE", "rangeElementType": {"type": "DATE"}});
    let ranged = range.clone();
    scene.place.gate.change(
        9,
        |seen| seen.path.ends_with("/tables/v"),
        move |answer| {
            answer["schema"]["fields"][1] = ranged.clone();
        },
    );
    scene.place.gate.change(1, Seen::reading, move |answer| answer["schema"]["fields"][1] = range.clone());
    let found = scene.connector.describe(&scene.table("v")).await?.columns.remove(1);
    ensure!((found.native.as_str(), found.kind) == ("RANGE<DATE>", Type::Other), "{found:?}");
    ensure!(cell(&scene).await? == "Text(\"[2026-01-01, UNBOUNDED)\")");
    Ok(())
}
