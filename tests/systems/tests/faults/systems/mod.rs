//! The systems behind the proxy, one file per kind.

mod clickhouse;

use crate::suite::Trials;

/// All of them.
pub const ALL: [&Trials; 1] = [&clickhouse::TRIALS];
