//! Values and sets of rows bound to a statement.

use std::fmt::Write;

use uuid::Uuid;

use super::record::Value;
use crate::db::Backend;
use crate::ingest::reject::push_json_text;

/// A bound value.
#[derive(Clone, Debug)]
pub enum Bind {
    /// An integer or null.
    Int(Option<i64>),
    /// A text or null.
    Text(Option<String>),
    /// An ID or null.
    Uuid(Option<Uuid>),
    /// A truth value.
    Bool(bool),
}

impl From<i64> for Bind {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Bind {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Bind {
    fn from(value: u64) -> Self {
        Self::Int(Some(i64::try_from(value).unwrap_or(i64::MAX)))
    }
}

impl From<&str> for Bind {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Bind {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<String>> for Bind {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<Uuid> for Bind {
    fn from(value: Uuid) -> Self {
        Self::Uuid(Some(value))
    }
}

impl From<Option<Uuid>> for Bind {
    fn from(value: Option<Uuid>) -> Self {
        Self::Uuid(value)
    }
}

impl From<bool> for Bind {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// One column of a set of rows.
#[derive(Clone, Debug)]
pub enum Rows1 {
    /// Integers.
    Int(Vec<Option<i64>>),
    /// Texts.
    Text(Vec<Option<String>>),
    /// Canonical decimals.
    Decimal(Vec<Option<String>>),
    /// IDs.
    Uuid(Vec<Option<Uuid>>),
}

/// A set of rows bound as one relation named `b`, with columns `c0`, `c1`, ….
#[derive(Clone, Debug, Default)]
pub struct Rows {
    columns: Vec<Rows1>,
}

impl Rows {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column of integers.
    #[must_use]
    pub fn ints(mut self, values: impl IntoIterator<Item = i64>) -> Self {
        self.columns.push(Rows1::Int(values.into_iter().map(Some).collect()));
        self
    }

    /// Adds a column of texts.
    #[must_use]
    pub fn texts<'a>(mut self, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.columns.push(Rows1::Text(values.into_iter().map(|text| Some(text.to_owned())).collect()));
        self
    }

    /// Adds a column of texts that may be null.
    #[must_use]
    pub fn maybe_texts<'a>(mut self, values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        self.columns.push(Rows1::Text(values.into_iter().map(|text| text.map(str::to_owned)).collect()));
        self
    }

    /// Adds a column of canonical decimals.
    #[must_use]
    pub fn decimals<'a>(mut self, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.columns.push(Rows1::Decimal(values.into_iter().map(|text| Some(text.to_owned())).collect()));
        self
    }

    /// Adds a column of IDs that may be null.
    #[must_use]
    pub fn maybe_uuids(mut self, values: impl IntoIterator<Item = Option<Uuid>>) -> Self {
        self.columns.push(Rows1::Uuid(values.into_iter().collect()));
        self
    }

    /// Adds a column of IDs.
    #[must_use]
    pub fn uuids(mut self, values: impl IntoIterator<Item = Uuid>) -> Self {
        self.columns.push(Rows1::Uuid(values.into_iter().map(Some).collect()));
        self
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        match self.columns.first() {
            Some(Rows1::Int(values)) => values.len(),
            Some(Rows1::Text(values) | Rows1::Decimal(values)) => values.len(),
            Some(Rows1::Uuid(values)) => values.len(),
            None => 0,
        }
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn columns(&self) -> &[Rows1] {
        &self.columns
    }

    /// The relation as it stands in a statement after `before` other binds.
    pub(super) fn relation(&self, backend: Backend, before: usize) -> String {
        let mut out = String::new();
        let mut names = String::new();
        match backend {
            Backend::Postgres => {
                out.push_str("unnest(");
                for (index, column) in self.columns.iter().enumerate() {
                    let cast = match column {
                        Rows1::Int(_) => "int8[]",
                        Rows1::Text(_) => "text[]",
                        Rows1::Decimal(_) => "text[]::numeric[]",
                        Rows1::Uuid(_) => "uuid[]",
                    };
                    let comma = if index > 0 { ", " } else { "" };
                    write!(out, "{comma}${}::{cast}", before + index + 1)
                        .expect("writing to a String cannot fail");
                    write!(names, "{comma}c{index}").expect("writing to a String cannot fail");
                }
                format!("{out}) AS b({names})")
            }
            Backend::Sqlite => {
                for (index, column) in self.columns.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    match column {
                        Rows1::Uuid(_) => write!(out, "{comma}unhex(value ->> {index}) AS c{index}"),
                        _ => write!(out, "{comma}value ->> {index} AS c{index}"),
                    }
                    .expect("writing to a String cannot fail");
                }
                format!("(SELECT {out} FROM json_each(${})) AS b", before + 1)
            }
        }
    }

    /// All rows as a JSON array of arrays, the form SQLite takes.
    pub(super) fn json(&self) -> String {
        let mut out = String::from("[");
        for row in 0..self.len() {
            out.push_str(if row > 0 { ",[" } else { "[" });
            for (index, column) in self.columns.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                match column {
                    Rows1::Int(values) => match values[row] {
                        Some(value) => write!(out, "{value}").expect("writing to a String cannot fail"),
                        None => out.push_str("null"),
                    },
                    Rows1::Text(values) | Rows1::Decimal(values) => match &values[row] {
                        Some(text) => push_json_text(text, &mut out),
                        None => out.push_str("null"),
                    },
                    Rows1::Uuid(values) => match values[row] {
                        Some(id) => {
                            write!(out, "\"{}\"", id.simple()).expect("writing to a String cannot fail")
                        }
                        None => out.push_str("null"),
                    },
                }
            }
            out.push(']');
        }
        out.push(']');
        out
    }
}

impl From<Value> for Bind {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Text(None),
            Value::Int(value) => Self::Int(Some(value)),
            Value::Text(text) => Self::Text(Some(text)),
            Value::Uuid(id) => Self::Uuid(Some(id)),
            Value::Bool(value) => Self::Bool(value),
        }
    }
}
