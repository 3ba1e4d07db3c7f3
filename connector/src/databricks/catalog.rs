//! What Unity Catalog says of catalogs, schemas, tables and columns. Asking it needs no warehouse.
//!
//! Source: `service/catalog` of Databricks' SDK for Go. A page may be empty and still not be the last.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{self, Client, Request};
use super::dialect::{Expected, table_name};
use super::failure;
use super::fetch::{self, Small};
use super::statement::Statement;
use super::types::Native;
use super::warehouse;
use crate::{Cell, ColumnInfo, ConnectorError, Cost, ErrorKind, Result, Table, TableRef};

/// The catalog of the time before Unity Catalog, which does not list it.
const LEGACY: &str = "hive_metastore";
/// Lists that are asked for at once.
const AT_ONCE: usize = 8;
/// The most entries of a page; the workspace may give fewer.
const PAGE: &str = "1000";
const HINT: &str = "it may have been renamed or dropped, or the user may not see it; names are exact";

/// A table as the catalog has it.
#[derive(Debug)]
pub struct Known {
    /// Where it is, whole.
    pub table: TableRef,
    /// Its kind, such as `MANAGED` or `VIEW`.
    pub sort: String,
    /// The columns in table order, each with whether it is part of the primary key.
    pub columns: Vec<(Expected, bool)>,
    /// Whether its whole result is known to be too large to be sent inline.
    pub large: AtomicBool,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Default, Deserialize)]
struct Page {
    #[serde(default)]
    catalogs: Option<Vec<Named>>,
    #[serde(default)]
    schemas: Option<Vec<Named>>,
    #[serde(default)]
    tables: Option<Vec<Told>>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Told {
    name: String,
    #[serde(default)]
    table_type: Option<String>,
    #[serde(default)]
    columns: Option<Vec<ToldColumn>>,
    #[serde(default)]
    table_constraints: Option<Vec<Constraint>>,
}

#[derive(Deserialize)]
struct ToldColumn {
    name: String,
    #[serde(default)]
    type_text: Option<String>,
    #[serde(default)]
    type_name: Option<String>,
    #[serde(default)]
    nullable: Option<bool>,
    #[serde(default)]
    position: Option<usize>,
}

#[derive(Deserialize)]
struct Constraint {
    #[serde(default)]
    primary_key_constraint: Option<PrimaryKey>,
}

#[derive(Deserialize)]
struct PrimaryKey {
    #[serde(default)]
    child_columns: Vec<String>,
}

/// Lists the tables and views the user may see, ordered by name.
///
/// # Errors
/// What the workspace refused.
pub async fn tables(client: &Client) -> Result<Vec<Table>> {
    let config = client.config();
    let catalogs = match &config.catalog {
        Some(catalog) => vec![catalog.clone()],
        None => names(pages(client, "list the catalogs", "catalogs", &[]).await?, |page| page.catalogs),
    };
    let own = |name: &String| name == "system" || name == "__databricks_internal";
    let catalogs = catalogs.into_iter().filter(|name| !own(name));
    let places = stream::iter(catalogs).map(|catalog| schemas(client, catalog));
    let places: Vec<(String, String)> = places.buffered(AT_ONCE).try_concat().await?;
    let found = stream::iter(places).map(|(catalog, schema)| inside(client, catalog, schema));
    let mut tables: Vec<Table> = found.buffered(AT_ONCE).try_concat().await?;
    tables.sort_by(|a, b| {
        (&a.table.catalog, &a.table.schema, &a.table.name).cmp(&(
            &b.table.catalog,
            &b.table.schema,
            &b.table.name,
        ))
    });
    Ok(tables)
}

/// The schemas of a catalog, each with its catalog.
async fn schemas(client: &Client, catalog: String) -> Result<Vec<(String, String)>> {
    let config = client.config();
    let schemas = match &config.schema {
        Some(schema) => vec![schema.clone()],
        None => {
            let query = [("catalog_name", catalog.as_str())];
            let found = pages(client, "list the schemas", "schemas", &query).await;
            names(seen(found, config.catalog.is_some())?, |page| page.schemas)
        }
    };
    let schemas = schemas.into_iter().filter(|name| name != "information_schema");
    Ok(schemas.map(|schema| (catalog.clone(), schema)).collect())
}

/// The tables and views of one schema.
async fn inside(client: &Client, catalog: String, schema: String) -> Result<Vec<Table>> {
    let query =
        [("catalog_name", catalog.as_str()), ("schema_name", schema.as_str()), ("omit_columns", "true")];
    let found = pages(client, "list the tables", "tables", &query).await;
    let found = seen(found, client.config().schema.is_some())?;
    let table = |told: Told| Table {
        table: TableRef { catalog: Some(catalog.clone()), schema: Some(schema.clone()), name: told.name },
        view: told.table_type.as_deref().is_some_and(view),
        rows: None,
        columns: Vec::new(),
    };
    Ok(found.into_iter().filter_map(|page| page.tables).flatten().map(table).collect())
}

/// What may be seen but not entered is left out, unless it was asked for by name.
fn seen(pages: Result<Vec<Page>>, named: bool) -> Result<Vec<Page>> {
    match pages {
        Err(error) if !named && matches!(error.kind(), ErrorKind::Permission | ErrorKind::NotFound) => {
            Ok(Vec::new())
        }
        other => other,
    }
}

fn names(pages: Vec<Page>, list: impl Fn(Page) -> Option<Vec<Named>>) -> Vec<String> {
    pages.into_iter().filter_map(list).flatten().map(|named| named.name).collect()
}

fn view(sort: &str) -> bool {
    sort.ends_with("VIEW")
}

/// All pages of a list.
async fn pages(client: &Client, doing: &str, list: &str, query: &[(&str, &str)]) -> Result<Vec<Page>> {
    let (mut pages, mut token) = (Vec::new(), None::<String>);
    let mut tokens = HashSet::new();
    loop {
        let mut query = query.to_vec();
        query.push(("max_results", PAGE));
        query.extend(token.as_deref().map(|token| ("page_token", token)));
        let mut page: Page = get(client, doing, &[list], &query).await?;
        token = page.next_page_token.take().filter(|token| !token.is_empty());
        pages.push(page);
        match &token {
            None => return Ok(pages),
            Some(token) if !tokens.insert(token.clone()) => {
                let message = format!("{:?} gives the same page again when asked to {doing}", client.host());
                return Err(ConnectorError::new(ErrorKind::Protocol, message));
            }
            Some(_) => {}
        }
    }
}

async fn get<T: DeserializeOwned>(
    client: &Client,
    doing: &str,
    path: &[&str],
    query: &[(&str, &str)],
) -> Result<T> {
    let path = [&["api", "2.1", "unity-catalog"], path].concat();
    client.call(Request { doing, path: &path, query, body: None, most: client::SMALL }).await?.json()
}

/// A table's whole name: the connection's catalog and schema stand in for what it leaves out.
///
/// # Errors
/// `Config` when there is none.
pub fn whole(client: &Client, table: &TableRef) -> Result<TableRef> {
    let config = client.config();
    let missing = |what: &str| {
        ConnectorError::new(
            ErrorKind::Config,
            format!("table {table} names no {what}, nor does the connection"),
        )
    };
    let catalog = table.catalog.as_ref().or(config.catalog.as_ref()).ok_or_else(|| missing("catalog"))?;
    let schema = table.schema.as_ref().or(config.schema.as_ref()).ok_or_else(|| missing("schema"))?;
    Ok(TableRef { catalog: Some(catalog.clone()), schema: Some(schema.clone()), name: table.name.clone() })
}

/// Looks one table up.
///
/// # Errors
/// `NotFound` when there is no such table, `Permission` when the warehouse tells that it may not be read.
pub async fn table(client: &Arc<Client>, asked: &TableRef) -> Result<Known> {
    let table = whole(client, asked)?;
    let parts = [table.catalog.as_deref(), table.schema.as_deref(), Some(table.name.as_str())];
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join(".");
    let legacy = table.catalog.as_deref() == Some(LEGACY);
    if !legacy {
        let found: Result<Told> = get(client, "describe a table", &["tables", &name], &[]).await;
        let message = || format!("there is no table or view {asked}");
        match failure::missing(found, message, HINT) {
            Ok(told) => return Ok(known(table, told)),
            // The catalog hides what may not be read; a warehouse that is awake says which grant is missing.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if !warehouse::look(client).await.is_ok_and(|found| found.awake()) {
                    return Err(error);
                }
                return described(client, table).await.map_err(|told| match told.kind() {
                    ErrorKind::Permission => told,
                    _ => error,
                });
            }
            Err(error) => return Err(error),
        }
    }
    described(client, table).await
}

fn known(table: TableRef, told: Told) -> Known {
    let mut columns = told.columns.unwrap_or_default();
    columns.sort_by_key(|column| column.position.unwrap_or(0));
    let constraints = told.table_constraints.into_iter().flatten();
    let keys: Vec<String> =
        constraints.filter_map(|one| one.primary_key_constraint).flat_map(|key| key.child_columns).collect();
    let columns = columns.into_iter().map(|column| {
        let text = column.type_text.or(column.type_name).unwrap_or_default();
        let native = Native::parse(&text, column.nullable.unwrap_or(true));
        let key = keys.contains(&column.name);
        (Expected { name: column.name, native }, key)
    });
    let sort = told.table_type.unwrap_or_default();
    Known { table, sort, columns: columns.collect(), large: AtomicBool::new(false) }
}

/// Looks a table up through the warehouse, which knows also those Unity Catalog does not.
async fn described(client: &Arc<Client>, table: TableRef) -> Result<Known> {
    let statement = Statement::new(format!("DESCRIBE TABLE {}", table_name(&table)));
    let text = |name: &str| Expected { name: name.to_owned(), native: Native::parse("STRING", true) };
    let columns = vec![text("col_name"), text("data_type"), text("comment")];
    let cost = Cost::current();
    let asked = Small { statement: &statement, columns, tag: "Weir", table: Some(&table), cost: &cost };
    let batch = fetch::small(client, asked).await?;
    let mut columns = Vec::new();
    for row in 0..batch.rows() {
        let (name, native) = (batch.columns[0].cell(row), batch.columns[1].cell(row));
        let (Cell::Text(name), Cell::Text(native)) = (name, native) else { break };
        // Below the columns stand partitions and the like.
        if name.is_empty() || name.starts_with('#') {
            break;
        }
        columns.push((Expected { name: name.to_owned(), native: Native::parse(native, true) }, false));
    }
    Ok(Known { table, sort: "TABLE".to_owned(), columns, large: AtomicBool::new(false) })
}

impl Known {
    /// The columns a statement names, in its order.
    ///
    /// # Errors
    /// `Schema` when one does not exist.
    pub fn choose(&self, names: &[String]) -> Result<Vec<Expected>> {
        let find = |name: &String| {
            let found = self.columns.iter().find(|(column, _)| column.name == *name);
            found.map(|(column, _)| column.clone()).ok_or_else(|| {
                let message = format!("table {} has no column {name:?}", self.table);
                ConnectorError::new(ErrorKind::Schema, message)
                    .hint("it may have been renamed or dropped; open the stream and choose its columns again")
            })
        };
        names.iter().map(find).collect()
    }

    /// The table as connectors describe it, under the name it was asked for by.
    pub fn describe(&self, table: &TableRef) -> Table {
        let columns = self.columns.iter().map(|(column, key)| ColumnInfo {
            name: column.name.clone(),
            native: column.native.name.clone(),
            kind: column.native.kind(),
            nullable: column.native.nullable,
            key: *key,
        });
        Table { table: table.clone(), view: view(&self.sort), rows: None, columns: columns.collect() }
    }
}
