//! The rows of one page, from its bytes into batches, without a tree of values in between.
//!
//! A page holds `"rows":[{"f":[{"v":"1"},{"v":null}]}]`, with a cell for each field of the schema.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::types::{Native, Wire};
use super::{nested, value};
use crate::{Batch, Column, Data};

/// Where the rows of a page go.
pub trait Sink {
    /// The batch the next row is appended to, and the most bytes of a cell.
    fn row(&mut self) -> (&mut Batch, usize);

    /// A row is whole; it took about so many bytes.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn done(&mut self, bytes: usize) -> Result<(), String>;
}

/// Reads a page's rows into a sink.
///
/// # Errors
/// Where the bytes are no page of such rows, or what the sink found wrong.
pub fn read(body: &[u8], natives: &[Native], sink: &mut impl Sink) -> serde_json::Result<()> {
    let mut input = serde_json::Deserializer::from_slice(body);
    Page { natives, sink }.deserialize(&mut input)?;
    input.end()
}

/// The row of a batch as a batch of its own.
pub fn single(batch: &Batch, row: usize) -> Batch {
    let columns = batch.columns.iter().map(|column| {
        let mut copy = Column::new(column.name(), column.kind(), false);
        copy.push(column.cell(row));
        copy
    });
    Batch { columns: columns.collect() }
}

/// A batch of these columns without rows.
pub fn empty(natives: &[Native]) -> Batch {
    let columns = natives.iter().map(|native| Column::new(native.name.as_str(), native.kind(), false));
    Batch { columns: columns.collect() }
}

struct Page<'a, S> {
    natives: &'a [Native],
    sink: &'a mut S,
}

impl<'de, S: Sink> DeserializeSeed<'de> for Page<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for Page<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if name == "rows" {
                map.next_value_seed(Rows { natives: self.natives, sink: &mut *self.sink })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Rows<'a, S> {
    natives: &'a [Native],
    sink: &'a mut S,
}

impl<'de, S: Sink> DeserializeSeed<'de> for Rows<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for Rows<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        loop {
            let (batch, most) = self.sink.row();
            let mut bytes = 0;
            let row = Named("f", Cells { natives: self.natives, batch, most, bytes: &mut bytes });
            if seq.next_element_seed(row)?.is_none() {
                return Ok(());
            }
            self.sink.done(bytes).map_err(A::Error::custom)?;
        }
    }
}

/// An object of which one value is read.
struct Named<T>(&'static str, T);

impl<'de, T: DeserializeSeed<'de, Value = ()>> DeserializeSeed<'de> for Named<T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de, T: DeserializeSeed<'de, Value = ()>> Visitor<'de> for Named<T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {:?}", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seed = Some(self.1);
        while let Some(name) = map.next_key::<String>()? {
            match seed.take_if(|_| name == self.0) {
                Some(seed) => map.next_value_seed(seed)?,
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        if seed.is_some() { Err(A::Error::missing_field(self.0)) } else { Ok(()) }
    }
}

struct Cells<'a> {
    natives: &'a [Native],
    batch: &'a mut Batch,
    most: usize,
    bytes: &'a mut usize,
}

impl<'de> DeserializeSeed<'de> for Cells<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Cells<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cells", self.natives.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for (index, (native, column)) in self.natives.iter().zip(&mut self.batch.columns).enumerate() {
            let cell = OneCell { native, column, most: self.most, bytes: &mut *self.bytes };
            if seq.next_element_seed(Named("v", cell))?.is_none() {
                return Err(A::Error::invalid_length(index, &"a cell for each column"));
            }
        }
        match seq.next_element::<IgnoredAny>()? {
            Some(_) => Err(A::Error::invalid_length(self.natives.len() + 1, &"a cell for each column")),
            None => Ok(()),
        }
    }
}

struct OneCell<'a> {
    native: &'a Native,
    column: &'a mut Column,
    most: usize,
    bytes: &'a mut usize,
}

impl OneCell<'_> {
    fn text(self, text: &str) {
        *self.bytes += text.len() + 8;
        value::push(self.column, &self.native.wire, text, self.most);
    }

    fn nested(self, cell: &Value) {
        if cell.is_null() && !self.native.repeated {
            return self.column.push_null();
        }
        let mut text = String::new();
        let good = nested::write(self.native, cell, &mut text);
        if !good {
            text = cell.to_string();
        }
        *self.bytes += text.len() + 8;
        match self.column.values() {
            Data::Json(values) if good && text.len() <= self.most => {
                values.push(&text);
                self.column.pushed();
            }
            _ => self.column.push_unreadable(&text[..text.floor_char_boundary(self.most)]),
        }
    }
}

impl<'de> DeserializeSeed<'de> for OneCell<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        if self.native.repeated || matches!(self.native.wire, Wire::Record(_)) {
            let cell: Value = serde::Deserialize::deserialize(input)?;
            self.nested(&cell);
            return Ok(());
        }
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneCell<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a cell of type {}", self.native.shown)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.column.push_null();
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.text(text);
        Ok(())
    }

    // Every scalar is a text; a service that writes plain numbers is understood all the same, but for floats, whose
    // digits would already be gone.
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.text(&value.to_string());
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.text(&value.to_string());
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.text(if value { "true" } else { "false" });
        Ok(())
    }
}
