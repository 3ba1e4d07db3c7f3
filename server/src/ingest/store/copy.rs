//! Rows in PostgreSQL's binary COPY form.
//!
//! Source: "Binary Format" in PostgreSQL's documentation of COPY: a signature, then per row a field count and
//! length-prefixed fields in network order, then -1.

use uuid::Uuid;

use super::numeric;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What a field of a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `int8`.
    Int,
    /// `text`.
    Text,
    /// `numeric`.
    Decimal,
    /// `uuid`.
    Uuid,
}

/// Rows being written for COPY.
#[derive(Debug)]
pub struct CopyBuffer {
    bytes: Vec<u8>,
    /// The fields of the first row; all others are like it.
    fields: Vec<Field>,
    rows: usize,
}

impl Default for CopyBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl CopyBuffer {
    /// Starts with no row.
    pub fn new() -> Self {
        Self { bytes: SIGNATURE.to_vec(), fields: Vec::new(), rows: 0 }
    }

    /// Starts a row of that many fields.
    pub fn row(&mut self, fields: i16) {
        self.rows += 1;
        self.bytes.extend_from_slice(&fields.to_be_bytes());
    }

    fn field(&mut self, field: Field) {
        if self.rows == 1 {
            self.fields.push(field);
        }
    }

    /// Appends a field that is null.
    pub fn null(&mut self, field: Field) {
        self.field(field);
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    /// Appends an `int8` field.
    pub fn int(&mut self, value: i64) {
        self.field(Field::Int);
        self.bytes.extend_from_slice(&8_i32.to_be_bytes());
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Appends a `text` field.
    pub fn text(&mut self, value: &str) {
        self.field(Field::Text);
        self.bytes.extend_from_slice(&(value.len() as i32).to_be_bytes());
        self.bytes.extend_from_slice(value.as_bytes());
    }

    /// Appends a `uuid` field.
    pub fn uuid(&mut self, value: Uuid) {
        self.field(Field::Uuid);
        self.bytes.extend_from_slice(&16_i32.to_be_bytes());
        self.bytes.extend_from_slice(value.as_bytes());
    }

    /// Appends a `numeric` field from canonical text.
    pub fn decimal(&mut self, value: &str) {
        self.field(Field::Decimal);
        numeric::push(value, &mut self.bytes);
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == SIGNATURE.len()
    }

    /// Ends the rows and gives the bytes; the buffer starts anew, with its memory kept for the next rows.
    pub fn finish(&mut self) -> &[u8] {
        self.bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        &self.bytes
    }

    /// What the fields of a row hold; nothing before the first row.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// All fields, row after row, each with its length before it.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.bytes[SIGNATURE.len()..];
        let width = self.fields.len();
        (0..self.rows * width).map_while(move |index| {
            if index % width == 0 {
                rest = rest.get(2..)?;
            }
            let length = i32::from_be_bytes(*rest.first_chunk()?);
            let (value, after) = rest.split_at_checked(4 + usize::try_from(length).unwrap_or(0))?;
            rest = after;
            Some(value)
        })
    }

    /// Forgets the rows, keeping the memory.
    pub fn clear(&mut self) {
        self.fields.clear();
        self.rows = 0;
        self.bytes.truncate(SIGNATURE.len());
    }
}
