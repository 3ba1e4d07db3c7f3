//! A sync as the engine does it: a batch is kept whole and the checkpoint moves with it, or neither happens.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use connector::{Batch, Cell, Connector, ConnectorError, Position, ReadRequest, Watermark};
use futures::StreamExt;

use crate::system::{TIES, label};

/// What has been taken in of the table.
#[derive(Default)]
pub struct Intake {
    /// The rows by their key, as they were kept last.
    rows: BTreeMap<i128, (i128, String)>,
    /// The checkpoint.
    position: Option<Position>,
}

impl Intake {
    /// How many rows are kept.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Reads from the checkpoint on, once; gives the error the read ended in.
    ///
    /// # Errors
    /// A row that is wrong, out of order, or missing before the checkpoint.
    pub async fn run(
        &mut self,
        connector: &dyn Connector,
        request: &ReadRequest,
    ) -> Result<Option<ConnectorError>> {
        let mut batches = connector.read(ReadRequest { from: self.position.clone(), ..request.clone() });
        let mut last = None;
        while let Some(batch) = batches.next().await {
            match batch {
                Ok(batch) => self.keep(&batch, request, &mut last)?,
                Err(error) => {
                    self.nothing_is_missing()?;
                    ensure!(batches.next().await.is_none(), "the read goes on after {error}");
                    return Ok(Some(error));
                }
            }
        }
        self.nothing_is_missing()?;
        Ok(None)
    }

    /// One batch: rows and checkpoint together.
    fn keep(&mut self, batch: &Batch, request: &ReadRequest, last: &mut Option<(i128, i128)>) -> Result<()> {
        let column = |name: &str| batch.column(name).with_context(|| format!("no column {name}"));
        let (ids, cursors, labels) = (column("id")?, column("c")?, column("label")?);
        ensure!(batch.rows() > 0 && batch.rows() <= request.batch_rows, "a batch of {} rows", batch.rows());
        for row in 0..batch.rows() {
            let (id, cursor) = match (ids.cell(row), cursors.cell(row)) {
                (Cell::Int(id), Cell::Int(cursor)) => (id, cursor),
                other => anyhow::bail!("no row of the table: {other:?}"),
            };
            ensure!(cursor == id / TIES, "row {id} has the cursor {cursor}");
            let text = labels.cell(row).to_string();
            ensure!(text == label(id), "row {id} says {text}");
            ensure!(last.is_none_or(|last| last < (cursor, id)), "row {id} after {last:?} in one read");
            *last = Some((cursor, id));
            self.rows.insert(id, (cursor, text));
        }
        let (cursor, id) = last.context("a batch has a row")?;
        let watermark = Watermark::of(request.cursor.kind, &Cell::Int(cursor)).context("a cursor")?;
        self.position = Some(Position { watermark, key: vec![id.to_string()] });
        Ok(())
    }

    /// Every row up to the checkpoint is kept: IDs are without gaps, and in the order of cursors.
    fn nothing_is_missing(&self) -> Result<()> {
        let Some(position) = &self.position else {
            ensure!(self.rows.is_empty(), "rows are kept without a checkpoint");
            return Ok(());
        };
        let reached: i128 = position.key[0].parse()?;
        let missing = (0..=reached).find(|id| !self.rows.contains_key(id));
        ensure!(missing.is_none(), "the checkpoint is at row {reached} and row {missing:?} is not kept");
        ensure!(self.rows.len() as i128 == reached + 1, "rows are kept past the checkpoint at {reached}");
        Ok(())
    }
}
