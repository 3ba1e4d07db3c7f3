//! The systems: one per kind, with the tests that only make sense there.

use crate::promises::Promises;

mod clickhouse;
mod memory;
mod postgres;
mod snowflake;
mod sqlite;

/// What each system promises.
pub const ALL: [&Promises; 5] =
    [&clickhouse::PROMISES, &memory::PROMISES, &postgres::PROMISES, &snowflake::PROMISES, &sqlite::PROMISES];
