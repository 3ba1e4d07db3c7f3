//! Decoders fed with anything, and names quoted whatever is in them.
//!
//! The decoders' entry points are functions over bytes, so that a fuzzer can drive them too.

mod bytes;
mod clickhouse;
mod json;
mod quoting;
mod row_binary;
