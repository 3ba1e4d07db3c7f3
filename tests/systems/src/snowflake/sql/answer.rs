//! The result of a statement: columns, and rows that are encoded when they are fetched.

use std::ops::Range;

use super::encode;
use super::error::Outcome;
use super::eval::Node;
use super::source::Source;
use super::types::Column;
use super::value::Value;

/// Which rows of the source a result has, in its order.
#[derive(Clone, Debug)]
pub enum Picks {
    /// These, in a row.
    Range(Range<usize>),
    /// These.
    Listed(Vec<u32>),
}

impl Picks {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Range(range) => range.len(),
            Self::Listed(rows) => rows.len(),
        }
    }

    fn at(&self, index: usize) -> usize {
        match self {
            Self::Range(range) => range.start + index,
            Self::Listed(rows) => rows.get(index).map_or(usize::MAX, |row| *row as usize),
        }
    }
}

/// A result.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its columns.
    pub columns: Vec<Column>,
    /// The table they are from, when there is one.
    pub table: [String; 3],
    source: Source,
    picks: Picks,
    /// For each column, what of the source's row it is: columns and constants only.
    cells: Vec<Node>,
    /// Rows inserted, updated and deleted, for statements that change rows.
    pub stats: Option<[usize; 3]>,
}

impl Answer {
    /// A result of rows that have been made.
    pub fn of(columns: Vec<Column>, rows: Vec<Vec<Value>>) -> Self {
        let picks = Picks::Range(0..rows.len());
        let cells = (0..columns.len()).map(Node::Column).collect();
        Self { columns, table: Default::default(), source: Source::of(rows), picks, cells, stats: None }
    }

    /// A result of some of a source's rows, whose cells are columns of it or constants.
    pub fn picked(columns: Vec<Column>, source: Source, picks: Picks, cells: Vec<Node>) -> Self {
        Self { columns, table: Default::default(), source, picks, cells, stats: None }
    }

    /// `Statement executed successfully.`
    pub fn done(text: impl Into<String>) -> Self {
        Self::of(vec![Column::new("status", super::types::Type::TEXT)], vec![vec![Value::text(text.into())]])
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.picks.len()
    }

    /// Whether its rows are made on demand.
    pub fn is_made(&self) -> bool {
        matches!(self.source, Source::Made(_))
    }

    /// Its first rows only.
    pub fn limit(&mut self, rows: usize) {
        match &mut self.picks {
            Picks::Range(range) => range.end = range.end.min(range.start.saturating_add(rows)),
            Picks::Listed(listed) => listed.truncate(rows),
        }
    }

    /// Without its first rows, and of the others so many.
    pub fn cut(&mut self, offset: usize, limit: Option<usize>) {
        match &mut self.picks {
            Picks::Range(range) => range.start = (range.start + offset).min(range.end),
            Picks::Listed(listed) => drop(listed.drain(..offset.min(listed.len()))),
        }
        self.limit(limit.unwrap_or(usize::MAX));
    }

    /// All rows.
    pub fn rows(&self) -> Outcome<Vec<Vec<Value>>> {
        (0..self.len())
            .map(|index| {
                let row = self.source.row(self.picks.at(index));
                self.cells.iter().map(|cell| Ok(cell.plain(&row).clone())).collect()
            })
            .collect()
    }

    /// Some rows as `data` has them: an array of arrays of strings.
    pub fn encode(&self, rows: Range<usize>, nullable: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(rows.len() * self.cells.len() * 24 + 2);
        out.push(b'[');
        for index in rows.clone() {
            out.extend_from_slice(if index == rows.start { b"[" } else { b",[" });
            let row = self.source.row(self.picks.at(index));
            for (number, cell) in self.cells.iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                encode::cell(&mut out, cell.plain(&row), nullable);
            }
            out.push(b']');
        }
        out.push(b']');
        out
    }
}
