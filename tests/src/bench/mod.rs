//! The benchmark: Weir beside plain psql and dlt on one warehouse, in one run, every result compared.

pub mod cpu;
pub mod engine;
pub mod peers;
pub mod report;
pub mod seed;
