//! The systems: one per kind, with the tests that only make sense there.

mod clickhouse;
mod memory;
mod postgres;
mod sqlite;
