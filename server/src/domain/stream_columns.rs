//! The columns of a stream's table, as they were when the mapping was saved and as they are now.

use std::ops::Not;

use connector::{ColumnInfo, Type};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A column as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// What its cells are.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Whether it came after the mapping was saved.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub new: bool,
}

/// The columns of a table at the moment its mapping is saved.
pub fn saved(columns: &[ColumnInfo]) -> Vec<Seen> {
    let seen = |column: &ColumnInfo| Seen { name: column.name.clone(), kind: column.kind, new: false };
    columns.iter().map(seen).collect()
}

/// Reads what a stream remembers.
///
/// # Errors
/// When it cannot be read.
pub fn read(text: &str) -> Result<Vec<Seen>> {
    serde_json::from_str(text).map_err(|error| Error::internal("read the columns of a stream", error))
}

/// Writes what a stream remembers.
///
/// # Errors
/// When it cannot be written.
pub fn write(columns: &[Seen]) -> Result<String> {
    serde_json::to_string(columns).map_err(|error| Error::internal("write the columns of a stream", error))
}

/// What to remember after another look at the table: columns it did not have are new.
pub fn after(before: &[Seen], found: &[ColumnInfo]) -> Vec<Seen> {
    let seen = |column: &ColumnInfo| {
        let known = before.iter().find(|seen| seen.name == column.name);
        Seen { name: column.name.clone(), kind: column.kind, new: known.is_none_or(|known| known.new) }
    };
    found.iter().map(seen).collect()
}

/// Tells which of the columns a stream reads has another type than when the mapping was saved, so that the same cells
/// may mean something else. `values` are the columns that hold values: there an integer may become a decimal.
pub fn retyped(before: &[Seen], read: &[String], values: &[&str], found: &[ColumnInfo]) -> Option<String> {
    read.iter().find_map(|name| {
        let was = before.iter().find(|seen| seen.name == *name)?.kind;
        let now = found.iter().find(|column| column.name == *name)?;
        let wider = was == Type::Int && now.kind == Type::Decimal && values.contains(&name.as_str());
        (now.kind != was && !wider).then(|| {
            format!("column {name:?} was {} and is now {} ({})", word(was), word(now.kind), now.native)
        })
    })
}

fn word(kind: Type) -> &'static str {
    match kind {
        Type::Bool => "a truth value",
        Type::Int => "a whole number",
        Type::Decimal => "an exact decimal",
        Type::Float => "a float",
        Type::Text => "text",
        Type::Date => "a day",
        Type::Naive => "a time without a zone",
        Type::Zoned => "a time with a zone",
        Type::Json => "JSON",
        Type::Other => "of a type of its own",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: Type) -> ColumnInfo {
        ColumnInfo { name: name.to_owned(), native: "T".to_owned(), kind, nullable: true, key: false }
    }

    #[test]
    fn only_a_value_may_become_a_decimal() {
        let before =
            saved(&[column("account", Type::Int), column("value", Type::Int), column("x", Type::Int)]);
        let read = ["account".to_owned(), "value".to_owned()];
        let look = |found: &[ColumnInfo]| retyped(&before, &read, &["value"], found);
        assert_eq!(look(&[column("account", Type::Int), column("value", Type::Decimal)]), None);
        assert_eq!(look(&[column("x", Type::Json)]), None);
        let told = look(&[column("account", Type::Text), column("value", Type::Decimal)]);
        assert_eq!(told.as_deref(), Some("column \"account\" was a whole number and is now text (T)"));
        let told = look(&[column("account", Type::Decimal), column("value", Type::Int)]);
        assert_eq!(
            told.as_deref(),
            Some("column \"account\" was a whole number and is now an exact decimal (T)")
        );
        assert!(look(&[column("value", Type::Float)]).is_some());
    }

    #[test]
    fn a_column_stays_new_until_the_mapping_is_saved_again() {
        let before = saved(&[column("a", Type::Int)]);
        let found = [column("a", Type::Int), column("b", Type::Text)];
        let once = after(&before, &found);
        assert_eq!(once.iter().map(|seen| seen.new).collect::<Vec<_>>(), [false, true]);
        assert_eq!(after(&read(&write(&once).expect("text")).expect("columns"), &found), once);
        assert!(saved(&found).iter().all(|seen| !seen.new));
    }
}
