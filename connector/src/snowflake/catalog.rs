//! Tables and their columns, by statements that need no warehouse.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};

use super::client::Client;
use super::columns::EXACT;
use super::decode::Expected;
use super::dialect::{quote, table_name};
use super::statement::Statement;
use super::types::Native;
use crate::{Batch, Cell, ColumnInfo, ConnectorError, ErrorKind, Result, Table, TableRef};

/// SHOW gives no more rows than this at once.
const MOST: usize = 10_000;
/// Schemas looked into at once.
const SCHEMAS: usize = 4;
/// Databases and schemas of Snowflake's own.
const OWN: (&str, &str) = ("SNOWFLAKE", "INFORMATION_SCHEMA");

/// A table as it was looked up.
#[derive(Clone, Debug)]
pub struct Known {
    columns: Vec<KnownColumn>,
}

/// A column of it.
#[derive(Clone, Debug)]
pub struct KnownColumn {
    /// How it is read.
    pub read: Expected,
    /// Whether a null may occur.
    pub nullable: bool,
    shown: String,
    key: bool,
}

/// Whether a table is a view, and about how many rows it has.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Whether it is a view of any sort.
    pub view: bool,
    /// Rows, where Snowflake tells.
    pub rows: Option<u64>,
}

/// Lists tables and views, ordered by name: those of the connection's schema or database, or of all.
///
/// # Errors
/// What Snowflake or the way to it refused.
pub async fn tables(client: &Arc<Client>) -> Result<Vec<Table>> {
    let databases = match &client.config().database {
        Some(database) => vec![database.clone()],
        None => {
            let mut all = names(client, "SHOW DATABASES").await?;
            all.retain(|name| name != OWN.0);
            all
        }
    };
    let places = stream::iter(databases).map(|database| schemas(client, database));
    let places: Vec<(String, String)> = places.buffered(SCHEMAS).try_concat().await?;
    let found = stream::iter(places).map(|(database, schema)| inside(client, database, schema));
    let mut tables: Vec<Table> = found.buffered(SCHEMAS).try_concat().await?;
    tables.sort_by(|a, b| {
        let place = |table: &Table| (table.table.catalog.clone(), table.table.schema.clone());
        (place(a), &a.table.name).cmp(&(place(b), &b.table.name))
    });
    Ok(tables)
}

/// The schemas of a database, each with its database.
async fn schemas(client: &Arc<Client>, database: String) -> Result<Vec<(String, String)>> {
    let schemas = match &client.config().schema {
        Some(schema) => vec![schema.clone()],
        None => match names(client, &format!("SHOW SCHEMAS IN DATABASE {}", quote(&database))).await {
            // Dropped since it was listed.
            Err(error) if listed(client, &error) => Vec::new(),
            schemas => schemas?,
        },
    };
    let schemas = schemas.into_iter().filter(|schema| schema != OWN.1);
    Ok(schemas.map(|schema| (database.clone(), schema)).collect())
}

/// Whether an error may come from a place that was dropped after it was listed, rather than named by a person.
fn listed(client: &Client, error: &ConnectorError) -> bool {
    client.config().database.is_none() && error.kind() == ErrorKind::NotFound
}

async fn inside(client: &Arc<Client>, database: String, schema: String) -> Result<Vec<Table>> {
    let place = format!("{}.{}", quote(&database), quote(&schema));
    let mut found = Vec::new();
    for (sort, view) in [("TABLES", false), ("VIEWS", true)] {
        let batches = match show(client, &format!("SHOW {sort} IN SCHEMA {place}")).await {
            Err(error) if listed(client, &error) => continue,
            batches => batches?,
        };
        for batch in &batches {
            for row in 0..batch.rows() {
                let Some(name) = text(batch, row, "name") else { continue };
                let table = TableRef { catalog: Some(database.clone()), schema: Some(schema.clone()), name };
                found.push(Table { table, view, rows: count(batch, row), columns: Vec::new() });
            }
        }
    }
    Ok(found)
}

async fn names(client: &Arc<Client>, sql: &str) -> Result<Vec<String>> {
    let batches = show(client, sql).await?;
    let rows = batches.iter().flat_map(|batch| (0..batch.rows()).map(move |row| text(batch, row, "name")));
    Ok(rows.flatten().collect())
}

/// Runs a SHOW until it has given all its rows.
async fn show(client: &Arc<Client>, sql: &str) -> Result<Vec<Batch>> {
    let mut batches = vec![client.fetch(&Statement::new(sql)).await?];
    while let Some(last) = batches.last().filter(|batch| batch.rows() >= MOST) {
        let Some(name) = text(last, last.rows() - 1, "name") else { break };
        let name = name.replace('\\', "\\\\").replace('\'', "''");
        let more = client.fetch(&Statement::new(format!("{sql} LIMIT {MOST} FROM '{name}'"))).await?;
        if more.rows() == 0 {
            break;
        }
        batches.push(more);
    }
    Ok(batches)
}

/// Sees that a table's name means the table: where the user's names mean the same in any case, one that is not in upper
/// case means another. The column of a statement shows it.
///
/// # Errors
/// `Schema` when it does not.
pub async fn spelled(client: &Arc<Client>, table: &TableRef) -> Result<()> {
    const NAME: &str = "a";
    let parts = [&table.catalog, &table.schema].into_iter().flatten().chain([&table.name]);
    if parts.into_iter().all(|part| *part == part.to_uppercase()) {
        return Ok(());
    }
    let batch = client.fetch(&Statement::new(format!("SELECT 1 AS {}", quote(NAME)))).await?;
    if batch.columns.first().is_some_and(|column| column.name() == NAME) {
        return Ok(());
    }
    let message = format!(
        "the name of {table} does not mean what it spells: the user's names mean the same in any case"
    );
    Err(ConnectorError::new(ErrorKind::Schema, message).hint(EXACT))
}

/// Looks one table's columns up.
///
/// # Errors
/// `NotFound` when there is no such table or it may not be seen.
pub async fn table(client: &Arc<Client>, table: &TableRef) -> Result<Known> {
    let sql = format!("DESCRIBE TABLE {}", table_name(table));
    let described = client.fetch(&Statement::new(sql)).await;
    let batch = described.map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::Permission => missing(client, table, &error),
        _ => error,
    })?;
    let yes = |row, name| text(&batch, row, name).is_some_and(|text| text.eq_ignore_ascii_case("y"));
    let no = |row, name| text(&batch, row, name).is_some_and(|text| text.eq_ignore_ascii_case("n"));
    let rows = (0..batch.rows()).filter(|row| {
        // Structured files and the like describe more than columns.
        text(&batch, *row, "kind").is_none_or(|kind| kind.eq_ignore_ascii_case("column"))
    });
    let columns: Vec<KnownColumn> = rows
        .filter_map(|row| {
            let (name, shown) = (text(&batch, row, "name")?, text(&batch, row, "type")?);
            let read = Expected { name, native: Native::parse(&shown) };
            let (nullable, key) = (!no(row, "null?"), yes(row, "primary key"));
            Some(KnownColumn { read, shown, nullable, key })
        })
        .collect();
    if columns.is_empty() {
        let message = format!("Snowflake describes no column of {table}");
        return Err(ConnectorError::new(ErrorKind::Protocol, message));
    }
    Ok(Known { columns })
}

/// Tells what a table is; nothing when it went since it was described.
///
/// # Errors
/// What Snowflake or the way to it refused.
pub async fn facts(client: &Arc<Client>, table: &TableRef) -> Result<Facts> {
    let place: Vec<String> =
        [&table.catalog, &table.schema].into_iter().flatten().map(|it| quote(it)).collect();
    // A pattern that the name is one of the matches of, whatever is special in patterns and literals.
    let pattern: String =
        table.name.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '_' }).collect();
    let batches =
        show(client, &format!("SHOW TABLES LIKE '{pattern}' IN SCHEMA {}", place.join("."))).await?;
    for batch in &batches {
        for row in 0..batch.rows() {
            if text(batch, row, "name").as_deref() == Some(&table.name) {
                return Ok(Facts { view: false, rows: count(batch, row) });
            }
        }
    }
    Ok(Facts { view: true, rows: None })
}

fn missing(client: &Client, table: &TableRef, error: &ConnectorError) -> ConnectorError {
    let role = &client.config().role;
    let message = format!("there is no table or view {table}, or the role {role:?} may not see it");
    let told = ConnectorError::new(error.kind(), message).hint(format!(
        "names are exact; compare with SHOW GRANTS TO ROLE {0}; what is missing is granted by \
         GRANT SELECT ON TABLE {1} TO ROLE {0}, and USAGE on its database and schema",
        quote(role),
        table_name(table)
    ));
    match error.system_text() {
        Some(text) => told.detail(text),
        None => told,
    }
}

fn text(batch: &Batch, row: usize, name: &str) -> Option<String> {
    let column = batch.columns.iter().find(|column| column.name().eq_ignore_ascii_case(name))?;
    match column.cell(row) {
        Cell::Null => None,
        cell => Some(cell.to_string()),
    }
}

fn count(batch: &Batch, row: usize) -> Option<u64> {
    text(batch, row, "rows")?.parse().ok()
}

impl Known {
    /// The columns a statement names, in its order.
    ///
    /// # Errors
    /// `Schema` when one does not exist.
    pub fn choose(&self, table: &TableRef, names: &[String]) -> Result<Vec<Expected>> {
        names.iter().map(|name| Ok(self.column(table, name)?.read.clone())).collect()
    }

    /// The column of that exact name.
    ///
    /// # Errors
    /// `Schema` when there is none.
    pub fn column(&self, table: &TableRef, name: &str) -> Result<&KnownColumn> {
        self.columns.iter().find(|column| column.read.name == name).ok_or_else(|| {
            ConnectorError::new(ErrorKind::Schema, format!("table {table} has no column {name:?}"))
                .hint("it may have been renamed or dropped; open the stream and choose its columns again")
        })
    }

    /// How many columns it has.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// The table as connectors describe it.
    pub fn describe(&self, table: &TableRef, facts: Facts) -> Table {
        let columns = self.columns.iter().map(|column| ColumnInfo {
            name: column.read.name.clone(),
            native: column.shown.clone(),
            kind: column.read.native.kind(),
            nullable: column.nullable,
            key: column.key,
        });
        Table { table: table.clone(), view: facts.view, rows: facts.rows, columns: columns.collect() }
    }
}
