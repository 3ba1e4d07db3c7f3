//! The systems behind the proxy, one file per kind.

mod bigquery;
mod clickhouse;
mod databricks;
mod snowflake;

use crate::trials::Trials;

/// All of them.
pub const ALL: [&Trials; 5] = [
    &bigquery::TRIALS,
    &clickhouse::TRIALS,
    &databricks::interface::TRIALS,
    &databricks::links::TRIALS,
    &snowflake::TRIALS,
];
