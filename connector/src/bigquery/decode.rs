//! Pages into batches: a batch may span pages, and each page must go on where the one before ended.

use std::collections::VecDeque;

use super::rows::{self, Sink};
use super::types::Native;
use crate::{Batch, Cell, ConnectorError, Cursor, ErrorKind, Position, ReadRequest, Result, Watermark};

/// How large batches and cells become.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most rows of a batch.
    pub rows: usize,
    /// About the most bytes of a batch.
    pub bytes: usize,
    /// The most bytes of one cell.
    pub cell: usize,
}

/// What the first row of a page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum First {
    /// A row like the others.
    New,
    /// The last row of the page before, asked for again to see that nothing lies between.
    Again,
    /// In a new result that goes on at a position, perhaps the row that was already handed over.
    At(Position),
}

/// Turns pages into batches.
pub struct Decoder {
    natives: Vec<Native>,
    limits: Limits,
    cursor: Cursor,
    key: Vec<String>,
    open: Batch,
    bytes: usize,
    full: VecDeque<Batch>,
    /// The last row of all.
    last: Option<Batch>,
    first: First,
    /// Where the first row is read to, while it is not known what it is.
    trial: Option<Batch>,
    /// How many rows of the page at hand are part of the result and were not counted before.
    counted: u64,
    torn: bool,
}

impl Decoder {
    /// Starts before the first page of a result with these columns.
    pub fn new(natives: Vec<Native>, request: &ReadRequest) -> Self {
        let limits = Limits {
            rows: request.batch_rows.max(1),
            bytes: request.batch_bytes.max(1),
            cell: request.cell_bytes,
        };
        Self {
            open: rows::empty(&natives),
            natives,
            limits,
            cursor: request.cursor.clone(),
            key: request.key.clone(),
            bytes: 0,
            full: VecDeque::new(),
            last: None,
            first: First::New,
            trial: None,
            counted: 0,
            torn: false,
        }
    }

    /// Reads a page; gives how many rows of the result it brought.
    ///
    /// # Errors
    /// `Unavailable` when the page does not go on where the one before ended, `Protocol` when it is no page of these
    /// columns.
    pub fn page(&mut self, body: &[u8], first: First) -> Result<u64> {
        (self.counted, self.torn) = (0, false);
        self.trial = (first != First::New).then(|| rows::empty(&self.natives));
        self.first = first;
        let natives = std::mem::take(&mut self.natives);
        let read = rows::read(body, &natives, self);
        self.natives = natives;
        // Where the last row should have come again, a page without rows goes on nowhere.
        self.torn |= self.trial.take().is_some() && self.first == First::Again;
        if self.torn {
            let message = "a page of the result repeats or leaves out rows";
            return Err(ConnectorError::new(ErrorKind::Unavailable, message)
                .hint("nothing was lost: the next run goes on from the last row that is certain"));
        }
        read.map_err(|error| {
            ConnectorError::new(ErrorKind::Protocol, "a page of BigQuery's result cannot be understood")
                .detail(error.to_string())
        })?;
        let newest = if self.open.rows() > 0 { Some(&self.open) } else { self.full.back() };
        if let Some(batch) = newest.filter(|_| self.counted > 0) {
            self.last = Some(rows::single(batch, batch.rows() - 1));
        }
        Ok(self.counted)
    }

    /// A batch that is full.
    pub fn full(&mut self) -> Option<Batch> {
        self.full.pop_front()
    }

    /// The rows that are left once there are no more pages.
    pub fn rest(&mut self) -> Option<Batch> {
        (self.open.rows() > 0).then(|| self.close())
    }

    /// Whether any row came so far.
    pub fn begun(&self) -> bool {
        self.last.is_some()
    }

    /// Where the last row stands; nothing when it has no cursor.
    pub fn position(&self) -> Option<Position> {
        self.place(self.last.as_ref()?)
    }

    fn place(&self, row: &Batch) -> Option<Position> {
        let cell = |name: &String| row.column(name).map(|column| column.cell(0));
        let watermark = Watermark::of(self.cursor.kind, &cell(&self.cursor.column)?)?;
        let key: Option<Vec<String>> =
            self.key.iter().map(|name| cell(name).and_then(|cell: Cell<'_>| cell.key())).collect();
        Some(Position { watermark, key: key.unwrap_or_default() })
    }

    fn close(&mut self) -> Batch {
        self.bytes = 0;
        let empty = Batch {
            columns: self
                .open
                .columns
                .iter()
                .map(|column| crate::Column::new(column.name(), column.kind(), false))
                .collect(),
        };
        std::mem::replace(&mut self.open, empty)
    }

    fn appended(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.open.rows() >= self.limits.rows || self.bytes >= self.limits.bytes {
            let batch = self.close();
            self.full.push_back(batch);
        }
    }
}

impl Sink for Decoder {
    fn row(&mut self) -> (&mut Batch, usize) {
        (self.trial.as_mut().unwrap_or(&mut self.open), self.limits.cell)
    }

    fn done(&mut self, bytes: usize) -> std::result::Result<(), String> {
        let Some(row) = self.trial.take() else {
            self.counted += 1;
            self.appended(bytes);
            return Ok(());
        };
        match &self.first {
            First::Again => {
                let same = self.last.as_ref().is_some_and(|last| last.fingerprint() == row.fingerprint());
                self.torn = !same;
                return if same { Ok(()) } else { Err("not the row that was last".to_owned()) };
            }
            First::At(position) if self.place(&row).as_ref() == Some(position) => {}
            First::At(_) | First::New => {
                for (column, came) in self.open.columns.iter_mut().zip(&row.columns) {
                    column.push(came.cell(0));
                }
                self.appended(bytes);
            }
        }
        self.counted += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Cost, CursorKind, NullCursors, RunTag, TableRef};

    fn decoder(rows: usize) -> Decoder {
        let native = |name: &str| {
            Native::of(&serde_json::from_value(json!({"name": name, "type": "INT64"})).expect("it"))
        };
        let request = ReadRequest {
            table: TableRef { catalog: None, schema: None, name: "t".to_owned() },
            columns: vec!["at".to_owned(), "id".to_owned()],
            cursor: Cursor { column: "at".to_owned(), kind: CursorKind::Int },
            key: vec!["id".to_owned()],
            from: None,
            until: None,
            nulls: NullCursors::Skip,
            batch_rows: rows,
            batch_bytes: 1 << 20,
            cell_bytes: 1 << 20,
            tag: RunTag::default(),
            cost: Cost::default(),
        };
        Decoder::new(vec![native("at"), native("id")], &request)
    }

    fn page(ids: std::ops::Range<i64>) -> Vec<u8> {
        let rows: Vec<_> = ids.map(|id| json!({"f": [{"v": "7"}, {"v": id.to_string()}]})).collect();
        json!({"kind": "page", "rows": rows, "totalRows": "9"}).to_string().into_bytes()
    }

    fn ids(batch: &Batch) -> Vec<String> {
        (0..batch.rows()).map(|row| batch.columns[1].cell(row).to_string()).collect()
    }

    #[test]
    fn batches_span_pages_and_hold_each_row_once() {
        let mut decoder = decoder(4);
        assert_eq!(decoder.page(&page(0..3), First::New).expect("a page"), 3);
        assert_eq!(decoder.page(&page(2..6), First::Again).expect("a page"), 3);
        assert_eq!(
            decoder.full().as_ref().map(ids),
            Some(vec!["0".into(), "1".into(), "2".into(), "3".into()])
        );
        assert!(decoder.full().is_none());
        assert_eq!(decoder.position().map(|position| position.key), Some(vec!["5".to_owned()]));
        assert_eq!(decoder.rest().as_ref().map(ids), Some(vec!["4".into(), "5".into()]));
        assert!(decoder.rest().is_none());
    }

    #[test]
    fn pitfall_17_a_repeated_or_skipped_page_is_found_before_any_of_its_rows_is_handed_over() {
        for wrong in [0..3, 3..6, 1..2, 0..0] {
            let mut decoder = decoder(4);
            decoder.page(&page(0..3), First::New).expect("a page");
            let error = decoder.page(&page(wrong), First::Again).expect_err("it must be found");
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert_eq!(decoder.rest().map(|batch| batch.rows()), Some(3));
        }
    }

    #[test]
    fn a_new_result_goes_on_after_the_row_that_was_last() {
        let stood = |decoder: &Decoder| First::At(decoder.position().expect("a position"));
        let mut decoder = decoder(10);
        decoder.page(&page(0..3), First::New).expect("a page");
        let first = stood(&decoder);
        assert_eq!(decoder.page(&page(2..5), first).expect("a page"), 3, "the row is part of the new result");
        // The row that was last is gone meanwhile.
        let first = stood(&decoder);
        assert_eq!(decoder.page(&page(5..6), first).expect("a page"), 1);
        assert_eq!(decoder.rest().map(|batch| ids(&batch).join("")), Some("012345".to_owned()));
    }

    #[test]
    fn rows_of_another_shape_are_no_page() {
        for rows in [
            json!([{"f": [{"v": "7"}]}]),
            json!([{"f": [{"v": "7"}, {"v": "1"}, {"v": "2"}]}]),
            json!([{"v": []}]),
            json!({"f": []}),
            json!([{"f": [{"v": "7"}, {"v": {"f": []}}]}]),
        ] {
            let body = json!({"rows": rows}).to_string();
            let error = decoder(4).page(body.as_bytes(), First::New).expect_err("it must be refused");
            assert_eq!(error.kind(), ErrorKind::Protocol, "{body}");
        }
        let half = &page(0..3)[..40];
        assert!(decoder(4).page(half, First::New).is_err());
    }
}
