//! What BigQuery's catalog says of a table and its columns. Asking it costs nothing.

use serde::Deserialize;

use super::client::{Call, Client};
use super::dialect::quote;
use super::partition::Partition;
use super::types::Native;
use super::wire::{Schema, number};
use crate::{ColumnInfo, ConnectorError, ErrorKind, Result, Table, TableRef};

/// Where a table is, each part exactly as BigQuery spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The project.
    pub project: String,
    /// The dataset.
    pub dataset: String,
    /// The table or view.
    pub table: String,
}

impl Path {
    /// Where a table is, with the connection's own project and dataset where it names none.
    ///
    /// # Errors
    /// `Config` when no dataset is named at all.
    pub fn of(client: &Client, table: &TableRef) -> Result<Self> {
        let config = client.config();
        let dataset = table.schema.as_deref().or(config.dataset.as_deref()).ok_or_else(|| {
            ConnectorError::new(ErrorKind::Config, format!("table {table} names no dataset"))
                .hint("give it as dataset.table, or give the connection a dataset")
        })?;
        Ok(Self {
            project: table.catalog.as_deref().unwrap_or(config.data_project()).to_owned(),
            dataset: dataset.to_owned(),
            table: table.name.clone(),
        })
    }

    /// The full name for a statement.
    pub fn quoted(&self) -> String {
        [&self.project, &self.dataset, &self.table].map(|part| quote(part)).join(".")
    }

    /// The path of the table's own resource, and of what is below it.
    pub fn resource<'a>(&'a self, below: &[&'a str]) -> Vec<&'a str> {
        let mut path =
            vec!["projects", &self.project, "datasets", &self.dataset, "tables", self.table.as_str()];
        path.extend(below);
        path
    }
}

/// A table as the catalog has it.
#[derive(Clone, Debug)]
pub struct Known {
    /// Where it is.
    pub path: Path,
    /// `TABLE`, `VIEW`, `MATERIALIZED_VIEW`, `EXTERNAL` or `SNAPSHOT`.
    pub kind: String,
    /// Where its dataset is.
    pub location: Option<String>,
    /// About how many rows there are.
    pub rows: Option<u64>,
    /// The columns in table order.
    pub columns: Vec<Native>,
    /// How it is cut, if it is.
    pub partition: Option<Partition>,
    /// The columns its rows are sorted by.
    pub clustering: Vec<String>,
    key: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Resource {
    #[serde(rename = "type")]
    kind: String,
    location: Option<String>,
    schema: Schema,
    #[serde(deserialize_with = "number")]
    num_rows: Option<u64>,
    streaming_buffer: Option<Buffer>,
    time_partitioning: Option<Cut>,
    range_partitioning: Option<Cut>,
    clustering: Clustering,
    require_partition_filter: bool,
    table_constraints: Option<Constraints>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Buffer {
    #[serde(deserialize_with = "number")]
    estimated_rows: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Cut {
    field: Option<String>,
    require_partition_filter: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Clustering {
    fields: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Constraints {
    primary_key: Option<PrimaryKey>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PrimaryKey {
    columns: Vec<String>,
}

/// Whether a sort of table is a view.
pub fn view(kind: &str) -> bool {
    kind.ends_with("VIEW")
}

/// Looks one table up.
///
/// # Errors
/// `NotFound` when there is no such table or view, `Permission` when it may not be seen.
pub async fn table(client: &Client, table: &TableRef) -> Result<Known> {
    let path = Path::of(client, table)?;
    let found: Result<Resource> = client.fetch(&Call::get(&path.resource(&[]))).await;
    let found = found.map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let told = ConnectorError::new(ErrorKind::NotFound, format!("there is no table or view {table}"))
                .hint("it may have been renamed or dropped, or the account may not see it; names are exact");
            told.detail(error.system_text().unwrap_or(error.message()))
        }
        // What BigQuery calls no valid name cannot be the name of a table.
        ErrorKind::Config if error.system_text().is_some() => {
            let told = ConnectorError::new(ErrorKind::NotFound, format!("there is no table or view {table}"))
                .hint("this cannot be the name of a table in BigQuery; names are exact");
            told.detail(error.system_text().unwrap_or_default())
        }
        _ => error,
    })?;
    Ok(known(path, found))
}

fn known(path: Path, found: Resource) -> Known {
    let stored = matches!(found.kind.as_str(), "TABLE" | "SNAPSHOT" | "CLONE" | "MATERIALIZED_VIEW");
    let waiting = found.streaming_buffer.and_then(|buffer| buffer.estimated_rows).unwrap_or_default();
    let cut = found.time_partitioning.or(found.range_partitioning);
    Known {
        path,
        location: found.location.filter(|location| !location.is_empty()),
        rows: found.num_rows.filter(|_| stored).map(|rows| rows.saturating_add(waiting)),
        columns: found.schema.fields.iter().map(Native::of).collect(),
        partition: cut.map(|cut| Partition {
            column: cut.field,
            required: cut.require_partition_filter || found.require_partition_filter,
        }),
        clustering: found.clustering.fields,
        key: found.table_constraints.and_then(|all| all.primary_key).map_or_else(Vec::new, |key| key.columns),
        kind: found.kind,
    }
}

impl Known {
    /// The columns a statement names, in its order.
    ///
    /// # Errors
    /// `Schema` when one does not exist.
    pub fn choose(&self, table: &TableRef, names: &[String]) -> Result<Vec<Native>> {
        let find = |name: &String| {
            let found = self.columns.iter().find(|column| column.name == *name);
            found.cloned().ok_or_else(|| {
                ConnectorError::new(ErrorKind::Schema, format!("table {table} has no column {name:?}"))
                    .hint("it may have been renamed or dropped; open the stream and choose its columns again")
            })
        };
        names.iter().map(find).collect()
    }

    /// The table as connectors describe it.
    pub fn describe(&self, table: &TableRef) -> Table {
        let columns = self.columns.iter().map(|column| ColumnInfo {
            name: column.name.clone(),
            native: column.shown.clone(),
            kind: column.kind(),
            nullable: column.nullable,
            key: self.key.contains(&column.name),
        });
        Table { table: table.clone(), view: view(&self.kind), rows: self.rows, columns: columns.collect() }
    }

    /// Whether its rows can be looked at without a statement.
    pub fn stored(&self) -> bool {
        matches!(self.kind.as_str(), "TABLE" | "SNAPSHOT" | "CLONE")
    }
}

/// A table of dataset `d` in project `p`, from what BigQuery tells of it.
#[cfg(test)]
pub fn told(table: &str, resource: serde_json::Value) -> Known {
    let path = Path { project: "p".to_owned(), dataset: "d".to_owned(), table: table.to_owned() };
    known(path, serde_json::from_value(resource).expect("a table's resource"))
}
