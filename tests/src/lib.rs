//! The harness and the suites that run Weir whole.
//!
//! Tests use real servers. A run starts each server once, on first need; every test gets a database of its
//! own in it; nothing outlives the run. A server that cannot start fails the test that wanted it: no test is
//! ever skipped.

pub mod bench;
pub mod bulk;
pub mod databases;
pub mod demo;
pub mod dump;
pub mod log;
pub mod meter;
pub mod sealed;
pub mod site;
pub mod stage;
pub mod stand;
pub mod trace;
pub mod wire;
pub mod worker;

pub use systems::{clickhouse, postgres, proxy, run};
