//! The sync engine over tables in memory, on both databases.

mod changes;
mod cursor;
mod deleting;
mod faults;
mod inside;
mod linking;
mod model;
mod oracle;
mod pace;
mod preview;
mod rebind;
mod reconciling;
mod rematches;
mod shapes;
mod targets;
mod values;
mod workers;

use connector::memory::{MemoryTable, Owned};
use connector::{Moment, Type};
use tests::stand::START;

/// A table of the shape every stand's stream reads.
pub fn table() -> MemoryTable {
    let table = MemoryTable::new(
        "usage",
        &[
            ("id", Type::Int),
            ("account", Type::Text),
            ("metric", Type::Text),
            ("value", Type::Decimal),
            ("at", Type::Zoned),
            ("updated", Type::Zoned),
        ],
    );
    table.set_clock(at(0));
    table
}

/// An instant some seconds after the stand's clock began.
pub fn at(seconds: i64) -> Moment {
    Moment::from_micros(START + seconds * 1_000_000)
}

/// A row: id, account, metric, value, the second it is of, the second it was updated.
pub fn row(id: i128, account: &str, metric: &str, value: &str, of: i64, updated: i64) -> Vec<Owned> {
    vec![
        Owned::Int(id),
        Owned::Text(account.to_owned()),
        Owned::Text(metric.to_owned()),
        Owned::Decimal(value.to_owned()),
        Owned::Zoned(at(of)),
        Owned::Zoned(at(updated)),
    ]
}

/// A table with two metric columns.
pub fn wide_table() -> MemoryTable {
    let table = MemoryTable::new(
        "weekly",
        &[
            ("id", Type::Int),
            ("account", Type::Text),
            ("w0", Type::Decimal),
            ("w1", Type::Decimal),
            ("at", Type::Zoned),
            ("updated", Type::Zoned),
        ],
    );
    table.set_clock(at(0));
    table
}

/// A row of it: id, account, values, the seconds it is of and was updated.
pub fn wide_row(id: i128, account: &str, values: [Option<&str>; 2], times: (i64, i64)) -> Vec<Owned> {
    let value = |value: Option<&str>| value.map_or(Owned::Null, |value| Owned::Decimal(value.to_owned()));
    vec![
        Owned::Int(id),
        Owned::Text(account.to_owned()),
        value(values[0]),
        value(values[1]),
        Owned::Zoned(at(times.0)),
        Owned::Zoned(at(times.1)),
    ]
}
