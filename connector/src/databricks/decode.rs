//! Rows as the workspace writes them, a JSON array of arrays of texts and nulls, as batches: cell by cell while the
//! bytes arrive, without an allocation per cell.
//!
//! A result comes in chunks, each an array of its own, and batches go across them. A chunk that breaks off can be sent
//! again: what was taken of it is skipped then.

use super::dialect::Expected;
use super::value;
use crate::{Batch, Column, ConnectorError, ErrorKind, Result};

/// Bytes already decoded that may stay in front of the buffer.
const SLACK: usize = 64 * 1024;
/// How many bytes of JSON one byte of text takes at most, written as `\u0000`.
const ESCAPED: usize = 6;

/// How large a batch and a cell may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most rows.
    pub rows: usize,
    /// About the most bytes.
    pub bytes: usize,
    /// The most bytes of one cell.
    pub cell: usize,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The bracket that opens the chunk.
    Chunk,
    /// A row, or the bracket that closes the chunk.
    Row,
    /// A cell.
    Cell,
    /// The rest of a cell that was cut.
    Rest,
    /// What stands after a cell.
    Comma,
    /// Nothing.
    Nothing,
}

/// Turns the bytes of one result into rows.
pub struct Decoder {
    columns: Vec<Expected>,
    limits: Limits,
    batch: Batch,
    /// Bytes taken since the last batch.
    bytes: usize,
    buffer: Vec<u8>,
    at: usize,
    /// How far the cell at `at` has been searched for its end, and whether it has escapes.
    searched: usize,
    escaped: bool,
    next: Next,
    /// The column of the next cell.
    column: usize,
    /// Cells of this chunk that have passed, and those among them that were taken before it was sent again.
    passed: u64,
    skip: u64,
}

impl Decoder {
    /// Starts before the first chunk.
    pub fn new(columns: Vec<Expected>, limits: Limits) -> Self {
        let batch = empty(&columns);
        Self {
            columns,
            limits,
            batch,
            bytes: 0,
            buffer: Vec::new(),
            at: 0,
            searched: 0,
            escaped: false,
            next: Next::Nothing,
            column: 0,
            passed: 0,
            skip: 0,
        }
    }

    /// Starts a chunk.
    pub fn begin(&mut self) {
        self.skip = 0;
        self.restart();
    }

    /// Starts the chunk again, whose bytes are then sent from its beginning.
    pub fn again(&mut self) {
        self.skip = self.skip.max(self.passed);
        self.restart();
    }

    fn restart(&mut self) {
        (self.at, self.searched, self.escaped) = (0, 0, false);
        (self.next, self.column, self.passed) = (Next::Chunk, 0, 0);
        self.buffer.clear();
    }

    /// Takes bytes as they arrive.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at > SLACK || self.at == self.buffer.len() {
            self.buffer.drain(..self.at);
            self.searched = self.searched.saturating_sub(self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Decodes what can be; tells whether a batch is full and must be taken before going on.
    ///
    /// # Errors
    /// `Protocol` when the bytes are not rows of these columns.
    pub fn decode(&mut self) -> Result<bool> {
        loop {
            let full = || self.batch.rows() >= self.limits.rows || self.bytes >= self.limits.bytes;
            if self.next == Next::Row && self.passed >= self.skip && full() && self.batch.rows() > 0 {
                return Ok(true);
            }
            if !self.step()? {
                return Ok(false);
            }
        }
    }

    /// Whether the chunk has ended as it should.
    pub fn ended(&self) -> bool {
        self.next == Next::Nothing
    }

    /// How many whole rows of the chunk have passed.
    pub fn rows(&self) -> u64 {
        self.passed / self.columns.len().max(1) as u64
    }

    /// How many rows can be taken.
    pub fn ready(&self) -> usize {
        self.batch.rows()
    }

    /// Takes the rows decoded so far; only between rows.
    pub fn take(&mut self) -> Batch {
        self.bytes = 0;
        std::mem::replace(&mut self.batch, empty(&self.columns))
    }

    /// Moves past one thing; tells whether there was enough of it.
    fn step(&mut self) -> Result<bool> {
        if self.next == Next::Rest {
            return Ok(self.rest());
        }
        let blanks = self.buffer[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if blanks > 0 {
            self.at += blanks;
            self.searched = self.at;
        }
        let Some(byte) = self.buffer.get(self.at).copied() else { return Ok(false) };
        match (self.next, byte) {
            (Next::Chunk, b'[') => self.next = Next::Row,
            (Next::Row, b']') => self.next = Next::Nothing,
            (Next::Row, b',') => {}
            (Next::Row, b'[') => (self.next, self.column) = (Next::Cell, 0),
            (Next::Comma, b',') if self.column < self.columns.len() => self.next = Next::Cell,
            (Next::Comma, b']') if self.column == self.columns.len() => self.next = Next::Row,
            (Next::Cell, b'"') => return Ok(self.text()),
            (Next::Cell, b'-' | b'0'..=b'9' | b'a'..=b'z') => return self.word(),
            _ => return Err(garbled()),
        }
        self.at += 1;
        self.searched = self.at;
        Ok(true)
    }

    /// A cell of text.
    fn text(&mut self) -> bool {
        let begin = self.at + 1;
        let Some(end) = self.quote(begin) else {
            // However it is escaped, it is longer than allowed: its beginning is kept and the rest passes by.
            let long = self.searched.saturating_sub(begin);
            if long <= self.limits.cell.saturating_add(8).saturating_mul(ESCAPED) {
                return false;
            }
            self.cell(begin, self.searched, true);
            self.at = self.searched;
            self.next = Next::Rest;
            return true;
        };
        self.cell(begin, end, false);
        self.at = end + 1;
        (self.searched, self.escaped) = (self.at, false);
        true
    }

    /// A cell that is no text: null, or a number or truth value from a system that does not write all as text.
    fn word(&mut self) -> Result<bool> {
        let rest = &self.buffer[self.at..];
        let Some(length) =
            rest.iter().position(|byte| matches!(byte, b',' | b']') || byte.is_ascii_whitespace())
        else {
            return if rest.len() > 64 { Err(garbled()) } else { Ok(false) };
        };
        if &rest[..length] == b"null" {
            if self.passed >= self.skip {
                self.batch.columns[self.column].push_null();
            }
            self.count(1);
        } else {
            self.cell(self.at, self.at + length, false);
        }
        self.at += length;
        self.searched = self.at;
        Ok(true)
    }

    /// Skips what is left of a cell that was cut.
    fn rest(&mut self) -> bool {
        let end = self.quote(self.at);
        self.at = end.map_or(self.searched, |end| end + 1);
        self.searched = self.at;
        if end.is_some() {
            self.escaped = false;
            self.next = Next::Comma;
        }
        end.is_some()
    }

    /// Where the text that is being searched ends.
    fn quote(&mut self, begin: usize) -> Option<usize> {
        let mut from = self.searched.max(begin);
        while let Some(found) = self.buffer[from..].iter().position(|byte| matches!(byte, b'"' | b'\\')) {
            let place = from + found;
            if self.buffer[place] == b'"' {
                return Some(place);
            }
            self.escaped = true;
            from = place + 2;
            if from > self.buffer.len() {
                self.searched = place; // half an escape
                return None;
            }
        }
        self.searched = self.buffer.len();
        None
    }

    /// Appends the cell whose text lies there.
    fn cell(&mut self, begin: usize, end: usize, cut: bool) {
        if self.passed >= self.skip {
            let (raw, most) = (&self.buffer[begin..end], self.limits.cell);
            let column = &mut self.batch.columns[self.column];
            match value::unescaped(raw, self.escaped) {
                Some(text) if cut || text.len() > most => value::push_cut(column, &text, most),
                Some(text) => value::push(column, self.columns[self.column].native.form, &text),
                None => value::push_cut(column, &String::from_utf8_lossy(raw), most),
            }
        }
        self.count(end - begin);
    }

    fn count(&mut self, bytes: usize) {
        if self.passed >= self.skip {
            self.bytes += bytes.min(self.limits.cell);
        }
        self.passed += 1;
        self.column += 1;
        self.next = Next::Comma;
    }
}

fn empty(columns: &[Expected]) -> Batch {
    let made = columns.iter().map(|column| Column::new(column.name.as_str(), column.native.kind(), false));
    Batch { columns: made.collect() }
}

fn garbled() -> ConnectorError {
    ConnectorError::new(ErrorKind::Protocol, "the result is no list of rows of the columns asked for")
}

#[cfg(test)]
mod tests;
