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
    /// Whether the checkpoint was ever put back: rows behind it may then be kept already.
    put_back: bool,
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
        let (mut last, start) = (None, self.position.clone());
        while let Some(batch) = batches.next().await {
            match batch {
                Ok(batch) => self.keep(&batch, request, &mut last)?,
                Err(error) => {
                    if error.rows_may_be_missing() {
                        self.position = start;
                        self.put_back = true;
                    }
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
            ensure!(self.rows.is_empty() || self.put_back, "rows are kept without a checkpoint");
            return Ok(());
        };
        let reached: i128 = position.key[0].parse()?;
        let missing = (0..=reached).find(|id| !self.rows.contains_key(id));
        ensure!(missing.is_none(), "the checkpoint is at row {reached} and row {missing:?} is not kept");
        let exact = self.rows.len() as i128 == reached + 1;
        ensure!(exact || self.put_back, "rows are kept past the checkpoint at {reached}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use connector::{
        BatchStream, Check, Column, Cursor, CursorKind, ErrorKind, Moment, NullCursors, RunTag, Table,
        TableRef, Type,
    };
    use futures::stream;

    use super::*;

    /// Hands over what it was made with, whatever is asked for.
    struct Fixed(Vec<Result<Vec<i128>, ConnectorError>>);

    #[async_trait]
    impl Connector for Fixed {
        async fn check(&self, _: Option<&TableRef>, _: Option<&str>) -> Check {
            Check::default()
        }

        async fn discover(&self) -> connector::Result<Vec<Table>> {
            Ok(Vec::new())
        }

        async fn describe(&self, _: &TableRef) -> connector::Result<Table> {
            Err(ConnectorError::new(ErrorKind::NotFound, "there are no tables"))
        }

        async fn preview(&self, _: &TableRef, _: &[String], _: u32) -> connector::Result<Batch> {
            Ok(Batch::default())
        }

        async fn newest(&self, _: &TableRef, _: &Cursor) -> connector::Result<Option<Watermark>> {
            Ok(None)
        }

        async fn clock(&self) -> connector::Result<Moment> {
            Ok(Moment::default())
        }

        fn read(&self, _: ReadRequest) -> BatchStream {
            let batches: Vec<_> =
                self.0.iter().map(|part| part.as_ref().map(|ids| batch(ids)).map_err(Clone::clone)).collect();
            Box::pin(stream::iter(batches))
        }
    }

    fn batch(ids: &[i128]) -> Batch {
        let mut columns = [("id", Type::Int), ("c", Type::Int), ("label", Type::Text)]
            .map(|(name, kind)| Column::new(name, kind, false))
            .to_vec();
        for id in ids {
            columns[0].push(Cell::Int(*id));
            columns[1].push(Cell::Int(*id / TIES));
            columns[2].push(Cell::Text(&label(*id)));
        }
        Batch { columns }
    }

    async fn kept(parts: Vec<Result<Vec<i128>, ConnectorError>>) -> Result<usize> {
        let request = ReadRequest {
            table: TableRef { catalog: None, schema: None, name: "t".to_owned() },
            columns: Vec::new(),
            cursor: Cursor { column: "c".to_owned(), kind: CursorKind::Int },
            key: vec!["id".to_owned()],
            from: None,
            until: None,
            nulls: NullCursors::Skip,
            batch_rows: 10,
            batch_bytes: 1 << 20,
            cell_bytes: 1 << 20,
            tag: RunTag::default(),
            cost: connector::Cost::default(),
        };
        let mut intake = Intake::default();
        intake.run(&Fixed(parts), &request).await?;
        Ok(intake.rows())
    }

    #[tokio::test]
    async fn the_check_can_fail() -> Result<()> {
        let away = || Err(ConnectorError::new(ErrorKind::Unavailable, "away"));
        assert_eq!(kept(vec![Ok((0..10).collect()), Ok(vec![10, 11]), away()]).await?, 12);
        for wrong in [
            vec![Ok((0..10).collect()), Ok(vec![11])],
            vec![Ok((1..10).collect())],
            vec![Ok((0..10).collect()), Ok(vec![9, 10])],
            vec![Ok((0..11).collect())],
            vec![Ok(vec![0, 2, 1])],
            vec![Ok(vec![])],
            vec![Ok(vec![0, 2]), away()],
            vec![away(), Ok(vec![0])],
        ] {
            let told = format!("{wrong:?}");
            assert!(kept(wrong).await.is_err(), "{told} passes");
        }
        Ok(())
    }
}
