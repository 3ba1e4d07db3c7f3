//! What a read sends: one statement, its values as typed parameters, and a tag.

use anyhow::Result;
use connector::{CursorKind, Position, ReadRequest, Watermark};
use serde_json::json;
use systems::databricks::{Call, Server, Table, Type, Value, column, key};

use crate::opening::{asking, filled, from, open, read, request};

#[tokio::test]
async fn an_empty_poll_is_one_statement() -> Result<()> {
    let (server, table) = filled(20).await?;
    let connector = open(&server)?;
    read(&*connector, &request(&table)).await?;
    server.heard();
    let asked = from(&request(&table), 20);
    assert!(read(&*connector, &asked).await?.is_empty());
    let calls: Vec<Call> = server.heard().iter().map(|heard| heard.call).collect();
    assert_eq!(calls, [Call::Submit]);
    assert_eq!(asked.cost.take().statements, 1);
    Ok(())
}

#[tokio::test]
async fn the_clock_costs_no_statement() -> Result<()> {
    let (server, _) = filled(0).await?;
    server.warehouse("STOPPED");
    open(&server)?.clock().await?;
    assert_eq!(server.count(Call::Submit), 0);
    Ok(())
}

#[tokio::test]
async fn a_table_the_warehouse_must_describe_costs_a_statement_more() -> Result<()> {
    let server = Server::start().await?;
    let columns = vec![key("id", Type::Int("BIGINT"))];
    let old = server.place("hive_metastore", "old", "t", Table { columns, ..Table::default() });
    server.insert(&old, vec![vec![Value::Int(1)]])?;
    let connector = open(&server)?;
    let asked = asking(&old, &["id"], ("id", CursorKind::Int));
    for wanted in [2, 1] {
        read(&*connector, &asked).await?;
        assert_eq!((asked.cost.take().statements, server.count(Call::Submit)), (wanted, wanted as usize));
        server.heard();
    }
    asked.cost.charge(connector.describe(&old)).await?;
    assert_eq!(asked.cost.take().statements, 1);
    Ok(())
}

#[tokio::test]
async fn the_query_history_shows_who_reads() -> Result<()> {
    let (server, table) = filled(1).await?;
    read(&*open(&server)?, &request(&table)).await?;
    let heard = server.heard();
    let submit = heard.iter().find(|heard| heard.call == Call::Submit).expect("a statement");
    let text = submit.body["statement"].as_str().unwrap_or_default();
    assert!(text.ends_with("/* Weir/organization-1/stream-1 */"), "{text}");
    Ok(())
}

#[tokio::test]
async fn bounds_are_parameters_of_the_columns_own_type() -> Result<()> {
    let server = Server::start().await?;
    for (kind, native, text, bound, value) in [
        (CursorKind::Int, Type::Int("SMALLINT"), "-5", "BIGINT", "-5"),
        (CursorKind::Date, Type::Date, "2026-02-28", "DATE", "2026-02-28"),
        (
            CursorKind::Naive,
            Type::Naive,
            "2026-02-28 10:00:00.000001",
            "TIMESTAMP_NTZ",
            "2026-02-28T10:00:00.000001",
        ),
        (CursorKind::Zoned, Type::Zoned, "2026-02-28T10:00:00.5Z", "TIMESTAMP", "2026-02-28T10:00:00.5Z"),
    ] {
        let table = server.create(
            "bound",
            vec![column("at", native), key("name", Type::Text), key("amount", Type::Decimal(18, 2))],
        );
        let key = vec!["x' OR 1=1 --".to_owned(), "1.5".to_owned()];
        let watermark = Watermark { kind, text: text.to_owned() };
        let asked = ReadRequest {
            key: vec!["name".to_owned(), "amount".to_owned()],
            from: Some(Position { watermark: watermark.clone(), key }),
            until: Some(watermark),
            ..asking(&table, &["at", "name", "amount"], ("at", kind))
        };
        assert!(read(&*open(&server)?, &asked).await?.is_empty());
        let heard = server.heard();
        let submit = heard.iter().find(|heard| heard.call == Call::Submit).expect("a statement");
        assert_eq!(
            submit.body["parameters"],
            json!([
                {"name": "lower", "value": value, "type": bound},
                {"name": "key0", "value": "x' OR 1=1 --", "type": "STRING"},
                {"name": "key1", "value": "1.5", "type": "DECIMAL(18,2)"},
                {"name": "upper", "value": value, "type": bound},
            ])
        );
        assert!(!submit.body["statement"].as_str().unwrap_or_default().contains("OR 1=1"));
        server.insert(&table, vec![vec![Value::Null, Value::Text("x".to_owned()), Value::Decimal(1, 2)]])?;
    }
    Ok(())
}
