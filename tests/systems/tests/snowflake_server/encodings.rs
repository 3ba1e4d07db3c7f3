//! Cells, partitions and descriptions, to the letter of the documents.

use anyhow::Result;
use reqwest::Method;
use serde_json::{Value as Json, json};
use systems::snowflake::Fault;

use crate::client::Client;

async fn table(client: &Client, kind: &str, values: &str) -> Result<()> {
    client.place.run(&format!("CREATE OR REPLACE TABLE T (ID NUMBER, V {kind})")).await?;
    client.place.run(&format!("INSERT INTO T VALUES {values}")).await
}

#[tokio::test]
async fn every_type_has_its_spelling() -> Result<()> {
    let client = Client::reader().await?;
    for (kind, values, wanted) in [
        (
            "NUMBER(38,0)",
            "(1, 99999999999999999999999999999999999999), (2, NULL)",
            vec!["99999999999999999999999999999999999999", "-"],
        ),
        ("NUMBER(12,2)", "(1, 12.34), (2, -0.5), (3, 7)", vec!["12.34", "-0.50", "7.00"]),
        (
            "NUMBER(38,37)",
            "(1, 1.2345678901234567890123456789012345678)",
            vec!["1.2345678901234567890123456789012345678"],
        ),
        ("FLOAT", "(1, 1.5), (2, 1e300), (3, 0.1), (4, 5e-324)", vec!["1.5", "1e+300", "0.1", "5e-324"]),
        ("BOOLEAN", "(1, TRUE), (2, FALSE)", vec!["true", "false"]),
        ("VARCHAR", "(1, 'it''s \\\\ \"quoted\" 日本'), (2, '')", vec!["it's \\ \"quoted\" 日本", ""]),
        ("BINARY", "(1, '00ff')", vec!["00FF"]),
        ("DATE", "(1, '1970-01-02'), (2, '1969-12-31')", vec!["1", "-1"]),
        ("TIME", "(1, '00:00:01.5'), (2, '23:59:59.123456789')", vec!["1.500000000", "86399.123456789"]),
        (
            "TIMESTAMP_NTZ",
            "(1, '2021-01-28 22:09:37.123456789'), (2, '1969-12-31 23:59:59.5')",
            vec!["1611871777.123456789", "-0.500000000"],
        ),
        ("TIMESTAMP_NTZ(3)", "(1, '2021-01-28 22:09:37.123456789')", vec!["1611871777.123000000"]),
        ("TIMESTAMP_LTZ", "(1, '2021-01-28 22:09:37.1 +0000')", vec!["1611871777.100000000"]),
        (
            "TIMESTAMP_TZ",
            "(1, '2021-01-28 14:09:37.1 -0800'), (2, '2021-01-29 03:39:37 +05:30')",
            vec!["1611871777.100000000 960", "1611871777.000000000 1770"],
        ),
    ] {
        table(&client, kind, values).await?;
        let rows = client.rows("SELECT V FROM T ORDER BY ID").await?;
        assert_eq!(rows.concat(), wanted, "{kind}");
    }
    Ok(())
}

#[tokio::test]
async fn documents_keep_their_three_nulls() -> Result<()> {
    let client = Client::reader().await?;
    client.place.run("CREATE TABLE T (ID NUMBER, V VARIANT)").await?;
    for (id, value) in [
        (1, "NULL"),
        (2, "PARSE_JSON('null')"),
        (3, "PARSE_JSON('\"null\"')"),
        (4, "PARSE_JSON('{\"a\": [1, null], \"n\": 12345678901234567890.123}')"),
        (5, "PARSE_JSON('1.10')"),
    ] {
        client.place.run(&format!("INSERT INTO T SELECT {id}, {value}")).await?;
    }
    let rows = client.rows("SELECT V FROM T ORDER BY ID").await?.concat();
    assert_eq!(rows[..3], ["-", "null", "\"null\""]);
    assert_eq!(rows[3], "{\n  \"a\": [\n    1,\n    null\n  ],\n  \"n\": 12345678901234567890.123\n}");
    assert_eq!(rows[4], "1.10");
    let refused = client.place.run("INSERT INTO T VALUES (6, PARSE_JSON('1'))").await;
    assert!(refused.is_err(), "the service takes no PARSE_JSON in VALUES");
    Ok(())
}

#[tokio::test]
async fn null_is_a_word_when_asked_for() -> Result<()> {
    let client = Client::reader().await?;
    let body = client.body("SELECT NULL, 'null'");
    assert_eq!(client.submit("?nullable=false", &body).await?.body["data"], json!([["null", "null"]]));
    assert_eq!(client.submit("?nullable=true", &body).await?.body["data"], json!([[null, "null"]]));
    Ok(())
}

#[tokio::test]
async fn the_first_answer_describes_the_result() -> Result<()> {
    let client = Client::reader().await?;
    client.place.run("CREATE TABLE T (ID NUMBER(10,0) NOT NULL, \"Name\" VARCHAR(20), AT TIMESTAMP_TZ(3), DOC VARIANT)").await?;
    let answer = client.run("SELECT ID, \"Name\" AS N, AT, DOC, 1 FROM T").await?;
    assert_eq!((answer.status, answer.code(), &answer.body["sqlState"]), (200, "090001", &json!("00000")));
    let meta = &answer.body["resultSetMetaData"];
    assert_eq!((&meta["numRows"], &meta["format"]), (&json!(0), &json!("jsonv2")));
    assert_eq!(meta["partitionInfo"], json!([{"rowCount": 0, "uncompressedSize": 11}]));
    let facts = |at: usize| {
        ["name", "type", "precision", "scale", "length", "nullable"].map(|it| meta["rowType"][at][it].clone())
    };
    assert_eq!(facts(0), [json!("ID"), json!("fixed"), json!(10), json!(0), Json::Null, json!(false)]);
    assert_eq!(facts(1), [json!("N"), json!("text"), Json::Null, Json::Null, json!(20), json!(true)]);
    assert_eq!(facts(2), [json!("AT"), json!("timestamp_tz"), json!(0), json!(3), Json::Null, json!(true)]);
    assert_eq!(facts(3)[..2], [json!("DOC"), json!("variant")]);
    assert_eq!(facts(4), [json!("1"), json!("fixed"), json!(1), json!(0), Json::Null, json!(false)]);
    assert_eq!(answer.body["statementStatusUrl"], json!(format!("/api/v2/statements/{}", answer.handle())));
    client.server.fault(Fault::UpperCaseTypes(true));
    assert_eq!(client.run("SELECT 1").await?.body["resultSetMetaData"]["rowType"][0]["type"], "FIXED");
    Ok(())
}

#[tokio::test]
async fn partitions_follow_the_first_in_gzip() -> Result<()> {
    let client = Client::reader().await?;
    client.place.run("CREATE TABLE T AS SELECT SEQ8() AS ID FROM TABLE(GENERATOR(ROWCOUNT => 25))").await?;
    client.server.fault(Fault::RowsPerPartition(10));
    let first = client.run("SELECT ID FROM T ORDER BY ID").await?;
    let meta = &first.body["resultSetMetaData"];
    assert_eq!(meta["numRows"], 25);
    let counts: Vec<_> =
        meta["partitionInfo"].as_array().into_iter().flatten().map(|it| it["rowCount"].as_i64()).collect();
    assert_eq!(counts, [Some(10), Some(10), Some(5)]);
    assert_eq!(first.rows().len(), 10);
    // In any order, as often as one likes.
    for (number, from, to) in [(2, 20, 25), (1, 10, 20), (2, 20, 25)] {
        let path = format!("/{}?partition={number}", first.handle());
        let response = client.call(Method::GET, &path)?.send().await?;
        assert_eq!(response.headers().get("content-encoding").and_then(|it| it.to_str().ok()), Some("gzip"));
        let packed = response.bytes().await?;
        assert_eq!(meta["partitionInfo"][number]["compressedSize"], packed.len());
        let body: Json = serde_json::from_reader(flate2::read::GzDecoder::new(packed.as_ref()))?;
        let wanted: Vec<_> = (from..to).map(|id: i32| json!([id.to_string()])).collect();
        assert_eq!(body, json!({"data": wanted}), "only data");
    }
    let again = client.get(&format!("/{}", first.handle())).await?;
    assert_eq!((again.rows(), &again.body["resultSetMetaData"]), (first.rows(), meta));
    Ok(())
}

#[tokio::test]
async fn a_million_made_rows_cost_no_memory_until_they_are_fetched() -> Result<()> {
    use systems::snowflake::{Column, Number, Type, Value};
    let client = Client::reader().await?;
    let columns = vec![Column::new("ID", Type::Number(38, 0)), Column::new("V", Type::Number(12, 2))];
    let row =
        |id: usize| vec![Value::int(id as i128), Value::Number(Number { digits: id as i128, scale: 2 })];
    client.place.generate("BIG", columns, 1_000_000, &["ID"], row)?;
    let first = client.run("SELECT ID, V FROM BIG WHERE ID >= 500000 ORDER BY ID").await?;
    assert_eq!(first.status, 200, "{:?}", first.body["message"]);
    let partitions = first.body["resultSetMetaData"]["partitionInfo"].as_array().map_or(0, Vec::len);
    assert_eq!(first.body["resultSetMetaData"]["numRows"], 500_000);
    let last = client.get(&format!("/{}?partition={}", first.handle(), partitions - 1)).await?;
    assert_eq!(last.rows().last(), Some(&vec!["999999".to_owned(), "9999.99".to_owned()]));
    Ok(())
}
