//! The ClickHouse kind against a real engine: what the connector specification promises, and known pitfalls.

mod cost;
mod cursors;
mod failures;
mod large;
mod network;
mod reading;
mod refusals;
mod sign_in;
mod stopping;
mod tables;
mod values;
