//! What the workspace answers of a statement: its state, and once it has succeeded what its result is made of.
//!
//! Source: `StatementResponse`, `ResultManifest` and `ResultData` of Databricks' SDK for Go. Numbers that are zero and
//! lists that are empty may be left out.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::dialect::Expected;
use super::failure::Failed;
use super::links::Link;
use super::types::Native;
use crate::{ConnectorError, ErrorKind, Result};

/// An answer about a statement.
#[derive(Deserialize)]
pub struct Reply {
    /// Its ID.
    #[serde(default)]
    pub statement_id: Option<String>,
    /// Its state.
    pub status: Status,
    /// What its result is made of.
    #[serde(default)]
    pub manifest: Option<Manifest>,
    /// The result's first chunk.
    #[serde(default)]
    pub result: Option<Part>,
}

/// A statement's state.
#[derive(Deserialize)]
pub struct Status {
    /// Its name.
    pub state: String,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<Failed>,
    /// The failure's SQLSTATE, where it is told apart.
    #[serde(default)]
    pub sql_state: Option<String>,
}

/// What a result is made of.
#[derive(Default, Deserialize)]
pub struct Manifest {
    #[serde(default)]
    schema: Option<Schema>,
    /// How many chunks there are.
    #[serde(default)]
    pub total_chunk_count: Option<u64>,
    /// How many rows there are in all.
    #[serde(default)]
    pub total_row_count: Option<u64>,
    /// Whether rows are missing.
    #[serde(default)]
    pub truncated: Option<bool>,
}

#[derive(Deserialize)]
struct Schema {
    #[serde(default)]
    columns: Option<Vec<Described>>,
}

#[derive(Deserialize)]
struct Described {
    #[serde(default)]
    type_text: Option<String>,
    #[serde(default)]
    type_name: Option<String>,
    #[serde(default)]
    position: Option<usize>,
}

/// One chunk: its rows, or links to them.
#[derive(Deserialize)]
pub struct Part {
    /// Which it is.
    #[serde(default)]
    pub chunk_index: Option<u64>,
    /// How many rows come before it.
    #[serde(default)]
    pub row_offset: Option<u64>,
    /// How many rows it has.
    #[serde(default)]
    pub row_count: Option<u64>,
    #[serde(default)]
    data_array: Option<Box<RawValue>>,
    #[serde(default)]
    external_links: Option<Vec<Link>>,
}

impl Part {
    /// The rows as JSON, when they were sent here.
    pub fn rows(&mut self) -> Option<Bytes> {
        let data = self.data_array.take().filter(|data| data.get() != "null")?;
        Some(Bytes::from(Box::<str>::from(data).into_string()))
    }

    /// The link to that chunk, when there is one.
    pub fn link(&self, index: u64) -> Option<Link> {
        let mut links = self.external_links.iter().flatten();
        links.find(|link| link.chunk_index.unwrap_or(0) == index).cloned()
    }
}

impl Manifest {
    /// Refuses a result that is not of the columns asked for.
    ///
    /// # Errors
    /// `Schema`, naming the column whose type has changed.
    pub fn check(&mut self, columns: &[Expected]) -> Result<()> {
        let mut found = self.schema.take().and_then(|schema| schema.columns).unwrap_or_default();
        found.sort_by_key(|column| column.position.unwrap_or(0));
        if found.len() != columns.len() {
            let message = format!("the result has {} columns instead of {}", found.len(), columns.len());
            return Err(ConnectorError::new(ErrorKind::Protocol, message));
        }
        for (wanted, found) in columns.iter().zip(&found) {
            let Some(text) = found.type_text.as_ref().or(found.type_name.as_ref()) else { continue };
            if !wanted.native.comes_as(&Native::parse(text, true)) {
                let message = format!(
                    "column {:?} is no longer {} but comes as {text}",
                    wanted.name, wanted.native.name
                );
                return Err(ConnectorError::new(ErrorKind::Schema, message)
                    .hint("its type was changed; open the stream and choose its columns again"));
            }
        }
        Ok(())
    }
}
