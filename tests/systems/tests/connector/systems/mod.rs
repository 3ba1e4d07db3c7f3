//! The systems: one per kind, with the tests that only make sense there.

use crate::promises::Promises;

mod bigquery;
mod clickhouse;
mod memory;
mod postgres;
mod snowflake;
mod sqlite;

/// What each system promises.
pub const ALL: [&Promises; 7] = [
    &bigquery::local::PROMISES,
    &bigquery::second::PROMISES,
    &clickhouse::PROMISES,
    &memory::PROMISES,
    &postgres::PROMISES,
    &snowflake::PROMISES,
    &sqlite::PROMISES,
];
