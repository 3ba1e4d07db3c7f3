//! The systems behind the proxy, one file per kind.

mod bigquery;
mod clickhouse;
mod snowflake;

use crate::suite::Trials;

/// All of them.
pub const ALL: [&Trials; 3] = [&bigquery::TRIALS, &clickhouse::TRIALS, &snowflake::TRIALS];
