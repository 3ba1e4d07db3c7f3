//! What emulators of other people make of our requests: BrickHouse over real Delta tables, MiniLake for links.
//!
//! Neither knows all of it. BrickHouse 0.1.0 has neither `unix_micros` nor CAST in a selection, no links, and no list of
//! tables; MiniLake 1.9.0 has no parameters, writes numbers as numbers, and takes any token. What they do know, they
//! were written to know by somebody else.

use std::sync::Arc;

use anyhow::Result;
use connector::{
    Cell, Connector, Cursor, CursorKind, NullCursors, Position, ReadRequest, TableRef, Watermark, kinds,
};
use secrecy::SecretString;
use serde_json::json;
use systems::databricks::{Emulator, TOKEN};

use crate::opening::{asking, cells, config, numbers, outcome, policy, read};

fn open(emulator: &Emulator) -> Result<Arc<dyn Connector>> {
    let mut config = config(&json!("token"));
    config["warehouse"] = json!(emulator.warehouse);
    Ok(kinds::open("databricks", &config, Some(SecretString::from(TOKEN)), &policy(&emulator.url())?)?)
}

fn table(catalog: &str, schema: &str, name: &str) -> TableRef {
    TableRef { catalog: Some(catalog.to_owned()), schema: Some(schema.to_owned()), name: name.to_owned() }
}

fn seeded() -> ReadRequest {
    let columns = ["seq", "id", "small", "amount", "ratio", "label", "active", "day"];
    let asked = asking(&table("main", "seeded", "typed"), &columns, ("seq", CursorKind::Int));
    ReadRequest { key: vec!["id".to_owned()], ..asked }
}

#[tokio::test]
async fn a_delta_table_is_read_exactly_and_in_order() -> Result<()> {
    let connector = open(&Emulator::brickhouse().await?)?;
    let asked = ReadRequest { nulls: NullCursors::First, batch_rows: 64, ..seeded() };
    let (batches, error) = outcome(&*connector, &asked).await;
    assert_eq!(error, None);
    let ids: Vec<String> = batches.iter().flat_map(|batch| cells(batch, 1)).collect();
    let without = |id: &i64| id % 50 == 0;
    let wanted = (0..500).filter(without).chain((0..500).filter(|id| !without(id)));
    assert_eq!(ids, wanted.map(|id| id.to_string()).collect::<Vec<_>>());
    for batch in &batches {
        for row in 0..batch.rows() {
            let Cell::Int(id) = batch.columns[1].cell(row) else { panic!("no ID") };
            let seq = if id % 50 == 0 { Cell::Null } else { Cell::Int(id / 3) };
            let amount = format!("{}.0123456789", 10_i128.pow(27) + id);
            let amount = if id % 7 == 0 { Cell::Null } else { Cell::Decimal(&amount) };
            let label = format!("it's {id} 日本");
            let wanted = [
                seq,
                Cell::Int(id),
                Cell::Int(id % 100),
                amount,
                Cell::Float(id as f64 / 3.0),
                Cell::Text(&label),
                Cell::Bool(id % 2 == 0),
                Cell::Date(20_454 + (id / 10) as i32),
            ];
            for (column, wanted) in batch.columns.iter().zip(wanted) {
                assert_eq!(column.cell(row), wanted, "{} of {id}", column.name());
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_read_of_a_delta_table_resumes_by_typed_parameters() -> Result<()> {
    let connector = open(&Emulator::brickhouse().await?)?;
    for (cursor, kind, text, key, first) in [
        ("seq", CursorKind::Int, "100", Some(("id", "302")), "302"),
        ("seq", CursorKind::Int, "100", None, "301"),
        ("day", CursorKind::Date, "2026-01-10", Some(("label", "it's 95 日本")), "95"),
    ] {
        let watermark = Watermark { kind, text: text.to_owned() };
        let until = Some(Watermark {
            kind,
            text: if kind == CursorKind::Int { "120" } else { "2026-01-12" }.to_owned(),
        });
        let asked = ReadRequest {
            cursor: Cursor { column: cursor.to_owned(), kind },
            key: vec![key.map_or("id", |(name, _)| name).to_owned()],
            from: Some(Position {
                watermark,
                key: key.map(|(_, text)| text.to_owned()).into_iter().collect(),
            }),
            until,
            ..seeded()
        };
        let (batches, error) = outcome(&*connector, &asked).await;
        assert_eq!(error, None);
        assert_eq!(cells(&batches[0], 1).first().map(String::as_str), Some(first), "{cursor} {text}");
    }
    Ok(())
}

#[tokio::test]
async fn the_newest_value_of_a_delta_table_is_told() -> Result<()> {
    let connector = open(&Emulator::brickhouse().await?)?;
    let table = table("main", "seeded", "typed");
    for (column, kind, text) in [("seq", CursorKind::Int, "166"), ("day", CursorKind::Date, "2026-02-19")] {
        let cursor = Cursor { column: column.to_owned(), kind };
        let newest = connector.newest(&table, &cursor).await?;
        assert_eq!(newest, Some(Watermark { kind, text: text.to_owned() }));
    }
    Ok(())
}

#[tokio::test]
async fn a_large_result_is_fetched_by_links_of_an_emulator() -> Result<()> {
    let emulator = Emulator::minilake().await?;
    let schema = emulator.schema("prod").await?;
    // Three chunks of its 100,000 rows.
    emulator.run(&format!("CREATE TABLE prod.{schema}.large AS SELECT range AS id, 'row ' || range AS label FROM range(250000)")).await?;
    let connector = open(&emulator)?;
    let asked = asking(&table("prod", &schema, "large"), &["id", "label"], ("id", CursorKind::Int));
    assert_eq!(read(&*connector, &asked).await?, numbers(0..250_000));
    Ok(())
}

#[tokio::test]
async fn what_an_emulator_refuses_is_told_in_a_sentence() -> Result<()> {
    for (emulator, catalog) in
        [(Emulator::brickhouse().await?, "main"), (Emulator::minilake().await?, "prod")]
    {
        let connector = open(&emulator)?;
        let gone = table(catalog, "default", "gone");
        let error = connector.describe(&gone).await.expect_err("no table");
        assert_eq!(error.kind(), connector::ErrorKind::NotFound, "{error:?}");
        let check = connector.check(Some(&gone), None).await;
        assert_eq!(check.steps.last().map(|step| step.name), Some("find table"), "{check:?}");
    }
    Ok(())
}
