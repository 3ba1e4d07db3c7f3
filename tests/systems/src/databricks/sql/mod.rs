//! The part of Databricks SQL that reading needs.
//!
//! `SELECT … FROM catalog.schema.table [WHERE …] [ORDER BY …] [LIMIT n]` and `DESCRIBE TABLE`, with comparisons, AND, OR,
//! IS NULL, named parameters, `unix_micros`, `CAST(… AS STRING)`, `to_json`, `base64`, `max` and `current_timestamp`.
//! What would pass a time through the session's zone is done as the service does it, so that a value that went that way
//! comes out wrong.

pub mod arithmetic;
pub mod compile;
pub mod expression;
pub mod group;
pub mod parameter;
pub mod value;
