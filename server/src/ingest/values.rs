//! The values of a stream's table, to be counted and added up: by the source, or here where they stand inside columns.
//!
//! No source reads a path as a run does, so the slices of such a stream are added up from its rows, and its rejected rows
//! from what was kept of them: the same code says on both sides what is a value.

use connector::slice::Adding;
use connector::{Batch, Column, Connector, ConnectorError, ErrorKind, ReadRequest, Slice, SliceRequest};
use futures::StreamExt;

use super::paths::Paths;
use super::plan::{Plan, role_place};
use crate::config;
use crate::error::Result;

/// What of a table is counted and added up.
#[derive(Clone, Debug)]
pub struct Values {
    /// The columns with values, each once.
    columns: Vec<String>,
    paths: Paths,
    places: Vec<usize>,
}

impl Values {
    /// The values of a stream.
    ///
    /// # Errors
    /// `Invalid` when a path is none.
    pub fn of(plan: &Plan) -> Result<Self> {
        let roles = plan.mapping.values();
        let mut columns: Vec<String> = Vec::new();
        for role in &roles {
            if !columns.iter().any(|column| column == role.column) {
                columns.push(role.column.to_owned());
            }
        }
        let mut paths = Paths::new(columns.len(), plan.layout.cell_bytes);
        let mut places = Vec::with_capacity(roles.len());
        for role in roles {
            places.push(role_place(&mut paths, &columns, role)?);
        }
        Ok(Self { columns, paths, places })
    }

    /// The columns they are in.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The values of rows that have these columns, in their order.
    pub fn drawn(&self, rows: &Batch) -> Vec<Column> {
        self.paths.columns(rows, &self.places)
    }

    /// The table's slices. `request` names the columns of [`Values::columns`].
    ///
    /// # Errors
    /// What the source ends in.
    pub async fn slices(
        &self,
        connector: &dyn Connector,
        request: SliceRequest,
        sizes: &config::Sync,
    ) -> connector::Result<Vec<Slice>> {
        if self.places.iter().all(|place| *place < self.columns.len()) {
            return connector.slices(request).await;
        }
        let mut rows = connector.read(ReadRequest {
            batch_rows: sizes.batch_rows,
            batch_bytes: sizes.batch_bytes,
            cell_bytes: sizes.cell_bytes,
            ..request.as_read()
        });
        let mut adding = Adding::new(request.cursor.kind);
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            let column = |name: &String| {
                batch.column(name).ok_or_else(|| {
                    let message = format!("table {} was read without its column {name:?}", request.table);
                    ConnectorError::new(ErrorKind::Protocol, message)
                })
            };
            let cursors = column(&request.cursor.column)?;
            let read = self.columns.iter().map(|name| column(name).cloned());
            let drawn = self.drawn(&Batch { columns: read.collect::<connector::Result<_>>()? });
            adding.add(cursors, &drawn.iter().collect::<Vec<_>>());
        }
        Ok(adding.slices())
    }
}
