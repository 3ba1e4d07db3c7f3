//! The systems: one per kind, with the tests that only make sense there.

use crate::promises::Promises;

mod bigquery;
mod clickhouse;
mod databricks;
mod memory;
mod postgres;
mod snowflake;
mod sqlite;

/// What each system promises.
pub const ALL: [&Promises; 10] = [
    &bigquery::local::PROMISES,
    &bigquery::second::PROMISES,
    &clickhouse::PROMISES,
    &databricks::stand_in::PROMISES,
    &databricks::brickhouse::PROMISES,
    &databricks::minilake::PROMISES,
    &memory::PROMISES,
    &postgres::PROMISES,
    &snowflake::PROMISES,
    &sqlite::PROMISES,
];
