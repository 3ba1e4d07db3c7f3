//! Where rows come from: a table's rows in memory, or a function that makes them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::value::Value;

/// Makes the row of a number.
pub type Make = Box<dyn Fn(usize) -> Vec<Value> + Send + Sync>;

/// Rows that are made when they are read.
pub struct Generated {
    /// How many.
    pub rows: usize,
    /// The columns, by number, that ascending rows are sorted by.
    pub sorted: Vec<usize>,
    /// Makes one.
    pub make: Make,
}

impl fmt::Debug for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generated").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// Rows that will not change any more.
#[derive(Clone, Debug)]
pub enum Source {
    /// In memory.
    Rows(Arc<Vec<Vec<Value>>>),
    /// Made on demand.
    Made(Arc<Generated>),
}

impl Source {
    /// Rows in memory.
    pub fn of(rows: Vec<Vec<Value>>) -> Self {
        Self::Rows(Arc::new(rows))
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.len(),
            Self::Made(made) => made.rows,
        }
    }

    /// One row.
    pub fn row(&self, number: usize) -> Cow<'_, [Value]> {
        match self {
            Self::Rows(rows) => Cow::Borrowed(rows.get(number).map_or(&[][..], Vec::as_slice)),
            Self::Made(made) => Cow::Owned((made.make)(number)),
        }
    }

    /// Whether its rows stand sorted ascending by these columns.
    pub fn sorted_by(&self, columns: &[usize]) -> bool {
        matches!(self, Self::Made(made) if made.sorted.starts_with(columns))
    }
}
