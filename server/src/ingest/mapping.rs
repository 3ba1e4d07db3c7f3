//! From rows to readings: what each row says, or why it cannot be said.
//!
//! Pure: no database, no clock. Preview, run and replay call the same [`Mapper`].

use std::collections::HashSet;
use std::fmt::Write;
use std::hash::BuildHasher;

use chrono_tz::Tz;
use connector::{Batch, Cell, Strings, cursor};
use rustc_hash::FxBuildHasher;

use super::cells::{holds_nul, number, push_value};
use super::dictionary::Dictionary;
use super::reject::{Reason, Reject, fingerprint, push_json_text, row_json};
use super::time::instant;

/// No metric column: the reading is of a long-form row.
pub const LONG: u32 = u32::MAX;
/// A longer row key is stored as its fingerprint: databases bound what an index entry may hold.
const KEY_BYTES: usize = 500;

/// Where the roles are in a batch's columns.
#[derive(Clone, Debug)]
pub struct Layout {
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
    layout: Layout,
    texts: Dictionary,
    /// Cursor, key and cells of the last row, to tell a repeated row across batches.
    last: Option<(i64, String, String)>,
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
        let mut seen = HashSet::with_capacity_and_hasher(rows, FxBuildHasher);
        for row in 0..rows {
            let keyed = self.row_key(batch, row, &mut mapped);
            let ranked = self.rank(batch, row, &mut mapped);
            let outcome = match (keyed, ranked) {
                (Err(column), _) => Err((Reason::NullKey, column)),
                (_, Err(refused)) => Err(refused),
                (Ok(()), Ok(())) => match self.twin(batch, row, &mapped, &mut seen) {
                    Twin::None => self.readings(batch, row, &mut mapped, &mut scratch),
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
                Err((reason, column)) => mapped.rejects.push(Reject { row: row as u32, reason, column }),
            }
        }
        if rows > 0 {
            let mut json = String::new();
            row_json(batch, rows - 1, &mut json);
            self.last = Some((mapped.cursors[rows - 1], mapped.keys.get(rows - 1).to_owned(), json));
        }
        mapped
    }

    /// Appends the row's key as text; the column at fault when part of it is null or unusable.
    fn row_key(&self, batch: &Batch, row: usize, mapped: &mut Mapped) -> Result<(), usize> {
        let out = mapped.keys.buffer();
        let start = out.len();
        let mut wrong = None;
        let mut part = String::new();
        let single = self.layout.key.len() == 1;
        if !single {
            out.push('[');
        }
        for (place, index) in self.layout.key.iter().enumerate() {
            let cell = batch.columns[*index].cell(row);
            if matches!(cell, Cell::Null | Cell::Unreadable(_)) || holds_nul(&cell) {
                wrong = wrong.or(Some(*index));
            }
            if single {
                match cell {
                    Cell::Text(text) | Cell::Decimal(text) => out.push_str(text),
                    other => write!(out, "{other}").expect("writing to a String cannot fail"),
                }
            } else {
                part.clear();
                write!(part, "{cell}").expect("writing to a String cannot fail");
                if place > 0 {
                    out.push(',');
                }
                push_json_text(&part, out);
            }
        }
        if !single {
            out.push(']');
        }
        if out.len() - start > KEY_BYTES {
            let short = fingerprint(&out[start..]);
            out.truncate(start);
            out.push_str(&short);
        }
        mapped.keys.close();
        wrong.map_or(Ok(()), Err)
    }

    /// Appends the row's cursor rank, or tells why the row must be rejected.
    fn rank(&self, batch: &Batch, row: usize, mapped: &mut Mapped) -> Result<(), (Reason, usize)> {
        let Some(index) = self.layout.cursor else {
            mapped.cursors.push(i64::MIN);
            return Ok(());
        };
        let cell = batch.columns[index].cell(row);
        let rank = cursor::rank(&cell);
        mapped.cursors.push(rank.unwrap_or(i64::MIN));
        match (cell, rank) {
            (Cell::Null, _) => {
                mapped.null_cursors += 1;
                if self.layout.reject_null_cursor { Err((Reason::NullCursor, index)) } else { Ok(()) }
            }
            (_, None) => Err((Reason::Undecodable, index)),
            (_, Some(rank)) if self.layout.cursor_cap.is_some_and(|cap| rank > cap) => {
                Err((Reason::FutureCursor, index))
            }
            _ => Ok(()),
        }
    }

    /// Finds a row of the same key in the batch, or at the end of the one before. A batch is of one moment, so there a
    /// key that occurs twice is either a row delivered again, and then its twin is its neighbor, or no key at all.
    fn twin(
        &self,
        batch: &Batch,
        row: usize,
        mapped: &Mapped,
        seen: &mut HashSet<u64, FxBuildHasher>,
    ) -> Twin {
        let (cursor, key) = (mapped.cursors[row], mapped.keys.get(row));
        if !seen.insert(FxBuildHasher.hash_one(key)) {
            let neighbor = row > 0 && cursor == mapped.cursors[row - 1] && key == mapped.keys.get(row - 1);
            let same =
                neighbor && batch.columns.iter().all(|column| column.cell(row) == column.cell(row - 1));
            return if same { Twin::Same } else { Twin::Different };
        }
        match &self.last {
            Some((last_cursor, last_key, last_json)) if *last_cursor == cursor && last_key == key => {
                let mut json = String::new();
                row_json(batch, row, &mut json);
                if *last_json == json { Twin::Same } else { Twin::Different }
            }
            _ => Twin::None,
        }
    }

    /// Appends the row's readings; none of them when one cell is unusable.
    fn readings(
        &mut self,
        batch: &Batch,
        row: usize,
        mapped: &mut Mapped,
        scratch: &mut String,
    ) -> Result<(), (Reason, usize)> {
        let layout = &self.layout;
        let at = |index: usize| batch.columns[index].cell(row);
        let account = number(&mut self.texts, &at(layout.account), layout.cell_bytes, scratch)
            .map_err(|reason| (reason, layout.account))?
            .ok_or((Reason::NullKey, layout.account))?;
        let measured_at = instant(&at(layout.measured_at), layout.zone).map_err(|reason| {
            let reason = if at(layout.measured_at).null() { Reason::NullKey } else { reason };
            (reason, layout.measured_at)
        })?;
        let mut optional = |index: Option<usize>| match index {
            Some(index) => match number(&mut self.texts, &at(index), layout.cell_bytes, scratch) {
                Ok(Some(number)) => Ok(number),
                Ok(None) => Ok(self.texts.number("")),
                Err(reason) => Err((reason, index)),
            },
            None => Ok(self.texts.number("")),
        };
        let period = optional(layout.period)?;
        let product = optional(layout.product)?;
        let mut reading = Reading {
            row: row as u32,
            account,
            metric: 0,
            product,
            period,
            value: 0,
            part: LONG,
            measured_at,
        };
        match &layout.metrics {
            Metrics::Long { metric, value } => {
                let name = number(&mut self.texts, &at(*metric), layout.cell_bytes, scratch)
                    .map_err(|reason| (reason, *metric))?
                    .ok_or((Reason::NullKey, *metric))?;
                reading.metric = name;
                match push_value(&at(*value), &mut mapped.values).map_err(|reason| (reason, *value))? {
                    Some(place) => mapped.readings.push(Reading { value: place, ..reading }),
                    None => mapped.null_cells += 1,
                }
            }
            Metrics::Wide(columns) => {
                let start = mapped.readings.len();
                let mut nulls = 0;
                for index in columns {
                    match push_value(&at(*index), &mut mapped.values) {
                        Ok(Some(place)) => {
                            reading.metric = self.texts.number(batch.columns[*index].name());
                            reading.part = *index as u32;
                            mapped.readings.push(Reading { value: place, ..reading });
                        }
                        Ok(None) => nulls += 1,
                        Err(reason) => {
                            mapped.readings.truncate(start);
                            return Err((reason, *index));
                        }
                    }
                }
                mapped.null_cells += nulls;
            }
        }
        Ok(())
    }
}

enum Twin {
    None,
    Same,
    Different,
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
