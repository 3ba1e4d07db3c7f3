//! A table summed up slice by slice of its cursor, so that what was taken in can be compared without reading every row.
//!
//! A slice is a day for times and days, in UTC or on the wall clock of the column, and a block of [`BLOCK`] for
//! integers. Rows in which no value column holds anything say nothing and are left out, as are rows without a cursor.

use std::collections::BTreeMap;
use std::fmt::Write;

use futures::StreamExt;

use crate::decimal::{self, Sum};
use crate::{
    Batch, BatchStream, Cell, Column, ConnectorError, Cost, Cursor, CursorKind, ErrorKind, Moment,
    NullCursors, Position, ReadRequest, Result, RunTag, TableRef, Watermark, cursor,
};

/// How many integers are in a slice.
pub const BLOCK: i64 = 100_000;

/// Nanoseconds of a day.
const DAY: i64 = 86_400_000_000_000;

/// What to sum up: all rows with `from <= cursor <= until`.
#[derive(Clone, Debug)]
pub struct SliceRequest {
    /// The table.
    pub table: TableRef,
    /// The column whose slices are meant.
    pub cursor: Cursor,
    /// The columns whose values are counted and added up.
    pub values: Vec<String>,
    /// The closed lower bound.
    pub from: Watermark,
    /// The closed upper bound.
    pub until: Watermark,
    /// Who asks.
    pub tag: RunTag,
    /// Where the connector adds up what this costs at the system.
    pub cost: Cost,
}

/// What a table holds in one slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Which slice: days since 1970-01-01, or the greatest whole number of blocks not above its integers.
    pub number: i64,
    /// The greatest cursor, with every digit.
    pub newest: Watermark,
    /// Per value column, in the order asked for, what it holds.
    pub values: Vec<Held>,
}

/// What one column holds in one slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Cells that are not null.
    pub filled: u64,
    /// Their exact sum in canonical digits; none where the system cannot add them up exactly, as with binary floats.
    pub sum: Option<String>,
}

/// How many of a cursor's ranks a slice holds.
pub fn width(kind: CursorKind) -> i64 {
    match kind {
        CursorKind::Int => BLOCK,
        CursorKind::Date => 1,
        CursorKind::Naive | CursorKind::Zoned => DAY,
    }
}

/// The slice a rank is in.
pub fn number_of(kind: CursorKind, rank: i64) -> i64 {
    rank.div_euclid(width(kind))
}

/// The first and the last cursor a slice can hold; `None` beyond what a cursor can be.
pub fn edges(kind: CursorKind, number: i64) -> Option<(Watermark, Watermark)> {
    let mark = |cell: Cell<'_>| Watermark::of(kind, &cell);
    let ends = |first: Moment, last: Moment| match kind {
        CursorKind::Naive => Some((mark(Cell::Naive(first))?, mark(Cell::Naive(last))?)),
        _ => Some((mark(Cell::Zoned(first))?, mark(Cell::Zoned(last))?)),
    };
    match kind {
        CursorKind::Int => {
            let first = i128::from(number) * i128::from(BLOCK);
            Some((mark(Cell::Int(first))?, mark(Cell::Int(first + i128::from(BLOCK) - 1))?))
        }
        CursorKind::Date => {
            let day = i32::try_from(number).ok()?;
            Some((mark(Cell::Date(day))?, mark(Cell::Date(day))?))
        }
        CursorKind::Naive | CursorKind::Zoned => {
            let seconds = number.checked_mul(86_400)?;
            let last = Moment { seconds: seconds.checked_add(86_399)?, nanos: 999_999_999 };
            ends(Moment { seconds, nanos: 0 }, last)
        }
    }
}

impl SliceRequest {
    /// The columns concerned: the cursor, then the values.
    pub(crate) fn columns(&self) -> Vec<String> {
        std::iter::once(&self.cursor.column).chain(&self.values).cloned().collect()
    }

    /// The read of the same rows, for what checks a cursor and its bounds, or adds up by itself.
    pub fn as_read(&self) -> ReadRequest {
        let mut columns = self.columns();
        let mut seen = std::collections::HashSet::new();
        columns.retain(|name| seen.insert(name.clone()));
        ReadRequest {
            table: self.table.clone(),
            columns,
            cursor: self.cursor.clone(),
            key: Vec::new(),
            from: Some(Position { watermark: self.from.clone(), key: Vec::new() }),
            until: Some(self.until.clone()),
            nulls: NullCursors::Skip,
            batch_rows: 10_000,
            batch_bytes: 4 << 20,
            cell_bytes: 4 << 10,
            tag: self.tag.clone(),
            cost: self.cost.clone(),
        }
    }

    /// Takes the answer of a statement that made a row per slice: its number, the greatest cursor, then for each value
    /// column how many cells it holds and their sum, null where that is not exact.
    pub(crate) fn take(&self, batch: &Batch) -> Result<Vec<Slice>> {
        if batch.rows() > 0 && batch.columns.len() != 2 + 2 * self.values.len() {
            return Err(garbled(&self.table));
        }
        (0..batch.rows()).map(|row| self.row(batch, row).ok_or_else(|| garbled(&self.table))).collect()
    }

    fn row(&self, batch: &Batch, row: usize) -> Option<Slice> {
        let at = |column: usize| batch.columns[column].cell(row);
        let held = |place: usize| {
            let filled = u64::try_from(whole(&at(2 + 2 * place))?).ok()?;
            let sum = if filled == 0 { Some("0".to_owned()) } else { digits(&at(3 + 2 * place)) };
            Some(Held { filled, sum })
        };
        Some(Slice {
            number: i64::try_from(whole(&at(0))?).ok()?,
            newest: Watermark::of(self.cursor.kind, &at(1))?,
            values: (0..self.values.len()).map(held).collect::<Option<_>>()?,
        })
    }
}

/// What a statement selects to make a row per slice, as [`SliceRequest::take`] reads it.
pub(crate) struct Sums {
    /// A slice's number, the greatest cursor, then for each value column how many cells it holds and their sum.
    pub list: String,
    /// The condition that a row has any value.
    pub filled: String,
}

impl Sums {
    /// Of columns, each by its quoted name and what adds it up; `count` is the function's name. Nothing when there are
    /// none, since then no row can say anything.
    pub fn new(
        number: &str,
        greatest: &str,
        count: &str,
        columns: impl IntoIterator<Item = (String, String)>,
    ) -> Option<Self> {
        let (mut list, mut filled) = (format!("{number}, {greatest}"), Vec::new());
        for (name, sum) in columns {
            write!(list, ", {count}({name}), {sum}").expect("writing to a String cannot fail");
            filled.push(format!("{name} IS NOT NULL"));
        }
        (!filled.is_empty()).then(|| Self { list, filled: format!("({})", filled.join(" OR ")) })
    }
}

/// A whole number, in whatever type a system counts.
fn whole(cell: &Cell<'_>) -> Option<i128> {
    match cell {
        Cell::Int(value) => Some(*value),
        Cell::Decimal(text) | Cell::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// The digits of an exact number.
fn digits(cell: &Cell<'_>) -> Option<String> {
    match cell {
        Cell::Int(value) => Some(value.to_string()),
        Cell::Decimal(text) | Cell::Text(text) => decimal::canonicalize(text),
        _ => None,
    }
}

fn garbled(table: &TableRef) -> ConnectorError {
    ConnectorError::new(ErrorKind::Protocol, format!("the sums of table {table} cannot be read"))
}

/// Slices added up here, row by row. Floats count with the digits they are read with; what is no number counts as filled
/// and adds nothing.
#[derive(Debug)]
pub struct Adding {
    kind: CursorKind,
    open: BTreeMap<i64, Open>,
}

#[derive(Debug)]
struct Open {
    newest: (i64, Watermark),
    values: Vec<(u64, Sum)>,
}

impl Adding {
    /// Starts with no row, for a cursor of that kind.
    pub fn new(kind: CursorKind) -> Self {
        Self { kind, open: BTreeMap::new() }
    }

    /// Adds the rows of a batch: their cursors, and their values column by column.
    pub fn add(&mut self, cursors: &Column, values: &[&Column]) {
        for row in 0..cursors.len() {
            let cell = cursors.cell(row);
            let (Some(rank), Some(mark)) = (cursor::rank(&cell), Watermark::of(self.kind, &cell)) else {
                continue;
            };
            if values.iter().all(|column| column.cell(row).null()) {
                continue;
            }
            let slice = self.open.entry(number_of(self.kind, rank)).or_insert_with(|| Open {
                newest: (rank, mark.clone()),
                values: vec![(0, Sum::default()); values.len()],
            });
            if rank >= slice.newest.0 {
                slice.newest = (rank, mark);
            }
            for (column, (filled, sum)) in values.iter().zip(&mut slice.values) {
                let cell = column.cell(row);
                if !cell.null() {
                    *filled += 1;
                    sum.add_cell(&cell);
                }
            }
        }
    }

    /// The slices in order.
    pub fn slices(self) -> Vec<Slice> {
        let held = |(filled, sum): (u64, Sum)| Held { filled, sum: Some(sum.digits()) };
        let slice = |(number, open): (i64, Open)| Slice {
            number,
            newest: open.newest.1,
            values: open.values.into_iter().map(held).collect(),
        };
        self.open.into_iter().map(slice).collect()
    }
}

/// Sums up the rows of a read here, for systems that are not asked to.
///
/// # Errors
/// What the read ends in.
pub(crate) async fn of_read(request: &SliceRequest, mut rows: BatchStream) -> Result<Vec<Slice>> {
    let mut adding = Adding::new(request.cursor.kind);
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        let column = |name: &String| batch.column(name).ok_or_else(|| garbled(&request.table));
        let values = request.values.iter().map(column).collect::<Result<Vec<_>>>()?;
        adding.add(column(&request.cursor.column)?, &values);
    }
    Ok(adding.slices())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_ends_where_the_next_begins() {
        for (kind, number, first, last) in [
            (CursorKind::Int, -1, "-100000", "-1"),
            (CursorKind::Int, 3, "300000", "399999"),
            (CursorKind::Date, 20_512, "2026-02-28", "2026-02-28"),
            (CursorKind::Naive, -1, "1969-12-31 00:00:00", "1969-12-31 23:59:59.999999999"),
            (CursorKind::Zoned, 20_512, "2026-02-28T00:00:00Z", "2026-02-28T23:59:59.999999999Z"),
        ] {
            let edges = edges(kind, number).expect("a slice of this time");
            assert_eq!((edges.0.text.as_str(), edges.1.text.as_str()), (first, last));
            for edge in [edges.0, edges.1] {
                assert_eq!(number_of(kind, edge.rank().expect("a cursor")), number, "{}", edge.text);
            }
        }
        assert_eq!(edges(CursorKind::Date, i64::MAX), None);
    }
}
