//! The systems behind the proxy, one file per kind.

mod clickhouse;
mod snowflake;

use crate::suite::Trials;

/// All of them.
pub const ALL: [&Trials; 2] = [&clickhouse::TRIALS, &snowflake::TRIALS];
