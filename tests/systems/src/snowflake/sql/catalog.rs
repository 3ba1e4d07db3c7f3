//! What the account holds: databases, schemas, tables and views.

use std::collections::BTreeMap;

use sqlparser::ast::Query;

use super::error::{Outcome, SqlError};
use super::name;
use super::source::Source;
use super::types::Column;

/// What is behind a name.
#[derive(Clone, Debug)]
pub enum Body {
    /// A table's rows.
    Table(Source),
    /// A view: its statement, parsed and as text.
    View(Box<Query>, String),
}

/// A table or a view.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows or its statement.
    pub body: Body,
    /// When it was made, in nanoseconds since 1970.
    pub created: i128,
    /// When it or its rows were last changed.
    pub altered: i128,
    /// What is said about it.
    pub comment: Option<String>,
    /// Whether changes are tracked.
    pub tracked: bool,
}

/// The objects of a schema by name.
pub type Schema = BTreeMap<String, Object>;

/// All databases.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Schemas by name, by database.
    pub databases: BTreeMap<String, BTreeMap<String, Schema>>,
}

impl Object {
    /// Whether it is a view.
    pub fn is_view(&self) -> bool {
        matches!(self.body, Body::View(..))
    }

    /// A new table.
    pub fn table(columns: Vec<Column>, source: Source, now: i128) -> Self {
        Self { columns, body: Body::Table(source), created: now, altered: now, comment: None, tracked: false }
    }

    /// A table's rows; none for a view.
    pub fn source(&self) -> Option<&Source> {
        match &self.body {
            Body::Table(source) => Some(source),
            Body::View(..) => None,
        }
    }
}

impl Catalog {
    /// A schema.
    pub fn schema(&self, database: &str, schema: &str) -> Outcome<&Schema> {
        let found = self
            .databases
            .get(database)
            .ok_or_else(|| SqlError::missing("Database", name::shown(&[database])))?;
        found.get(schema).ok_or_else(|| SqlError::missing("Schema", name::shown(&[database, schema])))
    }

    /// A schema to change.
    pub fn schema_mut(&mut self, database: &str, schema: &str) -> Outcome<&mut Schema> {
        self.schema(database, schema)?;
        self.databases
            .get_mut(database)
            .and_then(|found| found.get_mut(schema))
            .ok_or_else(|| SqlError::missing("Schema", name::shown(&[database, schema])))
    }

    /// A table or a view.
    pub fn object(&self, [database, schema, object]: &[String; 3]) -> Outcome<&Object> {
        let missing = || SqlError::missing("Object", name::shown(&[database, schema, object]));
        self.schema(database, schema)?.get(object).ok_or_else(missing)
    }

    /// A table or a view to change.
    pub fn object_mut(&mut self, [database, schema, object]: &[String; 3]) -> Outcome<&mut Object> {
        let missing = || SqlError::missing("Object", name::shown(&[database, schema, object]));
        self.schema_mut(database, schema)?.get_mut(object).ok_or_else(missing)
    }
}
