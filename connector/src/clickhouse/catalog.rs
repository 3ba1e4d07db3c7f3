//! What the server's catalog says of tables and columns.

use super::client::Client;
use super::decode::Expected;
use super::dialect::table_name;
use super::statement::Statement;
use super::types::Native;
use crate::{Batch, Cell, ColumnInfo, ConnectorError, Cost, ErrorKind, Result, Table, TableRef};

/// Databases that belong to the server itself.
const SYSTEM: &str =
    "('system', 'INFORMATION_SCHEMA', 'information_schema', '_temporary_and_external_tables')";

/// A table as the catalog has it.
#[derive(Clone, Debug)]
pub struct Known {
    /// The engine's name.
    pub engine: String,
    /// About how many rows there are.
    pub rows: Option<u64>,
    /// The columns in table order.
    pub columns: Vec<KnownColumn>,
}

/// A column as the catalog has it.
#[derive(Clone, Debug)]
pub struct KnownColumn {
    /// How it is read.
    pub read: Expected,
    /// The type's name for people.
    pub shown: String,
    /// Whether it is part of the sorting key.
    pub key: bool,
}

/// Lists the tables and views the user may see.
///
/// # Errors
/// What the server refused.
pub async fn tables(client: &Client) -> Result<Vec<Table>> {
    let sql = format!(
        "SELECT database, name, engine, total_rows FROM system.tables WHERE database NOT IN {SYSTEM} \
         AND NOT is_temporary AND NOT startsWith(name, '.inner') ORDER BY database, name"
    );
    let batch = client.fetch(&Statement::new(sql), &Cost::current()).await?;
    let tables = (0..batch.rows()).map(|row| Table {
        table: TableRef { catalog: None, schema: Some(text(&batch, row, 0)), name: text(&batch, row, 1) },
        view: view(&text(&batch, row, 2)),
        rows: count(&batch, row, 3),
        columns: Vec::new(),
    });
    Ok(tables.collect())
}

/// Tells whether an engine's tables are views.
pub fn view(engine: &str) -> bool {
    engine.ends_with("View")
}

/// Looks one table up, at the cost of whoever reads it.
///
/// # Errors
/// `NotFound` when there is no such table, `Permission` when the server tells that it may not be read.
pub async fn table(client: &Client, table: &TableRef, cost: &Cost) -> Result<Known> {
    let database = table.schema.as_deref().unwrap_or(&client.config().database);
    let lookup = |column: &str| {
        format!(
            "(SELECT any({column}) FROM system.tables WHERE database = {{d:String}} AND name = {{t:String}})"
        )
    };
    let sql = format!(
        "SELECT name, type, is_in_sorting_key, {}, {} FROM system.columns \
         WHERE database = {{d:String}} AND table = {{t:String}} AND default_kind != 'EPHEMERAL' ORDER BY position",
        lookup("engine"),
        lookup("total_rows")
    );
    let batch = client.fetch(&Statement::new(sql).bind("d", database).bind("t", &table.name), cost).await?;
    if batch.rows() == 0 {
        let missing = ConnectorError::new(ErrorKind::NotFound, format!("there is no table or view {table}"))
            .hint("it may have been renamed or dropped, or the user may not see it; names are exact");
        // The catalog hides what may not be read; the server's own refusal says which grant is missing.
        let probe = Statement::new(format!("SELECT 1 FROM {} LIMIT 0", table_name(table)));
        return Err(match client.fetch(&probe, cost).await {
            Err(error) if error.kind() == ErrorKind::Permission => error,
            _ => missing,
        });
    }
    let columns = (0..batch.rows()).map(|row| {
        let shown = text(&batch, row, 1);
        KnownColumn {
            read: Expected { name: text(&batch, row, 0), native: Native::parse(&shown) },
            shown,
            key: batch.columns[2].cell(row) == Cell::Int(1),
        }
    });
    Ok(Known { engine: text(&batch, 0, 3), rows: count(&batch, 0, 4), columns: columns.collect() })
}

fn text(batch: &Batch, row: usize, column: usize) -> String {
    batch.columns[column].cell(row).to_string()
}

fn count(batch: &Batch, row: usize, column: usize) -> Option<u64> {
    match batch.columns[column].cell(row) {
        Cell::Int(rows) => u64::try_from(rows).ok(),
        _ => None,
    }
}

impl Known {
    /// The columns a statement names, in its order.
    ///
    /// # Errors
    /// `Schema` when one does not exist.
    pub fn choose(&self, table: &TableRef, names: &[String]) -> Result<Vec<Expected>> {
        let find = |name: &String| {
            let found = self.columns.iter().find(|column| column.read.name == *name);
            found.map(|column| column.read.clone()).ok_or_else(|| {
                ConnectorError::new(ErrorKind::Schema, format!("table {table} has no column {name:?}"))
                    .hint("it may have been renamed or dropped; open the stream and choose its columns again")
            })
        };
        names.iter().map(find).collect()
    }

    /// The table as connectors describe it.
    pub fn describe(&self, table: &TableRef) -> Table {
        let columns = self.columns.iter().map(|column| ColumnInfo {
            name: column.read.name.clone(),
            native: column.shown.clone(),
            kind: column.read.native.kind(),
            nullable: column.read.native.nullable,
            key: column.key,
        });
        Table { table: table.clone(), view: view(&self.engine), rows: self.rows, columns: columns.collect() }
    }
}
