//! The weir binary: API, web interface, workers.

pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod custody;
pub mod db;
pub mod domain;
pub mod error;
pub mod fault;
pub mod graphql;
pub mod http;
pub mod ingest;
pub mod jobs;
pub mod sources;
pub mod sql;
pub mod telemetry;
