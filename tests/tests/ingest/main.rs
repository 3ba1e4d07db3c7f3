//! The sync engine over tables in memory, on both databases.

mod cursor;
mod faults;
mod linking;
mod oracle;
mod values;

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
