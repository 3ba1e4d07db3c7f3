//! The systems tests read from: real servers, emulators and strict stand-ins.
//!
//! A run starts each server once, on first need; every test gets a place of its own in it; nothing outlives the run.
//! A server that cannot start fails the test that wanted it: no test is ever skipped.
//!
//! This crate knows the connectors and nothing else of Weir, so a change to a connector is tried without building the
//! server.

pub mod authority;
pub mod bigquery;
pub mod clickhouse;
pub mod databricks;
pub mod faults;
pub mod ports;
pub mod postgres;
pub mod proxy;
pub mod python;
pub mod relay;
pub mod run;
pub mod snowduck;
pub mod snowflake;
pub mod upstream;
