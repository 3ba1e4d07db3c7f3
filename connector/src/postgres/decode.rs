//! Binary COPY data as batches, column by column, without an allocation per row.
//!
//! Sources: "Binary Format" in PostgreSQL's documentation of COPY; the `*_send` functions of the types.

use crate::{Batch, Column, ConnectorError, Data, ErrorKind, Moment, Result};

use super::dialect::{ReadColumn, Wire};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// 2000-01-01 in days and seconds after 1970-01-01, where PostgreSQL's times begin.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_SECONDS: i64 = 946_684_800;

/// Turns the bytes of one COPY into rows.
pub struct Decoder<'a> {
    columns: &'a [ReadColumn],
    cell_bytes: usize,
    batch: Batch,
    /// Bytes of a row that has not arrived whole.
    rest: Vec<u8>,
    begun: bool,
    ended: bool,
    bytes: usize,
}

impl<'a> Decoder<'a> {
    /// Starts before the first byte.
    pub fn new(columns: &'a [ReadColumn], cell_bytes: usize) -> Self {
        Self {
            columns,
            cell_bytes,
            batch: empty(columns),
            rest: Vec::new(),
            begun: false,
            ended: false,
            bytes: 0,
        }
    }

    /// Takes bytes as they arrive.
    ///
    /// # Errors
    /// `Protocol` when they are not what PostgreSQL sends.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len();
        if self.rest.is_empty() {
            let used = self.rows(bytes)?;
            self.rest.extend_from_slice(&bytes[used..]);
        } else {
            let mut all = std::mem::take(&mut self.rest);
            all.extend_from_slice(bytes);
            let used = self.rows(&all)?;
            all.drain(..used);
            self.rest = all;
        }
        Ok(())
    }

    /// Rows decoded and not taken yet.
    pub fn rows_ready(&self) -> usize {
        self.batch.rows()
    }

    /// Bytes received since the last batch was taken.
    pub fn bytes_ready(&self) -> usize {
        self.bytes
    }

    /// Takes the rows decoded so far.
    pub fn take(&mut self) -> Batch {
        self.bytes = 0;
        std::mem::replace(&mut self.batch, empty(self.columns))
    }

    /// Checks that the data ended as it should.
    ///
    /// # Errors
    /// `Unavailable` when it broke off.
    pub fn end(&self) -> Result<()> {
        if self.ended && self.rest.is_empty() {
            return Ok(());
        }
        Err(ConnectorError::new(ErrorKind::Unavailable, "the result broke off before its end"))
    }

    /// Decodes the whole rows in `bytes` and tells how many bytes they took.
    fn rows(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut at = 0;
        if !self.begun {
            if bytes.len() < SIGNATURE.len() + 8 {
                return Ok(0);
            }
            if &bytes[..SIGNATURE.len()] != SIGNATURE {
                return Err(garbled());
            }
            let extension = number(&bytes[SIGNATURE.len() + 4..])? as usize;
            at = SIGNATURE.len() + 8 + extension;
            if bytes.len() < at {
                return Ok(0);
            }
            self.begun = true;
        }
        while let Some(length) = row_length(&bytes[at..], self.columns.len())? {
            if length == 2 {
                self.ended = true;
            } else {
                self.row(&bytes[at + 2..at + length])?;
            }
            at += length;
            if self.ended {
                break;
            }
        }
        Ok(at)
    }

    fn row(&mut self, mut bytes: &[u8]) -> Result<()> {
        for (column, read) in self.batch.columns.iter_mut().zip(self.columns) {
            let length = number(bytes)?;
            bytes = &bytes[4..];
            if length < 0 {
                column.push_null();
                continue;
            }
            let (field, rest) = bytes.split_at(length as usize);
            bytes = rest;
            push(column, read.wire, field, self.cell_bytes)?;
        }
        Ok(())
    }
}

fn empty(columns: &[ReadColumn]) -> Batch {
    Batch {
        columns: columns.iter().map(|column| Column::new(column.name.as_str(), column.kind, false)).collect(),
    }
}

fn garbled() -> ConnectorError {
    ConnectorError::new(ErrorKind::Protocol, "the server sent data that is not binary COPY")
}

fn number(bytes: &[u8]) -> Result<i32> {
    bytes.first_chunk().map(|bytes| i32::from_be_bytes(*bytes)).ok_or_else(garbled)
}

/// The length of the next row, 2 for the end mark, `None` when it has not arrived whole.
fn row_length(bytes: &[u8], fields: usize) -> Result<Option<usize>> {
    let Some(count) = bytes.first_chunk().map(|bytes| i16::from_be_bytes(*bytes)) else { return Ok(None) };
    if count == -1 {
        return Ok(Some(2));
    }
    if count as usize != fields {
        return Err(garbled());
    }
    let mut at = 2;
    for _ in 0..fields {
        let Some(length) = bytes.get(at..at + 4) else { return Ok(None) };
        at += 4 + number(length)?.max(0) as usize;
    }
    Ok((at <= bytes.len()).then_some(at))
}

fn push(column: &mut Column, wire: Wire, field: &[u8], cell_bytes: usize) -> Result<()> {
    let chunk = |()| garbled();
    match (column.values(), wire) {
        (Data::Int(values), Wire::Int8) => values.push(i64::from_be_bytes(fixed(field).map_err(chunk)?)),
        (Data::Int(values), Wire::Int4) => {
            values.push(i64::from(i32::from_be_bytes(fixed(field).map_err(chunk)?)))
        }
        (Data::Int(values), Wire::Int2) => {
            values.push(i64::from(i16::from_be_bytes(fixed(field).map_err(chunk)?)))
        }
        (Data::Bool(values), Wire::Bool) => values.push(field.first().is_some_and(|byte| *byte != 0)),
        (Data::Float(values), Wire::Float8) => values.push(f64::from_be_bytes(fixed(field).map_err(chunk)?)),
        (Data::Float(values), Wire::Float4) => {
            let value = f32::from_be_bytes(fixed(field).map_err(chunk)?);
            // The shortest text of the float4, not the digits its widening would invent.
            values.push(if value.is_finite() {
                value.to_string().parse().unwrap_or(f64::NAN)
            } else {
                value.into()
            });
        }
        (Data::Decimal(values), Wire::Numeric) => match super::numeric::push(field, values.buffer())? {
            None => values.close(),
            Some(word) => {
                column.push_unreadable(word);
                return Ok(());
            }
        },
        (Data::Date(values), Wire::Date) => match i32::from_be_bytes(fixed(field).map_err(chunk)?) {
            i32::MAX => return infinite(column, "infinity"),
            i32::MIN => return infinite(column, "-infinity"),
            days => values.push(days.saturating_add(EPOCH_DAYS)),
        },
        (Data::Naive(values), Wire::Timestamp) | (Data::Zoned(values), Wire::Timestamptz) => {
            match i64::from_be_bytes(fixed(field).map_err(chunk)?) {
                i64::MAX => return infinite(column, "infinity"),
                i64::MIN => return infinite(column, "-infinity"),
                micros => {
                    let moment = Moment::from_micros(micros);
                    values.push(Moment { seconds: moment.seconds + EPOCH_SECONDS, ..moment });
                }
            }
        }
        (Data::Text(values), Wire::Uuid) => {
            let id = uuid::Uuid::from_bytes(fixed(field).map_err(chunk)?);
            values.push(id.hyphenated().encode_lower(&mut [0; 36]));
        }
        (Data::Json(values) | Data::Text(values), Wire::Jsonb | Wire::Json | Wire::Text | Wire::Cast) => {
            // The first byte of a jsonb is its version.
            let field = if wire == Wire::Jsonb { field.get(1..).unwrap_or_default() } else { field };
            match std::str::from_utf8(field) {
                Ok(text) if text.len() <= cell_bytes => values.push(text),
                // Too long, or from a database that does not say what its bytes mean.
                _ => {
                    let cut = &field[..cell_bytes.min(field.len())];
                    column.push_unreadable(String::from_utf8_lossy(cut));
                    return Ok(());
                }
            }
        }
        _ => return Err(garbled()),
    }
    column.pushed();
    Ok(())
}

fn infinite(column: &mut Column, word: &str) -> Result<()> {
    column.push_unreadable(word);
    Ok(())
}

fn fixed<const N: usize>(field: &[u8]) -> std::result::Result<[u8; N], ()> {
    field.try_into().map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::days_from_civil;
    use crate::{Cell, Type};

    fn columns() -> Vec<ReadColumn> {
        [("n", Wire::Int4, Type::Int), ("t", Wire::Text, Type::Text), ("d", Wire::Date, Type::Date)]
            .map(|(name, wire, kind)| ReadColumn { name: name.to_owned(), native: String::new(), wire, kind })
            .to_vec()
    }

    fn stream() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend_from_slice(&[0; 8]);
        for (n, t, d) in [(7_i32, "a", 0_i32), (8, "long text", i32::MAX)] {
            bytes.extend_from_slice(&3_i16.to_be_bytes());
            bytes.extend_from_slice(&4_i32.to_be_bytes());
            bytes.extend_from_slice(&n.to_be_bytes());
            bytes.extend_from_slice(&(t.len() as i32).to_be_bytes());
            bytes.extend_from_slice(t.as_bytes());
            bytes.extend_from_slice(&4_i32.to_be_bytes());
            bytes.extend_from_slice(&d.to_be_bytes());
        }
        bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        bytes
    }

    #[test]
    fn rows_survive_any_cut_of_the_bytes() {
        assert_eq!(days_from_civil(2000, 1, 1), i64::from(EPOCH_DAYS));
        let (columns, bytes) = (columns(), stream());
        for size in 1..bytes.len() {
            let mut decoder = Decoder::new(&columns, 5);
            bytes.chunks(size).for_each(|part| decoder.feed(part).expect("good bytes"));
            decoder.end().expect("a clean end");
            let batch = decoder.take();
            assert_eq!(batch.rows(), 2);
            assert_eq!(batch.columns[0].cell(1), Cell::Int(8));
            assert_eq!(batch.columns[1].cell(0), Cell::Text("a"));
            assert_eq!(batch.columns[1].cell(1), Cell::Unreadable("long "), "cut at the limit");
            assert_eq!(batch.columns[2].cell(0), Cell::Date(EPOCH_DAYS));
            assert_eq!(batch.columns[2].cell(1), Cell::Unreadable("infinity"));
        }
    }

    #[test]
    fn a_missing_end_is_an_error() {
        let (columns, bytes) = (columns(), stream());
        let mut decoder = Decoder::new(&columns, 100);
        decoder.feed(&bytes[..bytes.len() - 2]).expect("good bytes");
        assert_eq!(decoder.rows_ready(), 2);
        assert!(decoder.end().is_err());
    }
}
