//! Catalogs, schemas and tables as Unity Catalog lists them.

use std::sync::Arc;

use anyhow::Result;
use connector::{Connector, TableRef, Type as Kind, kinds};
use secrecy::SecretString;
use serde_json::json;
use systems::databricks::{Call, Fault, Server, TOKEN, Table, Type, key};

use crate::opening::{config, open, policy};

fn empty() -> Table {
    Table { columns: vec![key("id", Type::Int("BIGINT"))], ..Table::default() }
}

fn names(tables: &[connector::Table]) -> Vec<String> {
    tables.iter().map(|table| table.table.to_string()).collect()
}

fn within(server: &Server, catalog: Option<&str>, schema: Option<&str>) -> Result<Arc<dyn Connector>> {
    let mut config = config(&json!("token"));
    config["catalog"] = json!(catalog);
    config["schema"] = json!(schema);
    Ok(kinds::open("databricks", &config, Some(SecretString::from(TOKEN)), &policy(&server.url())?)?)
}

#[tokio::test]
async fn all_pages_of_all_catalogs_are_listed() -> Result<()> {
    let server = Server::start().await?;
    let mut wanted = Vec::new();
    for catalog in ["main", "other", "third", "z"] {
        for schema in ["a", "b", "c", "d", "e"] {
            for name in ["one", "two", "three", "four"] {
                server.place(catalog, schema, name, empty());
                wanted.push(format!("{catalog}.{schema}.{name}"));
            }
        }
    }
    server.place("system", "billing", "usage", empty());
    server.place("main", "information_schema", "tables", empty());
    wanted.sort();
    assert_eq!(names(&open(&server)?.discover().await?), wanted);
    let of_one: Vec<String> = wanted.iter().filter(|name| name.starts_with("other.")).cloned().collect();
    assert_eq!(names(&within(&server, Some("other"), None)?.discover().await?), of_one);
    let of_one: Vec<String> = wanted.iter().filter(|name| name.starts_with("other.b.")).cloned().collect();
    assert_eq!(names(&within(&server, Some("other"), Some("b"))?.discover().await?), of_one);
    assert_eq!(server.count(Call::Submit), 0, "no warehouse is needed");
    Ok(())
}

#[tokio::test]
async fn what_may_not_be_entered_is_left_out_unless_it_was_named() -> Result<()> {
    let server = Server::start().await?;
    for catalog in ["a", "b"] {
        server.place(catalog, "s", "t", empty());
    }
    let denied = json!({"error_code": "PERMISSION_DENIED", "message": "User does not have USE CATALOG on Catalog 'a'."});
    let deny =
        || Fault::Status { on: Call::Catalog, status: 403, body: denied.to_string(), retry_after: None };
    let connector = within(&server, Some("a"), None)?;
    server.fault(deny());
    assert_eq!(connector.discover().await.expect_err("denied").kind(), connector::ErrorKind::Permission);
    Ok(())
}

#[tokio::test]
async fn the_connections_catalog_and_schema_stand_in() -> Result<()> {
    let server = Server::start().await?;
    server.place("main", "metrics", "daily", empty());
    let table = TableRef { catalog: None, schema: None, name: "daily".to_owned() };
    let found = within(&server, Some("main"), Some("metrics"))?.describe(&table).await?;
    assert_eq!((found.table, found.columns.len()), (table.clone(), 1));
    let error = open(&server)?.describe(&table).await.expect_err("no catalog");
    assert_eq!(error.kind(), connector::ErrorKind::Config, "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_page_that_comes_again_and_again_ends() -> Result<()> {
    let server = Server::start().await?;
    let page = json!({"next_page_token": "same"}).to_string();
    for _ in 0..9 {
        server.fault(Fault::Status { on: Call::Catalog, status: 200, body: page.clone(), retry_after: None });
    }
    let error = open(&server)?.discover().await.expect_err("a loop");
    assert_eq!(error.kind(), connector::ErrorKind::Protocol, "{error:?}");
    Ok(())
}

#[tokio::test]
async fn views_and_keys_are_told() -> Result<()> {
    let server = Server::start().await?;
    let view = server.place("main", "metrics", "shown", Table { view: true, ..empty() });
    let connector = open(&server)?;
    let described = connector.describe(&view).await?;
    assert!(described.view && described.columns[0].key && !described.columns[0].nullable);
    assert_eq!((described.columns[0].kind, described.columns[0].native.as_str()), (Kind::Int, "BIGINT"));
    assert!(connector.discover().await?.iter().any(|table| table.view));
    Ok(())
}

#[tokio::test]
async fn tables_of_the_time_before_unity_catalog_are_described_by_the_warehouse() -> Result<()> {
    let server = Server::start().await?;
    let table = server.place("hive_metastore", "old", "t", empty());
    let described = open(&server)?.describe(&table).await?;
    assert_eq!(described.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["id"]);
    assert_eq!(server.count(Call::Catalog), 0);
    Ok(())
}
