//! The systems: one per kind, with the tests that only make sense there.

use crate::promises::Promises;

mod clickhouse;
mod databricks;
mod memory;
mod postgres;
mod sqlite;

/// What each system promises.
pub const ALL: [&Promises; 5] = [
    &clickhouse::PROMISES,
    &databricks::stand_in::PROMISES,
    &memory::PROMISES,
    &postgres::PROMISES,
    &sqlite::PROMISES,
];
