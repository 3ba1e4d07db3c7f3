//! Tables in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use connector::TableRef;

use super::sql::value::{Type, Value};

/// One row.
pub type Row = Arc<Vec<Value>>;

/// A column to make.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its exact name.
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// Whether nulls may occur.
    pub nullable: bool,
    /// Whether it is part of the primary key.
    pub key: bool,
}

/// A column that may hold nulls.
pub fn column(name: &str, kind: Type) -> Column {
    Column { name: name.to_owned(), kind, nullable: true, key: false }
}

/// A column of the primary key.
pub fn key(name: &str, kind: Type) -> Column {
    Column { name: name.to_owned(), kind, nullable: false, key: true }
}

/// A table or view.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, in no order.
    pub rows: Vec<Row>,
    /// Whether it is a view.
    pub view: bool,
    /// What the user lacks; without it, the table can be read.
    pub denied: Option<String>,
}

/// All tables by catalog, schema and name, and the schemas that have none.
#[derive(Debug, Default)]
pub struct Store {
    schemas: BTreeMap<(String, String), BTreeMap<String, Table>>,
}

impl Store {
    /// Makes a schema unless it is there.
    pub fn schema(&mut self, catalog: &str, schema: &str) -> &mut BTreeMap<String, Table> {
        self.schemas.entry((catalog.to_owned(), schema.to_owned())).or_default()
    }

    /// The catalogs there are.
    pub fn catalogs(&self) -> Vec<String> {
        let mut names: Vec<String> = self.schemas.keys().map(|(catalog, _)| catalog.clone()).collect();
        names.dedup();
        names
    }

    /// The schemas of a catalog; none when there is no such catalog.
    pub fn schemas(&self, catalog: &str) -> Option<Vec<String>> {
        let names = self.schemas.keys().filter(|(of, _)| of == catalog).map(|(_, name)| name.clone());
        Some(names.collect::<Vec<_>>()).filter(|names| !names.is_empty())
    }

    /// The tables of a schema.
    pub fn tables(&self, catalog: &str, schema: &str) -> Option<&BTreeMap<String, Table>> {
        self.schemas.get(&(catalog.to_owned(), schema.to_owned()))
    }

    /// A table by the parts of its name.
    pub fn table(&self, parts: &[String]) -> Option<&Table> {
        let [catalog, schema, name] = parts else { return None };
        self.tables(catalog, schema)?.get(name)
    }

    /// A table by its name with dots in between.
    pub fn named(&self, full: &str) -> Option<(&str, &Table)> {
        self.schemas.iter().find_map(|((catalog, schema), tables)| {
            let name =
                full.strip_prefix(catalog)?.strip_prefix('.')?.strip_prefix(schema)?.strip_prefix('.')?;
            tables.get_key_value(name).map(|(name, table)| (name.as_str(), table))
        })
    }

    /// A table to be changed.
    pub fn changed(&mut self, table: &TableRef) -> Result<&mut Table> {
        let place = (table.catalog.clone().unwrap_or_default(), table.schema.clone().unwrap_or_default());
        let tables = self.schemas.get_mut(&place).context("no such schema")?;
        tables.get_mut(&table.name).with_context(|| format!("there is no table {table}"))
    }

    /// Adds rows, each with a value per column.
    pub fn insert(&mut self, table: &TableRef, rows: Vec<Vec<Value>>) -> Result<()> {
        let table = self.changed(table)?;
        ensure!(rows.iter().all(|row| row.len() == table.columns.len()), "a value per column");
        table.rows.extend(rows.into_iter().map(Arc::new));
        Ok(())
    }

    /// Drops a column.
    pub fn drop_column(&mut self, table: &TableRef, name: &str) -> Result<()> {
        let table = self.changed(table)?;
        let place = table.columns.iter().position(|column| column.name == name).context("no such column")?;
        table.columns.remove(place);
        for row in &mut table.rows {
            Arc::make_mut(row).remove(place);
        }
        Ok(())
    }
}
