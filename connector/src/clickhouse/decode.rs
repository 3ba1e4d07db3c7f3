//! RowBinaryWithNamesAndTypes as batches, cell by cell as the bytes arrive, without an allocation per row.
//!
//! The format has no end mark, and an error in the middle of a result is written right after a row. So some bytes are
//! always held back until the body has ended, and each row is looked at before it is believed.

use super::exception::{self, Exception};
use super::types::{Native, Projection};
use super::value;
use crate::{Batch, Column, ConnectorError, ErrorKind, Result, Type};

/// Bytes held back: the longest block the server ends a failed result with, and its frame.
const HELD: usize = 17 * 1024;
/// The most bytes of all names and types, which are read at once; those of thousands of columns are far below.
const HEADER: usize = 8 << 20;
/// Bytes already decoded that may stay in front of the buffer.
const SLACK: usize = 64 * 1024;

/// A column as the statement selects it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The exact name.
    pub name: String,
    /// The type's name as the catalog has it.
    pub native: Native,
}

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

/// Turns the bytes of one answer into rows.
pub struct Decoder {
    expected: Option<Vec<Expected>>,
    limits: Limits,
    /// The mark the server announced for errors in the middle of the result.
    tag: Option<String>,
    columns: Vec<(String, Native, Type)>,
    begun: bool,
    batch: Batch,
    bytes: usize,
    buffer: Vec<u8>,
    at: usize,
    /// The column of the next cell.
    column: usize,
    /// Bytes of a cut cell that are still to come.
    skip: usize,
    ended: bool,
    failed: bool,
}

impl Decoder {
    /// Starts before the first byte; without expected columns, whatever comes is taken.
    pub fn new(expected: Option<Vec<Expected>>, limits: Limits, tag: Option<String>) -> Self {
        Self {
            expected,
            limits,
            tag,
            columns: Vec::new(),
            begun: false,
            batch: Batch::default(),
            bytes: 0,
            buffer: Vec::new(),
            at: 0,
            column: 0,
            skip: 0,
            ended: false,
            failed: false,
        }
    }

    /// Takes bytes as they arrive.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed && self.buffer.len() > self.at + HELD * 4 {
            return; // enough of the error is here
        }
        if self.at > SLACK {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Notes that the body has ended cleanly, as HTTP sees it.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Decodes what can be; tells whether a batch is full and must be taken before going on.
    ///
    /// # Errors
    /// `Protocol` or `Schema` when the bytes are not the rows asked for; after the end, also the server's own error
    /// and `Unavailable` when the last row is not whole.
    pub fn decode(&mut self) -> Result<bool> {
        if self.ended
            && let Some(error) = exception::block(&self.buffer[self.at..], self.tag.as_deref())
        {
            return Err(error.explain());
        }
        let held = if self.ended { 0 } else { HELD };
        let limit = self.buffer.len().saturating_sub(held).max(self.at);
        if !self.failed && self.advance(limit)? {
            return Ok(true);
        }
        if !self.ended {
            return Ok(false);
        }
        let rest = &self.buffer[self.at..];
        if self.failed {
            return Err(Exception::parse(rest).explain());
        }
        if !self.begun || !rest.is_empty() || self.column != 0 || self.skip != 0 {
            return Err(ConnectorError::new(
                ErrorKind::Unavailable,
                "the result broke off in the middle of a row",
            ));
        }
        Ok(false)
    }

    /// The server's own error among the bytes that are left, when the body did not end as it should.
    pub fn failure(&self) -> Option<Exception> {
        let rest = &self.buffer[self.at..];
        exception::block(rest, self.tag.as_deref()).or_else(|| {
            let told = self.failed || exception::begins(rest, self.tag.as_deref());
            told.then(|| Exception::parse(rest))
        })
    }

    /// How many rows can be taken.
    pub fn ready(&self) -> usize {
        self.batch.rows()
    }

    /// Takes the whole rows decoded so far; only between rows.
    pub fn take(&mut self) -> Batch {
        self.bytes = 0;
        let empty = empty(&self.columns);
        std::mem::replace(&mut self.batch, empty)
    }

    /// Decodes cells that end before `limit`; tells whether the batch is full.
    fn advance(&mut self, limit: usize) -> Result<bool> {
        if !self.begun {
            if exception::begins(&self.buffer[self.at..], self.tag.as_deref()) {
                self.failed = true;
                return Ok(false);
            }
            let Some(used) = self.header(limit)? else {
                let waits = self.buffer.len() - self.at;
                return if waits > HEADER + HELD { Err(garbled()) } else { Ok(false) };
            };
            self.at += used;
            self.begun = true;
        }
        loop {
            if self.skip > 0 {
                let skipped = self.skip.min(limit.saturating_sub(self.at));
                self.at += skipped;
                self.skip -= skipped;
                if self.skip > 0 {
                    return Ok(false);
                }
            }
            if self.column == self.columns.len() {
                self.column = 0;
                if self.batch.rows() >= self.limits.rows || self.bytes >= self.limits.bytes {
                    return Ok(true);
                }
            }
            let rest = &self.buffer[self.at..];
            if self.column == 0 && exception::begins(rest, self.tag.as_deref()) {
                self.failed = true;
                return Ok(false);
            }
            let Some(input) = self.buffer.get(self.at..limit).filter(|input| !input.is_empty()) else {
                return Ok(false);
            };
            let (_, native, _) = &self.columns[self.column];
            let column = &mut self.batch.columns[self.column];
            let Some(taken) = value::push(column, native, input, self.limits.cell)? else {
                return Ok(false);
            };
            self.at += taken.used;
            self.bytes += taken.used;
            self.skip = taken.skip;
            self.column += 1;
        }
    }

    /// Reads names and types; gives the bytes they took, or nothing when they are not all here.
    fn header(&mut self, limit: usize) -> Result<Option<usize>> {
        let mut input = &self.buffer[self.at..limit];
        let start = input.len();
        let Some(count) = value::length(&mut input) else { return Ok(None) };
        if count == 0
            || count > 10_000
            || self.expected.as_ref().is_some_and(|expected| expected.len() != count)
        {
            return Err(garbled());
        }
        let mut texts = Vec::with_capacity(count * 2);
        for _ in 0..count * 2 {
            let Some(length) = value::length(&mut input) else { return Ok(None) };
            if length > 1 << 20 {
                return Err(garbled());
            }
            let Some((text, rest)) = input.split_at_checked(length) else { return Ok(None) };
            texts.push(std::str::from_utf8(text).map_err(|_| garbled())?.to_owned());
            input = rest;
        }
        let types = texts.split_off(count);
        let mut columns = Vec::with_capacity(count);
        for (index, (name, text)) in texts.into_iter().zip(types).enumerate() {
            let native = Native::parse(&text);
            if native.projection != Projection::Plain {
                let message = format!("column {name:?} came as {text}, which is not what was asked for");
                return Err(ConnectorError::new(ErrorKind::Schema, message));
            }
            let (name, kind) = match self.expected.as_ref().map(|expected| &expected[index]) {
                None => (name, native.kind()),
                Some(wanted) => {
                    let changed = wanted.native.projection == Projection::Plain
                        && wanted.native.kind() != native.kind();
                    let converted =
                        wanted.native.projection != Projection::Plain && native.kind() != Type::Text;
                    if changed || converted {
                        let message = format!("column {:?} is now {text}", wanted.name);
                        return Err(ConnectorError::new(ErrorKind::Schema, message)
                            .hint("its type was changed; open the stream and choose its columns again"));
                    }
                    (wanted.name.clone(), wanted.native.kind())
                }
            };
            columns.push((name, native, kind));
        }
        self.columns = columns;
        self.batch = empty(&self.columns);
        Ok(Some(start - input.len()))
    }
}

/// Decodes the whole body of an answer that arrives in pieces of that size: the decoder alone, for tests that feed it
/// anything.
///
/// # Errors
/// As [`Decoder::decode`].
pub fn decode(body: &[u8], piece: usize, limits: Limits, tag: Option<&str>) -> Result<Vec<Batch>> {
    let mut decoder = Decoder::new(None, limits, tag.map(str::to_owned));
    let mut batches = Vec::new();
    let mut rest = body.chunks(piece.max(1));
    let mut ended = false;
    while !ended {
        match rest.next() {
            Some(piece) => decoder.push(piece),
            None => {
                decoder.end();
                ended = true;
            }
        }
        while decoder.decode()? {
            batches.push(decoder.take());
        }
    }
    if decoder.ready() > 0 {
        batches.push(decoder.take());
    }
    Ok(batches)
}

fn empty(columns: &[(String, Native, Type)]) -> Batch {
    let columns =
        columns.iter().map(|(name, native, kind)| Column::new(name.as_str(), *kind, native.wide())).collect();
    Batch { columns }
}

/// The error for bytes that are no rows.
pub fn garbled() -> ConnectorError {
    ConnectorError::new(ErrorKind::Protocol, "the server sent data that is not RowBinaryWithNamesAndTypes")
        .hint("check that host, port and path are those of ClickHouse's HTTP interface")
}
