//! What stands at paths in the JSON cells of a batch.
//!
//! A place below the number of columns read is a whole column; the places after it are paths into columns. A cell is
//! read once per row however many paths lead into it. Digits and texts stay as the document has them.

use std::borrow::Cow;

use connector::{Batch, Cell, Column, Type};
use rustc_hash::FxHashMap;

use super::json_cell::{self, Found, Node};
use super::reject::Reason;
use crate::domain::json_path::Path;

/// The paths of some roles.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// How many columns are read.
    width: usize,
    /// By column: the tree of the paths into it, which end in places.
    trees: FxHashMap<usize, Node>,
    /// Per path, its column and its name.
    ends: Vec<(usize, String)>,
    /// A cell of as many bytes may have been cut.
    cell_bytes: usize,
}

/// What one row has at each path.
#[derive(Debug, Default)]
pub struct Drawn<'a>(Vec<Found<'a>>);

impl Paths {
    /// No path yet, into a batch of so many columns, whose cells come cut at `cell_bytes`.
    pub fn new(width: usize, cell_bytes: usize) -> Self {
        Self { width, cell_bytes, ..Self::default() }
    }

    /// The place of a path into a column of that place and name; the same one for the same path.
    pub fn place(&mut self, column: usize, name: &str, path: &Path) -> usize {
        let next = self.ends.len();
        let end = self.trees.entry(column).or_default().end(path.steps(), next);
        if end == next {
            self.ends.push((column, path.in_column(name)));
        }
        self.width + end
    }

    /// What is called what it is in a message: the column, with the path if it is a place inside.
    pub fn name<'a>(&'a self, batch: &'a Batch, place: usize) -> &'a str {
        batch.columns.get(place).map_or_else(|| self.ends[place - self.width].1.as_str(), Column::name)
    }

    /// Reads what a row has at each path.
    pub fn draw<'a>(&self, batch: &'a Batch, row: usize, drawn: &mut Drawn<'a>) {
        drawn.0.clear();
        if self.ends.is_empty() {
            return;
        }
        drawn.0.resize(self.ends.len(), Found::Nothing);
        for (column, tree) in &self.trees {
            let cell = batch.columns[*column].cell(row);
            let refused = match cell {
                Cell::Null => continue,
                Cell::Json(text) | Cell::Text(text) => match json_cell::seek(tree, text, &mut drawn.0) {
                    Ok(()) => continue,
                    // A kept row holds what was cut as a text like any other.
                    Err(_) if text.len() >= self.cell_bytes => Found::Refused(Reason::CellTooLarge, text),
                    Err(_) => Found::Refused(Reason::NotJson, text),
                },
                Cell::Unreadable(raw) if raw.len() >= self.cell_bytes => {
                    Found::Refused(Reason::CellTooLarge, raw)
                }
                Cell::Unreadable(raw) => Found::Refused(Reason::Undecodable, raw),
                _ => Found::Refused(Reason::NotJson, ""),
            };
            for ((home, _), found) in self.ends.iter().zip(&mut drawn.0) {
                if home == column {
                    *found = refused.clone();
                }
            }
        }
    }

    /// The cell of a place: of the column, or drawn from it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn cell<'a>(
        &self,
        batch: &'a Batch,
        row: usize,
        place: usize,
        drawn: &'a Drawn<'_>,
    ) -> Result<Cell<'a>, Reason> {
        if let Some(column) = batch.columns.get(place) {
            return Ok(column.cell(row));
        }
        match &drawn.0[place - self.width] {
            Found::Nothing => Ok(Cell::Null),
            Found::Scalar(text) => Ok(Cell::Text(text)),
            Found::Refused(reason, _) => Err(*reason),
        }
    }

    /// The text of one place, as it is shown to a person.
    pub fn text(&self, batch: &Batch, row: usize, place: usize) -> String {
        if let Some(column) = batch.columns.get(place) {
            return column.cell(row).to_string();
        }
        let mut drawn = Drawn::default();
        self.draw(batch, row, &mut drawn);
        drawn.0[place - self.width].text().into_owned()
    }

    /// Some places of all rows, as columns: what cannot be read is unreadable there.
    pub fn columns(&self, batch: &Batch, places: &[usize]) -> Vec<Column> {
        let start = |place: &usize| match batch.columns.get(*place) {
            Some(column) => column.clone(),
            None => Column::new(self.name(batch, *place), Type::Text, false),
        };
        let mut columns: Vec<Column> = places.iter().map(start).collect();
        if places.iter().all(|place| *place < batch.columns.len()) {
            return columns;
        }
        let mut drawn = Drawn::default();
        for row in 0..batch.rows() {
            self.draw(batch, row, &mut drawn);
            for (column, place) in columns.iter_mut().zip(places) {
                if *place < batch.columns.len() {
                    continue;
                }
                match &drawn.0[*place - self.width] {
                    Found::Nothing => column.push_null(),
                    Found::Scalar(text) => column.push(Cell::Text(text)),
                    Found::Refused(_, raw) => column.push_unreadable(*raw),
                }
            }
        }
        columns
    }
}

impl Found<'_> {
    fn text(&self) -> Cow<'_, str> {
        match self {
            Found::Nothing => Cow::Borrowed(""),
            Found::Scalar(text) => Cow::Borrowed(text),
            Found::Refused(_, raw) => Cow::Borrowed(raw),
        }
    }
}
