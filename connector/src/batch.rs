//! Rows by column, as a connector hands them over: few allocations, bounded by rows and bytes.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::{Cell, Moment, Type};

/// Many texts in one allocation.
#[derive(Clone, Debug, Default, Hash)]
pub struct Strings {
    text: String,
    ends: Vec<u32>,
}

impl Strings {
    /// Appends a text.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.close();
    }

    /// Gives the buffer to append to; [`Strings::close`] then ends the text.
    pub fn buffer(&mut self) -> &mut String {
        &mut self.text
    }

    /// Ends the text being appended.
    pub fn close(&mut self) {
        self.ends.push(u32::try_from(self.text.len()).expect("a batch stays far below 4 GiB"));
    }

    /// The text at `row`.
    pub fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.text[start..self.ends[row] as usize]
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * 4
    }
}

/// The values of one column, in row order. A null or unreadable row holds a placeholder.
#[derive(Clone, Debug)]
pub enum Data {
    /// Truth values.
    Bool(Vec<bool>),
    /// Integers of up to 64 bits.
    Int(Vec<i64>),
    /// Integers of up to 128 bits.
    Wide(Vec<i128>),
    /// Binary floats.
    Float(Vec<f64>),
    /// Canonical decimal texts.
    Decimal(Strings),
    /// Texts.
    Text(Strings),
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// Wall-clock times.
    Naive(Vec<Moment>),
    /// Instants.
    Zoned(Vec<Moment>),
    /// JSON documents.
    Json(Strings),
}

/// One column of a batch.
#[derive(Clone, Debug)]
pub struct Column {
    name: String,
    kind: Type,
    data: Data,
    nulls: Vec<bool>,
    unreadable: BTreeMap<usize, Box<str>>,
}

impl Column {
    /// Makes an empty column for a logical type; `wide` asks for 128-bit integers.
    pub fn new(name: impl Into<String>, kind: Type, wide: bool) -> Self {
        let data = match kind {
            Type::Bool => Data::Bool(Vec::new()),
            Type::Int if wide => Data::Wide(Vec::new()),
            Type::Int => Data::Int(Vec::new()),
            Type::Float => Data::Float(Vec::new()),
            Type::Decimal => Data::Decimal(Strings::default()),
            Type::Text | Type::Other => Data::Text(Strings::default()),
            Type::Date => Data::Date(Vec::new()),
            Type::Naive => Data::Naive(Vec::new()),
            Type::Zoned => Data::Zoned(Vec::new()),
            Type::Json => Data::Json(Strings::default()),
        };
        Self { name: name.into(), kind, data, nulls: Vec::new(), unreadable: BTreeMap::new() }
    }

    /// The column's name, exactly as the system has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The logical type of its cells.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// The values, for code that works on a whole column.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// Per row, whether the value is null or unreadable.
    pub fn nulls(&self) -> &[bool] {
        &self.nulls
    }

    /// How many rows the column has.
    pub fn len(&self) -> usize {
        self.nulls.len()
    }

    /// Tells whether the column has no row.
    pub fn is_empty(&self) -> bool {
        self.nulls.is_empty()
    }

    /// The value at `row`.
    pub fn cell(&self, row: usize) -> Cell<'_> {
        if self.nulls[row] {
            return self.unreadable.get(&row).map_or(Cell::Null, |raw| Cell::Unreadable(raw));
        }
        match &self.data {
            Data::Bool(values) => Cell::Bool(values[row]),
            Data::Int(values) => Cell::Int(i128::from(values[row])),
            Data::Wide(values) => Cell::Int(values[row]),
            Data::Float(values) => Cell::Float(values[row]),
            Data::Decimal(values) => Cell::Decimal(values.get(row)),
            Data::Text(values) => Cell::Text(values.get(row)),
            Data::Date(values) => Cell::Date(values[row]),
            Data::Naive(values) => Cell::Naive(values[row]),
            Data::Zoned(values) => Cell::Zoned(values[row]),
            Data::Json(values) => Cell::Json(values.get(row)),
        }
    }

    /// Gives the values to append one to; [`Column::pushed`] must follow each append.
    pub fn values(&mut self) -> &mut Data {
        &mut self.data
    }

    /// Marks the value just appended through [`Column::values`] as present.
    pub fn pushed(&mut self) {
        self.nulls.push(false);
    }

    /// Appends a null.
    pub fn push_null(&mut self) {
        match &mut self.data {
            Data::Bool(values) => values.push(false),
            Data::Int(values) => values.push(0),
            Data::Wide(values) => values.push(0),
            Data::Float(values) => values.push(0.0),
            Data::Date(values) => values.push(0),
            Data::Naive(values) | Data::Zoned(values) => values.push(Moment::default()),
            Data::Decimal(values) | Data::Text(values) | Data::Json(values) => values.close(),
        }
        self.nulls.push(true);
    }

    /// Appends a value that cannot be represented, as raw text.
    pub fn push_unreadable(&mut self, raw: impl Into<Box<str>>) {
        self.unreadable.insert(self.nulls.len(), raw.into());
        self.push_null();
    }

    /// Appends a cell; one that does not fit the column's type is kept as unreadable.
    pub fn push(&mut self, cell: Cell<'_>) {
        match (&mut self.data, cell) {
            (_, Cell::Null) => return self.push_null(),
            (_, Cell::Unreadable(raw)) => return self.push_unreadable(raw),
            (Data::Bool(values), Cell::Bool(value)) => values.push(value),
            (Data::Int(values), Cell::Int(value)) if i64::try_from(value).is_ok() => {
                values.push(value as i64)
            }
            (Data::Wide(values), Cell::Int(value)) => values.push(value),
            (Data::Float(values), Cell::Float(value)) => values.push(value),
            (Data::Decimal(values), Cell::Decimal(text)) => values.push(text),
            (Data::Text(values), Cell::Text(text)) => values.push(text),
            (Data::Date(values), Cell::Date(value)) => values.push(value),
            (Data::Naive(values), Cell::Naive(value)) => values.push(value),
            (Data::Zoned(values), Cell::Zoned(value)) => values.push(value),
            (Data::Json(values), Cell::Json(text)) => values.push(text),
            (_, other) => return self.push_unreadable(other.to_string()),
        }
        self.nulls.push(false);
    }

    /// The same values but for the first.
    fn without_first(&self) -> Self {
        let mut rest = Self::new(self.name.as_str(), self.kind, matches!(self.data, Data::Wide(_)));
        (1..self.len()).for_each(|row| rest.push(self.cell(row)));
        rest
    }

    fn hash_into(&self, hasher: &mut DefaultHasher) {
        self.name.hash(hasher);
        self.nulls.hash(hasher);
        self.unreadable.hash(hasher);
        match &self.data {
            Data::Bool(values) => values.hash(hasher),
            Data::Int(values) => values.hash(hasher),
            Data::Wide(values) => values.hash(hasher),
            Data::Float(values) => values.iter().for_each(|value| value.to_bits().hash(hasher)),
            Data::Date(values) => values.hash(hasher),
            Data::Naive(values) | Data::Zoned(values) => values.hash(hasher),
            Data::Decimal(values) | Data::Text(values) | Data::Json(values) => values.hash(hasher),
        }
    }

    fn bytes(&self) -> usize {
        let data = match &self.data {
            Data::Bool(values) => values.len(),
            Data::Int(values) => values.len() * 8,
            Data::Wide(values) => values.len() * 16,
            Data::Float(values) => values.len() * 8,
            Data::Date(values) => values.len() * 4,
            Data::Naive(values) | Data::Zoned(values) => values.len() * 16,
            Data::Decimal(values) | Data::Text(values) | Data::Json(values) => values.bytes(),
        };
        data + self.nulls.len() + self.unreadable.values().map(|raw| raw.len() + 32).sum::<usize>()
    }
}

/// Rows read together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The columns, in the order asked for, all of the same length.
    pub columns: Vec<Column>,
}

impl Batch {
    /// How many rows the batch has.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }

    /// The column of that exact name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The same rows but for the first.
    pub(crate) fn without_first(&self) -> Self {
        Self { columns: self.columns.iter().map(Column::without_first).collect() }
    }

    /// A number that differs when any cell differs, all but surely. Equal only within one version of this program.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.columns.iter().for_each(|column| column.hash_into(&mut hasher));
        hasher.finish()
    }

    /// About how much memory the rows take, in bytes.
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(Column::bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_does_not_fit_is_kept_as_raw_text() {
        let mut column = Column::new("n", Type::Int, false);
        column.push(Cell::Int(7));
        column.push(Cell::Text("seven"));
        column.push(Cell::Int(i128::from(i64::MAX) + 1));
        column.push_null();
        assert_eq!(column.cell(0), Cell::Int(7));
        assert_eq!(column.cell(1), Cell::Unreadable("seven"));
        assert_eq!(column.cell(2), Cell::Unreadable("9223372036854775808"));
        assert_eq!(column.cell(3), Cell::Null);
        assert_eq!(column.len(), 4);
        let rest = Batch { columns: vec![column] }.without_first();
        let cells: Vec<_> = (0..rest.rows()).map(|row| rest.columns[0].cell(row)).collect();
        assert_eq!(cells, [Cell::Unreadable("seven"), Cell::Unreadable("9223372036854775808"), Cell::Null]);
    }

    #[test]
    fn every_type_keeps_its_cells_without_the_first_row() {
        let moment = Moment { seconds: 1, nanos: 2 };
        for (kind, wide, cell) in [
            (Type::Bool, false, Cell::Bool(true)),
            (Type::Int, false, Cell::Int(7)),
            (Type::Int, true, Cell::Int(i128::MAX)),
            (Type::Float, false, Cell::Float(0.5)),
            (Type::Decimal, false, Cell::Decimal("1.5")),
            (Type::Text, false, Cell::Text("x")),
            (Type::Other, false, Cell::Text("x")),
            (Type::Date, false, Cell::Date(3)),
            (Type::Naive, false, Cell::Naive(moment)),
            (Type::Zoned, false, Cell::Zoned(moment)),
            (Type::Json, false, Cell::Json("{}")),
        ] {
            let mut column = Column::new("c", kind, wide);
            column.push_null();
            column.push(cell);
            let rest = Batch { columns: vec![column] }.without_first();
            assert_eq!((rest.rows(), rest.columns[0].cell(0)), (1, cell), "{kind:?}");
        }
    }
}
