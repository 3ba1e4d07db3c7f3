//! Cells of every type, whatever the session's zone and collation are.

use anyhow::Result;
use connector::{Batch, Cell, CursorKind, Moment, Position, ReadRequest, Watermark};
use systems::databricks::{Server, Type, Value, column, key};

use crate::opening::{asking, cells, open, outcome};

async fn only(type_: Type, values: Vec<Value>) -> Result<Batch> {
    let server = Server::start().await?;
    let table = server.create("typed", vec![key("id", Type::Int("INT")), column("v", type_)]);
    let rows = (0..).zip(values).map(|(id, value)| vec![Value::Int(id), value]);
    server.insert(&table, rows.collect())?;
    let (mut batches, error) =
        outcome(&*open(&server)?, &asking(&table, &["id", "v"], ("id", CursorKind::Int))).await;
    assert_eq!(error, None);
    Ok(batches.remove(0))
}

#[tokio::test]
async fn pitfall_08_times_do_not_pass_through_the_sessions_zone() -> Result<()> {
    // The session is seven hours behind UTC, and writes milliseconds.
    let micros = 1_767_225_600_123_456;
    let moment = Moment { seconds: 1_767_225_600, nanos: 123_456_000 };
    let batch = only(Type::Zoned, vec![Value::Zoned(micros), Value::Null, Value::Zoned(-1)]).await?;
    assert_eq!(batch.columns[1].cell(0), Cell::Zoned(moment));
    assert_eq!(batch.columns[1].cell(1), Cell::Null);
    assert_eq!(batch.columns[1].cell(2), Cell::Zoned(Moment { seconds: -1, nanos: 999_999_000 }));
    let batch = only(Type::Naive, vec![Value::Naive(micros), Value::Null, Value::Naive(-1)]).await?;
    assert_eq!(batch.columns[1].cell(0), Cell::Naive(moment));
    assert_eq!(batch.columns[1].cell(2), Cell::Naive(Moment { seconds: -1, nanos: 999_999_000 }));
    Ok(())
}

#[tokio::test]
async fn floats_that_are_no_numbers_are_told() -> Result<()> {
    let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1e300, 0.1].map(Value::Double);
    let batch = only(Type::Double, values.to_vec()).await?;
    assert_eq!(cells(&batch, 1), ["NaN", "inf", "-inf", "-0", &1e300_f64.to_string(), "0.1"]);
    Ok(())
}

#[tokio::test]
async fn documents_keep_their_nulls() -> Result<()> {
    for (type_, text) in [
        (Type::Struct("STRUCT<a: INT, b: STRING>"), r#"{"a":null,"b":"x"}"#),
        (Type::Struct("ARRAY<INT>"), "[1,null]"),
        (Type::Struct("MAP<STRING, STRING>"), r#"{"k":null}"#),
        (Type::Variant, "null"),
        (Type::Variant, r#"{"a":null}"#),
    ] {
        let batch = only(type_, vec![Value::Json(text.to_owned()), Value::Null]).await?;
        assert_eq!((batch.columns[1].cell(0), batch.columns[1].cell(1)), (Cell::Json(text), Cell::Null));
    }
    Ok(())
}

#[tokio::test]
async fn bytes_and_intervals_are_text() -> Result<()> {
    let batch = only(Type::Binary, vec![Value::Binary(vec![0, 255, 16]), Value::Null]).await?;
    assert_eq!((batch.columns[1].cell(0), batch.columns[1].cell(1)), (Cell::Text("AP8Q"), Cell::Null));
    let interval = "INTERVAL '1 10:00:00' DAY TO SECOND";
    let batch = only(Type::Interval, vec![Value::Text(interval.to_owned())]).await?;
    assert_eq!(batch.columns[1].cell(0), Cell::Text(interval));
    Ok(())
}

#[tokio::test]
async fn keys_that_differ_in_case_only_are_told_apart_under_any_collation() -> Result<()> {
    let server = Server::start().await?;
    let table = server.create("folded", vec![column("seq", Type::Int("BIGINT")), key("name", Type::Folded)]);
    let names = ["B", "a", "A", "b"];
    let rows = names.map(|name| vec![Value::Int(1), Value::Text(name.to_owned())]);
    server.insert(&table, rows.to_vec())?;
    let connector = open(&server)?;
    let asked = ReadRequest {
        key: vec!["name".to_owned()],
        ..asking(&table, &["seq", "name"], ("seq", CursorKind::Int))
    };
    let (batches, error) = outcome(&*connector, &asked).await;
    assert_eq!((error, cells(&batches[0], 1)), (None, ["A", "B", "a", "b"].map(str::to_owned).to_vec()));
    let watermark = Watermark { kind: CursorKind::Int, text: "1".to_owned() };
    let from = Some(Position { watermark, key: vec!["a".to_owned()] });
    let (batches, _) = outcome(&*connector, &ReadRequest { from, ..asked }).await;
    assert_eq!(cells(&batches[0], 1), ["a", "b"]);
    Ok(())
}

#[tokio::test]
async fn a_column_whose_type_was_changed_stops_the_stream() -> Result<()> {
    let server = Server::start().await?;
    let table = server.create("changed", vec![key("id", Type::Int("BIGINT")), column("v", Type::Int("INT"))]);
    server.insert(&table, vec![vec![Value::Int(1), Value::Int(2)]])?;
    let (connector, asked) = (open(&server)?, asking(&table, &["id", "v"], ("id", CursorKind::Int)));
    assert_eq!(outcome(&*connector, &asked).await.1, None);
    // Within one kind of ours, nothing happens; else it is looked up again and read as what it is now.
    server.change(&table, |table| table.columns[1].kind = Type::Int("BIGINT"))?;
    assert_eq!(outcome(&*connector, &asked).await.1, None);
    server.change(&table, |table| {
        table.columns[1].kind = Type::Text;
        table.rows = vec![std::sync::Arc::new(vec![Value::Int(1), Value::Text("x".to_owned())])];
    })?;
    let (batches, error) = outcome(&*connector, &asked).await;
    assert_eq!((error, batches[0].columns[1].cell(0)), (None, Cell::Text("x")));
    // The cursor itself may not become another kind.
    server.change(&table, |table| table.columns[0].kind = Type::Date)?;
    let error = outcome(&*connector, &asked).await.1.expect("another kind of cursor");
    assert_eq!(error.kind(), connector::ErrorKind::Schema, "{error:?}");
    Ok(())
}
