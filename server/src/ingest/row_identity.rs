//! Which row a row is: its key, its cursor, and whether it came before.

use std::collections::HashSet;
use std::fmt::Write;
use std::hash::BuildHasher;

use connector::{Batch, Cell, cursor};
use rustc_hash::FxBuildHasher;

use super::cells::holds_nul;
use super::mapping::{Mapped, Mapper};
use super::reject::{Reason, fingerprint, push_json_text, row_json};

/// A longer row key is stored as its fingerprint: databases bound what an index entry may hold.
const KEY_BYTES: usize = 500;

/// Whether another row has the same key.
pub(super) enum Twin {
    /// None has.
    None,
    /// One that is the same in every cell.
    Same,
    /// One that differs.
    Different,
}

impl Mapper {
    /// Appends the row's key as text; the column at fault when part of it is null or unusable.
    pub(super) fn row_key(&self, batch: &Batch, row: usize, mapped: &mut Mapped) -> Result<(), usize> {
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
    pub(super) fn rank(&self, batch: &Batch, row: usize, mapped: &mut Mapped) -> Result<(), (Reason, usize)> {
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
    pub(super) fn twin(
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
}
