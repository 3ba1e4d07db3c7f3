//! From rows to readings: what each row says, or why it cannot be said.
//!
//! Pure: no database, no clock. Preview, run and replay call the same [`Mapper`].

use std::collections::HashSet;

use chrono_tz::Tz;
use connector::{Batch, Strings};
use rustc_hash::FxBuildHasher;

use super::cells::{number, push_value};
use super::dictionary::Dictionary;
use super::paths::{Drawn, Paths};
use super::reject::{Reason, Reject, row_json};
use super::row_identity::Twin;
use super::time::instant;

/// No metric column: the reading is of a long-form row.
pub const LONG: u32 = u32::MAX;

/// Where the roles are: in a batch's columns, or at paths into them.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The paths, whose places follow those of the columns.
    pub paths: Paths,
    /// The external account ID.
    pub account: usize,
    /// The metric and its value.
    pub metrics: Metrics,
    /// The time the value is of.
    pub measured_at: usize,
    /// The zone of times that carry none.
    pub zone: Option<Tz>,
    /// The business period.
    pub period: Option<usize>,
    /// The product.
    pub product: Option<usize>,
    /// The cursor; `None` where rows are mapped again and the cursor is known.
    pub cursor: Option<usize>,
    /// Rows with a null cursor are rejected; otherwise they are older than all others.
    pub reject_null_cursor: bool,
    /// The highest believable cursor rank, if the cursor is a time.
    pub cursor_cap: Option<i64>,
    /// The row key.
    pub key: Vec<usize>,
    /// A longer cell makes its row rejected, in bytes.
    pub cell_bytes: usize,
}

/// Long or wide.
#[derive(Clone, Debug)]
pub enum Metrics {
    /// A metric column and a value column.
    Long {
        /// The external metric ID.
        metric: usize,
        /// The value.
        value: usize,
    },
    /// Each column is a metric.
    Wide(Vec<usize>),
}

/// What one row, or one cell of a wide row, says. Texts are numbers in the mapper's [`Dictionary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its row's place in the batch.
    pub row: u32,
    /// The external account ID.
    pub account: u32,
    /// The external metric ID.
    pub metric: u32,
    /// The product; the empty text when there is none.
    pub product: u32,
    /// The business period; the empty text when there is none.
    pub period: u32,
    /// The value's place in [`Mapped::values`].
    pub value: u32,
    /// The metric column of a wide row, or [`LONG`].
    pub part: u32,
    /// Microseconds since 1970, UTC.
    pub measured_at: i64,
}

/// What the rows of a batch say.
#[derive(Debug, Default)]
pub struct Mapped {
    /// The readings in row order.
    pub readings: Vec<Reading>,
    /// Canonical decimals.
    pub values: Strings,
    /// Per row, its key as text.
    pub keys: Strings,
    /// Per row, its cursor's rank.
    pub cursors: Vec<i64>,
    /// The rows that say nothing, in row order.
    pub rejects: Vec<Reject>,
    /// Rows that were mapped.
    pub rows_mapped: u64,
    /// The places of rows delivered again, in order: the same in every cell as the row before, whose rest stays waiting.
    pub repeated: Vec<u32>,
    /// Cells or rows without a value.
    pub null_cells: u64,
    /// Rows without a cursor.
    pub null_cursors: u64,
}

/// Maps the batches of one read, in order.
#[derive(Debug)]
pub struct Mapper {
    pub(super) layout: Layout,
    texts: Dictionary,
    /// Cursor, key and cells of the last row, to tell a repeated row across batches.
    pub(super) last: Option<(i64, String, String)>,
}

impl Mapper {
    /// Starts at the first row of a read.
    pub fn new(layout: Layout) -> Self {
        Self { layout, texts: Dictionary::default(), last: None }
    }

    /// The texts behind the numbers of readings.
    pub fn texts(&self) -> &Dictionary {
        &self.texts
    }

    /// Tells whether a column, by its place, is part of the row key.
    pub fn in_key(&self, column: usize) -> bool {
        self.layout.key.contains(&column)
    }

    /// What was at fault in a rejected row: the column, with the path if it is one, and its text.
    pub fn at_fault<'a>(&'a self, batch: &'a Batch, reject: &Reject) -> (&'a str, String) {
        let paths = &self.layout.paths;
        (paths.name(batch, reject.place), paths.text(batch, reject.row as usize, reject.place))
    }

    /// Sets the highest believable cursor rank.
    pub fn cap(&mut self, cap: Option<i64>) {
        self.layout.cursor_cap = cap;
    }

    /// Forgets all numbers given out; readings made before must not be used afterwards.
    pub fn forget_texts(&mut self) {
        self.texts = Dictionary::default();
    }

    /// Maps the next batch.
    pub fn map(&mut self, batch: &Batch) -> Mapped {
        let rows = batch.rows();
        let mut mapped = Mapped { cursors: Vec::with_capacity(rows), ..Mapped::default() };
        mapped.readings.reserve(rows);
        let mut scratch = String::new();
        let mut drawn = Drawn::default();
        let mut seen = HashSet::with_capacity_and_hasher(rows, FxBuildHasher);
        for row in 0..rows {
            let keyed = self.row_key(batch, row, &mut mapped);
            let ranked = self.rank(batch, row, &mut mapped);
            let outcome = match (keyed, ranked) {
                (Err(column), _) => Err((Reason::NullKey, column)),
                (_, Err(refused)) => Err(refused),
                (Ok(()), Ok(())) => match self.twin(batch, row, &mapped, &mut seen) {
                    Twin::None => {
                        self.layout.paths.draw(batch, row, &mut drawn);
                        self.readings(batch, row, &drawn, &mut mapped, &mut scratch)
                    }
                    Twin::Same => {
                        mapped.repeated.push(row as u32);
                        continue;
                    }
                    Twin::Different => {
                        Err((Reason::KeyNotUnique, self.layout.key.first().copied().unwrap_or(0)))
                    }
                },
            };
            match outcome {
                Ok(()) => mapped.rows_mapped += 1,
                Err((reason, place)) => mapped.rejects.push(Reject { row: row as u32, reason, place }),
            }
        }
        if rows > 0 {
            let mut json = String::new();
            row_json(batch, rows - 1, &mut json);
            self.last = Some((mapped.cursors[rows - 1], mapped.keys.get(rows - 1).to_owned(), json));
        }
        mapped
    }

    /// Appends the row's readings; none of them when one cell is unusable.
    fn readings(
        &mut self,
        batch: &Batch,
        row: usize,
        drawn: &Drawn<'_>,
        mapped: &mut Mapped,
        scratch: &mut String,
    ) -> Result<(), (Reason, usize)> {
        let layout = &self.layout;
        let texts = &mut self.texts;
        let at = |place: usize| layout.paths.cell(batch, row, place, drawn).map_err(|reason| (reason, place));
        let mut identity = |place: usize| {
            number(texts, &at(place)?, layout.cell_bytes, scratch).map_err(|reason| (reason, place))
        };
        let account = identity(layout.account)?.ok_or((Reason::NullKey, layout.account))?;
        let time = at(layout.measured_at)?;
        let measured_at = instant(&time, layout.zone)
            .map_err(|reason| (if time.null() { Reason::NullKey } else { reason }, layout.measured_at))?;
        let mut optional = |place: Option<usize>| place.map_or(Ok(None), &mut identity);
        let (period, product) = (optional(layout.period)?, optional(layout.product)?);
        let metric = match &layout.metrics {
            Metrics::Long { metric, .. } => identity(*metric)?.ok_or((Reason::NullKey, *metric))?,
            Metrics::Wide(_) => 0,
        };
        let mut reading = Reading {
            row: row as u32,
            account,
            metric,
            product: product.unwrap_or_else(|| texts.number("")),
            period: period.unwrap_or_else(|| texts.number("")),
            value: 0,
            part: LONG,
            measured_at,
        };
        let mut value =
            |place: usize| push_value(&at(place)?, &mut mapped.values).map_err(|reason| (reason, place));
        match &layout.metrics {
            Metrics::Long { value: place, .. } => match value(*place)? {
                Some(place) => mapped.readings.push(Reading { value: place, ..reading }),
                None => mapped.null_cells += 1,
            },
            Metrics::Wide(places) => {
                let start = mapped.readings.len();
                let mut nulls = 0;
                for place in places {
                    match value(*place) {
                        Ok(Some(number)) => {
                            reading.metric = texts.number(layout.paths.name(batch, *place));
                            reading.part = *place as u32;
                            mapped.readings.push(Reading { value: number, ..reading });
                        }
                        Ok(None) => nulls += 1,
                        Err(refused) => {
                            mapped.readings.truncate(start);
                            return Err(refused);
                        }
                    }
                }
                mapped.null_cells += nulls;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
