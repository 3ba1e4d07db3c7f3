//! Rows in PostgreSQL's binary COPY form.
//!
//! Source: "Binary Format" in PostgreSQL's documentation of COPY: a signature, then per row a field count and
//! length-prefixed fields in network order, then -1.

use uuid::Uuid;

use super::numeric;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Rows being written for COPY.
#[derive(Debug)]
pub struct CopyBuffer {
    bytes: Vec<u8>,
}

impl Default for CopyBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl CopyBuffer {
    /// Starts with no row.
    pub fn new() -> Self {
        Self { bytes: SIGNATURE.to_vec() }
    }

    /// Starts a row of that many fields.
    pub fn row(&mut self, fields: i16) {
        self.bytes.extend_from_slice(&fields.to_be_bytes());
    }

    /// Appends a null field.
    pub fn null(&mut self) {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    /// Appends an `int8` field.
    pub fn int(&mut self, value: i64) {
        self.bytes.extend_from_slice(&8_i32.to_be_bytes());
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Appends a `text` field.
    pub fn text(&mut self, value: &str) {
        self.bytes.extend_from_slice(&(value.len() as i32).to_be_bytes());
        self.bytes.extend_from_slice(value.as_bytes());
    }

    /// Appends a `uuid` field.
    pub fn uuid(&mut self, value: Uuid) {
        self.bytes.extend_from_slice(&16_i32.to_be_bytes());
        self.bytes.extend_from_slice(value.as_bytes());
    }

    /// Appends a `numeric` field from canonical text.
    pub fn decimal(&mut self, value: &str) {
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

    /// Forgets the rows, keeping the memory.
    pub fn clear(&mut self) {
        self.bytes.truncate(SIGNATURE.len());
    }
}
