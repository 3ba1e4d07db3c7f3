//! Roles that stand inside JSON columns: taken in, rejected, tried again, compared with the table.

use anyhow::Result;
use connector::Connector;
use connector::memory::{MemoryTable, Owned};
use connector::{TableRef, Type};
use entity::{StreamId, StreamShape, stream};
use sea_orm::{ActiveModelTrait, Set};
use serde_json::{Value, json};
use server::domain::matching_change::Scope;
use server::ingest;
use server::ingest::plan::Plan;
use server::ingest::preview::preview;
use tests::stand::{Shape, Stand, StreamSpec};
use tokio_util::sync::CancellationToken;

use crate::at;
use crate::reconciling::{A_DAY, HOUR, backfills, counts, night, source};

/// A table whose rows say everything but their key and cursor in one document.
fn table(kind: Type) -> MemoryTable {
    let table = MemoryTable::new("events", &[("id", Type::Int), ("payload", kind), ("updated", Type::Zoned)]);
    table.set_clock(at(0));
    table
}

fn row(id: i128, payload: &str, updated: i64) -> Vec<Owned> {
    vec![Owned::Int(id), Owned::Json(payload.to_owned()), Owned::Zoned(at(updated))]
}

fn event(account: &str, value: &str, of: i64) -> String {
    let at = format!("2026-01-01T00:{:02}:00Z", of / 60);
    format!(
        r#"{{"who":{{"id":"{account}"}},"what":["seats"],"v":{value},"at":"{at}","plan":{{"sku":"pro"}}}}"#
    )
}

fn long() -> Value {
    json!({
        "account": "payload", "accountPath": "who.id", "metric": "payload", "metricPath": "what[0]",
        "value": "payload", "valuePath": "v", "measuredAt": "payload", "measuredAtPath": "at", "zone": "UTC",
        "product": "payload", "productPath": "plan.sku",
    })
}

async fn stream_of(stand: &Stand, table: &TableRef, form: StreamShape, mapping: &Value) -> Result<StreamId> {
    let spec = StreamSpec {
        table: serde_json::to_string(table)?,
        mapping: mapping.to_string(),
        cursor: "updated".to_owned(),
        schedule: r#"{"kind":"manual"}"#.to_owned(),
        form,
        shape: Shape::default(),
    };
    stand.stream_of(&spec).await
}

async fn remap(stand: &Stand, stream: StreamId, mapping: &Value) -> Result<()> {
    let change = stream::ActiveModel {
        organization_id: Set(stand.organization),
        id: Set(stream),
        mapping: Set(mapping.to_string()),
        ..Default::default()
    };
    change.update(stand.app.db.orm()).await?;
    Ok(())
}

#[tokio::test]
async fn pitfall_14_a_document_says_everything_and_loses_no_digit() -> Result<()> {
    let numbers =
        ["1.10000000000000000001", "99999999999999999999999999999999999999", "-1e-37", "\"0012.50\""];
    let wanted = [
        "1.10000000000000000001",
        "99999999999999999999999999999999999999",
        "-0.0000000000000000000000000000000000001",
        "12.5",
    ];
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table(Type::Json);
        let stream = stream_of(&stand, table.table(), StreamShape::Long, &long()).await?;
        for (id, number) in numbers.iter().enumerate() {
            table.push(row(id as i128, &event("acme", number, id as i64 * 60), -100));
        }
        table.push(row(10, &event("nobody", "7", 0), -90));
        table.push(row(11, &event("acme", "null", 0), -90));
        let plan = Plan::load(&stand.app, stand.organization, stream).await?;
        let batch = table.preview(&plan.table, &plan.columns, 100).await?;
        let seen = preview(&stand.app, &plan, &batch).await?;
        let values = seen.rows.iter().flat_map(|row| &row.readings).map(|reading| reading.value.as_str());
        assert_eq!(values.collect::<Vec<_>>(), [&wanted[..], &["7"]].concat());
        assert_eq!(seen.null_cells, 1);
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.written, run.unmatched, run.null_cells, run.rows_rejected), (4, 1, 1, 0));
        let measured =
            |number: (usize, &&str)| format!("seats/acme/Acme@{}={}", number.0 * 60_000_000, number.1);
        let mut wanted: Vec<String> = wanted.iter().enumerate().map(measured).collect();
        wanted.sort();
        assert_eq!(stand.measurements().await?, wanted);
        assert_eq!(stand.count("SELECT COUNT(*) FROM series WHERE product = 'pro'").await?, 1);
        // The row that waits says its value again once its account is known.
        stand.identify(acme, "nobody").await?;
        assert_eq!(stand.replay().await?.written, 1);
    }
    Ok(())
}

#[tokio::test]
async fn rows_a_path_cannot_read_are_kept_and_taken_once_the_path_is_right() -> Result<()> {
    for (stand, kind) in Stand::both().await?.into_iter().zip([Type::Json, Type::Text]) {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table(kind);
        let wrong = {
            let mut mapping = long();
            mapping["valuePath"] = json!("what");
            mapping
        };
        let stream = stream_of(&stand, table.table(), StreamShape::Long, &wrong).await?;
        let push = |id: i128, payload: &str| {
            let mut made = row(id, payload, -100 + id as i64);
            if kind == Type::Text {
                made[1] = Owned::Text(payload.to_owned());
            }
            table.push(made);
        };
        push(1, &event("acme", "5", 0));
        push(2, "{\"who\":");
        push(3, &event("acme", "6", 60).replace("\"id\"", "\"ID\""));
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.rows_rejected, run.rows_mapped), (3, 0));
        assert_eq!(
            stand.waiting().await?,
            ["rejected 1/ not_scalar", "rejected 2/ not_json", "rejected 3/ null_key"]
        );
        let told =
            "SELECT COUNT(*) FROM waiting_row WHERE column_name = 'payload.what' AND raw = '[\"seats\"]'";
        assert_eq!(stand.count(told).await?, 1, "the column, the path and what is there");
        remap(&stand, stream, &long()).await?;
        let scope = Scope::Rejected { stream, rows: Vec::new() };
        let again = CancellationToken::new();
        let tally = ingest::replay::waiting(&stand.app, stand.organization, &scope, &again).await?;
        assert_eq!((tally.written, tally.rows_rejected), (1, 2));
        assert_eq!(stand.measurements().await?, ["seats/acme/Acme@0=5"]);
        assert_eq!(stand.waiting().await?, ["rejected 2/ not_json", "rejected 3/ null_key"]);
        // The same rows read from the table end the same.
        stand.changed().await?;
        table.change(|rows| rows.iter_mut().for_each(|row| row[2] = Owned::Zoned(at(-10))));
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.unchanged, run.rows_rejected), (1, 2));
        assert_eq!(stand.waiting().await?.len(), 2);
    }
    Ok(())
}

#[tokio::test]
async fn metrics_of_a_wide_table_stand_beside_and_inside_columns() -> Result<()> {
    let mapping = json!({
        "account": "account", "metrics": ["calls"], "measuredAt": "at", "nestedMetrics": [
            { "column": "payload", "path": "usage.seats" }, { "column": "payload", "path": "by.\"eu west\"[0]" },
        ],
    });
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = MemoryTable::new(
            "weekly",
            &[
                ("id", Type::Int),
                ("account", Type::Text),
                ("calls", Type::Decimal),
                ("payload", Type::Json),
                ("at", Type::Zoned),
                ("updated", Type::Zoned),
            ],
        );
        table.set_clock(at(0));
        let push = |id: i128, payload: &str| {
            table.push(vec![
                Owned::Int(id),
                Owned::Text("acme".to_owned()),
                Owned::Decimal("1".to_owned()),
                Owned::Json(payload.to_owned()),
                Owned::Zoned(at(id as i64)),
                Owned::Zoned(at(-10)),
            ]);
        };
        push(1, r#"{"usage":{"seats":3},"by":{"eu west":[4.5]}}"#);
        push(2, r#"{"usage":{"seats":null}}"#);
        push(3, r#"{"usage":{"seats":{"a":1}},"by":{"eu west":[4]}}"#);
        let stream = stream_of(&stand, table.table(), StreamShape::Wide, &mapping).await?;
        let run = stand.sync(stream, &table).await?;
        assert_eq!(
            (run.written, run.null_cells, run.rows_rejected),
            (4, 2, 1),
            "a row is taken whole or not"
        );
        assert_eq!(
            stand.measurements().await?,
            [
                "calls/acme/Acme@1000000=1",
                "calls/acme/Acme@2000000=1",
                "payload.by.\"eu west\"[0]/acme/Acme@1000000=4.5",
                "payload.usage.seats/acme/Acme@1000000=3",
            ]
        );
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (1, 0, 0, 0));
        table.change(|rows| rows[0][3] = Owned::Json(r#"{"usage":{"seats":9}}"#.to_owned()));
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (1, 1, 0, 1));
        assert!(stand.measurements().await?.contains(&"payload.usage.seats/acme/Acme@1000000=9".to_owned()));
    }
    Ok(())
}

#[tokio::test]
async fn a_value_changed_inside_a_document_is_found_and_what_is_no_value_is_no_difference() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table(Type::Json);
        let stream = stream_of(&stand, table.table(), StreamShape::Long, &long()).await?;
        let updated = |id: i64| -A_DAY * (5 - id / 2) + HOUR + id;
        for id in 0..10_i64 {
            // More than a comparison of numbers would read of a cell.
            let filling = format!("{{\"filling\":\"{}\",", "x".repeat(10_000));
            let payload = event("acme", &format!("{id}.5"), id * 60).replacen('{', &filling, 1);
            table.push(row(i128::from(id), &payload, updated(id)));
        }
        // A day of documents that are broken, hold no single value, none at all, or wait.
        for (id, payload) in [
            (20, "{\"v\":".to_owned()),
            (21, event("acme", "[1]", 0)),
            (22, event("acme", "null", 0)),
            (23, "{}".to_owned()),
            (24, event("nobody", "3", 0)),
            (25, event("acme", "\"many\"", 0)),
            (26, event("acme", "4", 0).replace("\"id\"", "\"ID\"")),
        ] {
            table.push(row(id, &payload, -2 * HOUR));
        }
        table.push(vec![Owned::Int(30), Owned::Null, Owned::Zoned(at(-HOUR))]);
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.written, run.unmatched, run.rows_rejected), (10, 1, 6));
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 0, 0, 0), "nothing differs");
        table.change(|rows| {
            let Owned::Json(payload) = &mut rows[4][1] else { return };
            *payload = payload.replace("4.5", "4.75");
        });
        let of = night(&stand, stream, &source(&table)).await?;
        assert_eq!(counts(&of), (5, 1, 0, 1), "a change in place that moved no cursor");
        assert_eq!(backfills(&stand, stream).await?.len(), 1);
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 0, 0, 0));
        assert!(stand.measurements().await?.contains(&"seats/acme/Acme@240000000=4.75".to_owned()));
    }
    Ok(())
}
