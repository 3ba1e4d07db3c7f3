//! Answers of the SQL API as batches: each cell from the bytes into its column as they arrive, without an allocation
//! per row. A pure function of the bytes: it knows nothing of HTTP.

mod cell;
mod whole;

pub use super::columns::Expected;
pub use whole::{in_pieces, whole};

use cell::take;

use super::columns::{Known, empty, known};
use super::head::{Envelope, Head, garbled};
use super::text::{self, Scan};
use crate::{Batch, ConnectorError, ErrorKind, Result};

/// Bytes already decoded that may stay in front of the buffer.
const SLACK: usize = 64 * 1024;
/// The most bytes that are kept of an answer whose rows come before their columns.
const UNKNOWN: usize = 256 << 20;
/// The longest cell that is no text: a number, a truth value or null.
const BARE: usize = 512;

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

/// Where in an answer the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Beside the rows.
    Beside,
    /// In rows whose columns are not known yet.
    Unknown,
    /// Before the first row, or the end of none.
    First,
    /// Behind a row.
    Behind,
    /// Before a row.
    Row,
    /// Before a cell.
    Cell,
    /// Behind a cell.
    After,
    /// In the rest of a cell that was cut.
    Cut,
}

/// What one step led to.
enum Step {
    Next(Place),
    /// More bytes are needed.
    More,
    /// The batch is full.
    Full,
}

/// Turns the bytes of one statement's answers, a partition after the other, into rows.
pub struct Decoder {
    expected: Option<Vec<Expected>>,
    limits: Limits,
    columns: Vec<Known>,
    batch: Batch,
    bytes: usize,
    head: Head,
    place: Place,
    buffer: Vec<u8>,
    at: usize,
    scan: Scan,
    column: usize,
    /// Rows of this partition that have ended.
    rows: u64,
    /// Cells of this partition seen in this answer.
    seen: u64,
    /// Cells of this partition that are in a batch: more than were seen when an answer is read again.
    done: u64,
    /// What was beside the rows of the first partition when they began.
    told: Option<Envelope>,
    ended: bool,
}

impl Decoder {
    /// Starts before the first partition; without expected columns, whatever comes is taken.
    pub fn new(expected: Option<Vec<Expected>>, limits: Limits) -> Self {
        Self {
            expected,
            limits,
            columns: Vec::new(),
            batch: Batch::default(),
            bytes: 0,
            head: Head::default(),
            place: Place::Beside,
            buffer: Vec::new(),
            at: 0,
            scan: Scan::default(),
            column: 0,
            rows: 0,
            seen: 0,
            done: 0,
            told: None,
            ended: false,
        }
    }

    /// Takes bytes as they arrive.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at > SLACK || self.at == self.buffer.len() {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Notes that the answer has ended, as HTTP sees it.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Prepares for the answer with the next partition.
    pub fn next_partition(&mut self) {
        self.done = 0;
        self.again();
    }

    /// Prepares for another answer with the same partition: the cells taken already are passed over.
    pub fn again(&mut self) {
        self.head = Head::default();
        self.place = Place::Beside;
        self.buffer.clear();
        self.at = 0;
        self.scan = Scan::default();
        self.column = 0;
        self.rows = 0;
        self.seen = 0;
        self.told = None;
        self.ended = false;
    }

    /// Rows of this partition that have ended.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What this answer says beside its rows, as far as it is here.
    ///
    /// # Errors
    /// `Protocol` when it is something else.
    pub fn envelope(&self) -> Result<Envelope> {
        self.head.envelope()
    }

    /// What the answer with the first partition said before its rows began; nothing before they have.
    pub fn told(&self) -> Option<&Envelope> {
        self.told.as_ref()
    }

    /// How many rows can be taken; only between rows.
    pub fn ready(&self) -> usize {
        self.batch.rows()
    }

    /// Takes the rows decoded so far; only between rows.
    pub fn take(&mut self) -> Batch {
        self.bytes = 0;
        let empty = empty(&self.columns);
        std::mem::replace(&mut self.batch, empty)
    }

    /// Decodes what can be; tells whether a batch is full and must be taken before going on.
    ///
    /// # Errors
    /// `Protocol` or `Schema` when the bytes are not the rows asked for; after the end, `Unavailable` when the answer
    /// is not whole.
    pub fn decode(&mut self) -> Result<bool> {
        loop {
            match self.step()? {
                Step::Next(place) => self.place = place,
                Step::Full => return Ok(true),
                Step::More if !self.ended || self.place == Place::Beside && self.head.complete() => {
                    return Ok(false);
                }
                Step::More => {
                    let message = "the answer broke off before its end";
                    return Err(ConnectorError::new(ErrorKind::Unavailable, message));
                }
            }
        }
    }

    fn step(&mut self) -> Result<Step> {
        match self.place {
            Place::Beside => {
                let (used, rows) = self.head.feed(&self.buffer[self.at..])?;
                self.at += used;
                if !rows {
                    return Ok(Step::More);
                }
                let envelope = self.head.envelope()?;
                let known = self.begin(envelope)?;
                return Ok(Step::Next(if known { Place::First } else { Place::Unknown }));
            }
            Place::Unknown => return self.look_behind(),
            Place::Cut => {
                let Some(end) = self.scan.end(&self.buffer[self.at..]) else {
                    // What was searched is needed no more.
                    self.at += self.scan.forget();
                    return Ok(Step::More);
                };
                self.at += end + 1;
                self.scan = Scan::default();
                return Ok(Step::Next(Place::After));
            }
            _ => {}
        }
        let rest = &self.buffer[self.at..];
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at += blanks;
        let Some(byte) = rest.get(blanks).copied() else { return Ok(Step::More) };
        match (self.place, byte) {
            (Place::Cell, _) => return self.cell(byte),
            // The bracket that closes the rows belongs to what is beside them.
            (Place::First | Place::Behind, b']') => return Ok(Step::Next(Place::Beside)),
            _ => self.at += 1,
        }
        Ok(Step::Next(match (self.place, byte) {
            (Place::First | Place::Row, b'[') => Place::Cell,
            (Place::Behind, b',') => Place::Row,
            (Place::After, b',') if self.column < self.columns.len() => Place::Cell,
            (Place::After, b']') if self.column == self.columns.len() => {
                self.column = 0;
                self.rows += 1;
                let full = self.batch.rows() >= self.limits.rows || self.bytes >= self.limits.bytes;
                // Nothing is taken while cells are passed over: a row may be half in the batch.
                if full && self.seen >= self.done {
                    self.place = Place::Behind;
                    return Ok(Step::Full);
                }
                Place::Behind
            }
            _ => return Err(garbled("a row is not what its columns say")),
        }))
    }

    /// Reads the cell that begins with that byte.
    fn cell(&mut self, byte: u8) -> Result<Step> {
        let rest = &self.buffer[self.at..];
        let passed = self.seen < self.done;
        let native = &self.columns[self.column].native;
        let column = &mut self.batch.columns[self.column];
        let most = self.limits.cell;
        let (used, place) = if byte == b'"' {
            let inner = &rest[1..];
            match self.scan.end(inner) {
                Some(end) => {
                    let escapes = self.scan.escapes();
                    self.scan = Scan::default();
                    if !passed {
                        take(column, native, &inner[..end], escapes, most);
                    }
                    (end + 2, Place::After)
                }
                // Escapes take six bytes at most: there is enough for what is kept.
                None if inner.len() > most.saturating_mul(6).saturating_add(16) => {
                    if !passed {
                        text::cut(column, inner, most);
                    }
                    (1, Place::Cut)
                }
                None => return Ok(Step::More),
            }
        } else {
            let end = rest.iter().position(|byte| matches!(byte, b',' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
            let Some(bare) = end.map(|end| &rest[..end]) else {
                return if rest.len() > BARE { Err(garbled("a cell is no text")) } else { Ok(Step::More) };
            };
            // Every cell is text; numbers and truth values from other hands are taken for what they say.
            let known = matches!(byte, b'-' | b'0'..=b'9') || matches!(bare, b"true" | b"false" | b"null");
            if !known || bare.len() > BARE {
                return Err(garbled("a cell is no text"));
            }
            if !passed {
                match bare {
                    b"null" => column.push_null(),
                    _ => take(column, native, bare, false, most),
                }
            }
            (bare.len(), Place::After)
        };
        self.at += used;
        self.column += 1;
        self.seen += 1;
        if !passed {
            self.done = self.seen;
            self.bytes += used + 4;
        }
        Ok(Step::Next(place))
    }

    /// Takes the columns from what is beside the rows; tells whether they are there.
    fn begin(&mut self, envelope: Envelope) -> Result<bool> {
        let Some(meta) = envelope.meta.as_ref().filter(|meta| !meta.row_type.is_empty()) else {
            // Partitions behind the first say nothing of their columns.
            return Ok(!self.columns.is_empty());
        };
        let columns = known(&meta.row_type, self.expected.as_deref())?;
        if self.columns.is_empty() {
            self.batch = empty(&columns);
            self.columns = columns;
        } else if columns != self.columns {
            return Err(ConnectorError::new(ErrorKind::Unavailable, "the result changed while it was read"));
        }
        self.told = Some(envelope);
        Ok(true)
    }

    /// Where the columns come behind the rows: waits for the end and looks there.
    fn look_behind(&mut self) -> Result<Step> {
        let rest = &self.buffer[self.at..];
        if !self.ended {
            if rest.len() > UNKNOWN {
                return Err(garbled("too many rows come before their columns"));
            }
            return Ok(Step::More);
        }
        let Some(end) = text::array_end(rest) else { return Ok(Step::More) };
        let mut head = self.head.clone();
        head.feed(&rest[end..])?;
        if self.begin(head.envelope()?)? {
            return Ok(Step::Next(Place::First));
        }
        Err(garbled("the columns are missing"))
    }
}

#[cfg(test)]
mod tests;
