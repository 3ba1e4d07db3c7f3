//! Rows out of order end a read. Every kind asks its system for rows in order; where they come in pages, one that is
//! repeated or left out shows by its cursors.

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;

use crate::cursor::rank;
use crate::{
    Batch, BatchStream, Check, Connector, ConnectorError, Cursor, ErrorKind, Moment, ReadRequest, Result,
    Slice, SliceRequest, Table, TableRef, Watermark,
};

/// A connector whose reads are looked at.
pub struct Ordered(pub Arc<dyn Connector>);

#[async_trait]
impl Connector for Ordered {
    async fn check(&self, table: Option<&TableRef>, cursor: Option<&str>) -> Check {
        self.0.check(table, cursor).await
    }

    async fn discover(&self) -> Result<Vec<Table>> {
        self.0.discover().await
    }

    async fn describe(&self, table: &TableRef) -> Result<Table> {
        self.0.describe(table).await
    }

    async fn preview(&self, table: &TableRef, columns: &[String], limit: u32) -> Result<Batch> {
        self.0.preview(table, columns, limit).await
    }

    async fn newest(&self, table: &TableRef, cursor: &Cursor) -> Result<Option<Watermark>> {
        self.0.newest(table, cursor).await
    }

    async fn clock(&self) -> Result<Moment> {
        self.0.clock().await
    }

    async fn advice(&self, table: &TableRef, cursor: &str) -> Result<Option<String>> {
        self.0.advice(table, cursor).await
    }

    async fn estimate(&self, request: &ReadRequest) -> Result<Option<u64>> {
        self.0.estimate(request).await
    }

    async fn slices(&self, request: SliceRequest) -> Result<Vec<Slice>> {
        self.0.slices(request).await
    }

    fn read(&self, request: ReadRequest) -> BatchStream {
        let (table, column) = (request.table.clone(), request.cursor.column.clone());
        let mut last = None;
        let mut failed = false;
        let batches = self.0.read(request).map(move |batch| {
            let batch = batch?;
            if ordered(&batch, &column, &mut last) { Ok(batch) } else { Err(disorder(&table)) }
        });
        // An error is the end.
        Box::pin(batches.take_while(move |batch| {
            let before = std::mem::replace(&mut failed, batch.is_err());
            std::future::ready(!before)
        }))
    }
}

/// Tells whether no cursor is smaller than one before it. Rows without one come first; what cannot be read has no place.
fn ordered(batch: &Batch, column: &str, last: &mut Option<i64>) -> bool {
    let Some(column) = batch.column(column) else { return true };
    (0..column.len()).all(|row| {
        let cell = column.cell(row);
        let Some(rank) = rank(&cell) else { return !(cell.null() && last.is_some()) };
        last.replace(rank).is_none_or(|last| last <= rank)
    })
}

fn disorder(table: &TableRef) -> ConnectorError {
    ConnectorError::new(ErrorKind::Unavailable, format!("rows of {table} came out of order"))
        .hint("a page of the result was repeated or left out; it is read again by itself")
        .incomplete()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cell, Column, Type};

    fn batch(cursors: &[Option<i128>]) -> Batch {
        let mut column = Column::new("c", Type::Int, false);
        cursors.iter().for_each(|cursor| column.push(cursor.map_or(Cell::Null, Cell::Int)));
        Batch { columns: vec![column] }
    }

    #[test]
    fn a_cursor_below_one_before_it_shows() {
        let all = |batches: &[&[Option<i128>]]| {
            let mut last = None;
            batches.iter().all(|cursors| ordered(&batch(cursors), "c", &mut last))
        };
        assert!(all(&[&[None, None], &[None, Some(1), Some(1)], &[Some(1), Some(2)]]));
        assert!(all(&[&[Some(i128::from(i64::MAX))], &[Some(i128::from(i64::MAX))]]));
        assert!(!all(&[&[Some(1), Some(2)], &[Some(1)]]));
        assert!(!all(&[&[Some(2), Some(1)]]));
        assert!(!all(&[&[Some(2)], &[None]]));
    }
}
